/* effect_cohen.c - Cohen's d: Cohen 1988.
 * Takes two samples; gives the difference of their means in pooled standard deviations. */
#include <math.h>

#include "table/stats.h"

double cg_stats_cohen(const double *a, size_t na, const double *b, size_t nb)
{
    if (na < 2 || nb < 2)
        return NAN;
    double sa = cg_stats_std(a, na), sb = cg_stats_std(b, nb), x = (double)(na - 1), y = (double)(nb - 1);
    double pooled = sqrt((x * sa * sa + y * sb * sb) / (x + y));
    return pooled > 0 ? (cg_stats_mean(a, na) - cg_stats_mean(b, nb)) / pooled : NAN;
}

CG_EFFECT(
    cohen, .run = cg_stats_cohen, .doc = "difference of the means over the pooled standard deviation (Cohen 1988)")
