/* progress.c - the progress line.
 * Takes steps done; gives a line on stderr.
 * Must not slow the work: the clock is read once a step and a line is written ten times a second at most. */
#include "base/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"

#define REDRAW  0.1  /* seconds between two states of a line on a terminal */
#define FIRST   2.0  /* seconds until the first plain line; the pause grows by ... */
#define GROWTH  1.3  /* ... this factor up to ... */
#define LONGEST 60.0 /* ... this, but a line comes at each tenth of the work anyway */

typedef struct Value {
    char *name;
    double value;
} Value;

struct CgProgress {
    char *name;
    int64_t total, from, done;
    double per_step;
    CgListener *listener;
    bool quiet, terminal, colour, drawn;
    double started, written, pause;
    double pace, paced_at; /* seconds a step, smoothed; the time it was last taken ... */
    int64_t paced_step;    /* ... and the steps done then */
    int tenth;
    CG_VEC(Value) values;
};

const char *cg_duration(double s, char out[24])
{
    if (!(s >= 0) || s > 1e12)
        snprintf(out, 24, "?");
    else if (s < 0.9995)
        snprintf(out, 24, s < 0.00095 ? "%.1g ms" : "%.0f ms", 1000 * s);
    else if (s < 59.95)
        snprintf(out, 24, "%.1f s", s);
    else if (s < 3599.5)
        snprintf(out, 24, "%d min %02d s", (int)(s + 0.5) / 60, (int)(s + 0.5) % 60);
    else if (s < 86400)
        snprintf(out, 24, "%d h %02d min", (int)s / 3600, (int)s / 60 % 60);
    else if (s >= 1000 * 86400.0)
        snprintf(out, 24, "%.3g years", s / (365.25 * 86400));
    else
        snprintf(out, 24, "%d d %d h", (int)(s / 86400), (int)(s / 3600) % 24);
    return out;
}

CgProgress *cg_progress_new(const CgProgressOpts *opts)
{
    CgProgress *p = cg_calloc(1, sizeof *p);
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    CgStrbuf name = { 0 };
    cg_strbuf_plain(&name, opts->name ? opts->name : "");
    p->name = cg_strbuf_take(&name);
    p->total = opts->total;
    p->from = p->done = p->paced_step = opts->from;
    p->per_step = opts->per_step;
    p->quiet = opts->quiet || opts->listener;
    p->listener = opts->listener;
    p->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    p->colour = p->terminal && !(no_colour && *no_colour);
    p->started = p->written = p->paced_at = cg_now();
    p->pause = FIRST;
    p->tenth = p->total ? (int)(10 * p->from / p->total) : 0;
    return p;
}

void cg_progress_value(CgProgress *p, const char *name, double value)
{
    for (size_t i = 0; i < p->values.len; i++) {
        if (!strcmp(p->values.at[i].name, name)) {
            p->values.at[i].value = value;
            return;
        }
    }
    cg_vec_push(&p->values, ((Value){ cg_strdup(name), value }));
}

/* Four or five digits, without an exponent where that can be. */
static void print_value(CgStrbuf *b, double x)
{
    double size = fabs(x);
    if (x == 0 || !isfinite(x))
        cg_strbuf_printf(b, "%g", x);
    else if (size >= 1e5 || size < 1e-4)
        cg_strbuf_printf(b, "%.2e", x);
    else if (size < 0.1)
        cg_strbuf_printf(b, "%.3g", x);
    else
        cg_strbuf_printf(b, "%.*f", size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4, x);
}

/* Pieces of the line, the most telling first: what does not fit the terminal is left out from the end. */
static void print_line(CgProgress *p, CgStrbuf *b, size_t width)
{
    char time_left[24];
    CgStrbuf item = { 0 };
    cg_strbuf_puts(b, p->name);
    cg_strbuf_printf(b, "  %lld", (long long)p->done);
    if (p->total)
        cg_strbuf_printf(b, "/%lld", (long long)p->total);
    for (size_t i = 0; i < p->values.len + 3; i++) {
        item.len = 0;
        cg_strbuf_puts(&item, "  ");
        if (i < p->values.len) {
            cg_strbuf_printf(&item, "%s ", p->values.at[i].name);
            print_value(&item, p->values.at[i].value);
        } else if (i == p->values.len && p->pace > 0) {
            cg_strbuf_printf(&item, "%.*f ms", p->pace < 0.01 ? 2 : p->pace < 1 ? 1 : 0, 1000 * p->pace);
        } else if (i == p->values.len + 1 && p->pace > 0 && p->per_step > 0) {
            double rate = p->per_step / p->pace;
            cg_strbuf_printf(&item, rate >= 9999.5 ? "%.1fk tok/s" : "%.0f tok/s", rate >= 9999.5 ? rate / 1000 : rate);
        } else if (i == p->values.len + 2 && p->pace > 0 && p->total > p->done) {
            cg_strbuf_printf(&item, "%s left", cg_duration(p->pace * (double)(p->total - p->done), time_left));
        } else {
            continue;
        }
        if (b->len + item.len <= width)
            cg_strbuf_write(b, item.at, item.len);
    }
    cg_strbuf_deinit(&item);
}

static size_t columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col - 1u;
    return 79;
}

static void clear_line(CgProgress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

static void draw(CgProgress *p)
{
    CgStrbuf b = { 0 };
    print_line(p, &b, p->terminal ? columns() : 1000);
    if (p->terminal) {
        size_t width = columns();
        if (b.len > width)
            b.at[b.len = width] = 0;
        fprintf(stderr, p->colour ? "\r\033[2m%s\033[0m\033[K" : "\r%s\033[K", b.at);
    } else {
        fprintf(stderr, "%s\n", b.at);
    }
    fflush(stderr);
    p->drawn = p->terminal;
    cg_strbuf_deinit(&b);
}

/* The pace forgets with a half-life of about ten seconds, so that a slow start or a pause does not spoil the
 * estimate for long. */
static void take_pace(CgProgress *p, double time)
{
    double passed = time - p->paced_at;
    if (p->done <= p->paced_step || passed < 0.05)
        return;
    double fresh = passed / (double)(p->done - p->paced_step), kept = p->pace > 0 ? exp2(-passed / 10) : 0;
    p->pace = kept * p->pace + (1 - kept) * fresh;
    p->paced_at = time;
    p->paced_step = p->done;
}

static void tell(const CgProgress *p, int64_t done)
{
    CgListener *listener = p->listener;
    if (!listener->progress)
        return;
    const char **name = cg_calloc(p->values.len + 1, sizeof *name);
    double *value = cg_calloc(p->values.len + 1, sizeof *value);
    for (size_t i = 0; i < p->values.len; i++) {
        name[i] = p->values.at[i].name;
        value[i] = p->values.at[i].value;
    }
    CgProgressState state = { p->name, done, p->total, (int)p->values.len, name, value };
    listener->progress(listener->arg, &state);
    free(name);
    free(value);
}

void cg_progress_step(CgProgress *p, int64_t done)
{
    if (p->listener)
        tell(p, done);
    if (p->quiet)
        return;
    double time = cg_now();
    p->done = done;
    take_pace(p, time);
    int tenth = p->total ? (int)(10 * done / p->total) : 0;
    bool due = p->terminal ? time - p->written >= REDRAW : time - p->written >= p->pause;
    if (!p->terminal && tenth > p->tenth && time - p->written >= FIRST / 4)
        due = true;
    if (!p->terminal && done == p->total) /* the line that ends it all comes at once */
        due = false;
    if (!due)
        return;
    draw(p);
    p->tenth = tenth;
    p->written = time;
    p->pause = p->pause * GROWTH < LONGEST ? p->pause * GROWTH : LONGEST;
}

void cg_progress_say(CgProgress *p, const char *format, ...)
{
    if (p->quiet && !(p->listener && p->listener->say))
        return;
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_plain_vprintf(&text, format, args);
    va_end(args);
    bool drawn = p->drawn;
    clear_line(p);
    if (p->listener)
        p->listener->say(p->listener->arg, cg_strbuf_str(&text));
    else
        fprintf(stderr, "%s\n", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    if (drawn)
        draw(p);
}

void cg_progress_free(CgProgress *p, const char *how)
{
    if (!p)
        return;
    if (!p->quiet) {
        char time[24];
        CgStrbuf b = { 0 };
        clear_line(p);
        p->pace = 0;
        print_line(p, &b, 1000);
        if (how)
            fprintf(stderr, "%s  %s after %s\n", b.at, how, cg_duration(cg_now() - p->started, time));
        else
            fprintf(stderr, "%s  in %s\n", b.at, cg_duration(cg_now() - p->started, time));
        cg_strbuf_deinit(&b);
    }
    for (size_t i = 0; i < p->values.len; i++)
        free(p->values.at[i].name);
    cg_vec_free(&p->values);
    free(p->name);
    free(p);
}
