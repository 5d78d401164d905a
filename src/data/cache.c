/* cache.c - the first failure of rows that are read from what is kept.
 * Takes failures, of several threads; gives the first. Must not decide what becomes of it. */
#include "data/cache.h"

void cg_cache_fail(CgCache *c, const CgErr *why, CgDigest of)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&c->failed, &none, 1))
        return;
    c->why = *why;
    c->of = of;
    atomic_store(&c->failed, 2);
}

bool cg_cache_good(CgCache *c, CgErr *why, CgDigest *of)
{
    if (atomic_load(&c->failed) != 2)
        return true;
    *why = c->why;
    *of = c->of;
    return false;
}
