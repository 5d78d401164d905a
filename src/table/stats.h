/* stats.h - what samples say about where they came from.
 * Takes arrays of doubles; gives estimates, intervals, correlations with p-values. NAN where there is too
 * little to say.
 * Must not drop anything silently: arrays are taken as they are, so a NAN in is a NAN out, but for
 * correlations, which leave out pairs with a NAN and say how many pairs were left. */
#ifndef CG_STATS_H
#define CG_STATS_H
#include "base/base.h"

double cg_stats_mean(const double *x, size_t n); /* pairwise sum; NAN when n is 0 */
double cg_stats_std(const double *x, size_t n);  /* of the sample: divided by n - 1 */
/* linear between order statistics (type 7); q in [0, 1] */
double cg_stats_quantile(const double *x, size_t n, double q);

/* A statistic of a sample: rows[0..n) are indices into whatever arg holds. */
typedef double CgStatFn(const void *arg, const size_t *rows, size_t n);
typedef struct CgInterval {
    double value, low, high;
} CgInterval;

/* Percentile bootstrap (Efron 1979): `resamples` samples of n rows drawn with replacement, a function of
 * `seed` alone. `cluster`, when not NULL, numbers each row's cluster: then whole clusters are drawn, as many
 * as there are. level: 0.95. A resample whose statistic is NAN is left out. */
CgInterval cg_stats_bootstrap(
    CgStatFn *f, const void *arg, size_t n, const int *cluster, int resamples, double level, uint64_t seed);
CgInterval cg_stats_bootstrap_mean(const double *x, size_t n, int resamples, double level, uint64_t seed);

/* r in [-1, 1]; p is two-sided, from t with n - 2 degrees of freedom (exact for Pearson under normality; for
 * Spearman the usual approximation, poor below about ten pairs). NAN with fewer than three pairs or a
 * constant side. */
typedef struct CgCorrelation {
    double r, p;
    size_t n;
} CgCorrelation;
CgCorrelation cg_stats_pearson(const double *x, const double *y, size_t n);
/* ties get the mean of their ranks */
CgCorrelation cg_stats_spearman(const double *x, const double *y, size_t n);

/* regularised incomplete beta function I_x(a, b) */
double cg_stats_beta(double a, double b, double x);
double cg_stats_t_p(double t, double degrees); /* P(|T| >= |t|) */
#endif
