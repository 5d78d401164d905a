/* cmd_run.c - cg run SCRIPT.cg [--set NAME=VALUE].
 * Takes a script; gives what it shows and saves. Costly values are kept in the store: a second run is instant and a
 * stopped one goes on. The first interrupt finishes the step and saves, the second one ends at once. */
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/stop.h"
#include "experiment/published.h"
#include "graph/registry.h"
#include "report/figure.h"
#include "report/profile.h"
#include "report/trace.h"
#include "tool/dump.h"

#define FOLD 0.02 /* what took less of the time is one line of the profile */

/* The options of one module; `word` and a point stand before those of an imported one. */
static bool options_of(const CgSession *x, int module, const char *word, bool any)
{
    const CgBlock *top = &x->program->at[module].unit->top;
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind != CG_STMT_OPTION)
            continue;
        if (!any)
            printf("\noptions of %s:\n", x->path);
        any = true;
        const CgSource *text = cg_sources_get(x->sources, s->a->span.file);
        printf("  --set %s%s%s=%.*s    %s\n", word, *word ? "." : "", s->names[0],
            (int)(s->a->span.end - s->a->span.start), text->text + s->a->span.start, s->doc ? s->doc : "");
    }
    return any;
}

static void script_help(const CgSession *x)
{
    if (!x->program)
        return;
    const CgModule *script = &x->program->at[x->program->n - 1];
    bool any = options_of(x, x->program->n - 1, "", false);
    for (int i = 0; i < script->nimports; i++)
        any = options_of(x, script->imports[i].module, cg_import_word(&script->imports[i]), any);
}

/* What was watched: the profile to stderr, the trace to its file. */
static void report(CgSession *x, const char *trace)
{
    CgPeaks peaks;
    CgErr e = { 0 };
    bool good = true;
    if (x->opts.profile && x->profile.steps && (good = cg_peaks_measure(x->pool, &peaks, &e))) {
        CgStrbuf text = { 0 };
        cg_report_profile(&x->profile, &peaks, FOLD, false, &text);
        fputs(cg_strbuf_str(&text), stderr);
        cg_strbuf_deinit(&text);
    }
    good = good && (!x->trace || cg_report_trace(x->trace, trace, &e));
    if (!good)
        cg_session_err(x, (CgSpan){ 0 }, &e);
}

enum { MOST_JOBS = 64 };

/* This command again in `jobs` processes that build what the script asks for and show nothing, with their share of the
 * threads; what they could not build is tried, and explained, by this one. */
static void run_jobs(int jobs, char **argv, int argc, const CgSessionOpts *opts)
{
    long child[MOST_JOBS];
    char threads[32], **words = cg_calloc((size_t)argc + 6, sizeof *words);
    CgPool *usual = cg_pool_new(opts->threads);
    int all = cg_pool_threads(usual), n = 1;
    cg_pool_free(usual);
    snprintf(threads, sizeof threads, "--threads=%d", all / jobs > 0 ? all / jobs : 1);
    words[0] = argv[0];
    words[n++] = (char[]){ "run" };
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    words[n++] = (char[]){ "--jobs=1" };
    words[n++] = (char[]){ "--build" };
    words[n++] = threads;
    for (int i = 0; i < jobs; i++)
        child[i] = cg_child_start((const char *const *)words);
    cg_stop_listen();
    for (int i = 0; i < jobs; i++)
        if (child[i] >= 0)
            cg_child_wait(child[i], cg_stop_asked);
    cg_stop_deafen();
    free(words);
}

typedef struct Asked {
    bool help, build, dry, exact;
    const char *only, *trace, *publish;
    CgDump stage;
    int64_t jobs;
    char **argv; /* as the command was given */
    int argc;
} Asked;

static int make(const char *path, CgSessionOpts *opts, const Asked *asked)
{
    CgNameUses uses = { 0 };
    opts->uses = asked->build ? NULL : &uses; /* of several processes one says so */
    bool help = asked->help;
    CgDump stage = asked->stage;
    const char *trace = asked->trace;
    CgSession *x = cg_experiment_new(path, opts);
    if (asked->jobs > 1 && !cg_diags_count(x->diags) && !help && stage == CG_DUMP_NONE && !asked->dry)
        run_jobs((int)asked->jobs, asked->argv, asked->argc, opts);
    if (help)
        script_help(x);
    else if (stage != CG_DUMP_NONE)
        cg_dump_script(x, (CgBindings){ 0 }, stage);
    else if (asked->build || asked->dry || asked->only)
        cg_experiment_build(x, &(CgBuildOpts){ .only = asked->only, .dry = asked->dry, .quiet = asked->build }, stdout);
    else
        cg_experiment_run(x, stdout);
    if (!help && stage == CG_DUMP_NONE && !asked->dry && !cg_diags_count(x->diags))
        cg_watch_report(x);
    report(x, trace);
    CgErr err = { 0 };
    if (asked->publish && !cg_diags_count(x->diags) && !cg_published_write(x, asked->publish, &err))
        cg_session_err(x, (CgSpan){ 0 }, &err);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    cg_vec_free(&uses);
    return code;
}

/* What is published is all that the script asks for, in a form that others can rebuild. */
static bool publish_fits(const Asked *asked)
{
    if (asked->publish && !asked->exact)
        cg_usage("run", "--publish is of values that others can rebuild: it goes with --exact");
    else if (asked->publish && (asked->build || asked->dry || asked->only))
        cg_usage("run", "--publish is of all that the script asks for: not with --build, --dry-run, --only");
    else
        return true;
    return false;
}

static int run_script(int argc, char **argv, Asked *asked)
{
    CgStrings set = { 0 };
    const char *threads = NULL, *store = NULL, *seed = NULL, *dump = NULL, *jobs = NULL, *memory = NULL;
    bool quiet = false, profile = false, debug = false;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        CG_MEMORY_OPTION(&memory),
        { .name = "seed", .arg = "N", .value = &seed, .help = "added to every seed of the script" },
        { .name = "store", .arg = "FOLDER", .value = &store, .help = "where costly values are kept; $CG_STORE or .cg" },
        { .name = "quiet", .flag = &quiet, .help = "no progress" },
        { .name = "prof", .flag = &profile, .help = "where the time of the trainings went, by op and by line" },
        { .name = "trace",
            .arg = "FILE",
            .value = &asked->trace,
            .help = "the trainings as JSON trace events, for Perfetto" },
        { .name = "only",
            .arg = "NAME",
            .value = &asked->only,
            .once = true,
            .help = "builds and shows this value of the script alone" },
        { .name = "exact",
            .flag = &asked->exact,
            .help = "results with the same bits on every machine; several times slower" },
        { .name = "publish",
            .arg = "FILE",
            .value = &asked->publish,
            .help = "digests of what was trained and evaluated, for cg replay; with --exact" },
        { .name = "dry-run", .flag = &asked->dry, .help = "what is kept and what would be built; runs nothing" },
        { .name = "jobs",
            .arg = "N",
            .value = &jobs,
            .help = "so many processes build independent values side by side" },
        { .name = "build",
            .flag = &asked->build,
            .help = "builds what is asked for and keeps it; shows and saves nothing" },
        CG_DEBUG_OPTION(&debug),
        CG_DUMP_OPTION(&dump),
        { .name = "help", .flag = &asked->help, .help = "this, and the options of the script" },
    };
    static const char synopsis[] = "SCRIPT.cg [--set NAME=VALUE ...]\nbuilds what the script shows and saves";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (asked->help)
        cg_options_help("run", synopsis, options, CG_LEN(options));
    if (argc != 2)
        return asked->help ? CG_EXIT_OK : cg_usage("run", "one script is needed");
    if (!cg_dump_find("run", dump, CG_DUMP_MEM, &asked->stage))
        return CG_EXIT_USAGE;
    if (!publish_fits(asked))
        return CG_EXIT_USAGE;
    if (asked->exact)
        cg_registry_want_exact();
    CgSessionOpts opts = { .quiet = quiet,
        .store = store,
        .profile = profile,
        .trace = asked->trace != NULL,
        .debug = debug,
        .writes = { asked->trace, asked->publish } };
    if (!cg_option_threads("run", threads, &opts.threads) || !cg_option_bytes("run", "memory", memory, 1, &opts.memory)
        || !cg_option_number("run", "jobs", jobs, 1, MOST_JOBS, &asked->jobs)
        || !cg_option_number("run", "seed", seed, INT64_MIN, INT64_MAX, &opts.seed))
        return CG_EXIT_USAGE;
    if (debug && asked->jobs > 1)
        return cg_usage("run", "--debug shows what one process does; leave out --jobs");
    CgScriptArgs args;
    code = cg_script_args("run", &set, &(CgStrings){ 0 }, &args);
    if (code == CG_EXIT_OK) {
        opts.settings = args.settings;
        opts.nsettings = args.nsettings;
        code = make(argv[1], &opts, asked);
    }
    cg_script_args_free(&args);
    return code;
}

static int command(int argc, char **argv)
{
    Asked asked = { .jobs = 1, .argc = argc, .argv = cg_calloc((size_t)argc + 1, sizeof *argv) };
    memcpy(asked.argv, argv, sizeof *argv * (size_t)argc); /* options are taken out of the other */
    int code = run_script(argc, argv, &asked);
    free(asked.argv);
    return code;
}

CG_COMMAND(run, "builds what a script shows and saves", command)
