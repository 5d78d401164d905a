/* rope.c - rotary position embedding.
 * Takes rows of K numbers at positions along the axis before the last, with any strides; gives them rotated, in any
 * order of the axes. Su et al., "RoFormer: Enhanced transformer with rotary position embedding", 2021; pairs are (i, i
 * + K/2). */
#include <stdlib.h>

#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#include "ops/bf16_rows.h"

#define AHEAD   8  /* rows */
#define AT_ONCE 64 /* angles whose sines are made together: rows are often shorter than a vector */
#define KNOWN \
    4096 /* bytes of sines up to which those of positions 0, 1, .. are made once: of more, rows take far longer */

static bool rope_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0];
    int64_t k;
    if (!cg_want_float(inf, 0) || !cg_want_integer(inf, 1) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK)
        || !cg_want_rank(inf, 1, 1, 1))
        return false;
    if (x->dim[x->rank - 2] != inf->in[1].dim[0])
        return cg_infer_differ(inf, 0, x->rank - 2, 1, 0, "numbers of positions");
    if (cg_dim_is_int(x->dim[x->rank - 1], &k) && k % 2)
        return cg_infer_fail(
            inf, 0, x->rank - 1, "rope rotates pairs: the last axis must be even, is %lld", (long long)k);
    if (!(cg_attr_float(inf->attrs, "base", 10000) > 0))
        return cg_infer_fail(inf, -1, -1, "rope: base must be positive");
    inf->out[0] = *x;
    return true;
}

static void rope_work(const CgCall *call, CgWork *work)
{
    const CgTensor *y = call->out;
    size_t n = (size_t)cg_tensor_count(y), t = (size_t)y->dim[y->rank - 2], k = (size_t)y->dim[y->rank - 1],
           shards = (n + CG_SHARD - 1) / CG_SHARD;
    size_t from = cg_dtype_size(call->in[0].dtype);
    *work = (CgWork){ .flops = 3.0 * (double)n,
        .bytes = (double)n * (double)(from + cg_dtype_size(y->dtype)),
        .shards = shards < t ? shards : t };
    if (!work->shards)
        work->shards = 1;
    work->scratch = (t / work->shards + 1) * k * from + bf16_rows_scratch(y, (int64_t)k);
}

static void angle_f32(double a, float *s, float *c) { cg_sincos_f32(a, s, c); }
static void angle_f64(double a, double *s, double *c)
{
    *s = sin(a);
    *c = cos(a);
}

typedef float Four_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double Four_f64 __attribute__((vector_size(32), aligned(8), may_alias));

static int64_t position(const CgTensor *p, int64_t i)
{
    return p->dtype == CG_I64 ? ((const int64_t *)p->data)[i * p->stride[0]]
                              : ((const int32_t *)p->data)[i * p->stride[0]];
}

/* Whether positions from `first` to before `last` are those numbers, and of these `known`. */
static bool in_order(const CgTensor *p, int64_t first, int64_t last, int64_t known)
{
    bool same = last <= known;
    for (int64_t i = first; same && i < last; i++)
        same = position(p, i) == i;
    return same;
}

static double sign_of(const CgCall *call) { return cg_attr_int(call->attrs, "inverse", 0) ? -1 : 1; }

/* Rows lie in steps that no processor guesses: each is asked for while AHEAD rows before it are rotated. */
static inline void fetch_row(const void *from, const void *to, int64_t bytes, bool half)
{
    for (int64_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i, 0);
    for (int64_t i = 0; i < bytes >> half; i += 64)
        __builtin_prefetch((const char *)to + i, 1);
}

/* What stays from run to run: the K/2 angles a step of one position rotates by, base^(-2i/K), and the sines of
 * positions 0, 1, .. if they are few: else none are known. */
typedef struct Angles {
    int64_t known;
    const double *frequency;
    const void *table;
} Angles;

/* An axis: its length, and steps along it. */
typedef struct Walk {
    int64_t n, x, y, table;
} Walk;

/* y = (a cos - b sin, a sin + b cos) for x = (a, b) in halves. The sines of a range of positions are made once for all
 * rows. */
#define T          float
#define NAME(word) word##_f32
#include "ops/rope_rows.h"
#define T          double
#define NAME(word) word##_f64
#include "ops/rope_rows.h"

static void *rope_prepare(const CgCall *call)
{
    const CgTensor *x = &call->in[0];
    int64_t t = x->dim[x->rank - 2], k = x->dim[x->rank - 1], half = k / 2;
    size_t table = (size_t)(t * k) * cg_dtype_size(x->dtype);
    double base = cg_attr_float(call->attrs, "base", 10000);
    bool known = table <= KNOWN;
    Angles *s = malloc(sizeof *s + sizeof(double) * (size_t)half + (known ? table : 0));
    if (!s)
        return NULL;
    double *frequency = (double *)(s + 1);
    for (int64_t i = 0; i < half; i++)
        frequency[i] = pow(base, -2.0 * (double)i / (double)k);
    *s = (Angles){ .known = known ? t : 0, .frequency = frequency, .table = frequency + half };
    if (known && x->dtype == CG_F64)
        sines_f64(frequency, half, sign_of(call), NULL, 0, t, frequency + half);
    else if (known)
        sines_f32(frequency, half, sign_of(call), NULL, 0, t, (float *)(frequency + half));
    return s;
}

static CgRef rope_again(CgBuild *b, const CgSite *site, CgRef x, bool inverse)
{
    CgAttr at[2] = { cg_a_float("base", cg_attr_float(site->attrs, "base", 10000)), cg_a_int("inverse", inverse) };
    return cg_build(b, "rope", 2, (CgRef[2]){ x, site->in[1] }, cg_attrs(2, at));
}

/* A rotation's transpose is the rotation back. */
static void rope_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = rope_again(b, site, site->gout[0], !cg_attr_int(site->attrs, "inverse", 0));
}

static void rope_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x), half = t;
    int last = t.rank - 1;
    const CgDim *k = t.dim[last], *mid = cg_dim_div(k, cg_dim_int(2));
    if (!mid)
        return;
    half.dim[last] = mid;
    CgType angles = cg_type(t.dtype, 2, &half.dim[last - 1]);
    CgAttr count[2] = { cg_a_type("type", angles), cg_a_int("axis", 1) };
    /* -2 ln(base) / K with K / 2 counted, so that a symbolic K will do */
    CgRef i = cg_build(b, "iota", 0, NULL, cg_attrs(2, count));
    CgRef size = cg_broadcast_scalar(b, cg_size_of(b, i, 1), angles);
    CgRef frequency = cg_exp(b, cg_div(b, cg_scale(b, i, -log(cg_attr_float(site->attrs, "base", 10000))), size));
    CgRef at = cg_cast(b, site->in[1], t.dtype);
    if (cg_attr_int(site->attrs, "inverse", 0))
        at = cg_neg(b, at);
    CgRef angle = cg_mul(b, frequency, cg_repeat(b, at, angles, 1));
    int64_t axes[CG_MAX_RANK];
    for (int a = 0; a <= last; a++)
        axes[a] = a == last ? 1 : a == last - 1 ? 0 : -1;
    CgRef s = cg_broadcast(b, cg_u(b, "sin", angle), half.rank, half.dim, axes);
    CgRef c = cg_broadcast(b, cg_u(b, "cos", angle), half.rank, half.dim, axes);
    CgRef u = cg_slice(b, x, last, cg_dim_int(0), mid), v = cg_slice(b, x, last, mid, k);
    CgRef rotated[2] = { cg_sub(b, cg_mul(b, u, c), cg_mul(b, v, s)), cg_add(b, cg_mul(b, u, s), cg_mul(b, v, c)) };
    CgAttr join = cg_a_int("axis", last);
    out[0] = cg_build(b, "concat", 2, rotated, cg_attrs(1, &join));
}

static CgAxisRule rope_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int r = inf->in[0].rank;
    to->axis = operand ? r - 2 : axis;
    return operand == 0 && axis == r - 1 ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

static const CgSample rope_samples[] = {
    { .in = "F[5,6] i32[5]", .attrs = "base=10000.0", .low = -2.385, .high = 11 },
    { .in = "F[2,3,7,10] i32[7]", .attrs = "base=100.0, inverse=1", .low = -2.385, .high = 11 },
    { .in = "F[2,5,2] i64[5]", .attrs = "base=10000.0", .low = -2.385, .high = 11 },
    { .in = "F[5,131,64] i32[131]", .attrs = "base=10000.0", .low = -2.385, .high = 131 },
    { .in = NULL },
};

static const CgOp op_rope = {
    CG_OP_HERE,
    .name = "rope",
    .sig = "(x: F[..s, T, K], positions: I[T], base: float = 10000.0, inverse: bool = false) -> F[..s, T, K]",
    .doc = "Rotary position embedding: rotates each pair (x[i], x[i + K/2]) by positions * base^(-2i/K) (Su et al. "
           "2021).\n\n"
           "K must be even. inverse rotates back.\n",
    .shape = rope_shape,
    .vjp = rope_vjp,
    .expand = rope_expand,
    .kernel = CG_FLOAT_KERNELS(rope),
    .work = rope_work,
    .prepare = rope_prepare,
    .release = free,
    .axis_rule = rope_axis_rule,
    .inplace = 1,
    .rounded = 1,
    .traits = CG_STRIDED | CG_ANY_ORDER,
    .samples = rope_samples,
};

CG_OPS(rope, &op_rope)
