/* rematerialize.h - forward values that are made again for the derivative, and so need not be kept for it.
 * Takes a graph with derivative nodes; gives what it would take to make each value again, and, of those that a caller
 * chooses, a graph in which derivative nodes use second copies of them (CgNode.clone). Which are worth it is for the
 * caller to say. Must not change any value. */
#ifndef CG_GRAPH_REMATERIALIZE_H
#define CG_GRAPH_REMATERIALIZE_H
#include "graph/bind.h"
#include "graph/graph.h"

typedef struct CgRemat {
    const CgGraph *g;
    bool *kept;     /* by node: a forward value that a derivative node uses */
    bool *able;     /* it can be made again */
    bool *chosen;   /* it is */
    double *time;   /* seconds it takes to compute, about: of two, which is more is told well, how much to the half */
    double *bytes;  /* of its results */
    uint8_t *depth; /* copies of copies it takes, were all made again that can be; 255: that many or more */
    double total;   /* seconds of all live nodes */
    struct CgRematPass *pass;
} CgRemat;

/* `sweeps`: only what takes as long as reading and writing memory does, and not copies deeper than `deepest`. A symbol
 * without a number counts as 64. */
CgRemat *cg_remat_new(const CgGraph *g, CgBindings dims, bool sweeps, int deepest);
void cg_remat_free(CgRemat *m);
/* The node that must be there for operand i of node r: looks through views and further results. */
CgRef cg_remat_operand(const CgRemat *m, CgRef r, int i);
/* Whether x, such an operand, is made again where its user is. */
bool cg_remat_follows(const CgRemat *m, CgRef x);
/* Seconds to make r again, with what must be made again for it and is not chosen yet. */
double cg_remat_price(const CgRemat *m, CgRef r);
void cg_remat_choose(CgRemat *m, CgRef r);
/* What is kept and can be made again, the most bytes for the least time first. */
typedef struct CgRematOffer {
    CgRef node;
    double price, bytes;
} CgRematOffer;
size_t cg_remat_offers(const CgRemat *m, double least /* bytes */, CgRematOffer **out /* to be freed */);
CgGraph *cg_remat_graph(CgRemat *m);
#endif
