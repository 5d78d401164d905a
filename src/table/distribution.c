/* distribution.c - the distributions that intervals and tests need.
 * Takes a statistic and its degrees of freedom, or a probability; gives the other. */
#include <math.h>

#include "table/stats.h"

/* The continued fraction of the incomplete beta function by Lentz's method: Abramowitz and Stegun 26.5.8,
 * Thompson and Barnett 1986. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return h;
}

/* I_x(a, b) with y = 1 - x, which the caller knows better than a difference would. */
static double beta(double a, double b, double x, double y)
{
    if (isnan(x))
        return NAN;
    if (!(x > 0))
        return 0;
    if (!(y > 0))
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2)) /* where the fraction converges fast */
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double cg_stats_beta(double a, double b, double x) { return beta(a, b, x, 1 - x); }

double cg_stats_t_p(double t, double degrees)
{
    double all = degrees + t * t;
    return isinf(t) ? 0 : beta(degrees / 2, 0.5, degrees / all, t * t / all);
}

double cg_stats_t_quantile(double p, double degrees)
{
    if (!(p > 0 && p < 1))
        return NAN;
    double tail = p < 0.5 ? p : 1 - p, low = 0, high = 1; /* half of P(|T| >= t) falls with t */
    while (cg_stats_t_p(high, degrees) / 2 > tail)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        double middle = (low + high) / 2;
        if (cg_stats_t_p(middle, degrees) / 2 > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -high : high;
}

double cg_stats_normal_p(double z) { return erfc(fabs(z) / sqrt(2)); }
double cg_stats_normal_cdf(double z) { return erfc(-z / sqrt(2)) / 2; }
