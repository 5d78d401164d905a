/* loop.c - what an instruction runs once for each index of an axis.
 * Takes a node whose op is a loop; gives a plan of its body, optimised by itself, made once however many turns there
 * are. States are renewed where they lie. Must not run anything. */
#include <stdlib.h>

#include "graph/pass.h"
#include "run/plan/inside.h"

/* The body with its states' results called like the states, so that they are written over them, and other results like
 * no input. */
static CgGraph *with_names(const CgGraph *body, int states)
{
    CgRef *map = cg_malloc((body->nodes.len + 1) * sizeof *map);
    CgGraph *to = cg_pass_begin(body, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < body->nodes.len; r++)
        if (map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, body, r, map);
    for (size_t k = 0; k < body->outputs.len; k++)
        cg_graph_output(to, (int)k < states ? cg_node_name(body, body->inputs.at[k]) : cg_intern_printf("kept/%zu", k),
            map[body->outputs.at[k].ref]);
    free(map);
    return to;
}

static CgLoop *make(CgPlanner *d, const CgNode *n, const CgTensor *turns)
{
    CgLoop *loop = cg_calloc(1, sizeof *loop);
    CgGraph *body = cg_pass_run_all(cg_attr_find(n->attrs, "body")->graph, NULL);
    loop->states = (int)cg_attr_int(n->attrs, "states", 0);
    loop->turns = (int)cg_attr_int(n->attrs, "turns", 1);
    loop->reverse = cg_attr_int(n->attrs, "reverse", 0) != 0;
    loop->count = turns->dim[0];
    loop->body = with_names(body, loop->states);
    cg_graph_free(body);
    CgPlanOptions options = { .outputs_bound = true, .update = true };
    options.no_inplace = d->p->options.no_inplace;
    options.no_rounding = d->p->options.no_rounding;
    options.shown = d->p->options.shown;
    options.sources = d->p->options.sources;
    loop->plan = d->plan_of(loop->body, d->dims, options, d->e);
    if (loop->plan)
        return loop;
    cg_loop_free(loop);
    return NULL;
}

CgLoop *cg_planner_loop(CgPlanner *d, CgRef r, const CgTensor *turns)
{
    uint64_t known;
    CgLoop *loop = NULL;
    if (cg_map_get(d->loops, r, &known)) {
        loop = (CgLoop *)(uintptr_t)known;
    } else if ((loop = make(d, cg_node(d->p->graph, r), turns))) {
        cg_map_put(d->loops, r, cg_map_ptr(loop));
        cg_vec_push(&d->p->loops, loop);
        return loop;
    }
    if (!loop) {
        d->failed = true;
        return NULL;
    }
    loop->users++;
    cg_vec_push(&d->p->loops, loop);
    return loop;
}

void cg_loop_work(const CgLoop *loop, CgWork *work)
{
    *work = (CgWork){ .shards = 1, .shared = cg_plan_slab(loop->plan), .scratch = cg_plan_scratch(loop->plan) };
    for (int i = 0; i < cg_plan_count(loop->plan); i++) {
        work->flops += (double)loop->count * cg_plan_instr(loop->plan, i)->work.flops;
        work->bytes += (double)loop->count * cg_plan_instr(loop->plan, i)->work.bytes;
    }
}
