/* incremental.c - from a graph over a whole text to one over a few new positions.
 * Takes a graph and the input that grows; gives prologue and step as one graph (graph/incremental.h says what it looks
 * like). A node grows along one axis from a position `start` on: position start + i depends on text positions up to i,
 * positions before start on no text. Pointwise nodes are computed at the new positions; causal ones look at kept
 * operands, to which the new positions are added where they lie; what does not grow is computed once. Must not know any
 * op: where one says too little there is no step, and the caller runs the whole graph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/slice.h"
#include "graph/pass.h"
#include "graph/incremental.h"
#include "graph/registry.h"
#include "graph/use.h"

typedef struct Growth {
    enum { FIXED, GROWS, LOST } what;
    int axis;
    const CgDim *start;
} Growth;

typedef struct Step {
    const CgGraph *g;
    CgBuild b; /* of the new graph */
    Growth *growth;
    bool *live;
    CgRef *old;   /* by node of g: the node as it was, in the new graph */
    CgRef *fresh; /* growing nodes: at the new positions */
    CgRef *loop;  /* loops, over the new positions */
    int *kept;    /* number of the kept value, -1 = none */
    CgRef *keep;  /* by node: the kept value, new positions put in where it grows */
    CgRef at;
    const CgDim *count;       /* the symbol */
    const CgDim *most;        /* positions that there can be */
    CG_VEC(CgOutput) outputs; /* keep and start */
    int nkept;
} Step;

/* ---- what grows ---- */

/* Of a loop along the text: what is kept of its turns grows, where they go through positions from the first on; states
 * are those at the end of the text. */
static Growth grow_loop(const Step *s, CgRef loop, int k)
{
    const CgNode *n = cg_node(s->g, loop);
    int states = (int)cg_attr_int(n->attrs, "states", 0), turns = (int)cg_attr_int(n->attrs, "turns", 1);
    bool any = false, good = !cg_attr_int(n->attrs, "reverse", 0);
    for (int i = 0; i < n->nin; i++) {
        const Growth *in = &s->growth[n->in[i]];
        bool through = i >= states && i < states + turns;
        any |= in->what != FIXED;
        good &= in->what == FIXED || (through && in->what == GROWS && in->axis == 0 && in->start == cg_dim_int(0));
    }
    if (!any)
        return (Growth){ FIXED, -1, NULL };
    return good && k >= states ? (Growth){ GROWS, 0, cg_dim_int(0) } : (Growth){ LOST, -1, NULL };
}

static Growth grow(const Step *s, CgRef r)
{
    int result;
    CgRef maker = cg_node_result(s->g, r, &result);
    const CgNode *n = cg_node(s->g, r);
    if (cg_node(s->g, maker)->op->traits & CG_LOOP)
        return grow_loop(s, maker, result);
    Growth mine = { FIXED, -1, NULL };
    const CgDim *reach = NULL; /* causal operands: later positions may look there, earlier ones not */
    for (int k = 0; k < n->nin; k++) {
        const Growth *in = &s->growth[n->in[k]];
        CgAxisTo to;
        if (in->what == FIXED)
            continue;
        CgAxisRule how = in->what == LOST ? CG_AXIS_UNKNOWN : cg_slice_axis_rule(s->g, r, k, in->axis, &to);
        if (how != CG_AXIS_POINTWISE && how != CG_AXIS_CAUSAL)
            return (Growth){ LOST, -1, NULL };
        const CgDim *start = to.shift ? cg_dim_add(in->start, to.shift) : in->start;
        if (!start || (mine.what == GROWS && mine.axis != to.axis))
            return (Growth){ LOST, -1, NULL };
        if (how == CG_AXIS_POINTWISE && mine.start && mine.start != start)
            return (Growth){ LOST, -1, NULL };
        mine.what = GROWS;
        mine.axis = to.axis;
        if (how == CG_AXIS_POINTWISE)
            mine.start = start;
        else if (!reach || cg_dim_at_most(start, reach))
            reach = start;
        else if (!cg_dim_at_most(reach, start))
            return (Growth){ LOST, -1, NULL };
    }
    if (mine.what == FIXED)
        return mine;
    if (!mine.start)
        mine.start = reach;
    if ((reach && !cg_dim_at_most(mine.start, reach)) || !cg_dim_at_most(cg_dim_int(0), mine.start))
        return (Growth){ LOST, -1, NULL };
    return mine;
}

/* All live nodes; false when an output cannot be followed, or outputs have different numbers of positions. */
static bool follow(Step *s, CgRef text, int axis)
{
    for (CgRef r = 0; r < s->g->nodes.len; r++) {
        if (r == text)
            s->growth[r] = (Growth){ GROWS, axis, cg_dim_int(0) };
        else if (s->live[r])
            s->growth[r] = grow(s, r);
    }
    for (size_t i = 0; i < s->g->outputs.len; i++) {
        const Growth *o = &s->growth[s->g->outputs.at[i].ref];
        if (o->what == LOST)
            return false;
        if (o->what == FIXED)
            continue;
        const CgDim *positions = cg_dim_sub(cg_node_type(s->g, s->g->outputs.at[i].ref)->dim[o->axis], o->start);
        if (!positions || (s->most && s->most != positions))
            return false;
        s->most = positions;
    }
    return s->most && !cg_dim_at_most(s->most, cg_dim_int(0));
}

/* ---- values that are kept from step to step ---- */

static CgRef input(Step *s, const char *name, int number, CgType type)
{
    return cg_graph_input(&s->b, number < 0 ? name : cg_intern_printf("%s.%d", name, number), type);
}

static void output(Step *s, const char *name, int number, CgRef r)
{
    cg_vec_push(&s->outputs, (CgOutput){ cg_intern_printf("%s.%d", name, number), r });
}

static CgRef put(Step *s, CgRef into, CgRef x, int axis, const CgDim *from)
{
    return cg_dynamic_update(&s->b, into, x, s->at, axis, from);
}

static CgRef dynamic_slice(Step *s, CgRef x, int axis, const CgDim *from)
{
    return cg_dynamic_slice(&s->b, x, s->at, axis, from, s->count);
}

/* What was cast from f16, bf16 or i8 is kept as it was before. */
static bool is_widened(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    return n->nin == 1 && cg_dtype_is_narrow(cg_node_type(g, n->in[0])->dtype) && !cg_dtype_is_narrow(n->type.dtype);
}

/* All positions of node r so far: of one that grows, with the new ones; else its value from the prologue. */
static CgRef kept(Step *s, CgRef r)
{
    const Growth *g = &s->growth[r];
    if (s->kept[r] >= 0)
        return s->keep[r];
    if (is_widened(s->g, r)) {
        CgRef narrow = kept(s, cg_node(s->g, r)->in[0]);
        s->kept[r] = s->kept[cg_node(s->g, r)->in[0]];
        return s->keep[r] = cg_cast(&s->b, narrow, cg_node_type(s->g, r)->dtype);
    }
    int number = s->kept[r] = s->nkept++;
    s->keep[r] = input(s, "keep", number, *cg_node_type(s->g, r));
    if (g->what == FIXED) {
        output(s, "start", number, s->old[r]);
        return s->keep[r];
    }
    if (g->start != cg_dim_int(0))
        output(s, "start", number, cg_slice(&s->b, s->old[r], g->axis, cg_dim_int(0), g->start));
    s->keep[r] = put(s, s->keep[r], s->fresh[r], g->axis, g->start);
    output(s, "keep", number, s->keep[r]);
    return s->keep[r];
}

/* Leaves and views of them cost nothing: they need not be kept. */
static bool is_free(const CgGraph *g, CgRef r)
{
    int k;
    return cg_node_is_leaf(cg_node(g, cg_node_base(g, r, &k)));
}

static CgRef fixed(Step *s, CgRef r) { return is_free(s->g, r) ? s->old[r] : kept(s, r); }

/* Places from + at .. of a node that does not grow: positions, a mask, a learned table. */
static CgRef moving(Step *s, CgRef r, int axis, const CgDim *from)
{
    CgSlice slice;
    const CgNode *n = cg_node(s->g, r);
    if (n->op->view && is_free(s->g, r) && cg_slice_find(s->g, r, axis, from, cg_dim_add(from, s->count), &slice)
        && slice.from == from) {
        const struct CgSliceIn *in = &slice.in[0];
        CgRef x = in->axis < 0 ? fixed(s, n->in[0]) : moving(s, n->in[0], in->axis, in->from);
        return cg_slice_build(&s->b, s->g, r, &slice, &x);
    }
    return dynamic_slice(s, fixed(s, r), axis, from);
}

/* ---- one node at the new positions ---- */

/* What of its operands node r needs for the new positions. Whether tensors that were joined are asked for shows with
 * all positions there can be; sizes are those of the new ones. */
static bool find_slice(const Step *s, CgRef r, CgSlice *slice)
{
    const Growth *g = &s->growth[r];
    CgSlice all;
    if (!cg_slice_find(s->g, r, g->axis, g->start, cg_dim_add(g->start, s->most), &all))
        return false;
    if (cg_slice_find(s->g, r, g->axis, g->start, cg_dim_add(g->start, s->count), slice))
        return true;
    *slice = all;
    return all.attrs == cg_node(s->g, r)->attrs;
}

/* Is any operand looked at as far back as it goes? */
static bool is_causal(const Step *s, CgRef r)
{
    const CgNode *n = cg_node(s->g, r);
    CgAxisTo to;
    for (int k = 0; k < n->nin; k++)
        if (s->growth[n->in[k]].what == GROWS
            && cg_slice_axis_rule(s->g, r, k, s->growth[n->in[k]].axis, &to) == CG_AXIS_CAUSAL)
            return true;
    return false;
}

/* Operand k at the new positions; CG_NONE when it is asked for at others. */
static CgRef operand(Step *s, CgRef of, const struct CgSliceIn *in)
{
    const Growth *g = &s->growth[of];
    if (g->what == GROWS)
        return in->axis == g->axis && in->from == g->start ? s->fresh[of] : CG_NONE;
    return in->axis < 0 ? fixed(s, of) : moving(s, of, in->axis, in->from);
}

/* The op over operands in[], if that is well-typed and has the type r has, with the new positions. */
static CgRef checked(Step *s, CgRef r, const CgOp *op, int n, const CgRef *in, const CgAttrs *attrs)
{
    CgInfer inf;
    CgType want = *cg_node_type(s->g, r);
    want.dim[s->growth[r].axis] = s->count;
    CgRef made = cg_build_checked(&s->b, op, n, in, attrs, &inf);
    return made != CG_NONE && cg_type_equal(cg_node_type(s->b.graph, made), &want) ? made : CG_NONE;
}

static CgRef build_pointwise(Step *s, CgRef r)
{
    const CgNode *n = cg_node(s->g, r);
    CgRef in[CG_MAX_IN];
    CgSlice slice;
    int count = 0;
    if (!find_slice(s, r, &slice) || slice.from != s->growth[r].start)
        return CG_NONE;
    for (int k = 0; k < n->nin; k++) {
        if (slice.in[k].axis >= 0 && slice.in[k].from == slice.in[k].to) {
            if (s->growth[n->in[k]].what == GROWS)
                return CG_NONE;
            continue;
        }
        in[count] = operand(s, n->in[k], &slice.in[k]);
        if (in[count++] == CG_NONE)
            return CG_NONE;
    }
    return checked(s, r, n->op, count, in, slice.attrs);
}

static CgRef build_causal(Step *s, CgRef r)
{
    const CgNode *n = cg_node(s->g, r);
    const CgOp *op = n->op->incremental ? cg_op_named(n->op->incremental) : NULL;
    CgRef in[CG_MAX_IN];
    CgAxisTo where;
    CgSlice slice;
    if (op && n->nin < CG_MAX_IN && find_slice(s, r, &slice) && slice.from == s->growth[r].start) {
        bool good = true;
        int needed = cg_op_sig(n->op)->needed; /* `at` stands before those that may be left out */
        for (int k = 0; k < n->nin && good; k++) {
            CgRef *to = &in[k + (k >= needed)];
            const Growth *g = &s->growth[n->in[k]];
            if (g->what == GROWS && cg_slice_axis_rule(s->g, r, k, g->axis, &where) == CG_AXIS_CAUSAL)
                *to = kept(s, n->in[k]);
            else
                *to = operand(s, n->in[k], &slice.in[k]);
            good = *to != CG_NONE;
        }
        in[needed] = s->at;
        return good ? checked(s, r, op, n->nin + 1, in, slice.attrs) : CG_NONE;
    }
    /* The op over all that is kept: what stands behind the new positions does not reach them. */
    for (int k = 0; k < n->nin; k++)
        in[k] = s->growth[n->in[k]].what == GROWS ? kept(s, n->in[k]) : fixed(s, n->in[k]);
    return dynamic_slice(s, cg_build(&s->b, n->op->name, n->nin, in, n->attrs), s->growth[r].axis, s->growth[r].start);
}

/* A loop over the new positions, from the states that are kept; result k of it. */
static CgRef build_loop(Step *s, CgRef loop, int k)
{
    const CgNode *n = cg_node(s->g, loop);
    int states = (int)cg_attr_int(n->attrs, "states", 0), turns = (int)cg_attr_int(n->attrs, "turns", 1);
    CgRef in[CG_MAX_IN], made = s->loop[loop];
    if (made)
        return cg_build_result(&s->b, made, k);
    int first = s->nkept;
    s->nkept += states;
    for (int i = 0; i < n->nin; i++) {
        CgRef x = n->in[i];
        if (i < states) {
            in[i] = input(s, "keep", first + i, *cg_node_type(s->g, x));
            output(s, "start", first + i, s->old[x]);
        } else if (i < states + turns) {
            in[i] = s->growth[x].what == GROWS ? s->fresh[x] : moving(s, x, 0, cg_dim_int(0));
        } else {
            in[i] = fixed(s, x);
        }
    }
    made = s->loop[loop] = cg_build(&s->b, n->op->name, n->nin, in, n->attrs);
    for (int i = 0; i < states; i++)
        output(s, "keep", first + i, cg_build_result(&s->b, made, i));
    return cg_build_result(&s->b, made, k);
}

static CgRef build_fresh(Step *s, CgRef r)
{
    int k;
    CgRef maker = cg_node_result(s->g, r, &k);
    if (cg_node(s->g, maker)->op->traits & CG_LOOP)
        return build_loop(s, maker, k);
    return is_causal(s, r) ? build_causal(s, r) : build_pointwise(s, r);
}

static bool build_all(Step *s, CgRef text)
{
    CgType t = *cg_node_type(s->g, text);
    t.dim[s->growth[text].axis] = s->count;
    s->fresh[text] = input(s, "text.new", -1, t);
    s->at = input(s, "text.at", -1, cg_type(CG_I32, 0, NULL));
    for (CgRef r = 0; r < s->g->nodes.len; r++) {
        const CgNode *n = cg_node(s->g, r);
        if (r == text || !s->live[r] || s->growth[r].what != GROWS)
            continue;
        s->b.scope = n->scope;
        s->b.span = n->span;
        s->b.precision = cg_node_precision(n);
        s->fresh[r] = build_fresh(s, r);
        if (s->fresh[r] == CG_NONE)
            return false;
    }
    return true;
}

static void copy_old(Step *s)
{
    CgBuild copy = cg_build_at(s->b.graph);
    copy.no_fold = true;
    for (CgRef r = 0; r < s->g->nodes.len; r++)
        if (s->old[r] == CG_NONE && s->live[r])
            s->old[r] = cg_pass_copy(&copy, s->g, r, s->old);
}

static void set_outputs(Step *s)
{
    for (size_t i = 0; i < s->g->outputs.len; i++) {
        CgOutput o = s->g->outputs.at[i];
        const Growth *g = &s->growth[o.ref];
        cg_graph_output(s->b.graph, o.name, g->what == GROWS ? s->fresh[o.ref] : fixed(s, o.ref));
        if (g->what == FIXED || g->start == cg_dim_int(0))
            continue;
        cg_graph_output(s->b.graph, cg_intern_printf("first.%s", o.name),
            cg_slice(&s->b, s->old[o.ref], g->axis, cg_dim_int(0), g->start));
    }
    for (size_t i = 0; i < s->outputs.len; i++)
        cg_graph_output(s->b.graph, s->outputs.at[i].name, s->outputs.at[i].ref);
}

/* Only the positions before the text are computed of the old nodes; NULL when one of them needs the text all the same.
 */
static CgGraph *cut_prologue(CgGraph *both, CgAtom text)
{
    CgGraph *less = cg_pass_slice(both);
    cg_graph_free(both);
    bool *live = cg_graph_live(less, CG_NONE), needs = false;
    for (size_t i = 0; i < less->inputs.len; i++)
        needs |= cg_node_name(less, less->inputs.at[i]) == text && live[less->inputs.at[i]];
    free(live);
    both = needs ? NULL : cg_pass_dce(less);
    cg_graph_free(less);
    return both;
}

CgGraph *cg_incremental_build(const CgGraph *g, CgRef text, int axis)
{
    size_t size = g->nodes.len + 1;
    Step s = { .g = g, .live = cg_graph_live(g, CG_NONE), .count = cg_dim_symbol(CG_INCREMENTAL_COUNT) };
    s.growth = cg_calloc(size, sizeof *s.growth);
    s.old = cg_malloc(size * sizeof *s.old);
    s.fresh = cg_calloc(size, sizeof *s.fresh);
    s.loop = cg_calloc(size, sizeof *s.loop);
    s.keep = cg_calloc(size, sizeof *s.keep);
    s.kept = cg_malloc(size * sizeof *s.kept);
    for (size_t i = 0; i < size; i++)
        s.kept[i] = -1;
    CgGraph *both = NULL;
    if (s.live[text] && follow(&s, text, axis)) {
        both = cg_pass_begin(g, s.old);
        s.b = cg_build_at(both);
        copy_old(&s);
        if (build_all(&s, text)) {
            set_outputs(&s);
            both = cut_prologue(both, cg_node_name(g, text));
        } else {
            cg_graph_free(both);
            both = NULL;
        }
    }
    cg_vec_free(&s.outputs);
    free(s.live);
    free(s.growth);
    free(s.old);
    free(s.fresh);
    free(s.loop);
    free(s.keep);
    free(s.kept);
    return both;
}

/* As a pass on text: along the last axis of the input "text"; a graph that is not causal stays as it is. */
CgGraph *cg_pass_incremental(const CgGraph *g)
{
    for (size_t i = 0; i < g->inputs.len; i++) {
        CgRef r = g->inputs.at[i];
        int rank = cg_node_type(g, r)->rank;
        if (strcmp(cg_node_name(g, r), "text") != 0 || rank == 0)
            continue;
        CgGraph *both = cg_incremental_build(g, r, rank - 1);
        if (both)
            return both;
    }
    return cg_pass_dce(g);
}

CG_PASS(incremental, .was = "step",
    .summary = "from a graph over a whole text to what is computed once and what a few new positions need",
    .run = cg_pass_incremental)
