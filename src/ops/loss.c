/* loss.c - cross entropy of logits against ids.
 * Takes rows of logits and one id each; gives the loss of each row in nats, or its derivative, without keeping a row of
 * probabilities: each row is swept while it is in cache. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#include "ops/vector_reduce.h"

/* x: F[..s, V], ids: I[..s] [, g: F[..s]] */
static bool loss_operands(CgInfer *inf)
{
    int r = inf->in[0].rank;
    return cg_want_float(inf, 0) && cg_want_rank(inf, 0, 1, CG_MAX_RANK) && cg_want_integer(inf, 1)
        && cg_want_rank(inf, 1, r - 1, r - 1) && cg_want_axes(inf, 1, 0, 0, r - 1);
}

static bool cross_entropy_shape(CgInfer *inf)
{
    if (!loss_operands(inf))
        return false;
    inf->out[0] = cg_type_as(inf->in[1], inf->in[0].dtype);
    return true;
}

static bool cross_entropy_vjp_shape(CgInfer *inf)
{
    int r = inf->in[0].rank;
    if (!loss_operands(inf) || !cg_want_dtype(inf, 2, 0) || !cg_want_rank(inf, 2, r - 1, r - 1)
        || !cg_want_axes(inf, 2, 0, 0, r - 1))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[1] = inf->in[2];
    return true;
}

static void loss_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(&call->in[0]), shards = (n + CG_SHARD - 1) / CG_SHARD,
           rows = (size_t)cg_tensor_count(&call->in[1]);
    size_t moved = cg_dtype_size(call->in[0].dtype) + (call->nin == 3 ? cg_dtype_size(call->out->dtype) : 0);
    *work = (CgWork){ .flops = 8.0 * (double)n, .bytes = (double)n * (double)moved };
    work->shards = shards < rows ? shards : rows;
    if (!work->shards)
        work->shards = 1;
    if (call->out->dtype == CG_ROUNDED)
        work->scratch = (size_t)call->in[0].dim[call->in[0].rank - 1] * sizeof(float);
}

/* The id of row r; -1 where the row counts for nothing: its id is `ignore`, or none at all. */
static int64_t id_at(const CgCall *call, int64_t r, int64_t v, const CgAttr *ignore)
{
    const CgTensor *ids = &call->in[1];
    int64_t id = ids->dtype == CG_I64 ? ((const int64_t *)ids->data)[r] : ((const int32_t *)ids->data)[r];
    return ignore && id == ignore->i ? -1 : cg_index_at(call, 1, r, v);
}

/* f32 sums are carried in f64 over blocks: vocabularies are long. */
#define BLOCK      4096
#define T          float
#define NAME(word) word##_f32
#define EX         cg_exp_low_f32
#include "ops/loss_rows.h"
#define T          double
#define NAME(word) word##_f64
#define EX         exp
#include "ops/loss_rows.h"

static void cross_entropy_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef in[3] = { site->in[0], site->in[1], site->gout[0] };
    gin[0] = cg_build(b, "cross_entropy_vjp", 3, in, site->attrs);
}

/* Where ids are `ignore`, as a bool like them; NONE when nothing is ignored. `ids` is given others there. */
static CgRef ignored(CgBuild *b, const CgSite *site, CgRef *ids)
{
    const CgAttr *ignore = cg_attr_find(site->attrs, "ignore");
    if (!ignore)
        return CG_NONE;
    CgRef hit = cg_b(b, "eq", *ids, cg_fill_like(b, *ids, (double)ignore->i));
    *ids = cg_t(b, "where", hit, cg_fill_like(b, *ids, 0), *ids);
    return hit;
}

static CgRef unless(CgBuild *b, CgRef hit, CgRef x)
{
    return hit == CG_NONE ? x : cg_t(b, "where", hit, cg_fill_like(b, x, 0), x);
}

static void cross_entropy_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef ids = site->in[1], hit = ignored(b, site, &ids);
    out[0] = unless(b, hit, cg_sub(b, cg_u(b, "logsumexp", site->in[0]), cg_b(b, "pick", site->in[0], ids)));
}

static void cross_entropy_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    CgAttr at[2] = { cg_a_dims("n", 1, &t.dim[t.rank - 1]), cg_a_str("dtype", cg_dtype_name(t.dtype)) };
    CgRef ids = site->in[1], hit = ignored(b, site, &ids), hot = cg_build(b, "one_hot", 1, &ids, cg_attrs(2, at));
    CgRef g = unless(b, hit, site->in[2]);
    out[0] = cg_mul(b, cg_repeat(b, g, t, t.rank - 1), cg_sub(b, cg_u(b, "softmax", x), hot));
    out[1] = cg_build(b, "cross_entropy", 2, site->in, site->attrs);
}

static CgAxisRule loss_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    return operand == 0 && axis == inf->in[0].rank - 1 ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

static const CgSample loss_samples[] = {
    { .in = "F[3,7] i32[3]", .low = 0, .high = 6 },
    { .in = "F[2,3,37] i64[2,3]", .low = 0, .high = 36 },
    { .in = "F[17,5003] i32[17]", .low = 0, .high = 5002 },
    { .in = "F[17,7] i32[17]", .attrs = "ignore=2", .low = 0, .high = 6 },
    { .in = "F[13,5] i64[13]", .attrs = "ignore=-1", .low = -1, .high = 4 },
    { .in = NULL },
};
static const CgSample loss_vjp_samples[] = {
    { .in = "F[3,7] i32[3] F[3]", .low = 0, .high = 6 },
    { .in = "F[2,3,11] i64[2,3] F[2,3]", .low = 0, .high = 10 },
    { .in = "F[17,5003] i32[17] F[17]", .low = -2, .high = 7, .ids = 5003 },
    { .in = "F[17,7] i32[17] F[17]", .attrs = "ignore=2", .low = 0, .high = 6 },
    { .in = NULL },
};

static const CgIndexing classes = { .by = 1, .of = 0, .axis = -1 };

static const CgOp op_cross_entropy = {
    CG_OP_HERE,
    .name = "cross_entropy",
    .sig = "(logits: F[..s, V], ids: I[..s], ignore: int = none) -> F[..s]",
    .doc = "-log softmax(logits)[id] of each row, in nats: logsumexp(logits) - logits[id].\n\n"
           "Rows whose id is `ignore` are 0. Any other id outside 0 .. V-1 is an error.\n",
    .indexing = &classes,
    .shape = cross_entropy_shape,
    .vjp = cross_entropy_vjp,
    .expand = cross_entropy_expand,
    .kernel = CG_FLOAT_KERNELS(cross_entropy),
    .work = loss_work,
    .axis_rule = loss_axis_rule,
    .merge_into = "cross_entropy_vjp",
    .merge_result = 1,
    .samples = loss_samples,
};

static const CgOp op_cross_entropy_vjp = {
    CG_OP_HERE,
    .name = "cross_entropy_vjp",
    .sig = "(logits: F[..s, V], ids: I[..s], g: F[..s], ignore: int = none) -> (F[..s, V], F[..s])",
    .doc =
        "Derivative of cross_entropy by the logits, g * (softmax(logits) - one_hot(ids)), and cross_entropy itself.\n",
    .shape = cross_entropy_vjp_shape,
    .expand = cross_entropy_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(cross_entropy_vjp),
    .work = loss_work,
    .axis_rule = loss_axis_rule,
    .inplace = 1,
    .rounded = 1,
    .traits = CG_OVER_ROWS,
    .nout = 2,
    .samples = loss_vjp_samples,
};

CG_OPS(loss, &op_cross_entropy, &op_cross_entropy_vjp)
