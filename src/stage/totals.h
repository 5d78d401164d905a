/* totals.h - sums over the rows of a batch that comes in shares.
 * Takes the sums of one share after another; gives their totals, and the loss of these. */
#ifndef CG_TOTALS_H
#define CG_TOTALS_H
#include "stage/runner.h"

typedef struct CgTotals {
    int n;
    struct CgTotal {
        CgDtype dtype;
        size_t count;
        void *share; /* of one share: where a run leaves it */
        double *sum; /* of the shares so far */
        void *total; /* the same as a tensor */
    } * at;
    CgRunner loss; /* of the totals */
} CgTotals;

CG_NODISCARD bool cg_totals_new(CgSession *x, const CgShares *s, const CgMemory *m, CgSpan at, CgTotals *out);
void cg_totals_free(CgTotals *t);
void cg_totals_clear(CgTotals *t);
/* The outputs of a runner from `first` on are the sums of a share; `wanted` (may be NULL): only those. */
void cg_totals_bind_shares(const CgTotals *t, const CgRunner *r, int first, const bool *wanted);
void cg_totals_bind(const CgTotals *t, const CgRunner *r); /* to the inputs total.I of a runner */
void cg_totals_add(CgTotals *t, const bool *wanted);
void cg_totals_close(CgTotals *t, double scale);         /* the totals, times `scale` */
double cg_totals_loss(CgTotals *t, float *terms, int n); /* of the totals that were closed, and its n terms */
bool cg_totals_float(const CgTotals *t);                 /* all are real numbers, so that a scale makes sense */
#endif
