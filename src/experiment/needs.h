/* needs.h - the stages that a script asks for, before any is run.
 * Takes a checked script; gives the stages behind what it shows and saves, inputs first. Several processes on one store
 * build them side by side: each takes the next that is free. */
#ifndef CG_NEEDS_H
#define CG_NEEDS_H
#include "experiment/experiment.h"
#include "report/picture.h"

/* Stages are called by where the script binds them: lm, models.web. */
void cg_needs_name(CgSession *x);

/* Warns of evaluations of a model as it starts where nothing looks at its training. */
void cg_needs_advise(CgSession *x, const CgNameUses *uses);

typedef struct CgNeeds {
    CG_VEC(CgStage *) stages; /* what one is made of comes before it */
} CgNeeds;

/* `only`: the value of one expression instead, such as "models.web"; false after a mistake in it. */
CG_NODISCARD bool cg_needs_find(CgSession *x, const char *only, CgNeeds *out);
/* The stages that a value is made of, each once. */
void cg_needs_add(CgNeeds *n, const CgValue *v);
void cg_needs_each(void *needs, const CgValue *v); /* the same, for who calls functions with an argument */
void cg_needs_free(CgNeeds *n);
/* Builds what is neither kept nor being built elsewhere, then waits for the rest. */
void cg_needs_build(CgSession *x, const CgNeeds *n);
/* What is kept and what would be built, a line each; nothing is run. False after a mistake. */
bool cg_needs_print(CgSession *x, const CgNeeds *n, FILE *out);
/* Data, stages and results as boxes (needs_picture.c). Stages are told apart by `depth` parts of their names, by all of
 * them when it is 0, by as many as give at most so many boxes when it is below. NULL after a mistake. */
CgPicture *cg_needs_picture(CgSession *x, const CgNeeds *n, int depth, int boxes);
#endif
