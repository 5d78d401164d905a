/* plot_line.c - lines.
 * Takes x and y of each row; gives the points of a series joined in the order of x, marked while they are few. */
#include "report/plot.h"

enum { X, Y, FEW = 40 /* points of a line that are still marked */ };

static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    (void)call;
    return cg_figure_sort(f, X, err);
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    size_t most = 0;
    for (int k = 0; k < n; k++) {
        size_t count = cg_draw_rows(f, series, k, f->column, 2, out);
        most = count > most ? count : most;
    }
    for (int k = 0; k < n; k++) {
        cg_draw_next(k == 0, out);
        if (most > FEW)
            cg_strbuf_printf(out, "$s%d using 1:2 with lines lw 2 lc rgb '#%s'", k, cg_draw_colour(k));
        else
            cg_strbuf_printf(out, "$s%d using 1:2 with linespoints lw 2 pt %d ps 0.6 lc rgb '#%s'", k, cg_draw_point(k),
                cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
}

CG_PLOT(line,
    .sig = "(scores: table | record, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_GROUP ", " CG_PLOT_LABELS
           ", log: { x, y, xy } | none = none) -> figure",
    .doc = "As plot.scatter, with the points of a series joined in the order of x.",
    .column = { { "x", CG_CELL_NUMBER, false }, { "y", CG_CELL_NUMBER, true } }, .fold = fold, .draw = draw)
