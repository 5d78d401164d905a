/* axis.c - ranges and tics of axes of numbers.
 * Takes the numbers that an axis shows; gives settings for gnuplot where its own are hard to read: on log axes, which
 * it widens to whole powers of ten and marks with those alone, for shares that are shown in percent, and for numbers so
 * large that it would write 2e+06. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/plot.h"

enum { MOST_TICS = 8 };

static void put_setting(const char *what, const char *axis, double a, double b, CgStrbuf *out)
{
    cg_strbuf_printf(out, "set %s%s [", axis, what);
    cg_number_print(a, out);
    cg_strbuf_putc(out, ':');
    cg_number_print(b, out);
    cg_strbuf_puts(out, "]\n");
}

/* Between what the numbers and intervals of column k lie; of a log axis the positive ones. */
static bool range_of(const CgFigure *f, int k, bool log, double *low, double *high)
{
    const CgColumn *c = f->column[k] >= 0 ? &f->data->column[f->column[k]] : NULL;
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t r = 0; c && c->kind != CG_TEXT && r < f->data->rows; r++) {
        double at[3] = { cg_table_number(f->data, r, f->column[k]), c->spread ? c->spread[r].low : NAN,
            c->spread ? c->spread[r].high : NAN };
        for (size_t i = 0; i < CG_LEN(at); i++)
            if (isfinite(at[i]) && (!log || at[i] > 0)) {
                *low = fmin(*low, at[i]);
                *high = fmax(*high, at[i]);
            }
    }
    return *low <= *high;
}

/* 0.5 as 50%, 2000000 as 2M, 0.00001 as 1e-5. */
static void put_label(double v, bool percent, CgStrbuf *out)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
    char text[40];
    const char *name = percent ? "%" : "";
    double shown = percent ? 100 * v : v;
    for (size_t i = 0; !percent && fabs(v) >= 1e4 && fabs(v) < 1e15 && !*name && i < CG_LEN(units); i++)
        if (fabs(v) >= units[i].unit) {
            shown = v / units[i].unit;
            name = units[i].name;
        }
    snprintf(text, sizeof text, "%.6g", shown);
    char *e = strchr(text, 'e');
    if (e && e[1] == '+')
        memmove(e + 1, e + 2, strlen(e + 2) + 1);
    if (e && e[1] == '-' && e[2] == '0')
        memmove(e + 2, e + 3, strlen(e + 3) + 1);
    cg_strbuf_printf(out, "%s%s%s", text, name, percent ? "%" : ""); /* % would begin a format */
}

static void put_tic(double v, bool percent, bool *first, CgStrbuf *out)
{
    cg_strbuf_puts(out, *first ? "'" : ", '");
    put_label(v, percent, out);
    cg_strbuf_puts(out, "' ");
    cg_number_print(v, out);
    *first = false;
}

static double step_of(double low, double high)
{
    double rough = (high - low) / (MOST_TICS - 1), unit = pow(10, floor(log10(rough)));
    return unit * (rough <= unit ? 1 : rough <= 2 * unit ? 2 : rough <= 5 * unit ? 5 : 10);
}

static void put_even(const char *axis, double low, double high, bool percent, CgStrbuf *out)
{
    double step = step_of(low, high);
    bool first = true;
    cg_strbuf_printf(out, "set %stics (", axis);
    for (double i = floor(low / step); i <= ceil(high / step); i++)
        put_tic(i * step, percent, &first, out);
    cg_strbuf_puts(out, ")\n");
}

/* Powers of ten, and as many numbers between them as there is room for. */
static void put_log(const char *axis, double low, double high, bool percent, CgStrbuf *out)
{
    static const double between[] = { 1, 2, 5, 3, 1.5, 4, 7 };
    double decades = log10(high / low);
    int every = 1 + (int)(decades / MOST_TICS), n = decades < 1 ? 7 : decades < 1.5 ? 4 : decades < 2.5 ? 3 : 1;
    bool first = true;
    cg_strbuf_printf(out, "set %stics (", axis);
    for (int k = (int)floor(log10(low)) / every * every - every; k <= (int)ceil(log10(high)); k += every)
        for (int i = 0; i < n; i++) {
            double v = between[i] * pow(10, k);
            if (v >= low && v <= high)
                put_tic(v, percent, &first, out);
        }
    cg_strbuf_puts(out, ")\n");
}

void cg_draw_axis(const CgFigure *f, const char *axis, int k, bool log, double low, double high, CgStrbuf *out)
{
    bool shared = !isnan(low) && !isnan(high);
    const CgColumn *c = f->column[k] >= 0 ? &f->data->column[f->column[k]] : NULL;
    bool percent = c && c->format.percent;
    if (!shared && !range_of(f, k, log, &low, &high))
        return;
    if (log) {
        cg_strbuf_printf(out, "set logscale %s\n", axis);
        double more = high > low ? pow(high / low, 0.04) : 1.1;
        low /= more;
        high *= more;
        put_setting("range", axis, low, high, out);
        (high < 2 * low && high > low ? put_even : put_log)(axis, low, high, percent, out);
        return;
    }
    if (shared)
        put_setting("range", axis, low - 0.04 * (high - low), high + 0.04 * (high - low), out);
    if (low >= high || !(percent || fmax(fabs(low), fabs(high)) >= 1e5))
        return;
    low = low > 0 && low < 2 * (high - low) ? 0 : low; /* bars begin there; what lies outside is not drawn */
    put_even(axis, low, high, percent, out);
    if (!shared && *axis == 'y')
        cg_strbuf_puts(out, "set offsets 0, 0, graph 0.04, 0\n"); /* gnuplot ends such an axis with its numbers */
}
