/* gemm.c - matrix products of our own: which code multiplies, and in which blocks.
 * Takes matrices as they lie or packed beforehand; gives products on the calling thread; any number of threads may
 * call. Blocks as in Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 2008. Must
 * not start threads, and must not let the order of sums depend on anything but the sizes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "graph/registry.h"
#include "run/gemm/gemm.h"

/* A block of the left factor stays in a 1 MiB second-level cache, of which it takes up to BLOCK bytes, while panels of
 * the right one, which may come from further away, pass by. Sums stay in registers over LONG bytes of units: coming
 * back to a result costs more than panels that outgrow the first-level cache. */
#define BLOCK (640 << 10)
#define LONG  8192
#define TALL  32   /* panels of a block at most */
#define DEPTH 2048 /* bytes of units that are packed at a time where they are not packed yet, */
#define WIDTH 512  /* of so many columns of the right factor */
#define ROWS  112  /* and rows of the left one */
#define STRIP 16   /* rows of a factor that are packed side by side: as many as the processor fetches ahead of us */
#define SMALL_PRODUCT \
    ((int64_t)128 * 128 * 128) /* multiplications of a product whose factors are read unpacked, at most */

/* What a thread packs for itself, kept from call to call and freed with the thread. */
typedef struct Panels {
    char left[(ROWS + 32) * (DEPTH + 128)], right[WIDTH * DEPTH + 128];
} Panels;

static pthread_key_t panels_key;
static const CgGemmKind *kinds, *half; /* f32 and f64; products of bf16 */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    if (pthread_key_create(&panels_key, free) != 0)
        CG_BUG("no key for the panels of a thread");
    kinds = cg_registry_is_exact() ? cg_gemm_kinds_exact : cg_gemm_kinds_base;
#ifdef CG_HAVE_X86_ISAS
    const char *isa = cg_registry_isa();
    if (strcmp(isa, "avx2") == 0)
        kinds = cg_gemm_kinds_avx2;
    if (strcmp(isa, "avx512") == 0)
        kinds = cg_gemm_kinds_avx512;
#endif
    half = &kinds[CG_GEMM_ROUNDED];
#if defined(__x86_64__)
    if (kinds != cg_gemm_kinds_base && strcmp(kinds->name, "avx512") == 0 && __builtin_cpu_supports("avx512bf16"))
        half = &cg_gemm_kind_bf16;
#endif
}

static const CgGemmKind *kind_of(CgDtype dtype, int bf16)
{
    pthread_once(&once, init);
    return dtype == CG_F64 ? &kinds[CG_GEMM_F64] : bf16 ? half : &kinds[CG_GEMM_F32];
}

const char *cg_gemm_name(bool bf16) { return kind_of(CG_F32, bf16)->name; }

void cg_bf16_round(const float *from, uint16_t *to, size_t n) { kind_of(CG_F32, true)->round(from, to, n); }

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- factors packed beforehand ----
 * The left factor keeps its order, rows along k or k along rows, and a panel of it is read with steps; but k along rows
 * is packed by panels of (units, mr) where a panel is narrow. The right one is packed by panels of (units, nr). All of
 * k lies together, so that any range of it can be multiplied. */

static inline const CgGemmKind *kind_in(const CgGemm *g) { return g->kind; }

static inline int64_t units(const CgGemmKind *x, int64_t k) { return cg_ceil_div(k, x->pair); }

static inline bool in_panels(const CgGemm *g, const CgGemmKind *x) { return g->ta && x->left_panels[0]; }

/* From a line of units of the packed left factor, or a panel of it, to the next: a step off the powers of two, so that
 * they do not all fall into the same sets of a cache. */
static inline int64_t left_step(const CgGemmKind *x, const CgGemm *g)
{
    int64_t line = in_panels(g, x) ? units(x, g->k) * x->mr : g->ta ? g->m : units(x, g->k);
    return (line + 15) / 16 * 16 + 16;
}

/* Pairs of bf16 are in the order in which they are multiplied: no packing is needed. */
static inline bool lies_in_pairs(const CgGemm *g, const CgGemmKind *x)
{
    return g->a16 && x->pair == 2 && !g->ta && g->lda % 2 == 0 && g->k % 2 == 0;
}

void cg_gemm_layout(CgGemm *g)
{
    const CgGemmKind *x = kind_of(g->dtype, g->bf16);
    g->kind = x;
    g->mr = x->mr;
    g->nr = x->nr;
    g->left_panels = cg_ceil_div(g->m, x->mr);
    g->right_panels = cg_ceil_div(g->n, x->nr);
    int64_t ku = units(x, g->k), left = (g->ta ? ku : g->m) * left_step(x, g);
    /* Unpacked, unless its rows fall into few sets of the first-level cache. */
    bool in_place = x->in_place || lies_in_pairs(g, x);
    if (in_panels(g, x))
        left = g->left_panels * left_step(x, g);
    else if (in_place && !(g->lda * cg_gemm_left_size(g) % 2048 == 0 && g->m > 4))
        left = 0;
    g->left_bytes = (size_t)(left * x->size);
    g->right_bytes = (size_t)(g->right_panels * ku * x->nr * x->size);
}

static inline char *left_panel(const CgGemm *g, const CgGemmKind *x, int64_t q, int64_t k)
{
    return (char *)g->left + (q * left_step(x, g) + k / x->pair * x->mr) * x->size;
}

/* Some panels side by side: a row of them is some lines of the cache. */
static void pack_panels(
    const CgGemm *g, const CgGemmKind *x, const char *a, int64_t first, int64_t last, int64_t k0, int64_t k1)
{
    int64_t row[STRIP + 1], r0 = cg_gemm_row(g, first);
    for (int64_t n; first < last; first += n) {
        n = least(STRIP, last - first);
        for (int64_t q = 0; q <= n; q++)
            row[q] = cg_gemm_row(g, first + q);
        x->left_panels[g->a16](a + (row[0] - r0) * cg_gemm_left_size(g), g->lda, row, n, k1 - k0,
            left_panel(g, x, first, k0), left_step(x, g));
    }
}

void cg_gemm_pack_left(const CgGemm *g, const void *a, int64_t first, int64_t last, int64_t k0, int64_t k1)
{
    const CgGemmKind *x = kind_in(g);
    int64_t u0 = k0 / x->pair, r0 = cg_gemm_row(g, first), rows = cg_gemm_row(g, last) - r0, step = left_step(x, g);
    if (in_panels(g, x)) {
        pack_panels(g, x, a, first, last, k0, k1);
        return;
    }
    char *out = (char *)g->left + (g->ta ? r0 + u0 * step : r0 * step + u0) * x->size;
    (g->ta ? x->left_columns : x->left_rows)[g->a16](a, g->lda, rows, k1 - k0, out, step);
}

void cg_gemm_pack_right(const CgGemm *g, int64_t first, int64_t last, int64_t k0, int64_t k1)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = cg_gemm_right_size(g), panel = units(x, g->k) * x->nr, strip = g->tb ? k1 - k0 : STRIP;
    for (int64_t l = k0; l < k1; l += strip)
        for (int64_t j = first; j < last; j++) {
            int64_t c = j * x->nr, at = g->tb ? c * g->ldb + l : l * g->ldb + c;
            x->right[g->b16](g->tb, (const char *)g->b + at * of, g->ldb, least(strip, k1 - l), least(x->nr, g->n - c),
                (char *)g->right + (j * panel + l / x->pair * x->nr) * x->size);
        }
}

/* Where row r, the first of panel q, begins at number k of the summed axis, and the steps to the next row and unit. */
static inline const char *left_at(
    const CgGemm *g, const CgGemmKind *x, int64_t q, int64_t r, int64_t k, int64_t *rs, int64_t *ps)
{
    if (g->left && in_panels(g, x)) {
        *rs = 1;
        *ps = x->mr;
        return left_panel(g, x, q, k);
    }
    if (!g->left) {
        *rs = g->ta ? 1 : g->lda / x->pair;
        *ps = g->ta ? g->lda : 1;
        return (const char *)g->a + (r * *rs + k / x->pair * *ps) * x->size;
    }
    *ps = g->ta ? left_step(x, g) : 1;
    *rs = g->ta ? 1 : left_step(x, g);
    return (const char *)g->left + (r * *rs + k / x->pair * *ps) * x->size;
}

/* An equal share of n; of nothing, as much as fits. */
static int64_t even(int64_t n, int64_t most) { return n > 0 ? cg_equal_share(n, most) : most; }

/* Of k, in steps of 32. */
static int64_t depth(int64_t k, int64_t most) { return least((even(k, most) + 31) / 32 * 32, most); }

/* ---- fetching ahead ---- */

#define LINE  64
#define AHEAD (256 << 10) /* bytes fetched ahead at most: more would drive out what is in use */

static CgPrefetch block_of(
    const CgGemm *g, const void *x, int64_t of, int64_t ld, bool along_k, int64_t from, int64_t to)
{
    if (to <= from)
        return (CgPrefetch){ 0 };
    if (along_k) /* k rows of some of its columns */
        return (CgPrefetch){ (const char *)x + from * of, g->k, (to - from) * of, ld * of };
    return (CgPrefetch){ (const char *)x + from * ld * of, to - from, g->k * of, ld * of };
}

CgPrefetch cg_gemm_prefetch_left(const CgGemm *g, int64_t first, int64_t last)
{
    return block_of(g, g->a, cg_gemm_left_size(g), g->lda, g->ta, first < g->left_panels ? cg_gemm_row(g, first) : g->m,
        last < g->left_panels ? cg_gemm_row(g, last) : g->m);
}

CgPrefetch cg_gemm_prefetch_right(const CgGemm *g, int64_t first, int64_t last)
{
    return block_of(
        g, g->b, cg_gemm_right_size(g), g->ldb, !g->tb, least(first * g->nr, g->n), least(last * g->nr, g->n));
}

/* Lines that are still to be fetched, spread evenly over the products of panels. */
typedef struct Ahead {
    const char *row;
    int64_t rows, bytes, step, at;
    double due, each;
} Ahead;

static Ahead ahead(const CgPrefetch *x, int64_t products)
{
    Ahead a = { .row = x->at, .rows = x->rows, .bytes = x->bytes, .step = x->step };
    if (a.step == a.bytes) {
        a.bytes *= a.rows;
        a.rows = a.rows > 0;
    }
    if (a.rows * a.bytes > AHEAD) {
        if (a.rows == 1)
            a.bytes = AHEAD;
        else
            a.rows = AHEAD / a.bytes;
    }
    a.each = (double)(a.rows * ((a.bytes + LINE - 1) / LINE)) / (double)(products + (products == 0)) + 1e-3;
    return a;
}

static inline void fetch(Ahead *a)
{
    for (a->due += a->each; a->due >= 1 && a->rows > 0; a->due--) {
        __builtin_prefetch(a->row + a->at, 0, 2);
        a->at += LINE;
        if (a->at >= a->bytes) {
            a->at = 0;
            a->row += a->step;
            a->rows--;
        }
    }
}

/* ---- multiplying ---- */

int64_t cg_gemm_cached_panels(const CgGemm *g, int64_t k)
{
    const CgGemmKind *x = kind_in(g);
    int64_t panel = units(x, least(k, LONG / x->size * x->pair)) * x->size * x->mr;
    return panel * TALL <= BLOCK ? TALL : BLOCK / panel;
}

/* `unread`: panels of the right factor are not packed yet, and the first panel of rows packs them. */
static void multiply(const CgGemm *g, CgGemmRange r, double alpha, double beta, void *c, int64_t ldc, bool unread)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = (int64_t)cg_dtype_size(g->dtype), kc = depth(r.k1 - r.k0, LONG / x->size * x->pair);
    int64_t panel = units(x, g->k) * x->nr;
    int64_t products = (r.left1 - r.left0) * (r.right1 - r.right0) * cg_ceil_div(r.k1 - r.k0, kc);
    Ahead next = ahead(&g->next[0], products), other = ahead(&g->next[1], products);
    for (int64_t l = r.k0; l < r.k1; l += kc) {
        int64_t ku = units(x, least(kc, r.k1 - l)), step = even(r.left1 - r.left0, cg_gemm_cached_panels(g, kc));
        double be = l == r.k0 ? beta : 1;
        for (int64_t q0 = r.left0; q0 < r.left1; q0 += step) {
            /* Where the panels of a block are, once for all columns. */
            const char *a[TALL];
            int64_t row[TALL + 1], rs = 0, ps = 0, tall = least(step, r.left1 - q0);
            for (int64_t q = 0; q <= tall; q++)
                row[q] = cg_gemm_row(g, q0 + q);
            for (int64_t q = 0; q < tall; q++)
                a[q] = left_at(g, x, q0 + q, row[q], l, &rs, &ps);
            for (int64_t j = r.right0; j < r.right1; j++) {
                char *packed = g->right ? (char *)g->right + (j * panel + l / x->pair * x->nr) * x->size : NULL;
                int64_t column = j * x->nr, cols = least(x->nr, g->n - column);
                for (int64_t q = 0; q < tall; q++) {
                    bool as_it_lies = !packed || (unread && q0 + q == r.left0);
                    const char *b = as_it_lies ? (const char *)g->b + (l * g->ldb + column) * x->size : packed;
                    fetch(&next);
                    fetch(&other);
                    x->micro(ku, a[q], rs, ps, b, as_it_lies ? g->ldb : x->nr, alpha, be,
                        (char *)c + (row[q] * ldc + column) * of, ldc, row[q + 1] - row[q], cols,
                        as_it_lies ? packed : NULL);
                }
            }
        }
    }
}

void cg_gemm_run(const CgGemm *g, CgGemmRange r, double alpha, double beta, void *c, int64_t ldc)
{
    multiply(g, r, alpha, beta, c, ldc, false);
}

/* ---- weights of a softmax ---- */

static char *right_at(const CgGemm *g, const CgGemmKind *x, int64_t panel, int64_t k)
{
    return g->right ? (char *)g->right + (panel * units(x, g->k) + k / x->pair) * x->nr * x->size : NULL;
}

bool cg_gemm_softmax_tile(const CgGemm *g, int64_t row, int64_t rows, int64_t panel, const CgSoftmaxTile *w)
{
    const CgGemmKind *x = kind_in(g);
    int64_t rs, ps;
    const char *a = left_at(g, x, 0, row, 0, &rs, &ps);
    return x->softmax_tile(units(x, g->k), a, rs, right_at(g, x, panel, 0), w, rows, right_at(w->right, x, 0, w->k));
}

void cg_gemm_softmax_grad_tile(
    const CgGemm *g, const CgGemm *h, int64_t row, int64_t rows, int64_t panel, const CgSoftmaxGradTile *s)
{
    const CgGemmKind *x = kind_in(g);
    int64_t rs, ds, ps, step = 0, l;
    const char *a = left_at(g, x, 0, row, 0, &rs, &ps), *d = left_at(h, x, 0, row, 0, &ds, &ps);
    void *to[2] = { NULL, NULL };
    const CgGemm *const left[2] = { s->left_w, s->left_ds };
    for (int i = 0; i < 2; i++)
        if (left[i]->left) {
            union {
                const char *in;
                char *out;
            } u = { left_at(left[i], x, 0, 0, s->left_k, &step, &l) };
            to[i] = u.out;
        }
    x->softmax_grad_tile(units(x, g->k), a, rs, d, ds, right_at(g, x, panel, 0), right_at(h, x, panel, 0), s, rows,
        to[0], to[1], step, right_at(s->right, x, s->right_panel, s->right_k));
}

/* ---- whole products ---- */

static Panels *panels(void)
{
    char *p = pthread_getspecific(panels_key);
    if (!p) {
        p = cg_malloc(sizeof(Panels) + 64);
        pthread_setspecific(panels_key, p);
    }
    return (void *)(p + (64 - (uintptr_t)p % 64)); /* no load of a vector crosses a line */
}

static CgGemmRange all_of(const CgGemm *g) { return (CgGemmRange){ 0, g->left_panels, 0, g->right_panels, 0, g->k }; }

/* Rows [rows i / n, rows (i + 1) / n) of a block. */
static CgPrefetch share(CgPrefetch x, int64_t i, int64_t n)
{
    int64_t from = x.rows * i / n;
    if (x.rows > 0)
        x.at = (const char *)x.at + from * x.step;
    x.rows = x.rows * (i + 1) / n - from;
    return x;
}

/* The product of rows [i, i + m) and columns [j, j + n) over [l, l + k), as far as they go. */
static CgGemm block(const CgGemm *g, int64_t i, int64_t m, int64_t j, int64_t n, int64_t l, int64_t k)
{
    CgGemm s = *g;
    s.m = least(m, g->m - i);
    s.n = least(n, g->n - j);
    s.k = least(k, g->k - l);
    s.a = (const char *)g->a + (g->ta ? l * g->lda + i : i * g->lda + l) * cg_gemm_left_size(g);
    s.b = (const char *)g->b + (g->tb ? j * g->ldb + l : l * g->ldb + j) * cg_gemm_right_size(g);
    cg_gemm_layout(&s);
    return s;
}

/* Block by block, each packed by this thread: the left factor before it is multiplied, a panel of the right one when
 * the first rows come to it. What is packed next is fetched while the rest is multiplied. */
static void blocked(const CgGemm *g, double alpha, double beta, void *c, int64_t ldc)
{
    const CgGemmKind *x = kind_in(g);
    Panels *own = panels();
    int64_t of = (int64_t)cg_dtype_size(g->dtype), kc = depth(g->k, DEPTH / x->size * x->pair),
            wide = WIDTH / x->nr * x->nr;
    for (int64_t j = 0; j < g->n; j += wide)
        for (int64_t l = 0; l < g->k; l += kc)
            for (int64_t i = 0; i < g->m; i += ROWS) {
                CgGemm s = block(g, i, ROWS, j, wide, l, kc);
                CgPrefetch rows = { 0 };
                s.right = own->right;
                s.left = s.left_bytes ? own->left : NULL;
                if (s.left)
                    cg_gemm_pack_left(&s, s.a, 0, s.left_panels, 0, s.k);
                if (i + ROWS < g->m || l + kc < g->k) {
                    CgGemm next = i + ROWS < g->m ? block(g, i + ROWS, ROWS, j, wide, l, kc)
                                                  : block(g, 0, ROWS, j, wide, l + kc, kc);
                    rows = cg_gemm_prefetch_left(&next, 0, next.left_panels);
                }
                for (int64_t p = 0; p < s.right_panels; p++) {
                    /* What lies as it will be packed is packed as it is multiplied for the first time. */
                    bool unread = i == 0 && x->in_place && !g->tb && (p + 1) * x->nr <= s.n;
                    if (i == 0 && !unread)
                        cg_gemm_pack_right(&s, p, p + 1, 0, s.k);
                    s.next[0] = share(rows, p, s.right_panels);
                    s.next[1] = i == 0 ? cg_gemm_prefetch_right(&s, p + 1, p + 2) : (CgPrefetch){ 0 };
                    multiply(&s, (CgGemmRange){ 0, s.left_panels, p, p + 1, 0, s.k }, alpha, l == 0 ? beta : 1,
                        (char *)c + (i * ldc + j) * of, ldc, unread);
                }
            }
}

/* The right factor as it lies, but for the columns that do not fill a panel. */
static void unpacked(CgGemm *g, double alpha, double beta, void *c, int64_t ldc)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = (int64_t)cg_dtype_size(g->dtype), whole = g->n / x->nr * x->nr;
    CgGemm s = *g;
    if (whole > 0) {
        s.n = whole;
        cg_gemm_layout(&s);
        cg_gemm_run(&s, all_of(&s), alpha, beta, c, ldc);
    }
    if (whole < g->n) {
        s.n = g->n - whole;
        s.b = (const char *)g->b + whole * of;
        cg_gemm_layout(&s);
        blocked(&s, alpha, beta, (char *)c + whole * of, ldc);
    }
}

void cg_gemm_serial(CgGemm *g, double alpha, double beta, void *c, int64_t ldc)
{
    cg_gemm_layout(g);
    if (kind_in(g)->in_place && !g->tb && (g->m <= 2 * g->mr || g->m * g->n * g->k <= SMALL_PRODUCT))
        unpacked(g, alpha, beta, c, ldc);
    else
        blocked(g, alpha, beta, c, ldc);
}
