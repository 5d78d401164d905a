/* sequence.h - what two sequences of ids have in common.
 * Takes (candidate, reference), in this order: what was made first, what it should have been second; gives counts.
 * Must not know what an id stands for: tokens, bytes, or words numbered by cg_words. */
#ifndef CG_SEQUENCE_H
#define CG_SEQUENCE_H
#include "base/base.h"

typedef struct CgIds {
    const int32_t *at;
    size_t len;
} CgIds; /* borrowed */

enum { CG_MAX_ORDER = 6 };

/* match[n - 1], n = 1 .. orders: the size of the intersection of the two bags of n-grams. */
void cg_common_ngrams(CgIds candidate, CgIds reference, int orders, uint64_t *match);
static inline uint64_t cg_ngrams_in(size_t len, size_t n) { return len < n ? 0 : len - n + 1; }
size_t cg_common_subsequence(CgIds a, CgIds b); /* length of the longest */
size_t cg_common_prefix(CgIds a, CgIds b);      /* places before the first difference */
size_t cg_common_positions(CgIds a, CgIds b);   /* places where both have the same id */
size_t cg_edit_distance(CgIds a, CgIds b);      /* insertions, deletions, replacements: Levenshtein 1966 */
#endif
