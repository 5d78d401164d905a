/* loss.c - cross entropy of logits against ids.
 * Takes rows of logits and one id each; gives the loss of each row in nats, or its derivative, without keeping a row of
 * probabilities: each row is swept while it is in cache. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

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
    size_t n = (size_t)cg_tensor_count(&call->in[0]), parts = (n + CG_PART - 1) / CG_PART,
           rows = (size_t)cg_tensor_count(&call->in[1]);
    size_t moved = cg_dtype_size(call->in[0].dtype) + (call->nin == 3 ? cg_dtype_size(call->out->dtype) : 0);
    *work = (CgWork){ .flops = 8.0 * (double)n, .bytes = (double)n * (double)moved };
    work->parts = parts < rows ? parts : rows;
    if (!work->parts)
        work->parts = 1;
    if (call->out->dtype == CG_BF16)
        work->scratch = (size_t)call->in[0].dim[call->in[0].rank - 1] * sizeof(float);
}

static int64_t id_at(const CgTensor *ids, int64_t i, int64_t n)
{
    int64_t id = ids->dtype == CG_I64 ? ((const int64_t *)ids->data)[i] : ((const int32_t *)ids->data)[i];
    return id < 0 ? 0 : id >= n ? n - 1 : id;
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
    gin[0] = cg_t(b, "cross_entropy_vjp", site->in[0], site->in[1], site->gout[0]);
}

static void cross_entropy_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_sub(b, cg_u(b, "logsumexp", site->in[0]), cg_b(b, "pick", site->in[0], site->in[1]));
}

static void cross_entropy_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    CgAttr at[2] = { cg_a_dims("n", 1, &t.dim[t.rank - 1]), cg_a_str("dtype", cg_dtype_name(t.dtype)) };
    CgRef hot = cg_build(b, "one_hot", 1, &site->in[1], cg_attrs(2, at));
    out[0] = cg_mul(b, cg_repeat(b, site->in[2], t, t.rank - 1), cg_sub(b, cg_u(b, "softmax", x), hot));
    out[1] = cg_b(b, "cross_entropy", x, site->in[1]);
}

static CgAlong loss_along(const CgInfer *inf, int operand, int axis, CgTo *to)
{
    to->axis = axis;
    return operand == 0 && axis == inf->in[0].rank - 1 ? CG_ALONG_WHOLE : CG_ALONG_POINTWISE;
}

static const CgSample loss_samples[] = {
    { .in = "F[3,7] i32[3]", .low = 0, .high = 6 },
    { .in = "F[2,3,37] i64[2,3]", .low = -3, .high = 36 },
    { .in = "F[17,5003] i32[17]", .low = -3, .high = 5005 },
    { .in = NULL },
};
static const CgSample loss_vjp_samples[] = {
    { .in = "F[3,7] i32[3] F[3]", .low = 0, .high = 6 },
    { .in = "F[2,3,11] i64[2,3] F[2,3]", .low = 0, .high = 10 },
    { .in = "F[17,5003] i32[17] F[17]", .low = -2, .high = 7 },
    { .in = NULL },
};

static const CgOp op_cross_entropy = {
    CG_OP_HERE,
    .name = "cross_entropy",
    .sig = "(logits: F[..s, V], ids: I[..s]) -> F[..s]",
    .doc = "-log softmax(logits)[id] of each row, in nats: logsumexp(logits) - logits[id].\n\n"
           "Ids outside 0 .. V-1 are taken to the nearest end.\n",
    .shape = cross_entropy_shape,
    .vjp = cross_entropy_vjp,
    .expand = cross_entropy_expand,
    .kernel = CG_FLOAT_KERNELS(cross_entropy),
    .work = loss_work,
    .along = loss_along,
    .within = "cross_entropy_vjp",
    .within_result = 1,
    .samples = loss_samples,
};

static const CgOp op_cross_entropy_vjp = {
    CG_OP_HERE,
    .name = "cross_entropy_vjp",
    .sig = "(logits: F[..s, V], ids: I[..s], g: F[..s]) -> (F[..s, V], F[..s])",
    .doc =
        "Derivative of cross_entropy by the logits, g * (softmax(logits) - one_hot(ids)), and cross_entropy itself.\n",
    .shape = cross_entropy_vjp_shape,
    .expand = cross_entropy_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(cross_entropy_vjp),
    .work = loss_work,
    .along = loss_along,
    .inplace = 1,
    .rounded = 1,
    .traits = CG_OVER_ROWS,
    .nout = 2,
    .samples = loss_vjp_samples,
};

CG_OPS(loss, &op_cross_entropy, &op_cross_entropy_vjp)
