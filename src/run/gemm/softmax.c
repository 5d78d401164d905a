/* softmax.c - products that become weights of a softmax, or its derivative, before they leave the registers: AVX-512.
 * Takes and gives what gemm.h says of `softmax_tile` and `softmax_grad_tile`, f32 or packed by bf16.c. Must not be
 * called but through gemm.c, which knows what the processor has. */
#include <math.h>
#include <cg/vmath.h>
#include "run/gemm/gemm.h"

#if defined(__x86_64__)
    #include <immintrin.h>
    #define WIDE   __attribute__((target("avx512f,avx512bw,avx512vl")))
    #define WITHIN WIDE static inline __attribute__((always_inline))
    #define NR     32
    #define LOG2_E 1.4426950408889634

/* cg_exp2_low_f32 of 16 numbers. */
WITHIN __m512 exp2_low(__m512 x)
{
    const __m512 rounder = _mm512_set1_ps(CG_ROUNDER);
    __m512 c = _mm512_max_ps(_mm512_set1_ps(-127), x), t = _mm512_add_ps(c, rounder),
           f = _mm512_sub_ps(c, _mm512_sub_ps(t, rounder));
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.00132647273f), f, _mm512_set1_ps(0.00967151299f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0555073358f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240222424f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147004f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1));
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(t), 23)));
}

/* Scores under a cap and a mask, each where there is one; `slope`: the derivative by x of what the cap makes of it. */
WITHIN __m512 score(__m512 x, double cap, const float *mask, __m512 *slope)
{
    const __m512 one = _mm512_set1_ps(1);
    if (cap > 0) { /* tanh |x| = (1 - e) / (1 + e) with e = exp(-2 |x|) */
        __m512 twice = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps((float)(-2 * LOG2_E / cap)));
        __m512 e = exp2_low(twice), t = _mm512_div_ps(_mm512_sub_ps(one, e), _mm512_add_ps(one, e));
        *slope = _mm512_fnmadd_ps(t, t, one);
        t = _mm512_mul_ps(t, _mm512_set1_ps((float)cap));
        x = _mm512_mask_sub_ps(t, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), _mm512_setzero_ps(), t);
    }
    if (mask) { /* what is hidden may be anything */
        const __m512 none = _mm512_set1_ps(-INFINITY);
        __m512 m = _mm512_loadu_ps(mask);
        x = _mm512_mask_add_ps(none, _mm512_cmp_ps_mask(m, none, _CMP_NEQ_UQ), x, m);
    }
    return x;
}

/* Which of 16 columns count: those from `diagonal` on. */
static inline __mmask16 seen(int64_t diagonal)
{
    return diagonal <= 0 ? 0xffff : diagonal >= 16 ? 0 : (__mmask16)(0xffffu << diagonal);
}

/* Bases that are far below the greatest of their column rise, by powers of two: shrinking rounds nothing. Gives what
 * shrinks by. */
WITHIN __m512 risen(const CgSoftmaxTile *s, __m512 top, int64_t at, __m512 *base)
{
    float *to = (float *)s->base + at, *sum = (float *)s->sum + at;
    __m512 high = _mm512_mul_ps(top, _mm512_set1_ps((float)s->exponent)), old = *base, so_far = _mm512_loadu_ps(sum);
    __mmask16 far = _mm512_cmp_ps_mask(high, _mm512_add_ps(old, _mm512_set1_ps(CG_GEMM_SLACK)), _CMP_GT_OQ);
    __mmask16 fresh = _mm512_mask_cmp_ps_mask(far, so_far, _mm512_setzero_ps(), _CMP_EQ_OQ);
    __m512 rise =
        _mm512_maskz_roundscale_ps(far, _mm512_sub_ps(high, old), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 by = exp2_low(_mm512_sub_ps(_mm512_setzero_ps(), rise));
    *base = _mm512_mask_mov_ps(_mm512_add_ps(old, rise), fresh, high);
    _mm512_storeu_ps((float *)s->rescale + at, by);
    _mm512_storeu_ps(sum, _mm512_mul_ps(by, so_far));
    _mm512_storeu_ps(to, *base);
    return by;
}

    #define EACH_ROW(X)         X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
    #define EACH_PAIR(X)        X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(8, 9) X(10, 11) X(12, 13)
    #define EACH_HEIGHT(X)      X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
    #define EACH_OF_SIX(X)      X(0) X(1) X(2) X(3) X(4) X(5)
    #define UP_TO_SIX(X)        X(1) X(2) X(3) X(4) X(5) X(6)
    #define EACH_PAIR_OF_SIX(X) X(0, 1) X(2, 3) X(4, 5)

    /* A unit is an f32: a packed factor has rows as they are. */
    #define UNIT             float
    #define VECTOR           __m512
    #define NAME(word)       word##_f32
    #define ONE(x)           _mm512_set1_ps(x)
    #define SOME(x)          _mm512_loadu_ps(x)
    #define TIMES(sum, x, y) _mm512_fmadd_ps(x, y, sum)
    #define PUT_ROW(to, u, v)               \
        {                                   \
            _mm512_storeu_ps(to, u);        \
            _mm512_storeu_ps((to) + 16, v); \
        }
    #define PUT_PAIR(to, u, v, w, x, both) \
        {                                  \
            PUT_ROW(to, u, v)              \
            if (both)                      \
                PUT_ROW((to) + NR, w, x)   \
        }
    #define PAIR_UNITS      2
    #define RESCALED(x, by) _mm512_storeu_ps(x, _mm512_mul_ps(_mm512_loadu_ps(x), by))
    #define BY_COLUMN       0 /* rows of a left factor are those of a right one, too */
    #include "run/gemm/softmax.h"

    /* A unit is a pair of bf16: as it lies in a row, or of a number of one row and that below it. */
    #undef WIDE
    #define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

WITHIN __m512i packed(__m512 first, __m512 second) { return (__m512i)_mm512_cvtne2ps_pbh(second, first); }

WITHIN __m512i crossed(__m512 upper, __m512 lower)
{
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
        6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(interleave, packed(upper, lower));
}

/* Both numbers of 16 pairs, by a power of two. */
WITHIN void shrunk(int32_t *x, __m512 by)
{
    __m512i pairs = _mm512_loadu_si512(x);
    __m512 low = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
           high = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-65536)));
    _mm512_storeu_si512(x,
        _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(_mm512_mul_ps(low, by)), 16),
            _mm512_and_si512(_mm512_castps_si512(_mm512_mul_ps(high, by)), _mm512_set1_epi32(-65536))));
}

    #define UNIT              int32_t
    #define VECTOR            __m512bh
    #define NAME(word)        word##_bf16
    #define ONE(x)            (__m512bh) _mm512_set1_epi32(x)
    #define SOME(x)           (__m512bh) _mm512_loadu_si512(x)
    #define TIMES(sum, x, y)  _mm512_dpbf16_ps(sum, x, y)
    #define PUT_ROW(to, u, v) _mm512_storeu_si512(to, packed(u, v));
    #define PUT_PAIR(to, u, v, w, x, both)                 \
        {                                                  \
            _mm512_storeu_si512(to, crossed(u, w));        \
            _mm512_storeu_si512((to) + 16, crossed(v, x)); \
        }
    #define PAIR_UNITS      1
    #define RESCALED(x, by) shrunk(x, by)
    #define BY_COLUMN       1
    #include "run/gemm/softmax.h"
#endif
