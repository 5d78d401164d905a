/* corpus.c - documents out of files, and the split each belongs to.
 * Takes patterns or texts; gives a CgCorpus.
 * Must not depend on the order in which a folder lists its files, nor on where the files lie. */
#include "data/corpus.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/vec.h"

#define RULE       "corpus 1" /* changes whenever the rule of cutting or splitting does */
#define BLOCK      (64 * 1024)
#define FEW        64 /* documents below which files are cut finer */
#define SPLIT_SEED 0x63672d73706c6974u
#define SWELL      256                  /* gzip: times the packed size, ... */
#define SWELL_FREE ((uint64_t)64 << 20) /* ... which always may be this much, ... */
#define SWELL_MOST ((uint64_t)4 << 30)  /* ... and never more than this */

/* a file, a record or a text, uncut */
typedef struct Piece {
    CgText text;
    uint32_t file, line;
    bool record;
} Piece;
/* line end looked for in [block, reach); then a hard cut */
typedef struct Cut {
    uint64_t block, reach;
    bool records;
} Cut;

struct CgCorpus {
    int owners;
    char *name;
    CgDigest digest;
    int nparts; /* of a mixture; 0: this is a plain one */
    CgCorpus **part;
    double *share;
    CgCorpus *of; /* of a shuffled one: the plain one whose documents these are */
    uint64_t seed;
    CG_VEC(CgDoc) docs;
    CG_VEC(char *) files;
    CG_VEC(CgBytes) read;    /* what the documents of text files point into */
    CG_VEC(char *) unpacked; /* the same, from gzip */
    CgArena *texts;          /* the same, from records */
    size_t passed_over;
    size_t ndocs[CG_NSPLITS];
    uint64_t nbytes[CG_NSPLITS];
};

typedef struct Loading {
    CgCorpus *c;
    const CgCorpusOpts *opts;
    CG_VEC(Piece) pieces;
    uint64_t left; /* bytes until the limit */
    bool any_records;
    CgErr *e;
} Loading;

static const char *const default_fields[] = { "text" };
static const CgCorpusOpts default_opts;

const char *cg_split_name(CgSplit s)
{
    static const char *const name[CG_NSPLITS] = { "train", "valid", "test", "all" };
    return name[s];
}

/* ---- cutting ------------------------------------------------------------------------------------------- */

static size_t next_cut(const char *at, size_t len, Cut cut)
{
    if (len <= cut.block + cut.block / 2)
        return len;
    size_t from = (size_t)cut.block - 1, to = cut.reach < len ? (size_t)cut.reach : len;
    const char *line_end = from < to ? memchr(at + from, '\n', to - from) : NULL;
    if (line_end)
        return (size_t)(line_end - at) + 1;
    size_t end = to;
    for (int i = 0; i < 3 && end < len && end > 1 && ((unsigned char)at[end] & 0xc0) == 0x80; i++)
        end--; /* not inside a character of UTF-8, if that is what it is */
    return end;
}

static uint32_t lines_in(const char *at, size_t len)
{
    uint32_t n = 0;
    for (const char *end = at + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        n++;
    return n;
}

static void cut_all(CgCorpus *c, const Piece *piece, size_t n, Cut cut)
{
    c->docs.len = 0;
    for (size_t i = 0; i < n; i++) {
        CgText rest = piece[i].text;
        uint32_t line = piece[i].line;
        for (bool joins = false; rest.len; joins = true) {
            size_t len = piece[i].record && !cut.records ? rest.len : next_cut(rest.at, rest.len, cut);
            CgDoc doc = { .text = { rest.at, len }, .file = piece[i].file, .line = line, .joins = joins };
            cg_vec_push(&c->docs, doc);
            if (!piece[i].record)
                line += lines_in(rest.at, len);
            rest.at += len;
            rest.len -= len;
        }
    }
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

static uint64_t part_of_range(double share)
{
    double end = share * 18446744073709551616.0;
    return end >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)end;
}

/* The smallest distinct hashes, sorted; gives how many there are, three at most. */
static int least_hashes(const uint64_t *hash, size_t n, uint64_t least[3])
{
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        int at = 0;
        while (at < found && least[at] < hash[i])
            at++;
        if (at == 3 || (at < found && least[at] == hash[i]))
            continue;
        found += found < 3;
        for (int k = found - 1; k > at; k--)
            least[k] = least[k - 1];
        least[at] = hash[i];
    }
    return found;
}

/* Gives the number of distinct documents, counted to three. A share of 0 asks for an empty split and gets
 * it. */
static int split_all(CgCorpus *c, double valid, double test)
{
    uint64_t test_end = part_of_range(test), valid_end = part_of_range(test + valid), least[3];
    uint64_t *hash = cg_malloc(sizeof *hash * (c->docs.len + 1));
    size_t count[CG_NSPLITS] = { 0 };
    for (size_t i = 0; i < c->docs.len; i++) {
        CgDoc *d = &c->docs.at[i];
        hash[i] = cg_hash64(d->text.at, d->text.len, SPLIT_SEED);
        d->split = hash[i] < test_end ? CG_TEST : hash[i] < valid_end ? CG_VALID : CG_TRAIN;
        count[d->split]++;
    }
    int distinct = least_hashes(hash, c->docs.len, least);
    bool lacking = (test > 0 && !count[CG_TEST]) || (valid > 0 && !count[CG_VALID]) || !count[CG_TRAIN];
    if (lacking && distinct == 3) {
        int for_test = test > 0 ? 0 : -1, for_valid = valid > 0 ? for_test + 1 : -1;
        for (size_t i = 0; i < c->docs.len; i++) {
            CgDoc *d = &c->docs.at[i];
            if (for_test >= 0 && hash[i] == least[for_test])
                d->split = CG_TEST;
            else if (for_valid >= 0 && hash[i] == least[for_valid])
                d->split = CG_VALID;
            else if (!count[CG_TRAIN])
                d->split = CG_TRAIN;
        }
    }
    free(hash);
    return distinct;
}

static void build_docs(CgCorpus *c, const Piece *piece, size_t n, const CgCorpusOpts *opts)
{
    double valid = opts->valid, test = opts->test;
    if (valid <= 0 && test <= 0)
        valid = test = 0.05;
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += piece[i].text.len;
    uint64_t fine = total / 128 < 512 ? 512 : total / 128, coarse = total / 8 ? total / 8 : 1;
    cut_all(c, piece, n, (Cut){ BLOCK, 2 * BLOCK, false });
    if (c->docs.len < FEW && fine < BLOCK)
        cut_all(c, piece, n, (Cut){ fine, 2 * fine, false });
    if (split_all(c, valid, test) < 3) {
        cut_all(c, piece, n, (Cut){ 1, UINT64_MAX, true });
        if (split_all(c, valid, test) < 3) {
            cut_all(c, piece, n, (Cut){ coarse, coarse, true });
            split_all(c, valid, test);
        }
    }
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, RULE, sizeof RULE);
    for (size_t i = 0; i < c->docs.len; i++) {
        const CgDoc *d = &c->docs.at[i];
        struct {
            CgDigest text;
            uint64_t len, split, joins;
        } row = { cg_digest(d->text.at, d->text.len), d->text.len, d->split, d->joins };
        cg_digester_add(digest, &row, sizeof row);
        c->ndocs[d->split]++;
        c->nbytes[d->split] += d->text.len;
    }
    c->ndocs[CG_ALL] = c->docs.len;
    c->nbytes[CG_ALL] = total;
    c->digest = cg_digester_free(digest);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool ends_in(const char *s, size_t len, const char *ending)
{
    size_t n = strlen(ending);
    return len > n && memcmp(s + len - n, ending, n) == 0;
}

static bool unpack(const char *path, const CgBytes *packed, CgBytes *out, CgErr *e)
{
    uint64_t most = packed->len * (uint64_t)SWELL < SWELL_FREE ? SWELL_FREE : packed->len * (uint64_t)SWELL;
    if (most > SWELL_MOST)
        most = SWELL_MOST;
    z_stream z = { 0 };
    if (inflateInit2(&z, 15 + 16) != Z_OK) /* 15: the largest window; 16: gzip and nothing else */
        return cg_err(e, CG_ERR_MEMORY, "no memory to unpack '%s'", path);
    CG_VEC(char) text = { 0 };
    size_t taken = 0;
    int code = Z_OK;
    bool ok = true;
    while (ok && !(code == Z_STREAM_END && taken == packed->len)) {
        if (code == Z_STREAM_END)
            inflateReset(&z); /* gzip files may be glued together */
        cg_vec_reserve(&text, text.len + BLOCK);
        size_t piece = packed->len - taken < (1u << 30) ? packed->len - taken : 1u << 30;
        size_t room = text.cap - text.len < (1u << 30) ? text.cap - text.len : 1u << 30;
        z.next_in = (Bytef *)(packed->at + taken);
        z.avail_in = (uInt)piece;
        z.next_out = (Bytef *)(text.at + text.len);
        z.avail_out = (uInt)room;
        code = inflate(&z, Z_NO_FLUSH);
        size_t used = piece - z.avail_in, made = room - z.avail_out;
        taken += used;
        text.len += made;
        if (text.len > most) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' unpacks to more than %llu MB, which is no text", path,
                (unsigned long long)(most >> 20));
            cg_err_hint(e, "unpack it yourself if this is meant");
        } else if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' is damaged: not valid gzip after byte %zu", path, taken);
        } else if (used == 0 && made == 0 && code != Z_STREAM_END) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' is cut off: its gzip data has no end", path);
        }
    }
    inflateEnd(&z);
    *out = (CgBytes){ .at = text.at, .len = text.len };
    return ok;
}

/* A piece of at most what the limit leaves. */
static void add_piece(Loading *l, CgText text, uint32_t file, uint32_t line, bool record)
{
    if (text.len > l->left) {
        text.len = (size_t)l->left;
        for (int i = 0; i < 3 && text.len > 1 && ((unsigned char)text.at[text.len] & 0xc0) == 0x80; i++)
            text.len--;
        l->left = 0;
    } else {
        l->left -= text.len;
    }
    if (text.len)
        cg_vec_push(&l->pieces, ((Piece){ text, file, line, record }));
}

static bool no_such_field(Loading *l, const char *path, uint32_t line, const char *field, json_t *object)
{
    cg_err(l->e, CG_ERR_INPUT, "%s:%u: this record has no field '%s'", path, line, field);
    CgSuggest near;
    CgStrbuf all = { 0 };
    cg_suggest_init(&near, field);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        cg_suggest_offer(&near, key);
        if (all.len < 160)
            cg_strbuf_printf(&all, "%s%s", all.len ? ", " : "", key);
    }
    if (cg_suggest_best(&near))
        cg_err_hint(l->e, "did you mean '%s'? It has: %s", cg_suggest_best(&near), cg_strbuf_str(&all));
    else if (all.len)
        cg_err_hint(l->e, "name one it has with field = \"...\": %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return false;
}

static bool read_record(Loading *l, const char *path, uint32_t file, uint32_t line, const char *at, size_t len)
{
    const char *const *fields = l->opts->nfields ? l->opts->fields : default_fields;
    int nfields = l->opts->nfields ? l->opts->nfields : 1;
    json_error_t why;
    json_t *object = json_loadb(at, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!object)
        return cg_err(l->e, CG_ERR_INPUT, "%s:%u: not a JSON value: %s", path, line, why.text);
    bool ok = json_is_object(object) || cg_err(l->e, CG_ERR_INPUT, "%s:%u: not a JSON object", path, line);
    CgStrbuf text = { 0 };
    for (int i = 0; ok && i < nfields; i++) {
        json_t *value = json_object_get(object, fields[i]);
        if (!value)
            ok = no_such_field(l, path, line, fields[i], object);
        else if (!json_is_string(value))
            ok = cg_err(l->e, CG_ERR_INPUT, "%s:%u: field '%s' is not a string", path, line, fields[i]);
        else {
            if (i)
                cg_strbuf_putc(&text, '\n');
            cg_strbuf_write(&text, json_string_value(value), json_string_length(value));
        }
    }
    if (ok && text.len) {
        char *copy = cg_arena_strndup(l->c->texts, text.at, text.len);
        add_piece(l, (CgText){ copy, text.len }, file, line, true);
    }
    cg_strbuf_deinit(&text);
    json_decref(object);
    return ok;
}

static bool read_records(Loading *l, const char *path, uint32_t file, const char *at, size_t len)
{
    const char *end = at + len;
    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    for (uint32_t line = 1; at < end && l->left; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop ? (size_t)(stop - at) : (size_t)(end - at);
        bool blank = true;
        for (size_t i = 0; i < n && blank; i++)
            blank = at[i] == ' ' || at[i] == '\t' || at[i] == '\r';
        if (!blank && !read_record(l, path, file, line, at, n))
            return false;
        at += n + 1;
    }
    return true;
}

static bool read_file(Loading *l, const char *path, bool named)
{
    size_t n = strlen(path);
    static const char *const unread[] = { ".zst", ".xz", ".bz2", ".zip", ".parquet", ".arrow" };
    for (size_t i = 0; i < CG_LEN(unread); i++) {
        if (ends_in(path, n, unread[i])) {
            if (!named) {
                l->c->passed_over++;
                return true;
            }
            cg_err(l->e, CG_ERR_INPUT, "'%s' is packed in a way that is not read here", path);
            cg_err_hint(l->e, "text, .jsonl and .gz of both are read");
            return false;
        }
    }
    CgBytes bytes = { 0 };
    if (!cg_io_read(path, &bytes, l->e))
        return false;
    bool packed = ends_in(path, n, ".gz"), ok = true;
    if (packed) {
        CgBytes plain = { 0 };
        ok = unpack(path, &bytes, &plain, l->e);
        cg_io_release(&bytes);
        bytes = plain;
        n -= 3;
    }
    bool records = ends_in(path, n, ".jsonl") || ends_in(path, n, ".ndjson"), kept = false;
    uint32_t file = (uint32_t)l->c->files.len;
    if (ok && !named && !records && bytes.len && memchr(bytes.at, 0, bytes.len < 4096 ? bytes.len : 4096)) {
        l->c->passed_over++;
    } else if (ok) {
        cg_vec_push(&l->c->files, cg_strdup(path));
        l->any_records |= records;
        kept = !records;
        if (records)
            ok = read_records(l, path, file, bytes.at, bytes.len);
        else
            add_piece(l, (CgText){ bytes.at, bytes.len }, file, 1, false);
    }
    if (kept && packed)
        cg_vec_push(&l->c->unpacked, bytes.at);
    else if (kept)
        cg_vec_push(&l->c->read, bytes);
    else if (packed)
        free(bytes.at);
    else
        cg_io_release(&bytes);
    return ok;
}

static bool read_pattern(Loading *l, const char *pattern, CgMap *seen)
{
    CgPaths paths = { 0 };
    if (!cg_io_glob(pattern, &paths, l->e))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < paths.len && l->left; i++) {
        uint64_t once = cg_hash64(paths.at[i], strlen(paths.at[i]), 0), before;
        if (cg_map_get(seen, once, &before))
            continue;
        cg_map_put(seen, once, 1);
        ok = read_file(l, paths.at[i], paths.len == 1 && strcmp(paths.at[i], pattern) == 0);
    }
    cg_paths_free(&paths);
    return ok;
}

/* ---- making -------------------------------------------------------------------------------------------- */

static CgCorpus *corpus_new(char *name)
{
    CgCorpus *c = cg_calloc(1, sizeof *c);
    c->owners = 1;
    c->name = name;
    c->texts = cg_arena_new();
    return c;
}

static bool check_opts(const CgCorpusOpts *opts, CgErr *e)
{
    if (!(opts->valid >= 0 && opts->test >= 0 && opts->valid + opts->test < 1))
        return cg_err(e, CG_ERR_INPUT,
            "the shares of valid (%g) and test (%g) must be 0 or more and sum to less than 1", opts->valid, opts->test);
    return true;
}

static CgCorpus *finish(Loading *l, bool ok)
{
    if (ok && !l->pieces.len)
        ok = cg_err(l->e, CG_ERR_INPUT, "corpus %s holds no text", l->c->name);
    if (ok)
        build_docs(l->c, l->pieces.at, l->pieces.len, l->opts);
    cg_vec_free(&l->pieces);
    if (ok)
        return l->c;
    cg_corpus_free(l->c);
    return NULL;
}

CgCorpus *cg_corpus_load(const char *const *patterns, int n, const CgCorpusOpts *opts, CgErr *e)
{
    opts = opts ? opts : &default_opts;
    if (!check_opts(opts, e))
        return NULL;
    CgStrbuf name = { 0 };
    for (int i = 0; i < n; i++)
        cg_strbuf_printf(&name, "%s'%s'", i ? ", " : "", patterns[i]);
    Loading l = {
        .c = corpus_new(cg_strbuf_take(&name)), .opts = opts, .left = opts->limit ? opts->limit : UINT64_MAX, .e = e
    };
    CgMap seen = { 0 };
    bool ok = true;
    for (int i = 0; ok && i < n; i++)
        ok = read_pattern(&l, patterns[i], &seen);
    cg_map_deinit(&seen);
    if (ok && opts->nfields && !l.any_records) {
        ok = cg_err(e, CG_ERR_INPUT, "a field is named, but corpus %s has no .jsonl file", l.c->name);
        cg_err_hint(e, "fields are of JSON Lines, files that end in .jsonl or .jsonl.gz");
    }
    return finish(&l, ok);
}

CgCorpus *cg_corpus_from_texts(const char *name, const CgText *texts, size_t n, const CgCorpusOpts *opts, CgErr *e)
{
    opts = opts ? opts : &default_opts;
    if (!check_opts(opts, e))
        return NULL;
    Loading l = {
        .c = corpus_new(cg_strdup(name)), .opts = opts, .left = opts->limit ? opts->limit : UINT64_MAX, .e = e
    };
    cg_vec_push(&l.c->files, cg_strdup(name));
    for (size_t i = 0; i < n && l.left; i++)
        add_piece(&l, (CgText){ cg_arena_strndup(l.c->texts, texts[i].at, texts[i].len), texts[i].len }, 0,
            (uint32_t)i + 1, true);
    return finish(&l, true);
}

static void add_part(CgCorpus *c, CgCorpus *part, double share)
{
    int n = c->nparts++;
    c->part = cg_realloc(c->part, sizeof *c->part * (size_t)(n + 1));
    c->share = cg_realloc(c->share, sizeof *c->share * (size_t)(n + 1));
    c->part[n] = cg_corpus_keep(part);
    c->share[n] = share;
    for (int s = 0; s < CG_NSPLITS; s++) {
        c->ndocs[s] += part->ndocs[s];
        c->nbytes[s] += part->nbytes[s];
    }
}

static CgCorpus *finish_mix(CgCorpus *c, char *name)
{
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, "mix 1", 5);
    for (int i = 0; i < c->nparts; i++) {
        cg_digester_add(digest, &c->part[i]->digest, sizeof c->part[i]->digest);
        cg_digester_add(digest, &c->share[i], sizeof c->share[i]);
    }
    c->digest = cg_digester_free(digest);
    c->name = name;
    return c;
}

CgCorpus *cg_corpus_mix(CgCorpus *const *parts, const double *shares, int n, CgErr *e)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(shares[i] > 0 && shares[i] < 1e9)) {
            cg_err(e, CG_ERR_INPUT, "share %d of the mixture is %g; shares are positive", i + 1, shares[i]);
            return NULL;
        }
        sum += shares[i];
    }
    if (n < 1) {
        cg_err(e, CG_ERR_INPUT, "a mixture of nothing");
        return NULL;
    }
    CgStrbuf name = { 0 };
    CgCorpus *c = corpus_new(NULL);
    for (int i = 0; i < n; i++) {
        cg_strbuf_printf(&name, "%s%s", i ? " + " : "", parts[i]->name);
        for (int k = 0; k < parts[i]->nparts; k++)
            add_part(c, parts[i]->part[k], shares[i] / sum * parts[i]->share[k]);
        if (!parts[i]->nparts)
            add_part(c, parts[i], shares[i] / sum);
    }
    return finish_mix(c, cg_strbuf_take(&name));
}

CgCorpus *cg_corpus_shuffle_tokens(CgCorpus *c, uint64_t seed)
{
    CgStrbuf name = { 0 };
    cg_strbuf_printf(&name, "shuffled %s", c->name);
    CgCorpus *s = corpus_new(NULL);
    for (int i = 0; i < c->nparts; i++) {
        CgCorpus *part = cg_corpus_shuffle_tokens(c->part[i], seed);
        add_part(s, part, c->share[i]);
        cg_corpus_free(part);
    }
    if (c->nparts)
        return finish_mix(s, cg_strbuf_take(&name));
    s->name = cg_strbuf_take(&name);
    s->of = cg_corpus_keep(c->of ? c->of : c);
    s->seed = seed;
    memcpy(s->ndocs, c->ndocs, sizeof s->ndocs);
    memcpy(s->nbytes, c->nbytes, sizeof s->nbytes);
    struct {
        CgDigest of;
        uint64_t seed, rule;
    } row = { s->of->digest, seed, 1 };
    s->digest = cg_digest(&row, sizeof row);
    return s;
}

CgCorpus *cg_corpus_keep(CgCorpus *c)
{
    c->owners++;
    return c;
}

void cg_corpus_free(CgCorpus *c)
{
    if (!c || --c->owners)
        return;
    for (int i = 0; i < c->nparts; i++)
        cg_corpus_free(c->part[i]);
    cg_corpus_free(c->of);
    for (size_t i = 0; i < c->files.len; i++)
        free(c->files.at[i]);
    for (size_t i = 0; i < c->read.len; i++)
        cg_io_release(&c->read.at[i]);
    for (size_t i = 0; i < c->unpacked.len; i++)
        free(c->unpacked.at[i]);
    cg_vec_free(&c->docs);
    cg_vec_free(&c->files);
    cg_vec_free(&c->read);
    cg_vec_free(&c->unpacked);
    cg_arena_free(c->texts);
    free(c->part);
    free(c->share);
    free(c->name);
    free(c);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

CgDigest cg_corpus_digest(const CgCorpus *c) { return c->digest; }

const char *cg_corpus_name(const CgCorpus *c) { return c->name; }

size_t cg_corpus_docs(const CgCorpus *c, CgSplit s) { return c->ndocs[s]; }

uint64_t cg_corpus_bytes(const CgCorpus *c, CgSplit s) { return c->nbytes[s]; }

size_t cg_corpus_passed_over(const CgCorpus *c)
{
    size_t n = c->passed_over + (c->of ? c->of->passed_over : 0);
    for (int i = 0; i < c->nparts; i++)
        n += cg_corpus_passed_over(c->part[i]);
    return n;
}

int cg_corpus_nparts(const CgCorpus *c) { return c->nparts ? c->nparts : 1; }

const CgCorpus *cg_corpus_part(const CgCorpus *c, int i) { return c->nparts ? c->part[i] : c; }

double cg_corpus_share(const CgCorpus *c, int i) { return c->nparts ? c->share[i] : 1; }

bool cg_corpus_shuffled(const CgCorpus *part, uint64_t *seed)
{
    *seed = part->seed;
    return part->of != NULL;
}

static const CgCorpus *plain(const CgCorpus *part)
{
    CG_ASSERT(!part->nparts, "a mixture has no documents, its parts have");
    return part->of ? part->of : part;
}

size_t cg_corpus_count(const CgCorpus *part) { return plain(part)->docs.len; }

const CgDoc *cg_corpus_doc(const CgCorpus *part, size_t i) { return &plain(part)->docs.at[i]; }

const char *cg_corpus_file(const CgCorpus *part, uint32_t file) { return plain(part)->files.at[file]; }
