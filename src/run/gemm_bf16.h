/* gemm_bf16.h - matrix products with operands rounded to bf16.
 * Takes f32 matrices; gives f32 sums of products of rounded operands. Used by blas.c only. */
#ifndef CG_GEMM_BF16_H
#define CG_GEMM_BF16_H
#include "base/base.h"

/* As cg_gemm_f32 with bf16 set; m, n and k are not 0. */
void cg_gemm_bf16(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                  int64_t ldb, float beta, float *c, int64_t ldc);
const char *cg_gemm_bf16_name(void);    /* "avx512_bf16" or "portable" */
#endif
