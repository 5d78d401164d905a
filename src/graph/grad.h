/* grad.h - reverse accumulation, graph to graph.
 * Takes a graph under construction, a scalar node and the nodes to differentiate by; appends the derivative nodes.
 * Knows no op: all it needs is in CgOp (vjp, or expand, or CG_NODIFF). Every order follows by calling it again. */
#ifndef CG_GRAD_H
#define CG_GRAD_H
#include "graph/graph.h"

/* By inputs and params, what is differentiated is the loss as recognised (pass_recognise.c): attention and the like
 * have derivatives of their own. By inner nodes it is the graph as it is, where those nodes certainly are. grads[i]
 * gets d(loss)/d(wrt[i]), zeros where the loss does not depend on it. Nothing is built for nodes that no wrt[] reaches,
 * which is how frozen parts cost nothing. False: an op on the way has no derivative (named in *e, its node in *where).
 */
CG_NODISCARD bool cg_grad_build(CgBuild *b, CgRef loss, int n, const CgRef *wrt, CgRef *grads, CgRef *where, CgErr *e);
/* The product of the Jacobian of y by wrt and `along`, which has the type of wrt: by differentiating twice, the second
 * time by the weights of y. Fails as cg_grad_build does. */
CG_NODISCARD bool cg_jvp_build(CgBuild *b, CgRef y, CgRef wrt, CgRef along, CgRef *out, CgRef *where, CgErr *e);
#endif
