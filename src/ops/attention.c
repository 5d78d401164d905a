/* attention.c - scaled dot-product attention and its derivative.
 * Takes q, k, v by head; gives the result and the logarithm of each row's normaliser. attention_blocks.h and, for small
 * heads, attention_small.h compute it; here is what it means, and the form of script it is recognised in. */
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#include "ops/attention_blocks.h"

/* ---- shapes ---- */

/* q, k and v, and the mask, where there is one, as operand `mask`; causal: with the offset S - T where none is given.
 */
static bool masked_operands(CgInfer *inf, int mask)
{
    const CgDim *offset = cg_attr_dim(inf->attrs, "offset");
    if (!attention_operands(inf, false) || !attention_mask(inf, mask))
        return false;
    return !cg_attr_int(inf->attrs, "causal", 0)
        || attention_offset(inf, offset ? offset : cg_dim_sub(inf->in[1].dim[2], inf->in[0].dim[2]));
}

static bool attention_shape(CgInfer *inf)
{
    if (!masked_operands(inf, MASK))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[1] = cg_type_without(inf->in[0], 3);
    return true;
}

/* (q, k, v, y, lse, gy, mask) -> gq, gk, gv */
static bool attention_vjp_shape(CgInfer *inf)
{
    if (!masked_operands(inf, MASK_OF_VJP) || !cg_want_same(inf, 3, 0) || !cg_want_dtype(inf, 4, 0)
        || !cg_want_rank(inf, 4, 3, 3) || !cg_want_axes(inf, 4, 0, 0, 3) || !cg_want_same(inf, 5, 0))
        return false;
    for (int i = 0; i < 3; i++)
        inf->out[i] = inf->in[i];
    return true;
}

/* ---- meaning ---- */

/* The scores with the mask, operand `mask`, -inf where hidden; `capped`: as they are before that. */
static CgRef scores_of(CgBuild *b, const CgSite *site, int mask, CgRef *capped)
{
    CgRef s = *capped = attention_scores(b, site);
    CgType t = cg_ref_type(b, s);
    const CgDim *offset = cg_attr_dim(site->attrs, "offset");
    if (site->nin > mask)
        s = attention_add_mask(b, s, site->in[mask]);
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
    CgRef capped, s = scores_of(b, site, MASK, &capped), w;
    if (site->nin > MASK) {
        w = attention_weights(b, s, &out[1]);
    } else { /* each row sees something */
        out[1] = last_axis(b, "logsumexp", s);
        w = cg_exp(b, cg_sub(b, s, cg_repeat(b, out[1], cg_ref_type(b, s), 3)));
    }
    out[0] = cg_matmul(b, w, attention_for_each(b, site->in[2], site->in[0]), false, false);
}

/* What heads of queries say of their keys or values, as one for all that have these in common. */
static CgRef sum_shared(CgBuild *b, CgRef x, CgRef like)
{
    CgType t = cg_ref_type(b, x), to = cg_ref_type(b, like);
    const CgDim *dim[5];
    int64_t over = 2;
    if (t.dim[1] == to.dim[1])
        return x;
    attention_grouped(t, to.dim[1], dim);
    return cg_sum(b, cg_reshape(b, x, 5, dim), 1, &over);
}

/* The sum of x over the axes that `like` has not, or has once. */
static CgRef sum_like(CgBuild *b, CgRef x, CgRef like)
{
    CgType t = cg_ref_type(b, x), to = cg_ref_type(b, like);
    int64_t over[4];
    int n = 0;
    for (int i = 0; i < 4; i++)
        if (t.dim[i] != to.dim[i])
            over[n++] = i;
    return n ? cg_reshape(b, cg_sum(b, x, n, over), 4, to.dim) : x;
}

/* site: q, k, v, y, lse, gy and the mask; glse may be CG_NONE. d lse / d s = P, so glse joins dP - sum(gy y). out: of
 * q, k, v and the mask. */
static void gradients(CgBuild *b, const CgSite *site, CgRef glse, CgRef *out)
{
    CgRef q = site->in[0], y = site->in[3], gy = site->in[5], capped;
    CgRef k = attention_for_each(b, site->in[1], q), v = attention_for_each(b, site->in[2], q);
    CgRef s = scores_of(b, site, MASK_OF_VJP, &capped), lse = site->in[4];
    CgType t = cg_ref_type(b, s);
    int64_t over = 3;
    double cap = cg_attr_float(site->attrs, "cap", 0);
    if (site->nin > MASK_OF_VJP) /* a row that sees nothing */
        lse = cg_where(b, cg_b(b, "eq", lse, cg_fill_like(b, lse, -INFINITY)), cg_fill_like(b, lse, 0), lse);
    CgRef p = cg_exp(b, cg_sub(b, s, cg_repeat(b, lse, t, 3)));
    CgRef delta = cg_sum(b, cg_mul(b, gy, y), 1, &over);
    if (glse != CG_NONE)
        delta = cg_sub(b, delta, glse);
    CgRef dp = cg_matmul(b, gy, v, false, true);
    CgRef dm = cg_mul(b, p, cg_sub(b, dp, cg_repeat(b, delta, t, 3))), ds = dm;
    if (cap > 0) { /* 1 - tanh^2 */
        CgRef part = cg_scale(b, capped, 1 / cap);
        ds = cg_mul(b, dm, cg_sub(b, cg_fill_like(b, part, 1), cg_mul(b, part, part)));
    }
    ds = cg_scale(b, ds, cg_attr_float(site->attrs, "scale", 1));
    out[0] = cg_matmul(b, ds, k, false, false);
    out[1] = sum_shared(b, cg_matmul(b, ds, q, true, false), site->in[1]);
    out[2] = sum_shared(b, cg_matmul(b, p, gy, true, false), site->in[2]);
    if (site->nin > MASK_OF_VJP)
        out[3] = sum_like(b, dm, site->in[MASK_OF_VJP]);
}

static void attention_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef all[4];
    gradients(b, site, CG_NONE, all);
    for (int i = 0; i < 3; i++)
        out[i] = all[i];
}

static void attention_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef gy = site->gout[0] == CG_NONE ? cg_fill_like(b, site->out[0], 0) : site->gout[0];
    CgRef in[7] = { site->in[0], site->in[1], site->in[2], site->out[0], site->out[1], gy };
    int nin = site->nin + 3;
    if (site->nin > MASK)
        in[MASK_OF_VJP] = site->in[MASK];
    CgSite whole = { .nin = nin, .nout = 3, .in = in, .attrs = site->attrs };
    if (site->nin > MASK || site->gout[1] != CG_NONE) /* that by the mask; what nothing needs of it is not computed */
        gradients(b, &whole, site->gout[1], gin);
    if (site->gout[1] == CG_NONE) {
        CgRef all = cg_build(b, "attention_vjp", nin, in, site->attrs);
        for (int i = 0; i < 3; i++)
            gin[i] = cg_build_result(b, all, i);
    }
}

/* ---- recognition ---- */

/* A tensor that only some of the four axes change, by bits: r has these alone. */
typedef struct Narrow {
    CgRef r;
    unsigned axes;
} Narrow;

enum { ROW = 1 << 2, COLUMN = 1 << 3, ALL = 15, DEEPEST = 24 };

/* Scores written by hand may have no heads, or neither these nor a batch: which of the four axis k of so many is. */
static int axis_of(int rank, int k) { return k < rank - 2 ? k : k + 4 - rank; }

static unsigned axes_of(int rank)
{
    unsigned axes = 0;
    for (int k = 0; k < rank; k++)
        axes |= 1u << axis_of(rank, k);
    return axes;
}

/* A type with all four axes; those that it does not have are 1. */
static CgType four(const CgType *t)
{
    const CgDim *dim[4] = { cg_dim_int(1), cg_dim_int(1), cg_dim_int(1), cg_dim_int(1) };
    for (int k = 0; k < t->rank; k++)
        dim[axis_of(t->rank, k)] = t->dim[k];
    return cg_type(t->dtype, 4, dim);
}

static int rank_of(unsigned axes) { return __builtin_popcount(axes); }

/* Which axis of a tensor of these axes alone is axis k of all four. */
static int place_of(unsigned axes, int k) { return axes >> k & 1 ? rank_of(axes & ((1u << k) - 1)) : -1; }

/* As a tensor of more axes, sizes those of `all`. */
static CgRef widened(CgBuild *b, Narrow x, unsigned axes, const CgType *all)
{
    const CgDim *dim[4];
    int64_t from[4];
    int n = 0;
    for (int i = 0; i < 4; i++)
        if (axes >> i & 1) {
            dim[n] = all->dim[i];
            from[n++] = place_of(x.axes, i);
        }
    return x.axes == axes ? x.r : cg_broadcast(b, x.r, n, dim, from);
}

/* x as what is repeated in it, through elementwise ops. */
static Narrow narrow(CgBuild *b, CgRef x, int depth)
{
    CgType t = cg_ref_type(b, x), all = four(&t);
    double value;
    if (cg_ref_const(b, x, &value))
        return (Narrow){ cg_fill(b, cg_type(t.dtype, 0, NULL), value), 0 };
    if (cg_ref_is(b, x, "broadcast")) {
        const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, x), "axes");
        unsigned kept = 0;
        for (int i = 0; i < t.rank; i++)
            kept |= axes->ints[i] >= 0 ? 1u << axis_of(t.rank, i) : 0;
        return (Narrow){ cg_ref_in(b, x, 0), kept };
    }
    if (cg_ref_is(b, x, "iota")) {
        int axis = cg_axis(cg_ref_attrs(b, x), "axis", t.rank);
        CgAttr attrs[2] = { cg_a_type("type", cg_type(t.dtype, 1, &t.dim[axis])), cg_a_int("axis", 0) };
        return (Narrow){ cg_build(b, "iota", 0, NULL, cg_attrs(2, attrs)), 1u << axis_of(t.rank, axis) };
    }
    const CgOp *op = cg_ref_op(b, x);
    int nin = cg_ref_nin(b, x);
    if (!(op->traits & CG_ELEMENTWISE) || nin > 3 || depth > DEEPEST)
        return (Narrow){ x, axes_of(t.rank) };
    Narrow in[3];
    unsigned axes = 0;
    CgRef refs[3];
    for (int i = 0; i < nin; i++) {
        in[i] = narrow(b, cg_ref_in(b, x, i), depth + 1);
        axes |= in[i].axes;
    }
    for (int i = 0; i < nin; i++)
        refs[i] = widened(b, in[i], axes, &all);
    return (Narrow){ axes == axes_of(t.rank) ? x : cg_build(b, op->name, nin, refs, cg_ref_attrs(b, x)), axes };
}

/* r as row * its index along axis `row` + column * .. + plus. */
typedef struct Line {
    double row, column, plus;
} Line;

static bool line_of(CgBuild *b, CgRef r, int row, int column, Line *line)
{
    *line = (Line){ 0, 0, 0 };
    if (cg_ref_const(b, r, &line->plus))
        return true;
    if (cg_ref_is(b, r, "iota")) {
        int axis = cg_axis(cg_ref_attrs(b, r), "axis", cg_ref_type(b, r).rank);
        *line = (Line){ axis == row, axis == column, 0 };
        return axis == row || axis == column;
    }
    if (cg_ref_is(b, r, "broadcast")) {
        const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, r), "axes");
        return line_of(b, cg_ref_in(b, r, 0), (int)axes->ints[row], (int)axes->ints[column], line);
    }
    Line x, y;
    int sign = cg_ref_is(b, r, "add") ? 1 : cg_ref_is(b, r, "sub") ? -1 : 0;
    if (!sign || !line_of(b, cg_ref_in(b, r, 0), row, column, &x) || !line_of(b, cg_ref_in(b, r, 1), row, column, &y))
        return false;
    *line = (Line){ x.row + sign * y.row, x.column + sign * y.column, x.plus + sign * y.plus };
    return true;
}

/* Whether a mask of these axes is true where j <= i + offset, and nowhere else. */
static bool is_causal(CgBuild *b, Narrow mask, int64_t *offset)
{
    static const struct {
        const char *name;
        int sign, strict;
    } forms[] = { { "ge", 1, 0 }, { "le", -1, 0 }, { "gt", 1, 1 }, { "lt", -1, 1 } };
    if (!(mask.axes & ROW) || !(mask.axes & COLUMN))
        return false;
    int row = place_of(mask.axes, 2), column = place_of(mask.axes, 3);
    for (int f = 0; f < 4; f++) {
        Line x, y;
        if (!cg_ref_is(b, mask.r, forms[f].name))
            continue;
        if (cg_dtype_is_float(cg_ref_type(b, cg_ref_in(b, mask.r, 0)).dtype)
            || !line_of(b, cg_ref_in(b, mask.r, 0), row, column, &x)
            || !line_of(b, cg_ref_in(b, mask.r, 1), row, column, &y))
            return false;
        *offset = (int64_t)(forms[f].sign * (x.plus - y.plus)) - forms[f].strict;
        return forms[f].sign * (x.row - y.row) == 1 && forms[f].sign * (x.column - y.column) == -1 && *offset >= 0;
    }
    return false;
}

/* Whether a comparison of these axes holds for each query and the key as far before the end of all as the query is. */
static bool sees_itself(CgBuild *b, Narrow mask, const CgType *all)
{
    static const char *const names[] = { "ge", "gt", "le", "lt", "eq" };
    int64_t queries, keys;
    Line x, y;
    if ((mask.axes & (ROW | COLUMN)) != (ROW | COLUMN) || !cg_dim_is_int(all->dim[2], &queries)
        || !cg_dim_is_int(all->dim[3], &keys) || keys < queries)
        return false;
    for (int f = 0; f < 5; f++) {
        int row = place_of(mask.axes, 2), column = place_of(mask.axes, 3);
        if (!cg_ref_is(b, mask.r, names[f]) || !line_of(b, cg_ref_in(b, mask.r, 0), row, column, &x)
            || !line_of(b, cg_ref_in(b, mask.r, 1), row, column, &y) || x.row - y.row != y.column - x.column)
            continue;
        double d = x.plus - y.plus + (x.column - y.column) * (double)(keys - queries);
        return f == 0 ? d >= 0 : f == 1 ? d > 0 : f == 2 ? d <= 0 : f == 3 ? d < 0 : d == 0;
    }
    return false;
}

/* What becomes of products before the softmax: scale, cap, what is added, what is hidden. */
typedef struct Scores {
    CgType type; /* of four axes */
    CgRef of;    /* what is left: products */
    double scale, cap;
    Narrow by;      /* a factor that is no number, the same for all keys; r = CG_NONE: there is none */
    int64_t offset; /* of a causal mask; -1: none */
    Narrow bias, seen;
    bool adds, hides;
    bool blind; /* it is not known that each row sees something */
} Scores;

/* Without axes along which it is repeated. */
static Narrow narrower(CgBuild *b, Narrow x)
{
    if (!cg_ref_is(b, x.r, "broadcast"))
        return x;
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, x.r), "axes");
    unsigned kept = 0;
    for (int i = 0; i < 4; i++)
        if (x.axes >> i & 1 && axes->ints[place_of(x.axes, i)] >= 0)
            kept |= 1u << i;
    return (Narrow){ cg_ref_in(b, x.r, 0), kept };
}

/* A condition under which scores are seen, beside those there are: causal ones are one offset. */
static void add_condition(CgBuild *b, Scores *s, Narrow mask)
{
    int64_t offset;
    mask = narrower(b, mask);
    if (cg_ref_is(b, mask.r, "and")) {
        for (int i = 0; i < 2; i++)
            add_condition(b, s, (Narrow){ cg_ref_in(b, mask.r, i), mask.axes });
        return;
    }
    s->blind |= !sees_itself(b, mask, &s->type);
    if (is_causal(b, mask, &offset)) {
        s->offset = s->offset < 0 || offset < s->offset ? offset : s->offset;
    } else {
        unsigned axes = s->hides ? s->seen.axes | mask.axes : mask.axes;
        CgRef r = widened(b, mask, axes, &s->type);
        s->seen = (Narrow){ s->hides ? cg_b(b, "and", widened(b, s->seen, axes, &s->type), r) : r, axes };
        s->hides = true;
    }
}

static void add_bias(CgBuild *b, Scores *s, Narrow x)
{
    unsigned axes = s->adds ? s->bias.axes | x.axes : x.axes;
    CgRef r = widened(b, x, axes, &s->type);
    s->bias = (Narrow){ s->adds ? cg_add(b, widened(b, s->bias, axes, &s->type), r) : r, axes };
    s->adds = s->blind = true;
}

static bool plain_matmul(CgBuild *b, CgRef r)
{
    int rank = cg_ref_type(b, r).rank;
    return cg_ref_is(b, r, "matmul") && rank >= 2 && rank <= 4 && cg_ref_type(b, cg_ref_in(b, r, 0)).rank == rank
        && cg_ref_type(b, cg_ref_in(b, r, 1)).rank == rank;
}

/* Whether s is what x is times, or, `divided`, over, for all keys: then it is a part of the scale. */
static bool take_factor(CgBuild *b, CgRef x, bool divided, Scores *s)
{
    CgType t = cg_ref_type(b, x), all = four(&t);
    Narrow f = narrower(b, (Narrow){ x, axes_of(t.rank) });
    double k;
    if (cg_ref_const(b, x, &k)) {
        if (divided && k == 0)
            return false;
        s->scale = divided ? s->scale / k : s->scale * k;
        return true;
    }
    if (f.r == x || f.axes & COLUMN)
        return false;
    Narrow one = { cg_fill(b, cg_type(t.dtype, 0, NULL), 1), 0 }, by = s->by.r == CG_NONE ? one : s->by;
    unsigned axes = by.axes | f.axes;
    s->by = (Narrow){ cg_b(b, divided ? "div" : "mul", widened(b, by, axes, &all), widened(b, f, axes, &all)), axes };
    return true;
}

/* x without what it is scaled by. */
static CgRef unscaled(CgBuild *b, CgRef x, Scores *s)
{
    for (;;) {
        bool divided = cg_ref_is(b, x, "div");
        if (!divided && !cg_ref_is(b, x, "mul"))
            return x;
        if (take_factor(b, cg_ref_in(b, x, 1), divided, s))
            x = cg_ref_in(b, x, 0);
        else if (!divided && take_factor(b, cg_ref_in(b, x, 0), false, s))
            x = cg_ref_in(b, x, 1);
        else
            return x;
    }
}

/* Products of these, scaled, perhaps capped. */
static bool find_products(CgBuild *b, CgRef x, Scores *s)
{
    s->scale = 1;
    s->cap = 0;
    s->by.r = CG_NONE;
    x = unscaled(b, x, s);
    if (cg_ref_is(b, x, "tanh") && s->by.r == CG_NONE) { /* what it is times is a cap */
        s->cap = s->scale;
        x = unscaled(b, cg_ref_in(b, x, 0), s);
    }
    s->of = x;
    return plain_matmul(b, x) && isfinite(s->scale) && isfinite(s->cap) && s->cap >= 0;
}

static bool leads_to_products(CgBuild *b, CgRef x, int depth)
{
    Scores s;
    if (depth > DEEPEST)
        return false;
    if (cg_ref_is(b, x, "where"))
        return leads_to_products(b, cg_ref_in(b, x, 1), depth + 1);
    if (cg_ref_is(b, x, "add") || cg_ref_is(b, x, "sub"))
        return leads_to_products(b, cg_ref_in(b, x, 0), depth + 1)
            || (cg_ref_is(b, x, "add") && leads_to_products(b, cg_ref_in(b, x, 1), depth + 1));
    return find_products(b, x, &s);
}

/* x as products with what is done to them. */
static bool find_scores(CgBuild *b, CgRef x, Scores *s)
{
    double k;
    for (int i = 0; i < DEEPEST; i++) {
        if (find_products(b, x, s))
            return true;
        if (cg_ref_is(b, x, "where") && cg_ref_const(b, cg_ref_in(b, x, 2), &k) && k <= -1e9) {
            add_condition(b, s, narrow(b, cg_ref_in(b, x, 0), 0));
            if (s->hides && isfinite(k))
                return false; /* what is hidden may yet count where a row sees nothing */
            x = cg_ref_in(b, x, 1);
        } else if (cg_ref_is(b, x, "add")) {
            int at = !leads_to_products(b, cg_ref_in(b, x, 0), 0);
            add_bias(b, s, narrow(b, cg_ref_in(b, x, !at), 0));
            x = cg_ref_in(b, x, at);
        } else if (cg_ref_is(b, x, "sub")) {
            Narrow y = narrow(b, cg_ref_in(b, x, 1), 0);
            add_bias(b, s, (Narrow){ cg_neg(b, y.r), y.axes });
            x = cg_ref_in(b, x, 0);
        } else {
            return false;
        }
    }
    return false;
}

/* What is added and hidden as one mask, of numbers of this type; r = CG_NONE: nothing is. */
static Narrow mask_of_scores(CgBuild *b, const Scores *s, CgDtype dtype)
{
    Narrow bias = s->adds ? s->bias : (Narrow){ cg_fill(b, cg_type(dtype, 0, NULL), 0), 0 };
    unsigned axes = bias.axes | (s->hides ? s->seen.axes : 0);
    double k;
    if (!s->hides && (!s->adds || (cg_ref_const(b, bias.r, &k) && k == 0)))
        return (Narrow){ CG_NONE, 0 };
    CgRef m = widened(b, bias, axes, &s->type);
    if (s->hides)
        m = cg_where(b, widened(b, s->seen, axes, &s->type), m, cg_fill_like(b, m, -INFINITY));
    return (Narrow){ m, axes };
}

static CgRef as_operand(CgBuild *b, Narrow m, const CgType *all)
{
    const CgDim *dim[4];
    for (int i = 0; i < 4; i++)
        dim[i] = m.axes >> i & 1 ? all->dim[i] : cg_dim_int(1);
    return cg_reshape(b, m.r, 4, dim);
}

/* y, but not a number where a row sees nothing, as softmax says. */
static CgRef blind_to_nan(CgBuild *b, const Scores *s, CgRef y, Narrow m)
{
    CgType t = cg_ref_type(b, y), plane;
    if (s->offset >= 0) {
        m = (Narrow){ widened(b, m, m.axes | ROW | COLUMN, &s->type), m.axes | ROW | COLUMN };
        plane = cg_ref_type(b, m.r);
        plane.dtype = CG_I32;
        CgAttr row[2] = { cg_a_type("type", plane), cg_a_int("axis", place_of(m.axes, 2)) },
               column[2] = { cg_a_type("type", plane), cg_a_int("axis", place_of(m.axes, 3)) };
        CgRef i = cg_build(b, "iota", 0, NULL, cg_attrs(2, row)), j = cg_build(b, "iota", 0, NULL, cg_attrs(2, column));
        i = cg_add(b, i, cg_fill(b, plane, (double)s->offset));
        m.r = cg_where(b, cg_b(b, "ge", i, j), m.r, cg_fill_like(b, m.r, -INFINITY));
    }
    if (m.axes & COLUMN) {
        CgAttr axes = cg_a_ints("axes", 1, (const int64_t[1]){ place_of(m.axes, 3) });
        m = (Narrow){ cg_build(b, "max", 1, &m.r, cg_attrs(1, &axes)), m.axes & ~(unsigned)COLUMN };
    }
    m.r = cg_b(b, "eq", m.r, cg_fill_like(b, m.r, -INFINITY));
    return cg_where(b, widened(b, m, ALL, &t), cg_fill(b, t, NAN), y);
}

static CgRef in_four(CgBuild *b, CgRef x)
{
    CgType t = cg_ref_type(b, x), all = four(&t);
    return t.rank == 4 ? x : cg_reshape(b, x, 4, all.dim);
}

/* Keys or values that are repeated for several heads of queries, once; CG_NONE: they are not. */
static CgRef shared_heads(CgBuild *b, CgRef x)
{
    static const int64_t each[5] = { 0, 1, -1, 2, 3 }, all[4] = { 0, -1, 1, 2 };
    CgType t = cg_ref_type(b, x);
    CgRef wide = cg_ref_is(b, x, "reshape") ? cg_ref_in(b, x, 0) : x;
    if (!cg_ref_is(b, wide, "broadcast"))
        return CG_NONE;
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, wide), "axes");
    CgType w = cg_ref_type(b, wide);
    CgRef from = cg_ref_in(b, wide, 0);
    if (w.rank == 5 && !memcmp(axes->ints, each, sizeof each))
        return w.dim[0] == t.dim[0] && w.dim[3] == t.dim[2] && w.dim[4] == t.dim[3] ? from : CG_NONE;
    if (wide != x || memcmp(axes->ints, all, sizeof all))
        return CG_NONE;
    t.dim[1] = cg_dim_int(1);
    return cg_reshape(b, from, 4, t.dim);
}

/* Keys and values as they are before they are repeated, if both are. */
static void share_heads(CgBuild *b, CgRef *k, CgRef *v)
{
    CgRef keys = shared_heads(b, *k), values = shared_heads(b, *v);
    if (keys == CG_NONE || values == CG_NONE || cg_ref_type(b, keys).dim[1] != cg_ref_type(b, values).dim[1])
        return;
    *k = keys;
    *v = values;
}

static CgRef attention_of(CgBuild *b, const Scores *s, const CgRef in[3], Narrow m)
{
    CgAttr at[4] = { cg_a_int("causal", s->offset >= 0), cg_a_float("scale", s->scale) };
    const CgDim *ahead = cg_dim_int(s->offset);
    int n = 2;
    if (s->offset >= 0)
        at[n++] = cg_a_dims("offset", 1, &ahead);
    if (s->cap > 0)
        at[n++] = cg_a_float("cap", s->cap);
    CgRef all[4] = { 0, 0, 0, m.r == CG_NONE ? CG_NONE : as_operand(b, m, &s->type) };
    for (int i = 0; i < 3; i++)
        all[i] = in_four(b, in[i]);
    share_heads(b, &all[1], &all[2]);
    if (s->by.r != CG_NONE) {
        CgType q = cg_ref_type(b, all[0]);
        all[0] = cg_mul(b, all[0], widened(b, s->by, ALL, &q));
    }
    return cg_build(b, "attention", m.r == CG_NONE ? 3 : 4, all, cg_attrs(n, at));
}

/* What attention takes as a mask, made smaller: causal parts are told by attributes. */
static CgRef simpler_mask(CgBuild *b, CgRef root)
{
    const CgAttrs *attrs = cg_ref_attrs(b, root);
    CgRef in[3] = { cg_ref_in(b, root, 0), cg_ref_in(b, root, 1), cg_ref_in(b, root, 2) }, x = cg_ref_in(b, root, 3);
    if (cg_attr_int(attrs, "causal", 0))
        return CG_NONE;
    CgType q = cg_ref_type(b, in[0]);
    Scores s = { .type = q, .scale = cg_attr_float(attrs, "scale", 1), .by = { CG_NONE, 0 }, .offset = -1 };
    s.type.dim[3] = cg_ref_type(b, in[1]).dim[2];
    s.cap = cg_attr_float(attrs, "cap", 0);
    CgType own = cg_ref_type(b, x);
    if (!cg_type_equal(&own, &s.type))
        x = attention_stretch(b, x, s.type);
    double k;
    Narrow n = narrow(b, x, 0);
    for (n = narrower(b, n); cg_ref_is(b, n.r, "where"); n = narrower(b, (Narrow){ cg_ref_in(b, n.r, 1), n.axes })) {
        if (!cg_ref_const(b, cg_ref_in(b, n.r, 2), &k) || k != -INFINITY)
            break;
        add_condition(b, &s, (Narrow){ cg_ref_in(b, n.r, 0), n.axes });
    }
    add_bias(b, &s, n);
    return attention_of(b, &s, in, mask_of_scores(b, &s, q.dtype));
}

static CgRef swapped(CgBuild *b, CgRef x)
{
    int rank = cg_ref_type(b, x).rank;
    int64_t perm[4];
    for (int k = 0; k < rank; k++)
        perm[k] = k < rank - 2 ? k : 2 * rank - 3 - k;
    return cg_transpose(b, x, perm);
}

static bool is_softmax_of_keys(CgBuild *b, CgRef x)
{
    int rank = cg_ref_type(b, x).rank;
    return cg_ref_is(b, x, "softmax") && cg_axis(cg_ref_attrs(b, x), "axis", rank) == rank - 1;
}

/* where(none, 0, softmax(where(none, 0, s))), of rows that are -inf throughout. */
static CgRef guarded_softmax(CgBuild *b, CgRef p)
{
    double k;
    CgRef inner = cg_ref_is(b, p, "where") ? cg_ref_in(b, p, 2) : p, s;
    if (inner == p || !is_softmax_of_keys(b, inner))
        return CG_NONE;
    s = cg_ref_in(b, inner, 0);
    if (!cg_ref_is(b, s, "where") || cg_ref_in(b, s, 0) != cg_ref_in(b, p, 0)
        || !cg_ref_const(b, cg_ref_in(b, p, 1), &k) || k != 0 || !cg_ref_const(b, cg_ref_in(b, s, 1), &k))
        return CG_NONE;
    Narrow blind = narrow(b, cg_ref_in(b, p, 0), 0);
    if (blind.axes != (axes_of(cg_ref_type(b, p).rank) & ~(unsigned)COLUMN) || !cg_ref_is(b, blind.r, "eq"))
        return CG_NONE;
    for (int i = 0; i < 2; i++) {
        CgRef most = cg_ref_in(b, blind.r, i);
        if (cg_ref_is(b, most, "max") && cg_ref_in(b, most, 0) == cg_ref_in(b, s, 2)
            && cg_ref_const(b, cg_ref_in(b, blind.r, !i), &k) && k == -INFINITY)
            return cg_ref_in(b, s, 2);
    }
    return CG_NONE;
}

/* matmul(softmax(scale * matmul(q, k')), v), where scores may be capped, added to and hidden in part. */
static CgRef attention_match(CgBuild *b, CgRef root)
{
    if (cg_ref_is(b, root, "attention") && cg_ref_nin(b, root) > MASK)
        return simpler_mask(b, root);
    if (!plain_matmul(b, root) || cg_attr_int(cg_ref_attrs(b, root), "ta", 0))
        return CG_NONE;
    CgRef p = cg_ref_in(b, root, 0), v = cg_ref_in(b, root, 1), x = guarded_softmax(b, p);
    bool guarded = x != CG_NONE;
    if (!guarded && !is_softmax_of_keys(b, p))
        return CG_NONE;
    CgType written = cg_ref_type(b, root), scores = cg_ref_type(b, p);
    Scores s = { .type = four(&scores), .offset = -1 };
    if (!find_scores(b, guarded ? x : cg_ref_in(b, p, 0), &s))
        return CG_NONE;
    CgRef q = cg_ref_in(b, s.of, 0), keys = cg_ref_in(b, s.of, 1);
    if (cg_attr_int(cg_ref_attrs(b, s.of), "ta", 0))
        q = swapped(b, q);
    if (!cg_attr_int(cg_ref_attrs(b, s.of), "tb", 0))
        keys = swapped(b, keys);
    if (cg_attr_int(cg_ref_attrs(b, root), "tb", 0))
        v = swapped(b, v);
    if (cg_ref_type(b, q).dim[written.rank - 1] != written.dim[written.rank - 1])
        return CG_NONE;
    Narrow m = mask_of_scores(b, &s, s.type.dtype);
    CgRef y = attention_of(b, &s, (CgRef[3]){ q, keys, v }, m);
    if (!guarded && m.r != CG_NONE && s.blind)
        y = blind_to_nan(b, &s, y, m);
    return written.rank == 4 ? y : cg_reshape(b, y, written.rank, written.dim);
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
    if (axis == 1 && inf->in[0].dim[1] != inf->in[1].dim[1])
        return CG_AXIS_WHOLE; /* a head of keys goes with several */
    if (operand == MASK && axis < 3)
        return inf->in[MASK].dim[axis] == inf->in[0].dim[axis] ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
    if (axis < 2)
        return CG_AXIS_POINTWISE;
    if (axis == 3 && operand != MASK)
        return operand == 2 ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
    if (operand == 0)
        return CG_AXIS_POINTWISE;
    if (!cg_attr_int(inf->attrs, "causal", 0))
        return CG_AXIS_WHOLE;
    to->axis = 2;
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
    const bool masked = inf->nin > MASK; /* whose keys are then those of all */
    const CgDim *end = cg_dim_add(slice->to, ahead), *offset = cg_dim_add(slice->from, ahead);
    for (int i = 1; i < 3 && !masked && end != s && cg_dim_at_most(end, s); i++) {
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
    { .in = "F[2,3,5,4] F[2,3,7,4] F[2,3,7,4] F[2,1,5,7]", .attrs = "scale=0.37", .low = -2.385, .high = 2.385 },
    { .in = "F[2,2,3,4] F[2,2,5,4] F[2,2,5,4] F[1,2,1,5]",
        .attrs = "scale=0.37, causal=1, cap=1.7",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,1,67,16] F[2,1,307,16] F[2,1,307,16] F[1,1,67,307]",
        .attrs = "causal=1, scale=0.31, cap=3",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,6,5,4] F[2,2,7,4] F[2,2,7,4] F[1,6,1,7]", .attrs = "scale=0.37", .low = -2.385, .high = 2.385 },
    { .in = "F[1,4,67,16] F[1,2,307,16] F[1,2,307,16]", .attrs = "causal=1, scale=0.31", .low = -2.385, .high = 2.385 },
    { .in = "F[1,4,2,16] F[1,1,37,16] F[1,1,37,16]", .attrs = "causal=1, scale=0.31", .low = -2.385, .high = 2.385 },
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
    { .in = "F[2,3,5,4] F[2,3,7,4] F[2,3,7,4] F[2,3,5,4] F[2,3,5] F[2,3,5,4] F[2,1,1,7]",
        .attrs = "scale=0.37, cap=1.7",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[2,1,71,16] F[2,1,307,16] F[2,1,307,16] F[2,1,71,16] F[2,1,71] F[2,1,71,16] F[2,1,71,307]",
        .attrs = "causal=1, scale=0.0131, cap=0.7",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[2,6,5,4] F[2,2,7,4] F[2,2,7,4] F[2,6,5,4] F[2,6,5] F[2,6,5,4]",
        .attrs = "scale=0.37",
        .low = 0.5,
        .high = 2.385 },
    { .in = "F[1,4,271,8] F[1,2,307,8] F[1,2,307,8] F[1,4,271,8] F[1,4,271] F[1,4,271,8]",
        .attrs = "causal=1, scale=0.0131",
        .low = 0.5,
        .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_attention = {
    CG_OP_HERE,
    .name = "attention",
    .sig = "(q: F[B, H, T, K], k: F[B, G, S, K], v: F[B, G, S, K], mask: F[..m] = none, causal: bool = false, "
           "scale: float, cap: float = none, offset: dim = none) -> (F[B, H, T, K], F[B, H, T])",
    .doc = "softmax(scale * q k') v by head, and logsumexp(scale * q k') of each row, without storing the scores (Dao "
           "et al. 2022).\n\n"
           "k and v may have G heads, of which each serves H / G heads of queries, one after the other.\n"
           "mask: added to the scores, with their axes, or 1 for those that it does not mind; -inf hides, and what no "
           "query of a block sees is not computed. A row that sees nothing is 0, and so is its derivative.\n"
           "cap: cap tanh(scores / cap) in the place of the scores, before the mask.\n"
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
    .sig = "(q: F[B, H, T, K], k: F[B, G, S, K], v: F[B, G, S, K], y: F[B, H, T, K], lse: F[B, H, T], "
           "gy: F[B, H, T, K], mask: F[..m] = none, causal: bool = false, scale: float, cap: float = none, "
           "offset: dim = none) -> (F[B, H, T, K], F[B, G, S, K], F[B, G, S, K])",
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
