/* arrays.c - datasets out of files of tensors, and of numbers that are written out, as values of the language.
 * Takes paths and lists; gives datasets whose rows are the first axis of the tensors (arrays), or the first two
 * (batches). Files are read when a script is checked, for their types, and once more, for good, when a stage runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/rows.h"
#include "library/dataset.h"

typedef struct Columns {
    CgTensors *file; /* (nfiles): what is taken over by the dataset */
    int nfiles;
    CgField *field;
    const void **column;
    int n;
    int64_t rows, batch; /* batch: rows of one, 0: rows are no batches */
} Columns;

static void columns_free(Columns *c)
{
    for (int i = 0; c->file && i < c->nfiles; i++)
        cg_tensors_free(&c->file[i]);
    free(c->file);
    free(c->field);
    free(c->column);
    *c = (Columns){ 0 };
}

/* One above the greatest of the integers; 0 where one is negative, or for other numbers. */
static int64_t bound_of(const CgTensor *t)
{
    int64_t most = -1, n = cg_tensor_count(t);
    for (int64_t i = 0; i < n && (t->dtype == CG_I32 || t->dtype == CG_I64); i++) {
        int64_t x = t->dtype == CG_I32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
        if (x < 0)
            return 0;
        most = x > most ? x : most;
    }
    return most + 1;
}

/* Adds a tensor as a field: its first axes are the rows. */
static bool add(Columns *c, const char *path, const char *name, const CgTensor *t, bool batches, CgErr *e)
{
    int lead = batches ? 2 : 1;
    if (t->rank < lead)
        return cg_err(e, CG_ERR_INPUT, "'%s' of '%s' has %d axes; its first %s the rows", name, path, t->rank,
            batches ? "two are steps and" : "is");
    int64_t rows = t->dim[0] * (batches ? t->dim[1] : 1), batch = batches ? t->dim[1] : 0;
    if (c->n && (rows != c->rows || batch != c->batch))
        return cg_err(e, CG_ERR_INPUT, "'%s' of '%s' has %lld rows, '%s' has %lld", name, path, (long long)rows,
            c->field[0].name, (long long)c->rows);
    if (!rows)
        return cg_err(e, CG_ERR_INPUT, "'%s' of '%s' has no rows", name, path);
    c->rows = rows;
    c->batch = batch;
    c->field = cg_realloc(c->field, sizeof *c->field * (size_t)(c->n + 1));
    c->column = cg_realloc(c->column, sizeof *c->column * (size_t)(c->n + 1));
    CgField *f = &c->field[c->n];
    *f = (CgField){ .name = cg_intern(name), .dtype = t->dtype, .rank = t->rank - lead, .below = bound_of(t) };
    memcpy(f->dim, t->dim + lead, sizeof *f->dim * (size_t)f->rank);
    c->column[c->n++] = t->data;
    return true;
}

/* "x.npz:NAME": the path, and the tensor of it; without a name the only one there is, or one called like the field. */
static bool add_file(Columns *c, const char *text, const char *field, CgErr *e)
{
    char *path = cg_strdup(text), *colon = strrchr(path, ':');
    const char *name = field;
    bool good = true;
    if (colon && !cg_tensor_format_find(path)) {
        *colon = 0;
        name = colon + 1;
    } else {
        colon = NULL;
    }
    CgTensors *t = &c->file[c->nfiles];
    good = cg_tensors_read(path, t, e) && cg_tensors_widen(t, e);
    c->nfiles += good;
    const CgTensor *found = !good ? NULL : t->n == 1 && !colon ? &t->at[0].tensor : cg_tensors_find(t, name);
    good = good && (found || cg_tensors_missing(t, path, name, e)) && add(c, path, field, found, false, e);
    free(path);
    return good;
}

typedef CG_VEC(float) Numbers;

/* Adds the numbers of a list of lists that is as deep as t has axes; on false e says which row is not like the first.
 */
static bool add_list(const CgValue *v, const CgTensor *t, int depth, const char *field, Numbers *out, CgErr *e)
{
    long long row = (long long)out->len / (cg_tensor_count(t) / t->dim[0]);
    double number = v->kind == CG_VALUE_BOOL ? (double)v->i : 0;
    if (depth < t->rank) {
        if (v->kind != CG_VALUE_LIST)
            return cg_err(e, CG_ERR_INPUT, "row %lld of '%s' has %s where the first row has a list", row, field,
                cg_value_kind_name(v));
        if (v->n != t->dim[depth])
            return cg_err(e, CG_ERR_INPUT, "row %lld of '%s' has a list of %d where the first row has one of %lld", row,
                field, v->n, (long long)t->dim[depth]);
        for (int i = 0; i < v->n; i++)
            if (!add_list(v->at[i], t, depth + 1, field, out, e))
                return false;
        return true;
    }
    if (v->kind != CG_VALUE_BOOL && !cg_value_number(v, &number))
        return cg_err(
            e, CG_ERR_INPUT, "row %lld of '%s' has %s where a number should stand", row, field, cg_value_kind_name(v));
    float near = (float)number;
    cg_vec_push(out, near);
    bool exact = fabsf(near) < 0x1p63f && (int64_t)near == v->i; /* as integers are everywhere */
    if (v->kind == CG_VALUE_INT ? !exact : !isfinite(near) && isfinite(number))
        return cg_err(e, CG_ERR_INPUT, "row %lld of '%s' has %.17g, which f32 does not have", row, field, number);
    return true;
}

static bool add_numbers(Columns *c, const CgValue *v, const char *field, CgErr *e)
{
    CgTensor t = { .dtype = CG_F32 };
    Numbers numbers = { 0 };
    for (const CgValue *of = v; of->kind == CG_VALUE_LIST && of->n && t.rank < CG_MAX_RANK; of = of->at[0])
        t.dim[t.rank++] = of->n;
    if (!t.rank)
        return cg_err(e, CG_ERR_INPUT, "'%s' is no list of numbers, one or one list of them a row", field);
    bool good = add_list(v, &t, 0, field, &numbers, e);
    c->file[c->nfiles++] = (CgTensors){ .own = numbers.at };
    t.data = numbers.at;
    return good && add(c, "the script", field, &t, false, e);
}

static bool read_arrays(const CgValue *of, Columns *c, CgErr *e)
{
    *c = (Columns){ 0 };
    c->file = cg_calloc((size_t)(of->kind == CG_VALUE_RECORD ? of->n : 1) + 1, sizeof *c->file);
    bool good = true;
    if (of->kind == CG_VALUE_RECORD) {
        for (int i = 0; good && i < of->n; i++)
            good = of->at[i]->kind == CG_VALUE_STR ? add_file(c, of->at[i]->s, of->keys[i], e)
                                                   : add_numbers(c, of->at[i], of->keys[i], e);
        return good;
    }
    good = cg_tensors_read(of->s, &c->file[0], e) && cg_tensors_widen(&c->file[0], e);
    c->nfiles = good;
    for (int i = 0; good && i < c->file[0].n; i++)
        good = add(c, of->s, c->file[0].at[i].name, &c->file[0].at[i].tensor, false, e);
    return good && (c->n || cg_err(e, CG_ERR_INPUT, "'%s' holds no tensor", of->s));
}

/* Ids of a vocabulary of `size`; -100 stands for a place that does not count. */
static bool check_ids(const Columns *c, const char *path, int64_t size, CgErr *e)
{
    for (int f = 0; f < c->n; f++) {
        int64_t each = cg_field_count(&c->field[f]);
        const int32_t *at = c->column[f];
        for (int64_t i = 0; c->field[f].dtype == CG_I32 && i < c->rows * each; i++)
            if ((at[i] < 0 && at[i] != -100) || at[i] >= size)
                return cg_err(e, CG_ERR_INPUT,
                    "row %lld of batch %lld of '%s' in '%s' holds %d, which is no token of a vocabulary of %lld",
                    (long long)(i / each % c->batch), (long long)(i / each / c->batch), c->field[f].name, path, at[i],
                    (long long)size);
    }
    return true;
}

static bool read_batches(const char *path, const CgValue *tokenizer, Columns *c, CgErr *e)
{
    *c = (Columns){ .file = cg_calloc(2, sizeof *c->file) };
    bool good = cg_tensors_read(path, &c->file[0], e) && cg_tensors_widen(&c->file[0], e);
    c->nfiles = good;
    for (int i = 0; good && i < c->file[0].n; i++)
        good = add(c, path, c->file[0].at[i].name, &c->file[0].at[i].tensor, true, e);
    if (good && !c->n)
        good = cg_err(e, CG_ERR_INPUT, "'%s' holds no tensor", path);
    const CgValue *size = tokenizer->kind == CG_VALUE_NONE ? NULL : cg_record_find(tokenizer, cg_intern("size"));
    return good && (!size || size->kind != CG_VALUE_INT || check_ids(c, path, size->i, e));
}

/* ---- while the script is checked ---- */

static void fields_of(CgElab *e, const CgArguments *a, const Columns *c, CgValue *data)
{
    CgDataFields *fields = cg_data_fields_new(e, data, c->field, c->n);
    fields->batch = c->batch;
    fields->origin = a->span[0].file ? a->span[0] : data->span;
}

/* Reads the files for the types of what is in them. */
static bool checked(CgElab *e, const CgArguments *a, Columns *c, bool good, const CgErr *err, CgValue *data)
{
    if (good)
        fields_of(e, a, c, data);
    else
        cg_elab_err(e, a->span[0], err);
    columns_free(c);
    return good;
}

static bool check_arrays(CgElab *e, const CgArguments *a, CgValue *data)
{
    Columns c;
    CgErr err = { 0 };
    for (int i = 0; a->at[0]->kind == CG_VALUE_RECORD && i < a->at[0]->n; i++)
        if (a->at[0]->at[i]->kind != CG_VALUE_STR && a->at[0]->at[i]->kind != CG_VALUE_LIST) {
            CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0], "field '%s' of arrays is %s", a->at[0]->keys[i],
                cg_value_kind_name(a->at[0]->at[i]));
            cg_diag_help(d, "a field is a file or a list with a row each: { x: \"x.npy\", y: [0.5, 1] }");
            return false;
        }
    if (a->at[0]->kind == CG_VALUE_RECORD && !a->at[0]->n) {
        cg_elab_error(e, CG_E0312, a->span[0], "arrays have one field or more: { x: \"x.npy\", .. }");
        return false;
    }
    return checked(e, a, &c, read_arrays(a->at[0], &c, &err), &err, data);
}

static bool check_batches(CgElab *e, const CgArguments *a, CgValue *data)
{
    Columns c;
    CgErr err = { 0 };
    if (!checked(e, a, &c, read_batches(a->at[0]->s, a->at[1], &c, &err), &err, data))
        return false;
    const CgDataFields *fields = cg_data_fields(data);
    for (int i = 0; i < fields->n; i++)
        if (fields->field[i].dtype == CG_I32 && a->at[1]->kind != CG_VALUE_NONE)
            fields->tokenizer[i] = a->at[1];
    return true;
}

/* ---- when a stage runs ---- */

/* The columns as they were when the script was checked, or a mistake. */
static bool unchanged(const Columns *c, const CgDataFields *fields, CgErr *e)
{
    bool same = c->n == fields->n;
    for (int i = 0; same && i < c->n; i++) {
        const CgField *a = &c->field[i], *b = &fields->field[i];
        same = a->name == b->name && a->dtype == b->dtype && a->rank == b->rank && a->below == b->below
            && !memcmp(a->dim, b->dim, sizeof *a->dim * (size_t)a->rank);
    }
    return same || cg_err(e, CG_ERR_INPUT, "the file changed after the script was checked");
}

static CgDataset *opened(const CgValue *call, Columns *c, bool good, CgErr *err)
{
    CgDataset *d = NULL;
    if (good && unchanged(c, cg_data_fields(call), err)) {
        d = cg_rows_of_tensors(c->field, c->n, c->batch > 0, c->column, c->rows, c->file, c->nfiles);
        c->file = NULL;
    }
    columns_free(c);
    return d;
}

static CgDataset *open_arrays(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    Columns c;
    return cg_dataset_said(x, opened(call, &c, read_arrays(args[0], &c, err), err));
}

static CgDataset *open_batches(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    Columns c;
    CgDataset *d = opened(call, &c, read_batches(args[0]->s, call->at[1], &c, err), err);
    const CgTokenizer *t =
        d ? args[1]->kind == CG_VALUE_NONE ? cg_tokenizer_of(x, NULL) : (const CgTokenizer *)args[1]->held : NULL;
    for (int f = 0; d && f < d->nfields; f++)
        d->tokenizer[f] = d->field[f].dtype == CG_I32 ? t : NULL;
    return d;
}

CG_DATASET(arrays, .sig = "(files: str | record, shares: float[] = [0.9, 0.05, 0.05]) -> dataset",
    .check = check_arrays, .open = open_arrays,
    .doc = "Rows of tensors: { x: \"x.npy\", y: \"y.csv\" }, or one file with all of them; or numbers that are written "
           "out, as f32: { x: [[0, 1], [2, 5]], y: [1, 7] }. The first axis of each is the "
           "rows; batch.x has the type of one row with the rows in front. Files of .npy, .npz (\"f.npz:NAME\"), "
           ".safetensors, IDX, CSV of numbers, and .gz of them.")
CG_DATASET(batches, .sig = "(path: str, tokenizer: tokenizer | none = none) -> dataset", .check = check_batches,
    .open = open_batches,
    .doc =
        "Batches from a file of tensors, each [steps, rows, ...], such as tokens and next: i32[steps, rows, length]. "
        "They are taken in their order; `batch` of a training is the file's unless it says another. With a tokenizer "
        "every id is looked at.")
