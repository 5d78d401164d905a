/* linear_loss.c - cross entropy of logits that are a linear function of what comes in, over a large vocabulary.
 * Takes rows of D numbers, a matrix that makes V logits of each (and a bias), and ids; gives the loss of each row, or
 * all derivatives besides, by chunks of rows: the logits of a chunk become their own derivative where they lie, are
 * multiplied into what is wanted and forgotten. Neither logits nor their derivative are ever there as a whole. Has no
 * kernels: `lower` writes products and losses of chunks, which the planner lays into results put together. */
#include <cg/rules.h>

#define CHUNK       (8 << 20) /* bytes of logits at a time */
#define MOST_CHUNKS 16
#define ROWS        512 /* rows of a chunk at least: fewer read the matrix too often for what they compute */

/* ---- operands: x, w [, bias], ids [, g] ---- */

static int bias_of(int nin, bool derivative) { return nin == (derivative ? 5 : 4) ? 2 : -1; }

static bool flag(const CgAttrs *attrs) { return cg_attr_int(attrs, "tb", 0) != 0; }

static bool linear_shape(CgInfer *inf, bool derivative)
{
    int bias = bias_of(inf->nin, derivative), ids = bias > 0 ? 3 : 2, r = inf->in[0].rank, tb = flag(inf->attrs);
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK) || !cg_want_dtype(inf, 1, 0)
        || !cg_want_rank(inf, 1, 2, 2))
        return false;
    if (inf->in[0].dim[r - 1] != inf->in[1].dim[tb ? 1 : 0])
        return cg_infer_differ(inf, 0, r - 1, 1, tb ? 1 : 0, "inner dims");
    if (bias > 0) {
        if (!cg_want_dtype(inf, bias, 0) || !cg_want_rank(inf, bias, 1, 1))
            return false;
        if (inf->in[bias].dim[0] != inf->in[1].dim[tb ? 0 : 1])
            return cg_infer_differ(inf, bias, 0, 1, tb ? 0 : 1, "sizes");
    }
    if (!cg_want_integer(inf, ids) || !cg_want_rank(inf, ids, r - 1, r - 1) || !cg_want_axes(inf, ids, 0, 0, r - 1))
        return false;
    inf->out[0] = cg_type_as(inf->in[ids], inf->in[0].dtype);
    if (!derivative)
        return true;
    if (!cg_want_dtype(inf, ids + 1, 0) || !cg_want_rank(inf, ids + 1, r - 1, r - 1)
        || !cg_want_axes(inf, ids + 1, 0, 0, r - 1))
        return false;
    for (int i = 0; i < ids; i++)
        inf->out[i + 1] = inf->in[i];
    return true;
}

static bool loss_shape(CgInfer *inf) { return linear_shape(inf, false); }
static bool vjp_shape(CgInfer *inf) { return linear_shape(inf, true); }

/* ---- what they mean ---- */

static CgRef logits_of(CgBuild *b, CgRef x, CgRef w, CgRef bias, bool tb)
{
    CgRef z = cg_matmul(b, x, w, false, tb);
    return bias == CG_NONE ? z : cg_add(b, z, cg_repeat_rows(b, bias, cg_ref_type(b, z)));
}

/* All axes but the last `keep` as one. */
static CgRef as_rows(CgBuild *b, CgRef x, int keep)
{
    CgType t = cg_ref_type(b, x);
    const CgDim *dim[2] = { cg_dim_int(1), keep ? t.dim[t.rank - 1] : NULL };
    for (int i = 0; i < t.rank - keep; i++)
        dim[0] = cg_dim_mul(dim[0], t.dim[i]);
    return cg_reshape(b, x, 1 + keep, dim);
}

/* The derivative of w by that of the logits, both (rows, ..), added to what came before. */
static CgRef weight_gradient(CgBuild *b, CgRef x, CgRef d, bool tb, CgRef before)
{
    CgRef in[3] = { tb ? d : x, tb ? x : d, before };
    CgAttr ta = cg_a_int("ta", 1);
    return cg_build(b, before == CG_NONE ? "matmul" : "matmul_add", before == CG_NONE ? 2 : 3, in, cg_attrs(1, &ta));
}

/* What `site` says of the losses of its rows. */
static const CgAttrs *row_attrs(const CgSite *site)
{
    const CgAttr *ignore = cg_attr_find(site->attrs, "ignore");
    return ignore ? cg_attrs(1, ignore) : NULL;
}

static CgRef row_loss(CgBuild *b, const CgSite *site, CgRef z, CgRef ids)
{
    CgRef in[2] = { z, ids };
    return cg_build(b, "cross_entropy", 2, in, row_attrs(site));
}

static CgRef row_loss_vjp(CgBuild *b, const CgSite *site, CgRef z, CgRef ids, CgRef g)
{
    CgRef in[3] = { z, ids, g };
    return cg_build(b, "cross_entropy_vjp", 3, in, row_attrs(site));
}

static void loss_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    int bias = bias_of(site->nin, false);
    CgRef z = logits_of(b, site->in[0], site->in[1], bias < 0 ? CG_NONE : site->in[bias], flag(site->attrs));
    out[0] = row_loss(b, site, z, site->in[site->nin - 1]);
}

static void vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    int bias = bias_of(site->nin, true);
    bool tb = flag(site->attrs);
    CgRef x = site->in[0], w = site->in[1], ids = site->in[site->nin - 2], g = site->in[site->nin - 1];
    CgRef z = logits_of(b, x, w, bias < 0 ? CG_NONE : site->in[bias], tb), d = row_loss_vjp(b, site, z, ids, g);
    out[0] = cg_build_result(b, d, 1);
    out[1] = cg_matmul(b, d, w, false, !tb);
    out[2] = weight_gradient(b, as_rows(b, x, 1), as_rows(b, d, 1), tb, CG_NONE);
    if (bias > 0)
        out[3] = cg_sum_rows(b, d);
}

/* ---- by chunks ---- */

/* Rows of a chunk and their number, or false when all rows are one chunk or a size is not known. */
static bool cut(CgBuild *b, const CgSite *site, int64_t *rows, int64_t *step)
{
    CgType x = cg_ref_type(b, as_rows(b, site->in[0], 1)), w = cg_ref_type(b, site->in[1]);
    int64_t v, n;
    if (!cg_dim_is_int(x.dim[0], rows) || !cg_dim_is_int(w.dim[flag(site->attrs) ? 0 : 1], &v))
        return false;
    n = (int64_t)((double)*rows * (double)v * (double)cg_dtype_size(x.dtype) / CHUNK + 0.999);
    if (n > *rows / ROWS)
        n = *rows / ROWS;
    if (n > MOST_CHUNKS)
        n = MOST_CHUNKS;
    if (n < 2)
        return false;
    *step = (*rows + n - 1) / n;
    return true;
}

static CgRef rows_of(CgBuild *b, CgRef x, int64_t from, int64_t to)
{
    return cg_slice(b, x, 0, cg_dim_int(from), cg_dim_int(to));
}

static CgRef together(CgBuild *b, const CgRef *chunk, int n, CgRef like)
{
    CgType t = cg_ref_type(b, like);
    CgAttr axis = cg_a_int("axis", 0);
    return cg_reshape(b, cg_build(b, "concat", n, chunk, cg_attrs(1, &axis)), t.rank, t.dim);
}

static void loss_lower(CgBuild *b, const CgSite *site, CgRef *out)
{
    int64_t rows, step;
    int bias = bias_of(site->nin, false), n = 0;
    CgRef chunk[CG_MAX_IN], ids = site->in[site->nin - 1], x = as_rows(b, site->in[0], 1), flat = as_rows(b, ids, 0);
    if (!cut(b, site, &rows, &step)) {
        loss_expand(b, site, out);
        return;
    }
    for (int64_t at = 0; at < rows; at += step) {
        int64_t to = at + step < rows ? at + step : rows;
        CgRef z =
            logits_of(b, rows_of(b, x, at, to), site->in[1], bias < 0 ? CG_NONE : site->in[bias], flag(site->attrs));
        chunk[n++] = row_loss(b, site, z, rows_of(b, flat, at, to));
    }
    out[0] = together(b, chunk, n, ids);
}

static void vjp_lower(CgBuild *b, const CgSite *site, CgRef *out)
{
    int64_t rows, step;
    int bias = bias_of(site->nin, true), n = 0;
    bool tb = flag(site->attrs);
    CgRef loss[CG_MAX_IN], gx[CG_MAX_IN], gw = CG_NONE, gbias = CG_NONE, w = site->in[1], ids = site->in[site->nin - 2];
    CgRef x = as_rows(b, site->in[0], 1), flat = as_rows(b, ids, 0), g = as_rows(b, site->in[site->nin - 1], 0);
    if (!cut(b, site, &rows, &step)) {
        vjp_expand(b, site, out);
        return;
    }
    for (int64_t at = 0; at < rows; at += step) {
        int64_t to = at + step < rows ? at + step : rows;
        CgRef some = rows_of(b, x, at, to), z = logits_of(b, some, w, bias < 0 ? CG_NONE : site->in[bias], tb);
        CgRef d = row_loss_vjp(b, site, z, rows_of(b, flat, at, to), rows_of(b, g, at, to));
        loss[n] = cg_build_result(b, d, 1);
        gx[n++] = cg_matmul(b, d, w, false, !tb);
        gw = weight_gradient(b, some, d, tb, gw);
        if (bias > 0)
            gbias = gbias == CG_NONE ? cg_sum_rows(b, d) : cg_add(b, gbias, cg_sum_rows(b, d));
    }
    out[0] = together(b, loss, n, ids);
    out[1] = together(b, gx, n, site->in[0]);
    out[2] = gw;
    if (bias > 0)
        out[3] = gbias;
}

/* ---- derivative and recognition ---- */

static void linear_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef in[5];
    for (int i = 0; i < site->nin; i++)
        in[i] = site->in[i];
    in[site->nin] = site->gout[0];
    CgRef all = cg_build(
        b, site->nin == 4 ? "affine_cross_entropy_vjp" : "linear_cross_entropy_vjp", site->nin + 1, in, site->attrs);
    for (int i = 0; i < site->nin - 1; i++)
        gin[i] = cg_build_result(b, all, i + 1);
}

/* The product of rows and one matrix, when nothing else wants it. */
static bool is_projection(CgBuild *b, CgRef z)
{
    return cg_ref_is(b, z, "matmul") && !cg_ref_shared(b, z) && cg_ref_type(b, cg_ref_in(b, z, 1)).rank == 2
        && !cg_attr_int(cg_ref_attrs(b, z), "ta", 0);
}

/* The loss `root` of the logits z, which are a product (and a bias). */
static CgRef loss_of(CgBuild *b, const char *op, CgRef root, CgRef z, CgRef bias)
{
    CgRef ids = cg_ref_in(b, root, 1);
    const CgAttr *ignore = cg_attr_find(cg_ref_attrs(b, root), "ignore");
    CgAttr at[2] = { cg_a_int("tb", cg_attr_int(cg_ref_attrs(b, z), "tb", 0)) };
    if (ignore)
        at[1] = *ignore;
    CgRef in[4] = { cg_ref_in(b, z, 0), cg_ref_in(b, z, 1), bias == CG_NONE ? ids : bias, ids };
    return cg_build(b, op, bias == CG_NONE ? 3 : 4, in, cg_attrs(ignore ? 2 : 1, at));
}

/* cross_entropy(matmul(x, w), ids) */
static CgRef linear_match(CgBuild *b, CgRef root)
{
    if (!cg_ref_is(b, root, "cross_entropy") || !is_projection(b, cg_ref_in(b, root, 0)))
        return CG_NONE;
    return loss_of(b, "linear_cross_entropy", root, cg_ref_in(b, root, 0), CG_NONE);
}

/* A vector along the last axis, repeated over all others. */
static CgRef repeated_row(CgBuild *b, CgRef r)
{
    if (!cg_ref_is(b, r, "broadcast") || cg_ref_type(b, cg_ref_in(b, r, 0)).rank != 1)
        return CG_NONE;
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, r), "axes");
    return axes && axes->n && axes->ints[axes->n - 1] == 0 ? cg_ref_in(b, r, 0) : CG_NONE;
}

/* cross_entropy(matmul(x, w) + bias, ids) */
static CgRef affine_match(CgBuild *b, CgRef root)
{
    if (!cg_ref_is(b, root, "cross_entropy"))
        return CG_NONE;
    CgRef z = cg_ref_in(b, root, 0);
    if (!cg_ref_is(b, z, "add") || cg_ref_shared(b, z))
        return CG_NONE;
    for (int k = 0; k < 2; k++) {
        CgRef bias = repeated_row(b, cg_ref_in(b, z, k));
        if (bias == CG_NONE || !is_projection(b, cg_ref_in(b, z, 1 - k)))
            continue;
        return loss_of(b, "affine_cross_entropy", root, cg_ref_in(b, z, 1 - k), bias);
    }
    return CG_NONE;
}

/* Rows apart from each other; each depends on all of w and bias. */
static CgAxisRule linear_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int r = inf->in[0].rank;
    to->axis = axis;
    bool rows = operand == 0 || inf->in[operand].dtype == CG_I32 || inf->in[operand].dtype == CG_I64;
    return rows && axis < r - 1 ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

static const CgSample linear_samples[] = {
    { .in = "F[3,5] F[5,7] i32[3]", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[2,3,5] F[11,5] i64[2,3]", .attrs = "tb=1", .low = -1.31, .high = 2.385, .ids = 11 },
    { .in = "F[3,347,2] F[2,2203] i32[3,347]",
        .low = -1.31,
        .high = 2.385,
        .ids = 2203 }, /* two chunks in f32, two in f64 */
    { .in = "F[17,5] F[5,7] i32[17]", .attrs = "ignore=2", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[1031,2] F[2,2203] i32[1031]", .attrs = "ignore=2", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = NULL },
};
static const CgSample affine_samples[] = {
    { .in = "F[3,5] F[7,5] F[7] i32[3]", .attrs = "tb=1", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[1031,2] F[2,2203] F[2203] i32[1031]", .low = -1.31, .high = 2.385, .ids = 2203 },
    { .in = NULL },
};
static const CgSample linear_vjp_samples[] = {
    { .in = "F[3,5] F[5,7] i32[3] F[3]", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[2,3,5] F[11,5] i64[2,3] F[2,3]", .attrs = "tb=1", .low = -1.31, .high = 2.385, .ids = 11 },
    { .in = "F[3,347,2] F[2203,2] i32[3,347] F[3,347]", .attrs = "tb=1", .low = -1.31, .high = 2.385, .ids = 2203 },
    { .in = "F[1031,2] F[2,2203] i32[1031] F[1031]", .attrs = "ignore=2", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = NULL },
};
static const CgSample affine_vjp_samples[] = {
    { .in = "F[3,5] F[7,5] F[7] i32[3] F[3]", .attrs = "tb=1", .low = -1.31, .high = 2.385, .ids = 7 },
    { .in = "F[1031,2] F[2,2203] F[2203] i32[1031] F[1031]", .low = -1.31, .high = 2.385, .ids = 2203 },
    { .in = NULL },
};

static const CgOp op_linear_cross_entropy = {
    CG_OP_HERE,
    .name = "linear_cross_entropy",
    .sig = "(x: F[..s, D], w: F[..w], ids: I[..s], tb: bool = false, ignore: int = none) -> F[..s]",
    .doc = "cross_entropy(matmul(x, w), ids) without storing the logits of all rows.\n\n"
           "w is (D, V), or (V, D) with tb. Large products are worked by chunks of rows.\n",
    .shape = loss_shape,
    .vjp = linear_vjp,
    .expand = loss_expand,
    .lower = loss_lower,
    .match = linear_match,
    .axis_rule = linear_axis_rule,
    .merge_into = "linear_cross_entropy_vjp",
    .merge_result = 0,
    .traits = CG_PRODUCTS,
    .samples = linear_samples,
};

static const CgOp op_affine_cross_entropy = {
    CG_OP_HERE,
    .name = "affine_cross_entropy",
    .sig = "(x: F[..s, D], w: F[..w], bias: F[V], ids: I[..s], tb: bool = false, ignore: int = none) -> F[..s]",
    .doc =
        "cross_entropy(matmul(x, w) + bias, ids) without storing the logits of all rows; see linear_cross_entropy.\n",
    .shape = loss_shape,
    .vjp = linear_vjp,
    .expand = loss_expand,
    .lower = loss_lower,
    .match = affine_match,
    .axis_rule = linear_axis_rule,
    .merge_into = "affine_cross_entropy_vjp",
    .merge_result = 0,
    .traits = CG_PRODUCTS,
    .samples = affine_samples,
};

static const CgOp op_linear_cross_entropy_vjp = {
    CG_OP_HERE,
    .name = "linear_cross_entropy_vjp",
    .sig = "(x: F[..s, D], w: F[..w], ids: I[..s], g: F[..s], tb: bool = false, ignore: int = none) -> (F[..s], F[..s, "
           "D], F[..w])",
    .doc = "linear_cross_entropy and, from g, that by the result, its derivatives by x and w: the logits are computed "
           "once.\n",
    .shape = vjp_shape,
    .expand = vjp_expand,
    .lower = vjp_lower,
    .traits = CG_PRODUCTS,
    .nout = 3,
    .samples = linear_vjp_samples,
};

static const CgOp op_affine_cross_entropy_vjp = {
    CG_OP_HERE,
    .name = "affine_cross_entropy_vjp",
    .sig = "(x: F[..s, D], w: F[..w], bias: F[V], ids: I[..s], g: F[..s], tb: bool = false, ignore: int = none) -> "
           "(F[..s], F[..s, D], "
           "F[..w], F[V])",
    .doc = "affine_cross_entropy and, from g, that by the result, its derivatives by x, w and bias: the logits are "
           "computed once.\n",
    .shape = vjp_shape,
    .expand = vjp_expand,
    .lower = vjp_lower,
    .traits = CG_PRODUCTS,
    .nout = 4,
    .samples = affine_vjp_samples,
};

CG_OPS(linear_loss, &op_linear_cross_entropy, &op_affine_cross_entropy, &op_linear_cross_entropy_vjp,
    &op_affine_cross_entropy_vjp)
