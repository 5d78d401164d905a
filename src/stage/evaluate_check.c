/* evaluate_check.c - an evaluation, checked.
 * Takes the block of evaluate; gives a stage with the graph of its columns, complete and checked before any data is
 * read. Runs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "stage/advice.h"
#include "stage/check.h"

static int want(CgElab *e, CgStage *s, CgValue *tensor)
{
    for (int i = 0; i < s->nwanted; i++)
        if (s->wanted[i]->tensor->ref == tensor->tensor->ref)
            return i;
    CgValue **more = CG_NEWN(e->arena, CgValue *, s->nwanted + 1);
    if (s->nwanted)
        memcpy(more, s->wanted, sizeof *more * (size_t)s->nwanted);
    more[s->nwanted] = tensor;
    s->wanted = more;
    return s->nwanted++;
}

static void want_arguments(CgElab *e, CgStage *s, CgValue *call)
{
    for (int i = 0; i < call->n; i++) {
        if (call->at[i]->kind == CG_VALUE_TENSOR)
            want(e, s, call->at[i]);
        else if (call->at[i]->kind == CG_VALUE_CALL)
            want_arguments(e, s, call->at[i]);
    }
}

/* Those of columns that write text are made of the models that write it. */
static void look_at_generators(CgElab *e, CgStage *s, const CgValue *v)
{
    if (v->kind != CG_VALUE_CALL)
        return;
    if (v->stage) {
        const CgGenerator *g = ((const CgTextCall *)v->stage)->generator;
        cg_stage_inputs(e, s, g->model);
        s->whole |= cg_stage_mixes_rows(g->model->graph);
    }
    for (int i = 0; i < v->n; i++)
        look_at_generators(e, s, v->at[i]);
}

static const CgBlockField evaluate_fields[] = {
    { "allow_leak", "str", "what was trained on is reported",
        "Why rows that reached the model, by training or by choice, are evaluated on all the same. The reason stands "
        "below the table, in place of a warning with the way they came." },
};

const CgBlockField *cg_evaluate_field(size_t i) { return i < CG_LEN(evaluate_fields) ? &evaluate_fields[i] : NULL; }

static bool read_allow_leak(CgElab *e, CgStage *s, const CgArg *a, const CgValue *v)
{
    if (v->kind != CG_VALUE_STR || !*v->s) {
        CgDiag *d = cg_elab_error(e, CG_E0607, a->value->span, "allow_leak says why, in words, not %s",
            v->kind == CG_VALUE_STR ? "nothing" : cg_value_kind_name(v));
        cg_diag_help(d, "allow_leak = \"how well it fits what it was trained on\"");
        return false;
    }
    s->allow_leak = v->s;
    return true;
}

/* What only a training does with data, an evaluation does not pass over in silence. */
static bool check_copies(CgElab *e, const CgValue *data, CgSpan span)
{
    const CgValue *copies = data->kind == CG_VALUE_CALL ? cg_record_find(data, cg_intern("copies")) : NULL;
    double share = 0;
    if (copies && cg_value_number(copies, &share) && share > 0) {
        CgDiag *d =
            cg_elab_error(e, CG_E0318, span, "'copies' are of a training: an evaluation sees the text as it is");
        cg_diag_help(d, "leave 'copies' out here");
        return false;
    }
    for (int i = 0; data->kind == CG_VALUE_CALL && i < data->n; i++)
        if (cg_value_class(data->at[i]) == &cg_class_dataset && !check_copies(e, data->at[i], span))
            return false;
    return true;
}

static bool fill_evaluate(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s)
{
    CgValue *batch = cg_check_batch(e, s->data, true, x->b->span);
    if (!batch)
        return false;
    CgFrame inner;
    cg_check_fields(e, &inner, f, x, s->root, batch);
    s->columns = CG_NEWN(e->arena, CgColumnSpec, x->args.n + 1);
    bool good = true;
    const CgDim *rows = cg_dim_symbol("batch");
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *a = &x->args.at[i];
        CgValue *v = cg_eval(e, &inner, a->value);
        double number;
        if (!strcmp(a->name, evaluate_fields[0].name) && !cg_is_poison(v)) {
            good &= read_allow_leak(e, s, a, v);
            continue;
        }
        if (cg_is_poison(v)) {
            good = false;
        } else if (v->kind == CG_VALUE_TENSOR) {
            const CgType *t = cg_value_type(e, v);
            if (t->rank != 1 || t->dim[0] != rows) {
                CgStrbuf text = { 0 };
                cg_type_print(t, &text);
                CgDiag *d = cg_elab_error(e, CG_E0401, a->value->span,
                    "column '%s' has one number a row of the batch, not %s", a->name, cg_strbuf_str(&text));
                if (t->rank > 1)
                    cg_diag_help(d, "mean(..., axis = 1) makes one number of each row");
                else if (!t->rank)
                    cg_diag_help(d,
                        "without an axis mean, sum, max and argmax look at all rows at once: axis = 1 is of each row; "
                        "the mean over the rows is taken of the column, mean(scores.%s)",
                        a->name);
                cg_strbuf_deinit(&text);
                good = false;
            }
        } else if (v->kind == CG_VALUE_CALL && v->function->traits & CG_ROW) {
            want_arguments(e, s, v);
        } else if (!cg_value_number(v, &number)) {
            cg_elab_error(e, CG_E0607, a->value->span, "column '%s' is %s; columns are numbers or texts of each row",
                a->name, cg_value_kind_name(v));
            good = false;
        }
        s->columns[s->ncolumns++] = (CgColumnSpec){ a->name, a->value->span, v, -1 };
        cg_frame_bind(&inner, a->name, v);
    }
    cg_frame_end(e, &inner);
    if (!good)
        return false;
    CgModelGraph *m = s->model;
    for (int i = 0; i < s->ncolumns; i++)
        if (s->columns[i].value->kind == CG_VALUE_TENSOR) {
            s->columns[i].output = (int)m->graph->outputs.len;
            cg_graph_output(m->graph, s->columns[i].name, s->columns[i].value->tensor->ref);
        }
    for (int i = 0; i < s->nwanted; i++) {
        char name[32];
        snprintf(name, sizeof name, "wanted.%d", i);
        cg_graph_output(m->graph, name, s->wanted[i]->tensor->ref);
    }
    s->whole = !cg_session_of(e)->opts.checking && cg_stage_mixes_rows(m->graph);
    return true;
}

CgValue *cg_stage_evaluate(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *model = cg_check_model(e, f, x->a);
    if (!x->b) {
        cg_elab_error(e, CG_E0304, x->span, "evaluate needs data: evaluate MODEL on windows(...)");
        return cg_value_poison(e);
    }
    CgValue *data = cg_eval(e, f, x->b);
    if (cg_is_poison(model) || cg_is_poison(data) || !check_copies(e, data, x->b->span))
        return cg_value_poison(e);
    CgStage *s = cg_stage_new(e, &cg_stage_kind_evaluate, x->span, x->s ? x->s : cg_intern("model"));
    s->data = data;
    s->model = cg_model_begin(e, s->label, cg_precision_option(e));
    s->root = cg_instance_root(e, model, false);
    bool good = fill_evaluate(e, f, x, s);
    cg_annotations_check(e);
    cg_model_end(e);
    if (!good || !cg_weights_check(cg_session_of(e), s->model))
        return cg_value_poison(e);
    cg_stage_ask(e, f, x, s, model);
    cg_stage_inputs(e, s, s->model);
    cg_stage_data(e, s, s->data);
    for (int i = 0; i < s->ncolumns; i++)
        look_at_generators(e, s, s->columns[i].value);
    cg_evaluate_advise(e, s, x);
    CgValue *v = cg_value_new(e, CG_VALUE_STAGE, x->span);
    v->stage = s;
    return v;
}
