/* bits.c - how well a text is foretold, whatever it was cut into: bits a byte and bits a token of each row.
 * Takes the mean negative log-likelihood of the tokens of a row, these tokens, and how much each counts; gives numbers.
 * The bytes are those of the text that the tokens stand for: tokens that end a text or mark a place stand for none, yet
 * what foretelling them costs is in the likelihood and counts. */
#include <math.h>

#include "library/score.h"

static const double ln2 = 0.69314718055994530942;

/* Whether `counts`, argument i, has a number for each token of argument i - 1, and is there where these may be filled
 * up; reports. */
static bool counts_fit(CgElab *e, const CgArguments *a, int i)
{
    const CgValue *counts = a->at[i], *tokens = a->at[i - 1];
    if (counts->kind != CG_VALUE_TENSOR && tokens->kind == CG_VALUE_TENSOR && cg_below_of(e, tokens).filled) {
        CgDiag *d = cg_elab_error(e, CG_E0318, a->call, "rows of these tokens may be filled up: not all of them count");
        cg_diag_label(d, a->span[i - 1], "filled up");
        cg_diag_help(d, "say which count: counts = batch.%s", cg_below_of(e, tokens).filled);
        return false;
    }
    if (counts->kind != CG_VALUE_TENSOR)
        return true;
    const CgType *t = cg_value_type(e, counts), *of = tokens->kind == CG_VALUE_TENSOR ? cg_value_type(e, tokens) : NULL;
    if (t->rank == 2 && (!of || of->dim[1] == t->dim[1]))
        return true;
    CgDiag *d = cg_elab_error(e, CG_E0401, a->span[i], "'counts' of %s is one number a token", a->function->name);
    cg_diag_help(d, "as batch.mask, or cast(batch.next != 0, f32)");
    return false;
}

static CgValue *build_bytes(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    return counts_fit(e, a, 1) ? cg_function_later(e, a, 0) : cg_value_poison(e);
}

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgValue *nll = a->at[0];
    const CgClass *cls = a->n > 1 ? cg_value_class(a->at[1]) : NULL;
    bool model = nll->kind == CG_VALUE_INSTANCE, data = cls == &cg_class_dataset;
    if (model && data && a->at[2]->kind == CG_VALUE_NONE)
        return cg_score_build(e, f, a);
    if (model || data) {
        cg_diag_help(cg_elab_error(e, CG_E0318, a->call, "%s",
                         model ? "a model is scored on windows of a text, all of which counts"
                               : "a number a row goes with the tokens of the row"),
            "bits_per_byte(model, windows(text.test, tok, length = 256)), or in evaluate bits_per_byte(nll, tokens)");
        return cg_value_poison(e);
    }
    if (nll->kind == CG_VALUE_TENSOR && cg_value_type(e, nll)->rank != 1) {
        CgDiag *d = cg_elab_error(e, CG_E0401, a->span[0], "'nll' of %s is one number a row", a->function->name);
        cg_diag_help(d, "entropy(m, batch.tokens, batch.next), or mean(.., axis = 1)");
        return cg_value_poison(e);
    }
    return a->n < 3 || counts_fit(e, a, 2) ? cg_function_later(e, a, 0) : cg_value_poison(e);
}

/* The tokens of a row, as many as count, and the bytes of these: a token that counts half has half its bytes. */
typedef struct Counted {
    double tokens, bytes;
} Counted;

static bool fail(CgSession *x, const CgValue *call, const CgErr *err)
{
    cg_session_err(x, call->span, err);
    return false;
}

static bool count(CgSession *x, const CgValue *call, const CgValue *tokens, const CgValue *counts, Counted *out)
{
    const CgIdsRow *ids = tokens->held;
    const CgIdsRow *whole = cg_value_class(counts) == &cg_class_tokens ? counts->held : NULL;
    const CgNumbers *each = whole || counts->kind == CG_VALUE_NONE ? NULL : counts->held;
    size_t n = whole ? whole->n : each ? each->n : ids->n;
    CgStrbuf text = { 0 };
    CgErr err = { 0 };
    *out = (Counted){ 0 };
    if (!ids->tokenizer)
        cg_err(&err, CG_ERR_INPUT, "these tokens are of no tokenizer: there is no text whose bytes count");
    else if (n != ids->n)
        cg_err(&err, CG_ERR_INPUT, "%zu tokens, and 'counts' of %zu", ids->n, n);
    if (err.kind)
        return fail(x, call, &err);
    for (size_t i = 0; i < ids->n; i++) {
        double weight = whole ? whole->at[i] : each ? each->at[i] : 1;
        text.len = 0;
        cg_tokenizer_decode(ids->tokenizer, ids->at + i, 1, i ? CG_PLAIN | CG_WITHIN : CG_PLAIN, &text);
        out->tokens += weight;
        out->bytes += weight * (double)text.len;
    }
    cg_strbuf_deinit(&text);
    return true;
}

static CgValue *run_bytes(CgSession *x, const CgValue *call, CgValue **args)
{
    Counted c;
    return count(x, call, args[0], args[1], &c) ? cg_value_float(x->elab, c.bytes, call->span) : NULL;
}

static CgValue *run_per_byte(CgSession *x, const CgValue *call, CgValue **args)
{
    double nats = NAN;
    Counted c;
    if (!count(x, call, args[1], args[2], &c))
        return NULL;
    cg_value_number(args[0], &nats);
    return cg_value_float(x->elab, c.bytes > 0 ? nats * c.tokens / ln2 / c.bytes : NAN, call->span);
}

static CgValue *run_per_token(CgSession *x, const CgValue *call, CgValue **args)
{
    double nats = NAN;
    cg_value_number(args[0], &nats);
    return cg_value_float(x->elab, nats / ln2, call->span);
}

static const char *sign_bytes(const CgValue *call)
{
    return call->at[1]->kind == CG_VALUE_NONE ? "text_bytes|marks:0|cg:1" : "text_bytes|marks:0|tokens:counted|cg:1";
}

static const char *sign_per_byte(const CgValue *call)
{
    return call->at[2]->kind == CG_VALUE_NONE ? "bits_per_byte|level:row|marks:0|cg:1"
                                              : "bits_per_byte|level:row|marks:0|tokens:counted|cg:1";
}

static const char *sign_per_token(const CgValue *call) { return (void)call, "bits_per_token|level:row|cg:1"; }

static const CgFunction fn_bytes = { CG_FUNCTION_HERE, .name = "text_bytes",
    .sig = "(tokens: tokens, counts: tensor | none = none) -> float", .traits = CG_ROW, .build = build_bytes,
    .run = run_bytes, .sign = sign_bytes,
    .doc = "How many bytes the text has that tokens stand for. Those that end a text or mark a place have none; "
           "`counts`, a number for each token, says how much of the others counts." };
static const CgFunction fn_per_byte = {
    CG_FUNCTION_HERE, .name = "bits_per_byte",
    .sig = "(nll: float | tensor | model, tokens: tokens | dataset, counts: tensor | none = none) -> float",
    .traits = CG_ROW, .build = build, .run = run_per_byte, .sign = sign_per_byte,
    .doc =
        "Nats a token as bits a byte of the text, for a column of evaluate: bits_per_byte(entropy(m, batch.tokens, "
        "batch.next), batch.next). `tokens` are those whose likelihood `nll` is the mean of, with `counts` where that "
        "has them: bits_per_byte(entropy(m, batch.tokens, batch.next, counts = batch.mask), batch.next, batch.mask). "
        "Of rows together it is sum(nll) * tokens / sum(bytes) / log(2), with a column text_bytes(batch.next). "
        "bits_per_byte(model, windows(text.test, tok, length = 256)) is that of a whole text, and an error where it "
        "cannot "
        "be shown that no token is foretold from itself or a later one and that shares of the vocabulary add up to 1."
};
static const CgFunction fn_per_token = { CG_FUNCTION_HERE, .name = "bits_per_token",
    .sig = "(nll: float | tensor) -> float", .traits = CG_ROW, .build = build, .run = run_per_token,
    .sign = sign_per_token,
    .doc = "Nats a token as bits a token, for a column of evaluate: bits_per_token(entropy(m, batch.tokens))." };

CG_FUNCTIONS(bits, &fn_bytes, &fn_per_byte, &fn_per_token)
