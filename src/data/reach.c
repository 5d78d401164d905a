/* reach.c - what rows were made from.
 * Takes documents and keys; gives their chunks, and which of them are known. Must not look at anything but bytes. */
#include "data/reach.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/map.h"

#define LEAST 48   /* bytes of a chunk */
#define MOST  1024 /* and at most; 208 on average */
#define SEED  0x63672d7265616368u

static const uint64_t LENGTH = 2047; /* larger than MOST and LEAST together */

void cg_origin_print(CgOrigin o, CgStrbuf *out)
{
    if (!o.source)
        cg_strbuf_printf(out, "row %lld", (long long)o.row);
    else if (o.line)
        cg_strbuf_printf(out, "%s:%lld", o.source, (long long)o.line);
    else
        cg_strbuf_printf(out, "row %lld of %s", (long long)o.row, o.source);
}

/* The length of the first chunk: it ends where a hash of the last 64 bytes says so. */
static size_t chunk_length(const char *at, size_t len)
{
    size_t most = len < MOST ? len : MOST, n = LEAST < most ? LEAST : most;
    uint64_t rolling = 0;
    for (size_t i = n > 64 ? n - 64 : 0; i < most; i++) {
        rolling = (rolling << 1) + ((unsigned char)at[i] + 1) * 0x9e3779b97f4a7c15u;
        if (i + 1 >= n && (rolling ^ rolling >> 29) * 0xbf58476d1ce4e5b9u < UINT64_MAX / 160)
            return i + 1;
    }
    return most;
}

/* What is left of a document is no chunk of its own below LEAST bytes: many documents end alike. A chunk's lowest bits
 * are its length. */
void cg_reach_text(CgReach *r, CgText text, CgOrigin origin)
{
    do {
        size_t n = chunk_length(text.at, text.len);
        n = text.len - n < LEAST ? text.len : n;
        cg_vec_push(&r->chunks, (cg_hash64(text.at, n, SEED) & ~LENGTH) | n);
        text.at += n;
        text.len -= n;
    } while (text.len);
    cg_vec_push(&r->units, ((CgReached){ r->chunks.len, origin }));
}

void cg_reach_key(CgReach *r, uint64_t key, CgOrigin origin)
{
    cg_vec_push(&r->chunks, key);
    cg_vec_push(&r->units, ((CgReached){ r->chunks.len, origin }));
}

static size_t begin_of(const CgReach *r, size_t unit) { return unit ? r->units.at[unit - 1].end : 0; }

void cg_reach_copy(CgReach *r, const CgReach *from, size_t unit)
{
    for (size_t i = begin_of(from, unit); i < from->units.at[unit].end; i++)
        cg_vec_push(&r->chunks, from->chunks.at[i]);
    cg_vec_push(&r->units, ((CgReached){ r->chunks.len, from->units.at[unit].origin }));
}

static uint64_t limit_of(const CgReach *r) { return r->limit ? r->limit : UINT64_MAX; }

void cg_reach_append(CgReach *r, const CgReach *from)
{
    for (size_t i = 0; i < from->units.len; i++)
        cg_reach_copy(r, from, i);
    if (limit_of(from) < limit_of(r))
        r->limit = from->limit;
}

void cg_reach_drop(CgReach *r)
{
    r->units.len--;
    r->chunks.len = begin_of(r, r->units.len);
}

void cg_reach_deinit(CgReach *r)
{
    cg_vec_free(&r->chunks);
    cg_vec_free(&r->units);
}

/* ---- comparing ----------------------------------------------------------------------------------------- */

/* Bytes of its chunks up to the limit, which have *n in all, that are known. A row without a text is one chunk. */
static size_t known_of(const CgMap *seen, const CgReach *r, size_t unit, uint64_t limit, size_t *n)
{
    size_t known = 0;
    uint64_t value;
    *n = 0;
    for (size_t i = begin_of(r, unit); i < r->units.at[unit].end; i++) {
        if (r->chunks.at[i] > limit)
            continue;
        size_t bytes = (r->chunks.at[i] & LENGTH) + 1;
        *n += bytes;
        known += cg_map_get(seen, r->chunks.at[i], &value) ? bytes : 0;
    }
    return known;
}

CgOverlap cg_reach_overlap(const CgReach *here, const CgReach *there)
{
    CgMap seen = { 0 };
    uint64_t limit = limit_of(here) < limit_of(there) ? limit_of(here) : limit_of(there);
    for (size_t i = 0; i < there->chunks.len; i++)
        cg_map_put(&seen, there->chunks.at[i], 1);
    CgOverlap o = { 0 };
    for (size_t i = 0; i < here->units.len; i++) {
        size_t n, known = known_of(&seen, here, i, limit, &n);
        o.of += n > 0;
        if (!n || 2 * known < n)
            continue;
        if (!o.known++)
            o.first = here->units.at[i].origin;
    }
    cg_map_deinit(&seen);
    return o;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

uint64_t cg_reach_sketch(const CgReach *r, size_t most, CgReach *out)
{
    size_t n = r->chunks.len;
    uint64_t *sorted = cg_malloc(sizeof *sorted * (n + 1));
    for (size_t i = 0; i < n; i++)
        sorted[i] = r->chunks.at[i];
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0; i < n && out->chunks.len < most; i++)
        if (!i || sorted[i] != sorted[i - 1])
            cg_vec_push(&out->chunks, sorted[i]);
    free(sorted);
    return out->chunks.len < most ? UINT64_MAX : out->chunks.at[most - 1];
}

void cg_reach_repeats(const CgReach *r, bool near, bool *known)
{
    CgMap seen = { 0 };
    for (size_t i = 0; i < r->units.len; i++) {
        size_t n, found = known_of(&seen, r, i, UINT64_MAX, &n);
        known[i] = near ? 2 * found >= n : found == n;
        for (size_t k = begin_of(r, i); !known[i] && k < r->units.at[i].end; k++)
            cg_map_put(&seen, r->chunks.at[k], 1);
    }
    cg_map_deinit(&seen);
}
