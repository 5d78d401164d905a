/* dump.c - --dump=STAGE: what a script is after each step on its way to numbers.
 * Takes a stage and a script, or one graph of it; gives text on stdout. Mistakes are in the experiment's list. Must not
 * run anything. */
#include "tool/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "graph/text.h"
#include "report/lifetimes.h"

static const char *const names[] = { NULL, "tokens", "ast", "modules", "graph", "grad", "opt", "plan", "mem" };

bool cg_dump_find(const char *command, const char *name, CgDump last, CgDump *out)
{
    CgSuggest near;
    *out = CG_DUMP_NONE;
    if (!name)
        return true;
    cg_suggest_init(&near, name);
    CgStrbuf all = { 0 };
    for (int i = CG_DUMP_TOKENS; i <= (int)last; i++) {
        if (strcmp(names[i], name) == 0)
            *out = (CgDump)i;
        cg_suggest_offer(&near, names[i]);
        cg_strbuf_printf(&all, "%s%s", i == CG_DUMP_TOKENS ? "" : i == (int)last ? " and " : ", ", names[i]);
    }
    if (*out == CG_DUMP_NONE)
        cg_usage(command, "there is no stage '%s'; there are %s", name, cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return *out != CG_DUMP_NONE;
}

/* ---- one graph ---- */

static bool print_graph(CgSession *x, const CgGraph *g)
{
    CgStrbuf text = { 0 };
    cg_graph_print(g, x->sources, &text);
    fputs(cg_strbuf_str(&text), stdout);
    cg_strbuf_deinit(&text);
    return true;
}

/* As built: what the outputs need, without derivatives that were appended later. */
static bool print_forward(CgSession *x, const CgGraph *g, size_t noutputs)
{
    CgGraph shown = *g; /* read only */
    shown.outputs.len = noutputs;
    CgGraph *forward = cg_pass_dce(&shown);
    print_graph(x, forward);
    cg_graph_free(forward);
    return true;
}

static bool print_plan(CgSession *x, const CgGraph *g, const CgTarget *t, CgBindings sizes, CgDump stage)
{
    const CgStage *s = t->stage;
    CgBinding *bound = CG_NEWN(x->elab->arena, CgBinding, sizes.n + 1);
    /* the first binding of a name counts: --dim batch=3 asks "what if" */
    for (int i = 0; i < sizes.n; i++)
        bound[i] = sizes.at[i];
    int64_t rows = s && s->batch ? s->batch / (s->accumulate ? s->accumulate : 1) : 16;
    bound[sizes.n] = (CgBinding){ cg_intern("batch"), rows };
    CgPlanOptions options = { .shown = true, .sources = x->sources, .memory = x->opts.memory };
    if (s && s->together) { /* as train.c runs it */
        options.outputs_bound = true;
        options.together = s->together;
    }
    CgErr e = { 0 };
    CgStrbuf text = { 0 };
    CgPlan *plan = cg_plan_build(g, (CgBindings){ bound, sizes.n + 1 }, options, &e);
    if (plan && stage == CG_DUMP_MEM) {
        cg_plan_print_memory(plan, x->sources, &text);
    } else if (plan && stage == CG_DUMP_LIFETIMES) {
        cg_lifetimes_svg(plan, t->name, x->sources, &text);
    } else if (plan) {
        cg_plan_print(plan, x->sources, &text);
    } else {
        if (e.kind == CG_ERR_INPUT && !*e.hint)
            cg_err_hint(&e, "--dim NAME=N gives a size a value");
        cg_diag_err(x->diags, (CgSpan){ 0 }, &e);
    }
    fputs(cg_strbuf_str(&text), stdout);
    fflush(stdout); /* what is said of it stands behind it */
    if (plan && !cg_plan_fits(plan, &e))
        fprintf(stderr, "cg: %s\n", e.text);
    cg_strbuf_deinit(&text);
    cg_plan_free(plan);
    return plan != NULL;
}

static bool has_derivatives(const CgTarget *t) { return t->model->graph->outputs.len > t->noutputs; }

bool cg_dump_target(CgSession *x, CgTarget *t, CgBindings sizes, bool derivatives, CgDump stage)
{
    if (stage == CG_DUMP_GRAPH)
        return print_forward(x, t->model->graph, t->noutputs);
    if (!t->stage && (stage == CG_DUMP_GRAD || derivatives) && !has_derivatives(t) && t->noutputs
        && !cg_target_differentiate(x, t, 0, NULL, 0))
        return false;
    if (stage == CG_DUMP_GRAD)
        return print_graph(x, t->model->graph);
    const CgModelGraph *m = t->stage ? t->stage->model : t->model;
    int turns = t->stage ? t->stage->nturns : 0;
    CgGraph *own = turns ? NULL : cg_pass_run_all(m->graph, NULL);
    bool good = true;
    for (int i = 0; good && i < (turns ? turns : 1); i++) {
        const CgGraph *g = own ? own : t->stage->turns[i].graph;
        if (turns > 1)
            printf("turn of %s\n", t->stage->terms.name[i]);
        good = stage == CG_DUMP_OPT ? print_graph(x, g) : print_plan(x, g, t, sizes, stage);
    }
    if (own)
        cg_graph_free(own);
    return good;
}

/* ---- a script ---- */

bool cg_dump_named(CgSession *x, const char *text, CgBindings sizes, bool derivatives, CgDump stage)
{
    if (stage < CG_DUMP_GRAPH)
        return cg_dump_script(x, sizes, stage);
    CgTarget t = { 0 };
    bool good = cg_diags_count(x->diags) == 0 && cg_target_build(x, text, sizes, &t)
        && cg_dump_target(x, &t, sizes, derivatives, stage);
    cg_target_free(&t);
    return good;
}

bool cg_dump_script(CgSession *x, CgBindings sizes, CgDump stage)
{
    if (stage < CG_DUMP_GRAPH) /* that far scripts with mistakes come, too */
        return x->program && cg_program_dump(x->sources, x->program, names[stage], stdout);
    bool good = cg_diags_count(x->diags) == 0;
    for (size_t i = 0; good && i < x->stages.len; i++) {
        CgTarget t = { 0 };
        cg_target_of_stage(x->stages.at[i], &t);
        good = cg_dump_target(x, &t, sizes, true, stage);
    }
    return good && (x->stages.len || cg_dump_named(x, NULL, sizes, false, stage));
}
