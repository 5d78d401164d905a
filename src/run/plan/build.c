/* build.c - from a graph and numbers for its symbols to a plan.
 * Takes a graph; drafts a plan for each schedule and gives the one that takes the least memory; where that is more than
 * it may take, one of a graph in which values are made again. Must not compute an element, and must not change the
 * graph. */
#include <stdlib.h>
#include "base/timing.h"
#include "run/plan/inside.h"

/* ---- a draft: one plan for one schedule ---- */

static CgPlan *new_plan(const CgGraph *g, CgPlanOptions options, int schedule)
{
    CgPlan *p = cg_calloc(1, sizeof *p);
    p->arena = cg_arena_new();
    p->graph = g;
    p->options = options;
    p->order = schedule;
    p->outputs = CG_NEWN(p->arena, CgSlot, g->outputs.len + 1);
    return p;
}

/* The outputs that each node is, as chains. */
static void list_outputs(CgPlanner *d)
{
    const CgGraph *g = d->p->graph;
    for (size_t r = 0; r <= g->nodes.len; r++)
        d->first_output[r] = -1;
    for (size_t i = g->outputs.len; i-- > 0;) {
        d->next_output[i] = d->first_output[g->outputs.at[i].ref];
        d->first_output[g->outputs.at[i].ref] = (int)i;
    }
}

static void begin(CgPlanner *d)
{
    const CgGraph *g = d->p->graph;
    size_t n = g->nodes.len;
    d->live = cg_graph_live(g, CG_NONE);
    d->value = cg_calloc(n + 1, sizeof *d->value);
    d->copy = cg_calloc(n + 1, sizeof *d->copy);
    d->first_output = cg_malloc((n + 1) * sizeof *d->first_output);
    d->next_output = cg_malloc((g->outputs.len + 1) * sizeof *d->next_output);
    d->renewed = cg_malloc((g->outputs.len + 1) * sizeof *d->renewed);
    list_outputs(d);
    cg_planner_find_renewed(g, d->p->options.update, d->renewed);
    cg_planner_find_joined(d, d->live);
    cg_users_init(&d->users, g, d->live, (CgEdges){ 0 });
    d->layouts = cg_layouts_new(&d->users, d->dims);
    d->rounded = cg_rounded_new(&d->users, d->dims, d->live);
}

static void end(CgPlanner *d)
{
    free(d->live);
    free(d->value);
    free(d->copy);
    free(d->first_output);
    free(d->next_output);
    free(d->renewed);
    free(d->whole);
    free(d->first_result);
    free(d->parent);
    cg_layouts_free(d->layouts);
    cg_rounded_free(d->rounded);
    cg_users_deinit(&d->users);
    cg_map_deinit(&d->attrs);
}

/* bytes[r]: what the results of node r take, but those that are written over a leaf. */
static void count_bytes(CgPlanner *d, size_t *bytes)
{
    const CgGraph *g = d->p->graph;
    CgTensor t;
    size_t size = 0;
    for (CgRef r = 0; r < g->nodes.len && !d->failed; r++) {
        const CgNode *n = cg_node(g, r);
        if (!d->live[r] || cg_node_is_leaf(n) || cg_node_is_view(n))
            continue;
        for (int k = 0; k < n->nout && !d->failed; k++)
            if (cg_planner_result(d, r, k, &t, &size))
                bytes[r] += size;
    }
    for (size_t o = 0; o < g->outputs.len && !d->failed; o++) {
        int k;
        CgRef r = g->outputs.at[o].ref, maker = cg_node_result(g, r, &k);
        if (d->renewed[o] != CG_NONE && cg_planner_tensor(d, cg_node_type(g, r), maker, &t, &size))
            bytes[maker] -= size < bytes[maker] ? size : bytes[maker];
    }
}

static bool lay_leaves(CgPlanner *d)
{
    CgPlan *p = d->p;
    const CgGraph *g = p->graph;
    p->inputs = CG_NEWN(p->arena, CgTensor, g->inputs.len + 1);
    p->params = CG_NEWN(p->arena, CgTensor, g->params.len + 1);
    for (int params = 0; params < 2; params++) {
        size_t n = params ? g->params.len : g->inputs.len;
        for (size_t i = 0; i < n; i++) {
            CgRef r = params ? g->params.at[i] : g->inputs.at[i];
            CgSlot *s = d->value[r] = CG_NEW(p->arena, CgSlot);
            size_t bytes;
            if (!cg_planner_tensor(d, &cg_node(g, r)->type, r, &s->tensor, &bytes))
                return false;
            s->buffer = cg_plan_new_buffer(p, params ? CG_AT_PARAM : CG_AT_INPUT, (int)i, bytes);
            (params ? p->params : p->inputs)[i] = s->tensor;
        }
    }
    return true;
}

/* Nodes as instructions, in the order of the schedule. */
static void emit_all(CgPlanner *d)
{
    const CgGraph *g = d->p->graph;
    size_t *bytes = cg_calloc(g->nodes.len + 1, sizeof *bytes), count = 0;
    CgRef *order = cg_malloc((g->nodes.len + 1) * sizeof *order);
    count_bytes(d, bytes);
    if (!d->failed && lay_leaves(d))
        count = cg_plan_order(g, bytes, d->renewed, d->p->order, order);
    for (size_t i = 0; i < count && !d->failed; i++)
        cg_planner_emit(d, order[i]);
    free(order);
    free(bytes);
}

/* By buffer, itself; with room for two more of each output (renew.c). */
static int *own_parents(const CgPlan *p)
{
    size_t n = p->buffers.len + p->graph->outputs.len * 2;
    int *parent = cg_malloc((n + 1) * sizeof *parent);
    for (size_t i = 0; i < n; i++)
        parent[i] = (int)i;
    return parent;
}

/* Outputs, and what the run is given, live to the end. */
static void keep_to_the_end(CgPlan *p)
{
    for (size_t i = 0; i < p->graph->outputs.len; i++)
        p->buffers.at[p->outputs[i].buffer].last = (int)p->instrs.len;
    for (size_t i = 0; i < p->buffers.len; i++) {
        CgBuffer *b = &p->buffers.at[i];
        if (b->storage == CG_AT_INPUT || b->storage == CG_AT_PARAM || b->storage == CG_AT_CONST) {
            b->first = 0;
            b->last = (int)p->instrs.len;
        }
    }
}

/* Outputs for which the caller said where in the slab. */
static void pin_outputs(CgPlan *p)
{
    const size_t *together = p->options.together;
    for (size_t i = 0; i < p->buffers.len && together; i++) {
        CgBuffer *b = &p->buffers.at[i];
        if (b->storage != CG_AT_OUTPUT || together[b->ordinal] == CG_PLAN_BOUND)
            continue;
        b->storage = CG_AT_SLAB;
        b->pinned = true;
        b->offset = together[b->ordinal];
    }
}

/* All but the state of its ops; NULL when a size is missing or senseless. */
static CgPlan *draft(const CgGraph *g, CgBindings dims, CgPlanOptions options, int schedule, CgMap *loops, CgErr *e)
{
    CgPlan *p = new_plan(g, options, schedule);
    CgPlanner d = { .p = p, .dims = dims, .plan_of = cg_plan_build, .loops = loops, .e = e };
    begin(&d);
    emit_all(&d);
    if (!d.failed) {
        d.parent = own_parents(p);
        cg_planner_renew(&d);
        keep_to_the_end(p);
        cg_plan_overwrite(p, d.parent);
        pin_outputs(p);
    }
    end(&d);
    if (!d.failed && cg_plan_assign_offsets(p))
        return p;
    if (!d.failed)
        cg_err(e, CG_ERR_MEMORY, "the tensors of graph '%s' together have more bytes than memory has addresses",
            g->name ? g->name : "");
    cg_plan_free(p);
    return NULL;
}

/* That of the schedule that takes the least memory; NULL when a size is missing or senseless. */
static CgPlan *best_draft(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e)
{
    CgPlan *best = NULL;
    CgMap loops = { 0 };
    for (int schedule = 0; schedule < CG_PLAN_ORDERS; schedule++) {
        CgPlan *p = draft(g, dims, options, schedule, &loops, e);
        if (!p)
            break;
        if (best && best->slab <= p->slab) {
            cg_plan_free(p);
        } else {
            cg_plan_free(best);
            best = p;
        }
    }
    cg_map_deinit(&loops);
    return best;
}

/* ---- a plan that fits ---- */

typedef struct Trial {
    CgBindings dims;
    CgPlanOptions options;
    int schedule;
} Trial;

static size_t bytes_of(void *of, const CgGraph *g)
{
    const Trial *t = of;
    CgMap loops = { 0 };
    CgErr e = { 0 };
    CgPlan *p = draft(g, t->dims, t->options, t->schedule, &loops, &e);
    size_t bytes = p ? p->slab : SIZE_MAX;
    cg_map_deinit(&loops);
    cg_plan_free(p);
    return bytes;
}

/* A plan of *g that takes at most options.memory in place of p, which takes more, and *g with what is made again for
 * it, which is the caller's; NULL where there is none, which is said. */
static CgPlan *fit(CgPlan *p, CgBindings dims, CgGraph **own, CgErr *e)
{
    Trial t = { dims, p->options, p->order };
    size_t least = p->slab, whole = p->slab;
    CgGraph *g = cg_plan_fit(p->graph, dims, p->options.memory, bytes_of, &t, &least);
    const char *name = p->graph->name ? p->graph->name : "";
    char a[24], b[24], c[24];
    if (!g) {
        cg_err(e, CG_ERR_MEMORY,
            "the tensors of graph '%s' take %s, and %s where values are made again; --memory allows %s", name,
            cg_plan_bytes(whole, a), cg_plan_bytes(least, b), cg_plan_bytes(t.options.memory, c));
        cg_err_hint(e, "the smallest that would do is --memory=%zu; a smaller batch or length takes less", least);
    }
    cg_plan_free(p);
    if (g && *own)
        cg_graph_free(*own);
    *own = g ? g : *own;
    return g ? best_draft(g, dims, t.options, e) : NULL;
}

/* ---- the plan ---- */

static void prepare(CgPlan *p)
{
    for (size_t i = 0; i < p->instrs.len; i++) {
        CgInstr *in = &p->instrs.at[i];
        if (in->shared >= 0)
            in->shared_offset = p->buffers.at[in->shared].offset;
        if (in->op->prepare) {
            CgTensor t[CG_MAX_IN + CG_MAX_OUT];
            CgCall call = cg_plan_call(in, t);
            in->state = in->op->prepare(&call);
        }
    }
}

static CgPlan *build(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e)
{
    CgGraph *own = NULL;
    const CgGraph *runnable =
        cg_plan_check_sizes(g, dims, options.sources, e) ? cg_plan_expand(g, dims, &own, e) : NULL;
    CgPlan *best = runnable ? best_draft(runnable, dims, options, e) : NULL;
    if (best && options.memory && best->slab > options.memory)
        best = fit(best, dims, &own, e);
    if (best && !options.shown && !cg_plan_fits(best, e)) {
        cg_plan_free(best);
        best = NULL;
    }
    if (!best) {
        if (own)
            cg_graph_free(own);
        return NULL;
    }
    best->own = own;
    prepare(best);
    cg_plan_make_waves(best);
    return best;
}

CgPlan *cg_plan_build(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e)
{
    cg_timing_begin("plan");
    CgPlan *p = build(g, dims, options, e);
    cg_timing_end();
    return p;
}
