/* train.c - carrying out a training.
 * Takes a stage; gives its weights: from the store, or by steps that can stop anywhere and go on with the same bits.
 * Batches, draws and schedules are functions of the step, so parameters, optimiser states and the step are all there is
 * to keep. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiment/bench.h"

enum { VERSION = 1, VALID_BATCHES = 8 };    /* VERSION: of what a training means; raised when the same key would give other bits */

typedef struct Runner {
    CgPlan *plan;
    CgExec *exec;
    int     frame;               /* its name in the trace */
} Runner;

struct CgTraining {
    CgExperiment *x;
    CgStage  *s;
    CgMemory  memory;
    float    *grad;              /* of the contiguous block, in the slab of `step` */
    float    *sum;               /* over the shares of a batch; NULL where there is one */
    float   **state;             /* by group, then state: contiguous in one block each */
    Runner    step, loss, norm, *update;
    CgWindows *windows, *valid;
    CgTensors batches;           /* data from a file of batches */
    int32_t  *tokens, *next_tokens;
    int64_t   done;
    double    best; float *best_block; int64_t waited;
    float     loss_out;
    double    seconds;           /* in steps, since they are watched */
    int64_t   watched;           /* that many steps */
    int       frame;             /* the name of a step in the trace */
};
typedef CgTraining Training;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void runner_free(Runner *r)
{
    if (r->exec)
        cg_exec_free(r->exec);
    if (r->plan)
        cg_plan_free(r->plan);
    memset(r, 0, sizeof *r);
}

static bool runner_new(CgExperiment *x, const CgGraph *g, int64_t batch, CgPlanOptions options, CgSpan at, Runner *r)
{
    CgErr err = {0};
    CgBinding b = { cg_intern("batch"), batch };
    options.outputs_bound = true;
    options.sources = x->sources;
    r->plan = cg_plan_build(g, (CgBindings){ &b, 1 }, options, &err);
    r->exec = r->plan ? cg_exec_new(r->plan, x->pool, &err) : NULL;
    if (!r->exec) {
        runner_free(r);
        return cg_experiment_err(x, at, &err);
    }
    cg_experiment_note_precision(x, g);
    return true;
}

static void bind_inputs(const Runner *r, const CgGraph *g, const int32_t *tokens, const int32_t *next)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(r->exec, (int)i, strcmp(cg_node_name(g, g->inputs.at[i]), "next") ? tokens : next);
}

static void bind_params(const Runner *r, const CgMemory *m)
{
    for (int i = 0; i < m->n; i++)
        cg_exec_bind_param(r->exec, i, m->at[i]);
}

/* Runs a plan that is bound, and says so in the trace. */
static void run(const Training *t, const Runner *r)
{
    CgTrace *trace = t->x->trace;
    int64_t start = trace ? cg_trace_now(trace) : 0;
    cg_exec_run(r->exec);
    if (trace)
        cg_trace_frame(trace, r->frame, start);
}

static void training_free(Training *t)
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
    free(t->best_block);
    free(t->tokens);
    free(t->next_tokens);
    if (t->batches.n)
        cg_tensors_free(&t->batches);
    cg_memory_free(&t->memory);
}

/* ---- the key ---------------------------------------------------------------------------------------------------------- */

static bool make_key(CgExperiment *x, CgStage *s)
{
    CgDigester *d = cg_digester_new();
    int64_t numbers[] = { VERSION, s->steps, s->batch, s->accumulate, s->seed + x->opts.seed, s->patience };
    cg_digester_add(d, "train", 5);
    cg_digester_add(d, numbers, sizeof numbers);
    cg_digester_add(d, &s->clip, sizeof s->clip);
    CgDigest graph = cg_graph_digest(s->step_graph);
    cg_digester_add(d, &graph, sizeof graph);
    for (int i = 0; i < s->ngroups; i++) {
        CgDigest g = cg_graph_digest(s->groups[i].graph);
        cg_digester_add(d, &g, sizeof g);
        cg_digester_add(d, s->groups[i].initial, sizeof(double) * (size_t)s->groups[i].nstates);
    }
    CgDigest data;
    bool good = cg_data_digest(x, s->data, &data) && cg_model_digest(x, s->model, d);
    if (good) {
        cg_digester_add(d, &data, sizeof data);
        if (s->patience) {
            good = cg_data_digest(x, s->validate, &data);
            cg_digester_add(d, &data, sizeof data);
            cg_digester_add(d, &s->validate_every, sizeof s->validate_every);
        }
    }
    s->key = cg_digester_free(d);
    return good;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------------- */

static CgTensor flat(const float *at, int64_t n)
{
    CgTensor t = { .data = (void *)(uintptr_t)at, .dtype = CG_F32, .rank = 1 };
    t.dim[0] = n;
    t.stride[0] = 1;
    return t;
}

static bool checkpoint(Training *t)
{
    CgStage *s = t->s;
    CgNamed named[3 + CG_MAX_RANK];
    char names[3 + CG_MAX_RANK][24];
    int n = 0;
    snprintf(names[n], sizeof names[n], "parameters");
    named[n] = (CgNamed){ names[n], flat(t->memory.block, s->total) };
    n++;
    for (int g = 0; g < s->ngroups; g++)
        if (s->groups[g].nstates) {
            snprintf(names[n], sizeof names[n], "state.%d", g);
            named[n] = (CgNamed){ names[n], flat(t->state[g], s->groups[g].count * s->groups[g].nstates) };
            n++;
        }
    if (t->best_block) {
        snprintf(names[n], sizeof names[n], "best");
        named[n] = (CgNamed){ names[n], flat(t->best_block, s->total) };
        n++;
    }
    char best[40], waited[24];
    snprintf(best, sizeof best, "%a", t->best);
    snprintf(waited, sizeof waited, "%lld", (long long)t->waited);
    const char *keys[] = { "best", "waited" }, *values[] = { best, waited };
    CgErr err = {0};
    char *path = cg_stage_begin(t->x->store, s->key, (uint64_t)t->done, &err);
    bool good = path && cg_safetensors_write(path, named, n, keys, values, 2, &err) && cg_stage_seal(t->x->store, s->key, (uint64_t)t->done, &err);
    free(path);
    return good || cg_experiment_err(t->x, s->span, &err);
}

static bool same_size(const CgTensor *t, int64_t n)
{
    return t && t->dtype == CG_F32 && t->rank == 1 && t->dim[0] == n;
}

static void resume(Training *t)
{
    CgStage *s = t->s;
    uint64_t step = 0;
    char *path = cg_stage_find(t->x->store, s->key, &step);
    if (!path)
        return;
    CgTensors c = {0};
    CgErr err = {0};
    bool good = cg_safetensors_read(path, &c, &err);
    free(path);
    if (!good)
        return;       /* the store vouched for it, so this is a file of another time; start anew */
    char name[24];
    good = same_size(cg_tensors_find(&c, "parameters"), s->total) && (int64_t)step <= s->steps;
    for (int g = 0; good && g < s->ngroups; g++) {
        snprintf(name, sizeof name, "state.%d", g);
        good = !s->groups[g].nstates || same_size(cg_tensors_find(&c, name), s->groups[g].count * s->groups[g].nstates);
    }
    if (good) {
        memcpy(t->memory.block, cg_tensors_find(&c, "parameters")->data, (size_t)s->total * sizeof(float));
        for (int g = 0; g < s->ngroups; g++) {
            snprintf(name, sizeof name, "state.%d", g);
            if (s->groups[g].nstates)
                memcpy(t->state[g], cg_tensors_find(&c, name)->data, (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float));
        }
        const CgTensor *best = cg_tensors_find(&c, "best");
        if (same_size(best, s->total)) {
            t->best_block = cg_malloc((size_t)s->total * sizeof(float));
            memcpy(t->best_block, best->data, (size_t)s->total * sizeof(float));
        }
        for (int i = 0; i < c.nmeta; i++) {
            if (!strcmp(c.keys[i], "best"))
                t->best = strtod(c.values[i], NULL);
            if (!strcmp(c.keys[i], "waited"))
                t->waited = strtoll(c.values[i], NULL, 10);
        }
        t->done = (int64_t)step;
    }
    cg_tensors_free(&c);
}

/* ---- one step ------------------------------------------------------------------------------------------------------------ */

static void fill_batch(Training *t, int64_t step, int64_t share)
{
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate, length = s->length;
    if (t->windows) {
        if (share == 0)
            cg_windows_batch(t->windows, (uint64_t)(s->seed + t->x->opts.seed), (uint64_t)step, (int)s->batch, t->tokens, t->next_tokens);
        bind_inputs(&t->step, s->step_graph, t->tokens + share * rows * length, t->next_tokens + share * rows * length);
        return;
    }
    const CgTensor *tokens = cg_tensors_find(&t->batches, "tokens"), *next = cg_tensors_find(&t->batches, "next");
    int64_t at = (step % tokens->dim[0]) * s->batch * length + share * rows * length;
    bind_inputs(&t->step, s->step_graph, (const int32_t *)tokens->data + at, (const int32_t *)next->data + at);
}

/* A loss or gradient that is not a number: runs the step once more, looking at every result. */
static bool explain_nan(Training *t, double loss, double norm)
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
    CgDiag *d = cg_diag(t->x->diags, CG_E0602, span, "step %lld of '%s': the %s is not finite%s%s", (long long)t->done, s->label,
                        isfinite(loss) ? "gradient" : "loss", *op ? "; the first op to give such a number is " : "", op);
    cg_diag_note(d, s->span, "in this training (loss %g, gradient norm %g)", loss, norm);
    cg_diag_help(d, "a smaller rate, a longer warm-up or clip usually keeps numbers finite; the last checkpoint is kept");
    return false;
}

/* Other tensors lay between the gradients. */
static void clear_padding(Training *t)
{
    const CgStage *s = t->s;
    for (int i = 0; i < s->ntrained; i++) {
        int64_t from = s->trained[i].offset + s->trained[i].count, to = i + 1 < s->ntrained ? s->trained[i + 1].offset : s->total;
        memset(t->grad + from, 0, (size_t)(to - from) * sizeof *t->grad);
    }
}

static bool take_step(Training *t, double *loss_out, double *norm_out, double *rate_out)
{
    CgStage *s = t->s;
    double loss = 0;
    size_t n = (size_t)s->total;
    for (int64_t share = 0; share < s->accumulate; share++) {
        fill_batch(t, t->done, share);
        cg_exec_bind_output(t->step.exec, 0, &t->loss_out);
        cg_exec_random(t->step.exec, (uint64_t)(s->seed + t->x->opts.seed), (uint64_t)(t->done * s->accumulate + share));
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
            const void *from = !strcmp(name, "p") ? (const void *)(t->memory.block + at) : !strcmp(name, "g") ? (const void *)(grad + at)
                : !strcmp(name, "scale") ? (const void *)&scale : !strcmp(name, "step") ? (const void *)&step
                : (const void *)(t->state[g] + group->count * state++);
            cg_exec_bind_input(exec, (int)i, from);
        }
        if (group->rate >= 0)
            cg_exec_bind_output(exec, group->rate, &rate);
        run(t, &t->update[g]);
        at += group->count;
    }
    t->done++;
    *loss_out = loss;
    *norm_out = norm;
    *rate_out = (double)rate;
    return true;
}

static bool one_step(Training *t, double *loss, double *norm, double *rate)
{
    double start = now();
    int64_t began = t->x->trace ? cg_trace_now(t->x->trace) : 0;
    bool good = take_step(t, loss, norm, rate);
    if (t->x->trace)
        cg_trace_frame(t->x->trace, t->frame, began);
    t->seconds += now() - start;
    t->watched++;
    return good;
}

static double validate(Training *t)
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

/* ---- watching ----------------------------------------------------------------------------------------------------------- */

typedef void WatchFn(CgExperiment *x, Runner *r, CgPhase phase, const char *name);

static void each_runner(Training *t, WatchFn *fn)
{
    fn(t->x, &t->step, CG_PHASE_FORWARD, "forward and backward");
    fn(t->x, &t->norm, CG_PHASE_UPDATE, "norm of the gradient");
    for (int g = 0; g < t->s->ngroups; g++)
        fn(t->x, &t->update[g], CG_PHASE_UPDATE, "optimiser");
    if (t->valid)
        fn(t->x, &t->loss, CG_PHASE_VALIDATE, "validation");
}

static void watch(CgExperiment *x, Runner *r, CgPhase phase, const char *name)
{
    cg_exec_profile(r->exec, x->opts.profile);
    if (x->trace) {
        cg_exec_trace(r->exec, x->trace, cg_trace_plan(x->trace, r->plan, phase));
        r->frame = cg_trace_name(x->trace, name);
    }
}

static void count(CgExperiment *x, Runner *r, CgPhase phase, const char *name)
{
    (void)name;
    cg_profile_add(&x->profile, r->exec, phase, x->sources);
}

/* Counts from here on, and writes the trace, as the experiment's options say. */
static void begin_watching(Training *t)
{
    if (t->x->trace)
        t->frame = cg_trace_name(t->x->trace, "step");
    each_runner(t, watch);
    t->seconds = 0;
    t->watched = 0;
}

static void end_watching(Training *t)
{
    if (!t->x->opts.profile)
        return;
    each_runner(t, count);
    cg_profile_steps(&t->x->profile, t->watched, t->seconds);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static bool prepare(Training *t)
{
    CgExperiment *x = t->x;
    CgStage *s = t->s;
    int64_t rows = s->batch / s->accumulate;
    if (!strcmp(s->data->s, "batches")) {
        CgErr err = {0};
        CgValue *path = cg_record_find(s->data, cg_intern("path"));
        if (!cg_safetensors_read(path->s, &t->batches, &err))
            return cg_experiment_err(x, path->span, &err);
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
        CgErr err = {0};
        cg_err(&err, CG_ERR_MEMORY, "no room for the optimiser's %zu MiB", bytes * (size_t)(1 + s->groups[0].nstates) >> 20);
        return cg_experiment_err(x, s->span, &err);
    }
    t->tokens = cg_calloc((size_t)(s->batch * s->length) + 1, sizeof *t->tokens);
    t->next_tokens = cg_calloc((size_t)(s->batch * s->length) + 1, sizeof *t->next_tokens);
    if (!runner_new(x, s->step_graph, rows, (CgPlanOptions){ .together = s->together }, s->span, &t->step)
        || !runner_new(x, s->norm_graph, 1, (CgPlanOptions){0}, s->span, &t->norm))
        return false;
    t->grad = cg_exec_block(t->step.exec);
    bind_params(&t->step, &t->memory);
    if (t->valid) {
        if (!runner_new(x, s->loss_graph, rows, (CgPlanOptions){0}, s->span, &t->loss))
            return false;
        bind_params(&t->loss, &t->memory);
    }
    for (int g = 0; g < s->ngroups; g++)
        if (!runner_new(x, s->groups[g].graph, 1, (CgPlanOptions){ .update = true }, s->span, &t->update[g]))
            return false;
    t->best = INFINITY;
    return true;
}

/* Digest of every frozen tensor, and one of them all. */
static CgDigest frozen_digest(const Training *t, char (*hex)[33], int *count)
{
    CgDigester *d = cg_digester_new();
    *count = 0;
    for (int i = 0; i < t->memory.n; i++) {
        const CgParamInfo *p = &t->s->model->params.at[i];
        if (!p->frozen && !p->foreign)
            continue;
        CgDigest one = cg_digest(t->memory.at[i], t->memory.bytes[i]);
        cg_digest_hex(one, hex[i]);
        cg_digester_add(d, &one, sizeof one);
        ++*count;
    }
    return cg_digester_free(d);
}

/* A parameter as a tensor that lies in `memory`. */
static CgTensor tensor_of(const CgModelGraph *m, const CgMemory *memory, int i)
{
    const CgType *type = cg_node_type(m->graph, m->params.at[i].ref);
    CgTensor at = { .data = memory->at[i], .dtype = type->dtype, .rank = type->rank };
    int64_t stride = 1;
    for (int k = type->rank; k-- > 0;) {
        cg_dim_is_int(type->dim[k], &at.dim[k]);
        at.stride[k] = stride;
        stride *= at.dim[k];
    }
    return at;
}

static bool finish(Training *t, char (*before)[33], char (*after)[33])
{
    CgExperiment *x = t->x;
    CgStage *s = t->s;
    const CgModelGraph *m = s->model;
    int n = 0, nmeta = 0;
    CgNamed *named = cg_calloc((size_t)t->memory.n + 1, sizeof *named);
    const char **keys = cg_calloc((size_t)t->memory.n * 2 + 2, sizeof *keys), **values = cg_calloc((size_t)t->memory.n * 2 + 2, sizeof *values);
    for (int i = 0; i < t->memory.n; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->foreign)
            continue;
        named[n++] = (CgNamed){ (char *)(uintptr_t)p->path, tensor_of(m, &t->memory, i) };
        if (p->frozen) {
            keys[nmeta] = cg_arena_printf(x->elab->arena, "frozen.%s", p->path);
            values[nmeta++] = cg_arena_printf(x->elab->arena, "%s before, %s after", before[i], after[i]);
        }
    }
    CgErr err = {0};
    char *path = cg_store_begin(x->store, s->key, &err);
    bool good = path && cg_safetensors_write(path, named, n, keys, values, nmeta, &err) && cg_store_seal(x->store, s->key, &err)
        && cg_safetensors_read(path, &s->weights, &err);
    if (good && x->run)
        cg_run_artifact(x->run, s->label, path, s->key);
    free(path);
    free(named);
    free(keys);
    free(values);
    if (!good)
        return cg_experiment_err(x, s->span, &err);
    cg_stage_end(x->store, s->key);
    return true;
}

static bool loop(Training *t, CgProgress *progress, bool *stopped)
{
    CgExperiment *x = t->x;
    CgStage *s = t->s;
    const char *every_text = cg_debug_value("checkpoint-every");
    int64_t every = every_text ? strtoll(every_text, NULL, 10) : 0;
    double saved = now();
    while (t->done < s->steps) {
        double loss = 0, norm = 0, rate = NAN;
        if (!one_step(t, &loss, &norm, &rate))
            return false;
        cg_progress_value(progress, "loss", loss);
        cg_progress_value(progress, "grad", norm);
        if (isfinite(rate))
            cg_progress_value(progress, "rate", rate);
        /* the index has the first steps in full, then one in ten */
        if (x->run && (t->done <= 100 || t->done % 10 == 0 || t->done == s->steps)) {
            cg_run_metric(x->run, t->done, cg_intern("loss"), loss);
            cg_run_metric(x->run, t->done, cg_intern("gradient_norm"), norm);
        }
        if (t->valid && (t->done % s->validate_every == 0 || t->done == s->steps)) {
            double v = validate(t);
            cg_progress_value(progress, "valid", v);
            if (x->run)
                cg_run_metric(x->run, t->done, cg_intern("valid_loss"), v);
            if (s->patience && v < t->best) {
                t->best = v;
                t->waited = 0;
                if (!t->best_block)
                    t->best_block = cg_malloc((size_t)s->total * sizeof(float));
                memcpy(t->best_block, t->memory.block, (size_t)s->total * sizeof(float));
            } else if (s->patience && ++t->waited >= s->patience) {
                cg_progress_step(progress, t->done);
                break;
            }
        }
        cg_progress_step(progress, t->done);
        bool due = every ? t->done % every == 0 : now() - saved > 20;
        if (cg_experiment_stopped(x) && t->done < s->steps) {
            *stopped = true;
            return checkpoint(t);
        }
        if (due && t->done < s->steps) {
            if (!checkpoint(t))
                return false;
            saved = now();
        }
    }
    if (t->best_block)
        memcpy(t->memory.block, t->best_block, (size_t)s->total * sizeof(float));
    return true;
}

static bool found(CgExperiment *x, CgStage *s)
{
    if (!cg_store_has(x->store, s->key))
        return false;
    char *path = cg_store_path(x->store, s->key);
    CgErr err = {0};
    bool good = cg_safetensors_read(path, &s->weights, &err);
    free(path);
    return good;
}

bool cg_train_run(CgExperiment *x, CgStage *s)
{
    if (!make_key(x, s))
        return false;
    if (found(x, s))
        return true;
    CgErr err = {0};
    char what[200];
    snprintf(what, sizeof what, "training '%s'", s->label);
    CgLock *lock = cg_store_lock(x->store, s->key, what, &err);
    if (!lock)
        return cg_experiment_err(x, s->span, &err);
    if (found(x, s)) {
        cg_io_unlock(lock);
        return true;
    }
    Training t = { .x = x, .s = s };
    bool good = prepare(&t), stopped = false;
    if (good) {
        resume(&t);
        int64_t trained = 0, frozen = 0;
        for (int i = 0; i < s->ntrained; i++)
            trained += s->trained[i].count;
        for (int i = 0; i < t.memory.n; i++)
            if (s->model->params.at[i].frozen)
                frozen += (int64_t)(t.memory.bytes[i] / sizeof(float));
        char name[160], precision[64] = "";
        snprintf(name, sizeof name, "train %s", s->label);
        CgProducts products = cg_plan_products(t.step.plan);
        if (products.bf16)
            snprintf(precision, sizeof precision, ", bf16 in %d of %d products", products.bf16, products.all);
        CgProgress *progress = cg_progress_new(&(CgProgressOpts){ .name = name, .total = s->steps, .from = t.done,
            .per_step = (double)(s->batch * s->length), .quiet = x->opts.quiet });
        cg_progress_say(progress, "%s: %lld parameters trained, %lld frozen; %lld steps of %lld x %lld tokens; %.1f MiB planned%s%s", name, (long long)trained,
                        (long long)frozen, (long long)s->steps, (long long)s->batch, (long long)s->length,
                        (double)cg_plan_slab(t.step.plan) / 1048576.0, precision, t.done ? "; goes on where it stopped" : "");
        char (*before)[33] = cg_calloc((size_t)t.memory.n + 1, 33), (*after)[33] = cg_calloc((size_t)t.memory.n + 1, 33);
        int nfrozen = 0;
        CgDigest d0 = frozen_digest(&t, before, &nfrozen);
        begin_watching(&t);
        good = loop(&t, progress, &stopped);
        CgDigest d1 = frozen_digest(&t, after, &nfrozen);
        if (good && nfrozen && !stopped) {
            char h0[33], h1[33];
            cg_digest_hex(d0, h0);
            cg_digest_hex(d1, h1);
            CG_ASSERT(cg_digest_equal(d0, d1), "a frozen tensor kept its bits");
            cg_progress_say(progress, "%s: %d frozen tensors, digest %.16s before and %.16s after", name, nfrozen, h0, h1);
        }
        cg_progress_free(progress, stopped ? "interrupted" : !good ? "failed" : t.done < s->steps ? "stopped early" : NULL);
        end_watching(&t);
        if (good && !stopped)
            good = finish(&t, before, after);
        free(before);
        free(after);
    }
    training_free(&t);
    cg_io_unlock(lock);
    if (good && stopped) {
        cg_err(&err, CG_ERR_INTERRUPTED, "stopped in training '%s'; the same command goes on from there", s->label);
        return cg_experiment_err(x, s->span, &err);
    }
    return good;
}

/* ---- for cg bench --------------------------------------------------------------------------------------------------------- */

bool cg_train_untrained(CgExperiment *x, CgStage *s)
{
    CgMemory memory;
    if (!cg_memory_fill(x, s->model, NULL, s->seed, &memory))
        return false;
    CgTensors *w = &s->weights;
    w->at = cg_calloc((size_t)memory.n + 1, sizeof *w->at);
    for (int i = 0; i < memory.n; i++)
        if (!s->model->params.at[i].foreign)
            w->at[w->n++] = (CgNamed){ cg_strdup(s->model->params.at[i].path), tensor_of(s->model, &memory, i) };
    w->own = memory.rest;
    memory.rest = NULL;
    cg_memory_free(&memory);
    return true;
}

CgTraining *cg_training_new(CgExperiment *x, CgStage *s)
{
    Training *t = cg_calloc(1, sizeof *t);
    *t = (Training){ .x = x, .s = s };
    if (prepare(t))
        return t;
    cg_training_free(t);
    return NULL;
}

void cg_training_free(CgTraining *t)
{
    training_free(t);
    free(t);
}

bool cg_training_step(CgTraining *t, double *loss)
{
    double norm, rate;
    return one_step(t, loss, &norm, &rate);
}

void cg_training_watch(CgTraining *t)
{
    begin_watching(t);
}

void cg_training_count(CgTraining *t)
{
    end_watching(t);
}

CgTrainingCost cg_training_cost(const CgTraining *t)
{
    const CgStage *s = t->s;
    CgTrainingCost c = { .slab = cg_plan_slab(t->step.plan) + cg_plan_slab(t->norm.plan), .products = cg_plan_products(t->step.plan),
                         .flops = (double)s->accumulate * cg_plan_useful_flops(t->step.plan) };
    for (int i = 0; i < t->memory.n; i++)
        c.parameters += t->memory.bytes[i];
    if (t->sum)
        c.slab += (size_t)s->total * sizeof(float);
    for (int g = 0; g < s->ngroups; g++) {      /* parameters and states are updated where they lie */
        c.state += (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float);
        c.slab += cg_plan_slab(t->update[g].plan);
        c.flops += cg_plan_useful_flops(t->update[g].plan);
    }
    if (t->valid)
        c.slab += cg_plan_slab(t->loss.plan);
    return c;
}
