/* metric_rouge_l.c - ROUGE-L: F score of the longest common subsequence, beta = 1: Lin 2004.
 * Takes sequences of words; gives a share in [0, 1], as the usual package does. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    bool empty = !candidate.len && !reference.len;
    counts[0] += empty ? 1 : (double)cg_common_subsequence(candidate, reference);
    counts[1] += empty ? 2 : (double)(candidate.len + reference.len);
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? 2 * counts[0] / counts[1] : 0;
}

CG_METRIC(rouge_l, .version = 1, .split = "rouge", .ncounts = 2, .count = count, .score = score,
    .doc = "ROUGE-L (Lin 2004): F score of the longest common subsequence; in [0, 1]")
