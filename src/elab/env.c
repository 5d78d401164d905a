/* env.c - the names of a module, evaluated when first asked for.
 * Takes a module; gives values by name: its own, then its imports', then the prelude's, then functions, element types,
 * ops. Order in the text does not matter; a name in terms of itself is a mistake. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"

typedef struct Binding {
    CgAtom name;
    CgSpan span;
    const CgStmt *stmt;
    int index; /* which of stmt's names */
    enum { WAITING, BUSY, DONE } state;
    CgValue *value;
} Binding;

struct CgEnv {
    const CgModule *module;
    CG_VEC(Binding) names;
    CgMap by_name;
    CgEnv **imports;
    int nimports;
};

const CgModule *cg_env_module(const CgEnv *env) { return env->module; }
CgAtom cg_env_name(const CgEnv *env) { return env->module->name; }

static void declare(CgElab *e, CgEnv *env, CgAtom name, CgSpan span, const CgStmt *s, int index)
{
    uint64_t at;
    if (cg_map_get(&env->by_name, cg_map_ptr(name), &at)) {
        CgDiag *d = cg_elab_error(e, CG_E0306, span, "'%s' is already bound", name);
        cg_diag_note(d, env->names.at[at].span, "first here");
        return;
    }
    cg_map_put(&env->by_name, cg_map_ptr(name), env->names.len);
    cg_vec_push(&env->names, (Binding){ .name = name, .span = span, .stmt = s, .index = index });
}

CgEnv *cg_env_new(CgElab *e, int module)
{
    CgEnv *env = CG_NEW(e->arena, CgEnv);
    env->module = &e->program->at[module];
    env->imports = CG_NEWN(e->arena, CgEnv *, env->module->nimports + 1);
    for (int i = 0; i < env->module->nimports; i++)
        if (e->envs[env->module->imports[i]])
            env->imports[env->nimports++] = e->envs[env->module->imports[i]];
    const CgBlock *top = &env->module->unit->top;
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind == CG_STMT_BIND)
            for (int k = 0; k < s->nnames; k++)
                declare(e, env, s->names[k], s->name_spans ? s->name_spans[k] : s->span, s, k);
        else if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF || s->kind == CG_STMT_OPTION)
            declare(e, env, s->names[0], s->name_spans ? s->name_spans[0] : s->span, s, 0);
    }
    return env;
}

static CgSetting *setting_of(CgElab *e, CgEnv *env, CgAtom name)
{
    if (env->module != &e->program->at[e->program->n - 1])
        return NULL;
    CgSetting *found = NULL;
    for (int i = 0; i < e->nsettings; i++)
        if (!strcmp(e->settings[i].name, name)) {
            e->settings[i].used = true;
            found = &e->settings[i]; /* the last one wins */
        }
    return found;
}

static CgValue *option_value(CgElab *e, CgEnv *env, const CgStmt *s)
{
    CgFrame f;
    cg_frame_begin(e, &f, NULL, env);
    CgValue *v = s->a ? cg_eval(e, &f, s->a) : cg_value_poison(e);
    cg_frame_end(e, &f);
    const char *type = s->type ? s->type->name : NULL;
    const CgSetting *set = setting_of(e, env, s->names[0]);
    if (set) {
        char *end = NULL;
        CgSpan at = s->name_spans ? s->name_spans[0] : s->span;
        if (type && !strcmp(type, "int")) {
            errno = 0;
            v = cg_value_int(e, strtoll(set->text, &end, 10), at);
            end = errno ? (char *)(uintptr_t) "x" : end; /* past 64 bits */
        } else if (type && !strcmp(type, "float")) {
            v = cg_value_float(e, strtod(set->text, &end), at);
        } else if (type && !strcmp(type, "bool")) {
            bool yes = !strcmp(set->text, "true"), no = !strcmp(set->text, "false");
            end = (char *)(uintptr_t)(yes || no ? "" : "x");
            v = cg_value_bool(e, yes, at);
        } else {
            v = cg_value_str(e, set->text, at);
        }
        if (end && (*end || !*set->text)) {
            cg_elab_error(e, CG_E0308, at, "--set %s=%s is not of type %s", s->names[0], set->text, type);
            return cg_value_poison(e);
        }
    }
    if (type && !strcmp(type, "float") && v->kind == CG_VALUE_INT)
        v = cg_value_float(e, (double)v->i, v->span);
    bool fits = cg_is_poison(v) || !type || (!strcmp(type, "int") && v->kind == CG_VALUE_INT)
        || (!strcmp(type, "float") && v->kind == CG_VALUE_FLOAT) || (!strcmp(type, "bool") && v->kind == CG_VALUE_BOOL)
        || (!strcmp(type, "str") && v->kind == CG_VALUE_STR);
    if (!fits) {
        cg_elab_error(e, CG_E0305, s->a->span, "option '%s' is %s, not %s", s->names[0], type, cg_value_kind_name(v));
        return cg_value_poison(e);
    }
    return v;
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

static CgValue *compute(CgElab *e, CgEnv *env, Binding *b)
{
    const CgStmt *s = b->stmt;
    if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF) {
        CgValue *v = cg_value_new(e, s->kind == CG_STMT_GRAPH ? CG_VALUE_GRAPH : CG_VALUE_DEF, b->span);
        v->stmt = s;
        v->env = env;
        return v;
    }
    if (s->kind == CG_STMT_OPTION)
        return option_value(e, env, s);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, env);
    CgModelGraph *outside = e->model; /* a top-level value never belongs to a graph being built */
    e->model = NULL;
    CgValue *v;
    if (s->nexprs == s->nnames) {
        v = cg_eval(e, &f, s->exprs[b->index]);
    } else {
        v = cg_eval(e, &f, s->exprs[0]);
        if (!cg_is_poison(v) && (s->nexprs != 1 || v->kind != CG_VALUE_LIST || v->n != s->nnames)) {
            cg_elab_error(e, CG_E0305, s->exprs[0]->span, "%d names need %d values", s->nnames, s->nnames);
            v = cg_value_poison(e);
        } else if (!cg_is_poison(v)) {
            v = v->at[b->index];
        }
    }
    e->model = outside;
    cg_frame_end(e, &f);
    return named(e, v, b->name);
}

static CgValue *own(CgElab *e, CgEnv *env, CgAtom name)
{
    uint64_t at;
    if (!cg_map_get(&env->by_name, cg_map_ptr(name), &at))
        return NULL;
    if (env->names.at[at].state == DONE)
        return env->names.at[at].value;
    if (env->names.at[at].state == BUSY) {
        cg_elab_error(e, CG_E0307, env->names.at[at].span, "'%s' is defined in terms of itself", name);
        return cg_value_poison(e);
    }
    env->names.at[at].state = BUSY;
    CgValue *v = compute(e, env, &env->names.at[at]);
    env->names.at[at].state = DONE;
    env->names.at[at].value = v;
    return v;
}

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
    if (!strcmp(name, "none"))
        return cg_value_new(e, CG_VALUE_NONE, (CgSpan){ 0 });
    if (!strcmp(name, "pi"))
        return cg_value_float(e, 3.14159265358979323846, (CgSpan){ 0 });
    if (!strcmp(name, "inf"))
        return cg_value_float(e, (double)__builtin_inff(), (CgSpan){ 0 });
    const CgOp *op = cg_op_find(name);
    if (op && !(op->traits & CG_LEAF)) {
        CgValue *v = cg_value_new(e, CG_VALUE_OP, (CgSpan){ 0 });
        v->op = op;
        return v;
    }
    return NULL;
}

CgValue *cg_env_find(CgElab *e, CgEnv *env, CgAtom name)
{
    CgValue *v = own(e, env, name);
    for (int i = 0; !v && i < env->nimports; i++)
        v = own(e, env->imports[i], name);
    if (!v && e->prelude && e->prelude != env)
        v = own(e, e->prelude, name);
    return v ? v : cg_env_language(e, name);
}

bool cg_env_knows(CgElab *e, CgEnv *env, CgAtom name)
{
    uint64_t at, key = cg_map_ptr(name);
    bool known = cg_map_get(&env->by_name, key, &at) || (e->prelude && cg_map_get(&e->prelude->by_name, key, &at));
    for (int i = 0; !known && i < env->nimports; i++)
        known = cg_map_get(&env->imports[i]->by_name, key, &at);
    return known || cg_env_language(e, name);
}

static void offer_own(CgEnv *env, bool callable, CgSuggest *s)
{
    for (size_t i = 0; i < env->names.len; i++) {
        CgStmtKind kind = env->names.at[i].stmt->kind;
        if ((kind == CG_STMT_GRAPH || kind == CG_STMT_DEF) == callable)
            cg_suggest_offer(s, env->names.at[i].name);
    }
}

void cg_env_suggest(CgElab *e, CgEnv *env, bool callable, CgSuggest *s)
{
    offer_own(env, callable, s);
    for (int i = 0; i < env->nimports; i++)
        offer_own(env->imports[i], callable, s);
    if (e->prelude)
        offer_own(e->prelude, callable, s);
    for (size_t i = 0; callable && cg_function_at(i); i++)
        cg_suggest_offer(s, cg_function_at(i)->name);
    for (size_t i = 0; callable && i < cg_op_count(); i++)
        if (!(cg_op_at(i)->traits & CG_LEAF))
            cg_suggest_offer(s, cg_op_at(i)->name);
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
    cg_map_deinit(&e->unfit);
    cg_map_deinit(&e->unresolved);
    cg_arena_free(e->arena);
    free(e);
}

CgEnv *cg_elab_script(CgElab *e) { return e->envs[e->program->n - 1]; }

void cg_elab_check(CgElab *e)
{
    CgEnv *env = cg_elab_script(e);
    for (size_t i = 0; i < env->names.len; i++)
        own(e, env, env->names.at[i].name);
    cg_precision_check(e);
    for (int i = 0; i < e->nsettings; i++) {
        if (e->settings[i].used)
            continue;
        CgSuggest s;
        cg_suggest_init(&s, e->settings[i].name);
        for (size_t k = 0; k < env->names.len; k++)
            if (env->names.at[k].stmt->kind == CG_STMT_OPTION)
                cg_suggest_offer(&s, env->names.at[k].name);
        CgDiag *d = cg_elab_error(
            e, CG_E0308, (CgSpan){ 0 }, "--set %s: the script has no option of this name", e->settings[i].name);
        if (cg_suggest_best(&s))
            cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&s));
    }
}
