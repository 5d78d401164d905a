/* cmd_plan.c - cg plan SCRIPT.cg [GRAPH].
 * Takes a script and a graph in it; gives what would run: instructions in order, where each result lies, bytes and
 * flops by line of the script. Runs nothing. */
#include <stdio.h>

#include "graph/pass.h"
#include "tool/script.h"

typedef struct Asked { const char *path, *graph; bool memory, grad; } Asked;

/* The graph that runs: of a training the step it repeats. The caller frees it when *own. */
static CgGraph *to_run(CgExperiment *x, CgTarget *t, bool grad, bool *own)
{
    *own = false;
    if (t->stage && t->stage->step_graph)
        return t->stage->step_graph;
    if (t->stage)
        return t->stage->columns_graph;
    if (grad && !cg_target_differentiate(x, t, 0, NULL, 0))
        return NULL;
    *own = true;
    return cg_pass_run_all(t->model->graph, NULL);
}

static bool print_plan(CgExperiment *x, CgTarget *t, const Asked *asked, const CgScriptArgs *args)
{
    bool own;
    CgGraph *g = to_run(x, t, asked->grad, &own);
    CgBinding *bound = CG_NEWN(x->elab->arena, CgBinding, args->sizes.n + 1);
    /* the first binding of a name counts: --dim batch=3 asks "what if" */
    for (int i = 0; i < args->sizes.n; i++)
        bound[i] = args->sizes.at[i];
    int64_t rows = t->stage && t->stage->accumulate ? t->stage->batch / t->stage->accumulate : 16;
    bound[args->sizes.n] = (CgBinding){ cg_intern("batch"), rows };
    CgPlanOptions options = { .bf16 = t->stage && t->stage->bf16, .sources = x->sources };
    CgErr e = {0};
    CgPlan *plan = g ? cg_plan_build(g, (CgBindings){ bound, args->sizes.n + 1 }, options, &e) : NULL;
    CgStrbuf text = {0};
    if (plan && asked->memory) {
        cg_plan_print_memory(plan, x->sources, &text);
    } else if (plan) {
        cg_plan_print(plan, x->sources, &text);
    } else if (g) {
        if (e.kind == CG_ERR_INPUT && !*e.hint)
            cg_err_hint(&e, "--dim NAME=N gives a size a value");
        cg_diag_err(x->diags, (CgSpan){0}, &e);
    }
    fputs(cg_strbuf_str(&text), stdout);
    cg_strbuf_deinit(&text);
    cg_plan_free(plan);
    if (own && g)
        cg_graph_free(g);
    return plan != NULL;
}

static int make(const Asked *asked, const CgScriptArgs *args)
{
    CgExperimentOpts opts = { .settings = args->settings, .nsettings = args->nsettings, .quiet = true };
    CgExperiment *x = cg_experiment_new(asked->path, &opts);
    CgTarget target = {0};
    if (cg_diags_count(x->diags) == 0 && cg_target_build(x, asked->graph, args->sizes, &target))
        print_plan(x, &target, asked, args);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_target_free(&target);
    cg_experiment_free(x);
    return code;
}

int cg_cmd_plan(int argc, char **argv)
{
    CgStrings set = {0}, dims = {0};
    Asked asked = {0};
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size: B=5, batch=5" },
        { .name = "grad", .flag = &asked.grad, .help = "with the derivatives by all parameters" },
        { .name = "memory", .flag = &asked.memory, .help = "bytes by line of the script" },
    };
    static const char synopsis[] = "SCRIPT.cg [GRAPH] [--dim NAME=N ...]\n"
        "shows what would run, and where in memory: one step of a training, or a graph as in cg dot";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc < 2 || argc > 3)
        return cg_usage("plan", "a script and at most one graph are needed");
    asked.path = argv[1];
    asked.graph = argc > 2 ? argv[2] : NULL;
    CgScriptArgs args;
    code = cg_script_args("plan", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    cg_script_args_free(&args);
    return code;
}
