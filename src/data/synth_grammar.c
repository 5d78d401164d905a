/* synth_grammar.c - sentences that look like simple English.
 * Takes draws; gives paragraphs about a few topics. Must keep agreement: verbs follow the number of their
 * subject across relative clauses, determiners that of their noun. */
#include "data/synth_kinds.h"

#define DEEPEST 3 /* clauses inside clauses */

typedef struct Noun {
    const char *one, *many;
} Noun;
typedef struct Verb {
    const char *one, *many, *past;
} Verb;

static const Noun nouns[] = {
    { "cat", "cats" },
    { "dog", "dogs" },
    { "farmer", "farmers" },
    { "teacher", "teachers" },
    { "child", "children" },
    { "bird", "birds" },
    { "king", "kings" },
    { "sailor", "sailors" },
    { "doctor", "doctors" },
    { "mouse", "mice" },
    { "woman", "women" },
    { "man", "men" },
    { "baker", "bakers" },
    { "horse", "horses" },
    { "fox", "foxes" },
    { "wolf", "wolves" },
};
static const Verb acts[] = {
    /* on somebody */
    { "sees", "see", "saw" },
    { "likes", "like", "liked" },
    { "follows", "follow", "followed" },
    { "helps", "help", "helped" },
    { "finds", "find", "found" },
    { "hears", "hear", "heard" },
    { "knows", "know", "knew" },
    { "calls", "call", "called" },
};
static const Verb states[] = {
    /* of oneself */
    { "sleeps", "sleep", "slept" },
    { "runs", "run", "ran" },
    { "sings", "sing", "sang" },
    { "waits", "wait", "waited" },
    { "laughs", "laugh", "laughed" },
    { "falls", "fall", "fell" },
    { "works", "work", "worked" },
};
static const char *const qualities[] = { "small", "old", "quiet", "happy", "tall", "brave", "kind", "young", "tired",
    "clever" };
static const char *const places[] = { "house", "garden", "river", "tree", "market", "bridge", "road", "hill" };
static const char *const where[] = { "in", "near", "behind", "beside" };
static const char *const times[] = { "today", "at night", "every day", "in the morning" };
static const char *const links[] = { "and", "but", "because", "when" };
static const char *const names[] = { "Anna", "Ben", "Clara", "David", "Emma", "Felix" };
static const char *const for_one[] = { "the", "the", "a", "every", "this" };
static const char *const for_many[] = { "the", "some", "these", "two", "many" };

typedef struct Topic { /* what one document is about, so that words come again */
    const Noun *noun[4];
    const Verb *act[3], *state[2];
    const char *quality[3], *place[2], *name[2];
    bool past;
} Topic;

static void word(CgSynthWork *w, const char *s)
{
    cg_strbuf_printf(w->out, "%s%s", w->out->len && w->out->at[w->out->len - 1] != '\n' ? " " : "", s);
}

static bool inner(CgSynthWork *w, int depth) { return depth < DEEPEST && (uint64_t)cg_draw_word(w->draw) < w->fixed; }

static void verb(CgSynthWork *w, const Topic *t, const Verb *v, bool many)
{
    word(w, t->past ? v->past : many ? v->many : v->one);
}

static void predicate(CgSynthWork *w, const Topic *t, bool many, int depth);

static bool person(CgSynthWork *w, const Topic *t, int depth) /* gives whether there are many */
{
    if (cg_synth_chance(w, 20)) {
        word(w, CG_SYNTH_PICK(w, t->name));
        return false;
    }
    bool many = cg_synth_chance(w, 40);
    const Noun *noun = CG_SYNTH_PICK(w, t->noun);
    word(w, many ? CG_SYNTH_PICK(w, for_many) : CG_SYNTH_PICK(w, for_one));
    if (cg_synth_chance(w, 35))
        word(w, CG_SYNTH_PICK(w, t->quality));
    word(w, many ? noun->many : noun->one);
    if (inner(w, depth)) {
        word(w, "that");
        if (cg_synth_chance(w, 60)) {
            predicate(w, t, many, depth + 1);
        } else {
            bool others = person(w, t, depth + 1);
            verb(w, t, CG_SYNTH_PICK(w, t->act), others);
        }
    }
    return many;
}

static void predicate(CgSynthWork *w, const Topic *t, bool many, int depth)
{
    uint64_t sort = cg_draw_below(w->draw, 100);
    if (sort < 50) {
        verb(w, t, CG_SYNTH_PICK(w, t->act), many);
        person(w, t, depth + 1);
    } else if (sort < 75) {
        verb(w, t, CG_SYNTH_PICK(w, t->state), many);
    } else {
        word(w, t->past ? (many ? "were" : "was") : many ? "are" : "is");
        word(w, CG_SYNTH_PICK(w, t->quality));
    }
    if (cg_synth_chance(w, 30)) {
        word(w, CG_SYNTH_PICK(w, where));
        word(w, "the");
        word(w, CG_SYNTH_PICK(w, t->place));
    }
}

static void sentence(CgSynthWork *w, const Topic *t)
{
    size_t begin = w->out->len + (w->out->len && w->out->at[w->out->len - 1] != '\n');
    predicate(w, t, person(w, t, 0), 0);
    if (cg_synth_chance(w, 20)) {
        word(w, CG_SYNTH_PICK(w, links));
        predicate(w, t, person(w, t, 1), 1);
    } else if (cg_synth_chance(w, 15)) {
        word(w, CG_SYNTH_PICK(w, times));
    }
    cg_strbuf_putc(w->out, '.');
    char *first = w->out->at + begin;
    if (*first >= 'a' && *first <= 'z')
        *first = (char)(*first - 'a' + 'A');
}

static void grammar(CgSynthWork *w)
{
    Topic t = { .past = cg_synth_chance(w, 50) };
    for (size_t i = 0; i < CG_LEN(t.noun); i++)
        t.noun[i] = &CG_SYNTH_PICK(w, nouns);
    for (size_t i = 0; i < CG_LEN(t.act); i++)
        t.act[i] = &CG_SYNTH_PICK(w, acts);
    for (size_t i = 0; i < CG_LEN(t.state); i++)
        t.state[i] = &CG_SYNTH_PICK(w, states);
    for (size_t i = 0; i < CG_LEN(t.quality); i++)
        t.quality[i] = CG_SYNTH_PICK(w, qualities);
    for (size_t i = 0; i < CG_LEN(t.place); i++)
        t.place[i] = CG_SYNTH_PICK(w, places);
    for (size_t i = 0; i < CG_LEN(t.name); i++)
        t.name[i] = CG_SYNTH_PICK(w, names);
    for (int n = cg_synth_between(w, 8, 20), i = 1; i <= n; i++) {
        sentence(w, &t);
        if (i % 4 == 0 || i == n)
            cg_strbuf_putc(w->out, '\n');
    }
}

CG_SYNTH(grammar, .doc = "simple English; the knob is the chance of inner clauses, 0 to 0.5", .least = 0, .most = 0.5,
    .usual = 0.2, .unit = 0, .stream = 2, .document = grammar)
