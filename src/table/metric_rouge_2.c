/* metric_rouge_2.c - ROUGE-2: F score of pairs of neighbouring words: Lin 2004.
 * Takes sequences of words; gives a share in [0, 1], as the usual package does. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    uint64_t match[2];
    bool empty = !candidate.len && !reference.len;
    cg_common_ngrams(candidate, reference, 2, match);
    counts[0] += empty ? 1 : (double)match[1];
    counts[1] += empty ? 2 : (double)(cg_ngrams_in(candidate.len, 2) + cg_ngrams_in(reference.len, 2));
}

CG_METRIC(rouge_2, .version = 1, .split = "rouge", .ncounts = 2, .count = count, .score = cg_f1_score,
    .doc = "ROUGE-2: F score of pairs of neighbouring tokens (Lin 2004); words as rouge_1.")
