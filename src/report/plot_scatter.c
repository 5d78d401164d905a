/* plot_scatter.c - points.
 * Takes x and y of each row; gives a point for each, and where it is asked for the line that fits them best with the
 * interval of what it says. Many points lie on each other: they shine through. */
#include <math.h>
#include <stdlib.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "report/plot.h"
#include "table/stats.h"

enum { X, Y };

static double shown(double v, bool log) { return log ? log10(v) : v; }
static double taken(double v, bool log) { return log ? pow(10, v) : v; }

/* The least squares line through the n rows row[], on the axes as they are shown, into column `to` at each: with the
 * 95% interval of the mean of y there, by Student's t. Fewer than three rows or one x have no line. */
static void fit_rows(const CgFigure *f, const size_t *row, size_t n, int to)
{
    CgTable *t = f->data;
    double mx = 0, my = 0, xx = 0, xy = 0, rest = 0;
    double *x = cg_calloc(2 * n + 1, sizeof *x), *y = x + n;
    for (size_t i = 0; i < n; i++) {
        x[i] = shown(cg_table_number(t, row[i], f->column[X]), f->log_x);
        y[i] = shown(cg_table_number(t, row[i], f->column[Y]), f->log_y);
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    for (size_t i = 0; i < n && xx > 0; i++) {
        double away = y[i] - my - xy / xx * (x[i] - mx);
        rest += away * away;
    }
    double wide = n > 2 ? cg_stats_t_quantile(0.975, (double)n - 2) * sqrt(rest / ((double)n - 2)) : 0;
    for (size_t i = 0; i < n && n > 2 && xx > 1e-24 * mx * mx; i++) {
        double at = my + xy / xx * (x[i] - mx), half = wide * sqrt(1 / (double)n + (x[i] - mx) * (x[i] - mx) / xx);
        cg_table_set(t, row[i], to, cg_number(taken(at, f->log_y)));
        cg_table_spread(t, row[i], to, (CgSpread){ taken(at - half, f->log_y), taken(at + half, f->log_y) });
    }
    free(x);
}

/* One more column, `fit`, of each series. */
static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    const char **names = NULL;
    (void)err;
    if (!cg_record_find(call, cg_intern("fit"))->i)
        return true;
    int n = f->series ? cg_draw_distinct(f->data, 0, &names) : 1, to = cg_table_add_distinct(f->data, "fit", CG_NUMBER);
    size_t *row = cg_malloc((f->data->rows + 1) * sizeof *row);
    for (int k = 0; k < n; k++) {
        size_t count = 0;
        for (size_t r = 0; r < f->data->rows; r++)
            if (cg_draw_is_of(f, r, names ? names[k] : ""))
                row[count++] = r;
        fit_rows(f, row, count, to);
    }
    free(row);
    free(names);
    f->column[2] = to;
    return true;
}

/* Each series' line and its interval, below the points. */
static bool draw_fits(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    CgFigure fit = *f;
    CgErr ignored = { 0 };
    const char *x = f->data->column[f->column[X]].name;
    bool first = true;
    fit.column[Y] = f->column[2];
    fit.data = cg_table_sort(f->data, &x, 1, false, &ignored);
    size_t *rows = cg_calloc((size_t)n + 1, sizeof *rows);
    for (int k = 0; k < n; k++)
        rows[k] = cg_draw_intervals(&fit, series, k, 'f', out);
    for (int k = 0; k < 2 * n; k++) {
        if (!rows[k % n])
            continue;
        cg_draw_next(first, out);
        first = false;
        if (k < n)
            cg_strbuf_printf(out,
                "$f%d using 1:3:4 with filledcurves fill transparent solid 0.15 noborder lc rgb '#%s' notitle", k,
                cg_draw_colour(k));
        else
            cg_strbuf_printf(out, "$f%d using 1:2 with lines lw 2 dt %s lc rgb '#%s' notitle", k % n,
                cg_draw_dash(k % n), cg_draw_colour(k % n));
    }
    cg_table_free(fit.data);
    free(rows);
    return first;
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    size_t most = 0, *ends = cg_calloc((size_t)n + 1, sizeof *ends);
    for (int k = 0; k < n; k++) {
        size_t count = cg_draw_rows(f, series, k, f->column, 2, out);
        ends[k] = cg_draw_intervals(f, series, k, 'e', out);
        most = count > most ? count : most;
    }
    bool first = f->column[2] < 0 || draw_fits(f, series, n, out);
    const char *size = most > 400 ? "0.5" : "0.75", *through = most > 400 ? "90" : most > 60 ? "55" : "20";
    for (int k = 0; k < n; k++) {
        cg_draw_next(first, out);
        first = false;
        cg_strbuf_printf(out, "$s%d using 1:2 with points pt %d ps %s lc rgb '#%s%s'", k, cg_draw_point(k), size,
            through, cg_draw_colour(k));
        cg_strbuf_printf(out, " notitle, \\\n     keyentry with points pt %d ps 1 lc rgb '#%s'", cg_draw_point(k),
            cg_draw_colour(k)); /* as dark in the key as many of them are */
        cg_draw_title(series[k], out);
        if (ends[k]) {
            cg_draw_next(false, out);
            cg_strbuf_printf(out,
                "$e%d using 1:3:(0):($4-$3) with vectors heads size graph 0.008,90 lc rgb '#%s' notitle", k,
                cg_draw_colour(k));
        }
    }
    free(ends);
}

CG_PLOT(scatter,
    .sig = "(scores: table | record, x: " CG_PLOT_ONE ", y: " CG_PLOT_SEVERAL ", " CG_PLOT_GROUP ", " CG_PLOT_LABELS
           ", log: { x, y, xy } | none = none, fit: bool = false) -> figure",
    .doc = "A point for each row of a table: plot.scatter(scores, x = entropy, y = f1). Series by a column `group`, by "
           "several columns y = [a, b], or by the tables of a record. log is \"x\", \"y\" or \"xy\". `fit` draws "
           "the least squares line of each series, on the axes as they are shown, with its 95% interval; `panels` "
           "a small figure for each value of a column. `save ... as \"file.svg\"`, .pdf or .png, with the data in "
           "file.csv.",
    .column = { { "x", CG_CELL_NUMBER, false }, { "y", CG_CELL_NUMBER, true } }, .fold = fold, .draw = draw)
