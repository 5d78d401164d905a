/* plan_inside.h - what the files plan*.c share.
 * Takes nothing; gives struct CgPlan and the steps of planning. Included by plan*.c only. */
#ifndef CG_PLAN_INSIDE_H
#define CG_PLAN_INSIDE_H
#include <cg/elementwise.h>
#include "run/plan/plan.h"

typedef union CgConstant {
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;
    uint8_t b;
    uint64_t bits;
} CgConstant;

struct CgPlan {
    CgArena *arena;
    const CgGraph *graph;
    CgGraph *own; /* graph, when ops had to be expanded; else NULL */
    CgPlanOptions options;
    CG_VEC(CgInstr) instrs;
    CG_VEC(CgBuffer) buffers; /* inputs, params, then the rest */
    CG_VEC(CgConstant) constants;
    CG_VEC(CgTask) tasks; /* wave by wave */
    CG_VEC(int) waves;    /* where each begins */
    CgSlot *outputs;
    CgTensor *inputs, *params;
    size_t slab, scratch;
    size_t live; /* most bytes live at one time: no placing can do with less */
    int order;   /* which schedule won */
    int inplace; /* results written over an operand */
};

/* plan_expand.c: g itself when every live op can run; else a copy with the others written out, in *own; with numbers
 * for its symbols where an op is written out for its sizes. NULL when an op can neither run nor be written out. */
CG_NODISCARD const CgGraph *cg_plan_expand(const CgGraph *g, CgBindings dims, CgGraph **own, CgErr *e);

/* plan_order.c: the live nodes of g in an order they can run in. `bytes` are those of each node's own results
 * (0 for leaves, views and parts); renewed[i] is the leaf that output i is written over, or CG_NONE, or `renewed`
 * is NULL. Returns the count; schedules 0 .. CG_PLAN_ORDERS-1 differ in peak memory only. */
#define CG_PLAN_ORDERS 3
size_t cg_plan_order(const CgGraph *g, const size_t *bytes, const CgRef *renewed, int schedule, CgRef *order);
bool cg_plan_is_view(const CgNode *n); /* takes no memory: views and parts */
bool cg_plan_is_leaf(const CgNode *n); /* input, param, const */
void cg_plan_live(const CgGraph *g, bool *live);

/* plan_bind.c: the row major tensor of a type, and its bytes; false, with the dim that has no size or a senseless one
 * in *wrong, or NULL there when it has more bytes than memory has addresses. The same attributes with the values of
 * DIMS in `ints`, made in the arena; NULL and *wrong likewise. */
CG_NODISCARD bool cg_plan_bind_type(
    CgBindings dims, const CgType *type, CgTensor *t, size_t *bytes, const CgDim **wrong);
const CgAttrs *cg_plan_bind_attrs(
    CgBindings dims, CgArena *arena, CgMap *bound, const CgAttrs *attrs, const CgDim **wrong);

/* plan_bind.c: live users of each node, once for each operand: users[first[r]] .. users[first[r + 1]]. */
typedef struct CgReaders {
    const CgGraph *g;
    uint32_t *first;
    CgRef *users;
    bool *is_output;
} CgReaders;
void cg_plan_readers(CgReaders *l, const CgGraph *g, const bool *live);
void cg_plan_readers_free(CgReaders *l);
bool cg_plan_looks(
    const CgNode *user, int k, bool *through); /* at result k of what it uses; through it, what uses it does */

/* plan_rounded.c: whether result k of node r is kept as CG_BF16. */
typedef struct CgRounded CgRounded;
CgRounded *cg_rounded_new(const CgReaders *readers, CgBindings dims, const bool *live);
void cg_rounded_free(CgRounded *w);
bool cg_rounded_result(CgRounded *w, CgRef r, int k);

/* plan_layout.c: cg_layouts_order reorders the strides of t, the row major tensor of result k of node r, to what its
 * users ask for; false when they do not mind. cg_layouts_like lays y, row major, as x where that leaves no holes. */
typedef struct CgLayouts CgLayouts;
CgLayouts *cg_layouts_new(const CgReaders *readers, CgBindings dims);
void cg_layouts_free(CgLayouts *l);
bool cg_layouts_order(CgLayouts *l, CgRef r, int k, CgTensor *t);
bool cg_layouts_like(CgTensor *y, const CgTensor *x);
bool cg_layouts_same(const CgTensor *x, const CgTensor *y);

/* plan_over.c: cg_plan_over_rows lays y, a result of `in` kept as bf16, in the rows of an operand that dies there, if
 * the op can do that and the operand is not taken; made[] are the nodes that have been emitted. cg_plan_lay_over lays
 * all results over operands: buffers that become one are joined in parent[], and home is the root. */
void cg_plan_over_rows(
    CgPlan *p, const CgReaders *l, CgSlot *const *made, const CgInstr *in, CgSlot *y, bool taken[CG_MAX_IN]);
int cg_plan_home(int *parent, int buffer);
bool cg_plan_may_cover(const CgInstr *in, int k, const CgTensor *y); /* a result of the form of y over operand k */
bool cg_plan_alone(const CgInstr *in, int k, int *parent); /* no other operand looks at its memory in another way */
void cg_plan_lay_over(CgPlan *p, int *parent);

/* plan_memory.c: offsets for the buffers in the slab; false when they do not fit (sets e). */
CG_NODISCARD bool cg_plan_place(CgPlan *p);
CG_NODISCARD bool cg_plan_fits(const CgPlan *p, CgErr *e);

/* plan_waves.c: fills in tasks and waves, once memory is placed. */
void cg_plan_make_waves(CgPlan *p);

/* plan_copy.c: makes a contiguous copy of any strided tensor. */
extern const CgOp cg_op_copy;

/* "1.5 GiB" */
const char *cg_plan_bytes(size_t bytes, char out[24]);
#endif
