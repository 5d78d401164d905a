/* computation.h - a graph of a script, computed on given tensors.
 * Takes a graph or model of a script and tensors for its inputs and parameters; gives its results and, where asked for,
 * the derivatives of one of them. The types of inputs are those of the data; nothing is cast. */
#ifndef CG_COMPUTATION_H
#define CG_COMPUTATION_H
#include "experiment/graph_arg.h"
#include "run/exec.h"

/* A tensor for an input or parameter, row major. One that is read where its dtype must be known has `read`, which sets
 * `tensor`. `span` is where it was given. */
typedef struct CgTensorGiven {
    CgAtom name;
    CgSpan span;
    const CgTensor *tensor;
    const CgTensor *(*read)(const struct CgTensorGiven *g, CgDtype dtype, CgErr *e); /* NULL after a mistake */
    void *of;                                                                        /* for `read` */
    bool is_param;                                                                   /* found out: of a parameter */
} CgTensorGiven;

typedef struct CgComputationOpts {
    CgBindings sizes;       /* for names of sizes that no data tells */
    const char *grad;       /* the result that is differentiated: its name or number; NULL: none is */
    const char *const *wrt; /* (nwrt): by which inputs and parameters: patterns, several with commas between */
    int nwrt;               /* 0: by all of them */
    int64_t seed;
} CgComputationOpts;

typedef struct CgComputation {
    CgSession *x;
    CgTarget target;
    CgTensorGiven *given;
    int ngiven;
    CgComputationOpts opts;
    CgMemory memory; /* parameters that are not given */
    CgGraph *graph;  /* as it runs: results, then grad.NAME for each derivative */
    CgPlan *plan;
    CgExec *exec;
} CgComputation;

/* The graph that an expression of the script names, applied to what is given, and differentiated; nothing is computed
 * yet. `given` is borrowed. False after a mistake, which is in x->diags; either way it is closed. */
CG_NODISCARD bool cg_computation_open(
    CgComputation *c, CgSession *x, const char *graph, CgTensorGiven *given, int n, const CgComputationOpts *opts);
/* Parameters, a plan and its memory. */
CG_NODISCARD bool cg_computation_plan(CgComputation *c);
/* Computes with what given[i].tensor is now, of the same types. */
CG_NODISCARD bool cg_computation_run(CgComputation *c);
void cg_computation_close(CgComputation *c); /* before the session */
#endif
