/* generate_check.c - text that a model will write.
 * Takes a model and the type of its context; gives a generator, and when a text is to be written its graph, and the
 * same place by place where the model allows that. Runs nothing. */
#include <stdlib.h>
#include <string.h>

#include "graph/incremental.h"
#include "graph/pass.h"
#include "stage/check.h"

/* The model place by place, if its graph allows that and says of each place what it should: with a context place t of
 * the logits says token t, so that one place needs no text; without one it says what follows token t. */
static void build_step(CgGenerator *g, const CgGraph *model)
{
    CgGraph *plain = cg_pass_run_all(model, "recognise,slice,fold,dce"), *both = NULL;
    for (size_t i = 0; i < plain->inputs.len && !both; i++)
        if (!strcmp(cg_node_name(plain, plain->inputs.at[i]), "text"))
            both = cg_incremental_build(plain, plain->inputs.at[i], 1);
    int64_t first = 0;
    for (size_t i = 0; both && i < both->outputs.len; i++)
        if (!strcmp(both->outputs.at[i].name, "first.ids"))
            cg_dim_is_int(cg_node_type(both, both->outputs.at[i].ref)->dim[1], &first);
    if (both && first == (g->in_context >= 0))
        cg_incremental_split(both, true, &g->prologue, &g->step);
    if (both)
        cg_graph_free(both);
    cg_graph_free(plain);
}

/* The outputs: ids (the likeliest), logits, total (the logarithm of what they weigh together). */
static bool add_outputs(CgElab *e, CgGenerator *g, CgValue *logits, CgSpan span)
{
    CgModelGraph *m = g->model;
    const CgType *t = logits->kind == CG_VALUE_TENSOR ? cg_value_type(e, logits) : NULL;
    if (!t || t->rank != 3 || t->dtype != CG_F32) {
        CgDiag *d = cg_elab_error(e, CG_E0401, span, "a model that writes text gives logits f32[B, T, vocab]");
        cg_diag_help(d, "it is applied to i32[B, T], after what `context` gives it");
        return false;
    }
    CgAttr axis = cg_a_int("axis", 2);
    const CgAttrs *attrs = cg_attrs(1, &axis);
    cg_dim_is_int(t->dim[2], &g->vocabulary);
    cg_graph_output(m->graph, "ids", cg_build(&m->build, "argmax", 1, &logits->tensor->ref, attrs));
    cg_graph_output(m->graph, "logits", logits->tensor->ref);
    cg_graph_output(m->graph, "total", cg_build(&m->build, "logsumexp", 1, &logits->tensor->ref, attrs));
    return true;
}

CgGenerator *cg_generator_build(CgElab *e, CgFrame *f, CgValue *model, const CgType *context, int64_t length,
    const CgBelow tokens[2], CgDtype weights, CgSpan span)
{
    CgGenerator *g = CG_NEW(e->arena, CgGenerator);
    CgModelGraph *m = g->model = cg_model_begin(e, "generate", cg_precision_option(e));
    g->length = length;
    g->weights = weights;
    g->in_context = g->in_text = -1;
    cg_session_own_generator(e, g);
    CgValue *root = cg_instance_root(e, model, false);
    const CgDim *dim[2] = { context ? context->dim[0] : cg_dim_symbol("batch"),
        length ? cg_dim_int(length) : cg_dim_symbol(CG_TEXT_LENGTH) };
    CgValue *args[2];
    CgSpan spans[2] = { span, span };
    CgAtom names[2] = { NULL, NULL };
    int n = 0;
    if (context)
        args[n++] = cg_value_tensor(e, cg_graph_input(&m->build, "context", *context), span);
    args[n++] = cg_value_tensor(e, cg_graph_input(&m->build, "text", cg_type(CG_I32, 2, dim)), span);
    for (int i = 0; i < n; i++)
        if (tokens[i + !context].size || tokens[i + !context].tokenizer)
            cg_below_set(m, args[i]->tensor->ref, tokens[i + !context]);
    CgValue *logits = cg_apply(e, f, root, args, names, spans, n, span);
    bool good = !cg_is_poison(logits);
    cg_annotations_check(e);
    good = good && add_outputs(e, g, logits, span);
    for (size_t i = 0; i < m->graph->inputs.len; i++) {
        if (!strcmp(cg_node_name(m->graph, m->graph->inputs.at[i]), "context"))
            g->in_context = (int)i;
        else
            g->in_text = (int)i;
    }
    cg_model_end(e);
    return good ? g : NULL;
}

void cg_generator_complete(CgGenerator *g)
{
    if (g->graph)
        return;
    CgGraph *narrow = g->weights == CG_F32 ? NULL : cg_narrow_build(g->model->graph, g->weights, &g->kept, &g->nkept);
    const CgGraph *model = narrow ? narrow : g->model->graph;
    g->graph = cg_pass_run_all(model, NULL);
    build_step(g, model);
    if (narrow)
        cg_graph_free(narrow);
}

void cg_generator_free(CgGenerator *g)
{
    cg_model_free(g->model);
    cg_graph_free(g->graph);
    cg_graph_free(g->prologue);
    cg_graph_free(g->step);
    free(g->kept);
}
