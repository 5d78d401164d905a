/* design.c - how many clusters of rows a claim takes.
 * Takes variances, an effect, a level and a power; gives numbers of clusters. The power is that of the paired t test,
 * by the normal approximation of the noncentral t distribution (Abramowitz and Stegun 26.7.10): the permutation test,
 * whose word counts, is as good as that, once there are enough clusters for its least p. */
#include <math.h>

#include "table/stats.h"

enum { MOST = 1000000 };

double cg_stats_power(const CgDesign *d, double n, double rows)
{
    double variance = d->between + d->within / rows, nu = n - 1;
    if (n < 2 || ldexp(2, -(int)fmin(n, 1000)) > d->level)
        return 0;
    if (variance <= 0)
        return 1;
    double t = cg_stats_t_quantile(1 - d->level / 2, nu), shift = d->effect * sqrt(n / variance);
    double z = (t * (1 - 1 / (4 * nu)) - shift) / sqrt(1 + t * t / (2 * nu));
    return cg_stats_normal_cdf(-z);
}

size_t cg_stats_clusters(const CgDesign *d, double rows)
{
    double low = 1, high = 2;
    while (high < MOST && cg_stats_power(d, high, rows) < d->power) {
        low = high;
        high *= 2;
    }
    if (high >= MOST)
        return 0;
    while (high - low > 1) {
        double n = floor((low + high) / 2);
        if (cg_stats_power(d, n, rows) < d->power)
            low = n;
        else
            high = n;
    }
    return (size_t)high;
}

/* Wilson and Hilferty 1931: the cube root of a chi square is as good as normal. */
double cg_stats_variance_above(double variance, size_t n)
{
    enum { Z = 8416 }; /* of the normal distribution at 0.8, in ten thousandths */
    double nu = (double)n - 1, k = 2 / (9 * nu), root = 1 - k - Z / 1e4 * sqrt(k);
    return n > 1 && root > 0 ? variance / (root * root * root) : INFINITY;
}
