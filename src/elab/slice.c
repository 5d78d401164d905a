/* slice.c - what stands in brackets behind a value.
 * Takes a list, a record or a tensor and the places that were written; gives an element, a stretch or a slice. A
 * negative number counts from the end. Nothing outside of the value is moved inside. */
#include <string.h>

#include "elab/define.h"
#include "elab/signature.h"
#include "graph/registry.h"

static CgValue *refuse(CgElab *e, CgValue *of, const CgExpr *x, const CgValue *at)
{
    CgDiag *d = cg_elab_error(e, CG_E0313, cg_elab_literal(e, at, x->span), "%s cannot be indexed by %s",
        cg_value_kind_name(of), cg_value_kind_name(at));
    CgSuggest s;
    cg_suggest_init(&s, at->kind == CG_VALUE_STR ? at->s : "");
    bool column = cg_value_class(of) == &cg_class_table && at->kind == CG_VALUE_STR;
    if (at->kind == CG_VALUE_STR && (column || cg_object_field(e, of, at->s, x->span, &s))) {
        cg_diag_help(d, "a %s stands behind a point: .%s", column ? "column" : "field", at->s);
        cg_diag_fix(d, x->op_span, ".%s", at->s);
    } else if (cg_value_class(of) == &cg_class_column || cg_value_class(of) == &cg_class_table) {
        cg_diag_help(d,
            "rows are chosen by what is in them: filter(t, seed == 0); one number of a column is a statistic, "
            "mean(t.f1)");
    } else if (of->kind == CG_VALUE_INSTANCE && at->kind == CG_VALUE_STR) {
        cg_diag_help(d,
            "a part of a model stands behind a point: m.%s; a parameter by its path is parameter(m, \"%s\")", at->s,
            at->s);
    } else if (of->kind == CG_VALUE_TENSOR && at->kind == CG_VALUE_TENSOR)
        cg_diag_help(d, "rows by number are take(x, ids), elements by condition where(c, x, 0)");
    else if (of->kind == CG_VALUE_RECORD)
        cg_diag_help(d, "a field is r.name or r[\"name\"]");
    else if (cg_value_class(of) == &cg_class_table)
        cg_diag_help(d, "a column is scores.f1, rows are chosen by filter(scores, f1 > 0.5)");
    else if (of->kind == CG_VALUE_STR)
        cg_diag_help(d, "a string is one value: text as data is read by corpus(\"x.txt\")");
    else if (of->kind == CG_VALUE_TENSOR || of->kind == CG_VALUE_LIST)
        cg_help_integer(d, &(CgKinds){ .at = { { .tag = CG_KIND_INT } }, .n = 1 }, at);
    else if (!cg_help_call(d, of))
        cg_help_fields(e, d, of);
    return cg_value_poison(e);
}

/* ---- lists and records ----------------------------------------------------------------------------------------- */

/* One end of a range of a list; `absent` where it was left open. */
static bool list_end(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x, int64_t absent, int64_t *out)
{
    *out = absent;
    if (!x)
        return true;
    CgValue *v = cg_eval(e, f, x);
    if (cg_is_poison(v) || cg_define_vague(e, v))
        return false;
    if (v->kind != CG_VALUE_INT) {
        refuse(e, of, x, v);
        return false;
    }
    *out = v->i < 0 ? v->i + of->n : v->i;
    if (*out >= 0 && *out <= of->n)
        return true;
    cg_elab_error(e, CG_E0302, x->span, "index %lld of a list of %d", (long long)v->i, of->n);
    return false;
}

static CgValue *stretch(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x, CgSpan span)
{
    int64_t from, to;
    if (!list_end(e, f, of, x->a, 0, &from) || !list_end(e, f, of, x->b, of->n, &to))
        return cg_value_poison(e);
    CgValue *out = cg_value_list(e, to > from ? (int)(to - from) : 0, span);
    for (int i = 0; i < out->n; i++)
        out->at[i] = of->at[from + i];
    return out;
}

static CgValue *field_of(CgElab *e, CgValue *of, CgAtom key, CgSpan span)
{
    CgValue *v = cg_record_find(of, key);
    if (v)
        return v;
    CgSuggest s;
    cg_suggest_init(&s, key);
    for (int i = 0; i < of->n; i++)
        cg_suggest_offer(&s, of->keys[i]);
    CgDiag *d = cg_elab_error(e, CG_E0302, span, "the record has no field '%s'", key);
    cg_diag_meant_or_all(d, &s, "its fields are");
    return cg_value_poison(e);
}

/* A list or record by its one index. */
static CgValue *element(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x)
{
    const CgArg *index = &x->args.at[0];
    if (of->kind == CG_VALUE_LIST && index->value->kind == CG_EXPR_RANGE && !index->name)
        return stretch(e, f, of, index->value, x->span);
    CgValue *at = index->value->kind == CG_EXPR_RANGE ? NULL : cg_eval(e, f, index->value);
    if (at && (cg_is_poison(at) || cg_define_vague(e, at)))
        return cg_value_poison(e);
    if (at && of->kind == CG_VALUE_LIST && at->kind == CG_VALUE_INT && !index->name) {
        int64_t i = at->i < 0 ? at->i + of->n : at->i;
        if (i >= 0 && i < of->n)
            return of->at[i];
        cg_elab_error(e, CG_E0302, index->value->span, "index %lld of a list of %d", (long long)at->i, of->n);
        return cg_value_poison(e);
    }
    if (at && of->kind == CG_VALUE_RECORD && cg_key_of(at) && !index->name)
        return field_of(e, of, cg_key_of(at), cg_elab_literal(e, at, index->value->span));
    if (at && !index->name)
        return refuse(e, of, x, at);
    cg_elab_error(e, CG_E0305, index->value->span, "%s has no axes to slice", cg_value_kind_name(of));
    return cg_value_poison(e);
}

/* An element of a range, or a stretch, without laying it out. */
static CgValue *of_range(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x)
{
    const CgArg *index = &x->args.at[0];
    if (index->name || index->value->kind == CG_EXPR_RANGE)
        return element(e, f, cg_value_laid_out(e, of), x);
    CgValue *at = cg_eval(e, f, index->value);
    if (cg_is_poison(at) || cg_define_vague(e, at))
        return cg_value_poison(e);
    if (at->kind != CG_VALUE_INT)
        return refuse(e, of, x, at);
    int64_t i = at->i < 0 ? at->i + of->n : at->i;
    if (i >= 0 && i < of->n)
        return cg_value_int(e, of->i + i, of->span);
    cg_elab_error(e, CG_E0302, index->value->span, "index %lld of a list of %d", (long long)at->i, of->n);
    return cg_value_poison(e);
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

/* A place along an axis of this size, counted from the end when it is negative; NULL after a mistake. */
static const CgDim *bound_of(CgElab *e, CgValue *of, int axis, CgValue *v, const CgExpr *x, bool end)
{
    const CgDim *size = cg_value_type(e, of)->dim[axis], *zero = cg_dim_int(0);
    cg_define_whole(e, v, x->span);
    if (cg_is_poison(v))
        return NULL;
    if (v->kind != CG_VALUE_INT && v->kind != CG_VALUE_DIM) {
        refuse(e, of, x, v);
        return NULL;
    }
    const CgDim *d = cg_value_as_dim(v);
    if (d != zero && cg_dim_at_most(d, zero)) /* -1, -n */
        d = cg_dim_combine('+', size, d);
    const CgDim *behind = end ? d : cg_dim_combine('+', d, cg_dim_int(1));
    if (d && !cg_define_less(e, d, zero) && !cg_define_less(e, size, behind))
        return d;
    CgStrbuf at = { 0 }, of_size = { 0 };
    cg_value_print(v, &at);
    cg_dim_print(size, &of_size);
    CgDiag *report = cg_elab_error(
        e, CG_E0405, x->span, "index %s of an axis of size %s", cg_strbuf_str(&at), cg_strbuf_str(&of_size));
    cg_note_origin(e, report, size, of->tensor->origin[axis]);
    cg_strbuf_deinit(&at);
    cg_strbuf_deinit(&of_size);
    return NULL;
}

static const CgDim *range_end(CgElab *e, CgFrame *f, CgValue *of, int axis, const CgExpr *x, const CgDim *absent)
{
    return x ? bound_of(e, of, axis, cg_eval(e, f, x), x, true) : absent;
}

/* The places [from, to) of one axis; `one`: a single one, whose axis goes. */
static CgValue *cut(CgElab *e, CgFrame *f, CgValue *of, int axis, const CgExpr *x, bool *one, const CgExpr *whole)
{
    const CgDim *size = cg_value_type(e, of)->dim[axis], *from, *to;
    *one = x->kind != CG_EXPR_RANGE;
    if (*one) {
        from = bound_of(e, of, axis, cg_eval(e, f, x), x, false);
        to = from ? cg_dim_combine('+', from, cg_dim_int(1)) : NULL;
    } else {
        from = range_end(e, f, of, axis, x->a, cg_dim_int(0));
        to = from ? range_end(e, f, of, axis, x->b, size) : NULL;
    }
    if (!from || !to)
        return cg_value_poison(e);
    if (from == cg_dim_int(0) && to == size)
        return of;
    CgAttr at[3] = { cg_a_int("axis", axis), cg_a_dims("from", 1, &from), cg_a_dims("to", 1, &to) };
    CgSpan span = whole->a->span;
    return cg_op_emit(e, cg_op_get("slice"), &of, &span, 1, cg_attrs(3, at), whole->span, x->span);
}

/* Without the axes that single places took. */
static CgValue *dropped(CgElab *e, CgValue *of, const bool *gone, const CgExpr *x)
{
    CgType t = *cg_value_type(e, of);
    const CgDim *kept[CG_MAX_RANK];
    int from[CG_MAX_RANK], n = 0;
    for (int i = 0; i < t.rank; i++)
        if (!gone[i]) {
            from[n] = i;
            kept[n++] = t.dim[i];
        }
    if (n == t.rank)
        return of;
    CgAttr at[1] = { cg_a_dims("dims", n, kept) };
    CgSpan span = x->a->span;
    CgValue *v = cg_op_emit(e, cg_op_get("reshape"), &of, &span, 1, cg_attrs(1, at), x->span, x->op_span);
    for (int i = 0; i < n && v->kind == CG_VALUE_TENSOR; i++) {
        v->tensor->label[i] = of->tensor->label[from[i]];
        v->tensor->origin[i] = of->tensor->origin[from[i]];
    }
    return v;
}

/* Which axis each place is about; false after a mistake. */
static bool axes_of(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x, int *axis)
{
    int rank = cg_value_type(e, of)->rank, named = 0, rest = -1, next = 0;
    for (int i = 0; i < x->args.n; i++) {
        const CgExpr *v = x->args.at[i].value;
        bool all = v->kind == CG_EXPR_RANGE && !v->a && !v->b && !x->args.at[i].name;
        named += x->args.at[i].name != NULL;
        if (all && rest >= 0) {
            cg_elab_error(e, CG_E0305, v->span, "'..' stands for all axes that are left, once");
            return false;
        }
        rest = all ? i : rest;
    }
    int written = x->args.n - (rest >= 0);
    if (named > 0 && named < x->args.n) {
        CgDiag *d = cg_elab_error(e, CG_E0305, x->op_span, "indices by name and by order in one slice");
        cg_diag_help(d, "name each: the axes that are not named stay whole");
        return false;
    }
    if (!named && (written > rank || (rest < 0 && written != rank))) {
        CgDiag *d = cg_elab_error(e, CG_E0401, x->op_span, "%d ind%s for a tensor of %d ax%s", written,
            written == 1 ? "ex" : "ices", rank, rank == 1 ? "is" : "es");
        const CgExpr *first = x->args.at[0].value;
        const CgValue *ids = written && first->kind == CG_EXPR_NAME ? cg_eval(e, f, first) : NULL;
        if (ids && ids->kind == CG_VALUE_TENSOR)
            cg_diag_help(d, "rows by number are take(x, ids), elements by condition where(c, x, 0)");
        else if (written < rank)
            cg_diag_help(d, "'..' stands for the others: x[.., 0..2], x[0, ..]");
        return false;
    }
    for (int i = 0; i < x->args.n; i++) {
        const CgArg *index = &x->args.at[i];
        CgExpr name = { .kind = CG_EXPR_NAME, .s = index->name, .span = index->name_span };
        if (index->name && !cg_axis_of(e, f, of, &name, NULL, index->name_span, &axis[i]))
            return false;
        if (!index->name && i == rest)
            next += rank - written;
        else if (!index->name)
            axis[i] = next++;
        for (int k = 0; k < i && index->name; k++)
            if (axis[k] == axis[i]) {
                cg_elab_error(e, CG_E0303, index->name_span, "the axis '%s' is given twice", index->name);
                return false;
            }
        if (i == rest)
            axis[i] = -1;
    }
    return true;
}

static CgValue *slice(CgElab *e, CgFrame *f, CgValue *of, const CgExpr *x)
{
    int axis[CG_MAX_RANK + 1];
    bool gone[CG_MAX_RANK] = { false };
    if (x->args.n > CG_MAX_RANK + 1) {
        cg_elab_error(e, CG_E0401, x->op_span, "a tensor has at most %d axes", CG_MAX_RANK);
        return cg_value_poison(e);
    }
    if (!axes_of(e, f, of, x, axis))
        return cg_value_poison(e);
    for (int i = 0; i < x->args.n; i++) {
        bool one;
        if (axis[i] < 0)
            continue;
        of = cut(e, f, of, axis[i], x->args.at[i].value, &one, x);
        if (cg_is_poison(of))
            return of;
        gone[axis[i]] = one;
    }
    return dropped(e, of, gone, x);
}

CgValue *cg_eval_index(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgValue *of = cg_eval(e, f, x->a);
    if (cg_is_poison(of))
        return cg_value_poison(e);
    if (of->open) /* an element is like any other, and so is a stretch */
        return x->args.at[0].value->kind == CG_EXPR_RANGE ? of : of->at[0];
    if (of->kind == CG_VALUE_TENSOR)
        return slice(e, f, of, x);
    if (of->kind == CG_VALUE_RANGE && x->args.n == 1)
        return of_range(e, f, of, x);
    if (x->args.n == 1 && (of->kind == CG_VALUE_LIST || of->kind == CG_VALUE_RECORD))
        return element(e, f, of, x);
    for (int i = 0; i < x->args.n; i++)
        if (x->args.at[i].value->kind != CG_EXPR_RANGE && cg_is_poison(cg_eval(e, f, x->args.at[i].value)))
            return cg_value_poison(e);
    if (x->args.n == 1 && x->args.at[0].value->kind != CG_EXPR_RANGE)
        return refuse(e, of, x, cg_eval(e, f, x->args.at[0].value));
    cg_elab_error(e, CG_E0313, x->span, "%s cannot be sliced", cg_value_kind_name(of));
    return cg_value_poison(e);
}
