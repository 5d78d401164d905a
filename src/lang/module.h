/* module.h - a script and all it imports.
 * Takes the path of a script; gives its units in dependency order, each once; cycles and missing modules are
 * diagnostics at the import. A module `a.b` is a/b.cg beside the importing file, then from the folder the command runs
 * in, then in each folder of CG_PATH, then installed (PKGDATADIR), then embedded (stdlib as `std.*`, graphs as
 * `graphs.*`). `std.*` is always the embedded one. */
#ifndef CG_MODULE_H
#define CG_MODULE_H
#include "lang/parse.h"

typedef struct CgImport {
    int module;         /* index into CgProgram.at */
    const CgStmt *stmt; /* what is asked of it: all names, some, or those behind an alias */
} CgImport;

typedef struct CgModule {
    CgAtom name; /* "std.nn"; "" for the script itself */
    CgUnit *unit;
    CgImport *imports; /* in the order written */
    int nimports;
} CgModule;

typedef struct CgProgram {
    CgModule *at;
    int n; /* dependencies first, the script last */
} CgProgram;

CgProgram *cg_program_load(
    CgSources *sources, const char *path, CgDiags *diags); /* NULL only if the file cannot be read */
void cg_program_free(CgProgram *p);
/* What the options of an imported module are called by: its alias, else the last word of its path. */
CgAtom cg_import_word(const CgImport *import);
bool cg_import_brings(const CgImport *import, CgAtom name); /* whether it makes the name one of the importer's */
/* --dump=tokens, ast, modules: prints that stage of the script; false when `stage` is not one of them. */
bool cg_program_dump(CgSources *sources, const CgProgram *p, const char *stage, FILE *to);
/* A text of the embedded library by module name, NULL if there is none. */
const char *cg_embedded_find(const char *module);
const char *cg_embedded_at(size_t i); /* the name of one; NULL past the last */
/* Each top-level name of the embedded library but for those that need no import. */
void cg_embedded_names(void (*each)(void *of, const char *module, CgAtom name), void *of);
const char *cg_embedded_module_of(CgAtom name); /* the first that has it; NULL: none does */
#endif
