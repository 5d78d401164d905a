/* squares.c - numbers and their squares.
 * Takes how many; gives rows x = 1, 2, .. and y = x * x. */
#include "library/dataset.h"

static void row(const CgDataset *d, int64_t i, void *const *out)
{
    (void)d;
    if (out[0])
        *(float *)out[0] = (float)(i + 1);
    if (out[1])
        *(float *)out[1] = (float)((i + 1) * (i + 1));
}

static void nothing(CgDataset *d) { (void)d; }

static const CgDatasetKind kind = { .name = "squares", .row = row, .free = nothing };
static const CgField fields[] = { { .name = "x", .dtype = CG_F32 }, { .name = "y", .dtype = CG_F32 } };

static bool check(CgElab *e, const CgArguments *a, CgValue *data)
{
    if (a->at[0]->i < 1) {
        cg_elab_error(e, CG_E0312, a->span[0], "'n' of squares is 1 or more");
        return false;
    }
    cg_data_fields_new(e, data, fields, 2)->origin = data->span;
    return true;
}

static CgDataset *open_squares(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    CgDataset *d = cg_dataset_new(&kind, fields, 2, NULL);
    (void)x;
    (void)call;
    (void)err;
    d->rows = args[0]->i;
    d->digest = cg_digest(&d->rows, sizeof d->rows);
    return d;
}

CG_DATASET(
    squares, .sig = "(n: int) -> dataset", .check = check, .open = open_squares, .doc = "Numbers and their squares.")
