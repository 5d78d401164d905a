/* body.c - making graphs that become attributes, and looking at their inputs and results.
 * Takes nodes as they are built, for derivative rules that need a graph of their own; gives the attribute. A graph that
 * is an attribute is never changed. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/use.h"

CgBuild *cg_body_build(const CgBuild *b)
{
    CgBuild *body = cg_malloc(sizeof *body);
    CgGraph *g = cg_graph_new("body");
    g->scopes.at[0].bf16 = cg_build_bf16(b);
    *body = cg_build_at(g);
    body->span = b->span;
    return body;
}

CgRef cg_body_input(CgBuild *body, const char *name, CgType type) { return cg_graph_input(body, name, type); }

void cg_body_output(CgBuild *body, const char *name, CgRef r) { cg_graph_output(body->graph, cg_intern(name), r); }

/* Only what the results need: equal bodies are then one. */
CgAttr cg_body_end(CgBuild *body, const char *name)
{
    CgGraph *g = cg_pass_dce(body->graph);
    cg_graph_free(body->graph);
    free(body);
    return cg_a_graph(name, g);
}

int cg_body_inputs(const CgAttr *a) { return (int)a->graph->inputs.len; }

int cg_body_outputs(const CgAttr *a) { return (int)a->graph->outputs.len; }

CgType cg_body_input_type(const CgAttr *a, int i) { return *cg_node_type(a->graph, a->graph->inputs.at[i]); }

CgType cg_body_output_type(const CgAttr *a, int i) { return *cg_node_type(a->graph, a->graph->outputs.at[i].ref); }

CgSelection cg_body_needs(const CgAttr *a, int out)
{
    const CgGraph *g = a->graph;
    bool *live = cg_graph_live(g, g->outputs.at[out].ref);
    CgSelection needs = { { 0 } };
    for (size_t i = 0; i < g->inputs.len && i < CG_MAX_IN; i++)
        cg_select(&needs, (int)i, live[g->inputs.at[i]]);
    free(live);
    return needs;
}

bool cg_body_is_input(const CgAttr *a, int out, int i)
{
    return a->graph->outputs.at[out].ref == a->graph->inputs.at[i];
}

CgAttr cg_body_part(const CgAttr *a, const char *name, const CgSelection *in, const CgSelection *out)
{
    const CgGraph *g = a->graph;
    CgGraph *part = cg_graph_new(g->name);
    CgBuild b = cg_build_at(part);
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    bool *live = cg_calloc(g->nodes.len + 1, sizeof *live);
    for (size_t k = 0; k < g->outputs.len; k++)
        live[g->outputs.at[k].ref] |= cg_selected(out, (int)k);
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++)
            live[cg_node(g, r)->in[i]] = true;
    for (size_t i = 0; i < g->inputs.len; i++)
        if (cg_selected(in, (int)i))
            map[g->inputs.at[i]] = cg_graph_copy(&b, g, g->inputs.at[i], NULL);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r] && !(cg_node(g, r)->op->traits & CG_INPUT))
            map[r] = cg_pass_copy(&b, g, r, map);
    for (size_t k = 0; k < g->outputs.len; k++)
        if (cg_selected(out, (int)k))
            cg_graph_output(part, g->outputs.at[k].name, map[g->outputs.at[k].ref]);
    free(live);
    free(map);
    return cg_a_graph(name, part);
}

/* ---- written down over holes ---- */

CgRef cg_hole(CgBuild *b, const char *name, CgType type)
{
    CgAttr at[2] = { cg_a_str("name", name), cg_a_type("type", type) };
    return cg_build(b, "hole", 0, NULL, cg_attrs(2, at));
}

/* Nodes from `base` on that depend on a hole, and those of them that a result needs; others are outside. */
typedef struct Extraction {
    const CgGraph *g;
    CgRef base;
    bool *depends, *needed;
    CgRef *map; /* the node in the body */
    CgMap known;
    CgRefs *outside;
    int holes;
    CgBuild b;
} Extraction;

static bool is_inside(const Extraction *x, CgRef r) { return r >= x->base && x->depends[r - x->base]; }

/* What is repeated is given once, and repeated inside. */
static CgRef once(const CgGraph *g, CgRef r)
{
    while (cg_node(g, r)->op->traits & CG_REPEATS)
        r = cg_node(g, r)->in[0];
    return r;
}

/* A node that no hole reaches: a number is written again, all else is given. */
static void meet_outside(Extraction *x, CgRef r)
{
    uint64_t known;
    double value;
    r = once(x->g, r);
    if (cg_node_const(x->g, r, &value) || cg_map_get(&x->known, r, &known))
        return;
    cg_map_put(&x->known, r, x->outside->len);
    cg_vec_push(x->outside, r);
}

static CgRef inside(Extraction *x, CgRef r)
{
    uint64_t k;
    double value;
    if (is_inside(x, r))
        return x->map[r - x->base];
    if (cg_map_get(&x->known, r, &k))
        return x->b.graph->inputs.at[(size_t)x->holes + k];
    if (!cg_node_const(x->g, r, &value)) {
        CgRef of = inside(x, cg_node(x->g, r)->in[0]);
        return cg_build_like(&x->b, cg_node(x->g, r), &of);
    }
    return cg_fill(&x->b, *cg_node_type(x->g, r), value);
}

static void find_inside(Extraction *x, int n, const CgRef *hole, int nout, const CgRef *out)
{
    const CgGraph *g = x->g;
    for (int i = 0; i < n; i++)
        x->depends[hole[i] - x->base] = true;
    for (CgRef r = x->base; r < g->nodes.len; r++)
        for (int i = 0; i < cg_node(g, r)->nin; i++)
            x->depends[r - x->base] |= is_inside(x, cg_node(g, r)->in[i]);
    for (int k = 0; k < nout; k++)
        if (is_inside(x, out[k]))
            x->needed[out[k] - x->base] = true;
    for (CgRef r = (CgRef)g->nodes.len; r-- > x->base;)
        for (int i = 0; x->needed[r - x->base] && i < cg_node(g, r)->nin; i++)
            if (is_inside(x, cg_node(g, r)->in[i]))
                x->needed[cg_node(g, r)->in[i] - x->base] = true;
}

static void copy_inside(Extraction *x)
{
    for (CgRef r = x->base; r < x->g->nodes.len; r++) {
        const CgNode *n = cg_node(x->g, r);
        CgRef in[CG_MAX_IN];
        if (!x->needed[r - x->base] || n->op->traits & CG_HOLE)
            continue;
        for (int i = 0; i < n->nin; i++)
            in[i] = inside(x, n->in[i]);
        CgNode copied = *n;
        CgBuild at = x->b;
        at.span = n->span;
        at.precision = cg_node_precision(n);
        x->map[r - x->base] = cg_build_like(&at, &copied, in);
    }
}

CgGraph *cg_body_extract(const CgGraph *g, int n, const CgRef *hole, int nout, const CgRef *out, CgRefs *outside)
{
    size_t size = g->nodes.len - hole[0];
    CgGraph *body = cg_graph_new("body");
    Extraction x = { .g = g, .base = hole[0], .outside = outside, .holes = n, .b = cg_build_at(body) };
    x.depends = cg_calloc(size, sizeof *x.depends);
    x.needed = cg_calloc(size, sizeof *x.needed);
    x.map = cg_calloc(size, sizeof *x.map);
    find_inside(&x, n, hole, nout, out);
    for (CgRef r = x.base; r < g->nodes.len; r++)
        for (int i = 0; x.needed[r - x.base] && i < cg_node(g, r)->nin; i++)
            if (!is_inside(&x, cg_node(g, r)->in[i]))
                meet_outside(&x, cg_node(g, r)->in[i]);
    for (int k = 0; k < nout; k++)
        if (!is_inside(&x, out[k]))
            meet_outside(&x, out[k]);
    for (int i = 0; i < n; i++)
        x.map[hole[i] - x.base] = cg_graph_input(&x.b, cg_intern_printf("in%d", i), *cg_node_type(g, hole[i]));
    for (size_t k = 0; k < outside->len; k++)
        cg_graph_input(&x.b, cg_intern_printf("in%zu", (size_t)n + k), *cg_node_type(g, outside->at[k]));
    copy_inside(&x);
    for (int k = 0; k < nout; k++)
        cg_graph_output(body, cg_intern_printf("out%d", k), inside(&x, out[k]));
    free(x.depends);
    free(x.needed);
    free(x.map);
    cg_map_deinit(&x.known);
    return body;
}

/* ---- many tensors as few ---- */

enum {
    FEW = 32,   /* so many are given as they are, each with a sum of its own */
    PACK = 200, /* of one type in one, at most */
};

static bool is_known(CgType t)
{
    int64_t n;
    bool known = true;
    for (int i = 0; i < t.rank; i++)
        known &= cg_dim_is_int(t.dim[i], &n);
    return known;
}

/* A body under way that is given some of its inputs in packs. */
typedef struct Packing {
    const CgGraph *g;
    CgBuild *outer, b;
    CgRef *map;
    CgRefs outside; /* from now on */
    bool all;       /* those of unknown sizes, too: else these stay as they are, since an axis may be of rows */
} Packing;

static bool is_packed(const Packing *p, CgType t) { return p->all || is_known(t); }

static CgRef next_input(Packing *p, CgType t)
{
    return cg_graph_input(&p->b, cg_intern_printf("in%zu", p->b.graph->inputs.len), t);
}

/* Inputs `input` of the body, n of them, of tensors `of`, as one. */
static void pack(Packing *p, int n, const CgRef *input, const CgRef *of)
{
    CgRef flat[PACK];
    CgBuild *types = cg_body_build(p->outer);
    for (int i = 0; i < n; i++) {
        CgType t = cg_ref_type(p->outer, of[i]);
        const CgDim *count = cg_type_count(t);
        flat[i] = cg_reshape(p->outer, of[i], 1, &count);
        cg_body_output(types, cg_intern_printf("p%d", i), cg_body_input(types, cg_intern_printf("p%d", i), t));
    }
    CgAttr axis = cg_a_int("axis", 0), parts = cg_body_end(types, "parts");
    CgRef all = cg_build(p->outer, "concat", n, flat, cg_attrs(1, &axis)), in;
    cg_vec_push(&p->outside, all);
    in = next_input(p, cg_ref_type(p->outer, all));
    CgRef node = cg_build(&p->b, "unpack", 1, &in, cg_attrs(1, &parts));
    for (int i = 0; i < n; i++)
        p->map[input[i]] = cg_build_result(&p->b, node, i);
}

/* Those of element type d. */
static void pack_type(Packing *p, CgDtype d, size_t n, const CgRefs *outside)
{
    CgRef input[PACK], of[PACK];
    int some = 0;
    for (size_t k = 0; k < outside->len; k++) {
        CgType t = cg_ref_type(p->outer, outside->at[k]);
        if (t.dtype == d && is_packed(p, t)) {
            input[some] = p->g->inputs.at[n + k];
            of[some++] = outside->at[k];
        }
        if (some == PACK || (some && k + 1 == outside->len)) {
            pack(p, some, input, of);
            some = 0;
        }
    }
}

CgGraph *cg_body_pack(CgBuild *b, CgGraph *body, int n, CgRefs *outside)
{
    size_t unknown = 0;
    for (size_t k = 0; k < outside->len; k++)
        unknown += !is_known(cg_ref_type(b, outside->at[k]));
    if (outside->len <= FEW)
        return body;
    CgGraph *packed = cg_graph_new(body->name);
    Packing p = { .g = body, .outer = b, .b = cg_build_at(packed), .all = unknown > FEW };
    p.map = cg_malloc(sizeof *p.map * body->nodes.len);
    for (size_t i = 0; i < body->inputs.len; i++) {
        CgType t = *cg_node_type(body, body->inputs.at[i]);
        if (i >= (size_t)n && is_packed(&p, t))
            continue;
        p.map[body->inputs.at[i]] = next_input(&p, t);
        if (i >= (size_t)n)
            cg_vec_push(&p.outside, outside->at[i - (size_t)n]);
    }
    for (int d = 0; d < CG_NDTYPE; d++)
        pack_type(&p, (CgDtype)d, (size_t)n, outside);
    for (CgRef r = 0; r < body->nodes.len; r++)
        if (!(cg_node(body, r)->op->traits & CG_INPUT))
            p.map[r] = cg_pass_copy(&p.b, body, r, p.map);
    for (size_t k = 0; k < body->outputs.len; k++)
        cg_graph_output(packed, body->outputs.at[k].name, p.map[body->outputs.at[k].ref]);
    free(p.map);
    cg_graph_free(body);
    cg_vec_free(outside);
    *outside = p.outside;
    return packed;
}
