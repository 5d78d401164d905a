/* gemm_skinny.h - products with few rows on the left, for one type; a pattern, not a header.
 * Takes T (float or double), INTEGER of its size and NAME(word), and, where the right factor lies as something else,
 * RIGHT, its type, WIDE(at), a vector of it as T, and NUMBER(x), one of it; gives NAME(skinny_row), one row by a
 * matrix, and NAME(skinny_lines), some rows by a transposed one. Each number of the right factor is read from memory
 * once, in the order it lies, and packed nowhere: that reading is what takes the time, and out of order it is three
 * times slower. */
#ifndef CG_SKINNY_ONCE
    #define CG_SKINNY_ONCE

    /* Sums held in registers: 24 of 32, or 12 of 16. */
    #if defined(__AVX512F__)
        #define SKINNY_BYTES 64
        #define SKINNY_SUMS  24
        #define SKINNY_TALL  8 /* rows of x at a time, at most */
    #else
        #if defined(__AVX2__)
            #define SKINNY_BYTES 32
        #else
            #define SKINNY_BYTES 16
        #endif
        #define SKINNY_SUMS 12
        #define SKINNY_TALL 6
    #endif

    #if defined(__has_feature)
        #if __has_feature(address_sanitizer)
            #define SKINNY_UNROLL /* checks of unrolled loops take minutes to compile */
        #endif
    #endif
    #ifdef __clang__
        #ifndef SKINNY_UNROLL
            #define SKINNY_UNROLL _Pragma("unroll")
        #endif
    #else
        #define SKINNY_UNROLL _Pragma("GCC unroll 24")
    #endif
    #define SKINNY_INLINE static inline __attribute__((always_inline))

/* z = x y, or z + x y when `add`: number l of row i of x at x[i * xs + l * xp]; y is (k,n), or (n,k) when trans, its
 * rows ld apart; those of z are ldz apart. A transposed y wants xp = 1. */
typedef struct Skinny {
    int64_t m, n, k, xs, xp, ld, ldz;
    bool trans, add;
} Skinny;

#endif

enum { NAME(LANES) = SKINNY_BYTES / sizeof(T) < 4 ? 4 : SKINNY_BYTES / sizeof(T) };
typedef T NAME(Vec) __attribute__((vector_size(NAME(LANES) * sizeof(T))));
typedef T NAME(Lying) __attribute__((vector_size(NAME(LANES) * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef T NAME(Four) __attribute__((vector_size(4 * sizeof(T))));
typedef T NAME(LyingFour) __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef INTEGER NAME(Mask) __attribute__((vector_size(4 * sizeof(T))));

#ifndef RIGHT
    #define RIGHT     T
    #define WIDE(at)  (*(const NAME(Lying) *)(at))
    #define NUMBER(x) (x)
#endif

/* ---- one row by y (k,n): each row of y from end to end ---- */

/* C vectors, all there is: the sums stay in registers. */
SKINNY_INLINE void NAME(skinny_narrow)(const int C, const Skinny *f, const T *x, const RIGHT *y, T *z)
{
    NAME(Vec) s[SKINNY_SUMS] = { { 0 } };
    NAME(Lying) *to = (void *)z;
    for (int64_t l = 0; l < f->k; l++, y += f->ld) {
        T a = x[l * f->xp];
        SKINNY_UNROLL
        for (int c = 0; c < C; c++)
            s[c] += a * WIDE(y + c * NAME(LANES));
    }
    SKINNY_UNROLL
    for (int c = 0; c < C; c++) {
        if (f->add)
            s[c] += to[c];
        to[c] = s[c];
    }
}

#define SKINNY_ROW(C)                                                                   \
    static void NAME(skinny_row_##C)(const Skinny *f, const T *x, const RIGHT *y, T *z) \
    {                                                                                   \
        NAME(skinny_narrow)(C, f, x, y, z);                                             \
    }
#define SKINNY_ROW_NAME(C) NAME(skinny_row_##C),
#define SKINNY_TWELVE(X)   X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#if SKINNY_SUMS == 24
    #define SKINNY_WIDTHS(X) SKINNY_TWELVE(X) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24)
#else
    #define SKINNY_WIDTHS(X) SKINNY_TWELVE(X)
#endif
SKINNY_WIDTHS(SKINNY_ROW)
typedef void NAME(SkinnyRow)(const Skinny *f, const T *x, const RIGHT *y, T *z);
static NAME(SkinnyRow) *const NAME(skinny_rows)[SKINNY_SUMS] = { SKINNY_WIDTHS(SKINNY_ROW_NAME) };

/* Too wide for that: sums are kept in the first-level cache, and four rows of y are added at a time while the next four
 * are fetched. */
static void NAME(skinny_wide)(const Skinny *f, const T *x, const RIGHT *y, T *z)
{
    int64_t l = 0, ld = f->ld, xp = f->xp, size = sizeof *y;
    for (int64_t j = 0; !f->add && j < f->n; j++)
        z[j] = 0;
    for (; l + 4 <= f->k; l += 4, x += 4 * xp, y += 4 * ld) {
        T a = x[0], b = x[xp], c = x[2 * xp], d = x[3 * xp];
        for (int64_t from = 0, n; from < f->n; from += n) {
            const RIGHT *p = y + from, *q = p + ld, *r = q + ld, *s = r + ld;
            T *to = z + from;
            n = f->n - from < 4 * NAME(LANES) ? f->n - from : 4 * NAME(LANES);
            for (int64_t j = 0; j < n * size; j += 64)
                for (int64_t i = 4; i < 8; i++)
                    __builtin_prefetch((const char *)p + i * ld * size + j, 0, 2);
            CG_SIMD
            for (int64_t j = 0; j < n; j++)
                to[j] = to[j] + a * NUMBER(p[j]) + b * NUMBER(q[j]) + c * NUMBER(r[j]) + d * NUMBER(s[j]);
        }
    }
    for (; l < f->k; l++, x += xp, y += ld) {
        T a = *x;
        CG_SIMD
        for (int64_t j = 0; j < f->n; j++)
            z[j] += a * NUMBER(y[j]);
    }
}

static void NAME(skinny_row)(const Skinny *f, const T *x, const RIGHT *y, T *z)
{
    int64_t vectors = f->n / NAME(LANES);
    if (f->n % NAME(LANES) == 0 && vectors <= SKINNY_SUMS)
        NAME(skinny_rows)[vectors - 1](f, x, y, z);
    else
        NAME(skinny_wide)(f, x, y, z);
}

/* ---- y (n,k) ---- */

/* The sums of four vectors. */
SKINNY_INLINE void NAME(skinny_across)(const NAME(Vec) * s, NAME(Four) * sums)
{
    NAME(Four) a[4];
    SKINNY_UNROLL
    for (int i = 0; i < 4; i++) {
        const NAME(LyingFour) *part = (const void *)&s[i];
        a[i] = part[0];
        SKINNY_UNROLL
        for (int h = 1; h < NAME(LANES) / 4; h++)
            a[i] += part[h];
    }
    NAME(Four) p = CG_MIXED(NAME(Mask), a[0], a[1], 0, 4, 1, 5) + CG_MIXED(NAME(Mask), a[0], a[1], 2, 6, 3, 7);
    NAME(Four) q = CG_MIXED(NAME(Mask), a[2], a[3], 0, 4, 1, 5) + CG_MIXED(NAME(Mask), a[2], a[3], 2, 6, 3, 7);
    *sums = CG_MIXED(NAME(Mask), p, q, 0, 1, 4, 5) + CG_MIXED(NAME(Mask), p, q, 2, 3, 6, 7);
}

/* R rows of x by four of y, of which `lines` are there. One row of x takes those of y one after the other. */
SKINNY_INLINE void NAME(skinny_dots)(const int R, const Skinny *f, int64_t lines, const T *x, const RIGHT *y, T *z)
{
    NAME(Vec) s[SKINNY_TALL][4] = { { { 0 } } };
    const RIGHT *line[4];
    int64_t k = f->k, xs = f->xs, whole = k / NAME(LANES) * NAME(LANES), left = (k - whole) * (int64_t)sizeof(T);
    const char *next = (const char *)(y + 8 * f->ld);
    SKINNY_UNROLL
    for (int j = 0; j < 4; j++)
        line[j] = y + (j < lines ? j : lines - 1) * f->ld;
    if (R == 1) {
        SKINNY_UNROLL
        for (int j = 0; j < 4; j++) {
            NAME(Vec) t[3] = { { 0 } };
            int64_t l = 0;
            for (; l + 4 * NAME(LANES) <= whole; l += 4 * NAME(LANES)) {
                const NAME(Lying) *a = (const void *)(x + l);
                s[0][j] += WIDE(line[j] + l) * a[0];
                t[0] += WIDE(line[j] + l + NAME(LANES)) * a[1];
                t[1] += WIDE(line[j] + l + 2 * NAME(LANES)) * a[2];
                t[2] += WIDE(line[j] + l + 3 * NAME(LANES)) * a[3];
            }
            for (; l < whole; l += NAME(LANES))
                s[0][j] += WIDE(line[j] + l) * *(const NAME(Lying) *)(x + l);
            s[0][j] = (s[0][j] + t[0]) + (t[1] + t[2]);
        }
    } else {
        for (int64_t l = 0; l < whole; l += NAME(LANES), next += 4 * SKINNY_BYTES) {
            SKINNY_UNROLL
            for (int j = 0; j < 4; j++) {
                NAME(Vec) w = WIDE(line[j] + l);
                __builtin_prefetch(next + j * SKINNY_BYTES, 0, 2);
                SKINNY_UNROLL
                for (int r = 0; r < R; r++)
                    s[r][j] += w * *(const NAME(Lying) *)(x + r * xs + l);
            }
        }
    }
    if (left) {
        SKINNY_UNROLL
        for (int j = 0; j < 4; j++) {
            RIGHT some[NAME(LANES)] = { 0 };
            memcpy(some, line[j] + whole, (size_t)(k - whole) * sizeof *some);
            NAME(Vec) w = WIDE(some), a = { 0 };
            SKINNY_UNROLL
            for (int r = 0; r < R; r++) {
                memcpy(&a, x + r * xs + whole, (size_t)left);
                s[r][j] += w * a;
            }
        }
    }
    SKINNY_UNROLL
    for (int r = 0; r < R; r++) {
        NAME(Vec) four[4] = { s[r][0], s[r][1], s[r][2], s[r][3] };
        NAME(Four) sums;
        NAME(skinny_across)(four, &sums);
        for (int64_t j = 0; j < lines; j++)
            z[r * f->ldz + j] = f->add ? z[r * f->ldz + j] + sums[j] : sums[j];
    }
}

typedef void NAME(SkinnyDots)(const Skinny *f, int64_t lines, const T *x, const RIGHT *y, T *z);
#define SKINNY_DOTS(R)                                                                                  \
    static void NAME(skinny_dots_##R)(const Skinny *f, int64_t lines, const T *x, const RIGHT *y, T *z) \
    {                                                                                                   \
        NAME(skinny_dots)(R, f, lines, x, y, z);                                                        \
    }
SKINNY_DOTS(1)
SKINNY_DOTS(2)
SKINNY_DOTS(3)
#if SKINNY_SUMS == 24
SKINNY_DOTS(4)
SKINNY_DOTS(5)
SKINNY_DOTS(6)
#endif
/* clang-format off: it lays a list with conditions out anew each time */
static NAME(SkinnyDots) *const NAME(skinny_all_dots)[SKINNY_SUMS / 4] = {
    NAME(skinny_dots_1),
    NAME(skinny_dots_2),
    NAME(skinny_dots_3),
#if SKINNY_SUMS == 24
    NAME(skinny_dots_4),
    NAME(skinny_dots_5),
    NAME(skinny_dots_6),
#endif
};
/* clang-format on */

static void NAME(skinny_lines)(const Skinny *f, const T *x, const RIGHT *y, T *z)
{
    int64_t blocks = cg_ceil_div(f->m, SKINNY_SUMS / 4);
    for (int64_t j = 0; j < f->n; j += 4)
        for (int64_t b = 0; b < blocks; b++) {
            int64_t i = f->m * b / blocks, rows = f->m * (b + 1) / blocks - i, lines = f->n - j < 4 ? f->n - j : 4;
            NAME(skinny_all_dots)[rows - 1](f, lines, x + i * f->xs, y + j * f->ld, z + i * f->ldz + j);
        }
}
#undef RIGHT
#undef WIDE
#undef NUMBER
