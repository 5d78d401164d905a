/* slice.h - a node over a range of one axis.
 * Takes a node and a range of its result; gives what of its operands makes that range (CgSlice, from `axis_rule` and
 * `slice_rule` of the op), and the node over them. What the passes `slice` and `incremental` have in common. */
#ifndef CG_GRAPH_SLICE_H
#define CG_GRAPH_SLICE_H
#include "graph/graph.h"

/* The `axis_rule` for an axis of operand k of node r; that of elementwise ops follows from the trait. */
CgAxisRule cg_slice_axis_rule(const CgGraph *g, CgRef r, int k, int axis, CgAxisTo *to);
/* False where node r cannot be computed for the range [from, to) of result 0 alone. */
bool cg_slice_find(const CgGraph *g, CgRef r, int axis, const CgDim *from, const CgDim *to, CgSlice *slice);
/* True when operand k of node r is needed only in part. */
bool cg_slice_is_partial(const CgGraph *g, CgRef r, const CgSlice *slice, int k);
/* Builds node r of `from` over operands in[], sliced by its `slice_rule` (operands that it does not need are skipped),
 * with the scope and source span of `b`. */
CgRef cg_slice_build(CgBuild *b, const CgGraph *from, CgRef r, const CgSlice *slice, const CgRef *in);
#endif
