/* rule.c - graphs as attributes: a derivative that somebody wrote is the text of a graph.
 * Takes a text; gives whether it fits, and its nodes in another graph. Must not keep anything: equal texts are equal
 * rules. */
#include <stdlib.h>

#include "graph/text.h"

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

bool cg_infer_text(CgInfer *inf, const char *text, int nin, const CgType *in, int nout, const CgType *out)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        return cg_infer_fail(inf, -1, -1, "the rule is no graph: %s", e.text);
    bool fits = (int)g->inputs.len == nin && (int)g->outputs.len == nout && !g->params.len;
    if (!fits)
        cg_infer_fail(inf, -1, -1, "the rule has %zu inputs and %zu results, not %d and %d",
            g->inputs.len + g->params.len, g->outputs.len, nin, nout);
    for (int i = 0; fits && i < nin; i++) {
        const CgType *t = cg_node_type(g, g->inputs.at[i]);
        fits = cg_type_equal(t, &in[i]) || misfit(inf, "an input", t, &in[i]);
    }
    for (int i = 0; fits && i < nout; i++) {
        const CgType *t = cg_node_type(g, g->outputs.at[i].ref);
        fits = cg_type_equal(t, &out[i]) || misfit(inf, "a result", t, &out[i]);
    }
    cg_graph_free(g);
    return fits;
}

void cg_build_text(CgBuild *b, const char *text, int nin, const CgRef *in, CgRef *out)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g || (int)g->inputs.len != nin)
        CG_BUG("a rule that was never looked at: %s", e.text);
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
    cg_graph_free(g);
}
