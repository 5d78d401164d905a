/* deal.c - rows dealt to parts by their shares, exactly.
 * Takes shares; gives the part of any row. Must not remember more than counts every so many rows: dealing goes on from
 * the last count before a row. */
#include "data/deal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define EVERY 4096 /* rows between two counts that are kept */

struct CgDeal {
    int n;
    double *share, least;
    CG_VEC(uint64_t) counts; /* (blocks, n): dealt to each part before the block */
    uint64_t block;          /* whose rows are at hand, UINT64_MAX: none */
    uint16_t component[EVERY];
    uint64_t own[EVERY];
};

CgDeal *cg_deal_new(const double *share, int n)
{
    CgDeal *d = cg_calloc(1, sizeof *d);
    d->n = n;
    d->share = cg_malloc(sizeof *share * (size_t)n);
    memcpy(d->share, share, sizeof *share * (size_t)n);
    d->least = n > 1 ? 1.0 / (2.0 * n - 2) : 1;
    d->block = UINT64_MAX;
    for (int i = 0; i < n; i++)
        cg_vec_push(&d->counts, 0);
    return d;
}

void cg_deal_free(CgDeal *d)
{
    if (!d)
        return;
    cg_vec_free(&d->counts);
    free(d->share);
    free(d);
}

/* Of the parts that may be given row g the one that must be given one soonest. */
static int next_component(const CgDeal *d, uint64_t g, const uint64_t *dealt)
{
    int best = 0;
    double soonest = INFINITY;
    for (int i = 0; i < d->n; i++) {
        double owed = d->share[i] * ((double)g + 1) - (double)dealt[i];
        if (owed < d->least - 1e-9)
            continue;
        double deadline = (1 - d->least - (d->share[i] * (double)g - (double)dealt[i])) / d->share[i];
        if (deadline < soonest - 1e-9) {
            soonest = deadline;
            best = i;
        }
    }
    return best;
}

static void deal_block(CgDeal *d, uint64_t block)
{
    size_t n = (size_t)d->n, blocks = d->counts.len / n;
    uint64_t at = block < blocks ? block : blocks - 1;
    uint64_t *dealt = cg_malloc(n * sizeof *dealt);
    memcpy(dealt, d->counts.at + at * n, n * sizeof *dealt);
    for (; at <= block; at++) {
        for (uint64_t k = 0; k < EVERY; k++) {
            int i = next_component(d, at * EVERY + k, dealt);
            d->component[k] = (uint16_t)i;
            d->own[k] = dealt[i]++;
        }
        for (size_t i = 0; at + 1 == d->counts.len / n && i < n; i++)
            cg_vec_push(&d->counts, dealt[i]);
    }
    d->block = block;
    free(dealt);
}

int cg_deal_component(CgDeal *d, uint64_t g, uint64_t *own)
{
    if (d->n == 1) {
        *own = g;
        return 0;
    }
    if (d->block != g / EVERY)
        deal_block(d, g / EVERY);
    *own = d->own[g % EVERY];
    return d->component[g % EVERY];
}

int64_t cg_deal_until(CgDeal *d, const int64_t *has)
{
    double least = INFINITY;
    for (int i = 0; i < d->n; i++)
        least = fmin(least, (double)has[i] / d->share[i]);
    if (d->n == 1)
        return has[0];
    /* Nobody is off by a row: the first part to be used up is so within a few rows of its share. */
    int64_t g = (int64_t)fmax(0, least - 2.0 * d->n - 2);
    for (uint64_t own;; g++) {
        int i = cg_deal_component(d, (uint64_t)g, &own);
        if ((int64_t)own >= has[i])
            return g;
    }
}
