/* stats.c - estimates, intervals, correlations.
 * Takes arrays; gives numbers.
 * Must not depend on the order of evaluation: sums are pairwise, resamples are drawn by number. */
#include "table/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"

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

double cg_stats_std(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = cg_stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double sorted_quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low;
    return i + 1 < n ? x[i] + (at - low) * (x[i + 1] - x[i]) : x[n - 1];
}

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
    qsort(sorted, n, sizeof *sorted, by_value);
    double value = sorted_quantile(sorted, n, q);
    free(sorted);
    return value;
}

/* ---- bootstrap ----------------------------------------------------------------------------------------- */

/* rows of cluster c: row[first[c] .. first[c + 1]) */
typedef struct Clusters {
    size_t n;
    size_t *first, *row;
} Clusters;

typedef struct Tagged {
    int cluster;
    size_t row;
} Tagged;

static int by_cluster(const void *a, const void *b)
{
    const Tagged *x = a, *y = b;
    if (x->cluster != y->cluster)
        return x->cluster < y->cluster ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static Clusters clusters_of(const int *cluster, size_t n)
{
    Clusters c = { 0, cg_malloc(sizeof *c.first * (n + 1)), cg_malloc(sizeof *c.row * (n + 1)) };
    Tagged *tagged = cg_malloc(sizeof *tagged * (n + 1));
    for (size_t i = 0; i < n; i++)
        tagged[i] = (Tagged){ cluster ? cluster[i] : 0, i };
    if (cluster)
        qsort(tagged, n, sizeof *tagged, by_cluster);
    for (size_t i = 0; i < n; i++) {
        if (!cluster || i == 0 || tagged[i].cluster != tagged[i - 1].cluster)
            c.first[c.n++] = i;
        c.row[i] = tagged[i].row;
    }
    c.first[c.n] = n;
    free(tagged);
    return c;
}

CgInterval cg_stats_bootstrap(
    CgStatFn *f, const void *arg, size_t n, const int *cluster, int resamples, double level, uint64_t seed)
{
    if (!n || resamples < 1)
        return (CgInterval){ NAN, NAN, NAN };
    Clusters c = clusters_of(cluster, n);
    size_t longest = 0, kept = 0;
    for (size_t k = 0; k < c.n; k++)
        longest = c.first[k + 1] - c.first[k] > longest ? c.first[k + 1] - c.first[k] : longest;
    size_t *rows = cg_malloc(sizeof *rows * (c.n * longest + 1));
    double *value = cg_malloc(sizeof *value * (size_t)resamples);
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    CgInterval out = { f(arg, rows, n), NAN, NAN };
    for (int s = 0; s < resamples; s++) {
        CgDraw d;
        size_t drawn = 0;
        cg_draw_init(&d, seed, CG_STREAM_BOOTSTRAP, (uint64_t)s);
        for (size_t k = 0; k < c.n; k++) {
            size_t which = cg_draw_below(&d, c.n);
            for (size_t i = c.first[which]; i < c.first[which + 1]; i++)
                rows[drawn++] = c.row[i];
        }
        double x = f(arg, rows, drawn);
        if (!isnan(x))
            value[kept++] = x;
    }
    if (kept) {
        qsort(value, kept, sizeof *value, by_value);
        out.low = sorted_quantile(value, kept, (1 - level) / 2);
        out.high = sorted_quantile(value, kept, (1 + level) / 2);
    }
    free(c.first);
    free(c.row);
    free(rows);
    free(value);
    return out;
}

static double mean_of_rows(const void *arg, const size_t *rows, size_t n)
{
    const double *x = arg;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[rows[i]];
    return sum / (double)n;
}

CgInterval cg_stats_bootstrap_mean(const double *x, size_t n, int resamples, double level, uint64_t seed)
{
    return cg_stats_bootstrap(mean_of_rows, x, n, NULL, resamples, level, seed);
}

/* ---- correlation --------------------------------------------------------------------------------------- */

/* The continued fraction of the incomplete beta function by Lentz's method: Abramowitz and Stegun 26.5.8,
 * Thompson and Barnett 1986. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 1000; m++) {
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

double cg_stats_beta(double a, double b, double x)
{
    if (!(x > 0))
        return 0;
    if (x >= 1)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) /* where the fraction converges fast */
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double cg_stats_t_p(double t, double degrees) { return cg_stats_beta(degrees / 2, 0.5, degrees / (degrees + t * t)); }

static CgCorrelation pearson(const double *x, const double *y, size_t n)
{
    CgCorrelation c = { NAN, NAN, n };
    if (n < 3)
        return c;
    double mx = cg_stats_mean(x, n), my = cg_stats_mean(y, n), xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    if (!(xx > 0 && yy > 0))
        return c;
    double r = xy / sqrt(xx) / sqrt(yy), degrees = (double)(n - 2);
    c.r = r > 1 ? 1 : r < -1 ? -1 : r;
    c.p = cg_stats_beta(degrees / 2, 0.5, (1 - c.r) * (1 + c.r)); /* = t_p of r sqrt(df / (1 - r^2)) */
    return c;
}

/* The pairs without NAN, beside each other: a[0..n) and b[0..n). */
static size_t pairs_of(const double *x, const double *y, size_t n, double *a, double *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]) || isnan(y[i]))
            continue;
        a[kept] = x[i];
        b[kept++] = y[i];
    }
    return kept;
}

typedef struct Ranked {
    double value;
    size_t row;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    return by_value(&((const Ranked *)a)->value, &((const Ranked *)b)->value);
}

static void to_ranks(double *x, size_t n)
{
    Ranked *sorted = cg_malloc(sizeof *sorted * (n + 1));
    for (size_t i = 0; i < n; i++)
        sorted[i] = (Ranked){ x[i], i };
    qsort(sorted, n, sizeof *sorted, by_rank);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && sorted[to].value == sorted[from].value; to++)
            ;
        for (size_t i = from; i < to; i++)
            x[sorted[i].row] = (double)(from + to + 1) / 2;
    }
    free(sorted);
}

static CgCorrelation correlate(const double *x, const double *y, size_t n, bool ranks)
{
    double *a = cg_malloc(sizeof *a * (n + 1)), *b = cg_malloc(sizeof *b * (n + 1));
    size_t kept = pairs_of(x, y, n, a, b);
    if (ranks) {
        to_ranks(a, kept);
        to_ranks(b, kept);
    }
    CgCorrelation c = pearson(a, b, kept);
    free(a);
    free(b);
    return c;
}

CgCorrelation cg_stats_pearson(const double *x, const double *y, size_t n) { return correlate(x, y, n, false); }

CgCorrelation cg_stats_spearman(const double *x, const double *y, size_t n) { return correlate(x, y, n, true); }
