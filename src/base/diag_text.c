/* diag_text.c - how mistakes look.
 * Takes a list; gives text: the place, the message, the source line with carets, labels, notes, help; sorted by
 * place, each mistake once, at most MOST of them.
 * Must not let a source text reach the terminal raw: control characters are shown as '?'. */
#include "base/diag_list.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define MOST   20
#define GUTTER 5   /* digits of a line number; more are possible */
#define WIDEST 100 /* columns of source text shown before it is cut */
#define TAB    4

/* ---- one line of source, as shown ------------------------------------------------------------------------- */

typedef struct Shown {
    CgStrbuf text;  /* tabs as spaces, control characters as '?' */
    size_t *column; /* display column of each byte of the line, and one past the end */
    size_t width;
    size_t len;              /* bytes of the line */
    size_t cut_from, cut_to; /* display columns that remain */
} Shown;

static void shown_deinit(Shown *s)
{
    cg_strbuf_deinit(&s->text);
    free(s->column);
}

static Shown shown_make(const char *line, size_t len)
{
    Shown s = { .len = len };
    s.column = cg_malloc((len + 1) * sizeof *s.column);
    for (size_t i = 0; i < len;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)line + i, (utf8proc_ssize_t)(len - i), &point);
        size_t bytes = n > 0 ? (size_t)n : 1;
        for (size_t k = 0; k < bytes; k++)
            s.column[i + k] = s.width;
        if (line[i] == '\t') {
            do
                cg_strbuf_putc(&s.text, ' ');
            while (++s.width % TAB);
        } else if (n <= 0 || point < 0x20 || (point >= 0x7f && point < 0xa0)) {
            cg_strbuf_putc(&s.text, '?');
            s.width++;
        } else {
            cg_strbuf_write(&s.text, line + i, bytes);
            s.width += (size_t)utf8proc_charwidth(point);
        }
        i += bytes;
    }
    s.column[len] = s.width;
    s.cut_to = s.width;
    return s;
}

/* Keeps at most WIDEST columns, those around [from, to) when the line is longer. */
static void shown_cut(Shown *s, size_t from, size_t to)
{
    if (s->width <= WIDEST)
        return;
    size_t need = to > from ? to - from : 1, room = WIDEST > need ? (WIDEST - need) / 2 : 0;
    s->cut_from = from > room ? from - room : 0;
    if (need > WIDEST)
        s->cut_from = from;
    s->cut_to = s->cut_from + WIDEST;
    if (s->cut_to > s->width) {
        s->cut_to = s->width;
        s->cut_from = s->width - WIDEST;
    }
}

/* The column at which column `at` of the line is printed: a line cut at its start begins with "... ". */
static size_t shown_at(const Shown *s, size_t at)
{
    size_t lead = s->cut_from ? 4 : 0;
    if (at < s->cut_from)
        at = s->cut_from;
    if (at > s->cut_to)
        at = s->cut_to;
    return at - s->cut_from + lead;
}

static void shown_print(const Shown *s, CgStrbuf *out)
{
    const char *text = cg_strbuf_str(&s->text);
    size_t at = 0, from = 0, to = s->text.len;
    for (size_t i = 0; i < s->text.len;) { /* columns to bytes: the shown text is valid UTF-8 */
        utf8proc_int32_t point;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(s->text.len - i), &point);
        if (at <= s->cut_from)
            from = i;
        at += (size_t)utf8proc_charwidth(point);
        i += (size_t)n;
        if (at <= s->cut_to)
            to = i;
    }
    if (s->cut_from)
        cg_strbuf_puts(out, "... ");
    cg_strbuf_write(out, text + from, to - from);
    if (s->cut_to < s->width)
        cg_strbuf_puts(out, " ...");
    while (out->len && out->at[out->len - 1] == ' ')
        out->at[--out->len] = 0;
}

/* ---- marks under a line ----------------------------------------------------------------------------------- */

typedef struct Underline {
    size_t from, to;
    char with;
    const char *text;
} Underline; /* columns as shown */

typedef struct Position {
    int line, column;
    size_t line_start;
    const char *at;
    size_t len;
} Position;

static Position position_of(const CgSources *sources, CgSpan span)
{
    Position p;
    cg_sources_position(sources, span, &p.line, &p.column);
    if (!cg_sources_line(sources, span.file, p.line, &p.at, &p.len))
        CG_BUG("line %d of '%s' is not there", p.line, cg_sources_get(sources, span.file)->name);
    p.line_start = (size_t)(p.at - cg_sources_get(sources, span.file)->text);
    return p;
}

/* The part of a span on its first line, in display columns; at least one wide. */
static void span_columns(const Shown *s, const Position *p, CgSpan span, size_t *from, size_t *to)
{
    size_t a = span.start > p->line_start ? span.start - p->line_start : 0;
    size_t b = span.end > p->line_start ? span.end - p->line_start : 0;
    a = a < s->len ? a : s->len;
    b = b < s->len ? b : s->len;
    *from = s->column[a];
    *to = b > a ? s->column[b] : *from + 1;
    if (*to <= *from)
        *to = *from + 1;
}

static int by_start(const void *a, const void *b)
{
    const Underline *x = a, *y = b;
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : x->with != y->with ? (x->with < y->with ? -1 : 1) : 0;
}

static void spaces(CgStrbuf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cg_strbuf_putc(out, ' ');
}

static const char *paint(bool colour, const char *how) { return colour ? how : ""; }

#define RED   "\033[1;31m"
#define BLUE  "\033[1;34m"
#define CYAN  "\033[1;36m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static void gutter(CgStrbuf *out, int line, bool colour)
{
    cg_strbuf_puts(out, paint(colour, BLUE));
    if (line)
        cg_strbuf_printf(out, "%*d |", GUTTER, line);
    else
        cg_strbuf_printf(out, "%*s |", GUTTER, "");
    cg_strbuf_puts(out, paint(colour, PLAIN));
}

/* A row of '~' and '^', then the texts: the rightmost one behind its mark, the others below, each where its mark
 * starts. */
static void print_underlines(CgStrbuf *out, Underline *m, size_t n, size_t indent, bool colour)
{
    qsort(m, n, sizeof *m, by_start);
    size_t width = 0, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (m[i].to >= width) {
            width = m[i].to;
            last = i;
        }
    }
    char *row = cg_malloc(width + 1);
    memset(row, ' ', width);
    row[width] = 0;
    for (int pass = 0; pass < 2; pass++) { /* carets over tildes */
        for (size_t i = 0; i < n; i++) {
            if ((m[i].with == '^') == (pass == 1))
                memset(row + m[i].from, m[i].with, m[i].to - m[i].from);
        }
    }
    gutter(out, 0, colour);
    spaces(out, indent);
    for (size_t i = 0; i < width; i++) {
        if (colour && (i == 0 || row[i] != row[i - 1]))
            cg_strbuf_puts(out, row[i] == '^' ? RED : row[i] == '~' ? BLUE : PLAIN);
        cg_strbuf_putc(out, row[i]);
    }
    cg_strbuf_puts(out, paint(colour, PLAIN));
    free(row);
    if (m[last].text) {
        cg_strbuf_printf(out, " %s", m[last].text);
        m[last].text = NULL;
    }
    cg_strbuf_putc(out, '\n');
    for (size_t left = n; left;) {
        size_t at = 0;
        left = 0;
        for (size_t i = 0; i < n; i++) {
            if (!m[i].text)
                continue;
            if (at && m[i].from < at + 2) {
                left++;
                continue;
            }
            if (!at) {
                gutter(out, 0, colour);
                spaces(out, indent);
            }
            spaces(out, m[i].from - at);
            cg_strbuf_puts(out, m[i].text);
            at = m[i].from
                + (size_t)utf8proc_decompose((const utf8proc_uint8_t *)m[i].text, 0, NULL, 0, UTF8PROC_NULLTERM);
            m[i].text = NULL;
        }
        if (at)
            cg_strbuf_putc(out, '\n');
    }
}

/* The line of a span with its marks. `x` is the mistake whose labels on this line are marked too, or NULL.
 * `prefix` replaces the line number: the place in another file. */
static void print_line(const CgDiags *d, CgSpan span, const CgDiag *x, const char *prefix, CgStrbuf *out, bool colour)
{
    Position p = position_of(d->sources, span);
    Shown s = shown_make(p.at, p.len);
    size_t n = 1, from, to;
    for (const CgDiagItem *item = x ? x->items : NULL; item; item = item->next)
        n++;
    Underline *underlines = cg_calloc(n, sizeof *underlines);
    span_columns(&s, &p, span, &from, &to);
    underlines[0] = (Underline){ from, to, '^', NULL };
    n = 1;
    for (const CgDiagItem *item = x ? x->items : NULL; item; item = item->next) {
        if (item->kind != CG_ITEM_LABEL || item->span.file != span.file
            || position_of(d->sources, item->span).line != p.line)
            continue;
        Underline m = { 0, 0, '~', *item->text ? item->text : NULL };
        span_columns(&s, &p, item->span, &m.from, &m.to);
        from = m.from < from ? m.from : from;
        to = m.to > to ? m.to : to;
        underlines[n++] = m;
    }
    shown_cut(&s, from, to);
    size_t indent = 1;
    if (prefix) {
        cg_strbuf_printf(out, "  %s%s%s |", paint(colour, BLUE), prefix, paint(colour, PLAIN));
        size_t wide = 2 + strlen(prefix) + 2;
        indent = wide > GUTTER + 2 ? wide - (GUTTER + 2) + 1 : 1;
    } else {
        gutter(out, p.line, colour);
    }
    cg_strbuf_putc(out, ' ');
    shown_print(&s, out);
    cg_strbuf_putc(out, '\n');
    for (size_t i = 0; i < n; i++) {
        size_t a = shown_at(&s, underlines[i].from),
               b = underlines[i].to > s.width ? a + 1 : shown_at(&s, underlines[i].to);
        underlines[i].from = a;
        underlines[i].to = b > a ? b : a + 1;
    }
    print_underlines(out, underlines, n, indent, colour);
    free(underlines);
    shown_deinit(&s);
}

/* ---- one mistake ------------------------------------------------------------------------------------------ */

static void print_position(const CgDiags *d, CgSpan at, CgStrbuf *out)
{
    Position p = position_of(d->sources, at);
    cg_strbuf_plain(out, cg_sources_get(d->sources, at.file)->name);
    cg_strbuf_printf(out, ":%d:%d", p.line, p.column);
}

static void print_note(const CgDiags *d, const CgDiag *x, const CgDiagItem *item, CgStrbuf *out, bool colour)
{
    cg_strbuf_printf(out, "%snote%s: %s\n", paint(colour, CYAN), paint(colour, PLAIN), item->text);
    if (!item->span.file)
        return;
    if (item->span.file == x->span.file) {
        print_line(d, item->span, NULL, NULL, out, colour);
        return;
    }
    CgStrbuf prefix = { 0 };
    print_position(d, item->span, &prefix);
    print_line(d, item->span, NULL, cg_strbuf_str(&prefix), out, colour);
    cg_strbuf_deinit(&prefix);
}

/* A label that is not on the line of the mistake becomes a note. */
static bool label_elsewhere(const CgDiags *d, const CgDiag *x, const CgDiagItem *item)
{
    if (item->kind != CG_ITEM_LABEL || !item->span.file)
        return false;
    return !x->span.file || item->span.file != x->span.file
        || position_of(d->sources, item->span).line != position_of(d->sources, x->span).line;
}

static void print_one(const CgDiags *d, const CgDiag *x, CgStrbuf *out, bool colour)
{
    cg_strbuf_puts(out, paint(colour, BOLD));
    if (x->span.file) {
        print_position(d, x->span, out);
        cg_strbuf_puts(out, ": ");
    } else {
        cg_strbuf_puts(out, "cg: ");
    }
    cg_strbuf_printf(out, "%s%s[%s]%s: %s%s\n", paint(colour, x->exit ? RED : CYAN), x->exit ? "error" : "warning",
        cg_code_name(x->code), paint(colour, PLAIN BOLD), x->message, paint(colour, PLAIN));
    if (x->span.file)
        print_line(d, x->span, x, NULL, out, colour);
    for (const CgDiagItem *item = x->items; item; item = item->next) {
        if (item->kind == CG_ITEM_NOTE || label_elsewhere(d, x, item))
            print_note(d, x, item, out, colour);
    }
    for (const CgDiagItem *item = x->items; item; item = item->next) {
        if (item->kind == CG_ITEM_HELP)
            cg_strbuf_printf(out, "%shelp%s: %s\n", paint(colour, CYAN), paint(colour, PLAIN), item->text);
    }
}

/* ---- the list --------------------------------------------------------------------------------------------- */

static int by_position(const void *a, const void *b)
{
    const CgDiag *x = *(const CgDiag *const *)a, *y = *(const CgDiag *const *)b;
    uint32_t fx = x->span.file - 1, fy = y->span.file - 1; /* no place: after all others */
    if (fx != fy)
        return fx < fy ? -1 : 1;
    if (x->span.start != y->span.start)
        return x->span.start < y->span.start ? -1 : 1;
    return x->serial < y->serial ? -1 : 1;
}

static bool same(const CgDiag *x, const CgDiag *y)
{
    return x->code == y->code && memcmp(&x->span, &y->span, sizeof x->span) == 0 && strcmp(x->message, y->message) == 0;
}

const CgDiag **cg_diags_sorted(const CgDiags *d, size_t *count)
{
    const CgDiag **all = cg_malloc((d->count + d->warnings + 1) * sizeof *all);
    size_t n = 0, kept = 0;
    for (const CgDiag *x = d->first; x; x = x->next)
        all[n++] = x;
    qsort(all, n, sizeof *all, by_position);
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = kept; k > 0 && !known && all[k - 1]->span.start == all[i]->span.start; k--)
            known = same(all[k - 1], all[i]);
        if (!known)
            all[kept++] = all[i];
    }
    *count = kept;
    return all;
}

void cg_diags_text(const CgDiags *d, CgStrbuf *out, bool colour)
{
    size_t kept;
    const CgDiag **all = cg_diags_sorted(d, &kept);
    for (size_t i = 0; i < kept && i < MOST; i++)
        print_one(d, all[i], out, colour);
    size_t more = kept > MOST ? kept - MOST : 0, errors = 0;
    for (size_t i = MOST; i < kept; i++)
        errors += all[i]->exit != 0;
    if (errors)
        cg_strbuf_printf(out, "and %zu more error%s\n", errors, errors == 1 ? "" : "s");
    if (more > errors)
        cg_strbuf_printf(out, "and %zu more warning%s\n", more - errors, more - errors == 1 ? "" : "s");
    free(all);
}

void cg_diags_print(const CgDiags *d, FILE *to, bool colour)
{
    CgStrbuf b = { 0 };
    cg_diags_text(d, &b, colour);
    fputs(cg_strbuf_str(&b), to);
    cg_strbuf_deinit(&b);
}
