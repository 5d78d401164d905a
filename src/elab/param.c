/* param.c - parameters declared in bodies.
 * Takes instances that have a path (instance.c) and declarations; gives parameter nodes by path, and what they start
 * from in the graph of initial values. */
#include <string.h>

#include "elab/define.h"

/* The starting value of a parameter, in the init graph; that of a narrow one is made in f32 and rounded. */
static CgRef initial(CgElab *e, CgFrame *body, CgAtom path, CgType type, const CgExpr *init, CgSpan span)
{
    CgModelGraph *m = e->model;
    CgBuild keep = m->build;
    m->build = m->init_build;
    m->build.scope = 0;
    CgFrame f;
    cg_frame_begin(e, &f, body, body->env);
    f.scope = 0;
    f.has_ambient = f.is_initial = true;
    f.ambient = type;
    f.ambient.dtype = cg_dtype_is_narrow(type.dtype) ? CG_F32 : type.dtype;
    f.ambient_path = path;
    CgRef ref = CG_NONE;
    CgValue *v = init ? cg_eval(e, &f, init) : cg_value_int(e, 0, span);
    if (v->kind == CG_VALUE_INSTANCE && cg_graph_tensors(v->instance->stmt) == 0)
        v = cg_apply(e, &f, v, NULL, NULL, NULL, 0, init->span);
    double number;
    if (cg_value_number(v, &number)) {
        ref = cg_fill(&m->build, f.ambient, number);
    } else if (v->kind == CG_VALUE_TENSOR) {
        const CgType *t = cg_value_type(e, v);
        if (cg_type_equal(t, &type) || cg_type_equal(t, &f.ambient)) {
            ref = v->tensor->ref;
        } else {
            CgStrbuf a = { 0 }, b = { 0 };
            cg_type_print(t, &a);
            cg_type_print(&type, &b);
            if (!e->defining)
                cg_elab_error(e, CG_E0402, init->span, "the initialiser makes %s, the parameter is %s",
                    cg_strbuf_str(&a), cg_strbuf_str(&b));
            cg_strbuf_deinit(&a);
            cg_strbuf_deinit(&b);
        }
    } else if (!cg_is_poison(v)) {
        CgDiag *d = cg_elab_error(e, CG_E0305, cg_elab_literal(e, v, init->span),
            "a parameter starts from a number or a tensor, not %s", cg_value_kind_name(v));
        if (v->kind == CG_VALUE_LIST)
            cg_diag_help(
                d, "numbers that are written out are tensor([1, 2]); all alike are ones(), zeros() or a number");
    }
    if (ref != CG_NONE && cg_dtype_is_narrow(type.dtype))
        ref = cg_cast(&m->build, ref, type.dtype);
    cg_frame_end(e, &f);
    m->init_build = m->build;
    m->build = keep;
    return ref;
}

/* What the parameter starts from: the weights of the outermost instance, which was trained last, with its parts inside.
 * What was put into a model is new to the weights that the model had then. */
static void find_weights(const CgInstance *inst, CgAtom path, CgParamInfo *info)
{
    const CgAnnotation *put_by = NULL;
    for (const CgInstance *at = inst; at; at = at->parent) {
        const CgAnnotation *before = put_by;
        cg_annotations_after(at, &put_by);
        if (at->weights && !put_by && !(before && before->weights == at->weights)) {
            info->weights = at->weights;
            info->part = at->submodule_path ? at->submodule_path : cg_intern("");
            info->source = cg_path_join(info->part, cg_path_below(at, path));
        }
        put_by = at->put_by ? at->put_by : put_by;
    }
}

CgValue *cg_param_through(CgElab *e, CgFrame *f, CgInstance *root, CgAtom path, CgType type)
{
    CgModelGraph *m = e->model;
    const char *dot = strrchr(path, '.');
    CgInstance *owner = CG_NEW(e->arena, CgInstance);
    *owner = *root;
    if (dot) {
        owner->path = cg_intern_n(path, (size_t)(dot - path));
        owner->parent = root;
        owner->weights = NULL;
        owner->nannotations = 0;
    }
    CgParamInfo info = {
        .path = path, .init = CG_NONE, .renewed = CG_NONE, .span = root->span, .weights = root->weights
    };
    info.owner = owner;
    info.ref = cg_graph_param(&m->build, path, type);
    cg_map_put(&m->by_path, cg_map_ptr(path), m->params.len);
    cg_vec_push(&m->params, info);
    return cg_reparametrized(e, f, owner, path, cg_value_tensor(e, info.ref, root->span));
}

/* A graph that is looked at alone takes sizes that are symbols; so is the number of rows of a batch. */
static void unknown_size(CgElab *e, CgSpan at, CgAtom param, const CgDim *dim)
{
    CgStrbuf size = { 0 };
    CgAtom name;
    cg_dim_print(dim, &size);
    CgDiag *d = cg_elab_error(
        e, CG_E0403, at, "parameter '%s' has a size that is not a number: %s", param, cg_strbuf_str(&size));
    if (cg_dim_is_symbol(dim, &name))
        cg_diag_help(d, "--dim %s=N gives a size a value where a graph is looked at alone", name);
    cg_strbuf_deinit(&size);
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
        bool known = cg_dim_is_int(type.dim[i], &n);
        if (known ? n >= 0 : e->defining != NULL)
            continue;
        if (known)
            cg_elab_error(
                e, CG_E0403, declared->span, "axis %d of parameter '%s' would have size %lld", i, name, (long long)n);
        else
            unknown_size(e, declared->span, name, type.dim[i]);
        return cg_value_poison(e);
    }
    CgInstance *inst = body->instance;
    CgAtom path = cg_path_join(inst->path, name);
    CgParamInfo *p = cg_model_param(m, path);
    if (!cg_path_check(e, inst, path))
        return cg_value_poison(e);
    if (p && cg_define_types(e, cg_node_type(m->graph, p->ref), &type, span)) {
        labels.ref = cg_define_tensor(e, type);
        CgValue *v = cg_value_tensor(e, labels.ref, span);
        *v->tensor = labels;
        return v;
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
    if (p && !cg_annotations_agree(e, p, inst, body->called_from))
        return cg_value_poison(e);
    if (!p && e->watching && !e->defining) {
        e->unmade = path;
        return cg_value_poison(e);
    }
    if (!p) {
        CgParamInfo info = {
            .path = path, .init = CG_NONE, .renewed = CG_NONE, .span = span, .use = body->called_from
        };
        info.ref = cg_graph_param(&m->build, path, type);
        find_weights(inst, path, &info);
        info.auxiliary = cg_path_is_auxiliary(path);
        info.owner = inst;
        cg_annotations_freeze(&info);
        if (!info.weights)
            info.init = initial(e, body, path, type, init, span);
        cg_map_put(&m->by_path, cg_map_ptr(path), m->params.len);
        cg_vec_push(&m->params, info);
        p = &m->params.at[m->params.len - 1];
    }
    CgValue *v = cg_value_tensor(e, p->ref, span);
    labels.ref = p->ref;
    *v->tensor = labels;
    return cg_reparametrized(e, f, inst, path, v);
}
