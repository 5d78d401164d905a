/* subgraph.c - graphs as attributes of nodes.
 * Takes a graph; gives an attribute that holds it, whether it fits, and its nodes in another graph. Equal graphs are
 * one, process wide, and live as long as the process. Must not change one. */
#include <pthread.h>
#include <stdlib.h>

#include "graph/text.h"
#include "graph/use.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CgMap interned; /* text (CgAtom) -> the graph */

CgAttr cg_a_graph(const char *name, CgGraph *g)
{
    CgAttr a = { .name = name, .kind = CG_ATTR_GRAPH };
    CgStrbuf text = { 0 };
    uint64_t found;
    cg_graph_print(g, NULL, &text);
    a.s = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    pthread_mutex_lock(&lock);
    if (cg_map_get(&interned, cg_map_ptr(a.s), &found)) {
        cg_graph_free(g);
        a.graph = (const CgGraph *)(uintptr_t)found;
    } else {
        cg_map_put(&interned, cg_map_ptr(a.s), cg_map_ptr(g));
        a.graph = g;
    }
    pthread_mutex_unlock(&lock);
    return a;
}

static bool misfit(CgInfer *inf, const char *what, const CgType *have, const CgType *want)
{
    CgStrbuf a = { 0 }, b = { 0 };
    cg_type_print(have, &a);
    cg_type_print(want, &b);
    cg_infer_fail(inf, -1, -1, "%s of the rule is %s, not %s", what, cg_strbuf_str(&a), cg_strbuf_str(&b));
    cg_strbuf_deinit(&a);
    cg_strbuf_deinit(&b);
    return false;
}

bool cg_infer_graph(CgInfer *inf, const CgAttr *a, int nin, const CgType *in, int nout, const CgType *out)
{
    if (!a || a->kind != CG_ATTR_GRAPH)
        return cg_infer_fail(inf, -1, -1, "the rule is no graph");
    const CgGraph *g = a->graph;
    if ((int)g->inputs.len != nin || (int)g->outputs.len != nout || g->params.len)
        return cg_infer_fail(inf, -1, -1, "the rule has %zu inputs and %zu results, not %d and %d",
            g->inputs.len + g->params.len, g->outputs.len, nin, nout);
    for (int i = 0; i < nin; i++) {
        const CgType *t = cg_node_type(g, g->inputs.at[i]);
        if (!cg_type_equal(t, &in[i]))
            return misfit(inf, "an input", t, &in[i]);
    }
    for (int i = 0; i < nout; i++) {
        const CgType *t = cg_node_type(g, g->outputs.at[i].ref);
        if (!cg_type_equal(t, &out[i]))
            return misfit(inf, "a result", t, &out[i]);
    }
    return true;
}

void cg_build_graph(CgBuild *b, const CgAttr *a, int nin, const CgRef *in, CgRef *out)
{
    const CgGraph *g = a ? a->graph : NULL;
    if (!g || (int)g->inputs.len != nin)
        CG_BUG("a rule that no shape rule has looked at");
    const CgPrecision saved = b->precision;
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    for (size_t i = 0; i < g->nodes.len; i++)
        map[i] = CG_NONE;
    for (int i = 0; i < nin; i++)
        map[g->inputs.at[i]] = in[i];
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        CgRef operand[CG_MAX_IN];
        if (map[r] != CG_NONE)
            continue;
        for (int i = 0; i < n->nin; i++)
            operand[i] = map[n->in[i]];
        b->precision = cg_node_precision(n);
        map[r] = cg_build_like(b, n, operand);
    }
    b->precision = saved;
    for (size_t i = 0; i < g->outputs.len; i++)
        out[i] = map[g->outputs.at[i].ref];
    free(map);
}
