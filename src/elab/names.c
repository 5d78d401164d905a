/* names.c - what can be named in a script without being declared in the body at hand.
 * Takes the modules and the language; answers the questions of lang/resolve.c. Evaluates nothing. */
#include <string.h>

#include "elab/elab.h"
#include "graph/registry.h"
#include "lang/resolve.h"

static bool knows(void *of, int module, CgAtom name)
{
    CgElab *e = of;
    return cg_env_knows(e, e->envs[module], name);
}

static bool is_op(void *of, CgAtom name)
{
    (void)of;
    return cg_op_find(name) != NULL;
}

static const CgBuiltin *function(const CgElab *e, const char *name)
{
    for (const CgBuiltin *const *table = e->builtins; table && *table; table++)
        for (const CgBuiltin *b = *table; b->name; b++)
            if (!strcmp(b->name, name))
                return b;
    return NULL;
}

static bool is_function(void *of, CgAtom whole) { return function(of, whole) != NULL; }

static bool is_family(void *of, int module, CgAtom name)
{
    const CgElab *e = of;
    size_t n = strlen(name);
    for (const CgBuiltin *const *table = e->builtins; table && *table; table++)
        for (const CgBuiltin *b = *table; b->name; b++)
            if (!strncmp(b->name, name, n) && b->name[n] == '.')
                return !knows(of, module, name);
    return false;
}

static bool has_columns(void *of, CgAtom name)
{
    const CgBuiltin *b = function(of, name);
    return b ? b->quoted : strchr(name, '.') != NULL; /* of a family, misspelt */
}

static void offer(void *of, int module, bool callable, CgSuggest *s)
{
    CgElab *e = of;
    cg_env_suggest(e, e->envs[module], callable, s);
}

static void offer_members(void *of, CgAtom family, CgSuggest *s)
{
    const CgElab *e = of;
    size_t n = strlen(family);
    for (size_t i = 0; !strcmp(family, "op") && i < cg_op_count(); i++)
        cg_suggest_offer(s, cg_op_at(i)->name);
    for (const CgBuiltin *const *table = e->builtins; table && *table; table++)
        for (const CgBuiltin *b = *table; b->name; b++)
            if (!strncmp(b->name, family, n) && b->name[n] == '.')
                cg_suggest_offer(s, b->name + n + 1);
}

void cg_names_check(CgElab *e)
{
    const CgOutside outside = { e, knows, is_op, is_function, is_family, has_columns, offer, offer_members };
    cg_resolve(e->program, &outside, e->diags, &e->unresolved);
}
