/* random.c - numbers as a function of what they are for.
 * Takes (seed, stream, step, index); gives 32 random bits each, always the same for the same four.
 * Keeps no state. Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. */
#include <string.h>
#include <cg/kernel.h>

#define LANES 16 /* blocks of four words made together, so that the compiler fills vector registers */

/* Finaliser of splitmix64: a bijection, so two streams of one seed never share a key. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Counters (block low, block high, step low, step high), LANES consecutive blocks from `block`. */
static void philox(uint64_t key, uint64_t step, uint64_t block, uint32_t out[4][LANES])
{
    uint32_t x0[LANES], x1[LANES], x2[LANES], x3[LANES];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int i = 0; i < LANES; i++) {
        x0[i] = (uint32_t)(block + (uint64_t)i);
        x1[i] = (uint32_t)((block + (uint64_t)i) >> 32);
        x2[i] = (uint32_t)step;
        x3[i] = (uint32_t)(step >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t a = (uint64_t)0xd2511f53u * x0[i], b = (uint64_t)0xcd9e8d57u * x2[i];
            x0[i] = (uint32_t)(b >> 32) ^ x1[i] ^ k0;
            x1[i] = (uint32_t)b;
            x2[i] = (uint32_t)(a >> 32) ^ x3[i] ^ k1;
            x3[i] = (uint32_t)a;
        }
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    memcpy(out[0], x0, sizeof x0);
    memcpy(out[1], x1, sizeof x1);
    memcpy(out[2], x2, sizeof x2);
    memcpy(out[3], x3, sizeof x3);
}

void cg_random_bits(uint64_t seed, uint64_t stream, uint64_t step, uint64_t first, size_t n, uint32_t *out)
{
    uint64_t key = mix(mix(seed + 0x9e3779b97f4a7c15u) + stream);
    uint64_t block = first / 4;
    size_t skip = (size_t)(first % 4), made = 0;
    while (made < n) {
        uint32_t word[4][LANES];
        philox(key, step, block, word);
        for (int i = 0; i < LANES && made < n; i++)
            for (size_t j = i ? 0 : skip; j < 4 && made < n; j++)
                out[made++] = word[j][i];
        skip = 0;
        block += LANES;
    }
}
