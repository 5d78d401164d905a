/* attention_blocks.h - how attention and its derivative are computed, block by block; part of attention.c.
 * Takes q, k, v by head, with any strides. Scores are kept for a block of queries and a block of keys at a time and never
 * stored whole; blocks above the diagonal are skipped. Factors that many blocks share are packed once a head, see CgGemm.
 * Milakov and Gimelshein 2018 (the running maximum); Dao et al., "FlashAttention", 2022. */
#ifndef CG_OPS_ATTENTION_BLOCKS_H
#define CG_OPS_ATTENTION_BLOCKS_H

#include <cg/elementwise.h>
#include <cg/kernel.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#define QUERIES 32          /* rows of a block of scores */
#define MANY    256         /* rows whose part of gk and gv is one product */
#define KEYS    256         /* columns of a block */
#define THIN    4           /* queries up to which nothing is packed: the time is that of reading keys and values */
#define PARTS   8           /* parts wanted when there are fewer heads than that */

/* ---- cutting ---- */

typedef struct Sizes {
    int64_t heads, t, s, k;     /* B H, T, S, K */
    int64_t blocks;             /* of keys */
    int64_t ranges;             /* of queries a head is cut into */
    int64_t ahead;              /* query i sees keys up to i + ahead; S when nothing is hidden */
    double  scale;
} Sizes;

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
    z.ahead = cg_attr_int(call->attrs, "causal", 0) ? cg_attr_size(call->attrs, "offset", z.s - z.t) : z.s;
    if (z.heads > 0 && z.heads < PARTS && z.t > THIN) z.ranges = least(ceil_div(PARTS, z.heads), ceil_div(z.t, QUERIES));
    if (z.ranges < 1) z.ranges = 1;
    return z;
}

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
    void *keys, *values, *sums, *queries, *slopes;      /* right factors: k', v', k, q, gy */
    void *p, *dp, *pt, *dpt, *left;
    void *q, *y, *g, *delta, *copy;
    int64_t rows;                                       /* of p and dp: all of MANY where they are read as they lie */
    size_t bytes;
} Backward;

static CgGemm turned(const CgCall *call, int64_t keys, int64_t queries) { return factors(call, true, false, keys, call->in[0].dim[3], queries, STEP, call->in[0].dim[3]); }

static Backward backward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype), row = (size_t)z->k * size, pt = turned(call, KEYS, MANY).left_bytes;
    Backward f = { .bytes = 0, .rows = pt ? QUERIES : MANY };
    f.keys = take(scratch, &f.bytes, across_bytes(call, z));
    f.values = take(scratch, &f.bytes, across_bytes(call, z));
    f.sums = take(scratch, &f.bytes, (size_t)z->blocks * along_bytes(call, z, KEYS));
    f.queries = take(scratch, &f.bytes, along_bytes(call, z, MANY));
    f.slopes = take(scratch, &f.bytes, along_bytes(call, z, MANY));
    f.p = take(scratch, &f.bytes, (size_t)(f.rows * STEP) * size);
    f.dp = take(scratch, &f.bytes, (size_t)(f.rows * STEP) * size);
    f.pt = take(scratch, &f.bytes, pt);
    f.dpt = take(scratch, &f.bytes, pt);
    f.left = take(scratch, &f.bytes, left_bytes(call, z->k > KEYS ? z->k : KEYS));
    f.q = take(scratch, &f.bytes, MANY * row);
    f.y = take(scratch, &f.bytes, MANY * row);
    f.g = take(scratch, &f.bytes, MANY * row);
    f.delta = take(scratch, &f.bytes, MANY * size);
    f.copy = take(scratch, &f.bytes, (size_t)z->s * row);
    return f;
}

static void attention_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    *work = (CgWork){ .flops = 4.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)(z.heads * z.ranges) };
    work->bytes = 2.0 * (double)z.heads * (double)(z.t + z.s) * (double)z.k * (double)cg_dtype_size(call->out->dtype);
    if (!work->parts) work->parts = 1;
    if (z.heads && z.t && z.s && z.k) work->scratch = forward_memory(call, &z, NULL).bytes;
}

static void attention_vjp_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call);
    /* four products; the scores, computed once more, are no useful work */
    *work = (CgWork){ .flops = 8.0 * (double)z.heads * pairs(&z) * (double)z.k, .parts = (size_t)z.heads };
    work->bytes = 4.0 * (double)z.heads * (double)(z.t + z.s) * (double)z.k * (double)cg_dtype_size(call->out->dtype);
    if (!work->parts) work->parts = 1;
    if (z.heads && z.t && z.s && z.k) work->scratch = backward_memory(call, &z, NULL).bytes;
}

/* ---- kernels ---- */

static int64_t head_offset(const CgTensor *t, int64_t head)
{
    return head / t->dim[1] * t->stride[0] + head % t->dim[1] * t->stride[1];
}

/* A (m,k1) of a product with a right factor that is packed, of which n columns count; packed where it must be. */
static CgGemm placed(CgGemm g, const void *a, int64_t lda, void *left, const void *right, int64_t m, int64_t n, int64_t k1)
{
    union { const void *in; void *out; } u = { right };
    g.m = m;
    g.n = n;
    g.a = a;
    g.lda = lda;
    g.right = u.out;
    cg_gemm_layout(&g);
    g.left = g.left_bytes ? left : NULL;
    if (g.left) cg_gemm_pack_left(&g, a, 0, g.left_panels, 0, k1);
    return g;
}

/* p (m, w) = scale q k'. */
static void score(CgGemm g, const void *q, int64_t ldq, void *left, const void *keys, int64_t m, int64_t w, double scale, void *p)
{
    g = placed(g, q, ldq, left, keys, m, w, g.k);
    cg_gemm_run(&g, (CgGemmRange){ 0, g.left_panels, 0, g.right_panels, 0, g.k }, scale, 0, p, STEP);
}

/* c (m,K) = beta c + p (m,w) x: the first row sees `seen` columns, each one more than that above it; beyond, p holds 0. */
static void spread(CgGemm g, const void *p, void *left, const void *x, int64_t m, int64_t seen, int64_t w, double beta, void *c, int64_t ldc)
{
    g = placed(g, p, STEP, left, x, m, g.n, w);
    for (int64_t r = 0; r < g.left_panels; r++) {
        int64_t end = least(w, (seen + cg_gemm_row(&g, r + 1)) / 2 * 2);     /* one more than seen, so that it may be even */
        if (end > 0) cg_gemm_run(&g, (CgGemmRange){ r, r + 1, 0, g.right_panels, 0, end }, 1, beta, c, ldc);
    }
}

#define ATTENTION(T, suffix, ex, lg)                                                                            \
    /* n rows of a head from row r: in place if they are contiguous, else copied. */                            \
    static const T *rows_##suffix(const CgTensor *x, int64_t head, int64_t r, int64_t n, T *copy, int64_t *ld)  \
    {                                                                                                           \
        const T *from = (const T *)x->data + head_offset(x, head) + r * x->stride[2];                           \
        int64_t k = x->dim[3];                                                                                  \
        *ld = x->dim[2] == 1 ? k : x->stride[2];                                                                \
        if (unit_rows(x)) return from;                                                                          \
        *ld = k;                                                                                                \
        for (int64_t i = 0; i < n; i++)                                                                         \
            for (int64_t c = 0; c < k; c++) copy[i * k + c] = from[i * x->stride[2] + c * x->stride[3]];        \
        return copy;                                                                                            \
    }                                                                                                           \
    /* A head's keys or values as the right factor of scores: (K, S). */                                        \
    static CgGemm across_##suffix(const CgCall *call, const CgTensor *x, int64_t head, T *copy, void *to)       \
    {                                                                                                           \
        int64_t ld;                                                                                             \
        const T *from = rows_##suffix(x, head, 0, x->dim[2], copy, &ld);                                        \
        CgGemm g = factors(call, false, true, QUERIES, x->dim[2], x->dim[3], x->dim[3], ld);                    \
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
    /* Rows of scores against their running maxima m and sums l: p = exp(score - max), hidden columns 0, and in  \
     * `shrink` the factor by which what was summed before shrinks. The first row sees `seen` columns of w, each one   \
     * more than that above it. Whole vectors, and rows in stages: reductions of several rows overlap. */        \
    static void fold_##suffix(T *p, int64_t rows, int64_t seen, int64_t w, T *m, T *l, T *shrink)                \
    {                                                                                                           \
        T top[QUERIES], sum[QUERIES];                                                                           \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T *row = p + i * STEP, high = m[i];                                                                 \
            int64_t n = most(0, least(w, seen + i)), whole = (n + 15) / 16 * 16;                                \
            for (int64_t j = n; j < whole; j++) row[j] = -(T)INFINITY;                                          \
            CG_PRAGMA_(omp simd reduction(max:high))                                                            \
            for (int64_t j = 0; j < whole; j++) high = row[j] > high ? row[j] : high;                           \
            top[i] = high;                                                                                      \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T base = top[i] > -(T)INFINITY ? top[i] : 0;                                                        \
            shrink[i] = ex(m[i] - base);                                                                        \
            m[i] = top[i];                                                                                      \
            top[i] = base;                                                                                      \
        }                                                                                                       \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T *row = p + i * STEP, base = top[i], total = 0;                                                    \
            int64_t whole = (most(0, least(w, seen + i)) + 15) / 16 * 16;                                       \
            CG_PRAGMA_(omp simd reduction(+:total))                                                             \
            for (int64_t j = 0; j < whole; j++) {                                                               \
                T e = ex(row[j] - base);                                                                        \
                row[j] = e;                                                                                     \
                total += e;                                                                                     \
            }                                                                                                   \
            for (int64_t j = whole; j < w; j++) row[j] = 0;                                                     \
            sum[i] = total;                                                                                     \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) l[i] = l[i] * shrink[i] + sum[i];                                    \
    }                                                                                                           \
    /* y (rows, K) = acc / l, and lse. */                                                                       \
    static void settle_##suffix(const T *acc, int64_t rows, int64_t d, const T *m, const T *l, T *y, int64_t ldy, T *lse) \
    {                                                                                                           \
        for (int64_t i = 0; i < rows; i++) {                                                                    \
            T scale = l[i] > 0 ? 1 / l[i] : l[i];                                                               \
            CG_SIMD                                                                                             \
            for (int64_t c = 0; c < d; c++) y[i * ldy + c] = acc[i * d + c] * scale;                            \
        }                                                                                                       \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < rows; i++) lse[i] = m[i] + lg(l[i]);                                            \
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
                    CG_PRAGMA_(omp simd reduction(+:s))                                                         \
                    for (int64_t c = 0; c < d; c++) s += x[c] * key[c];                                         \
                } else {                                                                                        \
                    for (int64_t c = 0; c < d; c++) s += x[c * sq] * key[c * k->stride[3]];                     \
                }                                                                                               \
                p[j] = s * (T)z->scale;                                                                         \
            }                                                                                                   \
            fold_##suffix(p, 1, seen, seen, &m, &l, &shrink);                                                   \
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
            settle_##suffix(y, 1, d, &m, &l, y, d, (T *)call->out[1].data + head_offset(&call->out[1], head) + i); \
        }                                                                                                       \
    }                                                                                                           \
    static void attention_##suffix(const CgCall *call, CgPart part)                                             \
    {                                                                                                           \
        Sizes z = sizes_of(call);                                                                               \
        if (!z.heads || !z.t) return;                                                                           \
        /* Later queries see more: their ranges come first, so that threads end together. */                    \
        int64_t head = (int64_t)part.index % z.heads, range = z.ranges - 1 - (int64_t)part.index / z.heads, d = z.k; \
        int64_t blocks = ceil_div(z.t, QUERIES), ldv, ldq, out = call->out[0].stride[2];                        \
        int64_t first = blocks * range / z.ranges * QUERIES, last = least(blocks * (range + 1) / z.ranges * QUERIES, z.t); \
        T *y = (T *)call->out[0].data + head_offset(&call->out[0], head), *lse = (T *)call->out[1].data + head_offset(&call->out[1], head); \
        if (!z.s || !d) {                                                                                       \
            for (int64_t i = first; i < last; i++)                                                              \
                for (int64_t c = 0; c < d; c++) y[i * out + c] = 0;                                             \
            for (int64_t i = first; i < last; i++) lse[i] = z.s ? lg((T)least(z.s, i + z.ahead + 1)) : -INFINITY; \
            return;                                                                                             \
        }                                                                                                       \
        Forward f = forward_memory(call, &z, part.scratch);                                                     \
        if (z.t <= THIN) {                                                                                      \
            few_##suffix(call, &z, head, f.p);                                                                  \
            return;                                                                                             \
        }                                                                                                       \
        T *p = f.p, *acc = f.acc, *m = f.m, *l = f.l, shrink[QUERIES];                                                          \
        CgGemm scores = across_##suffix(call, &call->in[1], head, f.copy, f.keys), sums = scores;               \
        size_t panel = scores.right_bytes / (size_t)scores.right_panels, block = along_bytes(call, &z, KEYS);   \
        const T *v = rows_##suffix(&call->in[2], head, 0, z.s, f.copy, &ldv);                                   \
        for (int64_t s0 = 0; s0 < z.s; s0 += KEYS)                                                              \
            sums = along_##suffix(call, v + s0 * ldv, ldv, least(KEYS, z.s - s0), KEYS, d, (char *)f.values + (size_t)(s0 / KEYS) * block); \
        for (int64_t i0 = first; i0 < last; i0 += QUERIES) {                                                    \
            int64_t n = least(QUERIES, last - i0), end = least(z.s, i0 + n + z.ahead);                          \
            const T *q = rows_##suffix(&call->in[0], head, i0, n, f.rows, &ldq);                                \
            for (int64_t i = 0; i < n; i++) m[i] = -INFINITY;                                                   \
            for (int64_t i = 0; i < n; i++) l[i] = 0;                                                           \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                        \
                int64_t w = least(KEYS, end - s0);                                            \
                score(scores, q, ldq, f.left, (char *)f.keys + (size_t)(s0 / scores.nr) * panel, n, w, z.scale, p);     \
                fold_##suffix(p, n, i0 + z.ahead + 1 - s0, w, m, l, shrink);                                    \
                for (int64_t i = 0; s0 > 0 && i < n; i++) {                                                     \
                    T *row = acc + i * d, by = shrink[i];                                                       \
                    if (by == 1) continue;                                                                      \
                    CG_SIMD                                                                                     \
                    for (int64_t c = 0; c < d; c++) row[c] *= by;                                               \
                }                                                                                               \
                spread(sums, p, f.left, (char *)f.values + (size_t)(s0 / KEYS) * block, n, i0 + z.ahead + 1 - s0, w, s0 > 0, acc, d); \
            }                                                                                                   \
            settle_##suffix(acc, n, d, m, l, y + i0 * out, out, lse + i0);                                      \
        }                                                                                                       \
    }                                                                                                           \
    /* One row: p = exp(score - lse), ds = scale p (dp - delta), hidden columns 0. */                           \
    static void slope_row_##suffix(T *p, T *dp, int64_t seen, int64_t n, T lse, T delta, T scale)               \
    {                                                                                                           \
        int64_t whole = (seen + 15) / 16 * 16;      /* whole vectors: what lies between is overwritten */       \
        CG_SIMD                                                                                                 \
        for (int64_t j = 0; j < whole; j++) {                                                                   \
            T e = ex(p[j] - lse);                                                                               \
            p[j] = e;                                                                                           \
            dp[j] = scale * e * (dp[j] - delta);                                                                \
        }                                                                                                       \
        for (int64_t j = seen; j < n; j++) p[j] = dp[j] = 0;                                                    \
    }                                                                                                           \
    /* to (keys w, K) += P' x, for `many` queries from i0 on against keys from s0 on: no query sees a key before  \
     * i = s - ahead, so sums over queries begin there. */                                                      \
    static void gather_##suffix(CgGemm g, const T *p, void *left, const void *right, const Sizes *z, int64_t i0, int64_t s0, T *to, int64_t ldt) \
    {                                                                                                           \
        union { const void *in; void *out; } u = { right };                                                     \
        g.a = p;                                                                                                \
        g.left = g.left_bytes ? left : NULL;                                                                    \
        g.right = u.out;                                                                                        \
        for (int64_t r = 0; r < g.left_panels; r++) {                                                           \
            int64_t from = most(0, s0 + cg_gemm_row(&g, r) - z->ahead - i0) / 2 * 2;                            \
            cg_gemm_run(&g, (CgGemmRange){ r, r + 1, 0, g.right_panels, from, g.k }, 1, 1, to, ldt);            \
        }                                                                                                       \
    }                                                                                                           \
    /* With P = exp(S - lse): gv = P' gy, dP = gy v', dS = P (dP - sum(gy y)) scale, gq = dS k, gk = dS' q. A part is a  \
     * head, so that gk and gv are summed in the order of the query blocks. */                                  \
    static void attention_vjp_##suffix(const CgCall *call, CgPart part)                                         \
    {                                                                                                           \
        const CgTensor *lses = &call->in[4];                                                                    \
        Sizes z = sizes_of(call);                                                                               \
        if (!z.heads) return;                                                                                   \
        int64_t head = (int64_t)part.index, d = z.k, ldk, ldq, ldy, ldg;                                        \
        T *gq = (T *)call->out[0].data + head_offset(&call->out[0], head);                                      \
        T *gk = (T *)call->out[1].data + head_offset(&call->out[1], head);                                      \
        T *gv = (T *)call->out[2].data + head_offset(&call->out[2], head);                                      \
        int64_t gqs = call->out[0].stride[2], gks = call->out[1].stride[2], gvs = call->out[2].stride[2];       \
        for (int64_t i = 0; i < z.s; i++)                                                                       \
            for (int64_t c = 0; c < d; c++) gk[i * gks + c] = gv[i * gvs + c] = 0;                              \
        if (!z.s || !d || !z.t) {                                                                               \
            for (int64_t i = 0; i < z.t; i++)                                                                   \
                for (int64_t c = 0; c < d; c++) gq[i * gqs + c] = 0;                                            \
            return;                                                                                             \
        }                                                                                                       \
        const T *lse = (const T *)lses->data + head / lses->dim[1] * lses->stride[0] + head % lses->dim[1] * lses->stride[1]; \
        Backward f = backward_memory(call, &z, part.scratch);                                                   \
        T *delta = f.delta;                                                                                     \
        CgGemm scores = across_##suffix(call, &call->in[1], head, f.copy, f.keys), sums = scores;               \
        across_##suffix(call, &call->in[2], head, f.copy, f.values);                                            \
        size_t panel = scores.right_bytes / (size_t)scores.right_panels, block = along_bytes(call, &z, KEYS);   \
        const T *k = rows_##suffix(&call->in[1], head, 0, z.s, f.copy, &ldk);                                   \
        for (int64_t s0 = 0; s0 < z.s; s0 += KEYS)                                                              \
            sums = along_##suffix(call, k + s0 * ldk, ldk, least(KEYS, z.s - s0), KEYS, d, (char *)f.sums + (size_t)(s0 / KEYS) * block); \
        for (int64_t m0 = 0; m0 < z.t; m0 += MANY) {                                                            \
            int64_t many = least(MANY, z.t - m0), end = least(z.s, m0 + many + z.ahead);                        \
            const T *q = rows_##suffix(&call->in[0], head, m0, many, f.q, &ldq);                                \
            const T *y = rows_##suffix(&call->in[3], head, m0, many, f.y, &ldy);                                \
            const T *g = rows_##suffix(&call->in[5], head, m0, many, f.g, &ldg);                                \
            along_##suffix(call, q, ldq, many, many, d, f.queries);                                             \
            along_##suffix(call, g, ldg, many, many, d, f.slopes);                                              \
            for (int64_t i = 0; i < many; i++) {                                                                \
                T s = 0;                                                                                        \
                CG_PRAGMA_(omp simd reduction(+:s))                                                             \
                for (int64_t c = 0; c < d; c++) s += y[i * ldy + c] * g[i * ldg + c];                           \
                delta[i] = s;                                                                                   \
            }                                                                                                   \
            for (int64_t s0 = 0; s0 < end; s0 += KEYS) {                                                        \
                int64_t wide = least(KEYS, end - s0);                                                           \
                CgGemm t = turned(call, wide, many);                                                            \
                for (int64_t i0 = 0; i0 < many; i0 += QUERIES) {                                                \
                    int64_t n = least(QUERIES, many - i0), w = least(wide, m0 + i0 + n + z.ahead - s0);         \
                    int64_t at = f.rows > QUERIES ? i0 : 0, padded, panels = 0;                                 \
                    if (w <= 0) continue;                                                                       \
                    while (cg_gemm_row(&t, panels) < w) panels++;                                               \
                    padded = cg_gemm_row(&t, panels);                                                                                \
                    T *p = (T *)f.p + at * STEP, *dp = (T *)f.dp + at * STEP;                                   \
                    score(scores, q + i0 * ldq, ldq, f.left, (char *)f.keys + (size_t)(s0 / scores.nr) * panel, n, w, z.scale, p); \
                    score(scores, g + i0 * ldg, ldg, f.left, (char *)f.values + (size_t)(s0 / scores.nr) * panel, n, w, 1, dp); \
                    for (int64_t i = 0; i < n; i++) {                                                           \
                        int64_t seen = least(w, m0 + i0 + i + z.ahead + 1 - s0), row = i0 + i;                  \
                        slope_row_##suffix(p + i * STEP, dp + i * STEP, seen < 0 ? 0 : seen, padded, lse[(m0 + row) * lses->stride[2]], delta[row], (T)z.scale); \
                    }                                                                                           \
                    spread(sums, dp, f.left, (char *)f.sums + (size_t)(s0 / KEYS) * block, n, m0 + i0 + z.ahead + 1 - s0, w, s0 > 0, gq + (m0 + i0) * gqs, gqs); \
                    if (!t.left_bytes) continue;                                                                \
                    t.left = f.pt;                                                                              \
                    cg_gemm_pack_left(&t, p, 0, panels, i0, i0 + n);                                            \
                    t.left = f.dpt;                                                                             \
                    cg_gemm_pack_left(&t, dp, 0, panels, i0, i0 + n);                                           \
                }                                                                                               \
                gather_##suffix(t, f.p, f.pt, f.slopes, &z, m0, s0, gv + s0 * gvs, gvs);                        \
                gather_##suffix(t, f.dp, f.dpt, f.queries, &z, m0, s0, gk + s0 * gks, gks);                     \
            }                                                                                                   \
        }                                                                                                       \
    }
ATTENTION(float, f32, cg_exp_low_f32, cg_log_f32)
ATTENTION(double, f64, exp, log)

#endif
