/* row.c - which row it is, as columns of an evaluation.
 * Takes the row that an evaluation is at; gives its number and where it was read. Written batch.id and batch.source. */
#include "library/library.h"

static const CgDataset *rows_of(CgSession *x, const CgValue *call)
{
    CgErr err = { 0 };
    if (!x->rows) {
        cg_err(&err, CG_ERR_INPUT, "there is no row here");
        cg_err_hint(&err, "batch.id and batch.source are columns of an evaluation");
        cg_session_err(x, call->span, &err);
    }
    return x->rows;
}

static CgValue *run_row_id(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgDataset *d = rows_of(x, call);
    (void)args;
    return d ? cg_value_int(x->elab, cg_dataset_origin(d, x->row).row, call->span) : NULL;
}

static CgValue *run_row_source(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgDataset *d = rows_of(x, call);
    CgStrbuf text = { 0 };
    (void)args;
    if (!d)
        return NULL;
    cg_origin_print(cg_dataset_origin(d, x->row), &text);
    CgValue *v = cg_value_str(x->elab, cg_strbuf_str(&text), call->span);
    cg_strbuf_deinit(&text);
    return v;
}

static const CgFunction fn_row_id = { CG_FUNCTION_HERE, .name = "row_id", .sig = "() -> int", .traits = CG_ROW,
    .run = run_row_id,
    .doc = "The number of a row among those that were read, from 0, whatever was chosen or shuffled since; written "
           "batch.id." };
static const CgFunction fn_row_source = { CG_FUNCTION_HERE, .name = "row_source", .sig = "() -> str", .traits = CG_ROW,
    .run = run_row_source,
    .doc = "Where a row was read: file and line, or what its source is called; written batch.source." };
CG_FUNCTIONS(row, &fn_row_id, &fn_row_source)
