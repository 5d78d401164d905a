/* attention_small.h - attention and its derivative for heads of a few queries and keys; part of attention.c, once for
 * each dtype (T, NAME, EX2, LG, TANH). Takes rows of one head as they lie; gives its results. Scores stand on their
 * side: a vector has the queries that meet one key. All lies in the first-level cache, and calling anything would take
 * longer than doing it. */

typedef struct NAME(Small) {
    const T *q, *k, *v;
    int64_t ldq, ldk, ldv;
    int64_t wide, deep; /* T and K, rounded up to whole vectors, and registers */
    T *qt, *p;          /* q' (K, wide); scores, then weights (S, wide) */
    T *slope;           /* (S, wide): the derivative of the cap; NULL: there is none */
} NAME(Small);

/* A register of `rows` rows of c = a b, of which `m` are there: the last one is made over again for those that are not.
 */
static inline __attribute__((always_inline)) void NAME(small_tile)(
    int rows, int64_t m, int64_t k, const T *a, int64_t ra, int64_t ca, const T *b, int64_t ldb, T *c, int64_t ldc)
{
    const T *at[8] = { a };
    NAME(Register) x[8] = { { 0 } };
    for (int r = 1; r < rows; r++)
        at[r] = r < m ? at[r - 1] + ra : at[r - 1];
    for (int64_t l = 0; l < k; l++) {
        NAME(Register) y = *(const NAME(Register) *)(b + l * ldb);
        LANES_UNROLLED
        for (int r = 0; r < rows; r++)
            x[r] += at[r][l * ca] * y;
    }
    LANES_UNROLLED
    for (int r = 0; r < rows; r++)
        if (r < m)
            *(NAME(Register) *)(c + r * ldc) = x[r];
}

/* c (m, n) = a b; from row to row of a `ra` and along it `ca`; n is of whole registers, rows of b are ldb apart, those
 * of c n. */
static void NAME(small_product)(
    int64_t m, int64_t n, int64_t k, const T *a, int64_t ra, int64_t ca, const T *b, int64_t ldb, T *c)
{
    for (int64_t j = 0; j < n; j += NAME(REGISTER)) {
        int64_t i = 0;
        for (; m - i > 4; i += 8)
            NAME(small_tile)(8, m - i, k, a + i * ra, ra, ca, b + j, ldb, c + i * n + j, n);
        if (i < m)
            NAME(small_tile)(4, m - i, k, a + i * ra, ra, ca, b + j, ldb, c + i * n + j, n);
    }
}

/* Rows of d numbers, from one place to another: too short for a call. */
static void NAME(small_copy)(const T *from, int64_t ld, int64_t rows, int64_t d, T *to, int64_t ldto)
{
    for (int64_t r = 0; r < rows; r++, from += ld, to += ldto) {
        int64_t c = 0;
        for (; c + 4 <= d; c += 4)
            *(NAME(Four) *)(to + c) = *(const NAME(Four) *)(from + c);
        for (; c < d; c++)
            to[c] = from[c];
    }
}

/* What further heads add to rows of keys or values that they share. */
static void NAME(small_add)(const T *from, int64_t ld, int64_t rows, int64_t d, T *to, int64_t ldto)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < d; c++)
            to[r * ldto + c] += from[r * ld + c];
}

/* Transposed, with zeros for queries that are not there. */
static void NAME(small_transposed)(const T *from, int64_t ld, const Sizes *z, int64_t wide, T *to)
{
    if (z->t < wide)
        memset(to, 0, (size_t)(z->k * wide) * sizeof(T));
    NAME(transposed)(from, ld, z->t, z->k, NULL, to, wide);
}

/* p = what is `hidden` where key j lies behind what query i sees. */
static void NAME(small_hide)(const Sizes *z, int64_t wide, T hidden, T *p)
{
    for (int64_t j = most(0, z->ahead + 1); j < z->s; j++)
        for (int64_t i = 0; i < least(wide, j - z->ahead); i++)
            p[j * wide + i] = hidden;
}

/* Scores under a cap and a mask, each where there is one. */
static void NAME(small_mask)(NAME(Small) * h, const Sizes *z, const NAME(MaskRows) * mask, char *scratch, size_t *at)
{
    int64_t n = z->s * h->wide;
    T *p = h->p, cap = (T)z->cap;
    h->slope = z->cap > 0 ? take(scratch, at, (size_t)n * sizeof(T)) : NULL;
    if (h->slope) {
        CG_SIMD
        for (int64_t i = 0; i < n; i++) {
            T t = TANH(p[i] / cap);
            p[i] = cap * t;
            h->slope[i] = 1 - t * t;
        }
    }
    if (mask->at) {
        T *m = take(scratch, at, (size_t)n * sizeof(T));
        NAME(mask_tile)(mask, 0, z->t, h->wide, 0, z->s, m);
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            p[i] = m[i] == -(T)INFINITY ? m[i] : p[i] + m[i]; /* what is hidden may be anything */
    }
}

/* Rows of q, k and v, and scores: S' = k q', in units of 1 / log2(e). */
static NAME(Small) NAME(small_scores)(
    const CgCall *call, const Sizes *z, const NAME(MaskRows) * mask, int64_t head, char *scratch, size_t *at)
{
    NAME(Small) h = { .wide = cg_ceil_div(z->t, 16) * 16, .deep = cg_ceil_div(z->k, NAME(REGISTER)) * NAME(REGISTER) };
    h.qt = take(scratch, at, (size_t)(z->k * h.wide) * sizeof(T));
    h.p = take(scratch, at, (size_t)(z->s * h.wide) * sizeof(T));
    h.q = rows_of(&call->in[0], head, 0, z->t, take(scratch, at, copy_bytes(&call->in[0], z->t)), &h.ldq);
    h.k = rows_of(&call->in[1], head / z->shared, 0, z->s, take(scratch, at, copy_bytes(&call->in[1], z->s)), &h.ldk);
    h.v = rows_of(&call->in[2], head / z->shared, 0, z->s, take(scratch, at, copy_bytes(&call->in[2], z->s)), &h.ldv);
    NAME(small_transposed)(h.q, h.ldq, z, h.wide, h.qt);
    NAME(small_product)(z->s, h.wide, z->k, h.k, h.ldk, 1, h.qt, h.wide, h.p);
    T by = (T)(z->scale * LOG2_E);
    CG_SIMD
    for (int64_t i = 0; i < z->s * h.wide; i++)
        h.p[i] *= by;
    NAME(small_mask)(&h, z, mask, scratch, at);
    return h;
}

static void NAME(small_forward)(
    const CgCall *call, const Sizes *z, const NAME(MaskRows) * mask, int64_t head, char *scratch)
{
    const CgTensor *out = call->out;
    T *y = (T *)out[0].data + head_offset(&out[0], head), *lse = (T *)out[1].data + head_offset(&out[1], head);
    size_t at = 0;
    NAME(Small) h = NAME(small_scores)(call, z, mask, head, scratch, &at);
    int64_t wide = h.wide;
    T *p = h.p, *yt = take(scratch, &at, (size_t)(z->k * wide) * sizeof(T));
    T *base = take(scratch, &at, (size_t)wide * sizeof(T)), *sum = take(scratch, &at, (size_t)wide * sizeof(T));
    NAME(small_hide)(z, wide, -(T)INFINITY, p);
    for (int64_t i = 0; i < wide; i += 16) {
        NAME(Lanes) top = NAME(lanes_of)(p + i), total = NAME(lanes_all)(0);
        for (int64_t j = 1; j < z->s; j++)
            top = NAME(lanes_max)(NAME(lanes_of)(p + j * wide + i), top);
        NAME(lanes_put)(top, base + i);
        for (int64_t l = i; l < i + 16; l++)
            base[l] = base[l] > -(T)INFINITY ? base[l] : 0;
        for (int64_t j = 0; j < z->s; j++) {
            CG_SIMD
            for (int64_t l = i; l < i + 16; l++)
                p[j * wide + l] = EX2(p[j * wide + l] - base[l]);
            total = NAME(lanes_plus)(total, NAME(lanes_of)(p + j * wide + i));
        }
        NAME(lanes_put)(total, sum + i);
    }
    NAME(small_product)(z->k, wide, z->s, h.v, 1, h.ldv, p, wide, yt);
    for (int64_t i = 0; i < z->t; i++) {
        lse[i] = base[i] * (T)LN_2 + LG(sum[i]);
        sum[i] = sum[i] > 0 ? 1 / sum[i] : sum[i];
    }
    NAME(transposed)(yt, wide, z->k, z->t, sum, y, out[0].stride[2]);
}

/* What backward() of attention_blocks.h says. */
static void NAME(small_backward)(
    const CgCall *call, const Sizes *z, const NAME(MaskRows) * mask, int64_t head, char *scratch)
{
    const CgTensor *lses = &call->in[4], *out = call->out;
    const T *lse = (const T *)lses->data + head_offset(lses, head);
    size_t at = 0;
    NAME(Small) h = NAME(small_scores)(call, z, mask, head, scratch, &at);
    int64_t wide = h.wide, deep = h.deep, d = z->k, ldy, ldg, lds = lses->stride[2];
    const T *y = rows_of(&call->in[3], head, 0, z->t, take(scratch, &at, copy_bytes(&call->in[3], z->t)), &ldy);
    const T *g = rows_of(&call->in[5], head, 0, z->t, take(scratch, &at, copy_bytes(&call->in[5], z->t)), &ldg);
    T *p = h.p, *gt = take(scratch, &at, (size_t)(d * wide) * sizeof(T)),
      *dp = take(scratch, &at, (size_t)(z->s * wide) * sizeof(T));
    T *gqt = take(scratch, &at, (size_t)(d * wide) * sizeof(T));
    T *base = take(scratch, &at, (size_t)wide * sizeof(T)), *delta = take(scratch, &at, (size_t)wide * sizeof(T));
    T *rows = take(scratch, &at, (size_t)(z->t * deep) * sizeof(T)),
      *sums = take(scratch, &at, (size_t)(z->s * deep) * sizeof(T));
    for (int64_t i = 0; i < wide; i++) {
        base[i] = i < z->t && lse[i * lds] > -(T)INFINITY ? lse[i * lds] * (T)LOG2_E : 0;
        delta[i] = i < z->t ? NAME(lanes_dot)(y + i * ldy, g + i * ldg, d) : 0;
    }
    NAME(small_transposed)(g, ldg, z, wide, gt);
    NAME(small_product)(z->s, wide, d, h.v, h.ldv, 1, gt, wide, dp);
    for (int64_t j = 0; j < z->s; j++) {
        CG_SIMD
        for (int64_t i = 0; i < wide; i++)
            p[j * wide + i] = EX2(p[j * wide + i] - base[i]);
    }
    NAME(small_hide)(z, wide, 0, p);
    for (int64_t j = 0; j < z->s; j++) {
        CG_SIMD
        for (int64_t i = 0; i < wide; i++)
            dp[j * wide + i] = (T)z->scale * p[j * wide + i] * (dp[j * wide + i] - delta[i]);
        for (int64_t i = 0; h.slope && i < wide; i++)
            dp[j * wide + i] *= h.slope[j * wide + i];
    }
    NAME(small_product)(d, wide, z->s, h.k, 1, h.ldk, dp, wide, gqt);
    NAME(transposed)(gqt, wide, d, z->t, NULL, (T *)out[0].data + head_offset(&out[0], head), out[0].stride[2]);
    if (d < deep)
        memset(rows, 0, (size_t)(z->t * deep) * sizeof(T)); /* numbers past d are summed, and left there */
    for (int i = 1; i < 3; i++) {                           /* gk = dS' q, gv = P' gy */
        T *to = (T *)out[i].data + head_offset(&out[i], head / z->shared);
        NAME(small_copy)(i == 1 ? h.q : g, i == 1 ? h.ldq : ldg, z->t, d, rows, deep);
        NAME(small_product)(z->s, deep, z->t, i == 1 ? dp : p, wide, 1, rows, deep, sums);
        if (head % z->shared)
            NAME(small_add)(sums, deep, z->s, d, to, out[i].stride[2]);
        else
            NAME(small_copy)(sums, deep, z->s, d, to, out[i].stride[2]);
    }
}
