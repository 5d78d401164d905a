/* pass.c - what passes share.
 * Takes a graph; gives one that holds its leaves, copies of its nodes, its outputs. Must not rewrite anything itself.
 */
#include "graph/pass.h"

#include <stdlib.h>

CgGraph *cg_pass_begin(const CgGraph *g, CgRef *map)
{
    CgGraph *to = cg_graph_new(g->name);
    to->scopes.len = 0;
    for (size_t i = 0; i < g->scopes.len; i++) {
        cg_vec_push(&to->scopes, g->scopes.at[i]);
        to->scopes.at[i].args = NULL, to->scopes.at[i].nargs = 0;
    }
    for (size_t i = 0; i < g->nodes.len; i++)
        map[i] = CG_NONE;
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        if (n->op->traits & (CG_INPUT | CG_PARAM))
            map[r] = cg_graph_copy(&b, g, r, NULL);
    }
    return to;
}

CgRef cg_pass_copy(CgBuild *b, const CgGraph *g, CgRef r, const CgRef *map)
{
    const CgNode *n = cg_node(g, r);
    CgRef in[CG_MAX_IN];
    for (int i = 0; i < n->nin; i++)
        in[i] = map[n->in[i]];
    b->why_map = map;
    return cg_graph_copy(b, g, r, in);
}

CgGraph *cg_pass_end(const CgGraph *g, CgGraph *to, CgRef *map)
{
    for (size_t i = 0; i < g->outputs.len; i++)
        cg_graph_output(to, g->outputs.at[i].name, map[g->outputs.at[i].ref]);
    free(map);
    return to;
}
