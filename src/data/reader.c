/* reader.c - which format a file is read by.
 * Takes a path; gives its bytes, unpacked, and the format. Must not know any format: they are found by their entries.
 */
#include "data/reader.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/vec.h"

#define X(reader) extern const CgReader cg_reader_##reader;
#include "entries/reader.def"
#undef X
static const CgReader *const readers[] = {
#define X(reader) &cg_reader_##reader,
#include "entries/reader.def"
#undef X
};

/* From plugins; they stay as long as the process. */
typedef struct Added {
    const CgReader *reader;
    CgDigest origin;
} Added;
static CG_VEC(Added) added;

const CgReader *cg_reader_at(size_t i)
{
    if (i < CG_LEN(readers))
        return readers[i];
    return i - CG_LEN(readers) < added.len ? added.at[i - CG_LEN(readers)].reader : NULL;
}

CgDigest cg_reader_origin(const CgReader *r)
{
    for (size_t i = 0; i < added.len; i++)
        if (added.at[i].reader == r)
            return added.at[i].origin;
    return (CgDigest){ 0 };
}

/* The reader of an ending, or of a name. */
static const CgReader *known(const char *name, const char *ending)
{
    const CgReader *r;
    for (size_t i = 0; (r = cg_reader_at(i)); i++) {
        bool same = name && !strcmp(r->name, name);
        for (const char *const *e = r->endings; ending && *e; e++)
            same |= !strcmp(*e, ending);
        if (same)
            return r;
    }
    return NULL;
}

static bool add(const CgReader *r, CgDigest origin, CgErr *e)
{
    const CgReader *other;
    if (!r->name || !*r->name || !r->doc || !*r->doc)
        return cg_err(e, CG_ERR_INPUT, "reader '%s' lacks one of name and doc", r->name ? r->name : "");
    if (!r->endings || !r->endings[0])
        return cg_err(e, CG_ERR_INPUT, "reader '%s' says no ending of files", r->name);
    if (!r->records || r->unpack || r->text)
        return cg_err(
            e, CG_ERR_INPUT, "reader '%s' of a plugin has `records`, and neither `unpack` nor `text`", r->name);
    if (known(r->name, NULL))
        return cg_err(e, CG_ERR_INPUT, "reader '%s' is already there", r->name);
    for (const char *const *ending = r->endings; *ending; ending++) {
        if ((*ending)[0] != '.' || !(*ending)[1])
            return cg_err(e, CG_ERR_INPUT, "the ending '%s' of reader '%s' is no point with a word", *ending, r->name);
        if ((other = known(NULL, *ending)))
            return cg_err(
                e, CG_ERR_INPUT, "the ending '%s' of reader '%s' is that of '%s'", *ending, r->name, other->name);
    }
    cg_vec_push(&added, ((Added){ r, origin }));
    return true;
}

bool cg_readers_add(const CgReaderSet *set, CgDigest origin, CgErr *e)
{
    size_t before = added.len;
    if (set->abi != CG_ABI || set->reader_size != sizeof(CgReader))
        return cg_err(e, CG_ERR_INPUT,
            "readers built for ABI %d with %zu bytes each; this cg has ABI %d with %zu bytes", set->abi,
            set->reader_size, CG_ABI, sizeof(CgReader));
    if (!set->name || !set->readers)
        return cg_err(e, CG_ERR_INPUT, "set of readers without a %s", set->name ? "list" : "name");
    for (size_t i = 0; i < added.len; i++)
        if (added.at[i].reader == set->readers[0])
            return true; /* two scripts may name one plugin */
    for (const CgReader *const *r = set->readers; *r; r++)
        if (!add(*r, origin, e)) {
            added.len = before; /* all of a set or nothing */
            return false;
        }
    return true;
}

/* The format a name of n bytes ends like, NULL for none; *n becomes its length without the ending. */
static const CgReader *by_ending(const char *path, size_t *n)
{
    const CgReader *r;
    for (size_t i = 0; (r = cg_reader_at(i)); i++)
        for (const char *const *ending = r->endings; *ending; ending++)
            if (cg_text_ends(path, *n, *ending)) {
                *n -= strlen(*ending);
                return r;
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

bool cg_reader_refuse(CgErr *e, const char *path, uint32_t line, const char *format, ...)
{
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&text, format, args);
    va_end(args);
    cg_err(e, CG_ERR_INPUT, "%s:%u: %s", path, line, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return false;
}

bool cg_reader_no_field(const char *path, uint32_t line, const char *field, const char *const *has, size_t n, CgErr *e)
{
    CgSuggest near;
    cg_err(e, CG_ERR_INPUT, "%s:%u: this record has no field '%s'", path, line, field);
    cg_suggest_init(&near, field);
    for (size_t i = 0; i < n; i++)
        cg_suggest_offer(&near, has[i]);
    if (!cg_err_meant(e, &near, "") && n)
        cg_err_hint(e, "its fields are %s; which of them is text is said by field = \"..\"", near.all);
    return false;
}
