/* adam.c - the update of Adam, all of it in one sweep.
 * Takes a parameter, its gradient and the two running averages, of any shape and contiguous; gives the first and the averages
 * anew, in place where the plan allows it. Must not know of steps or schedules: those are scalars it is given. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

#define PART (CG_PART / 2)      /* elements a part: there is much to do for each */

enum { P, G, M, V, RATE, SCALE, LIFT_M, LIFT_V, OPERANDS };

static bool adam_shape(CgInfer *inf)
{
    static const char *const numbers[] = { "beta1", "beta2", "eps", "decay" };
    if (!cg_want_float(inf, P)) return false;
    for (int i = G; i < RATE; i++)
        if (!cg_want_same(inf, i, P)) return false;
    for (int i = RATE; i < OPERANDS; i++)
        if (!cg_want_dtype(inf, i, P) || !cg_want_rank(inf, i, 0, 0)) return false;
    for (int i = 0; i < 4; i++)
        if (!isfinite(cg_attr_float(inf->attrs, numbers[i], 0))) return cg_infer_fail(inf, -1, -1, "adam: %s must be a number", numbers[i]);
    for (int i = 0; i < 3; i++) inf->out[i] = inf->in[P];
    return true;
}

static void adam_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(call->out);
    *work = (CgWork){ .flops = 17.0 * (double)n, .bytes = 7.0 * (double)n * (double)cg_dtype_size(call->out->dtype), .parts = (n + PART - 1) / PART };
    if (!work->parts) work->parts = 1;
}

#define ADAM(T, suffix, root)                                                                                   \
    static void adam_##suffix(const CgCall *call, CgPart part)                                                  \
    {                                                                                                           \
        const T *p = call->in[P].data, *g = call->in[G].data, *m = call->in[M].data, *v = call->in[V].data;     \
        T rate = *(const T *)call->in[RATE].data, scale = *(const T *)call->in[SCALE].data;                     \
        T lift_m = *(const T *)call->in[LIFT_M].data, lift_v = *(const T *)call->in[LIFT_V].data;               \
        double beta1 = cg_attr_float(call->attrs, "beta1", 0.9), beta2 = cg_attr_float(call->attrs, "beta2", 0.95); \
        T a = (T)beta1, a1 = (T)(1 - beta1), b = (T)beta2, b1 = (T)(1 - beta2);                                 \
        T eps = (T)cg_attr_float(call->attrs, "eps", 1e-8), decay = (T)cg_attr_float(call->attrs, "decay", 0);  \
        T *new_p = call->out[0].data, *new_m = call->out[1].data, *new_v = call->out[2].data;                   \
        size_t first, last;                                                                                     \
        cg_part_range(part, (size_t)cg_tensor_count(call->out), 16, &first, &last);                             \
        CG_SIMD                                                                                                 \
        for (size_t i = first; i < last; i++) {                                                                 \
            T x = scale * g[i], w = p[i], mean = a * m[i] + a1 * x, square = b * v[i] + b1 * (x * x);           \
            new_m[i] = mean;                                                                                    \
            new_v[i] = square;                                                                                  \
            new_p[i] = w - rate * (lift_m * mean / (root(lift_v * square) + eps) + decay * w);                  \
        }                                                                                                       \
    }
ADAM(float, f32, sqrtf)
ADAM(double, f64, sqrt)

static void adam_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef p = site->in[P], scalar[OPERANDS];
    CgType t = cg_ref_type(b, p);
    double beta1 = cg_attr_float(site->attrs, "beta1", 0.9), beta2 = cg_attr_float(site->attrs, "beta2", 0.95);
    for (int i = RATE; i < OPERANDS; i++) scalar[i] = cg_broadcast_scalar(b, site->in[i], t);
    CgRef x = cg_mul(b, site->in[G], scalar[SCALE]);
    CgRef m = cg_add(b, cg_scale(b, site->in[M], beta1), cg_scale(b, x, 1 - beta1));
    CgRef v = cg_add(b, cg_scale(b, site->in[V], beta2), cg_scale(b, cg_mul(b, x, x), 1 - beta2));
    CgRef below = cg_add(b, cg_u(b, "sqrt", cg_mul(b, v, scalar[LIFT_V])), cg_fill(b, t, cg_attr_float(site->attrs, "eps", 1e-8)));
    CgRef move = cg_add(b, cg_div(b, cg_mul(b, m, scalar[LIFT_M]), below), cg_scale(b, p, cg_attr_float(site->attrs, "decay", 0)));
    out[0] = cg_sub(b, p, cg_mul(b, move, scalar[RATE]));
    out[1] = m;
    out[2] = v;
}

static const CgSample adam_samples[] = {
    { .in = "F[3,7] F[3,7] F[3,7] F[3,7] F[] F[] F[] F[]", .attrs = "beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1", .low = 0.385, .high = 2.385 },
    { .in = "F[2,5,61] F[2,5,61] F[2,5,61] F[2,5,61] F[] F[] F[] F[]", .attrs = "beta1=0.5, beta2=0.71, eps=0.01, decay=0.0", .low = 0.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_adam = { CG_OP_HERE,
    .name = "adam",
    .sig = "(p: F[..s], g: F[..s], m: F[..s], v: F[..s], rate: F[], scale: F[], lift_m: F[], lift_v: F[], beta1: float = 0.9, beta2: float = 0.95, "
           "eps: float = 1e-8, decay: float = 0.0) -> (F[..s], F[..s], F[..s])",
    .doc = "One step of Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019): with x = scale g,\n"
           "m' = beta1 m + (1 - beta1) x and v' = beta2 v + (1 - beta2) x^2, gives\n"
           "p - rate (lift_m m' / (sqrt(lift_v v') + eps) + decay p), m' and v'.\n\n"
           "lift_m and lift_v take back that m and v began at 0: 1 / (1 - beta^t) in step t = 1, 2, ...\n",
    .shape = adam_shape, .expand = adam_expand, .kernel = CG_FLOAT_KERNELS(adam), .work = adam_work,
    .inplace = 1 << P | 1 << G | 1 << M | 1 << V, .nout = 3, .samples = adam_samples,
};

CG_OPS(adam, &op_adam)
