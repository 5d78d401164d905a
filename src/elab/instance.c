/* instance.c - where an instance lives in a model: paths of names that the author wrote.
 * Takes instances that are bound, given or applied; gives them a path under the part they belong to, and remembers
 * second names of one part. Must not make parameters. */
#include <string.h>

#include "elab/elab.h"

/* The body whose parts are being named; NULL outside of the bodies of the model being built. */
static CgFrame *owner(const CgElab *e, CgFrame *f)
{
    while (f && !f->is_body)
        f = f->outer ? f->outer : f->is_def ? f->caller : NULL;
    return f && f->model == e->model && f->instance && f->instance->path ? f : NULL;
}

const CgInstance *cg_instance_maker(const CgElab *e, CgFrame *f)
{
    const CgFrame *body = owner(e, f);
    return body ? body->instance : NULL;
}

CgValue *cg_instance_copy(CgElab *e, const CgValue *instance, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_INSTANCE, span);
    v->instance = CG_NEW(e->arena, CgInstance);
    *v->instance = *instance->instance;
    v->instance->put_by = NULL;
    return v;
}

CgValue *cg_instance_root(CgElab *e, CgValue *instance, bool auxiliary)
{
    CgModelGraph *m = e->model;
    if (auxiliary)
        for (size_t i = 0; i < m->auxiliary.len; i++)
            if (m->auxiliary.at[i]->span.file == instance->instance->span.file
                && m->auxiliary.at[i]->stmt == instance->instance->stmt
                && m->auxiliary.at[i]->weights == instance->instance->weights
                && m->auxiliary.at[i]->statics == instance->instance->statics
                && cg_annotations_equal(m->auxiliary.at[i], instance->instance)) {
                CgValue *known = cg_value_new(e, CG_VALUE_INSTANCE, instance->span);
                known->instance = m->auxiliary.at[i];
                return known;
            }
    CgValue *v = cg_instance_copy(e, instance, instance->span);
    CgInstance *inst = v->instance;
    inst->parent = NULL;
    if (auxiliary) {
        inst->path = cg_intern_printf("@%zu", m->auxiliary.len);
        cg_vec_push(&m->auxiliary, inst);
    } else {
        inst->path = cg_intern("");
    }
    return v;
}

CgValue *cg_submodules_copy(CgElab *e, CgValue *v, bool beside)
{
    if (v->kind == CG_VALUE_INSTANCE && !v->instance->path)
        return beside ? cg_instance_root(e, v, true) : cg_instance_copy(e, v, v->span);
    if (v->kind != CG_VALUE_LIST && v->kind != CG_VALUE_RECORD)
        return v;
    CgValue *out = v;
    for (int i = 0; i < v->n; i++) {
        CgValue *inner = cg_submodules_copy(e, v->at[i], beside);
        if (inner == v->at[i])
            continue;
        if (out == v) {
            out = cg_value_record(e, v->n, v->span);
            out->kind = v->kind;
            out->open = v->open;
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

bool cg_submodules_trained(const CgValue *v)
{
    bool any = v->kind == CG_VALUE_INSTANCE && v->instance->weights;
    for (int i = 0; !any && i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++)
        any = cg_submodules_trained(v->at[i]);
    return any;
}

/* ---- names ---- */

void cg_instance_below(CgInstance *inst, CgInstance *parent, CgAtom name, CgSpan span)
{
    inst->name = name;
    inst->path = cg_path_join(parent->path, name);
    inst->parent = parent;
    inst->attached = span;
}

/* A part that has a path already gets a second name. */
static void note_alias(CgModelGraph *m, const CgInstance *parent, CgAtom name, const CgInstance *submodule)
{
    const CgInstance *owner = submodule->parent;
    bool plain = owner && submodule->name && !strchr(submodule->name, '.')
        && (owner->path == parent->path || (parent->parent && owner->path == parent->parent->path));
    CgAlias alias = { cg_path_join(parent->path, name), submodule, plain };
    uint64_t known;
    if (alias.path == submodule->path || cg_path_is_auxiliary(alias.path) || cg_path_is_auxiliary(submodule->path)
        || cg_map_get(&m->alias_paths, cg_map_ptr(alias.path), &known))
        return;
    cg_map_put(&m->alias_paths, cg_map_ptr(alias.path), 1);
    cg_vec_push(&m->aliases, alias);
}

static bool same_place(CgSpan a, CgSpan b) { return a.file == b.file && a.start == b.start; }

/* A part that is made in each turn of a loop. */
static void help_loop(CgDiag *d, const char *name, const char *graph)
{
    cg_diag_help(d,
        "the parts of a loop are made in front of it: %s = [%s(..) for i in 0..n], and in turn i it is %s[i](x)", name,
        graph, name);
}

void cg_instance_attach(CgElab *e, CgFrame *f, CgValue *v, CgAtom name, CgSpan span)
{
    CgFrame *body = owner(e, f);
    if (!body)
        return;
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD) {
        for (int i = 0; i < v->n; i++) {
            CgAtom inner =
                v->kind == CG_VALUE_RECORD ? cg_path_join(name, v->keys[i]) : cg_intern_printf("%s.%d", name, i);
            cg_instance_attach(e, f, v->at[i], inner, span);
        }
        return;
    }
    if (v->kind != CG_VALUE_INSTANCE)
        return;
    CgInstance *inst = v->instance;
    if (inst->path) {
        note_alias(e->model, body->instance, name, inst);
        return;
    }
    uint64_t at;
    if (cg_map_get(&body->used, cg_map_ptr(name), &at)) {
        CgDiag *d =
            cg_elab_error(e, CG_E0306, span, "two parts of '%s' are called '%s'", body->instance->stmt->names[0], name);
        const CgInstance *first = (CgInstance *)(uintptr_t)at;
        if (same_place(first->span, inst->span))
            help_loop(d, name, inst->stmt->names[0]);
        else
            cg_diag_note(d, first->span, "the first one");
    }
    cg_map_put(&body->used, cg_map_ptr(name), cg_map_ptr(inst));
    if (cg_map_get(&body->unnamed, cg_map_ptr(name), &at))
        inst->rival = (CgInstance *)(uintptr_t)at;
    cg_instance_below(inst, body->instance, name, span);
}

CgInstance *cg_instance_unnamed(CgElab *e, CgFrame *f, CgValue *v, CgSpan span)
{
    if (e->model->build.graph != e->model->graph) /* initialisers own nothing */
        return cg_instance_copy(e, v, span)->instance;
    CgFrame *body = owner(e, f);
    if (!body || v->instance->made_in != body->instance) {
        CgInstance *beside = cg_instance_root(e, v, true)->instance;
        if (!beside->attached.file)
            beside->attached = span;
        return beside;
    }
    CgInstance *inst = v->instance;
    CgAtom name = inst->stmt->names[0];
    uint64_t at;
    if (cg_map_get(&body->unnamed, cg_map_ptr(name), &at) || cg_map_get(&body->used, cg_map_ptr(name), &at))
        inst->rival = (CgInstance *)(uintptr_t)at;
    cg_map_put(&body->unnamed, cg_map_ptr(name), cg_map_ptr(inst));
    cg_instance_below(inst, body->instance, name, span);
    inst->unnamed = true;
    cg_map_put(&e->model->submodules, cg_map_ptr(inst->path), cg_map_ptr(v));
    return inst;
}

/* ---- what keeps a parameter from having its path ---- */

/* Two parts of one body without a name: both would own it. */
static bool is_named(CgElab *e, CgInstance *inst, CgAtom path)
{
    for (CgInstance *at = inst; at; at = at->parent) {
        const CgInstance *first = at->rival;
        while (first && !first->owns)
            first = first->rival;
        if (!first)
            continue;
        if (!at->refused) {
            const char *graph = at->stmt->names[0];
            CgDiag *d = cg_elab_error(
                e, CG_E0501, at->attached, "a second '%s' without a name: both would own '%s'", graph, path);
            if (same_place(first->attached, at->attached)) {
                help_loop(d, "parts", graph);
            } else {
                cg_diag_note(d, first->attached, "the first one");
                cg_diag_help(d, "name them: a, b = %s(...), %s(...)", graph, graph);
            }
        }
        at->refused = true;
        return false;
    }
    return true;
}

/* A model of the top level, without weights, given to two places of the model being built. */
static bool is_given_once(CgElab *e, CgInstance *inst)
{
    CgModelGraph *m = e->model;
    for (CgInstance *at = inst; at; at = at->parent)
        if (at->weights || cg_path_is_auxiliary(at->path))
            return true;
    for (CgInstance *at = inst; at; at = at->parent) {
        uint64_t known;
        if (!at->origin || at->origin->made_in)
            continue;
        if (!cg_map_get(&m->given, cg_map_ptr(at->origin), &known)) {
            cg_map_put(&m->given, cg_map_ptr(at->origin), cg_map_ptr(at->path));
            continue;
        }
        const char *first = (const char *)(uintptr_t)known;
        if (first == at->path)
            continue;
        if (!at->refused) {
            CgDiag *d =
                cg_elab_error(e, CG_E0509, at->parent && at->parent->span.file ? at->parent->span : at->attached,
                    "one untrained '%s' is given to two places of this model, '%s' and '%s'", at->stmt->names[0], first,
                    at->path);
            cg_diag_note(d, at->origin->span, "it is made here");
            cg_diag_help(d, "one set of parameters for both: bind it in the body of a graph; two sets: write it twice");
        }
        at->refused = true;
        return false;
    }
    return true;
}

bool cg_path_check(CgElab *e, CgInstance *inst, CgAtom path)
{
    if (!is_named(e, inst, path) || !is_given_once(e, inst))
        return false;
    for (CgInstance *at = inst; at; at = at->parent)
        at->owns = true;
    return true;
}
