/* advice.h - warnings of what a training or evaluation does and surely is not meant to.
 * Takes one that was checked; refuses nothing. advice.c reads what its graph and numbers say, causality.c tries a model
 * out. */
#ifndef CG_ADVICE_H
#define CG_ADVICE_H
#include "stage/session.h"

void cg_train_advise(CgElab *e, const CgStage *s, const CgExpr *train);
void cg_evaluate_advise(CgElab *e, const CgStage *s, const CgExpr *evaluate);
/* Whether nothing was said of this place yet: a def may be called often. */
bool cg_advise_once(CgElab *e, CgCode code, CgSpan at);
/* Whether a node is of the op of that name: what people write by hand is known by its ops. */
bool cg_advice_is(const CgNode *n, const char *op);
/* What a node is the elements of: through views, repeats and conversions. */
CgRef cg_elements_of(const CgGraph *g, CgRef r);
/* Of a field of tokens of the data, the field that has those one place on; NULL: none has. */
CgAtom cg_next_field(const CgStage *s, CgAtom tokens);
#endif
