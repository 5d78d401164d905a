/* model.c - graphs being built, the instances in them and the parameters they own.
 * Takes instances and declarations; gives parameter nodes by path. A path is made of names the author wrote, so it
 * does not depend on the order of anything. */
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"

CgModelGraph *cg_model_new(const char *name)
{
    CgModelGraph *m = cg_calloc(1, sizeof *m);
    m->graph = cg_graph_new(name);
    m->init = cg_graph_new("init");
    m->build = cg_build_at(m->graph);
    m->init_build = cg_build_at(m->init);
    return m;
}

void cg_model_free(CgModelGraph *m)
{
    if (!m)
        return;
    cg_graph_free(m->graph);
    cg_graph_free(m->init);
    cg_vec_free(&m->params);
    cg_vec_free(&m->foreign);
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

static CgAtom join(const char *a, const char *b)
{
    char text[1024];
    if (!*a)
        return cg_intern(b);
    snprintf(text, sizeof text, "%s.%s", a, b);
    return cg_intern(text);
}

CgValue *cg_instance_root(CgElab *e, CgValue *instance, bool foreign)
{
    CgModelGraph *m = e->model;
    if (foreign)
        for (size_t i = 0; i < m->foreign.len; i++)
            if (m->foreign.at[i]->span.file == instance->instance->span.file && m->foreign.at[i]->stmt == instance->instance->stmt
                && m->foreign.at[i]->weights == instance->instance->weights && m->foreign.at[i]->statics == instance->instance->statics) {
                CgValue *known = cg_value_new(e, CG_VALUE_INSTANCE, instance->span);
                known->instance = m->foreign.at[i];
                return known;
            }
    CgValue *v = cg_instance_copy(e, instance, instance->span);
    CgInstance *inst = v->instance;
    inst->parent = NULL;
    inst->anonymous = 0;
    if (foreign) {
        char path[64];
        snprintf(path, sizeof path, "@%zu", m->foreign.len);
        inst->path = cg_intern(path);
        cg_vec_push(&m->foreign, inst);
    } else {
        inst->path = cg_intern("");
    }
    return v;
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
            char text[300];
            if (v->kind == CG_VALUE_RECORD)
                snprintf(text, sizeof text, "%s.%s", name, v->keys[i]);
            else
                snprintf(text, sizeof text, "%s.%d", name, i);
            cg_instance_place(e, f, v->at[i], cg_intern(text), span);
        }
        return;
    }
    if (v->kind != CG_VALUE_INSTANCE || v->instance->path)
        return;
    CgInstance *inst = v->instance;
    uint64_t at;
    if (cg_map_get(&body->used, cg_map_ptr(name), &at)) {
        CgDiag *d = cg_elab_error(e, CG_E0306, span, "two parts of '%s' are called '%s'", body->instance->stmt->names[0], name);
        cg_diag_note(d, ((CgInstance *)(uintptr_t)at)->span, "the first one");
    }
    cg_map_put(&body->used, cg_map_ptr(name), cg_map_ptr(inst));
    inst->name = name;
    inst->path = join(body->instance->path, name);
    inst->parent = body->instance;
    inst->anonymous = body->instance->anonymous;       /* what an unnamed part is made of has no name of its own either */
}

bool cg_path_matches(const char *pattern, const char *path)
{
    for (;;) {
        size_t n = strcspn(pattern, "."), m = strcspn(path, ".");
        bool star = n == 1 && *pattern == '*';
        if (!star) {
            /* within a segment `*` stands for any characters */
            const char *p = pattern, *q = path, *back = NULL, *mark = NULL;
            while (q < path + m) {
                if (p < pattern + n && *p == '*') {
                    back = p++;
                    mark = q;
                } else if (p < pattern + n && *p == *q) {
                    p++, q++;
                } else if (back) {
                    p = back + 1;
                    q = ++mark;
                } else {
                    return false;
                }
            }
            while (p < pattern + n && *p == '*')
                p++;
            if (p != pattern + n)
                return false;
        }
        pattern += n;
        path += m;
        if (!*pattern)
            return true;
        if (!*path)
            return false;
        pattern++, path++;
    }
}

static const char *below(const CgInstance *part, const char *path)
{
    size_t n = strlen(part->path);
    return n ? path + n + 1 : path;
}

/* Inner parts speak first, the parts that hold them after, each in the order written. */
static void decide_frozen(CgParamInfo *p, const CgInstance *inst)
{
    for (; inst; inst = inst->parent)
        for (int i = 0; i < inst->nfreezes; i++) {
            const CgFreeze *z = &inst->freezes[i];
            if (!z->pattern || cg_path_matches(z->pattern, below(inst, p->path))) {
                p->frozen = z->frozen;
                p->frozen_span = z->span;
            }
        }
}

static void check_patterns(CgElab *e, const CgInstance *inst)
{
    for (int i = 0; i < inst->nfreezes; i++) {
        const CgFreeze *z = &inst->freezes[i];
        bool any = false;
        size_t n = strlen(inst->path);
        for (size_t k = 0; k < e->model->params.len && !any; k++) {
            const char *path = e->model->params.at[k].path;
            if (n && (strncmp(path, inst->path, n) || path[n] != '.'))
                continue;
            any = !z->pattern || cg_path_matches(z->pattern, below(inst, path));
        }
        if (any)
            continue;
        CgDiag *d = cg_elab_error(e, CG_E0502, z->span, "no parameter of '%s' matches \"%s\"", inst->stmt->names[0], z->pattern ? z->pattern : "*");
        CgStrbuf some = {0};
        int shown = 0;
        for (size_t k = 0; k < e->model->params.len && shown < 4; k++) {
            const char *path = e->model->params.at[k].path;
            if (n && (strncmp(path, inst->path, n) || path[n] != '.'))
                continue;
            cg_strbuf_printf(&some, "%s%s", shown++ ? ", " : "", below(inst, path));
        }
        cg_diag_help(d, "its parameters are %s, ...", cg_strbuf_str(&some));
        cg_strbuf_deinit(&some);
    }
}

void cg_model_check_freezes(CgElab *e, CgValue *root)
{
    check_patterns(e, root->instance);
    for (int i = 0; i < root->instance->stmt->nparams; i++) {
        CgValue *v = root->instance->statics[i];
        if (v && v->kind == CG_VALUE_INSTANCE && v->instance->nfreezes) {
            CgInstance part = *v->instance;
            part.path = join(root->instance->path, root->instance->stmt->params[i].name);
            check_patterns(e, &part);
        }
    }
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
            CgStrbuf a = {0}, b = {0};
            cg_type_print(t, &a);
            cg_type_print(&type, &b);
            cg_elab_error(e, CG_E0402, init->span, "the initialiser makes %s, the parameter is %s", cg_strbuf_str(&a), cg_strbuf_str(&b));
            cg_strbuf_deinit(&a);
            cg_strbuf_deinit(&b);
        }
    } else if (!cg_is_poison(v)) {
        cg_elab_error(e, CG_E0305, init->span, "a parameter starts from a number or a tensor, not %s", cg_value_kind_name(v));
    }
    cg_frame_end(e, &f);
    m->init_build = m->build;
    m->build = keep;
    return ref;
}

CgValue *cg_param_tensor(CgElab *e, CgFrame *f, CgAtom name, CgSpan span, const CgTypeExpr *declared, const CgExpr *init)
{
    CgFrame *body = cg_frame_body(f);
    CgModelGraph *m = e->model;
    if (!m || !body || !body->instance || !body->instance->path || m->build.graph != m->graph) {
        cg_elab_error(e, CG_E0503, span, "parameter '%s' has no model to belong to", name);
        return cg_value_poison(e);
    }
    CgType type;
    CgTensorValue labels = {0};
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
    CgAtom path = join(inst->path, name);
    CgParamInfo *p = cg_model_param(m, path);
    if (p && p->anonymous != inst->anonymous) {
        CgDiag *d = cg_elab_error(e, CG_E0501, inst->span, "two instances of '%s' without a name would both own '%s'", inst->stmt->names[0], path);
        cg_diag_help(d, "name them: a, b = %s(...), %s(...)", inst->stmt->names[0], inst->stmt->names[0]);
        inst->anonymous = p->anonymous;       /* said once for all of its parameters */
        return cg_value_poison(e);
    }
    if (p && !cg_type_equal(cg_node_type(m->graph, p->ref), &type)) {
        CgStrbuf a = {0}, b = {0};
        cg_type_print(cg_node_type(m->graph, p->ref), &a);
        cg_type_print(&type, &b);
        cg_elab_error(e, CG_E0402, span, "parameter '%s' is %s in one application and %s in another", path, cg_strbuf_str(&a), cg_strbuf_str(&b));
        cg_strbuf_deinit(&a);
        cg_strbuf_deinit(&b);
        return cg_value_poison(e);
    }
    if (!p) {
        CgParamInfo info = { .path = path, .init = CG_NONE, .span = span, .anonymous = inst->anonymous };
        info.ref = cg_graph_param(&m->build, path, type);
        for (const CgInstance *at = inst; at; at = at->parent)
            if (at->weights) {             /* the outermost was trained last, with its parts inside */
                info.weights = at->weights;
                info.source = join(at->within ? at->within : "", below(at, path));
            }
        info.foreign = path[0] == '@';
        decide_frozen(&info, inst);
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
