/* json.c - settings of a file as values of a script.
 * Takes the path of a JSON file, and what stands for fields it does not have; gives a record. Must not let a field of
 * another kind than its default pass. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"

enum { DEEPEST = 32 };

typedef struct Reading {
    CgElab *e;
    const char *path;
    CgSpan span;
    CgErr err;
} Reading;

static CgValue *value_of(Reading *r, const json_t *j, const CgValue *otherwise, const char *name, int depth);

static bool kinds_agree(const CgValue *v, const CgValue *otherwise)
{
    bool number = v->kind == CG_VALUE_INT && otherwise->kind == CG_VALUE_FLOAT;
    return otherwise->kind == CG_VALUE_NONE || v->kind == otherwise->kind || number;
}

/* The fields of the object, then those of `otherwise` that it lacks. */
static CgValue *record_of(Reading *r, const json_t *j, const CgValue *otherwise, int depth)
{
    bool defaults = otherwise && otherwise->kind == CG_VALUE_RECORD;
    CgValue *out = cg_value_record(r->e, (int)json_object_size(j) + (defaults ? otherwise->n : 0), r->span);
    const char *name;
    json_t *field;
    out->n = 0;
    json_object_foreach((json_t *)(uintptr_t)j, name, field)
    {
        CgValue *usual = defaults ? cg_record_find(otherwise, cg_intern(name)) : NULL;
        CgValue *v = value_of(r, field, usual, name, depth + 1);
        if (!v)
            return NULL;
        out->keys[out->n] = cg_intern(name);
        out->at[out->n++] = v;
    }
    for (int i = 0; defaults && i < otherwise->n; i++) {
        if (json_object_get(j, otherwise->keys[i]))
            continue;
        out->keys[out->n] = otherwise->keys[i];
        out->at[out->n++] = otherwise->at[i];
    }
    return out;
}

static CgValue *plain_value(Reading *r, const json_t *j, const char *name)
{
    CgElab *e = r->e;
    switch (json_typeof(j)) {
    case JSON_STRING: return cg_value_str(e, cg_intern(json_string_value(j)), r->span);
    case JSON_INTEGER: return cg_value_int(e, json_integer_value(j), r->span);
    case JSON_REAL:
        if (isfinite(json_real_value(j)))
            return cg_value_float(e, json_real_value(j), r->span);
        cg_err(&r->err, CG_ERR_INPUT, "'%s': the number '%s' is none", r->path, name);
        return NULL;
    case JSON_TRUE:
    case JSON_FALSE: return cg_value_bool(e, json_is_true(j), r->span);
    default: return cg_value_new(e, CG_VALUE_NONE, r->span);
    }
}

static CgValue *value_of(Reading *r, const json_t *j, const CgValue *otherwise, const char *name, int depth)
{
    CgValue *v = NULL;
    if (json_is_null(j) && otherwise)
        return (CgValue *)(uintptr_t)otherwise;
    if (depth > DEEPEST) {
        cg_err(&r->err, CG_ERR_INPUT, "'%s': '%s' is nested more than %d deep", r->path, name, DEEPEST);
        return NULL;
    }
    if (json_is_object(j)) {
        v = record_of(r, j, otherwise, depth);
    } else if (json_is_array(j)) {
        v = cg_value_list(r->e, (int)json_array_size(j), r->span);
        for (int i = 0; i < v->n; i++)
            if (!(v->at[i] = value_of(r, json_array_get(j, (size_t)i), NULL, name, depth + 1)))
                return NULL;
    } else {
        v = plain_value(r, j, name);
    }
    if (v && otherwise && !kinds_agree(v, otherwise)) {
        cg_err(&r->err, CG_ERR_INPUT, "'%s': '%s' is %s, not %s", r->path, name, cg_value_kind_name(v),
            cg_value_kind_name(otherwise));
        return NULL;
    }
    if (v && otherwise && otherwise->kind == CG_VALUE_FLOAT && v->kind == CG_VALUE_INT)
        return cg_value_float(r->e, (double)v->i, r->span);
    return v;
}

static CgValue *build_json(CgElab *e, CgFrame *f, const CgArguments *a)
{
    Reading r = { .e = e, .path = a->at[0]->s, .span = a->call };
    CgBytes bytes = { 0 };
    json_error_t why;
    CgValue *v = NULL;
    json_t *root = NULL;
    (void)f;
    if (cg_io_read(r.path, &bytes, &r.err)) {
        root = cg_json_load(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &why);
        if (!root)
            cg_err(&r.err, CG_ERR_INPUT, "%s:%d:%d: %s", r.path, why.line, why.column, why.text);
        else if (!json_is_object(root))
            cg_err(&r.err, CG_ERR_INPUT, "'%s' holds no object {..}", r.path);
        else
            v = record_of(&r, root, a->at[1], 0);
    }
    json_decref(root);
    cg_io_release(&bytes);
    if (v)
        return v;
    cg_diag_err(e->diags, a->span[0], &r.err);
    return cg_value_poison(e);
}

static const CgFunction fn_json = {
    CG_FUNCTION_HERE, .name = "json", .sig = "(path: str, otherwise: record | none = none) -> record",
    .build = build_json,
    .doc =
        "The object of a JSON file as a record, read while the script is checked: json(\"config.json\").hidden_size. "
        "null is none. Fields that are not there, or null, are those of `otherwise`; the others must be of its kinds."
};

CG_FUNCTIONS(json, &fn_json)
