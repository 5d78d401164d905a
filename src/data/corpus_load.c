/* corpus_load.c - a corpus out of files.
 * Takes patterns; gives a corpus. Must not depend on the order in which a folder lists its files, nor on where the
 * files lie. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "data/corpus_inside.h"
#include "data/reader.h"

typedef struct Loading {
    CgCorpus *c;
    const CgCorpusOpts *opts;
    CgFields fields;
    CG_VEC(CgSegment) segments;
    uint64_t left; /* bytes until the limit */
    uint32_t file; /* at hand */
    bool any_records, any_text;
    CgErr *e;
} Loading;

static const char *const default_fields[] = { "text" };
static const CgCorpusOpts default_opts;

/* A piece of at most what the limit leaves. */
static void add_segment(Loading *l, CgText text, uint32_t file, uint32_t line, bool record)
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
        cg_vec_push(&l->segments, ((CgSegment){ text, file, line, record }));
}

static bool add_record(void *arg, uint32_t line, const CgText *value, CgErr *e)
{
    (void)e;
    Loading *l = arg;
    CgStrbuf text = { 0 };
    cg_corpus_record(value, l->fields.n, &text);
    if (text.len)
        add_segment(l, (CgText){ cg_arena_strndup(l->c->texts, text.at, text.len), text.len }, l->file, line, true);
    cg_strbuf_deinit(&text);
    return l->left > 0;
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
        if (cg_corpus_looks_like_utf16(text)) {
            cg_err(l->e, CG_ERR_INPUT, "'%s' looks like UTF-16 without a byte order mark", path);
            cg_err_hint(l->e, "save it as UTF-8, or with its mark");
            return false;
        }
    }
    cg_vec_push(&l->c->files, cg_strdup(path));
    add_segment(l, text, l->file, 1, false);
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
        l->any_text = true;
        ok = read_text(l, how, path, named, &bytes);
    }
    cg_io_release(&bytes);
    return ok;
}

/* The files of all patterns, each once. */
static bool find_files(const char *const *patterns, int n, CgCorpusFiles *out, CgErr *e)
{
    CgMap seen = { 0 };
    bool ok = true;
    for (int k = 0; ok && k < n; k++) {
        CgPaths paths = { 0 };
        ok = cg_io_glob(patterns[k], &paths, e);
        for (size_t i = 0; ok && i < paths.len; i++) {
            CgFileMark mark; /* another path to a file is that file */
            uint64_t once = !cg_io_mark(paths.at[i], &mark) && !mark.number
                ? cg_hash64(paths.at[i], strlen(paths.at[i]), 0)
                : cg_hash64(&mark, offsetof(CgFileMark, bytes), 0);
            if (cg_map_get(&seen, once, NULL))
                continue;
            cg_map_put(&seen, once, 1);
            bool named = paths.len == 1 && strcmp(paths.at[i], patterns[k]) == 0;
            cg_vec_push(out, ((CgCorpusFile){ .path = cg_strdup(paths.at[i]), .named = named }));
        }
        cg_paths_free(&paths);
    }
    cg_map_deinit(&seen);
    return ok;
}

static void free_files(CgCorpusFiles *files)
{
    for (size_t i = 0; i < files->len; i++)
        free(files->at[i].path);
    cg_vec_free(files);
}

/* CG_DEBUG=large=BYTES: files of so many bytes together are large. */
static bool are_large(const CgCorpusFiles *files, const CgCorpusOpts *opts)
{
    const char *said = cg_debug_value("large");
    uint64_t total = 0, bytes, large = said ? strtoull(said, NULL, 10) : (uint64_t)256 << 20;
    int64_t when;
    for (size_t i = 0; i < files->len; i++)
        total += cg_io_stat(files->at[i].path, &bytes, &when) ? bytes : 0;
    return (opts->limit && opts->limit < total ? opts->limit : total) >= large;
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
    if (ok && !l->segments.len)
        ok = cg_err(l->e, CG_ERR_INPUT, "corpus %s holds no text", l->c->name);
    if (ok)
        cg_corpus_cut(l->c, l->segments.at, l->segments.len, l->opts);
    cg_vec_free(&l->segments);
    if (ok)
        return l->c;
    cg_corpus_free(l->c);
    return NULL;
}

CgCorpus *cg_corpus_load(const char *const *patterns, int n, const CgCorpusOpts *opts, const CgCache *cache, CgErr *e)
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
        .fields = { opts->nfields ? opts->fields : default_fields, opts->nfields ? opts->nfields : 1, 0 } };
    CgCorpusFiles files = { 0 };
    bool ok = find_files(patterns, n, &files, e);
    if (ok && cache && are_large(&files, opts)) {
        ok = cg_corpus_stream(l.c, &files, opts, cache, e);
        free_files(&files);
        if (ok)
            return l.c;
        cg_corpus_free(l.c);
        return NULL;
    }
    for (size_t i = 0; ok && i < files.len && l.left; i++)
        ok = read_file(&l, files.at[i].path, files.at[i].named);
    free_files(&files);
    ok = ok && cg_corpus_options_met(l.c, opts, l.any_records, l.any_text, e);
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
        .fields = { opts->nfields ? opts->fields : default_fields, opts->nfields ? opts->nfields : 1, 0 } };
    l.c->records = opts->records;
    cg_vec_push(&l.c->files, cg_strdup(name));
    for (size_t i = 0; i < n && l.left; i++)
        add_segment(&l, (CgText){ cg_arena_strndup(l.c->texts, texts[i].at, texts[i].len), texts[i].len }, 0,
            (uint32_t)i + 1, true);
    return finish(&l, true);
}
