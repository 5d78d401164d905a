/* resolve.h - names to declarations, before anything is evaluated.
 * Takes a program and what its modules and the language know by name; gives a diagnostic for every name that nothing
 * binds, in graphs nobody applies and functions nobody calls too. Must not evaluate or infer anything. */
#ifndef CG_RESOLVE_H
#define CG_RESOLVE_H
#include "base/map.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "lang/module.h"

/* What can be named without being declared in the body at hand. */
typedef struct CgOutside {
    void *of;
    bool (*knows)(void *of, int module, CgAtom name); /* the module, its imports, the library, the language */
    /* Whether two imported modules have the name and nothing nearer has: which ones. */
    bool (*clashes)(void *of, int module, CgAtom name, CgAtom two[2]);
    /* Where the module, what it imports or the library declares the name; false: the language does, or nobody. */
    bool (*declaration)(void *of, int module, CgAtom name, CgSpan *out);
    bool (*member_declaration)(void *of, int module, CgAtom alias, CgAtom name, CgSpan *out); /* of m.x */
    /* m.x: whether m is the alias of a module, 0 or 1; 2 if it has the name. */
    int (*member)(void *of, int module, CgAtom alias, CgAtom name, CgSuggest *s);
    bool (*is_op)(void *of, CgAtom name);                 /* op.NAME */
    bool (*is_function)(void *of, CgAtom whole);          /* plot.scatter */
    bool (*is_family)(void *of, int module, CgAtom name); /* plot, where nothing else is called so */
    bool (*has_columns)(void *of, CgAtom function);       /* its later arguments may name columns of the first */
    /* Names to suggest: what can be called, or what cannot. */
    void (*offer)(void *of, int module, bool callable, CgSuggest *s);
    void (*offer_members)(void *of, CgAtom family, CgSuggest *s); /* "op" or a family of functions */
} CgOutside;

/* A name where it stands, and where it is declared; of the declaration itself both are the same. */
typedef struct CgNameUse {
    CgAtom name;
    CgSpan use, declared;
    bool binds; /* a declaration that is there to be read: of a value in a body, a static argument, an option */
} CgNameUse;
typedef CG_VEC(CgNameUse) CgNameUses;

/* `uses` (or NULL) gets every name in the order of the text but for what is hidden by a mistake. `reported`: places
 * (cg_resolve_key) of names that were reported, so that nobody does so again. */
void cg_resolve(const CgProgram *p, const CgOutside *outside, CgDiags *diags, CgMap *reported, CgNameUses *uses);
static inline uint64_t cg_resolve_key(CgSpan s) { return (uint64_t)s.file << 32 | s.start; }
/* Warns of values in bodies, static arguments and options of the script that nothing reads, and of imports that nothing
 * needs. */
void cg_resolve_unused(const CgProgram *p, const CgNameUses *uses, CgDiags *diags);
#endif
