/* cmd_bench.c - cg bench SCRIPT.cg [GRAPH].
 * Takes a script; gives the time of real steps of its trainings, or of runs of a graph: median and spread, memory,
 * flops and their share of this machine's peak. Stores nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "report/bench.h"
#include "report/profile.h"
#include "report/trace.h"
#include "tool/script.h"

typedef struct Asked {
    const char *path, *graph, *trace;
    bool json, profile, markdown, grad, peaks;
    double fold;
    CgBenchOpts opts;
} Asked;

typedef struct Result {
    CgBench bench;
    CgProfile profile;
} Result;
typedef struct Results {
    CG_VEC(Result) at;
} Results;

/* Each training has a profile of its own. */
static void keep(CgSession *x, const CgBench *b, Results *out)
{
    cg_vec_push(&out->at, ((Result){ *b, x->profile }));
    x->profile = (CgProfile){ 0 };
}

static bool bench_stage(CgSession *x, CgStage *s, const Asked *asked, Results *out)
{
    CgBench b;
    bool good = cg_bench_train(x, s, &asked->opts, &b);
    if (good)
        keep(x, &b, out);
    else
        cg_bench_deinit(&b);
    return good;
}

static bool bench_target(CgSession *x, const Asked *asked, CgBindings sizes, Results *out)
{
    CgTarget t = { 0 };
    CgBench b = { 0 };
    bool good = cg_target_build(x, asked->graph, sizes, &t);
    if (good && t.stage && t.stage->kind == &cg_stage_kind_train)
        good = bench_stage(x, (CgStage *)(uintptr_t)t.stage, asked, out);
    else if (good && (!asked->grad || cg_target_differentiate(x, &t, 0, NULL, 0))
        && cg_bench_graph(x, t.name, t.model, sizes, &asked->opts, &b))
        keep(x, &b, out);
    else
        cg_bench_deinit(&b);
    cg_target_free(&t);
    return good;
}

/* All trainings of the script, or the one thing that was named. */
static void bench_all(CgSession *x, const Asked *asked, CgBindings sizes, Results *out)
{
    bool any = false, good = true;
    for (size_t i = 0; i < x->stages.len && !asked->graph && good; i++)
        if (x->stages.at[i]->kind == &cg_stage_kind_train) {
            any = true;
            good = bench_stage(x, x->stages.at[i], asked, out);
        }
    if (!any)
        bench_target(x, asked, sizes, out);
}

static void print(const Asked *asked, const Results *r, const CgPeaks *peaks)
{
    CgStrbuf text = { 0 };
    for (size_t i = 0; i < r->at.len; i++) {
        const Result *one = &r->at.at[i];
        if (asked->json) {
            cg_report_bench_json(&one->bench, peaks, asked->profile ? &one->profile : NULL, asked->path, &text);
            continue;
        }
        cg_report_bench(&one->bench, peaks, &text);
        cg_strbuf_putc(&text, '\n');
        if (asked->profile)
            cg_report_profile(&one->profile, peaks, asked->fold, asked->markdown, &text);
    }
    fputs(cg_strbuf_str(&text), stdout);
    cg_strbuf_deinit(&text);
}

/* The machine alone. */
static int print_peaks(const Asked *asked, int threads)
{
    CgPool *pool = cg_pool_new(threads);
    CgPeaks peaks;
    CgErr e = { 0 };
    CgStrbuf text = { 0 };
    bool good = cg_peaks_measure(pool, &peaks, &e);
    cg_pool_free(pool);
    if (!good)
        return cg_complain("bench", &e);
    if (asked->json)
        cg_report_peaks_json(&peaks, &text);
    else
        cg_report_peaks(&peaks, &text);
    fputs(cg_strbuf_str(&text), stdout);
    cg_strbuf_deinit(&text);
    return CG_EXIT_OK;
}

static int make(const Asked *asked, const CgSessionOpts *opts, CgBindings sizes)
{
    CgSession *x = cg_experiment_new(asked->path, opts);
    CgErr e = { 0 };
    Results results = { 0 };
    CgPeaks peaks;
    if (cg_diags_count(x->diags) == 0 && !cg_session_open(x, &e))
        cg_session_err(x, (CgSpan){ 0 }, &e);
    if (cg_diags_count(x->diags) == 0)
        bench_all(x, asked, sizes, &results);
    /* last, because it takes memory of its own */
    if (cg_diags_count(x->diags) == 0 && !cg_peaks_measure(x->pool, &peaks, &e))
        cg_session_err(x, (CgSpan){ 0 }, &e);
    if (cg_diags_count(x->diags) == 0 && asked->trace && !cg_report_trace(x->trace, asked->trace, &e))
        cg_session_err(x, (CgSpan){ 0 }, &e);
    if (cg_diags_count(x->diags) == 0)
        print(asked, &results, &peaks);
    for (size_t i = 0; i < results.at.len; i++) {
        cg_bench_deinit(&results.at.at[i].bench);
        cg_profile_deinit(&results.at.at[i].profile);
    }
    cg_vec_free(&results.at);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    const char *threads = NULL, *store = NULL, *steps = NULL, *warmup = NULL, *fold = NULL, *memory = NULL;
    Asked asked = { .fold = 2, .opts = { .steps = 7, .warmup = 2 } };
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size of a graph's signature" },
        { .name = "grad", .flag = &asked.grad, .help = "of a graph: with the derivatives by all parameters" },
        { .name = "steps", .arg = "N", .value = &steps, .help = "steps that are timed; 7 unless given" },
        { .name = "warmup", .arg = "N", .value = &warmup, .help = "steps before them; 2 unless given" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        CG_MEMORY_OPTION(&memory),
        { .name = "store", .arg = "FOLDER", .value = &store, .help = "where tokenizers are kept; $CG_STORE or .cg" },
        { .name = "json", .flag = &asked.json, .help = "one line of JSON for each training" },
        { .name = "prof",
            .flag = &asked.profile,
            .help = "where the time of as many steps again went, by op and by line" },
        { .name = "fold",
            .arg = "PERCENT",
            .value = &fold,
            .help = "what took less is one line of the profile; 2 unless given" },
        { .name = "markdown", .flag = &asked.markdown, .help = "the profile as tables for a page" },
        { .name = "peaks", .flag = &asked.peaks, .help = "no script: the peaks of this machine alone" },
        { .name = "trace",
            .arg = "FILE",
            .value = &asked.trace,
            .help = "those steps as JSON trace events, for Perfetto" },
    };
    static const char synopsis[] = "SCRIPT.cg [GRAPH] [--steps N] [--set NAME=VALUE ...]\n"
                                   "times real steps of the script's trainings, or runs of a graph; stores nothing, "
                                   "and takes models that the script\n"
                                   "would train first as they start";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (asked.peaks ? argc != 1 : argc < 2 || argc > 3)
        return cg_usage("bench", asked.peaks ? "--peaks takes no script" : "a script and at most one graph are needed");
    asked.path = asked.peaks ? NULL : argv[1];
    asked.graph = argc > 2 ? argv[2] : NULL;
    CgSessionOpts opts = {
        .quiet = true, .store = store, .untrained = true, .trace = asked.trace != NULL, .writes = { asked.trace }
    };
    asked.opts.profile = asked.profile || asked.trace;
    opts.profile = asked.profile;
    char *end = NULL;
    asked.fold = fold ? strtod(fold, &end) : asked.fold;
    if (fold && (end == fold || *end || !(asked.fold >= 0 && asked.fold <= 100)))
        return cg_usage("bench", "--fold takes a percentage, not '%s'", fold);
    asked.fold /= 100;
    int64_t timed = asked.opts.steps, before = asked.opts.warmup;
    if (!cg_option_number("bench", "steps", steps, 1, 1000000, &timed)
        || !cg_option_number("bench", "warmup", warmup, 0, 1000000, &before)
        || !cg_option_threads("bench", threads, &opts.threads)
        || !cg_option_bytes("bench", "memory", memory, 1, &opts.memory))
        return CG_EXIT_USAGE;
    asked.opts.steps = (int)timed;
    asked.opts.warmup = (int)before;
    CgScriptArgs args;
    code = cg_script_args("bench", &set, &dims, &args);
    opts.settings = args.settings;
    opts.nsettings = args.nsettings;
    if (code == CG_EXIT_OK)
        code = asked.peaks ? print_peaks(&asked, opts.threads) : make(&asked, &opts, args.sizes);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(bench, "times training steps, and says where the time goes", command)
