/* broadcast.c - operands of elementwise ops brought to one shape.
 * Takes tensors; gives them repeated along axes they lack and along axes of size 1. A 1 grows only where one operand
 * has the shape of the result, or where the author wrote that 1: otherwise it is a mistake, as in x @ w - y. */
#include <string.h>

#include "elab/define.h"

static void print_value(CgElab *e, const CgValue *v, CgStrbuf *out)
{
    const CgType *t = cg_value_type(e, v);
    cg_strbuf_puts(out, "[");
    for (int k = 0; k < t->rank; k++) {
        cg_strbuf_puts(out, k ? ", " : "");
        if (v->tensor->label[k] && t->dim[k] != cg_dim_int(1))
            cg_strbuf_puts(out, v->tensor->label[k]);
        else
            cg_dim_print(t->dim[k], out);
    }
    cg_strbuf_puts(out, "]");
}

static void label_operands(CgElab *e, CgDiag *d, CgValue *const *in, const CgSpan *spans, int n)
{
    for (int i = 0; i < n && spans; i++) {
        CgStrbuf text = { 0 };
        cg_type_print(cg_value_type(e, in[i]), &text);
        if (spans[i].file)
            cg_diag_label(d, spans[i], "%s", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
}

/* The text of an operand as the script has it, if it is short. */
static bool print_operand(CgElab *e, CgSpan span, CgStrbuf *out)
{
    const CgSource *s = span.file ? cg_sources_get(e->sources, span.file) : NULL;
    if (!s || span.end <= span.start || span.end - span.start > 40)
        return false;
    cg_strbuf_write(out, s->text + span.start, span.end - span.start);
    return !strchr(cg_strbuf_str(out), '\n');
}

/* The operand with fewer axes, whose axes are some of the other's in their order, in the shape that lines them up. */
static void help_aligned(CgElab *e, CgDiag *d, const CgType *wide, const CgType *t, CgSpan span)
{
    CgStrbuf text = { 0 }, shape = { 0 };
    int k = 0;
    for (int at = 0; at < wide->rank; at++) {
        bool same = k < t->rank && t->dim[k] == wide->dim[at];
        cg_strbuf_puts(&shape, at ? ", " : "");
        if (same)
            cg_dim_print(t->dim[k++], &shape);
        else
            cg_strbuf_puts(&shape, "1");
    }
    if (t->rank < wide->rank && k == t->rank && print_operand(e, span, &text))
        cg_diag_help(d, "axes are lined up from the last; to have those of one name meet: reshape(%s, [%s])",
            cg_strbuf_str(&text), cg_strbuf_str(&shape));
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&shape);
}

/* Whether factors that are multiplied one by one, by the operator at `caret`, fit as matrices. */
static bool is_product(CgElab *e, CgValue *const *in, CgSpan caret)
{
    const CgType *a = cg_value_type(e, in[0]), *b = cg_value_type(e, in[1]);
    return caret.file && cg_sources_get(e->sources, caret.file)->text[caret.start] == '*' && a->rank >= 2
        && b->rank == 2 && a->dim[a->rank - 1] == b->dim[0];
}

/* The result: at each axis the size that is not 1, with its origin and label. False after a report. */
static bool shape_of_all(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, CgSpan caret,
    CgType *shape, CgTensorValue *from)
{
    int widest = 0;
    for (int i = 0; i < n; i++)
        if (cg_value_type(e, in[i])->rank > cg_value_type(e, in[widest])->rank)
            widest = i;
    *shape = *cg_value_type(e, in[widest]);
    *from = *in[widest]->tensor;
    const CgDim *one = cg_dim_int(1);
    for (int i = 0; i < n; i++) {
        const CgType *t = cg_value_type(e, in[i]);
        for (int k = 0; k < t->rank; k++) {
            int at = k + shape->rank - t->rank;
            const CgDim *mine = t->dim[k], *theirs = shape->dim[at];
            if (mine == theirs || mine == one)
                continue;
            if (theirs == one) {
                shape->dim[at] = mine;
                from->origin[at] = in[i]->tensor->origin[k];
                from->label[at] = in[i]->tensor->label[k];
                continue;
            }
            if (cg_define_equal(e, theirs, mine, caret)) {
                cg_define_from(e, theirs, from->origin[at]);
                cg_define_from(e, mine, in[i]->tensor->origin[k]);
                return false;
            }
            CgStrbuf a = { 0 }, c = { 0 };
            cg_dim_print(theirs, &a);
            cg_dim_print(mine, &c);
            CgDiag *d = cg_elab_error(
                e, CG_E0402, caret, "%s: sizes differ: %s and %s", op->name, cg_strbuf_str(&a), cg_strbuf_str(&c));
            label_operands(e, d, in, spans, n);
            cg_note_origin(e, d, theirs, from->origin[at]);
            cg_note_origin(e, d, mine, in[i]->tensor->origin[k]);
            bool product = n == 2 && is_product(e, in, caret);
            if (product)
                cg_diag_help(d, "'*' is of each element with its own; the product of matrices is '@'");
            else if (spans)
                help_aligned(e, d, cg_value_type(e, in[widest]), t, spans[i]);
            if (!product)
                cg_define_explain(e, d, theirs, mine);
            cg_strbuf_deinit(&a);
            cg_strbuf_deinit(&c);
            return false;
        }
    }
    return true;
}

/* The other operand in the shape that was probably meant: as many axes as `grown`, its own first, then those of size 1.
 */
static void help_grown(CgElab *e, CgDiag *d, CgValue *const *in, const CgSpan *spans, int n, int grown)
{
    const CgType *g = cg_value_type(e, in[grown]);
    CgStrbuf text = { 0 };
    for (int i = 0; i < n && spans; i++) {
        const CgType *t = cg_value_type(e, in[i]);
        bool leads = t->rank && t->rank < g->rank;
        for (int k = 0; leads && k < g->rank; k++)
            leads = k < t->rank ? g->dim[k] == t->dim[k] : g->dim[k] == cg_dim_int(1);
        if (!leads || !print_operand(e, spans[i], &text))
            continue;
        CgStrbuf shape = { 0 };
        print_value(e, in[grown], &shape);
        cg_diag_help(d, "to pair their elements: reshape(%s, %s)", cg_strbuf_str(&text), cg_strbuf_str(&shape));
        cg_strbuf_deinit(&shape);
        cg_strbuf_deinit(&text);
        return;
    }
    cg_strbuf_deinit(&text);
    if (!spans || !print_operand(e, spans[grown], &text))
        cg_strbuf_printf(&text, "x");
    CgStrbuf shape = { 0 };
    print_value(e, in[grown], &shape);
    cg_diag_help(d, "if the axis of size 1 is to be repeated, write it: reshape(%s, %s)", cg_strbuf_str(&text),
        cg_strbuf_str(&shape));
    cg_strbuf_deinit(&shape);
    cg_strbuf_deinit(&text);
}

/* Whether each 1 that grows may. */
static bool may_grow(
    CgElab *e, const CgOp *op, CgValue *const *in, const CgSpan *spans, int n, CgSpan caret, const CgType *shape)
{
    const CgDim *one = cg_dim_int(1);
    int grown = -1, axis = 0;
    for (int i = 0; i < n; i++) {
        const CgType *t = cg_value_type(e, in[i]);
        bool whole = t->rank == shape->rank;
        for (int k = 0; k < t->rank; k++) {
            const CgDim *to = shape->dim[k + shape->rank - t->rank];
            bool grows = t->dim[k] == one && to != one && !cg_define_is_any(to);
            whole &= !grows;
            if (grows && !(in[i]->tensor->written >> k & 1) && grown < 0)
                grown = i, axis = k;
        }
        if (whole)
            return true;
    }
    if (grown < 0)
        return true;
    CgStrbuf text = { 0 }, to = { 0 };
    cg_type_print(shape, &text);
    cg_dim_print(shape->dim[axis + shape->rank - cg_value_type(e, in[grown])->rank], &to);
    CgDiag *d = cg_elab_error(
        e, CG_E0407, caret, "%s: no operand has the shape of the result, %s", op->name, cg_strbuf_str(&text));
    label_operands(e, d, in, spans, n);
    if (spans && spans[grown].file)
        cg_diag_note(d, (CgSpan){ 0 }, "axis %d of the %s operand would grow from 1 to %s", axis,
            grown == 0       ? "first"
                : grown == 1 ? "second"
                             : "third",
            cg_strbuf_str(&to));
    help_grown(e, d, in, spans, n, grown);
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&to);
    return false;
}

/* Of a size 1 in the result: every operand that has it has it written. */
static uint16_t written_of_all(CgElab *e, CgValue *const *in, int n, const CgType *shape)
{
    unsigned out = 0;
    for (int k = 0; k < shape->rank; k++) {
        bool all = shape->dim[k] == cg_dim_int(1);
        for (int i = 0; i < n && all; i++) {
            int own = k - (shape->rank - cg_value_type(e, in[i])->rank);
            all = own < 0 || (in[i]->tensor->written >> own & 1);
        }
        out |= (unsigned)all << k;
    }
    return (uint16_t)out;
}

/* One operand repeated to `shape`; itself when it has that shape. */
static CgValue *repeat(CgElab *e, CgValue *v, const CgType *shape, const CgTensorValue *from)
{
    const CgType t = *cg_value_type(e, v);
    const CgDim *kept[CG_MAX_RANK], *one = cg_dim_int(1);
    int64_t axes[CG_MAX_RANK];
    int nkept = 0, shift = shape->rank - t.rank;
    bool differs = shift != 0;
    for (int k = 0; k < shape->rank; k++) {
        axes[k] = -1;
        if (k < shift)
            continue;
        bool grows = t.dim[k - shift] == one && shape->dim[k] != one;
        differs |= grows;
        if (!grows) {
            axes[k] = nkept;
            kept[nkept++] = t.dim[k - shift];
        }
    }
    if (!differs)
        return v;
    CgBuild *b = &e->model->build;
    CgRef r = v->tensor->ref;
    if (nkept != t.rank)
        r = cg_reshape(b, r, nkept, kept);
    CgValue *out = cg_value_tensor(e, cg_broadcast(b, r, shape->rank, shape->dim, axes), v->span);
    for (int k = 0; k < shape->rank; k++) {
        out->tensor->label[k] = from->label[k];
        out->tensor->origin[k] = from->origin[k];
    }
    return out;
}

bool cg_broadcast_all(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, CgSpan caret)
{
    CgType shape;
    CgTensorValue from;
    if (!shape_of_all(e, op, in, spans, n, caret, &shape, &from) || !may_grow(e, op, in, spans, n, caret, &shape))
        return false;
    uint16_t written = written_of_all(e, in, n, &shape);
    for (int i = 0; i < n; i++) {
        CgValue *same = repeat(e, in[i], &shape, &from);
        if (same == in[i] && in[i]->tensor->written != written) {
            same = cg_value_new(e, CG_VALUE_TENSOR, in[i]->span);
            *same->tensor = *in[i]->tensor;
        }
        same->tensor->written = written;
        in[i] = same;
    }
    return true;
}

/* Of a product of matrices, the axes before the last two. A right operand with two axes is shared as it is. */
void cg_broadcast_batches(CgElab *e, CgValue **in)
{
    CgType shape[2] = { *cg_value_type(e, in[0]), *cg_value_type(e, in[1]) };
    const CgTensorValue *from[2] = { in[0]->tensor, in[1]->tensor };
    const CgDim *one = cg_dim_int(1), *batch[CG_MAX_RANK];
    CgTensorValue labels[2] = { { 0 }, { 0 } };
    int most = (shape[0].rank > shape[1].rank ? shape[0].rank : shape[1].rank) - 2;
    bool whole[2] = { true, true }, written = true;
    if (shape[0].rank < 2 || shape[1].rank < 3)
        return;
    for (int k = 0; k < most; k++) {
        const CgDim *size[2];
        int own[2];
        for (int i = 0; i < 2; i++) {
            own[i] = k - (most - (shape[i].rank - 2));
            size[i] = own[i] < 0 ? one : shape[i].dim[own[i]];
        }
        int wide = size[0] == one && own[1] >= 0 ? 1 : 0, other = 1 - wide;
        if (size[0] != size[1] && size[other] != one)
            return; /* the op reports it */
        batch[k] = size[wide];
        bool grows = size[other] != batch[k] || own[other] < 0;
        whole[other] &= !grows;
        written &= !grows || own[other] < 0 || (from[other]->written >> own[other] & 1);
        for (int i = 0; i < 2; i++) {
            labels[i].label[k] = from[wide]->label[own[wide]];
            labels[i].origin[k] = from[wide]->origin[own[wide]];
        }
    }
    if (!whole[0] && !whole[1] && !written)
        return;
    for (int i = 0; i < 2; i++) {
        int rank = shape[i].rank;
        CgType to = { .dtype = shape[i].dtype, .rank = most + 2 };
        for (int k = 0; k < most; k++)
            to.dim[k] = batch[k];
        for (int k = 0; k < 2; k++) {
            to.dim[most + k] = shape[i].dim[rank - 2 + k];
            labels[i].label[most + k] = from[i]->label[rank - 2 + k];
            labels[i].origin[most + k] = from[i]->origin[rank - 2 + k];
        }
        in[i] = repeat(e, in[i], &to, &labels[i]);
    }
}

void cg_written_of(CgElab *e, CgValue *to, const CgOp *op, const CgAttrs *attrs, CgValue *const *in, int n)
{
    if (!n || op->traits & CG_PRODUCTS)
        return;
    const CgType *t = cg_value_type(e, to), *x = cg_value_type(e, in[0]);
    const CgAttr *perm = cg_attr_find(attrs, "perm");
    bool same = t->rank == x->rank;
    for (int k = 0; same && n > 1 && k < t->rank; k++)
        same = t->dim[k] == x->dim[k];
    for (int k = 0; same && k < t->rank; k++) {
        int from = perm && k < perm->n ? (int)perm->ints[k] : k;
        if (t->dim[k] == cg_dim_int(1) && x->dim[from] == t->dim[k] && in[0]->tensor->written >> from & 1)
            to->tensor->written |= (uint16_t)(1u << k);
    }
}

unsigned cg_written_ones(const CgExpr *shape)
{
    unsigned out = 0;
    for (int k = 0; shape && shape->kind == CG_EXPR_LIST && k < shape->args.n && k < CG_MAX_RANK; k++) {
        const CgExpr *x = shape->args.at[k].value;
        out |= (unsigned)(x && x->kind == CG_EXPR_INT && x->i == 1) << k;
    }
    return out;
}
