/* opcall.c - ops applied to what an author wrote.
 * Takes an op, values and names; gives a tensor. Makes broadcasts explicit, turns axis names into numbers, and says
 * where both sizes of a misfit come from. Derivatives and passes never come here. */
#include <math.h>
#include <string.h>

#include "elab/define.h"
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
        if (!cg_dtype_is_float(dtype) && number != floor(number))
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
                if (!to->tensor.label[k])
                    to->tensor.label[k] = from[i]->tensor.label[k];
                to->tensor.origin[k] = from[i]->tensor.origin[k];
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
            if (tensor->tensor.label[i] == name)
                found = i, count++;
        CgSized *s = cg_frame_dim(f, name);
        if (!count && (s || (value && value->kind == CG_VALUE_DIM))) {
            const CgDim *d = s ? s->dim : value->dim;
            for (int i = 0; i < t->rank; i++)
                if (t->dim[i] == d)
                    found = i, count++;
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
                if (tensor->tensor.label[i])
                    cg_strbuf_printf(&axes, "%s = ", tensor->tensor.label[i]);
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
        cg_elab_error(e, CG_E0404, span, "an axis is a name or an integer%s%s", value ? ", not " : "",
            value ? cg_value_kind_name(value) : "");
        return false;
    }
    int64_t i = value->i < 0 ? value->i + t->rank : value->i;
    if (i < 0 || i >= t->rank) {
        cg_elab_error(e, CG_E0404, span, "axis %lld of a tensor with %d axes", (long long)value->i, t->rank);
        return false;
    }
    *out = (int)i;
    return true;
}

static CgValue *misfit(
    CgElab *e, const CgInfer *inf, CgValue *const *in, const CgSpan *spans, int n, CgSpan span, CgSpan caret)
{
    const CgDim *size[2] = { NULL, NULL };
    for (int k = 0; k < 2; k++)
        if (inf->operand[k] >= 0 && inf->operand[k] < n && inf->axis[k] >= 0
            && inf->axis[k] < cg_value_type(e, in[inf->operand[k]])->rank)
            size[k] = cg_value_type(e, in[inf->operand[k]])->dim[inf->axis[k]];
    if (e->defining && cg_define_misfit(e, inf, in, n, size, caret.file ? caret : span))
        return cg_value_poison(e);
    CgDiag *d = cg_elab_error(e, CG_E0405, caret.file ? caret : span, "%s: %s", inf->op->name,
        inf->message[0] ? inf->message : "the operands do not fit");
    cg_define_explain(e, d, size[0], size[1]);
    for (int i = 0; i < n; i++) {
        CgStrbuf text = { 0 };
        cg_type_print(cg_value_type(e, in[i]), &text);
        if (spans && spans[i].file)
            cg_diag_label(d, spans[i], "%s", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    for (int k = 0; k < 2; k++) {
        int o = inf->operand[k], a = inf->axis[k];
        if (o < 0 || o >= n || a < 0)
            continue;
        const CgType *t = cg_value_type(e, in[o]);
        if (a < t->rank)
            cg_note_origin(e, d, t->dim[a], in[o]->tensor.origin[a]);
    }
    if (n == 2 && (inf->op->traits & CG_ELEMENTWISE)
        && cg_value_type(e, in[0])->dtype != cg_value_type(e, in[1])->dtype)
        cg_diag_help(d, "convert one of them: cast(x, %s)", cg_dtype_name(cg_value_type(e, in[0])->dtype));
    return cg_value_poison(e);
}

CgValue *cg_op_emit(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, const CgAttrs *attrs,
    CgSpan span, CgSpan caret)
{
    CgRef refs[CG_MAX_IN];
    for (int i = 0; i < n; i++)
        refs[i] = in[i]->tensor.ref;
    CgInfer inf = { 0 };
    CgBuild *b = &e->model->build;
    b->span = span;
    cg_precision_of(e->model, op, n, refs);
    CgRef r = cg_build_checked(b, op, n, refs, attrs, &inf);
    b->precision = CG_AS_SCOPE;
    if (r == CG_NONE) {
        inf.op = op;
        return misfit(e, &inf, in, spans, n, span, caret);
    }
    if (!cg_below_check(e, op, in, spans, span, caret))
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
        out->at[k] = cg_value_tensor(e, cg_build_part(b, r, k), span);
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
            cg_elab_error(e, CG_E0305, spans && spans[i].file ? spans[i] : span,
                "'%s' works on tensors and numbers, not on %s", op, cg_value_kind_name(in[i]));
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

/* Arithmetic on sizes that are not known: what has no exact result is a number that is not known. */
static CgValue *unknown_sizes(CgElab *e, CgAtom op, const CgValue *a, const CgValue *b, const CgExpr *x)
{
    double number;
    const CgDim *p = cg_value_as_dim(a), *q = cg_value_as_dim(b);
    if (p && q && strchr("+-*/", *op)) {
        const CgDim *d = cg_dim_combine(*op, p, q);
        CgValue *v = d ? cg_value_dim(e, d, x->span) : NULL;
        return v ? v : cg_value_unknown(e, CG_UNKNOWN_NUMBER, x->span);
    }
    if (p == q && p && !strcmp(op, "=="))
        return cg_value_bool(e, true, x->span);
    if ((p || cg_value_number(a, &number)) && (q || cg_value_number(b, &number)))
        return cg_value_unknown(e, strchr("+-*/%^", *op) ? CG_UNKNOWN_NUMBER : CG_UNKNOWN_BOOL, x->span);
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
        if (!all_tensors(e, "@", in, spans, 2, x->span))
            return cg_value_poison(e);
        CgValue *v = cg_op_emit(e, cg_op_get("matmul"), in, spans, 2, NULL, x->span, caret);
        if (v->kind == CG_VALUE_TENSOR) { /* rows from the left, columns from the right */
            const CgType *ta = cg_value_type(e, in[0]), *tb = cg_value_type(e, in[1]), *t = cg_value_type(e, v);
            memset(v->tensor.label, 0, sizeof v->tensor.label);
            for (int k = 0; k + 1 < t->rank && k < ta->rank; k++) {
                v->tensor.label[k] = in[0]->tensor.label[k];
                v->tensor.origin[k] = in[0]->tensor.origin[k];
            }
            if (t->rank && tb->rank) {
                v->tensor.label[t->rank - 1] = in[1]->tensor.label[tb->rank - 1];
                v->tensor.origin[t->rank - 1] = in[1]->tensor.origin[tb->rank - 1];
            }
        }
        return v;
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
            cg_elab_error(
                e, CG_E0305, caret, "%s and %s cannot be compared", cg_value_kind_name(a), cg_value_kind_name(b));
            return cg_value_poison(e);
        }
        bool r = !strcmp(op, "==") ? c == 0
            : !strcmp(op, "!=")    ? c != 0
            : !strcmp(op, "<")     ? c < 0
            : !strcmp(op, "<=")    ? c <= 0
            : !strcmp(op, ">")     ? c > 0
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
    if (*op == '+' && a->kind == CG_VALUE_STR && b->kind == CG_VALUE_STR) {
        CgStrbuf s = { 0 };
        if (!cg_budget_take(e, (int64_t)(strlen(a->s) + strlen(b->s)), x->span))
            return cg_value_poison(e);
        cg_strbuf_printf(&s, "%s%s", a->s, b->s);
        CgValue *v = cg_value_str(e, cg_strbuf_str(&s), x->span);
        cg_strbuf_deinit(&s);
        return v;
    }
    if (*op == '+' && (a->kind == CG_VALUE_RANGE || b->kind == CG_VALUE_RANGE)) {
        a = cg_value_laid_out(e, a);
        b = cg_value_laid_out(e, b);
        if (cg_is_poison(a) || cg_is_poison(b))
            return cg_value_poison(e);
    }
    if (*op == '+' && a->kind == CG_VALUE_LIST && b->kind == CG_VALUE_LIST) {
        if (!cg_budget_take(e, 8 * ((int64_t)a->n + b->n), x->span))
            return cg_value_poison(e);
        CgValue *v = cg_value_list(e, a->n + b->n, x->span);
        for (int i = 0; i < a->n + b->n; i++)
            v->at[i] = i < a->n ? a->at[i] : b->at[i - a->n];
        return v;
    }
    bool fits[2] = { false, false }; /* of a number and something else, the other is out of place */
    for (int i = 0; i < 2; i++) {
        double ignored;
        fits[i] = cg_value_number(in[i], &ignored) || in[i]->kind == CG_VALUE_DIM || in[i]->kind == CG_VALUE_TENSOR;
    }
    if (fits[0] != fits[1])
        caret = spans[fits[0] ? 1 : 0];
    CgDiag *d = cg_elab_error(
        e, CG_E0305, caret, "'%s' has no meaning for %s and %s", op, cg_value_kind_name(a), cg_value_kind_name(b));
    cg_diag_label(d, spans[0], "%s", cg_value_kind_name(a));
    cg_diag_label(d, spans[1], "%s", cg_value_kind_name(b));
    if (!strcmp(op, "//"))
        cg_diag_help(d, "'//' divides integers; of tensors write floor(a / b)");
    return cg_value_poison(e);
}

/* ---- ops by name ----------------------------------------------------------------------------------------------------
 */

/* One static argument of an op as an attribute. */
static bool attribute(CgElab *e, CgFrame *f, const CgSigParam *p, CgValue *v, const CgExpr *written, CgValue *first,
    CgSpan span, CgAttr *out)
{
    const char *type = p->param->type ? p->param->type->name : "int";
    double number;
    int axis;
    if (e->defining && !strcmp(type, "float") && cg_define_vague(e, v)) {
        *out = cg_a_float(p->name, 1);
        return true;
    }
    bool sizes = !strncmp(type, "dim", 3) || !strncmp(p->name, "ax", 2);
    if (cg_is_poison(v) || v->open || (e->defining && v->kind == CG_VALUE_DIM && !sizes))
        return false;
    if (!strcmp(p->name, "axis") && first) {
        if (!cg_axis_of(e, f, first, written, v, span, &axis))
            return false;
        *out = cg_a_int(p->name, axis);
        return true;
    }
    if (!strcmp(p->name, "axes") && first) {
        int64_t axes[CG_MAX_RANK];
        int n = 0;
        if (v->kind == CG_VALUE_LIST) {
            for (int i = 0; i < v->n && i < CG_MAX_RANK; i++) {
                const CgExpr *w =
                    written && written->kind == CG_EXPR_LIST && i < written->args.n ? written->args.at[i].value : NULL;
                if (!cg_axis_of(e, f, first, w, v->at[i], span, &axis))
                    return false;
                axes[n++] = axis;
            }
        } else {
            if (!cg_axis_of(e, f, first, written, v, span, &axis))
                return false;
            axes[n++] = axis;
        }
        *out = cg_a_ints(p->name, n, axes);
        return true;
    }
    if (!strcmp(type, "dim") || !strcmp(type, "dims")) {
        const CgDim *d[CG_MAX_RANK];
        int n = 0;
        if (v->kind == CG_VALUE_LIST) {
            for (int i = 0; i < v->n; i++)
                if (cg_is_poison(v->at[i]))
                    return false;
            for (int i = 0; i < v->n && i < CG_MAX_RANK; i++)
                if ((d[n] = cg_value_as_dim(v->at[i])))
                    n++;
        } else if ((d[0] = cg_value_as_dim(v))) {
            n = 1;
        }
        *out = cg_a_dims(p->name, n, d);
        if (n == (v->kind == CG_VALUE_LIST ? v->n : 1))
            return true;
    } else if (!strcmp(type, "ints") && v->kind == CG_VALUE_LIST) {
        int64_t at[CG_MAX_RANK];
        int n = 0;
        for (; n < v->n && n < CG_MAX_RANK && v->at[n]->kind == CG_VALUE_INT; n++)
            at[n] = v->at[n]->i;
        *out = cg_a_ints(p->name, n, at);
        if (n == v->n)
            return true;
    } else if (!strcmp(type, "int") && v->kind == CG_VALUE_INT) {
        *out = cg_a_int(p->name, v->i);
        return true;
    } else if (!strcmp(type, "bool") && v->kind == CG_VALUE_BOOL) {
        *out = cg_a_int(p->name, v->i);
        return true;
    } else if (!strcmp(type, "float") && cg_value_number(v, &number)) {
        *out = cg_a_float(p->name, number);
        return true;
    } else if (!strcmp(type, "str") && v->kind == CG_VALUE_STR) {
        *out = cg_a_str(p->name, v->s);
        return true;
    } else if (!strcmp(type, "str") && v->kind == CG_VALUE_DTYPE) {
        *out = cg_a_str(p->name, cg_dtype_name((CgDtype)v->i));
        return true;
    }
    cg_elab_error(e, CG_E0305, span, "'%s' of the op is of type %s, not %s", p->name, type, cg_value_kind_name(v));
    return false;
}

/* A draw, or any other op without operands: its type is that of the parameter being initialised. */
static CgValue *generate(CgElab *e, CgFrame *f, const CgOp *op, CgSpan span)
{
    if (!f || !f->has_ambient) {
        CgDiag *d = cg_elab_error(e, CG_E0403, span, "'%s' does not know its shape here", op->name);
        cg_diag_help(d, "it takes the shape of the parameter it initialises: param w: f32[D, E] = %s()", op->name);
        return cg_value_poison(e);
    }
    CgAttr at[2] = { cg_a_type("type", f->ambient) };
    int n = 1;
    if (op->traits & CG_RANDOM) {
        CgAtom path = f->ambient_path;
        at[n++] = cg_a_int("stream", (int64_t)(cg_hash64(path, strlen(path), 0) >> 1)); /* attributes are signed */
    }
    return cg_op_emit(e, op, NULL, NULL, 0, cg_attrs(n, at), span, span);
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

CgValue *cg_op_call(
    CgElab *e, CgFrame *f, const CgOp *op, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site)
{
    CgSpan span = site ? site->span : (CgSpan){ 0 }, caret = site && site->a ? site->a->span : span;
    const CgSig *sig = cg_op_sig(op);
    for (int i = 0; i < n; i++)
        if (cg_is_late(args[i]))
            return cg_late(e, op->name, args, spans, n, span);
    if (!e->model) {
        double x;
        if (n == 1 && cg_value_number(args[0], &x)) { /* plain numbers: sqrt(2) */
            static const struct {
                const char *name;
                double (*fn)(double);
            } table[] = {
                { "sqrt", sqrt },
                { "exp", exp },
                { "log", log },
                { "abs", fabs },
                { "sin", sin },
                { "cos", cos },
                { "floor", floor },
                { "ceil", ceil },
                { "round", round },
                { "tanh", tanh },
            };
            for (size_t i = 0; i < CG_LEN(table); i++)
                if (!strcmp(table[i].name, op->name))
                    return cg_value_float(e, table[i].fn(x), span);
        }
        cg_elab_error(e, CG_E0503, caret,
            "op '%s' works on tensors, and there are none outside of graphs, train and evaluate", op->name);
        return cg_value_poison(e);
    }
    if (n == 1 && (args[0]->kind == CG_VALUE_INT || args[0]->kind == CG_VALUE_FLOAT) && sig->ntensors == 1
        && !strcmp(op->name, "sqrt")) {
        double x = 0;
        cg_value_number(args[0], &x);
        return cg_value_float(e, sqrt(x), span);
    }
    if (e->defining && is_unknown_number(op, args, n))
        return cg_value_unknown(e, CG_UNKNOWN_NUMBER, span);
    if (op->traits & CG_GENERATOR && n == 0)
        return generate(e, f, op, span);
    bool rest = sig->n && sig->at[0].is_rest;
    int most = sig->n;
    for (int i = 0; rest && i < n; i++)
        most += args[i]->kind == CG_VALUE_LIST ? args[i]->n : 1;
    CgValue **tensors = CG_NEWN(e->arena, CgValue *, most + 1);
    CgSpan *tspans = CG_NEWN(e->arena, CgSpan, most + 1);
    CgValue *statics[32] = { 0 };
    CgSpan sspans[32] = { 0 };
    const CgExpr *written[32] = { 0 };
    int nt = 0;
    bool good = true;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++) {
            if ((names[i] != NULL) != (pass == 0))
                continue;
            int k = -1;
            if (names[i]) {
                for (int j = 0; j < sig->n; j++)
                    if (sig->at[j].name == names[i] || (!strcmp(names[i], "axis") && !strcmp(sig->at[j].name, "axes")))
                        k = j; /* one axis is a list of one */
                if (k < 0) {
                    CgSuggest s;
                    cg_suggest_init(&s, names[i]);
                    for (int j = 0; j < sig->n; j++)
                        cg_suggest_offer(&s, sig->at[j].name);
                    CgDiag *d =
                        cg_elab_error(e, CG_E0303, site && i < site->args.n ? site->args.at[i].name_span : spans[i],
                            "op '%s' has no argument '%s'", op->name, names[i]);
                    if (cg_suggest_best(&s))
                        cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&s));
                    else
                        cg_diag_help(d, "its signature is %s%s", op->name, op->sig);
                    good = false;
                    continue;
                }
            }
            if (rest && k <= 0) {
                bool list = args[i]->kind == CG_VALUE_LIST;
                for (int j = 0; j < (list ? args[i]->n : 1); j++) {
                    tensors[nt] = list ? args[i]->at[j] : args[i];
                    tspans[nt++] = spans[i];
                }
                continue;
            } else {
                for (int j = 0; j < sig->n && k < 0; j++)
                    if (!statics[j])
                        k = j;
            }
            if (k < 0 || k >= 32) {
                cg_elab_error(e, CG_E0303, spans[i], "op '%s' takes %d arguments", op->name, sig->n);
                good = false;
                continue;
            }
            statics[k] = args[i];
            sspans[k] = spans[i];
            written[k] = site && i < site->args.n ? site->args.at[i].value : NULL;
        }
    if (!good)
        return cg_value_poison(e);
    for (int j = 0; j < sig->n && j < 32; j++) {
        if (sig->at[j].is_rest || !sig->at[j].is_tensor)
            continue;
        if (!statics[j]) {
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "op '%s' needs '%s'", op->name, sig->at[j].name);
            cg_diag_help(d, "its signature is %s%s", op->name, op->sig);
            return cg_value_poison(e);
        }
        tensors[nt] = statics[j];
        tspans[nt++] = sspans[j];
    }
    for (int i = 0; i < n; i++)
        if (args[i]->open) /* how many tensors there are is not known */
            return cg_value_poison(e);
    e->model->build.span = span;
    if (!all_tensors(e, op->name, tensors, tspans, nt, span)
        || ((op->traits & CG_ELEMENTWISE) && !cg_broadcast_all(e, op, tensors, tspans, nt, caret)))
        return cg_value_poison(e);
    CgAttr attrs[32];
    int na = 0;
    for (int j = 0; j < sig->n && j < 32; j++) {
        const CgSigParam *p = &sig->at[j];
        if (p->is_rest || p->is_tensor)
            continue;
        if (p->optional && (!statics[j] || statics[j]->kind == CG_VALUE_NONE))
            continue;
        if (!statics[j]) {
            if (p->has_init) {
                attrs[na] = p->init;
                attrs[na++].name = p->name;
                continue;
            }
            if (!strcmp(p->name, "axes") && nt) { /* no axes given: all of them */
                int64_t all[CG_MAX_RANK];
                int rank = cg_value_type(e, tensors[0])->rank;
                for (int k = 0; k < rank; k++)
                    all[k] = k;
                attrs[na++] = cg_a_ints("axes", rank, all);
                continue;
            }
            CgDiag *d = cg_elab_error(e, CG_E0304, span, "op '%s' needs '%s'", op->name, p->name);
            cg_diag_help(d, "its signature is %s%s", op->name, op->sig);
            return cg_value_poison(e);
        }
        if (!attribute(e, f, p, statics[j], written[j], nt ? tensors[0] : NULL, sspans[j], &attrs[na]))
            return cg_value_poison(e);
        na++;
    }
    CgValue *v = emit_groups(e, op, tensors, tspans, nt, cg_attrs(na, attrs), span, caret);
    for (int j = 0; j < sig->n && j < 32 && v->kind == CG_VALUE_TENSOR && nt == 1; j++)
        v->tensor.written |= (uint16_t)(statics[j] && !sig->at[j].is_tensor ? cg_written_ones(written[j]) : 0);
    return v;
}
