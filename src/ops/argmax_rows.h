/* argmax_rows.h - where the greatest or least number of a row is, for one type; a pattern, not a header.
 * Takes T, NAME(word) and BEATS(a, b), whether a comes before b; gives NAME(arg) and NAME(cumarg). */
static int64_t NAME(first)(const T *from, int64_t n)
{
    int64_t best = 0, k = 0;
    for (T top = from[0]; k + STRETCH <= n; k += STRETCH) {
        T most[LANES], old = top;
        for (int j = 0; j < LANES; j++)
            most[j] = top;
        for (int i = 0; i < STRETCH; i += LANES) {
            CG_SIMD
            for (int j = 0; j < LANES; j++)
                most[j] = BEATS(from[k + i + j], most[j]) ? from[k + i + j] : most[j];
        }
        for (int j = 0; j < LANES; j++)
            top = BEATS(most[j], top) ? most[j] : top;
        if (BEATS(top, old))
            for (best = k; from[best] != top;)
                best++;
    }
    for (; k < n; k++)
        if (BEATS(from[k], from[best]))
            best = k;
    return best;
}

static void NAME(arg)(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0];
    Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));
    bool ties = cg_attr_int(call->attrs, "last", 0) != 0;
    int32_t *to = call->out->data;
    size_t first, last;
    cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last);
    for (int64_t i = (int64_t)first; i < (int64_t)last; i++) {
        const T *from = (const T *)x->data + i / l.post * l.mid * l.post + i % l.post;
        int64_t best = 0, k = 1;
        if (l.post == 1 && !ties && l.mid > 0) {
            best = NAME(first)(from, l.mid);
            k = l.mid;
        }
        for (; k < l.mid; k++) {
            T here = from[k * l.post], top = from[best * l.post];
            best = BEATS(here, top) || (ties && here == top) ? k : best;
        }
        to[i] = (int32_t)best;
    }
}

static void NAME(cumarg)(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0];
    Lanes l = lanes_of(x, cg_axis(call->attrs, "axis", x->rank));
    size_t first, last;
    cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last);
    for (int64_t i = (int64_t)first; i < (int64_t)last; i++) {
        int64_t base = i / l.post * l.mid * l.post + i % l.post, best = 0;
        const T *from = (const T *)x->data + base;
        int32_t *to = (int32_t *)call->out->data + base;
        for (int64_t k = 0; k < l.mid; k++) {
            T here = from[k * l.post], top = from[best * l.post];
            best = BEATS(here, top) || here == top || IS_NAN(here) ? k : best;
            to[k * l.post] = (int32_t)best;
        }
    }
}

#undef T
#undef NAME
#undef BEATS
