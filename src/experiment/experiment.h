/* experiment.h - a script and what it asks for.
 * Takes the path of a script; gives its values: checked first as a whole, then built in the order show and save ask for
 * them. Costly values come from the store when they are there. */
#ifndef CG_EXPERIMENT_H
#define CG_EXPERIMENT_H
#include "experiment/test_block.h"
#include "stage/session.h"

/* Loads and checks; mistakes are in x->diags. Never NULL. */
CgSession *cg_experiment_new(const char *path, const CgSessionOpts *opts);
void cg_experiment_free(CgSession *x);
/* What is done instead of carrying out show and save: builds, keeps and shows nothing. */
typedef struct CgBuildOpts {
    const char *only; /* of one expression: its value is shown, too; NULL: of all that is asked for */
    bool dry;         /* says what is kept and what would be built */
    bool quiet;       /* builds and shows nothing */
} CgBuildOpts;
int cg_experiment_build(CgSession *x, const CgBuildOpts *opts, FILE *out);
/* Carries out show and save (or every train and evaluate bound at top level when there are none). Exit code. */
int cg_experiment_run(CgSession *x, FILE *out);
#endif
