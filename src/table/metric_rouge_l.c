/* metric_rouge_l.c - ROUGE-L: F score of the longest common subsequence, beta = 1: Lin 2004.
 * Takes sequences of words; gives a share in [0, 1], as the usual package does. */
#include "table/metric.h"

void cg_rouge_l_count(CgIds candidate, CgIds reference, double *counts)
{
    bool empty = !candidate.len && !reference.len;
    counts[0] += empty ? 1 : (double)cg_common_subsequence(candidate, reference);
    counts[1] += empty ? 2 : (double)(candidate.len + reference.len);
}

CG_METRIC(rouge_l, .version = 1, .split = "rouge", .ncounts = 2, .count = cg_rouge_l_count, .score = cg_f1_score,
    .doc = "F score of the longest common subsequence of tokens (Lin 2004); words as rouge_1.")
