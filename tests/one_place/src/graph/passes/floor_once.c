/* floor_once.c - the floor of a floor is itself.
 * Takes a graph; gives one without the second of two such nodes. */
#include "graph/pass.h"
#include "graph/registry.h"

static CgGraph *floor_once(const CgGraph *g)
{
    const CgOp *floor = cg_op_find("floor");
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = &g->nodes.at[r];
        if (map[r] != CG_NONE)
            continue;
        bool twice = n->op == floor && g->nodes.at[n->in[0]].op == floor;
        map[r] = twice ? map[n->in[0]] : cg_pass_copy(&b, g, r, map);
    }
    return cg_pass_end(g, to, map);
}

CG_PASS(floor_once, .order = 41, .summary = "the floor of a floor is itself", .run = floor_once)
