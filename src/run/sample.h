/* sample.h - one token out of logits.
 * Takes the logits of a place and how to choose; gives an id. A choice is a function of the logits and of (seed, row,
 * place): the same at any thread count, whatever other rows are written beside it. */
#ifndef CG_SAMPLE_H
#define CG_SAMPLE_H
#include <stdbool.h>
#include <stdint.h>

/* Logits of ids that stand in the row are divided by `repetition` where they are positive, else multiplied by it
 * (Keskar et al. 2019); then follow temperature, top_k, top_p (Holtzman et al. 2020) and min_p (Nguyen et al. 2024),
 * each of what the one before left. */
typedef struct CgSampling {
    double temperature; /* 0: the likeliest id, nothing is drawn */
    int64_t top_k;      /* only the k likeliest; 0: all */
    double top_p;       /* only the fewest that together have this probability, the likeliest first; 1: all */
    double min_p;       /* only those that are at least this share as likely as the likeliest; 0: all */
    double repetition;  /* 1: logits are taken as they are */
    uint64_t seed;
} CgSampling;

typedef struct CgSampler CgSampler; /* with room for one row */

CgSampler *cg_sampler_new(const CgSampling *how, int64_t vocab);
void cg_sampler_free(CgSampler *s); /* NULL is fine */
/* Of equal logits the lowest id is the likeliest. `seen`: (vocab) whether an id stands in the row, NULL: none does. -1
 * where the logits are none: NaN, or an infinite one that is the largest. */
int32_t cg_sample(CgSampler *s, const float *logits, const uint8_t *seen, uint64_t row, uint64_t position);
#endif
