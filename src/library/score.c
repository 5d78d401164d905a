/* score.c - bits a byte of a text by a model that is shown to foretell it.
 * Takes a model and windows of a text; gives the evaluation of stdlib/prelude.cg, or a message. Three things are shown
 * of the graph and the data before anything runs: no token is foretold from itself, a later one or another row; what
 * each token of the vocabulary gets is a share of a whole; the text is scored as it stands. */
#include "library/score.h"

#include <math.h>
#include <string.h>

#include "graph/causal.h"
#include "graph/pass.h"
#include "library/mixture.h"

enum { MODEL, DATA };

/* At the author's line: where it is a graph of the library that does it, where that is applied. */
static CgDiag *refuse(CgElab *e, const CgArguments *a, const CgGraph *g, CgRef at, const char *why)
{
    const CgNode *n = cg_node(g, at);
    CgSpan span = n->span;
    for (int s = n->scope; s > 0 && cg_of_library(e, span); s = g->scopes.at[s].parent)
        if (g->scopes.at[s].span.file)
            span = g->scopes.at[s].span;
    CgDiag *d = cg_elab_error(e, CG_E0611, span.file ? span : a->call, "%s", why);
    if (span.file != n->span.file)
        cg_diag_note(d, n->span, "by this");
    if (span.file)
        cg_diag_note(d, a->call, "scored here");
    return d;
}

/* ---- shares of a whole ---------------------------------------------------------------------------------- */

/* What the model gives: logits, which become shares by a softmax over all of the vocabulary, or shares that add up. */
static bool normalised(CgElab *e, const CgArguments *a, const CgGraph *g, CgRef out, bool *shares)
{
    CgRef of = strcmp(cg_node(g, out)->op->name, "log") ? out : cg_node(g, out)->in[0];
    double total = cg_mixture_total(g, of);
    *shares = of == out && fabs(total - 1) <= 1e-6;
    if (fabs(total - 1) <= 1e-6 || !cg_mixture_within(g, of))
        return true;
    CgDiag *d = refuse(e, a, g, of, "these shares of the vocabulary cannot be shown to add up to 1");
    if (!isnan(total))
        cg_diag_label(d, cg_node(g, of)->span, "they add up to %.6g", total);
    cg_diag_help(d,
        "give logits, a softmax over the vocabulary, or mixtures of such: w * p + (1 - w) * q with w a sigmoid or a "
        "number from 0 to 1, or weights that are all of a softmax, each the same for all of the vocabulary");
    return false;
}

/* ---- what a token is foretold from ---------------------------------------------------------------------- */

static CgRef output_called(const CgGraph *g, const char *name)
{
    for (size_t i = 0; i < g->outputs.len; i++)
        if (!strcmp(g->outputs.at[i].name, name))
            return g->outputs.at[i].ref;
    return CG_NONE;
}

static bool causal(CgElab *e, const CgArguments *a, const CgGraph *raw)
{
    CgGraph *g = cg_pass_run_all(raw, "recognise,fold,dce");
    CgRef out = output_called(g, "logits"), text = CG_NONE, at = CG_NONE;
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), "text"))
            text = g->inputs.at[i];
    if (text != CG_NONE && (at = cg_apart_fault(g, text, out, 0)) != CG_NONE)
        cg_diag_help(refuse(e, a, g, at, "a row of the batch may see another row here, which may hold its next tokens"),
            "each row is foretold from itself alone");
    else if (text != CG_NONE && (at = cg_causal_fault(g, text, out, 1)) != CG_NONE)
        cg_diag_help(refuse(e, a, g, at, "a token may see itself or a later one here, when it is foretold"),
            "logits at place t say token t + 1 from the tokens up to t: a causal mask, and no sum over all places");
    cg_graph_free(g);
    return at == CG_NONE;
}

/* ---- the text as it stands ------------------------------------------------------------------------------ */

static bool as_it_stands(CgElab *e, const CgArguments *a, const CgValue *data)
{
    const char *name = data->kind == CG_VALUE_CALL ? data->function->name : "";
    if (!strcmp(name, "windows"))
        return true;
    if (!strcmp(name, "shuffle") || !strcmp(name, "first"))
        return as_it_stands(e, a, data->at[0]);
    CgDiag *d = cg_elab_error(e, CG_E0611, a->span[DATA], "what is scored is not a text as it stands: '%s' %s", name,
        "may choose or change what is foretold");
    cg_diag_help(d, "bits_per_byte(model, windows(text.test, tok, length = 256)); first(..) of them will do");
    return false;
}

CgValue *cg_score_build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    const CgBelow unknown[2] = { 0 };
    if (!as_it_stands(e, a, a->at[DATA]))
        return cg_value_poison(e);
    CgGenerator *g =
        cg_generator_build(e, f, a->at[MODEL], NULL, cg_data_tokens(a->at[DATA]), unknown, CG_F32, a->span[MODEL]);
    bool shares = false;
    if (!g)
        return cg_value_poison(e);
    const CgGraph *raw = g->model->graph;
    bool good = causal(e, a, raw);
    if (!normalised(e, a, raw, output_called(raw, "logits"), &shares) || !good)
        return cg_value_poison(e);
    CgValue *def = cg_env_find(e, f->env, cg_intern("scored_bits"));
    CgValue *args[] = { a->at[MODEL], a->at[DATA], cg_value_bool(e, shares, a->call) };
    CgSpan spans[] = { a->span[MODEL], a->span[DATA], a->call };
    CgAtom names[] = { NULL, NULL, NULL };
    return cg_call(e, f, def, args, names, spans, 3, a->site);
}
