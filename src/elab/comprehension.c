/* comprehension.c - going over lists, records and ranges.
 * Takes what follows `in`; gives its elements one after another, and the list or record that a comprehension makes of
 * them. A range is never laid out. */
#include "elab/define.h"

bool cg_items(CgElab *e, const CgExpr *x, const CgValue *v, CgItems *out)
{
    if (cg_is_poison(v))
        return false;
    *out = (CgItems){ .of = v, .n = v->n };
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_RANGE)
        return true;
    cg_elab_error(
        e, CG_E0305, cg_elab_literal(e, v, x->span), "for goes over lists and records, not %s", cg_value_kind_name(v));
    return false;
}

void cg_items_bind(CgElab *e, CgFrame *f, CgAtom first, CgAtom second, const CgItems *it, int i, CgSpan span)
{
    const CgValue *of = it->of;
    bool record = of->kind == CG_VALUE_RECORD;
    CgValue *element = of->kind == CG_VALUE_RANGE ? cg_value_int(e, of->i + i, span) : of->at[i];
    CgValue *key = record ? cg_value_str(e, of->keys[i], span) : second ? cg_value_int(e, i, span) : NULL;
    cg_frame_bind(f, first, key ? key : element);
    if (second)
        cg_frame_bind(f, second, element);
}

void cg_no_condition(CgElab *e, const CgValue *v, CgSpan span)
{
    CgDiag *d = cg_elab_error(
        e, CG_E0314, cg_elab_literal(e, v, span), "a condition is true or false, not %s", cg_value_kind_name(v));
    if (v->kind == CG_VALUE_TENSOR)
        cg_diag_help(d, "choose between the elements of two tensors with where(condition, a, b)");
}

bool cg_eval_condition(CgElab *e, CgFrame *f, const CgExpr *x, bool *out)
{
    CgValue *v = cg_eval(e, f, x);
    if (cg_is_poison(v))
        return false;
    if (v->kind != CG_VALUE_BOOL) {
        cg_no_condition(e, v, x->span);
        return false;
    }
    *out = v->i != 0;
    return true;
}

CgAtom cg_key_of(const CgValue *k)
{
    if (k->kind == CG_VALUE_STR)
        return k->s;
    if (k->kind != CG_VALUE_INT && k->kind != CG_VALUE_FLOAT)
        return NULL;
    CgStrbuf text = { 0 };
    cg_value_print(k, &text);
    CgAtom key = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return key;
}

CgAtom cg_field_key(CgElab *e, CgValue *k, CgSpan span)
{
    CgAtom key = cg_key_of(k);
    if (!key && !cg_is_poison(k))
        cg_elab_error(e, CG_E0305, cg_elab_literal(e, k, span), "the key of a record is a string or a number, not %s",
            cg_value_kind_name(k));
    return key;
}

/* A second `for` of the same comprehension. */
static bool goes_on(const CgExpr *x) { return x->a->kind == x->kind && x->a->i; }

/* What the turns of a comprehension give. */
typedef struct Turns {
    CG_VEC(CgValue *) values;
    CG_VEC(CgAtom) keys;
    CgMap seen; /* of keys */
    bool bad;
} Turns;

static void add_turn(CgElab *e, CgFrame *f, const CgExpr *x, Turns *out)
{
    CgValue *v = cg_eval(e, f, x->a);
    if (x->kind == CG_EXPR_RECORD_FOR) {
        CgAtom key = cg_field_key(e, cg_eval(e, f, x->c), x->c->span);
        uint64_t before;
        if (key && cg_map_get(&out->seen, cg_map_ptr(key), &before)) {
            cg_elab_error(e, CG_E0306, x->c->span, "the record has two fields '%s'", key);
            key = NULL;
        }
        if (!key) {
            out->bad = true;
            return;
        }
        cg_map_put(&out->seen, cg_map_ptr(key), 1);
        cg_vec_push(&out->keys, key);
    }
    cg_vec_push(&out->values, v);
}

/* One turn over what is not known, while a graph is checked where it is defined. */
static CgValue *open_list(CgElab *e, CgFrame *f, const CgExpr *x, const CgValue *of)
{
    CgFrame inner;
    CgValue *out = cg_value_list(e, 1, x->span);
    out->open = true;
    cg_frame_begin(e, &inner, f, f->env);
    if (x->s2)
        cg_frame_bind(&inner, x->s, cg_value_unknown(e, CG_UNKNOWN_VALUE, x->span));
    cg_frame_bind(&inner, x->s2 ? x->s2 : x->s, of->open ? of->at[0] : cg_value_unknown(e, CG_UNKNOWN_VALUE, x->span));
    const CgExpr *filter = x->kind == CG_EXPR_RECORD_FOR ? x->d : x->c;
    if (filter)
        cg_eval(e, &inner, filter);
    e->ways++;
    CgValue *v = cg_eval(e, &inner, x->a);
    out->at[0] = goes_on(x) && v->kind == CG_VALUE_LIST && v->n ? v->at[0] : v;
    e->ways--;
    cg_frame_end(e, &inner);
    return out;
}

/* The turns of one `for`; an open list where how many there are is not known, else NULL. */
static CgValue *turns(CgElab *e, CgFrame *f, const CgExpr *x, Turns *out)
{
    CgItems it;
    CgValue *of = cg_eval(e, f, x->b), *open = NULL;
    if (e->defining && (cg_is_poison(of) || of->open))
        return open_list(e, f, x, of);
    if (!cg_items(e, x->b, of, &it)) {
        out->bad = true;
        return NULL;
    }
    const CgExpr *filter = x->kind == CG_EXPR_RECORD_FOR ? x->d : x->c;
    CgActivity activity;
    cg_activity_begin(e, &activity, "comprehension", NULL, x->span);
    int i = 0;
    for (; i < it.n && cg_diags_count(e->diags) <= 40 && cg_budget_step(e, x->span); i++) {
        CgFrame inner;
        cg_frame_begin(e, &inner, f, f->env);
        cg_items_bind(e, &inner, x->s, x->s2, &it, i, x->span);
        bool keep = true;
        if (filter && !cg_eval_condition(e, &inner, filter, &keep))
            out->bad = true, keep = false;
        if (keep && goes_on(x))
            open = turns(e, &inner, x->a, out);
        else if (keep)
            add_turn(e, &inner, x, out);
        cg_frame_end(e, &inner);
    }
    cg_activity_end(e, &activity);
    out->bad |= i < it.n; /* enough mistakes, or too much work: what there is so far is no value */
    return open;
}

CgValue *cg_comprehension(CgElab *e, CgFrame *f, const CgExpr *x)
{
    bool record = x->kind == CG_EXPR_RECORD_FOR;
    Turns t = { 0 };
    CgValue *open = turns(e, f, x, &t);
    int n = (int)t.values.len;
    CgValue *out = record ? cg_value_record(e, n, x->span) : cg_value_list(e, n, x->span);
    for (int i = 0; i < n; i++) {
        out->at[i] = t.values.at[i];
        if (record)
            out->keys[i] = t.keys.at[i];
    }
    cg_vec_free(&t.values);
    cg_vec_free(&t.keys);
    cg_map_deinit(&t.seen);
    return open ? open : t.bad || e->budget.spent ? cg_value_poison(e) : out;
}
