/* written.c - what calls of generate and reconstruct write.
 * Takes a checked call, its prompts and contexts, a batch of rows at a time; gives a text for each row. Must not choose
 * a token: that is generate.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>

#include "run/tensor.h"
#include "stage/session.h"

struct CgWritten {
    CgSession *x;
    const CgValue *call;
    const CgTextCall *asked;
    CgMemory memory;
    CgWriter *writer; /* for so many rows and places */
    int rows;
    int64_t length;
    CgWriting how;
    CgTextRow *texts; /* (rows) */
    int32_t *prompts; /* of all rows */
    void *context;
    CgTokens text; /* a prompt that the call has as text */
};

static void drop_texts(CgWritten *w)
{
    for (int r = 0; w->texts && r < w->rows; r++)
        cg_text_row_deinit(&w->texts[r]);
    free(w->texts);
    free(w->prompts);
    free(w->context);
    w->texts = NULL;
    w->prompts = NULL;
    w->context = NULL;
}

void cg_written_free(CgWritten *w)
{
    if (!w)
        return;
    drop_texts(w);
    cg_vec_free(&w->text);
    cg_writer_free(w->writer);
    cg_memory_free(&w->memory);
    free(w);
}

const CgValue *cg_written_call(const CgWritten *w) { return w->call; }

CgWritten *cg_written_new(CgSession *x, const CgValue *call)
{
    CgWritten *w = cg_calloc(1, sizeof *w);
    const CgTextCall *asked = call->stage;
    *w = (CgWritten){ .x = x, .call = call, .asked = asked, .how = asked->how };
    bool good = cg_model_force(x, asked->generator->model);
    if (good && asked->tokenizer)
        good = (w->how.tokenizer = cg_tokenizer_of(x, asked->tokenizer)) != NULL;
    if (good && cg_memory_fill(x, asked->generator->model, NULL, 0, &w->memory))
        return w;
    cg_written_free(w);
    return NULL;
}

/* ---- what rows are given ---------------------------------------------------------------------------------------- */

static bool refuse(CgWritten *w, CgSpan at, const char *why, const char *help)
{
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "%s", why);
    cg_err_hint(&err, "%s", help);
    return cg_session_err(w->x, at, &err);
}

static int64_t without_ends(const CgTokenizer *t, const int32_t *ids, int64_t n)
{
    while (n > 0 && t && ids[n - 1] == t->end)
        n--;
    return n;
}

/* A prompt that is the same for every row. */
static void read_prompt(CgWritten *w)
{
    const CgValue *p = w->asked->prompt;
    w->text.len = 0;
    if (p && p->kind == CG_VALUE_STR) {
        cg_tokenizer_begin(w->how.tokenizer, &w->text);
        cg_tokenizer_encode(w->how.tokenizer, p->s, strlen(p->s), &w->text);
    }
    for (int i = 0; p && p->kind == CG_VALUE_LIST && i < p->n; i++)
        cg_vec_push(&w->text, (int32_t)p->at[i]->i);
    /* a model of text alone has to be told where one begins: behind an end */
    if (!w->text.len && w->asked->generator->in_context < 0)
        cg_vec_push(&w->text, w->how.tokenizer ? w->how.tokenizer->end : 0);
}

/* Ids that the model has no row for would be met by an op, far from here. */
static bool check_ids(CgWritten *w, const CgTextRow *t)
{
    int64_t below = w->asked->generator->vocabulary;
    char why[128];
    for (int64_t i = 0; below && i < t->given; i++)
        if (t->prompt[i] < 0 || t->prompt[i] >= below) {
            snprintf(why, sizeof why, "the prompt has token %d; the model's vocabulary has %lld", (int)t->prompt[i],
                (long long)below);
            return refuse(w, w->call->span, why, "prompts are of the tokenizer that the model was trained with");
        }
    for (int i = 0; below && i < w->how.nstop_id; i++)
        if (w->how.stop_id[i] >= below) {
            snprintf(why, sizeof why, "'stop' is token %d, which no text has: the model's vocabulary has %lld",
                (int)w->how.stop_id[i], (long long)below);
            return refuse(
                w, w->call->span, why, "stops are texts, or tokens of the tokenizer that the model was trained with");
        }
    return true;
}

/* Tokens that may be written after what a row is given; 0 after a mistake. */
static int64_t room(CgWritten *w, int64_t given)
{
    const CgTextCall *asked = w->asked;
    char why[160];
    if (!asked->length)
        return asked->most;
    if (given < asked->length)
        return asked->length - given;
    snprintf(why, sizeof why,
        "the prompt has %lld tokens, and 'length = %lld' counts them: there is none left to write", (long long)given,
        (long long)asked->length);
    refuse(w, w->call->span, why, "'new = 100' writes up to 100 tokens after any prompt");
    return 0;
}

static bool give_prompts(CgWritten *w, uint64_t first, const CgTensor *prompt)
{
    w->texts = cg_calloc((size_t)w->rows + 1, sizeof *w->texts);
    int64_t width = prompt ? prompt->dim[1] : 0;
    w->prompts = cg_calloc((size_t)(w->rows * width) + 1, sizeof *w->prompts);
    if (!prompt)
        read_prompt(w);
    for (int r = 0; r < w->rows; r++) {
        CgTextRow *t = &w->texts[r];
        int32_t *row = w->prompts + r * width;
        for (int64_t i = 0; i < width; i++)
            row[i] = (int32_t)cg_tensor_number(prompt, r * width + i);
        *t = (CgTextRow){ .prompt = prompt ? row : w->text.at, .row = first + (uint64_t)r };
        t->given = prompt ? without_ends(w->how.tokenizer, row, width) : (int64_t)w->text.len;
        if (prompt && !t->given && w->asked->generator->in_context < 0 && width)
            t->given = 1; /* an end, behind which a text begins */
        if (!check_ids(w, t))
            return false;
    }
    return true;
}

/* A copy without gaps; of one that is to be written again, the ends in it are part of the text. */
static bool give_context(CgWritten *w, const CgTensor *context)
{
    size_t size = cg_dtype_size(context->dtype), n = (size_t)cg_tensor_count(context);
    CgTensor to = *context;
    to.data = w->context = cg_try_alloc(n * size + 64);
    if (!w->context) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_MEMORY, "no room for the context of %d texts", w->rows);
        return cg_session_err(w->x, w->call->span, &err);
    }
    int64_t stride = 1;
    for (int i = to.rank; i-- > 0; stride *= to.dim[i])
        to.stride[i] = stride;
    cg_tensor_copy(&to, context, (CgShard){ .count = 1 });
    const CgTokenizer *t = w->how.tokenizer;
    for (int r = 0; r < w->rows && w->asked->again && t; r++) {
        const int32_t *row = (const int32_t *)w->context + r * to.dim[1];
        for (int64_t i = 0, all = without_ends(t, row, to.dim[1]); i < all; i++)
            w->texts[r].ends += row[i] == t->end;
    }
    return true;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* One row after the other, each as so many hypotheses, which all have its context. */
static bool search_rows(CgWritten *w, const CgTensor *context)
{
    size_t bytes = context ? (size_t)cg_tensor_count(context) / (size_t)w->rows * cg_dtype_size(context->dtype) : 0;
    char *alike = cg_try_alloc(bytes * (size_t)w->how.beams + 64);
    CgErr err = { 0 };
    bool good = alike || cg_err(&err, CG_ERR_MEMORY, "no room for %lld contexts", (long long)w->how.beams);
    if (!good)
        cg_session_err(w->x, w->call->span, &err);
    for (int r = 0; good && r < w->rows; r++) {
        for (int64_t b = 0; b < w->how.beams && bytes; b++)
            memcpy(alike + (size_t)b * bytes, (const char *)w->context + (size_t)r * bytes, bytes);
        good = cg_writer_search(w->writer, &w->how, alike, &w->texts[r]);
    }
    free(alike);
    return good;
}

bool cg_written_rows(
    CgWritten *w, uint64_t first, int rows, const CgTensor *prompt, const CgTensor *context, const CgTokenizer *usual)
{
    int64_t length = 0;
    drop_texts(w);
    int before = w->rows;
    w->rows = rows;
    if (!w->how.tokenizer)
        w->how.tokenizer = usual;
    if (!give_prompts(w, first, prompt) || (context && !give_context(w, context)))
        return false;
    for (int r = 0; r < rows; r++) {
        CgTextRow *t = &w->texts[r];
        if (!(t->most = room(w, t->given)))
            return false;
        length = t->given + t->most > length ? t->given + t->most : length;
    }
    CgGenerator *g = w->asked->generator;
    length = g->length ? g->length : length;
    if (w->writer && ((before != rows && w->how.beams <= 1) || w->length != length)) {
        cg_writer_free(w->writer);
        w->writer = NULL;
    }
    w->length = length;
    bool search = w->how.beams > 1;
    if (!w->writer
        && !(w->writer = cg_writer_new(w->x, g, &w->memory, search ? (int)w->how.beams : rows, length, search)))
        return false;
    return search ? search_rows(w, context) : cg_writer_run(w->writer, &w->how, w->context, w->texts);
}

CgValue *cg_written_value(CgWritten *w, int row)
{
    CgIdsRow *ids = CG_NEW(w->x->elab->arena, CgIdsRow);
    const CgTextRow *t = &w->texts[row];
    int64_t from = w->asked->echo ? 0 : t->given;
    *ids = (CgIdsRow){ t->ids + from, (size_t)(t->n - from), w->how.tokenizer, t->log_likelihood };
    return cg_value_held(w->x->elab, &cg_class_tokens, ids);
}
