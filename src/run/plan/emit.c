/* emit.c - from nodes to instructions.
 * Takes nodes in the order they run; gives instructions over buffers, views of what is there, and copies where an
 * operand has to be contiguous. Must not compute an element, nor choose the order. */
#include <string.h>
#include "run/exec.h"
#include "run/plan/inside.h"

CgCall cg_plan_call(const CgInstr *in, CgTensor *t)
{
    for (int i = 0; i < in->nin; i++)
        t[i] = in->in[i].tensor;
    for (int i = 0; i < in->nout; i++)
        t[CG_MAX_IN + i] = in->out[i].tensor;
    return (CgCall){ .op = in->op,
        .nin = in->nin,
        .nout = in->nout,
        .in = t,
        .out = t + CG_MAX_IN,
        .attrs = in->attrs,
        .bf16 = in->bf16 };
}

static void lay_slots(CgPlanner *d, CgInstr *in)
{
    in->in = CG_NEWN(d->p->arena, CgSlot, in->nin + in->nout + 1);
    in->out = in->in + in->nin;
}

static void use(CgPlan *p, const CgSlot *s) { p->buffers.at[s->buffer].last = (int)p->instrs.len; }

static void push_instr(CgPlanner *d, CgInstr *in)
{
    CgPlan *p = d->p;
    CgTensor t[CG_MAX_IN + CG_MAX_OUT];
    CgCall call = cg_plan_call(in, t);
    cg_work_elementwise(&call, &in->work);
    size_t scratch = in->kernel == cg_kernel_elementwise ? in->work.scratch : 0;
    if (in->loop) {
        cg_loop_work(in->loop, &in->work);
    } else if (in->op->work) {
        in->work = (CgWork){ .shards = 1 };
        in->op->work(&call, &in->work);
    }
    if (in->work.scratch < scratch)
        in->work.scratch = scratch; /* at least the tiles of the driver */
    if (in->work.shards == 0)
        in->work.shards = 1;
    in->shared = -1;
    if (in->work.shared > 0)
        in->shared = cg_plan_new_buffer(p, CG_AT_SLAB, 0, in->work.shared);
    if (in->work.scratch > p->scratch)
        p->scratch = in->work.scratch;
    for (int i = 0; i < in->nin; i++)
        use(p, &in->in[i]);
    cg_vec_push(&p->instrs, *in);
}

CgSlot cg_planner_copy_to(CgPlanner *d, const CgSlot *of, CgRef node, int buffer)
{
    CgInstr in = { .node = node, .op = &cg_op_copy, .nin = 1, .nout = 1 };
    lay_slots(d, &in);
    in.in[0] = *of;
    CgTensor t = of->tensor;
    int64_t stride = 1;
    for (int i = t.rank - 1; i >= 0; i--) {
        t.stride[i] = stride;
        stride *= t.dim[i];
    }
    in.kernel = cg_kernel_copy;
    in.out[0] = (CgSlot){ .buffer = buffer, .tensor = t };
    push_instr(d, &in);
    return in.out[0];
}

CgSlot cg_planner_copy(CgPlanner *d, const CgSlot *of, CgRef node, CgStorage storage, int ordinal)
{
    size_t bytes = (size_t)cg_tensor_count(&of->tensor) * cg_dtype_size(of->tensor.dtype);
    return cg_planner_copy_to(d, of, node, cg_plan_new_buffer(d->p, storage, ordinal, bytes));
}

/* A value with its elements row major, copied at most once. */
static CgSlot contiguous(CgPlanner *d, CgRef r)
{
    if (cg_tensor_contiguous(&d->value[r]->tensor))
        return *d->value[r];
    if (!d->copy[r]) {
        d->copy[r] = CG_NEW(d->p->arena, CgSlot);
        *d->copy[r] = cg_planner_copy(d, d->value[r], r, CG_AT_SLAB, 0);
    }
    return *d->copy[r];
}

static bool view_of(const CgSlot *x, const CgNode *n, const CgAttrs *attrs, CgSlot *y)
{
    CgTensor in = x->tensor;
    in.data = CG_PLAN_NOWHERE;
    y->tensor.data = NULL;
    y->tensor.dtype = in.dtype; /* also where that is not the type's */
    CgCall call = { .op = n->op, .nin = 1, .nout = 1, .in = &in, .out = &y->tensor, .attrs = attrs };
    if (!n->op->view(&call, &y->tensor))
        return false;
    y->buffer = x->buffer;
    y->offset = x->offset + (size_t)((char *)y->tensor.data - CG_PLAN_NOWHERE);
    y->tensor.data = NULL;
    return true;
}

static void emit_view(CgPlanner *d, CgRef r, const CgNode *n)
{
    CgSlot y = { 0 };
    size_t bytes;
    const CgAttrs *attrs = cg_planner_attrs(d, n->attrs, r);
    if (d->failed || !cg_planner_tensor(d, &n->type, r, &y.tensor, &bytes))
        return;
    if (!view_of(d->value[n->in[0]], n, attrs, &y)) {
        CgSlot x = contiguous(d, n->in[0]);
        if (!cg_planner_tensor(d, &n->type, r, &y.tensor, &bytes))
            return;
        if (!view_of(&x, n, attrs, &y))
            CG_BUG("the view '%s' refuses a contiguous operand", n->op->name);
    }
    d->value[r] = CG_NEW(d->p->arena, CgSlot);
    *d->value[r] = y;
}

/* A result with any order of axes gets the order its users need, else that of the operand it can overwrite. */
static void lay_out(CgPlanner *d, CgRef r, int k, const CgInstr *in, CgTensor *t)
{
    if (!(in->op->traits & CG_ANY_ORDER) || cg_layouts_order(d->layouts, r, k, t))
        return;
    for (int i = 0; i < in->nin; i++)
        if (cg_bits_have(in->op->inplace, i) && cg_layouts_like(t, &in->in[i].tensor))
            return;
}

static void emit_kernel(CgPlanner *d, CgRef r, const CgNode *n)
{
    CgInstr in = { .node = r, .op = n->op, .nin = n->nin, .nout = n->nout };
    lay_slots(d, &in);
    in.attrs = cg_planner_attrs(d, n->attrs, r);
    in.bf16 = n->bf16;
    if (d->failed)
        return;
    CgOpCode code = cg_node_code(d->p->graph, n);
    bool vec = !code.kernel;
    bool loop = n->op->traits & CG_LOOP;
    in.kernel = loop ? cg_kernel_loop : vec ? cg_kernel_elementwise : code.kernel;
    bool strided = (vec && !loop) || n->op->traits & CG_STRIDED;
    for (int i = 0; i < n->nin; i++) {
        const CgSlot *x = d->value[n->in[i]];
        bool spread = i == 0 && n->op->traits & CG_SPREAD && cg_tensor_spread(&x->tensor);
        in.in[i] = strided || spread ? *x : contiguous(d, n->in[i]);
    }
    if (loop)
        in.loop = cg_planner_loop(d, r, &in.in[cg_attr_int(n->attrs, "states", 0)].tensor);
    bool begun = d->value[r] != NULL; /* pieces of it have been made */
    if (!begun)
        d->value[r] = CG_NEWN(d->p->arena, CgSlot, in.nout);
    bool taken[CG_MAX_IN] = { false };
    for (int i = 0; i < in.nout && !d->failed; i++) {
        if (!begun && !cg_planner_subview(d, r, i, &d->value[r][i])) {
            d->value[r][i] = cg_planner_new_result(d, r, i);
            lay_out(d, r, i, &in, &d->value[r][i].tensor);
            cg_plan_over_rows(d->p, &d->users, d->value, &in, &d->value[r][i], taken);
        }
        in.out[i] = d->value[r][i];
        use(d->p, &in.out[i]);
    }
    if (!d->failed && !(begun && cg_planner_is_joined(d, r, &in)))
        push_instr(d, &in);
}

static void emit_const(CgPlanner *d, CgRef r, const CgNode *n)
{
    const CgAttr *a = cg_attr_find(n->attrs, "value");
    CgConstant c = { .bits = 0 };
    if (a && a->kind == CG_ATTR_INT && n->type.dtype == CG_I64)
        c.i64 = a->i; /* beyond 2^53 no double holds it */
    else if (a)
        cg_element_put(n->type.dtype, &c, a->kind == CG_ATTR_INT ? (double)a->i : a->f);
    CgPlan *p = d->p;
    cg_vec_push(&p->constants, c);
    d->value[r] = CG_NEW(p->arena, CgSlot);
    size_t bytes;
    if (cg_planner_tensor(d, &n->type, r, &d->value[r]->tensor, &bytes)) {
        if (n->type.rank != 0)
            CG_BUG("a constant that is not a scalar");
        d->value[r]->buffer = cg_plan_new_buffer(p, CG_AT_CONST, (int)p->constants.len - 1, bytes);
    }
}

/* Outputs in memory of the caller: a result that has a buffer of its own is written there at once, all else
 * copied. */
static void bind_outputs(CgPlanner *d, CgRef r)
{
    CgPlan *p = d->p;
    for (int o = d->first_output[r]; o >= 0; o = d->next_output[o]) {
        CgSlot s = *d->value[r];
        CgBuffer *b = &p->buffers.at[s.buffer];
        size_t bytes = (size_t)cg_tensor_count(&s.tensor) * cg_dtype_size(s.tensor.dtype);
        if (!p->options.outputs_bound || d->renewed[o] != CG_NONE) {
            p->outputs[o] = s;
        } else if (b->storage == CG_AT_SLAB && s.offset == 0 && b->bytes == bytes && cg_tensor_contiguous(&s.tensor)) {
            b->storage = CG_AT_OUTPUT;
            b->ordinal = o;
            p->outputs[o] = s;
        } else {
            p->outputs[o] = cg_planner_copy(d, &s, r, CG_AT_OUTPUT, o);
        }
    }
}

void cg_planner_emit(CgPlanner *d, CgRef r)
{
    const CgNode *n = cg_node(d->p->graph, r);
    if (cg_node_is_leaf(n)) {
        if (!d->value[r]) /* inputs and params have theirs */
            emit_const(d, r, n);
    } else if (cg_node_is_result(n)) {
        int k;
        CgSlot *results = d->value[cg_node_result(d->p->graph, r, &k)];
        d->value[r] = results + k;
    } else if (n->op->view) {
        emit_view(d, r, n);
    } else {
        emit_kernel(d, r, n);
    }
    if (!d->failed)
        bind_outputs(d, r);
}
