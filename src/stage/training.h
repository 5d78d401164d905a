/* training.h - a training at work.
 * Takes a stage; gives its steps, one by one: exactly what cg run repeats (data, forward, backward, clipping,
 * optimiser). train.c repeats and keeps them, bench.c times them. Stores nothing. */
#ifndef CG_TRAINING_H
#define CG_TRAINING_H
#include "stage/totals.h"

/* A loss, or metrics, looked at during a training: on rows of a dataset (measure.c). */
typedef struct CgMeasure {
    const char *name;     /* "validation" */
    CgDataset *data;      /* NULL: there is none */
    void **rows;          /* room for the fields of a batch */
    int64_t most;         /* rows of one run */
    int n;                /* numbers */
    const CgGraph *graph; /* outputs: the sums of `totals`, or where there are none the numbers */
    CgTotals *totals;
    const CgMemory *memory;
    CgRunner full, rest; /* of full batches, and of the rows that are left */
    bool watched;
} CgMeasure;

/* Batches, draws and schedules are functions of the step and of `stalls`, so parameters, optimiser states and these two
 * are all there is to keep. */
typedef struct CgTraining {
    CgSession *x;
    CgStage *s;
    CgMemory memory;
    float *grad;   /* of the contiguous block, in the slab of the last step */
    float *sum;    /* over the shares of a batch; NULL where there is one */
    float *kept;   /* parameters and states before an update that may have to be taken back; NULL where it has not */
    float **state; /* by group, then state: contiguous in one block each */
    CgRunner *step, norm, *update; /* by turn, by group */
    bool checks;                   /* every update notes itself whether the parameters it makes are finite */
    struct CgWatch *watch;         /* what the bodies of the model look at, with --debug; NULL: nothing */
    CgRunner before;               /* sums that the step needs of all shares of its batch */
    CgTotals totals, metric_totals, valid_totals;
    CgMeasure valid, metrics; /* the loss on the rows of `validate`; metrics there, else on the batch of a step */
    CgMemory metric_memory, valid_memory;
    CgDataset *data;
    float stalls;                 /* of the validation loss so far: what train.c counts */
    void **rows;                  /* fields of a batch */
    struct CgBatchesAhead *ahead; /* of data that lie in files; NULL: batches are made when they are asked for */
    int64_t filled;               /* the step whose rows they are, -1: of none */
    int64_t done;                 /* steps */
    float loss_out;
    float *terms;           /* of the loss of the last step */
    const CgRunner *faulty; /* whose run failed; NULL: none has ... */
    int64_t faulty_share;   /* ... and in which share of its batch */
    bool look;              /* whether updates look for the first number that is none, in `odd` */
    CgOdd odd;
    double seconds;  /* in steps, since they are watched */
    int64_t watched; /* that many steps */
    CgTrace *trace;  /* of steps that are watched; NULL before that, or when nobody asked */
    int frame;       /* the name of a step in it */
} CgTraining;

typedef struct CgStepResult {
    double loss, norm, rate;
} CgStepResult; /* of the gradient; NAN where the optimiser says none */

typedef enum CgStepOutcome {
    CG_STEP_TAKEN,
    CG_STEP_BAD_INDEX,  /* an index outside of its table: nothing was changed */
    CG_STEP_NOT_FINITE, /* loss or gradient: nothing was changed */
    CG_STEP_SPOILED     /* the update made a parameter that is no number; with `kept` it was taken back */
} CgStepOutcome;

typedef struct CgTrainingCost {
    size_t slab, parameters, state;
    double flops;
    CgProducts products;
} CgTrainingCost; /* bytes; useful flops a step */

CgTraining *cg_training_new(CgSession *x, CgStage *s); /* before its first step; NULL after a mistake */
void cg_training_free(CgTraining *t);
/* Batches read before they are asked for (batches_ahead.c); true where there is nothing to be gained, too. */
CG_NODISCARD bool cg_batches_ahead_open(CgTraining *t);
void cg_batches_ahead_take(CgTraining *t, int64_t step); /* into t->rows */
CgWaits cg_batches_ahead_waits(const CgTraining *t);
void cg_batches_ahead_free(CgTraining *t);
CG_NODISCARD bool cg_training_restart(CgTraining *t); /* before its first step again */
/* Before the step that is next: shows and compares what the bodies of the model look at; false where something does
 * not hold. */
CG_NODISCARD bool cg_training_debug(CgTraining *t);
CG_NODISCARD CgStepOutcome cg_training_step(CgTraining *t, CgStepResult *out);
void cg_training_skip(CgTraining *t);                    /* the step counts as done, with no update */
bool cg_training_renews(const CgTraining *t, int group); /* its parameters change in this step */
bool cg_training_finite(CgTraining *t);                  /* all that a checkpoint would hold is a number */
/* With `average`: parameters become their mean, which keeps them; a second time takes that back. Else nothing. */
void cg_training_swap_average(CgTraining *t);
/* Runs a plan that is bound, and says so in the trace. */
void cg_training_run(CgTraining *t, const CgRunner *r);
void cg_training_watch_runner(CgTraining *t, CgRunner *r, CgPhase phase, const char *name);

/* Of the graph with n numbers as outputs behind their sum, or of its shares where they are. */
CG_NODISCARD bool cg_measure_open(CgTraining *t, CgMeasure *m, const CgGraph *graph, const CgShares *shares);
void cg_measure_free(CgMeasure *m);
/* The numbers of the dataset's rows or, from step 0 on, of the batch of that step: false after a mistake, which is
 * reported. */
CG_NODISCARD bool cg_training_measure(CgTraining *t, CgMeasure *m, int64_t step, double *out);
const CgMeasure *cg_training_measuring(const CgTraining *t, const CgRunner *r); /* whose runner it is; NULL: none's */
void cg_training_watch(CgTraining *t); /* from here on, as opts.profile and opts.trace say */
void cg_training_count(CgTraining *t); /* into x->profile */
CgTrainingCost cg_training_cost(const CgTraining *t);

/* For training_fault.c: a share of the batch of a step as inputs of `r`; the inputs of an optimiser. */
typedef struct CgUpdate {
    const float *grad;
    float scale, step; /* `step` of the group that was bound last */
} CgUpdate;
void cg_training_fill(CgTraining *t, int64_t step, int64_t share, const CgRunner *r);
void cg_training_bind_update(CgTraining *t, const CgRunner *r, int group, CgUpdate *u);

/* What went wrong, as a diagnostic or a sentence (training_fault.c). */
/* Before an update: into t->odd what it will do first that is no number. */
void cg_training_look(CgTraining *t, CgUpdate *u);
/* Of a step that was not finite: the first op, its place, the rows of the batch. */
void cg_training_explain_step(CgTraining *t, CgStepResult r);
bool cg_training_explain_index(CgTraining *t); /* gives false */
/* Of an update that spoiled a parameter, after it was repeated with `look`. */
void cg_training_explain_update(CgTraining *t);
void cg_training_explain_validation(CgTraining *t, double loss);

/* Before the first step: warns of a language model that knows the token it is asked for (causality.c). */
void cg_training_try_causal(CgTraining *t);
#endif
