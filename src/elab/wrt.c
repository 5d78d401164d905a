/* wrt.c - tensors of a body that derivatives are taken with respect to.
 * Takes the statements of a body; finds the names in `wrt = ..` of calls, also in r.z and zs[0], and makes each tensor
 * that such a name is bound to a node that no simplification looks through while the graph is built: with z = -x the
 * node of -z would otherwise be x, and the derivative of -z by z 0. The pass `fold` removes these nodes again. */
#include <string.h>

#include "elab/define.h"
#include "elab/signature.h"

/* The place of `wrt` among the arguments of a function; -1: it has none. */
static int by_what(const char *name)
{
    const CgFunction *f = cg_function_find(name);
    const CgSignature *s = f ? cg_function_signature(f) : NULL;
    for (int i = 0; s && i < s->n; i++)
        if (!strcmp(s->stmt->params[i].name, "wrt"))
            return i;
    return -1;
}

/* Should two meet, some tensor has a node of its own that needs none. */
static uint64_t key_of(const CgBlock *top, CgAtom name) { return cg_map_ptr(top) * 31 + cg_map_ptr(name); }

static void note(CgElab *e, const CgBlock *top, CgAtom name)
{
    cg_map_put(&e->derived_by, key_of(top, name), 1);
    cg_map_put(&e->derived_by, cg_map_ptr(top), 1);
}

static void find_in(CgElab *e, const CgBlock *top, const CgExpr *x)
{
    if (!x)
        return;
    int wrt = x->kind == CG_EXPR_CALL && x->a->kind == CG_EXPR_NAME ? by_what(x->a->s) : -1;
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *a = &x->args.at[i];
        bool is = wrt >= 0 && (a->name ? !strcmp(a->name, "wrt") : i == wrt);
        const CgExpr *by = is ? a->value : NULL;
        while (by && (by->kind == CG_EXPR_FIELD || by->kind == CG_EXPR_INDEX))
            by = by->a;
        if (by && by->kind == CG_EXPR_NAME)
            note(e, top, by->s);
        find_in(e, top, a->value);
    }
    find_in(e, top, x->a);
    find_in(e, top, x->b);
    find_in(e, top, x->c);
    find_in(e, top, x->d);
}

/* `watches`: what is only looked at may have tensors of its own, too. */
static void find_names(CgElab *e, const CgBlock *top, const CgBlock *b, bool watches)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        if (!watches && (s->kind == CG_STMT_SHOW || s->kind == CG_STMT_EXPECT))
            continue;
        for (int k = 0; k < s->nexprs; k++)
            find_in(e, top, s->exprs[k]);
        find_in(e, top, s->a);
        find_in(e, top, s->b);
        find_names(e, top, &s->body, watches);
        find_names(e, top, &s->other, watches);
    }
}

/* The same value with a node of its own for each tensor in it. */
static CgValue *own_nodes(CgElab *e, CgValue *v)
{
    CgBuild *b = &e->model->build;
    bool holds = v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    /* nothing looks through a leaf */
    if (!holds && (v->kind != CG_VALUE_TENSOR || cg_node(b->graph, v->tensor->ref)->nin == 0))
        return v;
    CgValue *own = CG_NEW(e->arena, CgValue);
    *own = *v;
    if (holds) {
        own->at = CG_NEWN(e->arena, CgValue *, v->n + 1);
        for (int i = 0; i < v->n; i++)
            own->at[i] = own_nodes(e, v->at[i]);
        return own;
    }
    CgAttr number = cg_a_int("number", e->model->apart++);
    own->tensor = CG_NEW(e->arena, CgTensorValue);
    *own->tensor = *v->tensor;
    own->tensor->ref = cg_build(b, "identity", 1, &v->tensor->ref, cg_attrs(1, &number));
    return own;
}

CgValue *cg_wrt_bind(CgElab *e, const CgFrame *f, CgAtom name, CgValue *v)
{
    uint64_t known;
    while (f && !f->block)
        f = f->outer;
    bool is = f && e->model && cg_map_get(&e->derived_by, key_of(f->block, name), &known);
    return is ? own_nodes(e, v) : v;
}

void cg_wrt_begin(CgElab *e, CgFrame *f, const CgBlock *b)
{
    uint64_t any;
    if (f->block)
        return;
    f->block = b;
    if (!cg_map_get(&e->derived_by, cg_map_ptr(b), &any)) {
        cg_map_put(&e->derived_by, cg_map_ptr(b), 0);
        bool test = f->instance && f->instance->stmt->kind == CG_STMT_TEST;
        find_names(e, b, b, test || e->debug);
        (void)!cg_map_get(&e->derived_by, cg_map_ptr(b), &any);
    }
    for (size_t i = 0; any && i < f->names.len; i++)
        f->names.at[i].value = cg_wrt_bind(e, f, f->names.at[i].name, f->names.at[i].value);
}
