/* cmd_test.c - cg test SCRIPT.cg ...
 * Takes scripts; runs their test blocks and gives TAP: `ok`, `not ok`, and as the last line how many passed. What does
 * not hold is a diagnostic with both values. A script with mistakes is one failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/script.h"

typedef struct Count {
    int all, failed, code;
} Count;

static void say(Count *c, bool good, const char *path, const char *name)
{
    c->failed += !good;
    printf("%sok %d - %s%s%s\n", good ? "" : "not ", ++c->all, path ? path : "", path ? ": " : "", name);
    fflush(stdout);
}

static void worse(Count *c, int code) { c->code = code > c->code ? code : c->code; }

/* Every test of one script. Mistakes are printed as they come, so each test gets its own. */
static void run_script(const char *path, bool many, const CgSessionOpts *opts, const char *only, Count *c)
{
    CgSession *x = cg_experiment_new(path, opts);
    const char *shown = many ? path : NULL;
    int code = cg_diags_exit_code(x->diags);
    bool ready = code == CG_EXIT_OK;
    if (!ready) {
        say(c, false, NULL, path);
        cg_diags_print(x->diags, stderr, cg_wants_colour());
        worse(c, code);
    }
    for (size_t i = 0; ready && i < x->tests.len && !cg_session_stopped(x); i++) {
        CgTestBlock *t = x->tests.at[i];
        const char *name = t->stmt->names[0];
        if (only && !strstr(name, only))
            continue;
        say(c, cg_test_run(x, t), shown, name);
        cg_diags_print(x->diags, stderr, cg_wants_colour());
        worse(c, cg_diags_exit_code(x->diags));
        cg_diags_clear(x->diags);
    }
    cg_watch_report(x);
    if (ready && !x->tests.len)
        fprintf(stderr, "cg test: '%s' has no tests\n", path);
    cg_experiment_free(x);
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    const char *only = NULL, *threads = NULL;
    bool debug = false;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "only", .arg = "WORD", .value = &only, .once = true, .help = "the tests whose names hold this text" },
        CG_DEBUG_OPTION(&debug),
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
    };
    int code;
    if (!cg_options(&argc, argv, "SCRIPT.cg ...\nruns the test blocks of scripts", options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("test", "a script is needed");
    CgSessionOpts opts = { .quiet = true, .debug = debug };
    if (!cg_option_threads("test", threads, &opts.threads))
        return CG_EXIT_USAGE;
    CgScriptArgs args;
    code = cg_script_args("test", &set, &dims, &args);
    opts.settings = args.settings;
    opts.nsettings = args.nsettings;
    Count c = { 0 };
    for (int i = 1; code == CG_EXIT_OK && i < argc; i++)
        run_script(argv[i], argc > 2, &opts, only, &c);
    if (code == CG_EXIT_OK) {
        printf("1..%d\n%d passed, %d failed\n", c.all, c.all - c.failed, c.failed);
        code = c.code;
    }
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(test, "runs the test blocks of scripts", command)
