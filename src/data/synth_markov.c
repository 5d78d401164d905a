/* synth_markov.c - an order-2 chain over a-z and space whose entropy rate is exact.
 * Takes draws; gives documents of letters. Must not use floating point: weights are integers. */
#include "data/synth_kinds.h"

#define LETTERS 27

static char letter(uint64_t i) { return i == 26 ? ' ' : (char)('a' + i); }

/* The next letter is (place of the two before + j) mod 27 with j drawn from 1 : r : r^2 : ..., so every
 * state has the same entropy, which is therefore the rate, whatever the stationary distribution. */
static void markov(CgSynthWork *w)
{
    uint64_t before = cg_draw_below(w->draw, LETTERS), last = cg_draw_below(w->draw, LETTERS);
    cg_strbuf_putc(w->out, letter(before));
    cg_strbuf_putc(w->out, letter(last));
    uint64_t offset[LETTERS * LETTERS];
    for (uint64_t i = 0; i < CG_LEN(offset); i++)
        offset[i] = cg_draw_key(w->seed, CG_STREAM_SYNTH, i) % LETTERS;
    for (int i = 2; i < CG_SYNTH_DOCUMENT; i++) {
        uint64_t next = (offset[before * LETTERS + last] + cg_draw_weighted(w->draw, w->sums, w->nsums)) % LETTERS;
        cg_strbuf_putc(w->out, letter(next));
        before = last;
        last = next;
    }
}

/* 1 : r : r^2 : ... */
static void fill_weights(CgSynthWork *w, double knob)
{
    uint64_t weight = (uint64_t)1 << 32, sum = 0, ratio = (uint64_t)(knob * 4294967296.0);
    w->nsums = LETTERS;
    for (size_t i = 0; i < LETTERS; i++) {
        w->sums[i] = sum += weight;
        weight = ratio >> 32 ? weight : (weight >> 16) * ratio >> 16;
    }
}

CG_SYNTH(markov, .doc = "order-2 chain of letters of known entropy; the knob is the decay, 0 to 1", .least = 0,
    .most = 1, .usual = 0.5, .stream = 1, .document = markov, .fill_weights = fill_weights)
