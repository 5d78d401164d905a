/* plan_inside.h - what the files plan*.c share.
 * Takes nothing; gives struct CgPlan and the steps of planning. Included by plan*.c only. */
#ifndef CG_PLAN_INSIDE_H
#define CG_PLAN_INSIDE_H
#include <cg/elementwise.h>
#include "run/plan.h"

typedef union CgConstant {
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;
    uint8_t b;
    uint64_t bits;
} CgConstant;

struct CgPlan {
    CgArena       *arena;
    const CgGraph *graph;
    CgGraph       *own;         /* graph, when ops had to be expanded; else NULL */
    CgPlanOptions  options;
    CG_VEC(CgInstr)    instrs;
    CG_VEC(CgBuffer)   buffers; /* inputs, params, then the rest */
    CG_VEC(CgConstant) constants;
    CgSlot        *outputs;
    CgTensor      *inputs, *params;
    size_t         slab, scratch;
    size_t         live;        /* most bytes live at one time: no placing can do with less */
    int            order;       /* which schedule won */
    int            inplace;     /* results written over an operand */
};

/* plan_expand.c: g itself when every live op can run; else a copy with the others written out, in *own; with numbers for
 * its symbols where an op is written out for its sizes.
 * NULL when an op can neither run nor be written out. */
CG_NODISCARD const CgGraph *cg_plan_expand(const CgGraph *g, CgBindings dims, CgGraph **own, CgErr *e);

/* plan_order.c: the live nodes of g in an order they can run in. `bytes` are those of each node's own results
 * (0 for leaves, views and parts); renewed[i] is the leaf that output i is written over, or CG_NONE, or `renewed`
 * is NULL. Returns the count; schedules 0 .. CG_PLAN_ORDERS-1 differ in peak memory only. */
#define CG_PLAN_ORDERS 3
size_t cg_plan_order(const CgGraph *g, const size_t *bytes, const CgRef *renewed, int schedule, CgRef *order);
bool   cg_plan_is_view(const CgNode *n);    /* takes no memory: views and parts */
bool   cg_plan_is_leaf(const CgNode *n);    /* input, param, const */
void   cg_plan_live(const CgGraph *g, bool *live);

/* plan_layout.c: cg_layouts_order reorders the strides of t, the row major tensor of result k of node r, to what its users
 * ask for; false when they do not mind. cg_layouts_like lays y, row major, as x where that leaves no holes. */
typedef struct CgLayouts CgLayouts;
CgLayouts *cg_layouts_new(const CgGraph *g, CgBindings dims, const bool *live);
void       cg_layouts_free(CgLayouts *l);
bool       cg_layouts_order(const CgLayouts *l, CgRef r, int k, CgTensor *t);
bool       cg_layouts_like(CgTensor *y, const CgTensor *x);
bool       cg_layouts_same(const CgTensor *x, const CgTensor *y);

/* plan_memory.c: offsets for the buffers in the slab; false when they do not fit (sets e). */
CG_NODISCARD bool cg_plan_place(CgPlan *p);
CG_NODISCARD bool cg_plan_fits(const CgPlan *p, CgErr *e);

/* plan_copy.c: makes a contiguous copy of any strided tensor. */
extern const CgOp cg_op_copy;

/* "1.5 GiB" */
const char *cg_plan_bytes(size_t bytes, char out[24]);
#endif
