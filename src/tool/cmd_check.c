/* cmd_check.c - cg check SCRIPT.cg ... [--set NAME=VALUE] [--dump=STAGE].
 * Takes scripts; gives every mistake that can be found without reading data or running anything.
 * Must not write anything but diagnostics and the dump that was asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "graph/text.h"
#include "tool/tool.h"

static void dump_plan(CgExperiment *x, const CgStage *s, CgGraph *g, CgStrbuf *out)
{
    int64_t rows = s->batch ? s->batch : 16;
    CgBinding batch = { cg_intern("batch"), s->accumulate ? rows / s->accumulate : rows };
    CgPlanOptions options = { .bf16 = s->bf16, .sources = x->sources };
    CgErr e = {0};
    CgPlan *plan = cg_plan_build(g, (CgBindings){ &batch, 1 }, options, &e);
    if (plan)
        cg_plan_print(plan, x->sources, out);
    else
        cg_diag_err(x->diags, s->span, &e);
    cg_plan_free(plan);
}

/* The graphs of every training and evaluation: as written with its derivatives, after the passes, as it would run. */
static bool dump_stages(CgExperiment *x, const char *stage)
{
    bool grad = strcmp(stage, "grad") == 0, opt = strcmp(stage, "opt") == 0, plan = strcmp(stage, "plan") == 0;
    if (!grad && !opt && !plan)
        return false;
    for (size_t i = 0; i < x->stages.len && cg_diags_count(x->diags) == 0; i++) {
        const CgStage *s = x->stages.at[i];
        CgGraph *after = s->kind == CG_STAGE_TRAIN ? s->step_graph : s->columns_graph;
        CgStrbuf text = {0};
        if (plan)
            dump_plan(x, s, after, &text);
        else
            cg_graph_print(grad ? s->model->graph : after, x->sources, &text);
        fputs(cg_strbuf_str(&text), stdout);
        cg_strbuf_deinit(&text);
    }
    return true;
}

static int check_one(const char *path, const CgExperimentOpts *opts, const char *stage)
{
    CgExperiment *x = cg_experiment_new(path, opts);
    bool known = !x->program || !stage || cg_program_dump(x->sources, x->program, stage, stdout)
              || dump_stages(x, stage);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_experiment_free(x);
    return known ? code : cg_usage("check", "there is no stage '%s'; there are tokens, ast, modules, grad, opt and plan", stage);
}

int cg_cmd_check(int argc, char **argv)
{
    CgStrings set = {0};
    const char *stage = NULL;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dump", .arg = "STAGE", .value = &stage, .help = "prints tokens, ast, modules, grad, opt or plan" },
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
