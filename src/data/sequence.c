/* sequence.c - the tokens of a split, in memory or in shards.
 * Takes documents; encodes them once, keeps what is large in files; gives tokens by place. Must not change once it is
 * made: any thread may take tokens. */
#include "data/sequence.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/stop.h"
#include "base/vec.h"
#include "data/draw.h"

enum {
    UNIT = 4 << 20,  /* bytes of text that are encoded together, about */
    SHARD = 8 << 20, /* bytes of text of a shard, at least */
    BLOCK = 1 << 14  /* bytes of tokens under one checksum */
};
#define SUM_SEED 0x63672d746f6b656eu

typedef struct Shard {
    CgDigest key;
    uint64_t from, len; /* tokens */
    uint64_t sums;      /* the number of its first checksum */
} Shard;

struct CgSequence {
    int width;   /* bytes of a token */
    uint8_t *at; /* all tokens; NULL where they are in shards */
    uint64_t len;
    CG_VEC(CgTextStart) starts;
    CG_VEC(Shard) shards;
    CG_VEC(uint64_t) sums;
    CgCache *cache;
};

uint64_t cg_sequence_length(const CgSequence *q) { return q->len; }

bool cg_sequence_in_files(const CgSequence *q) { return !q->at && q->shards.len; }

const CgTextStart *cg_sequence_starts(const CgSequence *q, size_t *n)
{
    *n = q->starts.len;
    return q->starts.at;
}

void cg_sequence_free(CgSequence *q)
{
    if (!q)
        return;
    free(q->at);
    cg_vec_free(&q->starts);
    cg_vec_free(&q->shards);
    cg_vec_free(&q->sums);
    free(q);
}

/* ---- taking ---------------------------------------------------------------------------------------------- */

static void widen(const uint8_t *from, int width, size_t n, int32_t *out)
{
    if (width == 1)
        for (size_t i = 0; i < n; i++)
            out[i] = from[i];
    else if (width == 2)
        for (size_t i = 0; i < n; i++)
            out[i] = ((const uint16_t *)(const void *)from)[i];
    else
        memcpy(out, from, n * sizeof *out);
}

static const Shard *shard_at(const CgSequence *q, uint64_t at)
{
    size_t low = 0, high = q->shards.len - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (q->shards.at[middle].from <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return &q->shards.at[low];
}

/* Tokens [at, at + n) of a shard: the blocks they are in are read whole, and checked. */
static bool read_shard(const CgSequence *q, const Shard *s, uint64_t at, size_t n, int32_t *out, CgErr *e)
{
    uint64_t width = (uint64_t)q->width, first = at * width / BLOCK, end = s->len * width;
    uint64_t from = first * BLOCK, to = ((at + n) * width + BLOCK - 1) / BLOCK * BLOCK;
    to = to < end ? to : end;
    uint8_t *bytes = cg_malloc((size_t)(to - from));
    char *path = q->cache->path(q->cache->arg, s->key);
    uint64_t size;
    CgIn *in = cg_io_open(path, &size, e);
    bool good = in && cg_io_read_at(in, from, bytes, (size_t)(to - from), e);
    cg_io_close(in);
    for (uint64_t i = from; good && i < to; i += BLOCK) {
        size_t len = (size_t)(to - i < BLOCK ? to - i : BLOCK);
        if (cg_hash64(bytes + (i - from), len, SUM_SEED) != q->sums.at[s->sums + i / BLOCK]) {
            good = cg_err(e, CG_ERR_INPUT, "'%s' holds other tokens than were written to it", path);
            cg_err_hint(e, "the same command makes them again");
        }
    }
    if (good)
        widen(bytes + (at * width - from), q->width, n, out);
    free(path);
    free(bytes);
    return good;
}

static void take_from_shards(const CgSequence *q, uint64_t at, size_t n, int32_t *out)
{
    CgErr e = { 0 };
    while (n) {
        const Shard *s = shard_at(q, at);
        size_t run = s->from + s->len - at < n ? (size_t)(s->from + s->len - at) : n;
        if (!read_shard(q, s, at - s->from, run, out, &e)) {
            cg_cache_fail(q->cache, &e, s->key);
            memset(out, 0, n * sizeof *out);
            return;
        }
        at += run;
        out += run;
        n -= run;
    }
}

void cg_sequence_take(const CgSequence *q, uint64_t at, size_t n, int32_t *out)
{
    for (size_t i = 0; i < n;) {
        uint64_t from = (at + i) % q->len;
        size_t run = q->len - from < n - i ? (size_t)(q->len - from) : n - i;
        if (q->at)
            widen(q->at + from * (uint64_t)q->width, q->width, run, out + i);
        else
            take_from_shards(q, from, run, out + i);
        i += run;
    }
}

/* ---- making ---------------------------------------------------------------------------------------------- */

typedef struct Unit { /* text that is encoded together */
    size_t end;       /* in the text that was gathered */
    bool begins;      /* a text; else it goes on where the unit before stopped */
    CgTextStart start;
} Unit;

typedef struct Making {
    CgSequence *q;
    CgSplit split;
    const CgTokenizer *t;
    bool shards;
    bool any;      /* a text was encoded before */
    bool previous; /* the document before is of this split */
    CgStrbuf text; /* gathered and not yet encoded */
    CG_VEC(Unit) units;
    bool open; /* the last unit may grow */
    CgTokens ids;
    uint8_t *at; /* what was encoded: of all, or of the shard at hand */
    uint64_t len, cap;
    CgProgress *progress;
    uint64_t seen; /* bytes */
} Making;

static void put(Making *m, const int32_t *ids, size_t n)
{
    int width = m->q->width;
    if (m->len + n > m->cap) {
        m->cap = m->cap + m->cap / 2 > m->len + n ? m->cap + m->cap / 2 : m->len + n;
        m->at = cg_realloc(m->at, (size_t)m->cap * (size_t)width);
    }
    uint8_t *to = m->at + m->len * (uint64_t)width;
    if (width == 1)
        for (size_t i = 0; i < n; i++)
            to[i] = (uint8_t)ids[i];
    else if (width == 2)
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)(void *)to)[i] = (uint16_t)ids[i];
    else
        memcpy(to, ids, n * sizeof *ids);
    m->len += n;
}

/* What stands behind a text. */
static void put_end(Making *m)
{
    m->ids.len = 0;
    cg_tokenizer_end(m->t, &m->ids);
    put(m, m->ids.at, m->ids.len);
}

static void put_random(void *m, int32_t id) { put(m, &id, 1); }

/* The units that were gathered, an `end` before each text but the first; starts[i] = where the i-th of these texts
 * begins among the tokens. */
static void encode_units(Making *m, uint64_t *starts)
{
    size_t from = 0, n = 0;
    for (size_t i = 0; i < m->units.len; i++) {
        const Unit *u = &m->units.at[i];
        if (u->begins && m->any)
            put_end(m);
        if (u->begins)
            starts[n++] = m->len;
        m->any = true;
        m->ids.len = 0;
        if (u->begins)
            cg_tokenizer_begin(m->t, &m->ids);
        cg_tokenizer_encode(m->t, m->text.at + from, u->end - from, &m->ids);
        put(m, m->ids.at, m->ids.len);
        from = u->end;
    }
}

static size_t texts_of(const Making *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->units.len; i++)
        n += m->units.at[i].begins;
    return n;
}

/* Tokens that begin at `base` of the sequence. */
static void note_starts(Making *m, const uint64_t *starts, uint64_t base)
{
    for (size_t i = 0, n = 0; i < m->units.len; i++) {
        CgTextStart start = m->units.at[i].start;
        if (!m->units.at[i].begins)
            continue;
        start.at = base + starts[n++];
        cg_vec_push(&m->q->starts, start);
    }
    m->units.len = 0;
    m->text.len = 0;
}

/* ---- shards: tokens, where texts begin among them, checksums, and how many there are of each */

typedef struct Tail {
    uint64_t tokens, starts, sums, rule;
} Tail;

#define RULE 1

static CgDigest shard_key(const Making *m, bool last)
{
    CgDigester *d = cg_digester_new();
    uint64_t row[] = { RULE, m->units.len, m->any, last, BLOCK };
    cg_digester_add(d, "shard of tokens", 15);
    cg_digester_add(d, row, sizeof row);
    cg_digester_add(d, &m->t->digest, sizeof m->t->digest);
    for (size_t i = 0; i < m->units.len; i++) {
        uint64_t unit[] = { m->units.at[i].end, m->units.at[i].begins };
        cg_digester_add(d, unit, sizeof unit);
    }
    cg_digester_add(d, m->text.at, m->text.len);
    return cg_digester_free(d);
}

/* Adds a shard to the sequence: what its file says. */
static bool add_shard(Making *m, CgDigest key, const CgBytes *bytes)
{
    CgSequence *q = m->q;
    Tail t;
    if (bytes->len < sizeof t)
        return false;
    memcpy(&t, bytes->at + bytes->len - sizeof t, sizeof t);
    uint64_t tokens = (t.tokens * (uint64_t)q->width + 7) / 8 * 8;
    if (t.rule != RULE || bytes->len != tokens + 8 * (t.starts + t.sums) + sizeof t || t.starts != texts_of(m))
        return false;
    Shard s = { key, q->len, t.tokens, q->sums.len };
    cg_vec_push(&q->shards, s);
    uint64_t *starts = cg_malloc(8 * (size_t)t.starts + 8);
    memcpy(starts, bytes->at + tokens, 8 * (size_t)t.starts);
    m->any |= m->units.len > 0;
    note_starts(m, starts, q->len);
    free(starts);
    for (uint64_t i = 0; i < t.sums; i++) {
        uint64_t sum;
        memcpy(&sum, bytes->at + tokens + 8 * (t.starts + i), 8);
        cg_vec_push(&q->sums, sum);
    }
    q->len += t.tokens;
    return true;
}

static void encode_shard(Making *m, bool last, CgStrbuf *out)
{
    static const char zeros[8];
    uint64_t *starts = cg_malloc(8 * m->units.len + 8);
    Tail t = { .starts = texts_of(m), .rule = RULE };
    m->len = 0;
    encode_units(m, starts);
    if (last && m->any)
        put_end(m);
    t.tokens = m->len;
    size_t bytes = (size_t)m->len * (size_t)m->q->width;
    cg_strbuf_write(out, (const char *)m->at, bytes);
    cg_strbuf_write(out, zeros, (8 - bytes % 8) % 8);
    cg_strbuf_write(out, (const char *)starts, 8 * (size_t)t.starts);
    for (size_t i = 0; i < bytes; i += BLOCK, t.sums++) {
        uint64_t sum = cg_hash64(m->at + i, bytes - i < BLOCK ? bytes - i : BLOCK, SUM_SEED);
        cg_strbuf_write(out, (const char *)&sum, sizeof sum);
    }
    cg_strbuf_write(out, (const char *)&t, sizeof t);
    free(starts);
}

static bool make_shard(Making *m, bool last, CgErr *e)
{
    CgCache *cache = m->q->cache;
    CgBytes bytes = { 0 };
    CgDigest key = shard_key(m, last);
    bool kept = cache->has(cache->arg, key) && cache->get(cache->arg, key, &bytes), good = kept;
    if (kept && !(good = add_shard(m, key, &bytes)))
        cg_err(e, CG_ERR_INPUT, "a shard of tokens is none"); /* whole, and of its key: never */
    cg_io_release(&bytes);
    if (kept)
        return good;
    CgStrbuf made = { 0 };
    encode_shard(m, last, &made);
    good =
        cache->put(cache->arg, key, made.at, made.len, e) && add_shard(m, key, &(CgBytes){ made.at, made.len, false });
    cg_strbuf_deinit(&made);
    return good;
}

/* ---- gathering */

static uint64_t shard_size(void)
{
    const char *said = cg_debug_value("shard");
    return said ? strtoull(said, NULL, 10) : SHARD;
}

static bool close_unit(Making *m, CgErr *e)
{
    if (!m->open)
        return true;
    m->open = false;
    if (m->shards) {
        if (m->text.len < shard_size())
            return true;
        cg_progress_step(m->progress, (int64_t)(m->seen >> 20));
        if (cg_stop_asked())
            return cg_err(e, CG_ERR_INTERRUPTED, "stopped while tokens were made; the same command goes on from there");
        return make_shard(m, false, e);
    }
    uint64_t starts[1];
    encode_units(m, starts);
    note_starts(m, starts, 0);
    return true;
}

static bool meet(void *arg, const CgDoc *d, CgErr *e)
{
    Making *m = arg;
    bool here = m->split == CG_ALL || d->split == m->split, goes_on = here && d->joins && m->previous;
    m->previous = here;
    if (!here)
        return true;
    if ((!goes_on || m->text.len - (m->units.len > 1 ? m->units.at[m->units.len - 2].end : 0) >= UNIT)
        && !close_unit(m, e))
        return false;
    if (!m->open)
        cg_vec_push(&m->units, ((Unit){ .begins = !goes_on, .start = { 0, d->file, d->line } }));
    m->open = true;
    cg_strbuf_write(&m->text, d->text.at, d->text.len);
    m->units.at[m->units.len - 1].end = m->text.len;
    m->seen += d->text.len;
    return true;
}

static bool gather(Making *m, const CgCorpus *part, CgErr *e)
{
    bool good = cg_corpus_walk(part, meet, m, e) && close_unit(m, e);
    if (good && m->shards)
        good = (!m->any && !m->units.len) || make_shard(m, true, e);
    else if (good && m->any)
        put_end(m);
    cg_strbuf_deinit(&m->text);
    cg_vec_free(&m->units);
    cg_vec_free(&m->ids);
    return good;
}

static void swap_tokens(uint8_t *at, int width, uint64_t i, uint64_t k)
{
    uint8_t kept[4];
    size_t n = (size_t)width;
    memcpy(kept, at + i * n, n);
    memcpy(at + i * n, at + k * n, n);
    memcpy(at + k * n, kept, n);
}

static void shuffle(CgSequence *q, uint64_t seed, CgSplit s)
{
    CgDraw d;
    cg_draw_init(&d, seed, CG_STREAM_SHUFFLE, (uint64_t)s);
    for (uint64_t i = q->len; i > 1; i--)
        swap_tokens(q->at, q->width, i - 1, cg_draw_below(&d, i));
}

static bool make_in_memory(Making *m, const CgCorpus *part, CgErr *e)
{
    const CgRandomTokens *of = cg_corpus_random_tokens(part);
    uint64_t seed;
    bool good = true;
    for (CgSplit k = CG_TRAIN; of && k < CG_ALL; k++) /* one stream each; all of them are the three after each other */
        if (m->split == CG_ALL || m->split == k)
            cg_random_tokens_draw(of, k, cg_random_tokens_split(of, k), put_random, m);
    if (!of)
        good = gather(m, part, e);
    m->q->at = m->at;
    m->q->len = m->len;
    if (good && cg_corpus_shuffled(part, &seed))
        shuffle(m->q, seed, m->split);
    return good;
}

/* ---- the list of shards ---------------------------------------------------------------------------------- */

typedef struct List {
    uint64_t tokens, shards, starts, sums;
} List;

static CgDigest list_key(const CgCorpus *part, CgSplit s, const CgTokenizer *t)
{
    CgDigester *d = cg_digester_new();
    struct {
        CgDigest corpus, tokenizer;
        uint64_t split, rule, shard, nfiles;
    } row = { cg_corpus_digest(part), t->digest, s, RULE, shard_size(), cg_corpus_nfiles(part) };
    cg_digester_add(d, &row, sizeof row);
    for (uint32_t i = 0; i < row.nfiles; i++)
        cg_digester_add(d, cg_corpus_file(part, i), strlen(cg_corpus_file(part, i)) + 1);
    return cg_digester_free(d);
}

/* False: there is no list, or a shard of it is gone. */
static bool take_list(CgSequence *q, CgDigest key)
{
    CgBytes bytes = { 0 };
    List l;
    if (!q->cache->get(q->cache->arg, key, &bytes))
        return false;
    bool good = bytes.len >= sizeof l;
    if (good)
        memcpy(&l, bytes.at, sizeof l);
    good = good && bytes.len == sizeof l + l.shards * sizeof(Shard) + l.starts * sizeof(CgTextStart) + l.sums * 8;
    if (good) {
        const char *at = bytes.at + sizeof l;
        cg_vec_reserve(&q->shards, l.shards);
        cg_vec_reserve(&q->starts, l.starts);
        cg_vec_reserve(&q->sums, l.sums);
        memcpy(q->shards.at, at, (size_t)l.shards * sizeof(Shard));
        memcpy(q->starts.at, at += l.shards * sizeof(Shard), (size_t)l.starts * sizeof(CgTextStart));
        memcpy(q->sums.at, at + l.starts * sizeof(CgTextStart), (size_t)l.sums * 8);
        for (uint64_t i = 0; good && i < l.shards; i++)
            good = q->cache->has(q->cache->arg, q->shards.at[i].key);
    }
    if (good) {
        q->len = l.tokens;
        q->shards.len = (size_t)l.shards;
        q->starts.len = (size_t)l.starts;
        q->sums.len = (size_t)l.sums;
    }
    cg_io_release(&bytes);
    return good;
}

static bool put_list(const CgSequence *q, CgDigest key, CgErr *e)
{
    List l = { q->len, q->shards.len, q->starts.len, q->sums.len };
    CgStrbuf b = { 0 };
    cg_strbuf_write(&b, (const char *)&l, sizeof l);
    cg_strbuf_write(&b, (const char *)q->shards.at, q->shards.len * sizeof(Shard));
    cg_strbuf_write(&b, (const char *)q->starts.at, q->starts.len * sizeof(CgTextStart));
    cg_strbuf_write(&b, (const char *)q->sums.at, q->sums.len * 8);
    bool good = q->cache->put(q->cache->arg, key, b.at, b.len, e);
    cg_strbuf_deinit(&b);
    return good;
}

static bool make_in_shards(Making *m, const CgCorpus *part, CgErr *e)
{
    CgDigest key = list_key(part, m->split, m->t);
    if (take_list(m->q, key))
        return true;
    m->progress = cg_progress_new(&(CgProgressOpts){ .name = "making tokens (MiB of text)",
        .total = (int64_t)(cg_corpus_bytes(part, m->split) >> 20),
        .quiet = m->q->cache->quiet });
    cg_stop_listen();
    bool good = gather(m, part, e) && (!m->q->len || put_list(m->q, key, e));
    cg_stop_deafen();
    cg_progress_free(m->progress, good ? NULL : "stopped");
    free(m->at);
    return good;
}

CgSequence *cg_sequence_new(const CgCorpus *part, CgSplit s, const CgTokenizer *t, CgCache *cache, CgErr *e)
{
    uint64_t seed;
    CgSequence *q = cg_calloc(1, sizeof *q);
    q->width = t->size <= 1 << 8 ? 1 : t->size <= 1 << 16 ? 2 : 4;
    q->cache = cache;
    Making m = { .q = q, .split = s, .t = t };
    m.shards = cache && cg_corpus_large(part) && !cg_corpus_shuffled(part, &seed);
    if (m.shards ? make_in_shards(&m, part, e) : make_in_memory(&m, part, e))
        return q;
    cg_sequence_free(q);
    return NULL;
}
