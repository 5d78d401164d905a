/* elementwise.h - elementwise work and copies over tensors with any strides, and short forms for writing vec functions.
 * Takes a CgCall whose operands may be strided or repeated (stride 0); gives the contiguous result, a shard at a time.
 * The loops over shapes live here once, so that an op says only what happens to n consecutive elements. */
#ifndef CG_ELEMENTWISE_H
#define CG_ELEMENTWISE_H

#include <cg/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kernel and cost of every op that gives `vec`: operands whose rows are contiguous are used in place, repeated ones
 * are spread over a tile once, others are gathered tile by tile. */
CG_API void cg_kernel_elementwise(const CgCall *call, CgShard shard);
CG_API void cg_work_elementwise(const CgCall *call, CgWork *work);
/* The same with a function the caller chose, for ops whose `vec` depends on more than the dtype of operand 0. */
CG_API void cg_elementwise_run(const CgCall *call, CgShard shard, CgVecFn *vec);

/* dst = src, element by element, for its share; both of one shape and dtype, with any strides. */
CG_API void cg_tensor_copy(const CgTensor *dst, const CgTensor *src, CgShard shard);
/* out[0] = in[0], and its cost. */
CG_API void cg_kernel_copy(const CgCall *call, CgShard shard);
CG_API void cg_work_copy(const CgCall *call, CgWork *work);

/* ---- vec functions in one line ----
 * `simd` says that no element depends on another one, which holds in place too: out may be an operand exactly. */
#define CG_PRAGMA_(x) _Pragma(#x)
#define CG_SIMD       CG_PRAGMA_(omp simd)

/* A vector of the compiler's from the numbers of two, by their places in both one after the other; mask: integers of
 * their size. */
#ifdef __clang__
    #define CG_MIXED(mask, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
    #define CG_MIXED(mask, x, y, ...) __builtin_shuffle(x, y, (mask){ __VA_ARGS__ })
#endif

/* y = expr of one operand x of type T; the result has type U. */
#define CG_VEC1(name, T, U, expr)                                                      \
    static void name(const void *const *in, void *out, size_t n, const CgAttrs *attrs) \
    {                                                                                  \
        const T *xs = (const T *)in[0];                                                \
        U *ys = (U *)out;                                                              \
        (void)attrs;                                                                   \
        CG_SIMD                                                                        \
        for (size_t i = 0; i < n; i++) {                                               \
            T x = xs[i];                                                               \
            ys[i] = (U)(expr);                                                         \
        }                                                                              \
    }

/* expr of x and y, both of type T. */
#define CG_VEC2(name, T, U, expr)                                                      \
    static void name(const void *const *in, void *out, size_t n, const CgAttrs *attrs) \
    {                                                                                  \
        const T *xs = (const T *)in[0], *ys = (const T *)in[1];                        \
        U *zs = (U *)out;                                                              \
        (void)attrs;                                                                   \
        CG_SIMD                                                                        \
        for (size_t i = 0; i < n; i++) {                                               \
            T x = xs[i], y = ys[i];                                                    \
            zs[i] = (U)(expr);                                                         \
        }                                                                              \
    }

#ifdef __cplusplus
}
#endif
#endif
