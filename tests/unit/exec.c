/* exec.c - does a planned run give what the graph says, whatever the threads, places and reuse of memory?
 * Takes nothing; prints TAP. Random graphs are compared with a walk that gives every node memory of its own.
 * Accuses src/run/plan*.c and src/run/exec.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cg/elementwise.h>
#include "graph/registry.h"
#include "graph/text.h"
#include "run/exec.h"

static int count;

static void ok(bool good, const char *name) { printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name); }

/* ---- ops of the test: several results, partial sums, state, no kernel ------------------------------------------ */

static const CgSample no_samples[] = { { .in = NULL } };

static bool split_shape(CgInfer *inf)
{
    inf->out[0] = inf->out[1] = inf->in[0];
    return true;
}

/* (x + 1, x - 1) */
static void split_f32(const CgCall *call, CgShard shard)
{
    const float *x = call->in[0].data;
    float *y = call->out[0].data, *z = call->out[1].data;
    size_t first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(&call->in[0]), 16, &first, &last);
    for (size_t i = first; i < last; i++) {
        y[i] = x[i] + 1;
        z[i] = x[i] - 1;
    }
}

static void split_work(const CgCall *call, CgWork *work)
{
    (void)call;
    work->shards = 5;
}

static const CgOp op_split = { CG_OP_HERE, .name = "test_split", .sig = "(x: F[..s]) -> F[..s]",
    .doc = "Two results.\n", .shape = split_shape, .samples = no_samples, .kernel = { [CG_F32] = split_f32 },
    .work = split_work, .traits = CG_NODIFF, .nout = 2 };

static bool total_shape(CgInfer *inf)
{
    inf->out[0] = cg_type(inf->in[0].dtype, 0, NULL);
    return true;
}

/* Sum of all elements: each shard its own in `shared`, `finish` adds them in order. */
static void total_f32(const CgCall *call, CgShard shard)
{
    const float *x = call->in[0].data;
    float sum = 0, *scratch = shard.scratch;
    size_t first, last;
    cg_shard_range(shard, (size_t)cg_tensor_count(&call->in[0]), 1, &first, &last);
    for (size_t i = first; i < last; i++)
        sum += x[i];
    scratch[0] = sum; /* must be private to the thread */
    scratch[255] = sum;
    ((float *)call->shared)[shard.index] = scratch[255];
}

static void total_finish(const CgCall *call, CgShard shard)
{
    float sum = 0;
    (void)shard;
    for (int i = 0; i < 13; i++)
        sum += ((float *)call->shared)[i];
    *(float *)call->out[0].data = sum + (call->state ? *(float *)call->state : 0);
}

static void total_work(const CgCall *call, CgWork *work)
{
    (void)call;
    *work = (CgWork){ .shards = 13, .shared = 13 * sizeof(float), .scratch = 1024 };
}

static int states;

static void *total_prepare(const CgCall *call)
{
    float *f = malloc(sizeof *f);
    if (f)
        *f = call->in[0].rank == 2 && call->in[0].data == NULL ? 100 : -1;
    states++;
    return f;
}

static void total_release(void *state)
{
    free(state);
    states--;
}

static const CgOp op_total = { CG_OP_HERE, .name = "test_total", .sig = "(x: F[..s]) -> F",
    .doc = "Sum and a hundred.\n", .shape = total_shape, .samples = no_samples, .kernel = { [CG_F32] = total_f32 },
    .finish = total_finish, .work = total_work, .prepare = total_prepare, .release = total_release,
    .traits = CG_NODIFF };

static void twice_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_add(b, site->in[0], site->in[0]);
    if (site->nout > 1)
        out[1] = cg_exp(b, site->in[0]);
}

static const CgOp op_twice = { CG_OP_HERE, .name = "test_twice", .sig = "(x: F[..s]) -> F[..s]",
    .doc = "Has no kernel.\n", .shape = split_shape, .samples = no_samples, .expand = twice_expand, .nout = 2 };

static void four_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef two = cg_build(b, "test_twice", 1, site->in, NULL);
    out[0] = cg_build(b, "test_twice", 1, &two, NULL);
}

static const CgOp op_four = { CG_OP_HERE, .name = "test_four", .sig = "(x: F[..s]) -> F[..s]",
    .doc = "Expands twice.\n", .shape = cg_shape_same, .samples = no_samples, .expand = four_expand };

static const CgOp *const test_ops[] = { &op_split, &op_total, &op_twice, &op_four, NULL };
static const CgOpSet test_set = { CG_ABI, sizeof(CgOp), "test", test_ops };

/* ---- the walk without a plan ----------------------------------------------------------------------------------- */

static CgTensor fresh(const CgType *type)
{
    CgTensor t = { .dtype = type->dtype, .rank = type->rank };
    int64_t n = 1;
    for (int i = type->rank - 1; i >= 0; i--) {
        cg_dim_is_int(type->dim[i], &t.dim[i]);
        t.stride[i] = n;
        n *= t.dim[i];
    }
    t.data = calloc((size_t)n + 16, cg_dtype_size(type->dtype));
    return t;
}

/* Every node computed alone from contiguous operands; dims must be numbers. value[r] is malloc'd. */
static void walk(const CgGraph *g, const void *const *inputs, CgTensor *value)
{
    char *scratch = aligned_alloc(64, 1 << 22);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        CgTensor in[CG_MAX_IN], y = fresh(&n->type), stride = y;
        CgAttr at[16];
        CgAttrs attrs = { n->attrs ? n->attrs->n : 0, at };
        for (int i = 0; i < attrs.n; i++) {
            at[i] = n->attrs->at[i];
            for (int j = 0; at[i].kind == CG_ATTR_DIMS && j < at[i].n; j++)
                cg_dim_is_int(at[i].dims[j], &at[i].ints[j]);
        }
        for (int i = 0; i < n->nin; i++)
            in[i] = value[n->in[i]];
        CgCall call = { .op = n->op, .nin = n->nin, .nout = 1, .in = in, .out = &y, .attrs = &attrs };
        CgDtype dtype = n->nin ? in[0].dtype : y.dtype;
        value[r] = y;
        if (!strcmp(n->op->name, "input")) {
            for (size_t i = 0; i < g->inputs.len; i++)
                if (g->inputs.at[i] == r)
                    memcpy(y.data, inputs[i], (size_t)cg_tensor_count(&y) * cg_dtype_size(y.dtype));
        } else if (!strcmp(n->op->name, "const")) {
            *(float *)y.data = (float)cg_attr_float(n->attrs, "value", 0);
        } else if (n->op->view) {
            call.out = &stride;
            if (n->op->view(&call, &stride))
                cg_tensor_copy(&y, &stride, (CgShard){ .count = 1, .scratch = scratch });
        } else if (n->op->kernel[dtype]) {
            n->op->kernel[dtype](&call, (CgShard){ .count = 1, .scratch = scratch });
        } else {
            cg_kernel_elementwise(&call, (CgShard){ .count = 1, .scratch = scratch });
        }
    }
    free(scratch);
}

/* ---- random graphs --------------------------------------------------------------------------------------------- */

static uint64_t draws;

static int64_t draw(int64_t below)
{
    uint32_t bits;
    cg_random_bits(77, 5, 0, draws++, 1, &bits);
    return (int64_t)(bits % (uint32_t)below);
}

static CgRef same_type(CgBuild *b, const CgRef *pool, int n, CgRef x)
{
    CgType t = cg_ref_type(b, x);
    for (int tries = 0; tries < 20; tries++) {
        CgRef y = pool[draw(n)];
        CgType u = cg_ref_type(b, y);
        if (cg_type_equal(&t, &u))
            return y;
    }
    return x;
}

static CgRef grow(CgBuild *b, const CgRef *pool, int n)
{
    CgRef x = pool[n > 6 && draw(3) ? n - 1 - draw(6) : draw(n)];
    CgType t = cg_ref_type(b, x);
    const CgDim *dim[CG_MAX_RANK];
    int64_t ints[CG_MAX_RANK], size[CG_MAX_RANK], total = 1;
    for (int i = 0; i < t.rank; i++) {
        cg_dim_is_int(t.dim[i], &size[i]);
        total *= size[i];
    }
    switch (draw(12)) {
    case 0:
    case 1: return cg_u(b, draw(2) ? "sin" : "tanh", x);
    case 2:
    case 3:
    case 4: return cg_b(b, draw(2) ? "add" : "sub", x, same_type(b, pool, n, x));
    case 5: return cg_mul(b, cg_u(b, "sin", x), same_type(b, pool, n, x));
    case 6: {
        for (int i = 0; i < t.rank; i++)
            ints[i] = i;
        for (int i = t.rank - 1; i > 0; i--) {
            int64_t j = draw(i + 1), k = ints[i];
            ints[i] = ints[j];
            ints[j] = k;
        }
        return t.rank ? cg_transpose(b, x, ints) : x;
    }
    case 7: /* flat, or split in a factor of the total */
        if (t.rank == 0 || draw(2)) {
            dim[0] = cg_dim_int(total);
            return cg_reshape(b, x, 1, dim);
        }
        for (int64_t f = 7; f > 1; f--)
            if (total % f == 0) {
                dim[0] = cg_dim_int(f);
                dim[1] = cg_dim_int(total / f);
                return cg_reshape(b, x, 2, dim);
            }
        return x;
    case 8: {
        if (t.rank >= 4 || total > 4000)
            return x;
        int at = (int)draw(t.rank + 1);
        for (int i = 0, j = 0; i <= t.rank; i++) {
            ints[i] = i == at ? -1 : j;
            dim[i] = i == at ? cg_dim_int(2 + draw(4)) : t.dim[j];
            j += i != at;
        }
        return cg_broadcast(b, x, t.rank + 1, dim, ints);
    }
    case 9: {
        int axis = t.rank ? (int)draw(t.rank) : 0;
        if (t.rank == 0 || size[axis] < 3)
            return x;
        return cg_slice(b, x, axis, cg_dim_int(1), cg_dim_int(size[axis] - draw(2)));
    }
    case 10: ints[0] = t.rank ? draw(t.rank) : 0; return t.rank > 1 ? cg_sum(b, cg_scale(b, x, 0.25), 1, ints) : x;
    default: /* a product of a matrix with itself, turned one way or the other */
        if (t.rank != 2 || size[0] > 200 || size[1] > 200)
            return x;
        return cg_u(b, "tanh", draw(2) ? cg_matmul(b, x, x, true, false) : cg_matmul(b, x, x, false, true));
    }
}

static CgGraph *random_graph(int nodes, int outputs)
{
    CgGraph *g = cg_graph_new("random");
    CgBuild b = cg_build_at(g);
    CgRef pool[200];
    int n = 0;
    static const int64_t sizes[3][3] = { { 7, 5, 3 }, { 35, 3, 2 }, { 5, 13, 4 } };
    for (int i = 0; i < 3; i++) {
        const CgDim *dim[3] = { cg_dim_int(sizes[i][0]), cg_dim_int(sizes[i][1]), cg_dim_int(sizes[i][2]) };
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        pool[n++] = cg_graph_input(&b, name, cg_type(CG_F32, 3 - i % 2, dim));
    }
    while (n < nodes) {
        pool[n] = grow(&b, pool, n);
        n++;
    }
    for (int i = 0; i < outputs; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        cg_graph_output(g, name, pool[i == 0 ? n - 1 : draw(n)]);
    }
    return g;
}

static float numbers[3][512];

static const void *const *inputs(void)
{
    static const void *at[3];
    for (uint64_t i = 0; i < 3; i++) {
        for (uint64_t k = 0; k < 512; k++) {
            uint32_t bits;
            cg_random_bits(9, i, 0, k, 1, &bits);
            numbers[i][k] = (float)bits / 4294967296.0f * 2.385f - 1;
        }
        at[i] = numbers[i];
    }
    return at;
}

static double largest_difference(const CgTensor *a, const CgTensor *b)
{
    CgTensor x = *a, y = *b;
    int64_t n = cg_tensor_count(a), stride = 1;
    for (int i = x.rank - 1; i >= 0; i--) {
        x.stride[i] = stride;
        stride *= x.dim[i];
    }
    y = x;
    x.data = malloc((size_t)n * 4 + 4);
    y.data = malloc((size_t)n * 4 + 4);
    cg_tensor_copy(&x, a, (CgShard){ .count = 1 });
    cg_tensor_copy(&y, b, (CgShard){ .count = 1 });
    double worst = a->rank == b->rank && n == cg_tensor_count(b) ? 0 : INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)((float *)x.data)[i] - (double)((float *)y.data)[i])
            / (1 + fabs((double)((float *)y.data)[i]));
        if (!(d <= worst))
            worst = d;
    }
    free(x.data);
    free(y.data);
    return worst;
}

/* Runs g one way and compares all outputs with `want`. */
static double run_once(
    const CgGraph *g, CgPlanOptions options, CgPool *pool, const CgTensor *want, int *inplace, size_t *slab)
{
    CgErr e = { 0 };
    CgPlan *p = cg_plan_build(g, (CgBindings){ NULL, 0 }, options, &e);
    CgExec *x = p ? cg_exec_new(p, pool, &e) : NULL;
    if (!x) {
        printf("# %s\n", e.text);
        return INFINITY;
    }
    cg_plan_verify(p);
    const void *const *in = inputs();
    for (int i = 0; i < 3; i++)
        cg_exec_bind_input(x, i, in[i]);
    void *bound[8] = { NULL };
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgTensor *w = &want[g->outputs.at[i].ref];
        bound[i] = malloc((size_t)cg_tensor_count(w) * 4 + 4);
        if (options.outputs_bound)
            cg_exec_bind_output(x, (int)i, bound[i]);
    }
    double worst = 0;
    for (int again = 0; again < 2; again++) {
        CG_ASSERT(cg_exec_run(x), "indices are within their tables");
        for (size_t i = 0; i < g->outputs.len; i++) {
            CgTensor y = cg_exec_output(x, (int)i);
            if (options.outputs_bound && y.data != bound[i])
                worst = INFINITY;
            double d = largest_difference(&y, &want[g->outputs.at[i].ref]);
            if (!(d <= worst))
                worst = d;
        }
    }
    for (int i = 0; i < cg_plan_count(p); i++)
        for (int k = 0; k < cg_plan_instr(p, i)->nin; k++)
            *inplace += cg_plan_instr(p, i)->in[k].buffer == cg_plan_instr(p, i)->out[0].buffer;
    *slab += cg_plan_slab(p);
    for (size_t i = 0; i < g->outputs.len; i++)
        free(bound[i]);
    cg_exec_free(x);
    cg_plan_free(p);
    return worst;
}

/* Outputs that renew what was bound: a moment and a weight, two inputs that change places, one that stays as it is;
 * three steps. */
static void renewals(void)
{
    CgErr e = { 0 };
    CgGraph *g =
        cg_graph_parse("graph f(g: f32[1031], a: f32[37], b: f32[37], w: param f32[1031], m: param f32[1031]) {\n"
                       "  %5 = add %4 %0 : f32[1031]\n"
                       "  %6 = sub %3 %5 : f32[1031]\n"
                       "  %7 = sum %3 {axes=(0)} : f32\n"
                       "  return m = %5, w = %6, old = %7, a = %2, b = %1, g = %0\n}\n",
            &e);
    CgPool *pool = cg_pool_new(2);
    for (int way = 0; way < 4; way++) {
        static float grad[1031], w[1031], m[1031], a[37], b[37];
        float old = 0, sum = 0;
        CgPlanOptions o = { .update = true, .no_inplace = way & 1, .outputs_bound = way & 2 };
        CgPlan *p = g ? cg_plan_build(g, (CgBindings){ NULL, 0 }, o, &e) : NULL;
        CgExec *x = p ? cg_exec_new(p, pool, &e) : NULL;
        if (!x) {
            ok(false, e.text);
            return;
        }
        cg_plan_verify(p);
        for (int i = 0; i < 1031; i++) {
            grad[i] = 0.25f * (float)(i % 7);
            w[i] = 2.0f;
            m[i] = 0.5f;
        }
        for (int i = 0; i < 37; i++) {
            a[i] = 2.375f;
            b[i] = -1.5f;
        }
        float *in[3] = { grad, a, b };
        for (int i = 0; i < 3; i++)
            cg_exec_bind_input(x, i, in[i]);
        cg_exec_bind_param(x, 0, w);
        cg_exec_bind_param(x, 1, m);
        if (o.outputs_bound)
            cg_exec_bind_output(x, 2, &old);
        bool good = true;
        for (int step = 1; step <= 3; step++) {
            sum = 0;
            for (int i = 0; i < 1031; i++)
                sum += w[i];
            CG_ASSERT(cg_exec_run(x), "indices are within their tables");
            old = *(const float *)cg_exec_output(x, 2).data;
            good = good && fabsf(old - sum) <= 1e-5f * 1031 && a[36] == (step % 2 ? -1.5f : 2.375f)
                && b[36] == (step % 2 ? 2.375f : -1.5f);
        }
        for (int i = 0; i < 1031; i++) {
            float k = 0.25f * (float)(i % 7);
            good = good && grad[i] == k && m[i] == 0.5f + 3 * k
                && w[i] == 2.0f - (0.5f + k) - (0.5f + 2 * k) - (0.5f + 3 * k);
        }
        ok(good, way & 1 ? "renewed by copies at the end of a run" : "renewed in place");
        cg_exec_free(x);
        cg_plan_free(p);
    }
    cg_pool_free(pool);
    cg_graph_free(g);
}

static void random_graphs(void)
{
    CgPool *pool[3] = { cg_pool_new(1), cg_pool_new(2), cg_pool_new(3) };
    double worst[5] = { 0 };
    int inplace[5] = { 0 };
    size_t slab[5] = { 0 };
    for (int round = 0; round < 120; round++) {
        CgGraph *g = random_graph(8 + (int)draw(60), 1 + (int)draw(5));
        CgTensor *value = calloc(g->nodes.len, sizeof *value);
        walk(g, inputs(), value);
        for (int way = 0; way < 5; way++) {
            CgPlanOptions o = { .no_inplace = way == 1, .outputs_bound = way == 2 };
            if (way == 4)
                setenv("CG_DEBUG", "other,poison", 1);
            double d = run_once(g, o, pool[way % 3], value, &inplace[way], &slab[way]);
            unsetenv("CG_DEBUG");
            if (!(d <= worst[way]))
                worst[way] = d;
        }
        for (size_t r = 0; r < g->nodes.len; r++)
            free(value[r].data);
        free(value);
        cg_graph_free(g);
    }
    printf("# worst %g %g %g %g %g, in place %d, slab %zu against %zu\n", worst[0], worst[1], worst[2], worst[3],
        worst[4], inplace[0], slab[0], slab[1]);
    ok(worst[0] < 1e-5, "120 random graphs are what their nodes say");
    ok(worst[1] < 1e-5 && inplace[1] == 0, "without work in place");
    ok(worst[2] < 1e-5, "with outputs in memory of the caller");
    ok(worst[3] < 1e-5, "with one thread");
    ok(worst[4] < 1e-5, "with poison in dead memory");
    ok(inplace[0] > 100 && slab[0] < slab[1], "work in place happens and saves memory");
    for (int i = 0; i < 3; i++)
        cg_pool_free(pool[i]);
}

/* ---- single matters -------------------------------------------------------------------------------------------- */

static CgGraph *parse(const char *text)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        printf("# %s\n", e.text);
    return g;
}

typedef struct Ran {
    CgPlan *plan;
    CgExec *exec;
} Ran;

static Ran start(const CgGraph *g, int64_t batch, CgPool *pool)
{
    CgErr e = { 0 };
    CgBinding b = { cg_intern("B"), batch };
    Ran r = { cg_plan_build(g, (CgBindings){ &b, 1 }, (CgPlanOptions){ 0 }, &e), NULL };
    if (r.plan)
        r.exec = cg_exec_new(r.plan, pool, &e);
    if (!r.exec)
        printf("# %s\n", e.text);
    return r;
}

static void stop(Ran r)
{
    cg_exec_free(r.exec);
    cg_plan_free(r.plan);
}

static void threads_and_reuse(void)
{
    enum { B = 30011, N = 37 };
    CgGraph *g = parse("graph f(x: f32[B, 37]) {\n"
                       "  %1 = exp %0 : f32[B, 37]\n"
                       "  %2 = mul %1 %0 : f32[B, 37]\n"
                       "  %3 = sum %2 {axes=(0)} : f32[37]\n"
                       "  %4 = tanh %2 : f32[B, 37]\n"
                       "  %5 = test_total %4 : f32\n"
                       "  return a = %3, b = %5\n}\n");
    float *x = malloc(sizeof(float) * B * N);
    uint32_t *bits = malloc(sizeof(uint32_t) * B * N);
    cg_random_bits(3, 0, 0, 0, B * N, bits);
    for (int i = 0; i < B * N; i++)
        x[i] = (float)bits[i] / 4294967296.0f - 0.5f;
    float first[N], total = 0;
    bool same = g != NULL, again = g != NULL;
    for (int threads = 1; threads <= 3 && g; threads++) {
        CgPool *pool = cg_pool_new(threads);
        Ran r = start(g, B, pool);
        for (int run = 0; run < 3 && r.exec; run++) {
            cg_exec_bind_input(r.exec, 0, x);
            CG_ASSERT(cg_exec_run(r.exec), "indices are within their tables");
            CgTensor a = cg_exec_output(r.exec, 0), b = cg_exec_output(r.exec, 1);
            if (threads == 1 && run == 0) {
                memcpy(first, a.data, sizeof first);
                total = *(float *)b.data;
            }
            bool equal = !memcmp(first, a.data, sizeof first) && total == *(float *)b.data;
            same = same && (run > 0 || equal);
            again = again && equal;
        }
        same = same && r.exec;
        stop(r);
        cg_pool_free(pool);
    }
    ok(same, "the same bits at 1, 2 and 3 threads");
    ok(again, "the same bits when a plan runs again");
    ok(states == 0, "prepared state is given back");
    double sum = 0;
    for (int i = 0; i < B * N; i++)
        sum += tanh(exp((double)x[i]) * (double)x[i]);
    ok(fabs(sum + 100 - (double)total) < 1e-3 * (1 + fabs(sum)), "shared memory, finish and state reach the result");
    free(x);
    free(bits);
    cg_graph_free(g);
}

static void several_results(CgPool *pool)
{
    float x[7] = { 2.385f, -1, 0.5f, 3, 4, 5, 6 };
    CgGraph *g = cg_graph_new("two");
    CgBuild b = cg_build_at(g);
    const CgDim *dim[1] = { cg_dim_symbol("B") };
    CgRef in = cg_graph_input(&b, "x", cg_type(CG_F32, 1, dim));
    CgRef s = cg_build(&b, "test_split", 1, &in, NULL);
    cg_graph_output(g, "a", cg_mul(&b, s, cg_build_result(&b, s, 1)));
    CgRef t = cg_build(&b, "test_twice", 1, &in, NULL);
    cg_graph_output(g, "b", cg_sub(&b, t, cg_build_result(&b, t, 1)));
    cg_graph_output(g, "c", cg_build(&b, "test_four", 1, &in, NULL));
    cg_graph_output(g, "d", in);
    Ran r = start(g, 7, pool);
    bool good = r.exec != NULL;
    if (good) {
        cg_plan_verify(r.plan);
        cg_exec_bind_input(r.exec, 0, x);
        CG_ASSERT(cg_exec_run(r.exec), "indices are within their tables");
        const float *y[4];
        for (int i = 0; i < 4; i++)
            y[i] = cg_exec_output(r.exec, i).data;
        for (int i = 0; i < 7; i++)
            good = good && fabsf(y[0][i] - (x[i] + 1) * (x[i] - 1)) < 1e-4f
                && fabsf(y[1][i] - (2 * x[i] - expf(x[i]))) < 1e-3f && y[2][i] == 4 * x[i] && y[3][i] == x[i];
        good = good && y[3] == x;
    }
    ok(good, "several results, ops written out, an input as output");
    stop(r);
    cg_graph_free(g);
}

static void checked(CgPool *pool)
{
    CgGraph *g = parse("graph f(x: f32[B, 3]) {\n"
                       "  %1 = const {type=f32, value=-inf} : f32\n"
                       "  %2 = broadcast %1 {axes=(-1, -1), dims=[B, 3]} : f32[B, 3]\n"
                       "  %3 = maximum %2 %0 : f32[B, 3]\n"
                       "  %4 = minimum %2 %3 : f32[B, 3]\n"
                       "  %5 = exp %4 : f32[B, 3]\n"
                       "  %6 = log %0 : f32[B, 3]\n"
                       "  %7 = sqrt %6 : f32[B, 3]\n"
                       "  %8 = add %7 %5 : f32[B, 3]\n"
                       "  return y = %8\n}\n");
    float x[15];
    for (int i = 0; i < 15; i++)
        x[i] = 2.385f + (float)i;
    Ran r = g ? start(g, 5, pool) : (Ran){ NULL, NULL };
    if (r.exec) {
        cg_exec_bind_input(r.exec, 0, x);
        ok(cg_exec_run_checked(r.exec) == -1, "infinities the script wrote pass");
        x[7] = 0;
        int bad = cg_exec_run_checked(r.exec);
        ok(bad >= 0 && !strcmp(cg_plan_instr(r.plan, bad)->op->name, "log"),
            "a new infinity is found where it is born");
        x[7] = 0.5f;
        bad = cg_exec_run_checked(r.exec);
        ok(bad >= 0 && !strcmp(cg_plan_instr(r.plan, bad)->op->name, "sqrt"), "so is what is not a number");
        cg_exec_profile(r.exec, true);
        CG_ASSERT(cg_exec_run(r.exec), "indices are within their tables");
        CG_ASSERT(cg_exec_run(r.exec), "indices are within their tables");
        const CgProf *prof = cg_exec_prof(r.exec);
        bool good = true;
        for (int i = 0; i < cg_plan_count(r.plan); i++)
            good = good && prof[i].calls == 2 && prof[i].seconds >= 0;
        ok(good, "a profile counts each instruction");
    } else {
        ok(false, "checked runs");
    }
    stop(r);
    cg_graph_free(g);
}

static void overhead(void)
{
    CgPool *pool = cg_pool_new(2);
    CgGraph *g = cg_graph_new("chain");
    CgBuild b = cg_build_at(g);
    const CgDim *dim[1] = { cg_dim_symbol("B") };
    CgRef x = cg_graph_input(&b, "x", cg_type(CG_F32, 1, dim));
    for (int i = 0; i < 500; i++)
        x = cg_u(&b, i % 2 ? "neg" : "abs", x);
    cg_graph_output(g, "y", x);
    Ran r = start(g, 7, pool);
    float in[7] = { 2.385f };
    if (r.exec) {
        cg_exec_bind_input(r.exec, 0, in);
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 200; i++)
            CG_ASSERT(cg_exec_run(r.exec), "indices are within their tables");
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
        printf("# %.0f ns an instruction of seven elements\n", ns / 200 / cg_plan_count(r.plan));
        ok(cg_plan_slab(r.plan) <= 128, "a chain runs in one buffer");
    }
    stop(r);
    cg_graph_free(g);
    cg_pool_free(pool);
}

int main(void)
{
    CgErr e = { 0 };
    cg_registry_init();
    if (!cg_registry_add_from(&test_set, (CgDigest){ 0 }, &e)) {
        printf("# %s\nnot ok 1 - test ops\n", e.text);
        return 1;
    }
    CgPool *pool = cg_pool_new(2);
    random_graphs();
    renewals();
    threads_and_reuse();
    several_results(pool);
    checked(pool);
    cg_pool_free(pool);
    overhead();
    printf("1..%d\n", count);
    return 0;
}
