/* call.c - calling graphs, models, functions and ops.
 * Takes a callee and arguments; gives its value. Which argument is which parameter's is said in signature.c. */
#include <stdlib.h>
#include <string.h>

#include "elab/define.h"
#include "elab/demand.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "lang/foreign.h"

enum { MAX_CALLS = 200 };

/* ---- graphs and models ----------------------------------------------------------------------------------------- */

/* The value as the type that a graph or def declares; a size stands for an integer. */
static CgValue *as_param_type(CgElab *e, const CgStmt *callee, const CgParam *p, CgValue *v, CgSpan span)
{
    CgKinds kinds;
    bool chooses = p->type && p->type->kind == CG_TYPE_CHOICE;
    if (p->type && p->type->kind == CG_TYPE_GRAPH && v->kind != CG_VALUE_FUNCTION) {
        kinds = (CgKinds){ .at = { { .tag = CG_KIND_GRAPH } }, .n = 1 };
        return cg_argument_take(e, callee->names[0], p, &kinds, v, span, NULL, CG_KNOWN_NOW);
    }
    if (!p->type || (!chooses && p->type->kind != CG_TYPE_SCALAR) || !cg_kinds_of(p->type, &kinds)
        || (kinds.at[0].tag == CG_KIND_INT && v->kind == CG_VALUE_DIM))
        return v;
    if (kinds.at[0].tag == CG_KIND_INT)
        cg_define_whole(e, v, span);
    if (cg_define_vague(e, v))
        return cg_define_static(e, kinds.at[0].tag, v->span);
    v = cg_argument_take(e, callee->names[0], p, &kinds, v, span, NULL, CG_KNOWN_NOW);
    return chooses ? cg_choice_of(e, v, p->type) : v;
}

/* A number keeps its place, the literal the author wrote, through any number of calls; an `int` of a graph is a size.
 */
static CgValue *static_number(CgElab *e, const CgParam *p, const CgValue *given, CgSpan from)
{
    CgValue *v = cg_value_new(e, given->kind, given->span.file ? given->span : from);
    v->i = given->i;
    v->f = given->f;
    CgKinds kinds;
    v->is_size = given->is_size || (p->type && cg_kinds_of(p->type, &kinds) && kinds.at[0].tag == CG_KIND_INT);
    return v;
}

/* All static arguments from the first on that were not given and have no default, in one message. */
static void missing_arguments(CgElab *e, const CgStmt *s, const CgArguments *a, int first, CgSpan span)
{
    CgStrbuf all = { 0 };
    int n = 0;
    for (int i = first; i < s->nparams; i++)
        if (!cg_param_is_tensor(&s->params[i]) && !a->at[i] && !s->params[i].init)
            cg_strbuf_printf(&all, "%s'%s'", n++ ? ", " : "", s->params[i].name);
    CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs %s", s->names[0], cg_strbuf_str(&all));
    cg_diag_note(d, s->params[first].span, "declared here");
    if (!s->params[first].type && !cg_of_library(e, s->span))
        cg_diag_help(
            d, "a parameter without a type is a static value; a tensor is %s: f32[N, D]", s->params[first].name);
    cg_strbuf_deinit(&all);
}

static CgValue *instantiate(CgElab *e, CgValue *graph, const CgArguments *a, CgSpan span, const CgInstance *made_in)
{
    const CgStmt *s = graph->stmt;
    CgValue *v = cg_value_new(e, CG_VALUE_INSTANCE, span);
    CgInstance *inst = v->instance = CG_NEW(e->arena, CgInstance);
    inst->stmt = s;
    inst->env = graph->env;
    inst->span = span;
    inst->origin = inst;
    inst->made_in = made_in;
    inst->statics = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, graph->env);
    bool good = true;
    int lacking = 0;
    for (int i = 0; i < s->nparams; i++) {
        const CgParam *p = &s->params[i];
        if (cg_param_is_tensor(p))
            continue;
        CgValue *given = a->at[i];
        if (!given && p->init) {
            CgModelGraph *outside = e->model;
            given = cg_eval(e, &f, p->init);
            e->model = outside;
        }
        if (!given) {
            if (!lacking++)
                missing_arguments(e, s, a, i, span);
            good = false;
            continue;
        }
        given = as_param_type(e, s, p, given, a->span[i].file ? a->span[i] : span);
        good = good && (!a->at[i] || cg_demand_check(e, s, graph->env, p, given, a->span[i]));
        if (cg_is_poison(given))
            good = e->defining && good;
        else if (given->kind == CG_VALUE_INT || given->kind == CG_VALUE_FLOAT)
            given = static_number(e, p, given, a->span[i]);
        inst->statics[i] = given;
        cg_frame_bind(&f, p->name, given);
    }
    good = good && cg_contracts_check(e, &f, s, false, span);
    cg_frame_end(e, &f);
    return good ? v : cg_value_poison(e);
}

/* What a graph returns of which nothing is known: as declared, in a list where it returns all results at once. */
static CgValue *declared_results(CgElab *e, CgFrame *body, const CgStmt *s, int i, CgSpan span)
{
    if (body->nresults != 1 || s->nresults < 2)
        return cg_define_result(e, body, i < s->nresults ? s->results[i] : NULL);
    CgValue *all = cg_value_list(e, s->nresults, span);
    for (int k = 0; k < s->nresults; k++)
        all->at[k] = cg_define_result(e, body, s->results[k]);
    return all;
}

static CgValue *check_result(CgElab *e, CgFrame *body, const CgStmt *s, int i, CgValue *v, CgSpan span)
{
    double number;
    const CgTypeExpr *want = i < s->nresults ? s->results[i] : NULL;
    if (e->defining && cg_is_poison(v))
        return declared_results(e, body, s, i, span);
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
    *out->tensor = *v->tensor;
    if (want && want->kind == CG_TYPE_TENSOR) {
        char what[200];
        snprintf(what, sizeof what, "the result of '%s'", s->names[0]);
        /* what returns early is told apart from the other returns, which the declared result fits as well */
        const CgStmt *last = s->body.n ? s->body.at[s->body.n - 1] : NULL;
        if (last && last->kind == CG_STMT_RETURN && last->exprs == body->returns)
            e->returned = span;
        bool good = cg_match_type(e, body, want, out, span, what) && cg_below_match(e, body, want, out, span, what);
        e->returned = (CgSpan){ 0 };
        if (!good)
            return cg_value_poison(e);
    }
    return out;
}

CgValue *cg_results(CgElab *e, CgFrame *body, CgSpan span)
{
    const CgStmt *s = body->instance->stmt;
    CgValue *out = cg_value_list(e, body->nresults, span);
    if (e->defining)
        cg_define_count(e, body);
    for (int i = 0; i < body->nresults; i++) {
        out->at[i] = check_result(e, body, s, i, body->results[i], body->returns[i]->span);
        if (cg_is_poison(out->at[i]) && !e->defining)
            out->kind = CG_VALUE_POISON;
    }
    return out;
}

/* An application under way: the body's frame, and the tensors that are there, for a vjp clause. */
typedef struct Applying {
    CgInstance *inst;
    CgFrame body;
    CgSpan span;
    CgValue *given[CG_MAX_ARGS];
    const CgParam *given_as[CG_MAX_ARGS];
    CgSpan given_at[CG_MAX_ARGS];
    int ngiven;
    bool replaced; /* another graph has returned */
} Applying;

/* The body's scope in the graph that runs; what starts parameters has none. */
static void begin_scope(CgElab *e, CgFrame *f, Applying *a)
{
    CgBuild *build = &e->model->build;
    const CgInstance *inst = a->inst;
    a->body.scope = 0;
    if (build->graph != e->model->graph)
        return;
    CgAtom name = inst->stmt->names[0];
    a->body.scope = cg_scope_add(build->graph, f ? f->scope : 0, inst->name ? inst->name : name, name);
    build->graph->scopes.at[a->body.scope].span = a->span;
    build->scope = a->body.scope;
    cg_annotations_begin(e->model, inst, a->body.scope);
}

static void bind_statics(CgElab *e, Applying *a)
{
    const CgStmt *s = a->inst->stmt;
    bool placed = e->model->build.graph == e->model->graph;
    for (int i = 0; i < s->nparams; i++) {
        CgValue *v = a->inst->statics[i];
        if (cg_param_is_tensor(&s->params[i]))
            continue;
        /* a model given to an unnamed application, as in entropy(lm, tokens), is no part of it: nobody else could tell
         * its parameters from those of the next one */
        if (v)
            v = cg_submodules_copy(e, v, placed && a->inst->unnamed && (!a->inst->parent || cg_submodules_trained(v)));
        if (v && placed)
            cg_instance_attach(e, &a->body, v, s->params[i].name, a->span);
        cg_frame_bind(&a->body, s->params[i].name, v ? v : cg_value_poison(e));
    }
}

/* One tensor, of the type that its parameter declares; false after a mistake. */
static bool bind_tensor(CgElab *e, Applying *a, const CgParam *p, CgValue *v, CgSpan at)
{
    const char *callee = a->inst->stmt->names[0];
    if (!v && p->init)
        v = cg_eval(e, &a->body, p->init);
    if (!v) {
        CgDiag *d = cg_elab_error(e, CG_E0304, a->span, "'%s' needs '%s'", callee, p->name);
        cg_diag_note(d, p->span, "declared here");
        return false;
    }
    if (cg_is_poison(v) && !cg_is_unknown_number(v))
        return false;
    if (v->kind == CG_VALUE_NONE) { /* an optional tensor that is not there */
        cg_frame_bind(&a->body, p->name, v);
        return true;
    }
    CgDtype dtype = CG_F32;
    for (int k = 0; k < CG_NDTYPE; k++)
        if (!strcmp(cg_dtype_name((CgDtype)k), p->type->name))
            dtype = (CgDtype)k;
    CgValue *t = cg_as_tensor(e, v, dtype);
    if (!t) {
        CgDiag *d =
            cg_elab_error(e, CG_E0312, at, "'%s' of '%s' is a tensor, not %s", p->name, callee, cg_value_kind_name(v));
        bool results = v->kind == CG_VALUE_LIST && v->n > 1;
        for (int k = 0; results && k < v->n; k++)
            results = v->at[k]->kind == CG_VALUE_TENSOR;
        if (results)
            cg_diag_help(
                d, "these are %d tensors, as the results of a graph: bind each, a, b = f(x), or take one, y[0]", v->n);
        else if (v->kind == CG_VALUE_LIST)
            cg_diag_help(d, "numbers become a tensor by tensor([[1, 2]])");
        else if (v->kind == CG_VALUE_STR)
            cg_diag_help(d,
                "a text becomes tokens where it is used: windows(text.train, tok, length = 64), generate(m, \"a\", "
                "tok)");
        return false;
    }
    if (cg_is_poison(t))
        return false;
    CgValue *own = cg_value_new(e, CG_VALUE_TENSOR, t->span);
    *own->tensor = *t->tensor;
    char what[200];
    snprintf(what, sizeof what, "'%s' of '%s'", p->name, callee);
    bool good = cg_match_type(e, &a->body, p->type, own, at, what) && cg_tokens_check(e, a->inst, own, at);
    own = cg_replaced_value(e, &a->body, p->name, own);
    cg_frame_bind(&a->body, p->name, own);
    a->given[a->ngiven] = own;
    a->given_at[a->ngiven] = at;
    a->given_as[a->ngiven++] = p;
    return good;
}

static bool bind_tensors(CgElab *e, Applying *a, const CgGiven *given)
{
    const CgStmt *s = a->inst->stmt;
    CgParam tensors[CG_MAX_ARGS] = { { 0 } };
    const CgParam *declared[CG_MAX_ARGS];
    CgArguments args;
    int n = 0;
    for (int i = 0; i < s->nparams && n < CG_MAX_ARGS; i++)
        if (cg_param_is_tensor(&s->params[i])) {
            declared[n] = &s->params[i];
            tensors[n++] = s->params[i];
        }
    bool good = cg_arguments_match(e, s->names[0], tensors, n, given, 0, &args);
    for (int i = 0; i < n && good; i++)
        good = bind_tensor(e, a, declared[i], args.at[i], args.span[i].file ? args.span[i] : a->span);
    CgFrame *b = &a->body;
    for (int i = 0; i < a->ngiven && good; i++) { /* once all sizes are known */
        char what[200];
        snprintf(what, sizeof what, "'%s' of '%s'", a->given_as[i]->name, s->names[0]);
        good = cg_below_match(e, b, a->given_as[i]->type, a->given[i], a->given_at[i], what);
    }
    if (good && b->scope > 0) {
        CgRef refs[CG_MAX_ARGS];
        for (int i = 0; i < a->ngiven; i++)
            refs[i] = a->given[i]->tensor->ref;
        cg_scope_set_args(e->model->graph, b->scope, refs, a->ngiven);
    }
    if (!good || n > 0 || !b->has_ambient || s->nresults != 1 || s->results[0]->kind != CG_TYPE_TENSOR)
        return good;
    CgValue *like = cg_value_tensor(e, cg_fill(&e->model->build, b->ambient, 0), a->span);
    return cg_match_type(e, b, s->results[0], like, a->span, "the parameter");
}

/* What the body returned: one value, or a list of them. */
static CgValue *results_of(CgElab *e, Applying *a)
{
    const CgStmt *s = a->inst->stmt;
    CgFrame *b = &a->body;
    if (!b->returned && b->early)
        return b->early->n == 1 && b->early->kind == CG_VALUE_LIST ? b->early->at[0] : b->early;
    if (!b->returned) {
        if (cg_diags_count(e->diags) == 0)
            cg_elab_error(e, CG_E0304, s->name_span, "'%s' returns nothing", s->names[0]);
        return cg_value_poison(e);
    }
    CgValue *out = cg_results(e, b, a->span);
    bool tensors_only = true;
    for (int i = 0; i < b->nresults; i++)
        tensors_only &= out->at[i]->kind == CG_VALUE_TENSOR;
    for (int i = 0; i < s->body.n && !b->vjp && !a->replaced; i++) /* a clause after the return is one, too */
        if (s->body.at[i]->kind == CG_STMT_VJP)
            cg_body_clause(e, b, s->body.at[i]);
    CgCustom custom = { s, b->vjp, a->given, a->given_as, a->ngiven, out->at, b->nresults };
    if (b->vjp && tensors_only && b->nresults && !cg_custom_vjp(e, b, &custom, a->span))
        out->kind = CG_VALUE_POISON;
    if (b->early)
        out = cg_define_either(e, out, b->early);
    return b->nresults == 1 && out->kind == CG_VALUE_LIST ? out->at[0] : out;
}

CgValue *cg_apply(
    CgElab *e, CgFrame *f, CgValue *instance, CgValue **args, CgAtom *names, CgSpan *spans, int n, CgSpan span)
{
    const CgStmt *s = instance->instance->stmt;
    if (!e->model) {
        CgDiag *d =
            cg_elab_error(e, CG_E0503, span, "'%s' is applied outside of any train, evaluate or graph", s->names[0]);
        cg_diag_help(d, "models are applied in the fields of train and evaluate, where there are batches");
        return cg_value_poison(e);
    }
    Applying a = { .inst = instance->instance, .span = span };
    if (cg_define_bad(e, s, a.inst->env) || cg_define_inside(e, s))
        return cg_value_poison(e);
    if (!a.inst->path)
        a.inst = cg_instance_unnamed(e, f, instance, span);
    cg_body_begin(e, &a.body, a.inst, span);
    if (f) {
        a.body.has_ambient = f->has_ambient;
        a.body.ambient = f->ambient;
        a.body.ambient_path = f->ambient_path;
    }
    int scope_before = e->model->build.scope;
    begin_scope(e, f, &a);
    bind_statics(e, &a);
    bool good = bind_tensors(e, &a, &(CgGiven){ args, names, spans, n, NULL })
        && cg_contracts_check(e, &a.body, s, true, span) && cg_conditions_check(e, &a.body, s, span);
    a.replaced = good && cg_replaced_part(e, &a.body, a.given, a.given_at, a.ngiven);
    if (good && !a.replaced)
        cg_body_exec(e, &a.body, &s->body);
    CgValue *out = good ? results_of(e, &a) : cg_value_poison(e);
    e->model->build.scope = scope_before;
    cg_frame_end(e, &a.body);
    return out;
}

static bool is_size_by_place(const CgGiven *given, const CgValue *v)
{
    bool found = false;
    for (int i = 0; v && i < given->n; i++)
        found |= given->at[i] == v && !given->names[i] && (v->kind == CG_VALUE_INT || v->kind == CG_VALUE_DIM);
    return found;
}

/* dense(784, 128): the size of the input, which nobody gives, stands in front of the sizes that a layer has. */
static bool has_input_size(CgElab *e, const CgStmt *s, const CgGiven *given, const CgArguments *a)
{
    CgKinds size, other;
    for (int k = 1; k + 1 < s->nparams && cg_param_is_tensor(&s->params[0]) && !a->at[0]; k++) {
        const CgParam *p = &s->params[k], *next = &s->params[k + 1];
        if (!p->type || !next->type || !cg_kinds_of(p->type, &size) || !cg_kinds_of(next->type, &other)
            || !cg_kinds_have(&size, CG_KIND_INT, NULL) || !cg_kinds_have(&other, CG_KIND_BOOL, NULL)
            || !is_size_by_place(given, a->at[k]) || !is_size_by_place(given, a->at[k + 1]))
            continue;
        CgDiag *d = cg_elab_error(e, CG_E0303, a->span[k], "'%s' is given a size more than it has", s->names[0]);
        cg_diag_help(d, "the size of the input is not given: it is known from the input; %s(%s = ..)(%s)", s->names[0],
            p->name, s->params[0].name);
        return true;
    }
    return false;
}

static CgValue *call_graph(CgElab *e, CgFrame *f, CgValue *graph, const CgGiven *given, CgSpan span)
{
    const CgStmt *s = graph->stmt;
    CgArguments a;
    if (!cg_arguments_match(e, s->names[0], s->params, s->nparams, given, CG_MATCH_BARE | CG_MATCH_TENSORS_APART, &a)
        || has_input_size(e, s, given, &a))
        return cg_value_poison(e);
    bool tensors = false;
    for (int i = 0; i < s->nparams; i++)
        tensors |= cg_param_is_tensor(&s->params[i]) && a.at[i];
    bool apply = tensors || (cg_graph_tensors(s) == 0 && f && f->has_ambient);
    CgValue *v = instantiate(e, graph, &a, span, cg_instance_maker(e, f));
    if (cg_is_poison(v) || !apply)
        return v;
    v->instance->unnamed = true;
    CgValue *args[CG_MAX_ARGS];
    CgAtom names[CG_MAX_ARGS];
    CgSpan spans[CG_MAX_ARGS];
    int n = 0;
    for (int i = 0; i < s->nparams; i++)
        if (cg_param_is_tensor(&s->params[i]) && a.at[i]) {
            args[n] = a.at[i];
            names[n] = s->params[i].name;
            spans[n++] = a.span[i];
        }
    return cg_apply(e, f, v, args, names, spans, n, span);
}

/* ---- functions ----------------------------------------------------------------------------------------------------
 */

static CgValue *call_def(CgElab *e, CgValue *def, const CgGiven *given, CgSpan span)
{
    const CgStmt *s = def->stmt;
    CgArguments a;
    if (!cg_arguments_match(e, s->names[0], s->params, s->nparams, given, CG_MATCH_BARE, &a) || cg_define_inside(e, s))
        return cg_value_poison(e);
    CgFrame f;
    CgActivity work;
    cg_activity_begin(e, &work, "def", s->names[0], span);
    cg_frame_begin(e, &f, NULL, def->env);
    f.is_def = true;
    f.running = s;
    f.called_from = span;
    f.called = s->names[0];
    bool good = true;
    for (int i = 0; i < s->nparams; i++) {
        CgValue *v = a.at[i];
        if (!v && s->params[i].init)
            v = cg_eval(e, &f, s->params[i].init);
        if (!v) {
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", s->names[0], s->params[i].name);
            cg_diag_note(d, s->params[i].span, "declared here");
            v = cg_value_poison(e);
            good = false;
        }
        v = as_param_type(e, s, &s->params[i], v, a.span[i].file ? a.span[i] : span);
        good = good && (!a.at[i] || cg_demand_check(e, s, def->env, &s->params[i], v, a.span[i]));
        cg_frame_bind(&f, s->params[i].name, v);
    }
    good = good && cg_contracts_check(e, &f, s, false, span);
    CgValue *v = good ? cg_eval(e, &f, s->a) : cg_value_poison(e);
    cg_frame_end(e, &f);
    cg_activity_end(e, &work);
    return v;
}

/* The default of a parameter of a function, a literal: names in it mean what they mean in the language alone. */
static CgValue *default_of(CgElab *e, CgFrame *f, const CgExpr *init)
{
    CgValue *v = init->kind == CG_EXPR_NAME ? cg_env_language(e, init->s) : NULL;
    return v ? v : cg_eval(e, f, init);
}

/* What a function builds of arguments that are of the right kind may still not fit: sizes below zero, whole numbers. */
static CgValue *build_function(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgValue *v = a->function->build(e, f, a);
    return cg_model_refused(e, a->function->name, a->call) ? cg_value_poison(e) : v;
}

/* load("x.safetensors"): what stands in front of a missing argument is that one, and another is missing. */
static int truly_missing(CgElab *e, const CgArguments *a, const CgGiven *given, int missing)
{
    const CgSignature *s = cg_function_signature(a->function);
    CgKnown known = cg_function_known(a->function);
    for (int i = missing - 1; i >= 0; i--)
        for (int k = 0; k < given->n; k++)
            if (given->at[k] == a->at[i] && !given->names[k] && !cg_is_poison(a->at[i])
                && !cg_kinds_take(e, &s->param[i], a->at[i], known)
                && cg_kinds_take(e, &s->param[missing], a->at[i], known))
                return i;
    return missing;
}

static bool is_number(const CgValue *v)
{
    return v->kind == CG_VALUE_INT || v->kind == CG_VALUE_FLOAT || v->kind == CG_VALUE_BOOL;
}

/* Two arguments of which each is what the other one's parameter wants; reports. */
static bool exchanged(CgElab *e, const CgArguments *a)
{
    const CgSignature *s = cg_function_signature(a->function);
    CgKnown known = cg_function_known(a->function);
    for (int j = 1; j < s->n; j++)
        for (int i = 0; i < j; i++) {
            CgValue *x = a->at[i], *y = a->at[j];
            if (!x || !y || cg_is_poison(x) || cg_is_poison(y) || is_number(x) || is_number(y)
                || cg_kinds_take(e, &s->param[i], x, known) || cg_kinds_take(e, &s->param[j], y, known)
                || !cg_kinds_take(e, &s->param[i], y, known) || !cg_kinds_take(e, &s->param[j], x, known))
                continue;
            const char *first = s->stmt->params[i].name, *second = s->stmt->params[j].name;
            CgDiag *d = cg_elab_error(e, CG_E0312, a->span[i].file ? a->span[i] : a->call,
                "'%s' and '%s' of %s stand the other way round", first, second, a->function->name);
            cg_diag_help(d, "it is %s%s", a->function->name, a->function->sig);
            return true;
        }
    return false;
}

static CgValue *call_function(CgElab *e, CgFrame *f, const CgFunction *fn, const CgGiven *given, CgSpan span)
{
    const CgSignature *s = cg_function_signature(fn);
    CgArguments a = { .function = fn };
    if (!cg_arguments_match(e, fn->name, s->stmt->params, s->n, given, CG_MATCH_BARE, &a))
        return cg_value_poison(e);
    CgKnown known = cg_function_known(fn);
    a.call = span;
    bool good = true;
    for (int i = 0; i < s->n; i++) /* first: what is missing may be what another argument was meant to be */
        if (!a.at[i] && !s->stmt->params[i].init) {
            i = truly_missing(e, &a, given, i);
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "'%s' needs '%s'", fn->name, s->stmt->params[i].name);
            cg_diag_help(d, "it is %s%s", fn->name, fn->sig);
            return cg_value_poison(e);
        }
    if (exchanged(e, &a))
        return cg_value_poison(e);
    for (int i = 0; i < s->n; i++) {
        const CgParam *p = &s->stmt->params[i];
        if (!a.at[i]) {
            CgValue *usual = default_of(e, f, p->init), *taken = cg_kinds_take(e, &s->param[i], usual, known);
            a.at[i] = taken ? taken : usual; /* an integer that stands for a number is one */
            a.span[i] = span;
            continue;
        }
        if (!a.span[i].file)
            a.span[i] = span;
        if (cg_define_vague(e, a.at[i])) {
            a.at[i] = cg_define_argument(e, fn, i, &s->param[i], a.at[i]);
            good &= a.at[i] != NULL;
            continue;
        }
        a.at[i] = cg_argument_take(e, fn->name, p, &s->param[i], a.at[i], a.span[i], a.written[i], known);
        good &= !cg_is_poison(a.at[i]);
    }
    if (!good)
        return cg_value_poison(e);
    return fn->build ? build_function(e, f, &a) : cg_function_later(e, &a, 0);
}

/* One name may be a function and an op: a tensor as first argument, which the function does not take, means the op. */
static bool may_be_op(const CgFunction *fn, const CgGiven *given)
{
    return given->n && cg_op_find(fn->name)
        && !cg_kinds_have(&cg_function_signature(fn)->param[0], CG_KIND_TENSOR, NULL);
}

static CgValue *call_named(
    CgElab *e, CgFrame *f, const CgFunction *fn, const CgGiven *given, const CgExpr *site, CgSpan span)
{
    if (may_be_op(fn, given) && given->at[0]->kind == CG_VALUE_TENSOR)
        return cg_op_call(e, f, cg_op_find(fn->name), given->at, given->names, given->spans, given->n, site);
    if (may_be_op(fn, given) && e->defining && cg_is_poison(given->at[0]))
        return cg_value_poison(e); /* which of both is not known */
    return call_function(e, f, fn, given, span);
}

static void not_callable(CgElab *e, CgValue *callee, const CgExpr *site, CgSpan span)
{
    CgDiag *d =
        cg_elab_error(e, CG_E0305, site ? site->a->span : span, "%s cannot be called", cg_value_kind_name(callee));
    if (callee->kind == CG_VALUE_LIST && callee->n && callee->at[0]->kind == CG_VALUE_INSTANCE)
        cg_diag_help(d, "layers are applied one after the other: for l in layers { x = l(x) }");
    else if (callee->kind == CG_VALUE_LIST || callee->kind == CG_VALUE_TENSOR)
        cg_diag_help(d, "an element is chosen in brackets: x[0]");
    else if (callee->kind == CG_VALUE_RECORD)
        cg_diag_help(d, "a field is r.name or r[\"name\"]");
    else if (callee->kind == CG_VALUE_INT || callee->kind == CG_VALUE_FLOAT)
        cg_diag_help(d, "a product is written with '*'");
    else if (cg_value_class(callee) == &cg_class_tokenizer)
        cg_foreign_answer(d, cg_foreign(CG_FOREIGN_TOKENIZER, "encode"));
    else
        cg_help_fields(e, d, callee);
}

CgValue *cg_call(
    CgElab *e, CgFrame *f, CgValue *callee, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site)
{
    CgSpan span = site ? site->span : callee->span;
    CgGiven a = { args, names, spans, n, site };
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
    case CG_VALUE_FUNCTION: v = call_named(e, f, callee->function, &a, site, span); break;
    case CG_VALUE_OP: v = cg_op_call(e, f, callee->op, args, names, spans, n, site); break;
    default: not_callable(e, callee, site, span);
    }
    e->calls--;
    return v;
}

/* Each of a record is a table, where a function takes a table or a record of tables. */
static bool all_tables(CgElab *e, const CgFunction *fn, const CgKinds *kinds, const CgValue *of, CgSpan span)
{
    const CgKinds table = { .n = 1, .at = { kinds->at[0] } };
    for (int i = 0; kinds->at[0].tag == CG_KIND_CLASS && of->kind == CG_VALUE_RECORD && i < of->n; i++) {
        CgValue *one = of->at[i];
        if (cg_is_poison(one) || cg_kinds_take(e, &table, one, CG_KNOWN_LATER))
            continue;
        cg_elab_error(e, CG_E0312, span, "'%s' of %s is a table or a record of tables; '%s' of the record is %s",
            cg_function_signature(fn)->stmt->params[0].name, fn->name, of->keys[i], cg_value_kind_name(one));
        return false;
    }
    return true;
}

/* The columns of the table an argument is, as names for the arguments after it. */
static bool bind_columns(CgElab *e, CgFrame *f, const CgFunction *fn, CgValue *of, CgSpan span)
{
    const CgSignature *s = cg_function_signature(fn);
    of = cg_argument_take(e, fn->name, &s->stmt->params[0], &s->param[0], of, span, NULL, CG_KNOWN_LATER);
    if (cg_is_poison(of))
        return false;
    const CgSchema *columns = e->columns ? e->columns(e, of) : NULL;
    int n = columns ? columns->n : 0;
    bool silent = false; /* a table of a record that was not made, which was reported */
    for (int i = 0; of->kind == CG_VALUE_RECORD && i < of->n; i++)
        silent |= cg_is_poison(of->at[i]);
    if (n == 0 && !silent)
        cg_elab_error(e, CG_E0312, span, "'%s' of %s is a table or a record of tables, not %s", s->stmt->params[0].name,
            fn->name, cg_value_kind_name(of));
    for (int i = 0; i < n; i++) {
        CgValue *v = cg_value_new(e, CG_VALUE_COLUMN, span);
        v->s = columns->at[i].name;
        v->cls = columns->at[i].text ? &cg_class_labels : &cg_class_column;
        cg_frame_bind(f, v->s, v);
    }
    return n > 0 && all_tables(e, fn, &s->param[0], of, span);
}

/* Which argument is evaluated first: the one of the first parameter, whose columns the others may name; -1: none. */
static int first_evaluated(const CgFunction *columns_of, const CgExpr *x)
{
    CgAtom name = columns_of ? cg_function_signature(columns_of)->stmt->params[0].name : NULL;
    int first = -1;
    for (int i = 0; columns_of && i < x->args.n; i++)
        if (x->args.at[i].name == name || (first < 0 && !x->args.at[i].name))
            first = i;
    return first;
}

static CgValue *not_a_column(CgElab *e, const CgFrame *columns, const CgExpr *x, CgValue *v)
{
    bool callable =
        v->kind == CG_VALUE_FUNCTION || v->kind == CG_VALUE_OP || v->kind == CG_VALUE_GRAPH || v->kind == CG_VALUE_DEF;
    return x->kind == CG_EXPR_NAME && callable ? cg_column_missing(e, columns, x->s, x->span) : v;
}

/* A bare name where the i-th argument names a column, and no column but something to call has that name: v, or poison
 * after a report. */
static CgValue *as_column(CgElab *e, const CgFrame *columns, const CgFunction *fn, const CgArg *a, int i, CgValue *v)
{
    const CgSignature *s = cg_function_signature(fn);
    for (int k = 0; a->name && k < s->n; k++)
        i = s->stmt->params[k].name == a->name ? k : i;
    const CgKinds *kinds = i < s->n ? &s->param[i] : NULL;
    if (!kinds || cg_kinds_have(kinds, CG_KIND_GRAPH, NULL)
        || !(cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_column)
            || cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_labels)))
        return v;
    CgValue *out = not_a_column(e, columns, a->value, v);
    for (int k = 0; a->value->kind == CG_EXPR_LIST && v->kind == CG_VALUE_LIST && k < v->n; k++)
        if (cg_is_poison(not_a_column(e, columns, a->value->args.at[k].value, v->at[k])))
            out = cg_value_poison(e);
    return out;
}

CgValue *cg_eval_call(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *callee = cg_eval(e, f, x->a);
    if (cg_is_poison(callee)) {
        for (int i = 0; i < x->args.n && e->defining && x->args.at[i].value->kind != CG_EXPR_ARROW; i++)
            cg_eval(e, f, x->args.at[i].value);
        return cg_value_poison(e);
    }
    const CgFunction *fn = callee->kind == CG_VALUE_FUNCTION ? callee->function : NULL;
    if (fn && fn->traits & CG_PATTERN)
        return build_function(e, f, &(CgArguments){ .function = fn, .call = x->span, .site = x });
    if (x->args.n > CG_MAX_ARGS) {
        cg_elab_error(e, CG_E0303, x->span, "a call has at most %d arguments", CG_MAX_ARGS);
        return cg_value_poison(e);
    }
    CgValue *args[CG_MAX_ARGS];
    CgAtom names[CG_MAX_ARGS];
    CgSpan spans[CG_MAX_ARGS];
    CgFrame columns, *at = f;
    int first = first_evaluated(fn && fn->traits & CG_COLUMNS ? fn : NULL, x);
    bool bad = false;
    if (first >= 0) {
        args[first] = cg_eval(e, f, x->args.at[first].value);
        if (cg_is_poison(args[first]))
            return args[first]; /* without its table the names of columns mean nothing */
        CgValue *of_rows = NULL;
        if (e->rows && cg_value_class(args[first]) == &cg_class_dataset)
            of_rows = e->rows(e, f, fn->name, args[first], x->args.at[first].value, x);
        if (of_rows)
            return of_rows;
        cg_frame_begin(e, &columns, f, f->env);
        columns.is_columns = true;
        at = &columns;
        bad = !bind_columns(e, at, fn, args[first], x->args.at[first].value->span);
    }
    for (int i = 0; i < x->args.n && !(first >= 0 && bad); i++) {
        if (i != first) /* after a mistake a bare name may be that of an axis nobody knows: one message is enough */
            args[i] = bad && !e->defining && x->args.at[i].value->kind == CG_EXPR_NAME
                ? cg_value_poison(e)
                : cg_eval(e, at, x->args.at[i].value);
        if (callee->kind == CG_VALUE_OP)
            args[i] = cg_value_laid_out(e, args[i]);
        if (first >= 0 && i != first)
            args[i] = as_column(e, at, fn, &x->args.at[i], i, args[i]);
        names[i] = x->args.at[i].name;
        spans[i] = x->args.at[i].value->span;
        bad |= cg_is_poison(args[i]);
    }
    if (first >= 0)
        cg_frame_end(e, &columns);
    /* A function of columns evaluates no argument behind one that is wrong. */
    return bad && (first >= 0 || !e->defining) ? cg_value_poison(e)
                                               : cg_call(e, f, callee, args, names, spans, x->args.n, x);
}
