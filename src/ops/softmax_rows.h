/* softmax_rows.h - softmax, log-softmax and logsumexp of rows, for one type; a pattern, not a header.
 * Takes T (float or double), EX (exp of numbers <= 0) and NAME(word); gives the kernels of softmax.c. */
static void NAME(softmax_row)(const T *x, T *y, int64_t n)
{
    T m = -INFINITY, s = 0;
    CG_PRAGMA_(omp simd reduction(max : m))
    for (int64_t i = 0; i < n; i++)
        m = x[i] > m ? x[i] : m;
    CG_PRAGMA_(omp simd reduction(+ : s))
    for (int64_t i = 0; i < n; i++) {
        T e = EX(x[i] - m);
        y[i] = e;
        s += e;
    }
    T scale = 1 / s;
    CG_SIMD
    for (int64_t i = 0; i < n; i++)
        y[i] *= scale;
}

static void NAME(softmax_block)(const T *x, T *y, int64_t n, int64_t step, int64_t cols)
{
    T m[COLUMNS], s[COLUMNS];
    for (int64_t c = 0; c < cols; c++)
        m[c] = -INFINITY;
    for (int64_t c = 0; c < cols; c++)
        s[c] = 0;
    for (int64_t i = 0; i < n; i++) {
        const T *row = x + i * step;
        CG_SIMD
        for (int64_t c = 0; c < cols; c++)
            m[c] = row[c] > m[c] ? row[c] : m[c];
    }
    for (int64_t i = 0; i < n; i++) {
        const T *row = x + i * step;
        T *to = y + i * step;
        CG_SIMD
        for (int64_t c = 0; c < cols; c++) {
            T e = EX(row[c] - m[c]);
            to[c] = e;
            s[c] += e;
        }
    }
    for (int64_t c = 0; c < cols; c++)
        s[c] = 1 / s[c];
    for (int64_t i = 0; i < n; i++) {
        T *to = y + i * step;
        CG_SIMD
        for (int64_t c = 0; c < cols; c++)
            to[c] *= s[c];
    }
}

static void NAME(softmax)(const CgCall *call, CgShard shard)
{
    Lanes l = lanes_of(call);
    const T *x = call->in[0].data;
    T *y = call->out->data;
    size_t first, last;
    cg_shard_range(shard, (size_t)l.units, 1, &first, &last);
    int64_t blocks = cg_ceil_div(l.post, COLUMNS);
    for (int64_t u = (int64_t)first; u < (int64_t)last; u++) {
        int64_t c = u % blocks * COLUMNS, at = u / blocks * l.mid * l.post + c;
        if (l.post == 1)
            NAME(softmax_row)(x + u * l.mid, y + u * l.mid, l.mid);
        else
            NAME(softmax_block)(x + at, y + at, l.mid, l.post, l.post - c < COLUMNS ? l.post - c : COLUMNS);
    }
}

#undef T
#undef NAME
#undef EX
