/* claim_plan.h - how many seeds and windows the claims of a script take, and how long that is.
 * Takes a checked script whose results are in the store; gives lines of text. */
#ifndef CG_CLAIM_PLAN_H
#define CG_CLAIM_PLAN_H
#include "experiment/experiment.h"

/* `effect`: the difference that is to be shown; NAN: that of the results which are there. False after a mistake. */
CG_NODISCARD bool cg_claims_plan(CgSession *x, double effect, FILE *out);
#endif
