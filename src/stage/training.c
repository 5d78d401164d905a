/* training.c - a training at work: its memory, its plans, one step.
 * Takes a stage; gives steps whose bits depend on what they start from and their number only. Must not keep anything on
 * disk (train.c), nor say what went wrong (training_fault.c). */
#include "stage/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/rows.h"
#include "stage/watch.h"

/* ---- one step -------------------------------------------------------------------------------------------------- */

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

/* Runs the step whose turn it is. */
static void run_share(CgTraining *t, int64_t share)
{
    CgStage *s = t->s;
    int turn = cg_stage_turn(s, t->done);
    CgRunner *step = &t->step[turn];
    t->grad = cg_exec_block(step->exec);
    if (!t->faulty)
        t->faulty_share = share;
    cg_training_fill(t, t->done, share, step);
    cg_exec_bind_output(step->exec, 0, &t->loss_out);
    for (int i = 0; !t->sum && !s->order && i < s->terms.n; i++)
        cg_exec_bind_output(step->exec, 1 + s->ntrained + i, &t->terms[i]);
    cg_training_run(t, step);
    for (int i = 0; s->order && i < s->terms.n; i++)
        t->terms[i] = i == turn ? t->loss_out : NAN;
    clear_padding(t);
}

/* The loss and gradient of a batch in shares: what its loss divides by, or depends on otherwise than as a plain sum, is
 * summed over all shares first. */
static double run_shares(CgTraining *t)
{
    CgStage *s = t->s;
    const CgShares *of = &s->shares;
    cg_totals_clear(&t->totals);
    for (int64_t share = 0; of->before && share < s->accumulate; share++) {
        cg_training_fill(t, t->done, share, &t->before);
        cg_totals_bind_shares(&t->totals, &t->before, 0, of->wanted);
        if (!t->faulty)
            t->faulty_share = share;
        cg_training_run(t, &t->before);
        cg_totals_add(&t->totals, of->wanted);
    }
    cg_totals_close(&t->totals, 1);
    cg_totals_clear(&t->totals);
    cg_totals_bind(&t->totals, t->step);
    for (int64_t share = 0; share < s->accumulate; share++) {
        cg_totals_bind_shares(&t->totals, t->step, 1 + s->ntrained, NULL);
        run_share(t, share);
        cg_totals_add(&t->totals, NULL);
        for (size_t i = 0; i < (size_t)s->total; i++)
            t->sum[i] = share ? t->sum[i] + t->grad[i] : t->grad[i];
    }
    cg_totals_close(&t->totals, 1);
    return cg_totals_loss(&t->totals, t->terms, s->terms.n);
}

/* Which of n numbers is the first that is none; n where all are finite. */
static size_t first_odd(const float *at, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(at[i]))
        i++;
    return i;
}

bool cg_training_finite(CgTraining *t)
{
    for (int g = 0; g < t->s->ngroups; g++) {
        size_t n = (size_t)(t->s->groups[g].count * t->s->groups[g].nstates);
        if (first_odd(t->state[g], n) < n)
            return false;
    }
    return first_odd(t->memory.block, (size_t)t->s->total) == (size_t)t->s->total;
}

/* As the updates noted, or else by the sum of their squares, in one sweep by all threads; that may overflow where no
 * parameter is wrong. */
static bool params_finite(CgTraining *t)
{
    float squares;
    bool finite = true;
    for (int g = 0; t->checks && g < t->s->ngroups; g++)
        finite &= !cg_training_renews(t, g) || cg_exec_finite(t->update[g].exec);
    if (t->checks)
        return finite;
    cg_exec_bind_input(t->norm.exec, 0, t->memory.block);
    cg_exec_bind_output(t->norm.exec, 0, &squares);
    cg_training_run(t, &t->norm);
    return (isfinite(squares) && t->s->learned == t->s->total)
        || first_odd(t->memory.block, (size_t)t->s->total) == (size_t)t->s->total;
}

/* Renews parameters and states; gives the rate, NAN where the optimiser says none. */
static float update(CgTraining *t, CgUpdate *u)
{
    float rate = NAN;
    for (int g = 0; g < t->s->ngroups; g++) {
        if (!cg_training_renews(t, g))
            continue;
        cg_training_bind_update(t, &t->update[g], g, u);
        if (t->s->groups[g].rate >= 0)
            cg_exec_bind_output(t->update[g].exec, t->s->groups[g].rate, &rate);
        cg_training_run(t, &t->update[g]);
    }
    return rate;
}

/* A copy of all that an update changes, to take it back; the other way round with `back`. */
static void keep(CgTraining *t, bool back)
{
    float *at = t->kept;
    size_t n = (size_t)t->s->total;
    memcpy(back ? t->memory.block : at, back ? at : t->memory.block, n * sizeof *at);
    at += n;
    for (int g = 0; g < t->s->ngroups; g++, at += n) {
        n = (size_t)(t->s->groups[g].count * t->s->groups[g].nstates);
        memcpy(back ? t->state[g] : at, back ? at : t->state[g], n * sizeof *at);
    }
}

static CgStepOutcome take_step(CgTraining *t, CgStepResult *out)
{
    CgStage *s = t->s;
    *out = (CgStepResult){ .rate = NAN };
    if (t->sum) {
        out->loss = run_shares(t);
    } else {
        run_share(t, 0);
        out->loss = (double)t->loss_out;
    }
    if (t->faulty)
        return CG_STEP_BAD_INDEX;
    const float *grad = t->sum ? t->sum : t->grad;
    float squares;
    cg_exec_bind_input(t->norm.exec, 0, grad);
    cg_exec_bind_output(t->norm.exec, 0, &squares);
    cg_training_run(t, &t->norm);
    out->norm = sqrt((double)squares);
    if (!isfinite(out->loss) || !isfinite(out->norm))
        return CG_STEP_NOT_FINITE;
    if (t->kept)
        keep(t, false);
    float scale = s->clip > 0 && out->norm > s->clip ? (float)(s->clip / out->norm) : 1.0f;
    CgUpdate u = { grad, scale, 0 };
    if (t->look)
        cg_training_look(t, &u);
    out->rate = (double)update(t, &u);
    if (!params_finite(t)) {
        if (t->kept)
            keep(t, true);
        return CG_STEP_SPOILED;
    }
    t->done++;
    return CG_STEP_TAKEN;
}

CgStepOutcome cg_training_step(CgTraining *t, CgStepResult *out)
{
    double start = cg_now();
    int64_t began = t->trace ? cg_trace_now(t->trace) : 0;
    CgStepOutcome outcome = take_step(t, out);
    if (t->trace)
        cg_trace_frame(t->trace, t->frame, began);
    t->seconds += cg_now() - start;
    t->watched++;
    return outcome;
}

bool cg_training_debug(CgTraining *t)
{
    bool good = true;
    for (int64_t share = 0; t->watch && good && share < t->s->accumulate; share++) {
        char when[160];
        snprintf(when, sizeof when, t->s->accumulate > 1 ? "step %lld of '%s', share %lld" : "step %lld of '%s'",
            (long long)t->done + 1, t->s->label, (long long)share + 1);
        cg_training_fill(t, t->done, share, &t->watch->runner);
        good = cg_watch_run(t->watch, t->s->span, when);
    }
    return good;
}

void cg_training_skip(CgTraining *t) { t->done++; }

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

/* ---- watching -------------------------------------------------------------------------------------------------- */

typedef void WatchFn(CgTraining *t, CgRunner *r, CgPhase phase, const char *name);

static void each_runner(CgTraining *t, WatchFn *fn)
{
    for (int i = 0; i < t->s->nturns; i++)
        fn(t, &t->step[i], CG_PHASE_FORWARD, "forward and backward");
    fn(t, &t->norm, CG_PHASE_UPDATE, "norm of the gradient");
    for (int g = 0; g < t->s->ngroups; g++)
        fn(t, &t->update[g], CG_PHASE_UPDATE, "optimiser");
    if (t->before.exec)
        fn(t, &t->before, CG_PHASE_FORWARD, "sums of the batch");
    CgRunner *measures[] = { &t->valid.full, &t->valid.rest, &t->metrics.full, &t->metrics.rest };
    for (size_t i = 0; i < CG_LEN(measures); i++)
        if (measures[i]->exec)
            fn(t, measures[i], CG_PHASE_VALIDATE, cg_training_measuring(t, measures[i])->name);
}

static void count(CgTraining *t, CgRunner *r, CgPhase phase, const char *name)
{
    (void)name;
    cg_profile_add(&t->x->profile, r->exec, phase, t->x->sources);
}

void cg_training_watch(CgTraining *t)
{
    t->trace = t->x->trace;
    if (t->trace)
        t->frame = cg_trace_name(t->trace, "step");
    each_runner(t, cg_training_watch_runner);
    t->valid.watched = t->metrics.watched = true;
    t->seconds = 0;
    t->watched = 0;
}

void cg_training_count(CgTraining *t)
{
    if (!t->x->opts.profile)
        return;
    each_runner(t, count);
    CgWaits waits = cg_batches_ahead_waits(t);
    t->x->profile.batches.items += waits.items;
    t->x->profile.batches.waits += waits.waits;
    t->x->profile.batches.seconds += waits.seconds;
    cg_profile_steps(&t->x->profile, t->watched, t->seconds);
}

/* ---- beginning and end ----------------------------------------------------------------------------------------- */

void cg_training_free(CgTraining *t)
{
    cg_watch_free(t->watch);
    for (int i = 0; t->step && i < t->s->nturns; i++)
        cg_runner_free(&t->step[i]);
    free(t->step);
    cg_runner_free(&t->before);
    cg_runner_free(&t->norm);
    cg_measure_free(&t->valid);
    cg_measure_free(&t->metrics);
    cg_totals_free(&t->totals);
    cg_totals_free(&t->metric_totals);
    cg_totals_free(&t->valid_totals);
    for (int i = 0; t->update && i < t->s->ngroups; i++)
        cg_runner_free(&t->update[i]);
    free(t->update);
    for (int i = 0; t->state && i < t->s->ngroups; i++)
        free(t->state[i]);
    free(t->state);
    free(t->sum);
    free(t->kept);
    cg_batches_ahead_free(t);
    cg_batch_free(t->data, t->rows);
    cg_memory_free(&t->memory);
    cg_memory_free(&t->metric_memory);
    cg_memory_free(&t->valid_memory);
    free(t->terms);
    free(t);
}

static bool open_data(CgTraining *t)
{
    CgStage *s = t->s;
    t->data = cg_dataset_of(t->x, s->data);
    t->valid = (CgMeasure){ .name = "validation", .memory = &t->memory, .totals = &t->totals, .n = 1 };
    t->metrics = (CgMeasure){ .name = "metrics", .n = 1 + s->metrics.n };
    t->valid.data = t->data && s->validate ? cg_dataset_of(t->x, s->validate) : NULL;
    if (s->metrics.n)
        t->metrics.data = s->validate ? t->valid.data : t->data;
    CgErr err = { 0 };
    if (t->valid.data && !cg_rows_same_tokens(t->data, t->valid.data, &err))
        return cg_session_err(t->x, s->validate->span, &err);
    return t->data && (!s->validate || t->valid.data);
}

static bool open_memory(CgTraining *t)
{
    CgStage *s = t->s;
    size_t bytes = (size_t)s->total * sizeof(float) + 64, states = 0;
    for (int g = 0; g < s->ngroups; g++)
        states += (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float) + 64;
    t->sum = s->accumulate > 1 ? cg_try_alloc(bytes) : NULL;
    t->kept = s->skip ? cg_try_alloc(bytes + states) : NULL;
    t->update = cg_calloc((size_t)s->ngroups, sizeof *t->update);
    t->state = cg_calloc((size_t)s->ngroups, sizeof *t->state);
    bool room = (s->accumulate == 1 || t->sum) && (!s->skip || t->kept);
    for (int g = 0; room && g < s->ngroups; g++)
        room = (t->state[g] = cg_try_alloc((size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float) + 64));
    const CgGraph *g = s->model->graph;
    CgErr err = { 0 };
    t->terms = cg_calloc((size_t)s->terms.n + 1, sizeof *t->terms);
    if (!room)
        cg_err(&err, CG_ERR_MEMORY, "no room for the optimiser's states: %zu MiB", (bytes + states) >> 20);
    else if (cg_batch_room(t->data, g, s->batch, &t->rows, &err) && cg_batches_ahead_open(t)
        && (!t->valid.data || cg_batch_room(t->valid.data, g, s->batch / s->accumulate, &t->valid.rows, &err))
        && (!s->metrics.n || cg_batch_room(t->metrics.data, s->metrics_model->graph, s->batch, &t->metrics.rows, &err)))
        return true;
    return cg_session_err(t->x, s->span, &err);
}

/* A graph of its own, whose parameters are those that are trained, and of other models. */
static bool open_beside(CgTraining *t, CgMeasure *m, const CgModelGraph *model, const CgGraph *g,
    const CgShares *shares, CgMemory *memory, CgTotals *totals)
{
    const CgStage *s = t->s;
    m->memory = memory;
    m->totals = totals;
    return cg_memory_fill_beside(t->x, model, s->model, &t->memory, s->seed, memory)
        && (!shares->sums || cg_totals_new(t->x, shares, memory, s->span, totals)) && cg_measure_open(t, m, g, shares);
}

static bool open_validation(CgTraining *t)
{
    const CgStage *s = t->s;
    return s->valid_model ? open_beside(
               t, &t->valid, s->valid_model, s->valid_graph, &s->valid_shares, &t->valid_memory, &t->valid_totals)
                          : cg_measure_open(t, &t->valid, s->loss_graph, &s->shares);
}

/* Whether the new parameters are looked at while they are made. */
static bool checks_params(const CgRunner *r)
{
    for (size_t i = 0; i < r->graph->outputs.len; i++)
        if (!strcmp(r->graph->outputs.at[i].name, "p"))
            return cg_exec_check_finite(r->exec, (int)i);
    return false;
}

static bool open_plans(CgTraining *t)
{
    CgSession *x = t->x;
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate;
    CgPlanOptions bound = { .outputs_bound = true };
    CgPlanOptions together = { .outputs_bound = true, .together = s->together, .memory = x->opts.memory };
    CgPlanOptions renewed = { .outputs_bound = true, .update = true };
    t->step = cg_calloc((size_t)s->nturns, sizeof *t->step);
    for (int i = 0; i < s->nturns; i++) {
        if (!cg_runner_new(x, s->turns[i].graph, rows, together, s->span, &t->step[i]))
            return false;
        cg_runner_bind_params(&t->step[i], &t->memory);
    }
    if (!cg_runner_new(x, s->norm_graph, 1, bound, s->span, &t->norm))
        return false;
    if (s->shares.sums && !cg_totals_new(x, &s->shares, &t->memory, s->span, &t->totals))
        return false;
    if (s->shares.before) {
        if (!cg_runner_new(x, s->shares.before, rows, bound, s->span, &t->before))
            return false;
        cg_runner_bind_params(&t->before, &t->memory);
    }
    if (!cg_watch_new(x, s->model, rows, s->span, &t->watch))
        return false;
    if (t->watch)
        cg_runner_bind_params(&t->watch->runner, &t->memory);
    if (t->valid.data && !open_validation(t))
        return false;
    if (s->metrics.n
        && !open_beside(t, &t->metrics, s->metrics_model, s->metrics_graph, &s->metric_shares, &t->metric_memory,
            &t->metric_totals))
        return false;
    t->checks = true;
    for (int g = 0; g < s->ngroups; g++) {
        if (!cg_runner_new(x, s->groups[g].graph, 1, renewed, s->span, &t->update[g]))
            return false;
        t->checks &= checks_params(&t->update[g]);
    }
    return true;
}

static void begin_states(CgTraining *t)
{
    const CgStage *s = t->s;
    for (int g = 0; g < s->ngroups; g++) {
        size_t n = (size_t)(s->groups[g].count * s->groups[g].nstates);
        for (size_t i = 0; i < n; i++)
            t->state[g][i] = (float)s->groups[g].initial[i / (size_t)s->groups[g].count];
    }
    t->done = 0;
    t->filled = -1;
}

bool cg_training_restart(CgTraining *t)
{
    CgStage *s = t->s;
    CgMemory memory;
    if (!cg_memory_fill(t->x, s->model, s, s->seed, &memory))
        return false;
    memcpy(t->memory.block, memory.block, (size_t)s->total * sizeof(float)); /* plans are bound to where it lies */
    cg_memory_free(&memory);
    begin_states(t);
    return true;
}

CgTraining *cg_training_new(CgSession *x, CgStage *s)
{
    CgTraining *t = cg_calloc(1, sizeof *t);
    t->x = x;
    t->s = s;
    if (open_data(t) && cg_memory_fill(x, s->model, s, s->seed, &t->memory) && open_memory(t) && open_plans(t)) {
        begin_states(t);
        return t;
    }
    cg_training_free(t);
    return NULL;
}

CgTrainingCost cg_training_cost(const CgTraining *t)
{
    const CgStage *s = t->s;
    CgTrainingCost c = { .slab = cg_plan_slab(t->norm.plan), .products = cg_plan_products(t->step[0].plan) };
    for (int i = 0; i < s->nturns; i++) { /* a step is one of them, as often as it has a turn */
        double often = s->order ? (double)cg_stage_updates(s, (uint64_t)1 << i, s->norder) / s->norder : 1;
        c.slab += cg_plan_slab(t->step[i].plan);
        c.flops += often * (double)s->accumulate * cg_plan_useful_flops(t->step[i].plan);
    }
    for (int i = 0; i < t->memory.n; i++)
        c.parameters += t->memory.bytes[i];
    if (t->sum)
        c.slab += (size_t)s->total * sizeof(float);
    if (t->before.plan) {
        c.slab += cg_plan_slab(t->before.plan);
        c.flops += (double)s->accumulate * cg_plan_useful_flops(t->before.plan);
    }
    for (int g = 0; g < s->ngroups; g++) { /* parameters and states are updated where they lie */
        c.state += (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float);
        c.slab += cg_plan_slab(t->update[g].plan);
        c.flops += cg_plan_useful_flops(t->update[g].plan);
    }
    const CgMeasure *measures[] = { &t->valid, &t->metrics };
    for (size_t i = 0; i < CG_LEN(measures); i++)
        if (measures[i]->full.plan)
            c.slab += cg_plan_slab(measures[i]->full.plan);
    return c;
}
