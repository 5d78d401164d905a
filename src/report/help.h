/* help.h - what is known of a name.
 * Takes a name and, where one is given, a script; gives the text that `cg help` and an editor show: keywords, fields,
 * types, codes, modules, declarations of the library and of the script, functions, ops. What these say of themselves is
 * said there, not here. */
#ifndef CG_HELP_H
#define CG_HELP_H
#include "base/suggest.h"
#include "lang/module.h"

/* Adds what is known of `name`; false: nothing is. `program` (or NULL) is looked at first. Offers other names to
 * `near`. */
bool cg_help(const char *name, const CgSources *sources, const CgProgram *program, CgStrbuf *out, CgSuggest *near);
/* Every list `cg help` has by name ("ops", "functions", ...); NULL past the last. */
const char *cg_help_list(size_t i);
#endif
