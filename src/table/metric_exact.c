/* metric_exact.c - is the candidate the reference?
 * Takes two sequences; gives 1 or 0, of a corpus the share of pairs that are equal. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    counts[0] += candidate.len == reference.len && cg_common_prefix(candidate, reference) == reference.len;
    counts[1] += 1;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(exact, .version = 1, .split = "bytes", .ncounts = 2, .count = count, .score = score,
    .doc = "1 when the texts are equal, else 0.")
