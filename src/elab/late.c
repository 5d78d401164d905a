/* late.c - numbers and columns that are there when the script runs.
 * Takes an operator and its operands; gives the call that computes it then. What it computes is said in
 * library/column.c: the functions `arithmetic` and `column_arithmetic`, each of an operator and up to two operands. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"

static bool is_column(const CgValue *v)
{
    const CgClass *cls = cg_value_class(v);
    return cls == &cg_class_column || cls == &cg_class_labels;
}

bool cg_is_late(const CgValue *v)
{
    if (v->kind == CG_VALUE_COLUMN)
        return true;
    if (v->kind != CG_VALUE_CALL)
        return false;
    const CgKinds *result = &cg_function_signature(v->function)->result;
    return is_column(v)
        || (!cg_value_class(v)
            && (cg_kinds_have(result, CG_KIND_FLOAT, NULL) || cg_kinds_have(result, CG_KIND_INT, NULL)));
}

CgValue *cg_late(CgElab *e, const char *op, CgValue **in, const CgSpan *spans, int n, CgSpan span)
{
    bool column = false;
    for (int i = 0; i < n; i++) {
        if (cg_is_poison(in[i]))
            return in[i];
        column |= is_column(in[i]);
    }
    const CgFunction *f = cg_function_find(column ? "column_arithmetic" : "arithmetic");
    CgArguments a = { .function = f, .n = 3, .call = span };
    const CgSignature *s = cg_function_signature(f);
    a.at[0] = cg_value_str(e, op, span);
    for (int i = 0; i < 2; i++) {
        a.at[i + 1] = i < n ? in[i] : cg_value_new(e, CG_VALUE_NONE, span);
        a.span[i + 1] = i < n && spans && spans[i].file ? spans[i] : span;
        if (i < n && !cg_kinds_take(e, &s->param[i + 1], in[i], CG_KNOWN_LATER)) {
            cg_elab_error(e, CG_E0313, a.span[i + 1], "'%s' has no meaning for %s and %s", op,
                cg_value_kind_name(in[0]), n > 1 ? cg_value_kind_name(in[1]) : "nothing");
            return cg_value_poison(e);
        }
    }
    if (n > 2) {
        cg_elab_error(e, CG_E0303, span, "'%s' of what is known when the script runs takes one or two operands", op);
        return cg_value_poison(e);
    }
    return f->build(e, NULL, &a);
}

CgValue *cg_function_later(CgElab *e, const CgArguments *a, int more)
{
    const CgSignature *s = cg_function_signature(a->function);
    CgValue *v = cg_value_record(e, s->n + more, a->call);
    v->kind = CG_VALUE_CALL;
    v->function = a->function;
    for (int i = 0; i < s->n; i++) {
        v->keys[i] = s->stmt->params[i].name;
        v->at[i] = a->at[i];
    }
    return v;
}
