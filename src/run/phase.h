/* phase.h - the phases of a step.
 * Takes instructions of a plan; gives the phase that each belongs to. */
#ifndef CG_PHASE_H
#define CG_PHASE_H
#include "run/plan/plan.h"

typedef enum CgPhase {
    CG_PHASE_FORWARD,
    CG_PHASE_BACKWARD, /* derivative nodes, at the place of the forward expression they differentiate */
    CG_PHASE_AGAIN,    /* computed a second time to save memory: no useful flops */
    CG_PHASE_UPDATE,   /* the gradient's norm and the optimiser */
    CG_PHASE_VALIDATE,
    CG_PHASE_OUTSIDE, /* between the graphs: batches, copies */
    CG_NPHASE
} CgPhase;

const char *cg_phase_name(CgPhase phase);
/* The phase of the node of an instruction. */
CgPhase cg_phase_of(const CgPlan *p, const CgInstr *in);

/* Useful flops of one run of a plan: what is computed a second time is not counted. */
double cg_plan_useful_flops(const CgPlan *p);
/* Bytes that an instruction reads and writes: those of its op's `work`, else the size of its operands and results. */
double cg_instr_bytes(const CgInstr *in);
#endif
