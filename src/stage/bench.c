/* bench.c - the times of real steps.
 * Takes a training or a graph; gives the time of each step and what it cost. Steps that are timed are not watched: the
 * profile and the trace come from as many steps again. */
#include "stage/bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "stage/training.h"
#include "graph/pass.h"

static size_t resident(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (size_t)use.ru_maxrss * 1024;
}

void cg_bench_deinit(CgBench *b)
{
    free(b->ms);
    free(b->loss);
    *b = (CgBench){ 0 };
}

static void begin(CgSession *x, const CgBenchOpts *opts, const char *name, CgBench *out)
{
    *out = (CgBench){ .name = name, .threads = cg_pool_threads(x->pool), .steps = opts->steps };
    out->ms = cg_calloc((size_t)opts->steps + 1, sizeof *out->ms);
}

/* ---- trainings ---- */

/* A step that does not end in numbers ends the bench as it ends a training. */
static bool step(CgTraining *t, CgStepResult *r)
{
    CgStepOutcome outcome = cg_training_step(t, r);
    if (outcome == CG_STEP_NOT_FINITE)
        cg_training_explain_step(t, *r);
    else if (outcome == CG_STEP_BAD_INDEX)
        cg_training_explain_index(t);
    else if (outcome == CG_STEP_SPOILED)
        cg_training_explain_update(t);
    return outcome == CG_STEP_TAKEN;
}

static bool time_training(CgTraining *t, const CgBenchOpts *opts, CgBench *out)
{
    for (int i = 0; i < opts->warmup + opts->steps; i++) {
        CgStepResult r;
        double start = cg_now();
        if (!step(t, &r))
            return false;
        if (i >= opts->warmup)
            out->ms[i - opts->warmup] = 1e3 * (cg_now() - start);
        out->loss[out->nloss++] = r.loss;
    }
    out->resident = resident();
    if (!opts->profile)
        return true;
    cg_training_watch(t);
    bool good = true;
    CgStepResult r;
    for (int i = 0; good && i < opts->steps; i++)
        good = step(t, &r);
    cg_training_count(t);
    return good;
}

bool cg_bench_train(CgSession *x, CgStage *s, const CgBenchOpts *opts, CgBench *out)
{
    begin(x, opts, s->label, out);
    out->tokens = (double)(s->batch * cg_data_tokens(s->data));
    out->loss = cg_calloc((size_t)(opts->steps + opts->warmup) + 1, sizeof *out->loss);
    CgTraining *t = cg_stage_force_inputs(x, s) ? cg_training_new(x, s) : NULL;
    if (!t)
        return false;
    CgTrainingCost c = cg_training_cost(t);
    out->slab = c.slab;
    out->parameters = c.parameters;
    out->state = c.state;
    out->flops = c.flops;
    out->products = c.products;
    bool good = time_training(t, opts, out);
    cg_training_free(t);
    return good;
}

bool cg_bench_gradient(CgSession *x, CgStage *s, double *squares)
{
    CgTraining *t = cg_stage_force_inputs(x, s) ? cg_training_new(x, s) : NULL;
    CgStepResult r;
    bool good = t && step(t, &r);
    for (int i = 0; good && i < t->memory.n; i++) {
        const float *at = t->memory.at[i], *block = t->memory.block, *grad = t->sum ? t->sum : t->grad;
        squares[i] = 0;
        bool trained = at >= block && at < block + s->total;
        for (size_t k = 0; trained && k < t->memory.bytes[i] / sizeof *at; k++)
            squares[i] += (double)grad[at - block + (ptrdiff_t)k] * grad[at - block + (ptrdiff_t)k];
    }
    if (t)
        cg_training_free(t);
    return good;
}

/* ---- graphs ---- */

typedef struct Graph {
    CgGraph *graph;
    CgPlan *plan;
    CgExec *exec;
    CgMemory memory;
    CG_VEC(void *) inputs;
} Graph;

static void graph_free(Graph *g)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        free(g->inputs.at[i]);
    cg_vec_free(&g->inputs);
    cg_exec_free(g->exec);
    cg_plan_free(g->plan);
    cg_memory_free(&g->memory);
    if (g->graph)
        cg_graph_free(g->graph);
}

/* Floats between -1 and 1; zeros for whole numbers, which may be places in a table. */
static bool bind_inputs(CgSession *x, Graph *g)
{
    for (size_t i = 0; i < g->graph->inputs.len; i++) {
        CgTensor t = cg_plan_input(g->plan, (int)i);
        size_t n = (size_t)cg_tensor_count(&t), bytes = n * cg_dtype_size(t.dtype);
        void *at = cg_try_alloc(bytes + 1);
        uint32_t bits;
        if (!at) {
            CgErr e = { 0 };
            cg_err(&e, CG_ERR_MEMORY, "no room for the %zu MiB of an input", bytes >> 20);
            return cg_session_err(x, (CgSpan){ 0 }, &e);
        }
        memset(at, 0, bytes);
        for (size_t k = 0; k < n && cg_dtype_is_float(t.dtype); k++) {
            cg_random_bits(2385, i, 0, k, 1, &bits);
            double v = (double)bits * 0x1p-31 - 1;
            if (t.dtype == CG_F32)
                ((float *)at)[k] = (float)v;
            else
                ((double *)at)[k] = v;
        }
        cg_exec_bind_input(g->exec, (int)i, at);
        cg_vec_push(&g->inputs, at);
    }
    return true;
}

static bool graph_new(CgSession *x, const CgModelGraph *model, CgBindings sizes, Graph *g)
{
    CgErr e = { 0 };
    g->graph = cg_pass_run_all(model->graph, NULL);
    CgPlanOptions options = { .sources = x->sources, .memory = x->opts.memory };
    g->plan = cg_plan_build(g->graph, sizes, options, &e);
    g->exec = g->plan ? cg_exec_new(g->plan, x->pool, &e) : NULL;
    if (!g->exec) {
        if (e.kind == CG_ERR_INPUT && !*e.hint)
            cg_err_hint(&e, "--dim NAME=N gives a size a value");
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    }
    cg_session_note_precision(x, g->graph);
    if (!cg_model_force(x, model) || !cg_memory_fill(x, model, NULL, 0, &g->memory))
        return false;
    for (int i = 0; i < g->memory.n; i++)
        cg_exec_bind_param(g->exec, i, g->memory.at[i]);
    return bind_inputs(x, g);
}

static bool time_graph(CgSession *x, Graph *g, const CgBenchOpts *opts, CgBench *out)
{
    for (int i = 0; i < opts->warmup + opts->steps; i++) {
        double start = cg_now();
        if (!cg_session_run(x, g->exec, x->at))
            return false;
        if (i >= opts->warmup)
            out->ms[i - opts->warmup] = 1e3 * (cg_now() - start);
    }
    out->resident = resident();
    if (!opts->profile)
        return true;
    int frame = 0;
    cg_exec_profile(g->exec, x->opts.profile);
    if (x->trace) {
        cg_exec_trace(g->exec, x->trace, cg_trace_plan(x->trace, g->plan, CG_PHASE_FORWARD));
        frame = cg_trace_name(x->trace, "run");
    }
    double all = cg_now();
    for (int i = 0; i < opts->steps; i++) {
        int64_t start = x->trace ? cg_trace_now(x->trace) : 0;
        if (!cg_session_run(x, g->exec, x->at))
            return false;
        if (x->trace)
            cg_trace_frame(x->trace, frame, start);
    }
    all = cg_now() - all;
    if (x->opts.profile) {
        cg_profile_add(&x->profile, g->exec, CG_PHASE_FORWARD, x->sources);
        cg_profile_steps(&x->profile, opts->steps, all);
    }
    return true;
}

bool cg_bench_graph(
    CgSession *x, const char *name, const CgModelGraph *model, CgBindings sizes, const CgBenchOpts *opts, CgBench *out)
{
    Graph g = { 0 };
    begin(x, opts, name, out);
    bool good = graph_new(x, model, sizes, &g);
    if (good) {
        for (int i = 0; i < g.memory.n; i++)
            out->parameters += g.memory.bytes[i];
        out->slab = cg_plan_slab(g.plan);
        out->flops = cg_plan_useful_flops(g.plan);
        out->products = cg_plan_products(g.plan);
        good = time_graph(x, &g, opts, out);
    }
    graph_free(&g);
    return good;
}
