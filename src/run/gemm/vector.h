/* vector.h - panels and their products for one type, in vectors of the compiler's; a pattern, not a header.
 * Takes T (float or double), NAME(word), TRANSPOSE (of lanes.h), PACKED(to, n), what becomes of n numbers after they
 * are copied, EXP2(x), RINT(x) and TANH(x), and IN_REGISTERS where softmax.c makes weights; gives a CgGemmKind's
 * functions. Included by gemm_vector.c only, once for each kind. */

/* Vectors that may lie anywhere, and in registers. */
typedef T NAME(Vec) __attribute__((vector_size(BYTES)));
typedef T NAME(Lying) __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
enum { NAME(LANES) = BYTES / sizeof(T), NAME(NR) = 2 * NAME(LANES) };

static void NAME(left_rows)(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    for (int64_t r = 0; r < rows; r++) {
        T *to = (T *)out + r * step;
        memcpy(to, (const T *)a + r * ld, (size_t)k * sizeof(T));
        PACKED(to, k)
    }
}

#ifdef NARROW
enum {
    NAME(COPIED) = 8, /* numbers of a unit that are copied at a time, of which MR are kept: whole vectors */
    NAME(DEEP) = 32   /* units of all panels before the next: panels share lines of the cache */
};

/* What is copied too much is written over by the next unit, and read within it: the last one is copied as it is. */
static void NAME(left_panel)(const T *from, int64_t ld, int64_t rows, int64_t k, T *to)
{
    int64_t p = 0;
    for (; rows >= MR - 1 && p + 1 < k; p++) {
        memcpy(to + p * MR, from + p * ld, NAME(COPIED) * sizeof(T));
        PACKED(to + p * MR, NAME(COPIED))
    }
    for (; p < k; p++) {
        memcpy(to + p * MR, from + p * ld, (size_t)rows * sizeof(T));
        PACKED(to + p * MR, rows)
    }
}

static void NAME(left_panels)(
    const void *a, int64_t ld, const int64_t *row, int64_t panels, int64_t k, void *out, int64_t step)
{
    for (int64_t p = 0; p < k; p += NAME(DEEP)) {
        int64_t deep = k - p < NAME(DEEP) ? k - p : NAME(DEEP);
        const T *from = (const T *)a + p * ld;
        for (int64_t q = 0; q < panels; q++)
            NAME(left_panel)(from + row[q] - row[0], ld, row[q + 1] - row[q], deep, (T *)out + q * step + p * MR);
    }
}
#else
static void NAME(left_columns)(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step)
{
    NAME(left_rows)(a, ld, k, rows, out, step);
}
#endif

/* Four columns and four numbers at a time, a square of registers, as far as both go. */
static void NAME(transpose)(const T *from, int64_t ld, int64_t k, int64_t cols, T *to)
{
    int64_t p = 0;
    for (; cols >= 4 && p + 4 <= k; p += 4, to += 4 * NAME(NR))
        TRANSPOSE(from + p, ld, NULL, to, NAME(NR));
    for (; p < k; p++, to += NAME(NR))
        for (int64_t i = 0; i < 4; i++)
            to[i] = i < cols ? from[i * ld + p] : 0;
}

static void NAME(right)(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out)
{
    T *to = out;
    if (trans) {
        for (int64_t c = 0; c < NAME(NR); c += 4)
            NAME(transpose)((const T *)b + (c < cols ? c : 0) * ld, ld, k, cols - c, to + c);
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
    #define AT(r)   ((r) < 5 ? x : (r) < 10 ? y : z)[(r) % 5 == 3 ? rs3 : (r) % 5 * rs]
    #define STEP(r)         \
        if (r < ROWS) {     \
            T w = AT(r);    \
            u##r += w * b0; \
            v##r += w * b1; \
        }
    #define SCALE(r)    \
        if (r < ROWS) { \
            u##r *= al; \
            v##r *= al; \
        }
    #define PUT(r)                              \
        if (r < ROWS) {                         \
            LYING *to = (LYING *)(c + r * ldc); \
            if (be != 0) {                      \
                u##r += be * to[0];             \
                v##r += be * to[1];             \
            }                                   \
            to[0] = u##r;                       \
            to[1] = v##r;                       \
        }
    #define NEAR(r)                                            \
        if (r < ROWS) {                                        \
            __builtin_prefetch(c + r * ldc, 1);                \
            __builtin_prefetch(c + r * ldc + NAME(NR) - 1, 1); \
        }
    /* `keep`: what is read of B is kept at `kept`. */
    #define TILE(name, R, keep)                                                                                    \
        static void NAME(name##_##R)(int64_t ku, const T *a, int64_t rs, int64_t ps, const T *b, int64_t bs, T al, \
            T be, T *c, int64_t ldc, T *kept)                                                                      \
        {                                                                                                          \
            enum { ROWS = R };                                                                                     \
            const T *x = a, *y = a + 5 * rs, *z = a + 10 * rs;                                                     \
            int64_t rs3 = 3 * rs;                                                                                  \
            EACH_ROW(NEAR)                                                                                         \
            EACH_ROW(ZERO)                                                                                         \
            for (int64_t p = 0; p < ku; p++) {                                                                     \
                VEC b0 = ((const LYING *)b)[0], b1 = ((const LYING *)b)[1];                                        \
                EACH_ROW(STEP)                                                                                     \
                if (keep) {                                                                                        \
                    ((LYING *)kept)[2 * p] = b0;                                                                   \
                    ((LYING *)kept)[2 * p + 1] = b1;                                                               \
                }                                                                                                  \
                x += ps;                                                                                           \
                y += ps;                                                                                           \
                z += ps;                                                                                           \
                b += bs;                                                                                           \
            }                                                                                                      \
            if (al != 1) {                                                                                         \
                EACH_ROW(SCALE)                                                                                    \
            }                                                                                                      \
            EACH_ROW(PUT)                                                                                          \
        }
    #define MICRO(R)   TILE(micro, R, false) TILE(keeping, R, true)
    #define KEEPING(R) NAME(keeping_##R),
    #define ENTRY(R)   NAME(micro_##R),
#endif

#define VEC   NAME(Vec)
#define LYING NAME(Lying)
EACH_HEIGHT(MICRO)

typedef void NAME(Micro)(
    int64_t ku, const T *a, int64_t rs, int64_t ps, const T *b, int64_t bs, T al, T be, T *c, int64_t ldc, T *kept);

static void NAME(micro)(int64_t ku, const void *a, int64_t rs, int64_t ps, const void *b, int64_t bs, double alpha,
    double beta, void *c, int64_t ldc, int64_t rows, int64_t cols, void *keep)
{
    static NAME(Micro) *const height[][MR] = { { EACH_HEIGHT(ENTRY) }, { EACH_HEIGHT(KEEPING) } };
    T *to = c;
    if (cols >= NAME(NR)) {
        height[keep != NULL][rows - 1](ku, a, rs, ps, b, bs, (T)alpha, (T)beta, to, ldc, keep);
        return;
    }
    /* Vectors would write past the row: by way of a whole tile. */
    T tile[MR * NAME(NR)];
    height[keep != NULL][rows - 1](ku, a, rs, ps, b, bs, (T)alpha, 0, tile, NAME(NR), keep);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++)
            to[r * ldc + j] = beta != 0 ? (T)beta * to[r * ldc + j] + tile[r * NAME(NR) + j] : tile[r * NAME(NR) + j];
}
#ifndef IN_REGISTERS
/* Bases that are far below the greatest of their column rise. By powers of two: shrinking rounds nothing. */
static bool NAME(rise)(const CgSoftmaxTile *w, int64_t rows, T *before)
{
    const T *c = w->c, exponent = (T)w->exponent;
    T *base = w->base, *sum = w->sum, *rescale = w->rescale, top[NAME(NR)];
    int far = 0;
    for (int64_t j = 0; j < NAME(NR); j++)
        top[j] = c[j];
    for (int64_t r = 1; r < rows; r++) {
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++)
            top[j] = c[r * w->ldc + j] > top[j] ? c[r * w->ldc + j] : top[j];
    }
    for (int64_t j = 0; j < NAME(NR); j++)
        far |= top[j] * exponent > base[j] + CG_GEMM_SLACK;
    if (!far)
        return false;
    CG_SIMD
    for (int64_t j = 0; j < NAME(NR); j++) {
        T high = top[j] * exponent, old = base[j], by = high > old + CG_GEMM_SLACK ? RINT(high - old) : 0;
        base[j] = by > 0 && sum[j] == 0 ? high : old + by;
        rescale[j] = EXP2(-by);
        sum[j] *= rescale[j];
    }
    for (int64_t r = 0; r < w->k; r++) {
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++)
            before[r * NAME(NR) + j] *= rescale[j];
    }
    return true;
}

static void NAME(mask)(T *c, int64_t ldc, int64_t rows, int64_t diagonal, T as)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < NAME(NR) && j < diagonal + r; j++)
            c[r * ldc + j] = as;
}

/* Scores under a cap and a mask, each where there is one; `slope`, where it is wanted, has the derivative of the cap.
 */
static void NAME(score)(T *c, int64_t ldc, int64_t rows, double cap, const T *mask, T *slope)
{
    const T top = (T)cap;
    for (int64_t r = 0; cap > 0 && r < rows; r++) {
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++) {
            T t = TANH(c[r * ldc + j] / top);
            c[r * ldc + j] = top * t;
            if (slope)
                slope[r * NAME(NR) + j] = 1 - t * t;
        }
    }
    for (int64_t r = 0; mask && r < rows; r++) {
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++) {
            T m = mask[r * NAME(NR) + j];
            c[r * ldc + j] = m == -(T)INFINITY ? m : c[r * ldc + j] + m; /* what is hidden may be anything */
        }
    }
}

static void NAME(keep)(const T *row, T *to)
{
    if (!to || to == row)
        return;
    memcpy(to, row, sizeof(T) * NAME(NR));
    PACKED(to, NAME(NR))
}

static bool NAME(softmax_tile)(
    int64_t ku, const void *a, int64_t rs, const void *b, const CgSoftmaxTile *w, int64_t rows, void *right)
{
    T *c = w->c, exponent = (T)w->exponent, *sum = w->sum;
    const T *base = w->base;
    NAME(micro)(ku, a, rs, 1, b, NAME(NR), w->alpha, 0, c, w->ldc, rows, NAME(NR), NULL);
    NAME(score)(c, w->ldc, rows, w->cap, w->mask, NULL);
    NAME(mask)(c, w->ldc, rows, w->diagonal, -(T)INFINITY);
    bool rose = NAME(rise)(w, rows, (T *)right - w->k * NAME(NR));
    for (int64_t r = 0; r < rows; r++, c += w->ldc) {
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++) {
            c[j] = EXP2(c[j] * exponent - base[j]);
            sum[j] += c[j];
        }
        NAME(keep)(c, (T *)right + r * NAME(NR));
    }
    return rose;
}

static void NAME(softmax_grad_tile)(int64_t ku, const void *a, int64_t rs, const void *d, int64_t ds, const void *b,
    const void *h, const CgSoftmaxGradTile *s, int64_t rows, void *left_w, void *left_s, int64_t step, void *right)
{
    T *w = s->w, *c = s->ds, exponent = (T)s->exponent, slope[MR * NAME(NR)];
    const T *base = s->base, *delta = s->delta;
    NAME(micro)(ku, a, rs, 1, b, NAME(NR), s->alpha, 0, w, s->ldc, rows, NAME(NR), NULL);
    NAME(micro)(ku, d, ds, 1, h, NAME(NR), 1, 0, c, s->ldc, rows, NAME(NR), NULL);
    NAME(score)(w, s->ldc, rows, s->cap, s->mask, slope);
    for (int64_t r = 0; r < rows; r++) {
        T *x = w + r * s->ldc, *y = c + r * s->ldc;
        CG_SIMD
        for (int64_t j = 0; j < NAME(NR); j++) {
            x[j] = EXP2(x[j] * exponent - base[j]);
            y[j] = x[j] * (y[j] - delta[j]);
        }
        for (int64_t j = 0; s->cap > 0 && j < NAME(NR); j++)
            y[j] *= slope[r * NAME(NR) + j];
    }
    NAME(mask)(w, s->ldc, rows, s->diagonal, 0);
    NAME(mask)(c, s->ldc, rows, s->diagonal, 0);
    for (int64_t r = 0; r < rows; r++) {
        NAME(keep)(w + r * s->ldc, left_w ? (T *)left_w + r * step : NULL);
        NAME(keep)(c + r * s->ldc, left_s ? (T *)left_s + r * step : NULL);
        if (left_s && right) /* rounded already */
            memcpy((T *)right + r * NAME(NR), (T *)left_s + r * step, sizeof(T) * NAME(NR));
        else
            NAME(keep)(c + r * s->ldc, right ? (T *)right + r * NAME(NR) : NULL);
    }
}
#endif
#undef IN_REGISTERS
#undef VEC
#undef LYING
#undef T
#undef EXP2
#undef RINT
#undef TANH
#undef NAME
#undef PACKED
#undef TRANSPOSE
