/* bits.c - how well a text is foretold, whatever it was cut into: bits a byte and bits a token of each row.
 * Takes the mean negative log-likelihood of the tokens of a row and these tokens; gives numbers. The bytes are those of
 * the text that the tokens stand for: tokens that end a text or mark a place stand for none, yet what foretelling them
 * costs is in the likelihood and counts. */
#include <math.h>

#include "library/library.h"

static const double ln2 = 0.69314718055994530942;

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgValue *nll = a->at[0];
    if (nll->kind != CG_VALUE_TENSOR || cg_value_type(e, nll)->rank == 1)
        return cg_function_later(e, a, 0);
    CgDiag *d = cg_elab_error(e, CG_E0401, a->span[0], "'nll' of %s is one number a row", a->function->name);
    cg_diag_help(d, "entropy(m, batch.tokens, batch.next), or mean(.., axis = 1)");
    return cg_value_poison(e);
}

static bool bytes_of(CgSession *x, const CgValue *call, const CgValue *tokens, double *bytes)
{
    const CgIdsRow *ids = tokens->held;
    CgStrbuf text = { 0 };
    if (!ids->tokenizer) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_INPUT, "these tokens are of no tokenizer: there is no text whose bytes count");
        cg_session_err(x, call->span, &err);
        return false;
    }
    cg_tokenizer_decode(ids->tokenizer, ids->at, ids->n, true, &text);
    *bytes = (double)text.len;
    cg_strbuf_deinit(&text);
    return true;
}

static CgValue *run_bytes(CgSession *x, const CgValue *call, CgValue **args)
{
    double bytes;
    return bytes_of(x, call, args[0], &bytes) ? cg_value_float(x->elab, bytes, call->span) : NULL;
}

static CgValue *run_per_byte(CgSession *x, const CgValue *call, CgValue **args)
{
    double nats = NAN, bytes;
    if (!bytes_of(x, call, args[1], &bytes))
        return NULL;
    cg_value_number(args[0], &nats);
    nats *= (double)((const CgIdsRow *)args[1]->held)->n;
    return cg_value_float(x->elab, bytes > 0 ? nats / ln2 / bytes : NAN, call->span);
}

static CgValue *run_per_token(CgSession *x, const CgValue *call, CgValue **args)
{
    double nats = NAN;
    cg_value_number(args[0], &nats);
    return cg_value_float(x->elab, nats / ln2, call->span);
}

static const char *sign_bytes(const CgValue *call) { return (void)call, "text_bytes|marks:0|cg:1"; }
static const char *sign_per_byte(const CgValue *call) { return (void)call, "bits_per_byte|level:row|marks:0|cg:1"; }
static const char *sign_per_token(const CgValue *call) { return (void)call, "bits_per_token|level:row|cg:1"; }

static const CgFunction fn_bytes = { CG_FUNCTION_HERE, .name = "text_bytes", .sig = "(tokens: tokens) -> float",
    .traits = CG_ROW, .run = run_bytes, .sign = sign_bytes,
    .doc = "How many bytes the text has that tokens stand for. Those that end a text or mark a place have none." };
static const CgFunction fn_per_byte = { CG_FUNCTION_HERE, .name = "bits_per_byte",
    .sig = "(nll: float | tensor, tokens: tokens) -> float", .traits = CG_ROW, .build = build, .run = run_per_byte,
    .sign = sign_per_byte,
    .doc = "Nats a token as bits a byte of the text, for a column of evaluate: bits_per_byte(entropy(m, batch.tokens, "
           "batch.next), batch.next). `tokens` are those whose likelihood `nll` is the mean of. Of rows together it is "
           "sum(nll) * tokens / sum(bytes) / log(2), with a column text_bytes(batch.next)." };
static const CgFunction fn_per_token = { CG_FUNCTION_HERE, .name = "bits_per_token",
    .sig = "(nll: float | tensor) -> float", .traits = CG_ROW, .build = build, .run = run_per_token,
    .sign = sign_per_token,
    .doc = "Nats a token as bits a token, for a column of evaluate: bits_per_token(entropy(m, batch.tokens))." };

CG_FUNCTIONS(bits, &fn_bytes, &fn_per_byte, &fn_per_token)
