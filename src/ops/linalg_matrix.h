/* linalg_matrix.h - factors of one small matrix, and systems of equations, for one type; a pattern, not a header.
 * Takes T, NAME(word) and SQRT; gives NAME(cholesky), .. over the matrices of a shard. All matrices are row major. */

/* The lower factor of (a + a^T) / 2 + jitter, row by row; NaN throughout where a pivot is not positive. */
static void NAME(cholesky_of)(const T *a, T *l, int64_t n, T jitter)
{
    for (int64_t i = 0; i < n * n; i++)
        l[i] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            T s = (a[i * n + j] + a[j * n + i]) / 2 + (i == j ? jitter : 0);
            for (int64_t k = 0; k < j; k++)
                s -= l[i * n + k] * l[j * n + k];
            if (i == j && !(s > 0)) {
                for (int64_t k = 0; k < n * n; k++)
                    l[k] = (T)NAN;
                return;
            }
            l[i * n + j] = i == j ? SQRT(s) : s / l[j * n + j];
        }
}

/* x from t x = x, in place; `upper` of t as it lies, and t^T where it is transposed. */
static void NAME(substitute)(const T *t, T *x, int64_t n, int64_t m, bool upper, bool transposed)
{
    bool forward = upper == transposed;
    for (int64_t step = 0; step < n; step++) {
        int64_t i = forward ? step : n - 1 - step;
        T *row = x + i * m;
        for (int64_t k = forward ? 0 : i + 1; k < (forward ? i : n); k++) {
            T f = transposed ? t[k * n + i] : t[i * n + k];
            for (int64_t c = 0; c < m; c++)
                row[c] -= f * x[k * m + c];
        }
        for (int64_t c = 0; c < m; c++)
            row[c] /= t[i * n + i];
    }
}

/* Rows of `a` eliminated in place, and x with them, the greatest pivot of a column first. Gives the determinant. */
static T NAME(eliminate)(T *a, int64_t n, T *x, int64_t m)
{
    T det = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t p = k;
        for (int64_t i = k + 1; i < n; i++)
            p = a[i * n + k] * a[i * n + k] > a[p * n + k] * a[p * n + k] ? i : p;
        for (int64_t c = 0; c < n && p != k; c++) {
            T t = a[k * n + c];
            a[k * n + c] = a[p * n + c];
            a[p * n + c] = t;
        }
        for (int64_t c = 0; c < m && p != k; c++) {
            T t = x[k * m + c];
            x[k * m + c] = x[p * m + c];
            x[p * m + c] = t;
        }
        det *= p == k ? a[k * n + k] : -a[k * n + k];
        if (a[k * n + k] == 0 && m == 0)
            return 0;
        for (int64_t i = k + 1; i < n; i++) {
            T f = a[i * n + k] / a[k * n + k];
            for (int64_t c = k + 1; c < n; c++)
                a[i * n + c] -= f * a[k * n + c];
            for (int64_t c = 0; c < m; c++)
                x[i * m + c] -= f * x[k * m + c];
        }
    }
    return det;
}

/* Columns made orthonormal, each twice, as once may leave what rounding brought. r has the lengths on its diagonal. */
static void NAME(orthonormal)(const T *a, T *q, T *r, int64_t m, int64_t n)
{
    for (int64_t i = 0; i < m * n; i++)
        q[i] = a[i];
    for (int64_t i = 0; i < n * n; i++)
        r[i] = 0;
    for (int64_t j = 0; j < n; j++) {
        for (int64_t k = 0; k < 2 * j; k++) {
            int64_t c = k % j;
            T s = 0;
            for (int64_t i = 0; i < m; i++)
                s += q[i * n + c] * q[i * n + j];
            for (int64_t i = 0; i < m; i++)
                q[i * n + j] -= s * q[i * n + c];
            r[c * n + j] += s;
        }
        T s = 0;
        for (int64_t i = 0; i < m; i++)
            s += q[i * n + j] * q[i * n + j];
        r[j * n + j] = SQRT(s);
        for (int64_t i = 0; i < m; i++)
            q[i * n + j] /= r[j * n + j];
    }
}

/* One rotation that makes a[p, q] zero; v gathers them. */
static void NAME(rotate)(T *a, T *v, int64_t n, int64_t p, int64_t q)
{
    T apq = a[p * n + q];
    if (apq == 0)
        return;
    T theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    T t = (theta < 0 ? -1 : 1) / ((theta < 0 ? -theta : theta) + SQRT(theta * theta + 1));
    T c = 1 / SQRT(t * t + 1), s = t * c;
    for (int64_t k = 0; k < n; k++) {
        T x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (int64_t k = 0; k < n; k++) {
        T x = a[p * n + k], y = a[q * n + k], u = v[k * n + p], w = v[k * n + q];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        v[k * n + p] = c * u - s * w;
        v[k * n + q] = s * u + c * w;
    }
}

/* Jacobi's method on (a + a^T) / 2: sweeps over all pairs until what is beside the diagonal is nothing beside it.
 * Values ascend; of a vector the component of the greatest magnitude, the first of several, is positive. */
static void NAME(eigen)(const T *a, T *w, T *v, T *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            s[i * n + j] = (a[i * n + j] + a[j * n + i]) / 2;
            v[i * n + j] = i == j;
        }
    for (int sweep = 0; sweep < 40; sweep++) {
        T beside = 0, on = 0;
        for (int64_t i = 0; i < n * n; i++)
            *(i % (n + 1) ? &beside : &on) += s[i] * s[i];
        if (!(beside > on * EPSILON * EPSILON))
            break;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                NAME(rotate)(s, v, n, p, q);
    }
    for (int64_t i = 0; i < n; i++)
        w[i] = s[i * n + i];
    for (int64_t i = 0; i < n; i++) {
        int64_t least = i, most = 0;
        for (int64_t j = i + 1; j < n; j++)
            least = w[j] < w[least] ? j : least;
        T x = w[i];
        w[i] = w[least];
        w[least] = x;
        for (int64_t k = 0; k < n; k++) {
            x = v[k * n + i];
            v[k * n + i] = v[k * n + least];
            v[k * n + least] = x;
            most = v[k * n + i] * v[k * n + i] > v[most * n + i] * v[most * n + i] ? k : most;
        }
        T sign = v[most * n + i] < 0 ? -1 : 1;
        for (int64_t k = 0; k < n; k++)
            v[k * n + i] *= sign;
    }
}

static void NAME(cholesky)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    for (int64_t b = s.first; b < s.last; b++)
        NAME(cholesky_of)
    ((const T *)call->in[0].data + b * s.n * s.n, (T *)call->out->data + b * s.n * s.n, s.n,
        (T)cg_attr_float(call->attrs, "jitter", 0));
}

static void NAME(triangular)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    for (int64_t b = s.first; b < s.last; b++) {
        T *x = (T *)call->out->data + b * s.n * s.m;
        if (call->out->data != call->in[1].data)
            memcpy(x, (const T *)call->in[1].data + b * s.n * s.m, (size_t)(s.n * s.m) * sizeof *x);
        NAME(substitute)
        ((const T *)call->in[0].data + b * s.n * s.n, x, s.n, s.m, cg_attr_int(call->attrs, "upper", 0) != 0,
            cg_attr_int(call->attrs, "transposed", 0) != 0);
    }
}

static void NAME(solve)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    for (int64_t b = s.first; s.n && b < s.last; b++) {
        T *a = shard.scratch, *x = (T *)call->out->data + b * s.n * s.m;
        memcpy(a, (const T *)call->in[0].data + b * s.n * s.n, (size_t)(s.n * s.n) * sizeof *a);
        if (call->out->data != call->in[1].data)
            memcpy(x, (const T *)call->in[1].data + b * s.n * s.m, (size_t)(s.n * s.m) * sizeof *x);
        NAME(eliminate)(a, s.n, x, s.m);
        NAME(substitute)(a, x, s.n, s.m, true, false);
    }
}

static void NAME(det)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    for (int64_t b = s.first; b < s.last; b++) {
        T *a = shard.scratch;
        if (s.n)
            memcpy(a, (const T *)call->in[0].data + b * s.n * s.n, (size_t)(s.n * s.n) * sizeof *a);
        ((T *)call->out->data)[b] = NAME(eliminate)(a, s.n, NULL, 0);
    }
}

static void NAME(qr)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    int64_t n = call->in[0].dim[call->in[0].rank - 1];
    for (int64_t b = s.first; b < s.last; b++)
        NAME(orthonormal)
    ((const T *)call->in[0].data + b * s.n * n, (T *)call->out[0].data + b * s.n * n,
        (T *)call->out[1].data + b * n * n, s.n, n);
}

static void NAME(eigh)(const CgCall *call, CgShard shard)
{
    Matrices s = matrices_of(call, shard);
    for (int64_t b = s.first; b < s.last; b++)
        NAME(eigen)
    ((const T *)call->in[0].data + b * s.n * s.n, (T *)call->out[0].data + b * s.n,
        (T *)call->out[1].data + b * s.n * s.n, shard.scratch, s.n);
}

#undef T
#undef NAME
#undef SQRT
#undef EPSILON
