/* plot.h - what a kind of figure is.
 * Takes a table's rows; gives what is shown of them and commands for gnuplot. Each kind is one file plot_NAME.c that
 * ends in its entry, CG_PLOT, which makes it the function plot.NAME of the language, too. Titles, axes, series and the
 * key are the same for all kinds (figure.c), and so are the arguments that say them (library/plot.c). */
#ifndef CG_PLOT_H
#define CG_PLOT_H
#include <cg/function.h>

#include "base/strbuf.h"
#include "table/figure.h"

typedef enum CgPlotCell {
    CG_CELL_NONE,
    CG_CELL_NUMBER, /* rows where it is missing or infinite are left out */
    CG_CELL_NAME    /* text, and numbers as they are written */
} CgPlotCell;

/* A parameter that names a column; the data has one for each that is given, in this order. */
typedef struct CgPlotColumn {
    const char *parameter;
    CgPlotCell cell;
    bool several; /* may be a list of columns, which are the series; one of them has this */
} CgPlotColumn;

struct CgPlot {
    const char *name;
    /* "(scores: table | record, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_LABELS ") -> figure": besides the
     * columns, parameters called scores, group, title, xlabel, ylabel, panels and log mean what they say for every
     * kind. */
    const char *sig, *doc;
    CgPlotColumn column[CG_PLOT_COLUMNS]; /* the first is x of the axes, the second y */
    const char *grid;                     /* which lines of it, as gnuplot says: "noxtics ytics"; NULL: all */
    /* More that may be wrong with arguments whose kinds are right and whose columns are there; may be NULL. */
    bool (*check)(CgElab *e, const CgArguments *a);
    /* Rows as they came to those that are shown: counts, means, an order. `call` has the arguments. May be NULL. */
    bool (*fold)(CgFigure *f, const CgValue *call, CgErr *err);
    /* Appends settings, data, and one command `plot` for the n series. */
    void (*draw)(const CgFigure *f, const char *const *series, int n, CgStrbuf *out);
    int version;
    const char *file;
    int line;
};

#define CG_PLOT_ONE     "column | labels | str"
#define CG_PLOT_SEVERAL "column | labels | str | column[] | str[]"
#define CG_PLOT_LABELS                                                                 \
    "title: str | none = none, xlabel: str | none = none, ylabel: str | none = none, " \
    "panels: " CG_PLOT_ONE " | none = none"
#define CG_PLOT_GROUP "group: " CG_PLOT_ONE " | none = none"

/* The last line of the file of a kind. */
#define CG_PLOT(kind, ...)                                                           \
    extern const CgPlot cg_plot_entry_##kind;                                        \
    const CgPlot cg_plot_entry_##kind = {                                            \
        .name = #kind, .version = 1, .file = __FILE__, .line = __LINE__, __VA_ARGS__ \
    };

/* ---- axes (axis.c) */
/* Range and tics of the axis that shows column k, where gnuplot's own are hard to read; `low` and `high` are those of
 * all panels, NAN: as the rows need. */
void cg_draw_axis(const CgFigure *f, const char *axis, int k, bool log, double low, double high, CgStrbuf *out);

/* ---- what kinds draw with (draw.c) */
const char *cg_draw_colour(int series);              /* RRGGBB */
int cg_draw_point(int series);                       /* gnuplot's number of a form */
const char *cg_draw_dash(int series);                /* as gnuplot says it */
void cg_draw_text(const char *s, CgStrbuf *out);     /* in quotes; nothing in it is a command */
void cg_draw_tic(const char *s, CgStrbuf *out);      /* the name of a tic, in quotes */
void cg_draw_next(bool first, CgStrbuf *out);        /* `plot`, or the comma between two of its parts */
void cg_draw_title(const char *name, CgStrbuf *out); /* ` title 'name'` */
/* Rows of series k as the block $s<k>: columns of data, in the order given; their number. */
size_t cg_draw_rows(const CgFigure *f, const char *const *series, int k, const int *column, int n, CgStrbuf *out);
/* Rows of series k whose y has an interval, as the block $<name><k> of x, y, low, high; their number. */
size_t cg_draw_intervals(const CgFigure *f, const char *const *series, int k, char name, CgStrbuf *out);
void cg_draw_from_zero(const CgFigure *f, CgStrbuf *out); /* the y axis */
bool cg_draw_is_of(const CgFigure *f, size_t row, const char *series);
/* Different texts of a column: in the order of numbers where they all are numbers, else of first sight; the array is
 * the caller's, the texts are the table's. */
int cg_draw_distinct(const CgTable *t, int column, const char ***out);
const char *cg_draw_cell(const CgTable *t, size_t row, int column); /* of text; "" where it is missing */
/* Puts the rows into the order of one of the kind's columns. */
bool cg_figure_sort(CgFigure *f, int column, CgErr *err);
#endif
