/* train.c - carrying out a training.
 * Takes a stage; gives its weights: from the store, or by steps (training.c) that can stop anywhere and go on with the
 * same bits. Must not look into a step. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/training.h"

enum { VERSION = 1 }; /* of what a training means; raised when the same key would give other bits */

/* ---- the key --------------------------------------------------------------------------------------------------- */

static bool make_key(CgSession *x, CgStage *s)
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

/* ---- checkpoints ----------------------------------------------------------------------------------------------- */

/* What early_stop remembers. */
typedef struct Best {
    double loss;
    float *block;
    int64_t waited;
} Best;

static CgTensor flat(const float *at, int64_t n)
{
    CgTensor t = { .data = (void *)(uintptr_t)at, .dtype = CG_F32, .rank = 1 };
    t.dim[0] = n;
    t.stride[0] = 1;
    return t;
}

static bool checkpoint(const CgTraining *t, const Best *best)
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
    if (best->block) {
        snprintf(names[n], sizeof names[n], "best");
        named[n] = (CgNamed){ names[n], flat(best->block, s->total) };
        n++;
    }
    char loss[40], waited[24];
    snprintf(loss, sizeof loss, "%a", best->loss);
    snprintf(waited, sizeof waited, "%lld", (long long)best->waited);
    const char *keys[] = { "best", "waited" }, *values[] = { loss, waited };
    CgErr err = { 0 };
    char *path = cg_stage_begin(t->x->store, s->key, (uint64_t)t->done, &err);
    bool good = path && cg_safetensors_write(path, named, n, keys, values, 2, &err)
        && cg_stage_seal(t->x->store, s->key, (uint64_t)t->done, &err);
    free(path);
    return good || cg_session_err(t->x, s->span, &err);
}

static bool same_size(const CgTensor *t, int64_t n)
{
    return t && t->dtype == CG_F32 && t->rank == 1 && t->dim[0] == n;
}

static void resume(CgTraining *t, Best *best)
{
    CgStage *s = t->s;
    uint64_t step = 0;
    char *path = cg_stage_find(t->x->store, s->key, &step);
    if (!path)
        return;
    CgTensors c = { 0 };
    CgErr err = { 0 };
    bool good = cg_safetensors_read(path, &c, &err);
    free(path);
    if (!good)
        return; /* the store vouched for it, so this is a file of another time; start anew */
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
                memcpy(t->state[g], cg_tensors_find(&c, name)->data,
                    (size_t)(s->groups[g].count * s->groups[g].nstates) * sizeof(float));
        }
        const CgTensor *block = cg_tensors_find(&c, "best");
        if (same_size(block, s->total)) {
            best->block = cg_malloc((size_t)s->total * sizeof(float));
            memcpy(best->block, block->data, (size_t)s->total * sizeof(float));
        }
        for (int i = 0; i < c.nmeta; i++) {
            if (!strcmp(c.keys[i], "best"))
                best->loss = strtod(c.values[i], NULL);
            if (!strcmp(c.keys[i], "waited"))
                best->waited = strtoll(c.values[i], NULL, 10);
        }
        t->done = (int64_t)step;
    }
    cg_tensors_free(&c);
}

/* ---- the result ------------------------------------------------------------------------------------------------ */

/* Digest of every frozen tensor, and one of them all. */
static CgDigest frozen_digest(const CgTraining *t, char (*hex)[33], int *count)
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

static bool finish(CgTraining *t, char (*before)[33], char (*after)[33])
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
        if (p->foreign)
            continue;
        named[n++] = (CgNamed){ (char *)(uintptr_t)p->path, cg_memory_tensor(m, &t->memory, i) };
        if (p->frozen) {
            keys[nmeta] = cg_arena_printf(x->elab->arena, "frozen.%s", p->path);
            values[nmeta++] = cg_arena_printf(x->elab->arena, "%s before, %s after", before[i], after[i]);
        }
    }
    CgErr err = { 0 };
    char *path = cg_store_begin(x->store, s->key, &err);
    bool good = path && cg_safetensors_write(path, named, n, keys, values, nmeta, &err)
        && cg_store_seal(x->store, s->key, &err) && cg_safetensors_read(path, &s->weights, &err);
    if (good && x->run)
        cg_run_artifact(x->run, s->label, path, s->key);
    free(path);
    free(named);
    free(keys);
    free(values);
    if (!good)
        return cg_session_err(x, s->span, &err);
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

static bool loop(CgTraining *t, Best *best, CgProgress *progress, bool *stopped)
{
    CgSession *x = t->x;
    CgStage *s = t->s;
    const char *every_text = cg_debug_value("checkpoint-every");
    int64_t every = every_text ? strtoll(every_text, NULL, 10) : 0;
    double saved = cg_now();
    while (t->done < s->steps) {
        CgStepResult r;
        if (!cg_training_step(t, &r))
            return false;
        signal_when_asked();
        cg_progress_value(progress, "loss", r.loss);
        cg_progress_value(progress, "grad", r.norm);
        if (isfinite(r.rate))
            cg_progress_value(progress, "rate", r.rate);
        /* the index has the first steps in full, then one in ten */
        if (x->run && (t->done <= 100 || t->done % 10 == 0 || t->done == s->steps)) {
            cg_run_metric(x->run, t->done, cg_intern("loss"), r.loss);
            cg_run_metric(x->run, t->done, cg_intern("gradient_norm"), r.norm);
        }
        if (t->valid && (t->done % s->validate_every == 0 || t->done == s->steps)) {
            cg_training_swap_average(t);
            double v = cg_training_validate(t);
            cg_progress_value(progress, "valid", v);
            if (x->run)
                cg_run_metric(x->run, t->done, cg_intern("valid_loss"), v);
            if (s->patience && v < best->loss) {
                best->loss = v;
                best->waited = 0;
                if (!best->block)
                    best->block = cg_malloc((size_t)s->total * sizeof(float));
                memcpy(best->block, t->memory.block, (size_t)s->total * sizeof(float));
            } else if (s->patience) {
                best->waited++;
            }
            cg_training_swap_average(t);
            if (s->patience && best->waited >= s->patience) {
                cg_progress_step(progress, t->done);
                break;
            }
        }
        cg_progress_step(progress, t->done);
        bool due = every ? t->done % every == 0 : cg_now() - saved > 20;
        if (cg_session_stopped(x) && t->done < s->steps) {
            *stopped = true;
            return checkpoint(t, best);
        }
        if (due && t->done < s->steps) {
            if (!checkpoint(t, best))
                return false;
            saved = cg_now();
        }
    }
    if (best->block)
        memcpy(t->memory.block, best->block, (size_t)s->total * sizeof(float));
    else
        cg_training_swap_average(t);
    return true;
}

static bool found(CgSession *x, CgStage *s)
{
    if (!cg_store_has(x->store, s->key))
        return false;
    char *path = cg_store_path(x->store, s->key);
    CgErr err = { 0 };
    bool good = cg_safetensors_read(path, &s->weights, &err);
    free(path);
    return good;
}

static void announce(const CgTraining *t, CgProgress *progress, const char *name)
{
    const CgStage *s = t->s;
    int64_t trained = 0, frozen = 0;
    for (int i = 0; i < s->ntrained; i++)
        trained += s->trained[i].count;
    for (int i = 0; i < t->memory.n; i++)
        if (s->model->params.at[i].frozen)
            frozen += (int64_t)(t->memory.bytes[i] / sizeof(float));
    char precision[64] = "";
    CgProducts products = cg_plan_products(t->step.plan);
    if (products.bf16)
        snprintf(precision, sizeof precision, ", bf16 in %d of %d products", products.bf16, products.all);
    cg_progress_say(progress,
        "%s: %lld parameters trained, %lld frozen; %lld steps of %lld x %lld tokens; %.1f MiB planned%s%s", name,
        (long long)trained, (long long)frozen, (long long)s->steps, (long long)s->batch, (long long)s->length,
        (double)cg_plan_slab(t->step.plan) / 1048576.0, precision, t->done ? "; goes on where it stopped" : "");
}

/* From the last checkpoint, if there is one, to the weights in the store. */
static bool train(CgTraining *t, bool *stopped)
{
    CgStage *s = t->s;
    Best best = { .loss = INFINITY };
    resume(t, &best);
    char name[160];
    snprintf(name, sizeof name, "train %s", s->label);
    CgProgress *progress = cg_progress_new(&(CgProgressOpts){ .name = name,
        .total = s->steps,
        .from = t->done,
        .per_step = (double)(s->batch * s->length),
        .quiet = t->x->opts.quiet });
    announce(t, progress, name);
    char(*before)[33] = cg_calloc((size_t)t->memory.n + 1, 33), (*after)[33] = cg_calloc((size_t)t->memory.n + 1, 33);
    int nfrozen = 0;
    CgDigest d0 = frozen_digest(t, before, &nfrozen);
    cg_training_watch(t);
    bool good = loop(t, &best, progress, stopped);
    CgDigest d1 = frozen_digest(t, after, &nfrozen);
    if (good && nfrozen && !*stopped) {
        char h0[33], h1[33];
        cg_digest_hex(d0, h0);
        cg_digest_hex(d1, h1);
        CG_ASSERT(cg_digest_equal(d0, d1), "a frozen tensor kept its bits");
        cg_progress_say(progress, "%s: %d frozen tensors, digest %.16s before and %.16s after", name, nfrozen, h0, h1);
    }
    cg_progress_free(progress,
        *stopped                 ? "interrupted"
            : !good              ? "failed"
            : t->done < s->steps ? "stopped early"
                                 : NULL);
    cg_training_count(t);
    if (good && !*stopped)
        good = finish(t, before, after);
    free(before);
    free(after);
    free(best.block);
    return good;
}

bool cg_train_run(CgSession *x, CgStage *s)
{
    if (!make_key(x, s))
        return false;
    if (found(x, s))
        return true;
    CgErr err = { 0 };
    char what[200];
    snprintf(what, sizeof what, "training '%s'", s->label);
    CgLock *lock = cg_store_lock(x->store, s->key, what, &err);
    if (!lock)
        return cg_session_err(x, s->span, &err);
    bool good = found(x, s), stopped = false;
    CgTraining *t = good ? NULL : cg_training_new(x, s);
    if (t) {
        good = train(t, &stopped);
        cg_training_free(t);
    }
    cg_io_unlock(lock);
    if (good && stopped) {
        cg_err(&err, CG_ERR_INTERRUPTED, "stopped in training '%s'; the same command goes on from there", s->label);
        return cg_session_err(x, s->span, &err);
    }
    return good;
}

bool cg_train_untrained(CgSession *x, CgStage *s)
{
    CgMemory memory;
    if (!cg_memory_fill(x, s->model, NULL, s->seed, &memory))
        return false;
    CgTensors *w = &s->weights;
    w->at = cg_calloc((size_t)memory.n + 1, sizeof *w->at);
    for (int i = 0; i < memory.n; i++)
        if (!s->model->params.at[i].foreign)
            w->at[w->n++] = (CgNamed){ cg_strdup(s->model->params.at[i].path), cg_memory_tensor(s->model, &memory, i) };
    w->own = memory.rest;
    memory.rest = NULL;
    cg_memory_free(&memory);
    return true;
}
