/* plot_scatter.c - points.
 * Takes x and y of each row; gives a point for each. Many points lie on each other: they shine through. */
#include "report/plot.h"

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    size_t most = 0;
    for (int k = 0; k < n; k++) {
        size_t count = cg_draw_rows(f, series, k, f->column, 2, out);
        most = count > most ? count : most;
    }
    const char *size = most > 400 ? "0.5" : "0.75", *through = most > 400 ? "90" : most > 60 ? "55" : "20";
    for (int k = 0; k < n; k++) {
        cg_draw_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2 with points pt %d ps %s lc rgb '#%s%s'", k, cg_draw_point(k), size,
            through, cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
}

CG_PLOT(scatter,
    .sig = "(scores: table | record, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_GROUP ", " CG_PLOT_LABELS
           ", log: { x, y, xy } | none = none) -> figure",
    .doc = "A point for each row of a table: plot.scatter(scores, x = entropy, y = f1). Series by a column `group`, by "
           "several columns y = [a, b], or by the tables of a record. log is \"x\", \"y\" or \"xy\". `save ... as "
           "\"file.svg\"` or .png, with the data in file.csv.",
    .column = { { "x", CG_CELL_NUMBER, false }, { "y", CG_CELL_NUMBER, true } }, .draw = draw)
