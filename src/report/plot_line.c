/* plot_line.c - lines.
 * Takes x and y of each row; gives the points of a series joined in the order of x, marked while they are few, and a
 * band where y has an interval. */
#include <stdlib.h>

#include "report/plot.h"

enum { X, Y, FEW = 40 /* points of a line that are still marked */ };

static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    (void)call;
    return cg_figure_sort(f, X, err);
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    size_t most = 0, *band = cg_calloc((size_t)n + 1, sizeof *band);
    bool first = true;
    for (int k = 0; k < n; k++) {
        size_t count = cg_draw_rows(f, series, k, f->column, 2, out);
        band[k] = cg_draw_intervals(f, series, k, 'b', out);
        most = count > most ? count : most;
    }
    for (int k = 0; k < n; k++)
        if (band[k]) {
            cg_draw_next(first, out);
            first = false;
            cg_strbuf_printf(out,
                "$b%d using 1:3:4 with filledcurves fill transparent solid 0.2 noborder lc rgb '#%s' notitle", k,
                cg_draw_colour(k));
        }
    for (int k = 0; k < n; k++) {
        cg_draw_next(first, out);
        first = false;
        if (most > FEW)
            cg_strbuf_printf(
                out, "$s%d using 1:2 with lines lw 2 dt %s lc rgb '#%s'", k, cg_draw_dash(k), cg_draw_colour(k));
        else
            cg_strbuf_printf(out, "$s%d using 1:2 with linespoints lw 2 dt %s pt %d ps 0.6 lc rgb '#%s'", k,
                cg_draw_dash(k), cg_draw_point(k), cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
    free(band);
}

CG_PLOT(line,
    .sig = "(scores: table | record, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_GROUP ", " CG_PLOT_LABELS
           ", log: { x, y, xy } | none = none) -> figure",
    .doc = "As plot.scatter, with the points of a series joined in the order of x. A y with intervals, as of "
           "table(group(runs, by = step), { loss: interval(mean(loss)) }), has a band.",
    .column = { { "x", CG_CELL_NUMBER, false }, { "y", CG_CELL_NUMBER, true } }, .fold = fold, .draw = draw)
