/* copy_block.h - the corner of a matrix with any strides, copied.
 * Takes elements of 2, 4 or 8 bytes; gives them row by row. */
#ifndef CG_OPS_COPY_BLOCK_H
#define CG_OPS_COPY_BLOCK_H

#include <stdint.h>

#define BLOCK_COPY(T)                      \
    for (int64_t i = 0; i < rows; i++)     \
        for (int64_t j = 0; j < cols; j++) \
            ((T *)to)[i * cols + j] = ((const T *)from)[i * rs + j * cs];

static inline const void *copy_block(
    const void *from, int64_t rs, int64_t cs, int64_t rows, int64_t cols, int64_t size, void *to)
{
    if (size == 2)
        BLOCK_COPY(uint16_t)
    else if (size == 4)
        BLOCK_COPY(uint32_t)
    else
        BLOCK_COPY(uint64_t)
    return to;
}

#undef BLOCK_COPY

#endif
