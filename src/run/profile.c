/* profile.c - what was counted while plans ran.
 * Takes counts by instruction; gives them by op, place and phase. Must not measure anything itself. */
#include <string.h>
#include "run/profile.h"

/* The item like `like`, made when there is none. Items with one key have the same op, place, phase and cost. */
static CgProfItem *item_like(CgProfile *p, const CgProfItem *like)
{
    struct {
        const char *op;
        CgAtom where;
        double flops, bytes, kept;
        uint64_t kind;
        CgSpan span;
        int scope;
    } key;
    memset(&key, 0, sizeof key);
    key.op = like->op;
    key.where = like->where;
    key.flops = like->flops;
    key.bytes = like->bytes;
    key.kept = like->kept;
    key.span = like->span;
    key.scope = like->scope;
    key.kind = (uint64_t)like->phase << 1 | like->bf16;
    uint64_t hash = cg_digest(&key, sizeof key).low, found;
    if (!cg_map_get(&p->index, hash, &found)) {
        found = p->items.len;
        cg_map_put(&p->index, hash, found);
        cg_vec_push(&p->items, *like);
    }
    return &p->items.at[found];
}

static double kept_bytes(const CgPlan *plan, int i)
{
    const CgInstr *in = cg_plan_instr(plan, i);
    double bytes = 0;
    for (int k = 0; k < in->nout; k++) {
        const CgBuffer *b = cg_plan_buffer(plan, in->out[k].buffer);
        if (b->storage == CG_AT_SLAB && b->first == i)
            bytes += (double)b->bytes;
    }
    return bytes;
}

static CgProfItem *item_of(CgProfile *p, const CgPlan *plan, int i, CgPhase phase, const CgSources *sources)
{
    const CgInstr *in = cg_plan_instr(plan, i);
    const CgNode *node = in->node != CG_NONE ? cg_node(cg_plan_graph(plan), in->node) : NULL;
    char where[160];
    CgSpan span = node ? node->span : (CgSpan){ 0, 0, 0 };
    CgProfItem item = { .op = in->op->name,
        .where = cg_intern(cg_plan_where(sources, span, where)),
        .phase = phase == CG_PHASE_FORWARD ? cg_phase_of(plan, in) : phase,
        .bf16 = in->bf16,
        .scope = node ? node->scope : -1,
        .span = span,
        .flops = in->work.flops,
        .bytes = cg_instr_bytes(in),
        .kept = kept_bytes(plan, i) };
    return item_like(p, &item);
}

void cg_profile_add(CgProfile *p, const CgExec *x, CgPhase phase, const CgSources *sources)
{
    const CgPlan *plan = cg_exec_plan(x);
    const CgProf *prof = cg_exec_prof(x);
    for (int i = 0; i < cg_plan_count(plan); i++) {
        if (!prof[i].calls)
            continue;
        CgProfItem *at = item_of(p, plan, i, phase, sources);
        at->calls += prof[i].calls;
        at->seconds += prof[i].seconds;
    }
}

void cg_profile_plan(CgProfile *p, const CgPlan *plan, const CgSources *sources)
{
    for (int i = 0; i < cg_plan_count(plan); i++)
        item_of(p, plan, i, CG_PHASE_FORWARD, sources)->calls++;
    p->steps++;
}

void cg_profile_steps(CgProfile *p, int64_t steps, double seconds)
{
    double inside = 0;
    p->steps += steps;
    p->seconds += seconds;
    CgProfItem *outside =
        item_like(p, &(CgProfItem){ .op = "outside", .where = cg_intern(""), .phase = CG_PHASE_OUTSIDE, .scope = -1 });
    for (size_t i = 0; i < p->items.len; i++)
        inside += &p->items.at[i] == outside ? 0 : p->items.at[i].seconds;
    outside->calls = (uint64_t)p->steps;
    outside->seconds = p->seconds > inside ? p->seconds - inside : 0;
}

void cg_profile_deinit(CgProfile *p)
{
    cg_vec_free(&p->items);
    cg_map_deinit(&p->index);
}
