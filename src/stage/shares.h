/* shares.h - a loss over a batch that is computed share by share.
 * Takes a loss whose dependence on the rows of its batch is by sums over them (graph/rows.h); gives these sums as a
 * graph of one share, the loss as a function of their totals, and what to differentiate so that the gradients of all
 * shares add up to that of the whole batch, also where the loss divides by a sum. */
#ifndef CG_SHARES_H
#define CG_SHARES_H
#include "elab/elab.h"

/* Numbers with names: the terms of a loss, or metrics. */
typedef struct CgTerms {
    int n;
    CgAtom *name;
    CgRef *ref;
} CgTerms;

typedef struct CgShares {
    int n;           /* sums */
    CgRef *sum;      /* (n): in the graph of the loss */
    bool *wanted;    /* (n): the derivative needs its total before */
    CgGraph *sums;   /* optimised: outputs all sums of a share */
    CgGraph *before; /* optimised: outputs the wanted ones; NULL where there are none */
    CgGraph *loss; /* optimised: inputs total.0, .. and those of `sums` that matter; outputs the loss, then its terms */
    CgRef mixed;   /* a node that looks across rows otherwise: then there is nothing else */
} CgShares;

/* The loss, made of these terms, of a batch whose size is the symbol `batch`. */
CgShares cg_shares_find(CgModelGraph *m, CgRef loss, const CgTerms *terms, const CgDim *batch);
/* The node of one share that is differentiated; its inputs total.I are those that are wanted. NONE after a mistake,
 * which is in *err and at *where. */
CgRef cg_shares_build(CgShares *s, CgModelGraph *m, CgRef loss, int64_t shares, CgRef *where, CgErr *err);
/* The loss, then its terms (may be NULL), as they were written: nothing fused. */
CgGraph *cg_shares_plain(const CgModelGraph *m, CgRef loss, const CgTerms *terms);
void cg_shares_free(CgShares *s);
#endif
