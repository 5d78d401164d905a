/* mismatch.c - operands that the rule of an op refuses: where their sizes come from, and what would fit.
 * Takes what the rule said; gives a diagnostic, or nothing while a graph is checked where it is defined and sizes that
 * are not known there may yet agree. */
#include <string.h>

#include "elab/define.h"
#include "elab/elab.h"
#include "graph/registry.h"
#include "lang/foreign.h"

/* The axis that a complaint is about, -1: none. */
static int refused_axis(CgElab *e, const CgInfer *inf, CgValue *const *in, int n, int k)
{
    int o = inf->operand[k], axis = inf->axis[k];
    return o >= 0 && o < n && axis >= 0 && axis < cg_value_type(e, in[o])->rank ? axis : -1;
}

/* While a graph is checked where it is defined: the op's rule refuses operands, for two sizes or for one axis. True
 * when nothing is to be said. */
static bool may_fit(CgElab *e, const CgInfer *inf, CgValue *const *in, int n, CgSpan at)
{
    int axis = refused_axis(e, inf, in, n, 0);
    if (!inf->size[0]) /* without an axis: number of axes, types of elements, a size that is none */
        return axis >= 0 && !cg_dim_is_int(cg_value_type(e, in[inf->operand[0]])->dim[axis], NULL);
    if (inf->at_most)
        return !cg_define_less(e, inf->size[1], inf->size[0]);
    if (!cg_define_equal(e, inf->size[0], inf->size[1], at))
        return false;
    for (int k = 0; k < 2; k++)
        if (refused_axis(e, inf, in, n, k) >= 0)
            cg_define_from(e, inf->size[k], in[inf->operand[k]]->tensor->origin[inf->axis[k]]);
    return true;
}

static bool fits(const CgInfer *inf, CgType *types, int n)
{
    CgInfer again = { .op = inf->op,
        .nin = n,
        .in = types,
        .attrs = inf->attrs,
        .nout = inf->op->nout ? inf->op->nout : 1,
        .operand = { -1, -1 },
        .axis = { -1, -1 } };
    return inf->op->shape(&again);
}

/* Two operands that the op would take the other way round. */
static bool fits_swapped(CgElab *e, const CgInfer *inf, CgValue *const *in, int n)
{
    CgType types[CG_MAX_IN];
    if (n < 2 || (inf->op->traits & CG_ELEMENTWISE) || cg_op_sig(inf->op)->any_number)
        return false;
    for (int i = 0; i < n; i++)
        types[i] = *cg_value_type(e, in[i < 2 ? 1 - i : i]);
    return fits(inf, types, n);
}

/* The operand that the op would take as another type of elements, which is that of `to`; -1: none. */
static int fits_cast(CgElab *e, const CgInfer *inf, CgValue *const *in, int n, CgDtype *to)
{
    CgType types[CG_MAX_IN];
    for (int i = 0; i < n; i++)
        types[i] = *cg_value_type(e, in[i]);
    for (int i = 0; i < n && !cg_op_sig(inf->op)->any_number; i++) {
        CgDtype own = types[i].dtype;
        types[i].dtype = *to = cg_dtype_is_float(own) ? CG_I32 : CG_F32;
        if (fits(inf, types, n))
            return i;
        types[i].dtype = own;
    }
    return -1;
}

static void help_order(CgDiag *d, const CgOp *op)
{
    const CgSig *sig = cg_op_sig(op);
    CgStrbuf order = { 0 };
    for (int i = 0, k = 0; i < sig->n; i++)
        if (sig->at[i].is_tensor)
            cg_strbuf_printf(&order, "%s%s", k++ ? ", " : "", sig->at[i].name);
    cg_diag_help(d, "the first two fit the other way round: %s(%s)", op->name, cg_strbuf_str(&order));
    cg_strbuf_deinit(&order);
}

/* Two factors that were meant with the right one turned: their last axes are one size. */
static bool fits_transposed(const CgType *a, const CgType *b)
{
    bool fits = a->rank >= 2 && b->rank >= 2 && a->dim[a->rank - 1] != b->dim[b->rank - 2];
    return fits && a->dim[a->rank - 1] == b->dim[b->rank - 1] && !cg_define_is_any(b->dim[b->rank - 2]);
}

/* The one axis in which two tensors differ, where an op along another one is refused; -1: there is none. */
static int other_axis(const CgType *a, const CgType *b, const CgAttrs *attrs)
{
    int found = -1, differ = 0;
    bool along = cg_attr_find(attrs, "axis") && a->rank == b->rank;
    for (int k = 0; along && k < a->rank; k++)
        if (a->dim[k] != b->dim[k])
            found = k, differ++;
    return differ == 1 ? found : -1;
}

/* Operands of the right kind of numbers for something else. */
static void help_meaning(CgElab *e, CgDiag *d, const CgInfer *inf, CgValue *const *in, int n)
{
    const CgType *a = cg_value_type(e, in[0]), *b = n > 1 ? cg_value_type(e, in[1]) : NULL;
    const CgAttr *to = cg_attr_find(inf->attrs, "to");
    const CgForeign *row = to && to->kind == CG_ATTR_STR ? cg_foreign(CG_FOREIGN_TYPE, to->s) : NULL;
    int axis = -1;
    if (row)
        cg_foreign_answer(d, row);
    else if (n == 2 && (inf->op->traits & CG_PRODUCTS) && (a->dtype == CG_I32 || a->dtype == CG_I64)
        && b->dtype == CG_F32)
        cg_diag_help(
            d, "rows of a table are taken by their numbers: take(table, ids), as embedding(vocab, dim)(ids) does");
    else if (n == 2 && strstr(inf->message, "operand 0 is i32") && a->rank == b->rank && b->dtype != CG_F32
        && !(inf->op->traits & CG_ELEMENTWISE))
        cg_diag_help(d, "numbers for each class are wanted, not the likeliest class: leave argmax out");
    else if (n == 2 && strstr(inf->message, "sizes differ") && (axis = other_axis(a, b, inf->attrs)) >= 0)
        cg_diag_help(d, "they fit along axis %d", axis);
    else if (strstr(inf->message, "would have size -1"))
        cg_diag_help(d,
            "sizes are written out, as [B, T*D], or rearrange(x, [B, T, D] -> [B, T*D]) says what becomes of each "
            "axis");
    else if (n == 2 && strstr(inf->message, "operand 1 has") && a->rank == b->rank + 2)
        cg_diag_help(d,
            "one class a row goes with one vector a row: mean(x, axis = 1), or x[.., -1, 0..], of those of all places");
    else if (n == 2 && (inf->op->traits & CG_PRODUCTS) && a->rank == 1 && b->rank == 2)
        cg_diag_help(d, "rows of a batch are x: f32[B, D]; a single one is a matrix of one row: reshape(x, [1, D])");
    else if (n == 2 && strstr(inf->message, "i32 or i64") && cg_dtype_is_float(b->dtype) && a->rank == b->rank)
        cg_diag_help(d,
            "the target is the number of its class, ids: i32[..]; of probabilities it is soft_cross_entropy(logits, "
            "p), of std.loss");
}

/* An operand as it is written, where that is a few words on one line; else x. */
static void written(CgElab *e, const CgSpan *spans, int i, char *out, size_t size)
{
    const CgSource *s = spans && spans[i].file ? cg_sources_get(e->sources, spans[i].file) : NULL;
    size_t n = s ? spans[i].end - spans[i].start : 0;
    bool few = n && n < size && !memchr(s->text + spans[i].start, '\n', n);
    snprintf(out, size, "%.*s", few ? (int)n : 1, few ? s->text + spans[i].start : "x");
}

CgValue *cg_op_mismatch(
    CgElab *e, const CgInfer *inf, CgValue *const *in, const CgSpan *spans, int n, CgSpan span, CgSpan caret)
{
    bool turned =
        n == 2 && (inf->op->traits & CG_PRODUCTS) && fits_transposed(cg_value_type(e, in[0]), cg_value_type(e, in[1]));
    bool number = turned && inf->size[0] && inf->size[1]
        && (cg_dim_is_int(inf->size[0], NULL) || cg_dim_is_int(inf->size[1], NULL));
    if (e->defining && (!number || cg_define_silent(e)) && may_fit(e, inf, in, n, caret.file ? caret : span))
        return cg_value_poison(e);
    CgDiag *d = cg_elab_error(e, CG_E0405, caret.file ? caret : span, "%s: %s", inf->op->name,
        inf->message[0] ? inf->message : "the operands do not fit");
    if (!inf->at_most)
        cg_define_explain(e, d, inf->size[0], inf->size[1]);
    for (int i = 0; i < n; i++) {
        CgStrbuf text = { 0 };
        cg_type_print(cg_value_type(e, in[i]), &text);
        if (spans && spans[i].file)
            cg_diag_label(d, spans[i], "%s", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    for (int k = 0; k < 2; k++) {
        const CgValue *of = refused_axis(e, inf, in, n, k) >= 0 ? in[inf->operand[k]] : NULL;
        if (of)
            cg_note_origin(e, d, cg_value_type(e, of)->dim[inf->axis[k]], of->tensor->origin[inf->axis[k]]);
    }
    CgDtype to;
    int cast = -1;
    char text[32];
    if (cg_of_library(e, span))
        return cg_value_poison(e);
    if (fits_swapped(e, inf, in, n))
        help_order(d, inf->op);
    else if (!(inf->op->traits & CG_ELEMENTWISE) && (cast = fits_cast(e, inf, in, n, &to)) >= 0) {
        written(e, spans, cast, text, sizeof text);
        size_t n_text = strlen(text);
        bool mask = n_text > 5 && !strcmp(text + n_text - 5, "_mask"); /* as datasets call them */
        if (mask && to == CG_I32)
            cg_diag_help(
                d, "a mask says which places count: weight = %s; ids are in '%.*s'", text, (int)n_text - 5, text);
        else
            cg_diag_help(d, "operand %d fits as cast(%s, %s)%s", cast, text, cg_dtype_name(to),
                to == CG_I32 ? "; classes in a file are numbered by field(\"class\", classes = [..])" : "");
    }
    help_meaning(e, d, inf, in, n);
    if (caret.file && cg_sources_get(e->sources, caret.file)->text[caret.start] == '/' && n == 2
        && !cg_dtype_is_float(cg_value_type(e, in[0])->dtype)
        && cg_value_type(e, in[0])->dtype == cg_value_type(e, in[1])->dtype)
        cg_diag_help(d, "integers are divided by '//', which rounds down; cast(x, f32) / 2 is exact");
    if (turned) {
        written(e, spans, 1, text, sizeof text);
        cg_diag_help(d, "the right one fits when its last two axes are exchanged: transpose(%s)", text);
    }
    if (n == 2 && (inf->op->traits & CG_ELEMENTWISE)
        && cg_value_type(e, in[0])->dtype != cg_value_type(e, in[1])->dtype) {
        int kept = cg_dtype_is_float(cg_value_type(e, in[0])->dtype) ? 0 : 1;
        written(e, spans, 1 - kept, text, sizeof text);
        cg_diag_help(d, "convert one of them: cast(%s, %s)", text, cg_dtype_name(cg_value_type(e, in[kept])->dtype));
    }
    return cg_value_poison(e);
}
