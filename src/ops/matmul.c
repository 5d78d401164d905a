/* matmul.c - matrix products, batched or with one shared right factor.
 * Takes operands with any strides (an axis of unit stride in each is used in place, others are packed); gives the
 * contiguous product through the one-thread GEMM of kernel.h. How the result is cut into tiles follows from the sizes
 * alone, so that any number of threads gives the same bits. */
#include <cg/elementwise.h>
#include <cg/rules.h>

#define TILE_FLOPS 2e6      /* a tile smaller than this is not worth cutting */
#define TILES      8        /* tiles of a product; more only beyond BIG_TILE: each packs its share of the factors anew */
#define BIG_TILE   1e9      /* so large a tile may be cut further */
#define MOST_TILES 64
#define TILE_SIDE  128      /* least rows or columns of a tile: below, packing costs more than it divides; twice that is better */
#define SPLIT_K    256      /* least depth of a chunk when k is cut */
#define FEW_FLOPS  5e7      /* below, tiles of half that side do: the library has kernels that pack nothing */
#define SIDE_MAX   1024     /* packed tiles only: bounds the scratch memory */
#define THIN       4        /* rows up to which the time is that of reading the right factor once */
#define THIN_TILE  65536    /* elements of it a part reads at least */
#define THIN_ROW   512      /* in pieces of rows at least so long */
#define THIN_TILES 16

/* ---- shape ---- */

static bool flag(const CgAttrs *attrs, const char *name) { return cg_attr_int(attrs, name, 0) != 0; }

static bool matmul_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0], *y = &inf->in[1];
    if (!cg_want_float(inf, 0) || !cg_want_dtype(inf, 1, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK)) return false;
    if (y->rank != 2 && y->rank != x->rank)
        return cg_infer_fail(inf, 1, -1, "matmul: the right operand has %d axes, must have 2 or, as the left one, %d", y->rank, x->rank);
    bool ta = flag(inf->attrs, "ta"), tb = flag(inf->attrs, "tb");
    int r = x->rank, xm = ta ? r - 1 : r - 2, xk = ta ? r - 2 : r - 1;
    int yk = tb ? y->rank - 1 : y->rank - 2, yn = tb ? y->rank - 2 : y->rank - 1;
    if (x->dim[xk] != y->dim[yk]) return cg_infer_differ(inf, 0, xk, 1, yk, "inner dims");
    for (int i = 0; y->rank > 2 && i < r - 2; i++)
        if (x->dim[i] != y->dim[i]) return cg_infer_differ(inf, 0, i, 1, i, "batch dims");
    inf->out[0] = *x;
    inf->out[0].dim[r - 2] = x->dim[xm];
    inf->out[0].dim[r - 1] = y->dim[yn];
    return true;
}

/* ---- cutting ---- */

/* A factor as a logical matrix: strides of its rows and columns. */
typedef struct Factor { int64_t rs, cs; bool packed, trans; int64_t ld; } Factor;

typedef struct Product {
    int64_t batch, m, n, k;
    int64_t tm, tn, tk;         /* of a tile */
    int64_t nm, nn, nk;         /* tiles along each */
    int64_t together;           /* batch items of a part, when they are small */
    size_t  parts;
    Factor  x, y;
    bool    flat;               /* leading axes of x are part of m */
    bool    thin;               /* so few rows that a product of vectors by the matrix is the better way */
} Product;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* In place if one axis has unit stride and the other steps over it. */
static void choose_layout(Factor *f, int64_t rows, int64_t cols)
{
    if ((f->cs == 1 || cols == 1) && (f->rs >= cols || rows == 1)) {
        f->ld = rows == 1 ? cols : f->rs;
        f->trans = false;
    } else if ((f->rs == 1 || rows == 1) && (f->cs >= rows || cols == 1)) {
        f->ld = cols == 1 ? rows : f->cs;
        f->trans = true;
    } else {
        f->packed = true;
    }
}

static int64_t round_up(int64_t n, int64_t unit) { return ceil_div(n, unit) * unit; }

/* Halves the longer side of the tiles until there are enough, or they are no longer than `side`. */
static void halve(Product *p, int64_t want, int64_t side)
{
    while (p->nm * p->nn * p->nk < want) {
        int64_t tm = ceil_div(p->m, p->nm * 2), tn = ceil_div(p->n, p->nn * 2);
        if (tm < side && tn < side) return;
        if (tm >= tn) p->nm *= 2;
        else p->nn *= 2;
    }
}

/* Tiles of one product: enough of them for several threads, none so small that packing dominates. */
static void choose_tiles(Product *p)
{
    if (p->thin) {
        p->nn = p->n * p->k / THIN_TILE;
        if (p->nn > THIN_TILES) p->nn = THIN_TILES;
        if (!p->y.trans && p->nn > p->n / THIN_ROW) p->nn = p->n / THIN_ROW;
        p->tn = p->nn < 2 ? p->n : round_up(ceil_div(p->n, p->nn), 32);
        p->tm = p->m;
        p->tk = p->k;
        return;
    }
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    int64_t want = (int64_t)(flops * (double)p->batch / TILE_FLOPS), large = (int64_t)(flops / BIG_TILE);
    if (want > TILES) want = large < TILES ? TILES : large < MOST_TILES ? large : MOST_TILES;
    want = ceil_div(want, p->batch);
    p->nm = p->nn = p->nk = 1;
    halve(p, want, 2 * TILE_SIDE);
    while (p->batch == 1 && p->nm * p->nn * p->nk < want && ceil_div(p->k, p->nk * 2) >= SPLIT_K) p->nk *= 2;
    halve(p, want, TILE_SIDE);
    if (flops < FEW_FLOPS) halve(p, want, TILE_SIDE / 2);
    /* Whole vectors a tile. */
    p->tm = p->nm == 1 ? p->m : round_up(ceil_div(p->m, p->nm), 16);
    p->tn = p->nn == 1 ? p->n : round_up(ceil_div(p->n, p->nn), 32);
    p->tk = p->nk == 1 ? p->k : round_up(ceil_div(p->k, p->nk), 16);
}

static Product product(const CgCall *call)
{
    const CgTensor *x = &call->in[0], *y = &call->in[1], *z = call->out;
    bool ta = flag(call->attrs, "ta"), tb = flag(call->attrs, "tb");
    int r = x->rank, s = y->rank;
    Product p = { .batch = 1, .m = z->dim[r - 2], .n = z->dim[r - 1], .k = x->dim[ta ? r - 2 : r - 1], .together = 1 };
    p.x = (Factor){ .rs = x->stride[ta ? r - 1 : r - 2], .cs = x->stride[ta ? r - 2 : r - 1] };
    p.y = (Factor){ .rs = y->stride[tb ? s - 1 : s - 2], .cs = y->stride[tb ? s - 2 : s - 1] };
    for (int i = 0; i < r - 2; i++) p.batch *= x->dim[i];
    /* A shared right factor: the leading axes of x are more rows, if their strides go on evenly. */
    if (s == 2 && r > 2 && !ta) {
        int64_t step = p.x.rs * p.m;
        p.flat = true;
        for (int i = r - 3; i >= 0; i--) {
            if (x->dim[i] == 1) continue;
            if (p.m == 1 && step == p.x.rs) p.x.rs = step = x->stride[i];
            p.flat &= x->stride[i] == step;
            step *= x->dim[i];
        }
        if (p.flat) {
            p.m *= p.batch;
            p.batch = 1;
        } else {
            p.x.rs = x->stride[r - 2];
        }
    }
    if (p.batch < 1 || p.m < 1 || p.n < 1 || p.k < 1) {
        p.tm = p.m;
        p.tn = p.n;
        p.tk = p.k;
        p.nm = p.nn = p.nk = 1;
        p.parts = 1;
        p.together = p.batch > 0 ? p.batch : 1;
        return p;
    }
    choose_layout(&p.x, p.m, p.k);
    choose_layout(&p.y, p.k, p.n);
    p.thin = p.m <= THIN && p.batch == 1 && !p.x.packed && !p.y.packed;
    choose_tiles(&p);
    if (p.x.packed || p.y.packed) {
        if (p.tm > SIDE_MAX) p.tm = SIDE_MAX;
        if (p.tn > SIDE_MAX) p.tn = SIDE_MAX;
    }
    p.nm = ceil_div(p.m, p.tm);
    p.nn = ceil_div(p.n, p.tn);
    p.nk = ceil_div(p.k, p.tk);
    double one = 2.0 * (double)p.m * (double)p.n * (double)p.k;
    if (p.nm * p.nn * p.nk == 1 && one < TILE_FLOPS) {
        p.together = (int64_t)(TILE_FLOPS / one) + 1;
        if (p.together > ceil_div(p.batch, TILES)) p.together = ceil_div(p.batch, TILES);
        if (one * (double)p.batch < TILE_FLOPS / 4) p.together = p.batch;
    }
    p.parts = (size_t)(ceil_div(p.batch, p.together) * p.nm * p.nn * p.nk);
    return p;
}

static void matmul_work(const CgCall *call, CgWork *work)
{
    Product p = product(call);
    size_t size = cg_dtype_size(call->out->dtype), scratch = 0;
    double b = (double)p.batch, m = (double)p.m, n = (double)p.n, k = (double)p.k;
    if (p.x.packed) scratch += (size_t)(p.tm * p.tk);
    if (p.y.packed) scratch += (size_t)(p.tk * p.tn);
    *work = (CgWork){ .flops = 2 * b * m * n * k, .bytes = (b * m * k + b * m * n + k * n) * (double)size, .parts = p.parts,
                      .scratch = scratch * size };
    if (p.nk > 1) work->shared = (size_t)(p.nk * p.m * p.n) * size;
}

/* Where batch item i of a tensor begins. */
static int64_t batch_offset(const CgTensor *t, int64_t i)
{
    int64_t at = 0;
    for (int a = t->rank - 3; a >= 0; a--) {
        at += i % t->dim[a] * t->stride[a];
        i /= t->dim[a];
    }
    return at;
}

/* ---- kernels ---- */

#define GEMM_f32(ta, tb, m, n, k, a, lda, b, ldb, c, ldc) cg_gemm_f32(ta, tb, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, ldc, call->bf16)
#define GEMM_f64(ta, tb, m, n, k, a, lda, b, ldb, c, ldc) cg_gemm_f64(ta, tb, m, n, k, 1.0, a, lda, b, ldb, 0.0, c, ldc)

#define MATMUL(T, suffix)                                                                                       \
    static const T *pack_##suffix(const T *from, const Factor *f, int64_t rows, int64_t cols, T *to)            \
    {                                                                                                           \
        for (int64_t i = 0; i < rows; i++)                                                                      \
            for (int64_t j = 0; j < cols; j++) to[i * cols + j] = from[i * f->rs + j * f->cs];                  \
        return to;                                                                                              \
    }                                                                                                           \
    /* z (n) = x (k) y (k,n), y as stored or transposed; x has stride sx. */                                    \
    static void thin_##suffix(const T *x, int64_t sx, const T *y, int64_t ldy, bool trans, T *z, int64_t n, int64_t k) \
    {                                                                                                           \
        if (trans) {                                                                                            \
            for (int64_t j = 0; j < n; j++) {                                                                   \
                const T *row = y + j * ldy;                                                                     \
                T s = 0;                                                                                        \
                if (sx == 1) {                                                                                  \
                    CG_PRAGMA_(omp simd reduction(+:s))                                                         \
                    for (int64_t l = 0; l < k; l++) s += x[l] * row[l];                                         \
                } else {                                                                                        \
                    for (int64_t l = 0; l < k; l++) s += x[l * sx] * row[l];                                    \
                }                                                                                               \
                z[j] = s;                                                                                       \
            }                                                                                                   \
            return;                                                                                             \
        }                                                                                                       \
        int64_t l = 0;                                                                                          \
        for (int64_t j = 0; j < n; j++) z[j] = 0;                                                               \
        for (; l + 4 <= k; l += 4) {                                                                            \
            const T *p = y + l * ldy, *q = p + ldy, *r = q + ldy, *s = r + ldy;                                 \
            T a = x[l * sx], b = x[(l + 1) * sx], c = x[(l + 2) * sx], d = x[(l + 3) * sx];                     \
            CG_SIMD                                                                                             \
            for (int64_t j = 0; j < n; j++) z[j] += (a * p[j] + b * q[j]) + (c * r[j] + d * s[j]);              \
        }                                                                                                       \
        for (; l < k; l++) {                                                                                    \
            const T *p = y + l * ldy;                                                                           \
            T a = x[l * sx];                                                                                    \
            CG_SIMD                                                                                             \
            for (int64_t j = 0; j < n; j++) z[j] += a * p[j];                                                   \
        }                                                                                                       \
    }                                                                                                           \
    /* z (m,n) = x (m,k) y (k,n), the corners of a tile. */                                                     \
    static void tile_##suffix(const CgCall *call, const Product *p, const T *x, const T *y, T *z, int64_t m, int64_t n, int64_t k, T *scratch) \
    {                                                                                                           \
        int64_t ldx = p->x.ld, ldy = p->y.ld;                                                                   \
        (void)call;                                                                                             \
        if (p->thin) {                                                                                          \
            for (int64_t i = 0; i < m; i++)                                                                     \
                thin_##suffix(x + i * (p->x.trans ? 1 : ldx), p->x.trans ? ldx : 1, y, ldy, p->y.trans, z + i * p->n, n, k); \
            return;                                                                                             \
        }                                                                                                       \
        if (p->x.packed) {                                                                                      \
            x = pack_##suffix(x, &p->x, m, k, scratch);                                                         \
            scratch += p->tm * p->tk;                                                                           \
            ldx = k;                                                                                            \
        }                                                                                                       \
        if (p->y.packed) {                                                                                      \
            y = pack_##suffix(y, &p->y, k, n, scratch);                                                         \
            ldy = n;                                                                                            \
        }                                                                                                       \
        GEMM_##suffix(p->x.trans, p->y.trans, m, n, k, x, ldx, y, ldy, z, p->n);                                \
    }                                                                                                           \
    static void matmul_##suffix(const CgCall *call, CgPart part)                                                \
    {                                                                                                           \
        const CgTensor *x = &call->in[0], *y = &call->in[1];                                                    \
        Product p = product(call);                                                                              \
        T *to = call->out->data;                                                                                \
        if (p.k == 0) {                                                                                         \
            int64_t n = cg_tensor_count(call->out);                                                             \
            for (int64_t i = 0; i < n; i++) to[i] = 0;                                                          \
            return;                                                                                             \
        }                                                                                                       \
        int64_t u = (int64_t)part.index, kc = u % p.nk, jc = u / p.nk % p.nn, ic = u / p.nk / p.nn % p.nm;      \
        int64_t b0 = u / p.nk / p.nn / p.nm * p.together, b1 = b0 + p.together < p.batch ? b0 + p.together : p.batch; \
        int64_t i0 = ic * p.tm, j0 = jc * p.tn, k0 = kc * p.tk;                                                 \
        int64_t m = p.m - i0 < p.tm ? p.m - i0 : p.tm, n = p.n - j0 < p.tn ? p.n - j0 : p.tn, k = p.k - k0 < p.tk ? p.k - k0 : p.tk; \
        if (p.nk > 1) to = (T *)call->shared + kc * p.m * p.n;                                                  \
        for (int64_t b = b0; b < b1; b++) {                                                                     \
            const T *xs = (const T *)x->data + (p.flat ? 0 : batch_offset(x, b)) + i0 * p.x.rs + k0 * p.x.cs;   \
            const T *ys = (const T *)y->data + (y->rank > 2 ? batch_offset(y, b) : 0) + k0 * p.y.rs + j0 * p.y.cs; \
            tile_##suffix(call, &p, xs, ys, to + b * p.m * p.n + i0 * p.n + j0, m, n, k, part.scratch);         \
        }                                                                                                       \
    }                                                                                                           \
    static void join_##suffix(const CgCall *call)                                                               \
    {                                                                                                           \
        Product p = product(call);                                                                              \
        T *to = call->out->data;                                                                                \
        const T *from = call->shared;                                                                           \
        int64_t n = p.m * p.n;                                                                                  \
        if (p.nk == 1) return;                                                                                  \
        CG_SIMD                                                                                                 \
        for (int64_t i = 0; i < n; i++) to[i] = from[i] + from[n + i];                                          \
        for (int64_t c = 2; c < p.nk; c++) {                                                                    \
            const T *chunk = from + c * n;                                                                      \
            CG_SIMD                                                                                             \
            for (int64_t i = 0; i < n; i++) to[i] += chunk[i];                                                  \
        }                                                                                                       \
    }
MATMUL(float, f32)
MATMUL(double, f64)

static void matmul_finish(const CgCall *call, CgPart part)
{
    (void)part;
    if (call->out->dtype == CG_F32) join_f32(call);
    else join_f64(call);
}

/* ---- derivative and folding ---- */

static CgRef swap_last(CgBuild *b, CgRef x)
{
    int64_t perm[CG_MAX_RANK];
    int r = cg_ref_type(b, x).rank;
    for (int i = 0; i < r; i++) perm[i] = i;
    perm[r - 2] = r - 1;
    perm[r - 1] = r - 2;
    return cg_transpose(b, x, perm);
}

/* All axes but the last as one. */
static CgRef as_rows(CgBuild *b, CgRef x)
{
    CgType t = cg_ref_type(b, x);
    const CgDim *dim[2] = { cg_dim_int(1), t.dim[t.rank - 1] };
    for (int i = 0; i < t.rank - 1; i++) dim[0] = cg_dim_mul(dim[0], t.dim[i]);
    return cg_reshape(b, x, 2, dim);
}

/* z = X Y with X = x or x', Y = y or y': dX = g Y', dY = X' g, each transposed where its operand was. */
static void matmul_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], y = site->in[1], g = site->gout[0];
    bool ta = flag(site->attrs, "ta"), tb = flag(site->attrs, "tb");
    if (cg_ref_type(b, x).rank > 2 && cg_ref_type(b, y).rank == 2) {
        CgRef gx = cg_matmul(b, g, y, false, !tb);
        gin[0] = ta ? swap_last(b, gx) : gx;
        CgRef rows = as_rows(b, ta ? swap_last(b, x) : x), gs = as_rows(b, g);
        gin[1] = tb ? cg_matmul(b, gs, rows, true, false) : cg_matmul(b, rows, gs, true, false);
        return;
    }
    gin[0] = ta ? cg_matmul(b, y, g, tb, true) : cg_matmul(b, g, y, false, !tb);
    gin[1] = tb ? cg_matmul(b, g, x, true, ta) : cg_matmul(b, x, g, !ta, false);
}

/* A transpose of the last two axes alone. */
static bool swaps_last(const CgBuild *b, CgRef r)
{
    if (!cg_ref_is(b, r, "transpose")) return false;
    const CgAttr *perm = cg_attr_find(cg_ref_attrs(b, r), "perm");
    int n = perm->n;
    if (n < 2 || perm->ints[n - 1] != n - 2 || perm->ints[n - 2] != n - 1) return false;
    for (int i = 0; i < n - 2; i++)
        if (perm->ints[i] != i) return false;
    return true;
}

/* A matrix repeated over batch axes. */
static bool repeats_matrix(const CgBuild *b, CgRef r)
{
    if (!cg_ref_is(b, r, "broadcast") || cg_ref_type(b, cg_ref_in(b, r, 0)).rank != 2) return false;
    const CgAttr *axes = cg_attr_find(cg_ref_attrs(b, r), "axes");
    return axes->n > 2 && axes->ints[axes->n - 2] == 0 && axes->ints[axes->n - 1] == 1;
}

static CgRef matmul_fold(CgBuild *b, const CgSite *site)
{
    CgRef x = site->in[0], y = site->in[1];
    bool ta = flag(site->attrs, "ta"), tb = flag(site->attrs, "tb");
    double v;
    for (int i = 0; i < 2; i++)
        if (cg_ref_const(b, site->in[i], &v) && v == 0) {
            CgType tx = cg_ref_type(b, x), ty = cg_ref_type(b, y), t = tx;
            t.dim[t.rank - 2] = tx.dim[ta ? tx.rank - 1 : tx.rank - 2];
            t.dim[t.rank - 1] = ty.dim[tb ? ty.rank - 2 : ty.rank - 1];
            return cg_fill(b, t, 0);
        }
    if (swaps_last(b, x)) return cg_matmul(b, cg_ref_in(b, x, 0), y, !ta, tb);
    if (swaps_last(b, y)) return cg_matmul(b, x, cg_ref_in(b, y, 0), ta, !tb);
    if (repeats_matrix(b, y)) return cg_matmul(b, x, cg_ref_in(b, y, 0), ta, tb);
    return CG_NONE;
}

static CgAlong matmul_along(const CgInfer *inf, int operand, int axis, int *out_axis)
{
    int r = inf->in[operand].rank, out = inf->in[0].rank;
    bool t = flag(inf->attrs, operand ? "tb" : "ta");
    int inner = (operand == 0) != t ? r - 1 : r - 2;    /* the axis summed over */
    *out_axis = axis;
    if (axis == inner) return CG_ALONG_WHOLE;
    if (axis >= r - 2) *out_axis = operand ? out - 1 : out - 2;
    return CG_ALONG_POINTWISE;
}

static const CgSample matmul_samples[] = {
    { .in = "F[5,3] F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5] F[7,3]", .attrs = "ta=1, tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[2,5,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,2] F[2,3,5,7]", .attrs = "ta=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[7,5]", .attrs = "tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,5,3] F[5,7]", .attrs = "ta=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,2] F[2,3,7,2]", .attrs = "tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[37,1531] F[1531,131]", .low = -0.71, .high = 2.385 },                  /* cut along k */
    { .in = "F[1031,67] F[1031,97]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = "F[5,149,131] F[131,269]", .low = -0.71, .high = 2.385 },                 /* cut along rows and columns */
    { .in = "F[7,3,37,53] F[7,3,31,53]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[3,331] F[331,613]", .low = -0.71, .high = 2.385 },                     /* few rows */
    { .in = "F[1,331] F[613,331]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_matmul = { CG_OP_HERE,
    .name = "matmul", .sig = "(x: F[..s], y: F[..r], ta: bool = false, tb: bool = false) -> F[..q]",
    .doc = "Matrix product over the last two axes: (.., M, K) times (.., K, N) is (.., M, N).\n\n"
           "The leading axes agree, or y has two axes and is shared by all of x's leading ones.\n"
           "ta: x is (.., K, M). tb: y is (.., N, K). Inner sizes that differ are an error.\n",
    .shape = matmul_shape, .vjp = matmul_vjp, .kernel = CG_FLOAT_KERNELS(matmul), .finish = matmul_finish, .work = matmul_work,
    .fold = matmul_fold, .along = matmul_along, .traits = CG_LINEAR | CG_STRIDED, .samples = matmul_samples,
};

CG_OPS(matmul, &op_matmul)
