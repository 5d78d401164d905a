/* draw.c - whole numbers and orders from the counter-based generator.
 * Takes (seed, stream, step); gives integers.
 * Must not use floating point: synthetic text and batches are the same bytes on every machine. */
#include "data/draw.h"

#include <cg/kernel.h>

void cg_draw_init(CgDraw *d, uint64_t seed, uint64_t stream, uint64_t step)
{
    d->seed = seed;
    d->stream = stream;
    d->step = step;
    d->taken = 0;
}

uint32_t cg_draw_word(CgDraw *d)
{
    uint64_t at = d->taken % CG_DRAW_KEEP;
    if (at == 0)
        cg_random_bits(d->seed, d->stream, d->step, d->taken, CG_DRAW_KEEP, d->word);
    d->taken++;
    return d->word[at];
}

uint64_t cg_draw_below(CgDraw *d, uint64_t n)
{
    if (n <= UINT32_MAX) {
        /* 2^32 mod m words would favour small results */
        uint32_t m = (uint32_t)n, unfair = (uint32_t)(0u - m) % m;
        for (;;) {
            uint64_t product = (uint64_t)cg_draw_word(d) * m;
            if ((uint32_t)product >= unfair)
                /* Lemire, "Fast random integer generation", 2019 */
                return product >> 32;
        }
    }
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    for (;;) {
        uint64_t high = cg_draw_word(d), x = high << 32 | cg_draw_word(d);
        if (x < limit)
            return x % n;
    }
}

size_t cg_draw_weighted(CgDraw *d, const uint64_t *sums, size_t n)
{
    uint64_t x = cg_draw_below(d, sums[n - 1]);
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sums[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t scramble(uint64_t x) /* finaliser of MurmurHash3 */
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

/* A Feistel network over the smallest even number of bits that holds n, walked until it lands below n (at
 * most four tries on average): Black and Rogaway, "Ciphers with arbitrary finite domains", 2002. */
uint64_t cg_draw_permuted(uint64_t key, uint64_t n, uint64_t i)
{
    CG_ASSERT(i < n, "a place is asked for outside of the permutation");
    unsigned half = 1;
    while (half < 32 && (uint64_t)1 << 2 * half < n)
        half++;
    uint64_t mask = half == 32 ? UINT32_MAX : ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = i >> half & mask, right = i & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint64_t next = left ^ (scramble(right + key + round * 0x9e3779b97f4a7c15u) & mask);
            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

uint64_t cg_draw_key(uint64_t seed, uint64_t stream, uint64_t step)
{
    uint32_t word[2];
    cg_random_bits(seed, stream, step, 0, 2, word);
    return (uint64_t)word[1] << 32 | word[0];
}
