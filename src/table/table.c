/* table.c - tables: building, and new ones out of old ones.
 * Takes cells; gives tables. table_text.c writes them.
 * Must not change a table that was handed in: selections and groups are copies. */
#include "table/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "table/stats.h"

/* ---- building ------------------------------------------------------------------------------------------ */

CgTable *cg_table_new(void)
{
    CgTable *t = cg_calloc(1, sizeof *t);
    t->texts = cg_arena_new();
    return t;
}

void cg_table_free(CgTable *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->ncolumns; i++) {
        free(t->column[i].name);
        free(t->column[i].at);
    }
    free(t->column);
    cg_arena_free(t->texts);
    free(t);
}

int cg_table_add(CgTable *t, const char *name, CgCellKind kind)
{
    CG_ASSERT(cg_table_find(t, name, NULL) < 0, "two columns of one name");
    int i = t->ncolumns++;
    t->column = cg_realloc(t->column, sizeof *t->column * (size_t)t->ncolumns);
    t->column[i] = (CgColumn){ cg_strdup(name), kind, cg_malloc(sizeof(CgCell) * (t->cap + 1)) };
    for (size_t r = 0; r < t->rows; r++)
        t->column[i].at[r] = CG_MISSING;
    return i;
}

size_t cg_table_row(CgTable *t)
{
    if (t->rows == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        for (int i = 0; i < t->ncolumns; i++)
            t->column[i].at = cg_realloc(t->column[i].at, sizeof(CgCell) * (t->cap + 1));
    }
    for (int i = 0; i < t->ncolumns; i++)
        t->column[i].at[t->rows] = CG_MISSING;
    return t->rows++;
}

void cg_table_set(CgTable *t, size_t row, int column, CgCell cell)
{
    CG_ASSERT(row < t->rows && column >= 0 && column < t->ncolumns, "a cell outside of its table");
    if (t->column[column].kind == CG_TEXT && !cell.missing)
        cell.text = cg_arena_strdup(t->texts, cell.text);
    t->column[column].at[row] = cell;
}

int cg_table_find(const CgTable *t, const char *name, CgErr *e)
{
    for (int i = 0; i < t->ncolumns; i++) {
        if (!strcmp(t->column[i].name, name))
            return i;
    }
    if (!e)
        return -1;
    CgSuggest near;
    CgStrbuf all = { 0 };
    cg_suggest_init(&near, name);
    for (int i = 0; i < t->ncolumns; i++) {
        cg_suggest_offer(&near, t->column[i].name);
        if (all.len < 160)
            cg_strbuf_printf(&all, "%s%s", i ? ", " : "", t->column[i].name);
    }
    cg_err(e, CG_ERR_INPUT, "the table has no column '%s'", name);
    if (cg_suggest_best(&near))
        cg_err_hint(e, "did you mean '%s'?", cg_suggest_best(&near));
    else
        cg_err_hint(e, "it has: %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return -1;
}

bool cg_cell_absent(const CgColumn *c, size_t row)
{
    return c->at[row].missing || (c->kind == CG_NUMBER && isnan(c->at[row].number));
}

double cg_table_number(const CgTable *t, size_t row, int column)
{
    const CgColumn *c = &t->column[column];
    CG_ASSERT(c->kind != CG_TEXT, "a text is used as a number");
    return c->at[row].missing ? NAN : c->kind == CG_INT ? (double)c->at[row].whole : c->at[row].number;
}

static int find_numeric(const CgTable *t, const char *name, CgErr *e)
{
    int i = cg_table_find(t, name, e);
    if (i >= 0 && t->column[i].kind == CG_TEXT) {
        cg_err(e, CG_ERR_INPUT, "column '%s' holds text, not numbers", name);
        return -1;
    }
    return i;
}

double *cg_table_numbers(const CgTable *t, const char *name, CgErr *e)
{
    int i = find_numeric(t, name, e);
    if (i < 0)
        return NULL;
    double *x = cg_malloc(sizeof *x * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++)
        x[r] = cg_table_number(t, r, i);
    return x;
}

/* ---- new tables out of old ones ------------------------------------------------------------------------ */

static CgTable *like(const CgTable *t)
{
    CgTable *new = cg_table_new();
    for (int i = 0; i < t->ncolumns; i++)
        cg_table_add(new, t->column[i].name, t->column[i].kind);
    return new;
}

/* Row `from` of t below the rows of `to`, whose columns `at`.. are those of t. */
static void copy_row(CgTable *to, int at, size_t row, const CgTable *t, size_t from)
{
    for (int i = 0; i < t->ncolumns; i++)
        cg_table_set(to, row, at + i, t->column[i].at[from]);
}

CgTable *cg_table_select(const CgTable *t, const char *const *names, int n, CgErr *e)
{
    CgTable *new = cg_table_new();
    for (size_t r = 0; r < t->rows; r++)
        cg_table_row(new);
    for (int i = 0; i < n; i++) {
        int from = cg_table_find(t, names[i], e);
        if (from >= 0 && cg_table_find(new, names[i], NULL) >= 0) {
            cg_err(e, CG_ERR_INPUT, "column '%s' is selected twice", names[i]);
            from = -1;
        }
        if (from < 0) {
            cg_table_free(new);
            return NULL;
        }
        int to = cg_table_add(new, names[i], t->column[from].kind);
        for (size_t r = 0; r < t->rows; r++)
            cg_table_set(new, r, to, t->column[from].at[r]);
    }
    return new;
}

CgTable *cg_table_keep(const CgTable *t, const bool *rows)
{
    CgTable *new = like(t);
    for (size_t r = 0; r < t->rows; r++) {
        if (rows[r])
            copy_row(new, 0, cg_table_row(new), t, r);
    }
    return new;
}

static int compare_cells(const CgColumn *c, size_t a, size_t b)
{
    const CgCell *x = &c->at[a], *y = &c->at[b];
    if (c->kind == CG_TEXT)
        return strcmp(x->text, y->text);
    if (c->kind == CG_INT)
        return x->whole < y->whole ? -1 : x->whole > y->whole;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Merges order[from..middle) and order[middle..to), both sorted; stable. */
static void merge(const CgColumn *c, bool down, size_t *order, size_t from, size_t middle, size_t to, size_t *room)
{
    size_t a = from, b = middle, n = 0;
    while (a < middle || b < to) {
        bool left = b == to;
        if (!left && a < middle) {
            int sign = cg_cell_absent(c, order[b]) ? -1
                : cg_cell_absent(c, order[a])      ? 1
                                                   : compare_cells(c, order[a], order[b]) * (down ? -1 : 1);
            left = sign <= 0;
        }
        room[n++] = left ? order[a++] : order[b++];
    }
    memcpy(order + from, room, n * sizeof *room);
}

CgTable *cg_table_sort(const CgTable *t, const char *name, bool down, CgErr *e)
{
    int column = cg_table_find(t, name, e);
    if (column < 0)
        return NULL;
    size_t *order = cg_malloc(sizeof *order * (t->rows + 1)), *room = cg_malloc(sizeof *room * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++)
        order[r] = r;
    for (size_t run = 1; run < t->rows; run *= 2) {
        for (size_t from = 0; from + run < t->rows; from += 2 * run) {
            size_t to = from + 2 * run < t->rows ? from + 2 * run : t->rows;
            merge(&t->column[column], down, order, from, from + run, to, room);
        }
    }
    CgTable *new = like(t);
    for (size_t r = 0; r < t->rows; r++)
        copy_row(new, 0, cg_table_row(new), t, order[r]);
    free(order);
    free(room);
    return new;
}

static bool append_rows(CgTable *to, const CgTable *from, CgErr *e)
{
    size_t first = to->rows;
    for (size_t r = 0; r < from->rows; r++)
        cg_table_row(to);
    for (int i = 0; i < from->ncolumns; i++) {
        const CgColumn *c = &from->column[i];
        int at = cg_table_find(to, c->name, NULL);
        if (at < 0)
            at = cg_table_add(to, c->name, c->kind);
        CgCellKind kind = to->column[at].kind;
        if (kind != c->kind && (kind == CG_TEXT || c->kind == CG_TEXT))
            return cg_err(e, CG_ERR_INPUT, "column '%s' holds text in one table and numbers in the other", c->name);
        if (kind == CG_INT && c->kind == CG_NUMBER) {
            for (size_t r = 0; r < to->rows; r++)
                to->column[at].at[r].number = (double)to->column[at].at[r].whole;
            to->column[at].kind = CG_NUMBER;
        }
        for (size_t r = 0; r < from->rows; r++) {
            CgCell cell = c->at[r];
            if (c->kind == CG_INT)
                cell.number = (double)cell.whole;
            cg_table_set(to, first + r, at, cell);
        }
    }
    return true;
}

CgTable *cg_table_append(const CgTable *a, const CgTable *b, CgErr *e)
{
    CgTable *new = cg_table_new();
    if (append_rows(new, a, e) && append_rows(new, b, e))
        return new;
    cg_table_free(new);
    return NULL;
}

static bool equal_cells(const CgColumn *c, size_t row, const CgColumn *d, size_t other)
{
    bool a = cg_cell_absent(c, row), b = cg_cell_absent(d, other);
    if (a || b)
        return a && b;
    if (c->kind == CG_TEXT)
        return !strcmp(c->at[row].text, d->at[other].text);
    double x = c->kind == CG_INT ? (double)c->at[row].whole : c->at[row].number;
    double y = d->kind == CG_INT ? (double)d->at[other].whole : d->at[other].number;
    return x == y;
}

/* group[r]: the number of the group of row r; first[g]: its first row. Gives the number of groups. */
static size_t find_groups(const CgTable *t, const int *by, int nby, size_t *group, size_t *first)
{
    size_t n = 0;
    for (size_t r = 0; r < t->rows; r++) {
        size_t g = 0;
        for (; g < n; g++) {
            int k = 0;
            while (k < nby && equal_cells(&t->column[by[k]], r, &t->column[by[k]], first[g]))
                k++;
            if (k == nby)
                break;
        }
        if (g == n)
            first[n++] = r;
        group[r] = g;
    }
    return n;
}

static double fold_numbers(CgFold fold, double *x, size_t n)
{
    double sum = 0, least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    switch (fold) {
    case CG_MEAN: return cg_stats_mean(x, n);
    case CG_SUM: return sum;
    case CG_MEDIAN: return cg_stats_quantile(x, n, 0.5);
    case CG_LEAST: return n ? least : NAN;
    case CG_MOST: return n ? most : NAN;
    case CG_STD: return cg_stats_std(x, n);
    case CG_LOW: return cg_stats_bootstrap_mean(x, n, 1000, 0.95, 0).low;
    case CG_HIGH: return cg_stats_bootstrap_mean(x, n, 1000, 0.95, 0).high;
    }
    CG_BUG("a fold that is none");
}

CgTable *cg_table_group(
    const CgTable *t, const char *const *by, int nby, const char *const *of, int nof, CgFold fold, CgErr *e)
{
    int *keys = cg_malloc(sizeof *keys * (size_t)(nby + 1)), *values = cg_malloc(sizeof *values * (size_t)(nof + 1));
    size_t *group = cg_malloc(sizeof *group * (t->rows + 1)), *first = cg_malloc(sizeof *first * (t->rows + 1));
    double *x = cg_malloc(sizeof *x * (t->rows + 1));
    CgTable *new = cg_table_select(t, by, nby, e);
    bool ok = new != NULL;
    for (int i = 0; ok && i < nby; i++)
        keys[i] = cg_table_find(t, by[i], NULL);
    for (int i = 0; ok && i < nof; i++)
        ok = (values[i] = find_numeric(t, of[i], e)) >= 0;
    cg_table_free(new);
    new = ok ? cg_table_new() : NULL;
    size_t groups = ok ? find_groups(t, keys, nby, group, first) : 0;
    for (int i = 0; ok && i < nby; i++)
        cg_table_add(new, by[i], t->column[keys[i]].kind);
    bool taken = ok && cg_table_find(new, "n", NULL) >= 0;
    for (int i = 0; i < nof; i++)
        taken |= !strcmp(of[i], "n");
    int rows = ok ? cg_table_add(new, taken ? "rows" : "n", CG_INT) : 0;
    for (int i = 0; ok && i < nof; i++) {
        if (cg_table_find(new, of[i], NULL) >= 0)
            ok = cg_err(e, CG_ERR_INPUT, "column '%s' cannot be grouped by and folded at once", of[i]);
        else
            cg_table_add(new, of[i], CG_NUMBER);
    }
    for (size_t g = 0; ok && g < groups; g++) {
        size_t row = cg_table_row(new), count = 0;
        for (int i = 0; i < nby; i++)
            cg_table_set(new, row, i, t->column[keys[i]].at[first[g]]);
        for (size_t r = 0; r < t->rows; r++)
            count += group[r] == g;
        cg_table_set(new, row, rows, cg_whole((int64_t)count));
        for (int i = 0; i < nof; i++) {
            size_t n = 0;
            for (size_t r = 0; r < t->rows; r++) {
                if (group[r] == g && !cg_cell_absent(&t->column[values[i]], r))
                    x[n++] = cg_table_number(t, r, values[i]);
            }
            cg_table_set(new, row, rows + 1 + i, n ? cg_number(fold_numbers(fold, x, n)) : CG_MISSING);
        }
    }
    free(keys);
    free(values);
    free(group);
    free(first);
    free(x);
    if (ok)
        return new;
    cg_table_free(new);
    return NULL;
}

/* edge[0..n]: where the bins begin and end, rising; bin k holds edge[k] <= x < edge[k + 1], the last one its
 * end too. */
static int bin_of(double x, const double *edge, int n)
{
    int k = 0;
    while (k + 1 < n && x >= edge[k + 1])
        k++;
    return k;
}

CgTable *cg_table_bin(const CgTable *t, const char *name, int n, bool even, CgErr *e)
{
    int column = find_numeric(t, name, e);
    if (column < 0)
        return NULL;
    if (n < 1 || n > 10000) {
        cg_err(e, CG_ERR_INPUT, "%d bins; there can be 1 to 10000", n);
        return NULL;
    }
    CgStrbuf called = { 0 };
    cg_strbuf_printf(&called, "%s.bin", name);
    double *x = cg_malloc(sizeof *x * (t->rows + 1)), *inside = cg_malloc(sizeof *inside * (t->rows + 1));
    double *edge = cg_malloc(sizeof *edge * (size_t)(n + 1)), *middle = cg_malloc(sizeof *middle * (size_t)n);
    size_t count = 0;
    for (size_t r = 0; r < t->rows; r++) {
        if (!cg_cell_absent(&t->column[column], r) && !isinf(cg_table_number(t, r, column)))
            x[count++] = cg_table_number(t, r, column);
    }
    for (int k = 0; k <= n; k++) {
        double least = cg_stats_quantile(x, count, 0), most = cg_stats_quantile(x, count, 1);
        edge[k] = even ? cg_stats_quantile(x, count, (double)k / n) : least + (most - least) * k / n;
    }
    for (int k = 0; k < n; k++) {
        size_t m = 0;
        for (size_t i = 0; i < count; i++) {
            if (bin_of(x[i], edge, n) == k)
                inside[m++] = x[i];
        }
        middle[k] = even ? cg_stats_quantile(inside, m, 0.5) : (edge[k] + edge[k + 1]) / 2;
    }
    CgTable *new = like(t);
    bool fits = cg_table_find(new, cg_strbuf_str(&called), NULL) < 0
        || cg_err(e, CG_ERR_INPUT, "the table has a column '%s' already", cg_strbuf_str(&called));
    int to = fits ? cg_table_add(new, cg_strbuf_str(&called), CG_NUMBER) : 0;
    for (size_t r = 0; fits && r < t->rows; r++) {
        copy_row(new, 0, cg_table_row(new), t, r);
        double value = cg_table_number(t, r, column);
        if (isfinite(value))
            cg_table_set(new, r, to, cg_number(middle[bin_of(value, edge, n)]));
    }
    cg_strbuf_deinit(&called);
    free(x);
    free(inside);
    free(edge);
    free(middle);
    if (fits)
        return new;
    cg_table_free(new);
    return NULL;
}

CgTable *cg_table_join(const CgTable *a, const CgTable *b, const char *on, CgErr *e)
{
    int left = cg_table_find(a, on, e), right = left < 0 ? -1 : cg_table_find(b, on, e);
    if (left < 0 || right < 0)
        return NULL;
    if ((a->column[left].kind == CG_TEXT) != (b->column[right].kind == CG_TEXT)) {
        cg_err(e, CG_ERR_INPUT, "column '%s' holds text in one table and numbers in the other", on);
        return NULL;
    }
    CgTable *new = like(a);
    for (int i = 0; i < b->ncolumns; i++) {
        CgStrbuf name = { 0 };
        cg_strbuf_puts(&name, b->column[i].name);
        while (i != right && cg_table_find(new, cg_strbuf_str(&name), NULL) >= 0)
            cg_strbuf_puts(&name, ".2");
        if (i != right)
            cg_table_add(new, cg_strbuf_str(&name), b->column[i].kind);
        cg_strbuf_deinit(&name);
    }
    for (size_t r = 0; r < a->rows; r++) {
        for (size_t s = 0; s < b->rows; s++) {
            if (cg_cell_absent(&a->column[left], r) || !equal_cells(&a->column[left], r, &b->column[right], s))
                continue;
            size_t row = cg_table_row(new);
            copy_row(new, 0, row, a, r);
            for (int i = 0, to = a->ncolumns; i < b->ncolumns; i++) {
                if (i != right)
                    cg_table_set(new, row, to++, b->column[i].at[s]);
            }
        }
    }
    return new;
}

CgTable *cg_table_pivot(const CgTable *t, const char *rows, const char *columns, const char *value, CgErr *e)
{
    const char *by[2] = { rows, columns };
    if (!strcmp(rows, columns)) {
        cg_err(e, CG_ERR_INPUT, "rows and columns are both '%s'", rows);
        return NULL;
    }
    CgTable *means = cg_table_group(t, by, 2, &value, 1, CG_MEAN, e);
    if (!means)
        return NULL;
    size_t *group = cg_malloc(sizeof *group * (means->rows + 1)), *first = cg_malloc(sizeof *first * (means->rows + 1));
    CgTable *new = cg_table_new();
    size_t groups = find_groups(means, (int[]){ 0 }, 1, group, first);
    cg_table_add(new, rows, means->column[0].kind);
    for (size_t g = 0; g < groups; g++)
        cg_table_set(new, cg_table_row(new), 0, means->column[0].at[first[g]]);
    for (size_t r = 0; r < means->rows; r++) {
        CgStrbuf name = { 0 };
        cg_cell_print(&means->column[1], r, &name);
        int to = cg_table_find(new, cg_strbuf_str(&name), NULL);
        if (to == 0) {
            cg_strbuf_puts(&name, ".2");
            to = cg_table_find(new, cg_strbuf_str(&name), NULL);
        }
        if (to < 0)
            to = cg_table_add(new, cg_strbuf_str(&name), CG_NUMBER);
        cg_table_set(new, group[r], to, means->column[3].at[r]);
        cg_strbuf_deinit(&name);
    }
    free(group);
    free(first);
    cg_table_free(means);
    return new;
}
