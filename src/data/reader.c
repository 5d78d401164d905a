/* reader.c - which format a file is read by.
 * Takes a path; gives its bytes, unpacked, and the format. Must not know any format: they are found by their entries.
 */
#include "data/reader.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "base/suggest.h"

#define X(reader) extern const CgReader cg_reader_##reader;
#include "entries/reader.def"
#undef X
static const CgReader *const readers[] = {
#define X(reader) &cg_reader_##reader,
#include "entries/reader.def"
#undef X
};

const CgReader *cg_reader_at(size_t i) { return i < CG_LEN(readers) ? readers[i] : NULL; }

/* The format a name of n bytes ends like, NULL for none; *n becomes its length without the ending. */
static const CgReader *by_ending(const char *path, size_t *n)
{
    for (size_t i = 0; i < CG_LEN(readers); i++)
        for (const char *const *ending = readers[i]->endings; *ending; ending++)
            if (cg_text_ends(path, *n, *ending)) {
                *n -= strlen(*ending);
                return readers[i];
            }
    return NULL;
}

/* Formats that hold text which cannot be seen from here. */
static bool closed(const char *path, size_t n)
{
    static const char *const endings[] = { ".zst", ".xz", ".bz2", ".zip", ".parquet", ".arrow" };
    for (size_t i = 0; i < CG_LEN(endings); i++)
        if (cg_text_ends(path, n, endings[i]))
            return true;
    return false;
}

const CgReader *cg_reader_open(const char *path, bool named, CgBytes *out, CgErr *e)
{
    size_t n = strlen(path);
    *out = (CgBytes){ 0 };
    if (closed(path, n)) {
        if (named) {
            cg_err(e, CG_ERR_INPUT, "'%s' is packed in a way that is not read here", path);
            cg_err_hint(e, "text, .jsonl, .csv and .gz of them are read");
        }
        return NULL;
    }
    if (!cg_io_read(path, out, e))
        return NULL;
    const CgReader *how = by_ending(path, &n);
    while (how && how->unpack) {
        CgBytes plain = { 0 };
        bool good = how->unpack(path, out, &plain, e);
        cg_io_release(out);
        *out = plain;
        if (!good)
            return NULL;
        how = by_ending(path, &n);
    }
    return how ? how : &cg_reader_text;
}

const CgReader *cg_reader_of(const char *path)
{
    size_t n = strlen(path);
    const CgReader *how = closed(path, n) ? NULL : by_ending(path, &n);
    return how && how->unpack ? NULL : how || closed(path, n) ? how : &cg_reader_text;
}

bool cg_reader_no_field(const char *path, uint32_t line, const char *field, const char *const *has, size_t n, CgErr *e)
{
    CgSuggest near;
    cg_err(e, CG_ERR_INPUT, "%s:%u: this record has no field '%s'", path, line, field);
    cg_suggest_init(&near, field);
    for (size_t i = 0; i < n; i++)
        cg_suggest_offer(&near, has[i]);
    if (!cg_err_meant(e, &near, "") && n)
        cg_err_hint(e, "name one it has with field = \"...\": %s", near.all);
    return false;
}
