/* correlation_concordance.c - how near pairs lie to the line y = x: Lin 1989.
 * Takes pairs; gives 2 cov / (var x + var y + (mean x - mean y)^2), and no p. */
#include "table/correlation.h"

static CgCorrelation run(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    double a = cg_stats_mean(x, n), b = cg_stats_mean(y, n), xx = 0, yy = 0, xy = 0;
    (void)o;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - a) * (x[i] - a);
        yy += (y[i] - b) * (y[i] - b);
        xy += (x[i] - a) * (y[i] - b);
    }
    return (CgCorrelation){ 2 * xy / (xx + yy + (double)n * (a - b) * (a - b)), NAN, n, NULL };
}

CG_CORRELATION(concordance, .run = run, .doc = "concordance (Lin 1989)")
