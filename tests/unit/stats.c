/* stats.c - do estimates agree with those of SciPy and NumPy, and are intervals where they should be?
 * Takes nothing; prints TAP. Accuses src/table/stats.c. Reference values: scipy.stats 1.x of the arrays
 * below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/draw.h"
#include "table/stats.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static void near(double got, double want, const char *name)
{
    bool good = fabs(got - want) <= 1e-10 * fmax(1, fabs(want)) || (isnan(got) && isnan(want));
    ok(good, name);
    if (!good)
        printf("# got %.17g, expected %.17g\n", got, want);
}

static const double x[] = { 2.385, -0.71, 3.14, 1.25, 9.5, -4.75, 0.33, 2.385, 7.01, 5.5, -1.1 };
static const double y[] = { 1.9, 0.2, 2.2, 2.2, 6.1, -1.5, 2.9, 1.1, 7.3, 2.2, 0.05 };
enum { N = sizeof x / sizeof *x };

static double slope(const void *arg, const size_t *rows, size_t n)
{
    const double *a = arg;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[rows[i]];
    return n > 3 ? sum / (double)n : NAN;
}

static void intervals(void)
{
    double noise[997];
    CgDraw d;
    cg_draw_init(&d, 1, 2, 3);
    for (int i = 0; i < 997; i++)
        noise[i] = (double)cg_draw_below(&d, 1000003) / 1000003;
    CgInterval a = cg_stats_bootstrap_mean(noise, 997, 2000, 0.95, 5),
               b = cg_stats_bootstrap_mean(noise, 997, 2000, 0.95, 5);
    ok(a.low == b.low && a.high == b.high, "an interval is a function of its seed");
    double half = 1.96 * cg_stats_std(noise, 997) / sqrt(997);
    ok(fabs(a.high - a.value - half) < 0.1 * half && fabs(a.value - a.low - half) < 0.1 * half,
        "as wide as theory has it");
    int same[997];
    for (int i = 0; i < 997; i++)
        same[i] = i / 100;
    for (int i = 0; i < 997; i++)
        noise[i] = noise[same[i] * 100];
    CgInterval rows = cg_stats_bootstrap(slope, noise, 997, NULL, 1000, 0.95, 5);
    CgInterval clusters = cg_stats_bootstrap(slope, noise, 997, same, 1000, 0.95, 5);
    ok(clusters.high - clusters.low > 4 * (rows.high - rows.low), "clusters that move together count as one");
    CgInterval none = cg_stats_bootstrap_mean(noise, 0, 100, 0.95, 5);
    ok(isnan(none.value) && isnan(none.low), "nothing says nothing");
    CgInterval one = cg_stats_bootstrap_mean(noise, 1, 100, 0.95, 5);
    ok(one.low == noise[0] && one.high == noise[0], "one number is all there is");
}

int main(void)
{
    near(cg_stats_mean(x, N), 2.2672727272727271, "mean");
    near(cg_stats_std(x, N), 4.0034780901338545, "standard deviation");
    near(cg_stats_quantile(x, N, 0.5), 2.3849999999999998, "median");
    near(cg_stats_quantile(x, N, 0.05), -2.9249999999999998, "low quantile");
    near(cg_stats_quantile(x, N, 0.9), 7.0099999999999998, "high quantile");
    near(cg_stats_pearson(x, y, N).r, 0.88002043264926078, "Pearson's r");
    near(cg_stats_pearson(x, y, N).p, 0.00035242860373275813, "its p");
    near(cg_stats_spearman(x, y, N).r, 0.79542121515672037, "Spearman's rho, with ties");
    near(cg_stats_spearman(x, y, N).p, 0.0034196386363410732, "its p");
    near(cg_stats_pearson(x + 5, y, 6).r, 0.53606306459013287, "another r");
    near(cg_stats_pearson(x + 5, y, 6).p, 0.27292791161927904, "its p");
    near(cg_stats_beta(0.5, 0.5, 0.3), 0.36901011956554536, "I_0.3(0.5, 0.5)");
    near(cg_stats_beta(2.5, 7.1, 0.4), 0.84148888066816829, "I_0.4(2.5, 7.1)");
    near(cg_stats_beta(40, 0.5, 0.99), 0.37138602325398434, "I_0.99(40, 0.5)");
    near(cg_stats_beta(3, 900, 0.001), 0.063095961053158234, "I_0.001(3, 900)");
    near(cg_stats_beta(500, 700, 0.41), 0.32067327266140055, "I_0.41(500, 700)");
    near(cg_stats_t_p(-2.385, 7), 0.048524117707258139, "p of t = -2.385");
    near(cg_stats_t_p(12.5, 41), 1.4292431937359994e-15, "p of t = 12.5");
    CgCorrelation gap = cg_stats_pearson((double[]){ 1, NAN, 2, 3, 5 }, (double[]){ 2, 3, NAN, 5, 11 }, 5);
    ok(gap.n == 3 && gap.r > 0.9, "pairs with a gap are left out, and counted");
    ok(isnan(cg_stats_pearson(x, y, 2).r), "two pairs are too few");
    ok(isnan(cg_stats_pearson((double[]){ 3, 3, 3, 3 }, y, 4).r), "a constant correlates with nothing");
    near(cg_stats_pearson(x, x, N).p, 0, "perfect agreement has p = 0");
    near(cg_stats_quantile((double[]){ 7 }, 1, 0.3), 7, "a quantile of one number");
    near(cg_stats_quantile((double[]){ 7, NAN }, 2, 0.3), NAN, "a quantile of what is no number");
    near(cg_stats_mean(x, 0), NAN, "a mean of nothing");
    near(cg_stats_std(x, 1), NAN, "a spread of one number");
    intervals();
    printf("1..%d\n", count);
    return failed != 0;
}
