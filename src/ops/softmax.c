/* softmax.c - softmax along an axis and its derivative.
 * Takes a float tensor; gives one of the same shape. Each lane is read once and rewritten while in cache. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#define COLUMNS 256 /* lanes taken together when they are not contiguous */

static bool softmax_shape(CgInfer *inf)
{
    int axis;
    return cg_want_float(inf, 0) && cg_infer_axis(inf, "axis", 0, &axis) && cg_shape_same(inf);
}

/* The tensor as (pre, mid, post), mid being the axis. */
typedef struct Lanes {
    int64_t pre, mid, post, units;
} Lanes;

static Lanes lanes_of(const CgCall *call)
{
    const CgTensor *x = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    Lanes l = { 1, x->dim[axis], 1, 0 };
    for (int i = 0; i < axis; i++)
        l.pre *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        l.post *= x->dim[i];
    l.units = l.post == 1 ? l.pre : l.pre * (cg_ceil_div(l.post, COLUMNS));
    return l;
}

static void softmax_work(const CgCall *call, CgWork *work)
{
    Lanes l = lanes_of(call);
    size_t n = (size_t)cg_tensor_count(call->out), shards = (n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = 8.0 * (double)n,
        .bytes = (double)(call->nin + 1) * (double)n * (double)cg_dtype_size(call->out->dtype) };
    work->shards = shards < (size_t)l.units ? shards : (size_t)l.units;
    if (!work->shards)
        work->shards = 1;
}

/* exp(x - max) / sum; in contiguous rows, and in blocks of columns. A row of -inf alone has no softmax: NaN. */
#define T          float
#define NAME(word) word##_f32
#define EX         cg_exp_low_f32
#include "ops/softmax_rows.h"
#define T          double
#define NAME(word) word##_f64
#define EX         exp
#include "ops/softmax_rows.h"

/* dx = y (g - sum(g y)) */
#define T          float
#define NAME(word) word##_f32
#include "ops/softmax_grad_rows.h"
#define T          double
#define NAME(word) word##_f64
#include "ops/softmax_grad_rows.h"

static void softmax_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = cg_build(b, "softmax_vjp", 2, (CgRef[2]){ site->out[0], site->gout[0] }, site->attrs);
}

static void softmax_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    int64_t over = axis;
    CgAttr axes = cg_a_ints("axes", 1, &over);
    CgRef m = cg_u(b, "stop_gradient", cg_build(b, "max", 1, &x, cg_attrs(1, &axes)));
    CgRef e = cg_exp(b, cg_sub(b, x, cg_repeat(b, m, t, axis)));
    out[0] = cg_div(b, e, cg_sum_keep(b, e, axis));
}

static void softmax_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef y = site->in[0], g = site->in[1];
    int axis = cg_axis(site->attrs, "axis", cg_ref_type(b, y).rank);
    out[0] = cg_mul(b, y, cg_sub(b, g, cg_sum_keep(b, cg_mul(b, g, y), axis)));
}

static const CgSample softmax_samples[] = {
    { .in = "F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5,7]", .attrs = "axis=-2", .low = -2.385, .high = 2.385 },
    { .in = "F[2,37]", .attrs = "axis=-1", .low = -7.1, .high = 23.85 },
    { .in = "F[131,307]", .attrs = "axis=-1", .low = -7.1, .high = 23.85 },
    { .in = "F[3,37,601]", .attrs = "axis=1", .low = -7.1, .high = 23.85 },
    { .in = NULL },
};
static const CgSample softmax_vjp_samples[] = {
    { .in = "F[3,7] F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5,7] F[3,5,7]", .attrs = "axis=0", .low = -2.385, .high = 2.385 },
    { .in = "F[3,37,601] F[3,37,601]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_softmax = {
    CG_OP_HERE,
    .name = "softmax",
    .sig = "(x: F[..s], axis: axis = -1) -> F[..s]",
    .doc = "exp(x) / sum(exp(x)) along an axis, without overflow. NaN where a whole lane is -inf.\n",
    .shape = softmax_shape,
    .vjp = softmax_vjp,
    .expand = softmax_expand,
    .kernel = CG_FLOAT_KERNELS(softmax),
    .work = softmax_work,
    .axis_rule = cg_axis_rule_axis,
    .inplace = 1,
    .samples = softmax_samples,
};

static const CgOp op_softmax_vjp = {
    CG_OP_HERE,
    .name = "softmax_vjp",
    .sig = "(y: F[..s], g: F[..s], axis: axis = -1) -> F[..s]",
    .doc = "Derivative of softmax from its result: y * (g - sum(g * y)).\n",
    .shape = softmax_shape,
    .expand = softmax_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(softmax_vjp),
    .work = softmax_work,
    .axis_rule = cg_axis_rule_axis,
    .inplace = 3,
    .samples = softmax_vjp_samples,
};

CG_OPS(softmax, &op_softmax, &op_softmax_vjp)
