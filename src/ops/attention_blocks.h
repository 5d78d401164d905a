/* attention_blocks.h - how attention and its derivative are computed, block by block; part of attention.c.
 * Takes q, k, v by head, with any strides; gives results in any order of axes. Scores stand on their side, S' = k q': a
 * few keys by a panel of queries become weights before they leave the registers (cg_gemm_softmax_tile,
 * cg_gemm_softmax_grad_tile), go down the columns, and are never stored whole; blocks that nothing sees are skipped.
 * Factors that many blocks share are packed once a head, see CgGemm. Milakov and Gimelshein 2018 (the running maximum);
 * Dao et al., "FlashAttention", 2022. */
#ifndef CG_OPS_ATTENTION_BLOCKS_H
#define CG_OPS_ATTENTION_BLOCKS_H

#include <float.h>

#include <cg/vmath.h>

#include "ops/attention_heads.h"

#define T          float
#define NAME(word) word##_f32
#define EX2        cg_exp2_low_f32
#define LG         cg_log_f32
#define TANH       cg_tanh_f32
#include "ops/attention_mask.h"
#include "ops/attention_small.h"
#undef T
#undef NAME
#undef EX2
#undef LG
#undef TANH
#define T          double
#define NAME(word) word##_f64
#define EX2        exp2
#define LG         log
#define TANH       tanh
#include "ops/attention_mask.h"
#include "ops/attention_small.h"
#undef T
#undef NAME
#undef EX2
#undef LG
#undef TANH

#define MANY 256 /* queries that the derivative takes at a time: the depth of the products that make gk and gv */
#define KEY_ROWS                                                                                                    \
    12 /* keys that the derivative takes at a time, at most: twice as many rows as cg_gemm_softmax_grad_tile has in \
          registers */

enum { MASK = 3, MASK_OF_VJP = 6 }; /* operands */
enum { STEP = MANY + 16 };          /* from row to row of scores: rows do not all fall into the same cache sets */

/* Blocks of keys, of at most `tall` rows that a panel holds: about equal, and begun at even rows, so that pairs of rows
 * can be packed. */
static int64_t row_blocks(const CgGemm *g, int64_t rows, int64_t tall)
{
    return cg_ceil_div((rows + 1) / 2, most(1, least(g->mr, tall) / 2));
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

static bool is_half(const CgTensor *x) { return x && x->dtype == CG_ROUNDED; }

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

/* Pieces of the scratch memory of a shard; all NULL when only their size is asked for. */
typedef struct Forward {
    void *keys, *values, *queries, *tile, *p, *mask, *acc, *k, *v, *q, *base, *sum, *rescale;
    size_t bytes;
} Forward;

static Forward forward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype);
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
    int64_t lanes = lanes_of(call);
    CgGemm scores = rows_left(call, k, z->s, z->k, row_step(k));
    Forward f = { .bytes = 0 };
    if (z->t <= SKINNY_QUERIES) {
        f.p = take(scratch, &f.bytes, (size_t)(z->s + 16) * size);
        return f;
    }
    f.keys = take(scratch, &f.bytes, scores.left_bytes);
    f.values = take(scratch, &f.bytes, (size_t)z->blocks * sum_left(call, v, KEYS, z->k, row_step(v)).left_bytes);
    f.queries = take(scratch, &f.bytes, rows_right(call, q, lanes, z->k, z->k).right_bytes);
    f.tile = take(scratch, &f.bytes, (size_t)(scores.mr * lanes) * size);
    f.p = take(scratch, &f.bytes, sum_right(call, NULL, KEYS, lanes, lanes).right_bytes);
    f.mask = take(scratch, &f.bytes, z->masked ? (size_t)(scores.mr * lanes) * size : 0);
    f.acc = take(scratch, &f.bytes, (size_t)(z->k * lanes) * size);
    f.k = take(scratch, &f.bytes, copy_bytes(k, z->s));
    f.v = take(scratch, &f.bytes, copy_bytes(v, z->s));
    f.q = take(scratch, &f.bytes, copy_bytes(q, lanes));
    f.base = take(scratch, &f.bytes, (size_t)lanes * size);
    f.sum = take(scratch, &f.bytes, (size_t)lanes * size);
    f.rescale = take(scratch, &f.bytes, (size_t)lanes * size);
    return f;
}

typedef struct Backward {
    void *keys, *values, *transposed; /* left factors: k, v, k' */
    void *qt, *gt, *queries, *gy;     /* right factors: q', gy', q, gy */
    void *p, *dp, *left_p, *left_dp, *right_dp, *gq;
    void *k, *v, *q, *y, *g, *base, *delta, *row, *mask;
    size_t bytes;
} Backward;

static Backward backward_memory(const CgCall *call, const Sizes *z, char *scratch)
{
    size_t size = cg_dtype_size(call->out->dtype);
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2], *y = &call->in[3], *g = &call->in[5];
    int64_t wide = cg_ceil_div(MANY, lanes_of(call)) * lanes_of(call);
    size_t packed = rows_left(call, NULL, QUERIES, MANY, STEP).left_bytes;
    Backward f = { .bytes = 0 };
    f.keys = take(scratch, &f.bytes, rows_left(call, k, z->s, z->k, row_step(k)).left_bytes);
    f.values = take(scratch, &f.bytes, rows_left(call, v, z->s, z->k, row_step(v)).left_bytes);
    f.transposed = take(scratch, &f.bytes, (size_t)z->blocks * sum_left(call, k, KEYS, z->k, row_step(k)).left_bytes);
    f.qt = take(scratch, &f.bytes, rows_right(call, q, MANY, z->k, z->k).right_bytes);
    f.gt = take(scratch, &f.bytes, rows_right(call, g, MANY, z->k, z->k).right_bytes);
    f.queries = take(scratch, &f.bytes, sum_right(call, q, MANY, z->k, z->k).right_bytes);
    f.gy = take(scratch, &f.bytes, sum_right(call, g, MANY, z->k, z->k).right_bytes);
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
    f.mask = take(scratch, &f.bytes, z->masked ? (size_t)(KEY_ROWS * lanes_of(call)) * size : 0);
    return f;
}

static size_t small_memory(const CgCall *call, const Sizes *z, bool backward)
{
    size_t wide = (size_t)cg_ceil_div(z->t, 16) * 16, deep = (size_t)cg_ceil_div(z->k, 16) * 16, d = (size_t)z->k,
           s = (size_t)z->s, bytes = 0;
    size_t numbers = (2 * d + s) * wide + 2 * wide; /* q', p, y' or gq'; base, sum or delta */
    if (z->masked)
        numbers += 2 * s * wide; /* mask and slope */
    if (backward)
        numbers += (d + s) * wide + (wide + s) * deep; /* gy', dp; q or gy, gk or gv */
    take(NULL, &bytes, numbers * cg_dtype_size(call->out->dtype) + 18 * 64);
    for (int i = 0; i < call->nin; i++)
        if (call->in[i].rank == 4 && i != (backward ? MASK_OF_VJP : MASK))
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

/* Of the derivative: heads that share keys are in one group. */
static Sizes sizes_of_vjp(const CgCall *call)
{
    Sizes z = sizes_of(call, MASK_OF_VJP);
    z.groups = least(z.groups, z.heads / z.shared);
    return z;
}

static void attention_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of(call, MASK);
    *work =
        (CgWork){ .flops = 4.0 * (double)z.heads * pairs(&z) * (double)z.k, .shards = (size_t)(z.groups * z.ranges) };
    for (int i = 0; i < call->nin; i++)
        work->bytes += tensor_bytes(&call->in[i]);
    for (int i = 0; i < 2; i++)
        work->bytes += tensor_bytes(&call->out[i]);
    if (!work->shards)
        work->shards = 1;
    CgTensor out[2];
    CgCall of = held_call(call, 0, out, NULL);
    work->scratch = held_bytes(&call->out[0]);
    if (z.heads && z.t && z.s && z.k)
        work->scratch +=
            is_small(&z) && z.t > SKINNY_QUERIES ? small_memory(&of, &z, false) : forward_memory(&of, &z, NULL).bytes;
}

static void attention_vjp_work(const CgCall *call, CgWork *work)
{
    Sizes z = sizes_of_vjp(call);
    /* four products; the scores, computed once more, are no useful work */
    *work = (CgWork){ .flops = 8.0 * (double)z.heads * pairs(&z) * (double)z.k, .shards = (size_t)z.groups };
    for (int i = 0; i < call->nin; i++)
        work->bytes += tensor_bytes(&call->in[i]);
    for (int i = 0; i < 3; i++)
        work->bytes += tensor_bytes(&call->out[i]);
    if (!work->shards)
        work->shards = 1;
    work->scratch = held_bytes(&call->out[2]);
    if (z.heads && z.t && z.s && z.k)
        work->scratch += is_small(&z) ? small_memory(call, &z, true) : backward_memory(call, &z, NULL).bytes;
}

/* q, k and v go into factors that are rounded, but those of few queries or small heads are used as they lie, in f32. */
static uint32_t attention_rounds(const CgCall *call)
{
    Sizes z = sizes_of(call, MASK);
    return call->bf16 && z.t > SKINNY_QUERIES && !is_small(&z) ? 7 : 0;
}

/* And y, in sum(gy y). */
static uint32_t attention_vjp_rounds(const CgCall *call)
{
    Sizes z = sizes_of_vjp(call);
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
    return least(z->t, cg_ceil_div(z->t, lanes) * i / z->ranges * lanes);
}

/* ---- kernels ---- */

/* ---- memory that will be needed ----
 * Rows of a head often lie apart from each other, where no processor guesses the next one. They are asked for a while
 * before they are read, to be found in the second-level cache; a few at a time, since a processor waits for room when
 * it has asked for more than it can keep track of. */

typedef struct Ahead {
    CgPrefetch of[6];
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
    a->of[a->n++] = (CgPrefetch){ .at = at, .rows = to - from, .bytes = x->dim[3] * size, .step = x->stride[2] * size };
    a->rows += to - from;
}

/* The next `rows` rows. */
static void ahead_fetch(Ahead *a, int64_t rows)
{
    while (rows > 0 && a->now < a->n) {
        CgPrefetch *x = &a->of[a->now];
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
static void ahead_split(Ahead *a, int64_t times) { a->share = cg_ceil_div(a->rows, most(1, times)); }

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
    CgGemm block = *g;
    if (!g->left_bytes || n1 <= n0)
        return;
    block.m = n1 - n0;
    block.left_panels = cg_ceil_div(block.m, block.mr);
    block.left = (char *)g->left + (size_t)n0 * row;
    cg_gemm_pack_left(&block, (const char *)x + n0 * g->lda * cg_gemm_left_size(g), 0, block.left_panels, 0, g->k);
}

static void pack_sums(const CgGemm *g, const void *x, void *to, int64_t n0, int64_t n1)
{
    CgGemm block = *g;
    if (!g->left_bytes)
        return;
    for (int64_t end; n0 < n1; n0 = end) {
        end = least(n1, (n0 / KEYS + 1) * KEYS);
        block.left = (char *)to + (size_t)(n0 / KEYS) * g->left_bytes;
        cg_gemm_pack_left(&block, (const char *)x + n0 * g->lda * cg_gemm_left_size(g), 0, block.left_panels, n0 % KEYS,
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

#define T          float
#define NAME(word) word##_f32
#define EX2        cg_exp2_low_f32
#define LG         cg_log_f32
#define TANH       cg_tanh_f32
#include "ops/attention_tiles.h"
#define T          double
#define NAME(word) word##_f64
#define EX2        exp2
#define LG         log
#define TANH       tanh
#include "ops/attention_tiles.h"

#endif
