/* binary.c - tables as bytes, for the store.
 * Takes a table; gives bytes that only this machine reads, and the table back. Must not trust them: what does not fit
 * gives no table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

static void put_u64(CgStrbuf *b, uint64_t v) { cg_strbuf_write(b, (const char *)&v, sizeof v); }

void cg_table_pack(const CgTable *t, CgStrbuf *b)
{
    put_u64(b, (uint64_t)t->ncolumns);
    put_u64(b, t->rows);
    for (int c = 0; c < t->ncolumns; c++) {
        put_u64(b, strlen(t->column[c].name));
        cg_strbuf_puts(b, t->column[c].name);
        put_u64(b, t->column[c].kind);
        for (size_t r = 0; r < t->rows; r++) {
            const CgCell *cell = &t->column[c].at[r];
            if (t->column[c].kind == CG_TEXT) {
                put_u64(b, cell->missing ? UINT64_MAX : strlen(cell->text));
                if (!cell->missing)
                    cg_strbuf_puts(b, cell->text);
            } else if (t->column[c].kind != CG_NUMBER) {
                put_u64(b, !cell->missing);
                put_u64(b, t->column[c].kind == CG_INT ? (uint64_t)cell->whole : cell->truth);
            } else {
                double number = cell->missing ? NAN : cell->number;
                cg_strbuf_write(b, (const char *)&number, sizeof number);
            }
        }
    }
}

static bool take(const CgBytes *b, size_t *at, void *out, size_t n)
{
    if (n > b->len - *at)
        return false;
    memcpy(out, b->at + *at, n);
    *at += n;
    return true;
}

/* A name or a cell; NULL past the end. */
static char *take_text(const CgBytes *b, size_t *at, uint64_t n)
{
    if (n > b->len - *at)
        return NULL;
    char *text = cg_malloc((size_t)n + 1);
    memcpy(text, b->at + *at, (size_t)n);
    text[n] = 0;
    *at += (size_t)n;
    return text;
}

CgTable *cg_table_unpack(const CgBytes *b)
{
    CgTable *t = cg_table_new();
    size_t at = 0;
    uint64_t columns, rows, n, kind;
    bool good = take(b, &at, &columns, 8) && take(b, &at, &rows, 8) && columns < 10000 && rows <= b->len;
    for (uint64_t r = 0; good && r < rows; r++)
        cg_table_row(t);
    for (uint64_t c = 0; good && c < columns; c++) {
        char *name = take(b, &at, &n, 8) ? take_text(b, &at, n) : NULL;
        good = name && take(b, &at, &kind, 8) && kind <= CG_TRUTH && cg_table_find(t, name, NULL) < 0;
        int k = good ? cg_table_add(t, name, (CgCellKind)kind) : 0;
        free(name);
        for (uint64_t r = 0; good && r < rows; r++) {
            if (kind == CG_TEXT) {
                good = take(b, &at, &n, 8);
                if (good && n != UINT64_MAX) {
                    char *text = take_text(b, &at, n);
                    good = text;
                    if (good)
                        cg_table_set(t, r, k, cg_text(text));
                    free(text);
                }
            } else if (kind != CG_NUMBER) {
                uint64_t there = 0, whole = 0;
                good = take(b, &at, &there, 8) && take(b, &at, &whole, 8) && there <= 1;
                if (good && there)
                    cg_table_set(t, r, k, kind == CG_INT ? cg_whole((int64_t)whole) : cg_truth(whole != 0));
            } else {
                double number;
                good = take(b, &at, &number, 8);
                if (good && !isnan(number))
                    cg_table_set(t, r, k, cg_number(number));
            }
        }
    }
    if (good)
        return t;
    cg_table_free(t);
    return NULL;
}
