/* arena.c - memory that is freed all at once.
 * Takes sizes; gives zeroed memory aligned to 16 out of blocks that double in size up to a limit.
 * Must not free anything singly. With CG_ARENA_DEBUG every allocation is a block of its own, so that the
 * sanitizers see overruns. */
#include "base/arena.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_BLOCK ((size_t)8 << 10)
#define LAST_BLOCK  ((size_t)1 << 20)
#define LARGE_BLOCK ((size_t)256 << 10)

typedef struct Block {
    struct Block *next;
    size_t used, size; /* bytes of data[] */
    _Alignas(16) unsigned char data[];
} Block;

struct CgArena {
    Block *top;
};

CgArena *cg_arena_new(void) { return cg_calloc(1, sizeof(CgArena)); }

void cg_arena_free(CgArena *a)
{
    if (!a)
        return;
    for (Block *b = a->top, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

/* Has the kernel hand out the pages of a large block at once: to be interrupted for each takes four times as long. One
 * that cannot, or will not, hands them out one by one. */
static void fault_in(Block *b, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)b + page - 1) / page * page,
              to = (uintptr_t)(b->data + size) / page * page;
    if (size >= LARGE_BLOCK)
        madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
    (void)b, (void)size;
#endif
}

static Block *block_new(size_t size, Block *next)
{
    Block *b = cg_calloc(1, sizeof(Block) + size);
    fault_in(b, size);
    b->size = size;
    b->next = next;
    return b;
}

void *cg_arena_alloc(CgArena *a, size_t size)
{
#ifdef CG_ARENA_DEBUG
    a->top = block_new(size, a->top);
    return a->top->data;
#else
    CG_ASSERT(size < SIZE_MAX / 2, "the size of an allocation has overflowed");
    size = (size + 15) & ~(size_t)15;
    Block *top = a->top;
    if (!top || top->size - top->used < size) {
        size_t want = top ? 2 * top->size : FIRST_BLOCK;
        if (want > LAST_BLOCK)
            want = LAST_BLOCK;
        if (size > want / 4 && top) { /* a large one gets a block of its own below the open one */
            top->next = block_new(size, top->next);
            top->next->used = size;
            return top->next->data;
        }
        top = a->top = block_new(size > want ? size : want, top);
    }
    void *p = top->data + top->used;
    top->used += size;
    return p;
#endif
}

char *cg_arena_strndup(CgArena *a, const char *s, size_t n)
{
    char *p = cg_arena_alloc(a, n + 1);
    if (n)
        memcpy(p, s, n);
    return p;
}

char *cg_arena_strdup(CgArena *a, const char *s) { return cg_arena_strndup(a, s, strlen(s)); }

char *cg_arena_printf(CgArena *a, const char *format, ...)
{
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&text, format, args);
    va_end(args);
    char *p = cg_arena_strndup(a, cg_strbuf_str(&text), text.len);
    cg_strbuf_deinit(&text);
    return p;
}
