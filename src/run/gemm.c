/* gemm.c - matrix products of our own: f32, and f32 with operands rounded to bf16.
 * Takes f32 matrices; rounds while packing, so that nobody else ever sees bf16; gives f32. Any number of
 * threads may call. Blocks as in Goto and van de Geijn, "Anatomy of high-performance matrix multiplication",
 * ACM TOMS 2008. Must not start threads, and must not let the order of sums depend on anything but the sizes.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "run/gemm.h"

/* A unit is four bytes of a packed operand: one f32, or a pair of bf16 that one instruction multiplies.
 * Blocks: A (MC,KU) and B (KU,NC) units together fill three quarters of a 1 MiB second-level cache. */
#define MR 14       /* rows of C held in registers: 14 x 2 sums, 2 of B, 1 of A make 31 of 32 */
#define NR 32       /* columns: two vectors */
#define KU 256
#define MC (16 * MR)
#define NC 512
#define SMALL ((int64_t)128 * 128 * 128)    /* products up to this size are read where they lie */

/* Rows of f32 may be read as units where they lie. */
typedef uint32_t __attribute__((may_alias)) Unit;

/* A thread's panels, kept from call to call and freed with the thread. */
typedef struct Panels { Unit a[MC * KU + 64], b[NC * KU + 64]; } Panels;

static pthread_key_t panels_key;
static bool has_avx512, has_bf16;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    if (pthread_key_create(&panels_key, free) != 0)
        CG_BUG("no key for the panels of a thread");
#if defined(__x86_64__)
    const char *isa = getenv("CG_ISA");     /* as for kernels: "base" or "avx2" keeps to what those have */
    has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && (!isa || strcmp(isa, "avx512") == 0);
    has_bf16 = has_avx512 && __builtin_cpu_supports("avx512bf16");
#endif
}

static Panels *panels(void)
{
    Panels *p = pthread_getspecific(panels_key);
    if (!p) {
        p = cg_malloc(sizeof *p);
        pthread_setspecific(panels_key, p);
    }
    return p;
}

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#if defined(__x86_64__)
#include <immintrin.h>
/* Functions with a constant `bf16` are written once and made twice: everything below is inlined into its
 * callers. */
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl")))
#define WIDE16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

static inline __mmask16 lanes(int64_t n)
{
    return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

WIDE static inline void transpose16(__m512i r[16])
{
    __m512i u[16];
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        __m512i t0 = _mm512_unpacklo_epi32(r[i], r[i + 1]), t1 = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        __m512i t2 = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]),
                t3 = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        u[i] = _mm512_unpacklo_epi64(t0, t2);
        u[i + 1] = _mm512_unpackhi_epi64(t0, t2);
        u[i + 2] = _mm512_unpacklo_epi64(t1, t3);
        u[i + 3] = _mm512_unpackhi_epi64(t1, t3);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512i x0 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x44),
                x1 = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xee);
        __m512i y0 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x44),
                y1 = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xee);
        r[j] = _mm512_shuffle_i32x4(x0, y0, 0x88);
        r[4 + j] = _mm512_shuffle_i32x4(x0, y0, 0xdd);
        r[8 + j] = _mm512_shuffle_i32x4(x1, y1, 0x88);
        r[12 + j] = _mm512_shuffle_i32x4(x1, y1, 0xdd);
    }
}

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* One body for both kinds. ROW(x, left): 16 units from up to 16 W consecutive elements, the rest 0. COLUMN(x,
 * y, mask): unit j from x[j] and, in a pair, y[j] (y may be missing). STEP_kind multiplies. */
#define FAMILY(kind, TARGET, W, ROW, COLUMN) \
    /* Panels of B: (nc/NR, ku, NR) units. */ \
    TARGET static void pack_b_##kind(bool tb, const float *b, int64_t ldb, int64_t kc, int64_t nc, \
                                     Unit *out) \
    { \
        int64_t ku = (kc + W - 1) / W; \
        for (int64_t j = 0; j < nc; j += NR, out += ku * NR) { \
            if (!tb) { \
                __mmask16 m0 = lanes(nc - j), m1 = lanes(nc - j - 16); \
                for (int64_t p = 0; p < ku; p++) { \
                    const float *x = b + W * p * ldb + j, *y = W * p + 1 < kc ? x + ldb : NULL; \
                    _mm512_storeu_si512(out + p * NR, COLUMN(x, y, m0)); \
                    _mm512_storeu_si512(out + p * NR + 16, m1 ? COLUMN(x + 16, y ? y + 16 : NULL, m1) \
                                                              : _mm512_setzero_si512()); \
                } \
                continue; \
            } \
            for (int half = 0; half < NR; half += 16) \
                for (int64_t p = 0; p < ku; p += 16) { \
                    __m512i r[16]; \
                    for (int i = 0; i < 16; i++) \
                        r[i] = j + half + i < nc ? ROW(b + (j + half + i) * ldb + W * p, kc - W * p) \
                                                 : _mm512_setzero_si512(); \
                    transpose16(r); \
                    for (int i = 0; i < 16 && p + i < ku; i++) \
                        _mm512_storeu_si512(out + (p + i) * NR + half, r[i]); \
                } \
        } \
    } \
\
    /* Panels of A: rows as they lie, (mc/MR, MR, KU) units; or from its transpose, (mc/MR, ku, MR). */ \
    TARGET static void pack_a_##kind(bool ta, const float *a, int64_t lda, int64_t mc, int64_t kc, \
                                     Unit *out) \
    { \
        int64_t ku = (kc + W - 1) / W; \
        for (int64_t i = 0; i < mc; i += MR) { \
            int64_t rows = least(MR, mc - i); \
            __mmask16 mask = lanes(rows); \
            for (int64_t p = 0; ta && p < ku; p++, out += MR) { \
                const float *x = a + W * p * lda + i; \
                _mm512_mask_storeu_epi32(out, lanes(MR), COLUMN(x, W *p + 1 < kc ? x + lda : NULL, mask)); \
            } \
            for (int64_t r = 0; !ta && r < MR; r++, out += KU) { \
                if (r >= rows) memset(out, 0, (size_t)ku * sizeof *out); \
                for (int64_t p = 0; r < rows && p < ku; p += 16) \
                    _mm512_storeu_si512(out + p, ROW(a + (i + r) * lda + W * p, kc - W * p)); \
            } \
        } \
    } \
\
    /* C (rows, cols) = beta C + alpha A B for one panel of each; row r, unit p of A at r * rs + p * ps. */ \
    TARGET static inline \
        __attribute__((always_inline)) void micro_##kind(int64_t ku, const Unit *a, int64_t rs, \
                                                         int64_t ps, const Unit *b, float alpha, \
                                                         float beta, float *c, int64_t ldc, int64_t rows, \
                                                         int64_t cols) \
    { \
        EACH_ROW(ZERO) \
        for (int64_t p = 0; p < ku; p++) { \
            __m512i b0 = _mm512_loadu_si512(b + p * NR), b1 = _mm512_loadu_si512(b + p * NR + 16); \
            EACH_ROW(STEP_##kind) \
        } \
        const __m512 al = _mm512_set1_ps(alpha), be = _mm512_set1_ps(beta); \
        __mmask16 m0 = lanes(cols), m1 = lanes(cols - 16); \
        EACH_ROW(PUT) \
    } \
    TARGET static void micro_rows_##kind(int64_t ku, const Unit *a, const Unit *b, float alpha, \
                                         float beta, float *c, int64_t ldc, int64_t rows, int64_t cols) \
    { \
        micro_##kind(ku, a, KU, 1, b, alpha, beta, c, ldc, rows, cols); \
    } \
    TARGET static void micro_columns_##kind(int64_t ku, const Unit *a, const Unit *b, float alpha, \
                                            float beta, float *c, int64_t ldc, int64_t rows, int64_t cols) \
    { \
        micro_##kind(ku, a, 1, MR, b, alpha, beta, c, ldc, rows, cols); \
    } \
\
    TARGET static void micro_lying_##kind(int64_t ku, const float *a, int64_t lda, const Unit *b, \
                                          float alpha, float beta, float *c, int64_t ldc, int64_t rows, \
                                          int64_t cols) \
    { \
        micro_##kind(ku, (const void *)a, lda, 1, b, alpha, beta, c, ldc, rows, cols); \
    } \
\
    static void blocked_##kind(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, \
                               const float *a, int64_t lda, const float *b, int64_t ldb, float beta, \
                               float *c, int64_t ldc) \
    { \
        Panels *s = panels(); \
        int64_t kc = depth(k, W * KU); \
        for (int64_t j = 0; j < n; j += NC) \
            for (int64_t l = 0; l < k; l += kc) { \
                int64_t nc = least(NC, n - j), kd = least(kc, k - l), ku = (kd + W - 1) / W; \
                pack_b_##kind(tb, tb ? b + j * ldb + l : b + l * ldb + j, ldb, kd, nc, s->b); \
                for (int64_t i = 0; i < m; i += MC) { \
                    int64_t mc = least(MC, m - i), lie = LIES_##kind(ta, lda) ? mc / MR * MR : 0; \
                    const float *x = ta ? a + l * lda + i : a + i * lda + l; \
                    pack_a_##kind(ta, x + lie * lda, lda, mc - lie, kd, s->a); \
                    for (int64_t jr = 0; jr < nc; jr += NR) \
                        for (int64_t ir = 0; ir < mc; ir += MR) { \
                            float *to = c + (i + ir) * ldc + j + jr, be = l == 0 ? beta : 1; \
                            const Unit *y = s->b + jr * ku; \
                            int64_t rows = least(MR, mc - ir), cols = least(NR, nc - jr); \
                            if (ir < lie) \
                                micro_lying_##kind(ku, x + ir * lda, lda, y, alpha, be, to, ldc, rows, \
                                                   cols); \
                            else if (ta) \
                                micro_columns_##kind(ku, s->a + (ir - lie) * ku, y, alpha, be, to, ldc, \
                                                     rows, cols); \
                            else \
                                micro_rows_##kind(ku, s->a + (ir - lie) * KU, y, alpha, be, to, ldc, rows, \
                                                  cols); \
                        } \
                } \
            } \
    }

#define ZERO(r) __m512 u##r = _mm512_setzero_ps(), v##r = u##r;
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

/* k cut into equal blocks of at most `most`, a multiple of 32. */
static int64_t depth(int64_t k, int64_t most)
{
    int64_t blocks = (k + most - 1) / most, kc = (k + blocks - 1) / blocks;
    return least((kc + 31) / 32 * 32, most);
}

/* ---- f32 ---- */

#define STEP_f32(r) \
    { \
        __m512 x = _mm512_set1_ps(FLOAT(a[r * rs + p * ps])); \
        u##r = _mm512_fmadd_ps(x, (__m512)b0, u##r); \
        v##r = _mm512_fmadd_ps(x, (__m512)b1, v##r); \
    }
/* Rows of A can be read where they lie, unless so far apart that they fall into few sets of the first-level
 * cache. */
#define LIES_f32(ta, lda) (!(ta) && (lda) % 512 != 0)
#define FLOAT(unit) ((union { uint32_t u; float f; }){ unit }.f)
#define ROW_f32(x, left) _mm512_maskz_loadu_epi32(lanes(left), x)
#define COLUMN_f32(x, y, mask) ((void)(y), _mm512_maskz_loadu_epi32(mask, x))
FAMILY(f32, WIDE, 1, ROW_f32, COLUMN_f32)

/* ---- bf16 ---- */

/* The processor rounds to nearest even; numbers too small to be normal become 0. */
WIDE16 static inline __m512i row_pairs(const float *x, int64_t left)
{
    __m512 low = _mm512_maskz_loadu_ps(lanes(left), x),
           high = _mm512_maskz_loadu_ps(lanes(left - 16), x + 16);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

WIDE16 static inline __m512i column_pairs(const float *x, const float *y, __mmask16 mask)
{
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512 low = _mm512_maskz_loadu_ps(mask, x),
           high = y ? _mm512_maskz_loadu_ps(mask, y) : _mm512_setzero_ps();
    return _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

#define STEP_bf16(r) \
    { \
        __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[r * rs + p * ps]); \
        u##r = _mm512_dpbf16_ps(u##r, x, (__m512bh)b0); \
        v##r = _mm512_dpbf16_ps(v##r, x, (__m512bh)b1); \
    }
#define LIES_bf16(ta, lda) false
FAMILY(bf16, WIDE16, 2, row_pairs, column_pairs)

/* ---- f32 without packing: operands that fit in the cache, and products of one or a few rows, where packing
 * B would cost as much as the product ---- */

/* C (R, cols) for A (R, k) strides (rs, ps) and rows of B where they lie. */
#define DIRECT(R) \
    WIDE static void direct_##R(int64_t k, const float *a, int64_t rs, int64_t ps, const float *b, \
                                int64_t ldb, float alpha, float beta, float *c, int64_t ldc, int64_t cols) \
    { \
        enum { rows = R }; \
        EACH_ROW(ZERO) \
        __mmask16 m0 = lanes(cols), m1 = lanes(cols - 16); \
        for (int64_t p = 0; p < k; p++) { \
            __m512 b0 = _mm512_maskz_loadu_ps(m0, b + p * ldb), \
                   b1 = _mm512_maskz_loadu_ps(m1, b + p * ldb + 16); \
            EACH_ROW(STEP_DIRECT) \
        } \
        const __m512 al = _mm512_set1_ps(alpha), be = _mm512_set1_ps(beta); \
        EACH_ROW(PUT) \
    }
#define STEP_DIRECT(r) \
    if (r < rows) { \
        __m512 x = _mm512_set1_ps(a[r * rs + p * ps]); \
        u##r = _mm512_fmadd_ps(x, b0, u##r); \
        v##r = _mm512_fmadd_ps(x, b1, v##r); \
    }
DIRECT(14)
DIRECT(8) DIRECT(4) DIRECT(2) DIRECT(1)

    static void direct(bool ta, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                       const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    int64_t rs = ta ? 1 : lda, ps = ta ? lda : 1;
    for (int64_t j = 0; j < n; j += NR)
        for (int64_t i = 0; i < m;) {
            int64_t left = m - i, cols = least(NR, n - j);
            const float *x = a + i * rs, *y = b + j;
            float *z = c + i * ldc + j;
#define TRY(R) \
    if (left >= R) { \
        direct_##R(k, x, rs, ps, y, ldb, alpha, beta, z, ldc, cols); \
        i += R; \
        continue; \
    }
            TRY(14) TRY(8) TRY(4) TRY(2) TRY(1)
#undef TRY
        }
}

#define EACH_EIGHTH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

/* One row of A: 128 columns at a time, so that memory is read in long pieces. */
WIDE static void one_row(int64_t n, int64_t k, float alpha, const float *a, int64_t ps, const float *b,
                         int64_t ldb, float beta, float *c)
{
    for (int64_t j = 0; j < n; j += 128) {
        int64_t left = n - j;
        const __m512 al = _mm512_set1_ps(alpha), be = _mm512_set1_ps(beta);
#define CLEAR(q) __m512 s##q = _mm512_setzero_ps();
        EACH_EIGHTH(CLEAR)
#undef CLEAR
        for (int64_t p = 0; p < k; p++) {
            const float *y = b + p * ldb + j;
            __m512 x = _mm512_set1_ps(a[p * ps]);
#define ADD(q) s##q = _mm512_fmadd_ps(x, _mm512_maskz_loadu_ps(lanes(left - 16 * q), y + 16 * q), s##q);
#define ADD_WHOLE(q) s##q = _mm512_fmadd_ps(x, _mm512_loadu_ps(y + 16 * q), s##q);
            if (left >= 128) {
                EACH_EIGHTH(ADD_WHOLE)
            } else {
                EACH_EIGHTH(ADD)
            }
#undef ADD
#undef ADD_WHOLE
        }
#define STORE(q) { \
        __mmask16 mask = lanes(left - 16 * q); \
        s##q = _mm512_mul_ps(s##q, al); \
        if (beta != 0) s##q = _mm512_fmadd_ps(be, _mm512_maskz_loadu_ps(mask, c + j + 16 * q), s##q); \
        _mm512_mask_storeu_ps(c + j + 16 * q, mask, s##q); }
        EACH_EIGHTH(STORE)
#undef STORE
    }
}

#define EACH_FOURTH(X) X(0) X(1) X(2) X(3)

/* One row of A, or a few, against the rows of B: sums along both. */
WIDE static void dots(int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                      const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    for (int64_t j = 0; j < n; j += 4)
        for (int64_t i = 0; i < m; i++) {
            const float *x = a + i * lda;
            float *to = c + i * ldc + j;
#define CLEAR(q) __m512 s##q = _mm512_setzero_ps(); \
                 const float *y##q = b + (j + q < n ? j + q : n - 1) * ldb;
            EACH_FOURTH(CLEAR)
#undef CLEAR
            int64_t p = 0;
#define ADD(q) s##q = _mm512_fmadd_ps(xs, _mm512_loadu_ps(y##q + p), s##q);
            for (; p + 16 <= k; p += 16) {
                __m512 xs = _mm512_loadu_ps(x + p);
                EACH_FOURTH(ADD)
            }
#undef ADD
#define ADD(q) s##q = _mm512_fmadd_ps(xs, _mm512_maskz_loadu_ps(lanes(k - p), y##q + p), s##q);
            if (p < k) {
                __m512 xs = _mm512_maskz_loadu_ps(lanes(k - p), x + p);
                EACH_FOURTH(ADD)
            }
#undef ADD
#define STORE(q) if (j + q < n) to[q] = alpha * _mm512_reduce_add_ps(s##q) + (beta != 0 ? beta * to[q] : 0);
            EACH_FOURTH(STORE)
#undef STORE
        }
}

static void own_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                    int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (tb && !ta && m < 4)
        dots(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (!tb && m == 1)
        one_row(n, k, alpha, a, ta ? lda : 1, b, ldb, beta, c);
    else if (!tb && (m < MR || m * n * k <= SMALL))
        direct(ta, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else
        blocked_f32(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
#endif

/* ---- any processor: round into f32, multiply in f32
 * --------------------------------------------------------------- */

/* To the nearest bf16, ties to even; what is too small for a normal number becomes 0, as the instructions do
 * it. */
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

void cg_gemm_rounded(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    pthread_once(&once, init);
    Panels *s = cg_malloc(sizeof *s);   /* not the thread's own: the product below may use those */
    float *pa = (void *)s->a, *pb = (void *)s->b;
    for (int64_t j = 0; j < n; j += NC)
        for (int64_t l = 0; l < k; l += KU) {
            int64_t nc = least(NC, n - j), kd = least(KU, k - l);
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
                cg_gemm_f32(ta, tb, mc, nc, kd, alpha, pa, ta ? mc : kd, pb, tb ? kd : nc, l == 0 ? beta : 1,
                            c + i * ldc + j, ldc, 0);
            }
        }
    free(s);
}

const char *cg_gemm_name(bool bf16)
{
    pthread_once(&once, init);
    return bf16 ? (has_bf16 ? "avx512_bf16" : "") : has_avx512 ? "avx512" : "";
}

bool cg_gemm_own(bool bf16, bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                 int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    pthread_once(&once, init);
    if (!(bf16 ? has_bf16 : has_avx512))
        return false;
#if defined(__x86_64__)
    if (bf16)
        blocked_bf16(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else
        own_f32(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
    return true;
}
