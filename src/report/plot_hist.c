/* plot_hist.c - histograms.
 * Takes a number of each row; gives how many fall into each of some bins of equal width, the same for all series. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "report/plot.h"

enum { X, BINS = 2, MAX_BINS = 1000 };

static bool check(CgElab *e, const CgArguments *a)
{
    const CgValue *bins = a->at[BINS];
    if (bins->kind == CG_VALUE_NONE || (bins->i >= 1 && bins->i <= MAX_BINS))
        return true;
    cg_elab_error(e, CG_E0316, a->span[BINS], "'bins' of plot.hist is a number from 1 to %d, not %lld", MAX_BINS,
        (long long)bins->i);
    return false;
}

/* Counts in bins of equal width from the least number to the most. */
static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    const CgValue *bins = cg_record_find(call, cg_intern("bins"));
    CgTable *points = f->data;
    double least = INFINITY, most = -INFINITY;
    int x = f->column[X];
    (void)err;
    for (size_t r = 0; r < points->rows; r++) {
        least = fmin(least, cg_table_number(points, r, x));
        most = fmax(most, cg_table_number(points, r, x));
    }
    least = isnan(f->x_low) ? least : f->x_low; /* panels have the same bins */
    most = isnan(f->x_high) ? most : f->x_high;
    double rice = ceil(2 * cbrt((double)points->rows)); /* 2 n^(1/3) bins, the rule called after Rice University */
    int n = bins->kind == CG_VALUE_INT ? (int)bins->i : (int)fmin(fmax(rice, 5), 60);
    if (points->rows && most == least)
        least -= 0.5, most += 0.5;
    const char **names = NULL;
    int nseries = f->series ? cg_draw_distinct(points, 0, &names) : 1;
    CgTable *t = f->data = cg_table_new();
    if (f->series)
        cg_table_add(t, points->column[0].name, CG_TEXT);
    int from = cg_table_add_distinct(t, "from", CG_NUMBER), to = cg_table_add_distinct(t, "to", CG_NUMBER),
        count = cg_table_add_distinct(t, "count", CG_INT);
    for (int k = 0; points->rows && k < nseries; k++) {
        size_t first = t->rows;
        const char *s = f->series ? names[k] : "";
        for (int b = 0; b < n; b++) {
            size_t row = cg_table_row(t);
            if (f->series)
                cg_table_set(t, row, 0, cg_text(s));
            cg_table_set(t, row, from, cg_number(least + (most - least) * b / n));
            cg_table_set(t, row, to, cg_number(least + (most - least) * (b + 1) / n));
            cg_table_set(t, row, count, cg_whole(0));
        }
        for (size_t r = 0; r < points->rows; r++) {
            if (f->series && strcmp(cg_draw_cell(points, r, 0), s) != 0)
                continue;
            int b = (int)((cg_table_number(points, r, x) - least) / (most - least) * n);
            size_t row = first + (size_t)(b < n ? b : n - 1);
            cg_table_set(t, row, count, cg_whole(t->column[count].at[row].whole + 1));
        }
    }
    free(names);
    cg_table_free(points);
    f->column[X] = from;
    f->column[1] = count; /* what the y axis shows */
    f->ylabel = f->ylabel ? f->ylabel : "count";
    return true;
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    const CgTable *t = f->data;
    int from = f->column[X];
    for (int k = 0; k < n; k++) {
        cg_strbuf_printf(out, "$s%d << EOD\n", k);
        for (size_t r = 0; r < t->rows; r++) {
            if (!cg_draw_is_of(f, r, series[k]))
                continue;
            double a = cg_table_number(t, r, from), b = cg_table_number(t, r, from + 1);
            cg_number_print((a + b) / 2, out);
            cg_strbuf_printf(out, " %lld ", (long long)t->column[from + 2].at[r].whole);
            cg_number_print(b - a, out);
            cg_strbuf_putc(out, '\n');
        }
        cg_strbuf_puts(out, "EOD\n");
    }
    cg_draw_from_zero(f, out);
    cg_strbuf_printf(
        out, "set style fill %ssolid %s border rgb '#ffffff'\n", n > 1 ? "transparent " : "", n > 1 ? "0.4" : "0.9");
    for (int k = 0; k < n; k++) {
        cg_draw_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2:3 with boxes lc rgb '#%s'", k, cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
    for (int k = 0; n > 1 && k < n; k++) /* where they lie upon each other, grey would not tell them apart */
        cg_strbuf_printf(out, ", \\\n     $s%d using 1:2 with histeps lw 2 dt %s lc rgb '#%s' notitle", k,
            cg_draw_dash(k), cg_draw_colour(k));
}

CG_PLOT(hist,
    .sig = "(scores: table | record, x: " CG_PLOT_SEVERAL ", bins: int | none = none, " CG_PLOT_GROUP
           ", " CG_PLOT_LABELS ") -> figure",
    .doc = "How often numbers of column x fall into bins of equal width.", .column = { { "x", CG_CELL_NUMBER, true } },
    .grid = "noxtics ytics ", .check = check, .fold = fold, .draw = draw)
