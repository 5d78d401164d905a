/* paired_permutation.c - the test of signs turned at random.
 * Takes differences of pairs; gives the share of ways to turn their signs whose mean is as far from 0 as theirs. */
#include <math.h>

#include "data/draw.h"
#include "table/stats.h"

enum { EXACT_PAIRS = 16, SHUFFLES = 10000 };

/* All 2^n ways to turn the signs of differences for up to 16 pairs, else 10,000 drawn ones and the one that is there:
 * Phipson and Smyth 2010. */
static CgTest permutation(const double *d, size_t n, uint64_t seed)
{
    double mean = cg_stats_mean(d, n), seen = fabs(mean) * (double)n * (1 - 1e-12);
    if (n < 2)
        return cg_test_undefined(mean, n, "there are fewer than two pairs");
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

CG_PAIRED_TEST(permutation, .run = permutation, .draws = true,
    .doc = "signs of the differences turned: all ways for up to 16 pairs, else 10,000 drawn ones")
