/* generate.c - tensors made from nothing: counting and random numbers.
 * Takes the result's type as an attribute; gives its elements. Random numbers are a function of (seed, stream, turns,
 * step, row, index) alone, so any cut into shards, and of a batch into shares, gives the same ones. */
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

/* Operands: in a loop, which turn it is. */
static bool random_shape(CgInfer *inf)
{
    if (!generator_shape(inf))
        return false;
    const CgType *t = &inf->out[0];
    for (int i = 0; i < inf->nin; i++)
        if (!cg_want_integer(inf, i) || !cg_want_rank(inf, i, 0, 0))
            return false;
    int64_t axis = cg_attr_int(inf->attrs, "axis", -1);
    if (axis >= t->rank || (axis >= 0 && !cg_attr_find(inf->attrs, "rows")))
        return cg_infer_fail(inf, -1, -1, "axis = %lld, of rows, is none of the result's %d", (long long)axis, t->rank);
    if (cg_attr_find(inf->attrs, "below"))
        return t->dtype == CG_I32 || t->dtype == CG_I64
            || cg_infer_fail(inf, -1, -1, "%s makes i32 or i64, not %s", inf->op->name, cg_dtype_name(t->dtype));
    return cg_dtype_is_float(t->dtype)
        || cg_infer_fail(inf, -1, -1, "%s makes f32 or f64, not %s", inf->op->name, cg_dtype_name(t->dtype));
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

/* The streams of the turns of loops around a draw. */
static uint64_t stream_of(const CgCall *call)
{
    uint64_t stream = (uint64_t)cg_attr_int(call->attrs, "stream", 0);
    for (int i = 0; i < call->nin; i++)
        stream = (stream ^ ((uint64_t)cg_scalar(&call->in[i]) + 1)) * 0x9e3779b97f4a7c15u;
    return stream;
}

/* Elements that lie one after the other and are numbered so: `to` is the first in the result, `index` its number. */
typedef struct Run {
    size_t to, index, n;
} Run;

/* The elements from `at` up to `last` that follow each other, at most `most` of them. Without an axis of rows all do,
 * numbered from 0. With one, axis `axis` is rows, each of equal pieces of it: element i of row r, in row-major order of
 * all but the rows, is number (first row + r) (elements of a row) + i. */
static Run run_at(const CgCall *call, size_t at, size_t last, size_t most)
{
    const CgTensor *y = call->out;
    int64_t axis = cg_attr_int(call->attrs, "axis", -1), rows = cg_attr_size(call->attrs, "rows", 1);
    Run r = { .to = at, .index = at, .n = last - at };
    if (axis >= 0) {
        size_t outer = 1, piece = 1, n = (size_t)rows;
        for (int i = 0; i < y->rank; i++)
            *(i < axis ? &outer : &piece) *= (size_t)y->dim[i];
        piece /= n;
        size_t within = at % piece, row = at / piece % n, before = at / piece / n;
        r.index = (((size_t)call->row + row) * outer + before) * piece + within;
        if (outer > 1 && piece - within < r.n)
            r.n = piece - within;
    }
    r.n = r.n < most ? r.n : most;
    return r;
}

/* n elements from one random word each. Words are given in pairs: with `odd` the first one is the second of its pair.
 */
typedef void Chunk(const CgCall *call, void *to, const uint32_t *bits, size_t odd, size_t n);

/* The elements of a shard, a chunk at a time. */
static void by_chunks(const CgCall *call, CgShard shard, Chunk *chunk)
{
    uint32_t bits[CHUNK + 2];
    size_t first, last, size = cg_dtype_size(call->out->dtype);
    uint64_t stream = stream_of(call);
    Run r;
    cg_shard_range(shard, (size_t)cg_tensor_count(call->out), CG_SHARD, &first, &last);
    for (size_t at = first; at < last; at += r.n) {
        r = run_at(call, at, last, CHUNK);
        size_t odd = r.index % 2, words = odd + r.n;
        cg_random_bits(call->seed, stream, call->step, r.index - odd, words + words % 2, bits);
        chunk(call, (char *)call->out->data + r.to * size, bits, odd, r.n);
    }
}

/* The upper 24 bits as a fraction: every value is exact in f32, so f32 and f64 runs draw the same numbers. */
#define UNIFORM(T, name)                                                                                \
    static void name##_chunk(const CgCall *call, void *out, const uint32_t *bits, size_t odd, size_t n) \
    {                                                                                                   \
        T *to = out;                                                                                    \
        (void)call;                                                                                     \
        for (size_t i = 0; i < n; i++)                                                                  \
            to[i] = (T)(int32_t)(bits[odd + i] >> 8) * (T)0x1p-24;                                      \
    }                                                                                                   \
    static void name(const CgCall *call, CgShard shard) { by_chunks(call, shard, name##_chunk); }
UNIFORM(float, random_uniform_f32)
UNIFORM(double, random_uniform_f64)

/* Box and Muller (1958): elements 2i and 2i + 1 from words 2i and 2i + 1; u in (0, 1] keeps the logarithm finite. */
#define NORMAL(T, name)                                                                                 \
    static void name##_chunk(const CgCall *call, void *out, const uint32_t *bits, size_t odd, size_t n) \
    {                                                                                                   \
        T *to = out;                                                                                    \
        (void)call;                                                                                     \
        for (size_t i = 0; i < odd + n; i += 2) {                                                       \
            double u = ((double)bits[i] + 1.0) * 0x1p-32, v = (double)bits[i + 1] * 0x1p-32;            \
            double r = sqrt(-2.0 * log(u)), a = 6.283185307179586477 * v;                               \
            if (i >= odd)                                                                               \
                to[i - odd] = (T)(r * cos(a));                                                          \
            if (i + 1 < odd + n)                                                                        \
                to[i + 1 - odd] = (T)(r * sin(a));                                                      \
        }                                                                                               \
    }                                                                                                   \
    static void name(const CgCall *call, CgShard shard) { by_chunks(call, shard, name##_chunk); }
NORMAL(float, random_normal_f32)
NORMAL(double, random_normal_f64)

/* The upper part of word * below: each number has the chance 1 / below but for 2^-32. */
#define INTEGER(T, name)                                                                                \
    static void name##_chunk(const CgCall *call, void *out, const uint32_t *bits, size_t odd, size_t n) \
    {                                                                                                   \
        T *to = out;                                                                                    \
        uint64_t below = (uint64_t)cg_attr_size(call->attrs, "below", 1);                               \
        for (size_t i = 0; i < n; i++)                                                                  \
            to[i] = (T)((uint64_t)bits[odd + i] * below >> 32);                                         \
    }                                                                                                   \
    static void name(const CgCall *call, CgShard shard) { by_chunks(call, shard, name##_chunk); }
INTEGER(int32_t, random_integer_i32)
INTEGER(int64_t, random_integer_i64)

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
    { .in = "", .attrs = "type=F[7,11,3], stream=31, axis=1, rows=11" },
    { .in = "i32[] i64[]", .attrs = "type=F[26,5], stream=31, axis=0, rows=13", .low = 0, .high = 9 },
    { .in = NULL },
};

static const CgSample integer_samples[] = {
    { .in = "", .attrs = "type=i32[7,11], stream=5, below=3" },
    { .in = "i32[]", .attrs = "type=i64[131,601], stream=5, below=1000003, axis=0, rows=131", .low = 0, .high = 9 },
    { .in = NULL },
};

static const CgDim *integer_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)in;
    return cg_attr_dim(inf->attrs, "below");
}

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

#define RANDOM_SIG "(turns: tensors, type: type, stream: int, axis: int = -1, rows: dim = none"
#define RANDOM_DOC                                                                                                    \
    "\n\nA function of (seed, stream, turns, step, row, index): Philox 4x32-10 (Salmon et al. 2011). `rows` are how " \
    "many rows of a batch the axis `axis` is made of, each with numbers of its own; -1: none is.\n"

static const CgOp op_random_uniform = {
    CG_OP_HERE,
    .name = "random_uniform",
    .sig = RANDOM_SIG ") -> F[..s]",
    .doc = "Random numbers, evenly spread over [0, 1), in steps of 2^-24." RANDOM_DOC,
    .shape = random_shape,
    .work = generator_work,
    .traits = CG_GENERATOR | CG_NODIFF | CG_RANDOM,
    .samples = random_samples,
    .kernel = CG_FLOAT_KERNELS(random_uniform),
};

static const CgOp op_random_normal = {
    CG_OP_HERE,
    .name = "random_normal",
    .sig = RANDOM_SIG ") -> F[..s]",
    .doc = "Random numbers with mean 0 and deviation 1, normally distributed (Box and Muller 1958)." RANDOM_DOC,
    .shape = random_shape,
    .work = generator_work,
    .traits = CG_GENERATOR | CG_NODIFF | CG_RANDOM,
    .samples = random_samples,
    .kernel = CG_FLOAT_KERNELS(random_normal),
};

static const CgOp op_random_integer = {
    CG_OP_HERE,
    .name = "random_integer",
    .sig = RANDOM_SIG ", below: dim) -> I[..s]",
    .doc = "Random integers from 0 to below - 1, each as likely as any other." RANDOM_DOC,
    .below = integer_below,
    .shape = random_shape,
    .work = generator_work,
    .traits = CG_GENERATOR | CG_NODIFF | CG_RANDOM,
    .samples = integer_samples,
    .kernel = { [CG_I32] = random_integer_i32, [CG_I64] = random_integer_i64 },
};

CG_OPS(generate, &op_iota, &op_random_uniform, &op_random_normal, &op_random_integer)
