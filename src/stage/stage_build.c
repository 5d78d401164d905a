/* stage_build.c - train and evaluate as stages.
 * Takes their blocks; gives graphs (loss, gradients, optimiser, columns) that are complete and checked. Runs nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stage/session.h"
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/incremental.h"
#include "run/plan/plan.h"

enum { PAD = 16 }; /* elements: each tensor begins on a cache line */

static const char *const train_fields[] = { "data", "loss", "optimizer", "steps", "batch", "accumulate", "clip",
    "average", "validate", "validate_every", "early_stop", "seed", NULL };

/* What the fields of a block see besides the names around it: the batch, and the model by the name after `as`. */
static void begin_fields(CgElab *e, CgFrame *inner, CgFrame *f, const CgExpr *x, CgStage *s, CgValue *batch)
{
    cg_frame_begin(e, inner, f, f->env);
    cg_frame_bind(inner, cg_intern("batch"), batch);
    if (x->s)
        cg_frame_bind(inner, x->s, s->root);
}

typedef struct Fields {
    const CgArg *at[16];
} Fields;

static const CgExpr *field_of(const Fields *f, const char *name)
{
    for (int i = 0; train_fields[i]; i++)
        if (!strcmp(train_fields[i], name))
            return f->at[i] ? f->at[i]->value : NULL;
    return NULL;
}

static bool read_fields(CgElab *e, const CgExpr *x, Fields *out)
{
    memset(out, 0, sizeof *out);
    bool good = true;
    for (int i = 0; i < x->args.n; i++) {
        int k = 0;
        while (train_fields[k] && (!x->args.at[i].name || strcmp(train_fields[k], x->args.at[i].name)))
            k++;
        if (train_fields[k]) {
            out->at[k] = &x->args.at[i];
            continue;
        }
        CgSuggest s;
        cg_suggest_init(&s, x->args.at[i].name ? x->args.at[i].name : "");
        for (int j = 0; train_fields[j]; j++)
            cg_suggest_offer(&s, train_fields[j]);
        CgDiag *d = cg_elab_error(e, CG_E0303, x->args.at[i].name_span, "train has no field '%s'",
            x->args.at[i].name ? x->args.at[i].name : "");
        if (cg_suggest_best(&s))
            cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&s));
        good = false;
    }
    static const char *const needed[] = { "data", "loss", "optimizer", "steps" };
    for (size_t i = 0; i < CG_LEN(needed); i++)
        if (!field_of(out, needed[i])) {
            cg_elab_error(e, CG_E0304, x->op_span.file ? x->op_span : x->span, "train needs '%s'", needed[i]);
            good = false;
        }
    return good;
}

enum { MOST = 1000000000 }; /* steps, rows of a batch */

static bool integer(
    CgElab *e, CgFrame *f, const Fields *fields, const char *name, int64_t least, int64_t otherwise, int64_t *out)
{
    const CgExpr *x = field_of(fields, name);
    *out = otherwise;
    if (!x)
        return true;
    CgValue *v = cg_eval(e, f, x);
    if (cg_is_poison(v))
        return false;
    if (v->kind != CG_VALUE_INT || v->i < least || v->i > MOST) {
        cg_elab_error(e, CG_E0305, x->span, "'%s' is an integer from %lld to %d", name, (long long)least, MOST);
        return false;
    }
    *out = v->i;
    return true;
}

/* What `batch` is: tensors with the rows of a batch as their first axis. */
static CgValue *batch_of(CgElab *e, CgValue *data, CgSpan span, int64_t *length)
{
    static const char *const names[] = { "tokens", "next" };
    if (data->kind != CG_VALUE_OBJECT || (strcmp(data->s, "windows") && strcmp(data->s, "batches"))) {
        CgDiag *d = cg_elab_error(e, CG_E0305, span, "data is made by windows(...), not %s", cg_value_kind_name(data));
        cg_diag_help(d, "windows(corpus.train, tokenizer, length = 128)");
        return NULL;
    }
    const CgDim *dim[2] = { cg_dim_symbol("batch"), NULL };
    CgValue *l = cg_record_find(data, cg_intern("length")), *rows = cg_record_find(data, cg_intern("rows"));
    *length = l->i;
    dim[1] = cg_dim_int(l->i);
    if (rows)
        dim[0] = cg_dim_int(rows->i);
    CgValue *batch = cg_value_record(e, 2, span);
    for (int i = 0; i < 2; i++) {
        batch->keys[i] = cg_intern(names[i]);
        CgValue *t = batch->at[i] =
            cg_value_tensor(e, cg_graph_input(&e->model->build, names[i], cg_type(CG_I32, 2, dim)), data->span);
        t->tensor.label[0] = cg_intern("batch");
        t->tensor.label[1] = cg_intern("length");
        t->tensor.origin[1] = l->span.file ? l->span : data->span;
    }
    return batch;
}

static CgValue *model_of(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *v = cg_eval(e, f, x);
    if (cg_is_poison(v) || v->kind == CG_VALUE_INSTANCE)
        return v;
    CgDiag *d = cg_elab_error(e, CG_E0305, x->span, "a model is wanted here, not %s", cg_value_kind_name(v));
    if (v->kind == CG_VALUE_GRAPH)
        cg_diag_help(d, "give it its static arguments: %s(...)", v->stmt->names[0]);
    return cg_value_poison(e);
}

/* The loss as one number: the mean over all of its elements. */
static CgRef mean_of(CgBuild *b, CgRef r)
{
    CgType t = cg_ref_type(b, r);
    return t.rank ? cg_div(b, cg_sum_all(b, r), cg_sum_all(b, cg_fill(b, t, 1))) : r;
}

/* ---- the optimiser ----------------------------------------------------------------------------------------------- */

static bool too_many(CgElab *e, const CgGraph *g, const CgParamInfo *p, CgSpan span)
{
    CgStrbuf type = { 0 };
    CgErr why = { 0 };
    cg_type_print(cg_node_type(g, p->ref), &type);
    cg_err(&why, CG_ERR_MEMORY, "with '%s', %s, the trained parameters have more elements than memory has addresses",
        p->path, cg_strbuf_str(&type));
    cg_diag_err(e->diags, span, &why);
    cg_strbuf_deinit(&type);
    return false;
}

/* A mean of the parameters that forgets (Polyak and Juditsky 1992; the weights of Kingma and Ba 2015, section 7.2),
 * begun by the first step: it needs no parameters to start from. `g` renews it as its last state. */
static void add_average(CgModelGraph *m, CgGroup *g, double keep, CgRef step, CgType flat)
{
    CgBuild *b = &m->build;
    CgRef p = m->graph->outputs.at[0].ref, mean = cg_graph_input(b, "average", flat);
    /* (1 - keep) / (1 - keep^(step + 1)) */
    CgRef steps = cg_add(b, step, cg_graph_const(b, CG_F32, 1));
    CgRef gone = cg_u(b, "expm1", cg_mul(b, steps, cg_graph_const(b, CG_F32, log(keep))));
    CgRef share = cg_div(b, cg_graph_const(b, CG_F32, keep - 1), gone);
    CgRef move = cg_mul(b, cg_broadcast_scalar(b, share, flat), cg_sub(b, p, mean));
    cg_graph_output(m->graph, "average", cg_add(b, mean, move));
    g->initial[g->nstates++] = 0;
}

static bool build_group(
    CgElab *e, CgFrame *f, CgValue *optimizer, const CgStage *stage, const CgExpr *where, CgGroup *g)
{
    const CgStmt *s = optimizer->instance->stmt;
    CgModelGraph *m = g->model = cg_model_new("optimizer", false);
    CgModelGraph *outside = e->model;
    e->model = m;
    CgValue *opt = cg_instance_root(e, optimizer, false);
    opt->instance->statics = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    memcpy(opt->instance->statics, optimizer->instance->statics, sizeof(CgValue *) * (size_t)s->nparams);
    CgBuild *b = &m->build;
    const CgDim *n[1] = { cg_dim_int(g->count) };
    CgType flat = cg_type(CG_F32, 1, n), scalar = cg_type(CG_F32, 0, NULL);
    CgValue **args = CG_NEWN(e->arena, CgValue *, s->nparams + 1), *rate = NULL;
    CgAtom *names = CG_NEWN(e->arena, CgAtom, s->nparams + 1), *states = CG_NEWN(e->arena, CgAtom, s->nparams + 1);
    CgSpan *spans = CG_NEWN(e->arena, CgSpan, s->nparams + 1);
    int na = 0;
    g->initial = CG_NEWN(e->arena, double, s->nparams + 2);
    CgRef p = cg_graph_input(b, "p", flat), grad = cg_graph_input(b, "g", flat);
    CgRef scale = cg_graph_input(b, "scale", scalar), step = CG_NONE;
    bool good = true, scales = false; /* clipping is left to the optimiser */
    for (int i = 0; i < s->nparams; i++)
        scales |= cg_param_is_tensor(&s->params[i]) && !strcmp(s->params[i].name, "scale");
    for (int i = 0; i < s->nparams; i++) {
        const char *name = s->params[i].name;
        if (!cg_param_is_tensor(&s->params[i])) {
            if (!strcmp(name, "rank"))
                opt->instance->statics[i] = cg_value_int(e, g->rank, where->span);
            if (!strcmp(name, "rate"))
                rate = opt->instance->statics[i];
            continue;
        }
        CgRef r;
        if (!strcmp(name, "p")) {
            r = p;
        } else if (!strcmp(name, "g")) {
            r = scales ? grad : cg_mul(b, grad, cg_broadcast_scalar(b, scale, flat));
        } else if (!strcmp(name, "scale")) {
            r = scale;
        } else if (!strcmp(name, "step")) {
            r = step = step == CG_NONE ? cg_graph_input(b, "step", scalar) : step;
        } else if (!strcmp(name, "steps")) {
            r = cg_graph_const(b, CG_F32, (double)stage->steps);
        } else {
            CgValue *v = s->params[i].init ? cg_eval(e, f, s->params[i].init) : NULL;
            double start = 0;
            if (!v || !cg_value_number(v, &start)) {
                cg_elab_error(e, CG_E0304, where->span, "state '%s' of optimiser '%s' needs a number to start from",
                    name, s->names[0]);
                good = false;
                continue;
            }
            states[g->nstates] = cg_intern_printf("state.%s", name);
            r = cg_graph_input(b, states[g->nstates], flat);
            g->initial[g->nstates++] = start;
        }
        args[na] = cg_value_tensor(e, r, where->span);
        names[na] = name;
        spans[na++] = where->span;
    }
    CgValue *out = good ? cg_apply(e, f, opt, args, names, spans, na, where->span) : cg_value_poison(e);
    good = !cg_is_poison(out);
    int n_out = good && out->kind == CG_VALUE_LIST ? out->n : 1;
    if (good && n_out != 1 + g->nstates) {
        cg_elab_error(e, CG_E0305, where->span,
            "optimiser '%s' has %d states and returns %d values: the new parameter, then each state in order",
            s->names[0], g->nstates, n_out);
        good = false;
    }
    for (int i = 0; good && i < n_out; i++) {
        CgValue *v = out->kind == CG_VALUE_LIST ? out->at[i] : out;
        if (v->kind != CG_VALUE_TENSOR || !cg_type_equal(cg_value_type(e, v), &flat)) {
            cg_elab_error(e, CG_E0401, where->span, "result %d of optimiser '%s' has not the shape of its parameter", i,
                s->names[0]);
            good = false;
            break;
        }
        cg_graph_output(m->graph, i ? states[i - 1] : "p", v->tensor.ref); /* named as what it renews */
    }
    g->rate = -1;
    if (good && stage->average > 0) {
        step = step == CG_NONE ? cg_graph_input(b, "step", scalar) : step;
        add_average(m, g, stage->average, step, flat);
    }
    if (good && rate) {
        CgValue *v = rate;
        if (rate->kind == CG_VALUE_INSTANCE) {
            if (step == CG_NONE)
                step = cg_graph_input(b, "step", scalar);
            CgValue *given[2] = { cg_value_tensor(e, step, where->span),
                cg_value_float(e, (double)stage->steps, where->span) };
            CgAtom given_names[2] = { cg_intern("step"), cg_intern("steps") };
            CgSpan given_spans[2] = { where->span, where->span };
            v = cg_apply(e, f, cg_instance_copy(e, rate, where->span), given, given_names, given_spans, 2, where->span);
        }
        v = cg_as_tensor(e, v, CG_F32);
        if (v && v->kind == CG_VALUE_TENSOR && cg_value_type(e, v)->rank == 0) {
            g->rate = (int)m->graph->outputs.len;
            cg_graph_output(m->graph, "rate", v->tensor.ref);
        }
    }
    e->model = outside;
    if (good && m->params.len) {
        cg_elab_error(e, CG_E0305, where->span,
            "optimiser '%s' declares parameters; its states are tensor arguments with a default", s->names[0]);
        good = false;
    }
    if (!good)
        return false;
    g->graph = cg_pass_run_all(m->graph, NULL);
    return true;
}

/* Lays the trained tensors one after the other, by rank, and builds an optimiser for each rank. */
static bool build_optimizer(CgElab *e, CgFrame *f, CgStage *s, const CgExpr *where)
{
    CgValue *opt = cg_eval(e, f, where);
    if (opt->kind == CG_VALUE_GRAPH) /* sgd for sgd() */
        opt = cg_call(e, f, opt, NULL, NULL, NULL, 0, NULL);
    if (cg_is_poison(opt))
        return false;
    if (opt->kind != CG_VALUE_INSTANCE) {
        cg_elab_error(e, CG_E0305, where->span, "an optimiser is a graph such as adamw(rate = 1e-3), not %s",
            cg_value_kind_name(opt));
        return false;
    }
    CgModelGraph *m = s->model;
    s->trained = CG_NEWN(e->arena, CgTrained, m->params.len + 1);
    s->groups = CG_NEWN(e->arena, CgGroup, CG_MAX_RANK + 1);
    int64_t at = 0;
    for (int rank = CG_MAX_RANK; rank >= 0; rank--) {
        int64_t start = at;
        for (size_t i = 0; i < m->params.len; i++) {
            const CgParamInfo *p = &m->params.at[i];
            const CgType *t = cg_node_type(m->graph, p->ref);
            if (p->frozen || p->foreign || t->rank != rank || !cg_dtype_is_float(t->dtype))
                continue;
            int64_t count = 1, n = 1;
            bool fits = true;
            for (int k = 0; k < t->rank; k++) {
                cg_dim_is_int(t->dim[k], &n);
                fits = fits && !__builtin_mul_overflow(count, n, &count) && cg_dim_int(count);
            }
            if (!fits || !cg_dim_int(at + count + PAD))
                return too_many(e, m->graph, p, where->span);
            s->trained[s->ntrained++] = (CgTrained){ (int)i, s->ngroups, at, count };
            at += (count + PAD - 1) / PAD * PAD;
        }
        if (at == start)
            continue;
        CgGroup *g = &s->groups[s->ngroups++];
        g->rank = rank;
        g->count = at - start;
        if (!build_group(e, f, opt, s, where, g))
            return false;
    }
    s->total = at;
    return true;
}

/* ---- train ---------------------------------------------------------------------------------------------------------
 */

static bool build_gradients(CgElab *e, CgStage *s, CgRef loss, CgSpan span)
{
    CgModelGraph *m = s->model;
    CgRef *wrt = cg_calloc((size_t)s->ntrained + 1, sizeof *wrt),
          *grads = cg_calloc((size_t)s->ntrained + 1, sizeof *grads);
    for (int i = 0; i < s->ntrained; i++)
        wrt[i] = m->params.at[s->trained[i].param].ref;
    CgErr err = { 0 };
    CgRef where = CG_NONE;
    bool good = cg_grad_build(&m->build, loss, s->ntrained, wrt, grads, &where, &err);
    if (!good) {
        CgDiag *d = cg_elab_error(e, CG_E0504,
            where != CG_NONE && cg_node(m->graph, where)->span.file ? cg_node(m->graph, where)->span : span, "%s",
            err.text);
        if (err.hint[0])
            cg_diag_help(d, "%s", err.hint);
    }
    bool reached = false;
    for (int i = 0; good && i < s->ntrained; i++) {
        double constant;
        reached |= !cg_ref_const(&m->build, grads[i], &constant) || constant != 0;
    }
    if (good && !reached) {
        CgDiag *d = cg_elab_error(e, CG_E0504, span, "the derivative of the loss by every trained parameter is zero");
        cg_diag_help(d, "comparisons, argmax, rounding and stop_gradient let no derivative through");
        good = false;
    }
    for (int i = 0; good && i < s->ntrained; i++) {
        cg_graph_output(m->graph, cg_intern_printf("grad.%s", m->params.at[s->trained[i].param].path), grads[i]);
    }
    free(wrt);
    free(grads);
    s->together = CG_NEWN(e->arena, size_t, s->ntrained + 1);
    s->together[0] = CG_PLAN_BOUND;
    for (int i = 0; i < s->ntrained; i++)
        s->together[i + 1] = (size_t)s->trained[i].offset * sizeof(float);
    if (good)
        s->step_graph = cg_pass_run_all(m->graph, NULL);
    return good;
}

static CgGraph *build_norm(int64_t total)
{
    CgGraph *g = cg_graph_new("norm");
    CgBuild b = cg_build_at(g);
    const CgDim *n[1] = { cg_dim_int(total) };
    CgRef x = cg_graph_input(&b, "g", cg_type(CG_F32, 1, n));
    cg_graph_output(g, "norm", cg_sum_all(&b, cg_mul(&b, x, x)));
    CgGraph *out = cg_pass_run_all(g, NULL);
    cg_graph_free(g);
    return out;
}

static bool fill_train(CgElab *e, CgFrame *f, const CgExpr *x, const Fields *fields, CgStage *s)
{
    s->data = cg_eval(e, f, field_of(fields, "data"));
    if (cg_is_poison(s->data))
        return false;
    CgValue *batch = batch_of(e, s->data, field_of(fields, "data")->span, &s->length);
    if (!batch)
        return false;
    int64_t patience;
    if (!integer(e, f, fields, "steps", 0, 0, &s->steps) || !integer(e, f, fields, "batch", 1, 16, &s->batch)
        || !integer(e, f, fields, "accumulate", 1, 1, &s->accumulate) || !integer(e, f, fields, "seed", 0, 0, &s->seed)
        || !integer(e, f, fields, "early_stop", 1, 0, &patience)
        || !integer(e, f, fields, "validate_every", 1, s->steps >= 10 ? s->steps / 10 : 1, &s->validate_every))
        return false;
    s->patience = patience;
    if (s->batch % s->accumulate) {
        cg_elab_error(e, CG_E0305, field_of(fields, "accumulate")->span,
            "a batch of %lld rows cannot be cut in %lld equal parts", (long long)s->batch, (long long)s->accumulate);
        return false;
    }
    s->clip = 1;
    if (field_of(fields, "clip")) {
        CgValue *v = cg_eval(e, f, field_of(fields, "clip"));
        if (cg_is_poison(v))
            return false;
        if (v->kind == CG_VALUE_NONE) {
            s->clip = 0;
        } else if (!cg_value_number(v, &s->clip) || s->clip <= 0) {
            cg_elab_error(e, CG_E0305, field_of(fields, "clip")->span,
                "clip is a positive number, the greatest norm of the gradient, or none");
            return false;
        }
    }
    if (field_of(fields, "average")) {
        CgValue *v = cg_eval(e, f, field_of(fields, "average"));
        if (cg_is_poison(v))
            return false;
        if (!cg_value_number(v, &s->average) || !(s->average > 0 && s->average < 1)) {
            cg_elab_error(e, CG_E0305, field_of(fields, "average")->span,
                "average is what a step keeps of the mean of the parameters, a number between 0 and 1 such as 0.999");
            return false;
        }
    }
    if (field_of(fields, "validate")) {
        s->validate = cg_eval(e, f, field_of(fields, "validate"));
        if (cg_is_poison(s->validate))
            return false;
        CgValue *l = s->validate->kind == CG_VALUE_OBJECT ? cg_record_find(s->validate, cg_intern("length")) : NULL;
        if (!l || l->i != s->length) {
            cg_elab_error(
                e, CG_E0305, field_of(fields, "validate")->span, "validate takes windows of the same length as data");
            return false;
        }
    }
    if (s->patience && !s->validate) {
        cg_elab_error(e, CG_E0304, field_of(fields, "early_stop")->span,
            "early_stop looks at the validation loss: give 'validate' too");
        return false;
    }
    CgFrame inner;
    begin_fields(e, &inner, f, x, s, batch);
    CgValue *loss = cg_eval(e, &inner, field_of(fields, "loss"));
    cg_frame_end(e, &inner);
    if (cg_is_poison(loss))
        return false;
    if (loss->kind != CG_VALUE_TENSOR || !cg_dtype_is_float(cg_value_type(e, loss)->dtype)) {
        cg_elab_error(e, CG_E0305, field_of(fields, "loss")->span, "the loss is a tensor of numbers, not %s",
            cg_value_kind_name(loss));
        return false;
    }
    cg_marks_check(e);
    CgModelGraph *m = s->model;
    CgRef mean = mean_of(&m->build, loss->tensor.ref);
    cg_graph_output(m->graph, "loss", mean);
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].init != CG_NONE)
            cg_graph_output(m->init, m->params.at[i].path, m->params.at[i].init);
    s->loss_graph = cg_pass_run_all(m->graph, NULL);
    if (!build_optimizer(e, f, s, field_of(fields, "optimizer")))
        return false;
    if (!s->ntrained) {
        cg_elab_error(e, CG_E0506, x->a->span, "the loss depends on no parameter that is trained");
        return false;
    }
    s->norm_graph = build_norm(s->total);
    return build_gradients(e, s, mean, field_of(fields, "loss")->span);
}

static CgStage *stage_new(CgElab *e, CgStageKind kind, CgSpan span, CgAtom label)
{
    CgStage *s = CG_NEW(e->arena, CgStage);
    s->kind = kind;
    s->span = span;
    s->label = label;
    cg_session_own_stage(e, s);
    return s;
}

CgValue *cg_stage_train(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *model = model_of(e, f, x->a);
    Fields fields;
    if (!read_fields(e, x, &fields) || cg_is_poison(model))
        return cg_value_poison(e);
    CgStage *s = stage_new(e, CG_STAGE_TRAIN, x->span, x->s ? x->s : cg_intern("model"));
    CgModelGraph *outside = e->model;
    s->model = e->model = cg_model_new(s->label, cg_precision_option(e));
    s->root = cg_instance_root(e, model, false);
    bool good = fill_train(e, f, x, &fields, s);
    e->model = outside;
    if (!good)
        return cg_value_poison(e);
    CgValue *weights = cg_value_new(e, CG_VALUE_STAGE, x->span);
    weights->stage = s;
    CgValue *v = cg_instance_copy(e, model, x->span);
    v->instance->name = NULL;
    v->instance->weights = weights;
    v->instance->within = NULL;
    s->instance = v;
    return v;
}

/* ---- evaluate -------------------------------------------------------------------------------------------------- */

static int want(CgElab *e, CgStage *s, CgValue *tensor)
{
    for (int i = 0; i < s->nwanted; i++)
        if (s->wanted[i]->tensor.ref == tensor->tensor.ref)
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

static bool fill_evaluate(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s)
{
    CgValue *batch = batch_of(e, s->data, x->b->span, &s->length);
    if (!batch)
        return false;
    CgFrame inner;
    begin_fields(e, &inner, f, x, s, batch);
    s->columns = CG_NEWN(e->arena, CgColumnSpec, x->args.n + 1);
    bool good = true;
    const CgDim *rows = cg_value_type(e, batch->at[0])->dim[0];
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *a = &x->args.at[i];
        CgValue *v = cg_eval(e, &inner, a->value);
        double number;
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
                cg_strbuf_deinit(&text);
                good = false;
            }
        } else if (v->kind == CG_VALUE_CALL) {
            want_arguments(e, s, v);
        } else if (!cg_value_number(v, &number)) {
            cg_elab_error(e, CG_E0305, a->value->span, "column '%s' is %s; columns are numbers or texts of each row",
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
            cg_graph_output(m->graph, s->columns[i].name, s->columns[i].value->tensor.ref);
        }
    for (int i = 0; i < s->nwanted; i++) {
        char name[32];
        snprintf(name, sizeof name, "wanted.%d", i);
        cg_graph_output(m->graph, name, s->wanted[i]->tensor.ref);
    }
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].init != CG_NONE)
            cg_graph_output(m->init, m->params.at[i].path, m->params.at[i].init);
    s->columns_graph = cg_pass_run_all(m->graph, NULL);
    return true;
}

CgValue *cg_stage_evaluate(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *model = model_of(e, f, x->a);
    if (!x->b) {
        cg_elab_error(e, CG_E0304, x->span, "evaluate needs data: evaluate MODEL on windows(...)");
        return cg_value_poison(e);
    }
    CgValue *data = cg_eval(e, f, x->b);
    if (cg_is_poison(model) || cg_is_poison(data))
        return cg_value_poison(e);
    CgStage *s = stage_new(e, CG_STAGE_EVALUATE, x->span, x->s ? x->s : cg_intern("model"));
    s->data = data;
    CgModelGraph *outside = e->model;
    s->model = e->model = cg_model_new(s->label, cg_precision_option(e));
    s->root = cg_instance_root(e, model, false);
    bool good = fill_evaluate(e, f, x, s);
    cg_marks_check(e);
    e->model = outside;
    if (!good)
        return cg_value_poison(e);
    CgValue *v = cg_value_new(e, CG_VALUE_STAGE, x->span);
    v->stage = s;
    return v;
}

int cg_stage_columns(CgElab *e, CgValue *of, CgAtom *names, int max)
{
    (void)e;
    while (of->kind == CG_VALUE_RECORD && of->n) /* a record of tables: the columns of the first */
        of = of->at[0];
    if (of->kind != CG_VALUE_STAGE)
        return cg_table_call_columns(of, names, max);
    const CgStage *s = of->stage;
    int n = 0;
    for (; n < s->ncolumns && n < max; n++)
        names[n] = s->columns[n].name;
    return n;
}

bool cg_stage_column_is_text(const CgValue *of, CgAtom name)
{
    CgAtom first[1];
    if (of->kind != CG_VALUE_STAGE)
        return cg_table_call_columns(of, first, 1) && first[0] == name;
    const CgStage *s = of->stage;
    for (int i = 0; i < s->ncolumns; i++)
        if (s->columns[i].name == name)
            return cg_column_is_text(s->columns[i].value);
    return false;
}

/* ---- generation ------------------------------------------------------------------------------------------------ */

/* The model place by place, if its graph allows that and says of each place what it should: with a context place t of
 * the logits says token t, so that one place needs no text; without one it says what follows token t. */
static void build_step(CgGenerator *g, bool has_context)
{
    CgGraph *plain = cg_pass_run_all(g->model->graph, "recognise,places,fold,dce"), *both = NULL;
    for (size_t i = 0; i < plain->inputs.len && !both; i++)
        if (!strcmp(cg_node_name(plain, plain->inputs.at[i]), "text"))
            both = cg_step_build(plain, plain->inputs.at[i], 1);
    int64_t first = 0;
    for (size_t i = 0; both && i < both->outputs.len; i++)
        if (!strcmp(both->outputs.at[i].name, "first.ids"))
            cg_dim_is_int(cg_node_type(both, both->outputs.at[i].ref)->dim[1], &first);
    if (both && first == has_context)
        cg_step_split(both, true, &g->prologue, &g->step);
    if (both)
        cg_graph_free(both);
    cg_graph_free(plain);
}

CgGenerator *cg_generator_build(
    CgElab *e, CgFrame *f, CgValue *model, CgType context, bool has_context, int64_t length, CgSpan span)
{
    CgGenerator *g = CG_NEW(e->arena, CgGenerator);
    CgModelGraph *outside = e->model;
    CgModelGraph *m = g->model = e->model = cg_model_new("generate", cg_precision_option(e));
    g->length = length;
    cg_session_own_generator(e, g);
    CgValue *root = cg_instance_root(e, model, false);
    const CgDim *dim[2] = { has_context ? context.dim[0] : cg_dim_symbol("batch"), cg_dim_int(length) };
    CgValue *args[2];
    CgSpan spans[2] = { span, span };
    CgAtom names[2] = { NULL, NULL };
    int n = 0;
    if (has_context)
        args[n++] = cg_value_tensor(e, cg_graph_input(&m->build, "context", context), span);
    args[n++] = cg_value_tensor(e, cg_graph_input(&m->build, "text", cg_type(CG_I32, 2, dim)), span);
    CgValue *logits = cg_apply(e, f, root, args, names, spans, n, span);
    bool good = !cg_is_poison(logits);
    cg_marks_check(e);
    if (good && (logits->kind != CG_VALUE_TENSOR || cg_value_type(e, logits)->rank != 3)) {
        cg_elab_error(e, CG_E0401, span, "a model that writes text gives logits f32[B, T, vocab]");
        good = false;
    }
    if (good) {
        CgAttr axis = cg_a_int("axis", 2);
        cg_graph_output(m->graph, "ids", cg_build(&m->build, "argmax", 1, &logits->tensor.ref, cg_attrs(1, &axis)));
        cg_graph_output(m->graph, "logits", logits->tensor.ref);
        for (size_t i = 0; i < m->params.len; i++)
            if (m->params.at[i].init != CG_NONE)
                cg_graph_output(m->init, m->params.at[i].path, m->params.at[i].init);
        g->graph = cg_pass_run_all(m->graph, NULL);
        build_step(g, has_context);
        g->in_context = g->in_text = -1;
        for (size_t i = 0; i < g->graph->inputs.len; i++) {
            if (!strcmp(cg_node_name(g->graph, g->graph->inputs.at[i]), "context"))
                g->in_context = (int)i;
            else
                g->in_text = (int)i;
        }
    }
    e->model = outside;
    return good ? g : NULL;
}

void cg_generator_free(CgGenerator *g)
{
    cg_model_free(g->model);
    cg_graph_free(g->graph);
    cg_graph_free(g->prologue);
    cg_graph_free(g->step);
}

void cg_stage_free(CgStage *s)
{
    cg_model_free(s->model);
    for (int i = 0; i < s->ngroups; i++) {
        cg_model_free(s->groups[i].model);
        if (s->groups[i].graph)
            cg_graph_free(s->groups[i].graph);
    }
    CgGraph *graphs[] = { s->step_graph, s->loss_graph, s->norm_graph, s->columns_graph };
    for (size_t i = 0; i < CG_LEN(graphs); i++)
        if (graphs[i])
            cg_graph_free(graphs[i]);
    if (s->weights.n)
        cg_tensors_free(&s->weights);
    cg_table_free(s->table);
}
