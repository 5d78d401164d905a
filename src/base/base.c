/* base.c - mistakes of our own, and memory.
 * Takes sizes and sentences; gives memory or ends the program in an orderly way.
 * Must not know anything of the project. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#define HUGE_PAGE ((size_t)2 << 20)

void cg_bug(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "cg: internal fault at %s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputs("\nThis is a mistake of cg, not yours. Please report it with the script and the output of 'cg --version'.\n",
        stderr);
    va_end(args);
    if (cg_debug_value("abort"))
        abort();
    _exit(70);
}

CG_NORETURN static void out_of_memory(size_t size)
{
    fflush(stdout);
    fprintf(stderr, "cg: not enough memory: %zu more bytes were asked for\n", size);
    _exit(3);
}

void *cg_malloc(size_t size)
{
    void *p = cg_fault_memory() ? NULL : malloc(size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *cg_calloc(size_t count, size_t size)
{
    void *p = cg_fault_memory() ? NULL : calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory(count * size);
    return p;
}

void *cg_realloc(void *old, size_t size)
{
    void *p = cg_fault_memory() ? NULL : realloc(old, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

char *cg_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = cg_malloc(n);
    memcpy(p, s, n);
    return p;
}

void *cg_try_alloc(size_t size)
{
    bool large = size >= 2 * HUGE_PAGE;
    size_t align = large ? HUGE_PAGE : 64;
    if (cg_fault_memory() || size > SIZE_MAX - align)
        return NULL;
    size_t whole = (size + align - 1) / align * align;
    void *p = aligned_alloc(align, whole ? whole : align);
    if (p && large)
        (void)madvise(p, whole, MADV_HUGEPAGE); /* advice only: refused on some systems, harmless */
    return p;
}

double cg_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
