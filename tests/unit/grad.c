/* grad.c - are derivatives of order one to three what calculus says, and is nothing built for what is frozen?
 * Takes nothing; prints TAP. Accuses src/graph/grad.c, then the rules of the ops used. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "run/exec.h"

#define N 7
static const double xs[N] = { 0.2385, 1.731, 0.577, 2.9979, 1.0973, 0.6626, 1.381 };
static int count, failed;

static bool ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
    return good;
}

static bool near(const double *a, const double *b, double tolerance)
{
    for (int i = 0; i < N; i++)
        if (!(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])))) {
            printf("# element %d is %.15g, expected %.15g\n", i, a[i], b[i]);
            return false;
        }
    return true;
}

/* Runs the graph with x = xs for each of its inputs; the outputs are N numbers each. */
static void evaluate(const CgGraph *g, double out[][N])
{
    CgErr e = { 0 };
    CgPool *pool = cg_pool_new(1);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, &e);
    CgExec *x = plan ? cg_exec_new(plan, pool, &e) : NULL;
    if (!x)
        CG_BUG("%s", e.text);
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(x, (int)i, xs);
    CG_ASSERT(cg_exec_run(x), "indices are within their tables");
    for (size_t k = 0; k < g->outputs.len; k++) {
        CgTensor t = cg_exec_output(x, (int)k);
        for (int i = 0; i < N; i++)
            out[k][i] = ((const double *)t.data)[t.rank ? i * t.stride[0] : 0];
    }
    cg_exec_free(x);
    cg_plan_free(plan);
    cg_pool_free(pool);
}

static CgGraph *read_graph(const char *text)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        CG_BUG("%s", e.text);
    return g;
}

static CgRef grad1(CgBuild *b, CgRef loss, CgRef by)
{
    CgErr e = { 0 };
    CgRef g, where;
    if (!cg_grad_build(b, loss, 1, &by, &g, &where, &e))
        CG_BUG("%s", e.text);
    return g;
}

static double tanh_1(double x)
{
    double t = tanh(x);
    return 1 - t * t;
}
static double tanh_2(double x)
{
    double t = tanh(x);
    return -2 * t * (1 - t * t);
}
static double tanh_3(double x)
{
    double t = tanh(x);
    return (1 - t * t) * (6 * t * t - 2);
}
static double gauss_1(double x) { return 2 * x * exp(x * x); }
static double gauss_2(double x) { return (2 + 4 * x * x) * exp(x * x); }
static double gauss_3(double x) { return (12 * x + 8 * x * x * x) * exp(x * x); }
static double sin_1(double x) { return cos(x); }
static double sin_2(double x) { return -sin(x); }
static double sin_3(double x) { return -cos(x); }
static double quotient_1(double x) { return (1 - log(x)) / (x * x); }
static double quotient_2(double x) { return (2 * log(x) - 3) / (x * x * x); }
static double quotient_3(double x) { return (11 - 6 * log(x)) / (x * x * x * x); }
static double root_1(double x) { return -0.5 * pow(x, -1.5); }
static double root_2(double x) { return 0.75 * pow(x, -2.5); }
static double root_3(double x) { return -1.875 * pow(x, -3.5); }

static const struct {
    const char *name, *body;
    double (*d[3])(double);
} functions[] = {
    { "tanh x", "%1 = tanh %0", { tanh_1, tanh_2, tanh_3 } },
    { "exp x^2", "%1 = mul %0 %0\n %2 = exp %1", { gauss_1, gauss_2, gauss_3 } },
    { "exp x^2, fused", "%1 = fused %0 {program=\"mul 0 0; exp 1\", results=(2)}", { gauss_1, gauss_2, gauss_3 } },
    { "sin x", "%1 = sin %0", { sin_1, sin_2, sin_3 } },
    { "log x / x", "%1 = log %0\n %2 = div %1 %0", { quotient_1, quotient_2, quotient_3 } },
    { "log x / x, two results fused",
        "%1 = fused2 %0 {program=\"log 0; div 1 0\", results=(1, 2)}\n %2 = result %1 {k=1}",
        { quotient_1, quotient_2, quotient_3 } },
    { "1 / sqrt x", "%1 = rsqrt %0", { root_1, root_2, root_3 } },
};

static void orders(void)
{
    for (size_t f = 0; f < CG_LEN(functions); f++) {
        char text[512], name[96];
        snprintf(text, sizeof text, "graph f(x: f64[%d]) {\n %s\n}\n", N, functions[f].body);
        CgGraph *g = read_graph(text);
        CgBuild b = cg_build_at(g);
        CgRef y = (CgRef)g->nodes.len - 1;
        double out[6][N], want[N];
        for (int k = 0; k < 3; k++) {
            y = grad1(&b, cg_sum_all(&b, y), 0);
            cg_graph_output(g, "d", y);
        }
        cg_graph_verify(g);
        evaluate(g, out);
        CgGraph *opt = cg_pass_run_all(g, NULL);
        cg_graph_verify(opt);
        evaluate(opt, out + 3);
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < N; i++)
                want[i] = functions[f].d[k](xs[i]);
            snprintf(name, sizeof name, "%s, order %d", functions[f].name, k + 1);
            ok(near(out[k], want, 1e-11), name);
            snprintf(name, sizeof name, "%s, order %d, after all passes", functions[f].name, k + 1);
            ok(near(out[3 + k], want, 1e-11), name);
        }
        cg_graph_free(opt);
        cg_graph_free(g);
    }
}

static void structure(void)
{
    double out[4][N], want[N];
    CgGraph *g =
        read_graph("graph f(x: f64[7], w: f64[7], u: f64[7]) {\n"
                   "  %3 = mul %0 %1\n  %4 = stop_gradient %3\n  %5 = mul %4 %0\n  %6 = exp %1\n  %7 = add %5 %6\n"
                   "  %8 = sum %7 {axes=(0)}\n  %9 = lt %0 %1\n}\n");
    CgBuild b = cg_build_at(g);
    CgRef wrt[4] = { 0, 1, 2, 6 }, grads[4], where;
    CgErr e = { 0 };
    ok(cg_grad_build(&b, 8, 4, wrt, grads, &where, &e), "several at once");
    for (int i = 0; i < 4; i++)
        cg_graph_output(g, "d", grads[i]);
    evaluate(g, out);
    for (int i = 0; i < N; i++)
        want[i] = xs[i] * xs[i];
    ok(near(out[0], want, 1e-13), "nothing flows through stop_gradient");
    for (int i = 0; i < N; i++)
        want[i] = exp(xs[i]);
    ok(near(out[1], want, 1e-13), "by the second operand");
    for (int i = 0; i < N; i++)
        want[i] = 0;
    ok(near(out[2], want, 0), "zeros where the loss does not depend on it");
    for (int i = 0; i < N; i++)
        want[i] = 1;
    ok(near(out[3], want, 0), "by an inner node");
    CgRef one;
    ok(!cg_grad_build(&b, 7, 1, wrt, &one, &where, &e) && e.text[0] && where == 7, "only scalars are differentiated");
    e = (CgErr){ 0 };
    wrt[0] = 9;
    ok(!cg_grad_build(&b, 8, 1, wrt, &one, &where, &e) && e.text[0] && where == 9, "and only by float values");
    cg_graph_free(g);

    /* A chain of 40 steps, by the operand of the last three only. */
    CgGraph *chain = cg_graph_new("chain");
    b = cg_build_at(chain);
    const CgDim *dim = cg_dim_int(N);
    CgRef x = cg_graph_input(&b, "x", cg_type(CG_F64, 1, &dim)), at = x, tail[3];
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        CgRef w = cg_graph_param(&b, name, cg_type(CG_F64, 1, &dim));
        if (i >= 37)
            tail[i - 37] = w;
        b.span = (CgSpan){ 1, (uint32_t)i, (uint32_t)i + 1 };
        at = cg_u(&b, "tanh", cg_mul(&b, at, w));
    }
    CgRef loss = cg_sum_all(&b, at);
    size_t before = chain->nodes.len;
    e = (CgErr){ 0 };
    if (!cg_grad_build(&b, loss, 3, tail, grads, &where, &e))
        CG_BUG("%s", e.text);
    ok(chain->nodes.len - before < 3 * 10, "nothing is built for what is frozen");
    bool marked = true, placed = true;
    for (size_t r = before; r < chain->nodes.len; r++) {
        marked &= chain->nodes.at[r].why != CG_NONE;
        placed &= chain->nodes.at[r].span.file == 1 && chain->nodes.at[r].span.start >= 37;
    }
    ok(marked && placed, "derivative nodes know their forward node and its place");
    cg_graph_free(chain);
}

int main(void)
{
    cg_registry_init();
    orders();
    structure();
    printf("1..%d\n", count);
    return failed != 0;
}
