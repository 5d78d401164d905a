/* plot_heat.c - heat maps.
 * Takes two names and a number of each row; gives a cell for each pair of names, the darker the greater: the mean of
 * its rows. Pairs without a row stay empty. From light to dark in one hue, it can be read in grey, too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"
#include "report/plot.h"
#include "table/stats.h"

enum { X, Y, VALUE, LEAST_FONT = 7 /* smaller numbers are not written into cells */ };

static bool fold(CgFigure *f, const CgValue *call, CgErr *err)
{
    CgTable *rows = f->data;
    const char *by[3] = { rows->column[f->column[X]].name, rows->column[f->column[Y]].name };
    CgGroups groups;
    (void)call;
    if (!cg_table_group(rows, by, 2, &groups, err))
        return false;
    f->data = cg_table_keys(rows, by, 2, &groups);
    int to = cg_table_add(f->data, rows->column[f->column[VALUE]].name, CG_NUMBER);
    f->data->column[to].format = rows->column[f->column[VALUE]].format;
    double *x = cg_malloc(sizeof *x * (rows->rows + 1));
    for (size_t g = 0; g < groups.n; g++) {
        size_t n = 0;
        for (size_t i = groups.first[g]; i < groups.first[g + 1]; i++)
            x[n++] = cg_table_number(rows, groups.row[i], f->column[VALUE]);
        cg_table_set(f->data, g, to, cg_number(cg_stats_mean(x, n)));
    }
    free(x);
    f->column[X] = 0;
    f->column[Y] = 1;
    f->column[VALUE] = to;
    cg_groups_deinit(&groups);
    cg_table_free(rows);
    return true;
}

static int index_of(const char *const *names, const char *name)
{
    int i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    return i;
}

static void put_tics(const char *axis, const char *const *names, int n, CgStrbuf *out)
{
    size_t longest = 0;
    for (int i = 0; i < n; i++)
        longest = strlen(names[i]) > longest ? strlen(names[i]) : longest;
    bool turned = *axis == 'x' && (longest + 2) * (size_t)n > 72;
    cg_strbuf_printf(out, "set %stics %sscale 0 (", axis, turned ? "rotate by 30 right " : "");
    for (int i = 0; i < n; i++) {
        cg_strbuf_puts(out, i ? ", " : "");
        cg_draw_tic(names[i], out);
        cg_strbuf_printf(out, " %d", i);
    }
    cg_strbuf_printf(out, *axis == 'x' ? ")\nset xrange [-0.5:%d.5]\n" : ")\nset yrange [%d.5:-0.5]\n", n - 1);
}

/* The font in which a number of so many signs goes into each of nx by ny cells, of about what a figure has between its
 * axes; 0: none does. */
static int font_of(const CgFigure *f, int nx, int ny, int signs)
{
    double wide = (f->is_panel ? 300.0 : 620.0) / nx, high = (f->is_panel ? 200.0 : 330.0) / ny;
    int font = (int)fmin(f->is_panel ? 11 : 13, fmin(0.85 * wide / (0.64 * signs), 0.7 * high));
    return font < LEAST_FONT ? 0 : font;
}

/* Blocks of the light cells and of the dark ones; which of them there are. The signs of the longest number. */
static int put_cells(
    const CgFigure *f, const char *const *columns, const char *const *lines, bool there[2], CgStrbuf *out)
{
    bool percent = f->data->column[f->column[VALUE]].format.percent;
    int signs = 0;
    const CgTable *t = f->data;
    double low = INFINITY, high = -INFINITY;
    for (size_t r = 0; r < t->rows; r++) {
        low = fmin(low, cg_table_number(t, r, f->column[VALUE]));
        high = fmax(high, cg_table_number(t, r, f->column[VALUE]));
    }
    double most = (percent ? 100 : 1) * fmax(fabs(low), fabs(high));
    int decimals = most > 0 ? (int)fmax(0, 2 - floor(log10(most))) : 0; /* three digits of the greatest */
    for (int dark = 0; dark < 2; dark++) {
        cg_strbuf_printf(out, "$%c << EOD\n", dark ? 'd' : 'l');
        there[dark] = false;
        for (size_t r = 0; r < t->rows; r++) {
            double v = cg_table_number(t, r, f->column[VALUE]);
            if ((high > low && (v - low) / (high - low) > 0.6) != dark)
                continue;
            there[dark] = true;
            cg_strbuf_printf(out, "%d %d ", index_of(columns, cg_draw_cell(t, r, f->column[X])),
                index_of(lines, cg_draw_cell(t, r, f->column[Y])));
            cg_number_print(v, out);
            size_t before = out->len;
            cg_strbuf_printf(out, " %.*f%s\n", decimals, percent ? 100 * v : v, percent ? "%" : "");
            signs = (int)(out->len - before) - 2 > signs ? (int)(out->len - before) - 2 : signs;
        }
        cg_strbuf_puts(out, "EOD\n");
    }
    cg_strbuf_puts(out, "set cbrange [");
    cg_number_print(low, out);
    cg_strbuf_putc(out, ':');
    cg_number_print(high > low ? high : low + 1, out);
    cg_strbuf_puts(out, "]\n");
    return signs;
}

static void draw(const CgFigure *f, const char *const *series, int n, CgStrbuf *out)
{
    const char **columns, **lines;
    int nx = cg_draw_distinct(f->data, f->column[X], &columns), ny = cg_draw_distinct(f->data, f->column[Y], &lines);
    bool there[2];
    (void)series;
    (void)n;
    put_tics("x", columns, nx, out);
    put_tics("y", lines, ny, out);
    cg_strbuf_puts(out, "set border 0\nunset grid\n");
    cg_strbuf_puts(out, "set palette defined (0 '#f3f7fb', 0.5 '#7fb0d8', 1 '#08306b')\n");
    int font = font_of(f, nx, ny, put_cells(f, columns, lines, there, out));
    if (font)
        cg_strbuf_puts(out, "unset colorbox\n");
    bool first = true;
    for (int pass = 0; pass < (font ? 2 : 1); pass++)
        for (int i = 0; i < 2; i++) {
            if (!there[i])
                continue;
            cg_draw_next(first, out);
            first = false;
            if (pass)
                cg_strbuf_printf(out, "$%c using 1:2:4 with labels font ',%d' textcolor rgb '%s' notitle",
                    i ? 'd' : 'l', font, i ? "#ffffff" : "#111111");
            else
                cg_strbuf_printf(out,
                    "$%c using 1:2:(0.48):(0.48):3 with boxxyerror fillstyle solid 1 noborder fillcolor palette "
                    "notitle",
                    i ? 'd' : 'l');
        }
    free(columns);
    free(lines);
}

CG_PLOT(heat,
    .sig = "(scores: table, x: " CG_PLOT_ONE ", y: " CG_PLOT_ONE ", value: " CG_PLOT_ONE ", " CG_PLOT_LABELS
           ") -> figure",
    .doc = "A cell for each pair of values of two columns, the darker the greater the mean of column value. It is "
           "written into each that has room for it: plot.heat(scores, x = decoder, y = encoder, value = f1).",
    .column = { { "x", CG_CELL_NAME, true }, { "y", CG_CELL_NAME, false }, { "value", CG_CELL_NUMBER, false } },
    .draw = draw, .fold = fold)
