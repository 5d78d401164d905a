/* words.c - ways to split a text, and the numbers of words.
 * Takes UTF-8; gives ids. The splits called 13a, intl, char and none are those of sacreBLEU (Post 2018), rouge that of
 * the usual package for ROUGE, squad the normalisation of SQuAD's script (Rajpurkar et al. 2016).
 * Must not drop a byte that the split does not drop: what is no UTF-8 is a character of its own. */
#include "table/words.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/vec.h"

/* ---- characters ----------------------------------------------------------------------------------------- */

enum { NO_UTF8 = 0x110000 };

size_t cg_character(const char *text, size_t len, int32_t *c)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80) {
        *c = first;
        return 1;
    }
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)(len < 4 ? len : 4), c);
    if (n > 0)
        return (size_t)n;
    *c = NO_UTF8 + first;
    return 1;
}

static void put_character(int32_t c, CgStrbuf *out)
{
    utf8proc_uint8_t bytes[4];
    if (c < 0x80)
        cg_strbuf_putc(out, (char)c);
    else if (c >= NO_UTF8)
        cg_strbuf_putc(out, (char)(c - NO_UTF8));
    else
        cg_strbuf_write(out, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
}

bool cg_is_space(int32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
        || c == 0x202f || c == 0x205f || c == 0x3000;
}

static utf8proc_category_t category_of(int32_t c) { return c < NO_UTF8 ? utf8proc_category(c) : UTF8PROC_CATEGORY_CN; }

static bool is_cased(int32_t c)
{
    utf8proc_category_t k = category_of(c);
    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

/* Case_Ignorable of the Unicode Standard: what may stand between a letter and the end of its word. */
static bool is_case_ignorable(int32_t c)
{
    utf8proc_category_t k = category_of(c);
    return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF
        || k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' || c == 0xb7
        || c == 0x2018 || c == 0x2019 || c == 0x2024 || c == 0x2027;
}

/* A sigma at [at] ends a word when a cased letter is before it and none after it (Unicode, table 3-17). */
static bool is_final_sigma(const char *text, size_t len, size_t at, bool cased_before)
{
    int32_t c = 0;
    if (!cased_before)
        return false;
    for (size_t i = at + 2; i < len;) {
        i += cg_character(text + i, len - i, &c);
        if (!is_case_ignorable(c))
            return !is_cased(c);
    }
    return true;
}

void cg_text_lower(const char *text, size_t len, CgStrbuf *out)
{
    bool cased = false; /* the last character that is not ignorable is a cased letter */
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && (unsigned char)text[i] < 0x80)
            i++;
        if (i > from) {
            cg_strbuf_write(out, text + from, i - from);
            for (char *at = out->at + out->len - (i - from), *end = out->at + out->len; at < end; at++)
                *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
            for (size_t k = i; k > from; k--) {
                if (!is_case_ignorable(text[k - 1])) {
                    cased = is_cased(text[k - 1]);
                    break;
                }
            }
            continue;
        }
        int32_t c = 0;
        size_t n = cg_character(text + i, len - i, &c);
        if (c == 0x3a3)
            put_character(is_final_sigma(text, len, i, cased) ? 0x3c2 : 0x3c3, out);
        else if (c == 0x130)
            cg_strbuf_puts(out, "i\xcc\x87");
        else
            put_character(c < NO_UTF8 ? utf8proc_tolower(c) : c, out);
        if (!is_case_ignorable(c))
            cased = is_cased(c);
        i += n;
    }
}

/* ---- 13a ------------------------------------------------------------------------------------------------ */

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static void replace(CgStrbuf *text, const char *what, const char *by)
{
    size_t n = strlen(what), m = strlen(by), to = 0; /* m <= n */
    for (size_t i = 0; i < text->len;) {
        if (text->len - i >= n && !memcmp(text->at + i, what, n)) {
            memcpy(text->at + to, by, m);
            to += m;
            i += n;
        } else
            text->at[to++] = text->at[i++];
    }
    text->len = to;
    if (text->at)
        text->at[to] = 0;
}

static void unescape(CgStrbuf *text)
{
    static const char *const pairs[][2] = { { "<skipped>", "" }, { "-\n", "" }, { "\n", " " }, { "&quot;", "\"" },
        { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" } };
    for (size_t i = 0; i < CG_LEN(pairs); i++) {
        if (text->len && memchr(text->at, pairs[i][0][0], text->len))
            replace(text, pairs[i][0], pairs[i][1]);
    }
}

static bool is_sign(unsigned char c) /* all of ASCII that is neither letter, digit, white space nor one of ' , - . */
{
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+')
        || (c >= ':' && c <= '@') || c == '/';
}

static size_t without_end(const char *text, size_t len) /* white space at the end is no part of a segment */
{
    while (len > 0) {
        size_t from = len - 1;
        int32_t c;
        while (from > 0 && len - from < 4 && ((unsigned char)text[from] & 0xc0) == 0x80)
            from--;
        if (cg_character(text + from, len - from, &c) != len - from || !cg_is_space(c))
            break;
        len = from;
    }
    return len;
}

/* The three rules of full stop, comma and dash are carried out one after the other in the original, each on what the
 * one before it made; a pair that a rule has used is not looked at again by it. */
static size_t stops_after(const char *s, size_t n, char *out) /* ([^0-9])([.,]) -> \1 \2_ */
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        out[to++] = s[i];
        if (i + 1 < n && !is_digit(s[i]) && (s[i + 1] == '.' || s[i + 1] == ',')) {
            out[to++] = ' ';
            out[to++] = s[++i];
            out[to++] = ' ';
        }
    }
    return to;
}

static size_t stops_before(const char *s, size_t n, char *out) /* ([.,])([^0-9]) -> _\1 \2 */
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && (s[i] == '.' || s[i] == ',') && !is_digit(s[i + 1])) {
            out[to++] = ' ';
            out[to++] = s[i++];
            out[to++] = ' ';
        }
        out[to++] = s[i];
    }
    return to;
}

static size_t dashes(const char *s, size_t n, char *out) /* ([0-9])(-) -> \1 \2_ */
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        out[to++] = s[i];
        if (i + 1 < n && is_digit(s[i]) && s[i + 1] == '-') {
            out[to++] = ' ';
            out[to++] = s[++i];
            out[to++] = ' ';
        }
    }
    return to;
}

static void split_13a(const char *text, size_t len, CgStrbuf *out)
{
    CgStrbuf plain = { 0 };
    cg_strbuf_putc(&plain, ' ');
    cg_strbuf_write(&plain, text, without_end(text, len));
    unescape(&plain);
    cg_strbuf_putc(&plain, ' ');
    char *a = cg_malloc(6 * plain.len + 1), *b = cg_malloc(12 * plain.len + 1); /* each sign may get two spaces */
    size_t n = 0;
    for (size_t i = 0; i < plain.len; i++) {
        bool sign = is_sign((unsigned char)plain.at[i]);
        a[n] = ' ';
        a[n + sign] = plain.at[i];
        a[n + 2 * (size_t)sign] = sign ? ' ' : plain.at[i];
        n += 1 + 2 * (size_t)sign;
    }
    n = stops_after(a, n, b);
    a = cg_realloc(a, 2 * n + 1);
    n = stops_before(b, n, a);
    b = cg_realloc(b, 2 * n + 1);
    n = dashes(a, n, b);
    cg_strbuf_write(out, b, n);
    free(a);
    free(b);
    cg_strbuf_deinit(&plain);
}

/* ---- intl ----------------------------------------------------------------------------------------------- */

typedef enum Sort { OTHER, NUMBER, PUNCTUATION, SYMBOL } Sort;

static Sort sort_of(int32_t c)
{
    utf8proc_category_t k = category_of(c);
    if (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO)
        return NUMBER;
    if (k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO)
        return PUNCTUATION;
    return k >= UTF8PROC_CATEGORY_SM && k <= UTF8PROC_CATEGORY_SO ? SYMBOL : OTHER;
}

typedef CG_VEC(int32_t) Characters;

/* `a` then `b` in sequence: "a_b_" or "_a_b". */
static Characters space_pairs(Characters in, bool punctuation_first)
{
    Characters out = { 0 };
    cg_vec_reserve(&out, 3 * in.len + 1);
    for (size_t i = 0; i < in.len; i++) {
        int32_t c = in.at[i], d = i + 1 < in.len ? in.at[i + 1] : 0;
        bool pair = i + 1 < in.len
            && (punctuation_first ? sort_of(c) == PUNCTUATION && sort_of(d) != NUMBER
                                  : sort_of(c) != NUMBER && sort_of(d) == PUNCTUATION);
        if (pair && punctuation_first)
            cg_vec_push(&out, ' ');
        cg_vec_push(&out, c);
        if (!pair)
            continue;
        cg_vec_push(&out, ' ');
        cg_vec_push(&out, d);
        if (!punctuation_first)
            cg_vec_push(&out, ' ');
        i++;
    }
    cg_vec_free(&in);
    return out;
}

static void split_intl(const char *text, size_t len, CgStrbuf *out)
{
    Characters all = { 0 };
    len = without_end(text, len);
    for (size_t i = 0; i < len;) {
        int32_t c;
        i += cg_character(text + i, len - i, &c);
        cg_vec_push(&all, c);
    }
    all = space_pairs(space_pairs(all, false), true);
    for (size_t i = 0; i < all.len; i++) {
        bool symbol = sort_of(all.at[i]) == SYMBOL;
        if (symbol)
            cg_strbuf_putc(out, ' ');
        put_character(all.at[i], out);
        if (symbol)
            cg_strbuf_putc(out, ' ');
    }
    cg_vec_free(&all);
}

/* ---- rouge, squad --------------------------------------------------------------------------------------- */

static void split_rouge(const char *text, size_t len, CgStrbuf *out)
{
    cg_text_lower(text, len, out);
    for (size_t i = 0; i < out->len; i++) {
        char c = out->at[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z'))
            out->at[i] = ' ';
    }
}

static void split_stem(const char *text, size_t len, CgStrbuf *out)
{
    split_rouge(text, len, out);
    for (size_t i = 0; i < out->len;) {
        size_t n = strcspn(out->at + i, " ");
        if (n > 3) { /* short words are left as they are */
            size_t stem = cg_stem(out->at + i, n);
            memset(out->at + i + stem, ' ', n - stem);
        }
        i += n + 1;
    }
}

static bool is_word_character(int32_t c) /* \w of Python's re */
{
    utf8proc_category_t k = category_of(c);
    return c == '_' || (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO)
        || (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

/* Lower case, no ASCII punctuation, no articles. */
static void split_squad(const char *text, size_t len, CgStrbuf *out)
{
    CgStrbuf lower = { 0 };
    cg_text_lower(text, len, &lower);
    size_t n = 0;
    for (size_t i = 0; i < lower.len; i++) {
        unsigned char c = (unsigned char)lower.at[i];
        bool punctuation =
            (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
        if (!punctuation)
            lower.at[n++] = lower.at[i];
    }
    for (size_t i = 0; i < n;) { /* a run of word characters is dropped when it is an article */
        int32_t c = 0;
        size_t step = cg_character(lower.at + i, n - i, &c), end = i;
        while (end < n) {
            size_t one = cg_character(lower.at + end, n - end, &c);
            if (!is_word_character(c))
                break;
            end += one;
        }
        const char *at = lower.at + i;
        size_t run = end - i;
        bool article =
            (run == 1 && *at == 'a') || (run == 2 && !memcmp(at, "an", 2)) || (run == 3 && !memcmp(at, "the", 3));
        if (article)
            cg_strbuf_putc(out, ' ');
        else
            cg_strbuf_write(out, at, run ? run : step);
        i += run ? run : step;
    }
    cg_strbuf_deinit(&lower);
}

static const CgWordSplit splits[] = {
    { "words", "runs of letters, marks, digits and '_'; every other visible character, ideograph and kana alone", NULL,
        CG_SPLIT_WORDS },
    { "13a", "as sacreBLEU's 13a (mteval-v13a)", split_13a, CG_SPLIT_SPACE },
    { "intl", "as sacreBLEU's intl (mteval-v14)", split_intl, CG_SPLIT_SPACE },
    { "char", "characters, white space dropped", NULL, CG_SPLIT_CHARACTERS },
    { "none", "at white space", NULL, CG_SPLIT_SPACE },
    { "rouge", "runs of a-z and 0-9 in lower case", split_rouge, CG_SPLIT_SPACE },
    { "stem", "as rouge, words of more than three letters without their endings (Porter)", split_stem, CG_SPLIT_SPACE },
    { "squad", "lower case, without ASCII punctuation and articles, at white space", split_squad, CG_SPLIT_SPACE },
    { "bytes", "bytes", NULL, CG_SPLIT_BYTES },
};

const CgWordSplit *cg_word_split_at(size_t i) { return i < CG_LEN(splits) ? &splits[i] : NULL; }

const CgWordSplit *cg_word_split_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(splits); i++) {
        if (!strcmp(splits[i].name, name))
            return &splits[i];
    }
    return NULL;
}

/* ---- numbers of words ----------------------------------------------------------------------------------- */

typedef struct Word {
    const char *at;
    size_t len;
    uint64_t hash;
    int32_t id;
} Word;

typedef CG_VEC(int32_t) Ids;

struct CgWords {
    CgArena *arena;
    Word *table; /* cap slots, a power of two; at NULL where free */
    size_t cap;
    int32_t count;
};

CgWords *cg_words_new(void)
{
    CgWords *w = cg_calloc(1, sizeof *w);
    w->arena = cg_arena_new();
    return w;
}

void cg_words_free(CgWords *w)
{
    if (!w)
        return;
    cg_arena_free(w->arena);
    free(w->table);
    free(w);
}

static Word *slot_of(Word *table, size_t cap, const char *at, size_t len, uint64_t hash)
{
    size_t i = (size_t)hash & (cap - 1);
    while (table[i].at && !(table[i].hash == hash && table[i].len == len && memcmp(table[i].at, at, len) == 0))
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static int32_t id_of(CgWords *w, const char *at, size_t len)
{
    if (2 * ((size_t)w->count + 1) > w->cap) {
        size_t wider = w->cap ? 2 * w->cap : 256;
        Word *table = cg_calloc(wider, sizeof *table);
        for (size_t i = 0; i < w->cap; i++) {
            if (w->table[i].at)
                *slot_of(table, wider, w->table[i].at, w->table[i].len, w->table[i].hash) = w->table[i];
        }
        free(w->table);
        w->table = table;
        w->cap = wider;
    }
    uint64_t hash = cg_hash64(at, len, 0);
    Word *word = slot_of(w->table, w->cap, at, len, hash);
    if (!word->at)
        *word = (Word){ cg_arena_strndup(w->arena, at, len), len, hash, w->count++ };
    return word->id;
}

static bool is_single(int32_t c) /* scripts written without spaces: kana, CJK ideographs */
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) || (c >= 0x3400 && c <= 0x4dbf)
        || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

typedef enum CharacterClass { SPACE, LETTER, SINGLE } CharacterClass;

static CharacterClass class_of(int32_t c)
{
    if (c == '_')
        return LETTER;
    if (c >= NO_UTF8 || is_single(c))
        return SINGLE;
    utf8proc_category_t k = utf8proc_category(c);
    if (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO)
        return LETTER; /* letters, marks, numbers */
    if ((k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_ZP) || k == UTF8PROC_CATEGORY_CC)
        return SPACE;
    return SINGLE;
}

static CharacterClass class_in(const CgWordSplit *split, int32_t c)
{
    switch (split->at) {
    case CG_SPLIT_WORDS: return class_of(c);
    case CG_SPLIT_SPACE: return cg_is_space(c) ? SPACE : LETTER;
    case CG_SPLIT_CHARACTERS: return cg_is_space(c) ? SPACE : SINGLE;
    case CG_SPLIT_BYTES: return SINGLE;
    }
    CG_BUG("a split that is none");
}

static void number_words(CgWords *w, const CgWordSplit *split, const char *text, size_t len, Ids *ids)
{
    uint8_t ascii[0x80]; /* most characters of most texts need no more than a look here */
    size_t word = 0;     /* text[word..i) is a run of letters */
    for (int32_t c = 0; c < 0x80; c++)
        ascii[c] = (uint8_t)class_in(split, c);
    for (size_t i = 0; i < len;) {
        unsigned char first = (unsigned char)text[i];
        if (first < 0x80 && ascii[first] == LETTER) {
            i++;
            continue;
        }
        int32_t c = 0;
        size_t step = cg_character(text + i, len - i, &c);
        CharacterClass cls = first < 0x80 ? ascii[first] : class_in(split, c);
        if (cls != LETTER) {
            if (i > word)
                cg_vec_push(ids, id_of(w, text + word, i - word));
            if (cls == SINGLE)
                cg_vec_push(ids, id_of(w, text + i, step));
            word = i + step;
        }
        i += step;
    }
    if (len > word)
        cg_vec_push(ids, id_of(w, text + word, len - word));
}

CgIds cg_words_split(CgWords *w, const CgWordSplit *split, const char *text, size_t len)
{
    CgStrbuf words = { 0 };
    Ids ids = { 0 };
    if (split->prepare)
        split->prepare(text, len, &words);
    if (split->at == CG_SPLIT_BYTES) {
        for (size_t i = 0; i < len; i++)
            cg_vec_push(&ids, (unsigned char)text[i]);
    } else
        number_words(w, split, split->prepare ? cg_strbuf_str(&words) : text, split->prepare ? words.len : len, &ids);
    int32_t *kept = CG_NEWN(w->arena, int32_t, ids.len + 1);
    if (ids.len)
        memcpy(kept, ids.at, ids.len * sizeof *kept);
    CgIds out = { kept, ids.len };
    cg_vec_free(&ids);
    cg_strbuf_deinit(&words);
    return out;
}
