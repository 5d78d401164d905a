/* blas.c - the matrix library, behind the one door.
 * Takes row-major products; gives those in f64 from CBLAS on the calling thread, those in f32 from gemm.c. The only
 * file that includes cblas.h. Must not let the library start threads: tiles and threads are the plan's and the pool's
 * business. */
#include <cblas.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cg/kernel.h>

#include "graph/registry.h"
#include "run/gemm/blas.h"
#include "run/gemm/gemm.h"

/* What OpenBLAS offers beyond CBLAS; NULL with another library. */
#pragma weak openblas_set_num_threads
#pragma weak openblas_get_num_threads
#pragma weak openblas_get_config
#pragma weak openblas_get_corename
#pragma weak openblas_get_parallel
void openblas_set_num_threads(int n);
int openblas_get_num_threads(void);
char *openblas_get_config(void);
char *openblas_get_corename(void);
int openblas_get_parallel(void);

static char blas_name[128] = "CBLAS";
static char blas_core[64] = "unknown";
static bool blas_serial;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A build of OpenBLAS without threads hands out its buffers without a lock: two callers at once can be given
 * the same one, and now and then a product is wrong (seen with 0.3.21 as Debian builds it, one call in some
 * hundreds). Builds with threads lock. */
static pthread_mutex_t serial_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
    if (blas_serial)
        pthread_mutex_lock(&serial_lock);
}

static void leave(void)
{
    if (blas_serial)
        pthread_mutex_unlock(&serial_lock);
}

static void init(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
    int parallel = openblas_get_parallel ? openblas_get_parallel() : -1; /* 0 serial, 1 pthread, 2 OpenMP */
    /* Asking is not enough: OpenMP builds have been seen to ignore the call. */
    int threads = openblas_get_num_threads ? openblas_get_num_threads() : 1;
    blas_serial = parallel == 0;
    if (openblas_get_config) {
        char library[32] = "", version[32] = "";
        if (sscanf(openblas_get_config(), "%31s %31s", library, version) == 2)
            snprintf(blas_name, sizeof blas_name, "%s %s %s%s", library, version,
                parallel == 0       ? "serial"
                    : parallel == 1 ? "pthread"
                    : parallel == 2 ? "openmp"
                                    : "",
                threads > 1 ? " (would not be told to use one thread)" : "");
    }
    if (openblas_get_corename)
        snprintf(blas_core, sizeof blas_core, "%s", openblas_get_corename());
}

void cg_blas_init(void) { pthread_once(&once, init); }

const char *cg_blas_name(void)
{
    cg_blas_init();
    return blas_name;
}

const char *cg_blas_core(void)
{
    cg_blas_init();
    return blas_core;
}

bool cg_blas_is_serial(void)
{
    cg_blas_init();
    return blas_serial;
}

/* The plain triple loop, for sizes CBLAS cannot take (its integers are 32 bits wide). */
#define GEMM_PLAIN(T, name)                                                                                           \
    static void name(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T *a, int64_t lda, const T *b, \
        int64_t ldb, T beta, T *c, int64_t ldc)                                                                       \
    {                                                                                                                 \
        for (int64_t i = 0; i < m; i++)                                                                               \
            for (int64_t j = 0; j < n; j++) {                                                                         \
                T sum = 0;                                                                                            \
                for (int64_t l = 0; l < k; l++)                                                                       \
                    sum += (ta ? a[l * lda + i] : a[i * lda + l]) * (tb ? b[j * ldb + l] : b[l * ldb + j]);           \
                c[i * ldc + j] = (beta == 0 ? 0 : beta * c[i * ldc + j]) + (k ? alpha * sum : 0);                     \
            }                                                                                                         \
    }
GEMM_PLAIN(float, plain_f32)
GEMM_PLAIN(double, plain_f64)

static bool fits(int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc)
{
    return m > 0 && n > 0 && k > 0 && m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && lda <= INT_MAX && ldb <= INT_MAX
        && ldc <= INT_MAX;
}

/* CBLAS refuses a leading dimension below the row length even when there is but one row. */
static int lead(int64_t ld, int64_t row) { return (int)(ld < row ? row : ld); }

void cg_gemm_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda,
    const double *b, int64_t ldb, double beta, double *c, int64_t ldc)
{
    pthread_once(&once, init);
    if (cg_registry_is_exact() || !fits(m, n, k, lda, ldb, ldc)) {
        plain_f64(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    enter();
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
        alpha, a, lead(lda, ta ? m : k), b, lead(ldb, tb ? k : n), beta, c, lead(ldc, n));
    leave();
}

void cg_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc, int bf16)
{
    CgGemm g = { .dtype = CG_F32,
        .bf16 = bf16,
        .ta = ta,
        .tb = tb,
        .m = m,
        .n = n,
        .k = k,
        .a = a,
        .lda = lda,
        .b = b,
        .ldb = ldb };
    if (m > 0 && n > 0 && k > 0)
        cg_gemm_serial(&g, (double)alpha, (double)beta, c, ldc);
    else
        plain_f32(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
