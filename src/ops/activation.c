/* activation.c - silu and gelu with their derivatives in one sweep.
 * Takes float tensors of any shape; gives one of the same shape. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

static bool float_shape(CgInfer *inf) { return cg_want_float(inf, 0) && cg_shape_same(inf); }

CG_VEC1(silu_f32, float, float, x *cg_sigmoid_f32(x))
CG_VEC1(silu_f64, double, double, x *cg_sigmoid_f64(x))
static inline float silu_derivative_f32(float x)
{
    float s = cg_sigmoid_f32(x);
    return s * (1.0f + x * (1.0f - s));
}

static inline double silu_derivative_f64(double x)
{
    double s = cg_sigmoid_f64(x);
    return s * (1.0 + x * (1.0 - s));
}

#define GELU(T, suffix)                                     \
    static inline T gelu_of_##suffix(T x)                   \
    {                                                       \
        T density;                                          \
        return x * cg_normal_##suffix(x, &density);         \
    }                                                       \
    static inline T gelu_derivative_##suffix(T x)           \
    {                                                       \
        T density, below = cg_normal_##suffix(x, &density); \
        return below + x * density;                         \
    }
GELU(float, f32)
GELU(double, f64)

CG_VEC1(gelu_f32, float, float, gelu_of_f32(x))
CG_VEC1(gelu_f64, double, double, gelu_of_f64(x))
CG_VEC2(silu_vjp_f32, float, float, y *silu_derivative_f32(x))
CG_VEC2(silu_vjp_f64, double, double, y *silu_derivative_f64(x))
CG_VEC2(gelu_vjp_f32, float, float, y *gelu_derivative_f32(x))
CG_VEC2(gelu_vjp_f64, double, double, y *gelu_derivative_f64(x))

static void silu_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = cg_b(b, "silu_vjp", site->in[0], site->gout[0]);
}
static void gelu_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = cg_b(b, "gelu_vjp", site->in[0], site->gout[0]);
}

static void silu_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_mul(b, site->in[0], cg_u(b, "sigmoid", site->in[0]));
}

/* Phi(x), the normal distribution function. */
static CgRef normal_cdf(CgBuild *b, CgRef x)
{
    CgRef half = cg_fill_like(b, x, 0.5);
    return cg_add(b, half, cg_mul(b, half, cg_u(b, "erf", cg_scale(b, x, 0.70710678118654752440))));
}

static void gelu_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_mul(b, site->in[0], normal_cdf(b, site->in[0]));
}

/* g s (1 + x (1 - s)) with s = sigmoid(x) */
static void silu_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0], g = site->in[1], one = cg_fill_like(b, x, 1), s = cg_u(b, "sigmoid", x);
    out[0] = cg_mul(b, g, cg_mul(b, s, cg_add(b, one, cg_mul(b, x, cg_sub(b, one, s)))));
}

/* g (Phi(x) + x exp(-x^2/2) / sqrt(2 pi)) */
static void gelu_vjp_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0], g = site->in[1];
    CgRef density = cg_scale(b, cg_exp(b, cg_scale(b, cg_mul(b, x, x), -0.5)), 0.39894228040143267794);
    out[0] = cg_mul(b, g, cg_add(b, normal_cdf(b, x), cg_mul(b, x, density)));
}

static const CgSample one_samples[] = { { .in = "F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,5,3]", .low = -7.1, .high = 7.1 }, { .in = NULL } };
static const CgSample two_samples[] = { { .in = "F[3,7] F[3,7]", .low = -2.385, .high = 2.385 }, { .in = NULL } };

static const CgOp op_silu = {
    CG_OP_HERE,
    .name = "silu",
    .sig = "(x: F[..s]) -> F[..s]",
    .doc = "x * sigmoid(x), also called swish (Elfwing et al. 2017; Ramachandran et al. 2017).\n",
    .shape = float_shape,
    .vjp = silu_vjp,
    .expand = silu_expand,
    .vec = CG_FLOAT_KERNELS(silu),
    .traits = CG_ELEMENTWISE,
    .inplace = 1,
    .samples = one_samples,
};

static const CgOp op_silu_vjp = {
    CG_OP_HERE,
    .name = "silu_vjp",
    .sig = "(x: F[..s], g: F[..s]) -> F[..s]",
    .doc = "Derivative of silu: g * s * (1 + x * (1 - s)) with s = sigmoid(x).\n",
    .shape = float_shape,
    .expand = silu_vjp_expand,
    .vec = CG_FLOAT_KERNELS(silu_vjp),
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = two_samples,
};

static const CgOp op_gelu = {
    CG_OP_HERE,
    .name = "gelu",
    .sig = "(x: F[..s]) -> F[..s]",
    .doc = "x * Phi(x) with Phi the normal distribution function, through erf (Hendrycks and Gimpel 2016); not the "
           "tanh form.\n",
    .shape = float_shape,
    .vjp = gelu_vjp,
    .expand = gelu_expand,
    .vec = CG_FLOAT_KERNELS(gelu),
    .traits = CG_ELEMENTWISE,
    .inplace = 1,
    .samples = one_samples,
};

static const CgOp op_gelu_vjp = {
    CG_OP_HERE,
    .name = "gelu_vjp",
    .sig = "(x: F[..s], g: F[..s]) -> F[..s]",
    .doc = "Derivative of gelu: g * (Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi)).\n",
    .shape = float_shape,
    .expand = gelu_vjp_expand,
    .vec = CG_FLOAT_KERNELS(gelu_vjp),
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = two_samples,
};

CG_OPS(activation, &op_silu, &op_silu_vjp, &op_gelu, &op_gelu_vjp)
