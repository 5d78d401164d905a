/* ahead.h - items made before they are asked for, by a thread of their own.
 * Takes a function that makes item i in one of some slots; gives the slot that holds it. Items are asked for in order,
 * one after the other: while one is in use the next ones are made. What an item is must depend on its number alone. */
#ifndef CG_AHEAD_H
#define CG_AHEAD_H
#include "base/base.h"

typedef struct CgAhead CgAhead;
typedef void CgAheadFn(void *arg, int64_t item, int slot);

typedef struct CgWaits {
    int64_t items, waits; /* asked for; of these, not made yet, the first after a jump aside */
    double seconds;       /* of all waits */
} CgWaits;

/* NULL: no thread can be had. */
CG_NODISCARD CgAhead *cg_ahead_new(int slots, CgAheadFn *make, void *arg);
void cg_ahead_free(CgAhead *a); /* NULL is fine */
/* The slot of the item, which is in use until the next call. The same item again, or the next one, or a jump, which
 * waits until all slots are filled. */
int cg_ahead_take(CgAhead *a, int64_t item);
CgWaits cg_ahead_waits(const CgAhead *a);
#endif
