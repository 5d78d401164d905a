/* map.c - the one hash table: 64-bit key to 64-bit value.
 * Takes keys; gives the value stored last. Open addressing with linear probing, at most three quarters full.
 * Must not remove keys: nothing in the project needs it, and probing stays simple. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* The finaliser of SplitMix64 (Steele, Lea and Flood 2014): pointers differ in few bits, slots must not. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The slot that holds the key, or the free one where it belongs. cap is a power of two. */
static struct CgMapSlot *slot_of(const CgMap *m, uint64_t key)
{
    size_t i = (size_t)mixed(key) & (m->cap - 1);
    while (m->slot[i].used && m->slot[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

static void grow(CgMap *m)
{
    CgMap old = *m;
    m->cap = old.cap ? 2 * old.cap : 16;
    m->slot = cg_calloc(m->cap, sizeof *m->slot);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slot[i].used)
            *slot_of(m, old.slot[i].key) = old.slot[i];
    cg_map_deinit(&old);
}

CgMap cg_map_copy(const CgMap *m)
{
    CgMap copy = *m;
    if (m->cap) {
        copy.slot = cg_malloc(m->cap * sizeof *m->slot);
        memcpy(copy.slot, m->slot, m->cap * sizeof *m->slot);
    }
    return copy;
}

void cg_map_deinit(CgMap *m)
{
    free(m->slot);
    *m = (CgMap){ 0 };
}

void cg_map_put(CgMap *m, uint64_t key, uint64_t value)
{
    if (4 * (m->len + 1) > 3 * m->cap)
        grow(m);
    struct CgMapSlot *s = slot_of(m, key);
    m->len += !s->used;
    *s = (struct CgMapSlot){ key, value, true };
}

bool cg_map_get(const CgMap *m, uint64_t key, uint64_t *value)
{
    const struct CgMapSlot *s = m->cap ? slot_of(m, key) : NULL;
    if (!s || !s->used)
        return false;
    if (value)
        *value = s->value;
    return true;
}
