/* subviews.c - results that are made where they are put together.
 * Takes nodes whose op joins its operands (CgOp.subview); gives, for what makes such an operand, the range of the
 * joined result to write it to at once. Must not join what is wanted in two places. */
#include "run/plan/inside.h"

/* The node of whose result that of node r with number k is a piece, or CG_NONE. */
static CgRef *whole_of(const CgPlanner *d, CgRef r, int k) { return &d->whole[d->first_result[r] + (size_t)k]; }

void cg_planner_find_joined(CgPlanner *d, const bool *live)
{
    const CgGraph *g = d->p->graph;
    size_t results = 0;
    d->first_result = cg_malloc((g->nodes.len + 1) * sizeof *d->first_result);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        d->first_result[r] = results;
        results += (size_t)cg_node(g, r)->nout;
    }
    d->whole = cg_malloc((results + 1) * sizeof *d->whole);
    for (size_t i = 0; i < results; i++)
        d->whole[i] = CG_NONE;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        if (!live[r] || !n->op->subview)
            continue;
        for (int i = 0; i < n->nin; i++) {
            bool twice = false;
            int k;
            CgRef maker = cg_node_result(g, n->in[i], &k);
            const CgNode *x = cg_node(g, maker);
            for (int j = 0; j < n->nin; j++)
                twice = twice || (j != i && n->in[j] == n->in[i]);
            if (!twice && !cg_node_is_leaf(x) && !x->op->view && !x->op->subview && *whole_of(d, maker, k) == CG_NONE)
                *whole_of(d, maker, k) = r;
        }
    }
}

static CgSlot *result_of(CgPlanner *d, CgRef r)
{
    if (!d->value[r]) {
        CgSlot s = cg_planner_new_result(d, r, 0);
        d->value[r] = CG_NEW(d->p->arena, CgSlot);
        *d->value[r] = s;
    }
    return d->value[r];
}

bool cg_planner_subview(CgPlanner *d, CgRef r, int k, CgSlot *s)
{
    const CgGraph *g = d->p->graph;
    CgRef whole = *whole_of(d, r, k);
    if (whole == CG_NONE)
        return false;
    const CgNode *n = cg_node(g, whole);
    const CgAttrs *attrs = cg_planner_attrs(d, n->attrs, whole);
    CgTensor in[CG_MAX_IN], out;
    size_t bytes;
    int at = -1;
    bool good = !d->failed && cg_planner_tensor(d, &n->type, whole, &out, &bytes) && bytes > 0;
    for (int i = 0; i < n->nin && good; i++) {
        int made;
        good = cg_planner_tensor(d, cg_node_type(g, n->in[i]), n->in[i], &in[i], &bytes);
        if (cg_node_result(g, n->in[i], &made) == r && made == k)
            at = i;
    }
    if (!good || at < 0)
        return false;
    out.data = CG_PLAN_NOWHERE;
    CgCall call = { .op = n->op, .nin = n->nin, .nout = 1, .in = in, .out = &out, .attrs = attrs };
    CgTensor subview = out;
    n->op->subview(&call, at, &subview);
    if (!cg_tensor_contiguous(&subview) || cg_tensor_count(&subview) == 0)
        return false;
    *s = (CgSlot){ .buffer = result_of(d, whole)->buffer,
        .offset = (size_t)((char *)subview.data - CG_PLAN_NOWHERE),
        .tensor = subview };
    s->tensor.data = NULL;
    int64_t stride = 1;
    for (int i = subview.rank; i-- > 0; stride *= subview.dim[i])
        s->tensor.stride[i] = stride;
    return !d->failed;
}

bool cg_planner_is_joined(const CgPlanner *d, CgRef r, const CgInstr *in)
{
    for (int i = 0; i < in->nin; i++) {
        int k;
        CgRef maker = cg_node_result(d->p->graph, cg_node(d->p->graph, r)->in[i], &k);
        if (*whole_of(d, maker, k) != r || in->in[i].buffer != d->value[r]->buffer)
            return false;
    }
    return true;
}
