/* products.c - rates of the matrix products of a training step, by the op itself and a pool.
 * Takes sizes M N K and, of them, n/t for each factor (+ before it: added to a matrix), or nothing for a list of those
 * that training meets; prints GFLOP/s, what the beginning takes and how long threads wait for each other. Operands and
 * results go round among copies that fill more than the cache of a core, as those of a step do. Must not keep anything
 * packed from call to call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cg/kernel.h>
#include "graph/registry.h"
#include "run/pool.h"

enum { COPIES = 32, CALLS = 24, MOST_THREADS = 256 };
#define BYTES ((int64_t)48 << 20) /* of all copies together, about */

typedef struct Job {
    const CgCall *call;
    CgKernel *kernel;
    size_t shards, stride;
    char *scratch;
    bool ran[MOST_THREADS];
    double busy[MOST_THREADS][8]; /* a line each */
} Job;

static void run_shard(void *arg, size_t shard, int thread)
{
    Job *j = arg;
    double start = cg_now();
    j->kernel(j->call, (CgShard){ shard, j->shards, j->scratch + (size_t)thread * j->stride, j->ran[thread] });
    j->ran[thread] = true;
    j->busy[thread][0] += cg_now() - start;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *at, size_t n)
{
    qsort(at, n, sizeof *at, by_value);
    return at[n / 2];
}

static CgTensor matrix(int64_t rows, int64_t columns)
{
    CgTensor t = { .dtype = CG_F32, .rank = 2, .dim = { rows, columns }, .stride = { columns, 1 } };
    float *at = cg_try_alloc((size_t)(rows * columns) * sizeof *at);
    for (int64_t i = 0; i < rows * columns; i++)
        at[i] = (float)((i * 2385 + rows) % 1009) / 1009 - 0.5f;
    t.data = at;
    return t;
}

static void measure(CgPool *pool, bool add, bool ta, bool tb, int64_t m, int64_t n, int64_t k, int bf16)
{
    int64_t one = (m * k + m * n) * (int64_t)sizeof(float),
            copies = BYTES / one < 1 ? 1
        : BYTES / one < COPIES       ? BYTES / one
                                     : COPIES;
    CgTensor in[COPIES][3], out[COPIES], y = tb ? matrix(n, k) : matrix(k, n);
    for (int64_t i = 0; i < copies; i++) {
        in[i][0] = ta ? matrix(k, m) : matrix(m, k);
        in[i][1] = y;
        out[i] = in[i][2] = matrix(m, n);
    }
    CgAttr flags[2] = { cg_a_int("ta", ta), cg_a_int("tb", tb) };
    CgCall call = { .op = cg_op_get(add ? "matmul_add" : "matmul"),
        .nin = add ? 3 : 2,
        .nout = 1,
        .attrs = cg_attrs(2, flags),
        .bf16 = bf16 };
    CgWork work;
    call.in = in[0];
    call.out = &out[0];
    call.op->work(&call, &work);
    Job *j = cg_calloc(1, sizeof *j);
    j->call = &call;
    j->stride = (work.scratch + 127) / 128 * 128;
    j->scratch = cg_try_alloc(j->stride * (size_t)cg_pool_threads(pool));
    call.shared = cg_try_alloc(work.shared);
    double begin[CALLS], idle[CALLS], all[CALLS], threads = cg_pool_threads(pool);
    for (int64_t i = -2; i < CALLS; i++) {
        call.in = in[(i + 2) % copies];
        call.out = &out[(i + 2) % copies];
        memset(j->ran, 0, sizeof j->ran);
        memset(j->busy, 0, sizeof j->busy);
        double start = cg_now(), middle, end, busy = 0;
        if (work.begin) {
            j->kernel = call.op->begin;
            j->shards = work.begin;
            cg_pool_run(pool, j->shards, run_shard, j);
        }
        middle = cg_now();
        memset(j->ran, 0, sizeof j->ran);
        j->kernel = call.op->kernel[CG_F32];
        j->shards = work.shards;
        cg_pool_run(pool, j->shards, run_shard, j);
        end = cg_now();
        for (int t = 0; t < cg_pool_threads(pool); t++)
            busy += j->busy[t][0];
        if (i < 0)
            continue;
        begin[i] = middle - start;
        all[i] = end - start;
        idle[i] = end - start - busy / threads;
    }
    double t = median(all, CALLS);
    printf("%s%c%c %5lld %5lld %5lld  %-4s  %7.1f us  %6.1f GFLOP/s  begin %4.1f%%  idle %4.1f%%  %zu shards\n",
        add ? "+" : " ", ta ? 'T' : 'N', tb ? 'T' : 'N', (long long)m, (long long)n, (long long)k,
        bf16 ? "bf16" : "f32", 1e6 * t, 1e-9 * work.flops / t, 100 * median(begin, CALLS) / t,
        100 * median(idle, CALLS) / t, work.shards);
    for (int64_t i = 0; i < copies; i++) {
        free(in[i][0].data);
        free(out[i].data);
    }
    free(y.data);
    free(call.shared);
    free(j->scratch);
    free(j);
}

/* The products of one linear layer, (m,k) by (k,n): itself and its derivatives. */
static void layer(CgPool *pool, int64_t m, int64_t n, int64_t k, int bf16)
{
    measure(pool, false, false, false, m, n, k, bf16);
    measure(pool, false, false, true, m, k, n, bf16);
    measure(pool, false, true, false, k, n, m, bf16);
}

/* The products of the configurations of README.md, one of each size. */
static void list(CgPool *pool, int bf16)
{
    layer(pool, 4096, 128, 128, bf16); /* tiny */
    layer(pool, 4096, 384, 128, bf16);
    measure(pool, true, false, false, 4096, 128, 384, bf16);
    layer(pool, 4096, 128, 384, bf16);
    layer(pool, 2048, 384, 384, bf16); /* small */
    layer(pool, 2048, 1024, 384, bf16);
    measure(pool, true, false, false, 2048, 384, 1024, bf16);
    layer(pool, 2048, 384, 1024, bf16);
    measure(pool, false, false, true, 512, 4096, 384, bf16);
    measure(pool, false, false, false, 512, 384, 4096, bf16);
    measure(pool, true, true, false, 4096, 384, 512, bf16);
    layer(pool, 2048, 768, 768, bf16); /* base */
    layer(pool, 2048, 2048, 768, bf16);
    measure(pool, true, false, false, 2048, 768, 2048, bf16);
}

int main(int argc, char **argv)
{
    int first = 0, last = 2, threads = 0, c;
    while ((c = getopt(argc, argv, "t:p:")) != -1) {
        if (c == 't')
            threads = atoi(optarg);
        else if (c == 'p')
            first = last = strcmp(optarg, "bf16") == 0, last++;
        else
            argc = 0;
    }
    if (argc != optind && argc != optind + 4) {
        fprintf(stderr, "usage: products [-t THREADS] [-p f32|bf16] [[+]nn|nt|tn|tt M N K]\n");
        return 2;
    }
    cg_registry_init();
    CgPool *pool = cg_pool_new(threads);
    argv += optind;
    for (int bf16 = first; bf16 < last; bf16++) {
        if (argc == optind) {
            list(pool, bf16);
            continue;
        }
        bool add = argv[0][0] == '+';
        measure(pool, add, argv[0][add] == 't', argv[0][add + 1] == 't', atoll(argv[1]), atoll(argv[2]), atoll(argv[3]),
            bf16);
    }
    cg_pool_free(pool);
    return 0;
}
