/* plan.c - a plan as a value.
 * Takes a plan; gives what is in it, and its memory back. Must not decide anything: build.c makes plans. */
#include <stdlib.h>
#include "run/plan/inside.h"

void cg_loop_free(CgLoop *loop)
{
    if (!loop || loop->users-- > 0)
        return;
    cg_plan_free(loop->plan);
    cg_graph_free(loop->body);
    free(loop);
}

void cg_plan_free(CgPlan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->instrs.len; i++)
        if (p->instrs.at[i].state && p->instrs.at[i].op->release)
            p->instrs.at[i].op->release(p->instrs.at[i].state);
    for (size_t i = 0; i < p->loops.len; i++)
        cg_loop_free(p->loops.at[i]);
    cg_vec_free(&p->loops);
    cg_vec_free(&p->instrs);
    cg_vec_free(&p->buffers);
    cg_vec_free(&p->constants);
    cg_vec_free(&p->tasks);
    cg_vec_free(&p->waves);
    cg_arena_free(p->arena);
    if (p->own)
        cg_graph_free(p->own);
    free(p);
}

const CgGraph *cg_plan_graph(const CgPlan *p) { return p->graph; }
CgPlanOptions cg_plan_options(const CgPlan *p) { return p->options; }
int cg_plan_count(const CgPlan *p) { return (int)p->instrs.len; }
int cg_plan_buffers(const CgPlan *p) { return (int)p->buffers.len; }
const CgInstr *cg_plan_instr(const CgPlan *p, int i) { return &p->instrs.at[i]; }
const CgBuffer *cg_plan_buffer(const CgPlan *p, int i) { return &p->buffers.at[i]; }
size_t cg_plan_slab(const CgPlan *p) { return p->slab; }
size_t cg_plan_scratch(const CgPlan *p) { return p->scratch; }
const CgSlot *cg_plan_output(const CgPlan *p, int i) { return &p->outputs[i]; }
CgTensor cg_plan_input(const CgPlan *p, int i) { return p->inputs[i]; }
CgTensor cg_plan_param(const CgPlan *p, int i) { return p->params[i]; }
const void *cg_plan_constant(const CgPlan *p, int ordinal) { return &p->constants.at[ordinal]; }
