/* draw.h - whole numbers drawn one after the other, and orders of things, from the counter-based generator.
 * Takes a seed and a stream; gives integers that are the same on every machine. No floating point, no hidden
 * state. */
#ifndef CG_DRAW_H
#define CG_DRAW_H
#include "base/base.h"

#define CG_DRAW_KEEP 64 /* words fetched at a time */

/* Streams of one seed must differ by purpose; these are the first words of the streams this layer and the
 * next use. */
typedef enum CgStream {
    CG_STREAM_WINDOW = 0x77696e64,
    CG_STREAM_COPY = 0x636f7079,
    CG_STREAM_SHUFFLE = 0x73687566,
    CG_STREAM_SYNTH = 0x73796e74,
    CG_STREAM_TOKENS = 0x746f6b73,
    CG_STREAM_BOOTSTRAP = 0x626f6f74,
    CG_STREAM_PERMUTE = 0x7065726d
} CgStream;

typedef struct CgDraw {
    uint64_t seed, stream, step, taken;
    uint32_t word[CG_DRAW_KEEP];
} CgDraw;

void cg_draw_init(CgDraw *d, uint64_t seed, uint64_t stream, uint64_t step);
uint32_t cg_draw_word(CgDraw *d);
uint64_t cg_draw_below(CgDraw *d, uint64_t n); /* uniform in [0, n), n > 0, without bias */
/* i with weight sums[i] - sums[i-1]; sums[n-1] > 0 */
size_t cg_draw_weighted(CgDraw *d, const uint64_t *sums, size_t n);

/* A permutation of [0, n) that is computed, not stored: where `i` goes under `key`. i < n. */
uint64_t cg_draw_permuted(uint64_t key, uint64_t n, uint64_t i);
/* 64 random bits, a function of the three */
uint64_t cg_draw_key(uint64_t seed, uint64_t stream, uint64_t step);
#endif
