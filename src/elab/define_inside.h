/* define_inside.h - the state of a check of a definition.
 * Shared by define.c, which carries the graph out, and unknown.c, which says what is known meanwhile. */
#ifndef CG_DEFINE_INSIDE_H
#define CG_DEFINE_INSIDE_H
#include "elab/define.h"

/* What replaces what: a size of the author's own names last. */
enum { WORTH_NOTHING, WORTH_STATIC, WORTH_SIZE, WORTH_FRESH };

typedef struct CgSymbol {
    CgAtom name;
    int worth;
    bool kept; /* from one run of the check to the next: a condition may be about it */
    CgSpan span;
} CgSymbol;

/* What has no exact quotient as polynomials: a symbol stands for it. */
typedef struct CgQuotient {
    const CgDim *a, *b, *symbol;
} CgQuotient;

typedef struct CgDefine {
    struct CgDefine *outer; /* whose check led to this one */
    const CgStmt *graph;
    CgEnv *env;
    CG_VEC(CgSymbol) symbols;
    CG_VEC(CgCondition) conditions;
    CG_VEC(CgQuotient) quotients;
    CgDiags *scratch;  /* what is said when nothing is to be said */
    bool again, spent; /* a condition was found; too many steps */
    CgAtom alike[2];   /* the last equation is of these two sizes of the inputs' own types; NULL: it is not */
    int steps, sizes;
    int row;      /* axes that ..s stands for */
    bool options; /* tensors that have a default are given */
} CgDefine;

/* Puts in from the beginning what an equation behind `where` says; keeps what every application must meet. */
void cg_define_state(CgDefine *d, const CgExpr *contract);
void cg_define_keep(CgElab *e, const CgDefine *d);
/* The size that a symbol stands for: itself, or what a condition has put in its place. */
const CgDim *cg_define_symbol(CgDefine *d, CgAtom name, int of_worth, CgSpan span);
/* A symbol of this name, or one like it, for what no name of the script stands for. */
const CgDim *cg_define_kept(CgDefine *d, CgAtom name, int of_worth);
/* A symbol in it may be a number below 0: a size is not. */
bool cg_define_negative(const CgDefine *d, const CgDim *x);
#endif
