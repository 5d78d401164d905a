/* interval_bootstrap.c - the percentile bootstrap over clusters: Efron 1979.
 * Takes the statistic of resamples; gives an interval. Its tails are widened as Student's t is wider than the normal
 * with that many clusters (Hesterberg 2015, "expanded percentiles"): with G clusters resamples vary by (G - 1) / G too
 * little, and t with G - 1 degrees of freedom has longer tails. A resample whose statistic is NAN is left out. */
#include <math.h>
#include <stdlib.h>

#include "table/stats.h"

static double sorted_quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low;
    return i + 1 < n ? x[i] + (at - low) * (x[i + 1] - x[i]) : x[n - 1];
}

static void run(const CgIntervalWork *w, CgInterval *out)
{
    double *value = cg_malloc(sizeof *value * ((size_t)w->resamples + 1)), groups = (double)w->clusters;
    size_t kept = 0;
    for (int s = 0; s < w->resamples; s++) {
        value[kept] = w->resample(w, (uint64_t)s);
        kept += isnan(value[kept]) ? 0 : 1;
    }
    if (kept) {
        double wide = sqrt(groups / (groups - 1)) * cg_stats_t_quantile((1 + w->level) / 2, groups - 1);
        double tail = cg_stats_normal_cdf(-wide);
        cg_stats_sort(value, kept);
        out->low = sorted_quantile(value, kept, tail);
        out->high = sorted_quantile(value, kept, 1 - tail);
    } else {
        out->why = "undefined for every resample";
    }
    free(value);
}

CG_INTERVAL(bootstrap, .label = "bootstrap", .usual_from = 10, .run = run,
    .doc = "percentiles of the statistic of resamples, expanded (Efron 1979, Hesterberg 2015)")
