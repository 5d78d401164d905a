/* softmax.h - softmax tiles of one kind of units; a pattern, not a header.
 * Takes UNIT, VECTOR of 16, NAME(word), ONE and SOME units as such, TIMES, PUT_ROW and PUT_PAIR of rows, RESCALED
 * units, PAIR_UNITS that a pair of rows takes in a right factor, and BY_COLUMN, whether derivatives are wanted there
 * apart from rows; gives what gemm.h says. Included by softmax.c only. */

/* ---- weights: up to 14 rows ---- */

#ifndef CG_GEMM_SOFTMAX_ONCE
    #define CG_GEMM_SOFTMAX_ONCE
    #define ZERO(r) __m512 u##r = _mm512_setzero_ps(), v##r = u##r;
    /* Three pointers and few steps reach all rows without a register for each. */
    #define AT(r)   ((r) < 5 ? x : (r) < 10 ? y : z)[(r) % 5 == 3 ? rs3 : (r) % 5 * rs]
    #define STEP(r)                        \
        if (r < ROWS) {                    \
            VECTOR w = ONE(AT(r));         \
            if (BOTH)                      \
                u##r = TIMES(u##r, w, b0); \
            v##r = TIMES(v##r, w, b1);     \
        }
    #define SCALE(r)                           \
        if (r < ROWS) {                        \
            u##r = _mm512_mul_ps(u##r, alpha); \
            v##r = _mm512_mul_ps(v##r, alpha); \
        }
    #define SCORE(r)                                                   \
        if (r < ROWS) {                                                \
            const float *own = mask ? mask + r * NR : NULL;            \
            if (BOTH)                                                  \
                u##r = score(u##r, s->cap, own, &slope);               \
            v##r = score(v##r, s->cap, own ? own + 16 : NULL, &slope); \
        }
    #define CAPPED_AND_MASKED            \
        if (s->mask || s->cap > 0) {     \
            const float *mask = s->mask; \
            __m512 slope;                \
            EACH_ROW(SCORE)              \
        }
    #define HIDE(r)                                                            \
        if (r < ROWS) {                                                        \
            if (BOTH)                                                          \
                u##r = _mm512_mask_mov_ps(none, seen(s->diagonal + r), u##r);  \
            v##r = _mm512_mask_mov_ps(none, seen(s->diagonal + r - 16), v##r); \
        }
    #define TOP(r)                                \
        if (r < ROWS) {                           \
            if (BOTH)                             \
                top0 = _mm512_max_ps(top0, u##r); \
            top1 = _mm512_max_ps(top1, v##r);     \
        }
    #define WEIGHT(r)                                                    \
        if (r < ROWS) {                                                  \
            if (BOTH) {                                                  \
                u##r = exp2_low(_mm512_fmsub_ps(u##r, exponent, base0)); \
                sum0 = _mm512_add_ps(sum0, u##r);                        \
            }                                                            \
            v##r = exp2_low(_mm512_fmsub_ps(v##r, exponent, base1));     \
            sum1 = _mm512_add_ps(sum1, v##r);                            \
        }
    #define WEIGHTS(r, q)                                   \
        if (r < ROWS) {                                     \
            WEIGHT(r)                                       \
            WEIGHT(q)                                       \
            PUT_PAIR(out, u##r, v##r, u##q, v##q, q < ROWS) \
            out += PAIR_UNITS * NR;                         \
        }
    /* Where a score is far above what its column's weights are relative to, these are made anew. */
    #define RAISE_BASES                                                                                              \
        __mmask16 far0 = _mm512_cmp_ps_mask(_mm512_mul_ps(top0, exponent), _mm512_add_ps(base0, slack), _CMP_GT_OQ); \
        __mmask16 far1 = _mm512_cmp_ps_mask(_mm512_mul_ps(top1, exponent), _mm512_add_ps(base1, slack), _CMP_GT_OQ); \
        if (far0 | far1) {                                                                                           \
            __m512 by0 = risen(s, top0, 0, &base0), by1 = risen(s, top1, 16, &base1);                                \
            for (UNIT *before = out - s->k * PAIR_UNITS / 2 * NR; before < out; before += NR) {                      \
                RESCALED(before, by0);                                                                               \
                RESCALED(before + 16, by1);                                                                          \
            }                                                                                                        \
            rose = true;                                                                                             \
        }
    /* Where nothing of the first 16 columns counts only the others are computed: `both` is false. */
    #define SOFTMAX(R, both, of)                                                                               \
        WIDE static bool NAME(softmax_##of##R)(                                                                \
            int64_t ku, const UNIT *a, int64_t rs, const UNIT *b, const CgSoftmaxTile *s, UNIT *out)           \
        {                                                                                                      \
            enum { ROWS = R, BOTH = both };                                                                    \
            const UNIT *x = a, *y = a + 5 * rs, *z = a + 10 * rs;                                              \
            int64_t rs3 = 3 * rs;                                                                              \
            bool rose = false;                                                                                 \
            EACH_ROW(ZERO)                                                                                     \
            for (int64_t p = 0; p < ku; p++) {                                                                 \
                VECTOR b0 = SOME(b + (BOTH ? 0 : 16)), b1 = SOME(b + 16);                                      \
                EACH_ROW(STEP)                                                                                 \
                x++;                                                                                           \
                y++;                                                                                           \
                z++;                                                                                           \
                b += NR;                                                                                       \
            }                                                                                                  \
            if (s->alpha != 1) {                                                                               \
                const __m512 alpha = _mm512_set1_ps((float)s->alpha);                                          \
                EACH_ROW(SCALE)                                                                                \
            }                                                                                                  \
            CAPPED_AND_MASKED                                                                                  \
            if (s->diagonal + ROWS > 1) {                                                                      \
                const __m512 none = _mm512_set1_ps(-INFINITY);                                                 \
                EACH_ROW(HIDE)                                                                                 \
            }                                                                                                  \
            float *base = s->base, *sum = s->sum;                                                              \
            const __m512 exponent = _mm512_set1_ps((float)s->exponent), slack = _mm512_set1_ps(CG_GEMM_SLACK); \
            __m512 base0 = _mm512_loadu_ps(base), base1 = _mm512_loadu_ps(base + 16);                          \
            __m512 top0 = BOTH ? u0 : _mm512_set1_ps(-INFINITY), top1 = v0;                                    \
            EACH_ROW(TOP)                                                                                      \
            RAISE_BASES                                                                                        \
            __m512 sum0 = _mm512_loadu_ps(sum), sum1 = _mm512_loadu_ps(sum + 16);                              \
            EACH_PAIR(WEIGHTS)                                                                                 \
            _mm512_storeu_ps(sum, sum0);                                                                       \
            _mm512_storeu_ps(sum + 16, sum1);                                                                  \
            return rose;                                                                                       \
        }
    #define SOFTMAX_BOTH(R)   SOFTMAX(R, 1, )
    #define SOFTMAX_SECOND(R) SOFTMAX(R, 0, second_)
    #define SOFTMAX_ENTRY(R)  NAME(softmax_##R),
    #define SECOND_ENTRY(R)   NAME(softmax_second_##R),

/* ---- tiles of the derivative: up to 6 rows of either product ---- */

    #define ZERO_BOTH(r) __m512 u##r = _mm512_setzero_ps(), v##r = u##r, f##r = u##r, g##r = u##r;
    #define STEP_BOTH(r)                                                                               \
        if (r < ROWS) {                                                                                \
            VECTOR w = ONE(((r) < 3 ? a : c)[(r) % 3 * rs]), k = ONE(((r) < 3 ? d : e)[(r) % 3 * ds]); \
            if (BOTH) {                                                                                \
                u##r = TIMES(u##r, w, b0);                                                             \
                f##r = TIMES(f##r, k, h0);                                                             \
            }                                                                                          \
            v##r = TIMES(v##r, w, b1);                                                                 \
            g##r = TIMES(g##r, k, h1);                                                                 \
        }
    /* As without a mask and a cap; what the cap shrinks is smaller in the derivative, too. */
    #define SCORED(x, y, at, base, delta)                                                             \
        {                                                                                             \
            __m512 slope = _mm512_set1_ps(1);                                                         \
            x = exp2_low(_mm512_sub_ps(score(_mm512_mul_ps(x, exponent), s->cap, at, &slope), base)); \
            y = _mm512_mul_ps(_mm512_mul_ps(x, slope), _mm512_sub_ps(y, delta));                      \
        }
    #define GRAD(r)                                                                    \
        if (r < ROWS && plain) {                                                       \
            if (BOTH) {                                                                \
                u##r = exp2_low(_mm512_fmsub_ps(u##r, exponent, base0));               \
                f##r = _mm512_mul_ps(u##r, _mm512_sub_ps(f##r, delta0));               \
            }                                                                          \
            v##r = exp2_low(_mm512_fmsub_ps(v##r, exponent, base1));                   \
            g##r = _mm512_mul_ps(v##r, _mm512_sub_ps(g##r, delta1));                   \
        } else if (r < ROWS) {                                                         \
            const float *own = mask ? mask + r * NR : NULL;                            \
            if (BOTH)                                                                  \
                SCORED(u##r, f##r, own, base0, delta0)                                 \
            SCORED(v##r, g##r, own ? own + 16 : NULL, base1, delta1)                   \
        }                                                                              \
        if (r < ROWS) {                                                                \
            if (some) {                                                                \
                __mmask16 m0 = seen(s->diagonal + r), m1 = seen(s->diagonal + r - 16); \
                u##r = _mm512_maskz_mov_ps(m0, u##r);                                  \
                v##r = _mm512_maskz_mov_ps(m1, v##r);                                  \
                f##r = _mm512_maskz_mov_ps(m0, f##r);                                  \
                g##r = _mm512_maskz_mov_ps(m1, g##r);                                  \
            }                                                                          \
            PUT_ROW(lw + r * step, u##r, v##r)                                         \
            PUT_ROW(lt + r * step, f##r, g##r)                                         \
        }
    #define GRADS(r, q)                                         \
        if (r < ROWS) {                                         \
            GRAD(r)                                             \
            GRAD(q)                                             \
            if (BY_COLUMN) {                                    \
                PUT_PAIR(out, f##r, g##r, f##q, g##q, q < ROWS) \
                out += PAIR_UNITS * NR;                         \
            }                                                   \
        }
    #define GRAD_OF(R, both, of)                                                                                      \
        WIDE static void NAME(softmax_grad_##of##R)(int64_t ku, const UNIT *a, int64_t rs, const UNIT *d, int64_t ds, \
            const UNIT *b, const UNIT *h, const CgSoftmaxGradTile *s, UNIT *lw, UNIT *lt, int64_t step, UNIT *out)    \
        {                                                                                                             \
            enum { ROWS = R, BOTH = both };                                                                           \
            const UNIT *c = a + 3 * rs, *e = d + 3 * ds;                                                              \
            EACH_OF_SIX(ZERO_BOTH)                                                                                    \
            for (int64_t p = 0; p < ku; p++) {                                                                        \
                VECTOR b0 = SOME(b + (BOTH ? 0 : 16)), b1 = SOME(b + 16), h0 = SOME(h + (BOTH ? 0 : 16)),             \
                       h1 = SOME(h + 16);                                                                             \
                EACH_OF_SIX(STEP_BOTH)                                                                                \
                a++;                                                                                                  \
                c++;                                                                                                  \
                d++;                                                                                                  \
                e++;                                                                                                  \
                b += NR;                                                                                              \
                h += NR;                                                                                              \
            }                                                                                                         \
            const float *base = s->base, *delta = s->delta;                                                           \
            const __m512 exponent = _mm512_set1_ps((float)(s->exponent * s->alpha));                                  \
            const __m512 base0 = _mm512_loadu_ps(base), base1 = _mm512_loadu_ps(base + 16);                           \
            const __m512 delta0 = _mm512_loadu_ps(delta), delta1 = _mm512_loadu_ps(delta + 16);                       \
            const bool some = s->diagonal + ROWS > 1, plain = !s->mask && !(s->cap > 0);                              \
            const float *mask = s->mask;                                                                              \
            (void)out;                                                                                                \
            EACH_PAIR_OF_SIX(GRADS)                                                                                   \
        }
    #define GRAD_BOTH(R)         GRAD_OF(R, 1, )
    #define GRAD_SECOND(R)       GRAD_OF(R, 0, second_)
    #define GRAD_ENTRY(R)        NAME(softmax_grad_##R),
    #define GRAD_SECOND_ENTRY(R) NAME(softmax_grad_second_##R),
#endif

EACH_HEIGHT(SOFTMAX_BOTH)
EACH_HEIGHT(SOFTMAX_SECOND)

typedef bool NAME(Softmax)(int64_t ku, const UNIT *a, int64_t rs, const UNIT *b, const CgSoftmaxTile *s, UNIT *out);

bool NAME(cg_gemm_softmax_tile)(
    int64_t ku, const void *a, int64_t rs, const void *b, const CgSoftmaxTile *s, int64_t rows, void *right)
{
    static NAME(Softmax) *const height[2][14] = { { EACH_HEIGHT(SOFTMAX_ENTRY) }, { EACH_HEIGHT(SECOND_ENTRY) } };
    return height[s->diagonal >= 16][rows - 1](ku, a, rs, b, s, right);
}

UP_TO_SIX(GRAD_BOTH)
UP_TO_SIX(GRAD_SECOND)

typedef void NAME(SoftmaxGrad)(int64_t ku, const UNIT *a, int64_t rs, const UNIT *d, int64_t ds, const UNIT *b,
    const UNIT *h, const CgSoftmaxGradTile *s, UNIT *lw, UNIT *lt, int64_t step, UNIT *out);

void NAME(cg_gemm_softmax_grad_tile)(int64_t ku, const void *a, int64_t rs, const void *d, int64_t ds, const void *b,
    const void *h, const CgSoftmaxGradTile *of, int64_t rows, void *left_w, void *left_s, int64_t step, void *right)
{
    static NAME(SoftmaxGrad) *const height[2][6] = { { UP_TO_SIX(GRAD_ENTRY) }, { UP_TO_SIX(GRAD_SECOND_ENTRY) } };
    CgSoftmaxGradTile s = *of;
    const UNIT *x = a, *y = d;
    UNIT *lw = left_w ? left_w : s.w, *ls = left_s ? left_s : s.ds, *out = right;
    if (!left_w)
        step = s.ldc;
    for (int64_t r = 0; r < rows; r += 6) {
        int64_t n = rows - r < 6 ? rows - r : 6;
        s.diagonal = of->diagonal + r;
        s.mask = of->mask ? (const float *)of->mask + r * NR : NULL;
        height[s.diagonal >= 16][n - 1](ku, x + r * rs, rs, y + r * ds, ds, b, h, &s, lw + r * step, ls + r * step,
            step, BY_COLUMN ? out + r / 2 * PAIR_UNITS * NR : NULL);
    }
}
#undef UNIT
#undef VECTOR
#undef NAME
#undef ONE
#undef SOME
#undef TIMES
#undef PUT_ROW
#undef PUT_PAIR
#undef PAIR_UNITS
#undef RESCALED
#undef BY_COLUMN
