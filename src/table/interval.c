/* interval.c - between what a statistic may lie.
 * Takes a statistic and rows, in clusters that move together; gives an interval and how it was made. Must not know any
 * method: they are found by their entries. Must be a function of its arguments alone: resample s draws by number from
 * (seed, s). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"
#include "table/stats.h"

enum { RESAMPLES = 1000 };

#define X(method) extern const CgIntervalMethod cg_interval_entry_##method;
#include "entries/interval.def"
#undef X
static const CgIntervalMethod *const entries[] = {
#define X(method) &cg_interval_entry_##method,
#include "entries/interval.def"
#undef X
};

const CgIntervalMethod *cg_interval_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        if (!strcmp(entries[i]->name, name))
            return entries[i];
    }
    return NULL;
}

static const CgIntervalMethod *usual(size_t clusters)
{
    const CgIntervalMethod *out = NULL;
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        size_t from = entries[i]->usual_from;
        if (from && from <= clusters && (!out || from > out->usual_from))
            out = entries[i];
    }
    return out;
}

/* ---- clusters ------------------------------------------------------------------------------------------- */

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

static CgIntervalWork work_of(const CgIntervalOptions *o, double value, size_t clusters)
{
    return (CgIntervalWork){ .value = value,
        .level = o->level > 0 ? o->level : 0.95,
        .clusters = clusters,
        .resamples = o->resamples ? o->resamples : RESAMPLES,
        .seed = o->seed };
}

static CgInterval interval_of(const CgIntervalWork *w, const CgIntervalMethod *method)
{
    CgInterval out = { w->value, NAN, NAN, w->clusters, method ? method : usual(w->clusters), NULL };
    if (isnan(w->value))
        out.why = "undefined";
    else if (w->clusters < 2)
        out.why = "one cluster has no spread";
    else
        out.method->run(w, &out);
    return out;
}

/* ---- any statistic -------------------------------------------------------------------------------------- */

typedef struct Any {
    CgIntervalWork work;
    CgStatFn *f;
    const void *arg;
    Clusters c;
    size_t *rows; /* room for the longest resample */
} Any;

static double resample(const CgIntervalWork *w, uint64_t s)
{
    const Any *any = (const Any *)w;
    const Clusters *c = &any->c;
    uint64_t key = cg_draw_key(w->seed, CG_STREAM_BOOTSTRAP, s);
    size_t drawn = 0;
    for (size_t k = 0; k < c->n; k++) {
        size_t which[2];
        draw_two(key, k / 2, c->n, which);
        for (size_t i = c->first[which[k % 2]]; i < c->first[which[k % 2] + 1]; i++)
            any->rows[drawn++] = c->row[i];
    }
    return any->f(any->arg, any->rows, drawn);
}

static double without(const CgIntervalWork *w, size_t k)
{
    const Any *any = (const Any *)w;
    size_t left = 0;
    for (size_t i = 0; i < any->c.first[any->c.n]; i++) {
        if (i < any->c.first[k] || i >= any->c.first[k + 1])
            any->rows[left++] = any->c.row[i];
    }
    return any->f(any->arg, any->rows, left);
}

CgInterval cg_stats_interval(CgStatFn *f, const void *arg, size_t n, const CgIntervalOptions *options)
{
    Any any = { .f = f, .arg = arg, .c = clusters_of(options->cluster, n) };
    any.rows = cg_malloc(sizeof *any.rows * (any.c.n * any.c.longest + 2));
    for (size_t i = 0; i < n; i++)
        any.rows[i] = i;
    any.work = work_of(options, f(arg, any.rows, n), any.c.n);
    any.work.resample = resample;
    any.work.without = without;
    CgInterval out = interval_of(&any.work, options->method);
    clusters_deinit(&any.c);
    free(any.rows);
    return out;
}

/* ---- a mean: from the sums of clusters ------------------------------------------------------------------ */

typedef struct Mean {
    CgIntervalWork work;
    double all; /* sum of all rows */
    size_t n;
    double *sum, *size; /* of each cluster */
    bool even;          /* all have one row */
} Mean;

static double resample_mean(const CgIntervalWork *w, uint64_t s)
{
    const Mean *m = (const Mean *)w;
    const double *sum = m->sum, *size = m->even ? NULL : m->size;
    uint64_t key = cg_draw_key(w->seed, CG_STREAM_BOOTSTRAP, s);
    size_t n = w->clusters;
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
        count[0] += m->size[which[0]];
    }
    return (total[0] + total[1]) / (size ? count[0] + count[1] : (double)n);
}

static double mean_without(const CgIntervalWork *w, size_t k)
{
    const Mean *m = (const Mean *)w;
    return (m->all - m->sum[k]) / ((double)m->n - m->size[k]);
}

CgInterval cg_stats_interval_mean(const double *x, size_t n, const CgIntervalOptions *options)
{
    Clusters c = clusters_of(options->cluster, n);
    double value = cg_stats_mean(x, n);
    Mean m = { .work = work_of(options, value, c.n), .all = value * (double)n, .n = n, .even = c.longest == 1 };
    m.work.resample = resample_mean;
    m.work.without = mean_without;
    m.sum = cg_calloc(c.n + 1, sizeof *m.sum);
    m.size = cg_calloc(c.n + 1, sizeof *m.size);
    for (size_t k = 0; k < c.n; k++) {
        for (size_t i = c.first[k]; i < c.first[k + 1]; i++)
            m.sum[k] += x[c.row[i]];
        m.size[k] = (double)(c.first[k + 1] - c.first[k]);
    }
    CgInterval out = interval_of(&m.work, options->method);
    clusters_deinit(&c);
    free(m.sum);
    free(m.size);
    return out;
}
