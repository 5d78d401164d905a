/* figure.c - how figures look, and how they are saved.
 * Takes a figure; gives a script for gnuplot, the picture and the data. Titles, axes and the key are the same for all
 * kinds; what stands between them is drawn by the kind. */
#include "report/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "report/plot.h"

enum { WIDTH = 760, HEIGHT = 470, FONT = 13, PANEL_WIDTH = 380, PANEL_HEIGHT = 300, PANEL_FONT = 11, STRIP = 28 };

static void put_setting(const char *what, const char *text, CgStrbuf *out)
{
    cg_strbuf_printf(out, "set %s ", what);
    cg_draw_text(text, out);
    cg_strbuf_putc(out, '\n');
}

void cg_figure_terminal(const char *format, int wide, int high, int font, CgStrbuf *out)
{
    if (!strcmp(format, "png"))
        cg_strbuf_printf(out,
            "set terminal pngcairo noenhanced size %d,%d font 'Sans,%d' fontscale 2 linewidth 2 pointscale 2 "
            "background '#ffffff'\n",
            2 * wide, 2 * high, font);
    else if (!strcmp(format, "pdf")) /* 96 pixels are an inch */
        cg_strbuf_printf(out,
            "set terminal pdfcairo noenhanced size %.2fin,%.2fin font 'Sans,%d' fontscale 0.75 butt dashlength 2 "
            "background '#ffffff'\n",
            wide / 96.0, high / 96.0, font);
    else
        cg_strbuf_printf(out,
            "set terminal svg noenhanced size %d,%d font 'sans-serif,%d' butt background '#ffffff' name 'cg'\n", wide,
            high, font);
    cg_strbuf_puts(out, "set encoding utf8\n");
}

static void put_frame(const CgFigure *f, CgStrbuf *out)
{
    cg_strbuf_puts(out,
        "set border 3 lc rgb '#666666' lw 1\n"
        "set tics nomirror out scale 0.6 textcolor rgb '#333333'\n");
    cg_strbuf_printf(out, "set grid %slc rgb '#e4e4e4' lw 1 lt 1\n", f->plot->grid ? f->plot->grid : "");
    if (f->title)
        put_setting("title", f->title, out);
    if (f->xlabel && *f->xlabel) {
        put_setting("xlabel", f->xlabel, out);
        cg_strbuf_puts(out, "set bmargin 4.2\n");
    }
    if (f->ylabel && *f->ylabel)
        put_setting("ylabel", f->ylabel, out);
    cg_draw_axis(f, "x", 0, f->log_x, f->x_low, f->x_high, out);
    cg_draw_axis(f, "y", 1, f->log_y, f->y_low, f->y_high, out);
}

/* Panels in rows that are about as many as columns; the title and the key of all stand above them. */
static void put_panels(const CgFigure *f, const char *format, const char *const *series, int n, CgStrbuf *out)
{
    int columns = (int)ceil(sqrt((double)f->panels)), rows = (f->panels + columns - 1) / columns;
    int title = f->title ? STRIP : 0, key = n > 1 ? STRIP : 0, high = PANEL_HEIGHT * rows + title + key;
    cg_figure_terminal(format, PANEL_WIDTH * columns, high, PANEL_FONT, out);
    cg_strbuf_printf(out, "set multiplot layout %d,%d", rows, columns);
    if (title + key)
        cg_strbuf_printf(out, " title ' ' font ',%d'", (title + key) * 5 / 8);
    cg_strbuf_putc(out, '\n');
    for (int i = 0; i < f->panels; i++) {
        put_frame(&f->panel[i], out);
        if (i == 0 && title) {
            cg_strbuf_puts(out, "set label 1 ");
            cg_draw_text(f->title, out);
            cg_strbuf_printf(out, " at screen 0.5,screen %.4f center font ',%d'\n", 1 - 0.6 * STRIP / high, FONT);
        }
        if (!key)
            cg_strbuf_puts(out, "unset key\n");
        else if (i == 0)
            cg_strbuf_printf(out,
                "set key at screen 0.5,screen %.4f center top horizontal Left reverse samplen 1.6 textcolor rgb "
                "'#333333'\n",
                1 - (title + 0.25 * STRIP) / high);
        f->plot->draw(&f->panel[i], series, n, out);
        cg_strbuf_puts(out, "\nunset label 1\nunset key\n");
    }
    cg_strbuf_puts(out, "unset multiplot\n");
}

/* The key beside the figure, with what the series are of. */
static void put_key(const CgFigure *f, CgStrbuf *out)
{
    cg_strbuf_puts(
        out, "set key outside right center vertical Left reverse samplen 1.6 spacing 1.25 textcolor rgb '#333333'");
    if (f->series && strcmp(f->data->column[0].name, "series") != 0) {
        cg_strbuf_puts(out, " title ");
        cg_draw_text(f->data->column[0].name, out);
        cg_strbuf_puts(out, " left");
    }
    cg_strbuf_putc(out, '\n');
}

void cg_figure_script(const CgFigure *f, const char *format, CgStrbuf *out)
{
    const char *const *series = (const char *const *)f->name;
    int n = f->names;
    if (f->panels) {
        put_panels(f, format, series, n, out);
    } else {
        cg_figure_terminal(format, WIDTH, HEIGHT, FONT, out);
        put_frame(f, out);
        if (n > 1)
            put_key(f, out);
        else
            cg_strbuf_puts(out, "unset key\n");
        f->plot->draw(f, series, n, out);
        cg_strbuf_putc(out, '\n');
    }
}

static bool write_beside(const CgFigure *f, const char *path, size_t stem, CgStrbuf *csv, CgErr *e)
{
    cg_strbuf_printf(csv, "%.*s.csv", (int)stem, path);
    return cg_table_save(f->data, cg_strbuf_str(csv), e);
}

bool cg_figure_save(const CgFigure *f, const char *path, CgStrbuf *warning, CgErr *e)
{
    const char *end = strrchr(path, '.');
    const char *format = end && !strchr(end, '/') ? end + 1 : "";
    bool drawn = !strcmp(format, "svg") || !strcmp(format, "png") || !strcmp(format, "pdf"),
         script = strcmp(format, "gp") == 0;
    if (!drawn && !script && strcmp(format, "csv") != 0)
        return cg_err(e, CG_ERR_INPUT, "a figure cannot be saved as '%s'", path);
    if (f->data->rows == 0)
        return cg_err(e, CG_ERR_INPUT, "the figure '%s' has nothing to show: no row has all its numbers", path);
    CgStrbuf csv = { 0 }, text = { 0 }, picture = { 0 };
    bool absent = false, good = write_beside(f, path, (size_t)(end - path), &csv, e);
    if (good && (drawn || script))
        cg_figure_script(f, drawn ? format : "svg", &text);
    if (good && script)
        good = cg_io_write(path, text.at, text.len, e);
    if (good && drawn)
        good = cg_gnuplot_run(&text, &picture, &absent, e) && (absent || cg_io_write(path, picture.at, picture.len, e));
    if (good && absent)
        cg_strbuf_printf(
            warning, "'%s' is not drawn: there is no gnuplot; its data is in '%s'", path, cg_strbuf_str(&csv));
    else if (good && f->left_out)
        cg_strbuf_printf(warning, "'%s' leaves out %zu rows whose numbers cannot be shown%s", path, f->left_out,
            f->log_x || f->log_y ? "; an axis with log has numbers above 0 alone" : "");
    cg_strbuf_deinit(&csv);
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&picture);
    return good;
}
