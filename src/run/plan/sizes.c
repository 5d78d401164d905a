/* sizes.c - whether a graph's sizes are possible ones, now that they are numbers.
 * Takes a graph and numbers for its symbols; gives the first node whose shape rule refuses them, such as a slice that
 * ends behind its axis. What was checked on symbols alone is not known to be inside. Must not plan. */
#include <stdlib.h>

#include "run/plan/inside.h"

static bool all_numbers(const CgAttrs *attrs)
{
    int64_t n;
    for (int i = 0; attrs && i < attrs->n; i++)
        for (int k = 0; attrs->at[i].kind == CG_ATTR_DIMS && k < attrs->at[i].n; k++)
            if (!cg_dim_is_int(attrs->at[i].dims[k], &n))
                return false;
    return true;
}

/* True also where a symbol has no number: that is said where it is needed. */
static bool fits(const CgGraph *g, CgRef r, CgBindings dims, CgInfer *inf)
{
    const CgNode *n = cg_node(g, r);
    const CgDim *wrong;
    CgType in[CG_MAX_IN];
    CgAttr at[CG_MAX_IN];
    if (!n->op->shape || n->nin > CG_MAX_IN || n->attrs->n > CG_MAX_IN)
        return true;
    for (int i = 0; i < n->nin; i++) {
        in[i] = *cg_node_type(g, n->in[i]);
        if (!cg_bind_type(dims, &in[i], &wrong))
            return true;
    }
    for (int i = 0; i < n->attrs->n; i++) {
        at[i] = n->attrs->at[i];
        if (at[i].kind == CG_ATTR_GRAPH || !cg_bind_attr(dims, &at[i], &wrong))
            return true;
    }
    *inf = (CgInfer){ .op = n->op, .nin = n->nin, .in = in, .attrs = cg_attrs(n->attrs->n, at), .nout = n->nout };
    bool good = n->op->shape(inf);
    inf->in = NULL;
    return good;
}

bool cg_plan_check_sizes(const CgGraph *g, CgBindings dims, const CgSources *sources, CgErr *e)
{
    bool *live = cg_graph_live(g, CG_NONE), good = true;
    for (CgRef r = 0; r < g->nodes.len && good; r++) {
        CgInfer inf;
        char where[160];
        if (!live[r] || all_numbers(cg_node(g, r)->attrs) || fits(g, r, dims, &inf))
            continue;
        cg_plan_where(sources, cg_node(g, r)->span, where);
        good =
            cg_err(e, CG_ERR_INPUT, "%s: %s%s%s", cg_node(g, r)->op->name, inf.message, *where ? ", at " : "", where);
        cg_err_hint(e, "the sizes that are given now are too large or too small for it");
    }
    free(live);
    return good;
}
