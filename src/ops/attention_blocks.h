/* attention_blocks.h - how attention and its derivative are computed, block by block; part of attention.c.
 * Takes q, k, v by head, with any strides; gives results in any order of axes. Scores are kept for a block of rows and a
 * block of columns at a time and never stored whole; blocks above the diagonal are skipped. Factors that many blocks share
 * are packed once a head, see CgGemm.
 * Milakov and Gimelshein 2018 (the running maximum); Dao et al., "FlashAttention", 2022. */
#ifndef CG_OPS_ATTENTION_BLOCKS_H
#define CG_OPS_ATTENTION_BLOCKS_H

#include <cg/elementwise.h>
#include <cg/kernel.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#include "ops/lanes.h"

#define QUERIES 32          /* rows of a block of scores, at most */
#define MANY    256         /* queries that the derivative takes at a time: the depth of the products that make gk and gv */
#define KEYS    256         /* columns of a block */
#define THIN    4           /* queries up to which nothing is packed: the time is that of reading keys and values */
#define PARTS   8           /* parts wanted when there are fewer heads than that */
#define GROUPS  16          /* parts of many heads, at least ... */
#define GROUP   4           /* ... and heads of a part, at most: each fetches the next one's rows from memory while it computes */

/* ---- cutting ---- */

typedef struct Sizes {
    int64_t heads, t, s, k;     /* B H, T, S, K */
    int64_t blocks;             /* of keys */
    int64_t ranges;             /* of queries a head is cut into */
    int64_t groups;             /* of heads */
    int64_t ahead;              /* query i sees keys up to i + ahead; S when nothing is hidden */
    double  scale;
    double  alpha, turn;        /* alpha turn = scale log2(e), turn > 0: p is 2^(turn (alpha q k' - max)), by a product and a sum */
} Sizes;

#define LOG2_E 1.4426950408889634
#define LN_2   0.69314718055994531

enum { STEP = KEYS + 16 };      /* from row to row of scores: rows do not all fall into the same cache sets */

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static Sizes sizes_of(const CgCall *call)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1];
    Sizes z = { .heads = q->dim[0] * q->dim[1], .t = q->dim[2], .s = k->dim[2], .k = q->dim[3], .ranges = 1 };
    z.blocks = ceil_div(z.s, KEYS);
    z.scale = cg_attr_float(call->attrs, "scale", 1);
    z.alpha = z.scale > 0 ? 1 : z.scale;
    z.turn = z.scale > 0 ? z.scale * LOG2_E : LOG2_E;
    z.ahead = cg_attr_int(call->attrs, "causal", 0) ? cg_attr_size(call->attrs, "offset", z.s - z.t) : z.s;
    if (z.heads > 0 && z.heads < PARTS && z.t > THIN) z.ranges = least(ceil_div(PARTS, z.heads), ceil_div(z.t, QUERIES));
    if (z.ranges < 1) z.ranges = 1;
    z.groups = ceil_div(z.heads, most(1, least(GROUP, z.heads / GROUPS)));
    return z;
}

static int64_t group_begin(const Sizes *z, int64_t i) { return z->groups ? z->heads * i / z->groups : 0; }

/* Query-key pairs that count. */
static double pairs(const Sizes *z)
{
    double t = (double)z->t, s = (double)z->s, hidden = s - (double)z->ahead - 1;
    return z->ahead >= z->s ? t * s : hidden <= 0 ? t * s : t * s - (hidden < t ? hidden * hidden : (2 * hidden - t) * t) / 2;
}

static bool unit_rows(const CgTensor *t)
{
    return (t->stride[3] == 1 || t->dim[3] == 1) && (t->stride[2] >= t->dim[3] || t->dim[2] == 1);
}

/* From row to row of a head, if rows that are not contiguous are copied. */
static int64_t row_step(const CgTensor *t) { return unit_rows(t) && t->dim[2] != 1 ? t->stride[2] : t->dim[3]; }

/* Rows of a block of scores: a panel of the left factor or some, few enough that what becomes of them stays in the first
 * cache. Blocks are about equal, and begin at even rows, so that pairs of rows can be packed. */
static int64_t row_blocks(const CgGemm *g, int64_t rows)
{
    int64_t tall = g->mr < 8 ? QUERIES / g->mr * g->mr : g->mr < QUERIES ? g->mr : QUERIES;
    return ceil_div(rows, tall / 2 * 2);
}

static int64_t block_row(int64_t rows, int64_t blocks, int64_t i) { return i == blocks ? rows : rows * i / blocks / 2 * 2; }

/* ---- memory ---- */

/* How a factor is packed, with a place for it in the scratch memory; `at` counts the bytes given out. */
static CgGemm factors(const CgCall *call, bool ta, bool tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb)
{
    CgGemm g = { .dtype = call->out->dtype, .bf16 = call->bf16, .ta = ta, .tb = tb, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb };
    cg_gemm_layout(&g);
    return g;
}

static void *take(char *scratch, size_t *at, size_t bytes)
{
    size_t from = *at;
    *at = (from + bytes + 63) / 64 * 64;
    return scratch ? scratch + from : NULL;
}

/* Keys (S, K) as the right factor of scores; keys or values (block, K) as that of sums over keys. */
static size_t across_bytes(const CgCall *call, const Sizes *z) { return factors(call, false, true, 1, z->s, z->k, z->k, z->k).right_bytes; }
static size_t along_bytes(const CgCall *call, const Sizes *z, int64_t rows) { return factors(call, false, false, 1, z->k, rows, rows, z->k).right_bytes; }
/* A block of rows of K numbers, or of scores, as a left factor. */
static size_t left_bytes(const CgCall *call, int64_t k) { return factors(call, false, false, QUERIES, 1, k, 4096, 1).left_bytes; }

/* Pieces of the scratch memory of a part; all NULL when only their size is asked for. */
typedef struct Forward { void *keys, *values, *p, *left, *acc, *rows, *copy, *m, *l; size_t bytes; } Forward;

static Forward forward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype), row = (size_t)z->k * size;
    Forward f = { .bytes = 0 };
    if (z->t <= THIN) {
        f.p = take(scratch, &f.bytes, (size_t)(z->s + 16) * size);
        return f;
    }
    f.keys = take(scratch, &f.bytes, across_bytes(call, z));
    f.values = take(scratch, &f.bytes, (size_t)z->blocks * along_bytes(call, z, KEYS));
    f.p = take(scratch, &f.bytes, (size_t)QUERIES * STEP * size);
    f.left = take(scratch, &f.bytes, left_bytes(call, z->k > KEYS ? z->k : KEYS));
    f.acc = take(scratch, &f.bytes, QUERIES * row);
    f.rows = take(scratch, &f.bytes, QUERIES * row);
    f.copy = take(scratch, &f.bytes, (size_t)z->s * row);
    f.m = take(scratch, &f.bytes, QUERIES * size);
    f.l = take(scratch, &f.bytes, QUERIES * size);
    return f;
}

typedef struct Backward {
    void *qt, *gt, *sums, *queries, *slopes;            /* right factors: q', gy', k, q, gy */
    void *p, *dp, *dpt, *left;
    void *k, *v, *q, *y, *g, *base, *delta;
    size_t bytes;
} Backward;

/* dS' (keys, queries), which lies by keys, as the left factor of gq. */
static CgGemm turned(const CgCall *call, int64_t queries) { return factors(call, true, false, queries, call->in[0].dim[3], KEYS, STEP, call->in[0].dim[3]); }

static size_t copy_bytes(const CgTensor *t, int64_t rows) { return unit_rows(t) ? 0 : (size_t)(rows * t->dim[3]) * cg_dtype_size(t->dtype); }

static Backward backward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype), across = factors(call, false, true, 1, MANY, z->k, z->k, z->k).right_bytes;
    size_t dpt = turned(call, MANY).left_bytes;
    Backward f = { .bytes = 0 };
    f.qt = take(scratch, &f.bytes, across);
    f.gt = take(scratch, &f.bytes, across);
    f.sums = take(scratch, &f.bytes, (size_t)z->blocks * along_bytes(call, z, KEYS));
    f.queries = take(scratch, &f.bytes, along_bytes(call, z, MANY));
    f.slopes = take(scratch, &f.bytes, along_bytes(call, z, MANY));
    f.p = take(scratch, &f.bytes, (size_t)(QUERIES * STEP) * size);
    f.dp = take(scratch, &f.bytes, (size_t)((dpt ? QUERIES : KEYS) * STEP) * size);
    f.dpt = take(scratch, &f.bytes, dpt);
    f.left = take(scratch, &f.bytes, left_bytes(call, z->k > MANY ? z->k : MANY));
    f.k = take(scratch, &f.bytes, copy_bytes(&call->in[1], z->s));
    f.v = take(scratch, &f.bytes, copy_bytes(&call->in[2], z->s));
    f.q = take(scratch, &f.bytes, copy_bytes(&call->in[0], MANY));
    f.y = take(scratch, &f.bytes, copy_bytes(&call->in[3], MANY));
    f.g = take(scratch, &f.bytes, copy_bytes(&call->in[5], MANY));
    f.base = take(scratch, &f.bytes, MANY * size);
    f.delta = take(scratch, &f.bytes, MANY * size);
    return f;
}

static void attention_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    *work = (CgWork){ .flops = 4.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)(z.groups * z.ranges) };
    work->bytes = 2.0 * (double)z.heads * (double)(z.t + z.s) * (double)z.k * (double)cg_dtype_size(call->out->dtype);
    if (!work->parts) work->parts = 1;
    if (z.heads && z.t && z.s && z.k) work->scratch = forward_memory(call, &z, NULL).bytes;
}

static void attention_vjp_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    /* four products; the scores, computed once more, are no useful work */
    *work = (CgWork){ .flops = 8.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)z.groups };
    work->bytes = 4.0 * (double)z.heads * (double)(z.t + z.s) * (double)z.k * (double)cg_dtype_size(call->out->dtype);
    if (!work->parts) work->parts = 1;
    if (z.heads && z.t && z.s && z.k) work->scratch = backward_memory(call, &z, NULL).bytes;
}

/* ---- kernels ---- */

static int64_t head_offset(const CgTensor *t, int64_t head)
{
    return head / t->dim[1] * t->stride[0] + head % t->dim[1] * t->stride[1];
}

/* ---- memory that will be needed ----
 * Rows of a head often lie apart from each other, where no processor guesses the next one. They are asked for a while
 * before they are read, to be found in the second-level cache. */

/* Share i of n of the rows from .. to of a head. */
static void fetch(const CgTensor *x, int64_t head, int64_t from, int64_t to, int64_t i, int64_t n)
{
    int64_t size = (int64_t)cg_dtype_size(x->dtype), step = x->stride[2] * size, row = x->dim[3] * size, r = from + (to - from) * i / n;
    const char *at = (const char *)x->data + head_offset(x, head) * size;
    if (x->stride[3] != 1) return;
    for (to = from + (to - from) * (i + 1) / n; r < to; r++)
        for (int64_t b = 0; b < row; b += 64) __builtin_prefetch(at + r * step + b, 0, 2);
}

static void fetch_keys(const CgCall *call, int64_t head, int64_t i, int64_t n)
{
    for (int k = 1; k < 3; k++) fetch(&call->in[k], head, 0, call->in[k].dim[2], i, n);
}

/* What the derivative reads and writes of queries from `from` on. */
static void fetch_queries(const CgCall *call, int64_t head, int64_t from, int64_t i, int64_t n)
{
    int64_t to = least(call->in[0].dim[2], from + MANY);
    fetch(&call->in[0], head, from, to, i, n);
    fetch(&call->in[3], head, from, to, i, n);
    fetch(&call->in[5], head, from, to, i, n);
    fetch(&call->out[0], head, from, to, i, n);
}

/* Makes g, whose right factor is packed, ready for blocks of rows of A that lie lda apart, and for n columns of C. */
static void for_blocks(CgGemm *g, int64_t lda, int64_t n)
{
    g->m = QUERIES;
    g->n = n;
    g->lda = lda;
    cg_gemm_layout(g);
}

/* The block A (m, k0 .. k1), packed where it must be, and the part of the right factor that it meets. */
static void place(CgGemm *g, const void *a, int64_t m, int64_t k0, int64_t k1, void *left, const void *right)
{
    union { const void *in; void *out; } u = { right };
    g->m = m;
    g->left_panels = ceil_div(m, g->mr);
    g->a = a;
    g->right = u.out;
    g->left = g->left_bytes ? left : NULL;
    if (g->left) cg_gemm_pack_left(g, (const char *)a + (size_t)k0 * cg_dtype_size(g->dtype), 0, g->left_panels, k0, k1);
}

/* p (m, from .. w) = alpha a b'. Whole panels of b: what lies before the columns wanted and after them means nothing. */
static void score(CgGemm *g, const void *a, void *left, const void *b, int64_t m, int64_t from, int64_t w, double alpha, void *p)
{
    place(g, a, m, 0, g->k, left, b);
    cg_gemm_run(g, (CgGemmRange){ 0, g->left_panels, from / g->nr, ceil_div(w, g->nr), 0, g->k }, alpha, 0, p, STEP);
}

/* c (m,K) = beta c + alpha p (m,w) x: the first row sees `seen` columns, each one more than that above it; beyond, p holds 0. */
static void spread(CgGemm *g, const void *p, void *left, const void *x, int64_t m, int64_t seen, int64_t w, double alpha, double beta, void *c, int64_t ldc)
{
    place(g, p, m, 0, w, left, x);
    for (int64_t r = 0; r < g->left_panels; r++) {
        int64_t end = least(w, (seen + cg_gemm_row(g, r + 1)) / 2 * 2);     /* one more than seen, so that it may be even */
        if (end > 0) cg_gemm_run(g, (CgGemmRange){ r, r + 1, 0, g->right_panels, 0, end }, alpha, beta, c, ldc);
    }
}

#define ATTENTION(T, suffix, ex2, lg)                                                                           \
    /* n rows of a head from row r: in place if they are contiguous, else copied. */                            \
    static const T *rows_##suffix(const CgTensor *x, int64_t head, int64_t r, int64_t n, T *copy, int64_t *ld)  \
    {                                                                                                           \
        const T *from = (const T *)x->data + head_offset(x, head) + r * x->stride[2];                           \
        int64_t k = x->dim[3];                                                                                  \
        *ld = row_step(x);                                                                                      \
        if (unit_rows(x)) return from;                                                                          \
        for (int64_t i = 0; i < n; i++)                                                                         \
            for (int64_t c = 0; c < k; c++) copy[i * k + c] = from[i * x->stride[2] + c * x->stride[3]];        \
        return copy;                                                                                            \
    }                                                                                                           \
    static void zero_##suffix(T *x, int64_t ld, int64_t from, int64_t to, int64_t k)                            \
    {                                                                                                           \
        for (int64_t i = from; i < to; i++)                                                                     \
            for (int64_t c = 0; c < k; c++) x[i * ld + c] = 0;                                                  \
    }                                                                                                           \
    /* n rows as the right factor of scores: (K, n). */                                                         \
    static CgGemm across_##suffix(const CgCall *call, const T *from, int64_t ld, int64_t n, int64_t k, void *to) \
    {                                                                                                           \
        CgGemm g = factors(call, false, true, QUERIES, n, k, k, ld);                                            \
        g.b = from;                                                                                             \
        g.right = to;                                                                                           \
        cg_gemm_pack_right(&g, 0, g.right_panels, 0, g.k);                                                      \
        return g;                                                                                               \
    }                                                                                                           \
    /* n rows from row r as the right factor of a sum over them, packed for `most_rows`: (rows, K). */          \
    static CgGemm along_##suffix(const CgCall *call, const T *from, int64_t ld, int64_t n, int64_t depth, int64_t k, void *to) \
    {                                                                                                           \
        CgGemm g = factors(call, false, false, QUERIES, k, depth, STEP, ld);                                    \
        g.b = from;                                                                                             \
        g.right = to;                                                                                           \
        cg_gemm_pack_right(&g, 0, g.right_panels, 0, n);                                                        \
        return g;                                                                                               \
    }                                                                                                           \
    /* Rows of scores against their running maxima m and sums l: p = 2^(turn (score - max)), hidden columns 0, and in \
     * `shrink` the factor by which what was summed before shrinks. The first row sees `seen` columns of w, each one \
     * more than that above it. Whole vectors, and rows in stages: reductions of several rows overlap. */       \
    static void fold_##suffix(T *p, int64_t rows, int64_t seen, int64_t w, T turn, T *m, T *l, T *shrink)       \
    {                                                                                                           \
        T top[QUERIES], sum[QUERIES];                                                                           \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T *row = p + i * STEP;                                                                              \
            int64_t n = most(0, least(w, seen + i)), whole = (n + 15) / 16 * 16;                                \
            Lanes_##suffix high = (Lanes_##suffix){ 0 } + m[i];                                                 \
            for (int64_t j = n; j < whole; j++) row[j] = -(T)INFINITY;                                          \
            for (int64_t j = 0; j < whole; j += 16) lanes_max_##suffix((const Lanes_##suffix *)(row + j), &high); \
            top[i] = lanes_greatest_##suffix(&high);                                                            \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T base = top[i] > -(T)INFINITY ? top[i] * turn : 0;                                                 \
            shrink[i] = ex2(m[i] * turn - base);                                                                \
            m[i] = top[i];                                                                                      \
            top[i] = base;                                                                                      \
        }                                                                                                       \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T *row = p + i * STEP, base = top[i];                                                               \
            int64_t whole = (most(0, least(w, seen + i)) + 15) / 16 * 16;                                       \
            Lanes_##suffix total = { 0 };                                                                       \
            for (int64_t j = 0; j < whole; j += 16) {                                                           \
                CG_SIMD                                                                                         \
                for (int64_t c = j; c < j + 16; c++) row[c] = ex2(row[c] * turn - base);                        \
                total += *(const Lanes_##suffix *)(row + j);                                                    \
            }                                                                                                   \
            for (int64_t j = whole; j < w; j++) row[j] = 0;                                                     \
            sum[i] = lanes_total_##suffix(&total);                                                              \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) l[i] = l[i] * shrink[i] + sum[i];                                    \
    }                                                                                                           \
    /* y (rows, K) = acc / l, and lse. */                                                                       \
    static void settle_##suffix(const T *acc, int64_t rows, int64_t d, T turn, const T *m, const T *l, T *y, int64_t ldy, T *lse) \
    {                                                                                                           \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T scale = l[i] > 0 ? 1 / l[i] : l[i];                                                               \
            CG_SIMD                                                                                             \
            for (int64_t c = 0; c < d; c++) y[i * ldy + c] = acc[i * d + c] * scale;                            \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) lse[i] = m[i] * turn * (T)LN_2 + lg(l[i]);                           \
    }                                                                                                           \
    /* A few queries: every key and value is read where it lies, once for each. */                              \
    static void few_##suffix(const CgCall *call, const Sizes *z, int64_t head, T *p)                            \
    {                                                                                                           \
        const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];                                 \
        const T *qs = (const T *)q->data + head_offset(q, head), *ks = (const T *)k->data + head_offset(k, head); \
        const T *vs = (const T *)v->data + head_offset(v, head);                                                \
        for (int64_t i = 0; i < z->t; i++) {                                                                    \
            const T *x = qs + i * q->stride[2];                                                                 \
            T *y = (T *)call->out[0].data + head_offset(&call->out[0], head) + i * call->out[0].stride[2], m = -INFINITY, l = 0, shrink; \
            int64_t seen = least(z->s, i + z->ahead + 1), d = z->k, sq = q->stride[3];                          \
            for (int64_t j = 0; j < seen; j++) {                                                                \
                const T *key = ks + j * k->stride[2];                                                           \
                T s = 0;                                                                                        \
                if (k->stride[3] == 1 && sq == 1) {                                                             \
                    s = lanes_dot_##suffix(x, key, d);                                                          \
                } else {                                                                                        \
                    for (int64_t c = 0; c < d; c++) s += x[c * sq] * key[c * k->stride[3]];                     \
                }                                                                                               \
                p[j] = s * (T)z->alpha;                                                                         \
            }                                                                                                   \
            fold_##suffix(p, 1, seen, seen, (T)z->turn, &m, &l, &shrink);                                       \
            for (int64_t c = 0; c < d; c++) y[c] = 0;                                                           \
            for (int64_t j = 0; j < seen; j++) {                                                                \
                const T *value = vs + j * v->stride[2];                                                         \
                T w = p[j];                                                                                     \
                if (v->stride[3] == 1) {                                                                        \
                    CG_SIMD                                                                                     \
                    for (int64_t c = 0; c < d; c++) y[c] += w * value[c];                                       \
                } else {                                                                                        \
                    for (int64_t c = 0; c < d; c++) y[c] += w * value[c * v->stride[3]];                        \
                }                                                                                               \
            }                                                                                                   \
            settle_##suffix(y, 1, d, (T)z->turn, &m, &l, y, d, (T *)call->out[1].data + head_offset(&call->out[1], head) + i); \
        }                                                                                                       \
    }                                                                                                           \
    /* A range of the queries of a head. */                                                                     \
    static void forward_##suffix(const CgCall *call, Sizes z, int64_t head, bool begin, bool next, int64_t range, void *scratch) \
    {                                                                                                           \
        int64_t d = z.k;                                                                                        \
        int64_t blocks = ceil_div(z.t, QUERIES), ldk, ldv, ldq, out = call->out[0].stride[2];                   \
        int64_t first = blocks * range / z.ranges * QUERIES, last = least(blocks * (range + 1) / z.ranges * QUERIES, z.t); \
        T *y = (T *)call->out[0].data + head_offset(&call->out[0], head), *lse = (T *)call->out[1].data + head_offset(&call->out[1], head); \
        if (!z.s || !d) {                                                                                       \
            zero_##suffix(y, out, first, last, d);                                                              \
            for (int64_t i = first; i < last; i++) lse[i] = z.s ? lg((T)least(z.s, i + z.ahead + 1)) : -INFINITY; \
            return;                                                                                             \
        }                                                                                                       \
        Forward f = forward_memory(call, &z, scratch);                                                          \
        if (z.t <= THIN) {                                                                                      \
            few_##suffix(call, &z, head, f.p);                                                                  \
            return;                                                                                             \
        }                                                                                                       \
        if (begin) fetch_keys(call, head, 0, 1);                                                                \
        T *p = f.p, *acc = f.acc, *m = f.m, *l = f.l, shrink[QUERIES];                                          \
        const T *k = rows_##suffix(&call->in[1], head, 0, z.s, f.copy, &ldk);                                   \
        CgGemm scores = across_##suffix(call, k, ldk, z.s, d, f.keys), sums = scores;                           \
        size_t panel = scores.right_bytes / (size_t)scores.right_panels, block = along_bytes(call, &z, KEYS);   \
        const T *v = rows_##suffix(&call->in[2], head, 0, z.s, f.copy, &ldv);                                   \
        for (int64_t s0 = 0; s0 < z.s; s0 += KEYS)                                                              \
            sums = along_##suffix(call, v + s0 * ldv, ldv, least(KEYS, z.s - s0), KEYS, d, (char *)f.values + (size_t)(s0 / KEYS) * block); \
        for_blocks(&scores, row_step(&call->in[0]), ceil_div(z.s, scores.nr) * scores.nr);                      \
        for_blocks(&sums, STEP, d);                                                                             \
        blocks = row_blocks(&scores, last - first);                                                             \
        for (int64_t b = 0; b < blocks; b++) {                                                                  \
            int64_t i0 = first + block_row(last - first, blocks, b), n = first + block_row(last - first, blocks, b + 1) - i0; \
            int64_t end = least(z.s, i0 + n + z.ahead);                                                         \
            fetch(&call->in[0], head, i0 + n, least(last, i0 + 2 * n), 0, 1);                                   \
            fetch(&call->out[0], head, i0 + n, least(last, i0 + 2 * n), 0, 1);                                  \
            if (next) fetch_keys(call, head + 1, b, blocks);                                                    \
            const T *q = rows_##suffix(&call->in[0], head, i0, n, f.rows, &ldq);                                \
            for (int64_t i = 0; i < n; i++) m[i] = -INFINITY;                                                   \
            for (int64_t i = 0; i < n; i++) l[i] = 0;                                                           \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                        \
                int64_t w = least(KEYS, end - s0);                                                              \
                score(&scores, q, f.left, (char *)f.keys + (size_t)(s0 / scores.nr) * panel, n, 0, w, z.alpha, p); \
                fold_##suffix(p, n, i0 + z.ahead + 1 - s0, w, (T)z.turn, m, l, shrink);                         \
                for (int64_t i = 0; s0 > 0 && i < n; i++) {                                                     \
                    T *row = acc + i * d, by = shrink[i];                                                       \
                    if (by == 1) continue;                                                                      \
                    CG_SIMD                                                                                     \
                    for (int64_t c = 0; c < d; c++) row[c] *= by;                                               \
                }                                                                                               \
                spread(&sums, p, f.left, (char *)f.values + (size_t)(s0 / KEYS) * block, n, i0 + z.ahead + 1 - s0, w, 1, s0 > 0, acc, d); \
            }                                                                                                   \
            settle_##suffix(acc, n, d, (T)z.turn, m, l, y + i0 * out, out, lse + i0);                           \
        }                                                                                                       \
    }                                                                                                           \
    /* A key's row: p = 2^(turn score - base), ds = p (dp - delta) for queries from .. n, 0 from `hidden` to there. */ \
    static void slope_row_##suffix(T *p, T *dp, int64_t hidden, int64_t from, int64_t n, T turn, const T *base, const T *delta) \
    {                                                                                                           \
        int64_t whole = (n + 15) / 16 * 16;                                                                     \
        CG_SIMD                                                                                                 \
        for (int64_t i = from / 16 * 16; i < whole; i++) {                                                      \
            T e = ex2(p[i] * turn - base[i]);                                                                   \
            p[i] = e;                                                                                           \
            dp[i] = e * (dp[i] - delta[i]);                                                                     \
        }                                                                                                       \
        for (int64_t i = hidden; i < from; i++) p[i] = dp[i] = 0;                                               \
    }                                                                                                           \
    /* With P = exp(scale S - lse): gv = P' gy, dP = gy v', dS = P (dP - sum(gy y)), gq = scale dS k, gk = scale dS' q. \
     * A block has the rows of some keys: S' = k q'. Its part of gv and gk is summed at once; dS' is kept for gq. A head \
     * is the work of one part, so that all is summed in one order. */                                          \
    static void backward_##suffix(const CgCall *call, Sizes z, int64_t head, bool begin, bool next, void *scratch) \
    {                                                                                                           \
        const CgTensor *lses = &call->in[4];                                                                    \
        int64_t d = z.k, ldk, ldv, ldq, ldy, ldg;                                                               \
        T *gq = (T *)call->out[0].data + head_offset(&call->out[0], head);                                      \
        T *gk = (T *)call->out[1].data + head_offset(&call->out[1], head);                                      \
        T *gv = (T *)call->out[2].data + head_offset(&call->out[2], head);                                      \
        int64_t gqs = call->out[0].stride[2], gks = call->out[1].stride[2], gvs = call->out[2].stride[2];       \
        int64_t fresh = 0;                          /* keys whose gk and gv hold something */                   \
        if (!z.s || !d || !z.t) {                                                                               \
            zero_##suffix(gk, gks, 0, z.s, d);                                                                  \
            zero_##suffix(gv, gvs, 0, z.s, d);                                                                  \
            zero_##suffix(gq, gqs, 0, z.t, d);                                                                  \
            return;                                                                                             \
        }                                                                                                       \
        const T *lse = (const T *)lses->data + head / lses->dim[1] * lses->stride[0] + head % lses->dim[1] * lses->stride[1]; \
        Backward f = backward_memory(call, &z, scratch);                                                        \
        T *delta = f.delta, *base = f.base;                                                                     \
        if (begin) fetch_keys(call, head, 0, 1);                                                                \
        fetch_queries(call, head, 0, 0, 1);                                                                     \
        const T *k = rows_##suffix(&call->in[1], head, 0, z.s, f.k, &ldk), *v = rows_##suffix(&call->in[2], head, 0, z.s, f.v, &ldv); \
        size_t block = along_bytes(call, &z, KEYS);                                                             \
        for (int64_t s0 = 0; s0 < z.s; s0 += KEYS)                                                              \
            along_##suffix(call, k + s0 * ldk, ldk, least(KEYS, z.s - s0), KEYS, d, (char *)f.sums + (size_t)(s0 / KEYS) * block); \
        for (int64_t m0 = 0; m0 < z.t; m0 += MANY) {                                                            \
            int64_t many = least(MANY, z.t - m0), end = least(z.s, m0 + many + z.ahead);                        \
            const T *q = rows_##suffix(&call->in[0], head, m0, many, f.q, &ldq);                                \
            const T *y = rows_##suffix(&call->in[3], head, m0, many, f.y, &ldy);                                \
            const T *g = rows_##suffix(&call->in[5], head, m0, many, f.g, &ldg);                                \
            CgGemm scores = across_##suffix(call, q, ldq, many, d, f.qt), slopes = across_##suffix(call, g, ldg, many, d, f.gt); \
            CgGemm to_gk = along_##suffix(call, q, ldq, many, many, d, f.queries), to_gv = along_##suffix(call, g, ldg, many, many, d, f.slopes); \
            CgGemm to_gq = turned(call, many);                                                                  \
            for_blocks(&scores, ldk, MANY);                                                                     \
            for_blocks(&slopes, ldv, MANY);                                                                     \
            for_blocks(&to_gk, STEP, d);                                                                        \
            for_blocks(&to_gv, STEP, d);                                                                        \
            for (int64_t i = 0; i < MANY; i++) {                                                                \
                delta[i] = i < many ? lanes_dot_##suffix(y + i * ldy, g + i * ldg, d) : 0;                      \
                base[i] = i < many ? lse[(m0 + i) * lses->stride[2]] * (T)LOG2_E : 0;                           \
            }                                                                                                   \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                        \
                int64_t wide = least(KEYS, end - s0), blocks = row_blocks(&scores, wide);                       \
                for (int64_t b = 0; b < blocks; b++) {                                                          \
                    int64_t j0 = block_row(wide, blocks, b), n = block_row(wide, blocks, b + 1) - j0, j = s0 + j0; \
                    int64_t first = most(0, j - z.ahead - m0), from = first / 2 * 2, panel = 0;                 \
                    /* Later on, or it would be pushed out again. */                                            \
                    bool late = s0 == 0 && b >= blocks / 2, more = m0 + MANY < z.t;                             \
                    if (late && (more || next)) fetch_queries(call, more ? head : head + 1, more ? m0 + MANY : 0, b - blocks / 2, blocks - blocks / 2); \
                    if (late && !more && next) fetch_keys(call, head + 1, b - blocks / 2, blocks - blocks / 2); \
                    for (int i = 1; i < 3; i++) fetch(&call->out[i], head, j + n, least(end, j + 2 * n), 0, 1); \
                    while (cg_gemm_row(&to_gq, panel + 1) <= first) panel++;                                    \
                    T *p = f.p, *ds = (T *)f.dp + (to_gq.left_bytes ? 0 : j0 * STEP);                           \
                    int64_t hidden = least(from, cg_gemm_row(&to_gq, panel));                                   \
                    score(&scores, k + j * ldk, f.left, f.qt, n, first / 16 * 16, many, z.alpha, p);            \
                    score(&slopes, v + j * ldv, f.left, f.gt, n, first / 16 * 16, many, 1, ds);                 \
                    for (int64_t i = 0; i < n; i++)                                                             \
                        slope_row_##suffix(p + i * STEP, ds + i * STEP, hidden, most(0, j + i - z.ahead - m0), many, (T)z.turn, base, delta); \
                    if (j < fresh) {                                                                            \
                        zero_##suffix(gk, gks, fresh, j + n, d);                                                \
                        zero_##suffix(gv, gvs, fresh, j + n, d);                                                \
                    }                                                                                           \
                    place(&to_gv, p, n, from, many, f.left, f.slopes);                                          \
                    cg_gemm_run(&to_gv, (CgGemmRange){ 0, to_gv.left_panels, 0, to_gv.right_panels, from, many }, 1, j < fresh, gv + j * gvs, gvs); \
                    place(&to_gk, ds, n, from, many, f.left, f.queries);                                        \
                    cg_gemm_run(&to_gk, (CgGemmRange){ 0, to_gk.left_panels, 0, to_gk.right_panels, from, many }, z.scale, j < fresh, gk + j * gks, gks); \
                    to_gq.left = f.dpt;                                                                         \
                    if (to_gq.left_bytes) cg_gemm_pack_left(&to_gq, ds + cg_gemm_row(&to_gq, panel), panel, to_gq.left_panels, j0, j0 + n); \
                }                                                                                               \
                to_gq.a = f.dp;                                                                                 \
                to_gq.left = to_gq.left_bytes ? f.dpt : NULL;                                                   \
                to_gq.right = (char *)f.sums + (size_t)(s0 / KEYS) * block;                                     \
                for (int64_t r = 0; r < to_gq.left_panels; r++) {       /* keys that its last query sees */     \
                    int64_t to = least(wide, (m0 + cg_gemm_row(&to_gq, r + 1) + z.ahead - s0 + 1) / 2 * 2);     \
                    if (to > 0) cg_gemm_run(&to_gq, (CgGemmRange){ r, r + 1, 0, to_gq.right_panels, 0, to }, z.scale, s0 > 0, gq + m0 * gqs, gqs); \
                }                                                                                               \
            }                                                                                                   \
            fresh = most(fresh, end);                                                                           \
        }                                                                                                       \
        zero_##suffix(gk, gks, fresh, z.s, d);                                                                  \
        zero_##suffix(gv, gvs, fresh, z.s, d);                                                                  \
    }                                                                                                           \
    static void attention_##suffix(const CgCall *call, CgPart part)                                             \
    {                                                                                                           \
        Sizes z = sizes_of(call);                                                                               \
        /* Later queries see more: their ranges come first, so that threads end together. */                    \
        int64_t i = (int64_t)part.index % most(1, z.groups), range = z.ranges - 1 - (int64_t)part.index / most(1, z.groups); \
        for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end && z.t; head++)        \
            forward_##suffix(call, z, head, head == group_begin(&z, i), head + 1 < end, range, part.scratch);   \
    }                                                                                                           \
    static void attention_vjp_##suffix(const CgCall *call, CgPart part)                                         \
    {                                                                                                           \
        Sizes z = sizes_of(call);                                                                               \
        int64_t i = (int64_t)part.index;                                                                        \
        for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end; head++)               \
            backward_##suffix(call, z, head, head == group_begin(&z, i), head + 1 < end, part.scratch);         \
    }
ATTENTION(float, f32, cg_exp2_low_f32, cg_log_f32)
ATTENTION(double, f64, exp2, log)

#endif
