/* optimizer_check.c - the optimisers of a training.
 * Takes an instance of a graph such as adamw(rate = 1e-3), or a record of them by patterns of paths; gives the graphs
 * that update all trained tensors of one optimiser and one rank in one sweep, one after the other, or each tensor on
 * its own where an optimiser names the axes of p. Runs nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "stage/check.h"

enum { PAD = 16 }; /* elements: each tensor begins on a cache line */

static bool too_many(CgElab *e, const CgGraph *g, const CgParamInfo *p, CgSpan span)
{
    CgStrbuf type = { 0 };
    CgErr why = { 0 };
    cg_type_print(cg_node_type(g, p->ref), &type);
    cg_err(&why, CG_ERR_MEMORY, "with '%s', %s, the trained parameters have more elements than memory has addresses",
        p->path, cg_strbuf_str(&type));
    cg_elab_err(e, span, &why);
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

/* The optimiser of one rank while it is built. */
typedef struct Update {
    CgElab *e;
    CgFrame *f;
    const CgStage *stage;
    CgSpan at; /* of the field `optimizer` */
    CgGroup *group;
    const CgStmt *stmt; /* the graph that is the optimiser */
    CgValue *instance;
    CgType flat, scalar;
    CgRef p, grad, scale, step; /* step: NONE until something asks for it */
    bool scales;                /* clipping is left to the optimiser */
    CgValue **args, *rate;
    CgAtom *names, *states;
    CgSpan *spans;
    int nargs;
} Update;

static CgRef step_input(Update *u)
{
    if (u->step == CG_NONE)
        u->step = cg_graph_input(&u->group->model->build, "step", u->scalar);
    return u->step;
}

/* How often it is renewed in the whole training. */
static int64_t updates(const Update *u) { return cg_stage_updates(u->stage, u->group->turns, u->stage->steps); }

/* A tensor argument that is none of what training gives is a state; its default is what it starts from. */
static CgRef state_input(Update *u, const CgParam *p)
{
    CgGroup *g = u->group;
    CgValue *v = p->init ? cg_eval(u->e, u->f, p->init) : NULL;
    double start = 0;
    if (!v || !cg_value_number(v, &start)) {
        cg_elab_error(u->e, CG_E0304, u->at, "state '%s' of optimiser '%s' needs a number to start from", p->name,
            u->stmt->names[0]);
        return CG_NONE;
    }
    u->states[g->nstates] = cg_intern_printf("state.%s", p->name);
    CgRef r = cg_graph_input(&g->model->build, u->states[g->nstates], u->flat);
    g->initial[g->nstates++] = start;
    return r;
}

static CgRef tensor_argument(Update *u, const CgParam *p)
{
    CgBuild *b = &u->group->model->build;
    if (!strcmp(p->name, "p"))
        return u->p;
    if (!strcmp(p->name, "g"))
        return u->scales ? u->grad : cg_mul(b, u->grad, cg_broadcast_scalar(b, u->scale, u->flat));
    if (!strcmp(p->name, "scale"))
        return u->scale;
    if (!strcmp(p->name, "step"))
        return step_input(u);
    if (!strcmp(p->name, "steps"))
        return cg_graph_const(b, CG_F32, (double)updates(u));
    return state_input(u, p);
}

static bool arguments(Update *u)
{
    bool good = true;
    for (int i = 0; i < u->stmt->nparams; i++) {
        const CgParam *p = &u->stmt->params[i];
        CgValue **statics = u->instance->instance->statics;
        if (!cg_param_is_tensor(p)) {
            if (!strcmp(p->name, "rank"))
                statics[i] = cg_value_int(u->e, u->group->rank, u->at);
            if (!strcmp(p->name, "rate"))
                u->rate = statics[i];
            continue;
        }
        CgRef r = tensor_argument(u, p);
        if (r == CG_NONE) {
            good = false;
            continue;
        }
        u->args[u->nargs] = cg_value_tensor(u->e, r, u->at);
        u->names[u->nargs] = p->name;
        u->spans[u->nargs++] = u->at;
    }
    return good;
}

/* The new parameter, then each state in order, named as what they renew. */
static bool results(Update *u, CgValue *out)
{
    CgGroup *g = u->group;
    if (cg_is_poison(out))
        return false;
    int n = out->kind == CG_VALUE_LIST ? out->n : 1;
    if (n != 1 + g->nstates) {
        cg_elab_error(u->e, CG_E0607, u->at,
            "optimiser '%s' has %d states and returns %d values: the new parameter, then each state in order",
            u->stmt->names[0], g->nstates, n);
        return false;
    }
    for (int i = 0; i < n; i++) {
        CgValue *v = out->kind == CG_VALUE_LIST ? out->at[i] : out;
        if (v->kind != CG_VALUE_TENSOR || !cg_type_equal(cg_value_type(u->e, v), &u->flat)) {
            cg_elab_error(u->e, CG_E0401, u->at, "result %d of optimiser '%s' has not the shape of its parameter", i,
                u->stmt->names[0]);
            return false;
        }
        cg_graph_output(g->model->graph, i ? u->states[i - 1] : "p", v->tensor->ref);
    }
    return true;
}

/* The argument `rate`, a number or a schedule, as an output: progress shows it. */
static bool rate_output(Update *u)
{
    CgValue *v = u->rate;
    if (!v)
        return true;
    if (v->kind == CG_VALUE_INSTANCE) {
        CgValue *given[2] = { cg_value_tensor(u->e, step_input(u), u->at),
            cg_value_float(u->e, (double)updates(u), u->at) };
        CgAtom names[2] = { cg_intern("step"), cg_intern("steps") };
        CgSpan spans[2] = { u->at, u->at };
        v = cg_apply(u->e, u->f, cg_instance_copy(u->e, v, u->at), given, names, spans, 2, u->at);
    }
    v = cg_is_poison(v) ? NULL : cg_as_tensor(u->e, v, CG_F32);
    double rate;
    if (v && v->kind == CG_VALUE_TENSOR && cg_ref_const(&u->group->model->build, v->tensor->ref, &rate) && rate < 0) {
        CgDiag *d = cg_elab_error(u->e, CG_E0607, u->rate->span.file ? u->rate->span : u->at,
            "a rate of %g: each step would make the loss larger", rate);
        cg_diag_help(d, "a rate is 0 or more; the optimiser itself goes down");
        return false;
    }
    if (v && v->kind == CG_VALUE_TENSOR && cg_value_type(u->e, v)->rank == 0) {
        u->group->rate = (int)u->group->model->graph->outputs.len;
        cg_graph_output(u->group->model->graph, "rate", v->tensor->ref);
    }
    return v != NULL;
}

static bool fill_group(Update *u)
{
    CgGroup *g = u->group;
    CgBuild *b = &g->model->build;
    u->p = cg_graph_input(b, "p", u->flat);
    u->grad = cg_graph_input(b, "g", u->flat);
    u->scale = cg_graph_input(b, "scale", u->scalar);
    u->step = CG_NONE;
    for (int i = 0; i < u->stmt->nparams; i++)
        u->scales |= cg_param_is_tensor(&u->stmt->params[i]) && !strcmp(u->stmt->params[i].name, "scale");
    if (!arguments(u) || !results(u, cg_apply(u->e, u->f, u->instance, u->args, u->names, u->spans, u->nargs, u->at)))
        return false;
    if (u->stage->average > 0)
        add_average(g->model, g, u->stage->average, step_input(u), u->flat);
    return rate_output(u);
}

static bool build_group(CgElab *e, CgFrame *f, CgValue *optimizer, const CgStage *stage, const CgExpr *where,
    CgGroup *g, const CgType *type)
{
    const CgStmt *s = optimizer->instance->stmt;
    CgModelGraph *m = g->model = cg_model_begin(e, "optimizer", false);
    m->updates = true;
    Update u = { .e = e,
        .f = f,
        .stage = stage,
        .at = where->span,
        .group = g,
        .stmt = s,
        .instance = cg_instance_root(e, optimizer, false),
        .flat = *type,
        .scalar = cg_type(CG_F32, 0, NULL),
        .args = CG_NEWN(e->arena, CgValue *, s->nparams + 1),
        .names = CG_NEWN(e->arena, CgAtom, s->nparams + 1),
        .states = CG_NEWN(e->arena, CgAtom, s->nparams + 1),
        .spans = CG_NEWN(e->arena, CgSpan, s->nparams + 1) };
    CgInstance *own = u.instance->instance;
    own->statics = CG_NEWN(e->arena, CgValue *, s->nparams + 1);
    memcpy(own->statics, optimizer->instance->statics, sizeof(CgValue *) * (size_t)s->nparams);
    g->initial = CG_NEWN(e->arena, double, s->nparams + 2);
    g->rate = -1;
    bool good = fill_group(&u);
    cg_model_end(e);
    if (good && m->params.len) {
        cg_elab_error(e, CG_E0607, where->span,
            "optimiser '%s' declares parameters; its states are tensor arguments with a default", s->names[0]);
        good = false;
    }
    if (good)
        g->graph = cg_session_optimised(e, m->graph);
    return good;
}

static bool no_f64(CgElab *e, const CgParamInfo *p, CgSpan at)
{
    CgDiag *d = cg_elab_error(e, CG_E0607, p->span, "'%s' is f64, and what is trained is f32", p->path);
    cg_diag_note(d, at, "by this optimiser");
    cg_diag_help(d, "declare it as f32, or freeze it");
    return false;
}

/* adam(..), an op, for adamw(..): said before the op misses its tensors. */
static bool is_op_call(CgElab *e, const CgFrame *f, const CgExpr *x)
{
    CgEnv *env = f->env;
    if (x->kind != CG_EXPR_CALL || x->a->kind != CG_EXPR_NAME || cg_env_callee(e, &env, x->a->s) || env
        || cg_function_find(x->a->s) || !cg_op_find(x->a->s))
        return false;
    CgDiag *d = cg_elab_error(e, CG_E0607, x->a->span, "'%s' is an op, and an optimiser is a graph", x->a->s);
    cg_diag_help(d, "the library has adamw(rate = 1e-3) and sgd(rate = 1e-2)");
    return true;
}

/* An optimiser and the parameters it is for: those whose paths fit and that no earlier one took. */
typedef struct Choice {
    CgAtom pattern; /* NULL: all */
    CgValue *optimizer;
    CgSpan at;
    bool used;
} Choice;

static bool takes_parameters(const CgValue *instance)
{
    const CgStmt *s = instance->instance->stmt;
    bool any = false;
    for (int i = 0; i < s->nparams; i++)
        any |= !strcmp(s->params[i].name, "p");
    return any;
}

static bool is_optimizer(CgElab *e, CgFrame *f, CgValue **opt, CgSpan at)
{
    if ((*opt)->kind == CG_VALUE_GRAPH) /* sgd for sgd() */
        *opt = cg_call(e, f, *opt, NULL, NULL, NULL, 0, NULL);
    if (cg_is_poison(*opt))
        return false;
    if ((*opt)->kind != CG_VALUE_INSTANCE) {
        CgDiag *d = cg_elab_error(
            e, CG_E0607, at, "an optimiser is a graph such as adamw(rate = 1e-3), not %s", cg_value_kind_name(*opt));
        if ((*opt)->kind == CG_VALUE_LIST)
            cg_diag_help(d, "several are a record by patterns of paths: { \"embed.*\": sgd(), \"*\": adamw() }");
        return false;
    }
    if (!takes_parameters(*opt)) {
        const CgStmt *s = (*opt)->instance->stmt;
        CgDiag *d = cg_elab_error(e, CG_E0607, at, "'%s' is no optimiser: it takes no parameter 'p'", s->names[0]);
        if (cg_graph_tensors(s))
            cg_diag_help(d, "a schedule is the rate of an optimiser: adamw(rate = %s(..))", s->names[0]);
        return false;
    }
    const CgInstance *own = (*opt)->instance;
    for (int i = 0; i < own->stmt->nparams; i++) {
        const CgValue *v = own->statics[i];
        if (!v || v->kind != CG_VALUE_INSTANCE || !takes_parameters(v))
            continue;
        cg_elab_error(e, CG_E0607, v->span.file ? v->span : at,
            "'%s' of '%s' is a number or a schedule, and '%s' is an optimiser", own->stmt->params[i].name,
            own->stmt->names[0], v->instance->stmt->names[0]);
        return false;
    }
    const CgValue *tensor = cg_value_tensor_in(*opt);
    if (!tensor)
        return true;
    CgDiag *d =
        cg_elab_error(e, CG_E0607, tensor->span, "an argument of an optimiser is a number or a schedule, not a tensor");
    cg_diag_note(d, at, "of this optimiser");
    return false;
}

/* The optimisers in the order written; 0 after a mistake. */
static int choices_of(CgElab *e, CgFrame *f, const CgExpr *where, Choice **out)
{
    CgValue *opt = is_op_call(e, f, where) ? cg_value_poison(e) : cg_eval(e, f, where);
    bool many = opt->kind == CG_VALUE_RECORD;
    int n = many ? opt->n : 1;
    *out = CG_NEWN(e->arena, Choice, n + 1);
    if (many && !n)
        cg_elab_error(e, CG_E0607, where->span, "a record without optimisers");
    for (int i = 0; i < n; i++) {
        CgValue *each = many ? opt->at[i] : opt;
        CgSpan at = many && each->span.file ? each->span : where->span;
        (*out)[i] = (Choice){ many ? opt->keys[i] : NULL, each, at, !many };
        if (!is_optimizer(e, f, &(*out)[i].optimizer, at))
            return 0;
    }
    return n;
}

/* The type of p, where the optimiser names two axes of it or more: it then takes tensors one by one, as they are. */
static const CgTypeExpr *axes_of_p(const CgStmt *s)
{
    for (int i = 0; i < s->nparams; i++) {
        const CgTypeExpr *t = s->params[i].type;
        if (strcmp(s->params[i].name, "p") || !t || t->kind != CG_TYPE_TENSOR)
            continue;
        for (int k = 0; k < t->ndims; k++)
            if (t->dims[k]->kind == CG_EXPR_ROW)
                return NULL;
        return t->ndims < 2 ? NULL : t;
    }
    return NULL;
}

/* Puts parameter i at the end of the block; false where it has no place in memory, which is reported. */
static bool lay(CgElab *e, CgStage *s, size_t i, const CgExpr *where)
{
    const CgParamInfo *p = &s->model->params.at[i];
    const CgType *t = cg_node_type(s->model->graph, p->ref);
    int64_t count = 1, n = 1;
    bool fits = true;
    for (int k = 0; k < t->rank; k++) {
        cg_dim_is_int(t->dim[k], &n);
        fits = fits && !__builtin_mul_overflow(count, n, &count) && cg_dim_int(count);
    }
    if (!fits || !cg_dim_int(s->total + count + PAD))
        return too_many(e, s->model->graph, p, where->span);
    s->trained[s->ntrained++] = (CgTrained){ (int)i, s->ngroups, s->total, count };
    s->total += (count + PAD - 1) / PAD * PAD;
    return true;
}

/* All that lies in the block from `start` on, as one group. */
static bool close_group(CgElab *e, CgFrame *f, CgStage *s, const Choice *c, const CgExpr *where, int rank,
    int64_t start, uint64_t turns, const CgType *own)
{
    if (s->total == start)
        return true;
    CgGroup *g = &s->groups[s->ngroups++];
    g->rank = rank;
    g->turns = turns;
    g->count = s->total - start;
    const CgDim *n[1] = { cg_dim_int(g->count) };
    CgType flat = own ? cg_type(CG_F32, own->rank, own->dim) : cg_type(CG_F32, 1, n);
    return build_group(e, f, c->optimizer, s, where, g, &flat);
}

/* The paths that are trained, as many as can be read; `which` (or NULL): those that no optimiser has. */
static void list_trained(const CgStage *s, CgDiag *d, const int *which)
{
    enum { MOST = 12 };
    CgStrbuf all = { 0 };
    int n = 0;
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        if (p->frozen || p->auxiliary || p->renewed != CG_NONE || (which && which[i] >= 0))
            continue;
        if (n++ < MOST)
            cg_strbuf_printf(&all, "%s%s", n > 1 ? ", " : "", p->path);
    }
    cg_diag_note(
        d, (CgSpan){ 0 }, "%s %s%s", which ? "none has" : "trained are", cg_strbuf_str(&all), n > MOST ? " .." : "");
    cg_strbuf_deinit(&all);
}

/* Which optimiser each trained parameter has; false after a mistake. */
static bool assign(CgElab *e, CgStage *s, Choice *choices, int n, const CgExpr *where, int *which)
{
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        const CgType *t = cg_node_type(s->model->graph, p->ref);
        which[i] = -1;
        if (p->frozen || p->auxiliary || p->renewed != CG_NONE || !cg_dtype_is_float(t->dtype))
            continue;
        if (t->dtype == CG_F64)
            return no_f64(e, p, where->span);
        for (int k = 0; k < n && which[i] < 0; k++)
            if (!choices[k].pattern || cg_path_matches(choices[k].pattern, p->path))
                which[i] = k;
        if (which[i] < 0) {
            CgDiag *d = cg_elab_error(e, CG_E0607, where->span, "no pattern of these optimisers fits '%s'", p->path);
            cg_diag_note(d, p->span, "declared here");
            for (size_t j = i + 1; j < s->model->params.len; j++) {
                which[j] = -1;
                for (int k = 0; k < n && which[j] < 0; k++)
                    which[j] = cg_path_matches(choices[k].pattern, s->model->params.at[j].path) ? k : -1;
            }
            list_trained(s, d, which);
            cg_diag_help(d, "\"*\" as the last one takes what is left");
            return false;
        }
        const Choice *c = &choices[which[i]];
        const CgTypeExpr *axes = axes_of_p(c->optimizer->instance->stmt);
        if (axes && axes->ndims != t->rank) {
            CgDiag *d = cg_elab_error(e, CG_E0607, c->at, "optimiser '%s' takes tensors of %d axes, '%s' has %d",
                c->optimizer->instance->stmt->names[0], axes->ndims, p->path, t->rank);
            cg_diag_note(d, p->span, "declared here");
            cg_diag_help(d, "give it another one before: { \"%s\": adamw(), \"*\": .. }", p->path);
            return false;
        }
        choices[which[i]].used = true;
    }
    for (int k = 0; k < n; k++)
        if (!choices[k].used) {
            CgDiag *d = cg_elab_error(e, CG_E0607, choices[k].at,
                "the pattern '%s' fits no trained parameter that those before it leave", choices[k].pattern);
            list_trained(s, d, NULL);
            return false;
        }
    return true;
}

/* The tensors of one optimiser that are trained in the same turns, by rank, each rank as a group. */
static bool lay_choice(
    CgElab *e, CgFrame *f, CgStage *s, const Choice *c, const CgExpr *where, const int *which, int k, uint64_t turns)
{
    const CgModelGraph *m = s->model;
    bool each = axes_of_p(c->optimizer->instance->stmt) != NULL;
    for (int rank = CG_MAX_RANK; rank >= 0; rank--) {
        int64_t start = s->total;
        for (size_t i = 0; i < m->params.len; i++) {
            const CgType *t = cg_node_type(m->graph, m->params.at[i].ref);
            if (which[i] != k || t->rank != rank || cg_turns_of(s, m->params.at[i].path) != turns)
                continue;
            if (!lay(e, s, i, where) || (each && !close_group(e, f, s, c, where, rank, start, turns, t)))
                return false;
            start = each ? s->total : start;
        }
        if (!close_group(e, f, s, c, where, rank, start, turns, NULL))
            return false;
    }
    return true;
}

/* Parameters to which the step itself says what is added: they lie behind the others as one more group, which has that
 * in the place of a gradient. */
static bool lay_renewed(CgElab *e, CgStage *s, const CgExpr *where)
{
    CgGroup *g = &s->groups[s->ngroups];
    int64_t start = s->total;
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        if (p->renewed != CG_NONE && !p->frozen && !p->auxiliary && !lay(e, s, i, where))
            return false;
    }
    if (s->total == start)
        return true;
    s->ngroups++;
    *g = (CgGroup){
        .count = s->total - start, .rate = -1, .turns = UINT64_MAX, .initial = CG_NEWN(e->arena, double, 1)
    };
    const CgDim *n[1] = { cg_dim_int(g->count) };
    CgType flat = cg_type(CG_F32, 1, n);
    CgModelGraph *m = g->model = cg_model_begin(e, "running", false);
    CgRef p = cg_graph_input(&m->build, "p", flat), move = cg_graph_input(&m->build, "g", flat);
    cg_graph_output(m->graph, "p", cg_add(&m->build, p, move));
    if (s->average > 0)
        add_average(m, g, s->average, cg_graph_input(&m->build, "step", cg_type(CG_F32, 0, NULL)), flat);
    cg_model_end(e);
    g->graph = cg_session_optimised(e, m->graph);
    return true;
}

/* Lays the trained tensors one after the other, by optimiser, turns and rank, and builds the update of each group. */
bool cg_check_optimizer(CgElab *e, CgFrame *f, CgStage *s, const CgExpr *where)
{
    CgModelGraph *m = s->model;
    Choice *choices;
    int n = choices_of(e, f, where, &choices), *which = CG_NEWN(e->arena, int, m->params.len + 1);
    if (!n || !assign(e, s, choices, n, where, which))
        return false;
    s->trained = CG_NEWN(e->arena, CgTrained, m->params.len + 1);
    s->groups = CG_NEWN(e->arena, CgGroup, m->params.len + 1);
    s->total = 0;
    s->several = choices[0].pattern != NULL || s->order;
    for (int k = 0; k < n; k++) {
        uint64_t *laid = CG_NEWN(e->arena, uint64_t, m->params.len + 1);
        int nlaid = 0;
        for (size_t i = 0; i < m->params.len; i++) {
            uint64_t turns = which[i] == k ? cg_turns_of(s, m->params.at[i].path) : 0;
            bool done = !turns;
            for (int l = 0; l < nlaid; l++)
                done |= laid[l] == turns;
            if (done)
                continue;
            laid[nlaid++] = turns;
            if (!lay_choice(e, f, s, &choices[k], where, which, k, turns))
                return false;
        }
    }
    s->nlearned = s->ntrained;
    s->learned = s->total;
    return lay_renewed(e, s, where);
}
