/* dump.h - --dump=STAGE: what a script is after each step on its way to numbers.
 * Takes the name of a stage and a script, or one graph of it; gives the text of that stage. One spelling, one list of
 * stages, for every command that gets that far; with it a command prints the stage and does nothing else. */
#ifndef CG_DUMP_H
#define CG_DUMP_H
#include "tool/script.h"

typedef enum CgDump {
    CG_DUMP_NONE,
    CG_DUMP_TOKENS,
    CG_DUMP_AST,
    CG_DUMP_MODULES,
    CG_DUMP_GRAPH,
    CG_DUMP_GRAD,
    CG_DUMP_OPT,
    CG_DUMP_PLAN,
    CG_DUMP_MEM,
    CG_DUMP_LIFETIMES /* a picture, no stage of --dump */
} CgDump;

#define CG_DUMP_OPTION(to)                                                                    \
    {                                                                                         \
        .name = "dump", .arg = "STAGE", .value = to,                                          \
        .help = "prints a stage instead: tokens, ast, modules, graph, grad, opt, plan or mem" \
    }

/* NULL is CG_DUMP_NONE. False after saying that there is no such stage, or that `command` does not get beyond `last`.
 */
bool cg_dump_find(const char *command, const char *name, CgDump last, CgDump *out);
/* The script, and from the graph on each of its trainings and evaluations; its last graph when it has none. */
bool cg_dump_script(CgSession *x, CgBindings sizes, CgDump stage);
/* The graph that `text` names, as in cg_target_build. */
bool cg_dump_named(CgSession *x, const char *text, CgBindings sizes, bool derivatives, CgDump stage);
/* One graph; `derivatives`: opt, plan and mem hold them, too. A training always does. */
bool cg_dump_target(CgSession *x, CgTarget *t, CgBindings sizes, bool derivatives, CgDump stage);
#endif
