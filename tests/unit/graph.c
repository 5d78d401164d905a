/* graph.c - is one value one node, does text read back, is identity independent of the order of building, and do the
 * passes keep what they must? Takes nothing; prints TAP. Accuses src/graph/graph.c, text.c, pass*.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/grad.h"
#include "graph/pass.h"
#include "library/plugin.h"
#include "graph/registry.h"
#include "graph/text.h"

static int count, failed;

static bool ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
    return good;
}

static CgGraph *read_graph(const char *text)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        CG_BUG("%s", e.text);
    return g;
}

static const char small[] = "graph loss(x: f32[B, 7], w: param f32[B, 7]) {\n"
                            "  %2 = mul %0 %1                     : f32[B, 7]\n"
                            "  %3 = tanh %2                       : f32[B, 7]\n"
                            "  %4 = const {type=f32, value=2.385} : f32\n"
                            "  %5 = broadcast %4 {axes=(-1, -1), dims=[B, 7]} : f32[B, 7]\n"
                            "  %6 = add %3 %5                     : f32[B, 7]\n"
                            "  %7 = sum %6 {axes=(0, 1)}          : f32\n"
                            "  return loss = %7, y = %6\n"
                            "}\n";

static void hash_consing(void)
{
    CgGraph *g = read_graph(small);
    CgBuild b = cg_build_at(g);
    size_t before = g->nodes.len;
    ok(cg_mul(&b, 0, 1) == 2 && cg_mul(&b, 1, 0) == 2, "equal nodes are one node, also with operands exchanged");
    ok(cg_u(&b, "tanh", 2) == 3 && g->nodes.len == before, "and nothing is added");
    ok(cg_sub(&b, 0, 1) != cg_sub(&b, 1, 0), "what does not commute does not");
    b.clone = 5;
    ok(cg_mul(&b, 0, 1) != 2, "a second evaluation is another node");
    CgInfer inf;
    b.clone = 0;
    CgRef in[2] = { 2, 7 };
    ok(cg_build_checked(&b, cg_op_get("mul"), 2, in, NULL, &inf) == CG_NONE && inf.message[0] && inf.operand[0] == 0
            && inf.operand[1] == 1,
        "an ill-typed node is refused with a reason");
    ok(cg_build_checked(&b, cg_op_get("mul"), 1, in, NULL, &inf) == CG_NONE && strstr(inf.message, "2 operands"),
        "so is a wrong count");
    const CgDim *huge = cg_dim_mul(cg_dim_int(INT64_C(1) << 40), cg_dim_int(INT64_C(1) << 40));
    CgAttr at[2] = { cg_a_ints("axes", 1, (int64_t[]){ -1 }), cg_a_dims("dims", 1, &huge) };
    CgRef scalar = 7;
    ok(cg_build_checked(&b, cg_op_get("broadcast"), 1, &scalar, cg_attrs(2, at), &inf) == CG_NONE,
        "so is a size past 2^48");
    CgRef leaf = cg_graph_input(&b, "x", cg_ref_type(&b, 0));
    ok(leaf == 0 && g->inputs.len == 1 && g->params.len == 1, "a leaf asked for again is the same leaf");
    double value = 0;
    ok(cg_ref_const(&b, 5, &value) && value == 2.385 && !cg_ref_const(&b, 6, &value),
        "constants are seen through views");
    int s = cg_scope_add(g, cg_scope_add(g, 0, "blocks.3", "block"), "attn", "attention");
    CgStrbuf path = { 0 };
    cg_scope_path(g, s, &path);
    ok(!strcmp(cg_strbuf_str(&path), "blocks.3.attn"), "scopes have dotted paths");
    cg_strbuf_deinit(&path);
    cg_graph_verify(g);
    cg_graph_free(g);
}

/* Products have a precision, which is part of what they are; nothing else has one. */
static void precision(void)
{
    static const char written[] = "graph f(x: f32[B, 7], w: param f32[7, 7], d: f64[7, 7]) {\n"
                                  "  %3 = matmul %0 %1 in bf16          : f32[B, 7]\n"
                                  "  %4 = matmul %3 %1                  : f32[B, 7]\n"
                                  "  return y = %4\n"
                                  "}\n";
    CgGraph *g = read_graph(written);
    CgStrbuf out = { 0 };
    cg_graph_print(g, NULL, &out);
    ok(!strcmp(cg_strbuf_str(&out), written) && g->nodes.at[3].bf16 && !g->nodes.at[4].bf16,
        "the precision of products reads back");
    cg_strbuf_deinit(&out);
    CgDigest as_read = cg_graph_digest(g);
    CgBuild b = cg_build_at(g);
    CgRef full = cg_matmul(&b, 0, 1, false, false);
    b.precision = CG_IN_BF16;
    ok(full != 3 && cg_matmul(&b, 0, 1, false, false) == 3, "a product in f32 is not the one in bf16");
    ok(cg_mul(&b, 0, 0) == (b.precision = CG_IN_F32, cg_mul(&b, 0, 0)), "what is no product has no precision");
    b.precision = CG_IN_BF16;
    ok(!cg_node(g, cg_matmul(&b, 2, 2, false, false))->bf16, "nor has a product of f64");
    b.precision = CG_AS_SCOPE;
    g->scopes.at[0].bf16 = true;
    b.scope = cg_scope_add(g, 0, "inner", "block");
    ok(cg_matmul(&b, 0, 1, false, false) == 3, "scopes say it to those within");
    CgRef loss = cg_sum_all(&b, cg_mul(&b, 4, 4)), grads[2], where, wrt[2] = { 0, 1 };
    CgErr e = { 0 };
    size_t before = g->nodes.len;
    if (!cg_grad_build(&b, loss, 2, wrt, grads, &where, &e))
        CG_BUG("%s", e.text);
    int half = 0, whole = 0, other = 0;
    for (size_t r = before; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, (CgRef)r);
        if (strcmp(n->op->name, "matmul") != 0)
            continue;
        half += n->bf16 && n->why == 3;
        whole += !n->bf16 && n->why == 4;
        other += n->why != 3 && n->why != 4;
    }
    ok(half == 2 && whole == 2 && !other,
        "a derivative has the precision of what it differentiates, wherever it is built");
    cg_graph_output(g, "x", grads[0]);
    cg_graph_output(g, "w", grads[1]);
    CgGraph *opt = cg_pass_run_all(g, NULL);
    cg_graph_verify(opt);
    half = whole = 0;
    for (CgRef r = 0; r < opt->nodes.len; r++) {
        half += (opt->nodes.at[r].op->traits & CG_PRODUCTS) && opt->nodes.at[r].bf16;
        whole += (opt->nodes.at[r].op->traits & CG_PRODUCTS) && !opt->nodes.at[r].bf16;
    }
    ok(half == 3 && whole == 3, "and passes keep it");
    cg_graph_free(opt);
    cg_graph_free(g);
    g = read_graph("graph f(x: f32[B, 7], w: param f32[7, 7], d: f64[7, 7]) {\n"
                   "  %3 = matmul %0 %1\n  %4 = matmul %3 %1\n  return y = %4\n}\n");
    ok(!cg_digest_equal(cg_graph_digest(g), as_read), "graphs that differ in precision have different identities");
    cg_graph_free(g);
}

static void text(void)
{
    CgGraph *g = read_graph(small);
    CgStrbuf out = { 0 };
    cg_graph_print(g, NULL, &out);
    if (!ok(!strcmp(cg_strbuf_str(&out), small), "text reads back to itself"))
        printf("%s", cg_strbuf_str(&out));
    cg_strbuf_deinit(&out);
    cg_graph_free(g);

    static const char *const bad[] = {
        "",
        "graph",
        "graph g(",
        "graph g(x) {}",
        "graph g(x: f32[)",
        "graph g(x: f32) {",
        "graph g(x: f32) { %0 = neg %0 }",
        "graph g(x: f32) { %1 = neg %1 }",
        "graph g(x: f32) { %1 = nonsense %0 }",
        "graph g(x: f32) { %1 = add %0 }",
        "graph g(x: f32) { %1 = neg %0 : f64 }",
        "graph g(x: f32, x: f32) { }",
        "graph g(x: f32) { return y = %1 }",
        "graph g(x: f32) { } y",
        "graph g(x: f32) { %1 = result %0 {k=1} }",
        "graph g(x: f32) { %1 = input {name=\"y\", type=f32} }",
        "graph g(x: f32[B]) { %1 = sum %0 {axes=(0, 0, 0, 0, 0, 0, 0, 0, 0)} }",
        "graph g(x: f32) { %1 = neg %0 {a=1, a=2} }",
        "graph g(x: f32) { %1 = const {type=f32, value=\"2} }",
        "graph g(x: f32) { %1 = neg %99999999999999999999 }",
        "graph g(x: f32) { %1 = neg %0 in bf16 }",
        "graph g(x: f64[3, 3]) { %1 = matmul %0 %0 in bf16 }",
        "graph g(x: f32[3, 3]) { %1 = matmul %0 %0 in f16 }",
        "graph g(x: f32[B]) { %1 = broadcast %0 {axes=(-1, 0), dims=[99999999999999999999, B]} }",
        "graph g(x: f32[B]) { %1 = reshape %0 }",
    };
    for (size_t i = 0; i < CG_LEN(bad); i++) {
        CgErr e = { 0 };
        CgGraph *none = cg_graph_parse(bad[i], &e);
        if (none || !e.text[0])
            ok(false, bad[i]);
        cg_graph_free(none);
    }
    ok(true, "broken text is refused");

    static const char *const lists[] = { "axis=1, keep=0", "a=inf, b=-inf, c=nan, d=1e-06, e=\"x \\\"y\\\"\"",
        "dims=[4*K + 1, T - K], axes=(-1, 0)", "type=f32[B, 4*K]" };
    for (size_t i = 0; i < CG_LEN(lists); i++) {
        const CgAttrs *a = NULL, *again = NULL;
        CgErr e = { 0 };
        CgStrbuf list = { 0 };
        bool good = cg_attrs_parse(lists[i], &a, &e);
        cg_attrs_print(a, &list);
        good = good && cg_attrs_parse(cg_strbuf_str(&list), &again, &e) && a == again;
        ok(good, lists[i]);
        cg_strbuf_deinit(&list);
    }
}

static void identity(void)
{
    CgGraph *g = read_graph(small);
    CgGraph *h = read_graph("graph other(x: f32[B, 7], w: param f32[B, 7]) {\n"
                            "  %2 = const {type=f32, value=2.385}\n"
                            "  %3 = broadcast %2 {axes=(-1, -1), dims=[B, 7]}\n"
                            "  %4 = mul %1 %0\n  %5 = exp %4\n  %6 = tanh %4\n  %7 = add %3 %6\n"
                            "  %8 = sum %7 {axes=(0, 1)}\n  return loss = %8, y = %7\n}\n");
    CgGraph *k = read_graph("graph loss(x: f32[B, 7], w: param f32[B, 7]) {\n"
                            "  %2 = mul %0 %1\n  %3 = sum %2 {axes=(0, 1)}\n  return loss = %3, y = %2\n}\n");
    ok(cg_digest_equal(cg_graph_digest(g), cg_graph_digest(h)),
        "identity is independent of numbering, order and dead nodes");
    ok(!cg_digest_equal(cg_graph_digest(g), cg_graph_digest(k)), "different graphs have different identities");
    CgGraph *d = cg_pass_run_all(h, "dce");
    cg_graph_verify(d);
    ok(d->nodes.len == h->nodes.len - 1 && cg_digest_equal(cg_graph_digest(d), cg_graph_digest(h)),
        "dce drops what is dead and nothing else");
    cg_graph_free(d);
    cg_graph_free(g);
    cg_graph_free(h);
    cg_graph_free(k);
}

/* Most elements alive at one moment when nodes run in order; symbols count as 1. */
static int peak(const CgGraph *g)
{
    int *last = cg_calloc(g->nodes.len, sizeof *last), most = 0;
    for (CgRef r = 0; r < g->nodes.len; r++)
        for (int i = 0; i < cg_node(g, r)->nin; i++)
            last[cg_node(g, r)->in[i]] = (int)r;
    for (size_t i = 0; i < g->outputs.len; i++)
        last[g->outputs.at[i].ref] = (int)g->nodes.len;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        int alive = 0;
        for (CgRef q = 0; q <= r; q++)
            alive +=
                cg_node(g, q)->nin > 0 && cg_node_type(g, q)->rank > 0 && last[q] >= (int)r && !cg_node(g, q)->op->view;
        most = alive > most ? alive : most;
    }
    free(last);
    return most;
}

/* Layers of six nodes each, every one a region or none. */
static CgGraph *deep(bool regions)
{
    CgGraph *g = cg_graph_new("deep");
    CgBuild b = cg_build_at(g);
    const CgDim *dim[2] = { cg_dim_symbol("B"), cg_dim_int(7) };
    CgRef wrt[12], grads[12], where, x = cg_graph_input(&b, "x", cg_type(CG_F32, 2, dim));
    for (int l = 0; l < 12; l++) {
        char name[16];
        snprintf(name, sizeof name, "blocks.%d", l);
        b.scope = cg_scope_add(g, 0, name, "block");
        g->scopes.at[b.scope].recompute = regions ? l + 1 : 0;
        wrt[l] = cg_graph_param(&b, name, cg_type(CG_F32, 2, dim));
        CgRef y = cg_u(&b, "tanh", cg_mul(&b, x, wrt[l]));
        y = cg_u(&b, "sigmoid", cg_mul(&b, cg_u(&b, "sin", y), wrt[l]));
        x = cg_add(&b, x, y);
    }
    b.scope = 0;
    CgErr e = { 0 };
    CgRef loss = cg_sum_all(&b, x);
    cg_graph_output(g, "loss", loss);
    if (!cg_grad_build(&b, loss, 12, wrt, grads, &where, &e))
        CG_BUG("%s", e.text);
    for (int l = 0; l < 12; l++)
        cg_graph_output(g, cg_node_name(g, wrt[l]), grads[l]);
    cg_graph_verify(g);
    return g;
}

static void recomputation(void)
{
    CgGraph *plain = deep(false), *marked = deep(true);
    CgGraph *a = cg_pass_run_all(plain, "recompute,fold,dce"), *b = cg_pass_run_all(marked, "recompute,fold,dce");
    cg_graph_verify(b);
    int clones = 0;
    for (CgRef r = 0; r < b->nodes.len; r++)
        clones += b->nodes.at[r].clone != 0;
    printf("# peak %d without, %d with recomputation, %d second evaluations\n", peak(a), peak(b), clones);
    ok(clones >= 12 * 4 && clones <= 12 * 6, "each region is evaluated a second time, once");
    ok(peak(b) < peak(a) / 2, "fewer values are alive at once");
    ok(cg_digest_equal(cg_graph_digest(a), cg_graph_digest(b)), "and they are the same values");
    CgGraph *twice = cg_pass_run_all(b, "recompute,fold,dce");
    ok(twice->nodes.len == b->nodes.len, "recomputing is done once");
    CgGraph *fused = cg_pass_run_all(marked, NULL);
    cg_graph_verify(fused);
    int kept = 0;
    for (CgRef r = 0; r < fused->nodes.len; r++)
        kept += fused->nodes.at[r].clone != 0;
    printf("# %zu nodes, fused %zu, peak %d\n", b->nodes.len, fused->nodes.len, peak(fused));
    ok(kept >= 12 && peak(fused) <= peak(b) && fused->nodes.len < b->nodes.len,
        "fusing keeps the second evaluations late");
    cg_graph_free(fused);
    cg_graph_free(plain);
    cg_graph_free(marked);
    cg_graph_free(a);
    cg_graph_free(b);
    cg_graph_free(twice);
}

static bool no_shape(CgInfer *inf) { return cg_shape_same(inf); }
static void no_vec(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    (void)in;
    (void)out;
    (void)n;
    (void)attrs;
}

static void registry(void)
{
    static const CgSample samples[] = { { .in = NULL } };
    CgOp op = { CG_OP_HERE, .name = "test_op", .sig = "(x: F[..s], k: float = 3) -> F[..s]", .doc = "d.",
        .shape = no_shape, .samples = samples, .vec = { no_vec }, .traits = CG_ELEMENTWISE | CG_NODIFF };
    const CgOp *ops[] = { &op, NULL };
    CgOpSet set = { CG_ABI + 7, sizeof(CgOp), "test", ops };
    CgErr e = { 0 };
    ok(!cg_registry_add_from(&set, (CgDigest){ 0 }, &e) && strstr(e.text, "ABI"), "another ABI is refused");
    set.abi = CG_ABI;
    static const struct {
        const char *name, *sig, *word;
        bool nodiff;
    } bad[] = {
        { "TestOp", "(x: F[..s]) -> F[..s]", "snake_case", true },
        { "add", "(x: F[..s]) -> F[..s]", "already", true },
        { "test_op", "(x: F[..s] -> ", "signature", true },
        { "test_op", "(x: F[..s]) -> F[..s]", "differentiate", false },
    };
    for (size_t i = 0; i < CG_LEN(bad); i++) {
        CgOp wrong = op;
        ops[0] = &wrong;
        wrong.name = bad[i].name;
        wrong.sig = bad[i].sig;
        if (!bad[i].nodiff)
            wrong.traits = CG_ELEMENTWISE;
        e = (CgErr){ 0 };
        if (!ok(!cg_registry_add_from(&set, (CgDigest){ 0 }, &e) && strstr(e.text, bad[i].word), bad[i].word))
            printf("# %s\n", e.text);
    }
    ops[0] = &op;
    e = (CgErr){ 0 };
    size_t before = cg_op_count();
    ok(cg_registry_add_from(&set, (CgDigest){ 0 }, &e) && cg_op_find("test_op") == &op && cg_op_count() == before + 1,
        "a good set is taken");
    ok(cg_registry_add_from(&set, (CgDigest){ 0 }, &e) && cg_op_count() == before + 1,
        "the same set again changes nothing");
    const CgSig *sig = cg_op_sig(&op);
    ok(sig->ntensors == 1 && sig->n == 2 && sig->at[1].has_init && sig->at[1].init.kind == CG_ATTR_FLOAT
            && sig->at[1].init.f == 3.0,
        "its signature is read");
    ok(!cg_plugin_load("/nonexistent/plugin.so", &e) && e.text[0], "a missing plugin is an error");
}

int main(void)
{
    cg_registry_init();
    hash_consing();
    precision();
    text();
    identity();
    recomputation();
    registry();
    printf("1..%d\n", count);
    return failed != 0;
}
