/* plot.c - plot.scatter, plot.line, plot.bar, plot.hist.
 * Takes a table (or a record of tables, one series each) and its columns; gives figures. Columns are checked while
 * elaborating; rows are taken when the script runs. How a figure looks is not said here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "stage/session.h"
#include "table/figure.h"

enum { MAX_SERIES = 24, MAX_COLUMNS = 256, MAX_BINS = 1000 };

/* The call that stands for a figure: what it is made of, in this order. */
enum { OF, X, Y /* a list */, GROUP, TITLE, XLABEL, YLABEL, LOG, BINS, NARGS };

/* ---- checking ---- */

/* The first table of what is drawn. */
static CgValue *a_table(CgValue *of)
{
    while (of->kind == CG_VALUE_RECORD && of->n)
        of = of->at[0];
    return of;
}

/* The column that an argument means: by its name, or a string. NULL after a mistake. */
static CgValue *column(CgElab *e, const CgExpr *call, CgValue *of, const char *name, CgValue *v, bool numeric)
{
    CgAtom names[MAX_COLUMNS];
    int n = cg_stage_columns(e, of, names, MAX_COLUMNS);
    CgSpan span = v->span.file ? v->span : call->span;
    if (v->kind != CG_VALUE_COLUMN && v->kind != CG_VALUE_STR) {
        CgDiag *d = cg_elab_error(e, CG_E0305, call->span, "'%s' of %s is a column of the table, not %s", name,
            call->a->s, cg_value_kind_name(v));
        CgStrbuf all = { 0 };
        for (int i = 0; i < n; i++)
            cg_strbuf_printf(&all, "%s%s", i ? ", " : "", names[i]);
        cg_diag_help(d, "its columns are %s", cg_strbuf_str(&all));
        cg_strbuf_deinit(&all);
        return NULL;
    }
    CgSuggest near;
    cg_suggest_init(&near, v->s);
    for (int i = 0; i < n; i++) {
        cg_suggest_offer(&near, names[i]);
        if (names[i] != v->s)
            continue;
        if (!numeric || !cg_stage_column_is_text(a_table(of), v->s))
            return v;
        cg_elab_error(
            e, CG_E0305, call->span, "'%s' of %s is a column of numbers; '%s' holds text", name, call->a->s, v->s);
        return NULL;
    }
    CgDiag *d = cg_elab_error(e, CG_E0601, span, "the table has no column '%s'", v->s);
    if (cg_suggest_best(&near))
        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&near));
    return NULL;
}

/* Every table of a record must have the columns of the first. */
static bool all_have(CgElab *e, const CgExpr *call, CgValue *of, CgAtom name)
{
    CgAtom names[MAX_COLUMNS];
    for (int r = 0; of->kind == CG_VALUE_RECORD && r < of->n; r++) {
        int n = cg_stage_columns(e, of->at[r], names, MAX_COLUMNS), i = 0;
        while (i < n && names[i] != name)
            i++;
        if (i < n)
            continue;
        cg_elab_error(e, CG_E0601, call->span, "the table '%s' of the record has no column '%s'", of->keys[r], name);
        return false;
    }
    return true;
}

static bool text_or_none(CgElab *e, const CgExpr *call, const char *name, const CgValue *v)
{
    if (v->kind == CG_VALUE_STR || v->kind == CG_VALUE_NONE)
        return true;
    cg_elab_error(e, CG_E0305, call->span, "'%s' of %s is a string, not %s", name, call->a->s, cg_value_kind_name(v));
    return false;
}

static bool check_columns(CgElab *e, const CgExpr *call, CgFigureKind kind, CgValue **a)
{
    bool has_x = a[X]->kind != CG_VALUE_NONE, record = a[OF]->kind == CG_VALUE_RECORD;
    if ((has_x && !column(e, call, a[OF], "x", a[X], kind != CG_BAR)) || (has_x && !all_have(e, call, a[OF], a[X]->s)))
        return false;
    for (int i = 0; i < a[Y]->n; i++)
        if (!column(e, call, a[OF], "y", a[Y]->at[i], true) || !all_have(e, call, a[OF], a[Y]->at[i]->s))
            return false;
    if (a[GROUP]->kind == CG_VALUE_NONE)
        return true;
    if (record || a[Y]->n > 1) {
        cg_elab_error(e, CG_E0305, call->span,
            record ? "the tables of a record are the series; there is no 'group' beside them"
                   : "several columns are the series; there is no 'group' beside them");
        return false;
    }
    return column(e, call, a[OF], "group", a[GROUP], false) != NULL;
}

static bool check(CgElab *e, const CgExpr *call, CgFigureKind kind, CgValue **a)
{
    if (kind != CG_HIST && a[Y]->n > 1 && a[OF]->kind == CG_VALUE_RECORD && a[X]->kind != CG_VALUE_NONE) {
        cg_elab_error(e, CG_E0305, call->span, "%s draws several tables or several columns, not both", call->a->s);
        return false;
    }
    if (kind == CG_BAR && a[X]->kind == CG_VALUE_NONE && a[OF]->kind != CG_VALUE_RECORD) {
        CgDiag *d =
            cg_elab_error(e, CG_E0304, call->span, "bar needs 'x': the column that says which bar a row belongs to");
        cg_diag_help(d, "a record of tables has a bar for each table without it");
        return false;
    }
    if (!check_columns(e, call, kind, a) || !text_or_none(e, call, "title", a[TITLE])
        || !text_or_none(e, call, "xlabel", a[XLABEL]) || !text_or_none(e, call, "ylabel", a[YLABEL]))
        return false;
    const char *log = a[LOG]->kind == CG_VALUE_STR ? a[LOG]->s : "";
    if ((a[LOG]->kind != CG_VALUE_STR && a[LOG]->kind != CG_VALUE_NONE) || strlen(log) > 2
        || strspn(log, "xy") != strlen(log)) {
        cg_elab_error(e, CG_E0305, call->span, "'log' of %s is \"x\", \"y\" or \"xy\"", call->a->s);
        return false;
    }
    if (a[BINS]->kind != CG_VALUE_NONE && (a[BINS]->kind != CG_VALUE_INT || a[BINS]->i < 1 || a[BINS]->i > MAX_BINS)) {
        cg_elab_error(e, CG_E0305, call->span, "'bins' of %s is a number from 1 to %d", call->a->s, MAX_BINS);
        return false;
    }
    return true;
}

/* ---- the rows of a figure ---- */

typedef struct Making {
    CgSession *x;
    const CgValue *call;
    CgFigure *figure;
    CgErr e;
} Making;

static const char *words(const CgValue *v, const char *otherwise) { return v->kind == CG_VALUE_STR ? v->s : otherwise; }

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
static bool add_points(Making *m, const CgTable *t, const char *series, CgValue **a, const char *x_name, CgValue *y)
{
    CgFigure *f = m->figure;
    int group = a[GROUP]->kind == CG_VALUE_NONE ? -1 : cg_table_find(t, a[GROUP]->s, &m->e);
    int cx = a[X]->kind == CG_VALUE_NONE ? -1 : cg_table_find(t, a[X]->s, &m->e), cy = cg_table_find(t, y->s, &m->e),
        at = f->series;
    if (cx >= 0 && t->column[cx].kind == CG_TEXT && f->data->column[at].kind != CG_TEXT)
        cg_err(&m->e, CG_ERR_INPUT, "column '%s' holds text in one of the tables", a[X]->s);
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
    const char *by[2], *of[1] = { f->data->column[f->series + 1].name };
    for (int i = 0; i <= (int)f->series; i++)
        by[i] = f->data->column[i].name;
    const char *keep[3] = { by[0], f->series ? by[1] : of[0], of[0] };
    CgTable *rows = f->data, *mean = cg_table_group(rows, by, f->series + 1, of, 1, CG_MEAN, &m->e);
    f->data = mean ? cg_table_select(mean, keep, f->series + 2, &m->e) : NULL;
    cg_table_free(rows);
    cg_table_free(mean);
    return f->data != NULL;
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
    int n = bins->kind == CG_VALUE_INT ? (int)bins->i : (int)fmin(fmax(rice, 5), 60);
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
    CgTable *sorted = cg_table_sort(f->data, f->data->column[f->series].name, false, &m->e);
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

static bool make(Making *m, CgFigureKind kind, CgValue **a)
{
    CgFigure *f = m->figure;
    CgValue *of = a[OF], *ys = a[Y];
    bool record = of->kind == CG_VALUE_RECORD, many = ys->n > 1;
    /* bars of a record without x stand for its tables; then its columns are the series */
    bool tables_are_bars = kind == CG_BAR && a[X]->kind == CG_VALUE_NONE;
    f->series = many || a[GROUP]->kind != CG_VALUE_NONE || (record && !tables_are_bars);
    const char *x = kind == CG_HIST ? ys->at[0]->s : a[X]->kind == CG_VALUE_NONE ? "table" : a[X]->s;
    const char *y = kind == CG_HIST ? "count" : many ? "value" : ys->at[0]->s;
    f->title = words(a[TITLE], NULL);
    f->xlabel = words(a[XLABEL], tables_are_bars ? "" : x);
    f->ylabel = words(a[YLABEL], many && tables_are_bars ? "" : y);
    f->log_x = strchr(words(a[LOG], ""), 'x') && kind != CG_BAR;
    f->log_y = strchr(words(a[LOG], ""), 'y') && kind != CG_HIST;
    name_columns(
        f, a[GROUP]->kind != CG_VALUE_NONE ? a[GROUP]->s : "series", x, kind == CG_BAR, kind == CG_HIST ? "same" : y);
    for (int r = 0; r < (record ? of->n : 1); r++) {
        const CgTable *t = cg_table_force(m->x, record ? of->at[r] : of);
        if (!t)
            return false;
        CgValue *args[NARGS];
        memcpy(args, a, sizeof args);
        if (kind == CG_HIST)
            args[X] = ys->at[0];
        for (int i = 0; i < ys->n; i++)
            if (!add_points(m, t,
                    many         ? ys->at[i]->s
                        : record ? of->keys[r]
                                 : "",
                    args, record ? of->keys[r] : "", ys->at[i]))
                return false;
    }
    return (kind != CG_LINE || in_order(m)) && (kind != CG_BAR || fold_bars(m))
        && (kind != CG_HIST || fold_bins(m, a[BINS])) && few_series(m);
}

static CgValue *figure(void *runner, const CgValue *call, CgFigureKind kind)
{
    CgSession *x = runner;
    Making m = { .x = x, .call = call, .figure = CG_NEW(x->elab->arena, CgFigure) };
    m.figure->kind = kind;
    m.figure->data = cg_table_new();
    bool good = make(&m, kind, call->at);
    if (m.figure->data)
        cg_session_keep_table(x, m.figure->data);
    if (m.e.kind)
        cg_session_err(x, call->span, &m.e);
    return good ? cg_value_host(x->elab, "a figure", m.figure) : NULL;
}

#define LATER(f, kind)                                                      \
    static CgValue *f##_later(void *x, const CgValue *call, CgValue **args) \
    {                                                                       \
        (void)args;                                                         \
        return figure(x, call, kind);                                       \
    }                                                                       \
    static const CgBuiltin f##_call = { .name = "plot." #f, .sig = "", .doc = "", .quoted = true, .later = f##_later };
LATER(scatter, CG_SCATTER)
LATER(line, CG_LINE)
LATER(bar, CG_BAR)
LATER(hist, CG_HIST)

static CgValue *described(CgElab *e, const CgExpr *call, CgFigureKind kind, const CgBuiltin *later, CgValue **a)
{
    if (a[Y]->kind != CG_VALUE_LIST) {
        CgValue *one = cg_value_list(e, 1, a[Y]->span);
        one->at[0] = a[Y];
        a[Y] = one;
    }
    if (!a[Y]->n || !check(e, call, kind, a))
        return cg_value_poison(e);
    CgValue *v = cg_value_list(e, NARGS, call->span);
    v->kind = CG_VALUE_CALL;
    v->builtin = later;
    memcpy(v->at, a, sizeof *a * NARGS);
    return v;
}

/* (scores, x, y, group, title, xlabel, ylabel, log) */
static CgValue *xy(CgElab *e, const CgExpr *call, CgFigureKind kind, const CgBuiltin *later, CgValue **args)
{
    CgValue *a[NARGS];
    memcpy(a, args, sizeof *a * BINS);
    a[BINS] = cg_value_new(e, CG_VALUE_NONE, (CgSpan){ 0 });
    return described(e, call, kind, later, a);
}

static CgValue *scatter(CgElab *e, CgFrame *f, const CgExpr *c, CgValue **a)
{
    (void)f;
    return xy(e, c, CG_SCATTER, &scatter_call, a);
}
static CgValue *line(CgElab *e, CgFrame *f, const CgExpr *c, CgValue **a)
{
    (void)f;
    return xy(e, c, CG_LINE, &line_call, a);
}

/* (scores, y, x, group, title, xlabel, ylabel) */
static CgValue *bar(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgValue *none = cg_value_new(e, CG_VALUE_NONE, (CgSpan){ 0 });
    CgValue *a[NARGS] = { args[0], args[2], args[1], args[3], args[4], args[5], args[6], none, none };
    return described(e, call, CG_BAR, &bar_call, a);
}

/* (scores, x, bins, group, title, xlabel, ylabel) */
static CgValue *hist(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgValue *none = cg_value_new(e, CG_VALUE_NONE, (CgSpan){ 0 });
    CgValue *a[NARGS] = { args[0], none, args[1], args[3], args[4], args[5], args[6], none, args[2] };
    if (args[1]->kind == CG_VALUE_LIST) {
        cg_elab_error(e, CG_E0305, call->span, "'x' of hist is one column; a record of tables has one series for each");
        return cg_value_poison(e);
    }
    return described(e, call, CG_HIST, &hist_call, a);
}

const CgBuiltin cg_builtins_plot[] = {
    { .name = "plot.scatter",
        .sig = "(scores, x, y, group = none, title = none, xlabel = none, ylabel = none, log = none)",
        .eager = scatter,
        .quoted = true,
        .doc = "A point for each row of a table: plot.scatter(scores, x = entropy, y = f1). Series by a column "
               "`group`, by several columns "
               "y = [a, b], or by the tables of a record. log is \"x\", \"y\" or \"xy\". `save ... as \"file.svg\"` or "
               ".png, with the data in file.csv." },
    { .name = "plot.line",
        .sig = "(scores, x, y, group = none, title = none, xlabel = none, ylabel = none, log = none)",
        .eager = line,
        .quoted = true,
        .doc = "As plot.scatter, with the points of a series joined in the order of x." },
    { .name = "plot.bar",
        .sig = "(scores, y, x = none, group = none, title = none, xlabel = none, ylabel = none)",
        .eager = bar,
        .quoted = true,
        .doc = "A bar for each value of a column x, or for each table of a record: the mean of column y. Several "
               "columns y = [a, b] stand side by side." },
    { .name = "plot.hist",
        .sig = "(scores, x, bins = none, group = none, title = none, xlabel = none, ylabel = none)",
        .eager = hist,
        .quoted = true,
        .doc = "How often numbers of column x fall into bins of equal width." },
    { 0 },
};
