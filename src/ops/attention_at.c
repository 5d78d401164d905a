/* attention_at.c - attention of a few new queries over the keys and values kept so far.
 * Takes queries, keys and values by head, with any strides, and how far the text has come; gives the results, in any
 * order of axes. Only keys that are seen are read, each once. What `attention` is when the place of its queries is
 * known only when it runs. */
#include <stdlib.h>
#include <string.h>

#include <cg/vmath.h>

#include "ops/attention_heads.h"
#include "ops/widen.h"

#define T          float
#define INTEGER    int32_t
#define NAME(word) word##_f32
#include "ops/gemm_skinny.h"
#undef T
#undef INTEGER
#undef NAME
#define T          float
#define INTEGER    int32_t
#define RIGHT      uint16_t
#define WIDE       wide_bf16
#define NUMBER     cg_bf16_value
#define NAME(word) word##_bf16
#include "ops/gemm_skinny.h"
#undef T
#undef INTEGER
#undef NAME
#define T          double
#define INTEGER    int64_t
#define NAME(word) word##_f64
#include "ops/gemm_skinny.h"
#undef T
#undef INTEGER
#undef NAME

enum { MASK = 4 }; /* operand */

/* q: F[B, H, n, K], k, v: F[B, G, S, K], or of bf16 where F is f32, at: I[], and a mask */
static bool attention_at_shape(CgInfer *inf)
{
    const CgDim *offset = cg_attr_dim(inf->attrs, "offset");
    if (!attention_operands(inf, true) || !cg_want_integer(inf, 3) || !cg_want_rank(inf, 3, 0, 0)
        || !attention_mask(inf, MASK))
        return false;
    if (!cg_attr_int(inf->attrs, "causal", 1))
        return cg_infer_fail(inf, -1, -1, "attention_at is causal");
    if (!offset)
        return cg_infer_fail(inf, -1, -1, "attention_at needs offset, a size");
    if (!attention_offset(inf, offset))
        return false;
    inf->out[0] = inf->in[0];
    return true;
}

/* Blocks of queries a head is cut into. */
static int64_t ranges(const CgTensor *q)
{
    int64_t heads = q->dim[0] * q->dim[1], blocks = cg_ceil_div(q->dim[2], QUERIES),
            want = heads ? cg_ceil_div(SHARDS, heads) : 1;
    return want < 1 || blocks < 1 ? 1 : want < blocks ? want : blocks;
}

/* As if half of the keys were there: when a plan is made nobody knows. */
static void attention_at_work(const CgCall *call, CgWork *work)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1];
    double heads = (double)(q->dim[0] * q->dim[1]), n = (double)q->dim[2], s = (double)k->dim[2], d = (double)q->dim[3];
    size_t size = cg_dtype_size(q->dtype), rows = q->dim[2] < QUERIES ? (size_t)q->dim[2] : QUERIES;
    *work = (CgWork){ .flops = 2 * heads * n * s * d, .shards = (size_t)(q->dim[0] * q->dim[1] * ranges(q)) };
    work->bytes = heads * d * (2 * n * (double)size + s * (double)cg_dtype_size(k->dtype));
    work->scratch = (rows * (size_t)(k->dim[2] + q->dim[3]) + 2 * (size_t)(k->dim[2] * k->dim[3]) + 64) * size;
    if (!work->shards)
        work->shards = 1;
}

#define GEMM_f32(tb, m, n, k, alpha, a, lda, b, ldb, c, ldc) \
    cg_gemm_f32(false, tb, m, n, k, alpha, a, lda, b, ldb, 0, c, ldc, call->bf16)
#define GEMM_f64(tb, m, n, k, alpha, a, lda, b, ldb, c, ldc) \
    cg_gemm_f64(false, tb, m, n, k, alpha, a, lda, b, ldb, 0, c, ldc)

#define T          float
#define NAME(word) word##_f32
#define EX         cg_exp_low_f32
#define TANH       cg_tanh_f32
#include "ops/attention_mask.h"
#include "ops/attention_at_rows.h"
#define T          double
#define NAME(word) word##_f64
#define EX         exp
#define TANH       tanh
#include "ops/attention_mask.h"
#include "ops/attention_at_rows.h"

/* As attention says, of query i the keys j <= i + offset + at. */
static void attention_at_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef in[3] = { site->in[0], site->in[1], site->in[2] };
    CgSite wide = { .nin = 3, .nout = site->nout, .in = in, .attrs = site->attrs };
    for (int i = 1; i < 3; i++)
        in[i] = cg_cast(b, in[i], cg_ref_type(b, in[0]).dtype);
    CgRef s = attention_scores(b, &wide);
    CgRef offset =
        cg_add(b, cg_cast(b, site->in[3], CG_I32), cg_size_number(b, cg_attr_dim(site->attrs, "offset"), CG_I32));
    if (site->nin > MASK)
        s = attention_add_mask(b, s, site->in[MASK]);
    CgRef lse;
    s = attention_weights(b, attention_hide(b, s, offset), &lse);
    out[0] = cg_matmul(b, s, attention_for_each(b, in[2], in[0]), false, false);
}

/* What was only widened is taken as it is kept. */
static CgRef attention_at_fold(CgBuild *b, const CgSite *site)
{
    CgRef in[CG_MAX_IN];
    bool any = false;
    memcpy(in, site->in, sizeof *in * (size_t)site->nin);
    for (int i = 1; i < 3; i++) {
        CgRef kept = cg_ref_is(b, in[i], "cast") ? cg_ref_in(b, in[i], 0) : in[i];
        if (cg_ref_type(b, kept).dtype != CG_BF16 || cg_ref_type(b, in[i]).dtype != CG_F32)
            continue;
        in[i] = kept;
        any = true;
    }
    return any ? cg_build(b, "attention_at", site->nin, in, site->attrs) : CG_NONE;
}

static const CgSample attention_at_samples[] = {
    { .in = "F[2,3,2,4] F[2,3,7,4] F[2,3,7,4] i32", .attrs = "scale=0.37, offset=[0]", .low = 0, .high = 2.385 },
    { .in = "F[1,2,1,2] F[1,2,5,2] F[1,2,5,2] i64", .attrs = "scale=0.71, offset=[2]", .low = 0, .high = 2.385 },
    { .in = "F[2,1,1,32] F[2,1,307,32] F[2,1,307,32] i32",
        .attrs = "scale=0.31, offset=[211]",
        .low = 0,
        .high = 2.385 },
    { .in = "F[1,3,97,16] F[1,3,521,16] F[1,3,521,16] i32",
        .attrs = "scale=0.31, offset=[71]",
        .low = 0,
        .high = 2.385 },
    { .in = "F[2,3,2,4] F[2,3,7,4] F[2,3,7,4] i32 F[2,1,2,7]",
        .attrs = "scale=0.37, offset=[0], cap=1.7",
        .low = 0,
        .high = 2.385 },
    { .in = "F[2,6,2,4] F[2,2,7,4] F[2,2,7,4] i32", .attrs = "scale=0.37, offset=[0]", .low = 0, .high = 2.385 },
    { .in = "F[1,3,9,16] F[1,3,57,16] F[1,3,57,16] i32 F[1,1,1,57]",
        .attrs = "scale=0.31, offset=[7]",
        .low = 0,
        .high = 2.385 },
    { .in = "f32[2,3,2,4] bf16[2,3,7,4] bf16[2,3,7,4] i32",
        .attrs = "scale=0.37, offset=[0]",
        .low = 0,
        .high = 2.385 },
    { .in = "f32[2,4,1,32] bf16[2,2,307,32] bf16[2,2,307,32] i32",
        .attrs = "scale=0.31, offset=[211]",
        .low = 0,
        .high = 2.385 },
    { .in = "f32[1,3,37,16] bf16[1,3,131,16] f32[1,3,131,16] i32",
        .attrs = "scale=0.31, offset=[71]",
        .low = 0,
        .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_attention_at = {
    CG_OP_HERE,
    .name = "attention_at",
    .sig = "(q: F[B, H, T, K], k: T[B, G, S, K], v: T[B, G, S, K], at: I[], mask: F[..m] = none, causal: bool = true, "
           "scale: float, cap: float = none, offset: dim) -> F[B, H, T, K]",
    .doc = "Attention under a causal mask whose place is known only when it runs: query i sees keys 0 .. i + offset + "
           "at. Mask and cap are those of attention.\n\n"
           "Keys past those are not read: they may be whatever was there before. k and v may be of bf16 where q is of "
           "f32: they are read in half of the bytes.\n",
    .shape = attention_at_shape,
    .expand = attention_at_expand,
    .kernel = CG_FLOAT_KERNELS(attention_at),
    .work = attention_at_work,
    .fold = attention_at_fold,
    .traits = CG_STRIDED | CG_ANY_ORDER | CG_PRODUCTS | CG_TAKES_NARROW,
    .samples = attention_at_samples,
};

CG_OPS(attention_at, &op_attention_at)
