/* shape.c - new tables out of old ones.
 * Takes tables and names of columns; gives tables. Must not change a table that was handed in, but the one that
 * cg_table_extend says it fills. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "table/stats.h"
#include "table/table.h"

/* ---- copies --------------------------------------------------------------------------------------------- */

/* A column like c, which t has not yet, without cells. */
static int add_like(CgTable *t, const CgColumn *c, const char *name)
{
    int i = cg_table_add(t, name, c->kind);
    t->column[i].format = c->format;
    cg_table_sign(t, i, c->signature);
    return i;
}

static void copy_cell(CgTable *to, size_t row, int column, const CgColumn *from, size_t at)
{
    cg_table_set(to, row, column, from->at[at]);
    if (from->spread)
        cg_table_spread(to, row, column, from->spread[at]);
}

CgTable *cg_table_take(const CgTable *t, const size_t *rows, size_t n)
{
    CgTable *new = cg_table_new();
    for (size_t r = 0; r < n; r++)
        cg_table_row(new);
    for (int i = 0; i < t->ncolumns; i++) {
        int to = add_like(new, &t->column[i], t->column[i].name);
        for (size_t r = 0; r < n; r++)
            copy_cell(new, r, to, &t->column[i], rows[r]);
    }
    return new;
}

static size_t *all_rows(const CgTable *t)
{
    size_t *rows = cg_malloc(sizeof *rows * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++)
        rows[r] = r;
    return rows;
}

CgTable *cg_table_copy(const CgTable *t)
{
    size_t *rows = all_rows(t);
    CgTable *new = cg_table_take(t, rows, t->rows);
    free(rows);
    return new;
}

/* The columns of these names, malloc'd; NULL when one is not there. */
static int *find_all(const CgTable *t, const char *const *names, int n, CgErr *e)
{
    int *column = cg_malloc(sizeof *column * ((size_t)n + 1));
    for (int i = 0; i < n; i++) {
        column[i] = cg_table_find(t, names[i], e);
        if (column[i] < 0) {
            free(column);
            return NULL;
        }
    }
    return column;
}

CgTable *cg_table_select(const CgTable *t, const char *const *names, int n, CgErr *e)
{
    int *from = find_all(t, names, n, e);
    bool good = from != NULL;
    CgTable *new = cg_table_new();
    for (size_t r = 0; good && r < t->rows; r++)
        cg_table_row(new);
    for (int i = 0; good && i < n; i++) {
        if (cg_table_find(new, names[i], NULL) >= 0) {
            good = cg_err(e, CG_ERR_INPUT, "column '%s' is selected twice", names[i]);
            break;
        }
        int to = add_like(new, &t->column[from[i]], names[i]);
        for (size_t r = 0; r < t->rows; r++)
            copy_cell(new, r, to, &t->column[from[i]], r);
    }
    free(from);
    if (good)
        return new;
    cg_table_free(new);
    return NULL;
}

/* ---- order ---------------------------------------------------------------------------------------------- */

static int compare_cells(const CgColumn *c, size_t a, size_t b)
{
    const CgCell *x = &c->at[a], *y = &c->at[b];
    switch (c->kind) {
    case CG_TEXT: return strcmp(x->text, y->text);
    case CG_INT: return x->whole < y->whole ? -1 : x->whole > y->whole;
    case CG_TRUTH: return x->truth - y->truth;
    case CG_NUMBER: break;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

typedef struct Order {
    const CgTable *t;
    const int *by;
    int nby;
    bool down;
} Order;

static int compare_rows(const Order *o, size_t a, size_t b)
{
    for (int i = 0; i < o->nby; i++) {
        const CgColumn *c = &o->t->column[o->by[i]];
        bool x = cg_cell_absent(c, a), y = cg_cell_absent(c, b);
        int sign = x || y ? x - y : compare_cells(c, a, b) * (o->down ? -1 : 1);
        if (sign)
            return sign;
    }
    return 0;
}

/* Merges order[from..middle) and order[middle..to), both sorted; stable. */
static void merge(const Order *o, size_t *order, size_t from, size_t middle, size_t to, size_t *room)
{
    size_t a = from, b = middle, n = 0;
    while (a < middle || b < to)
        room[n++] = b == to || (a < middle && compare_rows(o, order[a], order[b]) <= 0) ? order[a++] : order[b++];
    memcpy(order + from, room, n * sizeof *room);
}

CgTable *cg_table_sort(const CgTable *t, const char *const *by, int nby, bool down, CgErr *e)
{
    int *column = find_all(t, by, nby, e);
    if (!column)
        return NULL;
    Order o = { t, column, nby, down };
    size_t *order = all_rows(t), *room = cg_malloc(sizeof *room * (t->rows + 1));
    for (size_t run = 1; run < t->rows; run *= 2) {
        for (size_t from = 0; from + run < t->rows; from += 2 * run)
            merge(&o, order, from, from + run, from + 2 * run < t->rows ? from + 2 * run : t->rows, room);
    }
    CgTable *new = cg_table_take(t, order, t->rows);
    free(column);
    free(order);
    free(room);
    return new;
}

/* ---- rows below rows ------------------------------------------------------------------------------------ */

static void to_numbers(CgTable *t, int column)
{
    CgColumn *c = &t->column[column];
    for (size_t r = 0; r < t->rows; r++)
        c->at[r] = c->at[r].missing ? CG_MISSING : cg_number(cg_table_number(t, r, column));
    c->kind = CG_NUMBER;
}

bool cg_table_extend(CgTable *to, const CgTable *from, CgErr *e)
{
    static const char *const kinds[] = { "numbers", "whole numbers", "texts", "truth values" };
    size_t first = to->rows;
    for (int i = 0; i < from->ncolumns; i++) {
        const CgColumn *c = &from->column[i];
        int at = cg_table_find(to, c->name, NULL);
        CgCellKind kind = at < 0 ? c->kind : to->column[at].kind;
        if (kind != c->kind && (kind > CG_INT || c->kind > CG_INT))
            return cg_err(e, CG_ERR_INPUT, "column '%s' holds %s in one table and %s in another", c->name, kinds[kind],
                kinds[c->kind]);
    }
    for (size_t r = 0; r < from->rows; r++)
        cg_table_row(to);
    for (int i = 0; i < from->ncolumns; i++) {
        const CgColumn *c = &from->column[i];
        int at = cg_table_find(to, c->name, NULL);
        if (at < 0)
            at = add_like(to, c, c->name);
        if (to->column[at].kind == CG_INT && c->kind == CG_NUMBER)
            to_numbers(to, at);
        bool widen = to->column[at].kind == CG_NUMBER && c->kind == CG_INT;
        for (size_t r = 0; r < from->rows; r++) {
            copy_cell(to, first + r, at, c, r);
            if (widen && !c->at[r].missing)
                cg_table_set(to, first + r, at, cg_number((double)c->at[r].whole));
        }
    }
    return true;
}

CgTable *cg_table_beside(const CgTable *a, const CgTable *b)
{
    CgTable *new = cg_table_copy(a);
    for (int i = 0; i < b->ncolumns; i++) {
        int to = add_like(new, &b->column[i], b->column[i].name);
        for (size_t r = 0; r < b->rows; r++)
            copy_cell(new, r, to, &b->column[i], r);
    }
    return new;
}

/* ---- groups --------------------------------------------------------------------------------------------- */

static bool equal_cells(const CgColumn *c, size_t row, const CgColumn *d, size_t other)
{
    bool a = cg_cell_absent(c, row), b = cg_cell_absent(d, other);
    if (a || b)
        return a && b;
    if (c->kind == CG_TEXT)
        return !strcmp(c->at[row].text, d->at[other].text);
    if (c->kind == CG_INT && d->kind == CG_INT)
        return c->at[row].whole == d->at[other].whole;
    double x = c->kind == CG_INT ? (double)c->at[row].whole
        : c->kind == CG_TRUTH    ? c->at[row].truth
                                 : c->at[row].number;
    double y = d->kind == CG_INT ? (double)d->at[other].whole
        : d->kind == CG_TRUTH    ? d->at[other].truth
                                 : d->at[other].number;
    return x == y;
}

/* Equal for equal cells, also for a whole number and the number it is. */
static uint64_t hash_cell(const CgColumn *c, size_t row, uint64_t seed)
{
    if (cg_cell_absent(c, row))
        return cg_hash64("", 0, seed + 1);
    if (c->kind == CG_TEXT)
        return cg_hash64(c->at[row].text, strlen(c->at[row].text), seed);
    double x = c->kind == CG_INT ? (double)c->at[row].whole
        : c->kind == CG_TRUTH    ? c->at[row].truth
                                 : c->at[row].number;
    x += 0.0; /* -0 is 0 */
    return cg_hash64(&x, sizeof x, seed);
}

static uint64_t hash_row(const CgTable *t, const int *by, int nby, size_t row)
{
    uint64_t hash = 0;
    for (int i = 0; i < nby; i++)
        hash = hash_cell(&t->column[by[i]], row, hash);
    return hash;
}

static bool equal_rows(
    const CgTable *t, const int *by, size_t row, const CgTable *u, const int *on, size_t other, int n)
{
    for (int i = 0; i < n; i++) {
        if (!equal_cells(&t->column[by[i]], row, &u->column[on[i]], other))
            return false;
    }
    return true;
}

/* Rows by what is in some columns: open addressing, the first row of each group. */
typedef struct Lookup {
    const CgTable *t;
    const int *by;
    int nby;
    size_t *slot; /* group + 1; 0 where free */
    size_t *first;
    size_t mask, n;
} Lookup;

static Lookup lookup_new(const CgTable *t, const int *by, int nby)
{
    size_t cap = 64;
    while (cap < 2 * t->rows)
        cap *= 2;
    return (
        Lookup){ t, by, nby, cg_calloc(cap, sizeof(size_t)), cg_malloc(sizeof(size_t) * (t->rows + 1)), cap - 1, 0 };
}

/* The group of a row of u, whose columns `on` are like those of the lookup; NULL slot where there is none. */
static size_t *lookup_find(const Lookup *l, const CgTable *u, const int *on, size_t row)
{
    size_t i = (size_t)hash_row(u, on, l->nby, row) & l->mask;
    while (l->slot[i] && !equal_rows(l->t, l->by, l->first[l->slot[i] - 1], u, on, row, l->nby))
        i = (i + 1) & l->mask;
    return &l->slot[i];
}

static void lookup_free(Lookup *l)
{
    free(l->slot);
    free(l->first);
}

static CgGroups groups_of(Lookup *l)
{
    size_t rows = l->t->rows;
    CgGroups g = { 0, cg_malloc(sizeof *g.of * (rows + 1)), NULL, cg_malloc(sizeof *g.row * (rows + 1)) };
    for (size_t r = 0; r < rows; r++) {
        size_t *slot = lookup_find(l, l->t, l->by, r);
        if (!*slot) {
            l->first[l->n] = r;
            *slot = ++l->n;
        }
        g.of[r] = *slot - 1;
    }
    g.n = l->n;
    g.first = cg_calloc(g.n + 2, sizeof *g.first);
    for (size_t r = 0; r < rows; r++)
        g.first[g.of[r] + 2]++;
    for (size_t k = 1; k < g.n + 2; k++)
        g.first[k] += g.first[k - 1];
    for (size_t r = 0; r < rows; r++)
        g.row[g.first[g.of[r] + 1]++] = r;
    return g;
}

bool cg_table_group(const CgTable *t, const char *const *by, int nby, CgGroups *out, CgErr *e)
{
    int *column = find_all(t, by, nby, e);
    if (!column)
        return false;
    Lookup l = lookup_new(t, column, nby);
    *out = groups_of(&l);
    lookup_free(&l);
    free(column);
    return true;
}

void cg_groups_deinit(CgGroups *g)
{
    free(g->of);
    free(g->first);
    free(g->row);
    *g = (CgGroups){ 0 };
}

CgTable *cg_table_keys(const CgTable *t, const char *const *by, int nby, const CgGroups *g)
{
    CgTable *new = cg_table_new();
    for (size_t k = 0; k < g->n; k++)
        cg_table_row(new);
    for (int i = 0; i < nby; i++) {
        const CgColumn *c = &t->column[cg_table_find(t, by[i], NULL)];
        if (cg_table_find(new, by[i], NULL) >= 0)
            continue;
        int to = add_like(new, c, by[i]);
        for (size_t k = 0; k < g->n; k++)
            copy_cell(new, k, to, c, g->row[g->first[k]]);
    }
    return new;
}

/* ---- bins ----------------------------------------------------------------------------------------------- */

/* edge[0..n]: where the bins begin and end, rising; bin k holds edge[k] <= x < edge[k + 1], the last one its
 * end too. */
static int bin_of(double x, const double *edge, int n)
{
    int low = 0, high = n - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (x >= edge[middle])
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The middles of n bins of x[0..count), which is sorted. */
static void make_bins(const double *x, size_t count, int n, bool even, double *edge, double *middle)
{
    double least = count ? x[0] : NAN, most = count ? x[count - 1] : NAN;
    for (int k = 0; k <= n; k++)
        edge[k] = even ? cg_stats_quantile(x, count, (double)k / n) : least + (most - least) * k / n;
    size_t from = 0;
    for (int k = 0; k < n; k++) {
        size_t to = from;
        while (to < count && bin_of(x[to], edge, n) == k)
            to++;
        middle[k] = even ? cg_stats_quantile(x + from, to - from, 0.5) : (edge[k] + edge[k + 1]) / 2;
        from = to;
    }
}

CgTable *cg_table_bin(const CgTable *t, const char *name, int n, bool even, CgErr *e)
{
    double *all = cg_table_numbers(t, name, e);
    if (!all)
        return NULL;
    CgStrbuf called = { 0 };
    cg_strbuf_printf(&called, "%s_bin", name);
    CgTable *new = NULL;
    if (n < 1 || n > 10000)
        cg_err(e, CG_ERR_INPUT, "%d bins; there can be 1 to 10000", n);
    else if (cg_table_find(t, cg_strbuf_str(&called), NULL) >= 0)
        cg_err(e, CG_ERR_INPUT, "the table has a column '%s' already", cg_strbuf_str(&called));
    else {
        double *x = cg_malloc(sizeof *x * (t->rows + 1)), *edge = cg_malloc(sizeof *edge * ((size_t)n + 1));
        double *middle = cg_malloc(sizeof *middle * (size_t)n);
        size_t count = 0;
        for (size_t r = 0; r < t->rows; r++) {
            if (isfinite(all[r]))
                x[count++] = all[r];
        }
        qsort(x, count, sizeof *x, by_value);
        make_bins(x, count, n, even, edge, middle);
        new = cg_table_copy(t);
        int to = cg_table_add(new, cg_strbuf_str(&called), CG_NUMBER);
        for (size_t r = 0; r < t->rows; r++) {
            if (isfinite(all[r]))
                cg_table_set(new, r, to, cg_number(middle[bin_of(all[r], edge, n)]));
        }
        free(x);
        free(edge);
        free(middle);
    }
    cg_strbuf_deinit(&called);
    free(all);
    return new;
}

/* ---- joins ---------------------------------------------------------------------------------------------- */

static bool is_among(int column, const int *on, int n)
{
    for (int i = 0; i < n; i++) {
        if (on[i] == column)
            return true;
    }
    return false;
}

static void add_others(CgTable *new, const CgTable *a, const CgTable *b, const int *right, int non)
{
    for (int i = 0; i < a->ncolumns; i++)
        add_like(new, &a->column[i], a->column[i].name);
    for (int i = 0; i < b->ncolumns; i++) {
        CgStrbuf name = { 0 };
        cg_strbuf_puts(&name, b->column[i].name);
        while (!is_among(i, right, non) && cg_table_find(new, cg_strbuf_str(&name), NULL) >= 0)
            cg_strbuf_puts(&name, "_2");
        if (!is_among(i, right, non))
            add_like(new, &b->column[i], cg_strbuf_str(&name));
        cg_strbuf_deinit(&name);
    }
}

static void join_row(CgTable *new, const CgTable *a, size_t r, const CgTable *b, size_t s, const int *right, int non)
{
    size_t row = cg_table_row(new);
    int to = 0;
    for (int i = 0; i < a->ncolumns; i++)
        copy_cell(new, row, to++, &a->column[i], r);
    for (int i = 0; i < b->ncolumns; i++) {
        if (!is_among(i, right, non))
            copy_cell(new, row, to++, &b->column[i], s);
    }
}

CgTable *cg_table_join(const CgTable *a, const CgTable *b, const char *const *on, int non, CgErr *e)
{
    int *left = find_all(a, on, non, e), *right = left ? find_all(b, on, non, e) : NULL;
    bool good = right != NULL;
    for (int i = 0; good && i < non; i++) {
        CgCellKind x = a->column[left[i]].kind, y = b->column[right[i]].kind;
        if (x != y && (x > CG_INT || y > CG_INT))
            good = cg_err(e, CG_ERR_INPUT, "column '%s' is of another kind in the second table", on[i]);
    }
    CgTable *new = good ? cg_table_new() : NULL;
    if (good) {
        Lookup l = lookup_new(b, right, non);
        CgGroups g = groups_of(&l);
        add_others(new, a, b, right, non);
        for (size_t r = 0; r < a->rows; r++) {
            size_t slot = *lookup_find(&l, a, left, r);
            bool absent = false;
            for (int i = 0; i < non; i++)
                absent |= cg_cell_absent(&a->column[left[i]], r);
            for (size_t i = slot ? g.first[slot - 1] : 0; slot && !absent && i < g.first[slot]; i++)
                join_row(new, a, r, b, g.row[i], right, non);
        }
        cg_groups_deinit(&g);
        lookup_free(&l);
    }
    free(left);
    free(right);
    return new;
}
