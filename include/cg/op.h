/* op.h - what an op is.
 * Takes nothing but the C library; gives CgOp, the one struct that says all there is to say about an op,
 * and the small vocabulary it is written in (types, attributes, inference, derivative rules).
 * Built-in ops and plugin ops are the same source and include only the headers of this folder. */
#ifndef CG_OP_H
#define CG_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_API __attribute__((visibility("default")))

/* Raised whenever CgOp, anything it points to or a function for plugins changes; a plugin built against another number
 * is refused. */
#define CG_ABI 14

#define CG_MAX_RANK 8
#define CG_MAX_IN   256
#define CG_MAX_OUT  256

/* ---- types ------------------------------------------------------------------------------------------------ */

/* CG_F16, CG_BF16 and CG_I8 are for storage (cg_dtype_is_narrow): ops that move elements take them, those that compute
 * do not, and cast leads to and from them. CG_ROUNDED is no type of the language: it is how a plan keeps f32 that all
 * readers round to bf16 (CgOp.rounds). Only tensors of such plans have it, and a kernel meets it only where its op says
 * that it can. */
typedef enum CgDtype { CG_F32, CG_F64, CG_I32, CG_I64, CG_BOOL, CG_F16, CG_BF16, CG_I8, CG_NDTYPE, CG_ROUNDED } CgDtype;

/* A dim is a number, a symbol or an integer polynomial in symbols. Interned: equal dims are equal pointers. */
typedef struct CgDim CgDim;

typedef struct CgType {
    CgDtype dtype;
    int rank;                      /* 0 .. CG_MAX_RANK; 0 is a scalar */
    const CgDim *dim[CG_MAX_RANK]; /* outermost first (row major); entries past rank are NULL */
} CgType;

CG_API const CgDim *cg_dim_int(int64_t value);
CG_API const CgDim *cg_dim_add(const CgDim *a, const CgDim *b);
CG_API const CgDim *cg_dim_sub(const CgDim *a, const CgDim *b);
CG_API const CgDim *cg_dim_mul(const CgDim *a, const CgDim *b);
CG_API const CgDim *cg_type_count(CgType t);                    /* of elements */
CG_API const CgDim *cg_dim_div(const CgDim *a, const CgDim *b); /* NULL unless it divides exactly */
CG_API bool cg_dim_is_int(const CgDim *d, int64_t *value);
CG_API bool cg_dim_at_most(const CgDim *a, const CgDim *b); /* a <= b whatever the symbols are: proved, not guessed */
CG_API CgType cg_type(CgDtype dtype, int rank, const CgDim *const *dim);
CG_API bool cg_type_equal(const CgType *a, const CgType *b);
CG_API size_t cg_dtype_size(CgDtype dtype);         /* bytes of one element */
CG_API const char *cg_dtype_name(CgDtype dtype);    /* "f32" */
CG_API bool cg_dtype_is_float(CgDtype dtype);       /* f32, f64: what is computed in and differentiated */
CG_API bool cg_dtype_is_narrow(CgDtype dtype);      /* f16, bf16, i8: only moved and cast */
CG_API bool cg_dtype_has_derivative(CgDtype dtype); /* f32, f64; f16 and bf16, by which it is f32 */

/* ---- attributes: the static arguments of a node ------------------------------------------------------------ */

typedef enum CgAttrKind {
    CG_ATTR_INT,
    CG_ATTR_FLOAT,
    CG_ATTR_STR,
    CG_ATTR_INTS,
    CG_ATTR_DIMS,
    CG_ATTR_TYPE,
    CG_ATTR_GRAPH
} CgAttrKind;

typedef struct CgAttr {
    const char *name;
    CgAttrKind kind;
    int64_t i;                      /* INT (booleans too) */
    double f;                       /* FLOAT */
    const char *s;                  /* STR; GRAPH: its text */
    int n;                          /* INTS, DIMS: count, at most CG_MAX_RANK */
    int64_t ints[CG_MAX_RANK];      /* INTS; when a kernel runs, also the bound values of DIMS */
    const CgDim *dims[CG_MAX_RANK]; /* DIMS */
    CgType type;                    /* TYPE */
    const struct CgGraph *graph;    /* GRAPH: never changed; equal graphs are equal pointers */
} CgAttr;

/* Sorted by name and interned: equal lists are equal pointers. NULL is the empty list. */
typedef struct CgAttrs {
    int n;
    const CgAttr *at;
} CgAttrs;

CG_API const CgAttrs *cg_attrs(int n, const CgAttr *at);                   /* copies, sorts, interns */
CG_API const CgAttr *cg_attr_find(const CgAttrs *attrs, const char *name); /* NULL if absent */
CG_API int64_t cg_attr_int(const CgAttrs *attrs, const char *name, int64_t otherwise);
CG_API double cg_attr_float(const CgAttrs *attrs, const char *name, double otherwise);
CG_API const char *cg_attr_str(const CgAttrs *attrs, const char *name, const char *otherwise);

static inline CgAttr cg_a_int(const char *name, int64_t i)
{
    CgAttr a = { 0 };
    a.name = name;
    a.kind = CG_ATTR_INT;
    a.i = i;
    return a;
}
static inline CgAttr cg_a_float(const char *name, double f)
{
    CgAttr a = { 0 };
    a.name = name;
    a.kind = CG_ATTR_FLOAT;
    a.f = f;
    return a;
}
static inline CgAttr cg_a_str(const char *name, const char *s)
{
    CgAttr a = { 0 };
    a.name = name;
    a.kind = CG_ATTR_STR;
    a.s = s;
    return a;
}
static inline CgAttr cg_a_type(const char *name, CgType t)
{
    CgAttr a = { 0 };
    a.name = name;
    a.kind = CG_ATTR_TYPE;
    a.type = t;
    return a;
}
CG_API CgAttr cg_a_ints(const char *name, int n, const int64_t *ints);
CG_API CgAttr cg_a_dims(const char *name, int n, const CgDim *const *dims);

/* ---- shape rules -------------------------------------------------------------------------------------------- */

/* Filled by the caller except out[]; a rule that refuses says why through cg_infer_fail and returns false. */
typedef struct CgInfer {
    const struct CgOp *op;
    int nin;
    const CgType *in;
    const CgAttrs *attrs;
    int nout; /* of the op; a rule sets it where CG_MANY_RESULTS */
    /* the complaint: operand/axis pairs let the compiler point at both origins; -1 = not about one */
    int operand[2], axis[2];
    /* two sizes that should be equal, or of which the first should be at most the second; NULL: it is not about that */
    const CgDim *size[2];
    bool at_most;
    char message[256];
    CgType out[CG_MAX_OUT];
} CgInfer;

/* Records the complaint, which is shown behind the op's name; always returns false. `operand` and `axis` may be -1. */
CG_API bool cg_infer_fail(CgInfer *inf, int operand, int axis, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Two axes that should agree and do not; the message is made from the dims. Always returns false. */
CG_API bool cg_infer_differ(CgInfer *inf, int operand_a, int axis_a, int operand_b, int axis_b, const char *what);
/* Likewise of sizes that need not be an axis, of `operand` or -1. */
CG_API bool cg_infer_unequal(CgInfer *inf, int operand, const CgDim *a, const CgDim *b, const char *what);
/* Whether a <= b may hold, a place and a bound of operand 0 along `axis`; complains where it does for no sizes: "`low`
 * a is after `high` b". */
CG_API bool cg_infer_at_most(CgInfer *inf, int axis, const char *low, const CgDim *a, const char *high, const CgDim *b);
/* Ready rules. `same`: all operands and the result have one type. */
CG_API bool cg_shape_same(CgInfer *inf);
/* A negative axis counts from the end; fails with a message when out of range. Axis attribute `name`. */
CG_API bool cg_infer_axis(CgInfer *inf, const char *name, int operand, int *axis);

/* ---- building graphs (the functions are in build.h) ---------------------------------------------------------- */

typedef uint32_t CgRef; /* a node of a graph; smaller refs come first */
#define CG_NONE ((CgRef)0xffffffffu)

typedef struct CgBuild CgBuild; /* a graph being extended */

/* What a derivative rule or an expansion is told. */
typedef struct CgSite {
    int nin, nout;
    const CgRef *in;
    const CgRef *out;  /* the op's results (vjp only) */
    const CgRef *gout; /* derivative of the loss by each result; CG_NONE where nothing uses it (vjp only) */
    const CgAttrs *attrs;
} CgSite;

typedef bool CgShapeFn(CgInfer *inf);
/* Append nodes computing gin[i] for each operand; leave CG_NONE for "no derivative". Quote the formula. */
typedef void CgVjpFn(CgBuild *b, const CgSite *site, CgRef *gin);
/* Say what the op means in simpler ops: fill out[0..nout-1]. */
typedef void CgExpandFn(CgBuild *b, const CgSite *site, CgRef *out);
/* Local rewrite when a node is built: the replacement, or CG_NONE to keep the node (nout = 1 only). */
typedef CgRef CgFoldFn(CgBuild *b, const CgSite *site);
/* Recognition: `root` is any node; the replacement in terms of this op, or CG_NONE. Run by the `recognise` pass. */
typedef CgRef CgMatchFn(CgBuild *b, CgRef root);

/* ---- running (the structs are in kernel.h) -------------------------------------------------------------------- */

struct CgCall;
struct CgShard;
struct CgWork;
struct CgTensor;
/* Computes one shard of the result. The bits must depend on (index, count) of the shard and the operands only. */
typedef void CgKernel(const struct CgCall *call, struct CgShard shard);
/* Elementwise ops: n consecutive elements. `out` may equal any in[i] exactly. */
typedef void CgVecFn(const void *const *in, void *out, size_t n, const CgAttrs *attrs);
/* Cost and division of the work; see CgWork. */
typedef void CgWorkFn(const struct CgCall *call, struct CgWork *work);
/* Which operands (bit i) the kernel does nothing with but round them to bf16, for these sizes, whatever the strides:
 * those it takes as CG_ROUNDED, too, and gives the same bits. */
typedef uint32_t CgRoundsFn(const struct CgCall *call);
/* Called once when a plan is made; what it returns is CgCall.state of every run; `release` gives it back. */
typedef void *CgPrepareFn(const struct CgCall *call);
typedef void CgReleaseFn(void *state);
/* Where operand i lies in the contiguous result, for ops that only put operands together: set piece->stride and
 * piece->data. What makes an operand may then write it there at once, and the kernel is left to what could not. */
typedef void CgSubviewFn(const struct CgCall *call, int i, struct CgTensor *subview);
/* A view: set out->stride and out->data from the operand, or return false when a copy is needed. */
typedef bool CgViewFn(const struct CgCall *call, struct CgTensor *out);

typedef enum CgTrait {
    CG_ELEMENTWISE = 1 << 0, /* all operands and the result have one shape; element i depends on elements i */
    CG_COMMUTES = 1 << 1,    /* f(x, y) = f(y, x): operands are sorted when a node is built */
    CG_ASSOCIATES = 1 << 2,  /* f(f(x, y), z) = f(x, f(y, z)) in exact arithmetic */
    CG_LINEAR = 1 << 3,      /* linear in every operand taken alone */
    CG_IDEMPOTENT = 1 << 4,  /* f(f(x)) = f(x) */
    CG_RANDOM = 1 << 5,      /* reads the run's seed, step and first row; needs a `stream` attribute */
    CG_NODIFF = 1 << 6,      /* derivative is zero or meaningless (comparisons, argmax, iota) */
    CG_STRIDED = 1 << 7,     /* the kernel accepts operands with any strides; otherwise they are made contiguous */
    CG_GENERATOR = 1 << 9,   /* the result type is the attribute `type`, also of what there are operands of */
    CG_ANY_ORDER =
        1 << 10, /* the kernel writes results that lie in any order of their axes, the last one innermost, and,
                  * where `inplace` says so, over an operand that lies alike; otherwise they are row major */
    CG_PRODUCTS = 1 << 11,     /* multiplies matrices, itself (CgCall.bf16) or by what it expands or lowers to */
    CG_ADDS_UP = 1 << 12,      /* adds up operand 0 along the attribute `axes` */
    CG_OVER_ROWS = 1 << 13,    /* a result kept as CG_ROUNDED (`rounded`) may have its rows apart, cg_row_step: where
                                * `inplace` says so they are then written over the first halves of an operand's, each by
                                * one shard and after that has read it */
    CG_SPREAD = 1 << 23,       /* the kernel accepts an operand 0 that is one number throughout, all its strides 0 */
    CG_TAKES_NARROW = 1 << 24, /* takes operands of f16, bf16 or i8: its shape rule says which */
    CG_REARRANGES = 1 << 8,    /* every element of the result is one of operand 0's */
    /* No kernel: the planner knows where the value lives. Each of these is one op. */
    CG_INPUT = 1 << 14,        /* given to each run, by the attribute `name` */
    CG_PARAM = 1 << 15,        /* of a model, likewise */
    CG_CONST = 1 << 16,        /* the number in the attribute `value` */
    CG_RESULT = 1 << 17,       /* result `k` of operand 0, a node with several */
    CG_MANY_RESULTS = 1 << 18, /* the shape rule says how many results there are (CgInfer.nout); `nout` is the most */
    CG_REPEATS = 1 << 19,      /* the result is operand 0, repeated along new axes */
    CG_RESHAPES = 1 << 20,     /* the result has the elements of operand 0 in the same row-major order */
    CG_LOOP = 1 << 21,         /* no kernel: the graph that is the attribute `body` runs once for each index (scan) */
    CG_HOLE = 1 << 22,         /* an operand of a body that is being written down; in no graph that runs */
    CG_LEAF = CG_INPUT | CG_PARAM | CG_CONST | CG_RESULT | CG_HOLE,
} CgTrait;

/* How result 0 of an op depends on an axis of an operand; from this it is derived which slices need not be computed,
 * and the incremental form of a graph, which takes one position after another. POINTWISE: index i reaches index i +
 * shift of the result and no other. CAUSAL: index i reaches no index of the result before i + shift. WHOLE: each index
 * reaches all. An elementwise op need not say that it is pointwise. */
typedef enum CgAxisRule { CG_AXIS_UNKNOWN, CG_AXIS_POINTWISE, CG_AXIS_CAUSAL, CG_AXIS_WHOLE } CgAxisRule;
typedef struct CgAxisTo {
    int axis;           /* of the result */
    const CgDim *shift; /* NULL: none. An op that sets it must have a `slice_rule` */
} CgAxisTo;
typedef CgAxisRule CgAxisRuleFn(const CgInfer *inf, int operand, int axis, CgAxisTo *to);

/* What makes the slice [from, to) of result 0 along one of its axes: a slice of each operand, and the attributes of the
 * op over those alone. The compiler fills it in from `axis_rule`: a pointwise axis is sliced like the result, a causal
 * one from its begin (and so is the result, unless the op has a `slice_rule`), all else is needed whole. An op whose
 * attributes tell sizes or indices, or that joins operands along the axis, corrects that in its `slice_rule`. The op
 * over the slices is the slice of the result. */
typedef struct CgSlice {
    int axis;               /* of result 0 */
    const CgDim *from, *to; /* what is wanted; may be widened to what is then computed */
    struct CgSliceIn {
        int axis;               /* of the operand; -1: needed whole */
        const CgDim *from, *to; /* equal: nothing of it is needed, and it is no operand any more */
    } in[CG_MAX_IN];
    const CgAttrs *attrs;
} CgSlice;
/* False where the slice cannot be had without the rest. */
typedef bool CgSliceRuleFn(const CgInfer *inf, CgSlice *slice);
/* Some of the operands or of the results of a node, or of a body. */
typedef struct CgSelection {
    uint64_t bits[CG_MAX_IN / 64]; /* there are no more results than operands */
} CgSelection;
static inline bool cg_selected(const CgSelection *s, int i) { return s->bits[i / 64] >> i % 64 & 1; }
static inline void cg_select(CgSelection *s, int i, bool on)
{
    uint64_t bit = (uint64_t)1 << i % 64;
    s->bits[i / 64] = on ? s->bits[i / 64] | bit : s->bits[i / 64] & ~bit;
}
static inline void cg_select_too(CgSelection *s, const CgSelection *more)
{
    for (int i = 0; i < CG_MAX_IN / 64; i++)
        s->bits[i] |= more->bits[i];
}
/* An op of which only some results are used, as one that makes only these. */
typedef struct CgPruned {
    const CgAttrs *attrs;
    CgSelection in;  /* operands that are left, in their order */
    CgSelection out; /* results that are, `used` among them */
} CgPruned;
/* False: it needs all. */
typedef bool CgPruneFn(const CgSite *site, const CgSelection *used, CgPruned *less);
/* A size that the elements of an integer result are below, from those of the operands; NULL = not known. */
typedef const CgDim *CgBelowFn(const CgInfer *inf, const CgDim *const *in);
/* Elements of operand `by` are indices along an axis (negative: from the end) of operand `of`. */
typedef struct CgIndexing {
    int by, of, axis;
} CgIndexing;

/* One example the lint runs: operand types as text ("f32[3,7]"), attributes, and a value range. */
typedef struct CgSample {
    const char *in;    /* operand types separated by spaces, F stands for the dtype under test: "F[3,7] F[7,5]" */
    const char *attrs; /* as in the text form of graphs: "axis=1, keep=0"; NULL = none */
    double low, high;  /* operands are drawn from here; integers too */
    double apart;      /* keep operand values at least this far from 0 and from each other (kinks); 0 = no care */
    int64_t ids;       /* integers are drawn from 0 .. ids - 1 instead; 0 = they are not */
} CgSample;

typedef struct CgOp {
    /* required */
    const char *name; /* as written in .cg and in every dump; snake_case */
    const char *sig;  /* "(x: F[..s], axis: int = -1) -> F[..s]" in the language's own syntax; F float, I integer, T any
                       * dtype;  xs: tensors, any number: f(xs.., ys..) must be f(f(xs..), f(ys..)); the last tensors
                       * may be left out: m: F[..s] = none */
    const char *doc;  /* first sentence is the summary; states shapes, errors, source */
    CgShapeFn *shape;
    const CgSample *samples; /* ends with a row whose `in` is NULL */
    /* exactly one way to differentiate: vjp, expand, or the trait CG_NODIFF */
    CgVjpFn *vjp;
    CgExpandFn *expand;
    /* exactly one way to compute: vec (elementwise), view, kernel, or expand alone */
    CgVecFn *vec[CG_NDTYPE];     /* by dtype of operand 0 (of the result for generators) */
    CgKernel *kernel[CG_NDTYPE]; /* likewise */
    CgViewFn *view;
    /* optional */
    CgKernel *begin;  /* runs before, in CgWork.begin shards, and leaves in CgCall.shared what all shards need */
    CgKernel *finish; /* runs once after all shards, for partial results in CgCall.shared */
    CgWorkFn *work;   /* NULL: elementwise cost, shards by size of the result */
    CgPrepareFn *prepare;
    CgReleaseFn *release;
    CgFoldFn *fold;
    CgMatchFn *match;
    CgPruneFn *prune;
    CgAxisRuleFn *axis_rule;
    CgExpandFn *lower; /* how it runs, when it has no kernel: nodes for the sizes at hand, all of them numbers */
    CgSubviewFn *subview;
    const char
        *merge_into;  /* an op that also gives this one's result, from the same first operands and attributes ... */
    int merge_result; /* ... as this one of its results */
    CgSliceRuleFn *slice_rule; /* corrections to what follows from `axis_rule` */
    CgBelowFn *below;          /* NULL: nothing is known of the elements of its results */
    const CgIndexing *indexing;
    /* Of an op with a causal axis: the op that makes positions [from + at, ..) of the result when `at` is known only
     * when it runs. Operands: those of this op, pointwise ones sliced to these positions, causal ones whole (what lies
     * past the positions seen is not read), and the number `at` behind those that cannot be left out; attributes: those
     * of `slice_rule` for [from, ..). */
    const char *incremental;
    CgRoundsFn *rounds; /* operands that are only rounded */
    uint32_t
        rounded; /* bit k: the kernel can write result k, f32, as CG_ROUNDED, by cg_bf16_round of what it would write */
    uint32_t checks;   /* bit k: the kernel can note that result k is not finite, where CgCall.checked asks for it */
    uint32_t traits;   /* CgTrait */
    uint32_t inplace;  /* bit i: a result may be written over operand i, when types are equal and the operand dies */
    int nout;          /* results; 0 means 1 */
    const char *was;   /* names it had before, separated by spaces: texts of graphs may still say them */
    int version;       /* raised when results change: it is in the key of all that is made with the op */
    const char *since; /* first release that had it */
    const char *file;  /* CG_OP_HERE */
    int line;
} CgOp;

/* Whether bits of operands or results have number k; those past 31 are never said. */
static inline bool cg_bits_have(uint32_t bits, int k) { return k < 32 && bits >> k & 1; }

#define CG_OP_HERE .file = __FILE__, .line = __LINE__, .since = "0.1"
#define CG_FLOAT_KERNELS(f)                    \
    {                                          \
        [CG_F32] = f##_f32, [CG_F64] = f##_f64 \
    }
/* One function for every dtype that a script has: of an op that moves elements. */
#define CG_ANY_KERNELS(f)      \
    {                          \
        f, f, f, f, f, f, f, f \
    }
#define CG_NUMBER_KERNELS(f)                                                           \
    {                                                                                  \
        [CG_F32] = f##_f32, [CG_F64] = f##_f64, [CG_I32] = f##_i32, [CG_I64] = f##_i64 \
    }

typedef struct CgOpSet {
    int abi;        /* CG_ABI */
    size_t op_size; /* sizeof(CgOp) */
    const char *name;
    const CgOp *const *ops; /* ends with NULL */
} CgOpSet;

/* The last line of an op file. In the library one symbol per set and instruction set; in a plugin one fixed name. */
#define CG_OPS_CAT_(a, b, c) a##b##_##c
#define CG_OPS_CAT(a, b, c)  CG_OPS_CAT_(a, b, c)
#ifdef CG_PLUGIN
    #define CG_OPS(set, ...)                                            \
        static const CgOp *const cg_ops_list[] = { __VA_ARGS__, NULL }; \
        CG_API const CgOpSet cg_plugin = { CG_ABI, sizeof(CgOp), #set, cg_ops_list };
#else
    #ifndef CG_ISA
        #define CG_ISA base
    #endif
    #define CG_OPS(set, ...)                                            \
        static const CgOp *const cg_ops_list[] = { __VA_ARGS__, NULL }; \
        extern const CgOpSet CG_OPS_CAT(cg_ops_, set, CG_ISA);          \
        const CgOpSet CG_OPS_CAT(cg_ops_, set, CG_ISA) = { CG_ABI, sizeof(CgOp), #set, cg_ops_list };
#endif

#ifdef __cplusplus
}
#endif
#endif
