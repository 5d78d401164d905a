/* synth_phrases.c - sentences of a small grammar whose entropy is exact.
 * Takes draws; gives documents of independent sentences. No sentence can be read in two ways: each word is of one
 * class, and "that" follows the noun it belongs to; so the entropy of a sentence is that of its derivation.
 *
 *   sentence -> person action "."        person -> article [quality] noun ["that" action]
 *   action   -> state | verb person      (each way of the second with chance 1/2; the clause with that of the knob) */
#include <math.h>

#include "data/synth_kinds.h"

static const char *const articles[] = { "the", "a", "this", "every" };
static const char *const qualities[] = { "old", "small", "quiet", "young", "brave", "tall", "kind", "tired" };
static const char *const nouns[] = { "cat", "dog", "farmer", "teacher", "child", "bird", "king", "sailor", "doctor",
    "mouse", "woman", "man", "baker", "horse", "fox", "wolf" };
static const char *const states[] = { "sleeps", "runs", "sings", "waits", "laughs", "falls", "works", "swims" };
static const char *const verbs[] = { "sees", "likes", "follows", "helps", "finds", "hears", "knows", "calls" };

static void word(CgSynthWork *w, const char *s)
{
    bool first = !w->out->len || w->out->at[w->out->len - 1] == '\n';
    cg_strbuf_printf(w->out, "%s%s", first ? "" : " ", s);
}

static void action(CgSynthWork *w);

static void person(CgSynthWork *w)
{
    word(w, CG_SYNTH_PICK(w, articles));
    if (cg_synth_chance(w, 50))
        word(w, CG_SYNTH_PICK(w, qualities));
    word(w, CG_SYNTH_PICK(w, nouns));
    if ((uint64_t)cg_draw_word(w->draw) < w->fixed) {
        word(w, "that");
        action(w);
    }
}

static void action(CgSynthWork *w)
{
    bool alone = cg_synth_chance(w, 50);
    word(w, alone ? CG_SYNTH_PICK(w, states) : CG_SYNTH_PICK(w, verbs));
    if (!alone)
        person(w);
}

static void phrases(CgSynthWork *w)
{
    while (w->out->len < CG_SYNTH_DOCUMENT) {
        person(w);
        action(w);
        cg_strbuf_puts(w->out, ".\n");
    }
}

/* Bytes of a word and the blank before it. */
static double mean_length(const char *const *words, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)strlen(words[i]) + 1;
    return sum / (double)n;
}

/* person = a + p action, action = b + 1/2 person, of bits and of bytes. */
static double both(double own_person, double own_action, double p)
{
    double person = (own_person + p * own_action) / (1 - p / 2), action = own_action + person / 2;
    return person + action;
}

static double entropy(double p)
{
    double choice = p > 0 && p < 1 ? -p * log2(p) - (1 - p) * log2(1 - p) : 0;
    double bits = both(2 + 1 + 0.5 * 3 + 4 + choice, 1 + 3, p);
    double bytes = both(mean_length(articles, 4) + 0.5 * mean_length(qualities, 8) + mean_length(nouns, 16) + p * 5,
        0.5 * mean_length(states, 8) + 0.5 * mean_length(verbs, 8), p);
    return bits / (bytes + 1); /* no blank before the first word; ".\n" behind the last */
}

CG_SYNTH(phrases, .doc = "sentences of known entropy; the knob is the chance of a clause at a noun, 0 to 0.5",
    .least = 0, .most = 0.5, .usual = 0.2, .stream = 8, .document = phrases, .entropy = entropy)
