/* table.c - functions carried out when a script runs: scores of one row, statistics of columns, tables.
 * Takes forced values; gives numbers, texts and tables. A mistake is reported at the call and gives NULL or poison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "stage/session.h"
#include "table/metric.h"
#include "table/stats.h"
#include "lang/fmt.h"

/* ---- scores of one row: (candidate, reference) ----------------------------------------------------------------- */

static CgIds ids_of(const CgValue *v)
{
    if (v->kind != CG_VALUE_HOST || strcmp(v->s, "tokens"))
        return (CgIds){ 0 };
    const CgIdsRow *r = v->host;
    return (CgIds){ r->at, r->n };
}

static CgValue *score(void *runner, const CgValue *call, CgValue **args, const char *metric)
{
    CgElab *e = ((CgSession *)runner)->elab;
    CgScoring how = { .smooth = CG_SMOOTH_EXP };
    return cg_value_float(
        e, cg_metric_pair(cg_metric_find(metric), ids_of(args[0]), ids_of(args[1]), &how), call->span);
}

/* Words of both texts, numbered alike. */
static CgValue *word_score(void *runner, const CgValue *call, CgValue **args, const char *metric)
{
    CgElab *e = ((CgSession *)runner)->elab;
    CgScoring how = { .split = cg_word_split_find("words") };
    CgWords *words = cg_words_new();
    CgStrbuf text[2] = { { 0 } };
    CgIds ids[2];
    for (int i = 0; i < 2; i++) {
        const CgIdsRow *r = args[i]->kind == CG_VALUE_HOST ? args[i]->host : NULL;
        if (r && r->tokenizer)
            cg_tokenizer_decode(r->tokenizer, r->at, r->n, true, &text[i]);
        ids[i] = cg_words_split(words, how.split, cg_strbuf_str(&text[i]), text[i].len);
    }
    CgValue *v = cg_value_float(e, cg_metric_pair(cg_metric_find(metric), ids[0], ids[1], &how), call->span);
    cg_words_free(words);
    cg_strbuf_deinit(&text[0]);
    cg_strbuf_deinit(&text[1]);
    return v;
}

static CgValue *token_f1(void *x, const CgValue *c, CgValue **a) { return score(x, c, a, "token_f1"); }
static CgValue *bleu(void *x, const CgValue *c, CgValue **a) { return score(x, c, a, "bleu"); }
static CgValue *rouge_l(void *x, const CgValue *c, CgValue **a) { return score(x, c, a, "rouge_l"); }
static CgValue *exact(void *x, const CgValue *c, CgValue **a) { return score(x, c, a, "exact"); }
static CgValue *accuracy(void *x, const CgValue *c, CgValue **a) { return score(x, c, a, "accuracy"); }
static CgValue *word_f1(void *x, const CgValue *c, CgValue **a) { return word_score(x, c, a, "token_f1"); }
static CgValue *word_rouge_l(void *x, const CgValue *c, CgValue **a) { return word_score(x, c, a, "rouge_l"); }

static CgValue *decode(void *runner, const CgValue *call, CgValue **args)
{
    (void)runner;
    (void)call;
    return args[0]; /* a cell of text decodes the tokens it is given */
}

/* ---- statistics of columns ------------------------------------------------------------------------------------- */

static const CgNumbers *numbers_of(CgSession *x, const CgValue *call, const CgValue *v)
{
    if (v->kind == CG_VALUE_HOST && !strcmp(v->s, "numbers"))
        return v->host;
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "'%s' wants a column of numbers, not %s", call->builtin->name, cg_value_kind_name(v));
    cg_session_err(x, call->span, &err);
    return NULL;
}

static CgValue *statistic(void *runner, const CgValue *call, CgValue **args, double (*fn)(const double *, size_t))
{
    CgSession *x = runner;
    const CgNumbers *n = numbers_of(x, call, args[0]);
    return n ? cg_value_float(x->elab, fn(n->at, n->n), call->span) : NULL;
}

static double sum_all(const double *x, size_t n) { return n ? cg_stats_mean(x, n) * (double)n : 0; }

static CgValue *mean_of(void *x, const CgValue *c, CgValue **a) { return statistic(x, c, a, cg_stats_mean); }
static CgValue *sum_of(void *x, const CgValue *c, CgValue **a) { return statistic(x, c, a, sum_all); }
static CgValue *std_of(void *x, const CgValue *c, CgValue **a) { return statistic(x, c, a, cg_stats_std); }

static CgValue *quantile(void *runner, const CgValue *call, CgValue **args)
{
    CgSession *x = runner;
    const CgNumbers *n = numbers_of(x, call, args[0]);
    double q = 0.5;
    cg_value_number(args[1], &q);
    return n ? cg_value_float(x->elab, cg_stats_quantile(n->at, n->n, q), call->span) : NULL;
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

/* With the rows of one table meant by column names. */
static CgValue *force_in(CgSession *x, const CgTable *t, CgValue *v)
{
    const CgTable *outer = x->table;
    x->table = t;
    CgValue *out = cg_force(x, v);
    x->table = outer;
    return out;
}

const CgTable *cg_table_force(CgSession *x, CgValue *v)
{
    CgValue *forced = cg_force(x, v);
    if (!forced)
        return NULL;
    if (forced->kind == CG_VALUE_HOST && !strcmp(forced->s, "a table"))
        return forced->host;
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "a table is wanted, not %s", cg_value_kind_name(forced));
    cg_session_err(x, v->span, &err);
    return NULL;
}

static bool number_cell(CgSession *x, CgTable *out, size_t row, int column, CgValue *v, CgSpan at)
{
    double number;
    if (!v)
        return false;
    if (cg_value_number(v, &number)) {
        cg_table_set(out, row, column, cg_number(number));
        return true;
    }
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "a cell of table() is one number: mean(column), not %s", cg_value_kind_name(v));
    return cg_session_err(x, at, &err);
}

/* One row for each field of a record of tables (or one row for a table): cells are statistics of its columns. */
static CgValue *table_later(void *runner, const CgValue *call, CgValue **args)
{
    (void)args;
    CgSession *x = runner;
    CgValue *scores = call->at[0], *rows = call->at[1], *columns = call->at[2], *titles = call->at[3];
    CgTable *out = cg_table_new();
    cg_table_add(out, rows->kind == CG_VALUE_STR ? rows->s : "row", CG_TEXT);
    for (int i = 0; i < columns->n; i++)
        cg_table_add(out, titles->at[i]->s, CG_NUMBER);
    bool many = scores->kind == CG_VALUE_RECORD, good = true;
    for (int r = 0; good && r < (many ? scores->n : 1); r++) {
        const CgTable *t = cg_table_force(x, many ? scores->at[r] : scores);
        if (!t) {
            good = false;
            break;
        }
        size_t row = cg_table_row(out);
        cg_table_set(out, row, 0, cg_text(many ? scores->keys[r] : ""));
        for (int i = 0; good && i < columns->n; i++)
            good = number_cell(x, out, row, i + 1, force_in(x, t, columns->at[i]), call->span);
    }
    if (!good) {
        cg_table_free(out);
        return NULL;
    }
    cg_session_keep_table(x, out);
    return cg_value_host(x->elab, "a table", out);
}

int cg_table_call_columns(const CgValue *v, CgAtom *names, int max)
{
    int n = 0;
    if (v->kind != CG_VALUE_CALL || v->builtin->later != table_later)
        return 0;
    names[n++] = v->at[1]->kind == CG_VALUE_STR ? v->at[1]->s : cg_intern("row");
    for (int i = 0; i < v->at[3]->n && n < max; i++)
        names[n++] = v->at[3]->at[i]->s;
    return n;
}

static const CgBuiltin table_call = {
    .name = "table", .sig = "(scores, rows, columns, titles)", .doc = "", .quoted = true, .later = table_later
};

static CgValue *table(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = call ? call->span : args[0]->span;
    if (args[2]->kind != CG_VALUE_LIST) {
        cg_elab_error(e, CG_E0305, span, "'columns' of table is a list such as [mean(f1), mean(bleu)]");
        return cg_value_poison(e);
    }
    CgValue *titles = cg_value_list(e, args[2]->n, span);
    const CgExpr *list = NULL;
    for (int i = 0; call && i < call->args.n; i++)
        if (call->args.at[i].value->kind == CG_EXPR_LIST && call->args.at[i].value->args.n == args[2]->n)
            list = call->args.at[i].value;
    for (int i = 0; i < args[2]->n; i++) {
        CgStrbuf text = { 0 };
        if (list)
            cg_expr_format(list->args.at[i].value, &text);
        else
            cg_value_print(args[2]->at[i], &text);
        titles->at[i] = cg_value_str(e, cg_strbuf_str(&text), span);
        cg_strbuf_deinit(&text);
    }
    CgValue *v = cg_value_list(e, 4, span);
    v->kind = CG_VALUE_CALL;
    v->builtin = &table_call;
    v->at[0] = args[0];
    v->at[1] = args[1];
    v->at[2] = args[2];
    v->at[3] = titles;
    return v;
}

/* scores.f1: a column of one table, when the script runs. */
static CgValue *column_later(void *runner, const CgValue *call, CgValue **args)
{
    (void)args;
    CgSession *x = runner;
    const CgTable *t = cg_table_force(x, call->at[0]);
    CgValue column = { .kind = CG_VALUE_COLUMN, .s = call->at[1]->s, .span = call->span };
    return t ? force_in(x, t, &column) : NULL;
}

static const CgBuiltin column_call = { .name = "column", .sig = "", .doc = "", .quoted = true, .later = column_later };

CgValue *cg_table_field(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *suggest)
{
    CgAtom names[256];
    int n = of->kind == CG_VALUE_RECORD ? 0 : cg_stage_columns(e, of, names, 256);
    for (int i = 0; i < n; i++) {
        cg_suggest_offer(suggest, names[i]);
        if (names[i] != name)
            continue;
        CgValue *v = cg_value_list(e, 2, span);
        v->kind = CG_VALUE_CALL;
        v->builtin = &column_call;
        v->at[0] = of;
        v->at[1] = cg_value_str(e, name, span);
        return v;
    }
    return NULL;
}

static CgValue *correlation(void *runner, const CgValue *call, CgValue **args)
{
    (void)args;
    CgSession *x = runner;
    const CgTable *t = cg_table_force(x, call->at[0]);
    CgValue *a = t ? force_in(x, t, call->at[1]) : NULL, *b = a ? force_in(x, t, call->at[2]) : NULL;
    if (!b)
        return NULL;
    const CgNumbers *p = numbers_of(x, call, a), *q = p ? numbers_of(x, call, b) : NULL;
    if (!q)
        return NULL;
    const char *method = call->at[3]->kind == CG_VALUE_STR ? call->at[3]->s : "spearman";
    CgCorrelation c =
        !strcmp(method, "pearson") ? cg_stats_pearson(p->at, q->at, p->n) : cg_stats_spearman(p->at, q->at, p->n);
    CgTable *out = cg_table_new();
    cg_table_add(out, "method", CG_TEXT);
    cg_table_add(out, "r", CG_NUMBER);
    cg_table_add(out, "p", CG_NUMBER);
    cg_table_add(out, "n", CG_INT);
    size_t row = cg_table_row(out);
    cg_table_set(out, row, 0, cg_text(method));
    cg_table_set(out, row, 1, cg_number(c.r));
    cg_table_set(out, row, 2, cg_number(c.p));
    cg_table_set(out, row, 3, cg_whole((int64_t)c.n));
    cg_session_keep_table(x, out);
    return cg_value_host(x->elab, "a table", out);
}

#define SCORE(n, words)                                                       \
    {                                                                         \
        .name = #n, .sig = "(candidate, reference)", .later = n, .doc = words \
    }
const CgBuiltin cg_builtins_table[] = {
    SCORE(token_f1, "Share of tokens two texts have in common, order ignored: 2 common / (candidate + reference)."),
    SCORE(word_f1, "As token_f1, over words of the decoded texts."),
    SCORE(bleu, "Sentence BLEU-4 over tokens (Papineni et al. 2002), zeros smoothed as sacreBLEU does; in [0, 1]."),
    SCORE(rouge_l, "F score of the longest common subsequence of tokens (Lin 2004)."),
    SCORE(word_rouge_l, "As rouge_l, over words of the decoded texts."),
    SCORE(exact, "1 when the texts are equal, else 0."),
    SCORE(accuracy, "Share of places with equal tokens."),
    { .name = "decode", .sig = "(tokens)", .later = decode, .doc = "The text of tokens, as a column of evaluate." },
    { .name = "mean_of", .sig = "(column)", .later = mean_of, .doc = "Mean of a column." },
    { .name = "sum_of", .sig = "(column)", .later = sum_of, .doc = "Sum of a column." },
    { .name = "std",
        .sig = "(column)",
        .later = std_of,
        .doc = "Standard deviation of a column (of the sample: n - 1)." },
    { .name = "quantile",
        .sig = "(column, q = 0.5)",
        .later = quantile,
        .doc = "Quantile of a column, linear between values." },
    { .name = "table",
        .sig = "(scores, rows = \"row\", columns = [])",
        .eager = table,
        .quoted = true,
        .doc = "One row for each table of a record of evaluations, one cell for each statistic: table(scores, rows = "
               "\"decoder\", columns = [mean(f1)])." },
    { .name = "correlation",
        .sig = "(scores, x, y, method = \"spearman\")",
        .later = correlation,
        .quoted = true,
        .doc = "Correlation of two columns with its p-value: spearman or pearson." },
    { 0 },
};
