/* linalg.c - linear algebra on small matrices, by batch.
 * Takes matrices along the last two axes; gives their factors, solutions of systems of equations, determinants and the
 * eigenvalues of symmetric ones. Each matrix is one shard's: for many small ones, not for a large one. What has no
 * answer (a matrix that is singular, or not positive definite) is NaN or infinite for that matrix alone. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

/* The matrices of a shard: n rows each, and m columns on the right side. */
typedef struct Matrices {
    int64_t n, m, first, last;
} Matrices;

static int64_t count_of(const CgTensor *a)
{
    int64_t count = 1;
    for (int i = 0; i + 2 < a->rank; i++)
        count *= a->dim[i];
    return count;
}

static Matrices matrices_of(const CgCall *call, CgShard shard)
{
    const CgTensor *a = &call->in[0];
    Matrices s = { .n = a->dim[a->rank - 2] };
    size_t first, last;
    cg_shard_range(shard, (size_t)count_of(a), 1, &first, &last);
    s.first = (int64_t)first;
    s.last = (int64_t)last;
    s.m = call->nin > 1 ? call->in[1].dim[call->in[1].rank - 1] : 0;
    return s;
}

#define T          float
#define NAME(word) word##_f32
#define SQRT       sqrtf
#define EPSILON    1e-7f
#include "ops/linalg_matrix.h"
#define T          double
#define NAME(word) word##_f64
#define SQRT       sqrt
#define EPSILON    1e-15
#include "ops/linalg_matrix.h"

static void matrix_work(const CgCall *call, CgWork *work)
{
    const CgTensor *a = &call->in[0];
    double n = (double)a->dim[a->rank - 2], count = (double)count_of(a);
    *work = (CgWork){ .flops = count * n * n * n,
        .bytes = (double)cg_tensor_count(a) * (double)cg_dtype_size(a->dtype),
        .shards = (size_t)count_of(a),
        .scratch = (size_t)(a->dim[a->rank - 2] * a->dim[a->rank - 2]) * cg_dtype_size(a->dtype) };
    if (work->shards > 64)
        work->shards = 64;
    if (!work->shards)
        work->shards = 1;
}

/* ---- shapes ---- */

static bool square(CgInfer *inf)
{
    const CgType *a = &inf->in[0];
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK))
        return false;
    return a->dim[a->rank - 2] == a->dim[a->rank - 1]
        || cg_infer_differ(inf, 0, a->rank - 2, 0, a->rank - 1, "rows and columns of a square matrix");
}

static bool square_shape(CgInfer *inf)
{
    inf->out[0] = inf->in[0];
    return square(inf);
}

static bool system_shape(CgInfer *inf)
{
    int r = inf->in[0].rank;
    if (!square(inf) || !cg_want_dtype(inf, 1, 0) || !cg_want_rank(inf, 1, r, r) || !cg_want_axes(inf, 1, 0, 0, r - 1))
        return false;
    inf->out[0] = inf->in[1];
    return true;
}

static bool det_shape(CgInfer *inf)
{
    if (!square(inf))
        return false;
    inf->out[0] = cg_type_without(cg_type_without(inf->in[0], inf->in[0].rank - 1), inf->in[0].rank - 2);
    return true;
}

static bool qr_shape(CgInfer *inf)
{
    const CgType *a = &inf->in[0];
    int64_t rows, columns;
    if (!cg_want_float(inf, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK))
        return false;
    if (cg_dim_is_int(a->dim[a->rank - 2], &rows) && cg_dim_is_int(a->dim[a->rank - 1], &columns) && rows < columns)
        return cg_infer_fail(inf, 0, a->rank - 1, "qr is of matrices with no more columns than rows: %lld and %lld",
            (long long)columns, (long long)rows);
    inf->out[0] = inf->out[1] = *a;
    inf->out[1].dim[a->rank - 2] = a->dim[a->rank - 1];
    return true;
}

static bool eigh_shape(CgInfer *inf)
{
    if (!square(inf))
        return false;
    inf->out[0] = cg_type_without(inf->in[0], inf->in[0].rank - 1);
    inf->out[1] = inf->in[0];
    return true;
}

static CgAxisRule matrix_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int rank = inf->in[operand].rank;
    to->axis = axis;
    return axis < rank - 2 || (operand == 1 && axis == rank - 1) ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

/* ---- derivatives ---- */

static CgRef transposed(CgBuild *b, CgRef x)
{
    int rank = cg_ref_type(b, x).rank;
    int64_t perm[CG_MAX_RANK];
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : rank - 1 - (i - (rank - 2));
    return cg_transpose(b, x, perm);
}

static CgRef times(CgBuild *b, CgRef x, CgRef y) { return cg_matmul(b, x, y, false, false); }

/* Row number minus column number along the last two axes, i32, as `like`. */
static CgRef below_diagonal(CgBuild *b, CgType like)
{
    CgRef at[2];
    like.dtype = CG_I32;
    for (int k = 0; k < 2; k++) {
        CgAttr along[2] = { cg_a_type("type", like), cg_a_int("axis", like.rank - 2 + k) };
        at[k] = cg_build(b, "iota", 0, NULL, cg_attrs(2, along));
    }
    return cg_sub(b, at[0], at[1]);
}

/* x below the diagonal, `on` times x on it, 0 above; all the other way round where `upper`. */
static CgRef triangle(CgBuild *b, CgRef x, double on, bool upper)
{
    CgRef at = below_diagonal(b, cg_ref_type(b, x)), nought = cg_fill_like(b, at, 0), none = cg_fill_like(b, x, 0);
    CgRef side = cg_where(b, cg_b(b, upper ? "lt" : "gt", at, nought), x, none);
    return cg_where(b, cg_b(b, "eq", at, nought), on == 1 ? x : cg_scale(b, x, on), side);
}

static CgRef substitute(CgBuild *b, CgRef t, CgRef x, bool upper, bool trans)
{
    CgAttr at[2] = { cg_a_int("upper", upper), cg_a_int("transposed", trans) };
    return cg_build(b, "triangular_solve", 2, (const CgRef[2]){ t, x }, cg_attrs(2, at));
}

/* Half the sum of x and its transpose. */
static CgRef symmetric(CgBuild *b, CgRef x)
{
    CgRef half = cg_scale(b, x, 0.5);
    return cg_add(b, half, transposed(b, half));
}

/* L^-T P L^-1, its symmetric half, with P the lower triangle of L^T g, the diagonal halved (Murray 2016). */
static void cholesky_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef l = site->out[0],
          p = triangle(b, times(b, transposed(b, l), triangle(b, site->gout[0], 1, false)), 0.5, false);
    CgRef left = substitute(b, l, p, false, true);
    gin[0] = symmetric(b, transposed(b, substitute(b, l, transposed(b, left), false, true)));
}

/* T x = y: dy = T^-T g, dT = -dy x^T, where T is read. */
static void triangular_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    bool upper = cg_attr_int(site->attrs, "upper", 0) != 0, trans = cg_attr_int(site->attrs, "transposed", 0) != 0;
    CgRef gy = substitute(b, site->in[0], site->gout[0], upper, !trans), x = site->out[0];
    CgRef gt = trans ? times(b, x, transposed(b, gy)) : times(b, gy, transposed(b, x));
    gin[0] = cg_neg(b, triangle(b, gt, 1, upper));
    gin[1] = gy;
}

static void solve_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef gy = cg_b(b, "solve", transposed(b, site->in[0]), site->gout[0]);
    gin[0] = cg_neg(b, times(b, gy, transposed(b, site->out[0])));
    gin[1] = gy;
}

static CgRef identity(CgBuild *b, CgType like)
{
    return triangle(b, triangle(b, cg_fill(b, like, 1), 1, false), 1, true);
}

/* d det A = det A tr(A^-1 dA) */
static void det_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    CgRef inverse = cg_b(b, "solve", transposed(b, site->in[0]), identity(b, t)),
          scale = cg_mul(b, site->gout[0], site->out[0]);
    int64_t axes[CG_MAX_RANK];
    for (int i = 0; i < t.rank; i++)
        axes[i] = i < t.rank - 2 ? i : -1;
    gin[0] = cg_mul(b, cg_broadcast(b, scale, t.rank, t.dim, axes), inverse);
}

static CgRef or_zero(CgBuild *b, CgRef g, CgRef like) { return g == CG_NONE ? cg_fill_like(b, like, 0) : g; }

/* (gQ + Q sym(M)) R^-T with M = R gR^T - gQ^T Q, of which the lower triangle is mirrored (Walter and Lehmann 2013). */
static void qr_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef q = site->out[0], r = site->out[1], gq = or_zero(b, site->gout[0], q), gr = or_zero(b, site->gout[1], r);
    CgRef m = cg_sub(b, times(b, r, transposed(b, triangle(b, gr, 1, true))), times(b, transposed(b, gq), q));
    CgRef low = triangle(b, m, 0.5, false), both = cg_add(b, low, transposed(b, low));
    CgRef right = cg_add(b, gq, times(b, q, both));
    gin[0] = transposed(b, substitute(b, r, transposed(b, right), true, false));
}

/* V (diag gw + F o V^T gV) V^T with F[i, j] = 1 / (w[j] - w[i]) and 0 on the diagonal: its symmetric half. */
static void eigh_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef w = site->out[0], v = site->out[1], gw = or_zero(b, site->gout[0], w), gv = or_zero(b, site->gout[1], v);
    CgType t = cg_ref_type(b, v);
    CgRef row = cg_repeat(b, w, t, t.rank - 1), column = cg_repeat(b, w, t, t.rank - 2), one = cg_fill(b, t, 1);
    CgRef diagonal = cg_b(b, "ne", identity(b, t), cg_fill(b, t, 0)), none = cg_fill(b, t, 0);
    CgRef apart = cg_where(b, diagonal, one, cg_sub(b, column, row));
    CgRef turn = cg_where(b, diagonal, none, cg_div(b, times(b, transposed(b, v), gv), apart));
    CgRef middle = cg_where(b, diagonal, cg_repeat(b, gw, t, t.rank - 1), turn);
    gin[0] = symmetric(b, times(b, v, times(b, middle, transposed(b, v))));
}

/* ---- the ops ---- */

static const CgSample cholesky_samples[] = {
    { .in = "F[3,3]", .attrs = "jitter=7.0", .low = -2.385, .high = 2.385 },
    { .in = "F[2,5,5]", .attrs = "jitter=11.0", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,1,1]", .low = 0.31, .high = 2.385 },
    { .in = NULL },
};
static const CgSample triangular_samples[] = {
    { .in = "F[3,3] F[3,2]", .low = 0.91, .high = 2.385 },
    { .in = "F[2,3,3] F[2,3,5]", .attrs = "upper=1", .low = 0.91, .high = 2.385 },
    { .in = "F[2,3,3] F[2,3,5]", .attrs = "transposed=1", .low = 0.91, .high = 2.385 },
    { .in = "F[3,3] F[3,1]", .attrs = "upper=1, transposed=1", .low = 0.91, .high = 2.385 },
    { .in = NULL },
};
static const CgSample solve_samples[] = {
    { .in = "F[3,3] F[3,2]", .low = -2.385, .high = 2.385 },
    { .in = "F[5,2,2] F[5,2,3]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample det_samples[] = {
    { .in = "F[3,3]", .low = -2.385, .high = 2.385 },
    { .in = "F[5,2,2]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample qr_samples[] = {
    { .in = "F[5,3]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,3]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample eigh_samples[] = {
    { .in = "F[3,3]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,4,4]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_cholesky = {
    CG_OP_HERE,
    .name = "cholesky",
    .sig = "(a: F[..s, N, N], jitter: float = 0) -> F[..s, N, N]",
    .doc = "The lower triangular L with L L^T = (a + a^T) / 2 + jitter on the diagonal. NaN for a matrix that is not\n"
           "positive definite. The derivative is symmetric.\n",
    .shape = square_shape,
    .vjp = cholesky_vjp,
    .kernel = CG_FLOAT_KERNELS(cholesky),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .samples = cholesky_samples,
};

static const CgOp op_triangular_solve = {
    CG_OP_HERE,
    .name = "triangular_solve",
    .sig = "(t: F[..s, N, N], y: F[..s, N, M], upper: bool = false, transposed: bool = false) -> F[..s, N, M]",
    .doc =
        "x with T x = y, or T^T x = y when transposed, where T is the lower triangle of t, or the upper one. What is\n"
        "beyond the diagonal is not read. Infinite or NaN where the diagonal has a 0.\n",
    .shape = system_shape,
    .vjp = triangular_vjp,
    .kernel = CG_FLOAT_KERNELS(triangular),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .inplace = 2,
    .samples = triangular_samples,
};

static const CgOp op_solve = {
    CG_OP_HERE,
    .name = "solve",
    .sig = "(a: F[..s, N, N], y: F[..s, N, M]) -> F[..s, N, M]",
    .doc =
        "x with a x = y, by elimination with the greatest pivot of a column. Infinite or NaN for a singular matrix.\n",
    .shape = system_shape,
    .vjp = solve_vjp,
    .kernel = CG_FLOAT_KERNELS(solve),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .inplace = 2,
    .samples = solve_samples,
};

static const CgOp op_det = {
    CG_OP_HERE,
    .name = "det",
    .sig = "(a: F[..s, N, N]) -> F[..s]",
    .doc = "The determinant. Its derivative, det(a) a^-T, is NaN where the matrix is singular.\n",
    .shape = det_shape,
    .vjp = det_vjp,
    .kernel = CG_FLOAT_KERNELS(det),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .samples = det_samples,
};

static const CgOp op_qr = {
    CG_OP_HERE,
    .name = "qr",
    .sig = "(a: F[..s, M, N]) -> (F[..s, M, N], F[..s, N, N])",
    .doc =
        "Q with orthonormal columns and the upper triangular R, whose diagonal is positive, with Q R = a, for no more\n"
        "columns than rows. NaN where the columns depend on each other.\n",
    .shape = qr_shape,
    .vjp = qr_vjp,
    .kernel = CG_FLOAT_KERNELS(qr),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .nout = 2,
    .samples = qr_samples,
};

static const CgOp op_eigh = {
    CG_OP_HERE,
    .name = "eigh",
    .sig = "(a: F[..s, N, N]) -> (F[..s, N], F[..s, N, N])",
    .doc = "Eigenvalues of (a + a^T) / 2, the least first, and its eigenvectors as columns, by Jacobi's method. Of a "
           "vector\n"
           "the component of the greatest magnitude is positive. Where eigenvalues are equal the derivative of the\n"
           "vectors is infinite or NaN.\n",
    .shape = eigh_shape,
    .vjp = eigh_vjp,
    .kernel = CG_FLOAT_KERNELS(eigh),
    .work = matrix_work,
    .axis_rule = matrix_axis_rule,
    .nout = 2,
    .samples = eigh_samples,
};

CG_OPS(linalg, &op_cholesky, &op_triangular_solve, &op_solve, &op_det, &op_qr, &op_eigh)
