/* cmd_check.c - cg check SCRIPT.cg ... [--set NAME=VALUE] [--dump=STAGE].
 * Takes scripts; gives every mistake that can be found without reading data or running anything.
 * Must not write anything but diagnostics and the dump that was asked for. */
#include "tool/dump.h"

static void print(const CgDiags *d, bool json)
{
    CgStrbuf out = { 0 };
    if (!json) {
        cg_diags_print(d, stderr, cg_wants_colour());
        return;
    }
    cg_diags_json(d, &out);
    fputs(cg_strbuf_str(&out), stdout);
    cg_strbuf_deinit(&out);
}

static int check_one(const char *path, CgSessionOpts opts, CgBindings sizes, CgDump stage, bool json)
{
    CgNameUses uses = { 0 };
    opts.uses = &uses;
    opts.checking = stage == CG_DUMP_NONE;
    CgSession *x = cg_experiment_new(path, &opts);
    if (stage != CG_DUMP_NONE)
        cg_dump_script(x, sizes, stage);
    print(x->diags, json);
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    cg_vec_free(&uses);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    const char *dump = NULL;
    bool json = false;
    CgDump stage;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size, for --dump=plan and mem" },
        { .name = "json", .flag = &json, .help = "a line of JSON on stdout for each mistake, with fixes" },
        CG_DUMP_OPTION(&dump),
    };
    int code;
    if (!cg_options(
            &argc, argv, "SCRIPT.cg ...\nfinds mistakes without running anything", options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("check", "a script is needed");
    if (!cg_dump_find("check", dump, CG_DUMP_MEM, &stage))
        return CG_EXIT_USAGE;
    CgScriptArgs args;
    code = cg_script_args("check", &set, &dims, &args);
    const CgSessionOpts opts = { .settings = args.settings, .nsettings = args.nsettings, .quiet = true };
    for (int i = 1, one; i < argc && code != CG_EXIT_USAGE; i++) {
        one = check_one(argv[i], opts, args.sizes, stage, json);
        code = one > code ? one : code;
    }
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(check, "finds mistakes in scripts without running them", command)
