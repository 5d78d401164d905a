/* effect_hedges.c - Hedges' g: Hedges 1981.
 * Takes two samples; gives Cohen's d without its bias. */
#include <math.h>

#include "table/stats.h"

/* Cohen's d without its bias: the exact factor of Hedges 1981. */
static double hedges(const double *a, size_t na, const double *b, size_t nb)
{
    double m = (double)(na + nb) - 2;
    return m > 1 ? cg_stats_cohen(a, na, b, nb) * exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2) : NAN;
}

CG_EFFECT(hedges, .run = hedges, .doc = "Cohen's d without its bias (Hedges 1981)")
