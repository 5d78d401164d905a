/* loss_rows.h - cross entropy and its derivative, for one type; a pattern, not a header.
 * Takes T (float or double), EX (exp of numbers <= 0) and NAME(word); gives the kernels of loss.c. A row of logits is
 * one distribution. */
static T NAME(greatest)(const T *x, int64_t v)
{
    T m = -INFINITY;
    CG_PRAGMA_(omp simd reduction(max : m))
    for (int64_t i = 0; i < v; i++)
        m = x[i] > m ? x[i] : m;
    return m;
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
        double total = 0;
        for (int64_t at = 0; at < v; at += BLOCK) {
            int64_t n = v - at < BLOCK ? v - at : BLOCK;
            T s = 0;
            CG_PRAGMA_(omp simd reduction(+ : s))
            for (int64_t i = 0; i < n; i++)
                s += EX(x[at + i] - m);
            total += (double)s;
        }
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
        double total = 0;
        for (int64_t at = 0; at < v; at += BLOCK) {
            int64_t n = v - at < BLOCK ? v - at : BLOCK;
            T s = 0;
            CG_PRAGMA_(omp simd reduction(+ : s))
            for (int64_t i = 0; i < n; i++) {
                T e = EX(x[at + i] - m);
                dx[at + i] = e;
                s += e;
            }
            total += (double)s;
        }
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
