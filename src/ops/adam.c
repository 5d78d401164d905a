/* adam.c - the update of Adam, all of it in one sweep, and with a mean of what the parameter was.
 * Takes a parameter, its gradient, the two running averages and perhaps the mean, of any shape and contiguous; gives
 * all but the gradient anew, in place where the plan allows it. Must not know of steps or schedules: those are scalars
 * it is given. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#define SHARD (CG_SHARD / 2) /* elements a shard: there is much to do for each */

enum { P, G, M, V, RATE, SCALE, LIFT_M, LIFT_V, OPERANDS, MEAN = OPERANDS, SHARE };

static bool is_number(int operand) { return operand >= RATE && operand != MEAN; }

static bool adam_shape(CgInfer *inf)
{
    static const char *const numbers[] = { "beta1", "beta2", "eps", "decay" };
    if (!cg_want_float(inf, P))
        return false;
    for (int i = G; i < inf->nin; i++) {
        if (!is_number(i) && !cg_want_same(inf, i, P))
            return false;
        if (is_number(i) && (!cg_want_dtype(inf, i, P) || !cg_want_rank(inf, i, 0, 0)))
            return false;
    }
    for (int i = 0; i < 4; i++)
        if (!isfinite(cg_attr_float(inf->attrs, numbers[i], 0)))
            return cg_infer_fail(inf, -1, -1, "adam: %s must be a number", numbers[i]);
    for (int i = 0; i < (inf->nin > OPERANDS ? 4 : 3); i++)
        inf->out[i] = inf->in[P];
    return true;
}

static void adam_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->out);
    double flops = call->nin > OPERANDS ? 20 : 17, numbers = call->nin > OPERANDS ? 9 : 7;
    *work = (CgWork){ .flops = flops * (double)n,
        .bytes = numbers * (double)n * (double)cg_dtype_size(call->out->dtype),
        .shards = (n + SHARD - 1) / SHARD };
    if (!work->shards)
        work->shards = 1;
}

/* LOAD(T) finds what is kept beside the three results, BEFORE(T, i) reads it of element i, AFTER(i, p) writes it when
 * the parameter has become p. The greatest magnitude of the new parameters says whether all of them are finite. */
#define ADAM(T, name, root, MAGNITUDE, ENDLESS, LOAD, BEFORE, AFTER)                                                \
    static void name(const CgCall *call, CgShard shard)                                                             \
    {                                                                                                               \
        const T *p = call->in[P].data, *g = call->in[G].data, *m = call->in[M].data, *v = call->in[V].data;         \
        T rate = *(const T *)call->in[RATE].data, scale = *(const T *)call->in[SCALE].data;                         \
        T lift_m = *(const T *)call->in[LIFT_M].data, lift_v = *(const T *)call->in[LIFT_V].data;                   \
        double beta1 = cg_attr_float(call->attrs, "beta1", 0.9), beta2 = cg_attr_float(call->attrs, "beta2", 0.95); \
        T a = (T)beta1, a1 = (T)(1 - beta1), b = (T)beta2, b1 = (T)(1 - beta2);                                     \
        T eps = (T)cg_attr_float(call->attrs, "eps", 1e-8), decay = (T)cg_attr_float(call->attrs, "decay", 0);      \
        T *new_p = call->out[0].data, *new_m = call->out[1].data, *new_v = call->out[2].data;                       \
        size_t first, last;                                                                                         \
        cg_shard_range(shard, (size_t)cg_tensor_count(call->out), 16, &first, &last);                               \
        LOAD(T)                                                                                                     \
        __typeof__(cg_##MAGNITUDE(0)) top = 0;                                                                      \
        CG_PRAGMA_(omp simd reduction(max : top))                                                                   \
        for (size_t i = first; i < last; i++) {                                                                     \
            T x = scale * g[i], w = p[i], mean = a * m[i] + a1 * x, square = b * v[i] + b1 * (x * x);               \
            BEFORE(T, i)                                                                                            \
            new_m[i] = mean;                                                                                        \
            new_v[i] = square;                                                                                      \
            new_p[i] = w = w - rate * (lift_m * mean / (root(lift_v * square) + eps) + decay * w);                  \
            AFTER(i, w)                                                                                             \
            top = cg_##MAGNITUDE(w) > top ? cg_##MAGNITUDE(w) : top;                                                \
        }                                                                                                           \
        if (call->checked & 1 && top >= ENDLESS)                                                                    \
            cg_note_not_finite(call);                                                                               \
    }
#define NOTHING(...)
#define LOAD_MEAN(T)                                                              \
    const T *old = call->in[MEAN].data, share = *(const T *)call->in[SHARE].data; \
    T *new_mean = call->out[3].data;
#define READ_MEAN(T, i)  T before = old[i];
#define WRITE_MEAN(i, w) new_mean[i] = before + share * (w - before);
ADAM(float, adam_f32, sqrtf, magnitude_f32, CG_ENDLESS_F32, NOTHING, NOTHING, NOTHING)
ADAM(double, adam_f64, sqrt, magnitude_f64, CG_ENDLESS_F64, NOTHING, NOTHING, NOTHING)
ADAM(float, adam_mean_f32, sqrtf, magnitude_f32, CG_ENDLESS_F32, LOAD_MEAN, READ_MEAN, WRITE_MEAN)
ADAM(double, adam_mean_f64, sqrt, magnitude_f64, CG_ENDLESS_F64, LOAD_MEAN, READ_MEAN, WRITE_MEAN)

static void adam_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef p = site->in[P], scalar[OPERANDS];
    CgType t = cg_ref_type(b, p);
    double beta1 = cg_attr_float(site->attrs, "beta1", 0.9), beta2 = cg_attr_float(site->attrs, "beta2", 0.95);
    for (int i = RATE; i < OPERANDS; i++)
        scalar[i] = cg_broadcast_scalar(b, site->in[i], t);
    CgRef x = cg_mul(b, site->in[G], scalar[SCALE]);
    CgRef m = cg_add(b, cg_scale(b, site->in[M], beta1), cg_scale(b, x, 1 - beta1));
    CgRef v = cg_add(b, cg_scale(b, site->in[V], beta2), cg_scale(b, cg_mul(b, x, x), 1 - beta2));
    CgRef below = cg_add(
        b, cg_u(b, "sqrt", cg_mul(b, v, scalar[LIFT_V])), cg_fill(b, t, cg_attr_float(site->attrs, "eps", 1e-8)));
    CgRef move = cg_add(
        b, cg_div(b, cg_mul(b, m, scalar[LIFT_M]), below), cg_scale(b, p, cg_attr_float(site->attrs, "decay", 0)));
    out[0] = cg_sub(b, p, cg_mul(b, move, scalar[RATE]));
    out[1] = m;
    out[2] = v;
}

static void adam_mean_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef mean = site->in[MEAN];
    adam_expand(b, site, out);
    out[3] = cg_add(
        b, mean, cg_mul(b, cg_broadcast_scalar(b, site->in[SHARE], cg_ref_type(b, mean)), cg_sub(b, out[0], mean)));
}

/* mean + share (p - mean), where p is what adam gives; factors and terms in any order. That adam becomes part
 * of this op (`merge_into`). */
static CgRef adam_mean_match(CgBuild *b, CgRef root)
{
    for (int k = 0; k < 4 && cg_ref_is(b, root, "add"); k++) {
        CgRef mean = cg_ref_in(b, root, k / 2), move = cg_ref_in(b, root, 1 - k / 2), in[SHARE + 1];
        if (!cg_ref_is(b, move, "mul"))
            continue;
        CgRef share = cg_ref_in(b, move, k % 2), away = cg_ref_in(b, move, 1 - k % 2);
        if (!cg_ref_is(b, share, "broadcast") || cg_ref_type(b, cg_ref_in(b, share, 0)).rank != 0)
            continue;
        if (!cg_ref_is(b, away, "sub") || cg_ref_in(b, away, 1) != mean || !cg_ref_is(b, cg_ref_in(b, away, 0), "adam"))
            continue;
        CgRef adam = cg_ref_in(b, away, 0);
        for (int i = 0; i < OPERANDS; i++)
            in[i] = cg_ref_in(b, adam, i);
        in[MEAN] = mean;
        in[SHARE] = cg_ref_in(b, share, 0);
        return cg_build_result(b, cg_build(b, "adam_mean", SHARE + 1, in, cg_ref_attrs(b, adam)), 3);
    }
    return CG_NONE;
}

static const CgSample adam_samples[] = {
    { .in = "F[3,7] F[3,7] F[3,7] F[3,7] F[] F[] F[] F[]",
        .attrs = "beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1",
        .low = 0.385,
        .high = 2.385 },
    { .in = "F[2,5,61] F[2,5,61] F[2,5,61] F[2,5,61] F[] F[] F[] F[]",
        .attrs = "beta1=0.5, beta2=0.71, eps=0.01, decay=0.0",
        .low = 0.385,
        .high = 2.385 },
    { .in = NULL },
};

static const CgSample adam_mean_samples[] = {
    { .in = "F[3,7] F[3,7] F[3,7] F[3,7] F[] F[] F[] F[] F[3,7] F[]",
        .attrs = "beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1",
        .low = 0.385,
        .high = 2.385 },
    { .in = "F[2,5,61] F[2,5,61] F[2,5,61] F[2,5,61] F[] F[] F[] F[] F[2,5,61] F[]",
        .attrs = "beta1=0.5, beta2=0.71, eps=0.01, decay=0.0",
        .low = 0.385,
        .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_adam = {
    CG_OP_HERE,
    .name = "adam",
    .sig = "(p: F[..s], g: F[..s], m: F[..s], v: F[..s], rate: F[], scale: F[], lift_m: F[], lift_v: F[], beta1: float "
           "= 0.9, beta2: float = 0.95, "
           "eps: float = 1e-8, decay: float = 0.0) -> (F[..s], F[..s], F[..s])",
    .doc = "One step of Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019): with x = "
           "scale g,\n"
           "m' = beta1 m + (1 - beta1) x and v' = beta2 v + (1 - beta2) x^2, gives\n"
           "p - rate (lift_m m' / (sqrt(lift_v v') + eps) + decay p), m' and v'.\n\n"
           "lift_m and lift_v take back that m and v began at 0: 1 / (1 - beta^t) in step t = 1, 2, ...\n",
    .shape = adam_shape,
    .expand = adam_expand,
    .kernel = CG_FLOAT_KERNELS(adam),
    .checks = 1,
    .work = adam_work,
    .inplace = 1 << P | 1 << G | 1 << M | 1 << V,
    .merge_into = "adam_mean",
    .nout = 3,
    .samples = adam_samples,
};

static const CgOp op_adam_mean = {
    CG_OP_HERE,
    .name = "adam_mean",
    .sig = "(p: F[..s], g: F[..s], m: F[..s], v: F[..s], rate: F[], scale: F[], lift_m: F[], lift_v: F[], mean: "
           "F[..s], share: F[], "
           "beta1: float = 0.9, beta2: float = 0.95, eps: float = 1e-8, decay: float = 0.0) -> (F[..s], F[..s], "
           "F[..s], F[..s])",
    .doc = "adam and, from its p', mean + share (p' - mean): the mean of the parameter over the steps, without reading "
           "it again.\n",
    .shape = adam_shape,
    .expand = adam_mean_expand,
    .kernel = CG_FLOAT_KERNELS(adam_mean),
    .checks = 1,
    .work = adam_work,
    .match = adam_mean_match,
    .inplace = 1 << P | 1 << G | 1 << M | 1 << V | 1 << MEAN,
    .nout = 4,
    .samples = adam_mean_samples,
};

CG_OPS(adam, &op_adam, &op_adam_mean)
