/* tensor_csv.c - a table of numbers as one tensor.
 * Takes rows of cells, with or without a first row of names; gives f32[rows, columns], f32[rows] of one column. Must
 * not take a cell that is no number for one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "data/csv.h"
#include "data/tensor_file_inside.h"

typedef CG_VEC(float) Numbers;

static bool add_row(const CgCsv *c, Numbers *numbers, CgErr *e)
{
    for (size_t i = 0; i < c->cell.len; i++) {
        double x;
        CgText cell = c->cell.at[i];
        if (!cg_text_number(cell, &x) || cg_text_is_beyond(cell, (float)x) || !cg_text_is_exact(cell, (double)(float)x))
            return cg_err(e, CG_ERR_INPUT, "%s:%u: cell %zu, '%.*s', is no number that f32 has", c->path, c->line,
                i + 1, (int)(cell.len < 40 ? cell.len : 40), cell.at);
        cg_vec_push(numbers, (float)x);
    }
    return true;
}

/* "area", but not "1;2", "0x10", "" or "NA", which only fail to be numbers. */
static bool is_name(CgText t)
{
    while (t.len && (*t.at == ' ' || *t.at == '"'))
        t.at++, t.len--;
    return t.len && !strchr("0123456789+-.", *t.at) && !(t.len == 2 && !memcmp(t.at, "NA", 2));
}

/* Whether a row names columns: it holds no number and at least one name. Else it would be a row of data that is lost.
 */
static bool all_names(const CgCsv *c)
{
    double x;
    bool any = false;
    for (size_t i = 0; i < c->cell.len; i++) {
        if (cg_text_number(c->cell.at[i], &x))
            return false;
        any |= is_name(c->cell.at[i]);
    }
    return any;
}

static bool parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    CgCsv c;
    Numbers numbers = { 0 };
    int64_t rows = 0, columns = 0;
    bool ok = true;
    *out = (CgTensors){ 0 };
    CgText text = { bytes.at, bytes.len };
    if (!cg_utf8_begin(path, &text.at, &text.len, e)) {
        cg_io_release(&bytes);
        return false;
    }
    cg_csv_init(&c, path, text.at, text.len);
    for (bool first = true; ok && cg_csv_row(&c, e); first = false) {
        if (first && all_names(&c)) {
            columns = (int64_t)c.cell.len;
            continue;
        }
        if (columns && columns != (int64_t)c.cell.len) {
            ok = cg_err(e, CG_ERR_INPUT, "%s:%u: %zu cells, but rows before have %lld", path, c.line, c.cell.len,
                (long long)columns);
            break;
        }
        columns = (int64_t)c.cell.len;
        ok = add_row(&c, &numbers, e);
        rows++;
    }
    ok = ok && !e->text[0];
    if (ok && !rows)
        ok = cg_err(e, CG_ERR_INPUT, "'%s' has no row of numbers", path);
    cg_csv_deinit(&c);
    cg_io_release(&bytes);
    if (!ok) {
        cg_vec_free(&numbers);
        return false;
    }
    CgTensor t = { .dtype = CG_F32, .rank = columns > 1 ? 2 : 1, .dim = { rows, columns } };
    cg_tensor_row_major(&t);
    cg_tensors_single(out, path, t, numbers.at);
    return true;
}

CG_TENSOR_FORMAT(csv, .endings = (const char *const[]){ ".csv", ".tsv", NULL },
    .doc = "a table of numbers, with or without names of columns", .single = true, .read = parse)
