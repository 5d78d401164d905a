/* lifetimes.c - what lies in memory while a plan runs, as a picture.
 * Takes a plan; gives an SVG by instruction and address, with the lines of the script that made what lies there, and
 * the instruction at which most is alive explained line by line. Sizes are pixels. */
#include "report/lifetimes.h"

#include <stdlib.h>
#include <string.h>

#include "report/label.h"

enum { LEFT = 70, TOP = 64, WIDE = 640, HIGH = 460, LIST = 260, BELOW = 130, ROWS = 18, TICKS = 16, COLOURS = 8 };
enum { MARGIN = 10, NORMAL = 10, STRONG = 11 }; /* sizes of the faces */

/* The tensors that one op at one line makes. */
typedef struct Line {
    const char *op;
    char where[160];
    size_t bytes; /* at the peak */
    int hue;
} Line;

/* Each lighter than the one before, or darker on dark ground, in grey as well. */
static const char *const colours[COLOURS][2] = {
    { "#75a7da", "#437ab1" },
    { "#ec9e5e", "#955725" },
    { "#9dd2a3", "#34723b" },
    { "#eebac7", "#7e384a" },
    { "#ded0f2", "#4f396f" },
    { "#f1e8ae", "#49410b" },
    { "#e5f5f4", "#134441" },
    { "#ffffff", "#22262b" },
};

typedef struct Work {
    const CgPlan *plan;
    const CgSources *sources;
    CgStrbuf *out;
    int n, peak; /* instructions; where most is alive */
    size_t slab, most;
    double right, bottom; /* how far texts reach */
    int *maker;           /* by buffer: the first instruction that writes it, -1 = none */
    int *line_of;         /* by buffer */
    CG_VEC(Line) lines;
} Work;

static void put(CgStrbuf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': cg_strbuf_puts(out, "&amp;"); break;
        case '<': cg_strbuf_puts(out, "&lt;"); break;
        case '>': cg_strbuf_puts(out, "&gt;"); break;
        default: cg_strbuf_putc(out, *s);
        }
}

/* "net.cg:12", without folders. */
static void place(const Work *w, int instr, char out[160])
{
    const CgInstr *in = cg_plan_instr(w->plan, instr);
    *out = 0;
    if (in->node != CG_NONE)
        cg_plan_where(w->sources, cg_node(cg_plan_graph(w->plan), in->node)->span, out);
    const char *base = strrchr(out, '/');
    if (base)
        memmove(out, base + 1, strlen(base));
}

/* Of tensors made by a plan, and so in its slab. */
static bool lives(const Work *w, int b)
{
    const CgBuffer *buf = cg_plan_buffer(w->plan, b);
    return buf->storage == CG_AT_SLAB && buf->first <= buf->last && w->maker[b] >= 0;
}

static int line_of(Work *w, int instr)
{
    const CgInstr *in = cg_plan_instr(w->plan, instr);
    Line l = { .op = in->op->name };
    place(w, instr, l.where);
    for (size_t i = 0; i < w->lines.len; i++)
        if (w->lines.at[i].op == l.op && strcmp(w->lines.at[i].where, l.where) == 0)
            return (int)i;
    cg_vec_push(&w->lines, l);
    return (int)w->lines.len - 1;
}

static void find_makers(Work *w)
{
    int nbuffers = cg_plan_buffers(w->plan);
    w->maker = cg_calloc((size_t)nbuffers + 1, sizeof *w->maker);
    w->line_of = cg_calloc((size_t)nbuffers + 1, sizeof *w->line_of);
    for (int b = 0; b < nbuffers; b++)
        w->maker[b] = -1;
    for (int i = w->n; i-- > 0;) {
        const CgInstr *in = cg_plan_instr(w->plan, i);
        for (int k = 0; k < in->nout; k++)
            w->maker[in->out[k].buffer] = i;
        if (in->shared >= 0)
            w->maker[in->shared] = i;
    }
    for (int b = 0; b < nbuffers; b++)
        if (lives(w, b))
            w->line_of[b] = line_of(w, w->maker[b]);
}

/* What takes most at the peak has a colour of its own, the rest the last one. */
static void choose_hues(Work *w)
{
    for (size_t i = 0; i < w->lines.len; i++) {
        int before = 0;
        for (size_t k = 0; k < w->lines.len; k++)
            before +=
                w->lines.at[k].bytes > w->lines.at[i].bytes || (w->lines.at[k].bytes == w->lines.at[i].bytes && k < i);
        w->lines.at[i].hue = before < COLOURS ? before : COLOURS - 1;
    }
}

static void find_peak(Work *w)
{
    for (int i = 0; i < w->n; i++) {
        size_t alive = 0;
        for (int b = 0; b < cg_plan_buffers(w->plan); b++) {
            const CgBuffer *buf = cg_plan_buffer(w->plan, b);
            alive += lives(w, b) && buf->first <= i && i <= buf->last ? cg_plan_room(buf) : 0;
        }
        if (alive > w->most)
            w->most = alive, w->peak = i;
    }
    for (int b = 0; b < cg_plan_buffers(w->plan); b++) {
        const CgBuffer *buf = cg_plan_buffer(w->plan, b);
        if (lives(w, b) && buf->first <= w->peak && w->peak <= buf->last)
            w->lines.at[w->line_of[b]].bytes += cg_plan_room(buf);
    }
    choose_hues(w);
}

static double x_of(const Work *w, int instr) { return LEFT + (double)WIDE * instr / (w->n ? w->n : 1); }
static double y_of(const Work *w, size_t offset)
{
    return TOP + HIGH - (double)HIGH * (double)offset / (double)(w->slab ? w->slab : 1);
}

static void draw_tensor(const Work *w, int b)
{
    const CgBuffer *buf = cg_plan_buffer(w->plan, b);
    const Line *l = &w->lines.at[w->line_of[b]];
    int last = buf->last < w->n ? buf->last : w->n - 1;
    double x = x_of(w, buf->first), wide = x_of(w, last + 1) - x, y = y_of(w, buf->offset + buf->bytes);
    double high = y_of(w, buf->offset) - y;
    char bytes[24];
    cg_strbuf_printf(w->out,
        "<g><title>%s %s, %s, from instruction %d to %d</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
        "height=\"%.1f\" class=\"c%d\"/>",
        l->op, l->where, cg_plan_bytes(buf->bytes, bytes), buf->first, last, x, y, wide, high < 0.3 ? 0.3 : high,
        l->hue);
    double room = wide / 5.5;
    if (high >= 10 && (double)strlen(l->op) < room) {
        cg_strbuf_printf(w->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"in\">%s", x + 2, y + high / 2 + 3, l->op);
        if ((double)(strlen(l->op) + strlen(l->where) + 1) < room) {
            cg_strbuf_putc(w->out, ' ');
            put(w->out, l->where);
        }
        cg_strbuf_puts(w->out, "</text>");
    }
    cg_strbuf_puts(w->out, "</g>\n");
}

static void reach(Work *w, double x, double y)
{
    w->right = x > w->right ? x : w->right;
    w->bottom = y > w->bottom ? y : w->bottom;
}

/* Below: which instruction, and the line it comes from; at the left: bytes. */
static void draw_axes(Work *w)
{
    static const double down = 0.643, across = 0.766; /* sine and cosine of 40 degrees */
    char bytes[24], where[160];
    CgStrbuf text = { 0 };
    for (int k = 0; k <= 4; k++)
        cg_strbuf_printf(w->out,
            "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" "
            "text-anchor=\"end\">%s</text>\n",
            LEFT, LEFT + WIDE, y_of(w, w->slab * (size_t)k / 4), y_of(w, w->slab * (size_t)k / 4), LEFT - 6,
            y_of(w, w->slab * (size_t)k / 4) + 3, cg_plan_bytes(w->slab * (size_t)k / 4, bytes));
    int ticks = w->n < TICKS ? w->n : TICKS;
    for (int k = 0; k < ticks; k++) {
        int i = (int)((int64_t)w->n * k / ticks);
        const CgInstr *in = cg_plan_instr(w->plan, i);
        place(w, i, where);
        double x = (x_of(w, i) + x_of(w, i + 1)) / 2;
        text.len = 0;
        cg_strbuf_printf(&text, "%d %s %s", i, in->op->name, where);
        cg_strbuf_printf(w->out, "<text transform=\"translate(%.1f,%d) rotate(40)\">", x, TOP + HIGH + 12);
        put(w->out, cg_strbuf_str(&text));
        cg_strbuf_puts(w->out, "</text>\n");
        double wide = cg_label_width(cg_strbuf_str(&text), false, NORMAL);
        reach(w, x + across * wide, TOP + HIGH + 12 + down * wide);
    }
    cg_strbuf_deinit(&text);
}

static int by_bytes(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : strcmp(x->where, y->where);
}

/* A line of the list beside the picture. */
static void put_line(Work *w, bool strong, int x, int y, CgStrbuf *text)
{
    cg_strbuf_printf(w->out, "<text%s x=\"%d\" y=\"%d\">", strong ? " class=\"strong\"" : "", x, y);
    put(w->out, cg_strbuf_str(text));
    cg_strbuf_puts(w->out, "</text>\n");
    reach(w, x + cg_label_width(cg_strbuf_str(text), strong, strong ? STRONG : NORMAL), y);
    text->len = 0;
}

static void draw_peak(Work *w)
{
    char bytes[24];
    CgStrbuf text = { 0 };
    double x = (x_of(w, w->peak) + x_of(w, w->peak + 1)) / 2;
    int list = LEFT + WIDE + 24, y = TOP + 10;
    if (!w->most) {
        cg_strbuf_puts(&text, w->n ? "no tensor lies in the slab" : "no instruction runs");
        put_line(w, true, list, y, &text);
        cg_strbuf_deinit(&text);
        return;
    }
    cg_strbuf_printf(
        w->out, "<line class=\"peak\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, TOP - 8, TOP + HIGH);
    cg_strbuf_printf(
        w->out, "<text class=\"strong\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">most alive</text>\n", x, TOP - 12);
    cg_strbuf_printf(&text, "%s alive at instruction %d, %s:", cg_plan_bytes(w->most, bytes), w->peak,
        cg_plan_instr(w->plan, w->peak)->op->name);
    put_line(w, true, list, y, &text);
    qsort(w->lines.at, w->lines.len, sizeof *w->lines.at, by_bytes);
    for (size_t i = 0; i < w->lines.len && i < ROWS && w->lines.at[i].bytes; i++) {
        const Line *l = &w->lines.at[i];
        y += 18;
        cg_strbuf_printf(
            w->out, "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" class=\"c%d\"/>", list, y - 9, l->hue);
        cg_strbuf_printf(&text, "%s, %.0f%%: %s %s", cg_plan_bytes(l->bytes, bytes),
            100 * (double)l->bytes / (double)w->most, l->op, l->where);
        put_line(w, false, list + 16, y, &text);
    }
    cg_strbuf_deinit(&text);
}

static void put_style(CgStrbuf *out)
{
    cg_strbuf_puts(out,
        "<style>svg{background:#fff}text{font:10px Helvetica,Arial,sans-serif;fill:#1f2328}"
        ".strong{font-weight:bold;font-size:11px}.in{font-size:9px}rect{stroke:#5d656e;stroke-width:.5}"
        "line{stroke:#c4c9cf}.peak{stroke:#c2185b;stroke-width:1.5;stroke-dasharray:5 3}");
    for (int i = 0; i < COLOURS; i++)
        cg_strbuf_printf(out, ".c%d{fill:%s}", i, colours[i][0]);
    cg_strbuf_puts(out,
        "@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#e6e8eb}rect{stroke:#929aa3}"
        "line{stroke:#4a5159}.peak{stroke:#ff7aa8}");
    for (int i = 0; i < COLOURS; i++)
        cg_strbuf_printf(out, ".c%d{fill:%s}", i, colours[i][1]);
    cg_strbuf_puts(out, "}</style>\n");
}

void cg_lifetimes_svg(const CgPlan *plan, const char *title, const CgSources *sources, CgStrbuf *out)
{
    CgStrbuf drawn = { 0 }, text = { 0 };
    Work w = { .plan = plan, .sources = sources, .out = &drawn, .n = cg_plan_count(plan), .slab = cg_plan_slab(plan) };
    char bytes[24];
    find_makers(&w);
    find_peak(&w);
    cg_strbuf_printf(&text, "memory of %s: %s in one slab, by instruction", title, cg_plan_bytes(w.slab, bytes));
    put_line(&w, true, LEFT, 18, &text);
    draw_axes(&w);
    for (int b = 0; b < cg_plan_buffers(plan); b++)
        if (lives(&w, b))
            draw_tensor(&w, b);
    draw_peak(&w);
    reach(&w, LEFT + WIDE + 24 + LIST - MARGIN, TOP + HIGH + BELOW - MARGIN);
    cg_strbuf_printf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\">\n<title>memory of ",
        w.right + MARGIN, w.bottom + MARGIN);
    put(out, title);
    cg_strbuf_printf(out, "</title>\n<desc>%d instructions, %d tensors in a slab of %s</desc>\n", w.n,
        cg_plan_buffers(plan), cg_plan_bytes(w.slab, bytes));
    put_style(out);
    cg_strbuf_puts(out, cg_strbuf_str(&drawn));
    cg_strbuf_puts(out, "</svg>\n");
    cg_strbuf_deinit(&drawn);
    cg_strbuf_deinit(&text);
    cg_vec_free(&w.lines);
    free(w.maker);
    free(w.line_of);
}
