/* causality.c - whether a language model knows the token that it is asked for, tried out before it is trained.
 * Takes a training whose loss asks, at each place of a text, for the token behind it; exchanges the end of one row, and
 * says so where what the model says of places before that changes. A model whose ops show that none does is not tried.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/causal.h"
#include "run/tensor.h"
#include "stage/advice.h"
#include "stage/training.h"

/* The text that a model of one text is asked to go on with, by a cross entropy against its next tokens; NONE: it is
 * asked for something else, or given the text twice, the second time to write it again. */
static CgRef text_of(const CgStage *s, const CgNode *loss)
{
    const CgGraph *g = s->model->graph;
    CgRef target = cg_elements_of(g, loss->in[1]), text = CG_NONE;
    if (cg_graph_tensors(s->root->instance->stmt) != 1 || !(cg_node(g, target)->op->traits & CG_INPUT))
        return CG_NONE;
    for (size_t i = 0; i < g->inputs.len && text == CG_NONE; i++)
        if (g->inputs.at[i] != target && !cg_dtype_is_float(cg_node_type(g, g->inputs.at[i])->dtype)
            && cg_next_field(s, cg_node_name(g, g->inputs.at[i])) == cg_node_name(g, target))
            text = g->inputs.at[i];
    int read = 0;
    for (CgRef r = 0; text != CG_NONE && r <= s->loss; r++)
        for (int k = 0; k < cg_node(g, r)->nin; k++)
            read += cg_node(g, r)->in[k] == text;
    return read == 1 ? text : CG_NONE;
}

enum { PLACES = 16 }; /* that are looked at: whoever sees further ahead sees it from the last ones, too */

/* Logits of the last places before `from`. */
static bool logits(const CgRunner *r, int64_t from, int64_t vocab, double *out)
{
    if (!cg_exec_run(r->exec))
        return false;
    CgTensor y = cg_exec_output(r->exec, 0);
    int64_t first = from > PLACES ? from - PLACES : 0;
    for (int64_t i = first * vocab; i < from * vocab; i++)
        out[i - first * vocab] = cg_tensor_number(&y, i);
    return true;
}

/* Whether logits of places before `from` are others when the tokens from there on are; row by place by vocabulary. */
static bool changes(const CgRunner *r, int32_t *tokens, int64_t places, int64_t vocab, int64_t from)
{
    size_t n = (size_t)((from > PLACES ? PLACES : from) * vocab);
    double *before = cg_calloc(2 * n, sizeof *before), *after = before + n, most = 0, moved = 0;
    bool good = logits(r, from, vocab, before);
    for (int64_t i = from; i < places; i++)
        tokens[i] = tokens[i] ? tokens[i] - 1 : 1;
    good = good && logits(r, from, vocab, after);
    for (size_t i = 0; good && i < n; i++) {
        most = fmax(most, fabs(before[i]));
        moved = fmax(moved, fabs(after[i] - before[i]));
    }
    free(before);
    return good && moved > 1e-6 * most; /* numbers that are none: the training itself will tell */
}

static bool knows(CgTraining *t, const CgNode *loss, CgRef text)
{
    CgStage *s = t->s;
    const CgGraph *g = s->model->graph;
    const CgType *type = cg_node_type(g, loss->in[0]);
    int64_t places, vocab;
    int f = 0;
    while (f < t->data->nfields && strcmp(t->data->field[f].name, cg_node_name(g, text)) != 0)
        f++;
    if (f == t->data->nfields || type->rank != 3 || type->dtype != CG_F32 || !cg_dim_is_int(type->dim[1], &places)
        || !cg_dim_is_int(type->dim[2], &vocab) || places < 3 || vocab < 2 || t->data->field[f].dtype != CG_I32
        || cg_field_count(&t->data->field[f]) != places)
        return false;
    CgGraph *plain = cg_shares_plain(s->model, loss->in[0], NULL);
    CgRunner r;
    bool found = false;
    if (cg_runner_new(t->x, plain, 1, (CgPlanOptions){ 0 }, s->span, &r)) {
        cg_runner_bind_params(&r, &t->memory);
        cg_dataset_batch(t->data, cg_session_seed(t->x, s->seed), 0, 1, t->rows);
        cg_runner_bind_batch(&r, t->data, t->rows, 0);
        cg_exec_random(r.exec, cg_session_seed(t->x, s->seed), 0, 0);
        found = changes(&r, t->rows[f], places, vocab, (2 * places / 3) | 1);
        cg_runner_free(&r);
    }
    cg_graph_free(plain);
    return found;
}

void cg_training_try_causal(CgTraining *t)
{
    const CgStage *s = t->s;
    const CgGraph *g = s->model->graph;
    for (CgRef i = 0; i <= s->loss; i++) {
        const CgNode *loss = cg_node(g, i);
        CgRef text = cg_advice_is(loss, "cross_entropy") ? text_of(s, loss) : CG_NONE;
        if (text == CG_NONE || cg_causal_fault(g, text, loss->in[0], 1) == CG_NONE || !knows(t, loss, text))
            continue;
        CgSpan at = loss->span.file && !cg_of_library(t->x->elab, loss->span) ? loss->span : s->span;
        CgDiag *d = cg_advise_once(t->x->elab, CG_E0702, at)
            ? cg_diag_warn(t->x->diags, CG_E0702, at,
                "what the model says at a place changes with the tokens behind it, the one it is asked for among them")
            : NULL;
        if (d)
            cg_diag_help(d,
                "a language model sees what stands before: softmax(masked(scores, causal), axis = S); "
                "bits_per_byte(model, data) names the op that looks ahead");
        return;
    }
}
