/* tokenizer.c - tokenizers as values of the language.
 * Takes their descriptions; gives OBJECT values with `size`, `end` and `mark`, and the tokenizers themselves when a
 * stage runs. Must not train while a script is only checked: a trained one has the size asked for until it is made. */
#include <stdlib.h>
#include <string.h>

#include "data/tokenizer_bpe.h"
#include "library/library.h"
#include "stage/session.h"

static CgSpan at_of(const CgExpr *call, CgValue **args) { return call ? call->span : args[0]->span; }

/* An object of class `cls` with the three fields every tokenizer has, and one more. */
static CgValue *describe(
    CgElab *e, const char *cls, CgSpan span, int64_t size, int64_t end, int64_t mark, const char *key, CgValue *of)
{
    CgValue *v = cg_value_object(e, cls, of ? 4 : 3, span);
    const char *keys[] = { "size", "end", "mark", key };
    for (int i = 0; i < v->n; i++)
        v->keys[i] = cg_intern(keys[i]);
    v->at[0] = cg_value_int(e, size, span);
    v->at[1] = cg_value_int(e, end, span);
    v->at[2] = cg_value_int(e, mark, span);
    if (of)
        v->at[3] = of;
    return v;
}

static CgValue *bytes(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    (void)args;
    return describe(e, "bytes", call ? call->span : (CgSpan){ 0 }, 256, 0, 1, NULL, NULL);
}

static CgValue *bpe(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    CgValue *of = args[0];
    bool several = of->kind == CG_VALUE_LIST || of->kind == CG_VALUE_RECORD;
    bool good = cg_is_corpus(of) || (several && of->n > 0);
    for (int i = 0; several && i < of->n; i++)
        good &= cg_is_corpus(of->at[i]);
    if (!good) {
        cg_elab_error(e, CG_E0305, span, "bpe is trained on a corpus, or on a list or record of corpora");
        return cg_value_poison(e);
    }
    if (args[1]->kind != CG_VALUE_INT || args[1]->i < 256 || args[1]->i > 65536) {
        cg_elab_error(e, CG_E0305, span, "'size' is a number of tokens from 256 (the bytes alone) to 65536");
        return cg_value_poison(e);
    }
    return describe(e, "bpe", span, args[1]->i, 0, 1, "corpora", of);
}

static CgValue *tokenizer(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = at_of(call, args);
    CgErr err = { 0 };
    if (args[0]->kind != CG_VALUE_STR) {
        cg_elab_error(
            e, CG_E0305, span, "tokenizer takes the path of a tokenizer.json, not %s", cg_value_kind_name(args[0]));
        return cg_value_poison(e);
    }
    CgTokenizer *t = cg_bpe_load(args[0]->s, &err);
    if (!t) {
        cg_diag_err(e->diags, span, &err);
        return cg_value_poison(e);
    }
    CgValue *v = describe(e, "tokenizer", span, t->size, t->end, t->mark, "path", args[0]);
    cg_tokenizer_free(t);
    return v;
}

/* ---- when a stage runs --------------------------------------------------------------------------------- */

/* Trains, or takes what was trained on the same text before from the store. */
static CgTokenizer *trained(CgSession *x, CgValue *v, CgErr *err)
{
    CgValue *of = cg_record_find(v, cg_intern("corpora"));
    int n = cg_is_corpus(of) ? 1 : of->n;
    int64_t size = cg_record_find(v, cg_intern("size"))->i;
    CgCorpus **corpora = CG_NEWN(x->elab->arena, CgCorpus *, n);
    CgDigester *digest = cg_digester_new();
    bool good = true;
    cg_digester_add(digest, "bpe 1", 5);
    cg_digester_add(digest, &size, sizeof size);
    for (int i = 0; good && i < n; i++) {
        corpora[i] = cg_corpus_of(x, cg_is_corpus(of) ? of : of->at[i]);
        good = corpora[i] != NULL;
        CgDigest one = good ? cg_corpus_digest(corpora[i]) : (CgDigest){ 0 };
        cg_digester_add(digest, &one, sizeof one);
    }
    CgDigest key = cg_digester_free(digest);
    if (!good || !cg_session_open(x, err))
        return NULL;
    CgBytes kept = { 0 };
    CgTokenizer *t = NULL;
    if (cg_store_get(x->store, key, &kept)) {
        t = cg_bpe_unpack(kept.at, kept.len, err);
        cg_io_release(&kept);
        return t;
    }
    t = cg_bpe_train(corpora, n, (int)size, err);
    CgStrbuf packed = { 0 };
    if (t)
        cg_bpe_pack(t, &packed);
    if (t && !cg_store_put(x->store, key, packed.at, packed.len, err)) {
        cg_tokenizer_free(t);
        t = NULL;
    }
    cg_strbuf_deinit(&packed);
    return t;
}

const CgTokenizer *cg_tokenizer_of(CgSession *x, CgValue *v)
{
    uint64_t known;
    bool object = v && v->kind == CG_VALUE_OBJECT; /* data that names no tokenizer is of bytes */
    CgDigest key = object ? cg_value_digest(v) : cg_digest("bytes", 5);
    if (cg_map_get(&x->tokenizers, key.low, &known))
        return (const CgTokenizer *)(uintptr_t)known;
    CgErr err = { 0 };
    CgTokenizer *t = NULL;
    if (object && !strcmp(v->s, "bpe"))
        t = trained(x, v, &err);
    else if (object && !strcmp(v->s, "tokenizer"))
        t = cg_bpe_load(cg_record_find(v, cg_intern("path"))->s, &err);
    else
        t = cg_tokenizer_bytes();
    if (!t) {
        if (err.text[0])
            cg_session_err(x, v->span, &err);
        return NULL;
    }
    cg_vec_push(&x->all_tokenizers, t);
    cg_map_put(&x->tokenizers, key.low, (uint64_t)(uintptr_t)t);
    return t;
}

const CgBuiltin cg_builtins_tokenizer[] = {
    { .name = "bytes",
        .sig = "()",
        .eager = bytes,
        .doc = "The tokenizer with one id a byte: size 256, end 0, mark 1." },
    { .name = "bpe",
        .sig = "(corpora, size = 2048)",
        .eager = bpe,
        .doc =
            "A byte-pair tokenizer trained on the train split of a corpus, or of several in equal shares; kept in the "
            "store. Ids 0 to 255 are the bytes; end 0, mark 1." },
    { .name = "tokenizer",
        .sig = "(path)",
        .eager = tokenizer,
        .doc = "A byte-level BPE from a tokenizer.json as Hugging Face writes them (GPT-2, Llama 3, Qwen)." },
    { 0 },
};
