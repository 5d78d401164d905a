/* examples.c - rows out of records as values of the language.
 * Takes descriptions of fields, checked before anything is read; gives a dataset when a stage runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/examples.h"
#include "library/dataset.h"

enum { COLUMN, TOKENIZER, LENGTH, TOO_LONG, END, ANSWER, DTYPE, SIZE, BELOW, CLASSES };

/* ---- one field ---- */

static const char **strings_of(CgElab *e, const CgValue *v, int *n)
{
    *n = v->kind == CG_VALUE_LIST ? v->n : 1;
    const char **at = CG_NEWN(e->arena, const char *, *n + 1);
    for (int i = 0; i < *n; i++)
        at[i] = v->kind == CG_VALUE_LIST ? v->at[i]->s : v->s;
    return at;
}

/* A column of texts is the template that holds it alone. */
static const char *template_of(CgElab *e, const char *s)
{
    return strchr(s, '$') || !*s ? s : cg_arena_printf(e->arena, "${%s}", s);
}

static CgExampleField field_of(CgElab *e, const char *name, CgValue *const *a)
{
    CgExampleField f = { .name = name, .dtype = CG_F32 };
    if (a[TOKENIZER]->kind != CG_VALUE_NONE) {
        const CgValue *size = cg_record_find(a[TOKENIZER], cg_intern("size"));
        f.tokens = true;
        f.text = template_of(e, a[COLUMN]->s);
        f.answer = a[ANSWER]->kind == CG_VALUE_STR ? template_of(e, a[ANSWER]->s) : NULL;
        f.length = a[LENGTH]->i;
        f.end = a[END]->i;
        f.too_long = !strcmp(a[TOO_LONG]->s, "cut") ? CG_TOO_LONG_CUT
            : !strcmp(a[TOO_LONG]->s, "drop")       ? CG_TOO_LONG_DROP
                                                    : CG_TOO_LONG_REFUSE;
        f.tokenizer = a[TOKENIZER]->kind == CG_VALUE_OBJECT ? a[TOKENIZER]->held : NULL;
        f.vocabulary = f.tokenizer ? f.tokenizer->size : size && size->kind == CG_VALUE_INT ? (int32_t)size->i : 0;
        return f;
    }
    f.columns = strings_of(e, a[COLUMN], &f.ncolumns);
    f.dtype = (CgDtype)a[DTYPE]->i;
    f.size = a[SIZE]->i;
    f.below = a[BELOW]->i;
    if (a[CLASSES]->n)
        f.classes = strings_of(e, a[CLASSES], &f.nclasses);
    return f;
}

static CgValue *refuse(CgElab *e, CgSpan at, const char *what)
{
    cg_elab_error(e, CG_E0312, at, "%s", what);
    return cg_value_poison(e);
}

static bool refused(CgElab *e, CgSpan at, const char *what)
{
    refuse(e, at, what);
    return false;
}

static CgValue *build_field(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    bool tokens = a->at[TOKENIZER]->kind != CG_VALUE_NONE, several = a->at[COLUMN]->kind == CG_VALUE_LIST;
    if (several && (tokens || !a->at[COLUMN]->n))
        return refuse(e, a->span[COLUMN],
            tokens ? "a text of several fields is written \"$one and $two\"" : "a field is of one column or more");
    if (tokens && (a->at[LENGTH]->i < 1 || a->at[LENGTH]->i > 1 << 20))
        return refuse(e, a->span[LENGTH], "tokens need a 'length' from 1 to 1048576: what is shorter is filled up");
    if (!tokens && (a->written[LENGTH] || a->written[TOO_LONG] || a->written[END] || a->written[ANSWER]))
        return refuse(e, a->call, "'length', 'too_long', 'end' and 'answer' are of tokens: name a 'tokenizer', too");
    if (tokens && (a->written[DTYPE] || a->written[SIZE] || a->written[BELOW] || a->written[CLASSES]))
        return refuse(e, a->call, "'dtype', 'size', 'below' and 'classes' are of numbers, not of tokens");
    if (cg_dtype_is_narrow((CgDtype)a->at[DTYPE]->i))
        return refuse(e, a->span[DTYPE], "fields are f32, f64, i32, i64 or bool: a graph casts them");
    if (a->written[CLASSES] && !a->at[CLASSES]->n)
        return refuse(e, a->span[CLASSES], "'classes' names one class or more");
    if (a->at[CLASSES]->n
        && (a->written[SIZE] || a->written[BELOW] || a->at[DTYPE]->i != (a->written[DTYPE] ? CG_I32 : CG_F32)))
        return refuse(e, a->call,
            "a class is an i32 below the number of 'classes': 'size', 'below' and another 'dtype' are not of it");
    if (a->at[BELOW]->i > 0 && a->at[DTYPE]->i != CG_I32 && a->at[DTYPE]->i != CG_I64)
        return refuse(e, a->span[BELOW], "'below' is of integers: dtype = i32, or i64");
    if (several && (a->at[SIZE]->i || a->at[CLASSES]->n))
        return refuse(e, a->span[COLUMN], "a list and a class are of one column");
    for (int i = 0; i < a->at[CLASSES]->n; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(a->at[CLASSES]->at[i]->s, a->at[CLASSES]->at[k]->s))
                return refuse(e, a->span[CLASSES], "each class is named once");
    if (a->at[SIZE]->i < 0 || a->at[BELOW]->i < 0)
        return refuse(e, a->call, "'size' and 'below' are 0 or more");
    for (int i = 0; i < 2 && tokens; i++) {
        CgErr err = { 0 };
        int k = i ? ANSWER : COLUMN;
        if (a->at[k]->kind == CG_VALUE_STR && !cg_example_template_ok(a->at[k]->s, &err)) {
            cg_elab_err(e, a->span[k], &err);
            return cg_value_poison(e);
        }
    }
    return cg_function_later(e, a, 0);
}

static CgValue *run_field(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)call;
    CgExampleField *f = CG_NEW(x->elab->arena, CgExampleField);
    *f = field_of(x->elab, "", args);
    return cg_value_held(x->elab, &cg_class_field, f);
}

static const CgFunction fn_field = { CG_FUNCTION_HERE, .name = "field",
    .sig =
        "(column: str | str[], tokenizer: tokenizer | none = none, length: int = 0, too_long: { refuse, cut, drop } "
        "= \"refuse\", end: bool = true, answer: str | none = none, dtype: dtype = f32, size: int = 0, below: int = 0, "
        "classes: str[] = []) -> field",
    .build = build_field, .run = run_field,
    .doc =
        "What a field of examples is made of. With a tokenizer: text, a column or a template such as \"Q: $question\", "
        "as i32[length], filled up with the end token; NAME_mask is 1 on what is text or the end behind it. With an "
        "answer, which follows the text, NAME_next are the tokens one place on and NAME_mask is 1 where they are of "
        "the answer. Without: numbers, of one column, of several (f32[n]) or of a list of `size`; or the number of "
        "one of `classes`." };

/* ---- examples ---- */

/* The field of a record of fields: what field(...) says, or a column or columns of numbers. False: it is none. */
static bool read_field(CgElab *e, const char *name, const CgValue *v, CgExampleField *out)
{
    if (v->kind == CG_VALUE_CALL && v->function == &fn_field) {
        *out = field_of(e, name, v->at);
        return true;
    }
    if (v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_field) {
        *out = *(const CgExampleField *)v->held;
        out->name = name;
        return true;
    }
    for (int i = 0; v->kind == CG_VALUE_LIST && i < v->n; i++)
        if (v->at[i]->kind != CG_VALUE_STR)
            return false;
    if (v->kind != CG_VALUE_STR && (v->kind != CG_VALUE_LIST || !v->n))
        return false;
    *out = (CgExampleField){ .name = name, .dtype = CG_F32 };
    out->columns = strings_of(e, v, &out->ncolumns);
    return true;
}

static bool check_examples(CgElab *e, const CgArguments *a, CgValue *data)
{
    const CgValue *source = a->at[0], *of = a->at[1];
    for (int i = 0; source->kind == CG_VALUE_RECORD && i < source->n; i++)
        if (source->at[i]->kind != CG_VALUE_STR)
            return refused(e, a->span[0], "examples of lines name one file for each field: { name: \"file.txt\" }");
    if (a->at[3]->i < 0)
        return refused(e, a->span[3], "'limit' is a number of rows, or 0 for all");
    if (!of->n)
        return refused(e, a->span[1], "examples have one field or more: { x: field(\"column\"), .. }");
    CgField *field = CG_NEWN(e->arena, CgField, of->n * CG_EXAMPLE_FIELDS + 1);
    CgValue **tokenizer = CG_NEWN(e->arena, CgValue *, of->n * CG_EXAMPLE_FIELDS + 1);
    int n = 0;
    for (int i = 0; i < of->n; i++) {
        CgExampleField one;
        if (!read_field(e, of->keys[i], of->at[i], &one)) {
            CgDiag *d = cg_elab_error(e, CG_E0312, of->at[i]->span.file ? of->at[i]->span : a->span[1],
                "field '%s' is %s; fields are columns or field(...)", of->keys[i], cg_value_kind_name(of->at[i]));
            cg_diag_help(
                d, "\"column\" or [\"one\", \"two\"] are numbers, field(\"column\", tokenizer, length = 64) is text");
            return false;
        }
        int made = cg_example_fields(&one, field + n);
        for (int k = 0; k < made; k++, n++)
            tokenizer[n] = one.tokens && field[n].dtype == CG_I32 ? of->at[i]->at[TOKENIZER] : NULL;
    }
    CgDataFields *fields = cg_data_fields_new(e, data, field, n);
    for (int i = 0; i < n; i++)
        fields->tokenizer[i] = tokenizer[i];
    fields->origin = a->span[1].file ? a->span[1] : data->span;
    return true;
}

static CgDataset *open_examples(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    (void)call;
    CgElab *e = x->elab;
    const CgValue *source = args[0], *of = args[1];
    CgExampleField *field = CG_NEWN(e->arena, CgExampleField, of->n + 1);
    for (int i = 0; i < of->n; i++)
        if (!read_field(e, of->keys[i], of->at[i], &field[i]))
            CG_BUG("a field of examples that was checked");
    CgExamples what = { .field = field, .n = of->n, .limit = args[3]->i };
    if (source->kind == CG_VALUE_RECORD) {
        const char **path = CG_NEWN(e->arena, const char *, source->n + 1);
        for (int i = 0; i < source->n; i++)
            path[i] = source->at[i]->s;
        what.path = path;
        what.npaths = source->n;
        what.column = source->keys;
    } else if (source->kind == CG_VALUE_OBJECT) {
        what.corpus = source->held;
    } else {
        what.path = strings_of(e, source, &what.npaths);
    }
    CgExamplesLost lost = { 0 };
    CgDataset *d = cg_examples_load(&what, &lost, err);
    if (d && lost.dropped && !x->opts.quiet)
        cg_session_say(x, "%lld of %lld examples are too long and were dropped", (long long)lost.dropped,
            (long long)(lost.dropped + d->rows));
    if (d && lost.cut && !x->opts.quiet)
        cg_session_say(
            x, "%lld texts of %lld examples are too long and were cut", (long long)lost.cut, (long long)d->rows);
    return cg_dataset_said(x, d);
}

CG_DATASET(examples,
    .sig = "(source: str | str[] | record | corpus, fields: record, shares: float[] = [0.9, 0.05, 0.05], limit: int = "
           "0) -> "
           "dataset",
    .check = check_examples, .open = open_examples,
    .doc =
        "Rows out of records: of JSON Lines or CSV, by path or pattern, of the lines of files that belong together, "
        "{ de: \"a.de\", en: \"a.en\" }, or of a corpus: each document is a record with the field \"text\", those of "
        "synthetic(\"recall\") have \"facts\", \"question\" and \"answer\". Each field of the rows is field(...), or a "
        "column or list of columns of "
        "numbers. batch.NAME has the field's type with the rows in front. `.train .valid .test` are rows of one split "
        "each, by their content.")

CG_CLASS(field, .article = "a field of examples",
    .doc = "How a field of examples is made: its text, tokenizer and length, or its classes.")
CG_FUNCTIONS(examples, &fn_field)
