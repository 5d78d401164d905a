/* inplace.c - results in the memory of operands that die.
 * Takes instructions with the lives of their buffers; joins the buffer of a result and that of an operand where the op
 * can write over it. Must not look at values, nor decide what is kept. */
#include <string.h>
#include "run/plan/inside.h"

/* ---- before the lifetimes of buffers are known ---- */

/* Node r is the last of all that read result k of node x. */
static bool dies(const CgUsers *l, CgSlot *const *made, CgRef r, CgRef x, int k)
{
    if (k == 0 && l->is_output[x])
        return false;
    for (uint32_t e = l->first[x]; e < l->first[x + 1]; e++) {
        CgRef u = l->of[e];
        bool through;
        if (cg_node_reads(cg_node(l->g, u), k, &through) && (through ? !dies(l, made, r, u, 0) : u != r && !made[u]))
            return false;
    }
    return true;
}

/* A result kept as bf16 lies in the first halves of the rows of an operand of f32 that dies here, if the op can do
 * that. Whether it does is seen when all lives are known. */
void cg_plan_over_rows(
    CgPlan *p, const CgUsers *l, CgSlot *const *made, const CgInstr *in, CgSlot *y, bool taken[CG_MAX_IN])
{
    const CgGraph *g = p->graph;
    for (int i = 0; i < in->nin; i++) {
        const CgTensor *x = &in->in[i].tensor;
        bool whole = x->dtype == CG_F32 && in->in[i].offset == 0 && cg_tensor_contiguous(x) && x->rank == y->tensor.rank
            && !memcmp(x->dim, y->tensor.dim, sizeof x->dim[0] * (size_t)x->rank);
        if (!cg_bits_have(in->op->inplace, i) || taken[i] || !whole
            || p->buffers.at[in->in[i].buffer].storage != CG_AT_SLAB)
            continue;
        int k;
        CgRef base = cg_node_base(g, cg_node(g, in->node)->in[i], &k);
        if (!dies(l, made, in->node, base, k))
            continue;
        if (y->tensor.dtype == CG_F32) {
            taken[i] = true;
            return;
        }
        if (y->tensor.dtype != CG_ROUNDED || x->rank < 2 || !(in->op->traits & CG_OVER_ROWS))
            return;
        for (int a = 0; a + 1 < x->rank; a++)
            y->tensor.stride[a] *= 2;
        p->buffers.at[y->buffer].bytes *= 2;
        taken[i] = true;
        return;
    }
}

/* ---- after ---- */

static bool same_slot(const CgSlot *a, const CgSlot *b)
{
    return a->buffer == b->buffer && a->offset == b->offset && a->tensor.rank == b->tensor.rank
        && memcmp(a->tensor.dim, b->tensor.dim, sizeof a->tensor.dim[0] * (size_t)a->tensor.rank) == 0
        && !memcmp(a->tensor.stride, b->tensor.stride, sizeof a->tensor.stride[0] * (size_t)a->tensor.rank);
}

int cg_plan_root(int *parent, int b)
{
    while (parent[b] != b)
        b = parent[b] = parent[parent[b]];
    return b;
}

/* y, of bf16, lies in the first halves of the rows of x, of f32 and row major. */
static bool over_rows(const CgTensor *x, const CgTensor *y)
{
    if (y->dtype != CG_ROUNDED || x->dtype != CG_F32 || x->rank < 2 || x->rank != y->rank)
        return false;
    for (int i = 0; i < x->rank; i++)
        if (x->dim[i] != y->dim[i] || (x->dim[i] != 1 && y->stride[i] != (i + 1 < x->rank ? 2 * x->stride[i] : 1)))
            return false;
    return true;
}

/* Whether instruction i may write a result of the form of `y` over what it reads as operand k. */
bool cg_plan_may_cover(const CgInstr *in, int k, const CgTensor *y)
{
    const CgSlot *x = &in->in[k];
    return (in->kernel == cg_kernel_elementwise || cg_bits_have(in->op->inplace, k)) && in->op != &cg_op_copy
        && x->offset == 0 && (x->tensor.dtype == y->dtype || over_rows(&x->tensor, y))
        && (over_rows(&x->tensor, y) || cg_tensor_contiguous(y) ? cg_tensor_contiguous(&x->tensor)
                                                                : cg_layouts_same(&x->tensor, y))
        && cg_tensor_count(&x->tensor) == cg_tensor_count(y);
}

/* No operand but k looks at its buffer, or only in the same way. */
bool cg_plan_reads_alike(const CgInstr *in, int k, int *parent)
{
    for (int j = 0; j < in->nin; j++) {
        if (j == k || cg_plan_root(parent, in->in[j].buffer) != cg_plan_root(parent, in->in[k].buffer))
            continue;
        CgSlot other = in->in[j], mine = in->in[k];
        other.buffer = mine.buffer = 0;
        if (in->kernel != cg_kernel_elementwise || !same_slot(&other, &mine))
            return false;
    }
    return true;
}

/* The operand whose memory result r of instruction i may take: it dies here, is the whole of a buffer of the
 * same size in the slab, and no other operand looks at that buffer in another way. Or -1. */
static int overwritten(const CgPlan *p, int i, int r, int *parent)
{
    const CgInstr *in = &p->instrs.at[i];
    const CgSlot *out = &in->out[r];
    const CgBuffer *y = &p->buffers.at[out->buffer];
    size_t bytes = (size_t)cg_tensor_count(&out->tensor) * cg_dtype_size(out->tensor.dtype);
    if (cg_plan_root(parent, out->buffer) != out->buffer || y->first != i || out->offset != 0 || y->bytes == 0
        || (y->bytes != bytes && !(out->tensor.dtype == CG_ROUNDED && y->bytes == 2 * bytes)))
        return -1;
    for (int k = 0; k < in->nin; k++) {
        const CgBuffer *b = &p->buffers.at[cg_plan_root(parent, in->in[k].buffer)];
        if (cg_plan_may_cover(in, k, &out->tensor) && b->storage == CG_AT_SLAB && b->last == i && b->first != i
            && b->bytes == y->bytes && cg_plan_reads_alike(in, k, parent))
            return k;
    }
    return -1;
}

/* Lays results over operands. Buffers that become one are joined; the joined one lives from the first to the
 * last. */
void cg_plan_overwrite(CgPlan *p, int *parent)
{
    for (size_t i = 0; i < p->instrs.len && !p->options.no_inplace; i++) {
        CgInstr *in = &p->instrs.at[i];
        for (int r = 0; r < in->nout; r++) {
            int k = overwritten(p, (int)i, r, parent);
            if (k < 0)
                continue;
            int x = cg_plan_root(parent, in->in[k].buffer), y = in->out[r].buffer;
            bool dies = p->buffers.at[y].last == (int)i;
            parent[y] = x;
            p->buffers.at[x].last = p->buffers.at[y].last;
            p->buffers.at[x].storage = p->buffers.at[y].storage; /* SLAB, or the caller's memory */
            p->buffers.at[x].ordinal = p->buffers.at[y].ordinal;
            cg_plan_drop_buffer(p, y);
            p->inplace++;
            if (dies)
                break; /* an unused result: its buffer must not be mistaken for an operand that dies here */
        }
    }
    for (size_t i = 0; i < p->instrs.len; i++) {
        CgInstr *in = &p->instrs.at[i];
        for (int k = 0; k < in->nin; k++)
            in->in[k].buffer = cg_plan_root(parent, in->in[k].buffer);
        for (int k = 0; k < in->nout; k++)
            in->out[k].buffer = cg_plan_root(parent, in->out[k].buffer);
    }
    for (size_t i = 0; i < p->graph->outputs.len; i++)
        p->outputs[i].buffer = cg_plan_root(parent, p->outputs[i].buffer);
}
