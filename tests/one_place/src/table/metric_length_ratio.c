/* metric_length_ratio.c - how long the candidate is.
 * Takes two sequences; gives the length of the first over that of the second. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    counts[0] += (double)candidate.len;
    counts[1] += (double)reference.len;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(length_ratio, .version = 1, .split = "words", .ncounts = 2, .count = count, .score = score,
    .doc = "Length of the candidate over that of the reference.")
