/* windows.h - windows along an axis: how far one reaches, and how many there are.
 * Takes size, stride and dilation; gives counts as sizes. Used by unfold.c, conv.c and pool.c. */
#ifndef CG_OPS_WINDOWS_H
#define CG_OPS_WINDOWS_H

#include <cg/rules.h>

typedef struct Windows {
    int64_t size, stride, dilation, reach; /* reach: elements from the first of a window to its last, both counted */
} Windows;

static inline Windows windows_made(int64_t size, int64_t stride, int64_t dilation)
{
    int64_t reach; /* what no number of 64 bits holds is too far in any case */
    if (size < 1 || __builtin_mul_overflow(size - 1, dilation, &reach) || reach == INT64_MAX)
        reach = INT64_MAX - 1;
    return (Windows){ size, stride, dilation, reach + 1 };
}

static inline bool windows_fit(CgInfer *inf, Windows w)
{
    const int64_t most = (int64_t)1 << 30;
    if (w.size < 1 || w.stride < 1 || w.dilation < 1)
        return cg_infer_fail(inf, -1, -1, "size, stride and dilation are at least 1");
    if (w.size > most || w.stride > most || w.dilation > most || w.reach > most)
        return cg_infer_fail(inf, -1, -1, "a window reaches over at most 2^30 elements");
    return true;
}

/* How many windows there are along an axis of operand 0, or one as it would be, of this length: (length - reach) /
 * stride + 1, rounded down. */
static inline const CgDim *windows_count(CgInfer *inf, int axis, const CgDim *length, Windows w)
{
    int64_t n;
    if (cg_dim_is_int(length, &n)) {
        if (n >= w.reach)
            return cg_dim_int((n - w.reach) / w.stride + 1);
        cg_infer_fail(
            inf, 0, axis, "a window reaches over %lld elements, the axis has %lld", (long long)w.reach, (long long)n);
        return NULL;
    }
    const CgDim *rest = cg_dim_sub(length, cg_dim_int(w.reach));
    const CgDim *steps = w.stride == 1 ? rest : rest ? cg_dim_div(rest, cg_dim_int(w.stride)) : NULL;
    if (!steps)
        cg_infer_fail(inf, 0, axis, "with stride %lld the number of windows is known only where the axis has a number",
            (long long)w.stride);
    return steps ? cg_dim_add(steps, cg_dim_int(1)) : NULL;
}

/* ---- along both axes of an image, by the attributes stride, dilation and padding ---- */

static inline int64_t windows_int(const CgAttrs *attrs, const char *name, int i)
{
    return cg_attr_find(attrs, name)->ints[i];
}

static inline bool windows_want_ints(CgInfer *inf, const char *name, int n, int64_t low)
{
    const CgAttr *a = cg_attr_find(inf->attrs, name);
    if (!a || a->kind != CG_ATTR_INTS || a->n != n)
        return cg_infer_fail(inf, -1, -1, "%s is a list of %d integers", name, n);
    for (int i = 0; i < n; i++)
        if (a->ints[i] < low || a->ints[i] > (int64_t)1 << 30)
            return cg_infer_fail(inf, -1, -1, "%s holds integers from %lld to 2^30", name, (long long)low);
    return true;
}

/* How many windows of `taps` places there are along one of two padded axes, of this length. */
static inline const CgDim *windows_along(CgInfer *inf, int axis, const CgDim *length, int64_t taps)
{
    Windows w = windows_made(taps, windows_int(inf->attrs, "stride", axis), windows_int(inf->attrs, "dilation", axis));
    int64_t pad = windows_int(inf->attrs, "padding", 2 * axis) + windows_int(inf->attrs, "padding", 2 * axis + 1);
    return windows_fit(inf, w) ? windows_count(inf, 2 + axis, cg_dim_add(length, cg_dim_int(pad)), w) : NULL;
}

#endif
