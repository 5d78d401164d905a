/* draw.c - what figures are drawn with.
 * Takes series, texts and rows; gives pieces of a script for gnuplot. Colours are those of Okabe and Ito (2008), told
 * apart by nearly everybody, the first ones also by how light they are; points and dashes differ as well. Text is text:
 * nothing in a title or a name is a command. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot.h"

static const char *const colours[] = { "0072b2", "e69f00", "333333", "56b4e9", "d55e00", "cc79a7", "009e73", "8c564b" };
static const int points[] = { 7, 5, 9, 13, 11, 15, 6, 4 }; /* filled circle, square, triangle, diamond ... */

const char *cg_draw_colour(int series) { return colours[(size_t)series % CG_LEN(colours)]; }

int cg_draw_point(int series)
{
    size_t k = (size_t)series;
    return points[(k + k / CG_LEN(colours)) % CG_LEN(points)];
}

const char *cg_draw_dash(int series)
{
    static const char *const dashes[] = { "1", "(9,3)", "(1.5,3)", "(9,3,2,3)", "(5,2)" };
    return dashes[(size_t)series % CG_LEN(dashes)];
}

/* In single quotes gnuplot looks for nothing but the closing one, which is doubled inside. */
void cg_draw_text(const char *s, CgStrbuf *out)
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
void cg_draw_tic(const char *s, CgStrbuf *out)
{
    CgStrbuf plain = { 0 };
    for (; *s; s++) {
        if (*s == '%')
            cg_strbuf_putc(&plain, '%');
        cg_strbuf_putc(&plain, *s);
    }
    cg_draw_text(cg_strbuf_str(&plain), out);
    cg_strbuf_deinit(&plain);
}

/* `plot` or the comma between two of its parts. */
void cg_draw_next(bool first, CgStrbuf *out) { cg_strbuf_puts(out, first ? "plot " : ", \\\n     "); }

void cg_draw_title(const char *name, CgStrbuf *out)
{
    cg_strbuf_puts(out, " title ");
    cg_draw_text(name, out);
}

static bool number_of(const char *s, double *out)
{
    char *end;
    *out = strtod(s, &end);
    return *s && !*end && isfinite(*out);
}

static int by_number(const void *a, const void *b)
{
    double x = 0, y = 0;
    (void)number_of(*(const char *const *)a, &x);
    (void)number_of(*(const char *const *)b, &y);
    return (x > y) - (x < y);
}

int cg_draw_distinct(const CgTable *t, int column, const char ***out)
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
    bool numbers = true;
    double ignored;
    for (int k = 0; k < n; k++)
        numbers = numbers && number_of((*out)[k], &ignored);
    if (numbers)
        qsort(*out, (size_t)n, sizeof **out, by_number);
    return n;
}

const char *cg_draw_cell(const CgTable *t, size_t row, int column)
{
    return t->column[column].at[row].missing ? "" : t->column[column].at[row].text;
}

bool cg_draw_is_of(const CgFigure *f, size_t row, const char *series)
{
    return !f->series || !strcmp(cg_draw_cell(f->data, row, 0), series);
}

size_t cg_draw_rows(const CgFigure *f, const char *const *series, int k, const int *column, int n, CgStrbuf *out)
{
    size_t count = 0;
    cg_strbuf_printf(out, "$s%d << EOD\n", k);
    for (size_t r = 0; r < f->data->rows; r++) {
        if (!cg_draw_is_of(f, r, series[k]))
            continue;
        for (int i = 0; i < n; i++) {
            cg_strbuf_puts(out, i ? " " : "");
            cg_number_print(cg_table_number(f->data, r, column[i]), out);
        }
        cg_strbuf_putc(out, '\n');
        count++;
    }
    cg_strbuf_puts(out, "EOD\n");
    return count;
}

size_t cg_draw_intervals(const CgFigure *f, const char *const *series, int k, char name, CgStrbuf *out)
{
    const CgTable *t = f->data;
    const CgColumn *y = &t->column[f->column[1]];
    size_t count = 0;
    for (size_t r = 0; y->spread && r < t->rows; r++) {
        if (!cg_draw_is_of(f, r, series[k]) || !isfinite(y->spread[r].low) || !isfinite(y->spread[r].high))
            continue;
        if (!count++)
            cg_strbuf_printf(out, "$%c%d << EOD\n", name, k);
        double at[4] = { cg_table_number(t, r, f->column[0]), cg_table_number(t, r, f->column[1]), y->spread[r].low,
            y->spread[r].high };
        for (size_t i = 0; i < CG_LEN(at); i++) {
            cg_strbuf_puts(out, i ? " " : "");
            cg_number_print(at[i], out);
        }
        cg_strbuf_putc(out, '\n');
    }
    if (count)
        cg_strbuf_puts(out, "EOD\n");
    return count;
}

void cg_draw_from_zero(const CgFigure *f, CgStrbuf *out)
{
    cg_strbuf_puts(out, "set yrange [0:");
    if (isnan(f->y_high))
        cg_strbuf_putc(out, '*');
    else
        cg_number_print(1.05 * f->y_high, out);
    cg_strbuf_puts(out, "]\n");
}

bool cg_figure_sort(CgFigure *f, int column, CgErr *err)
{
    const char *name = f->data->column[f->column[column]].name;
    CgTable *sorted = cg_table_sort(f->data, &name, 1, false, err);
    cg_table_free(f->data);
    f->data = sorted;
    return sorted != NULL;
}
