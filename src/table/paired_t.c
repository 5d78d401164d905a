/* paired_t.c - the paired t test: Student 1908.
 * Takes differences of pairs; gives t and its p with n - 1 degrees of freedom. */
#include <math.h>

#include "table/stats.h"

static CgTest paired_t(const double *d, size_t n, uint64_t seed)
{
    double mean = cg_stats_mean(d, n);
    (void)seed;
    if (n < 2)
        return cg_test_undefined(mean, n, "there are fewer than two pairs");
    if (cg_stats_constant(d, n))
        return cg_test_undefined(mean, n, "all differences are the same");
    double t = mean / (cg_stats_std(d, n) / sqrt((double)n));
    return (CgTest){ mean, t, cg_stats_t_p(t, (double)(n - 1)), n, NULL };
}

CG_PAIRED_TEST(t, .run = paired_t, .doc = "paired t test (Student 1908)")
