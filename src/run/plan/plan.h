/* plan.h - deciding.
 * Takes a graph and numbers for its symbols; gives an immutable plan: instructions in order, operands as
 * tensors with strides (views cost nothing), offsets in one slab from lifetimes, in-place reuse, shards and
 * scratch. Computes nothing; exec.h runs it. */
#ifndef CG_PLAN_H
#define CG_PLAN_H
#include <cg/kernel.h>
#include "base/diag.h"
#include "graph/graph.h"

typedef enum CgStorage {
    CG_AT_SLAB,
    CG_AT_INPUT,
    CG_AT_PARAM,
    CG_AT_OUTPUT /* bound by the caller */,
    CG_AT_CONST
} CgStorage;

typedef struct CgBuffer {
    CgStorage storage;
    int ordinal;   /* INPUT, PARAM, OUTPUT: which; CONST: index into the plan's constants */
    size_t offset; /* SLAB: bytes, 64-aligned */
    bool pinned;   /* SLAB: the caller said where (CgPlanOptions.together) */
    size_t bytes;
    int first, last; /* instructions between which it must keep its value */
} CgBuffer;

typedef struct CgSlot {
    int buffer;
    size_t offset;
    CgTensor tensor; /* data NULL until run */
} CgSlot;

/* What an instruction runs once for each index of axis 0 of its operands: a plan of the body, whose inputs are the
 * operands in order, and whose outputs are the results; states are written over the states. */
typedef struct CgLoop {
    CgGraph *body;
    struct CgPlan *plan;
    int states, turns; /* operands: states, those that turns go through, those that each turn sees whole */
    int64_t count;     /* turns */
    bool reverse;
    int users; /* plans that have it, but for one */
} CgLoop;

typedef struct CgInstr {
    CgRef node; /* in the plan's graph; CG_NONE for copies the planner put in */
    const CgOp *op;
    CgKernel *kernel;
    const CgAttrs *attrs; /* dims bound */
    bool bf16;            /* a product, and what it is in */
    int nin, nout;
    CgSlot *in, *out;
    CgWork work;
    int shared;           /* buffer of CgWork.shared bytes, or -1 */
    size_t shared_offset; /* in the slab */
    void *state;          /* from CgOp.prepare */
    CgLoop *loop;         /* CG_LOOP: what runs once for each index, else NULL */
} CgInstr;

/* All shards of an instruction's `begin`, or of its kernel; `finish` follows the latter. */
typedef struct CgTask {
    int instr;
    bool begin;
} CgTask;

typedef struct CgPlan CgPlan;
#define CG_PLAN_BOUND SIZE_MAX
typedef struct CgPlanOptions {
    bool no_inplace;        /* for tests */
    bool no_rounding;       /* for tests: f32 is kept as f32 */
    bool outputs_bound;     /* outputs are written straight to memory the caller binds, which must not overlap
                               inputs or params; else they live in the slab, or are views of inputs and params */
    const size_t *together; /* with outputs_bound, may be NULL: by output, its place in one block that outputs share at
                          the beginning of the slab, in bytes, a multiple of 64 (cg_exec_block); or CG_PLAN_BOUND: by
                          the caller. Until an output is made, other tensors may lie in its place; so they may in what
                          is left between outputs. Read while planning only */
    bool update;            /* an output named like an input or a parameter of its type is that one's new value and is
                               written over it: during the run if no instruction wants the old one any more, else at
                               its end. Whoever binds such memory must let it be written */
    bool shown;             /* never run, only looked at: the slab may be larger than the memory there is */
    size_t memory; /* bytes the slab may take, 0: any. Forward values are made again for the derivative until it
                      takes no more; no bit of any result differs */
    const CgSources *sources; /* may be NULL; to name script lines in messages */
} CgPlanOptions;

/* Fails when a symbol has no value, when the slab takes more than options.memory whatever is made again, and when that
 * of a plan that is to run would not fit in memory. */
CG_NODISCARD CgPlan *cg_plan_build(
    const CgGraph *g /* borrowed, must outlive the plan */, CgBindings dims, CgPlanOptions options, CgErr *e);
void cg_plan_free(CgPlan *p);
/* Whether the slab fits in memory; if not, the error names its bytes and the lines of the largest tensors. */
CG_NODISCARD bool cg_plan_fits(const CgPlan *p, CgErr *e);
const CgGraph *cg_plan_graph(const CgPlan *p);
int cg_plan_count(const CgPlan *p);
int cg_plan_buffers(const CgPlan *p);
CgPlanOptions cg_plan_options(const CgPlan *p);
const CgInstr *cg_plan_instr(const CgPlan *p, int i);
const CgBuffer *cg_plan_buffer(const CgPlan *p, int i);
/* Tasks that run side by side, n of them, at most CG_PLAN_WAVE: none writes what another one of its wave touches. */
#define CG_PLAN_WAVE 4
int cg_plan_waves(const CgPlan *p);
const CgTask *cg_plan_wave(const CgPlan *p, int i, int *n);
size_t cg_plan_shards(const CgPlan *p, CgTask task);
/* Products of f32, those in bf16 among them, and their flops. */
typedef struct CgProducts {
    int all, bf16;
    double flops, bf16_flops;
} CgProducts;
CgProducts cg_plan_products(const CgPlan *p);
size_t cg_plan_slab(const CgPlan *p);    /* bytes */
size_t cg_plan_scratch(const CgPlan *p); /* bytes a thread */
const CgSlot *cg_plan_output(const CgPlan *p, int i);
CgTensor cg_plan_input(const CgPlan *p, int i); /* shape with dims bound; data NULL */
CgTensor cg_plan_param(const CgPlan *p, int i);
void cg_plan_print(const CgPlan *p, const CgSources *sources, CgStrbuf *out); /* --dump=plan */
/* --dump=mem: by script line */
void cg_plan_print_memory(const CgPlan *p, const CgSources *sources, CgStrbuf *out);
/* False where the shape rule of a node refuses the numbers, as cg_plan_build does first (sizes.c). */
CG_NODISCARD bool cg_plan_check_sizes(const CgGraph *g, CgBindings dims, const CgSources *sources, CgErr *e);
const char *cg_plan_bytes(size_t bytes, char out[24]); /* "1.5 MiB" */
/* "model.cg:12", or "" without sources or place. */
const char *cg_plan_where(const CgSources *sources, CgSpan span, char out[160]);
/* Recomputes overlaps by brute force; CG_BUG if live buffers share bytes. Shares no code with planning. */
void cg_plan_verify(const CgPlan *p);
/* Bytes from a buffer's offset to where the next may begin: its own and a gap no kernel may touch. */
size_t cg_plan_room(const CgBuffer *b);
/* A constant's bytes (CG_AT_CONST, its ordinal). */
const void *cg_plan_constant(const CgPlan *p, int ordinal);
#endif
