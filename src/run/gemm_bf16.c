/* gemm_bf16.c - matrix products with operands rounded to bf16, sums in f32.
 * Takes f32 matrices; rounds while packing, so that nobody else ever sees bf16; gives f32. Blocks as in Goto and van de
 * Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 2008. Must not start threads, and must not let
 * the order of sums depend on anything but the sizes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "run/gemm_bf16.h"

/* Blocks: A (MC,KC) and B (KC,NC) in bf16 together fill three quarters of a 1 MiB second-level cache. */
#define MR 14       /* rows of C held in registers: 14 x 2 sums, 2 of B, 1 of A make 31 of 32 */
#define NR 32       /* columns: two vectors */
#define KC 512
#define MC (16 * MR)
#define NC 512
#define KP (KC / 2) /* pairs of bf16: what one instruction multiplies */

/* A thread's panels, kept from call to call and freed with the thread. */
typedef struct Panels { uint32_t a[MC * KP + 64], b[NC * KP + 64]; } Panels;

static pthread_key_t panels_key;
static bool use_avx512;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    if (pthread_key_create(&panels_key, free) != 0)
        CG_BUG("no key for the panels of a thread");
#if defined(__x86_64__)
    const char *isa = getenv("CG_ISA");     /* as for kernels: "base" or "avx2" keeps to what those have */
    use_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("avx512bf16") && (!isa || strcmp(isa, "avx512") == 0);
#endif
}

static Panels *panels(void)
{
    pthread_once(&once, init);
    Panels *p = pthread_getspecific(panels_key);
    if (!p) {
        p = cg_try_alloc(sizeof *p);
        if (!p)
            CG_BUG("no memory for the panels of a thread");
        pthread_setspecific(panels_key, p);
    }
    return p;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* k cut into equal blocks of at most KC, a multiple of 32. */
static int64_t depth(int64_t k)
{
    int64_t blocks = (k + KC - 1) / KC, kc = (k + blocks - 1) / blocks;
    return least((kc + 31) / 32 * 32, KC);
}

#if defined(__x86_64__)
#include <immintrin.h>
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

/* 16 dwords as the processor sees pairs of bf16. */
WIDE static inline __m512i pairs_of(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static inline __mmask16 lanes(int64_t n)
{
    return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

/* Up to 32 consecutive elements, the rest 0, as 16 pairs of neighbours. */
WIDE static inline __m512i row_pairs(const float *x, int64_t left)
{
    __m512 low = _mm512_maskz_loadu_ps(lanes(left), x), high = _mm512_maskz_loadu_ps(lanes(left - 16), x + 16);
    return pairs_of(low, high);
}

/* Pair j is (x[j], y[j]); y may be missing. */
WIDE static inline __m512i column_pairs(const float *x, const float *y, __mmask16 mask)
{
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512 low = _mm512_maskz_loadu_ps(mask, x), high = y ? _mm512_maskz_loadu_ps(mask, y) : _mm512_setzero_ps();
    return _mm512_permutexvar_epi16(interleave, pairs_of(low, high));
}

WIDE static inline void transpose16(__m512i r[16])
{
    __m512i u[16];
    for (int i = 0; i < 16; i += 4) {
        __m512i t0 = _mm512_unpacklo_epi32(r[i], r[i + 1]), t1 = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        __m512i t2 = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]), t3 = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        u[i] = _mm512_unpacklo_epi64(t0, t2);
        u[i + 1] = _mm512_unpackhi_epi64(t0, t2);
        u[i + 2] = _mm512_unpacklo_epi64(t1, t3);
        u[i + 3] = _mm512_unpackhi_epi64(t1, t3);
    }
    for (int j = 0; j < 4; j++) {
        __m512i x0 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x44), x1 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xee);
        __m512i y0 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x44), y1 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xee);
        r[j] = _mm512_shuffle_i32x4(x0, y0, 0x88);
        r[4 + j] = _mm512_shuffle_i32x4(x0, y0, 0xdd);
        r[8 + j] = _mm512_shuffle_i32x4(x1, y1, 0x88);
        r[12 + j] = _mm512_shuffle_i32x4(x1, y1, 0xdd);
    }
}

/* Panels of B: (NC/NR, kp, NR) pairs. */
WIDE static void pack_b(bool tb, const float *b, int64_t ldb, int64_t kc, int64_t nc, uint32_t *out)
{
    int64_t kp = (kc + 1) / 2;
    for (int64_t j = 0; j < nc; j += NR, out += kp * NR) {
        if (!tb) {
            __mmask16 m0 = lanes(nc - j), m1 = lanes(nc - j - 16);
            for (int64_t p = 0; p < kp; p++) {
                const float *x = b + 2 * p * ldb + j, *y = 2 * p + 1 < kc ? x + ldb : NULL;
                _mm512_storeu_si512(out + p * NR, column_pairs(x, y, m0));
                _mm512_storeu_si512(out + p * NR + 16, m1 ? column_pairs(x + 16, y ? y + 16 : NULL, m1) : _mm512_setzero_si512());
            }
            continue;
        }
        for (int half = 0; half < NR; half += 16)
            for (int64_t p = 0; p < kp; p += 16) {
                __m512i r[16];
                for (int i = 0; i < 16; i++)
                    r[i] = j + half + i < nc ? row_pairs(b + (j + half + i) * ldb + 2 * p, kc - 2 * p) : _mm512_setzero_si512();
                transpose16(r);
                for (int i = 0; i < 16 && p + i < kp; i++)
                    _mm512_storeu_si512(out + (p + i) * NR + half, r[i]);
            }
    }
}

/* Panels of A: rows as they lie, (mc/MR, MR, KP) pairs; or from its transpose, (mc/MR, kp, MR) pairs. */
WIDE static void pack_a(bool ta, const float *a, int64_t lda, int64_t mc, int64_t kc, uint32_t *out)
{
    int64_t kp = (kc + 1) / 2;
    for (int64_t i = 0; i < mc; i += MR) {
        int64_t rows = least(MR, mc - i);
        if (ta) {
            __mmask16 mask = lanes(rows);
            for (int64_t p = 0; p < kp; p++, out += MR) {
                const float *x = a + 2 * p * lda + i;
                _mm512_mask_storeu_epi32(out, lanes(MR), column_pairs(x, 2 * p + 1 < kc ? x + lda : NULL, mask));
            }
            continue;
        }
        for (int64_t r = 0; r < MR; r++, out += KP) {
            if (r >= rows)
                memset(out, 0, (size_t)kp * sizeof *out);
            for (int64_t p = 0; r < rows && p < kp; p += 16)
                _mm512_storeu_si512(out + p, row_pairs(a + (i + r) * lda + 2 * p, kc - 2 * p));
        }
    }
}

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* C (rows, cols) = beta C + alpha A B for one panel of each; row r, pair p of A is a[r * rs + p * ps]. */
WIDE static inline __attribute__((always_inline)) void
micro(int64_t kp, const uint32_t *a, int64_t rs, int64_t ps, const uint32_t *b, float alpha, float beta, float *c, int64_t ldc,
      int64_t rows, int64_t cols)
{
#define ZERO(r) __m512 u##r = _mm512_setzero_ps(), v##r = u##r;
    EACH_ROW(ZERO)
#undef ZERO
    for (int64_t p = 0; p < kp; p++) {
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b + p * NR), b1 = (__m512bh)_mm512_loadu_si512(b + p * NR + 16);
#define STEP(r) { __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[r * rs + p * ps]); \
                  u##r = _mm512_dpbf16_ps(u##r, x, b0); v##r = _mm512_dpbf16_ps(v##r, x, b1); }
        EACH_ROW(STEP)
#undef STEP
    }
    const __m512 al = _mm512_set1_ps(alpha), be = _mm512_set1_ps(beta);
    __mmask16 m0 = lanes(cols), m1 = lanes(cols - 16);
#define PUT(r) if (r < rows) { \
        float *to = c + r * ldc; \
        u##r = _mm512_mul_ps(u##r, al); \
        v##r = _mm512_mul_ps(v##r, al); \
        if (beta != 0) { \
            u##r = _mm512_fmadd_ps(be, _mm512_maskz_loadu_ps(m0, to), u##r); \
            v##r = _mm512_fmadd_ps(be, _mm512_maskz_loadu_ps(m1, to + 16), v##r); \
        } \
        _mm512_mask_storeu_ps(to, m0, u##r); \
        _mm512_mask_storeu_ps(to + 16, m1, v##r); }
    EACH_ROW(PUT)
#undef PUT
}

WIDE static void micro_rows(int64_t kp, const uint32_t *a, const uint32_t *b, float alpha, float beta, float *c, int64_t ldc,
                            int64_t rows, int64_t cols)
{
    micro(kp, a, KP, 1, b, alpha, beta, c, ldc, rows, cols);
}

WIDE static void micro_columns(int64_t kp, const uint32_t *a, const uint32_t *b, float alpha, float beta, float *c, int64_t ldc,
                               int64_t rows, int64_t cols)
{
    micro(kp, a, 1, MR, b, alpha, beta, c, ldc, rows, cols);
}

static void gemm_avx512(Panels *s, bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                        const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    int64_t kc = depth(k);
    for (int64_t j = 0; j < n; j += NC)
        for (int64_t l = 0; l < k; l += kc) {
            int64_t nc = least(NC, n - j), kd = least(kc, k - l), kp = (kd + 1) / 2;
            float once_beta = l == 0 ? beta : 1;
            pack_b(tb, tb ? b + j * ldb + l : b + l * ldb + j, ldb, kd, nc, s->b);
            for (int64_t i = 0; i < m; i += MC) {
                int64_t mc = least(MC, m - i);
                pack_a(ta, ta ? a + l * lda + i : a + i * lda + l, lda, mc, kd, s->a);
                for (int64_t jr = 0; jr < nc; jr += NR)
                    for (int64_t ir = 0; ir < mc; ir += MR)
                        (ta ? micro_columns : micro_rows)(kp, s->a + ir * (ta ? kp : KP), s->b + jr * kp, alpha, once_beta,
                                                          c + (i + ir) * ldc + j + jr, ldc, least(MR, mc - ir), least(NR, nc - jr));
            }
        }
}
#endif

/* ---- any processor: round into f32, multiply in f32 --------------------------------------------------------------- */

/* To the nearest bf16, ties to even; what is too small for a normal number becomes 0, as the instructions do it. */
static inline float rounded(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    uint32_t magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        u |= 0x00400000u;       /* NaN stays NaN: quiet it before the low half goes */
    else if (magnitude < 0x00800000u)
        u &= 0x80000000u;
    else
        u += 0x7fffu + (u >> 16 & 1);
    u &= 0xffff0000u;
    memcpy(&x, &u, sizeof u);
    return x;
}

static void round_block(const float *x, int64_t ld, int64_t rows, int64_t cols, float *out)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            out[i * cols + j] = rounded(x[i * ld + j]);
}

/* The panels hold half as many f32 as pairs of bf16, so blocks of half the depth. */
static void gemm_portable(Panels *s, bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    float *pa = (void *)s->a, *pb = (void *)s->b;
    for (int64_t j = 0; j < n; j += NC)
        for (int64_t l = 0; l < k; l += KP) {
            int64_t nc = least(NC, n - j), kd = least(KP, k - l);
            if (tb)
                round_block(b + j * ldb + l, ldb, nc, kd, pb);
            else
                round_block(b + l * ldb + j, ldb, kd, nc, pb);
            for (int64_t i = 0; i < m; i += MC) {
                int64_t mc = least(MC, m - i);
                if (ta)
                    round_block(a + l * lda + i, lda, kd, mc, pa);
                else
                    round_block(a + i * lda + l, lda, mc, kd, pa);
                cg_gemm_f32(ta, tb, mc, nc, kd, alpha, pa, ta ? mc : kd, pb, tb ? kd : nc, l == 0 ? beta : 1, c + i * ldc + j,
                            ldc, 0);
            }
        }
}

const char *cg_gemm_bf16_name(void)
{
    pthread_once(&once, init);
    return use_avx512 ? "avx512_bf16" : "portable";
}

void cg_gemm_bf16(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                  int64_t ldb, float beta, float *c, int64_t ldc)
{
    Panels *s = panels();
#if defined(__x86_64__)
    if (use_avx512) {
        gemm_avx512(s, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
#endif
    gemm_portable(s, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
