/* contract.c - what a graph or def demands of its arguments.
 * Takes a declaration whose names are bound in a frame; evaluates the conditions behind its `where`, and reports the
 * first that does not hold at the argument that is to blame. Must not enter the body. */
#include <string.h>

#include "elab/elab.h"
#include "lang/fmt.h"

enum { MAX_NAMES = 16 };

/* The names of a condition, in the order written, each once. */
static int names_of(const CgExpr *x, const CgExpr **names, int n)
{
    if (!x)
        return n;
    if (x->kind == CG_EXPR_NAME) {
        for (int i = 0; i < n; i++)
            if (names[i]->s == x->s)
                return n;
        if (n < MAX_NAMES)
            names[n++] = x;
        return n;
    }
    n = names_of(x->a, names, n);
    n = names_of(x->b, names, n);
    n = names_of(x->c, names, n);
    n = names_of(x->d, names, n);
    for (int i = 0; i < x->args.n; i++)
        n = names_of(x->args.at[i].value, names, n);
    return n;
}

static bool mentions(const CgExpr *x, CgAtom name)
{
    const CgExpr *names[MAX_NAMES];
    int n = names_of(x, names, 0);
    for (int i = 0; i < n; i++)
        if (names[i]->s == name)
            return true;
    return false;
}

static const CgParam *param_of(const CgStmt *s, CgAtom name)
{
    for (int i = 0; i < s->nparams; i++)
        if (s->params[i].name == name)
            return &s->params[i];
    return NULL;
}

/* Whether a name is known only when tensors are: one of them, or a size of theirs. */
static bool hangs_on_tensors(const CgStmt *s, CgAtom name)
{
    const CgParam *own = param_of(s, name);
    if (own)
        return s->kind == CG_STMT_GRAPH && cg_param_is_tensor(own);
    for (int i = 0; i < s->nparams; i++)
        for (int k = 0; cg_param_is_tensor(&s->params[i]) && k < s->params[i].type->ndims; k++)
            if (mentions(s->params[i].type->dims[k], name))
                return true;
    return false;
}

/* The value of a name in the frame of the call; NULL for what is no argument and no size. */
static CgValue *value_of(CgElab *e, CgFrame *f, CgAtom name)
{
    for (size_t i = f->names.len; i-- > 0;)
        if (f->names.at[i].name == name)
            return f->names.at[i].value;
    CgSized *size = cg_frame_dim(f, name);
    return size ? cg_value_dim(e, size->dim, size->span) : NULL;
}

static void say_value(CgDiag *d, CgAtom name, const CgValue *v)
{
    CgStrbuf text = { 0 };
    cg_value_print(v, &text);
    cg_diag_note(d, v->span, "%s = %s comes from here", name, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

/* At the last argument of the author's that the condition names: what is given beside sizes is easier to change. */
static void report(CgElab *e, CgFrame *f, const CgStmt *s, const CgExpr *condition, CgSpan call)
{
    const CgExpr *names[MAX_NAMES];
    CgValue *values[MAX_NAMES];
    int n = names_of(condition, names, 0), blamed = -1;
    for (int i = 0; i < n; i++) {
        values[i] = value_of(e, f, names[i]->s);
        bool place = values[i] && values[i]->span.file && values[i]->kind != CG_VALUE_TENSOR;
        bool argument = place && param_of(s, names[i]->s) != NULL;
        if (place && (argument || blamed < 0 || !param_of(s, names[blamed]->s)))
            blamed = i;
    }
    CgStrbuf text = { 0 }, value = { 0 };
    cg_expr_format(condition, &text);
    CgDiag *d;
    if (blamed >= 0) {
        cg_value_print(values[blamed], &value);
        d = cg_elab_error(e, CG_E0320, values[blamed]->span, "'%s' needs %s, and %s is %s", s->names[0],
            cg_strbuf_str(&text), names[blamed]->s, cg_strbuf_str(&value));
    } else {
        d = cg_elab_error(e, CG_E0320, call, "'%s' needs %s", s->names[0], cg_strbuf_str(&text));
    }
    for (int i = 0; i < n; i++)
        if (i != blamed && values[i] && values[i]->span.file && values[i]->kind != CG_VALUE_TENSOR)
            say_value(d, names[i]->s, values[i]);
    cg_diag_note(d, condition->span, "the condition");
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&value);
}

/* Whether every name of the condition has a number, a text or the like: a size that is a symbol has none yet. */
static bool is_known(CgElab *e, CgFrame *f, const CgExpr *condition)
{
    const CgExpr *names[MAX_NAMES];
    int n = names_of(condition, names, 0);
    for (int i = 0; i < n; i++) {
        const CgValue *v = value_of(e, f, names[i]->s);
        if (v && (v->kind == CG_VALUE_DIM || cg_is_poison(v)))
            return false;
    }
    return true;
}

bool cg_contracts_check(CgElab *e, CgFrame *f, const CgStmt *s, bool sizes, CgSpan call)
{
    for (int i = 0; i < s->ncontracts; i++) {
        const CgExpr *condition = s->contracts[i], *names[MAX_NAMES];
        int n = names_of(condition, names, 0);
        bool tensors = false;
        for (int k = 0; k < n; k++)
            tensors |= hangs_on_tensors(s, names[k]->s);
        if (tensors != sizes || !is_known(e, f, condition))
            continue;
        CgValue *v = cg_eval(e, f, condition);
        if (cg_is_poison(v))
            return false;
        if (v->kind != CG_VALUE_BOOL) {
            cg_elab_error(e, CG_E0305, condition->span, "a condition is true or false, not %s", cg_value_kind_name(v));
            return false;
        }
        if (!v->i) {
            report(e, f, s, condition, call);
            return false;
        }
    }
    return true;
}
