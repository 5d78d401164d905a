/* cost.h - what a stage would take, before it is run.
 * Takes a checked training or evaluation; gives about how long it would run here and the memory it would need. */
#ifndef CG_COST_H
#define CG_COST_H
#include "experiment/experiment.h"

/* Measures the machine once and remembers plans: many stages of a script run the same one. */
typedef struct CgPlanner CgPlanner;

typedef struct CgCost {
    CgPlanner *planner;
    double seconds, bytes;
    int64_t rows;   /* of its data, of a training those of a batch */
    int64_t length; /* of the text at hand, while it is added up */
    CgErr err;      /* some graph cannot be planned; err.kind 0: all can */
    bool large;     /* more memory than there is */
} CgCost;

CgPlanner *cg_planner_new(CgSession *x); /* NULL after a mistake, which is in x->diags */
void cg_planner_free(CgPlanner *p);
/* False where its data cannot be had. */
bool cg_stage_cost(CgSession *x, const CgStage *s, CgPlanner *planner, CgCost *out);
#endif
