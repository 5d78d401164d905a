/* blas.h - the matrix library.
 * The only file that includes cblas.h is blas.c; it defines cg_gemm_f32/f64 of cg/kernel.h. */
#ifndef CG_BLAS_H
#define CG_BLAS_H
#include "base/base.h"

void cg_blas_init(void);        /* pins it to one thread; idempotent */
const char *cg_blas_name(void); /* "OpenBLAS 0.3.21 serial" */
const char *cg_blas_core(void); /* "Cooperlake" */
bool cg_blas_is_serial(void);   /* false: a threaded build that was told to use one thread */
#endif
