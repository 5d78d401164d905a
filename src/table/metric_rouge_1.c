/* metric_rouge_1.c - ROUGE-1: F score of words: Lin 2004.
 * Takes sequences of words; gives a share in [0, 1], as the usual package does. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    uint64_t match[1];
    bool empty = !candidate.len && !reference.len;
    cg_common_ngrams(candidate, reference, 1, match);
    counts[0] += empty ? 1 : (double)match[0];
    counts[1] += empty ? 2 : (double)(cg_ngrams_in(candidate.len, 1) + cg_ngrams_in(reference.len, 1));
}

CG_METRIC(rouge_1, .version = 1, .split = "rouge", .ncounts = 2, .count = count, .score = cg_f1_score,
    .doc = "ROUGE-1: F score of tokens (Lin 2004); over words with words = \"rouge\", without endings with words = "
           "\"stem\".")
