/* generate.c - writing text with a model.
 * Takes a generator and its parameters; gives texts, a batch of rows at a time: place by place where the model's graph
 * could be brought into that form (graph/incremental.h), else by running the whole graph for each place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stage/session.h"
#include "run/decode.h"

struct CgWriter {
    CgSession *x;
    CgGenerator *g;
    int rows;
    CgDecoder *decoder; /* or, for the whole graph: */
    CgPlan *plan;
    CgExec *exec;
};

static int32_t sample(const float *logits, int64_t vocab, double temperature, int64_t top_k, double draw)
{
    int64_t n = vocab;
    int32_t *order = cg_malloc((size_t)vocab * sizeof *order);
    double *weight = cg_malloc((size_t)vocab * sizeof *weight);
    for (int64_t i = 0; i < vocab; i++)
        order[i] = (int32_t)i;
    if (top_k > 0 && top_k < vocab) {
        for (int64_t i = 0; i < top_k; i++) /* the k largest to the front */
            for (int64_t j = i + 1; j < vocab; j++)
                if (logits[order[j]] > logits[order[i]]) {
                    int32_t swap = order[i];
                    order[i] = order[j];
                    order[j] = swap;
                }
        n = top_k;
    }
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, (double)logits[order[i]]);
    for (int64_t i = 0; i < n; i++)
        sum += weight[i] = exp(((double)logits[order[i]] - most) / temperature);
    int32_t out = order[0];
    double at = draw * sum;
    for (int64_t i = 0; i < n; i++) {
        out = order[i];
        if ((at -= weight[i]) < 0)
            break;
    }
    free(order);
    free(weight);
    return out;
}

void cg_writer_free(CgWriter *w)
{
    if (!w)
        return;
    cg_decoder_free(w->decoder);
    cg_exec_free(w->exec);
    cg_plan_free(w->plan);
    free(w);
}

CgWriter *cg_writer_new(CgSession *x, CgGenerator *g, const CgMemory *memory, int rows)
{
    CgErr err = { 0 };
    CgBinding b = { cg_intern("batch"), rows };
    CgBindings dims = { &b, 1 };
    CgPlanOptions options = { .sources = x->sources };
    CgWriter *w = cg_calloc(1, sizeof *w);
    *w = (CgWriter){ .x = x, .g = g, .rows = rows };
    if (g->step && !cg_debug_value("whole")) {
        w->decoder = cg_decoder_new(g->prologue, g->step, dims, options, x->pool, &err);
    } else {
        w->plan = cg_plan_build(g->graph, dims, options, &err);
        w->exec = w->plan ? cg_exec_new(w->plan, x->pool, &err) : NULL;
    }
    if (!w->decoder && !w->exec) {
        cg_writer_free(w);
        cg_session_err(x, x->at, &err);
        return NULL;
    }
    cg_session_note_precision(x, g->graph);
    for (int i = 0; i < memory->n; i++) {
        if (w->decoder)
            cg_decoder_bind_param(w->decoder, i, memory->at[i]);
        else
            cg_exec_bind_param(w->exec, i, memory->at[i]);
    }
    return w;
}

/* Logits (rows, vocab) of the token at place t and the likeliest of them, all before it being written. */
static bool look(CgWriter *w, int64_t t, CgTensor *logits, CgTensor *ids, CgErr *err)
{
    CgGenerator *g = w->g;
    int64_t from = 0;
    if (w->decoder) {
        if (!cg_decoder_output(w->decoder, "logits", logits) || !cg_decoder_output(w->decoder, "ids", ids))
            return cg_err(err, CG_ERR_INPUT, "the model says nothing before any text");
    } else {
        if (!cg_exec_run(w->exec)) {
            cg_exec_explain(w->exec, err);
            return false;
        }
        *ids = cg_exec_output(w->exec, 0);
        *logits = cg_exec_output(w->exec, 1);
        /* a model of text shifts it itself when it has a context (place t says token t), and not when it has none */
        from = g->in_context >= 0 ? t : t - 1;
    }
    logits->data = (float *)logits->data + from * logits->stride[1];
    ids->data = (int32_t *)ids->data + from * ids->stride[1];
    return true;
}

bool cg_writer_run(
    CgWriter *w, const int32_t *context, int32_t *text, int64_t fixed, double temperature, int64_t top_k, uint64_t seed)
{
    CgGenerator *g = w->g;
    CgErr err = { 0 };
    int64_t length = g->length;
    if (w->decoder) {
        if (g->in_context >= 0)
            cg_decoder_bind_input(w->decoder, g->in_context, context);
        if (!cg_decoder_begin(w->decoder, &err))
            return cg_session_err(w->x, w->x->at, &err);
    } else {
        if (g->in_context >= 0)
            cg_exec_bind_input(w->exec, g->in_context, context);
        if (g->in_text >= 0)
            cg_exec_bind_input(w->exec, g->in_text, text);
    }
    for (int64_t t = fixed; t < length; t++) {
        CgTensor ids, logits;
        /* what is new since the last time: all that was given, or one token */
        if (w->decoder
            && !cg_decoder_feed(w->decoder, t == fixed ? text : text + t - 1, length, t == fixed ? fixed : 1, &err))
            return cg_session_err(w->x, w->x->at, &err);
        if (!look(w, t, &logits, &ids, &err))
            return cg_session_err(w->x, w->x->at, &err);
        for (int r = 0; r < w->rows; r++) {
            int32_t id;
            if (temperature > 0) {
                uint32_t bits[2];
                cg_random_bits(seed, 0x67656e, (uint64_t)t, (uint64_t)r * 2, 2, bits);
                id = sample((const float *)logits.data + r * logits.stride[0], logits.dim[2], temperature, top_k,
                    (double)bits[0] / 4294967296.0);
            } else {
                id = ((const int32_t *)ids.data)[r * ids.stride[0]];
            }
            text[r * length + t] = id;
        }
        if (cg_session_stopped(w->x)) {
            cg_err(&err, CG_ERR_INTERRUPTED, "stopped while writing text; the same command begins it again");
            return cg_session_err(w->x, w->x->at, &err);
        }
    }
    return true;
}
