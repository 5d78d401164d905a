/* gemm.h - matrix products of our own.
 * Takes f32 matrices; gives f32, with operands as they are or rounded to bf16. Used by blas.c only. */
#ifndef CG_GEMM_H
#define CG_GEMM_H
#include "base/base.h"

/* As cg_gemm_f32; m, n and k are not 0. False when this processor has no code for it: nothing was done. */
bool cg_gemm_own(bool bf16, bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                 int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
/* Rounds to bf16 in plain C and leaves the product to cg_gemm_f32: the same meaning on any processor. */
void cg_gemm_rounded(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
const char *cg_gemm_name(bool bf16);    /* "avx512", "avx512_bf16", or "" when there is none */
#endif
