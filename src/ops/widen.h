/* widen.h - numbers of bf16 and of 8 bits as f32, a vector of them.
 * Takes numbers as they lie; gives Lanes. */
#ifndef CG_OPS_WIDEN_H
#define CG_OPS_WIDEN_H

#include <cg/kernel.h>

#if defined(__SSE2__)
    #include <immintrin.h>
#endif
#if defined(__AVX512F__)
    #define WIDTH 16 /* numbers of a vector */
#elif defined(__AVX2__)
    #define WIDTH 8
#else
    #define WIDTH 4
#endif

typedef float Lanes __attribute__((vector_size(WIDTH * sizeof(float))));

#if defined(__AVX512F__)
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)at)));
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)at)), 16);
}
#elif defined(__AVX2__)
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)at)));
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)at)), 16);
}
#else
static inline Lanes wide_i8(const int8_t *at)
{
    return (Lanes){ (float)at[0], (float)at[1], (float)at[2], (float)at[3] };
}

static inline Lanes wide_bf16(const uint16_t *at)
{
    return (Lanes){ cg_bf16_value(at[0]), cg_bf16_value(at[1]), cg_bf16_value(at[2]), cg_bf16_value(at[3]) };
}
#endif

#endif
