/* attention_tiles.h - attention by blocks of queries and keys, for one type; a pattern, not a header.
 * Takes T (float or double), EX2 (2^x), LG (log) and NAME(word); gives the kernels that attention.c lists. */
/* p = 2^(turn p - base) of n numbers, base the greatest of turn p; the sum of that. Whole vectors. */
static T NAME(weights)(T *p, int64_t n, T turn, T *base)
{
    int64_t whole = (n + 15) / 16 * 16;
    NAME(Lanes) high = (NAME(Lanes)){ 0 } - (T)INFINITY, total = { 0 };
    for (int64_t j = n; j < whole; j++)
        p[j] = -(T)INFINITY;
    for (int64_t j = 0; j < whole; j += 16)
        NAME(lanes_max)((const NAME(Lanes) *)(p + j), &high);
    T top = NAME(lanes_greatest)(&high);
    top = top > -(T)INFINITY ? top * turn : 0;
    for (int64_t j = 0; j < whole; j += 16) {
        CG_SIMD
        for (int64_t c = j; c < j + 16; c++)
            p[c] = EX2(p[c] * turn - top);
        total += *(const NAME(Lanes) *)(p + j);
    }
    *base = top;
    return NAME(lanes_total)(&total);
}

/* A few queries: every key and value is read where it lies, once for each. */
static void NAME(few)(const CgCall *call, const Sizes *z, int64_t head, T *p)
{
    const CgTensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
    const T *qs = (const T *)q->data + head_offset(q, head), *ks = (const T *)k->data + head_offset(k, head);
    const T *vs = (const T *)v->data + head_offset(v, head);
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
            p[j] = s * (T)z->alpha;
        }
        sum = NAME(weights)(p, seen, (T)z->turn, &base);
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

/* A range of the queries of a head, in blocks whose queries are the columns: S' = k q', P' = 2^(turn S' - base),
 * and y' = v' P' / sum. */
static void NAME(forward)(
    const CgCall *call, Sizes z, int64_t head, bool begin, bool next, int64_t range, void *scratch)
{
    int64_t d = z.k, lanes = lanes_of(call), ldk, ldv, ldq, out = call->out[0].stride[2];
    int64_t first = range_begin(&z, lanes, range), last = range_begin(&z, lanes, range + 1);
    T *y = (T *)call->out[0].data + head_offset(&call->out[0], head),
      *lse = (T *)call->out[1].data + head_offset(&call->out[1], head);
    if (!z.s || !d) {
        NAME(zero)(y, out, first, last, d);
        for (int64_t i = first; i < last; i++)
            lse[i] = z.s ? LG((T)least(z.s, i + z.ahead + 1)) : -INFINITY;
        return;
    }
    if (is_small(&z) && z.t > THIN) {
        NAME(small_forward)(call, &z, head, scratch);
        return;
    }
    Forward f = forward_memory(call, &z, scratch);
    if (z.t <= THIN) {
        NAME(few)(call, &z, head, f.p);
        return;
    }
    int64_t sees = least(z.s, first + lanes + z.ahead); /* keys that the first block sees */
    Ahead start = { .n = 0 };
    for (int x = 0; begin && x < 3; x++)
        ahead_add(&start, &call->in[x], head, x ? 0 : first, x ? sees : least(last, first + lanes));
    ahead_fetch(&start, start.rows);
    const char *k = rows_of(&call->in[1], head, 0, z.s, f.k, &ldk), *v = rows_of(&call->in[2], head, 0, z.s, f.v, &ldv);
    CgGemm scores = rows_left(call, &call->in[1], z.s, d, ldk), sums = sum_left(call, &call->in[2], KEYS, d, ldv);
    CgGemm p = sum_right(call, NULL, KEYS, lanes, lanes);
    int64_t have = 0; /* keys packed so far */
    scores.a = k;
    scores.b16 = is_half(&call->in[0]);
    scores.left = scores.left_bytes ? f.keys : NULL;
    p.right = sums.right = f.p;
    sums.n = lanes;
    T *base = f.base, *sum = f.sum, *shrink = f.shrink, *acc = f.acc;
    bool packed = is_packed(call);
    CgGemmWeigh weigh = { .alpha = z.alpha,
        .turn = z.turn,
        .base = base,
        .sum = sum,
        .shrink = shrink,
        .c = f.tile,
        .ldc = lanes,
        .right = &p };
    for (int64_t i0 = first; i0 < last; i0 += lanes) {
        int64_t n = least(lanes, last - i0), end = least(z.s, i0 + n + z.ahead);
        /* What the next block reads and writes that no block before it did. */
        bool more = i0 + lanes < last;
        int64_t i1 = more ? i0 + lanes : first, e1 = more ? least(z.s, i1 + lanes + z.ahead) : sees,
                to = more ? head : head + 1;
        Ahead ahead = { .n = 0 };
        for (int x = 0; (more || next) && x < 4; x++)
            ahead_add(&ahead, x < 3 ? &call->in[x] : call->out, to, x % 3 ? more ? end : 0 : i1,
                x % 3 ? e1 : least(last, i1 + lanes));
        ahead_split(&ahead, row_blocks(&scores, end, QUERIES));
        pack_rows(&scores, k, have, end);
        pack_sums(&sums, v, f.values, have / 2 * 2, end);
        have = most(have, end);
        const void *q = rows_of(&call->in[0], head, i0, n, f.q, &ldq);
        scores.n = n;
        scores.ldb = ldq;
        scores.right_panels = 1;
        pack_right(&scores, q, f.queries, d);
        for (int64_t i = 0; i < lanes; i++)
            base[i] = -NAME(MAX);
        for (int64_t i = 0; i < lanes; i++)
            sum[i] = 0;
        bool some = false; /* acc holds something */
        for (int64_t s0 = 0; s0 < end; s0 += KEYS) {
            int64_t wide = least(KEYS, end - s0), cuts = row_blocks(&scores, wide, QUERIES);
            sums.a = v + s0 * ldv * cg_gemm_left_size(&sums);
            if (sums.left_bytes)
                sums.left = (char *)f.values + (size_t)(s0 / KEYS) * sums.left_bytes;
            for (int64_t b = 0; b < cuts; b++) {
                int64_t j = block_row(wide, cuts, b), rows = block_row(wide, cuts, b + 1) - j;
                if (!packed)
                    weigh.c = (T *)f.p + j * lanes;
                weigh.hidden = s0 + j - i0 - z.ahead;
                ahead_fetch(&ahead, ahead.share);
                weigh.k = j;
                if (!cg_gemm_weigh(&scores, s0 + j, rows, 0, &weigh))
                    continue;
                for (int64_t c = 0; some && c < d; c++) {
                    CG_SIMD
                    for (int64_t i = 0; i < lanes; i++)
                        acc[c * lanes + i] *= shrink[i];
                }
            }
            cg_gemm_run(&sums, (CgGemmRange){ 0, sums.left_panels, 0, 1, 0, wide }, 1, some, acc, lanes);
            some = true;
        }
        for (int64_t i = 0; i < n; i++)
            lse[i0 + i] = base[i] * (T)LN_2 + LG(sum[i]);
        for (int64_t i = 0; i < n; i++)
            sum[i] = sum[i] > 0 ? 1 / sum[i] : sum[i];
        NAME(turned)(acc, lanes, d, n, sum, y + i0 * out, out);
    }
}

/* With P = exp(scale S - lse): gv = P' gy, dP = gy v', dS = P (dP - sum(gy y)), gq = scale dS k, gk = scale dS'
 * q. A block has the rows of some keys: S' = k q'. Its part of gv and gk is summed at once; dS' is kept for gq' =
 * k' dS'. A head is the work of one part, so that all is summed in one order. */
static void NAME(backward)(const CgCall *call, Sizes z, int64_t head, bool begin, bool next, void *scratch)
{
    const CgTensor *lses = &call->in[4];
    int64_t d = z.k, lanes = lanes_of(call), ldk, ldv, ldq, ldy, ldg;
    T *gq = (T *)call->out[0].data + head_offset(&call->out[0], head);
    T *gk = (T *)call->out[1].data + head_offset(&call->out[1], head);
    T *gv = (T *)call->out[2].data + head_offset(&call->out[2], head);
    int64_t gqs = call->out[0].stride[2], gks = call->out[1].stride[2], gvs = call->out[2].stride[2];
    int64_t fresh = 0; /* keys whose gk and gv hold something */
    if (!z.s || !d || !z.t) {
        NAME(zero)(gk, gks, 0, z.s, d);
        NAME(zero)(gv, gvs, 0, z.s, d);
        NAME(zero)(gq, gqs, 0, z.t, d);
        return;
    }
    if (is_small(&z)) {
        NAME(small_backward)(call, &z, head, scratch);
        return;
    }
    const T *lse = (const T *)lses->data + head_offset(lses, head);
    Backward f = backward_memory(call, &z, scratch);
    T *delta = f.delta, *base = f.base;
    bool packed = is_packed(call), rounds = attention_vjp_rounds(call) != 0 && sizeof(T) == sizeof(float);
    int64_t ysize = (int64_t)cg_dtype_size(call->in[3].dtype);
    Ahead start = { .n = 0 };
    if (begin)
        ahead_keys(&start, call, head);
    if (begin)
        ahead_queries(&start, call, head, 0);
    ahead_fetch(&start, start.rows);
    const char *k = rows_of(&call->in[1], head, 0, z.s, f.k, &ldk), *v = rows_of(&call->in[2], head, 0, z.s, f.v, &ldv);
    CgGemm scores = rows_left(call, &call->in[1], z.s, d, ldk), changes = rows_left(call, &call->in[2], z.s, d, ldv);
    CgGemm to_gq = sum_left(call, &call->in[1], KEYS, d, ldk);
    scores.a = k;
    scores.left = scores.left_bytes ? f.keys : NULL;
    changes.a = v;
    changes.left = changes.left_bytes ? f.values : NULL;
    pack_rows(&scores, k, 0, z.s);
    pack_rows(&changes, v, 0, z.s);
    pack_sums(&to_gq, k, f.turned, 0, z.s);
    for (int64_t m0 = 0; m0 < z.t; m0 += MANY) {
        int64_t many = least(MANY, z.t - m0), end = least(z.s, m0 + many + z.ahead), panels = ceil_div(many, lanes);
        const void *q = rows_of(&call->in[0], head, m0, many, f.q, &ldq);
        const char *y = rows_of(&call->in[3], head, m0, many, f.y, &ldy);
        const T *g = rows_of(&call->in[5], head, m0, many, f.g, &ldg);
        CgGemm qt = rows_right(call, &call->in[0], many, d, ldq), gt = rows_right(call, &call->in[5], many, d, ldg);
        CgGemm to_gk = sum_right(call, &call->in[0], many, d, ldq), to_gv = sum_right(call, &call->in[5], many, d, ldg);
        CgGemm ds = sum_right(call, NULL, KEYS, panels * lanes, STEP);
        pack_right(&qt, q, f.qt, d);
        pack_right(&gt, g, f.gt, d);
        pack_right(&to_gk, q, f.queries, many);
        pack_right(&to_gv, g, f.slopes, many);
        scores.right = f.qt;
        changes.right = f.gt;
        to_gk.lda = to_gv.lda = STEP;
        to_gk.left = packed ? f.left_dp : NULL;
        to_gv.left = packed ? f.left_p : NULL;
        to_gv.a = f.p;
        ds.right = to_gq.right = packed ? f.right_dp : NULL;
        to_gq.b = f.dp;
        to_gq.ldb = STEP;
        to_gq.n = panels * lanes;
        for (int64_t i = many; i < panels * lanes; i++)
            delta[i] = base[i] = 0;
        for (int64_t i = 0; i < many; i++) {
            const void *row = y + i * ldy * ysize;
            if (rounds)
                rounded_row(row, is_half(&call->in[3]), f.row, d);
            delta[i] = NAME(lanes_dot)(rounds ? f.row : row, g + i * ldg, d);
            base[i] = lse[(m0 + i) * lses->stride[2]] * (T)LOG2_E;
        }
        for (int64_t s0 = 0; s0 < end; s0 += KEYS) {
            int64_t wide = least(KEYS, end - s0), blocks = row_blocks(&scores, wide, KEY_ROWS);
            Ahead rest = { .n = 0 }; /* late, or it would be pushed out again */
            if (s0 + wide == end && m0 + many < z.t)
                ahead_queries(&rest, call, head, m0 + many);
            if (s0 + wide == end && m0 + many == z.t && next) {
                ahead_queries(&rest, call, head + 1, 0);
                ahead_keys(&rest, call, head + 1);
            }
            ahead_split(&rest, blocks * panels / (z.ahead < z.s ? 2 : 1));
            for (int64_t b = 0; b < blocks; b++) {
                int64_t j0 = block_row(wide, blocks, b), n = block_row(wide, blocks, b + 1) - j0, j = s0 + j0;
                int64_t first = most(0, j - z.ahead - m0), from = first / 2 * 2;
                Ahead own = { .n = 0 };
                for (int i = 1; i < 3; i++)
                    ahead_add(&own, &call->out[i], head, j + n, least(end, j + 2 * n));
                ahead_split(&own, panels - first / lanes);
                T *p = f.p, *dp = (T *)f.dp + (packed ? 0 : j0 * STEP);
                for (int64_t r = first / lanes; r < panels; r++) {
                    ahead_fetch(&own, own.share);
                    ahead_fetch(&rest, rest.share);
                    int64_t at = packed ? 0 : r * lanes;
                    CgGemmSlope to = { .alpha = z.alpha,
                        .turn = z.turn,
                        .hidden = j - z.ahead - m0 - r * lanes,
                        .base = base + r * lanes,
                        .less = delta + r * lanes,
                        .w = p + at,
                        .slopes = dp + at,
                        .ldc = STEP,
                        .left_w = &to_gv,
                        .left_slopes = &to_gk,
                        .right = &ds,
                        .left_k = r * lanes,
                        .right_k = j0,
                        .right_panel = r };
                    cg_gemm_slope(&scores, &changes, j, n, r, &to);
                }
                if (j < fresh) {
                    NAME(zero)(gk, gks, fresh, j + n, d);
                    NAME(zero)(gv, gvs, fresh, j + n, d);
                }
                to_gk.a = dp;
                to_gk.m = to_gv.m = n;
                to_gk.left_panels = to_gv.left_panels = 1;
                cg_gemm_run(
                    &to_gv, (CgGemmRange){ 0, 1, 0, to_gv.right_panels, from, many }, 1, j < fresh, gv + j * gvs, gvs);
                cg_gemm_run(&to_gk, (CgGemmRange){ 0, 1, 0, to_gk.right_panels, from, many }, z.scale, j < fresh,
                    gk + j * gks, gks);
            }
            to_gq.a = k + s0 * ldk * cg_gemm_left_size(&to_gq);
            if (to_gq.left_bytes)
                to_gq.left = (char *)f.turned + (size_t)(s0 / KEYS) * to_gq.left_bytes;
            for (int64_t r = 0; r < panels; r++) { /* keys that its last query sees */
                int64_t to = least(wide, (m0 + least(many, (r + 1) * lanes) + z.ahead - s0 + 1) / 2 * 2);
                if (to > 0)
                    cg_gemm_run(
                        &to_gq, (CgGemmRange){ 0, to_gq.left_panels, r, r + 1, 0, to }, z.scale, s0 > 0, f.gq, STEP);
            }
        }
        NAME(turned)(f.gq, STEP, d, many, NULL, gq + m0 * gqs, gqs);
        fresh = most(fresh, end);
    }
    NAME(zero)(gk, gks, fresh, z.s, d);
    NAME(zero)(gv, gvs, fresh, z.s, d);
}

static void NAME(attention)(const CgCall *call, CgPart part)
{
    Sizes z = sizes_of(call);
    /* Later queries see more: their ranges come first, so that threads end together. */
    int64_t i = (int64_t)part.index % most(1, z.groups), range = z.ranges - 1 - (int64_t)part.index / most(1, z.groups);
    CgTensor out[2];
    CgCall of = held_call(call, 0, out, part.scratch);
    int64_t lanes = lanes_of(&of), first = range_begin(&z, lanes, range), last = range_begin(&z, lanes, range + 1);
    size_t at = held_bytes(&call->out[0]);
    void *rest = take(part.scratch, &at, 0);
    for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end && z.t; head++) {
        NAME(forward)(&of, z, head, head == group_begin(&z, i), head + 1 < end, range, rest);
        held_round(&call->out[0], head, first, last, part.scratch);
    }
}

static void NAME(attention_vjp)(const CgCall *call, CgPart part)
{
    Sizes z = sizes_of(call);
    int64_t i = (int64_t)part.index;
    CgTensor out[3];
    size_t at = held_bytes(&call->out[2]);
    void *rest = take(part.scratch, &at, 0);
    CgCall of = held_call(call, 2, out, part.scratch);
    for (int64_t head = group_begin(&z, i), end = group_begin(&z, i + 1); head < end; head++) {
        NAME(backward)(&of, z, head, head == group_begin(&z, i), head + 1 < end, rest);
        held_round(&call->out[2], head, 0, z.s, part.scratch);
    }
}

#undef T
#undef NAME
#undef EX2
#undef LG
