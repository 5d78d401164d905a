/* source.c - the texts a user wrote, and places in them.
 * Takes files or strings; gives lines and columns of byte offsets.
 * Must not change a text: spans of every stage point into it. */
#include "base/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/utf8.h"
#include "base/vec.h"

typedef struct Entry {
    CgSource source;
    char *real;      /* resolved path, NULL for strings */
    bool unsaved;    /* put under a path where there is no file */
    uint32_t *lines; /* offset of the first byte of each line */
    size_t nlines;
} Entry;

struct CgSources {
    CgArena *arena;
    CG_VEC(Entry) files; /* file n is files.at[n - 1] */
};

CgSources *cg_sources_new(void)
{
    CgSources *s = cg_calloc(1, sizeof *s);
    s->arena = cg_arena_new();
    return s;
}

void cg_sources_free(CgSources *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->files.len; i++)
        free(s->files.at[i].real);
    cg_vec_free(&s->files);
    cg_arena_free(s->arena);
    free(s);
}

static void index_lines(CgSources *s, Entry *f)
{
    size_t n = 1;
    for (size_t i = 0; i < f->source.len; i++)
        n += f->source.text[i] == '\n';
    f->lines = CG_NEWN(s->arena, uint32_t, n);
    f->nlines = n;
    n = 1;
    for (size_t i = 0; i < f->source.len; i++) {
        if (f->source.text[i] == '\n')
            f->lines[n++] = (uint32_t)i + 1;
    }
}

uint32_t cg_sources_add(CgSources *s, const char *name, const char *text, size_t len)
{
    Entry f = { 0 };
    f.source.name = cg_arena_strdup(s->arena, name);
    f.source.text = cg_arena_strndup(s->arena, text, len);
    f.source.len = len;
    index_lines(s, &f);
    cg_vec_push(&s->files, f);
    return (uint32_t)s->files.len;
}

uint32_t cg_sources_data(CgSources *s, const char *name, const char *text, size_t len)
{
    uint32_t file = cg_sources_add(s, name, text, len);
    s->files.at[file - 1].source.data = true;
    return file;
}

/* The file that was loaded from this path, which leads to `real`, or put there; 0: none was. */
static uint32_t find(const CgSources *s, const char *path, const char *real)
{
    for (size_t i = 0; i < s->files.len; i++) {
        const Entry *f = &s->files.at[i];
        if (real ? f->real && !strcmp(f->real, real) : f->unsaved && !strcmp(f->source.name, path))
            return (uint32_t)i + 1;
    }
    return 0;
}

bool cg_sources_holds(const CgSources *s, const char *path)
{
    char *real = cg_io_real(path);
    bool holds = find(s, path, real) != 0;
    free(real);
    return holds;
}

bool cg_sources_load(CgSources *s, const char *path, uint32_t *file, CgErr *e)
{
    char *real = cg_io_real(path);
    if ((*file = find(s, path, real))) {
        free(real);
        return true;
    }
    CgBytes bytes;
    if (!cg_io_read(path, &bytes, e)) {
        free(real);
        return false;
    }
    if (bytes.len > UINT32_MAX / 2) { /* spans are 32 bits wide */
        cg_io_release(&bytes);
        free(real);
        return cg_err(e, CG_ERR_INPUT, "'%s' is too large for a script", path);
    }
    const char *at = bytes.at;
    size_t len = bytes.len;
    if (!cg_utf8_begin(path, &at, &len, e)) {
        cg_io_release(&bytes);
        free(real);
        return false;
    }
    const char *shown = path;
    while (strncmp(shown, "./", 2) == 0 && shown[2] && shown[2] != '/')
        shown += 2;
    *file = cg_sources_add(s, shown, bytes.at, bytes.len);
    s->files.at[*file - 1].real = real;
    cg_io_release(&bytes);
    return true;
}

void cg_sources_put(CgSources *s, const char *path, const char *text, size_t len)
{
    uint32_t file = cg_sources_add(s, path, text, len);
    s->files.at[file - 1].real = cg_io_real(path);
    s->files.at[file - 1].unsaved = !s->files.at[file - 1].real;
}

static const Entry *entry(const CgSources *s, uint32_t file)
{
    CG_ASSERT(file >= 1 && file <= s->files.len, "a span of a file that was never read");
    return &s->files.at[file - 1];
}

const CgSource *cg_sources_get(const CgSources *s, uint32_t file) { return &entry(s, file)->source; }

/* 0-based line: the last one that starts at or before the offset. */
static size_t line_of(const Entry *f, uint32_t offset)
{
    size_t low = 0, high = f->nlines;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (f->lines[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

void cg_sources_position(const CgSources *s, CgSpan span, int *line, int *column)
{
    const Entry *f = entry(s, span.file);
    uint32_t offset = span.start < f->source.len ? span.start : (uint32_t)f->source.len;
    size_t at = line_of(f, offset);
    int points = 1;
    for (uint32_t i = f->lines[at]; i < offset; i++)
        points += ((unsigned char)f->source.text[i] & 0xc0) != 0x80; /* not a continuation byte of UTF-8 */
    *line = (int)at + 1;
    *column = points;
}

bool cg_sources_line(const CgSources *s, uint32_t file, int line, const char **at, size_t *len)
{
    const Entry *f = entry(s, file);
    if (line < 1 || (size_t)line > f->nlines)
        return false;
    size_t from = f->lines[line - 1], to = (size_t)line < f->nlines ? f->lines[line] - 1 : f->source.len;
    if (to > from && f->source.text[to - 1] == '\r')
        to--;
    *at = f->source.text + from;
    *len = to - from;
    return true;
}
