/* verify.c - is a plan sound?
 * Takes a plan; stops the program with a sentence when two live buffers share bytes, an operand is read outside its
 * buffer or its life, or instructions run in an order that changes what one of them reads. Shares no code with the
 * planner, so that one mistake cannot hide in both. */
#include <stdlib.h>
#include "run/plan/plan.h"

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
        CG_BUG("%s of instruction %d is touched outside the life of its buffer, %d to %d", what, i, b->first, b->last);
}

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

/* Do two tensors in one buffer share bytes? */
static bool share(const CgSlot *a, const CgSlot *b)
{
    int64_t alow, ahigh, blow, bhigh;
    reach(&a->tensor, &alow, &ahigh);
    reach(&b->tensor, &blow, &bhigh);
    int64_t x = (int64_t)cg_dtype_size(a->tensor.dtype), y = (int64_t)cg_dtype_size(b->tensor.dtype);
    return alow <= ahigh && blow <= bhigh && (int64_t)a->offset + alow * x < (int64_t)b->offset + (bhigh + 1) * y
        && (int64_t)b->offset + blow * y < (int64_t)a->offset + (ahigh + 1) * x;
}

/* Every byte of `b` lies between the first and the last of `a`, of one buffer. */
static bool holds(const CgSlot *a, const CgSlot *b)
{
    int64_t alow, ahigh, blow, bhigh;
    reach(&a->tensor, &alow, &ahigh);
    reach(&b->tensor, &blow, &bhigh);
    int64_t x = (int64_t)cg_dtype_size(a->tensor.dtype), y = (int64_t)cg_dtype_size(b->tensor.dtype);
    return a->buffer == b->buffer && (int64_t)a->offset + alow * x <= (int64_t)b->offset + blow * y
        && (int64_t)b->offset + (bhigh + 1) * y <= (int64_t)a->offset + (ahigh + 1) * x;
}

/* What has been written so far: by buffer, the last write and the one before. */
typedef struct Write {
    int instr, result, before;
} Write;
typedef struct Writes {
    int *last;
    CG_VEC(Write) all;
} Writes;

static void wrote(const CgPlan *p, Writes *w, int instr, int result)
{
    int *last = &w->last[cg_plan_instr(p, instr)->out[result].buffer];
    cg_vec_push(&w->all, ((Write){ instr, result, *last }));
    *last = (int)w->all.len - 1;
}

/* The instruction that wrote any byte of `s` last, or -1. One that puts pieces together leaves those it reads as they
 * are. */
static int writer_of(const CgPlan *p, const Writes *w, const CgSlot *s)
{
    for (int i = w->last[s->buffer]; i >= 0; i = w->all.at[i].before) {
        const CgInstr *in = cg_plan_instr(p, w->all.at[i].instr);
        bool subview = false;
        for (int k = 0; in->op->subview && k < in->nin; k++)
            subview = subview || holds(&in->in[k], s);
        if (!subview && share(&in->out[w->all.at[i].result], s))
            return w->all.at[i].instr;
    }
    return -1;
}

static bool is_given(const CgBuffer *b)
{
    return b->storage == CG_AT_INPUT || b->storage == CG_AT_PARAM || b->storage == CG_AT_CONST;
}

/* An operand that is a result of a node must still hold what that wrote, one that is a leaf what it was bound to. */
static void check_operands(const CgPlan *p, const Writes *w, const int *by_node, int i)
{
    const CgInstr *in = cg_plan_instr(p, i);
    const CgGraph *g = cg_plan_graph(p);
    for (int k = 0; k < in->nin; k++) {
        int by = writer_of(p, w, &in->in[k]);
        bool given = is_given(cg_plan_buffer(p, in->in[k].buffer));
        if (!given && by < 0 && cg_tensor_count(&in->in[k].tensor) > 0)
            CG_BUG("operand %d of instruction %d is read and nobody wrote it", k, i);
        if (in->node == CG_NONE || in->op != cg_node(g, in->node)->op)
            continue;
        CgRef x = cg_node(g, in->node)->in[k];
        if (given && by >= 0 && leaf_under(g, x) != CG_NONE)
            CG_BUG("operand %d of instruction %d was renewed by instruction %d", k, i, by);
        for (int j = 0; by_node[x] >= 0 && j < cg_plan_instr(p, by_node[x])->nout; j++)
            if (cg_plan_instr(p, by_node[x])->out[j].buffer == in->in[k].buffer && by != by_node[x] && by >= 0)
                CG_BUG("operand %d of instruction %d was overwritten by instruction %d", k, i, by);
    }
}

static void check_values(const CgPlan *p)
{
    const CgGraph *g = cg_plan_graph(p);
    int nb = cg_plan_buffers(p), *by_node = cg_malloc((g->nodes.len + 1) * sizeof *by_node);
    Writes w = { .last = cg_malloc(((size_t)nb + 1) * sizeof *w.last) };
    for (int b = 0; b < nb; b++)
        w.last[b] = -1;
    for (size_t r = 0; r < g->nodes.len; r++)
        by_node[r] = -1;
    for (int i = 0; i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        check_operands(p, &w, by_node, i);
        for (int k = 0; k < in->nout; k++) {
            const CgSlot *y = &in->out[k];
            bool over = writer_of(p, &w, y) < 0;
            if (is_given(cg_plan_buffer(p, y->buffer)) && !renewed(p, y->buffer))
                CG_BUG("instruction %d writes memory it only borrows", i);
            if (is_given(cg_plan_buffer(p, y->buffer)) && !over)
                CG_BUG("instruction %d renews a buffer for the second time", i);
            /* Written a second time: some operand must be read here for the last time, in place. */
            for (int j = 0; j < in->nin; j++)
                over = over || in->in[j].buffer == y->buffer;
            if (!over)
                CG_BUG("instruction %d overwrites a buffer it does not read", i);
        }
        for (int k = 0; k < in->nout; k++)
            wrote(p, &w, i, k);
        if (in->node != CG_NONE && in->op == cg_node(g, in->node)->op)
            by_node[in->node] = i;
    }
    cg_vec_free(&w.all);
    free(w.last);
    free(by_node);
}

/* Do two tensors share bytes, of one buffer or of the slab? */
static bool meet(const CgPlan *p, const CgSlot *a, const CgSlot *b)
{
    const CgBuffer *x = cg_plan_buffer(p, a->buffer), *y = cg_plan_buffer(p, b->buffer);
    CgSlot in_slab[2] = { *a, *b };
    if (x->storage == CG_AT_SLAB && y->storage == CG_AT_SLAB) {
        in_slab[0].offset += x->offset;
        in_slab[1].offset += y->offset;
    } else if (a->buffer != b->buffer) {
        return false;
    }
    return share(&in_slab[0], &in_slab[1]);
}

/* What the shards of x share, as a tensor of bytes. */
static CgSlot shared_of(const CgInstr *x)
{
    return (CgSlot){ .buffer = x->shared,
        .tensor = { .dtype = CG_BOOL, .rank = 1, .dim = { (int64_t)x->work.shared }, .stride = { 1 } } };
}

static bool writes_what(const CgPlan *p, const CgInstr *x, const CgInstr *y)
{
    for (int i = 0; i <= x->nout; i++) {
        if (i == x->nout && x->shared < 0)
            continue;
        CgSlot written = i < x->nout ? x->out[i] : shared_of(x);
        for (int k = 0; k < y->nin; k++)
            if (meet(p, &written, &y->in[k]))
                return true;
        for (int k = 0; k < y->nout; k++)
            if (meet(p, &written, &y->out[k]))
                return true;
        if (y->shared >= 0) {
            CgSlot other = shared_of(y);
            if (meet(p, &written, &other))
                return true;
        }
    }
    return false;
}

/* Every task is in one wave, those of an instruction in turn; what runs beside or before an earlier instruction touches
 * nothing that this writes, nor the other way round. */
static void check_waves(const CgPlan *p)
{
    int waves = cg_plan_waves(p), n, m, *begun = cg_calloc((size_t)cg_plan_count(p) + 1, sizeof *begun);
    for (int w = 0; w < waves; w++) {
        const CgTask *task = cg_plan_wave(p, w, &n);
        for (int a = 0; a < n; a++) {
            const CgInstr *x = cg_plan_instr(p, task[a].instr);
            int before = begun[task[a].instr], want = task[a].begin ? 0 : x->work.begin ? 1 : 0;
            if (before != want)
                CG_BUG("instruction %d is run twice, or before its preparation", task[a].instr);
            begun[task[a].instr] = task[a].begin ? 1 : 2;
            for (int v = w; v < waves; v++) {
                const CgTask *late = cg_plan_wave(p, v, &m);
                if (v > w && late[0].instr > task[a].instr)
                    break;
                for (int b = 0; b < m; b++) {
                    const CgInstr *y = cg_plan_instr(p, late[b].instr);
                    if (v == w && a != b && late[b].instr == task[a].instr)
                        CG_BUG("instruction %d is run beside its preparation", task[a].instr);
                    if (late[b].instr < task[a].instr && (writes_what(p, x, y) || writes_what(p, y, x)))
                        CG_BUG("instruction %d does not wait for instruction %d", task[a].instr, late[b].instr);
                }
            }
        }
    }
    for (int i = 0; i < cg_plan_count(p); i++)
        if (begun[i] != 2)
            CG_BUG("instruction %d is not run", i);
    free(begun);
}

void cg_plan_verify(const CgPlan *p)
{
    for (int i = 0; i < cg_plan_count(p); i++)
        if (cg_plan_instr(p, i)->loop)
            cg_plan_verify(cg_plan_instr(p, i)->loop->plan);
    int nb = cg_plan_buffers(p), n = cg_plan_count(p);
    for (int a = 0; a < nb; a++) {
        const CgBuffer *x = cg_plan_buffer(p, a);
        if (x->storage != CG_AT_SLAB || x->first > x->last)
            continue;
        if (x->offset % 64 || x->offset + x->bytes > cg_plan_slab(p))
            CG_BUG("buffer %d is not aligned or not in the slab", a);
        for (int b = 0; b < a; b++) {
            const CgBuffer *y = cg_plan_buffer(p, b);
            if (y->storage != CG_AT_SLAB || y->first > y->last || x->first > y->last || y->first > x->last)
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
        if (b->storage == CG_AT_SLAB && b->last < n)
            CG_BUG("output %zu does not live to the end", i);
    }
    check_values(p);
    check_waves(p);
}
