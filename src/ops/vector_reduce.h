/* vector_reduce.h - sums and maxima of a row in sixteen lanes.
 * Takes rows of f32 or f64; gives their sums, added in an order that depends on the length alone: sixteen running sums
 * (or four times as many, of a long row), then halves of them. A compiler's own reduction passes through memory, or
 * ends with a chain of sixteen additions, longer than a short row. */
#ifndef CG_OPS_LANES_H
#define CG_OPS_LANES_H

#include <cg/elementwise.h>

/* Lanes are as many registers as sixteen numbers take: a vector larger than a register is kept in memory. */
#if defined(__AVX512F__)
    #define LANES_BYTES 64
#elif defined(__AVX__)
    #define LANES_BYTES 32
#else
    #define LANES_BYTES 16
#endif
#ifdef __clang__
    #define LANES_UNROLLED _Pragma("unroll")
#else
    #define LANES_UNROLLED _Pragma("GCC unroll 16")
#endif

#define T          float
#define NAME(word) word##_f32
#define INTEGER    int32_t
#include "ops/vector_reduce_rows.h"
#define T          double
#define NAME(word) word##_f64
#define INTEGER    int64_t
#include "ops/vector_reduce_rows.h"

#endif
