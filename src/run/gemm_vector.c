/* gemm_vector.c - panels and their products in plain C with vectors of the compiler's.
 * Takes and gives what gemm.h says; compiled once for each instruction set, like the ops. Must not be called but
 * through gemm.c, which knows what the processor has. */
#include <string.h>
#include <cg/elementwise.h>
#include <cg/vmath.h>
#include "run/gemm.h"

/* MR rows of two vectors, two vectors of B and one number of A: 31 of 32 registers, or 15 of 16. */
#if defined(__AVX512F__)
#define BYTES 64
#define MR 14
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#if defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define MR 6
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

#ifdef __clang__
#define MIXED(mask, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define MIXED(mask, x, y, ...) __builtin_shuffle(x, y, (mask){ __VA_ARGS__ })
#endif

#define T float
#define EXP2 cg_exp2_low_f32
#define RINT rintf
#define INTEGER int32_t
#define NAME(word) f32_##word
#ifdef __AVX512F__
#define IN_REGISTERS
#define F32_WEIGH cg_gemm_weigh_f32
#define F32_SLOPE cg_gemm_slope_f32
#else
#define F32_WEIGH f32_weigh
#define F32_SLOPE f32_slope
#endif
#define PACKED(to, n)
#include "run/gemm_vector.h"

/* To the nearest bf16, ties to even; what is too small for a normal number becomes 0, as the instructions of
 * AVX512-BF16 do it. */
static inline float rounded(float x)
{
    uint32_t u, r, magnitude;
    memcpy(&u, &x, sizeof u);
    magnitude = u & 0x7fffffffu;
    r = u + 0x7fffu + (u >> 16 & 1);
    r = magnitude > 0x7f800000u ? u | 0x00400000u : r;      /* NaN stays NaN: quiet it before the low half goes */
    r = magnitude < 0x00800000u ? u & 0x80000000u : r;
    r &= 0xffff0000u;
    memcpy(&x, &r, sizeof x);
    return x;
}

#define T float
#define EXP2 cg_exp2_low_f32
#define RINT rintf
#define INTEGER int32_t
#define NAME(word) rounded_##word
#define PACKED(to, n) \
    CG_PRAGMA_(omp simd) \
    for (int64_t i_ = 0; i_ < (n); i_++) \
        (to)[i_] = rounded((to)[i_]);
#include "run/gemm_vector.h"

#define T double
#define EXP2 exp2
#define RINT rint
#define INTEGER int64_t
#define NAME(word) f64_##word
#define PACKED(to, n)
#include "run/gemm_vector.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define KIND(of, T, after, weigher, sloper) { \
        .name = TEXT(CG_ISA) after, .mr = MR, .nr = of##_NR, .pair = 1, .size = sizeof(T), \
        .in_place = sizeof after == 1, .left_rows = of##_left_rows, .left_columns = of##_left_columns, \
        .right = of##_right, .micro = of##_micro, \
        .weigh = weigher, .slope = sloper }

const CgGemmKind CG_OPS_CAT(cg_gemm_, kinds, CG_ISA)[CG_GEMM_KINDS] = {
    [CG_GEMM_F32] = KIND(f32, float, "", F32_WEIGH, F32_SLOPE),
    [CG_GEMM_ROUNDED] = KIND(rounded, float, " rounded", rounded_weigh, rounded_slope),
    [CG_GEMM_F64] = KIND(f64, double, "", f64_weigh, f64_slope),
};
