/* plugin.h - ops from shared objects.
 * Takes the path of a plugin; adds its ops to the registry, or says why not. */
#ifndef CG_PLUGIN_H
#define CG_PLUGIN_H
#include "base/err.h"

/* Tried first in a copy of this process, which a broken one may end: a file that was cut, lists that are none, shape
 * rules that crash on the op's own samples. */
CG_NODISCARD bool cg_plugin_load(const char *path, CgErr *e);
#endif
