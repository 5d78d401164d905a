/* profile.h - what was counted while plans ran.
 * Takes executions that were watched (cg_exec_profile); gives items: an op at a line of the script, in one phase of the
 * step, with calls, seconds, flops and bytes. report/profile.h makes tables of them. */
#ifndef CG_PROFILE_H
#define CG_PROFILE_H
#include "run/exec.h"

typedef enum CgPhase {
    CG_PHASE_FORWARD,
    CG_PHASE_BACKWARD, /* derivative nodes, at the place of the forward expression they differentiate */
    CG_PHASE_AGAIN,    /* computed a second time to save memory: no useful flops */
    CG_PHASE_UPDATE,   /* the gradient's norm and the optimiser */
    CG_PHASE_VALIDATE,
    CG_PHASE_OUTSIDE, /* between the graphs: batches, copies */
    CG_NPHASE
} CgPhase;

/* The instructions of one op, at one place, of one size: flops and bytes are those of a call. */
typedef struct CgProfItem {
    const char *op;
    CgAtom where; /* "model.cg:12", "" when there is no place */
    CgPhase phase;
    bool bf16;
    uint64_t calls;
    double seconds, flops, bytes;
} CgProfItem;

typedef struct CgProfile {
    CG_VEC(CgProfItem) items;
    CgMap index;
    double seconds; /* by the clock, of all steps */
    int64_t steps;
} CgProfile; /* {0} is ready to use */

/* Adds what `x` counted since cg_exec_profile(x, true). Forward or backward is what its nodes say, when `phase` is
 * CG_PHASE_FORWARD; any other phase is that of all of them. */
void cg_profile_add(CgProfile *p, const CgExec *x, CgPhase phase, const CgSources *sources);
/* Steps that took so long in all: what their instructions did not take becomes the item "outside". */
void cg_profile_steps(CgProfile *p, int64_t steps, double seconds);
void cg_profile_deinit(CgProfile *p);
const char *cg_phase_name(CgPhase phase);
/* The phase of an instruction of a plan, as its node says. */
CgPhase cg_phase_of(const CgPlan *p, const CgInstr *in);

/* Useful flops of one run of a plan: what is computed a second time is not counted. */
double cg_plan_useful_flops(const CgPlan *p);
#endif
