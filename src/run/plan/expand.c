/* expand.c - writing out the ops that have no kernel.
 * Takes a graph; gives one in which every live node is a leaf, a view or has code for its dtype.
 * Must not change the graph it was given. */
#include <stdlib.h>
#include <string.h>
#include "graph/pass.h"
#include "run/plan/plan_inside.h"

#define MAX_ROUNDS 64 /* an expansion may use ops that are expanded in turn; deeper than this is a circle */

void cg_plan_live(const CgGraph *g, bool *live)
{
    memset(live, 0, g->nodes.len * sizeof *live);
    for (size_t i = 0; i < g->outputs.len; i++)
        live[g->outputs.at[i].ref] = true;
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++)
            live[cg_node(g, r)->in[i]] = true;
}

bool cg_plan_is_view(const CgNode *n) { return n->op->view || strcmp(n->op->name, "part") == 0; }

bool cg_plan_is_leaf(const CgNode *n) { return n->op->traits & CG_LEAF && n->nin == 0; }

static bool runs(const CgGraph *g, const CgNode *n)
{
    if (cg_plan_is_leaf(n) || cg_plan_is_view(n))
        return true;
    CgDtype dtype = n->nin > 0 ? cg_node_type(g, n->in[0])->dtype : n->type.dtype;
    return n->op->kernel[dtype] || n->op->vec[dtype];
}

/* One round: every node that does not run, replaced by its expansion. */
static CgGraph *expand_once(const CgGraph *g, const bool *live)
{
    size_t n = g->nodes.len;
    CgRef *map = cg_calloc(n, sizeof *map);
    CgRef(*results)[CG_MAX_OUT] = cg_calloc(n, sizeof *results); /* of nodes that were written out */
    bool *out = cg_calloc(n, sizeof *out);
    memset(map, 0xff, n * sizeof *map); /* CG_NONE */
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r < n; r++) {
        const CgNode *node = cg_node(g, r);
        if (!live[r] || map[r] != CG_NONE)
            continue;
        CgRef in[CG_MAX_IN];
        for (int i = 0; i < node->nin; i++)
            in[i] = map[node->in[i]];
        if (strcmp(node->op->name, "part") == 0 && out[node->in[0]]) {
            map[r] = results[node->in[0]][cg_attr_int(node->attrs, "k", 0)];
        } else if (runs(g, node)) {
            map[r] = cg_graph_copy(&b, g, r, in);
        } else {
            CgSite site = {
                .nin = node->nin, .nout = node->op->nout ? node->op->nout : 1, .in = in, .attrs = node->attrs
            };
            b.scope = node->scope;
            b.span = node->span;
            b.why = CG_NONE;
            b.clone = node->clone;
            b.precision = cg_node_precision(node);
            (node->op->lower ? node->op->lower : node->op->expand)(&b, &site, results[r]);
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

/* All dims of a type as numbers; false when one is none. */
static bool bind_type(CgType *t, CgBindings dims)
{
    int64_t n;
    for (int i = 0; i < t->rank; i++) {
        if (!cg_dim_eval(t->dim[i], dims, &n, NULL) || n < 0)
            return false;
        t->dim[i] = cg_dim_int(n);
    }
    return true;
}

static bool bind_attr(CgAttr *a, CgBindings dims)
{
    int64_t n;
    for (int i = 0; a->kind == CG_ATTR_DIMS && i < a->n; i++) {
        if (!cg_dim_eval(a->dims[i], dims, &n, NULL))
            return false;
        a->dims[i] = cg_dim_int(n);
    }
    return a->kind != CG_ATTR_TYPE || bind_type(&a->type, dims);
}

/* g with numbers for its symbols; NULL when a size is missing or senseless, which planning then says. */
static CgGraph *bind_graph(const CgGraph *g, CgBindings dims)
{
    size_t n = g->nodes.len;
    for (CgRef r = 0; r < n; r++) {
        for (int k = 0; k < cg_node_nout(cg_node(g, r)); k++) {
            CgType t = *cg_node_out_type(cg_node(g, r), k);
            if (!bind_type(&t, dims))
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
        b.why = node->why == CG_NONE || node->why == r ? CG_NONE : map[node->why];
        b.no_fold = true;
        for (int i = 0; i < node->nin; i++)
            in[i] = map[node->in[i]];
        for (int i = 0; i < nat && good; i++) {
            good = i < (int)CG_LEN(at);
            if (good) {
                at[i] = node->attrs->at[i];
                good = bind_attr(&at[i], dims);
            }
        }
        if (!good)
            break;
        size_t size = to->nodes.len;
        map[r] = strcmp(node->op->name, "part") == 0 ? cg_build_part(&b, in[0], (int)cg_attr_int(node->attrs, "k", 0))
                                                     : cg_build(&b, node->op->name, node->nin, in, cg_attrs(nat, at));
        for (; node->why != CG_NONE && size < to->nodes.len; size++)
            if (to->nodes.at[size].why == CG_NONE)
                to->nodes.at[size].why = (CgRef)size;
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
    bool *live = cg_calloc(g->nodes.len + 1, sizeof *live), any = false;
    cg_plan_live(g, live);
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
        bool *live = cg_calloc(g->nodes.len, sizeof *live);
        cg_plan_live(g, live);
        bool all = true;
        for (CgRef r = 0; r < g->nodes.len; r++) {
            const CgNode *n = cg_node(g, r);
            if (!live[r] || runs(g, n))
                continue;
            all = false;
            if (!n->op->expand && !n->op->lower) {
                CgDtype dtype = n->nin > 0 ? cg_node_type(g, n->in[0])->dtype : n->type.dtype;
                cg_err(e, CG_ERR_INPUT, "op '%s' cannot run on %s: it has neither a kernel for it nor an expansion",
                    n->op->name, cg_dtype_name(dtype));
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
