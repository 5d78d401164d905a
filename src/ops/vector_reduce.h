/* vector_reduce.h - sums and maxima of a row in sixteen lanes.
 * Takes rows of f32 or f64; gives their sums, added in an order that depends on the length alone: sixteen running sums
 * (or four times as many, of a long row), then halves of them. A compiler's own reduction passes through memory, or
 * ends with a chain of sixteen additions, longer than a short row. */
#ifndef CG_OPS_LANES_H
#define CG_OPS_LANES_H

#include <cg/elementwise.h>

/* Lane i of the result is lane (i + by) % 16. */
#ifdef __clang__
    #define LANES_TURNED(mask, x, by) __builtin_shufflevector(x, x, LANES_LIST(by))
#else
    #define LANES_TURNED(mask, x, by) __builtin_shuffle(x, (mask){ LANES_LIST(by) })
#endif
#define LANES_LIST(by)                                                                                               \
    (0 + by) % 16, (1 + by) % 16, (2 + by) % 16, (3 + by) % 16, (4 + by) % 16, (5 + by) % 16, (6 + by) % 16,         \
        (7 + by) % 16, (8 + by) % 16, (9 + by) % 16, (10 + by) % 16, (11 + by) % 16, (12 + by) % 16, (13 + by) % 16, \
        (14 + by) % 16, (15 + by) % 16

#define LANES(T, INTEGER, suffix)                                                                                      \
    typedef T Lanes_##suffix __attribute__((vector_size(16 * sizeof(T)), aligned(sizeof(T)), may_alias));              \
    typedef INTEGER Places_##suffix __attribute__((vector_size(16 * sizeof(T))));                                      \
    /* *y = the greater of *x and *y, lane by lane. By address: as arguments, vectors of this size are a matter of the \
     * instruction set. */                                                                                             \
    static inline void lanes_max_##suffix(const Lanes_##suffix *x, Lanes_##suffix *y)                                  \
    {                                                                                                                  \
        CG_SIMD                                                                                                        \
        for (int i = 0; i < 16; i++)                                                                                   \
            (*y)[i] = (*x)[i] > (*y)[i] ? (*x)[i] : (*y)[i];                                                           \
    }                                                                                                                  \
    static inline T lanes_total_##suffix(const Lanes_##suffix *of)                                                     \
    {                                                                                                                  \
        Lanes_##suffix x = *of;                                                                                        \
        x += LANES_TURNED(Places_##suffix, x, 8);                                                                      \
        x += LANES_TURNED(Places_##suffix, x, 4);                                                                      \
        x += LANES_TURNED(Places_##suffix, x, 2);                                                                      \
        return x[0] + x[1];                                                                                            \
    }                                                                                                                  \
    static inline T lanes_greatest_##suffix(const Lanes_##suffix *of)                                                  \
    {                                                                                                                  \
        Lanes_##suffix x = *of, y = LANES_TURNED(Places_##suffix, x, 8);                                               \
        lanes_max_##suffix(&y, &x);                                                                                    \
        y = LANES_TURNED(Places_##suffix, x, 4);                                                                       \
        lanes_max_##suffix(&y, &x);                                                                                    \
        y = LANES_TURNED(Places_##suffix, x, 2);                                                                       \
        lanes_max_##suffix(&y, &x);                                                                                    \
        return x[0] > x[1] ? x[0] : x[1];                                                                              \
    }                                                                                                                  \
    /* Four vectors at a time: one sum would wait for itself. */                                                       \
    static inline T lanes_sum_##suffix(const T *x, int64_t n)                                                          \
    {                                                                                                                  \
        Lanes_##suffix a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };                                                     \
        int64_t i = 0;                                                                                                 \
        T rest = 0;                                                                                                    \
        for (; i + 64 <= n; i += 64) {                                                                                 \
            a += *(const Lanes_##suffix *)(x + i);                                                                     \
            b += *(const Lanes_##suffix *)(x + i + 16);                                                                \
            c += *(const Lanes_##suffix *)(x + i + 32);                                                                \
            d += *(const Lanes_##suffix *)(x + i + 48);                                                                \
        }                                                                                                              \
        for (; i + 16 <= n; i += 16)                                                                                   \
            a += *(const Lanes_##suffix *)(x + i);                                                                     \
        for (; i < n; i++)                                                                                             \
            rest += x[i];                                                                                              \
        a += b + (c + d);                                                                                              \
        return lanes_total_##suffix(&a) + rest;                                                                        \
    }                                                                                                                  \
    static inline T lanes_dot_##suffix(const T *x, const T *y, int64_t n)                                              \
    {                                                                                                                  \
        Lanes_##suffix sum = { 0 };                                                                                    \
        int64_t i = 0;                                                                                                 \
        T rest = 0;                                                                                                    \
        for (; i + 16 <= n; i += 16)                                                                                   \
            sum += *(const Lanes_##suffix *)(x + i) * *(const Lanes_##suffix *)(y + i);                                \
        for (; i < n; i++)                                                                                             \
            rest += x[i] * y[i];                                                                                       \
        return lanes_total_##suffix(&sum) + rest;                                                                      \
    }                                                                                                                  \
    typedef T Four_##suffix __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));                \
    typedef INTEGER Quarter_##suffix __attribute__((vector_size(4 * sizeof(T))));                                      \
    /* A square of four by four, turned over its diagonal; what comes from column c by scale[c]. */                    \
    static inline void lanes_turn_##suffix(const T *from, int64_t ld, const T *scale, T *to, int64_t ldto)             \
    {                                                                                                                  \
        Four_##suffix x[4];                                                                                            \
        for (int i = 0; i < 4; i++) {                                                                                  \
            x[i] = *(const Four_##suffix *)(from + i * ld);                                                            \
            if (scale)                                                                                                 \
                x[i] *= *(const Four_##suffix *)scale;                                                                 \
        }                                                                                                              \
        Four_##suffix a = CG_MIXED(Quarter_##suffix, x[0], x[1], 0, 4, 1, 5),                                          \
                      b = CG_MIXED(Quarter_##suffix, x[2], x[3], 0, 4, 1, 5);                                          \
        Four_##suffix c = CG_MIXED(Quarter_##suffix, x[0], x[1], 2, 6, 3, 7),                                          \
                      e = CG_MIXED(Quarter_##suffix, x[2], x[3], 2, 6, 3, 7);                                          \
        *(Four_##suffix *)to = CG_MIXED(Quarter_##suffix, a, b, 0, 1, 4, 5);                                           \
        *(Four_##suffix *)(to + ldto) = CG_MIXED(Quarter_##suffix, a, b, 2, 3, 6, 7);                                  \
        *(Four_##suffix *)(to + 2 * ldto) = CG_MIXED(Quarter_##suffix, c, e, 0, 1, 4, 5);                              \
        *(Four_##suffix *)(to + 3 * ldto) = CG_MIXED(Quarter_##suffix, c, e, 2, 3, 6, 7);                              \
    }
LANES(float, int32_t, f32)
LANES(double, int64_t, f64)

#endif
