/* cmd_verify_resume.c - cg verify-resume SCRIPT.cg --at N [--only NAME].
 * Takes a script; gives for each of its trainings whether one that stops after step N and goes on ends in the bits of
 * one without a break. Keeps nothing but what these trainings are made of. */
#include <stdlib.h>

#include "experiment/needs.h"
#include "tool/script.h"
#include "tool/tool.h"

/* One line for a training; false after a mistake. */
static bool verify(CgSession *x, CgStage *s, int64_t at, bool *all)
{
    CgStrbuf said = { 0 };
    bool shorter = at >= s->steps, same = false;
    int64_t stop = shorter ? s->steps / 2 : at;
    bool good = cg_train_verify(x, s, stop, &same, &said);
    if (good)
        printf("training '%s', stopped at step %lld of %lld%s: %s%s\n", s->label, (long long)stop, (long long)s->steps,
            shorter ? ", which ends before --at" : "", same ? "the same bits" : "DIFFERS: ", cg_strbuf_str(&said));
    cg_strbuf_deinit(&said);
    *all &= same;
    return good;
}

static int make(const char *path, const char *only, int64_t at, const CgSessionOpts *opts)
{
    CgErr err = { 0 };
    CgNeeds needs = { 0 };
    bool same = true, any = false;
    CgSession *x = cg_experiment_new(path, opts);
    if (!cg_diags_count(x->diags) && !cg_session_open(x, &err))
        cg_session_err(x, (CgSpan){ 0 }, &err);
    if (!cg_diags_count(x->diags) && cg_needs_find(x, only, &needs))
        for (size_t i = 0; i < needs.stages.len; i++)
            if (needs.stages.at[i]->kind == &cg_stage_kind_train) {
                any = true;
                if (!verify(x, needs.stages.at[i], at, &same))
                    break;
            }
    if (!any && !cg_diags_count(x->diags))
        puts("nothing is compared: the script asks for no training");
    cg_needs_free(&needs);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return code ? code : same && any ? CG_EXIT_OK : CG_EXIT_DIAG;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 };
    const char *at = NULL, *only = NULL, *threads = NULL, *store = NULL;
    const CgOption options[] = {
        { .name = "at", .arg = "N", .value = &at, .help = "the step after which a training stops and goes on" },
        { .name = "only",
            .arg = "NAME",
            .value = &only,
            .once = true,
            .help = "the trainings behind this value of the script alone" },
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        { .name = "store", .arg = "FOLDER", .value = &store, .help = "where costly values are kept; $CG_STORE or .cg" },
    };
    static const char synopsis[] =
        "SCRIPT.cg --at=N\ncompares trainings that stop and go on with trainings that do not";
    int code;
    int64_t step = 0;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 2 || !at)
        return cg_usage("verify-resume", "a script and --at=N are needed");
    CgSessionOpts opts = { .quiet = true, .store = store };
    if (!cg_option_threads("verify-resume", threads, &opts.threads)
        || !cg_option_number("verify-resume", "at", at, 0, 1000000000, &step))
        return CG_EXIT_USAGE;
    CgScriptArgs args;
    code = cg_script_args("verify-resume", &set, &(CgStrings){ 0 }, &args);
    if (code == CG_EXIT_OK) {
        opts.settings = args.settings;
        opts.nsettings = args.nsettings;
        code = make(argv[1], only, step, &opts);
    }
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(verify_resume, "checks that a training that stops and goes on ends in the same bits", command)
