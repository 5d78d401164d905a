/* column.c - columns of tables, and what is computed of them and of numbers when a script runs.
 * Takes columns and numbers; gives columns and numbers, row by row. A missing or undefined operand gives a result that
 * is missing, not zero. */
#include <math.h>
#include <string.h>

#include "library/library.h"

/* ---- the operators -------------------------------------------------------------------------------------- */

typedef struct Operator {
    const char *name; /* as the op on tensors */
    double (*one)(double);
    double (*two)(double, double);
    bool truth;
} Operator;

static double add(double a, double b) { return a + b; }
static double sub(double a, double b) { return a - b; }
static double mul(double a, double b) { return a * b; }
static double quotient(double a, double b) { return b == 0 ? NAN : a / b; }
static double remainder_of(double a, double b) { return b == 0 ? NAN : a - b * floor(a / b); }
static double lt(double a, double b) { return a < b; }
static double le(double a, double b) { return a <= b; }
static double gt(double a, double b) { return a > b; }
static double ge(double a, double b) { return a >= b; }
static double eq(double a, double b) { return a == b; }
static double ne(double a, double b) { return a != b; }
static double both(double a, double b) { return a != 0 && b != 0; }
static double either(double a, double b) { return a != 0 || b != 0; }
static double negative(double a) { return -a; }
static double opposite(double a) { return a == 0; }
static double sign_of(double a) { return (a > 0) - (a < 0); }

static const Operator operators[] = { { "add", NULL, add, false }, { "sub", NULL, sub, false },
    { "mul", NULL, mul, false }, { "div", NULL, quotient, false }, { "mod", NULL, remainder_of, false },
    { "pow", NULL, pow, false }, { "lt", NULL, lt, true }, { "le", NULL, le, true }, { "gt", NULL, gt, true },
    { "ge", NULL, ge, true }, { "eq", NULL, eq, true }, { "ne", NULL, ne, true }, { "and", NULL, both, true },
    { "or", NULL, either, true }, { "minimum", NULL, fmin, false }, { "maximum", NULL, fmax, false },
    { "neg", negative, NULL, false }, { "not", opposite, NULL, true }, { "abs", fabs, NULL, false },
    { "sqrt", sqrt, NULL, false }, { "exp", exp, NULL, false }, { "log", log, NULL, false },
    { "floor", floor, NULL, false }, { "ceil", ceil, NULL, false }, { "round", round, NULL, false },
    { "tanh", tanh, NULL, false }, { "sign", sign_of, NULL, false } };

static const Operator *operator_of(const char *name)
{
    for (size_t i = 0; i < CG_LEN(operators); i++)
        if (!strcmp(operators[i].name, name))
            return &operators[i];
    return NULL;
}

static double apply(const Operator *op, double a, double b)
{
    if (isnan(a) || (op->two && isnan(b)))
        return NAN;
    return op->two ? op->two(a, b) : op->one(a);
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

static bool is_text(const CgValue *v) { return v->kind == CG_VALUE_STR || cg_value_class(v) == &cg_class_labels; }

static CgValue *build_arithmetic(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const Operator *op = operator_of(a->at[0]->s);
    bool two = a->at[2]->kind != CG_VALUE_NONE, texts = is_text(a->at[1]) || is_text(a->at[2]);
    if (!op || two != (op->two != NULL)) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->call, "'%s' works on tensors only", a->at[0]->s);
        cg_diag_help(d,
            "its operand is known when the script runs: a statistic or a column; digits(x, 2) shows a number with two "
            "decimals");
        return cg_value_poison(e);
    }
    if (texts && !(is_text(a->at[1]) && is_text(a->at[2]))) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->call, "one side is text, the other a number");
        cg_diag_help(
            d, "numbers are written without quotes; a column is one of texts where one of its cells is no number");
        return cg_value_poison(e);
    }
    if (texts && !(op->two == eq || op->two == ne)) {
        cg_elab_error(e, CG_E0312, a->call, "texts are only compared by == and !=");
        return cg_value_poison(e);
    }
    return cg_function_later(e, a, 0);
}

static double number_of(const CgValue *v)
{
    double x = NAN;
    if (v->kind == CG_VALUE_BOOL)
        return (double)v->i;
    return cg_value_number(v, &x) ? x : NAN;
}

static CgValue *run_arithmetic(CgSession *x, const CgValue *call, CgValue **args)
{
    const Operator *op = operator_of(args[0]->s);
    double out = apply(op, number_of(args[1]), number_of(args[2]));
    return op->truth && !isnan(out) ? cg_value_bool(x->elab, out != 0, call->span)
                                    : cg_value_float(x->elab, out, call->span);
}

/* Operand k of row r. */
static double at_row(const CgValue *v, size_t r)
{
    const CgNumbers *n = v->kind == CG_VALUE_OBJECT ? v->held : NULL;
    return n ? n->at[r] : number_of(v);
}

static const char *text_at(const CgValue *v, size_t r)
{
    const CgNumbers *n = v->kind == CG_VALUE_OBJECT ? v->held : NULL;
    return n ? n->text[r] : v->s;
}

static CgValue *run_columns(CgSession *x, const CgValue *call, CgValue **args)
{
    const Operator *op = operator_of(args[0]->s);
    const CgNumbers *a = args[1]->kind == CG_VALUE_OBJECT ? args[1]->held : NULL;
    const CgNumbers *b = args[2]->kind == CG_VALUE_OBJECT ? args[2]->held : NULL;
    if (a && b && a->n != b->n) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_INPUT, "a column of %zu rows and one of %zu", a->n, b->n);
        cg_err_hint(&err, "join(a, b, by = [..]) puts rows of two tables beside each other");
        cg_session_err(x, call->span, &err);
        return NULL;
    }
    CgNumbers *out = cg_numbers_new(x, a ? a->n : b->n);
    bool texts = is_text(args[1]);
    out->truth = op->truth;
    for (size_t r = 0; r < out->n; r++) {
        if (texts) {
            const char *s = text_at(args[1], r), *t = text_at(args[2], r);
            out->at[r] = s && t ? (strcmp(s, t) == 0) == (op->two == eq) : NAN;
        } else
            out->at[r] = apply(op, at_row(args[1], r), op->two ? at_row(args[2], r) : 0);
    }
    return cg_value_held(x->elab, &cg_class_column, out);
}

/* ---- a column of one table, when the script runs: scores.f1 --------------------------------------------- */

static CgValue *run_column(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgTable *outer = x->table;
    x->table = args[0]->held;
    CgValue *out = cg_column_force(x, args[1]->s, call->span);
    x->table = outer;
    return out;
}

bool cg_is_column_of(const CgValue *call) { return call->kind == CG_VALUE_CALL && call->function->run == run_column; }

static CgValue *build_column(CgElab *e, CgFrame *f, const CgArguments *a)
{
    const CgSchema *columns = cg_stage_columns(e, a->at[0]);
    (void)f;
    const CgColumnName *column = columns ? cg_schema_find(columns, a->at[1]->s) : NULL;
    if (!column) {
        cg_column_unknown(e, a->span[1], columns, "table", a->at[1]->s);
        return cg_value_poison(e);
    }
    CgArguments of = *a;
    of.function = cg_function_find(column->text ? "labels" : "column");
    return cg_function_later(e, &of, 0);
}

static const CgFunction fn_column = { CG_FUNCTION_HERE, .name = "column", .sig = "(table: table, name: str) -> column",
    .build = build_column, .run = run_column, .doc = "A column of a table by its name, as `table.name` writes it." };
static const CgFunction fn_labels = { CG_FUNCTION_HERE, .name = "labels", .sig = "(table: table, name: str) -> labels",
    .build = build_column, .run = run_column, .doc = "A column of texts of a table by its name." };
static const CgFunction fn_arithmetic = { CG_FUNCTION_HERE, .name = "arithmetic",
    .sig = "(op: str, a: float | tensor | bool | str, b: float | tensor | bool | str | none = none) -> float",
    .traits = CG_ROW, .build = build_arithmetic, .run = run_arithmetic,
    .doc = "What an operator makes of numbers known when the script runs; written a + b, abs(a)." };
static const CgFunction fn_columns = { CG_FUNCTION_HERE, .name = "column_arithmetic",
    .sig = "(op: str, a: column | labels | float | str | bool, b: column | labels | float | str | bool | none = none) "
           "-> column",
    .build = build_arithmetic, .run = run_columns,
    .doc = "What an operator makes of the rows of columns; written a + b, abs(a), a > 0.5." };

CgValue *cg_column_field(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *suggest)
{
    const CgSchema *columns = cg_stage_columns(e, of);
    for (int i = 0; columns && i < columns->n; i++) {
        cg_suggest_offer(suggest, columns->at[i].name);
        if (columns->at[i].name != name)
            continue;
        CgArguments a = { .function = columns->at[i].text ? &fn_labels : &fn_column, .n = 2, .call = span };
        a.at[0] = of;
        a.at[1] = cg_value_str(e, name, span);
        return cg_function_later(e, &a, 0);
    }
    return NULL;
}

static void show_column(const void *held, CgStrbuf *out)
{
    const CgNumbers *column = held;
    for (size_t i = 0; i < column->n && i < 12; i++) {
        cg_strbuf_puts(out, i ? ", " : "[");
        if (column->text)
            cg_strbuf_puts(out, column->text[i] ? column->text[i] : "-");
        else if (column->truth && !isnan(column->at[i]))
            cg_strbuf_puts(out, column->at[i] != 0 ? "true" : "false");
        else
            cg_strbuf_printf(out, "%.6g", column->at[i]);
    }
    if (column->n > 12)
        cg_strbuf_printf(out, ", ... and %zu more]\n", column->n - 12);
    else
        cg_strbuf_puts(out, column->n ? "]\n" : "[]\n");
}

CG_CLASS(column, .article = "a column",
    .doc =
        "Numbers, one a row of a table: scores.f1. Sums, differences, products and comparisons of columns are columns.",
    .show = show_column)
CG_CLASS(labels, .article = "a column of texts", .doc = "Texts, one a row of a table: a key, or what a model wrote.",
    .show = show_column)
CG_FUNCTIONS(column, &fn_column, &fn_labels, &fn_arithmetic, &fn_columns)
