/* interval_t.c - Student's t over what a statistic would be without each cluster: Quenouille 1956, Tukey 1958.
 * Takes the statistic without each cluster; gives an interval, for a mean of clusters of one size the usual one. */
#include <math.h>
#include <stdlib.h>

#include "table/stats.h"

static void run(const CgIntervalWork *w, CgInterval *out)
{
    double *value = cg_malloc(sizeof *value * w->clusters), g = (double)w->clusters, sum = 0;
    for (size_t k = 0; k < w->clusters; k++)
        value[k] = w->without(w, k);
    double mean = cg_stats_mean(value, w->clusters);
    for (size_t k = 0; k < w->clusters; k++)
        sum += (value[k] - mean) * (value[k] - mean);
    if (cg_stats_constant(value, w->clusters))
        sum = 0;
    double half = cg_stats_t_quantile((1 + w->level) / 2, g - 1) * sqrt((g - 1) / g * sum);
    free(value);
    out->low = w->value - half;
    out->high = w->value + half;
    if (isnan(half))
        out->why = "undefined without one of the clusters";
}

CG_INTERVAL(t, .label = "t, jackknife", .usual_from = 2, .run = run,
    .doc = "Student's t over the statistic without each cluster (Tukey 1958)")
