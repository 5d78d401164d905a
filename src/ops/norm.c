/* norm.c - normalisation of rows: root mean square and layer norm, with their derivatives.
 * Takes rows along the last axis and a gain (and bias) per column; gives rows of the same shape. Derivatives by gain
 * and bias are summed over rows in chunks that follow from the sizes, joined in order at the end. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#include "ops/bf16_rows.h"

#define CHUNKS 32 /* at most so many partial sums of gain and bias */

/* ---- shapes and work ---- */

/* Operand `i` is a vector as long as the last axis of operand 0. */
static bool want_columns(CgInfer *inf, int i)
{
    int r = inf->in[0].rank;
    return cg_want_dtype(inf, i, 0) && cg_want_rank(inf, i, 1, 1)
        && (inf->in[i].dim[0] == inf->in[0].dim[r - 1] || cg_infer_differ(inf, 0, r - 1, i, 0, "sizes"));
}

static bool want_eps(CgInfer *inf)
{
    double eps = cg_attr_float(inf->attrs, "eps", 1e-5);
    return (eps >= 0 && eps < INFINITY)
        || cg_infer_fail(inf, -1, -1, "%s: eps must not be negative, found %g", inf->op->name, eps);
}

/* (x, gain [, bias]) */
static bool norm_shape(CgInfer *inf)
{
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 1, CG_MAX_RANK) || !want_eps(inf))
        return false;
    for (int i = 1; i < inf->nin; i++)
        if (!want_columns(inf, i))
            return false;
    inf->out[0] = inf->in[0];
    return true;
}

/* (x, gain, g) -> dx, dgain [, dbias] */
static bool norm_vjp_shape(CgInfer *inf)
{
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 1, CG_MAX_RANK) || !want_eps(inf) || !want_columns(inf, 1)
        || !cg_want_same(inf, 2, 0))
        return false;
    inf->out[0] = inf->in[0];
    for (int k = 1; k < inf->op->nout; k++)
        inf->out[k] = inf->in[1];
    return true;
}

static int64_t columns(const CgCall *call) { return call->in[0].dim[call->in[0].rank - 1]; }
static int64_t rows(const CgCall *call)
{
    int64_t d = columns(call);
    return d ? cg_tensor_count(&call->in[0]) / d : 0;
}

static void norm_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->in), shards = (n + CG_SHARD - 1) / CG_SHARD, r = (size_t)rows(call);
    *work = (CgWork){ .flops = 6.0 * (double)n,
        .bytes = (double)n * (double)(cg_dtype_size(call->in->dtype) + cg_dtype_size(call->out->dtype)) };
    work->shards = shards < r ? shards : r;
    if (!work->shards)
        work->shards = 1;
    work->scratch = bf16_rows_scratch(call->out, columns(call));
}

/* The rows of a shard, from row `first` on. */
static Bf16Rows bf16_rows_of(const CgCall *call, CgShard shard, size_t first)
{
    int64_t step = cg_row_step(call->out);
    return bf16_rows_from(call->out, (int64_t)first * step, columns(call), step, shard.scratch);
}

static void norm_vjp_work(const CgCall *call, CgWork *work)
{
    size_t size = cg_dtype_size(call->out->dtype);
    norm_work(call, work);
    work->flops *= 2;
    work->bytes *= 1.5;
    if (work->shards > CHUNKS)
        work->shards = CHUNKS;
    size_t wide = columns(call) ? (size_t)columns(call) : 1; /* there is memory for rows without columns, too */
    work->shared = work->shards * (size_t)(call->nout - 1) * wide * size;
}

/* ---- kernels ---- */

#define SUM  CG_PRAGMA_(omp simd reduction(+ : s))
#define SUM2 CG_PRAGMA_(omp simd reduction(+ : s, u))

#define T          float
#define NAME(word) word##_f32
#define SQRT       sqrtf
#include "ops/norm_rows.h"
#define T          double
#define NAME(word) word##_f64
#define SQRT       sqrt
#include "ops/norm_rows.h"

static void norm_finish(const CgCall *call, CgShard shard)
{
    CgWork work;
    (void)shard;
    norm_vjp_work(call, &work);
    if (call->out->dtype == CG_F32)
        join_f32(call, work.shards);
    else
        join_f64(call, work.shards);
}

/* ---- meaning and derivatives ---- */

static CgRef root(CgBuild *b, const CgSite *site, CgRef mean_square)
{
    return cg_u(
        b, "rsqrt", cg_add(b, mean_square, cg_fill_like(b, mean_square, cg_attr_float(site->attrs, "eps", 1e-5))));
}

static void rmsnorm_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    CgRef r = root(b, site, cg_mean_keep(b, cg_mul(b, x, x), t.rank - 1));
    out[0] = cg_mul(b, cg_mul(b, x, r), cg_repeat_rows(b, site->in[1], t));
}

static void rmsnorm_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0], g = site->in[2];
    CgType t = cg_ref_type(b, x);
    CgRef r = root(b, site, cg_mean_keep(b, cg_mul(b, x, x), t.rank - 1)), z = cg_mul(b, x, r);
    CgRef h = cg_mul(b, g, cg_repeat_rows(b, site->in[1], t));
    out[0] = cg_mul(b, r, cg_sub(b, h, cg_mul(b, z, cg_mean_keep(b, cg_mul(b, h, z), t.rank - 1))));
    out[1] = cg_sum_rows(b, cg_mul(b, g, z));
}

static void layernorm_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    CgRef c = cg_sub(b, x, cg_mean_keep(b, x, t.rank - 1)),
          r = root(b, site, cg_mean_keep(b, cg_mul(b, c, c), t.rank - 1));
    out[0] =
        cg_add(b, cg_mul(b, cg_mul(b, c, r), cg_repeat_rows(b, site->in[1], t)), cg_repeat_rows(b, site->in[2], t));
}

static void layernorm_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0], g = site->in[2];
    CgType t = cg_ref_type(b, x);
    int last = t.rank - 1;
    CgRef c = cg_sub(b, x, cg_mean_keep(b, x, last)), r = root(b, site, cg_mean_keep(b, cg_mul(b, c, c), last)),
          z = cg_mul(b, c, r);
    CgRef h = cg_mul(b, g, cg_repeat_rows(b, site->in[1], t));
    CgRef inner =
        cg_sub(b, cg_sub(b, h, cg_mean_keep(b, h, last)), cg_mul(b, z, cg_mean_keep(b, cg_mul(b, h, z), last)));
    out[0] = cg_mul(b, r, inner);
    out[1] = cg_sum_rows(b, cg_mul(b, g, z));
    out[2] = cg_sum_rows(b, g);
}

static void norm_vjp(CgBuild *b, const CgSite *site, const char *name, CgRef *gin)
{
    CgRef in[3] = { site->in[0], site->in[1], site->gout[0] };
    CgRef all = cg_build(b, name, 3, in, site->attrs);
    for (int i = 0; i < site->nin; i++)
        gin[i] = cg_build_result(b, all, i);
}

static void rmsnorm_vjp(CgBuild *b, const CgSite *site, CgRef *gin) { norm_vjp(b, site, "rmsnorm_vjp", gin); }
static void layernorm_vjp(CgBuild *b, const CgSite *site, CgRef *gin) { norm_vjp(b, site, "layernorm_vjp", gin); }

/* The rows apart from each other; within a row everything depends on everything. */
static CgAxisRule norm_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int last = inf->in[0].rank - 1;
    to->axis = inf->in[operand].rank == last + 1 ? axis : last;
    return to->axis < last ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

static const CgSample rms_samples[] = {
    { .in = "F[3,7] F[7]", .attrs = "eps=0.001", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,37] F[37]", .attrs = "eps=1e-5", .low = -2.385, .high = 2.385 },
    { .in = "F[613,131] F[131]", .attrs = "eps=1e-5", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample rms_vjp_samples[] = {
    { .in = "F[3,7] F[7] F[3,7]", .attrs = "eps=0.001", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[5] F[2,3,5]", .attrs = "eps=1e-5", .low = -2.385, .high = 2.385 },
    { .in = "F[1009,67] F[67] F[1009,67]", .attrs = "eps=1e-5", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample layer_samples[] = {
    { .in = "F[3,7] F[7] F[7]", .attrs = "eps=0.001", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,37] F[37] F[37]", .attrs = "eps=1e-5", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_rmsnorm = {
    CG_OP_HERE,
    .name = "rmsnorm",
    .sig = "(x: F[..s, D], gain: F[D], eps: float = 1e-5) -> F[..s, D]",
    .doc = "Each row divided by its root mean square: x / sqrt(mean(x^2) + eps) * gain (Zhang and Sennrich 2019).\n",
    .shape = norm_shape,
    .vjp = rmsnorm_vjp,
    .expand = rmsnorm_expand,
    .kernel = CG_FLOAT_KERNELS(rmsnorm),
    .work = norm_work,
    .axis_rule = norm_axis_rule,
    .inplace = 1,
    .rounded = 1,
    .traits = CG_OVER_ROWS,
    .samples = rms_samples,
};

static const CgOp op_rmsnorm_vjp = {
    CG_OP_HERE,
    .name = "rmsnorm_vjp",
    .sig = "(x: F[..s, D], gain: F[D], g: F[..s, D], eps: float = 1e-5) -> (F[..s, D], F[D])",
    .doc = "Derivatives of rmsnorm by x and by gain, from g, that by the result.\n",
    .shape = norm_vjp_shape,
    .expand = rmsnorm_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(rmsnorm_vjp),
    .finish = norm_finish,
    .work = norm_vjp_work,
    .axis_rule = norm_axis_rule,
    .inplace = 5,
    .nout = 2,
    .samples = rms_vjp_samples,
};

static const CgOp op_layernorm = {
    CG_OP_HERE,
    .name = "layernorm",
    .sig = "(x: F[..s, D], gain: F[D], bias: F[D], eps: float = 1e-5) -> F[..s, D]",
    .doc =
        "Each row to mean 0 and variance 1: (x - mean) / sqrt(var + eps) * gain + bias (Ba, Kiros and Hinton 2016).\n",
    .shape = norm_shape,
    .vjp = layernorm_vjp,
    .expand = layernorm_expand,
    .kernel = CG_FLOAT_KERNELS(layernorm),
    .work = norm_work,
    .axis_rule = norm_axis_rule,
    .inplace = 1,
    .rounded = 1,
    .traits = CG_OVER_ROWS,
    .samples = layer_samples,
};

static const CgOp op_layernorm_vjp = {
    CG_OP_HERE,
    .name = "layernorm_vjp",
    .sig = "(x: F[..s, D], gain: F[D], g: F[..s, D], eps: float = 1e-5) -> (F[..s, D], F[D], F[D])",
    .doc = "Derivatives of layernorm by x, gain and bias, from g, that by the result.\n",
    .shape = norm_vjp_shape,
    .expand = layernorm_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(layernorm_vjp),
    .finish = norm_finish,
    .work = norm_vjp_work,
    .axis_rule = norm_axis_rule,
    .inplace = 5,
    .nout = 3,
    .samples = rms_vjp_samples,
};

CG_OPS(norm, &op_rmsnorm, &op_rmsnorm_vjp, &op_layernorm, &op_layernorm_vjp)
