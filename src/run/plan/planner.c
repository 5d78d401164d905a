/* draft.c - tensors and buffers of a plan in the making.
 * Takes types and results of nodes; gives tensors with numbers for all sizes, and new buffers for them. What is wrong
 * with a size is said here, at the node. Must not decide where anything lies. */
#include "run/plan/inside.h"

/* Says what is wrong with the size of a dim at node r. */
static void refuse_dim(CgPlanner *d, const CgDim *dim, CgRef r)
{
    CgAtom missing = NULL;
    int64_t value;
    const CgGraph *g = d->p->graph;
    CgStrbuf text = { 0 };
    char where[160];
    cg_plan_where(d->p->options.sources, cg_node(g, r)->span, where);
    d->failed = true;
    if (!cg_dim_eval(dim, d->dims, &value, &missing)) {
        cg_err(d->e, CG_ERR_INPUT, "graph '%s' cannot run before the dim '%s' has a value%s%s", g->name ? g->name : "",
            missing ? missing : "?", *where ? "; it is a size at " : "", where);
    } else {
        cg_dim_print(dim, &text);
        cg_err(d->e, CG_ERR_INPUT, "the size '%s' is %lld here%s%s", cg_strbuf_str(&text), (long long)value,
            *where ? ", at " : "", where);
    }
    cg_strbuf_deinit(&text);
}

bool cg_planner_tensor(CgPlanner *d, const CgType *type, CgRef r, CgTensor *t, size_t *bytes)
{
    const CgDim *wrong;
    if (cg_bind_tensor(d->dims, type, t, bytes, &wrong))
        return true;
    d->failed = true;
    if (wrong) {
        refuse_dim(d, wrong, r);
    } else {
        CgStrbuf text = { 0 };
        char where[160];
        cg_plan_where(d->p->options.sources, cg_node(d->p->graph, r)->span, where);
        cg_type_print(type, &text);
        cg_err(d->e, CG_ERR_MEMORY, "a tensor of type %s has more elements than memory has addresses%s%s",
            cg_strbuf_str(&text), *where ? ", at " : "", where);
        cg_strbuf_deinit(&text);
    }
    return false;
}

const CgAttrs *cg_planner_attrs(CgPlanner *d, const CgAttrs *attrs, CgRef r)
{
    const CgDim *wrong = NULL;
    const CgAttrs *bound = cg_bind_attrs(d->dims, d->p->arena, &d->attrs, attrs, &wrong);
    if (wrong)
        refuse_dim(d, wrong, r);
    return bound;
}

int cg_plan_new_buffer(CgPlan *p, CgStorage storage, int ordinal, size_t bytes)
{
    cg_vec_push(&p->buffers,
        (CgBuffer){ .storage = storage,
            .ordinal = ordinal,
            .bytes = bytes,
            .first = (int)p->instrs.len,
            .last = (int)p->instrs.len });
    return (int)p->buffers.len - 1;
}

void cg_plan_drop_buffer(CgPlan *p, int buffer)
{
    p->buffers.at[buffer].first = 1;
    p->buffers.at[buffer].last = 0;
}

bool cg_planner_result(CgPlanner *d, CgRef r, int k, CgTensor *t, size_t *bytes)
{
    const CgNode *n = cg_node(d->p->graph, r);
    if (!cg_planner_tensor(d, cg_node_out_type(n, k), r, t, bytes))
        return false;
    if (!d->p->options.no_rounding && cg_rounded_result(d->rounded, r, k)) {
        *bytes = *bytes / cg_dtype_size(t->dtype) * cg_dtype_size(CG_ROUNDED);
        t->dtype = CG_ROUNDED;
    }
    return true;
}

CgSlot cg_planner_new_result(CgPlanner *d, CgRef r, int k)
{
    CgSlot s = { 0 };
    size_t bytes;
    if (cg_planner_result(d, r, k, &s.tensor, &bytes))
        s.buffer = cg_plan_new_buffer(d->p, CG_AT_SLAB, 0, bytes);
    return s;
}
