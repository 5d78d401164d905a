/* advice.c - trainings and evaluations that run and are surely not what was meant.
 * Takes one that was checked; gives warnings, each read off its graph or its numbers, never off names its author
 * chose. Must not refuse anything, and must say nothing of what may be meant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/causal.h"
#include "graph/pass.h"
#include "graph/use.h"
#include "stage/advice.h"

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

bool cg_advise_once(CgElab *e, CgCode code, CgSpan at)
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
    return cg_advise_once(a->e, code, at) ? cg_diag_warn(a->e->diags, code, at, "%s", message) : NULL;
}

bool cg_advice_is(const CgNode *n, const char *op) { return !strcmp(n->op->name, op); }

CgRef cg_elements_of(const CgGraph *g, CgRef r)
{
    for (;;) {
        const CgNode *n = cg_node(g, r);
        if (!n->nin || cg_node_is_result(n)
            || !(n->op->view || n->op->traits & (CG_REARRANGES | CG_RESHAPES | CG_REPEATS) || cg_advice_is(n, "cast")))
            return r;
        r = n->in[0];
    }
}

/* ---- what cross_entropy is given -------------------------------------------------------------------------------- */

/* x - logsumexp(x), as log_softmax writes it. */
static bool is_log_softmax(const CgGraph *g, const CgNode *n)
{
    if (!cg_advice_is(n, "sub"))
        return false;
    const CgNode *by = cg_node(g, cg_elements_of(g, n->in[1]));
    return cg_advice_is(by, "logsumexp") && by->in[0] == n->in[0];
}

static void at_loss(const Advice *a, CgDiag *d, CgSpan loss)
{
    if (loss.file && !cg_of_library(a->e, loss))
        cg_diag_note(d, loss, "the loss");
}

static void probabilities(const Advice *a, const CgNode *loss)
{
    const CgNode *n = cg_node(a->g, cg_elements_of(a->g, loss->in[0]));
    bool twice = is_log_softmax(a->g, n);
    if (!cg_advice_is(n, "softmax") && !twice)
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
    if (!cg_advice_is(plus, "softplus") || !cg_advice_is(times, "mul"))
        return;
    CgRef p = plus->in[0];
    const CgNode *by = cg_node(a->g, cg_elements_of(a->g, p));
    if (!cg_advice_is(by, "sigmoid") || (times->in[0] != p && times->in[1] != p))
        return;
    CgDiag *d = warn(a, CG_E0701, by->span, "loss", "binary cross entropy takes logits, and this is their sigmoid");
    if (!d)
        return;
    at_loss(a, d, n->span);
    cg_diag_help(d, "leave the sigmoid out here: the loss has it in it");
}

/* What a graph computes logits and their targets from, as `logits` and `ids`; attention by hand is recognised. */
static CgGraph *recognised(const CgStage *s, const CgNode *loss)
{
    CgAtom name = cg_intern("ids");
    const CgTerms ids = { 1, &name, &loss->in[1] };
    CgGraph *plain = cg_shares_plain(s->model, loss->in[0], &ids), *g = cg_pass_run_all(plain, "recognise,fold,dce");
    cg_graph_free(plain);
    return g;
}

static CgRef input_called(const CgGraph *g, const char *name)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), name))
            return g->inputs.at[i];
    return CG_NONE;
}

/* Whether logits know, at each place, the token of `text` that is their target; `text` is called so in the graph. */
static bool know_target(const CgGraph *g, const char *text, CgRef logits, CgRef ids)
{
    CgRef at = input_called(g, text);
    const CgDim *target = at == CG_NONE ? NULL : cg_causal_shift(g, at, ids, 1),
                *known = target ? cg_causal_shift(g, at, logits, 1) : NULL;
    return known && cg_dim_at_most(known, target);
}

/* The same, of parts that are written out and of which only the whole is known to be causal: attention. */
static bool know_target_recognised(const Advice *a, const char *text, const CgNode *loss)
{
    CgGraph *g = recognised(a->s, loss);
    bool out = g->outputs.len == 2 && know_target(g, text, g->outputs.at[0].ref, g->outputs.at[1].ref);
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
            reads |= cg_elements_of(a->g, n->in[k]) == text;
        if (reads && cg_elements_of(a->g, r) != text && !cg_advice_is(n, "take") && !cg_advice_is(n, "cross_entropy")
            && !cg_advice_is(n, "one_hot"))
            return false;
    }
    return true;
}

static bool reads_field(const Advice *a, CgAtom name)
{
    CgRef r = input_called(a->g, name);
    return r != CG_NONE && a->live[r];
}

CgAtom cg_next_field(const CgStage *s, CgAtom tokens)
{
    CgAtom own = cg_intern_printf("%s_next", tokens), next = cg_intern("next");
    const CgDataFields *fields = cg_data_fields(s->data);
    for (int k = 0; k < fields->n; k++)
        if (fields->field[k].name == own || fields->field[k].name == next)
            return fields->field[k].name;
    return NULL;
}

/* A text that is written again from what was made of it: place t says token t, of those before it, and not the next. */
static void too_far(const Advice *a, const CgNode *loss)
{
    const CgNode *target = cg_node(a->g, cg_elements_of(a->g, loss->in[1]));
    CgAtom tokens = NULL;
    if (cg_graph_tensors(a->s->root->instance->stmt) < 2 || !(target->op->traits & CG_INPUT))
        return;
    for (size_t i = 0; i < a->g->inputs.len; i++)
        if (cg_next_field(a->s, cg_node_name(a->g, a->g->inputs.at[i]))
            == cg_node_name(a->g, cg_elements_of(a->g, loss->in[1])))
            tokens = tokens ? tokens : cg_node_name(a->g, a->g->inputs.at[i]);
    CgGraph *g = tokens ? recognised(a->s, loss) : NULL;
    CgRef text = g ? input_called(g, tokens) : CG_NONE;
    const CgDim *shift = text != CG_NONE ? cg_causal_beside(g, text, g->outputs.at[0].ref, 1) : NULL;
    CgDiag *d = shift && cg_dim_at_most(cg_dim_int(1), shift) ? warn(a, CG_E0702, loss->span, "loss",
                    "the model writes the text again: what it says at each place is the token there, and the target is "
                    "the one after it")
                                                              : NULL;
    if (d)
        cg_diag_help(d, "the target of a text that is written again is the text: batch.%s", tokens);
    cg_graph_free(g);
}

/* The target at a place is a token that the logits there depend on: all that is learnt is to copy it. */
static void copies(const Advice *a, const CgNode *loss)
{
    const CgGraph *g = a->g;
    for (size_t i = 0; i < g->inputs.len; i++) {
        CgRef text = g->inputs.at[i];
        const CgType *t = cg_node_type(g, text);
        if (cg_dtype_is_float(t->dtype) || t->rank != 2 || cg_elements_of(g, loss->in[1]) != text)
            continue;
        CgAtom name = cg_node_name(g, text);
        if (!looked_up(a, text)
            || (!know_target(g, name, loss->in[0], loss->in[1]) && !know_target_recognised(a, name, loss)))
            continue;
        CgDiag *d = warn(a, CG_E0702, loss->span, "loss",
            "the target at each place is a token that the model is given there: all it can learn is to copy");
        CgAtom next = cg_next_field(a->s, name);
        if (d && next)
            cg_diag_help(d, "the tokens one place on are batch.%s", next);
        else if (d)
            cg_diag_help(d, "the target is the text one place on: logits[.., ..-1, 0..] against ids[.., 1..]");
        return;
    }
}

/* The rows are filled up, or only a part of their places counts, and the loss looks at all. */
static void uncounted(const Advice *a, const CgNode *loss)
{
    const CgGraph *g = a->g;
    const CgNode *target = cg_node(g, cg_elements_of(g, loss->in[1]));
    const CgAttr *ignore = cg_attr_find(loss->attrs, "ignore");
    const CgDataFields *fields = cg_data_fields(a->s->data);
    if (!(target->op->traits & CG_INPUT) || ignore)
        return;
    CgAtom name = cg_node_name(g, cg_elements_of(g, loss->in[1])), mask = NULL;
    for (int i = 0; i < fields->n; i++)
        if (fields->field[i].name == name && fields->field[i].mask)
            mask = fields->field[i + fields->field[i].mask].name;
    if (!mask || reads_field(a, mask))
        return;
    for (int i = 0; i < fields->n && field(a, "weight") && a->s->terms.n <= 1; i++)
        if (fields->field[i].mask && reads_field(a, fields->field[i + fields->field[i].mask].name)) {
            CgDiag *d = warn(a, CG_E0704, field(a, "weight")->span, "weight",
                cg_intern_printf(
                    "this says which places of '%s' count, and the target is '%s'", fields->field[i].name, name));
            if (d)
                cg_diag_help(d, "which of its places count says batch.%s", mask);
            return;
        }
    CgDiag *d = !field(a, "weight") ? warn(a, CG_E0704, loss->span, "loss",
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
    bool sub = cg_advice_is(n, "sub");
    for (int k = 0; k < 2; k++) /* one of them does not move, or moves freely */
        if (!a->moved[n->in[1 - k]] || is_trained(a, cg_elements_of(a->g, n->in[k]))) {
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
    if (cg_advice_is(n, "mul"))
        return is_count(a, n->in[0]) && is_count(a, n->in[1]);
    return (n->op->traits & CG_ADDS_UP || cg_node_is_view(n)) && n->nin && is_count(a, n->in[0]);
}

static Reach reach_of(const Advice *a, CgRef r, int depth)
{
    double by;
    CgRef whole = cg_elements_of(a->g, r);
    const CgNode *n = cg_node(a->g, whole);
    if (!depth || !a->moved[whole])
        return UNKNOWN;
    if (n->op->traits & CG_PARAM)
        return BOTH;
    if (cg_advice_is(n, "cross_entropy") || cg_advice_is(n, "softplus") || cg_advice_is(n, "abs")
        || (cg_advice_is(n, "mul") && n->in[0] == n->in[1])
        || (cg_advice_is(n, "pow") && cg_ref_const(&a->s->model->build, n->in[1], &by) && by > 0 && fmod(by, 2) == 0))
        return UP;
    if (cg_advice_is(n, "matmul")) /* linear in what is trained */
        return is_trained(a, cg_elements_of(a->g, n->in[1])) ? BOTH : UNKNOWN;
    if (cg_advice_is(n, "neg"))
        return turned(reach_of(a, n->in[0], depth - 1));
    if (n->op->traits & CG_ADDS_UP || cg_advice_is(n, "take"))
        return reach_of(a, n->in[0], depth - 1);
    if (cg_advice_is(n, "add") || cg_advice_is(n, "sub"))
        return of_sum(a, n, depth - 1);
    if (cg_advice_is(n, "div") && is_count(a, n->in[1]))
        return reach_of(a, n->in[0], depth - 1);
    for (int k = 0; cg_advice_is(n, "mul") && k < 2; k++)
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

/* An early stop that waits for more validations than there are behind the first. */
static void no_stop(const Advice *a)
{
    const CgStage *s = a->s;
    int64_t validations = (s->steps + s->validate_every - 1) / s->validate_every;
    if (!s->early_stop || !s->steps || s->early_stop < validations - 1)
        return;
    CgDiag *d = warn(a, CG_E0706, field(a, "early_stop")->span, "early_stop",
        cg_intern_printf(
            "the training is over before it can stop early: that takes %lld validations behind the best, and "
            "there are %lld in all",
            (long long)s->early_stop, (long long)validations));
    if (d)
        cg_diag_help(d, "validate_every = %lld, or a smaller early_stop; the best parameters are kept in any case",
            (long long)(s->steps / (4 * s->early_stop) > 0 ? s->steps / (4 * s->early_stop) : 1));
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

static bool is_named(const CgElab *e, CgSpan value)
{
    const char *text = cg_sources_get(e->sources, value.file)->text;
    uint32_t at = value.start;
    while (at > 0 && strchr(" \n\t", text[at - 1]))
        at--;
    return at > 0 && text[at - 1] == '=';
}

/* conv2d(in, out, kernel): channels that come in, given to a graph of the library that has them of its input. */
static void channels_first(const Advice *a, const CgParamInfo *p)
{
    enum { OUT, KERNEL, STRIDE, ARGS };
    static const char *const names[ARGS] = { "out", "kernel", "stride" };
    const CgInstance *m = p->owner;
    const CgValue *given[ARGS] = { NULL };
    int64_t in, n[ARGS] = { 0 };
    const CgType *t = cg_node_type(a->g, p->ref);
    bool placed = cg_of_library(a->e, m->stmt->span) && t->rank >= 3 && cg_dim_is_int(t->dim[1], &in);
    for (int i = 0; placed && i < m->stmt->nparams; i++)
        for (int k = 0; k < ARGS; k++)
            if (m->statics[i] && !strcmp(m->stmt->params[i].name, names[k]))
                given[k] = m->statics[i];
    for (int k = 0; placed && k < ARGS; k++) {
        placed = given[k] && given[k]->kind == CG_VALUE_INT && given[k]->span.file && !is_named(a->e, given[k]->span)
            && !cg_of_library(a->e, given[k]->span);
        n[k] = placed ? given[k]->i : 0;
    }
    if (!placed || n[OUT] != in || n[STRIDE] < 3 || n[STRIDE] % 2 == 0 || n[KERNEL] <= n[STRIDE])
        return;
    CgDiag *d = warn(a, CG_E0710, given[OUT]->span, "loss",
        cg_intern_printf("'%s' takes out, kernel and stride in this order: kernels of %lld places, %lld apart",
            m->stmt->names[0], (long long)n[KERNEL], (long long)n[STRIDE]));
    if (d)
        cg_diag_help(d, "the channels that come in are those of x: %s(out = %lld, kernel = %lld)", m->stmt->names[0],
            (long long)n[KERNEL], (long long)n[STRIDE]);
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

/* The cross_entropy that a node is made of; NONE: there is none. */
static CgRef loss_below(const CgGraph *g, CgRef r, int depth)
{
    const CgNode *n = cg_node(g, r);
    CgRef found = cg_advice_is(n, "cross_entropy") ? r : CG_NONE;
    for (int k = 0; depth && k < n->nin && found == CG_NONE; k++)
        found = loss_below(g, n->in[k], depth - 1);
    return found;
}

/* A node that draws places of the text together where it must not, without a mask that says which. */
static bool looks_ahead(const CgGraph *g, CgRef text)
{
    CgRef at = text == CG_NONE ? CG_NONE : cg_causal_fault(g, text, g->outputs.at[0].ref, 1);
    bool masked = false;
    for (CgRef r = 0; at != CG_NONE && r < g->nodes.len; r++)
        masked |= cg_node_type(g, r)->dtype == CG_BOOL;
    return at != CG_NONE && !masked && cg_node(g, at)->op->traits & CG_PRODUCTS;
}

/* The entropy of a text under a model that sees the token it is asked for. */
static void foreseen(CgElab *e, const CgStage *s, const CgExpr *evaluate, int column)
{
    enum { DEEPEST = 8 };
    static const char entropy[] = "entropy|level:row|of:nll";
    const CgModelGraph *m = s->model;
    const CgValue *v = s->columns[column].value;
    uint64_t text;
    if (v->kind != CG_VALUE_TENSOR || !cg_map_get(&m->signatures, v->tensor->ref, &text)
        || strncmp((const char *)(uintptr_t)text, entropy, sizeof entropy - 1) != 0)
        return;
    CgRef loss = loss_below(m->graph, v->tensor->ref, DEEPEST);
    CgGraph *g = loss == CG_NONE ? NULL : recognised(s, cg_node(m->graph, loss));
    bool ahead = false;
    for (size_t i = 0; g && i < g->inputs.len && !ahead; i++)
        ahead = cg_node_type(g, g->inputs.at[i])->dtype == CG_I32 && looks_ahead(g, g->inputs.at[i]);
    cg_graph_free(g);
    for (int i = 0; ahead && i < evaluate->args.n; i++) {
        const CgArg *a = &evaluate->args.at[i];
        CgDiag *d = a->name == s->columns[column].name && cg_advise_once(e, CG_E0702, a->value->span)
            ? cg_diag_warn(e->diags, CG_E0702, a->value->span,
                "the model sees the whole text, the token that is asked for at each place among it")
            : NULL;
        if (d)
            cg_diag_help(d, "a language model sees what stands before: softmax(masked(scores, causal), axis = S)");
    }
}

void cg_evaluate_advise(CgElab *e, const CgStage *s, const CgExpr *evaluate)
{
    for (int i = 0; i < s->ncolumns; i++)
        foreseen(e, s, evaluate, i);
    const CgValue *weights = s->root->instance->weights;
    const CgStage *training = weights && weights->kind == CG_VALUE_STAGE ? weights->stage : NULL;
    if (!training || s->allow_leak || !cg_session_of(e)->opts.checking) /* a run says it of every row */
        return;
    bool chosen = training->validate && training->early_stop && holds_rows(s->data, training->validate);
    if (!chosen && !holds_rows(s->data, training->data))
        return;
    CgDiag *d = cg_advise_once(e, CG_E0707, evaluate->b->span) ? cg_diag_warn(e->diags, CG_E0707, evaluate->b->span,
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
        if (cg_advice_is(n, "cross_entropy")) {
            probabilities(a, n);
            copies(a, n);
            too_far(a, n);
            uncounted(a, n);
        } else if (cg_advice_is(n, "sub")) {
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
    no_stop(&a);
    warm_up(&a, cg_record_find(s->asked, cg_intern("optimizer")), 8);
    same_rows(&a);
    for (size_t i = 0; i < s->model->params.len; i++)
        channels_first(&a, &s->model->params.at[i]);
}
