/* number.c - arithmetic on numbers and sizes that are known while checking.
 * Takes two static values and what is written between them; gives a number or a size, exact wherever both are integers,
 * or a mistake at the operator. Sees no tensors. */
#include <math.h>
#include <string.h>

#include "elab/elab.h"
#include "lang/resolve.h"
#include "run/tensor.h"

static CgValue *no_result(CgElab *e, const CgExpr *x, const char *why, const char *help)
{
    CgDiag *d = cg_elab_error(e, CG_E0309, x->op_span.file ? x->op_span : x->span, "%s", why);
    if (help)
        cg_diag_help(d, "%s", help);
    return cg_value_poison(e);
}

/* Rounded down, so that a = floor(a / b) * b + rest for either sign of b. */
static int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int64_t floor_rest(int64_t a, int64_t b)
{
    int64_t r = b == -1 ? 0 : a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* False when a^b does not fit. */
static bool power(int64_t a, int64_t b, int64_t *out)
{
    int64_t p = 1;
    for (int64_t i = 0; i < b && (a > 1 || a < -1); i++)
        if (__builtin_mul_overflow(p, a, &p))
            return false;
    bool odd = b % 2 != 0;
    *out = a == 0 ? b == 0 : a == 1 ? 1 : a == -1 ? (odd ? -1 : 1) : p;
    return true;
}

/* In the first edition the rest had the sign of the left side. */
static bool same_rest(CgElab *e, const CgFrame *f, const CgExpr *x, double old, double now)
{
    if (old == now || cg_frame_edition(f) >= 2)
        return true;
    CgDiag *d = cg_elab_error(e, CG_E0116, x->op_span.file ? x->op_span : x->span,
        "'%%' gave %g here in the first edition of the language and gives %g in the second", old, now);
    cg_diag_help(d, "begin the script with 'cg 2', or write -(-a %% b) for %g", old);
    return false;
}

static void note_quotient(CgElab *e, const CgExpr *x, bool whole)
{
    uint64_t before = 1, place = cg_resolve_key(x->op_span.file ? x->op_span : x->span);
    if (!e->quotients)
        return;
    cg_map_get(e->quotients, place, &before);
    cg_map_put(e->quotients, place, whole ? before : 2);
}

/* Of two integers. A quotient of sizes is a size where it is whole; in the first edition any whole quotient was an
 * integer. */
static CgValue *integers(
    CgElab *e, const CgFrame *f, const char *op, const CgValue *x, const CgValue *y, const CgExpr *at)
{
    int64_t a = x->i, b = y->i, out = 0;
    bool over = false, sizes = x->is_size || y->is_size;
    if (b == 0 && (*op == '/' || *op == '%'))
        return no_result(e, at, "division by zero", NULL);
    if (b == -1 && *op == '/' && a == INT64_MIN)
        return no_result(e, at, "the result does not fit in 64 bits", NULL);
    switch (*op) {
    case '+': over = __builtin_add_overflow(a, b, &out); break;
    case '-': over = __builtin_sub_overflow(a, b, &out); break;
    case '*': over = __builtin_mul_overflow(a, b, &out); break;
    case '/':
        if (!op[1] && !sizes)
            note_quotient(e, at, a % b == 0);
        if (op[1] == '/')
            out = floor_quotient(a, b);
        else if (a % b != 0 || (!sizes && cg_frame_edition(f) >= 2))
            return cg_number_fits(e, x, CG_F64, x->span) && cg_number_fits(e, y, CG_F64, y->span)
                ? cg_value_float(e, (double)a / (double)b, at->span)
                : cg_value_poison(e);
        else
            out = a / b;
        break;
    case '%':
        out = floor_rest(a, b);
        if (!same_rest(e, f, at, (double)(b == -1 ? 0 : a % b), (double)out))
            return cg_value_poison(e);
        break;
    case '^':
        if (b < 0)
            return a == 0 ? no_result(e, at, "division by zero", NULL)
                          : cg_value_float(e, pow((double)a, (double)b), at->span);
        over = !power(a, b, &out);
        break;
    default: break;
    }
    if (over)
        return no_result(e, at, "the result does not fit in 64 bits", "a float has room: write one side as one, 2.0");
    CgValue *v = cg_value_int(e, out, at->span);
    v->is_size = sizes;
    return v;
}

static CgValue *sizes(CgElab *e, const char *op, const CgDim *a, const CgDim *b, const CgExpr *x)
{
    const CgDim *d = cg_dim_combine(*op, a, b);
    if (d)
        return cg_value_dim(e, d, x->span);
    return no_result(e, x, *op == '/' ? "this size is not known to divide exactly" : "this size is too large", NULL);
}

static CgValue *floats(CgElab *e, const CgFrame *f, const char *op, double p, double q, const CgExpr *x)
{
    switch (*op) {
    case '+': return cg_value_float(e, p + q, x->span);
    case '-': return cg_value_float(e, p - q, x->span);
    case '*': return cg_value_float(e, p * q, x->span);
    case '/':
        if (op[1] == '/')
            return no_result(e, x, "'//' divides integers", "of floats write floor(a / b)");
        return q == 0 ? no_result(e, x, "division by zero", NULL) : cg_value_float(e, p / q, x->span);
    case '%': {
        if (q == 0)
            return no_result(e, x, "division by zero", NULL);
        double old = fmod(p, q), now = old != 0 && (old < 0) != (q < 0) ? old + q : old;
        return same_rest(e, f, x, old, now) ? cg_value_float(e, now, x->span) : cg_value_poison(e);
    }
    default: return cg_value_float(e, pow(p, q), x->span);
    }
}

CgValue *cg_number_binary(CgElab *e, const CgFrame *f, const char *op, CgValue *a, CgValue *b, const CgExpr *x)
{
    double p, q;
    if (!strchr("+-*/%^", *op))
        return NULL;
    if (a->kind == CG_VALUE_INT && b->kind == CG_VALUE_INT)
        return integers(e, f, op, a, b, x);
    if (cg_value_as_dim(a) && cg_value_as_dim(b) && strchr("+-*/", *op))
        return sizes(e, op, cg_value_as_dim(a), cg_value_as_dim(b), x);
    if (cg_value_number(a, &p) && cg_value_number(b, &q))
        return cg_number_fits(e, a, CG_F64, a->span) && cg_number_fits(e, b, CG_F64, b->span)
            ? floats(e, f, op, p, q, x)
            : cg_value_poison(e);
    return NULL;
}

/* An integer against a float, none of them rounded. */
static int compare_mixed(int64_t a, double b)
{
    if (b >= 0x1p63 || b < -0x1p63)
        return b < 0 ? 1 : -1;
    int64_t below = (int64_t)floor(b);
    return a != below ? (a < below ? -1 : 1) : (double)below < b ? -1 : 0;
}

bool cg_number_is_nan(const CgValue *v) { return v->kind == CG_VALUE_FLOAT && isnan(v->f); }

int cg_number_compare(const CgValue *a, const CgValue *b)
{
    bool ints[2] = { a->kind == CG_VALUE_INT, b->kind == CG_VALUE_INT };
    if (ints[0] && ints[1])
        return a->i < b->i ? -1 : a->i > b->i;
    if (cg_number_is_nan(a) || cg_number_is_nan(b))
        return cg_number_is_nan(a) - cg_number_is_nan(b);
    if (ints[0])
        return compare_mixed(a->i, b->f);
    if (ints[1])
        return -compare_mixed(b->i, a->f);
    return a->f < b->f ? -1 : a->f > b->f;
}

/* The nearest number of a type of floats. */
static double nearest(double x, CgDtype dtype)
{
    uint64_t at = 0;
    cg_element_put(dtype, &at, x);
    return cg_tensor_number(&(CgTensor){ .dtype = dtype, .data = &at }, 0);
}

static bool whole_fits(int64_t i, CgDtype dtype)
{
    if (dtype == CG_I32)
        return i >= INT32_MIN && i <= INT32_MAX;
    if (dtype == CG_I8)
        return i >= INT8_MIN && i <= INT8_MAX;
    if (!cg_dtype_has_derivative(dtype))
        return i >= -(1LL << 53) && i <= 1LL << 53; /* constants of graphs are doubles */
    double near = nearest((double)i, dtype);        /* 2^60 is exact, 2^24 + 1 is not in f32 */
    return near >= -0x1p63 && near < 0x1p63 && (int64_t)near == i;
}

bool cg_number_fits(CgElab *e, const CgValue *v, CgDtype dtype, CgSpan span)
{
    CgSpan at = span.file ? span : v->span;
    if (v->kind == CG_VALUE_INT && !whole_fits(v->i, dtype)) {
        if (dtype == CG_I64) {
            CgDiag *large = cg_elab_error(e, CG_E0309, at,
                "%lld is beyond 2^53, up to which whole numbers in a script are exact in tensors", (long long)v->i);
            cg_diag_help(large, "tensors of i64 are exact beyond it: of a = tensor(%lld, i64) it is a * 2^32 + %lld",
                (long long)(v->i >> 32), (long long)(v->i & UINT32_MAX));
            return false;
        }
        CgDiag *d = cg_elab_error(
            e, CG_E0309, at, "%lld has no exact place among numbers of type %s", (long long)v->i, cg_dtype_name(dtype));
        if (cg_dtype_has_derivative(dtype) && isfinite(nearest((double)v->i, dtype)))
            cg_diag_help(d, "write %lld.0 for the nearest number there is", (long long)v->i);
        return false;
    }
    if (v->kind == CG_VALUE_FLOAT && cg_dtype_has_derivative(dtype) && isfinite(v->f)
        && !isfinite(nearest(v->f, dtype))) {
        CgDiag *d = cg_elab_error(e, CG_E0309, at, "%g is beyond the numbers of type %s", v->f, cg_dtype_name(dtype));
        cg_diag_help(d, "what is larger than all numbers is written inf");
        return false;
    }
    return true;
}
