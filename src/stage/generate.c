/* generate.c - writing text with a model.
 * Takes a generator and its parameters; gives texts, a batch of rows at a time: place by place where the model's graph
 * could be brought into that form (graph/incremental.h), else by running the whole graph for each place. Rows may be
 * given different lengths: all stand at the same place, and where one is given more, its token is read, not chosen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "stage/generate_inside.h"

void cg_writer_free(CgWriter *w)
{
    if (!w)
        return;
    cg_decoder_free(w->decoder);
    cg_exec_free(w->exec);
    cg_plan_free(w->plan);
    free(w->ids);
    free(w->seen);
    free(w->done);
    free(w->kept);
    free(w);
}

static void bind_param(CgWriter *w, int i, const void *at)
{
    if (w->decoder)
        cg_decoder_bind_param(w->decoder, i, at);
    else
        cg_exec_bind_param(w->exec, i, at);
}

/* The matrices of products in fewer bytes, each behind the other, and their scales. False: there is no room. */
static bool keep_narrow(CgWriter *w, const CgMemory *memory)
{
    const CgGenerator *g = w->g;
    size_t size = cg_dtype_size(g->weights), bytes = 0;
    for (int i = 0; i < g->nkept; i++)
        bytes += ((size_t)(g->kept[i].rows * g->kept[i].columns) * size + 63) / 64 * 64
            + ((size_t)g->kept[i].rows * sizeof(float) + 63) / 64 * 64;
    char *at = w->kept = g->nkept ? cg_try_alloc(bytes) : NULL;
    if (g->nkept && !at)
        return false;
    for (int i = 0, param = memory->n; i < g->nkept; i++) {
        const CgKept *k = &g->kept[i];
        float *scale = (float *)(at + ((size_t)(k->rows * k->columns) * size + 63) / 64 * 64);
        cg_narrow_fill(k, g->weights, memory->at[k->param], at, scale);
        bind_param(w, param++, at);
        if (g->weights == CG_I8)
            bind_param(w, param++, scale);
        at = (char *)scale + ((size_t)k->rows * sizeof(float) + 63) / 64 * 64;
    }
    return true;
}

CgWriter *cg_writer_new(CgSession *x, CgGenerator *g, const CgMemory *memory, int rows, int64_t length, bool search)
{
    CgErr err = { 0 };
    CgBinding b[] = { { cg_intern("batch"), rows }, { cg_intern(CG_TEXT_LENGTH), length } };
    CgBindings dims = { b, 2 };
    CgPlanOptions options = { .sources = x->sources };
    if (!cg_session_settle(x, g->model, "batch", rows, x->at)
        || (!g->length && !cg_session_settle(x, g->model, CG_TEXT_LENGTH, length, x->at)))
        return NULL;
    /* the form with caches reads a range only as far as the text has come: what is wrong with the whole is said first
     */
    if (!cg_plan_check_sizes(g->model->graph, dims, x->sources, &err)) {
        cg_session_err(x, x->at, &err);
        return NULL;
    }
    cg_generator_complete(g);
    CgWriter *w = cg_calloc(1, sizeof *w);
    *w = (CgWriter){ .x = x, .g = g, .rows = rows, .length = length };
    w->ids = cg_calloc((size_t)rows * (size_t)length + 1, sizeof *w->ids);
    w->done = cg_calloc((size_t)rows + 1, sizeof *w->done);
    if (g->step && !cg_debug_value("whole")) {
        w->decoder = cg_decoder_new(g->prologue, g->step, dims, options, x->pool, &err);
        if (w->decoder && search && !cg_decoder_has_rows(w->decoder, cg_intern("batch"))) {
            cg_decoder_free(w->decoder);
            w->decoder = NULL;
        }
    }
    if (!w->decoder && !err.kind) {
        w->plan = cg_plan_build(g->graph, dims, options, &err);
        w->exec = w->plan ? cg_exec_new(w->plan, x->pool, &err) : NULL;
    }
    if (!w->decoder && !w->exec) {
        cg_writer_free(w);
        cg_session_err(x, x->at, &err);
        return NULL;
    }
    cg_session_note_precision(x, g->graph);
    for (int i = 0; i < memory->n; i++)
        bind_param(w, i, memory->at[i]);
    if (!keep_narrow(w, memory)) {
        cg_err(&err, CG_ERR_MEMORY, "no room for the matrices in %s", cg_dtype_name(g->weights));
        cg_writer_free(w);
        cg_session_err(x, x->at, &err);
        return NULL;
    }
    return w;
}

/* ---- what the model says ---------------------------------------------------------------------------------------- */

bool cg_writer_begin(CgWriter *w, const void *context, CgErr *err)
{
    const CgGenerator *g = w->g;
    if (w->decoder) {
        if (g->in_context >= 0)
            cg_decoder_bind_input(w->decoder, g->in_context, context);
        return cg_decoder_begin(w->decoder, err);
    }
    if (g->in_context >= 0)
        cg_exec_bind_input(w->exec, g->in_context, context);
    if (g->in_text >= 0)
        cg_exec_bind_input(w->exec, g->in_text, w->ids);
    return true;
}

bool cg_writer_look(CgWriter *w, int64_t t, CgSaid *out, CgErr *err)
{
    static const char *const names[] = { "ids", "logits", "total" };
    CgTensor *at[] = { &out->ids, &out->logits, &out->total };
    for (int i = 0; i < 3 && w->decoder; i++)
        if (!cg_decoder_output(w->decoder, names[i], at[i]))
            return cg_err(err, CG_ERR_INPUT, "the model says nothing before any text");
    if (!w->decoder && !cg_exec_run(w->exec)) {
        cg_exec_explain(w->exec, err);
        return false;
    }
    /* a model of text shifts it itself when it has a context (place t says token t), and not when it has none */
    int64_t from = w->decoder ? 0 : w->g->in_context >= 0 ? t : t - 1;
    for (int i = 0; i < 3; i++) {
        if (!w->decoder)
            *at[i] = cg_exec_output(w->exec, i);
        size_t size = cg_dtype_size(at[i]->dtype);
        at[i]->data = (char *)at[i]->data + (size_t)(from * at[i]->stride[1]) * size;
    }
    w->vocab = out->logits.dim[2];
    return true;
}

/* ---- one token -------------------------------------------------------------------------------------------------- */

/* The text ends where a stop begins; of the token that it begins in, what stands before it is text again. */
static void cut(const CgWriting *how, CgTextRow *t, int32_t *ids, size_t at)
{
    size_t from = 0;
    int64_t n = t->given;
    CgStrbuf decoded = { 0 };
    for (; n < t->n; n++) {
        decoded.len = 0;
        cg_tokenizer_decode(how->tokenizer, ids + n, 1, CG_PLAIN | CG_WITHIN, &decoded);
        if (from + decoded.len > at)
            break;
        from += decoded.len;
    }
    cg_strbuf_deinit(&decoded);
    CgTokens rest = { 0 };
    cg_tokenizer_encode(how->tokenizer, t->said.at + from, at - from, &rest);
    t->ids = cg_malloc(sizeof *t->ids * ((size_t)n + rest.len + 1));
    memcpy(t->ids, ids, sizeof *ids * (size_t)n);
    if (rest.len)
        memcpy(t->ids + n, rest.at, sizeof *ids * rest.len);
    t->n = n + (int64_t)rest.len;
    t->said.len = at;
    cg_vec_free(&rest);
}

/* Whether a stop stands in what is said since it had `before` bytes; *at is where the first one begins. */
static bool find_stop(const CgWriting *how, const CgStrbuf *said, size_t before, size_t *at)
{
    *at = said->len;
    for (int i = 0; i < how->nstop; i++) {
        size_t n = strlen(how->stop[i]);
        for (size_t k = before < n ? 0 : before - n + 1; k + n <= said->len && k < *at; k++)
            if (!memcmp(said->at + k, how->stop[i], n))
                *at = k;
    }
    return *at < said->len;
}

/* How much of what is said stays, whatever follows: the rest may be the beginning of a stop. */
static size_t sure_of(const CgWriting *how, const CgStrbuf *said)
{
    size_t least = said->len;
    for (int i = 0; i < how->nstop; i++)
        for (size_t k = strlen(how->stop[i]) - 1; k > 0; k--)
            if (k <= said->len && !memcmp(said->at + said->len - k, how->stop[i], k)) {
                least = said->len - k < least ? said->len - k : least;
                break;
            }
    return least;
}

bool cg_writer_add(CgWriter *w, const CgWriting *how, int r, int32_t id, CgTextRow *t)
{
    int32_t *ids = w->ids + r * w->length;
    bool ends = how->tokenizer && id == how->tokenizer->end && !how->past_end;
    if (ends && t->ends-- <= 0) {
        t->end = CG_TEXT_ENDED;
        return false;
    }
    for (int i = 0; i < how->nstop_id; i++)
        if (id == how->stop_id[i]) {
            t->end = CG_TEXT_STOPPED;
            return false;
        }
    ids[t->n++] = id;
    if (w->seen)
        w->seen[r * w->vocab + id] = 1;
    size_t before = t->said.len, at;
    if (how->nstop || how->heard)
        cg_tokenizer_decode(how->tokenizer, &id, 1, CG_PLAIN | CG_WITHIN, &t->said);
    if (how->nstop && find_stop(how, &t->said, before, &at)) {
        cut(how, t, ids, at);
        t->end = CG_TEXT_STOPPED;
        return false;
    }
    return t->n - t->given < t->most;
}

static int32_t choose(const CgWriter *w, CgSampler *sampler, int r, const CgSaid *said, const CgTextRow *t, double *log)
{
    const float *logits = (const float *)said->logits.data + r * said->logits.stride[0];
    double total = (double)((const float *)said->total.data)[r * said->total.stride[0]];
    int32_t id = ((const int32_t *)said->ids.data)[r * said->ids.stride[0]];
    if (sampler)
        id = cg_sample(sampler, logits, w->seen ? w->seen + r * w->vocab : NULL, t->row, (uint64_t)(t->n - t->given));
    *log = id < 0 || !isfinite(total) ? NAN : (double)logits[id] - total;
    return id;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static bool write_position(
    CgWriter *w, const CgWriting *how, CgSampler *sampler, int64_t t, const CgSaid *said, CgTextRow *texts, CgErr *err)
{
    for (int r = 0; r < w->rows; r++) {
        CgTextRow *text = &texts[r];
        double log;
        if (w->done[r])
            w->ids[r * w->length + t] = how->tokenizer ? how->tokenizer->end : 0;
        if (w->done[r] || t < text->given)
            continue;
        int32_t id = choose(w, sampler, r, said, text, &log);
        if (isnan(log)) {
            cg_err(err, CG_ERR_INPUT, "the model's logits of token %lld are not finite", (long long)t);
            return false;
        }
        text->log_likelihood += log;
        w->done[r] = !cg_writer_add(w, how, r, id, text);
        if (r == 0 && how->heard)
            how->heard(how->arg, cg_strbuf_str(&text->said), w->done[0] ? text->said.len : sure_of(how, &text->said));
    }
    return true;
}

static bool all_done(const CgWriter *w)
{
    for (int r = 0; r < w->rows; r++)
        if (!w->done[r])
            return false;
    return true;
}

/* Puts what is given in its place; gives the least and the most places that are given or will be written. */
static void lay_out(CgWriter *w, CgTextRow *texts, int64_t *least, int64_t *most)
{
    *least = INT64_MAX;
    *most = 0;
    memset(w->ids, 0, sizeof *w->ids * (size_t)(w->rows * w->length));
    for (int r = 0; r < w->rows; r++) {
        CgTextRow *t = &texts[r];
        int64_t end = t->given + t->most;
        CG_ASSERT(end <= w->length && (t->given > 0 || w->g->in_context >= 0), "a text has room, and begins");
        if (t->given)
            memcpy(w->ids + r * w->length, t->prompt, sizeof *w->ids * (size_t)t->given);
        *least = t->given < *least ? t->given : *least;
        *most = end > *most ? end : *most;
        t->n = t->given;
        w->done[r] = false;
    }
}

static void note_seen(CgWriter *w, const CgTextRow *texts)
{
    free(w->seen);
    w->seen = cg_calloc((size_t)w->rows * (size_t)w->vocab + 1, 1);
    for (int r = 0; r < w->rows; r++)
        for (int64_t i = 0; i < texts[r].given; i++)
            if (texts[r].prompt[i] >= 0 && texts[r].prompt[i] < w->vocab)
                w->seen[r * w->vocab + texts[r].prompt[i]] = 1;
}

bool cg_writer_run(CgWriter *w, const CgWriting *how, const void *context, CgTextRow *texts)
{
    CgErr err = { 0 };
    CgSampler *sampler = NULL;
    int64_t first, end, fed = 0;
    lay_out(w, texts, &first, &end);
    cg_stop_listen();
    bool good = cg_writer_begin(w, context, &err), draws = how->how.temperature > 0 || how->how.repetition != 1;
    for (int64_t t = first; good && t < end && !all_done(w); t++) {
        CgSaid said;
        /* what is new since the last time: all that every row was given, or one token */
        good = !w->decoder || cg_decoder_feed(w->decoder, w->ids + fed, w->length, t - fed, &err);
        fed = t;
        good = good && cg_writer_look(w, t, &said, &err);
        if (good && draws && !sampler) {
            sampler = cg_sampler_new(&how->how, w->vocab);
            if (how->how.repetition != 1)
                note_seen(w, texts);
        }
        good = good && write_position(w, how, sampler, t, &said, texts, &err);
        if (good && cg_session_stopped(w->x))
            good = cg_err(&err, CG_ERR_INTERRUPTED, "stopped while writing text; the same command begins it again");
    }
    cg_stop_deafen();
    cg_sampler_free(sampler);
    free(w->seen);
    w->seen = NULL;
    for (int r = 0; r < w->rows; r++)
        if (!texts[r].ids) {
            texts[r].ids = cg_malloc(sizeof *w->ids * (size_t)(texts[r].n + 1));
            memcpy(texts[r].ids, w->ids + r * w->length, sizeof *w->ids * (size_t)texts[r].n);
        }
    return good || cg_session_err(w->x, w->x->at, &err);
}

void cg_text_row_deinit(CgTextRow *t)
{
    free(t->ids);
    cg_strbuf_deinit(&t->said);
    *t = (CgTextRow){ 0 };
}
