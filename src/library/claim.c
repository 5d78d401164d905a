/* claim.c - what a script claims of its numbers, tested.
 * Takes claims, whose sides are statistics of tables; gives differences by cluster and a table of verdicts. What a
 * verdict is, is said in table/stats.h; how often the rows were looked at, in the store. */
#include "library/claim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"
#include "library/library.h"

enum { MAX_OVER = 16, MAX_SPLITS = 32 };

typedef struct Side {
    CgValue *value, *table; /* table NULL: a number */
    CgSpan span;
} Side;

typedef struct Expected {
    CgAtom text; /* of the claim */
    const CgStmt *stmt;
    Side side[2];
    bool less; /* the left side is to be the smaller */
    /* when it runs */
    double value[2], *d;
    size_t n;
    CgDigest split[MAX_SPLITS]; /* what its rows are of */
    int nsplits;
    CgDigest what; /* the results that are compared, and how */
    size_t same;   /* how many clusters have the same numbers, and are counted as one; 0: they differ */
    bool failed;
} Expected;

struct CgClaims {
    CG_VEC(Expected) at;
    CgTable *table; /* once they were tested */
    bool testing;
};

/* ---- checking ------------------------------------------------------------------------------------------- */

/* The tables whose columns a value is computed of. */
static CgValue *table_in(const CgValue *v, bool *several)
{
    if (cg_is_column_of(v))
        return v->at[0];
    CgValue *t = NULL;
    for (int i = 0; v->kind == CG_VALUE_CALL && i < v->n; i++) {
        CgValue *one = table_in(v->at[i], several);
        *several |= one && t && one != t;
        t = one ? one : t;
    }
    return t;
}

static bool side_of(CgElab *e, CgFrame *f, const CgExpr *x, Side *out)
{
    double number;
    bool several = false;
    *out = (Side){ .value = cg_eval(e, f, x), .span = x->span };
    if (cg_is_poison(out->value) || cg_value_number(out->value, &number))
        return !cg_is_poison(out->value);
    const CgClass *cls = cg_value_class(out->value);
    out->table = table_in(out->value, &several);
    if (several) {
        cg_diag_help(cg_elab_error(e, CG_E0610, x->span, "this side is computed of several tables"),
            "each side is a statistic of one table; join(..) makes one of several, a name one of equal ones");
    } else if (out->value->kind != CG_VALUE_CALL || (cls && cls != &cg_class_estimate)) {
        cg_diag_help(
            cg_elab_error(e, CG_E0610, x->span, "a claim compares statistics, not %s", cg_value_kind_name(out->value)),
            "mean(scores.f1) is one; so are numbers");
    } else if (!out->table) {
        cg_diag_help(cg_elab_error(e, CG_E0610, x->span, "this number is of no column of a table"),
            "a claim is tested over the rows of tables: mean(scores.f1)");
    } else
        return true;
    return false;
}

static bool has_columns(CgElab *e, const CgStmt *s, const Side *side)
{
    const CgSchema *columns = side->table ? cg_stage_columns(e, side->table) : NULL;
    for (int i = 0; columns && i < s->nnames; i++) {
        if (cg_schema_find(columns, s->names[i]))
            continue;
        cg_diag_label(
            cg_column_unknown(e, s->name_spans[i], columns, "table", s->names[i]), side->span, "of this table");
        return false;
    }
    return true;
}

static void expected(CgSession *x, CgFrame *f, CgAtom text, const CgStmt *s)
{
    CgElab *e = x->elab;
    const CgExpr *c = s->a;
    if (c->kind == CG_EXPR_ERROR)
        return;
    if (c->kind != CG_EXPR_BINARY || (*c->op != '<' && *c->op != '>')) {
        cg_diag_help(cg_elab_error(e, CG_E0610, c->op_span.file ? c->op_span : c->span,
                         "a claim says which of two numbers is the larger"),
            "write expect mean(a.f1) > mean(b.f1), with < or >; that numbers are equal cannot be shown");
        return;
    }
    Expected it = { .text = text, .stmt = s, .less = *c->op == '<' };
    bool good = side_of(e, f, c->a, &it.side[0]);
    good = side_of(e, f, c->b, &it.side[1]) && good;
    if (good && !it.side[0].table && !it.side[1].table)
        cg_elab_error(e, CG_E0610, c->op_span, "two numbers are compared, and no row of a table");
    else if (good && s->nnames > MAX_OVER)
        cg_elab_error(e, CG_E0316, s->name_spans[MAX_OVER], "at most %d columns are named here", MAX_OVER);
    else if (good && has_columns(e, s, &it.side[0]) && has_columns(e, s, &it.side[1]))
        cg_vec_push(&x->claims->at, it);
}

void cg_claims_build(CgSession *x)
{
    CgElab *e = x->elab;
    const CgBlock *top = &cg_env_module(cg_elab_script(e))->unit->top;
    x->claims = cg_calloc(1, sizeof *x->claims);
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind != CG_STMT_CLAIM)
            continue;
        CgFrame f;
        cg_frame_begin(e, &f, NULL, cg_elab_script(e));
        CgBudget budget = cg_budget_begin(e);
        CgValue *text = cg_eval(e, &f, s->a);
        for (int k = 0; k < s->body.n; k++)
            if (s->body.at[k]->kind == CG_STMT_EXPECT)
                expected(x, &f, text->kind == CG_VALUE_STR ? text->s : cg_intern(""), s->body.at[k]);
        cg_budget_end(e, budget);
        cg_frame_end(e, &f);
        if (!s->body.n)
            cg_diag_warn(x->diags, CG_E0608, s->a->span, "the claim expects nothing");
    }
}

void cg_claims_free(CgClaims *c)
{
    for (size_t i = 0; c && i < c->at.len; i++)
        free(c->at.at[i].d);
    if (c) {
        cg_vec_free(&c->at);
        cg_table_free(c->table);
    }
    free(c);
}

bool cg_claims_any(const CgSession *x) { return x->claims && x->claims->at.len; }

void cg_claims_values(const CgSession *x, void (*each)(void *arg, const CgValue *v), void *arg)
{
    for (size_t i = 0; x->claims && i < x->claims->at.len; i++)
        for (int k = 0; k < 2; k++)
            each(arg, x->claims->at.at[i].side[k].value);
}

/* ---- which results, of which rows ----------------------------------------------------------------------- */

static void add_split(Expected *it, CgDigest split)
{
    for (int i = 0; i < it->nsplits; i++)
        if (cg_digest_equal(it->split[i], split))
            return;
    if (it->nsplits < MAX_SPLITS)
        it->split[it->nsplits++] = split;
}

/* The split of a corpus or dataset that rows are taken from, whatever was made of it: windows of another length, or
 * fewer of its rows, are looks at the same split. */
static bool splits_of(CgSession *x, Expected *it, CgValue *data)
{
    bool inside = false, good = true;
    CgDigest split;
    if (data->kind == CG_VALUE_CALL && cg_value_class(data) == &cg_class_split) {
        CgValue *made = cg_make(x, data);
        if (!made)
            return false;
        const CgCorpusSplit *of = made->held;
        struct {
            CgDigest corpus;
            int64_t which;
        } row = { cg_corpus_digest(of->corpus), of->which };
        add_split(it, cg_digest(&row, sizeof row));
        return true;
    }
    bool subset = data->kind == CG_VALUE_CALL && !strcmp(data->function->name, "subset");
    for (int i = 0; data->kind == CG_VALUE_CALL && !subset && good && i < data->n; i++) {
        CgValue *one = data->at[i];
        for (int k = 0; k < (one->kind == CG_VALUE_LIST || one->kind == CG_VALUE_RECORD ? one->n : 1) && good; k++) {
            CgValue *v = one->kind == CG_VALUE_LIST || one->kind == CG_VALUE_RECORD ? one->at[k] : one;
            const CgClass *cls = v->kind == CG_VALUE_CALL ? cg_value_class(v) : NULL;
            if (cls != &cg_class_split && cls != &cg_class_dataset)
                continue;
            inside = true;
            good = splits_of(x, it, v);
        }
    }
    if (inside || !good)
        return good;
    good = cg_data_digest(x, data, &split);
    if (good)
        add_split(it, split);
    return good;
}

/* Adds what a value is made of, evaluations by the keys of their results, and notes the rows of those. */
static bool add_results(CgSession *x, Expected *it, CgDigester *d, CgValue *v)
{
    bool good = true;
    if (v->kind == CG_VALUE_STAGE) {
        CgStage *s = v->stage;
        good = cg_stage_key(x, s);
        if (good)
            cg_digester_add(d, &s->key, sizeof s->key);
        return good && (s->kind != &cg_stage_kind_evaluate || splits_of(x, it, s->data));
    }
    if (v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD) {
        const char *name = v->kind == CG_VALUE_CALL ? v->function->name : "";
        cg_digester_add(d, name, strlen(name) + 1);
        cg_digester_add(d, &v->n, sizeof v->n);
        for (int i = 0; good && i < v->n; i++) {
            if (v->kind == CG_VALUE_RECORD)
                cg_digester_add(d, v->keys[i], strlen(v->keys[i]) + 1);
            good = add_results(x, it, d, v->at[i]);
        }
        return good;
    }
    if (v->kind == CG_VALUE_INSTANCE && v->instance->weights)
        return cg_weights_identify(x, v->instance->weights, d)
            && add_results(x, it, d, cg_weights_origin(v->instance->weights));
    CgDigest one = cg_value_digest(v);
    cg_digester_add(d, &one, sizeof one);
    return good;
}

static bool results_of(CgSession *x, Expected *it)
{
    CgDigester *d = cg_digester_new();
    bool good = true;
    for (int k = 0; good && k < 2; k++)
        good = add_results(x, it, d, it->side[k].value);
    for (int i = 0; i < it->stmt->nnames; i++)
        cg_digester_add(d, it->stmt->names[i], strlen(it->stmt->names[i]) + 1);
    cg_digester_add(d, &it->less, sizeof it->less);
    it->what = cg_digester_free(d);
    return good;
}

static int by_digest(const void *a, const void *b)
{
    const CgDigest *x = a, *y = b;
    return x->high != y->high ? (x->high < y->high ? -1 : 1) : x->low < y->low ? -1 : x->low > y->low;
}

/* The look at a split is all that the claims of a script compare on it, in whatever order they stand. */
static int64_t look_at(CgSession *x, CgDigest split)
{
    const CgClaims *c = x->claims;
    CG_VEC(CgDigest) all = { 0 };
    for (size_t i = 0; i < c->at.len; i++)
        for (int k = 0; k < c->at.at[i].nsplits; k++)
            if (cg_digest_equal(c->at.at[i].split[k], split))
                cg_vec_push(&all, c->at.at[i].what);
    qsort(all.at, all.len, sizeof *all.at, by_digest);
    int64_t look = cg_store_look(x->store, split, cg_digest(all.at, all.len * sizeof *all.at));
    cg_vec_free(&all);
    return look;
}

static int64_t look_of(CgSession *x, const Expected *it)
{
    int64_t most = 0;
    for (int k = 0; k < it->nsplits && most >= 0; k++) {
        int64_t look = look_at(x, it->split[k]);
        most = look < 0 || look > most ? look : most;
    }
    return most;
}

/* ---- differences of clusters ---------------------------------------------------------------------------- */

/* The clusters of a side: rows of a table that are alike in the columns named, or each row alone. */
typedef struct Clusters {
    const CgTable *t; /* NULL: the side is a number */
    CgGroups g;
    char **name; /* [n]: their cells */
    size_t n;
} Clusters;

static bool clusters_of(CgSession *x, const Expected *it, const Side *side, Clusters *out)
{
    CgErr err = { 0 };
    const CgStmt *s = it->stmt;
    if (!side->table)
        return true;
    if (!(out->t = cg_table_force(x, side->table)))
        return false;
    out->n = out->t->rows;
    if (!s->nnames)
        return true;
    if (!cg_table_group(out->t, s->names, s->nnames, &out->g, &err))
        return cg_session_err(x, s->span, &err);
    out->n = out->g.n;
    CgTable *keys = cg_table_keys(out->t, s->names, s->nnames, &out->g);
    out->name = cg_calloc(out->n + 1, sizeof *out->name);
    for (size_t k = 0; k < out->n; k++) {
        CgStrbuf b = { 0 };
        for (int i = 0; i < s->nnames; i++) {
            cg_strbuf_printf(&b, "%s%s ", i ? ", " : "", s->names[i]);
            cg_cell_print(&keys->column[i], k, &b);
        }
        out->name[k] = cg_strbuf_take(&b);
    }
    cg_table_free(keys);
    return true;
}

static void clusters_free(Clusters *c)
{
    for (size_t k = 0; c->name && k < c->n; k++)
        free(c->name[k]);
    free(c->name);
    if (c->g.of)
        cg_groups_deinit(&c->g);
}

static size_t find_cluster(const Clusters *c, const char *name, size_t guess)
{
    if (guess < c->n && !strcmp(c->name[guess], name))
        return guess;
    for (size_t k = 0; k < c->n; k++)
        if (!strcmp(c->name[k], name))
            return k;
    return c->n;
}

/* Clusters go in pairs: each of one side has one of the other. */
static bool paired(CgSession *x, const Expected *it, const Clusters c[2])
{
    CgErr err = { 0 };
    if (!c[0].t || !c[1].t || c[0].t == c[1].t)
        return true;
    if (!c[0].name && c[0].n != c[1].n) {
        cg_err(&err, CG_ERR_INPUT, "rows cannot be paired: %zu on the left, %zu on the right", c[0].n, c[1].n);
        cg_err_hint(&err, "say over which column rows were drawn together: .. over seed");
        return cg_session_err(x, it->stmt->span, &err);
    }
    for (int k = 0; c[0].name && k < 2; k++)
        for (size_t i = 0; i < c[k].n; i++)
            if (find_cluster(&c[1 - k], c[k].name[i], i) == c[1 - k].n) {
                cg_err(&err, CG_ERR_INPUT, "rows with %s are on the %s side only", c[k].name[i], k ? "right" : "left");
                cg_err_hint(&err, "clusters are compared in pairs: both tables need the same ones");
                return cg_session_err(x, it->stmt->span, &err);
            }
    return true;
}

static double of_cluster(CgSession *x, const Side *side, const Clusters *c, size_t k, bool *failed)
{
    double number = 0;
    if (!c->t)
        return cg_value_number(side->value, &number) ? number : NAN;
    if (!c->name)
        return cg_statistic_of_rows(x, side->value, c->t, &k, 1, failed);
    size_t from = c->g.first[k], to = c->g.first[k + 1];
    return cg_statistic_of_rows(x, side->value, c->t, c->g.row + from, to - from, failed);
}

static double of_all(CgSession *x, const Side *side, const Clusters *c, bool *failed)
{
    double number = 0;
    if (!c->t)
        return cg_value_number(side->value, &number) ? number : NAN;
    size_t *rows = cg_malloc(sizeof *rows * (c->t->rows + 1));
    for (size_t i = 0; i < c->t->rows; i++)
        rows[i] = i;
    number = cg_statistic_of_rows(x, side->value, c->t, rows, c->t->rows, failed);
    free(rows);
    return number;
}

static bool differences(CgSession *x, Expected *it)
{
    Clusters c[2] = { { 0 }, { 0 } };
    bool failed =
        !clusters_of(x, it, &it->side[0], &c[0]) || !clusters_of(x, it, &it->side[1], &c[1]) || !paired(x, it, c);
    int first = c[0].t ? 0 : 1;
    it->n = failed ? 0 : c[first].n;
    it->d = cg_calloc(it->n + 1, sizeof *it->d);
    for (int k = 0; k < 2 && !failed; k++)
        it->value[k] = of_all(x, &it->side[k], &c[k], &failed);
    bool same = it->n > 1 && c[first].name;
    double of_first[2] = { 0, 0 };
    for (size_t i = 0; i < it->n && !failed; i++) {
        bool match = c[1 - first].t && c[first].name;
        size_t other = match ? find_cluster(&c[1 - first], c[first].name[i], i) : i;
        double a = of_cluster(x, &it->side[first], &c[first], i, &failed);
        double b = of_cluster(x, &it->side[1 - first], &c[1 - first], other, &failed);
        double pair[2] = { a, b };
        if (!i)
            memcpy(of_first, pair, sizeof pair);
        same &= !memcmp(of_first, pair, sizeof pair) && (a != floor(a) || b != floor(b));
        it->d[i] = (first == 1) != it->less ? cg_stats_difference(b, a) : cg_stats_difference(a, b);
    }
    it->same = same && !failed ? it->n : 0; /* the same model on the same rows, so many times: one experiment */
    it->n = it->same ? 1 : it->n;
    clusters_free(&c[0]);
    clusters_free(&c[1]);
    return !failed;
}

/* ---- how much clusters differ, for who plans the next ones ------------------------------------------------ */

enum { RESAMPLES = 60 };

/* The rows of a cluster, drawn again: by the same draws in both sides where they have as many, since rows of one text
 * go together. */
static double of_resample(CgSession *x, const Side *side, const Clusters *c, size_t k, uint64_t draw, bool *failed)
{
    size_t from = c->g.first[k], n = c->g.first[k + 1] - from, *rows = cg_malloc(sizeof *rows * (n + 1));
    for (size_t i = 0; i < n; i++)
        rows[i] = c->g.row[from + (size_t)(cg_draw_key(n, CG_STREAM_PERMUTE, draw << 32 | i) % n)];
    double number = cg_statistic_of_rows(x, side->value, c->t, rows, n, failed);
    free(rows);
    return number;
}

/* The variance that the difference of cluster k of side `first` has by its rows, times their number. */
static double within_cluster(CgSession *x, const Expected *it, const Clusters c[2], int first, size_t k, bool *failed)
{
    double d[RESAMPLES], mean = 0, squares = 0, number = 0;
    bool other = c[1 - first].t != NULL;
    size_t match = other ? find_cluster(&c[1 - first], c[first].name[k], k) : 0;
    for (int r = 0; r < RESAMPLES && !*failed; r++) {
        uint64_t draw = (uint64_t)k * RESAMPLES + (uint64_t)r;
        d[r] = of_resample(x, &it->side[first], &c[first], k, draw, failed);
        d[r] -= other ? of_resample(x, &it->side[1 - first], &c[1 - first], match, draw, failed) : number;
        mean += d[r] / RESAMPLES;
    }
    for (int r = 0; r < RESAMPLES && !*failed; r++)
        squares += (d[r] - mean) * (d[r] - mean);
    double n = (double)(c[first].g.first[k + 1] - c[first].g.first[k]);
    return squares / (RESAMPLES - 1) * n;
}

/* The parts of the variance: by rows as they are drawn, and what is left of that of the clusters. */
static bool variances(CgSession *x, const Expected *it, CgPilot *out)
{
    Clusters c[2] = { { 0 }, { 0 } };
    bool failed = !clusters_of(x, it, &it->side[0], &c[0]) || !clusters_of(x, it, &it->side[1], &c[1]);
    int first = c[0].t ? 0 : 1;
    double all = 0;
    for (size_t i = 0; i < it->n; i++)
        all += (it->d[i] - out->effect) * (it->d[i] - out->effect) / (double)(it->n - 1);
    for (size_t k = 0; k < c[first].n && c[first].name && !failed; k++) {
        out->design.within += within_cluster(x, it, c, first, k, &failed) / (double)c[first].n;
        out->rows += (double)(c[first].g.first[k + 1] - c[first].g.first[k]) / (double)c[first].n;
    }
    out->design.between = fmax(0, out->rows > 0 ? all - out->design.within / out->rows : all);
    clusters_free(&c[0]);
    clusters_free(&c[1]);
    return !failed;
}

size_t cg_claims_count(const CgSession *x) { return x->claims ? x->claims->at.len : 0; }

static void source_of(CgSession *x, const CgStmt *s, CgStrbuf *out);

bool cg_claims_pilot(CgSession *x, size_t i, CgPilot *out)
{
    Expected *it = &x->claims->at.at[i];
    CgStrbuf text = { 0 };
    source_of(x, it->stmt, &text);
    *out = (CgPilot){ .claim = it->text,
        .expected = cg_arena_strdup(x->elab->arena, cg_strbuf_str(&text)),
        .side = { it->side[0].value, it->side[1].value },
        .expectations = x->claims->at.len };
    cg_strbuf_deinit(&text);
    x->at = it->stmt->span;
    if (!differences(x, it) || !results_of(x, it))
        return false;
    out->effect = cg_stats_mean(it->d, it->n);
    int64_t look = it->nsplits ? look_of(x, it) : 0;
    out->look = look > 0 ? look + 1 : look;
    out->clusters = it->n;
    out->design.power = 0.8;
    out->design.level = cg_claim_level(out->look) / (double)out->expectations; /* the least that Holm asks for */
    return it->n < 2 || variances(x, it, out);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

enum { CLAIM, VERDICT, EXPECTED, LEFT, RIGHT, EFFECT, P, P_HOLM, P_T, CLUSTERS, LOOK, LEVEL, NOTE, COLUMNS };

static const struct {
    const char *name;
    CgCellKind kind;
} columns[COLUMNS] = { { "claim", CG_TEXT }, { "verdict", CG_TEXT }, { "expected", CG_TEXT }, { "left", CG_NUMBER },
    { "right", CG_NUMBER }, { "effect", CG_NUMBER }, { "p", CG_NUMBER }, { "p_holm", CG_NUMBER }, { "p_t", CG_NUMBER },
    { "clusters", CG_INT }, { "look", CG_INT }, { "level", CG_NUMBER }, { "note", CG_TEXT } };

/* As it is written, on one line. */
static void source_of(CgSession *x, const CgStmt *s, CgStrbuf *out)
{
    const CgSource *file = cg_sources_get(x->sources, s->span.file);
    bool blank = false;
    for (uint32_t i = s->a->span.start; i < s->span.end; i++) {
        char c = file->text[i];
        bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space && blank)
            cg_strbuf_putc(out, ' ');
        if (!space)
            cg_strbuf_putc(out, c);
        blank = space;
    }
}

static void note_of(const CgClaim *c, const Expected *it, CgStrbuf *out)
{
    bool undefined = false;
    for (size_t i = 0; i < c->n; i++)
        undefined |= isnan(c->d[i]);
    if (it->failed)
        cg_strbuf_puts(out, "its numbers could not be computed");
    else if (c->look < 0)
        cg_strbuf_puts(out, "the looks at its rows cannot be counted");
    else if (undefined)
        cg_strbuf_printf(out, "undefined for some %s", it->stmt->nnames ? "clusters" : "rows taken alone");
    else if (it->same)
        cg_strbuf_printf(
            out, "all %zu clusters have the same numbers, and so are one: nothing they are made of differs", it->same);
    else if (c->needed)
        cg_strbuf_printf(out, "%zu %s cannot show it at this level: it takes %zu at least", c->n,
            it->stmt->nnames ? "clusters" : "rows", c->needed);
}

static void add_row(CgSession *x, CgTable *t, const Expected *it, const CgClaim *c)
{
    size_t row = cg_table_row(t);
    CgStrbuf text = { 0 };
    double sign = it->less ? -1 : 1;
    cg_table_set(t, row, CLAIM, cg_text(it->text));
    cg_table_set(t, row, VERDICT, cg_text(cg_verdict_name(it->failed ? CG_CANNOT_TELL : c->verdict)));
    source_of(x, it->stmt, &text);
    cg_table_set(t, row, EXPECTED, cg_text(cg_strbuf_str(&text)));
    cg_strbuf_deinit(&text);
    note_of(c, it, &text);
    if (text.len)
        cg_table_set(t, row, NOTE, cg_text(cg_strbuf_str(&text)));
    cg_strbuf_deinit(&text);
    if (it->failed)
        return;
    cg_table_set(t, row, LEFT, cg_number(it->value[0]));
    cg_table_set(t, row, RIGHT, cg_number(it->value[1]));
    cg_table_set(t, row, EFFECT, cg_number(sign * c->effect.value));
    if (!c->effect.why)
        cg_table_spread(t, row, EFFECT,
            it->less ? (CgSpread){ -c->effect.high, -c->effect.low } : (CgSpread){ c->effect.low, c->effect.high });
    cg_table_set(t, row, P, cg_number(c->signs.p));
    cg_table_set(t, row, P_HOLM, cg_number(c->p));
    cg_table_set(t, row, P_T, cg_number(c->t.p));
    cg_table_set(t, row, CLUSTERS, cg_whole((int64_t)c->n));
    if (c->look > 0)
        cg_table_set(t, row, LOOK, cg_whole(c->look));
    cg_table_set(t, row, LEVEL, cg_number(c->level));
}

const CgTable *cg_claims_test(CgSession *x)
{
    CgClaims *all = x->claims;
    CgErr err = { 0 };
    if (all->table)
        return all->table;
    if (all->testing) {
        cg_err(&err, CG_ERR_INPUT, "a claim is about the verdicts of claims");
        cg_session_err(x, x->at, &err);
        return NULL;
    }
    all->testing = true;
    CgClaim *c = cg_calloc(all->at.len + 1, sizeof *c);
    for (size_t i = 0; i < all->at.len && !cg_session_stopped(x); i++) {
        Expected *it = &all->at.at[i];
        x->at = it->stmt->span;
        it->failed = !differences(x, it) || !results_of(x, it);
    }
    for (size_t i = 0; i < all->at.len && !cg_session_stopped(x); i++) {
        const Expected *it = &all->at.at[i];
        c[i] = (CgClaim){ .d = it->d, .n = it->failed ? 0 : it->n, .look = it->failed ? 0 : look_of(x, it) };
    }
    all->testing = false;
    if (!cg_session_stopped(x)) {
        cg_stats_claims(c, all->at.len);
        all->table = cg_table_new();
        for (int k = 0; k < COLUMNS; k++)
            cg_table_add(all->table, columns[k].name, columns[k].kind);
        for (size_t i = 0; i < all->at.len; i++)
            add_row(x, all->table, &all->at.at[i], &c[i]);
    }
    free(c);
    return all->table;
}

/* ---- as text -------------------------------------------------------------------------------------------- */

/* A claim of several expectations is supported where all are, and refuted where one is. */
static const char *verdict_of(const CgTable *t, size_t from, size_t to)
{
    bool all = true;
    for (size_t r = from; r < to; r++) {
        if (!strcmp(t->column[VERDICT].at[r].text, cg_verdict_name(CG_REFUTED)))
            return cg_verdict_name(CG_REFUTED);
        all &= !strcmp(t->column[VERDICT].at[r].text, cg_verdict_name(CG_SUPPORTED));
    }
    return cg_verdict_name(all ? CG_SUPPORTED : CG_CANNOT_TELL);
}

static void print_row(const CgTable *t, size_t r, CgStrbuf *out)
{
    const CgColumn *effect = &t->column[EFFECT];
    cg_strbuf_printf(out, "  %s: %s\n", t->column[EXPECTED].at[r].text, t->column[VERDICT].at[r].text);
    if (!effect->at[r].missing) {
        cg_strbuf_printf(out, "    %.4g and %.4g; difference %.3g", cg_table_number(t, r, LEFT),
            cg_table_number(t, r, RIGHT), cg_table_number(t, r, EFFECT));
        if (effect->spread && !isnan(effect->spread[r].low))
            cg_strbuf_printf(out, ", 95%% interval %.3g to %.3g", effect->spread[r].low, effect->spread[r].high);
        cg_strbuf_printf(out, ", %lld pairs\n", (long long)t->column[CLUSTERS].at[r].whole);
        cg_strbuf_printf(out, "    permutation test p = %.3g", cg_table_number(t, r, P));
        if (t->rows > 1)
            cg_strbuf_printf(out, " (Holm over %zu: %.3g)", t->rows, cg_table_number(t, r, P_HOLM));
        if (isnan(cg_table_number(t, r, P_T)))
            cg_strbuf_puts(out, "; the paired t test has none");
        else
            cg_strbuf_printf(out, "; beside it paired t test p = %.3g", cg_table_number(t, r, P_T));
        int64_t look = t->column[LOOK].at[r].missing ? 0 : t->column[LOOK].at[r].whole;
        if (look > 1)
            cg_strbuf_printf(out, "; look %lld at these test rows, level 0.05 / %lld = %.3g\n", (long long)look,
                (long long)(look * (look + 1) / 2), cg_table_number(t, r, LEVEL));
        else
            cg_strbuf_printf(
                out, "; %s, level 0.05\n", look ? "look 1 at these test rows" : "no evaluation is behind it");
    }
    if (!t->column[NOTE].at[r].missing)
        cg_strbuf_printf(out, "    %s\n", t->column[NOTE].at[r].text);
}

void cg_claims_print(const CgTable *t, CgStrbuf *out)
{
    for (size_t from = 0, to; from < t->rows; from = to) {
        const char *text = t->column[CLAIM].at[from].text;
        for (to = from + 1; to < t->rows && !strcmp(t->column[CLAIM].at[to].text, text); to++)
            ;
        cg_strbuf_printf(out, "claim %s: %s\n", verdict_of(t, from, to), t->column[CLAIM].at[from].text);
        for (size_t r = from; r < to; r++)
            print_row(t, r, out);
    }
}

/* ---- claims() ------------------------------------------------------------------------------------------- */

static CgValue *build_claims(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgSchema *schema = cg_schema_new(e);
    (void)f;
    for (int k = 0; k < COLUMNS; k++)
        cg_schema_add(e, schema, cg_intern(columns[k].name), columns[k].kind == CG_TEXT);
    return cg_table_later(e, a, schema);
}

static CgValue *run_claims(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgTable *t = cg_claims_test(x);
    (void)call;
    (void)args;
    return t ? cg_session_own(x, &cg_class_table, cg_table_copy(t)) : NULL;
}

static const CgFunction fn_claims = { CG_FUNCTION_HERE, .name = "claims", .sig = "() -> table", .build = build_claims,
    .run = run_claims,
    .doc = "The claims of the script, tested: a row for each expectation with its verdict, the effect and its 95% "
           "interval, the p of the permutation test as it is, by Holm over all of them and of the paired t test, and "
           "the level that the look at these rows has left." };

CG_FUNCTIONS(claim, &fn_claims)
