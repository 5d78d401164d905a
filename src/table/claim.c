/* claim.c - what differences of clusters say of a claim.
 * Takes a difference for each cluster, and how often the rows were looked at; gives effects, tests, and verdicts that
 * hold for all claims together: Holm 1979 over the test of signs turned at random, which supposes nothing but that
 * clusters are drawn alike. */
#include <math.h>
#include <stdlib.h>

#include "table/stats.h"

static const double LEVEL = 0.05;

double cg_claim_level(int64_t look) { return look > 1 ? LEVEL / (0.5 * (double)look * ((double)look + 1)) : LEVEL; }

const char *cg_verdict_name(CgVerdict v)
{
    return v == CG_SUPPORTED ? "supported" : v == CG_REFUTED ? "refuted" : "cannot tell";
}

/* The least p that n clusters can have is that of the two ways in which all signs are alike. */
static size_t clusters_for(double level)
{
    size_t n = 1;
    while (ldexp(2, -(int)n) > level)
        n++;
    return n;
}

static void measure(CgClaim *c)
{
    CgIntervalOptions options = { .level = 0.95 };
    double *zero = cg_calloc(c->n + 1, sizeof *zero);
    c->effect = cg_stats_interval_mean(c->d, c->n, &options);
    c->signs = cg_stats_test(cg_test_find("permutation"), c->d, zero, c->n, 0);
    c->t = cg_stats_test(cg_test_find("t"), c->d, zero, c->n, 0);
    c->verdict = CG_CANNOT_TELL;
    c->level = cg_claim_level(c->look);
    c->needed = clusters_for(c->level);
    c->needed = c->n >= c->needed ? 0 : c->needed;
    for (size_t i = 0; i < c->n; i++)
        if (isnan(c->d[i])) /* tests leave such pairs out: here that would be a choice of rows */
            c->signs.p = c->t.p = NAN;
    free(zero);
}

/* The p of one side: that of two sides where the effect is on it. Turning all signs turns the sides, so half of it is
 * the chance of being there, and the level of a side is half the level. */
static double one_side(const CgClaim *c, CgVerdict side)
{
    bool there = side == CG_SUPPORTED ? c->signs.difference > 0 : c->signs.difference < 0;
    return there || isnan(c->signs.p) ? c->signs.p : 1;
}

static void decide(CgClaim *c, size_t n, CgVerdict side)
{
    double *p = cg_malloc(sizeof *p * (n + 1));
    for (size_t i = 0; i < n; i++)
        p[i] = one_side(&c[i], side);
    cg_stats_holm(p, n);
    for (size_t i = 0; i < n; i++) {
        if ((c[i].signs.difference < 0) == (side == CG_REFUTED))
            c[i].p = p[i];
        if (p[i] <= c[i].level && c[i].look >= 0)
            c[i].verdict = side;
    }
    free(p);
}

void cg_stats_claims(CgClaim *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        measure(&c[i]);
    decide(c, n, CG_SUPPORTED);
    decide(c, n, CG_REFUTED);
}
