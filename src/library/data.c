/* data.c - corpora, splits and sets of windows as values of the language.
 * Takes their descriptions, checked before anything is read; gives the data itself when a stage runs. Each corpus and
 * each set of windows is made once a run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/synth.h"
#include "library/library.h"

/* A value of the right kind may still be wrong: it is shown itself. */
static CgValue *wrong(CgElab *e, const CgArguments *a, int i, const char *what)
{
    CgStrbuf found = { 0 };
    cg_value_print(a->at[i], &found);
    cg_elab_error(e, CG_E0305, a->span[i], "%s, not %s", what, cg_strbuf_str(&found));
    cg_strbuf_deinit(&found);
    return cg_value_poison(e);
}

static CgValue *field(const CgValue *v, const char *key) { return cg_record_find(v, cg_intern(key)); }

/* ---- corpora ---- */

static CgValue *owned_corpus(CgSession *x, const CgValue *call, CgCorpus *c, const CgErr *err)
{
    if (c)
        return cg_session_own(x, &cg_class_corpus, c);
    cg_session_err(x, call->span, err);
    return NULL;
}

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

static CgValue *run_corpus(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    int npaths, nfields;
    const char **paths = strings_of(args[0], &npaths), **fields = strings_of(args[1], &nfields);
    CgCorpusOpts opts = { .fields = fields, .nfields = nfields, .limit = (uint64_t)args[2]->i };
    CgCorpus *c = cg_corpus_load(paths, npaths, &opts, &err);
    free(paths);
    free(fields);
    return owned_corpus(x, call, c, &err);
}

static CgValue *build_synthetic(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (!cg_synth_find(a->at[0]->s)) {
        CgStrbuf kinds = { 0 };
        CgSuggest near;
        cg_suggest_init(&near, a->at[0]->s);
        for (int i = 0; i < cg_synth_count(); i++) {
            cg_strbuf_printf(&kinds, "%s%s", i ? ", " : "", cg_synth_kind(i)->name);
            cg_suggest_offer(&near, cg_synth_kind(i)->name);
        }
        CgDiag *d = cg_elab_error(e, CG_E0305, a->span[0], "synthetic knows no kind of text \"%s\"", a->at[0]->s);
        if (cg_suggest_best(&near))
            cg_diag_help(d, "did you mean \"%s\"? The kinds are %s", cg_suggest_best(&near), cg_strbuf_str(&kinds));
        else
            cg_diag_help(d, "the kinds are %s", cg_strbuf_str(&kinds));
        cg_strbuf_deinit(&kinds);
        return cg_value_poison(e);
    }
    return a->at[1]->i < 1 ? wrong(e, a, 1, "'size' is a number of bytes from 1 on") : cg_function_later(e, a, 0);
}

static CgValue *run_synthetic(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    double knob = args[3]->kind == CG_VALUE_NONE ? NAN : args[3]->f;
    CgCorpus *c = cg_synth(args[0]->s, (uint64_t)args[1]->i, (uint64_t)args[2]->i, knob, NULL, NULL, &err);
    return owned_corpus(x, call, c, &err);
}

/* What has no share is not even read. */
static CgValue *build_mix(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgValue *parts = a->at[0], *shares = a->at[1];
    if (parts->n != shares->n || parts->n < 1) {
        cg_elab_error(e, CG_E0305, a->span[1], "mix takes as many shares as corpora, one or more; these are %d and %d",
            shares->n, parts->n);
        return cg_value_poison(e);
    }
    CgValue *v = cg_function_later(e, a, 0);
    for (int k = 0; k < 2; k++) {
        v->at[k] = cg_value_list(e, parts->n, a->at[k]->span);
        v->at[k]->n = 0;
        for (int i = 0; i < parts->n; i++) {
            if (!(shares->at[i]->f >= 0))
                return wrong(e, a, 1, "a share is a number from 0 on");
            if (shares->at[i]->f != 0)
                v->at[k]->at[v->at[k]->n++] = a->at[k]->at[i];
        }
    }
    return v;
}

static CgValue *run_mix(CgSession *x, const CgValue *call, CgValue **args)
{
    int n = args[0]->n;
    CgCorpus **at = CG_NEWN(x->elab->arena, CgCorpus *, n + 1);
    double *share = CG_NEWN(x->elab->arena, double, n + 1);
    CgErr err = { 0 };
    for (int i = 0; i < n; i++) {
        at[i] = args[0]->at[i]->held;
        share[i] = args[1]->at[i]->f;
    }
    return owned_corpus(x, call, cg_corpus_mix(at, share, n, &err), &err);
}

static CgValue *run_shuffle_tokens(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    return owned_corpus(x, call, cg_corpus_shuffle_tokens(args[0]->held, (uint64_t)args[1]->i), &err);
}

/* ---- splits ---- */

typedef struct Split {
    CgCorpus *corpus;
    CgSplit which;
} Split;

static const char *const splits[] = { "train", "valid", "test", "all" };

static CgValue *run_split(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)call;
    Split *s = CG_NEW(x->elab->arena, Split);
    s->corpus = args[0]->held;
    for (size_t i = 0; i < CG_LEN(splits); i++)
        if (!strcmp(splits[i], args[1]->s))
            s->which = (CgSplit)i;
    return cg_value_held(x->elab, &cg_class_split, s);
}

static const CgFunction fn_split = { CG_FUNCTION_HERE, .name = "split",
    .sig = "(corpus: corpus, which: { train, valid, test, all }) -> split", .run = run_split,
    .doc = "A part of a corpus, as `corpus.train` writes it. Train, valid and test never overlap." };

static CgValue *field_of_corpus(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    for (size_t i = 0; i < CG_LEN(splits); i++) {
        cg_suggest_offer(s, splits[i]);
        if (strcmp(splits[i], name))
            continue;
        CgArguments a = { .function = &fn_split, .n = 2, .call = span };
        a.at[0] = of;
        a.at[1] = cg_value_str(e, name, span);
        return cg_function_later(e, &a, 0);
    }
    return NULL;
}

/* ---- windows and batches ---- */

static CgValue *build_windows(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (cg_value_class(a->at[0])
        == &cg_class_corpus) { /* a whole corpus stands for its training split only where that is said */
        CgDiag *d = cg_elab_error(e, CG_E0305, a->span[0], "windows are taken from one split of a corpus");
        cg_diag_help(d, "add .train, .valid, .test or .all");
        return cg_value_poison(e);
    }
    if (a->at[2]->i < 1 || a->at[2]->i > 1 << 20)
        return wrong(e, a, 2, "'length' is a number of tokens from 1 to 1048576");
    if (a->at[3]->i < 0)
        return wrong(e, a, 3, "'count' is a number of windows, 0 for all");
    if (!(a->at[4]->f >= 0 && a->at[4]->f <= 1))
        return wrong(e, a, 4, "'copies' is a share from 0 to 1");
    int64_t span = a->at[5]->i, group = a->at[6]->i;
    if (span < 0)
        return wrong(e, a, 5, "'span' is a number of tokens");
    if (group < 0 || (group > 0 && span % group))
        return wrong(e, a, 6, "'span' is a whole number of groups of 'group' tokens");
    return cg_function_later(e, a, 0);
}

static CgValue *run_windows(CgSession *x, const CgValue *call, CgValue **args)
{
    const Split *split = args[0]->held;
    CgErr err = { 0 };
    CgWindowOpts opts = {
        .length = (int)args[2]->i, .repeat = args[4]->f, .span = (int)args[5]->i, .group = (int)args[6]->i
    };
    CgWindows *w = cg_windows_new(split->corpus, split->which, args[1]->held, &opts, &err);
    if (w)
        return cg_session_own(x, &cg_class_dataset, w);
    cg_session_err(x, call->span, &err);
    return NULL;
}

static CgValue *build_batches(CgElab *e, CgFrame *f, const CgArguments *args)
{
    (void)f;
    CgTensors t = { 0 };
    CgErr err = { 0 };
    if (!cg_safetensors_read(args->at[0]->s, &t, &err)) {
        cg_diag_err(e->diags, args->span[0], &err);
        return cg_value_poison(e);
    }
    const CgTensor *a = cg_tensors_find(&t, "tokens"), *b = cg_tensors_find(&t, "next");
    bool good = a && b && a->dtype == CG_I32 && b->dtype == CG_I32 && a->rank == 3 && b->rank == 3
        && !memcmp(a->dim, b->dim, 3 * sizeof *a->dim) && a->dim[0] > 0;
    CgValue *v = cg_function_later(e, args, 2);
    v->keys[1] = cg_intern("length");
    v->keys[2] = cg_intern("rows");
    v->at[1] = cg_value_int(e, good ? a->dim[2] : 1, args->call);
    v->at[2] = cg_value_int(e, good ? a->dim[1] : 1, args->call);
    cg_tensors_free(&t);
    if (good)
        return v;
    cg_elab_error(e, CG_E0505, args->span[0], "'%s' does not hold 'tokens' and 'next' as i32[steps, batch, length]",
        args->at[0]->s);
    return cg_value_poison(e);
}

bool cg_is_batches(const CgValue *data) { return field(data, "rows"); }

CgWindows *cg_windows_of(CgSession *x, CgValue *v)
{
    if (cg_value_class(v) == &cg_class_dataset && !cg_is_batches(v)) {
        CgValue *made = cg_make(x, v);
        return made ? made->held : NULL;
    }
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "an evaluation and a validation take windows(...)");
    cg_session_err(x, v->span, &err);
    return NULL;
}

bool cg_data_digest(CgSession *x, CgValue *data, CgDigest *out)
{
    if (cg_is_batches(data)) {
        CgBytes b;
        CgErr err = { 0 };
        if (!cg_io_read(field(data, "path")->s, &b, &err))
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
    int64_t count = field(data, "count")->i;
    cg_digester_add(d, &one, sizeof one);
    cg_digester_add(d, &count, sizeof count);
    *out = cg_digester_free(d);
    return true;
}

static const CgFunction fn_corpus = { CG_FUNCTION_HERE, .name = "corpus",
    .sig = "(path: str | str[], field: str | str[] | none = none, limit: int = 0) -> corpus", .run = run_corpus,
    .doc = "Text from files, folders (recursive) or patterns; JSON Lines with a field or fields; gzip of both. "
           "`.train .valid .test` never overlap." };
static const CgFunction fn_synthetic = { CG_FUNCTION_HERE, .name = "synthetic",
    .sig = "(kind: str, size: int = 1000000, seed: int = 0, knob: float | none = none) -> corpus",
    .build = build_synthetic, .run = run_synthetic,
    .doc = "Text made by rule, the same bytes on every machine: markov, grammar, arithmetic, code, json, dyck, "
           "noise." };
static const CgFunction fn_mix = { CG_FUNCTION_HERE, .name = "mix",
    .sig = "(parts: corpus[], shares: float[]) -> corpus", .build = build_mix, .run = run_mix,
    .doc = "Corpora mixed by their share of tokens." };
static const CgFunction fn_shuffle_tokens = { CG_FUNCTION_HERE, .name = "shuffle_tokens",
    .sig = "(corpus: corpus, seed: int = 0) -> corpus", .run = run_shuffle_tokens,
    .doc = "The same tokens in random order." };
static const CgFunction fn_windows = { CG_FUNCTION_HERE, .name = "windows",
    .sig = "(split: split | corpus, tokenizer: tokenizer, length: int = 512, count: int = 0, copies: float = 0, span: "
           "int = 0, group: int = 0) -> dataset",
    .build = build_windows, .run = run_windows,
    .doc = "Batches of `length` tokens and the tokens one place on (batch.tokens, batch.next); count limits an "
           "evaluation to that many windows from all over the split; copies is the share of windows that repeat a span "
           "of text, the first time with the tokens of each group in random order when group is given." };
static const CgFunction fn_batches = { CG_FUNCTION_HERE, .name = "batches", .sig = "(path: str) -> dataset",
    .build = build_batches, .doc = "Batches from a safetensors file: tokens and next, i32[steps, batch, length]." };

static void free_corpus(void *held) { cg_corpus_free(held); }
static void free_windows(void *held) { cg_windows_free(held); }

CG_CLASS(corpus, .article = "a corpus", .shared = true, .free = free_corpus, .field = field_of_corpus)
CG_CLASS(split, .article = "a split of a corpus", .shared = true)
CG_CLASS(dataset, .article = "a set of windows or batches", .shared = true, .free = free_windows)
CG_FUNCTIONS(data, &fn_corpus, &fn_synthetic, &fn_mix, &fn_shuffle_tokens, &fn_split, &fn_windows, &fn_batches)
