/* stats.c - what one column says.
 * Takes an array; gives a number. Must not depend on the order of evaluation: sums are pairwise. */
#include "table/stats.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double pairwise(const double *x, size_t n)
{
    if (n <= 32) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    return pairwise(x, n / 2) + pairwise(x + n / 2, n - n / 2);
}

double cg_stats_mean(const double *x, size_t n) { return n ? pairwise(x, n) / (double)n : NAN; }

double cg_stats_least(const double *x, size_t n)
{
    double out = n ? INFINITY : NAN;
    for (size_t i = 0; i < n; i++)
        out = isnan(x[i]) || isnan(out) ? NAN : fmin(out, x[i]);
    return out;
}

double cg_stats_most(const double *x, size_t n)
{
    double out = n ? -INFINITY : NAN;
    for (size_t i = 0; i < n; i++)
        out = isnan(x[i]) || isnan(out) ? NAN : fmax(out, x[i]);
    return out;
}

double cg_stats_std(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = cg_stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return cg_stats_constant(x, n) ? 0 : sqrt(sum / (double)(n - 1));
}

bool cg_stats_constant(const double *x, size_t n)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return false;
        least = fmin(least, x[i]);
        most = fmax(most, x[i]);
    }
    return !(most - least > CG_ROUNDING * fmax(fabs(least), fabs(most)));
}

double cg_stats_difference(double a, double b)
{
    return fabs(a - b) <= CG_ROUNDING * fmax(fabs(a), fabs(b)) ? 0 : a - b;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void cg_stats_sort(double *x, size_t n) { qsort(x, n, sizeof *x, by_value); }

double cg_stats_quantile(const double *x, size_t n, double q)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return NAN;
    }
    if (!n || !(q >= 0 && q <= 1))
        return NAN;
    double *sorted = cg_malloc(sizeof *sorted * n);
    memcpy(sorted, x, sizeof *sorted * n);
    cg_stats_sort(sorted, n);
    double at = q * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low;
    double value = i + 1 < n && at > low ? sorted[i] + (at - low) * (sorted[i + 1] - sorted[i]) : sorted[i];
    free(sorted);
    return value;
}

typedef struct Ranked {
    double value;
    size_t row;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    return by_value(&((const Ranked *)a)->value, &((const Ranked *)b)->value);
}

void cg_stats_ranks(const double *x, size_t n, double *rank)
{
    Ranked *sorted = cg_malloc(sizeof *sorted * (n + 1));
    for (size_t i = 0; i < n; i++)
        sorted[i] = (Ranked){ x[i], i };
    qsort(sorted, n, sizeof *sorted, by_rank);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && sorted[to].value == sorted[from].value; to++)
            ;
        for (size_t i = from; i < to; i++)
            rank[sorted[i].row] = (double)(from + to + 1) / 2;
    }
    free(sorted);
}
