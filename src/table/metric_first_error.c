/* metric_first_error.c - where the candidate leaves the reference.
 * Takes two sequences; gives the number of tokens before the first that differs, of a corpus the mean. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    counts[0] += (double)cg_common_prefix(candidate, reference);
    counts[1] += 1;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(first_error, .version = 1, .split = "words", .ncounts = 2, .count = count, .score = score,
    .doc = "How many tokens are right before the first that differs; all of the reference when none does.")
