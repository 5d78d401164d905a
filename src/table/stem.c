/* stem.c - the stem of an English word: Porter, "An algorithm for suffix stripping", Program 14(3), 1980.
 * Takes a word of a-z and 0-9; gives it without endings, in place. With the later changes that the usual package for
 * ROUGE has: irregular words, short words, `y` after a consonant, `alli` before `bli`, `fulli`, `logi`. */
#include "table/words.h"

#include <string.h>

typedef struct Word {
    char *at;
    size_t len;
} Word;

static bool is_vowel_letter(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

static bool is_consonant(const char *s, size_t i)
{
    bool turned = false;
    while (i > 0 && s[i] == 'y') {
        turned = !turned;
        i--;
    }
    return !is_vowel_letter(s[i]) != turned;
}

/* How often a vowel is followed by a consonant in the first n letters. */
static int measure(const char *s, size_t n)
{
    int m = 0;
    bool before = true;
    for (size_t i = 0; i < n; i++) {
        bool now = s[i] == 'y' ? i == 0 || !before : !is_vowel_letter(s[i]);
        m += i > 0 && !before && now;
        before = now;
    }
    return m;
}

static bool has_vowel(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_vowel_letter(s[i])
            || (s[i] == 'y' && i > 0)) /* the first y that does not begin a word follows a consonant */
            return true;
    }
    return false;
}

static bool ends_short(const char *s, size_t n) /* consonant, vowel, consonant other than w, x, y */
{
    if (n == 2)
        return !is_consonant(s, 0) && is_consonant(s, 1);
    return n >= 3 && is_consonant(s, n - 3) && !is_consonant(s, n - 2) && is_consonant(s, n - 1)
        && !strchr("wxy", s[n - 1]);
}

static bool ends(const Word *w, const char *suffix)
{
    size_t n = strlen(suffix);
    return w->len >= n && !memcmp(w->at + w->len - n, suffix, n);
}

static void put(Word *w, size_t stem, const char *ending)
{
    memcpy(w->at + stem, ending, strlen(ending));
    w->len = stem + strlen(ending);
}

typedef struct Rule {
    const char *suffix, *ending;
} Rule;

/* The first rule whose suffix is there decides; it holds when the measure of the stem is above `least`. */
static void apply(Word *w, const Rule *rule, size_t n, int least)
{
    for (size_t i = 0; i < n; i++) {
        if (!ends(w, rule[i].suffix))
            continue;
        size_t stem = w->len - strlen(rule[i].suffix);
        bool holds = measure(w->at, stem) > least;
        if (!strcmp(rule[i].suffix, "logi")) /* the l is part of the stem: geo, theo as archaeo */
            holds = measure(w->at, w->len - 3) > 0;
        if (!strcmp(rule[i].suffix, "ion"))
            holds = holds && stem > 0 && (w->at[stem - 1] == 's' || w->at[stem - 1] == 't');
        if (holds)
            put(w, stem, rule[i].ending);
        return;
    }
}

static void plural(Word *w)
{
    if (ends(w, "ies") && w->len == 4)
        put(w, 1, "ie");
    else if (ends(w, "sses"))
        w->len -= 2;
    else if (ends(w, "ies"))
        put(w, w->len - 3, "i");
    else if (ends(w, "s") && !ends(w, "ss"))
        w->len--;
}

static void past(Word *w)
{
    if (ends(w, "ied")) {
        put(w, w->len - 3, w->len == 4 ? "ie" : "i");
        return;
    }
    if (ends(w, "eed")) {
        if (measure(w->at, w->len - 3) > 0)
            w->len--;
        return;
    }
    size_t cut = ends(w, "ed") ? 2 : ends(w, "ing") ? 3 : 0;
    if (!cut || !has_vowel(w->at, w->len - cut))
        return;
    w->len -= cut;
    size_t n = w->len;
    if (ends(w, "at") || ends(w, "bl") || ends(w, "iz"))
        put(w, n, "e");
    else if (n >= 2 && w->at[n - 1] == w->at[n - 2] && is_consonant(w->at, n - 1)) {
        if (!strchr("lsz", w->at[n - 1]))
            w->len--;
    } else if (measure(w->at, n) == 1 && ends_short(w->at, n))
        put(w, n, "e");
}

static void double_suffix(Word *w)
{
    static const Rule rules[] = { { "ational", "ate" }, { "tional", "tion" }, { "enci", "ence" }, { "anci", "ance" },
        { "izer", "ize" }, { "bli", "ble" }, { "alli", "al" }, { "entli", "ent" }, { "eli", "e" }, { "ousli", "ous" },
        { "ization", "ize" }, { "ation", "ate" }, { "ator", "ate" }, { "alism", "al" }, { "iveness", "ive" },
        { "fulness", "ful" }, { "ousness", "ous" }, { "aliti", "al" }, { "iviti", "ive" }, { "biliti", "ble" },
        { "fulli", "ful" }, { "logi", "log" } };
    while (ends(w, "alli") && measure(w->at, w->len - 4) > 0)
        w->len -= 2;
    apply(w, rules, CG_LEN(rules), 0);
}

static bool irregular(Word *w)
{
    static const Rule words[] = { { "sky", "sky" }, { "skies", "sky" }, { "dying", "die" }, { "lying", "lie" },
        { "tying", "tie" }, { "news", "news" }, { "innings", "inning" }, { "inning", "inning" },
        { "outings", "outing" }, { "outing", "outing" }, { "cannings", "canning" }, { "canning", "canning" },
        { "howe", "howe" }, { "proceed", "proceed" }, { "exceed", "exceed" }, { "succeed", "succeed" } };
    for (size_t i = 0; i < CG_LEN(words); i++) {
        if (w->len == strlen(words[i].suffix) && ends(w, words[i].suffix)) {
            put(w, 0, words[i].ending);
            return true;
        }
    }
    return false;
}

size_t cg_stem(char *word, size_t len)
{
    static const Rule third[] = { { "icate", "ic" }, { "ative", "" }, { "alize", "al" }, { "iciti", "ic" },
        { "ical", "ic" }, { "ful", "" }, { "ness", "" } };
    static const Rule fourth[] = { { "al", "" }, { "ance", "" }, { "ence", "" }, { "er", "" }, { "ic", "" },
        { "able", "" }, { "ible", "" }, { "ant", "" }, { "ement", "" }, { "ment", "" }, { "ent", "" }, { "ion", "" },
        { "ou", "" }, { "ism", "" }, { "ate", "" }, { "iti", "" }, { "ous", "" }, { "ive", "" }, { "ize", "" } };
    Word w = { word, len };
    if (irregular(&w) || len <= 2)
        return w.len;
    plural(&w);
    past(&w);
    if (ends(&w, "y") && w.len > 2 && is_consonant(w.at, w.len - 2))
        w.at[w.len - 1] = 'i';
    double_suffix(&w);
    apply(&w, third, CG_LEN(third), 0);
    apply(&w, fourth, CG_LEN(fourth), 1);
    if (ends(&w, "e")) {
        int m = measure(w.at, w.len - 1);
        if (m > 1 || (m == 1 && !ends_short(w.at, w.len - 1)))
            w.len--;
    }
    if (ends(&w, "ll") && measure(w.at, w.len - 1) > 1)
        w.len--;
    return w.len;
}
