/* corpus_stream.c - a corpus whose text stays in its files.
 * Takes files; gives their documents one after the other, as often as they are asked for, holding some MiB of them.
 * Must give the documents, splits and digest of the same files in memory. */
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/stop.h"
#include "base/strbuf.h"
#include "data/corpus_inside.h"
#include "data/reader.h"

enum { PIECE = 4 << 20 }; /* bytes read at a time */

struct CgStream {
    CgCorpusFiles files;
    CgCorpusOpts opts; /* with its own fields */
    const char **fields;
    double valid, test;
    const CgCache *cache;
    uint8_t *left_out; /* a bit a document; NULL: none is */
};

/* Going through all documents. */
typedef struct Walk {
    CgCorpus *c; /* changed by the first walk alone */
    const struct CgStream *s;
    const CgCache *cache; /* of the first walk: may say that the user wants to stop */
    CgDocFn *each;
    void *arg;
    CgErr *e;
    uint64_t left; /* bytes until the limit */
    uint64_t n;    /* documents so far, those left out too */
    uint32_t file;
    bool any_records, any_text, gap; /* the document before was left out */
    bool ended;                      /* enough, or an error */
    /* of the first walk */
    CgDigester *digest; /* NULL: of a later one */
    CgProgress *progress;
    uint64_t before; /* bytes of the files before */
    CgCopies seen;
    CG_VEC(uint8_t) copies; /* a bit a document */
    size_t passed_over;
} Walk;

static bool is_left_out(Walk *w, CgText text)
{
    uint64_t n = w->n++;
    if (!w->digest)
        return w->s->left_out && (w->s->left_out[n / 8] >> n % 8 & 1);
    bool copy = cg_corpus_copy(&w->seen, text, w->s->opts.unique == CG_UNIQUE_NEAR);
    w->c->copies += copy;
    if (n % 8 == 0)
        cg_vec_push(&w->copies, 0);
    copy = copy && w->s->opts.unique != CG_UNIQUE_NOT;
    w->copies.at[n / 8] |= (uint8_t)(copy << n % 8);
    return copy;
}

static bool meet(Walk *w, CgText text, uint32_t line, bool joins)
{
    if (is_left_out(w, text)) {
        w->gap = true;
        return true;
    }
    CgDoc d = { .text = text,
        .split = cg_split_of(cg_split_hash(text.at, text.len), w->s->valid, w->s->test),
        .file = w->file,
        .line = line,
        .joins = joins && !w->gap };
    w->gap = false;
    if (w->digest)
        cg_corpus_count_doc(w->c, &d, w->digest);
    w->ended = w->each && !w->each(w->arg, &d, w->e);
    return !w->ended;
}

static size_t block_of(const Walk *w) { return w->s->opts.block ? (size_t)w->s->opts.block : CG_CORPUS_BLOCK; }

/* ---- texts ----------------------------------------------------------------------------------------------- */

/* A file of which the bytes from `at` to `end` are to be read. */
typedef struct Pieces {
    CgIn *in;
    uint64_t at, end; /* not read yet */
    char *buffer;
    size_t from, len, cap; /* what is left of what was read */
} Pieces;

/* At least `least` bytes from p->from on, or all that are left. */
static bool fill(Pieces *p, size_t least, CgErr *e)
{
    if (p->len - p->from >= least || p->at == p->end)
        return true;
    p->len -= p->from;
    if (p->len)
        memmove(p->buffer, p->buffer + p->from, p->len);
    p->from = 0;
    if (p->cap < least + PIECE) {
        p->cap = least + PIECE;
        p->buffer = cg_realloc(p->buffer, p->cap);
    }
    size_t n = p->cap - p->len;
    n = n < p->end - p->at ? n : (size_t)(p->end - p->at);
    bool good = cg_io_read_at(p->in, p->at, p->buffer + p->len, n, e);
    p->at += n;
    p->len += n;
    return good;
}

/* Not more than the limit leaves, and whole characters. */
static bool limit(Walk *w, Pieces *p)
{
    if (p->end - p->at <= w->left) {
        w->left -= p->end - p->at;
        return true;
    }
    p->end = p->at + w->left;
    w->left = 0;
    for (int i = 0; i < 3 && p->end > p->at + 1; i++, p->end--) {
        char next;
        if (!cg_io_read_at(p->in, p->end, &next, 1, w->e))
            return false;
        if (((unsigned char)next & 0xc0) != 0x80)
            break;
    }
    return true;
}

/* After each piece. */
static bool stopped(const Walk *w, const Pieces *p)
{
    if (w->progress)
        cg_progress_step(w->progress, (int64_t)(w->before + p->at) >> 20);
    if (!w->cache || !cg_stop_asked())
        return false;
    cg_err(w->e, CG_ERR_INTERRUPTED, "stopped while corpus %s was read", w->c->name);
    return true;
}

static bool cut_pieces(Walk *w, Pieces *p)
{
    size_t block = block_of(w), look = 5 * block + 2 * CG_CORPUS_LINE;
    uint32_t line = 1;
    for (bool joins = false;; joins = true) {
        if (!fill(p, look, w->e) || (p->from == 0 && stopped(w, p)))
            return false;
        if (p->from == p->len)
            return true;
        const char *at = p->buffer + p->from;
        size_t n = cg_corpus_block(at, p->len - p->from, block);
        if (!meet(w, (CgText){ at, n }, line, joins))
            return false;
        line += cg_corpus_lines(at, n);
        p->from += n;
    }
}

/* A text that is in memory. */
static bool cut_text(Walk *w, CgText text)
{
    size_t len = text.len;
    if (len > w->left) {
        len = (size_t)w->left;
        for (int i = 0; i < 3 && len > 1 && ((unsigned char)text.at[len] & 0xc0) == 0x80; i++)
            len--;
        w->left = 0;
    } else {
        w->left -= len;
    }
    uint32_t line = 1;
    for (size_t from = 0; from < len;) {
        size_t n = cg_corpus_block(text.at + from, len - from, block_of(w));
        if (!meet(w, (CgText){ text.at + from, n }, line, from > 0))
            return false;
        line += cg_corpus_lines(text.at + from, n);
        from += n;
    }
    return true;
}

/* Whether a file that begins so is text; where it is none that may be an error. */
static bool is_text(Walk *w, const CgCorpusFile *f, CgText head)
{
    if (!head.len || !memchr(head.at, 0, head.len < 4096 ? head.len : 4096))
        return true;
    if (!f->named) {
        w->passed_over++;
        return false;
    }
    if (!cg_corpus_looks_like_utf16(head))
        return true;
    cg_err(w->e, CG_ERR_INPUT, "'%s' looks like UTF-16 without a byte order mark", f->path);
    cg_err_hint(w->e, "save it as UTF-8, or with its mark");
    return false;
}

/* ---- records --------------------------------------------------------------------------------------------- */

static bool meet_record(void *arg, uint32_t line, const CgText *value, CgErr *e)
{
    (void)e;
    Walk *w = arg;
    CgStrbuf text = { 0 };
    cg_corpus_record(value, w->s->opts.nfields, &text);
    size_t n = text.len;
    if (n > w->left) {
        n = (size_t)w->left;
        for (int i = 0; i < 3 && n > 1 && ((unsigned char)text.at[n] & 0xc0) == 0x80; i++)
            n--;
        w->left = 0;
    } else {
        w->left -= n;
    }
    bool more = !n || meet(w, (CgText){ text.at, n }, line, false);
    cg_strbuf_deinit(&text);
    return more && w->left > 0;
}

/* A file each of whose lines is a record. */
static bool read_lines(Walk *w, const CgReader *how, const char *path, Pieces *p)
{
    CgFields fields = { w->s->opts.fields, w->s->opts.nfields, 0 };
    for (size_t least = PIECE; w->left && !w->ended;) {
        if (!fill(p, least, w->e) || stopped(w, p))
            return false;
        if (p->from == p->len)
            break;
        size_t n = p->len - p->from;
        while (p->at < p->end && n && p->buffer[p->from + n - 1] != '\n')
            n--;
        if (!n) { /* a line that is longer than a piece */
            least = 2 * (p->len - p->from);
            continue;
        }
        CgText text = { p->buffer + p->from, n };
        if (!how->records(path, text, fields, meet_record, w, w->e) && w->e->text[0])
            return false;
        fields.before += cg_corpus_lines(text.at, n);
        p->from += n;
    }
    return true;
}

/* ---- files ----------------------------------------------------------------------------------------------- */

/* Packed, or of a format that is read as a whole. */
static bool read_whole(Walk *w, const CgCorpusFile *f)
{
    CgBytes bytes;
    CgText text;
    const CgReader *how = cg_reader_open(f->path, f->named, &bytes, w->e);
    if (!how) {
        w->passed_over++;
        return !w->e->text[0];
    }
    bool good;
    if (how->records) {
        CgFields fields = { w->s->opts.fields, w->s->opts.nfields, 0 };
        w->any_records = true;
        good = how->records(f->path, (CgText){ bytes.at, bytes.len }, fields, meet_record, w, w->e) || !w->e->text[0];
    } else {
        w->any_text = true;
        good = how->text(f->path, &bytes, &text, w->e) && (!is_text(w, f, text) || cut_text(w, text));
    }
    cg_io_release(&bytes);
    return good;
}

static bool read_pieces(Walk *w, const CgCorpusFile *f, const CgReader *how)
{
    Pieces p = { 0 };
    p.in = cg_io_open(f->path, &p.end, w->e);
    bool good = p.in && fill(&p, 4096, w->e);
    if (good && how->text) {
        w->any_text = true;
        const unsigned char *at = (const unsigned char *)p.buffer;
        if (p.len >= 2 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff))) {
            good = read_whole(w, f);
        } else {
            size_t mark = p.len >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf ? 3 : 0;
            if (is_text(w, f, (CgText){ p.buffer + mark, p.len - mark })) {
                p.at = mark;
                p.len = p.from = 0;
                good = limit(w, &p) && cut_pieces(w, &p);
            }
        }
    } else if (good) {
        w->any_records = true;
        good = read_lines(w, how, f->path, &p);
    }
    cg_io_close(p.in);
    free(p.buffer);
    return good;
}

/* A file is what it was when it was first looked at. */
static bool same(const CgCorpusFile *f, CgErr *e)
{
    CgFileMark now;
    (void)!cg_io_mark(f->path, &now);
    return memcmp(&now, &f->mark, sizeof now) == 0
        || cg_err(e, CG_ERR_INPUT, "'%s' was changed while it was in use; run it again", f->path);
}

static bool walk(Walk *w)
{
    w->left = w->s->opts.limit ? w->s->opts.limit : UINT64_MAX;
    bool good = true;
    for (size_t i = 0; good && i < w->s->files.len && w->left && !w->ended; i++) {
        const CgCorpusFile *f = &w->s->files.at[i];
        const CgReader *how = cg_reader_of(f->path);
        w->file = (uint32_t)i;
        good = how && (how->text || how->by_line) ? read_pieces(w, f, how) : read_whole(w, f);
        w->before += f->mark.bytes;
        good = (good || (w->ended && !w->e->text[0])) && !w->e->text[0] && same(f, w->e);
    }
    return good;
}

bool cg_stream_walk(const CgCorpus *c, CgDocFn *each, void *arg, CgErr *e)
{
    Walk w = { .c = (CgCorpus *)(uintptr_t)c, .s = c->stream, .each = each, .arg = arg, .e = e };
    return walk(&w);
}

/* ---- what is kept of the first walk ----------------------------------------------------------------------- */

typedef struct Totals {
    uint64_t docs[CG_NSPLITS], bytes[CG_NSPLITS], copies, passed_over, left_out; /* bytes of its bits */
    CgDigest digest;
} Totals;

/* Of the files as they are and all that says how they are read; false: they cannot be known again. */
static bool key_of(struct CgStream *s, CgDigest *key)
{
    bool known = true;
    CgDigester *d = cg_digester_new();
    uint64_t numbers[] = { s->opts.limit, s->opts.block, s->opts.unique, s->files.len };
    double shares[] = { s->valid, s->test };
    cg_digester_add(d, "corpus in files 1 " CG_CORPUS_RULE, sizeof "corpus in files 1 " CG_CORPUS_RULE);
    cg_digester_add(d, numbers, sizeof numbers);
    cg_digester_add(d, shares, sizeof shares);
    for (int i = 0; i < s->opts.nfields; i++)
        cg_digester_add(d, s->opts.fields[i], strlen(s->opts.fields[i]) + 1);
    for (size_t i = 0; i < s->files.len; i++) {
        known = cg_io_mark(s->files.at[i].path, &s->files.at[i].mark) && known;
        cg_digester_add(d, &s->files.at[i].mark, sizeof s->files.at[i].mark);
        cg_digester_add(d, &s->files.at[i].named, sizeof s->files.at[i].named);
        const CgReader *how = cg_reader_of(s->files.at[i].path);
        CgDigest origin = how ? cg_reader_origin(how) : (CgDigest){ 0 };
        if (!cg_digest_equal(origin, (CgDigest){ 0 }))
            cg_digester_add(d, &origin, sizeof origin);
    }
    *key = cg_digester_free(d);
    return known;
}

static bool take_totals(CgCorpus *c, const CgBytes *bytes)
{
    Totals t;
    if (bytes->len < sizeof t)
        return false;
    memcpy(&t, bytes->at, sizeof t);
    if (bytes->len != sizeof t + t.left_out)
        return false;
    for (int i = 0; i < CG_NSPLITS; i++) {
        c->ndocs[i] = (size_t)t.docs[i];
        c->nbytes[i] = t.bytes[i];
    }
    c->copies = (size_t)t.copies;
    c->passed_over = (size_t)t.passed_over;
    c->digest = t.digest;
    if (t.left_out) {
        c->stream->left_out = cg_malloc((size_t)t.left_out);
        memcpy(c->stream->left_out, bytes->at + sizeof t, (size_t)t.left_out);
    }
    return true;
}

static bool put_totals(const CgCorpus *c, size_t left_out, const CgCache *cache, CgDigest key, CgErr *e)
{
    Totals t = { .copies = c->copies, .passed_over = c->passed_over, .left_out = left_out, .digest = c->digest };
    for (int i = 0; i < CG_NSPLITS; i++) {
        t.docs[i] = c->ndocs[i];
        t.bytes[i] = c->nbytes[i];
    }
    CgStrbuf bytes = { 0 };
    cg_strbuf_write(&bytes, (const char *)&t, sizeof t);
    if (left_out)
        cg_strbuf_write(&bytes, (const char *)c->stream->left_out, left_out);
    bool good = cache->put(cache->arg, key, bytes.at, bytes.len, e);
    cg_strbuf_deinit(&bytes);
    return good;
}

static bool first_walk(CgCorpus *c, const CgCache *cache, bool known, CgDigest key, CgErr *e)
{
    Walk w = { .c = c, .s = c->stream, .cache = cache, .e = e, .digest = cg_digester_new() };
    cg_digester_add(w.digest, CG_CORPUS_RULE, sizeof CG_CORPUS_RULE);
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->stream->files.len; i++)
        bytes += c->stream->files.at[i].mark.bytes;
    w.progress = cg_progress_new(
        &(CgProgressOpts){ .name = "reading a corpus (MiB)", .total = (int64_t)(bytes >> 20), .quiet = cache->quiet });
    cg_stop_listen();
    bool good = walk(&w);
    cg_stop_deafen();
    cg_progress_free(w.progress, good ? NULL : "stopped");
    c->digest = cg_digester_free(w.digest);
    c->passed_over = w.passed_over;
    cg_copies_deinit(&w.seen);
    CgCorpusOpts said = { .nfields = c->stream->fields ? 1 : 0, .block = c->stream->opts.block };
    good = good && cg_corpus_options_met(c, &said, w.any_records, w.any_text, e);
    if (good && !c->ndocs[CG_ALL])
        good = cg_err(e, CG_ERR_INPUT, "corpus %s holds no text", c->name);
    bool out = c->stream->opts.unique != CG_UNIQUE_NOT && c->copies;
    c->stream->left_out = out ? w.copies.at : NULL;
    size_t bits = out ? w.copies.len : 0;
    if (!out)
        cg_vec_free(&w.copies);
    return good && (!known || put_totals(c, bits, cache, key, e));
}

/* ---- what rows were made from ----------------------------------------------------------------------------- */

enum { SAMPLE = 1 << 18 }; /* so many of the smallest chunks are looked at */

typedef struct Reaching {
    const CgCorpus *c;
    CgSplit split;
    CgReach *out, doc; /* the sample; all chunks of a document */
    size_t most;       /* chunks of the sample, until it is pruned; twice what that leaves, where many are equal */
    int64_t n;
} Reaching;

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Leaves the smallest chunks. */
static void prune(CgReach *r)
{
    size_t n = r->chunks.len, chunks = 0, units = 0, from = 0;
    if (n <= SAMPLE)
        return;
    uint64_t *sorted = cg_malloc(sizeof *sorted * n);
    memcpy(sorted, r->chunks.at, sizeof *sorted * n);
    qsort(sorted, n, sizeof *sorted, by_value);
    r->limit = sorted[SAMPLE - 1];
    free(sorted);
    for (size_t i = 0; i < r->units.len; i++) {
        CgReached u = r->units.at[i];
        size_t before = chunks;
        for (; from < u.end; from++)
            if (r->chunks.at[from] <= r->limit)
                r->chunks.at[chunks++] = r->chunks.at[from];
        u.end = chunks;
        if (chunks > before)
            r->units.at[units++] = u;
    }
    r->chunks.len = chunks;
    r->units.len = units;
}

static bool reach_doc(void *arg, const CgDoc *d, CgErr *e)
{
    Reaching *r = arg;
    int64_t n = r->n++;
    (void)e;
    if (r->split != CG_ALL && d->split != r->split)
        return true;
    r->doc.chunks.len = r->doc.units.len = 0;
    cg_reach_text(&r->doc, d->text, (CgOrigin){ 0 });
    size_t before = r->out->chunks.len;
    for (size_t i = 0; i < r->doc.chunks.len; i++)
        if (!r->out->limit || r->doc.chunks.at[i] <= r->out->limit)
            cg_vec_push(&r->out->chunks, r->doc.chunks.at[i]);
    CgOrigin origin = { r->c->files.at[d->file], d->line, n };
    if (r->out->chunks.len > before)
        cg_vec_push(&r->out->units, ((CgReached){ r->out->chunks.len, origin }));
    if (r->out->chunks.len > r->most) {
        prune(r->out);
        r->most = 2 * r->out->chunks.len;
    }
    return true;
}

typedef struct KeptUnit {
    uint64_t end, file;
    int64_t line, row;
} KeptUnit;

static void keep_reach(const CgCorpus *c, const CgReach *r, CgDigest key)
{
    CgStrbuf b = { 0 };
    CgErr ignore = { 0 };
    uint64_t counts[3] = { r->units.len, r->chunks.len, r->limit };
    cg_strbuf_write(&b, (const char *)counts, sizeof counts);
    for (size_t i = 0; i < r->units.len; i++) {
        const CgReached *u = &r->units.at[i];
        KeptUnit k = { u->end, 0, u->origin.line, u->origin.row };
        while (c->files.at[k.file] != u->origin.source)
            k.file++;
        cg_strbuf_write(&b, (const char *)&k, sizeof k);
    }
    for (size_t i = 0; i < r->chunks.len; i++)
        cg_strbuf_write(&b, (const char *)&r->chunks.at[i], sizeof r->chunks.at[i]);
    (void)!c->stream->cache->put(c->stream->cache->arg, key, b.at, b.len, &ignore); /* it can be found out again */
    cg_strbuf_deinit(&b);
}

static bool kept_reach(const CgCorpus *c, CgDigest key, CgReach *out)
{
    CgBytes b = { 0 };
    uint64_t counts[3];
    if (!c->stream->cache->get(c->stream->cache->arg, key, &b))
        return false;
    bool good = b.len >= sizeof counts;
    if (good)
        memcpy(counts, b.at, sizeof counts);
    good = good && b.len == sizeof counts + counts[0] * sizeof(KeptUnit) + counts[1] * sizeof(uint64_t);
    const char *at = b.at + sizeof counts;
    for (uint64_t i = 0; good && i < counts[0]; i++, at += sizeof(KeptUnit)) {
        KeptUnit k;
        memcpy(&k, at, sizeof k);
        cg_vec_push(&out->units, ((CgReached){ (size_t)k.end, { c->files.at[k.file], k.line, k.row } }));
    }
    for (uint64_t i = 0; good && i < counts[1]; i++, at += sizeof(uint64_t)) {
        uint64_t chunk;
        memcpy(&chunk, at, sizeof chunk);
        cg_vec_push(&out->chunks, chunk);
    }
    if (good)
        out->limit = counts[2];
    cg_io_release(&b);
    return good;
}

bool cg_stream_reach(const CgCorpus *c, CgSplit s, CgReach *out, CgErr *e)
{
    CgDigester *d = cg_digester_new();
    CgReach sample = { 0 };
    uint64_t split = s;
    cg_digester_add(d, "reach 2", 7);
    cg_digester_add(d, &c->digest, sizeof c->digest);
    cg_digester_add(d, &split, sizeof split);
    for (size_t i = 0; i < c->files.len; i++)
        cg_digester_add(d, c->files.at[i], strlen(c->files.at[i]) + 1);
    CgDigest key = cg_digester_free(d);
    bool good = true;
    if (!kept_reach(c, key, &sample)) {
        Reaching r = { .c = c, .split = s, .out = &sample, .most = 2 * (size_t)SAMPLE };
        good = cg_stream_walk(c, reach_doc, &r, e);
        cg_reach_deinit(&r.doc);
        prune(&sample);
        if (good)
            keep_reach(c, &sample, key);
    }
    if (good)
        cg_reach_append(out, &sample);
    cg_reach_deinit(&sample);
    return good;
}

/* ---- making ----------------------------------------------------------------------------------------------- */

static const char *const usual[] = { "text" };

bool cg_corpus_stream(CgCorpus *c, CgCorpusFiles *files, const CgCorpusOpts *opts, const CgCache *cache, CgErr *e)
{
    struct CgStream *s = c->stream = cg_calloc(1, sizeof *s);
    s->files = *files;
    *files = (CgCorpusFiles){ 0 };
    s->opts = *opts;
    s->cache = cache;
    cg_corpus_shares(opts, &s->valid, &s->test);
    if (opts->nfields) {
        s->fields = cg_calloc((size_t)opts->nfields, sizeof *s->fields);
        for (int i = 0; i < opts->nfields; i++)
            s->fields[i] = cg_strdup(opts->fields[i]);
    }
    s->opts.fields = s->fields ? s->fields : usual;
    s->opts.nfields = s->fields ? opts->nfields : 1;
    for (size_t i = 0; i < s->files.len; i++)
        cg_vec_push(&c->files, cg_strdup(s->files.at[i].path));
    CgDigest key;
    CgBytes kept = { 0 };
    bool known = key_of(s, &key);
    if (known && cache->get(cache->arg, key, &kept)) {
        bool good = take_totals(c, &kept);
        cg_io_release(&kept);
        if (good)
            return true;
    }
    return first_walk(c, cache, known, key, e);
}

void cg_stream_free(struct CgStream *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->files.len; i++)
        free(s->files.at[i].path);
    for (int i = 0; s->fields && i < s->opts.nfields; i++)
        free((char *)(uintptr_t)s->fields[i]);
    free(s->fields);
    free(s->left_out);
    cg_vec_free(&s->files);
    free(s);
}
