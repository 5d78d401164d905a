/* loss_rows.h - cross entropy and its derivative, for one type; a pattern, not a header.
 * Takes T (float or double), EX (exp of numbers <= 0) and NAME(word); gives the kernels of loss.c. A row of logits is
 * one distribution. */

/* The last sixteen numbers of a row, or all there are and -inf: what fills no sixteen is swept with those before it. */
static inline NAME(Lanes) NAME(last_lanes)(const T *x, int64_t v)
{
    T all[16];
    if (v >= 16)
        return NAME(lanes_of)(x + v - 16);
    for (int64_t i = 0; i < 16; i++)
        all[i] = i < v ? x[i] : -(T)INFINITY;
    return NAME(lanes_of)(all);
}

static T NAME(greatest)(const T *x, int64_t v)
{
    T m = -INFINITY;
    int64_t whole = v / 16 * 16;
    CG_PRAGMA_(omp simd reduction(max : m))
    for (int64_t i = 0; i < whole; i++)
        m = x[i] > m ? x[i] : m;
    T last = whole < v ? NAME(lanes_greatest)(NAME(last_lanes)(x, v)) : m;
    return last > m ? last : m;
}

/* exp(x - m) of sixteen numbers to e; gives the sum of those from lane `from` on. */
static inline T NAME(exp_lanes)(NAME(Lanes) x, T m, int64_t from, T *e)
{
    T y[16], counted[16];
    NAME(lanes_put)(x, y);
    CG_SIMD
    for (int64_t i = 0; i < 16; i++) {
        y[i] = EX(y[i] - m);
        counted[i] = i >= from ? y[i] : 0;
    }
    NAME(lanes_put)(NAME(lanes_of)(y), e);
    return NAME(lanes_total)(NAME(lanes_of)(counted));
}

/* The sum of exp(x - m) over a row; each to e, unless that is NULL. e may lie over x. */
static double NAME(exponentials)(const T *x, int64_t v, T m, T *e)
{
    T y[16];
    double total = 0;
    int64_t whole = v / 16 * 16;
    NAME(Lanes) last = NAME(last_lanes)(x, v);
    for (int64_t at = 0; at < whole; at += BLOCK) {
        int64_t end = whole - at < BLOCK ? whole : at + BLOCK;
        T s = 0;
        if (e) {
            CG_PRAGMA_(omp simd reduction(+ : s))
            for (int64_t i = at; i < end; i++) {
                T one = EX(x[i] - m);
                e[i] = one;
                s += one;
            }
        } else {
            CG_PRAGMA_(omp simd reduction(+ : s))
            for (int64_t i = at; i < end; i++)
                s += EX(x[i] - m);
        }
        total += (double)s;
    }
    if (whole < v)
        total += (double)NAME(exp_lanes)(last, m, v < 16 ? 0 : 16 - v % 16, e && v >= 16 ? e + v - 16 : y);
    for (int64_t i = 0; e && v < 16 && i < v; i++)
        e[i] = y[i];
    return total;
}

/* log sum exp(x) - x[id] */
static void NAME(cross_entropy)(const CgCall *call, CgShard shard)
{
    const CgTensor *logits = &call->in[0], *ids = &call->in[1];
    int64_t v = logits->dim[logits->rank - 1];
    T *to = call->out->data;
    const CgAttr *ignore = cg_attr_find(call->attrs, "ignore");
    size_t first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(ids), 1, &first, &last);
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)logits->data + (int64_t)r * v;
        int64_t id = id_at(call, (int64_t)r, v, ignore);
        if (id < 0) {
            to[r] = 0;
            continue;
        }
        T m = NAME(greatest)(x, v);
        double total = NAME(exponentials)(x, v, m, NULL);
        to[r] = (T)log(total) + (m - x[id]);
    }
}

/* (softmax(x) - [i = id]) g, and the loss */
static void NAME(cross_entropy_vjp)(const CgCall *call, CgShard shard)
{
    const CgTensor *logits = &call->in[0], *ids = &call->in[1];
    int64_t v = logits->dim[logits->rank - 1];
    size_t first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(ids), 1, &first, &last);
    T *loss = call->out[1].data;
    bool rounds = call->out->dtype == CG_ROUNDED;
    const CgAttr *ignore = cg_attr_find(call->attrs, "ignore");
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)logits->data + (int64_t)r * v;
        T *dx = rounds ? (T *)shard.scratch : (T *)call->out->data + (int64_t)r * v;
        T g = ((const T *)call->in[2].data)[r];
        int64_t id = id_at(call, (int64_t)r, v, ignore);
        if (id < 0) {
            loss[r] = 0;
            memset((char *)call->out->data
                    + (int64_t)r * cg_row_step(call->out) * (int64_t)cg_dtype_size(call->out->dtype),
                0, (size_t)v * cg_dtype_size(call->out->dtype));
            continue;
        }
        T m = NAME(greatest)(x, v), hit = x[id];
        double total = NAME(exponentials)(x, v, m, dx);
        loss[r] = (T)log(total) + (m - hit);
        T scale = (T)((double)g / total);
        CG_SIMD
        for (int64_t i = 0; i < v; i++)
            dx[i] *= scale;
        dx[id] -= g;
        if (rounds)
            cg_bf16_round(shard.scratch, (uint16_t *)call->out->data + (int64_t)r * cg_row_step(call->out), (size_t)v);
    }
}

#undef T
#undef NAME
#undef EX
