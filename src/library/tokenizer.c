/* tokenizer.c - tokenizers as values of the language.
 * Takes their descriptions; gives values with `size`, `end` and `mark`, and the tokenizers themselves when a stage
 * runs. Must not train while a script is only checked: a trained one has the size asked for until it is made. */
#include <stdlib.h>
#include <string.h>

#include "data/tokenizer_kinds.h"
#include "library/library.h"
#include "stage/lineage.h"

/* The call with what it says of every tokenizer besides; of one that is there already, all of it. */
static CgValue *described(CgElab *e, const CgArguments *a, const CgTokenizer *t)
{
    const char *const facts[] = { "end", "mark", "size" };
    const int64_t numbers[] = { t->end, t->marker, t->size };
    bool made = t->kind != NULL;
    CgValue *v = cg_function_later(e, a, made ? 4 : 2);
    for (int i = 0; i < (made ? 3 : 2); i++) {
        v->keys[a->n + i] = cg_intern(facts[i]);
        v->at[a->n + i] = cg_value_int(e, numbers[i], a->call);
    }
    if (made) {
        char hex[33];
        cg_digest_hex(t->digest, hex);
        v->keys[a->n + 3] = cg_intern("digest");
        v->at[a->n + 3] = cg_value_str(e, cg_intern(hex), a->call);
    }
    return v;
}

extern const CgTokenizerMaker cg_tokenizer_entry_bytes;

static CgValue *owned(CgSession *x, const CgValue *call, CgTokenizer *t, const CgErr *err)
{
    if (t)
        return cg_session_own(x, &cg_class_tokenizer, t);
    if (err->text[0])
        cg_session_err(x, call->span, err);
    return NULL;
}

static const CgTokenizerMaker *maker_of(const CgFunction *f) { return f->of; }

/* ---- kinds that are made of nothing ---- */

static CgValue *build_plain(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgTokenizer *t = maker_of(a->function)->make();
    CgValue *v = described(e, a, t);
    cg_tokenizer_free(t);
    return v;
}

static CgValue *run_plain(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    return owned(x, call, maker_of(call->function)->make(), &(CgErr){ 0 });
}

/* ---- kinds that are trained ---- */

/* What a tokenizer learns from: the train split of a corpus, however it is written; NULL after a mistake. */
static CgValue *learnt_from(CgElab *e, const CgTokenizerMaker *m, CgValue *of, CgSpan span)
{
    if (cg_value_class(of) == &cg_class_corpus)
        return of;
    if (cg_value_class(of) != &cg_class_split) {
        cg_elab_error(e, CG_E0312, span, "%s is trained on a corpus, or on a list or record of corpora", m->name);
        return NULL;
    }
    if (!strcmp(of->at[1]->s, "train"))
        return of->at[0];
    CgDiag *d = cg_elab_error(e, CG_E0312, span, "%s is trained on the train split, not on .%s", m->name, of->at[1]->s);
    cg_diag_help(d, "give the corpus itself, or its .train");
    return NULL;
}

static CgValue *build_trained(CgElab *e, CgFrame *f, const CgArguments *given)
{
    (void)f;
    CgArguments copy = *given, *a = &copy;
    const CgTokenizerMaker *m = maker_of(a->function);
    CgValue *of = a->at[0];
    if (of->kind != CG_VALUE_LIST && of->kind != CG_VALUE_RECORD) {
        a->at[0] = learnt_from(e, m, of, a->span[0]);
    } else if (!of->n) {
        cg_elab_error(e, CG_E0312, a->span[0], "%s is trained on one corpus or more", m->name);
        a->at[0] = NULL;
    } else {
        a->at[0] = cg_value_list(e, of->n, of->span);
        for (int i = 0; i < of->n && a->at[0]; i++)
            if (!(a->at[0]->at[i] = learnt_from(e, m, of->at[i], a->span[0])))
                a->at[0] = NULL;
    }
    if (!a->at[0])
        return cg_value_poison(e);
    if (m->most && (a->at[1]->i < m->least || a->at[1]->i > m->most)) {
        cg_elab_error(e, CG_E0316, a->span[1], "'size' of %s is a number of tokens from %d to %d, not %lld", m->name,
            m->least, m->most, (long long)a->at[1]->i);
        return cg_value_poison(e);
    }
    return described(e, a, &(CgTokenizer){ .end = m->end, .marker = m->marker });
}

/* Trains, or takes what was trained on the same text before from the store. */
static CgTokenizer *trained(CgSession *x, const CgTokenizerMaker *m, const CgValue *of, int64_t size, CgErr *err)
{
    bool one_corpus = of->kind == CG_VALUE_OBJECT;
    int n = one_corpus ? 1 : of->n;
    CgCorpus **corpora = CG_NEWN(x->elab->arena, CgCorpus *, n);
    CgDigester *digest = cg_digester_new();
    const char *how = cg_arena_printf(x->elab->arena, "%s %d", m->name, m->version);
    cg_digester_add(digest, how, strlen(how));
    cg_digester_add(digest, &size, sizeof size);
    for (int i = 0; i < n; i++) {
        corpora[i] = one_corpus ? of->held : of->at[i]->held;
        CgDigest one = cg_corpus_digest(corpora[i]);
        cg_digester_add(digest, &one, sizeof one);
    }
    CgDigest key = cg_digester_free(digest);
    if (!cg_session_open(x, err))
        return NULL;
    CgBytes kept = { 0 };
    CgTokenizer *t = NULL;
    if (cg_store_get(x->store, key, &kept)) {
        t = m->unpack(kept.at, kept.len, err);
        cg_io_release(&kept);
        return t;
    }
    t = m->train(corpora, n, (int)size, err);
    CgStrbuf packed = { 0 };
    if (t)
        m->pack(t, &packed);
    if (t && !cg_store_put(x->store, key, packed.at, packed.len, err)) {
        cg_tokenizer_free(t);
        t = NULL;
    }
    cg_strbuf_deinit(&packed);
    return t;
}

static CgValue *run_trained(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    const CgTokenizerMaker *m = maker_of(call->function);
    CgTokenizer *t = trained(x, m, args[0], m->most ? args[1]->i : 0, &err);
    return owned(x, call, t, &err);
}

/* The function of the i-th kind that has one. */
static bool kind(size_t i, CgFunction *out)
{
    const CgTokenizerMaker *m = NULL;
    for (size_t k = 0; (m = cg_tokenizer_at(k)); k++)
        if ((m->make || m->train) && i-- == 0)
            break;
    if (!m)
        return false;
    *out = (CgFunction){ .name = m->name,
        .sig = m->make ? "() -> tokenizer"
            : m->most  ? cg_intern_printf(
                   "(corpora: corpus | split | corpus[] | split[] | record, size: int = %d) -> tokenizer", m->usual)
                      : "(corpora: corpus | split | corpus[] | split[] | record) -> tokenizer",
        .doc = m->doc,
        .build = m->make ? build_plain : build_trained,
        .run = m->make ? run_plain : run_trained,
        .traits = CG_BY_RULE,
        .version = m->version,
        .file = m->file,
        .line = m->line,
        .of = m };
    return true;
}

static const CgFunction fn_kinds = { .each = kind };

/* ---- those of others ---- */

/* The file, with the end that is asked for, or the first of them. */
static CgTokenizer *load(CgValue *const *args, CgErr *err)
{
    const CgValue *end = args[1]->kind == CG_VALUE_LIST && args[1]->n ? args[1]->at[0] : args[1];
    return cg_tokenizer_load(
        args[0]->s, end->kind == CG_VALUE_STR ? end->s : NULL, end->kind == CG_VALUE_INT ? end->i : -1, err);
}

static CgValue *build_tokenizer(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgErr err = { 0 };
    const CgValue *end = a->at[1]->kind == CG_VALUE_LIST && a->at[1]->n ? a->at[1]->at[0] : a->at[1];
    if (end->kind == CG_VALUE_INT && end->i < 0) {
        cg_elab_error(e, CG_E0316, cg_elab_literal(e, end, a->span[1]), "'end_token' is %lld, and ids begin at 0",
            (long long)end->i);
        return cg_value_poison(e);
    }
    CgTokenizer *t = load((CgValue *const *)a->at, &err);
    if (!t) {
        if (!cg_io_exists(a->at[0]->s)) /* tokenizer("gpt2") */
            cg_err_hint(&err, "a tokenizer is a file such as \"gpt2/tokenizer.json\"; nothing is downloaded");
        cg_elab_err(e, a->span[0], &err);
        return cg_value_poison(e);
    }
    CgValue *v = described(e, a, t);
    cg_tokenizer_free(t);
    return v;
}

static CgValue *run_tokenizer(CgSession *x, const CgValue *call, CgValue **args)
{
    CgErr err = { 0 };
    return owned(x, call, load(args, &err), &err);
}

static const CgFunction fn_tokenizer = { CG_FUNCTION_HERE, .name = "tokenizer",
    .sig = "(path: str, end_token: str | int | int[] | none = none) -> tokenizer", .build = build_tokenizer,
    .run = run_tokenizer,
    .doc =
        "The tokenizer of a tokenizer.json as Hugging Face writes them: BPE of bytes or of characters, Unigram, "
        "WordPiece, with their normalizers, pre-tokenizers, added tokens, decoders, and the tokens that are put around "
        "a text. What is not understood is refused by name. `end_token` says which token, or id, is the end of a text; "
        "else it is the first added one that is named like that." };

/* ---- tokenizers as values --------------------------------------------------------------------------------------- */

static bool save_tokenizer(CgSession *x, const CgValue *v, const char *path, CgErr *err)
{
    const CgTokenizer *t = cg_tokenizer_of(x, (CgValue *)(uintptr_t)v);
    const CgTokenizerMaker *m;
    CgStrbuf text = { 0 }, reached = { 0 };
    if (!t) /* why not was said */
        return false;
    cg_lineage_of_tokenizer(x, (CgValue *)(uintptr_t)v, &reached);
    bool known = false, good = false;
    for (size_t i = 0; !known && (m = cg_tokenizer_at(i)); i++)
        known = m->write && m->write(t, cg_strbuf_str(&reached), &text);
    good = known && cg_io_write(path, cg_strbuf_str(&text), text.len, err);
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&reached);
    return known ? good
                 : cg_err(err, CG_ERR_INPUT, "only a tokenizer that was trained here is saved, not one of kind '%s'",
                     t->kind->name);
}

static const char *const endings[] = { ".json", NULL };

static CgDigest digest_of_tokenizer(const void *held) { return ((const CgTokenizer *)held)->digest; }
static void free_tokenizer(void *held) { cg_tokenizer_free(held); }

/* What is known of one; how many ids it has that learns one for each character: that is learnt when it is asked for. */
static CgValue *field_of_tokenizer(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    CgValue *v = of->keys ? cg_record_find(of, cg_intern(name)) : NULL;
    for (int i = 0; !v && of->keys && i < of->n; i++)
        cg_suggest_offer(s, of->keys[i]);
    if (v || strcmp(name, "size") != 0)
        return v;
    const CgTokenizer *t = cg_tokenizer_of(cg_session_of(e), of);
    return t ? cg_value_int(e, t->size, span) : cg_value_poison(e);
}

CG_CLASS(tokenizer, .article = "a tokenizer", .doc = "What turns text into ids and back. .size is the number of ids.",
    .shared = true, .free = free_tokenizer, .digest = digest_of_tokenizer, .field = field_of_tokenizer,
    .save_value = save_tokenizer, .endings = endings, .saved_help = "tokenizers go to .json")
CG_FUNCTIONS(tokenizer, &fn_kinds, &fn_tokenizer)
