/* weight_names.c - tensors of a file under the names that a model has for them.
 * Takes the tensors and what `load` was told of them: the part to take, other names, tensors to leave out, those to
 * transpose; gives the tensors that are left. Compares nothing with a model: that is weights.c's. */
#include <stdlib.h>
#include <string.h>

#include "stage/session.h"

typedef struct Names {
    const char *path; /* of the file */
    const char *prefix;
    const CgValue *rename, *transpose, *ignore; /* a record, and two lists; NULL: nothing said */
    CgErr *e;
} Names;

static const CgValue *said(const CgValue *weights, const char *name)
{
    return cg_record_find(weights, cg_intern(name));
}

/* The i-th of one string or a list of them; NULL past the last. */
static const char *pattern_at(const CgValue *v, int i)
{
    if (v && v->kind == CG_VALUE_STR)
        return i == 0 ? v->s : NULL;
    return v && i < v->n ? v->at[i]->s : NULL;
}

static bool any_fits(const CgValue *patterns, const char *name)
{
    const char *pattern;
    for (int i = 0; (pattern = pattern_at(patterns, i)); i++)
        if (cg_path_matches(pattern, name))
            return true;
    return false;
}

/* The name a tensor has in the model; NULL: it is left out. */
static CgAtom name_in_model(const Names *x, const char *name)
{
    size_t n = strlen(x->prefix);
    if (n && (strncmp(name, x->prefix, n) != 0 || name[n] != '.'))
        return NULL;
    name += n + (n > 0);
    if (any_fits(x->ignore, name))
        return NULL;
    for (int i = 0; x->rename && i < x->rename->n; i++) {
        CgAtom to = cg_path_rename(x->rename->keys[i], x->rename->at[i]->s, name);
        if (to)
            return to;
    }
    return cg_intern(name);
}

static void rename_marks(const Names *x, CgTensors *t)
{
    size_t n = strlen(CG_FROZEN_KEY);
    for (int i = 0; i < t->nmeta; i++) {
        if (strncmp(t->keys[i], CG_FROZEN_KEY, n) != 0)
            continue;
        CgAtom name = name_in_model(x, t->keys[i] + n);
        CgStrbuf key = { 0 };
        cg_strbuf_printf(&key, "%s%s", name ? CG_FROZEN_KEY : "other.", name ? name : t->keys[i] + n);
        free(t->keys[i]);
        t->keys[i] = cg_strbuf_take(&key);
    }
}

static bool rename_tensors(const Names *x, CgTensors *t)
{
    CgMap taken = { 0 };
    int n = 0;
    bool good = true;
    for (int i = 0; i < t->n; i++) {
        CgNamed named = t->at[i];
        CgAtom name = good ? name_in_model(x, named.name) : NULL;
        uint64_t other;
        if (name && cg_map_get(&taken, cg_map_ptr(name), &other))
            good = cg_err(x->e, CG_ERR_INPUT, "'%s': the tensor '%.100s' and another one both become '%.100s'", x->path,
                named.name, name);
        if (!name || !good) {
            free(named.name);
            continue;
        }
        cg_map_put(&taken, cg_map_ptr(name), 1);
        free(named.name);
        t->at[n++] = (CgNamed){ cg_strdup(name), named.tensor };
    }
    t->n = n;
    cg_map_deinit(&taken);
    return good;
}

/* As its axes are the other way round, so are its strides: nothing is copied. */
static bool transpose(const Names *x, CgTensors *t)
{
    const char *pattern;
    for (int k = 0; (pattern = pattern_at(x->transpose, k)); k++) {
        bool fits = false;
        for (int i = 0; i < t->n; i++) {
            CgTensor *a = &t->at[i].tensor;
            if (!cg_path_matches(pattern, t->at[i].name))
                continue;
            fits = true;
            bool before = false;
            for (int j = 0; j < k && !before; j++)
                before = cg_path_matches(pattern_at(x->transpose, j), t->at[i].name);
            if (before)
                continue;
            if (a->rank != 2)
                return cg_err(x->e, CG_ERR_INPUT, "'%s': '%.100s' has %d axes, and only a matrix can be transposed",
                    x->path, t->at[i].name, a->rank);
            int64_t dim = a->dim[0], stride = a->stride[0];
            a->dim[0] = a->dim[1], a->stride[0] = a->stride[1];
            a->dim[1] = dim, a->stride[1] = stride;
        }
        if (!fits) {
            cg_err(
                x->e, CG_ERR_INPUT, "'%s' holds no tensor that 'transpose' could mean by '%.100s'", x->path, pattern);
            cg_err_hint(x->e, "its patterns are of names in the model, behind 'prefix' and 'rename'");
            return false;
        }
    }
    return true;
}

static bool none_below(const Names *x, const CgAtom *first, int n)
{
    CgSuggest near;
    cg_suggest_init(&near, x->prefix);
    for (int i = 0; i < n; i++)
        cg_suggest_offer(&near, first[i]);
    cg_err(x->e, CG_ERR_INPUT, "'%s' holds no tensor below '%.100s'", x->path, x->prefix);
    if (cg_suggest_best(&near))
        cg_err_hint(x->e, "did you mean '%s'?", cg_suggest_best(&near));
    else if (n)
        cg_err_hint(x->e, "its tensors begin with '%s'", first[0]);
    return false;
}

bool cg_weights_rename(const CgValue *weights, const char *path, CgTensors *t, CgErr *e)
{
    const CgValue *prefix = said(weights, "prefix");
    Names x = { path, prefix ? prefix->s : "", said(weights, "rename"), said(weights, "transpose"),
        said(weights, "ignore"), e };
    CgAtom *first = cg_calloc((size_t)t->n + 1, sizeof *first);
    int n = t->n;
    for (int i = 0; i < n; i++)
        first[i] = cg_intern_n(t->at[i].name, strcspn(t->at[i].name, "."));
    rename_marks(&x, t);
    bool good = rename_tensors(&x, t) && (t->n || !*x.prefix || none_below(&x, first, n)) && transpose(&x, t);
    free(first);
    return good;
}
