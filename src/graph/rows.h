/* rows.h - how the nodes of a graph depend on the rows of a batch.
 * Takes a graph and the symbol that its batch size is; gives for each node whether it is made row by row, is a sum over
 * rows, or looks across rows in another way. What is known of an op is what its `axis_rule` says. Changes nothing. */
#ifndef CG_GRAPH_ROWS_H
#define CG_GRAPH_ROWS_H
#include "graph/graph.h"

typedef enum CgRowKind {
    CG_ROWS_NONE,    /* the same whatever the rows are */
    CG_ROWS_EACH,    /* a row of it depends on that row alone */
    CG_ROWS_SUM,     /* a sum over rows: of a batch in shares it is the sum of the shares' */
    CG_ROWS_OF_SUMS, /* made of such sums and of what depends on no row */
    CG_ROWS_MIXED    /* a row of it depends on other rows */
} CgRowKind;

typedef struct CgRowUse {
    CgRowKind kind;
    int axis; /* EACH: the one that rows are along, or whose equal pieces are the rows */
} CgRowUse;

/* The first axis whose size is a multiple of the batch; -1 where there is none. */
int cg_rows_axis(const CgType *t, const CgDim *batch);
/* Of the first n nodes; malloc'd. Result 0 where a node has several; the others count as MIXED unless all is NONE. */
CgRowUse *cg_rows_find(const CgGraph *g, const CgDim *batch, size_t n);
/* Where `root` looks across rows other than by sums: the first node that does, CG_NONE where none does. */
CgRef cg_rows_mixed(const CgGraph *g, const CgRowUse *use, CgRef root);
#endif
