/* random.c - are the counter-based bits the published ones, and a function of their arguments alone?
 * Takes nothing; prints TAP. Accuses src/run/random.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "base/base.h"

static int count;

static void ok(bool good, const char *name) { printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name); }

/* Philox 4x32-10 written once more, from the paper's definition, one block at a time. */
static void reference(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int r = 0; r < 10; r++) {
        uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t n[4] = { (uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a };
        memcpy(c, n, sizeof n);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

int main(void)
{
    /* Known answers of the authors' Random123 distribution, for the reference above. */
    uint32_t zero[4] = { 0, 0, 0, 0 };
    reference(zero, 0, 0);
    ok(zero[0] == 0x6627e8d5u && zero[1] == 0xe169c58du && zero[2] == 0xbc57ac4cu && zero[3] == 0x9b00dbd8u,
        "reference agrees with the published answer for zeros");
    uint32_t pi[4] = { 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u };
    reference(pi, 0xa4093822u, 0x299f31d0u);
    ok(pi[0] == 0xd16cfe09u && pi[1] == 0x94fdccebu && pi[2] == 0x5001e420u && pi[3] == 0x24126ea1u,
        "reference agrees with the published answer for pi");

    enum { N = 1237 };
    uint32_t *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    uint64_t seed = 2385, stream = 77, step = 0x100000003u;
    cg_random_bits(seed, stream, step, 0, N, x);
    uint64_t key = mix(mix(seed + 0x9e3779b97f4a7c15u) + stream);
    bool good = true;
    for (uint32_t i = 0; i < N / 4; i++) {
        uint32_t c[4] = { i, 0, (uint32_t)step, (uint32_t)(step >> 32) };
        reference(c, (uint32_t)key, (uint32_t)(key >> 32));
        good = good && memcmp(c, x + 4 * i, sizeof c) == 0;
    }
    ok(good, "words are those of the reference");

    good = true;
    for (size_t first = 0; first < 40; first++)
        for (size_t n = 0; n < 140; n += 7) {
            memset(y, 0xab, N * sizeof *y);
            cg_random_bits(seed, stream, step, first, n, y);
            good = good && memcmp(x + first, y, n * sizeof *x) == 0 && y[n] == 0xababababu;
        }
    ok(good, "any piece equals the same piece of the whole");

    cg_random_bits(seed, stream, step, 0xfffffffcull * 4, 32, x);
    cg_random_bits(seed, stream, step, 0x100000000ull * 4, 8, y);
    ok(memcmp(x + 16, y, 32) == 0, "blocks past 2^32 carry");

    cg_random_bits(seed, stream, step, 0, N, x);
    bool differ = true;
    cg_random_bits(seed + 1, stream, step, 0, N, y);
    differ = differ && memcmp(x, y, 64);
    cg_random_bits(seed, stream + 1, step, 0, N, y);
    differ = differ && memcmp(x, y, 64);
    cg_random_bits(seed, stream, step + 1, 0, N, y);
    differ = differ && memcmp(x, y, 64);
    ok(differ, "seed, stream and step each change the words");

    enum { M = 1 << 18 };
    uint32_t *big = malloc(M * sizeof *big);
    cg_random_bits(11, 0, 0, 0, M, big);
    double sum = 0, corr = 0;
    int bits[32] = { 0 };
    for (int i = 0; i < M; i++) {
        double u = big[i] / 4294967296.0 - 0.5;
        sum += u;
        if (i)
            corr += u * (big[i - 1] / 4294967296.0 - 0.5);
        for (int k = 0; k < 32; k++)
            bits[k] += (int)(big[i] >> k & 1);
    }
    bool fair = true;
    for (int k = 0; k < 32; k++)
        fair = fair && fabs(bits[k] - M / 2.0) < 6 * sqrt(M) / 2;
    ok(fair && fabs(sum) < 6 * sqrt(M / 12.0) && fabs(corr) < 6 * sqrt(M) / 12,
        "mean, bits and neighbours as chance has them");
    free(x);
    free(y);
    free(big);
    printf("1..%d\n", count);
    return 0;
}
