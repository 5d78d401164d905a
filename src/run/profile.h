/* profile.h - what was counted while plans ran.
 * Takes executions that were watched (cg_exec_profile); gives items: an op at a line of the script, in one phase of the
 * step, with calls, seconds, flops and bytes. report/profile.h makes tables of them. */
#ifndef CG_PROFILE_H
#define CG_PROFILE_H
#include "run/ahead.h"
#include "run/exec.h"
#include "run/phase.h"

/* The instructions of one op, at one place, of one size: flops and bytes are those of a call. */
typedef struct CgProfItem {
    const char *op;
    CgAtom where; /* "model.cg:12", "" when there is no place */
    CgPhase phase;
    bool bf16;
    int scope; /* of its nodes in the graph, -1 = none */
    CgSpan span;
    uint64_t calls;
    double seconds, flops, bytes;
    double kept; /* bytes in the slab that its results are the first to take */
} CgProfItem;

typedef struct CgProfile {
    CG_VEC(CgProfItem) items;
    CgMap index;
    double seconds; /* by the clock, of all steps */
    int64_t steps;
    CgWaits batches; /* read ahead */
} CgProfile;         /* {0} is ready to use */

/* Adds what `x` counted since cg_exec_profile(x, true). With CG_PHASE_FORWARD each instruction has the
 * phase of its node; any other phase is that of all of them. */
void cg_profile_add(CgProfile *p, const CgExec *x, CgPhase phase, const CgSources *sources);
/* What one run of a plan would count, without its times. */
void cg_profile_plan(CgProfile *p, const CgPlan *plan, const CgSources *sources);
/* Steps that took so long in all: what their instructions did not take becomes the item "outside". */
void cg_profile_steps(CgProfile *p, int64_t steps, double seconds);
void cg_profile_deinit(CgProfile *p);
#endif
