/* suggest.h - "did you mean".
 * Takes a misspelt name and candidates; gives the nearest one if it is near enough (weighted Damerau-Levenshtein). */
#ifndef CG_SUGGEST_H
#define CG_SUGGEST_H
#include "base/base.h"

typedef struct CgSuggest {
    const char *word;
    const char *best;
    int distance;
} CgSuggest;
void cg_suggest_init(CgSuggest *s, const char *word);
void cg_suggest_offer(CgSuggest *s, const char *candidate); /* borrows both */
const char *cg_suggest_best(const CgSuggest *s);            /* NULL when nothing is near */
#endif
