/* saves.c - the files a script would write.
 * Takes what is saved, and where; gives an error where two results would be one file, or a result would replace what it
 * is made of. Asks the file system for names only: nothing is read or written. */
#include "experiment/saves.h"

#include <stdlib.h>
#include <string.h>

void cg_saves_help(CgDiag *d)
{
    const CgClass *cls;
    CgStrbuf all = { 0 };
    for (size_t i = 0; (cls = cg_class_at(i)); i++)
        if (cls->saved_help)
            cg_strbuf_printf(&all, "%s; ", cls->saved_help);
    cg_diag_help(d, "%sstrings go to any file", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
}

/* What is saved, and as files of which kinds, is checked by the class and the end of the name before it costs anything.
 * A string is its own file; what a call of no class gives is known when it has run. */
static bool check_ending(CgElab *e, const CgValue *v, CgSpan at, const char *to, CgSpan at_name)
{
    const CgClass *cls = cg_value_class(v);
    const char *end = strrchr(to, '.');
    if (cls ? !cls->save && !cls->save_value : v->kind != CG_VALUE_STR && v->kind != CG_VALUE_CALL) {
        CgDiag *d = cg_elab_error(e, CG_E0606, at, "%s cannot be saved", cg_value_kind_name(v));
        cg_saves_help(d);
        return false;
    }
    if (!cls || !cls->endings)
        return true;
    for (const char *const *known = cls->endings; *known; known++)
        if (end && !strcmp(end, *known))
            return true;
    CgDiag *d = cg_elab_error(e, CG_E0606, at_name, "%s cannot be saved as '%s'", cls->article, to);
    cg_diag_help(d, "%s", cls->saved_help);
    return false;
}

/* Weights are those of the model as it was trained: a graph that an edit put into it since has none among them. */
static bool check_edits(CgElab *e, const CgValue *v, CgSpan at)
{
    const CgInstance *m = v->kind == CG_VALUE_INSTANCE ? v->instance : NULL;
    for (int i = 0; m && m->weights && i < m->nannotations; i++) {
        const CgAnnotation *z = &m->annotations[i];
        if (!z->by || z->weights != m->weights)
            continue;
        CgDiag *d = cg_elab_error(e, CG_E0505, at, "this model has '%s' in it, which was not there when it was trained",
            z->by->instance->stmt->names[0]);
        cg_diag_note(d, z->span, "put into it here");
        cg_diag_help(d, "train it again before it is saved; what it was before is another value");
        return false;
    }
    return true;
}

/* ---- what a value is made of ---- */

static bool made_of(const CgValue *v, const char *real);

static bool stage_made_of(const CgStage *s, const char *real)
{
    bool any = (s->data && made_of(s->data, real)) || (s->validate && made_of(s->validate, real));
    for (int i = 0; !any && i < s->ninputs; i++)
        any = stage_made_of(s->inputs[i], real);
    return any;
}

/* Whether a name is that of a file, or a pattern, where it is one, that of several which this is among. */
static bool names_file(const char *name, bool pattern, const char *real)
{
    CgPaths paths = { 0 };
    CgErr ignore = { 0 };
    if (cg_io_is_dir(name) || (!pattern && !cg_io_exists(name)) || !cg_io_glob(name, &paths, &ignore))
        return false;
    bool any = false;
    for (size_t i = 0; i < paths.len && !any; i++) {
        char *path = cg_io_real(paths.at[i]);
        any = path && !strcmp(path, real);
        free(path);
    }
    cg_paths_free(&paths);
    return any;
}

/* Whether a file is named by a value, or by a call in it: read("x.csv"), corpus("x.txt"). */
static bool made_of(const CgValue *v, const char *real)
{
    bool any = false;
    switch (v->kind) {
    case CG_VALUE_CALL:
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD:
    case CG_VALUE_OBJECT: break;
    case CG_VALUE_STAGE: return stage_made_of(v->stage, real);
    case CG_VALUE_INSTANCE: return v->instance->weights && made_of(v->instance->weights, real);
    default: return false;
    }
    const CgClass *cls = cg_value_class(v);
    bool patterns = cls == &cg_class_corpus || cls == &cg_class_dataset;
    for (int i = 0; !any && i < v->n; i++)
        if (v->at[i] && v->at[i]->kind == CG_VALUE_STR)
            any = names_file(v->at[i]->s, patterns, real);
        else
            any = v->at[i] && made_of(v->at[i], real);
    return any;
}

/* ---- files ---- */

static const CgSaved *same_file(const CgSaves *saves, const char *real)
{
    uint64_t i;
    return cg_map_get(&saves->of, cg_map_ptr(cg_intern(real)), &i) ? &saves->files.at[i] : NULL;
}

static bool is_source(CgSession *x, CgSaves *saves, const char *real)
{
    uint64_t found;
    for (; saves->nsources < x->program->n; saves->nsources++) {
        char *source = cg_io_real(cg_sources_get(x->sources, x->program->at[saves->nsources].unit->file)->name);
        if (source)
            cg_map_put(&saves->sources, cg_map_ptr(cg_intern(source)), 1);
        free(source);
    }
    return cg_map_get(&saves->sources, cg_map_ptr(cg_intern(real)), &found);
}

/* beside: it is the data of a figure, which go beside the picture. */
static void check_file(CgSession *x, CgSaves *saves, const char *path, CgSpan at, const CgValue *v, bool beside)
{
    char *real = cg_io_target(path);
    const CgSaved *first = same_file(saves, real);
    if (first && beside && first->value == v) { /* the same data again, beside another picture of it */
        free(real);
        return;
    }
    if (first) {
        CgDiag *d = cg_elab_error(x->elab, CG_E0604, at, "two results would be written to '%s'", path);
        cg_diag_note(d, first->at, "the first one here");
        cg_diag_help(d, "give one of them another name; a figure also writes its data beside it");
    } else if (is_source(x, saves, real)) {
        cg_diag_help(cg_elab_error(x->elab, CG_E0604, at, "'%s' would be written over the script", path),
            "give the result another name");
    } else if (made_of(v, real)) {
        cg_diag_help(cg_elab_error(x->elab, CG_E0604, at, "'%s' would be written over what it is made of", path),
            "give the result another name; the next run would begin with other data");
    }
    if (!first)
        cg_map_put(&saves->of, cg_map_ptr(cg_intern(real)), saves->files.len);
    cg_vec_push(&saves->files, ((CgSaved){ cg_strdup(path), real, at, beside ? v : NULL }));
}

void cg_saves_check(CgSession *x, CgSaves *saves, const CgValue *v, CgSpan at_value, const char *path, CgSpan at)
{
    const CgClass *cls = cg_value_class(v);
    const char *end = strrchr(path, '.');
    if (!check_ending(x->elab, v, at_value, path, at) || !check_edits(x->elab, v, at_value))
        return;
    check_file(x, saves, path, at, v, false);
    if (!cls || !cls->beside || !end || strchr(end, '/') || !strcmp(end, cls->beside))
        return;
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "%.*s%s", (int)(end - path), path, cls->beside);
    check_file(x, saves, cg_strbuf_str(&b), at, v, true);
    cg_strbuf_deinit(&b);
}

void cg_saves_check_other(CgSession *x, CgSaves *saves, const char *path)
{
    CgDiag *d = NULL;
    char *real = cg_io_target(path);
    bool used = is_source(x, saves, real);
    for (size_t i = 0; !used && i < x->stages.len; i++)
        used = stage_made_of(x->stages.at[i], real);
    if (used)
        d = cg_diag(x->diags, CG_E0604, (CgSpan){ 0 }, "'%s' would be written over the script or what it reads", path);
    else if (same_file(saves, real))
        d = cg_diag(x->diags, CG_E0604, same_file(saves, real)->at, "two results would be written to '%s'", path);
    if (d)
        cg_diag_help(d, "give the command another name to write to");
    free(real);
}

void cg_saves_free(CgSaves *saves)
{
    for (size_t i = 0; i < saves->files.len; i++) {
        free(saves->files.at[i].path);
        free(saves->files.at[i].real);
    }
    cg_vec_free(&saves->files);
    cg_map_deinit(&saves->of);
    cg_map_deinit(&saves->sources);
}
