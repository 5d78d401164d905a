/* stats.h - what samples say about where they came from.
 * Takes arrays of doubles; gives estimates, intervals, correlations, fits and tests. What cannot be said is NAN, and
 * the reason stands beside it. Methods that have siblings are one file each, which ends in its entry. Must not drop
 * anything silently: arrays are taken as they are, so a NAN in is a NAN out, but where a function says that it leaves
 * rows with a NAN out, and how many were left. */
#ifndef CG_STATS_H
#define CG_STATS_H
#include <float.h>
#include <math.h>

#include "base/base.h"

/* ---- one column (stats.c) */
double cg_stats_mean(const double *x, size_t n);  /* pairwise sum; NAN when n is 0 */
double cg_stats_least(const double *x, size_t n); /* NAN when n is 0 */
double cg_stats_most(const double *x, size_t n);
double cg_stats_std(const double *x, size_t n); /* of the sample: divided by n - 1 */
/* linear between order statistics (type 7); q in [0, 1] */
double cg_stats_quantile(const double *x, size_t n, double q);
/* Numbers that differ by less than this share of them are one but for rounding, which says nothing. */
#define CG_ROUNDING (16 * DBL_EPSILON)
bool cg_stats_constant(const double *x, size_t n);            /* all values are one but for rounding */
double cg_stats_difference(double a, double b);               /* a - b, and 0 where that is rounding */
void cg_stats_sort(double *x, size_t n);                      /* least first */
void cg_stats_ranks(const double *x, size_t n, double *rank); /* 1 .. n; ties get the mean of theirs */

/* A statistic of a sample: rows[0..n) are indices into whatever arg holds. */
typedef double CgStatFn(const void *arg, const size_t *rows, size_t n);

/* ---- intervals (interval.c) */
typedef struct CgIntervalMethod CgIntervalMethod;
typedef struct CgIntervalOptions {
    const int *cluster; /* NULL: each row is its own; else rows of one number move together */
    int resamples;      /* 0: 1000 */
    double level;       /* 0: 0.95 */
    uint64_t seed;
    const CgIntervalMethod *method; /* NULL: the usual one of so many clusters */
} CgIntervalOptions;

typedef struct CgInterval {
    double value, low, high;
    size_t clusters;
    const CgIntervalMethod *method;
    const char *why; /* NULL, or why there is no interval; static */
} CgInterval;

/* What a method is given: the statistic of all rows, and of others drawn of them. */
typedef struct CgIntervalWork CgIntervalWork;
struct CgIntervalWork {
    double (*resample)(const CgIntervalWork *w, uint64_t s); /* as many clusters, drawn with replacement; s < 2^48 */
    double (*without)(const CgIntervalWork *w, size_t k);    /* all but cluster k */
    double value, level;
    size_t clusters;
    int resamples;
    uint64_t seed;
};

struct CgIntervalMethod {
    const char *name, *label, *doc; /* label: as it is said beside an interval */
    size_t usual_from;              /* the usual method from so many clusters on; 0: only where it is asked for */
    /* Fills low and high, or why. There are two clusters or more, and the statistic of all rows is a number. */
    void (*run)(const CgIntervalWork *w, CgInterval *out);
};
/* The last line of interval_NAME.c. */
#define CG_INTERVAL(method, ...)                              \
    extern const CgIntervalMethod cg_interval_entry_##method; \
    const CgIntervalMethod cg_interval_entry_##method = { .name = #method, __VA_ARGS__ };
const CgIntervalMethod *cg_interval_find(const char *name);

CgInterval cg_stats_interval(CgStatFn *f, const void *arg, size_t n, const CgIntervalOptions *options);
CgInterval cg_stats_interval_mean(const double *x, size_t n, const CgIntervalOptions *options); /* faster */

/* ---- correlation (correlation.c) */
typedef struct CgCorrelation {
    double r, p;
    size_t n;        /* pairs without a NAN */
    const char *why; /* NULL, or why r is undefined; static */
} CgCorrelation;

/* What else a correlation is asked with. */
typedef struct CgCorrelationOptions {
    const int *within;          /* NULL, or numbers of groups: only differences inside of a group count */
    const double *const *given; /* columns whose linear effect is taken out first (partial correlation) */
    int ngiven;
} CgCorrelationOptions;

typedef struct CgCorrelationMethod {
    const char *name, *doc;
    bool partial; /* takes `given` */
    CgCorrelation (*run)(const double *x, const double *y, size_t n, const CgCorrelationOptions *options);
} CgCorrelationMethod;
/* The last line of correlation_NAME.c. */
#define CG_CORRELATION(method, ...)                                 \
    extern const CgCorrelationMethod cg_correlation_entry_##method; \
    const CgCorrelationMethod cg_correlation_entry_##method = { .name = #method, __VA_ARGS__ };
const CgCorrelationMethod *cg_correlation_find(const char *name);
/* Leaves out pairs with a NAN. p is two-sided. */
CgCorrelation cg_stats_correlate(
    const CgCorrelationMethod *m, const double *x, const double *y, size_t n, const CgCorrelationOptions *options);

/* ---- fits (fit.c) */
typedef struct CgFit {
    size_t n;                  /* rows without a NAN */
    int k;                     /* coefficients, the intercept first */
    double r2, residual;       /* share of the variance; standard deviation of what is left, n - k degrees of freedom */
    double *value, *error, *p; /* [k]; to be freed by cg_fit_deinit */
    const char *why;           /* NULL, or why there is no fit */
} CgFit;
CgFit cg_stats_fit(const double *y, const double *const *x, int nx, size_t n); /* y = a + b x + c z ..: least squares */
void cg_fit_deinit(CgFit *f);
/* Replaces y by what columns x do not explain; the rank of x with the intercept, or 0 when n is too small. */
int cg_stats_residuals(double *y, const double *const *x, int nx, size_t n);

/* ---- two columns against each other (paired.c) */
typedef struct CgTest {
    double difference, statistic, p; /* mean of a - b; what the test looks at; two-sided */
    size_t n;                        /* pairs without a NAN */
    const char *why;
} CgTest;
typedef struct CgTestMethod {
    const char *name, *doc;
    CgTest (*run)(const double *d, size_t n, uint64_t seed); /* d: differences of pairs, no NAN */
    bool draws;                                              /* the seed counts */
} CgTestMethod;
/* The last line of paired_NAME.c. */
#define CG_PAIRED_TEST(test, ...)                          \
    extern const CgTestMethod cg_paired_test_entry_##test; \
    const CgTestMethod cg_paired_test_entry_##test = { .name = #test, __VA_ARGS__ };
static inline CgTest cg_test_undefined(double difference, size_t n, const char *why)
{
    return (CgTest){ difference, NAN, NAN, n, why };
}
const CgTestMethod *cg_test_find(const char *name);
CgTest cg_stats_test(const CgTestMethod *m, const double *a, const double *b, size_t n, uint64_t seed);

typedef struct CgEffect {
    const char *name, *doc;
    double (*run)(const double *a, size_t na, const double *b, size_t nb);
    bool paired; /* a and b are rows of one table */
} CgEffect;
/* The last line of effect_NAME.c. */
#define CG_EFFECT(effect, ...)                      \
    extern const CgEffect cg_effect_entry_##effect; \
    const CgEffect cg_effect_entry_##effect = { .name = #effect, __VA_ARGS__ };
double cg_stats_cohen(const double *a, size_t na, const double *b, size_t nb);
const CgEffect *cg_effect_find(const char *name);
void cg_stats_holm(double *p, size_t n); /* in place: Holm 1979; a NAN is no test */

/* ---- claims: is one statistic the larger? (claim.c) */
typedef enum CgVerdict { CG_CANNOT_TELL, CG_SUPPORTED, CG_REFUTED } CgVerdict;
typedef struct CgClaim {
    const double *d; /* a difference for each cluster of rows, above 0 where it is as claimed; a NAN says nothing */
    size_t n;
    int64_t look;      /* the how manieth at these rows, from 1; 0: at no test rows; below 0: it could not be counted */
    CgInterval effect; /* the mean of d, and its 95% interval */
    CgTest signs, t;   /* the permutation test, whose word counts, and the paired t test beside it */
    double level;      /* cg_claim_level(look) */
    double p;          /* of `signs` by Holm, for the side that the effect is on: supported or refuted */
    CgVerdict verdict;
    size_t needed; /* clusters that a p of `level` takes at least; 0: there are so many */
} CgClaim;
/* 0.05 / (1 + 2 + .. + look): whoever looks again and again, and stops when it suits, has claimed what is not so with a
 * probability of 0.05 at most, since half of all these levels together is that, and claims have one side. */
double cg_claim_level(int64_t look);
/* Fills what comes behind `look`. Holm's correction is over all n claims, for and against apart. */
void cg_stats_claims(CgClaim *c, size_t n);
const char *cg_verdict_name(CgVerdict v);

/* ---- how many clusters of rows does a claim take? (design.c) */
typedef struct CgDesign {
    double between; /* variance of the differences of clusters that no number of rows makes less */
    double within;  /* that which a cluster of one row has besides; of m rows it is the m-th part */
    double effect;  /* the difference that is to be shown, above 0 */
    double level;   /* of the test, both sides */
    double power;   /* the chance that it is shown, if it is there */
} CgDesign;
double cg_stats_power(const CgDesign *d, double clusters, double rows);
size_t cg_stats_clusters(const CgDesign *d, double rows); /* of so many rows each; 0: a million are not enough */
/* What the variance is at most, by 80%, of which n numbers have this one. */
double cg_stats_variance_above(double variance, size_t n);

/* ---- distributions (distribution.c) */
double cg_stats_beta(double a, double b, double x); /* regularised incomplete beta function I_x(a, b) */
double cg_stats_t_p(double t, double degrees);      /* P(|T| >= |t|) */
double cg_stats_t_quantile(double p, double degrees);
double cg_stats_normal_p(double z); /* P(|Z| >= |z|) */
double cg_stats_normal_cdf(double z);
#endif
