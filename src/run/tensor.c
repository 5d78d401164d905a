/* tensor.c - elements of tensors as numbers.
 * Takes a tensor of any dtype and strides; gives doubles, or integers as they are. Must not be used where speed
 * matters. */
#include "run/tensor.h"

#include <string.h>

#include <math.h>

static int64_t offset(const CgTensor *t, int64_t i)
{
    int64_t at = 0;
    for (int a = t->rank; a-- > 0; i /= t->dim[a])
        at += i % t->dim[a] * t->stride[a];
    return at;
}

int64_t cg_tensor_whole(const CgTensor *t, int64_t i)
{
    int64_t at = offset(t, i);
    return t->dtype == CG_I64 ? ((const int64_t *)t->data)[at]
        : t->dtype == CG_I32  ? ((const int32_t *)t->data)[at]
        : t->dtype == CG_I8   ? ((const int8_t *)t->data)[at]
                              : ((const uint8_t *)t->data)[at];
}

double cg_tensor_number(const CgTensor *t, int64_t i)
{
    int64_t at = offset(t, i);
    switch (t->dtype) {
    case CG_F32: return (double)((const float *)t->data)[at];
    case CG_F64: return ((const double *)t->data)[at];
    case CG_I32: return ((const int32_t *)t->data)[at];
    case CG_I64: return (double)((const int64_t *)t->data)[at];
    case CG_BOOL: return ((const uint8_t *)t->data)[at];
    case CG_F16: return (double)cg_f16_value(((const uint16_t *)t->data)[at]);
    case CG_I8: return ((const int8_t *)t->data)[at];
    case CG_BF16:
    case CG_ROUNDED: return (double)cg_bf16_value(((const uint16_t *)t->data)[at]);
    case CG_NDTYPE: break;
    }
    return NAN;
}

bool cg_tensor_contiguous(const CgTensor *t)
{
    int64_t expect = 1;
    bool row_major = true;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->dim[i] == 0)
            return true;
        row_major = row_major && (t->dim[i] == 1 || t->stride[i] == expect);
        expect *= t->dim[i];
    }
    return row_major;
}

void cg_tensor_pack(const CgTensor *t, void *to)
{
    size_t size = cg_dtype_size(t->dtype), n = (size_t)cg_tensor_count(t);
    for (size_t i = 0; i < n; i++) {
        int64_t at = 0, rest = (int64_t)i;
        for (int k = t->rank; k-- > 0; rest /= t->dim[k])
            at += rest % t->dim[k] * t->stride[k];
        memcpy((char *)to + i * size, (const char *)t->data + (size_t)at * size, size);
    }
}
