/* peak.h - what this machine can do at most, with the instructions that kernels use (CG_ISA).
 * Takes a pool; gives rates: floating point, and memory near and far. Measured in a fifth of a second, best of many. */
#ifndef CG_PEAK_H
#define CG_PEAK_H
#include "base/err.h"
#include "run/plan/plan.h"
#include "run/pool.h"

/* Per second, all threads of the pool together. Bandwidths count what the program reads and writes. */
typedef struct CgPeaks {
    int threads;
    double f32;  /* flops of multiply-adds in registers */
    double bf16; /* of products of bf16 pairs summed in f32; f32's where the processor has no such instruction */
    double l2, l3, memory;     /* bytes: x = a x + y over what fits in one cache and not in the smaller one */
    double l2_bytes, l3_bytes; /* up to how many bytes, all threads together, each of them counts */
} CgPeaks;

CG_NODISCARD bool cg_peaks_measure(CgPool *pool, CgPeaks *out, CgErr *e);
/* Seconds that nothing with so many flops and bytes can beat. */
double cg_peaks_bound(const CgPeaks *p, double flops, double bytes, bool bf16);
/* The least time of one run of a plan: the sum of that of its instructions. */
double cg_peaks_plan(const CgPeaks *p, const CgPlan *plan);
#endif
