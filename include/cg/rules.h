/* rules.h - what shape rules, folds and kernels of ops have in common.
 * Takes attributes, types and refs; gives axes, bound sizes, checked operands and folded constants. */
#ifndef CG_RULES_H
#define CG_RULES_H

#include <math.h>
#include <string.h>

#include <cg/build.h>
#include <cg/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- attributes ---- */

/* Axis attribute `name` of something with `rank` axes, counted from the front; the shape rule has checked its range. */
static inline int cg_axis(const CgAttrs *attrs, const char *name, int rank)
{
    int64_t axis = cg_attr_int(attrs, name, -1);
    return (int)(axis < 0 ? axis + rank : axis);
}

/* A size given as one dim or as a plain integer; NULL if absent. */
static inline const CgDim *cg_attr_dim(const CgAttrs *attrs, const char *name)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    if (!a)
        return NULL;
    return a->kind == CG_ATTR_INT ? cg_dim_int(a->i) : a->kind == CG_ATTR_DIMS && a->n == 1 ? a->dims[0] : NULL;
}

/* The same when a kernel runs. */
static inline int64_t cg_attr_size(const CgAttrs *attrs, const char *name, int64_t otherwise)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    if (!a)
        return otherwise;
    return a->kind == CG_ATTR_INT ? a->i : a->kind == CG_ATTR_DIMS && a->n == 1 ? a->ints[0] : otherwise;
}

/* ---- what indices are below ---- */

static inline const CgDim *cg_below_larger(const CgDim *a, const CgDim *b)
{
    int64_t x, y;
    if (a == b || !a || !b)
        return a == b ? a : NULL;
    return cg_dim_is_int(a, &x) && cg_dim_is_int(b, &y) ? (x > y ? a : b) : NULL;
}

/* Every element of the result is one of some operand. */
static inline const CgDim *cg_below_operands(const CgInfer *inf, const CgDim *const *in)
{
    const CgDim *most = NULL;
    bool first = true;
    for (int i = 0; i < inf->nin; i++)
        if (inf->in[i].dtype != CG_BOOL) {
            most = first ? in[i] : cg_below_larger(most, in[i]);
            first = false;
        }
    return most;
}

/* Every element of the result is one of the first operand. */
static inline const CgDim *cg_below_first(const CgInfer *inf, const CgDim *const *in)
{
    return inf->nin ? in[0] : NULL;
}

/* ---- operands of a shape rule ---- */

static inline bool cg_want_float(CgInfer *inf, int operand)
{
    CgDtype d = inf->in[operand].dtype;
    return cg_dtype_is_float(d)
        || cg_infer_fail(
            inf, operand, -1, "%s takes f32 or f64, operand %d is %s", inf->op->name, operand, cg_dtype_name(d));
}

static inline bool cg_want_integer(CgInfer *inf, int operand)
{
    CgDtype d = inf->in[operand].dtype;
    return d == CG_I32 || d == CG_I64
        || cg_infer_fail(
            inf, operand, -1, "%s takes i32 or i64 here, operand %d is %s", inf->op->name, operand, cg_dtype_name(d));
}

static inline bool cg_want_bool(CgInfer *inf, int operand)
{
    CgDtype d = inf->in[operand].dtype;
    return d == CG_BOOL
        || cg_infer_fail(
            inf, operand, -1, "%s takes bool here, operand %d is %s", inf->op->name, operand, cg_dtype_name(d));
}

static inline bool cg_want_number(CgInfer *inf, int operand)
{
    CgDtype d = inf->in[operand].dtype;
    return (d != CG_BOOL && !cg_dtype_is_narrow(d))
        || cg_infer_fail(
            inf, operand, -1, "%s takes numbers, operand %d is %s", inf->op->name, operand, cg_dtype_name(d));
}

static inline bool cg_want_rank(CgInfer *inf, int operand, int low, int high)
{
    int rank = inf->in[operand].rank;
    if (rank >= low && rank <= high)
        return true;
    if (low == high)
        return cg_infer_fail(
            inf, operand, -1, "%s: operand %d has %d axes, must have %d", inf->op->name, operand, rank, low);
    return cg_infer_fail(
        inf, operand, -1, "%s: operand %d has %d axes, must have %d to %d", inf->op->name, operand, rank, low, high);
}

static inline bool cg_want_dtype(CgInfer *inf, int operand, int like)
{
    CgDtype a = inf->in[operand].dtype, b = inf->in[like].dtype;
    return a == b
        || cg_infer_fail(inf, operand, -1, "%s: operand %d is %s and operand %d is %s", inf->op->name, operand,
            cg_dtype_name(a), like, cg_dtype_name(b));
}

/* Operand `a` has the axes of operand `b` from `from` up to `to`. */
static inline bool cg_want_axes(CgInfer *inf, int a, int b, int from, int to)
{
    for (int i = from; i < to; i++)
        if (inf->in[a].dim[i] != inf->in[b].dim[i])
            return cg_infer_differ(inf, a, i, b, i, "sizes");
    return true;
}

/* Operand `a` has the type of operand `b`. */
static inline bool cg_want_same(CgInfer *inf, int a, int b)
{
    return cg_want_dtype(inf, a, b) && cg_want_rank(inf, a, inf->in[b].rank, inf->in[b].rank)
        && cg_want_axes(inf, a, b, 0, inf->in[b].rank);
}

/* ---- types ---- */

static inline CgType cg_type_without(CgType t, int axis)
{
    for (int i = axis; i + 1 < t.rank; i++)
        t.dim[i] = t.dim[i + 1];
    t.dim[--t.rank] = NULL;
    return t;
}

static inline CgType cg_type_as(CgType t, CgDtype dtype)
{
    t.dtype = dtype;
    return t;
}

/* ---- along ---- */

static inline CgAxisRule cg_axis_rule_same(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)inf;
    (void)operand;
    to->axis = axis;
    return CG_AXIS_POINTWISE;
}

/* For ops that mix along the attribute `axis` and keep all axes. */
static inline CgAxisRule cg_axis_rule_axis(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    return axis == cg_axis(inf->attrs, "axis", inf->in[operand].rank) ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

/* `attrs` with attribute a.name replaced or added. */
static inline const CgAttrs *cg_attrs_with(const CgAttrs *attrs, CgAttr a)
{
    CgAttr at[16];
    int n = 0;
    for (int i = 0; attrs && i < attrs->n && n < 15; i++)
        if (strcmp(attrs->at[i].name, a.name))
            at[n++] = attrs->at[i];
    at[n++] = a;
    return cg_attrs(n, at);
}

/* `attrs` with entry i of the list of sizes `name` replaced. */
static inline const CgAttrs *cg_attrs_with_dim(const CgAttrs *attrs, const char *name, int i, const CgDim *dim)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    const CgDim *dims[CG_MAX_RANK];
    for (int k = 0; k < a->n; k++)
        dims[k] = k == i ? dim : a->kind == CG_ATTR_DIMS ? a->dims[k] : cg_dim_int(a->ints[k]);
    return cg_attrs_with(attrs, cg_a_dims(name, a->n, dims));
}

/* For ops whose list of sizes `dims` is the shape of the result. */
static inline bool cg_slice_rule_dims(const CgInfer *inf, CgSlice *slice)
{
    slice->attrs = cg_attrs_with_dim(inf->attrs, "dims", slice->axis, cg_dim_sub(slice->to, slice->from));
    return true;
}

/* ---- building ---- */

/* x, which lacks `axis` of `like`, repeated along it. */
static inline CgRef cg_repeat(CgBuild *b, CgRef x, CgType like, int axis)
{
    int64_t axes[CG_MAX_RANK];
    for (int i = 0, k = 0; i < like.rank; i++)
        axes[i] = i == axis ? -1 : k++;
    return cg_broadcast(b, x, like.rank, like.dim, axes);
}

/* A vector along the last axis of `like`, repeated over all others. */
static inline CgRef cg_repeat_rows(CgBuild *b, CgRef x, CgType like)
{
    int64_t axes[CG_MAX_RANK];
    for (int i = 0; i < like.rank; i++)
        axes[i] = i == like.rank - 1 ? 0 : -1;
    return cg_broadcast(b, x, like.rank, like.dim, axes);
}

/* Sum over all axes but the last. */
static inline CgRef cg_sum_rows(CgBuild *b, CgRef x)
{
    int64_t axes[CG_MAX_RANK];
    int n = cg_ref_type(b, x).rank - 1;
    for (int i = 0; i < n; i++)
        axes[i] = i;
    return cg_sum(b, x, n, axes);
}

/* x / n with n the number of elements along `axis`, also when that is a symbol. */
static inline CgRef cg_size_of(CgBuild *b, CgRef x, int axis)
{
    CgType t = cg_ref_type(b, x);
    CgType one = cg_type(t.dtype, 1, &t.dim[axis]);
    int64_t over = 0, n;
    if (cg_dim_is_int(t.dim[axis], &n))
        return cg_fill(b, cg_type(t.dtype, 0, NULL), (double)n);
    return cg_sum(b, cg_fill(b, one, 1.0), 1, &over);
}

/* The size d as a scalar of an integer type, also when it is a symbol. */
static inline CgRef cg_size_number(CgBuild *b, const CgDim *d, CgDtype dtype)
{
    CgType line = cg_type(dtype, 1, &d);
    int64_t n, over = 0;
    if (cg_dim_is_int(d, &n))
        return cg_fill(b, cg_type(dtype, 0, NULL), (double)n);
    return cg_sum(b, cg_fill(b, line, 1), 1, &over);
}

/* Element of a scalar operand that counts: i32 or i64. */
static inline int64_t cg_scalar(const CgTensor *t)
{
    return t->dtype == CG_I64 ? *(const int64_t *)t->data : *(const int32_t *)t->data;
}

static inline CgRef cg_mean_keep(CgBuild *b, CgRef x, int axis)
{
    return cg_div(b, cg_sum_keep(b, x, axis), cg_broadcast_scalar(b, cg_size_of(b, x, axis), cg_ref_type(b, x)));
}

/* A constant as elements of `type` would hold it. */
static inline CgRef cg_fold_to(CgBuild *b, CgType type, double value)
{
    if (type.dtype == CG_F32)
        value = (double)(float)value;
    else if (!cg_dtype_is_float(type.dtype)) {
        /* Past 2^53 a double no longer holds every integer: leave such sums to the kernels. */
        if (!(fabs(value) < 9007199254740992.0))
            return CG_NONE;
        if (type.dtype == CG_I32)
            value = (double)(int32_t)(uint32_t)(int64_t)value;
    }
    return cg_fill(b, type, value);
}

#ifdef __cplusplus
}
#endif
#endif
