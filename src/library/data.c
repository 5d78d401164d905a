/* data.c - corpora and windows as values of the language.
 * Takes their descriptions; gives OBJECT values while elaborating (nothing is read), and the data itself when a stage
 * runs. Each corpus and each set of windows is made once a run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/synth.h"
#include "library/library.h"
#include "stage/session.h"

static CgSpan at_of(const CgExpr *call, CgValue **args) { return call ? call->span : args[0]->span; }

bool cg_is_corpus(const CgValue *v)
{
    return v->kind == CG_VALUE_OBJECT
        && (!strcmp(v->s, "corpus") || !strcmp(v->s, "synthetic") || !strcmp(v->s, "mix") || !strcmp(v->s, "shuffled"));
}

static CgValue *describe(CgElab *e, const char *cls, CgSpan span, int n, const char *const *keys, CgValue **args)
{
    CgValue *v = cg_value_object(e, cls, n, span);
    for (int i = 0; i < n; i++) {
        v->keys[i] = cg_intern(keys[i]);
        v->at[i] = args[i];
    }
    return v;
}

/* A number may be of the right kind and still be wrong: it is shown itself. */
static CgValue *wrong(CgElab *e, CgSpan span, const char *what, const CgValue *got)
{
    CgStrbuf number = { 0 };
    if (got->kind == CG_VALUE_INT || got->kind == CG_VALUE_FLOAT)
        cg_value_print(got, &number);
    cg_elab_error(e, CG_E0305, span, "%s, not %s", what, number.len ? cg_strbuf_str(&number) : cg_value_kind_name(got));
    cg_strbuf_deinit(&number);
    return cg_value_poison(e);
}

static CgValue *corpus(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    if (args[0]->kind != CG_VALUE_STR && args[0]->kind != CG_VALUE_LIST)
        return wrong(e, span, "corpus takes a path, a pattern or a list of them", args[0]);
    for (int i = 0; args[0]->kind == CG_VALUE_LIST && i < args[0]->n; i++)
        if (args[0]->at[i]->kind != CG_VALUE_STR)
            return wrong(e, span, "a path is a string", args[0]->at[i]);
    if (args[1]->kind != CG_VALUE_NONE && args[1]->kind != CG_VALUE_STR && args[1]->kind != CG_VALUE_LIST)
        return wrong(e, span, "'field' is a name or a list of names", args[1]);
    if (args[2]->kind != CG_VALUE_INT)
        return wrong(e, span, "'limit' is a number of bytes", args[2]);
    static const char *const keys[] = { "path", "field", "limit" };
    return describe(e, "corpus", span, 3, keys, args);
}

static CgValue *synthetic(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    double knob;
    if (args[0]->kind != CG_VALUE_STR || !cg_synth_find(args[0]->s)) {
        CgStrbuf kinds = { 0 };
        for (int i = 0; i < cg_synth_count(); i++)
            cg_strbuf_printf(&kinds, "%s%s", i ? ", " : "", cg_synth_kind(i)->name);
        CgDiag *d = cg_elab_error(e, CG_E0305, span, "synthetic does not know this kind of text");
        cg_diag_help(d, "the kinds are %s", cg_strbuf_str(&kinds));
        cg_strbuf_deinit(&kinds);
        return cg_value_poison(e);
    }
    if (args[1]->kind != CG_VALUE_INT || args[1]->i < 1 || args[2]->kind != CG_VALUE_INT)
        return wrong(e, span, "'size' and 'seed' are whole numbers", args[1]->kind != CG_VALUE_INT ? args[1] : args[2]);
    if (args[3]->kind != CG_VALUE_NONE && !cg_value_number(args[3], &knob))
        return wrong(e, span, "'knob' is a number", args[3]);
    static const char *const keys[] = { "kind", "size", "seed", "knob" };
    return describe(e, "synthetic", span, 4, keys, args);
}

static CgValue *mix(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    double share;
    if (args[0]->kind != CG_VALUE_LIST || args[1]->kind != CG_VALUE_LIST || args[0]->n != args[1]->n || args[0]->n < 1)
        return wrong(e, span, "mix takes a list of corpora and a list of as many shares", args[0]);
    for (int i = 0; i < args[0]->n; i++) {
        if (!cg_is_corpus(args[0]->at[i]))
            return wrong(e, span, "mix takes corpora", args[0]->at[i]);
        if (!cg_value_number(args[1]->at[i], &share) || share < 0)
            return wrong(e, span, "a share is a number from 0 on", args[1]->at[i]);
    }
    static const char *const keys[] = { "parts", "shares" };
    return describe(e, "mix", span, 2, keys, args);
}

static CgValue *shuffle_tokens(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    if (!cg_is_corpus(args[0]) || args[1]->kind != CG_VALUE_INT)
        return wrong(e, span, "shuffle_tokens takes a corpus", args[0]);
    static const char *const keys[] = { "of", "seed" };
    return describe(e, "shuffled", span, 2, keys, args);
}

static CgValue *windows(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    double share;
    if (cg_is_corpus(args[0])) { /* a whole corpus stands for its training split only where that is said */
        CgDiag *d = cg_elab_error(e, CG_E0305, span, "windows are taken from one split of a corpus");
        cg_diag_help(d, "add .train, .valid, .test or .all");
        return cg_value_poison(e);
    }
    if (args[0]->kind != CG_VALUE_OBJECT || strcmp(args[0]->s, "split"))
        return wrong(e, span, "windows are taken from a split of a corpus", args[0]);
    if (args[1]->kind != CG_VALUE_OBJECT || !cg_record_find(args[1], cg_intern("mark")))
        return wrong(e, span, "windows need a tokenizer such as bytes()", args[1]);
    if (args[2]->kind != CG_VALUE_INT || args[2]->i < 1 || args[2]->i > 1 << 20)
        return wrong(e, span, "'length' is a number of tokens from 1 to 1048576", args[2]);
    for (int i = 3; i <= 6; i += 1)
        if (i != 4 && args[i]->kind != CG_VALUE_INT)
            return wrong(e, span, "'count', 'span' and 'group' are whole numbers", args[i]);
    if (!cg_value_number(args[4], &share) || share < 0 || share > 1)
        return wrong(e, span, "'copies' is a share from 0 to 1", args[4]);
    if (args[6]->i < 0 || args[5]->i < 0 || (args[6]->i > 0 && args[5]->i % args[6]->i))
        return wrong(e, span, "'span' is a whole number of groups of 'group' tokens", args[6]);
    static const char *const keys[] = { "split", "tokenizer", "length", "count", "copies", "span", "group" };
    return describe(e, "windows", span, 7, keys, args);
}

static CgValue *batches(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    if (args[0]->kind != CG_VALUE_STR)
        return wrong(e, span, "batches takes the path of a safetensors file", args[0]);
    CgTensors t = { 0 };
    CgErr err = { 0 };
    if (!cg_safetensors_read(args[0]->s, &t, &err)) {
        cg_diag_err(e->diags, span, &err);
        return cg_value_poison(e);
    }
    const CgTensor *a = cg_tensors_find(&t, "tokens"), *b = cg_tensors_find(&t, "next");
    bool good = a && b && a->dtype == CG_I32 && b->dtype == CG_I32 && a->rank == 3 && b->rank == 3
        && !memcmp(a->dim, b->dim, 3 * sizeof *a->dim) && a->dim[0] > 0;
    CgValue *v = cg_value_object(e, "batches", 3, span);
    static const char *const keys[] = { "path", "length", "rows" };
    for (int i = 0; i < 3; i++)
        v->keys[i] = cg_intern(keys[i]);
    v->at[0] = args[0];
    v->at[1] = cg_value_int(e, good ? a->dim[2] : 1, span);
    v->at[2] = cg_value_int(e, good ? a->dim[1] : 1, span);
    cg_tensors_free(&t);
    if (good)
        return v;
    cg_elab_error(e, CG_E0505, span, "'%s' does not hold 'tokens' and 'next' as i32[steps, batch, length]", args[0]->s);
    return cg_value_poison(e);
}

CgValue *cg_data_field(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *s)
{
    if (of->kind != CG_VALUE_OBJECT)
        return cg_table_field(e, of, name, span, s);
    if (cg_is_corpus(of)) {
        static const char *const splits[] = { "train", "valid", "test", "all" };
        for (int i = 0; i < 4; i++) {
            cg_suggest_offer(s, splits[i]);
            if (strcmp(splits[i], name))
                continue;
            CgValue *v = cg_value_object(e, "split", 2, span);
            v->keys[0] = cg_intern("corpus");
            v->at[0] = of;
            v->keys[1] = cg_intern("which");
            v->at[1] = cg_value_int(e, i, span);
            return v;
        }
        return NULL;
    }
    for (int i = 0; i < of->n; i++)
        cg_suggest_offer(s, of->keys[i]);
    return cg_record_find(of, name);
}

/* ---- when a stage runs ----------------------------------------------------------------------------------------- */

static CgValue *part(const CgValue *v, const char *key) { return cg_record_find(v, cg_intern(key)); }

/* A string, or a list of them; whatever else is no string counts for nothing. */
static const char **strings_of(const CgValue *v, int *n)
{
    const char **at = cg_calloc((size_t)(v->kind == CG_VALUE_LIST ? v->n : 0) + 1, sizeof *at);
    *n = 0;
    if (v->kind == CG_VALUE_STR)
        at[(*n)++] = v->s;
    for (int i = 0; v->kind == CG_VALUE_LIST && i < v->n; i++)
        if (v->at[i]->kind == CG_VALUE_STR)
            at[(*n)++] = v->at[i]->s;
    return at;
}

static CgCorpus *load_files(CgValue *v, CgErr *err)
{
    int npaths, nfields;
    const char **paths = strings_of(part(v, "path"), &npaths), **fields = strings_of(part(v, "field"), &nfields);
    CgCorpusOpts opts = { .fields = fields, .nfields = nfields, .limit = (uint64_t)part(v, "limit")->i };
    CgCorpus *c = cg_corpus_load(paths, npaths, &opts, err);
    free(paths);
    free(fields);
    return c;
}

CgCorpus *cg_corpus_of(CgSession *x, CgValue *v)
{
    uint64_t known;
    CgDigest key = cg_value_digest(v);
    if (cg_map_get(&x->corpora, key.low, &known))
        return (CgCorpus *)(uintptr_t)known;
    CgErr err = { 0 };
    CgCorpus *c = NULL;
    if (!strcmp(v->s, "corpus")) {
        c = load_files(v, &err);
    } else if (!strcmp(v->s, "synthetic")) {
        double knob = NAN;
        cg_value_number(part(v, "knob"), &knob);
        c = cg_synth(
            part(v, "kind")->s, (uint64_t)part(v, "size")->i, (uint64_t)part(v, "seed")->i, knob, NULL, NULL, &err);
    } else if (!strcmp(v->s, "mix")) {
        CgValue *parts = part(v, "parts"), *shares = part(v, "shares");
        CgCorpus **at = CG_NEWN(x->elab->arena, CgCorpus *, parts->n + 1);
        double *share = CG_NEWN(x->elab->arena, double, parts->n + 1);
        int n = 0;
        for (int i = 0; i < parts->n; i++) {
            cg_value_number(shares->at[i], &share[n]);
            if (share[n] == 0)
                continue;
            if (!(at[n++] = cg_corpus_of(x, parts->at[i])))
                return NULL;
        }
        c = cg_corpus_mix(at, share, n, &err);
    } else {
        CgCorpus *of = cg_corpus_of(x, part(v, "of"));
        if (!of)
            return NULL;
        c = cg_corpus_shuffle_tokens(of, (uint64_t)part(v, "seed")->i);
    }
    if (!c) {
        cg_session_err(x, v->span, &err);
        return NULL;
    }
    cg_vec_push(&x->all_corpora, c);
    cg_map_put(&x->corpora, key.low, (uint64_t)(uintptr_t)c);
    return c;
}

CgWindows *cg_windows_of(CgSession *x, CgValue *v)
{
    uint64_t known;
    CgDigest key = cg_value_digest(v);
    if (cg_map_get(&x->windows, key.low, &known))
        return (CgWindows *)(uintptr_t)known;
    if (v->kind != CG_VALUE_OBJECT || strcmp(v->s, "windows")) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_INPUT, "an evaluation and a validation take windows(...)");
        cg_session_err(x, v->span, &err);
        return NULL;
    }
    CgValue *split = part(v, "split");
    CgCorpus *c = cg_corpus_of(x, part(split, "corpus"));
    if (!c)
        return NULL;
    double copies = 0;
    cg_value_number(part(v, "copies"), &copies);
    CgWindowOpts opts = { .length = (int)part(v, "length")->i,
        .repeat = copies,
        .span = (int)part(v, "span")->i,
        .group = (int)part(v, "group")->i };
    CgErr err = { 0 };
    const CgTokenizer *t = cg_tokenizer_of(x, part(v, "tokenizer"));
    if (!t)
        return NULL;
    CgWindows *w = cg_windows_new(c, (CgSplit)part(split, "which")->i, t, &opts, &err);
    if (!w) {
        cg_session_err(x, v->span, &err);
        return NULL;
    }
    cg_vec_push(&x->all_windows, w);
    cg_map_put(&x->windows, key.low, (uint64_t)(uintptr_t)w);
    return w;
}

bool cg_data_digest(CgSession *x, CgValue *data, CgDigest *out)
{
    if (!strcmp(data->s, "batches")) {
        CgBytes b;
        CgErr err = { 0 };
        if (!cg_io_read(part(data, "path")->s, &b, &err))
            return cg_session_err(x, data->span, &err);
        *out = cg_digest(b.at, b.len);
        cg_io_release(&b);
        return true;
    }
    CgWindows *w = cg_windows_of(x, data);
    if (!w)
        return false;
    CgDigester *d = cg_digester_new();
    CgDigest one = cg_windows_digest(w);
    int64_t count = part(data, "count")->i;
    cg_digester_add(d, &one, sizeof one);
    cg_digester_add(d, &count, sizeof count);
    *out = cg_digester_free(d);
    return true;
}

const CgBuiltin cg_builtins_data[] = {
    { .name = "corpus",
        .sig = "(path, field = none, limit = 0)",
        .eager = corpus,
        .doc = "Text from files, folders (recursive) or patterns; JSON Lines with a field or fields; gzip of both. "
               "`.train .valid .test` never overlap." },
    { .name = "synthetic",
        .sig = "(kind, size = 1000000, seed = 0, knob = none)",
        .eager = synthetic,
        .doc = "Text made by rule, the same bytes on every machine: markov, grammar, arithmetic, code, json, dyck, "
               "noise." },
    { .name = "mix", .sig = "(parts, shares)", .eager = mix, .doc = "Corpora mixed by their share of tokens." },
    { .name = "shuffle_tokens",
        .sig = "(corpus, seed = 0)",
        .eager = shuffle_tokens,
        .doc = "The same tokens in random order." },
    { .name = "windows",
        .sig = "(split, tokenizer, length = 512, count = 0, copies = 0, span = 0, group = 0)",
        .eager = windows,
        .doc = "Batches of `length` tokens and the tokens one place on (batch.tokens, batch.next); count limits an "
               "evaluation to that many windows from all "
               "over the split; copies is the share of windows that repeat a span of text, the first time with the "
               "tokens of each group in random order when "
               "group is given." },
    { .name = "batches",
        .sig = "(path)",
        .eager = batches,
        .doc = "Batches from a safetensors file: tokens and next, i32[steps, batch, length]." },
    { 0 },
};
