/* einstein.c - rearrange and einsum: patterns over axes.
 * Takes tensors and the patterns an author wrote; gives reshapes, transposes, sums and matrix products. New names in a
 * pattern become sizes of the body they stand in. */
#include <string.h>

#include "elab/define.h"
#include "graph/registry.h"

enum { MAX_ATOMS = 16 };

/* One side of a pattern: axes, each a product of atoms (names or numbers). */
typedef struct Side {
    int naxes;
    int first[CG_MAX_RANK + 1]; /* atoms of axis i: first[i] .. first[i+1]-1 */
    int natoms;
    CgAtom name[MAX_ATOMS]; /* NULL: a number; axis k of a row ..s is called "..s.k" */
    CgAtom label[MAX_ATOMS];
    const CgDim *dim[MAX_ATOMS];
    CgSpan span[MAX_ATOMS];
    bool written[MAX_ATOMS]; /* a size 1 that the author wrote */
} Side;

static bool atoms_of(CgElab *e, CgFrame *f, const CgExpr *x, Side *s)
{
    if (x->kind == CG_EXPR_BINARY && *x->op == '*')
        return atoms_of(e, f, x->a, s) && atoms_of(e, f, x->b, s);
    if (s->natoms == MAX_ATOMS || (x->kind != CG_EXPR_NAME && x->kind != CG_EXPR_INT)) {
        cg_elab_error(e, CG_E0406, x->span, "an entry of a pattern is a name, a number or a product of them");
        return false;
    }
    s->name[s->natoms] = s->label[s->natoms] = x->kind == CG_EXPR_NAME ? x->s : NULL;
    s->span[s->natoms] = x->span;
    s->dim[s->natoms] = cg_dim_of(e, f, x, false);
    s->written[s->natoms] = x->kind == CG_EXPR_INT && x->i == 1;
    s->natoms++;
    return true;
}

/* A row stands for as many axes as it has. */
static bool row_of(CgElab *e, CgFrame *f, const CgExpr *x, Side *s)
{
    const CgRows *row = cg_frame_rows(f, x->s);
    if (!row) {
        cg_elab_error(e, CG_E0406, x->span, "'..%s' does not occur on the left of the pattern", x->s);
        return false;
    }
    for (int k = 0; k < row->n && s->naxes < CG_MAX_RANK && s->natoms < MAX_ATOMS; k++) {
        s->first[s->naxes++] = s->natoms;
        s->name[s->natoms] = cg_intern_printf("..%s.%d", x->s, k);
        s->label[s->natoms] = row->label[k];
        s->span[s->natoms] = x->span;
        s->dim[s->natoms++] = row->dim[k];
    }
    return true;
}

static bool side_of(CgElab *e, CgFrame *f, const CgExpr *list, Side *s)
{
    memset(s, 0, sizeof *s);
    if (list->kind != CG_EXPR_LIST || list->args.n > CG_MAX_RANK) {
        cg_elab_error(e, CG_E0406, list->span, "a pattern is a list such as [B, T, heads*K]");
        return false;
    }
    for (int i = 0; i < list->args.n; i++) {
        const CgExpr *x = list->args.at[i].value;
        if (x->kind == CG_EXPR_ROW) {
            if (!row_of(e, f, x, s))
                return false;
            continue;
        }
        if (s->naxes == CG_MAX_RANK) {
            cg_elab_error(e, CG_E0406, list->span, "a tensor has at most %d axes", CG_MAX_RANK);
            return false;
        }
        s->first[s->naxes++] = s->natoms;
        if (!atoms_of(e, f, x, s))
            return false;
    }
    s->first[s->naxes] = s->natoms;
    return true;
}

/* Binds the names of an operand's side to its sizes. */
static bool bind_side(CgElab *e, CgFrame *f, const CgExpr *list, CgValue *x, CgSpan at, Side *s)
{
    int rows = 0, rank = cg_value_type(e, x)->rank;
    for (int i = 0; i < list->args.n; i++)
        rows += list->args.at[i].value->kind == CG_EXPR_ROW;
    if (list->kind == CG_EXPR_LIST && !rows && list->args.n != rank) {
        CgStrbuf text = { 0 };
        cg_type_print(cg_value_type(e, x), &text);
        CgDiag *d = cg_elab_error(e, CG_E0401, list->span, "the pattern names %d ax%ss, and its tensor has %d",
            list->args.n, list->args.n == 1 ? "i" : "e", rank);
        cg_diag_label(d, at, "%s", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        return false;
    }
    CgExpr *dims[CG_MAX_RANK];
    for (int i = 0; i < list->args.n && i < CG_MAX_RANK; i++)
        dims[i] = list->args.at[i].value;
    CgType t = *cg_value_type(e, x);
    if (!cg_bind_dims(e, f, dims, list->args.n, &t, x->tensor, at, list->span, "the pattern"))
        return false;
    if (!side_of(e, f, list, s))
        return false;
    for (int i = 0; i < s->naxes && i < t.rank; i++)
        if (s->first[i + 1] - s->first[i] == 1)
            s->written[s->first[i]] |= x->tensor->written >> i & 1;
    return true;
}

static int find_atom(const Side *s, CgAtom name)
{
    for (int i = 0; i < s->natoms; i++)
        if (s->name[i] == name)
            return i;
    return -1;
}

static CgValue *labelled(CgElab *e, CgRef r, const Side *out, const Side *const *in, int n, CgSpan span)
{
    CgValue *v = cg_value_tensor(e, r, span);
    for (int i = 0; i < out->naxes; i++) {
        int atom = out->first[i];
        if (out->first[i + 1] - atom != 1)
            continue;
        v->tensor->label[i] = out->label[atom];
        v->tensor->origin[i] = out->span[atom];
        bool written = out->written[atom];
        for (int k = 0; k < n && out->name[atom]; k++) {
            int from = find_atom(in[k], out->name[atom]);
            written |= from >= 0 && in[k]->written[from];
        }
        v->tensor->written |= (uint16_t)(written << i);
    }
    return v;
}

static bool check_target(CgElab *e, const Side *out, const Side *const *in, int n, const CgExpr *result)
{
    for (int i = 0; i < out->natoms; i++) {
        bool found = !out->name[i];
        for (int k = 0; k < n; k++)
            found |= out->name[i] && find_atom(in[k], out->name[i]) >= 0;
        if (!found) {
            cg_elab_error(e, CG_E0406, out->span[i], "'%s' does not occur on the left of the pattern", out->name[i]);
            return false;
        }
        for (int j = 0; j < i; j++)
            if (out->name[i] && out->name[j] == out->name[i]) {
                cg_elab_error(e, CG_E0406, out->span[i], "'%s' occurs twice on the right of the pattern", out->name[i]);
                return false;
            }
    }
    (void)result;
    return true;
}

static const CgExpr *arrow_of(CgElab *e, const CgExpr *call, int least)
{
    if (call->args.n >= least) {
        const CgExpr *x = call->args.at[call->args.n - 1].value;
        if (x->kind == CG_EXPR_ARROW)
            return x;
    }
    static const char form[] = "a pattern such as [B, T, heads*K] -> [B, heads, T, K]";
    for (int i = 0; i < call->args.n; i++)
        if (call->args.at[i].value->kind == CG_EXPR_STRING) {
            CgDiag *d = cg_elab_error(e, CG_E0406, call->args.at[i].value->span, "a pattern is no string");
            if (call->a->kind == CG_EXPR_NAME && !strcmp(call->a->s, "einsum"))
                cg_diag_help(d, "tensors come first, then the axes of each: einsum(a, b, [T, D], [D, E] -> [T, E])");
            else
                cg_diag_help(
                    d, "the last argument is %s: a list on either side of an arrow, names of axes in it", form);
            return NULL;
        }
    cg_elab_error(e, CG_E0406, call->span, "the last argument is %s", form);
    return NULL;
}

/* The side without the entries that are the number 1: an axis of one element, which comes and goes as it is written. */
static Side without_ones(const Side *s)
{
    Side out = { .naxes = s->naxes };
    for (int i = 0; i < s->naxes; i++) {
        out.first[i] = out.natoms;
        for (int k = s->first[i]; k < s->first[i + 1]; k++) {
            if (!s->name[k] && s->dim[k] == cg_dim_int(1))
                continue;
            out.name[out.natoms] = s->name[k];
            out.dim[out.natoms] = s->dim[k];
            out.span[out.natoms++] = s->span[k];
        }
    }
    out.first[s->naxes] = out.natoms;
    return out;
}

/* Which entry of `in` is entry i of `out`; reports one that has no partner. */
static bool match_entries(CgElab *e, const Side *in, const Side *out, int64_t *perm, bool *moved)
{
    bool taken[MAX_ATOMS] = { 0 };
    for (int i = 0; i < out->natoms; i++) {
        int from = out->name[i] ? find_atom(in, out->name[i]) : -1;
        for (int k = 0; k < in->natoms && from < 0; k++)
            if (!in->name[k] && !taken[k] && in->dim[k] == out->dim[i])
                from = k;
        if (from < 0 || taken[from]) {
            cg_elab_error(e, CG_E0406, out->span[i], "this entry has no partner on the left");
            return false;
        }
        taken[from] = true;
        perm[i] = from;
        *moved |= from != i;
    }
    return true;
}

CgValue *cg_rearrange(CgElab *e, CgFrame *f, const CgExpr *call)
{
    const CgExpr *arrow = arrow_of(e, call, 2);
    if (!arrow || call->args.n != 2)
        return cg_value_poison(e);
    CgValue *x = cg_eval(e, f, call->args.at[0].value);
    if (cg_is_poison(x))
        return cg_define_patterns(e, f, call);
    if (x->kind != CG_VALUE_TENSOR) {
        cg_elab_error(
            e, CG_E0312, call->args.at[0].value->span, "rearrange works on a tensor, not on %s", cg_value_kind_name(x));
        return cg_value_poison(e);
    }
    Side in, out;
    const Side *ins[1] = { &in };
    e->model->build.span = call->span;
    if (!bind_side(e, f, arrow->a, x, call->args.at[0].value->span, &in) || !side_of(e, f, arrow->b, &out)
        || !check_target(e, &out, ins, 1, arrow->b))
        return cg_value_poison(e);
    Side from = without_ones(&in), to = without_ones(&out);
    if (to.natoms != from.natoms) {
        cg_elab_error(e, CG_E0406, arrow->span, "rearrange keeps every axis: %d entries on the left, %d on the right",
            from.natoms, to.natoms);
        return cg_value_poison(e);
    }
    if (from.natoms > CG_MAX_RANK) {
        cg_elab_error(e, CG_E0406, arrow->span, "a pattern has at most %d entries", CG_MAX_RANK);
        return cg_value_poison(e);
    }
    CgBuild *b = &e->model->build;
    CgRef r = x->tensor->ref;
    if (from.natoms != in.naxes)
        r = cg_reshape(b, r, from.natoms, from.dim);
    int64_t perm[CG_MAX_RANK];
    bool moved = false;
    if (!match_entries(e, &from, &to, perm, &moved))
        return cg_value_poison(e);
    if (moved)
        r = cg_transpose(b, r, perm);
    if (to.natoms != to.naxes) {
        const CgDim *dims[CG_MAX_RANK];
        for (int i = 0; i < to.naxes; i++) {
            dims[i] = cg_dim_int(1);
            for (int k = to.first[i]; k < to.first[i + 1]; k++)
                dims[i] = cg_dim_mul(dims[i], from.dim[perm[k]]);
        }
        r = cg_reshape(b, r, to.naxes, dims);
    }
    return labelled(e, r, &out, ins, 1, call->span);
}

/* ---- einsum --------------------------------------------------------------------------------------------------------
 */

/* A tensor whose axes are single names. */
typedef struct Term {
    CgRef ref;
    int n;
    CgAtom axis[CG_MAX_RANK];
    const CgDim *dim[CG_MAX_RANK];
} Term;

static int axis_in(const CgAtom *at, int n, CgAtom name)
{
    for (int i = 0; i < n; i++)
        if (at[i] == name)
            return i;
    return -1;
}

static void drop_axis(Term *t, int i)
{
    memmove(&t->axis[i], &t->axis[i + 1], sizeof *t->axis * (size_t)(t->n - i - 1));
    memmove(&t->dim[i], &t->dim[i + 1], sizeof *t->dim * (size_t)(t->n - i - 1));
    t->n--;
}

/* Sums away the axes that neither the other operands nor the result use. */
static void sum_unused(CgBuild *b, Term *t, const CgAtom *keep, int nkeep)
{
    int64_t axes[CG_MAX_RANK];
    int n = 0;
    for (int i = 0; i < t->n; i++)
        if (axis_in(keep, nkeep, t->axis[i]) < 0)
            axes[n++] = i;
    if (!n)
        return;
    t->ref = cg_sum(b, t->ref, n, axes);
    for (int i = n; i-- > 0;)
        drop_axis(t, (int)axes[i]);
}

static void permute(CgBuild *b, Term *t, const CgAtom *order)
{
    int64_t perm[CG_MAX_RANK];
    const CgDim *dim[CG_MAX_RANK];
    bool moved = false;
    for (int i = 0; i < t->n; i++) {
        perm[i] = axis_in(t->axis, t->n, order[i]);
        moved |= perm[i] != i;
    }
    if (!moved)
        return;
    for (int i = 0; i < t->n; i++)
        dim[i] = t->dim[perm[i]];
    t->ref = cg_transpose(b, t->ref, perm);
    memcpy(t->axis, order, sizeof *order * (size_t)t->n);
    memcpy(t->dim, dim, sizeof *dim * (size_t)t->n);
}

static const CgDim *product(const Term *t, int from, int to)
{
    const CgDim *d = cg_dim_int(1);
    for (int i = from; i < to; i++)
        d = cg_dim_mul(d, t->dim[i]);
    return d;
}

/* x[batch.., rows.., inner..] times y[batch.., inner.., columns..] as one batched matrix product. */
static Term contract(CgElab *e, Term x, Term y, const CgAtom *keep, int nkeep)
{
    CgBuild *b = &e->model->build;
    CgAtom batch[CG_MAX_RANK], inner[CG_MAX_RANK], rows[CG_MAX_RANK], columns[CG_MAX_RANK], order[3 * CG_MAX_RANK];
    int nb = 0, ni = 0, nr = 0, nc = 0;
    for (int i = 0; i < x.n; i++) {
        bool shared = axis_in(y.axis, y.n, x.axis[i]) >= 0, kept = axis_in(keep, nkeep, x.axis[i]) >= 0;
        if (shared && kept)
            batch[nb++] = x.axis[i];
        else if (shared)
            inner[ni++] = x.axis[i];
        else
            rows[nr++] = x.axis[i];
    }
    for (int i = 0; i < y.n; i++)
        if (axis_in(x.axis, x.n, y.axis[i]) < 0)
            columns[nc++] = y.axis[i];
    /* the inner axes stay where they are: last in x or before the rows, whichever the operand has */
    bool ta = nr && ni && axis_in(x.axis, x.n, inner[0]) < axis_in(x.axis, x.n, rows[0]);
    bool tb = nc && ni && axis_in(y.axis, y.n, inner[0]) > axis_in(y.axis, y.n, columns[0]);
    int k = 0;
#define TAKE(list, n)                                         \
    do {                                                      \
        memcpy(order + k, list, sizeof *order * (size_t)(n)); \
        k += n;                                               \
    } while (0)
    TAKE(batch, nb);
    if (ta) {
        TAKE(inner, ni);
        TAKE(rows, nr);
    } else {
        TAKE(rows, nr);
        TAKE(inner, ni);
    }
    permute(b, &x, order);
    k = 0;
    TAKE(batch, nb);
    if (tb) {
        TAKE(columns, nc);
        TAKE(inner, ni);
    } else {
        TAKE(inner, ni);
        TAKE(columns, nc);
    }
    permute(b, &y, order);
#undef TAKE
    Term out = { .n = nb + nr + nc };
    for (int i = 0; i < nb; i++)
        out.axis[i] = batch[i], out.dim[i] = x.dim[i];
    for (int i = 0; i < nr; i++)
        out.axis[nb + i] = rows[i], out.dim[nb + i] = x.dim[nb + (ta ? ni : 0) + i];
    for (int i = 0; i < nc; i++)
        out.axis[nb + nr + i] = columns[i], out.dim[nb + nr + i] = y.dim[nb + (tb ? 0 : ni) + i];
    const CgDim *sx[CG_MAX_RANK], *sy[CG_MAX_RANK];
    bool joined = nb + 2 > CG_MAX_RANK; /* the axes of the batch as one */
    int lead = joined ? 1 : nb;
    for (int i = 0; i < lead; i++)
        sx[i] = sy[i] = joined ? product(&x, 0, nb) : x.dim[i];
    int xi = nb + (ta ? 0 : nr), xr = nb + (ta ? ni : 0), yc = nb + (tb ? 0 : ni);
    const CgDim *m = product(&x, xr, xr + nr), *n = product(&y, yc, yc + nc), *kk = product(&x, xi, xi + ni);
    sx[lead] = ta ? kk : m;
    sx[lead + 1] = ta ? m : kk;
    sy[lead] = tb ? n : kk;
    sy[lead + 1] = tb ? kk : n;
    CgRef rx = nr == 1 && ni == 1 && !joined ? x.ref : cg_reshape(b, x.ref, lead + 2, sx);
    CgRef ry = nc == 1 && ni == 1 && !joined ? y.ref : cg_reshape(b, y.ref, lead + 2, sy);
    cg_precision_of(e->model, cg_op_named("matmul"), 2, (CgRef[2]){ rx, ry });
    out.ref = cg_matmul(b, rx, ry, ta, tb);
    b->precision = CG_AS_SCOPE;
    if (nr != 1 || nc != 1 || joined)
        out.ref = cg_reshape(b, out.ref, out.n, out.dim);
    return out;
}

/* The axes that something other than terms i and j has: the result or another term. */
static int kept_by_others(const Term *term, int n, int i, int j, const Side *out, CgAtom *keep)
{
    int nkeep = 0;
    for (int k = 0; k < out->natoms; k++)
        keep[nkeep++] = out->name[k];
    for (int k = 0; k < n; k++)
        for (int a = 0; k != i && k != j && a < term[k].n; a++)
            if (axis_in(keep, nkeep, term[k].axis[a]) < 0)
                keep[nkeep++] = term[k].axis[a];
    return nkeep;
}

/* How many numbers are multiplied where two terms become one; sizes that are not known count as large. -1: the result
 * would have too many axes. */
static double contraction_cost(const Term *x, const Term *y, const CgAtom *keep, int nkeep)
{
    double cost = 1;
    int axes = 0;
    for (int k = 0; k < x->n + y->n; k++) {
        const Term *t = k < x->n ? x : y;
        int i = k < x->n ? k : k - x->n;
        int64_t size = 1000;
        if (t == y && axis_in(x->axis, x->n, y->axis[i]) >= 0)
            continue;
        cg_dim_is_int(t->dim[i], &size);
        cost *= (double)size;
        axes += axis_in(keep, nkeep, t->axis[i]) >= 0;
    }
    return axes > CG_MAX_RANK ? -1 : cost;
}

/* The elements at which the axes i and j > i of a term have one index: axis j goes. */
static void diagonal(CgBuild *b, Term *t, int i, int j)
{
    CgType type = cg_ref_type(b, t->ref);
    CgRef at[2];
    for (int k = 0; k < 2; k++) {
        CgAttr along[2] = { cg_a_type("type", cg_type(CG_I32, type.rank, type.dim)), cg_a_int("axis", k ? j : i) };
        at[k] = cg_build(b, "iota", 0, NULL, cg_attrs(2, along));
    }
    t->ref = cg_where(b, cg_b(b, "eq", at[0], at[1]), t->ref, cg_fill_like(b, t->ref, 0));
    t->ref = cg_sum(b, t->ref, 1, (const int64_t[1]){ j });
    drop_axis(t, j);
}

/* An operand and its pattern; an axis that is written twice is its diagonal. */
static bool term_of(CgElab *e, CgFrame *f, CgValue *x, const CgExpr *p, CgSpan at, Side *side, Term *term)
{
    if (!bind_side(e, f, p, x, at, side))
        return false;
    *term = (Term){ .ref = x->tensor->ref, .n = side->naxes };
    for (int k = 0; k < side->naxes; k++) {
        if (side->natoms != side->naxes || !side->name[k]) {
            cg_elab_error(e, CG_E0406, p->span, "in einsum every entry is one name; rearrange first");
            return false;
        }
        term->axis[k] = side->name[k];
        term->dim[k] = side->dim[k];
    }
    for (int k = side->naxes - 1; k > 0; k--) {
        int first = axis_in(term->axis, k, term->axis[k]);
        if (first >= 0)
            diagonal(&e->model->build, term, first, k);
    }
    return true;
}

/* All terms as one: the two whose product is the cheapest first, as long as there are two. */
static bool contract_all(CgElab *e, Term *term, int n, const Side *out, CgSpan at)
{
    CgBuild *b = &e->model->build;
    CgAtom *keep = CG_NEWN(e->arena, CgAtom, CG_MAX_RANK * n + MAX_ATOMS);
    for (int i = 0; i < n; i++)
        sum_unused(b, &term[i], keep, kept_by_others(term, n, i, i, out, keep));
    for (; n > 1; n--) {
        int best[2] = { -1, -1 };
        double least = 0;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                double cost = contraction_cost(&term[i], &term[j], keep, kept_by_others(term, n, i, j, out, keep));
                if (cost >= 0 && (best[0] < 0 || cost < least)) {
                    least = cost;
                    best[0] = i;
                    best[1] = j;
                }
            }
        if (best[0] < 0) {
            cg_elab_error(e, CG_E0406, at, "what is multiplied first would have more than %d axes", CG_MAX_RANK);
            return false;
        }
        int nkeep = kept_by_others(term, n, best[0], best[1], out, keep);
        term[best[0]] = contract(e, term[best[0]], term[best[1]], keep, nkeep);
        memmove(&term[best[1]], &term[best[1] + 1], sizeof *term * (size_t)(n - best[1] - 1));
    }
    return true;
}

CgValue *cg_einsum(CgElab *e, CgFrame *f, const CgExpr *call)
{
    const CgExpr *arrow = arrow_of(e, call, 2);
    if (!arrow)
        return cg_value_poison(e);
    int n = call->args.n / 2;
    const char *form = "einsum takes tensors, then as many patterns, the last one with -> and the result";
    if (call->args.n % 2) {
        cg_elab_error(e, CG_E0406, call->span, "%s", form);
        return cg_value_poison(e);
    }
    Side out, *side = CG_NEWN(e->arena, Side, n);
    const Side **sides = CG_NEWN(e->arena, const Side *, n);
    Term *term = CG_NEWN(e->arena, Term, n);
    e->model ? (void)(e->model->build.span = call->span) : (void)0;
    for (int i = 0; i < n; i++) {
        CgValue *x = cg_eval(e, f, call->args.at[i].value);
        if (cg_is_poison(x))
            return cg_define_patterns(e, f, call);
        const CgExpr *p = i == n - 1 ? arrow->a : call->args.at[n + i].value;
        CgSpan at = call->args.at[i].value->span;
        if (x->kind != CG_VALUE_TENSOR || p->kind != CG_EXPR_LIST) {
            cg_elab_error(e, CG_E0406, at, "%s", form);
            return cg_value_poison(e);
        }
        if (!term_of(e, f, x, p, at, &side[i], &term[i]))
            return cg_value_poison(e);
        sides[i] = &side[i];
    }
    if (!side_of(e, f, arrow->b, &out) || !check_target(e, &out, sides, n, arrow->b))
        return cg_value_poison(e);
    e->model->build.span = call->span;
    if (!contract_all(e, term, n, &out, call->span))
        return cg_value_poison(e);
    CgAtom order[CG_MAX_RANK];
    for (int i = 0; i < out.naxes; i++)
        order[i] = out.name[i];
    permute(&e->model->build, &term[0], order);
    return labelled(e, term[0].ref, &out, sides, n, call->span);
}
