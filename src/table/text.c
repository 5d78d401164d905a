/* text.c - tables as text.
 * Takes a table; gives it aligned for a terminal, as Markdown, LaTeX, CSV and JSON Lines, and writes it to a file.
 * Must not change a number: what is written for programs reads back to the same bits. */
#include "table/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/io.h"

void cg_number_print(double x, CgStrbuf *out)
{
    char text[32] = "nan"; /* its sign means nothing */
    for (int digits = 15; digits <= 17 && !isnan(x); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    cg_strbuf_puts(out, text);
}

void cg_cell_print(const CgColumn *c, size_t row, CgStrbuf *out)
{
    const CgCell *cell = &c->at[row];
    if (cg_cell_absent(c, row)) {
        cg_strbuf_puts(out, "-");
        return;
    }
    switch (c->kind) {
    case CG_TEXT: cg_strbuf_puts(out, cell->text); break;
    case CG_INT: cg_strbuf_printf(out, "%lld", (long long)cell->whole); break;
    case CG_TRUTH: cg_strbuf_puts(out, cell->truth ? "true" : "false"); break;
    case CG_NUMBER: cg_number_print(cell->number, out); break;
    }
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

/* Whether no bound of an interval has decimals; `most` is what stands for the column where each number is 0. */
static bool whole_bounds(const CgColumn *c, size_t rows, double scale, double *most)
{
    bool whole = true, zero = *most == 0;
    for (size_t r = 0; c->spread && r < rows; r++) {
        double low = scale * c->spread[r].low, high = scale * c->spread[r].high;
        if (cg_cell_absent(c, r) || !isfinite(low) || !isfinite(high))
            continue;
        whole &= low == floor(low) && high == floor(high);
        *most = zero ? fmax(*most, fmax(fabs(low), fabs(high))) : *most;
    }
    return whole;
}

enum { POWERS = -1 }; /* no decimals will do: powers of ten are needed */

/* Decimals that give the column's middling magnitude about four digits. */
static int decimals_needed(const CgColumn *c, size_t rows, double scale)
{
    double most = 0, least = INFINITY;
    bool whole = true;
    for (size_t r = 0; r < rows; r++) {
        double x = fabs(c->at[r].number) * scale;
        if (cg_cell_absent(c, r) || isinf(x))
            continue;
        whole &= x == floor(x);
        most = x > most ? x : most;
        if (x > 0 && x < least)
            least = x;
    }
    whole = whole_bounds(c, rows, scale, &most) && whole;
    if (most >= 1e9 || (least < 1e-4 && least < INFINITY && most < 1e-2) || (least < 1e-6 && most < 1))
        return POWERS;
    if (whole)
        return 0;
    int digits = most > 0 ? (int)floor(log10(most)) + 1 : 1;
    int decimals = digits > 3 ? 1 : most > 1 ? 4 - digits : 4;
    if (most < 0.1)
        decimals = most < 0.001 ? 7 : most < 0.01 ? 6 : 5;
    return decimals;
}

static int decimals_of(const CgColumn *c, size_t rows)
{
    if (c->kind != CG_NUMBER)
        return 0;
    return c->format.decimals ? c->format.digits : c->format.percent ? 1 : decimals_needed(c, rows, 1);
}

static void print_scaled(double x, int decimals, CgStrbuf *out)
{
    bool lost = decimals > 0 && x != 0 && fabs(x) < 0.5 * pow(10, -decimals); /* it would be shown as 0 */
    if (isinf(x) || decimals < 0 || lost)
        cg_strbuf_printf(out, lost ? "%.1e" : "%.4g", x);
    else
        cg_strbuf_printf(out, "%.*f", decimals, x);
}

/* "0.72", "72.1%", "72.1 ± 1.3%" where both sides are as wide to the digits shown, else "72.1 [70.2, 73.1]%". */
static void print_number(const CgColumn *c, size_t row, int decimals, CgStrbuf *out)
{
    double scale = c->format.percent ? 100 : 1, x = c->at[row].number * scale;
    if (cg_cell_absent(c, row)) {
        cg_strbuf_puts(out, "-");
        return;
    }
    print_scaled(x, decimals, out);
    if (c->spread && !isnan(c->spread[row].low)) {
        CgStrbuf below = { 0 }, above = { 0 };
        print_scaled(x - scale * c->spread[row].low, decimals, &below);
        print_scaled(scale * c->spread[row].high - x, decimals, &above);
        if (!strcmp(cg_strbuf_str(&below), cg_strbuf_str(&above)))
            cg_strbuf_printf(out, " \xc2\xb1 %s", cg_strbuf_str(&above));
        else {
            cg_strbuf_puts(out, " [");
            print_scaled(scale * c->spread[row].low, decimals, out);
            cg_strbuf_puts(out, ", ");
            print_scaled(scale * c->spread[row].high, decimals, out);
            cg_strbuf_puts(out, "]");
        }
        cg_strbuf_deinit(&below);
        cg_strbuf_deinit(&above);
    }
    cg_strbuf_puts(out, c->format.percent ? "%" : "");
}

static void pad(CgStrbuf *out, int n)
{
    while (n-- > 0)
        cg_strbuf_putc(out, ' ');
}

/* A name may have come from a file. */
static char *shown_name(const CgColumn *c)
{
    CgStrbuf b = { 0 };
    print_text(c->name, 1 << 20, &b);
    return b.len ? cg_strbuf_take(&b) : cg_strdup("");
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

void cg_table_cell(const CgTable *t, size_t row, int column, CgStrbuf *out)
{
    char *s = shown_cell(&t->column[column], row, decimals_of(&t->column[column], t->rows), 1 << 20);
    cg_strbuf_puts(out, s);
    free(s);
}

/* Columns with one signature, one line each: "f1, mean(f1): token_f1|level:sentence|..". `before` stands before a line,
 * `quote` around a signature. */
static void print_signatures(const CgTable *t, const char *before, const char *quote, CgStrbuf *out)
{
    for (int i = 0; i < t->ncolumns; i++) {
        const char *s = t->column[i].signature;
        bool seen = !s;
        for (int k = 0; k < i; k++)
            seen |= s && t->column[k].signature && !strcmp(t->column[k].signature, s);
        if (seen)
            continue;
        cg_strbuf_puts(out, before);
        for (int k = i; k < t->ncolumns; k++) {
            if (t->column[k].signature && !strcmp(t->column[k].signature, s)) {
                cg_strbuf_puts(out, k > i ? ", " : "");
                print_text(t->column[k].name, 1000, out);
            }
        }
        cg_strbuf_printf(out, ": %s%s%s\n", quote, s, quote);
    }
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
        int decimals = decimals_of(c, t->rows);
        cell[i] = shown_name(c);
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
    print_signatures(t, "", "", out);
    free(cell);
    free(widest);
}

/* ---- Markdown and LaTeX ---- */

enum { WHOLE = 1 << 20 }; /* columns of a cell that is not cut */

static void markdown_cell(const char *s, CgStrbuf *out)
{
    cg_strbuf_puts(out, " ");
    for (; *s; s++) {
        if (*s == '|' || *s == '\\')
            cg_strbuf_putc(out, '\\');
        cg_strbuf_putc(out, *s);
    }
    cg_strbuf_puts(out, " |");
}

void cg_table_markdown(const CgTable *t, CgStrbuf *out)
{
    cg_strbuf_putc(out, '|');
    for (int i = 0; i < t->ncolumns; i++) {
        char *name = shown_name(&t->column[i]);
        markdown_cell(name, out);
        free(name);
    }
    cg_strbuf_puts(out, "\n|");
    for (int i = 0; i < t->ncolumns; i++)
        cg_strbuf_puts(out, t->column[i].kind == CG_TEXT ? "---|" : "---:|");
    cg_strbuf_putc(out, '\n');
    for (size_t r = 0; r < t->rows; r++) {
        cg_strbuf_putc(out, '|');
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            char *s = shown_cell(c, r, decimals_of(c, t->rows), WHOLE);
            markdown_cell(s, out);
            free(s);
        }
        cg_strbuf_putc(out, '\n');
    }
    print_signatures(t, "\n", "`", out); /* a paragraph each */
}

static void latex_text(const char *s, CgStrbuf *out)
{
    for (; *s; s++) {
        if (!strncmp(s, "\xc2\xb1", 2)) {
            cg_strbuf_puts(out, "$\\pm$");
            s++;
        } else if (strchr("&%$#_{}", *s))
            cg_strbuf_printf(out, "\\%c", *s);
        else if (*s == '\\')
            cg_strbuf_puts(out, "\\textbackslash{}");
        else if (*s == '~' || *s == '^')
            cg_strbuf_printf(out, "\\%c{}", *s);
        else if (*s == '<' || *s == '>' || *s == '|')
            cg_strbuf_printf(out, "$%c$", *s);
        else
            cg_strbuf_putc(out, *s);
    }
}

void cg_table_latex(const CgTable *t, CgStrbuf *out)
{
    cg_strbuf_puts(out, "\\begin{tabular}{");
    for (int i = 0; i < t->ncolumns; i++)
        cg_strbuf_putc(out, t->column[i].kind == CG_TEXT ? 'l' : 'r');
    cg_strbuf_puts(out, "}\n\\toprule\n");
    for (int i = 0; i < t->ncolumns; i++) {
        cg_strbuf_puts(out, i ? " & " : "");
        char *name = shown_name(&t->column[i]);
        latex_text(name, out);
        free(name);
    }
    cg_strbuf_puts(out, " \\\\\n\\midrule\n");
    for (size_t r = 0; r < t->rows; r++) {
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            char *s = shown_cell(c, r, decimals_of(c, t->rows), WHOLE);
            cg_strbuf_puts(out, i ? " & " : "");
            latex_text(s, out);
            free(s);
        }
        cg_strbuf_puts(out, " \\\\\n");
    }
    cg_strbuf_puts(out, "\\bottomrule\n\\end{tabular}\n");
    print_signatures(t, "% ", "", out); /* comments */
}

/* ---- CSV and JSON Lines ---- */

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

static void csv_name(const char *name, const char *end, CgStrbuf *out)
{
    CgStrbuf whole = { 0 };
    cg_strbuf_printf(&whole, "%s%s", name, end);
    csv_text(cg_strbuf_str(&whole), out);
    cg_strbuf_deinit(&whole);
}

static void csv_end(double x, CgStrbuf *out)
{
    cg_strbuf_putc(out, ',');
    if (!isnan(x))
        cg_number_print(x, out);
}

void cg_table_csv(const CgTable *t, CgStrbuf *out)
{
    for (int i = 0; i < t->ncolumns; i++) {
        cg_strbuf_puts(out, i ? "," : "");
        csv_text(t->column[i].name, out);
        for (int k = 0; k < 2 && t->column[i].spread; k++) {
            cg_strbuf_putc(out, ',');
            csv_name(t->column[i].name, k ? "_high" : "_low", out);
        }
    }
    cg_strbuf_puts(out, "\r\n");
    for (size_t r = 0; r < t->rows; r++) {
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            cg_strbuf_puts(out, i ? "," : "");
            if (!cg_cell_absent(c, r) && c->kind == CG_TEXT)
                csv_text(c->at[r].text, out);
            else if (!cg_cell_absent(c, r))
                cg_cell_print(c, r, out);
            if (c->spread) {
                csv_end(c->spread[r].low, out);
                csv_end(c->spread[r].high, out);
            }
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

static void json_field(const char *name, const char *end, bool first, CgStrbuf *out)
{
    CgStrbuf whole = { 0 };
    cg_strbuf_printf(&whole, "%s%s", name, end);
    cg_strbuf_puts(out, first ? "" : ", ");
    json_text(cg_strbuf_str(&whole), out);
    cg_strbuf_puts(out, ": ");
    cg_strbuf_deinit(&whole);
}

static void json_number(double x, CgStrbuf *out)
{
    if (isfinite(x))
        cg_number_print(x, out);
    else
        cg_strbuf_puts(out, "null");
}

void cg_table_jsonl(const CgTable *t, CgStrbuf *out)
{
    for (size_t r = 0; r < t->rows; r++) {
        cg_strbuf_putc(out, '{');
        for (int i = 0; i < t->ncolumns; i++) {
            const CgColumn *c = &t->column[i];
            json_field(c->name, "", i == 0, out);
            if (cg_cell_absent(c, r))
                cg_strbuf_puts(out, "null");
            else if (c->kind == CG_TEXT)
                json_text(c->at[r].text, out);
            else if (c->kind == CG_NUMBER)
                json_number(c->at[r].number, out);
            else
                cg_cell_print(c, r, out);
            if (c->spread) {
                json_field(c->name, "_low", false, out);
                json_number(c->spread[r].low, out);
                json_field(c->name, "_high", false, out);
                json_number(c->spread[r].high, out);
            }
        }
        cg_strbuf_puts(out, "}\n");
    }
}

/* JSON has no infinite numbers; nan is null there, as what is missing. */
static bool json_has(const CgTable *t, const char *path, CgErr *e)
{
    for (int i = 0; i < t->ncolumns; i++)
        for (size_t r = 0; r < t->rows; r++) {
            const CgColumn *c = &t->column[i];
            bool number = c->kind == CG_NUMBER && !cg_cell_absent(c, r) && isinf(c->at[r].number);
            if (!number && !(c->spread && (isinf(c->spread[r].low) || isinf(c->spread[r].high))))
                continue;
            cg_err(e, CG_ERR_INPUT, "'%s' of row %zu is infinite, which '%s' cannot say", c->name, r, path);
            cg_err_hint(e, "save it as .csv");
            return false;
        }
    return true;
}

bool cg_table_save(const CgTable *t, const char *path, CgErr *e)
{
    static const struct {
        const char *end;
        void (*write)(const CgTable *, CgStrbuf *);
    } forms[] = { { ".csv", cg_table_csv }, { ".jsonl", cg_table_jsonl }, { ".md", cg_table_markdown },
        { ".tex", cg_table_latex } };
    const char *dot = strrchr(path, '.');
    size_t k = 0;
    while (k < CG_LEN(forms) && (!dot || strcmp(dot, forms[k].end) != 0))
        k++;
    if (k == CG_LEN(forms)) {
        cg_err(e, CG_ERR_INPUT, "a table cannot be saved as '%s'", path);
        cg_err_hint(e, "tables are saved as .csv, .jsonl, .md or .tex");
        return false;
    }
    if (forms[k].write == cg_table_jsonl && !json_has(t, path, e))
        return false;
    CgStrbuf out = { 0 };
    forms[k].write(t, &out);
    bool ok = cg_io_write(path, cg_strbuf_str(&out), out.len, e);
    cg_strbuf_deinit(&out);
    return ok;
}
