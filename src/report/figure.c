/* figure.c - how figures look.
 * Takes a figure; gives a script for gnuplot, the picture and the data. Colours are those of Okabe and Ito (2008), told
 * apart by nearly everybody, and points differ in form as well. Text is text: nothing in a title or a name is a
 * command. */
#include "report/figure.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"

enum { WIDTH = 760, HEIGHT = 470, FONT = 13, FEW = 40 /* points of a line that are still marked */ };

static const char *const colours[] = { "0072b2", "d55e00", "009e73", "cc79a7", "e69f00", "56b4e9", "333333", "8c564b" };
static const int points[] = { 7, 5, 9, 13, 11, 15, 6, 4 }; /* filled circle, square, triangle, diamond ... */

/* ---- pieces ---- */

/* In single quotes gnuplot looks for nothing but the closing one, which is doubled inside. */
static void put_text(const char *s, CgStrbuf *out)
{
    cg_strbuf_putc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            cg_strbuf_putc(out, '\'');
        cg_strbuf_putc(out, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
    }
    cg_strbuf_putc(out, '\'');
}

/* The name of a tic, where a single % would be the beginning of a format. */
static void put_tic(const char *s, CgStrbuf *out)
{
    CgStrbuf plain = { 0 };
    for (; *s; s++) {
        if (*s == '%')
            cg_strbuf_putc(&plain, '%');
        cg_strbuf_putc(&plain, *s);
    }
    put_text(cg_strbuf_str(&plain), out);
    cg_strbuf_deinit(&plain);
}

static void put_setting(const char *what, const char *text, CgStrbuf *out)
{
    cg_strbuf_printf(out, "set %s ", what);
    put_text(text, out);
    cg_strbuf_putc(out, '\n');
}

/* Different texts of a column in order of first sight; the array is the caller's. */
static int distinct(const CgTable *t, int column, const char ***out)
{
    int n = 0;
    *out = cg_malloc(sizeof **out * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++) {
        const char *s = t->column[column].at[r].missing ? "" : t->column[column].at[r].text;
        int k = 0;
        while (k < n && strcmp((*out)[k], s) != 0)
            k++;
        if (k == n)
            (*out)[n++] = s;
    }
    return n;
}

static const char *text_at(const CgTable *t, size_t row, int column)
{
    return t->column[column].at[row].missing ? "" : t->column[column].at[row].text;
}

static void put_number(double x, CgStrbuf *out) { cg_number_print(x, out); }

/* ---- what all kinds share ---- */

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
    cg_strbuf_printf(out, "set grid %slc rgb '#e4e4e4' lw 1 lt 1\n",
        f->kind == CG_BAR || f->kind == CG_HIST ? "noxtics ytics " : "");
    if (f->title)
        put_setting("title", f->title, out);
    if (*f->xlabel) {
        put_setting("xlabel", f->xlabel, out);
        cg_strbuf_puts(out, "set bmargin 4.2\n");
    }
    if (*f->ylabel)
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

/* `plot` or the comma between two of its parts. */
static void put_next(bool first, CgStrbuf *out) { cg_strbuf_puts(out, first ? "plot " : ", \\\n     "); }

static void put_name(const char *name, CgStrbuf *out)
{
    cg_strbuf_puts(out, " title ");
    put_text(name, out);
}

/* ---- scatter and line ---- */

static void put_points(const CgFigure *f, const char **names, int n, CgStrbuf *out)
{
    const CgTable *t = f->data;
    int x = f->series;
    size_t most = 0;
    for (int k = 0; k < n; k++) {
        size_t count = 0;
        cg_strbuf_printf(out, "$s%d << EOD\n", k);
        for (size_t r = 0; r < t->rows; r++)
            if (!f->series || strcmp(text_at(t, r, 0), names[k]) == 0) {
                put_number(cg_table_number(t, r, x), out);
                cg_strbuf_putc(out, ' ');
                put_number(cg_table_number(t, r, x + 1), out);
                cg_strbuf_putc(out, '\n');
                count++;
            }
        cg_strbuf_puts(out, "EOD\n");
        most = count > most ? count : most;
    }
    for (int k = 0; k < n; k++) {
        const char *colour = colours[(size_t)k % CG_LEN(colours)];
        int point = points[((size_t)k + (size_t)k / CG_LEN(colours)) % CG_LEN(points)];
        put_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2 with ", k);
        if (f->kind == CG_LINE && most > FEW)
            cg_strbuf_printf(out, "lines lw 2 lc rgb '#%s'", colour);
        else if (f->kind == CG_LINE)
            cg_strbuf_printf(out, "linespoints lw 2 pt %d ps 0.6 lc rgb '#%s'", point, colour);
        else /* many points lie on each other: let them shine through */
            cg_strbuf_printf(out, "points pt %d ps %s lc rgb '#%s%s'", point, most > 400 ? "0.5" : "0.75",
                most > 400      ? "90"
                    : most > 60 ? "55"
                                : "20",
                colour);
        put_name(names[k], out);
    }
}

/* ---- bars ---- */

static void put_bars(const CgFigure *f, const char **names, int n, CgStrbuf *out)
{
    const CgTable *t = f->data;
    const char **bars;
    int x = f->series, nbars = distinct(t, x, &bars);
    size_t longest = 0;
    bool below = false;
    double wide = 0.8 / n;
    for (int b = 0; b < nbars; b++)
        longest = strlen(bars[b]) > longest ? strlen(bars[b]) : longest;
    for (size_t r = 0; r < t->rows; r++)
        below |= cg_table_number(t, r, x + 1) < 0;
    cg_strbuf_printf(out, "set xtics %sscale 0 (", (longest + 2) * (size_t)nbars > 72 ? "rotate by 30 right " : "");
    for (int b = 0; b < nbars; b++) {
        cg_strbuf_puts(out, b ? ", " : "");
        put_tic(bars[b], out);
        cg_strbuf_printf(out, " %d", b);
    }
    cg_strbuf_printf(out, ")\nset xrange [-0.6:%d.%d]\n", nbars ? nbars - 1 : 0, 6);
    if (!below)
        cg_strbuf_puts(out, "set yrange [0:*]\n");
    for (int k = 0; k < n; k++) {
        cg_strbuf_printf(out, "$s%d << EOD\n", k);
        for (size_t r = 0; r < t->rows; r++) {
            if (f->series && strcmp(text_at(t, r, 0), names[k]) != 0)
                continue;
            int b = 0;
            while (strcmp(bars[b], text_at(t, r, x)) != 0)
                b++;
            put_number(b + (k - (n - 1) / 2.0) * wide, out);
            cg_strbuf_putc(out, ' ');
            put_number(cg_table_number(t, r, x + 1), out);
            cg_strbuf_putc(out, '\n');
        }
        cg_strbuf_puts(out, "EOD\n");
    }
    cg_strbuf_printf(
        out, "set style fill solid 0.9 border rgb '#ffffff'\nset boxwidth %.4f\n", n > 1 ? wide * 0.95 : 0.62);
    for (int k = 0; k < n; k++) {
        put_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2 with boxes lc rgb '#%s'", k, colours[(size_t)k % CG_LEN(colours)]);
        put_name(names[k], out);
    }
    free(bars);
}

/* ---- histograms ---- */

static void put_bins(const CgFigure *f, const char **names, int n, CgStrbuf *out)
{
    const CgTable *t = f->data;
    int from = f->series;
    for (int k = 0; k < n; k++) {
        cg_strbuf_printf(out, "$s%d << EOD\n", k);
        for (size_t r = 0; r < t->rows; r++)
            if (!f->series || strcmp(text_at(t, r, 0), names[k]) == 0) {
                double a = cg_table_number(t, r, from), b = cg_table_number(t, r, from + 1);
                put_number((a + b) / 2, out);
                cg_strbuf_printf(out, " %lld ", (long long)t->column[from + 2].at[r].whole);
                put_number(b - a, out);
                cg_strbuf_putc(out, '\n');
            }
        cg_strbuf_puts(out, "EOD\n");
    }
    cg_strbuf_printf(out, "set yrange [0:*]\nset style fill %ssolid %s border rgb '#ffffff'\n",
        n > 1 ? "transparent " : "", n > 1 ? "0.55" : "0.9");
    for (int k = 0; k < n; k++) {
        put_next(k == 0, out);
        cg_strbuf_printf(out, "$s%d using 1:2:3 with boxes lc rgb '#%s'", k, colours[(size_t)k % CG_LEN(colours)]);
        put_name(names[k], out);
    }
}

/* ---- the whole ---- */

void cg_figure_script(const CgFigure *f, const char *format, CgStrbuf *out)
{
    const char **names = NULL, *none[] = { "" };
    int n = f->series ? distinct(f->data, 0, &names) : 1;
    put_frame(f, format, n, out);
    if (f->kind == CG_BAR)
        put_bars(f, f->series ? names : none, n, out);
    else if (f->kind == CG_HIST)
        put_bins(f, f->series ? names : none, n, out);
    else
        put_points(f, f->series ? names : none, n, out);
    cg_strbuf_putc(out, '\n');
    free(names);
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
