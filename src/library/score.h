/* score.h - scores that are shown to be code lengths before they are computed.
 * Takes a model and a text; gives a number, or the place that keeps it from being one. */
#ifndef CG_LIBRARY_SCORE_H
#define CG_LIBRARY_SCORE_H
#include "library/library.h"

/* bits_per_byte(model, data), arguments 0 and 1. */
CgValue *cg_score_build(CgElab *e, CgFrame *f, const CgArguments *a);
#endif
