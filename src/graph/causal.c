/* causal.c - what a place of a result can know of a text.
 * Takes a graph and an input; gives the node that sees too much. Place p of a node that knows the text along an axis
 * depends on places up to p - shift of it; of several operands the least shift counts. */
#include "graph/causal.h"

#include <stdlib.h>

#include "graph/slice.h"
#include "graph/use.h"

typedef struct Known {
    enum { NOTHING, ALONG, TOO_MUCH } what; /* of the text: nothing, by places, who knows */
    int axis;
    const CgDim *shift; /* NULL: 0 */
    CgRef ahead;        /* where the shift came below 0; CG_NONE: it is not */
} Known;

static const Known nothing = { NOTHING, -1, NULL, CG_NONE }, too_much = { TOO_MUCH, -1, NULL, CG_NONE };

static const CgDim *shift_of(const Known *k) { return k->shift ? k->shift : cg_dim_int(0); }

/* How much place p knows where operand k of node r is known as `in` says. */
static Known through(const CgGraph *g, CgRef r, int k, const Known *in, bool causal)
{
    CgAxisTo to = { in->axis, NULL };
    CgAxisRule rule = in->what == TOO_MUCH ? CG_AXIS_UNKNOWN : cg_slice_axis_rule(g, r, k, in->axis, &to);
    if (rule != CG_AXIS_POINTWISE && !(causal && rule == CG_AXIS_CAUSAL))
        return too_much;
    Known out = { ALONG, to.axis, to.shift ? cg_dim_add(shift_of(in), to.shift) : in->shift, in->ahead };
    bool moved = out.shift && out.shift != cg_dim_int(0);
    if ((to.shift && !out.shift) || (moved && !causal))
        return too_much;
    bool ahead = !cg_dim_at_most(cg_dim_int(0), shift_of(&out));
    out.ahead = !ahead || !causal ? CG_NONE : in->ahead != CG_NONE ? in->ahead : r;
    return out;
}

/* What is made of both: the least shift counts. */
static Known join(Known a, Known b)
{
    if (a.what == NOTHING || b.what == TOO_MUCH)
        return b;
    if (b.what == NOTHING || a.what == TOO_MUCH)
        return a;
    if (a.axis != b.axis)
        return too_much;
    if (cg_dim_at_most(shift_of(&b), shift_of(&a)))
        return b;
    return cg_dim_at_most(shift_of(&a), shift_of(&b)) ? a : too_much;
}

static Known known_of(const CgGraph *g, CgRef r, const Known *known, bool causal);

/* Whether turns go along the text, and what all of them together know of it. */
static bool along_text(const CgNode *loop, const Known *known, int states, int turns, Known *all)
{
    bool along = false;
    *all = nothing;
    for (int i = 0; i < loop->nin; i++) {
        const Known *in = &known[loop->in[i]];
        bool turn = i >= states && i < states + turns && in->what == ALONG && in->axis == 0;
        along |= turn;
        *all = join(*all, turn || in->what == NOTHING ? *in : too_much);
    }
    return along;
}

/* Result k of a loop whose turns do not go along the text: by its body, over inputs that know the text as its operands
 * do; a state as it began and as a turn leaves it. */
static Known of_body(const CgGraph *g, CgRef loop, int k, const Known *known, bool causal)
{
    const CgNode *n = cg_node(g, loop);
    const CgGraph *body = cg_attr_find(n->attrs, "body")->graph;
    int states = (int)cg_attr_int(n->attrs, "states", 0), turns = (int)cg_attr_int(n->attrs, "turns", 1);
    Known given[CG_MAX_IN], *inner = cg_calloc(body->nodes.len + 1, sizeof *inner), out;
    for (int i = 0; i < n->nin; i++) {
        given[i] = known[n->in[i]];
        given[i].axis -= given[i].what == ALONG && i >= states && i < states + turns;
    }
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < n->nin; i++)
            inner[body->inputs.at[i]] = given[i];
        for (CgRef r = 0; r < body->nodes.len; r++)
            if (!(cg_node(body, r)->op->traits & CG_INPUT))
                inner[r] = known_of(body, r, inner, causal);
        for (int i = 0; i < states; i++) {
            Known both = join(given[i], inner[body->outputs.at[i].ref]);
            if (both.what == ALONG && given[i].what == ALONG && shift_of(&both) != shift_of(&given[i]))
                both = too_much; /* each turn may look further ahead than the one before */
            again |= both.what != given[i].what;
            given[i] = both;
        }
    }
    out = k < states ? given[k] : inner[body->outputs.at[k].ref];
    out.axis += out.what == ALONG && k >= states;
    out.ahead = out.ahead == CG_NONE ? CG_NONE : loop;
    free(inner);
    return out;
}

static Known of_loop(const CgGraph *g, CgRef loop, int k, const Known *known, bool causal)
{
    const CgNode *n = cg_node(g, loop);
    int states = (int)cg_attr_int(n->attrs, "states", 0), turns = (int)cg_attr_int(n->attrs, "turns", 1);
    Known all;
    if (!along_text(n, known, states, turns, &all))
        return of_body(g, loop, k, known, causal);
    return causal && k >= states && !cg_attr_int(n->attrs, "reverse", 0) ? all : too_much;
}

static Known known_of(const CgGraph *g, CgRef r, const Known *known, bool causal)
{
    int k;
    CgRef maker = cg_node_result(g, r, &k);
    if (cg_node(g, maker)->op->traits & CG_LOOP)
        return of_loop(g, maker, k, known, causal);
    const CgNode *n = cg_node(g, r);
    Known mine = nothing;
    for (k = 0; k < n->nin; k++)
        if (known[n->in[k]].what != NOTHING)
            mine = join(mine, through(g, r, k, &known[n->in[k]], causal));
    return mine;
}

/* Where a fault of node r is: a last state of a loop, of which others that are kept know less, is none before it is
 * used. */
static CgRef place_of(const CgGraph *g, CgRef r)
{
    int k;
    CgRef maker = cg_node_result(g, r, &k);
    const CgNode *n = cg_node(g, maker);
    return !(n->op->traits & CG_LOOP) || k >= cg_attr_int(n->attrs, "states", 0) ? maker : CG_NONE;
}

/* Whether the result needs a node. */
static bool *needed_by(const CgGraph *g, CgRef result)
{
    bool *needed = cg_calloc(g->nodes.len + 1, sizeof *needed);
    needed[result] = true;
    for (CgRef r = result + 1; r-- > 0;)
        for (int k = 0; needed[r] && k < cg_node(g, r)->nin; k++)
            needed[cg_node(g, r)->in[k]] = true;
    return needed;
}

static CgRef fault(const CgGraph *g, CgRef text, CgRef result, int axis, bool causal, Known *end)
{
    Known *known = cg_calloc(g->nodes.len + 1, sizeof *known);
    bool *needed = needed_by(g, result);
    CgRef found = CG_NONE;
    for (CgRef r = 0; r <= result && found == CG_NONE; r++) {
        known[r].ahead = CG_NONE;
        if (!needed[r])
            continue;
        known[r] = r == text ? (Known){ ALONG, axis, NULL, CG_NONE } : known_of(g, r, known, causal);
        if (known[r].what == TOO_MUCH)
            found = r == result ? r : place_of(g, r);
    }
    *end = known[result];
    if (found == CG_NONE && end->what == ALONG)
        found = end->axis != axis ? result : end->ahead;
    free(known);
    free(needed);
    return found;
}

CgRef cg_causal_fault(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    Known end;
    return fault(g, text, result, axis, true, &end);
}

CgRef cg_apart_fault(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    Known end;
    return fault(g, text, result, axis, false, &end);
}

const CgDim *cg_causal_beside(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    Known *known = cg_calloc(g->nodes.len + 1, sizeof *known), end;
    bool *needed = needed_by(g, result), other = false;
    for (CgRef r = 0; r <= result; r++) {
        known[r] = nothing;
        if (!needed[r])
            continue;
        known[r] = r == text ? (Known){ ALONG, axis, NULL, CG_NONE } : known_of(g, r, known, true);
        if (known[r].what == TOO_MUCH || (known[r].what == ALONG && known[r].ahead != CG_NONE)) {
            known[r] = nothing;
            other = true;
        }
    }
    end = known[result];
    free(known);
    free(needed);
    return other && end.what == ALONG && end.axis == axis ? shift_of(&end) : NULL;
}

const CgDim *cg_causal_shift(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    Known end;
    bool causal = fault(g, text, result, axis, true, &end) == CG_NONE;
    return causal && end.what == ALONG ? shift_of(&end) : NULL;
}
