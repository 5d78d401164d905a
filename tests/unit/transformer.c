/* transformer.c - a small transformer, built op by op, against the numbers of tests/conformance/transformer.
 * Takes srcdir; prints TAP. Accuses: logits - src/ops; gradients - derivative rules, src/graph/grad.c; what differs
 * between the rows of one check - src/graph/pass_*.c, src/run. */
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/tensor_file.h"
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "run/exec.h"
#include "tap.h"

enum { BATCH = 5, POSITIONS = 19, HEADS = 4, LAYERS = 2, STEPS = 10 };

typedef struct Net {
    CgGraph *g;
    CgBuild b;
    CgDtype dtype;
    bool plain; /* norms, attention and loss said in simple ops */
    const CgTensors *weights;
    const char *prefix; /* of parameter paths: "blocks.0.attn." */
} Net;

/* ---- the model ---- */

static CgType sized(CgDtype dtype, int rank, const CgDim *const *dim) { return cg_type(dtype, rank, dim); }

static CgRef param(Net *n, const char *name)
{
    char path[96];
    const CgDim *dim[2];
    snprintf(path, sizeof path, "%s%s", n->prefix, name);
    const CgTensor *w = cg_tensors_find(n->weights, path);
    if (!w)
        CG_BUG("no weight '%s'", path);
    for (int i = 0; i < w->rank; i++)
        dim[i] = cg_dim_int(w->dim[i]);
    return cg_graph_param(&n->b, path, sized(n->dtype, w->rank, dim));
}

/* A vector along the last axis. */
static CgRef along_last(Net *n, CgRef v, CgRef like)
{
    CgType t = cg_ref_type(&n->b, like);
    int64_t axes[CG_MAX_RANK];
    for (int i = 0; i < t.rank; i++)
        axes[i] = i == t.rank - 1 ? 0 : -1;
    return cg_broadcast(&n->b, v, t.rank, t.dim, axes);
}

static CgRef norm(Net *n, CgRef x, const char *gain)
{
    CgRef in[2] = { x, param(n, gain) };
    CgAttr eps = cg_a_float("eps", 1e-5);
    if (!n->plain)
        return cg_build(&n->b, "rmsnorm", 2, in, cg_attrs(1, &eps));
    CgType t = cg_ref_type(&n->b, x);
    CgRef square = cg_scale(&n->b, cg_sum_keep(&n->b, cg_mul(&n->b, x, x), t.rank - 1), 1.0 / 48);
    CgRef r = cg_u(&n->b, "rsqrt", cg_add(&n->b, square, cg_fill_like(&n->b, x, 1e-5)));
    return cg_mul(&n->b, cg_mul(&n->b, x, r), along_last(n, in[1], x));
}

/* (B,T,D) -> (B,H,T,K) */
static CgRef heads(Net *n, CgRef x)
{
    CgType t = cg_ref_type(&n->b, x);
    const CgDim *dim[4] = { t.dim[0], t.dim[1], cg_dim_int(HEADS), cg_dim_int(48 / HEADS) };
    int64_t perm[4] = { 0, 2, 1, 3 };
    return cg_transpose(&n->b, cg_reshape(&n->b, x, 4, dim), perm);
}

static CgRef iota(Net *n, int rank, const CgDim *const *dim, int axis)
{
    CgAttr a[2] = { cg_a_type("type", sized(CG_I32, rank, dim)), cg_a_int("axis", axis) };
    return cg_build(&n->b, "iota", 0, NULL, cg_attrs(2, a));
}

static CgRef rope(Net *n, CgRef x)
{
    CgType t = cg_ref_type(&n->b, x);
    CgRef in[2] = { x, iota(n, 1, &t.dim[2], 0) };
    CgAttr base = cg_a_float("base", 10000.0);
    return cg_build(&n->b, "rope", 2, in, cg_attrs(1, &base));
}

static CgRef mixed(Net *n, CgRef q, CgRef k, CgRef v)
{
    double scale = 1.0 / sqrt(48.0 / HEADS);
    const CgDim *none = cg_dim_int(0);
    CgAttr a[3] = { cg_a_int("causal", 1), cg_a_float("scale", scale), cg_a_dims("offset", 1, &none) };
    CgRef in[3] = { q, k, v };
    if (!n->plain)
        return cg_build_result(&n->b, cg_build(&n->b, "attention", 3, in, cg_attrs(3, a)), 0);
    CgRef s = cg_scale(&n->b, cg_matmul(&n->b, q, k, false, true), scale);
    CgType t = cg_ref_type(&n->b, s);
    CgRef seen = cg_b(&n->b, "ge", iota(n, 4, t.dim, 2), iota(n, 4, t.dim, 3));
    s = cg_where(&n->b, seen, s, cg_fill_like(&n->b, s, -INFINITY));
    CgAttr axis = cg_a_int("axis", 3);
    return cg_matmul(&n->b, cg_build(&n->b, "softmax", 1, &s, cg_attrs(1, &axis)), v, false, false);
}

static CgRef attention(Net *n, CgRef x)
{
    CgType t = cg_ref_type(&n->b, x);
    int64_t perm[4] = { 0, 2, 1, 3 };
    CgRef q = rope(n, heads(n, cg_matmul(&n->b, x, param(n, "attn.wq"), false, false)));
    CgRef k = rope(n, heads(n, cg_matmul(&n->b, x, param(n, "attn.wk"), false, false)));
    CgRef v = heads(n, cg_matmul(&n->b, x, param(n, "attn.wv"), false, false));
    CgRef y = cg_reshape(&n->b, cg_transpose(&n->b, mixed(n, q, k, v), perm), 3, t.dim);
    return cg_matmul(&n->b, y, param(n, "attn.wo"), false, false);
}

static CgRef swiglu(Net *n, CgRef x)
{
    CgRef gate = cg_matmul(&n->b, x, param(n, "ffn.gate"), false, false);
    CgRef up = cg_matmul(&n->b, x, param(n, "ffn.up"), false, false);
    CgRef open = n->plain ? cg_mul(&n->b, gate, cg_u(&n->b, "sigmoid", gate)) : cg_u(&n->b, "silu", gate);
    return cg_matmul(&n->b, cg_mul(&n->b, open, up), param(n, "ffn.down"), false, false);
}

static CgRef mean_loss(Net *n, CgRef logits, CgRef next)
{
    CgRef in[2] = { logits, next };
    CgAttr axis = cg_a_int("axis", 2);
    CgRef each;
    if (n->plain)
        each = cg_sub(
            &n->b, cg_build(&n->b, "logsumexp", 1, &logits, cg_attrs(1, &axis)), cg_b(&n->b, "pick", logits, next));
    else
        each = cg_build(&n->b, "cross_entropy", 2, in, NULL);
    return cg_scale(&n->b, cg_sum_all(&n->b, each), 1.0 / (BATCH * POSITIONS));
}

/* Outputs: loss, logits, then the gradient by each parameter in their order. */
static CgGraph *build(CgDtype dtype, bool plain, CgPrecision precision, const CgTensors *weights)
{
    Net n = { cg_graph_new("transformer"), { 0 }, dtype, plain, weights, "" };
    const CgDim *dim[2] = { cg_dim_symbol("B"), cg_dim_symbol("T") };
    char prefix[32];
    n.b = cg_build_at(n.g);
    n.b.precision = precision;
    CgRef tokens = cg_graph_input(&n.b, "tokens", sized(CG_I32, 2, dim));
    CgRef next = cg_graph_input(&n.b, "next", sized(CG_I32, 2, dim));
    CgRef table = param(&n, "embed.table"), x = cg_scale(&n.b, cg_b(&n.b, "take", table, tokens), sqrt(48.0));
    for (int i = 0; i < LAYERS; i++) {
        snprintf(prefix, sizeof prefix, "blocks.%d.", i);
        n.prefix = prefix;
        x = cg_add(&n.b, x, attention(&n, norm(&n, x, "norm1.gain")));
        x = cg_add(&n.b, x, swiglu(&n, norm(&n, x, "norm2.gain")));
    }
    n.prefix = "";
    CgRef logits = cg_matmul(&n.b, norm(&n, x, "norm.gain"), table, false, true);
    CgRef loss = mean_loss(&n, logits, next), where;
    cg_graph_output(n.g, "loss", loss);
    cg_graph_output(n.g, "logits", logits);
    int count = (int)n.g->params.len;
    CgRef *grads = cg_calloc((size_t)count, sizeof *grads);
    CgErr e = { 0 };
    if (!cg_grad_build(&n.b, loss, count, n.g->params.at, grads, &where, &e))
        CG_BUG("%s", e.text);
    for (int i = 0; i < count; i++)
        cg_graph_output(n.g, cg_node_name(n.g, n.g->params.at[i]), grads[i]);
    free(grads);
    cg_graph_verify(n.g);
    return n.g;
}

/* ---- running ---- */

typedef struct Run {
    CgGraph *g;
    CgPlan *plan;
    CgPool *pool;
    CgExec *exec;
    void **weights; /* by parameter; of the graph's dtype */
    CgDtype dtype;
} Run;

static double number(const void *data, CgDtype dtype, int64_t i)
{
    return dtype == CG_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void store(void *data, CgDtype dtype, int64_t i, double value)
{
    if (dtype == CG_F64)
        ((double *)data)[i] = value;
    else
        ((float *)data)[i] = (float)value;
}

static Run begin(CgGraph *g, CgDtype dtype, int threads, CgPlanOptions options, const CgTensors *weights)
{
    Run r = { g, NULL, cg_pool_new(threads), NULL, cg_calloc(g->params.len, sizeof(void *)), dtype };
    CgBinding with[2] = { { cg_intern("B"), BATCH }, { cg_intern("T"), POSITIONS } };
    CgErr e = { 0 };
    r.plan = cg_plan_build(g, (CgBindings){ with, 2 }, options, &e);
    r.exec = r.plan ? cg_exec_new(r.plan, r.pool, &e) : NULL;
    if (!r.exec)
        CG_BUG("%s", e.text);
    for (size_t i = 0; i < g->params.len; i++) {
        const CgTensor *w = cg_tensors_find(weights, cg_node_name(g, g->params.at[i]));
        int64_t n = cg_tensor_count(w);
        r.weights[i] = cg_try_alloc((size_t)n * cg_dtype_size(dtype));
        for (int64_t k = 0; k < n; k++)
            store(r.weights[i], dtype, k, number(w->data, CG_F32, k));
        cg_exec_bind_param(r.exec, (int)i, r.weights[i]);
    }
    return r;
}

static void end(Run *r)
{
    for (size_t i = 0; i < r->g->params.len; i++)
        free(r->weights[i]);
    free(r->weights);
    cg_exec_free(r->exec);
    cg_plan_free(r->plan);
    cg_pool_free(r->pool);
}

static void step(Run *r, const CgTensors *batches, int at)
{
    const int32_t *tokens = cg_tensors_find(batches, "tokens")->data, *next = cg_tensors_find(batches, "next")->data;
    for (size_t i = 0; i < r->g->inputs.len; i++) {
        bool first = strcmp(cg_node_name(r->g, r->g->inputs.at[i]), "tokens") == 0;
        cg_exec_bind_input(r->exec, (int)i, (first ? tokens : next) + at * BATCH * POSITIONS);
    }
    CG_ASSERT(cg_exec_run(r->exec), "indices are within their tables");
}

/* The element at row-major position i of a tensor with any strides. */
static double element(const CgTensor *t, int64_t i)
{
    int64_t at = 0;
    for (int a = t->rank - 1; a >= 0; a--) {
        at += i % t->dim[a] * t->stride[a];
        i /= t->dim[a];
    }
    return number(t->data, t->dtype, at);
}

/* Largest difference over largest element. */
static double differs(CgTensor found, const CgTensor *expected)
{
    double difference = 0, largest = 0;
    for (int64_t i = 0; i < cg_tensor_count(expected); i++) {
        double want = number(expected->data, expected->dtype, i), have = element(&found, i);
        difference = isnan(have) ? INFINITY : fmax(difference, fabs(have - want));
        largest = fmax(largest, fabs(want));
    }
    return cg_tensor_count(&found) == cg_tensor_count(expected) ? difference / largest : INFINITY;
}

/* ---- AdamW, in double precision, as make_reference.py has it ---- */

typedef struct Moments {
    double *m, *v;
} Moments;

static double rate(int at)
{
    return at < 3 ? 3e-3 * (at + 1) / 3 : 3e-4 + 2.7e-3 * 0.5 * (1 + cos(3.14159265358979323846 * (at - 3) / 7));
}

static double update(Run *r, Moments *moments, int at)
{
    double square = 0;
    int n = (int)r->g->params.len;
    for (int i = 0; i < n; i++) {
        CgTensor grad = cg_exec_output(r->exec, 2 + i);
        for (int64_t k = 0; k < cg_tensor_count(&grad); k++)
            square += element(&grad, k) * element(&grad, k);
    }
    double total = sqrt(square), clip = total > 1.35 ? 1.35 / total : 1, lr = rate(at);
    for (int i = 0; i < n; i++) {
        CgTensor grad = cg_exec_output(r->exec, 2 + i);
        for (int64_t k = 0; k < cg_tensor_count(&grad); k++) {
            double *m = &moments[i].m[k], *v = &moments[i].v[k], d = clip * element(&grad, k);
            double w = number(r->weights[i], r->dtype, k);
            *m = 0.9 * *m + 0.1 * d;
            *v = 0.95 * *v + 0.05 * d * d;
            w -= grad.rank >= 2 ? lr * 0.1 * w : 0;
            w -= lr * (*m / (1 - pow(0.9, at + 1))) / (sqrt(*v / (1 - pow(0.95, at + 1))) + 1e-8);
            store(r->weights[i], r->dtype, k, w);
        }
    }
    return total;
}

/* ---- checks ---- */

typedef struct Data {
    CgTensors weights, batches, reference;
} Data;

static void check_gradients(const Run *r, const Data *d, double logits_within, double within, const char *name)
{
    double worst = 0;
    const char *which = "";
    CgTensor logits = cg_exec_output(r->exec, 1);
    double off = differs(logits, cg_tensors_find(&d->reference, "logits"));
    tap_ok(off < logits_within, "%s: logits (%.1e)", name, off);
    for (size_t i = 0; i < r->g->params.len; i++) {
        char path[128];
        snprintf(path, sizeof path, "grad.%s", cg_node_name(r->g, r->g->params.at[i]));
        const CgTensor *expected = cg_tensors_find(&d->reference, path);
        double by = expected ? differs(cg_exec_output(r->exec, 2 + (int)i), expected) : INFINITY;
        if (!(by <= worst))
            worst = by, which = cg_node_name(r->g, r->g->params.at[i]);
    }
    tap_ok(worst < within, "%s: %zu gradients (%.1e by %s)", name, r->g->params.len, worst, which);
}

static void check_losses(Run *r, const Data *d, double within, const char *name)
{
    const double *losses = cg_tensors_find(&d->reference, "losses")->data;
    const double *norms = cg_tensors_find(&d->reference, "norms")->data;
    double worst = 0, worst_norm = 0;
    int n = (int)r->g->params.len;
    Moments *moments = cg_calloc((size_t)n, sizeof *moments);
    for (int i = 0; i < n; i++) {
        CgTensor w = cg_plan_param(r->plan, i);
        moments[i].m = cg_calloc((size_t)cg_tensor_count(&w), sizeof(double));
        moments[i].v = cg_calloc((size_t)cg_tensor_count(&w), sizeof(double));
    }
    for (int at = 0; at < STEPS; at++) {
        step(r, &d->batches, at);
        CgTensor loss = cg_exec_output(r->exec, 0);
        worst = fmax(worst, fabs(element(&loss, 0) / losses[at] - 1));
        worst_norm = fmax(worst_norm, fabs(update(r, moments, at) / norms[at] - 1));
    }
    tap_ok(worst < within, "%s: ten losses (%.1e)", name, worst);
    tap_ok(worst_norm < 10 * within, "%s: ten gradient norms (%.1e)", name, worst_norm);
    for (int i = 0; i < n; i++) {
        free(moments[i].m);
        free(moments[i].v);
    }
    free(moments);
}

static bool give_same(Run *one, Run *other, const Data *d)
{
    bool same = true;
    step(one, &d->batches, 0);
    step(other, &d->batches, 0);
    for (size_t i = 0; i < one->g->outputs.len; i++) {
        CgTensor a = cg_exec_output(one->exec, (int)i), b = cg_exec_output(other->exec, (int)i);
        for (int64_t k = 0; k < cg_tensor_count(&a); k++) {
            double x = element(&a, k), y = element(&b, k);
            same = same && memcmp(&x, &y, sizeof x) == 0;
        }
    }
    return same;
}

/* The same bits with one thread and with three. */
static void check_threads(CgGraph *g, CgDtype dtype, const Data *d, const char *name)
{
    Run one = begin(g, dtype, 1, (CgPlanOptions){ 0 }, &d->weights),
        three = begin(g, dtype, 3, (CgPlanOptions){ 0 }, &d->weights);
    tap_ok(give_same(&one, &three, d), "%s: the same bits at any number of threads", name);
    end(&one);
    end(&three);
}

/* The same bits where values are made again for the derivative, so that the plan takes less. */
static void check_memory(CgGraph *g, CgDtype dtype, const Data *d, const char *name)
{
    Run whole = begin(g, dtype, 1, (CgPlanOptions){ 0 }, &d->weights);
    size_t slab = cg_plan_slab(whole.plan);
    for (int percent = 95; percent > 80; percent -= 7) {
        Run less = begin(g, dtype, 2, (CgPlanOptions){ .memory = slab / 100 * (size_t)percent }, &d->weights);
        cg_plan_verify(less.plan);
        tap_ok(cg_plan_slab(less.plan) <= slab / 100 * (size_t)percent && give_same(&whole, &less, d),
            "%s: the same bits in %d%% of the memory", name, percent);
        end(&less);
    }
    end(&whole);
}

static int bf16_results(const CgPlan *p)
{
    int n = 0;
    for (int i = 0; i < cg_plan_count(p); i++)
        for (int k = 0; k < cg_plan_instr(p, i)->nout; k++)
            n += cg_plan_instr(p, i)->out[k].tensor.dtype == CG_ROUNDED;
    return n;
}

/* What is read by products in bf16 alone may be kept so, or as f32. On this instruction set. */
static bool rounding_changes_nothing(bool plain, bool passes, const Data *d)
{
    CgGraph *g = build(CG_F32, plain, CG_IN_BF16, &d->weights), *better = passes ? cg_pass_run_all(g, NULL) : g;
    Run kept = begin(better, CG_F32, 2, (CgPlanOptions){ 0 }, &d->weights);
    Run full = begin(better, CG_F32, 2, (CgPlanOptions){ .no_rounding = true }, &d->weights);
    int rounded = bf16_results(kept.plan), unrounded = bf16_results(full.plan);
    cg_plan_verify(kept.plan);
    /* With passes chains become one loop, which may write but one result rounded. */
    int expected = passes ? 19 : plain ? 26 : 25;
    bool good = rounded == expected && unrounded == 0 && give_same(&kept, &full, d);
    end(&kept);
    end(&full);
    if (better != g)
        cg_graph_free(better);
    cg_graph_free(g);
    return good;
}

/* In a process for each instruction set, which is chosen once. */
static void check_rounding(const Data *d)
{
    static const char *const isas[] = { "base", "avx2", "avx512" };
    for (size_t i = 0; i < CG_LEN(isas); i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            setenv("CG_ISA", isas[i], 1);
            cg_registry_init();
            bool good = true;
            for (int way = 0; way < 4; way++)
                good = rounding_changes_nothing(way & 1, way & 2, d) && good;
            _exit(!good);
        }
        int status = 1;
        bool ran = child > 0 && waitpid(child, &status, 0) == child;
        tap_ok(ran && WIFEXITED(status) && WEXITSTATUS(status) == 0, "kept as bf16 or as f32, the same bits (up to %s)",
            isas[i]);
    }
}

static void check(CgDtype dtype, bool plain, bool passes, const Data *d, const char *name)
{
    CgGraph *g = build(dtype, plain, CG_AS_SCOPE, &d->weights), *better = passes ? cg_pass_run_all(g, NULL) : g;
    Run r = begin(better, dtype, 2, (CgPlanOptions){ 0 }, &d->weights);
    bool f64 = dtype == CG_F64;
    step(&r, &d->batches, 0);
    /* the reference is stored in single precision: 6e-8 */
    check_gradients(&r, d, f64 ? 2e-7 : 3e-6, f64 ? 2e-7 : 1e-5, name);
    check_losses(&r, d, f64 ? 1e-10 : 1e-5, name);
    end(&r);
    check_threads(better, dtype, d, name);
    check_memory(better, dtype, d, name);
    if (better != g)
        cg_graph_free(better);
    cg_graph_free(g);
}

static bool given(const char *name, CgTensors *out)
{
    char path[512];
    CgErr e = { 0 };
    const char *srcdir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/conformance/transformer/%s.safetensors", srcdir ? srcdir : ".", name);
    return tap_ok(cg_safetensors_read(path, out, &e), "%s.safetensors %s", name, e.text);
}

int main(void)
{
    Data d = { 0 };
    if (given("weights", &d.weights) && given("batches", &d.batches) && given("reference", &d.reference)) {
        check_rounding(&d);
        cg_registry_init();
        check(CG_F32, false, false, &d, "fused ops");
        check(CG_F32, false, true, &d, "fused ops, passes");
        check(CG_F32, true, false, &d, "simple ops");
        check(CG_F32, true, true, &d, "simple ops, passes");
        check(CG_F64, false, true, &d, "fused ops, f64");
        check(CG_F64, true, false, &d, "simple ops, f64");
    }
    cg_tensors_free(&d.weights);
    cg_tensors_free(&d.batches);
    cg_tensors_free(&d.reference);
    return tap_done();
}
