/* tensor_digits.c - digits as a tensor.
 * Takes text; gives f32[n], an element for each digit of it. */
#include "base/vec.h"
#include "data/tensor_file_inside.h"

static bool parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    CG_VEC(float) digits = { 0 };
    (void)e;
    *out = (CgTensors){ 0 };
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.at[i] >= '0' && bytes.at[i] <= '9')
            cg_vec_push(&digits, (float)(bytes.at[i] - '0'));
    cg_io_release(&bytes);
    CgTensor t = { .dtype = CG_F32, .rank = 1, .dim = { (int64_t)digits.len } };
    cg_tensor_row_major(&t);
    cg_tensors_single(out, path, t, digits.at);
    return true;
}

CG_TENSOR_FORMAT(
    digits, .endings = (const char *const[]){ ".digits", NULL }, .doc = "digits", .single = true, .read = parse)
