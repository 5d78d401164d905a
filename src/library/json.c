/* json.c - settings of a file as values of a script.
 * Takes the path of a JSON file, and what stands for fields it does not have; gives a record. Must not let a field of
 * another kind than its default pass. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"

enum { DEEPEST = 32 };

/* A text that was parsed, so that it is sound, is walked along with its values: each has its place in it. */
typedef struct Reading {
    CgElab *e;
    const char *path;
    uint32_t file;
    const char *text, *at; /* all of it; where the next value begins, or what is before it */
} Reading;

static CgValue *value_of(Reading *r, const json_t *j, const CgValue *otherwise, const char *name, int depth);

/* To the next value, key or end of an object or array. */
static void skip_between(Reading *r) { r->at += strspn(r->at, " \t\r\n,:"); }

/* The place of the string, number or bracket that is next, and past it. */
static CgSpan skip_token(Reading *r)
{
    skip_between(r);
    const char *from = r->at;
    if (*from == '"')
        for (r->at++; *r->at != '"'; r->at++)
            r->at += *r->at == '\\';
    if (strchr("\"{}[]", *from))
        r->at++;
    else
        r->at += strcspn(from, " \t\r\n,]}");
    return (CgSpan){ r->file, (uint32_t)(from - r->text), (uint32_t)(r->at - r->text) };
}

static bool kinds_agree(const CgValue *v, const CgValue *otherwise)
{
    bool number = v->kind == CG_VALUE_INT && otherwise->kind == CG_VALUE_FLOAT;
    return otherwise->kind == CG_VALUE_NONE || v->kind == otherwise->kind || number;
}

/* The fields of the object, then those of `otherwise` that it lacks. */
static CgValue *record_of(Reading *r, const json_t *j, const CgValue *otherwise, CgSpan at, int depth)
{
    bool defaults = otherwise && otherwise->kind == CG_VALUE_RECORD;
    CgValue *out = cg_value_record(r->e, (int)json_object_size(j) + (defaults ? otherwise->n : 0), at);
    const char *name;
    json_t *field;
    out->n = 0;
    json_object_foreach((json_t *)(uintptr_t)j, name, field)
    {
        CgValue *usual = defaults ? cg_record_find(otherwise, cg_intern(name)) : NULL;
        skip_token(r);
        CgValue *v = value_of(r, field, usual, name, depth + 1);
        if (!v)
            return NULL;
        out->keys[out->n] = cg_intern(name);
        out->at[out->n++] = v;
    }
    skip_token(r);
    for (int i = 0; defaults && i < otherwise->n; i++) {
        if (json_object_get(j, otherwise->keys[i]))
            continue;
        out->keys[out->n] = otherwise->keys[i];
        out->at[out->n++] = otherwise->at[i];
    }
    return out;
}

static CgValue *list_of(Reading *r, const json_t *j, const char *name, CgSpan at, int depth)
{
    CgValue *out = cg_value_list(r->e, (int)json_array_size(j), at);
    for (int i = 0; i < out->n; i++)
        if (!(out->at[i] = value_of(r, json_array_get(j, (size_t)i), NULL, name, depth + 1)))
            return NULL;
    skip_token(r);
    return out;
}

static CgValue *plain_value(Reading *r, const json_t *j, CgSpan at)
{
    CgElab *e = r->e;
    switch (json_typeof(j)) {
    case JSON_STRING: return cg_value_str(e, cg_intern(json_string_value(j)), at);
    case JSON_INTEGER: return cg_value_int(e, json_integer_value(j), at);
    case JSON_REAL: return cg_value_float(e, json_real_value(j), at);
    case JSON_TRUE:
    case JSON_FALSE: return cg_value_bool(e, json_is_true(j), at);
    default: return cg_value_new(e, CG_VALUE_NONE, at);
    }
}

static CgValue *value_of(Reading *r, const json_t *j, const CgValue *otherwise, const char *name, int depth)
{
    CgSpan at = skip_token(r);
    if (json_is_null(j) && otherwise)
        return (CgValue *)(uintptr_t)otherwise;
    if (depth > DEEPEST) {
        cg_elab_error(r->e, CG_E0901, at, "'%s': '%s' is nested more than %d deep", r->path, name, DEEPEST);
        return NULL;
    }
    CgValue *v = json_is_object(j) ? record_of(r, j, otherwise, at, depth)
        : json_is_array(j)         ? list_of(r, j, name, at, depth)
                                   : plain_value(r, j, at);
    if (v && otherwise && !kinds_agree(v, otherwise)) {
        cg_elab_error(r->e, CG_E0901, at, "'%s': '%s' is %s, not %s", r->path, name, cg_value_kind_name(v),
            cg_value_kind_name(otherwise));
        return NULL;
    }
    if (v && otherwise && otherwise->kind == CG_VALUE_FLOAT && v->kind == CG_VALUE_INT)
        return cg_value_float(r->e, (double)v->i, at);
    return v;
}

/* What keeps a text from being JSON, at the byte it was found at. */
static void refuse_text(Reading *r, size_t len, const json_error_t *why)
{
    CgErr err = { 0 };
    size_t at = why->position > 0 && (size_t)why->position <= len ? (size_t)why->position : len;
    CgSpan span = { r->file, (uint32_t)(at - (at > 0)), (uint32_t)at };
    cg_err(&err, CG_ERR_INPUT, "'%s': %s", r->path, why->text);
    cg_diag_err(r->e->diags, span, &err);
}

static CgValue *read_text(Reading *r, const CgBytes *bytes, const CgValue *otherwise)
{
    json_error_t why;
    json_t *root = cg_json_load(bytes->at, bytes->len, JSON_REJECT_DUPLICATES, &why);
    CgValue *v = NULL;
    r->file = cg_sources_data(r->e->sources, r->path, bytes->at, bytes->len);
    r->text = r->at = cg_sources_get(r->e->sources, r->file)->text;
    if (!root) {
        refuse_text(r, bytes->len, &why);
    } else {
        CgSpan at = skip_token(r);
        if (json_is_object(root))
            v = record_of(r, root, otherwise, at, 0);
        else
            cg_elab_error(r->e, CG_E0901, at, "'%s' holds no object {..}", r->path);
    }
    json_decref(root);
    return v;
}

static CgValue *build_json(CgElab *e, CgFrame *f, const CgArguments *a)
{
    Reading r = { .e = e, .path = a->at[0]->s };
    CgBytes bytes = { 0 };
    CgErr err = { 0 };
    CgValue *v = NULL;
    (void)f;
    if (cg_io_read(r.path, &bytes, &err) && bytes.len > UINT32_MAX / 2)
        cg_err(&err, CG_ERR_INPUT, "'%s' is too large for settings", r.path);
    if (err.kind)
        cg_elab_err(e, a->span[0], &err);
    else
        v = read_text(&r, &bytes, a->at[1]);
    cg_io_release(&bytes);
    return v ? v : cg_value_poison(e);
}

static const CgFunction fn_json = {
    CG_FUNCTION_HERE, .name = "json", .sig = "(path: str, otherwise: record | none = none) -> record",
    .build = build_json,
    .doc =
        "The object of a JSON file as a record, read while the script is checked: json(\"config.json\").hidden_size. "
        "null is none. Fields that are not there, or null, are those of `otherwise`; the others must be of its kinds."
};

CG_FUNCTIONS(json, &fn_json)
