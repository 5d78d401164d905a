/* base.h - the words every file may use.
 * Takes nothing; gives attributes, CG_BUG for our own faults, and small macros. Includes nothing of the project. */
#ifndef CG_BASE_H
#define CG_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CG_LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define CG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CG_NODISCARD    __attribute__((warn_unused_result))
#define CG_NORETURN     __attribute__((noreturn))
#define CG_UNUSED       __attribute__((unused))

/* An internal fault: prints the sentence with file and line and stops with exit code 70. Never for anything a user
 * or a file can cause. */
#define CG_BUG(...) cg_bug(__FILE__, __LINE__, __VA_ARGS__)
#define CG_ASSERT(cond, sentence)   \
    do {                            \
        if (!(cond))                \
            CG_BUG("%s", sentence); \
    } while (0)
CG_NORETURN void cg_bug(const char *file, int line, const char *format, ...) CG_PRINTF(3, 4);

/* malloc and friends that never return NULL: out of memory while compiling ends the program with a message and
 * exit code 3 (through one hook, so that tests can fail the n-th call). Big run-time slabs use cg_try_alloc. */
void *cg_malloc(size_t size);
void *cg_calloc(size_t count, size_t size);
void *cg_realloc(void *p, size_t size);
char *cg_strdup(const char *s);
/* One environment variable holds the developers' switches, "CG_DEBUG=fault=eio:3,poison": the value of one ("" when it
 * has none), NULL when it is not set. */
const char *cg_debug_value(const char *name);

double cg_now(void); /* seconds, by a clock that only goes forward */
void *cg_try_alloc(
    size_t size); /* 64-byte aligned, huge-page advised when large; NULL when there is no room; free() it */

#endif
