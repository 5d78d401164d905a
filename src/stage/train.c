/* train.c - carrying out a training.
 * Takes a stage; gives its weights: from the store, or by steps (training.c) that can stop anywhere and go on with the
 * same bits. Must not look into a step. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "graph/registry.h"
#include "run/gemm/blas.h"
#include "stage/history.h"
#include "stage/training.h"

enum { SKIPS = 20 }; /* in a row, then even on_nan = "skip" gives up */

static bool key(CgSession *x, CgStage *s, CgDigester *d)
{
    int64_t numbers[] = { s->steps, s->batch, s->accumulate, (int64_t)cg_session_seed(x, s->seed), s->early_stop,
        s->skip };
    cg_digester_add(d, numbers, sizeof numbers);
    cg_digester_add(d, &s->clip, sizeof s->clip);
    CgDigest graph = { 0 };
    for (int i = 0; i < s->nturns; i++) {
        graph = cg_graph_digest(s->turns[i].graph);
        cg_digester_add(d, &graph, sizeof graph);
    }
    if (s->order)
        cg_digester_add(d, s->order, sizeof *s->order * (size_t)s->norder);
    for (int i = 0; i < s->ngroups; i++) {
        CgDigest g = cg_graph_digest(s->groups[i].graph);
        cg_digester_add(d, &g, sizeof g);
        cg_digester_add(d, s->groups[i].initial, sizeof(double) * (size_t)s->groups[i].nstates);
    }
    for (int i = 0; i < s->ntrained && s->several; i++) { /* which parameter has which optimiser */
        int32_t pair[2] = { s->trained[i].param, s->trained[i].group };
        cg_digester_add(d, pair, sizeof pair);
    }
    CgDigest data;
    bool good = cg_data_digest(x, s->data, &data) && cg_model_digest(x, s->model, d);
    if (good) {
        cg_digester_add(d, &data, sizeof data);
        s->data_digest = data;
        if (s->early_stop || s->stalls) {
            good = cg_data_digest(x, s->validate, &data);
            cg_digester_add(d, &data, sizeof data);
            graph = s->valid_graph ? cg_graph_digest(s->valid_graph) : graph;
            cg_digester_add(d, &graph, s->valid_graph ? sizeof graph : 0);
            cg_digester_add(d, &s->validate_every, sizeof s->validate_every);
            cg_digester_add(d, &s->patience, s->stalls ? sizeof s->patience : 0);
        }
    }
    return good;
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------- */

/* What early_stop remembers, and, for the stalls, how many validations in a row were not better than `loss`. */
typedef struct Best {
    double loss;
    float *block;
    int64_t waited, since;
} Best;

static CgTensor flat(const float *at, int64_t n)
{
    CgTensor t = { .data = (void *)(uintptr_t)at, .dtype = CG_F32, .rank = 1 };
    t.dim[0] = n;
    t.stride[0] = 1;
    return t;
}

/* What the bits of a training depend on besides its key. */
static char *machine(void)
{
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "kernels %s", cg_registry_isa());
    if (!cg_registry_is_exact())
        cg_strbuf_printf(
            &b, "; matrices %s, %s; cg %s, %s", cg_blas_name(), cg_blas_core(), PACKAGE_VERSION, CG_COMPILER);
    return cg_strbuf_take(&b);
}

static bool checkpoint(CgTraining *t, const Best *best, const CgHistory *history)
{
    CgStage *s = t->s;
    CgNamed named[4 + CG_MAX_RANK];
    char names[4 + CG_MAX_RANK][24];
    int n = 0;
    if (!cg_training_finite(t)) /* the older one is better */
        return true;
    snprintf(names[n], sizeof names[n], "parameters");
    named[n] = (CgNamed){ names[n], flat(t->memory.block, s->total) };
    n++;
    for (int g = 0; g < s->ngroups; g++)
        if (s->groups[g].nstates) {
            snprintf(names[n], sizeof names[n], "state.%d", g);
            named[n] = (CgNamed){ names[n], flat(t->state[g], s->groups[g].count * s->groups[g].nstates) };
            n++;
        }
    if (best->block) {
        snprintf(names[n], sizeof names[n], "best");
        named[n] = (CgNamed){ names[n], flat(best->block, s->total) };
        n++;
    }
    snprintf(names[n], sizeof names[n], "history");
    named[n] = (CgNamed){ names[n], cg_history_tensor(history) };
    n++;
    char loss[40], waited[24], since[24], stalls[24], script[33], data[33], curve[33],
        *made_by = machine(), *columns = cg_history_names(history);
    CgDigest curve_key;
    if (!cg_history_key(t->x, s, &curve_key)) {
        free(made_by);
        free(columns);
        return false;
    }
    cg_digest_hex(curve_key, curve);
    snprintf(loss, sizeof loss, "%a", best->loss);
    snprintf(waited, sizeof waited, "%lld", (long long)best->waited);
    snprintf(since, sizeof since, "%lld", (long long)best->since);
    snprintf(stalls, sizeof stalls, "%.0f", (double)t->stalls);
    cg_digest_hex(cg_session_script_digest(t->x), script);
    cg_digest_hex(s->data_digest, data);
    const char *keys[] = { "best", "waited", "since", "stalls", "machine", "script", "data", "history", "history_key" },
               *values[] = { loss, waited, since, stalls, made_by, script, data, columns, curve };
    CgErr err = { 0 };
    char *path = cg_stage_begin(t->x->store, s->key, (uint64_t)t->done, &err);
    bool good = path && cg_safetensors_write(path, named, n, keys, values, CG_LEN(keys), &err)
        && cg_stage_seal(t->x->store, s->key, (uint64_t)t->done, &err);
    free(path);
    free(made_by);
    free(columns);
    return good || cg_session_err(t->x, s->span, &err);
}

/* A tensor of a checkpoint: of this size, and numbers throughout. */
static bool sound(const CgTensor *t, int64_t n)
{
    if (!t || t->dtype != CG_F32 || t->rank != 1 || t->dim[0] != n)
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(((const float *)t->data)[i]))
            return false;
    return true;
}

static const char *note_of(const CgTensors *c, const char *key)
{
    for (int i = 0; i < c->nmeta; i++)
        if (!strcmp(c->keys[i], key))
            return c->values[i];
    return NULL;
}

/* A checkpoint of a build that kept none goes on without, where nobody asks for it. */
static bool take_up_history(const CgStage *s, const CgTensors *c, CgHistory *history)
{
    const CgTensor *t = cg_tensors_find(c, "history");
    history->broken = !t;
    return t ? cg_history_take(history, t, note_of(c, "history")) : !s->wants_history;
}

/* Takes up what a checkpoint holds, if it is whole. */
static bool take_up(CgTraining *t, const CgTensors *c, uint64_t step, Best *best, CgHistory *history)
{
    CgStage *s = t->s;
    char name[24];
    bool good = sound(cg_tensors_find(c, "parameters"), s->total) && (int64_t)step <= s->steps;
    for (int g = 0; good && g < s->ngroups; g++) {
        snprintf(name, sizeof name, "state.%d", g);
        good = !s->groups[g].nstates || sound(cg_tensors_find(c, name), s->groups[g].count * s->groups[g].nstates);
    }
    const CgTensor *block = cg_tensors_find(c, "best");
    if (!good || (block && !sound(block, s->total)) || !take_up_history(s, c, history))
        return false;
    memcpy(t->memory.block, cg_tensors_find(c, "parameters")->data, (size_t)s->total * sizeof(float));
    for (int g = 0; g < s->ngroups; g++) {
        snprintf(name, sizeof name, "state.%d", g);
        if (s->groups[g].nstates)
            memcpy(t->state[g], cg_tensors_find(c, name)->data,
                (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float));
    }
    if (block) {
        best->block = best->block ? best->block : cg_malloc((size_t)s->total * sizeof(float));
        memcpy(best->block, block->data, (size_t)s->total * sizeof(float));
    }
    const char *loss = note_of(c, "best"), *waited = note_of(c, "waited"), *since = note_of(c, "since"),
               *stalls = note_of(c, "stalls");
    best->loss = loss ? strtod(loss, NULL) : INFINITY;
    best->waited = waited ? strtoll(waited, NULL, 10) : 0;
    best->since = since ? strtoll(since, NULL, 10) : 0;
    t->stalls = stalls ? strtof(stalls, NULL) : 0;
    t->done = (int64_t)step;
    t->filled = -1;
    return true;
}

/* What was looked at before the checkpoint may be something else than now. */
static void note_curve(CgTraining *t, const CgTensors *c)
{
    CgStage *s = t->s;
    const char *then = note_of(c, "history_key");
    CgDigest key;
    char now[33];
    if (!s->wants_history || !then || !cg_history_key(t->x, s, &key))
        return;
    cg_digest_hex(key, now);
    if (strcmp(then, now) != 0)
        cg_session_say(t->x,
            "warning: training '%s' goes on at step %lld with another validation or other metrics than before; "
            "its history holds both",
            s->label, (long long)t->done);
}

/* From the newest checkpoint that holds numbers only; from the start where there is none. `say` to begin with: a
 * training that is new is at its start. */
static bool resume(CgTraining *t, Best *best, CgHistory *history, bool say)
{
    CgStage *s = t->s;
    uint64_t step = UINT64_MAX;
    char *path;
    while ((path = cg_stage_find(t->x->store, s->key, step, &step))) {
        CgTensors c = { 0 };
        CgErr err = { 0 };
        bool good = cg_safetensors_read(path, &c, &err) && take_up(t, &c, step, best, history);
        const char *made_by = good ? note_of(&c, "machine") : NULL;
        char *here = machine();
        if (!good && say)
            cg_session_say(t->x, "checkpoint '%s' is passed over: %s", path,
                err.text[0] ? err.text : "it holds numbers that are not finite, or another model");
        if (made_by && say && strcmp(made_by, here) != 0)
            cg_session_say(t->x,
                "warning: training '%s' goes on from a checkpoint of another machine or build; its result will have "
                "the bits of neither\n  there: %s\n  here:  %s",
                s->label, made_by, here);
        if (good && say)
            note_curve(t, &c);
        free(here);
        free(path);
        cg_tensors_free(&c);
        if (good)
            return true;
    }
    history->cell.len = 0;
    history->broken = false;
    return (say && t->done == 0) || cg_training_restart(t);
}

/* ---- the result ------------------------------------------------------------------------------------------------ */

/* Digest of every frozen tensor, and one of them all. */
static CgDigest frozen_digest(const CgTraining *t, char (*hex)[33], int *count)
{
    CgDigester *d = cg_digester_new();
    *count = 0;
    for (int i = 0; i < t->memory.n; i++) {
        const CgParamInfo *p = &t->s->model->params.at[i];
        if (!p->frozen && !p->auxiliary)
            continue;
        CgDigest one = cg_digest(t->memory.at[i], t->memory.bytes[i]);
        cg_digest_hex(one, hex[i]);
        cg_digester_add(d, &one, sizeof one);
        ++*count;
    }
    return cg_digester_free(d);
}

static bool finish(CgTraining *t, const CgHistory *history, char (*before)[33], char (*after)[33])
{
    CgSession *x = t->x;
    CgStage *s = t->s;
    const CgModelGraph *m = s->model;
    int n = 0, nmeta = 0;
    CgNamed *named = cg_calloc((size_t)t->memory.n + 1, sizeof *named);
    const char **keys = cg_calloc((size_t)t->memory.n * 2 + 2, sizeof *keys),
               **values = cg_calloc((size_t)t->memory.n * 2 + 2, sizeof *values);
    for (int i = 0; i < t->memory.n; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->auxiliary)
            continue;
        named[n++] = (CgNamed){ (char *)(uintptr_t)p->path, cg_memory_tensor(m, &t->memory, i) };
        if (p->frozen) {
            keys[nmeta] = cg_arena_printf(x->elab->arena, "frozen.%s", p->path);
            values[nmeta++] = cg_arena_printf(x->elab->arena, "%s before, %s after", before[i], after[i]);
        }
    }
    CgErr err = { 0 };
    bool sound = cg_training_finite(t); /* the mean of parameters, and the best ones, too */
    if (!sound)
        cg_err(
            &err, CG_ERR_INPUT, "training '%s' ended in numbers that are not finite; nothing is kept of it", s->label);
    if (sound && !history->broken && !cg_history_keep(x, s, history)) /* first: where the weights are, it is */
        sound = false;
    char *path = sound ? cg_store_begin(x->store, s->key, &err) : NULL;
    bool good = path && cg_safetensors_write(path, named, n, keys, values, nmeta, &err)
        && cg_store_seal(x->store, s->key, &err) && cg_safetensors_read(path, &s->weights, &err);
    if (good && x->run)
        cg_run_artifact(x->run, s->label, path, s->key);
    free(path);
    free(named);
    free(keys);
    free(values);
    if (!good)
        return err.text[0] ? cg_session_err(x, s->span, &err) : false;
    cg_stage_end(x->store, s->key);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* A signal that arrives during step n of this process, trainings counted together: CG_DEBUG=interrupt-at=N, kill-at=N.
 */
static void signal_when_asked(void)
{
    static int64_t steps;
    const char *interrupt = cg_debug_value("interrupt-at");
    int64_t interrupt_at = interrupt ? strtoll(interrupt, NULL, 10) : 0;
    const char *death = cg_debug_value("kill-at");
    int64_t kill_at = death ? strtoll(death, NULL, 10) : 0;
    steps++;
    if (steps == interrupt_at || steps == kill_at)
        raise(steps == interrupt_at ? SIGINT : SIGKILL);
}

/* A mean of the loss, and of how far it lies from that: what is far above both is a spike. */
typedef struct Calm {
    double mean, spread;
    int64_t seen, said;
} Calm;

static void watch_spikes(Calm *c, const CgTraining *t, double loss, CgProgress *progress)
{
    double away = loss - c->mean;
    bool spike = !t->s->order && c->seen >= 50 && away > 10 * c->spread && away > 0.5 * fabs(c->mean);
    if (spike && (!c->said || t->done - c->said >= 100)) {
        cg_progress_say(progress, "warning: the loss of step %lld is %g after a mean of %g", (long long)(t->done - 1),
            loss, c->mean);
        c->said = t->done;
    }
    double share = c->seen < 50 ? 1.0 / (double)(c->seen + 1) : 0.02;
    c->spread += share * (fabs(away) - c->spread);
    c->mean += share * away;
    c->seen++;
}

typedef struct Loop {
    CgTraining *t;
    Best *best;
    CgHistory *history;
    double began; /* less the seconds of earlier runs */
    CgProgress *progress;
    Calm calm;
    int64_t skipped; /* steps in a row */
    bool stopped;    /* by a signal */
    bool enough;     /* by early_stop */
} Loop;

/* The steps to the one that failed once more, and that looking at each op: an update has changed what it began with. */
static void explain_update(Loop *l)
{
    CgTraining *t = l->t;
    int64_t to = t->done;
    CgStepResult r;
    if (!t->kept) { /* else what there was before is there again */
        if (!resume(t, l->best, l->history, false))
            return;
        cg_progress_say(l->progress, "repeating %lld steps to find out what went wrong", (long long)(to - t->done));
        while (t->done < to && !cg_session_stopped(t->x))
            if (cg_training_step(t, &r) == CG_STEP_NOT_FINITE)
                cg_training_skip(t);
    }
    t->look = true;
    CgStepOutcome again = cg_training_step(t, &r);
    t->look = false;
    CG_ASSERT(again == CG_STEP_SPOILED || cg_session_stopped(t->x), "a step repeats its bits");
    cg_training_explain_update(t);
}

/* A step that did not end in numbers: an error, or a warning where the script says skip. */
static bool bad_step(Loop *l, CgStepOutcome outcome, CgStepResult r)
{
    CgTraining *t = l->t;
    if (outcome == CG_STEP_BAD_INDEX)
        return cg_training_explain_index(t);
    if (!t->s->skip || l->skipped >= SKIPS) {
        if (outcome == CG_STEP_NOT_FINITE)
            cg_training_explain_step(t, r);
        else
            explain_update(l);
        return false;
    }
    cg_progress_say(l->progress, "warning: step %lld is skipped: its %s not finite", (long long)t->done,
        outcome == CG_STEP_SPOILED ? "update is"
            : isfinite(r.loss)     ? "gradient is"
                                   : "loss is");
    l->skipped++;
    cg_training_skip(t);
    return true;
}

/* A number of the run, for cg runs. */
static void note(const CgTraining *t, const char *name, double value)
{
    if (t->x->run && !isnan(value)) /* a term that had no turn */
        cg_run_metric(t->x->run, t->s->key, t->s->label, t->done, cg_intern(name), value);
}

/* The row of a step that is done: what comes with every step. */
static void note_step(Loop *l, CgStepResult r)
{
    const CgTraining *t = l->t;
    const CgStage *s = t->s;
    int64_t tokens = cg_data_tokens(s->data);
    double *row = cg_history_row(l->history);
    *row++ = (double)t->done;
    if (tokens)
        *row++ = (double)(t->done * s->batch * tokens);
    *row++ = cg_now() - l->began;
    *row++ = r.loss;
    for (int i = 0; i < s->terms.n; i++)
        *row++ = (double)t->terms[i];
    *row++ = r.rate;
    *row++ = r.norm;
    /* the index has the first steps in full, then one in ten */
    if (t->done > 100 && t->done % 10 && t->done != s->steps)
        return;
    note(t, "loss", r.loss);
    note(t, "gradient_norm", r.norm);
    for (int i = 0; i < s->terms.n; i++)
        note(t, s->terms.name[i], (double)t->terms[i]);
}

/* Metrics of the rows of the validation or, from step 0 on, of the batch of that step; behind their sum. NULL after a
 * mistake. */
static double *metrics(CgTraining *t, int64_t step)
{
    double *out = CG_NEWN(t->x->elab->arena, double, t->s->metrics.n + 1);
    return cg_training_measure(t, &t->metrics, step, out) ? out : NULL;
}

static void note_metrics(Loop *l, const double *values)
{
    const CgStage *s = l->t->s;
    double *row = cg_history_last(l->history) + s->curve->n - s->metrics.n;
    for (int i = 0; i < s->metrics.n; i++) {
        row[i] = values[1 + i];
        note(l->t, s->metrics.name[i], row[i]);
    }
}

/* After a validation: whether the loss is the best so far, and what follows where it is not. */
static void look_back(CgTraining *t, Best *best, double loss)
{
    CgStage *s = t->s;
    bool better = loss < best->loss;
    best->waited = better ? 0 : best->waited + 1;
    best->since = better ? 0 : best->since + 1;
    if (best->since == s->patience) {
        t->stalls++;
        best->since = 0;
    }
    if (!better)
        return;
    best->loss = loss;
    if (!s->early_stop)
        return;
    if (!best->block)
        best->block = cg_malloc((size_t)s->total * sizeof(float));
    memcpy(best->block, t->memory.block, (size_t)s->total * sizeof(float));
}

static bool validate(Loop *l)
{
    CgTraining *t = l->t;
    CgStage *s = t->s;
    Best *best = l->best;
    double v = 0;
    cg_training_swap_average(t);
    const double *values = NULL;
    if (!cg_training_measure(t, &t->valid, -1, &v) || (s->metrics.n && !(values = metrics(t, -1))))
        return false;
    cg_progress_value(l->progress, "valid", v);
    cg_history_last(l->history)[s->curve->n - s->metrics.n - 1] = v;
    note(t, "valid_loss", v);
    if (values)
        note_metrics(l, values);
    if (!isfinite(v) && !s->skip) {
        cg_training_explain_validation(t, v);
        return false;
    }
    if (!isfinite(v)) {
        cg_progress_say(l->progress, "warning: the validation loss of step %lld is not finite", (long long)t->done);
    } else {
        look_back(t, best, v);
    }
    cg_training_swap_average(t);
    l->enough = s->early_stop && best->waited >= s->early_stop;
    return true;
}

static bool one_step(Loop *l)
{
    CgTraining *t = l->t;
    CgStage *s = t->s;
    CgStepResult r;
    const double *values = NULL;
    bool due = (t->done + 1) % s->validate_every == 0 || t->done + 1 == s->steps;
    if (due && s->metrics.n && !t->valid.data
        && !(values = metrics(t, t->done))) /* before its update, as its loss is */
        return false;
    if (!cg_training_debug(t))
        return false;
    CgStepOutcome outcome = cg_training_step(t, &r);
    signal_when_asked();
    if (!cg_session_read_well(t->x, s->data->span)) /* before the step counts */
        return false;
    if (outcome != CG_STEP_TAKEN)
        return bad_step(l, outcome, r);
    l->skipped = 0;
    watch_spikes(&l->calm, t, r.loss, l->progress);
    cg_progress_value(l->progress, "loss", r.loss);
    cg_progress_value(l->progress, "grad", r.norm);
    if (isfinite(r.rate))
        cg_progress_value(l->progress, "rate", r.rate);
    note_step(l, r);
    if (values)
        note_metrics(l, values);
    return !due || !t->valid.data || validate(l);
}

static bool loop(Loop *l)
{
    CgTraining *t = l->t;
    CgStage *s = t->s;
    const char *every_text = cg_debug_value("checkpoint-every");
    int64_t every = every_text ? strtoll(every_text, NULL, 10) : 0;
    double saved = cg_now();
    while (t->done < s->steps && !l->enough) {
        if (!one_step(l))
            return false;
        cg_progress_step(l->progress, t->done);
        if (t->done >= s->steps || l->enough)
            break;
        l->stopped = cg_session_stopped(t->x);
        if (l->stopped || (every ? t->done % every == 0 : cg_now() - saved > 20)) {
            if (!checkpoint(t, l->best, l->history))
                return false;
            saved = cg_now();
        }
        if (l->stopped)
            return true;
    }
    if (l->best->block)
        memcpy(t->memory.block, l->best->block, (size_t)s->total * sizeof(float));
    else
        cg_training_swap_average(t);
    return true;
}

static bool load(CgSession *x, CgStage *s)
{
    if (!cg_store_has(x->store, s->key))
        return false;
    char *path = cg_store_path(x->store, s->key);
    CgErr err = { 0 };
    bool good = (!s->wants_history || cg_history_load(x, s)) && cg_safetensors_read(path, &s->weights, &err);
    free(path);
    return good;
}

static void announce(const CgTraining *t, CgProgress *progress, const char *name)
{
    const CgStage *s = t->s;
    int64_t trained = 0, frozen = 0;
    for (int i = 0; i < s->nlearned; i++)
        trained += s->trained[i].count;
    for (int i = 0; i < t->memory.n; i++)
        if (s->model->params.at[i].frozen)
            frozen += (int64_t)(t->memory.bytes[i] / sizeof(float));
    char precision[64] = "";
    CgProducts products = cg_plan_products(t->step[0].plan);
    size_t slab = 0;
    for (int i = 0; i < s->nturns; i++)
        slab += cg_plan_slab(t->step[i].plan);
    if (products.bf16)
        snprintf(precision, sizeof precision, ", bf16 in %d of %d products", products.bf16, products.all);
    char each[48] = "rows";
    if (cg_data_tokens(s->data))
        snprintf(each, sizeof each, "x %lld tokens", (long long)cg_data_tokens(s->data));
    cg_progress_say(progress, "%s: %lld parameters trained, %lld frozen; %lld steps of %lld %s; %.1f MiB planned%s%s",
        name, (long long)trained, (long long)frozen, (long long)s->steps, (long long)s->batch, each,
        (double)slab / 1048576.0, precision, t->done ? "; goes on where it stopped" : "");
    if (t->data->rows > 0 && t->data->rows < s->batch)
        cg_progress_say(progress, "%s: a batch of %lld rows of only %lld: it holds some of them twice", name,
            (long long)s->batch, (long long)t->data->rows);
    if (t->valid.data)
        cg_progress_say(progress, "%s: validated on %lld rows every %lld steps", name, (long long)t->valid.data->rows,
            (long long)s->validate_every);
}

/* What the runs before this one took. */
static double seconds_before(CgHistory *h)
{
    const double *last = cg_history_last(h);
    for (int i = 0; last && i < h->columns->n; i++)
        if (!strcmp(h->columns->at[i].name, "seconds"))
            return last[i];
    return 0;
}

/* From the last checkpoint, if there is one, to the weights in the store. */
static bool train(CgTraining *t, bool *stopped)
{
    CgStage *s = t->s;
    Best best = { .loss = INFINITY };
    CgHistory history = { .columns = s->curve };
    if (!resume(t, &best, &history, true)) {
        cg_history_free(&history);
        return false;
    }
    char name[160];
    snprintf(name, sizeof name, "train %s", s->label);
    Loop l = { .t = t, .best = &best, .history = &history, .began = cg_now() - seconds_before(&history) };
    l.progress = cg_progress_new(&(CgProgressOpts){ .name = name,
        .total = s->steps,
        .from = t->done,
        .per_step = (double)(s->batch * cg_data_tokens(s->data)),
        .quiet = t->x->opts.quiet,
        .listener = t->x->opts.listener });
    announce(t, l.progress, name);
    char(*before)[33] = cg_calloc((size_t)t->memory.n + 1, 33), (*after)[33] = cg_calloc((size_t)t->memory.n + 1, 33);
    int nfrozen = 0;
    CgDigest d0 = frozen_digest(t, before, &nfrozen);
    if (!t->done)
        cg_training_try_causal(t);
    cg_training_watch(t);
    cg_stop_listen();
    bool good = loop(&l);
    cg_stop_deafen();
    *stopped = good && l.stopped;
    CgDigest d1 = frozen_digest(t, after, &nfrozen);
    if (good && nfrozen && !*stopped) {
        char h0[33], h1[33];
        cg_digest_hex(d0, h0);
        cg_digest_hex(d1, h1);
        CG_ASSERT(cg_digest_equal(d0, d1), "a frozen tensor kept its bits");
        cg_progress_say(
            l.progress, "%s: %d frozen tensors, digest %.16s before and %.16s after", name, nfrozen, h0, h1);
    }
    cg_progress_free(l.progress,
        *stopped                 ? "interrupted"
            : !good              ? "failed"
            : t->done < s->steps ? "stopped early"
                                 : NULL);
    cg_training_count(t);
    if (good && !*stopped)
        good = finish(t, &history, before, after);
    free(before);
    free(after);
    free(best.block);
    cg_history_free(&history);
    return good;
}

static bool run(CgSession *x, CgStage *s)
{
    CgErr err = { 0 };
    bool stopped = false;
    if (!x->opts.quiet && cg_store_has(x->store, s->key))
        fprintf(
            stderr, "cg: training '%s' is carried out again: its weights are kept, but not this history\n", s->label);
    CgTraining *t = cg_training_new(x, s);
    bool good = t && train(t, &stopped);
    if (t)
        cg_training_free(t);
    if (good && stopped) {
        cg_err(&err, CG_ERR_INTERRUPTED, "stopped in training '%s'; the same command goes on from there", s->label);
        return cg_session_err(x, s->span, &err);
    }
    return good;
}

/* Its parameters as they start. */
static bool bare(CgSession *x, CgStage *s)
{
    CgMemory memory;
    if (!cg_memory_fill(x, s->model, NULL, s->seed, &memory))
        return false;
    CgTensors *w = &s->weights;
    w->at = cg_calloc((size_t)memory.n + 1, sizeof *w->at);
    for (int i = 0; i < memory.n; i++)
        if (!s->model->params.at[i].auxiliary)
            w->at[w->n++] = (CgNamed){ cg_strdup(s->model->params.at[i].path), cg_memory_tensor(s->model, &memory, i) };
    w->own = memory.rest;
    memory.rest = NULL;
    cg_memory_free(&memory);
    s->history = cg_history_table(&(CgHistory){ .columns = s->curve });
    return true;
}

/* ---- verifying ------------------------------------------------------------------------------------------------- */

/* Steps until `until` are done, or early_stop ends it; checkpoints only where `stop` says so. */
static bool steps_until(CgTraining *t, Best *best, CgHistory *history, int64_t until)
{
    CgProgress *quiet = cg_progress_new(&(CgProgressOpts){ .name = "", .quiet = true });
    cg_stop_listen();
    Loop l = { .t = t, .best = best, .history = history, .progress = quiet };
    bool good = true;
    while (good && t->done < until && !l.enough && !cg_session_stopped(t->x))
        good = one_step(&l);
    cg_stop_deafen();
    cg_progress_free(quiet, NULL);
    if (good && cg_session_stopped(t->x)) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_INTERRUPTED, "stopped while verifying training '%s'", t->s->label);
        return cg_session_err(t->x, t->s->span, &err);
    }
    return good;
}

/* Whether two trainings are in one state, to the bit; says where they are not. */
static bool same_state(const CgTraining *a, const CgTraining *b, CgStrbuf *said)
{
    const CgStage *s = a->s;
    for (int i = 0; i < s->ntrained; i++)
        for (int64_t k = 0; k < s->trained[i].count; k++) {
            const float *p = a->memory.block + s->trained[i].offset + k,
                        *q = b->memory.block + s->trained[i].offset + k;
            if (memcmp(p, q, sizeof *p) != 0) {
                cg_strbuf_printf(said, "element %lld of '%s' is %.9g, and %.9g after going on", (long long)k,
                    s->model->params.at[s->trained[i].param].path, (double)*p, (double)*q);
                return false;
            }
        }
    for (int g = 0; g < s->ngroups; g++)
        if (memcmp(a->state[g], b->state[g], (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof **a->state)
            != 0) {
            cg_strbuf_puts(said, "the optimiser's states differ");
            return false;
        }
    if (a->done != b->done)
        cg_strbuf_printf(said, "%lld steps were done, and %lld after going on", (long long)a->done, (long long)b->done);
    return a->done == b->done;
}

/* Whether two histories are one to the bit, but for the seconds. */
static bool same_curve(const CgHistory *a, const CgHistory *b, CgStrbuf *said)
{
    int n = a->columns->n;
    for (size_t i = 0; i < a->cell.len || i < b->cell.len; i++) {
        const char *name = a->columns->at[i % (size_t)n].name;
        bool both = i < a->cell.len && i < b->cell.len;
        if (both && (!strcmp(name, "seconds") || !memcmp(&a->cell.at[i], &b->cell.at[i], sizeof *a->cell.at)))
            continue;
        cg_strbuf_printf(said, "the histories differ in row %zu, '%s'", i / (size_t)n, name);
        return false;
    }
    return true;
}

bool cg_train_verify(CgSession *x, CgStage *s, int64_t at, bool *same, CgStrbuf *said)
{
    Best whole = { .loss = INFINITY }, first = whole, second = whole;
    CgHistory curve[3] = { { .columns = s->curve }, { .columns = s->curve }, { .columns = s->curve } };
    CgRun *run_of_script = x->run;
    if (!cg_stage_force_inputs(x, s) || !cg_stage_key(x, s))
        return false;
    CgDigest kept = s->key;
    s->curve_keyed = false;
    s->key =
        cg_digest(&(CgDigest[2]){ kept, cg_digest("verify", 6) }, 2 * sizeof kept); /* its checkpoints are its own */
    x->run = NULL;
    cg_stage_end(x->store, s->key);
    CgTraining *a = cg_training_new(x, s), *b = a ? cg_training_new(x, s) : NULL, *c = b ? cg_training_new(x, s) : NULL;
    bool good = c && steps_until(a, &whole, &curve[0], s->steps) && steps_until(b, &first, &curve[1], at)
        && checkpoint(b, &first, &curve[1]) && resume(c, &second, &curve[2], true);
    if (good && c->done != b->done) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_INPUT, "the checkpoint of step %lld was not taken up", (long long)b->done);
        good = cg_session_err(x, s->span, &err);
    }
    good = good && steps_until(c, &second, &curve[2], s->steps);
    if (good)
        *same = same_state(a, c, said) && same_curve(&curve[0], &curve[2], said);
    CgTraining *all[3] = { a, b, c };
    for (int i = 0; i < 3; i++)
        if (all[i])
            cg_training_free(all[i]);
    for (int i = 0; i < 3; i++)
        cg_history_free(&curve[i]);
    cg_stage_end(x->store, s->key);
    free(whole.block);
    free(first.block);
    free(second.block);
    s->key = kept;
    s->curve_keyed = false;
    x->run = run_of_script;
    return good;
}

const CgStageKind cg_stage_kind_train = {
    .name = "train", .doing = "training", .version = 2, .key = key, .load = load, .run = run, .bare = bare
};
