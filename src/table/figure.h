/* figure.h - a figure as a value: what is drawn, not how.
 * Takes tables and columns; gives the rows that a picture shows, as one table: a column `series` when there are
 * several, then those of its kind. library/plot.c makes them, report/plot_NAME.c has the kinds, report/figure.c draws.
 */
#ifndef CG_FIGURE_H
#define CG_FIGURE_H
#include "table/table.h"

enum { CG_PLOT_COLUMNS = 6 };

typedef struct CgPlot CgPlot; /* a kind of figure */

typedef struct CgFigure {
    const CgPlot *plot;
    struct CgFigure *panel; /* small multiples, each with its title and its rows of data; NULL: none */
    int panels;
    bool is_panel;                       /* it is one of them */
    const char *title, *xlabel, *ylabel; /* NULL: none, or what the columns are called */
    bool log_x, log_y;
    CgTable *data;
    bool series;       /* column 0 of data names the series ... */
    const char **name; /* ... which are these, in the order they have in the key and by colour */
    int names;
    int column[CG_PLOT_COLUMNS]; /* of the kind's columns, where they are in data; -1: not given */
    size_t left_out;             /* rows with a missing or infinite number */
    /* of a panel: between what all panels show; NAN: as its own rows need */
    double x_low, x_high, y_low, y_high;
} CgFigure;
#endif
