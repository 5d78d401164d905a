/* window.c - are batches a function of seed and step, and do they cover what they should?
 * Takes nothing; prints TAP. Accuses src/data/window.c, draw.c and tokenizer.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/deal.h"
#include "data/draw.h"
#include "data/window.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

/* Documents whose bytes are all `sign`, or random letters when sign is 0. */
static CgCorpus *corpus(int docs, size_t bytes, uint64_t seed, char sign)
{
    CgErr e = { 0 };
    CgText *texts = malloc(sizeof *texts * (size_t)docs);
    CgDraw d;
    cg_draw_init(&d, seed, 1, 0);
    for (int i = 0; i < docs; i++) {
        char *at = malloc(bytes);
        for (size_t k = 0; k < bytes; k++)
            at[k] = sign ? sign : (char)('a' + cg_draw_below(&d, 26));
        if (sign)
            snprintf(at, bytes, "%c%d", sign, i);
        texts[i] = (CgText){ at, bytes };
    }
    CgCorpus *c = cg_corpus_from_texts("made", texts, (size_t)docs, NULL, &e);
    for (int i = 0; i < docs; i++)
        free((char *)texts[i].at);
    free(texts);
    return c;
}

static void draws(void)
{
    CgDraw d;
    cg_draw_init(&d, 11, 13, 17);
    int seen[7] = { 0 };
    for (int i = 0; i < 70000; i++)
        seen[cg_draw_below(&d, 7)]++;
    bool even = true;
    for (int i = 0; i < 7; i++)
        even &= seen[i] > 9600 && seen[i] < 10400;
    ok(even, "seven is drawn evenly");
    uint64_t sums[3] = { 1, 1, 5 };
    int weighted[3] = { 0 };
    for (int i = 0; i < 50000; i++)
        weighted[cg_draw_weighted(&d, sums, 3)]++;
    ok(weighted[1] == 0 && weighted[0] > 9500 && weighted[0] < 10500, "weights are kept, zero is never drawn");
    bool wide = false;
    for (int i = 0; i < 100; i++)
        wide |= cg_draw_below(&d, (uint64_t)1 << 50) > UINT32_MAX;
    ok(wide, "big ranges use all their bits");
    static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 17, 64, 65, 1021, 4096, 10007 };
    bool all = true;
    int fixed = 0;
    for (size_t k = 0; k < CG_LEN(sizes); k++) {
        char *hit = calloc(sizes[k], 1);
        for (uint64_t i = 0; i < sizes[k]; i++) {
            uint64_t p = cg_draw_permuted(2385 + k, sizes[k], i);
            all &= p < sizes[k] && !hit[p];
            if (p < sizes[k])
                hit[p] = 1;
            fixed += k == 10 && p == i;
        }
        free(hit);
    }
    ok(all, "a permutation reaches every place once, whatever the size");
    ok(fixed < 10, "and moves nearly all of them");
}

static void tokens(void)
{
    CgTokenizer *t = cg_tokenizer_bytes();
    CgTokens ids = { 0 };
    CgStrbuf back = { 0 };
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    cg_tokenizer_encode(t, all, 256, &ids);
    cg_tokenizer_decode(t, ids.at, ids.len, false, &back);
    ok(ids.len == 256 && back.len == 256 && !memcmp(back.at, all, 256), "every byte comes back");
    cg_strbuf_deinit(&back);
    static const int32_t answer[] = { 1, 'h', 'i', 0, 300, '!', -4, 0 };
    cg_tokenizer_decode(t, answer, 8, true, &back);
    ok(!strcmp(cg_strbuf_str(&back), "hi\xef\xbf\xbd!\xef\xbf\xbd"), "marks are left out, strangers are shown");
    cg_strbuf_deinit(&back);
    cg_vec_free(&ids);
    cg_tokenizer_free(t);
}

static void batch(const CgDataset *w, uint64_t seed, uint64_t step, int rows, int32_t *tokens, int32_t *next)
{
    void *out[CG_WINDOW_FIELDS] = { tokens, next };
    cg_dataset_batch(w, seed, (int64_t)step, rows, out);
}

static int windows_at(const CgDataset *w, int64_t first, int most, int32_t *tokens, int32_t *next)
{
    void *out[CG_WINDOW_FIELDS] = { tokens, next };
    return (int)cg_dataset_read(w, first, most, out);
}

/* The row a split stands for, by the rule of the header. */
static CgTokens row_of(const CgCorpus *c, CgSplit s)
{
    CgTokens row = { 0 };
    for (size_t i = 0; i < cg_corpus_count(c); i++) {
        const CgDoc *d = cg_corpus_doc(c, i);
        if (s != CG_ALL && d->split != s)
            continue;
        for (size_t k = 0; k < d->text.len; k++)
            cg_vec_push(&row, (unsigned char)d->text.at[k]);
        cg_vec_push(&row, 0);
    }
    return row;
}

static void training(const CgTokenizer *t)
{
    enum { T = 37, B = 5 };
    CgErr e = { 0 };
    CgCorpus *c = corpus(101, 211, 3, 0);
    CgDataset *w = cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    CgTokens row = row_of(c, CG_TRAIN);
    int64_t epoch = (int64_t)(row.len / T);
    ok(w && w->rows == (int64_t)((row.len - 1) / T), "the row is the documents and their end marks");
    int32_t a[B * T], an[B * T], b[B * T], bn[B * T];
    batch(w, 7, 1234, B, a, an);
    batch(w, 7, 0, B, b, bn);
    batch(w, 7, 1234, B, b, bn);
    ok(!memcmp(a, b, sizeof a) && !memcmp(an, bn, sizeof an), "a batch is a function of its step");
    bool shifted = true;
    for (int r = 0; r < B; r++)
        shifted &= !memcmp(a + r * T + 1, an + r * T, (T - 1) * sizeof *a);
    ok(shifted, "next is one place on");
    batch(w, 8, 1234, B, b, bn);
    ok(memcmp(a, b, sizeof a) != 0, "another seed, another batch");
    int *seen = calloc(row.len, sizeof *seen), *count_row = calloc(256, sizeof *count_row),
        *count_seen = calloc(256, sizeof *count_seen);
    for (int64_t i = 0; i < epoch; i++) {
        batch(w, 7, (uint64_t)i, 1, a, an);
        for (int k = 0; k < T; k++)
            count_seen[a[k]]++;
        for (size_t from = 0; from < row.len; from++) { /* where on the ring is it? */
            int k = 0;
            while (k < T && row.at[(from + (size_t)k) % row.len] == a[k])
                k++;
            if (k == T)
                for (k = 0; k < T; k++)
                    seen[(from + (size_t)k) % row.len]++;
        }
    }
    int once = 0, missed = 0;
    for (size_t i = 0; i < row.len; i++) {
        once += seen[i] == 1;
        missed += seen[i] == 0;
    }
    ok(once == (int)(epoch * T) && missed == (int)row.len - once, "an epoch sees every token once");
    CgDataset *again = cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    CgDataset *other = cg_windows_new(c, CG_TEST, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    ok(cg_digest_equal(w->digest, again->digest) && !cg_digest_equal(w->digest, other->digest), "digests name windows");
    free(seen);
    free(count_row);
    free(count_seen);
    cg_vec_free(&row);
    cg_dataset_free(w);
    cg_dataset_free(again);
    cg_dataset_free(other);
    cg_corpus_free(c);
}

static void evaluation(const CgTokenizer *t)
{
    enum { T = 41, B = 7 };
    CgErr e = { 0 };
    CgCorpus *c = corpus(97, 307, 5, 0);
    CgTokens row = row_of(c, CG_ALL);
    CgDataset *w = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = T, .repeat = 1 }, NULL, &e);
    int32_t a[B * T], an[B * T];
    int64_t at = 0;
    bool same = true;
    while (at < w->rows) {
        int n = windows_at(w, at, B, a, an);
        for (int r = 0; r < n; r++) {
            same &= !memcmp(a + r * T, row.at + (at + r) * T, sizeof a / B);
            same &= !memcmp(an + r * T, row.at + (at + r) * T + 1, sizeof a / B);
        }
        at += n;
    }
    ok(same && at == w->rows, "evaluation goes through the row in order, without copies");
    cg_vec_free(&row);
    cg_dataset_free(w);

    /* pieces of one file are joined again */
    char *text = malloc(50021);
    CgDraw d;
    cg_draw_init(&d, 1, 2, 3);
    for (int i = 0; i < 50021; i++)
        text[i] = cg_draw_below(&d, 31) ? (char)('a' + cg_draw_below(&d, 26)) : '\n';
    const char *path = "one-text.txt";
    FILE *f = fopen(path, "wb");
    ok(f && fwrite(text, 1, 50021, f) == 50021 && !fclose(f), "a file is written");
    CgCorpus *one = cg_corpus_load(&path, 1, NULL, NULL, &e);
    remove(path);
    w = cg_windows_new(one, CG_ALL, t, &(CgWindowOpts){ .length = 1 }, NULL, &e);
    ok(w && cg_corpus_count(one) > 10 && w->rows == 50021, "pieces of one text are one text again");
    cg_dataset_free(w);
    cg_corpus_free(one);
    cg_corpus_free(c);
    free(text);
}

static int by_id(const void *a, const void *b) { return *(const int32_t *)a - *(const int32_t *)b; }

/* Whether s[0..2n+2) is y 1 x 0 with x of the row; *plain: y is x; in groups of g y is x in another order
 * otherwise. */
static bool is_copy(const int32_t *s, int n, int g, const CgTokens *row, bool *plain)
{
    const int32_t *x = s + n + 1;
    if (s[n] != 1 || s[2 * n + 1] != 0)
        return false;
    *plain = !memcmp(s, x, (size_t)n * sizeof *s);
    for (int from = 0; g > 1 && from < n; from += g) {
        int32_t a[8], b[8];
        memcpy(a, s + from, (size_t)g * sizeof *a);
        memcpy(b, x + from, (size_t)g * sizeof *b);
        qsort(a, (size_t)g, sizeof *a, by_id);
        qsort(b, (size_t)g, sizeof *b, by_id);
        if (memcmp(a, b, (size_t)g * sizeof *a))
            return false;
    }
    for (size_t at = 0; at < row->len; at++) {
        int k = 0;
        while (k < n && row->at[(at + (size_t)k) % row->len] == x[k])
            k++;
        if (k == n)
            return g > 1 || *plain;
    }
    return false;
}

static void copies(const CgTokenizer *t)
{
    enum { T = 37, B = 11 };
    CgErr e = { 0 };
    CgCorpus *c = corpus(101, 211, 7, 0);
    CgTokens row = row_of(c, CG_TRAIN);
    CgDataset *w = cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = T, .repeat = 0.3 }, NULL, &e);
    CgDataset *bags =
        cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = T, .repeat = 1, .span = 8, .group = 4 }, NULL, &e);
    int32_t a[B * T], an[B * T];
    int halves = 0, first = 0, second = 0, orderly = 0;
    bool shifted = true, plain;
    for (uint64_t s = 0; s < 100; s++) {
        batch(w, 3, s, B, a, an);
        for (int r = 0; r < B; r++)
            halves += is_copy(a + r * T, T / 2 - 1, 0, &row, &plain);
        batch(bags, 3, s, B, a, an);
        for (int r = 0; r < B; r++) {
            first += is_copy(a + r * T, 8, 4, &row, &plain);
            orderly += plain;
            second += is_copy(a + r * T + 18, 8, 4, &row, &plain);
            orderly += plain;
            shifted &= !memcmp(a + r * T + 1, an + r * T, (T - 1) * sizeof *a);
        }
    }
    ok(halves > 1100 * 0.25 && halves < 1100 * 0.35,
        "three windows in ten are a span, a mark, the span again and an end");
    ok(first == 1100 && second == 1100 && shifted,
        "short spans follow each other, the first showing in disorder inside groups");
    ok(orderly > 2200 * 0.21 && orderly < 2200 * 0.29, "but for one span in four");
    cg_dataset_free(w);
    cg_dataset_free(bags);
    cg_vec_free(&row);
    cg_corpus_free(c);
}

static void some_of_all(const CgTokenizer *t)
{
    enum { T = 13, B = 3 };
    CgErr e = { 0 };
    CgCorpus *c = corpus(97, 307, 5, 0);
    CgTokens row = row_of(c, CG_ALL);
    CgDataset *w = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    CgDataset *some = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = T, .count = 71 }, NULL, &e);
    int64_t all = w->rows, before = -1, least = all, most = 0;
    int32_t a[B * T];
    bool found = true;
    for (int64_t k = 0; k < 71; k++) {
        windows_at(some, k, 1, a, NULL);
        int64_t at = before + 1;
        while (at < all && memcmp(a, row.at + at * T, T * sizeof *a))
            at++;
        found &= at < all;
        least = k && at - before < least ? at - before : least;
        most = at - before > most ? at - before : most;
        before = at;
    }
    ok(found && before >= all - all / 71 - 1 && most - least <= 1,
        "some windows of many lie at even distances over the split");
    cg_dataset_free(some);
    cg_vec_free(&row);
    cg_dataset_free(w);
    cg_corpus_free(c);
}

static void mixtures(const CgTokenizer *t)
{
    enum { T = 19, B = 3 };
    CgErr e = { 0 };
    CgCorpus *x = corpus(301, 97, 0, 'x'), *y = corpus(201, 97, 0, 'y'), *z = corpus(51, 97, 0, 'z');
    CgCorpus *m = cg_corpus_mix((CgCorpus *[]){ x, y, z }, (double[]){ 5, 2, 1 }, 3, &e);
    CgDataset *w = cg_windows_new(m, CG_TRAIN, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    int32_t a[B * T], an[B * T];
    int seen[3] = { 0 }, total = 0;
    bool kept = w != NULL;
    for (uint64_t s = 0; kept && s < 2000; s++) {
        batch(w, 3, s, B, a, an);
        for (int r = 0; r < B; r++, total++) {
            int n[256] = { 0 };
            for (int k = 0; k < T; k++)
                n[a[r * T + k]]++;
            seen[n['x'] > n['y'] && n['x'] > n['z'] ? 0 : n['y'] > n['z'] ? 1 : 2]++;
        }
        double off = seen[0] - 5.0 / 8 * total;
        kept &= off < 1.01 && off > -1.01;
    }
    ok(kept, "shares are kept at every step");
    int64_t n = w ? w->rows : 0, own = 0;
    CgDataset *alone = cg_windows_new(z, CG_TRAIN, t, &(CgWindowOpts){ .length = T }, NULL, &e);
    own = alone->rows;
    ok(n > 8 * (own - 1) && n < 8 * (own + 2), "an evaluation stops where the first part is used up");
    bool in_order = true;
    for (int64_t i = 0; i < n; i++)
        in_order &= windows_at(w, i, 1, a, an) == 1;
    ok(in_order, "all its windows can be had");

    CgCorpus *c = corpus(101, 211, 9, 0), *mixed = cg_corpus_shuffle_tokens(c, 4);
    CgDataset *plain = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = 21411 }, NULL, &e);
    CgDataset *shuffled = cg_windows_new(mixed, CG_ALL, t, &(CgWindowOpts){ .length = 21411 }, NULL, &e);
    int32_t *p = malloc(21411 * sizeof *p), *q = malloc(21411 * sizeof *q), bag[256] = { 0 };
    bool same_bag = true;
    int equal = 0;
    windows_at(plain, 0, 1, p, NULL);
    windows_at(shuffled, 0, 1, q, NULL);
    for (int i = 0; i < 21411; i++) {
        bag[p[i]]++;
        bag[q[i]]--;
        equal += p[i] == q[i];
    }
    for (int i = 0; i < 256; i++)
        same_bag &= bag[i] >= -1 && bag[i] <= 1; /* the one token after the window differs */
    ok(same_bag && equal < 2000, "shuffled tokens are the same tokens elsewhere");
    free(p);
    free(q);
    CgDataset *all[] = { w, alone, plain, shuffled };
    for (size_t i = 0; i < CG_LEN(all); i++)
        cg_dataset_free(all[i]);
    CgCorpus *corpora[] = { x, y, z, m, c, mixed };
    for (size_t i = 0; i < CG_LEN(corpora); i++)
        cg_corpus_free(corpora[i]);
}

/* Windows that begin with their document, with a stride; the mask says where it ends. */
static void aligned(const CgTokenizer *t)
{
    enum { T = 50 };
    CgErr e = { 0 };
    CgText texts[3] = { { "abc", 3 }, { "0123456789012345678901234567890123456789012345678901234567890123456789", 70 },
        { "x", 1 } };
    CgCorpus *c = cg_corpus_from_texts("three", texts, 3, NULL, &e);
    CgDataset *w = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = T, .stride = 30, .align = true }, NULL, &e);
    int32_t tokens[4 * T], next[4 * T], document[4 * T];
    float mask[4 * T], sum[4] = { 0 };
    void *out[CG_WINDOW_FIELDS] = { tokens, next, document, mask };
    bool all = w && w->rows == 4 && cg_dataset_read(w, 0, 9, out) == 4;
    for (int r = 0; all && r < 4; r++)
        for (int k = 0; k < T; k++)
            sum[r] += mask[r * T + k];
    ok(all && tokens[0] == 'a' && tokens[T] == '0' && tokens[2 * T] == '0' && tokens[3 * T] == 'x' && next[2] == 0
            && next[3] == 0,
        "aligned windows begin with their document or go on in it");
    ok(all && sum[0] == 3 && sum[1] == 50 && sum[2] == 40 && sum[3] == 1, "the mask counts what is of the document");
    CgOrigin from = w ? cg_dataset_origin(w, 2) : (CgOrigin){ 0 };
    ok(w && from.source && !strcmp(from.source, "three") && from.line == 2, "a window knows where it comes from");
    cg_dataset_free(w);
    w = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = 20, .stride = 7 }, NULL, &e);
    all = w && w->rows == (77 - 21) / 7 + 1 && cg_dataset_read(w, 1, 1, out) == 1;
    ok(all && tokens[0] == '3' && document[0] == 0 && cg_dataset_read(w, 0, 1, out) == 1 && document[3] == 0
            && document[4] == 1 && document[19] == 1,
        "a stride goes from window to window; documents in a window are numbered");
    cg_dataset_free(w);
    cg_corpus_free(c);
}

static void shares(void)
{
    CgDraw d;
    double worst = 0;
    bool same = true;
    cg_draw_init(&d, 2385, 11, 0);
    for (int round = 0; round < 50; round++) {
        int n = 2 + (int)cg_draw_below(&d, 9);
        double share[16], sum = 0;
        uint64_t dealt[16] = { 0 }, own;
        for (int i = 0; i < n; i++)
            sum += share[i] = (double)(1 + cg_draw_below(&d, (uint64_t)1 << (1 + cg_draw_below(&d, 20))));
        for (int i = 0; i < n; i++)
            share[i] /= sum;
        CgDeal *deal = cg_deal_new(share, n), *again = cg_deal_new(share, n);
        for (uint64_t g = 0; g < 20000; g++) {
            int i = cg_deal_component(deal, g, &own);
            same &= own == dealt[i]++;
            for (int k = 0; k < n; k++) {
                double off = share[k] * (double)(g + 1) - (double)dealt[k];
                worst = off > worst ? off : -off > worst ? -off : worst;
            }
        }
        uint64_t there;
        int i = cg_deal_component(again, 19999, &there), k = cg_deal_component(deal, 19999, &own);
        same &= i == k && there == own && cg_deal_component(again, 3, &there) == cg_deal_component(deal, 3, &own)
            && own == there;
        cg_deal_free(deal);
        cg_deal_free(again);
    }
    ok(worst < 1, "no part is ever off its share by a whole row");
    ok(same, "wherever dealing begins");
}

static void refused(CgCorpus *c, const CgTokenizer *t, CgSplit s, CgWindowOpts o, const char *words, const char *test)
{
    CgErr e = { 0 };
    CgDataset *w = cg_windows_new(c, s, t, &o, NULL, &e);
    bool good = !w && strstr(e.text, words);
    ok(good, test);
    if (!good)
        printf("# %s\n", w ? "it was accepted" : e.text);
    cg_dataset_free(w);
}

static void mistakes(const CgTokenizer *t)
{
    CgErr e = { 0 };
    CgText same[] = { { "aa", 2 }, { "aa", 2 } };
    CgCorpus *c = corpus(7, 11, 1, 0), *one = cg_corpus_from_texts("same", same, 2, NULL, &e);
    refused(c, t, CG_TRAIN, (CgWindowOpts){ .length = 0 }, "length 0", "no length");
    refused(c, t, CG_TRAIN, (CgWindowOpts){ .length = 1009 }, "fewer than one window of 1009", "too little text");
    refused(c, t, CG_TRAIN, (CgWindowOpts){ .length = 3, .repeat = 1.5 }, "a share, 0 to 1", "a share above one");
    refused(c, t, CG_TRAIN, (CgWindowOpts){ .length = 12, .repeat = 0.5, .span = 6 }, "does not fit in a window of 12",
        "spans too long");
    refused(c, t, CG_TRAIN, (CgWindowOpts){ .length = 32, .repeat = 0.5, .span = 6, .group = 4 },
        "no whole number of groups", "broken groups");
    refused(
        c, t, CG_TRAIN, (CgWindowOpts){ .length = 3, .repeat = 0.5 }, "no whole number of groups", "no room at all");
    refused(one, t, cg_corpus_docs(one, CG_TEST) ? CG_TRAIN : CG_TEST, (CgWindowOpts){ .length = 1 }, "is empty",
        "an empty split");
    cg_corpus_free(c);
    cg_corpus_free(one);
}

int main(void)
{
    CgTokenizer *t = cg_tokenizer_bytes();
    draws();
    tokens();
    training(t);
    evaluation(t);
    copies(t);
    some_of_all(t);
    mixtures(t);
    aligned(t);
    shares();
    mistakes(t);
    cg_tokenizer_free(t);
    printf("1..%d\n", count);
    return failed != 0;
}
