/* softmax_grad_rows.h - the derivatives of softmax and log-softmax, for one type; a pattern, not a header.
 * Takes T (float or double) and NAME(word); gives the kernels of softmax.c. */
static void NAME(softmax_vjp_row)(const T *y, const T *g, T *dx, int64_t n)
{
    T s = 0;
    CG_PRAGMA_(omp simd reduction(+ : s))
    for (int64_t i = 0; i < n; i++)
        s += g[i] * y[i];
    CG_SIMD
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] * (g[i] - s);
}

static void NAME(softmax_vjp_block)(const T *y, const T *g, T *dx, int64_t n, int64_t step, int64_t cols)
{
    T s[COLUMNS];
    for (int64_t c = 0; c < cols; c++)
        s[c] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < cols; c++)
            s[c] += g[i * step + c] * y[i * step + c];
    for (int64_t i = 0; i < n; i++) {
        CG_SIMD
        for (int64_t c = 0; c < cols; c++)
            dx[i * step + c] = y[i * step + c] * (g[i * step + c] - s[c]);
    }
}

static void NAME(softmax_vjp)(const CgCall *call, CgShard shard)
{
    Lanes l = lanes_of(call);
    const T *y = call->in[0].data, *g = call->in[1].data;
    T *dx = call->out->data;
    size_t first, last;
    cg_shard_range(shard, (size_t)l.units, 1, &first, &last);
    int64_t blocks = cg_ceil_div(l.post, COLUMNS);
    for (int64_t u = (int64_t)first; u < (int64_t)last; u++) {
        int64_t c = u % blocks * COLUMNS, at = u / blocks * l.mid * l.post + c;
        if (l.post == 1)
            NAME(softmax_vjp_row)(y + u * l.mid, g + u * l.mid, dx + u * l.mid, l.mid);
        else
            NAME(softmax_vjp_block)
        (y + at, g + at, dx + at, l.mid, l.post, l.post - c < COLUMNS ? l.post - c : COLUMNS);
    }
}

#undef T
#undef NAME
