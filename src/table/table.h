/* table.h - named columns of numbers, whole numbers and text.
 * Takes cells; gives selections, groups, joins, and text for the terminal, CSV and JSON Lines.
 * Must not guess: a column that is not there is an error with a suggestion. A table is built row by row,
 * then only read: everything else makes a new table. Any cell may be missing. */
#ifndef CG_TABLE_H
#define CG_TABLE_H
#include <stdio.h>
#include "base/err.h"
#include "base/io.h"
#include "base/strbuf.h"

typedef enum CgCellKind { CG_NUMBER, CG_INT, CG_TEXT } CgCellKind;

typedef struct CgCell {
    bool missing;
    double number;    /* CG_NUMBER */
    int64_t whole;    /* CG_INT */
    const char *text; /* CG_TEXT; copied by the table it is put in, UTF-8 */
} CgCell;

typedef struct CgColumn {
    char *name;
    CgCellKind kind;
    CgCell *at;
} CgColumn; /* at[rows] */

typedef struct CgTable {
    CgColumn *column;
    int ncolumns;
    size_t rows, cap;
    void *texts; /* arena of the texts */
} CgTable;

#define CG_MISSING ((CgCell){ .missing = true })
static inline CgCell cg_number(double x) { return (CgCell){ .number = x }; }
static inline CgCell cg_whole(int64_t x) { return (CgCell){ .whole = x }; }
static inline CgCell cg_text(const char *s) { return (CgCell){ .missing = !s, .text = s }; }

CgTable *cg_table_new(void);
void cg_table_free(CgTable *t);
/* a column: its index; a name already there is a bug. Old rows miss it */
int cg_table_add(CgTable *t, const char *name, CgCellKind kind);
/* a row of missing cells: its index */
size_t cg_table_row(CgTable *t);
void cg_table_set(CgTable *t, size_t row, int column, CgCell cell);
/* -1 and an error with a suggestion when there is no such column; `e` may be NULL to ask quietly. */
int cg_table_find(const CgTable *t, const char *name, CgErr *e);
bool cg_cell_absent(const CgColumn *c, size_t row);               /* missing, or NaN */
double cg_table_number(const CgTable *t, size_t row, int column); /* NAN when missing; text is a bug */
/* A column as doubles, malloc'd, rows long; NULL and an error when it is not there or is text. */
CG_NODISCARD double *cg_table_numbers(const CgTable *t, const char *name, CgErr *e);

/* ---- new tables out of old ones; NULL and an error when a column is not there or does not fit */
CG_NODISCARD CgTable *cg_table_select(const CgTable *t, const char *const *names, int n, CgErr *e);
/* rows[i]: row i stays */
CgTable *cg_table_keep(const CgTable *t, const bool *rows);
/* stable; missing last */
CG_NODISCARD CgTable *cg_table_sort(const CgTable *t, const char *name, bool down, CgErr *e);
/* Rows of b below those of a; columns by name, those of one only are missing in the other. */
CG_NODISCARD CgTable *cg_table_append(const CgTable *a, const CgTable *b, CgErr *e);
/* One row for each different value of the columns `by` (none: one row), in order of first sight: those
 * columns, `n` (rows; called `rows` when a column is called n), and of each column in `of` the mean
 * (CG_MEAN), sum, median, least, most, standard deviation, or an end of the 95% bootstrap interval of the
 * mean (1000 resamples, seed 0), missing cells left out. */
typedef enum CgFold { CG_MEAN, CG_SUM, CG_MEDIAN, CG_LEAST, CG_MOST, CG_STD, CG_LOW, CG_HIGH } CgFold;
CG_NODISCARD CgTable *cg_table_group(
    const CgTable *t, const char *const *by, int nby, const char *const *of, int nof, CgFold fold, CgErr *e);
/* The table with one more column, NAME.bin: the middle of the bin the row's NAME falls in. n bins of equal
 * width from the least to the most, or of equally many rows (`even`; then the middle is the median of the
 * bin's rows). Missing cells have no bin. */
CG_NODISCARD CgTable *cg_table_bin(const CgTable *t, const char *name, int n, bool even, CgErr *e);
/* Rows of a beside the rows of b with an equal cell in column `on`; other columns of b that a has too get
 * ".2" behind their name. */
CG_NODISCARD CgTable *cg_table_join(const CgTable *a, const CgTable *b, const char *on, CgErr *e);
/* One row for each value of `rows`, one column for each value of `columns`, cells from `value`: the mean
 * where several meet. */
CG_NODISCARD CgTable *cg_table_pivot(
    const CgTable *t, const char *rows, const char *columns, const char *value, CgErr *e);

/* ---- bytes (binary.c) */
void cg_table_pack(const CgTable *t, CgStrbuf *out);
CG_NODISCARD CgTable *cg_table_unpack(const CgBytes *b); /* NULL: they are no table */

/* ---- text (text.c) */
/* Aligned for a terminal: columns padded by display width, numbers to the right with as many decimals as the
 * column needs for about four digits; long texts cut to `width` (0: 48) with an ellipsis, control characters
 * shown as '.'; missing as '-'. At most `most` rows (0: all), then a line that says how many more there are.
 * Scores in [0, 1] are printed as they are, not in percent. */
void cg_table_print(const CgTable *t, size_t most, int width, CgStrbuf *out);
/* RFC 4180; numbers read back to the same bits; missing is empty */
void cg_table_csv(const CgTable *t, CgStrbuf *out);
/* an object a row; missing, NaN and infinity are null */
void cg_table_jsonl(const CgTable *t, CgStrbuf *out);
/* ".csv" or ".jsonl" by the end of the path; another end is an error. Written whole or not at all. */
CG_NODISCARD bool cg_table_save(const CgTable *t, const char *path, CgErr *e);
void cg_number_print(double x, CgStrbuf *out);                    /* the shortest text that reads back to x */
void cg_cell_print(const CgColumn *c, size_t row, CgStrbuf *out); /* as CSV has it, unquoted; "-" when absent */
int cg_text_width(const char *s, size_t n);                       /* columns on a terminal */
#endif
