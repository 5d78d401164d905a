/* elementwise.c - loops over shapes, once for all elementwise ops and copies.
 * Takes operands with any strides and a function of n consecutive elements; gives a contiguous result for one shard.
 * Must not know what the function computes. */
#include <string.h>

#include <cg/elementwise.h>

#define TILE         1024u /* elements gathered at a time: all tiles of an op stay in L1 */
#define LONG_ROW     256   /* rows from this length on are taken one at a time, shorter ones are gathered across */
#define BLOCK        32    /* side of the squares a transposing copy works in */
#define MAX_OPERANDS (CG_MAX_IN + 1)

/* Axes common to several tensors, with neighbours merged where every tensor's strides allow it. */
typedef struct Axes {
    int rank;
    int64_t dim[CG_MAX_RANK];
    int64_t stride[MAX_OPERANDS][CG_MAX_RANK];
} Axes;

static void merge_axes(Axes *axes, const CgTensor *shape, const CgTensor *const *t, int n)
{
    axes->rank = 0;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 1)
            continue;
        int last = axes->rank - 1;
        bool joins = last >= 0;
        for (int k = 0; joins && k < n; k++)
            joins = axes->stride[k][last] == t[k]->stride[i] * shape->dim[i];
        if (!joins)
            last = axes->rank++;
        axes->dim[last] = joins ? axes->dim[last] * shape->dim[i] : shape->dim[i];
        for (int k = 0; k < n; k++)
            axes->stride[k][last] = t[k]->stride[i];
    }
    if (axes->rank == 0) {
        axes->rank = 1;
        axes->dim[0] = 1;
        for (int k = 0; k < n; k++)
            axes->stride[k][0] = 1;
    }
}

/* Where element `index` (row major over the axes) of tensor k lies. */
static int64_t offset_of(const Axes *axes, int k, int64_t index, int rank)
{
    int64_t at = 0;
    for (int i = rank - 1; i >= 0; i--) {
        at += index % axes->dim[i] * axes->stride[k][i];
        index /= axes->dim[i];
    }
    return at;
}

#define COPY_RUN(T)                              \
    do {                                         \
        const T *s = (const T *)from;            \
        T *d = (T *)to;                          \
        if (ss == 1 && ds == 1)                  \
            memcpy(d, s, (size_t)n * sizeof(T)); \
        else if (ss == 0 && ds == 1)             \
            for (int64_t i = 0; i < n; i++)      \
                d[i] = *s;                       \
        else                                     \
            for (int64_t i = 0; i < n; i++)      \
                d[i * ds] = s[i * ss];           \
    } while (0)

/* n elements with a stride on each side. */
static void copy_run(void *to, int64_t ds, const void *from, int64_t ss, int64_t n, size_t size)
{
    switch (size) {
    case 1: COPY_RUN(uint8_t); break;
    case 2: COPY_RUN(uint16_t); break;
    case 4: COPY_RUN(uint32_t); break;
    default: COPY_RUN(uint64_t); break;
    }
}

/* Elements [first, first + n) of tensor k, across rows, to a tile. */
static void gather(const Axes *axes, int k, const char *base, int64_t first, int64_t n, size_t size, char *to)
{
    int last = axes->rank - 1;
    int64_t row = axes->dim[last], done = 0;
    while (done < n) {
        int64_t col = (first + done) % row, run = row - col;
        int64_t at = offset_of(axes, k, (first + done) / row, last) + col * axes->stride[k][last];
        if (run > n - done)
            run = n - done;
        copy_run(to + (size_t)done * size, 1, base + at * (int64_t)size, axes->stride[k][last], run, size);
        done += run;
    }
}

void cg_elementwise_run(const CgCall *call, CgShard shard, CgVecFn *vec)
{
    const CgTensor *t[CG_MAX_IN];
    const void *in[CG_MAX_IN];
    bool whole[CG_MAX_IN], spread[CG_MAX_IN], simple;
    size_t size[CG_MAX_IN], out_size = cg_dtype_size(call->out->dtype), first, last;
    char *tile = shard.scratch, *out = call->out->data, *unrounded = tile + (size_t)call->nin * TILE * 8;
    bool rounds = call->out->dtype == CG_ROUNDED;
    Axes axes = { .rank = 0 };
    for (int k = 0; k < call->nin; k++)
        t[k] = &call->in[k];
    merge_axes(&axes, call->out, t, call->nin);
    cg_shard_range(shard, (size_t)cg_tensor_count(call->out), CG_SHARD, &first, &last);
    int64_t row = axes.dim[axes.rank - 1];

    simple = !rounds;
    for (int k = 0; k < call->nin; k++) {
        int64_t step = 1, repeats = 0;
        whole[k] = true;
        for (int i = axes.rank - 1; i >= 0; i--) {
            whole[k] &= axes.stride[k][i] == step;
            repeats |= axes.stride[k][i];
            step *= axes.dim[i];
        }
        spread[k] = !whole[k] && repeats == 0;
        simple &= whole[k];
        size[k] = cg_dtype_size(t[k]->dtype);
        if (spread[k] && first < last)
            copy_run(tile + (size_t)k * TILE * 8, 1, t[k]->data, 0, TILE, size[k]);
    }
    for (size_t at = first; at < last;) {
        size_t n = last - at, left = (size_t)row - at % (size_t)row;
        if (!simple && n > TILE)
            n = TILE;
        if (!simple && row >= LONG_ROW && n > left)
            n = left;
        bool one_row = n <= left;
        for (int k = 0; k < call->nin; k++) {
            const char *base = t[k]->data;
            char *buffer = tile + (size_t)k * TILE * 8;
            if (whole[k])
                in[k] = base + at * size[k];
            else if (spread[k])
                in[k] = buffer;
            else if (one_row && axes.stride[k][axes.rank - 1] == 1)
                in[k] = base + offset_of(&axes, k, (int64_t)at, axes.rank) * (int64_t)size[k];
            else {
                gather(&axes, k, base, (int64_t)at, (int64_t)n, size[k], buffer);
                in[k] = buffer;
            }
        }
        vec(in, rounds ? unrounded : out + at * out_size, n, call->attrs);
        if (rounds)
            cg_bf16_round((const float *)(const void *)unrounded, (uint16_t *)(void *)(out + at * out_size), n);
        at += n;
    }
}

void cg_kernel_elementwise(const CgCall *call, CgShard shard)
{
    CgDtype dtype = call->nin ? call->in[0].dtype : call->out[0].dtype;
    cg_elementwise_run(call, shard, call->op->vec[dtype]);
}

void cg_work_elementwise(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->out);
    work->flops = (double)n;
    work->bytes = (double)n * (double)cg_dtype_size(call->out->dtype);
    for (int k = 0; k < call->nin; k++)
        work->bytes += (double)n * (double)cg_dtype_size(call->in[k].dtype);
    work->shards = (n + CG_SHARD - 1) / CG_SHARD;
    if (work->shards == 0)
        work->shards = 1;
    work->scratch = ((size_t)call->nin + (call->out->dtype == CG_ROUNDED)) * TILE * 8;
    work->shared = 0;
}

/* ---- copies ---- */

/* A plane of rows x cols; in the source the rows are the fast axis, so squares keep both sides in cache. */
#define COPY_PLANE(T)                                           \
    do {                                                        \
        const T *s = (const T *)from;                           \
        T *d = (T *)to;                                         \
        for (int64_t c0 = 0; c0 < cols; c0 += BLOCK) {          \
            int64_t c1 = c0 + BLOCK < cols ? c0 + BLOCK : cols; \
            for (int64_t r = 0; r < rows; r++)                  \
                for (int64_t c = c0; c < c1; c++)               \
                    d[r * dr + c * dc] = s[r * sr + c * sc];    \
        }                                                       \
    } while (0)

static void copy_plane(
    void *to, int64_t dr, int64_t dc, const void *from, int64_t sr, int64_t sc, int64_t rows, int64_t cols, size_t size)
{
    switch (size) {
    case 1: COPY_PLANE(uint8_t); break;
    case 2: COPY_PLANE(uint16_t); break;
    case 4: COPY_PLANE(uint32_t); break;
    default: COPY_PLANE(uint64_t); break;
    }
}

/* Moves axis i to place `to`, keeping the order of the others. */
static void move_axis(Axes *axes, int i, int to)
{
    for (; i < to && to < CG_MAX_RANK; i++) {
        int64_t d = axes->dim[i];
        axes->dim[i] = axes->dim[i + 1];
        axes->dim[i + 1] = d;
        for (int k = 0; k < 2; k++) {
            int64_t s = axes->stride[k][i];
            axes->stride[k][i] = axes->stride[k][i + 1];
            axes->stride[k][i + 1] = s;
        }
    }
}

void cg_tensor_copy(const CgTensor *dst, const CgTensor *src, CgShard shard)
{
    const CgTensor *t[2] = { dst, src };
    size_t size = cg_dtype_size(dst->dtype), first, last;
    char *to = dst->data;
    const char *from = src->data;
    Axes axes = { .rank = 0 };
    if (cg_tensor_count(dst) == 0)
        return;
    merge_axes(&axes, dst, t, 2);
    int inner = axes.rank - 1;
    if (axes.rank == 1) {
        cg_shard_range(shard, (size_t)axes.dim[0], 4096, &first, &last);
        copy_run(to + (int64_t)first * axes.stride[0][0] * (int64_t)size, axes.stride[0][0],
            from + (int64_t)first * axes.stride[1][0] * (int64_t)size, axes.stride[1][0], (int64_t)(last - first),
            size);
        return;
    }
    /* The source's fast axis, if it is not the inner one, becomes the rows of the planes. */
    bool transposes = false;
    for (int i = 0; i < inner && axes.stride[1][inner] != 1; i++)
        if (axes.stride[1][i] == 1) {
            move_axis(&axes, i, inner - 1);
            transposes = true;
            break;
        }
    int64_t rows = axes.dim[inner - 1], cols = axes.dim[inner], blocks = (rows + BLOCK - 1) / BLOCK;
    int64_t planes = 1;
    for (int i = 0; i < inner - 1; i++)
        planes *= axes.dim[i];
    cg_shard_range(shard, (size_t)(planes * blocks), 1, &first, &last);
    for (int64_t u = (int64_t)first; u < (int64_t)last; u++) {
        int64_t r0 = u % blocks * BLOCK, n = rows - r0 < BLOCK ? rows - r0 : BLOCK;
        int64_t d = offset_of(&axes, 0, u / blocks, inner - 1) + r0 * axes.stride[0][inner - 1];
        int64_t s = offset_of(&axes, 1, u / blocks, inner - 1) + r0 * axes.stride[1][inner - 1];
        if (transposes)
            copy_plane(to + d * (int64_t)size, axes.stride[0][inner - 1], axes.stride[0][inner],
                from + s * (int64_t)size, axes.stride[1][inner - 1], axes.stride[1][inner], n, cols, size);
        else
            for (int64_t r = 0; r < n; r++)
                copy_run(to + (d + r * axes.stride[0][inner - 1]) * (int64_t)size, axes.stride[0][inner],
                    from + (s + r * axes.stride[1][inner - 1]) * (int64_t)size, axes.stride[1][inner], cols, size);
    }
}

void cg_kernel_copy(const CgCall *call, CgShard shard) { cg_tensor_copy(&call->out[0], &call->in[0], shard); }

void cg_work_copy(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->out);
    work->flops = 0;
    work->bytes = 2.0 * (double)n * (double)cg_dtype_size(call->out->dtype);
    work->shards = (n + CG_SHARD - 1) / CG_SHARD;
    if (work->shards == 0)
        work->shards = 1;
    work->scratch = work->shared = 0;
}
