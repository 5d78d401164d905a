/* map.c - the one hash table: 64-bit key to 64-bit value.
 * Takes keys; gives the value stored last. Open addressing with linear probing, at most three quarters full.
 * Must not remove keys: nothing in the project needs it, and probing stays simple. */
#include "base/map.h"

#include <stdlib.h>

/* The finaliser of SplitMix64 (Steele, Lea and Flood 2014): pointers differ in few bits, slots must not. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The slot that holds the key, or the free one where it belongs. cap is a power of two. */
static size_t slot_of(const CgMap *m, uint64_t key)
{
    size_t i = (size_t)mixed(key) & (m->cap - 1);
    while (m->used[i] && m->key[i] != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void grow(CgMap *m)
{
    CgMap old = *m;
    m->cap = old.cap ? 2 * old.cap : 16;
    m->key = cg_malloc(m->cap * sizeof *m->key);
    m->value = cg_malloc(m->cap * sizeof *m->value);
    m->used = cg_calloc(m->cap, 1);
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.used[i])
            continue;
        size_t to = slot_of(m, old.key[i]);
        m->used[to] = 1;
        m->key[to] = old.key[i];
        m->value[to] = old.value[i];
    }
    cg_map_deinit(&old);
}

void cg_map_deinit(CgMap *m)
{
    free(m->key);
    free(m->value);
    free(m->used);
    *m = (CgMap){ 0 };
}

void cg_map_put(CgMap *m, uint64_t key, uint64_t value)
{
    if (4 * (m->len + 1) > 3 * m->cap)
        grow(m);
    size_t i = slot_of(m, key);
    m->len += !m->used[i];
    m->used[i] = 1;
    m->key[i] = key;
    m->value[i] = value;
}

bool cg_map_get(const CgMap *m, uint64_t key, uint64_t *value)
{
    if (!m->cap)
        return false;
    size_t i = slot_of(m, key);
    if (!m->used[i])
        return false;
    if (value)
        *value = m->value[i];
    return true;
}
