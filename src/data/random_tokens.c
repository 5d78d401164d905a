/* random_tokens.c - tokens that are drawn one by one.
 * Takes draws; gives ids. Must not use floating point where an id depends on it. */
#include "data/random_tokens.h"

#include <math.h>
#include <stdlib.h>

#include "data/draw.h"

#define MOST_VOCABULARY ((int64_t)1 << 20)
#define MOST_SIZE       ((uint64_t)1 << 33)
#define UNIT            ((uint64_t)1 << 40) /* the weight of the likeliest id */

bool cg_random_tokens_check(const CgRandomTokens *r, CgErr *e)
{
    if (r->vocabulary < 1 || r->vocabulary > MOST_VOCABULARY)
        return cg_err(e, CG_ERR_INPUT, "random tokens of a vocabulary of %lld; it has 1 to %lld",
            (long long)r->vocabulary, (long long)MOST_VOCABULARY);
    if (r->size < 1 || r->size > MOST_SIZE)
        return cg_err(e, CG_ERR_INPUT, "%llu random tokens; there can be 1 to %llu", (unsigned long long)r->size,
            (unsigned long long)MOST_SIZE);
    if (!(r->exponent >= 0 && r->exponent <= 3) || fmod(r->exponent, 0.5) != 0)
        return cg_err(e, CG_ERR_INPUT, "the exponent of Zipf's law is %g; it goes from 0 to 3 in halves", r->exponent);
    return true;
}

static uint64_t square_root(uint64_t n) /* rounded down */
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    return root;
}

/* Running sums of the weights, malloc'd. */
static uint64_t *fill_weights(const CgRandomTokens *r)
{
    uint64_t *sums = cg_malloc(sizeof *sums * (size_t)r->vocabulary), sum = 0;
    int halves = (int)(2 * r->exponent);
    for (int64_t i = 0; i < r->vocabulary; i++) {
        uint64_t rank = (uint64_t)i + 1, weight = UNIT;
        for (int k = 0; k < halves / 2; k++)
            weight /= rank;
        if (halves % 2)
            weight = (weight << 10) / square_root(rank << 20);
        sums[i] = sum += weight ? weight : 1;
    }
    return sums;
}

double cg_random_tokens_entropy(const CgRandomTokens *r)
{
    if (r->exponent <= 0)
        return log2((double)r->vocabulary);
    uint64_t *sums = fill_weights(r), before = 0;
    double bits = 0, all = (double)sums[r->vocabulary - 1];
    for (int64_t i = 0; i < r->vocabulary; i++) {
        double p = (double)(sums[i] - before) / all;
        bits -= p * log2(p);
        before = sums[i];
    }
    free(sums);
    return bits;
}

void cg_random_tokens_draw(
    const CgRandomTokens *r, uint64_t which, uint64_t n, void (*each)(void *arg, int32_t id), void *arg)
{
    CgDraw d;
    cg_draw_init(&d, r->seed, CG_STREAM_TOKENS, which);
    uint64_t *sums = r->exponent > 0 ? fill_weights(r) : NULL;
    for (uint64_t i = 0; i < n; i++)
        each(arg,
            (int32_t)(sums ? cg_draw_weighted(&d, sums, (size_t)r->vocabulary)
                           : cg_draw_below(&d, (uint64_t)r->vocabulary)));
    free(sums);
}
