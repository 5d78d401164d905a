/* vector_reduce.h - sums and maxima of a row in sixteen lanes.
 * Takes rows of f32 or f64; gives their sums, added in an order that depends on the length alone: sixteen running sums
 * (or four times as many, of a long row), then halves of them. A compiler's own reduction passes through memory, or
 * ends with a chain of sixteen additions, longer than a short row. */
#ifndef CG_OPS_LANES_H
#define CG_OPS_LANES_H

#include <cg/elementwise.h>

/* Lane i of the result is lane (i + by) % 16. */
#ifdef __clang__
    #define LANES_ROTATED(mask, x, by) __builtin_shufflevector(x, x, LANES_LIST(by))
#else
    #define LANES_ROTATED(mask, x, by) __builtin_shuffle(x, (mask){ LANES_LIST(by) })
#endif
#define LANES_LIST(by)                                                                                               \
    (0 + by) % 16, (1 + by) % 16, (2 + by) % 16, (3 + by) % 16, (4 + by) % 16, (5 + by) % 16, (6 + by) % 16,         \
        (7 + by) % 16, (8 + by) % 16, (9 + by) % 16, (10 + by) % 16, (11 + by) % 16, (12 + by) % 16, (13 + by) % 16, \
        (14 + by) % 16, (15 + by) % 16

#define T          float
#define NAME(word) word##_f32
#define INTEGER    int32_t
#include "ops/vector_reduce_rows.h"
#define T          double
#define NAME(word) word##_f64
#define INTEGER    int64_t
#include "ops/vector_reduce_rows.h"

#endif
