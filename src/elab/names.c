/* names.c - what can be named in a script without being declared in the body at hand.
 * Takes the modules and the language; answers the questions of lang/resolve.c. Evaluates nothing. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "lang/resolve.h"

static bool knows(void *of, int module, CgAtom name)
{
    CgElab *e = of;
    return cg_env_knows(e, e->envs[module], name);
}

static bool clashes(void *of, int module, CgAtom name, CgAtom two[2])
{
    CgElab *e = of;
    return cg_env_clashes(e->envs[module], name, two);
}

static bool declaration(void *of, int module, CgAtom name, CgSpan *out)
{
    CgElab *e = of;
    return cg_env_declaration(e, e->envs[module], name, out);
}

static bool member_declaration(void *of, int module, CgAtom alias, CgAtom name, CgSpan *out)
{
    CgElab *e = of;
    CgEnv *m = cg_env_alias(e->envs[module], alias);
    return m && cg_env_declaration(e, m, name, out);
}

static int member(void *of, int module, CgAtom alias, CgAtom name, CgSuggest *s)
{
    CgElab *e = of;
    CgEnv *m = cg_env_alias(e->envs[module], alias);
    if (m && s)
        cg_env_offer(m, s);
    return !m ? 0 : cg_env_has(m, name) ? 2 : 1;
}

static bool is_op(void *of, CgAtom name)
{
    (void)of;
    return cg_op_find(name) != NULL;
}

static bool is_function(void *of, CgAtom whole)
{
    (void)of;
    return cg_function_find(whole) != NULL;
}

static bool is_family(void *of, int module, CgAtom name)
{
    size_t n = strlen(name);
    for (size_t i = 0; cg_function_at(i); i++)
        if (!strncmp(cg_function_at(i)->name, name, n) && cg_function_at(i)->name[n] == '.')
            return !knows(of, module, name);
    return false;
}

static bool has_columns(void *of, CgAtom name)
{
    (void)of;
    const CgFunction *function = cg_function_find(name);
    return function ? function->traits & CG_COLUMNS : strchr(name, '.') != NULL; /* of a family, misspelt */
}

static void offer(void *of, int module, bool callable, CgSuggest *s)
{
    CgElab *e = of;
    cg_env_suggest(e, e->envs[module], callable, s);
}

static void offer_members(void *of, CgAtom family, CgSuggest *s)
{
    (void)of;
    size_t n = strlen(family);
    for (size_t i = 0; !strcmp(family, "op") && i < cg_op_count(); i++)
        cg_suggest_offer(s, cg_op_at(i)->name);
    for (size_t i = 0; cg_function_at(i); i++)
        if (!strncmp(cg_function_at(i)->name, family, n) && cg_function_at(i)->name[n] == '.')
            cg_suggest_offer(s, cg_function_at(i)->name + n + 1);
}

void cg_names_check(CgElab *e, CgNameUses *uses)
{
    const CgOutside outside = { e, knows, clashes, declaration, member_declaration, member, is_op, is_function,
        is_family, has_columns, offer, offer_members };
    cg_resolve(e->program, &outside, e->diags, &e->unresolved, uses);
}
