/* tokenizer_unigram.c - the most likely tokens of a text (Kudo, "Subword regularization", ACL 2018).
 * Takes tokens with the logarithms of their probabilities; gives the tokens of a piece whose sum is largest, found from
 * left to right (Viterbi 1967). Its time grows with the piece times the longest token. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/characters.h"
#include "data/tokenizer_model.h"
#include "data/tokenizer_steps.h"

#define UNKNOWN_PENALTY 10.0 /* what is no token costs so much more than the worst one, as in SentencePiece */

typedef struct Entry {
    CgText text;
    int32_t id;
} Entry;

/* The best way to the end of a character. */
typedef struct Best {
    double score;
    size_t from;
    int32_t id;
    bool reached;
} Best;

typedef struct Unigram {
    Entry *entry; /* (n) sorted by bytes */
    size_t n;
    uint32_t *from; /* (65537): the first entry that begins with two bytes or more, as a number */
    double *score;  /* by id */
    double worst;
    int32_t unknown; /* -1: there is none */
    int32_t fallback[256];
    bool falls_back;
    CG_VEC(Best) best;
    CG_VEC(size_t) ends;
} Unigram;

static int by_bytes(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    size_t n = x->text.len < y->text.len ? x->text.len : y->text.len;
    int order = memcmp(x->text.at, y->text.at, n);
    return order ? order : x->text.len < y->text.len ? -1 : x->text.len > y->text.len;
}

static uint32_t first_two(CgText t)
{
    return (uint32_t)(unsigned char)t.at[0] << 8 | (t.len > 1 ? (unsigned char)t.at[1] : 0);
}

/* The first entry of [lo, hi), all of which agree in `depth` bytes, whose next byte is at least `byte`. */
static size_t first_from(const Unigram *u, size_t lo, size_t hi, size_t depth, int byte)
{
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        CgText t = u->entry[mid].text;
        int at = t.len > depth ? (unsigned char)t.at[depth] : -1;
        if (at < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void offer(Unigram *u, size_t from, size_t to, double score, int32_t id)
{
    Best *b = &u->best.at[to];
    if (b->reached && score <= b->score)
        return;
    *b = (Best){ score, from, id, true };
}

/* All tokens that begin at a place; true: one of them is the character there alone. */
static bool offer_tokens(Unigram *u, CgText piece, size_t at, size_t width)
{
    double here = u->best.at[at].score;
    size_t lo = 0, hi = u->n, depth = 0;
    bool single = false;
    if (piece.len - at > 1) {
        uint32_t two = first_two((CgText){ piece.at + at, 2 });
        /* a token of one byte sorts before those of two */
        size_t one = u->from[two & 0xff00];
        if (one < u->n && u->entry[one].text.len == 1 && u->entry[one].text.at[0] == piece.at[at]) {
            offer(u, at, at + 1, here + u->score[u->entry[one].id], u->entry[one].id);
            single |= width == 1;
        }
        lo = u->from[two];
        hi = u->from[two + 1];
        depth = 2;
    }
    for (;; depth++) {
        if (lo >= hi)
            return single;
        if (depth && u->entry[lo].text.len == depth) {
            offer(u, at, at + depth, here + u->score[u->entry[lo].id], u->entry[lo].id);
            single |= depth == width;
            lo++;
        }
        if (at + depth >= piece.len)
            return single;
        int byte = (unsigned char)piece.at[at + depth];
        lo = first_from(u, lo, hi, depth, byte);
        hi = first_from(u, lo, hi, depth, byte + 1);
    }
}

static int32_t id_of(const Unigram *u, CgText text)
{
    Entry key = { text, 0 };
    const Entry *found = text.len ? bsearch(&key, u->entry, u->n, sizeof *u->entry, by_bytes) : NULL;
    return found ? found->id : -1;
}

/* What no token is: one unknown token however long it is, or its bytes. */
static void put_unknown(const Unigram *u, CgText text, CgTokens *out)
{
    int32_t id = id_of(u, text);
    bool falls_back = id < 0 && u->falls_back;
    for (size_t i = 0; falls_back && i < text.len; i++)
        falls_back = u->fallback[(unsigned char)text.at[i]] >= 0;
    for (size_t i = 0; falls_back && i < text.len; i++)
        cg_vec_push(out, u->fallback[(unsigned char)text.at[i]]);
    if (!falls_back && (id >= 0 || u->unknown >= 0))
        cg_vec_push(out, id >= 0 ? id : u->unknown);
}

static void unigram_encode(void *data, CgText piece, size_t room, CgTokens *out)
{
    (void)room;
    Unigram *u = data;
    size_t step;
    cg_vec_reserve(&u->best, piece.len + 1);
    memset(u->best.at, 0, sizeof *u->best.at * (piece.len + 1));
    u->ends.len = 0;
    for (size_t i = 0; i < piece.len; i += step) {
        cg_char_at(piece.at + i, piece.len - i, &step);
        if (!offer_tokens(u, piece, i, step))
            offer(u, i, i + step, u->best.at[i].score + u->worst - UNKNOWN_PENALTY, u->unknown);
    }
    for (size_t end = piece.len; end > 0; end = u->best.at[end].from)
        cg_vec_push(&u->ends, end);
    for (size_t k = u->ends.len; k-- > 0;) {
        const Best *b = &u->best.at[u->ends.at[k]];
        size_t from = b->from, to = u->ends.at[k];
        if (b->id != u->unknown) {
            cg_vec_push(out, b->id);
            continue;
        }
        while (k > 0 && u->best.at[u->ends.at[k - 1]].id == u->unknown)
            to = u->ends.at[--k];
        put_unknown(u, (CgText){ piece.at + from, to - from }, out);
    }
}

static void unigram_free(void *data)
{
    Unigram *u = data;
    cg_vec_free(&u->best);
    cg_vec_free(&u->ends);
    free(u->entry);
    free(u->from);
    free(u->score);
    free(u);
}

static bool unigram_tokens(
    const json_t *model, const char *path, bool (*add)(void *arg, const char *token, int64_t id), void *arg, CgErr *e)
{
    const json_t *vocab = json_object_get(model, "vocab"), *pair;
    size_t i;
    if (!json_is_array(vocab))
        return cg_err(e, CG_ERR_INPUT, "'%s': the model has no vocabulary", path);
    json_array_foreach(vocab, i, pair)
    {
        const char *token = json_string_value(json_array_get(pair, 0));
        if (!token || !json_is_number(json_array_get(pair, 1)))
            return cg_err(e, CG_ERR_INPUT, "'%s': token %zu is no pair of a text and a number", path, i);
        if (!add(arg, token, (int64_t)i))
            return false;
    }
    return true;
}

/* A number as the reference reads it, which is not always the nearest one: its digits as a whole number, divided by a
 * power of ten. Sums of scores that would be equal are told apart by such last bits. */
static double score_of(const json_t *number)
{
    double x = json_number_value(number), power = 1;
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, x);
        if (strtod(text, NULL) == x)
            break;
    }
    uint64_t whole = 0;
    long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    for (const char *p = text, *point = NULL; *p != 'e'; p++) {
        if (*p == '.')
            point = p;
        else if (*p >= '0' && *p <= '9')
            whole = whole * 10 + (uint64_t)(*p - '0'), exponent -= point != NULL;
    }
    for (long k = exponent < 0 ? -exponent : exponent; k > 0; k--)
        power *= 10; /* exact up to 10^22 */
    double made = exponent < 0 ? (double)whole / power : (double)whole * power;
    return x < 0 ? -made : made;
}

static bool read_unigram(Unigram *u, const CgVocabulary *v, const json_t *model, CgErr *e)
{
    const json_t *vocab = json_object_get(model, "vocab"), *unknown = json_object_get(model, "unk_id");
    size_t n = json_array_size(vocab);
    if (v->bytes)
        return cg_step_refuse(e, v->path, "the model", "Unigram of bytes");
    if (!cg_step_flag(model, "byte_fallback", false, v->path, &u->falls_back, e))
        return false;
    bool none = !unknown || json_is_null(unknown);
    u->unknown = none ? -1 : (int32_t)json_integer_value(unknown);
    if (!none
        && (!json_is_integer(unknown) || json_integer_value(unknown) < 0 || json_integer_value(unknown) >= (int64_t)n))
        return cg_err(e, CG_ERR_INPUT, "'%s': unk_id is no token", v->path);
    u->entry = cg_calloc(n + 1, sizeof *u->entry);
    u->score = cg_calloc((size_t)v->size + 1, sizeof *u->score);
    u->from = cg_calloc((1 << 16) + 1, sizeof *u->from);
    u->worst = DBL_MAX;
    for (size_t i = 0; i < n; i++) {
        u->score[i] = score_of(json_array_get(json_array_get(vocab, i), 1));
        u->worst = u->score[i] < u->worst ? u->score[i] : u->worst;
        if (v->piece[i].len)
            u->entry[u->n++] = (Entry){ v->piece[i], (int32_t)i };
    }
    qsort(u->entry, u->n, sizeof *u->entry, by_bytes);
    for (size_t two = 0, i = 0; two <= 1 << 16; two++) {
        while (i < u->n && first_two(u->entry[i].text) < two)
            i++;
        u->from[two] = (uint32_t)i;
    }
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        u->fallback[b] = cg_vocabulary_find(v, name, 6);
    }
    return true;
}

static void *unigram_read(const CgVocabulary *v, const json_t *model, CgErr *e)
{
    Unigram *u = cg_calloc(1, sizeof *u);
    if (read_unigram(u, v, model, e))
        return u;
    unigram_free(u);
    return NULL;
}

static const CgTokenModel model = { "unigram", " unk_id byte_fallback ", unigram_tokens, unigram_read, unigram_encode,
    NULL, unigram_free };

static CgTokenizer *unigram_load(const CgTokenizerFile *file, CgErr *e)
{
    return cg_tokenizer_of_file(file, &model, e);
}

CG_TOKENIZER(unigram, .version = 1, .model = "Unigram", .load = unigram_load)
