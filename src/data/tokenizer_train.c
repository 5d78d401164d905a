/* tokenizer_train.c - the merges a text asks for.
 * Takes the train splits of corpora; gives a tokenizer.
 * Must not depend on the order of equal counts: ties go to the smaller ids. After Sennrich, Haddow and
 * Birch, "Neural machine translation of rare words with subword units", ACL 2016; counts are kept up as
 * pairs are merged. */
#include "data/tokenizer_bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "data/pretoken.h"
#include "data/tokenizer_bpe_inside.h"
#include "data/tokenizer_kinds.h"

#define MOST_TEXT ((uint64_t)16 << 20)

typedef struct Word {
    uint32_t at, len;
    int64_t count;
} Word; /* its ids lie in Training.ids */

typedef struct Pair {
    CgPair ids;
    int64_t count;
    uint32_t touched;       /* the last merge that changed the count */
    CG_VEC(uint32_t) words; /* where it was seen; some may have lost it since */
} Pair;

typedef struct Offer {
    int64_t count;
    uint32_t pair;
} Offer;

typedef struct Training {
    CG_VEC(Word) words;
    CG_VEC(int32_t) ids;
    CgMap seen; /* hash of a piece -> word */
    CG_VEC(Pair) pairs;
    CgMap index;              /* left << 32 | right -> pair */
    CG_VEC(Offer) heap;       /* offers may be out of date: checked when they come up */
    CG_VEC(uint32_t) changed; /* pairs touched by the merge at hand ... */
    uint32_t merge;           /* ... which is number so many, from 1 */
} Training;

/* ---- counting pieces ----------------------------------------------------------------------------------- */

static void count_piece(Training *tr, CgText piece)
{
    uint64_t hash = cg_hash64(piece.at, piece.len, 0), found;
    if (piece.len < 2)
        return;
    if (cg_map_get(&tr->seen, hash, &found)) {
        tr->words.at[found].count++;
        return;
    }
    cg_map_put(&tr->seen, hash, tr->words.len);
    cg_vec_push(&tr->words, ((Word){ (uint32_t)tr->ids.len, (uint32_t)piece.len, 1 }));
    for (size_t i = 0; i < piece.len; i++)
        cg_vec_push(&tr->ids, (unsigned char)piece.at[i]);
}

/* Bytes 0 and 1 stand alone: between them each stretch is a text. */
static void count_text(Training *tr, CgText text)
{
    for (size_t n = 0; text.len; text = (CgText){ text.at + n, text.len - n }) {
        for (n = 0; n < text.len && (unsigned char)text.at[n] > 1; n++) {}
        CgPretokens pieces = cg_pretokens_gpt2((CgText){ text.at, n }, CG_BPE_LONGEST);
        for (CgText piece; cg_pretokens_next(&pieces, &piece);)
            count_piece(tr, piece);
        n += n < text.len;
    }
}

/* Documents spread evenly over the train split, about `most` bytes of them. */
typedef struct Counting {
    Training *tr;
    uint64_t all, most, before, taken;
} Counting;

static bool count_doc(void *arg, const CgDoc *d, CgErr *e)
{
    Counting *c = arg;
    (void)e;
    if (d->split != CG_TRAIN)
        return true;
    c->before += d->text.len;
    if (c->all > c->most && (double)c->taken / (double)c->most > (double)c->before / (double)c->all)
        return true;
    c->taken += d->text.len;
    count_text(c->tr, d->text);
    return true;
}

static bool count_component(Training *tr, const CgCorpus *component, uint64_t most, CgErr *e)
{
    return cg_corpus_walk(component, count_doc, &(Counting){ tr, cg_corpus_bytes(component, CG_TRAIN), most, 0, 0 }, e);
}

/* ---- the heap: greatest count first, then the smaller ids ---------------------------------------------- */

static bool before(const Training *tr, Offer a, Offer b)
{
    if (a.count != b.count)
        return a.count > b.count;
    CgPair p = tr->pairs.at[a.pair].ids, q = tr->pairs.at[b.pair].ids;
    return p.left != q.left ? p.left < q.left : p.right < q.right;
}

static void offer(Training *tr, uint32_t pair)
{
    Offer o = { tr->pairs.at[pair].count, pair };
    if (o.count < 2)
        return;
    cg_vec_push(&tr->heap, o);
    size_t i = tr->heap.len - 1;
    while (i && before(tr, o, tr->heap.at[(i - 1) / 2])) {
        tr->heap.at[i] = tr->heap.at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    tr->heap.at[i] = o;
}

static Offer take_best(Training *tr)
{
    Offer best = tr->heap.at[0], last = tr->heap.at[--tr->heap.len];
    size_t i = 0, n = tr->heap.len;
    for (;;) {
        size_t k = 2 * i + 1;
        if (k >= n)
            break;
        if (k + 1 < n && before(tr, tr->heap.at[k + 1], tr->heap.at[k]))
            k++;
        if (!before(tr, tr->heap.at[k], last))
            break;
        tr->heap.at[i] = tr->heap.at[k];
        i = k;
    }
    if (n)
        tr->heap.at[i] = last;
    return best;
}

/* ---- merging ------------------------------------------------------------------------------------------- */

static void count_pair(Training *tr, int32_t left, int32_t right, uint32_t word, int64_t by)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right, found;
    if (!cg_map_get(&tr->index, key, &found)) {
        found = tr->pairs.len;
        cg_map_put(&tr->index, key, found);
        cg_vec_push(&tr->pairs, ((Pair){ .ids = { left, right } }));
    }
    Pair *p = &tr->pairs.at[found];
    p->count += by;
    if (by > 0 && (!p->words.len || p->words.at[p->words.len - 1] != word))
        cg_vec_push(&p->words, word);
    if (p->touched != tr->merge) {
        p->touched = tr->merge;
        cg_vec_push(&tr->changed, (uint32_t)found);
    }
}

static void merge_in_word(Training *tr, uint32_t word, CgPair p, int32_t made)
{
    Word *w = &tr->words.at[word];
    int32_t *ids = tr->ids.at + w->at;
    uint32_t to = 0;
    for (uint32_t i = 0; i < w->len;) {
        if (i + 1 == w->len || ids[i] != p.left || ids[i + 1] != p.right) {
            ids[to++] = ids[i++];
            continue;
        }
        if (to) {
            count_pair(tr, ids[to - 1], p.left, word, -w->count);
            count_pair(tr, ids[to - 1], made, word, w->count);
        }
        if (i + 2 < w->len) {
            count_pair(tr, p.right, ids[i + 2], word, -w->count);
            count_pair(tr, made, ids[i + 2], word, w->count);
        }
        ids[to++] = made;
        i += 2;
    }
    w->len = to;
}

static void merge(Training *tr, uint32_t pair, int32_t made)
{
    CgPair ids = tr->pairs.at[pair].ids;
    uint32_t *words = tr->pairs.at[pair].words.at;
    size_t n = tr->pairs.at[pair].words.len;
    tr->pairs.at[pair].words.at = NULL; /* the list of pairs grows meanwhile */
    tr->pairs.at[pair].words.len = tr->pairs.at[pair].words.cap = 0;
    tr->pairs.at[pair].count = 0;
    tr->changed.len = 0;
    tr->merge++;
    for (size_t i = 0; i < n; i++)
        merge_in_word(tr, words[i], ids, made);
    free(words);
    for (size_t i = 0; i < tr->changed.len; i++) {
        if (tr->changed.at[i] != pair)
            offer(tr, tr->changed.at[i]);
    }
    /* a a a: what the neighbours took off and put on again is over */
    tr->pairs.at[pair].count = 0;
}

static bool corpora_are_text(const CgCorpus *c, CgErr *e)
{
    for (int k = 0; k < cg_corpus_nparts(c); k++)
        if (cg_corpus_random_tokens(cg_corpus_component(c, k)))
            return cg_err(e, CG_ERR_INPUT, "random tokens are no text that a tokenizer could be trained on");
    return true;
}

CgTokenizer *cg_bpe_train(CgCorpus *const *corpora, int n, int size, CgErr *e)
{
    if (size < 256 || size > 65536) {
        cg_err(e, CG_ERR_INPUT, "a tokenizer of %d tokens; it can have 256 (the bytes alone) to 65536", size);
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (!corpora_are_text(corpora[i], e))
            return NULL;
    Training tr = { 0 };
    bool good = true;
    for (int i = 0; i < n; i++)
        for (int k = 0; good && k < cg_corpus_nparts(corpora[i]); k++)
            good = count_component(&tr, cg_corpus_component(corpora[i], k),
                (uint64_t)((double)MOST_TEXT / n * cg_corpus_share(corpora[i], k)), e);
    for (uint32_t w = 0; w < tr.words.len; w++) {
        Word *word = &tr.words.at[w];
        for (uint32_t i = 0; i + 1 < word->len; i++)
            count_pair(&tr, tr.ids.at[word->at + i], tr.ids.at[word->at + i + 1], w, word->count);
    }
    for (uint32_t p = 0; p < tr.pairs.len; p++)
        offer(&tr, p);
    CG_VEC(CgPair) merges = { 0 };
    while (merges.len < (size_t)size - 256 && tr.heap.len) {
        Offer best = take_best(&tr);
        if (best.count != tr.pairs.at[best.pair].count)
            continue; /* out of date: the true count was offered when it changed */
        CgPair ids = tr.pairs.at[best.pair].ids;
        merge(&tr, best.pair, (int32_t)(256 + merges.len));
        cg_vec_push(&merges, ids);
    }
    CgTokenizer *t = good ? cg_bpe_from_merges(merges.at, merges.len) : NULL;
    for (size_t i = 0; i < tr.pairs.len; i++)
        cg_vec_free(&tr.pairs.at[i].words);
    cg_vec_free(&tr.words);
    cg_vec_free(&tr.ids);
    cg_vec_free(&tr.pairs);
    cg_vec_free(&tr.heap);
    cg_vec_free(&tr.changed);
    cg_map_deinit(&tr.seen);
    cg_map_deinit(&tr.index);
    cg_vec_free(&merges);
    return t;
}

CG_TOKENIZER(bpe, .train = cg_bpe_train, .least = 256, .usual = 2048, .most = 65536, .end = 0, .marker = 1,
    .pack = cg_bpe_pack, .unpack = cg_bpe_unpack, .write = cg_bpe_write, .model = "BPE", .load = cg_bpe_load,
    .version = 3,
    .doc = "A byte-pair tokenizer trained on the train split of a corpus, or of several in equal shares; kept in the "
           "store. Ids 0 to 255 are the bytes; end 0, mark 1.")
