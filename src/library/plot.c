/* plot.c - plot.scatter, plot.line, plot.bar, plot.hist.
 * Takes a table (or a record of tables, one series each) and its columns; gives figures. Columns are checked while
 * elaborating; rows are taken when the script runs. How a figure looks is not said here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "report/figure.h"
#include "table/figure.h"
#include "table/stats.h"

enum { MAX_SERIES = 24, MAX_BINS = 1000 };

/* What a figure is made of, whatever its function calls it; NULL: it has none such, or it was not given. */
typedef struct Asked {
    CgValue *of, *x, *y /* a list */, *group, *title, *xlabel, *ylabel, *log, *bins;
} Asked;

static CgValue *given(const CgValue *call, const char *name)
{
    CgValue *v = cg_record_find(call, cg_intern(name));
    return v && v->kind != CG_VALUE_NONE ? v : NULL;
}

static Asked asked(CgElab *e, const CgValue *call, CgFigureKind kind)
{
    Asked a = { .of = given(call, "scores"),
        .x = given(call, "x"),
        .y = given(call, kind == CG_HIST ? "x" : "y"),
        .group = given(call, "group"),
        .title = given(call, "title"),
        .xlabel = given(call, "xlabel"),
        .ylabel = given(call, "ylabel"),
        .log = given(call, "log"),
        .bins = given(call, "bins") };
    if (a.y->kind != CG_VALUE_LIST) {
        CgValue *one = cg_value_list(e, 1, a.y->span);
        one->at[0] = a.y;
        a.y = one;
    }
    return a;
}

/* ---- checking ---- */

static CgSpan span_of(const CgArguments *a, const char *name)
{
    const CgSignature *s = cg_function_signature(a->function);
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->stmt->params[i].name, name))
            return a->span[i];
    return a->call;
}

static bool refuse(CgElab *e, const CgArguments *a, const char *name, const char *why)
{
    cg_elab_error(e, CG_E0312, span_of(a, name), "%s", why);
    return false;
}

/* Whether the table, and every table of a record, has the column that an argument means. */
static bool check_column(CgElab *e, const CgArguments *a, CgValue *of, const char *name, const CgValue *v, bool numeric)
{
    const CgSchema *columns = cg_stage_columns(e, of);
    const CgColumnName *column = columns ? cg_schema_find(columns, v->s) : NULL;
    CgSpan span = span_of(a, name);
    CgSuggest near;
    cg_suggest_init(&near, v->s);
    for (int k = 0; columns && k < columns->n; k++)
        cg_suggest_offer(&near, columns->at[k].name);
    if (!column) {
        CgDiag *d = cg_elab_error(e, CG_E0601, span, "the table has no column '%s'", v->s);
        cg_diag_meant(d, &near);
        return false;
    }
    if (numeric && column->text) {
        cg_elab_error(
            e, CG_E0312, span, "'%s' of %s is a column of numbers; '%s' holds text", name, a->function->name, v->s);
        return false;
    }
    for (int r = 0; of->kind == CG_VALUE_RECORD && r < of->n; r++) {
        columns = cg_stage_columns(e, of->at[r]);
        if (columns && cg_schema_find(columns, v->s))
            continue;
        cg_elab_error(e, CG_E0601, span, "the table '%s' of the record has no column '%s'", of->keys[r], v->s);
        return false;
    }
    return true;
}

static bool check(CgElab *e, const CgArguments *args, CgFigureKind kind, const Asked *a)
{
    const char *y = kind == CG_HIST ? "x" : "y";
    bool record = a->of->kind == CG_VALUE_RECORD, many = a->y->n > 1;
    if (!a->y->n)
        return refuse(e, args, y, "a list of no columns: there is nothing to draw");
    if (kind != CG_HIST && many && record && a->x)
        return refuse(e, args, y, "several tables or several columns are drawn, not both");
    if (kind == CG_BAR && !a->x && !record) {
        CgDiag *d = cg_elab_error(
            e, CG_E0304, args->call, "plot.bar needs 'x': the column that says which bar a row belongs to");
        cg_diag_help(d, "a record of tables has a bar for each table without it");
        return false;
    }
    if (kind != CG_HIST && a->x && !check_column(e, args, a->of, "x", a->x, kind != CG_BAR))
        return false;
    for (int i = 0; i < a->y->n; i++)
        if (!check_column(e, args, a->of, y, a->y->at[i], true))
            return false;
    if (a->group && record)
        return refuse(e, args, "group", "the tables of a record are the series; there is no 'group' beside them");
    if (a->group && many)
        return refuse(e, args, "group", "several columns are the series; there is no 'group' beside them");
    if (a->group && !check_column(e, args, a->of, "group", a->group, false))
        return false;
    if (a->bins && (a->bins->i < 1 || a->bins->i > MAX_BINS)) {
        cg_elab_error(e, CG_E0312, span_of(args, "bins"), "'bins' of plot.hist is a number from 1 to %d, not %lld",
            MAX_BINS, (long long)a->bins->i);
        return false;
    }
    return true;
}

static CgValue *build(CgElab *e, const CgArguments *args, CgFigureKind kind)
{
    CgValue *v = cg_function_later(e, args, 0);
    Asked a = asked(e, v, kind);
    return check(e, args, kind, &a) ? v : cg_value_poison(e);
}

/* ---- the rows of a figure ---- */

typedef struct Making {
    CgSession *x;
    CgFigure *figure;
    CgErr e;
} Making;

static const char *words(const CgValue *v, const char *otherwise) { return v ? v->s : otherwise; }

/* What a cell is called among others. */
static const char *name_of_cell(Making *m, const CgTable *t, size_t row, int column)
{
    const CgColumn *c = &t->column[column];
    if (c->at[row].missing)
        return "-";
    if (c->kind == CG_TEXT)
        return c->at[row].text;
    CgStrbuf text = { 0 };
    cg_number_print(cg_table_number(t, row, column), &text);
    const char *s = cg_arena_strdup(m->x->elab->arena, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return s;
}

/* Rows of one table: x by number or, for bars, by name; y a number. */
static bool add_points(
    Making *m, const CgTable *t, const char *series, const Asked *a, const char *x_name, const CgValue *y)
{
    CgFigure *f = m->figure;
    int group = a->group ? cg_table_find(t, a->group->s, &m->e) : -1;
    int cx = a->x ? cg_table_find(t, a->x->s, &m->e) : -1, cy = cg_table_find(t, y->s, &m->e), at = f->series;
    if (cx >= 0 && t->column[cx].kind == CG_TEXT && f->data->column[at].kind != CG_TEXT)
        cg_err(&m->e, CG_ERR_INPUT, "column '%s' holds text in one of the tables", a->x->s);
    if (cy >= 0 && t->column[cy].kind == CG_TEXT)
        cg_err(&m->e, CG_ERR_INPUT, "column '%s' holds text in one of the tables", y->s);
    if (m->e.kind)
        return false;
    for (size_t r = 0; r < t->rows; r++) {
        bool named = f->data->column[at].kind == CG_TEXT;
        double number = cg_table_number(t, r, cy), place = named || cx < 0 ? 0 : cg_table_number(t, r, cx);
        if (!isfinite(number) || !isfinite(place) || (f->log_y && number <= 0) || (f->log_x && !named && place <= 0)) {
            f->left_out++;
            continue;
        }
        size_t row = cg_table_row(f->data);
        if (f->series)
            cg_table_set(f->data, row, 0, cg_text(group >= 0 ? name_of_cell(m, t, r, group) : series));
        cg_table_set(
            f->data, row, at, named ? cg_text(cx >= 0 ? name_of_cell(m, t, r, cx) : x_name) : cg_number(place));
        cg_table_set(f->data, row, at + 1, cg_number(number));
    }
    return true;
}

/* One bar for all rows with one name: their mean. */
static bool fold_bars(Making *m)
{
    CgFigure *f = m->figure;
    CgTable *rows = f->data;
    int value = f->series + 1;
    const char *by[2] = { rows->column[0].name, rows->column[f->series].name };
    CgGroups groups;
    if (!cg_table_group(rows, by, value, &groups, &m->e))
        return false;
    f->data = cg_table_keys(rows, by, value, &groups);
    int to = cg_table_add(f->data, rows->column[value].name, CG_NUMBER);
    double *x = cg_malloc(sizeof *x * (rows->rows + 1));
    for (size_t g = 0; g < groups.n; g++) {
        size_t n = 0;
        for (size_t i = groups.first[g]; i < groups.first[g + 1]; i++)
            x[n++] = cg_table_number(rows, groups.row[i], value);
        cg_table_set(f->data, g, to, cg_number(cg_stats_mean(x, n)));
    }
    free(x);
    cg_groups_deinit(&groups);
    cg_table_free(rows);
    return true;
}

/* Counts in bins of equal width from the least number to the most, the same for every series. */
static bool fold_bins(Making *m, const CgValue *bins)
{
    CgFigure *f = m->figure;
    CgTable *points = f->data;
    double least = INFINITY, most = -INFINITY;
    for (size_t r = 0; r < points->rows; r++) {
        double v = cg_table_number(points, r, f->series);
        least = fmin(least, v);
        most = fmax(most, v);
    }
    double rice = ceil(2 * cbrt((double)points->rows)); /* 2 n^(1/3) bins, the rule called after Rice University */
    int n = bins ? (int)bins->i : (int)fmin(fmax(rice, 5), 60);
    if (points->rows && most == least)
        least -= 0.5, most += 0.5;
    const char *names[MAX_SERIES + 1];
    int nseries = 0;
    CgTable *t = f->data = cg_table_new();
    if (f->series)
        cg_table_add(t, points->column[0].name, CG_TEXT);
    cg_table_add(t, "from", CG_NUMBER);
    cg_table_add(t, "to", CG_NUMBER);
    cg_table_add(t, "count", CG_INT);
    for (size_t r = 0; r < points->rows; r++) {
        const char *s = f->series ? points->column[0].at[r].text : "";
        int k = 0;
        while (k < nseries && strcmp(names[k], s) != 0)
            k++;
        if (k == nseries && nseries <= MAX_SERIES) {
            names[nseries++] = cg_arena_strdup(m->x->elab->arena, s);
            for (int b = 0; b < n; b++) {
                size_t row = cg_table_row(t);
                if (f->series)
                    cg_table_set(t, row, 0, cg_text(s));
                cg_table_set(t, row, f->series, cg_number(least + (most - least) * b / n));
                cg_table_set(t, row, f->series + 1, cg_number(least + (most - least) * (b + 1) / n));
                cg_table_set(t, row, f->series + 2, cg_whole(0));
            }
        }
        if (k > MAX_SERIES)
            continue;
        int b = (int)((cg_table_number(points, r, f->series) - least) / (most - least) * n);
        size_t row = (size_t)k * (size_t)n + (size_t)(b < n ? b : n - 1);
        cg_table_set(t, row, f->series + 2, cg_whole(t->column[f->series + 2].at[row].whole + 1));
    }
    cg_table_free(points);
    return true;
}

/* A line goes through its points in the order of x. */
static bool in_order(Making *m)
{
    CgFigure *f = m->figure;
    const char *x = f->data->column[f->series].name;
    CgTable *sorted = cg_table_sort(f->data, &x, 1, false, &m->e);
    cg_table_free(f->data);
    f->data = sorted;
    return sorted != NULL;
}

static bool few_series(Making *m)
{
    const CgFigure *f = m->figure;
    const char *names[MAX_SERIES];
    int n = 0;
    for (size_t r = 0; f->series && r < f->data->rows; r++) {
        int k = 0;
        while (k < n && strcmp(names[k], f->data->column[0].at[r].text) != 0)
            k++;
        if (k == MAX_SERIES)
            return cg_err(&m->e, CG_ERR_INPUT, "a figure shows at most %d series; '%s' has more values", MAX_SERIES,
                f->data->column[0].name);
        if (k == n)
            names[n++] = f->data->column[0].at[r].text;
    }
    return true;
}

/* Columns of the data; one name may be asked for twice, as x and y. */
static void name_columns(CgFigure *f, const char *series, const char *x, bool x_is_text, const char *y)
{
    if (f->series)
        cg_table_add(f->data, series, CG_TEXT);
    cg_table_add(f->data, cg_table_find(f->data, x, NULL) < 0 ? x : "x", x_is_text ? CG_TEXT : CG_NUMBER);
    cg_table_add(f->data, cg_table_find(f->data, y, NULL) < 0 ? y : "y", CG_NUMBER);
}

static bool make(Making *m, CgFigureKind kind, const Asked *a)
{
    CgFigure *f = m->figure;
    bool record = a->of->kind == CG_VALUE_RECORD, many = a->y->n > 1;
    /* bars of a record without x stand for its tables; then its columns are the series */
    bool tables_are_bars = kind == CG_BAR && !a->x;
    f->series = many || a->group || (record && !tables_are_bars);
    const char *x = words(a->x, "table");
    const char *y = kind == CG_HIST ? "count" : many ? "value" : a->y->at[0]->s;
    f->title = words(a->title, NULL);
    f->xlabel = words(a->xlabel, tables_are_bars ? "" : x);
    f->ylabel = words(a->ylabel, many && tables_are_bars ? "" : y);
    f->log_x = strchr(words(a->log, ""), 'x') && kind != CG_BAR;
    f->log_y = strchr(words(a->log, ""), 'y') && kind != CG_HIST;
    name_columns(f, words(a->group, "series"), x, kind == CG_BAR, kind == CG_HIST ? "same" : y);
    for (int r = 0; r < (record ? a->of->n : 1); r++) {
        const CgTable *t = cg_table_force(m->x, record ? a->of->at[r] : a->of);
        if (!t)
            return false;
        for (int i = 0; i < a->y->n; i++)
            if (!add_points(m, t,
                    many         ? a->y->at[i]->s
                        : record ? a->of->keys[r]
                                 : "",
                    a, record ? a->of->keys[r] : "", a->y->at[i]))
                return false;
    }
    return (kind != CG_LINE || in_order(m)) && (kind != CG_BAR || fold_bars(m))
        && (kind != CG_HIST || fold_bins(m, a->bins)) && few_series(m);
}

static CgValue *run(CgSession *x, const CgValue *call, CgFigureKind kind)
{
    Making m = { .x = x, .figure = CG_NEW(x->elab->arena, CgFigure) };
    Asked a = asked(x->elab, call, kind);
    m.figure->kind = kind;
    m.figure->data = cg_table_new();
    bool good = make(&m, kind, &a);
    if (m.e.kind)
        cg_session_err(x, call->span, &m.e);
    CgValue *v = cg_session_own(x, &cg_class_figure, m.figure);
    return good ? v : NULL;
}

#define PLOT(id, kind, signature, words)                                                                               \
    static CgValue *build_##id(CgElab *e, CgFrame *f, const CgArguments *a)                                            \
    {                                                                                                                  \
        (void)f;                                                                                                       \
        return build(e, a, kind);                                                                                      \
    }                                                                                                                  \
    static CgValue *run_##id(CgSession *x, const CgValue *call, CgValue **args)                                        \
    {                                                                                                                  \
        (void)args;                                                                                                    \
        return run(x, call, kind);                                                                                     \
    }                                                                                                                  \
    static const CgFunction fn_##id = { CG_FUNCTION_HERE, .name = "plot." #id, .sig = signature, .traits = CG_COLUMNS, \
        .build = build_##id, .run = run_##id, .doc = words };
#define ONE     "column | labels | str"
#define SEVERAL "column | labels | str | column[] | str[]"
#define LABELS  "title: str | none = none, xlabel: str | none = none, ylabel: str | none = none"
PLOT(scatter, CG_SCATTER,
    "(scores: table | record, x: " ONE ", y: " SEVERAL ", group: " ONE " | none = none, " LABELS
    ", log: { x, y, xy } | none = none) -> figure",
    "A point for each row of a table: plot.scatter(scores, x = entropy, y = f1). Series by a column `group`, by "
    "several "
    "columns y = [a, b], or by the tables of a record. log is \"x\", \"y\" or \"xy\". `save ... as \"file.svg\"` or "
    ".png, with the data in file.csv.")
PLOT(line, CG_LINE,
    "(scores: table | record, x: " ONE ", y: " SEVERAL ", group: " ONE " | none = none, " LABELS
    ", log: { x, y, xy } | none = none) -> figure",
    "As plot.scatter, with the points of a series joined in the order of x.")
PLOT(bar, CG_BAR,
    "(scores: table | record, y: " SEVERAL ", x: " ONE " | none = none, group: " ONE " | none = none, " LABELS
    ") -> figure",
    "A bar for each value of a column x, or for each table of a record: the mean of column y. Several columns y = [a, "
    "b] stand side by side.")
PLOT(hist, CG_HIST,
    "(scores: table | record, x: " ONE ", bins: int | none = none, group: " ONE " | none = none, " LABELS ") -> figure",
    "How often numbers of column x fall into bins of equal width.")

static void free_figure(void *held) { cg_table_free(((CgFigure *)held)->data); }

static void show_figure(const void *held, CgStrbuf *out) { cg_table_print(((const CgFigure *)held)->data, 12, 0, out); }

static bool save_figure(const void *held, const char *path, CgErr *err)
{
    CgStrbuf warning = { 0 };
    bool good = cg_figure_save(held, path, &warning, err);
    if (good && warning.len)
        fprintf(stderr, "cg: warning: %s\n", cg_strbuf_str(&warning));
    cg_strbuf_deinit(&warning);
    return good;
}

static const char *const endings[] = { ".svg", ".png", ".gp", ".csv", NULL };

CG_CLASS(figure, .article = "a figure", .doc = "A picture of columns of a table. It is drawn when it is saved.",
    .free = free_figure, .show = show_figure, .save = save_figure, .endings = endings, .beside = ".csv",
    .saved_help = "figures go to .svg or .png, with their data in .csv beside; .gp is the script for gnuplot")
CG_FUNCTIONS(plot, &fn_scatter, &fn_line, &fn_bar, &fn_hist)
