/* dce.c - drops nodes that no output needs, and results that no node does.
 * Takes a graph; gives its live part, in the same order, inputs and params kept. An op that can do with fewer results
 * (CgOp.prune) makes those alone that are used, of the operands that these need. Must not rewrite what it keeps
 * otherwise. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/use.h"

typedef struct Liveness {
    const CgGraph *g;
    CgSelection *used; /* by node: its results that are */
    CgPruned **fewer;  /* by node: what is left of it; NULL: all of it, or nothing */
} Liveness;

static void use(Liveness *l, CgRef r)
{
    int k;
    CgRef maker = cg_node_result(l->g, r, &k);
    cg_select(&l->used[maker], k, true);
    cg_select(&l->used[r], 0, true);
}

static bool is_live(const Liveness *l, CgRef r)
{
    uint64_t any = 0;
    for (size_t i = 0; i < CG_LEN(l->used[r].bits); i++)
        any |= l->used[r].bits[i];
    return any != 0;
}

static void find_live(Liveness *l)
{
    const CgGraph *g = l->g;
    for (size_t i = 0; i < g->outputs.len; i++)
        use(l, g->outputs.at[i].ref);
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;) {
        const CgNode *n = cg_node(g, r);
        if (!is_live(l, r) || cg_node_is_result(n))
            continue;
        CgSite site = { .nin = n->nin, .nout = n->nout, .in = n->in, .attrs = n->attrs };
        CgPruned less;
        if (n->op->prune && n->op->prune(&site, &l->used[r], &less)) {
            l->fewer[r] = cg_malloc(sizeof less);
            *l->fewer[r] = less;
        }
        for (int i = 0; i < n->nin; i++)
            if (!l->fewer[r] || cg_selected(&less.in, i))
                use(l, n->in[i]);
    }
}

/* The node with fewer results, standing where it stands. */
static CgRef copy_less(CgBuild *b, const Liveness *l, CgRef r, const CgRef *map)
{
    const CgPruned *less = l->fewer[r];
    CgNode n = *cg_node(l->g, r);
    CgRef in[CG_MAX_IN];
    int nin = 0;
    for (int i = 0; i < n.nin; i++)
        if (cg_selected(&less->in, i))
            in[nin++] = map[n.in[i]];
    CgBuild at = *b;
    at.scope = n.scope;
    at.span = n.span;
    at.clone = n.clone;
    at.precision = cg_node_precision(&n);
    at.why = n.why == CG_NONE || n.why == r ? CG_NONE : map[n.why];
    CgRef made = cg_build(&at, n.op->name, nin, in, less->attrs);
    if (n.why != CG_NONE && b->graph->nodes.at[made].why == CG_NONE)
        b->graph->nodes.at[made].why = made;
    return made;
}

static int selected_before(const CgSelection *s, int k)
{
    int n = 0;
    for (int i = 0; i < k; i++)
        n += cg_selected(s, i);
    return n;
}

CgGraph *cg_pass_dce(const CgGraph *g)
{
    size_t size = g->nodes.len + 1;
    CgRef *map = cg_malloc(sizeof *map * size), *made = cg_calloc(size, sizeof *made);
    Liveness l = { g, cg_calloc(size, sizeof *l.used), cg_calloc(size, sizeof *l.fewer) };
    find_live(&l);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        int k;
        CgRef maker = cg_node_result(g, r, &k);
        if (!is_live(&l, r) || map[r] != CG_NONE)
            continue;
        if (l.fewer[r])
            made[r] = copy_less(&b, &l, r, map);
        if (!l.fewer[maker])
            map[r] = cg_pass_copy(&b, g, r, map);
        else if (cg_selected(&l.used[maker], k))
            map[r] = cg_build_result(&b, made[maker], selected_before(&l.fewer[maker]->out, k));
    }
    for (size_t i = 0; i < size; i++)
        free(l.fewer[i]);
    free(l.fewer);
    free(l.used);
    free(made);
    return cg_pass_end(g, to, map);
}

CG_PASS(dce, .order = 50, .summary = "drops nodes that no output needs", .run = cg_pass_dce)
