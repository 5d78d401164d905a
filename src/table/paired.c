/* paired.c - are two columns different, and by how much?
 * Takes two columns; gives tests of the differences of their rows, effect sizes, and p-values corrected for how many
 * there are. Must not give a p where there is no difference to test: then it is NAN and the result says why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"
#include "table/stats.h"

/* ---- tests ---------------------------------------------------------------------------------------------- */

static CgTest undefined(double difference, size_t n, const char *why)
{
    return (CgTest){ difference, NAN, NAN, n, why };
}

static CgTest paired_t(const double *d, size_t n, uint64_t seed)
{
    double mean = cg_stats_mean(d, n);
    (void)seed;
    if (n < 2)
        return undefined(mean, n, "there are fewer than two pairs");
    if (cg_stats_constant(d, n))
        return undefined(mean, n, "all differences are the same");
    double t = mean / (cg_stats_std(d, n) / sqrt((double)n));
    return (CgTest){ mean, t, cg_stats_t_p(t, (double)(n - 1)), n, NULL };
}

enum { EXACT_PAIRS = 16, SHUFFLES = 10000 };

/* All 2^n ways to turn the signs of differences for up to 16 pairs, else 10,000 drawn ones and the one that is there:
 * Phipson and Smyth 2010. */
static CgTest permutation(const double *d, size_t n, uint64_t seed)
{
    double mean = cg_stats_mean(d, n), seen = fabs(mean) * (double)n * (1 - 1e-12);
    if (n < 2)
        return undefined(mean, n, "there are fewer than two pairs");
    bool exact = n <= EXACT_PAIRS;
    size_t rounds = exact ? (size_t)1 << n : SHUFFLES, far = !exact;
    for (size_t s = 0; s < rounds; s++) {
        uint64_t bits = s;
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            if (!exact && i % 64 == 0)
                bits = cg_draw_key(seed, CG_STREAM_PERMUTE, (uint64_t)s << 32 | i / 64);
            sum += bits & 1 ? -d[i] : d[i];
            bits >>= 1;
        }
        far += fabs(sum) >= seen;
    }
    return (CgTest){ mean, mean, (double)far / (double)(rounds + !exact), n, NULL };
}

/* P of a sum of ranks of at most w, of all 2^n choices of ranks 1 .. n. */
static double rank_sum_share(double w, size_t n)
{
    size_t most = n * (n + 1) / 2, to = (size_t)w;
    double *share = cg_calloc(most + 1, sizeof *share), sum = 0;
    share[0] = 1;
    for (size_t rank = 1; rank <= n; rank++) {
        for (size_t i = most + 1; i-- > 0;)
            share[i] = (share[i] + (i >= rank ? share[i - rank] : 0)) / 2;
    }
    for (size_t i = 0; i <= to && i <= most; i++)
        sum += share[i];
    free(share);
    return sum;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* As is usual: pairs without a difference are dropped; exact for up to 50 pairs when no two differences are alike, over
 * all signs for up to 13 pairs else, otherwise the normal with correction for ties and continuity. */
static CgTest wilcoxon(const double *d, size_t n, uint64_t seed)
{
    enum { EXACT = 50, ALL_SIGNS = 13 };
    double mean = cg_stats_mean(d, n), plus = 0, minus = 0, ties = 0;
    double *size = cg_malloc(sizeof *size * (n + 1)), *rank = cg_malloc(sizeof *rank * (n + 1));
    double *kept = cg_malloc(sizeof *kept * (n + 1));
    size_t m = 0;
    (void)seed;
    for (size_t i = 0; i < n; i++) {
        if (d[i] != 0) {
            kept[m] = d[i];
            size[m++] = fabs(d[i]);
        }
    }
    cg_stats_ranks(size, m, rank);
    for (size_t i = 0; i < m; i++)
        *(kept[i] > 0 ? &plus : &minus) += rank[i];
    qsort(size, m, sizeof *size, by_value);
    for (size_t from = 0, to; from < m; from = to) {
        for (to = from + 1; to < m && size[to] <= size[from]; to++)
            ;
        double alike = (double)(to - from);
        ties += alike * alike * alike - alike;
    }
    double few = fmin(plus, minus), p = NAN, count = (double)m;
    if (ties <= 0 && m == n && n <= EXACT)
        p = fmin(1, 2 * rank_sum_share(few, m));
    else if (n <= ALL_SIGNS) {
        size_t far = 0, all = (size_t)1 << m;
        for (size_t s = 0; s < all; s++) {
            double sum = 0;
            for (size_t i = 0; i < m; i++)
                sum += s >> i & 1 ? rank[i] : 0;
            far += sum <= few + 1e-9;
        }
        p = fmin(1, 2 * (double)far / (double)all);
    } else {
        double spread = sqrt((count * (count + 1) * (2 * count + 1) - ties / 2) / 24);
        double z = plus - count * (count + 1) / 4;
        z -= z > 0 ? 0.5 : z < 0 ? -0.5 : 0;
        p = cg_stats_normal_p(z / spread);
    }
    free(size);
    free(rank);
    free(kept);
    return m ? (CgTest){ mean, few, p, n, NULL } : undefined(mean, n, "there is no difference");
}

static const CgTestMethod tests[] = {
    { "t", "paired t test (Student 1908)", paired_t },
    { "permutation", "signs of the differences turned: all ways for up to 16 pairs, else 10,000 drawn ones",
        permutation },
    { "wilcoxon", "signed ranks (Wilcoxon 1945)", wilcoxon },
};

const CgTestMethod *cg_test_at(size_t i) { return i < CG_LEN(tests) ? &tests[i] : NULL; }

const CgTestMethod *cg_test_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(tests); i++) {
        if (!strcmp(tests[i].name, name))
            return &tests[i];
    }
    return NULL;
}

CgTest cg_stats_test(const CgTestMethod *m, const double *a, const double *b, size_t n, uint64_t seed)
{
    double *d = cg_malloc(sizeof *d * (n + 1));
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(a[i]) && !isnan(b[i]))
            d[left++] = a[i] - b[i];
    }
    CgTest t = left ? m->run(d, left, seed) : undefined(NAN, 0, "there are no pairs");
    free(d);
    return t;
}

/* ---- effect sizes --------------------------------------------------------------------------------------- */

static double cohen(const double *a, size_t na, const double *b, size_t nb)
{
    if (na < 2 || nb < 2)
        return NAN;
    double sa = cg_stats_std(a, na), sb = cg_stats_std(b, nb), x = (double)(na - 1), y = (double)(nb - 1);
    double pooled = sqrt((x * sa * sa + y * sb * sb) / (x + y));
    return pooled > 0 ? (cg_stats_mean(a, na) - cg_stats_mean(b, nb)) / pooled : NAN;
}

/* Cohen's d without its bias: the exact factor of Hedges 1981. */
static double hedges(const double *a, size_t na, const double *b, size_t nb)
{
    double m = (double)(na + nb) - 2;
    return m > 1 ? cohen(a, na, b, nb) * exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2) : NAN;
}

static double cliff(const double *a, size_t na, const double *b, size_t nb)
{
    if (!na || !nb)
        return NAN;
    double *sorted = cg_malloc(sizeof *sorted * nb), more = 0;
    memcpy(sorted, b, sizeof *sorted * nb);
    qsort(sorted, nb, sizeof *sorted, by_value);
    for (size_t i = 0; i < na; i++) {
        size_t below = 0, upto = nb; /* how many of b are below a[i] */
        while (below < upto) {
            size_t middle = (below + upto) / 2;
            if (sorted[middle] < a[i])
                below = middle + 1;
            else
                upto = middle;
        }
        size_t to = below;
        for (size_t top = nb; to < top;) { /* and how many are no more */
            size_t middle = (to + top) / 2;
            if (sorted[middle] <= a[i])
                to = middle + 1;
            else
                top = middle;
        }
        more += (double)below - (double)(nb - to);
    }
    free(sorted);
    return more / (double)na / (double)nb;
}

static double paired_d(const double *a, size_t na, const double *b, size_t nb)
{
    double *d = cg_malloc(sizeof *d * (na + 1));
    for (size_t i = 0; i < na && i < nb; i++)
        d[i] = a[i] - b[i];
    double spread = na < 2 ? NAN : cg_stats_std(d, na), effect = cg_stats_mean(d, na) / spread;
    free(d);
    return spread > 0 ? effect : NAN;
}

static const CgEffect effects[] = {
    { "paired", "mean of the differences over their standard deviation", paired_d, true },
    { "cohen", "difference of the means over the pooled standard deviation (Cohen 1988)", cohen, false },
    { "hedges", "Cohen's d without its bias (Hedges 1981)", hedges, false },
    { "cliff", "P(a > b) - P(a < b) (Cliff 1993)", cliff, false },
};

const CgEffect *cg_effect_at(size_t i) { return i < CG_LEN(effects) ? &effects[i] : NULL; }

const CgEffect *cg_effect_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(effects); i++) {
        if (!strcmp(effects[i].name, name))
            return &effects[i];
    }
    return NULL;
}

/* ---- many tests ----------------------------------------------------------------------------------------- */

void cg_stats_holm(double *p, size_t n)
{
    size_t tests_left = 0;
    double most = 0;
    bool *done = cg_calloc(n + 1, sizeof *done);
    for (size_t i = 0; i < n; i++)
        tests_left += isnan(p[i]) ? 0 : 1;
    while (tests_left > 0) {
        size_t least = n;
        for (size_t i = 0; i < n; i++) {
            if (!done[i] && !isnan(p[i]) && (least == n || p[i] < p[least]))
                least = i;
        }
        most = fmax(most, fmin(1, p[least] * (double)tests_left--));
        done[least] = true;
        p[least] = most;
    }
    free(done);
}
