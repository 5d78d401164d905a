/* suggest.h - "did you mean".
 * Takes a misspelt name and candidates; gives the nearest one if it is near enough (weighted Damerau-Levenshtein), and
 * the list of them for where none is. */
#ifndef CG_SUGGEST_H
#define CG_SUGGEST_H
#include "base/err.h"
#include "base/strbuf.h"

typedef struct CgSuggest {
    const char *word;
    const char *best;
    int distance;
    int n;         /* candidates that were offered */
    char all[176]; /* the candidates, as many as there is room for: "a, b, c, ..." */
} CgSuggest;
void cg_suggest_init(CgSuggest *s, const char *word);
void cg_suggest_offer(CgSuggest *s, const char *candidate); /* borrows both */
const char *cg_suggest_best(const CgSuggest *s);            /* NULL when nothing is near */
/* The hint "did you mean 'x'?", with the words `before` in front of the x; false, and no hint: nothing is near. */
bool cg_err_meant(CgErr *e, const CgSuggest *near, const char *before);
/* The best one is less than one letter away: neighbours swapped, another case. */
bool cg_suggest_is_slip(const CgSuggest *s);
/* "a, b, c": all candidates, where they are few; false where they are not, or there is none. */
bool cg_suggest_list(const CgSuggest *s, CgStrbuf *out);
#endif
