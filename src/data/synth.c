/* synth.c - corpora of synthetic text.
 * Takes a kind, a size, a seed, a knob; gives a corpus. Must not know any kind: they are found by their entries. Only
 * the entropy that is reported is a double. */
#include "data/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/vec.h"

#define MOST_SIZE ((uint64_t)4 << 30)

#define X(kind) extern const CgSynthKind cg_synth_kind_##kind;
#include "entries/synth.def"
#undef X
static const CgSynthKind *const kinds[] = {
#define X(kind) &cg_synth_kind_##kind,
#include "entries/synth.def"
#undef X
};

int cg_synth_count(void) { return (int)CG_LEN(kinds); }

const CgSynthKind *cg_synth_kind(int i) { return kinds[i]; }

const CgSynthKind *cg_synth_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
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

double cg_synth_entropy(const CgSynthKind *kind, double knob)
{
    knob = isnan(knob) ? kind->usual : knob;
    if (!kind->fill_weights)
        return kind->entropy ? kind->entropy(knob) : NAN;
    CgSynthWork w = { 0 };
    kind->fill_weights(&w, knob);
    return entropy_of(w.sums, w.nsums);
}

static bool check(const CgSynthKind *kind, const char *name, uint64_t size, double knob, CgErr *e)
{
    if (!kind) {
        CgSuggest near;
        cg_suggest_init(&near, name);
        for (size_t i = 0; i < CG_LEN(kinds); i++)
            cg_suggest_offer(&near, kinds[i]->name);
        cg_err(e, CG_ERR_INPUT, "no kind of synthetic text is called '%s'", name);
        if (!cg_err_meant(e, &near, ""))
            cg_err_hint(e, "there are %s", near.all);
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
    CgSynthWork w = { .seed = seed, .fixed = (uint64_t)(knob * 4294967296.0), .whole = (int)knob };
    if (kind->fill_weights)
        kind->fill_weights(&w, knob);
    if (entropy)
        *entropy = cg_synth_entropy(kind, knob);
    CG_VEC(CgText) texts = { 0 };
    uint64_t made = 0;
    for (uint64_t i = 0; made < size; i++) {
        CgDraw draw;
        CgStrbuf out = { 0 };
        cg_draw_init(&draw, seed, CG_STREAM_SYNTH + (kind->stream << 32), i);
        w.draw = &draw;
        w.out = &out;
        kind->document(&w);
        size_t len = out.len < size - made ? out.len : (size_t)(size - made);
        made += len;
        cg_vec_push(&texts, ((CgText){ cg_strbuf_take(&out), len }));
    }
    CgCorpusOpts splits = {
        .valid = opts ? opts->valid : 0, .test = opts ? opts->test : 0, .fill = true, .records = kind->records
    };
    CgCorpus *c = cg_corpus_from_texts(name, texts.at, texts.len, &splits, e);
    for (size_t i = 0; i < texts.len; i++)
        free((char *)texts.at[i].at);
    cg_vec_free(&texts);
    return c;
}
