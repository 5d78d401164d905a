/* index.c - rows by number, and back.
 * Takes integer ids; gives the rows they name, sums into them, or elements picked by them. An id that is out of
 * range ends the run with an error; until then what belongs to it is zero. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

static void rows_work(const CgTensor *big, size_t rows, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(big), shards = (n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = (double)n,
        .bytes = 2.0 * (double)n * (double)cg_dtype_size(big->dtype),
        .shards = shards < rows ? shards : rows };
    if (!work->shards)
        work->shards = 1;
}

/* ---- take ---- */

static bool take_shape(CgInfer *inf)
{
    const CgType *table = &inf->in[0], *ids = &inf->in[1];
    if (!cg_want_rank(inf, 0, 2, 2) || !cg_want_integer(inf, 1) || !cg_want_rank(inf, 1, 0, CG_MAX_RANK - 1))
        return false;
    inf->out[0] = cg_type_as(*ids, table->dtype);
    inf->out[0].dim[inf->out[0].rank++] = table->dim[1];
    return true;
}

static void take_kernel(const CgCall *call, CgShard shard)
{
    const CgTensor *table = &call->in[0], *ids = &call->in[1];
    size_t size = cg_dtype_size(table->dtype), row = (size_t)table->dim[1] * size, first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(ids), 1, &first, &last);
    for (size_t i = first; i < last && row; i++) {
        char *to = (char *)call->out->data + i * row;
        int64_t id = cg_index_at(call, 1, (int64_t)i, table->dim[0]);
        if (id < 0)
            memset(to, 0, row);
        else
            memcpy(to, (const char *)table->data + (size_t)id * row, row);
    }
}

static void take_work(const CgCall *call, CgWork *work)
{
    rows_work(call->out, (size_t)cg_tensor_count(&call->in[1]), work);
}

/* Each use of a row adds to its derivative. */
static void take_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    CgRef in[2] = { site->in[1], site->gout[0] };
    CgAttr rows = cg_a_dims("rows", 1, &t.dim[0]);
    gin[0] = cg_build(b, "scatter_add", 2, in, cg_attrs(1, &rows));
}

static CgAxisRule take_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    if (operand == 1)
        return CG_AXIS_POINTWISE;
    to->axis = inf->in[1].rank;
    return axis == 1 ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

/* ---- scatter_add ---- */

static bool scatter_shape(CgInfer *inf)
{
    const CgType *ids = &inf->in[0], *g = &inf->in[1];
    const CgDim *rows = cg_attr_dim(inf->attrs, "rows");
    if (!cg_want_integer(inf, 0) || !cg_want_float(inf, 1))
        return false;
    if (!rows)
        return cg_infer_fail(inf, -1, -1, "scatter_add needs rows, a size");
    if (!cg_want_rank(inf, 1, ids->rank + 1, ids->rank + 1) || !cg_want_axes(inf, 1, 0, 0, ids->rank))
        return false;
    inf->out[0] = cg_type(g->dtype, 2, (const CgDim *[2]){ rows, g->dim[ids->rank] });
    return true;
}

/* Each shard owns a range of rows and goes through all ids in order: the order of every sum is that of the ids. */
#define SCATTER(T, name)                                                       \
    static void name(const CgCall *call, CgShard shard)                        \
    {                                                                          \
        const CgTensor *ids = &call->in[0], *g = &call->in[1], *y = call->out; \
        int64_t rows = y->dim[0], d = y->dim[1], n = cg_tensor_count(ids);     \
        const T *from = g->data;                                               \
        T *to = y->data;                                                       \
        size_t first, last;                                                    \
        cg_shard_range(shard, (size_t)rows, 1, &first, &last);                 \
        for (int64_t i = (int64_t)first * d; i < (int64_t)last * d; i++)       \
            to[i] = 0;                                                         \
        for (int64_t i = 0; i < n; i++) {                                      \
            int64_t id = cg_index_at(call, 0, i, rows);                        \
            if (id < (int64_t)first || id >= (int64_t)last)                    \
                continue;                                                      \
            T *row = to + id * d;                                              \
            const T *add = from + i * d;                                       \
            CG_SIMD                                                            \
            for (int64_t c = 0; c < d; c++)                                    \
                row[c] += add[c];                                              \
        }                                                                      \
    }
SCATTER(float, scatter_f32)
SCATTER(double, scatter_f64)

static void scatter_kernel(const CgCall *call, CgShard shard)
{
    if (call->out->dtype == CG_F32)
        scatter_f32(call, shard);
    else
        scatter_f64(call, shard);
}

static void scatter_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)(cg_tensor_count(call->out) + cg_tensor_count(&call->in[1])),
           shards = (n + CG_SHARD - 1) / CG_SHARD;
    size_t rows = (size_t)call->out->dim[0];
    if (shards > 16)
        shards = 16; /* each goes through all ids */
    if (shards > rows)
        shards = rows;
    *work = (CgWork){ .flops = (double)n,
        .bytes = 2.0 * (double)n * (double)cg_dtype_size(call->out->dtype),
        .shards = shards ? shards : 1 };
}

static void scatter_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[1] = cg_b(b, "take", site->gout[0], site->in[0]);
}

static CgAxisRule scatter_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = 1;
    return operand == 1 && axis == inf->in[1].rank - 1 ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

/* ---- pick ---- */

static bool pick_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0], *ids = &inf->in[1];
    if (!cg_want_float(inf, 0) || !cg_want_integer(inf, 1) || !cg_want_rank(inf, 0, 1, CG_MAX_RANK))
        return false;
    if (!cg_want_rank(inf, 1, x->rank - 1, x->rank - 1) || !cg_want_axes(inf, 1, 0, 0, ids->rank))
        return false;
    inf->out[0] = cg_type_as(*ids, x->dtype);
    return true;
}

#define PICK(T, name)                                                                 \
    static void name(const CgCall *call, CgShard shard)                               \
    {                                                                                 \
        const CgTensor *x = &call->in[0], *ids = &call->in[1];                        \
        int64_t v = x->dim[x->rank - 1];                                              \
        const T *from = x->data;                                                      \
        T *to = call->out->data;                                                      \
        size_t first, last;                                                           \
        cg_shard_range(shard, (size_t)cg_tensor_count(ids), CG_SHARD, &first, &last); \
        for (size_t i = first; i < last; i++) {                                       \
            int64_t id = cg_index_at(call, 1, (int64_t)i, v);                         \
            to[i] = id < 0 ? 0 : from[(int64_t)i * v + id];                           \
        }                                                                             \
    }
PICK(float, pick_f32)
PICK(double, pick_f64)

static CgRef one_hot_like(CgBuild *b, CgRef ids, CgType x)
{
    CgAttr at[2] = { cg_a_dims("n", 1, &x.dim[x.rank - 1]), cg_a_str("dtype", cg_dtype_name(x.dtype)) };
    return cg_build(b, "one_hot", 1, &ids, cg_attrs(2, at));
}

static void pick_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    gin[0] = cg_mul(b, cg_repeat(b, site->gout[0], t, t.rank - 1), one_hot_like(b, site->in[1], t));
}

static CgAxisRule pick_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    return operand == 0 && axis == inf->in[0].rank - 1 ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
}

/* ---- one_hot ---- */

static bool one_hot_shape(CgInfer *inf)
{
    const CgDim *n = cg_attr_dim(inf->attrs, "n");
    const char *name = cg_attr_str(inf->attrs, "dtype", "f32");
    if (!cg_want_integer(inf, 0) || !cg_want_rank(inf, 0, 0, CG_MAX_RANK - 1))
        return false;
    if (!n)
        return cg_infer_fail(inf, -1, -1, "one_hot needs n, a size");
    for (int d = 0; d < CG_NDTYPE; d++)
        if (!strcmp(name, cg_dtype_name((CgDtype)d)) && cg_dtype_is_float((CgDtype)d)) {
            inf->out[0] = cg_type_as(inf->in[0], (CgDtype)d);
            inf->out[0].dim[inf->out[0].rank++] = n;
            return true;
        }
    return cg_infer_fail(inf, -1, -1, "one_hot makes f32 or f64, not '%s'", name);
}

static void one_hot_kernel(const CgCall *call, CgShard shard)
{
    const CgTensor *ids = &call->in[0], *y = call->out;
    int64_t n = y->dim[y->rank - 1];
    size_t size = cg_dtype_size(y->dtype), row = (size_t)n * size, first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(ids), 1, &first, &last);
    for (size_t i = first; i < last; i++) {
        char *to = (char *)y->data + i * row;
        int64_t id = cg_index_at(call, 0, (int64_t)i, n);
        memset(to, 0, row);
        if (id < 0)
            continue;
        if (y->dtype == CG_F32)
            ((float *)to)[id] = 1;
        else
            ((double *)to)[id] = 1;
    }
}

static void one_hot_work(const CgCall *call, CgWork *work)
{
    rows_work(call->out, (size_t)cg_tensor_count(&call->in[0]), work);
}

/* ---- the ops ---- */

static const CgSample take_samples[] = {
    { .in = "F[11,5] i32[3,7]", .low = -1.31, .high = 2.385, .ids = 11 },
    { .in = "F[7,3] i64[13]", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[331,67] i32[1013]", .low = -1.31, .high = 2.385, .ids = 331 },
    { .in = NULL },
};
static const CgSample scatter_samples[] = {
    { .in = "i32[3,7] F[3,7,5]", .attrs = "rows=[11]", .low = 0, .high = 10 },
    { .in = "i64[13] F[13,3]", .attrs = "rows=[5]", .low = 0, .high = 4 },
    { .in = "i32[1013] F[1013,67]", .attrs = "rows=[331]", .low = 0, .high = 330 },
    { .in = NULL },
};
static const CgSample pick_samples[] = {
    { .in = "F[3,7] i32[3]", .low = 0, .high = 6 },
    { .in = "F[2,3,11] i64[2,3]", .low = 0, .high = 10 },
    { .in = NULL },
};
static const CgSample one_hot_samples[] = {
    { .in = "i32[3,5]", .attrs = "n=[7], dtype=\"f32\"", .low = 0, .high = 6 },
    { .in = "i64[5]", .attrs = "n=[11], dtype=\"f64\"", .low = 0, .high = 10 },
    { .in = NULL },
};

static const CgIndexing take_indexing = { .by = 1, .of = 0, .axis = 0 },
                        pick_indexing = { .by = 1, .of = 0, .axis = -1 }, by_attribute = { .by = 0, .of = -1 };

static const CgOp op_take = {
    CG_OP_HERE,
    .name = "take",
    .sig = "(table: T[V, D], ids: I[..s]) -> T[..s, D]",
    .doc = "Rows of a table by their numbers: an embedding. A number outside 0 .. V-1 is an error.\n",
    .indexing = &take_indexing,
    .below = cg_below_first,
    .shape = take_shape,
    .vjp = take_vjp,
    .work = take_work,
    .axis_rule = take_axis_rule,
    .kernel = CG_ANY_KERNELS(take_kernel),
    .samples = take_samples,
};

static const CgOp op_scatter_add = {
    CG_OP_HERE,
    .name = "scatter_add",
    .sig = "(ids: I[..s], g: F[..s, D], rows: dim) -> F[rows, D]",
    .doc =
        "Adds each row of g to the row of the result that its id names; rows no id names are zero.\n\n"
        "The order of adding is that of the ids, at any number of threads. A number outside 0 .. rows-1 is an error.\n",
    .indexing = &by_attribute,
    .shape = scatter_shape,
    .vjp = scatter_vjp,
    .work = scatter_work,
    .axis_rule = scatter_axis_rule,
    .kernel = { [CG_I32] = scatter_kernel, [CG_I64] = scatter_kernel },
    .samples = scatter_samples,
};

static const CgOp op_pick = {
    CG_OP_HERE,
    .name = "pick",
    .sig = "(x: F[..s, V], ids: I[..s]) -> F[..s]",
    .doc = "From each row of x the element its id names. A number outside 0 .. V-1 is an error.\n",
    .indexing = &pick_indexing,
    .shape = pick_shape,
    .vjp = pick_vjp,
    .kernel = CG_FLOAT_KERNELS(pick),
    .axis_rule = pick_axis_rule,
    .samples = pick_samples,
};

static const CgOp op_one_hot = {
    CG_OP_HERE,
    .name = "one_hot",
    .sig = "(ids: I[..s], n: dim, dtype: str = \"f32\") -> F[..s, n]",
    .doc = "Rows of n zeros with a one where the id says. A number outside 0 .. n-1 is an error.\n",
    .indexing = &by_attribute,
    .shape = one_hot_shape,
    .work = one_hot_work,
    .axis_rule = cg_axis_rule_same,
    .traits = CG_NODIFF,
    .kernel = { [CG_I32] = one_hot_kernel, [CG_I64] = one_hot_kernel },
    .samples = one_hot_samples,
};

CG_OPS(index, &op_take, &op_scatter_add, &op_pick, &op_one_hot)
