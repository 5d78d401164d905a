/* causal.h - what a place of a result can know of a text.
 * Takes a graph and an input; gives the first node by which a result could see what it must not. Derived from what ops
 * say of themselves along an axis (CgOp.axis_rule), as the incremental form of a graph is; where one says too little,
 * that node is the answer. */
#ifndef CG_GRAPH_CAUSAL_H
#define CG_GRAPH_CAUSAL_H
#include "graph/graph.h"

/* CG_NONE: place t of `result` along `axis` depends on places of `text` up to t alone, as far as it depends on it. Else
 * the first node of which that cannot be shown. */
CgRef cg_causal_fault(const CgGraph *g, CgRef text, CgRef result, int axis);
/* CG_NONE: index i of `result` along `axis` depends on index i of `text` alone. */
CgRef cg_apart_fault(const CgGraph *g, CgRef text, CgRef result, int axis);
/* The s for which place t of `result` depends on places of `text` up to t - s; NULL: on none, or that cannot be shown.
 */
const CgDim *cg_causal_shift(const CgGraph *g, CgRef text, CgRef result, int axis);
/* The same of the ways from the text to the result that are causal, where there are others, too: of a model that is
 * given the text as a whole, and again place by place. NULL: all ways are causal, or none is. */
const CgDim *cg_causal_beside(const CgGraph *g, CgRef text, CgRef result, int axis);
#endif
