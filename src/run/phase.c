/* phase.c - which phase of a step an instruction belongs to.
 * Takes instructions of a plan; gives their phase, as their nodes say. Must not measure anything. */
#include "run/phase.h"

const char *cg_phase_name(CgPhase phase)
{
    static const char *const name[] = { "forward", "backward", "again", "update", "validate", "outside" };
    return name[phase];
}

CgPhase cg_phase_of(const CgPlan *p, const CgInstr *in)
{
    if (in->node == CG_NONE)
        return CG_PHASE_FORWARD;
    const CgNode *n = cg_node(cg_plan_graph(p), in->node);
    return n->clone ? CG_PHASE_AGAIN : n->why != CG_NONE ? CG_PHASE_BACKWARD : CG_PHASE_FORWARD;
}

double cg_plan_useful_flops(const CgPlan *p)
{
    double sum = 0;
    for (int i = 0; i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        sum += cg_phase_of(p, in) == CG_PHASE_AGAIN ? 0 : in->work.flops;
    }
    return sum;
}

double cg_instr_bytes(const CgInstr *in)
{
    double sum = 0;
    if (in->work.bytes > 0)
        return in->work.bytes;
    for (int k = 0; k < in->nin + in->nout; k++) {
        const CgTensor *t = k < in->nin ? &in->in[k].tensor : &in->out[k - in->nin].tensor;
        double n = (double)cg_dtype_size(t->dtype);
        for (int a = 0; a < t->rank; a++)
            n *= t->stride[a] == 0 && t->dim[a] > 1 ? 1 : (double)t->dim[a];
        sum += n;
    }
    return sum;
}
