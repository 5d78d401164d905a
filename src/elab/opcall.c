/* opcall.c - ops applied to what an author wrote.
 * Takes an op, values and names; gives a tensor. Makes broadcasts explicit and turns axis names into numbers.
 * Derivatives and passes never come here. */
#include <math.h>
#include <string.h>

#include "elab/define.h"
#include "elab/signature.h"
#include "graph/registry.h"

CgValue *cg_as_tensor(CgElab *e, CgValue *v, CgDtype dtype)
{
    if (v->kind == CG_VALUE_TENSOR)
        return v;
    if (!e->model)
        return NULL;
    CgBuild *b = &e->model->build;
    double number;
    if (cg_is_unknown_number(v))
        return cg_value_tensor(e, cg_define_tensor(e, cg_type(dtype, 0, NULL)), v->span);
    if (v->kind == CG_VALUE_BOOL)
        return cg_value_tensor(e, cg_graph_const(b, CG_BOOL, v->i != 0), v->span);
    if (cg_value_number(v, &number)) {
        if (!cg_dtype_has_derivative(dtype) && number != floor(number))
            dtype = CG_F32;
        if (!cg_number_fits(e, v, dtype, v->span))
            return cg_value_poison(e);
        return cg_value_tensor(e, cg_graph_const(b, dtype, number), v->span);
    }
    if (v->kind == CG_VALUE_DIM) { /* a size as a number: the count of ones along it */
        const CgDim *dim[1] = { v->dim };
        int64_t axes[1] = { 0 };
        CgType t = cg_type(CG_F32, 1, dim);
        CgRef n = cg_sum(b, cg_fill(b, t, 1), 1, axes);
        return cg_value_tensor(e, dtype == CG_F32 ? n : cg_cast(b, n, dtype), v->span);
    }
    return NULL;
}

void cg_copy_labels(CgElab *e, CgValue *to, CgValue *const *from, int n)
{
    const CgType *t = cg_value_type(e, to);
    for (int i = 0; i < n; i++) {
        if (!from[i] || from[i]->kind != CG_VALUE_TENSOR)
            continue;
        const CgType *s = cg_value_type(e, from[i]);
        if (s->rank != t->rank)
            continue;
        for (int k = 0; k < t->rank; k++)
            if (s->dim[k] == t->dim[k]) {
                if (!to->tensor->label[k])
                    to->tensor->label[k] = from[i]->tensor->label[k];
                to->tensor->origin[k] = from[i]->tensor->origin[k];
            }
    }
}

bool cg_axis_of(CgElab *e, CgFrame *f, CgValue *tensor, const CgExpr *written, CgValue *value, CgSpan span, int *out)
{
    const CgType *t = cg_value_type(e, tensor);
    CgAtom name = written && written->kind == CG_EXPR_NAME ? written->s : NULL;
    if (name) {
        int found = -1, count = 0;
        for (int i = 0; i < t->rank; i++)
            if (tensor->tensor->label[i] == name)
                found = i, count++;
        CgSized *s = cg_frame_dim(f, name);
        if (!count && (s || (value && value->kind == CG_VALUE_DIM))) {
            const CgDim *d = s ? s->dim : value->dim;
            for (int i = 0; i < t->rank; i++)
                if (t->dim[i] == d)
                    found = i, count++;
        }
        uint64_t key = cg_map_ptr(written) << 4 | (uint64_t)t->rank, defined = 0;
        if (count == 1 && e->defining) /* two turns, or tensors of a list, may differ */
            cg_map_put(&e->axes, key,
                cg_map_get(&e->axes, key, &defined) && defined != (uint64_t)found ? CG_MAX_RANK : (uint64_t)found);
        if (count > 1 && !e->defining && cg_map_get(&e->axes, key, &defined) && defined < (uint64_t)t->rank) {
            found = (int)defined; /* sizes that happen to be one number */
            count = 1;
        }
        if (count == 1) {
            *out = found;
            return true;
        }
        if (!count && e->defining && value && !s && value->kind == CG_VALUE_DIM)
            return false; /* a number that is not known */
        if (count > 1 || s || !value || (value->kind != CG_VALUE_INT)) {
            CgStrbuf axes = { 0 };
            for (int i = 0; i < t->rank; i++) {
                cg_strbuf_printf(&axes, "%s%d: ", i ? ", " : "", i);
                if (tensor->tensor->label[i])
                    cg_strbuf_printf(&axes, "%s = ", tensor->tensor->label[i]);
                cg_dim_print(t->dim[i], &axes);
            }
            CgDiag *d = cg_elab_error(e, CG_E0404, span,
                count > 1 ? "axis '%s' is ambiguous: it could be any of %d axes" : "the tensor has no axis '%s'%.0d",
                name, count);
            cg_diag_note(d, (CgSpan){ 0 }, "its axes are %s", cg_strbuf_str(&axes));
            cg_strbuf_deinit(&axes);
            return false;
        }
    }
    if (value && cg_define_vague(e, value))
        return false;
    if (!value || value->kind != CG_VALUE_INT) {
        CgDiag *d = cg_elab_error(e, CG_E0404, span, "an axis is a name or an integer%s%s", value ? ", not " : "",
            value ? cg_value_kind_name(value) : "");
        if (value && value->kind == CG_VALUE_STR)
            cg_diag_help(d, "its name has no quotes: axis = %s", value->s);
        return false;
    }
    int64_t i = value->i < 0 ? value->i + t->rank : value->i;
    if (i < 0 || i >= t->rank) {
        CgDiag *d =
            cg_elab_error(e, CG_E0404, span, "axis %lld of a tensor with %d axes", (long long)value->i, t->rank);
        cg_diag_help(d, "axes count from 0, from the end as -1; one has the name that its type says: axis = D");
        return false;
    }
    *out = (int)i;
    return true;
}

CgValue *cg_op_emit(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, const CgAttrs *attrs,
    CgSpan span, CgSpan caret)
{
    CgRef refs[CG_MAX_IN];
    for (int i = 0; i < n; i++)
        refs[i] = in[i]->tensor->ref;
    CgInfer inf;
    CgBuild *b = &e->model->build;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < cg_value_type(e, in[i])->rank; k++)
            cg_axis_name_set(b->graph, refs[i], k, in[i]->tensor->label[k]);
    b->span = span;
    cg_precision_of(e->model, op, n, refs);
    CgRef r = cg_build_checked(b, op, n, refs, attrs, &inf);
    b->precision = CG_AS_SCOPE;
    if (r == CG_NONE) {
        inf.op = op;
        return cg_op_mismatch(e, &inf, in, spans, n, span, caret);
    }
    if (!cg_below_check(e, op, in, attrs, spans, span, caret))
        return cg_value_poison(e);
    const CgNode *made = cg_node(b->graph, r);
    int nout = made->op == op ? made->nout : 1;
    if (nout == 1) {
        CgValue *v = cg_value_tensor(e, r, span);
        cg_copy_labels(e, v, in, n);
        cg_written_of(e, v, op, attrs, in, n);
        return v;
    }
    CgValue *out = cg_value_list(e, nout, span);
    for (int k = 0; k < nout; k++)
        out->at[k] = cg_value_tensor(e, cg_build_result(b, r, k), span);
    return out;
}

/* Of an op that takes any number of tensors, more than a node has operands: f(xs.., ys..) is f(f(xs..), f(ys..)). */
static CgValue *emit_groups(
    CgElab *e, const CgOp *op, CgValue **in, CgSpan *spans, int n, const CgAttrs *attrs, CgSpan span, CgSpan caret)
{
    while (n > CG_MAX_IN) {
        int groups = 0;
        for (int i = 0; i < n; i += CG_MAX_IN, groups++) {
            int k = n - i < CG_MAX_IN ? n - i : CG_MAX_IN;
            CgValue *v = k > 1 ? cg_op_emit(e, op, in + i, spans + i, k, attrs, span, caret) : in[i];
            if (cg_is_poison(v))
                return v;
            in[groups] = v;
            spans[groups] = k > 1 ? span : spans[i];
        }
        n = groups;
    }
    return cg_op_emit(e, op, in, spans, n, attrs, span, caret);
}

static void refuse_operand(CgElab *e, const char *op, const CgValue *v, CgSpan at)
{
    CgDiag *d = cg_elab_error(e, CG_E0313, cg_elab_literal(e, v, at), "'%s' works on tensors and numbers, not on %s",
        op, cg_value_kind_name(v));
    if (v->kind == CG_VALUE_INSTANCE)
        cg_diag_help(d, "a model is applied to tensors: m(batch.tokens)");
    else if (cg_value_class(v) == &cg_class_tokens && (!strcmp(op, "eq") || !strcmp(op, "ne")))
        cg_diag_help(
            d, "texts are compared by a score: exact(a, b) is 1 where they are alike, token_f1(a, b) their overlap");
}

/* Numbers take the element type of the tensors they stand beside. */
static bool all_tensors(CgElab *e, const char *op, CgValue **in, const CgSpan *spans, int n, CgSpan span)
{
    CgDtype dtype = CG_F32;
    for (int i = 0; i < n; i++)
        if (in[i]->kind == CG_VALUE_TENSOR && cg_value_type(e, in[i])->dtype != CG_BOOL) {
            dtype = cg_value_type(e, in[i])->dtype;
            break;
        }
    for (int i = 0; i < n; i++) {
        if (cg_is_poison(in[i]) && !cg_is_unknown_number(in[i]))
            return false;
        CgValue *t = cg_as_tensor(e, in[i], dtype);
        if (!t) {
            refuse_operand(e, op, in[i], spans && spans[i].file ? spans[i] : span);
            return false;
        }
        if (cg_is_poison(t))
            return false;
        in[i] = t;
    }
    return true;
}

CgValue *cg_op_simple(CgElab *e, const char *name, CgValue **args, CgSpan *spans, int n, CgSpan span, CgSpan caret)
{
    const CgOp *op = cg_op_get(name);
    CgValue *in[CG_MAX_IN];
    memcpy(in, args, sizeof *in * (size_t)n);
    e->model->build.span = span;
    if (!all_tensors(e, name, in, spans, n, span)
        || ((op->traits & CG_ELEMENTWISE) && !cg_broadcast_all(e, op, in, spans, n, caret)))
        return cg_value_poison(e);
    return cg_op_emit(e, op, in, spans, n, NULL, span, caret);
}

/* ---- written operators --------------------------------------------------------------------------------------------
 */

static int compare_values(const CgValue *a, const CgValue *b, bool *comparable)
{
    double p, q;
    *comparable = true;
    if (cg_value_number(a, &p) && cg_value_number(b, &q))
        return cg_number_compare(a, b);
    if (a->kind == CG_VALUE_STR && b->kind == CG_VALUE_STR)
        return strcmp(a->s, b->s);
    if (a->kind == b->kind && (a->kind == CG_VALUE_BOOL || a->kind == CG_VALUE_DTYPE))
        return a->i < b->i ? -1 : a->i > b->i;
    if (a->kind == CG_VALUE_NONE || b->kind == CG_VALUE_NONE)
        return a->kind != b->kind;
    if (a->kind == CG_VALUE_DIM && b->kind == CG_VALUE_DIM && a->dim == b->dim)
        return 0;
    *comparable = false;
    return 1;
}

static const char *op_of(const char *written)
{
    static const struct {
        const char *written, *op;
    } table[] = {
        { "+", "add" },
        { "-", "sub" },
        { "*", "mul" },
        { "/", "div" },
        { "@", "matmul" },
        { "^", "pow" },
        { "%", "mod" },
        { "//", "floordiv" },
        { "<", "lt" },
        { "<=", "le" },
        { ">", "gt" },
        { ">=", "ge" },
        { "==", "eq" },
        { "!=", "ne" },
        { "and", "and" },
        { "or", "or" },
    };
    for (size_t i = 0; i < CG_LEN(table); i++)
        if (!strcmp(table[i].written, written))
            return table[i].op;
    return NULL;
}

/* Arithmetic on sizes that are not known. */
static CgValue *unknown_sizes(CgElab *e, CgAtom op, const CgValue *a, const CgValue *b, const CgExpr *x)
{
    double number;
    const CgDim *p = cg_value_as_dim(a), *q = cg_value_as_dim(b);
    if (p == q && p && !strcmp(op, "=="))
        return cg_value_bool(e, true, x->span);
    bool numbers = (p || cg_value_number(a, &number)) && (q || cg_value_number(b, &number));
    return numbers ? cg_define_arithmetic(e, op, a, b, x->span) : NULL;
}

/* x @ y: the labels of rows from the left, of columns from the right. */
static CgValue *multiply(CgElab *e, CgValue **in, const CgSpan *spans, CgSpan span, CgSpan caret)
{
    if (!all_tensors(e, "@", in, spans, 2, span))
        return cg_value_poison(e);
    cg_broadcast_batches(e, in);
    CgValue *v = cg_op_emit(e, cg_op_get("matmul"), in, spans, 2, NULL, span, caret);
    if (v->kind == CG_VALUE_TENSOR) { /* rows from the left, columns from the right */
        const CgType *ta = cg_value_type(e, in[0]), *tb = cg_value_type(e, in[1]), *t = cg_value_type(e, v);
        memset(v->tensor->label, 0, sizeof v->tensor->label);
        for (int k = 0; k + 1 < t->rank && k < ta->rank; k++) {
            v->tensor->label[k] = in[0]->tensor->label[k];
            v->tensor->origin[k] = in[0]->tensor->origin[k];
        }
        if (t->rank && tb->rank) {
            v->tensor->label[t->rank - 1] = in[1]->tensor->label[tb->rank - 1];
            v->tensor->origin[t->rank - 1] = in[1]->tensor->origin[tb->rank - 1];
        }
    }
    return v;
}

/* Texts and lists one behind the other; NULL where they are not that. */
static CgValue *join(CgElab *e, CgValue *a, CgValue *b, CgSpan span)
{
    if (a->kind == CG_VALUE_STR && b->kind == CG_VALUE_STR) {
        CgStrbuf s = { 0 };
        if (!cg_budget_take(e, (int64_t)(strlen(a->s) + strlen(b->s)), span))
            return cg_value_poison(e);
        cg_strbuf_printf(&s, "%s%s", a->s, b->s);
        CgValue *v = cg_value_str(e, cg_strbuf_str(&s), span);
        cg_strbuf_deinit(&s);
        return v;
    }
    if (a->kind == CG_VALUE_RANGE || b->kind == CG_VALUE_RANGE) {
        a = cg_value_laid_out(e, a);
        b = cg_value_laid_out(e, b);
        if (cg_is_poison(a) || cg_is_poison(b))
            return cg_value_poison(e);
    }
    if (a->kind == CG_VALUE_LIST && b->kind == CG_VALUE_LIST) {
        if (!cg_budget_take(e, 8 * ((int64_t)a->n + b->n), span))
            return cg_value_poison(e);
        CgValue *v = cg_value_list(e, a->n + b->n, span);
        for (int i = 0; i < a->n + b->n; i++)
            v->at[i] = i < a->n ? a->at[i] : b->at[i - a->n];
        return v;
    }
    return NULL;
}

CgValue *cg_binary(CgElab *e, CgFrame *f, CgAtom op, CgValue *a, CgValue *b, const CgExpr *x)
{
    CgSpan spans[2] = { x->a->span, x->b->span };
    CgSpan caret = x->op_span.file ? x->op_span : x->span;
    CgValue *in[2] = { a, b };
    if ((cg_is_late(a) || cg_is_late(b)) && op_of(op))
        return cg_late(e, op_of(op), in, spans, 2, x->span);
    if ((a->kind == CG_VALUE_NONE || b->kind == CG_VALUE_NONE) && (*op == '=' || *op == '!'))
        return cg_value_bool(e, (a->kind == b->kind) == (*op == '='), x->span);
    if ((a->kind == CG_VALUE_TENSOR || b->kind == CG_VALUE_TENSOR) && op_of(op)) {
        e->model->build.span = x->span;
        if (*op != '@') {
            double q;
            if (*op == '^' && cg_value_number(b, &q) && q == 2) {
                in[1] = a;
                return cg_op_simple(e, "mul", in, spans, 2, x->span, caret);
            }
            return cg_op_simple(e, op_of(op), in, spans, 2, x->span, caret);
        }
        return multiply(e, in, spans, x->span, caret);
    }
    if (e->defining && (a->kind == CG_VALUE_DIM || b->kind == CG_VALUE_DIM)) {
        CgValue *v = unknown_sizes(e, op, a, b, x);
        if (v)
            return v;
    }
    if (!strcmp(op, "==") || !strcmp(op, "!=") || *op == '<' || *op == '>') {
        bool can;
        if (!cg_choice_compares(e, a, b, spans[1]) || !cg_choice_compares(e, b, a, spans[0]))
            return cg_value_poison(e);
        int c = compare_values(a, b, &can);
        if (!can) {
            cg_elab_error(e, CG_E0313, cg_elab_literal(e, b, cg_elab_literal(e, a, caret)),
                "%s and %s cannot be compared", cg_value_kind_name(a), cg_value_kind_name(b));
            return cg_value_poison(e);
        }
        bool r = cg_number_is_nan(a) || cg_number_is_nan(b) ? *op == '!'
            : !strcmp(op, "==")                             ? c == 0
            : !strcmp(op, "!=")                             ? c != 0
            : !strcmp(op, "<")                              ? c < 0
            : !strcmp(op, "<=")                             ? c <= 0
            : !strcmp(op, ">")                              ? c > 0
                                                            : c >= 0;
        return cg_value_bool(e, r, x->span);
    }
    if (a->kind == CG_VALUE_BOOL && b->kind == CG_VALUE_BOOL && (!strcmp(op, "and") || !strcmp(op, "or")))
        return cg_value_bool(e, *op == 'a' ? a->i && b->i : a->i || b->i, x->span);
    CgValue *number = cg_number_binary(e, f, op, a, b, x);
    if (number)
        return number;
    if (e->model && (a->kind == CG_VALUE_DIM || b->kind == CG_VALUE_DIM) && strchr("+-*/", *op) && !op[1])
        return cg_op_simple(e, op_of(op), in, spans, 2, x->span, caret);
    if (*op == '+') {
        CgValue *v = join(e, a, b, x->span);
        if (v)
            return v;
    }
    bool fits[2] = { false, false }; /* of a number and something else, the other is out of place */
    for (int i = 0; i < 2; i++) {
        double ignored;
        fits[i] = cg_value_number(in[i], &ignored) || in[i]->kind == CG_VALUE_DIM || in[i]->kind == CG_VALUE_TENSOR;
    }
    if (fits[0] != fits[1])
        caret = cg_elab_literal(e, in[fits[0] ? 1 : 0], spans[fits[0] ? 1 : 0]);
    CgDiag *d = cg_elab_error(
        e, CG_E0313, caret, "'%s' has no meaning for %s and %s", op, cg_value_kind_name(a), cg_value_kind_name(b));
    cg_diag_label(d, spans[0], "%s", cg_value_kind_name(a));
    cg_diag_label(d, spans[1], "%s", cg_value_kind_name(b));
    if (*op == '*' && (a->kind == CG_VALUE_LIST) != (b->kind == CG_VALUE_LIST))
        cg_diag_help(
            d, "a list of one value again and again is [x for i in 0..n], products by element [a * x for x in xs]");
    if (*op == '+' && (a->kind == CG_VALUE_STR || b->kind == CG_VALUE_STR))
        cg_diag_help(d, "%sa string holds values in braces: \"{n} of {m}\"",
            cg_frame_edition(f) >= 2 ? "" : "after 'cg 2' as the first statement ");
    if (*op == '%' && a->kind == CG_VALUE_STR)
        cg_diag_help(d, "a value stands in a string in braces: \"{n}.txt\"");
    return cg_value_poison(e);
}

/* ---- ops by name ----------------------------------------------------------------------------------------------- */

/* Axes by number or name, one or a list of them. */
static bool axes_attribute(CgElab *e, CgFrame *f, const CgSigParam *p, const CgKind *kind, CgValue *v,
    const CgExpr *written, CgValue *first, CgSpan span, CgAttr *out)
{
    int64_t axes[CG_MAX_RANK];
    bool list = kind->list && v->kind == CG_VALUE_LIST;
    int n = list ? v->n : 1, axis;
    if (n > CG_MAX_RANK) {
        cg_elab_error(e, CG_E0404, span, "a tensor has at most %d axes", CG_MAX_RANK);
        return false;
    }
    for (int i = 0; i < n; i++) {
        bool each = list && written && written->kind == CG_EXPR_LIST && i < written->args.n;
        const CgExpr *w = each ? written->args.at[i].value : list ? NULL : written;
        if (!cg_axis_of(e, f, first, w, list ? v->at[i] : v, w ? w->span : span, &axis))
            return false;
        axes[i] = axis;
    }
    *out = kind->list ? cg_a_ints(p->name, n, axes) : cg_a_int(p->name, axes[0]);
    return true;
}

/* One static argument of an op as an attribute; `first` is the operand whose axes it may name. */
static bool attribute(CgElab *e, CgFrame *f, const CgOp *op, const CgSigParam *p, CgValue *v, const CgExpr *written,
    CgValue *first, CgSpan span, CgAttr *out)
{
    CgKinds kinds;
    if (!cg_kinds_of(p->param->type, &kinds)) {
        cg_elab_error(e, CG_E0312, span, "'%s' of op '%s' is for the compiler alone", p->name, op->name);
        return false;
    }
    if (kinds.at[0].tag == CG_KIND_FLOAT && cg_define_vague(e, v)) {
        *out = cg_a_float(p->name, 1);
        return true;
    }
    bool sizes = kinds.at[0].tag == CG_KIND_DIM || kinds.at[0].tag == CG_KIND_AXIS;
    if (kinds.at[0].tag == CG_KIND_DIM)
        cg_define_whole(e, v, span);
    if (cg_is_poison(v) || v->open || (!sizes && cg_define_vague(e, v)))
        return false;
    for (int i = 0; v->kind == CG_VALUE_LIST && i < v->n; i++)
        if (cg_is_poison(v->at[i]))
            return false;
    if (kinds.at[0].tag == CG_KIND_AXIS && first)
        return axes_attribute(e, f, p, &kinds.at[0], v, written, first, span, out);
    v = cg_argument_take(e, op->name, p->param, &kinds, v, span, written, CG_KNOWN_NOW);
    int n = v->kind == CG_VALUE_LIST ? v->n : 1;
    if (n > CG_MAX_RANK) {
        cg_elab_error(e, CG_E0316, span, "'%s' of %s has at most %d elements", p->name, op->name, CG_MAX_RANK);
        return false;
    }
    CgValue *const *at = v->kind == CG_VALUE_LIST ? v->at : &v;
    const CgDim *dims[CG_MAX_RANK];
    int64_t ints[CG_MAX_RANK];
    for (int i = 0; i < n; i++) {
        dims[i] = cg_value_as_dim(at[i]);
        ints[i] = at[i]->i;
    }
    switch (cg_is_poison(v) ? CG_KIND_ANY : kinds.at[0].tag) {
    case CG_KIND_ANY: return false;
    case CG_KIND_DIM: *out = cg_a_dims(p->name, n, dims); return true;
    case CG_KIND_FLOAT: *out = cg_a_float(p->name, v->f); return true;
    case CG_KIND_INT: *out = kinds.at[0].list ? cg_a_ints(p->name, n, ints) : cg_a_int(p->name, v->i); return true;
    case CG_KIND_STR:
    case CG_KIND_DTYPE:
        *out = cg_a_str(p->name, v->kind == CG_VALUE_STR ? v->s : cg_dtype_name((CgDtype)v->i));
        return true;
    default: *out = cg_a_int(p->name, v->i); return true;
    }
}

/* An op of numbers of which some are not known, and no tensor, is a number. */
static bool is_unknown_number(const CgOp *op, CgValue *const *args, int n)
{
    bool numbers = n > 0 && op->traits & CG_ELEMENTWISE, any = false;
    double number;
    for (int i = 0; i < n; i++) {
        bool unknown = args[i]->kind == CG_VALUE_DIM || cg_is_unknown_number(args[i]);
        numbers = numbers && (unknown || cg_value_number(args[i], &number));
        any |= unknown;
    }
    return numbers && any;
}

/* ---- a call ---- */

/* The arguments of an op, sorted: operands in order, all else by parameter. */
typedef struct Call {
    const CgOp *op;
    const CgSig *sig;
    CgArguments args;
    CgValue **in;
    CgSpan *spans;
    int n;
    CgSpan span, caret;
} Call;

static bool missing(CgElab *e, const Call *c, const char *name)
{
    CgDiag *d = cg_elab_error(e, CG_E0304, c->span, "op '%s' needs '%s'", c->op->name, name);
    const char *module = cg_embedded_module_of(cg_intern(c->op->name));
    if (module && !c->n) /* rmsnorm() for the layer of that name */
        cg_diag_help(d,
            "a layer of this name is there after 'import %s', or with ', %s' behind the names that it takes", module,
            c->op->name);
    else
        cg_diag_help(d, "its signature is %s%s", c->op->name, c->op->sig);
    return false;
}

static void add_operand(Call *c, CgValue *v, CgSpan span)
{
    c->in[c->n] = v;
    c->spans[c->n++] = span;
}

/* Of an op that takes any number of tensors, what has no name is one of them, or a list of them. */
static void take_rest(CgElab *e, Call *c, const CgGiven *given, CgGiven *named)
{
    CgExpr *site = given->site ? CG_NEW(e->arena, CgExpr) : NULL; /* the call with the named arguments alone */
    named->n = 0;
    if (site) {
        *site = *given->site;
        site->args.at = CG_NEWN(e->arena, CgArg, given->site->args.n + 1);
        site->args.n = 0;
        named->site = site;
    }
    for (int i = 0; i < given->n; i++) {
        if (given->names[i] && given->names[i] != c->sig->at[0].name) {
            if (site && i < given->site->args.n)
                site->args.at[site->args.n++] = given->site->args.at[i];
            named->at[named->n] = given->at[i];
            named->names[named->n] = given->names[i];
            named->spans[named->n++] = given->spans[i];
            continue;
        }
        bool list = given->at[i]->kind == CG_VALUE_LIST;
        for (int j = 0; j < (list ? given->at[i]->n : 1); j++)
            add_operand(c, list ? given->at[i]->at[j] : given->at[i], given->spans[i]);
    }
}

/* A list of axes, of which a call may write one as `axis`. */
static bool is_axes(const CgSigParam *p)
{
    CgKinds kinds;
    return cg_kinds_of(p->param->type, &kinds) && kinds.at[0].tag == CG_KIND_AXIS && kinds.at[0].list;
}

static bool sort_arguments(CgElab *e, const CgGiven *given, Call *c)
{
    const CgSig *sig = c->sig;
    bool rest = sig->n && sig->at[0].is_rest;
    int most = sig->n;
    for (int i = 0; rest && i < given->n; i++)
        most += given->at[i]->kind == CG_VALUE_LIST ? given->at[i]->n : 1;
    c->in = CG_NEWN(e->arena, CgValue *, most + 1);
    c->spans = CG_NEWN(e->arena, CgSpan, most + 1);
    CgValue *at[CG_MAX_ARGS];
    CgAtom names[CG_MAX_ARGS], axis = cg_intern("axis");
    CgSpan spans[CG_MAX_ARGS];
    CgGiven named = { at, names, spans, 0, given->site };
    for (int i = 0; i < given->n; i++)
        for (int j = 0; given->names[i] == axis && j < sig->n; j++)
            if (is_axes(&sig->at[j]))
                given->names[i] = sig->at[j].name;
    if (rest)
        take_rest(e, c, given, &named);
    if (!cg_arguments_match(e, c->op->name, sig->stmt->params, sig->n, rest ? &named : given, 0, &c->args))
        return false;
    for (int j = 0; j < sig->n; j++) {
        if (!sig->at[j].is_tensor)
            continue;
        if (sig->at[j].optional && (!c->args.at[j] || c->args.at[j]->kind == CG_VALUE_NONE))
            continue;
        if (!c->args.at[j])
            return missing(e, c, sig->at[j].name);
        add_operand(c, c->args.at[j], c->args.span[j]);
    }
    return true;
}

/* Static arguments; `first` is the operand whose axes they may name, NULL where there are numbers only. */
static const CgAttrs *attributes(CgElab *e, CgFrame *f, const Call *c, CgValue *first, bool *good)
{
    CgAttr attrs[CG_MAX_ARGS];
    int n = 0;
    *good = true;
    for (int j = 0; j < c->sig->n; j++) {
        const CgSigParam *p = &c->sig->at[j];
        if (p->is_rest || p->is_tensor || (p->optional && (!c->args.at[j] || c->args.at[j]->kind == CG_VALUE_NONE)))
            continue;
        if (c->args.at[j]) {
            *good = attribute(e, f, c->op, p, c->args.at[j], c->args.written[j], first, c->args.span[j], &attrs[n++]);
        } else if (p->has_init) {
            attrs[n] = p->init;
            attrs[n++].name = p->name;
        } else if (first && is_axes(p)) { /* none given: all of them */
            int64_t all[CG_MAX_RANK];
            int rank = cg_value_type(e, first)->rank;
            for (int k = 0; k < rank; k++)
                all[k] = k;
            attrs[n++] = cg_a_ints(p->name, rank, all);
        } else {
            *good = missing(e, c, p->name);
        }
        if (!*good)
            return NULL;
    }
    return cg_attrs(n, attrs);
}

/* Whether a result of integers went past 64 bits: it is then off that of floats by far. */
static bool wraps(const CgOp *op, const double *x, int n, const CgAttrs *attrs, int64_t result)
{
    const void *in[CG_MAX_IN];
    double near = 0;
    for (int i = 0; i < n; i++)
        in[i] = &x[i];
    if (op->vec[CG_F64])
        op->vec[CG_F64](in, &near, 1, attrs);
    return op->vec[CG_F64] && fabs(near - (double)result) > 0x1p62;
}

/* An elementwise op of plain numbers is a plain number, as the op's own function for f64 says: erf(0.5). Of integers it
 * is an integer where the op has one of them. NULL where the operands are not that. */
static CgValue *of_numbers(CgElab *e, CgFrame *f, const Call *c)
{
    double x[CG_MAX_IN];
    int64_t k[CG_MAX_IN];
    bool whole = true;
    if (!(c->op->traits & CG_ELEMENTWISE) || c->n == 0 || c->n > CG_MAX_IN)
        return NULL;
    for (int i = 0; i < c->n; i++) {
        if (!cg_value_number(c->in[i], &x[i]))
            return NULL;
        k[i] = c->in[i]->i;
        whole &= c->in[i]->kind == CG_VALUE_INT;
    }
    CgDtype dtype = whole && c->op->vec[CG_I64] ? CG_I64 : CG_F64;
    CgType types[CG_MAX_IN];
    const void *in[CG_MAX_IN];
    for (int i = 0; i < c->n; i++) {
        if (dtype == CG_F64 && !cg_number_fits(e, c->in[i], CG_F64, c->spans[i]))
            return cg_value_poison(e);
        types[i] = cg_type(dtype, 0, NULL);
        in[i] = dtype == CG_I64 ? (const void *)&k[i] : &x[i];
    }
    bool good;
    const CgAttrs *attrs = attributes(e, f, c, NULL, &good);
    if (!good)
        return cg_value_poison(e);
    CgInfer inf = { .op = c->op, .nin = c->n, .in = types, .attrs = attrs };
    if (!c->op->vec[dtype] || !c->op->shape(&inf))
        return NULL;
    union {
        double f;
        int64_t i;
        uint8_t b;
    } out = { 0 };
    c->op->vec[dtype](in, &out, 1, attrs);
    if (inf.out[0].dtype == CG_I64 && wraps(c->op, x, c->n, attrs, out.i)) {
        cg_elab_error(e, CG_E0309, c->caret, "the result does not fit in 64 bits");
        return cg_value_poison(e);
    }
    switch (inf.out[0].dtype) {
    case CG_F64: return cg_value_float(e, out.f, c->span);
    case CG_I64: return cg_value_int(e, out.i, c->span);
    case CG_BOOL: return cg_value_bool(e, out.b != 0, c->span);
    default: return NULL;
    }
}

/* Outside of graphs: what is no number either is a mistake of its own. */
static CgValue *no_tensors(CgElab *e, const Call *c)
{
    double number;
    for (int i = 0; i < c->n; i++)
        if (!cg_value_number(c->in[i], &number) && c->in[i]->kind != CG_VALUE_BOOL) {
            refuse_operand(e, c->op->name, c->in[i], c->spans[i]);
            return cg_value_poison(e);
        }
    cg_elab_error(e, CG_E0503, c->caret,
        "op '%s' works on tensors, and there are none outside of graphs, train and evaluate", c->op->name);
    return cg_value_poison(e);
}

/* Whether argument i is of a parameter that is no tensor: what a run finds out cannot be one. */
static bool is_static(const CgSig *sig, CgAtom name, int i)
{
    for (int k = 0; name && k < sig->n; k++)
        if (sig->at[k].name == name)
            return !sig->at[k].is_tensor;
    return name || (i < sig->n && !sig->at[i].is_tensor && !sig->at[0].is_rest);
}

CgValue *cg_op_call(
    CgElab *e, CgFrame *f, const CgOp *op, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site)
{
    Call c = { .op = op, .sig = cg_op_sig(op), .span = site ? site->span : (CgSpan){ 0 } };
    c.caret = site && site->a ? site->a->span : c.span;
    for (int i = 0; i < n; i++)
        if (cg_is_late(args[i]) && !is_static(c.sig, names ? names[i] : NULL, i))
            return cg_late(e, op->name, args, spans, n, c.span);
    if (e->defining && is_unknown_number(op, args, n))
        return cg_value_unknown(e, CG_UNKNOWN_NUMBER, c.span);
    if (!sort_arguments(e, &(CgGiven){ args, names, spans, n, site }, &c))
        return cg_value_poison(e);
    for (int i = 0; i < n; i++)
        if (args[i]->open) /* how many tensors there are is not known */
            return cg_value_poison(e);
    CgValue *number = of_numbers(e, f, &c);
    if (number)
        return number;
    if (!e->model)
        return no_tensors(e, &c);
    e->model->build.span = c.span;
    if (!all_tensors(e, op->name, c.in, c.spans, c.n, c.span)
        || ((op->traits & CG_ELEMENTWISE) && !cg_broadcast_all(e, op, c.in, c.spans, c.n, c.caret)))
        return cg_value_poison(e);
    bool good;
    const CgAttrs *attrs = attributes(e, f, &c, c.n ? c.in[0] : NULL, &good);
    if (!good)
        return cg_value_poison(e);
    bool of_one = c.n == 1;
    CgValue *v = emit_groups(e, op, c.in, c.spans, c.n, attrs, c.span, c.caret);
    for (int j = 0; j < c.sig->n && of_one && v->kind == CG_VALUE_TENSOR; j++)
        if (!c.sig->at[j].is_tensor)
            v->tensor->written |= (uint16_t)cg_written_ones(c.args.written[j]);
    return v;
}
