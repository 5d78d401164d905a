/* gemm.h - matrix products of our own, seen from inside: what an instruction set must offer.
 * A unit is one number of the summed axis, or a pair of bf16 that one instruction multiplies. A kind packs panels of
 * units and multiplies a panel of the left factor by one of the right; gemm.c does all the rest. */
#ifndef CG_GEMM_H
#define CG_GEMM_H
#include <cg/kernel.h>

typedef struct CgGemmKind {
    const char *name;
    int mr, nr;    /* rows and columns of the result that are held in registers */
    int pair;      /* numbers in a unit: 1 or 2 */
    int size;      /* bytes of a unit */
    bool in_place; /* a unit is one number of the tensor: factors need not be packed */
    /* Factors of numbers as they are before rounding, [0], or of bf16, [1]: where products are in bf16 only.
     * `rows` rows of a (rows, k): unit p of row r goes to out[r * step + p]. */
    void (*left_rows[2])(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step);
    /* Rows that are columns of a (k, rows): unit p of row r goes to out[p * step + r]. */
    void (*left_columns[2])(const void *a, int64_t ld, int64_t rows, int64_t k, void *out, int64_t step);
    /* In place of it where a panel is narrower than a line of the cache, else NULL: number r of row p, of panel q from
     * row[q] to row[q + 1], goes to out[q * step + p * mr + r - row[q]]; a begins at row[0]. */
    void (*left_panels[2])(
        const void *a, int64_t ld, const int64_t *row, int64_t panels, int64_t k, void *out, int64_t step);
    /* One panel of `cols` columns of b (k, cols), or of (cols, k) when trans: unit p of column c goes to
     * out[p * nr + c], 0 beyond `cols`. */
    void (*right[2])(bool trans, const void *b, int64_t ld, int64_t k, int64_t cols, void *out);
    /* C (rows, cols) = beta C + alpha A B over ku units: unit p of row r of A at a[r * rs + p * ps], of column c of B
     * at b[p * bs + c]. With beta 0, C is not read. Reads nr columns of B; where a unit is one number of the tensor,
     * they are kept at keep[p * nr + c], too, unless it is NULL. */
    void (*micro)(int64_t ku, const void *a, int64_t rs, int64_t ps, const void *b, int64_t bs, double alpha,
        double beta, void *c, int64_t ldc, int64_t rows, int64_t cols, void *keep);
    /* cg_gemm_softmax_tile over ku units: row r of a at a[r * rs ..]; b is a panel, and right that of w->right from
     * unit k on.
     */
    bool (*softmax_tile)(
        int64_t ku, const void *a, int64_t rs, const void *b, const CgSoftmaxTile *w, int64_t rows, void *right);
    /* cg_gemm_softmax_grad_tile, of a b and d h. Rows go to left_w[r * step ..], left_s[r * step ..], and to right as
     * before: either may be NULL where a unit is one number of the tensor. */
    void (*softmax_grad_tile)(int64_t ku, const void *a, int64_t rs, const void *d, int64_t ds, const void *b,
        const void *h, const CgSoftmaxGradTile *s, int64_t rows, void *left_w, void *left_s, int64_t step, void *right);
    /* As cg_bf16_round; only where products are in bf16. */
    void (*round)(const float *from, uint16_t *to, size_t n);
} CgGemmKind;

/* In registers, where they are AVX-512's. */
#define CG_GEMM_SOFTMAX(kind)                                                                                     \
    bool cg_gemm_softmax_tile_##kind(                                                                             \
        int64_t ku, const void *a, int64_t rs, const void *b, const CgSoftmaxTile *w, int64_t rows, void *right); \
    void cg_gemm_softmax_grad_tile_##kind(int64_t ku, const void *a, int64_t rs, const void *d, int64_t ds,       \
        const void *b, const void *h, const CgSoftmaxGradTile *s, int64_t rows, void *left_w, void *left_s,       \
        int64_t step, void *right);
CG_GEMM_SOFTMAX(f32)
CG_GEMM_SOFTMAX(bf16)

#define CG_GEMM_SLACK 8 /* weights are at most 2 to this: a base that rose at every new maximum would rise often */

/* As they are compiled for each instruction set: f32, f32 rounded to bf16 on the way, f64. */
enum { CG_GEMM_F32, CG_GEMM_ROUNDED, CG_GEMM_F64, CG_GEMM_KINDS };
extern const CgGemmKind cg_gemm_kinds_exact[CG_GEMM_KINDS], cg_gemm_kinds_base[CG_GEMM_KINDS],
    cg_gemm_kinds_avx2[CG_GEMM_KINDS], cg_gemm_kinds_avx512[CG_GEMM_KINDS];
extern const CgGemmKind cg_gemm_kind_bf16; /* AVX512-BF16 */

const char *cg_gemm_name(bool bf16); /* of what multiplies: "avx512", "avx512_bf16", "avx2 rounded" */
#endif
