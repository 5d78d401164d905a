/* budget.h - what evaluating may cost.
 * Takes steps and bytes as they are used; gives one diagnostic when a top-level value, training, evaluation, test or
 * definition needs more, which names the def or comprehension that used most of it. */
#ifndef CG_BUDGET_H
#define CG_BUDGET_H
#include "base/intern.h"
#include "base/source.h"

typedef struct CgElab CgElab;

enum { CG_BUDGET_STEPS = 10000000, CG_BUDGET_BYTES = 64 << 20, CG_BUDGET_PARTS = 1 << 24, CG_BUDGET_DEPTH = 1000 };

/* A call of a def, a comprehension or a loop that is being carried out. Lives on the C stack. */
typedef struct CgActivity {
    struct CgActivity *outer;
    const char *what;
    CgAtom name; /* of the def; NULL: none */
    CgSpan span;
    int64_t steps, bytes; /* used before it began */
} CgActivity;

typedef struct CgBudget {
    int64_t steps, bytes; /* used so far */
    bool spent;           /* all that is evaluated from here on is poison */
    CgActivity *work;     /* innermost */
} CgBudget;

/* A new budget; gives the one it interrupts, for cg_budget_end. */
CgBudget cg_budget_begin(CgElab *e);
void cg_budget_end(CgElab *e, CgBudget outside);
void cg_activity_begin(CgElab *e, CgActivity *w, const char *what, CgAtom name, CgSpan span);
void cg_activity_end(CgElab *e, CgActivity *w);
/* One more step, or so many more bytes; false when there are none left, which was reported. */
bool cg_budget_step(CgElab *e, CgSpan at);
bool cg_budget_take(CgElab *e, int64_t bytes, CgSpan at);
#endif
