/* metric_edit_distance.c - how many changes make the candidate the reference.
 * Takes two sequences; gives a number of tokens, of a corpus the mean. */
#include "table/metric.h"

static void count(CgIds candidate, CgIds reference, double *counts)
{
    counts[0] += (double)cg_edit_distance(candidate, reference);
    counts[1] += 1;
}

static double score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? counts[0] / counts[1] : 0;
}

CG_METRIC(edit_distance, .version = 1, .split = "words", .ncounts = 2, .count = count, .score = score,
    .doc = "Insertions, deletions and replacements of tokens that make the candidate the reference.")
