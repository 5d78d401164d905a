/* loss_check.c - the loss and the metrics of a training, checked.
 * Takes their fields in the block of train; gives each as one number of a graph, with the names of its terms, and the
 * columns that the history will have. Runs nothing. */
#include <string.h>

#include "graph/pass.h"
#include "lang/foreign.h"
#include "stage/check.h"

/* What each row or place counts: a field of the block, and its value. */
typedef struct Weight {
    const CgExpr *written;
    const CgValue *value; /* NULL: all count alike */
} Weight;

/* One number: the mean over all elements, or with their weights. Where all weights are 0, so is the mean. */
static CgRef mean_of(CgBuild *b, CgRef r, const CgValue *weight)
{
    CgType t = cg_ref_type(b, r);
    if (t.dtype != CG_F32) {
        t.dtype = CG_F32;
        r = cg_cast(b, r, CG_F32);
    }
    if (!weight)
        return t.rank ? cg_div(b, cg_sum_all(b, r), cg_sum_all(b, cg_fill(b, t, 1))) : r;
    CgRef w = weight->tensor->ref;
    CgType of = cg_ref_type(b, w);
    int64_t axes[CG_MAX_RANK];
    for (int i = 0; i < t.rank; i++)
        axes[i] = i < of.rank ? i : -1;
    w = of.dtype == CG_F32 ? w : cg_cast(b, w, CG_F32);
    w = of.rank < t.rank ? cg_broadcast(b, w, t.rank, t.dim, axes) : w;
    CgRef total = cg_sum_all(b, w), none = cg_b(b, "eq", total, cg_fill_like(b, total, 0));
    CgRef by = cg_where(b, none, cg_fill_like(b, total, 1), total);
    return cg_div(b, cg_sum_all(b, cg_mul(b, r, w)), by);
}

/* Every parameter belongs to the trained model, has weights, or was frozen by the author; what the others would become
 * is lost with the training. */
static bool check_lost(CgElab *e, const CgStage *s)
{
    const CgModelGraph *m = s->model;
    const CgInstance *said = NULL;
    bool good = true;
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (!p->auxiliary || p->weights || p->frozen)
            continue;
        const CgInstance *top = p->owner;
        while (top->parent)
            top = top->parent;
        good = false;
        if (top == said)
            continue;
        said = top;
        CgDiag *d = cg_elab_error(e, CG_E0508, top->attached,
            "the parameters of this '%s' would be neither trained nor saved: it is no part of '%s'",
            top->stmt->names[0], s->label);
        if (top->span.file && top->span.start != top->attached.start)
            cg_diag_note(d, top->span, "it is made here");
        if (top->origin && top->origin == s->root->instance->origin)
            cg_diag_help(d,
                "this is the model before its training; the one in training is named by 'as': train .. as m { .. m(..) "
                ".. }");
        else if (top->stmt == s->root->instance->stmt)
            cg_diag_help(d,
                "this is another model of the same graph; the one in training is named by 'as': train .. as m { .. "
                "m(..) .. }");
        else
            cg_diag_help(d, "make it a part of the model, or freeze it: freeze(%s(...))", top->stmt->names[0]);
    }
    return good;
}

/* Where the number of rows was said. */
static CgSpan batch_span(CgElab *e, CgFrame *f, const CgExpr *train)
{
    for (int i = 0; i < train->args.n; i++)
        if (!strcmp(train->args.at[i].name, "batch")) {
            const CgExpr *x = train->args.at[i].value;
            CgSpan made = cg_eval(e, f, x)->span;
            return made.file ? made : x->span;
        }
    return train->op_span;
}

/* The integers that logits with so many axes in front foretell: the field `next`, or of several the last. */
static const CgField *wanted(const CgDataFields *data, int axes)
{
    const CgField *out = NULL;
    for (int i = 0; i < data->n; i++) {
        const CgField *f = &data->field[i];
        size_t n = strlen(f->name);
        if (f->dtype != CG_I32 || f->rank + 1 != axes || !strcmp(f->name, "document"))
            continue;
        if (n >= 4 && !strcmp(f->name + n - 4, "next"))
            return f;
        out = f;
    }
    return out;
}

/* A loss has no more axes than the widest field of its batch: the mean of logits is no loss. */
static bool check_axes(CgElab *e, CgValue *loss, const CgDataFields *data, const CgExpr *x)
{
    const CgType *t = cg_value_type(e, loss);
    int widest = 0;
    for (int i = 0; i < data->n; i++)
        if (data->field[i].rank + 1 > widest)
            widest = data->field[i].rank + 1;
    if (t->rank <= widest)
        return true;
    CgStrbuf type = { 0 };
    cg_type_print(t, &type);
    CgDiag *d = cg_elab_error(e, CG_E0408, x->span, "the loss is %s, and no field of its batch has more than %d axes",
        cg_strbuf_str(&type), widest);
    const CgSource *s = cg_sources_get(e->sources, x->span.file);
    int n = (int)(x->span.end - x->span.start);
    bool is_short = n <= 60 && !memchr(s->text + x->span.start, '\n', (size_t)n);
    const CgField *next = wanted(data, t->rank - 1);
    if (next)
        cg_diag_help(d,
            "what would be trained is the mean of all its elements; logits become a loss by cross_entropy(%.*s, "
            "batch.%s)",
            is_short ? n : 2, is_short ? s->text + x->span.start : "..", next->name);
    else
        cg_diag_help(
            d, "what would be trained is the mean of all its elements; mean or sum over an axis draws them together");
    cg_strbuf_deinit(&type);
    return false;
}

/* Whether there is a weight for each row or place of v; reports. */
static bool check_weight(CgElab *e, const CgValue *v, const char *what, CgSpan span, const Weight *w)
{
    const CgType *t = cg_value_type(e, v), *u = cg_value_type(e, w->value);
    bool same = u->rank > 0 && u->rank <= t->rank;
    for (int i = 0; same && i < u->rank; i++)
        same = t->dim[i] == u->dim[i];
    if (same)
        return true;
    CgStrbuf a = { 0 }, b = { 0 };
    cg_type_print(t, &a);
    cg_type_print(u, &b);
    CgDiag *d;
    if (t->rank) {
        d = cg_elab_error(e, CG_E0607, w->written->span,
            "the weight is %s, and %s is %s: a weight is of a row, or a place", cg_strbuf_str(&b), what,
            cg_strbuf_str(&a));
        cg_diag_label(d, span, "%s", cg_strbuf_str(&a));
        cg_diag_help(d, "the axes of the weight are the first ones of the loss");
    } else {
        d = cg_elab_error(e, CG_E0607, span, "%s is one number, which no weights can be put to", what);
        cg_diag_label(d, w->written->span, "a weight for each row or place");
        cg_diag_help(d, "leave the mean out: loss = cross_entropy(..)");
    }
    cg_strbuf_deinit(&a);
    cg_strbuf_deinit(&b);
    return false;
}

/* A tensor of numbers as one number, the mean over its elements; NONE after a mistake. `what`: "the loss". */
static CgRef number_of(
    CgElab *e, CgModelGraph *m, CgValue *v, const char *what, bool truth, CgSpan span, const Weight *w)
{
    if (cg_is_poison(v))
        return CG_NONE;
    CgDtype dtype = v->kind == CG_VALUE_TENSOR ? cg_value_type(e, v)->dtype : CG_I32;
    if (!cg_dtype_is_float(dtype) && !(truth && dtype == CG_BOOL)) {
        CgDiag *d = cg_elab_error(e, CG_E0607, span, "%s is a tensor of numbers%s, not %s", what,
            truth ? " or truth values" : "", v->kind == CG_VALUE_TENSOR ? "of integers" : cg_value_kind_name(v));
        const CgForeign *row = v->kind == CG_VALUE_STR ? cg_foreign(CG_FOREIGN_NAME, v->s) : NULL;
        if (v->kind == CG_VALUE_STR && !row)
            row = cg_foreign(CG_FOREIGN_CALL, v->s);
        if (truth && v->kind == CG_VALUE_CALL)
            cg_diag_help(d,
                "metrics of a training are tensors, as argmax(logits, axis = 2) == batch.next; scores of texts are "
                "columns "
                "of an evaluation");
        if (row) /* loss = "categorical_crossentropy" */
            cg_diag_help(d, "%s", row->help);
        return CG_NONE;
    }
    if (w && w->value && !check_weight(e, v, what, span, w))
        return CG_NONE;
    return mean_of(&m->build, v->tensor->ref, w ? w->value : NULL);
}

/* The fields of a record as numbers, and their sum; NONE after a mistake. */
static CgRef sum_of_terms(
    CgElab *e, CgModelGraph *m, const CgValue *record, const CgExpr *x, const char *what, const Weight *w, CgTerms *out)
{
    CgRef sum = CG_NONE;
    *out = (CgTerms){ record->n, CG_NEWN(e->arena, CgAtom, record->n + 1), CG_NEWN(e->arena, CgRef, record->n + 1) };
    for (int i = 0; i < record->n; i++) {
        bool written = x->kind == CG_EXPR_RECORD && i < x->args.n;
        CgStrbuf name = { 0 };
        cg_strbuf_printf(&name, "%s '%s'", what, record->keys[i]);
        out->name[i] = record->keys[i];
        out->ref[i] =
            number_of(e, m, record->at[i], cg_strbuf_str(&name), !w, written ? x->args.at[i].value->span : x->span, w);
        cg_strbuf_deinit(&name);
        if (out->ref[i] == CG_NONE)
            return CG_NONE;
        sum = sum == CG_NONE ? out->ref[i] : cg_add(&m->build, sum, out->ref[i]);
    }
    if (sum == CG_NONE)
        cg_elab_error(e, CG_E0607, x->span, "a %s is wanted in this record", what);
    return sum;
}

/* The loss in the graph being built, as one number; NONE after a mistake. *value: as it was written. */
static CgRef build_loss(CgElab *e, CgFrame *f, const CgLossFields *of, CgValue *root, CgTerms *terms, CgValue **value)
{
    CgFrame inner;
    cg_check_fields(e, &inner, f, of->train, root, of->batch);
    CgValue *loss = *value = cg_eval(e, &inner, of->loss);
    const Weight w = { of->weight, of->weight ? cg_eval(e, &inner, of->weight) : NULL };
    cg_frame_end(e, &inner);
    if (cg_is_poison(loss) || (of->weight && cg_is_poison(w.value)))
        return CG_NONE;
    if (of->weight && w.value->kind != CG_VALUE_TENSOR) {
        cg_elab_error(e, CG_E0607, of->weight->span,
            "weight is a tensor with a number for each row or place of the loss, not %s", cg_value_kind_name(w.value));
        return CG_NONE;
    }
    return loss->kind == CG_VALUE_RECORD ? sum_of_terms(e, e->model, loss, of->loss, "term", &w, terms)
                                         : number_of(e, e->model, loss, "the loss", false, of->loss->span, &w);
}

CgRef cg_check_loss(CgElab *e, CgFrame *f, const CgLossFields *of, CgStage *s)
{
    CgValue *loss;
    const CgExpr *x = of->loss, *train = of->train;
    CgRef r = build_loss(e, f, of, s->root, &s->terms, &loss);
    if (r == CG_NONE)
        return r;
    bool terms = loss->kind == CG_VALUE_RECORD;
    cg_annotations_check(e);
    for (int i = 0; i < (terms ? loss->n : 1); i++) {
        bool written = terms && x->kind == CG_EXPR_RECORD && i < x->args.n;
        if (!check_axes(e, terms ? loss->at[i] : loss, cg_data_fields(s->data), written ? x->args.at[i].value : x))
            return CG_NONE;
    }
    if (!check_lost(e, s) || !cg_contracts_settle(e, "batch", s->batch / s->accumulate, batch_span(e, f, train)))
        return CG_NONE;
    return r;
}

/* A metric, or the loss of a validation, looks at the model that is trained: at no parameter of it that the loss does
 * not reach. */
static bool check_reached(CgElab *e, const CgStage *s, const CgModelGraph *m, const char *what, const CgExpr *x)
{
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->auxiliary || cg_model_param(s->model, p->path))
            continue;
        CgDiag *d = cg_elab_error(
            e, CG_E0508, x->span, "%s uses '%s' of the model, which the loss does not depend on", what, p->path);
        cg_diag_note(d, p->span, "it would be neither trained nor saved");
        return false;
    }
    return true;
}

static bool fill_validation(CgElab *e, CgFrame *f, const CgLossFields *of, CgStage *s, CgValue *model)
{
    CgModelGraph *m = s->valid_model;
    CgTerms terms = { 0 };
    CgValue *loss;
    CgRef r = build_loss(e, f, of, cg_instance_root(e, model, false), &terms, &loss);
    cg_annotations_check(e);
    if (r == CG_NONE || !check_reached(e, s, m, "the loss of a validation", of->loss)
        || !cg_contracts_settle(e, "batch", s->batch / s->accumulate, batch_span(e, f, of->train)))
        return false;
    s->valid_loss = r;
    CgGraph *plain = cg_shares_plain(m, r, NULL);
    s->valid_graph = cg_pass_run_all(plain, NULL);
    cg_graph_free(plain);
    s->valid_shares = cg_shares_find(m, r, &terms, cg_dim_symbol("batch"));
    return true;
}

bool cg_check_validation(CgElab *e, CgFrame *f, const CgLossFields *of, CgStage *s, CgValue *model)
{
    if (!s->validate || !s->model->asked_training)
        return true;
    s->valid_model = cg_model_begin(e, s->label, cg_precision_option(e));
    bool good = fill_validation(e, f, of, s, model);
    cg_model_end(e);
    return good;
}

static bool fill_metrics(
    CgElab *e, CgFrame *f, const CgExpr *train, const CgExpr *x, CgStage *s, CgValue *model, CgValue *batch)
{
    CgModelGraph *m = s->metrics_model;
    CgFrame inner;
    cg_check_fields(e, &inner, f, train, cg_instance_root(e, model, false), batch);
    CgValue *metrics = cg_eval(e, &inner, x);
    cg_frame_end(e, &inner);
    if (cg_is_poison(metrics))
        return false;
    if (metrics->kind != CG_VALUE_RECORD) {
        CgDiag *d =
            cg_elab_error(e, CG_E0607, x->span, "metrics are a record of tensors, not %s", cg_value_kind_name(metrics));
        cg_diag_help(d, "give each a name: metrics = { accuracy: argmax(m(batch.tokens), axis = 2) == batch.next }");
        return false;
    }
    CgRef sum = sum_of_terms(e, m, metrics, x, "metric", NULL, &s->metrics);
    cg_annotations_check(e);
    if (sum == CG_NONE || !check_reached(e, s, m, "a metric", x)
        || !cg_contracts_settle(e, "batch", s->batch / s->accumulate, batch_span(e, f, train)))
        return false;
    CgGraph *plain = cg_shares_plain(m, sum, &s->metrics);
    s->metrics_graph = cg_session_optimised(e, plain);
    cg_graph_free(plain);
    s->metric_shares = cg_shares_find(m, sum, &s->metrics, cg_dim_symbol("batch"));
    return true;
}

bool cg_check_metrics(
    CgElab *e, CgFrame *f, const CgExpr *train, const CgExpr *x, CgStage *s, CgValue *model, CgValue *batch)
{
    if (!x)
        return true;
    s->metrics_model = cg_model_begin(e, s->label, cg_precision_option(e));
    bool good = fill_metrics(e, f, train, x, s, model, batch);
    cg_model_end(e);
    return good;
}

/* One column more; a name that is taken is reported where it is written in the record x, or at that. */
static bool add_column(CgElab *e, CgSchema *to, CgAtom name, const CgExpr *x)
{
    CgSpan at = x->span;
    if (cg_schema_add(e, to, name, false))
        return true;
    for (int i = 0; x->kind == CG_EXPR_RECORD && i < x->args.n; i++)
        if (x->args.at[i].name == name)
            at = x->args.at[i].name_span;
    CgDiag *d = cg_elab_error(e, CG_E0306, at, "the history has a column '%s' already", name);
    cg_diag_help(d, "give it another name");
    return false;
}

bool cg_check_curve(CgElab *e, CgStage *s, const CgExpr *loss, const CgExpr *metrics)
{
    CgSchema *to = cg_schema_new(e);
    s->curve = to;
    cg_schema_add(e, to, cg_intern("step"), false);
    if (cg_data_tokens(s->data))
        cg_schema_add(e, to, cg_intern("tokens"), false);
    cg_schema_add(e, to, cg_intern("seconds"), false);
    cg_schema_add(e, to, cg_intern("loss"), false);
    for (int i = 0; i < s->terms.n; i++)
        if (!add_column(e, to, s->terms.name[i], loss))
            return false;
    if (!add_column(e, to, cg_intern("rate"), loss) || !add_column(e, to, cg_intern("gradient_norm"), loss)
        || (s->validate && !add_column(e, to, cg_intern("valid"), loss)))
        return false;
    for (int i = 0; i < s->metrics.n; i++)
        if (!add_column(e, to, s->metrics.name[i], metrics))
            return false;
    return true;
}
