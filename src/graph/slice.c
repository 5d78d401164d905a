/* slice.c - what of its operands a node needs for a range of its result.
 * Takes the op's word, `axis_rule` and `slice_rule`; gives ranges of operands, checked by the op's own shape rule. Must
 * not know any op: one that says nothing cannot be sliced. */
#include "graph/slice.h"

#include <string.h>

#include "graph/registry.h"

/* An elementwise op need not say what follows from that. */
static CgAxisRule axis_rule_of(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    *to = (CgAxisTo){ axis, NULL };
    return inf->op->axis_rule ? inf->op->axis_rule(inf, operand, axis, to) : CG_AXIS_POINTWISE;
}

/* From `axis_rule`: pointwise axes are sliced like the result, causal ones from their begin to the end of the range. */
static bool follow_axis_rule(const CgInfer *inf, CgSlice *slice)
{
    const CgOp *op = inf->op;
    const CgDim *size = inf->out[0].dim[slice->axis];
    bool causal = false;
    for (int k = 0; k < inf->nin; k++) {
        slice->in[k].axis = -1;
        for (int axis = 0; axis < inf->in[k].rank; axis++) {
            CgAxisTo to;
            CgAxisRule how = axis_rule_of(inf, k, axis, &to);
            if ((how != CG_AXIS_POINTWISE && how != CG_AXIS_CAUSAL) || to.axis != slice->axis)
                continue;
            if (to.shift)
                continue; /* the op's `slice_rule` says what that means */
            if (inf->in[k].dim[axis] != size)
                return false;
            if (slice->in[k].axis >= 0)
                return false; /* two axes of one operand */
            slice->in[k] = (struct CgSliceIn){ axis, how == CG_AXIS_CAUSAL ? cg_dim_int(0) : slice->from, slice->to };
            causal |= how == CG_AXIS_CAUSAL;
        }
    }
    if (!causal || op->slice_rule)
        return true; /* an op with a causal axis and a `slice_rule` knows what to widen */
    slice->from = cg_dim_int(0);
    for (int k = 0; k < inf->nin; k++)
        slice->in[k].from = slice->from;
    return true;
}

static void operand_types(const CgGraph *g, const CgNode *n, CgType *types)
{
    for (int i = 0; i < n->nin; i++)
        types[i] = *cg_node_type(g, n->in[i]);
}

bool cg_slice_find(const CgGraph *g, CgRef r, int axis, const CgDim *from, const CgDim *to, CgSlice *slice)
{
    const CgNode *n = cg_node(g, r);
    const CgOp *op = n->op;
    CgType types[CG_MAX_IN], less[CG_MAX_IN];
    int kept = 0;
    if ((op->traits & (CG_LEAF | CG_RANDOM))
        || (n->nin ? !op->axis_rule && !(op->traits & CG_ELEMENTWISE) : !op->slice_rule))
        return false;
    operand_types(g, n, types);
    CgInfer inf = {
        .op = op, .nin = n->nin, .in = types, .attrs = n->attrs, .operand = { -1, -1 }, .axis = { -1, -1 }
    };
    inf.nout = n->nout;
    for (int k = 0; k < n->nout; k++)
        inf.out[k] = *cg_node_out_type(n, k);
    *slice = (CgSlice){ .axis = axis, .from = from, .to = to, .attrs = n->attrs };
    if (!follow_axis_rule(&inf, slice) || (op->slice_rule && !op->slice_rule(&inf, slice)))
        return false;
    for (int k = 0; k < n->nin; k++) {
        CgType t = types[k];
        if (slice->in[k].axis >= 0) {
            t.dim[slice->in[k].axis] = cg_dim_sub(slice->in[k].to, slice->in[k].from);
            if (slice->in[k].from == slice->in[k].to)
                continue;
        }
        less[kept++] = t;
    }
    if (kept < n->nin && (!kept || !cg_op_sig(op)->any_number))
        return false; /* none can be left out */
    CgType want = n->type;
    want.dim[axis] = cg_dim_sub(slice->to, slice->from);
    CgInfer check = { .op = op,
        .nin = kept,
        .nout = op->nout ? op->nout : 1,
        .in = less,
        .attrs = slice->attrs,
        .operand = { -1, -1 },
        .axis = { -1, -1 } };
    return want.dim[axis] && op->shape(&check) && cg_type_equal(&check.out[0], &want);
}

CgAxisRule cg_slice_axis_rule(const CgGraph *g, CgRef r, int k, int axis, CgAxisTo *to)
{
    const CgNode *n = cg_node(g, r);
    CgType types[CG_MAX_IN];
    if ((n->op->traits & (CG_LEAF | CG_RANDOM)) || (!n->op->axis_rule && !(n->op->traits & CG_ELEMENTWISE)))
        return CG_AXIS_UNKNOWN;
    operand_types(g, n, types);
    CgInfer inf = { .op = n->op, .nin = n->nin, .nout = n->nout, .in = types, .attrs = n->attrs };
    for (int o = 0; o < n->nout; o++)
        inf.out[o] = *cg_node_out_type(n, o);
    return axis_rule_of(&inf, k, axis, to);
}

bool cg_slice_is_partial(const CgGraph *g, CgRef r, const CgSlice *slice, int k)
{
    const CgDim *size;
    if (slice->in[k].axis < 0)
        return false;
    size = cg_node_type(g, cg_node(g, r)->in[k])->dim[slice->in[k].axis];
    return slice->in[k].to != size || slice->in[k].from != cg_dim_int(0);
}

CgRef cg_slice_build(CgBuild *b, const CgGraph *from, CgRef r, const CgSlice *slice, const CgRef *in)
{
    const CgOp *op = cg_node(from, r)->op;
    CgRef kept[CG_MAX_IN];
    int n = 0;
    for (int k = 0; k < cg_node(from, r)->nin; k++)
        if (slice->in[k].axis < 0 || slice->in[k].from != slice->in[k].to)
            kept[n++] = in[k];
    return cg_build(b, op->name, n, kept, slice->attrs);
}
