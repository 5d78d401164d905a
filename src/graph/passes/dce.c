/* dce.c - drops nodes that no output needs.
 * Takes a graph; gives its live part, in the same order, inputs and params kept. Must not rewrite what it keeps. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/use.h"

CgGraph *cg_pass_dce(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    bool *live = cg_graph_live(g, CG_NONE);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r] && map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, g, r, map);
    free(live);
    return cg_pass_end(g, to, map);
}

CG_PASS(dce, .order = 50, .summary = "drops nodes that no output needs", .run = cg_pass_dce)
