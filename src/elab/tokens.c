/* tokens.c - whose tokens a model is given.
 * Takes models that know the tokenizers of the data they were trained on, and tensors that know theirs (bound.c); gives
 * a diagnostic where a model is applied to tokens of another. What is not known before tokenizers are made is noted,
 * and compared when the script runs (stage/tokens.c). */
#include <stdio.h>
#include <string.h>

#include "elab/elab.h"

CgTokenizerName cg_tokenizer_name(const CgValue *v)
{
    CgTokenizerName out = { "", NULL, 0 };
    if (v->kind == CG_VALUE_STR) { /* "bpe 2048 0123.." */
        char kind[32], digest[33];
        long long size = 0;
        if (sscanf(v->s, "%31s %lld %32s", kind, &size, digest) == 3)
            out = (CgTokenizerName){ cg_intern(kind), cg_intern(digest), size };
        return out;
    }
    const CgValue *size = v->keys ? cg_record_find(v, cg_intern("size")) : NULL,
                  *digest = v->keys ? cg_record_find(v, cg_intern("digest")) : NULL;
    out.kind = v->kind == CG_VALUE_CALL ? v->function->name : "";
    out.size = size && size->kind == CG_VALUE_INT ? size->i : 0;
    out.digest = digest ? digest->s : NULL;
    return out;
}

const CgValue *cg_tokens_of(const CgInstance *of)
{
    const CgValue *tokens = NULL;
    for (; of; of = of->parent)
        tokens = of->tokens ? of->tokens : tokens; /* the outermost was trained last */
    return tokens;
}

/* The author's own call, also where it is the library that applies the model it was given. */
static CgSpan own_call(const CgElab *e, CgSpan at)
{
    for (const CgFrame *f = e->frame; f && cg_of_library(e, at); f = f->caller)
        if (f->called_from.file)
            at = f->called_from;
    return at;
}

static void print_name(const CgTokenizerName *t, CgStrbuf *out)
{
    cg_strbuf_puts(out, t->kind);
    if (t->size)
        cg_strbuf_printf(out, " of size %lld", (long long)t->size);
}

void cg_tokens_refuse(CgElab *e, const CgTokensGiven *given, const CgTokenizerName *own, int nown)
{
    const CgValue *of = cg_tokens_of(given->to);
    CgTokenizerName other = cg_tokenizer_name(given->tokenizer);
    CgStrbuf own_text = { 0 }, text = { 0 };
    bool alike = false;
    for (int i = 0; i < nown; i++) {
        cg_strbuf_puts(&own_text, i ? " and " : "");
        print_name(&own[i], &own_text);
        alike |= own[i].size == other.size && !strcmp(own[i].kind, other.kind);
    }
    print_name(&other, &text);
    CgDiag *d = cg_elab_error(e, CG_E0510, given->span, "'%s' was trained on tokens of %s, and these are of %s%s",
        given->to->stmt->names[0], cg_strbuf_str(&own_text), alike ? "another " : "", cg_strbuf_str(&text));
    for (int i = 0; i < of->n; i++)
        cg_diag_note(d, of->at[i]->span, "the tokenizer of its training");
    cg_diag_note(d, given->tokenizer->span, "the tokenizer of these tokens");
    cg_diag_help(
        d, "a model goes on with the tokenizer it was trained with; bind that, tok = .., and give it to all data");
    cg_strbuf_deinit(&own_text);
    cg_strbuf_deinit(&text);
}

CgSameTokens cg_tokens_compare(const CgValue *a, const CgValue *b)
{
    CgTokenizerName x = cg_tokenizer_name(a), y = cg_tokenizer_name(b);
    if (a == b || (x.digest && y.digest && !strcmp(x.digest, y.digest)))
        return CG_TOKENS_SAME;
    if (x.digest && y.digest)
        return CG_TOKENS_OTHER;
    CgStrbuf p = { 0 }, q = { 0 };
    cg_value_print(a, &p);
    cg_value_print(b, &q);
    bool same = !strcmp(cg_strbuf_str(&p), cg_strbuf_str(&q));
    cg_strbuf_deinit(&p);
    cg_strbuf_deinit(&q);
    bool written = a->kind == CG_VALUE_CALL && b->kind == CG_VALUE_CALL;
    CgAtom of_file = cg_intern("tokenizer"); /* which may be of any kind */
    bool made = *x.kind && *y.kind && cg_intern(x.kind) != of_file && cg_intern(y.kind) != of_file;
    bool other = (made && strcmp(x.kind, y.kind) != 0) || (written && x.size && y.size && x.size != y.size);
    return same ? CG_TOKENS_SAME : other ? CG_TOKENS_OTHER : CG_TOKENS_LATER;
}

bool cg_tokens_check(CgElab *e, CgInstance *to, const CgValue *tensor, CgSpan at)
{
    const CgValue *own = cg_tokens_of(to);
    CgValue *given = own ? cg_below_of(e, tensor).tokenizer : NULL;
    if (!given)
        return true;
    CgTokensGiven use = { to, given, own_call(e, at) };
    CgSameTokens found = CG_TOKENS_OTHER;
    for (int i = 0; i < own->n && found != CG_TOKENS_SAME; i++) {
        CgSameTokens one = cg_tokens_compare(own->at[i], given);
        found = one == CG_TOKENS_OTHER ? found : one;
    }
    if (found == CG_TOKENS_LATER)
        cg_vec_push(&e->model->tokens, use);
    if (found != CG_TOKENS_OTHER)
        return true;
    if (to->refused) /* one report is enough */
        return false;
    to->refused = true;
    CgTokenizerName *names = CG_NEWN(e->arena, CgTokenizerName, own->n + 1);
    for (int i = 0; i < own->n; i++)
        names[i] = cg_tokenizer_name(own->at[i]);
    cg_tokens_refuse(e, &use, names, own->n);
    return false;
}
