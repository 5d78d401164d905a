/* figure.h - a figure as a value: what is drawn, not how.
 * Takes tables and columns; gives the rows that a picture shows, as one table: a column `series` when there are
 * several, then x and y (of a histogram from, to and count). builtins_plot.c makes them, report/figure.c draws them. */
#ifndef CG_FIGURE_H
#define CG_FIGURE_H
#include "table/table.h"

typedef enum CgFigureKind { CG_SCATTER, CG_LINE, CG_BAR, CG_HIST } CgFigureKind;

typedef struct CgFigure {
    CgFigureKind kind;
    const char *title, *xlabel, *ylabel; /* title may be NULL */
    bool log_x, log_y;
    CgTable *data;
    bool series;     /* column 0 of data names the series */
    size_t left_out; /* rows with a missing or infinite number */
} CgFigure;
#endif
