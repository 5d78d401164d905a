/* training.h - a training at work.
 * Takes a stage; gives its steps, one by one: exactly what cg run repeats (data, forward, backward, clipping,
 * optimiser). train.c repeats and keeps them, bench.c times them. Stores nothing. */
#ifndef CG_TRAINING_H
#define CG_TRAINING_H
#include "stage/session.h"

/* A plan that is bound and runs. */
typedef struct CgRunner {
    CgPlan *plan;
    CgExec *exec;
    int frame; /* its name in the trace */
} CgRunner;

/* Batches, draws and schedules are functions of the step, so parameters, optimiser states and `done` are all there is
 * to keep. */
typedef struct CgTraining {
    CgSession *x;
    CgStage *s;
    CgMemory memory;
    float *grad;   /* of the contiguous block, in the slab of `step` */
    float *sum;    /* over the shares of a batch; NULL where there is one */
    float **state; /* by group, then state: contiguous in one block each */
    CgRunner step, loss, norm, *update;
    CgWindows *windows, *valid;
    CgTensors batches; /* data from a file of batches */
    int32_t *tokens, *next_tokens;
    int64_t done; /* steps */
    float loss_out;
    double seconds;  /* in steps, since they are watched */
    int64_t watched; /* that many steps */
    CgTrace *trace;  /* of steps that are watched; NULL before that, or when nobody asked */
    int frame;       /* the name of a step in it */
} CgTraining;

typedef struct CgStepResult {
    double loss, norm, rate;
} CgStepResult; /* of the gradient; NAN where the optimiser says none */
typedef struct CgTrainingCost {
    size_t slab, parameters, state;
    double flops;
    CgProducts products;
} CgTrainingCost; /* bytes; useful flops a step */

CgTraining *cg_training_new(CgSession *x, CgStage *s); /* before its first step; NULL after a mistake */
void cg_training_free(CgTraining *t);
CG_NODISCARD bool cg_training_step(CgTraining *t, CgStepResult *out);
/* With `average`: parameters become their mean, which keeps them; a second time takes that back. Else nothing. */
void cg_training_swap_average(CgTraining *t);
double cg_training_validate(CgTraining *t); /* the loss on the first batches of `validate` */
void cg_training_watch(CgTraining *t);      /* from here on, as opts.profile and opts.trace say */
void cg_training_count(CgTraining *t);      /* into x->profile */
CgTrainingCost cg_training_cost(const CgTraining *t);
#endif
