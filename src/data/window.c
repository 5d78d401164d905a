/* window.c - batches cut from a row of tokens.
 * Takes a split and a tokenizer; gives windows by number.
 * Must not keep anything that changes: which window comes at which step is computed. */
#include "data/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/draw.h"

#define PATTERN 4096 /* windows after which the dealing to the parts of a mixture begins anew */

typedef struct Row { /* the tokens of one part; 1, 2 or 4 bytes each, as the vocabulary needs */
    void *at;
    uint64_t len;
    int width;
    uint32_t dealt; /* windows of this part among PATTERN */
} Row;

struct CgWindows {
    CgWindowOpts opts;
    int nrows;
    Row *row;
    uint16_t *deal;    /* (PATTERN): the part of window g is deal[g % PATTERN] ... */
    uint32_t *before;  /* (PATTERN): ... and its number there before[g % PATTERN] + g / PATTERN * dealt */
    uint64_t copies;   /* of 2^32: share of copies */
    int32_t mark, end; /* of the tokenizer */
    uint64_t tokens, bytes;
    int64_t count, epoch;
    CgDigest digest;
};

/* out[0..n) = the row from `at` on, around its end. */
static void take(const Row *r, uint64_t at, size_t n, int32_t *out)
{
    for (size_t i = 0; i < n;) {
        uint64_t from = (at + i) % r->len;
        size_t run = r->len - from < n - i ? (size_t)(r->len - from) : n - i;
        if (r->width == 1)
            for (size_t k = 0; k < run; k++)
                out[i + k] = ((const uint8_t *)r->at)[from + k];
        else if (r->width == 2)
            for (size_t k = 0; k < run; k++)
                out[i + k] = ((const uint16_t *)r->at)[from + k];
        else
            memcpy(out + i, (const int32_t *)r->at + from, run * sizeof *out);
        i += run;
    }
}

/* ---- making -------------------------------------------------------------------------------------------- */

static void put_token(Row *r, int32_t id)
{
    if (r->width == 1)
        ((uint8_t *)r->at)[r->len++] = (uint8_t)id;
    else if (r->width == 2)
        ((uint16_t *)r->at)[r->len++] = (uint16_t)id;
    else
        ((int32_t *)r->at)[r->len++] = id;
}

static void fill_row(Row *r, const CgCorpus *part, CgSplit s, const CgTokenizer *t)
{
    CgTokens ids = { 0 };
    uint64_t cap = 0;
    size_t n = cg_corpus_count(part);
    r->width = t->size <= 1 << 8 ? 1 : t->size <= 1 << 16 ? 2 : 4;
    for (size_t i = 0; i < n;) {
        const CgDoc *d = cg_corpus_doc(part, i);
        if (s != CG_ALL && d->split != s) {
            i++;
            continue;
        }
        CgText text = d->text; /* pieces of one file that follow each other here are one text again */
        for (i++; i < n; i++) {
            const CgDoc *next = cg_corpus_doc(part, i);
            if (!next->joins || (s != CG_ALL && next->split != s))
                break;
            text.len += next->text.len;
        }
        ids.len = 0;
        cg_tokenizer_encode(t, text.at, text.len, &ids);
        if (r->len + ids.len + 1 > cap) {
            cap = cap + cap / 2 > r->len + ids.len + 1 ? cap + cap / 2 : r->len + ids.len + 1;
            r->at = cg_realloc(r->at, (size_t)cap * (size_t)r->width);
        }
        for (size_t k = 0; k < ids.len; k++)
            put_token(r, ids.at[k]);
        put_token(r, t->end);
    }
    cg_vec_free(&ids);
}

static void swap_tokens(Row *r, uint64_t i, uint64_t k)
{
    if (r->width == 1) {
        uint8_t *at = r->at, x = at[i];
        at[i] = at[k];
        at[k] = x;
    } else if (r->width == 2) {
        uint16_t *at = r->at, x = at[i];
        at[i] = at[k];
        at[k] = x;
    } else {
        int32_t *at = r->at, x = at[i];
        at[i] = at[k];
        at[k] = x;
    }
}

static void shuffle_row(Row *r, uint64_t seed, CgSplit s)
{
    CgDraw d;
    cg_draw_init(&d, seed, CG_STREAM_SHUFFLE, (uint64_t)s);
    for (uint64_t i = r->len; i > 1; i--)
        swap_tokens(r, i - 1, cg_draw_below(&d, i));
}

/* Every window goes to the part that is furthest behind its share, so no part is ever off by more than
 * one. */
static void deal_out(CgWindows *w, const CgCorpus *c)
{
    uint32_t *dealt = cg_calloc((size_t)w->nrows, sizeof *dealt);
    w->deal = cg_malloc(PATTERN * sizeof *w->deal);
    w->before = cg_malloc(PATTERN * sizeof *w->before);
    for (int g = 0; g < PATTERN; g++) {
        int most = 0;
        double lack = -INFINITY;
        for (int i = 0; i < w->nrows; i++) {
            double behind = cg_corpus_share(c, i) * (g + 1) - dealt[i];
            if (behind > lack + 1e-9) {
                lack = behind;
                most = i;
            }
        }
        w->deal[g] = (uint16_t)most;
        w->before[g] = dealt[most]++;
    }
    for (int i = 0; i < w->nrows; i++)
        w->row[i].dealt = dealt[i];
    free(dealt);
}

/* How many windows can be dealt until part i has been asked for more than has[i] of its own. */
static int64_t until_used_up(const CgWindows *w, const int64_t *has)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < w->nrows; i++) {
        if (!w->row[i].dealt)
            continue;
        int64_t turns = has[i] / w->row[i].dealt, left = has[i] % w->row[i].dealt, g = 0;
        while (g < PATTERN && (w->deal[g] != i || w->before[g] < left))
            g++;
        if (turns * PATTERN + g < least)
            least = turns * PATTERN + g;
    }
    return least;
}

static void count_windows(CgWindows *w)
{
    int64_t length = w->opts.length;
    int64_t *ring = cg_malloc(sizeof *ring * (size_t)w->nrows), *line = cg_malloc(sizeof *line * (size_t)w->nrows);
    for (int i = 0; i < w->nrows; i++) {
        ring[i] = (int64_t)w->row[i].len / length;
        line[i] = ((int64_t)w->row[i].len - 1) / length;
    }
    w->epoch = until_used_up(w, ring);
    w->count = until_used_up(w, line);
    free(ring);
    free(line);
}

static int span_of(const CgWindowOpts *o)
{
    int fills = o->length / 2 - 1;
    return o->span ? o->span : o->group > 1 ? fills / o->group * o->group : fills;
}

static bool check_opts(const CgWindowOpts *o, CgErr *e)
{
    if (o->length < 1 || o->length > 1 << 24)
        return cg_err(e, CG_ERR_INPUT, "a window of length %d; lengths are 1 to %d", o->length, 1 << 24);
    if (!(o->repeat >= 0 && o->repeat <= 1))
        return cg_err(e, CG_ERR_INPUT, "copies are %g of the windows; that is a share, 0 to 1", o->repeat);
    if (o->span < 0 || o->group < 0)
        return cg_err(
            e, CG_ERR_INPUT, "a span of %d and groups of %d tokens; neither can be negative", o->span, o->group);
    if (o->repeat > 0 && 2 * (int64_t)span_of(o) + 2 > o->length) {
        cg_err(e, CG_ERR_INPUT, "a copied span of %d tokens does not fit in a window of %d", span_of(o), o->length);
        cg_err_hint(e, "it stands there twice, with two marks");
        return false;
    }
    if (o->repeat > 0 && (span_of(o) < 1 || (o->group > 1 && span_of(o) % o->group)))
        return cg_err(
            e, CG_ERR_INPUT, "a copied span of %d tokens is no whole number of groups of %d", span_of(o), o->group);
    return true;
}

static bool check_row(const Row *r, const CgCorpus *part, CgSplit s, int length, CgErr *e)
{
    if (!r->len) {
        cg_err(e, CG_ERR_INPUT, "the %s split of %s is empty", cg_split_name(s), cg_corpus_name(part));
        cg_err_hint(e, "it has too few different documents to be split; give it more text");
        return false;
    }
    if (r->len <= (uint64_t)length) {
        cg_err(e, CG_ERR_INPUT,
            "the %s split of %s has %llu tokens, fewer than one window of %d and the token after it", cg_split_name(s),
            cg_corpus_name(part), (unsigned long long)r->len, length);
        cg_err_hint(e, "shorten the windows or give it more text");
        return false;
    }
    return true;
}

static CgDigest digest_of(const CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *o)
{
    CgDigest d = cg_corpus_digest(c);
    struct {
        CgDigest corpus, tokenizer;
        double repeat;
        int64_t length, span, group, split, rule;
    } row = { d, t->digest, o->repeat, o->length, o->span, o->group, s, 2 };
    return cg_digest(&row, sizeof row);
}

CgWindows *cg_windows_new(const CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *opts, CgErr *e)
{
    if (!check_opts(opts, e))
        return NULL;
    CgWindows *w = cg_calloc(1, sizeof *w);
    w->opts = *opts;
    w->copies = (uint64_t)(opts->repeat * 4294967296.0);
    w->mark = t->mark;
    w->end = t->end;
    w->nrows = cg_corpus_nparts(c);
    w->row = cg_calloc((size_t)w->nrows, sizeof *w->row);
    w->bytes = cg_corpus_bytes(c, s);
    w->digest = digest_of(c, s, t, opts);
    bool ok =
        w->nrows <= PATTERN || cg_err(e, CG_ERR_INPUT, "a mixture of %d corpora; %d is the most", w->nrows, PATTERN);
    for (int i = 0; ok && i < w->nrows; i++) {
        const CgCorpus *part = cg_corpus_part(c, i);
        Row *r = &w->row[i];
        uint64_t seed;
        fill_row(r, part, s, t);
        ok = check_row(r, part, s, opts->length, e);
        if (ok && cg_corpus_shuffled(part, &seed))
            shuffle_row(r, seed, s);
        w->tokens += r->len;
    }
    if (!ok) {
        cg_windows_free(w);
        return NULL;
    }
    deal_out(w, c);
    count_windows(w);
    return w;
}

void cg_windows_free(CgWindows *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->nrows; i++)
        free(w->row[i].at);
    free(w->row);
    free(w->deal);
    free(w->before);
    free(w);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

int cg_windows_length(const CgWindows *w) { return w->opts.length; }

uint64_t cg_windows_tokens(const CgWindows *w) { return w->tokens; }

uint64_t cg_windows_bytes(const CgWindows *w) { return w->bytes; }

int64_t cg_windows_epoch(const CgWindows *w) { return w->epoch; }

int64_t cg_windows_count(const CgWindows *w) { return w->count; }

CgDigest cg_windows_digest(const CgWindows *w) { return w->digest; }

static const Row *row_of(const CgWindows *w, uint64_t g, uint64_t *own)
{
    const Row *r = &w->row[w->deal[g % PATTERN]];
    *own = g / PATTERN * r->dealt + w->before[g % PATTERN];
    return r;
}

/* Puts each `group` neighbours in random order. */
static void disorder(CgDraw *d, int32_t *ids, int n, int group)
{
    for (int from = 0; from < n; from += group) {
        for (int i = group - 1; i > 0; i--) {
            int k = (int)cg_draw_below(d, (uint64_t)i + 1);
            int32_t kept = ids[from + i];
            ids[from + i] = ids[from + k];
            ids[from + k] = kept;
        }
    }
}

/* window[0..length]: y mark x end, again and again. */
static void copies(const CgWindows *w, const Row *r, CgDraw *d, int32_t *window)
{
    int span = span_of(&w->opts), total = w->opts.length + 1, each = 2 * span + 2;
    int32_t *piece = cg_malloc(sizeof *piece * (size_t)each);
    for (int at = 0; at < total; at += each) {
        uint64_t place = cg_draw_below(d, r->len);
        take(r, place, (size_t)span, piece);
        take(r, place, (size_t)span, piece + span + 1);
        piece[span] = w->mark;
        piece[2 * span + 1] = w->end;
        if (w->opts.group > 1 && cg_draw_below(d, 4) < 3)
            disorder(d, piece, span, w->opts.group);
        memcpy(window + at, piece, sizeof *piece * (size_t)(total - at < each ? total - at : each));
    }
    free(piece);
}

static void training_window(const CgWindows *w, uint64_t seed, uint64_t g, int32_t *window)
{
    uint64_t own, length = (uint64_t)w->opts.length;
    const Row *r = row_of(w, g, &own);
    CgDraw d;
    if (w->copies) {
        cg_draw_init(&d, seed, CG_STREAM_COPY, g);
        if (cg_draw_word(&d) < w->copies) {
            copies(w, r, &d, window);
            return;
        }
    }
    uint64_t each = r->len / length, epoch = own / each, stream = CG_STREAM_WINDOW + ((uint64_t)(r - w->row) << 32);
    uint64_t from = cg_draw_key(seed, stream, 2 * epoch) % r->len;
    uint64_t place = cg_draw_place(cg_draw_key(seed, stream, 2 * epoch + 1), each, own % each);
    take(r, from + place * length, (size_t)length + 1, window);
}

void cg_windows_batch(const CgWindows *w, uint64_t seed, uint64_t step, int batch, int32_t *tokens, int32_t *next)
{
    size_t length = (size_t)w->opts.length;
    int32_t *window = cg_malloc((length + 1) * sizeof *window);
    for (int b = 0; b < batch; b++) {
        training_window(w, seed, step * (uint64_t)batch + (uint64_t)b, window);
        memcpy(tokens + (size_t)b * length, window, length * sizeof *tokens);
        memcpy(next + (size_t)b * length, window + 1, length * sizeof *next);
    }
    free(window);
}

int cg_windows_at(const CgWindows *w, int64_t first, int64_t some, int batch, int32_t *tokens, int32_t *next)
{
    CG_ASSERT(first >= 0 && first < some && some <= w->count && batch > 0,
        "an evaluation asks for windows that are not there");
    size_t length = (size_t)w->opts.length;
    int64_t have = some - first < batch ? some - first : batch;
    uint64_t step = (uint64_t)(w->count / some), rest = (uint64_t)(w->count % some);
    for (int64_t b = 0; b < batch; b++) {
        uint64_t own;
        const Row *r = row_of(w, (uint64_t)(first + (b < have ? b : have - 1)), &own);
        /* Each part is stretched alone, so that the shares of a mixture stay; the last one by a window less. */
        uint64_t last = (r->len - 1) / length - 1;
        own = own * step + own * rest / (uint64_t)some;
        own = own < last ? own : last;
        uint64_t at = own * length;
        take(r, at, length, tokens + (size_t)b * length);
        if (next)
            take(r, at + 1, length, next + (size_t)b * length);
    }
    return (int)have;
}
