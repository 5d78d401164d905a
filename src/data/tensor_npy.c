/* tensor_npy.c - one tensor in a .npy file.
 * Takes files somebody else may have made, or a tensor; gives a tensor, or a file. Must not believe a size it has not
 * compared with the bytes remaining. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "data/tensor_file_inside.h"

typedef struct Npy {
    const char *path;
    const char *p, *end;
    CgErr *e;
} Npy;

static bool npy_bad(const Npy *r, const char *what)
{
    return cg_err(r->e, CG_ERR_INPUT, "'%s' is not a sound .npy file: %s", r->path, what);
}

static void skip(Npy *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t'))
        r->p++;
}

static bool take(Npy *r, const char *word)
{
    skip(r);
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

/* A quoted word without escapes. */
static bool take_quoted(Npy *r, char out[32])
{
    skip(r);
    if (r->p == r->end || (*r->p != '\'' && *r->p != '"'))
        return false;
    char quote = *r->p++;
    size_t n = 0;
    while (r->p < r->end && *r->p != quote && n < 31 && *r->p != '\\')
        out[n++] = *r->p++;
    out[n] = 0;
    return r->p < r->end && *r->p++ == quote;
}

static bool take_shape(Npy *r, CgTensor *t)
{
    if (!take(r, "("))
        return npy_bad(r, "'shape' is not a tuple");
    t->rank = 0;
    while (!take(r, ")")) {
        if (t->rank == CG_MAX_RANK)
            return npy_bad(r, "more than 8 axes");
        int64_t v = 0;
        const char *digits = r->p;
        for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
            if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *r->p - '0', &v))
                return npy_bad(r, "a size overflows");
        if (r->p == digits)
            return npy_bad(r, "a size is not a whole number of 0 or more");
        t->dim[t->rank++] = v;
        if (take(r, ","))
            continue;
        if (!take(r, ")"))
            return npy_bad(r, "'shape' does not end");
        break;
    }
    return true;
}

static bool npy_header(Npy *r, CgTensor *t, const CgTensorKind **kind, bool *fortran)
{
    bool has[3] = { false, false, false };
    char key[32], descr[32];
    if (!take(r, "{"))
        return npy_bad(r, "the header is not a dictionary");
    while (!take(r, "}")) {
        if (!take_quoted(r, key) || !take(r, ":"))
            return npy_bad(r, "the header is not a dictionary of names");
        int which = !strcmp(key, "descr") ? 0 : !strcmp(key, "fortran_order") ? 1 : !strcmp(key, "shape") ? 2 : -1;
        if (which < 0 || has[which])
            return npy_bad(r, "the header has an unknown or a second field of one name");
        has[which] = true;
        if (which == 0) {
            if (!take_quoted(r, descr))
                return cg_err(r->e, CG_ERR_INPUT, "'%s' holds records; cg reads plain arrays", r->path);
            for (size_t i = 0; i < CG_TENSOR_KINDS; i++)
                if (cg_tensor_kinds[i].npy && strcmp(cg_tensor_kinds[i].npy, descr) == 0)
                    *kind = &cg_tensor_kinds[i];
            if (!*kind || (*kind)->convert == CG_AS_NO) {
                cg_err(r->e, CG_ERR_INPUT, "'%s' has elements of type '%s', which cg cannot hold", r->path, descr);
                if (descr[0] == '>')
                    cg_err_hint(r->e, "they are big-endian; save the array with astype('<%s')", descr + 1);
                return false;
            }
        } else if (which == 1) {
            *fortran = take(r, "True");
            if (!*fortran && !take(r, "False"))
                return npy_bad(r, "'fortran_order' is neither True nor False");
        } else {
            skip(r);
            if (!take_shape(r, t))
                return false;
        }
        if (!take(r, ",")) {
            if (!take(r, "}"))
                return npy_bad(r, "the header does not end");
            break;
        }
    }
    skip(r);
    if (r->p != r->end)
        return npy_bad(r, "something follows the header's dictionary");
    if (!has[0] || !has[1] || !has[2])
        return npy_bad(r, "the header lacks 'descr', 'fortran_order' or 'shape'");
    return true;
}

/* to (row major) = from (column major), both of shape t. */
static void turn(const CgTensor *t, const char *from, char *to, size_t size)
{
    int64_t index[CG_MAX_RANK] = { 0 }, n = cg_tensor_count(t);
    for (int64_t k = 0; k < n; k++) {
        int64_t at = 0;
        for (int i = t->rank - 1; i >= 0; i--)
            at = at * t->dim[i] + index[i];
        memcpy(to + (size_t)k * size, from + (size_t)at * size, size);
        for (int i = t->rank - 1; i >= 0 && ++index[i] == t->dim[i]; i--)
            index[i] = 0;
    }
}

static bool npy_read(Npy *r, CgTensors *out)
{
    CgBytes bytes = out->bytes;
    size_t start, len;
    if (bytes.len < 10 || memcmp(bytes.at, "\x93NUMPY", 6) != 0)
        return npy_bad(r, "it does not begin with \\x93NUMPY");
    unsigned char major = (unsigned char)bytes.at[6];
    if (major < 1 || major > 3 || (major > 1 && bytes.len < 12))
        return npy_bad(r, "its version is not 1, 2 or 3");
    uint16_t short_len;
    uint32_t long_len;
    memcpy(&short_len, bytes.at + 8, 2);
    start = major == 1 ? 10 : 12;
    len = short_len;
    if (major > 1) {
        memcpy(&long_len, bytes.at + 8, 4);
        len = long_len;
    }
    if (len > bytes.len - start)
        return npy_bad(r, "its header is longer than the file");
    r->p = bytes.at + start;
    r->end = r->p + len;
    CgTensor t = { .rank = 0 };
    const CgTensorKind *kind = NULL;
    bool fortran = false;
    if (!npy_header(r, &t, &kind, &fortran))
        return false;
    size_t count, size;
    if (!cg_tensor_measure(t.dim, t.rank, kind->size, &count, &size))
        return npy_bad(r, "its size overflows");
    const unsigned char *data = (const unsigned char *)bytes.at + start + len;
    if (size != bytes.len - start - len)
        return cg_err(r->e, CG_ERR_INPUT, "'%s' is not a sound .npy file: %zu bytes of elements, its shape needs %zu",
            r->path, bytes.len - start - len, size);
    t.dtype = kind->dtype;
    cg_tensor_row_major(&t);
    size_t room = count * cg_dtype_size(t.dtype);
    out->own = cg_try_alloc(room ? room : 1);
    if (!out->own)
        return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, r->path);
    if (!cg_tensor_convert(kind->convert, data, kind->size, count, out->own))
        return npy_bad(r, "a bool is neither 0 nor 1");
    if (fortran && t.rank > 1 && count > 0) {
        char *turned = cg_try_alloc(room);
        if (!turned)
            return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, r->path);
        turn(&t, out->own, turned, cg_dtype_size(t.dtype));
        free(out->own);
        out->own = turned;
    }
    cg_tensors_single(out, r->path, t, out->own);
    return true;
}

bool cg_npy_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    *out = (CgTensors){ .bytes = bytes };
    Npy r = { .path = path, .e = e };
    bool good = npy_read(&r, out);
    if (!good)
        cg_tensors_free(out);
    else
        cg_io_release(&out->bytes); /* everything is in memory of our own */
    return good;
}

bool cg_npy_write(const char *path, const CgTensor *t, CgErr *e)
{
    CgStrbuf h = { 0 };
    cg_strbuf_printf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", cg_tensor_kind(t->dtype)->npy);
    for (int i = 0; i < t->rank; i++)
        cg_strbuf_printf(&h, "%" PRId64 "%s", t->dim[i], t->rank == 1 || i + 1 < t->rank ? ", " : "");
    if (t->rank == 1 && h.len > 0)
        h.len--; /* "(3,)", as numpy writes it */
    cg_strbuf_puts(&h, "), }");
    while ((h.len + 11) % 64)
        cg_strbuf_putc(&h, ' ');
    cg_strbuf_putc(&h, '\n');
    unsigned char start[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(h.len & 255),
        (unsigned char)(h.len >> 8) };
    CgOut *o = cg_io_create(path, e);
    bool good = o && cg_io_put(o, start, sizeof start, e) && cg_io_put(o, h.at, h.len, e) && cg_tensor_put(o, t, e);
    cg_strbuf_deinit(&h);
    if (!good && o)
        cg_io_abandon(o);
    return good && cg_io_commit(o, e);
}

static bool write_one(
    const char *path, const CgNamed *at, int n, const char *const *keys, const char *const *values, int nmeta, CgErr *e)
{
    (void)n, (void)keys, (void)values, (void)nmeta;
    return cg_npy_write(path, &at->tensor, e);
}

CG_TENSOR_FORMAT(npy, .endings = (const char *const[]){ ".npy", NULL }, .doc = "one array of NumPy", .single = true,
    .read = cg_npy_parse, .write = write_one)
