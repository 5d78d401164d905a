/* turns.c - terms of a loss that take turns.
 * Takes the field `turns` of a training; gives which loss each step makes small, and which parameters it changes: those
 * whose paths its name fits. Runs nothing. */
#include <string.h>

#include "stage/check.h"

int cg_stage_turn(const CgStage *s, int64_t step) { return s->order ? s->order[step % s->norder] : 0; }

int64_t cg_stage_updates(const CgStage *s, uint64_t turns, int64_t n)
{
    int64_t each = 0, rest = 0;
    for (int i = 0; i < s->norder; i++) {
        bool mine = turns >> s->order[i] & 1;
        each += mine;
        rest += mine && i < n % s->norder;
    }
    return s->order ? n / s->norder * each + rest : n;
}

uint64_t cg_turns_of(const CgStage *s, const char *path)
{
    uint64_t turns = s->order ? 0 : 1;
    for (int i = 0; s->order && i < s->nturns; i++)
        if (cg_path_matches(s->terms.name[i], path))
            turns |= (uint64_t)1 << i;
    return turns;
}

/* Which term a name is, or -1 after a mistake. */
static int term_of(CgElab *e, const CgStage *s, const CgValue *v, CgSpan span)
{
    CgSuggest near;
    cg_suggest_init(&near, v->kind == CG_VALUE_STR ? v->s : "");
    for (int i = 0; v->kind == CG_VALUE_STR && i < s->terms.n; i++) {
        if (!strcmp(s->terms.name[i], v->s))
            return i;
        cg_suggest_offer(&near, s->terms.name[i]);
    }
    if (cg_is_poison(v))
        return -1;
    if (v->kind != CG_VALUE_STR) {
        cg_elab_error(e, CG_E0607, span, "a turn is the name of a term of the loss, not %s", cg_value_kind_name(v));
        return -1;
    }
    CgDiag *d = cg_elab_error(e, CG_E0607, span, "the loss has no term '%s'", v->s);
    if (cg_suggest_best(&near))
        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&near));
    return -1;
}

/* What the steps are, in order; false after a mistake. */
static bool read_order(CgElab *e, const CgValue *v, const CgExpr *x, CgStage *s)
{
    bool *seen = CG_NEWN(e->arena, bool, s->terms.n);
    s->norder = v->n;
    s->order = CG_NEWN(e->arena, int, v->n);
    for (int i = 0; i < v->n; i++) {
        CgSpan at = v->at[i]->span.file ? v->at[i]->span : x->span;
        s->order[i] = term_of(e, s, v->at[i], at);
        if (s->order[i] < 0)
            return false;
        seen[s->order[i]] = true;
    }
    for (int i = 0; i < s->terms.n; i++)
        if (!seen[i]) {
            cg_elab_error(e, CG_E0607, x->span, "the term '%s' of the loss has no turn", s->terms.name[i]);
            return false;
        }
    return true;
}

/* Whether each trained parameter has a turn. */
static bool have_turns(CgElab *e, const CgStage *s, CgSpan span)
{
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        if (p->frozen || p->auxiliary || cg_turns_of(s, p->path))
            continue;
        CgDiag *d = cg_elab_error(e, CG_E0607, span, "no turn trains '%s'", p->path);
        cg_diag_note(d, p->span, "declared here");
        cg_diag_help(d, "a term of the loss trains what its name fits, as a pattern of paths; or freeze it");
        return false;
    }
    return true;
}

bool cg_check_turns(CgElab *e, CgFrame *f, const CgExpr *x, CgRef loss, CgStage *s)
{
    CgValue *v = x ? cg_eval(e, f, x) : NULL;
    s->nturns = v ? s->terms.n : 1;
    s->turns = CG_NEWN(e->arena, CgTurnLoss, s->nturns + 1);
    s->turns[0].loss = loss;
    if (!v || cg_is_poison(v))
        return !v;
    const char *why = v->kind != CG_VALUE_LIST || !v->n ? "turns are a list of names of terms of the loss"
        : !s->terms.n                                   ? "terms take turns where the loss is a record of them"
        : s->terms.n > CG_MOST_TURNS                    ? "no more than 64 terms take turns"
        : s->accumulate > 1                             ? "a loss whose terms take turns is not computed in shares"
                                                        : NULL;
    if (why) {
        CgDiag *d = cg_elab_error(e, CG_E0607, x->span, "%s", why);
        if (s->accumulate > 1 && s->terms.n)
            cg_diag_help(d, "leave 'accumulate' out");
        else
            cg_diag_help(d, "such as loss = { critic: .., maker: .. } and turns = [\"critic\", \"maker\"]");
        return false;
    }
    for (int i = 0; i < s->nturns; i++)
        s->turns[i].loss = s->terms.ref[i];
    return read_order(e, v, x, s) && have_turns(e, s, x->span);
}
