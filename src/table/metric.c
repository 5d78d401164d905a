/* metric.c - scores of a candidate against a reference.
 * Takes two sequences of ids; gives shares in [0, 1].
 * Must not swap its arguments: the brevity penalty of BLEU punishes a short candidate, not a short
 * reference. */
#include "table/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/intern.h"
#include "base/strbuf.h"
#include "base/vec.h"

/* ---- common n-grams ------------------------------------------------------------------------------------ */

typedef struct Gram {
    const int32_t *at;
    bool reference;
} Gram;

static int compare_ids(const int32_t *a, const int32_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

static int compare_grams(const void *a, const void *b, size_t n)
{
    return compare_ids(((const Gram *)a)->at, ((const Gram *)b)->at, n);
}

static int compare_1(const void *a, const void *b) { return compare_grams(a, b, 1); }
static int compare_2(const void *a, const void *b) { return compare_grams(a, b, 2); }
static int compare_3(const void *a, const void *b) { return compare_grams(a, b, 3); }
static int compare_4(const void *a, const void *b) { return compare_grams(a, b, 4); }

static uint64_t ngrams_in(size_t len, size_t n) { return len < n ? 0 : len - n + 1; }

/* The size of the intersection of the two bags of n-grams, n = 1 .. 4. */
static uint64_t common_ngrams(CgIds candidate, CgIds reference, size_t n)
{
    static int (*const compare[])(const void *, const void *) = { compare_1, compare_2, compare_3, compare_4 };
    size_t from_candidate = (size_t)ngrams_in(candidate.len, n), from_reference = (size_t)ngrams_in(reference.len, n);
    size_t total = from_candidate + from_reference;
    if (!from_candidate || !from_reference)
        return 0;
    Gram *gram = cg_malloc(sizeof *gram * total);
    for (size_t i = 0; i < from_candidate; i++)
        gram[i] = (Gram){ candidate.at + i, false };
    for (size_t i = 0; i < from_reference; i++)
        gram[from_candidate + i] = (Gram){ reference.at + i, true };
    qsort(gram, total, sizeof *gram, compare[n - 1]);
    uint64_t common = 0;
    for (size_t i = 0; i < total;) {
        uint64_t count[2] = { 0, 0 };
        size_t from = i;
        for (; i < total && compare_ids(gram[i].at, gram[from].at, n) == 0; i++)
            count[gram[i].reference]++;
        common += count[0] < count[1] ? count[0] : count[1];
    }
    free(gram);
    return common;
}

/* ---- scores of a pair ---------------------------------------------------------------------------------- */

double cg_metric_f1(CgIds candidate, CgIds reference)
{
    if (!candidate.len && !reference.len)
        return 1;
    return 2.0 * (double)common_ngrams(candidate, reference, 1) / (double)(candidate.len + reference.len);
}

static size_t common_subsequence(CgIds a, CgIds b)
{
    size_t *length = cg_calloc(b.len + 1, sizeof *length); /* of a[0..i) and b[0..k) */
    for (size_t i = 0; i < a.len; i++) {
        size_t corner = 0;
        for (size_t k = 0; k < b.len; k++) {
            size_t above = length[k + 1];
            if (a.at[i] == b.at[k])
                length[k + 1] = corner + 1;
            else if (length[k] > above)
                length[k + 1] = length[k];
            corner = above;
        }
    }
    size_t longest = length[b.len];
    free(length);
    return longest;
}

double cg_metric_rouge_l(CgIds candidate, CgIds reference)
{
    if (!candidate.len && !reference.len)
        return 1;
    return 2.0 * (double)common_subsequence(candidate, reference) / (double)(candidate.len + reference.len);
}

double cg_metric_exact(CgIds candidate, CgIds reference)
{
    return candidate.len == reference.len && compare_ids(candidate.at, reference.at, candidate.len) == 0;
}

double cg_metric_accuracy(CgIds candidate, CgIds reference)
{
    size_t shorter = candidate.len < reference.len ? candidate.len : reference.len;
    size_t longer = candidate.len + reference.len - shorter, equal = 0;
    for (size_t i = 0; i < shorter; i++)
        equal += candidate.at[i] == reference.at[i];
    return longer ? (double)equal / (double)longer : 1;
}

/* ---- BLEU ---------------------------------------------------------------------------------------------- */

void cg_bleu_add(CgBleu *b, CgIds candidate, CgIds reference)
{
    for (size_t n = 1; n <= 4; n++) {
        b->match[n - 1] += common_ngrams(candidate, reference, n);
        b->total[n - 1] += ngrams_in(candidate.len, n);
    }
    b->candidate += candidate.len;
    b->reference += reference.len;
}

static double bleu(const CgBleu *b, CgBleuSmooth smooth, bool effective)
{
    if (!b->match[0])
        return b->candidate == 0 && b->reference == 0;
    double sum = 0, halved = 1;
    int orders = 0;
    for (int n = 0; n < 4; n++) {
        double match = (double)b->match[n], total = (double)b->total[n];
        if (total == 0 && effective)
            break;
        if (match == 0 && (smooth == CG_BLEU_NONE || (total == 0 && smooth == CG_BLEU_EXP)))
            return 0;
        if (match == 0 && smooth == CG_BLEU_EXP)
            match = halved /= 2;
        else if (match == 0)
            match = 0.1;
        sum += log(match / (total == 0 ? 1 : total));
        orders++;
    }
    double brevity = b->candidate < b->reference ? exp(1 - (double)b->reference / (double)b->candidate) : 1;
    return brevity * exp(sum / orders);
}

double cg_bleu_corpus(const CgBleu *b, CgBleuSmooth smooth) { return bleu(b, smooth, false); }

double cg_metric_bleu(CgIds candidate, CgIds reference, CgBleuSmooth smooth)
{
    CgBleu b = { 0 };
    cg_bleu_add(&b, candidate, reference);
    return bleu(&b, smooth, smooth != CG_BLEU_FLOOR);
}

const char *cg_bleu_signature(bool corpus, const char *units, CgBleuSmooth smooth)
{
    static const char *const name[] = { "exp", "floor0.1", "none" };
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "bleu4|level:%s|units:%s|smooth:%s|eff:%s|case:mixed|cg:1", corpus ? "corpus" : "sentence",
        units, name[smooth], !corpus && smooth != CG_BLEU_FLOOR ? "yes" : "no");
    const char *signature = cg_intern(cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    return signature;
}

/* ---- words --------------------------------------------------------------------------------------------- */

typedef struct Word {
    const char *at;
    size_t len;
    uint64_t hash;
    int32_t id;
} Word;

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

typedef enum Sort { SPACE, LETTER, ALONE } Sort;

static bool stands_alone(utf8proc_int32_t c) /* scripts written without spaces: kana, CJK ideographs */
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) || (c >= 0x3400 && c <= 0x4dbf)
        || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static Sort sort_of(utf8proc_int32_t c)
{
    if (c == '_')
        return LETTER;
    if (stands_alone(c))
        return ALONE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return LETTER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC: return SPACE;
    default: return ALONE;
    }
}

CgIds cg_words_split(CgWords *w, const char *text, size_t len)
{
    CG_VEC(int32_t) ids = { 0 };
    size_t word = 0, i = 0; /* text[word..i) is a run of letters */
    while (i < len) {
        utf8proc_int32_t c = -1;
        size_t left = len - i < 4 ? len - i : 4;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)left, &c);
        Sort sort = n > 0 ? sort_of(c) : ALONE;
        size_t step = n > 0 ? (size_t)n : 1;
        if (sort != LETTER) {
            if (i > word)
                cg_vec_push(&ids, id_of(w, text + word, i - word));
            if (sort == ALONE)
                cg_vec_push(&ids, id_of(w, text + i, step));
            word = i + step;
        }
        i += step;
    }
    if (i > word)
        cg_vec_push(&ids, id_of(w, text + word, i - word));
    int32_t *kept = CG_NEWN(w->arena, int32_t, ids.len + 1);
    if (ids.len)
        memcpy(kept, ids.at, ids.len * sizeof *kept);
    CgIds out = { kept, ids.len };
    cg_vec_free(&ids);
    return out;
}
