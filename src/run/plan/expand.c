/* expand.c - writing out the ops that have no kernel.
 * Takes a graph; gives one in which every live node is a leaf, a view or has code for its dtype.
 * Must not change the graph it was given. */
#include <stdlib.h>
#include <string.h>
#include "graph/pass.h"
#include "run/plan/inside.h"

#define MAX_ROUNDS 64 /* an expansion may use ops that are expanded in turn; deeper than this is a circle */

static bool runs(const CgGraph *g, const CgNode *n)
{
    CgOpCode code = cg_node_code(g, n);
    return cg_node_is_leaf(n) || cg_node_is_view(n) || code.kernel || code.vec || n->op->traits & CG_LOOP;
}

/* The forward node of a derivative, in the new graph; CG_NONE where it is gone. */
static CgRef derives_from(const CgNode *n, CgRef r, const CgRef *map)
{
    return n->why == CG_NONE || n->why == r ? CG_NONE : map[n->why];
}

/* What a derivative became is a derivative, also where its forward node is gone. */
static void mark_derivatives(CgGraph *to, CgRef first, const CgNode *n)
{
    for (; n->why != CG_NONE && first < to->nodes.len; first++)
        if (to->nodes.at[first].why == CG_NONE)
            to->nodes.at[first].why = first;
}

/* One round: every node that does not run, replaced by its expansion. */
static CgGraph *expand_once(const CgGraph *g, const bool *live)
{
    size_t n = g->nodes.len;
    CgRef *map = cg_calloc(n, sizeof *map);
    CgRef(*results)[CG_MAX_OUT] = cg_calloc(n, sizeof *results); /* of nodes that were written out */
    bool *out = cg_calloc(n, sizeof *out);
    int k;
    memset(map, 0xff, n * sizeof *map); /* CG_NONE */
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.why_map = map;
    for (CgRef r = 0; r < n; r++) {
        const CgNode *node = cg_node(g, r);
        if (!live[r] || map[r] != CG_NONE)
            continue;
        CgRef in[CG_MAX_IN];
        for (int i = 0; i < node->nin; i++)
            in[i] = map[node->in[i]];
        CgRef maker = cg_node_result(g, r, &k);
        if (maker != r && out[maker]) {
            map[r] = results[maker][k];
        } else if (runs(g, node)) {
            map[r] = cg_graph_copy(&b, g, r, in);
        } else {
            CgSite site = { .nin = node->nin, .nout = node->nout, .in = in, .attrs = node->attrs };
            b.scope = node->scope;
            b.span = node->span;
            b.why = derives_from(node, r, map);
            b.clone = node->clone;
            b.precision = cg_node_precision(node);
            CgRef first = (CgRef)to->nodes.len;
            (node->op->lower ? node->op->lower : node->op->expand)(&b, &site, results[r]);
            mark_derivatives(to, first, node);
            out[r] = true;
            map[r] = results[r][0];
        }
    }
    for (size_t i = 0; i < g->outputs.len; i++)
        cg_graph_output(to, g->outputs.at[i].name, map[g->outputs.at[i].ref]);
    free(map);
    free(results);
    free(out);
    return to;
}

/* g with numbers for its symbols; NULL when a size is missing or invalid, which the planner reports. */
static CgGraph *bind_graph(const CgGraph *g, CgBindings dims)
{
    size_t n = g->nodes.len;
    const CgDim *wrong;
    for (CgRef r = 0; r < n; r++) {
        for (int k = 0; k < cg_node(g, r)->nout; k++) {
            CgType t = *cg_node_out_type(cg_node(g, r), k);
            if (!cg_bind_type(dims, &t, &wrong))
                return NULL;
        }
    }
    CgGraph *to = cg_graph_new(g->name);
    to->scopes.len = 0;
    for (size_t i = 0; i < g->scopes.len; i++)
        cg_vec_push(&to->scopes, g->scopes.at[i]);
    CgRef *map = cg_malloc((n + 1) * sizeof *map);
    bool good = true;
    for (CgRef r = 0; r < n && good; r++) {
        const CgNode *node = cg_node(g, r);
        CgBuild b = cg_build_at(to);
        CgRef in[CG_MAX_IN];
        CgAttr at[32];
        int nat = node->attrs ? node->attrs->n : 0;
        b.scope = node->scope;
        b.span = node->span;
        b.clone = node->clone;
        b.precision = cg_node_precision(node);
        b.why = derives_from(node, r, map);
        b.no_fold = true;
        for (int i = 0; i < node->nin; i++)
            in[i] = map[node->in[i]];
        for (int i = 0; i < nat && good; i++) {
            good = i < (int)CG_LEN(at);
            if (good) {
                at[i] = node->attrs->at[i];
                CgGraph *inner = at[i].kind == CG_ATTR_GRAPH ? bind_graph(at[i].graph, dims) : NULL;
                good = inner || (at[i].kind != CG_ATTR_GRAPH && cg_bind_attr(dims, &at[i], &wrong));
                if (inner)
                    at[i] = cg_a_graph(at[i].name, inner);
            }
        }
        if (!good)
            break;
        CgRef first = (CgRef)to->nodes.len;
        CgNode bound = *node;
        bound.attrs = cg_attrs(nat, at);
        map[r] = cg_build_like(&b, &bound, in);
        mark_derivatives(to, first, node);
    }
    for (size_t i = 0; good && i < g->outputs.len; i++)
        cg_graph_output(to, g->outputs.at[i].name, map[g->outputs.at[i].ref]);
    free(map);
    if (good)
        return to;
    cg_graph_free(to);
    return NULL;
}

/* Whether a live node runs by nodes that depend on the sizes. */
static bool is_lowered(const CgGraph *g)
{
    bool *live = cg_graph_live(g, CG_NONE), any = false;
    for (CgRef r = 0; r < g->nodes.len && !any; r++)
        any = live[r] && cg_node(g, r)->op->lower;
    free(live);
    return any;
}

const CgGraph *cg_plan_expand(const CgGraph *g, CgBindings dims, CgGraph **own, CgErr *e)
{
    *own = is_lowered(g) ? bind_graph(g, dims) : NULL;
    if (*own)
        g = *own;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        bool *live = cg_graph_live(g, CG_NONE);
        bool all = true;
        for (CgRef r = 0; r < g->nodes.len; r++) {
            const CgNode *n = cg_node(g, r);
            if (!live[r] || runs(g, n))
                continue;
            all = false;
            if (!n->op->expand && !n->op->lower) {
                cg_err(e, CG_ERR_INPUT, "op '%s' cannot run on %s: it has neither a kernel for it nor an expansion",
                    n->op->name, cg_dtype_name(cg_node_dtype(g, n)));
                free(live);
                cg_graph_free(*own);
                *own = NULL;
                return NULL;
            }
        }
        CgGraph *next = all ? NULL : expand_once(g, live);
        free(live);
        if (all)
            return g;
        if (*own)
            cg_graph_free(*own);
        *own = next;
        g = next;
    }
    CG_BUG("expansions that never end");
}
