/* matmul_tiles.h - what a shard of a product computes, for one type; a pattern, not a header.
 * Takes T (float or double) and NAME(word); gives the kernels of matmul.c. */
/* Some of the columns, or of the summed axis: then the sums stay apart. */
static void NAME(skinny_shard)(const CgCall *call, const Product *p, int64_t shard)
{
    int64_t i = shard / p->nk, j = skinny_column(p, i), l = p->k * (shard % p->nk) / p->nk;
    Skinny f = { .m = p->m,
        .n = skinny_column(p, i + 1) - j,
        .k = p->k * (shard % p->nk + 1) / p->nk - l,
        .xs = p->x.trans ? 1 : p->x.ld,
        .xp = p->x.trans ? p->x.ld : 1,
        .ld = p->y.ld,
        .ldz = p->n,
        .trans = p->y.trans,
        .add = call->nin == 3 && p->nk == 1 };
    const T *x = (const T *)call->in[0].data + l * f.xp, *y = (const T *)call->in[1].data;
    T *z = p->nk == 1 ? (T *)call->out->data + j : (T *)call->shared + shard * p->m * p->n;
    if (f.add)
        copy_summand(call, 0, j, p->m, f.n);
    NAME(skinny)(&f, x, y + l * p->y.rs + j * p->y.cs, z);
}

static void NAME(meet)(const CgCall *call, const Product *p)
{
    const T *shard = call->shared;
    T *z = call->out->data;
    int64_t n = p->m * p->n;
    if (call->nin == 3)
        copy_summand(call, 0, 0, p->m, p->n);
    else
        memcpy(z, shard, (size_t)n * sizeof *z);
    for (int64_t i = call->nin == 3 ? 0 : 1; i < p->nk; i++) {
        CG_SIMD
        for (int64_t j = 0; j < n; j++)
            z[j] += shard[i * n + j];
    }
}

/* z = c + the sums of all lanes, some rows of them. */
static void NAME(lanes)(const CgCall *call, const Product *p, CgShard shard)
{
    int64_t row = p->m * (int64_t)shard.index / (int64_t)shard.count,
            m = p->m * ((int64_t)shard.index + 1) / (int64_t)shard.count - row;
    const T *from = (const T *)call->shared + row * p->n;
    T *z = (T *)call->out->data + row * p->n;
    int64_t step = p->m * p->n, n = m * p->n;
    if (call->nin == 3)
        copy_summand(call, row, 0, m, p->n);
    for (int64_t i = 0; i < n; i += NEAR) {
        int64_t some = n - i < NEAR ? n - i : NEAR;
        for (int64_t l = 0; l < p->lanes; l++)
            for (int64_t j = 0; j < some; j += 16)
                __builtin_prefetch(from + l * step + i + NEAR + j, 1);
        for (int64_t l = 0; l < p->lanes; l++) {
            const T *x = from + l * step + i;
            if (l == 0 && call->nin == 2)
                memcpy(z + i, x, (size_t)some * sizeof(T));
            else {
                CG_SIMD
                for (int64_t j = 0; j < some; j++)
                    z[i + j] += x[j];
            }
        }
    }
}

static void NAME(matmul)(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0], *y = &call->in[1];
    Product p = prepared(call);
    T *to = call->out->data;
    if (p.lanes) {
        NAME(lanes)(call, &p, shard);
        return;
    }
    if (p.packed_once) {
        packed_shard(call, &p, shard);
        return;
    }
    if (p.k == 0) {
        int64_t n = cg_tensor_count(call->out);
        if (call->nin == 3)
            copy_summand(call, 0, 0, p.batch * p.m, p.n);
        for (int64_t i = 0; call->nin == 2 && i < n; i++)
            to[i] = 0;
        return;
    }
    if (p.skinny) {
        NAME(skinny_shard)(call, &p, (int64_t)shard.index);
        return;
    }
    int64_t u = (int64_t)shard.index, jc = u % p.nn, ic = u / p.nn % p.nm;
    int64_t b0 = u / p.nn / p.nm * p.items, b1 = b0 + p.items < p.batch ? b0 + p.items : p.batch;
    int64_t i0 = ic * p.tm, j0 = jc * p.tn, xsize = (int64_t)cg_dtype_size(x->dtype),
            ysize = (int64_t)cg_dtype_size(y->dtype);
    int64_t m = p.m - i0 < p.tm ? p.m - i0 : p.tm, n = p.n - j0 < p.tn ? p.n - j0 : p.tn;
    for (int64_t b = b0; b < b1; b++) {
        const char *xs = (const char *)x->data + ((p.flat ? 0 : batch_offset(x, b)) + i0 * p.x.rs) * xsize;
        const char *ys = (const char *)y->data + ((y->rank > 2 ? batch_offset(y, b) : 0) + j0 * p.y.cs) * ysize;
        if (call->nin == 3)
            copy_summand(call, b * p.m + i0, j0, m, n);
        tile(call, &p, xs, ys, to + b * p.m * p.n + i0 * p.n + j0, m, n, p.k, shard.scratch);
    }
}

#undef T
#undef NAME
