/* script.h - the arguments of commands that look into a script.
 * Takes the texts of --set and --dim; gives settings and sizes. */
#ifndef CG_SCRIPT_H
#define CG_SCRIPT_H
#include "experiment/graph_arg.h"
#include "stage/watch.h"
#include "tool/tool.h"

#define CG_DEBUG_OPTION(to)                                                                \
    {                                                                                      \
        .name = "debug", .flag = to,                                                       \
        .help = "expect and show in the bodies of graphs are carried out; shown on stderr" \
    }

#define CG_MEMORY_OPTION(to)                                                                                       \
    {                                                                                                              \
        .name = "memory", .arg = "SIZE", .value = to,                                                              \
        .help = "what the tensors of a training's step may take: 600MiB; some are made again where they took more" \
    }

typedef struct CgScriptArgs {
    CgSetting *settings;
    int nsettings;
    CgBindings sizes;
    CgBinding *bound;
} CgScriptArgs;

/* CG_EXIT_OK, or CG_EXIT_USAGE after saying what is wrong. */
int cg_script_args(const char *command, const CgStrings *set, const CgStrings *dims, CgScriptArgs *out);
void cg_script_args_free(CgScriptArgs *a);
#endif
