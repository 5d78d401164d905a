/* effect_paired.c - the size of an effect on rows of one table.
 * Takes two columns; gives the mean of their differences in standard deviations of these. */
#include <math.h>
#include <stdlib.h>

#include "table/stats.h"

static double paired_d(const double *a, size_t na, const double *b, size_t nb)
{
    double *d = cg_malloc(sizeof *d * (na + 1));
    for (size_t i = 0; i < na && i < nb; i++)
        d[i] = cg_stats_difference(a[i], b[i]);
    double spread = na < 2 ? NAN : cg_stats_std(d, na), effect = cg_stats_mean(d, na) / spread;
    free(d);
    return spread > 0 ? effect : NAN;
}

CG_EFFECT(paired, .run = paired_d, .paired = true, .doc = "mean of the differences over their standard deviation")
