/* gemm_vector.h - panels and their products for one type, in vectors of the compiler's; a pattern, not a header.
 * Takes T (float or double) and INTEGER of its size, NAME(word), and PACKED(to, n), what becomes of n numbers after they are copied; gives a CgGemmKind's
 * functions. Included by gemm_vector.c only, once for each kind. */

/* Vectors that may lie anywhere, and in registers. */
typedef T NAME(Vec) __attribute__((vector_size(BYTES)));
typedef T NAME(Lying) __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
typedef T NAME(Four) __attribute__((vector_size(4 * sizeof(T))));
typedef INTEGER NAME(Mask) __attribute__((vector_size(4 * sizeof(T))));
typedef T NAME(LyingFour) __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
enum { NAME(LANES) = BYTES / sizeof(T), NAME(NR) = 2 * NAME(LANES) };

static void NAME(left_rows)(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    for (int64_t r = 0; r < rows; r++) {
        T *to = (T *)out + r * step;
        memcpy(to, (const T *)a + r * ld, (size_t)k * sizeof(T));
        PACKED(to, k)
    }
}

static void NAME(left_columns)(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    NAME(left_rows)(a, ld, k, rows, out, step);
}

/* Four columns and four numbers at a time, a square of registers, as far as both go. */
static void NAME(turn)(const T *from, int64_t ld, int64_t k, int64_t cols, T *to)
{
    int64_t p = 0;
    for (; cols >= 4 && p + 4 <= k; p += 4, to += 4 * NAME(NR)) {
        const NAME(LyingFour) *x = (const void *)(from + p), *y = (const void *)(from + ld + p),
                              *z = (const void *)(from + 2 * ld + p), *w = (const void *)(from + 3 * ld + p);
        NAME(Four) a = MIXED(NAME(Mask), *x, *y, 0, 4, 1, 5), b = MIXED(NAME(Mask), *z, *w, 0, 4, 1, 5);
        NAME(Four) c = MIXED(NAME(Mask), *x, *y, 2, 6, 3, 7), d = MIXED(NAME(Mask), *z, *w, 2, 6, 3, 7);
        *(NAME(LyingFour) *)(to + 0 * NAME(NR)) = MIXED(NAME(Mask), a, b, 0, 1, 4, 5);
        *(NAME(LyingFour) *)(to + 1 * NAME(NR)) = MIXED(NAME(Mask), a, b, 2, 3, 6, 7);
        *(NAME(LyingFour) *)(to + 2 * NAME(NR)) = MIXED(NAME(Mask), c, d, 0, 1, 4, 5);
        *(NAME(LyingFour) *)(to + 3 * NAME(NR)) = MIXED(NAME(Mask), c, d, 2, 3, 6, 7);
    }
    for (; p < k; p++, to += NAME(NR))
        for (int64_t i = 0; i < 4; i++)
            to[i] = i < cols ? from[i * ld + p] : 0;
}

static void NAME(right)(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out)
{
    T *to = out;
    if (trans) {
        for (int64_t c = 0; c < NAME(NR); c += 4)
            NAME(turn)((const T *)b + (c < cols ? c : 0) * ld, ld, k, cols - c, to + c);
    } else {
        for (int64_t p = 0; p < k; p++, to += NAME(NR)) {
            const T *from = (const T *)b + p * ld;
            if (cols == NAME(NR)) {
                memcpy(to, from, NAME(NR) * sizeof(T));
                continue;
            }
            for (int64_t c = 0; c < NAME(NR); c++)
                to[c] = c < cols ? from[c] : 0;
        }
    }
    to = out;
    PACKED(to, k * NAME(NR))
}

#ifndef CG_GEMM_MICRO_ONCE
#define CG_GEMM_MICRO_ONCE
#define ZERO(r) VEC u##r = { 0 }, v##r = { 0 };
/* Three pointers and few steps reach all rows without a register for each. */
#define AT(r) ((r) < 5 ? x : (r) < 10 ? y : z)[(r) % 5 == 3 ? rs3 : (r) % 5 * rs]
#define STEP(r) if (r < ROWS) { \
        T w = AT(r); \
        u##r += w * b0; \
        v##r += w * b1; }
#define SCALE(r) if (r < ROWS) { \
        u##r *= al; \
        v##r *= al; }
#define PUT(r) if (r < ROWS) { \
        LYING *to = (LYING *)(c + r * ldc); \
        if (be != 0) { \
            u##r += be * to[0]; \
            v##r += be * to[1]; \
        } \
        to[0] = u##r; \
        to[1] = v##r; }
#define NEAR(r) if (r < ROWS) { \
        __builtin_prefetch(c + r * ldc, 1); \
        __builtin_prefetch(c + r * ldc + NAME(NR) - 1, 1); }
#define MICRO(R) \
    static void NAME(micro_##R)(int64_t ku, const T *a, int64_t rs, int64_t ps, const T *b, int64_t bs, T al, T be, T *c, \
                                int64_t ldc) \
    { \
        enum { ROWS = R }; \
        const T *x = a, *y = a + 5 * rs, *z = a + 10 * rs; \
        int64_t rs3 = 3 * rs; \
        EACH_ROW(NEAR) \
        EACH_ROW(ZERO) \
        for (int64_t p = 0; p < ku; p++) { \
            VEC b0 = ((const LYING *)b)[0], b1 = ((const LYING *)b)[1]; \
            EACH_ROW(STEP) \
            x += ps; \
            y += ps; \
            z += ps; \
            b += bs; \
        } \
        if (al != 1) { \
            EACH_ROW(SCALE) \
        } \
        EACH_ROW(PUT) \
    }
#define ENTRY(R) NAME(micro_##R),
#endif

#define VEC NAME(Vec)
#define LYING NAME(Lying)
EACH_HEIGHT(MICRO)

typedef void NAME(Micro)(int64_t ku, const T *a, int64_t rs, int64_t ps, const T *b, int64_t bs, T al, T be, T *c, int64_t ldc);

static void NAME(micro)(int64_t ku, const void *a, int64_t rs, int64_t ps, const void *b, int64_t bs, double alpha,
                        double beta, void *c, int64_t ldc, int64_t rows, int64_t cols)
{
    static NAME(Micro) *const height[] = { EACH_HEIGHT(ENTRY) };
    T *to = c;
    if (cols >= NAME(NR)) {
        height[rows - 1](ku, a, rs, ps, b, bs, (T)alpha, (T)beta, to, ldc);
        return;
    }
    /* Vectors would write past the row: by way of a whole tile. */
    T tile[MR * NAME(NR)];
    height[rows - 1](ku, a, rs, ps, b, bs, (T)alpha, 0, tile, NAME(NR));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++)
            to[r * ldc + j] = beta != 0 ? (T)beta * to[r * ldc + j] + tile[r * NAME(NR) + j] : tile[r * NAME(NR) + j];
}
#undef VEC
#undef LYING
#undef T
#undef NAME
#undef PACKED
#undef INTEGER
