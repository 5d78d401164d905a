/* library.c - the list of all functions of the language. */
#include "library/library.h"

const CgBuiltin *const cg_library[] = { cg_builtins_graph, cg_builtins_data, cg_builtins_table, cg_builtins_plot,
    cg_builtins_tokenizer, NULL };
