/* lint.h - what the files of the lint share.
 * Takes nothing; gives cases (one op, one sample, one dtype), ways to run them, checks, and the claims by name. */
#ifndef CG_LINT_H
#define CG_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cg/function.h>
#include <cg/reader.h>

#include "run/exec.h"

/* ---- a claim: many checks, one line of TAP ---- */

void claim_begin(const CgOp *op, const char *name);
void claim_begin_of(const char *of, const char *file, int line, const char *name); /* of a function or reader */
void claims_tell(void); /* from now on says what is tried next: the last such line before a crash accuses */
void claim_end(void);
/* The first check of a claim that fails is shown. Gives back `good`. */
bool check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
int claims_done(void); /* the exit code */

/* ---- numbers ---- */

double draw(void); /* uniform in [0, 1) */
uint64_t draw_state(void);
void draw_again(uint64_t state); /* from there on */
double get(CgDtype d, const void *p, int64_t i);
void put(CgDtype d, void *p, int64_t i, double v);

/* ---- memory with guards on both sides ---- */

typedef struct Buffer {
    unsigned char *base;
    size_t bytes;
} Buffer;

Buffer buffer_new(size_t bytes);
void *at(Buffer b);
void buffer_free(Buffer b, const char *what); /* checks the guards */

int64_t size_of(const CgDim *d);
CgTensor tensor_of(const CgType *t, void *data); /* contiguous */
size_t bytes_of(const CgTensor *t);
/* A contiguous copy, and its memory. */
CgTensor copy_of(const CgTensor *x, Buffer *data);
/* A copy in one of three layouts that are not contiguous. */
CgTensor relaid(const CgTensor *x, int layout, Buffer *data);

/* ---- cases ---- */

typedef struct Case {
    const CgOp *op;
    CgAttrs *attrs; /* with the values of dims in `ints`; owned by the case that was made */
    const CgSample *sample;
    CgDtype dtype; /* that F stands for */
    bool edge;     /* axes are of length 0 or 1: results may be infinite, of which there are no differences */
    int nin, nout;
    CgType type[CG_MAX_IN], out_type[CG_MAX_OUT];
    CgTensor in[CG_MAX_IN]; /* contiguous */
    Buffer data[CG_MAX_IN];
} Case;

bool case_make(Case *c, const CgOp *op, const CgSample *s, CgDtype dtype);
bool case_fill(Case *c); /* memory and numbers for the operands; false when the shape rule refuses */
void case_free(Case *c);
bool case_is_small(const Case *c); /* its operands are tried one element at a time, larger ones in one direction */
bool infer(const Case *c, CgInfer *inf);

/* ---- running an op by hand ---- */

typedef enum Order { FORWARD, BACKWARD } Order;
typedef struct Result {
    CgTensor out[CG_MAX_OUT];
    Buffer data[CG_MAX_OUT];
    int n;
} Result;

CgDtype dispatch(const Case *c);
bool runs(const CgOp *op, CgDtype d);
bool noted_not_finite(void); /* of the results of the last run, by an op that says it checks them */
Result result_new(const Case *c);
void result_free(Result *r);
void run_op(const CgOp *op, const Case *c, const CgTensor *in, CgTensor *out, Order order);
Result run(const CgOp *op, const Case *c, const CgTensor *in, Order order);
Result run_bf16(const CgOp *op, const Case *c, const CgTensor *in); /* products round their operands */
void run_in(const CgOp *op, const Case *c, const CgTensor *in, CgTensor *out, bool bf16); /* into any tensors */

/* ---- comparing ---- */

bool near(const CgTensor *a, const CgTensor *b, double tolerance, const char *what);
bool same_bits(const CgTensor *a, const CgTensor *b, const char *what);

/* How far results may be apart, in units of the largest number. A matrix kept narrow, operand 0, may have what it is
 * multiplied by rounded, too. */
double tolerance_of(const Case *c);

/* ---- an op in a graph, run by a plan ---- */

typedef struct Net {
    CgGraph *g;
    CgPlan *plan;
    CgExec *x;
} Net;

CgPool *pool_of(int threads); /* 1 .. 3 */
void pools_free(void);
const CgAttrs *interned(const CgAttrs *attrs);
CgRef input(CgBuild *b, int k, CgType type); /* x0, x1 .. */
/* Inputs x0 .. and the op on them; out[] gets its results. */
CgBuild build_op(const Case *c, bool no_fold, CgRef *x, CgRef *out);
void net_run(Net *n, CgPool *pool);
/* The results of a net whose first inputs are c's operands, as contiguous tensors. */
Result net_results(Net *n, const Case *c, CgPool *pool);
void net_free(Net *n);

/* ---- functions and readers of plugins: all their claims ---- */

void lint_function(const CgFunction *f);
void lint_reader(const CgReader *r);

/* ---- the claims; op_lint.c names them ---- */

typedef void ClaimFn(const Case *c);

void claim_form(const CgOp *op);
ClaimFn claim_shape, claim_shards, claim_strided, claim_inplace, claim_finite, claim_any_order, claim_axis_rule,
    claim_below, claim_algebra, claim_precision;
ClaimFn claim_threads, claim_views, claim_expand, claim_merge, claim_fold, claim_nested, claim_rounded;
/* What precision and expansion saw, for the claim that follows from both. */
void products_noticed(bool seen);
void claim_products(const CgOp *op);
ClaimFn claim_slices, claim_incremental;
ClaimFn claim_derivative, claim_second_derivative, claim_jvp;
#endif
