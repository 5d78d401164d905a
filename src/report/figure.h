/* figure.h - figures of an experiment as files.
 * Takes a figure; gives a picture drawn by gnuplot and, always, its data as CSV beside it. Equal figures give equal
 * bytes. */
#ifndef CG_REPORT_FIGURE_H
#define CG_REPORT_FIGURE_H
#include "base/strbuf.h"
#include "run/tensor.h"
#include "table/figure.h"

/* By the end of the path: .svg, .pdf and .png are drawn, .gp is the script that draws them, .csv the data alone. A
 * picture comes with FILE.csv. False after a mistake. *warning is set when gnuplot is not there: the data is written,
 * the picture is not. */
CG_NODISCARD bool cg_figure_save(const CgFigure *f, const char *path, CgStrbuf *warning, CgErr *e);
/* The script for gnuplot; `format` is "svg", "pdf" or "png". It reads no file and writes to stdout. */
void cg_figure_script(const CgFigure *f, const char *format, CgStrbuf *out);
/* Sizes in pixels of 1/96 inch. */
void cg_figure_terminal(const char *format, int wide, int high, int font, CgStrbuf *out);
/* matrix.c: a tensor as heat maps, of its last two axes for each place of the others; the path ends in .svg, .pdf or
 * .png. Fails where there are too many numbers, and where there is no gnuplot. */
CG_NODISCARD bool cg_matrix_script(const CgTensor *t, const char *format, CgStrbuf *out, CgErr *e);
CG_NODISCARD bool cg_matrix_save(const CgTensor *t, const char *path, CgErr *e);
/* gnuplot.c: runs a script; what it wrote is appended to *out. *absent: there is no gnuplot, and no mistake. */
CG_NODISCARD bool cg_gnuplot_run(const CgStrbuf *script, CgStrbuf *out, bool *absent, CgErr *e);
#endif
