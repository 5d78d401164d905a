/* bf16.c - panels of pairs of bf16 and their products, by the instructions of AVX512-BF16.
 * Takes f32, which it rounds while packing, or bf16 as a plan keeps it; gives f32 and what gemm.h says. Must not be
 * called but through gemm.c, which knows what the processor has. */
#include <stddef.h>
#include <string.h>
#include "run/gemm/gemm.h"

#if defined(__x86_64__)
    #include <immintrin.h>
    #define WIDE           __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,prfchw")))
    #define MR             14
    #define NR             32
    #define EACH_ROW(X)    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
    #define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)

static inline __mmask16 lanes(int64_t n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

/* ---- packing: the processor rounds to nearest even; numbers too small to be normal become 0 ---- */

/* 16 pairs from up to 32 numbers of a row. */
WIDE static inline __m512i row_pairs(const float *x, int64_t left)
{
    __m512 low, high;
    if (left >= 32) {
        low = _mm512_loadu_ps(x);
        high = _mm512_loadu_ps(x + 16);
    } else {
        low = _mm512_maskz_loadu_ps(lanes(left), x);
        high = _mm512_maskz_loadu_ps(lanes(left - 16), x + 16);
    }
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* Pair j from x[j] and y[j]; y may be missing. */
WIDE static inline __m512i column_pairs(const float *x, const float *y, __mmask16 mask)
{
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
        6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512 low = _mm512_maskz_loadu_ps(mask, x), high = y ? _mm512_maskz_loadu_ps(mask, y) : _mm512_setzero_ps();
    return _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

WIDE static void left_rows(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    const float *from = a;
    uint32_t *to = out;
    for (int64_t r = 0; r < rows; r++, from += ld, to += step) {
        int64_t p = 0;
        for (; p + 32 <= k; p += 32)
            _mm512_storeu_si512(to + p / 2, row_pairs(from + p, 32));
        if (p < k)
            _mm512_mask_storeu_epi32(to + p / 2, lanes((k - p + 1) / 2), row_pairs(from + p, k - p));
    }
}

WIDE static void left_columns(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    const float *x = a;
    uint32_t *to = out;
    for (int64_t p = 0; p < k; p += 2, x += 2 * ld, to += step) {
        const float *y = p + 1 < k ? x + ld : NULL;
        int64_t r = 0;
        for (; r + 16 <= rows; r += 16)
            _mm512_storeu_si512(to + r, column_pairs(x + r, y ? y + r : NULL, 0xffff));
        if (r < rows)
            _mm512_mask_storeu_epi32(to + r, lanes(rows - r), column_pairs(x + r, y ? y + r : NULL, lanes(rows - r)));
    }
}

WIDE static inline void transpose16(__m512i r[16])
{
    __m512i u[16];
    #pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        __m512i t0 = _mm512_unpacklo_epi32(r[i], r[i + 1]), t1 = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        __m512i t2 = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]), t3 = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        u[i] = _mm512_unpacklo_epi64(t0, t2);
        u[i + 1] = _mm512_unpackhi_epi64(t0, t2);
        u[i + 2] = _mm512_unpacklo_epi64(t1, t3);
        u[i + 3] = _mm512_unpackhi_epi64(t1, t3);
    }
    #pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512i x0 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x44), x1 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xee);
        __m512i y0 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x44),
                y1 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xee);
        r[j] = _mm512_shuffle_i32x4(x0, y0, 0x88);
        r[4 + j] = _mm512_shuffle_i32x4(x0, y0, 0xdd);
        r[8 + j] = _mm512_shuffle_i32x4(x1, y1, 0x88);
        r[12 + j] = _mm512_shuffle_i32x4(x1, y1, 0xdd);
    }
}

WIDE static void right(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out)
{
    const float *from = b;
    uint32_t *to = out;
    int64_t ku = (k + 1) / 2;
    if (!trans) {
        __mmask16 m0 = lanes(cols), m1 = lanes(cols - 16);
        for (int64_t p = 0; p < ku; p++, to += NR) {
            const float *x = from + 2 * p * ld, *y = 2 * p + 1 < k ? x + ld : NULL;
            _mm512_storeu_si512(to, column_pairs(x, y, m0));
            _mm512_storeu_si512(to + 16, m1 ? column_pairs(x + 16, y ? y + 16 : NULL, m1) : _mm512_setzero_si512());
        }
        return;
    }
    for (int64_t half = 0; half < NR; half += 16)
        for (int64_t p = 0; p < ku; p += 16) {
            __m512i r[16];
    #pragma GCC unroll 16
            for (int64_t i = 0; i < 16; i++)
                r[i] = half + i < cols ? row_pairs(from + (half + i) * ld + 2 * p, k - 2 * p) : _mm512_setzero_si512();
            transpose16(r);
            for (int64_t i = 0; i < 16 && p + i < ku; i++)
                _mm512_storeu_si512(to + (p + i) * NR + half, r[i]);
        }
}

/* ---- packing what is bf16 already: the same panels ---- */

static inline __mmask32 lanes32(int64_t n) { return n >= 32 ? 0xffffffffu : n <= 0 ? 0 : ((uint32_t)1 << n) - 1; }

static void left_rows16(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    const uint16_t *from = a;
    uint16_t *to = out;
    for (int64_t r = 0; r < rows; r++, from += ld, to += 2 * step) {
        memcpy(to, from, (size_t)k * sizeof *to);
        if (k % 2)
            to[k] = 0;
    }
}

WIDE static void left_columns16(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    const uint16_t *from = a;
    uint32_t *to = out;
    for (int64_t p = 0; p < k; p += 2, from += 2 * ld, to += step)
        for (int64_t r = 0; r < rows; r += 16) {
            __mmask16 mask = lanes(rows - r);
            __m512i x = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from + r)), y = _mm512_setzero_si512();
            if (p + 1 < k)
                y = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from + ld + r));
            _mm512_mask_storeu_epi32(to + r, mask, _mm512_or_si512(x, _mm512_slli_epi32(y, 16)));
        }
}

WIDE static void right16(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out)
{
    const __m512i low = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37,
        5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
    const uint16_t *from = b;
    uint32_t *to = out;
    if (!trans) {
        __mmask32 mask = lanes32(cols);
        for (int64_t p = 0; p < k; p += 2, to += NR) {
            __m512i x = _mm512_maskz_loadu_epi16(mask, from + p * ld);
            __m512i y = p + 1 < k ? _mm512_maskz_loadu_epi16(mask, from + (p + 1) * ld) : _mm512_setzero_si512();
            _mm512_storeu_si512(to, _mm512_permutex2var_epi16(x, low, y));
            _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi16(x, high, y));
        }
        return;
    }
    int64_t ku = (k + 1) / 2;
    for (int64_t half = 0; half < NR; half += 16)
        for (int64_t p = 0; p < ku; p += 16) {
            __m512i r[16];
            __mmask32 mask = lanes32(k - 2 * p);
    #pragma GCC unroll 16
            for (int64_t i = 0; i < 16; i++)
                r[i] = half + i < cols ? _mm512_maskz_loadu_epi16(mask, from + (half + i) * ld + 2 * p)
                                       : _mm512_setzero_si512();
            transpose16(r);
            for (int64_t i = 0; i < 16 && p + i < ku; i++)
                _mm512_storeu_si512(to + (p + i) * NR + half, r[i]);
        }
}

WIDE static void round16(const float *from, uint16_t *to, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        _mm512_storeu_si512(to + i, row_pairs(from + i, 32));
    if (i < n)
        _mm512_mask_storeu_epi16(to + i, lanes32((int64_t)(n - i)), row_pairs(from + i, (int64_t)(n - i)));
}

/* ---- multiplying ---- */

/* A pair, in a panel or where a plan keeps it. */
typedef int32_t Unit __attribute__((aligned(2), may_alias));

/* In memory: all registers are taken while sums grow. */
typedef struct Scale {
    float alpha, beta;
} Scale;

    #define NEAR(r)                                      \
        if (r < ROWS) {                                  \
            __builtin_prefetch(c + r * ldc, 1);          \
            __builtin_prefetch(c + r * ldc + NR - 1, 1); \
        }
    #define ZERO(r) __m512 u##r = _mm512_setzero_ps(), v##r = u##r;
    /* Three pointers and few steps reach all rows without a register for each. */
    #define AT(r)   ((r) < 5 ? x : (r) < 10 ? y : z)[(r) % 5 == 3 ? rs3 : (r) % 5 * rs]
    #define STEP(r)                                          \
        if (r < ROWS) {                                      \
            __m512bh w = (__m512bh)_mm512_set1_epi32(AT(r)); \
            u##r = _mm512_dpbf16_ps(u##r, w, (__m512bh)b0);  \
            v##r = _mm512_dpbf16_ps(v##r, w, (__m512bh)b1);  \
        }
    #define SCALE(r)                        \
        if (r < ROWS) {                     \
            u##r = _mm512_mul_ps(u##r, al); \
            v##r = _mm512_mul_ps(v##r, al); \
        }
    #define PUT(r)                                                          \
        if (r < ROWS) {                                                     \
            float *to = c + r * ldc;                                        \
            if (beta != 0) {                                                \
                u##r = _mm512_fmadd_ps(be, _mm512_loadu_ps(to), u##r);      \
                v##r = _mm512_fmadd_ps(be, _mm512_loadu_ps(to + 16), v##r); \
            }                                                               \
            _mm512_storeu_ps(to, u##r);                                     \
            _mm512_storeu_ps(to + 16, v##r);                                \
        }
    #define PUT_SOME(r)                                                               \
        if (r < ROWS) {                                                               \
            float *to = c + r * ldc;                                                  \
            if (beta != 0) {                                                          \
                u##r = _mm512_fmadd_ps(be, _mm512_maskz_loadu_ps(m0, to), u##r);      \
                v##r = _mm512_fmadd_ps(be, _mm512_maskz_loadu_ps(m1, to + 16), v##r); \
            }                                                                         \
            _mm512_mask_storeu_ps(to, m0, u##r);                                      \
            _mm512_mask_storeu_ps(to + 16, m1, v##r);                                 \
        }
    #define MICRO(R)                                                                                    \
        WIDE static void micro_##R(int64_t ku, const Unit *a, int64_t rs, int64_t ps, const int32_t *b, \
            const Scale *scale, float *c, int64_t ldc, int64_t cols)                                    \
        {                                                                                               \
            enum { ROWS = R };                                                                          \
            const Unit *x = a, *y = a + 5 * rs, *z = a + 10 * rs;                                       \
            int64_t rs3 = 3 * rs;                                                                       \
            EACH_ROW(NEAR)                                                                              \
            EACH_ROW(ZERO)                                                                              \
            for (int64_t p = 0; p < ku; p++) {                                                          \
                __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 16);                    \
                EACH_ROW(STEP)                                                                          \
                x += ps;                                                                                \
                y += ps;                                                                                \
                z += ps;                                                                                \
                b += NR;                                                                                \
            }                                                                                           \
            const float beta = scale->beta;                                                             \
            const __m512 al = _mm512_set1_ps(scale->alpha), be = _mm512_set1_ps(beta);                  \
            if (scale->alpha != 1) {                                                                    \
                EACH_ROW(SCALE)                                                                         \
            }                                                                                           \
            if (cols >= NR) {                                                                           \
                EACH_ROW(PUT)                                                                           \
            } else {                                                                                    \
                __mmask16 m0 = lanes(cols), m1 = lanes(cols - 16);                                      \
                EACH_ROW(PUT_SOME)                                                                      \
            }                                                                                           \
        }
EACH_HEIGHT(MICRO)

typedef void Micro(int64_t ku, const Unit *a, int64_t rs, int64_t ps, const int32_t *b, const Scale *scale, float *c,
    int64_t ldc, int64_t cols);

static void micro(int64_t ku, const void *a, int64_t rs, int64_t ps, const void *b, int64_t bs, double alpha,
    double beta, void *c, int64_t ldc, int64_t rows, int64_t cols, void *keep)
{
    #define ENTRY(R) micro_##R,
    static Micro *const height[] = { EACH_HEIGHT(ENTRY) };
    (void)bs, (void)keep; /* always packed */
    height[rows - 1](ku, a, rs, ps, b, &(Scale){ (float)alpha, (float)beta }, c, ldc, cols);
}

const CgGemmKind cg_gemm_kind_bf16 = {
    .name = "avx512_bf16",
    .mr = MR,
    .nr = NR,
    .pair = 2,
    .size = 4,
    .left_rows = { left_rows, left_rows16 },
    .left_columns = { left_columns, left_columns16 },
    .right = { right, right16 },
    .micro = micro,
    .softmax_tile = cg_gemm_softmax_tile_bf16,
    .softmax_grad_tile = cg_gemm_softmax_grad_tile_bf16,
    .round = round16,
};
#else
const CgGemmKind cg_gemm_kind_bf16 = { .name = NULL };
#endif
