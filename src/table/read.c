/* read.c - tables from files.
 * Takes the path of a file of CSV or JSON Lines; gives a table. Must not guess more than the kind of a column: a row
 * with too many cells, a name that stands twice, a value that is no number, text, truth or null is an error with its
 * line. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "data/text.h"
#include "table/table.h"

/* What all cells of a column could be. A whole number that a double would round is no number among others: a column
 * with one is whole throughout, else of texts. */
typedef struct Kinds {
    bool whole, number, truth, any;
} Kinds;

static CgCellKind kind_of(const Kinds *k)
{
    return !k->any ? CG_TEXT : k->truth ? CG_TRUTH : k->whole ? CG_INT : k->number ? CG_NUMBER : CG_TEXT;
}

/* ---- CSV ------------------------------------------------------------------------------------------------ */

typedef struct Cell {
    char *text; /* NULL: missing */
    size_t column, row;
} Cell;

typedef struct Csv {
    const char *path;
    const char *at, *end;
    size_t line;
    CG_VEC(char *) names;
    CG_VEC(Kinds) kinds;
    CG_VEC(Cell) cells;
    size_t rows;
    CgErr *e;
} Csv;

/* One cell and what ends it: ',', '\n' or 0 at the end of the file; -1 after a mistake. */
static int take_cell(Csv *c, char **out)
{
    CgStrbuf b = { 0 };
    bool quoted = c->at < c->end && *c->at == '"';
    if (quoted) {
        size_t opened = c->line;
        for (c->at++;; c->at++) {
            if (c->at == c->end) {
                cg_strbuf_deinit(&b);
                cg_err(c->e, CG_ERR_INPUT, "%s:%zu: a quote is not closed", c->path, opened);
                return -1;
            }
            if (*c->at == '"' && !(c->at + 1 < c->end && *++c->at == '"'))
                break;
            c->line += *c->at == '\n';
            cg_strbuf_putc(&b, *c->at);
        }
        if (c->at < c->end && *c->at == '"')
            c->at++;
    }
    while (c->at < c->end && *c->at != ',' && *c->at != '\n') {
        if (*c->at != '\r' || (c->at + 1 < c->end && c->at[1] != '\n'))
            cg_strbuf_putc(&b, *c->at);
        c->at++;
    }
    *out = quoted || b.len ? cg_strdup(cg_strbuf_str(&b)) : NULL;
    bool zero = b.len && strlen(cg_strbuf_str(&b)) != b.len;
    cg_strbuf_deinit(&b);
    if (zero) {
        cg_err(c->e, CG_ERR_INPUT, "%s:%zu: a cell holds the byte 0", c->path, c->line);
        return -1;
    }
    if (c->at == c->end)
        return 0;
    c->line += *c->at == '\n';
    return *c->at++;
}

static bool is_number(const char *s, bool *whole)
{
    char *end;
    if (*s != '-' && *s != '+' && *s != '.' && !(*s >= '0' && *s <= '9') && strcmp(s, "inf") != 0
        && strcmp(s, "nan") != 0)
        return false;
    if (s[strcspn(s, "xX")])
        return false;
    errno = 0;
    (void)strtoll(s, &end, 10);
    *whole = !*end && errno == 0 && *s != '+';
    double x = strtod(s, &end);
    CgText text = { s, strlen(s) };
    return !*end && cg_text_is_exact(text, x) && !cg_text_is_beyond(text, x);
}

static void look_at(Kinds *k, const char *s)
{
    bool whole = false, number = is_number(s, &whole), truth = !strcmp(s, "true") || !strcmp(s, "false");
    *k = (Kinds){ (!k->any || k->whole) && whole, (!k->any || k->number) && number, (!k->any || k->truth) && truth,
        true };
}

static bool take_names(Csv *c)
{
    for (int ended = ','; ended == ',';) {
        char *name;
        ended = take_cell(c, &name);
        if (ended < 0)
            return free(name), false;
        if (!name)
            name = cg_strdup("");
        for (size_t i = 0; i < c->names.len; i++) {
            if (!strcmp(c->names.at[i], name)) {
                cg_err(c->e, CG_ERR_INPUT, "%s:1: two columns are called '%s'", c->path, name);
                free(name);
                return false;
            }
        }
        cg_vec_push(&c->names, name);
        cg_vec_push(&c->kinds, (Kinds){ 0 });
    }
    return true;
}

static bool take_row(Csv *c)
{
    size_t line = c->line, n = 0;
    for (int ended = ','; ended == ',';) {
        char *text = NULL;
        ended = take_cell(c, &text);
        if (ended < 0)
            return free(text), false;
        if (n == c->names.len) {
            free(text);
            return cg_err(c->e, CG_ERR_INPUT, "%s:%zu: more cells than the %zu names of the first line", c->path, line,
                c->names.len);
        }
        if (text) {
            look_at(&c->kinds.at[n], text);
            cg_vec_push(&c->cells, (Cell){ text, n, c->rows });
        }
        n++;
    }
    if (n != c->names.len)
        return cg_err(
            c->e, CG_ERR_INPUT, "%s:%zu: %zu cells; the first line has %zu names", c->path, line, n, c->names.len);
    c->rows++;
    return true;
}

static CgCell cell_of(CgCellKind kind, const char *s)
{
    switch (kind) {
    case CG_INT: return cg_whole(strtoll(s, NULL, 10));
    case CG_NUMBER: return cg_number(strtod(s, NULL));
    case CG_TRUTH: return cg_truth(*s == 't');
    case CG_TEXT: break;
    }
    return cg_text(s);
}

static CgTable *read_csv(CgText text, const char *path, CgErr *e)
{
    Csv c = { .path = path, .at = text.at, .end = text.at + text.len, .line = 1, .e = e };
    bool good = c.at < c.end || cg_err(e, CG_ERR_INPUT, "%s: the file is empty", path);
    good = good && take_names(&c);
    while (good && c.at < c.end) {
        if (*c.at == '\n' && c.names.len > 1) { /* an empty line */
            c.at++;
            c.line++;
        } else
            good = take_row(&c);
    }
    CgTable *t = cg_table_new();
    for (size_t i = 0; good && i < c.names.len; i++)
        cg_table_add(t, c.names.at[i], kind_of(&c.kinds.at[i]));
    for (size_t r = 0; good && r < c.rows; r++)
        cg_table_row(t);
    for (size_t i = 0; i < c.cells.len; i++) {
        const Cell *cell = &c.cells.at[i];
        if (good)
            cg_table_set(t, cell->row, (int)cell->column, cell_of(t->column[cell->column].kind, cell->text));
        free(cell->text);
    }
    for (size_t i = 0; i < c.names.len; i++)
        free(c.names.at[i]);
    cg_vec_free(&c.names);
    cg_vec_free(&c.kinds);
    cg_vec_free(&c.cells);
    if (good)
        return t;
    cg_table_free(t);
    return NULL;
}

/* ---- JSON Lines ----------------------------------------------------------------------------------------- */

static bool look_at_json(Kinds *k, const json_t *v)
{
    if (json_is_null(v))
        return true;
    bool whole = json_is_integer(v), truth = json_is_boolean(v), before = k->any;
    json_int_t exact = 1LL << 53;
    bool number = whole ? json_integer_value(v) >= -exact && json_integer_value(v) <= exact : json_is_real(v);
    bool same = !before || (k->truth && truth) || (k->whole && whole) || (k->number && number)
        || (!k->truth && !k->whole && !k->number && json_is_string(v));
    *k = (Kinds){ (!before || k->whole) && whole, (!before || k->number) && number, (!before || k->truth) && truth,
        true };
    return same && (whole || number || truth || json_is_string(v));
}

static CgCell cell_of_json(CgCellKind kind, const json_t *v)
{
    if (!v || json_is_null(v))
        return CG_MISSING;
    switch (kind) {
    case CG_INT: return cg_whole(json_integer_value(v));
    case CG_NUMBER: return cg_number(json_number_value(v));
    case CG_TRUTH: return cg_truth(json_is_true(v));
    case CG_TEXT: break;
    }
    return cg_text(json_string_value(v));
}

/* The columns of a line that are new, and what the others could be. */
static bool look_at_line(Csv *c, json_t *line, size_t number)
{
    const char *name;
    json_t *v;
    json_object_foreach(line, name, v)
    {
        size_t i = 0;
        while (i < c->names.len && strcmp(c->names.at[i], name) != 0)
            i++;
        if (i == c->names.len) {
            cg_vec_push(&c->names, cg_strdup(name));
            cg_vec_push(&c->kinds, (Kinds){ 0 });
        }
        if (!look_at_json(&c->kinds.at[i], v))
            return cg_err(c->e, CG_ERR_INPUT,
                "%s:%zu: '%s' is no number, text, truth value or null, or not what it was above", c->path, number,
                name);
    }
    return true;
}

static CgTable *read_jsonl(CgText text, const char *path, CgErr *e)
{
    Csv c = { .path = path, .e = e };
    json_t *lines = json_array();
    bool good = true;
    size_t number = 0;
    for (const char *at = text.at, *end = text.at + text.len; good && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        json_error_t why;
        number++;
        if (strspn(at, " \t\r") < len) {
            json_t *line = cg_json_load(at, len, JSON_REJECT_DUPLICATES, &why);
            if (!line)
                good = cg_err(e, CG_ERR_INPUT, "%s:%zu: not an object of JSON: %s", path, number, why.text);
            else if (!json_is_object(line))
                good = cg_err(e, CG_ERR_INPUT, "%s:%zu: not an object of JSON", path, number);
            good = good && look_at_line(&c, line, number);
            json_array_append_new(lines, line ? line : json_null());
        }
        at += len + 1;
    }
    CgTable *t = cg_table_new();
    for (size_t i = 0; good && i < c.names.len; i++)
        cg_table_add(t, c.names.at[i], kind_of(&c.kinds.at[i]));
    for (size_t r = 0; good && r < json_array_size(lines); r++) {
        size_t row = cg_table_row(t);
        for (int i = 0; i < t->ncolumns; i++)
            cg_table_set(t, row, i,
                cell_of_json(t->column[i].kind, json_object_get(json_array_get(lines, r), t->column[i].name)));
    }
    for (size_t i = 0; i < c.names.len; i++)
        free(c.names.at[i]);
    cg_vec_free(&c.names);
    cg_vec_free(&c.kinds);
    json_decref(lines);
    if (good)
        return t;
    cg_table_free(t);
    return NULL;
}

CgTable *cg_table_read(const char *path, CgErr *e)
{
    const char *dot = strrchr(path, '.');
    bool csv = dot && !strcmp(dot, ".csv"), jsonl = dot && !strcmp(dot, ".jsonl");
    CgBytes b;
    if (!csv && !jsonl) {
        cg_err(e, CG_ERR_INPUT, "a table cannot be read from '%s'", path);
        cg_err_hint(e, "tables are read from .csv and .jsonl");
        return NULL;
    }
    if (!cg_io_read(path, &b, e))
        return NULL;
    CgText text = { b.at, b.len };
    CgTable *t = !cg_utf8_begin(path, &text.at, &text.len, e) ? NULL
        : csv                                                 ? read_csv(text, path, e)
                                                              : read_jsonl(text, path, e);
    cg_io_release(&b);
    return t;
}
