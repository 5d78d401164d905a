/* table.c - tables and their columns as values of the language.
 * Takes tables found out when a script runs; gives tables with one row for each, and columns. */
#include "table/table.h"
#include "lang/fmt.h"
#include "library/library.h"

#include <stdlib.h>
#include <string.h>

CgValue *cg_force_in(CgSession *x, const CgTable *t, CgValue *v)
{
    const CgTable *outer = x->table;
    x->table = t;
    CgValue *out = cg_force(x, v);
    x->table = outer;
    return out;
}

const CgNumbers *cg_numbers_force_in(CgSession *x, const CgTable *t, CgValue *column)
{
    CgValue *v = cg_force_in(x, t, column);
    return v ? v->held : NULL;
}

const CgTable *cg_table_force(CgSession *x, CgValue *v)
{
    CgValue *forced = cg_force(x, v);
    if (!forced)
        return NULL;
    if (forced->kind == CG_VALUE_OBJECT && forced->cls == &cg_class_table)
        return forced->held;
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "a table is wanted, not %s", cg_value_kind_name(forced));
    cg_session_err(x, v->span, &err);
    return NULL;
}

/* ---- table(..) ---- */

enum { SCORES, ROWS, COLUMNS, TITLES };

/* One of a record that could not be found out leaves a row that says so; the others are there. False: all must end. */
static bool add_failed(CgSession *x, CgTable *out, const char *key, const CgValue *v)
{
    const CgStage *s = v->kind == CG_VALUE_STAGE ? v->stage : NULL;
    if (!s || cg_session_stopped(x))
        return false;
    char *name = cg_arena_printf(x->elab->arena, "%s failed: %s", key, s->why ? s->why : "see above");
    cg_table_set(out, cg_table_row(out), 0, cg_text(name));
    return true;
}

/* One row for each field of a record of tables (or one row for a table): cells are statistics of its columns. */
static CgValue *run_table(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    CgValue *scores = call->at[SCORES], *columns = call->at[COLUMNS], *titles = call->at[TITLES];
    CgTable *out = cg_table_new();
    cg_table_add(out, call->at[ROWS]->s, CG_TEXT);
    for (int i = 0; i < columns->n; i++)
        cg_table_add(out, titles->at[i]->s, CG_NUMBER);
    bool many = scores->kind == CG_VALUE_RECORD, good = true;
    for (int r = 0; good && r < (many ? scores->n : 1); r++) {
        const CgTable *t = cg_table_force(x, many ? scores->at[r] : scores);
        if (!t && many && add_failed(x, out, scores->keys[r], scores->at[r]))
            continue;
        if (!t) {
            good = false;
            break;
        }
        size_t row = cg_table_row(out);
        cg_table_set(out, row, 0, cg_text(many ? scores->keys[r] : ""));
        for (int i = 0; good && i < columns->n; i++) {
            CgValue *v = cg_force_in(x, t, columns->at[i]);
            good = v;
            if (good)
                cg_table_set(out, row, i + 1, cg_number(v->f));
        }
    }
    if (good)
        return cg_session_own(x, &cg_class_table, out);
    cg_table_free(out);
    return NULL;
}

int cg_table_call_columns(const CgValue *v, CgAtom *names, int max)
{
    int n = 0;
    if (v->kind != CG_VALUE_CALL || v->function->run != run_table)
        return 0;
    names[n++] = v->at[ROWS]->s;
    for (int i = 0; i < v->at[TITLES]->n && n < max; i++)
        names[n++] = v->at[TITLES]->at[i]->s;
    return n;
}

/* A column is called what is written there. */
static CgValue *build_table(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgValue *columns = a->at[COLUMNS], *titles = cg_value_list(e, columns->n, a->call);
    const CgExpr *list = a->written[COLUMNS];
    if (list && (list->kind != CG_EXPR_LIST || list->args.n != columns->n))
        list = NULL;
    for (int i = 0; i < columns->n; i++) {
        CgStrbuf text = { 0 };
        if (list)
            cg_expr_format(list->args.at[i].value, &text);
        else
            cg_value_print(columns->at[i], &text);
        titles->at[i] = cg_value_str(e, cg_strbuf_str(&text), a->call);
        cg_strbuf_deinit(&text);
    }
    CgValue *v = cg_function_later(e, a, 1);
    v->keys[TITLES] = cg_intern("titles");
    v->at[TITLES] = titles;
    return v;
}

/* ---- columns ---- */

/* scores.f1: a column of one table, when the script runs. */
static CgValue *run_column(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgTable *t = args[0]->held;
    CgValue column = { .kind = CG_VALUE_COLUMN, .s = args[1]->s, .span = call->span };
    return cg_force_in(x, t, &column);
}

static CgValue *build_column(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgAtom names[256];
    int n = cg_stage_columns(e, a->at[0], names, 256);
    CgSuggest near;
    cg_suggest_init(&near, a->at[1]->s);
    for (int i = 0; i < n; i++) {
        if (names[i] == a->at[1]->s)
            return cg_function_later(e, a, 0);
        cg_suggest_offer(&near, names[i]);
    }
    CgDiag *d = cg_elab_error(e, CG_E0601, a->span[1], "the table has no column '%s'", a->at[1]->s);
    if (cg_suggest_best(&near))
        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&near));
    return cg_value_poison(e);
}

static const CgFunction fn_table = { CG_FUNCTION_HERE, .name = "table",
    .sig = "(scores: table | record, rows: str = \"row\", columns: float[] = []) -> table", .traits = CG_COLUMNS,
    .build = build_table, .run = run_table,
    .doc = "One row for each table of a record of evaluations, one cell for each statistic: table(scores, rows = "
           "\"decoder\", columns = [mean(f1)])." };
static const CgFunction fn_column = { CG_FUNCTION_HERE, .name = "column", .sig = "(table: table, name: str) -> column",
    .build = build_column, .run = run_column,
    .doc = "A column of numbers of a table by its name, as `table.name` writes it." };

static CgValue *field_of_table(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *suggest)
{
    CgAtom names[256];
    int n = cg_stage_columns(e, of, names, 256);
    for (int i = 0; i < n; i++) {
        cg_suggest_offer(suggest, names[i]);
        if (names[i] != name)
            continue;
        CgArguments a = { .function = &fn_column, .n = 2, .call = span };
        a.at[0] = of;
        a.at[1] = cg_value_str(e, name, span);
        return cg_function_later(e, &a, 0);
    }
    return NULL;
}

static void free_table(void *held) { cg_table_free(held); }

static void show_table(const void *held, CgStrbuf *out) { cg_table_print(held, 12, 0, out); }

static bool save_table(const void *held, const char *path, CgErr *err) { return cg_table_save(held, path, err); }

static const char *const endings[] = { ".csv", ".jsonl", NULL };

static void show_column(const void *held, CgStrbuf *out)
{
    const CgNumbers *column = held;
    for (size_t i = 0; i < column->n && i < 12; i++)
        cg_strbuf_printf(out, "%s%.6g", i ? ", " : "[", column->at[i]);
    if (column->n > 12)
        cg_strbuf_printf(out, ", ... and %zu more]\n", column->n - 12);
    else
        cg_strbuf_puts(out, column->n ? "]\n" : "[]\n");
}

CG_CLASS(table, .article = "a table", .field = field_of_table, .free = free_table, .show = show_table,
    .save = save_table, .endings = endings, .saved_help = "tables go to .csv or .jsonl")
CG_CLASS(column, .article = "a column", .show = show_column)
CG_FUNCTIONS(table, &fn_table, &fn_column)
