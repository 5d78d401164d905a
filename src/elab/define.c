/* define.c - graphs checked where they are defined.
 * Takes graphs that nothing has applied; gives diagnostics that hold whatever they are given, and conditions on their
 * sizes. A graph is carried out on symbols by the code that applies it; a condition that is found is put in from the
 * beginning, and the graph is carried out again. Must not change what a later application means. */
#include "elab/define_inside.h"

#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "graph/registry.h"

enum {
    MOST_CONDITIONS = 200,
    MOST_NESTED = 20, /* definitions that are checked because another one applies them */
};

/* Every symbol of a condition that was put in stays known to the next run. */
static void keep_fresh(CgDefine *d, size_t before)
{
    size_t n = before;
    for (size_t i = before; i < d->symbols.len; i++)
        if (d->symbols.at[i].kept)
            d->symbols.at[n++] = d->symbols.at[i];
    d->symbols.len = n;
}

/* ---- the run ---- */

CgValue *cg_define_static(CgElab *e, CgKindTag kind, CgSpan span)
{
    if (kind == CG_KIND_INT)
        return cg_value_dim(e, cg_define_any_size(e), span);
    return cg_value_unknown(e,
        kind == CG_KIND_FLOAT      ? CG_UNKNOWN_NUMBER
            : kind == CG_KIND_BOOL ? CG_UNKNOWN_BOOL
            : kind == CG_KIND_STR  ? CG_UNKNOWN_STR
                                   : CG_UNKNOWN_VALUE,
        span);
}

/* Sizes are among the kinds, as in iota and fill, or an axis. */
static bool takes_sizes(const CgKinds *k)
{
    bool any = false;
    for (int i = 0; i < k->n; i++)
        any |= k->at[i].tag == CG_KIND_DIM || k->at[i].tag == CG_KIND_AXIS;
    return any;
}

CgValue *cg_define_argument(CgElab *e, const CgFunction *fn, int i, const CgKinds *kinds, CgValue *v)
{
    if (i == 0 && !strcmp(fn->name, "fill") && (v->kind == CG_VALUE_DIM || cg_is_unknown_number(v)))
        return cg_value_float(e, 0, v->span); /* of which only the shape is looked at */
    bool sizes = takes_sizes(kinds) && !v->open;
    if (sizes)
        cg_define_whole(e, v, v->span);
    for (int k = 0; sizes && v->kind == CG_VALUE_LIST && k < v->n; k++)
        sizes = cg_value_as_dim(v->at[k]) != NULL;
    return sizes && !cg_is_poison(v) ? cg_kinds_take(e, kinds, v, CG_KNOWN_NOW) : NULL;
}

/* Names that are new have sizes that nothing is known of. */
static void any_sizes(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->kind == CG_EXPR_BINARY) {
        any_sizes(e, f, x->a);
        any_sizes(e, f, x->b);
    }
    if (x->kind == CG_EXPR_NAME && !cg_dim_of(e, f, x, false))
        cg_vec_push(&f->dims, (CgSized){ x->s, cg_define_any_size(e), x->span });
}

static void any_pattern(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->kind == CG_EXPR_ARROW)
        any_pattern(e, f, x->a);
    for (int i = 0; x->kind == CG_EXPR_LIST && i < x->args.n; i++)
        any_sizes(e, f, x->args.at[i].value);
}

CgValue *cg_define_patterns(CgElab *e, CgFrame *f, const CgExpr *call)
{
    CgFrame *body = cg_frame_body(f);
    for (int i = call->args.n / 2; e->defining && i < call->args.n; i++)
        any_pattern(e, body ? body : f, call->args.at[i].value);
    return cg_value_poison(e);
}

void cg_define_count(CgElab *e, const CgFrame *body)
{
    const CgStmt *s = body->instance->stmt;
    const CgValue *v = body->nresults == 1 ? body->results[0] : NULL;
    int n = v && v->kind == CG_VALUE_LIST ? v->n : body->nresults, want = s->nresults;
    if (!want || n == want || (v && (cg_is_poison(v) || v->open)))
        return;
    CgSpan at = body->returns[n > want && body->nresults == n ? want : body->nresults - 1]->span;
    CgDiag *d = cg_elab_error(
        e, CG_E0330, at, "'%s' declares %d result%s and returns %d", s->names[0], want, want == 1 ? "" : "s", n);
    cg_diag_note(d, s->results[want - 1]->span, "declared here");
    if (n > want && body->nresults == 1)
        cg_diag_help(d, "one of them is f(x)[0]; all of them have types of their own: -> f32[B, D], f32[B]");
    else if (n > want)
        cg_diag_help(d, "each result has a type of its own behind '->': -> f32[B, D], f32[B]");
    else
        cg_diag_help(d, "all of them stand in one return: return y, z");
}

CgValue *cg_define_result(CgElab *e, CgFrame *body, const CgTypeExpr *want)
{
    CgType t;
    CgTensorValue labels = { 0 };
    bool known = want && want->kind == CG_TYPE_TENSOR;
    for (int i = 0; known && i < want->ndims; i++) {
        known = want->dims[i]->kind != CG_EXPR_ROW || cg_frame_rows(body, want->dims[i]->s);
        any_sizes(e, body, want->dims[i]);
    }
    if (!known || !cg_type_of(e, body, want, &t, &labels))
        return cg_value_poison(e);
    CgValue *v = cg_value_tensor(e, CG_NONE, want->span);
    *v->tensor = labels;
    v->tensor->ref = cg_define_tensor(e, t);
    return v;
}

/* ---- what a graph is given ---- */

/* The sizes of an input's type; names that are new stand for themselves. */
static void name_sizes(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->kind == CG_EXPR_BINARY) {
        name_sizes(e, f, x->a);
        name_sizes(e, f, x->b);
    }
    if (x->kind != CG_EXPR_NAME || cg_frame_dim(f, x->s))
        return;
    if (cg_frame_name(f, x->s))
        return;
    cg_vec_push(&f->dims, (CgSized){ x->s, cg_define_symbol(e->defining, x->s, WORTH_SIZE, x->span), x->span });
}

static CgRows *row_sizes(CgElab *e, CgFrame *f, CgAtom name)
{
    CgRows *known = cg_frame_rows(f, name), r = { .name = name, .n = e->defining->row };
    if (known)
        return known;
    for (int i = 0; i < r.n; i++)
        r.dim[i] = cg_dim_symbol(cg_intern_printf("?%s.%d", name ? name : "", i));
    cg_vec_push(&f->rows, r);
    return &f->rows.at[f->rows.len - 1];
}

static bool type_of_input(CgElab *e, CgFrame *f, const CgTypeExpr *t, CgType *out, CgSpan *origin)
{
    *out = (CgType){ 0 };
    int d = 0;
    while (d < CG_NDTYPE && (!t->name || strcmp(cg_dtype_name((CgDtype)d), t->name)))
        d++;
    out->dtype = (CgDtype)d;
    for (int i = 0; i < t->ndims; i++) {
        const CgExpr *x = t->dims[i];
        if (x->kind == CG_EXPR_ROW) {
            const CgRows *r = row_sizes(e, f, x->s);
            for (int k = 0; k < r->n && out->rank < CG_MAX_RANK; k++) {
                origin[out->rank] = x->span;
                out->dim[out->rank++] = r->dim[k];
            }
            continue;
        }
        if (out->rank == CG_MAX_RANK)
            return false;
        name_sizes(e, f, x);
        const CgDim *size = cg_dim_of(e, f, x, false);
        origin[out->rank] = x->span;
        out->dim[out->rank++] = size ? size : cg_define_any_size(e);
    }
    return d < CG_NDTYPE;
}

/* Indices given to a graph are below what it declares: a size that stands nowhere else is that of what it is given. */
static void declare_below(CgElab *e, CgFrame *f, const CgTypeExpr *t, const CgValue *input)
{
    if (!t->below)
        return;
    name_sizes(e, f, t->below);
    const CgDim *size = cg_dim_of(e, f, t->below, false);
    if (size)
        cg_below_set(e->model, input->tensor->ref, (CgBelow){ size, t->below->span, NULL, NULL });
}

/* A parameter without a written type is what its default is. */
static CgValue *static_value(CgElab *e, CgFrame *f, const CgParam *p)
{
    CgKinds kinds;
    bool scalar = p->type && p->type->kind == CG_TYPE_SCALAR && cg_kinds_of(p->type, &kinds);
    CgKindTag tag = scalar ? kinds.at[0].tag : CG_KIND_ANY;
    CgValue *v = !p->type && p->init ? cg_eval(e, f, p->init) : NULL;
    CgValueKind kind = v ? v->kind : CG_VALUE_NONE;
    if (tag == CG_KIND_INT || kind == CG_VALUE_INT)
        return cg_value_dim(e, cg_define_symbol(e->defining, p->name, WORTH_STATIC, p->span), p->span);
    if (tag == CG_KIND_FLOAT || kind == CG_VALUE_FLOAT)
        return cg_value_unknown(e, CG_UNKNOWN_NUMBER, p->span);
    if (tag == CG_KIND_BOOL || kind == CG_VALUE_BOOL)
        return cg_value_unknown(e, CG_UNKNOWN_BOOL, p->span);
    if (tag == CG_KIND_STR || kind == CG_VALUE_STR)
        return cg_value_unknown(e, CG_UNKNOWN_STR, p->span);
    bool called = kind == CG_VALUE_GRAPH || kind == CG_VALUE_INSTANCE || kind == CG_VALUE_DEF || kind == CG_VALUE_OP
        || kind == CG_VALUE_FUNCTION;
    return called ? v : cg_value_unknown(e, CG_UNKNOWN_VALUE, p->span);
}

/* A tensor that may be absent; a number as default is what a state starts from. */
static bool is_option(const CgParam *p)
{
    return cg_param_is_tensor(p) && p->init && p->init->kind != CG_EXPR_INT && p->init->kind != CG_EXPR_FLOAT;
}

/* Applies the graph to symbols. */
static void apply(CgElab *e, CgDefine *d)
{
    const CgStmt *s = d->graph;
    CgFrame f;
    if (s->nparams > CG_MAX_ARGS) {
        CgDiag *many = cg_elab_error(e, CG_E0303, s->params[CG_MAX_ARGS].span, "'%s' has %d parameters; it can have %d",
            s->names[0], s->nparams, CG_MAX_ARGS);
        cg_diag_help(many, "tensors of one type can be one with an axis more");
        return;
    }
    cg_frame_begin(e, &f, NULL, d->env);
    f.is_body = true;
    CgValue *v = cg_value_new(e, CG_VALUE_INSTANCE, s->span), *root;
    v->instance = CG_NEW(e->arena, CgInstance);
    *v->instance = (CgInstance){ .stmt = s, .env = d->env, .span = s->span };
    CgValue **statics = v->instance->statics = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    CgValue **args = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    CgAtom *names = CG_NEWN(e->arena, CgAtom, s->nparams + 1);
    CgSpan *spans = CG_NEWN(e->arena, CgSpan, s->nparams + 1);
    int n = 0;
    for (int i = 0; i < s->nparams; i++)
        if (!cg_param_is_tensor(&s->params[i])) {
            statics[i] = static_value(e, &f, &s->params[i]);
            cg_frame_bind(&f, s->params[i].name, statics[i]);
        }
    bool good = true;
    for (int i = 0; i < s->nparams && good; i++) {
        const CgParam *p = &s->params[i];
        CgType t;
        CgSpan origin[CG_MAX_RANK];
        if (!cg_param_is_tensor(p) || (is_option(p) && !d->options))
            continue;
        good = type_of_input(e, &f, p->type, &t, origin);
        if (!good)
            break;
        args[n] = cg_value_tensor(e, cg_graph_input(&e->model->build, p->name, t), p->span);
        declare_below(e, &f, p->type, args[n]);
        memcpy(args[n]->tensor->origin, origin, sizeof origin[0] * (size_t)t.rank);
        names[n] = p->name;
        spans[n++] = p->span;
    }
    CgFrame outer = { .env = d->env };
    CgSpan said[CG_MAX_RANK];
    if (good && !cg_graph_tensors(s) && s->nresults == 1 && s->results[0]->kind == CG_TYPE_TENSOR)
        outer.has_ambient = type_of_input(e, &f, s->results[0], &outer.ambient, said);
    outer.ambient_path = cg_intern("");
    root = cg_instance_root(e, v, false);
    cg_frame_end(e, &f);
    if (good)
        cg_apply(e, &outer, root, args, names, spans, n, (CgSpan){ 0 });
    cg_vec_free(&outer.names);
}

/* Carries the graph out, again for each condition that is found. Gives what is wrong. */
static CgDiags *run(CgElab *e, CgDefine *d, int row, bool options)
{
    CgDiags *found = NULL, *outside = e->diags;
    CgFrame *frame = e->frame;
    int depth = e->depth, calls = e->calls;
    d->row = row;
    d->options = options;
    d->conditions.len = 0;
    d->symbols.len = 0;
    for (int i = 0; i < d->graph->ncontracts; i++)
        cg_define_state(d, d->graph->contracts[i]);
    for (int i = 0; i <= MOST_CONDITIONS && !found; i++) {
        d->again = d->spent = false;
        d->steps = d->sizes = 0;
        d->quotients.len = 0;
        keep_fresh(d, 0);
        e->frame = NULL;
        e->diags = cg_diags_new(e->sources);
        CgBudget budget = cg_budget_begin(e);
        CgModelGraph *built = cg_model_begin(e, "definition", false);
        apply(e, d);
        cg_model_end(e);
        cg_model_free(built);
        cg_budget_end(e, budget);
        if (d->again)
            cg_diags_free(e->diags);
        else
            found = e->diags;
        e->depth = depth;
        e->calls = calls;
    }
    e->frame = frame;
    e->diags = outside;
    return found;
}

static bool has_rows(const CgStmt *s)
{
    bool any = false;
    for (int i = 0; i < s->nparams + s->nresults; i++) {
        const CgTypeExpr *t = i < s->nparams ? s->params[i].type : s->results[i - s->nparams];
        for (int k = 0; t && t->kind == CG_TYPE_TENSOR && k < t->ndims; k++)
            any |= t->dims[k]->kind == CG_EXPR_ROW;
    }
    return any;
}

static bool has_options(const CgStmt *s)
{
    bool any = false;
    for (int i = 0; i < s->nparams; i++)
        any |= is_option(&s->params[i]);
    return any;
}

/* Whether the graph is free of mistakes. What is wrong for one number of axes of a row only is not reported. */
static bool check(CgElab *e, const CgStmt *s, CgEnv *env)
{
    static const int rows[] = { 2, 1, 3 };
    CgDefine d = { .outer = e->defining, .graph = s, .env = env };
    size_t before = cg_diags_count(e->outside);
    e->defining = &d;
    for (int options = has_options(s) ? 0 : 1; options < 2; options++) {
        CgDiags *lists[CG_LEN(rows)] = { run(e, &d, rows[0], options) };
        if (!options || !has_options(s)) /* without optional tensors: what they ask for is asked where they are given */
            cg_define_keep(e, &d);
        int n = 1;
        while (has_rows(s) && lists[n - 1] && cg_diags_count(lists[n - 1]) && n < (int)CG_LEN(rows)) {
            lists[n] = run(e, &d, rows[n], options);
            n++;
        }
        bool all = true;
        for (int i = 0; i < n; i++)
            all = all && lists[i];
        if (all)
            cg_diags_common(e->outside, lists, n);
        for (int i = 0; i < n; i++)
            cg_diags_free(lists[i]);
    }
    e->defining = d.outer;
    cg_vec_free(&d.symbols);
    cg_vec_free(&d.conditions);
    cg_vec_free(&d.quotients);
    cg_diags_free(d.scratch);
    return cg_diags_count(e->outside) == before;
}

enum { BUSY = 1, GOOD, BAD };

static uint64_t state_of(CgElab *e, const CgStmt *s, CgEnv *env)
{
    uint64_t state = 0;
    int nested = 0;
    for (const CgDefine *d = e->defining; d; d = d->outer)
        nested++;
    if (cg_map_get(&e->definitions, cg_map_ptr(s), &state) || nested > MOST_NESTED)
        return state;
    CgDiags *diags = e->diags;
    if (!e->defining)
        e->outside = diags;
    cg_map_put(&e->definitions, cg_map_ptr(s), BUSY);
    state = check(e, s, env) ? GOOD : BAD;
    cg_map_put(&e->definitions, cg_map_ptr(s), state);
    return state;
}

bool cg_define_bad(CgElab *e, const CgStmt *s, CgEnv *env)
{
    uint64_t state = 0;
    if (e->defining) /* first what is applied, then what applies it */
        return s != e->defining->graph && state_of(e, s, env) == BAD;
    return cg_map_get(&e->definitions, cg_map_ptr(s), &state) && state == BAD;
}

void cg_define_all(CgElab *e)
{
    for (int m = 0; m < e->program->n; m++) {
        const CgBlock *top = &e->program->at[m].unit->top;
        for (int i = 0; i < top->n; i++)
            if (top->at[i]->kind == CG_STMT_GRAPH)
                state_of(e, top->at[i], e->envs[m]);
    }
}
