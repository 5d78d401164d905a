/* tensorfile.c - safetensors and .npy.
 * Takes files somebody else may have made, or tensors; gives tensors, or files with the same bytes every
 * time. Must not believe a size it has not compared with the bytes remaining, nor keep going after the first
 * doubt: every rule of the format is checked, and a few the format leaves open (counts, names, ranks) are
 * capped. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "data/tensorfile.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors and .npy are read where they lie: this needs a little-endian machine"
#endif

#define MAX_HEADER  100000000u  /* as the reference implementation */
#define MAX_TENSORS 1000000u
#define MAX_NAME    1024u

/* How the elements of a file become ours. `size` in the file; SAME: used as they are. */
typedef enum Convert { SAME, FLAG, F16, BF16, U8, I8, U16, I16, U32, NO } Convert;
typedef struct Kind { const char *name; const char *npy; size_t size; CgDtype dtype; Convert convert; } Kind;
static const Kind kinds[] = {
    { "F32", "<f4", 4, CG_F32, SAME }, { "F64", "<f8", 8, CG_F64, SAME }, { "I32", "<i4", 4, CG_I32, SAME },
    { "I64", "<i8", 8, CG_I64, SAME }, { "BOOL", "|b1", 1, CG_BOOL, FLAG }, { "F16", "<f2", 2, CG_F32, F16 },
    { "BF16", NULL, 2, CG_F32, BF16 }, { "U8", "|u1", 1, CG_I32, U8 }, { "I8", "|i1", 1, CG_I32, I8 },
    { "U16", "<u2", 2, CG_I32, U16 }, { "I16", "<i2", 2, CG_I32, I16 }, { "U32", "<u4", 4, CG_I64, U32 },
    { "U64", "<u8", 8, CG_I64, NO }, { "F8_E5M2", NULL, 1, CG_F32, NO }, { "F8_E4M3", NULL, 1, CG_F32, NO },
};

static float from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023, bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000u | fraction << 13;
    } else if (exponent > 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float f = (float)fraction * 0x1p-24f;   /* subnormal: exact in f32 */
        memcpy(&bits, &f, 4);
        bits |= sign;
    }
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

/* n elements of the file, of any alignment, as elements of ours. False: a BOOL that is neither 0 nor 1. */
static bool convert(Convert how, const unsigned char *from, size_t size, size_t n, void *to)
{
    float *f = to;
    int32_t *i = to;
    int64_t *l = to;
    uint16_t h;
    uint32_t w;
    switch (how) {
    case SAME:
    case NO:
        memcpy(to, from, n * size);
        return true;
    case FLAG:
        for (size_t k = 0; k < n; k++)
            if (from[k] > 1)
                return false;
        memcpy(to, from, n);
        return true;
    case F16:
        for (size_t k = 0; k < n; k++) {
            memcpy(&h, from + 2 * k, 2);
            f[k] = from_f16(h);
        }
        return true;
    case BF16:
        for (size_t k = 0; k < n; k++) {
            memcpy(&h, from + 2 * k, 2);
            w = (uint32_t)h << 16;
            memcpy(&f[k], &w, 4);
        }
        return true;
    case U8:
        for (size_t k = 0; k < n; k++)
            i[k] = from[k];
        return true;
    case I8:
        for (size_t k = 0; k < n; k++)
            i[k] = (int8_t)from[k];
        return true;
    case U16:
    case I16:
        for (size_t k = 0; k < n; k++) {
            memcpy(&h, from + 2 * k, 2);
            i[k] = how == U16 ? (int32_t)h : (int32_t)(int16_t)h;
        }
        return true;
    case U32:
        for (size_t k = 0; k < n; k++) {
            memcpy(&w, from + 4 * k, 4);
            l[k] = w;
        }
        return true;
    }
    return false;
}

static void row_major(CgTensor *t)
{
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        t->stride[i] = stride;
        stride *= t->dim[i] ? t->dim[i] : 1;
    }
}

/* Elements and bytes of a shape; false on overflow. Zero dims count as none, but may not hide an overflow. */
static bool measure(const int64_t *dim, int rank, size_t size, size_t *count, size_t *bytes)
{
    size_t n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        empty = empty || dim[i] == 0;
        if (__builtin_mul_overflow(n, dim[i] ? (size_t)dim[i] : 1, &n))
            return false;
    }
    if (__builtin_mul_overflow(n, size, bytes) || n > PTRDIFF_MAX / 8)
        return false;
    *count = empty ? 0 : n;
    *bytes = empty ? 0 : *bytes;
    return true;
}

void cg_tensors_free(CgTensors *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->at[i].name);
    for (int i = 0; i < t->nmeta; i++) {
        free(t->keys[i]);
        free(t->values[i]);
    }
    free(t->at);
    free(t->keys);
    free(t->values);
    free(t->own);
    cg_io_release(&t->bytes);
    *t = (CgTensors){ 0 };
}

const CgTensor *cg_tensors_find(const CgTensors *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->at[i].name, name) == 0)
            return &t->at[i].tensor;
    return NULL;
}

/* ---- reading safetensors
 * -------------------------------------------------------------------------------------- */

typedef struct Entry { const Kind *kind; uint64_t begin, end; size_t count; CgNamed named; } Entry;

typedef struct Reader {
    const char *path;
    const unsigned char *data;  /* after the header */
    uint64_t    len;            /* bytes from there to the end of the file */
    Entry      *entry;
    size_t      n;
    CgErr      *e;
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
        n--;    /* not in the middle of a character */
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
        return bad(r, "tensor '%s' has %zu axes, at most %d are allowed", name, json_array_size(shape),
                   CG_MAX_RANK);
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
        return bad(r, "tensor '%s' ends at byte %" PRIu64 " of %" PRIu64 " bytes of data", name, t->end,
                   r->len);
    return true;
}

static bool read_entry(const Reader *r, const char *key, size_t key_len, const json_t *value, Entry *t)
{
    char name[80];
    short_name(key, name);
    if (!name_ok(key, key_len))
        return bad(r, "a tensor's name is empty, longer than %u bytes, or has control characters: '%s'",
                   MAX_NAME, name);
    if (!json_is_object(value))
        return bad(r, "the entry of tensor '%s' is not an object", name);
    const char *field;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)value, field, ignored) {
        char other[80];
        if (strcmp(field, "dtype") && strcmp(field, "shape") && strcmp(field, "data_offsets"))
            return bad(r, "tensor '%s' has an unknown field '%s'", name, short_name(field, other));
    }
    const json_t *dtype = json_object_get(value, "dtype");
    if (!json_is_string(dtype))
        return bad(r, "tensor '%s' has no string 'dtype'", name);
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        if (strcmp(kinds[i].name, json_string_value(dtype)) == 0)
            t->kind = &kinds[i];
    char dtype_name[80];
    short_name(json_string_value(dtype), dtype_name);
    if (!t->kind)
        return bad(r, "tensor '%s' has the unknown dtype '%s'", name, dtype_name);
    if (t->kind->convert == NO)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': tensor '%s' is %s, which cg cannot hold", r->path, name,
                      dtype_name);
    if (!read_shape(r, name, json_object_get(value, "shape"), t) ||
        !read_offsets(r, name, json_object_get(value, "data_offsets"), t))
        return false;
    size_t bytes;
    if (!measure(t->named.tensor.dim, t->named.tensor.rank, t->kind->size, &t->count, &bytes))
        return bad(r, "the size of tensor '%s' overflows", name);
    if (bytes != t->end - t->begin)
        return bad(r, "tensor '%s' takes %zu bytes by its shape and %" PRIu64 " by its offsets", name, bytes,
                   t->end - t->begin);
    t->named.tensor.dtype = t->kind->dtype;
    row_major(&t->named.tensor);
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
    json_object_foreach((json_t *)(uintptr_t)meta, key, value) {
        char name[80];
        if (!json_is_string(value))
            return bad(r, "'%s' of '__metadata__' is not a string", short_name(key, name));
        out->keys[out->nmeta] = cg_strdup(key);
        out->values[out->nmeta++] = cg_strdup(json_string_value(value));
    }
    return true;
}

static int by_place(const void *a, const void *b)
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
            return bad(r, "%" PRIu64 " bytes before tensor '%s' belong to no tensor", r->entry[i].begin - at,
                       name);
        at = r->entry[i].end;
    }
    if (at != r->len)
        return bad(r, "%" PRIu64 " bytes after the last tensor", r->len - at);
    return true;
}

static bool used_in_place(const Entry *t, const unsigned char *at)
{
    return t->kind->convert == FLAG || (t->kind->convert == SAME && (uintptr_t)at % t->kind->size == 0);
}

/* Points tensors at their bytes, converting into one block of our own where that cannot be. */
static bool place(const Reader *r, CgTensors *out)
{
    size_t need = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!used_in_place(&r->entry[i], r->data + r->entry[i].begin))
            need += (r->entry[i].count * cg_dtype_size(r->entry[i].kind->dtype) + 63) / 64 * 64;
    /* At most four times the bytes of the file, which is there: no header can ask for more. */
    if (need > 0 && !(out->own = cg_try_alloc(need)))
        return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", need, r->path);
    char *own = out->own;
    for (size_t i = 0; i < r->n; i++) {
        Entry *t = &r->entry[i];
        union { const void *in; void *out; } at = { r->data + t->begin };
        if (!used_in_place(t, at.in)) {
            convert(t->kind->convert, at.in, t->kind->size, t->count, own);
            at.out = own;
            own += (t->count * cg_dtype_size(t->kind->dtype) + 63) / 64 * 64;
        } else if (t->kind->convert == FLAG) {
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
    json_object_keylen_foreach((json_t *)(uintptr_t)header, key, key_len, value) {
        if (strcmp(key, "__metadata__") == 0 ? !read_metadata(r, value, out)
                                             : !read_entry(r, key, key_len, value, &r->entry[r->n++]))
            return false;
    }
    qsort(r->entry, r->n, sizeof *r->entry, by_place);
    return check_cover(r) && place(r, out);
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
    if (good && n > MAX_HEADER)
        good = bad(&r, "its header would be %" PRIu64 " bytes, at most %u are allowed", n, MAX_HEADER);
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
        else if (!(header = json_loadb(bytes.at + 8, len, JSON_REJECT_DUPLICATES, &je)))
            good = bad(&r, "the header is not JSON: %.200s", je.text);
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

/* ---- writing
 * ----------------------------------------------------------------------------------------------------- */

/* The elements row major, through a buffer when they are not. */
static bool put_elements(CgOut *o, const CgTensor *t, CgErr *e)
{
    size_t size = cg_dtype_size(t->dtype), n = (size_t)cg_tensor_count(t), fill = 0;
    if (n == 0 || cg_tensor_contiguous(t))
        return cg_io_put(o, t->data, n * size, e);
    char buffer[1 << 15];
    int64_t index[CG_MAX_RANK] = { 0 };
    for (size_t k = 0; k < n; k++) {
        int64_t at = 0;
        for (int i = 0; i < t->rank; i++)
            at += index[i] * t->stride[i];
        memcpy(buffer + fill, (const char *)t->data + at * (int64_t)size, size);
        fill += size;
        if (fill + size > sizeof buffer || k + 1 == n) {
            if (!cg_io_put(o, buffer, fill, e))
                return false;
            fill = 0;
        }
        for (int i = t->rank - 1; i >= 0 && ++index[i] == t->dim[i]; i--)
            index[i] = 0;
    }
    return true;
}

static const Kind *kind_of(CgDtype dtype)
{
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        if (kinds[i].dtype == dtype && (kinds[i].convert == SAME || kinds[i].convert == FLAG))
            return &kinds[i];
    CG_BUG("a tensor without dtype");
}

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
                good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: two values for '%s'", path,
                              keys[order[i]]);
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
        if (!name_ok(sorted[i]->name, strlen(sorted[i]->name)) ||
            strcmp(sorted[i]->name, "__metadata__") == 0)
            good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: '%s' cannot name a tensor", path,
                          short_name(sorted[i]->name, name));
        cg_strbuf_puts(h, i || nmeta > 0 ? "," : "");
        good = good && put_string(h, sorted[i]->name);
        cg_strbuf_printf(h, ":{\"dtype\":\"%s\",\"shape\":[", kind_of(t->dtype)->name);
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

bool cg_safetensors_write(const char *path, const CgNamed *at, int n, const char *const *keys,
                          const char *const *values, int nmeta, CgErr *e)
{
    const CgNamed **sorted = cg_malloc(((size_t)n + 1) * sizeof(CgNamed *));
    CgStrbuf header = { 0 };
    bool good = true;
    for (int i = 0; i < n; i++)
        sorted[i] = &at[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_name);
    for (int i = 1; i < n && good; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: two tensors are named '%.100s'", path,
                          sorted[i]->name);
    if (good && (size_t)n > MAX_TENSORS)
        good = cg_err(e, CG_ERR_INPUT, "'%s' cannot be written: %d tensors, at most %u are allowed", path, n,
                      MAX_TENSORS);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size_and_name);
    good = good && build_header(path, sorted, n, keys, values, nmeta, &header, e);
    CgOut *o = good ? cg_io_create(path, e) : NULL;
    if (o) {
        uint64_t len = header.len;
        good = cg_io_put(o, &len, 8, e) && cg_io_put(o, header.at, header.len, e);
        for (int i = 0; i < n && good; i++)
            good = put_elements(o, &sorted[i]->tensor, e);
        if (good)
            good = cg_io_commit(o, e);
        else
            cg_io_abandon(o);
    }
    cg_strbuf_deinit(&header);
    free(sorted);
    return o && good;
}

/* ---- .npy
 * -------------------------------------------------------------------------------------------------------- */

typedef struct Npy { const char *path; const char *p, *end; CgErr *e; } Npy;

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

static bool npy_header(Npy *r, CgTensor *t, const Kind **kind, bool *fortran)
{
    bool has[3] = { false, false, false };
    char key[32], descr[32];
    if (!take(r, "{"))
        return npy_bad(r, "the header is not a dictionary");
    while (!take(r, "}")) {
        if (!take_quoted(r, key) || !take(r, ":"))
            return npy_bad(r, "the header is not a dictionary of names");
        int which = !strcmp(key, "descr")           ? 0
                    : !strcmp(key, "fortran_order") ? 1
                    : !strcmp(key, "shape")         ? 2
                                                    : -1;
        if (which < 0 || has[which])
            return npy_bad(r, "the header has an unknown or a second field of one name");
        has[which] = true;
        if (which == 0) {
            if (!take_quoted(r, descr))
                return cg_err(r->e, CG_ERR_INPUT, "'%s' holds records; cg reads plain arrays", r->path);
            for (size_t i = 0; i < CG_LEN(kinds); i++)
                if (kinds[i].npy && strcmp(kinds[i].npy, descr) == 0)
                    *kind = &kinds[i];
            if (!*kind || (*kind)->convert == NO) {
                cg_err(r->e, CG_ERR_INPUT, "'%s' has elements of type '%s', which cg cannot hold", r->path,
                       descr);
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
    const Kind *kind = NULL;
    bool fortran = false;
    if (!npy_header(r, &t, &kind, &fortran))
        return false;
    size_t count, size;
    if (!measure(t.dim, t.rank, kind->size, &count, &size))
        return npy_bad(r, "its size overflows");
    const unsigned char *data = (const unsigned char *)bytes.at + start + len;
    if (size != bytes.len - start - len)
        return cg_err(r->e, CG_ERR_INPUT,
                      "'%s' is not a sound .npy file: %zu bytes of elements, its shape needs %zu", r->path,
                      bytes.len - start - len, size);
    t.dtype = kind->dtype;
    row_major(&t);
    size_t room = count * cg_dtype_size(t.dtype);
    out->own = cg_try_alloc(room ? room : 1);
    if (!out->own)
        return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, r->path);
    if (!convert(kind->convert, data, kind->size, count, out->own))
        return npy_bad(r, "a bool is neither 0 nor 1");
    if (fortran && t.rank > 1 && count > 0) {
        char *turned = cg_try_alloc(room);
        if (!turned)
            return cg_err(r->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, r->path);
        turn(&t, out->own, turned, cg_dtype_size(t.dtype));
        free(out->own);
        out->own = turned;
    }
    t.data = out->own;
    const char *base = strrchr(r->path, '/');
    out->at = cg_calloc(1, sizeof *out->at);
    out->at[0] = (CgNamed){ cg_strdup(base ? base + 1 : r->path), t };
    out->n = 1;
    size_t n = strlen(out->at[0].name);
    if (n > 4 && strcmp(out->at[0].name + n - 4, ".npy") == 0)
        out->at[0].name[n - 4] = 0;
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
        cg_io_release(&out->bytes);     /* everything is in memory of our own */
    return good;
}

bool cg_npy_read(const char *path, CgTensors *out, CgErr *e)
{
    CgBytes bytes;
    *out = (CgTensors){ 0 };
    return cg_io_map(path, &bytes, e) && cg_npy_parse(path, bytes, out, e);
}

bool cg_npy_write(const char *path, const CgTensor *t, CgErr *e)
{
    CgStrbuf h = { 0 };
    cg_strbuf_printf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", kind_of(t->dtype)->npy);
    for (int i = 0; i < t->rank; i++)
        cg_strbuf_printf(&h, "%" PRId64 "%s", t->dim[i], t->rank == 1 || i + 1 < t->rank ? ", " : "");
    if (t->rank == 1 && h.len > 0)
        h.len--;    /* "(3,)", as numpy writes it */
    cg_strbuf_puts(&h, "), }");
    while ((h.len + 11) % 64)
        cg_strbuf_putc(&h, ' ');
    cg_strbuf_putc(&h, '\n');
    unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(h.len & 255), (unsigned char)(h.len >> 8)
    };
    CgOut *o = cg_io_create(path, e);
    bool good =
        o && cg_io_put(o, start, sizeof start, e) && cg_io_put(o, h.at, h.len, e) && put_elements(o, t, e);
    cg_strbuf_deinit(&h);
    if (!good && o)
        cg_io_abandon(o);
    return good && cg_io_commit(o, e);
}
