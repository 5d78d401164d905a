/* trace.c - when each shard of each instruction ran, and on which thread.
 * Takes moments; gives events by thread. Must not lock: a row is written by its own thread only. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "run/trace.h"

enum { MOST_EVENTS = 1 << 18 }; /* a row; viewers become slow long before */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t cg_trace_now(const CgTrace *t) { return now() - t->origin; }

CgTrace *cg_trace_new(int threads, const CgSources *sources)
{
    CgTrace *t = cg_calloc(1, sizeof *t);
    t->threads = threads;
    t->row = cg_calloc((size_t)threads + 1, sizeof *t->row);
    t->origin = now();
    t->sources = sources;
    return t;
}

void cg_trace_free(CgTrace *t)
{
    if (!t)
        return;
    for (int i = 0; i <= t->threads; i++)
        cg_vec_free(&t->row[i].events);
    cg_vec_free(&t->names);
    free(t->row);
    free(t);
}

int cg_trace_plan(CgTrace *t, const CgPlan *p, CgPhase phase)
{
    int first = (int)t->names.len;
    char where[160];
    for (int i = 0; i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        CgSpan span = in->node != CG_NONE ? cg_node(cg_plan_graph(p), in->node)->span : (CgSpan){ 0, 0, 0 };
        cg_vec_push(&t->names,
            ((CgTraceName){ .op = in->op->name,
                .where = cg_intern(cg_plan_where(t->sources, span, where)),
                .phase = phase == CG_PHASE_FORWARD ? cg_phase_of(p, in) : phase,
                .shards = in->work.shards,
                .begin = in->work.begin,
                .flops = in->work.flops,
                .bytes = in->work.bytes }));
    }
    return first;
}

int cg_trace_name(CgTrace *t, const char *name)
{
    cg_vec_push(&t->names, ((CgTraceName){ .op = cg_intern(name), .where = cg_intern(""), .phase = CG_PHASE_OUTSIDE }));
    return (int)t->names.len - 1;
}

void cg_trace_add(CgTrace *t, int row, CgTraceEvent e)
{
    CgTraceRow *r = &t->row[row];
    if (r->events.len >= MOST_EVENTS)
        r->dropped++;
    else
        cg_vec_push(&r->events, e);
}

void cg_trace_frame(CgTrace *t, int name, int64_t start)
{
    cg_trace_add(
        t, t->threads, (CgTraceEvent){ .name = name, .kind = CG_TRACE_FRAME, .start = start, .end = cg_trace_now(t) });
}
