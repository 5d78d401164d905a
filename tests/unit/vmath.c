/* vmath.c - does each vector function keep the error that vmath.h states, on every instruction set of this processor?
 * Takes [--exhaustive] (all floats instead of every 521st) and [NAME]; prints TAP. Accuses include/cg/vmath.h, or the
 * op of that name in src/ops/. The truth is the C library's function in f64. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cg/kernel.h>

#include "graph/registry.h"
#include "run/pool.h"
#include "tap.h"

#define N           2048 /* floats at a time, which stay in the fast memory of a core; 2048 * 521 is just a PART */
#define PART        (1u << 20) /* of the 2^32 patterns, those that one thread takes at a time */
#define MAX_ISAS    3
#define MAX_THREADS 64

typedef struct Function {
    const char *op;
    double (*exact)(double);
    /* The error is at most bound + growth x^2 units of the last place, and drift |x|. */
    double bound, growth, drift;
    double subnormal; /* the bound where the result is subnormal, if that is another one */
    bool flushes;     /* 0 where the result would be subnormal */
    double low, high; /* operands it is made for, if not all */
} Function;

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double rsqrt(double x) { return 1 / sqrt(x); }
static double normal_below(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
static double normal_density(double x) { return 0.39894228040143267794 * exp(-0.5 * x * x); }

static const Function functions[] = {
    { .op = "exp", .exact = exp, .bound = 1.1, .subnormal = 1.5 },
    { .op = "expm1", .exact = expm1, .bound = 2 },
    { .op = "log", .exact = log, .bound = 1 },
    { .op = "log1p", .exact = log1p, .bound = 2 },
    { .op = "tanh", .exact = tanh, .bound = 2 },
    { .op = "sigmoid", .exact = sigmoid, .bound = 3, .flushes = true },
    { .op = "erf", .exact = erf, .bound = 2 },
    { .op = "sin", .exact = sin, .bound = 1.6 },
    { .op = "cos", .exact = cos, .bound = 1.6 },
    { .op = "sqrt", .exact = sqrt, .bound = 0.5 },
    { .op = "rsqrt", .exact = rsqrt, .bound = 1.5 },
    { .op = "cg_exp_low_f32", .exact = exp, .bound = 1.5, .flushes = true, .low = -INFINITY, .high = 88 },
    { .op = "cg_exp2_low_f32",
        .exact = exp2,
        .bound = 2.5,
        .subnormal = 0x1p23,
        .flushes = true,
        .low = -INFINITY,
        .high = 127 },
    { .op = "cg_normal_f32", .exact = normal_below, .bound = 9, .growth = 0.5, .flushes = true },
    { .op = "density of cg_normal_f32", .exact = normal_density, .bound = 2, .growth = 0.5, .flushes = true },
    { .op = "cg_sin_f32", .exact = sin, .bound = 1.6, .drift = 2e-16, .low = -1e15, .high = 1e15 },
    { .op = "cg_cos_f32", .exact = cos, .bound = 1.6, .drift = 2e-16, .low = -1e15, .high = 1e15 },
};

/* ---- an error in units of the last place ---- */

/* One unit of the last place of f, which is finite. */
static double unit(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint64_t e = u >> 23 & 0xff, bits = ((e ? e : 1) + 1023 - 127 - 23) << 52;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* What is allowed at x, of which the error takes a share: more than 1 is too much. */
static double allowed(const Function *f, double x, double exact)
{
    double bound = f->subnormal > 0 && fabs(exact) < 0x1p-126 ? f->subnormal : f->bound;
    if (f->growth > 0)
        bound += f->growth * x * x;
    return bound * unit((float)exact) + (f->drift > 0 ? f->drift * fabs(x) : 0);
}

static bool outside(const Function *f, float x)
{
    return f->low < f->high && !((double)x >= f->low && (double)x <= f->high);
}

static double share(const Function *f, float at, float found, double exact)
{
    double x = (double)at;
    float nearest = (float)exact;
    if (outside(f, at))
        return 0;
    if (isnan(nearest))
        return isnan(found) ? 0 : INFINITY;
    if (isinf(nearest))
        return (found > 0) == (nearest > 0) && fabsf(found) >= 0x1.fffffcp127f ? 0 : INFINITY;
    if (!isfinite(found))
        return INFINITY;
    if (f->flushes && found == 0 && fabs(exact) < 0x1p-126)
        return 0;
    return fabs((double)found - exact) / allowed(f, x, exact);
}

/* ---- all operands ---- */

typedef struct Worst {
    double share;
    float x;
    char pad[48];
} Worst; /* a cache line: each thread has its own */

typedef struct Sweep {
    const Function *f;
    int nvec;
    CgVecFn *vec[MAX_ISAS];
    uint64_t step;
    Worst worst[MAX_ISAS][MAX_THREADS];
} Sweep;

static void sweep(void *arg, size_t part, int thread)
{
    Sweep *s = arg;
    float x[N], y[MAX_ISAS][N], nearest[N];
    double exact[N];
    for (uint64_t bits = (uint64_t)part * PART, end = bits + PART; bits < end; bits += N * s->step) {
        for (int i = 0; i < N; i++) {
            uint32_t u = (uint32_t)(bits + (uint64_t)i * s->step);
            memcpy(&x[i], &u, sizeof u);
        }
        if (outside(s->f, x[0]) && outside(s->f, x[N - 1]))
            continue; /* one sign, growing: all are */
        for (int i = 0; i < N; i++) {
            exact[i] = s->f->exact((double)x[i]);
            nearest[i] = (float)exact[i];
        }
        for (int k = 0; k < s->nvec; k++) {
            Worst *w = &s->worst[k][thread];
            s->vec[k]((const void *const[]){ x }, y[k], N, NULL);
            /* Two of the instruction sets mostly agree to the bit. */
            if (k && memcmp(y[k], y[k - 1], sizeof y[k]) == 0) {
                Worst *before = &s->worst[k - 1][thread];
                if (before->share > w->share)
                    *w = *before;
                continue;
            }
            for (int i = 0; i < N; i++) {
                if (y[k][i] == nearest[i])
                    continue; /* most: no float is nearer */
                double v = share(s->f, x[i], y[k][i], exact[i]);
                if (v > w->share)
                    *w = (Worst){ .share = v, .x = x[i] };
            }
        }
    }
}

static const CgOp *op_in(const CgOpSet *set, const char *name)
{
    for (const CgOp *const *op = set->ops; *op; op++)
        if (!strcmp((*op)->name, name))
            return *op;
    return NULL;
}

extern const CgOpSet cg_ops_inner_base, cg_ops_inner_avx2, cg_ops_inner_avx512;
static const struct {
    const char *isa;
    const CgOpSet *set;
} inner[] = {
#ifdef CG_HAVE_X86_ISAS
    { "avx512", &cg_ops_inner_avx512 },
    { "avx2", &cg_ops_inner_avx2 },
#endif
    { "base", &cg_ops_inner_base },
};

/* As an op, or as a function that ops use within. */
static const CgOp *find(const CgIsa *isa, const char *name)
{
    const CgOp *op = NULL;
    for (const CgOpSet *const *set = isa->sets; *set && !op; set++)
        op = op_in(*set, name);
    for (size_t i = 0; i < CG_LEN(inner) && !op; i++)
        if (!strcmp(inner[i].isa, isa->name))
            op = op_in(inner[i].set, name);
    return op;
}

static void try(CgPool *pool, const Function *f, uint64_t step)
{
    size_t n;
    const CgIsa *isas = cg_registry_isas(&n);
    Sweep s = { .f = f, .step = step };
    for (size_t i = 0; i < n && i < MAX_ISAS; i++) {
        const CgOp *op = find(&isas[i], f->op);
        if (!tap_ok(op && op->vec[CG_F32], "%s on %s is a function of one f32", f->op, isas[i].name))
            return;
        s.vec[s.nvec++] = op->vec[CG_F32];
    }
    cg_pool_run(pool, (size_t)((1ull << 32) / PART), sweep, &s);
    for (int k = 0; k < s.nvec; k++) {
        Worst w = s.worst[k][0];
        for (int t = 1; t < MAX_THREADS; t++)
            if (s.worst[k][t].share > w.share)
                w = s.worst[k][t];
        tap_ok(w.share <= 1, "%s on %s keeps its bound", f->op, isas[k].name);
        if (w.share <= 0) {
            printf("# the nearest float everywhere\n");
            continue;
        }
        double x = (double)w.x, exact = f->exact(x), all = allowed(f, x, exact), last = unit((float)exact);
        printf("# at most %.3f units of the last place, of %.3f allowed, at %a\n", w.share * all / last, all / last, x);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    uint64_t step = 521;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--exhaustive"))
            step = 1;
        else
            only = argv[i];
    CgPool *pool = cg_pool_new(0);
    if (cg_pool_threads(pool) > MAX_THREADS) {
        cg_pool_free(pool);
        pool = cg_pool_new(MAX_THREADS);
    }
    for (size_t i = 0; i < CG_LEN(functions); i++)
        if (!only || !strcmp(only, functions[i].op))
            try(pool, &functions[i], step);
    cg_pool_free(pool);
    return tap_done();
}
