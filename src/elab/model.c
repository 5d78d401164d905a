/* model.c - graphs being built, the instances in them and the parameters they own.
 * Takes instances and declarations; gives parameter nodes by path. A path is made of names the author wrote, so it
 * does not depend on the order of anything. */
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"

CgModelGraph *cg_model_begin(CgElab *e, const char *name, bool bf16)
{
    CgModelGraph *m = cg_calloc(1, sizeof *m);
    m->graph = cg_graph_new(name);
    m->init = cg_graph_new("init");
    m->graph->scopes.at[0].bf16 = bf16;
    m->build = cg_build_at(m->graph);
    m->init_build = cg_build_at(m->init);
    m->outside = e->model;
    e->model = m;
    return m;
}

void cg_model_end(CgElab *e)
{
    CgModelGraph *m = e->model;
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].init != CG_NONE)
            cg_graph_output(m->init, m->params.at[i].path, m->params.at[i].init);
    e->model = m->outside;
    m->outside = NULL;
}

void cg_model_free(CgModelGraph *m)
{
    if (!m)
        return;
    cg_graph_free(m->graph);
    cg_graph_free(m->init);
    cg_vec_free(&m->params);
    cg_vec_free(&m->foreign);
    cg_vec_free(&m->marked);
    cg_vec_free(&m->bodies);
    cg_vec_free(&m->products);
    cg_map_deinit(&m->product_paths);
    cg_map_deinit(&m->by_path);
    cg_map_deinit(&m->parts);
    free(m);
}

CgParamInfo *cg_model_param(CgModelGraph *m, CgAtom path)
{
    uint64_t at;
    return cg_map_get(&m->by_path, cg_map_ptr(path), &at) ? &m->params.at[at] : NULL;
}

CgValue *cg_instance_copy(CgElab *e, const CgValue *instance, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_INSTANCE, span);
    v->instance = CG_NEW(e->arena, CgInstance);
    *v->instance = *instance->instance;
    return v;
}

CgAtom cg_path_join(const char *a, const char *b) { return cg_intern_printf("%s%s%s", a, *a ? "." : "", b); }

CgValue *cg_instance_root(CgElab *e, CgValue *instance, bool foreign)
{
    CgModelGraph *m = e->model;
    if (foreign)
        for (size_t i = 0; i < m->foreign.len; i++)
            if (m->foreign.at[i]->span.file == instance->instance->span.file
                && m->foreign.at[i]->stmt == instance->instance->stmt
                && m->foreign.at[i]->weights == instance->instance->weights
                && m->foreign.at[i]->statics == instance->instance->statics
                && cg_marks_alike(m->foreign.at[i], instance->instance)) {
                CgValue *known = cg_value_new(e, CG_VALUE_INSTANCE, instance->span);
                known->instance = m->foreign.at[i];
                return known;
            }
    CgValue *v = cg_instance_copy(e, instance, instance->span);
    CgInstance *inst = v->instance;
    inst->parent = NULL;
    inst->anonymous = 0;
    if (foreign) {
        inst->path = cg_intern_printf("@%zu", m->foreign.len);
        cg_vec_push(&m->foreign, inst);
    } else {
        inst->path = cg_intern("");
    }
    return v;
}

CgValue *cg_parts_copy(CgElab *e, CgValue *v, bool beside)
{
    if (v->kind == CG_VALUE_INSTANCE && !v->instance->path)
        return beside ? cg_instance_root(e, v, true) : cg_instance_copy(e, v, v->span);
    if (v->kind != CG_VALUE_LIST && v->kind != CG_VALUE_RECORD)
        return v;
    CgValue *out = v;
    for (int i = 0; i < v->n; i++) {
        CgValue *inner = cg_parts_copy(e, v->at[i], beside);
        if (inner == v->at[i])
            continue;
        if (out == v) {
            out = cg_value_record(e, v->n, v->span);
            out->kind = v->kind;
            if (v->kind == CG_VALUE_LIST)
                out->keys = NULL;
            memcpy(out->at, v->at, sizeof *v->at * (size_t)v->n);
            if (v->keys)
                memcpy(out->keys, v->keys, sizeof *v->keys * (size_t)v->n);
        }
        out->at[i] = inner;
    }
    return out;
}

bool cg_parts_trained(const CgValue *v)
{
    bool any = v->kind == CG_VALUE_INSTANCE && v->instance->weights;
    for (int i = 0; !any && i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++)
        any = cg_parts_trained(v->at[i]);
    return any;
}

static CgFrame *owner(CgFrame *f)
{
    while (f && !f->is_body)
        f = f->outer ? f->outer : f->is_def ? f->caller : NULL;
    return f;
}

void cg_instance_place(CgElab *e, CgFrame *f, CgValue *v, CgAtom name, CgSpan span)
{
    CgFrame *body = owner(f);
    if (!body || !body->instance || !body->instance->path)
        return;
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD) {
        for (int i = 0; i < v->n; i++) {
            CgAtom inner =
                v->kind == CG_VALUE_RECORD ? cg_path_join(name, v->keys[i]) : cg_intern_printf("%s.%d", name, i);
            cg_instance_place(e, f, v->at[i], inner, span);
        }
        return;
    }
    if (v->kind != CG_VALUE_INSTANCE || v->instance->path)
        return;
    CgInstance *inst = v->instance;
    uint64_t at;
    if (cg_map_get(&body->used, cg_map_ptr(name), &at)) {
        CgDiag *d =
            cg_elab_error(e, CG_E0306, span, "two parts of '%s' are called '%s'", body->instance->stmt->names[0], name);
        cg_diag_note(d, ((CgInstance *)(uintptr_t)at)->span, "the first one");
    }
    cg_map_put(&body->used, cg_map_ptr(name), cg_map_ptr(inst));
    inst->name = name;
    inst->path = cg_path_join(body->instance->path, name);
    inst->parent = body->instance;
    inst->anonymous = body->instance->anonymous; /* what an unnamed part is made of has no name of its own either */
}

/* The starting value of a parameter, in the init graph. */
static CgRef initial(CgElab *e, CgFrame *body, CgAtom path, CgType type, const CgExpr *init, CgSpan span)
{
    CgModelGraph *m = e->model;
    CgBuild keep = m->build;
    m->build = m->init_build;
    m->build.scope = 0;
    CgFrame f;
    cg_frame_begin(e, &f, body, body->env);
    f.scope = 0;
    f.has_ambient = true;
    f.ambient = type;
    f.ambient_path = path;
    CgRef ref = CG_NONE;
    CgValue *v = init ? cg_eval(e, &f, init) : cg_value_int(e, 0, span);
    if (v->kind == CG_VALUE_INSTANCE && cg_graph_tensors(v->instance->stmt) == 0)
        v = cg_apply(e, &f, v, NULL, NULL, NULL, 0, init->span);
    double number;
    if (cg_value_number(v, &number)) {
        ref = cg_fill(&m->build, type, number);
    } else if (v->kind == CG_VALUE_TENSOR) {
        const CgType *t = cg_value_type(e, v);
        if (cg_type_equal(t, &type)) {
            ref = v->tensor.ref;
        } else {
            CgStrbuf a = { 0 }, b = { 0 };
            cg_type_print(t, &a);
            cg_type_print(&type, &b);
            cg_elab_error(e, CG_E0402, init->span, "the initialiser makes %s, the parameter is %s", cg_strbuf_str(&a),
                cg_strbuf_str(&b));
            cg_strbuf_deinit(&a);
            cg_strbuf_deinit(&b);
        }
    } else if (!cg_is_poison(v)) {
        cg_elab_error(
            e, CG_E0305, init->span, "a parameter starts from a number or a tensor, not %s", cg_value_kind_name(v));
    }
    cg_frame_end(e, &f);
    m->init_build = m->build;
    m->build = keep;
    return ref;
}

CgValue *cg_param_tensor(
    CgElab *e, CgFrame *f, CgAtom name, CgSpan span, const CgTypeExpr *declared, const CgExpr *init)
{
    CgFrame *body = cg_frame_body(f);
    CgModelGraph *m = e->model;
    if (!m || !body || !body->instance || !body->instance->path || m->build.graph != m->graph) {
        cg_elab_error(e, CG_E0503, span, "parameter '%s' has no model to belong to", name);
        return cg_value_poison(e);
    }
    CgType type;
    CgTensorValue labels = { 0 };
    if (!cg_type_of(e, f, declared, &type, &labels))
        return cg_value_poison(e);
    for (int i = 0; i < type.rank; i++) {
        int64_t n;
        if (cg_dim_is_int(type.dim[i], &n))
            continue;
        cg_elab_error(e, CG_E0403, declared->span, "parameter '%s' has a size that is not a number", name);
        return cg_value_poison(e);
    }
    CgInstance *inst = body->instance;
    CgAtom path = cg_path_join(inst->path, name);
    CgParamInfo *p = cg_model_param(m, path);
    if (p && p->anonymous != inst->anonymous) {
        CgDiag *d = cg_elab_error(e, CG_E0501, inst->span, "two instances of '%s' without a name would both own '%s'",
            inst->stmt->names[0], path);
        cg_diag_help(d, "name them: a, b = %s(...), %s(...)", inst->stmt->names[0], inst->stmt->names[0]);
        inst->anonymous = p->anonymous; /* said once for all of its parameters */
        return cg_value_poison(e);
    }
    if (p && !cg_type_equal(cg_node_type(m->graph, p->ref), &type)) {
        CgStrbuf a = { 0 }, b = { 0 };
        cg_type_print(cg_node_type(m->graph, p->ref), &a);
        cg_type_print(&type, &b);
        cg_elab_error(e, CG_E0402, span, "parameter '%s' is %s in one application and %s in another", path,
            cg_strbuf_str(&a), cg_strbuf_str(&b));
        cg_strbuf_deinit(&a);
        cg_strbuf_deinit(&b);
        return cg_value_poison(e);
    }
    if (!p) {
        CgParamInfo info = { .path = path, .init = CG_NONE, .span = span, .anonymous = inst->anonymous };
        info.ref = cg_graph_param(&m->build, path, type);
        for (const CgInstance *at = inst; at; at = at->parent)
            if (at->weights) { /* the outermost was trained last, with its parts inside */
                info.weights = at->weights;
                info.source = cg_path_join(at->within ? at->within : "", cg_path_below(at, path));
            }
        info.foreign = path[0] == '@';
        info.owner = inst;
        cg_marks_freeze(&info);
        if (!info.weights)
            info.init = initial(e, body, path, type, init, span);
        cg_map_put(&m->by_path, cg_map_ptr(path), m->params.len);
        cg_vec_push(&m->params, info);
        p = &m->params.at[m->params.len - 1];
    }
    CgValue *v = cg_value_tensor(e, p->ref, span);
    labels.ref = p->ref;
    v->tensor = labels;
    return v;
}
