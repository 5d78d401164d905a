/* budget.c - what evaluating may cost.
 * Takes steps and bytes as they are used; gives one diagnostic when there are none left. Must not stop what is cheap:
 * who used most of it is the innermost call or loop that used more than half. */
#include "elab/budget.h"

#include "elab/elab.h"

CgBudget cg_budget_begin(CgElab *e)
{
    CgBudget outside = e->budget;
    e->budget = (CgBudget){ 0 };
    return outside;
}

void cg_budget_end(CgElab *e, CgBudget outside) { e->budget = outside; }

void cg_activity_begin(CgElab *e, CgActivity *w, const char *what, CgAtom name, CgSpan span)
{
    *w = (CgActivity){ e->budget.work, what, name, span, e->budget.steps, e->budget.bytes };
    e->budget.work = w;
}

void cg_activity_end(CgElab *e, CgActivity *w) { e->budget.work = w->outer; }

static bool spent(CgElab *e, CgSpan at)
{
    CgBudget *b = &e->budget;
    bool steps = b->steps > CG_BUDGET_STEPS;
    const CgActivity *w = b->work;
    while (w && (steps ? b->steps - w->steps : b->bytes - w->bytes) * 2 < (steps ? b->steps : b->bytes))
        w = w->outer;
    b->spent = true;
    CgSpan span = w && w->span.file ? w->span : at;
    CgDiag *d = steps
        ? cg_elab_error(e, CG_E0331, span, "this takes more than %d steps to evaluate", CG_BUDGET_STEPS)
        : cg_elab_error(e, CG_E0331, span, "this makes values of more than %d MiB", CG_BUDGET_BYTES >> 20);
    if (w && w->name)
        cg_diag_note(d, (CgSpan){ 0 }, "most of it went into the %s '%s'", w->what, w->name);
    else if (w)
        cg_diag_note(d, (CgSpan){ 0 }, "most of it went into this %s", w->what);
    return false;
}

bool cg_budget_step(CgElab *e, CgSpan at)
{
    CgBudget *b = &e->budget;
    if (b->spent)
        return false;
    b->steps++;
    return (b->steps <= CG_BUDGET_STEPS && b->bytes <= CG_BUDGET_BYTES) || spent(e, at);
}

bool cg_budget_take(CgElab *e, int64_t bytes, CgSpan at)
{
    e->budget.bytes += bytes;
    return !e->budget.spent && (e->budget.bytes <= CG_BUDGET_BYTES || spent(e, at));
}
