/* dataset.c - datasets as values of the language, and datasets made of others.
 * Takes calls that make datasets; gives their splits, and rows of one or several in another order. Must not know what a
 * row holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/draw.h"
#include "data/rows.h"
#include "library/dataset.h"
#include "stage/rows.h"

CgValue *cg_dataset_owned(CgSession *x, const CgValue *call, CgDataset *d, const CgErr *err)
{
    if (d)
        return cg_session_own(x, &cg_class_dataset, d);
    cg_session_err(x, call->span, err);
    return NULL;
}

CgDataset *cg_dataset_said(const CgSession *x, CgDataset *d)
{
    int64_t copies = d && !x->opts.quiet ? cg_rows_copies(d) : 0;
    if (copies)
        cg_session_say(x, "%lld of %lld rows stand there before; unique(data) leaves them out", (long long)copies,
            (long long)d->rows);
    return d;
}

/* A call whose rows have the fields of its first argument. */
static CgValue *later(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgValue *v = cg_function_later(e, a, 0);
    v->stage = (void *)(uintptr_t)cg_data_fields(a->at[0]);
    return v;
}

static CgValue *wrong_number(CgElab *e, const CgArguments *a, int i, const char *what)
{
    cg_elab_error(e, CG_E0316, a->span[i], "%s, not %lld", what, (long long)a->at[i]->i);
    return cg_value_poison(e);
}

/* ---- splits ---- */

bool cg_split_shares(const CgValue *v, double *valid, double *test)
{
    double at[3] = { 0 }, sum = 0;
    *valid = *test = 0.05;
    for (int i = 0; i < v->n && i < 3; i++)
        if (!cg_value_number(v->at[i], &at[i]) || !(at[i] >= 0 && at[i] < 1e9))
            return false;
    sum = at[0] + at[1] + at[2];
    if (v->n != 3 || !(at[0] > 0))
        return false;
    double scale = sum > 1 - 1e-9 && sum < 1 + 1e-9 ? 1 : sum; /* written as shares, they stay what they are */
    *valid = at[1] / scale;
    *test = at[2] / scale;
    return true;
}

static const CgFunction fn_filter_rows;

static const char *const splits[] = { "train", "valid", "test", "all" };

static CgValue *run_subset(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    CgSplit which = CG_ALL;
    for (size_t i = 0; i < CG_LEN(splits); i++)
        if (!strcmp(splits[i], args[1]->s))
            which = (CgSplit)i;
    return cg_dataset_owned(x, call, cg_rows_split(args[0]->held, which), &err);
}

static const CgFunction fn_subset = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "subset",
    .sig = "(data: dataset, which: { train, valid, test, all }) -> dataset", .build = later, .run = run_subset,
    .doc = "The rows of one split, as `data.train` writes it. A row has one split by what it was made from, whatever "
           "stands beside it." };

static CgValue *entropy_of(CgElab *e, const CgValue *of, CgSpan span)
{
    /* functions that give datasets of other ones are made of no entry */
    const CgDatasetSource *source = of->function->of;
    double bits = source && source->entropy ? source->entropy(of->at) : NAN;
    if (!isnan(bits))
        return cg_value_float(e, bits, span);
    CgDiag *d = cg_elab_error(e, CG_E0302, span, "the entropy of these rows is not known");
    cg_diag_help(d, "it is of some rows that are drawn by rule, as `cg help` of what draws them says");
    return cg_value_poison(e);
}

static CgValue *field_of_dataset(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    cg_suggest_offer(s, "entropy");
    if (!strcmp(name, "entropy") && of->kind == CG_VALUE_CALL)
        return entropy_of(e, of, span);
    for (size_t i = 0; i < CG_LEN(splits); i++) {
        cg_suggest_offer(s, splits[i]);
        if (strcmp(splits[i], name))
            continue;
        CgArguments a = { .function = &fn_subset, .n = 2, .call = span };
        a.at[0] = of;
        a.at[1] = cg_value_str(e, name, span);
        return later(e, NULL, &a);
    }
    for (int i = 0; i < of->n; i++)
        cg_suggest_offer(s, of->keys[i]);
    return of->n ? cg_record_find(of, name) : NULL;
}

/* ---- some rows, in another order ---- */

static CgValue *build_count(CgElab *e, CgFrame *f, const CgArguments *a)
{
    return a->at[1]->i < 0 ? wrong_number(e, a, 1, "a number of rows is 0 or more") : later(e, f, a);
}

static CgValue *pick(
    CgSession *x, const CgValue *call, CgDataset *of, int64_t from, int64_t to, bool shuffled, uint64_t seed)
{
    CgErr err = { 0 };
    uint64_t n = (uint64_t)of->rows, key = cg_draw_key(seed, CG_STREAM_SHUFFLE, n);
    int64_t *index = cg_malloc(sizeof *index * (size_t)(to - from + 1));
    for (int64_t i = from; i < to; i++)
        index[i - from] = shuffled ? (int64_t)cg_draw_permuted(key, n, (uint64_t)i % n) : i % of->rows;
    return cg_dataset_owned(x, call, cg_rows_pick(of, index, to - from, false, call->function->name), &err);
}

static CgValue *run_first(CgSession *x, const CgValue *call, CgValue **args)
{
    CgDataset *of = args[0]->held;
    return pick(x, call, of, 0, args[1]->i < of->rows ? args[1]->i : of->rows, false, 0);
}

static CgValue *run_skip(CgSession *x, const CgValue *call, CgValue **args)
{
    CgDataset *of = args[0]->held;
    return pick(x, call, of, args[1]->i < of->rows ? args[1]->i : of->rows, of->rows, false, 0);
}

static CgValue *run_shuffle(CgSession *x, const CgValue *call, CgValue **args)
{
    CgDataset *of = args[0]->held;
    return pick(x, call, of, 0, of->rows, true, (uint64_t)args[1]->i);
}

static CgValue *run_repeat(CgSession *x, const CgValue *call, CgValue **args)
{
    CgDataset *of = args[0]->held;
    return pick(x, call, of, 0, of->rows * args[1]->i, false, 0);
}

static CgValue *build_repeat(CgElab *e, CgFrame *f, const CgArguments *a)
{
    return a->at[1]->i < 1 || a->at[1]->i > 1000000 ? wrong_number(e, a, 1, "rows are repeated 1 to 1000000 times")
                                                    : later(e, f, a);
}

static CgValue *run_unique(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    return cg_dataset_owned(x, call, cg_rows_unique(args[0]->held, !strcmp(args[1]->s, "near"), &err), &err);
}

/* ---- what is asked of each row (stage/rows.c) ---- */

/* filter(data, ..) and compute(data, ..) are made with a stage; nobody else has one. */
static CgValue *build_of_stage(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const char *name = a->function == &fn_filter_rows ? "filter" : "compute";
    CgDiag *d = cg_elab_error(e, CG_E0312, a->call, "%s is what %s makes of rows", a->function->name, name);
    cg_diag_help(d, "write %s(data, ..)", name);
    return cg_value_poison(e);
}

static CgValue *run_filter_rows(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    CgDataset *of = args[0]->held;
    const uint8_t *where = cg_stage_rows_output(args[1]->stage, "where")->data;
    int64_t *index = cg_malloc(sizeof *index * (size_t)(of->rows + 1)), n = 0;
    for (int64_t i = 0; i < of->rows; i++)
        if (where[i])
            index[n++] = i;
    return cg_dataset_owned(x, call, cg_rows_pick(of, index, n, false, "filter"), &err);
}

static CgValue *run_compute_rows(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    CgDataset *of = args[0]->held;
    const CgStage *s = args[1]->stage;
    const CgDataFields *fields = cg_data_fields(call);
    const void **column = CG_NEWN(x->elab->arena, const void *, fields->n + 1);
    int n = fields->n - of->nfields;
    for (int i = 0; i < n; i++)
        column[i] = cg_stage_rows_output(s, fields->field[of->nfields + i].name)->data;
    return cg_dataset_owned(x, call, cg_rows_beside(of, fields->field + of->nfields, column, n, s->key), &err);
}

/* ---- several ---- */

static CgValue *build_chain(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (!a->at[0]->n) {
        cg_elab_error(e, CG_E0312, a->span[0], "a chain is of one dataset or more");
        return cg_value_poison(e);
    }
    CgValue *v = cg_function_later(e, a, 0);
    v->stage = (void *)(uintptr_t)cg_data_fields(a->at[0]->at[0]);
    return v;
}

static CgValue *run_chain(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    int n = args[0]->n;
    CgDataset **at = CG_NEWN(x->elab->arena, CgDataset *, n + 1);
    for (int i = 0; i < n; i++)
        at[i] = args[0]->at[i]->held;
    return cg_dataset_owned(x, call, cg_rows_chain(at, n, &err), &err);
}

static const CgFunction fn_filter_rows = { CG_FUNCTION_HERE, .name = "filter_rows",
    .sig = "(data: dataset, by: table, number: int) -> dataset", .build = build_of_stage, .run = run_filter_rows,
    .doc = "What filter makes of a dataset." };
static const CgFunction fn_compute_rows = { CG_FUNCTION_HERE, .name = "compute_rows",
    .sig = "(data: dataset, by: table, number: int) -> dataset", .build = build_of_stage, .run = run_compute_rows,
    .doc = "What compute makes of a dataset." };
static const CgFunction fn_first = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "first",
    .sig = "(data: dataset, n: int) -> dataset", .build = build_count, .run = run_first,
    .doc = "The first n rows; all, where there are fewer." };
static const CgFunction fn_skip = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "skip",
    .sig = "(data: dataset, n: int) -> dataset", .build = build_count, .run = run_skip,
    .doc = "All rows but the first n." };
static const CgFunction fn_shuffle = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "shuffle",
    .sig = "(data: dataset, seed: int = 0) -> dataset", .build = later, .run = run_shuffle,
    .doc = "The same rows in an order that the seed says. A training draws an order of its own each epoch anyway." };
static const CgFunction fn_repeat = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "repeat",
    .sig = "(data: dataset, n: int) -> dataset", .build = build_repeat, .run = run_repeat, .doc = "All rows n times." };
static const CgFunction fn_unique = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "unique",
    .sig = "(data: dataset, how: { exact, near } = \"exact\") -> dataset", .build = later, .run = run_unique,
    .doc = "Each row once: later ones made from the same are left out, or with \"near\" those half of whose text stood "
           "in others before, wherever it began: by chunks of some 200 bytes, so a row of less than that is only known "
           "again when it is the same." };
static const CgFunction fn_chain = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "chain",
    .sig = "(data: dataset[]) -> dataset", .build = build_chain, .run = run_chain,
    .doc = "The rows of several datasets with the same fields, one after the other." };

static CgDigest digest_of_dataset(const void *held) { return ((const CgDataset *)held)->digest; }
static void free_dataset(void *held) { cg_dataset_free(held); }

CG_CLASS(dataset, .article = "a dataset",
    .doc = "Rows with named, typed fields, which a training or an evaluation reads as batch.FIELD.", .shared = true,
    .free = free_dataset, .show = cg_dataset_shown, .field = field_of_dataset, .digest = digest_of_dataset)
CG_FUNCTIONS(dataset, &fn_subset, &fn_filter_rows, &fn_compute_rows, &fn_first, &fn_skip, &fn_shuffle, &fn_repeat,
    &fn_unique, &fn_chain)
