/* vector_reduce_rows.h - sums and maxima of a row, for one type; a pattern, not a header.
 * Takes T (float or double), INTEGER of its size and NAME(word); gives the functions that vector_reduce.h tells of. */
typedef T NAME(Lanes) __attribute__((vector_size(16 * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef INTEGER NAME(Indices) __attribute__((vector_size(16 * sizeof(T))));
/* *y = the greater of *x and *y, lane by lane. By address: as arguments, vectors of this size are a matter of the
 * instruction set. */
static inline void NAME(lanes_max)(const NAME(Lanes) * x, NAME(Lanes) * y)
{
    CG_SIMD
    for (int i = 0; i < 16; i++)
        (*y)[i] = (*x)[i] > (*y)[i] ? (*x)[i] : (*y)[i];
}

static inline T NAME(lanes_total)(const NAME(Lanes) * of)
{
    NAME(Lanes) x = *of;
    x += LANES_ROTATED(NAME(Indices), x, 8);
    x += LANES_ROTATED(NAME(Indices), x, 4);
    x += LANES_ROTATED(NAME(Indices), x, 2);
    return x[0] + x[1];
}

static inline T NAME(lanes_greatest)(const NAME(Lanes) * of)
{
    NAME(Lanes) x = *of, y = LANES_ROTATED(NAME(Indices), x, 8);
    NAME(lanes_max)(&y, &x);
    y = LANES_ROTATED(NAME(Indices), x, 4);
    NAME(lanes_max)(&y, &x);
    y = LANES_ROTATED(NAME(Indices), x, 2);
    NAME(lanes_max)(&y, &x);
    return x[0] > x[1] ? x[0] : x[1];
}

/* Four vectors at a time: one sum would wait for itself. */
static inline T NAME(lanes_sum)(const T *x, int64_t n)
{
    NAME(Lanes) a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    int64_t i = 0;
    T rest = 0;
    for (; i + 64 <= n; i += 64) {
        a += *(const NAME(Lanes) *)(x + i);
        b += *(const NAME(Lanes) *)(x + i + 16);
        c += *(const NAME(Lanes) *)(x + i + 32);
        d += *(const NAME(Lanes) *)(x + i + 48);
    }
    for (; i + 16 <= n; i += 16)
        a += *(const NAME(Lanes) *)(x + i);
    for (; i < n; i++)
        rest += x[i];
    a += b + (c + d);
    return NAME(lanes_total)(&a) + rest;
}

static inline T NAME(lanes_dot)(const T *x, const T *y, int64_t n)
{
    NAME(Lanes) sum = { 0 };
    int64_t i = 0;
    T rest = 0;
    for (; i + 16 <= n; i += 16)
        sum += *(const NAME(Lanes) *)(x + i) * *(const NAME(Lanes) *)(y + i);
    for (; i < n; i++)
        rest += x[i] * y[i];
    return NAME(lanes_total)(&sum) + rest;
}

typedef T NAME(Four) __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef INTEGER NAME(Quarter) __attribute__((vector_size(4 * sizeof(T))));
/* A square of four by four, transposed; what comes from column c by scale[c]. */
static inline void NAME(lanes_transpose)(const T *from, int64_t ld, const T *scale, T *to, int64_t ldto)
{
    NAME(Four) x[4];
    for (int i = 0; i < 4; i++) {
        x[i] = *(const NAME(Four) *)(from + i * ld);
        if (scale)
            x[i] *= *(const NAME(Four) *)scale;
    }
    NAME(Four) a = CG_MIXED(NAME(Quarter), x[0], x[1], 0, 4, 1, 5), b = CG_MIXED(NAME(Quarter), x[2], x[3], 0, 4, 1, 5);
    NAME(Four) c = CG_MIXED(NAME(Quarter), x[0], x[1], 2, 6, 3, 7), e = CG_MIXED(NAME(Quarter), x[2], x[3], 2, 6, 3, 7);
    *(NAME(Four) *)to = CG_MIXED(NAME(Quarter), a, b, 0, 1, 4, 5);
    *(NAME(Four) *)(to + ldto) = CG_MIXED(NAME(Quarter), a, b, 2, 3, 6, 7);
    *(NAME(Four) *)(to + 2 * ldto) = CG_MIXED(NAME(Quarter), c, e, 0, 1, 4, 5);
    *(NAME(Four) *)(to + 3 * ldto) = CG_MIXED(NAME(Quarter), c, e, 2, 3, 6, 7);
}

#undef T
#undef NAME
#undef INTEGER
