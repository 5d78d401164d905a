/* corpus_load.c - a corpus out of files.
 * Takes patterns; gives a corpus. Must not depend on the order in which a folder lists its files, nor on where the
 * files lie. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "data/corpus_inside.h"
#include "data/reader.h"

typedef struct Loading {
    CgCorpus *c;
    const CgCorpusOpts *opts;
    CgFields fields;
    CG_VEC(CgPiece) pieces;
    uint64_t left; /* bytes until the limit */
    uint32_t file; /* at hand */
    bool any_records;
    CgErr *e;
} Loading;

static const char *const default_fields[] = { "text" };
static const CgCorpusOpts default_opts;

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
        cg_vec_push(&l->pieces, ((CgPiece){ text, file, line, record }));
}

/* The fields of a record, one under the other. */
static bool add_record(void *arg, uint32_t line, const CgText *value, CgErr *e)
{
    (void)e;
    Loading *l = arg;
    CgStrbuf text = { 0 };
    for (int i = 0; i < l->fields.n; i++) {
        if (i)
            cg_strbuf_putc(&text, '\n');
        cg_strbuf_write(&text, value[i].at, value[i].len);
    }
    if (text.len)
        add_piece(l, (CgText){ cg_arena_strndup(l->c->texts, text.at, text.len), text.len }, l->file, line, true);
    cg_strbuf_deinit(&text);
    return l->left > 0;
}

/* Every other byte of a text that is UTF-16 without saying so is NUL, nearly. */
static bool looks_like_utf16(CgText t)
{
    size_t n = t.len < 4096 ? t.len : 4096, zero[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++)
        zero[i % 2] += t.at[i] == 0;
    return n >= 16 && ((zero[0] > n / 5 && !zero[1]) || (zero[1] > n / 5 && !zero[0]));
}

static bool read_text(Loading *l, const CgReader *how, const char *path, bool named, CgBytes *bytes)
{
    CgText text;
    if (!how->text(path, bytes, &text, l->e))
        return false;
    if (text.len && memchr(text.at, 0, text.len < 4096 ? text.len : 4096)) {
        if (!named) {
            l->c->passed_over++;
            return true;
        }
        if (looks_like_utf16(text)) {
            cg_err(l->e, CG_ERR_INPUT, "'%s' looks like UTF-16 without a byte order mark", path);
            cg_err_hint(l->e, "save it as UTF-8, or with its mark");
            return false;
        }
    }
    cg_vec_push(&l->c->files, cg_strdup(path));
    add_piece(l, text, l->file, 1, false);
    cg_vec_push(&l->c->read, *bytes);
    *bytes = (CgBytes){ 0 };
    return true;
}

static bool read_file(Loading *l, const char *path, bool named)
{
    CgBytes bytes;
    const CgReader *how = cg_reader_open(path, named, &bytes, l->e);
    if (!how) {
        l->c->passed_over++;
        return !l->e->text[0];
    }
    l->file = (uint32_t)l->c->files.len;
    bool ok;
    if (how->records) {
        cg_vec_push(&l->c->files, cg_strdup(path));
        l->any_records = true;
        ok = how->records(path, (CgText){ bytes.at, bytes.len }, l->fields, add_record, l, l->e) || !l->e->text[0];
    } else {
        ok = read_text(l, how, path, named, &bytes);
    }
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

static bool check_opts(const CgCorpusOpts *opts, CgErr *e)
{
    if (!(opts->valid >= 0 && opts->test >= 0 && opts->valid + opts->test < 1))
        return cg_err(e, CG_ERR_INPUT,
            "the shares of valid (%g) and test (%g) must be 0 or more and sum to less than 1", opts->valid, opts->test);
    if (opts->block && (opts->block < 64 || opts->block > 1 << 24))
        return cg_err(
            e, CG_ERR_INPUT, "blocks of %llu bytes; they have 64 to %d", (unsigned long long)opts->block, 1 << 24);
    return true;
}

static CgCorpus *finish(Loading *l, bool ok)
{
    if (ok && !l->pieces.len)
        ok = cg_err(l->e, CG_ERR_INPUT, "corpus %s holds no text", l->c->name);
    if (ok)
        cg_corpus_cut(l->c, l->pieces.at, l->pieces.len, l->opts);
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
    Loading l = { .c = cg_corpus_new(cg_strbuf_take(&name)),
        .opts = opts,
        .left = opts->limit ? opts->limit : UINT64_MAX,
        .e = e,
        .fields = { opts->nfields ? opts->fields : default_fields, opts->nfields ? opts->nfields : 1 } };
    CgMap seen = { 0 };
    bool ok = true;
    for (int i = 0; ok && i < n; i++)
        ok = read_pattern(&l, patterns[i], &seen);
    cg_map_deinit(&seen);
    if (ok && opts->nfields && !l.any_records) {
        ok = cg_err(e, CG_ERR_INPUT, "a field is named, but corpus %s has no file of records", l.c->name);
        cg_err_hint(e, "fields are of records: .jsonl, .csv, and .gz of both");
    }
    return finish(&l, ok);
}

CgCorpus *cg_corpus_from_texts(const char *name, const CgText *texts, size_t n, const CgCorpusOpts *opts, CgErr *e)
{
    opts = opts ? opts : &default_opts;
    if (!check_opts(opts, e))
        return NULL;
    Loading l = { .c = cg_corpus_new(cg_strdup(name)),
        .opts = opts,
        .left = opts->limit ? opts->limit : UINT64_MAX,
        .e = e,
        .fields = { opts->nfields ? opts->fields : default_fields, opts->nfields ? opts->nfields : 1 } };
    cg_vec_push(&l.c->files, cg_strdup(name));
    for (size_t i = 0; i < n && l.left; i++)
        add_piece(&l, (CgText){ cg_arena_strndup(l.c->texts, texts[i].at, texts[i].len), texts[i].len }, 0,
            (uint32_t)i + 1, true);
    return finish(&l, true);
}
