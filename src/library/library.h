/* library.h - the functions of the language.
 * Gives the tables of functions that elaboration looks names up in. */
#ifndef CG_LIBRARY_H
#define CG_LIBRARY_H
#include "elab/elab.h"

extern const CgBuiltin cg_builtins_graph[], cg_builtins_data[], cg_builtins_table[], cg_builtins_plot[],
    cg_builtins_tokenizer[];
extern const CgBuiltin *const cg_library[]; /* all of them; ends with NULL */
#endif
