/* frame.c - names in scope while an expression is evaluated, and messages that say which calls led there.
 * Takes names and sizes as they are bound; gives what a name stands for in a frame, and the body it belongs to. Must
 * not evaluate anything. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "elab/define.h"
#include "lang/module.h"

bool cg_of_library(const CgElab *e, CgSpan at)
{
    for (int i = 0; i < e->program->n; i++)
        if (e->program->at[i].unit->file == at.file)
            return cg_embedded_find(e->program->at[i].name) != NULL;
    return false;
}

/* The innermost call that the author wrote, where `at` is in the library; NULL where it is not. */
static const CgFrame *authors_call(const CgElab *e, CgSpan at)
{
    const CgFrame *f = cg_of_library(e, at) ? e->frame : NULL;
    while (f && (!f->called_from.file || cg_of_library(e, f->called_from)))
        f = f->caller;
    return f;
}

CgDiag *cg_elab_error(CgElab *e, CgCode code, CgSpan span, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const CgFrame *author = authors_call(e, span);
    CgDiag *d = cg_diag(cg_define_diags(e), code, author ? author->called_from : span, "%s", text);
    if (author)
        cg_diag_note(d, span, "found here");
    int shown = 0;
    for (CgFrame *f = e->frame; f && shown < 3; f = f->caller)
        if (f->called && f->called_from.file && f != author) {
            cg_diag_note(d, f->called_from, "in '%s', applied here", f->called);
            shown++;
        }
    if (e->defining)
        cg_diag_note(d, (CgSpan){ 0 }, "found where '%s' is defined, whatever it is given", cg_define_name(e));
    return d;
}

CgDiag *cg_elab_err(CgElab *e, CgSpan span, const CgErr *err)
{
    const CgFrame *author = authors_call(e, span);
    CgDiag *d = cg_diag_err(e->diags, author ? author->called_from : span, err);
    if (author)
        cg_diag_note(d, span, "found here");
    return d;
}

static bool within(CgSpan inner, CgSpan outer)
{
    return inner.file && inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end;
}

CgSpan cg_elab_literal(CgElab *e, const CgValue *v, CgSpan span)
{
    if (v->span.file && cg_sources_get(e->sources, v->span.file)->data)
        return v->span;
    bool literal =
        v->kind == CG_VALUE_STR || v->kind == CG_VALUE_INT || v->kind == CG_VALUE_FLOAT || v->kind == CG_VALUE_BOOL;
    for (const CgFrame *f = e->frame; literal && !within(v->span, span) && f; f = f->caller)
        if (within(v->span, f->called_from)
            || (f->instance && within(v->span, f->instance->span)
                && !within(f->instance->stmt->span, f->instance->span))) /* a definition is made where it is written */
            return v->span;
    return span;
}

void cg_frame_begin(CgElab *e, CgFrame *f, CgFrame *outer, CgEnv *env)
{
    memset(f, 0, sizeof *f);
    f->outer = outer;
    f->caller = e->frame;
    f->model = e->model;
    f->env = env;
    f->scope = outer ? outer->scope : e->frame ? e->frame->scope : 0;
    if (outer) {
        f->has_ambient = outer->has_ambient;
        f->ambient = outer->ambient;
        f->ambient_path = outer->ambient_path;
    }
    e->frame = f;
}

void cg_frame_clear(CgFrame *f)
{
    cg_map_deinit(&f->name_at);
    cg_map_deinit(&f->dim_at);
    f->name_at = f->dim_at = (CgMap){ 0 };
    f->nname_at = f->ndim_at = 0;
}

void cg_frame_end(CgElab *e, CgFrame *f)
{
    cg_frame_clear(f);
    cg_vec_free(&f->names);
    cg_vec_free(&f->dims);
    cg_vec_free(&f->rows);
    cg_map_deinit(&f->used);
    cg_map_deinit(&f->unnamed);
    e->frame = f->caller;
}

enum { FEW = 12 }; /* names that are looked through faster than a map is asked */

static CgBound *bound_in(CgFrame *f, CgAtom name)
{
    uint64_t at;
    if (f->names.len <= FEW) {
        for (size_t i = f->names.len; i-- > 0;)
            if (f->names.at[i].name == name)
                return &f->names.at[i];
        return NULL;
    }
    for (; f->nname_at < f->names.len; f->nname_at++)
        cg_map_put(&f->name_at, cg_map_ptr(f->names.at[f->nname_at].name), f->nname_at + 1);
    return cg_map_get(&f->name_at, cg_map_ptr(name), &at) ? &f->names.at[at - 1] : NULL;
}

CgSized *cg_frame_own_dim(CgFrame *f, CgAtom name)
{
    uint64_t at;
    if (f->dims.len <= FEW) {
        for (size_t i = 0; i < f->dims.len; i++)
            if (f->dims.at[i].name == name)
                return &f->dims.at[i];
        return NULL;
    }
    for (; f->ndim_at < f->dims.len; f->ndim_at++)
        if (!cg_map_get(&f->dim_at, cg_map_ptr(f->dims.at[f->ndim_at].name), &at)) /* the first is found */
            cg_map_put(&f->dim_at, cg_map_ptr(f->dims.at[f->ndim_at].name), f->ndim_at + 1);
    return cg_map_get(&f->dim_at, cg_map_ptr(name), &at) ? &f->dims.at[at - 1] : NULL;
}

void cg_frame_bind(CgFrame *f, CgAtom name, CgValue *v)
{
    CgBound *known = bound_in(f, name);
    if (known)
        known->value = v;
    else
        cg_vec_push(&f->names, (CgBound){ name, v });
}

CgValue *cg_frame_name(CgFrame *f, CgAtom name)
{
    const CgBound *known = bound_in(f, name);
    return known ? known->value : NULL;
}

int cg_frame_edition(const CgFrame *f) { return f && f->env ? cg_env_module(f->env)->unit->edition : CG_EDITION; }

CgFrame *cg_frame_body(CgFrame *f)
{
    while (f && !f->is_body)
        f = f->outer;
    return f;
}

CgSized *cg_frame_dim(CgFrame *f, CgAtom name)
{
    CgSized *found;
    for (; f; f = f->outer)
        if ((found = cg_frame_own_dim(f, name)))
            return found;
    return NULL;
}

CgRows *cg_frame_rows(CgFrame *f, CgAtom name)
{
    for (; f; f = f->outer)
        for (size_t i = 0; i < f->rows.len; i++)
            if (f->rows.at[i].name == name)
                return &f->rows.at[i];
    return NULL;
}

void cg_note_origin(CgElab *e, CgDiag *d, const CgDim *dim, CgSpan origin)
{
    (void)e;
    if (!origin.file)
        return;
    CgStrbuf text = { 0 };
    cg_dim_print(dim, &text);
    cg_diag_note(d, origin, "%s comes from here", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}
