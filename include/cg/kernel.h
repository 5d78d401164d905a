/* kernel.h - what a kernel sees when it runs.
 * Takes tensors (pointer, dims, strides), attributes with all dims bound, a shard of the work; gives the result's
 * elements. A kernel starts no thread, allocates nothing and reads nothing else. */
#ifndef CG_KERNEL_H
#define CG_KERNEL_H

#include <cg/op.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CgTensor {
    void *data;
    CgDtype dtype;
    int rank;
    int64_t dim[CG_MAX_RANK];
    int64_t stride[CG_MAX_RANK]; /* in elements; 0 repeats */
} CgTensor;

/* An index that is outside of its table, the first one of a run. */
typedef struct CgFault {
    const struct CgCall *call; /* NULL: there is none */
    int operand;
    int64_t element, index, below; /* element of the operand, in the order of its axes */
    int lock;
} CgFault;

typedef struct CgCall {
    const CgOp *op;
    int nin, nout;
    const CgTensor *in;
    const CgTensor *out;
    const CgAttrs *attrs; /* DIMS attributes have their values in `ints` */
    void *state;          /* from CgOp.prepare */
    void *shared;         /* CgWork.shared bytes, common to all shards, for `finish`; contents undefined at start */
    uint64_t seed;        /* CG_RANDOM ops: the run's seed ... */
    uint64_t step;        /* ... the step ... */
    uint64_t row;         /* ... and which row of its batch the first one is, so that a draw is a function of (seed,
                             stream, step, row, index) */
    CgFault *fault;       /* where cg_index_fault notes what it is told; NULL: nowhere */
    int bf16;             /* products: round operands to bf16, sum in f32 */
    uint32_t checked;     /* bit k: result k is looked at, one of CgOp.checks ... */
    int *not_finite;      /* ... and cg_note_not_finite sets this; NULL where nothing is checked */
} CgCall;

/* One of the pieces that the work of an op is divided into; any thread runs any of them. */
typedef struct CgShard {
    size_t index, count; /* this one, and how many there are: depends on sizes only */
    void *scratch;       /* CgWork.scratch bytes, private to the running thread, 64-byte aligned */
    bool reused; /* scratch holds what an earlier shard of this very run left there; where it does not say so, what
                    it holds is undefined. For work that each thread does once; the bits must not depend on it */
} CgShard;

typedef struct CgWork {
    double flops;   /* useful ones: a causal half counts as a half */
    double bytes;   /* read and written */
    size_t shards;  /* must follow from the sizes alone */
    size_t begin;   /* shards of CgOp.begin; 0: it is not run */
    size_t scratch; /* bytes a thread */
    size_t shared;  /* bytes for all shards together */
} CgWork;

/* a / b rounded up, of a >= 0 and b > 0. */
static inline int64_t cg_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* The largest of the equal shares that n > 0 is divided into, as few as make none larger than `most`. */
static inline int64_t cg_equal_share(int64_t n, int64_t most) { return cg_ceil_div(n, cg_ceil_div(n, most)); }

static inline int64_t cg_tensor_count(const CgTensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}
/* Notes that an element of an operand is no index below `below`: the run ends with an error that names its line, the
 * element and what was found. Of several the first one counts, at any number of threads. */
CG_API void cg_index_fault(const CgCall *call, int operand, int64_t element, int64_t index, int64_t below);
/* Element i of a contiguous i32 or i64 operand, an index below `below`; -1 for another number, which is noted. */
static inline int64_t cg_index_at(const CgCall *call, int operand, int64_t i, int64_t below)
{
    const CgTensor *t = &call->in[operand];
    int64_t at = t->dtype == CG_I64 ? ((const int64_t *)t->data)[i] : ((const int32_t *)t->data)[i];
    if (at >= 0 && at < below)
        return at;
    cg_index_fault(call, operand, i, at, below);
    return -1;
}
/* A result that CgCall.checked asks for holds a number that is not finite. */
static inline void cg_note_not_finite(const CgCall *call) { __atomic_store_n(call->not_finite, 1, __ATOMIC_RELAXED); }
/* The magnitude of a number as an integer: not below CG_ENDLESS exactly where the number is not finite. */
static inline uint32_t cg_magnitude_f32(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x };
    return v.u & 0x7fffffffu;
}
static inline uint64_t cg_magnitude_f64(double x)
{
    union {
        double f;
        uint64_t u;
    } v = { x };
    return v.u & 0x7fffffffffffffffu;
}
#define CG_ENDLESS_F32 0x7f800000u
#define CG_ENDLESS_F64 0x7ff0000000000000u
CG_API bool cg_tensor_contiguous(const CgTensor *t);
/* One number throughout. */
static inline bool cg_tensor_spread(const CgTensor *t)
{
    bool spread = t->rank > 0;
    for (int i = 0; i < t->rank; i++)
        spread = spread && t->stride[i] == 0;
    return spread;
}
/* Elements from one row (along the last axis) to the next, of a tensor whose rows lie evenly. */
static inline int64_t cg_row_step(const CgTensor *t)
{
    return t->rank > 1 ? t->stride[t->rank - 2] : t->rank ? t->dim[0] : 1;
}

/* Elements of a shard of a sweep, about: handing it to a thread takes no time beside it. Even, so that pairs stay
 * together. */
#define CG_SHARD 32768

/* [first, last) of `count` items for this shard: cut evenly, in units of `unit` items. */
static inline void cg_shard_range(CgShard shard, size_t count, size_t unit, size_t *first, size_t *last)
{
    size_t units = (count + unit - 1) / unit;
    *first = units * shard.index / shard.count * unit;
    *last = units * (shard.index + 1) / shard.count * unit;
    if (*first > count)
        *first = count;
    if (*last > count)
        *last = count;
}

/* f32 as it enters products in bf16: to the nearest bf16, ties to even; what is too small for a normal number becomes
 * 0, as the instructions of AVX512-BF16 do it. The bits of an f32, of which the upper half counts. */
static inline uint32_t cg_bf16_bits(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x };
    uint32_t magnitude = v.u & 0x7fffffffu, r = v.u + 0x7fffu + (v.u >> 16 & 1);
    r = magnitude > 0x7f800000u ? v.u | 0x00400000u : r; /* NaN stays NaN: quiet it before the low half goes */
    r = magnitude < 0x00800000u ? v.u & 0x80000000u : r;
    return r & 0xffff0000u;
}

static inline float cg_bf16_value(uint16_t x)
{
    union {
        uint32_t u;
        float f;
    } v = { (uint32_t)x << 16 };
    return v.f;
}

/* f32 as an element of CG_BF16: to the nearest, ties to even. */
static inline uint16_t cg_bf16_nearest(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x };
    uint32_t r = v.u + 0x7fffu + (v.u >> 16 & 1);
    return (uint16_t)(((v.u & 0x7fffffffu) > 0x7f800000u ? v.u | 0x00400000u : r) >> 16);
}

/* f32 as an element of CG_F16, likewise; what is too large is infinite. */
static inline uint16_t cg_f16_nearest(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x }, small;
    uint32_t sign = v.u >> 16 & 0x8000u, m = v.u & 0x7fffffffu;
    small.u = m;
    small.f += 0.5f; /* the last bit of the sum is 2^-24, as that of the smallest halves */
    uint32_t normal = (m + 0xfffu + (m >> 13 & 1) - 0x38000000u) >> 13;
    uint32_t r = m > 0x7f800000u ? 0x7e00u
        : m >= 0x47800000u       ? 0x7c00u
        : m < 0x38800000u        ? small.u - 0x3f000000u
                                 : normal;
    return (uint16_t)(sign | r);
}

static inline float cg_f16_value(uint16_t h)
{
    union {
        uint32_t u;
        float f;
    } normal = { (uint32_t)(h & 0x7fff) << 13 }, small = { 0x3f000000u | (h & 0x3ffu) };
    small.f -= 0.5f;
    normal.u += (h & 0x7c00) == 0x7c00 ? 0x70000000u : 0x38000000u;
    normal.u = h & 0x7c00 ? normal.u : small.u;
    normal.u |= (uint32_t)(h & 0x8000) << 16;
    return normal.f;
}

static inline float cg_half_value(CgDtype dtype, uint16_t h)
{
    return dtype == CG_F16 ? cg_f16_value(h) : cg_bf16_value(h);
}

/* f64 as an f32 that rounds further as the f64 itself would: inexact ones end in an odd bit. */
static inline float cg_f32_odd(double x)
{
    union {
        float f;
        uint32_t u;
    } v = { (float)x };
    double back = (double)v.f;
    uint32_t beyond = (back < 0 ? -back : back) > (x < 0 ? -x : x);
    v.u = back == x || x != x ? v.u : (v.u - beyond) | 1;
    return v.f;
}

/* Writes a number as an element of a dtype: of integers its lower bits, of bool whether it is not 0. */
static inline void cg_element_put(CgDtype dtype, void *to, double value)
{
    int64_t whole = value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
    switch (dtype) {
    case CG_F32: *(float *)to = (float)value; break;
    case CG_F64: *(double *)to = value; break;
    case CG_I32: *(int32_t *)to = (int32_t)whole; break;
    case CG_I64: *(int64_t *)to = whole; break;
    case CG_BOOL: *(uint8_t *)to = value != 0; break;
    case CG_F16: *(uint16_t *)to = cg_f16_nearest(cg_f32_odd(value)); break;
    case CG_BF16: *(uint16_t *)to = cg_bf16_nearest(cg_f32_odd(value)); break;
    case CG_I8: *(int8_t *)to = (int8_t)whole; break;
    case CG_NDTYPE:
    case CG_ROUNDED: break;
    }
}

/* n numbers rounded to tensors of CG_ROUNDED. */
CG_API void cg_bf16_round(const float *from, uint16_t *to, size_t n);

/* C (M,N) = beta C + alpha op(A) op(B), row major, one thread. The library's matrix product, open to plugins.
 * bf16: operands rounded to bf16, products summed in f32 (f32 only; ignored for f64). */
CG_API void cg_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc, int bf16);
CG_API void cg_gemm_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda,
    const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

/* Rows of memory, `bytes` each and `step` bytes apart, that are fetched while something is multiplied. */
typedef struct CgPrefetch {
    const void *at;
    int64_t rows, bytes, step;
} CgPrefetch;

/* A product C (m,n) = beta C + alpha op(A) op(B) whose factors are packed once and used by many shards. Fill in the
 * first lines, call cg_gemm_layout, set `left` and `right` to memory of left_bytes and right_bytes, 64-byte aligned,
 * and pack; panels can be packed and multiplied in any order, by any threads. Packed factors take any C: alpha, beta
 * and C are given when multiplying. Tall and wide factors may be packed in blocks of k, each a CgGemm of its own. */
typedef struct CgGemm {
    CgDtype dtype; /* CG_F32 or CG_F64 */
    int bf16;      /* operands rounded to bf16, products summed in f32 (f32 only) */
    bool a16, b16; /* with bf16: A (B) lies as CG_ROUNDED */
    bool ta, tb;
    int64_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb;
    void *left, *right; /* left may be NULL when left_bytes is 0: A is then read where it lies */
    CgPrefetch next[2]; /* what will be read next; zeros: nothing is known */
    /* set by cg_gemm_layout */
    int64_t mr, nr;                    /* most rows of a panel of A, columns of a panel of B */
    int64_t left_panels, right_panels; /* rows m q / left_panels .. of panel q, columns nr q .. */
    size_t left_bytes, right_bytes;
    const void *kind;
} CgGemm;

/* Panels and numbers of the summed axis, last ones excluded. Bounds of k must be even or k itself. */
typedef struct CgGemmRange {
    int64_t left0, left1, right0, right1, k0, k1;
} CgGemmRange;

CG_API void cg_gemm_layout(CgGemm *g);
/* `a`: where A has the first row of panel `first` at number k0. */
CG_API void cg_gemm_pack_left(const CgGemm *g, const void *a, int64_t first, int64_t last, int64_t k0, int64_t k1);
CG_API void cg_gemm_pack_right(const CgGemm *g, int64_t first, int64_t last, int64_t k0, int64_t k1);
/* Where panels [first, last) of A, or of B, lie before they are packed. */
CG_API CgPrefetch cg_gemm_prefetch_left(const CgGemm *g, int64_t first, int64_t last);
CG_API CgPrefetch cg_gemm_prefetch_right(const CgGemm *g, int64_t first, int64_t last);
/* Panels of A, of k numbers a row, that stay in a cache while those of B pass by: at most. */
CG_API int64_t cg_gemm_cached_panels(const CgGemm *g, int64_t k);
CG_API void cg_gemm_run(const CgGemm *g, CgGemmRange range, double alpha, double beta, void *c, int64_t ldc);

/* Online softmax, as in flash attention: tiles of a product A B become numerators of a softmax down its columns before
 * they are stored: w = 2^(exponent alpha A B - base), and 0 where the causal mask hides them. A tile has the rows row
 * .. of A, which is not transposed, at most mr, and a packed panel of B; all that goes by column has nr numbers.
 * Where there is a mask or a cap the exponent is 1: w = 2^(cap tanh(alpha A B / cap) + mask - base). */
typedef struct CgSoftmaxTile {
    double alpha, exponent;
    double cap;       /* 0: none */
    const void *mask; /* rows of nr numbers, one behind the other; NULL: none */
    int64_t diagonal; /* of the mask: row r is visible from column diagonal + r on */
    /* By column. `sum` grows by the weights. Where one would be more than 2^8, base is raised first, by a whole number:
     * all that was summed before is multiplied by `rescale`, a power of 2; sum and the rows of `right` before k here,
     * all else by the caller. A column depends on no other. */
    void *base, *sum, *rescale;
    void *c; /* room for rows of nr numbers, ldc apart */
    int64_t ldc;
    const CgGemm *right; /* row r goes to row k + r of panel 0 of this right factor, rounded like any; k is even */
    int64_t k;
} CgSoftmaxTile;

CG_API bool cg_gemm_softmax_tile(const CgGemm *scores, int64_t row, int64_t rows, int64_t panel,
    const CgSoftmaxTile *w); /* whether a base was raised */

/* The same with final bases, and the derivative by alpha A B: ds = w (D H - delta), D H a second product of equal size;
 * where there is a cap, times 1 - tanh(..)^2. */
typedef struct CgSoftmaxGradTile {
    double alpha, exponent;
    double cap;
    const void *mask;
    int64_t diagonal;
    const void *base, *delta;
    void *w, *ds; /* room for rows of nr numbers, ldc apart: as rows they are left there unless packed */
    int64_t ldc;
    const CgGemm *left_w, *left_ds,
        *right; /* rows of left factors, from number left_k on; rows right_k .. of a panel */
    int64_t left_k, right_k, right_panel;
} CgSoftmaxGradTile;

CG_API void cg_gemm_softmax_grad_tile(
    const CgGemm *scores, const CgGemm *changes, int64_t row, int64_t rows, int64_t panel, const CgSoftmaxGradTile *s);

/* The whole product on the calling thread; m, n and k are not 0, `left` and `right` are not looked at. */
CG_API void cg_gemm_serial(CgGemm *g, double alpha, double beta, void *c, int64_t ldc);
/* Bytes of a number of A and of B as they lie. */
static inline int64_t cg_gemm_left_size(const CgGemm *g) { return g->a16 ? 2 : g->dtype == CG_F64 ? 8 : 4; }
static inline int64_t cg_gemm_right_size(const CgGemm *g) { return g->b16 ? 2 : g->dtype == CG_F64 ? 8 : 4; }
static inline int64_t cg_gemm_row(const CgGemm *g, int64_t panel) { return g->m * panel / g->left_panels; }

/* Counter-based random bits (Philox 4x32-10): a function of its arguments and nothing else. */
CG_API void cg_random_bits(uint64_t seed, uint64_t stream, uint64_t step, uint64_t first, size_t n, uint32_t *out);

#ifdef __cplusplus
}
#endif
#endif
