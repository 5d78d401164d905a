/* rematerialize.c - values that one sweep makes again are not kept for the derivative.
 * Takes a graph with derivative nodes; gives one in which they use second copies (CgNode.clone) of forward values that
 * are cheap to make from what is kept anyway: a normalised row, an activation, a product of two gates. Choosing is by
 * the ops' own `work`: the most bytes for the least time, until BUDGET of the graph's whole time is spent. Sizes that
 * are still symbols count as NOMINAL. Must not change any value, and must not make a product a second time. */
#include <stdlib.h>
#include <string.h>

#include <cg/kernel.h>

#include "graph/bind.h"
#include "graph/pass.h"
#include "graph/use.h"

#define BUDGET  0.02
#define NOMINAL 64
#define FLOPS   2e11 /* a second: only their ratio matters, and that to the half of it */
#define BYTES   4e10
#define DEEPEST 3    /* copies made of copies: all of them are alive at once */
#define SMALL   0.03 /* of the largest that is kept: not worth an instruction, however many there are */

typedef struct Cost {
    double time, bytes;
    bool sweep;
} Cost; /* sweep: bound by memory, not by arithmetic */

typedef struct Pass {
    const CgGraph *g;
    CgBuild b;
    CgRef *map, *again;
    Cost *cost;
    bool *kept;     /* a forward value that a derivative node uses */
    uint8_t *depth; /* copies of copies it takes to make it again; 0: cannot be */
    bool *chosen;
    int clone;
    CG_VEC(CgBinding) symbols;
    CgArena *arena; /* of bound attributes */
    CgMap bound;
} Pass;

/* ---- what things cost ---- */

static CgBindings sizes(const Pass *p) { return (CgBindings){ p->symbols.at, (int)p->symbols.len }; }

/* Gives NOMINAL to each symbol of a size that has no number yet. */
static void know(Pass *p, const CgDim *dim)
{
    int64_t value;
    CgAtom missing = NULL;
    while (!cg_dim_eval(dim, sizes(p), &value, &missing) && missing) {
        cg_vec_push(&p->symbols, ((CgBinding){ missing, NOMINAL }));
        missing = NULL;
    }
}

/* Bytes of a tensor of this type; negative where a size is invalid, which the planner reports. */
static double tensor_of(Pass *p, const CgType *type, CgTensor *t)
{
    size_t bytes;
    const CgDim *wrong;
    for (int i = 0; i < type->rank; i++)
        know(p, type->dim[i]);
    return cg_bind_tensor(sizes(p), type, t, &bytes, &wrong) ? (double)bytes : -1;
}

static const CgAttrs *attrs_of(Pass *p, const CgAttrs *attrs)
{
    const CgDim *wrong;
    for (int i = 0; attrs && i < attrs->n; i++)
        for (int j = 0; attrs->at[i].kind == CG_ATTR_DIMS && j < attrs->at[i].n; j++)
            know(p, attrs->at[i].dims[j]);
    return cg_bind_attrs(sizes(p), p->arena, &p->bound, attrs, &wrong);
}

static bool takes_no_memory(const CgNode *n) { return cg_node_is_leaf(n) || cg_node_is_view(n); }

static Cost cost_of(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    CgTensor in[CG_MAX_IN], out[CG_MAX_OUT];
    Cost c = { 0 };
    double read = 0, bytes;
    for (int i = 0; i < n->nin; i++, read += bytes)
        if ((bytes = tensor_of(p, cg_node_type(p->g, n->in[i]), &in[i])) < 0)
            return c;
    for (int k = 0; k < n->nout; k++, c.bytes += bytes)
        if ((bytes = tensor_of(p, cg_node_out_type(n, k), &out[k])) < 0)
            return c;
    const CgAttrs *attrs = attrs_of(p, n->attrs);
    if (takes_no_memory(n) || (n->attrs && !attrs))
        return c;
    CgCall call = { .op = n->op, .nin = n->nin, .nout = n->nout, .in = in, .out = out, .attrs = attrs };
    CgWork work = { .flops = (double)cg_tensor_count(out), .bytes = read + c.bytes, .shards = 1 };
    if (n->op->work)
        n->op->work(&call, &work);
    /* Fused into a sweep that reads the operands anyway. */
    if (n->op->traits & CG_ELEMENTWISE)
        work.bytes = c.bytes;
    c.sweep = work.flops / FLOPS <= work.bytes / BYTES;
    c.time = c.sweep ? work.bytes / BYTES : work.flops / FLOPS;
    return c;
}

/* ---- choosing ---- */

static CgRef base_of(const CgGraph *g, CgRef r)
{
    int k;
    return cg_node_base(g, r, &k);
}

/* How many copies of copies it takes to make r again from what is kept; 0 when that cannot be. */
static uint8_t depth_of(const Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    int depth = 1;
    if (cg_node_is_late(n) || takes_no_memory(n) || !p->cost[r].sweep || n->nout > 1 || n->op->traits & CG_RANDOM)
        return 0;
    for (int i = 0; i < n->nin; i++) {
        CgRef x = base_of(p->g, n->in[i]);
        if (cg_node(p->g, x)->op->traits & CG_LEAF || (p->kept[x] && !p->depth[x]))
            continue;
        if (!p->depth[x])
            return 0;
        if (p->depth[x] + 1 > depth)
            depth = p->depth[x] + 1;
    }
    return depth > DEEPEST ? 0 : (uint8_t)depth;
}

/* Time to make r again, with what must be made again for it and is not chosen yet. */
static double price(const Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    double time = p->cost[r].time;
    for (int i = 0; i < n->nin; i++) {
        CgRef x = base_of(p->g, n->in[i]);
        if (p->depth[x] && !p->kept[x] && !p->chosen[x])
            time += price(p, x);
    }
    return time;
}

static void choose(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    p->chosen[r] = true;
    for (int i = 0; i < n->nin; i++) {
        CgRef x = base_of(p->g, n->in[i]);
        if (p->depth[x] && !p->kept[x])
            choose(p, x);
    }
}

typedef struct Offer {
    CgRef node;
    double price, bytes;
} Offer;

static int by_worth(const void *a, const void *b)
{
    const Offer *x = a, *y = b;
    double u = x->bytes * y->price, v = y->bytes * x->price;
    return u > v ? -1 : u < v ? 1 : x->node < y->node ? -1 : 1;
}

static void choose_all(Pass *p, const bool *live)
{
    CG_VEC(Offer) offers = { 0 };
    double total = 0, spent = 0, largest = 0;
    for (CgRef r = 0; r < p->g->nodes.len; r++) {
        const CgNode *n = cg_node(p->g, r);
        if (!live[r])
            continue;
        p->cost[r] = cost_of(p, r);
        total += p->cost[r].time;
        for (int i = 0; i < n->nin && cg_node_is_late(n); i++) {
            CgRef x = base_of(p->g, n->in[i]);
            if (!cg_node_is_late(cg_node(p->g, x)) && !(cg_node(p->g, x)->op->traits & CG_LEAF))
                p->kept[x] = true;
        }
    }
    for (CgRef r = 0; r < p->g->nodes.len; r++) {
        if (!live[r])
            continue;
        p->depth[r] = depth_of(p, r);
        largest = p->kept[r] && p->cost[r].bytes > largest ? p->cost[r].bytes : largest;
    }
    for (CgRef r = 0; r < p->g->nodes.len; r++)
        if (p->kept[r] && p->depth[r] && p->cost[r].bytes > SMALL * largest)
            cg_vec_push(&offers, ((Offer){ r, price(p, r), p->cost[r].bytes }));
    if (offers.len)
        qsort(offers.at, offers.len, sizeof *offers.at, by_worth);
    for (size_t i = 0; i < offers.len; i++) {
        double now = price(p, offers.at[i].node);
        if (spent + now > BUDGET * total)
            continue;
        spent += now;
        choose(p, offers.at[i].node);
    }
    cg_vec_free(&offers);
}

/* ---- rewriting ---- */

static bool is_again(const Pass *p, CgRef r) { return p->chosen[base_of(p->g, r)]; }

/* The second copy of r, or of a view of it, made with all it needs on first use; chains are short. */
static CgRef again(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    CgRef in[CG_MAX_IN];
    if (!is_again(p, r))
        return p->map[r];
    if (p->again[r] != CG_NONE)
        return p->again[r];
    for (int i = 0; i < n->nin; i++)
        in[i] = again(p, n->in[i]);
    p->b.clone = p->clone;
    p->again[r] = cg_graph_copy(&p->b, p->g, r, in);
    p->b.clone = 0;
    return p->again[r];
}

static CgRef copy(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    CgRef in[CG_MAX_IN];
    if (!cg_node_is_late(n))
        return cg_pass_copy(&p->b, p->g, r, p->map);
    for (int i = 0; i < n->nin; i++)
        in[i] = again(p, n->in[i]);
    p->b.why_map = p->map;
    return cg_graph_copy(&p->b, p->g, r, in);
}

CgGraph *cg_pass_rematerialize(const CgGraph *g)
{
    Pass p = { .g = g, .arena = cg_arena_new() };
    size_t size = g->nodes.len + 1;
    p.map = cg_malloc(sizeof *p.map * size);
    p.again = cg_malloc(sizeof *p.again * size);
    p.cost = cg_calloc(size, sizeof *p.cost);
    p.kept = cg_calloc(size, sizeof *p.kept);
    p.depth = cg_calloc(size, sizeof *p.depth);
    p.chosen = cg_calloc(size, sizeof *p.chosen);
    for (size_t i = 0; i < g->scopes.len; i++)
        if (g->scopes.at[i].recompute > p.clone)
            p.clone = g->scopes.at[i].recompute;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        p.again[r] = CG_NONE;
        if (cg_node(g, r)->clone > p.clone)
            p.clone = cg_node(g, r)->clone;
    }
    p.clone++;
    bool *live = cg_graph_live(g, CG_NONE);
    choose_all(&p, live);
    CgGraph *to = cg_pass_begin(g, p.map);
    p.b = cg_build_at(to);
    p.b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r] && p.map[r] == CG_NONE)
            p.map[r] = copy(&p, r);
    free(live);
    free(p.again);
    free(p.cost);
    free(p.kept);
    free(p.depth);
    free(p.chosen);
    cg_vec_free(&p.symbols);
    cg_map_deinit(&p.bound);
    cg_arena_free(p.arena);
    return cg_pass_end(g, to, p.map);
}

CG_PASS(rematerialize, .order = 70, .was = "forget",
    .summary = "makes cheap values again for the derivative instead of keeping them", .run = cg_pass_rematerialize)
