/* fuse.c - does a fused graph compute what the plain one does, for every way operands can lie in memory?
 * Takes nothing; prints TAP. Accuses src/graph/passes/fuse.c and src/ops/fused.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int count_fused(const CgGraph *g)
{
    int n = 0;
    for (CgRef r = 0; r < g->nodes.len; r++)
        n += !strncmp(cg_node(g, r)->op->name, "fused", 5);
    return n;
}

/* The graph, and the graph with `passes`, on one and on three threads. Returns the number of fused nodes. */
static int compare(const CgGraph *g, const char *passes, const char *name)
{
    CgGraph *fused = cg_pass_run_all(g, passes);
    cg_graph_verify(fused);
    Values a = evaluate(g, 1), b = evaluate(fused, 1), c = evaluate(fused, 3);
    double d = difference(&a, &b, g->outputs.len), threads = difference(&b, &c, g->outputs.len);
    int n = count_fused(fused);
    if (!(d <= 3e-6) || threads != 0) {
        CgStrbuf text = { 0 };
        cg_graph_print(fused, NULL, &text);
        printf("# %s differs by %g (threads: %g)\n%s", name, d, threads, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        n = -1;
    }
    release(&a, g->outputs.len);
    release(&b, g->outputs.len);
    release(&c, g->outputs.len);
    cg_graph_free(fused);
    return n;
}

static const struct {
    const char *name, *text;
    int nodes;
} cases[] = {
    { "a chain",
        "graph g(x: f32[5003], y: f32[5003]) { %2 = mul %0 %1\n %3 = tanh %2\n %4 = add %3 %0\n return z = %4 }", 1 },
    { "long, many tiles and parts",
        "graph g(x: f64[97, 1009], y: f64[97, 1009]) { %2 = mul %0 %1\n %3 = exp %2\n %4 = sub %3 %0\n return z = %4 }",
        1 },
    { "rows repeated",
        "graph g(x: f32[67, 263], y: f32[263]) { %2 = broadcast %1 {dims=[67, 263], axes=(-1, 0)}\n %3 = mul %0 %2\n "
        "%4 = sin %3\n"
        " return z = %4 }",
        1 },
    { "columns repeated",
        "graph g(x: f32[67, 2063], y: f32[67]) { %2 = broadcast %1 {dims=[67, 2063], axes=(0, -1)}\n %3 = mul %0 %2\n "
        "%4 = sin %3\n"
        " return z = %4 }",
        1 },
    { "short rows, columns repeated",
        "graph g(x: f32[1031, 5], y: f32[1031]) { %2 = broadcast %1 {dims=[1031, 5], axes=(0, -1)}\n %3 = mul %0 %2\n "
        "%4 = sin %3\n"
        " return z = %4 }",
        1 },
    { "both repeated, three axes",
        "graph g(x: f32[7, 11, 13], y: f32[11], w: f32[7, 13]) { %3 = broadcast %1 {dims=[7, 11, 13], axes=(-1, 0, "
        "-1)}\n"
        " %4 = broadcast %2 {dims=[7, 11, 13], axes=(0, -1, 1)}\n %5 = mul %3 %4\n %6 = add %5 %0\n return z = %6 }",
        1 },
    { "transposed",
        "graph g(x: f32[131, 37], y: f32[37, 131]) { %2 = transpose %1 {perm=(1, 0)}\n %3 = mul %0 %2\n %4 = cos %3\n "
        "return z = %4 }",
        1 },
    { "sliced",
        "graph g(x: f32[131, 37], y: f32[131, 61]) { %2 = slice %1 {axis=1, from=[17], to=[54]}\n %3 = mul %0 %2\n %4 "
        "= cos %3\n"
        " return z = %4 }",
        1 },
    { "a transposed operand dies where the result could lie",
        "graph g(x: f32[53, 37], y: f32[37, 53]) { %2 = sum %1 {axes=(0)}\n %3 = broadcast %2 {dims=[37, 53], "
        "axes=(-1, 0)}\n"
        " %4 = cumsum %3 {axis=0}\n %5 = transpose %4 {perm=(1, 0)}\n %6 = mul %5 %5\n %7 = add %6 %0\n return z = %7 "
        "}",
        1 },
    { "in place",
        "graph g(x: f32[61, 2503]) { %1 = cumsum %0 {axis=1}\n %2 = mul %1 %1\n %3 = tanh %2\n %4 = add %3 %1\n return "
        "z = %4 }",
        1 },
    { "constants",
        "graph g(x: f32[61, 253]) { %1 = const {type=f32, value=2.385}\n %2 = broadcast %1 {dims=[61, 253], axes=(-1, "
        "-1)}\n"
        " %3 = mul %0 %2\n %4 = sub %2 %3\n return z = %4 }",
        1 },
    { "masks and choices",
        "graph g(x: f32[61, 253], y: f32[61, 253]) { %2 = lt %0 %1\n %3 = where %2 %1 %0\n %4 = not %2\n %5 = gt %3 "
        "%0\n %6 = and %4 %5\n"
        " %7 = where %6 %0 %3\n return z = %7, m = %6 }",
        1 },
    { "choices of whole numbers",
        "graph g(x: i64[61, 53], y: i64[61, 53]) { %2 = lt %0 %1\n %3 = where %2 %1 %0\n %4 = mul %3 %3\n return z = "
        "%4 }",
        1 },
    { "casts",
        "graph g(x: i32[61, 253], y: f32[61, 253]) { %2 = cast %0 {to=\"f32\"}\n %3 = mul %2 %1\n %4 = cast %3 "
        "{to=\"f64\"}\n %5 = exp %4\n"
        " return z = %5, w = %3 }",
        1 },
    { "four results",
        "graph g(x: f32[613], y: f32[613]) { %2 = mul %0 %1\n %3 = tanh %2\n %4 = add %3 %0\n %5 = neg %4\n"
        " return a = %2, b = %3, c = %4, d = %5 }",
        1 },
    { "six results",
        "graph g(x: f32[613], y: f32[613]) { %2 = mul %0 %1\n %3 = tanh %2\n %4 = add %3 %0\n %5 = neg %4\n %6 = exp "
        "%5\n %7 = sin %6\n"
        " return a = %2, b = %3, c = %4, d = %5, e = %6, f = %7 }",
        2 },
    { "a sum between",
        "graph g(x: f32[61, 253]) { %1 = exp %0\n %2 = sum %1 {axes=(1)}\n %3 = broadcast %2 {dims=[61, 253], axes=(0, "
        "-1)}\n"
        " %4 = div %1 %3\n %5 = mul %4 %4\n return z = %5 }",
        1 },
    { "a step of an optimiser",
        "graph g(p: f32[263, 41], g: f32[263, 41], m: f32[263, 41], v: f32[263, 41], rate: f32) {\n"
        " %5 = const {type=f32, value=0.9}\n %6 = broadcast %5 {dims=[263, 41], axes=(-1, -1)}\n %7 = const {type=f32, "
        "value=0.1}\n"
        " %8 = broadcast %7 {dims=[263, 41], axes=(-1, -1)}\n %9 = mul %2 %6\n %10 = mul %1 %8\n %11 = add %9 %10\n "
        "%12 = mul %3 %6\n"
        " %13 = mul %1 %1\n %14 = mul %13 %8\n %15 = add %12 %14\n %16 = abs %15\n %17 = sqrt %16\n %18 = add %17 %8\n "
        "%19 = div %11 %18\n"
        " %20 = broadcast %4 {dims=[263, 41], axes=(-1, -1)}\n %21 = mul %19 %20\n %22 = sub %0 %21\n return p = %22, "
        "m = %11, v = %15 }",
        1 },
    { "scalars", "graph g(x: f32, y: f32) { %2 = mul %0 %1\n %3 = tanh %2\n %4 = add %3 %0\n return z = %4 }", 1 },
    { "nothing to compute", "graph g(x: f32[0, 7], y: f32[0, 7]) { %2 = mul %0 %1\n %3 = tanh %2\n return z = %3 }",
        1 },
};

static void by_hand(void)
{
    for (size_t i = 0; i < CG_LEN(cases); i++) {
        CgErr e = { 0 };
        CgGraph *g = cg_graph_parse(cases[i].text, &e);
        if (!g)
            CG_BUG("%s: %s", cases[i].name, e.text);
        int n = compare(g, "fuse", cases[i].name);
        if (!ok(n == cases[i].nodes, cases[i].name))
            printf("# %d fused nodes, expected %d\n", n, cases[i].nodes);
        cg_graph_free(g);
    }
}

/* A graph of `size` random nodes over a few shapes, with reductions and repeats so that clusters depend on each other.
 */
static CgGraph *random_graph(uint32_t seed, int size)
{
    static const char *const unary[] = { "neg", "tanh", "sin", "sigmoid", "abs" },
                             *const binary[] = { "add", "sub", "mul", "maximum" };
    CgGraph *g = cg_graph_new("random");
    CgBuild b = cg_build_at(g);
    const CgDim *dim[2] = { cg_dim_int(7), cg_dim_int(131) };
    CgRef full[256], rows[256];
    int nfull = 0, nrows = 0;
    full[nfull++] = cg_graph_input(&b, "x", cg_type(CG_F32, 2, dim));
    full[nfull++] = cg_graph_input(&b, "y", cg_type(CG_F32, 2, dim));
    rows[nrows++] = cg_graph_input(&b, "r", cg_type(CG_F32, 1, dim));
    for (int i = 0; i < size; i++) {
        uint32_t kind = draw(&seed) % 10;
        bool wide = draw(&seed) % 3 != 0;
        CgRef *pool = wide ? full : rows;
        int *n = wide ? &nfull : &nrows;
        CgRef a = pool[draw(&seed) % (uint32_t)*n], c = pool[draw(&seed) % (uint32_t)*n], made;
        if (kind < 3)
            made = cg_u(&b, unary[draw(&seed) % CG_LEN(unary)], a);
        else if (kind < 7)
            made = cg_b(&b, binary[draw(&seed) % CG_LEN(binary)], a, c);
        else if (kind == 7)
            made = cg_where(&b, cg_b(&b, "lt", a, c), c, a);
        else if (wide) {
            int64_t axis = 1;
            made = cg_u(&b, "tanh", cg_sum(&b, a, 1, &axis));
            n = &nrows;
            pool = rows;
        } else {
            int64_t axes[2] = { 0, -1 };
            made = cg_broadcast(&b, a, 2, dim, axes);
            n = &nfull;
            pool = full;
        }
        pool[(*n)++] = made;
    }
    for (int k = 0; k < 4 && k < nfull; k++)
        cg_graph_output(g, "f", full[nfull - 1 - k]);
    cg_graph_output(g, "r", rows[nrows - 1]);
    cg_graph_output(g, "s", full[draw(&seed) % (uint32_t)nfull]);
    return g;
}

static void by_chance(void)
{
    int bad = 0, nodes = 0;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        CgGraph *g = random_graph(seed * 7919, 12 + (int)(seed % 5) * 25);
        int n = compare(g, seed % 2 ? "fuse" : "fold,dce,fuse", "random graph");
        bad += n < 0;
        nodes += n;
        cg_graph_free(g);
    }
    printf("# %d fused nodes in 60 graphs\n", nodes);
    ok(!bad && nodes > 100, "random graphs");
}

/* Derivatives of random graphs: the program differentiated, and the derivative fused. */
static void derivatives(void)
{
    int bad = 0;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        CgGraph *plain = random_graph(seed * 104729, 40), *fused = cg_pass_run_all(plain, "fold,dce,fuse");
        CgGraph *both[2] = { plain, fused };
        Values v[4];
        for (int i = 0; i < 2; i++) {
            CgBuild b = cg_build_at(both[i]);
            CgErr e = { 0 };
            CgRef grads[3], wrt[3] = { both[i]->inputs.at[0], both[i]->inputs.at[1], both[i]->inputs.at[2] }, where;
            CgRef loss = cg_sum_all(&b, both[i]->outputs.at[0].ref);
            if (!cg_grad_build(&b, loss, 3, wrt, grads, &where, &e))
                CG_BUG("%s", e.text);
            both[i]->outputs.len = 0;
            for (int k = 0; k < 3; k++)
                cg_graph_output(both[i], "d", grads[k]);
            CgGraph *all = cg_pass_run_all(both[i], NULL);
            cg_graph_verify(all);
            v[2 * i] = evaluate(both[i], 1);
            v[2 * i + 1] = evaluate(all, 2);
            cg_graph_free(all);
        }
        for (int i = 1; i < 4; i++) {
            double d = difference(&v[0], &v[i], 3);
            if (!(d < 2e-4)) {
                printf("# seed %u, way %d: differs by %g\n", seed, i, d);
                bad++;
            }
        }
        for (int i = 0; i < 4; i++)
            release(&v[i], 3);
        cg_graph_free(plain);
        cg_graph_free(fused);
    }
    ok(!bad, "derivatives of fused nodes, and fused derivatives");
}

int main(void)
{
    cg_registry_init();
    by_hand();
    by_chance();
    derivatives();
    printf("1..%d\n", count);
    return failed != 0;
}
