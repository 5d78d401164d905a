/* attention_at_rows.h - attention of a few new places, for one type; a pattern, not a header.
 * Takes T (float or double), EX (exp of numbers <= 0), TANH and NAME(word); gives the kernels of
 * attention_at.c. */
/* Of row i p = softmax of scale p over the places seen, under a cap and with the mask, 0 for the rest. */
static void NAME(softmax)(const CgCall *call, T *p, int64_t head, int64_t i, int64_t seen, int64_t s)
{
    T scale = (T)cg_attr_float(call->attrs, "scale", 1), cap = (T)cg_attr_float(call->attrs, "cap", 0);
    NAME(MaskRows) m = NAME(mask_of_head)(mask_of(call, MASK), &call->in[0], head);
    T top = -INFINITY, sum = 0;
    CG_SIMD
    for (int64_t j = 0; j < seen; j++)
        p[j] *= scale;
    for (int64_t j = 0; cap > 0 && j < seen; j++)
        p[j] = cap * TANH(p[j] / cap);
    for (int64_t j = 0; m.at && j < seen; j++) {
        T own = m.at[i * m.row + j * m.column];
        p[j] = own == -(T)INFINITY ? own : p[j] + own;
    }
    CG_PRAGMA_(omp simd reduction(max : top))
    for (int64_t j = 0; j < seen; j++)
        top = p[j] > top ? p[j] : top;
    const T base = top > -(T)INFINITY ? top : 0;
    CG_PRAGMA_(omp simd reduction(+ : sum))
    for (int64_t j = 0; j < seen; j++) {
        T e = EX(p[j] - base);
        p[j] = e;
        sum += e;
    }
    T by = sum > 0 ? 1 / sum : sum; /* nothing is seen: 0 */
    CG_SIMD
    for (int64_t j = 0; j < seen; j++)
        p[j] *= by;
    for (int64_t j = seen; j < s; j++)
        p[j] = 0;
}

/* n rows of keys or values of a head as T, whatever they are kept in. */
static const void *NAME(wide_rows)(const CgTensor *x, int64_t head, int64_t n, T *copy, int64_t *ld)
{
    if (x->dtype != CG_BF16)
        return rows_of(x, head, 0, n, copy, ld);
    const uint16_t *from = (const uint16_t *)x->data + head_offset(x, head);
    *ld = x->dim[3];
    for (int64_t i = 0; i < n; i++, from += x->stride[2])
        for (int64_t c = 0; c < x->dim[3]; c++)
            copy[i * x->dim[3] + c] = cg_bf16_value(from[c * x->stride[3]]);
    return copy;
}

static void NAME(attention_at)(const CgCall *call, CgShard shard)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
    int64_t heads = q->dim[0] * q->dim[1], t = q->dim[2], s = k->dim[2], d = q->dim[3], cuts = ranges(q);
    if (!heads || !t || !d)
        return;
    int64_t ahead = cg_attr_size(call->attrs, "offset", 0) + cg_scalar(&call->in[3]), ldq, ldk, ldv,
            ldy = call->out->stride[2];
    int64_t head = (int64_t)shard.index / cuts, blocks = cg_ceil_div(t, QUERIES), range = (int64_t)shard.index % cuts;
    int64_t first = blocks * range / cuts * QUERIES, last = least(blocks * (range + 1) / cuts * QUERIES, t);
    int64_t all = least(s, last + ahead); /* keys that anyone here sees */
    T *y = (T *)call->out->data + head_offset(call->out, head);
    T *p = shard.scratch, *qs = p + least(t, QUERIES) * s, *ks = qs + least(t, QUERIES) * d, *vs = ks + s * d;
    if (all < 0)
        all = 0;
    int64_t of = head / most(1, q->dim[1] / most(1, k->dim[1]));
    const bool few = t <= SKINNY_QUERIES;
    const void *kh = few ? rows_of(k, of, 0, all, ks, &ldk) : NAME(wide_rows)(k, of, all, ks, &ldk),
               *vh = few ? rows_of(v, of, 0, all, vs, &ldv) : NAME(wide_rows)(v, of, all, vs, &ldv);
    for (int64_t i0 = first; i0 < last; i0 += QUERIES) {
        int64_t n = least(QUERIES, last - i0), end = least(all, i0 + n + ahead);
        const T *qb = rows_of(q, head, i0, n, qs, &ldq);
        if (end < 0)
            end = 0;
        if (!few && end > 0)
            NAME(GEMM)(true, n, end, d, 1, qb, ldq, kh, ldk, p, end);
        for (int64_t i = 0; i < n; i++) {
            int64_t seen = least(end, i0 + i + ahead + 1);
            if (seen < 0)
                seen = 0;
            Skinny keys = { .m = 1, .n = seen, .k = d, .ld = ldk },
                   values = { .m = 1, .n = d, .k = seen, .xp = 1, .ld = ldv };
            if (few && seen && k->dtype == CG_BF16)
                skinny_lines_bf16(&keys, (const void *)(qb + i * ldq), kh, (void *)(p + i * end));
            else if (few && seen)
                NAME(skinny_lines)(&keys, qb + i * ldq, kh, p + i * end);
            NAME(softmax)(call, p + i * end, head, i0 + i, seen, end);
            if (seen == 0)
                NAME(zero)(y, ldy, i0 + i, i0 + i + 1, d);
            else if (few && v->dtype == CG_BF16)
                skinny_row_bf16(&values, (const void *)(p + i * end), vh, (void *)(y + (i0 + i) * ldy));
            else if (few)
                NAME(skinny_row)(&values, p + i * end, vh, y + (i0 + i) * ldy);
        }
        if (!few && end > 0)
            NAME(GEMM)(false, n, d, end, 1, p, end, vh, ldv, y + i0 * ldy, ldy);
    }
}

#undef T
#undef NAME
#undef EX
#undef TANH
