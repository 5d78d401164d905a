/* slice.h - a node over a range of one axis.
 * Takes a node and a range of its result; gives what of its operands makes that range (CgSlice, from `axis_rule` and
 * `slice_rule` of the op), and the node over them. What the passes `slice` and `incremental` have in common. */
#ifndef CG_GRAPH_SLICE_H
#define CG_GRAPH_SLICE_H
#include "graph/graph.h"

/* What `axis_rule` says of an axis of operand k of node r; elementwise ops need not say it. */
CgAxisRule cg_slice_axis_rule(const CgGraph *g, CgRef r, int k, int axis, CgAxisTo *to);
/* False where node r cannot be computed for the range [from, to) of result 0 alone. */
bool cg_slice_find(const CgGraph *g, CgRef r, int axis, const CgDim *from, const CgDim *to, CgSlice *slice);
/* True when operand k of node r is needed only in part. */
bool cg_slice_is_partial(const CgGraph *g, CgRef r, const CgSlice *slice, int k);
/* Node r of `from` over operands in[] that are sliced as `slice_rule` says (those it needs nothing of are passed over),
 * standing where `b` stands. */
CgRef cg_slice_build(CgBuild *b, const CgGraph *from, CgRef r, const CgSlice *slice, const CgRef *in);
#endif
