/* gemm_skinny_columns.h - few rows, more than one, by a matrix as it lies, for one type; a pattern, not a header.
 * Takes T and NAME(word), after gemm_skinny.h and gemm_skinny_transposed.h; gives NAME(skinny), which chooses among all
 * there are. A block of rows of the right factor is read for all rows of the left one while the next is fetched.
 * Included by matmul.c only.
 */
#ifndef CG_SKINNY_COLUMNS_ONCE
    #define CG_SKINNY_COLUMNS_ONCE

    #define SKINNY_ROWS 28 /* rows of x that are few */
    #define SKINNY_WIDE 6  /* vectors of a row of y at a time, at most */
    #define SKINNY_BLOCK \
        24576 /* bytes of y that are read by all rows before the next: they stay in the first-level cache */
    #define SKINNY_DEEP       64    /* rows of such a block, at most ... */
    #define SKINNY_NEAR       4     /* ... for up to four rows of x: reading ahead then matters more */
    #define SKINNY_AHEAD      12288 /* bytes read ahead then */
    #define SKINNY_ROWS_AHEAD 64    /* rows, where only some columns are read */

/* What is fetched ahead while a block is computed, and how far on for each row of it. */
typedef struct SkinnyNext {
    const char *at;
    int64_t step;
} SkinnyNext;
#endif

typedef void NAME(SkinnyBlock)(const Skinny *f, const T *x, const T *y, T *z, SkinnyNext next);

/* R rows by C vectors of columns. */
SKINNY_INLINE void NAME(skinny_block)(
    const int R, const int C, const Skinny *f, const T *x, const T *y, T *z, SkinnyNext next)
{
    NAME(Vec) s[SKINNY_TALL][SKINNY_WIDE] = { { { 0 } } };
    int64_t k = f->k, xs = f->xs, xp = f->xp, ld = f->ld;
    for (int64_t l = 0; l < k; l++, x += xp, y += ld, next.at += next.step) {
        const NAME(Lying) *row = (const void *)y;
        SKINNY_UNROLL
        for (int c = 0; c < C; c++)
            __builtin_prefetch(next.at + c * SKINNY_BYTES, 0, 2); /* the first level has no room for as many misses */
        SKINNY_UNROLL
        for (int r = 0; r < R; r++) {
            T a = x[r * xs];
            SKINNY_UNROLL
            for (int c = 0; c < C; c++)
                s[r][c] += a * row[c];
        }
    }
    SKINNY_UNROLL
    for (int r = 0; r < R; r++) {
        NAME(Lying) *to = (void *)(z + r * f->ldz);
        SKINNY_UNROLL
        for (int c = 0; c < C; c++) {
            if (f->add)
                s[r][c] += to[c];
            to[c] = s[r][c];
        }
    }
}

/* As many vectors as there are registers for. */
#define SKINNY_ONE(R, C)                                                                               \
    static void NAME(skinny_##R##_##C)(const Skinny *f, const T *x, const T *y, T *z, SkinnyNext next) \
    {                                                                                                  \
        if (R * C <= SKINNY_SUMS)                                                                      \
            NAME(skinny_block)(R, C, f, x, y, z, next);                                                \
    }
#define SKINNY_NAME(R, C) R *C <= SKINNY_SUMS ? NAME(skinny_##R##_##C) : NULL
#define SKINNY_BLOCKS(R) \
    SKINNY_ONE(R, 1) SKINNY_ONE(R, 2) SKINNY_ONE(R, 3) SKINNY_ONE(R, 4) SKINNY_ONE(R, 5) SKINNY_ONE(R, 6)
#define SKINNY_NAMES(R)                                                                                \
    {                                                                                                  \
        SKINNY_NAME(R, 1), SKINNY_NAME(R, 2), SKINNY_NAME(R, 3), SKINNY_NAME(R, 4), SKINNY_NAME(R, 5), \
            SKINNY_NAME(R, 6)                                                                          \
    }
SKINNY_BLOCKS(1)
SKINNY_BLOCKS(2)
SKINNY_BLOCKS(3)
SKINNY_BLOCKS(4)
SKINNY_BLOCKS(5)
SKINNY_BLOCKS(6)
/* clang-format off: it lays a list with conditions out anew each time */
#if SKINNY_TALL == 8
SKINNY_BLOCKS(7)
SKINNY_BLOCKS(8)
#endif
static NAME(SkinnyBlock) *const NAME(skinny_blocks)[SKINNY_TALL][SKINNY_WIDE] = {
    SKINNY_NAMES(1),
    SKINNY_NAMES(2),
    SKINNY_NAMES(3),
    SKINNY_NAMES(4),
    SKINNY_NAMES(5),
    SKINNY_NAMES(6),
#if SKINNY_TALL == 8
    SKINNY_NAMES(7),
    SKINNY_NAMES(8),
#endif
};
/* clang-format on */

/* All rows, by blocks of nearly equal height, times some vectors of columns. */
static void NAME(skinny_strip)(const Skinny *f, int64_t vectors, const T *x, const T *y, T *z, SkinnyNext next)
{
    int64_t blocks = cg_ceil_div(f->m, SKINNY_TALL);
    for (int64_t b = 0; b < blocks; b++) {
        int64_t i = f->m * b / blocks, rows = f->m * (b + 1) / blocks - i;
        NAME(skinny_blocks)[rows - 1][vectors - 1](f, x + i * f->xs, y, z + i * f->ldz, next);
    }
}

/* Columns that fill no vector: of whole ones, as far as those lie within y; the last rows number by number. */
static void NAME(skinny_rest)(const Skinny *f, int64_t first, const T *x, const T *y, T *z)
{
    Skinny g = *f;
    int64_t left = f->n - first, last = cg_ceil_div(NAME(LANES) - left, f->ld);
    g.k = f->k - last;
    g.ldz = NAME(LANES);
    g.add = false;
    for (int64_t above = 0; above < f->m; above += SKINNY_ROWS) {
        T s[SKINNY_ROWS * NAME(LANES)] = { 0 };
        const T *from = x + above * f->xs;
        g.m = f->m - above < SKINNY_ROWS ? f->m - above : SKINNY_ROWS;
        if (g.k > 0)
            NAME(skinny_strip)
        (&g, 1, from, y + first, s, (SkinnyNext){ (const char *)(y + first), f->ld * (int64_t)sizeof(T) });
        for (int64_t i = 0; i < g.m; i++)
            for (int64_t j = 0; j < left; j++) {
                T *to = z + (above + i) * f->ldz + first + j, sum = s[i * NAME(LANES) + j];
                for (int64_t l = g.k > 0 ? g.k : 0; l < f->k; l++)
                    sum += from[i * f->xs + l * f->xp] * y[l * f->ld + first + j];
                *to = f->add ? *to + sum : sum;
            }
    }
}

static void NAME(skinny_columns)(const Skinny *f, const T *x, const T *y, T *z)
{
    int64_t size = sizeof(T), vectors = f->n / NAME(LANES), tall = cg_ceil_div(f->m, cg_ceil_div(f->m, SKINNY_TALL));
    int64_t wide = SKINNY_SUMS / tall < SKINNY_WIDE ? SKINNY_SUMS / tall : SKINNY_WIDE,
            strips = cg_ceil_div(vectors, wide);
    int64_t deep = SKINNY_BLOCK / (f->n * size), ahead = SKINNY_AHEAD / size;
    deep = f->m <= SKINNY_NEAR || deep < SKINNY_NEAR ? SKINNY_NEAR : deep > SKINNY_DEEP ? SKINNY_DEEP : deep;
    Skinny g = *f;
    for (int64_t l = 0; l < f->k; l += deep) {
        g.k = deep < f->k - l ? deep : f->k - l;
        g.add = f->add || l > 0;
        const T *from = y + l * f->ld, *to = x + l * f->xp;
        const char *next = (const char *)(from + (g.k * f->ld < ahead ? ahead : g.k * f->ld));
        for (int64_t q = 0; q < strips; q++) {
            int64_t v = vectors * q / strips, w = vectors * (q + 1) / strips - v, j = v * NAME(LANES);
            SkinnyNext n = { next, w * SKINNY_BYTES };
            if (f->n < f->ld) { /* in the end, the first rows of the columns after these */
                int64_t row = l + SKINNY_ROWS_AHEAD, column = row < f->k ? j : f->n + j;
                n = (SkinnyNext){ (const char *)(y + (row < f->k ? row : row - f->k) * f->ld + column), f->ld * size };
            }
            NAME(skinny_strip)(&g, w, to, from + j, z + j, n);
            next += w * SKINNY_BYTES * g.k;
        }
    }
    if (f->n % NAME(LANES))
        NAME(skinny_rest)(f, vectors * NAME(LANES), x, y, z);
}

static void NAME(skinny)(const Skinny *f, const T *x, const T *y, T *z)
{
    if (f->trans && f->m >= SKINNY_TRANSPOSED)
        NAME(skinny_transposed)(f, x, y, z);
    else if (f->trans)
        NAME(skinny_lines)(f, x, y, z);
    else if (f->m == 1)
        NAME(skinny_row)(f, x, y, z);
    else
        NAME(skinny_columns)(f, x, y, z);
}
