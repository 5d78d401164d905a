/* fold.c - builds every node again through the builder.
 * Takes a graph; gives one in which each local rewrite (CgOp.fold) has seen the operands in their final form.
 * Must not rewrite anything by itself. */
#include "graph/pass.h"

CgGraph *cg_pass_fold(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, g, r, map);
    return cg_pass_end(g, to, map);
}

CG_PASS(
    fold, .order = 40, .summary = "rebuilds the graph so that local rewrites see its final form", .run = cg_pass_fold)
