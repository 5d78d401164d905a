/* plot_bar.c - bars.
 * Takes a name and a number of each row; gives a bar for each name: the mean of its rows, or the number of its only row
 * with the interval it has. Series stand side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "report/plot.h"
#include "table/stats.h"

enum { X, Y };

static bool check(CgElab *e, const CgArguments *a)
{
    enum { SCORES, X_COLUMN = 2 };
    if (a->at[X_COLUMN]->kind != CG_VALUE_NONE || a->at[SCORES]->kind == CG_VALUE_RECORD)
        return true;
    CgDiag *d =
        cg_elab_error(e, CG_E0304, a->call, "plot.bar needs 'x': the column that says which bar a row belongs to");
    cg_diag_help(d, "a record of tables has a bar for each table without it");
    return false;
}

/* One bar for all rows with one name: their mean. */
static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    CgTable *rows = f->data;
    int value = f->column[Y];
    const char *by[2] = { rows->column[0].name, rows->column[f->column[X]].name };
    if (cg_record_find(call, cg_intern("x"))->kind == CG_VALUE_NONE) { /* the bars are tables */
        f->xlabel = f->xlabel ? f->xlabel : "";
        f->ylabel = f->ylabel || !f->series ? f->ylabel : "";
    }
    CgGroups groups;
    if (!cg_table_group(rows, by, value, &groups, err))
        return false;
    f->data = cg_table_keys(rows, by, value, &groups);
    int to = cg_table_add(f->data, rows->column[value].name, CG_NUMBER);
    f->data->column[to].format = rows->column[value].format;
    double *x = cg_malloc(sizeof *x * (rows->rows + 1));
    bool several = false;
    for (size_t g = 0; g < groups.n; g++) {
        size_t n = 0;
        for (size_t i = groups.first[g]; i < groups.first[g + 1]; i++)
            x[n++] = cg_table_number(rows, groups.row[i], value);
        cg_table_set(f->data, g, to, cg_number(cg_stats_mean(x, n)));
        if (n == 1 && rows->column[value].spread)
            cg_table_spread(f->data, g, to, rows->column[value].spread[groups.row[groups.first[g]]]);
        several |= n > 1;
    }
    free(x);
    bool good = !several || !rows->column[value].spread
        || cg_err(err, CG_ERR_INPUT, "several rows with intervals of '%s' would be one bar: their mean has none",
            rows->column[value].name);
    f->column[Y] = to;
    cg_groups_deinit(&groups);
    cg_table_free(rows);
    return good;
}

/* The ends of intervals, each in the middle of its bar. */
static void put_ends(const CgFigure *f, const char *series, int k, const char *const *bars, double aside, CgStrbuf *out)
{
    const CgTable *t = f->data;
    const CgSpread *ends = t->column[f->column[Y]].spread;
    if (!ends)
        return;
    cg_strbuf_printf(out, "$e%d << EOD\n", k);
    for (size_t r = 0; r < t->rows; r++) {
        if (!cg_draw_is_of(f, r, series) || !isfinite(ends[r].low) || !isfinite(ends[r].high))
            continue;
        int b = 0;
        while (strcmp(bars[b], cg_draw_cell(t, r, f->column[X])) != 0)
            b++;
        double at[4] = { b + aside, cg_table_number(t, r, f->column[Y]), ends[r].low, ends[r].high };
        for (size_t i = 0; i < CG_LEN(at); i++) {
            cg_strbuf_puts(out, i ? " " : "");
            cg_number_print(at[i], out);
        }
        cg_strbuf_putc(out, '\n');
    }
    cg_strbuf_puts(out, "EOD\n");
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    const CgTable *t = f->data;
    const char **bars;
    int x = f->column[X], y = f->column[Y], nbars = cg_draw_distinct(t, x, &bars);
    size_t longest = 0;
    bool below = false;
    double wide = 0.8 / n;
    for (int b = 0; b < nbars; b++)
        longest = strlen(bars[b]) > longest ? strlen(bars[b]) : longest;
    for (size_t r = 0; r < t->rows; r++)
        below |= cg_table_number(t, r, y) < 0 || (t->column[y].spread && t->column[y].spread[r].low < 0);
    cg_strbuf_printf(out, "set xtics %sscale 0 (", (longest + 2) * (size_t)nbars > 72 ? "rotate by 30 right " : "");
    for (int b = 0; b < nbars; b++) {
        cg_strbuf_puts(out, b ? ", " : "");
        cg_draw_tic(bars[b], out);
        cg_strbuf_printf(out, " %d", b);
    }
    cg_strbuf_printf(out, ")\nset xrange [-0.6:%d.%d]\n", nbars ? nbars - 1 : 0, 6);
    if (!below)
        cg_draw_from_zero(f, out);
    for (int k = 0; k < n; k++) {
        cg_strbuf_printf(out, "$s%d << EOD\n", k);
        for (size_t r = 0; r < t->rows; r++) {
            if (!cg_draw_is_of(f, r, series[k]))
                continue;
            int b = 0;
            while (strcmp(bars[b], cg_draw_cell(t, r, x)) != 0)
                b++;
            cg_number_print(b + (k - (n - 1) / 2.0) * wide, out);
            cg_strbuf_putc(out, ' ');
            cg_number_print(cg_table_number(t, r, y), out);
            cg_strbuf_putc(out, '\n');
        }
        cg_strbuf_puts(out, "EOD\n");
        put_ends(f, series[k], k, bars, (k - (n - 1) / 2.0) * wide, out);
    }
    cg_strbuf_printf(
        out, "set style fill solid 0.9 border rgb '#ffffff'\nset boxwidth %.4f\n", n > 1 ? wide * 0.95 : 0.62);
    for (int k = 0; k < n; k++) {
        cg_draw_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2 with boxes lc rgb '#%s'", k, cg_draw_colour(k));
        cg_draw_title(series[k], out);
    }
    for (int k = 0; k < n && t->column[y].spread; k++) {
        cg_draw_next(false, out);
        cg_strbuf_printf(out,
            "$e%d using 1:3:(0):($4-$3) with vectors heads size graph 0.008,90 lw 1.5 lc rgb '#111111' notitle", k);
    }
    free(bars);
}

CG_PLOT(bar,
    .sig = "(scores: table | record, y: " CG_PLOT_SEVERAL ", x: " CG_PLOT_ONE " | none = none, " CG_PLOT_GROUP
           ", " CG_PLOT_LABELS ") -> figure",
    .doc = "A bar for each value of a column x, or for each table of a record: the mean of column y. Several columns y "
           "= [a, b] stand side by side. Where y has intervals, error bars show them.",
    .column = { { "x", CG_CELL_NAME, false }, { "y", CG_CELL_NUMBER, true } }, .grid = "noxtics ytics ", .check = check,
    .fold = fold, .draw = draw)
