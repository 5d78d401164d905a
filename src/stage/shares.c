/* shares.c - a loss over a batch that is computed share by share.
 * Takes the graph of a loss; gives graphs of its sums and of the loss as a function of their totals. With L = f(S1,
 * ..), each S a sum over rows, the gradient of L is the sum over shares of that of (dL/dS1) S1 + .., where dL/dS is
 * taken at the totals. Runs nothing. */
#include "stage/shares.h"

#include <stdlib.h>

#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/rows.h"
#include "graph/use.h"

/* The sums that `root` is made of, from the loss back: what lies below a sum is nobody's business. */
static CgRef find_sums(CgShares *s, const CgGraph *g, const CgRowUse *use, CgRef root)
{
    bool *seen = cg_calloc((size_t)root + 1, sizeof *seen);
    CgRef mixed = CG_NONE;
    seen[root] = true;
    for (CgRef r = root + 1; r-- > 0 && mixed == CG_NONE;) {
        if (!seen[r] || use[r].kind == CG_ROWS_NONE)
            continue;
        if (use[r].kind == CG_ROWS_SUM) {
            s->sum[s->n++] = r;
            continue;
        }
        if (use[r].kind != CG_ROWS_OF_SUMS)
            mixed = use[r].kind == CG_ROWS_MIXED ? cg_rows_mixed(g, use, r) : r;
        for (int k = 0; k < cg_node(g, r)->nin; k++)
            seen[cg_node(g, r)->in[k]] = true;
    }
    free(seen);
    return mixed;
}

/* Copies what `root` needs of `from` where map[] has nothing yet; gives root there. */
static CgRef copy_below(CgBuild *b, const CgGraph *from, CgRef root, CgRef *map)
{
    bool *needed = cg_calloc((size_t)root + 1, sizeof *needed);
    needed[root] = true;
    for (CgRef r = root + 1; r-- > 0;)
        for (int k = 0; needed[r] && map[r] == CG_NONE && k < cg_node(from, r)->nin; k++)
            needed[cg_node(from, r)->in[k]] = true;
    for (CgRef r = 0; r <= root; r++)
        if (needed[r] && map[r] == CG_NONE)
            map[r] = cg_pass_copy(b, from, r, map);
    free(needed);
    return map[root];
}

static CgRef *map_new(size_t n)
{
    CgRef *map = cg_malloc((n + 1) * sizeof *map);
    for (size_t i = 0; i < n; i++)
        map[i] = CG_NONE;
    return map;
}

static CgRef total_input(CgBuild *b, const CgGraph *g, const CgShares *s, int i)
{
    return cg_graph_input(b, cg_intern_printf("total.%d", i), *cg_node_type(g, s->sum[i]));
}

/* A graph with the inputs and parameters of g, whose outputs are the sums, or those that are wanted before. */
static CgGraph *graph_of_sums(const CgGraph *g, const CgShares *s, bool wanted)
{
    CgRef *map = map_new(g->nodes.len);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (int i = 0; i < s->n; i++)
        if (!wanted || s->wanted[i])
            cg_graph_output(to, cg_intern_printf("total.%d", i), copy_below(&b, g, s->sum[i], map));
    free(map);
    CgGraph *out = cg_pass_run_all(to, NULL);
    cg_graph_free(to);
    return out;
}

/* Outputs of `to`: the loss, then its terms; what map[] has stands for the node. */
static void add_loss(CgGraph *to, CgBuild *b, const CgGraph *g, CgRef loss, const CgTerms *terms, CgRef *map)
{
    cg_graph_output(to, "loss", copy_below(b, g, loss, map));
    for (int i = 0; terms && i < terms->n; i++)
        cg_graph_output(to, cg_intern_printf("term.%d", i), copy_below(b, g, terms->ref[i], map));
}

/* The loss of totals: parameters may stand beside them. */
static CgGraph *graph_of_loss(const CgGraph *g, const CgShares *s, CgRef loss, const CgTerms *terms)
{
    CgRef *map = map_new(g->nodes.len);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (int i = 0; i < s->n; i++)
        map[s->sum[i]] = total_input(&b, g, s, i);
    add_loss(to, &b, g, loss, terms, map);
    free(map);
    CgGraph *out = cg_pass_run_all(to, NULL);
    cg_graph_free(to);
    return out;
}

CgGraph *cg_shares_plain(const CgModelGraph *m, CgRef loss, const CgTerms *terms)
{
    CgRef *map = map_new(m->graph->nodes.len);
    CgGraph *to = cg_pass_begin(m->graph, map);
    CgBuild b = cg_build_at(to);
    add_loss(to, &b, m->graph, loss, terms, map);
    free(map);
    return to;
}

CgShares cg_shares_find(CgModelGraph *m, CgRef loss, const CgTerms *terms, const CgDim *batch)
{
    const CgGraph *g = m->graph;
    CgShares s = { .mixed = CG_NONE };
    CgRowUse *use = cg_rows_find(g, batch, (size_t)loss + 1);
    s.sum = cg_calloc((size_t)loss + 2, sizeof *s.sum);
    s.mixed = find_sums(&s, g, use, loss);
    free(use);
    s.wanted = cg_calloc((size_t)s.n + 1, sizeof *s.wanted);
    if (s.mixed == CG_NONE) {
        s.sums = graph_of_sums(g, &s, false);
        s.loss = graph_of_loss(g, &s, loss, terms);
    }
    return s;
}

/* Which of the totals the node needs. */
static void find_wanted(CgShares *s, const CgGraph *g, const CgRef *totals, CgRef root)
{
    bool *needed = cg_graph_live(g, root);
    for (int i = 0; i < s->n; i++)
        s->wanted[i] |= totals[i] <= root && needed[totals[i]];
    free(needed);
}

/* Whether the loss depends on a parameter other than through its sums. */
static bool has_params(const CgGraph *loss)
{
    bool *live = cg_graph_live(loss, CG_NONE), any = false;
    for (size_t i = 0; i < loss->params.len; i++)
        any |= live[loss->params.at[i]];
    free(live);
    return any;
}

CgRef cg_shares_build(CgShares *s, CgModelGraph *m, CgRef loss, int64_t shares, CgRef *where, CgErr *err)
{
    CgBuild *b = &m->build;
    CgGraph *g = m->graph;
    CgRef *map = map_new(g->nodes.len), *totals = cg_malloc(((size_t)s->n + 1) * sizeof *totals),
          *by = cg_malloc(((size_t)s->n + 1) * sizeof *by), out = CG_NONE;
    for (int i = 0; i < s->n; i++)
        map[s->sum[i]] = totals[i] = total_input(b, g, s, i);
    CgRef whole = copy_below(b, g, loss, map);
    bool good = cg_grad_build(b, whole, s->n, totals, by, where, err);
    for (int i = 0; good && i < s->n; i++) {
        CgType type = *cg_node_type(g, s->sum[i]);
        if (!cg_dtype_is_float(type.dtype))
            continue;
        CgRef weight = cg_u(b, "stop_gradient", by[i]), term = cg_mul(b, weight, s->sum[i]);
        find_wanted(s, g, totals, weight);
        term = type.rank ? cg_sum_all(b, term) : term;
        out = out == CG_NONE ? term : cg_add(b, out, term);
    }
    if (good && (has_params(s->loss) || out == CG_NONE)) {
        CgRef one = cg_scale(b, whole, 1.0 / (double)shares);
        find_wanted(s, g, totals, whole);
        out = out == CG_NONE ? one : cg_add(b, out, one);
    }
    bool any = false;
    for (int i = 0; i < s->n; i++)
        any |= s->wanted[i];
    if (good && any)
        s->before = graph_of_sums(g, s, true);
    free(map);
    free(totals);
    free(by);
    return good ? out : CG_NONE;
}

void cg_shares_free(CgShares *s)
{
    cg_graph_free(s->sums);
    cg_graph_free(s->before);
    cg_graph_free(s->loss);
    free(s->sum);
    free(s->wanted);
    *s = (CgShares){ 0 };
}
