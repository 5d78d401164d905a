/* map.c - does the hash table find what was put last, and nothing else?
 * Takes nothing; prints TAP. Accuses src/base/map.c. */
#include "base/map.h"
#include "tap.h"

/* Keys as pointers are: equal low bits, few high ones different; and zero. */
static uint64_t key(uint64_t i) { return i << 12; }

int main(void)
{
    CgMap m = { 0 };
    uint64_t v = 7;
    tap_ok(!cg_map_get(&m, 0, &v) && v == 7, "an empty map holds nothing");
    for (uint64_t i = 0; i < 5003; i++)
        cg_map_put(&m, key(i), i * 2385);
    bool all = true, none = true;
    for (uint64_t i = 0; i < 5003; i++) {
        all = all && cg_map_get(&m, key(i), &v) && v == i * 2385;
        none = none && !cg_map_get(&m, key(i) + 1, NULL);
    }
    tap_ok(all, "every key has its value");
    tap_ok(none, "no other key has one");
    tap_ok(m.len == 5003, "keys are counted once: %zu", m.len);
    cg_map_put(&m, key(13), 1);
    tap_ok(m.len == 5003 && cg_map_get(&m, key(13), &v) && v == 1, "a second value replaces the first");
    cg_map_put(&m, UINT64_MAX, 0);
    tap_ok(cg_map_get(&m, UINT64_MAX, &v) && v == 0, "any key and any value may be stored");
    cg_map_deinit(&m);
    tap_ok(!cg_map_get(&m, 0, &v), "a map that was given back is an empty map");
    return tap_done();
}
