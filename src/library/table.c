/* table.c - tables as values of the language: made of evaluations, files and each other.
 * Takes tables found out when a script runs; gives tables. What is done to a table is said in table/shape.c; here are
 * the columns a result will have, which are known before, and cells that are statistics. */
#include "table/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/fmt.h"
#include "library/library.h"

enum { MAX_KEYS = 32 };

/* ---- forcing -------------------------------------------------------------------------------------------- */

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

/* A table or groups, whatever columns are meant around it. */
static const void *force_class(CgSession *x, CgValue *v, const CgClass *cls)
{
    CgValue *forced = cg_force_in(x, NULL, v);
    if (!forced)
        return NULL;
    if (forced->kind == CG_VALUE_OBJECT && forced->cls == cls)
        return forced->held;
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "%s is wanted, not %s", cls->article, cg_value_kind_name(forced));
    cg_session_err(x, v->span, &err);
    return NULL;
}

const CgTable *cg_table_force(CgSession *x, CgValue *v) { return force_class(x, v, &cg_class_table); }

static CgValue *table_or_err(CgSession *x, const CgValue *call, CgTable *t, const CgErr *err)
{
    if (t)
        return cg_session_own(x, &cg_class_table, t);
    cg_session_err(x, call->span, err);
    return NULL;
}

/* ---- columns named by arguments ------------------------------------------------------------------------- */

int cg_column_names(const CgValue *v, const char **names, int max)
{
    int n = 0;
    if (v->kind != CG_VALUE_LIST && v->kind != CG_VALUE_NONE)
        names[n++] = cg_is_column_of(v) ? v->at[1]->s : v->s;
    for (int i = 0; v->kind == CG_VALUE_LIST && i < v->n && n < max; i++)
        names[n++] = cg_is_column_of(v->at[i]) ? v->at[i]->at[1]->s : v->at[i]->s;
    return n;
}

/* A column may be written as one of another table; the first argument has to have one of that name. */
static bool are_of_table(CgElab *e, const CgArguments *a, int i)
{
    const CgSchema *of = cg_stage_columns(e, a->at[0]);
    const char *names[MAX_KEYS];
    int n = cg_column_names(a->at[i], names, MAX_KEYS);
    for (int k = 0; of && k < n; k++)
        if (names[k] && !cg_schema_find(of, names[k])) {
            cg_column_unknown(e, a->span[i], of, "table", names[k]);
            return false;
        }
    return true;
}

bool cg_columns_named(CgElab *e, const CgArguments *a, int i)
{
    const CgValue *v = a->at[i];
    bool good = true;
    for (int k = 0; k < (v->kind == CG_VALUE_LIST ? v->n : 1); k++) {
        const CgValue *one = v->kind == CG_VALUE_LIST ? v->at[k] : v;
        good &= one->kind == CG_VALUE_COLUMN || one->kind == CG_VALUE_STR || one->kind == CG_VALUE_NONE
            || cg_is_column_of(one);
    }
    if (good && v->kind == CG_VALUE_LIST && v->n > MAX_KEYS)
        cg_elab_error(e, CG_E0316, a->span[i], "at most %d columns are named here", MAX_KEYS);
    if (!good) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[i], "'%s' of %s names columns; this one is computed",
            cg_function_signature(a->function)->stmt->params[i].name, a->function->name);
        cg_diag_help(d, "give it a name: compute(table, { name: .. })");
    }
    return good && !(v->kind == CG_VALUE_LIST && v->n > MAX_KEYS) && are_of_table(e, a, i);
}

static CgSchema *copy_of(CgElab *e, const CgSchema *s)
{
    CgSchema *out = cg_schema_new(e);
    for (int i = 0; s && i < s->n; i++)
        cg_schema_add(e, out, s->at[i].name, s->at[i].text);
    return out;
}

/* ---- table(..): one row for each table, cells are statistics of its columns ------------------------------ */

enum { SCORES, COLUMNS, ROWS, TITLES };

typedef struct Groups {
    CgTable *keys;   /* one row a group */
    CgTable **table; /* [keys->rows] the rows of each */
} Groups;

/* The signatures of the metrics that a value is computed of. */
static void signatures_of(const CgTable *t, const CgValue *v, CgStrbuf *out)
{
    if (v->kind == CG_VALUE_COLUMN) {
        int c = cg_table_find(t, v->s, NULL);
        const char *s = c < 0 ? NULL : t->column[c].signature;
        if (s && !strstr(cg_strbuf_str(out), s))
            cg_strbuf_printf(out, "%s%s", out->len ? "; " : "", s);
    }
    if (v->kind == CG_VALUE_CALL && v->function->sign) {
        const char *s = v->function->sign(v);
        if (s && !strstr(cg_strbuf_str(out), s))
            cg_strbuf_printf(out, "%s%s", out->len ? "; " : "", s);
    }
    for (int i = 0; v->kind == CG_VALUE_CALL && i < v->n; i++)
        signatures_of(t, v->at[i], out);
}

void cg_table_put(CgTable *t, size_t row, int column, const CgValue *v, const char *metrics)
{
    double number;
    CgStrbuf signature = { 0 };
    cg_strbuf_puts(&signature, t->column[column].signature ? t->column[column].signature : metrics);
    if (v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_estimate) {
        const CgEstimate *e = v->held;
        cg_table_set(t, row, column, cg_number(e->value));
        t->column[column].format = e->format;
        if (e->method) {
            cg_table_spread(t, row, column, (CgSpread){ e->low, e->high });
            if (!strstr(cg_strbuf_str(&signature), e->method))
                cg_strbuf_printf(&signature, "%s%s", signature.len ? "; " : "", e->method);
        }
    } else if (v->kind == CG_VALUE_BOOL) {
        for (size_t r = 0; t->column[column].kind != CG_TRUTH && r < row; r++)
            cg_table_set(t, r, column, CG_MISSING); /* a comparison that was undefined */
        t->column[column].kind = CG_TRUTH;
        cg_table_set(t, row, column, cg_truth(v->i != 0));
    } else if (cg_value_number(v, &number))
        cg_table_set(t, row, column, t->column[column].kind == CG_TRUTH ? CG_MISSING : cg_number(number));
    cg_table_sign(t, column, cg_strbuf_str(&signature));
    cg_strbuf_deinit(&signature);
}

static bool put_row(CgSession *x, const CgValue *call, const CgTable *t, CgTable *out, size_t row, int from)
{
    const CgValue *columns = call->at[COLUMNS];
    for (int i = 0; i < columns->n; i++) {
        CgStrbuf metrics = { 0 };
        CgValue *v = cg_force_in(x, t, columns->at[i]);
        signatures_of(t, columns->at[i], &metrics);
        if (v)
            cg_table_put(out, row, from + i, v, cg_strbuf_str(&metrics));
        cg_strbuf_deinit(&metrics);
        if (!v)
            return false;
    }
    return true;
}

/* One of a record that could not be found out leaves a row that says so; the others are there. False: all must end. */
static bool add_failed(CgSession *x, CgTable *out, size_t row, const char *key, const CgValue *v)
{
    const CgStage *s = v->kind == CG_VALUE_STAGE ? v->stage : NULL;
    if (!s || cg_session_stopped(x))
        return false;
    char *name = cg_arena_printf(x->elab->arena, "%s failed: %s", key, s->why ? s->why : "see above");
    cg_table_set(out, row, 0, cg_text(name));
    return true;
}

static CgValue *run_table(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    CgValue *scores = call->at[SCORES], *titles = call->at[TITLES];
    bool many = scores->kind == CG_VALUE_RECORD, grouped = cg_value_class(scores) == &cg_class_groups;
    const Groups *groups = grouped ? force_class(x, scores, &cg_class_groups) : NULL;
    if (grouped && !groups)
        return NULL;
    CgTable *out = grouped ? cg_table_copy(groups->keys) : cg_table_new();
    if (!grouped)
        cg_table_add(out, call->at[ROWS]->s, CG_TEXT);
    int from = out->ncolumns;
    for (int i = 0; i < titles->n; i++)
        cg_table_add(out, titles->at[i]->s, CG_NUMBER);
    size_t n = grouped ? groups->keys->rows : many ? (size_t)scores->n : 1;
    bool good = true;
    for (size_t r = 0; good && r < n; r++) {
        const CgTable *t = grouped ? groups->table[r] : cg_table_force(x, many ? scores->at[r] : scores);
        if (!grouped) {
            cg_table_row(out);
            cg_table_set(out, r, 0, cg_text(many ? scores->keys[r] : ""));
        }
        good = t ? put_row(x, call, t, out, r, from) : many && add_failed(x, out, r, scores->keys[r], scores->at[r]);
    }
    if (good)
        return cg_session_own(x, &cg_class_table, out);
    cg_table_free(out);
    return NULL;
}

/* The columns that name groups, and how many rows each has. */
static const CgSchema *keys_of(CgElab *e, const CgValue *groups)
{
    const char *names[MAX_KEYS];
    int n = cg_column_names(groups->at[1], names, MAX_KEYS);
    const CgSchema *of = groups->held;
    CgSchema *out = cg_schema_new(e);
    for (int i = 0; i < n; i++)
        cg_schema_add(e, out, names[i], cg_schema_find(of, names[i])->text);
    cg_schema_add(e, out, cg_intern("rows"), false);
    return out;
}

/* What a column is called: the key of a record, else what is written there. */
static CgAtom title_of(const CgArguments *a, const CgValue *columns, int i)
{
    const CgExpr *list = a->written[COLUMNS];
    if (columns->keys)
        return columns->keys[i];
    CgStrbuf text = { 0 };
    if (list && list->kind == CG_EXPR_LIST && list->args.n == columns->n)
        cg_expr_format(list->args.at[i].value, &text);
    else
        cg_value_print(columns->at[i], &text);
    CgAtom title = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return title;
}

static bool is_statistic(CgElab *e, CgValue *v)
{
    static const CgKinds wanted = { .n = 2,
        .at = { { CG_KIND_FLOAT, false, NULL }, { CG_KIND_CLASS, false, &cg_class_estimate } } };
    return cg_kinds_take(e, &wanted, v, CG_KNOWN_LATER) != NULL;
}

static CgValue *build_table(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgValue *columns = a->at[COLUMNS], *titles = cg_value_list(e, columns->n, a->call);
    const CgValue *scores = a->at[SCORES];
    bool grouped = cg_value_class(scores) == &cg_class_groups;
    CgSchema *schema = grouped ? copy_of(e, keys_of(e, scores)) : cg_schema_new(e);
    if (!grouped)
        cg_schema_add(e, schema, a->at[ROWS]->s, true);
    for (int i = 0; i < columns->n; i++) {
        if (columns->keys && !is_statistic(e, columns->at[i])) {
            CgDiag *d = cg_elab_error(e, CG_E0312, a->span[COLUMNS], "'%s' is a statistic of the rows, not %s",
                columns->keys[i], cg_value_kind_name(columns->at[i]));
            cg_diag_help(d, "a cell is one number: mean(..), quantile(..), interval(..)");
            return cg_value_poison(e);
        }
        CgAtom title = title_of(a, columns, i);
        if (!cg_schema_add(e, schema, title, false)) {
            CgDiag *d = cg_elab_error(e, CG_E0609, a->span[COLUMNS], "two columns are called '%s'", title);
            cg_diag_help(d, "columns = { name: %s, .. } gives them names", title);
            return cg_value_poison(e);
        }
        titles->at[i] = cg_value_str(e, title, a->call);
    }
    CgValue *v = cg_function_later(e, a, 1);
    v->keys[TITLES] = cg_intern("titles");
    v->at[TITLES] = titles;
    v->held = schema;
    return v;
}

/* ---- rows(..): tables of nested records below each other, their keys as columns -------------------------- */

enum { NESTED, NAMES };

static bool is_nest(const CgValue *v) { return v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST; }

/* What is found on the way through a nest: the columns of its tables, those of its keys. */
typedef struct Nest {
    CgElab *e;
    const CgArguments *a;
    const CgSchema *inner;       /* of the first table; NULL: none yet */
    const CgValue *of[MAX_KEYS]; /* the first record or list of each level */
    int depth;                   /* of the first table */
} Nest;

/* Every table is at the same depth and has the columns of the first; every level is of records, or of lists. A mistake
 * within was reported. */
static bool look_into(Nest *n, CgValue *of, int depth)
{
    CgSpan span = n->a->span[NESTED];
    if (cg_is_poison(of))
        return false;
    if (!is_nest(of)) {
        const CgSchema *columns = cg_stage_columns(n->e, of);
        bool even = !n->inner || depth == n->depth, same = columns && even && (!n->inner || columns->n == n->inner->n);
        for (int i = 0; same && n->inner && i < columns->n; i++)
            same = cg_schema_find(n->inner, columns->at[i].name);
        if (!columns)
            cg_elab_error(
                n->e, CG_E0312, span, "'nested' of rows is records of tables; in them is %s", cg_value_kind_name(of));
        else if (!even)
            cg_diag_help(cg_elab_error(n->e, CG_E0318, span, "tables in 'nested' of rows stand at two depths"),
                "every table is behind as many keys as there are names");
        else if (!same)
            cg_diag_help(cg_elab_error(n->e, CG_E0318, span, "the tables in 'nested' of rows differ in their columns"),
                "select(table, [..]) gives a table with some of its columns");
        n->inner = columns;
        n->depth = depth;
        return same;
    }
    if (depth == MAX_KEYS || (n->of[depth] && n->of[depth]->kind != of->kind)) {
        cg_diag_help(cg_elab_error(n->e, CG_E0312, span,
                         depth == MAX_KEYS ? "'nested' of rows goes too deep"
                                           : "one level of 'nested' of rows is of records and lists"),
            depth == MAX_KEYS ? "at most %d levels" : "a level is a column of keys, or of places", MAX_KEYS);
        return false;
    }
    n->of[depth] = n->of[depth] ? n->of[depth] : of;
    for (int i = 0; i < of->n; i++)
        if (!look_into(n, of->at[i], depth + 1))
            return false;
    return true;
}

static CgValue *build_rows(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = cg_schema_new(e);
    const CgValue *names = a->at[NAMES];
    Nest nest = { .e = e, .a = a };
    (void)f;
    if (!look_into(&nest, a->at[NESTED], 0))
        return cg_value_poison(e);
    if (!nest.inner) {
        cg_diag_help(cg_elab_error(e, CG_E0312, a->span[NESTED], "there is no table in 'nested' of rows"),
            "its columns are to be known before anything runs");
        return cg_value_poison(e);
    }
    if (names->n != nest.depth) {
        CgDiag *d = cg_elab_error(
            e, CG_E0318, a->span[NAMES], "%d names for %d records within each other", names->n, nest.depth);
        cg_diag_help(d, "one name a level: names = [\"outer\", \"inner\"]");
        return cg_value_poison(e);
    }
    for (int i = 0; i < names->n; i++)
        if (!cg_schema_add(e, schema, names->at[i]->s, nest.of[i]->kind == CG_VALUE_RECORD)) {
            cg_elab_error(e, CG_E0609, a->span[NAMES], "two columns are called '%s'", names->at[i]->s);
            return cg_value_poison(e);
        }
    for (int i = 0; i < nest.inner->n; i++)
        if (!cg_schema_add(e, schema, nest.inner->at[i].name, nest.inner->at[i].text)) {
            cg_elab_error(e, CG_E0609, a->span[NAMES], "the tables have a column '%s' already", nest.inner->at[i].name);
            return cg_value_poison(e);
        }
    return cg_table_later(e, a, schema);
}

typedef struct Key {
    const char *text; /* of a record */
    int64_t index;    /* of a list */
} Key;

static bool add_rows(CgSession *x, const CgValue *call, CgValue *of, Key *key, int depth, CgTable *out)
{
    const CgValue *names = call->at[NAMES];
    for (int i = 0; is_nest(of) && i < of->n; i++) {
        key[depth] = (Key){ of->keys ? of->keys[i] : NULL, i };
        if (!add_rows(x, call, of->at[i], key, depth + 1, out))
            return false;
    }
    if (is_nest(of))
        return true;
    CgErr err = { 0 };
    const CgTable *t = cg_table_force(x, of);
    if (!t)
        return false;
    CgTable *subset = cg_table_new();
    for (size_t r = 0; r < t->rows; r++)
        cg_table_row(subset);
    for (int k = 0; k < depth; k++) {
        int c = cg_table_add(subset, names->at[k]->s, key[k].text ? CG_TEXT : CG_INT);
        for (size_t r = 0; r < t->rows; r++)
            cg_table_set(subset, r, c, key[k].text ? cg_text(key[k].text) : cg_whole(key[k].index));
    }
    CgTable *both = cg_table_beside(subset, t);
    bool good = cg_table_extend(out, both, &err) || cg_session_err(x, call->span, &err);
    cg_table_free(subset);
    cg_table_free(both);
    return good;
}

static CgValue *run_rows(CgSession *x, const CgValue *call, CgValue **args)
{
    Key key[MAX_KEYS];
    CgTable *out = cg_table_new();
    (void)args;
    if (add_rows(x, call, call->at[NESTED], key, 0, out))
        return cg_session_own(x, &cg_class_table, out);
    cg_table_free(out);
    return NULL;
}

/* ---- new tables out of one: filter, select, compute, sort, bin ------------------------------------------- */

static CgValue *build_like(CgElab *e, CgFrame *f, const CgArguments *a) /* the columns stay */
{
    (void)f;
    return cg_table_later(e, a, copy_of(e, cg_stage_columns(e, a->at[0])));
}

/* The column that a condition compares with a text, which is *text; NULL: there is none. */
static const CgValue *compared_with(const CgValue *v, const char **text)
{
    const CgValue *found = NULL, *column = NULL;
    for (int i = 1; v->kind == CG_VALUE_CALL && i < v->n && !found; i++) {
        if (v->at[i]->kind == CG_VALUE_COLUMN)
            column = v->at[i];
        else if (v->at[i]->kind == CG_VALUE_STR)
            *text = v->at[i]->s;
        found = compared_with(v->at[i], text);
    }
    return found ? found : *text ? column : NULL;
}

/* A condition that no row fulfils is a slip of whoever wrote it: what there is in the column of texts it asks. */
static void warn_of_nothing(CgSession *x, const CgValue *call, const CgTable *t)
{
    enum { MOST_NAMED = 8 };
    CgErr err = { 0 };
    CgGroups g;
    const char *text = NULL;
    const CgValue *column = compared_with(call->at[1], &text);
    CgDiag *d = cg_diag_warn(x->diags, CG_E0709, call->span, "no row of the table is kept");
    if (!column || !cg_table_group(t, &column->s, 1, &g, &err))
        return;
    CgTable *keys = cg_table_keys(t, &column->s, 1, &g);
    CgStrbuf all = { 0 };
    for (size_t k = 0; k < keys->rows && k < MOST_NAMED; k++) {
        cg_strbuf_puts(&all, k ? ", " : "");
        cg_cell_print(&keys->column[0], k, &all);
    }
    cg_diag_help(
        d, "in '%s' there is %s%s, and no %s", column->s, cg_strbuf_str(&all), g.n > MOST_NAMED ? ", .." : "", text);
    cg_strbuf_deinit(&all);
    cg_table_free(keys);
    cg_groups_deinit(&g);
}

static CgValue *run_filter(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const CgTable *t = cg_table_force(x, call->at[0]);
    const CgNumbers *where = t ? cg_numbers_force_in(x, t, call->at[1]) : NULL;
    if (!where)
        return NULL;
    CgErr err = { 0 };
    if (where->n != t->rows) {
        cg_err(&err, CG_ERR_INPUT, "the condition is of %zu rows, the table of %zu", where->n, t->rows);
        return table_or_err(x, call, NULL, &err);
    }
    size_t *rows = cg_malloc(sizeof *rows * (t->rows + 1)), n = 0;
    for (size_t r = 0; r < t->rows; r++)
        if (where->at[r] != 0 && !isnan(where->at[r]))
            rows[n++] = r;
    CgTable *out = cg_table_take(t, rows, n);
    free(rows);
    if (!n && t->rows)
        warn_of_nothing(x, call, t);
    return cg_session_own(x, &cg_class_table, out);
}

static CgValue *build_select(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = cg_schema_new(e);
    const CgSchema *of = cg_stage_columns(e, a->at[0]);
    const char *names[MAX_KEYS];
    (void)f;
    if (!cg_columns_named(e, a, 1))
        return cg_value_poison(e);
    int n = cg_column_names(a->at[1], names, MAX_KEYS);
    for (int i = 0; i < n; i++)
        if (!cg_schema_add(e, schema, names[i], cg_schema_find(of, names[i])->text)) {
            cg_elab_error(e, CG_E0609, a->span[1], "column '%s' is selected twice", names[i]);
            return cg_value_poison(e);
        }
    return cg_table_later(e, a, schema);
}

static CgValue *run_select(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const char *names[MAX_KEYS];
    CgErr err = { 0 };
    const CgTable *t = cg_table_force(x, call->at[0]);
    int n = cg_column_names(call->at[1], names, MAX_KEYS);
    return t ? table_or_err(x, call, cg_table_select(t, names, n, &err), &err) : NULL;
}

static bool is_labels(const CgValue *v) { return v->kind == CG_VALUE_STR || cg_value_class(v) == &cg_class_labels; }

static CgValue *build_compute(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const CgKinds wanted = { .n = 4,
        .at = { { CG_KIND_CLASS, false, &cg_class_column }, { CG_KIND_CLASS, false, &cg_class_labels },
            { CG_KIND_FLOAT, false, NULL }, { CG_KIND_STR, false, NULL } } };
    CgSchema *schema = copy_of(e, cg_stage_columns(e, a->at[0]));
    const CgValue *columns = a->at[1];
    (void)f;
    for (int i = 0; i < columns->n; i++) {
        if (!cg_kinds_take(e, &wanted, columns->at[i], CG_KNOWN_LATER)) {
            cg_elab_error(e, CG_E0312, a->span[1], "'%s' is a column, a number or a string, not %s", columns->keys[i],
                cg_value_kind_name(columns->at[i]));
            return cg_value_poison(e);
        }
        if (!cg_schema_add(e, schema, columns->keys[i], is_labels(columns->at[i]))) {
            cg_elab_error(e, CG_E0609, a->span[1], "the table has a column '%s' already", columns->keys[i]);
            return cg_value_poison(e);
        }
    }
    return cg_table_later(e, a, schema);
}

static CgValue *run_compute(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const CgTable *t = cg_table_force(x, call->at[0]);
    CgTable *out = t ? cg_table_copy(t) : NULL;
    const CgValue *columns = call->at[1];
    for (int i = 0; out && i < columns->n; i++) {
        CgValue *v = cg_force_in(x, t, columns->at[i]);
        const CgNumbers *n = v && v->kind == CG_VALUE_OBJECT ? v->held : NULL;
        CgStrbuf metrics = { 0 };
        CgErr err = { 0 };
        if (n && n->n != t->rows) {
            cg_err(&err, CG_ERR_INPUT, "'%s' is of %zu rows, the table of %zu", columns->keys[i], n->n, t->rows);
            v = NULL;
            cg_session_err(x, call->span, &err);
        }
        if (!v) {
            cg_table_free(out);
            return NULL;
        }
        bool text = v->kind == CG_VALUE_STR || (n && n->text), truth = v->kind == CG_VALUE_BOOL || (n && n->truth);
        int c = cg_table_add(out, columns->keys[i], text ? CG_TEXT : truth ? CG_TRUTH : CG_NUMBER);
        double number = v->kind == CG_VALUE_BOOL ? (double)v->i : NAN;
        cg_value_number(v, &number);
        for (size_t r = 0; r < t->rows; r++) {
            double one = n && !text ? n->at[r] : number;
            cg_table_set(out, r, c,
                text             ? cg_text(n ? n->text[r] : v->s)
                    : isnan(one) ? CG_MISSING
                    : truth      ? cg_truth(one != 0)
                                 : cg_number(one));
        }
        signatures_of(t, columns->at[i], &metrics);
        cg_table_sign(out, c, cg_strbuf_str(&metrics));
        cg_strbuf_deinit(&metrics);
    }
    return out ? cg_session_own(x, &cg_class_table, out) : NULL;
}

static CgValue *build_sort(CgElab *e, CgFrame *f, const CgArguments *a)
{
    return cg_columns_named(e, a, 1) ? build_like(e, f, a) : cg_value_poison(e);
}

static CgValue *run_sort(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const char *names[MAX_KEYS];
    CgErr err = { 0 };
    const CgTable *t = cg_table_force(x, call->at[0]);
    int n = cg_column_names(call->at[1], names, MAX_KEYS);
    return t ? table_or_err(x, call, cg_table_sort(t, names, n, call->at[2]->i, &err), &err) : NULL;
}

static CgValue *build_bin(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = copy_of(e, cg_stage_columns(e, a->at[0]));
    (void)f;
    if (!cg_columns_named(e, a, 1))
        return cg_value_poison(e);
    if (a->at[2]->i < 1 || a->at[2]->i > 10000) {
        cg_elab_error(
            e, CG_E0316, a->span[2], "'n' of bin is a number from 1 to 10000, not %lld", (long long)a->at[2]->i);
        return cg_value_poison(e);
    }
    CgAtom name = cg_intern_printf("%s_bin", a->at[1]->s);
    if (!cg_schema_add(e, schema, name, false)) {
        cg_elab_error(e, CG_E0609, a->span[1], "the table has a column '%s' already", name);
        return cg_value_poison(e);
    }
    return cg_table_later(e, a, schema);
}

static CgValue *run_bin(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    CgErr err = { 0 };
    const CgTable *t = cg_table_force(x, call->at[0]);
    return t ? table_or_err(x, call, cg_table_bin(t, call->at[1]->s, (int)call->at[2]->i, call->at[3]->i, &err), &err)
             : NULL;
}

/* ---- groups, pivots, joins ------------------------------------------------------------------------------- */

static CgValue *build_group(CgElab *e, CgFrame *f, const CgArguments *a)
{
    return cg_columns_named(e, a, 1) ? build_like(e, f, a) : cg_value_poison(e);
}

static Groups *groups_of(const CgTable *t, const char *const *by, int n, CgErr *err)
{
    CgGroups g;
    if (!cg_table_group(t, by, n, &g, err))
        return NULL;
    Groups *out = cg_calloc(1, sizeof *out);
    out->keys = cg_table_keys(t, by, n, &g);
    out->table = cg_calloc(g.n + 1, sizeof(CgTable *));
    int rows = cg_table_find(out->keys, "rows", NULL) < 0 ? cg_table_add(out->keys, "rows", CG_INT) : -1;
    for (size_t k = 0; k < g.n; k++) {
        size_t count = g.first[k + 1] - g.first[k];
        out->table[k] = cg_table_take(t, g.row + g.first[k], count);
        if (rows >= 0)
            cg_table_set(out->keys, k, rows, cg_whole((int64_t)count));
    }
    cg_groups_deinit(&g);
    return out;
}

static CgValue *run_group(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const char *names[MAX_KEYS];
    CgErr err = { 0 };
    const CgTable *t = cg_table_force(x, call->at[0]);
    Groups *g = t ? groups_of(t, names, cg_column_names(call->at[1], names, MAX_KEYS), &err) : NULL;
    if (g)
        return cg_session_own(x, &cg_class_groups, g);
    if (t)
        cg_session_err(x, call->span, &err);
    return NULL;
}

static void free_groups(void *held)
{
    Groups *g = held;
    for (size_t k = 0; k < g->keys->rows; k++)
        cg_table_free(g->table[k]);
    cg_table_free(g->keys);
    free(g->table);
    free(g);
}

static void show_groups(const void *held, CgStrbuf *out) { cg_table_print(((const Groups *)held)->keys, 12, 0, out); }

enum { PIVOT_OF, PIVOT_ROWS, PIVOT_COLUMNS, PIVOT_VALUE };

static CgValue *build_pivot(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = cg_schema_new(e);
    (void)f;
    if (!cg_columns_named(e, a, PIVOT_ROWS) || !cg_columns_named(e, a, PIVOT_COLUMNS))
        return cg_value_poison(e);
    if (a->at[PIVOT_ROWS]->s == a->at[PIVOT_COLUMNS]->s) {
        cg_elab_error(e, CG_E0609, a->span[PIVOT_COLUMNS], "rows and columns are both '%s'", a->at[PIVOT_ROWS]->s);
        return cg_value_poison(e);
    }
    cg_schema_add(e, schema, a->at[PIVOT_ROWS]->s, a->at[PIVOT_ROWS]->i);
    return cg_table_later(e, a, schema);
}

/* The column of a pivot for a key of `columns`: its text, with "_2" behind it where it is that of the rows. */
static int pivot_column(CgTable *out, const CgColumn *keys, size_t row)
{
    CgStrbuf name = { 0 };
    cg_cell_print(keys, row, &name);
    if (!strcmp(cg_strbuf_str(&name), out->column[0].name))
        cg_strbuf_puts(&name, "_2");
    int c = cg_table_find(out, cg_strbuf_str(&name), NULL);
    if (c < 0)
        c = cg_table_add(out, cg_strbuf_str(&name), CG_NUMBER);
    cg_strbuf_deinit(&name);
    return c;
}

/* The only row of a column goes into a cell with its interval, and is shown as it was. */
static void keep_form(const CgTable *subset, const char *name, CgTable *out, size_t row, int column)
{
    int from = cg_table_find(subset, name, NULL);
    if (from < 0)
        return;
    out->column[column].format = subset->column[from].format;
    if (subset->column[from].spread)
        cg_table_spread(out, row, column, subset->column[from].spread[0]);
}

static bool pivot_cell(CgSession *x, const CgValue *call, const CgTable *subset, CgTable *out, size_t row, int column)
{
    CgStrbuf metrics = { 0 };
    CgErr err = { 0 };
    CgValue *v = cg_force_in(x, subset, call->at[PIVOT_VALUE]);
    if (v && v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_column) {
        const CgNumbers *n = v->held;
        if (n->n > 1) {
            cg_err(&err, CG_ERR_INPUT, "%zu rows meet in one cell of the pivot", n->n);
            cg_err_hint(&err, "say what becomes of them: value = mean(%s)",
                call->at[PIVOT_VALUE]->kind == CG_VALUE_COLUMN ? call->at[PIVOT_VALUE]->s : "..");
            return cg_session_err(x, call->span, &err);
        }
        v = cg_value_float(x->elab, n->at[0], call->span);
    }
    signatures_of(subset, call->at[PIVOT_VALUE], &metrics);
    if (v)
        cg_table_put(out, row, column, v, cg_strbuf_str(&metrics));
    cg_strbuf_deinit(&metrics);
    if (v && call->at[PIVOT_VALUE]->kind == CG_VALUE_COLUMN && subset->rows)
        keep_form(subset, call->at[PIVOT_VALUE]->s, out, row, column);
    return v != NULL;
}

static CgValue *run_pivot(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const char *rows = call->at[PIVOT_ROWS]->s, *both[2] = { rows, call->at[PIVOT_COLUMNS]->s };
    const CgTable *t = cg_table_force(x, call->at[PIVOT_OF]);
    CgErr err = { 0 };
    CgGroups of_rows, of_cells;
    if (!t)
        return NULL;
    if (!cg_table_group(t, both, 1, &of_rows, &err))
        return table_or_err(x, call, NULL, &err);
    CgTable *out = cg_table_keys(t, both, 1, &of_rows);
    bool good = cg_table_group(t, both, 2, &of_cells, &err);
    const CgColumn *keys = &t->column[cg_table_find(t, both[1], NULL)];
    for (size_t k = 0; good && k < of_cells.n; k++) {
        const size_t *row = of_cells.row + of_cells.first[k];
        CgTable *subset = cg_table_take(t, row, of_cells.first[k + 1] - of_cells.first[k]);
        cg_session_own(x, &cg_class_table, subset);
        good = pivot_cell(x, call, subset, out, of_rows.of[*row], pivot_column(out, keys, *row));
    }
    cg_groups_deinit(&of_rows);
    cg_groups_deinit(&of_cells);
    if (good)
        return cg_session_own(x, &cg_class_table, out);
    cg_table_free(out);
    return NULL;
}

static CgValue *build_join(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = copy_of(e, cg_stage_columns(e, a->at[0]));
    const CgSchema *b = cg_stage_columns(e, a->at[1]);
    const char *on[MAX_KEYS];
    (void)f;
    if (!cg_columns_named(e, a, 2))
        return cg_value_poison(e);
    int n = cg_column_names(a->at[2], on, MAX_KEYS);
    for (int i = 0; i < n; i++)
        if (!b || !cg_schema_find(b, on[i])) {
            cg_column_unknown(e, a->span[2], b, "second table", on[i]);
            return cg_value_poison(e);
        }
    for (int i = 0; i < b->n; i++) {
        CgAtom name = b->at[i].name;
        bool key = false;
        for (int k = 0; k < n; k++)
            key |= on[k] == name;
        while (!key && cg_schema_find(schema, name))
            name = cg_intern_printf("%s_2", name);
        if (!key)
            cg_schema_add(e, schema, name, b->at[i].text);
    }
    return cg_table_later(e, a, schema);
}

static CgValue *run_join(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const char *on[MAX_KEYS];
    CgErr err = { 0 };
    const CgTable *a = cg_table_force(x, call->at[0]), *b = a ? cg_table_force(x, call->at[1]) : NULL;
    int n = cg_column_names(call->at[2], on, MAX_KEYS);
    return b ? table_or_err(x, call, cg_table_join(a, b, on, n, &err), &err) : NULL;
}

/* ---- files ---------------------------------------------------------------------------------------------- */

/* Read while the script is checked: the names of its columns are to be known before anything runs. */
static CgValue *build_read(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgErr err = { 0 };
    CgTable *t = cg_table_read(a->at[0]->s, &err);
    (void)f;
    if (t) {
        CgSession *x = cg_session_of(e);
        CgValue *v = cg_value_object(e, &cg_class_table, "read", 1, a->call);
        v->keys[0] = cg_intern("path");
        v->at[0] = a->at[0];
        v->held = t;
        cg_vec_push(&x->owned, v);
        return v;
    }
    cg_session_err(cg_session_of(e), a->span[0], &err);
    return cg_value_poison(e);
}

/* ---- the functions -------------------------------------------------------------------------------------- */

#define NAMES_OF "column | labels | str | column[] | labels[] | str[]"

static const CgFunction fn_table = { CG_FUNCTION_HERE, .name = "table",
    .sig =
        "(scores: table | groups | record, columns: float[] | estimate[] | record = [], rows: str = \"row\") -> table",
    .traits = CG_COLUMNS, .build = build_table, .run = run_table,
    .doc = "One row for each group, or for each table of a record, one cell for each statistic of its columns: "
           "table(group(scores, by = seed), [mean(f1), interval(mean(bleu))]). A record names them: columns = { f1: "
           "mean(f1) }." };
static const CgFunction fn_rows = { CG_FUNCTION_HERE, .name = "rows",
    .sig = "(nested: record | list, names: str[]) -> table", .traits = CG_LAZY, .build = build_rows, .run = run_rows,
    .doc = "Tables in nested records and lists below each other, keys and places as columns: rows(scores, names = "
           "[\"decoder\", \"seed\"])." };
static const CgFunction fn_filter = { CG_FUNCTION_HERE, .name = "filter",
    .sig = "(table: table, where: column) -> table", .traits = CG_COLUMNS, .build = build_like, .run = run_filter,
    .doc = "The rows for which a condition holds: filter(scores, f1 > 0.5 and decoder == \"web\"). Of a dataset, whose "
           "fields are names there: filter(qa, sum(text_mask, axis = 1) > 10)." };
static const CgFunction fn_select = { CG_FUNCTION_HERE, .name = "select",
    .sig = "(table: table, columns: " NAMES_OF ") -> table", .traits = CG_COLUMNS, .build = build_select,
    .run = run_select, .doc = "Some columns of a table, in this order." };
static const CgFunction fn_compute = { CG_FUNCTION_HERE, .name = "compute",
    .sig = "(table: table, columns: record) -> table", .traits = CG_COLUMNS, .build = build_compute, .run = run_compute,
    .doc = "A table with more columns: compute(scores, { gain: f1 - mean(f1) }). A dataset with more fields, which a "
           "graph makes of each row, once: compute(data, { state: encoder(tokens) })." };
static const CgFunction fn_sort = { CG_FUNCTION_HERE, .name = "sort",
    .sig = "(table: table, by: " NAMES_OF ", down: bool = false) -> table", .traits = CG_COLUMNS, .build = build_sort,
    .run = run_sort, .doc = "Rows in the order of some columns; missing cells last." };
static const CgFunction fn_bin = { CG_FUNCTION_HERE, .name = "bin",
    .sig = "(table: table, x: column, n: int = 10, even: bool = false) -> table", .traits = CG_COLUMNS,
    .build = build_bin, .run = run_bin,
    .doc = "A table with a column x_bin, the middle of the bin that x is in: n bins of equal width, or with `even` of "
           "equally "
           "many rows." };
static const CgFunction fn_group = { CG_FUNCTION_HERE, .name = "group",
    .sig = "(table: table, by: " NAMES_OF ") -> groups", .traits = CG_COLUMNS, .build = build_group, .run = run_group,
    .doc = "Rows with equal cells in some columns, for table(group(..), [..])." };
static const CgFunction fn_pivot = { CG_FUNCTION_HERE, .name = "pivot",
    .sig = "(table: table, rows: column | labels, columns: column | labels, value: float | estimate | column) -> table",
    .traits = CG_COLUMNS | CG_LATER, .build = build_pivot, .run = run_pivot,
    .doc = "One row for each value of a column, one column for each value of another: pivot(scores, rows = encoder, "
           "columns "
           "= decoder, value = mean(f1))." };
static const CgFunction fn_join = { CG_FUNCTION_HERE, .name = "join",
    .sig = "(a: table, b: table, by: " NAMES_OF ") -> table", .traits = CG_COLUMNS, .build = build_join,
    .run = run_join,
    .doc = "Rows of one table beside the rows of another with equal cells in some columns; other columns of the second "
           "that "
           "the first has, too, get _2 behind their name." };
static const CgFunction fn_read = { CG_FUNCTION_HERE, .name = "read", .sig = "(path: str) -> table",
    .build = build_read, .doc = "A table from a file of CSV or JSON Lines." };

static void free_table(void *held) { cg_table_free(held); }

static CgDigest digest_of_table(const void *held)
{
    CgStrbuf bytes = { 0 };
    cg_table_pack(held, &bytes);
    CgDigest d = cg_digest(bytes.at, bytes.len);
    cg_strbuf_deinit(&bytes);
    return d;
}

/* A table of results is shown whole, of rows of an evaluation the first few. */
static void show_table(const void *held, CgStrbuf *out)
{
    const CgTable *t = held;
    cg_table_print(t, t->rows > 30 ? 12 : t->rows, 0, out);
}

static bool save_table(const void *held, const char *path, CgErr *err) { return cg_table_save(held, path, err); }

static const char *const endings[] = { ".csv", ".jsonl", ".md", ".tex", NULL };

CG_CLASS(table, .article = "a table",
    .doc = "Rows with typed columns, as evaluate and read give them. Names in the arguments after a table are its "
           "columns.",
    .field = cg_column_field, .free = free_table, .digest = digest_of_table, .show = show_table, .save = save_table,
    .endings = endings, .saved_help = "tables go to .csv, .jsonl, .md or .tex")
CG_CLASS(groups, .article = "groups of rows", .doc = "The rows of a table in groups of equal values of some columns.",
    .free = free_groups, .show = show_groups)
CG_FUNCTIONS(table, &fn_table, &fn_rows, &fn_filter, &fn_select, &fn_compute, &fn_sort, &fn_bin, &fn_group, &fn_pivot,
    &fn_join, &fn_read)
