/* vector_reduce_rows.h - sums and maxima of a row, for one type; a pattern, not a header.
 * Takes T (float or double), INTEGER of its size and NAME(word); gives the functions that vector_reduce.h tells of. */
typedef T NAME(Register) __attribute__((vector_size(LANES_BYTES), aligned(sizeof(T)), may_alias));
#define REGISTERS (16 * (int)sizeof(T) / LANES_BYTES)
#define WIDTH     (LANES_BYTES / (int)sizeof(T))
#define EACH(r)   LANES_UNROLLED for (int r = 0; r < REGISTERS; r++)
enum { NAME(REGISTER) = WIDTH }; /* numbers */
typedef struct NAME(Lanes) {
    NAME(Register) at[REGISTERS];
} NAME(Lanes);

static inline NAME(Lanes) NAME(lanes_of)(const T *x)
{
    NAME(Lanes) y;
    EACH(r)
    y.at[r] = *(const NAME(Register) *)(x + r * WIDTH);
    return y;
}

static inline NAME(Lanes) NAME(lanes_all)(T x)
{
    NAME(Lanes) y;
    EACH(r)
    y.at[r] = (NAME(Register)){ 0 } + x;
    return y;
}

static inline void NAME(lanes_put)(NAME(Lanes) x, T *y)
{
    EACH(r)
    *(NAME(Register) *)(y + r * WIDTH) = x.at[r];
}

static inline NAME(Lanes) NAME(lanes_plus)(NAME(Lanes) x, NAME(Lanes) y)
{
    EACH(r)
    x.at[r] += y.at[r];
    return x;
}

static inline NAME(Lanes) NAME(lanes_plus_product)(NAME(Lanes) sum, NAME(Lanes) x, NAME(Lanes) y)
{
    EACH(r)
    sum.at[r] += x.at[r] * y.at[r];
    return sum;
}

/* The greater of x and y, lane by lane; y where one is no number. */
static inline NAME(Lanes) NAME(lanes_max)(NAME(Lanes) x, NAME(Lanes) y)
{
    EACH(r)
    for (int i = 0; i < WIDTH; i++)
        y.at[r][i] = x.at[r][i] > y.at[r][i] ? x.at[r][i] : y.at[r][i];
    return y;
}

typedef T NAME(Four) __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
/* In halves: lanes i and i + 8, then i + 4, then i + 2, then both. */
static inline T NAME(lanes_total)(NAME(Lanes) x)
{
    T at[16];
    NAME(lanes_put)(x, at);
    const NAME(Four) *of = (const NAME(Four) *)at;
    NAME(Four) y = (of[0] + of[2]) + (of[1] + of[3]);
    return (y[0] + y[2]) + (y[1] + y[3]);
}

static inline T NAME(lanes_greatest)(NAME(Lanes) x)
{
    T at[16];
    NAME(lanes_put)(x, at);
    for (int n = 8; n > 0; n /= 2)
        for (int i = 0; i < n; i++)
            at[i] = at[i + n] > at[i] ? at[i + n] : at[i];
    return at[0];
}

/* Four at a time: one sum would wait for itself. */
static inline T NAME(lanes_sum)(const T *x, int64_t n)
{
    NAME(Lanes) a = NAME(lanes_all)(0), b = a, c = a, d = a;
    int64_t i = 0;
    T rest = 0;
    for (; i + 64 <= n; i += 64) {
        a = NAME(lanes_plus)(a, NAME(lanes_of)(x + i));
        b = NAME(lanes_plus)(b, NAME(lanes_of)(x + i + 16));
        c = NAME(lanes_plus)(c, NAME(lanes_of)(x + i + 32));
        d = NAME(lanes_plus)(d, NAME(lanes_of)(x + i + 48));
    }
    for (; i + 16 <= n; i += 16)
        a = NAME(lanes_plus)(a, NAME(lanes_of)(x + i));
    for (; i < n; i++)
        rest += x[i];
    return NAME(lanes_total)(NAME(lanes_plus)(a, NAME(lanes_plus)(b, NAME(lanes_plus)(c, d)))) + rest;
}

static inline T NAME(lanes_dot)(const T *x, const T *y, int64_t n)
{
    NAME(Lanes) sum = NAME(lanes_all)(0);
    int64_t i = 0;
    T rest = 0;
    for (; i + 16 <= n; i += 16)
        sum = NAME(lanes_plus_product)(sum, NAME(lanes_of)(x + i), NAME(lanes_of)(y + i));
    for (; i < n; i++)
        rest += x[i] * y[i];
    return n < 16 ? rest : NAME(lanes_total)(sum) + rest;
}

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

#undef REGISTERS
#undef WIDTH
#undef EACH
#undef T
#undef NAME
#undef INTEGER
