/* intern.c - one copy of each string.
 * Takes strings; gives pointers that are equal exactly when the strings are.
 * Must not forget: atoms live as long as the process, and any thread may ask for one. */
#include "base/intern.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/strbuf.h"

typedef struct Entry {
    const char *text;
    size_t len;
    uint64_t hash;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CgArena *texts;
static Entry *table; /* cap slots, a power of two; text NULL where free */
static size_t count, cap;

static Entry *slot_of(Entry *at, size_t n, const char *s, size_t len, uint64_t hash)
{
    size_t i = (size_t)hash & (n - 1);
    while (at[i].text && !(at[i].hash == hash && at[i].len == len && memcmp(at[i].text, s, len) == 0))
        i = (i + 1) & (n - 1);
    return &at[i];
}

static void grow(void)
{
    size_t wider = cap ? 2 * cap : 1024;
    if (!texts)
        texts = cg_arena_new();
    Entry *at = CG_NEWN(texts, Entry, wider); /* the old table stays in the arena: the sum is below one new table */
    for (size_t i = 0; i < cap; i++) {
        if (table[i].text)
            *slot_of(at, wider, table[i].text, table[i].len, table[i].hash) = table[i];
    }
    table = at;
    cap = wider;
}

CgAtom cg_intern_n(const char *s, size_t n)
{
    uint64_t hash = cg_hash64(s, n, 0);
    pthread_mutex_lock(&lock);
    if (2 * (count + 1) > cap)
        grow();
    Entry *e = slot_of(table, cap, s, n, hash);
    if (!e->text) {
        *e = (Entry){ cg_arena_strndup(texts, s, n), n, hash };
        count++;
    }
    CgAtom atom = e->text;
    pthread_mutex_unlock(&lock);
    return atom;
}

CgAtom cg_intern(const char *s) { return cg_intern_n(s, strlen(s)); }

CgAtom cg_intern_printf(const char *format, ...)
{
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&text, format, args);
    va_end(args);
    CgAtom atom = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return atom;
}
