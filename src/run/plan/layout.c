/* layout.c - in which order the axes of a result lie in memory.
 * Takes a graph and numbers for its symbols; gives, for a result that may lie in any order (CG_ANY_ORDER), the one in
 * which its users take it without a copy. Must not decide where anything lies. */
#include <stdlib.h>
#include <string.h>
#include "run/plan/inside.h"

struct CgLayouts {
    const CgUsers *users;
    CgBindings dims;
    CgArena *arena;
    CgMap attrs;
};

/* What the users of a result ask for: an order of its axes, outermost first. */
typedef struct Votes {
    const CgTensor *row_major;
    int n;
    bool differ;
    int order[CG_MAX_RANK];
} Votes;

CgLayouts *cg_layouts_new(const CgUsers *users, CgBindings dims)
{
    CgLayouts *l = cg_calloc(1, sizeof *l);
    *l = (CgLayouts){ .users = users, .dims = dims, .arena = cg_arena_new() };
    return l;
}

void cg_layouts_free(CgLayouts *l)
{
    if (!l)
        return;
    cg_arena_free(l->arena);
    cg_map_deinit(&l->attrs);
    free(l);
}

/* t has the axes of `whole` in another order: which. */
static bool reordered(const CgTensor *whole, const CgTensor *t, int order[CG_MAX_RANK])
{
    unsigned taken = 0;
    if (t->rank != whole->rank)
        return false;
    for (int i = 0; i < t->rank; i++) {
        int a = 0;
        while (a < t->rank && (taken >> a & 1 || whole->dim[a] != t->dim[i] || whole->stride[a] != t->stride[i]))
            a++;
        if (a == t->rank)
            return false;
        taken |= 1u << a;
        order[i] = a;
    }
    return true;
}

/* A user that reads t, the axes of the result in some order, and needs it row major. */
static void vote(Votes *v, const CgTensor *t)
{
    int order[CG_MAX_RANK] = { 0 };
    if (!reordered(v->row_major, t, order))
        v->differ = true;
    else if (v->n++ == 0)
        memcpy(v->order, order, sizeof order);
    else
        v->differ = v->differ || memcmp(v->order, order, sizeof order) != 0;
}

static void ask(CgLayouts *l, Votes *v, CgRef r, int k, const CgTensor *t);

static void ask_view(CgLayouts *l, Votes *v, CgRef u, const CgTensor *t)
{
    const CgNode *n = cg_node(l->users->g, u);
    const CgDim *wrong = NULL;
    CgTensor in = *t, out;
    size_t bytes;
    int order[CG_MAX_RANK];
    in.data = CG_PLAN_NOWHERE;
    CgCall call = { .op = n->op, .nin = 1, .nout = 1, .in = &in, .out = &out };
    call.attrs = cg_bind_attrs(l->dims, l->arena, &l->attrs, n->attrs, &wrong);
    if (!wrong && cg_bind_tensor(l->dims, &n->type, &out, &bytes, &wrong) && n->op->view(&call, &out)
        && reordered(v->row_major, &out, order))
        ask(l, v, u, 0, &out);
    else
        vote(v, t);
}

/* Collects the votes of the users of result k of node r, whose strides are those of t. */
static void ask(CgLayouts *l, Votes *v, CgRef r, int k, const CgTensor *t)
{
    const CgUsers *users = l->users;
    const CgGraph *g = users->g;
    if (k == 0 && users->is_output[r])
        vote(v, t);
    for (uint32_t e = users->first[r]; e < users->first[r + 1] && !v->differ; e++) {
        CgRef u = users->of[e];
        const CgNode *n = cg_node(g, u);
        bool through;
        if (!cg_node_reads(n, k, &through))
            continue;
        if (cg_node_is_result(n)) {
            ask(l, v, u, 0, t);
        } else if (through) {
            ask_view(l, v, u, t);
        } else {
            bool vec = !cg_op_code(n->op, cg_node_type(g, r)->dtype).kernel, over = vec;
            for (int i = 0; i < n->nin && i < 32; i++)
                over = over || (n->in[i] == r && cg_bits_have(n->op->inplace, i));
            if (over && n->op->traits & CG_ANY_ORDER && cg_type_equal(&n->type, cg_node_type(g, r)))
                ask(l, v, u, 0, t); /* its result will lie over this one */
            else if (over || !(n->op->traits & CG_STRIDED))
                vote(v, t);
        }
    }
}

bool cg_layouts_order(CgLayouts *l, CgRef r, int k, CgTensor *t)
{
    CgTensor whole = *t;
    Votes v = { .row_major = &whole };
    ask(l, &v, r, k, &whole);
    if (v.n == 0 || v.differ || t->rank < 2 || v.order[t->rank - 1] != t->rank - 1)
        return v.n > 0;
    int64_t step = 1;
    for (int i = t->rank; i-- > 0; step *= t->dim[v.order[i]])
        t->stride[v.order[i]] = step;
    return true;
}

bool cg_layouts_same(const CgTensor *x, const CgTensor *y)
{
    bool same = x->rank == y->rank && x->dtype == y->dtype;
    for (int i = 0; same && i < x->rank; i++)
        same = x->dim[i] == y->dim[i] && (x->dim[i] == 1 || x->stride[i] == y->stride[i]);
    return same;
}

/* Every element of memory between the first and the last is one of x, and the last axis lies innermost. */
static bool is_dense(const CgTensor *x)
{
    int64_t step = 1;
    unsigned taken = 0;
    for (int i = x->rank; i-- > 0;) {
        int a = x->rank - 1;
        while (a >= 0 && (taken >> a & 1 || (x->dim[a] != 1 && x->stride[a] != step)))
            a--;
        if (a < 0)
            return false;
        taken |= 1u << a;
        step *= x->dim[a];
    }
    return x->rank == 0 || x->dim[x->rank - 1] == 1 || x->stride[x->rank - 1] == 1;
}

bool cg_layouts_like(CgTensor *y, const CgTensor *x)
{
    CgTensor like = *x;
    like.data = y->data;
    like.dtype = y->dtype;
    for (int i = 0; i < x->rank && i < y->rank; i++)
        like.stride[i] = y->stride[i];
    if (!cg_layouts_same(&like, y) || !is_dense(x))
        return false;
    memcpy(y->stride, x->stride, sizeof y->stride);
    return true;
}
