/* digest.c - the name of a value: XXH3, 128 bits.
 * Takes bytes, in one or many pieces; gives a digest.
 * Must not be relied on against someone who wants two values to collide. */
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct CgDigester {
    XXH3_state_t *state;
};

CgDigest cg_digest(const void *bytes, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(bytes, n);
    return (CgDigest){ h.high64, h.low64 };
}

CgDigester *cg_digester_new(void)
{
    CgDigester *d = cg_malloc(sizeof *d);
    d->state = XXH3_createState();
    CG_ASSERT(d->state, "no memory for the state of a digest");
    XXH3_128bits_reset(d->state);
    return d;
}

void cg_digester_add(CgDigester *d, const void *bytes, size_t n) { XXH3_128bits_update(d->state, bytes, n); }

CgDigest cg_digester_free(CgDigester *d)
{
    XXH128_hash_t h = XXH3_128bits_digest(d->state);
    XXH3_freeState(d->state);
    free(d);
    return (CgDigest){ h.high64, h.low64 };
}

bool cg_digest_equal(CgDigest a, CgDigest b) { return a.high == b.high && a.low == b.low; }

void cg_digest_hex(CgDigest d, char out[33])
{
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)d.high, (unsigned long long)d.low);
}

static bool half_parse(const char *hex, uint64_t *half)
{
    *half = 0;
    for (int i = 0; i < 16; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *at = hex[i] ? strchr(digits, hex[i]) : NULL;
        if (!at)
            return false;
        *half = *half << 4 | (uint64_t)(at - digits);
    }
    return true;
}

bool cg_digest_parse(const char *hex, CgDigest *d)
{
    return half_parse(hex, &d->high) && half_parse(hex + 16, &d->low) && !hex[32];
}

uint64_t cg_hash64(const void *bytes, size_t n, uint64_t seed) { return XXH3_64bits_withSeed(bytes, n, seed); }
