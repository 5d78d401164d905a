/* decode.c - greedy decoding with the form of a model over one new place.
 * Takes a configuration, rows, a length, threads; writes tokens one after another from one token a row and prints one
 * line of JSON as pytorch/decode.py does: milliseconds a token, tokens a second, and how fast that reads the weights,
 * which one token of all rows together needs once, beside how fast the same threads read the same memory and do nothing
 * else. Weights are drawn; with --prof where the time goes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "experiment/graph_arg.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/incremental.h"
#include "graph/narrow.h"
#include "run/decode.h"

typedef struct Config {
    const char *name;
    int layers, dim, heads, hidden, vocab;
} Config;

static const Config configs[] = {
    { "tiny", 4, 128, 4, 384, 256 },
    { "small", 6, 384, 6, 1024, 4096 },
    { "base", 12, 768, 12, 2048, 8192 },
};

typedef struct Job {
    const Config *c;
    int rows, length, rounds, threads;
    bool prof;
    CgDtype weights; /* CG_F32, CG_BF16 or CG_I8 */
    CgKept *kept;    /* (nkept) what is kept in those, behind the parameters */
    int nkept;
} Job;

/* ---- the model: the transformer of graphs/, over `length` places ---- */

/* Prologue and step; the result is the likeliest next token. */
static bool build(Job *j, CgGraph **prologue, CgGraph **step)
{
    const char *folder = getenv("TMPDIR");
    char path[4096], script[256];
    snprintf(path, sizeof path, "%s/cg-decode-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path),
        n = snprintf(script, sizeof script,
            "import graphs.transformer\n"
            "m = transformer(vocab = %d, dim = %d, layers = %d, heads = %d, hidden = %d)\n",
            j->c->vocab, j->c->dim, j->c->layers, j->c->heads, j->c->hidden);
    if (fd < 0 || write(fd, script, (size_t)n) != n || close(fd) != 0)
        return false;
    CgSession *x = cg_experiment_new(path, &(CgSessionOpts){ .quiet = true });
    CgTarget target = { 0 };
    CgBinding sizes[2] = { { cg_intern("B"), j->rows }, { cg_intern("T"), j->length } };
    CgValue *v = cg_target_value(x, "m", &target);
    CgGraph *both = NULL;
    if (v && cg_target_apply(x, v, (CgBindings){ sizes, 2 }, &(CgKnownTypes){ 0 }, &target)) {
        CgGraph *narrow = cg_narrow_build(target.model->graph, j->weights, &j->kept, &j->nkept);
        const CgGraph *model = j->weights == CG_F32 ? target.model->graph : narrow;
        CgGraph *g = cg_pass_run_all(model, "recognise,slice,fold,dce"), *ids = NULL;
        cg_graph_free(narrow);
        j->nkept = j->weights == CG_F32 ? 0 : j->nkept;
        CgBuild b = cg_build_at(g);
        CgAttr axis = cg_a_int("axis", 2);
        CgRef best = cg_build(&b, "argmax", 1, &g->outputs.at[0].ref, cg_attrs(1, &axis));
        g->outputs.len = 0;
        cg_graph_output(g, "ids", best);
        ids = cg_pass_run_all(g, "dce");
        both = cg_incremental_build(ids, ids->inputs.at[0], 1);
        cg_graph_free(ids);
        cg_graph_free(g);
    }
    if (both)
        cg_incremental_split(both, true, prologue, step);
    cg_graph_free(both);
    cg_target_free(&target);
    cg_experiment_free(x);
    unlink(path);
    return both != NULL;
}

static void draw(const CgTensor *t, uint64_t stream, float *at)
{
    size_t n = (size_t)cg_tensor_count(t);
    uint32_t *bits = cg_malloc((n + 1) * sizeof *bits);
    cg_random_bits(2385, stream, 0, 0, n, bits);
    for (size_t i = 0; i < n; i++)
        at[i] = t->rank == 1 ? 1.0f : 0.07f * ((float)bits[i] * 0x1p-31f - 1.0f);
    free(bits);
}

/* ---- running ---- */

/* Seconds of all processors: what a token costs, however many others want them. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Share {
    char what[64];
    double seconds, bytes;
    uint64_t calls;
} Share;

/* The op, and the sizes of the last operand with two axes: the weights. */
static void name_of(const CgInstr *in, char out[64])
{
    snprintf(out, 64, "%s", in->op->name);
    for (int i = 0; i < in->nin; i++)
        if (in->in[i].tensor.rank == 2)
            snprintf(out, 64, "%s %lldx%lld", in->op->name, (long long)in->in[i].tensor.dim[0],
                (long long)in->in[i].tensor.dim[1]);
}

static int by_seconds(const void *a, const void *b)
{
    const Share *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static void print_profile(CgDecoder *d)
{
    const CgPlan *plan = cg_decoder_plan(d);
    const CgProf *prof = cg_exec_prof(cg_decoder_exec(d));
    Share share[64] = { { { 0 }, 0, 0, 0 } };
    int n = 0;
    double total = 0;
    for (int i = 0; i < cg_plan_count(plan); i++) {
        const CgInstr *in = cg_plan_instr(plan, i);
        char what[64];
        int k = 0;
        name_of(in, what);
        while (k < n && strcmp(share[k].what, what) != 0)
            k++;
        if (k == 64)
            continue;
        if (k == n)
            memcpy(share[n++].what, what, sizeof what);
        share[k].seconds += prof[i].seconds;
        share[k].bytes += in->work.bytes * (double)prof[i].calls;
        share[k].calls += prof[i].calls;
        total += prof[i].seconds;
    }
    qsort(share, (size_t)n, sizeof *share, by_seconds);
    for (int i = 0; i < n; i++)
        fprintf(stderr, "%5.1f%%  %-20s %8.2f us a call, %6.1f GB/s\n", 100 * share[i].seconds / total, share[i].what,
            1e6 * share[i].seconds / (double)share[i].calls, 1e-9 * share[i].bytes / share[i].seconds);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef struct Reading {
    const float *at;
    size_t floats;
    volatile float sum[256];
    int threads;
} Reading;

/* A thread's share from end to end. */
static void read_share(void *arg, size_t shard, int thread)
{
    Reading *r = arg;
    size_t share = r->floats / (size_t)r->threads / 32 * 32;
    const float *at = r->at + shard * share;
    Eight a = { 0 }, b = a, c = a, d = a;
    for (size_t i = 0; i < share; i += 32) {
        a += *(const Eight *)(at + i);
        b += *(const Eight *)(at + i + 8);
        c += *(const Eight *)(at + i + 16);
        d += *(const Eight *)(at + i + 24);
    }
    a += b + (c + d);
    r->sum[thread % 256] = a[0] + a[7];
}

/* Bytes a second that the pool reads of the weights, again and again as decoding does: the median of many times. */
static double reading_rate(CgPool *pool, const float *at, double bytes)
{
    enum { TIMES = 41 };
    Reading r = { .at = at, .floats = (size_t)bytes / 4, .threads = cg_pool_threads(pool) };
    double ms[TIMES];
    for (int i = -4; i < TIMES; i++) {
        double start = cg_now();
        cg_pool_run(pool, (size_t)r.threads, read_share, &r);
        if (i >= 0)
            ms[i] = 1e3 * (cg_now() - start);
    }
    qsort(ms, TIMES, sizeof *ms, by_value);
    return 1e3 * bytes / ms[TIMES / 2];
}

/* What is kept of parameters, behind the `plain` ones; gives its bytes. */
static double bind_kept(const Job *j, CgDecoder *d, const float *const *param, int plain)
{
    double bytes = 0;
    for (int i = 0; i < j->nkept; i++) {
        const CgKept *k = &j->kept[i];
        int64_t numbers = k->rows * k->columns;
        float *scale = cg_malloc(sizeof *scale * (size_t)k->rows);
        void *matrix = cg_try_alloc((size_t)numbers * cg_dtype_size(j->weights));
        cg_narrow_fill(k, j->weights, param[k->param], matrix, scale);
        cg_decoder_bind_param(d, plain++, matrix);
        if (j->weights == CG_I8)
            cg_decoder_bind_param(d, plain++, scale);
        bytes += (double)numbers * (double)cg_dtype_size(j->weights);
    }
    return bytes;
}

static int run(Job *j)
{
    CgErr e = { 0 };
    CgGraph *prologue = NULL, *step = NULL;
    if (!build(j, &prologue, &step)) {
        fprintf(stderr, "decode: the model has no form over new places\n");
        return 3;
    }
    CgPool *pool = cg_pool_new(j->threads);
    CgDecoder *d = cg_decoder_new(prologue, step, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, pool, &e);
    if (!d) {
        fprintf(stderr, "decode: %s\n", e.text);
        return 3;
    }
    double weights = 0;
    for (size_t i = 0; i < step->params.len; i++) {
        CgTensor t = cg_plan_param(cg_decoder_plan(d), (int)i);
        weights += (double)cg_dtype_size(t.dtype) * (double)cg_tensor_count(&t);
    }
    float *block = cg_try_alloc((size_t)weights + 64 * step->params.len),
          *at = block; /* one block, as trained ones have */
    int plain = (int)step->params.len - j->nkept * (j->weights == CG_I8 ? 2 : 1);
    const float **param = cg_calloc((size_t)plain + 1, sizeof *param);
    for (int i = 0; block && i < plain; i++) {
        CgTensor t = cg_plan_param(cg_decoder_plan(d), i);
        draw(&t, (uint64_t)i, at);
        cg_decoder_bind_param(d, i, param[i] = at);
        at += (cg_tensor_count(&t) + 15) / 16 * 16;
    }
    double narrow = bind_kept(j, d, param, plain);
    weights = j->nkept ? narrow : weights;
    int32_t *text = cg_calloc((size_t)j->rows * (size_t)j->length, sizeof *text);
    double *ms = cg_calloc((size_t)j->rounds, sizeof *ms), *cpu = cg_calloc((size_t)j->rounds, sizeof *cpu);
    for (int round = -1; round < j->rounds; round++) {
        for (int r = 0; r < j->rows; r++)
            text[r * j->length] = (r * 131 + 7) % j->c->vocab;
        if (!cg_decoder_begin(d, &e))
            return 3;
        if (round == 0)
            cg_exec_profile(cg_decoder_exec(d), j->prof);
        double start = cg_now(), used = processor_seconds();
        for (int t = 0; t + 1 < j->length; t++) {
            CgTensor ids;
            if (!cg_decoder_feed(d, text + t, j->length, 1, &e) || !cg_decoder_output(d, "ids", &ids))
                return 3;
            for (int r = 0; r < j->rows; r++)
                text[r * j->length + t + 1] = ((const int32_t *)ids.data)[r * ids.stride[0]];
        }
        if (round >= 0)
            cpu[round] = 1e3 * (processor_seconds() - used) / (j->length - 1);
        if (round >= 0)
            ms[round] = 1e3 * (cg_now() - start) / (j->length - 1);
    }
    qsort(ms, (size_t)j->rounds, sizeof *ms, by_value);
    qsort(cpu, (size_t)j->rounds, sizeof *cpu, by_value);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double median = 0.5 * (ms[j->rounds / 2] + ms[(j->rounds - 1) / 2]);
    uint32_t sum = 0;
    for (int i = 0; i < j->rows * j->length; i++)
        sum = sum * 31 + (uint32_t)text[i];
    printf("{\"program\": \"cg decode %s\", \"config\": \"%s\", \"mode\": \"step\", \"batch\": %d, \"length\": %d, "
           "\"threads\": %d, \"weights\": \"%s\", "
           "\"rounds\": %d, \"ms_per_token_median\": %.4f, \"ms_per_token_best\": %.4f, \"cpu_ms_per_token\": %.4f, "
           "\"tokens_per_second\": %.0f, "
           "\"weights_gb_per_second\": %.1f, \"reading_gb_per_second\": %.1f, \"instructions\": %d, \"peak_rss_mb\": "
           "%ld, \"digest\": %u}\n",
        cg_registry_isa(), j->c->name, j->rows, j->length, cg_pool_threads(pool), cg_dtype_name(j->weights), j->rounds,
        median, ms[0], cpu[j->rounds / 2], 1e3 * j->rows / median, 1e-6 * weights / median,
        1e-9 * reading_rate(pool, block, weights), cg_plan_count(cg_decoder_plan(d)), use.ru_maxrss / 1024, sum);
    if (j->prof)
        print_profile(d);
    return 0;
}

int main(int argc, char **argv)
{
    Job j = { .rows = 1, .length = 512, .rounds = 3 };
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--prof") == 0)
            j.prof = true;
        else if (strcmp(argv[i], "--batch") == 0 && more)
            j.rows = atoi(argv[++i]);
        else if (strcmp(argv[i], "--length") == 0 && more)
            j.length = atoi(argv[++i]);
        else if (strcmp(argv[i], "--threads") == 0 && more)
            j.threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--rounds") == 0 && more)
            j.rounds = atoi(argv[++i]);
        else if (strcmp(argv[i], "--weights") == 0 && more)
            j.weights = !strcmp(argv[++i], "bf16") ? CG_BF16 : !strcmp(argv[i], "int8") ? CG_I8 : CG_F32;
        for (size_t k = 0; k < CG_LEN(configs); k++)
            j.c = strcmp(argv[i], configs[k].name) == 0 ? &configs[k] : j.c;
    }
    if (!j.c || j.rows < 1 || j.length < 2 || j.rounds < 1) {
        fprintf(stderr,
            "usage: decode tiny|small|base [--batch N] [--length N] [--threads N] [--rounds N] "
            "[--weights f32|bf16|int8] [--prof]\n");
        return 2;
    }
    cg_registry_init();
    return run(&j);
}
