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

void cg_tensor_print(const CgTensor *t, int64_t i, CgStrbuf *out)
{
    if (t->dtype == CG_BOOL)
        cg_strbuf_puts(out, cg_tensor_whole(t, i) ? "true" : "false");
    else if (cg_dtype_has_derivative(t->dtype))
        cg_strbuf_printf(out, "%.6g", cg_tensor_number(t, i));
    else
        cg_strbuf_printf(out, "%lld", (long long)cg_tensor_whole(t, i));
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

void cg_tensor_pack_as(const CgTensor *t, CgDtype dtype, void *to)
{
    int64_t n = cg_tensor_count(t), at[CG_MAX_RANK] = { 0 }, offset_at = 0;
    size_t size = cg_dtype_size(dtype);
    if (t->dtype == dtype && cg_tensor_contiguous(t)) {
        if (n)
            memcpy(to, t->data, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        char *out = (char *)to + (size_t)i * size;
        if (t->dtype == dtype)
            memcpy(out, (const char *)t->data + (size_t)offset_at * size, size);
        else if (dtype == CG_F32 && (t->dtype == CG_F16 || t->dtype == CG_BF16))
            ((float *)to)[i] = cg_half_value(t->dtype, ((const uint16_t *)t->data)[offset_at]);
        else
            cg_element_put(dtype, out, cg_tensor_number(t, i));
        for (int k = t->rank; k-- > 0;) {
            offset_at += t->stride[k];
            if (++at[k] < t->dim[k])
                break;
            offset_at -= t->stride[k] * t->dim[k];
            at[k] = 0;
        }
    }
}

void cg_tensor_pack(const CgTensor *t, void *to) { cg_tensor_pack_as(t, t->dtype, to); }
