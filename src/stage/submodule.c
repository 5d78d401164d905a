/* submodule.c - what a trained or loaded model is made of: its parts and parameters by name, outside of graphs.
 * Takes models with weights; gives parts that keep them, tensors, and how many parameters are where. Applies nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "graph/pass.h"
#include "run/phase.h"
#include "stage/session.h"

static CgStage *training(const CgInstance *m)
{
    CgStage *s = m->weights && m->weights->kind == CG_VALUE_STAGE ? m->weights->stage : NULL;
    return s && s->kind == &cg_stage_kind_train ? s : NULL;
}

/* The length of a path's first segment. */
static size_t segment(const char *path) { return strcspn(path, "."); }

/* What is said of the model's products, said of the part of it at `path`; its parameters are as it was trained. */
static void inherit(CgElab *e, const CgInstance *from, const char *path, CgInstance *to)
{
    CgInstance at = *from;
    for (const char *rest = path; *rest;) {
        CgInstance next = *to;
        size_t n = segment(rest);
        next.annotations = NULL;
        next.nannotations = 0;
        cg_annotations_inherit(e, &at, cg_intern_n(rest, n), &next);
        at = next;
        rest += n + (rest[n] == '.');
    }
    to->annotations = at.annotations;
    to->nannotations = at.nannotations;
}

/* What a body bound to a name, as parts of the trained model `of`: instances that have its weights. */
static CgValue *submodule_of(CgElab *e, const CgInstance *of, CgValue *v, CgSpan span)
{
    if (v->kind == CG_VALUE_INSTANCE) {
        CgValue *out = cg_instance_copy(e, v, span);
        CgInstance *submodule = out->instance;
        size_t outer = of->submodule_path ? strlen(of->submodule_path) + 1 : 0;
        submodule->weights = of->weights;
        submodule->submodule_path = v->instance->path;
        submodule->path = NULL;
        submodule->parent = NULL;
        if (submodule->submodule_path)
            inherit(e, of, submodule->submodule_path + outer, submodule);
        return out;
    }
    if (v->kind != CG_VALUE_LIST && v->kind != CG_VALUE_RECORD)
        return v;
    CgValue *out = v->kind == CG_VALUE_LIST ? cg_value_list(e, v->n, span) : cg_value_record(e, v->n, span);
    for (int i = 0; i < v->n; i++) {
        if (v->kind == CG_VALUE_RECORD)
            out->keys[i] = v->keys[i];
        out->at[i] = submodule_of(e, of, v->at[i], span);
    }
    return out;
}

CgValue *cg_stage_submodule(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *suggest)
{
    const CgStage *s = training(of->instance);
    uint64_t submodule;
    if (!s)
        return NULL;
    const char *submodule_path = of->instance->submodule_path ? of->instance->submodule_path : "";
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        const char *path = p->auxiliary ? NULL : cg_path_within(submodule_path, p->path);
        if (path)
            cg_suggest_offer(suggest, cg_intern_n(path, segment(path)));
    }
    CgAtom path = cg_path_join(submodule_path, name);
    if (cg_map_get(&s->model->submodules, cg_map_ptr(path), &submodule))
        return submodule_of(e, of->instance, (CgValue *)(uintptr_t)submodule, span);
    if (!cg_model_param(s->model, path))
        return NULL;
    CgArguments a = { .function = cg_function_find("parameter"), .n = 2, .call = span, .at = { of } };
    a.at[1] = cg_value_str(e, name, span);
    return cg_function_later(e, &a, 0);
}

const CgTensors *cg_model_tensors(CgSession *x, const CgInstance *m)
{
    if (training(m))
        return &training(m)->weights;
    return m->weights ? cg_weights_force(x, m->weights) : NULL;
}

static bool is_frozen(const CgInstance *m, const char *path, const char *whole)
{
    int said = cg_annotations_frozen(m, path);
    const CgParamInfo *p = training(m) ? cg_model_param(training(m)->model, cg_intern(whole)) : NULL;
    return said >= 0 ? said : p && p->frozen;
}

enum { MODULE, TENSORS, COUNT, FROZEN, BYTES, FLOPS };

/* The row of the part that a path begins with; "" is of none. */
static size_t row_of(CgSession *x, CgTable *t, const CgInstance *m, const char *path)
{
    const char *name = *path ? cg_arena_printf(x->elab->arena, "%.*s", (int)segment(path), path) : m->stmt->names[0];
    size_t row = 0;
    while (row < t->rows && strcmp(t->column[MODULE].at[row].text, name) != 0)
        row++;
    if (row == t->rows) {
        cg_table_row(t);
        cg_table_set(t, row, MODULE, cg_text(name));
        for (int c = TENSORS; c <= BYTES; c++)
            cg_table_set(t, row, c, cg_whole(0));
    }
    return row;
}

/* The part of the model, which is applied at the root, that a scope is in; "" where it is in none. */
static const char *module_at(const CgGraph *g, int scope)
{
    const char *name = "";
    for (; scope > 0 && g->scopes.at[scope].parent > 0; scope = g->scopes.at[scope].parent)
        if (!g->scopes.at[scope].recompute || *g->scopes.at[scope].graph)
            name = g->scopes.at[scope].name;
    return name;
}

/* Useful flops of a pass, by the place where each instruction's expression stands in the model. */
static bool add_flops(CgSession *x, CgTable *t, const CgInstance *m, const CgModelGraph *pass)
{
    CgErr err = { 0 };
    CgGraph *g = cg_pass_run_all(pass->graph, NULL);
    CgPlan *p = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ .sources = x->sources }, &err);
    CG_VEC(double) flops = { 0 };
    for (int i = 0; p && i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        if (in->node == CG_NONE || !(in->work.flops > 0))
            continue;
        size_t row = row_of(x, t, m, module_at(g, cg_node(g, in->node)->scope));
        while (flops.len <= row)
            cg_vec_push(&flops, 0);
        flops.at[row] += cg_phase_of(p, in) == CG_PHASE_AGAIN ? 0 : in->work.flops;
    }
    for (size_t r = 0; p && r < t->rows; r++)
        cg_table_set(t, r, FLOPS, cg_number(r < flops.len ? flops.at[r] : 0));
    cg_vec_free(&flops);
    bool good = p || cg_session_err(x, (CgSpan){ 0 }, &err);
    cg_plan_free(p);
    cg_graph_free(g);
    return good;
}

CgTable *cg_model_modules(CgSession *x, const CgInstance *m, const CgModelGraph *pass)
{
    static const char *const names[] = { "part", "tensors", "parameters", "frozen", "bytes", "flops" };
    const CgTensors *weights = cg_model_tensors(x, m);
    if (!weights)
        return NULL;
    CgTable *t = cg_table_new();
    for (int c = MODULE; c <= (pass ? FLOPS : BYTES); c++)
        cg_table_add(t, names[c], c == MODULE ? CG_TEXT : c == FLOPS ? CG_NUMBER : CG_INT);
    for (int i = 0; i < weights->n; i++) {
        const char *path = cg_path_within(m->submodule_path, weights->at[i].name);
        const CgTensor *at = &weights->at[i].tensor;
        if (!path)
            continue;
        size_t row = row_of(x, t, m, path);
        int64_t n = cg_tensor_count(at);
        t->column[TENSORS].at[row].whole++;
        t->column[COUNT].at[row].whole += n;
        t->column[FROZEN].at[row].whole += is_frozen(m, path, weights->at[i].name) ? n : 0;
        t->column[BYTES].at[row].whole += n * (int64_t)cg_dtype_size(at->dtype);
    }
    if (!pass || add_flops(x, t, m, pass))
        return t;
    cg_table_free(t);
    return NULL;
}
