/* plan_verify.c - is a plan sound?
 * Takes a plan; stops the program with a sentence when two live buffers share bytes or an operand is read
 * outside its buffer or its life. Shares no code with the planner, so that one mistake cannot hide in both.
 */
#include <stdlib.h>
#include "run/plan.h"

/* Lowest and highest element a tensor reaches, relative to its address. */
static void reach(const CgTensor *t, int64_t *low, int64_t *high)
{
    *low = 0;
    *high = 0;
    for (int i = 0; i < t->rank; i++) {
        if (t->dim[i] == 0) {
            *high = -1;
            return;
        }
        int64_t step = (t->dim[i] - 1) * t->stride[i];
        *(step < 0 ? low : high) += step;
    }
}

static void check_slot(const CgPlan *p, const CgSlot *s, const char *what, int i)
{
    if (s->buffer < 0 || s->buffer >= cg_plan_buffers(p))
        CG_BUG("%s of instruction %d is in no buffer", what, i);
    const CgBuffer *b = cg_plan_buffer(p, s->buffer);
    int64_t low, high;
    reach(&s->tensor, &low, &high);
    if (high < low)
        return;
    int64_t size = (int64_t)cg_dtype_size(s->tensor.dtype);
    if ((int64_t)s->offset + low * size < 0 || (int64_t)s->offset + (high + 1) * size > (int64_t)b->bytes)
        CG_BUG("%s of instruction %d leaves its buffer of %zu bytes", what, i, b->bytes);
    if (s->offset % (size_t)size)
        CG_BUG("%s of instruction %d is not aligned", what, i);
    if (i < b->first || i > b->last)
        CG_BUG("%s of instruction %d is touched outside the life of its buffer, %d to %d", what, i, b->first,
               b->last);
}

/* Who wrote each buffer's value last, as (instruction, result); read by the operand check: an operand must
 * still hold what its producer wrote, that is, nobody may have written its buffer since, except the producer
 * itself. */
static bool renewed(const CgPlan *p, int buffer)
{
    for (size_t i = 0; i < cg_plan_graph(p)->outputs.len; i++)
        if (cg_plan_output(p, (int)i)->buffer == buffer)
            return cg_plan_options(p).update;
    return false;
}

/* The leaf a node is a view of, or CG_NONE. */
static CgRef leaf_under(const CgGraph *g, CgRef r)
{
    while (cg_node(g, r)->op->view)
        r = cg_node(g, r)->in[0];
    return cg_node(g, r)->nin == 0 && cg_node(g, r)->op->traits & CG_LEAF ? r : CG_NONE;
}

static void check_values(const CgPlan *p)
{
    int nb = cg_plan_buffers(p);
    int *writer = malloc(((size_t)nb + 1) * sizeof *writer);
    int *by_node = malloc((cg_plan_graph(p)->nodes.len + 1) * sizeof *by_node);
    if (!writer || !by_node)
        CG_BUG("no memory to verify a plan");
    for (int b = 0; b < nb; b++)
        writer[b] = -1;
    for (size_t r = 0; r < cg_plan_graph(p)->nodes.len; r++)
        by_node[r] = -1;
    for (int i = 0; i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        for (int k = 0; k < in->nin; k++) {
            const CgBuffer *b = cg_plan_buffer(p, in->in[k].buffer);
            bool given = b->place == CG_AT_INPUT || b->place == CG_AT_PARAM || b->place == CG_AT_CONST;
            if (!given && writer[in->in[k].buffer] < 0)
                CG_BUG("instruction %d reads a buffer nobody wrote", i);
        }
        for (int k = 0; k < in->nout; k++) {
            const CgBuffer *b = cg_plan_buffer(p, in->out[k].buffer);
            bool given = b->place == CG_AT_INPUT || b->place == CG_AT_PARAM || b->place == CG_AT_CONST;
            if (given && !renewed(p, in->out[k].buffer))
                CG_BUG("instruction %d writes memory it only borrows", i);
            if (given && writer[in->out[k].buffer] >= 0)
                CG_BUG("instruction %d renews a buffer for the second time", i);
            /* Written a second time: some operand of this instruction must be read here for the last time, in
             * place. */
            if (writer[in->out[k].buffer] >= 0) {
                bool over = false;
                for (int j = 0; j < in->nin; j++)
                    over = over || in->in[j].buffer == in->out[k].buffer;
                if (!over)
                    CG_BUG("instruction %d overwrites a buffer it does not read", i);
            }
            writer[in->out[k].buffer] = i;
        }
        /* Values by node: an operand that is the direct result of a node must come from the last write. */
        const CgGraph *g = cg_plan_graph(p);
        if (in->node != CG_NONE && in->op == cg_node(g, in->node)->op) {
            for (int k = 0; k < in->nin; k++) {
                int w = writer[in->in[k].buffer];
                if (leaf_under(g, cg_node(g, in->node)->in[k]) != CG_NONE && w >= 0 && w != i &&
                    cg_plan_buffer(p, in->in[k].buffer)->place != CG_AT_SLAB)
                    CG_BUG("operand %d of instruction %d was renewed by instruction %d", k, i, w);
                w = by_node[cg_node(g, in->node)->in[k]];
                if (w < 0)
                    continue;
                for (int j = 0; j < cg_plan_instr(p, w)->nout; j++) {
                    int buffer = cg_plan_instr(p, w)->out[j].buffer;
                    if (buffer == in->in[k].buffer && writer[buffer] != w && writer[buffer] != i)
                        CG_BUG("operand %d of instruction %d was overwritten by instruction %d", k, i,
                               writer[buffer]);
                }
            }
            by_node[in->node] = i;
        }
    }
    free(writer);
    free(by_node);
}

void cg_plan_verify(const CgPlan *p)
{
    int nb = cg_plan_buffers(p), n = cg_plan_count(p);
    for (int a = 0; a < nb; a++) {
        const CgBuffer *x = cg_plan_buffer(p, a);
        if (x->place != CG_AT_SLAB || x->first > x->last)
            continue;
        if (x->offset % 64 || x->offset + x->bytes > cg_plan_slab(p))
            CG_BUG("buffer %d is not aligned or not in the slab", a);
        for (int b = 0; b < a; b++) {
            const CgBuffer *y = cg_plan_buffer(p, b);
            if (y->place != CG_AT_SLAB || y->first > y->last || x->first > y->last || y->first > x->last)
                continue;
            if (x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes)
                CG_BUG("buffers %d and %d are alive together and share bytes", b, a);
        }
    }
    for (int i = 0; i < n; i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        for (int k = 0; k < in->nin; k++)
            check_slot(p, &in->in[k], "an operand", i);
        for (int k = 0; k < in->nout; k++)
            check_slot(p, &in->out[k], "a result", i);
    }
    for (size_t i = 0; i < cg_plan_graph(p)->outputs.len; i++) {
        const CgBuffer *b = cg_plan_buffer(p, cg_plan_output(p, (int)i)->buffer);
        if (b->place == CG_AT_SLAB && b->last < n)
            CG_BUG("output %zu does not live to the end", i);
    }
    check_values(p);
}
