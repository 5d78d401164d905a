/* digest.h - the name of a value: XXH3, 128 bits.
 * Takes bytes, in one or many pieces; gives a digest. For identity, not for security. */
#ifndef CG_DIGEST_H
#define CG_DIGEST_H
#include "base/base.h"

typedef struct CgDigest {
    uint64_t high, low;
} CgDigest;
typedef struct CgDigester CgDigester;
CgDigest cg_digest(const void *bytes, size_t n);
CgDigester *cg_digester_new(void);
void cg_digester_add(CgDigester *d, const void *bytes, size_t n);
CgDigest cg_digester_free(CgDigester *d); /* the digest of all that was added */
bool cg_digest_equal(CgDigest a, CgDigest b);
void cg_digest_hex(CgDigest d, char out[33]);
bool cg_digest_parse(const char *hex, CgDigest *d);
uint64_t cg_hash64(const void *bytes, size_t n, uint64_t seed);
#endif
