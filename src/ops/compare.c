/* compare.c - comparisons, logic, choice and conversion.
 * Takes tensors of one shape; gives bool tensors, or one of two values by a bool tensor, or another dtype. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

/* ---- comparisons ---- */

static bool compare_shape(CgInfer *inf)
{
    bool ordered = strcmp(inf->op->name, "eq") && strcmp(inf->op->name, "ne");
    if ((ordered && !cg_want_number(inf, 0)) || !cg_shape_same(inf))
        return false;
    inf->out[0] = cg_type_as(inf->in[0], CG_BOOL);
    return true;
}

static bool logic_shape(CgInfer *inf) { return cg_want_bool(inf, 0) && cg_shape_same(inf); }

#define COMPARE(op, sign)                                                                      \
    CG_VEC2(op##_f32, float, uint8_t, x sign y)                                                \
    CG_VEC2(op##_f64, double, uint8_t, x sign y)                                               \
    CG_VEC2(op##_i32, int32_t, uint8_t, x sign y)                                              \
    CG_VEC2(op##_i64, int64_t, uint8_t, x sign y)                                              \
    static CgRef op##_fold(CgBuild *b, const CgSite *site)                                     \
    {                                                                                          \
        double u, v;                                                                           \
        if (!cg_ref_const(b, site->in[0], &u) || !cg_ref_const(b, site->in[1], &v))            \
            return CG_NONE;                                                                    \
        return cg_fill(b, cg_type_as(cg_ref_type(b, site->in[0]), CG_BOOL), u sign v ? 1 : 0); \
    }
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(gt, >)
COMPARE(ge, >=)
COMPARE(eq, ==)
COMPARE(ne, !=)
CG_VEC2(eq_bool, uint8_t, uint8_t, x == y)
CG_VEC2(ne_bool, uint8_t, uint8_t, x != y)
CG_VEC2(and_bool, uint8_t, uint8_t, x &y)
CG_VEC2(or_bool, uint8_t, uint8_t, x | y)

static CgRef and_fold(CgBuild *b, const CgSite *site)
{
    double v;
    for (int i = 0; i < 2; i++)
        if (cg_ref_const(b, site->in[i], &v))
            return v == 0 ? site->in[i] : site->in[1 - i];
    return site->in[0] == site->in[1] ? site->in[0] : CG_NONE;
}

static CgRef or_fold(CgBuild *b, const CgSite *site)
{
    double v;
    for (int i = 0; i < 2; i++)
        if (cg_ref_const(b, site->in[i], &v))
            return v == 0 ? site->in[1 - i] : site->in[i];
    return site->in[0] == site->in[1] ? site->in[0] : CG_NONE;
}

/* ---- where ---- */

static bool where_shape(CgInfer *inf)
{
    if (!cg_want_bool(inf, 0) || !cg_want_same(inf, 2, 1) || !cg_want_rank(inf, 0, inf->in[1].rank, inf->in[1].rank))
        return false;
    inf->out[0] = inf->in[1];
    return cg_want_axes(inf, 0, 1, 0, inf->in[1].rank);
}

#define WHERE(name, T)                                                                 \
    static void name(const void *const *in, void *out, size_t n, const CgAttrs *attrs) \
    {                                                                                  \
        const uint8_t *cond = in[0];                                                   \
        const T *x = in[1], *y = in[2];                                                \
        T *z = out;                                                                    \
        (void)attrs;                                                                   \
        CG_SIMD                                                                        \
        for (size_t i = 0; i < n; i++) {                                               \
            T u = x[i], v = y[i];                                                      \
            z[i] = cond[i] ? u : v;                                                    \
        }                                                                              \
    }
WHERE(where_1, uint8_t)
WHERE(where_2, uint16_t)
WHERE(where_4, uint32_t)
WHERE(where_8, uint64_t)

/* Operand 0 is bool whatever is chosen from, so the element's size decides here. */
static void where_kernel(const CgCall *call, CgShard shard)
{
    size_t size = cg_dtype_size(call->out->dtype);
    cg_elementwise_run(call, shard, size == 1 ? where_1 : size == 2 ? where_2 : size == 4 ? where_4 : where_8);
}

/* g goes to the side that was chosen. */
static void where_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef g = site->gout[0], zero = cg_fill_like(b, g, 0);
    gin[1] = cg_where(b, site->in[0], g, zero);
    gin[2] = cg_where(b, site->in[0], zero, g);
}

static CgRef where_fold(CgBuild *b, const CgSite *site)
{
    double v;
    if (cg_ref_const(b, site->in[0], &v))
        return site->in[v != 0 ? 1 : 2];
    if (site->in[1] == site->in[2])
        return site->in[1];
    if (cg_ref_is(b, site->in[0], "not"))
        return cg_where(b, cg_ref_in(b, site->in[0], 0), site->in[2], site->in[1]);
    return CG_NONE;
}

/* ---- cast ---- */

static bool dtype_named(const char *name, CgDtype *out)
{
    for (int d = 0; name && d < CG_NDTYPE; d++)
        if (!strcmp(name, cg_dtype_name((CgDtype)d))) {
            *out = (CgDtype)d;
            return true;
        }
    return false;
}

static bool cast_shape(CgInfer *inf)
{
    const char *to = cg_attr_str(inf->attrs, "to", NULL);
    CgDtype d;
    if (!dtype_named(to, &d))
        return cg_infer_fail(
            inf, -1, -1, "cast: '%s' is no dtype; there are f32, f64, f16, bf16, i32, i64, i8 and bool", to ? to : "");
    inf->out[0] = cg_type_as(inf->in[0], d);
    return true;
}

/* To an integer: towards zero, NaN to 0, values out of range to the nearest end. The bounds are exact in f32 and f64.
 */
#define TO_INT(x, I, low, high) \
    (!((x) == (x)) ? 0 : (x) <= (low) ? (I)(low) : (x) >= (high) ? (I)((uint64_t)(high)-1) : (I)(x))

CG_VEC1(f32_to_i32, float, int32_t, TO_INT(x, int32_t, -0x1p31f, 0x1p31f))
CG_VEC1(f32_to_i64, float, int64_t, TO_INT(x, int64_t, -0x1p63f, 0x1p63f))
CG_VEC1(f64_to_i32, double, int32_t, TO_INT(x, int32_t, -0x1p31, 0x1p31))
CG_VEC1(f64_to_i64, double, int64_t, TO_INT(x, int64_t, -0x1p63, 0x1p63))
CG_VEC1(f32_to_f64, float, double, x)
CG_VEC1(f64_to_f32, double, float, x)
CG_VEC1(f32_to_bool, float, uint8_t, x != 0)
CG_VEC1(f64_to_bool, double, uint8_t, x != 0)
CG_VEC1(i32_to_f32, int32_t, float, x)
CG_VEC1(i32_to_f64, int32_t, double, x)
CG_VEC1(i32_to_i64, int32_t, int64_t, x)
CG_VEC1(i32_to_bool, int32_t, uint8_t, x != 0)
CG_VEC1(i64_to_f32, int64_t, float, x)
CG_VEC1(i64_to_f64, int64_t, double, x)
CG_VEC1(i64_to_i32, int64_t, int32_t, x<INT32_MIN ? INT32_MIN : x> INT32_MAX ? INT32_MAX : x)
CG_VEC1(i64_to_bool, int64_t, uint8_t, x != 0)
CG_VEC1(bool_to_f32, uint8_t, float, x)
CG_VEC1(bool_to_f64, uint8_t, double, x)
CG_VEC1(bool_to_i32, uint8_t, int32_t, x)
CG_VEC1(bool_to_i64, uint8_t, int64_t, x)
CG_VEC1(same_1, uint8_t, uint8_t, x)
CG_VEC1(same_2, uint16_t, uint16_t, x)
CG_VEC1(same_4, uint32_t, uint32_t, x)
CG_VEC1(same_8, uint64_t, uint64_t, x)

/* Where an integer is beyond what f64 holds, its last bits become one odd one, so that rounding further is exact. */
#define WHOLE(x) ((double)((x)&1023 ? ((x) & ~(int64_t)1023) | 1024 : (x)))
#define EXACT(x) ((x) > -((int64_t)1 << 53) && (x) < (int64_t)1 << 53 ? (double)(x) : WHOLE(x))
#define TO_I8(x) ((x) < -128 ? -128 : (x) > 127 ? 127 : (x))

/* To and from a half of either kind, of which HALF(x) is the value and NEAREST(x) the one nearest to an f32. */
#define HALF_CASTS(h, HALF, NEAREST)                                                    \
    CG_VEC1(h##_to_f32, uint16_t, float, HALF(x))                                       \
    CG_VEC1(h##_to_f64, uint16_t, double, (double)HALF(x))                              \
    CG_VEC1(h##_to_i32, uint16_t, int32_t, TO_INT(HALF(x), int32_t, -0x1p31f, 0x1p31f)) \
    CG_VEC1(h##_to_i64, uint16_t, int64_t, TO_INT(HALF(x), int64_t, -0x1p63f, 0x1p63f)) \
    CG_VEC1(h##_to_i8, uint16_t, int8_t, TO_INT(HALF(x), int8_t, -128, 128))            \
    CG_VEC1(h##_to_bool, uint16_t, uint8_t, HALF(x) != 0)                               \
    CG_VEC1(f32_to_##h, float, uint16_t, NEAREST(x))                                    \
    CG_VEC1(f64_to_##h, double, uint16_t, NEAREST(cg_f32_odd(x)))                       \
    CG_VEC1(i32_to_##h, int32_t, uint16_t, NEAREST(cg_f32_odd((double)x)))              \
    CG_VEC1(i64_to_##h, int64_t, uint16_t, NEAREST(cg_f32_odd(EXACT(x))))               \
    CG_VEC1(i8_to_##h, int8_t, uint16_t, NEAREST((float)x))                             \
    CG_VEC1(bool_to_##h, uint8_t, uint16_t, NEAREST((float)x))
HALF_CASTS(f16, cg_f16_value, cg_f16_nearest)
HALF_CASTS(bf16, cg_bf16_value, cg_bf16_nearest)
CG_VEC1(f16_to_bf16, uint16_t, uint16_t, cg_bf16_nearest(cg_f16_value(x)))
CG_VEC1(bf16_to_f16, uint16_t, uint16_t, cg_f16_nearest(cg_bf16_value(x)))
CG_VEC1(i8_to_f32, int8_t, float, x)
CG_VEC1(i8_to_f64, int8_t, double, x)
CG_VEC1(i8_to_i32, int8_t, int32_t, x)
CG_VEC1(i8_to_i64, int8_t, int64_t, x)
CG_VEC1(i8_to_bool, int8_t, uint8_t, x != 0)
CG_VEC1(f32_to_i8, float, int8_t, TO_INT(x, int8_t, -128, 128))
CG_VEC1(f64_to_i8, double, int8_t, TO_INT(x, int8_t, -128, 128))
CG_VEC1(i32_to_i8, int32_t, int8_t, TO_I8(x))
CG_VEC1(i64_to_i8, int64_t, int8_t, TO_I8(x))
CG_VEC1(bool_to_i8, uint8_t, int8_t, x)

/* A row of the table of casts: from one dtype to each. */
#define CASTS(from)                                                                                              \
    {                                                                                                            \
        [CG_F32] = from##_to_f32, [CG_F64] = from##_to_f64, [CG_I32] = from##_to_i32, [CG_I64] = from##_to_i64,  \
        [CG_BOOL] = from##_to_bool, [CG_F16] = from##_to_f16, [CG_BF16] = from##_to_bf16, [CG_I8] = from##_to_i8 \
    }
#define f32_to_f32   same_4
#define f64_to_f64   same_8
#define i32_to_i32   same_4
#define i64_to_i64   same_8
#define bool_to_bool same_1
#define f16_to_f16   same_2
#define bf16_to_bf16 same_2
#define i8_to_i8     same_1

static CgVecFn *const casts[CG_NDTYPE][CG_NDTYPE] = {
    [CG_F32] = CASTS(f32),
    [CG_F64] = CASTS(f64),
    [CG_I32] = CASTS(i32),
    [CG_I64] = CASTS(i64),
    [CG_BOOL] = CASTS(bool),
    [CG_F16] = CASTS(f16),
    [CG_BF16] = CASTS(bf16),
    [CG_I8] = CASTS(i8),
};

static void cast_kernel(const CgCall *call, CgShard shard)
{
    cg_elementwise_run(call, shard, casts[call->in[0].dtype][call->out[0].dtype]);
}

static void cast_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgDtype from = cg_ref_type(b, site->in[0]).dtype;
    CgRef g = site->gout[0];
    if (!cg_dtype_has_derivative(from) || !cg_dtype_has_derivative(cg_ref_type(b, site->out[0]).dtype))
        return;
    gin[0] = cg_cast(b, g, cg_dtype_is_narrow(from) ? CG_F32 : from);
}

static CgRef cast_fold(CgBuild *b, const CgSite *site)
{
    CgType t = cg_ref_type(b, site->in[0]);
    CgDtype to = t.dtype;
    double v;
    if (!dtype_named(cg_attr_str(site->attrs, "to", NULL), &to))
        return CG_NONE;
    if (to == t.dtype)
        return site->in[0];
    if (!cg_ref_const(b, site->in[0], &v) || cg_dtype_is_narrow(t.dtype) || cg_dtype_is_narrow(to))
        return CG_NONE;
    if (to == CG_BOOL)
        return cg_fill(b, cg_type_as(t, to), v != 0);
    if (!cg_dtype_is_float(to) && !(fabs(v) < 0x1p31))
        return CG_NONE;
    return cg_fold_to(b, cg_type_as(t, to), cg_dtype_is_float(to) ? v : trunc(v));
}

/* ---- the ops ---- */

static const CgSample compare_samples[] = {
    { .in = "F[3,7] F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "i32[5,7] i32[5,7]", .low = -2, .high = 2 },
    { .in = NULL },
};
static const CgSample logic_samples[] = { { .in = "bool[3,7] bool[3,7]", .low = 0, .high = 1 }, { .in = NULL } };
static const CgSample where_samples[] = {
    { .in = "bool[3,7] F[3,7] F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "bool[2,3,5] F[2,3,5] F[2,3,5]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample cast_samples[] = {
    { .in = "F[3,7]", .attrs = "to=\"f64\"", .low = -23.85, .high = 23.85 },
    { .in = "F[3,7]", .attrs = "to=\"i32\"", .low = -23.85, .high = 23.85 },
    { .in = "i32[3,7]", .attrs = "to=\"f32\"", .low = -23, .high = 23 },
    { .in = "i64[3,7]", .attrs = "to=\"bool\"", .low = -2, .high = 2 },
    { .in = "bool[3,7]", .attrs = "to=\"f64\"", .low = 0, .high = 1 },
    { .in = "F[3,7]", .attrs = "to=\"i8\"", .low = -238.5, .high = 238.5 },
    { .in = "bf16[3,7]", .attrs = "to=\"f32\"", .low = -2.385, .high = 2.385 },
    { .in = "f16[3,7]", .attrs = "to=\"bf16\"", .low = -2.385, .high = 2.385 },
    { .in = "i8[3,7]", .attrs = "to=\"f64\"", .low = -128, .high = 127 },
    { .in = NULL },
};

#define ORDER_KERNELS(op)                                                                  \
    {                                                                                      \
        [CG_F32] = op##_f32, [CG_F64] = op##_f64, [CG_I32] = op##_i32, [CG_I64] = op##_i64 \
    }
#define EQUAL_KERNELS(op)                                                                                         \
    {                                                                                                             \
        [CG_F32] = op##_f32, [CG_F64] = op##_f64, [CG_I32] = op##_i32, [CG_I64] = op##_i64, [CG_BOOL] = op##_bool \
    }
#define COMPARE_OP(op, text, kernels, more)                                                                           \
    static const CgOp op_##op = { CG_OP_HERE, .name = #op, .sig = "(x: T[..s], y: T[..s]) -> bool[..s]", .doc = text, \
        .shape = compare_shape, .vec = kernels(op), .fold = op##_fold, .traits = CG_ELEMENTWISE | CG_NODIFF | (more), \
        .samples = compare_samples };

COMPARE_OP(lt, "True where x < y; false where one is NaN.\n", ORDER_KERNELS, 0)
COMPARE_OP(le, "True where x <= y; false where one is NaN.\n", ORDER_KERNELS, 0)
COMPARE_OP(gt, "True where x > y; false where one is NaN.\n", ORDER_KERNELS, 0)
COMPARE_OP(ge, "True where x >= y; false where one is NaN.\n", ORDER_KERNELS, 0)
COMPARE_OP(eq, "True where x = y; false where one is NaN.\n", EQUAL_KERNELS, CG_COMMUTES)
COMPARE_OP(ne, "True where x and y differ, and where one is NaN.\n", EQUAL_KERNELS, CG_COMMUTES)

static const CgOp op_and = {
    CG_OP_HERE,
    .name = "and",
    .sig = "(x: bool[..s], y: bool[..s]) -> bool[..s]",
    .doc = "True where both are.\n",
    .shape = logic_shape,
    .vec = { [CG_BOOL] = and_bool },
    .fold = and_fold,
    .traits = CG_ELEMENTWISE | CG_NODIFF | CG_COMMUTES | CG_ASSOCIATES,
    .inplace = 3,
    .samples = logic_samples,
};

static const CgOp op_or = {
    CG_OP_HERE,
    .name = "or",
    .sig = "(x: bool[..s], y: bool[..s]) -> bool[..s]",
    .doc = "True where one of them is.\n",
    .shape = logic_shape,
    .vec = { [CG_BOOL] = or_bool },
    .fold = or_fold,
    .traits = CG_ELEMENTWISE | CG_NODIFF | CG_COMMUTES | CG_ASSOCIATES,
    .inplace = 3,
    .samples = logic_samples,
};

static const CgOp op_where = {
    CG_OP_HERE,
    .name = "where",
    .sig = "(cond: bool[..s], x: T[..s], y: T[..s]) -> T[..s]",
    .doc = "x where cond is true, y elsewhere. The other side's NaN and inf do not come through; its derivative is 0, "
           "which "
           "what it is made of may turn to NaN (0 times inf): where(x > 0, sqrt(where(x > 0, x, 1.0)), 0.0).\n",
    .below = cg_below_operands,
    .shape = where_shape,
    .vjp = where_vjp,
    .kernel = CG_ANY_KERNELS(where_kernel),
    .work = cg_work_elementwise,
    .fold = where_fold,
    .traits = CG_ELEMENTWISE | CG_STRIDED,
    .inplace = 6,
    .samples = where_samples,
};

static const CgDim *cast_below(const CgInfer *inf, const CgDim *const *in)
{
    return inf->in[0].dtype == CG_I32 || inf->in[0].dtype == CG_I64 || inf->in[0].dtype == CG_I8 ? in[0] : NULL;
}

static const CgOp op_cast = {
    CG_OP_HERE,
    .name = "cast",
    .version = 2,
    .sig = "(x: T[..s], to: dtype | str) -> U[..s]",
    .doc = "x as another dtype: f32, f64, f16, bf16, i32, i64, i8 or bool.\n\n"
           "To an integer: towards zero, NaN to 0, beyond the range to its end. To bool: true unless 0. Else to the "
           "nearest number, ties to even; beyond the range of f16 and bf16 to infinity. f16, bf16 and i8 are for "
           "storage: they are moved and cast, all else takes f32, f64, i32 or i64. A derivative goes through f16 and "
           "bf16 as if nothing had been rounded, and is itself f32 there.\n",
    .below = cast_below,
    .shape = cast_shape,
    .vjp = cast_vjp,
    .work = cg_work_elementwise,
    .fold = cast_fold,
    .kernel = CG_ANY_KERNELS(cast_kernel),
    .traits = CG_ELEMENTWISE | CG_STRIDED,
    .samples = cast_samples,
};

CG_OPS(compare, &op_lt, &op_le, &op_gt, &op_ge, &op_eq, &op_ne, &op_and, &op_or, &op_where, &op_cast)
