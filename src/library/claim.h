/* claim.h - what a script claims of its numbers.
 * Takes the claims of a script; gives verdicts. A claim that is refuted is a finding, not a mistake. */
#ifndef CG_LIBRARY_CLAIM_H
#define CG_LIBRARY_CLAIM_H
#include "stage/session.h"
#include "table/stats.h"

typedef struct CgClaims CgClaims;

/* Evaluates the claims of the script; mistakes are reported. Runs nothing. */
void cg_claims_build(CgSession *x);
void cg_claims_free(CgClaims *c);
/* Calls `each` with every value that a claim compares. */
void cg_claims_values(const CgSession *x, void (*each)(void *arg, const CgValue *v), void *arg);
bool cg_claims_any(const CgSession *x);
/* What is said of each claim, after all of them were tested: a row an expectation. NULL after a mistake. */
const CgTable *cg_claims_test(CgSession *x);
/* What the results that are there say of an expectation to be tested again: how much its clusters of rows differ. */
typedef struct CgPilot {
    const char *claim, *expected; /* as they are written */
    const CgValue *side[2];
    size_t clusters;     /* 0: its numbers could not be computed, which is reported */
    double rows;         /* of a cluster, in the mean; 0: clusters are single rows */
    double effect;       /* above 0 where it is as claimed */
    int64_t look;        /* that the next results on these test rows are; 0: there are none */
    size_t expectations; /* of the script, among which the level is shared */
    CgDesign design;     /* its effect and level are what is asked, see claim.c */
} CgPilot;
size_t cg_claims_count(const CgSession *x);
CG_NODISCARD bool cg_claims_pilot(CgSession *x, size_t i, CgPilot *out);
void cg_claims_print(const CgTable *t, CgStrbuf *out);
#endif
