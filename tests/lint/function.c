/* function.c - is what a plugin's function says of itself true?
 * Takes a function; calls it with every kind of value that its signature names, and odd ones of each. */
#include <math.h>
#include <string.h>

#include "experiment/experiment.h"
#include "library/library.h"
#include "lint.h"

enum { MOST = 24 }; /* values of a parameter */

typedef struct Values {
    CgValue *at[MOST];
    int n;
} Values;

static void add_value(Values *v, CgValue *value)
{
    if (v->n < MOST)
        v->at[v->n++] = value;
}

static CgValue *numbers(CgSession *x, size_t n)
{
    CgNumbers *c = cg_numbers_new(x, n);
    for (size_t i = 0; i < n; i++)
        c->at[i] = i == 2 ? NAN : i == 3 ? 1e300 : 2.385 * (double)i - 3.1;
    return cg_value_held(x->elab, &cg_class_column, c);
}

static CgValue *labels(CgSession *x, size_t n)
{
    static const char *const text[] = { "a b", "", NULL, "\xc3\xbc b c" };
    CgNumbers *c = cg_numbers_new(x, n);
    c->text = CG_NEWN(x->elab->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        c->text[i] = text[i % CG_LEN(text)];
    return cg_value_held(x->elab, &cg_class_labels, c);
}

static CgValue *tokens(CgSession *x, const CgTokenizer *t, size_t n)
{
    static const int32_t ids[] = { 'a', ' ', 'b', 0, 1, 255, 300, -2 };
    CgIdsRow *r = CG_NEW(x->elab->arena, CgIdsRow);
    *r = (CgIdsRow){ .at = ids, .n = n, .tokenizer = t };
    return cg_value_held(x->elab, &cg_class_tokens, r);
}

static void put_class(CgSession *x, const CgTokenizer *t, const CgClass *cls, Values *v)
{
    if (cls == &cg_class_column) {
        add_value(v, numbers(x, 7));
        add_value(v, numbers(x, 1));
        add_value(v, numbers(x, 0));
    } else if (cls == &cg_class_labels) {
        add_value(v, labels(x, 5));
        add_value(v, labels(x, 0));
    } else if (cls == &cg_class_tokens) {
        add_value(v, tokens(x, t, 3));
        add_value(v, tokens(x, t, 8));
        add_value(v, tokens(x, t, 0));
        add_value(v, tokens(x, NULL, 4));
    }
}

static void put_number(CgElab *e, bool whole, Values *v)
{
    static const double odd[] = { 0.25, 0, -1.5, NAN, INFINITY, -1e300 };
    static const int64_t odd_whole[] = { 3, 0, -7, INT64_MAX, INT64_MIN };
    for (size_t i = 0; whole && i < CG_LEN(odd_whole); i++)
        add_value(v, cg_value_int(e, odd_whole[i], (CgSpan){ 0 }));
    for (size_t i = 0; !whole && i < CG_LEN(odd); i++)
        add_value(v, cg_value_float(e, odd[i], (CgSpan){ 0 }));
}

/* The first is the plainest. */
static void values_of(CgSession *x, const CgTokenizer *t, const CgKinds *k, Values *v)
{
    CgElab *e = x->elab;
    CgSpan none = { 0 };
    for (int i = 0; i < k->n; i++) {
        CgKindTag tag = k->at[i].tag;
        if (tag == CG_KIND_INT || tag == CG_KIND_FLOAT)
            put_number(e, tag == CG_KIND_INT, v);
        else if (tag == CG_KIND_BOOL)
            add_value(v, cg_value_bool(e, true, none)), add_value(v, cg_value_bool(e, false, none));
        else if (tag == CG_KIND_NONE)
            add_value(v, cg_value_new(e, CG_VALUE_NONE, none));
        else if (tag == CG_KIND_CLASS)
            put_class(x, t, k->at[i].cls, v);
        else if (tag == CG_KIND_STR && k->choice)
            for (int c = 0; c < k->choice->nchoices; c++)
                add_value(v, cg_value_str(e, k->choice->choices[c], none));
        else if (tag == CG_KIND_STR)
            add_value(v, cg_value_str(e, "a b c", none)), add_value(v, cg_value_str(e, "", none)),
                add_value(v, cg_value_str(e, "\xc3\xbc\n", none));
    }
}

static bool same(const CgValue *a, const CgValue *b)
{
    if (!a || !b)
        return a == b;
    double x = 0, y = 0;
    if (cg_value_number(a, &x) && cg_value_number(b, &y))
        return x == y || (isnan(x) && isnan(y));
    return a->kind == CG_VALUE_STR && b->kind == CG_VALUE_STR && a->s == b->s;
}

static bool fits(const CgKinds *k, const CgValue *v)
{
    return (v->kind == CG_VALUE_STR && cg_kinds_have(k, CG_KIND_STR, NULL))
        || (v->kind == CG_VALUE_INT && cg_kinds_have(k, CG_KIND_INT, NULL))
        || (v->kind == CG_VALUE_FLOAT
            && (cg_kinds_have(k, CG_KIND_FLOAT, NULL) || cg_kinds_have(k, CG_KIND_INT, NULL)));
}

/* Calls it twice. */
static void call(CgSession *x, const CgFunction *f, CgValue **args)
{
    const CgSignature *s = cg_function_signature(f);
    CgArguments a = { .function = f, .n = s->n };
    for (int i = 0; i < s->n; i++)
        a.at[i] = args[i];
    const CgValue *site = cg_function_later(x->elab, &a, 0), *out[2];
    for (int turn = 0; turn < 2; turn++) {
        cg_diags_clear(x->diags);
        out[turn] = f->run(x, site, args);
        size_t said = cg_diags_count(x->diags);
        check(out[turn] || said, "it gives NULL and reports no mistake");
        check(!out[turn] || !said, "it reports a mistake and gives a value");
        check(!out[turn] || fits(&s->result, out[turn]), "its result is %s, which its signature does not say",
            out[turn] ? cg_value_kind_name(out[turn]) : "");
    }
    check(same(out[0], out[1]), "the second of two equal calls gives another result");
}

void lint_function(const CgFunction *f)
{
    const CgSessionOpts opts = { .texts = &(CgOpenText){ "lint.cg", "show 1\n", 7 }, .ntexts = 1 };
    CgSession *x = cg_experiment_new("lint.cg", &opts);
    CgTokenizer *t = cg_tokenizer_bytes();
    const CgSignature *s = cg_function_signature(f);
    Values values[CG_MAX_ARGS] = { { { NULL }, 0 } };
    CgValue *args[CG_MAX_ARGS];
    for (int i = 0; i < s->n; i++) {
        values_of(x, t, &s->param[i], &values[i]);
        args[i] = values[i].at[0];
    }
    claim_begin_of(f->name, f->file, f->line, "its arguments as they should be");
    call(x, f, args);
    claim_end();
    for (int i = 0; i < s->n; i++) {
        char name[100];
        snprintf(name, sizeof name, "any '%.60s'", s->stmt->params[i].name);
        claim_begin_of(f->name, f->file, f->line, name);
        for (int k = 0; k < values[i].n; k++) {
            args[i] = values[i].at[k];
            call(x, f, args);
        }
        claim_end();
        args[i] = values[i].at[0];
    }
    cg_tokenizer_free(t);
    cg_diags_clear(x->diags);
    cg_experiment_free(x);
}
