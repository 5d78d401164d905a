/* exec.h - running a plan.
 * Takes a plan, a pool and bound memory; gives results. The bits depend on the plan and the values only,
 * never on the number of threads. */
#ifndef CG_EXEC_H
#define CG_EXEC_H
#include "run/plan/plan.h"
#include "run/pool.h"

typedef struct CgExec CgExec;
/* The kernel of an instruction that is a loop. */
CgKernel cg_kernel_loop;
CG_NODISCARD CgExec *cg_exec_new(const CgPlan *plan, CgPool *pool, CgErr *e); /* allocates the slab */
void cg_exec_free(CgExec *x);
/* Memory is contiguous, aligned as its dtype, and borrowed; inputs are written only where the plan says that an output
 * is written over them. */
void cg_exec_bind_input(CgExec *x, int ordinal, const void *data);
void cg_exec_bind_param(CgExec *x, int ordinal, const void *data);
void cg_exec_bind_output(CgExec *x, int ordinal, void *data); /* plans with outputs_bound */
void *cg_exec_block(const CgExec *x); /* where outputs that are together begin; valid until the next run */
/* What random numbers are a function of, in the runs to come: all 0 until then. `row`: of the first row of the batch.
 */
void cg_exec_random(CgExec *x, uint64_t seed, uint64_t step, uint64_t row);
/* False when an index was outside of its table: what the plan gave is then not to be used, and cg_exec_explain says
 * why. */
CG_NODISCARD bool cg_exec_run(CgExec *x);
/* After a run that failed: what was found, and the instruction that found it. */
int cg_exec_explain(const CgExec *x, CgErr *e);
/* From now on runs note whether output i is finite, while the op that makes it writes it; false where that op cannot.
 */
bool cg_exec_check_finite(CgExec *x, int output);
bool cg_exec_finite(const CgExec *x);            /* of the last run: all outputs that it checked were */
CgTensor cg_exec_output(const CgExec *x, int i); /* valid until the next run; may be strided */
/* --nan: stop after the first instruction with a non-finite result; returns its index or -1. */
int cg_exec_run_checked(CgExec *x);
/* --prof: seconds and calls by instruction, summed over runs since enabled. */
typedef struct CgProf {
    double seconds;
    uint64_t calls;
} CgProf;
void cg_exec_profile(CgExec *x, bool on);
const CgProf *cg_exec_prof(const CgExec *x); /* cg_plan_count entries */
/* --trace: from now on each instruction and shard is an event of `t` (NULL ends it); `first` is the name of instruction
 * 0. */
struct CgTrace;
void cg_exec_trace(CgExec *x, struct CgTrace *t, int first);
const CgPlan *cg_exec_plan(const CgExec *x);
#endif
