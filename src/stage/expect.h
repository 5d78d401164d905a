/* expect.h - what `expect` and `show` look at.
 * Takes these statements, of the body of a test or, with --debug, of a graph; gives tensors of the graph being built,
 * and what is to be compared or shown once they have numbers. */
#ifndef CG_EXPECT_H
#define CG_EXPECT_H
#include "elab/elab.h"
#include "run/exec.h"

/* One side of a comparison: a static value, or one of the tensors. */
typedef struct CgSide {
    CgValue *value;
    int output /* -1: static */;
    CgSpan span;
} CgSide;

typedef struct CgExpect {
    const CgStmt *stmt;
    CgAtom part; /* the path of the part in whose body it stands; "" in a test, and in the whole model */
    CgSpan span, caret;
    bool shown; /* left is shown, nothing is compared */
    CgAtom op;  /* "==" ... ">=", "close", or NULL: left is true everywhere */
    CgSide left, right;
    double tolerance;
} CgExpect;

typedef struct CgExpects {
    CG_VEC(CgExpect) at;
    CG_VEC(CgRef) tensors; /* what to compute, in the graph that was being built */
    bool broken;           /* by a mistake that was reported */
} CgExpects;

/* Adds what a statement `expect` or `show` looks at; a mistake is reported. */
void cg_expects_add(CgElab *e, CgFrame *f, const CgStmt *s, CgExpects *to);
/* `exec` has run a graph whose outputs are the tensors. Writes what is shown to stderr, and reports in x->diags, with
 * both values, what does not hold; false if there is such. `when`: "step 7", "" where there is nothing to be said. */
CG_NODISCARD bool cg_expects_hold(CgSession *x, const CgExpects *of, const CgExec *exec, const char *when);
void cg_expects_free(CgExpects *of);
#endif
