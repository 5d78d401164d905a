/* causal.c - what a place of a result can know of a text.
 * Takes a graph and an input; gives the node that sees too much. Place p of a node that knows the text along an axis
 * depends on places up to p - shift of it; of several operands the least shift counts. */
#include "graph/causal.h"

#include <stdlib.h>

#include "graph/slice.h"

typedef struct Known {
    enum { NOTHING, ALONG, TOO_MUCH } what; /* of the text: nothing, by places, who knows */
    int axis;
    const CgDim *shift; /* NULL: 0 */
    CgRef ahead;        /* where the shift came below 0; CG_NONE: it is not */
} Known;

static const CgDim *shift_of(const Known *k) { return k->shift ? k->shift : cg_dim_int(0); }

/* How much place p knows where operand k of node r is known as `in` says. */
static Known through(const CgGraph *g, CgRef r, int k, const Known *in, bool causal)
{
    CgAxisTo to = { in->axis, NULL };
    CgAxisRule rule = in->what == TOO_MUCH ? CG_AXIS_UNKNOWN : cg_slice_axis_rule(g, r, k, in->axis, &to);
    if (rule != CG_AXIS_POINTWISE && !(causal && rule == CG_AXIS_CAUSAL))
        return (Known){ TOO_MUCH, -1, NULL, CG_NONE };
    Known out = { ALONG, to.axis, to.shift ? cg_dim_add(shift_of(in), to.shift) : in->shift, in->ahead };
    bool moved = out.shift && out.shift != cg_dim_int(0);
    if ((to.shift && !out.shift) || (moved && !causal))
        return (Known){ TOO_MUCH, -1, NULL, CG_NONE };
    bool ahead = !cg_dim_at_most(cg_dim_int(0), shift_of(&out));
    out.ahead = !ahead || !causal ? CG_NONE : in->ahead != CG_NONE ? in->ahead : r;
    return out;
}

static Known known_of(const CgGraph *g, CgRef r, const Known *known, bool causal)
{
    const CgNode *n = cg_node(g, r);
    Known mine = { NOTHING, -1, NULL, CG_NONE };
    for (int k = 0; k < n->nin; k++) {
        if (known[n->in[k]].what == NOTHING)
            continue;
        Known one = through(g, r, k, &known[n->in[k]], causal);
        bool first = mine.what == NOTHING;
        if (one.what == TOO_MUCH || (!first && one.axis != mine.axis))
            return (Known){ TOO_MUCH, -1, NULL, CG_NONE };
        if (first || cg_dim_at_most(shift_of(&one), shift_of(&mine)))
            mine = one;
        else if (!cg_dim_at_most(shift_of(&mine), shift_of(&one)))
            return (Known){ TOO_MUCH, -1, NULL, CG_NONE };
    }
    return mine;
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

static CgRef fault(const CgGraph *g, CgRef text, CgRef result, int axis, bool causal)
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
            found = r;
    }
    const Known *end = &known[result];
    if (found == CG_NONE && end->what == ALONG) {
        found = end->axis != axis ? result : end->ahead;
    }
    free(known);
    free(needed);
    return found;
}

CgRef cg_causal_fault(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    return fault(g, text, result, axis, true);
}

CgRef cg_apart_fault(const CgGraph *g, CgRef text, CgRef result, int axis)
{
    return fault(g, text, result, axis, false);
}
