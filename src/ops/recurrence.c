/* recurrence.c - linear recurrences along an axis.
 * Takes factors and what is added; gives y[t] = a[t] y[t-1] + b[t], one lane from end to end after the other. Running
 * products, decaying sums, discounted returns and diagonal state-space models are this; so is its own derivative. */
#include <cg/elementwise.h>
#include <cg/rules.h>

#include "ops/vector_reduce.h"

enum { COLUMNS = 256, ROWS = 8 };

static bool recurrence_shape(CgInfer *inf)
{
    int axis;
    return cg_want_float(inf, 0) && cg_shape_same(inf) && cg_infer_axis(inf, "axis", 0, &axis);
}

/* The tensor as (pre, n, post), n being the axis; lanes that lie side by side are taken in blocks of columns. */
typedef struct Lanes {
    int64_t pre, n, post, blocks;
    bool reverse;
} Lanes;

static Lanes lanes_of(const CgCall *call)
{
    const CgTensor *x = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    Lanes l = { 1, x->dim[axis], 1, 1, cg_attr_int(call->attrs, "reverse", 0) != 0 };
    for (int i = 0; i < axis; i++)
        l.pre *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        l.post *= x->dim[i];
    l.blocks = (l.post + COLUMNS - 1) / COLUMNS;
    return l;
}

/* Lanes that lie side by side, a block of columns of them; lanes that lie one after the other, so many that none waits
 * for itself. */
#define LANES(T, name)                                                                                           \
    static void name##_columns(const CgCall *call, const Lanes *l, int64_t u)                                    \
    {                                                                                                            \
        int64_t c = u % l->blocks * COLUMNS, m = l->post - c < COLUMNS ? l->post - c : COLUMNS;                  \
        int64_t base = u / l->blocks * l->n * l->post + c;                                                       \
        T state[COLUMNS] = { 0 };                                                                                \
        for (int64_t k = 0; k < l->n; k++) {                                                                     \
            int64_t at = base + (l->reverse ? l->n - 1 - k : k) * l->post;                                       \
            const T *a = (const T *)call->in[0].data + at, *b = (const T *)call->in[1].data + at;                \
            T *y = (T *)call->out->data + at;                                                                    \
            CG_SIMD                                                                                              \
            for (int64_t j = 0; j < m; j++)                                                                      \
                y[j] = state[j] = k ? a[j] * state[j] + b[j] : b[j];                                             \
        }                                                                                                        \
    }                                                                                                            \
    static inline                                                                                                \
        __attribute__((always_inline)) void name##_rows(const CgCall *call, const Lanes *l, int64_t u, int rows) \
    {                                                                                                            \
        T state[ROWS] = { 0 };                                                                                   \
        for (int64_t k = 0; k < l->n; k++) {                                                                     \
            int64_t at = u * l->n + (l->reverse ? l->n - 1 - k : k);                                             \
            const T *a = (const T *)call->in[0].data + at, *b = (const T *)call->in[1].data + at;                \
            T *y = (T *)call->out->data + at;                                                                    \
            LANES_UNROLLED                                                                                       \
            for (int r = 0; r < rows; r++)                                                                       \
                y[r * l->n] = state[r] = k ? a[r * l->n] * state[r] + b[r * l->n] : b[r * l->n];                 \
        }                                                                                                        \
    }
#define RECURRENCE(T, name)                                                  \
    LANES(T, name)                                                           \
    static void name(const CgCall *call, CgShard shard)                      \
    {                                                                        \
        Lanes l = lanes_of(call);                                            \
        size_t first, last;                                                  \
        cg_shard_range(shard, (size_t)(l.pre * l.blocks), 1, &first, &last); \
        int64_t u = (int64_t)first;                                          \
        for (; l.post == 1 && u + ROWS <= (int64_t)last; u += ROWS)          \
            name##_rows(call, &l, u, ROWS);                                  \
        for (; l.post == 1 && u < (int64_t)last; u++)                        \
            name##_rows(call, &l, u, 1);                                     \
        for (; u < (int64_t)last; u++)                                       \
            name##_columns(call, &l, u);                                     \
    }
RECURRENCE(float, recurrence_f32)
RECURRENCE(double, recurrence_f64)

static void recurrence_work(const CgCall *call, CgWork *work)
{
    const CgTensor *x = &call->in[0];
    Lanes l = lanes_of(call);
    size_t n = (size_t)cg_tensor_count(x), lanes = (size_t)(l.pre * l.blocks), shards = (n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = 2.0 * (double)n,
        .bytes = 3.0 * (double)n * (double)cg_dtype_size(x->dtype),
        .shards = shards < lanes ? shards : lanes };
    if (!work->shards)
        work->shards = 1;
}

/* x moved by one place along the axis, towards its end or its begin; a zero comes in. */
static CgRef shifted(CgBuild *b, CgRef x, int axis, bool towards_end)
{
    const CgDim *none = cg_dim_int(0), *one = cg_dim_int(1), *n = cg_ref_type(b, x).dim[axis];
    CgRef wide = cg_pad(b, x, axis, towards_end ? one : none, towards_end ? none : one);
    return cg_slice(b, wide, axis, towards_end ? none : one, towards_end ? n : cg_dim_add(n, one));
}

static CgRef recurrence(CgBuild *b, CgRef x, CgRef y, int axis, bool reverse)
{
    CgAttr at[2] = { cg_a_int("axis", axis), cg_a_int("reverse", reverse) };
    return cg_build(b, "recurrence", 2, (const CgRef[2]){ x, y }, cg_attrs(2, at));
}

/* What reaches y[t] from later on goes back through the same factors: s[t] = a[t+1] s[t+1] + g[t]; then db = s and
 * da[t] = s[t] y[t-1]. */
static void recurrence_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    int axis = cg_axis(site->attrs, "axis", cg_ref_type(b, site->in[0]).rank);
    bool reverse = cg_attr_int(site->attrs, "reverse", 0) != 0;
    CgRef s = recurrence(b, shifted(b, site->in[0], axis, reverse), site->gout[0], axis, !reverse);
    gin[0] = cg_mul(b, s, shifted(b, site->out[0], axis, !reverse));
    gin[1] = s;
}

static CgAxisRule recurrence_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    if (axis != cg_axis(inf->attrs, "axis", inf->in[operand].rank))
        return CG_AXIS_POINTWISE;
    return cg_attr_int(inf->attrs, "reverse", 0) ? CG_AXIS_WHOLE : CG_AXIS_CAUSAL;
}

static const CgSample recurrence_samples[] = {
    { .in = "F[3,7] F[3,7]", .attrs = "axis=1", .low = -1.31, .high = 1.31 },
    { .in = "F[3,5,7] F[3,5,7]", .attrs = "axis=1, reverse=1", .low = -1.31, .high = 1.31 },
    { .in = "F[5,311] F[5,311]", .attrs = "axis=0", .low = -1.31, .high = 1.31 },
    { .in = "F[29,11] F[29,11]", .attrs = "axis=1, reverse=1", .low = -1.31, .high = 1.31 },
    { .in = NULL },
};

static const CgOp op_recurrence = {
    CG_OP_HERE,
    .name = "recurrence",
    .sig = "(a: F[..s], b: F[..s], axis: axis = -1, reverse: bool = false) -> F[..s]",
    .doc =
        "The linear recurrence y[t] = a[t] y[t-1] + b[t] along an axis, from y = 0 before it; from the other end when\n"
        "reverse: y[t] = a[t] y[t+1] + b[t]. Running products and decaying sums are this (`cumprod` of std.tensor),\n"
        "and so are diagonal state-space models (Gu et al. 2022).\n",
    .shape = recurrence_shape,
    .vjp = recurrence_vjp,
    .kernel = CG_FLOAT_KERNELS(recurrence),
    .work = recurrence_work,
    .axis_rule = recurrence_axis_rule,
    .samples = recurrence_samples,
};

CG_OPS(recurrence, &op_recurrence)
