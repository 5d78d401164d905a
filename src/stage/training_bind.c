/* training_bind.c - the plans of a training, bound to their memory.
 * Takes a training and a step; gives runners whose inputs are a batch, or what an optimiser renews. Must not decide
 * what runs when. */
#include <string.h>

#include "stage/training.h"

void cg_training_run(CgTraining *t, const CgRunner *r)
{
    int64_t start = t->trace ? cg_trace_now(t->trace) : 0;
    if (!cg_exec_run(r->exec) && !t->faulty)
        t->faulty = r;
    if (t->trace)
        cg_trace_frame(t->trace, r->frame, start);
}

void cg_training_fill(CgTraining *t, int64_t step, int64_t share, const CgRunner *r)
{
    CgStage *s = t->s;
    if (t->filled != step && t->ahead)
        cg_batches_ahead_take(t, step);
    else if (t->filled != step)
        cg_dataset_batch(t->data, cg_session_seed(t->x, s->seed), step, s->batch, t->rows);
    t->filled = step;
    int64_t first = share * (s->batch / s->accumulate);
    cg_runner_bind_batch(r, t->data, t->rows, first);
    cg_exec_random(r->exec, cg_session_seed(t->x, s->seed), (uint64_t)step, (uint64_t)first);
}

bool cg_training_renews(const CgTraining *t, int g)
{
    return t->s->groups[g].turns >> cg_stage_turn(t->s, t->done) & 1;
}

void cg_training_bind_update(CgTraining *t, const CgRunner *r, int group, CgUpdate *u)
{
    u->step = (float)cg_stage_updates(t->s, t->s->groups[group].turns, t->done);
    int64_t at = 0, state = 0, count = t->s->groups[group].count;
    for (int g = 0; g < group; g++)
        at += t->s->groups[g].count;
    for (size_t i = 0; i < r->graph->inputs.len; i++) {
        const char *name = cg_node_name(r->graph, r->graph->inputs.at[i]);
        const void *from = !strcmp(name, "p") ? (const void *)(t->memory.block + at)
            : !strcmp(name, "g")              ? (const void *)(u->grad + at)
            : !strcmp(name, "scale")          ? (const void *)&u->scale
            : !strcmp(name, "step")           ? (const void *)&u->step
            : !strcmp(name, "stalls")         ? (const void *)&t->stalls
                                              : (const void *)(t->state[group] + count * state++);
        cg_exec_bind_input(r->exec, (int)i, from);
    }
}

void cg_training_watch_runner(CgTraining *t, CgRunner *r, CgPhase phase, const char *name)
{
    CgSession *x = t->x;
    cg_exec_profile(r->exec, x->opts.profile);
    if (x->trace) {
        cg_exec_trace(r->exec, x->trace, cg_trace_plan(x->trace, r->plan, phase));
        r->frame = cg_trace_name(x->trace, name);
    }
}

const CgMeasure *cg_training_measuring(const CgTraining *t, const CgRunner *r)
{
    const CgMeasure *all[] = { &t->valid, &t->metrics };
    for (size_t i = 0; i < CG_LEN(all); i++)
        if (r == &all[i]->full || r == &all[i]->rest)
            return all[i];
    return NULL;
}
