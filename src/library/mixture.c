/* mixture.c - what the shares of a vocabulary add up to.
 * Takes a graph and a node; follows softmaxes over the last axis through convex mixtures: by w and 1 - w, by numbers,
 * by all slices of one softmax, by a softmax in a product or a sum. Where it cannot follow it says so. */
#include "library/mixture.h"

#include <math.h>
#include <string.h>

#include <cg/rules.h>

#include "graph/slice.h"

static bool is(const CgNode *n, const char *op) { return !strcmp(n->op->name, op); }

static bool lays_out(const CgNode *n) { return n->op->traits & (CG_REPEATS | CG_RESHAPES); }

/* Past what only repeats or lays out anew. */
static CgRef core_of(const CgGraph *g, CgRef r)
{
    while (lays_out(cg_node(g, r)))
        r = cg_node(g, r)->in[0];
    return r;
}

/* Whether both are repeated and laid out alike, so that what stood at one place still does. */
static bool laid_out_alike(const CgGraph *g, CgRef a, CgRef b)
{
    for (;;) {
        const CgNode *n = cg_node(g, a), *m = cg_node(g, b);
        if (!cg_type_equal(&n->type, &m->type))
            return false;
        if (!lays_out(n) || !lays_out(m))
            return !lays_out(n) && !lays_out(m);
        if (n->op != m->op || n->attrs != m->attrs)
            return false;
        a = n->in[0];
        b = m->in[0];
    }
}

/* The input of a node that lays it out anew, but not its last axis. */
static bool keeps_last(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    const CgType *in = n->op->traits & CG_RESHAPES ? cg_node_type(g, n->in[0]) : NULL;
    return in && in->rank && n->type.rank && in->dim[in->rank - 1] == n->type.dim[n->type.rank - 1];
}

static CgRef past_layout(const CgGraph *g, CgRef r)
{
    while (keeps_last(g, r))
        r = cg_node(g, r)->in[0];
    return r;
}

/* One number for all of the vocabulary: what is repeated along the last axis. */
static bool same_for_all(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    double value;
    if (cg_node_const(g, r, &value))
        return true;
    const CgAttr *axes = n->op->traits & CG_REPEATS ? cg_attr_find(n->attrs, "axes") : NULL;
    return axes && axes->n && axes->ints[axes->n - 1] < 0;
}

/* 1 - a, of which a is given. */
static bool is_rest(const CgGraph *g, CgRef rest, CgRef a)
{
    const CgNode *n = cg_node(g, core_of(g, rest));
    double one;
    return is(n, "sub") && cg_node_const(g, n->in[0], &one) && one == 1 && core_of(g, n->in[1]) == core_of(g, a);
}

/* From 0 to 1, whatever it is made of. */
static bool is_part(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r = core_of(g, r));
    double value;
    if (cg_node_const(g, r, &value))
        return value >= 0 && value <= 1;
    if (is(n, "mul"))
        return is_part(g, n->in[0]) && is_part(g, n->in[1]);
    if (is(n, "sub"))
        return cg_node_const(g, n->in[0], &value) && value == 1 && is_part(g, n->in[1]);
    return is(n, "sigmoid") || is(n, "softmax");
}

static int softmax_axis(const CgNode *n)
{
    return is(n, "softmax") ? (int)(cg_attr_int(n->attrs, "axis", -1) + n->type.rank) % n->type.rank : -1;
}

static bool over_last(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    return n->type.rank && softmax_axis(n) == n->type.rank - 1;
}

/* The only axis that a node sums over; -1: it is no such sum. */
static int summed_axis(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    const CgAttr *axes = is(n, "sum") ? cg_attr_find(n->attrs, "axes") : NULL;
    int rank = axes ? cg_node_type(g, n->in[0])->rank : 0;
    return axes && axes->n == 1 ? (int)(axes->ints[0] + rank) % rank : -1;
}

/* exp(y) by its own sum over the vocabulary, a softmax that is written out. */
static bool by_own_sum(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    if (!is(n, "div") || !is(cg_node(g, n->in[0]), "exp") || !same_for_all(g, n->in[1]))
        return false;
    CgRef sum = core_of(g, n->in[1]);
    return summed_axis(g, sum) == n->type.rank - 1 && cg_node(g, sum)->in[0] == n->in[0];
}

/* ---- mixtures ----------------------------------------------------------------------------------------- */

/* A number times something times what it is weighted by. */
typedef struct Term {
    double factor;
    CgRef of, by; /* by CG_NONE: nothing */
    bool counted;
} Term;

/* Whether a node is a product of that kind, or a quotient by a number; else it is 1 times itself. */
static bool weighted(const CgGraph *g, CgRef r, Term *t)
{
    const CgNode *n = cg_node(g, r);
    double value;
    *t = (Term){ 1, r, CG_NONE, false };
    if (is(n, "div") && cg_node_const(g, core_of(g, n->in[1]), &value)) {
        *t = (Term){ 1 / value, n->in[0], CG_NONE, false };
        return true;
    }
    for (int k = 0; is(n, "mul") && k < 2; k++)
        if (same_for_all(g, n->in[k])) {
            bool number = cg_node_const(g, core_of(g, n->in[k]), &value);
            *t = (Term){ number ? value : 1, n->in[1 - k], number ? CG_NONE : n->in[k], false };
            return true;
        }
    return false;
}

enum { MOST = 64 };

/* What a sum consists of; false: of too much. */
static bool collect(const CgGraph *g, CgRef r, Term *terms, int *n)
{
    if (is(cg_node(g, r), "add"))
        return collect(g, cg_node(g, r)->in[0], terms, n) && collect(g, cg_node(g, r)->in[1], terms, n);
    if (*n == MOST)
        return false;
    weighted(g, r, &terms[(*n)++]);
    return true;
}

/* The softmax of which a weight is element *at; CG_NONE: it is of none. */
static CgRef element_of(const CgGraph *g, CgRef weight, int64_t *at)
{
    const CgNode *n = cg_node(g, core_of(g, weight));
    int64_t to = -1;
    if (!is(n, "slice") || !over_last(g, n->in[0]) || cg_attr_int(n->attrs, "axis", -1) != n->type.rank - 1)
        return CG_NONE;
    bool known = cg_dim_is_int(cg_attr_dim(n->attrs, "from"), at) && cg_dim_is_int(cg_attr_dim(n->attrs, "to"), &to);
    return known && to == *at + 1 ? n->in[0] : CG_NONE;
}

/* What is weighted by all elements of the softmax that terms[i] is weighted by one of. */
static double by_elements(const CgGraph *g, Term *terms, int n, int i)
{
    int64_t at, size = -1, found = 0;
    CgRef softmax = element_of(g, terms[i].by, &at), first = terms[i].by;
    bool there[MOST] = { false };
    double total = cg_mixture_total(g, terms[i].of);
    const CgType *type = cg_node_type(g, softmax);
    cg_dim_is_int(type->dim[type->rank - 1], &size);
    for (int k = i; k < n; k++) {
        if (terms[k].counted || terms[k].by == CG_NONE || element_of(g, terms[k].by, &at) != softmax)
            continue;
        if (at < 0 || at >= MOST || there[at] || !laid_out_alike(g, first, terms[k].by)
            || !(fabs(cg_mixture_total(g, terms[k].of) - total) <= 1e-6))
            return NAN;
        there[at] = terms[k].counted = true;
        found++;
    }
    return found == size ? total : NAN;
}

/* What terms[i] and the one that is weighted by the rest of its weight give. */
static double with_rest(const CgGraph *g, Term *terms, int n, int i)
{
    for (int k = i + 1; k < n; k++) {
        CgRef a = terms[i].by, b = terms[k].by;
        if (terms[k].counted || b == CG_NONE
            || !((is_rest(g, b, a) && is_part(g, a)) || (is_rest(g, a, b) && is_part(g, b))))
            continue;
        double total = cg_mixture_total(g, terms[i].of);
        terms[k].counted = true;
        return fabs(cg_mixture_total(g, terms[k].of) - total) <= 1e-6 ? total : NAN;
    }
    return NAN;
}

static double sum_of(const CgGraph *g, CgRef r)
{
    Term terms[MOST];
    int n = 0;
    double sum = 0;
    int64_t at;
    if (!collect(g, r, terms, &n))
        return NAN;
    for (int i = 0; i < n; i++) {
        const Term *t = &terms[i];
        if (t->counted)
            continue;
        if (t->by == CG_NONE)
            sum += t->factor >= 0 ? t->factor * cg_mixture_total(g, t->of) : NAN;
        else
            sum += element_of(g, t->by, &at) != CG_NONE ? by_elements(g, terms, n, i) : with_rest(g, terms, n, i);
    }
    return sum;
}

/* A product of weights, a softmax over what is summed, and shares: einsum(w, p, [B, T, M], [B, T, M, V] -> [B, T, V]).
 */
static double product(const CgGraph *g, const CgNode *n)
{
    bool plain = !cg_attr_int(n->attrs, "ta", 0) && !cg_attr_int(n->attrs, "tb", 0);
    return plain && over_last(g, past_layout(g, n->in[0])) ? cg_mixture_total(g, n->in[1]) : NAN;
}

/* A sum over another axis than the vocabulary's, of shares or of such by a softmax over that axis. */
static double summed(const CgGraph *g, CgRef x, int axis)
{
    const CgType *type = cg_node_type(g, x);
    int64_t count;
    Term t;
    if (axis < 0 || axis == type->rank - 1)
        return NAN;
    if (!weighted(g, x, &t) || t.by == CG_NONE)
        return cg_dim_is_int(type->dim[axis], &count) ? (double)count * cg_mixture_total(g, x) : NAN;
    const CgNode *by = cg_node(g, t.by);
    int64_t of = cg_attr_find(by->attrs, "axes")->ints[axis];
    return of >= 0 && softmax_axis(cg_node(g, by->in[0])) == of ? cg_mixture_total(g, t.of) : NAN;
}

double cg_mixture_total(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    Term t;
    if (over_last(g, r) || by_own_sum(g, r))
        return 1;
    if (is(n, "add") || weighted(g, r, &t))
        return sum_of(g, r);
    if (keeps_last(g, r))
        return cg_mixture_total(g, n->in[0]);
    return is(n, "matmul") ? product(g, n) : is(n, "sum") ? summed(g, n->in[0], summed_axis(g, r)) : NAN;
}

/* ---- what is made of shares --------------------------------------------------------------------------- */

/* Along `axis`, which is the vocabulary's; `plain`: by nothing but elementwise ops, where exp and sigmoid make shares,
 * too. */
static bool within(const CgGraph *g, CgRef r, int axis, bool plain)
{
    const CgNode *n = cg_node(g, r);
    if (softmax_axis(n) == axis || (plain && (is(n, "exp") || is(n, "sigmoid"))))
        return true;
    bool shapes = is(n, "slice") || is(n, "concat");
    if (n->op->traits & CG_RESHAPES)
        return keeps_last(g, r) && axis == n->type.rank - 1
            && within(g, n->in[0], cg_node_type(g, n->in[0])->rank - 1, plain);
    for (int k = 0; k < n->nin; k++)
        for (int a = 0; a < cg_node_type(g, n->in[k])->rank && !same_for_all(g, n->in[k]); a++) {
            CgAxisTo to = { a, NULL };
            bool same =
                shapes ? a == axis : cg_slice_axis_rule(g, r, k, a, &to) == CG_AXIS_POINTWISE && to.axis == axis;
            if (same && within(g, n->in[k], a, plain && (shapes || n->op->traits & CG_ELEMENTWISE)))
                return true;
        }
    return false;
}

bool cg_mixture_within(const CgGraph *g, CgRef r) { return within(g, r, cg_node_type(g, r)->rank - 1, true); }
