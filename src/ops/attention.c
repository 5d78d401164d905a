/* attention.c - scaled dot-product attention and its derivative.
 * Takes q, k, v by head; gives the result and the logarithm of each row's normaliser. attention_blocks.h and, for small
 * heads, attention_small.h compute it; here is what it means, and the form of script it is recognised in. */
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#include "ops/attention_blocks.h"

/* ---- shapes ---- */

/* q, k and v; causal: with the offset S - T where none is given. */
static bool masked_operands(CgInfer *inf)
{
    const CgDim *offset = cg_attr_dim(inf->attrs, "offset");
    if (!attention_operands(inf))
        return false;
    return !cg_attr_int(inf->attrs, "causal", 0)
        || attention_offset(inf, offset ? offset : cg_dim_sub(inf->in[1].dim[2], inf->in[0].dim[2]));
}

static bool attention_shape(CgInfer *inf)
{
    if (!masked_operands(inf))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[1] = cg_type_without(inf->in[0], 3);
    return true;
}

/* (q, k, v, y, lse, gy) -> gq, gk, gv */
static bool attention_vjp_shape(CgInfer *inf)
{
    if (!masked_operands(inf) || !cg_want_same(inf, 3, 0) || !cg_want_dtype(inf, 4, 0) || !cg_want_rank(inf, 4, 3, 3)
        || !cg_want_axes(inf, 4, 0, 0, 3) || !cg_want_same(inf, 5, 0))
        return false;
    for (int i = 0; i < 3; i++)
        inf->out[i] = inf->in[i];
    return true;
}

/* ---- meaning ---- */

/* scale q k', -inf where hidden. */
static CgRef scores_of(CgBuild *b, const CgSite *site)
{
    CgRef s = attention_scores(b, site);
    CgType t = cg_ref_type(b, s);
    const CgDim *offset = cg_attr_dim(site->attrs, "offset");
    if (!cg_attr_int(site->attrs, "causal", 0))
        return s;
    return attention_hide(b, s,
        offset ? cg_size_number(b, offset, CG_I32)
               : cg_sub(b, cg_size_number(b, t.dim[3], CG_I32), cg_size_number(b, t.dim[2], CG_I32)));
}

static CgRef last_axis(CgBuild *b, const char *op, CgRef x)
{
    CgAttr axis = cg_a_int("axis", 3);
    return cg_build(b, op, 1, &x, cg_attrs(1, &axis));
}

static void attention_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef s = scores_of(b, site);
    out[1] = last_axis(b, "logsumexp", s);
    out[0] =
        cg_matmul(b, cg_exp(b, cg_sub(b, s, cg_repeat(b, out[1], cg_ref_type(b, s), 3))), site->in[2], false, false);
}

/* site: q, k, v, y, lse, gy; glse may be CG_NONE. d lse / d s = P, so glse joins dP - sum(gy y). */
static void gradients(CgBuild *b, const CgSite *site, CgRef glse, CgRef *out)
{
    CgRef q = site->in[0], k = site->in[1], v = site->in[2], y = site->in[3], gy = site->in[5], s = scores_of(b, site);
    CgType t = cg_ref_type(b, s);
    int64_t over = 3;
    CgRef p = cg_exp(b, cg_sub(b, s, cg_repeat(b, site->in[4], t, 3)));
    CgRef delta = cg_sum(b, cg_mul(b, gy, y), 1, &over);
    if (glse != CG_NONE)
        delta = cg_sub(b, delta, glse);
    CgRef dp = cg_matmul(b, gy, v, false, true);
    CgRef ds =
        cg_scale(b, cg_mul(b, p, cg_sub(b, dp, cg_repeat(b, delta, t, 3))), cg_attr_float(site->attrs, "scale", 1));
    out[0] = cg_matmul(b, ds, k, false, false);
    out[1] = cg_matmul(b, ds, q, true, false);
    out[2] = cg_matmul(b, p, gy, true, false);
}

static void attention_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out) { gradients(b, site, CG_NONE, out); }

static void attention_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef gy = site->gout[0] == CG_NONE ? cg_fill_like(b, site->out[0], 0) : site->gout[0];
    CgRef in[6] = { site->in[0], site->in[1], site->in[2], site->out[0], site->out[1], gy };
    if (site->gout[1] == CG_NONE) {
        CgRef all = cg_build(b, "attention_vjp", 6, in, site->attrs);
        for (int i = 0; i < 3; i++)
            gin[i] = cg_build_result(b, all, i);
    } else {
        CgSite whole = { .nin = 6, .nout = 3, .in = in, .attrs = site->attrs };
        gradients(b, &whole, site->gout[1], gin);
    }
}

/* ---- recognition ---- */

/* r counts along one axis, plus a constant: which axis, and the constant. */
static bool counts(CgBuild *b, CgRef r, int *axis, double *plus)
{
    double k;
    *plus = 0;
    for (;;) {
        if (cg_ref_is(b, r, "iota")) {
            *axis = cg_axis(cg_ref_attrs(b, r), "axis", cg_ref_type(b, r).rank);
            return true;
        }
        if (cg_ref_is(b, r, "broadcast")) {
            const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, r), "axes");
            double inner;
            int a, to = -1;
            if (!counts(b, cg_ref_in(b, r, 0), &a, &inner))
                return false;
            for (int i = 0; i < axes->n; i++)
                if (axes->ints[i] == a)
                    to = i;
            *axis = to;
            *plus += inner;
            return to >= 0;
        }
        if (cg_ref_is(b, r, "add") && cg_ref_const(b, cg_ref_in(b, r, 1), &k)) {
            *plus += k;
            r = cg_ref_in(b, r, 0);
        } else if (cg_ref_is(b, r, "add") && cg_ref_const(b, cg_ref_in(b, r, 0), &k)) {
            *plus += k;
            r = cg_ref_in(b, r, 1);
        } else if (cg_ref_is(b, r, "sub") && cg_ref_const(b, cg_ref_in(b, r, 1), &k)) {
            *plus -= k;
            r = cg_ref_in(b, r, 0);
        } else {
            return false;
        }
    }
}

/* A mask over (.., T, S) that is true where j <= i + offset. */
static bool is_causal(CgBuild *b, CgRef mask, int64_t *offset)
{
    int rank = cg_ref_type(b, mask).rank, lift = 0;
    if (cg_ref_is(b, mask, "broadcast")) {
        const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, mask), "axes");
        mask = cg_ref_in(b, mask, 0);
        lift = rank - cg_ref_type(b, mask).rank;
        for (int i = 0; i < rank; i++)
            if (axes->ints[i] != (i < lift ? -1 : i - lift))
                return false;
    }
    static const struct {
        const char *name;
        bool swapped;
        int strict;
    } forms[] = { { "ge", false, 0 }, { "le", true, 0 }, { "gt", false, 1 }, { "lt", true, 1 } };
    for (int f = 0; f < 4; f++) {
        if (!cg_ref_is(b, mask, forms[f].name))
            continue;
        int row = -1, col = -1;
        double plus_row, plus_col;
        if (!counts(b, cg_ref_in(b, mask, forms[f].swapped), &row, &plus_row)
            || !counts(b, cg_ref_in(b, mask, !forms[f].swapped), &col, &plus_col))
            return false;
        *offset = (int64_t)(plus_row - plus_col) - forms[f].strict;
        return row == rank - 2 - lift && col == rank - 1 - lift && *offset >= 0;
    }
    return false;
}

static bool plain_matmul(CgBuild *b, CgRef r)
{
    return cg_ref_is(b, r, "matmul") && cg_ref_type(b, cg_ref_in(b, r, 0)).rank == 4
        && cg_ref_type(b, cg_ref_in(b, r, 1)).rank == 4;
}

static CgRef swapped(CgBuild *b, CgRef x) { return cg_transpose(b, x, (const int64_t[4]){ 0, 1, 3, 2 }); }

/* matmul(softmax(where(causal, scale * matmul(q, k'), -inf)), v), with or without the mask and the scale. */
static CgRef attention_match(CgBuild *b, CgRef root)
{
    if (!plain_matmul(b, root) || cg_attr_int(cg_ref_attrs(b, root), "ta", 0))
        return CG_NONE;
    CgRef p = cg_ref_in(b, root, 0), v = cg_ref_in(b, root, 1);
    if (!cg_ref_is(b, p, "softmax") || cg_axis(cg_ref_attrs(b, p), "axis", 4) != 3)
        return CG_NONE;
    CgRef s = cg_ref_in(b, p, 0);
    int64_t offset = -1;
    double scale = 1, k;
    if (cg_ref_is(b, s, "where")) {
        if (!cg_ref_const(b, cg_ref_in(b, s, 2), &k) || k > -1e9 || !is_causal(b, cg_ref_in(b, s, 0), &offset))
            return CG_NONE;
        s = cg_ref_in(b, s, 1);
    }
    if (cg_ref_is(b, s, "mul") && cg_ref_const(b, cg_ref_in(b, s, 0), &k)) {
        scale = k;
        s = cg_ref_in(b, s, 1);
    } else if (cg_ref_is(b, s, "mul") && cg_ref_const(b, cg_ref_in(b, s, 1), &k)) {
        scale = k;
        s = cg_ref_in(b, s, 0);
    } else if (cg_ref_is(b, s, "div") && cg_ref_const(b, cg_ref_in(b, s, 1), &k) && k != 0) {
        scale = 1 / k;
        s = cg_ref_in(b, s, 0);
    }
    if (!plain_matmul(b, s))
        return CG_NONE;
    CgRef q = cg_ref_in(b, s, 0), keys = cg_ref_in(b, s, 1);
    if (cg_attr_int(cg_ref_attrs(b, s), "ta", 0))
        q = swapped(b, q);
    if (!cg_attr_int(cg_ref_attrs(b, s), "tb", 0))
        keys = swapped(b, keys);
    if (cg_attr_int(cg_ref_attrs(b, root), "tb", 0))
        v = swapped(b, v);
    if (cg_ref_type(b, q).dim[3] != cg_ref_type(b, v).dim[3] || !isfinite(scale))
        return CG_NONE;
    CgAttr at[3] = { cg_a_int("causal", offset >= 0), cg_a_float("scale", scale) };
    const CgDim *ahead = cg_dim_int(offset);
    at[2] = cg_a_dims("offset", 1, &ahead);
    return cg_build(b, "attention", 3, (CgRef[3]){ q, keys, v }, cg_attrs(offset >= 0 ? 3 : 2, at));
}

static const CgDim *ahead_of(const CgInfer *inf)
{
    const CgDim *given = cg_attr_dim(inf->attrs, "offset");
    return given ? given : cg_dim_sub(inf->in[1].dim[2], inf->in[0].dim[2]);
}

/* Batch and heads apart from each other, and queries, too; under the causal mask key j is seen from query j - offset
 * on. */
static CgAxisRule attention_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    if (axis < 2)
        return CG_AXIS_POINTWISE;
    if (axis == 3)
        return operand == 2 ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
    if (operand == 0)
        return CG_AXIS_POINTWISE;
    if (!cg_attr_int(inf->attrs, "causal", 0))
        return CG_AXIS_WHOLE;
    to->shift = cg_dim_sub(cg_dim_int(0), ahead_of(inf));
    return CG_AXIS_CAUSAL;
}

/* Fewer queries start further on; under a causal mask keys past what the last of them sees are not needed. */
static bool attention_slice_rule(const CgInfer *inf, CgSlice *slice)
{
    const CgDim *s = inf->in[1].dim[2], *ahead = ahead_of(inf);
    if (slice->axis != 2)
        return true;
    for (int i = 1; i < 3; i++)
        slice->in[i].axis = -1;
    if (!cg_attr_int(inf->attrs, "causal", 0))
        return true;
    const CgDim *end = cg_dim_add(slice->to, ahead), *offset = cg_dim_add(slice->from, ahead);
    for (int i = 1; i < 3 && end != s && cg_dim_at_most(end, s); i++) {
        slice->in[i].axis = 2;
        slice->in[i].from = cg_dim_int(0);
        slice->in[i].to = end;
    }
    slice->attrs = cg_attrs_with(inf->attrs, cg_a_dims("offset", 1, &offset));
    return true;
}

static const CgSample attention_samples[] = {
    { .in = "F[2,3,5,4] F[2,3,7,4] F[2,3,7,4]", .attrs = "scale=0.37", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,4] F[2,3,5,4] F[2,3,5,4]", .attrs = "causal=1, scale=0.5", .low = -2.385, .high = 2.385 },
    { .in = "F[1,2,3,2] F[1,2,5,2] F[1,2,5,2]",
        .attrs = "causal=1, scale=0.71, offset=[1]",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,1,131,32] F[2,1,307,32] F[2,1,307,32]",
        .attrs = "causal=1, scale=0.31",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[1,3,97,16] F[1,3,521,16] F[1,3,521,16]", .attrs = "scale=0.31", .low = -2.385, .high = 2.385 },
    { .in = "F[2,1,37,5] F[2,1,47,5] F[2,1,47,5]", .attrs = "causal=1, scale=0.5", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample attention_vjp_samples[] = {
    { .in = "F[2,3,5,4] F[2,3,7,4] F[2,3,7,4] F[2,3,5,4] F[2,3,5] F[2,3,5,4]",
        .attrs = "scale=0.37",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[1,2,5,3] F[1,2,5,3] F[1,2,5,3] F[1,2,5,3] F[1,2,5] F[1,2,5,3]",
        .attrs = "causal=1, scale=0.5",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[2,1,131,16] F[2,1,307,16] F[2,1,307,16] F[2,1,131,16] F[2,1,131] F[2,1,131,16]",
        .attrs = "causal=1, scale=0.0131",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[2,1,37,5] F[2,1,47,5] F[2,1,47,5] F[2,1,37,5] F[2,1,37] F[2,1,37,5]",
        .attrs = "causal=1, scale=0.31",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[1,1,263,8] F[1,1,263,8] F[1,1,263,8] F[1,1,263,8] F[1,1,263] F[1,1,263,8]",
        .attrs = "causal=1, scale=0.31",
        .low = 0.5,
        .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_attention = {
    CG_OP_HERE,
    .name = "attention",
    .sig = "(q: F[B, H, T, K], k: F[B, H, S, K], v: F[B, H, S, K], causal: bool = false, scale: float, offset: dim) -> "
           "(F[B, H, T, K], F[B, H, T])",
    .doc = "softmax(scale * q k') v by head, and logsumexp(scale * q k') of each row, without storing the scores (Dao "
           "et al. 2022).\n\n"
           "causal: query i sees keys 0 .. i + offset; offset is S - T where it is not given, so that the last query "
           "sees all.\n"
           "A negative offset is an error: the first query would see no key.\n",
    .shape = attention_shape,
    .vjp = attention_vjp,
    .expand = attention_expand,
    .kernel = CG_FLOAT_KERNELS(attention),
    .work = attention_work,
    .rounds = attention_rounds,
    .match = attention_match,
    .axis_rule = attention_axis_rule,
    .slice_rule = attention_slice_rule,
    .incremental = "attention_at",
    .rounded = 1,
    .traits = CG_STRIDED | CG_ANY_ORDER | CG_PRODUCTS,
    .nout = 2,
    .samples = attention_samples,
};

static const CgOp op_attention_vjp = {
    CG_OP_HERE,
    .name = "attention_vjp",
    .sig = "(q: F[B, H, T, K], k: F[B, H, S, K], v: F[B, H, S, K], y: F[B, H, T, K], lse: F[B, H, T], gy: F[B, H, T, "
           "K], causal: bool = false, "
           "scale: float, offset: dim) -> (F[B, H, T, K], F[B, H, S, K], F[B, H, S, K])",
    .doc = "Derivatives of attention by q, k and v, from both its results and gy, that by the first of them.\n",
    .shape = attention_vjp_shape,
    .expand = attention_vjp_expand,
    .kernel = CG_FLOAT_KERNELS(attention_vjp),
    .work = attention_vjp_work,
    .rounds = attention_vjp_rounds,
    .rounded = 1 << 2,
    .traits = CG_STRIDED | CG_ANY_ORDER | CG_PRODUCTS,
    .nout = 3,
    .samples = attention_vjp_samples,
};

CG_OPS(attention, &op_attention, &op_attention_vjp)
