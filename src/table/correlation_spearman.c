/* correlation_spearman.c - Spearman's correlation: the product moment of ranks.
 * Takes pairs; gives r and its p. Ties have the mean of their ranks. */
#include <stdlib.h>
#include <string.h>

#include "table/correlation.h"

/* Ranks, within each group where there are groups. */
static void as_ranks(const double *x, double *out, size_t n, const int *group)
{
    if (!group) {
        cg_stats_ranks(x, n, out);
        return;
    }
    double *subset = cg_malloc(sizeof *subset * (n + 1)), *rank = cg_malloc(sizeof *rank * (n + 1));
    for (int g = 0; g < cg_correlation_groups(group, n); g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (group[i] == g)
                subset[m++] = x[i];
        }
        cg_stats_ranks(subset, m, rank);
        m = 0;
        for (size_t i = 0; i < n; i++) {
            if (group[i] == g)
                out[i] = rank[m++];
        }
    }
    free(subset);
    free(rank);
}

static CgCorrelation spearman(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    return cg_product_moment(x, y, n, o, as_ranks);
}

CG_CORRELATION(spearman, .partial = true, .run = spearman,
    .doc = "Pearson's of the ranks, ties with the mean of theirs; p from t, rough below ten pairs")
