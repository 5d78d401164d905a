/* runner.h - a plan that is bound and runs.
 * Takes a graph, the number of rows in a batch and memory by name; gives results. What trainings, validations and
 * evaluations have in common. */
#ifndef CG_RUNNER_H
#define CG_RUNNER_H
#include "stage/session.h"

typedef struct CgRunner {
    const CgGraph *graph; /* borrowed */
    CgPlan *plan;         /* NULL: there is none */
    CgExec *exec;
    int64_t rows;
    int frame; /* its name in the trace */
} CgRunner;

/* The symbol `batch` is `rows`. A mistake is reported at `at`. */
CG_NODISCARD bool cg_runner_new(
    CgSession *x, const CgGraph *g, int64_t rows, CgPlanOptions options, CgSpan at, CgRunner *r);
void cg_runner_free(CgRunner *r);
void cg_runner_bind_params(const CgRunner *r, const CgMemory *m);
/* Inputs called like fields of d are those fields, from row `first` on. */
void cg_runner_bind_batch(const CgRunner *r, const CgDataset *d, void *const *at, int64_t first);
void cg_runner_bind(const CgRunner *r, const char *input, const void *data); /* nothing where there is no such input */

enum { CG_ODD_CALLS = 3 };
/* The op that first gave a number that is none, as its author wrote it, and the innermost applications it is in. */
typedef struct CgOdd {
    const char *op; /* "": not looked for, or not found */
    CgSpan at;
    CgAtom graph[CG_ODD_CALLS];
    CgSpan applied[CG_ODD_CALLS];
    int n;
} CgOdd;
/* What instruction `instr` computes; odd->at stays where its place is not known. */
void cg_runner_odd(const CgRunner *r, int instr, CgOdd *odd);
void cg_odd_note(CgDiag *d, const CgOdd *odd);

/* Room for the fields of `rows` rows that graph g has inputs for; NULL for the others. */
CG_NODISCARD bool cg_batch_room(const CgDataset *d, const CgGraph *g, int64_t rows, void ***at, CgErr *e);
void cg_batch_free(const CgDataset *d, void **at); /* NULL is fine */
#endif
