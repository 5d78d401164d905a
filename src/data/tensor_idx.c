/* tensor_idx.c - IDX, the format of MNIST: one array of numbers, big-endian.
 * Takes bytes; gives a tensor. Must not trust a size it has not compared with the bytes there are. */
#include <stdlib.h>
#include <string.h>

#include "data/tensor_file_inside.h"

typedef struct Element {
    unsigned char code;
    size_t size;
    CgDtype dtype;
    CgConvert convert;
} Element;

static const Element elements[] = {
    { 0x08, 1, CG_I32, CG_AS_U8 },
    { 0x09, 1, CG_I32, CG_AS_I8 },
    { 0x0b, 2, CG_I32, CG_AS_I16 },
    { 0x0c, 4, CG_I32, CG_AS_SAME },
    { 0x0d, 4, CG_F32, CG_AS_SAME },
    { 0x0e, 8, CG_F64, CG_AS_SAME },
};

static bool bad(const char *path, const char *what, CgErr *e)
{
    return cg_err(e, CG_ERR_INPUT, "'%s' is not a sound IDX file: %s", path, what);
}

/* Big-endian elements as this machine has them, where they lie. */
static void turn(unsigned char *at, size_t n, size_t size)
{
    for (size_t i = 0; size > 1 && i < n; i++, at += size)
        for (size_t k = 0; k < size / 2; k++) {
            unsigned char kept = at[k];
            at[k] = at[size - 1 - k];
            at[size - 1 - k] = kept;
        }
}

static bool read_all(const char *path, CgBytes *bytes, CgTensors *out, CgErr *e)
{
    unsigned char *at = (unsigned char *)bytes->at;
    if (bytes->len < 4 || at[0] || at[1])
        return bad(path, "it does not begin with two zeros", e);
    const Element *element = NULL;
    for (size_t i = 0; i < CG_LEN(elements); i++)
        if (elements[i].code == at[2])
            element = &elements[i];
    CgTensor t = { .rank = at[3] };
    if (!element)
        return bad(path, "its type of elements is none of the six there are", e);
    size_t start = 4 + 4 * (size_t)at[3], count, size;
    if (t.rank > CG_MAX_RANK || bytes->len < start)
        return bad(path, t.rank > CG_MAX_RANK ? "more than 8 axes" : "it ends inside its sizes", e);
    for (int i = 0; i < t.rank; i++) {
        const unsigned char *d = at + 4 + 4 * i;
        t.dim[i] = (int64_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
    }
    if (!cg_tensor_measure(t.dim, t.rank, element->size, &count, &size))
        return bad(path, "its size overflows", e);
    if (size != bytes->len - start)
        return cg_err(e, CG_ERR_INPUT, "'%s' is not a sound IDX file: %zu bytes of elements, its sizes need %zu", path,
            bytes->len - start, size);
    t.dtype = element->dtype;
    cg_tensor_row_major(&t);
    size_t room = count * cg_dtype_size(t.dtype);
    void *own = cg_try_alloc(room ? room : 1);
    if (!own)
        return cg_err(e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, path);
    turn(at + start, count, element->size);
    cg_tensor_convert(element->convert, at + start, element->size, count, own);
    cg_tensors_single(out, path, t, own);
    return true;
}

static bool parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    *out = (CgTensors){ 0 };
    CgBytes own = { 0 };
    if (bytes.mapped) { /* elements are turned where they lie */
        own = (CgBytes){ .at = cg_malloc(bytes.len + 1), .len = bytes.len };
        memcpy(own.at, bytes.at, bytes.len);
        cg_io_release(&bytes);
        bytes = own;
    }
    bool good = read_all(path, &bytes, out, e);
    cg_io_release(&bytes);
    return good;
}

CG_TENSOR_FORMAT(idx, .endings = (const char *const[]){ ".idx", "-ubyte", ".ubyte", NULL },
    .doc = "IDX, the format of MNIST", .single = true, .read = parse)
