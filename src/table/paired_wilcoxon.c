/* paired_wilcoxon.c - the test of signed ranks: Wilcoxon 1945.
 * Takes differences of pairs; gives the lesser sum of ranks and its p. */
#include <math.h>
#include <stdlib.h>

#include "table/stats.h"

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
    cg_stats_sort(size, m);
    for (size_t from = 0, to; from < m; from = to) {
        for (to = from + 1; to < m && size[to] <= size[from]; to++)
            ;
        double alike = (double)(to - from);
        ties += alike * alike * alike - alike;
    }
    double smaller = fmin(plus, minus), p = NAN, count = (double)m;
    if (ties <= 0 && m == n && n <= EXACT)
        p = fmin(1, 2 * rank_sum_share(smaller, m));
    else if (n <= ALL_SIGNS) {
        size_t far = 0, all = (size_t)1 << m;
        for (size_t s = 0; s < all; s++) {
            double sum = 0;
            for (size_t i = 0; i < m; i++)
                sum += s >> i & 1 ? rank[i] : 0;
            far += sum <= smaller + 1e-9;
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
    return m ? (CgTest){ mean, smaller, p, n, NULL } : cg_test_undefined(mean, n, "there is no difference");
}

CG_PAIRED_TEST(wilcoxon, .run = wilcoxon, .doc = "signed ranks (Wilcoxon 1945)")
