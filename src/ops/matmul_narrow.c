/* matmul_narrow.c - products by matrices that are kept in bf16, or in 8 bits with a scale for each row.
 * Takes rows of f32 and a matrix whose rows are the columns of the product; gives f32. One row by a matrix takes as
 * long as reading the matrix does: half the bytes, or a quarter, is half the time, or a quarter. Numbers become f32 in
 * registers, or in the first-level cache where several rows use them. How it is cut follows from the sizes alone. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#if defined(__AVX2__)
    #include <immintrin.h>
#endif
#if defined(__AVX512F__)
    #define WIDTH 16 /* numbers of a vector */
    #define LINES 12 /* rows of the matrix at a time: twice as many sums are in registers */
#elif defined(__AVX2__)
    #define WIDTH 8
    #define LINES 6
#else
    #define WIDTH 4
    #define LINES 6
#endif
#define FEW         3  /* rows that take rows of the matrix as they lie */
#define SOME        28 /* rows that take LINES rows of it at a time, made f32; more use packed products */
#define MOST_GROUPS ((SOME - 1) / WIDTH + 1) /* of WIDTH rows of x, in a vector */
#define DEPTH       512                      /* numbers of those lines at a time: they lie in caches near by */
#define APART       (DEPTH + 16) /* from line to line there: they do not all fall into the same sets of it */
#define PIECE       24           /* rows of the matrix that are not divided among shards: whole LINES */
#define SHARD_BYTES (32 << 10)   /* of the matrix, a shard: at least */
#define SHARDS      16           /* shards at most */

#ifdef __clang__
    #define UNROLLED _Pragma("unroll")
#else
    #define UNROLLED _Pragma("GCC unroll 16")
#endif

typedef float Lanes __attribute__((vector_size(WIDTH * sizeof(float))));

typedef struct Narrow {
    int64_t m, n, k;
    const float *x, *scale;
    const char *w; /* (n,k) */
    float *z;
    int64_t size; /* bytes of a number of w: 2 or 1 */
} Narrow;

static bool narrow_shape(CgInfer *inf)
{
    const CgType *w = &inf->in[0], *x = &inf->in[1], *s = &inf->in[2];
    if (!cg_want_rank(inf, 0, 2, 2) || !cg_want_rank(inf, 1, 2, CG_MAX_RANK) || !cg_want_rank(inf, 2, 1, 1))
        return false;
    if (w->dtype != CG_BF16 && w->dtype != CG_I8)
        return cg_infer_fail(inf, 0, -1, "matmul_narrow: the matrix is of bf16 or i8, not %s", cg_dtype_name(w->dtype));
    for (int i = 1; i < 3; i++)
        if (inf->in[i].dtype != CG_F32)
            return cg_infer_fail(
                inf, i, -1, "matmul_narrow takes f32, operand %d is %s", i, cg_dtype_name(inf->in[i].dtype));
    if (x->dim[x->rank - 1] != w->dim[1])
        return cg_infer_differ(inf, 1, x->rank - 1, 0, 1, "inner dims");
    if (s->dim[0] != w->dim[0])
        return cg_infer_differ(inf, 2, 0, 0, 0, "rows of the matrix and scales");
    inf->out[0] = *x;
    inf->out[0].dim[x->rank - 1] = w->dim[0];
    return true;
}

static Narrow sizes(const CgCall *call)
{
    const CgTensor *w = &call->in[0], *x = &call->in[1];
    Narrow p = { .m = 1,
        .n = w->dim[0],
        .k = w->dim[1],
        .x = x->data,
        .scale = call->in[2].data,
        .w = w->data,
        .z = call->out->data,
        .size = (int64_t)cg_dtype_size(w->dtype) };
    for (int i = 0; i < x->rank - 1; i++)
        p.m *= x->dim[i];
    return p;
}

/* Vectors of up to WIDTH rows of x. */
static int64_t groups(const Narrow *p) { return cg_ceil_div(p->m, WIDTH); }

/* Rows of the matrix of a shard, at most. */
static int64_t shard_lines(const Narrow *p, int64_t shards)
{
    return cg_ceil_div(cg_ceil_div(p->n, PIECE), shards) * PIECE;
}

static void narrow_work(const CgCall *call, CgWork *work)
{
    Narrow p = sizes(call);
    int64_t shards = p.n * p.k * p.size / SHARD_BYTES, most = cg_ceil_div(p.n, PIECE);
    shards = shards > SHARDS ? SHARDS : shards;
    shards = shards > most ? most : shards;
    shards = shards < 1 ? 1 : shards;
    int64_t numbers = p.m <= FEW ? 0
        : p.m <= SOME            ? groups(&p) * WIDTH * p.k + LINES * APART
                                 : shard_lines(&p, shards) * p.k;
    *work = (CgWork){ .flops = 2 * (double)p.m * (double)p.n * (double)p.k,
        .bytes = (double)(p.n * p.k * p.size) + 4.0 * (double)(p.m * (p.k + p.n) + p.n),
        .shards = (size_t)shards,
        .scratch = (size_t)numbers * sizeof(float) };
}

/* ---- numbers of the matrix as f32: a vector of them ---- */

typedef float Lying __attribute__((vector_size(WIDTH * sizeof(float)), aligned(4), may_alias));

static inline float number_i8(const int8_t *at) { return (float)*at; }
static inline float number_bf16(const uint16_t *at) { return cg_bf16_value(*at); }

#if defined(__AVX512F__)
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)at)));
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)at)), 16);
}
#elif defined(__AVX2__)
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)at)));
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)at)), 16);
}
#else
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes){ (float)at[0], (float)at[1], (float)at[2], (float)at[3] };
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes){ cg_bf16_value(at[0]), cg_bf16_value(at[1]), cg_bf16_value(at[2]), cg_bf16_value(at[3]) };
}
#endif

static inline float across(Lanes s)
{
    float half[WIDTH / 2], sum = 0;
    for (int i = 0; i < WIDTH / 2; i++)
        half[i] = s[i] + s[i + WIDTH / 2];
    for (int i = 0; i < WIDTH / 2; i++)
        sum += half[i];
    return sum;
}

/* widen: n numbers as f32. dot: their sum, each times one of x, in the order they lie. */
#define NUMBERS(kind, T)                                           \
    static void widen_##kind(const T *w, int64_t n, float *to)     \
    {                                                              \
        int64_t l = 0;                                             \
        for (; l + 4 * WIDTH <= n; l += 4 * WIDTH)                 \
            for (int i = 0; i < 4 * WIDTH; i += WIDTH)             \
                *(Lying *)(to + l + i) = wide_##kind(w + l + i);   \
        for (; l < n; l++)                                         \
            to[l] = number_##kind(w + l);                          \
    }                                                              \
    static float dot_##kind(const float *x, const T *w, int64_t n) \
    {                                                              \
        Lanes p = { 0 }, q = p, r = p, s = p;                      \
        int64_t l = 0;                                             \
        for (; l + 4 * WIDTH <= n; l += 4 * WIDTH) {               \
            const Lying *a = (const Lying *)(x + l);               \
            p += a[0] * wide_##kind(w + l);                        \
            q += a[1] * wide_##kind(w + l + WIDTH);                \
            r += a[2] * wide_##kind(w + l + 2 * WIDTH);            \
            s += a[3] * wide_##kind(w + l + 3 * WIDTH);            \
        }                                                          \
        for (; l + WIDTH <= n; l += WIDTH)                         \
            p += *(const Lying *)(x + l) * wide_##kind(w + l);     \
        float sum = across((p + q) + (r + s));                     \
        for (; l < n; l++)                                         \
            sum += x[l] * number_##kind(w + l);                    \
        return sum;                                                \
    }
NUMBERS(i8, int8_t)
NUMBERS(bf16, uint16_t)

/* n numbers of the matrix, from the first of them on. */
static void widen(const Narrow *p, int64_t first, int64_t n, float *to)
{
    const char *from = p->w + first * p->size;
    if (p->size == 1)
        widen_i8((const int8_t *)from, n, to);
    else
        widen_bf16((const uint16_t *)from, n, to);
}

/* ---- one row of x, or a few ---- */

static void few_rows(const Narrow *p, int64_t from, int64_t to)
{
    for (int64_t j = from; j < to; j++) {
        const char *w = p->w + j * p->k * p->size;
        for (int64_t r = 0; r < p->m; r++) {
            const float *x = p->x + r * p->k;
            float sum = p->size == 1 ? dot_i8(x, (const int8_t *)w, p->k) : dot_bf16(x, (const uint16_t *)w, p->k);
            p->z[r * p->n + j] = sum * p->scale[j];
        }
    }
}

/* ---- some rows of x, as columns: a number of the matrix times a vector is added to the sums of all of them ---- */

typedef struct Sums {
    Lanes at[MOST_GROUPS][LINES];
} Sums;

/* Adds `depth` numbers of LINES rows of the matrix, times `n` vectors of x, from x and x + `apart` on, to s[n]. */
static inline __attribute__((always_inline)) void add_lines(
    int n, int64_t depth, const Lanes *x, int64_t apart, const float *w, Lanes (*s)[LINES])
{
    Lanes t[2][LINES];
    memcpy(t, s, sizeof *t * (size_t)n);
    for (int64_t l = 0; l < depth; l++) {
        Lanes a = x[l], b = x[n > 1 ? apart + l : l];
        UNROLLED
        for (int i = 0; i < LINES; i++) {
            float by = w[i * APART + l];
            t[0][i] += a * by;
            if (n > 1)
                t[1][i] += b * by;
        }
    }
    memcpy(s, t, sizeof *t * (size_t)n);
}

static inline __attribute__((always_inline)) void write_lines(const Narrow *p, const Sums *s, int64_t j, int64_t lines)
{
    for (int64_t r = 0; r < p->m; r++) {
        const Lanes *at = s->at[r / WIDTH];
        for (int64_t i = 0; i < lines; i++)
            p->z[r * p->n + j + i] = at[i][r % WIDTH] * p->scale[j + i];
    }
}

static void some_rows(const Narrow *p, int64_t from, int64_t to, CgShard shard)
{
    float *x = shard.scratch, *w = x + groups(p) * WIDTH * p->k;
    if (!shard.reused) {
        memset(x, 0, (size_t)(groups(p) * WIDTH * p->k) * sizeof *x);
        for (int64_t r = 0; r < p->m; r++)
            for (int64_t l = 0; l < p->k; l++)
                x[(r / WIDTH * p->k + l) * WIDTH + r % WIDTH] = p->x[r * p->k + l];
    }
    for (int64_t j = from; j < to; j += LINES) {
        Sums s = { { { { 0 } } } };
        int64_t lines = to - j < LINES ? to - j : LINES;
        if (lines < LINES)
            memset(w, 0, (size_t)(LINES * APART) * sizeof *w);
        for (int64_t l = 0; l < p->k; l += DEPTH) {
            int64_t depth = p->k - l < DEPTH ? p->k - l : DEPTH, g = 0;
            const Lanes *at = (const Lanes *)x + l;
            for (int64_t i = 0; i < lines; i++)
                widen(p, (j + i) * p->k + l, depth, w + i * APART);
            for (; g + 1 < groups(p); g += 2)
                add_lines(2, depth, at + g * p->k, p->k, w, &s.at[g]);
            if (g < groups(p))
                add_lines(1, depth, at + g * p->k, 0, w, &s.at[g]);
        }
        if (lines == LINES)
            write_lines(p, &s, j, LINES);
        else
            write_lines(p, &s, j, lines);
    }
}

/* ---- many ---- */

static void many_rows(const Narrow *p, int64_t from, int64_t to, float *w)
{
    widen(p, from * p->k, (to - from) * p->k, w);
    if (p->k)
        cg_gemm_f32(false, true, p->m, to - from, p->k, 1, p->x, p->k, w, p->k, 0, p->z + from, p->n, 0);
    for (int64_t r = 0; r < p->m; r++)
        for (int64_t j = from; j < to; j++)
            p->z[r * p->n + j] = p->k ? p->z[r * p->n + j] * p->scale[j] : 0;
}

static void narrow(const CgCall *call, CgShard shard)
{
    Narrow p = sizes(call);
    int64_t lines = shard_lines(&p, (int64_t)shard.count), from = (int64_t)shard.index * lines, to = from + lines;
    to = to < p.n ? to : p.n;
    if (from >= to || !p.m)
        return;
    if (p.m <= FEW)
        few_rows(&p, from, to);
    else if (p.m <= SOME)
        some_rows(&p, from, to, shard);
    else
        many_rows(&p, from, to, shard.scratch);
}

/* ---- derivative: that of what it stands for ---- */

static void narrow_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    CgRef scale = cg_broadcast(b, site->in[2], 2, t.dim, (const int64_t[2]){ 0, -1 });
    CgRef w = cg_mul(b, cg_cast(b, site->in[0], CG_F32), scale), out = cg_matmul(b, site->in[1], w, false, true);
    int first = !cg_dtype_has_derivative(t.dtype);
    gin[0] = CG_NONE;
    cg_build_grads(b, 1, &out, site->gout, 3 - first, site->in + first, gin + first);
}

/* ---- what becomes one ---- */

/* f32 of what is kept: numbers of bf16, or of 8 bits times a scale for each row. */
static bool kept_matrix(CgBuild *b, CgRef r, CgRef *w, CgRef *scale)
{
    CgType t = cg_ref_type(b, r);
    *scale = CG_NONE;
    for (int i = 0; i < 2 && cg_ref_is(b, r, "mul") && *scale == CG_NONE; i++) {
        CgRef s = cg_ref_in(b, r, i);
        const CgAttr *axes = cg_ref_is(b, s, "broadcast") ? cg_attr_find(cg_ref_attrs(b, s), "axes") : NULL;
        if (!axes || axes->n != 2 || axes->ints[0] != 0 || axes->ints[1] != -1)
            continue;
        *scale = cg_ref_in(b, s, 0);
        r = cg_ref_in(b, r, 1 - i);
    }
    if (t.rank != 2 || t.dtype != CG_F32 || !cg_ref_is(b, r, "cast"))
        return false;
    *w = cg_ref_in(b, r, 0);
    CgDtype as = cg_ref_type(b, *w).dtype;
    if (as != CG_BF16 && as != CG_I8)
        return false;
    t.rank = 1;
    if (*scale == CG_NONE)
        *scale = cg_fill(b, t, 1);
    return true;
}

static CgRef narrow_match(CgBuild *b, CgRef root)
{
    CgRef w, scale;
    if (!cg_ref_is(b, root, "matmul"))
        return CG_NONE;
    const CgAttrs *attrs = cg_ref_attrs(b, root);
    if (cg_attr_int(attrs, "ta", 0) || !cg_attr_int(attrs, "tb", 0)
        || !kept_matrix(b, cg_ref_in(b, root, 1), &w, &scale))
        return CG_NONE;
    return cg_build(b, "matmul_narrow", 3, (const CgRef[3]){ w, cg_ref_in(b, root, 0), scale }, NULL);
}

static CgAxisRule narrow_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int last = inf->in[1].rank - 1;
    to->axis = operand == 1 ? axis : last;
    return (operand == 1 && axis == last) || (operand == 0 && axis == 1) ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

static const CgSample narrow_samples[] = {
    { .in = "bf16[37,67] f32[1,67] f32[37]", .low = -2.385, .high = 2.385 },
    { .in = "i8[331,384] f32[1,384] f32[331]", .low = -2.385, .high = 2.385 },
    { .in = "i8[1031,43] f32[3,43] f32[1031]", .low = -2.385, .high = 2.385 },
    { .in = "bf16[613,131] f32[2,8,131] f32[613]", .low = -2.385, .high = 2.385 },
    { .in = "i8[197,67] f32[28,67] f32[197]", .low = -2.385, .high = 2.385 },
    { .in = "bf16[53,1031] f32[21,1031] f32[53]", .low = -2.385, .high = 2.385 },
    { .in = "i8[269,31] f32[5,149,31] f32[269]", .low = -2.385, .high = 2.385 },
    { .in = "bf16[531,149] f32[83,149] f32[531]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_matmul_narrow = {
    CG_OP_HERE,
    .name = "matmul_narrow",
    .sig = "(w: T[N, K], x: f32[..s], scale: f32[N]) -> f32[..r]",
    .doc = "x (.., M, K) times a matrix kept in bf16 or i8, whose rows are the columns of the product: number "
           "(.., i, j) is scale[j] times the sum over k of x[.., i, k] w[j, k], summed in f32.\n",
    .shape = narrow_shape,
    .vjp = narrow_vjp,
    .kernel = { [CG_BF16] = narrow, [CG_I8] = narrow },
    .work = narrow_work,
    .match = narrow_match,
    .axis_rule = narrow_axis_rule,
    .samples = narrow_samples,
};

CG_OPS(matmul_narrow, &op_matmul_narrow)
