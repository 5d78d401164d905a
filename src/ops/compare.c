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
WHERE(where_4, uint32_t)
WHERE(where_8, uint64_t)

/* Operand 0 is bool whatever is chosen from, so the element's size decides here. */
static void where_kernel(const CgCall *call, CgShard shard)
{
    size_t size = cg_dtype_size(call->out->dtype);
    cg_elementwise_run(call, shard, size == 1 ? where_1 : size == 4 ? where_4 : where_8);
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
            inf, -1, -1, "cast: '%s' is no dtype; there are f32, f64, i32, i64 and bool", to ? to : "");
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
CG_VEC1(same_4, uint32_t, uint32_t, x)
CG_VEC1(same_8, uint64_t, uint64_t, x)

static CgVecFn *const casts[CG_NDTYPE][CG_NDTYPE] = {
    [CG_F32] = { [CG_F32] = same_4,
        [CG_F64] = f32_to_f64,
        [CG_I32] = f32_to_i32,
        [CG_I64] = f32_to_i64,
        [CG_BOOL] = f32_to_bool },
    [CG_F64] = { [CG_F32] = f64_to_f32,
        [CG_F64] = same_8,
        [CG_I32] = f64_to_i32,
        [CG_I64] = f64_to_i64,
        [CG_BOOL] = f64_to_bool },
    [CG_I32] = { [CG_F32] = i32_to_f32,
        [CG_F64] = i32_to_f64,
        [CG_I32] = same_4,
        [CG_I64] = i32_to_i64,
        [CG_BOOL] = i32_to_bool },
    [CG_I64] = { [CG_F32] = i64_to_f32,
        [CG_F64] = i64_to_f64,
        [CG_I32] = i64_to_i32,
        [CG_I64] = same_8,
        [CG_BOOL] = i64_to_bool },
    [CG_BOOL] = { [CG_F32] = bool_to_f32,
        [CG_F64] = bool_to_f64,
        [CG_I32] = bool_to_i32,
        [CG_I64] = bool_to_i64,
        [CG_BOOL] = same_1 },
};

static void cast_kernel(const CgCall *call, CgShard shard)
{
    cg_elementwise_run(call, shard, casts[call->in[0].dtype][call->out[0].dtype]);
}

static void cast_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgDtype from = cg_ref_type(b, site->in[0]).dtype;
    if (cg_dtype_is_float(from) && cg_dtype_is_float(cg_ref_type(b, site->out[0]).dtype))
        gin[0] = cg_cast(b, site->gout[0], from);
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
    if (!cg_ref_const(b, site->in[0], &v))
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
    .kernel = { [CG_BOOL] = where_kernel },
    .work = cg_work_elementwise,
    .fold = where_fold,
    .traits = CG_ELEMENTWISE | CG_STRIDED,
    .inplace = 6,
    .samples = where_samples,
};

static const CgDim *cast_below(const CgInfer *inf, const CgDim *const *in)
{
    return inf->in[0].dtype == CG_I32 || inf->in[0].dtype == CG_I64 ? in[0] : NULL;
}

static const CgOp op_cast = {
    CG_OP_HERE,
    .name = "cast",
    .version = 2,
    .sig = "(x: T[..s], to: dtype | str) -> U[..s]",
    .doc = "x as another dtype: \"f32\", \"f64\", \"i32\", \"i64\" or \"bool\".\n\n"
           "To an integer: towards zero, NaN to 0, beyond the range to its end. To bool: true unless 0.\n",
    .below = cast_below,
    .shape = cast_shape,
    .vjp = cast_vjp,
    .work = cg_work_elementwise,
    .fold = cast_fold,
    .kernel = { cast_kernel, cast_kernel, cast_kernel, cast_kernel, cast_kernel },
    .traits = CG_ELEMENTWISE | CG_STRIDED,
    .samples = cast_samples,
};

CG_OPS(compare, &op_lt, &op_le, &op_gt, &op_ge, &op_eq, &op_ne, &op_and, &op_or, &op_where, &op_cast)
