/* merge.c - models whose parameters are made by graphs, as models without them.
 * Takes a model with weights and the graphs its parameters go through; gives the parameters as these make them. Trains
 * nothing, and knows nothing of what the graphs compute. */
#include "stage/merge.h"

#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "stage/runner.h"

/* ---- which graphs ----------------------------------------------------------------------------------------------- */

/* Adds to `out` the graphs that parameters of a model go through, and of those it was given, below their names. */
static void add_graphs(CgElab *e, const CgValue *v, const char *below, CgInstance *out)
{
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD)
        for (int i = 0; i < v->n; i++)
            add_graphs(
                e, v->at[i], cg_path_join(below, v->keys ? v->keys[i] : cg_arena_printf(e->arena, "%d", i)), out);
    if (v->kind != CG_VALUE_INSTANCE)
        return;
    const CgInstance *m = v->instance;
    for (int i = 0; i < m->nannotations; i++) {
        CgAnnotation z = m->annotations[i];
        if (z.what != CG_ANNOTATED_REPARAMETRIZED)
            continue;
        z.pattern = cg_path_join(below, z.pattern);
        cg_annotation_add(e, out, z);
    }
    for (int i = 0; i < m->stmt->nparams; i++)
        if (m->statics[i])
            add_graphs(e, m->statics[i], cg_path_join(below, m->stmt->params[i].name), out);
}

static bool has_graph(const CgInstance *m, const CgAnnotation *z)
{
    for (int i = 0; i < m->nannotations; i++)
        if (m->annotations[i].pattern == z->pattern && m->annotations[i].by->instance->stmt == z->by->instance->stmt)
            return true;
    return false;
}

CgValue *cg_merge_of(CgElab *e, const CgValue *from, const CgValue *to, CgSpan span)
{
    CgInstance theirs = { 0 }, ours = { 0 };
    CgValue *out = cg_instance_copy(e, from, from->span);
    out->instance->path = cg_intern("");
    out->instance->annotations = NULL;
    out->instance->nannotations = 0;
    add_graphs(e, from, "", &theirs);
    add_graphs(e, to, "", &ours);
    for (int i = 0; i < theirs.nannotations; i++) {
        const CgAnnotation *z = &theirs.annotations[i];
        if (has_graph(&ours, z))
            continue;
        if (z->weights == from->instance->weights) {
            const char *by = z->by->instance->stmt->names[0];
            CgDiag *d = cg_elab_error(e, CG_E0505, span, "the parameters that '%s' has here are not trained yet", by);
            cg_diag_note(d, z->span, "parameters go through it since this");
            cg_diag_help(d, "train the model first; what it was before '%s' is another value", by);
            return cg_value_poison(e);
        }
        cg_annotation_add(e, out->instance, *z);
    }
    return out->instance->nannotations ? out : NULL;
}

/* ---- what they make --------------------------------------------------------------------------------------------- */

/* The type a parameter has in the graph: narrow numbers are widened, and of what a graph says is f32 there is no f64.
 */
static CgType type_in_model(const CgAnnotation *z, const CgTensor *t)
{
    const CgDim *dim[CG_MAX_RANK];
    const CgStmt *by = z->by->instance->stmt;
    CgDtype dtype = cg_dtype_is_narrow(t->dtype) ? CG_F32 : t->dtype;
    for (int i = 0; i < by->nparams; i++)
        if (cg_param_is_tensor(&by->params[i]) && by->params[i].type->name)
            cg_dtype_parse(by->params[i].type->name, strlen(by->params[i].type->name), &dtype);
    for (int k = 0; k < t->rank; k++)
        dim[k] = cg_dim_int(t->dim[k]);
    return cg_type(dtype, t->rank, dim);
}

/* A graph with what becomes of each tensor that is not as it was, under its name. */
static CgModelGraph *merge_graph(CgSession *x, CgValue *merged, const CgTensors *t)
{
    CgElab *e = x->elab;
    CgModelGraph *m = cg_model_begin(e, "merged", false);
    CgInstance *root = cg_instance_root(e, merged, false)->instance;
    size_t before = cg_diags_count(x->diags);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, cg_elab_script(e));
    for (int i = 0; i < t->n; i++) {
        CgAtom path = cg_intern(t->at[i].name);
        int first = 0;
        const CgAnnotation *z = cg_annotations_put(root, path)
            ? NULL
            : cg_annotations_edit(root, CG_ANNOTATED_REPARAMETRIZED, path, &first);
        if (!z)
            continue;
        CgValue *v = cg_param_through(e, &f, root, path, type_in_model(z, &t->at[i].tensor));
        if (v->kind == CG_VALUE_TENSOR)
            cg_graph_output(m->graph, path, v->tensor->ref);
    }
    cg_frame_end(e, &f);
    cg_model_end(e);
    if (cg_diags_count(x->diags) == before)
        return m;
    cg_model_free(m);
    return NULL;
}

/* Memory for tensors one after the other, each at a multiple of 64. */
static size_t room_of(const CgType *type)
{
    size_t n = cg_dtype_size(type->dtype);
    for (int k = 0; k < type->rank; k++) {
        int64_t d = 0;
        cg_dim_is_int(type->dim[k], &d);
        n *= (size_t)d;
    }
    return (n + 63) / 64 * 64;
}

static bool has_shape(const CgTensor *t, const CgType *type)
{
    bool same = t->rank == type->rank;
    for (int k = 0; same && k < type->rank; k++)
        same = cg_dim_int(t->dim[k]) == type->dim[k];
    return same;
}

/* The parameters of the graph are tensors of the model, of the types that the graph computes with. */
static bool bind_params(const CgGraph *g, const CgTensors *t, char *room, CgExec *exec, CgErr *err)
{
    for (size_t i = 0; i < g->params.len; i++) {
        const char *path = cg_node_name(g, g->params.at[i]);
        const CgType *type = cg_node_type(g, g->params.at[i]);
        const CgTensor *from = cg_tensors_find(t, path);
        if (!from || !has_shape(from, type)) {
            CgStrbuf text = { 0 };
            cg_type_print(type, &text);
            cg_err(err, CG_ERR_INPUT, from ? "'%s' is not %s" : "the model has no '%s', which is %s", path,
                cg_strbuf_str(&text));
            cg_strbuf_deinit(&text);
            return false;
        }
        cg_tensor_pack_as(from, type->dtype, room);
        cg_exec_bind_param(exec, (int)i, room);
        room += room_of(type);
    }
    return true;
}

/* Puts the results of a graph, in memory of the tensors' own, in place of those of the same names. */
static void put_results(const CgGraph *g, CgExec *exec, CgTensors *t)
{
    char *to = t->own;
    for (size_t i = 0; i < g->outputs.len; i++) {
        CgTensor out = cg_exec_output(exec, (int)i);
        for (int k = 0; k < t->n; k++)
            if (!strcmp(t->at[k].name, g->outputs.at[i].name)) {
                cg_tensor_pack(&out, to);
                t->at[k].tensor = cg_tensor(out.dtype, to, out.rank, out.dim);
            }
        to += room_of(cg_node_type(g, g->outputs.at[i].ref));
    }
}

static bool compute(CgSession *x, const CgModelGraph *m, CgSpan at, CgTensors *t)
{
    CgGraph *g = cg_pass_run_all(m->graph, NULL);
    CgRunner r = { 0 };
    CgErr err = { 0 };
    size_t params = 64, results = 64;
    for (size_t i = 0; i < g->params.len; i++)
        params += room_of(cg_node_type(g, g->params.at[i]));
    for (size_t i = 0; i < g->outputs.len; i++)
        results += room_of(cg_node_type(g, g->outputs.at[i].ref));
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    char *room = cg_try_alloc(params);
    t->own = cg_try_alloc(results);
    bool good = room && t->own;
    if (!good)
        cg_err(&err, CG_ERR_MEMORY, "no room for the %zu MiB of merged parameters", (params + results) >> 20);
    if (good && cg_runner_new(x, g, 1, (CgPlanOptions){ 0 }, at, &r)) {
        good = bind_params(g, t, room, r.exec, &err) && cg_session_run(x, r.exec, at);
        if (good)
            put_results(g, r.exec, t);
    } else {
        good = false;
    }
    cg_runner_free(&r);
    cg_graph_free(g);
    free(room);
    return good || (err.kind && cg_session_err(x, at, &err));
}

bool cg_merge(CgSession *x, CgValue *merged, bool declared, CgTensors *t)
{
    CgModelGraph *m = declared ? NULL : merge_graph(x, merged, t);
    if (!declared && !m)
        return false;
    bool good = declared || compute(x, m, merged->span, t);
    cg_model_free(m);
    int n = 0;
    for (int i = 0; i < t->n; i++)
        if (cg_annotations_put(merged->instance, t->at[i].name))
            free(t->at[i].name);
        else
            t->at[n++] = t->at[i];
    t->n = n;
    return good;
}

bool cg_merge_identify(CgSession *x, CgValue *merged, const CgTensors *t, CgDigester *d)
{
    CgModelGraph *m = merge_graph(x, merged, t);
    if (!m)
        return false;
    CgDigest made = cg_graph_digest(m->graph);
    cg_digester_add(d, &made, sizeof made);
    cg_model_free(m);
    return true;
}
