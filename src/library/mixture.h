/* mixture.h - what the shares of a vocabulary add up to.
 * Takes a graph and a node whose last axis is the vocabulary; gives what can be shown of it before anything runs. */
#ifndef CG_MIXTURE_H
#define CG_MIXTURE_H
#include "graph/graph.h"

/* What all of the vocabulary gets together at each place, none of it less than 0; NAN: not known. */
double cg_mixture_total(const CgGraph *g, CgRef r);
/* Whether a node is made of shares: then it is not what a softmax is to be taken of. */
bool cg_mixture_within(const CgGraph *g, CgRef r);
#endif
