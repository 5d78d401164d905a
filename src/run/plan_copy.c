/* plan_copy.c - the copy the planner puts in where a view or a kernel needs its operand contiguous.
 * Takes a tensor with any strides; gives its elements row major. Not an op of the language: no script can name it. */
#include <string.h>
#include "run/plan_inside.h"

#define TILE 16                 /* a square of this many elements a side stays in L1 while it is turned */
#define PART_BYTES (128 * 1024)

/* The copy as nested loops, with axes merged where the operand allows. */
typedef struct Loops {
    int     rank;               /* at least 1 */
    int64_t dim[CG_MAX_RANK], stride[CG_MAX_RANK];
} Loops;

static Loops merge(const CgTensor *t)
{
    Loops l = { .rank = 0 };
    for (int i = 0; i < t->rank; i++) {
        if (t->dim[i] == 1)
            continue;
        int last = l.rank - 1;
        if (last >= 0 && l.stride[last] == t->stride[i] * t->dim[i]) {
            l.dim[last] *= t->dim[i];
            l.stride[last] = t->stride[i];
        } else {
            l.dim[l.rank] = t->dim[i];
            l.stride[l.rank++] = t->stride[i];
        }
    }
    if (l.rank == 0) {
        l.dim[0] = l.stride[0] = 1;
        l.rank = 1;
    }
    return l;
}

/* Rows are the innermost merged axis; with one axis only, single elements are shared out instead. */
#define COPY(T, name)                                                                                            \
static void name(const CgCall *call, CgPart part)                                                                \
{                                                                                                                \
    const T *x = call->in[0].data;                                                                               \
    T *y = call->out[0].data;                                                                                    \
    Loops l = merge(&call->in[0]);                                                                               \
    if (cg_tensor_count(&call->out[0]) == 0)                                                                     \
        return;                                                                                                  \
    int64_t width = l.dim[l.rank - 1], step = l.stride[l.rank - 1], rows = 1;                                    \
    for (int i = 0; i < l.rank - 1; i++)                                                                         \
        rows *= l.dim[i];                                                                                        \
    size_t first, last;                                                                                          \
    if (l.rank == 1) {                                                                                           \
        cg_part_range(part, (size_t)width, TILE, &first, &last);                                                 \
        for (size_t i = first; i < last; i++)                                                                    \
            y[i] = x[(int64_t)i * step];                                                                         \
        return;                                                                                                  \
    }                                                                                                            \
    cg_part_range(part, (size_t)rows, TILE, &first, &last);                                                      \
    int64_t high = l.dim[l.rank - 2], across = l.stride[l.rank - 2];                                             \
    for (int64_t row = (int64_t)first; row < (int64_t)last;) {                                                   \
        int64_t at = 0, rest = row / high, in = row % high;                                                      \
        for (int i = l.rank - 3; i >= 0; i--) {                                                                  \
            at += rest % l.dim[i] * l.stride[i];                                                                 \
            rest /= l.dim[i];                                                                                    \
        }                                                                                                        \
        int64_t run = high - in < (int64_t)last - row ? high - in : (int64_t)last - row;                         \
        const T *from = x + at + in * across;   /* (run, width), strides (across, step) */                       \
        T *to = y + row * width;                                                                                 \
        if (step == 1) {                                                                                         \
            for (int64_t r = 0; r < run; r++)                                                                    \
                memcpy(to + r * width, from + r * across, (size_t)width * sizeof(T));                            \
        } else if (across == 1) {                                                                                \
            for (int64_t r = 0; r < run; r += TILE)                                                              \
                for (int64_t c = 0; c < width; c += TILE)                                                        \
                    for (int64_t i = r; i < r + TILE && i < run; i++)                                            \
                        for (int64_t j = c; j < c + TILE && j < width; j++)                                      \
                            to[i * width + j] = from[i + j * step];                                              \
        } else {                                                                                                 \
            for (int64_t r = 0; r < run; r++)                                                                    \
                for (int64_t c = 0; c < width; c++)                                                              \
                    to[r * width + c] = from[r * across + c * step];                                             \
        }                                                                                                        \
        row += run;                                                                                              \
    }                                                                                                            \
}
COPY(uint8_t, copy_1)
COPY(uint32_t, copy_4)
COPY(uint64_t, copy_8)

static void copy_work(const CgCall *call, CgWork *work)
{
    size_t bytes = (size_t)cg_tensor_count(&call->out[0]) * cg_dtype_size(call->out[0].dtype);
    work->bytes = 2.0 * (double)bytes;
    work->parts = bytes / PART_BYTES + 1;
}

const CgOp cg_op_copy = {
    .name = "copy",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "Made by the planner: the same elements, row major.",
    .kernel = { [CG_F32] = copy_4, [CG_F64] = copy_8, [CG_I32] = copy_4, [CG_I64] = copy_8, [CG_BOOL] = copy_1 },
    .work = copy_work,
    .traits = CG_STRIDED,
    CG_OP_HERE,
};
