/* rows.c - datasets whose rows lie in memory.
 * Takes rows, or whole columns; gives a dataset. Must not look into what it is given. */
#include "data/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

typedef struct Rows {
    bool ordered;
    const char **column; /* (nfields): where field f of row 0 lies */
    char **own;          /* the same, of rows that were added: malloc'd */
    void **row;          /* (nfields): of the row added last */
    int64_t cap;
    CG_VEC(CgOrigin) origins;
    CG_VEC(uint64_t) keys;
    CgReach from; /* a unit a row, or none */
    CgTensors *owners;
    int nowners;
} Rows;

static void rows_row(const CgDataset *d, int64_t i, void *const *out)
{
    const Rows *r = d->data;
    for (int f = 0; f < d->nfields; f++) {
        size_t bytes = cg_field_bytes(&d->field[f]);
        if (out[f] && bytes)
            memcpy(out[f], r->column[f] + (size_t)i * bytes, bytes);
    }
}

static void rows_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *out)
{
    (void)seed;
    rows_row(d, (int64_t)(g % (uint64_t)d->rows), out);
}

static CgOrigin rows_origin(const CgDataset *d, int64_t i)
{
    const Rows *r = d->data;
    return (size_t)i < r->origins.len ? r->origins.at[i] : (CgOrigin){ .row = i };
}

static uint64_t rows_key(const CgDataset *d, int64_t i)
{
    const Rows *r = d->data;
    return r->keys.at[i];
}

static void rows_free(CgDataset *d)
{
    Rows *r = d->data;
    for (int f = 0; f < d->nfields; f++)
        free(r->own[f]);
    for (int i = 0; i < r->nowners; i++)
        cg_tensors_free(&r->owners[i]);
    free(r->owners);
    free(r->column);
    free(r->own);
    free(r->row);
    cg_vec_free(&r->origins);
    cg_vec_free(&r->keys);
    cg_reach_deinit(&r->from);
    free(r);
}

static bool rows_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    (void)e;
    const Rows *r = d->data;
    for (int64_t k = i < 0 ? 0 : i; k < (i < 0 ? d->rows : i + 1); k++)
        if (r->from.units.len)
            cg_reach_copy(out, &r->from, (size_t)k);
        else
            cg_reach_key(out, cg_dataset_key(d, k), rows_origin(d, k));
    return true;
}

static const CgDatasetKind of_rows = { "rows", rows_row, NULL, rows_origin, rows_key, rows_free, rows_reach };
static const CgDatasetKind of_columns = { "rows", rows_row, NULL, rows_origin, NULL, rows_free, rows_reach };
static const CgDatasetKind of_columns_ordered = { "rows", rows_row, rows_draw, rows_origin, NULL, rows_free,
    rows_reach };

static CgDataset *begin(const CgDatasetKind *kind, const CgField *field, int n, bool ordered)
{
    Rows *r = cg_calloc(1, sizeof *r);
    r->ordered = ordered;
    r->column = cg_calloc((size_t)n + 1, sizeof(char *));
    r->own = cg_calloc((size_t)n + 1, sizeof(char *));
    r->row = cg_calloc((size_t)n + 1, sizeof(void *));
    return cg_dataset_new(kind, field, n, r);
}

/* Of what the fields are called, their types and all their bytes. */
static void put_digest(CgDataset *d)
{
    const Rows *r = d->data;
    CgDigester *digest = cg_digester_new();
    int64_t numbers[] = { d->nfields, d->rows, r->ordered };
    cg_digester_add(digest, "rows 1", 6);
    cg_digester_add(digest, numbers, sizeof numbers);
    for (int f = 0; f < d->nfields; f++) {
        const CgField *field = &d->field[f];
        int64_t type[] = { field->dtype, field->rank };
        cg_digester_add(digest, field->name, strlen(field->name) + 1);
        cg_digester_add(digest, type, sizeof type);
        cg_digester_add(digest, field->dim, sizeof *field->dim * (size_t)field->rank);
        CgDigest bytes = cg_digest(r->column[f] ? r->column[f] : "", (size_t)d->rows * cg_field_bytes(field));
        cg_digester_add(digest, &bytes, sizeof bytes);
    }
    for (size_t i = 0; i < r->keys.len; i++)
        cg_digester_add(digest, &r->keys.at[i], sizeof r->keys.at[i]);
    d->digest = cg_digester_free(digest);
}

CgDataset *cg_rows_new(const CgField *field, int n, bool ordered) { return begin(&of_rows, field, n, ordered); }

void **cg_rows_add(CgDataset *d, CgOrigin origin, uint64_t key)
{
    Rows *r = d->data;
    bool grow = d->rows == r->cap;
    if (grow)
        r->cap = r->cap ? 2 * r->cap : 64;
    for (int f = 0; f < d->nfields; f++) {
        size_t bytes = cg_field_bytes(&d->field[f]);
        if (grow)
            r->own[f] = cg_realloc(r->own[f], (size_t)r->cap * bytes + 1);
        r->row[f] = r->own[f] + (size_t)d->rows * bytes;
        memset(r->row[f], 0, bytes);
        r->column[f] = r->own[f];
    }
    d->rows++;
    origin.row = d->rows - 1;
    cg_vec_push(&r->origins, origin);
    cg_vec_push(&r->keys, key);
    return r->row;
}

void cg_rows_text(CgDataset *d, CgText text)
{
    Rows *r = d->data;
    cg_reach_text(&r->from, text, r->origins.at[r->origins.len - 1]);
}

void cg_rows_drop(CgDataset *d)
{
    Rows *r = d->data;
    if (r->from.units.len)
        cg_reach_drop(&r->from);
    d->rows--;
    r->origins.len--;
    r->keys.len--;
}

void cg_rows_done(CgDataset *d) { put_digest(d); }

CgDataset *cg_rows_of_tensors(
    const CgField *field, int n, bool ordered, const void *const *column, int64_t rows, CgTensors *owners, int nowners)
{
    CgDataset *d = begin(ordered ? &of_columns_ordered : &of_columns, field, n, ordered);
    Rows *r = d->data;
    for (int f = 0; f < n; f++)
        r->column[f] = column[f];
    d->rows = rows;
    r->owners = owners;
    r->nowners = nowners;
    put_digest(d);
    return d;
}
