/* window.c - rows cut from a line of tokens.
 * Takes a split and a tokenizer; gives windows by number. Must not keep anything that changes: which window comes at
 * which step is computed. */
#include "data/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/deal.h"
#include "data/draw.h"
#include "data/sequence.h"

#define MOST_PARTS 4096

enum { TOKENS, NEXT, DOCUMENT, MASK };

typedef struct Start { /* of a document */
    uint64_t at;
    size_t doc;
} Start;

typedef struct Span { /* of an aligned window: so many tokens from there belong to its document */
    uint64_t at;
    int32_t len;
} Span;

typedef struct Row { /* the tokens of one part */
    CgSequence *tokens;
    uint64_t len;
    const CgCorpus *component;
    CG_VEC(uint64_t) windows; /* aligned ones of the first k texts; empty where windows are not aligned */
    CG_VEC(Start) documents;  /* every document, also those that go on where another stopped; empty until asked for */
} Row;

typedef struct Windows {
    CgWindowOpts opts;
    CgCorpus *corpus; /* kept */
    CgSplit split;
    int nrows;
    Row *row;
    CgDeal *deal;
    uint64_t copies;     /* of 2^32: share of copies */
    int32_t marker, end; /* of the tokenizer */
    int64_t all;         /* windows of an evaluation of all */
} Windows;

static void take(const Row *r, uint64_t at, size_t n, int32_t *out) { cg_sequence_take(r->tokens, at, n, out); }

/* ---- making -------------------------------------------------------------------------------------------- */

/* Where text k ends, its `end` included. */
static uint64_t end_of_text(const Row *r, size_t k)
{
    size_t n;
    const CgTextStart *start = cg_sequence_starts(r->tokens, &n);
    return k + 1 < n ? start[k + 1].at : r->len;
}

/* Windows of a text of so many tokens, its `end` included: from its first token on, `stride` apart, up to the one that
 * reaches its end, as long as they have two tokens of it. */
static uint64_t windows_in_text(uint64_t tokens, const CgWindowOpts *o)
{
    uint64_t length = (uint64_t)o->length, stride = (uint64_t)o->stride;
    if (tokens < 2)
        return 0;
    uint64_t reach = tokens - 1 <= length ? 0 : (tokens - 1 - length + stride - 1) / stride,
             fit = (tokens - 2) / stride;
    return 1 + (reach < fit ? reach : fit);
}

/* Windows of one document each, from its first token on. */
static void align_row(Row *r, const CgWindowOpts *o)
{
    size_t n;
    uint64_t all = 0;
    const CgTextStart *start = cg_sequence_starts(r->tokens, &n);
    for (size_t k = 0; k < n; k++) {
        all += windows_in_text(end_of_text(r, k) - start[k].at, o);
        cg_vec_push(&r->windows, all);
    }
}

/* Of an aligned window. */
static Span place_of(const Row *r, const CgWindowOpts *o, uint64_t i)
{
    size_t low = 0, high = r->windows.len - 1, n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->windows.at[middle] > i)
            high = middle;
        else
            low = middle + 1;
    }
    uint64_t before = low ? r->windows.at[low - 1] : 0;
    uint64_t at = cg_sequence_starts(r->tokens, &n)[low].at + (i - before) * (uint64_t)o->stride;
    uint64_t left = end_of_text(r, low) - at - 1;
    return (Span){ at, left < (uint64_t)o->length ? (int32_t)left : o->length };
}

/* Windows of a row, around its end or not. */
static int64_t windows_of(const Windows *w, const Row *r, bool ring)
{
    if (w->opts.align)
        return r->windows.len ? (int64_t)r->windows.at[r->windows.len - 1] : 0;
    uint64_t stride = (uint64_t)w->opts.stride;
    return (int64_t)(ring ? r->len / stride : (r->len - 1 - (uint64_t)w->opts.length) / stride + 1);
}

static void count_windows(Windows *w)
{
    int64_t *each = cg_malloc(sizeof *each * (size_t)w->nrows);
    for (int i = 0; i < w->nrows; i++)
        each[i] = windows_of(w, &w->row[i], false);
    w->all = cg_deal_until(w->deal, each);
    free(each);
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
    if (o->stride < 1 || o->stride > 1 << 24 || o->count < 0)
        return cg_err(e, CG_ERR_INPUT, "a stride of %d and %lld windows; a stride is at least 1, a count 0 or more",
            o->stride, (long long)o->count);
    if (o->align && o->repeat > 0)
        return cg_err(e, CG_ERR_INPUT, "windows that begin with their document are no copies");
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

static bool check_row(const Row *r, const CgCorpus *component, CgSplit s, const CgWindowOpts *o, CgErr *e)
{
    if (!r->len) {
        cg_err(e, CG_ERR_INPUT, "the %s split of %s is empty", cg_split_name(s), cg_corpus_name(component));
        cg_err_hint(e,
            "none of its %zu documents fell into it: more text, smaller blocks (corpus(.., block = 256)) or larger "
            "shares (corpus(.., shares = [0.6, 0.2, 0.2])) help",
            cg_corpus_docs(component, CG_ALL));
        return false;
    }
    if (!o->align && r->len <= (uint64_t)o->length) {
        cg_err(e, CG_ERR_INPUT,
            "the %s split of %s has %llu tokens, fewer than one window of %d and the token after it", cg_split_name(s),
            cg_corpus_name(component), (unsigned long long)r->len, o->length);
        cg_err_hint(e, "shorten the windows or give it more text");
        return false;
    }
    return true;
}

static bool check_random(const CgCorpus *component, const CgTokenizer *t, const CgWindowOpts *o, CgErr *e)
{
    const CgRandomTokens *of = cg_corpus_random_tokens(component);
    if (of && of->vocabulary > t->size)
        return cg_err(e, CG_ERR_INPUT, "random tokens below %lld are none of a tokenizer of %d",
            (long long)of->vocabulary, t->size);
    return !of || !o->align || cg_err(e, CG_ERR_INPUT, "random tokens have no documents that windows could begin with");
}

CgDigest cg_windows_digest(const CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *o)
{
    int64_t stride = o->stride ? o->stride : o->length;
    struct {
        CgDigest corpus, tokenizer;
        double repeat;
        int64_t length, span, group, stride, align, count, split, rule;
    } row = { cg_corpus_digest(c), t->digest, o->repeat, o->length, o->span, o->group, stride, o->align, o->count, s,
        4 };
    return cg_digest(&row, sizeof row);
}

int cg_windows_fields(const CgWindowOpts *o, int32_t vocabulary, CgField out[CG_WINDOW_FIELDS])
{
    static const char *const names[] = { "tokens", "next", "document", "mask" };
    int n = o->align ? 4 : 3;
    for (int i = 0; i < n; i++)
        out[i] = (CgField){ .name = names[i],
            .dtype = i == MASK ? CG_F32 : CG_I32,
            .rank = 1,
            .dim = { o->length },
            .below = i <= NEXT ? vocabulary : 0,
            .mask = o->align && i <= NEXT ? MASK - i : 0 };
    return n;
}

static Windows *data_of(const CgDataset *d) { return d->data; }

static void windows_free(CgDataset *d)
{
    Windows *w = data_of(d);
    for (int i = 0; i < w->nrows; i++) {
        cg_sequence_free(w->row[i].tokens);
        cg_vec_free(&w->row[i].windows);
        cg_vec_free(&w->row[i].documents);
    }
    free(w->row);
    cg_deal_free(w->deal);
    cg_corpus_free(w->corpus);
    free(w);
}

static const Row *row_of(const Windows *w, uint64_t g, uint64_t *own)
{
    return &w->row[cg_deal_component(w->deal, g, own)];
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
static void copies(const Windows *w, const Row *r, CgDraw *d, int32_t *window)
{
    int span = span_of(&w->opts), total = w->opts.length + 1, each = 2 * span + 2;
    int32_t *copy = cg_malloc(sizeof *copy * (size_t)each);
    for (int at = 0; at < total; at += each) {
        uint64_t start = cg_draw_below(d, r->len);
        take(r, start, (size_t)span, copy);
        take(r, start, (size_t)span, copy + span + 1);
        copy[span] = w->marker;
        copy[2 * span + 1] = w->end;
        if (w->opts.group > 1 && cg_draw_below(d, 4) < 3)
            disorder(d, copy, span, w->opts.group);
        memcpy(window + at, copy, sizeof *copy * (size_t)(total - at < each ? total - at : each));
    }
    free(copy);
}

/* window[0..length], and how many of the tokens after the first belong to its document. */
static int32_t aligned(const Windows *w, const Row *r, uint64_t i, int32_t *window)
{
    Span p = place_of(r, &w->opts, i);
    take(r, p.at, (size_t)p.len + 1, window);
    for (int32_t k = p.len + 1; k <= w->opts.length; k++)
        window[k] = w->end;
    return p.len;
}

static int32_t training_window(const Windows *w, uint64_t seed, uint64_t g, int32_t *window)
{
    uint64_t own, length = (uint64_t)w->opts.length;
    const Row *r = row_of(w, g, &own);
    CgDraw d;
    if (w->copies) {
        cg_draw_init(&d, seed, CG_STREAM_COPY, g);
        if (cg_draw_word(&d) < w->copies) {
            copies(w, r, &d, window);
            return w->opts.length;
        }
    }
    uint64_t each = (uint64_t)windows_of(w, r, true), epoch = own / each;
    uint64_t stream = CG_STREAM_WINDOW + ((uint64_t)(r - w->row) << 32);
    uint64_t start = cg_draw_permuted(cg_draw_key(seed, stream, 2 * epoch + 1), each, own % each);
    if (w->opts.align)
        return aligned(w, r, start, window);
    uint64_t from = cg_draw_key(seed, stream, 2 * epoch) % r->len;
    take(r, from + start * (uint64_t)w->opts.stride, (size_t)length + 1, window);
    return w->opts.length;
}

/* The fields of a window whose first `len` tokens are followed by one of their document. */
static void put_fields(const Windows *w, const int32_t *window, int32_t len, void *const *out)
{
    size_t length = (size_t)w->opts.length;
    if (out[TOKENS])
        memcpy(out[TOKENS], window, length * sizeof *window);
    if (out[NEXT])
        memcpy(out[NEXT], window + 1, length * sizeof *window);
    int32_t *document = out[DOCUMENT], n = 0;
    for (size_t i = 0; document && i < length; i++) {
        document[i] = n;
        n += window[i] == w->end;
    }
    float *mask = w->opts.align ? out[MASK] : NULL;
    for (size_t i = 0; mask && i < length; i++)
        mask[i] = i < (size_t)len;
}

static void windows_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *out)
{
    const Windows *w = data_of(d);
    int32_t *window = cg_malloc(((size_t)w->opts.length + 1) * sizeof *window);
    put_fields(w, window, training_window(w, seed, g, window), out);
    free(window);
}

/* The row and the number there of window i of an evaluation. Each part is stretched alone, so that the shares of a
 * mixture stay. */
static const Row *find_window(const CgDataset *d, int64_t i, uint64_t *own)
{
    const Windows *w = data_of(d);
    const Row *r = row_of(w, (uint64_t)i, own);
    uint64_t step = (uint64_t)(w->all / d->rows), rest = (uint64_t)(w->all % d->rows);
    uint64_t last = (uint64_t)windows_of(w, r, false) - 1;
    *own = *own * step + *own * rest / (uint64_t)d->rows;
    *own = *own < last ? *own : last;
    return r;
}

static void windows_row(const CgDataset *d, int64_t i, void *const *out)
{
    const Windows *w = data_of(d);
    uint64_t own;
    const Row *r = find_window(d, i, &own);
    int32_t *window = cg_malloc(((size_t)w->opts.length + 1) * sizeof *window), len = w->opts.length;
    if (w->opts.align)
        len = aligned(w, r, own, window);
    else
        take(r, own * (uint64_t)w->opts.stride, (size_t)w->opts.length + 1, window);
    put_fields(w, window, len, out);
    free(window);
}

/* The last of n starts that is at or before `at`. */
static size_t start_before(const Start *start, size_t n, uint64_t at)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (start[middle].at <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The tokens that window i shows, `end`s included. */
static Span shown(const Windows *w, const Row *r, uint64_t i)
{
    return w->opts.align ? place_of(r, &w->opts, i) : (Span){ i * (uint64_t)w->opts.stride, w->opts.length };
}

/* Documents that go on where another stopped were encoded together: where each begins is found by the bytes of the
 * tokens before it. */
static void find_documents(Row *r, CgSplit s, const CgTokenizer *t)
{
    CgStrbuf text = { 0 };
    size_t n = cg_corpus_count(r->component), nstarts, k = 0;
    const CgTextStart *start = cg_sequence_starts(r->tokens, &nstarts);
    uint64_t at = 0, bytes = 0, until = 0;
    bool before = false; /* the document before is of the split */
    for (size_t i = 0; i < n; i++) {
        const CgDoc *d = cg_corpus_doc(r->component, i);
        bool here = s == CG_ALL || d->split == s, goes_on = d->joins && before;
        before = here;
        if (!here)
            continue;
        if (!goes_on) {
            at = start[k++].at + (uint64_t)t->nbefore;
            bytes = until = 0;
        }
        for (uint64_t end = end_of_text(r, k - 1); goes_on && bytes < until && at + 1 < end; at++) {
            int32_t id;
            take(r, at, 1, &id);
            text.len = 0;
            cg_tokenizer_decode(t, &id, 1, CG_WITHIN, &text);
            bytes += text.len;
        }
        cg_vec_push(&r->documents, ((Start){ at, i }));
        until += d->text.len;
    }
    cg_strbuf_deinit(&text);
}

static CgOrigin origin_of(const Windows *w, const Row *r, uint64_t i)
{
    uint64_t seed;
    size_t n, low = 0;
    const CgTextStart *start = cg_sequence_starts(r->tokens, &n);
    if (cg_corpus_shuffled(r->component, &seed) || cg_corpus_random_tokens(r->component) || !n)
        return (CgOrigin){ cg_corpus_name(r->component), 0, (int64_t)i };
    uint64_t at = shown(w, r, i).at;
    for (size_t high = n - 1; low < high;) {
        size_t middle = (low + high + 1) / 2;
        if (start[middle].at <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return (CgOrigin){ cg_corpus_file(r->component, start[low].file), start[low].line, (int64_t)i };
}

/* The document a window begins in. */
static CgOrigin windows_origin(const CgDataset *d, int64_t i)
{
    uint64_t own;
    const Row *r = find_window(d, i, &own);
    return origin_of(data_of(d), r, own);
}

/* A large corpus has no documents at hand: a window is then known by its own text. */
static void reach_text(const CgDataset *d, const Row *r, uint64_t own, CgReach *out)
{
    const Windows *w = data_of(d);
    Span p = shown(w, r, own);
    CgStrbuf text = { 0 };
    int32_t *ids = cg_malloc(sizeof *ids * ((size_t)p.len + 1));
    take(r, p.at, (size_t)p.len, ids);
    cg_tokenizer_decode(d->tokenizer[TOKENS], ids, (size_t)p.len, CG_PLAIN, &text);
    cg_reach_text(out, (CgText){ cg_strbuf_str(&text), text.len }, origin_of(w, r, own));
    cg_strbuf_deinit(&text);
    free(ids);
}

/* The documents that the tokens of a window are of; of shuffled and of random tokens that is all of them. */
static bool windows_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    Windows *w = data_of(d);
    uint64_t own, seed;
    if (i < 0)
        return cg_corpus_reach(w->corpus, w->split, out, e);
    Row *r = (Row *)(uintptr_t)find_window(d, i, &own);
    if (cg_corpus_shuffled(r->component, &seed) || cg_corpus_random_tokens(r->component))
        return cg_corpus_reach(r->component, w->split, out, e);
    if (cg_corpus_large(r->component)) {
        reach_text(d, r, own, out);
        return true;
    }
    if (!r->documents.len)
        find_documents(r, w->split, d->tokenizer[TOKENS]);
    Span p = shown(w, r, own);
    uint64_t last = p.at + (uint64_t)(w->opts.align ? p.len : p.len - 1);
    for (size_t k = start_before(r->documents.at, r->documents.len, p.at);
         k < r->documents.len && r->documents.at[k].at <= last; k++) {
        const CgDoc *doc = cg_corpus_doc(r->component, r->documents.at[k].doc);
        cg_reach_text(out, doc->text, (CgOrigin){ cg_corpus_file(r->component, doc->file), doc->line, i });
    }
    return true;
}

static const CgDatasetKind kind = { "windows", windows_row, windows_draw, windows_origin, NULL, windows_free,
    windows_reach };

/* The tokens of a part; false after an error. */
static bool open_row(Row *r, CgSplit s, const CgTokenizer *t, const CgWindowOpts *o, CgCache *cache, CgErr *e)
{
    if (!check_random(r->component, t, o, e))
        return false;
    r->tokens = cg_sequence_new(r->component, s, t, cache, e);
    r->len = r->tokens ? cg_sequence_length(r->tokens) : 0;
    if (!r->tokens || !check_row(r, r->component, s, o, e))
        return false;
    if (o->align)
        align_row(r, o);
    return true;
}

CgDataset *cg_windows_new(
    CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *opts, CgCache *cache, CgErr *e)
{
    CgWindowOpts o = *opts;
    o.stride = o.stride ? o.stride : o.length;
    if (!check_opts(&o, e))
        return NULL;
    Windows *w = cg_calloc(1, sizeof *w);
    *w = (Windows){ .opts = o, .copies = (uint64_t)(o.repeat * 4294967296.0), .marker = t->marker, .end = t->end };
    w->corpus = cg_corpus_keep(c);
    w->split = s;
    w->nrows = cg_corpus_nparts(c);
    w->row = cg_calloc((size_t)w->nrows, sizeof *w->row);
    CgField field[CG_WINDOW_FIELDS];
    CgDataset *d = cg_dataset_new(&kind, field, cg_windows_fields(&o, t->size, field), w);
    d->tokenizer[TOKENS] = d->tokenizer[NEXT] = t;
    d->digest = cg_windows_digest(c, s, t, &o);
    double *share = cg_calloc((size_t)w->nrows, sizeof *share);
    bool ok = w->nrows <= MOST_PARTS
        || cg_err(e, CG_ERR_INPUT, "a mixture of %d corpora; %d is the most", w->nrows, MOST_PARTS);
    for (int i = 0; ok && i < w->nrows; i++) {
        Row *r = &w->row[i];
        r->component = cg_corpus_component(c, i);
        share[i] = cg_corpus_share(c, i);
        ok = open_row(r, s, t, &o, cache, e);
        d->in_files |= ok && cg_sequence_in_files(r->tokens);
    }
    if (ok) {
        w->deal = cg_deal_new(share, w->nrows);
        count_windows(w);
        d->rows = o.count > 0 && o.count < w->all ? o.count : w->all;
    }
    free(share);
    if (ok)
        return d;
    cg_dataset_free(d);
    return NULL;
}
