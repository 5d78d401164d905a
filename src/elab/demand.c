/* demand.c - what a body reads of the graphs it is given.
 * Takes a graph or def; gives the parts and results of a parameter that are read on every way through it, also by
 * graphs it is passed on to, and reports one that an argument lacks at the argument. Evaluates nothing. */
#include "elab/demand.h"

#include <string.h>

#include "elab/define.h"

typedef struct Requirement {
    CgAtom name; /* NULL: not a part, the results of applying it, that many */
    int results;
    CgSpan span; /* where it is read */
    CgAtom by;   /* the graph that reads it */
} Requirement;

typedef struct Demand {
    CG_VEC(Requirement) requirements;
} Demand;

typedef struct Search {
    CgElab *e;
    CgEnv *env;
    const CgStmt *in;
    CgAtom param;
    Demand *out;
    int depth;
} Search;

enum { DEEPEST = 20 };

static void body_of(CgElab *e, const CgStmt *s, CgEnv *env, CgAtom param, int depth, Demand *out);

/* The parameter that argument i of a call becomes; NULL where that hangs on values. */
static CgAtom becomes(const CgStmt *callee, const CgExpr *call, int i)
{
    CgAtom name = call->args.at[i].name, bare = call->args.at[i].value->s;
    for (int k = 0; k < callee->nparams; k++)
        if (callee->params[k].name == name || (!name && callee->params[k].name == bare))
            return callee->params[k].name;
    return !name && callee->kind == CG_STMT_DEF && i < callee->nparams ? callee->params[i].name : NULL;
}

static void search(const Search *s, const CgExpr *x)
{
    if (!x)
        return;
    bool own = x->a && x->a->kind == CG_EXPR_NAME && x->a->s == s->param;
    if (x->kind == CG_EXPR_FIELD && own) {
        cg_vec_push(
            &s->out->requirements, (Requirement){ x->s, 0, x->op_span.file ? x->op_span : x->span, s->in->names[0] });
        return;
    }
    if (x->kind == CG_EXPR_IF || x->kind == CG_EXPR_LIST_FOR || x->kind == CG_EXPR_RECORD_FOR) {
        search(s, x->kind == CG_EXPR_IF ? x->c : x->b); /* the rest may never be evaluated */
        return;
    }
    if (x->kind == CG_EXPR_CALL && x->a->kind == CG_EXPR_NAME) {
        CgEnv *env = s->env;
        const CgStmt *callee = cg_env_callee(s->e, &env, x->a->s);
        for (int i = 0; callee && i < x->args.n; i++) {
            const CgExpr *arg = x->args.at[i].value;
            CgAtom param = arg->kind == CG_EXPR_NAME && arg->s == s->param ? becomes(callee, x, i) : NULL;
            if (param)
                body_of(s->e, callee, env, param, s->depth + 1, s->out);
        }
    }
    search(s, x->a);
    search(s, x->b);
    search(s, x->c);
    search(s, x->d);
    for (int i = 0; i < x->args.n; i++)
        search(s, x->args.at[i].value);
}

static void statements(const Search *s, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *t = b->at[i];
        const CgExpr *call = t->kind == CG_STMT_BIND && t->nnames > 1 && t->nexprs == 1 ? t->exprs[0] : NULL;
        if (call && call->kind == CG_EXPR_CALL && call->a->kind == CG_EXPR_NAME && call->a->s == s->param)
            cg_vec_push(&s->out->requirements, (Requirement){ NULL, t->nnames, t->span, s->in->names[0] });
        for (int k = 0; k < t->nexprs; k++)
            search(s, t->exprs[k]);
        search(s, t->a);
        for (int k = 0; k < t->nnames; k++)
            if (t->names[k] == s->param)
                return; /* another value from here on */
        if (t->kind == CG_STMT_IF || t->kind == CG_STMT_RETURN)
            return; /* what follows may not be carried out */
    }
}

static void body_of(CgElab *e, const CgStmt *s, CgEnv *env, CgAtom param, int depth, Demand *out)
{
    const Search search_in = { e, env, s, param, out, depth };
    if (depth > DEEPEST)
        return;
    if (s->kind == CG_STMT_DEF)
        search(&search_in, s->a);
    else
        statements(&search_in, &s->body);
}

static const Demand *demand_of(CgElab *e, const CgStmt *s, CgEnv *env, const CgParam *p)
{
    uint64_t known;
    if (cg_map_get(&e->demands, cg_map_ptr(p), &known))
        return (const Demand *)(uintptr_t)known;
    Demand all = { 0 }, *kept = CG_NEW(e->arena, Demand);
    body_of(e, s, env, p->name, 0, &all);
    kept->requirements.len = all.requirements.len;
    kept->requirements.at = CG_NEWN(e->arena, Requirement, all.requirements.len + 1);
    if (all.requirements.len)
        memcpy(kept->requirements.at, all.requirements.at, sizeof(Requirement) * all.requirements.len);
    cg_vec_free(&all.requirements);
    cg_map_put(&e->demands, cg_map_ptr(p), cg_map_ptr(kept));
    return kept;
}

/* ---- signatures ------------------------------------------------------------------------------------------------- */

/* Whether a tensor may be of both types, by its elements and the number of its axes. */
static bool may_be(const CgTypeExpr *a, const CgTypeExpr *b)
{
    if (a->kind != CG_TYPE_TENSOR || b->kind != CG_TYPE_TENSOR || !a->name || !b->name)
        return true;
    int rows[2] = { 0 }, fixed[2];
    for (int k = 0; k < 2; k++) {
        const CgTypeExpr *t = k ? b : a;
        for (int i = 0; i < t->ndims; i++)
            rows[k] += t->dims[i]->kind == CG_EXPR_ROW;
        fixed[k] = (t->ndims < 0 ? 0 : t->ndims) - rows[k];
    }
    bool same = rows[0] || rows[1] ? (rows[1] || fixed[1] >= fixed[0]) && (rows[0] || fixed[0] >= fixed[1])
                                   : fixed[0] == fixed[1];
    return same && !strcmp(a->name, b->name);
}

/* A graph for a parameter such as act: graph(f32[..s]) -> f32[..s]: what it takes and gives, as far as types say. */
static bool check_signature(CgElab *e, const CgStmt *callee, const CgParam *p, const CgStmt *given, CgSpan at)
{
    const CgTypeExpr *want = p->type && p->type->kind == CG_TYPE_GRAPH && p->type->nparams >= 0 ? p->type : NULL;
    int n = 0, needed = 0, wrong = -1;
    for (int i = 0; want && i < given->nparams; i++) {
        const CgParam *own = &given->params[i];
        if (!cg_param_is_tensor(own))
            continue;
        if (n < want->nparams && wrong < 0 && !may_be(want->params[n], own->type))
            wrong = n;
        needed += !own->init;
        n++;
    }
    if (!want)
        return true;
    bool count = n >= want->nparams && needed <= want->nparams;
    bool result =
        !want->result || !given->nresults || (given->nresults == 1 && may_be(want->result, given->results[0]));
    if (count && wrong < 0 && result)
        return true;
    CgDiag *d;
    if (!count)
        d = cg_elab_error(e, CG_E0319, at, "'%s' of '%s' is applied to %d tensor%s, and '%s' takes %d", p->name,
            callee->names[0], want->nparams, want->nparams == 1 ? "" : "s", given->names[0],
            n < want->nparams ? n : needed);
    else if (wrong >= 0)
        d = cg_elab_error(e, CG_E0319, at, "'%s' of '%s' is applied to another type of tensor than '%s' takes", p->name,
            callee->names[0], given->names[0]);
    else
        d = cg_elab_error(e, CG_E0319, at, "'%s' of '%s' is to give another result than '%s' gives", p->name,
            callee->names[0], given->names[0]);
    cg_diag_note(d, want->span, "what is asked for");
    cg_diag_note(d, given->name_span, "what is given");
    return false;
}

/* Reports the part, or the number of results, that `given` has not; only what is applied to its statics has parts. */
static bool check_requirement(CgElab *e, const CgStmt *given, bool bare, const Requirement *requirement, CgSpan at)
{
    int n = given->nresults;
    if (requirement->name ? !bare && cg_define_has(given, requirement->name) : n == 0 || n == requirement->results)
        return true;
    if (!requirement->name) {
        CgDiag *d = cg_elab_error(e, CG_E0330, at, "'%s' gives %d result%s, and '%s' reads %d", given->names[0], n,
            n == 1 ? "" : "s", requirement->by, requirement->results);
        cg_diag_note(d, requirement->span, "read here");
        return false;
    }
    CgDiag *d = cg_elab_error(e, CG_E0302, at, "'%s' has no part '%s', which '%s' reads", given->names[0],
        requirement->name, requirement->by);
    cg_diag_note(d, requirement->span, "read here");
    CgSuggest s;
    cg_suggest_init(&s, requirement->name);
    cg_define_offer(given, &s);
    if (bare && cg_define_has(given, requirement->name))
        cg_diag_help(d, "an instance of it has one: %s(..)", given->names[0]);
    else if (cg_suggest_best(&s))
        cg_diag_help(d, "it has a part '%s'", cg_suggest_best(&s));
    return false;
}

bool cg_demand_check(CgElab *e, const CgStmt *callee, CgEnv *env, const CgParam *p, const CgValue *v, CgSpan at)
{
    bool bare = v->kind == CG_VALUE_GRAPH;
    if (!bare && v->kind != CG_VALUE_INSTANCE)
        return true;
    const CgStmt *given = bare ? v->stmt : v->instance->stmt;
    if (!check_signature(e, callee, p, given, at))
        return false;
    const Demand *d = demand_of(e, callee, env, p);
    for (size_t i = 0; i < d->requirements.len; i++)
        if (!check_requirement(e, given, bare, &d->requirements.at[i], at))
            return false;
    return true;
}
