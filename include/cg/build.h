/* build.h - appending nodes to a graph.
 * Takes a graph under construction and refs into it; gives refs of new (or equal existing) nodes.
 * Sees no numbers of the run, and never changes a node that exists. */
#ifndef CG_BUILD_H
#define CG_BUILD_H

#include <cg/op.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The general constructor: infers the type, folds, hash-conses. The types must fit: a derivative rule or an
 * expansion that builds an ill-typed node is a bug of the op and stops the program with the op's file and line. */
CG_API CgRef cg_build(CgBuild *b, const char *op, int nin, const CgRef *in, const CgAttrs *attrs);
CG_API CgRef cg_build_result(CgBuild *b, CgRef node, int k); /* result k of a node with several */

CG_API CgType cg_ref_type(const CgBuild *b, CgRef r);
CG_API const CgOp *cg_ref_op(const CgBuild *b, CgRef r);
CG_API int cg_ref_nin(const CgBuild *b, CgRef r);
CG_API CgRef cg_ref_in(const CgBuild *b, CgRef r, int i);
CG_API const CgAttrs *cg_ref_attrs(const CgBuild *b, CgRef r);
CG_API bool cg_ref_is(const CgBuild *b, CgRef r, const char *op);
/* True when r is a constant (possibly broadcast) with one value. */
CG_API bool cg_ref_const(const CgBuild *b, CgRef r, double *value);

/* True when more than one node, or an output, uses r: what is drawn into another op is then computed twice. Known where
 * patterns are recognised; elsewhere no node is said to be shared. */
CG_API bool cg_ref_shared(const CgBuild *b, CgRef r);

/* A constant of any shape with one value. */
CG_API CgRef cg_fill(CgBuild *b, CgType type, double value);
CG_API CgRef cg_fill_like(CgBuild *b, CgRef like, double value);

/* C leaves it to the compiler in which order the arguments of a call are evaluated, and rules nest these calls:
 * operands are listed in braces, which gcc and clang evaluate in turn, so that nodes are numbered alike whatever
 * compiled the rule. */
#define cg_u(b, op, x)       cg_build(b, op, 1, (const CgRef[1]){ x }, NULL)
#define cg_b(b, op, x, y)    cg_build(b, op, 2, (const CgRef[2]){ x, y }, NULL)
#define cg_t(b, op, x, y, z) cg_build(b, op, 3, (const CgRef[3]){ x, y, z }, NULL)

/* Elementwise; operands of one type. */
#define cg_add(b, x, y)         cg_b(b, "add", x, y)
#define cg_sub(b, x, y)         cg_b(b, "sub", x, y)
#define cg_mul(b, x, y)         cg_b(b, "mul", x, y)
#define cg_div(b, x, y)         cg_b(b, "div", x, y)
#define cg_neg(b, x)            cg_u(b, "neg", x)
#define cg_exp(b, x)            cg_u(b, "exp", x)
#define cg_log(b, x)            cg_u(b, "log", x)
#define cg_sqrt(b, x)           cg_u(b, "sqrt", x)
#define cg_where(b, cond, x, y) cg_t(b, "where", cond, x, y)
static inline CgRef cg_scale(CgBuild *b, CgRef x, double k) { return cg_mul(b, x, cg_fill_like(b, x, k)); }

/* Shapes. */
CG_API CgRef cg_reshape(CgBuild *b, CgRef x, int rank, const CgDim *const *dim);
CG_API CgRef cg_transpose(CgBuild *b, CgRef x, const int64_t *perm); /* result axis i is operand axis perm[i] */
/* Result axis i is operand axis axes[i], or new (repeated) where axes[i] = -1; operand axes keep their order. */
CG_API CgRef cg_broadcast(CgBuild *b, CgRef x, int rank, const CgDim *const *dim, const int64_t *axes);
CG_API CgRef cg_broadcast_scalar(CgBuild *b, CgRef x, CgType like);
CG_API CgRef cg_slice(CgBuild *b, CgRef x, int axis, const CgDim *from, const CgDim *to);
/* Ranges whose begin is known when they run: elements [from + at, from + at + n) of x; `into` with x put in at from +
 * at. */
CG_API CgRef cg_dynamic_slice(CgBuild *b, CgRef x, CgRef at, int axis, const CgDim *from, const CgDim *n);
CG_API CgRef cg_dynamic_update(CgBuild *b, CgRef into, CgRef x, CgRef at, int axis, const CgDim *from);
CG_API CgRef cg_pad(CgBuild *b, CgRef x, int axis, const CgDim *before, const CgDim *after); /* with zeros */
CG_API CgRef cg_cast(CgBuild *b, CgRef x, CgDtype to);

/* A graph that is an attribute as nodes: its inputs are in[nin], its results go to out[]. Only for those that
 * cg_infer_graph accepted. */
CG_API void cg_build_graph(CgBuild *b, const CgAttr *graph, int nin, const CgRef *in, CgRef *out);
/* For shape rules: whether an attribute is a graph, without parameters, from inputs of these types to results of those.
 */
CG_API bool cg_infer_graph(CgInfer *inf, const CgAttr *graph, int nin, const CgType *in, int nout, const CgType *out);

/* A graph that becomes an attribute: a builder of a new one, whose products are in the precision of b's; inputs and
 * outputs in the order they are asked for; the attribute, which ends the builder. */
CG_API CgBuild *cg_body_build(const CgBuild *b);
CG_API CgRef cg_body_input(CgBuild *body, const char *name, CgType type);
CG_API void cg_body_output(CgBuild *body, const char *name, CgRef r);
CG_API CgAttr cg_body_end(CgBuild *body, const char *name);
/* Its inputs and results, in order. */
CG_API int cg_body_inputs(const CgAttr *graph);
CG_API int cg_body_outputs(const CgAttr *graph);
CG_API CgType cg_body_input_type(const CgAttr *graph, int i);
CG_API CgType cg_body_output_type(const CgAttr *graph, int i);
/* The inputs that result `out` of it needs; whether it is input i. */
CG_API CgSelection cg_body_needs(const CgAttr *graph, int out);
CG_API bool cg_body_is_input(const CgAttr *graph, int out, int i);
/* Those inputs and results alone: the inputs must be all that the results need. */
CG_API CgAttr cg_body_part(const CgAttr *graph, const char *name, const CgSelection *in, const CgSelection *out);
/* grads[i]: derivative of the sum over k of <gout[k], out[k]> by wrt[i], CG_NONE where it is 0; appended to b's graph.
 * gout[k] = CG_NONE: of nothing. */
CG_API void cg_build_grads(
    CgBuild *b, int nout, const CgRef *out, const CgRef *gout, int nwrt, const CgRef *wrt, CgRef *grads);
/* Of a derivative rule: there is none, because of this; said at the place of the op. */
CG_API void cg_build_refuse(CgBuild *b, const char *why);
CG_API const char *cg_build_refused(const CgBuild *b); /* NULL: nothing was */

/* Reductions. */
CG_API CgRef cg_sum(CgBuild *b, CgRef x, int n, const int64_t *axes); /* drops the axes */
CG_API CgRef cg_sum_keep(CgBuild *b, CgRef x, int axis);              /* sum, broadcast back to x's shape */
CG_API CgRef cg_sum_all(CgBuild *b, CgRef x);                         /* scalar */
CG_API const CgOp *cg_op_named(const char *name);                     /* NULL if there is none */

/* (..b, M, K) x (..b, K, N) -> (..b, M, N), or with y (K, N) shared by all of x's leading axes;
 * ta: x is (..b, K, M); tb: y is (..b, N, K). */
#define cg_matmul(b, x, y, ta, tb) cg_matmul_of(b, (const CgRef[2]){ x, y }, ta, tb)
CG_API CgRef cg_matmul_of(CgBuild *b, const CgRef in[2], bool ta, bool tb);

#ifdef __cplusplus
}
#endif
#endif
