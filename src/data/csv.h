/* csv.h - rows of cells in text with separators (RFC 4180).
 * Takes bytes; gives one row at a time, quotes taken off. Must not guess what a cell means: all cells are text. */
#ifndef CG_CSV_H
#define CG_CSV_H
#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "data/text.h"

typedef struct CgCsv {
    const char *path, *at, *end;
    uint32_t line, next; /* where the row at hand begins, and the one after it; 1-based */
    char separator;
    CG_VEC(CgText) cell; /* of the row at hand; borrowed until the next row */
    CgStrbuf plain;      /* what the cells point into */
} CgCsv;

/* `path` is for messages, and says the separator: a tab for .tsv, else a comma. */
void cg_csv_init(CgCsv *c, const char *path, const char *at, size_t len);
void cg_csv_deinit(CgCsv *c);
/* False at the end, and after a mistake (e->text is set). Lines that hold nothing are passed over. */
CG_NODISCARD bool cg_csv_row(CgCsv *c, CgErr *e);
#endif
