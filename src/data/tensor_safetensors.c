/* tensor_safetensors.c - named tensors in a safetensors file.
 * Takes files somebody else may have made, or tensors; gives tensors, or files with the same bytes every
 * time. Must not believe a size it has not compared with the bytes remaining, nor keep going after the first
 * doubt: every rule of the format is checked, and a few the format leaves open (counts, names, ranks) are
 * capped. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/strbuf.h"
#include "data/tensor_file_inside.h"

#define MAX_HEADER  100000000u /* as the reference implementation */
#define MAX_TENSORS 1000000u
#define MAX_NAME    1024u

/* ---- reading ---- */

typedef struct Entry {
    const CgTensorKind *kind;
    uint64_t begin, end;
    size_t count;
    CgNamed named;
} Entry;

typedef struct Reader {
    const char *path;
    const unsigned char *data; /* after the header */
    uint64_t len;              /* bytes from there to the end of the file */
    Entry *entry;
    size_t n;
    CgErr *e;
} Reader;

static bool bad(const Reader *r, const char *format, ...) CG_PRINTF(2, 3);
static bool bad(const Reader *r, const char *format, ...)
{
    char text[360];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cg_err(r->e, CG_ERR_INPUT, "'%s' is not a sound safetensors file: %s", r->path, text);
}

/* A name fit to print and to be a path of a model: no control bytes, not empty, not huge. */
static bool name_ok(const char *name, size_t len)
{
    if (len == 0 || len > MAX_NAME || strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

/* Long or strange names are cut for messages. */
static const char *short_name(const char *name, char out[80])
{
    size_t n = 0;
    for (; name[n] && n < 60; n++)
        out[n] = (unsigned char)name[n] < 0x20 || name[n] == 0x7f ? '?' : name[n];
    while (name[n] && n > 0 && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
        n--; /* not in the middle of a character */
    if (name[n] && n > 0 && (unsigned char)out[n - 1] >= 0xc0)
        n--;
    strcpy(out + n, name[n] ? "..." : "");
    return out;
}

static bool read_shape(const Reader *r, const char *name, const json_t *shape, Entry *t)
{
    if (!json_is_array(shape))
        return bad(r, "tensor '%s' has no list 'shape'", name);
    if (json_array_size(shape) > CG_MAX_RANK)
        return bad(r, "tensor '%s' has %zu axes, at most %d are allowed", name, json_array_size(shape), CG_MAX_RANK);
    t->named.tensor.rank = (int)json_array_size(shape);
    for (int i = 0; i < t->named.tensor.rank; i++) {
        const json_t *d = json_array_get(shape, (size_t)i);
        if (!json_is_integer(d) || json_integer_value(d) < 0)
            return bad(r, "axis %d of tensor '%s' is not a whole number of 0 or more", i, name);
        t->named.tensor.dim[i] = json_integer_value(d);
    }
    return true;
}

static bool read_offsets(const Reader *r, const char *name, const json_t *offsets, Entry *t)
{
    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return bad(r, "tensor '%s' has no 'data_offsets' [begin, end]", name);
    const json_t *b = json_array_get(offsets, 0), *e = json_array_get(offsets, 1);
    if (!json_is_integer(b) || !json_is_integer(e) || json_integer_value(b) < 0 || json_integer_value(e) < 0)
        return bad(r, "an offset of tensor '%s' is not a whole number of 0 or more", name);
    t->begin = (uint64_t)json_integer_value(b);
    t->end = (uint64_t)json_integer_value(e);
    if (t->begin > t->end)
        return bad(r, "tensor '%s' ends before it begins", name);
    if (t->end > r->len)
        return bad(r, "tensor '%s' ends at byte %" PRIu64 " of %" PRIu64 " bytes of data", name, t->end, r->len);
    return true;
}

static bool read_entry(const Reader *r, const char *key, size_t key_len, const json_t *value, Entry *t)
{
    char name[80];
    short_name(key, name);
    if (!name_ok(key, key_len))
        return bad(
            r, "a tensor's name is empty, longer than %u bytes, or has control characters: '%s'", MAX_NAME, name);
    if (!json_is_object(value))
        return bad(r, "the entry of tensor '%s' is not an object", name);
    const char *field;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)value, field, ignored)
    {
        char other[80];
        if (strcmp(field, "dtype") && strcmp(field, "shape") && strcmp(field, "data_offsets"))
            return bad(r, "tensor '%s' has an unknown field '%s'", name, short_name(field, other));
    }
    const json_t *dtype = json_object_get(value, "dtype");
    if (!json_is_string(dtype))
        return bad(r, "tensor '%s' has no string 'dtype'", name);
    for (size_t i = 0; i < CG_TENSOR_KINDS; i++)
        if (strcmp(cg_tensor_kinds[i].name, json_string_value(dtype)) == 0)
            t->kind = &cg_tensor_kinds[i];
    char dtype_name[80];
    short_name(json_string_value(dtype), dtype_name);
    if (!t->kind)
        return bad(r, "tensor '%s' has the unknown dtype '%s'", name, dtype_name);
    if (t->kind->convert == CG_AS_NO)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': tensor '%s' is %s, which cg cannot hold", r->path, name, dtype_name);
    if (!read_shape(r, name, json_object_get(value, "shape"), t)
        || !read_offsets(r, name, json_object_get(value, "data_offsets"), t))
        return false;
    size_t bytes;
    if (!cg_tensor_measure(t->named.tensor.dim, t->named.tensor.rank, t->kind->size, &t->count, &bytes))
        return bad(r, "the size of tensor '%s' overflows", name);
    if (bytes != t->end - t->begin)
        return bad(r, "tensor '%s' takes %zu bytes by its shape and %" PRIu64 " by its offsets", name, bytes,
            t->end - t->begin);
    t->named.tensor.dtype = t->kind->dtype;
    cg_tensor_row_major(&t->named.tensor);
    t->named.name = cg_strdup(key);
    return true;
}

static bool read_metadata(const Reader *r, const json_t *meta, CgTensors *out)
{
    if (!json_is_object(meta))
        return bad(r, "'__metadata__' is not an object");
    const char *key;
    json_t *value;
    out->keys = cg_calloc(json_object_size(meta), sizeof *out->keys);
    out->values = cg_calloc(json_object_size(meta), sizeof *out->values);
    json_object_foreach((json_t *)(uintptr_t)meta, key, value)
    {
        char name[80];
        if (!json_is_string(value))
            return bad(r, "'%s' of '__metadata__' is not a string", short_name(key, name));
        out->keys[out->nmeta] = cg_strdup(key);
        out->values[out->nmeta++] = cg_strdup(json_string_value(value));
    }
    return true;
}

static int by_begin(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->named.name, y->named.name);
}

/* Entries cover the data from its first byte to its last, each byte once. */
static bool check_cover(const Reader *r)
{
    uint64_t at = 0;
    char name[80];
    for (size_t i = 0; i < r->n; i++) {
        short_name(r->entry[i].named.name, name);
        if (r->entry[i].begin < at)
            return bad(r, "tensor '%s' overlaps the one before it", name);
        if (r->entry[i].begin > at)
            return bad(r, "%" PRIu64 " bytes before tensor '%s' belong to no tensor", r->entry[i].begin - at, name);
        at = r->entry[i].end;
    }
    if (at != r->len)
        return bad(r, "%" PRIu64 " bytes after the last tensor", r->len - at);
    return true;
}

static bool is_aligned(const Entry *t, const unsigned char *at)
{
    return t->kind->convert == CG_AS_FLAG || (t->kind->convert == CG_AS_SAME && (uintptr_t)at % t->kind->size == 0);
}

/* Points tensors at their bytes, converting into one block of our own where that cannot be. */
static bool assign_tensors(const Reader *r, CgTensors *out)
{
    size_t need = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!is_aligned(&r->entry[i], r->data + r->entry[i].begin))
            need += (r->entry[i].count * cg_dtype_size(r->entry[i].kind->dtype) + 63) / 64 * 64;
    /* At most four times the bytes of the file, which is there: no header can ask for more. */
    if (need > 0 && !(out->own = cg_try_alloc(need)))
        return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", need, r->path);
    char *own = out->own;
    for (size_t i = 0; i < r->n; i++) {
        Entry *t = &r->entry[i];
        union {
            const void *in;
            void *out;
        } at = { r->data + t->begin };
        if (!is_aligned(t, at.in)) {
            cg_tensor_convert(t->kind->convert, at.in, t->kind->size, t->count, own);
            at.out = own;
            if (t->count)
                own += (t->count * cg_dtype_size(t->kind->dtype) + 63) / 64 * 64;
        } else if (t->kind->convert == CG_AS_FLAG) {
            for (size_t k = 0; k < t->count; k++) {
                char name[80];
                if (r->data[t->begin + k] > 1)
                    return bad(r, "element %zu of the BOOL tensor '%s' is neither 0 nor 1", k,
                        short_name(t->named.name, name));
            }
        }
        t->named.tensor.data = at.out;
    }
    return true;
}

static bool read_header(Reader *r, const json_t *header, CgTensors *out)
{
    if (!json_is_object(header))
        return bad(r, "the header is not an object");
    if (json_object_size(header) > MAX_TENSORS)
        return bad(r, "%zu tensors, at most %u are allowed", json_object_size(header), MAX_TENSORS);
    r->entry = cg_calloc(json_object_size(header) + 1, sizeof *r->entry);
    const char *key;
    size_t key_len;
    json_t *value;
    json_object_keylen_foreach((json_t *)(uintptr_t)header, key, key_len, value)
    {
        if (strcmp(key, "__metadata__") == 0 ? !read_metadata(r, value, out)
                                             : !read_entry(r, key, key_len, value, &r->entry[r->n++]))
            return false;
    }
    qsort(r->entry, r->n, sizeof *r->entry, by_begin);
    return check_cover(r) && assign_tensors(r, out);
}

bool cg_safetensors_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    *out = (CgTensors){ .bytes = bytes };
    Reader r = { .path = path, .e = e };
    uint64_t n = 0;
    bool good = bytes.len >= 8;
    if (!good)
        bad(&r, "it has %zu bytes, fewer than the 8 of a length", bytes.len);
    if (good)
        memcpy(&n, bytes.at, 8);
    if (good && n > MAX_HEADER) {
        static const char pointer[] = "version https://git-lfs";
        good = bad(&r, "its header would be %" PRIu64 " bytes, at most %u are allowed", n, MAX_HEADER);
        if (bytes.len >= strlen(pointer) && !memcmp(bytes.at, pointer, strlen(pointer)))
            cg_err_hint(e, "it is a pointer that stands for a file of Git LFS: `git lfs pull` fetches the file itself");
    }
    if (good && n > bytes.len - 8)
        good = bad(&r, "its header would be %" PRIu64 " bytes, and only %zu follow", n, bytes.len - 8);
    if (good && (n == 0 || bytes.at[8] != '{'))
        good = bad(&r, "the header does not begin with '{'");
    if (good) {
        size_t len = (size_t)n;
        while (len > 0 && bytes.at[8 + len - 1] == ' ')
            len--;
        json_error_t je;
        json_t *header = NULL;
        if (bytes.at[8 + len - 1] != '}')
            good = bad(&r, "the header does not end with '}' and spaces");
        else if (!(header = cg_json_load(bytes.at + 8, len, JSON_REJECT_DUPLICATES, &je)))
            good = cg_err(
                e, CG_ERR_INPUT, "'%s' is not a sound safetensors file: the header is not JSON: %.200s", path, je.text);
        r.data = (const unsigned char *)bytes.at + 8 + n;
        r.len = bytes.len - 8 - n;
        good = good && read_header(&r, header, out);
        json_decref(header);
    }
    if (good) {
        out->at = cg_calloc(r.n, sizeof *out->at);
        for (size_t i = 0; i < r.n; i++)
            out->at[out->n++] = r.entry[i].named;
    } else {
        for (size_t i = 0; i < r.n; i++)
            free(r.entry[i].named.name);
        cg_tensors_free(out);
    }
    free(r.entry);
    return good;
}

bool cg_safetensors_read(const char *path, CgTensors *out, CgErr *e)
{
    CgBytes bytes;
    *out = (CgTensors){ 0 };
    return cg_io_map(path, &bytes, e) && cg_safetensors_parse(path, bytes, out, e);
}

/* ---- writing ---- */

static int by_size_and_name(const void *a, const void *b)
{
    const CgNamed *x = *(const CgNamed *const *)a, *y = *(const CgNamed *const *)b;
    size_t sx = cg_dtype_size(x->tensor.dtype), sy = cg_dtype_size(y->tensor.dtype);
    return sx != sy ? (sx > sy ? -1 : 1) : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const CgNamed *const *)a)->name, (*(const CgNamed *const *)b)->name);
}

/* A JSON string. False when it is not UTF-8. */
static bool put_string(CgStrbuf *out, const char *s)
{
    json_t *j = json_string(s);
    char *text = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
    if (text)
        cg_strbuf_puts(out, text);
    free(text);
    json_decref(j);
    return text != NULL;
}

/* Order in which metadata is written: an array of indices sorted by key. */
static int *sort_keys(const char *const *keys, int n)
{
    int *order = cg_malloc(((size_t)n + 1) * sizeof *order);
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && strcmp(keys[order[at - 1]], keys[i]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static bool build_header(const char *path, const CgNamed *const *sorted, int n, const char *const *keys,
    const char *const *values, int nmeta, CgStrbuf *h, CgErr *e)
{
    bool good = true;
    cg_strbuf_putc(h, '{');
    if (nmeta > 0) {
        int *order = sort_keys(keys, nmeta);
        cg_strbuf_puts(h, "\"__metadata__\":{");
        for (int i = 0; i < nmeta && good; i++) {
            if (i > 0 && strcmp(keys[order[i]], keys[order[i - 1]]) == 0)
                good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: two values for '%s'", path, keys[order[i]]);
            cg_strbuf_puts(h, i ? "," : "");
            good = good && put_string(h, keys[order[i]]);
            cg_strbuf_putc(h, ':');
            good = good && put_string(h, values[order[i]]);
        }
        cg_strbuf_putc(h, '}');
        free(order);
    }
    size_t at = 0;
    for (int i = 0; i < n && good; i++) {
        const CgTensor *t = &sorted[i]->tensor;
        char name[80];
        if (!name_ok(sorted[i]->name, strlen(sorted[i]->name)) || strcmp(sorted[i]->name, "__metadata__") == 0)
            good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: '%s' cannot name a tensor", path,
                short_name(sorted[i]->name, name));
        cg_strbuf_puts(h, i || nmeta > 0 ? "," : "");
        good = good && put_string(h, sorted[i]->name);
        cg_strbuf_printf(h, ":{\"dtype\":\"%s\",\"shape\":[", cg_tensor_kind(t->dtype)->name);
        for (int k = 0; k < t->rank; k++)
            cg_strbuf_printf(h, "%s%" PRId64, k ? "," : "", t->dim[k]);
        size_t bytes = (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype);
        cg_strbuf_printf(h, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes);
        at += bytes;
    }
    cg_strbuf_putc(h, '}');
    while ((h->len + 8) % 64)
        cg_strbuf_putc(h, ' ');
    if (!good)
        return cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: a name or value is not UTF-8", path);
    if (h->len > MAX_HEADER)
        return cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: its header would be %zu bytes", path, h->len);
    return true;
}

bool cg_safetensors_write(
    const char *path, const CgNamed *at, int n, const char *const *keys, const char *const *values, int nmeta, CgErr *e)
{
    const CgNamed **sorted = cg_malloc(((size_t)n + 1) * sizeof(CgNamed *));
    CgStrbuf header = { 0 };
    bool good = true;
    for (int i = 0; i < n; i++)
        sorted[i] = &at[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_name);
    for (int i = 1; i < n && good; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            good = cg_err(
                e, CG_ERR_INPUT, "'%s' cannot be written: two tensors are named '%.100s'", path, sorted[i]->name);
    if (good && (size_t)n > MAX_TENSORS)
        good =
            cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: %d tensors, at most %u are allowed", path, n, MAX_TENSORS);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size_and_name);
    good = good && build_header(path, sorted, n, keys, values, nmeta, &header, e);
    CgOut *o = good ? cg_io_create(path, e) : NULL;
    if (o) {
        uint64_t len = header.len;
        good = cg_io_put(o, &len, 8, e) && cg_io_put(o, header.at, header.len, e);
        for (int i = 0; i < n && good; i++)
            good = cg_tensor_put(o, &sorted[i]->tensor, e);
        if (good)
            good = cg_io_commit(o, e);
        else
            cg_io_abandon(o);
    }
    cg_strbuf_deinit(&header);
    free(sorted);
    return o && good;
}

CG_TENSOR_FORMAT(safetensors, .endings = (const char *const[]){ ".safetensors", NULL },
    .doc = "named tensors, and notes of text; what models are saved as", .read = cg_safetensors_parse,
    .write = cg_safetensors_write)
