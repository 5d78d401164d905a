/* cmd_check.c - cg check SCRIPT.cg ... [--set NAME=VALUE] [--dump=STAGE].
 * Takes scripts; gives every mistake that can be found without reading data or running anything.
 * Must not write anything but diagnostics and the dump that was asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "experiment/experiment.h"
#include "tool/tool.h"

static int check_one(const char *path, const CgExperimentOpts *opts, const char *stage)
{
    CgExperiment *x = cg_experiment_new(path, opts);
    bool known = !x->program || !stage || cg_program_dump(x->sources, x->program, stage, stdout);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return known ? code : cg_usage("check", "there is no stage '%s'; there are tokens, ast and modules", stage);
}

int cg_cmd_check(int argc, char **argv)
{
    CgStrings set = {0};
    const char *stage = NULL;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dump", .arg = "STAGE", .value = &stage, .help = "prints tokens, ast or modules of the script" },
    };
    int code;
    if (!cg_options(&argc, argv, "SCRIPT.cg ...\nfinds mistakes without running anything", options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("check", "a script is needed");
    CgSetting *settings = cg_calloc(set.len + 1, sizeof *settings);
    code = CG_EXIT_OK;
    for (size_t i = 0; i < set.len && code == CG_EXIT_OK; i++)
        if (!cg_assignment(set.at[i], (char **)&settings[i].name, &settings[i].text))
            code = cg_usage("check", "--set takes NAME=VALUE, not '%s'", set.at[i]);
    const CgExperimentOpts opts = { .settings = settings, .nsettings = (int)set.len, .quiet = true };
    for (int i = 1, one; i < argc && code != CG_EXIT_USAGE; i++) {
        one = check_one(argv[i], &opts, stage);
        code = one > code ? one : code;
    }
    for (size_t i = 0; i < set.len; i++)
        free((void *)(uintptr_t)settings[i].name);
    free(settings);
    free(set.at);
    return code;
}
