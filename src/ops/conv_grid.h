/* conv_grid.h - how convolutions are computed; part of conv.c.
 * Takes images and kernels row by row; gives sums of products on grids. A grid has the rows of an image, ring of zeros
 * and all, one after the other, so that the whole image shifted by a place of the kernel is a range of it: each place
 * is one matrix product with no copy of windows (as in Anderson et al., "Low-memory GEMM-based convolution", 2017).
 * With a stride the image is taken apart into phases, each a grid whose neighbours are `stride` apart. Included for
 * each T. */

/* Rows [r0, r0 + rows) of the grid of one channel and phase. */
static void NAME(fill_grid)(
    T *to, const T *x, const Along *h, const Along *w, int64_t a, int64_t b, int64_t r0, int64_t rows)
{
    int64_t wide = w->rows + w->reach, first = b + w->in_first, step = w->in_step;
    if (is_line(w)) { /* rows of one number: the other axis is the line */
        NAME(fill_grid)
        (to, x, &no_rows,
            &(Along){ .rows = rows, .in = h->in, .in_step = h->in_step, .in_first = a + r0 * h->in_step + h->in_first },
            0, 0, 0, 1);
        return;
    }
    int64_t lo = least(wide, first < 0 ? cg_ceil_div(-first, step) : 0),
            hi = w->in > first ? least(wide, cg_ceil_div(w->in - first, step)) : lo;
    hi = hi < lo ? lo : hi;
    for (int64_t q = 0; q < rows; q++, to += wide) {
        int64_t y = (r0 + q) * h->in_step + a + h->in_first;
        bool inside = y >= 0 && y < h->in;
        const T *from = x + y * w->in + first;
        for (int64_t c = 0; c < (inside ? lo : wide); c++)
            to[c] = 0;
        if (!inside)
            continue;
        if (step == 1)
            memcpy(to + lo, from + lo, (size_t)(hi - lo) * sizeof(T));
        else
            for (int64_t c = lo; c < hi; c++)
                to[c] = from[c * step];
        for (int64_t c = hi; c < wide; c++)
            to[c] = 0;
    }
}

/* Rows of sums on the grid to where they belong in the result. */
static void NAME(leave_grid)(
    const T *from, T *y, const Along *h, const Along *w, int64_t a, int64_t b, int64_t r0, int64_t rows)
{
    int64_t wide = w->rows + w->reach, first = b + w->out_first, step = w->out_step;
    if (is_line(w)) {
        NAME(leave_grid)
        (from, y, &no_rows,
            &(Along){ .rows = rows,
                .out = h->out,
                .out_step = h->out_step,
                .out_first = a + r0 * h->out_step + h->out_first },
            0, 0, 0, 1);
        return;
    }
    int64_t lo = first < 0 ? cg_ceil_div(-first, step) : 0,
            hi = w->out > first ? least(w->rows, cg_ceil_div(w->out - first, step)) : lo;
    for (int64_t q = 0; q < rows; q++, from += wide) {
        int64_t at = (r0 + q) * h->out_step + a + h->out_first;
        T *to = y + at * w->out + first;
        if (at < 0 || at >= h->out)
            continue;
        if (step == 1 && hi > lo)
            memcpy(to + lo, from + lo, (size_t)(hi - lo) * sizeof(T));
        else
            for (int64_t c = lo; c < hi; c++)
                to[c * step] = from[c];
    }
}

/* Kernels as left factors, those of a phase of the result together: (phase, row, place, number). */
static void NAME(pack_kernels)(const CgCall *call, CgShard shard)
{
    Conv c = conv_of(call);
    const T *w = call->in[1].data;
    T *to = call->shared;
    size_t first, last;
    cg_shard_range(shard, (size_t)(c.groups * c.rows), 1, &first, &last);
    int64_t each = c.rows * c.numbers;
    for (size_t u = first; u < last && each; u++) {
        int64_t g = (int64_t)u / c.rows, r = (int64_t)u % c.rows, before = 0;
        T *group = to + g * each * c.h.taps * c.w.taps;
        for (int64_t phase = 0; phase < c.h.out_step * c.w.out_step; phase++) {
            int64_t a = phase / c.w.out_step, b = phase % c.w.out_step, n = places_in(&c.h, a) * places_in(&c.w, b);
            T *at = group + before * each + r * n * c.numbers;
            before += n;
            for (int64_t i = 0; i < c.h.taps; i++)
                for (int64_t j = 0; j < c.w.taps; j++) {
                    if (out_phase(&c.h, i) != a || out_phase(&c.w, j) != b)
                        continue;
                    const T *from = w + kernel_at(&c, g, r, 0) + i * c.w.taps + j;
                    int64_t step = kernel_at(&c, g, r, 1) - kernel_at(&c, g, r, 0);
                    for (int64_t k = 0; k < c.numbers; k++)
                        at[k] = from[k * step];
                    at += c.numbers;
                }
        }
    }
}

/* Sums of one channel over the places of its kernel: the grid is shifted, multiplied and added, in the first-level
 * cache. */
static void NAME(one_channel)(T *sums, const T *w, const T *from, int64_t n, bool add)
{
    T factor = *w;
    if (add) {
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            sums[i] += factor * from[i];
    } else {
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            sums[i] = factor * from[i];
    }
}

/* The sums of a phase of the result over rows [row, row + m) of the kernels and a block of the grid. */
static void NAME(phase_sums)(const CgCall *call, const Conv *c, Block *k, int64_t phase, int64_t row, int64_t m)
{
    int64_t a = phase / c->w.out_step, b = phase % c->w.out_step;
    int64_t n = places_in(&c->h, a) * places_in(&c->w, b), place = 0, wide = grid_width(c);
    const T *left = (const T *)k->kernels + row * n * c->numbers;
    T *sums = k->sums, *lifted = k->lifted;
    CgGemm g = { .dtype = call->out->dtype, .bf16 = call->bf16, .m = m, .n = k->columns, .lda = n * c->numbers };
    if (!n || !c->numbers) {
        memset(sums, 0, (size_t)(m * k->step) * sizeof(T));
        return;
    }
    for (int64_t i = 0; i < c->h.taps; i++)
        for (int64_t j = 0; j < c->w.taps; j++) {
            if (out_phase(&c->h, i) != a || out_phase(&c->w, j) != b)
                continue;
            int64_t in = in_phase(&c->h, i) * c->w.in_step + in_phase(&c->w, j);
            const T *from =
                (const T *)k->grid + in * c->numbers * k->plane + shift_of(&c->h, i) * wide + shift_of(&c->w, j);
            if (c->apart) {
                for (int64_t r = 0; r < m; r++)
                    NAME(one_channel)(sums + r * k->step, left + r * n + place, from, k->columns, place > 0);
            } else if (c->lift) {
                for (int64_t q = 0; q < c->numbers; q++)
                    memcpy(lifted + (place * c->numbers + q) * k->step, from + q * k->plane,
                        (size_t)k->columns * sizeof(T));
            } else {
                g.a = left + place * c->numbers;
                g.b = from;
                g.k = c->numbers;
                g.ldb = k->plane;
                cg_gemm_serial(&g, 1, place > 0, sums, k->step);
            }
            place++;
        }
    if (c->lift && !c->apart) {
        g.a = left;
        g.b = lifted;
        g.k = n * c->numbers;
        g.ldb = k->step;
        cg_gemm_serial(&g, 1, 0, sums, k->step);
    }
}

/* A block of rows of one image and group. */
static void NAME(conv_block)(const CgCall *call, const Conv *c, Block *k, int64_t image, int64_t group, int64_t r0)
{
    int64_t rows = least(c->block, c->h.rows - r0), wide = grid_width(c), tall = rows + c->h.reach;
    int64_t in_size = c->h.in * c->w.in, out_size = c->h.out * c->w.out;
    const T *x = (const T *)call->in[0].data + (image * c->groups + group) * c->numbers * in_size;
    T *y = (T *)call->out->data + (image * c->groups + group) * c->rows * out_size, *grid = k->grid;
    k->columns = (rows * wide + LANE - 1) / LANE * LANE;
    for (int64_t phase = 0; phase < c->h.in_step * c->w.in_step; phase++)
        for (int64_t q = 0; q < c->numbers; q++)
            NAME(fill_grid)
    (grid + (phase * c->numbers + q) * k->plane, x + q * in_size, &c->h, &c->w, phase / c->w.in_step,
        phase % c->w.in_step, r0, tall);
    for (int64_t row = 0; row < c->rows; row += k->rows) {
        int64_t m = least(k->rows, c->rows - row), before = 0;
        for (int64_t phase = 0; phase < c->h.out_step * c->w.out_step; phase++) {
            int64_t a = phase / c->w.out_step, b = phase % c->w.out_step;
            k->kernels = (const T *)call->shared + (group * c->h.taps * c->w.taps + before) * c->rows * c->numbers;
            before += places_in(&c->h, a) * places_in(&c->w, b);
            NAME(phase_sums)(call, c, k, phase, row, m);
            for (int64_t r = 0; r < m; r++)
                NAME(leave_grid)
            ((const T *)k->sums + r * k->step, y + (row + r) * out_size, &c->h, &c->w, a, b, r0, rows);
        }
    }
}

static void NAME(convolve)(const CgCall *call, CgShard shard)
{
    Conv c = conv_of(call);
    Block k = block_of(&c, sizeof(T), false, shard.scratch);
    int64_t blocks = cg_ceil_div(c.h.rows, c.block);
    size_t first, last;
    if (!call->shared) { /* kernels without numbers: sums of nothing */
        if (shard.index == 0)
            memset(call->out->data, 0, (size_t)cg_tensor_count(call->out) * sizeof(T));
        return;
    }
    cg_shard_range(shard, (size_t)(c.images * c.groups * blocks), 1, &first, &last);
    memset(k.grid, 0, k.grid_bytes); /* what a product reads behind the last row is no number of ours, but a number */
    for (size_t u = first; u < last; u++) {
        int64_t of = (int64_t)u / blocks;
        NAME(conv_block)(call, &c, &k, of / c.groups, of % c.groups, (int64_t)u % blocks * c.block);
    }
}

/* ---- the derivative by kernels ---- */

/* Rows [r0, r0 + rows) of the grids of all channels of a phase, channels last. */
static void NAME(fill_last)(T *to, const T *x, const Conv *c, int64_t a, int64_t b, int64_t r0, int64_t rows, T *plane)
{
    int64_t n = rows * grid_width(c), q = 0;
    for (; q < c->numbers; q++) {
        NAME(fill_grid)(plane, x + q * c->h.in * c->w.in, &c->h, &c->w, a, b, r0, rows);
        for (int64_t i = 0; i < n; i++)
            to[i * c->numbers + q] = plane[i];
    }
}

/* x y by lanes that are added in order. */
static T NAME(line_product)(const T *x, const T *y, int64_t n)
{
    T lane[32] = { 0 }, sum = 0;
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        CG_SIMD
        for (int64_t l = 0; l < 32; l++)
            lane[l] += x[i + l] * y[i + l];
    }
    for (; i < n; i++)
        lane[i % 32] += x[i] * y[i];
    for (int64_t l = 0; l < 32; l++)
        sum += lane[l];
    return sum;
}

/* What a block of rows of an image adds to the sums of some kernels, (row, place, number). */
static void NAME(kernel_block)(const CgCall *call, const Conv *c, const Block *k, T *scratch, int64_t image,
    int64_t group, int64_t row, int64_t m, int64_t r0, bool add)
{
    int64_t rows = least(c->block, c->h.rows - r0), wide = grid_width(c), places = c->w.taps;
    int64_t in_size = c->h.in * c->w.in, out_size = c->h.out * c->w.out, line = c->numbers * c->h.taps * places;
    const T *x = (const T *)call->in[0].data + (image * c->groups + group) * c->numbers * in_size;
    const T *gy = (const T *)call->in[1].data + ((image * c->groups + group) * c->rows + row) * out_size;
    T *grid = k->grid, *changes = k->lifted, *sums = k->sums;
    bool together = c->w.in_step == 1 && c->w.dilation == 1; /* places of a row are neighbours */
    for (int64_t phase = 0; phase < c->h.in_step * c->w.in_step; phase++)
        NAME(fill_last)
    (grid + phase * c->numbers * k->plane, x, c, phase / c->w.in_step, phase % c->w.in_step, r0, rows + c->h.reach,
        scratch);
    for (int64_t r = 0; r < m; r++)
        for (int64_t q = 0; q < rows; q++) {
            T *to = changes + r * k->step + q * wide;
            if (is_line(&c->w)) {
                memcpy(to, gy + r * out_size + r0, (size_t)rows * sizeof(T));
                break;
            }
            memcpy(to, gy + r * out_size + (r0 + q) * c->w.out, (size_t)c->w.out * sizeof(T));
            for (int64_t i = c->w.out; i < wide; i++)
                to[i] = 0;
        }
    if (c->apart) {
        for (int64_t i = 0; i < c->h.taps * places * m; i++) {
            int64_t r = i / places / c->h.taps, y = i / places % c->h.taps, z = i % places;
            int64_t in = in_phase(&c->h, y) * c->w.in_step + in_phase(&c->w, z);
            T sum = NAME(line_product)(changes + r * k->step,
                grid + in * k->plane + shift_of(&c->h, y) * wide + shift_of(&c->w, z), rows * wide - c->w.reach);
            sums[i] = add ? sums[i] + sum : sum;
        }
        return;
    }
    CgGemm g = { .dtype = call->out->dtype,
        .bf16 = call->bf16,
        .m = m,
        .n = together ? places * c->numbers : c->numbers,
        .k = rows * wide - c->w.reach,
        .a = changes,
        .lda = k->step,
        .ldb = c->numbers };
    for (int64_t i = 0; i < c->h.taps; i++)
        for (int64_t j = 0; j < (together ? 1 : places); j++) {
            int64_t in = in_phase(&c->h, i) * c->w.in_step + in_phase(&c->w, j);
            g.b = grid + (in * k->plane + shift_of(&c->h, i) * wide + shift_of(&c->w, j)) * c->numbers;
            cg_gemm_serial(&g, 1, add, sums + (i * places + j) * c->numbers, line);
        }
}

/* Sums (row, place, number) as kernels (row, number, place). */
static void NAME(leave_kernels)(const CgCall *call, const Conv *c, int64_t from, int64_t to)
{
    int64_t places = c->h.taps * c->w.taps, line = places * c->numbers, all = c->groups * c->rows;
    const T *sums = call->shared;
    T *w = call->out->data;
    for (int64_t r = from; r < to; r++)
        for (int64_t q = 0; q < c->numbers; q++)
            for (int64_t p = 0; p < places; p++) {
                T sum = 0;
                for (int64_t l = 0; l < c->lanes; l++)
                    sum += sums[(l * all + r) * line + p * c->numbers + q];
                w[r * line + q * places + p] = sum;
            }
}

/* A shard has a lane of the images, a group, and some of its rows. */
static void NAME(conv_kernel)(const CgCall *call, CgShard shard)
{
    Conv c = conv_of(call);
    Block k = block_of(&c, sizeof(T), true, shard.scratch);
    if (!c.rows || !c.numbers)
        return;
    int64_t parts = cg_ceil_div(c.rows, k.rows), u = (int64_t)shard.index, part = u % parts,
            group = u / parts % c.groups, lane = u / parts / c.groups, row = part * k.rows;
    int64_t m = least(k.rows, c.rows - row), line = c.numbers * c.h.taps * c.w.taps;
    int64_t first = c.images * lane / c.lanes, last = c.images * (lane + 1) / c.lanes;
    bool add = false;
    T *line_of = k.sums;
    memset(k.grid, 0, k.grid_bytes);
    k.sums = (T *)call->shared + (lane * c.groups * c.rows + group * c.rows + row) * line;
    if (first == last || !c.h.rows || !c.w.rows)
        memset(k.sums, 0, (size_t)(m * line) * sizeof(T));
    for (int64_t image = first; image < last && c.w.rows; image++)
        for (int64_t r0 = 0; r0 < c.h.rows; r0 += c.block, add = true)
            NAME(kernel_block)(call, &c, &k, line_of, image, group, row, m, r0, add);
    if (c.lanes == 1)
        NAME(leave_kernels)(call, &c, group * c.rows + row, group * c.rows + row + m);
}
