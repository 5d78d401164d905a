/* gemm_skinny_transposed.h - some rows by a transposed matrix, for one type; a pattern, not a header.
 * Takes T, INTEGER, SIZE (of T) and NAME(word), after gemm_skinny.h; gives NAME(skinny_transposed). As many rows of x
 * as a vector has numbers are transposed into columns, so that a number of y times a vector adds to all of them: y is
 * read once, as it lies, and no sum goes across a vector. */
#ifndef CG_SKINNY_TRANSPOSED_ONCE
    #define CG_SKINNY_TRANSPOSED_ONCE

    #define SKINNY_TRANSPOSED 10  /* rows from which this is faster than sums across vectors */
    #define SKINNY_COLUMN     256 /* numbers of a row transposed at a time: they stay in the first-level cache */
    #define SKINNY_BESIDE     2   /* blocks of rows that pass over the same rows of y one after the other */

    #define SKINNY_LOW_4   0, 4, 1, 5
    #define SKINNY_HIGH_4  2, 6, 3, 7
    #define SKINNY_LOW_8   0, 8, 1, 9, 2, 10, 3, 11
    #define SKINNY_HIGH_8  4, 12, 5, 13, 6, 14, 7, 15
    #define SKINNY_LOW_16  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
    #define SKINNY_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#endif

#if SKINNY_BYTES / SIZE == 16
    #define SKINNY_LOW  SKINNY_LOW_16
    #define SKINNY_HIGH SKINNY_HIGH_16
#elif SKINNY_BYTES / SIZE == 8
    #define SKINNY_LOW  SKINNY_LOW_8
    #define SKINNY_HIGH SKINNY_HIGH_8
#else
    #define SKINNY_LOW  SKINNY_LOW_4
    #define SKINNY_HIGH SKINNY_HIGH_4
#endif

typedef INTEGER NAME(Order) __attribute__((vector_size(NAME(LANES) * sizeof(T))));

/* Rows become columns. Each pass deals the first half of all rows and the second one into each other, as cards are. */
SKINNY_INLINE void NAME(skinny_transpose)(NAME(Vec) * v)
{
    SKINNY_UNROLL
    for (int pass = 1; pass < NAME(LANES); pass *= 2) {
        NAME(Vec) w[NAME(LANES)];
        SKINNY_UNROLL
        for (int i = 0; i < NAME(LANES) / 2; i++) {
            w[2 * i] = CG_MIXED(NAME(Order), v[i], v[i + NAME(LANES) / 2], SKINNY_LOW);
            w[2 * i + 1] = CG_MIXED(NAME(Order), v[i], v[i + NAME(LANES) / 2], SKINNY_HIGH);
        }
        SKINNY_UNROLL
        for (int i = 0; i < NAME(LANES); i++)
            v[i] = w[i];
    }
}

/* A vector for each of k columns of x; rows that are not there are 0. */
static void NAME(skinny_transpose_rows)(const T *x, int64_t xs, int64_t rows, int64_t k, NAME(Vec) * to)
{
    int64_t l = 0;
    for (; l + NAME(LANES) <= k; l += NAME(LANES)) {
        NAME(Vec) v[NAME(LANES)];
        if (rows == NAME(LANES)) {
            SKINNY_UNROLL
            for (int r = 0; r < NAME(LANES); r++)
                v[r] = *(const NAME(Lying) *)(x + r * xs + l);
        } else {
            for (int r = 0; r < NAME(LANES); r++) {
                v[r] = (NAME(Vec)){ 0 };
                if (r < rows)
                    v[r] = *(const NAME(Lying) *)(x + r * xs + l);
            }
        }
        NAME(skinny_transpose)(v);
        SKINNY_UNROLL
        for (int i = 0; i < NAME(LANES); i++)
            to[l + i] = v[i];
    }
    for (; l < k; l++)
        for (int r = 0; r < NAME(LANES); r++)
            to[l][r] = r < rows ? x[r * xs + l] : 0;
}

/* A block of rows of x, transposed, by a vector's number of rows of y. */
static void NAME(skinny_transposed_block)(const Skinny *f, int64_t rows, const NAME(Vec) * transposed, const T *y, T *z)
{
    NAME(Vec) s[NAME(LANES)] = { { 0 } };
    const T *four[NAME(LANES) / 4];
    int64_t ld = f->ld, ld3 = 3 * ld;
    SKINNY_UNROLL
    for (int j = 0; j < NAME(LANES) / 4; j++)
        four[j] = y + 4 * j * ld;
    for (int64_t l = 0; l < f->k; l++) {
        NAME(Vec) a = transposed[l];
        __builtin_prefetch(
            y + (NAME(LANES) + l % NAME(LANES)) * ld + l / NAME(LANES) * NAME(LANES), 0, 2); /* the next rows of y */
        SKINNY_UNROLL
        for (int j = 0; j < NAME(LANES) / 4; j++) {
            s[4 * j] += a * four[j][0];
            s[4 * j + 1] += a * four[j][ld];
            s[4 * j + 2] += a * four[j][2 * ld];
            s[4 * j + 3] += a * four[j][ld3];
            four[j]++;
        }
    }
    NAME(skinny_transpose)(s);
    SKINNY_UNROLL
    for (int r = 0; r < NAME(LANES); r++) {
        NAME(Lying) *to = (void *)(z + r * f->ldz);
        if (r >= rows)
            break;
        if (f->add)
            s[r] += *to;
        *to = s[r];
    }
}

static void NAME(skinny_transposed)(const Skinny *f, const T *x, const T *y, T *z)
{
    NAME(Vec) transposed[SKINNY_BESIDE][SKINNY_COLUMN];
    int64_t whole = f->n / NAME(LANES) * NAME(LANES), blocks = cg_ceil_div(f->k, SKINNY_COLUMN),
            tall = SKINNY_BESIDE * NAME(LANES);
    for (int64_t i = 0; i < f->m; i += tall)
        for (int64_t p = 0; p < blocks; p++) {
            int64_t l = f->k * p / blocks, rows = f->m - i < tall ? f->m - i : tall;
            Skinny g = *f;
            g.k = f->k * (p + 1) / blocks - l;
            g.add = f->add || p > 0;
            for (int64_t r = 0; r < rows; r += NAME(LANES))
                NAME(skinny_transpose_rows)
            (x + (i + r) * f->xs + l, f->xs, rows - r < NAME(LANES) ? rows - r : NAME(LANES), g.k,
                transposed[r / NAME(LANES)]);
            for (int64_t j = 0; j < whole; j += NAME(LANES))
                for (int64_t r = 0; r < rows; r += NAME(LANES))
                    NAME(skinny_transposed_block)
            (&g, rows - r < NAME(LANES) ? rows - r : NAME(LANES), transposed[r / NAME(LANES)], y + j * f->ld + l,
                z + (i + r) * f->ldz + j);
        }
    if (whole < f->n) {
        Skinny g = *f;
        g.n -= whole;
        NAME(skinny_lines)(&g, x, y + whole * f->ld, z + whole);
    }
}
#undef SKINNY_LOW
#undef SKINNY_HIGH
