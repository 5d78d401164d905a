/* slice.c - slices are pushed towards the leaves.
 * Takes a graph; gives one in which a node of which only a range of an axis is read (a slice far below, the last states
 * of an encoder) is computed for that range, as far up as the ops allow. What is known of an op is what its
 * `axis_rule` and `slice_rule` say. cg_pass_slice_at does it before differentiation, so that the backward pass is cut
 * as well. */
#include <stdlib.h>

#include "graph/slice.h"
#include "graph/pass.h"
#include "graph/use.h"

/* What the users of a node need of result 0: nothing, the range [from, to) of one axis, or all. */
typedef struct Need {
    enum { NONE, SOME, ALL } what;
    int axis;
    const CgDim *from, *to;
} Need;

typedef struct Slicing {
    const CgGraph *g;
    size_t size;
    Need *need;
    CgSlice **slice; /* what the node is made of where only a range of it, or of what it reads, is needed; else NULL */
    bool *has_more;  /* further results are used: a range of the first is not enough */
} Slicing;

static void need_all(Need *n) { n->what = ALL; }

/* The least range that holds both; all where symbols hide which that is. */
static void need_some(Need *n, const CgDim *size, int axis, const CgDim *from, const CgDim *to)
{
    if (n->what == ALL)
        return;
    if (n->what == SOME) {
        if (n->axis != axis) {
            need_all(n);
            return;
        }
        if (cg_dim_at_most(n->from, from))
            from = n->from;
        else if (!cg_dim_at_most(from, n->from))
            from = NULL;
        if (cg_dim_at_most(to, n->to))
            to = n->to;
        else if (!cg_dim_at_most(n->to, to))
            to = NULL;
    }
    if (!from || !to || (from == cg_dim_int(0) && to == size))
        need_all(n);
    else
        *n = (Need){ SOME, axis, from, to };
}

/* A node of which all is needed may itself need only a range of an operand: a slice does. */
static bool find_reader(const Slicing *p, CgRef r, CgSlice *slice)
{
    const CgNode *n = cg_node(p->g, r);
    for (int axis = 0; n->op->slice_rule && n->nout == 1 && axis < n->type.rank; axis++) {
        if (!cg_slice_find(p->g, r, axis, cg_dim_int(0), n->type.dim[axis], slice))
            continue;
        for (int k = 0; k < n->nin; k++)
            if (cg_slice_is_partial(p->g, r, slice, k))
                return true;
    }
    return false;
}

static void look(Slicing *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    Need *mine = &p->need[r];
    CgSlice slice;
    bool is_cut = false;
    if (mine->what == NONE)
        return;
    if (mine->what == SOME) {
        is_cut = !p->has_more[r] && cg_slice_find(p->g, r, mine->axis, mine->from, mine->to, &slice);
        if (is_cut)
            *mine = (Need){ SOME, mine->axis, slice.from, slice.to };
        if (is_cut && mine->from == cg_dim_int(0) && mine->to == n->type.dim[mine->axis])
            is_cut = false;
        if (!is_cut)
            need_all(mine);
    }
    if (mine->what == ALL)
        is_cut = find_reader(p, r, &slice);
    if (is_cut) {
        p->slice[r] = cg_malloc(sizeof slice);
        *p->slice[r] = slice;
    }
    for (int k = 0; k < n->nin; k++) {
        const struct CgSliceIn *in = &slice.in[k];
        if (!is_cut || in->axis < 0)
            need_all(&p->need[n->in[k]]);
        else if (in->from != in->to)
            need_some(&p->need[n->in[k]], cg_node_type(p->g, n->in[k])->dim[in->axis], in->axis, in->from, in->to);
    }
}

/* From the outputs, or from one node, back to the leaves. */
static void look_back(Slicing *p, const CgGraph *g, CgRef root)
{
    size_t size = root == CG_NONE ? g->nodes.len : (size_t)root + 1;
    *p = (Slicing){ .g = g, .size = size };
    p->need = cg_calloc(size + 1, sizeof *p->need);
    p->slice = cg_calloc(size + 1, sizeof *p->slice);
    p->has_more = cg_calloc(size + 1, sizeof *p->has_more);
    if (root != CG_NONE)
        need_all(&p->need[root]);
    for (size_t i = 0; root == CG_NONE && i < g->outputs.len; i++)
        need_all(&p->need[g->outputs.at[i].ref]);
    for (CgRef r = (CgRef)size; r-- > 0;) {
        const CgNode *n = cg_node(g, r);
        if (p->need[r].what != NONE && cg_node_is_result(n))
            p->has_more[n->in[0]] = true;
        look(p, r);
    }
}

static void slicing_free(Slicing *p)
{
    for (size_t r = 0; r < p->size; r++)
        free(p->slice[r]);
    free(p->need);
    free(p->slice);
    free(p->has_more);
}

/* The range [from, to) of node r of g, of which only a range may have been computed. */
static CgRef fetch(const Slicing *p, CgBuild *b, const CgRef *map, CgRef r, const struct CgSliceIn *in)
{
    const Need *n = &p->need[r];
    if (in->axis < 0)
        return map[r];
    const CgDim *base = n->what == SOME ? n->from : cg_dim_int(0);
    return cg_slice(b, map[r], in->axis, cg_dim_sub(in->from, base), cg_dim_sub(in->to, base));
}

/* Builds node r of g in b's graph over its sliced operands, with the scope and source span of r. */
static CgRef build_cut(const Slicing *p, CgBuild *b, const CgRef *map, CgRef r)
{
    const CgNode n = *cg_node(p->g, r); /* by value: b's graph may be g */
    CgBuild at = cg_build_at(b->graph);
    CgRef in[CG_MAX_IN], size = (CgRef)b->graph->nodes.len;
    at.scope = n.scope;
    at.span = n.span;
    at.clone = n.clone;
    at.precision = cg_node_precision(&n);
    at.why = n.why == CG_NONE ? CG_NONE : map[n.why];
    for (int k = 0; k < n.nin; k++) {
        const struct CgSliceIn *of = &p->slice[r]->in[k];
        in[k] = of->axis >= 0 && of->from == of->to ? CG_NONE : fetch(p, &at, map, n.in[k], of);
    }
    CgRef made = cg_slice_build(&at, p->g, r, p->slice[r], in);
    for (; n.why != CG_NONE && size < b->graph->nodes.len;
         size++) /* as cg_graph_copy: the mark of a derivative stays */
        if (b->graph->nodes.at[size].why == CG_NONE)
            b->graph->nodes.at[size].why = size;
    return made;
}

CgRef cg_pass_slice_at(CgBuild *b, CgRef root)
{
    Slicing p;
    look_back(&p, b->graph, root);
    CgRef *map = cg_malloc(sizeof *map * (p.size + 1)), in[CG_MAX_IN];
    CgBuild copy = cg_build_at(b->graph);
    copy.no_fold = true;
    for (CgRef r = 0; r < p.size; r++) {
        bool same = true;
        map[r] = r;
        if (p.need[r].what == NONE)
            continue;
        if (p.slice[r]) {
            map[r] = build_cut(&p, &copy, map, r);
            continue;
        }
        for (int i = 0; i < cg_node(p.g, r)->nin; i++) {
            in[i] = map[cg_node(p.g, r)->in[i]];
            same &= in[i] == cg_node(p.g, r)->in[i];
        }
        if (!same)
            map[r] = cg_graph_copy(&copy, p.g, r, in);
    }
    root = map[root];
    free(map);
    slicing_free(&p);
    return root;
}

CgGraph *cg_pass_slice(const CgGraph *g)
{
    Slicing p;
    look_back(&p, g, CG_NONE);
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (map[r] != CG_NONE || p.need[r].what == NONE)
            continue;
        map[r] = p.slice[r] ? build_cut(&p, &b, map, r) : cg_pass_copy(&b, g, r, map);
    }
    slicing_free(&p);
    return cg_pass_end(g, to, map);
}

CG_PASS(slice, .order = 20, .was = "places",
    .summary = "computes only the range of each axis that is needed, as far up as the ops allow", .run = cg_pass_slice)
