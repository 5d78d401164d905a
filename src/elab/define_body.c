/* define_body.c - statements on values that are not known, while a graph is checked where it is defined.
 * Takes a choice whose condition is not known, or a loop whose length is not; carries out every way from the same
 * state, and leaves what is known after all of them. */
#include <string.h>

#include "elab/define.h"

/* What a body has bound so far. */
typedef struct State {
    CG_VEC(CgBound) names;
    size_t dims, rows;
    CgMap used, unnamed;
    bool returned;
} State;

static State save(const CgFrame *f)
{
    State s = { .dims = f->dims.len, .rows = f->rows.len, .returned = f->returned };
    for (size_t i = 0; i < f->names.len; i++)
        cg_vec_push(&s.names, f->names.at[i]);
    s.used = cg_map_copy(&f->used);
    s.unnamed = cg_map_copy(&f->unnamed);
    return s;
}

static void free_state(State *s)
{
    cg_vec_free(&s->names);
    cg_map_deinit(&s->used);
    cg_map_deinit(&s->unnamed);
}

static void restore(CgFrame *f, const State *s)
{
    cg_frame_clear(f);
    f->names.len = 0;
    for (size_t i = 0; i < s->names.len; i++)
        cg_vec_push(&f->names, s->names.at[i]);
    f->dims.len = s->dims;
    f->rows.len = s->rows;
    cg_map_deinit(&f->used);
    cg_map_deinit(&f->unnamed);
    f->used = cg_map_copy(&s->used);
    f->unnamed = cg_map_copy(&s->unnamed);
    f->returned = s->returned;
}

CgValue *cg_define_either(CgElab *e, CgValue *a, CgValue *b)
{
    if (a == b)
        return a;
    if (a->kind == CG_VALUE_TENSOR && b->kind == CG_VALUE_TENSOR
        && cg_type_equal(cg_value_type(e, a), cg_value_type(e, b)))
        return a;
    if (a->kind == b->kind && a->kind == CG_VALUE_UNKNOWN && a->known == b->known)
        return cg_value_unknown(e, (CgUnknown)a->known, a->span);
    if (a->kind == b->kind && a->kind == CG_VALUE_DIM && a->dim == b->dim)
        return a;
    return cg_value_unknown(e, CG_UNKNOWN_VALUE, a->span);
}

static CgValue *in_state(const State *s, CgAtom name)
{
    for (size_t i = 0; i < s->names.len; i++)
        if (s->names.at[i].name == name)
            return s->names.at[i].value;
    return NULL;
}

/* Names that are not the same on both ways are unknown, also those that only one of them binds. */
static void merge(CgElab *e, CgFrame *f, const State *other)
{
    for (size_t i = 0; i < f->names.len; i++) {
        CgValue *v = in_state(other, f->names.at[i].name);
        CgValue *u = v ? v : cg_value_unknown(e, CG_UNKNOWN_VALUE, f->names.at[i].value->span);
        f->names.at[i].value = cg_define_either(e, f->names.at[i].value, u);
    }
    size_t n = f->names.len;
    for (size_t i = 0; i < other->names.len; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = f->names.at[k].name == other->names.at[i].name;
        if (!known)
            cg_frame_bind(f, other->names.at[i].name, cg_value_unknown(e, CG_UNKNOWN_VALUE, (CgSpan){ 0 }));
    }
}

/* Sizes that one way has bound may be others on the other way. */
static void forget_sizes(CgElab *e, CgFrame *f, const State *before)
{
    for (size_t i = before->dims; i < f->dims.len; i++)
        f->dims.at[i].dim = cg_define_any_size(e);
}

CgValue *cg_define_choose(CgElab *e, CgFrame *f, const CgExpr *a, const CgExpr *b)
{
    CgFrame *body = f;
    while (body && !body->is_body)
        body = body->outer ? body->outer : body->is_def ? body->caller : NULL;
    State before = { 0 };
    if (body) { /* parts without a name in one do not meet those in the other */
        before.used = cg_map_copy(&body->used);
        before.unnamed = cg_map_copy(&body->unnamed);
    }
    e->ways++;
    CgValue *x = cg_eval(e, f, a);
    if (body) {
        cg_map_deinit(&body->used);
        cg_map_deinit(&body->unnamed);
        body->used = before.used;
        body->unnamed = before.unnamed;
    }
    CgValue *y = cg_eval(e, f, b);
    e->ways--;
    return cg_define_either(e, x, y);
}

void cg_define_if(CgElab *e, CgFrame *f, const CgStmt *s)
{
    State before = save(f);
    e->ways++;
    cg_body_exec(e, f, &s->body);
    State yes = save(f);
    restore(f, &before);
    cg_body_exec(e, f, &s->other);
    e->ways--;
    bool returned = f->returned;
    if (returned && !yes.returned) /* a branch that returns ends only itself */
        restore(f, &yes);
    else if (!returned && !yes.returned)
        merge(e, f, &yes);
    f->returned = returned && yes.returned;
    if (!f->returned)
        forget_sizes(e, f, &before);
    free_state(&before);
    free_state(&yes);
}

void cg_define_for(CgElab *e, CgFrame *f, const CgStmt *s, CgValue *item)
{
    State before = save(f);
    e->ways++;
    for (int i = 0; i < s->nnames; i++) {
        bool last = i == s->nnames - 1;
        CgValue *v = last && item ? item : cg_value_unknown(e, CG_UNKNOWN_VALUE, s->span);
        cg_frame_bind(f, s->names[i], v);
    }
    cg_body_exec(e, f, &s->body);
    e->ways--;
    if (f->returned) { /* there may be no turn */
        restore(f, &before);
    } else {
        State none = before; /* what the body binds for itself alone is not looked at after */
        merge(e, f, &none);
        forget_sizes(e, f, &before);
    }
    free_state(&before);
}
