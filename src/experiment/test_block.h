/* test_block.h - the test blocks of a script.
 * Takes their bodies; gives graphs with what each `expect` compares, checked like any other, and whether it holds. */
#ifndef CG_TESTING_H
#define CG_TESTING_H
#include "stage/expect.h"

struct CgSession;

typedef struct CgTestBlock {
    const CgStmt *stmt;
    CgModelGraph *model;
    CgExpects expects;
    bool broken; /* by a mistake that was reported */
} CgTestBlock;

/* Evaluates the body of each test of the script; mistakes are reported. Runs nothing. */
void cg_tests_build(struct CgSession *x);
void cg_test_free(CgTestBlock *t);
/* Runs one: true when everything it expects holds. What does not is reported in x->diags, with both values. */
CG_NODISCARD bool cg_test_run(struct CgSession *x, CgTestBlock *t);
#endif
