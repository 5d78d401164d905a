/* reader_csv.c - tables of text with separators and a first row of names.
 * Takes rows; gives the columns asked for. Must not accept a row with more or fewer cells than there are names. */
#include <stdlib.h>

#include "base/utf8.h"
#include "data/csv.h"
#include "data/reader.h"

/* Where each field stands among the names of the first row. */
static bool find_columns(CgCsv *c, CgFields fields, size_t *column, CgErr *e)
{
    size_t n = c->cell.len;
    char **name = cg_calloc(n + 1, sizeof *name);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        CgText cell = c->cell.at[i];
        name[i] = cg_calloc(cell.len + 1, 1);
        memcpy(name[i], cell.at, cell.len);
    }
    for (int f = 0; ok && f < fields.n; f++) {
        column[f] = 0;
        while (column[f] < n && strcmp(name[column[f]], fields.name[f]) != 0)
            column[f]++;
        ok = column[f] < n || cg_reader_no_field(c->path, c->line, fields.name[f], (const char *const *)name, n, e);
    }
    for (size_t i = 0; i < n; i++)
        free(name[i]);
    free(name);
    return ok;
}

static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, CgErr *e)
{
    CgCsv c;
    if (!cg_utf8_begin(path, &text.at, &text.len, e))
        return false;
    cg_csv_init(&c, path, text.at, text.len);
    size_t *column = cg_calloc((size_t)fields.n + 1, sizeof *column);
    CgText *value = cg_calloc((size_t)fields.n + 1, sizeof *value);
    bool ok = cg_csv_row(&c, e) && find_columns(&c, fields, column, e);
    size_t names = c.cell.len;
    while (ok && cg_csv_row(&c, e)) {
        if (c.cell.len != names) {
            ok = cg_err(
                e, CG_ERR_INPUT, "%s:%u: %zu cells, but the first row names %zu", path, c.line, c.cell.len, names);
            break;
        }
        for (int f = 0; f < fields.n; f++)
            value[f] = c.cell.at[column[f]];
        ok = each(arg, c.line, value, e);
    }
    ok = ok && !e->text[0];
    free(column);
    free(value);
    cg_csv_deinit(&c);
    return ok;
}

CG_READER(csv, .endings = (const char *const[]){ ".csv", ".tsv", NULL },
    .doc = "rows of cells, the first one their names; tabs in .tsv", .records = records)
