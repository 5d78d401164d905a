/* cache.h - where what was made of data is kept, so that the next run need not make it again.
 * Takes functions of whoever keeps it (the store); data are made without one, and then lie in memory. Rows that are
 * read from what is kept can fail long after they were asked for by name only: the first failure stays here (as ferror
 * of stdio has it), rows after it are zeros, and whoever used rows asks before they count. */
#ifndef CG_CACHE_H
#define CG_CACHE_H
#include <stdatomic.h>

#include "base/digest.h"
#include "base/io.h"

typedef struct CgCache {
    void *arg;
    bool (*get)(void *arg, CgDigest key, CgBytes *out); /* whole and checked; released by the caller */
    bool (*put)(void *arg, CgDigest key, const void *bytes, size_t n, CgErr *e);
    bool (*has)(void *arg, CgDigest key);   /* it was finished; whether it is still whole is not looked at */
    char *(*path)(void *arg, CgDigest key); /* malloc'd; of any thread */
    bool quiet;
    atomic_int failed; /* 0: no row has, 1: one is saying why, 2: it has */
    CgErr why;
    CgDigest of; /* what could not be read */
} CgCache;

/* Keeps the first failure; of any thread. */
void cg_cache_fail(CgCache *c, const CgErr *why, CgDigest of);
CG_NODISCARD bool cg_cache_good(CgCache *c, CgErr *why, CgDigest *of); /* no row has failed */
#endif
