/* claim.c - are verdicts of claims what the tests behind them say, and does looking again pay?
 * Takes nothing; prints TAP. Accuses src/table/claim.c. */
#include <math.h>
#include <string.h>

#include "data/draw.h"
#include "table/stats.h"
#include "tap.h"

static double draw_normal(CgDraw *d) /* the sum of twelve: as good as normal for this */
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (cg_draw_word(d) + 0.5) / 4294967296.0;
    return sum;
}

static const double up[] = { 2.3, 1.1, 0.7, 1.9, 2.8, 0.4, 1.3, 0.9 };
static const double down[] = { -2.3, -1.1, -0.7, -1.9, -2.8, -0.4, -1.3, -0.9 };
static const double mixed[] = { 2.3, -1.1, 0.7, -1.9, 2.8, -0.4, 1.3, -0.9 };

static CgClaim one(const double *d, size_t n, int64_t look)
{
    CgClaim c = { .d = d, .n = n, .look = look };
    cg_stats_claims(&c, 1);
    return c;
}

static void verdicts(void)
{
    CgClaim c = one(up, 6, 1);
    tap_ok(c.verdict == CG_SUPPORTED && c.p == 2.0 / 64 && c.effect.low > 0, "six of six: supported, p = 2/64");
    c = one(down, 6, 1);
    tap_ok(c.verdict == CG_REFUTED && c.p == 2.0 / 64 && c.effect.high < 0, "the other way: refuted");
    c = one(up, 5, 1);
    tap_ok(c.verdict == CG_CANNOT_TELL && c.needed == 6 && c.t.p < 0.05, "five cannot tell, whatever t says");
    tap_ok(one(mixed, 8, 1).verdict == CG_CANNOT_TELL, "no effect: cannot tell");
    c = one(up, 8, 3);
    tap_ok(c.verdict == CG_SUPPORTED && c.level == 0.05 / 6, "eight are enough for the third look");
    c = one(up, 8, 4);
    tap_ok(c.verdict == CG_CANNOT_TELL && c.needed == 9, "and not for the fourth");
    tap_ok(one(up, 8, 0).verdict == CG_SUPPORTED && one(up, 8, -1).verdict == CG_CANNOT_TELL,
        "no test rows: the level is whole; looks that cannot be counted: cannot tell");
    const double hole[] = { 2.3, 1.1, 0.7, NAN, 2.8, 0.4, 1.3, 0.9 };
    tap_ok(one(hole, 8, 1).verdict == CG_CANNOT_TELL, "an undefined difference is not left out");
}

static void together(void)
{
    CgClaim c[3] = { { .d = up, .n = 6, .look = 1 }, { .d = up, .n = 8, .look = 1 }, { .d = down, .n = 8, .look = 1 } };
    cg_stats_claims(c, 2);
    tap_ok(
        c[0].p == 2.0 / 64 && c[1].p == 4.0 / 256 && c[0].verdict == CG_SUPPORTED, "Holm over two: 4/256, then 2/64");
    cg_stats_claims(c, 3);
    tap_ok(
        c[1].p == 6.0 / 256 && c[2].p == 6.0 / 256 && c[2].verdict == CG_REFUTED, "over three, for and against apart");
    tap_ok(c[0].p == 4.0 / 64 && c[0].verdict == CG_CANNOT_TELL && c[1].verdict == CG_SUPPORTED,
        "of three the weaker claim is lost and the stronger stands");
}

/* Researchers under the null who look up to 100 times, with ten seeds each time, and stop when a claim is supported. */
static void shopping(int researchers)
{
    int found = 0;
    double levels = 0;
    for (int r = 0; r < researchers; r++) {
        CgDraw draw;
        bool over = false;
        cg_draw_init(&draw, 2385, 5, (uint64_t)r);
        for (int64_t look = 1; look <= 100 && !over; look++) {
            double d[10], level = cg_claim_level(look);
            for (int i = 0; i < 10; i++)
                d[i] = draw_normal(&draw);
            over = level >= 2.0 / 1024 && one(d, 10, look).verdict == CG_SUPPORTED;
        }
        found += over;
    }
    for (int64_t look = 1; look <= 100000; look++)
        levels += cg_claim_level(look) / 2;
    double share = (double)found / researchers;
    tap_ok(levels <= 0.05, "levels of all looks, one side: %.4f", levels);
    tap_ok(share <= 0.05 && share >= 0.02, "%.1f%% of %d end with a claim that is false (41/1024 are to)", 100 * share,
        researchers);
}

/* Experiments of as many clusters as are planned, with the effect that is to be shown: how many show it. */
static void planned(CgDesign d, double rows, int experiments)
{
    size_t n = cg_stats_clusters(&d, rows);
    double sd = sqrt(d.between + d.within / rows);
    int shown = 0;
    for (int r = 0; r < experiments && n < 64; r++) {
        CgDraw draw;
        double x[64];
        cg_draw_init(&draw, 2385, 6, (uint64_t)r);
        for (size_t i = 0; i < n; i++)
            x[i] = d.effect + sd * draw_normal(&draw);
        shown += one(x, n, 1).verdict == CG_SUPPORTED;
    }
    double share = (double)shown / experiments;
    tap_ok(fabs(share - cg_stats_power(&d, (double)n, rows)) < 0.06 && share > 0.75,
        "%zu clusters of %.0f rows show the effect in %.0f%% of %d experiments, planned are %.0f%%", n, rows,
        100 * share, experiments, 100 * cg_stats_power(&d, (double)n, rows));
}

static void plans(void)
{
    CgDesign d = { .between = 0.04, .within = 2.385, .effect = 0.3, .level = 0.05, .power = 0.8 };
    planned(d, 50, 600);
    planned(d, 11, 300);
    d.effect = 0.23;
    planned(d, 200, 300);
    d.effect = 7;
    tap_ok(cg_stats_clusters(&d, 50) == 6, "an effect however large takes the six that a p of 0.05 takes");
    d.effect = 1e-9;
    tap_ok(cg_stats_clusters(&d, 50) == 0, "one too small for a million");
    d = (CgDesign){ .between = 0, .within = 1, .effect = 0.5, .level = 0.05, .power = 0.8 };
    tap_ok(cg_stats_clusters(&d, 1) == 34, "a paired t test of half a deviation: 34, as in tables of it");
    /* 80% of variances of n numbers are at least 1 / cg_stats_variance_above(1, n) of the true one */
    tap_ok(fabs(cg_stats_variance_above(1, 11) - 10 / 6.179) < 0.01
            && fabs(cg_stats_variance_above(1, 4) - 3 / 1.005) < 0.04,
        "the 20%% quantile of chi squared with 10 and 3 degrees of freedom");
}

int main(int argc, char **argv)
{
    verdicts();
    together();
    plans();
    shopping(argc > 1 && !strcmp(argv[1], "--looks") ? 10000 : 3000);
    return tap_done();
}
