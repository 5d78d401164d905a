/* matrix.c - tensors as heat maps.
 * Takes numbers; gives a script for gnuplot: a matrix as cells, the darker the greater, and of more axes a matrix for
 * each place of the others, all on one scale. One hue from light to dark, so it can be read in grey. */
#include <math.h>
#include <string.h>

#include "report/figure.h"
#include "report/plot.h"

enum {
    FEW_CELLS = 10000 /* are drawn as cells, more as an image that a viewer may blur */,
    MOST_CELLS = 4000000,
    MOST_MATRICES = 144,
    ROOM = 64,
    BEFORE = 40, /* at the left, for what its rows are called */
    SCALE = 90,  /* at the right, for the scale of all */
    LEAST_SIDE = 150,
    FULL = 560,
    FONT = 10
};

/* The last two axes, and how many matrices there are of them. */
typedef struct Shape {
    int64_t rows, columns, matrices;
} Shape;

static Shape shape_of(const CgTensor *t)
{
    Shape s = { t->rank > 1 ? t->dim[t->rank - 2] : 1, t->rank > 0 ? t->dim[t->rank - 1] : 1, 1 };
    for (int k = 0; k + 2 < t->rank; k++)
        s.matrices *= t->dim[k];
    return s;
}

/* "[1, 3]": which matrix it is. */
static void put_place(const CgTensor *t, int64_t number, CgStrbuf *out)
{
    int64_t at[CG_MAX_RANK] = { 0 };
    for (int k = t->rank - 3; k >= 0; number /= t->dim[k--])
        at[k] = number % t->dim[k];
    cg_strbuf_putc(out, '[');
    for (int k = 0; k + 2 < t->rank; k++)
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "", (long long)at[k]);
    cg_strbuf_putc(out, ']');
}

/* What is no number has no colour: its cells are hatched, and above it stands how many are what. */
static void put_title(const CgTensor *t, Shape s, int64_t number, CgStrbuf *out)
{
    static const char *const names[] = { "nan", "inf", "-inf" };
    int64_t found[CG_LEN(names)] = { 0 }, cells = s.rows * s.columns;
    for (int64_t i = 0; i < cells; i++) {
        double v = cg_tensor_number(t, number * cells + i);
        if (!isfinite(v))
            found[isnan(v) ? 0 : v > 0 ? 1 : 2]++;
    }
    cg_strbuf_puts(out, "unset object 1\nset title '");
    if (s.matrices > 1)
        put_place(t, number, out);
    const char *before = s.matrices > 1 ? "  hatched: " : "hatched: ";
    for (size_t i = 0; i < CG_LEN(names); i++)
        if (found[i]) {
            cg_strbuf_printf(out, "%s%lld %s", before, (long long)found[i], names[i]);
            before = ", ";
        }
    cg_strbuf_puts(out, "' offset 0,-0.5\n");
    if (found[0] + found[1] + found[2])
        cg_strbuf_puts(
            out, "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#888888' fs pattern 4 noborder\n");
}

/* Of so many rows or columns every first, second, fifth, tenth .. is named. */
static void put_tics(const char *axis, int64_t n, CgStrbuf *out)
{
    int64_t step = 1;
    for (int k = 1; n / step > 8; k++)
        step = k % 3 == 2 ? step / 2 * 5 : step * 2;
    cg_strbuf_printf(out, "set %stics %lld\n", axis, (long long)step);
}

/* Equal rooms for all, as wide and high as a matrix is, whatever is written beside them. */
static void put_rooms(int across, int down, double wide, double high, CgStrbuf *out)
{
    double w = across * (wide + ROOM) - ROOM + BEFORE + SCALE, h = down * (high + ROOM), half = ROOM / 2.0;
    cg_strbuf_printf(out,
        "set colorbox user origin screen %.4f,0.2 size screen %.4f,0.6\n"
        "set multiplot layout %d,%d margins screen %.4f,%.4f,%.4f,%.4f spacing screen %.4f,%.4f\n",
        1 - (SCALE - 15) / w, 10 / w, down, across, BEFORE / w, 1 - SCALE / w, half / h, 1 - half / h, ROOM / w,
        ROOM / h);
}

/* gnuplot draws no image of one row or column: that is two halves of it. */
static void put_matrix(const CgTensor *t, Shape s, int64_t number, CgStrbuf *out)
{
    int high = s.rows == 1 ? 2 : 1, wide = s.columns == 1 ? 2 : 1;
    cg_strbuf_printf(out, "$m << EOD\n");
    for (int64_t r = 0; r < high * s.rows; r++)
        for (int64_t c = 0; c < wide * s.columns; c++) {
            double v = cg_tensor_number(t, (number * s.rows + r / high) * s.columns + c / wide);
            if (isfinite(v))
                cg_number_print(v, out);
            else
                cg_strbuf_puts(out, "NaN");
            cg_strbuf_putc(out, c + 1 < wide * s.columns ? ' ' : '\n');
        }
    cg_strbuf_printf(out,
        "EOD\nset xrange [-0.5:%lld.5]\nset yrange [%lld.5:-0.5]\nplot $m matrix using (%s):(%s):3 with image %s "
        "notitle\n",
        (long long)s.columns - 1, (long long)s.rows - 1, wide > 1 ? "$1/2-0.25" : "$1", high > 1 ? "$2/2-0.25" : "$2",
        s.rows * s.columns <= FEW_CELLS ? "pixels" : "");
}

/* One scale for all of them, `tall` points high; where there is no room for more, its ends are named. */
static void put_scale(const CgTensor *t, double tall, CgStrbuf *out)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < cg_tensor_count(t); i++) {
        double v = cg_tensor_number(t, i);
        if (isfinite(v))
            low = fmin(low, v), high = fmax(high, v);
    }
    if (!(low <= high))
        low = high = 0;
    if (low == high) { /* one number is in the middle of a scale */
        double half = low != 0 ? fabs(low) / 2 : 0.5;
        low -= half, high += half;
    }
    cg_strbuf_puts(out, "set palette defined (0 '#f3f7fb', 0.5 '#7fb0d8', 1 '#08306b')\nset cbrange [");
    cg_number_print(low, out);
    cg_strbuf_putc(out, ':');
    cg_number_print(high, out);
    cg_strbuf_puts(out, "]\n");
    if (tall >= LEAST_SIDE)
        return;
    cg_strbuf_puts(out, "set cbtics ");
    cg_number_print(low, out);
    cg_strbuf_puts(out, ", ");
    cg_number_print(high - low, out);
    cg_strbuf_putc(out, '\n');
}

bool cg_matrix_script(const CgTensor *t, const char *format, CgStrbuf *out, CgErr *e)
{
    Shape s = shape_of(t);
    int64_t cells = cg_tensor_count(t);
    if (!cells || cells > MOST_CELLS || s.matrices > MOST_MATRICES) {
        cg_err_hint(e, "a part of it: save x[0, ..] as \"x.png\"; .npy holds all of it");
        return cg_err(e, CG_ERR_INPUT, "%lld matrices of %lld by %lld numbers cannot be shown in one picture",
            (long long)s.matrices, (long long)s.rows, (long long)s.columns);
    }
    int across = (int)ceil(sqrt((double)s.matrices)), down = (int)((s.matrices + across - 1) / across);
    if (t->rank > 3 && s.matrices % t->dim[t->rank - 3] == 0 && t->dim[t->rank - 3] <= 16) /* heads of one row beside */
        across = (int)t->dim[t->rank - 3], down = (int)(s.matrices / across);
    double side = fmax(LEAST_SIDE, FULL / fmax(across, down)), ratio = (double)s.rows / (double)s.columns;
    double wide = side * fmin(1, 1 / fmax(ratio, 0.2)), high = side * fmin(1, fmax(ratio, 0.1));
    cg_figure_terminal(
        format, (int)(across * (wide + ROOM)) - ROOM + BEFORE + SCALE, (int)(down * (high + ROOM)), FONT, out);
    cg_strbuf_puts(out,
        "set border 3 lc rgb '#666666'\nset tics nomirror out scale 0.5 textcolor rgb '#333333'\n"
        "set key off\nset rmargin 9\nset format cb '%g'\n");
    put_tics("x", s.columns, out);
    put_tics("y", s.rows, out);
    put_scale(t, s.matrices > 1 ? 0.6 * down * (high + ROOM) : high, out);
    if (s.matrices > 1)
        put_rooms(across, down, wide, high, out);
    for (int64_t i = 0; i < s.matrices; i++) {
        put_title(t, s, i, out);
        if (i == 1)
            cg_strbuf_puts(out, "unset colorbox\n"); /* the scale stands once */
        put_matrix(t, s, i, out);
    }
    cg_strbuf_puts(out, s.matrices > 1 ? "unset multiplot\n" : "");
    return true;
}

bool cg_matrix_save(const CgTensor *t, const char *path, CgErr *e)
{
    CgStrbuf script = { 0 }, picture = { 0 };
    bool absent = false;
    bool good =
        cg_matrix_script(t, strrchr(path, '.') + 1, &script, e) && cg_gnuplot_run(&script, &picture, &absent, e);
    if (good && absent) {
        cg_err_hint(e, "install gnuplot, or save its numbers as .npy");
        good = cg_err(e, CG_ERR_IO, "'%s' is not drawn: there is no gnuplot", path);
    }
    good = good && cg_io_write(path, picture.at, picture.len, e);
    cg_strbuf_deinit(&script);
    cg_strbuf_deinit(&picture);
    return good;
}
