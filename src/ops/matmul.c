/* matmul.c - matrix products, batched or with one shared right factor.
 * Takes operands with any strides (an axis of unit stride in each is used in place, others are copied); gives the
 * contiguous product through the one-thread products of kernel.h: one large product by factors that are packed once for
 * all shards, others tile by tile, few rows or numbers by gemm_skinny.h. How the result is cut follows from the sizes
 * alone, so that any number of threads gives the same bits. */
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

#include "ops/copy_block.h"

#define T          float
#define SIZE       4
#define INTEGER    int32_t
#define NAME(word) word##_f32
#include "ops/gemm_skinny.h"
#include "ops/gemm_skinny_transposed.h"
#include "ops/gemm_skinny_columns.h"
#undef T
#undef SIZE
#undef INTEGER
#undef NAME
#define T          double
#define SIZE       8
#define INTEGER    int64_t
#define NAME(word) word##_f64
#include "ops/gemm_skinny.h"
#include "ops/gemm_skinny_transposed.h"
#include "ops/gemm_skinny_columns.h"
#undef T
#undef SIZE
#undef INTEGER
#undef NAME

#define TILE_FLOPS 2e6 /* a tile smaller than this is not worth cutting */
#define TILES      8   /* tiles of a product that is not packed for all; more only beyond BIG_TILE */
#define BIG_TILE   1e9 /* so large a tile may be cut further */
#define MOST_TILES 64
#define TILE_SIDE \
    128 /* least rows or columns of a tile: below, packing costs more than it divides; twice that is better */
#define HALF_SIDE_FLOPS    5e7         /* below, tiles of half that side do */
#define SIDE_MAX           1024        /* copied tiles only: bounds the scratch memory */
#define SKINNY_SHARD_BYTES (128 << 10) /* of the right factor, a shard of a product of few rows: at least */
#define SKINNY_SHARD_FLOPS 1e6         /* or these, where there is more to compute than to read */
#define SKINNY_SHARDS      16          /* shards at most */
#define SPLIT_ROWS \
    4 /* up to so many rows a shard reads rows of the right factor from end to end, and sums meet in the end */
#define SPLIT_SHARDS 8          /* shards at most then */
#define SPLIT_DEPTH  16         /* rows a shard reads for each row of sums it makes, at least */
#define NARROW       64         /* columns of a shard, at least, above that */
#define SMALL_FLOPS  5e5        /* below, no number of rows is worth packing for, in f32 */
#define PACKED_FLOPS 4e6        /* packing for all shards pays from here */
#define PACKED_ROWS  29         /* and from so many rows: fewer are not worth packing the right factor */
#define PACKED_MOST  (64 << 20) /* bytes of packed factors */
#define SHARD_FLOPS  6e6        /* of a shard, at least */
#define SHARDS       32         /* shards at most */
#define PANELS       3          /* panels of rows of a shard, at least: each passes over the columns once */
#define ONCE_BYTES   (2 << 20)  /* of the right factor that each thread packs for itself once, at most */
#define ONCE_SIDE    1024       /* rows it serves, at least: packing it is then little of a share's time */
#define WIDE_SIDE    1024       /* rows of a wide result, at most; it has twice as many columns */
#define PACK_NUMBERS 65536      /* numbers packed by one shard of `begin`, at least */
#define BLOCK_FLOPS \
    1.6e9               /* of a block that packs all it needs for itself, at least, unless there are no more than ... */
#define BLOCKS        2 /* ... so many */
#define SPLIT_K_LANE  512         /* of the summed axis in a lane, at least */
#define SPLIT_K_LANES 4           /* lanes at most */
#define SPLIT_K_BYTES (128 << 10) /* bytes of a lane of them, at most */
#define NEAR          256         /* numbers of each lane that are fetched ahead when they are added */

/* ---- shape ---- */

static bool flag(const CgAttrs *attrs, const char *name) { return cg_attr_int(attrs, name, 0) != 0; }

static bool matmul_shape(CgInfer *inf)
{
    const CgType *x = &inf->in[0], *y = &inf->in[1];
    if (!cg_want_float(inf, 0) || !cg_want_dtype(inf, 1, 0) || !cg_want_rank(inf, 0, 2, CG_MAX_RANK))
        return false;
    if (y->rank != 2 && y->rank != x->rank)
        return cg_infer_fail(
            inf, 1, -1, "matmul: the right operand has %d axes, must have 2 or, as the left one, %d", y->rank, x->rank);
    bool ta = flag(inf->attrs, "ta"), tb = flag(inf->attrs, "tb");
    int r = x->rank, xm = ta ? r - 1 : r - 2, xk = ta ? r - 2 : r - 1;
    int yk = tb ? y->rank - 1 : y->rank - 2, yn = tb ? y->rank - 2 : y->rank - 1;
    if (x->dim[xk] != y->dim[yk])
        return cg_infer_differ(inf, 0, xk, 1, yk, "inner dims");
    for (int i = 0; y->rank > 2 && i < r - 2; i++)
        if (x->dim[i] != y->dim[i])
            return cg_infer_differ(inf, 0, i, 1, i, "batch dims");
    inf->out[0] = *x;
    inf->out[0].dim[r - 2] = x->dim[xm];
    inf->out[0].dim[r - 1] = y->dim[yn];
    return true;
}

static bool matmul_add_shape(CgInfer *inf)
{
    const CgType *c = &inf->in[2];
    if (!matmul_shape(inf))
        return false;
    const CgType *z = &inf->out[0];
    if (!cg_want_dtype(inf, 2, 0) || !cg_want_rank(inf, 2, z->rank, z->rank))
        return false;
    for (int i = 0; i < z->rank; i++)
        if (c->dim[i] != z->dim[i])
            return cg_infer_fail(inf, 2, i, "matmul_add: axis %d of c is not that of the product", i);
    return true;
}

/* ---- cutting ---- */

/* A factor as a logical matrix: strides of its rows and columns. */
typedef struct Factor {
    int64_t rs, cs;
    bool packed, trans;
    int64_t ld;
} Factor;

typedef struct Product {
    int64_t batch, m, n, k;
    int64_t tm, tn; /* of a tile */
    int64_t nm, nn; /* tiles, or shards of a product packed once, along each */
    int64_t items;  /* batch items of a shard, when they are small */
    size_t shards;
    Factor x, y;
    bool flat;           /* leading axes of x are part of m */
    bool skinny;         /* few rows, or few numbers: the right factor is read as it lies */
    int64_t nk;          /* shards of a skinny product along the summed axis; sums of more than one meet in `finish` */
    bool packed_once;    /* factors are packed once for all shards */
    bool left_per_shard; /* the left factor is not: each shard packs its own rows */
    bool right_per_thread; /* nor the right one: each thread packs it once, since what another has written comes slowly
                            */
    CgGemm gemm;           /* of a product packed once */
    int64_t lanes;         /* split-k: shares of the summed axis, each with sums of its own; else 0 */
} Product;

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

static int64_t round_up(int64_t n, int64_t unit) { return cg_ceil_div(n, unit) * unit; }

/* Halves the longer side of the tiles until there are enough, or they are no longer than `side`. */
static void halve(Product *p, int64_t want, int64_t side)
{
    while (p->nm * p->nn < want) {
        int64_t tm = cg_ceil_div(p->m, p->nm * 2), tn = cg_ceil_div(p->n, p->nn * 2);
        if (tm < side && tn < side)
            return;
        if (tm >= tn)
            p->nm *= 2;
        else
            p->nn *= 2;
    }
}

static bool is_plain(const Product *p, double flops)
{
    return p->batch == 1 && !p->skinny && !p->x.packed && !p->y.packed && flops >= PACKED_FLOPS;
}

/* Where the left factor lies along k (a gradient of weights), sums are long or the result is wide, few large tiles are
 * best: packing for all would take about as long as reading, and what one thread has written others only get slowly. */
static bool in_blocks(const Product *p, double flops)
{
    bool is_long = p->k > p->m && p->k > p->n, is_wide = p->m <= WIDE_SIDE && 2 * p->m <= p->n;
    return is_plain(p, flops) && (p->x.trans || is_long || is_wide);
}

/* Tiles of one product: enough of them for several threads, none so small that packing dominates. */
static void choose_tiles(Product *p, double flops)
{
    int64_t want = (int64_t)(flops * (double)p->batch / TILE_FLOPS), large = (int64_t)(flops / BIG_TILE);
    p->nm = p->nn = 1;
    if (in_blocks(p, flops)) {
        want = (int64_t)(flops / BLOCK_FLOPS);
        halve(p, want < BLOCKS ? BLOCKS : want < SHARDS ? want : SHARDS, TILE_SIDE / 2);
    } else {
        if (want > TILES)
            want = large < TILES ? TILES : large < MOST_TILES ? large : MOST_TILES;
        want = cg_ceil_div(want, p->batch);
        halve(p, want, 2 * TILE_SIDE);
        halve(p, want, TILE_SIDE);
        if (flops < HALF_SIDE_FLOPS)
            halve(p, want, TILE_SIDE / 2);
    }
    /* Whole vectors a tile. */
    p->tm = p->nm == 1 ? p->m : round_up(cg_ceil_div(p->m, p->nm), 16);
    p->tn = p->nn == 1 ? p->n : round_up(cg_ceil_div(p->n, p->nn), 32);
}

static int64_t between(int64_t n, int64_t low, int64_t high) { return n < low ? low : n > high ? high : n; }

/* Skinny rows: pack_shards of the right factor as long as can be. */
static void choose_skinny(Product *p, double flops, size_t size)
{
    int64_t bytes = p->n * p->k * (int64_t)size / SKINNY_SHARD_BYTES, shards = (int64_t)(flops / SKINNY_SHARD_FLOPS);
    p->nm = p->nn = p->nk = 1;
    p->tm = p->m;
    shards = bytes > shards ? bytes : shards;
    if (!p->y.trans && p->m <= SPLIT_ROWS)
        p->nk = between(bytes, 1, between(p->k / (SPLIT_DEPTH * p->m), 1, SPLIT_SHARDS));
    else
        p->nn = between(shards, 1, between(p->n / (p->y.trans ? 16 : NARROW), 1, SKINNY_SHARDS));
    p->shards = (size_t)(p->nk * p->nn);
}

/* Where the columns of shard i begin: whole vectors, about as many for each. */
static int64_t skinny_column(const Product *p, int64_t i)
{
    return i == p->nn ? p->n : cg_ceil_div(p->n, 16) * i / p->nn * 16;
}

/* Factors as their matrices lie. */
static CgGemm factors(const CgCall *call, bool ta, bool tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb)
{
    return (CgGemm){ .dtype = call->out->dtype,
        .bf16 = call->bf16,
        .a16 = call->in[0].dtype == CG_ROUNDED,
        .b16 = call->in[1].dtype == CG_ROUNDED,
        .ta = ta,
        .tb = tb,
        .m = m,
        .n = n,
        .k = k,
        .lda = lda,
        .ldb = ldb };
}

/* One product of some size, whose left factor lies along its rows: shards are panels of rows by panels of columns. */
static bool choose_packed(const CgCall *call, Product *p, double flops)
{
    CgGemm *g = &p->gemm;
    if (!is_plain(p, flops) || (p->m < PACKED_ROWS && !p->y.trans))
        return false;
    *g = factors(call, false, p->y.trans, p->m, p->n, p->k, p->x.ld, p->y.ld);
    cg_gemm_layout(g);
    int64_t want = (int64_t)(flops / SHARD_FLOPS);
    want = want < 1 ? 1 : want > SHARDS ? SHARDS : want;
    p->nm = g->left_panels / PANELS < want ? g->left_panels / PANELS : want;
    if (p->nm < 1)
        p->nm = 1;
    p->nn = 2 * p->nm > want ? 1 : want / p->nm < g->right_panels ? want / p->nm : g->right_panels;
    p->left_per_shard = g->left_bytes > 0 && p->nn == 1;
    p->right_per_thread = p->nn == 1 && p->m >= ONCE_SIDE && g->right_bytes <= ONCE_BYTES;
    return g->right_bytes + (p->left_per_shard ? 0 : g->left_bytes) <= PACKED_MOST;
}

/* A small result of long sums: each lane of k is a product by itself whose sums lie in shared memory and are then added
 * in order. */
static bool choose_split_k(const CgCall *call, Product *p, double flops)
{
    int64_t sums = p->m * p->n * (int64_t)cg_dtype_size(call->out->dtype);
    if (!is_plain(p, flops) || p->k < 2 * SPLIT_K_LANE || sums > SPLIT_K_BYTES)
        return false;
    p->lanes = p->k / SPLIT_K_LANE < SPLIT_K_LANES ? p->k / SPLIT_K_LANE : SPLIT_K_LANES;
    p->shards = (size_t)(p->m * p->n / PACK_NUMBERS * 4 + 1);
    return true;
}

static Product product(const CgCall *call)
{
    const CgTensor *x = &call->in[0], *y = &call->in[1], *z = call->out;
    bool ta = flag(call->attrs, "ta"), tb = flag(call->attrs, "tb");
    int r = x->rank, s = y->rank;
    Product p = {
        .batch = 1, .nk = 1, .m = z->dim[r - 2], .n = z->dim[r - 1], .k = x->dim[ta ? r - 2 : r - 1], .items = 1
    };
    p.x = (Factor){ .rs = x->stride[ta ? r - 1 : r - 2], .cs = x->stride[ta ? r - 2 : r - 1] };
    p.y = (Factor){ .rs = y->stride[tb ? s - 1 : s - 2], .cs = y->stride[tb ? s - 2 : s - 1] };
    for (int i = 0; i < r - 2; i++)
        p.batch *= x->dim[i];
    /* A shared right factor: the leading axes of x are more rows, if their strides go on evenly. */
    if (s == 2 && r > 2 && !ta) {
        int64_t step = p.x.rs * p.m;
        p.flat = true;
        for (int i = r - 3; i >= 0; i--) {
            if (x->dim[i] == 1)
                continue;
            if (p.m == 1 && step == p.x.rs)
                p.x.rs = step = x->stride[i];
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
        p.nm = p.nn = 1;
        p.shards = 1;
        p.items = p.batch > 0 ? p.batch : 1;
        return p;
    }
    choose_layout(&p.x, p.m, p.k);
    choose_layout(&p.y, p.k, p.n);
    double one = 2.0 * (double)p.m * (double)p.n * (double)p.k;
    p.skinny = (p.m <= SKINNY_ROWS || (one < SMALL_FLOPS && !call->bf16)) && p.batch == 1 && !p.x.packed && !p.y.packed
        && !(p.x.trans && p.y.trans);
    if (p.skinny) {
        choose_skinny(&p, one, cg_dtype_size(call->out->dtype));
        return p;
    }
    if (choose_split_k(call, &p, one))
        return p;
    p.packed_once = !in_blocks(&p, one) && choose_packed(call, &p, one);
    if (p.packed_once) {
        p.shards = (size_t)(p.nm * p.nn);
        return p;
    }
    choose_tiles(&p, one);
    if (p.x.packed || p.y.packed) {
        if (p.tm > SIDE_MAX)
            p.tm = SIDE_MAX;
        if (p.tn > SIDE_MAX)
            p.tn = SIDE_MAX;
    }
    p.nm = cg_ceil_div(p.m, p.tm);
    p.nn = cg_ceil_div(p.n, p.tn);
    if (p.nm * p.nn == 1 && one < TILE_FLOPS) {
        p.items = (int64_t)(TILE_FLOPS / one) + 1;
        if (p.items > cg_ceil_div(p.batch, TILES))
            p.items = cg_ceil_div(p.batch, TILES);
        if (one * (double)p.batch < TILE_FLOPS / 4)
            p.items = p.batch;
    }
    p.shards = (size_t)(cg_ceil_div(p.batch, p.items) * p.nm * p.nn);
    return p;
}

/* How it is cut, once for all runs. */
static void *matmul_prepare(const CgCall *call)
{
    Product *p = malloc(sizeof *p);
    if (p)
        *p = product(call);
    return p;
}

static Product prepared(const CgCall *call) { return call->state ? *(const Product *)call->state : product(call); }

/* Bytes before a factor that lies behind another. */
static size_t round_to_line(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Shards of `begin` for a factor. */
static int64_t pack_shards(int64_t rows, int64_t k)
{
    int64_t n = rows * k / PACK_NUMBERS;
    return n < 1 ? 1 : n > SHARDS / 2 ? SHARDS / 2 : n;
}

/* Both factors, but where few rows are read as they lie, in f32: those are gemm_skinny.h's for some strides. */
static uint32_t matmul_rounds(const CgCall *call)
{
    const CgTensor *z = call->out;
    int64_t rows = z->rank >= 2 ? cg_tensor_count(z) / (z->dim[z->rank - 1] ? z->dim[z->rank - 1] : 1) : 0;
    return call->bf16 && rows > SKINNY_ROWS ? 3 : 0;
}

static void matmul_work(const CgCall *call, CgWork *work)
{
    Product p = product(call);
    size_t size = cg_dtype_size(call->out->dtype), scratch = 0;
    double b = (double)p.batch, m = (double)p.m, n = (double)p.n, k = (double)p.k;
    double xsize = (double)cg_dtype_size(call->in[0].dtype), ysize = (double)cg_dtype_size(call->in[1].dtype);
    *work = (CgWork){ .flops = 2 * b * m * n * k,
        .bytes = b * m * k * xsize + b * m * n * (double)size + k * n * ysize,
        .shards = p.shards };
    if (p.packed_once) {
        bool both = !p.left_per_shard && p.gemm.left_bytes > 0;
        CgGemm some = p.gemm;
        some.m = between(cg_gemm_cached_panels(&p.gemm, p.k), 1, cg_ceil_div(p.gemm.left_panels, p.nm)) * p.gemm.mr;
        cg_gemm_layout(&some);
        work->scratch = p.left_per_shard ? some.left_bytes : 0;
        if (p.right_per_thread) {
            work->scratch += round_to_line(p.gemm.right_bytes);
            return;
        }
        work->shared = round_to_line(p.gemm.right_bytes) + (both ? p.gemm.left_bytes : 0);
        work->begin = (size_t)(pack_shards(p.n, p.k) + (both ? pack_shards(p.m, p.k) : 0));
        return;
    }
    if (p.nk > 1)
        work->shared = (size_t)(p.nk * p.m * p.n) * size;
    if (p.lanes) {
        work->begin = (size_t)p.lanes;
        work->shared = (size_t)(p.lanes * p.m * p.n) * size;
    }
    if (p.x.packed)
        scratch += round_to_line((size_t)(p.tm * p.k) * size);
    if (p.y.packed)
        scratch += (size_t)(p.k * p.tn) * size;
    work->scratch = scratch;
}

/* ---- matmul_add ---- */

/* Brings the m by n corner at row i (of all batch items together), column j of c to the result, which the product is
 * then added to; nothing to do when the result lies over c. */
static void copy_summand(const CgCall *call, int64_t i, int64_t j, int64_t m, int64_t n)
{
    const CgTensor *c = &call->in[2], *z = call->out;
    int r = z->rank;
    size_t size = cg_dtype_size(z->dtype);
    if (c->data == z->data)
        return;
    for (int64_t row = i; row < i + m; row++) {
        int64_t at = 0, rest = row, step = c->stride[r - 1];
        for (int a = r - 2; a >= 0; a--) {
            at += rest % c->dim[a] * c->stride[a];
            rest /= c->dim[a];
        }
        const char *from = (const char *)c->data + (at + j * step) * (int64_t)size;
        char *to = (char *)z->data + (row * z->dim[r - 1] + j) * (int64_t)size;
        for (int64_t k = 0; step != 1 && k < n; k++)
            memcpy(to + k * (int64_t)size, from + k * step * (int64_t)size, size);
        if (step == 1)
            memcpy(to, from, (size_t)n * size);
    }
}

/* ---- a product packed once ---- */

/* The factors of a product that is packed once, with the operands of a call. */
static void bind_factors(const CgCall *call, Product *p)
{
    p->gemm.a = call->in[0].data;
    p->gemm.b = call->in[1].data;
    p->gemm.right = call->shared;
    p->gemm.left =
        !p->left_per_shard && p->gemm.left_bytes ? (char *)call->shared + round_to_line(p->gemm.right_bytes) : NULL;
}

/* C (m,n) = beta C + A B, by this thread: f32 and bf16 by our own code, f64 by the library. */
static void whole(CgGemm *g, double beta, void *c, int64_t ldc)
{
    if (g->m < 1 || g->n < 1)
        return;
    if (g->dtype == CG_F32)
        cg_gemm_serial(g, 1, beta, c, ldc);
    else
        cg_gemm_f64(g->ta, g->tb, g->m, g->n, g->k, 1, g->a, g->lda, g->b, g->ldb, beta, c, ldc);
}

static void lane_product(const CgCall *call, const Product *p, int64_t lane)
{
    int64_t from = p->k * lane / p->lanes / 2 * 2,
            to = lane + 1 == p->lanes ? p->k : p->k * (lane + 1) / p->lanes / 2 * 2;
    CgGemm g = factors(call, p->x.trans, p->y.trans, p->m, p->n, to - from, p->x.ld, p->y.ld);
    g.a = (const char *)call->in[0].data + from * p->x.cs * cg_gemm_left_size(&g);
    g.b = (const char *)call->in[1].data + from * p->y.rs * cg_gemm_right_size(&g);
    whole(&g, 0, (char *)call->shared + (size_t)(lane * p->m * p->n) * cg_dtype_size(g.dtype), p->n);
}

/* Share i of n of a factor: rows of memory that follow each other. */
static void matmul_begin(const CgCall *call, CgShard shard)
{
    Product p = prepared(call);
    if (p.lanes) {
        lane_product(call, &p, (int64_t)shard.index);
        return;
    }
    bind_factors(call, &p);
    const CgGemm *g = &p.gemm;
    int64_t i = (int64_t)shard.index, n = pack_shards(p.n, p.k), from, to;
    if (i >= n) {
        i -= n;
        n = pack_shards(p.m, p.k);
        from = g->left_panels * i / n;
        to = g->left_panels * (i + 1) / n;
        cg_gemm_pack_left(
            g, (const char *)g->a + cg_gemm_row(g, from) * g->lda * cg_gemm_left_size(g), from, to, 0, p.k);
    } else if (g->tb) {
        cg_gemm_pack_right(g, g->right_panels * i / n, g->right_panels * (i + 1) / n, 0, p.k);
    } else {
        from = p.k * i / n / 2 * 2;
        to = i + 1 == n ? p.k : p.k * (i + 1) / n / 2 * 2;
        if (from < to)
            cg_gemm_pack_right(g, 0, g->right_panels, from, to);
    }
}

static void packed_shard(const CgCall *call, Product *p, CgShard shard)
{
    bind_factors(call, p);
    CgGemm *g = &p->gemm;
    int64_t u = (int64_t)shard.index, ic = u / p->nn, jc = u % p->nn;
    int64_t i0 = g->left_panels * ic / p->nm, i1 = g->left_panels * (ic + 1) / p->nm;
    CgGemmRange r = { i0, i1, g->right_panels * jc / p->nn, g->right_panels * (jc + 1) / p->nn, 0, p->k };
    char *to = call->out->data;
    double beta = call->nin == 3;
    char *own = shard.scratch;
    if (p->right_per_thread) {
        g->right = own;
        own += round_to_line(g->right_bytes);
        if (!shard.reused)
            cg_gemm_pack_right(g, 0, g->right_panels, 0, p->k);
    }
    if (call->nin == 3) {
        int64_t row = cg_gemm_row(g, i0), column = r.right0 * g->nr,
                end = r.right1 * g->nr < p->n ? r.right1 * g->nr : p->n;
        copy_summand(call, row, column, cg_gemm_row(g, i1) - row, end - column);
    }
    if (!p->left_per_shard) {
        if (g->left_bytes == 0)
            g->next[0] = cg_gemm_prefetch_left(g, i1, 2 * i1 - i0); /* the next share is most often ours */
        cg_gemm_run(g, r, 1, beta, to, p->n);
        return;
    }
    size_t size = cg_dtype_size(g->dtype);
    int64_t step = cg_equal_share(i1 - i0, cg_gemm_cached_panels(g, p->k));
    for (; i0 < i1; i0 += step) {
        int64_t last = i0 + step < i1 ? i0 + step : i1, row = cg_gemm_row(g, i0);
        CgGemm some = *g;
        some.m = cg_gemm_row(g, last) - row;
        some.left = own;
        cg_gemm_layout(&some);
        cg_gemm_pack_left(
            &some, (const char *)g->a + row * g->lda * cg_gemm_left_size(g), 0, some.left_panels, 0, p->k);
        some.next[0] = cg_gemm_prefetch_left(g, last, 2 * last - i0);
        cg_gemm_run(&some, (CgGemmRange){ 0, some.left_panels, r.right0, r.right1, 0, p->k }, 1, beta,
            to + (size_t)(row * p->n) * size, p->n);
    }
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

/* ---- tiles ---- */

/* z (m,n) = x (m,k) y (k,n), the corners of a tile. */
static void tile(const CgCall *call, const Product *p, const void *x, const void *y, void *z, int64_t m, int64_t n,
    int64_t k, char *scratch)
{
    CgGemm g = factors(call, p->x.trans, p->y.trans, m, n, k, p->x.ld, p->y.ld);
    g.a = x;
    g.b = y;
    if (p->x.packed) {
        g.a = copy_block(x, p->x.rs, p->x.cs, m, k, cg_gemm_left_size(&g), scratch);
        scratch += round_to_line((size_t)(p->tm * k) * cg_dtype_size(g.dtype));
        g.lda = k;
    }
    if (p->y.packed) {
        g.b = copy_block(y, p->y.rs, p->y.cs, k, n, cg_gemm_right_size(&g), scratch);
        g.ldb = n;
    }
    whole(&g, call->nin == 3, z, p->n);
}

#define T          float
#define NAME(word) word##_f32
#include "ops/matmul_tiles.h"
#define T          double
#define NAME(word) word##_f64
#include "ops/matmul_tiles.h"

/* Of partial sums, where there are any. */
static void matmul_finish(const CgCall *call, CgShard shard)
{
    (void)shard;
    if (!call->shared)
        return;
    Product p = prepared(call);
    if (p.nk == 1)
        return;
    if (call->out->dtype == CG_F32)
        meet_f32(call, &p);
    else
        meet_f64(call, &p);
}

/* ---- derivative and folding ---- */

static CgRef swap_last(CgBuild *b, CgRef x)
{
    int64_t perm[CG_MAX_RANK];
    int r = cg_ref_type(b, x).rank;
    for (int i = 0; i < r; i++)
        perm[i] = i;
    perm[r - 2] = r - 1;
    perm[r - 1] = r - 2;
    return cg_transpose(b, x, perm);
}

/* All axes but the last as one. */
static CgRef as_rows(CgBuild *b, CgRef x)
{
    CgType t = cg_ref_type(b, x);
    const CgDim *dim[2] = { cg_dim_int(1), t.dim[t.rank - 1] };
    for (int i = 0; i < t.rank - 1; i++)
        dim[0] = cg_dim_mul(dim[0], t.dim[i]);
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
    if (!cg_ref_is(b, r, "transpose"))
        return false;
    const CgAttr *perm = cg_attr_find(cg_ref_attrs(b, r), "perm");
    int n = perm->n;
    if (n < 2 || perm->ints[n - 1] != n - 2 || perm->ints[n - 2] != n - 1)
        return false;
    for (int i = 0; i < n - 2; i++)
        if (perm->ints[i] != i)
            return false;
    return true;
}

/* A matrix repeated over batch axes. */
static bool repeats_matrix(const CgBuild *b, CgRef r)
{
    if (!cg_ref_is(b, r, "broadcast") || cg_ref_type(b, cg_ref_in(b, r, 0)).rank != 2)
        return false;
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
    if (swaps_last(b, x))
        return cg_matmul(b, cg_ref_in(b, x, 0), y, !ta, tb);
    if (swaps_last(b, y))
        return cg_matmul(b, x, cg_ref_in(b, y, 0), ta, !tb);
    if (repeats_matrix(b, y))
        return cg_matmul(b, x, cg_ref_in(b, y, 0), ta, tb);
    return CG_NONE;
}

static void matmul_add_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_add(b, site->in[2], cg_build(b, "matmul", 2, site->in, site->attrs));
}

/* c + x y where nothing else wants the product. The later of two products is added to the earlier; a repeated row or
 * number is left to the sweep that adds it. */
static CgRef matmul_add_match(CgBuild *b, CgRef root)
{
    if (!cg_ref_is(b, root, "add"))
        return CG_NONE;
    CgRef x = cg_ref_in(b, root, 0), y = cg_ref_in(b, root, 1);
    for (int k = 0; k < 2; k++) {
        CgRef product = (x < y) == (k == 0) ? y : x, c = product == y ? x : y;
        if (!cg_ref_is(b, product, "matmul") || cg_ref_shared(b, product) || product == c)
            continue;
        if (cg_ref_is(b, c, "broadcast") || cg_ref_is(b, c, "const"))
            continue;
        return cg_build(b, "matmul_add", 3, (CgRef[3]){ cg_ref_in(b, product, 0), cg_ref_in(b, product, 1), c },
            cg_ref_attrs(b, product));
    }
    return CG_NONE;
}

static CgAxisRule matmul_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    int r = inf->in[operand].rank, out = inf->in[0].rank;
    if (operand == 2)
        return cg_axis_rule_same(inf, operand, axis, to);
    bool t = flag(inf->attrs, operand ? "tb" : "ta");
    int inner = (operand == 0) != t ? r - 1 : r - 2; /* the axis summed over */
    to->axis = axis;
    if (axis == inner)
        return CG_AXIS_WHOLE;
    if (axis >= r - 2)
        to->axis = operand ? out - 1 : out - 2;
    return CG_AXIS_POINTWISE;
}

static const CgSample matmul_samples[] = {
    { .in = "F[5,3] F[3,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5] F[7,3]", .attrs = "ta=1, tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[2,5,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,2] F[2,3,5,7]", .attrs = "ta=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[7,5]", .attrs = "tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,5,3] F[5,7]", .attrs = "ta=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,2] F[2,3,7,2]", .attrs = "tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[37,1531] F[1531,131]", .low = -0.71, .high = 2.385 }, /* long sums, in lanes */
    { .in = "F[1031,67] F[1031,97]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = "F[521,251] F[521,163]", .attrs = "ta=1", .low = -0.71, .high = 2.385 }, /* in blocks of rows */
    { .in = "F[83,149] F[1531,149]", .attrs = "tb=1", .low = -0.71, .high = 2.385 }, /* and of columns */
    { .in = "F[1031,67] F[67,97]", .low = -0.71, .high = 2.385 },     /* the right one packed by each thread */
    { .in = "F[5,149,131] F[131,269]", .low = -0.71, .high = 2.385 }, /* for all shards */
    { .in = "F[211,419] F[419,419]", .low = -0.71, .high = 2.385 },   /* cut along rows and columns, too */
    { .in = "F[3,149,134] F[134,269]", .low = -0.71, .high = 2.385 }, /* rows of pairs, if they are bf16 */
    { .in = "F[7,3,37,53] F[7,3,31,53]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[3,331] F[331,613]", .low = -0.71, .high = 2.385 }, /* few rows, by shards of the sum */
    { .in = "F[1,331] F[613,331]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[1,521] F[521,384]", .low = -0.71, .high = 2.385 },
    { .in = "F[521,4] F[521,301]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = "F[5,131] F[131,613]", .low = -0.71, .high = 2.385 }, /* by columns */
    { .in = "F[16,129] F[129,394]", .low = -0.71, .high = 2.385 },
    { .in = "F[67,16] F[67,3]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = "F[3,43] F[307,43]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[2,8,131] F[1031,131]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[28,67] F[67,197]", .low = -0.71, .high = 2.385 }, /* the most that are few, and one more */
    { .in = "F[28,67] F[197,67]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[29,67] F[67,197]", .low = -0.71, .high = 2.385 },
    { .in = "F[29,67] F[197,67]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[61,37] F[37,41]", .low = -0.71, .high = 2.385 }, /* few numbers */
    { .in = "F[17,83] F[17,35]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = "F[53,43] F[37,43]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[11,523] F[67,523]", .attrs = "tb=1", .low = -0.71, .high = 2.385 }, /* columns in pieces */
    { .in = NULL },
};

static const CgSample matmul_add_samples[] = {
    { .in = "F[5,3] F[3,7] F[5,7]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,2] F[2,3,5,7] F[2,3,2,7]", .attrs = "ta=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[7,5] F[2,3,7]", .attrs = "tb=1", .low = -2.385, .high = 2.385 },
    { .in = "F[37,1531] F[1531,131] F[37,131]", .low = -0.71, .high = 2.385 },
    { .in = "F[5,149,131] F[131,269] F[5,149,269]", .low = -0.71, .high = 2.385 },
    { .in = "F[3,331] F[331,613] F[3,613]", .low = -0.71, .high = 2.385 }, /* few rows */
    { .in = "F[1,521] F[521,384] F[1,384]", .low = -0.71, .high = 2.385 },
    { .in = "F[16,129] F[129,394] F[16,394]", .low = -0.71, .high = 2.385 },
    { .in = "F[5,67] F[331,67] F[5,331]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },
    { .in = "F[2,179,131] F[131,613] F[2,179,613]", .low = -0.71, .high = 2.385 },              /* packed for all */
    { .in = "F[83,149] F[1531,149] F[83,1531]", .attrs = "tb=1", .low = -0.71, .high = 2.385 }, /* in blocks */
    { .in = "F[1031,67] F[67,97] F[1031,97]", .low = -0.71, .high = 2.385 },                    /* by each thread */
    { .in = "F[19,301] F[43,301] F[19,43]", .attrs = "tb=1", .low = -0.71, .high = 2.385 },     /* few numbers */
    { .in = "F[17,83] F[17,35] F[83,35]", .attrs = "ta=1", .low = -0.71, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_matmul = {
    CG_OP_HERE,
    .name = "matmul",
    .sig = "(x: F[..s], y: F[..r], ta: bool = false, tb: bool = false) -> F[..q]",
    .doc = "Matrix product over the last two axes: (.., M, K) times (.., K, N) is (.., M, N).\n\n"
           "The leading axes agree, or y has two axes and is shared by all of x's leading ones.\n"
           "ta: x is (.., K, M). tb: y is (.., N, K). Inner sizes that differ are an error.\n",
    .shape = matmul_shape,
    .vjp = matmul_vjp,
    .kernel = CG_FLOAT_KERNELS(matmul),
    .begin = matmul_begin,
    .finish = matmul_finish,
    .work = matmul_work,
    .rounds = matmul_rounds,
    .prepare = matmul_prepare,
    .release = free,
    .fold = matmul_fold,
    .axis_rule = matmul_axis_rule,
    .traits = CG_LINEAR | CG_STRIDED | CG_PRODUCTS,
    .samples = matmul_samples,
};

static const CgOp op_matmul_add = {
    CG_OP_HERE,
    .name = "matmul_add",
    .sig = "(x: F[..s], y: F[..r], c: F[..q], ta: bool = false, tb: bool = false) -> F[..q]",
    .doc = "c + matmul(x, y, ta, tb): the product is added to c where it lies, when nothing else wants c any more.\n",
    .shape = matmul_add_shape,
    .expand = matmul_add_expand,
    .kernel = CG_FLOAT_KERNELS(matmul),
    .begin = matmul_begin,
    .finish = matmul_finish,
    .work = matmul_work,
    .rounds = matmul_rounds,
    .prepare = matmul_prepare,
    .release = free,
    .match = matmul_add_match,
    .axis_rule = matmul_axis_rule,
    .inplace = 4,
    .traits = CG_STRIDED | CG_PRODUCTS,
    .samples = matmul_add_samples,
};

CG_OPS(matmul, &op_matmul, &op_matmul_add)
