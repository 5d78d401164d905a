/* stats.c - do estimates agree with those of SciPy, and are intervals where they should be?
 * Takes tests/conformance/statistics/cases.json (made by make.py there); prints TAP. --coverage N draws N samples and
 * counts how many intervals hold the truth, --speed says what bootstrapping takes. Accuses
 * src/table/{stats,interval,correlation,fit,paired,distribution}.c. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/draw.h"
#include "table/stats.h"
#include "tap.h"

/* All there are, by the lists that the build makes. */
#define X(name) #name,
static const char *const correlations[] = {
#include "entries/correlation.def"
};
static const char *const tests[] = {
#include "entries/paired_test.def"
};
static const char *const effects[] = {
#include "entries/effect.def"
};
#undef X

static bool same(double got, double want)
{
    return fabs(got - want) <= 1e-9 * fmax(1, fabs(want)) || (isnan(got) && isnan(want));
}

static void near(double got, double want, const char *name)
{
    tap_ok(same(got, want), "%s (%.12g, expected %.12g)", name, got, want);
}

/* ---- SciPy's values ------------------------------------------------------------------------------------- */

enum { MOST = 256 };
static double worst;        /* of the value that is looked at, over all cases */
static const char *failing; /* what a case is about where it is off */

static double number(const json_t *v) { return json_is_number(v) ? json_number_value(v) : NAN; }

static size_t column(const json_t *of, const char *name, double *out)
{
    const json_t *list = json_object_get(of, name);
    for (size_t i = 0; i < json_array_size(list); i++)
        out[i] = number(json_array_get(list, i));
    return json_array_size(list);
}

static void expect(const json_t *expected, const char *name, const double *got, size_t n)
{
    const json_t *want = json_object_get(expected, name);
    for (size_t i = 0; i < n && want; i++) {
        double value = number(json_is_array(want) ? json_array_get(want, i) : want);
        if (!same(got[i], value)) {
            printf("# %s[%zu]: %.12g, expected %.12g\n", name, i, got[i], value);
            failing = name;
        } else if (!isnan(value))
            worst = fmax(worst, fabs(got[i] - value) / fmax(1, fabs(value)));
    }
}

static void expect_correlation(const json_t *expected, const char *name, const char *method, const double *x,
    const double *y, const double *z, size_t n)
{
    CgCorrelationOptions o = { .given = &z, .ngiven = z != NULL };
    CgCorrelation c = cg_stats_correlate(cg_correlation_find(method), x, y, n, &o);
    expect(expected, name, (double[]){ c.r, c.p }, 2);
}

static void expect_all(const json_t *of)
{
    static double x[MOST], y[MOST], z[MOST];
    static const double shares[] = { 0, 0.05, 0.25, 0.5, 0.9, 1 };
    const json_t *e = json_object_get(of, "expected");
    size_t n = column(of, "x", x);
    double q[CG_LEN(shares)];
    column(of, "y", y);
    column(of, "z", z);
    for (size_t i = 0; i < CG_LEN(shares); i++)
        q[i] = cg_stats_quantile(x, n, shares[i]);
    expect(e, "mean", (double[]){ cg_stats_mean(x, n) }, 1);
    expect(e, "std", (double[]){ cg_stats_std(x, n) }, 1);
    expect(e, "quantiles", q, CG_LEN(shares));
    expect_correlation(e, "pearson", "pearson", x, y, NULL, n);
    expect_correlation(e, "spearman", "spearman", x, y, NULL, n);
    expect_correlation(e, "kendall", "kendall", x, y, NULL, n);
    expect_correlation(e, "partial", "pearson", x, y, z, n);
    expect_correlation(e, "partial_spearman", "spearman", x, y, z, n);
    CgFit line = cg_stats_fit(y, (const double *[]){ x }, 1, n),
          both = cg_stats_fit(y, (const double *[]){ x, z }, 2, n);
    expect(e, "line", (double[]){ line.value[0], line.value[1], line.error[0], line.error[1], line.p[1], line.r2 }, 6);
    expect(e, "multiple",
        (double[]){ both.value[0], both.value[1], both.value[2], both.error[0], both.error[1], both.error[2], both.p[0],
            both.p[1], both.p[2], both.r2, both.residual },
        11);
    cg_fit_deinit(&line);
    cg_fit_deinit(&both);
    for (size_t i = 0; i < CG_LEN(tests); i++) {
        CgTest t = cg_stats_test(cg_test_find(tests[i]), x, y, n, 0);
        bool permutation = !strcmp(tests[i], "permutation");
        expect(e, tests[i], permutation ? (double[]){ t.p } : (double[]){ t.statistic, t.p }, permutation ? 1 : 2);
    }
    for (size_t i = 0; i < CG_LEN(effects); i++)
        expect(e, effects[i], (double[]){ cg_effect_find(effects[i])->run(x, n, y, n) }, 1);
}

static void reference_values(void)
{
    char path[4096];
    const char *srcdir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/conformance/statistics/cases.json", srcdir ? srcdir : ".");
    json_t *all = json_load_file(path, 0, NULL), *v;
    size_t i, n = json_array_size(json_object_get(all, "cases"));
    tap_ok(n > 30, "there are more than 30 cases");
    json_array_foreach(json_object_get(all, "cases"), i, v)
    {
        worst = 0;
        failing = NULL;
        expect_all(v);
        tap_ok(!failing, "case %zu of %zu rows as SciPy has it (off by %.1e)%s%s", i,
            json_array_size(json_object_get(v, "x")), worst, failing ? " but for " : "", failing ? failing : "");
    }
    json_array_foreach(json_object_get(all, "t"), i, v)
        near(cg_stats_t_quantile(number(json_object_get(v, "p")), number(json_object_get(v, "degrees"))),
            number(json_object_get(v, "t")), "a quantile of t");
    json_array_foreach(json_object_get(all, "normal"), i, v) near(
        cg_stats_normal_cdf(number(json_object_get(v, "z"))) / number(json_object_get(v, "p")), 1, "of the normal");
    json_array_foreach(json_object_get(all, "beta"), i, v)
        near(cg_stats_beta(
                 number(json_object_get(v, "a")), number(json_object_get(v, "b")), number(json_object_get(v, "x"))),
            number(json_object_get(v, "value")), "I_x(a, b)");
    double p[8], corrected[8];
    n = column(json_object_get(all, "holm"), "p", p);
    column(json_object_get(all, "holm"), "corrected", corrected);
    cg_stats_holm(p, n);
    for (i = 0; i < n; i++)
        near(p[i], corrected[i], "Holm's correction");
    json_decref(all);
}

/* ---- what is undefined ---------------------------------------------------------------------------------- */

static CgCorrelation correlate(const char *method, const double *x, const double *y, size_t n, const int *within)
{
    return cg_stats_correlate(cg_correlation_find(method), x, y, n, &(CgCorrelationOptions){ .within = within });
}

static void undefined(void)
{
    double third[40], sum[40], y[40];
    for (int i = 0; i < 40; i++) {
        third[i] = 1.0 / 3;
        sum[i] = i % 2 ? 0.1 + 0.2 : 0.3; /* one number but for rounding */
        y[i] = (i * 7) % 11;
    }
    for (size_t m = 0; m < CG_LEN(correlations); m++) {
        const char *name = correlations[m];
        CgCorrelation a = correlate(name, third, third, 40, NULL), b = correlate(name, y, third, 40, NULL);
        CgCorrelation c = correlate(name, y, sum, 40, NULL);
        tap_ok(isnan(a.r) && isnan(a.p) && a.why, "%s of two constant columns: %s", name, a.why ? a.why : "defined");
        tap_ok(isnan(b.r) && b.why && isnan(c.r) && c.why, "%s with a constant column: %s", name, b.why ? b.why : "");
        tap_ok(correlate(name, y, y, 2, NULL).why != NULL, "%s of two pairs", name);
        CgCorrelation gap = correlate(name, (double[]){ 1, NAN, 2, 3, 5 }, (double[]){ 2, 3, NAN, 5, 11 }, 5, NULL);
        tap_ok(gap.n == 3 && gap.r > 0.9, "pairs with a gap are left out, and counted");
        near(correlate(name, y, y, 40, NULL).r, 1, "a column with itself");
    }
    near(cg_stats_quantile((double[]){ 7 }, 1, 0.3), 7, "a quantile of one number");
    near(cg_stats_quantile((double[]){ 7, NAN }, 2, 0.3), NAN, "a quantile of what is no number");
    near(cg_stats_mean(y, 0), NAN, "a mean of nothing");
    near(cg_stats_std(y, 1), NAN, "a spread of one number");
    near(cg_stats_std(third, 40), 0, "the spread of what is constant");
    CgFit f = cg_stats_fit(y, (const double *[]){ y, y }, 2, 40);
    tap_ok(f.why && isnan(f.value[1]), "a column twice: %s", f.why ? f.why : "a fit");
    cg_fit_deinit(&f);
    CgTest t = cg_stats_test(cg_test_find("t"), y, y, 40, 0);
    tap_ok(isnan(t.p) && t.why, "a column against itself: %s", t.why ? t.why : "a p");
    t = cg_stats_test(cg_test_find("wilcoxon"), y, y, 40, 0);
    tap_ok(isnan(t.p) && t.why, "and by ranks: %s", t.why ? t.why : "a p");
}

/* Three groups that fall inside and rise from one to the next: together they rise, within they fall. */
static void within(void)
{
    double x[30], y[30];
    int group[30];
    for (int i = 0; i < 30; i++) {
        group[i] = i / 10;
        x[i] = 10 * group[i] + i % 10;
        y[i] = 20 * group[i] - i % 10 + (i * 7 % 3) * 0.1;
    }
    for (size_t m = 0; m < CG_LEN(correlations); m++) {
        const char *name = correlations[m];
        CgCorrelation all = correlate(name, x, y, 30, NULL), inside = correlate(name, x, y, 30, group);
        tap_ok(
            all.r > 0.3 && inside.r < -0.95 && inside.p < 1e-6, "%s within groups (%.3f, %.3f)", name, all.r, inside.r);
    }
}

/* ---- intervals ------------------------------------------------------------------------------------------ */

static double mean_of(const void *arg, const size_t *rows, size_t n)
{
    const double *a = arg;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[rows[i]];
    return sum / (double)n;
}

static double draw_normal(CgDraw *d) /* the sum of twelve: as good as normal for this */
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (cg_draw_word(d) + 0.5) / 4294967296.0;
    return sum;
}

static void intervals(void)
{
    static double noise[997];
    static int cluster[997];
    CgDraw d;
    cg_draw_init(&d, 1, 2, 3);
    for (int i = 0; i < 997; i++) {
        noise[i] = draw_normal(&d);
        cluster[i] = i / 50;
    }
    CgIntervalOptions rows = { .resamples = 2000, .seed = 5 },
                      clusters = { .cluster = cluster, .resamples = 2000, .seed = 5 };
    CgInterval a = cg_stats_interval_mean(noise, 997, &rows), b = cg_stats_interval(mean_of, noise, 997, &rows);
    tap_ok(same(a.low, b.low) && same(a.high, b.high), "the fast mean has the interval of any statistic");
    double half = 1.96 * cg_stats_std(noise, 997) / sqrt(997);
    tap_ok(fabs(a.high - a.value - half) < 0.1 * half && fabs(a.value - a.low - half) < 0.1 * half,
        "as wide as theory has it");
    a = cg_stats_interval_mean(noise, 997, &clusters);
    b = cg_stats_interval(mean_of, noise, 997, &clusters);
    tap_ok(same(a.low, b.low) && same(a.high, b.high) && a.clusters == 20, "of clusters, too");
    for (int i = 0; i < 997; i++)
        noise[i] = noise[i / 50 * 50];
    a = cg_stats_interval_mean(noise, 997, &rows);
    b = cg_stats_interval_mean(noise, 997, &clusters);
    tap_ok(b.high - b.low > 4 * (a.high - a.low), "clusters that move together count as one");
    static const double seeds[] = { 0.71, 0.74, 0.69, 0.73, 0.72 };
    a = cg_stats_interval_mean(seeds, 5, &rows);
    half = cg_stats_t_quantile(0.975, 4) * cg_stats_std(seeds, 5) / sqrt(5);
    tap_ok(!strcmp(a.method->name, "t") && same(a.high, a.value + half) && same(a.low, a.value - half),
        "five rows have t's interval");
    b = cg_stats_interval(mean_of, seeds, 5, &rows);
    tap_ok(!strcmp(b.method->name, "t") && same(a.high, b.high), "and so any statistic of them");
    a = cg_stats_interval_mean(noise, 0, &rows);
    tap_ok(isnan(a.value) && isnan(a.low) && a.why, "nothing says nothing");
    a = cg_stats_interval_mean(noise, 1, &rows);
    tap_ok(same(a.value, noise[0]) && isnan(a.low) && a.why, "%s", a.why);
}

/* Samples of 200 rows in 40 clusters, half of the variance between them: how often does the interval hold the mean? */
static double coverage(int samples, int shape, CgIntervalOptions o)
{
    int inside = 0, cluster[200];
    double x[200];
    o.cluster = cluster;
    for (int s = 0; s < samples; s++) {
        CgDraw d;
        cg_draw_init(&d, 2385, 77 + (uint64_t)shape, (uint64_t)s);
        for (int i = 0, left = 0, c = -1; i < 200; i++, left--) {
            static double level;
            if (left <= 0) { /* clusters of five, or of two to eight */
                left = shape == 2 ? c % 2 ? 8 : 2 : 5;
                level = draw_normal(&d);
                c++;
            }
            cluster[i] = c;
            x[i] = level + draw_normal(&d);
            if (shape == 1)
                x[i] = x[i] > 0.5; /* right or wrong */
        }
        double truth = shape == 1 ? cg_stats_normal_p(0.5 / sqrt(2)) / 2 : 0;
        o.seed = (uint64_t)s;
        CgInterval in = cg_stats_interval_mean(x, 200, &o);
        inside += in.low <= truth && truth <= in.high;
    }
    return (double)inside / samples;
}

static void coverages(int samples, double slack)
{
    static const char *const shapes[] = { "numbers", "right or wrong", "clusters of two and eight" };
    for (int shape = 0; shape < 3; shape++) {
        double share = coverage(samples, shape, (CgIntervalOptions){ .resamples = 1000 });
        tap_ok(fabs(share - 0.95) <= 0.01 + slack, "%s: intervals hold %.2f%% of %d truths", shapes[shape], 100 * share,
            samples);
    }
}

static void speed(void)
{
    static double x[2000];
    CgDraw d;
    double best = INFINITY, low = 0;
    cg_draw_init(&d, 1, 2, 3);
    for (int i = 0; i < 2000; i++)
        x[i] = draw_normal(&d);
    for (int round = 0; round < 5; round++) {
        clock_t from = clock();
        low = cg_stats_interval_mean(x, 2000, &(CgIntervalOptions){ .resamples = 10000 }).low;
        best = fmin(best, (double)(clock() - from) / CLOCKS_PER_SEC);
    }
    printf("# 10,000 bootstrap means of 2,000: %.1f ms (%.4f)\n", best * 1e3, low);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--speed"))
        return speed(), 0;
    if (argc > 2 && !strcmp(argv[1], "--coverage"))
        return coverages(atoi(argv[2]), 0), tap_done();
    reference_values();
    undefined();
    within();
    intervals();
    coverages(1000, 0.02); /* three standard errors */
    return tap_done();
}
