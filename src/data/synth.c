/* synth.c - the kinds of synthetic text, and those that are pure chance.
 * Takes a kind, a size, a seed, a knob; gives a corpus.
 * Must not use floating point where a byte depends on it: weights are integers; only the entropy that is
 * reported is a double. */
#include "data/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/vec.h"
#include "data/synth_kinds.h"

#define LETTERS   27
#define CHARS     64
#define DOCUMENT  4096 /* bytes of a document of kinds without an end of their own */
#define MOST_SIZE ((uint64_t)4 << 30)

static char letter(uint64_t i) { return i == 26 ? ' ' : (char)('a' + i); }

/* The next letter is (place of the two before + j) mod 27 with j drawn from 1 : r : r^2 : ..., so every
 * state has the same entropy, which is therefore the rate, whatever the stationary distribution. */
static void markov(CgSynthWork *w)
{
    uint64_t before = cg_draw_below(w->draw, LETTERS), last = cg_draw_below(w->draw, LETTERS);
    cg_strbuf_putc(w->out, letter(before));
    cg_strbuf_putc(w->out, letter(last));
    uint64_t place[LETTERS * LETTERS];
    for (uint64_t i = 0; i < CG_LEN(place); i++)
        place[i] = cg_draw_key(w->seed, CG_STREAM_SYNTH, i) % LETTERS;
    for (int i = 2; i < DOCUMENT; i++) {
        uint64_t next = (place[before * LETTERS + last] + cg_draw_weighted(w->draw, w->sums, w->nsums)) % LETTERS;
        cg_strbuf_putc(w->out, letter(next));
        before = last;
        last = next;
    }
}

static void noise(CgSynthWork *w)
{
    static const char chars[CHARS + 1] = "etaoinshrdlucmfwypvbgkqjxzETAOINSHRDLUCMFWYPVBGKQJXZ0123456789 \n";
    for (int i = 0; i < DOCUMENT; i++)
        cg_strbuf_putc(w->out, chars[cg_draw_weighted(w->draw, w->sums, w->nsums)]);
}

static void dyck(CgSynthWork *w)
{
    char open[64];
    int depth = 0;
    while (w->out->len < DOCUMENT || depth) {
        bool opens = depth == 0 || (depth < w->whole && w->out->len < DOCUMENT && cg_synth_chance(w, 50));
        if (opens) {
            uint64_t sort = cg_draw_below(w->draw, 4);
            open[depth++] = ")]}>"[sort];
            cg_strbuf_putc(w->out, "([{<"[sort]);
        } else {
            cg_strbuf_putc(w->out, open[--depth]);
            if (!depth)
                cg_strbuf_putc(w->out, w->out->len % 64 < 32 ? ' ' : '\n');
        }
    }
}

static const CgSynthKind kinds[] = {
    { "markov", "order-2 chain of letters of known entropy; the knob is the decay, 0 to 1", 0, 1, 0.5, 0 },
    { "grammar", "simple English; the knob is the chance of inner clauses, 0 to 0.5", 0, 0.5, 0.2, 0 },
    { "arithmetic", "worked exercises; the knob is the digits of the numbers, 1 to 6", 1, 6, 2, 1 },
    { "code", "functions of a C-like language; the knob is the depth of nesting, 1 to 5", 1, 5, 3, 1 },
    { "json", "records of one schema a document; the knob is the values a field, 2 to 1000", 2, 1000, 20, 1 },
    { "dyck", "balanced brackets; the knob is the greatest depth, 1 to 64", 1, 64, 8, 1 },
    { "noise", "independent characters; the knob is Zipf's exponent, 0 to 3 in halves", 0, 3, 0, 0.5 },
};
static CgSynthDoc *const makers[] = { markov, cg_synth_grammar, cg_synth_arithmetic, cg_synth_code, cg_synth_json, dyck,
    noise };

int cg_synth_count(void) { return (int)CG_LEN(kinds); }

const CgSynthKind *cg_synth_kind(int i) { return &kinds[i]; }

const CgSynthKind *cg_synth_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(kinds); i++) {
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
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

static size_t running_sums(const CgSynthKind *kind, double knob, uint64_t *sums)
{
    bool chain = makers[kind - kinds] == markov;
    uint64_t weight = (uint64_t)1 << 32, sum = 0, ratio = (uint64_t)(knob * 4294967296.0);
    size_t n = chain ? LETTERS : CHARS;
    for (size_t i = 0; i < n; i++) {
        if (!chain)
            weight = zipf_weight(i + 1, (int)(2 * knob));
        sums[i] = sum += weight;
        weight = ratio >> 32 ? weight : (weight >> 16) * ratio >> 16;
    }
    return n;
}

static double entropy_of(const uint64_t *sums, size_t n)
{
    double bits = 0;
    for (size_t i = 0; i < n; i++) {
        double p = (double)(sums[i] - (i ? sums[i - 1] : 0)) / (double)sums[n - 1];
        if (p > 0)
            bits -= p * log2(p);
    }
    return bits;
}

static bool check(const CgSynthKind *kind, const char *name, uint64_t size, double knob, CgErr *e)
{
    if (!kind) {
        CgSuggest near;
        cg_suggest_init(&near, name);
        for (size_t i = 0; i < CG_LEN(kinds); i++)
            cg_suggest_offer(&near, kinds[i].name);
        cg_err(e, CG_ERR_INPUT, "no kind of synthetic text is called '%s'", name);
        if (cg_suggest_best(&near))
            cg_err_hint(e, "did you mean '%s'?", cg_suggest_best(&near));
        else
            cg_err_hint(e, "there are markov, grammar, arithmetic, code, json, dyck and noise");
        return false;
    }
    if (size < 1 || size > MOST_SIZE)
        return cg_err(e, CG_ERR_INPUT, "synthetic text of %llu bytes; it can have 1 to %llu", (unsigned long long)size,
            (unsigned long long)MOST_SIZE);
    bool between = kind->unit > 0 && fmod(knob, kind->unit) != 0;
    const char *steps = kind->unit == 1 ? " in whole numbers" : kind->unit > 0 ? " in halves" : "";
    if (!(knob >= kind->least && knob <= kind->most) || between)
        return cg_err(e, CG_ERR_INPUT, "the knob of '%s' is %g; it goes from %g to %g%s", name, knob, kind->least,
            kind->most, steps);
    return true;
}

CgCorpus *cg_synth(
    const char *name, uint64_t size, uint64_t seed, double knob, const CgCorpusOpts *opts, double *entropy, CgErr *e)
{
    const CgSynthKind *kind = cg_synth_find(name);
    if (kind && isnan(knob))
        knob = kind->usual;
    if (!check(kind, name, size, knob, e))
        return NULL;
    CgSynthDoc *make = makers[kind - kinds];
    uint64_t sums[CHARS];
    CgSynthWork w = { .seed = seed, .fixed = (uint64_t)(knob * 4294967296.0), .whole = (int)knob, .sums = sums };
    if (make == markov || make == noise)
        w.nsums = running_sums(kind, knob, sums);
    if (entropy)
        *entropy = w.nsums ? entropy_of(sums, w.nsums) : NAN;
    CG_VEC(CgText) texts = { 0 };
    uint64_t made = 0;
    for (uint64_t i = 0; made < size; i++) {
        CgDraw draw;
        CgStrbuf out = { 0 };
        cg_draw_init(&draw, seed, CG_STREAM_SYNTH + ((uint64_t)(kind - kinds + 1) << 32), i);
        w.draw = &draw;
        w.out = &out;
        make(&w);
        size_t len = out.len < size - made ? out.len : (size_t)(size - made);
        made += len;
        cg_vec_push(&texts, ((CgText){ cg_strbuf_take(&out), len }));
    }
    CgCorpusOpts splits = { .valid = opts ? opts->valid : 0, .test = opts ? opts->test : 0 };
    CgCorpus *c = cg_corpus_from_texts(name, texts.at, texts.len, &splits, e);
    for (size_t i = 0; i < texts.len; i++)
        free((char *)texts.at[i].at);
    cg_vec_free(&texts);
    return c;
}
