/* matmul_narrow.c - products by matrices that are kept in bf16, or in 8 bits with a scale for each row.
 * Takes rows of f32 and a matrix whose rows are the columns of the product; gives f32. One row by a matrix takes as
 * long as reading the matrix does: half the bytes, or a quarter, is half the time, or a quarter. Numbers become f32 in
 * registers. Some rows take as long as multiplying: they and the matrix become integers of 16 bits, of which processors
 * multiply twice as many at a time as of f32. How it is cut follows from the sizes alone, and so do all bits of these.
 */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#include "ops/vector_reduce.h"
#include "ops/widen.h"

#ifdef __AVX512F__
    #define LINES 12 /* rows of the matrix at a time: twice as many sums are in registers */
#else
    #define LINES 6
#endif
#define FEW         3  /* rows that take rows of the matrix as they lie */
#define SOME        28 /* rows that take LINES rows of it at a time, made integers; more use packed products */
#define MOST_GROUPS ((SOME - 1) / WIDTH + 1) /* of WIDTH rows of x, in a vector */
#define BLOCK       128                      /* numbers of x whose products are summed as integers */
#define X_OF_I8     14                       /* bits of such numbers of x: a sum of BLOCK products has at most 30 */
#define X_OF_BF16   12
#define W_OF_BF16   11         /* and of the matrix, where it is of bf16 */
#define PIECE       24         /* rows of the matrix that are not divided among shards: whole LINES */
#define SHARD_BYTES (32 << 10) /* of the matrix, a shard: at least */
#define SHARDS      16         /* shards at most */

#ifdef __clang__
    #define UNROLLED _Pragma("unroll")
#else
    #define UNROLLED _Pragma("GCC unroll 16")
#endif

/* In each lane two integers of 16 bits, or one of 32. */
typedef int32_t Pairs __attribute__((vector_size(WIDTH * sizeof(int32_t))));
typedef uint32_t Bits __attribute__((vector_size(WIDTH * sizeof(uint32_t))));
typedef uint32_t LyingBits __attribute__((vector_size(WIDTH * sizeof(uint32_t)), aligned(2), may_alias));

typedef int16_t Shorts __attribute__((vector_size(2 * WIDTH * sizeof(int16_t))));
typedef int16_t LyingShorts __attribute__((vector_size(2 * WIDTH * sizeof(int16_t)), aligned(2), may_alias));

/* A block of WIDTH rows of x: numbers 2 l and 2 l + 1 of row i, times a power of two, in lane i of pair[l]. */
typedef struct Column {
    Lanes unit; /* what 1 stands for, by row */
    Pairs pair[BLOCK / 2];
} Column;

typedef int16_t Lines[LINES][BLOCK + 32]; /* they do not all fall into the same sets of a cache */

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

/* Of BLOCK numbers of a row. */
static int64_t blocks(const Narrow *p) { return cg_ceil_div(p->k, BLOCK); }

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
        : p.m <= SOME            ? groups(&p) * blocks(&p) * (int64_t)(sizeof(Column) / sizeof(float))
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

/* ---- some rows of x, as columns of 16-bit integers: sums of a block of them are exact ---- */

typedef struct Sums {
    Lanes at[MOST_GROUPS][LINES];
} Sums;

#define WHOLE 0x1.8p23f /* a number below 2^15 plus this has the nearest integer in its lower 16 bits */

static inline int16_t nearest(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x + WHOLE };
    return (int16_t)v.u;
}

static inline float power_of_two(int e)
{
    union {
        uint32_t u;
        float f;
    } v = { (uint32_t)(e + 127) << 23 };
    return v.f;
}

/* The least power of two that no magnitude reaches of which the largest is given, as bits of f32: its exponent, at
 * least -100. */
static inline int exponent_above(uint32_t magnitude)
{
    int e = (int)(magnitude >> 23) - 126;
    return e < -100 ? -100 : e;
}

/* n numbers of a row of x as integers up to 2^bits; gives what 1 stands for, NaN where a number is not finite. */
static float round_row(const float *x, int64_t n, int bits, int16_t *to)
{
    uint32_t most = 0;
    CG_PRAGMA_(omp simd reduction(max : most))
    for (int64_t l = 0; l < n; l++)
        most = cg_magnitude_f32(x[l]) > most ? cg_magnitude_f32(x[l]) : most;
    int e = exponent_above(most);
    float by = power_of_two(bits - e);
    CG_SIMD
    for (int64_t l = 0; l < n; l++)
        to[l] = nearest(x[l] * by);
    return most < CG_ENDLESS_F32 ? power_of_two(e - bits) : NAN;
}

static void round_columns(const Narrow *p, Column *to)
{
    for (int64_t g = 0; g < groups(p); g++)
        for (int64_t l = 0; l < p->k; l += BLOCK, to++) {
            int16_t rows[WIDTH][BLOCK] __attribute__((aligned(64))) = { { 0 } };
            int64_t n = p->k - l < BLOCK ? p->k - l : BLOCK;
            for (int64_t r = 0; r < WIDTH; r++)
                to->unit[r] = g * WIDTH + r < p->m
                    ? round_row(p->x + (g * WIDTH + r) * p->k + l, n, p->size == 1 ? X_OF_I8 : X_OF_BF16, rows[r])
                    : 0;
            for (int64_t r = 0; r < WIDTH; r += 4)
                for (int64_t i = 0; i < BLOCK / 2; i += 4)
                    lanes_transpose_f32(
                        (const void *)&rows[r][2 * i], BLOCK / 2, NULL, (float *)&to->pair[i] + r, WIDTH);
        }
}

/* What is kept of row j is this times whole numbers up to 2^W_OF_BF16, about; of 8 bits they are whole. */
static float unit_of_line(const Narrow *p, int64_t j)
{
    uint32_t most = 0;
    if (p->size == 1)
        return 1;
    const uint16_t *w = (const uint16_t *)p->w + j * p->k;
    uint16_t top = 0;
    CG_PRAGMA_(omp simd reduction(max : top))
    for (int64_t l = 0; l < p->k; l++)
        top = (uint16_t)(w[l] & 0x7fff) > top ? (uint16_t)(w[l] & 0x7fff) : top;
    most = (uint32_t)top << 16;
    return most < CG_ENDLESS_F32 ? power_of_two(exponent_above(most) - W_OF_BF16) : NAN;
}

#if defined(__AVX512F__)
static inline Shorts short_i8(const int8_t *at)
{
    return (Shorts)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)at));
}
#elif defined(__AVX2__)
static inline Shorts short_i8(const int8_t *at)
{
    return (Shorts)_mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)at));
}
#else
static inline Shorts short_i8(const int8_t *at)
{
    return (Shorts){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7] };
}
#endif

/* n numbers of the matrix, from the first of them on, as such; of an odd number a 0 behind them. */
static inline __attribute__((always_inline)) void round_line(
    const Narrow *p, int64_t first, int64_t n, float unit, int16_t *to)
{
    const char *from = p->w + first * p->size;
    const float by = 1 / unit;
    int64_t l = 0;
    to[n] = 0;
    if (p->size == 1) {
        for (; l + 2 * WIDTH <= n; l += 2 * WIDTH)
            *(LyingShorts *)(to + l) = short_i8((const int8_t *)from + l);
        for (; l < n; l++)
            to[l] = *(const int8_t *)(from + l);
        return;
    }
    for (; l + 2 * WIDTH <= n; l += 2 * WIDTH) {
        Bits two = *(const LyingBits *)(from + 2 * l);
        Bits even = (Bits)((Lanes)(two << 16) * by + WHOLE), odd = (Bits)((Lanes)(two & 0xffff0000u) * by + WHOLE);
        *(LyingBits *)(to + l) = (even & 0xffffu) | odd << 16;
    }
    for (; l < n; l++)
        to[l] = nearest(cg_bf16_value(*(const uint16_t *)(from + 2 * l)) * by);
}

static void round_lines(const Narrow *p, int64_t first, int64_t lines, int64_t n, const float *unit, Lines to)
{
    for (int64_t i = 0; i < lines; i++)
        if (n == BLOCK)
            round_line(p, first + i * p->k, BLOCK, unit[i], to[i]);
        else
            round_line(p, first + i * p->k, n, unit[i], to[i]);
}

#if defined(__AVX512F__)
    #define PRODUCTS(x, y) (Pairs) _mm512_madd_epi16((__m512i)(x), (__m512i)(y))
#elif defined(__AVX2__)
    #define PRODUCTS(x, y) (Pairs) _mm256_madd_epi16((__m256i)(x), (__m256i)(y))
#elif defined(__SSE2__)
    #define PRODUCTS(x, y) (Pairs) _mm_madd_epi16((__m128i)(x), (__m128i)(y))
#else
    #define PRODUCTS(x, y) ((x) << 16 >> 16) * ((y) << 16 >> 16) + ((x) >> 16) * ((y) >> 16)
#endif
#define PLUS_PRODUCTS(sum, x, y) (sum) + PRODUCTS(x, y)

/* Adds a block of LINES rows of the matrix, times N columns of x from x and x + `apart` on, to s[N]. For each pair
 * `step` bytes from `next` on are fetched. */
#define ADD_LINES(name, N, with, plus)                                                                          \
    with static void name##_##N(int64_t pairs, const Column *x, int64_t apart, const Lines w, Lanes(*s)[LINES], \
        const char *next, int64_t step)                                                                         \
    {                                                                                                           \
        Pairs t[N][LINES] = { { { 0 } } };                                                                      \
        for (int64_t l = 0; l < pairs; l++, next += step) {                                                     \
            __builtin_prefetch(next, 0, 2);                                                                     \
            UNROLLED                                                                                            \
            for (int i = 0; i < LINES; i++) {                                                                   \
                int32_t two;                                                                                    \
                memcpy(&two, &w[i][2 * l], sizeof two);                                                         \
                Pairs by = two - (Pairs){ 0 };                                                                  \
                UNROLLED                                                                                        \
                for (int g = 0; g < N; g++)                                                                     \
                    t[g][i] = plus(t[g][i], x[g * apart].pair[l], by);                                          \
            }                                                                                                   \
        }                                                                                                       \
        UNROLLED                                                                                                \
        for (int g = 0; g < N; g++)                                                                             \
            UNROLLED                                                                                            \
        for (int i = 0; i < LINES; i++)                                                                         \
            s[g][i] += __builtin_convertvector(t[g][i], Lanes) * x[g * apart].unit;                             \
    }
typedef void AddLines(
    int64_t pairs, const Column *x, int64_t apart, const Lines w, Lanes (*s)[LINES], const char *next, int64_t step);

ADD_LINES(add_lines, 1, , PLUS_PRODUCTS)
ADD_LINES(add_lines, 2, , PLUS_PRODUCTS)
#ifdef __AVX512F__
    #define VNNI                     __attribute__((target("avx512vnni")))
    #define VNNI_PRODUCTS(sum, x, y) (Pairs) _mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(y))
ADD_LINES(add_lines_vnni, 1, VNNI, VNNI_PRODUCTS)
ADD_LINES(add_lines_vnni, 2, VNNI, VNNI_PRODUCTS)
#endif

/* Of n = 1 or 2 columns. */
static AddLines *add_lines(int n)
{
#ifdef __AVX512F__
    if (__builtin_cpu_supports("avx512vnni"))
        return n > 1 ? add_lines_vnni_2 : add_lines_vnni_1;
#endif
    return n > 1 ? add_lines_2 : add_lines_1;
}

static void write_lines(const Narrow *p, const Sums *s, int64_t j, int64_t lines)
{
    for (int64_t r = 0; r < p->m; r += 4)
        for (int64_t i = 0; i < lines; i += 4) {
            const float *from = (const float *)&s->at[r / WIDTH][i] + r % WIDTH;
            float *to = p->z + r * p->n + j + i;
            if (r + 4 <= p->m && i + 4 <= lines)
                lanes_transpose_f32(from, WIDTH, NULL, to, p->n);
            else
                for (int64_t a = 0; a < 4 && r + a < p->m; a++)
                    for (int64_t b = 0; b < 4 && i + b < lines; b++)
                        to[a * p->n + b] = from[b * WIDTH + a];
        }
}

static void some_rows(const Narrow *p, int64_t from, int64_t to, CgShard shard)
{
    Column *x = shard.scratch;
    if (!shard.reused)
        round_columns(p, x);
    for (int64_t j = from; j < to; j += LINES) {
        Sums s = { { { { 0 } } } };
        Lines w __attribute__((aligned(64)));
        float unit[LINES];
        int64_t lines = to - j < LINES ? to - j : LINES;
        if (lines < LINES)
            memset(w, 0, sizeof w);
        for (int64_t i = 0; i < lines; i++)
            unit[i] = unit_of_line(p, j + i);
        for (int64_t b = 0; b < blocks(p); b++) {
            int64_t n = p->k - b * BLOCK < BLOCK ? p->k - b * BLOCK : BLOCK, g = 0, step = 2 * LINES * p->size;
            const char *next = p->w + (j + LINES) * p->k * p->size + b * BLOCK / 2 * step;
            round_lines(p, j * p->k + b * BLOCK, lines, n, unit, w);
            for (; g + 1 < groups(p); g += 2)
                add_lines(2)(cg_ceil_div(n, 2), x + g * blocks(p) + b, blocks(p), w, &s.at[g], next, step);
            if (g < groups(p))
                add_lines(1)(cg_ceil_div(n, 2), x + g * blocks(p) + b, 0, w, &s.at[g], next, step);
        }
        for (int64_t g = 0; g < groups(p); g++)
            for (int64_t i = 0; i < lines; i++)
                s.at[g][i] *= unit[i] * p->scale[j + i];
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
    .version = 2,
    .sig = "(w: T[N, K], x: f32[..s], scale: f32[N]) -> f32[..r]",
    .doc = "x (.., M, K) times a matrix kept in bf16 or i8, whose rows are the columns of the product: number "
           "(.., i, j) is scale[j] times the sum over k of x[.., i, k] w[j, k], summed in f32.\n\n"
           "4 to 28 rows of x are multiplied as whole numbers of 16 bits: in blocks of 128 each number of a row is "
           "rounded to 2^-14 of the largest of them, beside bf16 to 2^-12, and w of bf16 to 2^-11 of the largest of "
           "its row. The sums of a block are then exact. A row with a number that is not finite gives NaN.\n",
    .shape = narrow_shape,
    .vjp = narrow_vjp,
    .kernel = { [CG_BF16] = narrow, [CG_I8] = narrow },
    .work = narrow_work,
    .match = narrow_match,
    .axis_rule = narrow_axis_rule,
    .traits = CG_TAKES_NARROW,
    .samples = narrow_samples,
};

CG_OPS(matmul_narrow, &op_matmul_narrow)
