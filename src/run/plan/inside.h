/* inside.h - what the files of this folder share.
 * Takes nothing; gives struct CgPlan, the planner that makes one, and its steps. Included by these files only. */
#ifndef CG_PLAN_INSIDE_H
#define CG_PLAN_INSIDE_H
#include <cg/elementwise.h>
#include "graph/bind.h"
#include "graph/use.h"
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
    CG_VEC(CgLoop *) loops;
    CgSlot *outputs;
    CgTensor *inputs, *params;
    size_t slab, scratch;
    size_t live; /* most bytes live at one time: no placing can do with less */
    int order;   /* which schedule won */
    int inplace; /* results written over an operand */
};

/* A plan while it is made, of one schedule (build.c). */
typedef struct CgLayouts CgLayouts;
typedef struct CgRounded CgRounded;
typedef struct CgPlanner {
    CgPlan *p;
    CgBindings dims;
    CgErr *e;
    CgPlan *(*plan_of)(const CgGraph *g, CgBindings dims, CgPlanOptions options, CgErr *e); /* of a loop's body */
    CgMap *loops;     /* node -> CgLoop, of all schedules */
    CgMap attrs;      /* CgAttrs as written -> with dims bound */
    bool *live;       /* by node */
    CgSlot **value;   /* by node: its results */
    CgSlot **copy;    /* by node: a contiguous copy of it, once somebody needed one */
    int *next_output; /* outputs by node: chains of output numbers, -1 at the end */
    int *first_output;
    CgRef *whole;         /* by result, those of a node one after the other: the node of whose result it is a piece */
    size_t *first_result; /* by node: its first result in whole[] */
    CgRef *renewed;       /* by output: the leaf it is written over, or CG_NONE */
    CgUsers users;
    CgLayouts *layouts;
    CgRounded *rounded;
    int *parent; /* by buffer: the buffer whose memory it is, itself at the root */
    bool failed; /* what is wrong is in *e */
} CgPlanner;

/* Views are asked with this address in place of memory that is not there yet; only the difference counts. */
#define CG_PLAN_NOWHERE ((char *)(uintptr_t)0x100000)

/* planner.c: the row major tensor of a type and its bytes, attributes with numbers for all dims; false or NULL, and
 * `failed`, where a size is missing or senseless, which is said of node r. Result k of node r as it is kept in memory,
 * and a new buffer for it. */
CG_NODISCARD bool cg_planner_tensor(CgPlanner *d, const CgType *type, CgRef r, CgTensor *t, size_t *bytes);
const CgAttrs *cg_planner_attrs(CgPlanner *d, const CgAttrs *attrs, CgRef r);
CG_NODISCARD bool cg_planner_result(CgPlanner *d, CgRef r, int k, CgTensor *t, size_t *bytes);
CgSlot cg_planner_new_result(CgPlanner *d, CgRef r, int k);
int cg_plan_new_buffer(CgPlan *p, CgStorage storage, int ordinal, size_t bytes);
void cg_plan_drop_buffer(CgPlan *p, int buffer); /* it is in another one's memory now, and has no life of its own */

/* emit.c: what computes node r, once its operands are there; a contiguous copy of a value in a new buffer, or in one
 * that is there. An instruction's tensors side by side, t[CG_MAX_IN + CG_MAX_OUT], as a kernel is given them. */
void cg_planner_emit(CgPlanner *d, CgRef r);
CgSlot cg_planner_copy(CgPlanner *d, const CgSlot *of, CgRef node, CgStorage storage, int ordinal);
CgSlot cg_planner_copy_to(CgPlanner *d, const CgSlot *of, CgRef node, int buffer);
CgCall cg_plan_call(const CgInstr *in, CgTensor *t);

/* loop.c: what node r, a loop, runs for each index of `turns`; NULL, and `failed`, where it cannot be planned. What it
 * costs. */
CgLoop *cg_planner_loop(CgPlanner *d, CgRef r, const CgTensor *turns);
void cg_loop_work(const CgLoop *loop, CgWork *work);
void cg_loop_free(CgLoop *loop); /* plan.c */

/* subviews.c: whole[] of the first result of each kernel that an op with `subview` puts together, if it is put together
 * once. Where result k of node r lies in the result it is a piece of; false when that is not in one stretch. Whether
 * every operand of an instruction already lies where the op would put it. */
void cg_planner_find_joined(CgPlanner *d, const bool *live);
bool cg_planner_subview(CgPlanner *d, CgRef r, int k, CgSlot *s);
bool cg_planner_is_joined(const CgPlanner *d, CgRef r, const CgInstr *in);

/* renew.c: renewed[o]: the leaf with the name and type of output o. Then outputs go there: at once where that is
 * possible, else by copies at the end. */
void cg_planner_find_renewed(const CgGraph *g, bool update, CgRef *renewed);
void cg_planner_renew(CgPlanner *d);

/* expand.c: g itself when every live op can run; else a copy with the others written out, in *own; with numbers for its
 * symbols where an op is written out for its sizes. NULL when an op can neither run nor be written out. */
CG_NODISCARD const CgGraph *cg_plan_expand(const CgGraph *g, CgBindings dims, CgGraph **own, CgErr *e);

/* order.c: the live nodes of g in an order they can run in. `bytes` are those of each node's own results (0 for leaves,
 * views and further results); renewed[i] is the leaf that output i is written over, or CG_NONE, or `renewed` is NULL.
 * Returns the count; schedules 0 .. CG_PLAN_ORDERS-1 differ in peak memory only. */
#define CG_PLAN_ORDERS 3
size_t cg_plan_order(const CgGraph *g, const size_t *bytes, const CgRef *renewed, int schedule, CgRef *order);

/* bf16.c: whether result k of node r is kept as CG_ROUNDED. */
CgRounded *cg_rounded_new(const CgUsers *users, CgBindings dims, const bool *live);
void cg_rounded_free(CgRounded *w);
bool cg_rounded_result(CgRounded *w, CgRef r, int k);

/* layout.c: cg_layouts_order reorders the strides of t, the row major tensor of result k of node r, to what its users
 * ask for; false when they do not mind. cg_layouts_like lays y, row major, as x where that leaves no holes. */
CgLayouts *cg_layouts_new(const CgUsers *users, CgBindings dims);
void cg_layouts_free(CgLayouts *l);
bool cg_layouts_order(CgLayouts *l, CgRef r, int k, CgTensor *t);
bool cg_layouts_like(CgTensor *y, const CgTensor *x);
bool cg_layouts_same(const CgTensor *x, const CgTensor *y);

/* inplace.c: cg_plan_over_rows lays y, a result of `in` kept as bf16, in the rows of an operand that dies there, if the
 * op can do that and the operand is not taken; made[] are the nodes that have been emitted. cg_plan_overwrite lays all
 * results over operands: buffers that become one are joined in parent[], whose root cg_plan_root finds. */
void cg_plan_over_rows(
    CgPlan *p, const CgUsers *l, CgSlot *const *made, const CgInstr *in, CgSlot *y, bool taken[CG_MAX_IN]);
int cg_plan_root(int *parent, int buffer);
bool cg_plan_may_cover(const CgInstr *in, int k, const CgTensor *y); /* a result of the form of y over operand k */
bool cg_plan_reads_alike(const CgInstr *in, int k, int *parent); /* no other operand reads its memory in another way */
void cg_plan_overwrite(CgPlan *p, int *parent);

/* memory.c: offsets for the buffers in the slab; false when they do not fit (sets e). */
CG_NODISCARD bool cg_plan_assign_offsets(CgPlan *p);

/* waves.c: fills in tasks and waves, once memory is placed. */
void cg_plan_make_waves(CgPlan *p);

/* fit.c: g with forward values made again for the derivative, so that its plan takes at most `budget` bytes, as
 * bytes_of tells; NULL where that cannot be. *least: the bytes of the plan of g; then the fewest that were found. */
typedef size_t CgPlanBytes(void *of, const CgGraph *g);
CgGraph *cg_plan_fit(const CgGraph *g, CgBindings dims, size_t budget, CgPlanBytes *bytes_of, void *of, size_t *least);

/* copy.c: makes a contiguous copy of any strided tensor. */
extern const CgOp cg_op_copy;
#endif
