/* cut.h - a node over a range of one axis.
 * Takes a node and a range of its result; gives what of its operands makes that range (CgCut, from `along` and `cut` of
 * the op), and the node over them. What the passes `slice` and `incremental` have in common. */
#ifndef CG_GRAPH_CUT_H
#define CG_GRAPH_CUT_H
#include "graph/graph.h"

/* What `along` says of an axis of operand k of node r; elementwise ops need not say it. */
CgAlong cg_cut_along(const CgGraph *g, CgRef r, int k, int axis, CgTo *to);
/* False where node r cannot be computed for the range [from, to) of result 0 alone. */
bool cg_cut_find(const CgGraph *g, CgRef r, int axis, const CgDim *from, const CgDim *to, CgCut *cut);
/* True when operand k of node r is needed only in part. */
bool cg_cut_is_part(const CgGraph *g, CgRef r, const CgCut *cut, int k);
/* Node r of `from` over operands in[] that are cut as `cut` says (those it needs nothing of are passed over), standing
 * where `b` stands. */
CgRef cg_cut_build(CgBuild *b, const CgGraph *from, CgRef r, const CgCut *cut, const CgRef *in);
#endif
