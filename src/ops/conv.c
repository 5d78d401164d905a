/* conv.c - convolution over one or two axes, and its two derivatives, each the derivative of the others.
 * Takes images (B, C, H, W) and kernels (O, C/groups, K, L); gives sums of products. A convolution is a
 * cross-correlation. conv_grid.h computes them; the layers are written in stdlib/conv.cg. */
#include <string.h>

#include <cg/elementwise.h>

#include "ops/windows.h"

#define SHARD_FLOPS 2e6 /* of a shard, at least */
#define SHARDS      64
#define COLUMNS     768         /* of a block of the grid, about */
#define GRID_BYTES  (768 << 10) /* of its channels, about */
#define SUM_BYTES   (384 << 10) /* of the sums of a block */
#define LANE        32          /* columns of a product are a multiple: whole vectors of all processors */
#define FEW         16          /* channels: below, places of the kernel are put side by side to make sums longer */
#define APART       4           /* channels made of one */
#define ROWS        64          /* of kernels in a shard of their derivative */
#define LANES       8           /* shards of their sums over images, at most */

/* One axis. What is read lies on grids by phases: row q of phase a is row q in_step + a + in_first of it; the result
 * likewise. Place i of the kernel meets rows of the grid that begin `shift_of` below. */
typedef struct Along {
    int64_t taps, stride, dilation, in, out, in_step, in_first, out_step, out_first;
    int64_t rows, reach; /* of the grid of the result; more that the source's has */
    bool back;           /* from the result of a convolution to what it was of */
} Along;

typedef struct Conv {
    Along h, w;
    int64_t images, groups, rows, numbers; /* of a group: channels of the result, channels that are summed over */
    int64_t block;                         /* rows of the grid that are computed at a time */
    int64_t lanes;                         /* shares of the images whose sums are added up in the end */
    bool lift;                             /* few channels: all places of the kernel are one sum */
    bool apart;                            /* one channel, and few made of it: too little for a product */
} Conv;

/* Memory of a thread. */
typedef struct Block {
    void *grid, *lifted, *sums;
    const void *kernels;
    size_t grid_bytes, bytes;
    int64_t plane, step, rows; /* from channel to channel; from row to row of the sums; rows of these at a time */
    int64_t columns;
} Block;

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t grid_width(const Conv *c) { return c->w.rows + c->w.reach; }
static inline int64_t in_phase(const Along *x, int64_t place) { return place * x->dilation % x->in_step; }
static inline int64_t out_phase(const Along *x, int64_t place) { return place * x->dilation % x->out_step; }
static inline int64_t shift_of(const Along *x, int64_t place)
{
    int64_t at = place * x->dilation / x->stride;
    return x->back ? x->reach - at : at;
}

/* An axis of one place: the other one is all there is. */
static inline bool is_line(const Along *x) { return x->in == 1 && x->out == 1 && x->rows == 1 && x->reach == 0; }

static const Along no_rows = { .in = 1, .out = 1, .in_step = 1, .out_step = 1 };

static int64_t places_in(const Along *x, int64_t phase)
{
    int64_t n = 0;
    for (int64_t i = 0; i < x->taps; i++)
        n += out_phase(x, i) == phase;
    return n;
}

/* Where the kernel of number k for row r of a group begins. */
static inline int64_t kernel_at(const Conv *c, int64_t g, int64_t r, int64_t k)
{
    int64_t of = c->h.back ? (g * c->numbers + k) * c->rows + r : (g * c->rows + r) * c->numbers + k;
    return of * c->h.taps * c->w.taps;
}

static Along along(const CgAttrs *attrs, int axis, bool back, int64_t taps, int64_t in, int64_t out)
{
    int64_t stride = windows_int(attrs, "stride", axis), before = windows_int(attrs, "padding", 2 * axis);
    Along x = {
        .taps = taps, .stride = stride, .dilation = windows_int(attrs, "dilation", axis), .in = in, .out = out
    };
    x.back = back;
    x.reach = (taps - 1) * x.dilation / stride;
    x.in_step = back ? 1 : stride;
    x.out_step = back ? stride : 1;
    x.in_first = back ? -x.reach : -before;
    x.out_first = back ? -before : 0;
    x.rows = out < 1 ? 0 : back ? (out - 1 + before) / stride + 1 : out;
    return x;
}

/* conv and conv_transpose read operand 0 by the kernels that are operand 1; conv_kernel reads operand 0 by operand 1,
 * what a convolution made of it. */
static Conv conv_of(const CgCall *call)
{
    const CgAttrs *attrs = call->attrs;
    const CgTensor *x = &call->in[0], *y = call->out, *w = &call->in[1];
    bool back = cg_attr_find(attrs, "dims") != NULL, by_kernel = cg_attr_find(attrs, "kernel") != NULL;
    if (by_kernel) {
        w = call->out;
        y = &call->in[1];
    }
    Conv c = { .images = x->dim[0], .groups = cg_attr_int(attrs, "groups", 1), .lanes = 1 };
    c.rows = y->dim[1] / c.groups;
    c.numbers = x->dim[1] / c.groups;
    c.h = along(attrs, 0, back, w->dim[2], x->dim[2], y->dim[2]);
    c.w = along(attrs, 1, back, w->dim[3], x->dim[3], y->dim[3]);
    int64_t wide = grid_width(&c), size = (int64_t)cg_dtype_size(y->dtype),
            row = c.numbers * c.h.in_step * c.w.in_step * wide * size;
    c.lift = c.numbers < FEW && c.h.taps * c.w.taps > 1 && !by_kernel;
    c.apart = c.numbers == 1 && c.rows <= APART && !call->bf16;
    c.block = COLUMNS / (wide ? wide : 1);
    if (row && GRID_BYTES / row < c.block + c.h.reach)
        c.block = GRID_BYTES / row - c.h.reach;
    c.block = c.block < 1 ? 1 : c.block;
    if (c.h.rows > 0)
        c.block = cg_equal_share(c.h.rows, c.block);
    if (by_kernel) {
        int64_t parts = c.groups * cg_ceil_div(c.rows, ROWS);
        c.lanes = parts > 0 && parts < LANES && c.images > 1 ? least(c.images, cg_ceil_div(LANES, parts)) : 1;
    }
    return c;
}

static size_t line_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Lays out the scratch of a thread; of none, only sizes. */
static Block block_of(const Conv *c, size_t size, bool by_kernel, void *scratch)
{
    int64_t wide = grid_width(c), columns = cg_ceil_div(c->block * wide, LANE) * LANE;
    int64_t channels = c->h.in_step * c->w.in_step * c->numbers;
    Block k = { .plane = (c->block + c->h.reach) * wide + 16, .step = columns };
    if (k.plane * (int64_t)size % 2048 == 0)
        k.plane += 16; /* or all channels would fall into the same sets of a cache */
    k.rows = by_kernel ? ROWS : SUM_BYTES / (columns * (int64_t)size + 1) / 16 * 16;
    k.rows = least(c->rows, k.rows < 16 ? 16 : k.rows);
    k.grid_bytes = line_up((size_t)(channels * k.plane + 2 * columns + wide) * size);
    size_t lifted = line_up((size_t)((by_kernel        ? k.rows
                                             : c->lift ? c->h.taps * c->w.taps * c->numbers
                                                       : 0)
                                * columns)
        * size);
    size_t sums = line_up((size_t)(by_kernel ? k.plane : k.rows * columns) * size);
    k.bytes = k.grid_bytes + lifted + sums;
    if (scratch) {
        k.grid = scratch;
        k.lifted = (char *)scratch + k.grid_bytes;
        k.sums = (char *)k.lifted + lifted;
    }
    return k;
}

#define T          float
#define NAME(word) word##_f32
#include "ops/conv_grid.h"
#undef T
#undef NAME
#define T          double
#define NAME(word) word##_f64
#include "ops/conv_grid.h"
#undef T
#undef NAME

static void conv_begin(const CgCall *call, CgShard shard)
{
    if (call->out->dtype == CG_F32)
        pack_kernels_f32(call, shard);
    else
        pack_kernels_f64(call, shard);
}

static double flops_of(const Conv *c)
{
    const Along *h = &c->h, *w = &c->w;
    int64_t places = h->back ? h->in * w->in : h->rows * w->rows;
    return 2.0 * (double)(c->images * c->groups * c->rows) * (double)(c->numbers * h->taps * w->taps) * (double)places;
}

static double bytes_of(const CgCall *call)
{
    int64_t n = cg_tensor_count(&call->in[0]) + cg_tensor_count(&call->in[1]) + cg_tensor_count(call->out);
    return (double)n * (double)cg_dtype_size(call->out->dtype);
}

static void conv_work(const CgCall *call, CgWork *work)
{
    Conv c = conv_of(call);
    size_t size = cg_dtype_size(call->out->dtype), rows = (size_t)(c.groups * c.rows);
    double flops = flops_of(&c), units = (double)(c.images * c.groups * cg_ceil_div(c.h.rows, c.block));
    double shards = flops / SHARD_FLOPS < SHARDS ? flops / SHARD_FLOPS : SHARDS;
    shards = shards < units ? shards : units;
    *work = (CgWork){ .flops = flops,
        .bytes = bytes_of(call),
        .shards = shards < 1 ? 1 : (size_t)shards,
        .begin = rows < 16 ? 1 : rows / 16,
        .scratch = block_of(&c, size, false, NULL).bytes,
        .shared = (size_t)cg_tensor_count(&call->in[1]) * size };
}

static void conv_kernel_work(const CgCall *call, CgWork *work)
{
    Conv c = conv_of(call);
    size_t size = cg_dtype_size(call->out->dtype);
    Block k = block_of(&c, size, true, NULL);
    int64_t parts = k.rows ? cg_ceil_div(c.rows, k.rows) : 1;
    *work = (CgWork){ .flops = flops_of(&c),
        .bytes = bytes_of(call),
        .shards = (size_t)(parts * c.groups * c.lanes),
        .scratch = k.bytes,
        .shared = (size_t)(cg_tensor_count(call->out) * c.lanes) * size };
    if (!work->shards)
        work->shards = 1;
}

static void conv_kernel_finish(const CgCall *call, CgShard shard)
{
    Conv c = conv_of(call);
    (void)shard;
    if (c.lanes > 1 && call->out->dtype == CG_F32)
        leave_kernels_f32(call, &c, 0, c.groups * c.rows);
    else if (c.lanes > 1)
        leave_kernels_f64(call, &c, 0, c.groups * c.rows);
}

/* ---- shapes ---- */

/* What all three ask: attributes, and that channels fall into groups. */
static bool geometry(CgInfer *inf)
{
    return cg_want_float(inf, 0) && cg_want_dtype(inf, 1, 0) && cg_want_rank(inf, 0, 4, 4) && cg_want_rank(inf, 1, 4, 4)
        && windows_want_ints(inf, "stride", 2, 1) && windows_want_ints(inf, "dilation", 2, 1)
        && windows_want_ints(inf, "padding", 4, 0);
}

static bool in_groups(CgInfer *inf, int operand, int axis, const CgDim **each)
{
    int64_t groups = cg_attr_int(inf->attrs, "groups", 1);
    *each = groups < 1 ? NULL : cg_dim_div(inf->in[operand].dim[axis], cg_dim_int(groups));
    return *each || cg_infer_fail(inf, operand, axis, "channels do not fall into %lld groups", (long long)groups);
}

static bool conv_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0], *w = &inf->in[1];
    const CgDim *each, *rows;
    if (!geometry(inf) || !in_groups(inf, 0, 1, &each) || !in_groups(inf, 1, 0, &rows))
        return false;
    if (each != w->dim[1])
        return cg_infer_unequal(inf, 1, each, w->dim[1], "channels of a group and of a kernel");
    CgType y = *x;
    y.dim[1] = w->dim[0];
    for (int i = 0; i < 2; i++) {
        int64_t taps;
        if (!cg_dim_is_int(w->dim[2 + i], &taps))
            return cg_infer_fail(inf, 1, 2 + i, "the size of a kernel is a number");
        if (!(y.dim[2 + i] = windows_along(inf, i, x->dim[2 + i], taps)))
            return false;
    }
    inf->out[0] = y;
    return true;
}

static bool conv_transpose_shape(CgInfer *inf)
{
    const CgType *y = &inf->in[0], *w = &inf->in[1];
    const CgAttr *dims = cg_attr_find(inf->attrs, "dims");
    const CgDim *rows;
    if (!geometry(inf) || !in_groups(inf, 0, 1, &rows))
        return false;
    if (y->dim[1] != w->dim[0])
        return cg_infer_differ(inf, 0, 1, 1, 0, "channels");
    if (!dims || dims->n != 2)
        return cg_infer_fail(inf, -1, -1, "dims are the two sizes of what the convolution was of");
    CgType x = *y;
    x.dim[1] = cg_dim_mul(w->dim[1], cg_dim_int(cg_attr_int(inf->attrs, "groups", 1)));
    for (int i = 0; i < 2; i++) {
        int64_t taps;
        x.dim[2 + i] = dims->kind == CG_ATTR_DIMS ? dims->dims[i] : cg_dim_int(dims->ints[i]);
        if (!cg_dim_is_int(w->dim[2 + i], &taps))
            return cg_infer_fail(inf, 1, 2 + i, "the size of a kernel is a number");
        const CgDim *n = windows_along(inf, i, x.dim[2 + i], taps);
        if (!n)
            return false;
        if (n != y->dim[2 + i])
            return cg_infer_unequal(
                inf, 0, n, y->dim[2 + i], "places of a convolution of these sizes and those there are");
    }
    inf->out[0] = x;
    return true;
}

static bool conv_kernel_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0], *y = &inf->in[1];
    const CgDim *each, *rows;
    if (!geometry(inf) || !cg_want_axes(inf, 1, 0, 0, 1) || !in_groups(inf, 0, 1, &each) || !in_groups(inf, 1, 1, &rows)
        || !windows_want_ints(inf, "kernel", 2, 1))
        return false;
    CgType w = *x;
    w.dim[0] = y->dim[1];
    w.dim[1] = each;
    for (int i = 0; i < 2; i++) {
        int64_t taps = windows_int(inf->attrs, "kernel", i);
        const CgDim *n = windows_along(inf, i, x->dim[2 + i], taps);
        if (!n)
            return false;
        if (n != y->dim[2 + i])
            return cg_infer_unequal(
                inf, 1, n, y->dim[2 + i], "places of a convolution of these sizes and those there are");
        w.dim[2 + i] = cg_dim_int(taps);
    }
    inf->out[0] = w;
    return true;
}

/* ---- derivatives: each of the three is linear in either operand, and the other two are its adjoints ---- */

static const CgAttrs *geometry_of(const CgAttrs *attrs, CgAttr more)
{
    CgAttr at[5] = { cg_a_ints("stride", 2, cg_attr_find(attrs, "stride")->ints),
        cg_a_ints("padding", 4, cg_attr_find(attrs, "padding")->ints),
        cg_a_ints("dilation", 2, cg_attr_find(attrs, "dilation")->ints),
        cg_a_int("groups", cg_attr_int(attrs, "groups", 1)), more };
    return cg_attrs(more.name ? 5 : 4, at);
}

static CgRef conv(CgBuild *b, CgRef x, CgRef w, const CgAttrs *attrs)
{
    return cg_build(b, "conv", 2, (CgRef[2]){ x, w }, geometry_of(attrs, (CgAttr){ 0 }));
}

/* Of the sizes that `like` has. */
static CgRef conv_transpose(CgBuild *b, CgRef y, CgRef w, CgRef like, const CgAttrs *attrs)
{
    CgType t = cg_ref_type(b, like);
    return cg_build(b, "conv_transpose", 2, (CgRef[2]){ y, w }, geometry_of(attrs, cg_a_dims("dims", 2, t.dim + 2)));
}

static CgRef conv_kernel(CgBuild *b, CgRef x, CgRef y, CgRef like, const CgAttrs *attrs)
{
    CgType t = cg_ref_type(b, like);
    int64_t taps[2];
    for (int i = 0; i < 2; i++)
        cg_dim_is_int(t.dim[2 + i], &taps[i]);
    return cg_build(b, "conv_kernel", 2, (CgRef[2]){ x, y }, geometry_of(attrs, cg_a_ints("kernel", 2, taps)));
}

static void conv_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], w = site->in[1], g = site->gout[0];
    gin[0] = conv_transpose(b, g, w, x, site->attrs);
    gin[1] = conv_kernel(b, x, g, w, site->attrs);
}

static void conv_transpose_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef y = site->in[0], w = site->in[1], g = site->gout[0];
    gin[0] = conv(b, g, w, site->attrs);
    gin[1] = conv_kernel(b, g, y, w, site->attrs);
}

static void conv_kernel_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], y = site->in[1], g = site->gout[0];
    gin[0] = conv_transpose(b, y, g, x, site->attrs);
    gin[1] = conv(b, x, g, site->attrs);
}

/* ---- along axes ---- */

/* Images apart from each other. */
static CgAxisRule conv_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)inf;
    to->axis = axis;
    return operand == 0 && axis == 0 ? CG_AXIS_POINTWISE : CG_AXIS_UNKNOWN;
}

/* Place i of the result sees places up to i where all zeros stand before, as many as the kernel reaches back. */
static CgAxisRule conv_forward_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int64_t taps;
    if (operand != 0 || axis < 2 || !cg_dim_is_int(inf->in[1].dim[axis], &taps))
        return conv_axis_rule(inf, operand, axis, to);
    int64_t back = (taps - 1) * windows_int(inf->attrs, "dilation", axis - 2);
    bool causal = windows_int(inf->attrs, "stride", axis - 2) == 1
        && windows_int(inf->attrs, "padding", 2 * (axis - 2)) == back
        && windows_int(inf->attrs, "padding", 2 * (axis - 2) + 1) == 0;
    to->axis = axis;
    return causal ? CG_AXIS_CAUSAL : CG_AXIS_UNKNOWN;
}

static const CgSample conv_samples[] = {
    { .in = "F[2,3,7,5] F[4,3,3,2]",
        .attrs = "stride=(1,1), padding=(4,0,1,0), dilation=(2,1)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,3,7,5] F[4,3,3,2]",
        .attrs = "stride=(1,1), padding=(1,1,0,1), dilation=(1,1)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,4,11,7] F[6,2,3,3]",
        .attrs = "stride=(2,3), padding=(1,0,2,2), dilation=(2,1), groups=2",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[3,5,13,1] F[5,1,4,1]",
        .attrs = "stride=(3,1), padding=(3,0,0,0), dilation=(1,1), groups=5",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,19,9,17] F[23,19,3,3]",
        .attrs = "stride=(1,1), padding=(1,1,1,1), dilation=(1,1)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[1,17,67,29] F[3,17,5,3]",
        .attrs = "stride=(2,1), padding=(2,2,1,1), dilation=(1,2)",
        .low = -2.385,
        .high = 2.385 },
    { .in = NULL },
};
static const CgSample conv_transpose_samples[] = {
    { .in = "F[2,4,7,5] F[4,3,3,2]",
        .attrs = "stride=(1,1), padding=(1,1,0,1), dilation=(1,1), dims=[7,5]",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,6,4,3] F[6,2,3,3]",
        .attrs = "stride=(2,3), padding=(1,0,2,2), dilation=(2,1), groups=2, dims=[11,7]",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[3,5,4,1] F[5,1,2,1]",
        .attrs = "stride=(3,1), padding=(0,1,0,0), dilation=(1,1), groups=5, dims=[11,1]",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,23,9,17] F[23,19,3,3]",
        .attrs = "stride=(1,1), padding=(1,1,1,1), dilation=(1,1), dims=[9,17]",
        .low = -2.385,
        .high = 2.385 },
    { .in = NULL },
};
static const CgSample conv_kernel_samples[] = {
    { .in = "F[2,3,7,5] F[2,4,7,5]",
        .attrs = "stride=(1,1), padding=(1,1,0,1), dilation=(1,1), kernel=(3,2)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,4,11,7] F[2,6,4,3]",
        .attrs = "stride=(2,3), padding=(1,0,2,2), dilation=(2,1), groups=2, kernel=(3,3)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[3,5,13,1] F[3,5,5,1]",
        .attrs = "stride=(3,1), padding=(3,0,0,0), dilation=(1,1), groups=5, kernel=(4,1)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,19,9,17] F[2,67,9,17]",
        .attrs = "stride=(1,1), padding=(1,1,1,1), dilation=(1,1), kernel=(3,3)",
        .low = -2.385,
        .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_conv = {
    CG_OP_HERE,
    .name = "conv",
    .sig = "(x: F[B, C, H, W], w: F[O, I, K, L], stride: int[], padding: int[], dilation: int[], groups: int = 1) -> "
           "F[B, O, M, N]",
    .doc =
        "Convolution (cross-correlation) of images with kernels over K x L places, along both axes `stride` apart "
        "and over `dilation`.\n\n"
        "padding: zeros above, below, left and right. Channels fall into groups that do not see each other: I = C / "
        "groups. M = (H + above + below - (K-1)*dilation - 1) / stride + 1, rounded down, and must be known. Along one "
        "axis: W = L = 1. Layers are conv1d, conv2d and their kin.\n",
    .shape = conv_shape,
    .vjp = conv_vjp,
    .kernel = CG_FLOAT_KERNELS(convolve),
    .begin = conv_begin,
    .work = conv_work,
    .axis_rule = conv_forward_axis_rule,
    .traits = CG_LINEAR | CG_PRODUCTS,
    .samples = conv_samples,
};

static const CgOp op_conv_transpose = {
    CG_OP_HERE,
    .name = "conv_transpose",
    .sig = "(y: F[B, O, M, N], w: F[O, I, K, L], stride: int[], padding: int[], dilation: int[], groups: int = 1, "
           "dims: dim[]) -> F[B, C, H, W]",
    .doc =
        "The adjoint of conv by x: each place of y lays down its kernels, and where they meet they are added. `dims` "
        "are H and W, of which a convolution has M x N places.\n",
    .shape = conv_transpose_shape,
    .vjp = conv_transpose_vjp,
    .kernel = CG_FLOAT_KERNELS(convolve),
    .begin = conv_begin,
    .work = conv_work,
    .axis_rule = conv_axis_rule,
    .traits = CG_LINEAR | CG_PRODUCTS,
    .samples = conv_transpose_samples,
};

static const CgOp op_conv_kernel = {
    CG_OP_HERE,
    .name = "conv_kernel",
    .sig = "(x: F[B, C, H, W], y: F[B, O, M, N], stride: int[], padding: int[], dilation: int[], groups: int = 1, "
           "kernel: int[]) -> F[O, I, K, L]",
    .doc = "The adjoint of conv by its kernels, of which `kernel` are the sizes K and L: what each place of a kernel "
           "met, times what came of it, summed over places and images in their order.\n",
    .shape = conv_kernel_shape,
    .vjp = conv_kernel_vjp,
    .kernel = CG_FLOAT_KERNELS(conv_kernel),
    .finish = conv_kernel_finish,
    .work = conv_kernel_work,
    .traits = CG_LINEAR | CG_PRODUCTS,
    .samples = conv_kernel_samples,
};

CG_OPS(conv, &op_conv, &op_conv_transpose, &op_conv_kernel)
