/* plan.c - from a graph and numbers for its symbols to instructions.
 * Takes a graph; gives instructions in order, operands as tensors with strides over buffers, buffers with
 * lifetimes, results laid over dying operands. Must not compute an element, and must not change the graph. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/timing.h"
#include "run/plan/plan_inside.h"

/* Views are asked with this address in place of memory that is not there yet; only the difference counts. */
#define NOWHERE ((char *)(uintptr_t)0x100000)

typedef struct Draft {
    CgPlan *p;
    CgBindings dims;
    CgErr *e;
    CgMap attrs;      /* CgAttrs as written -> with dims bound */
    CgSlot **value;   /* by node: its results */
    CgSlot **copy;    /* by node: a contiguous copy of it, once somebody needed one */
    int *next_output; /* outputs by node: chains of output numbers, -1 at the end */
    int *first_output;
    CgRef (*home)[CG_MAX_OUT]; /* by node and result: the node of whose result it is a piece, or CG_NONE */
    CgRef *renewed;            /* by output: the leaf it is written over, or CG_NONE */
    CgReaders readers;
    CgLayouts *layouts;
    CgRounded *rounded;
    int *parent; /* by buffer: the buffer whose memory it is, itself at the root */
    bool failed;
} Draft;

bool cg_tensor_contiguous(const CgTensor *t)
{
    int64_t expect = 1;
    bool row_major = true;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->dim[i] == 0)
            return true;
        row_major = row_major && (t->dim[i] == 1 || t->stride[i] == expect);
        expect *= t->dim[i];
    }
    return row_major;
}

/* Says what is wrong with the size of a dim at node r. */
static void refuse_dim(Draft *d, const CgDim *dim, CgRef r)
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

/* The tensor of a type, row major; what is wrong with it is said at node r. */
static bool bind_type(Draft *d, const CgType *type, CgRef r, CgTensor *t, size_t *bytes)
{
    const CgDim *wrong;
    if (cg_plan_bind_type(d->dims, type, t, bytes, &wrong))
        return true;
    d->failed = true;
    if (wrong) {
        refuse_dim(d, wrong, r);
    } else {
        CgStrbuf text = { 0 };
        cg_type_print(type, &text);
        cg_err(d->e, CG_ERR_MEMORY, "a tensor of type %s has more elements than memory has addresses",
            cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    return false;
}

static const CgAttrs *bind_attrs(Draft *d, const CgAttrs *attrs, CgRef r)
{
    const CgDim *wrong = NULL;
    const CgAttrs *bound = cg_plan_bind_attrs(d->dims, d->p->arena, &d->attrs, attrs, &wrong);
    if (wrong)
        refuse_dim(d, wrong, r);
    return bound;
}

static int new_buffer(CgPlan *p, CgPlace place, int ordinal, size_t bytes)
{
    cg_vec_push(&p->buffers,
        (CgBuffer){ .place = place,
            .ordinal = ordinal,
            .bytes = bytes,
            .first = (int)p->instrs.len,
            .last = (int)p->instrs.len });
    return (int)p->buffers.len - 1;
}

/* Result k of node r as it is kept. */
static bool bind_result(Draft *d, CgRef r, int k, CgTensor *t, size_t *bytes)
{
    const CgNode *n = cg_node(d->p->graph, r);
    if (!bind_type(d, k == 0 ? &n->type : &n->more[k - 1], r, t, bytes))
        return false;
    if (!d->p->options.no_rounding && cg_rounded_result(d->rounded, r, k)) {
        *bytes = *bytes / cg_dtype_size(t->dtype) * cg_dtype_size(CG_BF16);
        t->dtype = CG_BF16;
    }
    return true;
}

static CgSlot new_result(Draft *d, CgRef r, int k)
{
    CgSlot s = { 0 };
    size_t bytes;
    if (bind_result(d, r, k, &s.tensor, &bytes))
        s.buffer = new_buffer(d->p, CG_AT_SLAB, 0, bytes);
    return s;
}

/* Tensors side by side, as a kernel is given them. */
static CgCall call_of(const CgInstr *in, CgTensor *t)
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

static void use(CgPlan *p, const CgSlot *s) { p->buffers.at[s->buffer].last = (int)p->instrs.len; }

static void push_instr(Draft *d, CgInstr *in)
{
    CgPlan *p = d->p;
    CgTensor t[CG_MAX_IN + CG_MAX_OUT];
    CgCall call = call_of(in, t);
    cg_work_elementwise(&call, &in->work);
    size_t scratch = in->kernel == cg_kernel_elementwise ? in->work.scratch : 0;
    if (in->op->work) {
        in->work = (CgWork){ .parts = 1 };
        in->op->work(&call, &in->work);
    }
    if (in->work.scratch < scratch)
        in->work.scratch = scratch; /* the driver's tiles, whatever the op says of its cost */
    if (in->work.parts == 0)
        in->work.parts = 1;
    in->shared = -1;
    if (in->work.shared > 0)
        in->shared = new_buffer(p, CG_AT_SLAB, 0, in->work.shared);
    if (in->work.scratch > p->scratch)
        p->scratch = in->work.scratch;
    for (int i = 0; i < in->nin; i++)
        use(p, &in->in[i]);
    cg_vec_push(&p->instrs, *in);
}

static CgSlot emit_copy_to(Draft *d, const CgSlot *of, CgRef node, int buffer)
{
    CgInstr in = { .node = node, .op = &cg_op_copy, .nin = 1, .nout = 1, .in = { *of } };
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

static CgSlot emit_copy(Draft *d, const CgSlot *of, CgRef node, CgPlace place, int ordinal)
{
    size_t bytes = (size_t)cg_tensor_count(&of->tensor) * cg_dtype_size(of->tensor.dtype);
    return emit_copy_to(d, of, node, new_buffer(d->p, place, ordinal, bytes));
}

/* A value with its elements row major, copied at most once. */
static CgSlot contiguous(Draft *d, CgRef r)
{
    if (cg_tensor_contiguous(&d->value[r]->tensor))
        return *d->value[r];
    if (!d->copy[r]) {
        d->copy[r] = CG_NEW(d->p->arena, CgSlot);
        *d->copy[r] = emit_copy(d, d->value[r], r, CG_AT_SLAB, 0);
    }
    return *d->copy[r];
}

static bool view_of(const CgSlot *x, const CgNode *n, const CgAttrs *attrs, CgSlot *y)
{
    CgTensor in = x->tensor;
    in.data = NOWHERE;
    y->tensor.data = NULL;
    y->tensor.dtype = in.dtype; /* also where that is not the type's */
    CgCall call = { .op = n->op, .nin = 1, .nout = 1, .in = &in, .out = &y->tensor, .attrs = attrs };
    if (!n->op->view(&call, &y->tensor))
        return false;
    y->buffer = x->buffer;
    y->offset = x->offset + (size_t)((char *)y->tensor.data - NOWHERE);
    y->tensor.data = NULL;
    return true;
}

static void emit_view(Draft *d, CgRef r, const CgNode *n)
{
    CgSlot y = { 0 };
    size_t bytes;
    const CgAttrs *attrs = bind_attrs(d, n->attrs, r);
    if (d->failed || !bind_type(d, &n->type, r, &y.tensor, &bytes))
        return;
    if (!view_of(d->value[n->in[0]], n, attrs, &y)) {
        CgSlot x = contiguous(d, n->in[0]);
        if (!bind_type(d, &n->type, r, &y.tensor, &bytes))
            return;
        if (!view_of(&x, n, attrs, &y))
            CG_BUG("the view '%s' refuses a contiguous operand", n->op->name);
    }
    d->value[r] = CG_NEW(d->p->arena, CgSlot);
    *d->value[r] = y;
}

/* Results that are pieces of another node's result are made there: home[] of the first result of each kernel that an op
 * with `piece` puts together, if it is put together once. */
static void find_homes(Draft *d, const bool *live)
{
    const CgGraph *g = d->p->graph;
    for (CgRef r = 0; r < g->nodes.len; r++)
        for (int k = 0; k < CG_MAX_OUT; k++)
            d->home[r][k] = CG_NONE;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        if (!live[r] || !n->op->piece)
            continue;
        for (int i = 0; i < n->nin; i++) {
            const CgNode *x = cg_node(g, n->in[i]);
            bool part = strcmp(x->op->name, "part") == 0, twice = false;
            CgRef base = part ? x->in[0] : n->in[i];
            int k = part ? (int)cg_attr_int(x->attrs, "k", 0) : 0;
            for (int j = 0; j < n->nin; j++)
                twice = twice || (j != i && n->in[j] == n->in[i]);
            if (!twice && !cg_plan_is_leaf(cg_node(g, base)) && !cg_plan_is_view(cg_node(g, base))
                && !cg_node(g, base)->op->piece && d->home[base][k] == CG_NONE)
                d->home[base][k] = r;
        }
    }
}

static CgSlot *whole_of(Draft *d, CgRef r)
{
    if (!d->value[r]) {
        CgSlot s = new_result(d, r, 0);
        d->value[r] = CG_NEW(d->p->arena, CgSlot);
        *d->value[r] = s;
    }
    return d->value[r];
}

/* The place of result k of node r in the result it is a piece of; false when that is not in one stretch. */
static bool at_home(Draft *d, CgRef r, int k, CgSlot *s)
{
    const CgGraph *g = d->p->graph;
    CgRef home = d->home[r][k];
    if (home == CG_NONE)
        return false;
    const CgNode *n = cg_node(g, home);
    const CgAttrs *attrs = bind_attrs(d, n->attrs, home);
    CgTensor in[CG_MAX_IN], out;
    size_t bytes;
    int at = -1;
    bool good = !d->failed && bind_type(d, &n->type, home, &out, &bytes) && bytes > 0;
    for (int i = 0; i < n->nin && good; i++) {
        const CgNode *x = cg_node(g, n->in[i]);
        bool part = strcmp(x->op->name, "part") == 0;
        good = bind_type(d, &x->type, n->in[i], &in[i], &bytes);
        if ((part ? x->in[0] : n->in[i]) == r && (part ? (int)cg_attr_int(x->attrs, "k", 0) : 0) == k)
            at = i;
    }
    if (!good || at < 0)
        return false;
    out.data = NOWHERE;
    CgCall call = { .op = n->op, .nin = n->nin, .nout = 1, .in = in, .out = &out, .attrs = attrs };
    CgTensor piece = out;
    n->op->piece(&call, at, &piece);
    if (!cg_tensor_contiguous(&piece) || cg_tensor_count(&piece) == 0)
        return false;
    CgSlot *whole = whole_of(d, home);
    *s = (CgSlot){ .buffer = whole->buffer, .offset = (size_t)((char *)piece.data - NOWHERE), .tensor = piece };
    s->tensor.data = NULL;
    int64_t stride = 1;
    for (int i = piece.rank; i-- > 0; stride *= piece.dim[i])
        s->tensor.stride[i] = stride;
    return !d->failed;
}

/* Every operand of the instruction already lies where the op would put it. */
static bool is_put_together(const Draft *d, CgRef r, const CgInstr *in)
{
    for (int i = 0; i < in->nin; i++) {
        const CgNode *x = cg_node(d->p->graph, cg_node(d->p->graph, r)->in[i]);
        bool part = strcmp(x->op->name, "part") == 0;
        CgRef base = part ? x->in[0] : cg_node(d->p->graph, r)->in[i];
        int k = part ? (int)cg_attr_int(x->attrs, "k", 0) : 0;
        if (d->home[base][k] != r || in->in[i].buffer != d->value[r]->buffer)
            return false;
    }
    return true;
}

/* A result that may lie in any order lies as its users want it, else as the operand it can be written over. */
static void lay_out(Draft *d, CgRef r, int k, const CgInstr *in, CgTensor *t)
{
    if (!(in->op->traits & CG_ANY_ORDER) || cg_layouts_order(d->layouts, r, k, t))
        return;
    for (int i = 0; i < in->nin; i++)
        if (in->op->inplace >> i & 1 && cg_layouts_like(t, &in->in[i].tensor))
            return;
}

static void emit_kernel(Draft *d, CgRef r, const CgNode *n)
{
    CgInstr in = { .node = r, .op = n->op, .nin = n->nin, .nout = n->op->nout ? n->op->nout : 1 };
    in.attrs = bind_attrs(d, n->attrs, r);
    in.bf16 = n->bf16;
    if (d->failed)
        return;
    CgDtype dtype = n->nin > 0 ? cg_node_type(d->p->graph, n->in[0])->dtype : n->type.dtype;
    bool vec = !n->op->kernel[dtype];
    in.kernel = vec ? cg_kernel_elementwise : n->op->kernel[dtype];
    for (int i = 0; i < n->nin; i++)
        in.in[i] = vec || n->op->traits & CG_STRIDED ? *d->value[n->in[i]] : contiguous(d, n->in[i]);
    bool begun = d->value[r] != NULL; /* pieces of it have been made */
    if (!begun)
        d->value[r] = CG_NEWN(d->p->arena, CgSlot, in.nout);
    bool taken[CG_MAX_IN] = { false };
    for (int i = 0; i < in.nout && !d->failed; i++) {
        if (!begun && !at_home(d, r, i, &d->value[r][i])) {
            d->value[r][i] = new_result(d, r, i);
            lay_out(d, r, i, &in, &d->value[r][i].tensor);
            cg_plan_over_rows(d->p, &d->readers, d->value, &in, &d->value[r][i], taken);
        }
        in.out[i] = d->value[r][i];
        use(d->p, &in.out[i]);
    }
    if (!d->failed && !(begun && is_put_together(d, r, &in)))
        push_instr(d, &in);
}

static void emit_const(Draft *d, CgRef r, const CgNode *n)
{
    const CgAttr *a = cg_attr_find(n->attrs, "value");
    double f = !a ? 0 : a->kind == CG_ATTR_INT ? (double)a->i : a->f;
    int64_t i = !a ? 0 : a->kind == CG_ATTR_INT ? a->i : f >= -0x1p63 && f < 0x1p63 ? (int64_t)f : INT64_MIN;
    CgConstant c = { .bits = 0 };
    switch (n->type.dtype) {
    case CG_F32: c.f32 = (float)f; break;
    case CG_F64: c.f64 = f; break;
    case CG_I32: c.i32 = (int32_t)i; break;
    case CG_I64: c.i64 = i; break;
    case CG_BOOL: c.b = a && (a->kind == CG_ATTR_INT ? a->i != 0 : a->f != 0); break;
    case CG_BF16:
    case CG_NDTYPE: CG_BUG("a constant without dtype");
    }
    CgPlan *p = d->p;
    cg_vec_push(&p->constants, c);
    d->value[r] = CG_NEW(p->arena, CgSlot);
    size_t bytes;
    if (bind_type(d, &n->type, r, &d->value[r]->tensor, &bytes)) {
        if (n->type.rank != 0)
            CG_BUG("a constant that is not a scalar");
        d->value[r]->buffer = new_buffer(p, CG_AT_CONST, (int)p->constants.len - 1, bytes);
    }
}

/* Outputs in memory of the caller: a result that has a buffer of its own is written there at once, all else
 * copied. */
static void bind_outputs(Draft *d, CgRef r)
{
    CgPlan *p = d->p;
    for (int o = d->first_output[r]; o >= 0; o = d->next_output[o]) {
        CgSlot s = *d->value[r];
        CgBuffer *b = &p->buffers.at[s.buffer];
        size_t bytes = (size_t)cg_tensor_count(&s.tensor) * cg_dtype_size(s.tensor.dtype);
        if (!p->options.outputs_bound || d->renewed[o] != CG_NONE) {
            p->outputs[o] = s;
        } else if (b->place == CG_AT_SLAB && s.offset == 0 && b->bytes == bytes && cg_tensor_contiguous(&s.tensor)) {
            b->place = CG_AT_OUTPUT;
            b->ordinal = o;
            p->outputs[o] = s;
        } else {
            p->outputs[o] = emit_copy(d, &s, r, CG_AT_OUTPUT, o);
        }
    }
}

static void emit(Draft *d, CgRef r)
{
    const CgNode *n = cg_node(d->p->graph, r);
    if (cg_plan_is_leaf(n)) {
        if (!d->value[r]) /* inputs and params have theirs */
            emit_const(d, r, n);
    } else if (strcmp(n->op->name, "part") == 0) {
        d->value[r] = d->value[n->in[0]] + cg_attr_int(n->attrs, "k", 0);
    } else if (n->op->view) {
        emit_view(d, r, n);
    } else {
        emit_kernel(d, r, n);
    }
    if (!d->failed)
        bind_outputs(d, r);
}

/* ---- outputs that renew an input or a parameter ---- */

/* renewed[o]: the leaf with the name and type of output o. */
static void find_renewed(const CgGraph *g, bool update, CgRef *renewed)
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

/* Output o can be made in the leaf's memory: it is a whole buffer of one instruction, and whoever reads the leaf has
 * done so before, or is that instruction and may write over it. */
static bool can_renew(const Draft *d, size_t o, int leaf)
{
    const CgPlan *p = d->p;
    const CgSlot *y = &p->outputs[o];
    const CgBuffer *b = &p->buffers.at[y->buffer], *l = &p->buffers.at[leaf];
    if (p->options.no_inplace || b->place != CG_AT_SLAB || y->offset != 0 || b->bytes != l->bytes
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
            && !(cg_plan_may_cover(in, k, &in->out[made].tensor) && cg_plan_alone(in, k, d->parent)))
            return false;
    return true;
}

static int leaf_buffer(const Draft *d, size_t o)
{
    return d->renewed[o] == CG_NONE ? -1 : d->value[d->renewed[o]]->buffer;
}

/* Outputs go to the leaves they renew: at once where that is possible; else by a copy at the end, in two rounds where
 * the new value of one leaf is the old one of another. A leaf that is its own new value stays as it is. */
static void renew(Draft *d)
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
        p->buffers.at[y].first = 1; /* nobody lives here any more */
        p->buffers.at[y].last = 0;
        p->inplace++;
    }
    for (size_t o = 0; o < n; o++)
        if (late[o] && p->buffers.at[p->outputs[o].buffer].place != CG_AT_SLAB)
            p->outputs[o] = emit_copy(d, &p->outputs[o], p->graph->outputs.at[o].ref, CG_AT_SLAB, 0);
    for (size_t o = 0; o < n; o++)
        if (late[o])
            p->outputs[o] = emit_copy_to(d, &p->outputs[o], p->graph->outputs.at[o].ref, leaf_buffer(d, o));
    free(late);
}

static bool lay_leaves(Draft *d)
{
    CgPlan *p = d->p;
    const CgGraph *g = p->graph;
    p->inputs = CG_NEWN(p->arena, CgTensor, g->inputs.len + 1);
    p->params = CG_NEWN(p->arena, CgTensor, g->params.len + 1);
    for (int params = 0; params < 2; params++) {
        size_t n = params ? g->params.len : g->inputs.len;
        for (size_t i = 0; i < n; i++) {
            CgRef r = params ? g->params.at[i] : g->inputs.at[i];
            CgSlot *s = d->value[r] = CG_NEW(p->arena, CgSlot);
            size_t bytes;
            if (!bind_type(d, &cg_node(g, r)->type, r, &s->tensor, &bytes))
                return false;
            s->buffer = new_buffer(p, params ? CG_AT_PARAM : CG_AT_INPUT, (int)i, bytes);
            (params ? p->params : p->inputs)[i] = s->tensor;
        }
    }
    return true;
}

/* One plan for one schedule, all but the state of its ops; NULL when a size is missing or senseless. */
static CgPlan *draft(const CgGraph *g, CgBindings dims, CgPlanOptions options, int schedule, CgErr *e)
{
    CgPlan *p = cg_calloc(1, sizeof *p);
    p->arena = cg_arena_new();
    p->graph = g;
    p->options = options;
    p->order = schedule;
    size_t n = g->nodes.len;
    Draft d = { .p = p, .dims = dims, .e = e };
    d.value = cg_calloc(n + 1, sizeof *d.value);
    d.copy = cg_calloc(n + 1, sizeof *d.copy);
    d.first_output = cg_malloc((n + 1) * sizeof *d.first_output);
    d.next_output = cg_malloc((g->outputs.len + 1) * sizeof *d.next_output);
    size_t *bytes = cg_calloc(n + 1, sizeof *bytes);
    CgRef *order = cg_malloc((n + 1) * sizeof *order);
    bool *live = cg_calloc(n + 1, sizeof *live);
    p->outputs = CG_NEWN(p->arena, CgSlot, g->outputs.len + 1);
    d.renewed = cg_malloc((g->outputs.len + 1) * sizeof *d.renewed);
    find_renewed(g, options.update, d.renewed);

    for (size_t r = 0; r <= n; r++)
        d.first_output[r] = -1;
    for (size_t i = g->outputs.len; i-- > 0;) {
        d.next_output[i] = d.first_output[g->outputs.at[i].ref];
        d.first_output[g->outputs.at[i].ref] = (int)i;
    }
    cg_plan_live(g, live);
    d.home = cg_malloc((n + 1) * sizeof *d.home);
    find_homes(&d, live);
    cg_plan_readers(&d.readers, g, live);
    d.layouts = cg_layouts_new(&d.readers, dims);
    d.rounded = cg_rounded_new(&d.readers, dims, live);
    for (CgRef r = 0; r < n && !d.failed; r++) {
        const CgNode *node = cg_node(g, r);
        if (!live[r] || cg_plan_is_leaf(node) || cg_plan_is_view(node))
            continue;
        for (int i = 0; i < (node->op->nout ? node->op->nout : 1) && !d.failed; i++) {
            CgTensor t;
            size_t size = 0;
            if (bind_result(&d, r, i, &t, &size))
                bytes[r] += size;
        }
    }
    for (size_t o = 0; o < g->outputs.len && !d.failed; o++)
        if (d.renewed[o] != CG_NONE) { /* takes no memory of its own */
            CgTensor t;
            size_t size = 0;
            const CgNode *node = cg_node(g, g->outputs.at[o].ref);
            CgRef base = strcmp(node->op->name, "part") == 0 ? node->in[0] : g->outputs.at[o].ref;
            if (bind_type(&d, &node->type, base, &t, &size))
                bytes[base] -= size < bytes[base] ? size : bytes[base];
        }
    if (!d.failed && lay_leaves(&d)) {
        size_t count = cg_plan_order(g, bytes, d.renewed, schedule, order);
        for (size_t i = 0; i < count && !d.failed; i++)
            emit(&d, order[i]);
    }
    if (!d.failed) {
        d.parent = cg_malloc((p->buffers.len + g->outputs.len * 2 + 1) * sizeof *d.parent);
        for (size_t i = 0; i < p->buffers.len + g->outputs.len * 2; i++)
            d.parent[i] = (int)i;
        renew(&d);
    }
    free(live);
    free(order);
    free(bytes);
    free(d.value);
    free(d.copy);
    free(d.first_output);
    free(d.next_output);
    free(d.renewed);
    free(d.home);
    cg_layouts_free(d.layouts);
    cg_rounded_free(d.rounded);
    cg_plan_readers_free(&d.readers);
    cg_map_deinit(&d.attrs);
    if (d.failed) {
        cg_plan_free(p);
        return NULL;
    }
    for (size_t i = 0; i < g->outputs.len; i++)
        p->buffers.at[p->outputs[i].buffer].last = (int)p->instrs.len;
    for (size_t i = 0; i < p->buffers.len; i++) {
        CgBuffer *b = &p->buffers.at[i];
        if (b->place == CG_AT_INPUT || b->place == CG_AT_PARAM || b->place == CG_AT_CONST) {
            b->first = 0;
            b->last = (int)p->instrs.len;
        }
    }
    cg_plan_lay_over(p, d.parent);
    free(d.parent);
    for (size_t i = 0; i < p->buffers.len && options.together; i++) {
        CgBuffer *b = &p->buffers.at[i];
        if (b->place != CG_AT_OUTPUT || options.together[b->ordinal] == CG_PLAN_BOUND)
            continue;
        b->place = CG_AT_SLAB;
        b->pinned = true;
        b->offset = options.together[b->ordinal];
    }
    if (!cg_plan_place(p)) {
        cg_err(e, CG_ERR_MEMORY, "the tensors of graph '%s' together have more bytes than memory has addresses",
            g->name ? g->name : "");
        cg_plan_free(p);
        return NULL;
    }
    return p;
}

static void prepare(CgPlan *p)
{
    for (size_t i = 0; i < p->instrs.len; i++) {
        CgInstr *in = &p->instrs.at[i];
        if (in->shared >= 0)
            in->shared_offset = p->buffers.at[in->shared].offset;
        if (in->op->prepare) {
            CgTensor t[CG_MAX_IN + CG_MAX_OUT];
            CgCall call = call_of(in, t);
            in->state = in->op->prepare(&call);
        }
    }
}

void cg_plan_free(CgPlan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->instrs.len; i++)
        if (p->instrs.at[i].state && p->instrs.at[i].op->release)
            p->instrs.at[i].op->release(p->instrs.at[i].state);
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

static CgPlan *build(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e)
{
    CgGraph *own = NULL;
    const CgGraph *runnable = cg_plan_expand(g, dims, &own, e);
    CgPlan *best = NULL;
    for (int schedule = 0; runnable && schedule < CG_PLAN_ORDERS; schedule++) {
        CgPlan *p = draft(runnable, dims, options, schedule, e);
        if (!p)
            break;
        if (best && best->slab <= p->slab) {
            cg_plan_free(p);
        } else {
            cg_plan_free(best);
            best = p;
        }
    }
    if (best && !cg_plan_fits(best, e)) {
        cg_plan_free(best);
        best = NULL;
    }
    if (!best) {
        if (own)
            cg_graph_free(own);
        return NULL;
    }
    best->own = own;
    prepare(best);
    cg_plan_make_waves(best);
    return best;
}

CgPlan *cg_plan_build(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e)
{
    cg_timing_begin("plan");
    CgPlan *p = build(g, dims, options, e);
    cg_timing_end();
    return p;
}
