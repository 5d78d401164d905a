/* bound.c - what the elements of integer tensors are below, and which tokenizer's tokens they are.
 * Takes nodes of the model being built; gives a size that all elements are below, where ops say so of their results and
 * declarations or data of inputs, and where it was said. Reports indices that may be outside of their table. */
#include <string.h>

#include "elab/elab.h"

void cg_below_set(CgModelGraph *m, CgRef r, CgBelow below)
{
    cg_map_put(&m->below_of, (uint64_t)r, m->below.len);
    cg_vec_push(&m->below, below);
}

/* What only moves tokens gives tokens; of two tokenizers they are of neither. `in` is what the operands are below. */
static CgValue *tokenizer_of(const CgBelow *of, const CgDim *const *in, int n, const CgDim *size)
{
    CgValue *found = NULL;
    bool several = false;
    for (int i = 0; i < n && size; i++) {
        several |= found && of[i].tokenizer && of[i].tokenizer != found;
        if (of[i].tokenizer && in[i] == size)
            found = of[i].tokenizer;
    }
    return several ? NULL : found;
}

/* What elements are below that is a function of an unknown size is unknown. */
static const CgDim *known_size(const CgDim *size, const CgBelow *of, int n, bool open)
{
    int64_t number;
    for (int i = 0; i < n; i++)
        if (of[i].size == size)
            return size;
    return !open || (size && cg_dim_is_int(size, &number)) ? size : NULL;
}

/* Whether it is known what r is below, or known that nothing is; else its operands come first. */
static bool at_hand(const CgModelGraph *m, CgRef r, CgBelow *out)
{
    const CgNode *n = cg_node(m->graph, r);
    uint64_t known;
    *out = (CgBelow){ 0 };
    if (n->type.dtype != CG_I32 && n->type.dtype != CG_I64)
        return true;
    if (!cg_map_get(&m->below_of, (uint64_t)r, &known))
        return !n->op->below;
    *out = m->below.at[known];
    return true;
}

/* What r is below, by what its operands are, which are at hand. */
static void derive(CgModelGraph *m, CgRef r)
{
    const CgGraph *g = m->graph;
    const CgNode *n = cg_node(g, r);
    CgType types[CG_MAX_IN];
    const CgDim *in[CG_MAX_IN] = { NULL };
    CgBelow of[CG_MAX_IN], out = { 0 };
    const CgDim *unknown = cg_dim_symbol("size of a tokenizer that is not made yet");
    bool open = false;
    for (int i = 0; i < n->nin; i++) {
        types[i] = *cg_node_type(g, n->in[i]);
        (void)at_hand(m, n->in[i], &of[i]);
        in[i] = !of[i].size && of[i].tokenizer ? unknown : of[i].size;
        open |= in[i] == unknown;
    }
    CgInfer inf = { .op = n->op, .nin = n->nin, .in = types, .attrs = n->attrs };
    inf.out[0] = n->type;
    out.size = n->op->below(&inf, in);
    out.from = n->span;
    for (int i = 0; i < n->nin; i++)
        if (out.size && in[i] == out.size)
            out.from = of[i].from;
    out.tokenizer = tokenizer_of(of, in, n->nin, out.size);
    out.size = known_size(out.size, of, n->nin, open);
    for (int i = 0; i < n->nin && out.tokenizer; i++)
        out.filled = out.filled ? out.filled : of[i].filled;
    cg_below_set(m, r, out);
}

static CgBelow find(CgModelGraph *m, CgRef r)
{
    CgBelow out;
    CG_VEC(CgRef) todo = { 0 };
    cg_vec_push(&todo, r);
    while (todo.len) {
        CgRef top = todo.at[todo.len - 1];
        const CgNode *n = cg_node(m->graph, top);
        size_t before = todo.len;
        bool known = at_hand(m, top, &out);
        for (int i = 0; i < n->nin && !known; i++)
            if (!at_hand(m, n->in[i], &out))
                cg_vec_push(&todo, n->in[i]);
        if (todo.len > before)
            continue;
        if (!known)
            derive(m, top);
        todo.len--;
    }
    cg_vec_free(&todo);
    (void)at_hand(m, r, &out);
    return out;
}

CgBelow cg_below_of(CgElab *e, const CgValue *tensor)
{
    CgModelGraph *m = e->model;
    return m->build.graph == m->graph ? find(m, tensor->tensor->ref) : (CgBelow){ 0 };
}

void cg_below_note(CgDiag *d, const CgDim *size, CgSpan from, const char *what)
{
    CgStrbuf text = { 0 };
    cg_dim_print(size, &text);
    if (from.file)
        cg_diag_note(d, from, "%s %s comes from here", what, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

/* Whether numbers below `have` are all below `want`; what is not known is looked at as it runs. */
bool cg_below_fits(const CgDim *have, const CgDim *want)
{
    int64_t a, b;
    return have == want || !have || !cg_dim_is_int(have, &a) || !cg_dim_is_int(want, &b) || a <= b;
}

/* The size that an op's indices should be below: an axis of an operand, or, where `of` is -1, the one size among its
 * attributes, of which *axis is -1. NULL: there is none. */
static const CgDim *wanted(CgElab *e, const CgIndexing *x, CgValue *const *in, const CgAttrs *attrs, int *axis)
{
    *axis = -1;
    for (int i = 0; x->of < 0 && attrs && i < attrs->n; i++)
        if (attrs->at[i].kind == CG_ATTR_DIMS && attrs->at[i].n == 1)
            return attrs->at[i].dims[0];
    if (x->of < 0)
        return NULL;
    const CgType *t = cg_value_type(e, in[x->of]);
    *axis = x->axis < 0 ? x->axis + t->rank : x->axis;
    return *axis >= 0 && *axis < t->rank ? t->dim[*axis] : NULL;
}

bool cg_below_check(
    CgElab *e, const CgOp *op, CgValue *const *in, const CgAttrs *attrs, const CgSpan *spans, CgSpan span, CgSpan caret)
{
    const CgIndexing *x = op->indexing;
    if (!x)
        return true;
    int axis;
    CgBelow have = cg_below_of(e, in[x->by]);
    const CgDim *size = wanted(e, x, in, attrs, &axis);
    if (!size || cg_below_fits(have.size, size))
        return true;
    CgStrbuf a = { 0 }, b = { 0 };
    cg_dim_print(have.size, &a);
    cg_dim_print(size, &b);
    CgDiag *d = cg_elab_error(e, CG_E0409, caret.file ? caret : span, "%s: the indices are below %s, and there are %s",
        op->name, cg_strbuf_str(&a), cg_strbuf_str(&b));
    if (spans && spans[x->by].file)
        cg_diag_label(d, spans[x->by], "below %s", cg_strbuf_str(&a));
    if (axis >= 0 && spans && spans[x->of].file)
        cg_diag_label(d, spans[x->of], "%s along axis %d", cg_strbuf_str(&b), axis);
    cg_below_note(d, have.size, have.from, "the bound");
    if (axis >= 0)
        cg_below_note(d, size, in[x->of]->tensor->origin[axis], "the size");
    cg_strbuf_deinit(&a);
    cg_strbuf_deinit(&b);
    return false;
}
