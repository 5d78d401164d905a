/* peak.c - what this machine can do at most, with the instructions that its kernels use.
 * Takes a pool; gives rates, the best of many short trials: a neighbour can only make one slower. Vectors of one width
 * are written with the compiler's own vector types and compiled once for each instruction set. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "graph/registry.h"
#include "run/peak.h"
#include "run/phase.h"
#if defined(__x86_64__)
    #include <immintrin.h>
#endif

enum { CHAINS = 12, TRIALS = 8 }; /* CHAINS: enough to hide the latency of a multiply-add on any processor of today */
#define TRIAL_SECONDS 4e-3
#define MEMORY_BYTES  ((size_t)64 << 20) /* far more than a cache of which others use their share */

typedef float V __attribute__((vector_size(64), aligned(4), may_alias));

typedef struct Ways {
    double (*f32)(int64_t rounds);  /* flops done; the work is kept by `sink` */
    double (*bf16)(int64_t rounds); /* NULL when there is no instruction for it */
    void (*stream)(float *x, const float *y, size_t n);
} Ways;

typedef struct Job {
    const Ways *ways;
    bool bf16;
    int64_t rounds;
    double *rate;
    float *at;
    size_t share, floats, repeats;
} Job;

static _Thread_local volatile float sink;

/* Twelve independent chains STEP(i) of vectors, `rounds` times. */
#define EACH_CHAIN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#define STREAM(name, TARGET)                                    \
    TARGET static void name(float *x, const float *y, size_t n) \
    {                                                           \
        for (size_t i = 0; i + 64 <= n; i += 64)                \
            for (size_t k = 0; k < 64; k += 16) {               \
                V *to = (V *)(x + i + k);                       \
                *to = *to * 0.5f + *(const V *)(y + i + k);     \
            }                                                   \
    }

#if defined(__x86_64__)
    #define WIDE   __attribute__((target("avx512f")))
    #define WIDE16 __attribute__((target("avx512f,avx512bf16")))
    #define MIDDLE __attribute__((target("avx2,fma")))

    /* `one` is zero, but the compiler does not know, nor that all sums are equal: they stay finite and nothing is left
     * out. */
    #define BEGIN(i) \
        s##i = one;  \
        __asm__ volatile("" : "+v"(s##i));
    #define JOIN(i) total += s##i[0];
    #define CHAINS_OF(name, TARGET, VECTOR, ZERO, STEP, LANES)                   \
        TARGET static double name(int64_t rounds)                                \
        {                                                                        \
            VECTOR one = ZERO, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11; \
            float total = 0;                                                     \
            __asm__ volatile("" : "+v"(one));                                    \
            EACH_CHAIN(BEGIN)                                                    \
            for (int64_t r = 0; r < rounds; r++) {                               \
                EACH_CHAIN(STEP)                                                 \
            }                                                                    \
            EACH_CHAIN(JOIN)                                                     \
            sink = total;                                                        \
            return (double)rounds * CHAINS * 2 * LANES;                          \
        }
    #define FMA512(i) s##i = _mm512_fmadd_ps(s##i, one, one);
    #define FMA256(i) s##i = _mm256_fmadd_ps(s##i, one, one);
    #define DOT512(i) s##i = _mm512_dpbf16_ps(s##i, (__m512bh)one, (__m512bh)one);
CHAINS_OF(f32_wide, WIDE, __m512, _mm512_setzero_ps(), FMA512, 16)
CHAINS_OF(f32_middle, MIDDLE, __m256, _mm256_setzero_ps(), FMA256, 8)
CHAINS_OF(bf16_wide, WIDE16, __m512, _mm512_setzero_ps(), DOT512, 32)
STREAM(stream_wide, WIDE)
STREAM(stream_middle, MIDDLE)
#endif

static double f32_any(int64_t rounds)
{
    float sum[CHAINS * 4], one = 0;
    __asm__ volatile("" : "+m"(one));
    for (int i = 0; i < CHAINS * 4; i++) {
        sum[i] = one;
        __asm__ volatile("" : "+m"(sum[i]));
    }
    for (int64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < CHAINS * 4; i++)
            sum[i] = sum[i] * one + one;
        __asm__ volatile("" ::: "memory");
    }
    for (int i = 1; i < CHAINS * 4; i++)
        sum[0] += sum[i];
    sink = sum[0];
    return (double)rounds * CHAINS * 4 * 2;
}
STREAM(stream_any, )

/* With the instructions that kernels may use (CG_ISA): a share of a peak they cannot reach would say nothing of them.
 */
static Ways ways_here(void)
{
    Ways w = { f32_any, NULL, stream_any };
#if defined(__x86_64__)
    bool base = strcmp(cg_registry_isa(), "base") == 0, avx2 = strcmp(cg_registry_isa(), "avx2") == 0;
    if (!base && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        w = (Ways){ f32_middle, NULL, stream_middle };
    if (!base && !avx2 && __builtin_cpu_supports("avx512f"))
        w = (Ways){ f32_wide, __builtin_cpu_supports("avx512bf16") ? bf16_wide : NULL, stream_wide };
#endif
    return w;
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return seconds(CLOCK_MONOTONIC); }

/* By the thread's processor time: other processes on the machine do not lower the rate. */
static void count(void *arg, size_t shard, int thread)
{
    const Job *j = arg;
    (void)thread;
    double start = seconds(CLOCK_THREAD_CPUTIME_ID), flops = (j->bf16 ? j->ways->bf16 : j->ways->f32)(j->rounds);
    j->rate[shard] = flops / (seconds(CLOCK_THREAD_CPUTIME_ID) - start);
}

/* Flops a second. A trial is made as long as it must be to be timed well. */
static double flops_rate(CgPool *pool, const Ways *w, bool bf16)
{
    size_t threads = (size_t)cg_pool_threads(pool);
    double (*one)(int64_t) = bf16 ? w->bf16 : w->f32, best = 0;
    int64_t rounds = 1000;
    for (double took = 0; took < TRIAL_SECONDS / 2; rounds *= 2) {
        double start = now();
        one(rounds);
        took = now() - start;
    }
    double *rate = cg_calloc(threads, sizeof *rate);
    for (int i = 0; i < TRIALS; i++) {
        Job j = { .ways = w, .bf16 = bf16, .rounds = rounds, .rate = rate };
        double sum = 0;
        cg_pool_run(pool, threads, count, &j);
        for (size_t k = 0; k < threads; k++)
            sum += rate[k];
        best = sum > best ? sum : best;
    }
    free(rate);
    return best;
}

static void stream(void *arg, size_t shard, int thread)
{
    const Job *j = arg;
    float *x = j->at + (size_t)thread * j->share; /* by thread, not by shard: each has its own in its cache */
    (void)shard;
    for (size_t i = 0; i < j->repeats; i++)
        j->ways->stream(x, x + j->floats, j->floats);
}

/* Bytes a second over `bytes` of memory, all threads together. */
static double bytes_rate(CgPool *pool, const Ways *w, float *at, size_t bytes)
{
    size_t threads = (size_t)cg_pool_threads(pool), share = bytes / threads / sizeof *at / 128 * 128;
    Job j = { .ways = w, .at = at, .share = share, .floats = share / 2, .repeats = 1 };
    double best = 0, moved = 3.0 * (double)(share / 2) * sizeof *at; /* x read, y read, x written */
    for (double took = 0; took < TRIAL_SECONDS / 2 && j.repeats < 1 << 20;) {
        double start = now();
        stream(&j, 0, 0);
        took = now() - start;
        j.repeats *= took < TRIAL_SECONDS / 2 ? 2 : 1;
    }
    for (int i = 0; i < TRIALS; i++) {
        double start = now();
        cg_pool_run(pool, threads, stream, &j);
        double rate = moved * (double)j.repeats * (double)threads / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static double cache_size(int name, double otherwise)
{
    long n = sysconf(name);
    return n > 0 ? (double)n : otherwise;
}

bool cg_peaks_measure(CgPool *pool, CgPeaks *p, CgErr *e)
{
    Ways w = ways_here();
    double threads = (double)cg_pool_threads(pool);
    float *at = cg_try_alloc(MEMORY_BYTES);
    if (!at)
        return cg_err(e, CG_ERR_MEMORY, "no memory to measure this machine's bandwidth: %zu bytes", MEMORY_BYTES);
    memset(at, 0, MEMORY_BYTES);
#if defined(_SC_LEVEL2_CACHE_SIZE)
    double l2 = cache_size(_SC_LEVEL2_CACHE_SIZE, 512 << 10), l3 = cache_size(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
#else
    double l2 = cache_size(-1, 512 << 10), l3 = cache_size(-1, 8 << 20);
#endif
    *p = (CgPeaks){ .threads = (int)threads, .l2_bytes = l2 * threads };
    double middle = 4 * p->l2_bytes;                 /* too large for the second level, small beside the third */
    p->l3_bytes = l3 > 2 * middle ? l3 / 2 : middle; /* others have their share of it */
    p->f32 = flops_rate(pool, &w, false);
    p->bf16 = w.bf16 ? flops_rate(pool, &w, true) : p->f32;
    p->l2 = bytes_rate(pool, &w, at, (size_t)(p->l2_bytes / 2));
    p->l3 = bytes_rate(pool, &w, at, (size_t)middle < MEMORY_BYTES ? (size_t)middle : MEMORY_BYTES);
    p->memory = bytes_rate(pool, &w, at, MEMORY_BYTES);
    free(at);
    return true;
}

double cg_peaks_bound(const CgPeaks *p, double flops, double bytes, bool bf16)
{
    double rate = bytes <= p->l2_bytes ? p->l2 : bytes <= p->l3_bytes ? p->l3 : p->memory;
    double compute = flops / (bf16 ? p->bf16 : p->f32), move = bytes / rate;
    return compute > move ? compute : move;
}

double cg_peaks_plan(const CgPeaks *p, const CgPlan *plan)
{
    double sum = 0;
    for (int i = 0; i < cg_plan_count(plan); i++) {
        const CgInstr *in = cg_plan_instr(plan, i);
        sum += cg_peaks_bound(p, in->work.flops, cg_instr_bytes(in), in->bf16);
    }
    return sum;
}
