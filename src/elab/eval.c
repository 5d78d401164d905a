/* eval.c - the expression language, shared by graphs and experiments.
 * Takes expressions and frames; gives values. Calls, ops and patterns are in files of their own. */
#include <math.h>
#include <string.h>

#include "elab/define.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "lang/foreign.h"
#include "lang/resolve.h"

enum { MAX_DEPTH = 3000 };

/* A parameter starts from what is known before its graph runs. */
static CgValue *before_the_graph(CgElab *e, CgAtom name, CgSpan use)
{
    CgDiag *d =
        cg_elab_error(e, CG_E0503, use, "'%s' is a tensor of this graph, and a parameter starts before it runs", name);
    cg_diag_help(d, "numbers, sizes and static arguments are known then");
    return cg_value_poison(e);
}

CgValue *cg_column_missing(CgElab *e, const CgFrame *columns, CgAtom name, CgSpan use)
{
    bool rows = columns->names.len && columns->names.at[0].value->kind == CG_VALUE_TENSOR;
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (size_t i = 0; i < columns->names.len; i++)
        cg_suggest_offer(&s, columns->names.at[i].name);
    CgDiag *d = rows ? cg_elab_error(e, CG_E0601, use, "the rows have no field '%s'", name)
                     : cg_elab_error(e, CG_E0601, use, "the table has no column '%s'", name);
    CgSuggest others; /* method = spearmann */
    cg_suggest_init(&others, name);
    cg_env_suggest(e, columns->env, false, &others);
    if (cg_suggest_best(&s) || !cg_diag_meant(d, &others))
        cg_diag_meant_or_all(d, &s, rows ? "its fields are" : "its columns are");
    bool texts = false, known = cg_function_find(name) || cg_op_find(name);
    for (size_t i = 0; i < columns->names.len; i++)
        texts |= cg_value_class(columns->names.at[i].value) == &cg_class_labels;
    if (texts && !known && !cg_suggest_best(&s) && !cg_suggest_best(&others))
        cg_diag_help(d, "a text stands in double quotes: \"%s\"", name);
    return cg_value_poison(e);
}

static CgValue *find(CgElab *e, CgFrame *f, CgAtom name, CgSpan use)
{
    bool initial = false;
    for (CgFrame *at = f; at; initial = initial || at->is_initial, at = at->outer) {
        CgValue *own = cg_frame_name(at, name);
        if (own && initial && cg_value_tensor_in(own))
            return before_the_graph(e, name, use);
        if (own)
            return own;
        const CgSized *size = cg_frame_own_dim(at, name);
        if (size) {
            CgValue *v = cg_value_dim(e, size->dim, size->span);
            v->span = size->span;
            return v;
        }
    }
    CgValue *v = cg_env_find(e, f->env, name);
    if (v)
        return v;
    uint64_t reported;
    CgAtom two[2];
    if (!cg_map_get(&e->unresolved, cg_resolve_key(use), &reported) && cg_env_clashes(f->env, name, two)) {
        cg_elab_error(e, CG_E0204, use, "'%s' and '%s' both have the name that is used here", two[0], two[1]);
        return cg_value_poison(e);
    }
    if (e->defining || cg_map_get(&e->unresolved, cg_resolve_key(use), &reported))
        return cg_value_poison(e); /* a name is bound on some ways through a body that is checked */
    const CgFrame *columns = f;
    while (columns && !columns->is_columns)
        columns = columns->outer;
    if (columns)
        return cg_column_missing(e, columns, name, use);
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (CgFrame *at = f; at; at = at->outer) {
        for (size_t i = 0; i < at->names.len; i++)
            cg_suggest_offer(&s, at->names.at[i].name);
        for (size_t i = 0; i < at->dims.len; i++)
            cg_suggest_offer(&s, at->dims.at[i].name);
    }
    cg_env_suggest(e, f->env, false, &s);
    cg_env_suggest(e, f->env, true, &s);
    cg_diag_meant(cg_elab_error(e, CG_E0301, use, "'%s' is not bound to anything", name), &s);
    return cg_value_poison(e);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

/* op.softmax: the op itself, where a graph of the same name would be meant. */
static CgValue *op_by_name(CgElab *e, const CgExpr *x)
{
    CgValue *v = cg_value_new(e, CG_VALUE_OP, x->span);
    v->op = cg_op_find(x->s);
    if (v->op)
        return v;
    uint64_t reported;
    if (cg_map_get(&e->unresolved, cg_resolve_key(x->op_span.file ? x->op_span : x->span), &reported))
        return cg_value_poison(e);
    CgSuggest s;
    cg_suggest_init(&s, x->s);
    for (size_t i = 0; i < cg_op_count(); i++)
        cg_suggest_offer(&s, cg_op_at(i)->name);
    CgDiag *d = cg_elab_error(e, CG_E0302, x->span, "there is no op '%s'", x->s);
    cg_diag_meant(d, &s);
    return cg_value_poison(e);
}

static bool in_frame(CgFrame *f, CgAtom name)
{
    for (CgFrame *at = f; at; at = at->outer)
        if (cg_frame_name(at, name))
            return true;
    return false;
}

static bool is_bound(CgElab *e, CgFrame *f, CgAtom name) { return in_frame(f, name) || cg_env_knows(e, f->env, name); }

/* tf.attention, where tf is the alias of a module. */
static CgValue *of_module(CgElab *e, CgEnv *module, const CgExpr *x)
{
    CgSpan span = x->op_span.file ? x->op_span : x->span;
    CgValue *v = cg_env_own(e, module, x->s);
    uint64_t reported;
    if (v)
        return v;
    if (!cg_map_get(&e->unresolved, cg_resolve_key(span), &reported))
        cg_elab_error(e, CG_E0302, span, "the module '%s' has no name '%s'", x->a->s, x->s);
    return cg_value_poison(e);
}

/* plot.scatter: a function whose name has a point, where nothing is called `plot`. NULL when there are none such;
 * offers them otherwise. */
static CgValue *function_of_family(CgElab *e, CgFrame *f, const CgExpr *x, CgSuggest *s, bool *family)
{
    size_t n = x->a->kind == CG_EXPR_NAME ? strlen(x->a->s) : 0;
    const CgFunction *function;
    for (size_t i = 0; n && (function = cg_function_at(i)); i++) {
        const char *name = function->name;
        if (strncmp(name, x->a->s, n) || name[n] != '.' || (!*family && is_bound(e, f, x->a->s)))
            continue;
        *family = true;
        cg_suggest_offer(s, name + n + 1);
        if (strcmp(name + n + 1, x->s))
            continue;
        CgValue *v = cg_value_new(e, CG_VALUE_FUNCTION, x->span);
        v->function = function;
        return v;
    }
    return NULL;
}

/* m.history: a function with CG_FIELD. NULL where there is none such; offers their names. */
static CgValue *field_by_function(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x, CgSuggest *s)
{
    const CgFunction *fn = cg_function_find(x->s);
    for (size_t i = 0; cg_function_at(i); i++)
        if (cg_function_at(i)->traits & CG_FIELD)
            cg_suggest_offer(s, cg_function_at(i)->name);
    if (!fn || !(fn->traits & CG_FIELD))
        return NULL;
    CgValue *callee = cg_value_new(e, CG_VALUE_FUNCTION, x->span);
    CgSpan at = x->a->span;
    CgAtom positional = NULL;
    callee->function = fn;
    return cg_call(e, f, callee, &of, &positional, &at, 1, NULL);
}

/* What other languages say after a point, of such a value; false where none does. */
static bool answer_foreign(CgElab *e, CgDiag *d, CgValue *of, CgAtom name)
{
    int where = -1;
    switch (of->kind) {
    case CG_VALUE_LIST:
    case CG_VALUE_RANGE: where = CG_FOREIGN_LIST; break;
    case CG_VALUE_RECORD: where = CG_FOREIGN_RECORD; break;
    case CG_VALUE_STR: where = CG_FOREIGN_TEXT; break;
    case CG_VALUE_TENSOR: where = CG_FOREIGN_TENSOR; break;
    case CG_VALUE_GRAPH:
    case CG_VALUE_INSTANCE: where = CG_FOREIGN_MODEL; break;
    default: {
        const CgClass *cls = cg_value_class(of);
        bool rows = cls == &cg_class_table || cls == &cg_class_groups || cls == &cg_class_column;
        where = rows                     ? CG_FOREIGN_TABLE
            : cls == &cg_class_tokenizer ? CG_FOREIGN_TOKENIZER
            : cls == &cg_class_batch     ? CG_FOREIGN_BATCH
                                         : -1;
    }
    }
    const CgForeign *row = where < 0 ? NULL : cg_foreign((CgForeignWhere)where, name);
    CgSuggest ignored;
    cg_suggest_init(&ignored, name);
    const char *needed = row && *row->instead ? row->instead : "document"; /* what windows have */
    if (row && where == CG_FOREIGN_BATCH && !cg_object_field(e, of, needed, of->span, &ignored))
        row = NULL; /* another dataset */
    if (row)
        cg_foreign_answer(d, row);
    return row != NULL;
}

/* Says that a value has no such field, and which it has. */
static CgValue *no_field(CgElab *e, CgValue *of, const CgExpr *x, CgSuggest *s)
{
    for (const CgInstance *inst = of->kind == CG_VALUE_INSTANCE ? of->instance : NULL; inst; inst = inst->parent)
        if (inst->refused)
            return cg_value_poison(e);
    CgSpan used = x->op_span.file ? x->op_span : x->span, at = cg_elab_literal(e, of, used);
    CgDiag *d = cg_elab_error(e, CG_E0302, at, "%s has no field '%s'", cg_value_kind_name(of), x->s);
    if (at.file != used.file)
        cg_diag_note(d, used, "it is used here");
    if (of->kind == CG_VALUE_INSTANCE && cg_define_has(of->instance->stmt, x->s)) {
        cg_diag_help(
            d, "'%s' of '%s' is there once it was applied, above this line", x->s, of->instance->stmt->names[0]);
        return cg_value_poison(e);
    }
    if (answer_foreign(e, d, of, x->s) || cg_help_call(d, of))
        return cg_value_poison(e);
    if (cg_value_class(of) != &cg_class_batch && (cg_function_find(x->s) || cg_op_find(x->s))) {
        CgSpan in = x->a->span;
        int n = (int)(in.end - in.start);
        const char *text = n <= 30 ? cg_sources_get(e->sources, in.file)->text + in.start : "..";
        cg_diag_help(d, "'%s' is a function, and stands in front: %s(%.*s)", x->s, x->s, n <= 30 ? n : 2, text);
    } else if (cg_diag_meant(d, s)) {
        return cg_value_poison(e);
    }
    CgStrbuf all = { 0 };
    if (cg_suggest_list(s, &all))
        cg_diag_help(d, "its fields are %s", cg_strbuf_str(&all));
    else if (of->kind == CG_VALUE_INSTANCE)
        cg_diag_help(d, "a model's parameters have names once it was applied");
    else if (of->kind == CG_VALUE_TENSOR)
        cg_diag_help(
            d, "tensors have no fields: all is said by functions, as in sum(x); `cg help functions` and `cg help ops`");
    cg_strbuf_deinit(&all);
    return cg_value_poison(e);
}

/* What the body of an instance has bound, as its own: a copy of the instance about which other things are said has
 * parts of the same paths. */
static CgValue *part_of(CgElab *e, CgInstance *of, CgValue *v, CgSpan span)
{
    if (v->kind == CG_VALUE_INSTANCE) {
        const CgInstance *parent = v->instance->parent;
        if (!parent || parent == of || parent->path != of->path)
            return v;
        v = cg_instance_copy(e, v, span);
        v->instance->parent = of;
        return v;
    }
    if (v->kind != CG_VALUE_LIST && v->kind != CG_VALUE_RECORD)
        return v;
    CgValue *out = CG_NEW(e->arena, CgValue);
    *out = *v;
    out->at = CG_NEWN(e->arena, CgValue *, v->n + 1);
    for (int i = 0; i < v->n; i++)
        out->at[i] = part_of(e, of, v->at[i], span);
    return out;
}

static CgValue *field(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->a->kind == CG_EXPR_NAME && !strcmp(x->a->s, "op"))
        return op_by_name(e, x);
    CgEnv *module = x->a->kind == CG_EXPR_NAME && !in_frame(f, x->a->s) ? cg_env_alias(f->env, x->a->s) : NULL;
    if (module)
        return of_module(e, module, x);
    CgSuggest names;
    bool family = false;
    cg_suggest_init(&names, x->s);
    CgValue *function = function_of_family(e, f, x, &names, &family);
    if (function)
        return function;
    uint64_t reported;
    if (family && cg_map_get(&e->unresolved, cg_resolve_key(x->op_span.file ? x->op_span : x->span), &reported))
        return cg_value_poison(e);
    if (family) {
        CgDiag *d = cg_elab_error(
            e, CG_E0302, x->op_span.file ? x->op_span : x->span, "there is no function '%s.%s'", x->a->s, x->s);
        cg_diag_meant(d, &names);
        return cg_value_poison(e);
    }
    CgValue *of = cg_eval(e, f, x->a);
    if (cg_is_poison(of))
        return cg_value_poison(e);
    if (of->open)
        return of->at[0];
    CgSuggest s;
    cg_suggest_init(&s, x->s);
    CgValue *v = NULL;
    if (of->kind == CG_VALUE_RECORD) {
        v = cg_record_find(of, x->s);
        for (int i = 0; !v && i < of->n; i++)
            cg_suggest_offer(&s, of->keys[i]);
    } else if (of->kind == CG_VALUE_INSTANCE) {
        if (e->model && of->instance->path) {
            CgAtom path = cg_path_join(of->instance->path, x->s);
            CgParamInfo *p = cg_model_param(e->model, path);
            if (p) {
                v = cg_value_tensor(e, p->ref, x->span);
                for (int i = 0; i < CG_MAX_RANK; i++)
                    v->tensor->origin[i] = p->span;
                v = cg_reparametrized(e, f, p->owner, path, v);
            }
            uint64_t submodule;
            if (!p && cg_map_get(&e->model->submodules, cg_map_ptr(path), &submodule))
                v = part_of(e, of->instance, (CgValue *)(uintptr_t)submodule, x->span);
        }
        CgModelGraph *model = e->model; /* outside of bodies, parts of trained models are values */
        e->model = model && model->shown && !cg_frame_body(f) ? NULL : model;
        if (!v)
            v = cg_instance_submodule(e, of, x->s, x->span, &s);
        if (!v)
            v = !e->model && e->submodule ? e->submodule(e, of, x->s, x->span, &s) : NULL;
        e->model = model;
        if (!v)
            v = field_by_function(e, f, of, x, &s);
    } else {
        v = cg_object_field(e, of, x->s, x->span, &s);
    }
    if (v)
        return v;
    if (of->kind == CG_VALUE_INSTANCE && e->defining && cg_define_has(of->instance->stmt, x->s))
        return cg_value_poison(e); /* once it is applied */
    return no_field(e, of, x, &s);
}

static CgValue *record(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *out = cg_value_record(e, x->args.n, x->span);
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *a = &x->args.at[i];
        out->keys[i] = a->key ? cg_field_key(e, cg_eval(e, f, a->key), a->key->span) : a->name;
        out->at[i] = cg_eval(e, f, a->value);
        for (int k = 0; a->key && out->keys[i] && k < x->args.n; k++) /* written ones are compared by the parser */
            if (k != i && out->keys[i] == (k < i ? out->keys[k] : x->args.at[k].name)) {
                cg_elab_error(e, CG_E0306, a->key->span, "the record has two fields '%s'", out->keys[i]);
                out->keys[i] = NULL;
            }
        if ((cg_is_poison(out->at[i]) && !e->defining) || !out->keys[i])
            out->kind = CG_VALUE_POISON;
    }
    return out;
}

/* "{name}-{seed}": numbers, strings and truth values as show writes them. */
static CgValue *text(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgStrbuf out = { 0 };
    bool bad = false;
    for (int i = 0; i < x->args.n; i++) {
        const CgExpr *element = x->args.at[i].value;
        CgValue *v = cg_eval(e, f, element);
        bool fits =
            v->kind == CG_VALUE_STR || v->kind == CG_VALUE_INT || v->kind == CG_VALUE_FLOAT || v->kind == CG_VALUE_BOOL;
        if (v->kind == CG_VALUE_STR && !cg_budget_take(e, (int64_t)strlen(v->s), element->span))
            fits = false;
        else if (fits)
            cg_value_print(v, &out);
        else if (!cg_is_poison(v))
            cg_elab_error(e, CG_E0305, element->span, "a string holds numbers, strings and truth values, not %s",
                cg_value_kind_name(v));
        bad |= !fits;
    }
    CgValue *v = bad ? cg_value_poison(e) : cg_value_str(e, cg_strbuf_str(&out), x->span);
    cg_strbuf_deinit(&out);
    return v;
}

static CgValue *list(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *out = cg_value_list(e, x->args.n, x->span);
    for (int i = 0; i < x->args.n; i++) {
        out->at[i] = cg_eval(e, f, x->args.at[i].value);
        if (cg_is_poison(out->at[i]) && !e->defining)
            out->kind = CG_VALUE_POISON;
    }
    return out;
}

static CgValue *range(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *a = cg_eval(e, f, x->a), *b = cg_eval(e, f, x->b);
    if (cg_define_vague(e, a) || cg_define_vague(e, b)) {
        CgValue *out = cg_value_list(e, 1, x->span);
        out->open = true;
        out->at[0] = cg_value_unknown(e, CG_UNKNOWN_NUMBER, x->span);
        return out;
    }
    if (cg_is_poison(a) || cg_is_poison(b))
        return cg_value_poison(e);
    if (a->kind != CG_VALUE_INT || b->kind != CG_VALUE_INT) {
        const CgKinds integer = { .at = { { .tag = CG_KIND_INT } }, .n = 1 };
        CgDiag *d = cg_elab_error(e, CG_E0313, x->span, "a range goes from an integer to an integer, not from %s to %s",
            cg_value_kind_name(a), cg_value_kind_name(b));
        cg_help_integer(d, &integer, a->kind == CG_VALUE_INT ? b : a);
        if (a->kind == CG_VALUE_TENSOR || b->kind == CG_VALUE_TENSOR)
            cg_diag_help(d, "how long a loop is must be known before it runs: a static n: int, or a size");
        return cg_value_poison(e);
    }
    int64_t n = 0;
    if (b->i > a->i && (__builtin_sub_overflow(b->i, a->i, &n) || n > INT32_MAX)) {
        cg_elab_error(e, CG_E0309, x->span, "a range of more than %d numbers", INT32_MAX);
        return cg_value_poison(e);
    }
    CgValue *out = cg_value_new(e, CG_VALUE_RANGE, x->span);
    out->i = a->i;
    out->n = (int)n;
    return out;
}

static CgValue *unary(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *a = cg_eval(e, f, x->a);
    if (cg_is_poison(a))
        return a;
    if (cg_is_late(a))
        return cg_late(e, *x->op == '-' ? "neg" : "not", &a, &x->a->span, 1, x->span);
    if (*x->op == '-') {
        if (a->kind == CG_VALUE_INT && a->i == INT64_MIN) {
            cg_elab_error(e, CG_E0309, x->op_span, "the result does not fit in 64 bits");
            return cg_value_poison(e);
        }
        if (a->kind == CG_VALUE_INT)
            return cg_value_int(e, -a->i, x->span);
        if (a->kind == CG_VALUE_FLOAT)
            return cg_value_float(e, -a->f, x->span);
        if (a->kind == CG_VALUE_DIM && e->defining)
            return cg_value_dim(e, cg_dim_sub(cg_dim_int(0), a->dim), x->span);
        if (a->kind == CG_VALUE_TENSOR) {
            CgSpan span = x->a->span;
            return cg_op_simple(e, "neg", &a, &span, 1, x->span, x->op_span);
        }
    } else if (a->kind == CG_VALUE_BOOL) {
        return cg_value_bool(e, !a->i, x->span);
    } else if (a->kind == CG_VALUE_TENSOR) {
        CgSpan span = x->a->span;
        return cg_op_simple(e, "not", &a, &span, 1, x->span, x->op_span);
    }
    cg_elab_error(
        e, CG_E0313, cg_elab_literal(e, a, x->span), "'%s' cannot be applied to %s", x->op, cg_value_kind_name(a));
    return cg_value_poison(e);
}

/* Arithmetic with a number that is not known, while a graph is checked where it is defined. */
static CgValue *unknown_binary(CgElab *e, CgValue *a, CgValue *b, const CgExpr *x)
{
    double number;
    CgValue *in[2] = { a, b };
    bool numbers = e->defining != NULL, tensors = e->defining != NULL;
    for (int i = 0; i < 2; i++)
        if (cg_is_unknown_number(in[i]) && in[1 - i]->kind == CG_VALUE_STR) { /* whatever the number is */
            in[i] = cg_value_float(e, 0, in[i]->span);
            return cg_binary(e, NULL, x->op, in[0], in[1], x);
        }
    for (int i = 0; i < 2; i++) {
        bool known = cg_value_number(in[i], &number) || in[i]->kind == CG_VALUE_DIM || cg_is_unknown_number(in[i]);
        numbers = numbers && known;
        tensors = tensors && (known || in[i]->kind == CG_VALUE_TENSOR);
    }
    if (numbers)
        return cg_define_arithmetic(e, x->op, a, b, x->span);
    return tensors ? cg_binary(e, NULL, x->op, a, b, x) : cg_value_poison(e);
}

static CgValue *recompute(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (!e->model)
        return cg_eval(e, f, x->a);
    CgGraph *g = e->model->build.graph;
    CgFrame *body = cg_frame_body(f);
    int scope = cg_scope_add(g, f->scope, "recompute", "");
    g->scopes.at[scope].recompute = ++e->model->regions;
    int saved = f->scope, body_saved = body ? body->scope : 0, at = e->model->build.scope;
    f->scope = scope;
    if (body)
        body->scope = scope;
    e->model->build.scope = scope;
    CgValue *v = cg_eval(e, f, x->a);
    f->scope = saved;
    if (body)
        body->scope = body_saved;
    e->model->build.scope = at;
    return v;
}

/* if .. then .. else ..: one of both when the condition is not known. */
static CgValue *choice(CgElab *e, CgFrame *f, const CgExpr *x)
{
    bool yes;
    CgValue *c = e->defining ? cg_eval(e, f, x->c) : NULL;
    if (c && cg_is_poison(c))
        return cg_define_choose(e, f, x->a, x->b);
    if (c && c->kind == CG_VALUE_BOOL)
        return cg_eval(e, f, c->i ? x->a : x->b);
    return cg_eval_condition(e, f, x->c, &yes) ? cg_eval(e, f, yes ? x->a : x->b) : cg_value_poison(e);
}

/* A training or evaluation, which has a budget of its own. */
static CgValue *stage(CgElab *e, CgFrame *f, const CgExpr *x, CgValue *(*make)(CgElab *, CgFrame *, const CgExpr *))
{
    CgBudget outside = cg_budget_begin(e);
    CgValue *v = make ? make(e, f, x) : cg_value_poison(e);
    cg_budget_end(e, outside);
    return v;
}

static bool has_parts(const CgValue *v)
{
    return v->n
        && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_CALL
            || v->kind == CG_VALUE_OBJECT);
}

/* Parts that evaluating made are counted already; those that a function made are few levels. */
static void count_parts(CgValue *v)
{
    uint64_t parts = 1;
    unsigned depth = 0;
    for (int i = 0; i < v->n; i++) {
        CgValue *part = v->at[i];
        if (part && has_parts(part) && !part->depth)
            count_parts(part);
        parts += part && part->depth ? part->parts : 1;
        depth = part && part->depth > depth ? part->depth : depth;
    }
    v->parts = parts > UINT32_MAX ? UINT32_MAX : (uint32_t)parts;
    v->depth = (uint16_t)(depth < UINT16_MAX ? depth + 1 : depth);
}

/* The value, or poison and a diagnostic where whoever walks over it would not come to an end, or too deep: a value that
 * holds others twice takes little room and has many parts. */
static CgValue *bounded(CgElab *e, CgValue *v, CgSpan at)
{
    if (v->depth || !has_parts(v))
        return v;
    count_parts(v);
    if (v->parts <= CG_BUDGET_PARTS && v->depth <= CG_BUDGET_DEPTH)
        return v;
    if (v->depth > CG_BUDGET_DEPTH)
        cg_elab_error(e, CG_E0331, at, "this is nested more than %d deep", CG_BUDGET_DEPTH);
    else
        cg_diag_help(cg_elab_error(e, CG_E0331, at, "this has more than %d parts", CG_BUDGET_PARTS),
            "a part that stands in several places counts in each");
    return cg_value_poison(e);
}

CgValue *cg_eval(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (!cg_budget_step(e, x->span) || (e->defining && !cg_define_step(e)))
        return cg_value_poison(e);
    if (e->depth > MAX_DEPTH) {
        cg_elab_error(e, CG_E0310, x->span, "expressions and calls are nested more than %d deep", MAX_DEPTH);
        return cg_value_poison(e);
    }
    e->depth++;
    CgValue *v = NULL;
    switch (x->kind) {
    case CG_EXPR_ERROR: v = cg_value_poison(e); break;
    case CG_EXPR_INT: v = cg_value_int(e, x->i, x->span); break;
    case CG_EXPR_FLOAT: v = cg_value_float(e, x->f, x->span); break;
    case CG_EXPR_STRING: v = cg_value_str(e, x->s, x->span); break;
    case CG_EXPR_TEXT: v = text(e, f, x); break;
    case CG_EXPR_BOOL: v = cg_value_bool(e, x->i != 0, x->span); break;
    case CG_EXPR_NAME: v = find(e, f, x->s, x->span); break;
    case CG_EXPR_LIST: v = list(e, f, x); break;
    case CG_EXPR_RECORD: v = record(e, f, x); break;
    case CG_EXPR_LIST_FOR:
    case CG_EXPR_RECORD_FOR: v = cg_comprehension(e, f, x); break;
    case CG_EXPR_FIELD: v = field(e, f, x); break;
    case CG_EXPR_INDEX: v = cg_eval_index(e, f, x); break;
    case CG_EXPR_CALL: v = cg_eval_call(e, f, x); break;
    case CG_EXPR_UNARY: v = unary(e, f, x); break;
    case CG_EXPR_BINARY: {
        CgValue *a = cg_eval(e, f, x->a);
        if (a->kind == CG_VALUE_BOOL && a->i == (*x->op == 'o') && (!strcmp(x->op, "or") || !strcmp(x->op, "and"))) {
            v = a; /* decided: the right side is not looked at */
            break;
        }
        CgValue *b = cg_eval(e, f, x->b);
        v = cg_is_poison(a) || cg_is_poison(b) ? unknown_binary(e, a, b, x) : cg_binary(e, f, x->op, a, b, x);
        break;
    }
    case CG_EXPR_RANGE: v = range(e, f, x); break;
    case CG_EXPR_IF: v = choice(e, f, x); break;
    case CG_EXPR_RECOMPUTE: v = recompute(e, f, x); break;
    case CG_EXPR_TRAIN: v = stage(e, f, x, e->train); break;
    case CG_EXPR_EVALUATE: v = stage(e, f, x, e->evaluate); break;
    case CG_EXPR_ARROW:
    case CG_EXPR_ROW:
    case CG_EXPR_TYPE:
        cg_elab_error(e, CG_E0315, x->span, "a pattern or type stands where a value is needed");
        v = cg_value_poison(e);
        break;
    }
    e->depth--;
    v = bounded(e, v, x->span);
    if (e->look)
        cg_look(e, x->span, v);
    return v;
}
