/* statistic.c - statistics of columns: numbers, how sure they are, what goes together and what differs.
 * Takes columns; gives numbers and small tables. What a statistic is, is said in table/stats.h. */
#include "table/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entries/names.def"
#include "library/library.h"

enum { MAX_KEYS = 32, MAX_GIVEN = 16 };

/* ---- one column ----------------------------------------------------------------------------------------- */

/* The numbers that are there. */
static double *present(const CgNumbers *n, size_t *count)
{
    double *x = cg_malloc(sizeof *x * (n->n + 1));
    *count = 0;
    for (size_t i = 0; i < n->n; i++)
        if (!isnan(n->at[i]))
            x[(*count)++] = n->at[i];
    return x;
}

/* Why a statistic is no number; once for each that is asked for. */
static void warn_of_none(const CgSession *x, const CgValue *call, const CgNumbers *n)
{
    size_t odd = 0;
    CgStrbuf what = { 0 };
    const CgValue *of = call->at[0];
    for (size_t i = 0; i < n->n; i++)
        odd += isnan(n->at[i]) ? 1 : 0;
    if (cg_is_column_of(of) || of->kind != CG_VALUE_CALL)
        cg_value_print(cg_is_column_of(of) ? of->at[1] : of, &what);
    else /* as it is written */
        cg_strbuf_write(
            &what, cg_sources_get(x->sources, of->span.file)->text + of->span.start, of->span.end - of->span.start);
    if (odd)
        cg_session_say(x,
            "warning: %s of '%s' is not a number: neither are %zu of its %zu rows; present() leaves them out",
            call->function->name, cg_strbuf_str(&what), odd, n->n);
    else
        cg_session_say(x, "warning: %s of '%s' is not a number: it has %zu row%s", call->function->name,
            cg_strbuf_str(&what), n->n, n->n == 1 ? "" : "s");
    cg_strbuf_deinit(&what);
}

CgValue *cg_statistic(CgSession *x, const CgValue *call, CgValue **args, double (*fn)(const double *, size_t))
{
    const CgNumbers *n = args[0]->held;
    double value = fn(n->at, n->n);
    if (isnan(value) && !x->sample)
        warn_of_none(x, call, n);
    return cg_value_float(x->elab, value, call->span);
}

static double median(const double *x, size_t n) { return cg_stats_quantile(x, n, 0.5); }

static CgValue *run_std(CgSession *x, const CgValue *c, CgValue **a) { return cg_statistic(x, c, a, cg_stats_std); }
static CgValue *run_median(CgSession *x, const CgValue *c, CgValue **a) { return cg_statistic(x, c, a, median); }

static CgValue *run_count(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *n = args[0]->held;
    size_t count = 0;
    for (size_t i = 0; i < n->n; i++)
        count += n->text ? n->text[i] != NULL : !isnan(n->at[i]);
    return cg_value_float(x->elab, (double)count, call->span);
}

static CgValue *run_present(CgSession *x, const CgValue *call, CgValue **args)
{
    size_t count;
    double *there = present(args[0]->held, &count);
    CgNumbers *out = cg_numbers_new(x, count);
    if (count)
        memcpy(out->at, there, count * sizeof *there);
    free(there);
    (void)call;
    return cg_value_held(x->elab, &cg_class_column, out);
}

static CgValue *build_quantile(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    double q = a->at[1]->f;
    if (q >= 0 && q <= 1)
        return cg_function_later(e, a, 0);
    cg_elab_error(e, CG_E0316, a->span[1], "'q' of quantile is a number from 0 to 1, not %g", q);
    return cg_value_poison(e);
}

static CgValue *run_quantile(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *n = args[0]->held;
    return cg_value_float(x->elab, cg_stats_quantile(n->at, n->n, args[1]->f), call->span);
}

static CgValue *run_holm(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *n = args[0]->held;
    CgErr err = { 0 };
    for (size_t i = 0; i < n->n; i++)
        if (n->at[i] < 0 || n->at[i] > 1) {
            cg_err(&err, CG_ERR_INPUT, "holm takes p-values, from 0 to 1; row %zu has %g", i, n->at[i]);
            return cg_session_err(x, call->at[0]->span, &err), NULL;
        }
    CgNumbers *out = cg_numbers_new(x, n->n);
    memcpy(out->at, n->at, n->n * sizeof *n->at);
    cg_stats_holm(out->at, out->n);
    return cg_value_held(x->elab, &cg_class_column, out);
}

/* ---- how sure a number is ------------------------------------------------------------------------------- */

/* The table whose rows a statistic is of, NULL when there is none or more than one. */
const CgTable *cg_statistic_table(CgSession *x, CgValue *v, bool *several)
{
    const CgTable *t = v->kind == CG_VALUE_COLUMN ? x->table : cg_is_column_of(v) ? cg_table_force(x, v->at[0]) : NULL;
    for (int i = 0; v->kind == CG_VALUE_CALL && !cg_is_column_of(v) && i < v->n; i++) {
        const CgTable *one = cg_statistic_table(x, v->at[i], several);
        *several |= one && t && one != t;
        t = one ? one : t;
    }
    return t;
}

/* Numbers of clusters: rows of a table that are alike in some columns; NULL when none are named. */
static int *clusters_of(const CgTable *t, const CgValue *over, CgErr *err)
{
    const char *names[MAX_KEYS];
    int n = cg_column_names(over, names, MAX_KEYS);
    CgGroups g;
    if (!n || !cg_table_group(t, names, n, &g, err))
        return NULL;
    int *out = cg_malloc(sizeof *out * (t->rows + 1));
    for (size_t r = 0; r < t->rows; r++)
        out[r] = (int)g.of[r];
    cg_groups_deinit(&g);
    return out;
}

typedef struct Resampled {
    CgSession *x;
    const CgTable *t;
    CgValue *statistic;
    bool failed;
} Resampled;

static double number_of(const CgValue *v)
{
    double x = NAN;
    if (v && v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_estimate)
        return ((const CgEstimate *)v->held)->value;
    if (v && v->kind == CG_VALUE_BOOL)
        return (double)v->i;
    return v && cg_value_number(v, &x) ? x : NAN;
}

double cg_statistic_of_rows(
    CgSession *x, CgValue *statistic, const CgTable *t, const size_t *rows, size_t n, bool *failed)
{
    CgResample sample = { t, rows, n };
    const CgResample *outer = x->sample;
    if (*failed)
        return NAN;
    x->sample = &sample;
    CgValue *v = cg_force(x, statistic);
    x->sample = outer;
    *failed |= !v;
    double number = number_of(v);
    cg_scratch_clear(x);
    return number;
}

static double of_resample(const void *arg, const size_t *rows, size_t n)
{
    Resampled *r = (Resampled *)(uintptr_t)arg;
    return cg_statistic_of_rows(r->x, r->statistic, r->t, rows, n, &r->failed);
}

static const char *method_of(const CgInterval *in, double level, const CgValue *over, bool named)
{
    if (in->why)
        return cg_intern_printf("no interval: %s", in->why);
    CgStrbuf of = { 0 };
    const char *names[MAX_KEYS];
    int n = named ? cg_column_names(over, names, MAX_KEYS) : 0;
    for (int i = 0; i < n; i++)
        cg_strbuf_printf(&of, "%s%s", i ? ", " : " by ", names[i]);
    const char *out = cg_intern_printf("%g%% interval: %s over %zu %s%s", 100 * level, in->method->label, in->clusters,
        n ? "clusters" : "rows", cg_strbuf_str(&of));
    cg_strbuf_deinit(&of);
    return out;
}

/* Arguments `over`, level and resamples, from argument i on. */
static bool check_resampling(CgElab *e, const CgArguments *a, int i)
{
    double level = a->at[i + 1]->f;
    int64_t resamples = a->at[i + 2]->i;
    if (a->at[i]->kind != CG_VALUE_NONE && !cg_columns_named(e, a, i))
        return false;
    if (!(level > 0 && level < 1))
        cg_elab_error(
            e, CG_E0316, a->span[i + 1], "'level' of %s is between 0 and 1, not %g", a->function->name, level);
    else if (resamples < 100 || resamples > 1000000)
        cg_elab_error(e, CG_E0316, a->span[i + 2], "'resamples' of %s is from 100 to 1000000, not %lld",
            a->function->name, (long long)resamples);
    else
        return true;
    return false;
}

enum { STATISTIC, OVER, LEVEL, RESAMPLES, SEED, INTERVAL_METHOD };

static CgValue *build_interval(CgElab *e, CgFrame *f, const CgArguments *a)
{
    double number;
    (void)f;
    if (cg_value_number(a->at[STATISTIC], &number)) {
        cg_elab_error(e, CG_E0312, a->span[STATISTIC], "'statistic' of interval is computed of a column, not a number");
        return cg_value_poison(e);
    }
    return check_resampling(e, a, OVER) ? cg_function_later(e, a, 0) : cg_value_poison(e);
}

static CgValue *build_bootstrap(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const char *const keys[] = { "by", "level", "resamples", "seed" };
    (void)f;
    if (!check_resampling(e, a, 0))
        return cg_value_poison(e);
    CgValue *v = cg_value_object(e, &cg_class_resampling, a->function->name, 4, a->call);
    for (int i = 0; i < 4; i++) {
        v->keys[i] = cg_intern(keys[i]);
        v->at[i] = a->at[i];
    }
    return v;
}

/* The column whose mean a statistic is; NULL: it is another. */
static CgValue *mean_of(const CgValue *statistic)
{
    bool mean = statistic->kind == CG_VALUE_CALL && !strcmp(statistic->function->name, "mean");
    CgValue *column = mean ? statistic->at[0] : NULL;
    return column && (column->kind == CG_VALUE_COLUMN || cg_is_column_of(column)) ? column : NULL;
}

/* A mean needs no column of each resample. */
static CgInterval interval_of(CgSession *x, const CgTable *t, Resampled *r, const CgIntervalOptions *o)
{
    CgValue *column = x->sample ? NULL : mean_of(r->statistic);
    if (!column)
        return cg_stats_interval(of_resample, r, t->rows, o);
    const CgNumbers *numbers = cg_numbers_force_in(x, t, column);
    r->failed = !numbers;
    return numbers ? cg_stats_interval_mean(numbers->at, numbers->n, o) : (CgInterval){ .value = NAN };
}

static CgValue *run_interval(CgSession *x, const CgValue *call, CgValue **args)
{
    bool several = false;
    CgErr err = { 0 };
    CgValue *statistic = call->at[STATISTIC];
    (void)args;
    const CgTable *t = cg_statistic_table(x, statistic, &several);
    if (!t || several) {
        cg_err(&err, CG_ERR_INPUT,
            several ? "an interval is of the rows of one table; this statistic looks at several"
                    : "this number is of no column: there is nothing to draw from");
        cg_session_err(x, call->span, &err);
        return NULL;
    }
    Resampled r = { x, t, statistic, false };
    int *cluster = clusters_of(t, call->at[OVER], &err);
    const CgValue *method = call->at[INTERVAL_METHOD];
    CgIntervalOptions o = { cluster, (int)call->at[RESAMPLES]->i, call->at[LEVEL]->f, (uint64_t)call->at[SEED]->i,
        method->kind == CG_VALUE_STR ? cg_interval_find(method->s) : NULL };
    CgInterval in = interval_of(x, t, &r, &o);
    free(cluster);
    if (r.failed)
        return NULL;
    CgEstimate *out = CG_NEW(x->elab->arena, CgEstimate);
    *out = (CgEstimate){ in.value, in.low, in.high, method_of(&in, o.level, call->at[OVER], cluster != NULL), { 0 } };
    return cg_value_held(x->elab, &cg_class_estimate, out);
}

static CgEstimate *estimate_of(CgSession *x, const CgValue *v)
{
    CgEstimate *out = CG_NEW(x->elab->arena, CgEstimate);
    if (v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_estimate)
        *out = *(const CgEstimate *)v->held;
    else
        *out = (CgEstimate){ number_of(v), NAN, NAN, NULL, { 0 } };
    return out;
}

static CgValue *build_digits(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (a->at[1]->i >= 0 && a->at[1]->i <= 17)
        return cg_function_later(e, a, 0);
    cg_elab_error(
        e, CG_E0316, a->span[1], "'digits' of %s is from 0 to 17, not %lld", a->function->name, (long long)a->at[1]->i);
    return cg_value_poison(e);
}

/* Whether a number that is computed later is 100 times another. */
static bool is_hundredfold(const CgValue *v)
{
    double by = 0;
    bool found = false;
    if (v->kind == CG_VALUE_CALL && !strcmp(v->function->name, "arithmetic") && !strcmp(v->at[0]->s, "mul"))
        for (int k = 1; k <= 2; k++)
            found |= cg_value_number(v->at[k], &by) && by == 100;
    return found;
}

static CgValue *build_percent(CgElab *e, CgFrame *f, const CgArguments *a)
{
    if (!is_hundredfold(a->at[0]))
        return build_digits(e, f, a);
    CgDiag *d = cg_elab_error(e, CG_E0318, a->span[0],
        "percent shows a share as so many of a hundred, and this is 100 "
        "times a share already");
    cg_diag_help(d, "leave the 100 out: percent(mean(f1)) of 0.5 is 50%%");
    return cg_value_poison(e);
}

static CgValue *formatted(CgSession *x, CgValue **args, bool percent)
{
    CgEstimate *out = estimate_of(x, args[0]);
    out->format = (CgFormat){ percent || out->format.percent, true, (int)args[1]->i };
    return cg_value_held(x->elab, &cg_class_estimate, out);
}

static CgValue *run_percent(CgSession *x, const CgValue *c, CgValue **a) { return (void)c, formatted(x, a, true); }
static CgValue *run_digits(CgSession *x, const CgValue *c, CgValue **a) { return (void)c, formatted(x, a, false); }

static void show_estimate(const void *held, CgStrbuf *out)
{
    const CgEstimate *e = held;
    CgTable *t = cg_table_new();
    CgValue v = { .kind = CG_VALUE_OBJECT, .cls = &cg_class_estimate, .held = (void *)(uintptr_t)held };
    int c = cg_table_add(t, "", CG_NUMBER);
    cg_table_put(t, cg_table_row(t), c, &v, "");
    cg_table_cell(t, 0, c, out);
    cg_strbuf_printf(out, "%s%s%s\n", e->method ? " (" : "", e->method ? e->method : "", e->method ? ")" : "");
    cg_table_free(t);
}

/* ---- what goes together --------------------------------------------------------------------------------- */

enum { OF, X, Y, METHOD, WITHIN, GIVEN, INTERVAL };

/* Columns of one or several tables below each other. */
typedef struct Pooled {
    CgTable *t;
    const CgValue *call;
    const CgCorrelationMethod *method;
    double *x, *y, *given[MAX_GIVEN];
    int ngiven;
    int *within;
} Pooled;

static double *pooled_column(CgSession *x, const CgTable *const *tables, size_t n, CgValue *column, size_t rows)
{
    double *out = cg_malloc(sizeof *out * (rows + 1));
    size_t at = 0;
    for (size_t k = 0; k < n; k++) {
        const CgNumbers *subset = cg_numbers_force_in(x, tables[k], column);
        if (!subset || subset->n != tables[k]->rows) {
            CgErr err = { 0 };
            if (subset) {
                cg_err(&err, CG_ERR_INPUT, "the column has %zu rows, the table %zu", subset->n, tables[k]->rows);
                cg_session_err(x, column->span, &err);
            }
            free(out);
            return NULL;
        }
        if (subset->n)
            memcpy(out + at, subset->at, subset->n * sizeof *out);
        at += subset->n;
    }
    return out;
}

static void pooled_deinit(Pooled *p)
{
    free(p->x);
    free(p->y);
    for (int i = 0; i < p->ngiven; i++)
        free(p->given[i]);
    free(p->within);
    cg_table_free(p->t);
}

static bool pool(CgSession *x, const CgValue *call, Pooled *p)
{
    CgValue *of = call->at[OF];
    bool many = of->kind == CG_VALUE_RECORD;
    size_t n = many ? (size_t)of->n : 1;
    const CgTable **tables = cg_malloc(sizeof *tables * (n + 1));
    bool good = true;
    CgErr err = { 0 };
    *p = (Pooled){ .t = cg_table_new(), .call = call, .method = cg_correlation_find(call->at[METHOD]->s) };
    for (size_t k = 0; good && k < n; k++) {
        tables[k] = cg_table_force(x, many ? of->at[k] : of);
        good = tables[k] && (cg_table_extend(p->t, tables[k], &err) || cg_session_err(x, call->span, &err));
    }
    good = good && (p->x = pooled_column(x, tables, n, call->at[X], p->t->rows))
        && (p->y = pooled_column(x, tables, n, call->at[Y], p->t->rows));
    for (int i = 0; good && i < call->at[GIVEN]->n; i++)
        good = (p->given[p->ngiven++] = pooled_column(x, tables, n, call->at[GIVEN]->at[i], p->t->rows)) != NULL;
    if (good && call->at[WITHIN]->kind != CG_VALUE_NONE)
        good = (p->within = clusters_of(p->t, call->at[WITHIN], &err)) || cg_session_err(x, call->span, &err);
    free(tables);
    return good;
}

/* The correlation of some of the rows. */
static CgCorrelation correlate(const Pooled *p, const size_t *rows, size_t n)
{
    const double *given[MAX_GIVEN];
    CgCorrelationOptions o = { p->within, given, p->ngiven };
    if (!rows) {
        for (int k = 0; k < p->ngiven; k++)
            given[k] = p->given[k];
        return cg_stats_correlate(p->method, p->x, p->y, n, &o);
    }
    double *room = cg_malloc(sizeof *room * (n + 1) * (size_t)(2 + p->ngiven));
    int *within = cg_malloc(sizeof *within * (n + 1));
    for (size_t i = 0; i < n; i++) {
        room[i] = p->x[rows[i]];
        room[n + i] = p->y[rows[i]];
        within[i] = p->within ? p->within[rows[i]] : 0;
        for (int k = 0; k < p->ngiven; k++)
            room[(size_t)(2 + k) * n + i] = p->given[k][rows[i]];
    }
    for (int k = 0; k < p->ngiven; k++)
        given[k] = room + (size_t)(2 + k) * n;
    o.within = p->within ? within : NULL;
    CgCorrelation c = cg_stats_correlate(p->method, room, room + n, n, &o);
    free(room);
    free(within);
    return c;
}

static double correlation_of(const void *arg, const size_t *rows, size_t n) { return correlate(arg, rows, n).r; }

static CgValue *build_correlation(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const char *const columns[] = { "method", "r", "low", "high", "p", "n", "interval", "undefined" };
    CgSchema *schema = cg_schema_new(e);
    bool interval = a->at[INTERVAL]->kind != CG_VALUE_NONE;
    (void)f;
    for (size_t i = 0; i < CG_LEN(columns); i++)
        if (interval || (i != 2 && i != 3 && i != 6))
            cg_schema_add(e, schema, cg_intern(columns[i]), i == 0 || i > 5);
    if (a->at[WITHIN]->kind != CG_VALUE_NONE && !cg_columns_named(e, a, WITHIN))
        return cg_value_poison(e);
    if (a->at[GIVEN]->n > MAX_GIVEN)
        cg_elab_error(e, CG_E0316, a->span[GIVEN], "at most %d columns are given", MAX_GIVEN);
    else if (a->at[GIVEN]->n && !cg_correlation_find(a->at[METHOD]->s)->partial)
        cg_elab_error(e, CG_E0318, a->span[GIVEN], "there is no partial correlation by %s", a->at[METHOD]->s);
    else
        return cg_table_later(e, a, schema);
    return cg_value_poison(e);
}

static CgTable *table_of_correlation(const Pooled *p, const CgCorrelation *c)
{
    CgTable *out = cg_table_new();
    const CgValue *how = p->call->at[INTERVAL];
    size_t row = cg_table_row(out);
    cg_table_set(out, row, cg_table_add(out, "method", CG_TEXT), cg_text(p->method->name));
    cg_table_set(out, row, cg_table_add(out, "r", CG_NUMBER), cg_number(c->r));
    if (how->kind != CG_VALUE_NONE) {
        CgErr err = { 0 };
        const CgValue *by = cg_record_find(how, cg_intern("by"));
        int *cluster = clusters_of(p->t, by, &err);
        double level = cg_record_find(how, cg_intern("level"))->f;
        CgIntervalOptions o = { cluster, (int)cg_record_find(how, cg_intern("resamples"))->i, level,
            (uint64_t)cg_record_find(how, cg_intern("seed"))->i, NULL };
        CgInterval in = cg_stats_interval(correlation_of, p, p->t->rows, &o);
        cg_table_set(out, row, cg_table_add(out, "low", CG_NUMBER), cg_number(in.low));
        cg_table_set(out, row, cg_table_add(out, "high", CG_NUMBER), cg_number(in.high));
        cg_table_sign(out, 2, method_of(&in, level, by, cluster != NULL));
        free(cluster);
    }
    cg_table_set(out, row, cg_table_add(out, "p", CG_NUMBER), cg_number(c->p));
    cg_table_set(out, row, cg_table_add(out, "n", CG_INT), cg_whole((int64_t)c->n));
    if (c->why) /* not a number, and not without a word */
        cg_table_set(out, row, cg_table_add(out, "undefined", CG_TEXT), cg_text(c->why));
    return out;
}

static CgValue *run_correlation(CgSession *x, const CgValue *call, CgValue **args)
{
    Pooled p;
    CgTable *out = NULL;
    (void)args;
    if (pool(x, call, &p)) {
        CgCorrelation c = correlate(&p, NULL, p.t->rows);
        out = table_of_correlation(&p, &c);
    }
    pooled_deinit(&p);
    return out ? cg_session_own(x, &cg_class_table, out) : NULL;
}

/* Columns of equal length; false and a message when they are not. */
static bool same_rows(CgSession *x, const CgValue *call, const CgNumbers *a, const CgNumbers *b)
{
    CgErr err = { 0 };
    if (a->n == b->n)
        return true;
    cg_err(&err, CG_ERR_INPUT, "a column of %zu rows and one of %zu", a->n, b->n);
    cg_err_hint(&err, "join(a, b, by = [..]) puts rows of two tables beside each other");
    return cg_session_err(x, call->span, &err);
}

static CgValue *run_correlate(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *a = args[0]->held, *b = args[1]->held;
    if (!same_rows(x, call, a, b))
        return NULL;
    CgCorrelation c = cg_stats_correlate(cg_correlation_find(args[2]->s), a->at, b->at, a->n, NULL);
    if (c.why && !x->sample)
        cg_session_say(x, "warning: correlate is not a number: %s", c.why);
    return cg_value_float(x->elab, c.r, call->span);
}

/* ---- fits ----------------------------------------------------------------------------------------------- */

static CgValue *build_fit(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const char *const columns[] = { "term", "value", "error", "p", "r2", "n", "undefined" };
    CgSchema *schema = cg_schema_new(e);
    (void)f;
    for (size_t i = 0; i < CG_LEN(columns); i++)
        cg_schema_add(e, schema, cg_intern(columns[i]), i == 0 || i == 6);
    if (a->at[2]->kind == CG_VALUE_LIST && (a->at[2]->n < 1 || a->at[2]->n > MAX_GIVEN)) {
        cg_elab_error(e, CG_E0316, a->span[2], "a fit is by 1 to %d columns", MAX_GIVEN);
        return cg_value_poison(e);
    }
    return cg_table_later(e, a, schema);
}

static CgTable *table_of_fit(const CgFit *f, CgValue *const *by)
{
    CgTable *out = cg_table_new();
    static const char *const names[] = { "value", "error", "p", "r2" };
    cg_table_add(out, "term", CG_TEXT);
    for (int i = 0; i < 4; i++)
        cg_table_add(out, names[i], CG_NUMBER);
    cg_table_add(out, "n", CG_INT);
    if (f->why)
        cg_table_add(out, "undefined", CG_TEXT);
    for (int k = 0; k < f->k; k++) {
        size_t row = cg_table_row(out);
        CgStrbuf term = { 0 };
        if (k)
            cg_value_print(by[k - 1], &term);
        cg_table_set(out, row, 0, cg_text(k ? cg_strbuf_str(&term) : "1"));
        cg_strbuf_deinit(&term);
        cg_table_set(out, row, 1, cg_number(f->value[k]));
        cg_table_set(out, row, 2, cg_number(f->error[k]));
        cg_table_set(out, row, 3, cg_number(f->p[k]));
        cg_table_set(out, row, 4, cg_number(f->r2));
        cg_table_set(out, row, 5, cg_whole((int64_t)f->n));
        if (f->why)
            cg_table_set(out, row, 6, cg_text(f->why));
    }
    return out;
}

static CgValue *run_fit(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgTable *t = cg_table_force(x, call->at[0]);
    CgValue *by = call->at[2], *const *each = by->kind == CG_VALUE_LIST ? by->at : &call->at[2];
    int nby = by->kind == CG_VALUE_LIST ? by->n : 1;
    const double *columns[MAX_GIVEN];
    const CgNumbers *y = t ? cg_numbers_force_in(x, t, call->at[1]) : NULL;
    (void)args;
    for (int i = 0; y && i < nby; i++) {
        const CgNumbers *one = cg_numbers_force_in(x, t, each[i]);
        if (!one || !same_rows(x, call, y, one))
            return NULL;
        columns[i] = one->at;
    }
    if (!y)
        return NULL;
    CgFit f = cg_stats_fit(y->at, columns, nby, y->n);
    CgTable *out = table_of_fit(&f, each);
    cg_fit_deinit(&f);
    return cg_session_own(x, &cg_class_table, out);
}

/* ---- what differs --------------------------------------------------------------------------------------- */

static CgValue *build_paired(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const char *const columns[] = { "method", "difference", "statistic", "p", "n", "undefined" };
    CgSchema *schema = cg_schema_new(e);
    (void)f;
    for (size_t i = 0; i < CG_LEN(columns); i++)
        cg_schema_add(e, schema, cg_intern(columns[i]), i == 0 || i == 5);
    if (a->written[3] && a->at[2]->kind == CG_VALUE_STR && !cg_test_find(a->at[2]->s)->draws) {
        cg_elab_error(e, CG_E0318, a->span[3], "'%s' draws nothing: leave 'seed' out", a->at[2]->s);
        return cg_value_poison(e);
    }
    return cg_table_later(e, a, schema);
}

static CgValue *run_paired(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *a = args[0]->held, *b = args[1]->held;
    if (!same_rows(x, call, a, b))
        return NULL;
    CgTest t = cg_stats_test(cg_test_find(args[2]->s), a->at, b->at, a->n, (uint64_t)args[3]->i);
    CgTable *out = cg_table_new();
    size_t row = cg_table_row(out);
    cg_table_set(out, row, cg_table_add(out, "method", CG_TEXT), cg_text(args[2]->s));
    cg_table_set(out, row, cg_table_add(out, "difference", CG_NUMBER), cg_number(t.difference));
    cg_table_set(out, row, cg_table_add(out, "statistic", CG_NUMBER), cg_number(t.statistic));
    cg_table_set(out, row, cg_table_add(out, "p", CG_NUMBER), cg_number(t.p));
    cg_table_set(out, row, cg_table_add(out, "n", CG_INT), cg_whole((int64_t)t.n));
    if (t.why)
        cg_table_set(out, row, cg_table_add(out, "undefined", CG_TEXT), cg_text(t.why));
    return cg_session_own(x, &cg_class_table, out);
}

static CgValue *run_effect(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *a = args[0]->held, *b = args[1]->held;
    const CgEffect *effect = cg_effect_find(args[2]->s);
    if (effect->paired && !same_rows(x, call, a, b))
        return NULL;
    double size = effect->run(a->at, a->n, b->at, b->n);
    if (isnan(size) && !x->sample)
        cg_session_say(x,
            "warning: the %s effect of %zu and %zu rows is not a number: they are too few, or nothing varies",
            args[2]->s, a->n, b->n);
    return cg_value_float(x->elab, size, call->span);
}

/* ---- the functions -------------------------------------------------------------------------------------- */

#define NAMES_OF "column | labels | column[] | labels[] | none = none"
#define OF_COLUMN(id, text)                                                                                \
    static const CgFunction fn_##id = { CG_FUNCTION_HERE, .name = #id, .sig = "(column: column) -> float", \
        .run = run_##id, .doc = text };
OF_COLUMN(std, "Standard deviation of a column (of the sample: n - 1).")
OF_COLUMN(median, "Median of a column.")

static const CgFunction fn_count = { CG_FUNCTION_HERE, .name = "count", .sig = "(column: column | labels) -> float",
    .run = run_count, .doc = "How many cells of a column are there: not missing, not NaN." };
static const CgFunction fn_present = { CG_FUNCTION_HERE, .name = "present", .sig = "(column: column) -> column",
    .run = run_present, .doc = "The numbers of a column that are there: mean(present(x)) leaves out what is missing." };
static const CgFunction fn_quantile = { CG_FUNCTION_HERE, .name = "quantile",
    .sig = "(column: column, q: float = 0.5) -> float", .build = build_quantile, .run = run_quantile,
    .doc = "Quantile of a column, linear between values." };
static const CgFunction fn_holm = { CG_FUNCTION_HERE, .name = "holm", .sig = "(p: column) -> column", .run = run_holm,
    .doc = "p-values of a column corrected for how many there are (Holm 1979)." };
static const CgFunction fn_interval = { CG_FUNCTION_HERE, .name = "interval",
    .sig =
        "(statistic: float | estimate, over: " NAMES_OF ", level: float = 0.95, resamples: int = 1000, seed: int = 0, "
        "method: { " CG_INTERVAL_NAMES " } | none = none) -> estimate",
    .traits = CG_LAZY | CG_LATER, .build = build_interval, .run = run_interval,
    .doc = "A statistic and what it lies between, drawing rows, or whole clusters of rows alike in `over`: "
           "interval(mean(f1), over = seed). With fewer than ten clusters it is the interval of t, and says so; "
           "`method` asks for one." };
static const CgFunction fn_percent = { CG_FUNCTION_HERE, .name = "percent",
    .sig = "(x: float | estimate, digits: int = 1) -> estimate", .traits = CG_LATER, .build = build_percent,
    .run = run_percent, .doc = "A share, shown in percent." };
static const CgFunction fn_digits = { CG_FUNCTION_HERE, .name = "digits",
    .sig = "(x: float | estimate, digits: int) -> estimate", .traits = CG_LATER, .build = build_digits,
    .run = run_digits, .doc = "A number, shown with this many decimals." };
static const CgFunction fn_bootstrap = { CG_FUNCTION_HERE, .name = "bootstrap",
    .sig = "(by: " NAMES_OF ", level: float = 0.95, resamples: int = 1000, seed: int = 0) -> resampling",
    .build = build_bootstrap,
    .doc = "How an interval is found: by drawing rows, or whole clusters of rows alike in `by`." };
static const CgFunction fn_correlation = { CG_FUNCTION_HERE, .name = "correlation",
    .sig = "(scores: table | record, x: column, y: column, method: { " CG_CORRELATION_NAMES " } = \"spearman\", "
           "within: column | labels | str | column[] | labels[] | str[] | none = none, given: column[] = [], interval: "
           "resampling | none = none) -> table",
    .traits = CG_COLUMNS, .build = build_correlation, .run = run_correlation,
    .doc =
        "Correlation of two columns with its p-value, of one table or of several together. `within` looks at "
        "differences "
        "inside of groups only, `given` takes out what other columns explain; interval = bootstrap(by = [d, seed])." };
static const CgFunction fn_correlate = { CG_FUNCTION_HERE, .name = "correlate",
    .sig = "(x: column, y: column, method: { " CG_CORRELATION_NAMES " } = \"spearman\") -> float", .run = run_correlate,
    .doc = "Correlation of two columns as a number, for cells of table and for interval." };
static const CgFunction fn_fit = { CG_FUNCTION_HERE, .name = "fit",
    .sig = "(scores: table, y: column, by: column | column[]) -> table", .traits = CG_COLUMNS, .build = build_fit,
    .run = run_fit, .doc = "Least squares: y = a + b x + .., each term with its standard error and p." };
static const CgFunction fn_paired = { CG_FUNCTION_HERE, .name = "paired",
    .sig = "(a: column, b: column, method: { " CG_PAIRED_TEST_NAMES " } = \"t\", seed: int = 0) -> table",
    .build = build_paired, .run = run_paired,
    .doc = "Are two columns different, row by row? A test with its p-value." };
static const CgFunction fn_effect = { CG_FUNCTION_HERE, .name = "effect",
    .sig = "(a: column, b: column, kind: { " CG_EFFECT_NAMES " } = \"paired\") -> float", .run = run_effect,
    .doc = "How large a difference is: of rows over their standard deviation, Cohen's d, Hedges' g, Cliff's delta." };

CG_CLASS(estimate, .article = "an estimate",
    .doc = "A number with what is known of it: its interval, its p-value, how many values it was made of.",
    .show = show_estimate)
CG_CLASS(resampling, .article = "a way to resample",
    .doc = "How an interval is found: which columns say what is drawn together, and how often.")
CG_FUNCTIONS(statistic, &fn_std, &fn_median, &fn_count, &fn_present, &fn_quantile, &fn_holm, &fn_interval, &fn_percent,
    &fn_digits, &fn_bootstrap, &fn_correlation, &fn_correlate, &fn_fit, &fn_paired, &fn_effect)
