/* text.c - tables as text.
 * Takes a table; gives it aligned for a terminal, as CSV and as JSON Lines, and writes the last two to a file.
 * Must not change a number: what is written for programs reads back to the same bits. */
#include "table/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/io.h"

void cg_number_print(double x, CgStrbuf *out)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    cg_strbuf_puts(out, text);
}

void cg_cell_print(const CgColumn *c, size_t row, CgStrbuf *out)
{
    if (cg_cell_absent(c, row))
        cg_strbuf_puts(out, "-");
    else if (c->kind == CG_TEXT)
        cg_strbuf_puts(out, c->at[row].text);
    else if (c->kind == CG_INT)
        cg_strbuf_printf(out, "%lld", (long long)c->at[row].whole);
    else
        cg_number_print(c->at[row].number, out);
}

/* One character: its bytes, its width, and whether it may be shown. */
static size_t character(const char *s, size_t n, int *width, bool *shown)
{
    utf8proc_int32_t c = 0;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(n < 4 ? n : 4), &c);
    if (len <= 0) {
        *width = 1;
        *shown = false;
        return 1;
    }
    utf8proc_category_t sort = utf8proc_category(c);
    *shown = sort != UTF8PROC_CATEGORY_CC && sort != UTF8PROC_CATEGORY_ZL && sort != UTF8PROC_CATEGORY_ZP
        && sort != UTF8PROC_CATEGORY_CS;
    *width = *shown ? utf8proc_charwidth(c) : 1;
    return (size_t)len;
}

int cg_text_width(const char *s, size_t n)
{
    int total = 0;
    for (size_t i = 0; i < n;) {
        int width;
        bool shown;
        i += character(s + i, n - i, &width, &shown);
        total += width;
    }
    return total;
}

static void print_text(const char *s, int most, CgStrbuf *out)
{
    size_t n = strlen(s);
    bool cut = cg_text_width(s, n) > most;
    int left = cut ? most - 1 : most;
    for (size_t i = 0; i < n;) {
        int width;
        bool shown;
        size_t len = character(s + i, n - i, &width, &shown);
        if (cut && width > left)
            break;
        left -= width;
        if (shown)
            cg_strbuf_write(out, s + i, len);
        else
            cg_strbuf_putc(out, '.');
        i += len;
    }
    if (cut)
        cg_strbuf_puts(out, "\xe2\x80\xa6");
}

/* Decimals that give the column's middling magnitude about four digits; -1: powers of ten are needed. */
static int decimals_of(const CgColumn *c, size_t rows)
{
    double most = 0, least = INFINITY;
    bool whole = true;
    for (size_t r = 0; r < rows; r++) {
        double x = fabs(c->at[r].number);
        if (cg_cell_absent(c, r) || isinf(x))
            continue;
        whole &= x == floor(x);
        most = x > most ? x : most;
        if (x > 0 && x < least)
            least = x;
    }
    if (most >= 1e9 || (least < 1e-4 && least < INFINITY && most < 1e-2) || (least < 1e-6 && most < 1))
        return -1;
    if (whole)
        return 0;
    int digits = most > 0 ? (int)floor(log10(most)) + 1 : 1;
    int decimals = digits > 3 ? 1 : most > 1 ? 4 - digits : 4;
    if (most < 0.1)
        decimals = most < 0.001 ? 7 : most < 0.01 ? 6 : 5;
    return decimals;
}

static void print_number(const CgColumn *c, size_t row, int decimals, CgStrbuf *out)
{
    double x = c->at[row].number;
    if (cg_cell_absent(c, row))
        cg_strbuf_puts(out, "-");
    else if (isinf(x) || decimals < 0)
        cg_strbuf_printf(out, "%.4g", x);
    else
        cg_strbuf_printf(out, "%.*f", decimals, x);
}

static void pad(CgStrbuf *out, int n)
{
    while (n-- > 0)
        cg_strbuf_putc(out, ' ');
}

static char *shown_cell(const CgColumn *c, size_t row, int decimals, int width)
{
    CgStrbuf b = { 0 };
    if (c->kind == CG_NUMBER)
        print_number(c, row, decimals, &b);
    else if (c->kind == CG_TEXT && !c->at[row].missing)
        print_text(c->at[row].text, width, &b);
    else
        cg_cell_print(c, row, &b);
    return b.len ? cg_strbuf_take(&b) : cg_strdup("");
}

void cg_table_print(const CgTable *t, size_t most, int width, CgStrbuf *out)
{
    size_t rows = most && most < t->rows ? most : t->rows;
    size_t columns = (size_t)t->ncolumns;
    /* (rows + 1, columns), names first */
    char **cell = cg_malloc(sizeof *cell * ((rows + 1) * columns + 1));
    int *widest = cg_calloc(columns + 1, sizeof *widest);
    width = width > 0 ? width : 48;
    for (size_t i = 0; i < columns; i++) {
        const CgColumn *c = &t->column[i];
        int decimals = c->kind == CG_NUMBER ? decimals_of(c, t->rows) : 0;
        cell[i] = cg_strdup(c->name);
        for (size_t r = 0; r < rows; r++)
            cell[(r + 1) * columns + i] = shown_cell(c, r, decimals, width);
        for (size_t r = 0; r <= rows; r++) {
            int wide = cg_text_width(cell[r * columns + i], strlen(cell[r * columns + i]));
            widest[i] = wide > widest[i] ? wide : widest[i];
        }
    }
    for (size_t r = 0; r <= rows; r++) {
        for (size_t i = 0; i < columns; i++) {
            char *s = cell[r * columns + i];
            int space = widest[i] - cg_text_width(s, strlen(s));
            bool right = t->column[i].kind != CG_TEXT;
            if (i)
                cg_strbuf_puts(out, "  ");
            if (right)
                pad(out, space);
            cg_strbuf_puts(out, s);
            if (!right && i + 1 < columns)
                pad(out, space);
            free(s);
        }
        cg_strbuf_putc(out, '\n');
    }
    if (rows < t->rows)
        cg_strbuf_printf(out, "... and %zu more rows\n", t->rows - rows);
    free(cell);
    free(widest);
}

static void csv_text(const char *s, CgStrbuf *out)
{
    if (*s && !strpbrk(s, ",\"\r\n")) {
        cg_strbuf_puts(out, s);
        return;
    }
    cg_strbuf_putc(out, '"'); /* an empty text is "", a missing one is nothing */
    for (; *s; s++) {
        if (*s == '"')
            cg_strbuf_putc(out, '"');
        cg_strbuf_putc(out, *s);
    }
    cg_strbuf_putc(out, '"');
}

void cg_table_csv(const CgTable *t, CgStrbuf *out)
{
    for (int i = 0; i < t->ncolumns; i++) {
        cg_strbuf_puts(out, i ? "," : "");
        csv_text(t->column[i].name, out);
    }
    cg_strbuf_puts(out, "\r\n");
    for (size_t r = 0; r < t->rows; r++) {
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            cg_strbuf_puts(out, i ? "," : "");
            if (cg_cell_absent(c, r))
                continue;
            if (c->kind == CG_TEXT)
                csv_text(c->at[r].text, out);
            else
                cg_cell_print(c, r, out);
        }
        cg_strbuf_puts(out, "\r\n");
    }
}

/* JSON is UTF-8: a byte that is none becomes U+FFFD. */
static void json_text(const char *s, CgStrbuf *out)
{
    size_t n = strlen(s);
    cg_strbuf_putc(out, '"');
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t len =
            utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i < 4 ? n - i : 4), &c);
        if (len <= 0)
            cg_strbuf_puts(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            cg_strbuf_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            cg_strbuf_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            cg_strbuf_printf(out, "\\u%04x", (unsigned)c);
        else
            cg_strbuf_write(out, s + i, (size_t)len);
        i += len > 0 ? (size_t)len : 1;
    }
    cg_strbuf_putc(out, '"');
}

void cg_table_jsonl(const CgTable *t, CgStrbuf *out)
{
    for (size_t r = 0; r < t->rows; r++) {
        cg_strbuf_putc(out, '{');
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            cg_strbuf_puts(out, i ? ", " : "");
            json_text(c->name, out);
            cg_strbuf_puts(out, ": ");
            if (cg_cell_absent(c, r) || (c->kind == CG_NUMBER && isinf(c->at[r].number)))
                cg_strbuf_puts(out, "null");
            else if (c->kind == CG_TEXT)
                json_text(c->at[r].text, out);
            else
                cg_cell_print(c, r, out);
        }
        cg_strbuf_puts(out, "}\n");
    }
}

bool cg_table_save(const CgTable *t, const char *path, CgErr *e)
{
    const char *dot = strrchr(path, '.');
    CgStrbuf out = { 0 };
    if (dot && !strcmp(dot, ".csv")) {
        cg_table_csv(t, &out);
    } else if (dot && !strcmp(dot, ".jsonl")) {
        cg_table_jsonl(t, &out);
    } else {
        cg_err(e, CG_ERR_INPUT, "a table cannot be saved as '%s'", path);
        cg_err_hint(e, "tables are saved as .csv or .jsonl");
        return false;
    }
    bool ok = cg_io_write(path, cg_strbuf_str(&out), out.len, e);
    cg_strbuf_deinit(&out);
    return ok;
}
