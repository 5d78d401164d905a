/* correlation.c - how two columns go together.
 * Takes pairs; gives r in [-1, 1] and its two-sided p. Must not take rounding for variance: a side that is constant but
 * for rounding correlates with nothing, and the result says so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/stats.h"

static CgCorrelation undefined(size_t n, const char *why) { return (CgCorrelation){ NAN, NAN, n, why }; }

static int groups_in(const int *group, size_t n)
{
    int most = 0;
    for (size_t i = 0; group && i < n; i++)
        most = group[i] + 1 > most ? group[i] + 1 : most;
    return group ? most : 1;
}

/* Takes from each number the mean of its group. Gives how many groups have rows. */
static size_t centre(double *x, size_t n, const int *group)
{
    size_t groups = (size_t)groups_in(group, n), some = 0;
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

static bool constant_within(const double *x, size_t n, const int *group)
{
    size_t groups = (size_t)groups_in(group, n);
    double *part = cg_malloc(sizeof *part * (n + 1));
    bool constant = true;
    for (size_t g = 0; g < groups && constant; g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (!group || (size_t)group[i] == g)
                part[m++] = x[i];
        }
        constant = m == 0 || cg_stats_constant(part, m);
    }
    free(part);
    return constant;
}

/* ---- Pearson and Spearman ------------------------------------------------------------------------------- */

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
        return undefined(n, "there are too few pairs");
    if (!(xx > 1e-12 * before[0]) || !(yy > 1e-12 * before[1]))
        return undefined(n, "what is given explains a column");
    for (size_t i = 0; i < n; i++)
        xy += (x[i] / xx) * (y[i] / yy);
    CgCorrelation c = { xy > 1 ? 1 : xy < -1 ? -1 : xy, NAN, n, NULL };
    c.p = cg_stats_beta(degrees / 2, 0.5, (1 - c.r) * (1 + c.r)); /* = t_p of r sqrt(df / (1 - r^2)) */
    return c;
}

static CgCorrelation of_copies(const double *x, const double *y, size_t n, const CgCorrelationOptions *o,
    void (*change)(const double *, double *, size_t, const int *))
{
    if (constant_within(x, n, o->within))
        return undefined(n, "the first column is constant");
    if (constant_within(y, n, o->within))
        return undefined(n, "the second column is constant");
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

static void as_they_are(const double *x, double *out, size_t n, const int *group)
{
    (void)group;
    memcpy(out, x, sizeof *out * n);
}

/* Ranks, within each group where there are groups. */
static void as_ranks(const double *x, double *out, size_t n, const int *group)
{
    if (!group) {
        cg_stats_ranks(x, n, out);
        return;
    }
    double *part = cg_malloc(sizeof *part * (n + 1)), *rank = cg_malloc(sizeof *rank * (n + 1));
    for (int g = 0; g < groups_in(group, n); g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (group[i] == g)
                part[m++] = x[i];
        }
        cg_stats_ranks(part, m, rank);
        m = 0;
        for (size_t i = 0; i < n; i++) {
            if (group[i] == g)
                out[i] = rank[m++];
        }
    }
    free(part);
    free(rank);
}

static CgCorrelation pearson(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    return of_copies(x, y, n, o, as_they_are);
}

static CgCorrelation spearman(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    return of_copies(x, y, n, o, as_ranks);
}

/* ---- Kendall -------------------------------------------------------------------------------------------- */

typedef struct Pair {
    double x, y;
} Pair;

static int by_pair(const void *a, const void *b)
{
    const Pair *p = a, *q = b;
    if (p->x < q->x || p->x > q->x)
        return p->x < q->x ? -1 : 1;
    return p->y < q->y ? -1 : p->y > q->y;
}

static int by_second(const void *a, const void *b)
{
    const Pair *p = a, *q = b;
    return p->y < q->y ? -1 : p->y > q->y;
}

/* Sorts by y and counts the exchanges of neighbours that takes: Knight 1966. */
static double sort_and_count(Pair *p, Pair *room, size_t n)
{
    if (n < 2)
        return 0;
    size_t half = n / 2, a = 0, b = half, k = 0;
    double swaps = sort_and_count(p, room, half) + sort_and_count(p + half, room, n - half);
    while (a < half || b < n) {
        if (b == n || (a < half && !(p[b].y < p[a].y)))
            room[k++] = p[a++];
        else {
            swaps += (double)(half - a);
            room[k++] = p[b++];
        }
    }
    memcpy(p, room, n * sizeof *p);
    return swaps;
}

typedef struct Ties {
    double pairs, third, fifth; /* sums over runs of t equal ones: t(t-1)/2, t(t-1)(t-2), t(t-1)(2t+5) */
} Ties;

static Ties ties_of(const Pair *p, size_t n, int (*compare)(const void *, const void *))
{
    Ties ties = { 0, 0, 0 };
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && compare(&p[from], &p[to]) == 0; to++)
            ;
        double t = (double)(to - from);
        ties.pairs += t * (t - 1) / 2;
        ties.third += t * (t - 1) * (t - 2);
        ties.fifth += t * (t - 1) * (2 * t + 5);
    }
    return ties;
}

static int by_first(const void *a, const void *b)
{
    const Pair *p = a, *q = b;
    return p->x < q->x ? -1 : p->x > q->x;
}

typedef struct Kendall {
    double s, x_pairs, y_pairs, variance, discordant; /* concordant - discordant; pairs that are no tie */
    bool tied;
} Kendall;

static void add_group(Kendall *k, Pair *p, size_t n)
{
    Pair *room = cg_malloc(sizeof *room * (n + 1));
    double m = (double)n, pairs = m * (m - 1) / 2;
    qsort(p, n, sizeof *p, by_pair);
    Ties both = ties_of(p, n, by_pair), x = ties_of(p, n, by_first);
    double swaps = sort_and_count(p, room, n);
    Ties y = ties_of(p, n, by_second);
    k->s += pairs - x.pairs - y.pairs + both.pairs - 2 * swaps;
    k->x_pairs += pairs - x.pairs;
    k->y_pairs += pairs - y.pairs;
    k->discordant += swaps;
    k->tied |= x.pairs > 0 || y.pairs > 0;
    if (n > 2)
        k->variance += (m * (m - 1) * (2 * m + 5) - x.fifth - y.fifth) / 18 + 2 * x.pairs * y.pairs / (m * (m - 1))
            + x.third * y.third / (9 * m * (m - 1) * (m - 2));
    else if (n == 2 && x.pairs + y.pairs <= 0)
        k->variance += 1;
    free(room);
}

/* P of at most c discordant pairs or as few concordant ones, of all n! orders: Kendall 1970. */
static double exact_p(size_t n, double discordant)
{
    double pairs = (double)n * (double)(n - 1) / 2, fewer = fmin(discordant, pairs - discordant);
    if (4 * fewer >= (double)n * (double)(n - 1))
        return 1;
    size_t c = (size_t)fewer;
    double *share = cg_calloc(c + 2, sizeof *share), sum = 0;
    share[0] = 1; /* of orders of j things, by exchanges */
    for (size_t j = 2; j <= n; j++) {
        double *next = cg_calloc(c + 2, sizeof *next), window = 0;
        for (size_t i = 0; i <= c; i++) {
            window += share[i];
            if (i >= j)
                window -= share[i - j];
            next[i] = window / (double)j;
        }
        free(share);
        share = next;
    }
    for (size_t i = 0; i <= c; i++)
        sum += share[i];
    free(share);
    return fmin(1, 2 * sum);
}

static CgCorrelation kendall(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    Kendall k = { 0 };
    Pair *p = cg_malloc(sizeof *p * (n + 1));
    for (int g = 0; g < groups_in(o->within, n); g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (!o->within || o->within[i] == g)
                p[m++] = (Pair){ x[i], y[i] };
        }
        add_group(&k, p, m);
    }
    free(p);
    if (constant_within(x, n, o->within) || !(k.x_pairs > 0))
        return undefined(n, "the first column is constant");
    if (constant_within(y, n, o->within) || !(k.y_pairs > 0))
        return undefined(n, "the second column is constant");
    double tau = k.s / sqrt(k.x_pairs) / sqrt(k.y_pairs), pairs = (double)n * (double)(n - 1) / 2;
    CgCorrelation c = { tau > 1 ? 1 : tau < -1 ? -1 : tau, NAN, n, NULL };
    bool exact = !o->within && !k.tied && (n <= 33 || fmin(k.discordant, pairs - k.discordant) <= 1);
    c.p = exact ? exact_p(n, k.discordant) : cg_stats_normal_p(k.s / sqrt(k.variance));
    return c;
}

/* ---- the methods ---------------------------------------------------------------------------------------- */

static const CgCorrelationMethod methods[] = {
    { "pearson", "product moment; p from t with n - 2 degrees of freedom, exact under normality", true, pearson },
    { "spearman", "Pearson's of the ranks, ties with the mean of theirs; p from t, rough below ten pairs", true,
        spearman },
    { "kendall", "tau-b; p exact for up to 33 pairs without ties, else from the normal", false, kendall },
};

const CgCorrelationMethod *cg_correlation_at(size_t i) { return i < CG_LEN(methods) ? &methods[i] : NULL; }

const CgCorrelationMethod *cg_correlation_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(methods); i++) {
        if (!strcmp(methods[i].name, name))
            return &methods[i];
    }
    return NULL;
}

CgCorrelation cg_stats_correlate(
    const CgCorrelationMethod *m, const double *x, const double *y, size_t n, const CgCorrelationOptions *options)
{
    CgCorrelationOptions none = { 0 }, kept = options ? *options : none;
    double *a = cg_malloc(sizeof *a * (n + 1)), *b = cg_malloc(sizeof *b * (n + 1));
    double **given = cg_calloc((size_t)kept.ngiven + 1, sizeof *given);
    int *within = cg_malloc(sizeof *within * (n + 1));
    size_t left = 0;
    for (int k = 0; k < kept.ngiven; k++)
        given[k] = cg_malloc(sizeof **given * (n + 1));
    for (size_t i = 0; i < n; i++) {
        bool whole = !isnan(x[i]) && !isnan(y[i]);
        for (int k = 0; k < kept.ngiven; k++)
            whole &= !isnan(kept.given[k][i]);
        if (!whole)
            continue;
        a[left] = x[i];
        b[left] = y[i];
        within[left] = kept.within ? kept.within[i] : 0;
        for (int k = 0; k < kept.ngiven; k++)
            given[k][left] = kept.given[k][i];
        left++;
    }
    if (kept.within)
        kept.within = within;
    kept.given = (const double *const *)given;
    CgCorrelation c = left < 3 ? undefined(left, "there are fewer than three pairs") : m->run(a, b, left, &kept);
    for (int k = 0; k < kept.ngiven; k++)
        free(given[k]);
    free(given);
    free(within);
    free(a);
    free(b);
    return c;
}
