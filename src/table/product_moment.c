/* product_moment.c - the product-moment correlation, within groups and with columns taken out.
 * Takes pairs and what is to be done to each column before (nothing, ranks); gives r and its two-sided p. Must not take
 * rounding for variance: a side that is constant but for rounding correlates with nothing, and the result says so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/correlation.h"

int cg_correlation_groups(const int *group, size_t n)
{
    int most = 0;
    for (size_t i = 0; group && i < n; i++)
        most = group[i] + 1 > most ? group[i] + 1 : most;
    return group ? most : 1;
}

/* Takes from each number the mean of its group. Gives how many groups have rows. */
static size_t centre(double *x, size_t n, const int *group)
{
    size_t groups = (size_t)cg_correlation_groups(group, n), some = 0;
    double *sum = cg_calloc(groups, sizeof *sum), *count = cg_calloc(groups, sizeof *count);
    for (size_t i = 0; i < n; i++) {
        sum[group ? group[i] : 0] += x[i];
        count[group ? group[i] : 0]++;
    }
    for (size_t g = 0; g < groups; g++)
        some += count[g] > 0;
    for (size_t i = 0; i < n; i++)
        x[i] -= sum[group ? group[i] : 0] / count[group ? group[i] : 0];
    free(sum);
    free(count);
    return some;
}

bool cg_correlation_constant(const double *x, size_t n, const int *group)
{
    size_t groups = (size_t)cg_correlation_groups(group, n);
    double *subset = cg_malloc(sizeof *subset * (n + 1));
    bool constant = true;
    for (size_t g = 0; g < groups && constant; g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (!group || (size_t)group[i] == g)
                subset[m++] = x[i];
        }
        constant = m == 0 || cg_stats_constant(subset, m);
    }
    free(subset);
    return constant;
}

static double length(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* x and y are written over. */
static CgCorrelation product_moment(double *x, double *y, size_t n, const CgCorrelationOptions *o)
{
    double before[2];
    size_t groups = centre(x, n, o->within);
    centre(y, n, o->within);
    before[0] = length(x, n);
    before[1] = length(y, n);
    int rank = 1;
    if (o->ngiven > 0) {
        double **given = cg_malloc(sizeof *given * (size_t)o->ngiven);
        for (int k = 0; k < o->ngiven; k++) {
            given[k] = cg_malloc(sizeof **given * (n + 1));
            memcpy(given[k], o->given[k], sizeof **given * n);
            centre(given[k], n, o->within);
        }
        rank = cg_stats_residuals(x, (const double *const *)given, o->ngiven, n);
        cg_stats_residuals(y, (const double *const *)given, o->ngiven, n);
        for (int k = 0; k < o->ngiven; k++)
            free(given[k]);
        free(given);
    }
    double degrees = (double)n - (double)groups - rank, xx = length(x, n), yy = length(y, n), xy = 0;
    if (rank == 0 || degrees < 1)
        return cg_correlation_undefined(n, "there are too few pairs");
    if (!(xx > 1e-12 * before[0]) || !(yy > 1e-12 * before[1]))
        return cg_correlation_undefined(n, "what is given explains a column");
    for (size_t i = 0; i < n; i++)
        xy += (x[i] / xx) * (y[i] / yy);
    CgCorrelation c = { xy > 1 ? 1 : xy < -1 ? -1 : xy, NAN, n, NULL };
    c.p = cg_stats_beta(degrees / 2, 0.5, (1 - c.r) * (1 + c.r)); /* = t_p of r sqrt(df / (1 - r^2)) */
    return c;
}

CgCorrelation cg_product_moment(
    const double *x, const double *y, size_t n, const CgCorrelationOptions *o, CgColumnChange *change)
{
    if (cg_correlation_constant(x, n, o->within))
        return cg_correlation_undefined(n, "the first column is constant");
    if (cg_correlation_constant(y, n, o->within))
        return cg_correlation_undefined(n, "the second column is constant");
    double *a = cg_malloc(sizeof *a * (n + 1)), *b = cg_malloc(sizeof *b * (n + 1));
    double **given = cg_malloc(sizeof *given * (size_t)(o->ngiven + 1));
    change(x, a, n, o->within);
    change(y, b, n, o->within);
    for (int k = 0; k < o->ngiven; k++) {
        given[k] = cg_malloc(sizeof **given * (n + 1));
        change(o->given[k], given[k], n, o->within);
    }
    CgCorrelationOptions changed = { o->within, (const double *const *)given, o->ngiven };
    CgCorrelation c = product_moment(a, b, n, &changed);
    for (int k = 0; k < o->ngiven; k++)
        free(given[k]);
    free(given);
    free(a);
    free(b);
    return c;
}
