/* gzip.c - unpacking, on zlib.
 * Takes packed bytes; gives them unpacked, or says where they are damaged. Must not swell beyond reason. */
#include "data/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/fault.h"
#include "base/vec.h"
#include "data/reader.h"

#define ROOM       (64 * 1024)
#define SWELL      256                  /* times the packed size, ... */
#define SWELL_FREE ((uint64_t)64 << 20) /* ... which always may be this much, ... */
#define SWELL_MOST ((uint64_t)4 << 30)  /* ... and never more than this */

static voidpf allocate(voidpf none, uInt n, uInt size)
{
    (void)none;
    return cg_fault_memory() ? NULL : calloc(n, size);
}

static void release(voidpf none, voidpf at)
{
    (void)none;
    free(at);
}

bool cg_gzip_unpack(const char *path, const CgBytes *packed, CgBytes *out, CgErr *e)
{
    uint64_t most = packed->len * (uint64_t)SWELL < SWELL_FREE ? SWELL_FREE : packed->len * (uint64_t)SWELL;
    if (most > SWELL_MOST)
        most = SWELL_MOST;
    z_stream z = { .zalloc = allocate, .zfree = release };
    if (inflateInit2(&z, 15 + 16) != Z_OK) /* 15: the largest window; 16: gzip and nothing else */
        return cg_err(e, CG_ERR_MEMORY, "no memory to unpack '%s'", path);
    CG_VEC(char) text = { 0 };
    size_t taken = 0;
    int code = Z_OK;
    bool ok = true;
    while (ok && !(code == Z_STREAM_END && taken == packed->len)) {
        if (code == Z_STREAM_END)
            inflateReset(&z); /* gzip files may be glued together */
        cg_vec_reserve(&text, text.len + ROOM);
        size_t chunk = packed->len - taken < (1u << 30) ? packed->len - taken : 1u << 30;
        size_t room = text.cap - text.len < (1u << 30) ? text.cap - text.len : 1u << 30;
        z.next_in = (Bytef *)(packed->at + taken);
        z.avail_in = (uInt)chunk;
        z.next_out = (Bytef *)(text.at + text.len);
        z.avail_out = (uInt)room;
        code = inflate(&z, Z_NO_FLUSH);
        size_t used = chunk - z.avail_in, made = room - z.avail_out;
        taken += used;
        text.len += made;
        if (text.len > most) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' unpacks to more than %llu MB, which is no text", path,
                (unsigned long long)(most >> 20));
            cg_err_hint(e, "unpack it yourself if this is meant");
        } else if (code == Z_MEM_ERROR) {
            ok = cg_err(e, CG_ERR_MEMORY, "no memory to unpack '%s'", path);
        } else if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' is damaged: not valid gzip after byte %zu", path, taken);
        } else if (used == 0 && made == 0 && code != Z_STREAM_END) {
            ok = cg_err(e, CG_ERR_INPUT, "'%s' is cut off: its gzip data has no end", path);
        }
    }
    inflateEnd(&z);
    cg_vec_push(&text, 0); /* a NUL after the end, as cg_io_read gives */
    *out = (CgBytes){ .at = text.at, .len = text.len - 1 };
    if (!ok)
        cg_io_release(out);
    return ok;
}

bool cg_deflate_unpack(const char *path, const char *packed, size_t n, char *to, size_t size, CgErr *e)
{
    if (n > UINT32_MAX || size > UINT32_MAX)
        return cg_err(e, CG_ERR_INPUT, "'%s' holds an entry of more than 4 GB", path);
    z_stream z = { .zalloc = allocate, .zfree = release };
    if (inflateInit2(&z, -15) != Z_OK) /* the largest window, no header */
        return cg_err(e, CG_ERR_MEMORY, "no memory to unpack '%s'", path);
    char none;
    z.next_in = (Bytef *)(uintptr_t)packed;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)(size ? to : &none);
    z.avail_out = (uInt)size;
    int code = inflate(&z, Z_FINISH);
    bool whole = code == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    if (code == Z_MEM_ERROR)
        return cg_err(e, CG_ERR_MEMORY, "no memory to unpack '%s'", path);
    return whole || cg_err(e, CG_ERR_INPUT, "'%s' is damaged: an entry does not unpack to the size it says", path);
}

CG_READER(
    gzip, .endings = (const char *const[]){ ".gz", NULL }, .doc = "gzip of any of the others", .unpack = cg_gzip_unpack)
