/* env.c - the names of a module, evaluated when first asked for.
 * Takes a module; gives values by name: its own, then its imports', then the prelude's, then functions, element types,
 * ops. Order in the text does not matter; a name in terms of itself is a mistake. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "lang/foreign.h"

static void declare(CgElab *e, CgEnv *env, CgAtom name, CgSpan span, const CgStmt *s, int index)
{
    uint64_t at;
    if (cg_map_get(&env->by_name, cg_map_ptr(name), &at)) {
        CgDiag *d = cg_elab_error(e, CG_E0306, span, "'%s' is already bound", name);
        cg_diag_note(d, env->names.at[at].span, "first here");
        cg_diag_help(d, "at top level a name stands for one value, whatever the order of lines: choose another one");
        return;
    }
    cg_map_put(&env->by_name, cg_map_ptr(name), env->names.len);
    cg_vec_push(&env->names, (CgEnvName){ .name = name, .span = span, .stmt = s, .index = index });
}

/* Imports come first in a program, so what they have is known. */
static void import(CgElab *e, CgEnv *env, int i)
{
    const CgStmt *s = env->module->imports[i].stmt;
    CgEnv *of = env->imports[i] = e->envs[env->module->imports[i].module];
    uint64_t at;
    for (int k = 1; k < s->nnames; k++) {
        if (cg_env_has(of, s->names[k]))
            continue;
        CgSuggest near;
        cg_suggest_init(&near, s->names[k]);
        cg_env_offer(of, &near);
        CgDiag *d =
            cg_elab_error(e, CG_E0205, s->name_spans[k], "the module '%s' has no name '%s'", s->names[0], s->names[k]);
        const CgForeign *row = NULL;
        for (int w = 0; w < 3 && !row; w++)
            row = cg_foreign((CgForeignWhere[]){ CG_FOREIGN_MEMBER, CG_FOREIGN_CALL, CG_FOREIGN_NAME }[w], s->names[k]);
        if (!cg_diag_meant(d, &near) && row)
            cg_foreign_answer(d, row);
    }
    bool bound = s->a && cg_map_get(&env->by_name, cg_map_ptr(s->a->s), &at);
    CgSpan first = bound ? env->names.at[at].span : (CgSpan){ 0 };
    for (int k = 0; s->a && !bound && k < i; k++)
        if (env->module->imports[k].stmt->a && env->module->imports[k].stmt->a->s == s->a->s) {
            bound = true;
            first = env->module->imports[k].stmt->a->span;
        }
    if (bound)
        cg_diag_note(cg_elab_error(e, CG_E0306, s->a->span, "'%s' is already bound", s->a->s), first, "first here");
}

CgEnv *cg_env_new(CgElab *e, int module)
{
    CgEnv *env = CG_NEW(e->arena, CgEnv);
    env->module = &e->program->at[module];
    env->imports = CG_NEWN(e->arena, CgEnv *, env->module->nimports + 1);
    const CgBlock *top = &env->module->unit->top;
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind == CG_STMT_BIND)
            for (int k = 0; k < s->nnames; k++)
                declare(e, env, s->names[k], s->name_spans ? s->name_spans[k] : s->span, s, k);
        else if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF || s->kind == CG_STMT_OPTION)
            declare(e, env, s->names[0], s->name_spans ? s->name_spans[0] : s->span, s, 0);
    }
    for (int i = 0; i < env->module->nimports; i++)
        import(e, env, i);
    return env;
}

/* What a model bound to a name is called from then on. */
static CgValue *named(CgElab *e, CgValue *v, CgAtom name)
{
    if (v->kind == CG_VALUE_INSTANCE && !v->instance->name) {
        v = cg_instance_copy(e, v, v->span);
        v->instance->name = name;
    }
    return v;
}

/* n = 100,000 is two values. */
static void help_values(CgDiag *d, const CgStmt *s)
{
    bool digits = true;
    for (int i = 0; i < s->nexprs; i++)
        digits &= s->exprs[i]->kind == CG_EXPR_INT
            && (!i
                || (s->exprs[i]->span.start == s->exprs[i - 1]->span.end + 1
                    && s->exprs[i]->span.end - s->exprs[i]->span.start == 3));
    if (digits)
        cg_diag_help(d, "digits are grouped by '_': 100_000");
    else if (s->nnames == 1)
        cg_diag_help(d, "several values are a list: %s = [a, b]", s->names[0]);
}

/* a, b = xs: the elements of one list. */
static CgValue *unpacked(CgElab *e, CgFrame *f, const CgStmt *s, int index)
{
    CgValue *v = cg_value_laid_out(e, cg_eval(e, f, s->exprs[0]));
    int n = s->nexprs == 1 && v->kind == CG_VALUE_LIST ? v->n : s->nexprs;
    bool bad = cg_is_poison(v);
    for (int i = 0; i < s->nexprs; i++)
        bad |= s->exprs[i]->kind == CG_EXPR_ERROR;
    if (bad)
        return cg_value_poison(e);
    if (n == s->nnames)
        return v->at[index];
    CgSpan at = s->exprs[s->nexprs > s->nnames ? s->nnames : 0]->span;
    CgDiag *d = cg_elab_error(
        e, CG_E0330, at, "%d name%s for %d value%s", s->nnames, s->nnames == 1 ? "" : "s", n, n == 1 ? "" : "s");
    if (s->nexprs > s->nnames)
        help_values(d, s);
    return cg_value_poison(e);
}

static CgValue *compute(CgElab *e, CgEnv *env, CgEnvName *b)
{
    const CgStmt *s = b->stmt;
    if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF) {
        CgValue *v = cg_value_new(e, s->kind == CG_STMT_GRAPH ? CG_VALUE_GRAPH : CG_VALUE_DEF, b->span);
        v->stmt = s;
        v->env = env;
        return v;
    }
    if (s->kind == CG_STMT_OPTION)
        return cg_option_value(e, env, s);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, env);
    f.scope = 0;                      /* what a module binds is no part of the graph that asks for it */
    CgModelGraph *outside = e->model; /* a top-level value never belongs to a graph being built */
    struct CgDefine *defining = e->defining;
    CgDiags *diags = e->diags;
    int ways = e->ways;
    e->model = NULL;
    e->diags = defining ? e->outside : diags;
    e->defining = NULL;
    e->ways = 0;
    CgBudget budget = cg_budget_begin(e);
    CgValue *v = s->nexprs == s->nnames ? cg_eval(e, &f, s->exprs[b->index]) : unpacked(e, &f, s, b->index);
    cg_budget_end(e, budget);
    e->model = outside;
    e->defining = defining;
    e->diags = diags;
    e->ways = ways;
    cg_frame_end(e, &f);
    return named(e, v, b->name);
}

static bool is_name(const CgExpr *x, void *name) { return x->kind == CG_EXPR_NAME && x->s == *(CgAtom *)name; }

/* m = train net { loss = m(..) }: m is the trained model, which the block does not have yet. */
static void used_in_its_block(CgElab *e, const CgEnvName *own, const CgExpr *x, const CgExpr *use)
{
    const char *what = x->kind == CG_EXPR_TRAIN ? "train" : "evaluate";
    CgDiag *d =
        cg_elab_error(e, CG_E0307, use->span, "'%s' is what this '%s' gives; it is not there inside", own->name, what);
    cg_diag_note(d, own->span, "bound here");
    if (x->s) {
        cg_diag_help(d, "in these fields the model is called '%s'", x->s);
        cg_diag_fix(d, use->span, "%s", x->s);
        return;
    }
    const CgExpr *head = x->b ? x->b : x->a;
    cg_diag_help(d, "name the model inside: %s .. as %s { .. }", what, own->name);
    cg_diag_fix(d, (CgSpan){ head->span.file, head->span.end, head->span.end }, " as %s", own->name);
}

/* The expression that a name of the module is bound to; NULL: it is something else. */
static const CgExpr *value_of(const CgEnvName *own)
{
    bool bound = own->stmt && own->stmt->kind == CG_STMT_BIND && own->index < own->stmt->nexprs;
    return bound ? own->stmt->exprs[own->index] : NULL;
}

/* a = 2 * b, b = a / 2: the way from a name back to itself, through those that wait for it. */
static void circle(CgElab *e, const CgEnv *env, const CgEnvName *own)
{
    enum { LONGEST = 6 };
    CgDiag *d = cg_elab_error(e, CG_E0307, own->span, "'%s' is defined in terms of itself", own->name);
    const CgEnvName *at = own;
    for (int k = 0; k < LONGEST; k++) {
        const CgExpr *x = value_of(at), *use = NULL;
        const CgEnvName *next = NULL;
        for (size_t i = env->names.len; x && !next && i-- > 0;) {
            CgAtom name = env->names.at[i].name;
            if (env->names.at[i].state == CG_NAME_BUSY && (use = cg_expr_find(x, is_name, &name)))
                next = &env->names.at[i];
        }
        if (!next)
            return;
        cg_diag_note(d, use->span, "'%s' needs '%s'", at->name, next->name);
        if (next == own && at == own && cg_env_language(e, own->name)) {
            cg_diag_help(d, "a name of the script hides the '%s' of the language: give the value another one, 'the_%s'",
                own->name, own->name);
            return;
        }
        if (next == own)
            return;
        at = next;
    }
}

static CgValue *own(CgElab *e, CgEnv *env, CgAtom name)
{
    uint64_t at;
    if (!cg_map_get(&env->by_name, cg_map_ptr(name), &at))
        return NULL;
    if (env->names.at[at].state == CG_NAME_DONE)
        return env->names.at[at].value;
    if (env->names.at[at].state == CG_NAME_BUSY) {
        const CgEnvName *own = &env->names.at[at];
        const CgExpr *x = value_of(own), *use = NULL;
        for (int i = 0; x && (x->kind == CG_EXPR_TRAIN || x->kind == CG_EXPR_EVALUATE) && i < x->args.n; i++)
            use = use ? use : cg_expr_find(x->args.at[i].value, is_name, &name);
        if (use)
            used_in_its_block(e, own, x, use);
        else
            circle(e, env, own);
        return cg_value_poison(e);
    }
    env->names.at[at].state = CG_NAME_BUSY;
    CgValue *v = compute(e, env, &env->names.at[at]);
    env->names.at[at].state = CG_NAME_DONE;
    env->names.at[at].value = v;
    return v;
}

static const struct {
    const char *name;
    CgValueKind kind;
    double f;
} constants[] = { { "none", CG_VALUE_NONE, 0 }, { "pi", CG_VALUE_FLOAT, 3.14159265358979323846 },
    { "inf", CG_VALUE_FLOAT, (double)__builtin_inff() } };

CgValue *cg_env_language(CgElab *e, CgAtom name)
{
    const CgFunction *function = cg_function_find(name);
    if (function) {
        CgValue *v = cg_value_new(e, CG_VALUE_FUNCTION, (CgSpan){ 0 });
        v->function = function;
        return v;
    }
    for (int d = 0; d < CG_NDTYPE; d++)
        if (!strcmp(cg_dtype_name((CgDtype)d), name)) {
            CgValue *v = cg_value_new(e, CG_VALUE_DTYPE, (CgSpan){ 0 });
            v->i = d;
            return v;
        }
    if (!strcmp(name, "training")) {
        if (e->model)
            e->model->asked_training = true;
        return e->defining ? cg_value_unknown(e, CG_UNKNOWN_BOOL, (CgSpan){ 0 })
                           : cg_value_bool(e, e->model && e->model->trains, (CgSpan){ 0 });
    }
    for (size_t i = 0; i < CG_LEN(constants); i++)
        if (!strcmp(constants[i].name, name)) {
            CgValue *v = cg_value_new(e, constants[i].kind, (CgSpan){ 0 });
            v->f = constants[i].f;
            return v;
        }
    const CgOp *op = cg_op_find(name);
    if (op && !(op->traits & CG_LEAF)) {
        CgValue *v = cg_value_new(e, CG_VALUE_OP, (CgSpan){ 0 });
        v->op = op;
        return v;
    }
    return NULL;
}

CgValue *cg_env_own(CgElab *e, CgEnv *env, CgAtom name) { return own(e, env, name); }

CgValue *cg_env_find(CgElab *e, CgEnv *env, CgAtom name)
{
    CgAtom two[2];
    int i = 0;
    CgValue *v = own(e, env, name);
    if (!v && cg_env_clashes(env, name, two))
        return NULL;
    CgEnv *from = v ? NULL : cg_env_bringer(env, name, &i);
    if (from)
        v = own(e, from, name);
    if (!v && e->prelude && e->prelude != env)
        v = own(e, e->prelude, name);
    return v ? v : cg_env_language(e, name);
}

bool cg_env_knows(CgElab *e, CgEnv *env, CgAtom name)
{
    int i = 0;
    return cg_env_has(env, name) || cg_env_bringer(env, name, &i) || (e->prelude && cg_env_has(e->prelude, name))
        || cg_env_language(e, name);
}

CgElab *cg_elab_new(CgSources *sources, CgDiags *diags, CgProgram *program, CgSetting *settings, int nsettings)
{
    CgElab *e = cg_calloc(1, sizeof *e);
    e->arena = cg_arena_new();
    e->sources = sources;
    e->diags = diags;
    e->program = program;
    e->settings = settings;
    e->nsettings = nsettings;
    e->envs = CG_NEWN(e->arena, CgEnv *, program->n + 1);
    for (int i = 0; i < program->n; i++) {
        e->envs[i] = cg_env_new(e, i);
        if (program->at[i].name && !strcmp(program->at[i].name, "std.prelude"))
            e->prelude = e->envs[i];
    }
    return e;
}

void cg_elab_free(CgElab *e)
{
    for (int i = 0; i < e->program->n; i++) {
        cg_vec_free(&e->envs[i]->names);
        cg_map_deinit(&e->envs[i]->by_name);
    }
    for (size_t i = 0; i < e->settings_units.len; i++)
        cg_unit_free(e->settings_units.at[i]);
    cg_vec_free(&e->settings_units);
    cg_map_deinit(&e->unfit);
    cg_map_deinit(&e->advised);
    cg_map_deinit(&e->axes);
    cg_map_deinit(&e->derived_by);
    cg_map_deinit(&e->unresolved);
    cg_map_deinit(&e->definitions);
    cg_map_deinit(&e->conditions);
    cg_map_deinit(&e->demands);
    cg_arena_free(e->arena);
    free(e);
}

CgEnv *cg_elab_script(CgElab *e) { return e->envs[e->program->n - 1]; }

void cg_elab_check_modules(CgElab *e)
{
    for (int m = 0; m < e->program->n - 1; m++)
        for (size_t i = 0; i < e->envs[m]->names.len; i++)
            own(e, e->envs[m], e->envs[m]->names.at[i].name);
}

void cg_elab_check(CgElab *e)
{
    CgEnv *env = cg_elab_script(e);
    for (size_t i = 0; i < env->names.len; i++)
        own(e, env, env->names.at[i].name);
    cg_precision_check(e);
    cg_options_check(e);
}
