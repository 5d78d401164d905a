/* demand.h - what a body reads of the graphs it is given.
 * Takes a graph or def; gives the parts that it and what it passes them on to look for. Evaluates nothing. */
#ifndef CG_DEMAND_H
#define CG_DEMAND_H
#include "elab/elab.h"

/* Reports, at `at`, a part that the body of `callee` reads of parameter p and that the model v cannot have. */
bool cg_demand_check(CgElab *e, const CgStmt *callee, CgEnv *env, const CgParam *p, const CgValue *v, CgSpan at);
#endif
