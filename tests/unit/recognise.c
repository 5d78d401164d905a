/* recognise.c - is a recognised graph the same function, and is what is differentiated what was recognised?
 * Takes nothing; prints TAP. Accuses src/graph/passes/recognise.c, then the `match` and `vjp` of the op. */
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "values.h"

static int count, failed;

static bool ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
    return good;
}

static int count_op(const CgGraph *g, const char *op)
{
    int n = 0;
    for (CgRef r = 0; r < g->nodes.len; r++)
        n += !strcmp(cg_node(g, r)->op->name, op);
    return n;
}

/* Attention written out; %7, %8, %9 are inner nodes that hold minus the inputs. */
static const char attention[] =
    "graph attention(q: f64[2, 3, 11, 8], k: f64[2, 3, 13, 8], v: f64[2, 3, 13, 8], c: f64[2, 3, 11, 8]) {\n"
    "  %4 = const {type=f64, value=0.35}\n"
    "  %5 = broadcast %4 {dims=[2, 3, 11, 13], axes=(-1, -1, -1, -1)}\n"
    "  %6 = const {type=f64, value=-inf}\n"
    "  %7 = neg %0\n  %8 = neg %1\n  %9 = neg %2\n"
    "  %10 = matmul %7 %8 {tb=1}\n  %11 = mul %10 %5\n"
    "  %12 = iota {type=i32[11, 13], axis=0}\n  %13 = iota {type=i32[11, 13], axis=1}\n"
    "  %14 = const {type=i32, value=2}\n  %15 = broadcast %14 {dims=[11, 13], axes=(-1, -1)}\n"
    "  %16 = add %12 %15\n  %17 = ge %16 %13\n"
    "  %18 = broadcast %17 {dims=[2, 3, 11, 13], axes=(-1, -1, 0, 1)}\n"
    "  %19 = broadcast %6 {dims=[2, 3, 11, 13], axes=(-1, -1, -1, -1)}\n"
    "  %20 = where %18 %11 %19\n  %21 = softmax %20 {axis=-1}\n  %22 = matmul %21 %9\n"
    "  %23 = mul %22 %3\n  %24 = sum %23 {axes=(0, 1, 2, 3)}\n  return y = %22\n}\n";

int main(void)
{
    CgErr e = { 0 };
    CgRef inner[3] = { 7, 8, 9 }, leaves[3] = { 0, 1, 2 }, by_inner[3], by_leaves[3], where;
    cg_registry_init();
    CgGraph *g = cg_graph_parse(attention, &e);
    if (!g)
        CG_BUG("%s", e.text);
    CgGraph *found = cg_pass_run_all(g, "recognise,dce");
    cg_graph_verify(found);
    ok(count_op(found, "attention") == 1 && count_op(found, "softmax") == 0, "attention is recognised");
    Values a = evaluate(g, 1), b = evaluate(found, 1);
    ok(difference(&a, &b, 1) < 1e-12, "and is the same function");
    release(&a, 1);
    release(&b, 1);
    cg_graph_free(found);

    CgBuild at = cg_build_at(g);
    if (!cg_grad_build(&at, 24, 3, inner, by_inner, &where, &e))
        CG_BUG("%s", e.text);
    ok(count_op(g, "attention") == 0, "by inner nodes the graph is differentiated as it is");
    if (!cg_grad_build(&at, 24, 3, leaves, by_leaves, &where, &e))
        CG_BUG("%s", e.text);
    ok(count_op(g, "attention") == 1 && count_op(g, "attention_vjp") == 1,
        "by leaves it is differentiated as recognised");
    cg_graph_verify(g);
    for (int i = 0; i < 3; i++) {
        CgRef zero = cg_add(&at, by_inner[i], by_leaves[i]);
        cg_graph_output(g, "zero", zero); /* the leaves are minus the inner nodes */
        cg_graph_output(g, "d", by_inner[i]);
    }
    Values v = evaluate(g, 1);
    double worst = 0, largest = 0;
    for (int k = 1; k <= 6; k++)
        for (size_t i = 0; i < v.n[k]; i++) {
            double *at_most = k % 2 ? &worst : &largest;
            if (!(fabs(v.at[k][i]) <= *at_most))
                *at_most = fabs(v.at[k][i]);
        }
    ok(worst < 1e-12 && largest > 0.1, "and both derivatives agree");
    release(&v, g->outputs.len);

    cg_graph_free(g);
    g = cg_graph_parse(attention, &e);
    at = cg_build_at(g);
    if (!cg_grad_build(&at, 24, 3, leaves, by_leaves, &where, &e))
        CG_BUG("%s", e.text);
    cg_graph_output(g, "loss", 24);
    for (int i = 0; i < 3; i++)
        cg_graph_output(g, "d", by_leaves[i]);
    CgGraph *all = cg_pass_run_all(g, NULL);
    cg_graph_verify(all);
    ok(count_op(all, "softmax") == 0 && count_op(all, "attention") == 1,
        "the loss and its derivative share one evaluation");
    cg_graph_free(all);
    cg_graph_free(g);
    printf("1..%d\n", count);
    return failed != 0;
}
