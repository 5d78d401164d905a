/* renew.c - outputs that are written over an input or a parameter.
 * Takes the outputs of a plan in the making (CgPlanOptions.update); gives those named like a leaf its memory. Must not
 * let an instruction see a new value where it wants the old one. */
#include <stdlib.h>
#include "run/plan/inside.h"

void cg_planner_find_renewed(const CgGraph *g, bool update, CgRef *renewed)
{
    for (size_t o = 0; o < g->outputs.len; o++) {
        renewed[o] = CG_NONE;
        for (int params = 0; params < 2 && update; params++) {
            size_t n = params ? g->params.len : g->inputs.len;
            const CgRef *leaf = params ? g->params.at : g->inputs.at;
            for (size_t i = 0; i < n; i++)
                if (cg_node_name(g, leaf[i]) == g->outputs.at[o].name
                    && cg_type_equal(cg_node_type(g, leaf[i]), cg_node_type(g, g->outputs.at[o].ref)))
                    renewed[o] = leaf[i];
        }
    }
}

/* Output o can be made in the leaf's memory: it is a whole buffer of one instruction, and every reader of the leaf
 * runs before, or is that instruction and may overwrite it. */
static bool can_renew(const CgPlanner *d, size_t o, int leaf)
{
    const CgPlan *p = d->p;
    const CgSlot *y = &p->outputs[o];
    const CgBuffer *b = &p->buffers.at[y->buffer], *l = &p->buffers.at[leaf];
    if (p->options.no_inplace || b->storage != CG_AT_SLAB || y->offset != 0 || b->bytes != l->bytes
        || !cg_tensor_contiguous(&y->tensor) || (size_t)b->first >= p->instrs.len || l->last > b->first)
        return false;
    for (size_t i = 0; i < p->graph->outputs.len; i++)
        if (p->outputs[i].buffer == leaf || (i != o && p->outputs[i].buffer == y->buffer))
            return false;
    const CgInstr *in = &p->instrs.at[b->first];
    int made = -1;
    for (int k = 0; k < in->nout; k++)
        made = in->out[k].buffer == y->buffer ? k : made;
    if (made < 0)
        return false;
    for (int k = 0; k < in->nin; k++)
        if (in->in[k].buffer == leaf
            && !(cg_plan_may_cover(in, k, &in->out[made].tensor) && cg_plan_reads_alike(in, k, d->parent)))
            return false;
    return true;
}

static int leaf_buffer(const CgPlanner *d, size_t o)
{
    return d->renewed[o] == CG_NONE ? -1 : d->value[d->renewed[o]]->buffer;
}

/* Outputs go to the leaves they renew: at once where that is possible; else by a copy at the end, in two rounds where
 * the new value of one leaf is the old one of another. A leaf that is its own new value stays as it is. */
void cg_planner_renew(CgPlanner *d)
{
    CgPlan *p = d->p;
    size_t n = p->graph->outputs.len;
    bool *late = cg_calloc(n + 1, sizeof *late);
    for (size_t o = 0; o < n; o++) {
        int leaf = leaf_buffer(d, o);
        late[o] = leaf >= 0 && d->renewed[o] != p->graph->outputs.at[o].ref && !can_renew(d, o, leaf);
        if (leaf < 0 || late[o] || p->outputs[o].buffer == leaf)
            continue;
        int y = p->outputs[o].buffer;
        d->parent[y] = leaf;
        p->outputs[o].buffer = leaf;
        cg_plan_drop_buffer(p, y);
        p->inplace++;
    }
    for (size_t o = 0; o < n; o++)
        if (late[o] && p->buffers.at[p->outputs[o].buffer].storage != CG_AT_SLAB)
            p->outputs[o] = cg_planner_copy(d, &p->outputs[o], p->graph->outputs.at[o].ref, CG_AT_SLAB, 0);
    for (size_t o = 0; o < n; o++)
        if (late[o])
            p->outputs[o] = cg_planner_copy_to(d, &p->outputs[o], p->graph->outputs.at[o].ref, leaf_buffer(d, o));
    free(late);
}
