/* rows_check.c - filter(data, ..) and compute(data, ..) of a dataset, checked.
 * Takes the call; gives a stage with the graph of what is asked of each row, whose fields are names there as columns
 * are those of a table. Runs nothing. */
#include <string.h>

#include "elab/signature.h"
#include "graph/pass.h"
#include "stage/check.h"

/* Room for one more output: its name and type. */
static bool add_output(CgElab *e, CgStage *s, CgAtom name, CgValue *v, CgSpan span, CgField *field)
{
    const CgType *t = v->kind == CG_VALUE_TENSOR ? cg_value_type(e, v) : NULL;
    bool good = t && t->rank > 0 && t->dim[0] == cg_dim_symbol("batch");
    *field = (CgField){ .name = name, .dtype = t ? t->dtype : CG_F32, .rank = good ? t->rank - 1 : 0 };
    for (int k = 0; good && k < field->rank; k++)
        good = cg_dim_is_int(t->dim[k + 1], &field->dim[k]);
    if (good) {
        int64_t below = 0;
        CgBelow bound = cg_below_of(e, v);
        if (bound.size && cg_dim_is_int(bound.size, &below))
            field->below = below;
        cg_graph_output(s->model->graph, name, v->tensor->ref);
        return true;
    }
    CgStrbuf text = { 0 };
    if (t)
        cg_type_print(t, &text);
    CgDiag *d =
        cg_elab_error(e, CG_E0401, span, "'%s' is of each row: a tensor with the rows as its first axis, not %s", name,
            t ? cg_strbuf_str(&text) : cg_value_kind_name(v));
    cg_diag_help(d, "names here are the fields of the rows, with the rows of a batch in front");
    cg_strbuf_deinit(&text);
    return false;
}

/* What makes a value of the rows beside it would be another one in another batch. */
static bool row_by_row(CgElab *e, const CgStage *s, CgSpan span)
{
    if (!cg_stage_mixes_rows(s->model->graph))
        return true;
    CgDiag *d = cg_elab_error(e, CG_E0401, span, "what is computed of a row may not depend on other rows");
    cg_diag_help(d, "a sum or mean over the first axis looks at all rows of a batch; name the axes of one row");
    return false;
}

static bool condition(CgElab *e, CgStage *s, CgValue *v, CgSpan span)
{
    CgField field;
    if (!add_output(e, s, cg_intern("where"), v, span, &field))
        return false;
    if (field.dtype == CG_BOOL && !field.rank)
        return true;
    CgStrbuf text = { 0 };
    cg_type_print(cg_value_type(e, v), &text);
    cg_elab_error(
        e, CG_E0401, span, "the condition is true or false for each row, bool[batch], not %s", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return false;
}

/* The fields of the rows and those that are computed. */
static CgField *more_fields(CgElab *e, CgStage *s, const CgDataFields *have, const CgValue *v, CgSpan span)
{
    if (v->kind != CG_VALUE_RECORD || !v->n) {
        cg_elab_error(e, CG_E0312, span, "what is computed is a record of new fields, { name: .. }, not %s",
            cg_value_kind_name(v));
        return NULL;
    }
    CgField *field = CG_NEWN(e->arena, CgField, have->n + v->n);
    memcpy(field, have->field, sizeof *field * (size_t)have->n);
    for (int i = 0; i < v->n; i++) {
        for (int k = 0; k < have->n; k++)
            if (have->field[k].name == v->keys[i]) {
                cg_elab_error(e, CG_E0306, span, "the rows have a field '%s'", v->keys[i]);
                return NULL;
            }
        if (!add_output(e, s, v->keys[i], v->at[i], v->at[i]->span.file ? v->at[i]->span : span, &field[have->n + i]))
            return NULL;
    }
    return field;
}

/* The one argument besides the data. */
static const CgExpr *other_argument(const CgExpr *call, const CgExpr *data)
{
    const CgExpr *found = NULL;
    for (int i = 0; i < call->args.n; i++)
        if (call->args.at[i].value != data)
            found = call->args.at[i].value;
    return call->args.n == 2 ? found : NULL;
}

CgValue *cg_stage_rows(CgElab *e, CgFrame *f, const char *function, CgValue *data, const CgExpr *at, const CgExpr *call)
{
    const CgFunction *fn = cg_function_find(cg_intern_printf("%s_rows", function));
    const CgExpr *x = other_argument(call, at);
    const CgDataFields *have = cg_data_fields(data);
    if (!fn)
        return NULL;
    if (!x) {
        cg_elab_error(
            e, CG_E0312, call->span, "%s of rows is one of filter(data, where) and compute(data, fields)", function);
        return cg_value_poison(e);
    }
    CgStage *s = cg_stage_new(e, &cg_stage_kind_rows, call->span, cg_intern(function));
    s->data = data;
    s->model = cg_model_begin(e, s->label, cg_precision_option(e));
    CgFrame inner;
    cg_check_row(e, &inner, f, data, at->span);
    CgValue *v = cg_eval(e, &inner, x);
    bool filters = !strcmp(function, "filter");
    CgField *field = NULL;
    bool good = !cg_is_poison(v)
        && (filters ? condition(e, s, v, x->span) : (field = more_fields(e, s, have, v, x->span)) != NULL)
        && row_by_row(e, s, x->span);
    int more = filters ? 0 : good ? v->n : 0;
    cg_frame_end(e, &inner);
    cg_annotations_check(e);
    cg_model_end(e);
    if (!good)
        return cg_value_poison(e);
    s->columns_graph = cg_session_optimised(e, s->model->graph);
    cg_stage_inputs(e, s, s->model);
    cg_stage_data(e, s, data);
    CgArguments a = { .function = fn, .n = 3, .call = call->span };
    a.at[0] = data;
    a.at[1] = cg_value_new(e, CG_VALUE_STAGE, call->span);
    a.at[1]->stage = s;
    a.at[2] = cg_value_int(e, cg_stage_number(e), call->span); /* tells it from others of the same data */
    CgValue *made = cg_function_later(e, &a, 0);
    made->stage = (void *)(uintptr_t)have;
    if (!filters) {
        CgDataFields *fields = cg_data_fields_new(e, made, field, have->n + more);
        for (int i = 0; i < have->n; i++)
            fields->tokenizer[i] = have->tokenizer[i];
        fields->origin = have->origin;
    }
    return made;
}
