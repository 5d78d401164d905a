/* contract.c - what a graph or def demands of its arguments.
 * Takes a declaration whose names are bound in a frame; evaluates the conditions behind its `where`, and reports the
 * first that does not hold at the argument that is to blame. Must not enter the body. */
#include <string.h>

#include "elab/define.h"
#include "lang/fmt.h"

enum { MAX_NAMES = CG_CONTRACT_NAMES };

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

/* A field of a field .. of the record of that name. */
static bool is_field_of(const CgExpr *x, void *name)
{
    const CgExpr *base = x;
    while (base->kind == CG_EXPR_FIELD)
        base = base->a;
    return base != x && base->kind == CG_EXPR_NAME && base->s == *(CgAtom *)name;
}

/* What the fields of a record lead to; NULL where one is not there. */
static CgValue *follow(CgValue *record, const CgExpr *x)
{
    if (x->kind != CG_EXPR_FIELD)
        return record;
    CgValue *of = follow(record, x->a);
    return of && of->kind == CG_VALUE_RECORD ? cg_record_find(of, x->s) : NULL;
}

/* The value of a name in the frame of the call; NULL for what is no argument and no size. */
static CgValue *value_of(CgElab *e, CgFrame *f, CgAtom name)
{
    CgValue *own = cg_frame_name(f, name);
    if (own)
        return own;
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

/* A default is nobody's argument. */
static bool is_default(const CgStmt *s, CgSpan span)
{
    return span.file == s->span.file && span.start >= s->span.start && span.end <= s->span.end;
}

/* What does not hold of a call: the names it is about, and how it is written. */
typedef struct Broken {
    const char *text;
    CgSpan span, from;
    const CgAtom *names;
    int n;
    const CgExpr *condition; /* as it is written; NULL: nobody wrote it */
} Broken;

/* The value that a condition reads by a name. Of a record it is a field, by whose text *shown becomes the name. */
static CgValue *read_of(CgElab *e, CgFrame *f, const Broken *b, CgAtom name, CgAtom *shown)
{
    CgValue *v = value_of(e, f, name);
    const CgExpr *field = v && v->kind == CG_VALUE_RECORD ? cg_expr_find(b->condition, is_field_of, &name) : NULL;
    CgValue *read = field ? follow(v, field) : NULL;
    CgStrbuf text = { 0 };
    *shown = name;
    if (!read)
        return v;
    cg_expr_format(field, &text);
    *shown = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return read;
}

/* At the last argument of the author's that the condition names: what is given beside sizes is easier to change. */
static CgDiag *report(CgElab *e, CgFrame *f, const CgStmt *s, const Broken *b, CgSpan call)
{
    CgValue *values[MAX_NAMES];
    CgAtom names[MAX_NAMES];
    int n = b->n, blamed = -1, best = 0;
    for (int i = 0; i < n; i++) {
        values[i] = read_of(e, f, b, b->names[i], &names[i]);
        bool located = values[i] && values[i]->span.file && values[i]->kind != CG_VALUE_TENSOR;
        bool given = located && !is_default(s, values[i]->span), argument = given && param_of(s, b->names[i]);
        int rank = argument ? 3 : given ? 2 : located;
        if (rank > 0 && rank >= best) {
            best = rank;
            blamed = i;
        }
    }
    CgStrbuf value = { 0 };
    CgDiag *d;
    if (blamed >= 0) {
        cg_value_print(values[blamed], &value);
        d = cg_elab_error(e, CG_E0320, values[blamed]->span, "'%s' needs %s, and %s is %s", s->names[0], b->text,
            names[blamed], cg_strbuf_str(&value));
    } else {
        d = cg_elab_error(e, CG_E0320, call, "'%s' needs %s", s->names[0], b->text);
    }
    for (int i = 0; i < n; i++)
        if (i != blamed && values[i] && values[i]->span.file && values[i]->kind != CG_VALUE_TENSOR)
            say_value(d, names[i], values[i]);
    cg_diag_note(d, b->span, "the condition");
    if (b->from.file)
        cg_diag_note(d, b->from, "%s comes from here", strstr(b->text, "== ") + 3);
    cg_strbuf_deinit(&value);
    return d;
}

/* Tokens of rows that are filled up, and a parameter of the condition that was given nothing and takes their mask. */
static void help_mask(CgElab *e, CgFrame *f, CgDiag *d, const CgAtom *names, int n)
{
    CgAtom mask = NULL, open = NULL;
    for (int i = 0; i < n && e->model; i++) {
        const CgValue *v = value_of(e, f, names[i]);
        if (v && v->kind == CG_VALUE_NONE)
            open = names[i];
        else if (v && v->kind == CG_VALUE_TENSOR)
            mask = cg_below_of(e, v).filled;
    }
    if (mask && open)
        cg_diag_help(d, "these rows are filled up: %s = batch.%s says what counts", open, mask);
}

static void report_contract(CgElab *e, CgFrame *f, const CgStmt *s, const CgExpr *condition, CgSpan call)
{
    const CgExpr *written[MAX_NAMES];
    CgAtom names[MAX_NAMES];
    CgStrbuf text = { 0 };
    int n = names_of(condition, written, 0);
    for (int i = 0; i < n; i++)
        names[i] = written[i]->s;
    cg_expr_format(condition, &text);
    CgDiag *d = report(e, f, s, &(Broken){ cg_strbuf_str(&text), condition->span, { 0 }, names, n, condition }, call);
    help_mask(e, f, d, names, n);
    cg_strbuf_deinit(&text);
}

/* Whether every name of the condition has a number, a text or the like: one with a size that is a symbol has to wait.
 */
static bool is_known(CgElab *e, CgFrame *f, const CgStmt *s, const CgExpr *condition, CgSpan call)
{
    const CgExpr *names[MAX_NAMES];
    CgWaiting w = { s, condition, f->env, call, { NULL }, { NULL }, 0 };
    int n = names_of(condition, names, 0);
    bool waits = false;
    for (int i = 0; i < n; i++) {
        CgValue *v = value_of(e, f, names[i]->s);
        if (v && cg_is_poison(v))
            return false;
        if (!v)
            continue;
        waits |= v->kind == CG_VALUE_DIM;
        w.names[w.n] = names[i]->s;
        w.values[w.n++] = v;
    }
    if (waits && e->model)
        cg_vec_push(&e->model->waiting, w);
    return !waits;
}

/* False when the condition does not hold, which is reported. */
static bool holds(CgElab *e, CgFrame *f, const CgStmt *s, const CgExpr *condition, CgSpan call)
{
    CgValue *v = cg_eval(e, f, condition);
    if (cg_is_poison(v))
        return false;
    if (v->kind != CG_VALUE_BOOL)
        cg_elab_error(e, CG_E0314, condition->span, "a condition is true or false, not %s", cg_value_kind_name(v));
    else if (!v->i)
        report_contract(e, f, s, condition, call);
    return v->kind == CG_VALUE_BOOL && v->i;
}

/* The value with the size's number put in; NULL while another size is not known. */
static CgValue *settled(CgElab *e, CgValue *v, CgBinding size, CgSpan span)
{
    int64_t number;
    CgAtom symbol;
    if (v->kind != CG_VALUE_DIM)
        return v;
    if (!cg_dim_eval(v->dim, (CgBindings){ &size, 1 }, &number, NULL))
        return NULL;
    CgValue *out = cg_value_int(e, number, cg_dim_is_symbol(v->dim, &symbol) ? span : v->span);
    out->is_size = true;
    return out;
}

bool cg_contracts_settle(CgElab *e, const char *size, int64_t number, CgSpan span)
{
    const CgBinding binding = { cg_intern(size), number };
    bool good = true;
    for (size_t i = 0; i < e->model->waiting.len && good; i++) {
        const CgWaiting *w = &e->model->waiting.at[i];
        bool known = true;
        CgFrame f;
        cg_frame_begin(e, &f, NULL, w->env);
        for (int k = 0; k < w->n && known; k++) {
            CgValue *v = settled(e, w->values[k], binding, span);
            known = v != NULL;
            if (known)
                cg_frame_bind(&f, w->names[k], v);
        }
        good = !known || holds(e, &f, w->stmt, w->condition, w->call);
        cg_frame_end(e, &f);
    }
    return good;
}

bool cg_contracts_check(CgElab *e, CgFrame *f, const CgStmt *s, bool sizes, CgSpan call)
{
    for (int i = 0; i < s->ncontracts; i++) {
        const CgExpr *condition = s->contracts[i], *names[MAX_NAMES];
        int n = names_of(condition, names, 0);
        bool tensors = false;
        for (int k = 0; k < n; k++)
            tensors |= hangs_on_tensors(s, names[k]->s);
        if (tensors == sizes && is_known(e, f, s, condition, call) && !holds(e, f, s, condition, call))
            return false;
    }
    return true;
}

/* ---- conditions that the definition of a graph has found (define.h) ---- */

/* The number of a size or static integer in the frame of the call; false: it is none. */
static bool number_of(CgElab *e, CgFrame *f, CgAtom name, int64_t *out)
{
    const CgValue *v = value_of(e, f, name);
    const CgDim *size = v ? cg_value_as_dim(v) : NULL;
    return size && cg_dim_is_int(size, out);
}

/* Puts numbers in for the names that the call knows, which it lists; NULL where one of them is no number. */
static const CgDim *put_in(CgElab *e, CgFrame *f, const CgStmt *s, const CgDim *value, CgAtom *names, int *n)
{
    int64_t number;
    for (int i = 0; i < s->nparams + (int)f->dims.len && value; i++) {
        CgAtom name = i < s->nparams ? s->params[i].name : f->dims.at[i - s->nparams].name;
        if (!cg_dim_mentions(value, name))
            continue;
        if (!number_of(e, f, name, &number))
            return NULL;
        if (*n < MAX_NAMES)
            names[(*n)++] = name;
        value = cg_dim_subst(value, name, cg_dim_int(number));
    }
    return value;
}

bool cg_conditions_check(CgElab *e, CgFrame *f, const CgStmt *s, CgSpan call)
{
    const CgConditions *all = cg_define_conditions(e, s);
    const CgDim *solved[MAX_NAMES]; /* sizes that no name of the call has, such as the K of heads*K */
    CgAtom open[MAX_NAMES];
    int nopen = 0;
    for (int i = 0; all && i < all->n; i++) {
        const CgCondition *c = &all->at[i];
        CgAtom names[MAX_NAMES] = { c->symbol }, fresh = NULL;
        int64_t want;
        int n = 1;
        const CgDim *value = number_of(e, f, c->symbol, &want) ? put_in(e, f, s, c->value, names, &n) : NULL;
        for (int k = 0; k < nopen && value; k++)
            value = cg_dim_subst(value, open[k], solved[k]);
        int64_t have = 0;
        if (!value
            || (!cg_dim_eval(value, (CgBindings){ 0 }, &have, &fresh)
                && !cg_dim_eval(value, (CgBindings){ &(CgBinding){ fresh, 1 }, 1 }, &have, NULL)))
            continue; /* sizes of this application that are not known, or several at once */
        const CgDim *solution = fresh ? cg_dim_solve(value, fresh, cg_dim_int(want)) : NULL;
        if (fresh && solution && nopen < MAX_NAMES) {
            open[nopen] = fresh;
            solved[nopen++] = solution;
        }
        if (fresh ? solution != NULL : have == want || have == 1 || want == 1) /* a 1 may be one that grows */
            continue;
        CgStrbuf text = { 0 };
        cg_strbuf_printf(&text, "%s == ", c->symbol);
        cg_dim_print(c->value, &text);
        if (fresh)
            cg_strbuf_printf(&text, " for a whole %s", fresh);
        report(e, f, s,
            &(Broken){ cg_strbuf_str(&text), c->span, cg_dim_is_int(c->value, NULL) ? c->from : (CgSpan){ 0 }, names, n,
                NULL },
            call);
        cg_strbuf_deinit(&text);
        return false;
    }
    return true;
}
