/* correlation_kendall.c - Kendall's tau-b: of all pairs of rows, how many more have one order than the other.
 * Takes pairs; gives tau and its p, exact for up to 33 pairs without ties, else from the normal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/correlation.h"

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
    for (int g = 0; g < cg_correlation_groups(o->within, n); g++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (!o->within || o->within[i] == g)
                p[m++] = (Pair){ x[i], y[i] };
        }
        add_group(&k, p, m);
    }
    free(p);
    if (cg_correlation_constant(x, n, o->within) || !(k.x_pairs > 0))
        return cg_correlation_undefined(n, "the first column is constant");
    if (cg_correlation_constant(y, n, o->within) || !(k.y_pairs > 0))
        return cg_correlation_undefined(n, "the second column is constant");
    double tau = k.s / sqrt(k.x_pairs) / sqrt(k.y_pairs), pairs = (double)n * (double)(n - 1) / 2;
    CgCorrelation c = { tau > 1 ? 1 : tau < -1 ? -1 : tau, NAN, n, NULL };
    bool exact = !o->within && !k.tied && (n <= 33 || fmin(k.discordant, pairs - k.discordant) <= 1);
    c.p = exact ? exact_p(n, k.discordant) : cg_stats_normal_p(k.s / sqrt(k.variance));
    return c;
}

CG_CORRELATION(kendall, .partial = false, .run = kendall,
    .doc = "tau-b; p exact for up to 33 pairs without ties, else from the normal")
