/* random_tokens.h - tokens that are drawn one by one, for questions about text without any structure.
 * Takes a vocabulary and an exponent; gives ids, uniform or by Zipf's law, and their entropy, which is exact. The same
 * ids on every machine: weights are integers. */
#ifndef CG_RANDOM_TOKENS_H
#define CG_RANDOM_TOKENS_H
#include "base/base.h"
#include "base/err.h"

typedef struct CgRandomTokens {
    int64_t vocabulary; /* ids are below it */
    uint64_t size;      /* of them, in all three splits together */
    double exponent;    /* id i has the weight 1 / (i + 1)^exponent; a multiple of 1/2 from 0, uniform, to 3 */
    uint64_t seed;
} CgRandomTokens;

CG_NODISCARD bool cg_random_tokens_check(const CgRandomTokens *r, CgErr *e);
double cg_random_tokens_entropy(const CgRandomTokens *r); /* bits a token */
/* n ids of the stream `which`. */
void cg_random_tokens_draw(
    const CgRandomTokens *r, uint64_t which, uint64_t n, void (*each)(void *arg, int32_t id), void *arg);
#endif
