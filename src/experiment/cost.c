/* cost.c - what a stage would take.
 * Takes a checked stage; gives the time and memory that planning its graphs foretells. Runs none of them. */
#include "experiment/cost.h"

#include <stdlib.h>

#include "graph/incremental.h"
#include "graph/text.h"
#include "run/peak.h"

/* What is measured takes so many times the least time that flops and bytes can take, and so long an instruction. */
#define SLACK 1.4
#define EACH  2e-6

/* What one plan costs, known by all that it is made of: many stages of a script run the same one. */
typedef struct Planned {
    double seconds, bytes;
    bool large; /* there is no room for it in the memory there is */
    CgErr err;  /* it cannot be planned */
} Planned;

struct CgPlanner {
    CgPeaks peaks;
    CgMap known; /* digest of graph, sizes and options -> index of `at` */
    CG_VEC(Planned) at;
};

static uint64_t key_of(const CgGraph *g, int64_t rows, int64_t length, const CgPlanOptions *o)
{
    CgDigester *d = cg_digester_new();
    CgDigest graph = cg_graph_digest(g);
    int64_t numbers[] = { rows, length, o->outputs_bound, o->update, (int64_t)o->memory };
    cg_digester_add(d, &graph, sizeof graph);
    cg_digester_add(d, numbers, sizeof numbers);
    if (o->together)
        cg_digester_add(d, o->together, g->outputs.len * sizeof *o->together);
    return cg_digester_free(d).low;
}

static Planned plan(const CgPeaks *peaks, const CgGraph *g, int64_t rows, int64_t length, CgPlanOptions o)
{
    CgBinding b[] = { { cg_intern("batch"), rows }, { cg_intern(CG_INCREMENTAL_COUNT), 1 },
        { cg_intern(CG_TEXT_LENGTH), length } };
    Planned out = { 0 };
    CgErr room = { 0 };
    o.shown = true; /* also what this machine has no memory for is told */
    CgPlan *p = cg_plan_build(g, (CgBindings){ b, CG_LEN(b) }, o, &out.err);
    if (!p)
        return out;
    out.large = !cg_plan_fits(p, &room);
    out.seconds = SLACK * cg_peaks_plan(peaks, p) + EACH * cg_plan_count(p);
    out.bytes = (double)cg_plan_slab(p);
    cg_plan_free(p);
    return out;
}

static void add_plan(CgCost *c, const CgGraph *g, int64_t rows, double times, CgPlanOptions o)
{
    CgPlanner *planner = c->planner;
    uint64_t key = key_of(g, rows, c->length, &o), at;
    if (!cg_map_get(&planner->known, key, &at)) {
        at = planner->at.len;
        cg_vec_push(&planner->at, plan(&planner->peaks, g, rows, c->length, o));
        cg_map_put(&planner->known, key, at);
    }
    const Planned *p = &planner->at.at[at];
    if (p->err.kind)
        c->err = p->err;
    c->large |= p->large;
    c->seconds += times * p->seconds;
    c->bytes += p->bytes;
}

/* The texts that a column has written for each row, with their beams. */
static void add_texts(CgCost *c, const CgValue *v, int64_t some, int64_t rows)
{
    const CgTextCall *call = v->kind == CG_VALUE_CALL ? v->stage : NULL;
    if (call) {
        CgGenerator *g = call->generator;
        cg_generator_complete(g);
        int64_t written = call->most ? call->most : call->length ? call->length : g->length, beams = call->how.beams;
        c->length = g->length ? g->length : written;
        add_plan(c, g->step ? g->step : g->graph, some * beams, (double)(written * rows) / (double)some,
            (CgPlanOptions){ 0 });
    }
    for (int i = 0; v->kind == CG_VALUE_CALL && i < v->n; i++)
        add_texts(c, v->at[i], some, rows);
}

static void add_training(CgCost *c, const CgStage *s, size_t memory)
{
    CgPlanOptions bound = { .outputs_bound = true }, renewed = { .outputs_bound = true, .update = true };
    int64_t rows = s->batch / s->accumulate, block = s->total * (int64_t)sizeof(float);
    double steps = (double)s->steps, states = 0;
    for (int i = 0; i < s->nturns; i++)
        add_plan(c, s->turns[i].graph, rows, (double)(cg_stage_updates(s, (uint64_t)1 << i, s->steps) * s->accumulate),
            (CgPlanOptions){ .outputs_bound = true, .together = s->together, .memory = memory });
    if (s->shares.before)
        add_plan(c, s->shares.before, rows, steps * (double)s->accumulate, bound);
    add_plan(c, s->norm_graph, 1, 2 * steps, bound); /* of the gradient, then of the parameters */
    for (int g = 0; g < s->ngroups; g++) {
        add_plan(c, s->groups[g].graph, 1, (double)cg_stage_updates(s, s->groups[g].turns, s->steps), renewed);
        states += (double)(s->groups[g].count * s->groups[g].nstates) * sizeof(float);
    }
    c->bytes += states + (double)block * (s->accumulate > 1) + ((double)block + states) * s->skip
        + (double)block * (s->early_stop > 0);
}

CgPlanner *cg_planner_new(CgSession *x)
{
    CgPlanner *p = cg_calloc(1, sizeof *p);
    CgErr err = { 0 };
    if (cg_peaks_measure(x->pool, &p->peaks, &err))
        return p;
    cg_session_err(x, x->at, &err);
    free(p);
    return NULL;
}

void cg_planner_free(CgPlanner *p)
{
    if (!p)
        return;
    cg_map_deinit(&p->known);
    cg_vec_free(&p->at);
    free(p);
}

bool cg_stage_cost(CgSession *x, const CgStage *s, CgPlanner *planner, CgCost *out)
{
    CgCost *c = out;
    *c = (CgCost){ .planner = planner, .bytes = (double)cg_model_bytes(s->model), .rows = s->batch };
    if (s->turns) {
        add_training(c, s, x->opts.memory);
        return true;
    }
    const CgDataset *data = cg_dataset_of(x, s->data);
    if (!data)
        return false;
    c->rows = data->rows;
    int64_t some = s->whole || c->rows < CG_EVALUATE_ROWS ? c->rows : CG_EVALUATE_ROWS;
    add_plan(c, cg_stage_columns_graph(s), some, (double)c->rows / (double)some, (CgPlanOptions){ 0 });
    for (int i = 0; i < s->ncolumns; i++)
        add_texts(c, s->columns[i].value, some, c->rows);
    return true;
}
