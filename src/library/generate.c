/* generate.c - functions of the language that write text with a model.
 * Takes models, prompts and how to choose; gives calls whose graphs were checked, and texts when the script runs. What
 * is written is decided in stage/generate.c. */
#include <string.h>

#include "library/library.h"

enum {
    MODEL,
    PROMPT,
    TOKENIZER,
    LENGTH,
    NEW,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    MIN_P,
    REPETITION,
    BEAMS,
    STOP,
    PAST_END,
    CONTEXT,
    ECHO,
    SEED,
    KEPT
};
enum {
    CONTEXT_OF,
    NEW_OF,
    STOP_OF,
    PAST_END_OF,
    TOKENIZER_OF,
    BEAMS_OF,
    KEPT_OF
}; /* of reconstruct, after its model */

enum { NEW_USUAL = 200 };

static bool given(const CgValue *v) { return v->kind != CG_VALUE_NONE; }

/* ---- checking --------------------------------------------------------------------------------------------------- */

static bool check_number(CgElab *e, const CgArguments *a, int i, double v, bool good, const char *what)
{
    if (!good)
        cg_elab_error(e, CG_E0316, a->span[i], "'%s' of %s is %s, not %g",
            cg_function_signature(a->function)->stmt->params[i].name, a->function->name, what, v);
    return good;
}

/* A number of tokens. */
static bool check_count(CgElab *e, const CgArguments *a, int i)
{
    int64_t n = given(a->at[i]) ? a->at[i]->i : 1;
    return check_number(e, a, i, (double)n, n >= 1 && n <= CG_TEXT_MOST, "a number of tokens from 1 to 65536");
}

static bool read_sampling(CgElab *e, const CgArguments *a, CgSampling *out)
{
    *out = (CgSampling){ .temperature = a->at[TEMPERATURE]->f,
        .top_k = a->at[TOP_K]->i,
        .top_p = a->at[TOP_P]->f,
        .min_p = a->at[MIN_P]->f,
        .repetition = a->at[REPETITION]->f,
        .seed = (uint64_t)a->at[SEED]->i };
    if (!check_number(e, a, TEMPERATURE, out->temperature, out->temperature >= 0 && out->temperature <= 1e6,
            "0 (the likeliest) or above, up to 1e6")
        || !check_number(e, a, TOP_K, (double)out->top_k, out->top_k >= 0, "a number of tokens, or 0 for all")
        || !check_number(e, a, TOP_P, out->top_p, out->top_p > 0 && out->top_p <= 1, "a probability above 0, up to 1")
        || !check_number(e, a, MIN_P, out->min_p, out->min_p >= 0 && out->min_p <= 1, "a share from 0 to 1")
        || !check_number(e, a, REPETITION, out->repetition, out->repetition >= 0.01 && out->repetition <= 100,
            "a factor from 0.01 to 100, 1 for none"))
        return false;
    const int drawing[] = { TOP_K, TOP_P, MIN_P, SEED };
    bool said[] = { out->top_k > 0, out->top_p<1, out->min_p> 0, a->written[SEED] != NULL };
    for (int i = 0; i < 4; i++)
        if (said[i] && out->temperature == 0) {
            CgDiag *d = cg_elab_error(e, CG_E0318, a->span[drawing[i]], "'%s' says %s, and temperature 0 draws nothing",
                cg_function_signature(a->function)->stmt->params[drawing[i]].name,
                drawing[i] == SEED ? "which tokens are drawn" : "what is drawn from");
            cg_diag_help(d, "temperature = 1 draws by the model's own probabilities");
            return false;
        }
    return true;
}

static bool read_beams(CgElab *e, const CgArguments *a, int i, CgWriting *out)
{
    out->beams = a->at[i]->i;
    if (!check_number(e, a, i, (double)out->beams, out->beams >= 1 && out->beams <= CG_BEAMS_MOST,
            "a number of hypotheses from 1 to 64"))
        return false;
    bool draws = out->how.temperature > 0;
    if (out->beams == 1 || (!draws && out->how.repetition == 1))
        return true;
    CgDiag *d = cg_elab_error(e, CG_E0318, a->span[i],
        "'beams' search for the likeliest text: '%s' has no part in that", draws ? "temperature" : "repetition");
    cg_diag_help(d, "without it the search is by the model's own probabilities");
    return false;
}

/* Texts or tokens that end a text: one, or a list of either. */
static bool read_stops(CgElab *e, const CgArguments *a, int i, CgWriting *out)
{
    CgValue *v = cg_value_laid_out(e, a->at[i]);
    CgValue *const *at = v->kind == CG_VALUE_LIST ? v->at : &v;
    int n = v->kind == CG_VALUE_LIST ? v->n : given(v) ? 1 : 0;
    out->stop = CG_NEWN(e->arena, const char *, n + 1);
    out->stop_id = CG_NEWN(e->arena, int32_t, n + 1);
    for (int k = 0; k < n; k++) {
        bool text = at[k]->kind == CG_VALUE_STR;
        if (text ? !*at[k]->s : at[k]->i < 0 || at[k]->i > INT32_MAX) {
            cg_elab_error(e, CG_E0316, a->span[i], "'stop' is a text of one character or more, or a token from 0 on");
            return false;
        }
        if (text)
            out->stop[out->nstop++] = at[k]->s;
        else
            out->stop_id[out->nstop_id++] = (int32_t)at[k]->i;
    }
    return true;
}

/* A tensor with the rows of a batch in front and numbers behind; `what` for the message. */
static bool check_rows(CgElab *e, const CgArguments *a, int i, bool tokens, const char *what)
{
    const CgType *t = cg_value_type(e, a->at[i]);
    int64_t size;
    bool good = tokens ? t->rank == 2 && t->dtype == CG_I32 : t->rank >= 2;
    for (int k = 1; good && k < t->rank; k++)
        good = cg_dim_is_int(t->dim[k], &size);
    if (!good || t->dim[0] != cg_dim_symbol("batch")) {
        cg_elab_error(e, CG_E0401, a->span[i], "%s", what);
        return false;
    }
    return true;
}

/* What matrices are kept in, by name. */
static bool read_kept(CgElab *e, const CgArguments *a, int i, CgDtype *out)
{
    static const struct {
        const char *name;
        CgDtype as;
    } kinds[] = { { "f32", CG_F32 }, { "bf16", CG_BF16 }, { "int8", CG_I8 } };
    for (size_t k = 0; k < CG_LEN(kinds); k++)
        if (!strcmp(a->at[i]->s, kinds[k].name)) {
            *out = kinds[k].as;
            return true;
        }
    CgDiag *d = cg_elab_error(e, CG_E0316, a->span[i], "'kept' of %s is not \"%s\"", a->function->name, a->at[i]->s);
    cg_diag_help(d, "what matrices are kept in: \"f32\", as they are, \"bf16\" or \"int8\"");
    return false;
}

static CgValue *call_of(
    CgElab *e, CgFrame *f, const CgArguments *a, CgTextCall *t, const CgType *context, int64_t length, int kept)
{
    CgBelow tokens[2] = { { 0 }, { 0 } };
    CgDtype as;
    if (!read_kept(e, a, kept, &as))
        return cg_value_poison(e);
    if (t->context)
        tokens[0] = cg_below_of(e, t->context);
    if (t->prompt && t->prompt->kind == CG_VALUE_TENSOR) {
        tokens[1] = cg_below_of(e, t->prompt);
    } else if (t->tokenizer) {
        int64_t size = cg_tokenizer_name(t->tokenizer).size;
        tokens[1] = (CgBelow){ size ? cg_dim_int(size) : NULL, t->tokenizer->span, t->tokenizer, NULL };
    }
    t->generator = cg_generator_build(e, f, a->at[MODEL], context, length, tokens, as, a->call);
    if (!t->generator)
        return cg_value_poison(e);
    CgValue *v = cg_function_later(e, a, 0);
    v->stage = t;
    v->at[MODEL] = cg_value_new(e, CG_VALUE_NONE, a->call); /* its weights are in the generator */
    return v;
}

/* ---- generate --------------------------------------------------------------------------------------------------- */

/* What `length` and `new` say; *places is what the model is applied to, 0 where that is known only when it runs. */
static bool read_length(CgElab *e, const CgArguments *a, CgTextCall *t, int64_t *positions)
{
    if (!check_count(e, a, LENGTH) || !check_count(e, a, NEW))
        return false;
    if (given(a->at[LENGTH]) && given(a->at[NEW])) {
        CgDiag *d = cg_elab_error(e, CG_E0318, a->span[LENGTH], "'length' and 'new' both say how long a text is");
        cg_diag_help(d, "'new' counts what is written, 'length' the prompt, too");
        return false;
    }
    const CgValue *prompt = t->prompt;
    int64_t width = 0;
    t->length = given(a->at[LENGTH]) ? a->at[LENGTH]->i : 0;
    t->most = t->length ? 0 : given(a->at[NEW]) ? a->at[NEW]->i : NEW_USUAL;
    if (prompt->kind == CG_VALUE_TENSOR)
        cg_dim_is_int(cg_value_type(e, prompt)->dim[1], &width);
    else if (prompt->kind == CG_VALUE_LIST)
        width = prompt->n ? prompt->n : 1;
    *positions = t->length ? t->length : width ? width + t->most : 0;
    return true;
}

static bool check_prompt(CgElab *e, const CgArguments *a, const CgTextCall *t)
{
    const CgValue *prompt = t->prompt;
    if (prompt->kind == CG_VALUE_TENSOR)
        return check_rows(e, a, PROMPT, true, "prompts of a batch are tokens i32[batch, length], as a field is");
    for (int i = 0; prompt->kind == CG_VALUE_LIST && i < prompt->n; i++)
        if (prompt->at[i]->i < 0 || prompt->at[i]->i > INT32_MAX) {
            cg_elab_error(
                e, CG_E0316, a->span[PROMPT], "a token is a number from 0 on, not %lld", (long long)prompt->at[i]->i);
            return false;
        }
    if (t->tokenizer || (prompt->kind == CG_VALUE_LIST && !t->how.nstop))
        return true;
    CgDiag *d = cg_elab_error(e, CG_E0304, a->call, "generate needs the tokenizer that makes tokens of a text");
    cg_diag_help(d, "generate(model, \"..\", tok): the one the model was trained with");
    return false;
}

/* What goes on from one prompt, or from each row of a field: `row` is its place among several prompts. */
static CgValue *build_one(CgElab *e, CgFrame *f, const CgArguments *a, int row)
{
    CgTextCall *t = CG_NEW(e->arena, CgTextCall);
    bool rows = a->at[PROMPT]->kind == CG_VALUE_TENSOR;
    int64_t positions = 0;
    t->row = row;
    t->prompt = cg_value_laid_out(e, a->at[PROMPT]);
    t->context = given(a->at[CONTEXT]) ? a->at[CONTEXT] : NULL;
    t->tokenizer = given(a->at[TOKENIZER]) ? a->at[TOKENIZER] : NULL;
    t->how.past_end = a->at[PAST_END]->i;
    t->echo = given(a->at[ECHO]) ? a->at[ECHO]->i : !rows;
    if (!read_sampling(e, a, &t->how.how) || !read_beams(e, a, BEAMS, &t->how) || !read_stops(e, a, STOP, &t->how)
        || !check_prompt(e, a, t) || !read_length(e, a, t, &positions)
        || (t->context
            && !check_rows(e, a, CONTEXT, false, "a context has the rows of the batch in front: tokens, or slots")))
        return cg_value_poison(e);
    return call_of(e, f, a, t, t->context ? cg_value_type(e, t->context) : NULL, positions, KEPT);
}

/* A text for each of several prompts, which may differ in length: a list of what each gives as this row of a batch. */
static CgValue *build_generate(CgElab *e, CgFrame *f, const CgArguments *a)
{
    const CgValue *prompts = a->at[PROMPT];
    if (prompts->kind != CG_VALUE_LIST || !prompts->n || prompts->at[0]->kind != CG_VALUE_STR)
        return build_one(e, f, a, 0);
    CgValue *all = cg_value_list(e, prompts->n, a->call);
    for (int i = 0; i < prompts->n; i++) {
        CgArguments one = *a;
        one.at[PROMPT] = prompts->at[i];
        all->at[i] = build_one(e, f, &one, i);
    }
    return all;
}

/* One text, where no evaluation asks for a row of it. */
static CgValue *run_text(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)args;
    CgWritten *w = cg_written_new(x, call);
    CgValue *v = NULL;
    const CgTextCall *t = call->stage;
    if (w && cg_written_rows(w, (uint64_t)t->row, 1, NULL, NULL, NULL)) {
        CgIdsRow *ids = (v = cg_written_value(w, 0))->held;
        int32_t *own = CG_NEWN(x->elab->arena, int32_t, ids->n + 1);
        memcpy(own, ids->at, sizeof *own * ids->n);
        ids->at = own;
    }
    cg_written_free(w);
    return v;
}

/* ---- reconstruct ------------------------------------------------------------------------------------------------ */

static CgValue *build_reconstruct(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgTextCall *t = CG_NEW(e->arena, CgTextCall);
    t->how.how.repetition = 1;
    if (!check_rows(e, a, 1 + CONTEXT_OF, true, "reconstruct works on tokens i32[batch, length]")
        || !check_count(e, a, 1 + NEW_OF) || !read_beams(e, a, 1 + BEAMS_OF, &t->how)
        || !read_stops(e, a, 1 + STOP_OF, &t->how))
        return cg_value_poison(e);
    if (a->at[0]->kind == CG_VALUE_INSTANCE && cg_graph_tensors(a->at[0]->instance->stmt) == 1) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0],
            "reconstruct writes a context again from what a model made of it, and '%s' takes one text alone",
            a->at[0]->instance->stmt->names[0]);
        cg_diag_help(
            d, "a model of both is a compressor, m(context, text); generate(m, batch.tokens) goes on from a text");
        return cg_value_poison(e);
    }
    CgType type = *cg_value_type(e, a->at[1 + CONTEXT_OF]);
    int64_t width = 0;
    cg_dim_is_int(type.dim[1], &width);
    t->context = a->at[1 + CONTEXT_OF];
    t->tokenizer = given(a->at[1 + TOKENIZER_OF]) ? a->at[1 + TOKENIZER_OF] : NULL;
    t->again = true;
    t->how.past_end = a->at[1 + PAST_END_OF]->i;
    t->most = given(a->at[1 + NEW_OF]) ? a->at[1 + NEW_OF]->i : width;
    return call_of(e, f, a, t, &type, t->most, 1 + KEPT_OF);
}

/* ---- what is known of a text ------------------------------------------------------------------------------------ */

static CgValue *build_log_likelihood(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (a->at[0]->kind != CG_VALUE_CALL || !a->at[0]->stage) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0], "log_likelihood is of a text that a model wrote, not of %s",
            cg_value_kind_name(a->at[0]));
        cg_diag_help(d, "said = generate(..) and then log_likelihood(said); of given tokens: cross_entropy");
        return cg_value_poison(e);
    }
    return cg_function_later(e, a, 0);
}

static CgValue *run_log_likelihood(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgIdsRow *ids = args[0]->held;
    return cg_value_float(x->elab, ids->log_likelihood, call->span);
}

/* ---- the functions ---------------------------------------------------------------------------------------------- */

static const CgFunction fn_generate = { .name = "generate",
    .version = 3,
    .file = __FILE__,
    .line = __LINE__,
    .sig =
        "(model: model, prompt: str | str[] | int[] | tensor, tokenizer: tokenizer | none = none, length: int | none = "
        "none, new: int | none = none, temperature: float = 0, top_k: int = 0, top_p: float = 1, min_p: float = 0, "
        "repetition: float = 1, beams: int = 1, stop: str | int | str[] | int[] | none = none, past_end: bool = false, "
        "context: tensor | none = none, echo: bool | none = none, seed: int = 0, kept: str = \"f32\") -> tokens",
    .traits = CG_ROW,
    .build = build_generate,
    .run = run_text,
    .doc =
        "Text that goes on from the prompt: up to `new` tokens (200 unless `length` says how many there are with "
        "the prompt), until the model ends the text or a `stop` comes up, which is left out. The prompt is a text, "
        "tokens, or a field of tokens of an evaluation, whose rows may have different lengths. `context` (tokens or "
        "memory slots) is what model(context, text) takes first. With `echo` the result begins with the prompt: so "
        "it does unless the prompt is a field. Temperature 0 takes the likeliest token; above, tokens are drawn, "
        "each by seed, row and place: from the top_k likeliest, of these from the fewest with together top_p of the "
        "probability, of these from those at least min_p times as likely as the likeliest. `repetition` above 1 "
        "makes tokens rarer that are there. With `beams` above 1 nothing is drawn: of so many hypotheses at each place "
        "the likeliest go on, and the result is the text of the largest log_likelihood that was found. `kept` says "
        "what the matrices of products are kept in while text is written, which is mostly reading them: bf16 (each "
        "number to 2^-9 of itself) or int8 (to half of 1/127 of the largest in its row) is faster. Keys and values of "
        "attention are then kept in bf16, and of 4 to 28 rows what is multiplied is rounded, too (see matmul_narrow); "
        "the text may differ." };
static const CgFunction fn_reconstruct = { .name = "reconstruct",
    .version = 3,
    .file = __FILE__,
    .line = __LINE__,
    .sig = "(model: model, tokens: tensor, new: int | none = none, stop: str | int | str[] | int[] | none = none, "
           "past_end: bool = false, tokenizer: tokenizer | none = none, beams: int = 1, kept: str = \"f32\") -> tokens",
    .traits = CG_ROW,
    .build = build_reconstruct,
    .doc = "Greedy text of model(context, text), one token at a time, from each row of tokens as context: as many "
           "tokens as the context has unless `new` says otherwise, until the model ends the text. Where text follows "
           "the end tokens of the context, it goes on past as many. `beams` and `kept` as in generate." };
static const CgFunction fn_log_likelihood = { CG_FUNCTION_HERE, .name = "log_likelihood",
    .sig = "(text: tokens) -> float", .traits = CG_ROW, .build = build_log_likelihood, .run = run_log_likelihood,
    .doc = "The natural logarithm of how likely the model found a text it wrote: the sum over all tokens that it "
           "chose, the end among them, at temperature 1." };

CG_FUNCTIONS(generate, &fn_generate, &fn_reconstruct, &fn_log_likelihood)
