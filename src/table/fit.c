/* fit.c - least squares.
 * Takes a column and those it may depend on; gives coefficients with their errors, or what is left of the column.
 * Must not take columns that say the same for two: then there is no fit, and the result says why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/stats.h"

/* Columns of X, the intercept first, made orthonormal by Gram and Schmidt, twice for what rounding leaves (Giraud et
 * al. 2005): X = Q R. */
typedef struct Basis {
    size_t n;
    int k;
    double *q; /* (k, n) */
    double *r; /* (k, k), r[i * k + j]: of column j along i */
    bool whole;
} Basis;

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static Basis basis_of(const double *const *x, int nx, size_t n)
{
    int k = nx + 1;
    Basis b = { n, k, cg_malloc(sizeof(double) * n * (size_t)k + 1), cg_calloc((size_t)k * (size_t)k, sizeof(double)),
        true };
    for (int j = 0; j < k; j++) {
        double *v = b.q + (size_t)j * n;
        for (size_t i = 0; i < n; i++)
            v[i] = j == 0 ? 1 : x[j - 1][i];
        double before = sqrt(dot(v, v, n));
        for (int twice = 0; twice < 2; twice++) {
            for (int i = 0; i < j; i++) {
                const double *u = b.q + (size_t)i * n;
                double along = dot(u, v, n);
                b.r[i * k + j] += along;
                for (size_t m = 0; m < n; m++)
                    v[m] -= along * u[m];
            }
        }
        double length = sqrt(dot(v, v, n));
        b.whole &= length > 1e-12 * before;
        b.r[j * k + j] = length;
        for (size_t m = 0; m < n; m++)
            v[m] = length > 0 ? v[m] / length : 0;
    }
    return b;
}

static void basis_deinit(Basis *b)
{
    free(b->q);
    free(b->r);
}

/* along[j] = q_j . y, and y without all of them. */
static void project(const Basis *b, double *y, double *along)
{
    memset(along, 0, sizeof *along * (size_t)b->k);
    for (int twice = 0; twice < 2; twice++) {
        for (int j = 0; j < b->k; j++) {
            const double *u = b->q + (size_t)j * b->n;
            double a = dot(u, y, b->n);
            along[j] += a;
            for (size_t i = 0; i < b->n; i++)
                y[i] -= a * u[i];
        }
    }
}

int cg_stats_residuals(double *y, const double *const *x, int nx, size_t n)
{
    if (n < (size_t)nx + 2)
        return 0;
    Basis b = basis_of(x, nx, n);
    double *along = cg_malloc(sizeof *along * (size_t)b.k);
    project(&b, y, along);
    int rank = 0;
    for (int j = 0; j < b.k; j++)
        rank += b.r[j * b.k + j] > 0;
    free(along);
    basis_deinit(&b);
    return rank;
}

/* With R: coefficients solve R c = along; the variance of c_j is s^2 times the square of row j of R's inverse. */
static void solve(CgFit *f, const Basis *b, const double *along, double s)
{
    int k = b->k;
    double degrees = (double)(f->n - (size_t)k);
    double *inverse = cg_calloc((size_t)k * (size_t)k, sizeof *inverse);
    for (int j = 0; j < k; j++) {
        for (int i = j; i >= 0; i--) {
            double sum = i == j;
            for (int m = i + 1; m <= j; m++)
                sum -= b->r[i * k + m] * inverse[m * k + j];
            inverse[i * k + j] = sum / b->r[i * k + i];
        }
    }
    for (int i = 0; i < k; i++) {
        double value = 0, square = 0;
        for (int j = i; j < k; j++) {
            value += inverse[i * k + j] * along[j];
            square += inverse[i * k + j] * inverse[i * k + j];
        }
        f->value[i] = value;
        f->error[i] = s * sqrt(square);
        f->p[i] = f->error[i] > 0 ? cg_stats_t_p(value / f->error[i], degrees) : NAN;
    }
    free(inverse);
}

/* Of y, which becomes what is left of it. Where that is rounding there is no error to test by. */
static void least_squares(CgFit *f, const Basis *b, double *y)
{
    double mean = cg_stats_mean(y, f->n), total = 0, largest = 0;
    double *along = cg_malloc(sizeof *along * (size_t)f->k);
    bool flat = cg_stats_constant(y, f->n);
    for (size_t i = 0; i < f->n; i++) {
        total += (y[i] - mean) * (y[i] - mean);
        largest = fmax(largest, fabs(y[i]));
    }
    project(b, y, along);
    for (int j = 1; flat && j < f->k; j++)
        along[j] = 0;
    double left = dot(y, y, f->n), rounding = CG_ROUNDING * largest;
    if (left <= (double)f->n * rounding * rounding) {
        f->why = "the fit is exact: there is no error to test by";
        left = 0;
    }
    f->residual = sqrt(left / (double)(f->n - (size_t)f->k));
    f->r2 = flat ? NAN : 1 - left / total;
    solve(f, b, along, f->residual);
    free(along);
}

CgFit cg_stats_fit(const double *y, const double *const *x, int nx, size_t n)
{
    int k = nx + 1;
    CgFit f = { 0, k, NAN, NAN, cg_calloc((size_t)k, sizeof(double)), cg_calloc((size_t)k, sizeof(double)),
        cg_calloc((size_t)k, sizeof(double)), NULL };
    double **kept = cg_malloc(sizeof *kept * (size_t)k); /* y, then the columns */
    for (int j = 0; j < k; j++) {
        f.value[j] = f.error[j] = f.p[j] = NAN;
        kept[j] = cg_malloc(sizeof **kept * (n + 1));
    }
    for (size_t i = 0; i < n; i++) {
        bool whole = !isnan(y[i]);
        for (int j = 0; j < nx; j++)
            whole &= !isnan(x[j][i]);
        for (int j = 0; whole && j < k; j++)
            kept[j][f.n] = j ? x[j - 1][i] : y[i];
        f.n += whole;
    }
    Basis b = basis_of((const double *const *)kept + 1, nx, f.n);
    if (f.n < (size_t)k + 1)
        f.why = "there are too few rows";
    else if (!b.whole)
        f.why = "a column is constant or follows from the others";
    if (!f.why)
        least_squares(&f, &b, kept[0]);
    for (int j = 0; j < k; j++)
        free(kept[j]);
    free(kept);
    basis_deinit(&b);
    return f;
}

void cg_fit_deinit(CgFit *f)
{
    free(f->value);
    free(f->error);
    free(f->p);
    f->value = f->error = f->p = NULL;
}
