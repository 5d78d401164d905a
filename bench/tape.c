/* tape.c - training steps of the reference models on the engine alone: graph, derivatives, passes, plan, run.
 * Takes a configuration, a precision, a number of threads and steps; prints one line of JSON as pytorch/bench.py does,
 * with --prof where the time goes, with --memory what is alive when most is, with --graph what the passes made. Must not read files: weights and tokens are drawn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "run/exec.h"

enum { SLOTS = 128 };

typedef struct Config { const char *name; int layers, dim, heads, hidden, vocab, positions, batch; } Config;

static const Config configs[] = {
    { "tiny", 4, 128, 4, 384, 256, 256, 16 },
    { "small", 6, 384, 6, 1024, 4096, 256, 8 },
    { "base", 12, 768, 12, 2048, 8192, 512, 4 },
    { "compress", 6, 384, 6, 1024, 4096, 512, 8 },
};

typedef struct Net {
    CgBuild       b;
    const Config *c;
    const char   *at;       /* instance whose parameters are asked for: "encoder.blocks.3." */
} Net;

/* ---- the models ---- */

static CgRef param(Net *n, const char *name, int rank, int rows, int columns)
{
    char path[96];
    const CgDim *dim[2] = { cg_dim_int(rows), cg_dim_int(columns) };
    snprintf(path, sizeof path, "%s%s", n->at, name);
    return cg_graph_param(&n->b, path, cg_type(CG_F32, rank, dim));
}

static CgRef linear(Net *n, CgRef x, const char *name, int in, int out)
{
    return cg_matmul(&n->b, x, param(n, name, 2, in, out), false, false);
}

static CgRef norm(Net *n, CgRef x, const char *name)
{
    CgRef in[2] = { x, param(n, name, 1, n->c->dim, 0) };
    CgAttr eps = cg_a_float("eps", 1e-5);
    return cg_build(&n->b, "rmsnorm", 2, in, cg_attrs(1, &eps));
}

/* (B,T,D) -> (B,H,T,K) */
static CgRef heads(Net *n, CgRef x)
{
    CgType t = cg_ref_type(&n->b, x);
    const CgDim *dim[4] = { t.dim[0], t.dim[1], cg_dim_int(n->c->heads), cg_dim_int(n->c->dim / n->c->heads) };
    int64_t perm[4] = { 0, 2, 1, 3 };
    return cg_transpose(&n->b, cg_reshape(&n->b, x, 4, dim), perm);
}

static CgRef rope(Net *n, CgRef x)
{
    CgType t = cg_ref_type(&n->b, x);
    CgAttr a[2] = { cg_a_type("type", cg_type(CG_I32, 1, &t.dim[2])), cg_a_int("axis", 0) };
    CgRef in[2] = { x, cg_build(&n->b, "iota", 0, NULL, cg_attrs(2, a)) };
    CgAttr base = cg_a_float("base", 10000.0);
    return cg_build(&n->b, "rope", 2, in, cg_attrs(1, &base));
}

static CgRef attention(Net *n, CgRef x)
{
    int d = n->c->dim;
    CgType t = cg_ref_type(&n->b, x);
    const CgDim *none = cg_dim_int(0);
    int64_t perm[4] = { 0, 2, 1, 3 };
    CgAttr a[3] = { cg_a_int("causal", 1), cg_a_float("scale", 1 / sqrt((double)d / n->c->heads)), cg_a_dims("offset", 1, &none) };
    CgRef in[3];
    in[0] = rope(n, heads(n, linear(n, x, "wq", d, d)));
    in[1] = rope(n, heads(n, linear(n, x, "wk", d, d)));
    in[2] = heads(n, linear(n, x, "wv", d, d));
    CgRef y = cg_build_part(&n->b, cg_build(&n->b, "attention", 3, in, cg_attrs(3, a)), 0);
    return linear(n, cg_reshape(&n->b, cg_transpose(&n->b, y, perm), 3, t.dim), "wo", d, d);
}

static CgRef body(Net *n, CgRef x, const char *at)
{
    char prefix[64];
    int d = n->c->dim, h = n->c->hidden;
    for (int i = 0; i < n->c->layers; i++) {
        snprintf(prefix, sizeof prefix, "%sblocks.%d.", at, i);
        n->at = prefix;
        x = cg_add(&n->b, x, attention(n, norm(n, x, "norm1")));
        CgRef y = norm(n, x, "norm2");
        CgRef open = cg_mul(&n->b, cg_u(&n->b, "silu", linear(n, y, "gate", d, h)), linear(n, y, "up", d, h));
        x = cg_add(&n->b, x, linear(n, open, "down", h, d));
    }
    n->at = at;
    return norm(n, x, "norm");
}

/* Mean cross entropy, against the tied table. */
static CgRef loss(Net *n, CgRef x, CgRef table, CgRef ids)
{
    CgRef each = cg_b(&n->b, "cross_entropy", cg_matmul(&n->b, x, table, false, true), ids);
    return cg_scale(&n->b, cg_sum_all(&n->b, each), 1.0 / ((double)n->c->batch * n->c->positions));
}

static CgRef table(Net *n, const char *at)
{
    n->at = at;
    return param(n, "embed", 2, n->c->vocab, n->c->dim);
}

static CgRef joined(Net *n, CgRef x, CgRef y)
{
    CgRef in[2] = { x, y };
    CgAttr axis = cg_a_int("axis", 1);
    return cg_build(&n->b, "concat", 2, in, cg_attrs(1, &axis));
}

static CgRef build(Net *n)
{
    const CgDim *dim[3] = { cg_dim_int(n->c->batch), cg_dim_int(n->c->positions), cg_dim_int(n->c->dim) };
    const CgDim *text = dim[1], *slots = cg_dim_int(SLOTS), *both = cg_dim_add(text, slots), *one = cg_dim_int(1);
    CgRef ids = cg_graph_input(&n->b, "tokens", cg_type(CG_I32, 2, dim));
    CgRef next = cg_graph_input(&n->b, "next", cg_type(CG_I32, 2, dim));
    if (strcmp(n->c->name, "compress") != 0) {
        CgRef w = table(n, "");
        return loss(n, body(n, cg_b(&n->b, "take", w, ids), ""), w, next);
    }
    int64_t axes[3] = { -1, 0, 1 };
    CgRef w = table(n, "encoder."), own = param(n, "slots", 2, SLOTS, n->c->dim);
    const CgDim *spread[3] = { dim[0], slots, dim[2] };
    CgRef x = joined(n, cg_b(&n->b, "take", w, ids), cg_broadcast(&n->b, own, 3, spread, axes));
    CgRef memory = cg_slice(&n->b, body(n, x, "encoder."), 1, text, both);
    n->at = "";
    memory = linear(n, memory, "project", n->c->dim, n->c->dim);
    w = table(n, "decoder.");
    x = body(n, joined(n, memory, cg_b(&n->b, "take", w, ids)), "decoder.");
    return loss(n, cg_slice(&n->b, x, 1, cg_dim_sub(slots, one), cg_dim_sub(both, one)), w, ids);
}

/* AdamW as nodes: outputs w, m, v of each trained parameter. */
static void adamw(Net *n, CgRef w, CgRef g)
{
    char path[128];
    CgBuild *b = &n->b;
    CgType t = cg_ref_type(b, w);
    const char *name = cg_node_name(b->graph, w);
    snprintf(path, sizeof path, "m:%s", name);
    CgRef m = cg_graph_param(b, path, t);
    cg_graph_output(b->graph, path, m = cg_add(b, cg_scale(b, m, 0.9), cg_scale(b, g, 0.1)));
    snprintf(path, sizeof path, "v:%s", name);
    CgRef v = cg_graph_param(b, path, t);
    cg_graph_output(b->graph, path, v = cg_add(b, cg_scale(b, v, 0.95), cg_scale(b, cg_mul(b, g, g), 0.05)));
    CgRef by = cg_div(b, m, cg_add(b, cg_sqrt(b, v), cg_fill_like(b, v, 1e-8)));
    cg_graph_output(b->graph, name, cg_sub(b, cg_scale(b, w, 1 - 3e-5), cg_scale(b, by, 3e-4)));
}

static CgGraph *training_step(const Config *c, bool bf16)
{
    Net n = { { 0 }, c, "" };
    CgGraph *g = cg_graph_new(c->name);
    CgErr e = { 0 };
    CgRef where;
    g->scopes.at[0].bf16 = bf16;
    n.b = cg_build_at(g);
    CgRef l = build(&n);
    int count = 0;
    CgRef *by = cg_calloc(g->params.len, sizeof *by), *grads = cg_calloc(g->params.len, sizeof *grads);
    for (size_t i = 0; i < g->params.len; i++)
        if (strncmp(cg_node_name(g, g->params.at[i]), "decoder.", 8) != 0)
            by[count++] = g->params.at[i];
    if (!cg_grad_build(&n.b, l, count, by, grads, &where, &e))
        CG_BUG("%s", e.text);
    cg_graph_output(g, "loss", l);
    for (int i = 0; i < count; i++)
        adamw(&n, by[i], grads[i]);
    free(by);
    free(grads);
    return g;
}

/* ---- running ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static float *drawn(const CgTensor *t, const char *name, uint64_t stream)
{
    int64_t n = cg_tensor_count(t);
    float *at = cg_try_alloc((size_t)n * sizeof *at);
    uint32_t *bits = cg_malloc((size_t)n * sizeof *bits);
    cg_random_bits(2385, stream, 0, 0, (size_t)n, bits);
    float scale = strncmp(name, "v:", 2) == 0 || strncmp(name, "m:", 2) == 0 ? 0.0f : 0.07f;
    for (int64_t i = 0; i < n; i++)
        at[i] = strstr(name, "norm") && scale > 0 ? 1.0f : scale * ((float)bits[i] * 0x1p-31f - 1.0f);
    free(bits);
    return at;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct Share { const char *op; double seconds, flops; } Share;

static int by_seconds(const void *a, const void *b)
{
    const Share *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static void print_profile(const CgPlan *plan, const CgExec *x)
{
    Share share[256];
    int n = 0;
    double total = 0;
    for (int i = 0; i < cg_plan_count(plan); i++) {
        const CgInstr *in = cg_plan_instr(plan, i);
        CgProf prof = cg_exec_prof(x)[i];
        int k = 0;
        while (k < n && strcmp(share[k].op, in->op->name) != 0)
            k++;
        if (k == 256)
            continue;
        if (k == n)
            share[n++] = (Share){ in->op->name, 0, 0 };
        share[k].seconds += prof.seconds;
        share[k].flops += in->work.flops * (double)prof.calls;
        total += prof.seconds;
    }
    qsort(share, (size_t)n, sizeof *share, by_seconds);
    for (int i = 0; i < n; i++)
        fprintf(stderr, "%5.1f%%  %-20s %7.1f GFLOP/s\n", 100 * share[i].seconds / total, share[i].op,
                share[i].flops / share[i].seconds * 1e-9);
}

/* What is alive when most is, by the op that made it. */
static void print_peak(const CgPlan *plan)
{
    int count = cg_plan_count(plan), nbuf = cg_plan_buffers(plan), peak = 0;
    size_t *alive = cg_calloc((size_t)count + 1, sizeof *alive);
    for (int i = 0; i < nbuf; i++) {
        const CgBuffer *b = cg_plan_buffer(plan, i);
        for (int k = b->first; b->place == CG_AT_SLAB && k <= b->last && k < count; k++)
            alive[k] += b->bytes;
    }
    for (int k = 0; k < count; k++)
        peak = alive[k] > alive[peak] ? k : peak;
    fprintf(stderr, "most is alive at instruction %d of %d, %s: %.1f MiB\n", peak, count, cg_plan_instr(plan, peak)->op->name,
            (double)alive[peak] / 0x1p20);
    free(alive);
    struct { const char *op; size_t bytes, each; int n; } row[256];
    int n = 0;
    for (int i = 0; i < nbuf; i++) {
        const CgBuffer *b = cg_plan_buffer(plan, i);
        const char *op = "shared";
        if (b->place != CG_AT_SLAB || b->first > peak || b->last < peak)
            continue;
        for (int k = count; k-- > 0;)
            for (int j = 0; j < cg_plan_instr(plan, k)->nout; j++)
                if (cg_plan_instr(plan, k)->out[j].buffer == i)
                    op = cg_plan_instr(plan, k)->op->name;
        int k = 0;
        while (k < n && (row[k].op != op || row[k].each != b->bytes))
            k++;
        if (k == 256)
            continue;
        if (k == n) {
            row[n].op = op;
            row[n].each = b->bytes;
            row[n].bytes = 0;
            row[n++].n = 0;
        }
        row[k].bytes += b->bytes;
        row[k].n++;
    }
    for (int k = 0; k < n; k++)
        fprintf(stderr, "%8.2f MiB  %3d of %-20s %.2f MiB\n", (double)row[k].bytes / 0x1p20, row[k].n, row[k].op, (double)row[k].each / 0x1p20);
}

static int print_graph(const Config *c, bool bf16)
{
    CgGraph *raw = training_step(c, bf16), *g = cg_pass_run_all(raw, NULL);
    CgStrbuf text = { 0 };
    cg_graph_print(g, NULL, &text);
    fputs(cg_strbuf_str(&text), stdout);
    cg_strbuf_deinit(&text);
    cg_graph_free(g);
    cg_graph_free(raw);
    return 0;
}

static int run(const Config *c, bool bf16, int threads, int steps, bool prof, bool memory)
{
    CgErr e = { 0 };
    CgGraph *raw = training_step(c, bf16), *g = cg_pass_run_all(raw, NULL);
    CgPool *pool = cg_pool_new(threads);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ NULL, 0 }, (CgPlanOptions){ .update = true }, &e);
    CgExec *x = plan ? cg_exec_new(plan, pool, &e) : NULL;
    if (!x) {
        fprintf(stderr, "tape: %s\n", e.text);
        return 3;
    }
    if (memory) {
        print_peak(plan);
        return 0;
    }
    for (size_t i = 0; i < g->params.len; i++) {
        CgTensor t = cg_plan_param(plan, (int)i);
        cg_exec_bind_param(x, (int)i, drawn(&t, cg_node_name(g, g->params.at[i]), i));
    }
    size_t tokens = (size_t)c->batch * (size_t)c->positions;
    int32_t *ids = cg_malloc(tokens * sizeof *ids);
    cg_random_bits(2385, 1000, 0, 0, tokens, (uint32_t *)ids);
    for (size_t i = 0; i < tokens; i++)
        ids[i] = (int32_t)((uint32_t)ids[i] % (uint32_t)c->vocab);
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(x, (int)i, ids);
    double *ms = cg_calloc((size_t)steps, sizeof *ms);
    cg_exec_run(x);
    cg_exec_run(x);
    cg_exec_profile(x, prof);
    for (int i = 0; i < steps; i++) {
        double start = now();
        cg_exec_run(x);
        ms[i] = now() - start;
    }
    qsort(ms, (size_t)steps, sizeof *ms, by_value);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double median = 0.5 * (ms[steps / 2] + ms[(steps - 1) / 2]);
    double flops = 0;
    for (int i = 0; i < cg_plan_count(plan); i++)
        flops += cg_plan_instr(plan, i)->work.flops;
    CgTensor l = cg_exec_output(x, 0);
    printf("{\"program\": \"cg tape %s\", \"config\": \"%s\", \"mode\": \"planned\", \"precision\": \"%s\", \"threads\": %d, "
           "\"steps\": %d, \"ms_median\": %.2f, \"ms_best\": %.2f, \"tokens_per_second\": %.0f, \"peak_rss_mb\": %ld, "
           "\"slab_mb\": %.0f, \"gflop\": %.1f, \"loss\": %.4f}\n", cg_registry_isa(), c->name, bf16 ? "bf16" : "f32", cg_pool_threads(pool), steps,
           median, ms[0], 1e3 * (double)tokens / median, use.ru_maxrss / 1024, (double)cg_plan_slab(plan) / 0x1p20,
           flops * 1e-9, (double)*(const float *)l.data);
    if (prof)
        print_profile(plan, x);
    return 0;
}

int main(int argc, char **argv)
{
    const Config *c = NULL;
    bool bf16 = false, prof = false, memory = false, graph = false;
    int threads = 0, steps = 7;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--bf16") == 0)
            bf16 = true;
        else if (strcmp(argv[i], "--prof") == 0)
            prof = true;
        else if (strcmp(argv[i], "--memory") == 0)
            memory = true;
        else if (strcmp(argv[i], "--graph") == 0)
            graph = true;
        else if (strcmp(argv[i], "--threads") == 0 && more)
            threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--steps") == 0 && more)
            steps = atoi(argv[++i]);
        for (size_t k = 0; k < CG_LEN(configs); k++)
            c = strcmp(argv[i], configs[k].name) == 0 ? &configs[k] : c;
    }
    if (!c || steps < 1) {
        fprintf(stderr, "usage: tape tiny|small|base|compress [--bf16] [--threads N] [--steps N] [--prof] [--memory] [--graph]\n");
        return 2;
    }
    cg_registry_init();
    return graph ? print_graph(c, bf16) : run(c, bf16, threads, steps, prof, memory);
}
