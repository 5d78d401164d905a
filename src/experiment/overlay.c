/* overlay.c - numbers to be shown on a picture of a graph.
 * Takes a graph and what is asked; gives the items of a profile as numbers by place, or numbers by parameter. Keeps
 * nothing of the steps that it runs, which are of models as they start. */
#include "experiment/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "stage/bench.h"

/* A kind has a number for each item of a profile, or for each parameter. */
typedef struct Kind {
    const char *name, *unit;
    double (*of_item)(const CgProfItem *item, int64_t steps);
    double (*of_param)(const CgTarget *t, size_t i, double elements);
    bool timed, gradient;
} Kind;

static double item_time(const CgProfItem *item, int64_t steps) { return item->seconds / (double)steps; }
static double item_flops(const CgProfItem *item, int64_t steps)
{
    return item->flops * (double)item->calls / (double)steps;
}
static double item_kept(const CgProfItem *item, int64_t steps)
{
    return item->kept * (double)item->calls / (double)steps;
}
static double item_bf16(const CgProfItem *item, int64_t steps) { return item->bf16 ? item_flops(item, steps) : 0; }

static bool is_frozen(const CgTarget *t, size_t i)
{
    return t->model->params.at[i].frozen || t->model->params.at[i].auxiliary;
}
static double param_elements(const CgTarget *t, size_t i, double elements)
{
    (void)t, (void)i;
    return elements;
}
static double param_frozen(const CgTarget *t, size_t i, double elements) { return is_frozen(t, i) ? elements : 0; }
static double param_trained(const CgTarget *t, size_t i, double elements) { return is_frozen(t, i) ? 0 : elements; }

static const Kind kinds[] = {
    { .name = "time", .unit = "s", .of_item = item_time, .timed = true },
    { .name = "memory", .unit = "B", .of_item = item_kept },
    { .name = "flops", .unit = "flop", .of_item = item_flops },
    { .name = "precision", .unit = "flop in bf16", .of_item = item_bf16 },
    { .name = "parameters", .unit = "parameters", .of_param = param_elements },
    { .name = "frozen", .unit = "frozen", .of_param = param_frozen },
    { .name = "trained", .unit = "trained", .of_param = param_trained },
    { .name = "gradient", .unit = " norm", .gradient = true },
};

static const Kind *find(const char *what)
{
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        if (strcmp(kinds[i].name, what) == 0)
            return &kinds[i];
    return NULL;
}

bool cg_overlay_known(const char *what) { return find(what) != NULL; }

const char *cg_overlay_names(void)
{
    CgStrbuf all = { 0 };
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        cg_strbuf_printf(&all, "%s%s", i ? ", " : "", kinds[i].name);
    const char *names = cg_intern(cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return names;
}

/* ---- by place ---- */

/* What one step, or one run of a graph, would count; where terms of a loss take turns, a step of each. */
static bool plan_profile(CgSession *x, const CgTarget *t, CgBindings sizes, CgProfile *out)
{
    CgBinding *bound = CG_NEWN(x->elab->arena, CgBinding, sizes.n + 1);
    const CgStage *s = t->stage;
    int64_t rows = s && s->batch ? s->batch / (s->accumulate ? s->accumulate : 1) : 16;
    for (int i = 0; i < sizes.n; i++)
        bound[i] = sizes.at[i];
    bound[sizes.n] = (CgBinding){ cg_intern("batch"), rows };
    int turns = s ? s->nturns : 0;
    CgGraph *own = turns ? NULL : cg_pass_run_all(t->model->graph, NULL);
    CgPlanOptions options = { .shown = true, .sources = x->sources };
    CgErr e = { 0 };
    bool good = true;
    for (int i = 0; good && i < (turns ? turns : 1); i++) {
        CgPlan *plan = cg_plan_build(own ? own : s->turns[i].graph, (CgBindings){ bound, sizes.n + 1 }, options, &e);
        if (plan)
            cg_profile_plan(out, plan, x->sources);
        else if (e.kind == CG_ERR_INPUT && !*e.hint)
            cg_err_hint(&e, "--dim NAME=N gives a size a value");
        good = plan != NULL;
        cg_plan_free(plan);
    }
    if (own)
        cg_graph_free(own);
    return good || cg_session_err(x, (CgSpan){ 0 }, &e);
}

static bool time_steps(CgSession *x, const CgTarget *t, CgBindings sizes)
{
    CgBenchOpts opts = { .steps = 3, .warmup = 1, .profile = true };
    CgBench b = { 0 };
    CgErr e = { 0 };
    x->opts.profile = x->opts.untrained = true;
    if (!cg_session_open(x, &e))
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    bool training = t->stage && t->stage->kind == &cg_stage_kind_train;
    bool good = training ? cg_bench_train(x, (CgStage *)(uintptr_t)t->stage, &opts, &b)
                         : cg_bench_graph(x, t->name, t->model, sizes, &opts, &b);
    cg_bench_deinit(&b);
    return good;
}

static void take_items(const Kind *k, const CgProfile *p, CgOverlay *out)
{
    CgOverlayItem *item = cg_calloc(p->items.len + 1, sizeof *item);
    for (size_t i = 0; i < p->items.len; i++) {
        const CgProfItem *from = &p->items.at[i];
        double value = k->of_item(from, p->steps ? p->steps : 1);
        /* an optimiser is a graph of its own, with scopes of its own */
        bool elsewhere = from->phase == CG_PHASE_UPDATE || from->phase == CG_PHASE_OUTSIDE;
        if (value > 0)
            item[out->n++] = (CgOverlayItem){ elsewhere ? -1 : from->scope, from->span, value };
    }
    out->item = item;
}

/* ---- by parameter ---- */

static double elements(const CgType *t)
{
    double n = 1;
    for (int i = 0; i < t->rank; i++) {
        int64_t size = 0;
        n *= cg_dim_is_int(t->dim[i], &size) ? (double)size : 0;
    }
    return n;
}

static bool gradient(CgSession *x, const CgTarget *t, double *squares)
{
    CgErr e = { 0 };
    if (!t->stage || t->stage->kind != &cg_stage_kind_train) {
        cg_err_hint(&e, "name a training of the script");
        cg_err(&e, CG_ERR_INPUT, "only a training has gradients of its parameters");
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    }
    x->opts.untrained = true;
    if (!cg_session_open(x, &e))
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    return cg_bench_gradient(x, (CgStage *)(uintptr_t)t->stage, squares);
}

bool cg_overlay_make(CgSession *x, const CgTarget *t, CgBindings sizes, const char *what, CgOverlay *out)
{
    const Kind *k = find(what);
    const CgGraph *g = t->model->graph;
    *out = (CgOverlay){ .unit = k->unit, .root = k->gradient };
    if (k->of_item) {
        CgProfile own = { 0 };
        bool good = k->timed ? time_steps(x, t, sizes) : plan_profile(x, t, sizes, &own);
        if (good)
            take_items(k, k->timed ? &x->profile : &own, out);
        cg_profile_deinit(&own);
        return good;
    }
    double *values = cg_calloc(g->params.len + 1, sizeof *values);
    out->of_param = values;
    for (size_t i = 0; k->of_param && i < g->params.len; i++)
        values[i] = k->of_param(t, i, elements(cg_node_type(g, g->params.at[i])));
    return k->of_param || gradient(x, t, values);
}

void cg_overlay_free(CgOverlay *o)
{
    free((void *)(uintptr_t)o->item);
    free((void *)(uintptr_t)o->of_param);
    *o = (CgOverlay){ 0 };
}
