/* metric.h - how near a text is to another.
 * Takes (candidate, reference), in this order: what was made first, what it should have been second; gives
 * shares in [0, 1].
 * Must not tokenise by itself: sequences of ids go in (tokens, bytes, or words numbered by cg_words). Two
 * empty sequences are equal (1); an empty one against a full one scores 0. */
#ifndef CG_METRIC_H
#define CG_METRIC_H
#include "base/base.h"

typedef struct CgIds {
    const int32_t *at;
    size_t len;
} CgIds; /* borrowed */

/* bags: 2 common / (candidate + reference), order ignored */
double cg_metric_f1(CgIds candidate, CgIds reference);
/* longest common subsequence, F with beta = 1 */
double cg_metric_rouge_l(CgIds candidate, CgIds reference);
double cg_metric_exact(CgIds candidate, CgIds reference);    /* 1 or 0 */
double cg_metric_accuracy(CgIds candidate, CgIds reference); /* equal places / length of the longer one */

/* BLEU-4 (Papineni et al. 2002), one reference. A zero count of matches at some order is smoothed:
 *   EXP    1/2, 1/4, ... in place of the first, second, ... zero (as sacreBLEU's default)
 *   FLOOR  0.1 in place of a zero (method 1 of Chen and Cherry 2014, as NLTK's)
 *   NONE   the score is 0
 * Corpus: counts are summed over the pairs, all four orders count. Sentence: orders longer than the
 * candidate are left out (sacreBLEU's effective order), except with FLOOR, which counts them as 0.1 of 1 (as
 * NLTK does). No match of a single token is 0 under all. */
typedef enum CgBleuSmooth { CG_BLEU_EXP, CG_BLEU_FLOOR, CG_BLEU_NONE } CgBleuSmooth;
/* {0} is ready to use */
typedef struct CgBleu {
    uint64_t match[4], total[4], candidate, reference;
} CgBleu;
void cg_bleu_add(CgBleu *b, CgIds candidate, CgIds reference);
double cg_bleu_corpus(const CgBleu *b, CgBleuSmooth smooth);
double cg_metric_bleu(CgIds candidate, CgIds reference, CgBleuSmooth smooth); /* of one pair */
/* "bleu4|level:sentence|units:tokens|smooth:exp|eff:yes|case:mixed|cg:1": printed beside a score. Static or
 * interned. */
const char *cg_bleu_signature(bool corpus, const char *units, CgBleuSmooth smooth);

/* Words as ids: a word is a run of letters, marks, digits and '_' (any script), a single Chinese, Japanese
 * kanji or kana character, or any other single visible character; case is kept, white space dropped, a byte
 * that is no UTF-8 stands for itself. Ids are equal exactly when words are, within one CgWords. */
typedef struct CgWords CgWords;
CgWords *cg_words_new(void);
void cg_words_free(CgWords *w);
CgIds cg_words_split(CgWords *w, const char *text, size_t len); /* valid until w is freed */
#endif
