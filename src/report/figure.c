/* figure.c - how figures look, and how they are saved.
 * Takes a figure; gives a script for gnuplot, the picture and the data. Titles, axes and the key are the same for all
 * kinds; what stands between them is drawn by the kind. */
#include "report/figure.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "report/plot.h"

enum { WIDTH = 760, HEIGHT = 470, FONT = 13 };

static void put_setting(const char *what, const char *text, CgStrbuf *out)
{
    cg_strbuf_printf(out, "set %s ", what);
    cg_draw_text(text, out);
    cg_strbuf_putc(out, '\n');
}

static void put_frame(const CgFigure *f, const char *format, int nseries, CgStrbuf *out)
{
    if (strcmp(format, "png") == 0)
        cg_strbuf_printf(out,
            "set terminal pngcairo noenhanced size %d,%d font 'Sans,%d' fontscale 2 linewidth 2 pointscale 2 "
            "background '#ffffff'\n",
            2 * WIDTH, 2 * HEIGHT, FONT);
    else
        cg_strbuf_printf(out,
            "set terminal svg noenhanced size %d,%d font 'sans-serif,%d' rounded background '#ffffff' name 'cg'\n",
            WIDTH, HEIGHT, FONT);
    cg_strbuf_puts(out,
        "set encoding utf8\n"
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
    if (f->log_x)
        cg_strbuf_puts(out, "set logscale x\n");
    if (f->log_y)
        cg_strbuf_puts(out, "set logscale y\n");
    if (nseries > 1)
        cg_strbuf_puts(out,
            "set key outside right center vertical Left reverse samplen 1.6 spacing 1.25 textcolor rgb '#333333'\n");
    else
        cg_strbuf_puts(out, "unset key\n");
}

void cg_figure_script(const CgFigure *f, const char *format, CgStrbuf *out)
{
    static const char *const none[] = { "" };
    const char **series = NULL;
    int n = f->series ? cg_draw_distinct(f->data, 0, &series) : 1;
    put_frame(f, format, n, out);
    f->plot->draw(f, f->series ? series : (const char *const *)none, n, out);
    cg_strbuf_putc(out, '\n');
    free(series);
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
    bool drawn = strcmp(format, "svg") == 0 || strcmp(format, "png") == 0, script = strcmp(format, "gp") == 0;
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
        cg_strbuf_printf(warning, "'%s' leaves out %zu rows whose numbers cannot be shown", path, f->left_out);
    cg_strbuf_deinit(&csv);
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&picture);
    return good;
}
