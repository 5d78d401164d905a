/* pool_rows.h - rows of windows, for one type; a pattern, not a header.
 * Takes T (float or double) and NAME(word); gives the kernels of pool.c. A row of windows takes one place of the kernel
 * after another, each over all windows that have it within the image. */

/* The first of equal elements stays, and a NaN. */
static inline __attribute__((always_inline)) void NAME(raise)(
    const T *x, int64_t stride, int64_t first, int64_t last, int64_t at, T *y, int32_t *places)
{
    CG_SIMD
    for (int64_t n = first; n < last; n++) {
        T e = x[at + n * stride], was = y[n];
        bool more = !(e <= was) & (was == was);
        y[n] = more ? e : was;
        places[n] = more ? (int32_t)(at + n * stride) : places[n];
    }
}

static inline __attribute__((always_inline)) void NAME(add_places)(
    const T *x, int64_t stride, int64_t first, int64_t last, int64_t at, T *y)
{
    CG_SIMD
    for (int64_t n = first; n < last; n++)
        y[n] += x[at + n * stride];
}

static inline __attribute__((always_inline)) void NAME(add_windows)(
    T *x, int64_t stride, int64_t first, int64_t last, int64_t at, const T *y)
{
    CG_SIMD
    for (int64_t n = first; n < last; n++)
        x[at + n * stride] += y[n];
}

static void NAME(max_row)(const Pool *p, const T *x, int64_t m, T *y, int32_t *places)
{
    const Along *h = &p->h, *w = &p->w;
    int64_t first, last, top = first_place(h, m);
    for (int64_t n = 0; n < w->windows; n++) {
        y[n] = -(T)INFINITY;
        places[n] = (int32_t)(top * w->size + first_place(w, n));
    }
    for (int64_t i = 0; i < h->taps; i++)
        for (int64_t j = 0; j < w->taps && is_inside(h, m, i); j++) {
            int64_t at = place(h, m, i) * w->size + place(w, 0, j);
            windows_inside(w, j, &first, &last);
            if (w->stride == 1)
                NAME(raise)(x, 1, first, last, at, y, places);
            else if (w->stride == 2)
                NAME(raise)(x, 2, first, last, at, y, places);
            else
                NAME(raise)(x, w->stride, first, last, at, y, places);
        }
}

static void NAME(max_pool)(const CgCall *call, CgShard shard)
{
    Pool p = pool_of(call, &call->in[0], &call->out[0]);
    size_t begin, end;
    cg_shard_range(shard, (size_t)(p.planes * p.h.windows), 1, &begin, &end);
    for (int64_t r = (int64_t)begin; r < (int64_t)end; r++) {
        const T *x = (const T *)call->in[0].data + r / p.h.windows * p.h.size * p.w.size;
        T *y = (T *)call->out[0].data + r * p.w.windows;
        int32_t *places = (int32_t *)call->out[1].data + r * p.w.windows;
        NAME(max_row)(&p, x, r % p.h.windows, y, places);
    }
}

/* Row m of the windows of a plane: their sums, or, with `back`, each added to all places it has. */
static void NAME(sum_row)(const Pool *p, T *x, int64_t m, T *y, bool back)
{
    const Along *h = &p->h, *w = &p->w;
    int64_t first, last;
    for (int64_t i = 0; i < h->taps; i++)
        for (int64_t j = 0; j < w->taps && is_inside(h, m, i); j++) {
            int64_t at = place(h, m, i) * w->size + place(w, 0, j);
            windows_inside(w, j, &first, &last);
            if (back && w->stride == 1)
                NAME(add_windows)(x, 1, first, last, at, y);
            else if (back && w->stride == 2)
                NAME(add_windows)(x, 2, first, last, at, y);
            else if (back)
                NAME(add_windows)(x, w->stride, first, last, at, y);
            else if (w->stride == 1)
                NAME(add_places)(x, 1, first, last, at, y);
            else if (w->stride == 2)
                NAME(add_places)(x, 2, first, last, at, y);
            else
                NAME(add_places)(x, w->stride, first, last, at, y);
        }
}

static void NAME(sum_pool)(const CgCall *call, CgShard shard)
{
    Pool p = pool_of(call, &call->in[0], call->out);
    size_t begin, end;
    cg_shard_range(shard, (size_t)(p.planes * p.h.windows), 1, &begin, &end);
    memset((T *)call->out->data + begin * (size_t)p.w.windows, 0, (end - begin) * (size_t)p.w.windows * sizeof(T));
    for (int64_t r = (int64_t)begin; r < (int64_t)end; r++) {
        T *x = (T *)call->in[0].data + r / p.h.windows * p.h.size * p.w.size;
        T *y = (T *)call->out->data + r * p.w.windows;
        NAME(sum_row)(&p, x, r % p.h.windows, y, false);
    }
}

static void NAME(sum_pool_transpose)(const CgCall *call, CgShard shard)
{
    Pool p = pool_of(call, call->out, &call->in[0]);
    size_t begin, end, plane = (size_t)(p.h.size * p.w.size);
    cg_shard_range(shard, (size_t)p.planes, 1, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        T *x = (T *)call->out->data + i * plane;
        T *y = (T *)call->in[0].data + i * (size_t)(p.h.windows * p.w.windows);
        memset(x, 0, plane * sizeof(T));
        for (int64_t m = 0; m < p.h.windows; m++)
            NAME(sum_row)(&p, x, m, y + m * p.w.windows, true);
    }
}
