/* train_check.c - a training, checked.
 * Takes the block of train; gives a stage with its graphs (loss, gradients, optimiser), complete and checked before any
 * data is read. Runs nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/use.h"
#include "lang/foreign.h"
#include "run/plan/plan.h"
#include "stage/advice.h"
#include "stage/check.h"

#define FIELD(name, kind, otherwise, doc) { #name, kind, otherwise, doc },
static const CgBlockField train_fields[] = {
#include "stage/train_fields.def"
    { NULL, NULL, NULL, NULL }
};

const CgBlockField *cg_train_field(size_t i) { return i < CG_LEN(train_fields) - 1 ? &train_fields[i] : NULL; }

typedef struct Fields {
    const CgArg *at[CG_LEN(train_fields)];
} Fields;

static const CgExpr *field_of(const Fields *f, const char *name)
{
    for (int i = 0; train_fields[i].name; i++)
        if (!strcmp(train_fields[i].name, name))
            return f->at[i] ? f->at[i]->value : NULL;
    return NULL;
}

static bool read_fields(CgElab *e, const CgExpr *x, Fields *out)
{
    memset(out, 0, sizeof *out);
    bool good = true, meant_by[CG_LEN(train_fields)] = { false }; /* by a field that was reported */
    for (int i = 0; i < x->args.n; i++) {
        int k = 0;
        while (train_fields[k].name && (!x->args.at[i].name || strcmp(train_fields[k].name, x->args.at[i].name)))
            k++;
        if (train_fields[k].name) {
            out->at[k] = &x->args.at[i];
            continue;
        }
        CgSuggest s;
        CgStrbuf all = { 0 };
        cg_suggest_init(&s, x->args.at[i].name ? x->args.at[i].name : "");
        for (int j = 0; train_fields[j].name; j++) {
            cg_suggest_offer(&s, train_fields[j].name);
            cg_strbuf_printf(&all, "%s%s", j ? ", " : "", train_fields[j].name);
        }
        CgDiag *d = cg_elab_error(e, CG_E0303, x->args.at[i].name_span, "train has no field '%s'",
            x->args.at[i].name ? x->args.at[i].name : "");
        if (!cg_foreign_or_near(d, CG_FOREIGN_TRAIN, &s))
            cg_diag_help(d, "a block of train binds no names; its fields are %s", cg_strbuf_str(&all));
        const CgForeign *row = cg_foreign(CG_FOREIGN_TRAIN, s.word);
        const char *meant = row ? row->instead : cg_suggest_best(&s);
        for (int j = 0; meant && train_fields[j].name; j++)
            if (!strcmp(train_fields[j].name, meant))
                meant_by[j] = true;
        cg_strbuf_deinit(&all);
        good = false;
    }
    for (int i = 0; train_fields[i].name; i++)
        if (!train_fields[i].otherwise[0] && !out->at[i] && !meant_by[i]) {
            cg_elab_error(
                e, CG_E0304, x->op_span.file ? x->op_span : x->span, "train needs '%s'", train_fields[i].name);
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
        char found[32];
        snprintf(found, sizeof found, "%lld", (long long)v->i);
        CgDiag *d =
            cg_elab_error(e, CG_E0607, cg_elab_literal(e, v, x->span), "'%s' is an integer from %lld to %d, not %s",
                name, (long long)least, MOST, v->kind == CG_VALUE_INT ? found : cg_value_kind_name(v));
        const CgKinds wanted = { .at = { { .tag = CG_KIND_INT } }, .n = 1 };
        cg_help_integer(d, &wanted, v);
        for (int i = 0; v->kind != CG_VALUE_INT && v->kind != CG_VALUE_FLOAT && train_fields[i].name; i++)
            if (!strcmp(train_fields[i].name, name))
                cg_diag_help(d, "%s", train_fields[i].doc);
        return false;
    }
    *out = v->i;
    return true;
}

/* The op that keeps the derivative of a loss from a parameter it depends on: the first on the way that has none, as
 * floor or argmax. NONE where there is no way, or where it was asked for: by a comparison, which chooses, or
 * stop_gradient. */
static CgRef find_blocker(const CgGraph *g, CgRef loss, CgRef param)
{
    bool *needed = cg_calloc((size_t)loss + 1, sizeof *needed), *moves = cg_calloc((size_t)loss + 1, sizeof *moves);
    CgRef found = CG_NONE;
    needed[loss] = moves[param] = true;
    for (CgRef r = loss + 1; r-- > 0;)
        for (int k = 0; needed[r] && k < cg_node(g, r)->nin; k++)
            needed[cg_node(g, r)->in[k]] = true;
    for (CgRef r = param + 1; r <= loss && found == CG_NONE; r++) {
        const CgNode *n = cg_node(g, r);
        bool mine = false;
        for (int k = 0; k < n->nin; k++)
            mine |= moves[n->in[k]];
        bool stops = (n->op->traits & CG_NODIFF) && !cg_node_is_result(n);
        moves[r] = mine && !stops;
        if (mine && stops && needed[r] && n->type.dtype != CG_BOOL && !cg_node_is_view(n))
            found = r;
    }
    free(needed);
    free(moves);
    return found;
}

/* Reports a parameter that no derivative reaches because of an op that has none. */
static bool check_reached(CgElab *e, const CgStage *s, CgRef loss, const CgParamInfo *p, CgSpan span)
{
    const CgGraph *g = s->model->graph;
    CgRef at = find_blocker(g, loss, p->ref);
    if (at == CG_NONE)
        return true;
    const CgNode *n = cg_node(g, at);
    CgDiag *d = cg_elab_error(e, CG_E0504, n->span.file ? n->span : span,
        "the loss depends on '%s' through '%s' alone, which has no derivative", p->path, n->op->name);
    cg_diag_note(d, p->span, "declared here");
    cg_diag_help(
        d, "freeze it, or let another derivative pass: y + stop_gradient(z - y) is z with the derivative of y");
    return false;
}

/* The derivatives of a loss by the parameters it trains into `grads`, 0 by the others; false after a mistake. */
static bool differentiate(CgElab *e, CgStage *s, int turn, CgRef loss, CgSpan span, CgRef *grads)
{
    CgModelGraph *m = s->model;
    CgRef *wrt = cg_calloc((size_t)s->ntrained + 1, sizeof *wrt), *of = cg_calloc((size_t)s->ntrained + 1, sizeof *of);
    int n = 0;
    for (int i = 0; i < s->nlearned; i++)
        if (s->groups[s->trained[i].group].turns >> turn & 1)
            wrt[n++] = m->params.at[s->trained[i].param].ref;
    CgErr err = { 0 };
    CgRef where = CG_NONE;
    bool good = cg_grad_build(&m->build, loss, n, wrt, of, &where, &err), reached = false;
    if (!good) {
        CgDiag *d = cg_elab_error(e, CG_E0504,
            where != CG_NONE && cg_node(m->graph, where)->span.file ? cg_node(m->graph, where)->span : span, "%s",
            err.text);
        if (err.hint[0])
            cg_diag_help(d, "%s", err.hint);
    }
    for (int i = s->nlearned; i < s->ntrained; i++)
        grads[i] = m->params.at[s->trained[i].param].renewed;
    for (int i = 0, k = 0; good && i < s->nlearned; i++) {
        double constant;
        CgRef p = m->params.at[s->trained[i].param].ref;
        bool mine = k < n && wrt[k] == p;
        grads[i] = mine ? of[k++] : cg_fill_like(&m->build, p, 0);
        bool zero = cg_ref_const(&m->build, grads[i], &constant) && constant == 0;
        reached |= mine && !zero;
        good = !mine || !zero || check_reached(e, s, loss, &m->params.at[s->trained[i].param], span);
    }
    if (good && !reached) {
        CgDiag *d = cg_elab_error(e, CG_E0504, span, "the derivative of %s by every trained parameter is zero",
            s->order ? cg_intern_printf("'%s'", s->terms.name[turn]) : "the loss");
        cg_diag_help(d, "comparisons, argmax, rounding and stop_gradient let no derivative through");
        good = false;
    }
    free(wrt);
    free(of);
    return good;
}

/* The outputs of a step: the loss, the gradients, and the terms of the loss or the sums that shares want. */
static void step_outputs(CgStage *s, CgRef loss, const CgRef *grads)
{
    CgModelGraph *m = s->model;
    bool sums = s->accumulate > 1;
    int more = s->order ? 0 : sums ? s->shares.n : s->terms.n;
    m->graph->outputs.len = 0;
    cg_graph_output(m->graph, "loss", loss);
    for (int i = 0; i < s->ntrained; i++)
        cg_graph_output(m->graph, cg_intern_printf("grad.%s", m->params.at[s->trained[i].param].path), grads[i]);
    for (int i = 0; i < more; i++)
        cg_graph_output(
            m->graph, cg_intern_printf(sums ? "total.%d" : "term.%d", i), sums ? s->shares.sum[i] : s->terms.ref[i]);
}

/* The graph of a step of each turn. In the model's own graph the outputs are in the end those of the last one. */
static bool build_gradients(CgElab *e, CgStage *s, CgRef loss, CgSpan span)
{
    int most = s->accumulate > 1 ? s->shares.n : s->terms.n;
    CgRef *grads = cg_calloc((size_t)s->ntrained + 1, sizeof *grads);
    bool good = true;
    s->together = CG_NEWN(e->arena, size_t, s->ntrained + 1 + most);
    for (int i = 0; i <= s->ntrained + most; i++)
        s->together[i] = CG_PLAN_BOUND;
    for (int i = 0; i < s->ntrained; i++)
        s->together[i + 1] = (size_t)s->trained[i].offset * sizeof(float);
    for (int k = 0; good && k < s->nturns; k++) {
        CgRef of = s->order ? s->turns[k].loss : loss;
        good = differentiate(e, s, k, of, span, grads);
        if (!good)
            break;
        step_outputs(s, of, grads);
        s->turns[k].graph = cg_session_optimised(e, s->model->graph);
    }
    free(grads);
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

/* How many rows a batch has, and that they can be shared out. */
static bool read_rows(CgElab *e, const Fields *fields, CgStage *s)
{
    int64_t rows = cg_data_fields(s->data)->batch;
    if (rows && !field_of(fields, "batch"))
        s->batch = rows;
    if (s->batch % s->accumulate) {
        cg_elab_error(e, CG_E0607, field_of(fields, "accumulate")->span,
            "a batch of %lld rows cannot be cut in %lld equal parts", (long long)s->batch, (long long)s->accumulate);
        return false;
    }
    return true;
}

static bool read_clip(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s)
{
    s->clip = 1;
    CgValue *v = x ? cg_eval(e, f, x) : NULL;
    if (!v || cg_is_poison(v))
        return !v;
    if (v->kind == CG_VALUE_NONE) {
        s->clip = 0;
    } else if (!cg_value_number(v, &s->clip) || s->clip <= 0) {
        cg_elab_error(e, CG_E0607, x->span, "clip is a positive number, the greatest norm of the gradient, or none");
        return false;
    }
    return true;
}

static bool read_average(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s)
{
    CgValue *v = x ? cg_eval(e, f, x) : NULL;
    if (!v || cg_is_poison(v))
        return !v;
    if (!cg_value_number(v, &s->average) || !(s->average > 0 && s->average < 1)) {
        cg_elab_error(e, CG_E0607, cg_elab_literal(e, v, x->span),
            "average is what a step keeps of the mean of the parameters, a number between 0 and 1 such as 0.999");
        return false;
    }
    return true;
}

static bool read_on_nan(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s)
{
    CgValue *v = x ? cg_eval(e, f, x) : NULL;
    if (!v || cg_is_poison(v))
        return !v;
    s->skip = v->kind == CG_VALUE_STR && !strcmp(v->s, "skip");
    if (s->skip || (v->kind == CG_VALUE_STR && !strcmp(v->s, "stop")))
        return true;
    cg_elab_error(e, CG_E0607, x->span,
        "on_nan says what a step does whose loss, gradient or update is not finite: \"stop\" or \"skip\"");
    return false;
}

/* Every number of the block, whichever of them is wrong. */
static bool read_numbers(CgElab *e, CgFrame *f, const Fields *fields, CgStage *s)
{
    bool good = integer(e, f, fields, "steps", 0, 0, &s->steps);
    good &= integer(e, f, fields, "batch", 1, 16, &s->batch);
    good &= integer(e, f, fields, "accumulate", 1, 1, &s->accumulate);
    good &= integer(e, f, fields, "seed", 0, 0, &s->seed);
    good &= integer(e, f, fields, "early_stop", 1, 0, &s->early_stop);
    good &= integer(e, f, fields, "patience", 1, 3, &s->patience);
    good &= integer(e, f, fields, "validate_every", 1, s->steps >= 10 ? s->steps / 10 : 1, &s->validate_every);
    good &= read_clip(e, f, field_of(fields, "clip"), s);
    good &= read_average(e, f, field_of(fields, "average"), s);
    return good & read_on_nan(e, f, field_of(fields, "on_nan"), s);
}

static bool same_tokens(CgElab *e, const char *name, const CgValue *data, const CgValue *valid, const CgExpr *x)
{
    if (!data || !valid || cg_tokens_compare(data, valid) != CG_TOKENS_OTHER)
        return true;
    CgTokenizerName a = cg_tokenizer_name(data), b = cg_tokenizer_name(valid);
    CgDiag *d = cg_elab_error(e, CG_E0510, x->span,
        "'%s' of validate is of the tokenizer %s of size %lld, and that of data of %s of size %lld", name, b.kind,
        (long long)b.size, a.kind, (long long)a.size);
    cg_diag_note(d, data->span, "the tokenizer of data");
    cg_diag_note(d, valid->span, "that of validate");
    return false;
}

/* What the loss may ask for is in the rows of the validation, too. */
static bool same_fields(CgElab *e, const CgStage *s, const CgExpr *x)
{
    const CgDataFields *data = cg_data_fields(s->data), *valid = cg_data_fields(s->validate);
    for (int i = 0; valid && i < data->n; i++) {
        const CgField *want = &data->field[i], *have = NULL;
        for (int k = 0; k < valid->n; k++)
            if (valid->field[k].name == want->name) {
                have = &valid->field[k];
                if (!same_tokens(e, want->name, data->tokenizer[i], valid->tokenizer[k], x))
                    return false;
            }
        bool same = have && have->dtype == want->dtype && have->rank == want->rank
            && !memcmp(have->dim, want->dim, sizeof *want->dim * (size_t)want->rank);
        if (same)
            continue;
        CgDiag *d = cg_elab_error(e, CG_E0607, x->span, "validate takes rows with the same fields as data; '%s' %s",
            want->name, have ? "has another type" : "is not among them");
        cg_diag_label(d, s->data->span, "data");
        return false;
    }
    if (!valid) {
        CgDiag *d = cg_elab_error(e, CG_E0607, x->span, "validate takes rows with the same fields as data, not %s",
            cg_value_kind_name(s->validate));
        cg_help_rows(e, d, s->validate, x->span);
    }
    return valid;
}

/* Whether an optimiser asks for stalls, and then all that they are counted by is there. */
static bool check_stalls(CgElab *e, const Fields *fields, CgStage *s)
{
    const CgExpr *patience = field_of(fields, "patience");
    for (int i = 0; i < s->ngroups; i++) {
        const CgGraph *g = s->groups[i].model->graph;
        for (size_t k = 0; k < g->inputs.len; k++)
            s->stalls |= !strcmp(cg_node_name(g, g->inputs.at[k]), "stalls");
    }
    if (s->stalls && !s->validate) {
        cg_elab_error(e, CG_E0304, s->optimizer,
            "the optimiser asks how often the validation loss has stalled: give 'validate' too");
        return false;
    }
    if (patience && !s->stalls) {
        CgDiag *d =
            cg_elab_error(e, CG_E0607, patience->span, "nothing asks how often the validation loss has stalled");
        cg_diag_help(d, "a schedule does: optimizer = adamw(rate = plateau(1e-3))");
        return false;
    }
    return true;
}

static bool read_validate(CgElab *e, CgFrame *f, const Fields *fields, CgStage *s)
{
    const CgExpr *x = field_of(fields, "validate");
    if (x) {
        s->validate = cg_eval(e, f, x);
        if (cg_is_poison(s->validate))
            return false;
        if (!same_fields(e, s, x))
            return false;
    }
    if (s->early_stop && !s->validate) {
        cg_elab_error(e, CG_E0304, field_of(fields, "early_stop")->span,
            "early_stop looks at the validation loss: give 'validate' too");
        return false;
    }
    const CgExpr *every = field_of(fields, "validate_every");
    if (every && !x && !field_of(fields, "metrics")) {
        cg_elab_error(e, CG_E0304, every->span, "nothing is looked at: give 'validate' or 'metrics', too");
        return false;
    }
    return true;
}

/* What a share of the batch adds to the gradient, in place of the loss. */
static bool build_shares(CgElab *e, CgStage *s, const Fields *fields, CgRef *loss)
{
    CgModelGraph *m = s->model;
    CgSpan at = field_of(fields, "accumulate")->span;
    if (s->shares.mixed != CG_NONE) {
        CgDiag *d = cg_elab_error(e, CG_E0607, at, "a batch in %lld shares would not give the loss of the whole batch",
            (long long)s->accumulate);
        cg_diag_label(d, cg_node(m->graph, s->shares.mixed)->span, "this looks across the rows of the batch");
        cg_diag_help(d, "sums and means over rows are the same in shares; leave 'accumulate' out for anything else");
        return false;
    }
    CgErr err = { 0 };
    CgRef where = CG_NONE, share = cg_shares_build(&s->shares, m, *loss, s->accumulate, &where, &err);
    if (share == CG_NONE) {
        cg_elab_err(e, at, &err);
        return false;
    }
    *loss = share;
    return true;
}

static bool fill_train(CgElab *e, CgFrame *f, const CgExpr *x, const Fields *fields, CgStage *s, CgValue *model)
{
    bool numbers = read_numbers(e, f, fields, s);
    s->data = cg_eval(e, f, field_of(fields, "data"));
    if (cg_is_poison(s->data))
        return false;
    CgValue *batch = cg_check_batch(e, s->data, false, field_of(fields, "data")->span);
    bool rows = batch && numbers && read_rows(e, fields, s);
    if (!batch || !read_validate(e, f, fields, s))
        return false;
    CgLossFields of = { x, field_of(fields, "loss"), field_of(fields, "weight"), batch };
    CgRef loss = cg_check_loss(e, f, &of, s);
    if (loss == CG_NONE || !rows)
        return false;
    CgGraph *plain = cg_shares_plain(s->model, loss, NULL);
    s->loss = loss;
    s->loss_graph = cg_session_optimised(e, plain);
    cg_graph_free(plain);
    s->optimizer = field_of(fields, "optimizer")->span;
    if (!cg_check_turns(e, f, field_of(fields, "turns"), loss, s))
        return false;
    if (!cg_check_optimizer(e, f, s, field_of(fields, "optimizer")) || !check_stalls(e, fields, s))
        return false;
    if (!s->nlearned) {
        CgDiag *d = cg_elab_error(e, CG_E0506, x->a->span, "the loss depends on no parameter that is trained");
        const CgInstance *m = s->root->instance;
        for (int i = 0; i < m->nannotations; i++)
            if (m->annotations[i].what == CG_ANNOTATED_FROZEN && m->annotations[i].span.file) {
                cg_diag_note(d, m->annotations[i].span, "it is frozen here");
                cg_diag_help(d, "freeze(m, \"blocks.*\") freezes a part; unfreeze(m) takes it back");
                break;
            }
        return false;
    }
    s->norm_graph = build_norm(s->learned);
    if (s->accumulate > 1 && s->ntrained > s->nlearned) {
        CgDiag *d = cg_elab_error(e, CG_E0607, field_of(fields, "accumulate")->span,
            "'%s' moves with each batch, and a batch in shares would move it once for each",
            s->model->params.at[s->trained[s->nlearned].param].path);
        cg_diag_help(d, "leave 'accumulate' out, or freeze what calls running");
        return false;
    }
    if (s->validate || s->accumulate > 1)
        s->shares = cg_shares_find(s->model, loss, &s->terms, cg_dim_symbol("batch"));
    if (s->accumulate > 1 && !build_shares(e, s, fields, &loss))
        return false;
    return build_gradients(e, s, loss, field_of(fields, "loss")->span) && cg_check_validation(e, f, &of, s, model)
        && cg_check_metrics(e, f, x, field_of(fields, "metrics"), s, model, batch)
        && cg_check_curve(e, s, field_of(fields, "loss"), field_of(fields, "metrics"));
}

CgValue *cg_stage_train(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *model = cg_check_model(e, f, x->a);
    Fields fields;
    if (!read_fields(e, x, &fields) || cg_is_poison(model))
        return cg_value_poison(e);
    CgStage *s = cg_stage_new(e, &cg_stage_kind_train, x->span, x->s ? x->s : cg_intern("model"));
    s->model = cg_model_begin(e, s->label, cg_precision_option(e));
    s->model->trains = true;
    s->root = cg_instance_root(e, model, false);
    bool good = fill_train(e, f, x, &fields, s, model);
    cg_model_end(e);
    if (!good || !cg_weights_check(cg_session_of(e), s->model))
        return cg_value_poison(e);
    cg_stage_ask(e, f, x, s, model);
    cg_train_advise(e, s, x);
    cg_stage_inputs(e, s, s->model);
    cg_stage_data(e, s, s->data);
    if (s->validate)
        cg_stage_data(e, s, s->validate);
    if (s->metrics_model)
        cg_stage_inputs(e, s, s->metrics_model);
    if (s->valid_model)
        cg_stage_inputs(e, s, s->valid_model);
    CgValue *weights = cg_value_new(e, CG_VALUE_STAGE, x->span);
    weights->stage = s;
    CgValue *v = cg_instance_copy(e, model, x->span);
    v->instance->name = NULL;
    v->instance->weights = weights;
    v->instance->submodule_path = NULL;
    v->instance->tokens = cg_tokens_of_data(e, s);
    s->instance = v;
    return v;
}
