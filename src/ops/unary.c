/* unary.c - functions of one element.
 * Takes one tensor of any shape; gives one of the same shape. Each op is a line of arithmetic and a derivative;
 * the loops over shapes are in elementwise.h's kernel. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

/* ---- shape rules ---- */

static bool float_shape(CgInfer *inf) { return cg_want_float(inf, 0) && cg_shape_same(inf); }
static bool number_shape(CgInfer *inf) { return cg_want_number(inf, 0) && cg_shape_same(inf); }

static bool is_finite_shape(CgInfer *inf)
{
    inf->out[0] = cg_type_as(inf->in[0], CG_BOOL);
    return cg_want_float(inf, 0);
}

static bool not_shape(CgInfer *inf) { return cg_want_bool(inf, 0) && cg_shape_same(inf); }

/* ---- kernels ---- */

#define BOTH(op, expr_f32, expr_f64)          \
    CG_VEC1(op##_f32, float, float, expr_f32) \
    CG_VEC1(op##_f64, double, double, expr_f64)

BOTH(neg, -x, -x)
CG_VEC1(neg_i32, int32_t, int32_t, (uint32_t)0 - (uint32_t)x)
CG_VEC1(neg_i64, int64_t, int64_t, (uint64_t)0 - (uint64_t)x)
BOTH(abs, fabsf(x), fabs(x))
CG_VEC1(abs_i32, int32_t, int32_t, x < 0 ? (uint32_t)0 - (uint32_t)x : (uint32_t)x)
CG_VEC1(abs_i64, int64_t, int64_t, x < 0 ? (uint64_t)0 - (uint64_t)x : (uint64_t)x)
BOTH(sign, x > 0 ? 1.0f : x < 0 ? -1.0f : x, x > 0 ? 1.0 : x < 0 ? -1.0 : x)
CG_VEC1(sign_i32, int32_t, int32_t, (x > 0) - (x < 0))
CG_VEC1(sign_i64, int64_t, int64_t, (x > 0) - (x < 0))
BOTH(exp, cg_exp_f32(x), cg_exp_f64(x))
BOTH(log, cg_log_f32(x), cg_log_f64(x))
BOTH(log1p, cg_log1p_f32(x), cg_log1p_f64(x))
BOTH(expm1, cg_expm1_f32(x), cg_expm1_f64(x))
BOTH(sqrt, sqrtf(x), sqrt(x))
BOTH(rsqrt, 1.0f / sqrtf(x), 1.0 / sqrt(x))
BOTH(tanh, cg_tanh_f32(x), cg_tanh_f64(x))
BOTH(sigmoid, cg_sigmoid_f32(x), cg_sigmoid_f64(x))
BOTH(erf, cg_erf_f32(x), cg_erf_f64(x))
BOTH(floor, floorf(x), floor(x))
BOTH(ceil, ceilf(x), ceil(x))
BOTH(round, rintf(x), rint(x))
CG_VEC1(sin_fast, float, float, cg_sin_f32(x))
CG_VEC1(cos_fast, float, float, cg_cos_f32(x))
CG_VEC1(sin_f64, double, double, sin(x))
CG_VEC1(cos_f64, double, double, cos(x))
BOTH(tan, tanf(x), tan(x))
BOTH(asin, asinf(x), asin(x))
BOTH(acos, acosf(x), acos(x))
BOTH(atan, atanf(x), atan(x))
BOTH(sinh, sinhf(x), sinh(x))
BOTH(cosh, coshf(x), cosh(x))
BOTH(asinh, asinhf(x), asinh(x))
BOTH(acosh, acoshf(x), acosh(x))
BOTH(atanh, atanhf(x), atanh(x))
BOTH(trunc, truncf(x), trunc(x))
/* log(1 + exp(x)) with the exponential of what is below 0; NaN passes both. */
BOTH(softplus,
    (x > 0          ? x
            : x < 0 ? 0
                    : 0 * x)
        + cg_log1p_f32(cg_exp_f32(-fabsf(x))),
    (x > 0          ? x
            : x < 0 ? 0
                    : 0 * x)
        + log1p(exp(-fabs(x))))
CG_VEC1(is_finite_f32, float, uint8_t, fabsf(x) < INFINITY)
CG_VEC1(is_finite_f64, double, uint8_t, fabs(x) < INFINITY)
CG_VEC1(not_bool, uint8_t, uint8_t, x == 0)

/* Past 1e6 the reduction of vmath.h loses its bound: such blocks go to the C library, element by element. */
static bool far_from_zero(const float *x, size_t n)
{
    int far = 0;
    for (size_t i = 0; i < n; i++)
        far |= !(fabsf(x[i]) <= 1e6f);
    return far;
}

static void sin_f32(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    const float *x = in[0];
    float *y = out;
    if (!far_from_zero(x, n))
        sin_fast(in, out, n, attrs);
    else
        for (size_t i = 0; i < n; i++)
            y[i] = sinf(x[i]);
}

static void cos_f32(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    const float *x = in[0];
    float *y = out;
    if (!far_from_zero(x, n))
        cos_fast(in, out, n, attrs);
    else
        for (size_t i = 0; i < n; i++)
            y[i] = cosf(x[i]);
}

/* ---- derivatives; g is the derivative by the result y ---- */

#define VJP(op, expr)                                                \
    static void op##_vjp(CgBuild *b, const CgSite *site, CgRef *gin) \
    {                                                                \
        CgRef x = site->in[0], y = site->out[0], g = site->gout[0];  \
        (void)x;                                                     \
        (void)y;                                                     \
        gin[0] = expr;                                               \
    }
#define K(v) cg_fill_like(b, x, v)

VJP(neg, cg_neg(b, g))
VJP(abs, cg_mul(b, g, cg_u(b, "sign", x))) /* |x|' = sign x, 0 at 0 */
VJP(exp, cg_mul(b, g, y))
VJP(log, cg_div(b, g, x))
VJP(log1p, cg_div(b, g, cg_add(b, x, K(1))))                  /* 1 / (1 + x) */
VJP(expm1, cg_mul(b, g, cg_add(b, y, K(1))))                  /* exp x = y + 1 */
VJP(sqrt, cg_div(b, cg_mul(b, g, K(0.5)), y))                 /* 1 / (2 sqrt x) */
VJP(rsqrt, cg_mul(b, cg_mul(b, g, K(-0.5)), cg_div(b, y, x))) /* -x^(-3/2) / 2 */
VJP(sin, cg_mul(b, g, cg_u(b, "cos", x)))
VJP(cos, cg_neg(b, cg_mul(b, g, cg_u(b, "sin", x))))
VJP(tanh, cg_mul(b, g, cg_sub(b, K(1), cg_mul(b, y, y))))                              /* 1 - tanh^2 */
VJP(sigmoid, cg_mul(b, g, cg_mul(b, y, cg_sub(b, K(1), y))))                           /* s (1 - s) */
VJP(tan, cg_mul(b, g, cg_add(b, K(1), cg_mul(b, y, y))))                               /* 1 + tan^2 */
VJP(asin, cg_mul(b, g, cg_u(b, "rsqrt", cg_sub(b, K(1), cg_mul(b, x, x)))))            /* 1 / sqrt(1 - x^2) */
VJP(acos, cg_neg(b, cg_mul(b, g, cg_u(b, "rsqrt", cg_sub(b, K(1), cg_mul(b, x, x)))))) /* -1 / sqrt(1 - x^2) */
VJP(atan, cg_div(b, g, cg_add(b, K(1), cg_mul(b, x, x))))                              /* 1 / (1 + x^2) */
VJP(sinh, cg_mul(b, g, cg_u(b, "cosh", x)))
VJP(cosh, cg_mul(b, g, cg_u(b, "sinh", x)))
VJP(asinh, cg_mul(b, g, cg_u(b, "rsqrt", cg_add(b, K(1), cg_mul(b, x, x))))) /* 1 / sqrt(1 + x^2) */
VJP(acosh,
    cg_mul(b, g,
        cg_mul(b, cg_u(b, "rsqrt", cg_sub(b, x, K(1))), cg_u(b, "rsqrt", cg_add(b, x, K(1)))))) /* 1 / sqrt(x^2 - 1) */
VJP(atanh, cg_div(b, g, cg_sub(b, K(1), cg_mul(b, x, x))))                                      /* 1 / (1 - x^2) */
VJP(softplus, cg_mul(b, g, cg_u(b, "sigmoid", x)))
VJP(erf,
    cg_mul(
        b, g, cg_mul(b, cg_exp(b, cg_neg(b, cg_mul(b, x, x))), K(1.12837916709551257390)))) /* 2/sqrt(pi) exp(-x^2) */

#undef K
#undef VJP

/* ---- folding ---- */

/* Of a constant, with the C library in f64, rounded to the type. */
#define FOLD(op, expr)                                           \
    static CgRef op##_fold(CgBuild *b, const CgSite *site)       \
    {                                                            \
        double x;                                                \
        if (!cg_ref_const(b, site->in[0], &x))                   \
            return CG_NONE;                                      \
        return cg_fold_to(b, cg_ref_type(b, site->in[0]), expr); \
    }
FOLD(sign, x > 0 ? 1 : x < 0 ? -1 : x)
FOLD(exp, exp(x))
FOLD(log, log(x))
FOLD(log1p, log1p(x))
FOLD(expm1, expm1(x))
FOLD(sqrt, sqrt(x))
FOLD(rsqrt, 1 / sqrt(x))
FOLD(sin, sin(x))
FOLD(cos, cos(x))
FOLD(tanh, tanh(x))
FOLD(sigmoid, cg_sigmoid_f64(x))
FOLD(erf, erf(x))
FOLD(floor, floor(x))
FOLD(ceil, ceil(x))
FOLD(round, rint(x))
FOLD(trunc, trunc(x))
FOLD(tan, tan(x))
FOLD(asin, asin(x))
FOLD(acos, acos(x))
FOLD(atan, atan(x))
FOLD(sinh, sinh(x))
FOLD(cosh, cosh(x))
FOLD(asinh, asinh(x))
FOLD(acosh, acosh(x))
FOLD(atanh, atanh(x))
FOLD(softplus, (x > 0 ? x : 0) + log1p(exp(-fabs(x))))
#undef FOLD

/* --x = x */
static CgRef neg_fold(CgBuild *b, const CgSite *site)
{
    double x;
    if (cg_ref_const(b, site->in[0], &x))
        return cg_fold_to(b, cg_ref_type(b, site->in[0]), -x);
    return cg_ref_is(b, site->in[0], "neg") ? cg_ref_in(b, site->in[0], 0) : CG_NONE;
}

/* |-x| = |x|, ||x|| = |x| */
static CgRef abs_fold(CgBuild *b, const CgSite *site)
{
    double x;
    if (cg_ref_const(b, site->in[0], &x))
        return cg_fold_to(b, cg_ref_type(b, site->in[0]), fabs(x));
    if (cg_ref_is(b, site->in[0], "abs"))
        return site->in[0];
    return cg_ref_is(b, site->in[0], "neg") ? cg_u(b, "abs", cg_ref_in(b, site->in[0], 0)) : CG_NONE;
}

static CgRef not_fold(CgBuild *b, const CgSite *site)
{
    double x;
    if (cg_ref_const(b, site->in[0], &x))
        return cg_fill_like(b, site->in[0], x == 0);
    return cg_ref_is(b, site->in[0], "not") ? cg_ref_in(b, site->in[0], 0) : CG_NONE;
}

static CgRef is_finite_fold(CgBuild *b, const CgSite *site)
{
    double x;
    if (!cg_ref_const(b, site->in[0], &x))
        return CG_NONE;
    return cg_fill(b, cg_type_as(cg_ref_type(b, site->in[0]), CG_BOOL), isfinite(x) ? 1 : 0);
}

static CgRef stop_gradient_fold(CgBuild *b, const CgSite *site)
{
    double x;
    if (cg_ref_const(b, site->in[0], &x) || cg_ref_is(b, site->in[0], "stop_gradient"))
        return site->in[0];
    return CG_NONE;
}

static CgRef identity_fold(CgBuild *b, const CgSite *site)
{
    (void)b;
    return site->in[0];
}

static void identity_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    (void)b;
    gin[0] = site->gout[0];
}

static bool same_view(const CgCall *call, CgTensor *out)
{
    for (int i = 0; i < out->rank; i++)
        out->stride[i] = call->in[0].stride[i];
    out->data = call->in[0].data;
    return true;
}

/* ---- the ops ---- */

static const CgSample any_samples[] = { { .in = "F[37,1811]", .low = -2.385, .high = 2.385 },
    { .in = "F[3,7]", .low = -2.385, .high = 2.385 }, { .in = "F[2,5,3]", .low = -2.385, .high = 2.385 },
    { .in = NULL } };
static const CgSample apart_samples[] = { { .in = "F[3,7]", .low = -2.385, .high = 2.385, .apart = 0.05 },
    { .in = "F[2,3,5]", .low = -2.385, .high = 2.385, .apart = 0.05 }, { .in = NULL } };
static const CgSample positive_samples[] = { { .in = "F[3,7]", .low = 0.31, .high = 5.17 },
    { .in = "F[2,5,3]", .low = 0.31, .high = 23.85 }, { .in = NULL } };
static const CgSample minus1_samples[] = { { .in = "F[3,7]", .low = -0.71, .high = 2.385 },
    { .in = "F[2,5,3]", .low = -0.71, .high = 23.85 }, { .in = NULL } };
static const CgSample inside_samples[] = { { .in = "F[3,7]", .low = -0.91, .high = 0.91 },
    { .in = "F[2,5,3]", .low = -0.53, .high = 0.71 }, { .in = NULL } };
static const CgSample above1_samples[] = { { .in = "F[3,7]", .low = 1.31, .high = 5.17 },
    { .in = "F[2,5,3]", .low = 1.17, .high = 23.85 }, { .in = NULL } };
static const CgSample bool_samples[] = { { .in = "bool[3,7]", .low = 0, .high = 1 },
    { .in = "bool[2,5,3]", .low = 0, .high = 1 }, { .in = NULL } };

#define FLOAT_OP(op, text, rows)                                                                        \
    static const CgOp op_##op = { CG_OP_HERE, .name = #op, .sig = "(x: F[..s]) -> F[..s]", .doc = text, \
        .shape = float_shape, .vjp = op##_vjp, .vec = CG_FLOAT_KERNELS(op), .fold = op##_fold,          \
        .traits = CG_ELEMENTWISE, .inplace = 1, .samples = rows };
#define STEP_OP(op, text)                                                                               \
    static const CgOp op_##op = { CG_OP_HERE, .name = #op, .sig = "(x: F[..s]) -> F[..s]", .doc = text, \
        .shape = float_shape, .vec = CG_FLOAT_KERNELS(op), .fold = op##_fold,                           \
        .traits = CG_ELEMENTWISE | CG_NODIFF | CG_IDEMPOTENT, .inplace = 1, .samples = apart_samples };

static const CgOp op_neg = {
    CG_OP_HERE,
    .name = "neg",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "Minus x. Integers wrap around.\n",
    .shape = number_shape,
    .vjp = neg_vjp,
    .vec = CG_NUMBER_KERNELS(neg),
    .fold = neg_fold,
    .traits = CG_ELEMENTWISE | CG_LINEAR,
    .inplace = 1,
    .samples = any_samples,
};

static const CgOp op_abs = {
    CG_OP_HERE,
    .name = "abs",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "Absolute value. Its derivative is sign(x), and 0 at 0.\n",
    .shape = number_shape,
    .vjp = abs_vjp,
    .vec = CG_NUMBER_KERNELS(abs),
    .fold = abs_fold,
    .traits = CG_ELEMENTWISE | CG_IDEMPOTENT,
    .inplace = 1,
    .samples = apart_samples,
};

static const CgOp op_sign = {
    CG_OP_HERE,
    .name = "sign",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "-1, 0 or 1 by the sign of x. NaN stays NaN; the derivative is taken as 0.\n",
    .shape = number_shape,
    .vec = CG_NUMBER_KERNELS(sign),
    .fold = sign_fold,
    .traits = CG_ELEMENTWISE | CG_NODIFF | CG_IDEMPOTENT,
    .inplace = 1,
    .samples = apart_samples,
};

FLOAT_OP(exp, "The exponential function. In f32 within 1.1 units of the last place.\n", any_samples)
FLOAT_OP(
    log, "The natural logarithm: -inf at 0, NaN below. In f32 within 1 unit of the last place.\n", positive_samples)
FLOAT_OP(log1p, "log(1 + x), exact also near x = 0.\n", minus1_samples)
FLOAT_OP(expm1, "exp(x) - 1, exact also near x = 0.\n", any_samples)
FLOAT_OP(sqrt, "The square root: NaN below 0. Its derivative at 0 is infinite.\n", positive_samples)
FLOAT_OP(rsqrt, "One over the square root: inf at 0, NaN below.\n", positive_samples)
FLOAT_OP(sin, "The sine of an angle in radians.\n", any_samples)
FLOAT_OP(cos, "The cosine of an angle in radians.\n", any_samples)
FLOAT_OP(tanh, "The hyperbolic tangent. In f32 within 2 units of the last place.\n", any_samples)
FLOAT_OP(sigmoid, "1 / (1 + exp(-x)), without overflow at either end.\n", any_samples)
FLOAT_OP(erf, "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.\n", any_samples)
FLOAT_OP(tan, "The tangent of an angle in radians.\n", inside_samples)
FLOAT_OP(asin,
    "The angle in radians, -pi/2 to pi/2, whose sine is x: NaN outside of -1 .. 1. Its derivative at either end "
    "is infinite.\n",
    inside_samples)
FLOAT_OP(acos,
    "The angle in radians, 0 to pi, whose cosine is x: NaN outside of -1 .. 1. Its derivative at either end is "
    "infinite.\n",
    inside_samples)
FLOAT_OP(atan, "The angle in radians, -pi/2 to pi/2, whose tangent is x.\n", any_samples)
FLOAT_OP(sinh, "The hyperbolic sine, (exp(x) - exp(-x)) / 2, exact also near x = 0.\n", any_samples)
FLOAT_OP(cosh, "The hyperbolic cosine, (exp(x) + exp(-x)) / 2.\n", any_samples)
FLOAT_OP(asinh, "The number whose hyperbolic sine is x.\n", any_samples)
FLOAT_OP(acosh, "The number, 0 or more, whose hyperbolic cosine is x: NaN below 1.\n", above1_samples)
FLOAT_OP(atanh, "The number whose hyperbolic tangent is x: infinite at -1 and 1, NaN beyond.\n", inside_samples)
FLOAT_OP(softplus, "log(1 + exp(x)), without overflow at either end. Its derivative is sigmoid(x).\n", any_samples)
STEP_OP(trunc, "The nearest whole number towards zero. The derivative is taken as 0.\n")
STEP_OP(floor, "The greatest whole number not above x. The derivative is taken as 0.\n")
STEP_OP(ceil, "The least whole number not below x. The derivative is taken as 0.\n")
STEP_OP(round, "The nearest whole number, halves to even. The derivative is taken as 0.\n")

static const CgOp op_is_finite = {
    CG_OP_HERE,
    .name = "is_finite",
    .sig = "(x: F[..s]) -> bool[..s]",
    .doc = "True where x is neither infinite nor NaN.\n",
    .shape = is_finite_shape,
    .vec = CG_FLOAT_KERNELS(is_finite),
    .fold = is_finite_fold,
    .traits = CG_ELEMENTWISE | CG_NODIFF,
    .samples = any_samples,
};

static const CgOp op_not = {
    CG_OP_HERE,
    .name = "not",
    .sig = "(x: bool[..s]) -> bool[..s]",
    .doc = "True where x is false.\n",
    .shape = not_shape,
    .vec = { [CG_BOOL] = not_bool },
    .fold = not_fold,
    .traits = CG_ELEMENTWISE | CG_NODIFF,
    .inplace = 1,
    .samples = bool_samples,
};

static const CgOp op_identity = {
    CG_OP_HERE,
    .name = "identity",
    .sig = "(x: T[..s], number: int = 0) -> T[..s]",
    .doc =
        "x itself. Apart from equal tensors while a graph is written: what tensor(..) makes can be differentiated by. "
        "Costs nothing.\n",
    .shape = cg_shape_same,
    .vjp = identity_vjp,
    .view = same_view,
    .fold = identity_fold,
    .below = cg_below_first,
    .axis_rule = cg_axis_rule_same,
    .traits = CG_IDEMPOTENT,
    .samples = any_samples,
};

static const CgOp op_stop_gradient = {
    CG_OP_HERE,
    .name = "stop_gradient",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "x itself, as a constant to differentiation. Costs nothing.\n",
    .shape = cg_shape_same,
    .view = same_view,
    .fold = stop_gradient_fold,
    .axis_rule = cg_axis_rule_same,
    .traits = CG_NODIFF | CG_IDEMPOTENT,
    .samples = any_samples,
};

CG_OPS(unary, &op_neg, &op_abs, &op_sign, &op_exp, &op_log, &op_log1p, &op_expm1, &op_sqrt, &op_rsqrt, &op_sin, &op_cos,
    &op_tan, &op_asin, &op_acos, &op_atan, &op_sinh, &op_cosh, &op_tanh, &op_asinh, &op_acosh, &op_atanh, &op_sigmoid,
    &op_softplus, &op_trunc, &op_erf, &op_floor, &op_ceil, &op_round, &op_is_finite, &op_not, &op_identity,
    &op_stop_gradient)
