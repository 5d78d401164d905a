/* metric_exact_prefix.c - how much of the reference is right before the first error.
 * Takes two sequences; gives a share in [0, 1]. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    bool empty = !reference.len;
    counts[0] += empty ? !candidate.len : (double)cg_common_prefix(candidate, reference);
    counts[1] += empty ? 1 : (double)reference.len;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(exact_prefix, .version = 1, .split = "words", .ncounts = 2, .count = count, .score = score,
    .doc = "Share of the reference that is right before the first token that differs.")
