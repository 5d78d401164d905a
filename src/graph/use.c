/* use.c - which nodes are needed, who reads what, in whose memory a value lies.
 * Takes a graph; gives arrays by node. Must not change the graph, nor compare an op with a name. */
#include "graph/use.h"

#include <stdlib.h>

CgRef cg_node_result(const CgGraph *g, CgRef r, int *k)
{
    const CgNode *n = cg_node(g, r);
    *k = cg_node_is_result(n) ? (int)cg_attr_int(n->attrs, "k", 0) : 0;
    return cg_node_is_result(n) ? n->in[0] : r;
}

CgRef cg_node_base(const CgGraph *g, CgRef r, int *k)
{
    while (cg_node(g, r)->op->view)
        r = cg_node(g, r)->in[0];
    return cg_node_result(g, r, k);
}

bool cg_node_reads(const CgNode *user, int k, bool *through)
{
    *through = cg_node_is_view(user);
    return cg_node_is_result(user) ? cg_attr_int(user->attrs, "k", 0) == k : k == 0;
}

CgOpCode cg_op_code(const CgOp *op, CgDtype dtype)
{
    return (CgOpCode){ op->kernel[dtype], op->kernel[dtype] ? NULL : op->vec[dtype] };
}

CgDtype cg_node_dtype(const CgGraph *g, const CgNode *n)
{
    return n->nin > 0 && !(n->op->traits & CG_GENERATOR) ? cg_node_type(g, n->in[0])->dtype : n->type.dtype;
}

CgOpCode cg_node_code(const CgGraph *g, const CgNode *n) { return cg_op_code(n->op, cg_node_dtype(g, n)); }

bool *cg_graph_live(const CgGraph *g, CgRef root)
{
    bool *live = cg_calloc(g->nodes.len + 1, sizeof *live);
    if (root != CG_NONE)
        live[root] = true;
    for (size_t i = 0; root == CG_NONE && i < g->outputs.len; i++)
        live[g->outputs.at[i].ref] = true;
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++)
            live[cg_node(g, r)->in[i]] = true;
    return live;
}

uint32_t *cg_graph_uses(const CgGraph *g, CgRef root)
{
    uint32_t *uses = cg_calloc(g->nodes.len + 1, sizeof *uses);
    for (size_t i = 0; i < g->outputs.len; i++)
        uses[g->outputs.at[i].ref]++;
    if (root != CG_NONE)
        uses[root]++;
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        for (int i = 0; uses[r] && i < cg_node(g, r)->nin; i++)
            uses[cg_node(g, r)->in[i]]++;
    return uses;
}

/* first[] is counted two places ahead: filling in moves each begin to where the next one's was. */
void cg_users_init(CgUsers *u, const CgGraph *g, const bool *live, CgEdges more)
{
    size_t n = g->nodes.len, edges = more.n;
    *u = (CgUsers){ .g = g };
    u->first = cg_calloc(n + 2, sizeof *u->first);
    u->is_output = cg_calloc(n + 1, sizeof *u->is_output);
    for (size_t i = 0; i < more.n; i++)
        u->first[more.to[i] + 2]++;
    for (CgRef r = 0; r < n; r++)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++, edges++)
            u->first[cg_node(g, r)->in[i] + 2]++;
    for (size_t r = 2; r < n + 2; r++)
        u->first[r] += u->first[r - 1];
    u->of = cg_malloc((edges + 1) * sizeof *u->of);
    for (size_t i = 0; i < more.n; i++)
        u->of[u->first[more.to[i] + 1]++] = more.from[i];
    for (CgRef r = 0; r < n; r++)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++)
            u->of[u->first[cg_node(g, r)->in[i] + 1]++] = r;
    for (size_t i = 0; i < g->outputs.len; i++)
        u->is_output[g->outputs.at[i].ref] = true;
}

void cg_users_deinit(CgUsers *u)
{
    free(u->first);
    free(u->of);
    free(u->is_output);
    *u = (CgUsers){ 0 };
}
