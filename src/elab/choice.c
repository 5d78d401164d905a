/* choice.c - strings that are one of a few, by a type like { "relu", "silu" }.
 * Takes strings and the type; gives whether it has them, and what to say where it has not. */
#include "elab/elab.h"
#include "elab/signature.h"

bool cg_choice_has(const CgTypeExpr *type, CgAtom s)
{
    for (int i = 0; i < type->nchoices; i++)
        if (type->choices[i] == s)
            return true;
    return false;
}

CgValue *cg_choice_of(CgElab *e, const CgValue *v, const CgTypeExpr *type)
{
    CgValue *out = cg_value_new(e, v->kind, v->span);
    out->s = v->s;
    out->choices = v->kind == CG_VALUE_STR ? type : NULL;
    return out;
}

void cg_choice_list(const CgTypeExpr *type, CgAtom s, CgStrbuf *all, CgSuggest *near)
{
    cg_suggest_init(near, s);
    for (int i = 0; i < type->nchoices; i++) {
        cg_suggest_offer(near, type->choices[i]);
        cg_strbuf_printf(all, "%s\"%s\"", i == 0 ? "" : i == type->nchoices - 1 ? " or " : ", ", type->choices[i]);
    }
}

bool cg_choice_compares(CgElab *e, const CgValue *of, const CgValue *v, CgSpan span)
{
    if (of->kind != CG_VALUE_STR || !of->choices || v->kind != CG_VALUE_STR || cg_choice_has(of->choices, v->s))
        return true;
    CgStrbuf all = { 0 };
    CgSuggest near;
    cg_choice_list(of->choices, v->s, &all, &near);
    CgDiag *d = cg_elab_error(e, CG_E0321, span, "this is %s, never \"%s\"", cg_strbuf_str(&all), v->s);
    cg_diag_note(d, of->choices->span, "declared here");
    cg_diag_meant(d, &near);
    cg_strbuf_deinit(&all);
    return false;
}
