/* drive.c - finding out the values of stages.
 * Takes a stage; gives its key, then its value: the stages it is made of first, then from the store, or else by running
 * it while no other process does. Knows no kind of stage: each says itself what it is made of and how it is run. */
#include <stdio.h>
#include <string.h>

#include "graph/registry.h"
#include "stage/session.h"

bool cg_stage_key(CgSession *x, CgStage *s)
{
    if (s->keyed)
        return !s->failed;
    s->keyed = true;
    for (int i = 0; i < s->ninputs; i++)
        if (!cg_stage_key(x, s->inputs[i])) {
            s->failed = true;
            return false;
        }
    CgDigester *d = cg_digester_new();
    cg_digester_add(d, s->kind->name, strlen(s->kind->name) + 1);
    cg_digester_add(d, &s->kind->version, sizeof s->kind->version);
    if (cg_registry_is_exact()) /* a value that is promised to have these bits was made so */
        cg_digester_add(d, "exact 1", 7);
    s->failed = !s->kind->key(x, s, d);
    s->key = cg_digester_free(d);
    return !s->failed;
}

/* While this process holds the key; it may have been made by another meanwhile. */
static bool make(CgSession *x, CgStage *s)
{
    if (s->kind->load(x, s))
        return true;
    s->made = true;
    return s->kind->run(x, s);
}

bool cg_stage_force_inputs(CgSession *x, CgStage *s)
{
    for (int i = 0; i < s->ninputs; i++)
        if (!cg_stage_force(x, s->inputs[i])) {
            s->why = s->inputs[i]->why;
            return false;
        }
    return true;
}

/* Into the index of runs: which value this run asked for, and by what settings. */
static void note(CgSession *x, const CgStage *s)
{
    CgStrbuf settings = { 0 };
    if (!x->run || !s->asked)
        return;
    cg_stage_settings(s, &settings);
    cg_run_stage(x->run, s->key, s->kind->name, s->label, cg_strbuf_str(&settings));
    cg_strbuf_deinit(&settings);
}

static bool find_out(CgSession *x, CgStage *s)
{
    CgErr err = { 0 };
    char what[200];
    if (!cg_stage_force_inputs(x, s))
        return false;
    if (s->kind->bare && x->opts.untrained)
        return s->kind->bare(x, s);
    if (!cg_stage_key(x, s))
        return false;
    note(x, s);
    if (s->kind->load(x, s))
        return true;
    if (cg_session_stopped(x)) {
        cg_err(&err, CG_ERR_INTERRUPTED, "stopped before %s '%s'", s->kind->doing, s->label);
        return cg_session_err(x, s->span, &err);
    }
    snprintf(what, sizeof what, "%s '%s'", s->kind->doing, s->label);
    CgLock *lock = cg_store_lock(x->store, s->key, what, &err);
    if (!lock)
        return cg_session_err(x, s->span, &err);
    bool good = make(x, s);
    cg_io_unlock(lock);
    return good;
}

bool cg_stage_force(CgSession *x, CgStage *s)
{
    CgErr err = { 0 };
    if (s->forced)
        return !s->failed;
    s->forced = true;
    size_t before = cg_diags_count(x->diags);
    s->failed = (!x->store && !cg_session_open(x, &err) && !cg_session_err(x, s->span, &err)) || !find_out(x, s);
    if (s->failed && !s->why && cg_diags_count(x->diags) > before)
        s->why = cg_arena_printf(x->elab->arena, "%s", cg_diags_last(x->diags));
    return !s->failed;
}

bool cg_model_force(CgSession *x, const CgModelGraph *m)
{
    bool good = true;
    for (size_t i = 0; good && i < m->params.len; i++) {
        CgStage *s = cg_weights_stage(m->params.at[i].weights);
        good = !s || cg_stage_force(x, s);
    }
    return good;
}
