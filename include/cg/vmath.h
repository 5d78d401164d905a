/* vmath.h - exp, log, tanh and their like as straight-line code that gcc and clang turn into vector instructions.
 * Takes one f32 (or f64); gives the value with the error stated at each function, in units of the last place (ulp),
 * over all finite operands (tests/unit/vmath tries them all). Sane for inf, NaN, subnormal operands and results. Must
 * not branch, call or read tables.
 *
 * The polynomials are minimax fits of our own (Lawson iteration at Chebyshev nodes, 40 digits). The f64 versions are
 * the C library's: they serve checking, not speed. */
#ifndef CG_VMATH_H
#define CG_VMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline uint32_t cg_bits_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline float cg_from_bits_f32(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
/* 2^n for -126 <= n <= 127. */
static inline float cg_pow2_f32(int32_t n) { return cg_from_bits_f32((uint32_t)(n + 127) << 23); }

#define CG_LN2_HI  0.693145751953125f /* 15 bits, so that its product with an exponent is exact */
#define CG_LN2_LO  1.428606765e-6f
#define CG_ROUNDER 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer and leaves it in the low bits */

/* exp(r) - 1 on [-ln2/2, ln2/2]. */
static inline float cg_expm1_core_f32(float r)
{
    float p = 0.00138142798f;
    p = p * r + 0.00836885441f;
    p = p * r + 0.0416684002f;
    p = p * r + 0.166665196f;
    p = p * r + 0.49999994f;
    return p * r * r + r;
}

/* 1.1 ulp; 1.5 where the result is subnormal. */
static inline float cg_exp_f32(float x)
{
    float c = x > 89.0f ? 89.0f : x; /* a NaN passes both */
    c = c < -104.0f ? -104.0f : c;
    float t = c * 1.44269504f + CG_ROUNDER, k = t - CG_ROUNDER;
    uint32_t n = cg_bits_f32(t) - 0x4b400000u;
    float r = c - k * CG_LN2_HI;
    r = r - k * CG_LN2_LO;
    /* Two factors: 2^n alone leaves the range of f32 at both ends. */
    uint32_t half = (uint32_t)((int32_t)n >> 1), rest = n - half;
    float a = cg_from_bits_f32((half + 127u) << 23), b = cg_from_bits_f32((rest + 127u) << 23);
    return (cg_expm1_core_f32(r) + 1.0f) * a * b;
}

/* exp for x <= 88, as softmax needs it: 1.5 ulp, and 0 where exp would be subnormal. Two thirds of the time of
 * cg_exp_f32. */
static inline float cg_exp_low_f32(float x)
{
    float c = x < -87.336544f ? -87.336544f : x;
    float t = c * 1.44269504f + CG_ROUNDER, k = t - CG_ROUNDER;
    float r = c - k * CG_LN2_HI;
    r = r - k * CG_LN2_LO;
    float a = cg_from_bits_f32((cg_bits_f32(t) << 23) + 0x3f800000u);
    float y = cg_expm1_core_f32(r) * a + a;
    return x < -87.336544f ? 0.0f : y;
}

/* 2^x for x <= 127, as softmax needs it: 2.5 ulp; where that would be subnormal, something between 0 and 2^-126, and 0
 * from -127 on. Half the time of cg_exp_low_f32. */
static inline float cg_exp2_low_f32(float x)
{
    float c = x < -127.0f ? -127.0f : x;
    float t = c + CG_ROUNDER, f = c - (t - CG_ROUNDER);
    float p = 0.00132647273f;
    p = p * f + 0.00967151299f;
    p = p * f + 0.0555073358f;
    p = p * f + 0.240222424f;
    p = p * f + 0.693147004f;
    p = p * f + 1.0f;
    return cg_from_bits_f32(cg_bits_f32(p) + (cg_bits_f32(t) << 23)); /* -127 takes all of the exponent of 1 away */
}

/* 2 ulp. */
static inline float cg_expm1_f32(float x)
{
    float c = x > 89.0f ? 89.0f : x;
    c = c < -18.0f ? -18.0f : c;
    float t = c * 1.44269504f + CG_ROUNDER, k = t - CG_ROUNDER;
    uint32_t n = cg_bits_f32(t) - 0x4b400000u;
    float r = c - k * CG_LN2_HI;
    r = r - k * CG_LN2_LO;
    float s = cg_from_bits_f32((n + 126u) << 23); /* half of 2^n, which may be 2^128 */
    float y = 2.0f * (s * cg_expm1_core_f32(r) + (s - 0.5f));
    return x == 0 ? x : y; /* keeps -0 */
}

/* 1 ulp. log(0) = -inf, log of a negative number is NaN. */
static inline float cg_log_f32(float x)
{
    int tiny = x < 1.17549435e-38f;
    float u = tiny ? x * 8388608.0f : x;
    uint32_t i = cg_bits_f32(u) - 0x3f3504f3u; /* sqrt(1/2): the fraction then lies in [sqrt(1/2), sqrt(2)) */
    float e = (float)((int32_t)i >> 23) - (tiny ? 23.0f : 0.0f);
    float f = cg_from_bits_f32((i & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float p = 0.0674784929f;
    p = p * f - 0.116769731f;
    p = p * f + 0.118883111f;
    p = p * f - 0.124053463f;
    p = p * f + 0.142194942f;
    p = p * f - 0.166680098f;
    p = p * f + 0.200021222f;
    p = p * f - 0.250000089f;
    p = p * f + 0.333333135f;
    float f2 = f * f;
    float y = f2 * f * p + e * CG_LN2_LO;
    y = y - 0.5f * f2;
    y = (y + f) + e * CG_LN2_HI;
    y = x < INFINITY ? y : x;
    return x > 0 ? y : x == 0 ? -INFINITY : NAN;
}

/* 2 ulp. */
static inline float cg_log1p_f32(float x)
{
    float u = 1.0f + x, d = u - 1.0f;
    float y = cg_log_f32(u);
    float c = (x - d) / u; /* what rounding 1 + x lost, to first order */
    y = u > 0 && u < INFINITY ? y + c : y;
    return u == 1.0f ? x : y;
}

/* 2 ulp. */
static inline float cg_tanh_f32(float x)
{
    float a = fabsf(x), t = a * a;
    float p = -0.00570483645f;
    p = p * t + 0.020638939f;
    p = p * t - 0.0537396632f;
    p = p * t + 0.133314416f;
    p = p * t - 0.333332807f;
    float low = a + a * t * p;
    float e = cg_exp_low_f32(-2.0f * a), high = (1.0f - e) / (1.0f + e);
    return copysignf(a < 0.625f ? low : high, x);
}

/* 1 / (1 + exp(-x)). 3 ulp; 0 where the result would be subnormal. */
static inline float cg_sigmoid_f32(float x)
{
    float e = cg_exp_low_f32(-fabsf(x));
    return (x >= 0 ? 1.0f : x < 0 ? e : x) / (1.0f + e);
}

/* 2 ulp. */
static inline float cg_erf_f32(float x)
{
    float a = fabsf(x), t = a * a;
    float p = 8.51305958e-5f;
    p = p * t - 0.000817562861f;
    p = p * t + 0.00520385802f;
    p = p * t - 0.0268605072f;
    p = p * t + 0.112837151f;
    p = p * t - 0.376126349f;
    p = p * t + 0.128379166f;
    float low = a + a * p;
    /* 1 - exp(a Q(a)); from 4 on the result is 1 in f32. */
    float c = a > 4.0f ? 4.0f : a;
    float q = -5.15027568e-6f;
    q = q * c + 4.81949573e-5f;
    q = q * c + 3.61010971e-5f;
    q = q * c - 0.00289239874f;
    q = q * c + 0.0226121638f;
    q = q * c - 0.105203055f;
    q = q * c - 0.635656476f;
    q = q * c - 1.12854493f;
    float high = 1.0f - cg_exp_low_f32(q * c);
    return copysignf(a < 0.9f ? low : high, x);
}

/* The normal distribution function Phi(x), and its density. Both come from one exponential: the tail is
 * exp(-x^2/2) t P(t) with t = 1 / (1 + 0.33 |x| / sqrt 2). Phi: 9 + x^2/2 ulp; the density: 2 + x^2/2 ulp; both 0 where
 * exp(-x^2/2) would be subnormal. */
static inline float cg_normal_f32(float x, float *density)
{
    float z = fabsf(x), t = 1.0f / (1.0f + 0.233345238f * z);
    float e = cg_exp_low_f32(-0.5f * x * x);
    float p = 0.0525912195f;
    p = p * t - 0.286218077f;
    p = p * t + 0.539414823f;
    p = p * t - 0.442583174f;
    p = p * t + 0.403053671f;
    p = p * t + 0.00122719503f;
    p = p * t + 0.189177468f;
    p = p * t + 0.170462549f;
    p = p * t + 0.186713606f;
    p = p * t + 0.186160699f;
    float tail = 0.5f * e * t * p;
    *density = 0.39894228f * e;
    return x < 0 ? tail : 1.0f - tail;
}

static inline double cg_normal_f64(double x, double *density)
{
    *density = 0.39894228040143267794 * exp(-0.5 * x * x);
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

/* Sine and cosine of an angle given in f64, as f32: 1.6 ulp for |x| <= 1e6, and 2e-16 |x| more up to 1e15. */
static inline void cg_sincos_f32(double x, float *sine, float *cosine)
{
    const double rounder = 6755399441055744.0; /* 1.5 * 2^52 */
    double t = x * 0.63661977236758134308 + rounder, k = t - rounder;
    uint64_t n;
    memcpy(&n, &t, sizeof n);
    double d = (x - k * 1.57079632673412561417) - k * 6.07710050650619224932e-11; /* pi/2 in two parts, 33 bits first */
    float r = (float)d, z = r * r;
    float s = 2.71804493e-6f;
    s = s * z - 0.000198393042f;
    s = s * z + 0.00833332911f;
    s = s * z - 0.166666672f;
    s = s * z * r + r;
    float c = -2.72095207e-7f;
    c = c * z + 2.47995122e-5f;
    c = c * z - 0.00138888834f;
    c = c * z + 0.0416666679f;
    c = c * z * z - 0.5f * z + 1.0f;
    uint32_t quarter = (uint32_t)n & 3u;
    float a = quarter & 1u ? c : s, b = quarter & 1u ? s : c;
    *sine = quarter & 2u ? -a : a;
    *cosine = (quarter + 1u) & 2u ? -b : b;
}

/* Operands beyond 1e6 go to the C library in the ops `sin` and `cos`; here the bound holds up to 1e6. */
static inline float cg_sin_f32(float x)
{
    float s, c;
    cg_sincos_f32((double)x, &s, &c);
    return s;
}
static inline float cg_cos_f32(float x)
{
    float s, c;
    cg_sincos_f32((double)x, &s, &c);
    return c;
}

static inline double cg_exp_f64(double x) { return exp(x); }
static inline double cg_exp_low_f64(double x) { return exp(x); }
static inline double cg_exp2_low_f64(double x) { return exp2(x); }
static inline double cg_expm1_f64(double x) { return expm1(x); }
static inline double cg_log_f64(double x) { return log(x); }
static inline double cg_log1p_f64(double x) { return log1p(x); }
static inline double cg_tanh_f64(double x) { return tanh(x); }
static inline double cg_erf_f64(double x) { return erf(x); }
static inline double cg_sin_f64(double x) { return sin(x); }
static inline double cg_cos_f64(double x) { return cos(x); }
static inline double cg_sigmoid_f64(double x)
{
    double e = exp(-fabs(x));
    return (x >= 0 ? 1.0 : x < 0 ? e : x) / (1.0 + e);
}

#ifdef __cplusplus
}
#endif
#endif
