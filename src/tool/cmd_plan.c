/* cmd_plan.c - cg plan SCRIPT.cg [GRAPH], cg plan SCRIPT.cg --claims.
 * Takes a script and a graph in it; gives what would run: instructions in order, where each result lies, bytes and
 * flops by line of the script. With --claims: how many seeds and windows its claims take. Runs nothing. */
#include <math.h>
#include <stdlib.h>

#include "experiment/claim_plan.h"
#include "tool/dump.h"

typedef struct Asked {
    const char *path, *graph;
    CgDump stage;
    bool grad, claims;
    double effect; /* NAN: that of the results that are there */
    const char *store;
    int threads;
    uint64_t memory;
} Asked;

static int make(const Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = {
        .settings = args->settings,
        .nsettings = args->nsettings,
        .quiet = true,
        .store = asked->store,
        .threads = asked->threads,
        .memory = asked->memory,
    };
    CgSession *x = cg_experiment_new(asked->path, &opts);
    if (asked->claims && !cg_diags_count(x->diags))
        (void)!cg_claims_plan(x, asked->effect, stdout);
    else if (!asked->claims)
        cg_dump_named(x, asked->graph, args->sizes, asked->grad, asked->stage);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return code;
}

/* A difference above 0. */
static bool read_effect(const char *text, double *out)
{
    char *end;
    *out = NAN;
    if (!text)
        return true;
    *out = strtod(text, &end);
    if (end != text && !*end && isfinite(*out) && *out > 0)
        return true;
    cg_usage("plan", "--effect takes a number above 0, not '%s'", text);
    return false;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    Asked asked = { 0 };
    const char *dump = NULL, *effect = NULL, *threads = NULL, *memory = NULL;
    bool picture = false;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size: B=5, batch=5" },
        { .name = "grad", .flag = &asked.grad, .help = "with the derivatives by all parameters" },
        CG_MEMORY_OPTION(&memory),
        { .name = "picture",
            .flag = &picture,
            .help = "an SVG: what lies in memory from which instruction to which, and what is there when most is" },
        { .name = "claims",
            .flag = &asked.claims,
            .help = "how many seeds and windows the claims take, by the results that are there" },
        { .name = "effect", .arg = "E", .value = &effect, .help = "the difference to be shown; that of the results" },
        { .name = "store", .arg = "FOLDER", .value = &asked.store, .help = "where results are; $CG_STORE or .cg" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        CG_DUMP_OPTION(&dump),
    };
    static const char synopsis[] =
        "SCRIPT.cg [GRAPH] [--dim NAME=N ...], or SCRIPT.cg --claims [--effect=E]\n"
        "shows what would run, and where in memory: one step of a training, or a graph as in cg dot";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc < 2 || argc > 3)
        return cg_usage("plan", "a script and at most one graph are needed");
    if (!cg_dump_find("plan", dump ? dump : "plan", CG_DUMP_MEM, &asked.stage))
        return CG_EXIT_USAGE;
    if (picture)
        asked.stage = CG_DUMP_LIFETIMES;
    if (asked.claims && (argc > 2 || dump || memory || picture || asked.grad || dims.len))
        return cg_usage("plan", "--claims is of the whole script, not of a graph");
    if (effect && !asked.claims)
        return cg_usage("plan", "--effect goes with --claims");
    if (!read_effect(effect, &asked.effect) || !cg_option_threads("plan", threads, &asked.threads)
        || !cg_option_bytes("plan", "memory", memory, 1, &asked.memory))
        return CG_EXIT_USAGE;
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
