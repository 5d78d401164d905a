/* recompute.c - values of a marked region are evaluated again where its derivative needs them.
 * Takes a graph with derivative nodes; gives one in which those of a region use second copies (CgNode.clone) of the
 * region's forward nodes, computed from the region's inputs just before they are first used. What the forward side
 * uses stays as it is. Must not change any value.
 * Chen, Xu, Zhang, Guestrin, "Training deep nets with sublinear memory cost", 2016. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/use.h"

typedef struct Pass {
    const CgGraph *g;
    CgBuild b;
    CgRef *map, *again;
} Pass;

static int region_of(const CgGraph *g, CgRef r) { return g->scopes.at[cg_node(g, r)->scope].recompute; }

/* A forward node of the region that costs something to keep. */
static bool is_inside(const CgGraph *g, CgRef r, int region)
{
    const CgNode *n = cg_node(g, r);
    return region_of(g, r) == region && n->why == CG_NONE && n->nin > 0 && !n->clone;
}

/* The second copy of forward node r, made with all it needs on first use; deepest first, without recursion, because a
 * region may be a whole model. */
static CgRef again(Pass *p, CgRef r, int region)
{
    if (!is_inside(p->g, r, region))
        return p->map[r];
    if (p->again[r] != CG_NONE)
        return p->again[r];
    CG_VEC(CgRef) todo = { 0 };
    cg_vec_push(&todo, r);
    while (todo.len) {
        CgRef top = todo.at[todo.len - 1], in[CG_MAX_IN];
        const CgNode *n = cg_node(p->g, top);
        size_t waiting = todo.len;
        for (int i = 0; i < n->nin; i++) {
            bool inside = is_inside(p->g, n->in[i], region);
            if (inside && p->again[n->in[i]] == CG_NONE)
                cg_vec_push(&todo, n->in[i]);
            in[i] = inside ? p->again[n->in[i]] : p->map[n->in[i]];
        }
        if (todo.len > waiting)
            continue;
        p->b.clone = region;
        p->again[top] = cg_graph_copy(&p->b, p->g, top, in);
        p->b.clone = 0;
        todo.len--;
    }
    cg_vec_free(&todo);
    return p->again[r];
}

static CgRef copy(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    int region = region_of(p->g, r);
    CgRef in[CG_MAX_IN];
    if (n->why == CG_NONE || !region)
        return cg_pass_copy(&p->b, p->g, r, p->map);
    for (int i = 0; i < n->nin; i++)
        in[i] = again(p, n->in[i], region);
    p->b.why_map = p->map;
    return cg_graph_copy(&p->b, p->g, r, in);
}

CgGraph *cg_pass_recompute(const CgGraph *g)
{
    Pass p = { .g = g };
    p.map = cg_malloc(sizeof *p.map * (g->nodes.len + 1));
    p.again = cg_malloc(sizeof *p.again * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, p.map);
    bool *live = cg_graph_live(g, CG_NONE);
    p.b = cg_build_at(to);
    p.b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        p.again[r] = CG_NONE;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r] && p.map[r] == CG_NONE)
            p.map[r] = copy(&p, r);
    free(live);
    free(p.again);
    return cg_pass_end(g, to, p.map);
}

CG_PASS(recompute, .order = 30, .summary = "evaluates marked regions a second time where the derivative needs them",
    .run = cg_pass_recompute)
