/* gemm.c - matrix products of our own: which code multiplies, and in which blocks.
 * Takes matrices as they lie or packed beforehand; gives products on the calling thread; any number of threads may call.
 * Blocks as in Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 2008. Must not start
 * threads, and must not let the order of sums depend on anything but the sizes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cg/kernel.h>
#include "graph/registry.h"
#include "run/gemm.h"

/* A block of the left factor, TALL panels of up to 14 rows of DEPTH bytes of units, stays in half a 1 MiB second-level
 * cache while panels of the right one pass through the first. */
#define DEPTH 1024
#define TALL  32
#define WIDTH 512       /* columns of the right factor that are packed at a time when nobody packed them before */
#define ROWS  224       /* rows of the left one, likewise */
#define STRIP 16        /* rows of a factor that are packed side by side: as many as the processor fetches ahead of us */
#define FEW   ((int64_t)128 * 128 * 128)    /* products up to this size are read where they lie */

/* What a thread packs for itself, kept from call to call and freed with the thread. */
typedef struct Panels { char left[(ROWS + 16) * (DEPTH + 128)], right[WIDTH * DEPTH + 128]; } Panels;

static pthread_key_t panels_key;
static const CgGemmKind *kinds, *half;      /* f32 and f64; products of bf16 */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    if (pthread_key_create(&panels_key, free) != 0)
        CG_BUG("no key for the panels of a thread");
    kinds = cg_gemm_kinds_base;
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

const char *cg_gemm_name(bool bf16)
{
    return kind_of(CG_F32, bf16)->name;
}

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- factors packed beforehand ----
 * The left factor is packed by rows when its rows lie along k, each by itself; by panels of (units, mr) when its columns
 * do. The right one by panels of (units, nr). All of k lies together, so that any range of it can be multiplied. */

static inline const CgGemmKind *kind_in(const CgGemm *g)
{
    return g->kind;
}

static inline int64_t units(const CgGemmKind *x, int64_t k)
{
    return (k + x->pair - 1) / x->pair;
}

/* Units from row to row: a step off the powers of two, so that rows do not all fall into the same sets of a cache. */
static inline int64_t row_step(const CgGemmKind *x, int64_t k)
{
    return (units(x, k) + 15) / 16 * 16 + 16;
}

void cg_gemm_layout(CgGemm *g)
{
    const CgGemmKind *x = kind_of(g->dtype, g->bf16);
    g->kind = x;
    g->mr = x->mr;
    g->nr = x->nr;
    g->left_panels = (g->m + x->mr - 1) / x->mr;
    g->right_panels = (g->n + x->nr - 1) / x->nr;
    int64_t ku = units(x, g->k), left = g->ta ? g->left_panels * ku * x->step : g->m * row_step(x, g->k);
    /* Where it lies, unless its rows fall into few sets of the first-level cache. */
    g->left_bytes = x->in_place && !(g->lda * x->size % 2048 == 0 && g->m > 4) ? 0 : (size_t)(left * x->size);
    g->right_bytes = (size_t)(g->right_panels * ku * x->nr * x->size);
}

void cg_gemm_pack_left(const CgGemm *g, const void *a, int64_t first, int64_t last, int64_t k0, int64_t k1)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = (int64_t)cg_dtype_size(g->dtype), u0 = k0 / x->pair, r0 = cg_gemm_row(g, first);
    const char *from = a;
    char *out = g->left;
    if (!g->ta) {
        int64_t step = row_step(x, g->k);
        x->left_rows(from, g->lda, cg_gemm_row(g, last) - r0, k1 - k0, out + (r0 * step + u0) * x->size, step);
        return;
    }
    int64_t panel = units(x, g->k) * x->step;
    int64_t strip = g->lda * of % 2048 == 0 ? STRIP / 2 : STRIP;       /* rows that fall into one set of the first-level cache */
    for (int64_t l = k0; l < k1; l += strip)
        for (int64_t q = first; q < last; q++) {
            int64_t r = cg_gemm_row(g, q);
            x->left_columns(from + ((l - k0) * g->lda + r - r0) * of, g->lda, cg_gemm_row(g, q + 1) - r, least(strip, k1 - l),
                            out + (q * panel + l / x->pair * x->step) * x->size);
        }
}

void cg_gemm_pack_right(const CgGemm *g, int64_t first, int64_t last, int64_t k0, int64_t k1)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = (int64_t)cg_dtype_size(g->dtype), panel = units(x, g->k) * x->nr, strip = g->tb ? k1 - k0 : STRIP;
    for (int64_t l = k0; l < k1; l += strip)
        for (int64_t j = first; j < last; j++) {
            int64_t c = j * x->nr, at = g->tb ? c * g->ldb + l : l * g->ldb + c;
            x->right(g->tb, (const char *)g->b + at * of, g->ldb, least(strip, k1 - l), least(x->nr, g->n - c),
                     (char *)g->right + (j * panel + l / x->pair * x->nr) * x->size);
        }
}

/* Where panel q, of rows from r on, begins at number k of the summed axis, and the steps to its next row and unit. */
static inline const char *left_at(const CgGemm *g, const CgGemmKind *x, int64_t q, int64_t r, int64_t k, int64_t *rs,
                                  int64_t *ps)
{
    if (!g->left) {
        *rs = g->ta ? 1 : g->lda;
        *ps = g->ta ? g->lda : 1;
        return (const char *)g->a + (r * *rs + k * *ps) * x->size;
    }
    *ps = g->ta ? x->step : 1;
    *rs = g->ta ? 1 : row_step(x, g->k);
    int64_t from = g->ta ? q * units(x, g->k) * x->step : r * *rs;
    return (const char *)g->left + (from + k / x->pair * *ps) * x->size;
}

/* Equal blocks of k of at most `most`, in steps of 32. */
static int64_t depth(int64_t k, int64_t most)
{
    int64_t blocks = (k + most - 1) / most, kc = (k + blocks - 1) / blocks;
    return least((kc + 31) / 32 * 32, most);
}

void cg_gemm_run(const CgGemm *g, CgGemmRange r, double alpha, double beta, void *c, int64_t ldc)
{
    const CgGemmKind *x = kind_in(g);
    int64_t of = (int64_t)cg_dtype_size(g->dtype), kc = depth(r.k1 - r.k0, DEPTH / x->size * x->pair);
    int64_t panel = units(x, g->k) * x->nr, bs = g->right ? x->nr : g->ldb;
    for (int64_t l = r.k0; l < r.k1; l += kc) {
        int64_t ku = units(x, least(kc, r.k1 - l)), tall;
        double be = l == r.k0 ? beta : 1;
        for (int64_t q0 = r.left0; q0 < r.left1; q0 += tall) {
            /* Where the panels of a block are, once for all columns. */
            const char *a[TALL];
            int64_t row[TALL + 1], rs = 0, ps = 0;
            tall = least(TALL, r.left1 - q0);
            for (int64_t q = 0; q <= tall; q++)
                row[q] = cg_gemm_row(g, q0 + q);
            for (int64_t q = 0; q < tall; q++)
                a[q] = left_at(g, x, q0 + q, row[q], l, &rs, &ps);
            for (int64_t j = r.right0; j < r.right1; j++) {
                const char *b = g->right ? (const char *)g->right + (j * panel + l / x->pair * x->nr) * x->size
                                         : (const char *)g->b + (l * g->ldb + j * x->nr) * x->size;
                int64_t column = j * x->nr, cols = least(x->nr, g->n - column);
                for (int64_t q = 0; q < tall; q++)
                    x->micro(ku, a[q], rs, ps, b, bs, alpha, be, (char *)c + (row[q] * ldc + column) * of, ldc,
                             row[q + 1] - row[q], cols);
            }
        }
    }
}

/* ---- whole products ---- */

static Panels *panels(void)
{
    char *p = pthread_getspecific(panels_key);
    if (!p) {
        p = cg_malloc(sizeof(Panels) + 64);
        pthread_setspecific(panels_key, p);
    }
    return (void *)(p + (64 - (uintptr_t)p % 64));      /* no load of a vector crosses a line */
}

static CgGemmRange all_of(const CgGemm *g)
{
    return (CgGemmRange){ 0, g->left_panels, 0, g->right_panels, 0, g->k };
}

/* Block by block, each packed by this thread. */
static void blocked(const CgGemm *g, double alpha, double beta, void *c, int64_t ldc)
{
    const CgGemmKind *x = kind_in(g);
    Panels *own = panels();
    int64_t of = (int64_t)cg_dtype_size(g->dtype), kc = depth(g->k, DEPTH / x->size * x->pair), wide = WIDTH / x->nr * x->nr;
    for (int64_t j = 0; j < g->n; j += wide)
        for (int64_t l = 0; l < g->k; l += kc) {
            CgGemm s = *g;
            s.n = least(wide, g->n - j);
            s.k = least(kc, g->k - l);
            s.b = (const char *)g->b + (g->tb ? j * g->ldb + l : l * g->ldb + j) * of;
            s.right = own->right;
            cg_gemm_layout(&s);
            cg_gemm_pack_right(&s, 0, s.right_panels, 0, s.k);
            for (int64_t i = 0; i < g->m; i += ROWS) {
                s.m = least(ROWS, g->m - i);
                s.a = (const char *)g->a + (g->ta ? l * g->lda + i : i * g->lda + l) * of;
                cg_gemm_layout(&s);
                s.left = s.left_bytes ? own->left : NULL;
                if (s.left)
                    cg_gemm_pack_left(&s, s.a, 0, s.left_panels, 0, s.k);
                cg_gemm_run(&s, all_of(&s), alpha, l == 0 ? beta : 1, (char *)c + (i * ldc + j) * of, ldc);
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

void cg_gemm_own(CgGemm *g, double alpha, double beta, void *c, int64_t ldc)
{
    cg_gemm_layout(g);
    if (kind_in(g)->in_place && !g->tb && (g->m <= 2 * g->mr || g->m * g->n * g->k <= FEW))
        unpacked(g, alpha, beta, c, ldc);
    else
        blocked(g, alpha, beta, c, ldc);
}
