/* data.c - corpora and their splits as values of the language.
 * Takes their descriptions, checked before anything is read; gives the data itself when a stage runs. Each corpus
 * is made once a run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/rows.h"
#include "data/synth.h"
#include "library/library.h"

/* A value of the right kind may still be wrong: it is shown itself. */
static CgValue *wrong(CgElab *e, const CgArguments *a, int i, const char *what)
{
    CgStrbuf found = { 0 };
    cg_value_print(a->at[i], &found);
    cg_elab_error(e, CG_E0312, a->span[i], "%s, not %s", what, cg_strbuf_str(&found));
    cg_strbuf_deinit(&found);
    return cg_value_poison(e);
}

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

static CgValue *build_corpus(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    double valid, test;
    if (a->at[0]->kind == CG_VALUE_LIST && !a->at[0]->n)
        return wrong(e, a, 0, "a corpus is of one file or more");
    if (a->at[2]->i < 0)
        return wrong(e, a, 2, "'limit' is a number of bytes, 0 for all");
    if (!cg_split_shares(a->at[3], &valid, &test))
        return wrong(e, a, 3, CG_SHARES_HELP);
    if (a->at[4]->i && (a->at[4]->i < 64 || a->at[4]->i > 1 << 24))
        return wrong(e, a, 4, "'block' is a number of bytes from 64 to 16777216, 0 for the usual one");
    return cg_function_later(e, a, 0);
}

static CgValue *run_corpus(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    int npaths, nfields;
    const char **paths = strings_of(args[0], &npaths), **fields = strings_of(args[1], &nfields);
    CgCorpusOpts opts = { .fields = fields,
        .nfields = nfields,
        .limit = (uint64_t)args[2]->i,
        .block = (uint64_t)args[4]->i,
        .unique = !strcmp(args[5]->s, "near") ? CG_UNIQUE_NEAR
            : !strcmp(args[5]->s, "exact")    ? CG_UNIQUE_EXACT
                                              : CG_UNIQUE_NOT };
    if (!cg_split_shares(args[3], &opts.valid, &opts.test))
        CG_BUG("shares that were checked");
    opts.shares = true;
    CgCorpus *c = cg_corpus_load(paths, npaths, &opts, &x->cache, &err);
    if (c && cg_corpus_copies(c) && !x->opts.quiet)
        cg_session_say(x, "corpus %s: %zu documents stand there before%s", cg_corpus_name(c), cg_corpus_copies(c),
            opts.unique ? " and are left out" : "; unique = \"exact\" leaves them out");
    free(paths);
    free(fields);
    return owned_corpus(x, call, c, &err);
}

static CgRandomTokens random_tokens_of(CgValue *const *args)
{
    return (CgRandomTokens){ args[0]->i, (uint64_t)args[1]->i, args[2]->f, (uint64_t)args[3]->i };
}

static CgValue *build_synthetic(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (!cg_synth_find(a->at[0]->s)) {
        CgSuggest near;
        cg_suggest_init(&near, a->at[0]->s);
        for (int i = 0; i < cg_synth_count(); i++)
            cg_suggest_offer(&near, cg_synth_kind(i)->name);
        CgDiag *d = cg_elab_error(e, CG_E0317, a->span[0], "synthetic knows no kind of text \"%s\"", a->at[0]->s);
        if (!cg_diag_meant(d, &near))
            cg_diag_help(d, "the kinds are %s", near.all);
        return cg_value_poison(e);
    }
    return a->at[1]->i < 1 ? wrong(e, a, 1, "'size' is a number of bytes from 1 on") : cg_function_later(e, a, 0);
}

static CgValue *build_random_tokens(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgErr err = { 0 };
    CgRandomTokens r = random_tokens_of(a->at);
    if (a->at[1]->i < 1)
        return wrong(e, a, 1, "'size' is a number of tokens from 1 on");
    if (cg_random_tokens_check(&r, &err))
        return cg_function_later(e, a, 0);
    cg_elab_err(e, a->call, &err);
    return cg_value_poison(e);
}

static CgValue *run_random_tokens(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    CgRandomTokens r = random_tokens_of(args);
    return owned_corpus(x, call, cg_corpus_random(&r, &err), &err);
}

static CgValue *run_synthetic(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    double knob = args[3]->kind == CG_VALUE_NONE ? NAN : args[3]->f;
    CgCorpus *c = cg_synth(args[0]->s, (uint64_t)args[1]->i, (uint64_t)args[2]->i, knob, NULL, NULL, &err);
    return owned_corpus(x, call, c, &err);
}

static const CgFunction fn_mix, fn_mix_rows, fn_synthetic, fn_random_tokens;

/* The share of a part: by its name in records, by its place in lists. */
static const CgValue *share_of(const CgArguments *a, int i)
{
    const CgValue *components = a->at[0], *shares = a->at[1];
    if (shares->kind != CG_VALUE_RECORD)
        return i < shares->n ? shares->at[i] : NULL;
    return components->kind == CG_VALUE_RECORD ? cg_record_find(shares, components->keys[i]) : NULL;
}

/* What has no share is not even read. */
static CgValue *build_mix(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgValue *components = a->at[0], *shares = a->at[1];
    if (components->n != shares->n || components->n < 1) {
        cg_elab_error(e, CG_E0318, a->span[1], "mix takes as many shares as corpora, one or more; these are %d and %d",
            shares->n, components->n);
        return cg_value_poison(e);
    }
    bool rows = cg_value_class(components->at[0]) == &cg_class_dataset;
    CgArguments mix = *a;
    mix.function = rows ? &fn_mix_rows : &fn_mix;
    CgValue *v = cg_function_later(e, &mix, 0);
    for (int k = 0; k < 2; k++) {
        v->at[k] = cg_value_list(e, components->n, a->at[k]->span);
        v->at[k]->n = 0;
    }
    for (int i = 0; i < components->n; i++) {
        const CgValue *share = share_of(a, i);
        double x;
        if (!share) {
            cg_elab_error(e, CG_E0312, a->span[1], "%s%s%s",
                components->keys ? "the shares have none for '" : "shares by name are of a mixture of named parts",
                components->keys ? components->keys[i] : "", components->keys ? "'" : "");
            return cg_value_poison(e);
        }
        if (!cg_value_number(share, &x) || !(x >= 0))
            return wrong(e, a, 1, "the share of each part is a number from 0 on");
        if (cg_value_class(components->at[i]) != (rows ? &cg_class_dataset : &cg_class_corpus))
            return wrong(e, a, 0, "the parts of a mixture are all corpora, or all datasets");
        if (x == 0)
            continue;
        v->at[0]->at[v->at[0]->n++] = components->at[i];
        v->at[1]->at[v->at[1]->n++] = cg_value_float(e, x, share->span);
    }
    if (!v->at[0]->n)
        return wrong(e, a, 1, "a mixture has a part with a share above 0");
    v->stage = rows ? (void *)(uintptr_t)cg_data_fields(v->at[0]->at[0]) : NULL;
    return v;
}

static CgValue *run_mix(CgSession *x, const CgValue *call, CgValue **args)
{
    int n = args[0]->n;
    void **at = CG_NEWN(x->elab->arena, void *, n + 1);
    double *share = CG_NEWN(x->elab->arena, double, n + 1);
    CgErr err = { 0 };
    for (int i = 0; i < n; i++) {
        at[i] = args[0]->at[i]->held;
        share[i] = args[1]->at[i]->f;
    }
    if (call->function == &fn_mix_rows)
        return cg_dataset_owned(x, call, cg_rows_mix((CgDataset **)at, share, n, &err), &err);
    return owned_corpus(x, call, cg_corpus_mix((CgCorpus **)at, share, n, &err), &err);
}

static const CgFunction fn_mix = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "mix",
    .sig = "(parts: corpus[] | dataset[] | record, shares: float[] | record) -> corpus | dataset", .build = build_mix,
    .run = run_mix,
    .doc = "Corpora mixed by their share of tokens, or datasets by their share of rows. After any number of windows or "
           "rows no part is off its share by a whole one. Lists go together by place, records by name." };
static const CgFunction fn_mix_rows = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "mix_rows",
    .sig = "(parts: dataset[], shares: float[]) -> dataset", .run = run_mix, .doc = "What mix makes of datasets." };

static CgValue *run_shuffle_tokens(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    return owned_corpus(x, call, cg_corpus_shuffle_tokens(args[0]->held, (uint64_t)args[1]->i), &err);
}

/* ---- splits ---- */

static const char *const splits[] = { "train", "valid", "test", "all" };

static CgValue *run_split(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)call;
    CgCorpusSplit *s = CG_NEW(x->elab->arena, CgCorpusSplit);
    s->corpus = args[0]->held;
    for (size_t i = 0; i < CG_LEN(splits); i++)
        if (!strcmp(splits[i], args[1]->s))
            s->which = (CgSplit)i;
    return cg_value_held(x->elab, &cg_class_split, s);
}

static const CgFunction fn_split = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "split",
    .sig = "(corpus: corpus, which: { train, valid, test, all }) -> split", .run = run_split,
    .doc = "A part of a corpus, as `corpus.train` writes it. Train, valid and test never overlap." };

/* Bits a byte, or a token, of a source whose entropy is known. */
static CgValue *entropy_of(CgElab *e, const CgValue *of, CgSpan span)
{
    double bits = NAN;
    if (of->function == &fn_synthetic) {
        double knob = of->at[3]->kind == CG_VALUE_NONE ? NAN : of->at[3]->f;
        bits = cg_synth_entropy(cg_synth_find(of->at[0]->s), knob);
    } else if (of->function == &fn_random_tokens) {
        CgRandomTokens r = random_tokens_of(of->at);
        bits = cg_random_tokens_entropy(&r);
    }
    if (!isnan(bits))
        return cg_value_float(e, bits, span);
    CgStrbuf kinds = { 0 };
    for (int i = 0; i < cg_synth_count(); i++)
        if (!isnan(cg_synth_entropy(cg_synth_kind(i), NAN)))
            cg_strbuf_printf(&kinds, "%s\"%s\"", kinds.len ? " | " : "", cg_synth_kind(i)->name);
    CgDiag *d = cg_elab_error(e, CG_E0302, span, "the entropy of this corpus is not known");
    cg_diag_help(
        d, "it is of synthetic(%s), with its usual knob at least, and of random_tokens(..)", cg_strbuf_str(&kinds));
    cg_strbuf_deinit(&kinds);
    return cg_value_poison(e);
}

static CgValue *field_of_corpus(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    cg_suggest_offer(s, "entropy");
    if (!strcmp(name, "entropy") && of->kind == CG_VALUE_CALL)
        return entropy_of(e, of, span);
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

static const CgFunction fn_corpus = { CG_FUNCTION_HERE, .name = "corpus",
    .sig = "(path: str | str[], field: str | str[] | none = none, limit: int = 0, shares: float[] = [0.9, 0.05, "
           "0.05], block: int = 0, unique: { no, exact, near } = \"no\") -> corpus",
    .build = build_corpus, .run = run_corpus,
    .doc = "Text from files, folders (recursive) or patterns; JSON Lines and CSV with a field or fields; gzip of all. "
           "`.train .valid .test` never overlap: a document, or a block of a file, has one split by its own bytes in "
           "every corpus. shares are those of train, valid and test, block the bytes of a block on average (1536); "
           "unique leaves out documents that stand there before, exactly or nearly." };
static const CgFunction fn_synthetic = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "synthetic",
    .sig = "(kind: str, size: int = 1000000, seed: int = 0, knob: float | none = none) -> corpus",
    .build = build_synthetic, .run = run_synthetic,
    .doc =
        "Text made by rule, the same bytes on every machine: markov, grammar, phrases, arithmetic, code, json, "
        "recall, dyck, noise. The entropy of markov, phrases, arithmetic (up to four digits), recall, dyck and noise "
        "is known: `.entropy` is its bits a byte." };
static const CgFunction fn_random_tokens = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "random_tokens",
    .sig = "(vocab: int, size: int = 1000000, zipf: float = 0, seed: int = 0) -> corpus", .build = build_random_tokens,
    .run = run_random_tokens,
    .doc = "Tokens drawn one by one instead of text, for windows(..) with any tokenizer of at least `vocab` tokens: "
           "uniform, or by Zipf's law with the exponent `zipf` (0 to 3, in halves). `.entropy` is their bits a "
           "token." };
static const CgFunction fn_shuffle_tokens = { CG_FUNCTION_HERE, .traits = CG_BY_RULE, .name = "shuffle_tokens",
    .sig = "(corpus: corpus, seed: int = 0) -> corpus", .run = run_shuffle_tokens,
    .doc = "The same tokens in random order." };
static CgDigest digest_of_corpus(const void *held) { return cg_corpus_digest(held); }
static void free_corpus(void *held) { cg_corpus_free(held); }

CG_CLASS(corpus, .article = "a corpus",
    .doc = "Documents of text: files, or made by rule. .train, .valid and .test never overlap; .all is the whole.",
    .shared = true, .free = free_corpus, .show = cg_corpus_shown, .field = field_of_corpus, .digest = digest_of_corpus)
CG_CLASS(split, .article = "a split of a corpus", .doc = "A part of a corpus: .train, .valid, .test or .all of it.",
    .shared = true, .show = cg_split_shown)
CG_FUNCTIONS(data, &fn_corpus, &fn_synthetic, &fn_random_tokens, &fn_mix, &fn_mix_rows, &fn_shuffle_tokens, &fn_split)
