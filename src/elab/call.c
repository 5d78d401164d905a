/* call.c - calling graphs, models, functions and ops.
 * Takes a callee and arguments; gives its value. Arguments are matched by name, by a bare name that is a parameter's
 * (`layers` for `layers = layers`), then by position. */
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "graph/registry.h"

enum { MAX_ARGS = 64, MAX_CALLS = 200 };

bool cg_param_is_tensor(const CgParam *p) { return p->type && p->type->kind == CG_TYPE_TENSOR; }

int cg_graph_tensors(const CgStmt *graph)
{
    int n = 0;
    for (int i = 0; i < graph->nparams; i++)
        n += cg_param_is_tensor(&graph->params[i]);
    return n;
}

/* ---- matching arguments ---------------------------------------------------------------------------------------- */

typedef struct Args {
    CgValue **at;
    CgAtom *names;
    CgSpan *spans;
    int n;
    const CgExpr *site;
} Args;

static CgAtom bare(const Args *a, int i)
{
    if (!a->site || i >= a->site->args.n)
        return NULL;
    const CgExpr *x = a->site->args.at[i].value;
    return x && x->kind == CG_EXPR_NAME ? x->s : NULL;
}

static int param_named(const CgParam *params, int n, CgAtom name)
{
    for (int i = 0; i < n; i++)
        if (params[i].name == name)
            return i;
    return -1;
}

static bool unknown_argument(CgElab *e, const char *callee, const CgParam *params, int n, CgAtom name, CgSpan span)
{
    CgSuggest s;
    cg_suggest_init(&s, name);
    CgStrbuf all = { 0 };
    for (int i = 0; i < n; i++) {
        cg_suggest_offer(&s, params[i].name);
        cg_strbuf_printf(&all, "%s%s", i ? ", " : "", params[i].name);
    }
    CgDiag *d = cg_elab_error(e, CG_E0303, span, "'%s' has no parameter '%s'", callee, name);
    if (cg_suggest_best(&s))
        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&s));
    else
        cg_diag_help(d, "its parameters are: %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return false;
}

/* out[i] = argument for params[i] or NULL; from[i] its span. */
static bool match_args(CgElab *e, const char *callee, const CgParam *params, int n, const Args *a, bool tensors_first,
    CgValue **out, CgSpan *from)
{
    bool good = true;
    if (n > MAX_ARGS) {
        cg_elab_error(e, CG_E0303, a->site ? a->site->span : params[MAX_ARGS].span,
            "'%s' has %d parameters; it can have %d", callee, n, MAX_ARGS);
        return false;
    }
    for (int i = 0; i < n; i++)
        out[i] = NULL, from[i] = (CgSpan){ 0 };
    for (int i = 0; i < a->n; i++) {
        if (!a->names[i])
            continue;
        int k = param_named(params, n, a->names[i]);
        if (k < 0) {
            good = unknown_argument(e, callee, params, n, a->names[i],
                a->site && i < a->site->args.n ? a->site->args.at[i].name_span : a->spans[i]);
        } else if (out[k]) {
            cg_elab_error(e, CG_E0303, a->spans[i], "'%s' is given twice", a->names[i]);
            good = false;
        } else {
            out[k] = a->at[i];
            from[k] = a->spans[i];
        }
    }
    for (int i = 0; i < a->n; i++) {
        if (a->names[i])
            continue;
        int k = bare(a, i) ? param_named(params, n, bare(a, i)) : -1;
        if (k < 0 || out[k]
            || (tensors_first && cg_param_is_tensor(&params[k]) != (a->at[i]->kind == CG_VALUE_TENSOR))) {
            bool tensor = tensors_first && a->at[i]->kind == CG_VALUE_TENSOR;
            for (k = 0; k < n; k++)
                if (!out[k] && (!tensors_first || cg_param_is_tensor(&params[k]) == tensor))
                    break;
            if (k == n && tensors_first) /* a tensor for a static parameter, a number for a scalar tensor */
                for (k = 0; k < n && out[k]; k++) {}
        }
        if (k == n) {
            cg_elab_error(e, CG_E0303, a->spans[i], "'%s' takes %d argument%s", callee, n, n == 1 ? "" : "s");
            good = false;
            continue;
        }
        out[k] = a->at[i];
        from[k] = a->spans[i];
    }
    return good;
}

/* ---- graphs and models ----------------------------------------------------------------------------------------- */

static CgValue *as_param_type(CgElab *e, const CgParam *p, CgValue *v, CgSpan span)
{
    if (cg_is_poison(v) || !p->type || p->type->kind != CG_TYPE_SCALAR)
        return v;
    const char *t = p->type->name;
    if (!strcmp(t, "float") && v->kind == CG_VALUE_INT)
        return cg_value_float(e, (double)v->i, v->span);
    bool fits = (!strcmp(t, "int") && (v->kind == CG_VALUE_INT || v->kind == CG_VALUE_DIM))
        || (!strcmp(t, "float") && v->kind == CG_VALUE_FLOAT) || (!strcmp(t, "bool") && v->kind == CG_VALUE_BOOL)
        || (!strcmp(t, "str") && v->kind == CG_VALUE_STR);
    if (fits)
        return v;
    CgDiag *d = cg_elab_error(
        e, CG_E0305, span, "'%s' is %s %s, not %s", p->name, *t == 'i' ? "an" : "a", t, cg_value_kind_name(v));
    cg_diag_note(d, p->span, "declared here");
    return cg_value_poison(e);
}

static CgValue *instantiate(CgElab *e, CgValue *graph, CgValue **matched, CgSpan *from, CgSpan span)
{
    const CgStmt *s = graph->stmt;
    CgValue *v = cg_value_new(e, CG_VALUE_INSTANCE, span);
    CgInstance *inst = v->instance = CG_NEW(e->arena, CgInstance);
    inst->stmt = s;
    inst->env = graph->env;
    inst->span = span;
    inst->statics = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, graph->env);
    bool good = true;
    for (int i = 0; i < s->nparams; i++) {
        const CgParam *p = &s->params[i];
        if (cg_param_is_tensor(p))
            continue;
        CgValue *given = matched[i];
        if (!given && p->init) {
            CgModelGraph *outside = e->model;
            given = cg_eval(e, &f, p->init);
            e->model = outside;
        }
        if (!given) {
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", s->names[0], p->name);
            cg_diag_note(d, p->span, "declared here");
            good = false;
            continue;
        }
        given = as_param_type(e, p, given, from[i].file ? from[i] : span);
        if (cg_is_poison(given))
            good = false;
        else if (matched[i] && from[i].file && (given->kind == CG_VALUE_INT || given->kind == CG_VALUE_FLOAT)) {
            CgValue *here = cg_value_new(e, given->kind, from[i]); /* a size "comes from" the call that gave it */
            here->i = given->i;
            here->f = given->f;
            given = here;
        }
        inst->statics[i] = given;
        cg_frame_bind(&f, p->name, given);
    }
    cg_frame_end(e, &f);
    return good ? v : cg_value_poison(e);
}

static CgValue *check_result(CgElab *e, CgFrame *body, const CgStmt *s, int i, CgValue *v, CgSpan span)
{
    double number;
    const CgTypeExpr *want = i < s->nresults ? s->results[i] : NULL;
    if (cg_value_number(v, &number)) {
        CgDtype d = want && want->name && !strcmp(want->name, "f64") ? CG_F64 : CG_F32;
        if (body->has_ambient && cg_dtype_is_float(body->ambient.dtype)) {
            CgValue *t = cg_value_tensor(e, cg_fill(&e->model->build, body->ambient, number), v->span);
            return t;
        }
        v = cg_as_tensor(e, v, d);
    }
    if (v->kind != CG_VALUE_TENSOR)
        return v;
    CgValue *out = cg_value_new(e, CG_VALUE_TENSOR, span);
    out->tensor = v->tensor;
    if (want && want->kind == CG_TYPE_TENSOR) {
        char what[200];
        snprintf(what, sizeof what, "the result of '%s'", s->names[0]);
        if (!cg_match_type(e, body, want, out, v->span.file ? v->span : span, what))
            return cg_value_poison(e);
    }
    return out;
}

CgValue *cg_apply(
    CgElab *e, CgFrame *f, CgValue *instance, CgValue **args, CgAtom *names, CgSpan *spans, int n, CgSpan span)
{
    CgInstance *inst = instance->instance;
    const CgStmt *s = inst->stmt;
    if (!e->model) {
        CgDiag *d =
            cg_elab_error(e, CG_E0503, span, "'%s' is applied outside of any train, evaluate or graph", s->names[0]);
        cg_diag_help(d, "models are applied in the fields of train and evaluate, where there are batches");
        return cg_value_poison(e);
    }
    if (!inst->path) {
        if (e->model->build.graph != e->model->graph)
            inst = cg_instance_copy(e, instance, span)->instance;
        else
            inst = cg_instance_root(e, instance, true)->instance;
    }
    CgFrame b;
    cg_body_begin(e, &b, inst, span);
    if (f) {
        b.has_ambient = f->has_ambient;
        b.ambient = f->ambient;
        b.ambient_path = f->ambient_path;
    }
    CgBuild *build = &e->model->build;
    int scope_before = build->scope;
    if (build->graph == e->model->graph) {
        b.scope = cg_scope_add(build->graph, f ? f->scope : 0, inst->name ? inst->name : s->names[0], s->names[0]);
        build->scope = b.scope;
        cg_marks_begin(e->model, inst, b.scope);
    } else {
        b.scope = 0;
    }
    CgValue *matched[MAX_ARGS];
    CgSpan from[MAX_ARGS];
    CgParam tensors[MAX_ARGS] = { { 0 } };
    int nt = 0;
    for (int i = 0; i < s->nparams; i++) {
        if (cg_param_is_tensor(&s->params[i])) {
            if (nt < MAX_ARGS)
                tensors[nt++] = s->params[i];
        } else {
            CgValue *v = inst->statics[i];
            bool placed = build->graph == e->model->graph;
            /* a model given to an unnamed application, as in entropy(lm, tokens), is no part of it: nobody else could
             * tell its parameters from those of the next one */
            if (v)
                v = cg_parts_copy(e, v, placed && inst->anonymous && (!inst->parent || cg_parts_trained(v)));
            if (v && placed)
                cg_instance_place(e, &b, v, s->params[i].name, span);
            cg_frame_bind(&b, s->params[i].name, v ? v : cg_value_poison(e));
        }
    }
    Args a = { args, names, spans, n, NULL };
    CgValue *given[MAX_ARGS]; /* the tensors that are there, for a vjp clause */
    const CgParam *given_as[MAX_ARGS];
    int ngiven = 0;
    bool good = match_args(e, s->names[0], tensors, nt, &a, false, matched, from);
    for (int i = 0; i < nt && good; i++) {
        const CgParam *p = &tensors[i];
        CgValue *v = matched[i];
        if (!v && p->init)
            v = cg_eval(e, &b, p->init);
        if (!v) {
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", s->names[0], p->name);
            cg_diag_note(d, p->span, "declared here");
            good = false;
            break;
        }
        if (cg_is_poison(v)) {
            good = false;
            break;
        }
        if (v->kind == CG_VALUE_NONE) { /* an optional tensor that is not there */
            cg_frame_bind(&b, p->name, v);
            continue;
        }
        CgDtype dtype = CG_F32;
        for (int k = 0; k < CG_NDTYPE; k++)
            if (!strcmp(cg_dtype_name((CgDtype)k), p->type->name))
                dtype = (CgDtype)k;
        CgValue *t = cg_as_tensor(e, v, dtype);
        if (!t) {
            cg_elab_error(e, CG_E0305, from[i].file ? from[i] : span, "'%s' of '%s' is a tensor, not %s", p->name,
                s->names[0], cg_value_kind_name(v));
            good = false;
            break;
        }
        CgValue *own = cg_value_new(e, CG_VALUE_TENSOR, t->span);
        own->tensor = t->tensor;
        char what[200];
        snprintf(what, sizeof what, "'%s' of '%s'", p->name, s->names[0]);
        good = cg_match_type(e, &b, p->type, own, from[i].file ? from[i] : span, what);
        cg_frame_bind(&b, p->name, own);
        given[ngiven] = own;
        given_as[ngiven++] = p;
    }
    CgValue *out = cg_value_poison(e);
    if (good) {
        if (nt == 0 && b.has_ambient && s->nresults == 1 && s->results[0]->kind == CG_TYPE_TENSOR) {
            CgValue *like = cg_value_tensor(e, cg_fill(build, b.ambient, 0), span);
            good = cg_match_type(e, &b, s->results[0], like, span, "the parameter");
        }
        if (good)
            cg_body_exec(e, &b, &s->body);
        if (good && !b.returned) {
            if (cg_diags_count(e->diags) == 0)
                cg_elab_error(e, CG_E0304, s->span, "'%s' returns nothing", s->names[0]);
        } else if (good) {
            out = cg_value_list(e, b.nresults, span);
            bool tensors_only = true;
            for (int i = 0; i < b.nresults; i++) {
                out->at[i] = check_result(e, &b, s, i, b.results[i], span);
                tensors_only &= out->at[i]->kind == CG_VALUE_TENSOR;
                if (cg_is_poison(out->at[i]))
                    out->kind = CG_VALUE_POISON;
            }
            for (int i = 0; i < s->body.n && !b.vjp; i++) /* a clause after the return is one, too */
                if (s->body.at[i]->kind == CG_STMT_VJP)
                    cg_body_clause(e, &b, s->body.at[i]);
            CgCustom custom = { s, b.vjp, given, given_as, ngiven, out->at, b.nresults };
            if (b.vjp && tensors_only && b.nresults && !cg_custom_vjp(e, &b, &custom, span))
                out->kind = CG_VALUE_POISON;
            if (b.nresults == 1 && out->kind != CG_VALUE_POISON)
                out = out->at[0];
        }
    }
    build->scope = scope_before;
    cg_frame_end(e, &b);
    return out;
}

/* Which unnamed application of a body this is: the same one whenever the body is carried out again, as when its
 * instance is applied twice; another one for another place in the text, another turn of a loop, another unnamed owner.
 */
static int number_of_site(CgElab *e, CgFrame *body, const CgExpr *site)
{
    if (!body || !site)
        return ++e->anonymous;
    uint64_t turn = 0, known, here = (uint64_t)(uintptr_t)site;
    cg_map_get(&body->sites, here, &turn);
    cg_map_put(&body->sites, here, turn + 1);
    struct {
        uint64_t site, turn, owner;
    } id = { here, turn, (uint64_t)body->instance->anonymous };
    uint64_t key = cg_hash64(&id, sizeof id, 0);
    if (!cg_map_get(&e->sites, key, &known)) {
        known = (uint64_t)++e->anonymous;
        cg_map_put(&e->sites, key, known);
    }
    return (int)known;
}

static CgValue *call_graph(CgElab *e, CgFrame *f, CgValue *graph, const Args *a, CgSpan span)
{
    const CgStmt *s = graph->stmt;
    CgValue *matched[MAX_ARGS];
    CgSpan from[MAX_ARGS];
    if (!match_args(e, s->names[0], s->params, s->nparams, a, true, matched, from))
        return cg_value_poison(e);
    bool tensors = false;
    for (int i = 0; i < s->nparams; i++)
        tensors |= cg_param_is_tensor(&s->params[i]) && matched[i];
    bool apply = tensors || (cg_graph_tensors(s) == 0 && f && f->has_ambient);
    CgValue *v = instantiate(e, graph, matched, from, span);
    if (cg_is_poison(v) || !apply)
        return v;
    CgFrame *at = f;
    while (at && !at->is_body)
        at = at->outer ? at->outer : at->is_def ? at->caller : NULL;
    bool inside = at && at->instance && at->instance->path && e->model && e->model->build.graph == e->model->graph;
    if (inside) {
        v->instance->path = cg_path_join(at->instance->path, s->names[0]);
        v->instance->parent = at->instance;
    } else {
        v->instance->path = cg_intern(s->names[0]);
    }
    v->instance->anonymous = number_of_site(e, inside ? at : NULL, a->site);
    CgValue *args[MAX_ARGS];
    CgAtom names[MAX_ARGS];
    CgSpan spans[MAX_ARGS];
    int n = 0;
    for (int i = 0; i < s->nparams; i++)
        if (cg_param_is_tensor(&s->params[i]) && matched[i]) {
            args[n] = matched[i];
            names[n] = s->params[i].name;
            spans[n++] = from[i];
        }
    return cg_apply(e, f, v, args, names, spans, n, span);
}

/* ---- functions ----------------------------------------------------------------------------------------------------
 */

static CgValue *call_def(CgElab *e, CgValue *def, const Args *a, CgSpan span)
{
    const CgStmt *s = def->stmt;
    CgValue *matched[MAX_ARGS];
    CgSpan from[MAX_ARGS];
    if (!match_args(e, s->names[0], s->params, s->nparams, a, false, matched, from))
        return cg_value_poison(e);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, def->env);
    f.is_def = true;
    f.called_from = span;
    f.called = s->names[0];
    bool good = true;
    for (int i = 0; i < s->nparams; i++) {
        CgValue *v = matched[i];
        if (!v && s->params[i].init)
            v = cg_eval(e, &f, s->params[i].init);
        if (!v) {
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", s->names[0], s->params[i].name);
            cg_diag_note(d, s->params[i].span, "declared here");
            v = cg_value_poison(e);
            good = false;
        }
        v = as_param_type(e, &s->params[i], v, from[i].file ? from[i] : span);
        cg_frame_bind(&f, s->params[i].name, v);
    }
    CgValue *v = good ? cg_eval(e, &f, s->a) : cg_value_poison(e);
    cg_frame_end(e, &f);
    return v;
}

const CgStmt *cg_builtin_sig(CgElab *e, const CgBuiltin *b)
{
    /* builtins are few: parsed where needed, kept by the arena; a signature has a result for the grammar's sake */
    return cg_sig_parse(e->arena, b->name, cg_arena_printf(e->arena, "%s -> any", b->sig), e->diags);
}

static CgValue *call_builtin(CgElab *e, CgFrame *f, const CgBuiltin *b, const Args *a, CgSpan span)
{
    const CgStmt *s = cg_builtin_sig(e, b);
    CG_ASSERT(s, "the signature of a builtin parses");
    CgValue *matched[MAX_ARGS];
    CgSpan from[MAX_ARGS];
    if (!match_args(e, b->name, s->params, s->nparams, a, false, matched, from))
        return cg_value_poison(e);
    for (int i = 0; i < s->nparams; i++) {
        if (!matched[i] && s->params[i].init)
            matched[i] = cg_eval(e, f, s->params[i].init);
        if (!matched[i]) {
            cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", b->name, s->params[i].name);
            return cg_value_poison(e);
        }
        if (cg_is_poison(matched[i]))
            return matched[i];
        matched[i] = as_param_type(e, &s->params[i], matched[i], from[i].file ? from[i] : span);
        if (cg_is_poison(matched[i]))
            return matched[i];
    }
    if (b->eager)
        return b->eager(e, f, a->site, matched);
    CgValue *v = cg_value_record(e, s->nparams, span);
    v->kind = CG_VALUE_CALL;
    v->builtin = b;
    for (int i = 0; i < s->nparams; i++) {
        v->keys[i] = s->params[i].name;
        v->at[i] = matched[i];
    }
    return v;
}

CgValue *cg_call(
    CgElab *e, CgFrame *f, CgValue *callee, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site)
{
    CgSpan span = site ? site->span : callee->span;
    Args a = { args, names, spans, n, site };
    CgValue *v = cg_value_poison(e);
    if (e->calls >= MAX_CALLS) {
        cg_elab_error(e, CG_E0310, span, "calls are nested more than %d deep", MAX_CALLS);
        return v;
    }
    e->calls++;
    switch (callee->kind) {
    case CG_VALUE_GRAPH: v = call_graph(e, f, callee, &a, span); break;
    case CG_VALUE_INSTANCE: v = cg_apply(e, f, callee, args, names, spans, n, span); break;
    case CG_VALUE_DEF: v = call_def(e, callee, &a, span); break;
    case CG_VALUE_BUILTIN: v = call_builtin(e, f, callee->builtin, &a, span); break;
    case CG_VALUE_OP: v = cg_op_call(e, f, callee->op, args, names, spans, n, site); break;
    default: cg_elab_error(e, CG_E0305, site ? site->a->span : span, "%s cannot be called", cg_value_kind_name(callee));
    }
    e->calls--;
    return v;
}

/* The columns of the first argument, as names for the others. */
static bool bind_columns(CgElab *e, CgFrame *f, const char *callee, CgValue *of, CgSpan span)
{
    CgAtom columns[256];
    int n = e->columns ? e->columns(e, of, columns, 256) : 0;
    if (n == 0)
        cg_elab_error(e, CG_E0305, span,
            "'%s' takes the table of an evaluate or of table(), or a record of them, not %s", callee,
            cg_value_kind_name(of));
    for (int i = 0; i < n; i++) {
        CgValue *v = cg_value_new(e, CG_VALUE_COLUMN, span);
        v->s = columns[i];
        cg_frame_bind(f, columns[i], v);
    }
    return n > 0;
}

CgValue *cg_eval_call(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *callee = cg_eval(e, f, x->a);
    if (cg_is_poison(callee))
        return callee;
    if (callee->kind == CG_VALUE_BUILTIN && callee->builtin->raw)
        return callee->builtin->eager(e, f, x, NULL);
    if (x->args.n > MAX_ARGS) {
        cg_elab_error(e, CG_E0303, x->span, "a call has at most %d arguments", MAX_ARGS);
        return cg_value_poison(e);
    }
    CgValue *args[MAX_ARGS];
    CgAtom names[MAX_ARGS];
    CgSpan spans[MAX_ARGS];
    CgFrame quoted;
    bool inside = false, bad = false;
    CgFrame *at = f;
    for (int i = 0; i < x->args.n; i++) {
        if (inside && bad)
            break; /* without its table the names of columns mean nothing */
        args[i] = cg_eval(e, at, x->args.at[i].value);
        names[i] = x->args.at[i].name;
        spans[i] = x->args.at[i].value->span;
        bad |= cg_is_poison(args[i]);
        if (bad && callee->kind == CG_VALUE_BUILTIN && callee->builtin->quoted)
            break;
        if (!inside && callee->kind == CG_VALUE_BUILTIN && callee->builtin->quoted && !bad) {
            cg_frame_begin(e, &quoted, f, f->env);
            bad = !bind_columns(e, &quoted, callee->builtin->name, args[0], spans[0]);
            quoted.is_columns = true;
            at = &quoted;
            inside = true;
        }
    }
    if (inside)
        cg_frame_end(e, &quoted);
    return bad ? cg_value_poison(e) : cg_call(e, f, callee, args, names, spans, x->args.n, x);
}
