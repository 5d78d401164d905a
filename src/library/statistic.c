/* statistic.c - statistics of columns.
 * Takes columns of numbers; gives numbers and small tables. What a statistic is, is said in table/stats.h. */
#include "table/stats.h"
#include "library/library.h"

#include <math.h>
#include <string.h>

CgValue *cg_statistic(CgSession *x, const CgValue *call, CgValue **args, double (*fn)(const double *, size_t))
{
    const CgNumbers *n = args[0]->held;
    return cg_value_float(x->elab, fn(n->at, n->n), call->span);
}

static CgValue *run_std(CgSession *x, const CgValue *c, CgValue **a) { return cg_statistic(x, c, a, cg_stats_std); }

static CgValue *build_quantile(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    double q = a->at[1]->f;
    if (q >= 0 && q <= 1)
        return cg_function_later(e, a, 0);
    cg_elab_error(e, CG_E0305, a->span[1], "'q' of quantile is a number from 0 to 1, not %g", q);
    return cg_value_poison(e);
}

static CgValue *run_quantile(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgNumbers *n = args[0]->held;
    return cg_value_float(x->elab, cg_stats_quantile(n->at, n->n, args[1]->f), call->span);
}

static const struct {
    const char *name;
    CgCorrelation (*fn)(const double *, const double *, size_t);
} methods[] = { { "spearman", cg_stats_spearman }, { "pearson", cg_stats_pearson } };

static CgValue *run_correlation(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    const CgTable *t = cg_table_force(x, call->at[0]);
    const CgNumbers *p = t ? cg_numbers_force_in(x, t, call->at[1]) : NULL,
                    *q = p ? cg_numbers_force_in(x, t, call->at[2]) : NULL;
    if (!q)
        return NULL;
    size_t method = 0;
    while (strcmp(methods[method].name, call->at[3]->s) != 0)
        method++;
    CgCorrelation c = methods[method].fn(p->at, q->at, p->n);
    CgTable *out = cg_table_new();
    cg_table_add(out, "method", CG_TEXT);
    cg_table_add(out, "r", CG_NUMBER);
    cg_table_add(out, "p", CG_NUMBER);
    cg_table_add(out, "n", CG_INT);
    size_t row = cg_table_row(out);
    cg_table_set(out, row, 0, cg_text(methods[method].name));
    cg_table_set(out, row, 1, cg_number(c.r));
    cg_table_set(out, row, 2, cg_number(c.p));
    cg_table_set(out, row, 3, cg_whole((int64_t)c.n));
    return cg_session_own(x, &cg_class_table, out);
}

static const CgFunction fn_std = { CG_FUNCTION_HERE, .name = "std", .sig = "(column: column) -> float", .run = run_std,
    .doc = "Standard deviation of a column (of the sample: n - 1)." };
static const CgFunction fn_quantile = { CG_FUNCTION_HERE, .name = "quantile",
    .sig = "(column: column, q: float = 0.5) -> float", .build = build_quantile, .run = run_quantile,
    .doc = "Quantile of a column, linear between values." };
static const CgFunction fn_correlation = { CG_FUNCTION_HERE, .name = "correlation",
    .sig = "(scores: table, x: column, y: column, method: { spearman, pearson } = \"spearman\") -> table",
    .traits = CG_COLUMNS, .run = run_correlation,
    .doc = "Correlation of two columns with its p-value: spearman or pearson." };

CG_FUNCTIONS(statistic, &fn_std, &fn_quantile, &fn_correlation)
