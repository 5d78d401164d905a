/* dot_svg.c - the texts of an SVG as one line each.
 * Takes an SVG as GraphViz writes it, where each look within a line stands at a place of its own, reckoned with a face
 * that the reader may not have; gives it with one text a line, in the middle of its box, whatever the face. */
#include <stdlib.h>
#include <string.h>

#include "report/dot_inside.h"

typedef struct Part {
    const char *at;
    size_t n;
} Part;

typedef struct Lines {
    CgStrbuf *out;
    bool in_box;
    double left, right; /* of the box */
    Part open[32];      /* lines <text ..>..</text> that are one */
    int n;
} Lines;

/* The value of an attribute of the element that a line begins with; its `at` is NULL where there is none. */
static Part attribute(Part line, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n + 2 < line.n && line.at[i] != '>'; i++)
        if (line.at[i] == ' ' && strncmp(line.at + i + 1, name, n) == 0
            && strncmp(line.at + i + 1 + n, "=\"", 2) == 0) {
            const char *from = line.at + i + n + 3;
            return (Part){ from, strcspn(from, "\"") };
        }
    return (Part){ NULL, 0 };
}

static bool same(Part a, Part b) { return a.at && b.at && a.n == b.n && memcmp(a.at, b.at, a.n) == 0; }

static bool begins(Part line, const char *with)
{
    size_t n = strlen(with);
    return line.n >= n && memcmp(line.at, with, n) == 0;
}

/* Widens the box by the points of a path or polygon. */
static void widen(Lines *l, Part points)
{
    const char *end = points.at + points.n;
    bool across = true;
    for (const char *s = points.at; s && s < end;) {
        char *after;
        double x = strtod(s, &after);
        if (after == s) {
            s++;
            continue;
        }
        if (across && x < l->left)
            l->left = x;
        if (across && x > l->right)
            l->right = x;
        across = !across;
        s = after;
    }
}

/* What stands between the place of a text and its end: looks, and what is written. */
static Part rest(Part line)
{
    Part y = attribute(line, "y");
    const char *from = y.at + y.n + 1;
    return (Part){ from, (size_t)(line.at + line.n - from) - strlen("</text>") };
}

/* What keeps two lines apart. */
static bool is_blank(Part line)
{
    static const char end[] = "> </text>";
    enum { N = sizeof end - 1 };
    return line.n >= N && memcmp(line.at + line.n - N, end, N) == 0;
}

/* Takes blanks that keep their width from the ends of a text; gives how many there were before and after it. */
static void strip(Part *text, int *before, int *after)
{
    static const char blank[] = "\xc2\xa0";
    enum { N = sizeof blank - 1 };
    for (*before = 0; text->n >= N && memcmp(text->at, blank, N) == 0; ++*before)
        text->at += N, text->n -= N;
    for (*after = 0; text->n >= N && memcmp(text->at + text->n - N, blank, N) == 0; ++*after)
        text->n -= N;
}

/* Blanks between two looks are told as a distance: some programs draw none at the ends of a tspan. */
static void put_parts(Lines *l)
{
    enum { BLANK = 3 };
    int blanks = 0;
    for (int i = 0; i < l->n; i++) {
        Part part = rest(l->open[i]);
        size_t look = 0;
        while (look < part.n && part.at[look] != '>')
            look++;
        Part text = { part.at + look + 1, part.n - look - 1 };
        int before, after;
        strip(&text, &before, &after);
        blanks += before;
        cg_strbuf_puts(l->out, "<tspan");
        if (i && blanks)
            cg_strbuf_printf(l->out, " dx=\"%d\"", BLANK * blanks);
        cg_strbuf_write(l->out, part.at, look + 1);
        cg_strbuf_write(l->out, text.at, text.n);
        cg_strbuf_puts(l->out, "</tspan>");
        blanks = after;
    }
}

static void close_line(Lines *l)
{
    Part first = l->open[0];
    bool centred = l->in_box && l->left < l->right;
    int n = l->n;
    if (!n)
        return;
    Part y = attribute(first, "y"), x = attribute(first, "x"), anchor = attribute(first, "text-anchor");
    cg_strbuf_puts(l->out, "<text text-anchor=\"");
    if (centred)
        cg_strbuf_printf(l->out, "middle\" x=\"%.2f", (l->left + l->right) / 2);
    else
        cg_strbuf_printf(l->out, "%.*s\" x=\"%.*s", (int)anchor.n, anchor.at, (int)x.n, x.at);
    cg_strbuf_printf(l->out, "\" y=\"%.*s\"", (int)y.n, y.at);
    if (n == 1) {
        Part part = rest(first);
        cg_strbuf_write(l->out, part.at, part.n);
    } else {
        cg_strbuf_putc(l->out, '>');
        put_parts(l);
    }
    cg_strbuf_puts(l->out, "</text>\n");
    l->n = 0;
}

void cg_dot_put_lines(const char *svg, CgStrbuf *out)
{
    Lines l = { .out = out };
    for (const char *s = svg; *s;) {
        Part line = { s, strcspn(s, "\n") };
        s += line.n + (s[line.n] == '\n');
        bool text = begins(line, "<text ") && attribute(line, "y").at;
        if (text && is_blank(line))
            continue;
        if (text && l.n && (l.n == (int)CG_LEN(l.open) || !same(attribute(line, "y"), attribute(l.open[0], "y"))))
            close_line(&l);
        if (text) {
            l.open[l.n++] = line;
            continue;
        }
        close_line(&l);
        if (begins(line, "<g id="))
            l.in_box = same(attribute(line, "class"), (Part){ "node", 4 }), l.left = 1e9, l.right = -1e9;
        if (begins(line, "<path"))
            widen(&l, attribute(line, "d"));
        if (begins(line, "<polygon") || begins(line, "<polyline"))
            widen(&l, attribute(line, "points"));
        cg_strbuf_write(out, line.at, line.n);
        cg_strbuf_putc(out, '\n');
    }
}
