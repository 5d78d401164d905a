/* claim.c - are verdicts of claims what the tests behind them say, and does looking again pay?
 * Takes nothing; prints TAP. Accuses src/table/claim.c. */
#include <math.h>

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

int main(void)
{
    verdicts();
    together();
    shopping(3000);
    return tap_done();
}
