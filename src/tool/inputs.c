/* inputs.c - tensors given on the command line, NAME=DATA.
 * Takes the texts of --in; gives tensors. Must not know what they are for: the command says which types are wanted. */
#include "tool/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "table/table.h"

/* ---- numbers written out: [[1, 2.5], [3, 4]] ---- */

static bool shape_of(const json_t *j, CgTensor *t, CgErr *e)
{
    t->rank = 0;
    while (json_is_array(j)) {
        if (t->rank == CG_MAX_RANK || json_array_size(j) == 0)
            return cg_err(e, CG_ERR_INPUT, "a list of numbers is nested at most %d deep and not empty", CG_MAX_RANK);
        t->dim[t->rank++] = (int64_t)json_array_size(j);
        j = json_array_get(j, 0);
    }
    return true;
}

/* One element; integers are exact, or refused, and so is what a float type could only have as infinity. */
static bool put(const json_t *j, CgTensor *t, int64_t at, CgErr *e)
{
    double v = json_is_boolean(j) ? json_is_true(j) : json_number_value(j);
    bool integer = !json_is_real(j) || (v == floor(v) && fabs(v) < 0x1p53), good = false;
    int64_t whole = !integer ? 0 : json_is_integer(j) ? json_integer_value(j) : (int64_t)v;
    switch (t->dtype) {
    case CG_F32:
    case CG_F64:
    case CG_F16:
    case CG_BF16: {
        void *to = (char *)t->data + at * (int64_t)cg_dtype_size(t->dtype);
        cg_element_put(t->dtype, to, v);
        double has = t->dtype == CG_F64 ? v : t->dtype == CG_F32 ? (float)v : cg_half_value(t->dtype, *(uint16_t *)to);
        good = isfinite(has) && (!json_is_integer(j) || (fabs(has) < 0x1p63 && (int64_t)has == whole));
        break;
    }
    case CG_I32:
        good = integer && whole >= INT32_MIN && whole <= INT32_MAX;
        ((int32_t *)t->data)[at] = good ? (int32_t)whole : 0;
        break;
    case CG_I64:
        good = integer;
        ((int64_t *)t->data)[at] = whole;
        break;
    case CG_BOOL:
        good = integer && (whole == 0 || whole == 1);
        ((uint8_t *)t->data)[at] = whole != 0;
        break;
    case CG_I8:
        good = integer && whole >= INT8_MIN && whole <= INT8_MAX;
        ((int8_t *)t->data)[at] = good ? (int8_t)whole : 0;
        break;
    case CG_ROUNDED:
    case CG_NDTYPE: break;
    }
    CgStrbuf text = { 0 };
    if (json_is_integer(j))
        cg_strbuf_printf(&text, "%lld", (long long)whole);
    else
        cg_number_print(v, &text);
    if (!good)
        cg_err(e, CG_ERR_INPUT, "%s is not an element of a %s tensor", cg_strbuf_str(&text), cg_dtype_name(t->dtype));
    cg_strbuf_deinit(&text);
    return good;
}

static bool fill_from(const json_t *j, CgTensor *t, int depth, int64_t *at, CgErr *e)
{
    if (depth < t->rank) {
        if (!json_is_array(j) || (int64_t)json_array_size(j) != t->dim[depth])
            return cg_err(e, CG_ERR_INPUT, "the lists inside a list must be equally long");
        for (size_t i = 0; i < json_array_size(j); i++)
            if (!fill_from(json_array_get(j, i), t, depth + 1, at, e))
                return false;
        return true;
    }
    if (!json_is_number(j) && !json_is_boolean(j))
        return cg_err(e, CG_ERR_INPUT, "only numbers, true and false are elements of a tensor");
    return put(j, t, (*at)++, e);
}

static bool read_written(CgInputArg *g, CgDtype dtype, CgErr *e)
{
    json_error_t where;
    json_t *j = cg_json_load(g->text, strlen(g->text), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (!j)
        return cg_err(e, CG_ERR_INPUT, "'%s' is neither a list of numbers nor a file", g->text);
    CgTensor *t = &g->written;
    t->dtype = dtype;
    int64_t at = 0;
    bool good = shape_of(j, t, e);
    if (good) {
        int64_t step = 1;
        for (int i = t->rank; i-- > 0; step *= t->dim[i])
            t->stride[i] = step;
        t->data = cg_calloc((size_t)cg_tensor_count(t) + 1, cg_dtype_size(dtype));
        good = fill_from(j, t, 0, &at, e);
    }
    json_decref(j);
    g->tensor = t;
    return good;
}

/* ---- numbers from files: x.npy, x.safetensors (the tensor of the input's name), x.safetensors:NAME ---- */

/* Where a name of a tensor begins behind the path of a file; NULL: there is none. */
static const char *name_behind(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon)
        return NULL;
    char *path = cg_strdup(text);
    path[colon - text] = 0;
    bool file = cg_tensor_format_find(path);
    free(path);
    return file ? colon + 1 : NULL;
}

static bool read_file(CgInputArg *g, CgDtype dtype, CgErr *e)
{
    const char *behind = name_behind(g->text), *name = behind ? behind : g->name;
    char *path = cg_strdup(g->text);
    if (behind)
        path[behind - g->text - 1] = 0;
    const CgTensorFormat *format = cg_tensor_format_find(path);
    bool good = cg_tensors_read(path, &g->file, e) && (cg_dtype_is_narrow(dtype) || cg_tensors_widen(&g->file, e));
    if (good && format->single && !behind)
        g->tensor = &g->file.at[0].tensor;
    else if (good && !(g->tensor = cg_tensors_find(&g->file, name)))
        good = cg_tensors_missing(&g->file, path, name, e);
    free(path);
    return good;
}

static const CgTensor *read_arg(const CgTensorGiven *given, CgDtype dtype, CgErr *e)
{
    CgInputArg *g = given->of;
    bool file = cg_tensor_format_find(g->text) || name_behind(g->text) || strchr(g->text, '/');
    bool written = strchr("[-0123456789tf", *g->text) && !file;
    if (!g->tensor && !(written ? read_written(g, dtype, e) : read_file(g, dtype, e)))
        return NULL;
    return g->tensor;
}

/* ---- all of them ---- */

int cg_givens_init(const char *command, const CgStrings *in, CgInputArgs *out)
{
    *out = (CgInputArgs){ cg_calloc(in->len + 1, sizeof *out->at), 0 };
    for (size_t i = 0; i < in->len; i++) {
        CgInputArg *g = &out->at[out->n];
        if (!cg_assignment(in->at[i], &g->name, &g->text))
            return cg_usage(command, "--in takes NAME=DATA, not '%s'", in->at[i]);
        out->n++;
        for (const CgInputArg *other = out->at; other < g; other++)
            if (!strcmp(other->name, g->name))
                return cg_usage(command, "--in %s is given twice", g->name);
    }
    return CG_EXIT_OK;
}

void cg_givens_free(CgInputArgs *g)
{
    for (int i = 0; i < g->n; i++) {
        free(g->at[i].name);
        free(g->at[i].written.data);
        cg_tensors_free(&g->at[i].file);
    }
    free(g->at);
}

void cg_givens_of(const CgInputArgs *g, CgSources *sources, CgTensorGiven *out)
{
    for (int i = 0; i < g->n; i++) {
        CgStrbuf text = { 0 };
        cg_strbuf_printf(&text, "--in %s=", g->at[i].name);
        uint32_t from = (uint32_t)text.len;
        cg_strbuf_puts(&text, g->at[i].text);
        uint32_t file = cg_sources_add(sources, "argument", cg_strbuf_str(&text), text.len);
        out[i] = (CgTensorGiven){ .name = cg_intern(g->at[i].name),
            .span = { file, from, (uint32_t)text.len },
            .read = read_arg,
            .of = &g->at[i] };
        cg_strbuf_deinit(&text);
    }
}
