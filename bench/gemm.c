/* gemm.c - rates of one thread's matrix products: whole, their factors packed beforehand, and by the matrix library.
 * Takes sizes M N K and, of them, n/t for each factor, or nothing for a list of those that training meets; prints
 * GFLOP/s by processor time, and elements packed a second. Must not use more than one thread. OpenBLAS is held to an
 * instruction set by OPENBLAS_CORETYPE, as cg is by CG_ISA. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cg/kernel.h>
#include "base/base.h"
#include "run/gemm/blas.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Work {
    CgGemm g;
    float *c;
} Work;

static void whole(Work *w)
{
    const CgGemm *g = &w->g;
    cg_gemm_f32(g->ta, g->tb, g->m, g->n, g->k, 1, g->a, g->lda, g->b, g->ldb, 0, w->c, g->n, g->bf16);
}

static void packed(Work *w)
{
    const CgGemm *g = &w->g;
    cg_gemm_run(g, (CgGemmRange){ 0, g->left_panels, 0, g->right_panels, 0, g->k }, 1, 0, w->c, g->n);
}

static void library(Work *w)
{
    const CgGemm *g = &w->g;
    cblas_sgemm(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans, g->tb ? CblasTrans : CblasNoTrans, (int)g->m,
        (int)g->n, (int)g->k, 1, g->a, (int)g->lda, g->b, (int)g->ldb, 0, w->c, (int)g->n);
}

static void left(Work *w)
{
    if (w->g.left)
        cg_gemm_pack_left(&w->g, w->g.a, 0, w->g.left_panels, 0, w->g.k);
}

static void right(Work *w) { cg_gemm_pack_right(&w->g, 0, w->g.right_panels, 0, w->g.k); }

/* Seconds a call: the best of some. */
static double best(void (*f)(Work *), Work *w)
{
    double least = 1e9;
    f(w);
    for (int i = 0; i < 7; i++) {
        double start = now(), spent;
        int calls = 0;
        do {
            f(w);
            calls++;
        } while ((spent = now() - start) < 0.02);
        if (spent / calls < least)
            least = spent / calls;
    }
    return least;
}

static void measure(bool ta, bool tb, int64_t m, int64_t n, int64_t k, int bf16)
{
    Work w = { { .dtype = CG_F32,
                   .bf16 = bf16,
                   .ta = ta,
                   .tb = tb,
                   .m = m,
                   .n = n,
                   .k = k,
                   .lda = ta ? m : k,
                   .ldb = tb ? k : n },
        NULL };
    float *a = cg_try_alloc((size_t)(m * k) * sizeof *a), *b = cg_try_alloc((size_t)(k * n) * sizeof *b);
    w.c = cg_try_alloc((size_t)(m * n) * sizeof *w.c);
    for (int64_t i = 0; i < m * k; i++)
        a[i] = (float)(i * 2385 % 1009) / 1009 - 0.5f;
    for (int64_t i = 0; i < k * n; i++)
        b[i] = (float)(i * 5431 % 1013) / 1013 - 0.5f;
    w.g.a = a;
    w.g.b = b;
    cg_gemm_layout(&w.g);
    w.g.left = w.g.left_bytes ? cg_try_alloc(w.g.left_bytes) : NULL;
    w.g.right = cg_try_alloc(w.g.right_bytes);
    double flops = 2e-9 * (double)m * (double)n * (double)k;
    double tl = best(left, &w), tr = best(right, &w), t = best(packed, &w), all = best(whole, &w);
    printf("%c%c %5lld %5lld %5lld  %-4s  whole %6.1f  packed %6.1f", ta ? 'T' : 'N', tb ? 'T' : 'N', (long long)m,
        (long long)n, (long long)k, bf16 ? "bf16" : "f32", flops / all, flops / t);
    if (!bf16)
        printf("  library %6.1f", flops / best(library, &w));
    printf(" GFLOP/s  left %5.1f  right %5.1f G/s\n", w.g.left ? 1e-9 * (double)(m * k) / tl : 0.0,
        1e-9 * (double)(k * n) / tr);
    free(a);
    free(b);
    free(w.c);
    free(w.g.left);
    free(w.g.right);
}

int main(int argc, char **argv)
{
    static const struct {
        bool ta, tb;
        int64_t m, n, k;
    } list[] = {
        { false, false, 2048, 384, 384 },
        { false, false, 2048, 1024, 384 },
        { false, true, 2048, 384, 1024 },
        { true, false, 384, 1024, 2048 },
        { false, true, 2048, 4096, 384 },
        { true, false, 4096, 384, 2048 },
        { false, false, 4096, 128, 128 },
        { false, false, 4096, 384, 128 },
        { true, false, 128, 384, 4096 },
        { true, false, 128, 128, 4096 },
        { false, false, 256, 256, 256 },
        { false, false, 32, 256, 32 },
        { false, false, 32, 32, 256 },
    };
    cg_blas_init(); /* the library may not start threads */
    if (argc == 5) {
        for (int bf16 = 0; bf16 < 2; bf16++)
            measure(argv[1][0] == 't', argv[1][1] == 't', atoll(argv[2]), atoll(argv[3]), atoll(argv[4]), bf16);
        return 0;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: gemm [nn|nt|tn|tt M N K]\n");
        return 2;
    }
    for (int bf16 = 0; bf16 < 2; bf16++)
        for (size_t i = 0; i < CG_LEN(list); i++)
            measure(list[i].ta, list[i].tb, list[i].m, list[i].n, list[i].k, bf16);
    return 0;
}
