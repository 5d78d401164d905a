/* gemm.c - are the products right, for all four layouts, leading dimensions and odd sizes?
 * Takes nothing; prints TAP. Accuses src/run/gemm/blas.c and src/run/gemm*.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "run/gemm/blas.h"
#include "run/gemm/gemm.h"
#include "run/pool.h"

static int count;

static void ok(bool good, const char *name) { printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name); }

static double draw(uint64_t i)
{
    uint32_t bits;
    cg_random_bits(2385, 1, 0, i, 1, &bits);
    return bits / 4294967296.0 * 4 - 2;
}

/* The nearest bf16, found without bit tricks: of the two neighbours the nearer one, the even one on a tie. */
static double to_bf16(double x)
{
    if (x == 0)
        return x;
    int exponent;
    double f = frexp(x, &exponent) * 256; /* 128 .. 256 in size: 8 bits before the point */
    return ldexp(nearbyint(f), exponent - 8);
}

typedef struct Case {
    int64_t m, n, k, pad;
    double alpha, beta;
} Case;

/* Largest error of C against a double loop, relative to sum |a||b|. */
static double check(Case s, bool ta, bool tb, int mode /* 0 f32, 1 f64, 2 bf16 */)
{
    int64_t lda = (ta ? s.m : s.k) + s.pad, ldb = (tb ? s.k : s.n) + s.pad, ldc = s.n + s.pad;
    size_t na = (size_t)((ta ? s.k : s.m) * lda), nb = (size_t)((tb ? s.n : s.k) * ldb), nc = (size_t)(s.m * ldc);
    double *a = malloc((na + 1) * sizeof *a), *b = malloc((nb + 1) * sizeof *b), *c = malloc((nc + 1) * sizeof *c);
    float *fa = malloc((na + 1) * sizeof *fa), *fb = malloc((nb + 1) * sizeof *fb), *fc = malloc((nc + 1) * sizeof *fc);
    for (size_t i = 0; i < na; i++) {
        fa[i] = (float)draw(i);
        a[i] = fa[i];
    }
    for (size_t i = 0; i < nb; i++) {
        fb[i] = (float)draw(i + 1000000);
        b[i] = fb[i];
    }
    for (size_t i = 0; i < nc; i++) {
        fc[i] = (float)draw(i + 2000000);
        c[i] = fc[i];
    }
    if (s.beta == 0)
        for (size_t i = 0; i < nc; i++) {
            fc[i] = NAN;
            c[i] = NAN;
        }
    if (mode == 2) {
        for (size_t i = 0; i < na; i++)
            a[i] = to_bf16(a[i]);
        for (size_t i = 0; i < nb; i++)
            b[i] = to_bf16(b[i]);
    }
    double *want = malloc((nc + 1) * sizeof *want), *size = malloc((nc + 1) * sizeof *size);
    for (size_t i = 0; i < nc; i++) {
        want[i] = c[i];
        size[i] = 1;
    }
    for (int64_t i = 0; i < s.m; i++)
        for (int64_t j = 0; j < s.n; j++) {
            double sum = 0, mag = 0;
            for (int64_t l = 0; l < s.k; l++) {
                double p = (ta ? a[l * lda + i] : a[i * lda + l]) * (tb ? b[j * ldb + l] : b[l * ldb + j]);
                sum += p;
                mag += fabs(p);
            }
            int64_t at = i * ldc + j;
            want[at] = s.alpha * sum + (s.beta == 0 ? 0 : s.beta * c[at]);
            size[at] = fabs(s.alpha) * mag + (s.beta == 0 ? 0 : fabs(s.beta * c[at])) + 1e-30;
        }
    if (mode == 1)
        cg_gemm_f64(ta, tb, s.m, s.n, s.k, s.alpha, a, lda, b, ldb, s.beta, c, ldc);
    else
        cg_gemm_f32(ta, tb, s.m, s.n, s.k, (float)s.alpha, fa, lda, fb, ldb, (float)s.beta, fc, ldc, mode == 2);
    double worst = 0;
    for (int64_t i = 0; i < s.m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            int64_t at = i * ldc + j;
            double got = mode == 1 ? c[at] : (double)fc[at];
            double err = j < s.n ? fabs(got - want[at]) / size[at] /* padding must not be touched */
                : got == want[at] || (isnan(got) && isnan(want[at])) ? 0
                                                                     : INFINITY;
            if (!(err <= worst))
                worst = err;
        }
    free(a);
    free(b);
    free(c);
    free(fa);
    free(fb);
    free(fc);
    free(want);
    free(size);
    return worst;
}

/* Factors packed beforehand in pieces, any range of panels and of k: against the same sums in double. More rows than a
 * block has, and a range of k that no type sums in one go (gemm.c, LONG). */
static double check_packed(bool ta, bool tb, CgDtype dtype, int bf16)
{
    enum { M = 163, N = 37, K = 4409, FROM = 130, TO = 4306, PAD = 3 };
    int64_t lda = (ta ? M : K) + PAD, ldb = (tb ? K : N) + PAD;
    size_t size = dtype == CG_F64 ? sizeof(double) : sizeof(float);
    double *a = calloc((size_t)((ta ? K : M) * lda), sizeof *a), *b = calloc((size_t)((tb ? N : K) * ldb), sizeof *b),
           worst = 0;
    char *x = calloc((size_t)((ta ? K : M) * lda), size), *y = calloc((size_t)((tb ? N : K) * ldb), size),
         *z = calloc(M * N, size);
    for (int64_t i = 0; i < (ta ? K : M) * lda; i++) {
        float v = (float)draw((uint64_t)i);
        a[i] = bf16 ? to_bf16(v) : v;
        if (dtype == CG_F64)
            ((double *)(void *)x)[i] = a[i];
        else
            ((float *)(void *)x)[i] = v;
    }
    for (int64_t i = 0; i < (tb ? N : K) * ldb; i++) {
        float v = (float)draw((uint64_t)i + 7000000);
        b[i] = bf16 ? to_bf16(v) : v;
        if (dtype == CG_F64)
            ((double *)(void *)y)[i] = b[i];
        else
            ((float *)(void *)y)[i] = v;
    }
    CgGemm g = {
        .dtype = dtype, .bf16 = bf16, .ta = ta, .tb = tb, .m = M, .n = N, .k = K, .a = x, .b = y, .lda = lda, .ldb = ldb
    };
    cg_gemm_layout(&g);
    g.left = g.left_bytes ? aligned_alloc(64, (g.left_bytes + 63) / 64 * 64) : NULL;
    g.right = aligned_alloc(64, (g.right_bytes + 63) / 64 * 64);
    int64_t half = g.left_panels / 2, cut = 2616;
    for (int shard = 3; shard >= 0 && g.left; shard--) {
        int64_t q0 = shard & 1 ? half : 0, q1 = shard & 1 ? g.left_panels : half, k0 = shard & 2 ? cut : 0,
                k1 = shard & 2 ? K : cut;
        int64_t at = ta ? k0 * lda + cg_gemm_row(&g, q0) : cg_gemm_row(&g, q0) * lda + k0;
        cg_gemm_pack_left(&g, x + (size_t)at * size, q0, q1, k0, k1);
    }
    cg_gemm_pack_right(&g, 1, g.right_panels, 0, cut);
    cg_gemm_pack_right(&g, 0, 1, 0, K);
    cg_gemm_pack_right(&g, 1, g.right_panels, cut, K);
    cg_gemm_run(&g, (CgGemmRange){ 0, half, 0, g.right_panels, FROM, TO }, 1.5, 0, z, N);
    cg_gemm_run(&g, (CgGemmRange){ half, g.left_panels, 0, 1, FROM, TO }, 1.5, 0, z, N);
    cg_gemm_run(&g, (CgGemmRange){ half, g.left_panels, 1, g.right_panels, FROM, TO }, 1.5, 0, z, N);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            double sum = 0, mag = 1e-30;
            for (int64_t l = FROM; l < TO; l++) {
                double p = 1.5 * (ta ? a[l * lda + i] : a[i * lda + l]) * (tb ? b[j * ldb + l] : b[l * ldb + j]);
                sum += p;
                mag += fabs(p);
            }
            double got = dtype == CG_F64 ? ((double *)(void *)z)[i * N + j] : (double)((float *)(void *)z)[i * N + j];
            double err = fabs(got - sum) / mag;
            if (!(err <= worst))
                worst = err;
        }
    free(a);
    free(b);
    free(x);
    free(y);
    free(z);
    free(g.left);
    free(g.right);
    return worst;
}

enum { WEIGHT_KEYS = 61, WEIGHT_D = 24, WEIGHT_X = 3 };
static const double weight_turn = 1.25;

static double number_at(CgDtype dtype, const char *at, int64_t i)
{
    return dtype == CG_F64 ? ((const double *)(const void *)at)[i] : (double)((const float *)(const void *)at)[i];
}

/* How far base, sum and product of the n - 1 columns are from the softmax in double. */
static double weights_error(
    CgDtype dtype, int bf16, double alpha, int64_t n, int64_t hidden, double *const exact[3], char *const by[4])
{
    enum { KEYS = WEIGHT_KEYS, D = WEIGHT_D, X = WEIGHT_X };
    const double turn = weight_turn;
    double worst = 0;
    for (int64_t j = 0; j < n - 1; j++) {
        double s[KEYS], top = -INFINITY, sum = 0, base, total;
        for (int64_t r = 0; r < KEYS; r++) {
            s[r] = 0;
            for (int64_t l = 0; l < D; l++)
                s[r] += turn * alpha * exact[0][r * D + l] * exact[1][j * D + l];
            if (j < hidden + r)
                s[r] = -INFINITY;
            top = s[r] > top ? s[r] : top;
        }
        for (int64_t r = 0; r < KEYS; r++)
            sum += exp2(s[r] - top);
        base = number_at(dtype, by[0], j);
        total = number_at(dtype, by[1], j);
        double err = fabs(base + log2(total) - top - log2(sum)) / 100;
        worst = err <= worst ? worst : err;
        for (int i = 0; i < X; i++) {
            double want = 0, mag = 0, got = number_at(dtype, by[3], i * n + j);
            for (int64_t r = 0; r < KEYS; r++) {
                want += exact[2][i * KEYS + r] * exp2(s[r] - top) / sum;
                mag += fabs(exact[2][i * KEYS + r]) * exp2(s[r] - top) / sum;
            }
            err = fabs(got / total - want) / mag / (bf16 ? 4000 : 100); /* a weight that is rounded is so by 2^-9 */
            worst = err <= worst ? worst : err;
        }
    }
    return worst;
}

/* Weights of a softmax down the columns, tile by tile, of scores that grow so that bases rise again and again: what
 * they make of X, and the logarithm of their sum, against the same in double. The last column is padding. */
static double check_weights(CgDtype dtype, int bf16, double alpha)
{
    enum { KEYS = WEIGHT_KEYS, D = WEIGHT_D, X = WEIGHT_X };
    const double turn = weight_turn;
    size_t size = dtype == CG_F64 ? sizeof(double) : sizeof(float);
    CgGemm scores = { .dtype = dtype, .bf16 = bf16, .tb = true, .m = KEYS, .n = 1, .k = D, .lda = D, .ldb = D };
    cg_gemm_layout(&scores);
    int64_t n = scores.nr, tall = scores.mr / 2 * 2, hidden = n / 2 - 30;
    CgGemm sums = { .dtype = dtype, .bf16 = bf16, .m = X, .n = n, .k = KEYS, .lda = KEYS, .ldb = n };
    cg_gemm_layout(&sums);
    scores.n = n - 1;
    int64_t many[3] = { KEYS * D, n * D, X * KEYS };
    char *in[3], *by[4],
        *tile = calloc((size_t)(scores.mr * n), size); /* keys, queries, X; base, sum, shrink, product */
    double *exact[3], worst = 0;
    for (int i = 0; i < 4; i++)
        by[i] = calloc((size_t)(X * n), size);
    for (int f = 0; f < 3; f++) {
        in[f] = calloc((size_t)many[f], size);
        exact[f] = calloc((size_t)many[f], sizeof(double));
        for (int64_t i = 0; i < many[f]; i++) {
            float v = (float)(draw((uint64_t)(i + 100000 * f)) * (f == 0 ? 0.3 + 0.08 * (double)(i / D) : 1));
            exact[f][i] = bf16 ? to_bf16(v) : v;
            if (dtype == CG_F64)
                ((double *)(void *)in[f])[i] = v;
            else
                ((float *)(void *)in[f])[i] = v;
        }
    }
    scores.a = in[0];
    scores.b = in[1];
    sums.a = in[2];
    CgGemm *const both[2] = { &scores, &sums };
    for (int i = 0; i < 2; i++) {
        both[i]->left = both[i]->left_bytes ? aligned_alloc(64, (both[i]->left_bytes + 63) / 64 * 64) : NULL;
        both[i]->right = aligned_alloc(64, (both[i]->right_bytes + 63) / 64 * 64);
        if (both[i]->left)
            cg_gemm_pack_left(both[i], both[i]->a, 0, both[i]->left_panels, 0, both[i]->k);
    }
    cg_gemm_pack_right(&scores, 0, 1, 0, D);
    for (int64_t i = 0; i < n; i++) {
        if (dtype == CG_F64)
            ((double *)(void *)by[0])[i] = -1e300;
        else
            ((float *)(void *)by[0])[i] = -1e38f;
    }
    int rises = 0;
    for (int64_t r = 0; r < KEYS; r += tall) {
        CgSoftmaxTile w = { .alpha = alpha,
            .exponent = turn,
            .diagonal = r + hidden,
            .base = by[0],
            .sum = by[1],
            .rescale = by[2],
            .c = scores.left_bytes ? tile : (char *)sums.right + (size_t)(r * n) * size,
            .ldc = n,
            .right = &sums,
            .k = r };
        rises += cg_gemm_softmax_tile(&scores, r, r + tall < KEYS ? tall : KEYS - r, 0, &w);
    }
    cg_gemm_run(&sums, (CgGemmRange){ 0, sums.left_panels, 0, 1, 0, KEYS }, 1, 0, by[3], n);
    worst = weights_error(dtype, bf16, alpha, n, hidden, exact, by);
    for (int i = 0; i < 4; i++)
        free(by[i]);
    for (int f = 0; f < 3; f++) {
        free(in[f]);
        free(exact[f]);
    }
    for (int i = 0; i < 2; i++) {
        free(both[i]->left);
        free(both[i]->right);
    }
    free(tile);
    return rises > 1 ? worst : INFINITY;
}

/* Many threads at once must not disturb each other: a serial build of OpenBLAS, called so, now and then gives
 * a wrong product. */
enum { SIDE = 101, JOBS = 48 };
typedef struct Crowd {
    float a[SIDE * SIDE], b[SIDE * SIDE], c[JOBS][SIDE * SIDE];
    double d[JOBS][SIDE * SIDE], e[SIDE * SIDE];
} Crowd;

static void one_of_many(void *arg, size_t i, int thread)
{
    Crowd *w = arg;
    (void)thread;
    cg_gemm_f32(i & 1, i >> 1 & 1, SIDE, SIDE, SIDE, 1, w->a, SIDE, w->b, SIDE, 0, w->c[i], SIDE, i >> 2 & 1);
    cg_gemm_f64(i & 1, i >> 1 & 1, SIDE, SIDE, SIDE, 1, w->e, SIDE, w->e, SIDE, 0, w->d[i], SIDE);
}

static void crowd(void)
{
    Crowd *w = malloc(sizeof *w), *alone = malloc(sizeof *alone);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        w->a[i] = (float)draw(i);
        w->b[i] = (float)draw(i + 50000);
        w->e[i] = draw(i + 90000);
    }
    memcpy(alone, w, sizeof *w);
    for (size_t i = 0; i < JOBS; i++)
        one_of_many(alone, i, 0);
    CgPool *pool = cg_pool_new(3);
    bool good = true;
    for (int run = 0; run < 60 && good; run++) {
        cg_pool_run(pool, JOBS, one_of_many, w);
        good = !memcmp(w->c, alone->c, sizeof w->c) && !memcmp(w->d, alone->d, sizeof w->d);
    }
    ok(good, "the same bits when three threads multiply at once");
    cg_pool_free(pool);
    free(w);
    free(alone);
}

int main(void)
{
    cg_blas_init();
    printf("# %s, core %s, %s, bf16 %s\n", cg_blas_name(), cg_blas_core(),
        cg_blas_is_serial() ? "serial" : "not serial", *cg_gemm_name(true) ? cg_gemm_name(true) : "by rounding");
    ok(*cg_blas_name() && *cg_blas_core(), "the library says what it is");
    const Case cases[] = {
        { 7, 13, 5, 0, 1, 0 },
        { 1, 37, 11, 3, 1, 0 },
        { 67, 1, 23, 0, 2.385, 1 },
        { 61, 59, 127, 5, -1.5, 0.75 },
        { 131, 97, 301, 0, 1, 1 },
        { 14, 32, 64, 0, 1, 0 },
        { 29, 65, 1, 1, 1, 0 },
        { 3, 5, 0, 2, 1, 0.5 },
        { 3, 5, 0, 0, 1, 0 },
        { 17, 33, 777, 0, 1, 0 },
        { 203, 519, 93, 0, 0.5, 1 },
        { 1, 301, 71, 3, 1, 0.5 },
        { 3, 131, 77, 1, 2, 0 },
        { 1, 128, 48, 0, 1, 1 },
        { 239, 523, 1031, 3, 1, 0.5 },
        { 15, 33, 513, 0, 1, 0 },
    };
    static const char *const name[3] = { "f32", "f64", "bf16" };
    static const double limit[3] = { 3e-7, 1e-15, 5e-7 };
    for (int mode = 0; mode < 3; mode++)
        for (int t = 0; t < 4; t++) {
            double worst = 0;
            for (size_t i = 0; i < CG_LEN(cases); i++) {
                double err = check(cases[i], t & 1, t >> 1 & 1, mode);
                if (!(err <= worst))
                    worst = err;
            }
            char line[80];
            snprintf(line, sizeof line, "%s %c%c within %.1g (worst %.2g)", name[mode], t & 1 ? 'T' : 'N',
                t & 2 ? 'T' : 'N', limit[mode], worst);
            ok(worst <= limit[mode], line);
        }
    for (int mode = 0; mode < 3; mode++) {
        double worst = 0;
        for (int t = 0; t < 4; t++) {
            double err = check_packed(t & 1, t >> 1 & 1, mode == 1 ? CG_F64 : CG_F32, mode == 2);
            if (!(err <= worst))
                worst = err;
        }
        char line[80];
        snprintf(line, sizeof line, "%s packed in pieces within %.1g (worst %.2g)", name[mode], limit[mode], worst);
        ok(worst <= limit[mode], line);
    }
    for (int mode = 0; mode < 3; mode++) {
        static const double most[3] = { 1e-6, 1e-15, 1e-6 };
        double worst = check_weights(mode == 1 ? CG_F64 : CG_F32, mode == 2, 1),
               other = check_weights(mode == 1 ? CG_F64 : CG_F32, mode == 2, -0.7);
        char line[80];
        snprintf(line, sizeof line, "%s weights of a softmax within %.1g (worst %.2g, %.2g)", name[mode], most[mode],
            worst, other);
        ok(worst <= most[mode] && other <= most[mode], line);
    }
    float odd[4] = { NAN, INFINITY, 1, -INFINITY }, one[4] = { 1, 0, 0, 0 }, y[4];
    cg_gemm_f32(false, false, 4, 1, 1, 1, odd, 1, one, 1, 0, y, 1, 1);
    ok(isnan(y[0]) && y[1] == INFINITY && y[2] == 1 && y[3] == -INFINITY,
        "bf16 keeps what is not a number and infinities");
    crowd();
    printf("1..%d\n", count);
    return 0;
}
