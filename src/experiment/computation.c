/* computation.c - a graph of a script, computed on given tensors.
 * Takes a graph or model of a script and tensors; gives its results and derivatives. Must not know where the tensors
 * come from. */
#include "experiment/computation.h"

#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "run/gemm/blas.h"
#include "stage/watch.h"

/* ---- what is given ---- */

static CgTensorGiven *find_given(const CgComputation *c, const char *name)
{
    for (int i = 0; i < c->ngiven; i++)
        if (!strcmp(c->given[i].name, name))
            return &c->given[i];
    return NULL;
}

static bool in_signature(const CgInstance *inst, const char *name)
{
    for (int k = 0; k < inst->stmt->nparams; k++)
        if (cg_param_is_tensor(&inst->stmt->params[k]) && strcmp(inst->stmt->params[k].name, name) == 0)
            return true;
    return false;
}

/* Every tensor of the signature without a default has data. */
static bool inputs_are_given(const CgComputation *c, const CgInstance *inst)
{
    const char *graph = inst->stmt->names[0];
    bool good = true;
    for (int k = 0; k < inst->stmt->nparams; k++) {
        const CgParam *p = &inst->stmt->params[k];
        if (!cg_param_is_tensor(p) || p->init || find_given(c, p->name))
            continue;
        CgDiag *d = cg_diag(c->x->diags, CG_E0304, p->span, "'%s' needs a tensor for '%s'", graph, p->name);
        for (int i = 0; i < c->ngiven; i++)
            if (!in_signature(inst, c->given[i].name))
                cg_diag_note(d, c->given[i].span, "'%s' is given, which is no input of it", c->given[i].name);
        cg_diag_help(d, "on the command line: --in %s=DATA", p->name);
        good = false;
    }
    return good;
}

static bool read_given(CgSession *x, CgTensorGiven *g, CgDtype dtype)
{
    CgErr e = { 0 };
    if (g->read)
        g->tensor = g->read(g, dtype, &e);
    int64_t step = 1, count = g->tensor ? cg_tensor_count(g->tensor) : 0;
    for (int k = g->tensor ? g->tensor->rank : 0; k-- > 0; step *= g->tensor->dim[k])
        if (g->tensor->dim[k] < 0 || (count && g->tensor->dim[k] > 1 && g->tensor->stride[k] != step))
            cg_err(&e, CG_ERR_INPUT, "axis %d of '%s' has the size %lld and the stride %lld: tensors are row major", k,
                g->name, (long long)g->tensor->dim[k], (long long)g->tensor->stride[k]);
    return !e.kind || cg_session_err(x, g->span, &e);
}

/* The types of the inputs: those of the data; numbers written out are of the declared dtype. */
static bool read_inputs(CgComputation *c, const CgInstance *inst, CgKnownTypes *out)
{
    CgSession *x = c->x;
    *out = (CgKnownTypes){ CG_NEWN(x->elab->arena, CgKnownType, inst->stmt->nparams + 1), 0 };
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgParam *p = &inst->stmt->params[i];
        CgTensorGiven *g = find_given(c, p->name);
        int dtype = 0;
        if (!g || !cg_param_is_tensor(p))
            continue;
        while (dtype < CG_NDTYPE && p->type->name && strcmp(cg_dtype_name((CgDtype)dtype), p->type->name) != 0)
            dtype++;
        if (!read_given(x, g, dtype < CG_NDTYPE ? (CgDtype)dtype : CG_F32))
            return false;
        const CgDim *dim[CG_MAX_RANK];
        for (int k = 0; k < g->tensor->rank; k++)
            dim[k] = cg_dim_int(g->tensor->dim[k]);
        out->at[out->n++] = (CgKnownType){ p->name, cg_type(g->tensor->dtype, g->tensor->rank, dim), g->span };
    }
    return true;
}

static bool wrong_type(CgSession *x, const CgTensorGiven *g, const CgType *want)
{
    CgStrbuf type = { 0 }, have = { 0 };
    cg_type_print(want, &type);
    for (int k = 0; k < g->tensor->rank; k++)
        cg_strbuf_printf(&have, "%s%lld", k ? ", " : "", (long long)g->tensor->dim[k]);
    cg_diag(x->diags, CG_E0401, g->span, "parameter '%s' is %s, the data is %s[%s]", g->name, cg_strbuf_str(&type),
        cg_dtype_name(g->tensor->dtype), cg_strbuf_str(&have));
    cg_strbuf_deinit(&type);
    cg_strbuf_deinit(&have);
    return false;
}

static bool has_type(const CgTensor *t, const CgType *want)
{
    bool same = t->rank == want->rank && t->dtype == want->dtype;
    for (int k = 0; same && k < want->rank; k++)
        same = cg_dim_int(t->dim[k]) == want->dim[k];
    return same;
}

/* Offers the names of all inputs and parameters. */
static void offer_leaves(const CgTarget *t, CgSuggest *near)
{
    const CgGraph *g = t->model->graph;
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_suggest_offer(near, cg_node_name(g, g->inputs.at[i]));
    for (size_t i = 0; i < t->model->params.len; i++)
        cg_suggest_offer(near, t->model->params.at[i].path);
}

/* What is given beside the inputs are parameters; they are known once the graph is there. */
static bool read_params(CgComputation *c, const CgInstance *inst)
{
    CgSession *x = c->x;
    const CgTarget *t = &c->target;
    bool good = true;
    for (int i = 0; i < c->ngiven; i++) {
        CgTensorGiven *g = &c->given[i];
        if (in_signature(inst, g->name))
            continue;
        const CgParamInfo *p = cg_model_param(t->model, g->name);
        if (!p) {
            CgSuggest near;
            cg_suggest_init(&near, g->name);
            offer_leaves(t, &near);
            cg_diag_meant(
                cg_diag(x->diags, CG_E0301, g->span, "'%s' has no input and no parameter '%s'", t->name, g->name),
                &near);
            good = false;
            continue;
        }
        const CgType *want = cg_node_type(t->model->graph, p->ref);
        g->is_param = true;
        good = read_given(x, g, want->dtype) && (has_type(g->tensor, want) || wrong_type(x, g, want)) && good;
    }
    return good;
}

/* ---- derivatives ---- */

/* The output of a name or number; -1 after a mistake. */
static int find_output(CgSession *x, const CgTarget *t, const char *name)
{
    const CgGraph *g = t->model->graph;
    char *end;
    CgSuggest near;
    cg_suggest_init(&near, name);
    for (size_t i = 0; i < t->noutputs; i++) {
        if (strcmp(g->outputs.at[i].name, name) == 0)
            return (int)i;
        cg_suggest_offer(&near, g->outputs.at[i].name);
    }
    long number = strtol(name, &end, 10);
    if (*name && !*end && number >= 0 && (size_t)number < t->noutputs)
        return (int)number;
    CgDiag *d = cg_diag(x->diags, CG_E0301, (CgSpan){ 0 }, "'%s' has no output '%s'", t->name, name);
    if (cg_diag_meant(d, &near))
        return -1;
    if (t->noutputs == 1)
        cg_diag_help(d, "its output is '%s'", g->outputs.at[0].name);
    else
        cg_diag_help(d, "its outputs are '%s' to '%s', or 0 to %zu", g->outputs.at[0].name,
            g->outputs.at[t->noutputs - 1].name, t->noutputs - 1);
    return -1;
}

/* Adds r unless it is there; an input and a parameter of one name cannot both be written. */
static bool add_once(CgSession *x, const CgGraph *g, CgRefs *to, CgRef r)
{
    for (size_t i = 0; i < to->len; i++)
        if (to->at[i] == r)
            return true;
        else if (cg_node_name(g, to->at[i]) == cg_node_name(g, r)) {
            cg_diag(
                x->diags, CG_E0306, (CgSpan){ 0 }, "an input and a parameter are both called '%s'", cg_node_name(g, r));
            return false;
        }
    cg_vec_push(to, r);
    return true;
}

static bool none_by(CgSession *x, const CgTarget *t, const char *pattern, CgRef integer, bool frozen)
{
    CgSuggest near;
    if (integer != CG_NONE) {
        CgStrbuf type = { 0 };
        cg_type_print(cg_node_type(t->model->graph, integer), &type);
        cg_diag(
            x->diags, CG_E0504, (CgSpan){ 0 }, "wrt '%s': there is no derivative by %s", pattern, cg_strbuf_str(&type));
        cg_strbuf_deinit(&type);
    } else if (frozen) {
        CgDiag *d = cg_diag(x->diags, CG_E0506, (CgSpan){ 0 }, "wrt '%s': that is frozen", pattern);
        cg_diag_help(d, "unfreeze(...) around the graph lets derivatives reach it");
    } else {
        cg_suggest_init(&near, pattern);
        offer_leaves(t, &near);
        cg_diag_meant(cg_diag(x->diags, CG_E0301, (CgSpan){ 0 },
                          "wrt '%s': '%s' has no input and no parameter like this", pattern, t->name),
            &near);
    }
    return false;
}

/* Adds all that a pattern of --wrt names. What is frozen or not made of real numbers is left out, unless that is all.
 */
static bool add_matching(CgSession *x, const CgTarget *t, const char *pattern, CgRefs *out)
{
    const CgModelGraph *m = t->model;
    CgRef integer = CG_NONE;
    bool any = false, frozen = false, good = true;
    for (size_t i = 0; good && i < m->graph->inputs.len; i++) {
        CgRef r = m->graph->inputs.at[i];
        if (!cg_path_matches(pattern, cg_node_name(m->graph, r)))
            continue;
        if (cg_dtype_is_float(cg_node_type(m->graph, r)->dtype))
            good = add_once(x, m->graph, out, r), any = true;
        else
            integer = r;
    }
    for (size_t i = 0; good && i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (!cg_path_matches(pattern, p->path))
            continue;
        if (p->frozen || p->auxiliary)
            frozen = true;
        else
            good = add_once(x, m->graph, out, p->ref), any = true;
    }
    if (!good)
        return false;
    return any || none_by(x, t, pattern, integer, frozen);
}

static bool differentiate(CgComputation *c)
{
    CgSession *x = c->x;
    CgTarget *t = &c->target;
    int output = find_output(x, t, c->opts.grad);
    CgRefs by = { 0 };
    bool good = output >= 0;
    for (int i = 0; good && i < c->opts.nwrt; i++)
        for (const char *at = c->opts.wrt[i]; good && *at;) {
            size_t len = strcspn(at, ",");
            good = add_matching(x, t, cg_arena_printf(x->elab->arena, "%.*s", (int)len, at), &by);
            at += len + (at[len] == ',');
        }
    if (good && !c->opts.nwrt)
        good = add_matching(x, t, "*", &by);
    if (good) {
        const CgType *type = cg_node_type(t->model->graph, t->model->graph->outputs.at[output].ref);
        CgStrbuf text = { 0 };
        cg_type_print(type, &text);
        good = cg_dtype_is_float(type->dtype);
        if (!good)
            cg_diag(x->diags, CG_E0504, (CgSpan){ 0 }, "'%s': there is no derivative of %s", c->opts.grad,
                cg_strbuf_str(&text));
        else if (type->rank)
            cg_session_say(x, "'%s' is %s; what is differentiated is its sum", t->model->graph->outputs.at[output].name,
                cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    good = good && cg_target_differentiate(x, t, (size_t)output, by.at, (int)by.len);
    cg_vec_free(&by);
    return good;
}

/* ---- from the expression to the results ---- */

bool cg_computation_open(
    CgComputation *c, CgSession *x, const char *graph, CgTensorGiven *given, int n, const CgComputationOpts *opts)
{
    CgKnownTypes data;
    *c = (CgComputation){ .x = x, .given = given, .ngiven = n, .opts = *opts };
    CgValue *v = cg_diags_count(x->diags) ? NULL : cg_target_value(x, graph, &c->target);
    if (v && v->kind != CG_VALUE_INSTANCE) {
        cg_diag(x->diags, CG_E0305, c->target.unit->top.at[0]->exprs[0]->span, "a graph or a model is wanted, not %s",
            cg_value_kind_name(v));
        return false;
    }
    return v && inputs_are_given(c, v->instance) && read_inputs(c, v->instance, &data)
        && cg_target_apply(x, v, opts->sizes, &data, &c->target) && read_params(c, v->instance)
        && (!opts->grad || differentiate(c));
}

/* The threads, and the store where it may have the weights of a training. */
static bool open_session(CgSession *x, const CgModelGraph *m)
{
    CgErr e = { 0 };
    bool trained = false;
    cg_blas_init();
    for (size_t i = 0; i < m->params.len; i++)
        trained |= cg_weights_stage(m->params.at[i].weights) != NULL;
    if (trained)
        return cg_session_open(x, &e) || cg_session_err(x, (CgSpan){ 0 }, &e);
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    return true;
}

static void bind(const CgComputation *c, const CgGraph *g, CgExec *exec)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(exec, (int)i, find_given(c, cg_node_name(g, g->inputs.at[i]))->tensor->data);
    for (size_t i = 0; i < g->params.len; i++) {
        const char *path = cg_node_name(g, g->params.at[i]);
        const CgTensorGiven *given = find_given(c, path);
        uint64_t k = 0;
        cg_map_get(&c->target.model->by_path, cg_map_ptr(path), &k);
        cg_exec_bind_param(exec, (int)i, given && given->is_param ? given->tensor->data : c->memory.at[k]);
    }
    cg_exec_random(exec, (uint64_t)c->opts.seed, 0, 0);
}

/* What the bodies look at, with --debug. */
static bool debug(CgComputation *c)
{
    CgWatch *w;
    bool good = cg_watch_new(c->x, c->target.model, 1, c->x->at, &w);
    if (good && w) {
        bind(c, w->graph, w->runner.exec);
        good = cg_watch_run(w, c->x->at, "");
    }
    cg_watch_free(w);
    return good;
}

bool cg_computation_plan(CgComputation *c)
{
    CgErr e = { 0 };
    CgModelGraph *m = c->target.model;
    if (!open_session(c->x, m) || !cg_model_force(c->x, m) || !cg_memory_fill(c->x, m, NULL, c->opts.seed, &c->memory))
        return false;
    c->graph = cg_pass_run_all(m->graph, NULL);
    c->plan = cg_plan_build(c->graph, (CgBindings){ NULL, 0 }, (CgPlanOptions){ .sources = c->x->sources }, &e);
    c->exec = c->plan ? cg_exec_new(c->plan, c->x->pool, &e) : NULL;
    if (!c->exec) {
        cg_err_hint(&e, "sizes follow from the data, or are given by name");
        return cg_session_err(c->x, (CgSpan){ 0 }, &e);
    }
    cg_session_note_precision(c->x, c->graph);
    return true;
}

bool cg_computation_run(CgComputation *c)
{
    bind(c, c->graph, c->exec);
    return cg_session_run(c->x, c->exec, c->x->at) && debug(c);
}

void cg_computation_close(CgComputation *c)
{
    cg_exec_free(c->exec);
    cg_plan_free(c->plan);
    if (c->graph)
        cg_graph_free(c->graph);
    cg_memory_free(&c->memory);
    cg_target_free(&c->target);
}
