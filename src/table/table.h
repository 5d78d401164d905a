/* table.h - named columns of numbers, whole numbers, texts and truth values.
 * Takes cells; gives selections, groups, joins, and text for the terminal, Markdown, LaTeX, CSV and JSON Lines.
 * Must not guess: a column that is not there is an error with a suggestion. A table is built row by row, then only
 * read: everything else makes a new table. Any cell may be missing. */
#ifndef CG_TABLE_H
#define CG_TABLE_H
#include <stdio.h>

#include <cg/cg.h>

#include "base/err.h"
#include "base/io.h"
#include "base/strbuf.h"

typedef enum CgCellKind { CG_NUMBER, CG_INT, CG_TEXT, CG_TRUTH } CgCellKind; /* these numbers are in stored tables */

typedef struct CgCell {
    bool missing;
    union {
        double number;    /* CG_NUMBER */
        int64_t whole;    /* CG_INT */
        const char *text; /* CG_TEXT; copied by the table it is put in, UTF-8 */
        bool truth;       /* CG_TRUTH */
    };
} CgCell;

/* Between what a number may lie. */
typedef struct CgSpread {
    double low, high;
} CgSpread;

typedef struct CgFormat {
    bool percent;  /* a share is shown times 100 */
    bool decimals; /* as many as `digits` says; else as the column needs */
    int digits;
} CgFormat;

typedef struct CgColumn {
    char *name;
    CgCellKind kind;
    CgCell *at;       /* [rows] */
    CgSpread *spread; /* [rows], of numbers; NULL: none */
    CgFormat format;
    char *signature; /* of the metric in it, printed below the table; NULL: none */
} CgColumn;

struct CgTable {
    CgColumn *column;
    int ncolumns;
    size_t rows, cap;
    void *texts; /* arena of the texts */
};

#define CG_MISSING ((CgCell){ .missing = true })
static inline CgCell cg_number(double x) { return (CgCell){ .number = x }; }
static inline CgCell cg_whole(int64_t x) { return (CgCell){ .whole = x }; }
static inline CgCell cg_text(const char *s) { return (CgCell){ .missing = !s, .text = s }; }
static inline CgCell cg_truth(bool b) { return (CgCell){ .truth = b }; }

/* ---- building (table.c) */
CgTable *cg_table_new(void);
void cg_table_free(CgTable *t);
/* a column: its index; a name already there is a bug. Old rows miss it */
int cg_table_add(CgTable *t, const char *name, CgCellKind kind);
/* likewise; "_2", "_3" .. stands behind a name that is there */
int cg_table_add_distinct(CgTable *t, const char *name, CgCellKind kind);
/* a row of missing cells: its index */
size_t cg_table_row(CgTable *t);
void cg_table_set(CgTable *t, size_t row, int column, CgCell cell);
void cg_table_spread(CgTable *t, size_t row, int column, CgSpread spread);
void cg_table_sign(CgTable *t, int column, const char *signature); /* "" or NULL: none */
/* -1 and an error with a suggestion when there is no such column; `e` may be NULL to ask quietly. */
int cg_table_find(const CgTable *t, const char *name, CgErr *e);
bool cg_cell_absent(const CgColumn *c, size_t row); /* missing, or NaN */
/* A column as doubles, malloc'd, rows long; NULL and an error when it is not there or is text. */
CG_NODISCARD double *cg_table_numbers(const CgTable *t, const char *name, CgErr *e);

/* ---- new tables out of old ones (shape.c); NULL and an error when a column is not there or does not fit */
CG_NODISCARD CgTable *cg_table_select(const CgTable *t, const char *const *names, int n, CgErr *e);
CgTable *cg_table_copy(const CgTable *t);
/* rows[0..n) of t, in this order */
CgTable *cg_table_take(const CgTable *t, const size_t *rows, size_t n);
/* By the first column, equal ones by the second ..; stable; missing last. */
CG_NODISCARD CgTable *cg_table_sort(const CgTable *t, const char *const *by, int nby, bool down, CgErr *e);
/* Puts the rows of `from` below those of `to`; columns by name, those of one only are missing in the other. */
CG_NODISCARD bool cg_table_extend(CgTable *to, const CgTable *from, CgErr *e);

/* Columns of a, then those of b, which has as many rows and none of their names. */
CgTable *cg_table_beside(const CgTable *a, const CgTable *b);

/* Rows with equal cells in some columns. */
typedef struct CgGroups {
    size_t n;
    size_t *of;    /* [rows of the table] the group of each row; groups are numbered by first sight */
    size_t *first; /* [n + 1] where the rows of a group begin in `row` */
    size_t *row;   /* [rows of the table] */
} CgGroups;
CG_NODISCARD bool cg_table_group(const CgTable *t, const char *const *by, int nby, CgGroups *out, CgErr *e);
void cg_groups_deinit(CgGroups *g);
/* One row a group: the columns `by`. */
CgTable *cg_table_keys(const CgTable *t, const char *const *by, int nby, const CgGroups *g);
/* The table with one more column, NAME_bin: the middle of the bin the row's NAME falls in. n bins of equal width from
 * the least to the most, or of equally many rows (`even`; then the middle is the median of the bin's rows). Missing
 * cells and infinite ones have no bin. */
CG_NODISCARD CgTable *cg_table_bin(const CgTable *t, const char *name, int n, bool even, CgErr *e);
/* Rows of a beside the rows of b with equal cells in the columns `on`; other columns of b that a has too get "_2"
 * behind their name. */
CG_NODISCARD CgTable *cg_table_join(const CgTable *a, const CgTable *b, const char *const *on, int non, CgErr *e);

/* ---- bytes (binary.c) */
void cg_table_pack(const CgTable *t, CgStrbuf *out);
CG_NODISCARD CgTable *cg_table_unpack(const CgBytes *b); /* NULL: they are no table */

/* ---- text (text.c) */
/* Aligned for a terminal: columns padded by display width, numbers to the right with as many decimals as the
 * column needs for about four digits; long texts cut to `width` (0: 48) with an ellipsis, control characters
 * shown as '.'; missing as '-'. At most `most` rows (0: all), then a line that says how many more there are, then the
 * signatures of metrics. Scores in [0, 1] are printed as they are, in percent where the column's format says so. */
void cg_table_print(const CgTable *t, size_t most, int width, CgStrbuf *out);
/* Both with the signatures of metrics below, in LaTeX as comments; a tabular is for the package booktabs. */
void cg_table_markdown(const CgTable *t, CgStrbuf *out);
void cg_table_latex(const CgTable *t, CgStrbuf *out);
/* RFC 4180; numbers read back to the same bits; missing is empty. A spread is two more columns, NAME_low, NAME_high. */
void cg_table_csv(const CgTable *t, CgStrbuf *out);
/* an object a row; missing, NaN and infinity are null */
void cg_table_jsonl(const CgTable *t, CgStrbuf *out);
/* By the end of the path: .csv, .jsonl, .md, .tex; another end is an error. Written whole or not at all. */
CG_NODISCARD bool cg_table_save(const CgTable *t, const char *path, CgErr *e);
void cg_number_print(double x, CgStrbuf *out); /* the shortest text that reads back to x */
void cg_table_cell(const CgTable *t, size_t row, int column, CgStrbuf *out); /* as cg_table_print shows it */
void cg_cell_print(const CgColumn *c, size_t row, CgStrbuf *out); /* as CSV has it, unquoted; "-" when absent */
int cg_text_width(const char *s, size_t n);                       /* columns on a terminal */

/* ---- reading (read.c) */
/* A file of CSV or JSON Lines. A column whose cells are all whole numbers, numbers or truth values has that kind, else
 * text; in CSV an empty cell without quotes is missing. Errors name file and line. */
CG_NODISCARD CgTable *cg_table_read(const char *path, CgErr *e);
#endif
