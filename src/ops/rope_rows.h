/* rope_rows.h - rotary positions of rows, for one type; a pattern, not a header.
 * Takes T (float or double) and NAME(word); gives the kernels of rope.c. */
/* Of n positions from `first` on, which are 0, 1, .. when p is NULL: to (n, 2, K/2), sines and cosines. */
static void NAME(sines)(
    const double *frequency, int64_t half, double sign, const CgTensor *p, int64_t first, int64_t n, T *to)
{
    for (int64_t from = 0, some, all = n * half; from < all; from += some) {
        double angle[AT_ONCE];
        T s[AT_ONCE], c[AT_ONCE];
        some = all - from < AT_ONCE ? all - from : AT_ONCE;
        for (int64_t j = 0, row = from / half, i = from % half; j < some; row++, i = 0) {
            double at = sign * (double)(p ? position(p, first + row) : first + row);
            for (; i < half && j < some; i++)
                angle[j++] = at * frequency[i];
        }
        CG_SIMD
        for (int64_t j = 0; j < some; j++)
            NAME(angle)(angle[j], &s[j], &c[j]);
        for (int64_t j = 0, row = from / half, i = from % half; j < some; row++, i = 0)
            for (; i < half && j < some; i++, j++) {
                to[row * 2 * half + i] = s[j];
                to[row * 2 * half + half + i] = c[j];
            }
    }
}

static inline void NAME(rotate)(const T *a, int64_t step, T *u, const T *s, int64_t half)
{
    const T *b = a + half * step, *c = s + half;
    T *v = u + half;
    if (step == 1 && half < 16 && half % 4 == 0) { /* shorter than a vector may be */
        for (int64_t i = 0; i < half; i += 4) {
            NAME(Four) ai = *(const NAME(Four) *)(a + i), bi = *(const NAME(Four) *)(b + i);
            NAME(Four) si = *(const NAME(Four) *)(s + i), ci = *(const NAME(Four) *)(c + i);
            *(NAME(Four) *)(u + i) = ai * ci - bi * si;
            *(NAME(Four) *)(v + i) = ai * si + bi * ci;
        }
    } else if (step == 1) {
        CG_SIMD
        for (int64_t i = 0; i < half; i++) {
            T ai = a[i], bi = b[i];
            u[i] = ai * c[i] - bi * s[i];
            v[i] = ai * s[i] + bi * c[i];
        }
    } else {
        for (int64_t i = 0; i < half; i++) {
            u[i] = a[i * step] * c[i] - b[i * step] * s[i];
            v[i] = a[i * step] * s[i] + b[i * step] * c[i];
        }
    }
}

static void NAME(rope)(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0], *y = call->out;
    int r = x->rank;
    int64_t t = x->dim[r - 2], k = x->dim[r - 1], half = k / 2, outer = 1, step = x->stride[r - 1];
    const Angles *angles = call->state;
    T *own = shard.scratch;
    size_t first, last;
    for (int i = 0; i < r - 2; i++)
        outer *= x->dim[i];
    cg_shard_range(shard, (size_t)t, 1, &first, &last);
    int64_t n = (int64_t)(last - first);
    if (!half || !angles || !outer)
        return;
    bool known = in_order(&call->in[1], (int64_t)first, (int64_t)last, angles->known);
    const T *table = known ? (const T *)angles->table + (int64_t)first * k : own;
    if (!known)
        NAME(sines)(angles->frequency, half, sign_of(call), &call->in[1], (int64_t)first, n, own);
    /* Rows one after the other as they lie in the result: the axis before the positions may be within them. */
    Walk head = { 1, 0, 0, 0 }, position = { n, x->stride[r - 2], y->stride[r - 2], k };
    if (r > 2)
        head = (Walk){ y->dim[r - 3], x->stride[r - 3], y->stride[r - 3], 0 };
    Walk far = head.y < position.y ? position : head, near = head.y < position.y ? head : position;
    for (int64_t o = 0; o < outer / head.n; o++) {
        int64_t from = (int64_t)first * position.x, to = (int64_t)first * position.y, rest = o;
        for (int i = r - 4; i >= 0; i--) {
            from += rest % x->dim[i] * x->stride[i];
            to += rest % x->dim[i] * y->stride[i];
            rest /= x->dim[i];
        }
        for (int64_t f = 0; f < far.n; f++) {
            Bf16Rows rows = bf16_rows_from(y, to + f * far.y, k, near.y, own + n * k);
            const T *row = (const T *)x->data + from + f * far.x;
            for (int64_t e = 0; e < near.n; e++, row += near.x) {
                fetch_row(
                    row + AHEAD * near.x, rows.to + (rows.n + AHEAD) * rows.bytes, k * (int64_t)sizeof(T), rows.held);
                NAME(rotate)(row, step, bf16_rows_at(&rows), table + f * far.table + e * near.table, half);
                bf16_rows_next(&rows, e + 1 == near.n);
            }
        }
    }
}

#undef T
#undef NAME
