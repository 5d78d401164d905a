/* reduce.c - sums and extremes over any axes.
 * Takes a tensor; gives one without the reduced axes. Long reductions are cut into chunks whose number follows from
 * the sizes alone and whose partial results are joined in order, so that every number of threads gives the same bits.
 */
#include <math.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#define COLUMNS 1024 /* columns taken together when an outer axis is reduced */
#define BLOCK   2048 /* f32 elements summed before the sum is carried in f64 */

/* ---- which axes ---- */

static uint32_t axes_mask(const CgAttrs *attrs, int rank)
{
    const CgAttr *axes = cg_attr_find(attrs, "axes");
    uint32_t mask = 0;
    for (int i = 0; axes && i < axes->n; i++) {
        int64_t a = axes->ints[i] < 0 ? axes->ints[i] + rank : axes->ints[i];
        if (a >= 0 && a < rank)
            mask |= 1u << a;
    }
    return mask;
}

static CgType without(CgType t, uint32_t mask)
{
    CgType out = { .dtype = t.dtype };
    for (int i = 0; i < t.rank; i++)
        if (!(mask >> i & 1))
            out.dim[out.rank++] = t.dim[i];
    return out;
}

static bool reduce_shape(CgInfer *inf)
{
    const CgAttr *axes = cg_attr_find(inf->attrs, "axes");
    uint32_t seen = 0;
    if (!cg_want_number(inf, 0))
        return false;
    if (!axes || axes->kind != CG_ATTR_INTS)
        return cg_infer_fail(inf, -1, -1, "%s needs axes, a list of axes", inf->op->name);
    for (int i = 0; i < axes->n; i++) {
        int64_t a = axes->ints[i] < 0 ? axes->ints[i] + inf->in[0].rank : axes->ints[i];
        if (a < 0 || a >= inf->in[0].rank)
            return cg_infer_fail(inf, 0, -1, "%s: there is no axis %lld, x has %d", inf->op->name,
                (long long)axes->ints[i], inf->in[0].rank);
        if (seen >> a & 1)
            return cg_infer_fail(inf, 0, (int)a, "%s: axis %lld is named twice", inf->op->name, (long long)a);
        seen |= 1u << a;
    }
    inf->out[0] = without(inf->in[0], seen);
    return true;
}

/* x, which lacks the axes in `mask`, repeated along them to the type `like`. */
static CgRef repeat_mask(CgBuild *b, CgRef x, CgType like, uint32_t mask)
{
    int64_t axes[CG_MAX_RANK];
    for (int i = 0, k = 0; i < like.rank; i++)
        axes[i] = mask >> i & 1 ? -1 : k++;
    return cg_broadcast(b, x, like.rank, like.dim, axes);
}

/* ---- cutting the work ---- */

/* The operand as (pre, mid, post) with mid reduced; `plain` is false when reduced axes are not neighbours. */
typedef struct Cut {
    int64_t pre, mid, post;
    int64_t chunks; /* of mid; with more than one, partial results meet in `finish` */
    size_t shards;
    bool plain;
} Cut;

static Cut cut(const CgTensor *x, uint32_t mask)
{
    Cut c = { 1, 1, 1, 1, 1, true };
    int first = -1, last = -1;
    for (int i = 0; i < x->rank; i++)
        if (mask >> i & 1) {
            if (first < 0)
                first = i;
            last = i;
        }
    for (int i = 0; i < x->rank; i++) {
        if (first >= 0 && i >= first && i <= last) {
            c.mid *= x->dim[i];
            c.plain &= mask >> i & 1 || x->dim[i] == 1;
        } else if (i < first || first < 0)
            c.pre *= x->dim[i];
        else
            c.post *= x->dim[i];
    }
    int64_t total = c.pre * c.mid * c.post, units = c.post == 1 ? c.pre : c.pre * ((c.post + COLUMNS - 1) / COLUMNS);
    int64_t want = (total + CG_SHARD - 1) / CG_SHARD;
    if (!c.plain)
        return c;
    if (units < 8 && want > units && c.pre * c.post <= 4 * CG_SHARD) {
        c.chunks = want > 32 ? 32 : want;
        if (c.chunks > c.mid)
            c.chunks = c.mid;
        c.shards = (size_t)c.chunks;
    } else {
        c.shards = (size_t)(want < units ? want : units);
    }
    if (c.chunks < 1)
        c.chunks = 1;
    if (c.shards < 1)
        c.shards = 1;
    return c;
}

static void reduce_work(const CgCall *call, CgWork *work)
{
    const CgTensor *x = &call->in[0];
    Cut c = cut(x, axes_mask(call->attrs, x->rank));
    size_t n = (size_t)cg_tensor_count(x), size = cg_dtype_size(x->dtype);
    *work = (CgWork){ .flops = (double)n, .bytes = (double)n * (double)size, .shards = c.shards };
    if (c.chunks > 1)
        work->shared = (size_t)(c.chunks * c.pre * c.post) * size;
}

/* ---- kernels ---- */

#define ADD(a, x) ((a) + (x))
#define MUL(a, x) ((a) * (x))
/* A NaN wins: it is kept once met, and taken when met. */
#define MAX(a, x) ((x) > (a) || (x) != (x) ? (x) : (a))
#define MIN(a, x) ((x) < (a) || (x) != (x) ? (x) : (a))

/* One row of n elements. Wide lanes by hand for extremes, which OpenMP's reductions do not keep NaN for. */
#define SUM_ROW(T, U, name)                              \
    static T name##_row(const T *x, int64_t n)           \
    {                                                    \
        U total = 0;                                     \
        for (int64_t at = 0; at < n; at += BLOCK) {      \
            int64_t m = n - at < BLOCK ? n - at : BLOCK; \
            T s = 0;                                     \
            CG_PRAGMA_(omp simd reduction(+ : s))        \
            for (int64_t i = 0; i < m; i++)              \
                s += x[at + i];                          \
            total += (U)s;                               \
        }                                                \
        return (T)total;                                 \
    }
#define INT_ROW(T, U, name)                    \
    static T name##_row(const T *x, int64_t n) \
    {                                          \
        U total = 0;                           \
        for (int64_t i = 0; i < n; i++)        \
            total += (U)x[i];                  \
        return (T)total;                       \
    }
#define LANES 32
#define EXTREME_ROW(T, name, join)                      \
    static T name##_row(const T *x, int64_t n)          \
    {                                                   \
        T lane[LANES], best = x[0];                     \
        int64_t i = 1;                                  \
        if (n >= LANES) {                               \
            for (int l = 0; l < LANES; l++)             \
                lane[l] = x[l];                         \
            for (i = LANES; i + LANES <= n; i += LANES) \
                for (int l = 0; l < LANES; l++)         \
                    lane[l] = join(lane[l], x[i + l]);  \
            best = lane[0];                             \
            for (int l = 1; l < LANES; l++)             \
                best = join(best, lane[l]);             \
        }                                               \
        for (; i < n; i++)                              \
            best = join(best, x[i]);                    \
        return best;                                    \
    }

/* out (cols) = rows of x (rows, stride) joined; four rows a sweep. */
#define COLUMNS_OF(T, name, join)                                                              \
    static void name##_columns(const T *x, int64_t rows, int64_t stride, int64_t cols, T *out) \
    {                                                                                          \
        int64_t r = 1;                                                                         \
        for (int64_t c = 0; c < cols; c++)                                                     \
            out[c] = x[c];                                                                     \
        for (; r + 4 <= rows; r += 4) {                                                        \
            const T *p = x + r * stride, *q = p + stride, *s = q + stride, *t = s + stride;    \
            CG_SIMD                                                                            \
            for (int64_t c = 0; c < cols; c++) {                                               \
                T u = join(p[c], q[c]), v = join(s[c], t[c]), w = join(u, v);                  \
                out[c] = join(out[c], w);                                                      \
            }                                                                                  \
        }                                                                                      \
        for (; r < rows; r++) {                                                                \
            const T *p = x + r * stride;                                                       \
            CG_SIMD                                                                            \
            for (int64_t c = 0; c < cols; c++)                                                 \
                out[c] = join(out[c], p[c]);                                                   \
        }                                                                                      \
    }

/* Reduced axes that are not neighbours: folding splits such nodes, so only unfolded graphs come here. */
#define SCATTERED(T, name, join, empty)                                               \
    static void name##_scattered(const CgTensor *x, uint32_t mask, T *out, int64_t n) \
    {                                                                                 \
        const T *from = x->data;                                                      \
        int64_t count = cg_tensor_count(x);                                           \
        for (int64_t i = 0; count == 0 && i < n; i++)                                 \
            out[i] = empty;                                                           \
        uint8_t met[256] = { 0 };                                                     \
        for (int64_t base = 0; base < n; base += 256) {                               \
            int64_t end = n - base < 256 ? n : base + 256;                            \
            for (int k = 0; k < 256; k++)                                             \
                met[k] = 0;                                                           \
            for (int64_t i = 0; i < count; i++) {                                     \
                int64_t rest = i, to = 0, step = 1;                                   \
                for (int k = x->rank - 1; k >= 0; k--) {                              \
                    if (!(mask >> k & 1)) {                                           \
                        to += rest % x->dim[k] * step;                                \
                        step *= x->dim[k];                                            \
                    }                                                                 \
                    rest /= x->dim[k];                                                \
                }                                                                     \
                if (to < base || to >= end)                                           \
                    continue;                                                         \
                out[to] = met[to - base] ? join(out[to], from[i]) : from[i];          \
                met[to - base] = 1;                                                   \
            }                                                                         \
        }                                                                             \
    }

#define REDUCE(T, name, join, empty)                                                                               \
    static void name(const CgCall *call, CgShard shard)                                                            \
    {                                                                                                              \
        const CgTensor *x = &call->in[0];                                                                          \
        const T *from = x->data;                                                                                   \
        T *to = call->out->data;                                                                                   \
        uint32_t mask = axes_mask(call->attrs, x->rank);                                                           \
        Cut c = cut(x, mask);                                                                                      \
        size_t first, last;                                                                                        \
        if (!c.plain || c.mid == 0) {                                                                              \
            name##_scattered(x, mask, to, cg_tensor_count(call->out));                                             \
        } else if (c.chunks > 1) {                                                                                 \
            T *partial = (T *)call->shared + (int64_t)shard.index * c.pre * c.post;                                \
            cg_shard_range(shard, (size_t)c.mid, 1, &first, &last);                                                \
            for (int64_t p = 0; p < c.pre; p++) {                                                                  \
                const T *row = from + (p * c.mid + (int64_t)first) * c.post;                                       \
                if (c.post == 1)                                                                                   \
                    partial[p] = name##_row(row, (int64_t)(last - first));                                         \
                else                                                                                               \
                    name##_columns(row, (int64_t)(last - first), c.post, c.post, partial + p * c.post);            \
            }                                                                                                      \
        } else if (c.post == 1) {                                                                                  \
            cg_shard_range(shard, (size_t)c.pre, 1, &first, &last);                                                \
            for (size_t p = first; p < last; p++)                                                                  \
                to[p] = name##_row(from + (int64_t)p * c.mid, c.mid);                                              \
        } else {                                                                                                   \
            int64_t blocks = (c.post + COLUMNS - 1) / COLUMNS;                                                     \
            cg_shard_range(shard, (size_t)(c.pre * blocks), 1, &first, &last);                                     \
            for (int64_t u = (int64_t)first; u < (int64_t)last; u++) {                                             \
                int64_t p = u / blocks, q = u % blocks * COLUMNS, m = c.post - q < COLUMNS ? c.post - q : COLUMNS; \
                name##_columns(from + p * c.mid * c.post + q, c.mid, c.post, m, to + p * c.post + q);              \
            }                                                                                                      \
        }                                                                                                          \
    }                                                                                                              \
    static void name##_join(const CgCall *call)                                                                    \
    {                                                                                                              \
        Cut c = cut(&call->in[0], axes_mask(call->attrs, call->in[0].rank));                                       \
        if (c.chunks > 1)                                                                                          \
            name##_columns((const T *)call->shared, c.chunks, c.pre *c.post, c.pre *c.post, (T *)call->out->data); \
    }

#define FAMILY(op, T, U, suffix, row, join, empty)                                  \
    row COLUMNS_OF(T, op##_##suffix, join) SCATTERED(T, op##_##suffix, join, empty) \
        REDUCE(T, op##_##suffix, join, empty)

/* Integers wrap around, as in elementwise sums. */
#define WRAP_I32(a, x) ((int32_t)((uint32_t)(a) + (uint32_t)(x)))
#define WRAP_I64(a, x) ((int64_t)((uint64_t)(a) + (uint64_t)(x)))

FAMILY(sum, float, double, f32, SUM_ROW(float, double, sum_f32), ADD, 0)
FAMILY(sum, double, double, f64, SUM_ROW(double, double, sum_f64), ADD, 0)
FAMILY(sum, int32_t, uint32_t, i32, INT_ROW(int32_t, uint32_t, sum_i32), WRAP_I32, 0)
FAMILY(sum, int64_t, uint64_t, i64, INT_ROW(int64_t, uint64_t, sum_i64), WRAP_I64, 0)
#define TIMES_I32(a, x) ((int32_t)((uint32_t)(a) * (uint32_t)(x)))
#define TIMES_I64(a, x) ((int64_t)((uint64_t)(a) * (uint64_t)(x)))
/* Like an extreme: lanes that are joined at the end, in an order that the length alone says. */
FAMILY(prod, float, float, f32, EXTREME_ROW(float, prod_f32, MUL), MUL, 1)
FAMILY(prod, double, double, f64, EXTREME_ROW(double, prod_f64, MUL), MUL, 1)
FAMILY(prod, int32_t, uint32_t, i32, EXTREME_ROW(int32_t, prod_i32, TIMES_I32), TIMES_I32, 1)
FAMILY(prod, int64_t, uint64_t, i64, EXTREME_ROW(int64_t, prod_i64, TIMES_I64), TIMES_I64, 1)
FAMILY(max, float, float, f32, EXTREME_ROW(float, max_f32, MAX), MAX, -INFINITY)
FAMILY(max, double, double, f64, EXTREME_ROW(double, max_f64, MAX), MAX, -INFINITY)
FAMILY(max, int32_t, int32_t, i32, EXTREME_ROW(int32_t, max_i32, MAX), MAX, INT32_MIN)
FAMILY(max, int64_t, int64_t, i64, EXTREME_ROW(int64_t, max_i64, MAX), MAX, INT64_MIN)
FAMILY(min, float, float, f32, EXTREME_ROW(float, min_f32, MIN), MIN, INFINITY)
FAMILY(min, double, double, f64, EXTREME_ROW(double, min_f64, MIN), MIN, INFINITY)
FAMILY(min, int32_t, int32_t, i32, EXTREME_ROW(int32_t, min_i32, MIN), MIN, INT32_MAX)
FAMILY(min, int64_t, int64_t, i64, EXTREME_ROW(int64_t, min_i64, MIN), MIN, INT64_MAX)

#define FINISH(op)                                             \
    static void op##_finish(const CgCall *call, CgShard shard) \
    {                                                          \
        (void)shard;                                           \
        switch (call->in[0].dtype) {                           \
        case CG_F32: op##_f32_join(call); break;               \
        case CG_F64: op##_f64_join(call); break;               \
        case CG_I32: op##_i32_join(call); break;               \
        default: op##_i64_join(call); break;                   \
        }                                                      \
    }
FINISH(sum)
FINISH(prod)
FINISH(max)
FINISH(min)

/* ---- derivatives and folding ---- */

static void sum_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    gin[0] = repeat_mask(b, site->gout[0], t, axes_mask(site->attrs, t.rank));
}

/* Products of all elements before each along axis 0 of `n` elements, or of all behind it. */
static CgRef products_beside(CgBuild *b, CgRef x, bool behind)
{
    CgType t = cg_ref_type(b, x), first = t;
    const CgDim *none = cg_dim_int(0), *one = cg_dim_int(1), *n = t.dim[0], *from = behind ? one : none,
                *to = cg_dim_add(n, from);
    first.dim[0] = one;
    CgRef start = cg_fill(b, first, 1), zeros = cg_fill(b, t, 0);
    CgAttr axis = cg_a_int("axis", 0), at[2] = { axis, cg_a_int("reverse", behind) };
    CgRef beside[2] = { behind ? x : start, behind ? start : x },
          added[2] = { behind ? zeros : start, behind ? start : zeros };
    CgRef factor = cg_slice(b, cg_build(b, "concat", 2, beside, cg_attrs(1, &axis)), 0, from, to);
    CgRef begin = cg_slice(b, cg_build(b, "concat", 2, added, cg_attrs(1, &axis)), 0, from, to);
    return cg_build(b, "recurrence", 2, (const CgRef[2]){ factor, begin }, cg_attrs(2, at));
}

/* g times the product of all other elements, those before and those behind, which holds for zeros, too. */
static void prod_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]), moved = t, lanes = t;
    uint32_t mask = axes_mask(site->attrs, t.rank);
    int64_t perm[CG_MAX_RANK], back[CG_MAX_RANK];
    const CgDim *n = cg_dim_int(1);
    int k = 0, gone = 0;
    for (int i = 0; i < t.rank; i++)
        if (mask >> i & 1)
            perm[k++] = i;
    gone = k;
    for (int i = 0; i < t.rank; i++)
        if (!(mask >> i & 1))
            perm[k++] = i;
    for (int i = 0; i < t.rank; i++) {
        back[perm[i]] = i;
        moved.dim[i] = t.dim[perm[i]];
        n = i < gone ? cg_dim_mul(n, moved.dim[i]) : n;
    }
    lanes.rank = t.rank - gone + 1; /* the axes that go as one, in front */
    lanes.dim[0] = n;
    for (int i = gone; i < t.rank; i++)
        lanes.dim[i - gone + 1] = moved.dim[i];
    CgRef x = cg_reshape(b, cg_transpose(b, site->in[0], perm), lanes.rank, lanes.dim);
    CgRef others = cg_mul(b, products_beside(b, x, false), products_beside(b, x, true));
    others = cg_transpose(b, cg_reshape(b, others, t.rank, moved.dim), back);
    gin[0] = cg_mul(b, repeat_mask(b, site->gout[0], t, mask), others);
}

/* g to the elements that are the extreme, in equal shares. */
static void extreme_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    uint32_t mask = axes_mask(site->attrs, t.rank);
    const CgAttr *axes = cg_attr_find(site->attrs, "axes");
    CgRef hit = cg_cast(b, cg_b(b, "eq", x, repeat_mask(b, site->out[0], t, mask)), t.dtype);
    CgRef share = cg_div(b, site->gout[0], cg_sum(b, hit, axes->n, axes->ints));
    gin[0] = cg_mul(b, hit, repeat_mask(b, share, t, mask));
}

static int list_of(uint32_t mask, int64_t *axes)
{
    int n = 0;
    for (int i = 0; i < CG_MAX_RANK; i++)
        if (mask >> i & 1)
            axes[n++] = i;
    return n;
}

static CgRef reduce(CgBuild *b, const CgOp *op, CgRef x, uint32_t mask)
{
    int64_t axes[CG_MAX_RANK];
    int n = list_of(mask, axes);
    if (!n)
        return x;
    CgAttr a = cg_a_ints("axes", n, axes);
    return cg_build(b, op->name, 1, &x, cg_attrs(1, &a));
}

static CgRef reduce_fold(CgBuild *b, const CgSite *site, const char *name)
{
    const CgOp *op = cg_op_named(name);
    const CgAttr *given = cg_attr_find(site->attrs, "axes");
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    uint32_t mask = axes_mask(site->attrs, t.rank);
    int64_t sorted[CG_MAX_RANK];
    int n = list_of(mask, sorted);
    if (!mask)
        return x;
    for (int i = 0; i < n; i++)
        if (given->ints[i] != sorted[i])
            return reduce(b, op, x, mask); /* one spelling */
    /* Reduction of a transpose: of the operand, whose layout is the better one. */
    if (cg_ref_is(b, x, "transpose")) {
        const CgAttr *perm = cg_attr_find(cg_ref_attrs(b, x), "perm");
        uint32_t inner = 0;
        int64_t kept[CG_MAX_RANK], back[CG_MAX_RANK];
        int m = 0;
        for (int i = 0; i < t.rank; i++)
            if (mask >> i & 1)
                inner |= 1u << perm->ints[i];
            else
                kept[m++] = perm->ints[i];
        for (int i = 0; i < m; i++) {
            back[i] = 0;
            for (int k = 0; k < m; k++)
                back[i] += kept[k] < kept[i];
        }
        return cg_transpose(b, reduce(b, op, cg_ref_in(b, x, 0), inner), back);
    }
    if (cg_ref_is(b, x, name)) { /* both at once */
        CgType below = cg_ref_type(b, cg_ref_in(b, x, 0));
        uint32_t done = axes_mask(cg_ref_attrs(b, x), below.rank), both = done;
        for (int i = 0, k = 0; i < below.rank; i++)
            if (!(done >> i & 1))
                both |= (mask >> k++ & 1) << i;
        uint32_t first = both & (~both + 1), run = both / first;
        if ((run & (run + 1)) == 0)
            return reduce(b, op, cg_ref_in(b, x, 0), both);
    }
    /* Groups that are not neighbours: the last group first, it is the contiguous one. */
    uint32_t low = mask & (~mask + 1), run = mask / low;
    if (run & (run + 1)) {
        uint32_t last = 0;
        int i = CG_MAX_RANK - 1;
        while (!(mask >> i & 1))
            i--;
        for (; i >= 0 && mask >> i & 1; i--)
            last |= 1u << i;
        return reduce(b, op, reduce(b, op, x, last), mask & ~last);
    }
    return CG_NONE;
}

/* The repeated axes of a broadcast among the reduced ones. */
static uint32_t repeated_axes(CgBuild *b, CgRef x, uint32_t mask)
{
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, x), "axes");
    uint32_t fresh = 0;
    for (int i = 0; i < axes->n; i++)
        if (axes->ints[i] < 0)
            fresh |= mask & 1u << i;
    return fresh;
}

/* The operand of the broadcast x, repeated only along the new axes that are not in `drop`; reduced over the rest. */
static CgRef shrink(CgBuild *b, const char *name, CgRef x, uint32_t mask, uint32_t drop)
{
    CgType t = cg_ref_type(b, x);
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, x), "axes");
    const CgDim *dims[CG_MAX_RANK];
    int64_t kept[CG_MAX_RANK];
    uint32_t rest = 0;
    int n = 0;
    for (int i = 0; i < t.rank; i++) {
        if (drop >> i & 1)
            continue;
        rest |= (mask >> i & 1) << n;
        dims[n] = t.dim[i];
        kept[n++] = axes->ints[i];
    }
    return reduce(b, cg_op_named(name), cg_broadcast(b, cg_ref_in(b, x, 0), n, dims, kept), rest);
}

/* A sum over repetitions is a product. */
static CgRef sum_fold(CgBuild *b, const CgSite *site)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    uint32_t mask = axes_mask(site->attrs, t.rank), drop = cg_ref_is(b, x, "broadcast") ? repeated_axes(b, x, mask) : 0;
    double times = 1;
    for (int i = 0; i < t.rank; i++) {
        int64_t n;
        if (!(drop >> i & 1))
            continue;
        if (cg_dim_is_int(t.dim[i], &n))
            times *= (double)n;
        else
            drop &= ~(1u << i);
    }
    if (drop && times < 0x1p53) {
        CgRef less = shrink(b, "sum", x, mask, drop), k = cg_fold_to(b, cg_ref_type(b, less), times);
        if (k != CG_NONE)
            return cg_mul(b, less, k);
    }
    return reduce_fold(b, site, "sum");
}

static CgRef extreme_fold(CgBuild *b, const CgSite *site, const char *name)
{
    CgRef x = site->in[0];
    uint32_t mask = axes_mask(site->attrs, cg_ref_type(b, x).rank);
    uint32_t drop = cg_ref_is(b, x, "broadcast") ? repeated_axes(b, x, mask) : 0;
    for (int i = 0; i < CG_MAX_RANK; i++) {
        int64_t n;
        if (drop >> i & 1 && (!cg_dim_is_int(cg_ref_type(b, x).dim[i], &n) || n == 0))
            drop &= ~(1u << i);
    }
    return drop ? shrink(b, name, x, mask, drop) : reduce_fold(b, site, name);
}

/* A product over repetitions is left as it is. */
static CgRef prod_fold(CgBuild *b, const CgSite *site) { return reduce_fold(b, site, "prod"); }
static CgRef max_fold(CgBuild *b, const CgSite *site) { return extreme_fold(b, site, "max"); }
static CgRef min_fold(CgBuild *b, const CgSite *site) { return extreme_fold(b, site, "min"); }

static CgAxisRule reduce_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    uint32_t mask = axes_mask(inf->attrs, inf->in[operand].rank);
    to->axis = axis;
    for (int i = 0; i < axis; i++)
        to->axis -= (int)(mask >> i & 1);
    return mask >> axis & 1 ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

/* ---- the ops ---- */

static const CgSample reduce_samples[] = {
    { .in = "F[3,7]", .attrs = "axes=(1)", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[5,3,7]", .attrs = "axes=(0, 1)", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,5,7]", .attrs = "axes=(1)", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[2,3,5,2]", .attrs = "axes=(0, 2)", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,5]", .attrs = "axes=(0, 1)", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "i32[3,5,7]", .attrs = "axes=(0, 2)", .low = -23, .high = 23 },
    { .in = "i64[37,53]", .attrs = "axes=(0)", .low = -23, .high = 23 },
    { .in = "F[70001]", .attrs = "axes=(0)", .low = -0.71, .high = 2.385, .apart = 0.01 },
    { .in = "F[1013,97]", .attrs = "axes=(0)", .low = -0.71, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,53,1301]", .attrs = "axes=(1)", .low = -0.71, .high = 2.385, .apart = 0.01 },
    { .in = "F[211,5,67]", .attrs = "axes=(1, 2)", .low = -0.71, .high = 2.385, .apart = 0.01 },
    { .in = NULL },
};

static const CgSample prod_samples[] = {
    { .in = "F[3,7]", .attrs = "axes=(1)", .low = 0.53, .high = 1.71 },
    { .in = "F[5,3,7]", .attrs = "axes=(0, 1)", .low = 0.53, .high = 1.71 },
    { .in = "F[2,3,5,2]", .attrs = "axes=(0, 2)", .low = 0.53, .high = 1.71 },
    { .in = "F[3,5]", .attrs = "axes=(0, 1)", .low = -1.31, .high = 1.31 },
    { .in = "i32[3,5,7]", .attrs = "axes=(0, 2)", .low = -23, .high = 23 },
    { .in = "i64[37,53]", .attrs = "axes=(0)", .low = -23, .high = 23 },
    { .in = "F[5,97]", .attrs = "axes=(1)", .low = 0.91, .high = 1.11 },
    { .in = "F[97,41]", .attrs = "axes=(0)", .low = 0.91, .high = 1.11 },
    { .in = NULL },
};

static const CgOp op_sum = {
    CG_OP_HERE,
    .name = "sum",
    .sig = "(x: T[..s], axes: axis[]) -> T[..r]",
    .doc = "Sum over the listed axes, which the result lacks. Integers wrap around.\n\n"
           "f32 is summed in blocks whose sums are carried in f64; the order is fixed by the sizes.\n",
    .shape = reduce_shape,
    .vjp = sum_vjp,
    .kernel = CG_NUMBER_KERNELS(sum),
    .finish = sum_finish,
    .work = reduce_work,
    .fold = sum_fold,
    .axis_rule = reduce_axis_rule,
    .traits = CG_LINEAR | CG_ADDS_UP,
    .samples = reduce_samples,
};

static const CgOp op_prod = {
    CG_OP_HERE,
    .name = "prod",
    .sig = "(x: T[..s], axes: axis[]) -> T[..r]",
    .doc = "Product over the listed axes, which the result lacks; 1 of nothing. Integers wrap around.\n\n"
           "The derivative by an element is the product of all others, also where some are 0.\n",
    .shape = reduce_shape,
    .vjp = prod_vjp,
    .kernel = CG_NUMBER_KERNELS(prod),
    .finish = prod_finish,
    .work = reduce_work,
    .fold = prod_fold,
    .axis_rule = reduce_axis_rule,
    .samples = prod_samples,
};

static const CgOp op_max = {
    CG_OP_HERE,
    .name = "max",
    .sig = "(x: T[..s], axes: axis[]) -> T[..r]",
    .doc = "Maximum over the listed axes, which the result lacks. NaN if one element is; -inf of nothing.\n\n"
           "Elements that tie for the maximum share its derivative evenly.\n",
    .shape = reduce_shape,
    .vjp = extreme_vjp,
    .kernel = CG_NUMBER_KERNELS(max),
    .finish = max_finish,
    .work = reduce_work,
    .fold = max_fold,
    .axis_rule = reduce_axis_rule,
    .samples = reduce_samples,
};

static const CgOp op_min = {
    CG_OP_HERE,
    .name = "min",
    .sig = "(x: T[..s], axes: axis[]) -> T[..r]",
    .doc = "Minimum over the listed axes, which the result lacks. NaN if one element is; inf of nothing.\n\n"
           "Elements that tie for the minimum share its derivative evenly.\n",
    .shape = reduce_shape,
    .vjp = extreme_vjp,
    .kernel = CG_NUMBER_KERNELS(min),
    .finish = min_finish,
    .work = reduce_work,
    .fold = min_fold,
    .axis_rule = reduce_axis_rule,
    .samples = reduce_samples,
};

CG_OPS(reduce, &op_sum, &op_prod, &op_max, &op_min)
