/* plot_stem.c - stems.
 * Takes x and y of each row; gives a line from zero to each point. */
#include "report/plot.h"

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    for (int k = 0; k < n; k++)
        cg_draw_rows(f, series, k, f->column, 2, out);
    for (int k = 0; k < n; k++) {
        cg_draw_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2 with impulses lw 2 lc rgb '#%s'", k, cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
}

CG_PLOT(stem, .sig = "(scores: table, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_LABELS ") -> figure",
    .column = { { "x", CG_CELL_NUMBER, false }, { "y", CG_CELL_NUMBER, true } }, .draw = draw,
    .doc = "A line from zero to each point.")
