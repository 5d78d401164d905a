/* argmax_rows.h - where the greatest number of a row is, for one type; a pattern, not a header.
 * Takes T and NAME(word); gives NAME(argmax). */
static int64_t NAME(argmax_row)(const T *from, int64_t n)
{
    int64_t best = 0, k = 0;
    for (T top = from[0]; k + STRETCH <= n; k += STRETCH) {
        T most[LANES], old = top;
        for (int j = 0; j < LANES; j++)
            most[j] = top;
        for (int i = 0; i < STRETCH; i += LANES) {
            CG_SIMD
            for (int j = 0; j < LANES; j++)
                most[j] = from[k + i + j] > most[j] ? from[k + i + j] : most[j];
        }
        for (int j = 0; j < LANES; j++)
            top = most[j] > top ? most[j] : top;
        if (top > old)
            for (best = k; !(from[best] >= top);)
                best++;
    }
    for (; k < n; k++)
        if (from[k] > from[best])
            best = k;
    return best;
}

static void NAME(argmax)(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0];
    Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));
    int32_t *to = call->out->data;
    size_t first, last;
    cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last);
    for (int64_t i = (int64_t)first; i < (int64_t)last; i++) {
        const T *from = (const T *)x->data + i / l.post * l.mid * l.post + i % l.post;
        int64_t best = 0;
        for (int64_t k = 1; l.post > 1 && k < l.mid; k++)
            if (from[k * l.post] > from[best * l.post])
                best = k;
        if (l.post == 1 && l.mid > 0)
            best = NAME(argmax_row)(from, l.mid);
        to[i] = (int32_t)best;
    }
}

#undef T
#undef NAME
