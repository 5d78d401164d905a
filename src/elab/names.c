/* names.c - names in bodies that nobody carries out.
 * Takes the graphs of the script; reports names that nothing in the body, the module or the language can bind.
 * Carries out nothing and guesses nothing: a name that any type or pattern of the graph mentions is taken for bound. */
#include <string.h>

#include "elab/elab.h"
#include "graph/registry.h"

typedef struct Walk {
    CgElab *e;
    CgEnv *env;
    CgMap bound;
    CG_VEC(CgAtom) names;
    bool report;
} Walk;

static void walk(Walk *w, const CgExpr *x, bool binds);

static void bind(Walk *w, CgAtom name)
{
    uint64_t at;
    if (!name || w->report || cg_map_get(&w->bound, cg_map_ptr(name), &at))
        return;
    cg_map_put(&w->bound, cg_map_ptr(name), 1);
    cg_vec_push(&w->names, name);
}

static void look_up(Walk *w, CgAtom name, CgSpan span)
{
    uint64_t at;
    if (!w->report || cg_map_get(&w->bound, cg_map_ptr(name), &at) || cg_env_knows(w->e, w->env, name))
        return;
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (size_t i = 0; i < w->names.len; i++)
        cg_suggest_offer(&s, w->names.at[i]);
    cg_env_suggest(w->e, w->env, &s);
    CgDiag *d = cg_elab_error(w->e, CG_E0301, span, "'%s' is not bound to anything", name);
    if (cg_suggest_best(&s))
        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&s));
    cg_map_put(&w->bound, cg_map_ptr(name), 1); /* one mistake, one message */
}

static void walk_type(Walk *w, const CgTypeExpr *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->ndims; i++)
        walk(w, t->dims[i], true);
    for (int i = 0; i < t->nparams; i++)
        walk_type(w, t->params[i]);
    walk_type(w, t->result);
}

static bool is_axis(CgAtom name) { return name && (!strcmp(name, "axis") || !strcmp(name, "axes")); }

/* Names of axes may come from what was called before; arguments that can be axes are left alone. */
static bool has_axis(Walk *w, const CgExpr *callee)
{
    bool by_name = callee->kind == CG_EXPR_NAME || callee->kind == CG_EXPR_FIELD;
    const CgOp *op = by_name ? cg_op_find(callee->s) : NULL;
    if (op && strstr(op->sig, "ax"))
        return true;
    for (const CgBuiltin *const *table = w->e->builtins; callee->kind == CG_EXPR_NAME && *table; table++)
        for (const CgBuiltin *b = *table; b->name; b++)
            if (!strcmp(b->name, callee->s))
                return b->raw || b->quoted || strstr(b->sig, "ax");
    return false;
}

static void walk_call(Walk *w, const CgExpr *x)
{
    bool einsum = x->a->kind == CG_EXPR_NAME && !strcmp(x->a->s, "einsum"), axes = has_axis(w, x->a);
    walk(w, x->a, false);
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *arg = &x->args.at[i];
        bool pattern = arg->value->kind == CG_EXPR_ARROW || (einsum && arg->value->kind == CG_EXPR_LIST);
        if (pattern || !(is_axis(arg->name) || (axes && i > 0)))
            walk(w, arg->value, pattern);
    }
}

static void walk(Walk *w, const CgExpr *x, bool binds)
{
    if (!x)
        return;
    switch (x->kind) {
    case CG_EXPR_NAME:
        if (binds)
            bind(w, x->s);
        else
            look_up(w, x->s, x->span);
        return;
    case CG_EXPR_CALL: walk_call(w, x); return;
    case CG_EXPR_TRAIN:
    case CG_EXPR_EVALUATE: return; /* their blocks have names of their own */
    case CG_EXPR_TYPE: walk_type(w, x->type); return;
    case CG_EXPR_FIELD:
        if (x->a->kind != CG_EXPR_NAME || strcmp(x->a->s, "op") != 0) /* op.rmsnorm is the op itself */
            walk(w, x->a, binds);
        return;
    case CG_EXPR_LIST_FOR:
    case CG_EXPR_RECORD_FOR:
        bind(w, x->s);
        bind(w, x->s2);
        break;
    case CG_EXPR_ARROW: binds = true; break;
    default: break;
    }
    walk(w, x->a, binds);
    walk(w, x->b, binds);
    walk(w, x->c, binds);
    walk(w, x->d, binds);
    for (int i = 0; i < x->args.n; i++)
        walk(w, x->args.at[i].value, binds);
}

static void walk_params(Walk *w, const CgStmt *s)
{
    for (int i = 0; i < s->nparams; i++) {
        bind(w, s->params[i].name);
        walk_type(w, s->params[i].type);
        walk(w, s->params[i].init, false);
    }
    for (int i = 0; i < s->nresults; i++)
        walk_type(w, s->results[i]);
}

static void walk_block(Walk *w, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        for (int k = 0; k < s->nnames; k++)
            bind(w, s->names[k]);
        walk_type(w, s->type);
        walk_params(w, s);
        for (int k = 0; k < s->nexprs; k++)
            walk(w, s->exprs[k], false);
        walk(w, s->a, false);
        walk_block(w, &s->body);
        walk_block(w, &s->other);
    }
}

void cg_names_check(CgElab *e)
{
    CgEnv *env = cg_elab_script(e);
    const CgBlock *top = &cg_env_module(env)->unit->top;
    for (int i = 0; i < top->n; i++) {
        if (top->at[i]->kind != CG_STMT_GRAPH)
            continue;
        Walk w = { .e = e, .env = env };
        for (int pass = 0; pass < 2; pass++) {
            w.report = pass == 1;
            walk_params(&w, top->at[i]);
            walk_block(&w, &top->at[i]->body);
        }
        cg_map_deinit(&w.bound);
        cg_vec_free(&w.names);
    }
}
