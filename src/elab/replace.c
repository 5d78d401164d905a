/* replace.c - graphs that are put into a model that is there.
 * Takes parameters, values and parts as they are met, and what annotations of the instances around them say; gives what
 * the graphs make of them. A graph that was put there belongs to who wrote it: no annotation around it changes it. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"

static CgAtom graph_of(const CgAnnotation *z) { return z->by->instance->stmt->names[0]; }

/* The graph of an edit as a part of `inst`; its parameters are below `name`, the graph's name between them, which has a
 * number where it is not the first of that name there. */
static CgValue *put(CgElab *e, const CgAnnotation *z, CgInstance *inst, const char *name, int before)
{
    CgValue *by = cg_instance_copy(e, z->by, z->span);
    const char *graph = before ? cg_intern_printf("%s.%d", graph_of(z), before + 1) : graph_of(z);
    by->instance->rival = NULL;
    by->instance->origin = NULL; /* each place has its own */
    cg_instance_below(by->instance, inst, cg_intern(cg_path_join(name, graph)), z->span);
    by->instance->put_by = z;
    return by;
}

/* How many edits of `path` before this one put a graph of its name there. */
static int before(const CgAnnotation *edit, CgInstance *inst, const char *path)
{
    int n = 0;
    for (const CgInstance *at = inst; at; at = at->parent) {
        const CgAnnotation *z;
        for (int i = 0; (z = cg_annotations_edit(at, edit->what, path, &i)); n += graph_of(z) == graph_of(edit))
            if (z == edit)
                return n;
    }
    return n;
}

/* The tensor at `path`, called `name` in the body of `inst`, as one graph makes it. */
static CgValue *put_through(
    CgElab *e, CgFrame *f, const CgAnnotation *z, CgInstance *inst, const char *path, const char *name, CgValue *v)
{
    CgValue *by = put(e, z, inst, name, before(z, inst, path));
    CgSpan at = v->span;
    const CgType before = *cg_value_type(e, v); /* nodes move while others are made */
    CgValue *out = cg_apply(e, f, by, &v, &(CgAtom){ NULL }, &at, 1, z->span);
    if (out->kind == CG_VALUE_TENSOR && cg_type_equal(cg_value_type(e, out), &before))
        return out;
    if (!cg_is_poison(out)) {
        CgStrbuf type = { 0 };
        cg_type_print(&before, &type);
        CgDiag *d = cg_elab_error(e, CG_E0402, z->span, "'%s' makes something else of %s'%s', which is %s", graph_of(z),
            z->what == CG_ANNOTATED_REPARAMETRIZED ? "parameter " : "", path, cg_strbuf_str(&type));
        cg_diag_help(d, "it takes one tensor and gives one of the same type");
        cg_strbuf_deinit(&type);
    }
    return cg_value_poison(e);
}

/* As the graphs make it that annotations put it through, those of the innermost instance first. */
static CgValue *put_through_all(
    CgElab *e, CgFrame *f, CgAnnotationKind what, CgInstance *inst, const char *path, const char *name, CgValue *v)
{
    for (const CgInstance *at = inst; at; at = at->put_by ? NULL : at->parent) {
        const CgAnnotation *z;
        for (int i = 0; v->kind == CG_VALUE_TENSOR && (z = cg_annotations_edit(at, what, path, &i));) {
            v = put_through(e, f, z, inst, path, name, v);
            if (what == CG_ANNOTATED_REPLACED)
                cg_annotations_used(e->model, z);
        }
    }
    return v;
}

CgValue *cg_reparametrized(CgElab *e, CgFrame *f, CgInstance *inst, CgAtom path, CgValue *v)
{
    const char *name = strrchr(path, '.');
    return put_through_all(e, f, CG_ANNOTATED_REPARAMETRIZED, inst, path, name ? name + 1 : path, v);
}

/* The body that an expression stands in, where it is one of the graph that runs and something may be put into it. */
static CgInstance *edited(const CgElab *e, CgFrame *f)
{
    const CgFrame *body = cg_frame_body(f);
    CgInstance *inst = body && e->model && e->model->build.graph == e->model->graph ? body->instance : NULL;
    if (!inst || !inst->path)
        return NULL;
    for (const CgInstance *at = inst; at; at = at->put_by ? NULL : at->parent)
        for (int i = 0; i < at->nannotations; i++)
            if (at->annotations[i].what == CG_ANNOTATED_REPLACED)
                return inst;
    return NULL;
}

CgValue *cg_replaced_value(CgElab *e, CgFrame *f, CgAtom name, CgValue *v)
{
    CgInstance *inst = v->kind == CG_VALUE_TENSOR ? edited(e, f) : NULL;
    return inst ? put_through_all(e, f, CG_ANNOTATED_REPLACED, inst, cg_path_join(inst->path, name), name, v) : v;
}

bool cg_replaced_part(CgElab *e, CgFrame *body, CgValue **given, CgSpan *spans, int n)
{
    CgInstance *inst = edited(e, body);
    const CgAnnotation *last = NULL, *z;
    for (const CgInstance *at = inst; at; at = at->put_by ? NULL : at->parent)
        for (int i = 0; (z = cg_annotations_edit(at, CG_ANNOTATED_REPLACED, inst->path, &i)); last = z)
            cg_annotations_used(e->model, z);
    if (!last)
        return false;
    inst->origin = NULL; /* what owns nothing may be elsewhere, too */
    CgAtom names[CG_MAX_ARGS] = { NULL };
    CgValue *by = put(e, last, inst, "", 0), *out = cg_apply(e, body, by, given, names, spans, n, last->span);
    const CgStmt *s = inst->stmt;
    bool several = out->kind == CG_VALUE_LIST;
    CgExpr *written = CG_NEW(e->arena, CgExpr);
    CgExpr **returns = CG_NEWN(e->arena, CgExpr *, out->n + 1);
    written->span = last->span;
    body->nresults = several ? out->n : 1;
    body->results = several ? out->at : CG_NEWN(e->arena, CgValue *, 1);
    if (!several)
        body->results[0] = out;
    for (int i = 0; i < body->nresults; i++)
        returns[i] = written;
    body->returns = returns;
    body->returned = true;
    if (s->nresults && s->nresults != body->nresults && !cg_is_poison(out)) {
        cg_elab_error(e, CG_E0402, last->span, "'%s' gives %d value%s, '%s' in its place %d", s->names[0], s->nresults,
            s->nresults == 1 ? "" : "s", graph_of(last), body->nresults);
        body->nresults = 1;
        body->results[0] = cg_value_poison(e);
    }
    return true;
}
