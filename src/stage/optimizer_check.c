/* optimizer_check.c - the optimiser of a training.
 * Takes an instance of a graph such as adamw(rate = 1e-3); gives the graphs that update all trained tensors of one rank
 * in one sweep, one after the other. Runs nothing. */
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
        return cg_graph_const(b, CG_F32, (double)u->stage->steps);
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
            cg_value_float(u->e, (double)u->stage->steps, u->at) };
        CgAtom names[2] = { cg_intern("step"), cg_intern("steps") };
        CgSpan spans[2] = { u->at, u->at };
        v = cg_apply(u->e, u->f, cg_instance_copy(u->e, v, u->at), given, names, spans, 2, u->at);
    }
    v = cg_is_poison(v) ? NULL : cg_as_tensor(u->e, v, CG_F32);
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

static bool build_group(
    CgElab *e, CgFrame *f, CgValue *optimizer, const CgStage *stage, const CgExpr *where, CgGroup *g)
{
    const CgStmt *s = optimizer->instance->stmt;
    const CgDim *n[1] = { cg_dim_int(g->count) };
    CgModelGraph *m = g->model = cg_model_begin(e, "optimizer", false);
    Update u = { .e = e,
        .f = f,
        .stage = stage,
        .at = where->span,
        .group = g,
        .stmt = s,
        .instance = cg_instance_root(e, optimizer, false),
        .flat = cg_type(CG_F32, 1, n),
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

/* A tensor among the static arguments of an instance: it belongs to another graph than the optimiser's. */
static const CgValue *tensor_in(const CgValue *v)
{
    const CgValue *found = NULL;
    if (v->kind == CG_VALUE_TENSOR)
        return v;
    for (int i = 0; v->kind == CG_VALUE_INSTANCE && i < v->instance->stmt->nparams && !found; i++)
        found = v->instance->statics && v->instance->statics[i] ? tensor_in(v->instance->statics[i]) : NULL;
    for (int i = 0; (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD) && i < v->n && !found; i++)
        found = tensor_in(v->at[i]);
    return found;
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

/* Lays the trained tensors one after the other, by rank, and builds an optimiser for each rank. */
bool cg_check_optimizer(CgElab *e, CgFrame *f, CgStage *s, const CgExpr *where)
{
    CgValue *opt = is_op_call(e, f, where) ? cg_value_poison(e) : cg_eval(e, f, where);
    if (opt->kind == CG_VALUE_GRAPH) /* sgd for sgd() */
        opt = cg_call(e, f, opt, NULL, NULL, NULL, 0, NULL);
    if (cg_is_poison(opt))
        return false;
    if (opt->kind != CG_VALUE_INSTANCE) {
        cg_elab_error(e, CG_E0607, where->span, "an optimiser is a graph such as adamw(rate = 1e-3), not %s",
            cg_value_kind_name(opt));
        return false;
    }
    const CgValue *tensor = tensor_in(opt);
    if (tensor) {
        CgDiag *d = cg_elab_error(
            e, CG_E0607, tensor->span, "an argument of an optimiser is a number or a schedule, not a tensor");
        cg_diag_note(d, where->span, "of this optimiser");
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
            if (!p->frozen && !p->auxiliary && t->dtype == CG_F64)
                return no_f64(e, p, where->span);
            if (p->frozen || p->auxiliary || t->rank != rank || !cg_dtype_is_float(t->dtype))
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
