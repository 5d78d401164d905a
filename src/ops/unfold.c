/* unfold.c - sliding windows along an axis, and their sum back into it.
 * Takes a tensor; gives its windows as a view (im2col without a copy), or adds windows up where they came from
 * (col2im). */
#include <cg/elementwise.h>

#include "ops/windows.h"

static Windows windows_of(const CgAttrs *attrs)
{
    return windows_made(
        cg_attr_int(attrs, "size", 1), cg_attr_int(attrs, "stride", 1), cg_attr_int(attrs, "dilation", 1));
}

/* ---- unfold: (..pre, L, ..post) to (..pre, windows, size, ..post) ---- */

static bool unfold_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0];
    Windows w = windows_of(inf->attrs);
    const CgDim *dim[CG_MAX_RANK];
    int axis;
    if (!cg_infer_axis(inf, "axis", 0, &axis) || !windows_fit(inf, w))
        return false;
    if (x->rank == CG_MAX_RANK)
        return cg_infer_fail(inf, 0, -1, "the result would have %d axes", x->rank + 1);
    for (int i = 0; i < x->rank; i++)
        dim[i + (i > axis)] = x->dim[i];
    dim[axis] = windows_count(inf, axis, x->dim[axis], w);
    dim[axis + 1] = cg_dim_int(w.size);
    if (!dim[axis])
        return false;
    inf->out[0] = cg_type(x->dtype, x->rank + 1, dim);
    return true;
}

static bool unfold_view(const CgCall *call, CgTensor *out)
{
    const CgTensor *x = &call->in[0];
    Windows w = windows_of(call->attrs);
    int axis = cg_axis(call->attrs, "axis", x->rank);
    out->data = x->data;
    for (int i = 0; i < x->rank; i++)
        out->stride[i + (i > axis)] = x->stride[i];
    out->stride[axis] = x->stride[axis] * w.stride;
    out->stride[axis + 1] = x->stride[axis] * w.dilation;
    return true;
}

static CgAxisRule unfold_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int along = cg_axis(inf->attrs, "axis", inf->in[operand].rank);
    to->axis = axis + (axis > along);
    return axis == along ? CG_AXIS_UNKNOWN : CG_AXIS_POINTWISE;
}

static void unfold_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    Windows w = windows_of(site->attrs);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    CgAttr at[4] = { cg_a_int("axis", axis), cg_a_int("stride", w.stride), cg_a_int("dilation", w.dilation),
        cg_a_dims("length", 1, &t.dim[axis]) };
    gin[0] = cg_build(b, "fold", 1, &site->gout[0], cg_attrs(4, at));
}

/* ---- fold: (..pre, windows, size, ..post) to (..pre, length, ..post) ---- */

static bool fold_shape(CgInfer *inf)
{
    const CgType *y = &inf->in[0];
    const CgDim *length = cg_attr_dim(inf->attrs, "length"), *dim[CG_MAX_RANK];
    Windows w = windows_of(inf->attrs);
    int axis;
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK) || !cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    if (axis + 1 == y->rank)
        return cg_infer_fail(inf, -1, -1, "behind the axis of windows stands that of their elements");
    if (!length)
        return cg_infer_fail(inf, -1, -1, "fold needs length, a size");
    if (!cg_dim_is_int(y->dim[axis + 1], &w.size))
        return cg_infer_fail(inf, 0, axis + 1, "the size of a window is a number");
    w = windows_made(w.size, w.stride, w.dilation);
    if (!windows_fit(inf, w))
        return false;
    const CgDim *count = windows_count(inf, axis, length, w);
    if (!count)
        return false;
    if (count != y->dim[axis])
        return cg_infer_unequal(inf, 0, count, y->dim[axis], "windows of this length and those there are");
    for (int i = 0; i < y->rank - 1; i++)
        dim[i] = i == axis ? length : y->dim[i + (i > axis)];
    inf->out[0] = cg_type(y->dtype, y->rank - 1, dim);
    return true;
}

/* y as (pre, windows, size, post). */
typedef struct Folded {
    int64_t pre, windows, size, post, length;
} Folded;

static Folded folded(const CgCall *call)
{
    const CgTensor *y = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", y->rank);
    Folded f = { 1, y->dim[axis], y->dim[axis + 1], 1, call->out->dim[axis] };
    for (int i = 0; i < axis; i++)
        f.pre *= y->dim[i];
    for (int i = axis + 2; i < y->rank; i++)
        f.post *= y->dim[i];
    return f;
}

/* An element is the sum over the windows that it stands in, added in the order of these. */
#define FOLD(T, name)                                                                      \
    static void name(const CgCall *call, CgShard shard)                                    \
    {                                                                                      \
        Folded f = folded(call);                                                           \
        Windows w = windows_of(call->attrs);                                               \
        size_t first, last;                                                                \
        cg_shard_range(shard, (size_t)f.pre, 1, &first, &last);                            \
        for (int64_t p = (int64_t)first; p < (int64_t)last; p++) {                         \
            const T *from = (const T *)call->in[0].data + p * f.windows * f.size * f.post; \
            T *to = (T *)call->out->data + p * f.length * f.post;                          \
            for (int64_t i = 0; i < f.length * f.post; i++)                                \
                to[i] = 0;                                                                 \
            for (int64_t i = 0; i < f.windows; i++)                                        \
                for (int64_t j = 0; j < f.size; j++) {                                     \
                    const T *x = from + (i * f.size + j) * f.post;                         \
                    T *y = to + (i * w.stride + j * w.dilation) * f.post;                  \
                    CG_SIMD                                                                \
                    for (int64_t k = 0; k < f.post; k++)                                   \
                        y[k] += x[k];                                                      \
                }                                                                          \
        }                                                                                  \
    }
FOLD(float, fold_f32)
FOLD(double, fold_f64)

static void fold_work(const CgCall *call, CgWork *work)
{
    const CgTensor *y = &call->in[0];
    size_t n = (size_t)cg_tensor_count(y), shards = (n + CG_SHARD - 1) / CG_SHARD, pre = (size_t)folded(call).pre;
    *work = (CgWork){ .flops = (double)n,
        .bytes = 2.0 * (double)n * (double)cg_dtype_size(y->dtype),
        .shards = shards < pre ? shards : pre };
    if (!work->shards)
        work->shards = 1;
}

static CgAxisRule fold_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int along = cg_axis(inf->attrs, "axis", inf->in[operand].rank);
    to->axis = axis - (axis > along);
    return axis == along || axis == along + 1 ? CG_AXIS_UNKNOWN : CG_AXIS_POINTWISE;
}

static void fold_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    Windows w = windows_of(site->attrs);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    cg_dim_is_int(t.dim[axis + 1], &w.size);
    CgAttr at[4] = { cg_a_int("axis", axis), cg_a_int("size", w.size), cg_a_int("stride", w.stride),
        cg_a_int("dilation", w.dilation) };
    gin[0] = cg_build(b, "unfold", 1, &site->gout[0], cg_attrs(4, at));
}

/* ---- the ops ---- */

static const CgSample unfold_samples[] = {
    { .in = "F[3,11]", .attrs = "axis=1, size=3", .low = -2.385, .high = 2.385 },
    { .in = "F[2,13,5]", .attrs = "axis=-2, size=3, stride=2, dilation=3", .low = -2.385, .high = 2.385 },
    { .in = "i32[7]", .attrs = "axis=0, size=7", .low = -23, .high = 23 },
    { .in = NULL },
};
static const CgSample fold_samples[] = {
    { .in = "F[3,9,3]", .attrs = "axis=1, length=[11]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,4,3,5]", .attrs = "axis=1, stride=2, dilation=3, length=[14]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_unfold = {
    CG_OP_HERE,
    .name = "unfold",
    .sig = "(x: T[..s], axis: axis = -1, size: int, stride: int = 1, dilation: int = 1) -> T[..r]",
    .doc = "Sliding windows along an axis, which becomes two: the windows and the elements of a window. Window i has\n"
           "elements i*stride, i*stride + dilation, ..; there are (L - (size-1)*dilation - 1) / stride + 1 of them,\n"
           "rounded down, which must be known: with a stride above 1 the axis has a number. A view, no copy; its\n"
           "derivative is `fold`. Elements behind the last window are not looked at.\n",
    .shape = unfold_shape,
    .vjp = unfold_vjp,
    .view = unfold_view,
    .axis_rule = unfold_axis_rule,
    .traits = CG_LINEAR,
    .samples = unfold_samples,
};

static const CgOp op_fold = {
    CG_OP_HERE,
    .name = "fold",
    .sig = "(y: F[..s], axis: axis, length: dim, stride: int = 1, dilation: int = 1) -> F[..r]",
    .doc = "Windows added up where `unfold` took them from: axis `axis` of windows and the one behind it become one\n"
           "of `length` elements, each the sum of all that stand for it, 0 where none does.\n",
    .shape = fold_shape,
    .vjp = fold_vjp,
    .kernel = { [CG_F32] = fold_f32, [CG_F64] = fold_f64 },
    .work = fold_work,
    .axis_rule = fold_axis_rule,
    .traits = CG_LINEAR,
    .samples = fold_samples,
};

CG_OPS(unfold, &op_unfold, &op_fold)
