/* plot.c - kinds of figures as functions of the language: plot.scatter, plot.line, ...
 * Takes a table (or a record of tables, one series each) and its columns; gives figures. Columns are checked while
 * elaborating; rows are taken when the script runs. Must not know any kind: they are found by their entries, and say
 * which of their parameters are columns. */
#include <math.h>
#include <stdlib.h>
#include <limits.h>
#include <string.h>

#include "library/library.h"
#include "report/figure.h"
#include "report/plot.h"
#include "table/figure.h"

enum { MAX_SERIES = 24, MAX_PANELS = 36 };

#define X(kind) extern const CgPlot cg_plot_entry_##kind;
#include "entries/plot.def"
#undef X
static const CgPlot *const plots[] = {
#define X(kind) &cg_plot_entry_##kind,
#include "entries/plot.def"
#undef X
};

/* What a figure is made of. */
typedef struct Asked {
    const CgPlot *plot;
    const CgValue *call;
    CgValue *of, *group, *panels, *column[CG_PLOT_COLUMNS]; /* NULL: not given */
    int n, several;                                         /* columns that the kind has; the one that may be a list */
    CgValue *list;                                          /* what is given for it, always a list */
    int tables; /* the column whose cells are names of the tables; -1: none */
} Asked;

static CgValue *given(const CgValue *call, const char *name)
{
    CgValue *v = cg_record_find(call, cg_intern(name));
    return v && v->kind != CG_VALUE_NONE ? v : NULL;
}

static const char *words(const CgValue *call, const char *name)
{
    const CgValue *v = given(call, name);
    return v ? v->s : NULL;
}

static Asked asked(CgElab *e, const CgValue *call)
{
    const CgPlot *plot = call->function->of;
    Asked a = { .plot = plot,
        .call = call,
        .of = given(call, "scores"),
        .group = given(call, "group"),
        .panels = given(call, "panels"),
        .tables = -1 };
    for (; a.n < CG_PLOT_COLUMNS && plot->column[a.n].cell; a.n++) {
        a.column[a.n] = given(call, plot->column[a.n].parameter);
        if (plot->column[a.n].several)
            a.several = a.n;
        if (!a.column[a.n] && plot->column[a.n].cell == CG_CELL_NAME && a.of->kind == CG_VALUE_RECORD)
            a.tables = a.n;
    }
    a.list = a.column[a.several];
    if (a.list && a.list->kind != CG_VALUE_LIST) {
        CgValue *one = cg_value_list(e, 1, a.list->span);
        one->at[0] = a.list;
        a.list = one;
    }
    return a;
}

/* ---- checking ---- */

/* Of an argument, or of an element of the list it is. */
static CgSpan span_of(const CgArguments *a, const char *name, int element)
{
    const CgSignature *s = cg_function_signature(a->function);
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->stmt->params[i].name, name)) {
            const CgExpr *x = a->written[i];
            return x && x->kind == CG_EXPR_LIST && element < x->args.n ? x->args.at[element].value->span : a->span[i];
        }
    return a->call;
}

static bool refuse(CgElab *e, const CgArguments *a, const char *name, const char *why)
{
    cg_elab_error(e, CG_E0312, span_of(a, name, INT_MAX), "%s", why);
    return false;
}

/* Whether the table, and every table of a record, has the column that an argument means. */
static bool check_column(
    CgElab *e, const CgArguments *a, CgValue *of, const char *name, const CgValue *v, int element, bool numeric)
{
    const CgSchema *columns = cg_stage_columns(e, of);
    bool named = v->kind == CG_VALUE_COLUMN || v->kind == CG_VALUE_STR;
    const CgColumnName *column = columns && named ? cg_schema_find(columns, v->s) : NULL;
    CgSpan span = span_of(a, name, element);
    if (!named) {
        CgDiag *d = cg_elab_error(e, CG_E0312, span, "'%s' of %s is the name of a column", name, a->function->name);
        cg_diag_help(d, "compute(table, { name: .. }) is the table with what is computed as a column");
        return false;
    }
    if (!column) {
        cg_column_unknown(e, span, columns, "table", v->s);
        return false;
    }
    if (numeric && column->text) {
        CgDiag *d = cg_elab_error(
            e, CG_E0312, span, "'%s' of %s is a column of numbers; '%s' holds text", name, a->function->name, v->s);
        cg_diag_help(d, "the numbers that are drawn are y, what stands along the axis is x: %s(t, x = .., y = ..)",
            a->function->name);
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

static bool check(CgElab *e, const CgArguments *args, const Asked *a)
{
    const CgPlotColumn *c = a->plot->column;
    bool record = a->of->kind == CG_VALUE_RECORD, many = a->list->n > 1;
    if (!a->list->n)
        return refuse(e, args, c[a->several].parameter, "a list of no columns: there is nothing to draw");
    if (a->n > 1 && many && record && a->tables < 0)
        return refuse(e, args, c[a->several].parameter, "several tables or several columns are drawn, not both");
    if (a->plot->check && !a->plot->check(e, args))
        return false;
    for (int k = 0; k < a->n; k++)
        for (int i = 0; a->column[k] && i < (k == a->several ? a->list->n : 1); i++)
            if (!check_column(e, args, a->of, c[k].parameter, k == a->several ? a->list->at[i] : a->column[k], i,
                    c[k].cell == CG_CELL_NUMBER))
                return false;
    if (a->panels && !check_column(e, args, a->of, "panels", a->panels, 0, false))
        return false;
    if (a->group && record)
        return refuse(e, args, "group", "the tables of a record are the series; there is no 'group' beside them");
    if (a->group && many)
        return refuse(e, args, "group", "several columns are the series; there is no 'group' beside them");
    return !a->group || check_column(e, args, a->of, "group", a->group, 0, false);
}

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *args)
{
    (void)f;
    CgValue *v = cg_function_later(e, args, 0);
    Asked a = asked(e, v);
    return check(e, args, &a) ? v : cg_value_poison(e);
}

/* ---- the rows of a figure ---- */

typedef struct Making {
    CgSession *x;
    CgFigure *figure;
    CG_VEC(const char *) panel; /* of each row of its data, where there are panels */
    CgErr e;
} Making;

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

/* Cell k of a row, as its column of the data takes it; false: it is no number that can be shown. */
static bool cell_of(
    Making *m, const Asked *a, int k, const CgTable *t, size_t row, int from, const char *table, CgCell *out)
{
    const CgFigure *f = m->figure;
    if (a->plot->column[k].cell == CG_CELL_NAME) {
        *out = cg_text(from >= 0 ? name_of_cell(m, t, row, from) : table);
        return true;
    }
    double number = cg_table_number(t, row, from);
    *out = cg_number(number);
    return isfinite(number) && (k != 0 || !f->log_x || number > 0) && (k != 1 || !f->log_y || number > 0);
}

/* Rows of one table; column i of several. `table` is its name in a record. */
static bool add_rows(Making *m, const CgTable *t, const char *series, const char *table, const Asked *a, int i)
{
    CgFigure *f = m->figure;
    int group = a->group ? cg_table_find(t, a->group->s, &m->e) : -1, from[CG_PLOT_COLUMNS];
    int panel = a->panels ? cg_table_find(t, a->panels->s, &m->e) : -1;
    for (int k = 0; k < a->n; k++) {
        const CgValue *name = k == a->several ? a->list->at[i] : a->column[k];
        from[k] = name ? cg_table_find(t, name->s, &m->e) : -1;
        if (from[k] >= 0 && a->plot->column[k].cell == CG_CELL_NUMBER && t->column[from[k]].kind == CG_TEXT)
            cg_err(&m->e, CG_ERR_INPUT, "column '%s' holds text in one of the tables", name->s);
        else if (from[k] >= 0 && f->column[k] >= 0)
            f->data->column[f->column[k]].format = t->column[from[k]].format;
    }
    if (m->e.kind)
        return false;
    for (size_t r = 0; r < t->rows; r++) {
        CgCell cell[CG_PLOT_COLUMNS];
        bool shown = true;
        for (int k = 0; k < a->n; k++)
            shown = shown && (f->column[k] < 0 || cell_of(m, a, k, t, r, from[k], table, &cell[k]));
        if (!shown) {
            f->left_out++;
            continue;
        }
        size_t row = cg_table_row(f->data);
        if (f->series)
            cg_table_set(f->data, row, 0, cg_text(group >= 0 ? name_of_cell(m, t, r, group) : series));
        for (int k = 0; k < a->n; k++)
            if (f->column[k] >= 0) {
                cg_table_set(f->data, row, f->column[k], cell[k]);
                if (from[k] >= 0 && a->plot->column[k].cell == CG_CELL_NUMBER && t->column[from[k]].spread)
                    cg_table_spread(f->data, row, f->column[k], t->column[from[k]].spread[r]);
            }
        if (panel >= 0)
            cg_vec_push(&m->panel, name_of_cell(m, t, r, panel));
    }
    return true;
}

/* The series, before anything is made of the rows. */
static bool name_series(Making *m)
{
    CgFigure *f = m->figure;
    const char **names = NULL;
    f->names = f->series ? cg_draw_distinct(f->data, 0, &names) : 1;
    f->name = CG_NEWN(m->x->elab->arena, const char *, f->names + 1);
    for (int i = 0; i < f->names; i++)
        f->name[i] = names ? cg_arena_strdup(m->x->elab->arena, names[i]) : "";
    free(names);
    return f->names <= MAX_SERIES
        || cg_err(&m->e, CG_ERR_INPUT, "a figure shows at most %d series; '%s' has more values", MAX_SERIES,
            f->data->column[0].name);
}

/* What the axis of a column is called, and the column itself. */
static const char *name_of_column(const Asked *a, int k)
{
    return k == a->tables ? "table" : k == a->several && a->list->n > 1 ? "value" : a->column[k]->s;
}

/* Columns of the data; one name may be asked for twice. */
static void add_columns(CgFigure *f, const Asked *a)
{
    if (f->series)
        cg_table_add(f->data, a->group ? a->group->s : "series", CG_TEXT);
    for (int k = 0; k < a->n; k++) {
        f->column[k] = -1;
        if (!a->column[k] && k != a->tables)
            continue;
        f->column[k] = cg_table_add_distinct(
            f->data, name_of_column(a, k), a->plot->column[k].cell == CG_CELL_NAME ? CG_TEXT : CG_NUMBER);
    }
}

/* What was made of the rows, and what its axes are called. */
static bool finish(CgFigure *f, const Asked *a, CgErr *err)
{
    if (a->plot->fold && !a->plot->fold(f, a->call, err))
        return false;
    if (!f->xlabel)
        f->xlabel = name_of_column(a, 0);
    if (!f->ylabel && a->n > 1)
        f->ylabel = name_of_column(a, 1);
    return true;
}

/* ---- small multiples ---- */

/* Widens a range to what a column of numbers shows. */
static void widen(const CgTable *t, int column, double *low, double *high)
{
    const CgColumn *c = column >= 0 ? &t->column[column] : NULL;
    for (size_t r = 0; c && c->kind != CG_TEXT && r < t->rows; r++) {
        *low = fmin(*low, cg_table_number(t, r, column));
        *high = fmax(*high, cg_table_number(t, r, column));
        if (c->spread) {
            *low = fmin(*low, c->spread[r].low);
            *high = fmax(*high, c->spread[r].high);
        }
    }
}

/* One panel: the rows of the figure that have its name. */
static bool make_panel(Making *m, const Asked *a, const char *name, CgFigure *out)
{
    const CgFigure *f = m->figure;
    size_t *rows = cg_malloc((f->data->rows + 1) * sizeof *rows), n = 0;
    for (size_t r = 0; r < f->data->rows; r++)
        if (!strcmp(m->panel.at[r], name))
            rows[n++] = r;
    *out = *f;
    out->panel = NULL;
    out->panels = 0;
    out->is_panel = true;
    out->title = name;
    out->data = cg_table_take(f->data, rows, n);
    free(rows);
    return finish(out, a, &m->e);
}

/* Gives t a first column of texts, called unlike those of the tables that are put behind it. */
static void lead_with(CgTable *t, const char *name, const CgTable *behind)
{
    CgTable *both = cg_table_copy(behind);
    int column = cg_table_add_distinct(both, name, CG_TEXT);
    cg_table_add(t, both->column[column].name, CG_TEXT);
    cg_table_free(both);
}

/* The figure's rows by panel, with axes that all panels share; its data are those of all, a column says of which. */
static bool make_panels(Making *m, const Asked *a)
{
    CgFigure *f = m->figure;
    CgTable *names = cg_table_new(), *all = cg_table_new();
    const char **panels = NULL;
    int column = cg_table_add(names, "panel", CG_TEXT);
    for (size_t r = 0; r < f->data->rows; r++)
        cg_table_set(names, cg_table_row(names), column, cg_text(m->panel.at[r]));
    int n = cg_draw_distinct(names, column, &panels);
    bool good = n <= MAX_PANELS
        || cg_err(
            &m->e, CG_ERR_INPUT, "a figure has at most %d panels; '%s' has %d values", MAX_PANELS, a->panels->s, n);
    double x[2] = { INFINITY, -INFINITY }, y[2] = { INFINITY, -INFINITY };
    widen(f->data, f->column[0], &x[0], &x[1]);
    f->x_low = x[0] < x[1] ? x[0] : NAN;
    f->x_high = x[0] < x[1] ? x[1] : NAN;
    f->panel = CG_NEWN(m->x->elab->arena, CgFigure, n + 1);
    for (int i = 0; good && i < n; i++) {
        CgFigure *p = &f->panel[f->panels++];
        size_t first = all->rows;
        good = make_panel(m, a, cg_arena_strdup(m->x->elab->arena, panels[i]), p);
        if (good && i == 0)
            lead_with(all, a->panels->s, p->data);
        good = good && cg_table_extend(all, p->data, &m->e);
        for (size_t r = first; r < all->rows; r++)
            cg_table_set(all, r, 0, cg_text(panels[i]));
        if (good)
            widen(p->data, p->column[1], &y[0], &y[1]);
    }
    for (int i = 0; i < f->panels && y[0] < y[1]; i++) {
        f->panel[i].y_low = y[0];
        f->panel[i].y_high = y[1];
    }
    cg_table_free(f->data);
    f->data = all;
    cg_table_free(names);
    free(panels);
    return good;
}

static bool make(Making *m, const Asked *a)
{
    CgFigure *f = m->figure;
    bool record = a->of->kind == CG_VALUE_RECORD, many = a->list->n > 1;
    const char *log = words(a->call, "log");
    /* where tables are cells, the columns are the series */
    f->series = many || a->group || (record && a->tables < 0);
    f->title = words(a->call, "title");
    f->xlabel = words(a->call, "xlabel");
    f->ylabel = words(a->call, "ylabel");
    f->log_x = log && strchr(log, 'x');
    f->log_y = log && strchr(log, 'y');
    add_columns(f, a);
    for (int r = 0; r < (record ? a->of->n : 1); r++) {
        const CgTable *t = cg_table_force(m->x, record ? a->of->at[r] : a->of);
        const char *table = record ? a->of->keys[r] : "";
        if (!t)
            return false;
        for (int i = 0; i < a->list->n; i++)
            if (!add_rows(m, t, many ? a->list->at[i]->s : table, table, a, i))
                return false;
    }
    f->x_low = f->x_high = f->y_low = f->y_high = NAN;
    return name_series(m) && (a->panels ? make_panels(m, a) : finish(f, a, &m->e));
}

static CgValue *run(CgSession *x, const CgValue *call, CgValue **args)
{
    Making m = { .x = x, .figure = CG_NEW(x->elab->arena, CgFigure) };
    Asked a = asked(x->elab, call);
    (void)args;
    m.figure->plot = a.plot;
    m.figure->data = cg_table_new();
    bool good = make(&m, &a);
    cg_vec_free(&m.panel);
    if (m.e.kind)
        cg_session_err(x, call->span, &m.e);
    CgValue *v = cg_session_own(x, &cg_class_figure, m.figure);
    return good ? v : NULL;
}

static bool plot(size_t i, CgFunction *out)
{
    if (i >= CG_LEN(plots))
        return false;
    const CgPlot *p = plots[i];
    *out = (CgFunction){ .name = cg_intern_printf("plot.%s", p->name),
        .sig = p->sig,
        .doc = p->doc,
        .build = build,
        .run = run,
        .traits = CG_COLUMNS,
        .version = p->version,
        .file = p->file,
        .line = p->line,
        .of = p };
    return true;
}

static const CgFunction fn_plots = { .each = plot };

static void free_figure(void *held)
{
    CgFigure *f = held;
    for (int i = 0; i < f->panels; i++)
        cg_table_free(f->panel[i].data);
    cg_table_free(f->data);
}

static void show_figure(const void *held, CgStrbuf *out) { cg_table_print(((const CgFigure *)held)->data, 12, 0, out); }

static bool save_figure(CgSession *x, const CgValue *v, const char *path, CgErr *err)
{
    CgStrbuf warning = { 0 };
    bool good = cg_figure_save(v->held, path, &warning, err);
    if (good && warning.len)
        cg_session_say(x, "warning: %s", cg_strbuf_str(&warning));
    cg_strbuf_deinit(&warning);
    return good;
}

static const char *const endings[] = { ".svg", ".pdf", ".png", ".gp", ".csv", NULL };

CG_CLASS(figure, .article = "a figure", .doc = "A picture of columns of a table. It is drawn when it is saved.",
    .free = free_figure, .show = show_figure, .save_value = save_figure, .endings = endings, .beside = ".csv",
    .saved_help = "figures go to .svg, .pdf or .png, with their data in .csv beside; .gp is the script for gnuplot")
CG_FUNCTIONS(plot, &fn_plots)
