/* table.c - tables, built cell by cell.
 * Takes cells; gives a table. shape.c makes new ones out of it, text.c writes it. */
#include "table/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/suggest.h"

CgTable *cg_table_new(void)
{
    CgTable *t = cg_calloc(1, sizeof *t);
    t->texts = cg_arena_new();
    return t;
}

void cg_table_free(CgTable *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->ncolumns; i++) {
        free(t->column[i].name);
        free(t->column[i].at);
        free(t->column[i].spread);
        free(t->column[i].signature);
    }
    free(t->column);
    cg_arena_free(t->texts);
    free(t);
}

int cg_table_add(CgTable *t, const char *name, CgCellKind kind)
{
    CG_ASSERT(cg_table_find(t, name, NULL) < 0, "two columns of one name");
    int i = t->ncolumns++;
    t->column = cg_realloc(t->column, sizeof *t->column * (size_t)t->ncolumns);
    t->column[i] = (CgColumn){ .name = cg_strdup(name), .kind = kind, .at = cg_malloc(sizeof(CgCell) * (t->cap + 1)) };
    for (size_t r = 0; r < t->rows; r++)
        t->column[i].at[r] = CG_MISSING;
    return i;
}

int cg_table_add_distinct(CgTable *t, const char *name, CgCellKind kind)
{
    CgStrbuf unused = { 0 };
    cg_strbuf_puts(&unused, name);
    for (int k = 2; cg_table_find(t, cg_strbuf_str(&unused), NULL) >= 0; k++) {
        unused.len = 0;
        cg_strbuf_printf(&unused, "%s_%d", name, k);
    }
    int i = cg_table_add(t, cg_strbuf_str(&unused), kind);
    cg_strbuf_deinit(&unused);
    return i;
}

size_t cg_table_row(CgTable *t)
{
    if (t->rows == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        for (int i = 0; i < t->ncolumns; i++) {
            CgColumn *c = &t->column[i];
            c->at = cg_realloc(c->at, sizeof(CgCell) * (t->cap + 1));
            if (c->spread)
                c->spread = cg_realloc(c->spread, sizeof(CgSpread) * (t->cap + 1));
        }
    }
    for (int i = 0; i < t->ncolumns; i++) {
        t->column[i].at[t->rows] = CG_MISSING;
        if (t->column[i].spread)
            t->column[i].spread[t->rows] = (CgSpread){ NAN, NAN };
    }
    return t->rows++;
}

void cg_table_set(CgTable *t, size_t row, int column, CgCell cell)
{
    CG_ASSERT(row < t->rows && column >= 0 && column < t->ncolumns, "a cell outside of its table");
    if (t->column[column].kind == CG_TEXT && !cell.missing)
        cell.text = cg_arena_strdup(t->texts, cell.text);
    t->column[column].at[row] = cell;
}

void cg_table_spread(CgTable *t, size_t row, int column, CgSpread spread)
{
    CgColumn *c = &t->column[column];
    CG_ASSERT(row < t->rows && c->kind == CG_NUMBER, "a spread of what is no number");
    if (!c->spread) {
        c->spread = cg_malloc(sizeof *c->spread * (t->cap + 1));
        for (size_t r = 0; r < t->rows; r++)
            c->spread[r] = (CgSpread){ NAN, NAN };
    }
    c->spread[row] = spread;
}

void cg_table_sign(CgTable *t, int column, const char *signature)
{
    free(t->column[column].signature);
    t->column[column].signature = signature && *signature ? cg_strdup(signature) : NULL;
}

int cg_table_find(const CgTable *t, const char *name, CgErr *e)
{
    for (int i = 0; i < t->ncolumns; i++) {
        if (!strcmp(t->column[i].name, name))
            return i;
    }
    if (!e)
        return -1;
    CgSuggest near;
    cg_suggest_init(&near, name);
    for (int i = 0; i < t->ncolumns; i++)
        cg_suggest_offer(&near, t->column[i].name);
    cg_err(e, CG_ERR_INPUT, "the table has no column '%s'", name);
    if (!cg_err_meant(e, &near, ""))
        cg_err_hint(e, "it has: %s", near.all);
    return -1;
}

bool cg_cell_absent(const CgColumn *c, size_t row)
{
    return c->at[row].missing || (c->kind == CG_NUMBER && isnan(c->at[row].number));
}

size_t cg_table_rows(const CgTable *t) { return t->rows; }

int cg_table_columns(const CgTable *t) { return t->ncolumns; }

const char *cg_table_name(const CgTable *t, int column)
{
    return column >= 0 && column < t->ncolumns ? t->column[column].name : NULL;
}

const char *cg_table_text(const CgTable *t, size_t row, int column)
{
    if (column < 0 || column >= t->ncolumns || row >= t->rows || t->column[column].kind != CG_TEXT)
        return NULL;
    const CgCell *cell = &t->column[column].at[row];
    return cell->missing ? NULL : cell->text;
}

double cg_table_number(const CgTable *t, size_t row, int column)
{
    if (column < 0 || column >= t->ncolumns || row >= t->rows)
        return NAN;
    const CgCell *cell = &t->column[column].at[row];
    if (cell->missing)
        return NAN;
    switch (t->column[column].kind) {
    case CG_NUMBER: return cell->number;
    case CG_INT: return (double)cell->whole;
    case CG_TRUTH: return cell->truth;
    case CG_TEXT: break;
    }
    return NAN;
}

double *cg_table_numbers(const CgTable *t, const char *name, CgErr *e)
{
    int i = cg_table_find(t, name, e);
    if (i < 0)
        return NULL;
    if (t->column[i].kind == CG_TEXT) {
        cg_err(e, CG_ERR_INPUT, "column '%s' holds text, not numbers", name);
        return NULL;
    }
    double *x = cg_malloc(sizeof *x * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++)
        x[r] = cg_table_number(t, r, i);
    return x;
}
