/* waves.c - which instructions run side by side.
 * Takes a plan whose memory is placed; gives waves of tasks, none of which writes memory that another one of its wave
 * touches. A thread that finds no shard left of one task then has those of another, where it would wait for the others
 * to end. The order of what touches the same memory stays that of the instructions, so that every number is what it
 * was. Must not depend on the number of threads. */
#include <stdlib.h>
#include "run/plan/inside.h"

#define AHEAD 8 /* tasks that are looked at for a wave */

static const CgSlot *touched(const CgInstr *in, int i) { return i < in->nin ? &in->in[i] : &in->out[i - in->nin]; }

static bool buffers_meet(const CgPlan *p, int a, int b)
{
    const CgBuffer *x = &p->buffers.at[a], *y = &p->buffers.at[b];
    if (x->storage != CG_AT_SLAB || y->storage != CG_AT_SLAB)
        return a == b;
    return x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
}

/* Instruction x writes what y reads or writes. */
static bool disturbs(const CgPlan *p, const CgInstr *x, const CgInstr *y)
{
    for (int i = 0; i <= x->nout; i++) {
        int written = i < x->nout ? x->out[i].buffer : x->shared;
        for (int k = 0; written >= 0 && k <= y->nin + y->nout; k++) {
            int other = k < y->nin + y->nout ? touched(y, k)->buffer : y->shared;
            if (other >= 0 && buffers_meet(p, written, other))
                return true;
        }
    }
    return false;
}

static bool apart(const CgPlan *p, CgTask a, CgTask b)
{
    const CgInstr *x = &p->instrs.at[a.instr], *y = &p->instrs.at[b.instr];
    return a.instr != b.instr && !disturbs(p, x, y) && !disturbs(p, y, x);
}

/* Whether task c can run with a wave, and so before tasks that stand before it and are in none: left[0 .. n). */
static bool may_join(const CgPlan *p, CgTask c, const CgTask *wave, int nwave, const CgTask *left, int nleft)
{
    for (int i = 0; i < nwave; i++)
        if (!apart(p, c, wave[i]))
            return false;
    for (int i = 0; i < nleft; i++)
        if (!apart(p, c, left[i]))
            return false;
    return true;
}

void cg_plan_make_waves(CgPlan *p)
{
    CG_VEC(CgTask) todo = { 0 };
    for (int i = 0; i < (int)p->instrs.len; i++) {
        if (p->instrs.at[i].work.begin)
            cg_vec_push(&todo, ((CgTask){ i, true }));
        cg_vec_push(&todo, ((CgTask){ i, false }));
    }
    bool *taken = cg_calloc(todo.len + 1, sizeof *taken);
    for (size_t first = 0; first < todo.len; first++) {
        if (taken[first])
            continue;
        CgTask wave[CG_PLAN_WAVE] = { todo.at[first] }, left[AHEAD];
        int n = 1, nleft = 0;
        /* Handing one shard to another thread may take longer than running it. */
        bool shared = cg_plan_shards(p, wave[0]) > 1;
        for (size_t i = first + 1; shared && i < todo.len && i <= first + AHEAD && n < CG_PLAN_WAVE; i++) {
            if (taken[i])
                continue;
            if (cg_plan_shards(p, todo.at[i]) > 1 && may_join(p, todo.at[i], wave, n, left, nleft)) {
                taken[i] = true;
                wave[n++] = todo.at[i];
            } else {
                left[nleft++] = todo.at[i];
            }
        }
        cg_vec_push(&p->waves, (int)p->tasks.len);
        for (int i = 0; i < n; i++)
            cg_vec_push(&p->tasks, wave[i]);
    }
    free(taken);
    cg_vec_free(&todo);
}

size_t cg_plan_shards(const CgPlan *p, CgTask a)
{
    const CgWork *w = &p->instrs.at[a.instr].work;
    return a.begin ? w->begin : w->shards;
}

int cg_plan_waves(const CgPlan *p) { return (int)p->waves.len; }

const CgTask *cg_plan_wave(const CgPlan *p, int i, int *n)
{
    size_t first = (size_t)p->waves.at[i],
           end = (size_t)i + 1 < p->waves.len ? (size_t)p->waves.at[i + 1] : p->tasks.len;
    *n = (int)(end - first);
    return &p->tasks.at[first];
}
