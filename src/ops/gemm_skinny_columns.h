/* gemm_skinny_columns.h - few rows, more than one, by a matrix as it lies, for one type; a pattern, not a header.
 * Takes T and NAME(word), after few.h and few_turned.h; gives NAME(few), which chooses among all there are. A block of
 * rows of the right factor is read for all rows of the left one while the next is fetched. Included by matmul.c only.
 */
#ifndef CG_FEW_COLUMNS_ONCE
    #define CG_FEW_COLUMNS_ONCE

    #define FEW_ROWS 28 /* rows of x that are few */
    #define FEW_WIDE 6  /* vectors of a row of y at a time, at most */
    #define FEW_BLOCK \
        24576 /* bytes of y that are read by all rows before the next: they stay in the first-level cache */
    #define FEW_DEEP       64 /* rows of such a block, at most ... */
    #define FEW_NEAR       4  /* ... for up to four rows of x: reading ahead then matters more than reading z seldom */
    #define FEW_AHEAD      12288 /* bytes read ahead then */
    #define FEW_ROWS_AHEAD 64    /* rows, where only some columns are read */

/* What is fetched ahead while a block is computed, and how far on for each row of it. */
typedef struct FewNext {
    const char *at;
    int64_t step;
} FewNext;
#endif

typedef void NAME(FewBlock)(const Few *f, const T *x, const T *y, T *z, FewNext next);

/* R rows by C vectors of columns. */
FEW_INLINE void NAME(few_block)(const int R, const int C, const Few *f, const T *x, const T *y, T *z, FewNext next)
{
    NAME(Vec) s[FEW_TALL][FEW_WIDE] = { { { 0 } } };
    int64_t k = f->k, xs = f->xs, xp = f->xp, ld = f->ld;
    for (int64_t l = 0; l < k; l++, x += xp, y += ld, next.at += next.step) {
        const NAME(Lying) *row = (const void *)y;
        FEW_UNROLL
        for (int c = 0; c < C; c++)
            __builtin_prefetch(next.at + c * FEW_BYTES, 0, 2); /* the first level has no room for as many misses */
        FEW_UNROLL
        for (int r = 0; r < R; r++) {
            T a = x[r * xs];
            FEW_UNROLL
            for (int c = 0; c < C; c++)
                s[r][c] += a * row[c];
        }
    }
    FEW_UNROLL
    for (int r = 0; r < R; r++) {
        NAME(Lying) *to = (void *)(z + r * f->ldz);
        FEW_UNROLL
        for (int c = 0; c < C; c++) {
            if (f->add)
                s[r][c] += to[c];
            to[c] = s[r][c];
        }
    }
}

/* As many vectors as there are registers for. */
#define FEW_ONE(R, C)                                                                         \
    static void NAME(few_##R##_##C)(const Few *f, const T *x, const T *y, T *z, FewNext next) \
    {                                                                                         \
        if (R * C <= FEW_SUMS)                                                                \
            NAME(few_block)(R, C, f, x, y, z, next);                                          \
    }
#define FEW_NAME(R, C) R *C <= FEW_SUMS ? NAME(few_##R##_##C) : NULL
#define FEW_BLOCKS(R)  FEW_ONE(R, 1) FEW_ONE(R, 2) FEW_ONE(R, 3) FEW_ONE(R, 4) FEW_ONE(R, 5) FEW_ONE(R, 6)
#define FEW_NAMES(R)                                                                                   \
    {                                                                                                  \
        FEW_NAME(R, 1), FEW_NAME(R, 2), FEW_NAME(R, 3), FEW_NAME(R, 4), FEW_NAME(R, 5), FEW_NAME(R, 6) \
    }
FEW_BLOCKS(1)
FEW_BLOCKS(2)
FEW_BLOCKS(3)
FEW_BLOCKS(4)
FEW_BLOCKS(5)
FEW_BLOCKS(6)
/* clang-format off: it lays a list with conditions out anew each time */
#if FEW_TALL == 8
FEW_BLOCKS(7)
FEW_BLOCKS(8)
#endif
static NAME(FewBlock) *const NAME(few_blocks)[FEW_TALL][FEW_WIDE] = {
    FEW_NAMES(1),
    FEW_NAMES(2),
    FEW_NAMES(3),
    FEW_NAMES(4),
    FEW_NAMES(5),
    FEW_NAMES(6),
#if FEW_TALL == 8
    FEW_NAMES(7),
    FEW_NAMES(8),
#endif
};
/* clang-format on */

/* All rows, by blocks of nearly equal height, times some vectors of columns. */
static void NAME(few_strip)(const Few *f, int64_t vectors, const T *x, const T *y, T *z, FewNext next)
{
    int64_t blocks = few_shares(f->m, FEW_TALL);
    for (int64_t b = 0; b < blocks; b++) {
        int64_t i = f->m * b / blocks, rows = f->m * (b + 1) / blocks - i;
        NAME(few_blocks)[rows - 1][vectors - 1](f, x + i * f->xs, y, z + i * f->ldz, next);
    }
}

/* Columns that fill no vector: of whole ones, as far as those lie within y; the last rows number by number. */
static void NAME(few_rest)(const Few *f, int64_t first, const T *x, const T *y, T *z)
{
    Few g = *f;
    int64_t left = f->n - first, last = few_shares(NAME(LANES) - left, f->ld);
    g.k = f->k - last;
    g.ldz = NAME(LANES);
    g.add = false;
    for (int64_t above = 0; above < f->m; above += FEW_ROWS) {
        T s[FEW_ROWS * NAME(LANES)] = { 0 };
        const T *from = x + above * f->xs;
        g.m = f->m - above < FEW_ROWS ? f->m - above : FEW_ROWS;
        if (g.k > 0)
            NAME(few_strip)
        (&g, 1, from, y + first, s, (FewNext){ (const char *)(y + first), f->ld * (int64_t)sizeof(T) });
        for (int64_t i = 0; i < g.m; i++)
            for (int64_t j = 0; j < left; j++) {
                T *to = z + (above + i) * f->ldz + first + j, sum = s[i * NAME(LANES) + j];
                for (int64_t l = g.k > 0 ? g.k : 0; l < f->k; l++)
                    sum += from[i * f->xs + l * f->xp] * y[l * f->ld + first + j];
                *to = f->add ? *to + sum : sum;
            }
    }
}

static void NAME(few_columns)(const Few *f, const T *x, const T *y, T *z)
{
    int64_t size = sizeof(T), vectors = f->n / NAME(LANES), tall = few_shares(f->m, few_shares(f->m, FEW_TALL));
    int64_t wide = FEW_SUMS / tall < FEW_WIDE ? FEW_SUMS / tall : FEW_WIDE, strips = few_shares(vectors, wide);
    int64_t deep = FEW_BLOCK / (f->n * size), ahead = FEW_AHEAD / size;
    deep = f->m <= FEW_NEAR || deep < FEW_NEAR ? FEW_NEAR : deep > FEW_DEEP ? FEW_DEEP : deep;
    Few g = *f;
    for (int64_t l = 0; l < f->k; l += deep) {
        g.k = deep < f->k - l ? deep : f->k - l;
        g.add = f->add || l > 0;
        const T *from = y + l * f->ld, *to = x + l * f->xp;
        const char *next = (const char *)(from + (g.k * f->ld < ahead ? ahead : g.k * f->ld));
        for (int64_t q = 0; q < strips; q++) {
            int64_t v = vectors * q / strips, w = vectors * (q + 1) / strips - v, j = v * NAME(LANES);
            FewNext n = { next, w * FEW_BYTES };
            if (f->n < f->ld) { /* in the end, the first rows of the columns after these */
                int64_t row = l + FEW_ROWS_AHEAD, column = row < f->k ? j : f->n + j;
                n = (FewNext){ (const char *)(y + (row < f->k ? row : row - f->k) * f->ld + column), f->ld * size };
            }
            NAME(few_strip)(&g, w, to, from + j, z + j, n);
            next += w * FEW_BYTES * g.k;
        }
    }
    if (f->n % NAME(LANES))
        NAME(few_rest)(f, vectors * NAME(LANES), x, y, z);
}

static void NAME(few)(const Few *f, const T *x, const T *y, T *z)
{
    if (f->trans && f->m >= FEW_TURNED)
        NAME(few_turned)(f, x, y, z);
    else if (f->trans)
        NAME(few_lines)(f, x, y, z);
    else if (f->m == 1)
        NAME(few_row)(f, x, y, z);
    else
        NAME(few_columns)(f, x, y, z);
}
