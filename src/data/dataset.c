/* dataset.c - batches of any kind of data.
 * Takes a dataset; gives its rows, one after the other, in room for a batch. Must not know any kind. */
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "data/draw.h"

CgDataset *cg_dataset_new(const CgDatasetKind *kind, const CgField *field, int n, void *data)
{
    CgDataset *d = cg_calloc(1, sizeof *d);
    *d = (CgDataset){ .kind = kind, .owners = 1, .nfields = n, .data = data, .valid = 0.05, .test = 0.05 };
    d->field = cg_calloc((size_t)n + 1, sizeof *d->field);
    d->tokenizer = cg_calloc((size_t)n + 1, sizeof(CgTokenizer *));
    for (int i = 0; i < n; i++) {
        d->field[i] = field[i];
        d->field[i].name = cg_strdup(field[i].name);
    }
    return d;
}

CgDataset *cg_dataset_keep(CgDataset *d)
{
    d->owners++;
    return d;
}

void cg_dataset_free(CgDataset *d)
{
    if (!d || --d->owners)
        return;
    d->kind->free(d);
    for (int i = 0; i < d->nfields; i++)
        free((char *)(uintptr_t)d->field[i].name);
    free(d->field);
    free(d->tokenizer);
    free(d);
}

int cg_dataset_find(const CgDataset *d, const char *field)
{
    for (int i = 0; i < d->nfields; i++)
        if (!strcmp(d->field[i].name, field))
            return i;
    return -1;
}

int64_t cg_field_count(const CgField *f)
{
    int64_t n = 1;
    for (int i = 0; i < f->rank; i++)
        n *= f->dim[i];
    return n;
}

size_t cg_field_bytes(const CgField *f) { return (size_t)cg_field_count(f) * cg_dtype_size(f->dtype); }

/* Where row b of a batch goes, by field. */
static void point_row(const CgDataset *d, int64_t b, void *const *out, void **row)
{
    for (int f = 0; f < d->nfields; f++)
        row[f] = out[f] ? (char *)out[f] + (size_t)b * cg_field_bytes(&d->field[f]) : NULL;
}

void cg_dataset_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *row)
{
    if (d->kind->draw) {
        d->kind->draw(d, seed, g, row);
        return;
    }
    uint64_t n = (uint64_t)d->rows, key = cg_draw_key(seed, CG_STREAM_WINDOW, g / n);
    d->kind->row(d, (int64_t)cg_draw_permuted(key, n, g % n), row);
}

void cg_dataset_batch(const CgDataset *d, uint64_t seed, int64_t step, int64_t rows, void *const *out)
{
    void **row = cg_calloc((size_t)d->nfields + 1, sizeof *row);
    for (int64_t b = 0; b < rows; b++) {
        point_row(d, b, out, row);
        cg_dataset_draw(d, seed, (uint64_t)(step * rows + b), row);
    }
    free(row);
}

int64_t cg_dataset_read(const CgDataset *d, int64_t first, int64_t most, void *const *out)
{
    CG_ASSERT(first >= 0 && first < d->rows && most > 0, "an evaluation asks for rows that are not there");
    int64_t have = d->rows - first < most ? d->rows - first : most;
    void **row = cg_calloc((size_t)d->nfields + 1, sizeof *row);
    for (int64_t b = 0; b < have; b++) {
        point_row(d, b, out, row);
        d->kind->row(d, first + b, row);
    }
    free(row);
    return have;
}

CgOrigin cg_dataset_origin(const CgDataset *d, int64_t i)
{
    return d->kind->origin ? d->kind->origin(d, i) : (CgOrigin){ .row = i };
}

static uint64_t key_of_fields(const CgDataset *d, int64_t i)
{
    size_t size = 0;
    for (int f = 0; f < d->nfields; f++)
        size += (cg_field_bytes(&d->field[f]) + 15) / 16 * 16;
    char *bytes = cg_calloc(size + 1, 1), *at = bytes;
    void **row = cg_calloc((size_t)d->nfields + 1, sizeof *row);
    for (int f = 0; f < d->nfields; f++) {
        row[f] = at;
        at += (cg_field_bytes(&d->field[f]) + 15) / 16 * 16;
    }
    d->kind->row(d, i, row);
    uint64_t key = cg_split_hash(bytes, size);
    free(row);
    free(bytes);
    return key;
}

uint64_t cg_dataset_key(const CgDataset *d, int64_t i)
{
    return d->kind->key ? d->kind->key(d, i) : key_of_fields(d, i);
}

bool cg_dataset_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    if (d->kind->reach)
        return d->kind->reach(d, i, out, e);
    for (int64_t k = i < 0 ? 0 : i; k < (i < 0 ? d->rows : i + 1); k++)
        cg_reach_key(out, cg_dataset_key(d, k), cg_dataset_origin(d, k));
    return true;
}

CgSplit cg_dataset_split(const CgDataset *d, int64_t i) { return cg_split_of(cg_dataset_key(d, i), d->valid, d->test); }
