/* vector.c - panels and their products in plain C with vectors of the compiler's.
 * Takes and gives what gemm.h says; compiled once for each instruction set, like the ops. Must not be called but
 * through gemm.c, which knows what the processor has. */
#include <string.h>
#include <cg/elementwise.h>
#include <cg/vmath.h>
#include "ops/vector_reduce.h"
#include "run/gemm/gemm.h"

/* MR rows of two vectors, two vectors of B and one number of A: 31 of 32 registers, or 15 of 16. */
#if defined(__AVX512F__)
    #define BYTES          64
    #define MR             14
    #define EACH_ROW(X)    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
    #define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
    #if defined(__AVX2__)
        #define BYTES 32
    #else
        #define BYTES 16
    #endif
    #define NARROW         /* a panel is narrower than a line of the cache */
    #define MR             6
    #define EACH_ROW(X)    X(0) X(1) X(2) X(3) X(4) X(5)
    #define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

#define T          float
#define EXP2       cg_exp2_low_f32
#define RINT       rintf
#define TANH       cg_tanh_f32
#define TRANSPOSE  lanes_transpose_f32
#define NAME(word) f32_##word
#ifdef __AVX512F__
    #define IN_REGISTERS
    #define F32_SOFTMAX      cg_gemm_softmax_tile_f32
    #define F32_SOFTMAX_GRAD cg_gemm_softmax_grad_tile_f32
#else
    #define F32_SOFTMAX      f32_softmax_tile
    #define F32_SOFTMAX_GRAD f32_softmax_grad_tile
#endif
#define PACKED(to, n)
#include "run/gemm/vector.h"

static inline float rounded(float x)
{
    uint32_t u = cg_bf16_bits(x);
    memcpy(&x, &u, sizeof x);
    return x;
}

#define T          float
#define EXP2       cg_exp2_low_f32
#define RINT       rintf
#define TANH       cg_tanh_f32
#define TRANSPOSE  lanes_transpose_f32
#define NAME(word) rounded_##word
#define PACKED(to, n)                    \
    CG_PRAGMA_(omp simd)                 \
    for (int64_t i_ = 0; i_ < (n); i_++) \
        (to)[i_] = rounded((to)[i_]);
#include "run/gemm/vector.h"

/* ---- the same panels from what is bf16 already ---- */

static void widen(const uint16_t *from, int64_t n, float *to)
{
    CG_SIMD
    for (int64_t i = 0; i < n; i++)
        to[i] = cg_bf16_value(from[i]);
}

static void rounded_left_rows16(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    for (int64_t r = 0; r < rows; r++)
        widen((const uint16_t *)a + r * ld, k, (float *)out + r * step);
}

#ifdef NARROW
static void rounded_left_panels16(
    const void *a, int64_t ld, const int64_t *row, int64_t panels, int64_t k, void *out, int64_t step)
{
    for (int64_t p = 0; p < k; p++)
        for (int64_t q = 0; q < panels; q++)
            widen(
                (const uint16_t *)a + p * ld + row[q] - row[0], row[q + 1] - row[q], (float *)out + q * step + p * MR);
}
    #define LEFT_COLUMNS(of) .left_panels = { of##_left_panels }
    #define LEFT_COLUMNS16   .left_panels = { rounded_left_panels, rounded_left_panels16 }
#else
static void rounded_left_columns16(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    rounded_left_rows16(a, ld, k, rows, out, step);
}
    #define LEFT_COLUMNS(of) .left_columns = { of##_left_columns }
    #define LEFT_COLUMNS16   .left_columns = { rounded_left_columns, rounded_left_columns16 }
#endif

/* By blocks of f32, which are then packed as such: rounding them again changes nothing. */
static void rounded_right16(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out)
{
    enum { DEEP = 64 };
    float block[rounded_NR * DEEP], *to = out;
    for (int64_t p = 0; p < k; p += DEEP) {
        int64_t n = k - p < DEEP ? k - p : DEEP, rows = trans ? cols : n, row = trans ? n : cols,
                step = trans ? DEEP : rounded_NR;
        const uint16_t *from = (const uint16_t *)b + (trans ? p : p * ld);
        for (int64_t r = 0; r < rows; r++)
            widen(from + r * ld, row, block + r * step);
        rounded_right(trans, block, step, n, cols, to + p * rounded_NR);
    }
}

static void rounded_round(const float *from, uint16_t *to, size_t n)
{
    CG_SIMD
    for (size_t i = 0; i < n; i++)
        to[i] = (uint16_t)(cg_bf16_bits(from[i]) >> 16);
}

#define T          double
#define EXP2       exp2
#define RINT       rint
#define TANH       tanh
#define TRANSPOSE  lanes_transpose_f64
#define NAME(word) f64_##word
#define PACKED(to, n)
#include "run/gemm/vector.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
#define KIND(of, T, softmax, softmax_grad)                                                               \
    {                                                                                                    \
        .name = TEXT(CG_ISA), .mr = MR, .nr = of##_NR, .pair = 1, .size = sizeof(T), .in_place = true,   \
        .left_rows = { of##_left_rows }, LEFT_COLUMNS(of), .right = { of##_right }, .micro = of##_micro, \
        .softmax_tile = softmax, .softmax_grad_tile = softmax_grad                                       \
    }

const CgGemmKind CG_OPS_CAT(cg_gemm_, kinds, CG_ISA)[CG_GEMM_KINDS] = {
    [CG_GEMM_F32] = KIND(f32, float, F32_SOFTMAX, F32_SOFTMAX_GRAD),
    [CG_GEMM_ROUNDED] = { .name = TEXT(CG_ISA) " rounded",
        .mr = MR,
        .nr = rounded_NR,
        .pair = 1,
        .size = sizeof(float),
        .left_rows = { rounded_left_rows, rounded_left_rows16 },
        LEFT_COLUMNS16,
        .right = { rounded_right, rounded_right16 },
        .micro = rounded_micro,
        .softmax_tile = rounded_softmax_tile,
        .softmax_grad_tile = rounded_softmax_grad_tile,
        .round = rounded_round },
    [CG_GEMM_F64] = KIND(f64, double, f64_softmax_tile, f64_softmax_grad_tile),
};
