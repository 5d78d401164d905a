/* axis.c - what is computed lane by lane along one axis: the place of the greatest or least, of all or so far, log of
 * summed exponentials, running sums. Takes a tensor and an axis; gives one without the axis, or of the same shape. A
 * lane is one shard's from end to end, so that no sum depends on how the work is cut. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#define LANES     32
#define STRETCH   256          /* elements looked through before a place is looked for */
#define IS_NAN(x) ((x) != (x)) /* false for integers */

/* ---- lanes ---- */

/* The tensor as (pre, mid, post), mid being the axis. */
typedef struct Lanes {
    int64_t pre, mid, post;
} Lanes;

static Lanes lanes_of(const CgTensor *x, int axis)
{
    Lanes l = { 1, x->dim[axis], 1 };
    for (int i = 0; i < axis; i++)
        l.pre *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        l.post *= x->dim[i];
    return l;
}

/* The lanes along the axis, cut among the shards. */
static void lanes_work(const CgCall *call, CgWork *work)
{
    const CgTensor *x = &call->in[0];
    size_t n = (size_t)cg_tensor_count(x);
    Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));
    size_t count = (size_t)(l.pre * l.post), shards = (n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = (double)n,
        .bytes = (double)n * (double)cg_dtype_size(x->dtype),
        .shards = shards < count ? shards : count };
    if (!work->shards)
        work->shards = 1;
}

/* ---- argmax ---- */

static bool argmax_shape(CgInfer *inf)
{
    int axis;
    if (!cg_want_number(inf, 0) || !cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    inf->out[0] = cg_type_as(cg_type_without(inf->in[0], axis), CG_I32);
    return true;
}

/* A lane that lies in order is looked through by stretches, and a place is looked for only in one that has something
 * greater than all before. NaN is never greater, and nothing is greater than it. */
#define T           float
#define NAME(word)  word##max_f32
#define BEATS(a, b) ((a) > (b))
#include "ops/argmax_rows.h"
#define T           double
#define NAME(word)  word##max_f64
#define BEATS(a, b) ((a) > (b))
#include "ops/argmax_rows.h"
#define T           int32_t
#define NAME(word)  word##max_i32
#define BEATS(a, b) ((a) > (b))
#include "ops/argmax_rows.h"
#define T           int64_t
#define NAME(word)  word##max_i64
#define BEATS(a, b) ((a) > (b))
#include "ops/argmax_rows.h"
#define T           float
#define NAME(word)  word##min_f32
#define BEATS(a, b) ((a) < (b))
#include "ops/argmax_rows.h"
#define T           double
#define NAME(word)  word##min_f64
#define BEATS(a, b) ((a) < (b))
#include "ops/argmax_rows.h"
#define T           int32_t
#define NAME(word)  word##min_i32
#define BEATS(a, b) ((a) < (b))
#include "ops/argmax_rows.h"
#define T           int64_t
#define NAME(word)  word##min_i64
#define BEATS(a, b) ((a) < (b))
#include "ops/argmax_rows.h"

static bool arg_so_far_shape(CgInfer *inf)
{
    int axis;
    if (!cg_want_number(inf, 0) || !cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    inf->out[0] = cg_type_as(inf->in[0], CG_I32);
    return true;
}

static CgAxisRule drop_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int gone = cg_axis(inf->attrs, "axis", inf->in[operand].rank);
    to->axis = axis > gone ? axis - 1 : axis;
    return axis == gone ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

/* ---- logsumexp ---- */

static bool logsumexp_shape(CgInfer *inf)
{
    int axis;
    if (!cg_want_float(inf, 0) || !cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    inf->out[0] = cg_type_without(inf->in[0], axis);
    return true;
}

/* m + log sum exp(x - m) with m the maximum; a lane of -inf gives -inf, one with inf gives inf, with NaN NaN. */
#define LOGSUMEXP(T, name, ex, lg)                                                         \
    static void name(const CgCall *call, CgShard shard)                                    \
    {                                                                                      \
        const CgTensor *x = &call->in[0];                                                  \
        Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));                      \
        T *to = call->out->data;                                                           \
        size_t first, last;                                                                \
        cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last);                 \
        for (int64_t i = (int64_t)first; i < (int64_t)last; i++) {                         \
            const T *from = (const T *)x->data + i / l.post * l.mid * l.post + i % l.post; \
            int64_t step = l.post;                                                         \
            T m = -INFINITY, s = 0;                                                        \
            CG_PRAGMA_(omp simd reduction(max : m))                                        \
            for (int64_t k = 0; k < l.mid; k++)                                            \
                m = from[k * step] > m ? from[k * step] : m;                               \
            T base = m > -INFINITY && m < INFINITY ? m : 0;                                \
            CG_PRAGMA_(omp simd reduction(+ : s))                                          \
            for (int64_t k = 0; k < l.mid; k++)                                            \
                s += ex(from[k * step] - base);                                            \
            to[i] = base + lg(s);                                                          \
            if (!(m < INFINITY)) {                                                         \
                to[i] = m;                                                                 \
                for (int64_t k = 0; k < l.mid; k++)                                        \
                    to[i] = from[k * step] != from[k * step] ? from[k * step] : to[i];     \
            }                                                                              \
        }                                                                                  \
    }
LOGSUMEXP(float, logsumexp_f32, cg_exp_low_f32, cg_log_f32)
LOGSUMEXP(double, logsumexp_f64, exp, log)

static CgRef softmax_of(CgBuild *b, CgRef x, int axis)
{
    CgAttr a = cg_a_int("axis", axis);
    return cg_build(b, "softmax", 1, &x, cg_attrs(1, &a));
}

/* d/dx log sum exp x = softmax x */
static void logsumexp_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    gin[0] = cg_mul(b, cg_repeat(b, site->gout[0], t, axis), softmax_of(b, site->in[0], axis));
}

static void logsumexp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgType t = cg_ref_type(b, site->in[0]);
    int64_t axis = cg_axis(site->attrs, "axis", t.rank);
    CgAttr axes = cg_a_ints("axes", 1, &axis);
    CgRef m = cg_u(b, "stop_gradient", cg_build(b, "max", 1, &site->in[0], cg_attrs(1, &axes)));
    CgRef e = cg_exp(b, cg_sub(b, site->in[0], cg_repeat(b, m, t, (int)axis)));
    out[0] = cg_add(b, m, cg_log(b, cg_sum(b, e, 1, &axis)));
}

/* ---- cumsum ---- */

static bool cumsum_shape(CgInfer *inf)
{
    int axis;
    inf->out[0] = inf->in[0];
    return cg_want_number(inf, 0) && cg_infer_axis(inf, "axis", 0, &axis);
}

#define CUMSUM(T, U, name)                                                 \
    static void name(const CgCall *call, CgShard shard)                    \
    {                                                                      \
        const CgTensor *x = &call->in[0];                                  \
        Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));      \
        bool reverse = cg_attr_int(call->attrs, "reverse", 0);             \
        size_t first, last;                                                \
        cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last); \
        for (int64_t i = (int64_t)first; i < (int64_t)last; i++) {         \
            int64_t base = i / l.post * l.mid * l.post + i % l.post;       \
            const T *from = (const T *)x->data + base;                     \
            T *to = (T *)call->out->data + base;                           \
            U s = 0;                                                       \
            for (int64_t k = 0; k < l.mid; k++) {                          \
                int64_t at = (reverse ? l.mid - 1 - k : k) * l.post;       \
                s += (U)from[at];                                          \
                to[at] = (T)s;                                             \
            }                                                              \
        }                                                                  \
    }
CUMSUM(float, double, cumsum_f32)
CUMSUM(double, double, cumsum_f64)
CUMSUM(int32_t, uint32_t, cumsum_i32)
CUMSUM(int64_t, uint64_t, cumsum_i64)

/* Element j adds to all results i >= j: the running sum from the other end. */
static void cumsum_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgAttr at[2] = { cg_a_int("axis", cg_attr_int(site->attrs, "axis", -1)),
        cg_a_int("reverse", !cg_attr_int(site->attrs, "reverse", 0)) };
    gin[0] = cg_build(b, "cumsum", 1, &site->gout[0], cg_attrs(2, at));
}

static CgAxisRule cumsum_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    if (axis != cg_axis(inf->attrs, "axis", inf->in[operand].rank))
        return CG_AXIS_POINTWISE;
    return cg_attr_int(inf->attrs, "reverse", 0) ? CG_AXIS_WHOLE : CG_AXIS_CAUSAL;
}

/* ---- the ops ---- */

static const CgSample axis_samples[] = {
    { .in = "F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,5,7]", .attrs = "axis=-2", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[2,131]", .attrs = "axis=-1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "F[2,619]", .attrs = "axis=-1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = NULL },
};
static const CgSample cumsum_samples[] = {
    { .in = "F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5,7]", .attrs = "axis=1, reverse=1", .low = -2.385, .high = 2.385 },
    { .in = "i32[11]", .attrs = "axis=0", .low = -23, .high = 23 },
    { .in = NULL },
};

static const CgDim *argmax_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)in;
    return inf->in[0].dim[cg_axis(inf->attrs, "axis", inf->in[0].rank)];
}

static const CgSample last_samples[] = {
    { .in = "F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,5,7]", .attrs = "axis=-2", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[2,131]", .attrs = "axis=-1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "F[2,619]", .attrs = "axis=-1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "i32[5,7]", .attrs = "axis=1, last=1", .low = -2, .high = 2 },
    { .in = "i64[3,619]", .attrs = "axis=1, last=1", .low = -2, .high = 2 },
    { .in = NULL },
};

#define ARG_OP(op, text)                                                                                           \
    static const CgOp op_##op = { CG_OP_HERE, .name = #op,                                                         \
        .sig = "(x: T[..s], axis: axis = -1, last: bool = false) -> i32[..r]", .doc = text, .below = argmax_below, \
        .shape = argmax_shape, .kernel = CG_NUMBER_KERNELS(op), .work = lanes_work, .axis_rule = drop_axis_rule,   \
        .traits = CG_NODIFF, .samples = last_samples };
#define ARG_SO_FAR_OP(op, text)                                                                               \
    static const CgOp op_##op = { CG_OP_HERE, .name = #op, .sig = "(x: T[..s], axis: axis = -1) -> i32[..s]", \
        .doc = text, .below = argmax_below, .shape = arg_so_far_shape, .kernel = CG_NUMBER_KERNELS(op),       \
        .work = lanes_work, .axis_rule = cg_axis_rule_axis, .traits = CG_NODIFF, .samples = axis_samples };

ARG_OP(argmax,
    "Index of the greatest element along an axis: the first of several, or the last where `last` says so. NaN is "
    "never\n"
    "greater.\n")
ARG_OP(argmin,
    "Index of the least element along an axis: the first of several, or the last where `last` says so. NaN is never\n"
    "less.\n")
ARG_SO_FAR_OP(cumargmax,
    "Index of the greatest element so far along an axis, the last of several, and of a NaN from there on. `cummax` of\n"
    "std.tensor takes the elements, with their derivative.\n")
ARG_SO_FAR_OP(cumargmin,
    "Index of the least element so far along an axis, the last of several, and of a NaN from there on. `cummin` of\n"
    "std.tensor takes the elements, with their derivative.\n")

static const CgOp op_logsumexp = {
    CG_OP_HERE,
    .name = "logsumexp",
    .sig = "(x: F[..s], axis: axis = -1) -> F[..r]",
    .doc =
        "log(sum(exp(x))) along an axis, without overflow: the maximum is taken out first. inf where an x is inf; the\n"
        "derivative, softmax, is NaN there, as elsewhere.\n",
    .shape = logsumexp_shape,
    .vjp = logsumexp_vjp,
    .expand = logsumexp_expand,
    .kernel = CG_FLOAT_KERNELS(logsumexp),
    .work = lanes_work,
    .axis_rule = drop_axis_rule,
    .samples = axis_samples,
};

static const CgOp op_cumsum = {
    CG_OP_HERE,
    .name = "cumsum",
    .sig = "(x: T[..s], axis: axis = -1, reverse: bool = false) -> T[..s]",
    .doc = "Running sum along an axis: y[i] = x[0] + .. + x[i], or x[i] + .. + x[n-1] when reverse.\n",
    .shape = cumsum_shape,
    .vjp = cumsum_vjp,
    .kernel = CG_NUMBER_KERNELS(cumsum),
    .work = lanes_work,
    .axis_rule = cumsum_axis_rule,
    .traits = CG_LINEAR,
    .inplace = 1,
    .samples = cumsum_samples,
};

CG_OPS(axis, &op_argmax, &op_argmin, &op_cumargmax, &op_cumargmin, &op_logsumexp, &op_cumsum)
