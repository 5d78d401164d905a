/* binary.c - arithmetic of two tensors, element by element.
 * Takes two tensors of one type (broadcast and cast are nodes of their own); gives one of that type. */
#include <stdlib.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

static bool number_shape(CgInfer *inf) { return cg_want_number(inf, 0) && cg_shape_same(inf); }
static bool float_shape(CgInfer *inf) { return cg_want_float(inf, 0) && cg_shape_same(inf); }

/* ---- kernels; integers wrap around ---- */

#define FLOATS(op, expr_f32, expr_f64)        \
    CG_VEC2(op##_f32, float, float, expr_f32) \
    CG_VEC2(op##_f64, double, double, expr_f64)
#define WRAPPING(op, sign)                                            \
    CG_VEC2(op##_i32, int32_t, int32_t, (uint32_t)x sign(uint32_t) y) \
    CG_VEC2(op##_i64, int64_t, int64_t, (uint64_t)x sign(uint64_t) y)

FLOATS(add, x + y, x + y)
WRAPPING(add, +)
FLOATS(sub, x - y, x - y)
WRAPPING(sub, -)
FLOATS(mul, x *y, x *y)
WRAPPING(mul, *)
FLOATS(div, x / y, x / y)
FLOATS(pow, powf(x, y), pow(x, y))
/* Neither comparison holds where one is NaN: the sum is NaN too. */
FLOATS(maximum, x >= y ? x : x < y ? y : x + y, x >= y ? x : x < y ? y : x + y)
FLOATS(minimum, x <= y ? x : x > y ? y : x + y, x <= y ? x : x > y ? y : x + y)
CG_VEC2(maximum_i32, int32_t, int32_t, x > y ? x : y)
CG_VEC2(maximum_i64, int64_t, int64_t, x > y ? x : y)
CG_VEC2(minimum_i32, int32_t, int32_t, x < y ? x : y)
CG_VEC2(minimum_i64, int64_t, int64_t, x < y ? x : y)

static float floored_f32(float x, float y)
{
    float r = fmodf(x, y);
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

static double floored_f64(double x, double y)
{
    double r = fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

/* -1 apart: the machine's division traps for the least integer. */
static int64_t floored_int(int64_t x, int64_t y)
{
    if (y == 0 || y == -1)
        return 0;
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

static int64_t floor_quotient(int64_t x, int64_t y)
{
    if (y == 0)
        return 0;
    if (y == -1)
        return (int64_t)((uint64_t)0 - (uint64_t)x);
    int64_t q = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
}

/* x to a whole power, wrapping around; below 0 the quotient 1 / x^-y rounded towards zero, 0 for x = 0. */
static uint64_t power_int(int64_t x, int64_t y)
{
    uint64_t base = (uint64_t)x, product = 1;
    if (y < 0)
        return x == 1 ? 1 : x == -1 ? (y % 2 ? (uint64_t)-1 : 1) : 0;
    for (; y; y >>= 1) {
        if (y & 1)
            product *= base;
        base *= base;
    }
    return product;
}

/* floor(x / y) from the exact rest, so that it fits mod: the quotient of floats may be rounded up to the next whole. */
static float floordiv_of_f32(float x, float y)
{
    float r = fmodf(x, y), q = rintf((x - r) / y);
    return y == 0 ? x / y : r != 0 && (r < 0) != (y < 0) ? q - 1 : q;
}

static double floordiv_of_f64(double x, double y)
{
    double r = fmod(x, y), q = rint((x - r) / y);
    return y == 0 ? x / y : r != 0 && (r < 0) != (y < 0) ? q - 1 : q;
}

FLOATS(floordiv, floordiv_of_f32(x, y), floordiv_of_f64(x, y))
CG_VEC2(floordiv_i32, int32_t, int32_t, floor_quotient(x, y))
CG_VEC2(floordiv_i64, int64_t, int64_t, floor_quotient(x, y))
FLOATS(rem, fmodf(x, y), fmod(x, y))
CG_VEC2(rem_i32, int32_t, int32_t, y == 0 || y == -1 ? 0 : x % y)
CG_VEC2(rem_i64, int64_t, int64_t, y == 0 || y == -1 ? 0 : x % y)
CG_VEC2(pow_i32, int32_t, int32_t, (uint32_t)power_int(x, y))
CG_VEC2(pow_i64, int64_t, int64_t, power_int(x, y))
FLOATS(atan2, atan2f(x, y), atan2(x, y))
FLOATS(mod, floored_f32(x, y), floored_f64(x, y))
CG_VEC2(mod_i32, int32_t, int32_t, floored_int(x, y))
CG_VEC2(mod_i64, int64_t, int64_t, floored_int(x, y))

/* ---- derivatives ---- */

#define VJP(op, expr_x, expr_y)                                                      \
    static void op##_vjp(CgBuild *b, const CgSite *site, CgRef *gin)                 \
    {                                                                                \
        CgRef x = site->in[0], y = site->in[1], z = site->out[0], g = site->gout[0]; \
        (void)b;                                                                     \
        (void)x;                                                                     \
        (void)y;                                                                     \
        (void)z;                                                                     \
        gin[0] = expr_x;                                                             \
        gin[1] = expr_y;                                                             \
    }
#define K(v) cg_fill_like(b, x, v)

/* g where x wins, half of it on a tie: 1/2 (1 + sign(x - y)). */
static CgRef share(CgBuild *b, CgRef g, CgRef x, CgRef y)
{
    CgRef half = K(0.5);
    return cg_mul(b, g, cg_add(b, half, cg_mul(b, half, cg_u(b, "sign", cg_sub(b, x, y)))));
}

VJP(add, g, g)
VJP(sub, g, cg_neg(b, g))
VJP(mul, cg_mul(b, g, y), cg_mul(b, g, x))
VJP(div, cg_div(b, g, y), cg_neg(b, cg_div(b, cg_mul(b, g, z), y))) /* -x / y^2 = -z / y */
VJP(maximum, share(b, g, x, y), share(b, g, y, x))
VJP(minimum, share(b, g, y, x), share(b, g, x, y))
VJP(rem, g, cg_neg(b, cg_mul(b, g, cg_u(b, "trunc", cg_div(b, x, y))))) /* x - y trunc(x / y) */

/* d/dx atan2(x, y) = y / (x^2 + y^2), d/dy = -x / (x^2 + y^2) */
static void atan2_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], y = site->in[1];
    CgRef g = cg_div(b, site->gout[0], cg_add(b, cg_mul(b, x, x), cg_mul(b, y, y)));
    gin[0] = cg_mul(b, g, y);
    gin[1] = cg_neg(b, cg_mul(b, g, x));
}

VJP(mod, g, cg_neg(b, cg_mul(b, g, cg_u(b, "floor", cg_div(b, x, y))))) /* x - y floor(x / y) */

/* d/dx x^y = y x^(y-1), 0 where y = 0; d/dy x^y = x^y log x, taken as 0 where x = 0, as for the whole powers y >= 1. */
static void pow_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], y = site->in[1], z = site->out[0], g = site->gout[0];
    double v;
    bool constant = cg_ref_const(b, y, &v);
    CgRef less = cg_sub(b, y, K(1)); /* not -1 where y = 0: 0 times 0^-1 would be NaN */
    gin[0] = cg_mul(
        b, g, cg_mul(b, y, cg_b(b, "pow", x, constant ? less : cg_where(b, cg_b(b, "eq", y, K(0)), K(1), less))));
    if (constant)
        return;
    CgRef zero = cg_b(b, "eq", x, K(0));
    gin[1] = cg_mul(b, g, cg_where(b, zero, K(0), cg_mul(b, z, cg_log(b, cg_where(b, zero, K(1), x)))));
}

#undef VJP

/* ---- folding ---- */

/* Both constant: the value in f64, rounded to the type. */
#define BOTH_CONST(expr)                                           \
    CgRef x = site->in[0], y = site->in[1];                        \
    double u = NAN, v = NAN;                                       \
    bool cu = cg_ref_const(b, x, &u), cv = cg_ref_const(b, y, &v); \
    if (cu && cv)                                                  \
        return cg_fold_to(b, cg_ref_type(b, x), expr);

/* The constant factor of r = k * rest; false if there is none. */
static bool factor(const CgBuild *b, CgRef r, double *k, CgRef *rest)
{
    if (!cg_ref_is(b, r, "mul"))
        return false;
    for (int i = 0; i < 2; i++)
        if (cg_ref_const(b, cg_ref_in(b, r, i), k)) {
            *rest = cg_ref_in(b, r, 1 - i);
            return true;
        }
    return false;
}

static CgRef add_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u + v)
    if (cu && u == 0)
        return y;
    if (cv && v == 0)
        return x;
    if (cg_ref_is(b, y, "neg"))
        return cg_sub(b, x, cg_ref_in(b, y, 0));
    if (cg_ref_is(b, x, "neg"))
        return cg_sub(b, y, cg_ref_in(b, x, 0));
    return CG_NONE;
}

static CgRef sub_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u - v)
    if (cv && v == 0)
        return x;
    if (cu && u == 0)
        return cg_neg(b, y);
    if (cg_ref_is(b, y, "neg"))
        return cg_add(b, x, cg_ref_in(b, y, 0));
    return CG_NONE; /* not x - x = 0: that would hide a NaN */
}

/* Two factors may become one: where their product would overflow or lose digits, what they multiply may not. */
static bool may_join(double product) { return fabs(product) > 1e-30 && fabs(product) < 1e30; }

static CgRef mul_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u * v)
    double k;
    CgRef rest;
    if (cv) { /* the constant first */
        CgRef t = x;
        x = y;
        y = t;
        u = v;
        cu = true;
    }
    if (cu && u == 1)
        return y;
    if (cu && u == -1)
        return cg_neg(b, y);
    if (cu && u == 0)
        return x; /* 0 * y = 0: a derivative that is nought stays so */
    if (cu && factor(b, y, &k, &rest) && may_join(u * k)) {
        CgRef folded = cg_fold_to(b, cg_ref_type(b, x), u * k);
        return folded == CG_NONE ? CG_NONE : cg_mul(b, folded, rest);
    }
    if (cu && cg_ref_is(b, y, "neg")) {
        CgRef folded = cg_fold_to(b, cg_ref_type(b, x), -u);
        return folded == CG_NONE ? CG_NONE : cg_mul(b, folded, cg_ref_in(b, y, 0));
    }
    if (cg_ref_is(b, x, "neg"))
        return cg_neg(b, cg_mul(b, cg_ref_in(b, x, 0), y));
    if (cg_ref_is(b, y, "neg"))
        return cg_neg(b, cg_mul(b, x, cg_ref_in(b, y, 0)));
    return CG_NONE;
}

static CgRef div_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u / v)
    int e;
    if (cv && v == 1)
        return x;
    if (cv && v == -1)
        return cg_neg(b, x);
    if (cu && u == 0)
        return x;
    /* By a power of two: the product is exact too, and cheaper. */
    if (cv && v != 0 && isfinite(v) && fabs(frexp(v, &e)) == 0.5 && abs(e) < 100)
        return cg_mul(b, x, cg_fill_like(b, x, 1 / v));
    return CG_NONE;
}

static CgRef pow_fold(CgBuild *b, const CgSite *site)
{
    if (!cg_dtype_is_float(cg_ref_type(b, site->in[0]).dtype))
        return CG_NONE;
    BOTH_CONST(pow(u, v))
    if (!cv)
        return CG_NONE;
    if (v == 0)
        return cg_fill_like(b, x, 1);
    if (v == 1)
        return x;
    if (v == 2)
        return cg_mul(b, x, x);
    if (v == 3)
        return cg_mul(b, x, cg_mul(b, x, x));
    if (v == -1)
        return cg_div(b, cg_fill_like(b, x, 1), x);
    if (v == 0.5)
        return cg_sqrt(b, x);
    if (v == -0.5)
        return cg_u(b, "rsqrt", x);
    return CG_NONE;
}

static CgRef maximum_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u >= v ? u : v)
    return x == y ? x : CG_NONE;
}

static CgRef minimum_fold(CgBuild *b, const CgSite *site)
{
    BOTH_CONST(u <= v ? u : v)
    return x == y ? x : CG_NONE;
}

/* ---- the ops ---- */

static const CgSample any_samples[] = { { .in = "F[37,1811] F[37,1811]", .low = -2.385, .high = 2.385 },
    { .in = "F[3,7] F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,5,3] F[2,5,3]", .low = -2.385, .high = 2.385 }, { .in = NULL } };
static const CgSample apart_samples[] = { { .in = "F[3,7] F[3,7]", .low = -2.385, .high = 2.385, .apart = 0.02 },
    { .in = NULL } };
static const CgSample away_samples[] = { { .in = "F[3,7] F[3,7]", .low = 0.31, .high = 2.385 },
    { .in = "F[2,5,3] F[2,5,3]", .low = -2.385, .high = -0.31 }, { .in = NULL } };
static const CgSample pow_samples[] = { { .in = "F[3,7] F[3,7]", .low = 0.31, .high = 2.385 },
    { .in = "F[2,5,3] F[2,5,3]", .low = 0.31, .high = 2.385 }, { .in = NULL } };
static const CgSample mod_samples[] = { { .in = "F[3,7] F[3,7]", .low = 0.31, .high = 5.385, .apart = 0.02 },
    { .in = NULL } };

static const CgOp op_add = {
    CG_OP_HERE,
    .name = "add",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "x + y. Integers wrap around.\n",
    .shape = number_shape,
    .vjp = add_vjp,
    .vec = CG_NUMBER_KERNELS(add),
    .fold = add_fold,
    .traits = CG_ELEMENTWISE | CG_COMMUTES | CG_ASSOCIATES,
    .inplace = 3,
    .samples = any_samples,
};

static const CgOp op_sub = {
    CG_OP_HERE,
    .name = "sub",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "x - y. Integers wrap around.\n",
    .shape = number_shape,
    .vjp = sub_vjp,
    .vec = CG_NUMBER_KERNELS(sub),
    .fold = sub_fold,
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = any_samples,
};

static const CgOp op_mul = {
    CG_OP_HERE,
    .name = "mul",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "x * y. Integers wrap around. A product with the constant 0 is 0, also for inf and NaN.\n",
    .shape = number_shape,
    .vjp = mul_vjp,
    .vec = CG_NUMBER_KERNELS(mul),
    .fold = mul_fold,
    .traits = CG_ELEMENTWISE | CG_COMMUTES | CG_ASSOCIATES | CG_LINEAR,
    .inplace = 3,
    .samples = any_samples,
};

static const CgOp op_div = {
    CG_OP_HERE,
    .name = "div",
    .sig = "(x: F[..s], y: F[..s]) -> F[..s]",
    .doc = "The quotient x / y: inf or NaN where y is 0.\n",
    .shape = float_shape,
    .vjp = div_vjp,
    .vec = CG_FLOAT_KERNELS(div),
    .fold = div_fold,
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = away_samples,
};

static const CgOp op_pow = {
    CG_OP_HERE,
    .name = "pow",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc =
        "x to the power y: NaN for x < 0 unless y is whole. Integers wrap around; below the power 0 they are 1 / x^-y\n"
        "towards zero, which is 0 unless x is 1 or -1.\n\n"
        "The derivative by x is 0 where y = 0; that by y is x^y log(x), taken as 0 where x = 0 and NaN where x < 0.\n",
    .shape = number_shape,
    .vjp = pow_vjp,
    .vec = CG_NUMBER_KERNELS(pow),
    .fold = pow_fold,
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = pow_samples,
};

static const CgOp op_maximum = {
    CG_OP_HERE,
    .name = "maximum",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "The greater of x and y; NaN if one of them is. On a tie each gets half of the derivative.\n",
    .below = cg_below_operands,
    .shape = number_shape,
    .vjp = maximum_vjp,
    .vec = CG_NUMBER_KERNELS(maximum),
    .fold = maximum_fold,
    .traits = CG_ELEMENTWISE | CG_COMMUTES | CG_ASSOCIATES,
    .inplace = 3,
    .samples = apart_samples,
};

/* The lesser of two numbers is below what either is below. */
static const CgDim *minimum_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)inf;
    return !in[0] || (in[1] && cg_dim_at_most(in[1], in[0])) ? in[1] : in[0];
}

static const CgOp op_minimum = {
    CG_OP_HERE,
    .name = "minimum",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "The lesser of x and y; NaN if one of them is. On a tie each gets half of the derivative.\n",
    .below = minimum_below,
    .shape = number_shape,
    .vjp = minimum_vjp,
    .vec = CG_NUMBER_KERNELS(minimum),
    .fold = minimum_fold,
    .traits = CG_ELEMENTWISE | CG_COMMUTES | CG_ASSOCIATES,
    .inplace = 3,
    .samples = apart_samples,
};

/* The rest of a division by n is below n, and n is one less than what it is below. */
static const CgDim *mod_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)inf;
    const CgDim *one = cg_dim_int(1); /* by 0 the rest is 0 */
    return !in[1] || in[1] == one ? in[1] : cg_dim_sub(in[1], one);
}

static const CgOp op_mod = {
    CG_OP_HERE,
    .name = "mod",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "The rest of a division rounded down: x - y floor(x / y), with the sign of y.\n\n"
           "For integers x mod 0 is 0.\n",
    .below = mod_below,
    .shape = number_shape,
    .vjp = mod_vjp,
    .vec = CG_NUMBER_KERNELS(mod),
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = mod_samples,
};

static const CgOp op_floordiv = {
    CG_OP_HERE,
    .name = "floordiv",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "The quotient x / y rounded down, written x // y: floor(x / y), such that x = y (x // y) + x % y.\n\n"
           "For integers x // 0 is 0, and the least one by -1 wraps around. The derivative is taken as 0.\n",
    .shape = number_shape,
    .vec = CG_NUMBER_KERNELS(floordiv),
    .traits = CG_ELEMENTWISE | CG_NODIFF,
    .inplace = 3,
    .samples = mod_samples,
};

static const CgOp op_rem = {
    CG_OP_HERE,
    .name = "rem",
    .sig = "(x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "The rest of a division rounded towards zero, with the sign of x, as `fmod` and `%` of C.\n\n"
           "For integers the rest of a division by 0 is 0.\n",
    .shape = number_shape,
    .vjp = rem_vjp,
    .vec = CG_NUMBER_KERNELS(rem),
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = mod_samples,
};

static const CgOp op_atan2 = {
    CG_OP_HERE,
    .name = "atan2",
    .sig = "(y: F[..s], x: F[..s]) -> F[..s]",
    .doc = "The angle in radians, -pi to pi, of the point (x, y) from the x axis. At the origin it is 0 or pi by the "
           "signs,\n"
           "and its derivative NaN.\n",
    .shape = float_shape,
    .vjp = atan2_vjp,
    .vec = CG_FLOAT_KERNELS(atan2),
    .traits = CG_ELEMENTWISE,
    .inplace = 3,
    .samples = away_samples,
};

CG_OPS(binary, &op_floordiv, &op_rem, &op_atan2, &op_add, &op_sub, &op_mul, &op_div, &op_pow, &op_maximum, &op_minimum,
    &op_mod)
