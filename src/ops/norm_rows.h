/* norm_rows.h - normalised rows and their derivatives, for one type; a pattern, not a header.
 * Takes T (float or double), SQRT and NAME(word); gives the kernels of norm.c. */
/* y = x / sqrt(mean(x^2) + eps) * gain */
static void NAME(rmsnorm)(const CgCall *call, CgShard shard)
{
    int64_t d = columns(call);
    T eps = (T)cg_attr_float(call->attrs, "eps", 1e-5);
    const T *gain = call->in[1].data; /* (D) */
    size_t first, last;
    cg_shard_range(shard, (size_t)rows(call), 1, &first, &last);
    Bf16Rows rows = bf16_rows_of(call, shard, first);
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)call->in[0].data + (int64_t)r * d; /* (D) */
        T *y = bf16_rows_at(&rows), s = 0;
        SUM for (int64_t i = 0; i < d; i++) s += x[i] * x[i];
        T scale = 1 / SQRT(s / (T)d + eps);
        CG_SIMD
        for (int64_t i = 0; i < d; i++)
            y[i] = x[i] * scale * gain[i];
        bf16_rows_next(&rows, r + 1 == last);
    }
}

/* With r = 1 / sqrt(mean(x^2) + eps) and h = g gain: dx = r (h - x r^2 mean(h x)), dgain = sum of g x r over rows
 */
static void NAME(rmsnorm_vjp)(const CgCall *call, CgShard shard)
{
    int64_t d = columns(call);
    T eps = (T)cg_attr_float(call->attrs, "eps", 1e-5);
    const T *gain = call->in[1].data; /* (D) */
    T *dgain = (T *)call->shared + (int64_t)shard.index * d;
    size_t first, last;
    cg_shard_range(shard, (size_t)rows(call), 1, &first, &last);
    for (int64_t i = 0; i < d; i++)
        dgain[i] = 0;
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)call->in[0].data + (int64_t)r * d, *g = (const T *)call->in[2].data + (int64_t)r * d;
        T *dx = (T *)call->out->data + (int64_t)r * d, s = 0, u = 0;
        SUM2 for (int64_t i = 0; i < d; i++)
        {
            s += x[i] * x[i];
            u += x[i] * g[i] * gain[i];
        }
        T scale = 1 / SQRT(s / (T)d + eps), back = scale * scale * u / (T)d;
        CG_SIMD
        for (int64_t i = 0; i < d; i++) {
            T xi = x[i], gi = g[i];
            dgain[i] += gi * xi * scale;
            dx[i] = scale * (gi * gain[i] - xi * back);
        }
    }
}

/* y = (x - mean) / sqrt(var + eps) * gain + bias */
static void NAME(layernorm)(const CgCall *call, CgShard shard)
{
    int64_t d = columns(call);
    T eps = (T)cg_attr_float(call->attrs, "eps", 1e-5);
    const T *gain = call->in[1].data, *bias = call->in[2].data; /* (D) each */
    size_t first, last;
    cg_shard_range(shard, (size_t)rows(call), 1, &first, &last);
    Bf16Rows rows = bf16_rows_of(call, shard, first);
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)call->in[0].data + (int64_t)r * d;
        T *y = bf16_rows_at(&rows), s = 0, mean;
        SUM for (int64_t i = 0; i < d; i++) s += x[i];
        mean = s / (T)d;
        s = 0;
        SUM for (int64_t i = 0; i < d; i++) s += (x[i] - mean) * (x[i] - mean);
        T scale = 1 / SQRT(s / (T)d + eps);
        CG_SIMD
        for (int64_t i = 0; i < d; i++)
            y[i] = (x[i] - mean) * scale * gain[i] + bias[i];
        bf16_rows_next(&rows, r + 1 == last);
    }
}

/* With z the normalised x and h = g gain: dx = r (h - mean(h) - z mean(h z)), dgain = sum of g z, dbias = sum of
 * g */
static void NAME(layernorm_vjp)(const CgCall *call, CgShard shard)
{
    int64_t d = columns(call);
    T eps = (T)cg_attr_float(call->attrs, "eps", 1e-5);
    const T *gain = call->in[1].data; /* (D) */
    T *dgain = (T *)call->shared + (int64_t)shard.index * 2 * d, *dbias = dgain + d;
    size_t first, last;
    cg_shard_range(shard, (size_t)rows(call), 1, &first, &last);
    for (int64_t i = 0; i < 2 * d; i++)
        dgain[i] = 0;
    for (size_t r = first; r < last; r++) {
        const T *x = (const T *)call->in[0].data + (int64_t)r * d, *g = (const T *)call->in[2].data + (int64_t)r * d;
        T *dx = (T *)call->out->data + (int64_t)r * d, s = 0, u = 0, mean;
        SUM for (int64_t i = 0; i < d; i++) s += x[i];
        mean = s / (T)d;
        s = 0;
        SUM for (int64_t i = 0; i < d; i++) s += (x[i] - mean) * (x[i] - mean);
        T scale = 1 / SQRT(s / (T)d + eps);
        s = 0;
        SUM2 for (int64_t i = 0; i < d; i++)
        {
            T h = g[i] * gain[i];
            s += h;
            u += h * (x[i] - mean);
        }
        T flat = s / (T)d, back = u * scale / (T)d;
        CG_SIMD
        for (int64_t i = 0; i < d; i++) {
            T z = (x[i] - mean) * scale, gi = g[i];
            dgain[i] += gi * z;
            dbias[i] += gi;
            dx[i] = scale * (gi * gain[i] - flat - z * back);
        }
    }
}

/* The partial sums of all shards, in order. */
static void NAME(join)(const CgCall *call, size_t shards)
{
    int64_t d = columns(call), n = call->nout - 1;
    for (int64_t k = 0; k < n; k++) {
        T *to = call->out[k + 1].data;
        for (int64_t i = 0; i < d; i++)
            to[i] = 0;
        for (size_t p = 0; p < shards; p++) {
            const T *from = (const T *)call->shared + ((int64_t)p * n + k) * d;
            CG_SIMD
            for (int64_t i = 0; i < d; i++)
                to[i] += from[i];
        }
    }
}

#undef T
#undef NAME
#undef SQRT
