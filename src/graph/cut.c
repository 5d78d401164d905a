/* cut.c - what of its operands a node needs for a range of its result.
 * Takes the op's word, `along` and `cut`; gives ranges of operands, checked by the op's own shape rule. Must not know
 * any op: one that says nothing cannot be cut. */
#include "graph/cut.h"

#include <string.h>

#include "graph/registry.h"

/* An elementwise op need not say what follows from that. */
static CgAlong along_of(const CgInfer *inf, int operand, int axis, CgTo *to)
{
    *to = (CgTo){ axis, NULL };
    return inf->op->along ? inf->op->along(inf, operand, axis, to) : CG_ALONG_POINTWISE;
}

/* From `along`: pointwise axes are cut like the result, causal ones from their begin to the end of the range. */
static bool follow_along(const CgInfer *inf, CgCut *cut)
{
    const CgOp *op = inf->op;
    const CgDim *size = inf->out[0].dim[cut->axis];
    bool causal = false;
    for (int k = 0; k < inf->nin; k++) {
        cut->in[k].axis = -1;
        for (int axis = 0; axis < inf->in[k].rank; axis++) {
            CgTo to;
            CgAlong how = along_of(inf, k, axis, &to);
            if ((how != CG_ALONG_POINTWISE && how != CG_ALONG_CAUSAL) || to.axis != cut->axis)
                continue;
            if (to.shift)
                continue; /* the op's `cut` says what that means */
            if (inf->in[k].dim[axis] != size)
                return false;
            if (cut->in[k].axis >= 0)
                return false; /* two axes of one operand */
            cut->in[k] = (struct CgCutIn){ axis, how == CG_ALONG_CAUSAL ? cg_dim_int(0) : cut->from, cut->to };
            causal |= how == CG_ALONG_CAUSAL;
        }
    }
    if (!causal || op->cut)
        return true; /* an op with a causal axis and a `cut` knows what to widen */
    cut->from = cg_dim_int(0);
    for (int k = 0; k < inf->nin; k++)
        cut->in[k].from = cut->from;
    return true;
}

static void operand_types(const CgGraph *g, const CgNode *n, CgType *types)
{
    for (int i = 0; i < n->nin; i++)
        types[i] = *cg_node_type(g, n->in[i]);
}

bool cg_cut_find(const CgGraph *g, CgRef r, int axis, const CgDim *from, const CgDim *to, CgCut *cut)
{
    const CgNode *n = cg_node(g, r);
    const CgOp *op = n->op;
    CgType types[CG_MAX_IN], less[CG_MAX_IN];
    int kept = 0;
    if ((op->traits & (CG_LEAF | CG_RANDOM)) || (n->nin ? !op->along && !(op->traits & CG_ELEMENTWISE) : !op->cut))
        return false;
    operand_types(g, n, types);
    CgInfer inf = {
        .op = op, .nin = n->nin, .in = types, .attrs = n->attrs, .operand = { -1, -1 }, .axis = { -1, -1 }
    };
    inf.nout = n->nout;
    for (int k = 0; k < n->nout; k++)
        inf.out[k] = *cg_node_out_type(n, k);
    *cut = (CgCut){ .axis = axis, .from = from, .to = to, .attrs = n->attrs };
    if (!follow_along(&inf, cut) || (op->cut && !op->cut(&inf, cut)))
        return false;
    for (int k = 0; k < n->nin; k++) {
        CgType t = types[k];
        if (cut->in[k].axis >= 0) {
            t.dim[cut->in[k].axis] = cg_dim_sub(cut->in[k].to, cut->in[k].from);
            if (cut->in[k].from == cut->in[k].to)
                continue;
        }
        less[kept++] = t;
    }
    if (kept < n->nin && (!kept || !cg_op_sig(op)->any_number))
        return false; /* none can be left out */
    CgType want = n->type;
    want.dim[axis] = cg_dim_sub(cut->to, cut->from);
    CgInfer check = { .op = op,
        .nin = kept,
        .nout = op->nout ? op->nout : 1,
        .in = less,
        .attrs = cut->attrs,
        .operand = { -1, -1 },
        .axis = { -1, -1 } };
    return want.dim[axis] && op->shape(&check) && cg_type_equal(&check.out[0], &want);
}

CgAlong cg_cut_along(const CgGraph *g, CgRef r, int k, int axis, CgTo *to)
{
    const CgNode *n = cg_node(g, r);
    CgType types[CG_MAX_IN];
    if ((n->op->traits & (CG_LEAF | CG_RANDOM)) || (!n->op->along && !(n->op->traits & CG_ELEMENTWISE)))
        return CG_ALONG_UNKNOWN;
    operand_types(g, n, types);
    CgInfer inf = { .op = n->op, .nin = n->nin, .nout = n->nout, .in = types, .attrs = n->attrs };
    for (int o = 0; o < n->nout; o++)
        inf.out[o] = *cg_node_out_type(n, o);
    return along_of(&inf, k, axis, to);
}

bool cg_cut_is_part(const CgGraph *g, CgRef r, const CgCut *cut, int k)
{
    const CgDim *size;
    if (cut->in[k].axis < 0)
        return false;
    size = cg_node_type(g, cg_node(g, r)->in[k])->dim[cut->in[k].axis];
    return cut->in[k].to != size || cut->in[k].from != cg_dim_int(0);
}

CgRef cg_cut_build(CgBuild *b, const CgGraph *from, CgRef r, const CgCut *cut, const CgRef *in)
{
    const CgOp *op = cg_node(from, r)->op;
    CgRef kept[CG_MAX_IN];
    int n = 0;
    for (int k = 0; k < cg_node(from, r)->nin; k++)
        if (cut->in[k].axis < 0 || cut->in[k].from != cut->in[k].to)
            kept[n++] = in[k];
    return cg_build(b, op->name, n, kept, cut->attrs);
}
