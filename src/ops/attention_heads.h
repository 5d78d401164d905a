/* attention_heads.h - the heads of attention: where their rows lie, and how work on them is cut; part of attention.c
 * and attention_at.c. Takes tensors (B, H, rows, K) with any strides; gives rows of one head with contiguous numbers,
 * in place where they are. */
#ifndef CG_OPS_ATTENTION_HEADS_H
#define CG_OPS_ATTENTION_HEADS_H

#include <cg/elementwise.h>
#include <cg/kernel.h>
#include <cg/rules.h>

#include "ops/copy_block.h"
#include "ops/vector_reduce.h"

#define QUERIES        32  /* queries of a block, about: a panel of the right factor */
#define KEYS           256 /* keys of a block: the depth of the products that make y and gq */
#define SKINNY_QUERIES 4   /* queries up to which nothing is packed: the time is that of reading keys and values */
#define SMALL          32  /* queries and keys up to which a head is computed without cutting or packing */
#define SHARDS         8   /* shards wanted when there are fewer heads than that */
#define GROUPS         16  /* shards of many heads, at least ... */
#define GROUP                                                                                              \
    4 /* ... and heads of a shard, at most: each fetches the next one's rows from memory while it computes \
       */
#define LITTLE 3e5 /* flops of a shard of small heads, about: microseconds */
#define BESIDE 16  /* what a pair of a query and a key takes besides products is as much as so many numbers of a row */

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- what it means ---- */

/* Heads of queries are so many times those of keys and values; each of these serves as many, one after the other. */
static inline bool attention_groups(CgInfer *inf)
{
    const CgDim *queries = inf->in[0].dim[1], *keys = inf->in[1].dim[1], *times;
    int64_t n;
    if (queries == keys)
        return true;
    times = cg_dim_div(queries, keys);
    return (times && !(cg_dim_is_int(times, &n) && n < 1)) || cg_infer_differ(inf, 0, 1, 1, 1, "numbers of heads");
}

/* q: F[B, H, T, K], k: F[B, G, S, K], v: F[B, G, S, K], G | H, a finite scale and a cap. With `kept`, k and v may be of
 * bf16 where q is of f32. */
static inline bool attention_operands(CgInfer *inf, bool kept)
{
    double cap = cg_attr_float(inf->attrs, "cap", 1);
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 4, 4))
        return false;
    for (int i = 1; i < 3; i++) {
        bool narrow = kept && inf->in[0].dtype == CG_F32 && inf->in[i].dtype == CG_BF16;
        if ((!narrow && !cg_want_dtype(inf, i, 0)) || !cg_want_rank(inf, i, 4, 4) || !cg_want_axes(inf, i, 0, 0, 1))
            return false;
        if (inf->in[i].dim[3] != inf->in[0].dim[3])
            return cg_infer_differ(inf, 0, 3, i, 3, "head sizes");
    }
    if (inf->in[1].dim[2] != inf->in[2].dim[2])
        return cg_infer_differ(inf, 1, 2, 2, 2, "numbers of keys and values");
    if (inf->in[1].dim[1] != inf->in[2].dim[1])
        return cg_infer_differ(inf, 1, 1, 2, 1, "heads of keys and values");
    if (!attention_groups(inf))
        return false;
    if (!isfinite(cg_attr_float(inf->attrs, "scale", 1)))
        return cg_infer_fail(inf, -1, -1, "%s: scale must be a number", inf->op->name);
    if (!(cap > 0) || !isfinite(cap))
        return cg_infer_fail(inf, -1, -1, "%s: cap must be above 0", inf->op->name);
    return true;
}

/* The mask is operand `at`, where there are as many: an axis of it is that of the scores, or 1. */
static inline bool attention_mask(CgInfer *inf, int at)
{
    if (inf->nin <= at)
        return true;
    if (!cg_want_dtype(inf, at, 0) || !cg_want_rank(inf, at, 4, 4))
        return false;
    for (int i = 0; i < 4; i++) {
        int of = i == 3, axis = i == 3 ? 2 : i;
        if (inf->in[at].dim[i] != cg_dim_int(1) && inf->in[at].dim[i] != inf->in[of].dim[axis])
            return cg_infer_differ(inf, at, i, of, axis, "sizes of mask and scores");
    }
    return true;
}

/* Under the causal mask the first query sees a key: the offset is not negative. NULL: not known. */
static inline bool attention_offset(CgInfer *inf, const CgDim *offset)
{
    int64_t n;
    if (offset && cg_dim_is_int(offset, &n) && n < 0)
        return cg_infer_fail(
            inf, 1, 2, "%s: offset is %lld: the first query would see no key", inf->op->name, (long long)n);
    return true;
}

/* (B, G, R, S, K), where x is (B, G R, S, K). */
static inline void attention_grouped(CgType x, const CgDim *groups, const CgDim *dim[5])
{
    dim[0] = x.dim[0];
    dim[1] = groups;
    dim[2] = cg_dim_div(x.dim[1], groups);
    dim[3] = x.dim[2];
    dim[4] = x.dim[3];
}

/* Keys or values for each head of queries: those that serve several, so many times. */
static inline CgRef attention_for_each(CgBuild *b, CgRef x, CgRef q)
{
    CgType t = cg_ref_type(b, x), all = t;
    const CgDim *dim[5];
    all.dim[1] = cg_ref_type(b, q).dim[1];
    if (all.dim[1] == t.dim[1])
        return x;
    attention_grouped(all, t.dim[1], dim);
    return cg_reshape(b, cg_broadcast(b, x, 5, dim, (const int64_t[5]){ 0, 1, -1, 2, 3 }), 4, all.dim);
}

/* scale q k' under a cap. */
static inline CgRef attention_scores(CgBuild *b, const CgSite *site)
{
    double cap = cg_attr_float(site->attrs, "cap", 0);
    CgRef k = attention_for_each(b, site->in[1], site->in[0]);
    CgRef s = cg_scale(b, cg_matmul(b, site->in[0], k, false, true), cg_attr_float(site->attrs, "scale", 1));
    return cap > 0 ? cg_scale(b, cg_u(b, "tanh", cg_scale(b, s, 1 / cap)), cap) : s;
}

/* The scores, -inf where query i may not see key j: j > i + offset. */
static inline CgRef attention_hide(CgBuild *b, CgRef scores, CgRef offset)
{
    CgType t = cg_ref_type(b, scores), plane = cg_type(CG_I32, 2, &t.dim[2]);
    CgAttr rows[2] = { cg_a_type("type", plane), cg_a_int("axis", 0) },
           cols[2] = { cg_a_type("type", plane), cg_a_int("axis", 1) };
    CgRef i = cg_add(b, cg_build(b, "iota", 0, NULL, cg_attrs(2, rows)), cg_broadcast_scalar(b, offset, plane));
    CgRef seen = cg_b(b, "ge", i, cg_build(b, "iota", 0, NULL, cg_attrs(2, cols)));
    seen = cg_broadcast(b, seen, 4, t.dim, (const int64_t[4]){ -1, -1, 0, 1 });
    return cg_where(b, seen, scores, cg_fill_like(b, scores, -INFINITY));
}

/* x of a type with some axes of t, the others 1, as one of type t. */
static inline CgRef attention_stretch(CgBuild *b, CgRef x, CgType t)
{
    CgType own = cg_ref_type(b, x);
    const CgDim *kept[4];
    int64_t axes[4];
    int n = 0;
    for (int i = 0; i < 4; i++) {
        axes[i] = own.dim[i] == t.dim[i] ? n : -1;
        if (own.dim[i] == t.dim[i])
            kept[n++] = own.dim[i];
    }
    return cg_broadcast(b, n < 4 ? cg_reshape(b, x, n, kept) : x, 4, t.dim, axes);
}

/* The scores and the mask, -inf where that is, whatever the scores are. */
static inline CgRef attention_add_mask(CgBuild *b, CgRef scores, CgRef mask)
{
    CgRef m = attention_stretch(b, mask, cg_ref_type(b, scores)), none = cg_fill_like(b, scores, -INFINITY);
    return cg_where(b, cg_b(b, "eq", m, none), none, cg_add(b, scores, m));
}

/* Weights of scores that are hidden in part, and the logarithm of what they were divided by; a row that sees nothing is
 * 0 and -inf. */
static inline CgRef attention_weights(CgBuild *b, CgRef scores, CgRef *lse)
{
    CgType t = cg_ref_type(b, scores);
    CgAttr axes = cg_a_ints("axes", 1, (const int64_t[1]){ 3 }), axis = cg_a_int("axis", 3);
    CgRef most = cg_build(b, "max", 1, &scores, cg_attrs(1, &axes)), none = cg_fill_like(b, most, -INFINITY);
    CgRef blind = cg_b(b, "eq", most, none), row = cg_repeat(b, blind, cg_type(CG_BOOL, 4, t.dim), 3);
    CgRef zero = cg_fill_like(b, scores, 0), s = cg_where(b, row, zero, scores);
    CgRef known = cg_build(b, "logsumexp", 1, &s, cg_attrs(1, &axis));
    *lse = cg_where(b, blind, none, known);
    return cg_where(b, row, zero, cg_exp(b, cg_sub(b, s, cg_repeat(b, known, t, 3))));
}

/* ---- rows ---- */

static inline int64_t head_offset(const CgTensor *t, int64_t head)
{
    return head / t->dim[1] * t->stride[0] + head % t->dim[1] * t->stride[1];
}

static inline bool unit_rows(const CgTensor *t)
{
    return (t->stride[3] == 1 || t->dim[3] == 1) && (t->stride[2] >= t->dim[3] || t->dim[2] == 1);
}

/* From row to row of a head, if rows that are not contiguous are copied. */
static inline int64_t row_step(const CgTensor *t) { return unit_rows(t) && t->dim[2] != 1 ? t->stride[2] : t->dim[3]; }

/* Memory that copying takes: none where rows are used in place. */
static inline size_t copy_bytes(const CgTensor *t, int64_t rows)
{
    return unit_rows(t) ? 0 : (size_t)(rows * t->dim[3]) * cg_dtype_size(t->dtype);
}

/* n rows of a head from row r: in place if they are contiguous, else copied. */
static inline const void *rows_of(const CgTensor *x, int64_t head, int64_t r, int64_t n, void *copy, int64_t *ld)
{
    int64_t size = (int64_t)cg_dtype_size(x->dtype);
    const void *from = (const char *)x->data + (head_offset(x, head) + r * x->stride[2]) * size;
    *ld = row_step(x);
    return unit_rows(x) ? from : copy_block(from, x->stride[2], x->stride[3], n, x->dim[3], size, copy);
}

#define HEADS(T, suffix)                                                                                              \
    static inline void zero_##suffix(T *x, int64_t ld, int64_t from, int64_t to, int64_t k)                           \
    {                                                                                                                 \
        for (int64_t i = from; i < to; i++)                                                                           \
            for (int64_t c = 0; c < k; c++)                                                                           \
                x[i * ld + c] = 0;                                                                                    \
    }                                                                                                                 \
    /* to (columns, rows) = by column scale[c] from (rows, columns), rows and columns ld apart; scale may be NULL. In \
     * squares of four by four. */                                                                                    \
    static inline void transposed_##suffix(                                                                           \
        const T *from, int64_t ld, int64_t rows, int64_t columns, const T *scale, T *to, int64_t ldto)                \
    {                                                                                                                 \
        int64_t c = 0;                                                                                                \
        for (; c + 4 <= columns; c += 4) {                                                                            \
            int64_t r = 0;                                                                                            \
            for (; r + 4 <= rows; r += 4)                                                                             \
                lanes_transpose_##suffix(from + r * ld + c, ld, scale ? scale + c : NULL, to + c * ldto + r, ldto);   \
            for (; r < rows; r++)                                                                                     \
                for (int64_t i = c; i < c + 4; i++)                                                                   \
                    to[i * ldto + r] = from[r * ld + i] * (scale ? scale[i] : 1);                                     \
        }                                                                                                             \
        for (; c < columns; c++)                                                                                      \
            for (int64_t r = 0; r < rows; r++)                                                                        \
                to[c * ldto + r] = from[r * ld + c] * (scale ? scale[c] : 1);                                         \
    }
HEADS(float, f32)
HEADS(double, f64)

/* ---- cutting ---- */

typedef struct Sizes {
    int64_t heads, t, s, k; /* B H, T, S, K */
    int64_t blocks;         /* of keys */
    int64_t ranges;         /* of queries a head is cut into */
    int64_t groups;         /* of heads */
    int64_t shared;         /* heads that have their keys and values in common: heads / shared is the index of these */
    int64_t ahead;          /* query i sees keys up to i + ahead; S when nothing is hidden */
    bool masked;            /* scores have a mask added, or a cap: see CgSoftmaxTile */
    double cap;             /* times log2(e) */
    double scale;
    double alpha, exponent; /* alpha exponent = scale log2(e), exponent > 0: p is 2^(exponent (alpha q k' - max)), by a
                               product and a sum */
} Sizes;

#define LOG2_E 1.4426950408889634
#define LN_2   0.69314718055994531

static inline bool is_small(const Sizes *z) { return z->t <= SMALL && z->s <= SMALL; }

/* Query-key pairs that count. */
static inline double pairs(const Sizes *z)
{
    double t = (double)z->t, s = (double)z->s, hidden = s - (double)z->ahead - 1;
    return z->ahead >= z->s ? t * s
        : hidden <= 0       ? t * s
                            : t * s - (hidden < t ? hidden * hidden : (2 * hidden - t) * t) / 2;
}

/* The mask of a call, of operand `at`; NULL: there is none. */
static inline const CgTensor *mask_of(const CgCall *call, int at) { return call->nin > at ? &call->in[at] : NULL; }

/* The mask is operand `at`, where there is one. */
static inline Sizes sizes_of(const CgCall *call, int at)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1];
    Sizes z = { .heads = q->dim[0] * q->dim[1], .t = q->dim[2], .s = k->dim[2], .k = q->dim[3], .ranges = 1 };
    z.shared = k->dim[1] ? q->dim[1] / k->dim[1] : 1;
    z.blocks = cg_ceil_div(z.s, KEYS);
    z.scale = cg_attr_float(call->attrs, "scale", 1);
    z.alpha = z.scale > 0 ? 1 : z.scale;
    z.exponent = z.scale > 0 ? z.scale * LOG2_E : LOG2_E;
    z.cap = cg_attr_float(call->attrs, "cap", 0) * LOG2_E;
    z.masked = mask_of(call, at) || z.cap > 0;
    if (z.masked) {
        z.alpha = z.scale * LOG2_E;
        z.exponent = 1;
    }
    z.ahead = cg_attr_int(call->attrs, "causal", 0) ? cg_attr_size(call->attrs, "offset", z.s - z.t) : z.s;
    if (is_small(&z)) {
        z.groups = least(z.heads, (int64_t)(8.0 * (double)(z.heads * z.t * z.s * (z.k + BESIDE)) / LITTLE) + 1);
        return z;
    }
    if (z.heads > 0 && z.heads < SHARDS && z.t > SKINNY_QUERIES)
        z.ranges = least(cg_ceil_div(SHARDS, z.heads), cg_ceil_div(z.t, QUERIES));
    if (z.ranges < 1)
        z.ranges = 1;
    z.groups = cg_ceil_div(z.heads, most(1, least(GROUP, z.heads / GROUPS)));
    return z;
}

/* The first head of group i, of heads that are cut between whole `units`. */
static inline int64_t group_begin(const Sizes *z, int64_t unit, int64_t i)
{
    return z->groups ? z->heads / unit * i / z->groups * unit : 0;
}

/* A piece of the scratch memory; `at` counts the bytes given out. */
static inline void *take(char *scratch, size_t *at, size_t bytes)
{
    size_t from = *at;
    *at = (from + bytes + 63) / 64 * 64;
    return scratch ? scratch + from : NULL;
}

#endif
