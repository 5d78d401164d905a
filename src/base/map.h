/* map.h - the one hash table: 64-bit key to 64-bit value, open addressing.
 * Takes keys (hashes or pointers); gives the value stored last. Never shrinks. */
#ifndef CG_MAP_H
#define CG_MAP_H
#include "base/base.h"

typedef struct CgMap {
    struct CgMapSlot {
        uint64_t key, value;
        bool used;
    } * slot;
    size_t len, cap;
} CgMap; /* {0} is ready to use */
CgMap cg_map_copy(const CgMap *m);
void cg_map_deinit(CgMap *m);
void cg_map_put(CgMap *m, uint64_t key, uint64_t value);
bool cg_map_get(const CgMap *m, uint64_t key, uint64_t *value);
static inline uint64_t cg_map_ptr(const void *p) { return (uint64_t)(uintptr_t)p; }
#endif
