/* stage.c - stages as values.
 * Takes what the checks make; gives new stages, what train and evaluate have in common while a script is checked, and
 * their end. Runs nothing. */
#include "stage/check.h"

#include "graph/pass.h"
#include "graph/rows.h"

#include <stdlib.h>
#include <string.h>

CgStage *cg_stage_new(CgElab *e, const CgStageKind *kind, CgSpan span, CgAtom label)
{
    CgStage *s = CG_NEW(e->arena, CgStage);
    s->kind = kind;
    s->span = span;
    s->label = label;
    cg_session_own_stage(e, s);
    return s;
}

static void add_input(CgElab *e, CgStage *s, CgStage *input)
{
    for (int i = 0; i < s->ninputs; i++)
        if (s->inputs[i] == input)
            return;
    CgStage **more = CG_NEWN(e->arena, CgStage *, s->ninputs + 1);
    if (s->ninputs)
        memcpy(more, s->inputs, sizeof *more * (size_t)s->ninputs);
    more[s->ninputs++] = input;
    s->inputs = more;
}

void cg_stage_inputs(CgElab *e, CgStage *s, const CgModelGraph *m)
{
    for (size_t i = 0; i < m->params.len; i++)
        if (cg_weights_stage(m->params.at[i].weights))
            add_input(e, s, cg_weights_stage(m->params.at[i].weights));
}

void cg_stage_data(CgElab *e, CgStage *s, const CgValue *v)
{
    if (v->kind == CG_VALUE_STAGE)
        add_input(e, s, v->stage);
    bool holds = v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    for (int i = 0; holds && i < v->n; i++)
        if (v->at[i])
            cg_stage_data(e, s, v->at[i]);
}

bool cg_stage_mixes_rows(const CgGraph *g)
{
    CgRowUse *use = cg_rows_find(g, cg_dim_symbol("batch"), g->nodes.len);
    bool mixed = false;
    for (size_t i = 0; i < g->outputs.len; i++)
        mixed |= use[g->outputs.at[i].ref].kind > CG_ROWS_EACH;
    free(use);
    return mixed;
}

int cg_stage_number(CgElab *e) { return (int)cg_session_of(e)->stages.len; }

CgValue *cg_check_model(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *v = cg_eval(e, f, x);
    if (cg_is_poison(v) || v->kind == CG_VALUE_INSTANCE)
        return v;
    CgDiag *d = cg_elab_error(e, CG_E0607, x->span, "a model is wanted here, not %s", cg_value_kind_name(v));
    if (v->kind == CG_VALUE_GRAPH)
        cg_diag_help(d, "give it its static arguments: %s(...)", v->stmt->names[0]);
    return cg_value_poison(e);
}

void cg_check_fields(CgElab *e, CgFrame *inner, CgFrame *f, const CgExpr *x, CgValue *root, CgValue *batch)
{
    cg_frame_begin(e, inner, f, f->env);
    cg_frame_bind(inner, cg_intern("batch"), batch);
    if (x->s)
        cg_frame_bind(inner, x->s, root);
}

const CgGraph *cg_stage_columns_graph(const CgStage *s)
{
    CgStage *own = (CgStage *)(uintptr_t)s; /* what it gives is a function of the rest */
    if (!s->columns_graph)
        own->columns_graph = cg_pass_run_all(s->model->graph, NULL);
    return s->columns_graph;
}

void cg_stage_free(CgStage *s)
{
    cg_model_free(s->model);
    cg_model_free(s->metrics_model);
    cg_model_free(s->valid_model);
    for (int i = 0; i < s->ngroups; i++) {
        cg_model_free(s->groups[i].model);
        if (s->groups[i].graph)
            cg_graph_free(s->groups[i].graph);
    }
    for (int i = 0; i < s->nturns; i++)
        if (s->turns[i].graph)
            cg_graph_free(s->turns[i].graph);
    CgGraph *graphs[] = { s->loss_graph, s->norm_graph, s->columns_graph, s->metrics_graph, s->valid_graph };
    for (size_t i = 0; i < CG_LEN(graphs); i++)
        if (graphs[i])
            cg_graph_free(graphs[i]);
    cg_shares_free(&s->shares);
    cg_shares_free(&s->metric_shares);
    cg_shares_free(&s->valid_shares);
    if (s->weights.n)
        cg_tensors_free(&s->weights);
    cg_table_free(s->history);
    cg_table_free(s->table);
}
