/* graph.h - the typed, hash-consed graph.
 * Takes ops, operands and attributes; gives nodes as indices in topological order. Equal nodes are one node.
 * Nodes are only ever appended; a pass makes a new graph. Text form in text.h, building in cg/build.h. */
#ifndef CG_GRAPH_H
#define CG_GRAPH_H
#include <cg/build.h>
#include "base/arena.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/source.h"
#include "base/vec.h"
#include "graph/dim.h"

/* Where a node belongs in the model: a tree of instances, for pictures, profiles and recomputation. */
typedef struct CgScope {
    int parent;        /* index, -1 at the root (scope 0) */
    CgAtom name;       /* "blocks.3", "attn" */
    CgAtom graph;      /* "block", the graph it is an instance of */
    CgSpan span;       /* where it is applied; file 0: not known */
    int recompute;     /* 0, or the number of the recomputation region it belongs to (nested scopes inherit) */
    bool bf16;         /* precision of products built there, unless the builder knows better (nested scopes inherit) */
    const CgRef *args; /* the nodes it is applied to, in the order of its parameters; passes do not keep them */
    int nargs;
} CgScope;

typedef struct CgNode {
    const CgOp *op;
    const CgAttrs *attrs; /* interned; NULL = none */
    CgType type;          /* of result 0 */
    CgType *more;         /* types of results 1.. , NULL when there is one */
    CgRef *in;
    int nin, nout;
    int scope;
    CgSpan span; /* the source expression, kept by derivative nodes */
    CgRef why;   /* derivative nodes: the forward node, or the node itself when that is gone; else CG_NONE */
    int clone;   /* 0, or the recomputation this node is a second evaluation for (part of its identity) */
    bool bf16;   /* products of f32: operands are rounded to bf16 (part of its identity) */
} CgNode;

typedef struct CgOutput {
    CgAtom name;
    CgRef ref;
} CgOutput;

typedef struct CgGraph {
    CgArena *arena;
    CgAtom name;
    CG_VEC(CgNode) nodes;
    CG_VEC(CgScope) scopes; /* [0] is the root */
    CG_VEC(CgRef) inputs;   /* nodes of op input, in order of creation */
    CG_VEC(CgRef) params;   /* nodes of op param, in order of creation */
    CG_VEC(CgOutput) outputs;
    CgMap index; /* structural hash -> first node (chains through `next`) */
    CG_VEC(CgRef) next;
    CgMap axis_names; /* ref * 16 + axis -> atom: what the author calls it, for pictures; of graphs as they are built */
} CgGraph;

/* How many nodes and outputs use each of the first nodes of a graph. */
typedef struct CgUses {
    CG_VEC(uint32_t) of;
} CgUses;

/* What products are computed in. */
typedef enum CgPrecision { CG_AS_SCOPE /* that of the scope of the new node */, CG_IN_F32, CG_IN_BF16 } CgPrecision;

/* Why a node is ill-typed: what its op's rule says. */
typedef struct CgRefusal {
    const CgOp *op;
    char message[sizeof((CgInfer *)0)->message];
} CgRefusal;

/* The builder: a graph, and the source span, scope and precision that its new nodes get. */
struct CgBuild {
    CgGraph *graph;
    int scope;
    CgSpan span;
    CgRef why;
    int clone;
    CgPrecision precision; /* of new products */
    bool no_fold;          /* keep nodes as written (text reader, lint) */
    int depth;             /* of folds within folds: past a bound nodes are kept as they are */
    const int *scope_map;  /* for cg_graph_copy: scope of the other graph -> scope here; NULL: the same number */
    const CgRef *why_map;  /* likewise for CgNode.why */
    const CgUses *uses;    /* for cg_ref_shared; may be NULL */
    const char *no_rule;   /* of cg_build_refuse; NULL: nothing was refused */
    CgRefusal *refused; /* for nodes that a script wrote: the error of the first ill-typed one, which is replaced by a
                         * scalar; NULL: an ill-typed node is a bug of the caller */
};

CgGraph *cg_graph_new(const char *name);
void cg_graph_free(CgGraph *g);
CgBuild cg_build_at(CgGraph *g);
/* Whether a product of f32 that is built now is in bf16. */
bool cg_build_bf16(const CgBuild *b);
int cg_scope_add(CgGraph *g, int parent, const char *name, const char *graph);
void cg_scope_set_args(CgGraph *g, int scope, const CgRef *args, int n); /* copied */
/* Full dotted path of a scope, "" for the root. */
void cg_scope_path(const CgGraph *g, int scope, CgStrbuf *out);

/* What a body is written down over: a leaf with this name. Then the nodes between hole[0 .. n), the oldest first, and
 * out[0 .. nout) as a graph of which these are inputs and results; for each other node of g that it needs it has an
 * input more, and `outside` has that node. */
typedef CG_VEC(CgRef) CgRefs;
CgRef cg_hole(CgBuild *b, const char *name, CgType type);
CgGraph *cg_body_extract(const CgGraph *g, int n, const CgRef *hole, int nout, const CgRef *out, CgRefs *outside);
/* Such a body, given what is outside, if that is much, in few tensors of one axis, which are built and are in `outside`
 * then. Consumes body. */
CgGraph *cg_body_pack(CgBuild *b, CgGraph *body, int n, CgRefs *outside);
/* An attribute that holds a graph: g, or one equal to it that is there; consumes g. */
CgAttr cg_a_graph(const char *name, CgGraph *g);

/* Leaves: ops "input" {name, type}, "param" {name, type}; asked for twice with one name they are one node. */
CgRef cg_graph_input(CgBuild *b, const char *name, CgType type);
CgRef cg_graph_param(CgBuild *b, const char *path, CgType type);
CgRef cg_graph_const(CgBuild *b, CgDtype dtype, double value); /* scalar */
void cg_graph_output(CgGraph *g, const char *name, CgRef ref);
CgAtom cg_node_name(const CgGraph *g, CgRef r); /* of an input or param */
/* What the author calls an axis of a node; NULL where nothing is known. The first name stays. */
CgAtom cg_axis_name(const CgGraph *g, CgRef r, int axis);
void cg_axis_name_set(CgGraph *g, CgRef r, int axis, CgAtom name);
/* True when r is a constant with one value, possibly broadcast. */
bool cg_node_const(const CgGraph *g, CgRef r, double *value);

/* As cg_build, but for what a user wrote: an ill-typed node is refused and the complaint left in *inf. */
CgRef cg_build_checked(CgBuild *b, const CgOp *op, int nin, const CgRef *in, const CgAttrs *attrs, CgInfer *inf);
/* Result k of a node; a node of op "result" when k > 0. */
static inline const CgNode *cg_node(const CgGraph *g, CgRef r) { return &g->nodes.at[r]; }
const CgType *cg_node_type(const CgGraph *g, CgRef r);
/* For builders of what takes this node's place or belongs to it, as its derivative does. */
CgPrecision cg_node_precision(const CgNode *n);

/* Node n again, of this graph or another one, on operands of b's graph; a further result is asked of `in[0]`. */
CgRef cg_build_like(CgBuild *b, const CgNode *n, const CgRef *in);
/* Copies node `r` of `from` into b's graph with operands `in`, keeping scope and why (through b's maps),
 * span, precision, and clone unless b has one. */
CgRef cg_graph_copy(CgBuild *b, const CgGraph *from, CgRef r, const CgRef *in);
/* The type of result k. */
const CgType *cg_node_out_type(const CgNode *n, int k);
/* Invariants: order, arity, types re-inferred, outputs in range. CG_BUG when broken. */
void cg_graph_verify(const CgGraph *g);
/* Identity of what the graph computes: op names, their versions and plugins, attributes, precision, types, leaf names,
 * outputs. Not spans, scopes or node numbers. */
CgDigest cg_graph_digest(const CgGraph *g);
#endif
