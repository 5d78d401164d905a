/* synth_noise.c - independent characters by Zipf's law, whose entropy is exact.
 * Takes draws; gives documents. Must not use floating point: weights are integers. */
#include "data/synth_kinds.h"

#define CHARS 64

static void noise(CgSynthWork *w)
{
    static const char chars[CHARS + 1] = "etaoinshrdlucmfwypvbgkqjxzETAOINSHRDLUCMFWYPVBGKQJXZ0123456789 \n";
    for (int i = 0; i < CG_SYNTH_DOCUMENT; i++)
        cg_strbuf_putc(w->out, chars[cg_draw_weighted(w->draw, w->sums, w->nsums)]);
}

static uint64_t square_root(uint64_t n) /* rounded down; n below 2^62 */
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1) {
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    }
    return root;
}

/* 2^32 / rank^(halves/2) */
static uint64_t zipf_weight(uint64_t rank, int halves)
{
    uint64_t power = 1;
    for (int i = 0; i < halves / 2; i++)
        power *= rank;
    uint64_t weight = ((uint64_t)1 << 32) / power;
    return halves % 2 ? (weight << 16) / square_root(rank << 32) : weight;
}

static void fill_weights(CgSynthWork *w, double knob)
{
    uint64_t sum = 0;
    w->nsums = CHARS;
    for (size_t i = 0; i < CHARS; i++)
        w->sums[i] = sum += zipf_weight(i + 1, (int)(2 * knob));
}

CG_SYNTH(noise, .doc = "independent characters; the knob is Zipf's exponent, 0 to 3 in halves", .least = 0, .most = 3,
    .usual = 0, .unit = 0.5, .stream = 7, .document = noise, .fill_weights = fill_weights)
