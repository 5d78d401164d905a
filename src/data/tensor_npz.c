/* tensor_npz.c - several arrays of NumPy in one zip file.
 * Takes bytes; gives the tensors by their names in the file. Must not trust a size or a place it has not compared with
 * the bytes there are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/gzip.h"
#include "data/tensor_file_inside.h"
#include "data/text.h"

#define MOST_ENTRIES 65535

typedef struct Zip {
    const char *path;
    const unsigned char *at;
    size_t len;
    CgErr *e;
} Zip;

/* What the directory at the end of the file says of one entry. */
typedef struct Entry {
    const char *name;
    size_t name_len, packed, size, start, header;
    unsigned method;
} Entry;

static bool bad(const Zip *z, const char *what)
{
    return cg_err(z->e, CG_ERR_INPUT, "'%s' is not a sound .npz file: %s", z->path, what);
}

static size_t u16(const Zip *z, size_t at) { return (size_t)z->at[at] | (size_t)z->at[at + 1] << 8; }
static size_t u32(const Zip *z, size_t at) { return u16(z, at) | u16(z, at + 2) << 16; }

/* Where the directory begins and how many entries it has. The end record is followed by a comment of any length. */
static bool find_directory(const Zip *z, size_t *at, size_t *entries)
{
    for (size_t back = 22; back <= z->len && back < 22 + 65536; back++) {
        size_t end = z->len - back;
        if (memcmp(z->at + end, "PK\5\6", 4) != 0)
            continue;
        *entries = u16(z, end + 10);
        *at = u32(z, end + 16);
        if (*at == UINT32_MAX || *entries == MOST_ENTRIES)
            return bad(z, "it is larger than 4 GB");
        return *at <= end || bad(z, "its directory lies outside of it");
    }
    return bad(z, "it has no directory at its end");
}

/* The entry at `at`, which moves on to the next. */
static bool read_entry(const Zip *z, size_t *at, Entry *out)
{
    size_t p = *at;
    if (p > z->len || z->len - p < 46 || memcmp(z->at + p, "PK\1\2", 4) != 0)
        return bad(z, "its directory ends early");
    size_t name = u16(z, p + 28), extra = u16(z, p + 30), comment = u16(z, p + 32);
    if (z->len - p - 46 < name + extra + comment)
        return bad(z, "its directory ends early");
    *out = (Entry){ .name = (const char *)z->at + p + 46,
        .name_len = name,
        .method = (unsigned)u16(z, p + 10),
        .packed = u32(z, p + 20),
        .size = u32(z, p + 24),
        .header = u32(z, p + 42) };
    *at = p + 46 + name + extra + comment;
    p = out->header;
    if (p > z->len || z->len - p < 30 || memcmp(z->at + p, "PK\3\4", 4) != 0)
        return bad(z, "an entry is not where its directory says");
    out->start = p + 30 + u16(z, p + 26) + u16(z, p + 28);
    if (out->start > z->len || z->len - out->start < out->packed)
        return bad(z, "an entry ends after the file");
    return true;
}

/* Deflate makes at most 1032 bytes of one: a size beyond that is a lie, and no memory is asked for. */
static bool unpack(const Zip *z, const Entry *entry, CgBytes *out)
{
    if (entry->method != 0 && entry->method != 8)
        return bad(z, "an entry is packed in a way other than deflate");
    if (entry->size > 1032 * entry->packed + 64 || (entry->method == 0 && entry->size != entry->packed))
        return bad(z, "an entry does not have the size it says");
    char *at = cg_try_alloc(entry->size + 1);
    if (!at)
        return cg_err(z->e, CG_ERR_MEMORY, "no memory for the %zu bytes of an array in '%s'", entry->size, z->path);
    const char *from = (const char *)z->at + entry->start;
    bool good = true;
    if (entry->method == 0)
        memcpy(at, from, entry->size);
    else
        good = cg_deflate_unpack(z->path, from, entry->packed, at, entry->size, z->e);
    *out = (CgBytes){ .at = at, .len = entry->size };
    if (!good)
        cg_io_release(out);
    return good;
}

static bool read_all(const Zip *z, CgTensors *all, CgTensors *out)
{
    size_t at, entries;
    if (!find_directory(z, &at, &entries))
        return false;
    out->at = cg_calloc(entries + 1, sizeof *out->at);
    for (size_t i = 0; i < entries; i++) {
        Entry entry = { 0 };
        CgBytes bytes;
        if (!read_entry(z, &at, &entry))
            return false;
        if (!cg_text_ends(entry.name, entry.name_len, ".npy"))
            return bad(z, "it holds a file that is no .npy");
        char path[160];
        snprintf(
            path, sizeof path, "%.80s:%.*s", z->path, (int)(entry.name_len < 60 ? entry.name_len : 60), entry.name);
        if (!unpack(z, &entry, &bytes) || !cg_npy_parse(path, bytes, &all[i], z->e))
            return false;
        char *name = cg_calloc(entry.name_len, 1);
        memcpy(name, entry.name, entry.name_len - 4);
        out->at[out->n++] = (CgNamed){ name, all[i].at[0].tensor };
    }
    return true;
}

/* One block for the elements of all arrays, which `out` owns. */
static bool gather(const Zip *z, CgTensors *out)
{
    size_t room = 64;
    for (int i = 0; i < out->n; i++)
        room += ((size_t)cg_tensor_count(&out->at[i].tensor) * cg_dtype_size(out->at[i].tensor.dtype) + 63) / 64 * 64;
    char *own = out->own = cg_try_alloc(room);
    if (!own)
        return cg_err(z->e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s'", room, z->path);
    for (int i = 0; i < out->n; i++) {
        CgTensor *t = &out->at[i].tensor;
        size_t bytes = (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype);
        if (bytes)
            memcpy(own, t->data, bytes);
        t->data = own;
        own += (bytes + 63) / 64 * 64;
    }
    return true;
}

static bool parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    Zip z = { path, (const unsigned char *)bytes.at, bytes.len, e };
    size_t at, entries = 0;
    *out = (CgTensors){ 0 };
    bool good = find_directory(&z, &at, &entries);
    CgTensors *all = cg_calloc(entries + 1, sizeof *all);
    good = good && read_all(&z, all, out) && gather(&z, out);
    for (size_t i = 0; i < entries; i++)
        cg_tensors_free(&all[i]);
    free(all);
    if (!good)
        cg_tensors_free(out);
    cg_io_release(&bytes);
    return good;
}

CG_TENSOR_FORMAT(
    npz, .endings = (const char *const[]){ ".npz", NULL }, .doc = "several arrays of NumPy, by name", .read = parse)
