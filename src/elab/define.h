/* define.h - graphs checked where they are defined.
 * Takes graphs that nothing has applied yet; gives diagnostics that hold for whatever they will be given. The sizes of
 * the inputs are symbols, and so is a static int. An equation that some sizes satisfy is a condition of the graph, and
 * the check goes on with it put in; all else that is not known is silent. */
#ifndef CG_DEFINE_H
#define CG_DEFINE_H
#include "elab/elab.h"
#include "elab/signature.h"

/* A condition on the sizes of a graph: `symbol` is `value`, which may hold sizes that no name of a call has, such as
 * the K of heads*K. */
typedef struct CgCondition {
    CgAtom symbol;
    const CgDim *value;
    CgSpan span; /* where it was found */
    CgSpan from; /* where the value was said; may be nowhere */
    bool stated; /* behind `where` */
    bool maybe;  /* on some ways through the body only */
} CgCondition;
typedef struct CgConditions {
    int n;
    CgCondition *at;
} CgConditions;
/* Those that every application must meet; NULL: none, or not known. */
const CgConditions *cg_define_conditions(const CgElab *e, const CgStmt *graph);

/* Checks the graphs of the script and of the modules it imports. */
void cg_define_all(CgElab *e);
/* Whether mistakes were reported in the definition: then applying the graph says nothing more. */
bool cg_define_bad(CgElab *e, const CgStmt *graph, CgEnv *env);

/* ---- while a graph is checked (e->defining) ---- */

/* Nothing is to be said: the check starts again with another condition, or has gone on for too long. */
bool cg_define_silent(const CgElab *e);
/* Counts a step; false when there were too many. */
bool cg_define_step(CgElab *e);
const char *cg_define_name(const CgElab *e);
/* The body of the graph binds this name, or declares a parameter of it. */
bool cg_define_has(const CgStmt *graph, CgAtom name);
void cg_define_offer(const CgStmt *graph, CgSuggest *s); /* all that cg_define_has knows */
/* Where messages go. */
CgDiags *cg_define_diags(CgElab *e);
/* Two sizes at one place. True when nothing is wrong or nothing is known, and the result is unknown; false when they
 * can never be equal: the caller reports that and lets cg_define_explain add why. */
bool cg_define_equal(CgElab *e, const CgDim *a, const CgDim *b, CgSpan at);
/* a < b whatever the sizes are. Static numbers may be below 0, sizes are not; outside of a check all symbols are sizes.
 */
bool cg_define_less(const CgElab *e, const CgDim *a, const CgDim *b);
/* Where a size of the last equation was said. */
void cg_define_from(CgElab *e, const CgDim *size, CgSpan from);
void cg_define_explain(CgElab *e, CgDiag *d, const CgDim *a, const CgDim *b);
/* Two types of one parameter that differ. True when nothing is to be said: on different ways through a body, or for
 * sizes that may be equal. */
bool cg_define_types(CgElab *e, const CgType *a, const CgType *b, CgSpan at);
/* The size that a name in a pattern stands for, where no whole one follows; and one that nothing is known of. */
const CgDim *cg_define_size(CgElab *e, CgAtom name);
const CgDim *cg_define_any_size(CgElab *e);
bool cg_define_is_any(const CgDim *d); /* mentions one that nothing is known of */
/* The graph or def is being carried out already: once more would not end. */
bool cg_define_inside(const CgElab *e, const CgStmt *s);
/* Not a value that can be computed with: unknown, a size where a number is wanted, a list of unknown length. */
bool cg_define_vague(const CgElab *e, const CgValue *v);

/* a op b, one of them not known: a size, or a number that is not known. What has no exact quotient may be a size all
 * the same: where one is wanted, cg_define_whole makes a condition of that (T == 2*n for a whole n), of the elements of
 * a list, too. It reports what is whole for no sizes; so does, by its value, cg_define_divides. */
CgValue *cg_define_arithmetic(CgElab *e, CgAtom op, const CgValue *a, const CgValue *b, CgSpan span);
void cg_define_whole(CgElab *e, const CgValue *v, CgSpan at);
bool cg_define_divides(CgElab *e, const CgDim *a, const CgDim *b, CgSpan at);
/* A static argument of a declared kind. */
CgValue *cg_define_static(CgElab *e, CgKindTag kind, CgSpan span);
/* Argument i of a function, of which not all is known; NULL when the function cannot be carried out on it. */
CgValue *cg_define_argument(CgElab *e, const CgFunction *fn, int i, const CgKinds *kinds, CgValue *v);
/* The names of a call's patterns, one of whose tensors is not known. */
CgValue *cg_define_patterns(CgElab *e, CgFrame *f, const CgExpr *call);
/* Reports another number of results than the graph declares. */
void cg_define_count(CgElab *e, const CgFrame *body);
/* What is known of a result by its declared type. */
CgValue *cg_define_result(CgElab *e, CgFrame *body, const CgTypeExpr *want);
/* A tensor of which only the type is known. */
CgRef cg_define_tensor(CgElab *e, CgType t);

/* Statements on a value that is not known (define_body.c). */
void cg_define_if(CgElab *e, CgFrame *f, const CgStmt *s);
/* One turn: elements are what `item` is (NULL: unknown). */
void cg_define_for(CgElab *e, CgFrame *f, const CgStmt *s, CgValue *item);
CgValue *cg_define_choose(CgElab *e, CgFrame *f, const CgExpr *a, const CgExpr *b); /* one of two expressions */
CgValue *cg_define_either(CgElab *e, CgValue *a, CgValue *b); /* what is known of a value that is one of two */
#endif
