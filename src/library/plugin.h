/* plugin.h - ops, functions and readers from shared objects.
 * Takes the path of a plugin; adds what it has to what the language knows, or says why not. */
#ifndef CG_LIBRARY_PLUGIN_H
#define CG_LIBRARY_PLUGIN_H
#include "lang/module.h"

/* Tried first in a copy of this process, which a broken one may end: a file that was cut, lists that are none, shape
 * rules that crash on the op's own samples. While nothing else of cg runs. */
CG_NODISCARD bool cg_plugin_load(const char *path, CgErr *e);
/* Those that a program names; each that cannot be had is a mistake where it is named. */
void cg_plugins_load(const CgProgram *program, CgDiags *diags);
#endif
