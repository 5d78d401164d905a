/* claim.h - what a script claims of its numbers.
 * Takes the claims of a script; gives verdicts. A claim that is refuted is a finding, not a mistake. */
#ifndef CG_LIBRARY_CLAIM_H
#define CG_LIBRARY_CLAIM_H
#include "stage/session.h"

typedef struct CgClaims CgClaims;

/* Evaluates the claims of the script; mistakes are reported. Runs nothing. */
void cg_claims_build(CgSession *x);
void cg_claims_free(CgClaims *c);
/* Calls `each` with every value that a claim compares. */
void cg_claims_values(const CgSession *x, void (*each)(void *arg, const CgValue *v), void *arg);
bool cg_claims_any(const CgSession *x);
/* What is said of each claim, after all of them were tested: a row an expectation. NULL after a mistake. */
const CgTable *cg_claims_test(CgSession *x);
void cg_claims_print(const CgTable *t, CgStrbuf *out);
#endif
