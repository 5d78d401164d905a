/* body.c - carrying out the body of a graph.
 * Takes the statements of a graph in a frame of their own; gives its results, and its parts by name to who asks the
 * model for them. Values are never changed: binding a name again makes another value. */
#include <stdlib.h>
#include <string.h>

#include "elab/define.h"

/* ---- statements ---- */

void cg_body_begin(CgElab *e, CgFrame *f, CgInstance *inst, CgSpan called_from)
{
    cg_frame_begin(e, f, NULL, inst->env);
    f->is_body = true;
    f->instance = inst;
    f->called_from = called_from;
    f->called = inst->stmt->names[0];
    f->running = inst->stmt;
}

static bool has_submodules(const CgValue *v)
{
    bool any = v->kind == CG_VALUE_INSTANCE;
    for (int i = 0; !any && i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++)
        any = has_submodules(v->at[i]);
    return any;
}

/* What `owner.name` means once the owner was applied. */
static void note_submodule(CgElab *e, CgFrame *f, CgAtom name, CgValue *v)
{
    const CgFrame *body = cg_frame_body(f);
    const CgInstance *owner = body ? body->instance : NULL;
    if (!owner || !owner->path || !e->model || !has_submodules(v))
        return;
    CgAtom path = cg_path_join(owner->path, name);
    cg_map_put(&e->model->submodules, cg_map_ptr(path), cg_map_ptr(v));
}

static void bind(CgElab *e, CgFrame *f, CgAtom name, CgSpan span, CgValue *v)
{
    cg_look(e, span, v);
    v = cg_submodules_copy(e, v, false);
    cg_instance_attach(e, f, v, name, span);
    note_submodule(e, f, name, v);
    cg_frame_bind(f, name, cg_wrt_bind(e, f, name, cg_replaced_value(e, f, name, v)));
}

static void help_count(CgDiag *d, const CgStmt *s)
{
    const CgExpr *x = s->nexprs == 1 ? s->exprs[0] : NULL;
    bool loop = false; /* scan(step, x, axis = T, from = h0) */
    for (int i = 0; x && x->kind == CG_EXPR_CALL && i < x->args.n; i++)
        loop |= x->args.at[i].name == cg_intern("from");
    if (loop)
        cg_diag_help(d,
            "scan gives the last states, then what its step returns besides the new ones: return new, new keeps each");
}

static void exec_bind(CgElab *e, CgFrame *f, const CgStmt *s)
{
    CgValue **values = CG_NEWN(e->arena, CgValue *, s->nexprs + 1);
    int n = s->nexprs;
    for (int i = 0; i < n; i++)
        values[i] = cg_eval(e, f, s->exprs[i]);
    if (n == 1 && s->nnames > 1)
        values[0] = cg_value_laid_out(e, values[0]);
    if (n == 1 && s->nnames > 1 && values[0]->kind == CG_VALUE_LIST && !values[0]->open) {
        n = values[0]->n;
        values = values[0]->at;
    }
    for (int i = 0; i < s->nnames; i++) {
        CgSpan span = s->name_spans ? s->name_spans[i] : s->span;
        if (n != s->nnames) {
            if (i == 0 && !(n == 1 && (cg_is_poison(values[0]) || values[0]->open)))
                help_count(
                    cg_elab_error(e, CG_E0330, s->span, "%d names for %d value%s", s->nnames, n, n == 1 ? "" : "s"), s);
            cg_frame_bind(f, s->names[i], cg_value_poison(e));
        } else {
            bind(e, f, s->names[i], span, values[i]);
        }
    }
}

/* What a loop would have bound, so that nobody misses it. */
static void poison_bound(CgElab *e, CgFrame *f, const CgStmt *s)
{
    for (int i = 0; i < s->nnames; i++)
        cg_frame_bind(f, s->names[i], cg_value_poison(e));
    for (int i = 0; i < s->body.n; i++)
        poison_bound(e, f, s->body.at[i]);
    for (int i = 0; i < s->other.n; i++)
        poison_bound(e, f, s->other.at[i]);
}

static void exec_for(CgElab *e, CgFrame *f, const CgStmt *s)
{
    CgValue *v = cg_eval(e, f, s->a);
    if (e->defining && (v->open || cg_is_poison(v))) {
        cg_define_for(e, f, s, v->open ? v->at[0] : NULL);
        return;
    }
    CgItems it;
    CgActivity work;
    if (!cg_items(e, s->a, v, &it)) {
        if (!cg_is_poison(v))
            poison_bound(e, f, s);
        return;
    }
    cg_activity_begin(e, &work, "loop", NULL, s->a->span);
    for (int i = 0; i < it.n && !f->returned && cg_diags_count(e->diags) < 40 && cg_budget_step(e, s->span); i++) {
        cg_items_bind(e, f, s->names[0], s->nnames > 1 ? s->names[1] : NULL, &it, i, s->span);
        cg_body_exec(e, f, &s->body);
    }
    cg_activity_end(e, &work);
}

void cg_body_clause(CgElab *e, CgFrame *body, const CgStmt *s)
{
    if (body->vjp && body->vjp != s) {
        CgDiag *d = cg_elab_error(e, CG_E0306, s->span, "a graph has one vjp clause");
        cg_diag_note(d, body->vjp->span, "the first one");
        return;
    }
    body->vjp = s;
}

/* Statements that say nothing of what a graph computes: in a test always, else where they are asked for, and checked
 * where the graph is defined. */
static void look_at(CgElab *e, CgFrame *f, const CgStmt *s)
{
    const CgFrame *body = cg_frame_body(f);
    if (body && body->instance && body->instance->stmt->kind == CG_STMT_TEST)
        e->expect(e, f, s);
    else if (e->model && e->watch && (e->debug || e->defining))
        e->watch(e, f, s);
}

static void exec(CgElab *e, CgFrame *f, const CgStmt *s)
{
    switch (s->kind) {
    case CG_STMT_BIND: exec_bind(e, f, s); return;
    case CG_STMT_PARAM:
        for (int i = 0; i < s->nnames; i++)
            cg_frame_bind(f, s->names[i],
                cg_param_tensor(e, f, s->names[i], s->name_spans ? s->name_spans[i] : s->span, s->type, s->a));
        return;
    case CG_STMT_FOR: exec_for(e, f, s); return;
    case CG_STMT_IF: {
        CgValue *v = cg_eval(e, f, s->a);
        if (v->kind == CG_VALUE_BOOL)
            cg_body_exec(e, f, v->i ? &s->body : &s->other);
        else if (e->defining && cg_is_poison(v))
            cg_define_if(e, f, s);
        else if (!cg_is_poison(v))
            cg_no_condition(e, v, s->a->span);
        return;
    }
    case CG_STMT_RETURN:
        f->results = CG_NEWN(e->arena, CgValue *, s->nexprs + 1);
        f->returns = s->exprs;
        f->nresults = s->nexprs;
        f->returned = true;
        for (int i = 0; i < s->nexprs; i++)
            f->results[i] = cg_eval(e, f, s->exprs[i]);
        if (e->ways) {
            CgValue *v = cg_results(e, f, f->called_from);
            f->early = f->early ? cg_define_either(e, f->early, v) : v;
        }
        return;
    case CG_STMT_SHOW:
    case CG_STMT_EXPECT: look_at(e, f, s); return;
    case CG_STMT_VJP: cg_body_clause(e, cg_frame_body(f), s); return;
    default: return;
    }
}

void cg_body_exec(CgElab *e, CgFrame *f, const CgBlock *b)
{
    cg_wrt_begin(e, f, b);
    for (int i = 0; i < b->n && !f->returned; i++)
        exec(e, f, b->at[i]);
}

/* ---- parts by name ---- */

/* `names`: those that hang on a tensor, which have no value before the model is applied. */
static bool mentions(const CgExpr *x, const CgMap *names)
{
    uint64_t known;
    if (!x)
        return false;
    if (x->kind == CG_EXPR_NAME && cg_map_get(names, cg_map_ptr(x->s), &known) && known)
        return true;
    for (int i = 0; i < x->args.n; i++)
        if (mentions(x->args.at[i].value, names))
            return true;
    return mentions(x->a, names) || mentions(x->b, names) || mentions(x->c, names) || mentions(x->d, names);
}

static void add_names(const CgExpr *x, CgMap *names)
{
    if (x && x->kind == CG_EXPR_NAME)
        cg_map_put(names, cg_map_ptr(x->s), true);
    if (x && x->kind == CG_EXPR_BINARY) {
        add_names(x->a, names);
        add_names(x->b, names);
    }
}

/* All that a statement binds, in the blocks of a loop or a choice too. */
static void add_bound(const CgStmt *s, CgMap *names)
{
    for (int i = 0; i < s->nnames; i++)
        cg_map_put(names, cg_map_ptr(s->names[i]), true);
    for (int i = 0; i < s->body.n; i++)
        add_bound(s->body.at[i], names);
    for (int i = 0; i < s->other.n; i++)
        add_bound(s->other.at[i], names);
}

CgValue *cg_instance_submodule(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *suggest)
{
    CgInstance *inst = of->instance;
    const CgStmt *s = inst->stmt;
    for (int i = 0; i < s->nparams; i++) {
        cg_suggest_offer(suggest, s->params[i].name);
        if (s->params[i].name != name || !inst->statics[i])
            continue;
        CgValue *v = inst->statics[i];
        if (v->kind != CG_VALUE_INSTANCE || (!inst->weights && !inst->path && !inst->nannotations))
            return v;
        v = cg_instance_copy(e, v, span);
        if (inst->path && !v->instance->path) { /* the very part */
            cg_instance_below(v->instance, inst, name, span);
            return v;
        }
        cg_annotations_inherit(e, inst, name, v->instance);
        if (inst->weights) { /* what it has become by training */
            v->instance->weights = inst->weights;
            v->instance->submodule_path = cg_path_join(inst->submodule_path ? inst->submodule_path : "", name);
            v->instance->tokens = inst->tokens;
        }
        return v;
    }
    if (!e->model)
        return NULL;
    if (!inst->path)
        inst = cg_instance_root(e, of, true)->instance;
    /* bindings of the body that need no tensor: the parts it is made of */
    CgMap tensors = { 0 };
    for (int i = 0; i < s->nparams; i++)
        if (cg_param_is_tensor(&s->params[i])) {
            cg_map_put(&tensors, cg_map_ptr(s->params[i].name), true);
            for (int k = 0; k < s->params[i].type->ndims; k++)
                add_names(s->params[i].type->dims[k], &tensors);
        }
    CgFrame b;
    cg_body_begin(e, &b, inst, span);
    for (int i = 0; i < s->nparams; i++)
        if (!cg_param_is_tensor(&s->params[i]) && inst->statics[i]) {
            CgValue *v = inst->statics[i];
            if (v->kind == CG_VALUE_INSTANCE && !v->instance->path)
                v = cg_instance_copy(e, v, v->span);
            cg_instance_attach(e, &b, v, s->params[i].name, span);
            cg_frame_bind(&b, s->params[i].name, v);
            cg_map_put(
                &tensors, cg_map_ptr(s->params[i].name), false); /* a size that is a static argument too is known */
        }
    CgValue *found = NULL;
    for (int i = 0; i < s->body.n && !found; i++) {
        const CgStmt *t = s->body.at[i];
        bool clean = t->kind == CG_STMT_BIND;
        for (int k = 0; clean && k < t->nexprs; k++)
            clean = !mentions(t->exprs[k], &tensors);
        if (clean)
            exec_bind(e, &b, t);
        if (!clean)
            add_bound(t, &tensors);
        for (int k = 0; clean && k < t->nnames; k++)
            cg_suggest_offer(suggest, t->names[k]);
        for (int j = 0; clean && j < t->nnames; j++)
            if (t->names[j] == name)
                found = cg_frame_name(&b, name);
    }
    cg_frame_end(e, &b);
    cg_map_deinit(&tensors);
    return found;
}
