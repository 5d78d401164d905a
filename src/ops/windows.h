/* windows.h - windows along an axis: how far one reaches, and how many there are.
 * Takes size, stride and dilation; gives counts as sizes. Used by unfold.c and conv.c. */
#ifndef CG_OPS_WINDOWS_H
#define CG_OPS_WINDOWS_H

#include <cg/rules.h>

typedef struct Windows {
    int64_t size, stride, dilation, reach; /* reach: elements from the first of a window to its last, both counted */
} Windows;

static inline Windows windows_made(int64_t size, int64_t stride, int64_t dilation)
{
    return (Windows){ size, stride, dilation, (size - 1) * dilation + 1 };
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

#endif
