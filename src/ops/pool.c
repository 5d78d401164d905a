/* pool.c - windows of an image, each brought down to one number: its greatest element, or its sum.
 * Takes images (B, C, H, W); gives a number for each window of K x L places, and with the greatest element where it
 * is. A sum and its adjoint are each other's derivative. The layers are written in stdlib/conv.cg. */
#include <cg/elementwise.h>

#include "ops/windows.h"

/* One axis: windows of `taps` places over `dilation`, `stride` apart, the first one `before` places before the image.
 */
typedef struct Along {
    int64_t taps, stride, dilation, before, size, windows;
} Along;

typedef struct Pool {
    Along h, w;
    int64_t planes;
} Pool;

static Along along(const CgAttrs *attrs, int axis, const CgTensor *image, const CgTensor *windows)
{
    return (Along){ windows_int(attrs, "kernel", axis), windows_int(attrs, "stride", axis),
        windows_int(attrs, "dilation", axis), windows_int(attrs, "padding", 2 * axis), image->dim[2 + axis],
        windows->dim[2 + axis] };
}

static Pool pool_of(const CgCall *call, const CgTensor *image, const CgTensor *windows)
{
    return (Pool){ along(call->attrs, 0, image, windows), along(call->attrs, 1, image, windows),
        image->dim[0] * image->dim[1] };
}

/* Place `tap` of a window; in the padding where it is negative or not below the size. */
static inline int64_t place(const Along *x, int64_t window, int64_t tap)
{
    return window * x->stride + tap * x->dilation - x->before;
}

static inline bool is_inside(const Along *x, int64_t window, int64_t tap)
{
    int64_t at = place(x, window, tap);
    return at >= 0 && at < x->size;
}

/* The first place of a window that is in the image. */
static inline int64_t first_place(const Along *x, int64_t window)
{
    int64_t at = place(x, window, 0);
    return at < 0 ? at + cg_ceil_div(-at, x->dilation) * x->dilation : at;
}

/* The windows [first, last) whose place `tap` is in the image. */
static inline void windows_inside(const Along *x, int64_t tap, int64_t *first, int64_t *last)
{
    int64_t at = place(x, 0, tap), end = at < x->size ? (x->size - 1 - at) / x->stride + 1 : 0;
    *first = at < 0 ? cg_ceil_div(-at, x->stride) : 0;
    *last = end < x->windows ? end : x->windows;
}

#define T          float
#define NAME(word) word##_f32
#include "ops/pool_rows.h"
#undef T
#undef NAME
#define T          double
#define NAME(word) word##_f64
#include "ops/pool_rows.h"
#undef T
#undef NAME

/* An addition or comparison for each place of each window; `units` can be computed apart. */
static void pool_work(const CgCall *call, CgWork *work, const CgTensor *windows, int64_t units)
{
    double n = (double)cg_tensor_count(windows), in = (double)cg_tensor_count(&call->in[0]);
    double flops = n * (double)(windows_int(call->attrs, "kernel", 0) * windows_int(call->attrs, "kernel", 1));
    double shards = (flops + n + in) / CG_SHARD;
    *work = (CgWork){ .flops = flops, .shards = shards < (double)units ? (size_t)shards : (size_t)units };
    work->bytes = (in + (double)cg_tensor_count(call->out)) * (double)cg_dtype_size(call->out->dtype);
    if (!work->shards)
        work->shards = 1;
}

static void rows_work(const CgCall *call, CgWork *work)
{
    const CgTensor *y = call->out;
    pool_work(call, work, y, y->dim[0] * y->dim[1] * y->dim[2]);
}

static void planes_work(const CgCall *call, CgWork *work)
{
    pool_work(call, work, &call->in[0], call->out->dim[0] * call->out->dim[1]);
}

/* ---- shapes ---- */

static bool geometry(CgInfer *inf)
{
    return cg_want_float(inf, 0) && cg_want_rank(inf, 0, 4, 4) && windows_want_ints(inf, "kernel", 2, 1)
        && windows_want_ints(inf, "stride", 2, 1) && windows_want_ints(inf, "dilation", 2, 1)
        && windows_want_ints(inf, "padding", 4, 0);
}

static const CgDim *windows_of(CgInfer *inf, int axis, const CgDim *size)
{
    return windows_along(inf, axis, size, windows_int(inf->attrs, "kernel", axis));
}

static bool sum_pool_shape(CgInfer *inf)
{
    if (!geometry(inf))
        return false;
    inf->out[0] = inf->in[0];
    for (int i = 0; i < 2; i++)
        if (!(inf->out[0].dim[2 + i] = windows_of(inf, i, inf->in[0].dim[2 + i])))
            return false;
    return true;
}

/* A window has places in the image: its padding is less than it reaches over, its dilation no more than the image is
 * long. */
static bool has_places(CgInfer *inf, int axis)
{
    int64_t dilation = windows_int(inf->attrs, "dilation", axis);
    Windows w = windows_made(windows_int(inf->attrs, "kernel", axis), 1, dilation);
    for (int i = 0; i < 2; i++)
        if (windows_int(inf->attrs, "padding", 2 * axis + i) >= w.reach)
            return cg_infer_fail(inf, 0, 2 + axis,
                "padding of %lld leaves windows that reach over %lld places without any of the image",
                (long long)windows_int(inf->attrs, "padding", 2 * axis + i), (long long)w.reach);
    int64_t size;
    if (cg_dim_is_int(inf->in[0].dim[2 + axis], &size) && size < 1)
        return cg_infer_fail(inf, 0, 2 + axis, "nothing is the greatest of an axis without places");
    if (w.size > 1 && dilation > 1 && !cg_dim_at_most(cg_dim_int(dilation), inf->in[0].dim[2 + axis]))
        return cg_infer_fail(
            inf, 0, 2 + axis, "a dilation of %lld asks for an axis that is known to be as long", (long long)dilation);
    return true;
}

static bool max_pool_shape(CgInfer *inf)
{
    if (!sum_pool_shape(inf) || !has_places(inf, 0) || !has_places(inf, 1))
        return false;
    inf->out[1] = cg_type_as(inf->out[0], CG_I32);
    return true;
}

static bool sum_pool_transpose_shape(CgInfer *inf)
{
    const CgAttr *dims = cg_attr_find(inf->attrs, "dims");
    if (!geometry(inf))
        return false;
    if (!dims || dims->n != 2)
        return cg_infer_fail(inf, -1, -1, "dims are the two sizes of the image");
    inf->out[0] = inf->in[0];
    for (int i = 0; i < 2; i++) {
        const CgDim *size = dims->kind == CG_ATTR_DIMS ? dims->dims[i] : cg_dim_int(dims->ints[i]);
        const CgDim *n = windows_of(inf, i, size);
        if (!n)
            return false;
        if (n != inf->in[0].dim[2 + i])
            return cg_infer_unequal(inf, 0, n, inf->in[0].dim[2 + i], "windows of this image and those there are");
        inf->out[0].dim[2 + i] = size;
    }
    return true;
}

/* ---- derivatives ---- */

static const CgAttrs *geometry_of(const CgAttrs *attrs, CgAttr more)
{
    CgAttr at[5] = { cg_a_ints("kernel", 2, cg_attr_find(attrs, "kernel")->ints),
        cg_a_ints("stride", 2, cg_attr_find(attrs, "stride")->ints),
        cg_a_ints("padding", 4, cg_attr_find(attrs, "padding")->ints),
        cg_a_ints("dilation", 2, cg_attr_find(attrs, "dilation")->ints), more };
    return cg_attrs(more.name ? 5 : 4, at);
}

static void sum_pool_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    gin[0] =
        cg_build(b, "sum_pool_transpose", 1, &site->gout[0], geometry_of(site->attrs, cg_a_dims("dims", 2, t.dim + 2)));
}

static void sum_pool_transpose_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = cg_build(b, "sum_pool", 1, &site->gout[0], geometry_of(site->attrs, (CgAttr){ 0 }));
}

/* What a window gains goes to the place where its greatest element is. */
static void max_pool_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType x = cg_ref_type(b, site->in[0]), y = cg_ref_type(b, site->out[0]);
    const CgDim *size[3] = { x.dim[0], x.dim[1], cg_dim_mul(x.dim[2], x.dim[3]) },
                *one[4] = { x.dim[0], x.dim[1], cg_dim_mul(y.dim[2], y.dim[3]), cg_dim_int(1) };
    if (site->gout[0] == CG_NONE)
        return;
    CgRef in[3] = { cg_fill(b, cg_type(x.dtype, 3, size), 0) };
    in[1] = cg_reshape(b, site->out[1], 4, one);
    in[2] = cg_reshape(b, site->gout[0], 3, one);
    CgAttr at[2] = { cg_a_int("batch", 2), cg_a_str("how", "add") };
    gin[0] = cg_reshape(b, cg_build(b, "scatter", 3, in, cg_attrs(2, at)), 4, x.dim);
}

/* Images and channels are apart from each other. */
static CgAxisRule pool_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)inf;
    (void)operand;
    to->axis = axis;
    return axis < 2 ? CG_AXIS_POINTWISE : CG_AXIS_UNKNOWN;
}

/* ---- the ops ---- */

#define SAMPLE(sizes, text)                                                      \
    {                                                                            \
        .in = sizes, .attrs = text, .low = -2.385, .high = 2.385, .apart = 0.001 \
    }

static const CgSample pool_samples[] = {
    SAMPLE("F[2,3,6,8]", "kernel=(2,2), stride=(2,2), padding=(0,0,0,0), dilation=(1,1)"),
    SAMPLE("F[3,2,7,5]", "kernel=(3,2), stride=(1,1), padding=(2,0,1,0), dilation=(1,1)"),
    SAMPLE("F[2,2,11,7]", "kernel=(2,3), stride=(3,2), padding=(1,0,2,3), dilation=(2,2)"),
    SAMPLE("F[5,1,1,13]", "kernel=(1,4), stride=(1,3), padding=(0,0,3,2), dilation=(1,1)"),
    SAMPLE("F[2,3,67,29]", "kernel=(3,3), stride=(2,2), padding=(1,1,1,1), dilation=(1,1)"),
    SAMPLE("F[97,3,19,19]", "kernel=(5,5), stride=(1,1), padding=(2,2,2,2), dilation=(1,1)"),
    { .in = NULL },
};
static const CgSample transpose_samples[] = {
    SAMPLE("F[2,3,3,4]", "kernel=(2,2), stride=(2,2), padding=(0,0,0,0), dilation=(1,1), dims=[6,8]"),
    SAMPLE("F[3,2,7,5]", "kernel=(3,2), stride=(1,1), padding=(2,0,1,0), dilation=(1,1), dims=[7,5]"),
    SAMPLE("F[2,2,4,4]", "kernel=(2,3), stride=(3,2), padding=(1,0,2,3), dilation=(2,2), dims=[11,7]"),
    SAMPLE("F[97,3,19,19]", "kernel=(5,5), stride=(1,1), padding=(2,2,2,2), dilation=(1,1), dims=[19,19]"),
    { .in = NULL },
};

static const CgOp op_max_pool = {
    CG_OP_HERE,
    .name = "max_pool",
    .sig = "(x: F[B, C, H, W], kernel: int[], stride: int[], padding: int[], dilation: int[]) -> (F[B, C, M, N], "
           "i32[B, C, M, N])",
    .doc = "The greatest element of each window of an image, and where it is: row * W + column.\n\n"
           "Windows of K x L = `kernel` places over `dilation` are `stride` apart. padding: places above, below, left "
           "and right that windows reach over and take nothing from; each window has some of the image. Of equal "
           "elements the first counts; NaN where a window has one. The layers are max_pool1d and max_pool2d.\n",
    .shape = max_pool_shape,
    .vjp = max_pool_vjp,
    .kernel = CG_FLOAT_KERNELS(max_pool),
    .work = rows_work,
    .axis_rule = pool_axis_rule,
    .nout = 2,
    .samples = pool_samples,
};

static const CgOp op_sum_pool = {
    CG_OP_HERE,
    .name = "sum_pool",
    .sig = "(x: F[B, C, H, W], kernel: int[], stride: int[], padding: int[], dilation: int[]) -> F[B, C, M, N]",
    .doc = "The sum of each window of an image, whose padding adds nothing.\n\n"
           "Windows are those of max_pool, but one may lie in the padding alone: its sum is 0. The layers are "
           "mean_pool1d and mean_pool2d.\n",
    .shape = sum_pool_shape,
    .vjp = sum_pool_vjp,
    .kernel = CG_FLOAT_KERNELS(sum_pool),
    .work = rows_work,
    .axis_rule = pool_axis_rule,
    .traits = CG_LINEAR,
    .samples = pool_samples,
};

static const CgOp op_sum_pool_transpose = {
    CG_OP_HERE,
    .name = "sum_pool_transpose",
    .sig = "(y: F[B, C, M, N], kernel: int[], stride: int[], padding: int[], dilation: int[], dims: dim[]) -> "
           "F[B, C, H, W]",
    .doc = "The adjoint of sum_pool: each place of an image of `dims` H and W is the sum of the windows that it is "
           "in.\n",
    .shape = sum_pool_transpose_shape,
    .vjp = sum_pool_transpose_vjp,
    .kernel = CG_FLOAT_KERNELS(sum_pool_transpose),
    .work = planes_work,
    .axis_rule = pool_axis_rule,
    .traits = CG_LINEAR,
    .samples = transpose_samples,
};

CG_OPS(pool, &op_max_pool, &op_sum_pool, &op_sum_pool_transpose)
