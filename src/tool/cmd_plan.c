/* cmd_plan.c - cg plan SCRIPT.cg [GRAPH].
 * Takes a script and a graph in it; gives what would run: instructions in order, where each result lies, bytes and
 * flops by line of the script. Runs nothing. */
#include "tool/dump.h"

typedef struct Asked {
    const char *path, *graph;
    CgDump stage;
    bool grad;
} Asked;

static int make(const Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = { .settings = args->settings, .nsettings = args->nsettings, .quiet = true };
    CgSession *x = cg_experiment_new(asked->path, &opts);
    cg_dump_named(x, asked->graph, args->sizes, asked->grad, asked->stage);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    Asked asked = { 0 };
    const char *dump = NULL;
    bool memory = false, picture = false;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size: B=5, batch=5" },
        { .name = "grad", .flag = &asked.grad, .help = "with the derivatives by all parameters" },
        { .name = "memory", .flag = &memory, .help = "bytes by line of the script: --dump=mem" },
        { .name = "picture",
            .flag = &picture,
            .help = "an SVG: what lies in memory from which instruction to which, and what is there when most is" },
        CG_DUMP_OPTION(&dump),
    };
    static const char synopsis[] =
        "SCRIPT.cg [GRAPH] [--dim NAME=N ...]\n"
        "shows what would run, and where in memory: one step of a training, or a graph as in cg dot";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc < 2 || argc > 3)
        return cg_usage("plan", "a script and at most one graph are needed");
    if (!cg_dump_find("plan", dump ? dump : memory ? "mem" : "plan", CG_DUMP_MEM, &asked.stage))
        return CG_EXIT_USAGE;
    if (picture)
        asked.stage = CG_DUMP_LIFETIMES;
    asked.path = argv[1];
    asked.graph = argc > 2 ? argv[2] : NULL;
    CgScriptArgs args;
    code = cg_script_args("plan", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(plan, "shows what a graph of a script would run, and where in memory", command)
