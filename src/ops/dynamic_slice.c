/* dynamic_slice.c - places of an axis that are known only when the op runs.
 * Takes a tensor and a number; gives the places from there on, or the tensor with those places replaced. They are what
 * a text that grows place by place is read from and written to; a number from which they would not lie within the axis
 * ends the run with an error, as any index does. */
#include <cg/elementwise.h>
#include <cg/rules.h>

#define ROWS 16 /* most shards */

/* ---- what both share ---- */

/* Operand k is the number; `axis` and `from` are as they should be. */
static bool start_attrs(CgInfer *inf, int k, int *axis)
{
    int64_t from;
    const CgDim *d = cg_attr_dim(inf->attrs, "from");
    if (!cg_infer_axis(inf, "axis", 0, axis) || !cg_want_integer(inf, k) || !cg_want_rank(inf, k, 0, 0))
        return false;
    if (!d)
        return cg_infer_fail(inf, -1, -1, "%s needs from, a size", inf->op->name);
    return !cg_dim_is_int(d, &from) || from >= 0 || cg_infer_fail(inf, -1, -1, "%s: from is negative", inf->op->name);
}

/* n places of `axis` must fit in operand 0. */
static bool window_fits(CgInfer *inf, int axis, const CgDim *n)
{
    int64_t want, have;
    if (!cg_dim_is_int(n, &want) || !cg_dim_is_int(inf->in[0].dim[axis], &have) || want <= have)
        return true;
    return cg_infer_fail(inf, 0, axis, "%s: %lld places in %lld", inf->op->name, (long long)want, (long long)have);
}

/* The first of n places in x, as operand k says; -1 where they do not lie within it, which is noted. */
static int64_t first_index(const CgCall *call, const CgTensor *x, int k, int axis, int64_t n)
{
    int64_t from = cg_attr_size(call->attrs, "from", 0), at = cg_index_at(call, k, 0, x->dim[axis] - n - from + 1);
    return at < 0 ? -1 : from + at;
}

static CgTensor window(const CgTensor *x, int axis, int64_t first, int64_t n)
{
    CgTensor w = *x;
    w.dim[axis] = n;
    w.data = (char *)x->data + first * x->stride[axis] * (int64_t)cg_dtype_size(x->dtype);
    return w;
}

/* The same as a node: i32. */
static CgRef first_ref(CgBuild *b, const CgSite *site, CgRef at)
{
    return cg_add(b, cg_cast(b, at, CG_I32), cg_size_number(b, cg_attr_dim(site->attrs, "from"), CG_I32));
}

static CgRef count_from(CgBuild *b, CgRef first, const CgDim *n)
{
    CgType line = cg_type(CG_I32, 1, &n);
    CgAttr a[2] = { cg_a_type("type", line), cg_a_int("axis", 0) };
    return cg_add(b, cg_build(b, "iota", 0, NULL, cg_attrs(2, a)), cg_broadcast_scalar(b, first, line));
}

/* The places of x that ids names along the axis: as rows of a table, there and back. */
static CgRef take_along_axis(CgBuild *b, CgRef x, int axis, CgRef ids)
{
    CgType t = cg_ref_type(b, x), front = t;
    int64_t perm[CG_MAX_RANK], back[CG_MAX_RANK];
    const CgDim *rows[2] = { t.dim[axis], cg_dim_int(1) };
    perm[0] = axis;
    for (int i = 0, k = 1; i < t.rank; i++)
        if (i != axis) {
            rows[1] = cg_dim_mul(rows[1], t.dim[i]);
            perm[k++] = i;
        }
    for (int i = 0; i < t.rank; i++) {
        back[perm[i]] = i;
        front.dim[i] = t.dim[perm[i]];
    }
    front.dim[0] = cg_ref_type(b, ids).dim[0];
    CgRef taken = cg_b(b, "take", cg_reshape(b, cg_transpose(b, x, perm), 2, rows), ids);
    return cg_transpose(b, cg_reshape(b, taken, front.rank, front.dim), back);
}

static bool empty(const CgCall *call, int axis) { return !cg_tensor_count(call->out) || call->in[0].dim[axis] == 0; }

/* ---- dynamic_slice ---- */

static bool dynamic_slice_shape(CgInfer *inf)
{
    int axis;
    const CgDim *n = cg_attr_dim(inf->attrs, "n");
    if (!start_attrs(inf, 1, &axis))
        return false;
    if (!n)
        return cg_infer_fail(inf, -1, -1, "dynamic_slice needs n, a size");
    if (!window_fits(inf, axis, n))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[0].dim[axis] = n;
    return true;
}

static void dynamic_slice_kernel(const CgCall *call, CgShard shard)
{
    int axis = cg_axis(call->attrs, "axis", call->out->rank);
    if (empty(call, axis))
        return;
    int64_t n = call->out->dim[axis], first = first_index(call, &call->in[0], 1, axis, n);
    CgTensor from = window(&call->in[0], axis, first < 0 ? 0 : first, n);
    cg_tensor_copy(call->out, &from, shard);
}

static void dynamic_slice_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgType t = cg_ref_type(b, site->in[0]);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    const CgDim *n = cg_attr_dim(site->attrs, "n");
    out[0] = take_along_axis(b, site->in[0], axis, count_from(b, first_ref(b, site, site->in[1]), n));
}

/* ---- dynamic_update ---- */

static bool dynamic_update_shape(CgInfer *inf)
{
    int axis;
    if (!start_attrs(inf, 2, &axis) || !cg_want_dtype(inf, 1, 0)
        || !cg_want_rank(inf, 1, inf->in[0].rank, inf->in[0].rank) || !cg_want_axes(inf, 1, 0, 0, axis)
        || !cg_want_axes(inf, 1, 0, axis + 1, inf->in[0].rank) || !window_fits(inf, axis, inf->in[1].dim[axis]))
        return false;
    inf->out[0] = inf->in[0];
    return true;
}

/* Cut along the first axis that is not the one: no shard writes where another does. */
static int apart(const CgCall *call, int axis) { return call->out->rank < 2 ? -1 : axis == 0 ? 1 : 0; }

static void dynamic_update_kernel(const CgCall *call, CgShard shard)
{
    CgTensor x = call->in[0], y = call->in[1], z = *call->out;
    int axis = cg_axis(call->attrs, "axis", z.rank), by = apart(call, axis);
    if (empty(call, axis))
        return;
    int64_t n = y.dim[axis], first = first_index(call, &x, 2, axis, n);
    if (by >= 0) {
        size_t low, high;
        cg_shard_range(shard, (size_t)z.dim[by], 1, &low, &high);
        x = window(&x, by, (int64_t)low, (int64_t)(high - low));
        y = window(&y, by, (int64_t)low, (int64_t)(high - low));
        z = window(&z, by, (int64_t)low, (int64_t)(high - low));
    }
    if (z.data != x.data)
        cg_tensor_copy(&z, &x, (CgShard){ .count = 1 });
    if (!n || first < 0)
        return;
    z = window(&z, axis, first, n);
    cg_tensor_copy(&z, &y, (CgShard){ .count = 1 });
}

/* Counted as in place. */
static void dynamic_update_work(const CgCall *call, CgWork *work)
{
    int axis = cg_axis(call->attrs, "axis", call->out->rank), by = apart(call, axis);
    double n = (double)cg_tensor_count(&call->in[1]);
    size_t rows = by < 0 || n < CG_SHARD ? 1 : (size_t)call->out->dim[by];
    *work = (CgWork){ .bytes = 2 * n * (double)cg_dtype_size(call->out->dtype), .shards = rows < ROWS ? rows : ROWS };
    if (!work->shards)
        work->shards = 1;
}

/* Each place of the result is one of y where y reaches, else one of x. */
static void dynamic_update_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0], y = site->in[1];
    CgType t = cg_ref_type(b, x);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    const CgDim *n = cg_ref_type(b, y).dim[axis];
    if (n == cg_dim_int(0)) {
        out[0] = x;
        return;
    }
    CgRef first = first_ref(b, site, site->in[2]);
    CgRef ids = count_from(b, cg_neg(b, first), t.dim[axis]), size = cg_size_number(b, n, CG_I32);
    CgType line = cg_ref_type(b, ids);
    CgRef inside =
        cg_b(b, "and", cg_b(b, "ge", ids, cg_fill(b, line, 0)), cg_b(b, "lt", ids, cg_broadcast_scalar(b, size, line)));
    int64_t axes[CG_MAX_RANK];
    ids = cg_where(b, inside, ids, cg_fill(b, line, 0));
    for (int i = 0; i < t.rank; i++)
        axes[i] = i == axis ? 0 : -1;
    out[0] = cg_where(b, cg_broadcast(b, inside, t.rank, t.dim, axes), take_along_axis(b, y, axis, ids), x);
}

/* ---- the ops ---- */

static const CgSample dynamic_slice_samples[] = {
    { .in = "F[3,11] i32", .attrs = "axis=1, from=[1], n=[5]", .low = 0, .high = 5 },
    { .in = "F[7,3,5] i64", .attrs = "axis=-3, from=[0], n=[2]", .low = 0, .high = 5 },
    { .in = "i32[13] i32", .attrs = "axis=0, from=[2], n=[3]", .low = 0, .high = 8 },
    { .in = NULL },
};
static const CgSample dynamic_update_samples[] = {
    { .in = "F[3,11] F[3,5] i32", .attrs = "axis=1, from=[1]", .low = 0, .high = 5 },
    { .in = "F[7,3,5] F[2,3,5] i64", .attrs = "axis=-3, from=[0]", .low = 0, .high = 5 },
    { .in = "F[13] F[3] i32", .attrs = "axis=0, from=[2]", .low = 0, .high = 8 },
    { .in = "F[5,2,131,32] F[5,2,113,32] i32", .attrs = "axis=2, from=[5]", .low = 0, .high = 13 },
    { .in = NULL },
};

static const CgOp op_dynamic_slice = {
    CG_OP_HERE,
    .name = "dynamic_slice",
    .sig = "(x: T[..s], at: I[], axis: axis, from: dim, n: dim) -> T[..r]",
    .doc = "n places of an axis, the first of them from + at.\n\nAn `at` below 0, or from which they would not lie "
           "within x, is an error.\n",
    .shape = dynamic_slice_shape,
    .expand = dynamic_slice_expand,
    .kernel = CG_ANY_KERNELS(dynamic_slice_kernel),
    .work = cg_work_copy,
    .traits = CG_STRIDED,
    .samples = dynamic_slice_samples,
};

static const CgOp op_dynamic_update = {
    CG_OP_HERE,
    .name = "dynamic_update",
    .sig = "(x: T[..s], y: T[..r], at: I[], axis: axis, from: dim) -> T[..s]",
    .doc = "x with the places of an axis from from + at on replaced by those of y.\n\n"
           "An `at` below 0, or from which they would not lie within x, is an error. Costs only y where x is not "
           "needed any more.\n",
    .shape = dynamic_update_shape,
    .expand = dynamic_update_expand,
    .kernel = CG_ANY_KERNELS(dynamic_update_kernel),
    .work = dynamic_update_work,
    .inplace = 1,
    .traits = CG_STRIDED,
    .samples = dynamic_update_samples,
};

CG_OPS(dynamic_slice, &op_dynamic_slice, &op_dynamic_update)
