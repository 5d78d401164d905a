/* declared.c - the names that a module and its imports declare, without evaluating any.
 * Takes an environment and a name; gives the environment, statement or span that declares it, and names like it. */
#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"

bool cg_env_has(const CgEnv *env, CgAtom name)
{
    uint64_t at;
    return cg_map_get(&env->by_name, cg_map_ptr(name), &at);
}

CgEnv *cg_env_bringer(const CgEnv *env, CgAtom name, int *from)
{
    for (; *from < env->module->nimports; ++*from)
        if (cg_import_brings(&env->module->imports[*from], name) && cg_env_has(env->imports[*from], name))
            return env->imports[*from];
    return NULL;
}

bool cg_env_clashes(const CgEnv *env, CgAtom name, CgAtom two[2])
{
    int i = 0;
    const CgEnv *one = cg_env_has(env, name) ? NULL : cg_env_bringer(env, name, &i), *other = one;
    while (one && other == one && (++i, other = cg_env_bringer(env, name, &i))) {}
    if (!one || !other)
        return false;
    two[0] = one->module->name;
    two[1] = other->module->name;
    return true;
}

CgEnv *cg_env_alias(const CgEnv *env, CgAtom name)
{
    for (int i = 0; i < env->module->nimports; i++)
        if (env->module->imports[i].stmt->a && env->module->imports[i].stmt->a->s == name)
            return env->imports[i];
    return NULL;
}

const CgStmt *cg_env_declared(const CgEnv *env, CgAtom name)
{
    uint64_t at;
    return cg_map_get(&env->by_name, cg_map_ptr(name), &at) ? env->names.at[at].stmt : NULL;
}

const CgStmt *cg_env_callee(CgElab *e, CgEnv **env, CgAtom name)
{
    int i = 0;
    CgEnv *found = cg_env_has(*env, name) ? *env : cg_env_bringer(*env, name, &i);
    if (!found && e->prelude && cg_env_has(e->prelude, name))
        found = e->prelude;
    const CgStmt *s = found ? cg_env_declared(found, name) : NULL;
    *env = found;
    return s && (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF) ? s : NULL;
}

bool cg_env_declaration(CgElab *e, const CgEnv *env, CgAtom name, CgSpan *out)
{
    int i = 0;
    uint64_t at;
    const CgEnv *found = cg_env_has(env, name) ? env : cg_env_bringer(env, name, &i);
    if (!found && e->prelude && cg_env_has(e->prelude, name))
        found = e->prelude;
    if (!found || !cg_map_get(&found->by_name, cg_map_ptr(name), &at))
        return false;
    *out = found->names.at[at].span;
    return true;
}

void cg_env_offer(const CgEnv *env, CgSuggest *s)
{
    for (size_t i = 0; i < env->names.len; i++)
        cg_suggest_offer(s, env->names.at[i].name);
}

static void offer_own(const CgEnv *env, bool callable, CgSuggest *s)
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
    for (int i = 0; i < env->module->nimports; i++)
        if (cg_import_brings(&env->module->imports[i], NULL)) /* all of its names */
            offer_own(env->imports[i], callable, s);
    if (e->prelude)
        offer_own(e->prelude, callable, s);
    for (size_t i = 0; callable && cg_function_at(i); i++)
        cg_suggest_offer(s, cg_function_at(i)->name);
    for (size_t i = 0; callable && i < cg_op_count(); i++)
        if (!(cg_op_at(i)->traits & CG_LEAF))
            cg_suggest_offer(s, cg_op_at(i)->name);
}
