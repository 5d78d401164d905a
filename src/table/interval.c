/* interval.c - between what a statistic may lie.
 * Takes a statistic and rows, in clusters that move together; gives an interval and how it was made.
 * Must be a function of its arguments alone: resample s draws by number from (seed, s). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"
#include "table/stats.h"

enum { FEW_CLUSTERS = 10, RESAMPLES = 1000 };

/* rows of cluster c: row[first[c] .. first[c + 1]) */
typedef struct Clusters {
    size_t n, longest;
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
    Clusters c = { 0, 0, cg_malloc(sizeof *c.first * (n + 1)), cg_malloc(sizeof *c.row * (n + 1)) };
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
    for (size_t k = 0; k < c.n; k++)
        c.longest = c.first[k + 1] - c.first[k] > c.longest ? c.first[k + 1] - c.first[k] : c.longest;
    free(tagged);
    return c;
}

static void clusters_deinit(Clusters *c)
{
    free(c->first);
    free(c->row);
}

/* Finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* The k-th pair of numbers below n of a resample: 32 bits each, so that one of them is off by n / 2^32 of its chance.
 */
static void draw_two(uint64_t key, size_t k, uint64_t n, size_t out[2])
{
    uint64_t bits = mix(key + (k + 1) * 0x9e3779b97f4a7c15u);
    out[0] = (size_t)((bits >> 32) * n >> 32);
    out[1] = (size_t)((bits & UINT32_MAX) * n >> 32);
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

/* Ends from the statistics of resamples. With G clusters resamples vary by (G - 1) / G too little, and t with G - 1
 * degrees of freedom has longer tails than the normal. */
static void ends_of(CgInterval *out, double *value, size_t kept, double level)
{
    if (!kept) {
        out->method = "undefined for every resample";
        return;
    }
    double groups = (double)out->clusters;
    double tail = cg_stats_normal_cdf(-sqrt(groups / (groups - 1)) * cg_stats_t_quantile((1 + level) / 2, groups - 1));
    qsort(value, kept, sizeof *value, by_value);
    out->low = sorted_quantile(value, kept, tail);
    out->high = sorted_quantile(value, kept, 1 - tail);
    out->method = "bootstrap";
}

/* Student's t over what the statistic would be without each cluster: Quenouille 1956, Tukey 1958. */
static void t_interval(CgInterval *out, const double *without, double level)
{
    double g = (double)out->clusters, mean = cg_stats_mean(without, out->clusters), sum = 0;
    for (size_t k = 0; k < out->clusters; k++)
        sum += (without[k] - mean) * (without[k] - mean);
    double half = cg_stats_t_quantile((1 + level) / 2, g - 1) * sqrt((g - 1) / g * sum);
    out->low = out->value - half;
    out->high = out->value + half;
    out->method = isnan(half) ? "undefined without one of the clusters" : "t";
}

static bool begin(CgInterval *out, double value, const Clusters *c)
{
    *out = (CgInterval){ value, NAN, NAN, c->n, NULL };
    if (isnan(value))
        out->method = "undefined";
    else if (c->n < 2)
        out->method = "one cluster has no spread";
    return !out->method;
}

CgInterval cg_stats_interval(CgStatFn *f, const void *arg, size_t n, const CgIntervalOptions *options)
{
    CgInterval out;
    int resamples = options->resamples ? options->resamples : RESAMPLES;
    double level = options->level > 0 ? options->level : 0.95;
    Clusters c = clusters_of(options->cluster, n);
    size_t *rows = cg_malloc(sizeof *rows * (c.n * c.longest + 2)), kept = 0;
    double *value = cg_malloc(sizeof *value * ((size_t)resamples + FEW_CLUSTERS));
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    bool some = begin(&out, f(arg, rows, n), &c);
    for (size_t k = 0; some && c.n < FEW_CLUSTERS && k < c.n; k++) {
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            if (i < c.first[k] || i >= c.first[k + 1])
                rows[left++] = c.row[i];
        }
        value[k] = f(arg, rows, left);
    }
    for (int s = 0; some && c.n >= FEW_CLUSTERS && s < resamples; s++) {
        uint64_t key = cg_draw_key(options->seed, CG_STREAM_BOOTSTRAP, (uint64_t)s);
        size_t drawn = 0;
        for (size_t k = 0; k < c.n; k++) {
            size_t which[2];
            draw_two(key, k / 2, c.n, which);
            for (size_t i = c.first[which[k % 2]]; i < c.first[which[k % 2] + 1]; i++)
                rows[drawn++] = c.row[i];
        }
        double x = f(arg, rows, drawn);
        if (!isnan(x))
            value[kept++] = x;
    }
    if (some && c.n < FEW_CLUSTERS)
        t_interval(&out, value, level);
    else if (some)
        ends_of(&out, value, kept, level);
    clusters_deinit(&c);
    free(rows);
    free(value);
    return out;
}

/* The mean of one resample from the sums of clusters; size is NULL when all have one row. */
static double resample_mean(const double *sum, const double *size, size_t n, uint64_t key)
{
    double total[2] = { 0, 0 }, count[2] = { 0, 0 };
    for (size_t k = 0; k < n / 2; k++) {
        size_t which[2];
        draw_two(key, k, n, which);
        total[0] += sum[which[0]];
        total[1] += sum[which[1]];
        if (size) {
            count[0] += size[which[0]];
            count[1] += size[which[1]];
        }
    }
    if (n % 2) {
        size_t which[2];
        draw_two(key, n / 2, n, which);
        total[0] += sum[which[0]];
        count[0] += size ? size[which[0]] : 0;
    }
    return (total[0] + total[1]) / (size ? count[0] + count[1] : (double)n);
}

CgInterval cg_stats_interval_mean(const double *x, size_t n, const CgIntervalOptions *options)
{
    CgInterval out;
    int resamples = options->resamples ? options->resamples : RESAMPLES;
    double level = options->level > 0 ? options->level : 0.95, all = cg_stats_mean(x, n) * (double)n;
    Clusters c = clusters_of(options->cluster, n);
    double *value = cg_malloc(sizeof *value * ((size_t)resamples + FEW_CLUSTERS));
    double *sum = cg_calloc(c.n + 1, sizeof *sum), *size = cg_calloc(c.n + 1, sizeof *size);
    for (size_t k = 0; k < c.n; k++) {
        for (size_t i = c.first[k]; i < c.first[k + 1]; i++)
            sum[k] += x[c.row[i]];
        size[k] = (double)(c.first[k + 1] - c.first[k]);
    }
    if (begin(&out, cg_stats_mean(x, n), &c) && c.n < FEW_CLUSTERS) {
        for (size_t k = 0; k < c.n; k++)
            value[k] = (all - sum[k]) / ((double)n - size[k]);
        t_interval(&out, value, level);
    } else if (!out.method) {
        for (int s = 0; s < resamples; s++) {
            uint64_t key = cg_draw_key(options->seed, CG_STREAM_BOOTSTRAP, (uint64_t)s);
            value[s] = resample_mean(sum, c.longest == 1 ? NULL : size, c.n, key);
        }
        ends_of(&out, value, (size_t)resamples, level);
    }
    clusters_deinit(&c);
    free(value);
    free(sum);
    free(size);
    return out;
}
