/* training.c - a training at work: its memory, its plans, one step.
 * Takes a stage; gives steps whose bits depend on what they start from and their number only. Must not keep anything on
 * disk: that is train.c's business. */
#include "stage/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALID_BATCHES = 8 };

/* ---- plans ----------------------------------------------------------------------------------------------------- */

static void runner_free(CgRunner *r)
{
    if (r->exec)
        cg_exec_free(r->exec);
    if (r->plan)
        cg_plan_free(r->plan);
    memset(r, 0, sizeof *r);
}

static bool runner_new(CgSession *x, const CgGraph *g, int64_t batch, CgPlanOptions options, CgSpan at, CgRunner *r)
{
    CgErr err = { 0 };
    CgBinding b = { cg_intern("batch"), batch };
    options.outputs_bound = true;
    options.sources = x->sources;
    r->plan = cg_plan_build(g, (CgBindings){ &b, 1 }, options, &err);
    r->exec = r->plan ? cg_exec_new(r->plan, x->pool, &err) : NULL;
    if (!r->exec) {
        runner_free(r);
        return cg_session_err(x, at, &err);
    }
    cg_session_note_precision(x, g);
    return true;
}

static void bind_inputs(const CgRunner *r, const CgGraph *g, const int32_t *tokens, const int32_t *next)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(r->exec, (int)i, strcmp(cg_node_name(g, g->inputs.at[i]), "next") ? tokens : next);
}

static void bind_params(const CgRunner *r, const CgMemory *m)
{
    for (int i = 0; i < m->n; i++)
        cg_exec_bind_param(r->exec, i, m->at[i]);
}

/* Runs a plan that is bound, and says so in the trace. */
static void run(const CgTraining *t, const CgRunner *r)
{
    int64_t start = t->trace ? cg_trace_now(t->trace) : 0;
    cg_exec_run(r->exec);
    if (t->trace)
        cg_trace_frame(t->trace, r->frame, start);
}

/* ---- one step -------------------------------------------------------------------------------------------------- */

static void fill_batch(CgTraining *t, int64_t step, int64_t share)
{
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate, length = s->length;
    if (t->windows) {
        if (share == 0)
            cg_windows_batch(t->windows, (uint64_t)(s->seed + t->x->opts.seed), (uint64_t)step, (int)s->batch,
                t->tokens, t->next_tokens);
        bind_inputs(&t->step, s->step_graph, t->tokens + share * rows * length, t->next_tokens + share * rows * length);
        return;
    }
    const CgTensor *tokens = cg_tensors_find(&t->batches, "tokens"), *next = cg_tensors_find(&t->batches, "next");
    int64_t at = (step % tokens->dim[0]) * s->batch * length + share * rows * length;
    bind_inputs(&t->step, s->step_graph, (const int32_t *)tokens->data + at, (const int32_t *)next->data + at);
}

/* A loss or gradient that is not a number: runs the step once more, looking at every result. */
static bool explain_nan(CgTraining *t, double loss, double norm)
{
    CgStage *s = t->s;
    int at = cg_exec_run_checked(t->step.exec);
    CgSpan span = s->span;
    const char *op = "";
    if (at >= 0) {
        const CgInstr *i = cg_plan_instr(t->step.plan, at);
        op = i->op->name;
        if (i->node != CG_NONE && cg_node(cg_plan_graph(t->step.plan), i->node)->span.file)
            span = cg_node(cg_plan_graph(t->step.plan), i->node)->span;
    }
    CgDiag *d = cg_diag(t->x->diags, CG_E0602, span, "step %lld of '%s': the %s is not finite%s%s", (long long)t->done,
        s->label, isfinite(loss) ? "gradient" : "loss", *op ? "; the first op to give such a number is " : "", op);
    cg_diag_note(d, s->span, "in this training (loss %g, gradient norm %g)", loss, norm);
    cg_diag_help(
        d, "a smaller rate, a longer warm-up or clip usually keeps numbers finite; the last checkpoint is kept");
    return false;
}

/* Other tensors lay between the gradients. */
static void clear_padding(CgTraining *t)
{
    const CgStage *s = t->s;
    for (int i = 0; i < s->ntrained; i++) {
        int64_t from = s->trained[i].offset + s->trained[i].count,
                to = i + 1 < s->ntrained ? s->trained[i + 1].offset : s->total;
        memset(t->grad + from, 0, (size_t)(to - from) * sizeof *t->grad);
    }
}

static bool take_step(CgTraining *t, CgStepResult *out)
{
    CgStage *s = t->s;
    double loss = 0;
    size_t n = (size_t)s->total;
    for (int64_t share = 0; share < s->accumulate; share++) {
        fill_batch(t, t->done, share);
        cg_exec_bind_output(t->step.exec, 0, &t->loss_out);
        cg_exec_random(
            t->step.exec, (uint64_t)(s->seed + t->x->opts.seed), (uint64_t)(t->done * s->accumulate + share));
        run(t, &t->step);
        loss += (double)t->loss_out / (double)s->accumulate;
        clear_padding(t);
        float k = 1.0f / (float)s->accumulate;
        for (size_t i = 0; t->sum && i < n; i++)
            t->sum[i] = share ? t->sum[i] + k * t->grad[i] : k * t->grad[i];
    }
    const float *grad = t->sum ? t->sum : t->grad;
    float squares;
    cg_exec_bind_input(t->norm.exec, 0, grad);
    cg_exec_bind_output(t->norm.exec, 0, &squares);
    run(t, &t->norm);
    double norm = sqrt((double)squares);
    if (!isfinite(loss) || !isfinite(norm))
        return explain_nan(t, loss, norm);
    float scale = s->clip > 0 && norm > s->clip ? (float)(s->clip / norm) : 1.0f, step = (float)t->done, rate = NAN;
    int64_t at = 0;
    for (int g = 0; g < s->ngroups; g++) {
        const CgGroup *group = &s->groups[g];
        CgExec *exec = t->update[g].exec;
        int state = 0;
        for (size_t i = 0; i < group->graph->inputs.len; i++) {
            const char *name = cg_node_name(group->graph, group->graph->inputs.at[i]);
            const void *from = !strcmp(name, "p") ? (const void *)(t->memory.block + at)
                : !strcmp(name, "g")              ? (const void *)(grad + at)
                : !strcmp(name, "scale")          ? (const void *)&scale
                : !strcmp(name, "step")           ? (const void *)&step
                                                  : (const void *)(t->state[g] + group->count * state++);
            cg_exec_bind_input(exec, (int)i, from);
        }
        if (group->rate >= 0)
            cg_exec_bind_output(exec, group->rate, &rate);
        run(t, &t->update[g]);
        at += group->count;
    }
    t->done++;
    *out = (CgStepResult){ loss, norm, (double)rate };
    return true;
}

bool cg_training_step(CgTraining *t, CgStepResult *out)
{
    double start = cg_now();
    int64_t began = t->trace ? cg_trace_now(t->trace) : 0;
    bool good = take_step(t, out);
    if (t->trace)
        cg_trace_frame(t->trace, t->frame, began);
    t->seconds += cg_now() - start;
    t->watched++;
    return good;
}

void cg_training_swap_average(CgTraining *t)
{
    const CgStage *s = t->s;
    float *p = t->memory.block;
    for (int g = 0; g < s->ngroups && s->average > 0; g++) {
        const CgGroup *group = &s->groups[g];
        float *mean = t->state[g] + group->count * (group->nstates - 1);
        for (int64_t i = 0; i < group->count; i++) {
            float x = p[i];
            p[i] = mean[i];
            mean[i] = x;
        }
        p += group->count;
    }
}

double cg_training_validate(CgTraining *t)
{
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate, count = cg_windows_count(t->valid), used = 0;
    int64_t some = count < VALID_BATCHES * rows ? count / rows * rows : VALID_BATCHES * rows;
    double sum = 0;
    for (int64_t first = 0; first < some; first += rows) {
        cg_windows_at(t->valid, first, some, (int)rows, t->tokens, t->next_tokens);
        bind_inputs(&t->loss, s->loss_graph, t->tokens, t->next_tokens);
        float loss;
        cg_exec_bind_output(t->loss.exec, 0, &loss);
        run(t, &t->loss);
        sum += (double)loss;
        used++;
    }
    return used ? sum / (double)used : NAN;
}

/* ---- watching -------------------------------------------------------------------------------------------------- */

typedef void WatchFn(CgSession *x, CgRunner *r, CgPhase phase, const char *name);

static void each_runner(CgTraining *t, WatchFn *fn)
{
    fn(t->x, &t->step, CG_PHASE_FORWARD, "forward and backward");
    fn(t->x, &t->norm, CG_PHASE_UPDATE, "norm of the gradient");
    for (int g = 0; g < t->s->ngroups; g++)
        fn(t->x, &t->update[g], CG_PHASE_UPDATE, "optimiser");
    if (t->valid)
        fn(t->x, &t->loss, CG_PHASE_VALIDATE, "validation");
}

static void watch(CgSession *x, CgRunner *r, CgPhase phase, const char *name)
{
    cg_exec_profile(r->exec, x->opts.profile);
    if (x->trace) {
        cg_exec_trace(r->exec, x->trace, cg_trace_plan(x->trace, r->plan, phase));
        r->frame = cg_trace_name(x->trace, name);
    }
}

static void count(CgSession *x, CgRunner *r, CgPhase phase, const char *name)
{
    (void)name;
    cg_profile_add(&x->profile, r->exec, phase, x->sources);
}

void cg_training_watch(CgTraining *t)
{
    t->trace = t->x->trace;
    if (t->trace)
        t->frame = cg_trace_name(t->trace, "step");
    each_runner(t, watch);
    t->seconds = 0;
    t->watched = 0;
}

void cg_training_count(CgTraining *t)
{
    if (!t->x->opts.profile)
        return;
    each_runner(t, count);
    cg_profile_steps(&t->x->profile, t->watched, t->seconds);
}

/* ---- beginning and end ----------------------------------------------------------------------------------------- */

void cg_training_free(CgTraining *t)
{
    runner_free(&t->step);
    runner_free(&t->loss);
    runner_free(&t->norm);
    for (int i = 0; t->update && i < t->s->ngroups; i++)
        runner_free(&t->update[i]);
    free(t->update);
    for (int i = 0; t->state && i < t->s->ngroups; i++)
        free(t->state[i]);
    free(t->state);
    free(t->sum);
    free(t->tokens);
    free(t->next_tokens);
    if (t->batches.n)
        cg_tensors_free(&t->batches);
    cg_memory_free(&t->memory);
    free(t);
}

static bool prepare(CgTraining *t)
{
    CgSession *x = t->x;
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate;
    if (cg_is_batches(s->data)) {
        CgErr err = { 0 };
        CgValue *path = cg_record_find(s->data, cg_intern("path"));
        if (!cg_safetensors_read(path->s, &t->batches, &err))
            return cg_session_err(x, path->span, &err);
    } else if (!(t->windows = cg_windows_of(x, s->data))) {
        return false;
    }
    if (s->validate && !(t->valid = cg_windows_of(x, s->validate)))
        return false;
    if (!cg_memory_fill(x, s->model, s, s->seed, &t->memory))
        return false;
    size_t bytes = (size_t)s->total * sizeof(float) + 64;
    t->sum = s->accumulate > 1 ? cg_try_alloc(bytes) : NULL;
    t->update = cg_calloc((size_t)s->ngroups, sizeof *t->update);
    t->state = cg_calloc((size_t)s->ngroups, sizeof *t->state);
    bool room = s->accumulate == 1 || t->sum;
    for (int g = 0; room && g < s->ngroups; g++) {
        size_t n = (size_t)(s->groups[g].count * s->groups[g].nstates);
        t->state[g] = cg_try_alloc(n * sizeof(float) + 64);
        room = t->state[g];
        for (size_t i = 0; room && i < n; i++)
            t->state[g][i] = (float)s->groups[g].initial[i / (size_t)s->groups[g].count];
    }
    if (!room) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_MEMORY, "no room for the optimiser's %zu MiB",
            bytes * (size_t)(1 + s->groups[0].nstates) >> 20);
        return cg_session_err(x, s->span, &err);
    }
    t->tokens = cg_calloc((size_t)(s->batch * s->length) + 1, sizeof *t->tokens);
    t->next_tokens = cg_calloc((size_t)(s->batch * s->length) + 1, sizeof *t->next_tokens);
    if (!runner_new(x, s->step_graph, rows, (CgPlanOptions){ .together = s->together }, s->span, &t->step)
        || !runner_new(x, s->norm_graph, 1, (CgPlanOptions){ 0 }, s->span, &t->norm))
        return false;
    t->grad = cg_exec_block(t->step.exec);
    bind_params(&t->step, &t->memory);
    if (t->valid) {
        if (!runner_new(x, s->loss_graph, rows, (CgPlanOptions){ 0 }, s->span, &t->loss))
            return false;
        bind_params(&t->loss, &t->memory);
    }
    for (int g = 0; g < s->ngroups; g++)
        if (!runner_new(x, s->groups[g].graph, 1, (CgPlanOptions){ .update = true }, s->span, &t->update[g]))
            return false;
    return true;
}

CgTraining *cg_training_new(CgSession *x, CgStage *s)
{
    CgTraining *t = cg_calloc(1, sizeof *t);
    t->x = x;
    t->s = s;
    if (prepare(t))
        return t;
    cg_training_free(t);
    return NULL;
}

CgTrainingCost cg_training_cost(const CgTraining *t)
{
    const CgStage *s = t->s;
    CgTrainingCost c = { .slab = cg_plan_slab(t->step.plan) + cg_plan_slab(t->norm.plan),
        .products = cg_plan_products(t->step.plan),
        .flops = (double)s->accumulate * cg_plan_useful_flops(t->step.plan) };
    for (int i = 0; i < t->memory.n; i++)
        c.parameters += t->memory.bytes[i];
    if (t->sum)
        c.slab += (size_t)s->total * sizeof(float);
    for (int g = 0; g < s->ngroups; g++) { /* parameters and states are updated where they lie */
        c.state += (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float);
        c.slab += cg_plan_slab(t->update[g].plan);
        c.flops += cg_plan_useful_flops(t->update[g].plan);
    }
    if (t->valid)
        c.slab += cg_plan_slab(t->loss.plan);
    return c;
}
