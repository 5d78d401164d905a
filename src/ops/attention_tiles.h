/* attention_tiles.h - attention by blocks of queries and keys, for one type; a pattern, not a header.
 * Takes T (float or double), EX2 (2^x), LG (log), TANH and NAME(word); gives the kernels that attention.c lists. */
/* p = 2^(exponent p - base) of n numbers, base the greatest of exponent p; the sum of that. Whole vectors. */
static T NAME(weights)(T *p, int64_t n, T exponent, T *base)
{
    int64_t whole = (n + 15) / 16 * 16;
    NAME(Lanes) high = NAME(lanes_all)(-(T)INFINITY), total = NAME(lanes_all)(0);
    for (int64_t j = n; j < whole; j++)
        p[j] = -(T)INFINITY;
    for (int64_t j = 0; j < whole; j += 16)
        high = NAME(lanes_max)(NAME(lanes_of)(p + j), high);
    T top = NAME(lanes_greatest)(high);
    top = top > -(T)INFINITY ? top * exponent : 0;
    for (int64_t j = 0; j < whole; j += 16) {
        CG_SIMD
        for (int64_t c = j; c < j + 16; c++)
            p[c] = EX2(p[c] * exponent - top);
        total = NAME(lanes_plus)(total, NAME(lanes_of)(p + j));
    }
    *base = top;
    return NAME(lanes_total)(total);
}

/* A score under a cap and the mask. */
static T NAME(masked)(const Sizes *z, const NAME(MaskRows) * mask, int64_t i, int64_t j, T s)
{
    T m = mask->at ? mask->at[i * mask->row + j * mask->column] * (T)LOG2_E : 0;
    if (z->cap > 0)
        s = (T)z->cap * TANH(s / (T)z->cap);
    return m == -(T)INFINITY ? m : s + m;
}

/* A few queries: every key and value is read where it lies, once for each. */
static void NAME(skinny_queries)(const CgCall *call, const Sizes *z, const NAME(MaskRows) * mask, int64_t head, T *p)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
    const T *qs = (const T *)q->data + head_offset(q, head),
            *ks = (const T *)k->data + head_offset(k, head / z->shared);
    const T *vs = (const T *)v->data + head_offset(v, head / z->shared);
    for (int64_t i = 0; i < z->t; i++) {
        const T *x = qs + i * q->stride[2];
        T *y = (T *)call->out[0].data + head_offset(&call->out[0], head) + i * call->out[0].stride[2], base, sum;
        int64_t seen = least(z->s, i + z->ahead + 1), d = z->k, sq = q->stride[3];
        for (int64_t j = 0; j < seen; j++) {
            const T *key = ks + j * k->stride[2];
            T s = 0;
            if (k->stride[3] == 1 && sq == 1) {
                s = NAME(lanes_dot)(x, key, d);
            } else {
                for (int64_t c = 0; c < d; c++)
                    s += x[c * sq] * key[c * k->stride[3]];
            }
            p[j] = z->masked ? NAME(masked)(z, mask, i, j, s * (T)z->alpha) : s * (T)z->alpha;
        }
        sum = NAME(weights)(p, seen, (T)z->exponent, &base);
        for (int64_t c = 0; c < d; c++)
            y[c] = 0;
        for (int64_t j = 0; j < seen; j++) {
            const T *value = vs + j * v->stride[2];
            T w = p[j];
            if (v->stride[3] == 1) {
                CG_SIMD
                for (int64_t c = 0; c < d; c++)
                    y[c] += w * value[c];
            } else {
                for (int64_t c = 0; c < d; c++)
                    y[c] += w * value[c * v->stride[3]];
            }
        }
        T by = sum > 0 ? 1 / sum : sum;
        for (int64_t c = 0; c < d; c++)
            y[c] *= by;
        ((T *)call->out[1].data + head_offset(&call->out[1], head))[i] = base * (T)LN_2 + LG(sum);
    }
}

/* A range of the queries of a head while it is worked through, block by block. */
typedef struct NAME(Queries) {
    const CgCall *call;
    const Sizes *z;
    int64_t head, first, last, lanes; /* queries [first, last) in blocks of `lanes` */
    int64_t sees;                     /* keys that the first block sees */
    bool next;                        /* another head of this shard follows */
    Forward f;
    NAME(MaskRows) mask;
    CgGemm scores, sums;
    CgSoftmaxTile softmax;
    const char *k, *v;
    int64_t ldv, have; /* keys packed so far */
    T *y, *lse;
    int64_t step; /* between rows of y */
} NAME(Queries);

/* acc = v' P' of the block at query i0, whose last query sees keys up to `end`. Of the mask only keys that one of the
 * n queries sees are looked at. */
static void NAME(add_values)(NAME(Queries) * c, int64_t i0, int64_t n, int64_t end, Ahead *ahead)
{
    int64_t d = c->z->k, lanes = c->lanes;
    T *rescale = c->f.rescale, *acc = c->f.acc;
    bool packed = is_packed(c->call), some = false; /* acc holds something */
    for (int64_t s0 = 0; s0 < end; s0 += KEYS) {
        int64_t from = s0, to = least(s0 + KEYS, end), wide = to - s0;
        NAME(mask_range)(&c->mask, i0, n, &from, &to);
        if (from == to)
            continue;
        from -= s0;
        to = least(wide, (to - s0 + 1) / 2 * 2);
        int64_t cuts = row_blocks(&c->scores, to - from, QUERIES);
        c->sums.a = c->v + s0 * c->ldv * cg_gemm_left_size(&c->sums);
        if (c->sums.left_bytes)
            c->sums.left = (char *)c->f.values + (size_t)(s0 / KEYS) * c->sums.left_bytes;
        for (int64_t b = 0; b < cuts; b++) {
            int64_t j = from + block_row(to - from, cuts, b), rows = from + block_row(to - from, cuts, b + 1) - j;
            if (!packed)
                c->softmax.c = (T *)c->f.p + j * lanes;
            c->softmax.diagonal = s0 + j - i0 - c->z->ahead;
            ahead_fetch(ahead, ahead->share);
            c->softmax.k = j;
            if (c->mask.at)
                NAME(mask_tile)(&c->mask, i0, n, lanes, s0 + j, rows, c->f.mask);
            if (!cg_gemm_softmax_tile(&c->scores, s0 + j, rows, 0, &c->softmax))
                continue;
            for (int64_t e = 0; some && e < d; e++) {
                CG_SIMD
                for (int64_t i = 0; i < lanes; i++)
                    acc[e * lanes + i] *= rescale[i];
            }
        }
        cg_gemm_run(&c->sums, (CgGemmRange){ 0, c->sums.left_panels, 0, 1, from, to }, 1, some, acc, lanes);
        some = true;
    }
    if (!some)
        memset(acc, 0, (size_t)(d * lanes) * sizeof(T));
}

/* The block of queries at i0: their rows of y and lse. */
static void NAME(forward_block)(NAME(Queries) * c, int64_t i0)
{
    const CgCall *call = c->call;
    int64_t d = c->z->k, lanes = c->lanes, ldq;
    int64_t n = least(lanes, c->last - i0), end = least(c->z->s, i0 + n + c->z->ahead);
    /* What the next block reads and writes that no block before it did. */
    bool more = i0 + lanes < c->last;
    int64_t i1 = more ? i0 + lanes : c->first, e1 = more ? least(c->z->s, i1 + lanes + c->z->ahead) : c->sees,
            to = more ? c->head : c->head + 1;
    Ahead ahead = { .n = 0 };
    for (int x = 0; (more || c->next) && x < 4; x++)
        ahead_add(&ahead, x < 3 ? &call->in[x] : call->out, x % 3 ? to / c->z->shared : to, x % 3 ? more ? end : 0 : i1,
            x % 3 ? e1 : least(c->last, i1 + lanes));
    ahead_split(&ahead, row_blocks(&c->scores, end, QUERIES));
    pack_rows(&c->scores, c->k, c->have, end);
    pack_sums(&c->sums, c->v, c->f.values, c->have / 2 * 2, end);
    c->have = most(c->have, end);
    const void *q = rows_of(&call->in[0], c->head, i0, n, c->f.q, &ldq);
    c->scores.n = n;
    c->scores.ldb = ldq;
    c->scores.right_panels = 1;
    pack_right(&c->scores, q, c->f.queries, d);
    T *base = c->f.base, *sum = c->f.sum;
    for (int64_t i = 0; i < lanes; i++)
        base[i] = -NAME(MAX);
    for (int64_t i = 0; i < lanes; i++)
        sum[i] = 0;
    NAME(add_values)(c, i0, n, end, &ahead);
    for (int64_t i = 0; i < n; i++)
        c->lse[i0 + i] = base[i] * (T)LN_2 + LG(sum[i]);
    for (int64_t i = 0; i < n; i++)
        sum[i] = sum[i] > 0 ? 1 / sum[i] : sum[i];
    NAME(transposed)(c->f.acc, lanes, d, n, sum, c->y + i0 * c->step, c->step);
}

/* The logarithm of the sum over `seen` keys where all scores are those of the mask. */
static T NAME(lse_of_mask)(const NAME(MaskRows) * m, int64_t i, int64_t seen)
{
    T top = -(T)INFINITY, sum = 0;
    const T *x = m->at ? m->at + i * m->row : NULL;
    for (int64_t j = 0; j < seen; j++)
        top = x && x[j * m->column] <= top ? top : x ? x[j * m->column] : 0;
    for (int64_t j = 0; j < seen && top > -(T)INFINITY; j++)
        sum += x ? EX2((x[j * m->column] - top) * (T)LOG2_E) : 1;
    return top > -(T)INFINITY || top != top ? top + LG(sum) : top;
}

/* A range of the queries of a head, in blocks whose queries are the columns: S' = k q', P' = 2^(exponent S' - base),
 * and y' = v' P' / sum. */
static void NAME(forward)(
    const CgCall *call, Sizes z, int64_t head, bool begin, bool next, int64_t range, void *scratch)
{
    int64_t d = z.k, lanes = lanes_of(call), ldk;
    struct NAME(Queries) c = { .call = call,
        .z = &z,
        .head = head,
        .first = range_begin(&z, lanes, range),
        .last = range_begin(&z, lanes, range + 1),
        .lanes = lanes,
        .next = next,
        .mask = NAME(mask_of_head)(mask_of(call, MASK), &call->in[0], head),
        .y = (T *)call->out[0].data + head_offset(&call->out[0], head),
        .lse = (T *)call->out[1].data + head_offset(&call->out[1], head),
        .step = call->out[0].stride[2] };
    if (!z.s || !d) {
        NAME(zero)(c.y, c.step, c.first, c.last, d);
        for (int64_t i = c.first; i < c.last; i++)
            c.lse[i] = NAME(lse_of_mask)(&c.mask, i, least(z.s, i + z.ahead + 1));
        return;
    }
    if (is_small(&z) && z.t > SKINNY_QUERIES) {
        NAME(small_forward)(call, &z, &c.mask, head, scratch);
        return;
    }
    c.f = forward_memory(call, &z, scratch);
    if (z.t <= SKINNY_QUERIES) {
        NAME(skinny_queries)(call, &z, &c.mask, head, c.f.p);
        return;
    }
    c.sees = least(z.s, c.first + lanes + z.ahead);
    Ahead start = { .n = 0 };
    for (int x = 0; begin && x < 3; x++)
        ahead_add(&start, &call->in[x], x ? head / z.shared : head, x ? 0 : c.first,
            x ? c.sees : least(c.last, c.first + lanes));
    ahead_fetch(&start, start.rows);
    c.k = rows_of(&call->in[1], head / z.shared, 0, z.s, c.f.k, &ldk);
    c.v = rows_of(&call->in[2], head / z.shared, 0, z.s, c.f.v, &c.ldv);
    c.scores = rows_left(call, &call->in[1], z.s, d, ldk);
    c.sums = sum_left(call, &call->in[2], KEYS, d, c.ldv);
    CgGemm p = sum_right(call, NULL, KEYS, lanes, lanes);
    c.scores.a = c.k;
    c.scores.b16 = is_half(&call->in[0]);
    c.scores.left = c.scores.left_bytes ? c.f.keys : NULL;
    p.right = c.sums.right = c.f.p;
    c.sums.n = lanes;
    c.softmax = (CgSoftmaxTile){ .alpha = z.alpha,
        .exponent = z.exponent,
        .cap = z.cap,
        .mask = c.mask.at ? c.f.mask : NULL,
        .base = c.f.base,
        .sum = c.f.sum,
        .rescale = c.f.rescale,
        .c = c.f.tile,
        .ldc = lanes,
        .right = &p };
    for (int64_t i0 = c.first; i0 < c.last; i0 += lanes)
        NAME(forward_block)(&c, i0);
}

/* The derivative of a head while it is worked through: blocks of MANY queries, in them blocks of KEYS keys. */
typedef struct NAME(Grad) {
    const CgCall *call;
    const Sizes *z;
    int64_t head, lanes;
    bool next; /* another head of this shard follows */
    Backward f;
    NAME(MaskRows) mask;
    T *gq, *gk, *gv;
    int64_t gqs, gks, gvs; /* between their rows */
    const char *k;
    int64_t ldk, fresh; /* keys whose gk and gv hold something */
    CgGemm scores, changes, to_gq;
    /* of a block of queries: */
    int64_t m0, many, end, panels; /* its first, how many, keys they see, panels of `lanes` */
    CgGemm qt, gt, to_gk, to_gv, ds;
    int64_t from[MANY], to[MANY]; /* by panel: keys of the block at hand that its queries see, even or the last */
} NAME(Grad);

/* Packs what the block of queries at c->m0 is multiplied by; delta = sum(gy y) of each, base = its lse. */
static void NAME(grad_queries)(NAME(Grad) * c)
{
    const CgCall *call = c->call;
    const CgTensor *lses = &call->in[4];
    int64_t d = c->z->k, many = c->many, wide = c->panels * c->lanes, ldq, ldy, ldg;
    bool packed = is_packed(call), rounds = attention_vjp_rounds(call) != 0 && sizeof(T) == sizeof(float);
    const T *lse = (const T *)lses->data + head_offset(lses, c->head);
    T *delta = c->f.delta, *base = c->f.base;
    int64_t ysize = (int64_t)cg_dtype_size(call->in[3].dtype);
    const void *q = rows_of(&call->in[0], c->head, c->m0, many, c->f.q, &ldq);
    const char *y = rows_of(&call->in[3], c->head, c->m0, many, c->f.y, &ldy);
    const T *g = rows_of(&call->in[5], c->head, c->m0, many, c->f.g, &ldg);
    c->qt = rows_right(call, &call->in[0], many, d, ldq);
    c->gt = rows_right(call, &call->in[5], many, d, ldg);
    c->to_gk = sum_right(call, &call->in[0], many, d, ldq);
    c->to_gv = sum_right(call, &call->in[5], many, d, ldg);
    c->ds = sum_right(call, NULL, KEYS, wide, STEP);
    pack_right(&c->qt, q, c->f.qt, d);
    pack_right(&c->gt, g, c->f.gt, d);
    pack_right(&c->to_gk, q, c->f.queries, many);
    pack_right(&c->to_gv, g, c->f.gy, many);
    c->scores.right = c->f.qt;
    c->changes.right = c->f.gt;
    c->to_gk.lda = c->to_gv.lda = STEP;
    c->to_gk.left = packed ? c->f.left_dp : NULL;
    c->to_gv.left = packed ? c->f.left_p : NULL;
    c->to_gv.a = c->f.p;
    c->ds.right = c->to_gq.right = packed ? c->f.right_dp : NULL;
    c->to_gq.b = c->f.dp;
    c->to_gq.ldb = STEP;
    c->to_gq.n = wide;
    for (int64_t i = many; i < wide; i++)
        delta[i] = base[i] = 0;
    for (int64_t i = 0; i < many; i++) {
        const void *row = y + i * ldy * ysize;
        if (rounds)
            rounded_row(row, is_half(&call->in[3]), c->f.row, d);
        delta[i] = NAME(lanes_dot)(rounds ? c->f.row : row, g + i * ldg, d);
        T own = lse[(c->m0 + i) * lses->stride[2]];
        base[i] = own > -(T)INFINITY ? own * (T)LOG2_E : 0; /* else the query sees nothing */
    }
}

/* Which keys of the block at s0, `wide` of them, the panels of queries see. */
static void NAME(grad_seen)(NAME(Grad) * c, int64_t s0, int64_t wide)
{
    for (int64_t r = 0; r < c->panels; r++) {
        int64_t i = c->m0 + r * c->lanes, end = c->m0 + least(c->many, (r + 1) * c->lanes), from = s0;
        int64_t to = s0 + most(0, least(wide, (end + c->z->ahead - s0 + 1) / 2 * 2));
        NAME(mask_range)(&c->mask, i, end - i, &from, &to);
        c->from[r] = from - s0;
        c->to[r] = from < to ? least(wide, (to - s0 + 1) / 2 * 2) : c->from[r];
    }
}

/* Panels that see one of keys [j, j + n) of the block are among [first, last). */
static void NAME(grad_panels)(const NAME(Grad) * c, int64_t j, int64_t n, int64_t *first, int64_t *last)
{
    *first = *last = 0;
    for (int64_t r = 0; r < c->panels; r++)
        if (c->from[r] < j + n && j < c->to[r]) {
            *first = *last ? *first : r;
            *last = r + 1;
        }
}

/* Keys s0 + [j0, j0 + n): P and dS by the block of queries, and what that adds to their rows of gv and gk. */
static void NAME(grad_key_rows)(NAME(Grad) * c, int64_t s0, int64_t j0, int64_t n, Ahead *rest)
{
    const CgCall *call = c->call;
    bool packed = is_packed(call);
    int64_t d = c->z->k, lanes = c->lanes, j = s0 + j0, first, last;
    NAME(grad_panels)(c, j0, n, &first, &last);
    int64_t from = most(first * lanes, most(0, j - c->z->ahead - c->m0) / 2 * 2), to = least(c->many, last * lanes);
    Ahead own = { .n = 0 };
    for (int i = 1; i < 3; i++)
        ahead_add(&own, &call->out[i], c->head / c->z->shared, j + n, least(c->end, j + 2 * n));
    ahead_split(&own, last - first);
    T *p = c->f.p, *dp = (T *)c->f.dp + (packed ? 0 : j0 * STEP);
    for (int64_t r = first; r < last; r++) {
        ahead_fetch(&own, own.share);
        ahead_fetch(rest, rest->share);
        int64_t at = packed ? 0 : r * lanes, i = c->m0 + r * lanes;
        if (c->mask.at)
            NAME(mask_tile)(&c->mask, i, least(lanes, c->m0 + c->many - i), lanes, j, n, c->f.mask);
        CgSoftmaxGradTile to_tile = { .alpha = c->z->alpha,
            .exponent = c->z->exponent,
            .cap = c->z->cap,
            .mask = c->mask.at ? c->f.mask : NULL,
            .diagonal = j - c->z->ahead - i,
            .base = (T *)c->f.base + r * lanes,
            .delta = (T *)c->f.delta + r * lanes,
            .w = p + at,
            .ds = dp + at,
            .ldc = STEP,
            .left_w = &c->to_gv,
            .left_ds = &c->to_gk,
            .right = &c->ds,
            .left_k = r * lanes,
            .right_k = j0,
            .right_panel = r };
        cg_gemm_softmax_grad_tile(&c->scores, &c->changes, j, n, r, &to_tile);
    }
    if (j < c->fresh) {
        NAME(zero)(c->gk, c->gks, c->fresh, j + n, d);
        NAME(zero)(c->gv, c->gvs, c->fresh, j + n, d);
    }
    if (from >= to) { /* nothing sees them */
        NAME(zero)(c->gk, c->gks, most(j, c->fresh), j + n, d);
        NAME(zero)(c->gv, c->gvs, most(j, c->fresh), j + n, d);
        return;
    }
    c->to_gk.a = dp;
    c->to_gk.m = c->to_gv.m = n;
    c->to_gk.left_panels = c->to_gv.left_panels = 1;
    cg_gemm_run(&c->to_gv, (CgGemmRange){ 0, 1, 0, c->to_gv.right_panels, from, to }, 1, j < c->fresh,
        c->gv + j * c->gvs, c->gvs);
    cg_gemm_run(&c->to_gk, (CgGemmRange){ 0, 1, 0, c->to_gk.right_panels, from, to }, c->z->scale, j < c->fresh,
        c->gk + j * c->gks, c->gks);
}

/* The block of KEYS keys at s0 for the block of queries: its rows of gv and gk, and what it adds to gq, which holds
 * something of the first panels `some` says. */
static void NAME(grad_keys)(NAME(Grad) * c, int64_t s0, bool *some)
{
    const Sizes *z = c->z;
    int64_t wide = least(KEYS, c->end - s0), blocks = row_blocks(&c->scores, wide, KEY_ROWS);
    Ahead rest = { .n = 0 }; /* late, or it would be pushed out again */
    if (s0 + wide == c->end && c->m0 + c->many < z->t)
        ahead_queries(&rest, c->call, c->head, c->m0 + c->many);
    if (s0 + wide == c->end && c->m0 + c->many == z->t && c->next) {
        ahead_queries(&rest, c->call, c->head + 1, 0);
        ahead_keys(&rest, c->call, (c->head + 1) / z->shared);
    }
    ahead_split(&rest, blocks * c->panels / (z->ahead < z->s ? 2 : 1));
    NAME(grad_seen)(c, s0, wide);
    for (int64_t b = 0; b < blocks; b++) {
        int64_t j0 = block_row(wide, blocks, b);
        NAME(grad_key_rows)(c, s0, j0, block_row(wide, blocks, b + 1) - j0, &rest);
    }
    c->to_gq.a = c->k + s0 * c->ldk * cg_gemm_left_size(&c->to_gq);
    if (c->to_gq.left_bytes)
        c->to_gq.left = (char *)c->f.transposed + (size_t)(s0 / KEYS) * c->to_gq.left_bytes;
    for (int64_t r = 0; r < c->panels; r++) {
        if (c->from[r] >= c->to[r])
            continue;
        cg_gemm_run(&c->to_gq, (CgGemmRange){ 0, c->to_gq.left_panels, r, r + 1, c->from[r], c->to[r] }, z->scale,
            some[r], c->f.gq, STEP);
        some[r] = true;
    }
}

/* With P = exp(scale S - lse): gv = P' gy, dP = gy v', dS = P (dP - sum(gy y)), gq = scale dS k, gk = scale dS'
 * q. A block has the rows of some keys: S' = k q'. Its part of gv and gk is summed at once; dS' is kept for gq' =
 * k' dS'. Heads that share keys are the work of one shard, one after the other, so that all is summed in one order. */
static void NAME(backward)(const CgCall *call, Sizes z, int64_t head, bool begin, bool next, void *scratch)
{
    int64_t d = z.k, ldv, of = head / z.shared; /* its keys and values */
    struct NAME(Grad) c = { .call = call,
        .z = &z,
        .head = head,
        .lanes = lanes_of(call),
        .next = next,
        .mask = NAME(mask_of_head)(mask_of(call, MASK_OF_VJP), &call->in[0], head),
        .gq = (T *)call->out[0].data + head_offset(&call->out[0], head),
        .gk = (T *)call->out[1].data + head_offset(&call->out[1], of),
        .gv = (T *)call->out[2].data + head_offset(&call->out[2], of),
        .fresh = head % z.shared ? z.s : 0, /* heads before it left theirs */
        .gqs = call->out[0].stride[2],
        .gks = call->out[1].stride[2],
        .gvs = call->out[2].stride[2] };
    if (!z.s || !d || !z.t) {
        NAME(zero)(c.gk, c.gks, 0, z.s, d);
        NAME(zero)(c.gv, c.gvs, 0, z.s, d);
        NAME(zero)(c.gq, c.gqs, 0, z.t, d);
        return;
    }
    if (is_small(&z)) {
        NAME(small_backward)(call, &z, &c.mask, head, scratch);
        return;
    }
    c.f = backward_memory(call, &z, scratch);
    Ahead start = { .n = 0 };
    if (begin)
        ahead_keys(&start, call, of);
    if (begin)
        ahead_queries(&start, call, head, 0);
    ahead_fetch(&start, start.rows);
    c.k = rows_of(&call->in[1], of, 0, z.s, c.f.k, &c.ldk);
    const char *v = rows_of(&call->in[2], of, 0, z.s, c.f.v, &ldv);
    c.scores = rows_left(call, &call->in[1], z.s, d, c.ldk);
    c.changes = rows_left(call, &call->in[2], z.s, d, ldv);
    c.to_gq = sum_left(call, &call->in[1], KEYS, d, c.ldk);
    c.scores.a = c.k;
    c.scores.left = c.scores.left_bytes ? c.f.keys : NULL;
    c.changes.a = v;
    c.changes.left = c.changes.left_bytes ? c.f.values : NULL;
    pack_rows(&c.scores, c.k, 0, z.s);
    pack_rows(&c.changes, v, 0, z.s);
    pack_sums(&c.to_gq, c.k, c.f.transposed, 0, z.s);
    for (c.m0 = 0; c.m0 < z.t; c.m0 += MANY) {
        c.many = least(MANY, z.t - c.m0);
        c.end = least(z.s, c.m0 + c.many + z.ahead);
        c.panels = cg_ceil_div(c.many, c.lanes);
        NAME(grad_queries)(&c);
        bool some[MANY] = { false };
        for (int64_t s0 = 0; s0 < c.end; s0 += KEYS)
            NAME(grad_keys)(&c, s0, some);
        for (int64_t i = 0; i < c.many; i++)
            for (int64_t e = 0; !some[i / c.lanes] && e < d; e++)
                ((T *)c.f.gq)[e * STEP + i] = 0;
        NAME(transposed)(c.f.gq, STEP, d, c.many, NULL, c.gq + c.m0 * c.gqs, c.gqs);
        c.fresh = most(c.fresh, c.end);
    }
    NAME(zero)(c.gk, c.gks, c.fresh, z.s, d);
    NAME(zero)(c.gv, c.gvs, c.fresh, z.s, d);
}

static void NAME(attention)(const CgCall *call, CgShard shard)
{
    Sizes z = sizes_of(call, MASK);
    /* Later queries see more: their ranges come first, so that threads end together. */
    int64_t i = (int64_t)shard.index % most(1, z.groups),
            range = z.ranges - 1 - (int64_t)shard.index / most(1, z.groups);
    CgTensor out[2];
    CgCall of = held_call(call, 0, out, shard.scratch);
    int64_t lanes = lanes_of(&of), first = range_begin(&z, lanes, range), last = range_begin(&z, lanes, range + 1);
    size_t at = held_bytes(&call->out[0]);
    void *rest = take(shard.scratch, &at, 0);
    for (int64_t head = group_begin(&z, 1, i), end = group_begin(&z, 1, i + 1); head < end && z.t; head++) {
        NAME(forward)(&of, z, head, head == group_begin(&z, 1, i), head + 1 < end, range, rest);
        held_round(&call->out[0], head, first, last, shard.scratch);
    }
}

static void NAME(attention_vjp)(const CgCall *call, CgShard shard)
{
    Sizes z = sizes_of_vjp(call);
    int64_t i = (int64_t)shard.index;
    CgTensor out[3];
    size_t at = held_bytes(&call->out[2]);
    void *rest = take(shard.scratch, &at, 0);
    CgCall of = held_call(call, 2, out, shard.scratch);
    const int64_t begin = group_begin(&z, z.shared, i), end = group_begin(&z, z.shared, i + 1);
    for (int64_t head = begin; head < end; head++) {
        NAME(backward)(&of, z, head, head == begin, head + 1 < end, rest);
        if ((head + 1) % z.shared == 0)
            held_round(&call->out[2], head / z.shared, 0, z.s, shard.scratch);
    }
}

#undef T
#undef NAME
#undef EX2
#undef LG
#undef TANH
