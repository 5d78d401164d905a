/* trace.h - when each shard of each instruction ran, and on which thread.
 * Takes plans and moments; gives events, thread by thread. report/trace.h writes them for a viewer. */
#ifndef CG_TRACE_H
#define CG_TRACE_H
#include "run/profile.h"

/* What an event is called: an instruction of some plan, or a frame around many. */
typedef struct CgTraceName {
    const char *op;
    CgAtom where;
    CgPhase phase;
    size_t shards, begin;
    double flops, bytes;
} CgTraceName;

/* A shard, one of CgOp.begin, CgOp.finish; or a frame. */
typedef enum CgTraceKind { CG_TRACE_SHARD, CG_TRACE_BEGIN, CG_TRACE_FINISH, CG_TRACE_FRAME } CgTraceKind;

/* Times are nanoseconds since the trace began. */
typedef struct CgTraceEvent {
    int name;
    CgTraceKind kind;
    int shard;
    int64_t start, end;
} CgTraceEvent;
typedef struct CgTraceRow {
    CG_VEC(CgTraceEvent) events;
    uint64_t dropped;
} CgTraceRow;

typedef struct CgTrace {
    int threads;
    CgTraceRow *row; /* threads of the pool, then one of frames */
    CG_VEC(CgTraceName) names;
    int64_t origin;
    const CgSources *sources; /* may be NULL */
} CgTrace;

CgTrace *cg_trace_new(int threads, const CgSources *sources);
void cg_trace_free(CgTrace *t);
int64_t cg_trace_now(const CgTrace *t);
/* Names for all instructions of a plan: the first of them, the others follow. `phase` as in cg_profile_add. */
int cg_trace_plan(CgTrace *t, const CgPlan *p, CgPhase phase);
int cg_trace_name(CgTrace *t, const char *name); /* of a frame; interned */
/* Each thread adds to its own row only; past a bound events are counted and forgotten. */
void cg_trace_add(CgTrace *t, int row, CgTraceEvent e);
/* A frame that began at `start` and ends now. */
void cg_trace_frame(CgTrace *t, int name, int64_t start);
#endif
