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
        cg_elab_error(
            e, CG_E0305, init->span, "a parameter starts from a number or a tensor, not %s", cg_value_kind_name(v));
    }
    if (ref != CG_NONE && cg_dtype_is_narrow(type.dtype))
        ref = cg_cast(&m->build, ref, type.dtype);
    cg_frame_end(e, &f);
    m->init_build = m->build;
    m->build = keep;
    return ref;
}

/* The parameter as one graph makes it; its own parameters are below the path of that one. */
static CgValue *put_through(CgElab *e, CgFrame *f, const CgAnnotation *z, CgInstance *inst, CgAtom path, CgValue *v)
{
    CgValue *by = cg_instance_copy(e, z->by, z->span);
    CgSpan at = v->span;
    const char *name = strrchr(path, '.') ? strrchr(path, '.') + 1 : path;
    by->instance->rival = NULL;
    cg_instance_below(by->instance, inst, cg_intern_printf("%s.%s", name, by->instance->stmt->names[0]), z->span);
    const CgType before = *cg_value_type(e, v); /* nodes move while others are made */
    CgValue *out = cg_apply(e, f, by, &v, &(CgAtom){ NULL }, &at, 1, z->span);
    if (out->kind == CG_VALUE_TENSOR && cg_type_equal(cg_value_type(e, out), &before))
        return out;
    if (!cg_is_poison(out)) {
        CgStrbuf type = { 0 };
        cg_type_print(&before, &type);
        CgDiag *d = cg_elab_error(e, CG_E0402, z->span, "'%s' makes something else of parameter '%s', which is %s",
            by->instance->stmt->names[0], path, cg_strbuf_str(&type));
        cg_diag_help(d, "it takes one tensor and gives one of the same type");
        cg_strbuf_deinit(&type);
    }
    return cg_value_poison(e);
}

/* As the graphs make it that marks put it through, those of the innermost instance first. */
static CgValue *reparametrized(CgElab *e, CgFrame *f, CgInstance *inst, CgAtom path, CgValue *v)
{
    for (const CgInstance *at = inst; at; at = at->parent)
        if (cg_marks_renew(at, path))
            return v;
    for (const CgInstance *at = inst; at; at = at->parent) {
        const CgAnnotation *z;
        for (int i = 0; v->kind == CG_VALUE_TENSOR && (z = cg_marks_graph(at, path, &i));)
            v = put_through(e, f, z, inst, path, v);
    }
    return v;
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
            cg_elab_error(e, CG_E0403, declared->span, "parameter '%s' has a size that is not a number", name);
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
        for (const CgInstance *at = inst; at; at = at->parent) {
            if (cg_marks_renew(at, path)) /* what is inside does not know it */
                info.weights = NULL;
            if (at->weights
                && !cg_marks_new_here(at, path)) { /* the outermost was trained last, with its parts inside */
                info.weights = at->weights;
                info.source = cg_path_join(at->submodule_path ? at->submodule_path : "", cg_path_below(at, path));
            }
        }
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
    return reparametrized(e, f, inst, path, v);
}
