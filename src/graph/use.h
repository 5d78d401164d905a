/* use.h - what the nodes of a graph are to each other.
 * Takes a graph; gives which nodes are needed, who reads what, and in whose memory a value lies. Changes nothing and
 * knows no op by name: leaves, further results and views are told by what their op says of itself. */
#ifndef CG_GRAPH_USE_H
#define CG_GRAPH_USE_H
#include "graph/graph.h"

static inline bool cg_node_is_leaf(const CgNode *n) { return n->op->traits & (CG_INPUT | CG_PARAM | CG_CONST); }
/* A further result of a node with several (op `result`). */
static inline bool cg_node_is_result(const CgNode *n) { return n->op->traits & CG_RESULT; }
/* Takes no memory of its own: its elements are some of operand 0's. */
static inline bool cg_node_is_view(const CgNode *n) { return n->op->view || cg_node_is_result(n); }
/* Of a derivative, or a second evaluation for one. */
static inline bool cg_node_is_late(const CgNode *n) { return n->why != CG_NONE || n->clone; }

/* The node that computes r, and which of its results r is. */
CgRef cg_node_result(const CgGraph *g, CgRef r, int *k);
/* The node whose memory holds r, and which of its results it is: looks through views and further results. */
CgRef cg_node_base(const CgGraph *g, CgRef r, int *k);
/* Whether a user of a node reads result k of it; *through: only to hand it on, as views do. */
bool cg_node_reads(const CgNode *user, int k, bool *through);

/* How a node is computed: by its op's kernel, else element by element, else (both NULL) not as it is. */
typedef struct CgOpCode {
    CgKernel *kernel;
    CgVecFn *vec;
} CgOpCode;
CgOpCode cg_op_code(const CgOp *op, CgDtype dtype);
/* The dtype that chooses among kernels: of operand 0, or of the result where there is none. */
CgDtype cg_node_dtype(const CgGraph *g, const CgNode *n);
CgOpCode cg_node_code(const CgGraph *g, const CgNode *n);

/* live[r]: `root`, or with CG_NONE some output, needs node r. To be freed. */
bool *cg_graph_live(const CgGraph *g, CgRef root);
/* How often live nodes and outputs, and `root` as one of them, use each node. To be freed. */
uint32_t *cg_graph_uses(const CgGraph *g, CgRef root);

/* The live users of each node, once for each operand: of[first[r]] .. of[first[r + 1] - 1]. */
typedef struct CgUsers {
    const CgGraph *g;
    uint32_t *first;
    CgRef *of;
    bool *is_output;
} CgUsers;
/* Nodes from[i] come first among the users of nodes to[i], i < n. */
typedef struct CgEdges {
    size_t n;
    const CgRef *from, *to;
} CgEdges;
void cg_users_init(CgUsers *u, const CgGraph *g, const bool *live, CgEdges more);
void cg_users_deinit(CgUsers *u);
#endif
