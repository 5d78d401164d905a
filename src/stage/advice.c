/* advice.c - trainings and evaluations that run and are surely not what was meant.
 * Takes one that was checked; gives warnings, each read off its graph or its numbers, never off names its author
 * chose. Must not refuse anything, and must say nothing of what may be meant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/causal.h"
#include "graph/pass.h"
#include "graph/use.h"
#include "stage/check.h"

typedef struct Advice {
    CgElab *e;
    const CgStage *s;
    const CgExpr *train;
    CgGraph *g;
    bool *live;  /* (nodes): the loss needs it */
    bool *moved; /* (nodes): it depends on a parameter that gradients train */
} Advice;

static const CgExpr *field(const Advice *a, const char *name)
{
    for (int i = 0; i < a->train->args.n; i++)
        if (!strcmp(a->train->args.at[i].name, name))
            return a->train->args.at[i].value;
    return NULL;
}

/* Whether nothing was said of this place yet: a def may be called often. */
static bool once(CgElab *e, CgCode code, CgSpan at)
{
    uint64_t said, key = ((uint64_t)at.file << 40 | (uint64_t)at.start << 8) ^ (uint64_t)code << 56;
    if (cg_map_get(&e->advised, key, &said))
        return false;
    cg_map_put(&e->advised, key, 1);
    return true;
}

/* A warning at `span` or, where that is in the library, at a field of the block; NULL: it was said before, of the same
 * text. */
static CgDiag *warn(const Advice *a, CgCode code, CgSpan span, const char *otherwise, const char *message)
{
    CgSpan at = span.file && !cg_of_library(a->e, span) ? span : field(a, otherwise)->span;
    return once(a->e, code, at) ? cg_diag_warn(a->e->diags, code, at, "%s", message) : NULL;
}

static bool is(const CgNode *n, const char *op) { return !strcmp(n->op->name, op); }

/* What a node is the elements of: through views, repeats and conversions. */
static CgRef elements_of(const CgGraph *g, CgRef r)
{
    for (;;) {
        const CgNode *n = cg_node(g, r);
        if (!n->nin || cg_node_is_result(n)
            || !(n->op->view || n->op->traits & (CG_REARRANGES | CG_RESHAPES | CG_REPEATS) || is(n, "cast")))
            return r;
        r = n->in[0];
    }
}

/* ---- what cross_entropy is given -------------------------------------------------------------------------------- */

/* x - logsumexp(x), as log_softmax writes it. */
static bool is_log_softmax(const CgGraph *g, const CgNode *n)
{
    if (!is(n, "sub"))
        return false;
    const CgNode *by = cg_node(g, elements_of(g, n->in[1]));
    return is(by, "logsumexp") && by->in[0] == n->in[0];
}

static void at_loss(const Advice *a, CgDiag *d, CgSpan loss)
{
    if (loss.file && !cg_of_library(a->e, loss))
        cg_diag_note(d, loss, "the loss");
}

static void probabilities(const Advice *a, const CgNode *loss)
{
    const CgNode *n = cg_node(a->g, elements_of(a->g, loss->in[0]));
    bool twice = is_log_softmax(a->g, n);
    if (!is(n, "softmax") && !twice)
        return;
    CgDiag *d = warn(a, CG_E0701, n->span, "loss",
        twice ? "cross_entropy takes logits, and this is the logarithm of their softmax already"
              : "cross_entropy takes logits, and this is their softmax");
    if (!d)
        return;
    at_loss(a, d, loss->span);
    cg_diag_help(d, "leave the %s out here: cross_entropy has the softmax and its logarithm in it",
        twice ? "log_softmax" : "softmax");
}

/* softplus(p) - t * p, binary cross entropy from logits, of a p that is a sigmoid. */
static void odds(const Advice *a, const CgNode *n)
{
    const CgNode *plus = cg_node(a->g, n->in[0]), *times = cg_node(a->g, n->in[1]);
    if (!is(plus, "softplus") || !is(times, "mul"))
        return;
    CgRef p = plus->in[0];
    const CgNode *by = cg_node(a->g, elements_of(a->g, p));
    if (!is(by, "sigmoid") || (times->in[0] != p && times->in[1] != p))
        return;
    CgDiag *d = warn(a, CG_E0701, by->span, "loss", "binary cross entropy takes logits, and this is their sigmoid");
    if (!d)
        return;
    at_loss(a, d, n->span);
    cg_diag_help(d, "leave the sigmoid out here: the loss has it in it");
}

/* Whether logits know, at each place, the token of `text` that is their target; `text` is called so in the graph. */
static bool know_target(const CgGraph *g, const char *text, CgRef logits, CgRef ids)
{
    CgRef at = CG_NONE;
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), text))
            at = g->inputs.at[i];
    const CgDim *target = at == CG_NONE ? NULL : cg_causal_shift(g, at, ids, 1),
                *known = target ? cg_causal_shift(g, at, logits, 1) : NULL;
    return known && cg_dim_at_most(known, target);
}

/* The same, of parts that are written out and of which only the whole is known to be causal: attention. */
static bool know_target_recognised(const Advice *a, const char *text, const CgNode *loss)
{
    CgAtom name = cg_intern("ids");
    const CgTerms ids = { 1, &name, &loss->in[1] };
    CgGraph *plain = cg_shares_plain(a->s->model, loss->in[0], &ids);
    CgGraph *g = cg_pass_run_all(plain, "recognise,fold,dce");
    bool out = g->outputs.len == 2 && know_target(g, text, g->outputs.at[0].ref, g->outputs.at[1].ref);
    cg_graph_free(plain);
    cg_graph_free(g);
    return out;
}

/* Whether a text is looked up as it is, and nothing is computed of it: one with places that are hidden is a target. */
static bool looked_up(const Advice *a, CgRef text)
{
    for (CgRef r = 0; r <= a->s->loss; r++) {
        const CgNode *n = cg_node(a->g, r);
        bool reads = false;
        for (int k = 0; a->live[r] && k < n->nin; k++)
            reads |= elements_of(a->g, n->in[k]) == text;
        if (reads && elements_of(a->g, r) != text && !is(n, "take") && !is(n, "cross_entropy") && !is(n, "one_hot"))
            return false;
    }
    return true;
}

/* The target at a place is a token that the logits there depend on: all that is learnt is to copy it. */
static void copies(const Advice *a, const CgNode *loss)
{
    const CgGraph *g = a->g;
    for (size_t i = 0; i < g->inputs.len; i++) {
        CgRef text = g->inputs.at[i];
        const CgType *t = cg_node_type(g, text);
        if (cg_dtype_is_float(t->dtype) || t->rank != 2 || elements_of(g, loss->in[1]) != text)
            continue;
        CgAtom name = cg_node_name(g, text);
        if (!looked_up(a, text)
            || (!know_target(g, name, loss->in[0], loss->in[1]) && !know_target_recognised(a, name, loss)))
            continue;
        CgDiag *d = warn(a, CG_E0702, loss->span, "loss",
            "the target at each place is a token that the model is given there: all it can learn is to copy");
        CgAtom own = cg_intern_printf("%s_next", name), next = cg_intern("next");
        const CgDataFields *fields = cg_data_fields(a->s->data);
        for (int k = 0; d && k < fields->n; k++)
            if (fields->field[k].name == own || fields->field[k].name == next) {
                cg_diag_help(d, "the tokens one place on are batch.%s", fields->field[k].name);
                return;
            }
        if (d)
            cg_diag_help(d, "the target is the text one place on: logits[.., ..-1, 0..] against ids[.., 1..]");
        return;
    }
}

/* The rows are filled up, or only a part of their places counts, and the loss looks at all. */
static void uncounted(const Advice *a, const CgNode *loss)
{
    const CgGraph *g = a->g;
    const CgNode *target = cg_node(g, elements_of(g, loss->in[1]));
    const CgAttr *ignore = cg_attr_find(loss->attrs, "ignore");
    const CgDataFields *fields = cg_data_fields(a->s->data);
    if (!(target->op->traits & CG_INPUT) || ignore || field(a, "weight"))
        return;
    CgAtom name = cg_node_name(g, elements_of(g, loss->in[1])), mask = NULL;
    for (int i = 0; i < fields->n; i++)
        if (fields->field[i].name == name && fields->field[i].mask)
            mask = fields->field[i + fields->field[i].mask].name;
    for (size_t i = 0; mask && i < g->inputs.len; i++)
        if (cg_node_name(g, g->inputs.at[i]) == mask && a->live[g->inputs.at[i]])
            return;
    CgDiag *d = mask ? warn(a, CG_E0704, loss->span, "loss",
                    "the loss looks at every place of its target, and in these rows not all of them count")
                     : NULL;
    if (!d)
        return;
    cg_diag_note(d, a->s->data->span, "the data, whose '%s' says which do", mask);
    cg_diag_help(d, "give the training weight = batch.%s", mask);
}

/* ---- losses that fall for ever ---------------------------------------------------------------------------------- */

/* What is known of the values that a node can take: below which, or above which, there is no bound. */
typedef enum Reach { UNKNOWN, UP /* and not down */, DOWN, BOTH } Reach;

static Reach turned(Reach r) { return r == UP ? DOWN : r == DOWN ? UP : r; }

static Reach reach_of(const Advice *a, CgRef r, int depth);

static bool is_trained(const Advice *a, CgRef r) { return (cg_node(a->g, r)->op->traits & CG_PARAM) && a->moved[r]; }

/* Of a sum or difference. */
static Reach of_sum(const Advice *a, const CgNode *n, int depth)
{
    bool sub = is(n, "sub");
    for (int k = 0; k < 2; k++) /* one of them does not move, or moves freely */
        if (!a->moved[n->in[1 - k]] || is_trained(a, elements_of(a->g, n->in[k]))) {
            Reach one = reach_of(a, n->in[k], depth);
            return sub && k ? turned(one) : one;
        }
    Reach x = reach_of(a, n->in[0], depth), y = reach_of(a, n->in[1], depth);
    y = sub ? turned(y) : y;
    return x == y && x != BOTH ? x : UNKNOWN;
}

/* A number above 0 that moves with no parameter: of constants and how many rows there are. */
static bool is_count(const Advice *a, CgRef r)
{
    double value;
    const CgNode *n = cg_node(a->g, r);
    if (cg_ref_const(&a->s->model->build, r, &value))
        return value > 0;
    if (is(n, "mul"))
        return is_count(a, n->in[0]) && is_count(a, n->in[1]);
    return (n->op->traits & CG_ADDS_UP || cg_node_is_view(n)) && n->nin && is_count(a, n->in[0]);
}

static Reach reach_of(const Advice *a, CgRef r, int depth)
{
    double by;
    CgRef whole = elements_of(a->g, r);
    const CgNode *n = cg_node(a->g, whole);
    if (!depth || !a->moved[whole])
        return UNKNOWN;
    if (n->op->traits & CG_PARAM)
        return BOTH;
    if (is(n, "cross_entropy") || is(n, "softplus") || is(n, "abs") || (is(n, "mul") && n->in[0] == n->in[1])
        || (is(n, "pow") && cg_ref_const(&a->s->model->build, n->in[1], &by) && by > 0 && fmod(by, 2) == 0))
        return UP;
    if (is(n, "matmul")) /* linear in what is trained */
        return is_trained(a, elements_of(a->g, n->in[1])) ? BOTH : UNKNOWN;
    if (is(n, "neg"))
        return turned(reach_of(a, n->in[0], depth - 1));
    if (n->op->traits & CG_ADDS_UP || is(n, "take"))
        return reach_of(a, n->in[0], depth - 1);
    if (is(n, "add") || is(n, "sub"))
        return of_sum(a, n, depth - 1);
    if (is(n, "div") && is_count(a, n->in[1]))
        return reach_of(a, n->in[0], depth - 1);
    for (int k = 0; is(n, "mul") && k < 2; k++)
        if (cg_ref_const(&a->s->model->build, n->in[1 - k], &by) && by != 0)
            return by > 0 ? reach_of(a, n->in[k], depth - 1) : turned(reach_of(a, n->in[k], depth - 1));
    return UNKNOWN;
}

static void endless(const Advice *a)
{
    enum { DEEPEST = 24 };
    if (a->s->order || a->s->terms.n > 1)
        return; /* what one term loses another may win */
    Reach r = reach_of(a, a->s->loss, DEEPEST);
    if (r != DOWN && r != BOTH)
        return;
    CgDiag *d = warn(a, CG_E0703, field(a, "loss")->span, "loss",
        "this loss has no least value: a training makes it smaller without end");
    if (d && r == DOWN)
        cg_diag_help(d, "a loss is made small: leave the minus out");
    else if (d)
        cg_diag_help(
            d, "a loss compares with what is wanted, as cross_entropy(logits, ids) and squared_error(y, target)");
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* Where the number of steps was written. */
static CgSpan steps_span(const Advice *a)
{
    const CgValue *v = cg_record_find(a->s->asked, cg_intern("steps"));
    return v && v->span.file ? v->span : field(a, "steps")->span;
}

static void no_step(const Advice *a)
{
    CgDiag *d = a->s->steps ? NULL
                            : warn(a, CG_E0705, steps_span(a), "steps",
                                "a training of 0 steps changes nothing: the model stays as it starts");
    if (d)
        cg_diag_help(d, "a model that is not trained needs no train: it is a value as it is");
}

/* A schedule whose warm-up is never over: an argument of that name of a graph that is handed the number of steps. */
static void warm_up(const Advice *a, const CgValue *v, int depth)
{
    for (int i = 0; depth && (v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST) && i < v->n; i++)
        warm_up(a, v->at[i], depth - 1);
    if (!depth || v->kind != CG_VALUE_INSTANCE)
        return;
    const CgInstance *m = v->instance;
    bool schedule = false;
    for (int i = 0; i < m->stmt->nparams; i++)
        schedule |= !m->statics[i] && !strcmp(m->stmt->params[i].name, "steps");
    for (int i = 0; i < m->stmt->nparams; i++) {
        const CgValue *given = m->statics[i];
        if (!given)
            continue;
        if (schedule && !strcmp(m->stmt->params[i].name, "warmup") && given->kind == CG_VALUE_INT && a->s->steps
            && given->i > a->s->steps) {
            CgDiag *d = warn(a, CG_E0706, given->span, "optimizer",
                cg_intern_printf("a warm-up of %lld steps is not over when the training is, after %lld: the rate never "
                                 "reaches its peak",
                    (long long)given->i, (long long)a->s->steps));
            if (d)
                cg_diag_note(d, steps_span(a), "the steps");
        }
        warm_up(a, given, depth - 1);
    }
}

/* What rows are of: of windows the split they are taken from. */
static const CgValue *rows_of(const CgValue *v)
{
    bool windows = v->kind == CG_VALUE_CALL && v->n && cg_value_class(v->at[0]) == &cg_class_split;
    return windows ? v->at[0] : v;
}

/* Whether some rows of `of` are among those of `data`, the split of a dataset: it is the same, or all of the dataset.
 */
static bool holds_rows(const CgValue *of, const CgValue *data)
{
    of = rows_of(of);
    data = rows_of(data);
    bool part = data->kind == CG_VALUE_CALL && !strcmp(data->function->name, "subset");
    bool all = of->kind == CG_VALUE_CALL && !strcmp(of->function->name, "subset") && !strcmp(of->at[1]->s, "all");
    return cg_digest_equal(cg_value_digest(of), cg_value_digest(data))
        || (part && cg_digest_equal(cg_value_digest(all ? of->at[0] : of), cg_value_digest(data->at[0])));
}

static void same_rows(const Advice *a)
{
    if (!a->s->validate)
        return;
    CgDiag *d = holds_rows(a->s->validate, a->s->data)
        ? warn(a, CG_E0707, field(a, "validate")->span, "validate", "the validation is on the rows that are trained on")
        : NULL;
    if (!d)
        return;
    cg_diag_note(d, field(a, "data")->span, "the data");
    cg_diag_help(d, "validate on rows that nothing is trained on: those of .valid");
}

/* ----------------------------------------------------------------------------------------------------------------- */

void cg_evaluate_advise(CgElab *e, const CgStage *s, const CgExpr *evaluate)
{
    const CgValue *weights = s->root->instance->weights;
    const CgStage *training = weights && weights->kind == CG_VALUE_STAGE ? weights->stage : NULL;
    if (!training || s->allow_leak || !cg_session_of(e)->opts.checking) /* a run says it of every row */
        return;
    bool chosen = training->validate && training->early_stop && holds_rows(s->data, training->validate);
    if (!chosen && !holds_rows(s->data, training->data))
        return;
    CgDiag *d = once(e, CG_E0707, evaluate->b->span) ? cg_diag_warn(e->diags, CG_E0707, evaluate->b->span,
                    "the model was %s on these rows", chosen ? "chosen by early stopping" : "trained")
                                                     : NULL;
    if (!d)
        return;
    cg_diag_note(d, chosen ? training->validate->span : training->data->span, "here");
    cg_diag_help(
        d, "evaluate on rows that nothing was trained or chosen by, or say why in the block: allow_leak = \"..\"");
}

static void look_at_graph(Advice *a)
{
    a->live = cg_graph_live(a->g, a->s->loss);
    a->moved = cg_calloc(a->g->nodes.len + 1, sizeof *a->moved);
    for (int i = 0; i < a->s->nlearned; i++)
        a->moved[a->s->model->params.at[a->s->trained[i].param].ref] = true;
    for (CgRef r = 0; r <= a->s->loss; r++) {
        const CgNode *n = cg_node(a->g, r);
        for (int k = 0; k < n->nin; k++)
            a->moved[r] |= a->moved[n->in[k]];
    }
    for (CgRef r = 0; r <= a->s->loss; r++) {
        const CgNode *n = cg_node(a->g, r);
        if (!a->live[r] || !a->moved[r])
            continue;
        if (is(n, "cross_entropy")) {
            probabilities(a, n);
            copies(a, n);
            uncounted(a, n);
        } else if (is(n, "sub")) {
            odds(a, n);
        }
    }
    endless(a);
    free(a->live);
    free(a->moved);
}

void cg_train_advise(CgElab *e, const CgStage *s, const CgExpr *train)
{
    Advice a = { .e = e, .s = s, .train = train, .g = s->model->graph };
    look_at_graph(&a);
    no_step(&a);
    warm_up(&a, cg_record_find(s->asked, cg_intern("optimizer")), 8);
    same_rows(&a);
}
