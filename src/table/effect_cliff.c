/* effect_cliff.c - Cliff's delta: Cliff 1993.
 * Takes two samples; gives how much more often a number of the first is above one of the second than below. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/stats.h"

static double cliff(const double *a, size_t na, const double *b, size_t nb)
{
    if (!na || !nb)
        return NAN;
    double *sorted = cg_malloc(sizeof *sorted * nb), more = 0;
    memcpy(sorted, b, sizeof *sorted * nb);
    cg_stats_sort(sorted, nb);
    for (size_t i = 0; i < na; i++) {
        size_t below = 0, upto = nb; /* how many of b are below a[i] */
        while (below < upto) {
            size_t middle = (below + upto) / 2;
            if (sorted[middle] < a[i])
                below = middle + 1;
            else
                upto = middle;
        }
        size_t to = below;
        for (size_t top = nb; to < top;) { /* and how many are no more */
            size_t middle = (to + top) / 2;
            if (sorted[middle] <= a[i])
                to = middle + 1;
            else
                top = middle;
        }
        more += (double)below - (double)(nb - to);
    }
    free(sorted);
    return more / (double)na / (double)nb;
}

CG_EFFECT(cliff, .run = cliff, .doc = "P(a > b) - P(a < b) (Cliff 1993)")
