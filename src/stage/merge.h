/* merge.h - models whose parameters are made by graphs, as models without them.
 * Takes a model with weights and the graphs its parameters go through; gives the parameters as these make them. */
#ifndef CG_MERGE_H
#define CG_MERGE_H
#include "stage/session.h"

/* The graphs that parameters of `from` go through and those of `to` do not, as a model with the weights of `from` and
 * these graphs; NULL: there are none; poison after a mistake, which is at `span`. */
CgValue *cg_merge_of(CgElab *e, const CgValue *from, const CgValue *to, CgSpan span);
/* The tensors of the model `merged` was made from, as the graphs make them, without the parameters of the graphs.
 * declared: without numbers. Reports. */
CG_NODISCARD bool cg_merge(CgSession *x, CgValue *merged, bool declared, CgTensors *t);
/* Adds what the graphs compute of these tensors, numbers or not, to a key. Reports. */
CG_NODISCARD bool cg_merge_identify(CgSession *x, CgValue *merged, const CgTensors *t, CgDigester *d);
#endif
