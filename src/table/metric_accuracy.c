/* metric_accuracy.c - share of places with equal tokens.
 * Takes two sequences; gives a share in [0, 1]; what is missing or too much counts as wrong. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    size_t longer = candidate.len > reference.len ? candidate.len : reference.len;
    counts[0] += longer ? (double)cg_common_positions(candidate, reference) : 1;
    counts[1] += longer ? (double)longer : 1;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(accuracy, .version = 1, .split = "words", .ncounts = 2, .count = count, .score = score,
    .doc = "Share of places with equal tokens.")
