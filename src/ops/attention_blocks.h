/* attention_blocks.h - how attention and its derivative are computed, block by block; part of attention.c.
 * Takes q, k, v by head, with any strides; gives results in any order of axes. Scores stand on their side, S' = k q': a
 * few keys by a panel of queries become weights before they leave the registers (cg_gemm_weigh, cg_gemm_slope), go down
 * the columns, and are never stored whole; blocks above the diagonal are skipped. Factors that many blocks share are
 * packed once a head, see CgGemm. Milakov and Gimelshein 2018 (the running maximum); Dao et al., "FlashAttention",
 * 2022. */
#ifndef CG_OPS_ATTENTION_BLOCKS_H
#define CG_OPS_ATTENTION_BLOCKS_H

#include <float.h>

#include <cg/vmath.h>

#include "ops/attention_heads.h"

#define T          float
#define NAME(word) word##_f32
#define EX2        cg_exp2_low_f32
#define LG         cg_log_f32
#include "ops/attention_small.h"
#undef T
#undef NAME
#undef EX2
#undef LG
#define T          double
#define NAME(word) word##_f64
#define EX2        exp2
#define LG         log
#include "ops/attention_small.h"
#undef T
#undef NAME
#undef EX2
#undef LG

#define MANY 256 /* queries that the derivative takes at a time: the depth of the products that make gk and gv */
#define KEY_ROWS \
    12 /* keys that the derivative takes at a time, at most: twice as many rows as cg_gemm_slope has in registers */

enum { STEP = MANY + 16 }; /* from row to row of scores: rows do not all fall into the same cache sets */

/* Blocks of keys, of at most `tall` rows that a panel holds: about equal, and begun at even rows, so that pairs of rows
 * can be packed. */
static int64_t row_blocks(const CgGemm *g, int64_t rows, int64_t tall)
{
    return ceil_div((rows + 1) / 2, most(1, least(g->mr, tall) / 2));
}

static int64_t block_row(int64_t rows, int64_t blocks, int64_t i)
{
    return least(rows, (rows + 1) / 2 * i / blocks * 2);
}

/* ---- memory ---- */

/* How a factor is packed. */
static CgGemm factors(
    const CgCall *call, bool ta, bool tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, bool a16, bool b16)
{
    CgGemm g = { .dtype = call->out->dtype,
        .bf16 = call->bf16,
        .a16 = a16,
        .b16 = b16,
        .ta = ta,
        .tb = tb,
        .m = m,
        .n = n,
        .k = k,
        .lda = lda,
        .ldb = ldb };
    cg_gemm_layout(&g);
    return g;
}

static bool is_half(const CgTensor *x) { return x && x->dtype == CG_BF16; }

/* The factors: x (n, K) by rows as the left one of scores, and as the right one; `depth` rows of it as the left factor
 * of a sum over them, transposed, and as the right one. x is NULL for scores. */
static CgGemm rows_left(const CgCall *call, const CgTensor *x, int64_t n, int64_t k, int64_t ld)
{
    return factors(call, false, true, n, 1, k, ld, k, is_half(x), false);
}
static CgGemm rows_right(const CgCall *call, const CgTensor *x, int64_t n, int64_t k, int64_t ld)
{
    return factors(call, false, true, 1, n, k, k, ld, false, is_half(x));
}
static CgGemm sum_left(const CgCall *call, const CgTensor *x, int64_t depth, int64_t k, int64_t ld)
{
    return factors(call, true, false, k, 1, depth, ld, 1, is_half(x), false);
}
static CgGemm sum_right(const CgCall *call, const CgTensor *x, int64_t depth, int64_t k, int64_t ld)
{
    return factors(call, false, false, 1, k, depth, depth, ld, false, is_half(x));
}

/* Whether scores as factors of later products have a form of their own: else they are used where they lie. */
static bool is_packed(const CgCall *call) { return rows_left(call, NULL, QUERIES, MANY, STEP).left_bytes != 0; }

/* Queries of a block: a panel of the right factor. */
static int64_t lanes_of(const CgCall *call) { return rows_right(call, NULL, 1, 1, 1).nr; }

/* Pieces of the scratch memory of a part; all NULL when only their size is asked for. */
typedef struct Forward {
    void *keys, *values, *queries, *tile, *p, *acc, *k, *v, *q, *base, *sum, *shrink;
    size_t bytes;
} Forward;

static Forward forward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype);
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
    int64_t lanes = lanes_of(call);
    CgGemm scores = rows_left(call, k, z->s, z->k, row_step(k));
    Forward f = { .bytes = 0 };
    if (z->t <= THIN) {
        f.p = take(scratch, &f.bytes, (size_t)(z->s + 16) * size);
        return f;
    }
    f.keys = take(scratch, &f.bytes, scores.left_bytes);
    f.values = take(scratch, &f.bytes, (size_t)z->blocks * sum_left(call, v, KEYS, z->k, row_step(v)).left_bytes);
    f.queries = take(scratch, &f.bytes, rows_right(call, q, lanes, z->k, z->k).right_bytes);
    f.tile = take(scratch, &f.bytes, (size_t)(scores.mr * lanes) * size);
    f.p = take(scratch, &f.bytes, sum_right(call, NULL, KEYS, lanes, lanes).right_bytes);
    f.acc = take(scratch, &f.bytes, (size_t)(z->k * lanes) * size);
    f.k = take(scratch, &f.bytes, copy_bytes(k, z->s));
    f.v = take(scratch, &f.bytes, copy_bytes(v, z->s));
    f.q = take(scratch, &f.bytes, copy_bytes(q, lanes));
    f.base = take(scratch, &f.bytes, (size_t)lanes * size);
    f.sum = take(scratch, &f.bytes, (size_t)lanes * size);
    f.shrink = take(scratch, &f.bytes, (size_t)lanes * size);
    return f;
}

typedef struct Backward {
    void *keys, *values, *turned;     /* left factors: k, v, k' */
    void *qt, *gt, *queries, *slopes; /* right factors: q', gy', q, gy */
    void *p, *dp, *left_p, *left_dp, *right_dp, *gq;
    void *k, *v, *q, *y, *g, *base, *delta, *row;
    size_t bytes;
} Backward;

static Backward backward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype);
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2], *y = &call->in[3], *g = &call->in[5];
    int64_t wide = ceil_div(MANY, lanes_of(call)) * lanes_of(call);
    size_t packed = rows_left(call, NULL, QUERIES, MANY, STEP).left_bytes;
    Backward f = { .bytes = 0 };
    f.keys = take(scratch, &f.bytes, rows_left(call, k, z->s, z->k, row_step(k)).left_bytes);
    f.values = take(scratch, &f.bytes, rows_left(call, v, z->s, z->k, row_step(v)).left_bytes);
    f.turned = take(scratch, &f.bytes, (size_t)z->blocks * sum_left(call, k, KEYS, z->k, row_step(k)).left_bytes);
    f.qt = take(scratch, &f.bytes, rows_right(call, q, MANY, z->k, z->k).right_bytes);
    f.gt = take(scratch, &f.bytes, rows_right(call, g, MANY, z->k, z->k).right_bytes);
    f.queries = take(scratch, &f.bytes, sum_right(call, q, MANY, z->k, z->k).right_bytes);
    f.slopes = take(scratch, &f.bytes, sum_right(call, g, MANY, z->k, z->k).right_bytes);
    f.p = take(scratch, &f.bytes, (size_t)(QUERIES * STEP) * size);
    f.dp = take(scratch, &f.bytes, (size_t)((packed ? QUERIES : KEYS) * STEP) * size);
    f.left_p = take(scratch, &f.bytes, packed);
    f.left_dp = take(scratch, &f.bytes, packed);
    f.right_dp = take(scratch, &f.bytes, packed ? sum_right(call, NULL, KEYS, wide, wide).right_bytes : 0);
    f.gq = take(scratch, &f.bytes, (size_t)(z->k * STEP) * size);
    f.k = take(scratch, &f.bytes, copy_bytes(k, z->s));
    f.v = take(scratch, &f.bytes, copy_bytes(v, z->s));
    f.q = take(scratch, &f.bytes, copy_bytes(q, MANY));
    f.y = take(scratch, &f.bytes, copy_bytes(y, MANY));
    f.g = take(scratch, &f.bytes, copy_bytes(g, MANY));
    f.base = take(scratch, &f.bytes, (size_t)wide * size);
    f.delta = take(scratch, &f.bytes, (size_t)wide * size);
    f.row = take(scratch, &f.bytes, (size_t)z->k * size);
    return f;
}

static size_t small_memory(const CgCall *call, const Sizes *z, bool backward)
{
    size_t wide = (size_t)ceil_div(z->t, 16) * 16, deep = (size_t)ceil_div(z->k, 16) * 16, d = (size_t)z->k,
           s = (size_t)z->s, bytes = 0;
    size_t numbers = (2 * d + s) * wide + 2 * wide; /* q', p, y' or gq'; base, sum or delta */
    if (backward)
        numbers += (d + s) * wide + (wide + s) * deep; /* gy', dp; q or gy, gk or gv */
    take(NULL, &bytes, numbers * cg_dtype_size(call->out->dtype) + 16 * 64);
    for (int i = 0; i < call->nin; i++)
        if (call->in[i].rank == 4)
            take(NULL, &bytes, copy_bytes(&call->in[i], call->in[i].dim[2]));
    return bytes;
}

/* ---- a result that is kept as bf16: a head of it is made in f32 in scratch memory ---- */

static size_t held_bytes(const CgTensor *x)
{
    size_t bytes = 0;
    if (is_half(x))
        take(NULL, &bytes, (size_t)(x->dim[2] * x->dim[3]) * sizeof(float));
    return bytes;
}

/* The call with result k in scratch memory; `out` is room for its results. */
static CgCall held_call(const CgCall *call, int k, CgTensor *out, void *scratch)
{
    CgCall of = *call;
    if (!is_half(&call->out[k]))
        return of;
    for (int i = 0; i < call->nout; i++)
        out[i] = call->out[i];
    out[k].data = scratch;
    out[k].dtype = CG_F32;
    out[k].stride[0] = out[k].stride[1] = 0;
    out[k].stride[2] = out[k].dim[3];
    out[k].stride[3] = 1;
    of.out = out;
    return of;
}

/* Rows from .. to of a head are there. */
static void held_round(const CgTensor *x, int64_t head, int64_t from, int64_t to, const void *scratch)
{
    int64_t k = x->dim[3];
    for (int64_t i = from; is_half(x) && i < to; i++)
        cg_bf16_round(
            (const float *)scratch + i * k, (uint16_t *)x->data + head_offset(x, head) + i * x->stride[2], (size_t)k);
}

static double tensor_bytes(const CgTensor *x) { return (double)cg_tensor_count(x) * (double)cg_dtype_size(x->dtype); }

static void attention_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    *work =
        (CgWork){ .flops = 4.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)(z.groups * z.ranges) };
    for (int i = 0; i < 5; i++)
        work->bytes += tensor_bytes(i < 3 ? &call->in[i] : &call->out[i - 3]);
    if (!work->parts)
        work->parts = 1;
    CgTensor out[2];
    CgCall of = held_call(call, 0, out, NULL);
    work->scratch = held_bytes(&call->out[0]);
    if (z.heads && z.t && z.s && z.k)
        work->scratch +=
            is_small(&z) && z.t > THIN ? small_memory(&of, &z, false) : forward_memory(&of, &z, NULL).bytes;
}

static void attention_vjp_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    /* four products; the scores, computed once more, are no useful work */
    *work = (CgWork){ .flops = 8.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)z.groups };
    for (int i = 0; i < 9; i++)
        work->bytes += tensor_bytes(i < 6 ? &call->in[i] : &call->out[i - 6]);
    if (!work->parts)
        work->parts = 1;
    work->scratch = held_bytes(&call->out[2]);
    if (z.heads && z.t && z.s && z.k)
        work->scratch += is_small(&z) ? small_memory(call, &z, true) : backward_memory(call, &z, NULL).bytes;
}

/* q, k and v go into factors that are rounded, but those of few queries or small heads are used as they lie, in f32. */
static uint32_t attention_rounds(const CgCall *call)
{
    Sizes z = sizes_of(call);
    return call->bf16 && z.t > THIN && !is_small(&z) ? 7 : 0;
}

/* And y, in sum(gy y). */
static uint32_t attention_vjp_rounds(const CgCall *call)
{
    Sizes z = sizes_of(call);
    return call->bf16 && !is_small(&z) ? 15 : 0;
}

/* A row as it is after rounding, of f32 or of what has been rounded. */
static void rounded_row(const void *x, bool half, float *to, int64_t n)
{
    if (half) {
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            to[i] = cg_bf16_value(((const uint16_t *)x)[i]);
    } else {
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            to[i] = cg_bf16_value((uint16_t)(cg_bf16_bits(((const float *)x)[i]) >> 16));
    }
}

/* The blocks of `lanes` queries of range i. */
static int64_t range_begin(const Sizes *z, int64_t lanes, int64_t i)
{
    return least(z->t, ceil_div(z->t, lanes) * i / z->ranges * lanes);
}

/* ---- kernels ---- */

/* ---- memory that will be needed ----
 * Rows of a head often lie apart from each other, where no processor guesses the next one. They are asked for a while
 * before they are read, to be found in the second-level cache; a few at a time, since a processor waits for room when
 * it has asked for more than it can keep track of. */

typedef struct Ahead {
    CgAhead of[6];
    int n, now;
    int64_t rows;  /* of all */
    int64_t share; /* rows asked for at a time */
} Ahead;

static void ahead_add(Ahead *a, const CgTensor *x, int64_t head, int64_t from, int64_t to)
{
    int64_t size = (int64_t)cg_dtype_size(x->dtype);
    if (x->stride[3] != 1 || to <= from)
        return;
    const char *at = (const char *)x->data + (head_offset(x, head) + from * x->stride[2]) * size;
    a->of[a->n++] = (CgAhead){ .at = at, .rows = to - from, .bytes = x->dim[3] * size, .step = x->stride[2] * size };
    a->rows += to - from;
}

/* The next `rows` rows. */
static void ahead_fetch(Ahead *a, int64_t rows)
{
    while (rows > 0 && a->now < a->n) {
        CgAhead *x = &a->of[a->now];
        const char *at = x->at;
        int64_t n = least(rows, x->rows);
        rows -= n;
        x->at = at + n * x->step;
        x->rows -= n;
        if (!x->rows)
            a->now++;
        for (; n > 0; n--, at += x->step)
            for (int64_t b = 0; b < x->bytes; b += 64)
                __builtin_prefetch(at + b, 0, 2);
    }
}

/* All in `times` times. */
static void ahead_split(Ahead *a, int64_t times) { a->share = ceil_div(a->rows, most(1, times)); }

static void ahead_keys(Ahead *a, const CgCall *call, int64_t head)
{
    for (int k = 1; k < 3; k++)
        ahead_add(a, &call->in[k], head, 0, call->in[k].dim[2]);
}

/* What the derivative reads and writes of queries from `from` on. */
static void ahead_queries(Ahead *a, const CgCall *call, int64_t head, int64_t from)
{
    int64_t to = least(call->in[0].dim[2], from + MANY);
    const CgTensor *const of[4] = { &call->in[0], &call->in[3], &call->in[5], &call->out[0] };
    for (int i = 0; i < 4; i++)
        ahead_add(a, of[i], head, from, to);
}

/* Rows n0 .. n1 of keys or values, which lie from `x` on, ld apart, are packed: as rows of a left factor; as numbers n0
 * .. of the sums over them, which are packed by blocks of KEYS. Bounds are even, or the last. Factors that need not be
 * packed are left alone. */
static void pack_rows(const CgGemm *g, const void *x, int64_t n0, int64_t n1)
{
    size_t row = g->left_bytes / (size_t)g->m;
    CgGemm part = *g;
    if (!g->left_bytes || n1 <= n0)
        return;
    part.m = n1 - n0;
    part.left_panels = ceil_div(part.m, part.mr);
    part.left = (char *)g->left + (size_t)n0 * row;
    cg_gemm_pack_left(&part, (const char *)x + n0 * g->lda * cg_gemm_left_size(g), 0, part.left_panels, 0, g->k);
}

static void pack_sums(const CgGemm *g, const void *x, void *to, int64_t n0, int64_t n1)
{
    CgGemm part = *g;
    if (!g->left_bytes)
        return;
    for (int64_t end; n0 < n1; n0 = end) {
        end = least(n1, (n0 / KEYS + 1) * KEYS);
        part.left = (char *)to + (size_t)(n0 / KEYS) * g->left_bytes;
        cg_gemm_pack_left(&part, (const char *)x + n0 * g->lda * cg_gemm_left_size(g), 0, part.left_panels, n0 % KEYS,
            end - n0 / KEYS * KEYS);
    }
}

static void pack_right(CgGemm *g, const void *from, void *to, int64_t depth)
{
    g->b = from;
    g->right = to;
    cg_gemm_pack_right(g, 0, g->right_panels, 0, depth);
}

#define MAX_f32 FLT_MAX
#define MAX_f64 DBL_MAX

#define ATTENTION(T, suffix, ex2, lg)                                                                                  \
    /* p = 2^(turn p - base) of n numbers, base the greatest of turn p; the sum of that. Whole vectors. */             \
    static T weights_##suffix(T *p, int64_t n, T turn, T *base)                                                        \
    {                                                                                                                  \
        int64_t whole = (n + 15) / 16 * 16;                                                                            \
        Lanes_##suffix high = (Lanes_##suffix){ 0 } - (T)INFINITY, total = { 0 };                                      \
        for (int64_t j = n; j < whole; j++)                                                                            \
            p[j] = -(T)INFINITY;                                                                                       \
        for (int64_t j = 0; j < whole; j += 16)                                                                        \
            lanes_max_##suffix((const Lanes_##suffix *)(p + j), &high);                                                \
        T top = lanes_greatest_##suffix(&high);                                                                        \
        top = top > -(T)INFINITY ? top * turn : 0;                                                                     \
        for (int64_t j = 0; j < whole; j += 16) {                                                                      \
            CG_SIMD                                                                                                    \
            for (int64_t c = j; c < j + 16; c++)                                                                       \
                p[c] = ex2(p[c] * turn - top);                                                                         \
            total += *(const Lanes_##suffix *)(p + j);                                                                 \
        }                                                                                                              \
        *base = top;                                                                                                   \
        return lanes_total_##suffix(&total);                                                                           \
    }                                                                                                                  \
    /* A few queries: every key and value is read where it lies, once for each. */                                     \
    static void few_##suffix(const CgCall *call, const Sizes *z, int64_t head, T *p)                                   \
    {                                                                                                                  \
        const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];                                        \
        const T *qs = (const T *)q->data + head_offset(q, head), *ks = (const T *)k->data + head_offset(k, head);      \
        const T *vs = (const T *)v->data + head_offset(v, head);                                                       \
        for (int64_t i = 0; i < z->t; i++) {                                                                           \
            const T *x = qs + i * q->stride[2];                                                                        \
            T *y = (T *)call->out[0].data + head_offset(&call->out[0], head) + i * call->out[0].stride[2], base, sum;  \
            int64_t seen = least(z->s, i + z->ahead + 1), d = z->k, sq = q->stride[3];                                 \
            for (int64_t j = 0; j < seen; j++) {                                                                       \
                const T *key = ks + j * k->stride[2];                                                                  \
                T s = 0;                                                                                               \
                if (k->stride[3] == 1 && sq == 1) {                                                                    \
                    s = lanes_dot_##suffix(x, key, d);                                                                 \
                } else {                                                                                               \
                    for (int64_t c = 0; c < d; c++)                                                                    \
                        s += x[c * sq] * key[c * k->stride[3]];                                                        \
                }                                                                                                      \
                p[j] = s * (T)z->alpha;                                                                                \
            }                                                                                                          \
            sum = weights_##suffix(p, seen, (T)z->turn, &base);                                                        \
            for (int64_t c = 0; c < d; c++)                                                                            \
                y[c] = 0;                                                                                              \
            for (int64_t j = 0; j < seen; j++) {                                                                       \
                const T *value = vs + j * v->stride[2];                                                                \
                T w = p[j];                                                                                            \
                if (v->stride[3] == 1) {                                                                               \
                    CG_SIMD                                                                                            \
                    for (int64_t c = 0; c < d; c++)                                                                    \
                        y[c] += w * value[c];                                                                          \
                } else {                                                                                               \
                    for (int64_t c = 0; c < d; c++)                                                                    \
                        y[c] += w * value[c * v->stride[3]];                                                           \
                }                                                                                                      \
            }                                                                                                          \
            T by = sum > 0 ? 1 / sum : sum;                                                                            \
            for (int64_t c = 0; c < d; c++)                                                                            \
                y[c] *= by;                                                                                            \
            ((T *)call->out[1].data + head_offset(&call->out[1], head))[i] = base * (T)LN_2 + lg(sum);                 \
        }                                                                                                              \
    }                                                                                                                  \
    /* A range of the queries of a head, in blocks whose queries are the columns: S' = k q', P' = 2^(turn S' - base),  \
     * and y' = v' P' / sum. */                                                                                        \
    static void forward_##suffix(                                                                                      \
        const CgCall *call, Sizes z, int64_t head, bool begin, bool next, int64_t range, void *scratch)                \
    {                                                                                                                  \
        int64_t d = z.k, lanes = lanes_of(call), ldk, ldv, ldq, out = call->out[0].stride[2];                          \
        int64_t first = range_begin(&z, lanes, range), last = range_begin(&z, lanes, range + 1);                       \
        T *y = (T *)call->out[0].data + head_offset(&call->out[0], head),                                              \
          *lse = (T *)call->out[1].data + head_offset(&call->out[1], head);                                            \
        if (!z.s || !d) {                                                                                              \
            zero_##suffix(y, out, first, last, d);                                                                     \
            for (int64_t i = first; i < last; i++)                                                                     \
                lse[i] = z.s ? lg((T)least(z.s, i + z.ahead + 1)) : -INFINITY;                                         \
            return;                                                                                                    \
        }                                                                                                              \
        if (is_small(&z) && z.t > THIN) {                                                                              \
            small_forward_##suffix(call, &z, head, scratch);                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        Forward f = forward_memory(call, &z, scratch);                                                                 \
        if (z.t <= THIN) {                                                                                             \
            few_##suffix(call, &z, head, f.p);                                                                         \
            return;                                                                                                    \
        }                                                                                                              \
        int64_t sees = least(z.s, first + lanes + z.ahead); /* keys that the first block sees */                       \
        Ahead start = { .n = 0 };                                                                                      \
        for (int x = 0; begin && x < 3; x++)                                                                           \
            ahead_add(&start, &call->in[x], head, x ? 0 : first, x ? sees : least(last, first + lanes));               \
        ahead_fetch(&start, start.rows);                                                                               \
        const char *k = rows_of(&call->in[1], head, 0, z.s, f.k, &ldk),                                                \
                   *v = rows_of(&call->in[2], head, 0, z.s, f.v, &ldv);                                                \
        CgGemm scores = rows_left(call, &call->in[1], z.s, d, ldk), sums = sum_left(call, &call->in[2], KEYS, d, ldv); \
        CgGemm p = sum_right(call, NULL, KEYS, lanes, lanes);                                                          \
        int64_t have = 0; /* keys packed so far */                                                                     \
        scores.a = k;                                                                                                  \
        scores.b16 = is_half(&call->in[0]);                                                                            \
        scores.left = scores.left_bytes ? f.keys : NULL;                                                               \
        p.right = sums.right = f.p;                                                                                    \
        sums.n = lanes;                                                                                                \
        T *base = f.base, *sum = f.sum, *shrink = f.shrink, *acc = f.acc;                                              \
        bool packed = is_packed(call);                                                                                 \
        CgGemmWeigh weigh = { .alpha = z.alpha,                                                                        \
            .turn = z.turn,                                                                                            \
            .base = base,                                                                                              \
            .sum = sum,                                                                                                \
            .shrink = shrink,                                                                                          \
            .c = f.tile,                                                                                               \
            .ldc = lanes,                                                                                              \
            .right = &p };                                                                                             \
        for (int64_t i0 = first; i0 < last; i0 += lanes) {                                                             \
            int64_t n = least(lanes, last - i0), end = least(z.s, i0 + n + z.ahead);                                   \
            /* What the next block reads and writes that no block before it did. */                                    \
            bool more = i0 + lanes < last;                                                                             \
            int64_t i1 = more ? i0 + lanes : first, e1 = more ? least(z.s, i1 + lanes + z.ahead) : sees,               \
                    to = more ? head : head + 1;                                                                       \
            Ahead ahead = { .n = 0 };                                                                                  \
            for (int x = 0; (more || next) && x < 4; x++)                                                              \
                ahead_add(&ahead, x < 3 ? &call->in[x] : call->out, to, x % 3 ? more ? end : 0 : i1,                   \
                    x % 3 ? e1 : least(last, i1 + lanes));                                                             \
            ahead_split(&ahead, row_blocks(&scores, end, QUERIES));                                                    \
            pack_rows(&scores, k, have, end);                                                                          \
            pack_sums(&sums, v, f.values, have / 2 * 2, end);                                                          \
            have = most(have, end);                                                                                    \
            const void *q = rows_of(&call->in[0], head, i0, n, f.q, &ldq);                                             \
            scores.n = n;                                                                                              \
            scores.ldb = ldq;                                                                                          \
            scores.right_panels = 1;                                                                                   \
            pack_right(&scores, q, f.queries, d);                                                                      \
            for (int64_t i = 0; i < lanes; i++)                                                                        \
                base[i] = -MAX_##suffix;                                                                               \
            for (int64_t i = 0; i < lanes; i++)                                                                        \
                sum[i] = 0;                                                                                            \
            bool some = false; /* acc holds something */                                                               \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                               \
                int64_t wide = least(KEYS, end - s0), cuts = row_blocks(&scores, wide, QUERIES);                       \
                sums.a = v + s0 * ldv * cg_gemm_left_size(&sums);                                                      \
                if (sums.left_bytes)                                                                                   \
                    sums.left = (char *)f.values + (size_t)(s0 / KEYS) * sums.left_bytes;                              \
                for (int64_t b = 0; b < cuts; b++) {                                                                   \
                    int64_t j = block_row(wide, cuts, b), rows = block_row(wide, cuts, b + 1) - j;                     \
                    if (!packed)                                                                                       \
                        weigh.c = (T *)f.p + j * lanes;                                                                \
                    weigh.hidden = s0 + j - i0 - z.ahead;                                                              \
                    ahead_fetch(&ahead, ahead.share);                                                                  \
                    weigh.k = j;                                                                                       \
                    if (!cg_gemm_weigh(&scores, s0 + j, rows, 0, &weigh))                                              \
                        continue;                                                                                      \
                    for (int64_t c = 0; some && c < d; c++) {                                                          \
                        CG_SIMD                                                                                        \
                        for (int64_t i = 0; i < lanes; i++)                                                            \
                            acc[c * lanes + i] *= shrink[i];                                                           \
                    }                                                                                                  \
                }                                                                                                      \
                cg_gemm_run(&sums, (CgGemmRange){ 0, sums.left_panels, 0, 1, 0, wide }, 1, some, acc, lanes);          \
                some = true;                                                                                           \
            }                                                                                                          \
            for (int64_t i = 0; i < n; i++)                                                                            \
                lse[i0 + i] = base[i] * (T)LN_2 + lg(sum[i]);                                                          \
            for (int64_t i = 0; i < n; i++)                                                                            \
                sum[i] = sum[i] > 0 ? 1 / sum[i] : sum[i];                                                             \
            turned_##suffix(acc, lanes, d, n, sum, y + i0 * out, out);                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    /* With P = exp(scale S - lse): gv = P' gy, dP = gy v', dS = P (dP - sum(gy y)), gq = scale dS k, gk = scale dS'   \
     * q. A block has the rows of some keys: S' = k q'. Its part of gv and gk is summed at once; dS' is kept for gq' = \
     * k' dS'. A head is the work of one part, so that all is summed in one order. */                                  \
    static void backward_##suffix(const CgCall *call, Sizes z, int64_t head, bool begin, bool next, void *scratch)     \
    {                                                                                                                  \
        const CgTensor *lses = &call->in[4];                                                                           \
        int64_t d = z.k, lanes = lanes_of(call), ldk, ldv, ldq, ldy, ldg;                                              \
        T *gq = (T *)call->out[0].data + head_offset(&call->out[0], head);                                             \
        T *gk = (T *)call->out[1].data + head_offset(&call->out[1], head);                                             \
        T *gv = (T *)call->out[2].data + head_offset(&call->out[2], head);                                             \
        int64_t gqs = call->out[0].stride[2], gks = call->out[1].stride[2], gvs = call->out[2].stride[2];              \
        int64_t fresh = 0; /* keys whose gk and gv hold something */                                                   \
        if (!z.s || !d || !z.t) {                                                                                      \
            zero_##suffix(gk, gks, 0, z.s, d);                                                                         \
            zero_##suffix(gv, gvs, 0, z.s, d);                                                                         \
            zero_##suffix(gq, gqs, 0, z.t, d);                                                                         \
            return;                                                                                                    \
        }                                                                                                              \
        if (is_small(&z)) {                                                                                            \
            small_backward_##suffix(call, &z, head, scratch);                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        const T *lse = (const T *)lses->data + head_offset(lses, head);                                                \
        Backward f = backward_memory(call, &z, scratch);                                                               \
        T *delta = f.delta, *base = f.base;                                                                            \
        bool packed = is_packed(call), rounds = attention_vjp_rounds(call) != 0 && sizeof(T) == sizeof(float);         \
        int64_t ysize = (int64_t)cg_dtype_size(call->in[3].dtype);                                                     \
        Ahead start = { .n = 0 };                                                                                      \
        if (begin)                                                                                                     \
            ahead_keys(&start, call, head);                                                                            \
        if (begin)                                                                                                     \
            ahead_queries(&start, call, head, 0);                                                                      \
        ahead_fetch(&start, start.rows);                                                                               \
        const char *k = rows_of(&call->in[1], head, 0, z.s, f.k, &ldk),                                                \
                   *v = rows_of(&call->in[2], head, 0, z.s, f.v, &ldv);                                                \
        CgGemm scores = rows_left(call, &call->in[1], z.s, d, ldk),                                                    \
               changes = rows_left(call, &call->in[2], z.s, d, ldv);                                                   \
        CgGemm to_gq = sum_left(call, &call->in[1], KEYS, d, ldk);                                                     \
        scores.a = k;                                                                                                  \
        scores.left = scores.left_bytes ? f.keys : NULL;                                                               \
        changes.a = v;                                                                                                 \
        changes.left = changes.left_bytes ? f.values : NULL;                                                           \
        pack_rows(&scores, k, 0, z.s);                                                                                 \
        pack_rows(&changes, v, 0, z.s);                                                                                \
        pack_sums(&to_gq, k, f.turned, 0, z.s);                                                                        \
        for (int64_t m0 = 0; m0 < z.t; m0 += MANY) {                                                                   \
            int64_t many = least(MANY, z.t - m0), end = least(z.s, m0 + many + z.ahead),                               \
                    panels = ceil_div(many, lanes);                                                                    \
            const void *q = rows_of(&call->in[0], head, m0, many, f.q, &ldq);                                          \
            const char *y = rows_of(&call->in[3], head, m0, many, f.y, &ldy);                                          \
            const T *g = rows_of(&call->in[5], head, m0, many, f.g, &ldg);                                             \
            CgGemm qt = rows_right(call, &call->in[0], many, d, ldq),                                                  \
                   gt = rows_right(call, &call->in[5], many, d, ldg);                                                  \
            CgGemm to_gk = sum_right(call, &call->in[0], many, d, ldq),                                                \
                   to_gv = sum_right(call, &call->in[5], many, d, ldg);                                                \
            CgGemm ds = sum_right(call, NULL, KEYS, panels * lanes, STEP);                                             \
            pack_right(&qt, q, f.qt, d);                                                                               \
            pack_right(&gt, g, f.gt, d);                                                                               \
            pack_right(&to_gk, q, f.queries, many);                                                                    \
            pack_right(&to_gv, g, f.slopes, many);                                                                     \
            scores.right = f.qt;                                                                                       \
            changes.right = f.gt;                                                                                      \
            to_gk.lda = to_gv.lda = STEP;                                                                              \
            to_gk.left = packed ? f.left_dp : NULL;                                                                    \
            to_gv.left = packed ? f.left_p : NULL;                                                                     \
            to_gv.a = f.p;                                                                                             \
            ds.right = to_gq.right = packed ? f.right_dp : NULL;                                                       \
            to_gq.b = f.dp;                                                                                            \
            to_gq.ldb = STEP;                                                                                          \
            to_gq.n = panels * lanes;                                                                                  \
            for (int64_t i = many; i < panels * lanes; i++)                                                            \
                delta[i] = base[i] = 0;                                                                                \
            for (int64_t i = 0; i < many; i++) {                                                                       \
                const void *row = y + i * ldy * ysize;                                                                 \
                if (rounds)                                                                                            \
                    rounded_row(row, is_half(&call->in[3]), f.row, d);                                                 \
                delta[i] = lanes_dot_##suffix(rounds ? f.row : row, g + i * ldg, d);                                   \
                base[i] = lse[(m0 + i) * lses->stride[2]] * (T)LOG2_E;                                                 \
            }                                                                                                          \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                               \
                int64_t wide = least(KEYS, end - s0), blocks = row_blocks(&scores, wide, KEY_ROWS);                    \
                Ahead rest = { .n = 0 }; /* late, or it would be pushed out again */                                   \
                if (s0 + wide == end && m0 + many < z.t)                                                               \
                    ahead_queries(&rest, call, head, m0 + many);                                                       \
                if (s0 + wide == end && m0 + many == z.t && next) {                                                    \
                    ahead_queries(&rest, call, head + 1, 0);                                                           \
                    ahead_keys(&rest, call, head + 1);                                                                 \
                }                                                                                                      \
                ahead_split(&rest, blocks *panels / (z.ahead < z.s ? 2 : 1));                                          \
                for (int64_t b = 0; b < blocks; b++) {                                                                 \
                    int64_t j0 = block_row(wide, blocks, b), n = block_row(wide, blocks, b + 1) - j0, j = s0 + j0;     \
                    int64_t first = most(0, j - z.ahead - m0), from = first / 2 * 2;                                   \
                    Ahead own = { .n = 0 };                                                                            \
                    for (int i = 1; i < 3; i++)                                                                        \
                        ahead_add(&own, &call->out[i], head, j + n, least(end, j + 2 * n));                            \
                    ahead_split(&own, panels - first / lanes);                                                         \
                    T *p = f.p, *dp = (T *)f.dp + (packed ? 0 : j0 * STEP);                                            \
                    for (int64_t r = first / lanes; r < panels; r++) {                                                 \
                        ahead_fetch(&own, own.share);                                                                  \
                        ahead_fetch(&rest, rest.share);                                                                \
                        int64_t at = packed ? 0 : r * lanes;                                                           \
                        CgGemmSlope to = { .alpha = z.alpha,                                                           \
                            .turn = z.turn,                                                                            \
                            .hidden = j - z.ahead - m0 - r * lanes,                                                    \
                            .base = base + r * lanes,                                                                  \
                            .less = delta + r * lanes,                                                                 \
                            .w = p + at,                                                                               \
                            .slopes = dp + at,                                                                         \
                            .ldc = STEP,                                                                               \
                            .left_w = &to_gv,                                                                          \
                            .left_slopes = &to_gk,                                                                     \
                            .right = &ds,                                                                              \
                            .left_k = r * lanes,                                                                       \
                            .right_k = j0,                                                                             \
                            .right_panel = r };                                                                        \
                        cg_gemm_slope(&scores, &changes, j, n, r, &to);                                                \
                    }                                                                                                  \
                    if (j < fresh) {                                                                                   \
                        zero_##suffix(gk, gks, fresh, j + n, d);                                                       \
                        zero_##suffix(gv, gvs, fresh, j + n, d);                                                       \
                    }                                                                                                  \
                    to_gk.a = dp;                                                                                      \
                    to_gk.m = to_gv.m = n;                                                                             \
                    to_gk.left_panels = to_gv.left_panels = 1;                                                         \
                    cg_gemm_run(&to_gv, (CgGemmRange){ 0, 1, 0, to_gv.right_panels, from, many }, 1, j < fresh,        \
                        gv + j * gvs, gvs);                                                                            \
                    cg_gemm_run(&to_gk, (CgGemmRange){ 0, 1, 0, to_gk.right_panels, from, many }, z.scale, j < fresh,  \
                        gk + j * gks, gks);                                                                            \
                }                                                                                                      \
                to_gq.a = k + s0 * ldk * cg_gemm_left_size(&to_gq);                                                    \
                if (to_gq.left_bytes)                                                                                  \
                    to_gq.left = (char *)f.turned + (size_t)(s0 / KEYS) * to_gq.left_bytes;                            \
                for (int64_t r = 0; r < panels; r++) { /* keys that its last query sees */                             \
                    int64_t to = least(wide, (m0 + least(many, (r + 1) * lanes) + z.ahead - s0 + 1) / 2 * 2);          \
                    if (to > 0)                                                                                        \
                        cg_gemm_run(&to_gq, (CgGemmRange){ 0, to_gq.left_panels, r, r + 1, 0, to }, z.scale, s0 > 0,   \
                            f.gq, STEP);                                                                               \
                }                                                                                                      \
            }                                                                                                          \
            turned_##suffix(f.gq, STEP, d, many, NULL, gq + m0 * gqs, gqs);                                            \
            fresh = most(fresh, end);                                                                                  \
        }                                                                                                              \
        zero_##suffix(gk, gks, fresh, z.s, d);                                                                         \
        zero_##suffix(gv, gvs, fresh, z.s, d);                                                                         \
    }                                                                                                                  \
    static void attention_##suffix(const CgCall *call, CgPart part)                                                    \
    {                                                                                                                  \
        Sizes z = sizes_of(call);                                                                                      \
        /* Later queries see more: their ranges come first, so that threads end together. */                           \
        int64_t i = (int64_t)part.index % most(1, z.groups),                                                           \
                range = z.ranges - 1 - (int64_t)part.index / most(1, z.groups);                                        \
        CgTensor out[2];                                                                                               \
        CgCall of = held_call(call, 0, out, part.scratch);                                                             \
        int64_t lanes = lanes_of(&of), first = range_begin(&z, lanes, range),                                          \
                last = range_begin(&z, lanes, range + 1);                                                              \
        size_t at = held_bytes(&call->out[0]);                                                                         \
        void *rest = take(part.scratch, &at, 0);                                                                       \
        for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end && z.t; head++) {             \
            forward_##suffix(&of, z, head, head == group_begin(&z, i), head + 1 < end, range, rest);                   \
            held_round(&call->out[0], head, first, last, part.scratch);                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void attention_vjp_##suffix(const CgCall *call, CgPart part)                                                \
    {                                                                                                                  \
        Sizes z = sizes_of(call);                                                                                      \
        int64_t i = (int64_t)part.index;                                                                               \
        CgTensor out[3];                                                                                               \
        size_t at = held_bytes(&call->out[2]);                                                                         \
        void *rest = take(part.scratch, &at, 0);                                                                       \
        CgCall of = held_call(call, 2, out, part.scratch);                                                             \
        for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end; head++) {                    \
            backward_##suffix(&of, z, head, head == group_begin(&z, i), head + 1 < end, rest);                         \
            held_round(&call->out[2], head, 0, z.s, part.scratch);                                                     \
        }                                                                                                              \
    }
ATTENTION(float, f32, cg_exp2_low_f32, cg_log_f32)
ATTENTION(double, f64, exp2, log)

#endif
