/* generate.c - tensors made from nothing: counting and random numbers.
 * Takes the result's type as an attribute; gives its elements. Random numbers are a function of (seed, stream, step,
 * index) alone, so any cut into shards gives the same ones. */
#include <math.h>

#include <cg/rules.h>

#define CHUNK 1024u /* random words made at a time, on the stack */

static bool generator_shape(CgInfer *inf)
{
    const CgAttr *type = cg_attr_find(inf->attrs, "type");
    if (!type || type->kind != CG_ATTR_TYPE)
        return cg_infer_fail(inf, -1, -1, "%s needs a type", inf->op->name);
    inf->out[0] = type->type;
    return true;
}

static bool random_shape(CgInfer *inf)
{
    if (!generator_shape(inf))
        return false;
    if (!cg_dtype_is_float(inf->out[0].dtype))
        return cg_infer_fail(
            inf, -1, -1, "%s makes f32 or f64, not %s", inf->op->name, cg_dtype_name(inf->out[0].dtype));
    return true;
}

static bool iota_shape(CgInfer *inf)
{
    if (!generator_shape(inf))
        return false;
    int64_t axis = cg_attr_int(inf->attrs, "axis", -1);
    if (inf->out[0].dtype == CG_BOOL)
        return cg_infer_fail(inf, -1, -1, "iota makes numbers, not bool");
    if (axis < -inf->out[0].rank || axis >= inf->out[0].rank)
        return cg_infer_fail(
            inf, -1, -1, "axis = %lld is out of range for a result with %d axes", (long long)axis, inf->out[0].rank);
    return true;
}

/* Fewer of the other axes, or a shorter count from 0. */
static bool iota_slice_rule(const CgInfer *inf, CgSlice *slice)
{
    int64_t zero;
    CgType t = inf->out[0];
    if (slice->axis == cg_axis(inf->attrs, "axis", t.rank) && !(cg_dim_is_int(slice->from, &zero) && zero == 0))
        return false;
    t.dim[slice->axis] = cg_dim_sub(slice->to, slice->from);
    slice->attrs = cg_attrs_with(inf->attrs, cg_a_type("type", t));
    return true;
}

static void generator_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->out);
    *work = (CgWork){ .flops = (double)n,
        .bytes = (double)n * (double)cg_dtype_size(call->out->dtype),
        .shards = (n + CG_SHARD - 1) / CG_SHARD };
    if (!work->shards)
        work->shards = 1;
}

/* y[.., i, ..] = i along the axis. */
#define IOTA(T, name)                                                               \
    static void name(const CgCall *call, CgShard shard)                             \
    {                                                                               \
        const CgTensor *y = call->out;                                              \
        T *to = y->data;                                                            \
        size_t first, last;                                                         \
        int64_t inner = 1;                                                          \
        int axis = cg_axis(call->attrs, "axis", y->rank);                           \
        for (int i = axis + 1; i < y->rank; i++)                                    \
            inner *= y->dim[i];                                                     \
        cg_shard_range(shard, (size_t)cg_tensor_count(y), CG_SHARD, &first, &last); \
        for (size_t i = first; i < last; i++)                                       \
            to[i] = (T)((int64_t)i / inner % y->dim[axis]);                         \
    }
IOTA(float, iota_f32)
IOTA(double, iota_f64)
IOTA(int32_t, iota_i32)
IOTA(int64_t, iota_i64)

/* The elements of a shard, a chunk at a time, from one random word each; an odd last one has a word more. */
static void by_chunks(const CgCall *call, CgShard shard, void (*chunk)(void *to, const uint32_t *bits, size_t n))
{
    uint32_t bits[CHUNK];
    size_t first, last, size = cg_dtype_size(call->out->dtype);
    cg_shard_range(shard, (size_t)cg_tensor_count(call->out), CG_SHARD, &first, &last);
    for (size_t at = first; at < last; at += CHUNK) {
        size_t n = last - at < CHUNK ? last - at : CHUNK;
        cg_random_bits(call->seed, (uint64_t)cg_attr_int(call->attrs, "stream", 0), call->step, at, n + n % 2, bits);
        chunk((char *)call->out->data + at * size, bits, n);
    }
}

/* The upper 24 bits as a fraction: every value is exact in f32, so f32 and f64 runs draw the same numbers. */
#define UNIFORM(T, name)                                                \
    static void name##_chunk(void *out, const uint32_t *bits, size_t n) \
    {                                                                   \
        T *to = out;                                                    \
        for (size_t i = 0; i < n; i++)                                  \
            to[i] = (T)(int32_t)(bits[i] >> 8) * (T)0x1p-24;            \
    }                                                                   \
    static void name(const CgCall *call, CgShard shard) { by_chunks(call, shard, name##_chunk); }
UNIFORM(float, random_uniform_f32)
UNIFORM(double, random_uniform_f64)

/* Box and Muller (1958): elements 2i and 2i + 1 from words 2i and 2i + 1; u in (0, 1] keeps the logarithm finite. */
#define NORMAL(T, name)                                                                      \
    static void name##_chunk(void *out, const uint32_t *bits, size_t n)                      \
    {                                                                                        \
        T *to = out;                                                                         \
        for (size_t i = 0; i < n; i += 2) {                                                  \
            double u = ((double)bits[i] + 1.0) * 0x1p-32, v = (double)bits[i + 1] * 0x1p-32; \
            double r = sqrt(-2.0 * log(u)), a = 6.283185307179586477 * v;                    \
            to[i] = (T)(r * cos(a));                                                         \
            if (i + 1 < n)                                                                   \
                to[i + 1] = (T)(r * sin(a));                                                 \
        }                                                                                    \
    }                                                                                        \
    static void name(const CgCall *call, CgShard shard) { by_chunks(call, shard, name##_chunk); }
NORMAL(float, random_normal_f32)
NORMAL(double, random_normal_f64)

static const CgSample iota_samples[] = {
    { .in = "", .attrs = "type=F[3,5,7], axis=1" },
    { .in = "", .attrs = "type=i32[11], axis=0" },
    { .in = "", .attrs = "type=i64[2,13], axis=-1" },
    { .in = "", .attrs = "type=F[131,601], axis=0" },
    { .in = NULL },
};

static const CgSample random_samples[] = {
    { .in = "", .attrs = "type=F[7,11], stream=5" },
    { .in = "", .attrs = "type=F[13,17,19], stream=23" },
    { .in = "", .attrs = "type=F[131,601], stream=31" },
    { .in = NULL },
};

static const CgDim *iota_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)in;
    return inf->out[0].dim[cg_axis(inf->attrs, "axis", inf->out[0].rank)];
}

static const CgOp op_iota = {
    CG_OP_HERE,
    .name = "iota",
    .sig = "(type: type, axis: axis = -1) -> T[..s]",
    .doc = "Counts along one axis: y[.., i, ..] = i, repeated along all others.\n",
    .below = iota_below,
    .shape = iota_shape,
    .work = generator_work,
    .slice_rule = iota_slice_rule,
    .traits = CG_GENERATOR | CG_NODIFF,
    .samples = iota_samples,
    .kernel = { [CG_F32] = iota_f32, [CG_F64] = iota_f64, [CG_I32] = iota_i32, [CG_I64] = iota_i64 },
};

static const CgOp op_random_uniform = {
    CG_OP_HERE,
    .name = "random_uniform",
    .sig = "(type: type, stream: int) -> F[..s]",
    .doc = "Random numbers, evenly spread over [0, 1).\n\n"
           "A function of (seed, stream, step, index): Philox 4x32-10 (Salmon et al. 2011), 24 bits each.\n",
    .shape = random_shape,
    .work = generator_work,
    .traits = CG_GENERATOR | CG_NODIFF | CG_RANDOM,
    .samples = random_samples,
    .kernel = CG_FLOAT_KERNELS(random_uniform),
};

static const CgOp op_random_normal = {
    CG_OP_HERE,
    .name = "random_normal",
    .sig = "(type: type, stream: int) -> F[..s]",
    .doc = "Random numbers with mean 0 and deviation 1, normally distributed.\n\n"
           "A function of (seed, stream, step, index), by the transform of Box and Muller (1958).\n",
    .shape = random_shape,
    .work = generator_work,
    .traits = CG_GENERATOR | CG_NODIFF | CG_RANDOM,
    .samples = random_samples,
    .kernel = CG_FLOAT_KERNELS(random_normal),
};

CG_OPS(generate, &op_iota, &op_random_uniform, &op_random_normal)
