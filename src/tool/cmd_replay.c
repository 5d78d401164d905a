/* cmd_replay.c - cg replay FILE.
 * Takes what cg run --publish wrote; carries out the script anew, with nothing that was kept before, and says of each
 * value whether it has the published digest. */
#include <stdio.h>

#include "experiment/published.h"
#include "graph/registry.h"
#include "tool/tool.h"

/* In a store of its own, beside the file unless one is named. */
static int compare(const CgPublished *p, const char *file, CgSessionOpts opts, const char *store)
{
    CgStrbuf folder = { 0 };
    CgErr err = { 0 };
    bool same = false;
    cg_strbuf_printf(&folder, "%s.replay", file);
    opts.settings = p->settings;
    opts.nsettings = p->nsettings;
    opts.seed = p->seed;
    opts.store = store ? store : cg_strbuf_str(&folder);
    CgSession *x = cg_experiment_new(p->script, &opts);
    if (!cg_diags_count(x->diags) && !cg_digest_equal(p->text, cg_session_script_digest(x)))
        printf("the text of %s is not the one that was published\n", p->script);
    if (!cg_diags_count(x->diags) && !cg_session_open(x, &err))
        cg_session_err(x, (CgSpan){ 0 }, &err);
    bool good = !cg_diags_count(x->diags) && cg_published_compare(x, p, stdout, &same);
    if (good)
        puts(same ? "it agrees" : "it does NOT agree");
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    cg_strbuf_deinit(&folder);
    return code ? code : same ? CG_EXIT_OK : CG_EXIT_DIAG;
}

static int command(int argc, char **argv)
{
    const char *threads = NULL, *store = NULL;
    bool quiet = false;
    const CgOption options[] = {
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        { .name = "store",
            .arg = "FOLDER",
            .value = &store,
            .help = "where what is rebuilt is kept; FILE.replay unless given" },
        { .name = "quiet", .flag = &quiet, .help = "no progress" },
    };
    int code;
    CgSessionOpts opts = { 0 };
    CgPublished p;
    CgErr e = { 0 };
    if (!cg_options(&argc, argv, "FILE\nrebuilds what cg run --publish=FILE wrote down, and compares", options,
            CG_LEN(options), &code))
        return code;
    if (argc != 2)
        return cg_usage("replay", "one file is needed, which cg run --publish wrote");
    if (!cg_option_threads("replay", threads, &opts.threads))
        return CG_EXIT_USAGE;
    opts.quiet = quiet;
    cg_registry_want_exact();
    code = cg_published_read(argv[1], &p, &e) ? compare(&p, argv[1], opts, store) : cg_complain("replay", &e);
    cg_published_free(&p);
    return code;
}

CG_COMMAND(replay, "rebuilds published values and says whether they agree", command)
