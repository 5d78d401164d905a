/* rows.c - how the nodes of a graph depend on the rows of a batch.
 * Takes the ops' own word (`axis_rule`, traits, expansions); gives a kind for each node, from the leaves on. What
 * nothing is known of counts as looking across rows, so that a mistake can only be one of caution. */
#include "graph/rows.h"

#include <stdlib.h>

#include "graph/slice.h"
#include "graph/use.h"

static const CgRowUse mixed = { CG_ROWS_MIXED, 0 };

int cg_rows_axis(const CgType *t, const CgDim *batch)
{
    for (int i = 0; i < t->rank; i++)
        if (cg_dim_div(t->dim[i], batch))
            return i;
    return -1;
}

static bool has_batch(const CgType *t, const CgDim *batch) { return cg_rows_axis(t, batch) >= 0; }

/* Along an axis that grows, a repeated value is the same in every row, and a draw has rows of its own. */
static CgRowUse of_no_row(const CgGraph *g, CgRef r, const CgDim *batch)
{
    const CgNode *n = cg_node(g, r);
    double value;
    int axis = cg_rows_axis(&n->type, batch);
    if (axis < 0)
        return (CgRowUse){ CG_ROWS_NONE, 0 };
    bool drawn = n->op->traits & CG_RANDOM && cg_attr_int(n->attrs, "axis", -1) == axis;
    bool repeated = n->op->traits & CG_REPEATS || cg_node_const(g, r, &value);
    return repeated || drawn ? (CgRowUse){ CG_ROWS_EACH, axis } : mixed;
}

/* Whether operand k, whose rows are along `axis`, is added up over them. */
static bool adds_rows(const CgNode *n, int k, int axis)
{
    const CgAttr *axes = cg_attr_find(n->attrs, "axes");
    if (!(n->op->traits & CG_ADDS_UP) || k != 0 || !axes)
        return false;
    for (int i = 0; i < axes->n; i++)
        if (axes->ints[i] == axis)
            return true;
    return false;
}

/* A reshape keeps rows apart when it only merges inner axes into the row axis, or splits them from it. */
static bool reshapes_rows(const CgNode *n, int axis, const CgDim *batch)
{
    return n->op->traits & CG_RESHAPES && axis == 0 && n->type.rank > 0 && cg_dim_div(n->type.dim[0], batch);
}

static CgRowUse of_rows(const CgGraph *g, CgRef r, const CgRowUse *use, const CgDim *batch)
{
    const CgNode *n = cg_node(g, r);
    CgRowUse out = { CG_ROWS_NONE, -1 };
    for (int k = 0; k < n->nin; k++) {
        CgRowUse in = use[n->in[k]];
        if (in.kind == CG_ROWS_NONE)
            continue;
        if (adds_rows(n, k, in.axis))
            return (CgRowUse){ CG_ROWS_SUM, 0 };
        CgAxisTo to = { in.axis, NULL };
        if (reshapes_rows(n, in.axis, batch))
            to.axis = 0;
        else if (cg_slice_axis_rule(g, r, k, in.axis, &to) != CG_AXIS_POINTWISE || to.shift)
            return mixed;
        if (out.axis >= 0 && out.axis != to.axis)
            return mixed;
        out = (CgRowUse){ CG_ROWS_EACH, to.axis };
    }
    return out.axis < n->type.rank && cg_dim_div(n->type.dim[out.axis], batch) ? out : mixed;
}

static CgRowUse classify(const CgGraph *g, CgRef r, const CgRowUse *use, const CgDim *batch);

/* From the expansion of the op, over inputs that depend on rows as its operands do. */
static CgRowUse of_expansion(const CgGraph *g, CgRef r, const CgRowUse *use, const CgDim *batch)
{
    const CgNode *n = cg_node(g, r);
    CgGraph *meaning = cg_graph_new("meaning");
    CgBuild b = cg_build_at(meaning);
    CgRef in[CG_MAX_IN], out[CG_MAX_OUT];
    CgRowUse given[CG_MAX_IN], result = mixed;
    for (int k = 0; k < n->nin; k++) {
        in[k] = cg_graph_input(&b, (char[2]){ (char)('a' + k), 0 }, *cg_node_type(g, n->in[k]));
        given[k] = use[n->in[k]];
    }
    n->op->expand(&b, &(CgSite){ .nin = n->nin, .nout = n->nout, .in = in, .attrs = n->attrs }, out);
    CgRowUse *inner = cg_calloc(meaning->nodes.len + 1, sizeof *inner);
    for (CgRef i = 0; i < meaning->nodes.len; i++) {
        inner[i] = classify(meaning, i, inner, batch);
        for (int k = 0; k < n->nin; k++)
            if (in[k] == i)
                inner[i] = given[k];
    }
    result = inner[out[0]];
    free(inner);
    cg_graph_free(meaning);
    return result;
}

/* What two ways to the same value have in common: the same in every row is row by row, too. */
static CgRowUse join(CgRowUse a, CgRowUse b)
{
    if (a.kind == CG_ROWS_NONE)
        return b;
    if (b.kind == CG_ROWS_NONE || (a.kind == b.kind && (a.kind != CG_ROWS_EACH || a.axis == b.axis)))
        return a;
    return mixed;
}

/* Of a loop: by its body, over inputs that depend on rows as its operands do; a state as it began and as a turn leaves
 * it. Result k. */
static CgRowUse of_loop(const CgGraph *g, CgRef loop, int k, const CgRowUse *use, const CgDim *batch)
{
    const CgNode *n = cg_node(g, loop);
    const CgGraph *body = cg_attr_find(n->attrs, "body")->graph;
    int states = (int)cg_attr_int(n->attrs, "states", 0), turns = (int)cg_attr_int(n->attrs, "turns", 1);
    CgRowUse given[CG_MAX_IN], *inner = cg_calloc(body->nodes.len + 1, sizeof *inner), out;
    for (int i = 0; i < n->nin; i++) {
        given[i] = use[n->in[i]];
        if (i >= states && i < states + turns && given[i].kind == CG_ROWS_EACH && given[i].axis-- == 0)
            given[i] = mixed; /* turns are rows */
    }
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < n->nin; i++)
            inner[body->inputs.at[i]] = given[i];
        for (CgRef r = 0; r < body->nodes.len; r++)
            if (!(cg_node(body, r)->op->traits & CG_INPUT))
                inner[r] = classify(body, r, inner, batch);
        for (int i = 0; i < states; i++) {
            CgRowUse both = join(given[i], inner[body->outputs.at[i].ref]);
            again |= both.kind != given[i].kind || both.axis != given[i].axis;
            given[i] = both;
        }
    }
    out = k < states ? given[k] : inner[body->outputs.at[k].ref];
    out.axis += k >= states && out.kind == CG_ROWS_EACH;
    free(inner);
    return out;
}

static CgRowUse classify(const CgGraph *g, CgRef r, const CgRowUse *use, const CgDim *batch)
{
    int k;
    CgRef maker = cg_node_result(g, r, &k);
    if (cg_node(g, maker)->op->traits & CG_LOOP)
        return of_loop(g, maker, k, use, batch);
    const CgNode *n = cg_node(g, r);
    bool each = false, sums = false;
    for (k = 0; k < n->nin; k++) {
        CgRowKind kind = use[n->in[k]].kind;
        if (kind == CG_ROWS_MIXED)
            return mixed;
        each |= kind == CG_ROWS_EACH;
        sums |= kind == CG_ROWS_SUM || kind == CG_ROWS_OF_SUMS;
    }
    if (!each && !sums) {
        int axis = cg_rows_axis(&n->type, batch);
        return !n->nin && (n->op->traits & CG_LEAF) && axis >= 0 ? (CgRowUse){ CG_ROWS_EACH, axis }
                                                                 : of_no_row(g, r, batch);
    }
    if (!each)
        return has_batch(&n->type, batch) ? mixed : (CgRowUse){ CG_ROWS_OF_SUMS, 0 };
    if (sums)
        return mixed;
    CgRowUse out = of_rows(g, r, use, batch);
    bool silent = !n->op->axis_rule && !(n->op->traits & (CG_ELEMENTWISE | CG_LEAF)) && n->op->expand;
    return out.kind == CG_ROWS_MIXED && silent ? of_expansion(g, r, use, batch) : out;
}

CgRowUse *cg_rows_find(const CgGraph *g, const CgDim *batch, size_t n)
{
    CgRowUse *use = cg_calloc(n + 1, sizeof *use);
    for (CgRef r = 0; r < n; r++)
        use[r] = classify(g, r, use, batch);
    return use;
}

CgRef cg_rows_mixed(const CgGraph *g, const CgRowUse *use, CgRef root)
{
    CgRef at = root;
    if (use[at].kind != CG_ROWS_MIXED)
        return CG_NONE;
    for (bool deeper = true; deeper;) { /* to where the rows were mixed first */
        deeper = false;
        const CgNode *n = cg_node(g, at);
        for (int k = 0; k < n->nin && !deeper; k++)
            if (use[n->in[k]].kind == CG_ROWS_MIXED) {
                at = n->in[k];
                deeper = true;
            }
    }
    return at;
}
