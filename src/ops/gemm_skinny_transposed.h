/* gemm_skinny_transposed.h - some rows by a transposed matrix, for one type; a pattern, not a header.
 * Takes T, INTEGER, SIZE (of T) and NAME(word), after few.h; gives NAME(few_turned). As many rows of x as a vector has
 * numbers are turned into columns, so that a number of y times a vector adds to all of them: y is read once, as it
 * lies, and no sum goes across a vector. */
#ifndef CG_FEW_TURNED_ONCE
    #define CG_FEW_TURNED_ONCE

    #define FEW_TURNED 10  /* rows from which this is faster than sums across vectors */
    #define FEW_COLUMN 256 /* numbers of a row that are turned at a time: they stay in the first-level cache */
    #define FEW_BESIDE 2   /* blocks of rows that pass over the same rows of y one after the other */

    #define FEW_LOW_4   0, 4, 1, 5
    #define FEW_HIGH_4  2, 6, 3, 7
    #define FEW_LOW_8   0, 8, 1, 9, 2, 10, 3, 11
    #define FEW_HIGH_8  4, 12, 5, 13, 6, 14, 7, 15
    #define FEW_LOW_16  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
    #define FEW_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#endif

#if FEW_BYTES / SIZE == 16
    #define FEW_LOW  FEW_LOW_16
    #define FEW_HIGH FEW_HIGH_16
#elif FEW_BYTES / SIZE == 8
    #define FEW_LOW  FEW_LOW_8
    #define FEW_HIGH FEW_HIGH_8
#else
    #define FEW_LOW  FEW_LOW_4
    #define FEW_HIGH FEW_HIGH_4
#endif

typedef INTEGER NAME(Order) __attribute__((vector_size(NAME(LANES) * sizeof(T))));

/* Rows become columns. Each pass deals the first half of all rows and the second one into each other, as cards are. */
FEW_INLINE void NAME(few_turn)(NAME(Vec) * v)
{
    FEW_UNROLL
    for (int pass = 1; pass < NAME(LANES); pass *= 2) {
        NAME(Vec) w[NAME(LANES)];
        FEW_UNROLL
        for (int i = 0; i < NAME(LANES) / 2; i++) {
            w[2 * i] = CG_MIXED(NAME(Order), v[i], v[i + NAME(LANES) / 2], FEW_LOW);
            w[2 * i + 1] = CG_MIXED(NAME(Order), v[i], v[i + NAME(LANES) / 2], FEW_HIGH);
        }
        FEW_UNROLL
        for (int i = 0; i < NAME(LANES); i++)
            v[i] = w[i];
    }
}

/* A vector for each of k columns of x; rows that are not there are 0. */
static void NAME(few_turn_rows)(const T *x, int64_t xs, int64_t rows, int64_t k, NAME(Vec) * to)
{
    int64_t l = 0;
    for (; l + NAME(LANES) <= k; l += NAME(LANES)) {
        NAME(Vec) v[NAME(LANES)];
        if (rows == NAME(LANES)) {
            FEW_UNROLL
            for (int r = 0; r < NAME(LANES); r++)
                v[r] = *(const NAME(Lying) *)(x + r * xs + l);
        } else {
            for (int r = 0; r < NAME(LANES); r++) {
                v[r] = (NAME(Vec)){ 0 };
                if (r < rows)
                    v[r] = *(const NAME(Lying) *)(x + r * xs + l);
            }
        }
        NAME(few_turn)(v);
        FEW_UNROLL
        for (int i = 0; i < NAME(LANES); i++)
            to[l + i] = v[i];
    }
    for (; l < k; l++)
        for (int r = 0; r < NAME(LANES); r++)
            to[l][r] = r < rows ? x[r * xs + l] : 0;
}

/* A block of rows of x, turned, by a vector's number of rows of y. */
static void NAME(few_turned_block)(const Few *f, int64_t rows, const NAME(Vec) * turned, const T *y, T *z)
{
    NAME(Vec) s[NAME(LANES)] = { { 0 } };
    const T *four[NAME(LANES) / 4];
    int64_t ld = f->ld, ld3 = 3 * ld;
    FEW_UNROLL
    for (int j = 0; j < NAME(LANES) / 4; j++)
        four[j] = y + 4 * j * ld;
    for (int64_t l = 0; l < f->k; l++) {
        NAME(Vec) a = turned[l];
        __builtin_prefetch(
            y + (NAME(LANES) + l % NAME(LANES)) * ld + l / NAME(LANES) * NAME(LANES), 0, 2); /* the next rows of y */
        FEW_UNROLL
        for (int j = 0; j < NAME(LANES) / 4; j++) {
            s[4 * j] += a * four[j][0];
            s[4 * j + 1] += a * four[j][ld];
            s[4 * j + 2] += a * four[j][2 * ld];
            s[4 * j + 3] += a * four[j][ld3];
            four[j]++;
        }
    }
    NAME(few_turn)(s);
    FEW_UNROLL
    for (int r = 0; r < NAME(LANES); r++) {
        NAME(Lying) *to = (void *)(z + r * f->ldz);
        if (r >= rows)
            break;
        if (f->add)
            s[r] += *to;
        *to = s[r];
    }
}

static void NAME(few_turned)(const Few *f, const T *x, const T *y, T *z)
{
    NAME(Vec) turned[FEW_BESIDE][FEW_COLUMN];
    int64_t whole = f->n / NAME(LANES) * NAME(LANES), pieces = few_shares(f->k, FEW_COLUMN),
            tall = FEW_BESIDE * NAME(LANES);
    for (int64_t i = 0; i < f->m; i += tall)
        for (int64_t p = 0; p < pieces; p++) {
            int64_t l = f->k * p / pieces, rows = f->m - i < tall ? f->m - i : tall;
            Few g = *f;
            g.k = f->k * (p + 1) / pieces - l;
            g.add = f->add || p > 0;
            for (int64_t r = 0; r < rows; r += NAME(LANES))
                NAME(few_turn_rows)
            (x + (i + r) * f->xs + l, f->xs, rows - r < NAME(LANES) ? rows - r : NAME(LANES), g.k,
                turned[r / NAME(LANES)]);
            for (int64_t j = 0; j < whole; j += NAME(LANES))
                for (int64_t r = 0; r < rows; r += NAME(LANES))
                    NAME(few_turned_block)
            (&g, rows - r < NAME(LANES) ? rows - r : NAME(LANES), turned[r / NAME(LANES)], y + j * f->ld + l,
                z + (i + r) * f->ldz + j);
        }
    if (whole < f->n) {
        Few g = *f;
        g.n -= whole;
        NAME(few_lines)(&g, x, y + whole * f->ld, z + whole);
    }
}
#undef FEW_LOW
#undef FEW_HIGH
