/* attention.c - is attention under a mask what it says, however it is computed?
 * Takes nothing; prints TAP. For heads of all sizes that are computed in their own ways, masks of all kinds: the result
 * and the derivatives by all operands are those of the simple ops that say what attention means, the same with any
 * number of threads; a row that sees nothing is 0 and so is its derivative. Written out they are recognised. Accuses
 * src/ops/attention.c and what it includes, then src/run/gemm/softmax.h and vector.h. */
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "tap.h"
#include "values.h"

enum { HOLES, WINDOW, LENGTHS, SLOPES, NKINDS };

typedef struct Case {
    const char *dtype;
    int b, h, t, s, k, kind;
    const char *attrs;
} Case;

static const char *const kinds[NKINDS] = { "holes and blind rows", "a window", "lengths by row", "slopes by head" };

static CgRef iota(CgBuild *b, CgType t, int axis)
{
    CgAttr attrs[2] = { cg_a_type("type", t), cg_a_int("axis", axis) };
    return cg_build(b, "iota", 0, NULL, cg_attrs(2, attrs));
}

/* The mask, of m, which has some axes of the scores: values below -0.5 are holes, row 3 of each 7 is one; or, of m
 * nothing, keys 2 to 12 places before a query. */
static CgRef mask_of(CgBuild *b, const Case *c, CgRef m)
{
    CgType t = cg_ref_type(b, m), at = t;
    CgRef none = cg_fill_like(b, m, -INFINITY), seen = cg_b(b, "gt", m, cg_fill_like(b, m, -0.5));
    at.dtype = CG_I32;
    CgRef row = iota(b, at, 2), column = iota(b, at, 3);
    if (c->kind == SLOPES)
        return m;
    if (c->kind == LENGTHS)
        return cg_where(b, cg_b(b, "lt", column, cg_fill_like(b, column, c->s / 2)), cg_fill_like(b, m, 0), none);
    if (c->kind == WINDOW) {
        CgRef ahead = cg_add(b, cg_sub(b, row, column), cg_fill_like(b, row, c->s - c->t));
        seen = cg_b(
            b, "and", cg_b(b, "ge", ahead, cg_fill_like(b, row, 2)), cg_b(b, "lt", ahead, cg_fill_like(b, row, 13)));
        return cg_where(b, seen, cg_fill_like(b, m, 0), none);
    }
    CgRef blind = cg_b(b, "eq", cg_b(b, "mod", row, cg_fill_like(b, row, 7)), cg_fill_like(b, row, 3));
    return cg_where(b, blind, none, cg_where(b, seen, m, none));
}

/* A graph with the inputs q, k, v, w and m. */
static const char *text_of(const Case *c)
{
    static const char *const mask[NKINDS] = { "%d, 1, %d, %d", "1, 1, %d, %d", "%d, 1, 1, %d", "1, %d, %d, %d" };
    static char text[512];
    char m[64];
    switch (c->kind) {
    case HOLES: snprintf(m, sizeof m, mask[HOLES], c->b, c->t, c->s); break;
    case WINDOW: snprintf(m, sizeof m, mask[WINDOW], c->t, c->s); break;
    case LENGTHS: snprintf(m, sizeof m, mask[LENGTHS], c->b, c->s); break;
    default: snprintf(m, sizeof m, mask[SLOPES], c->h, c->t, c->s);
    }
    snprintf(text, sizeof text,
        "graph g(q: %s[%d, %d, %d, %d], k: %s[%d, %d, %d, %d], v: %s[%d, %d, %d, %d], w: %s[%d, %d, %d, %d], m: "
        "%s[%s]) "
        "{\n  return y = %%0\n}\n",
        c->dtype, c->b, c->h, c->t, c->k, c->dtype, c->b, c->h, c->s, c->k, c->dtype, c->b, c->h, c->s, c->k, c->dtype,
        c->b, c->h, c->t, c->k, c->dtype, m);
    return text;
}

/* y, lse and their derivatives, by the op or by what it says it means. */
static CgGraph *graph_of(const Case *c, bool whole)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text_of(c), &e);
    if (!g)
        CG_BUG("%s", e.text);
    CgBuild b = cg_build_at(g);
    const CgOp *op = cg_op_get("attention");
    CgRef in[4] = { 0, 1, 2, mask_of(&b, c, 4) }, out[2], wrt[4] = { 0, 1, 2, 4 }, by[4], where;
    const CgAttrs *attrs;
    if (!cg_attrs_parse(c->attrs, &attrs, &e))
        CG_BUG("%s", e.text);
    if (whole) {
        CgRef made = cg_build(&b, "attention", 4, in, attrs);
        out[0] = made;
        out[1] = cg_build_result(&b, made, 1);
    } else {
        CgSite site = { .nin = 4, .nout = 2, .in = in, .attrs = attrs };
        op->expand(&b, &site, out);
    }
    CgRef loss = cg_sum_all(&b, cg_mul(&b, out[0], 3));
    if (!cg_grad_build(&b, loss, 4, wrt, by, &where, &e))
        CG_BUG("%s", e.text);
    cg_graph_output(g, "result", out[0]);
    cg_graph_output(g, "lse", out[1]);
    for (int i = 0; i < 4; i++)
        if (by[i] != CG_NONE)
            cg_graph_output(g, "d", by[i]);
    return g;
}

static void try(const Case *c)
{
    CgGraph *one = graph_of(c, true), *apart = graph_of(c, false);
    size_t n = one->outputs.len;
    Values a = evaluate(one, 1), same = evaluate(one, 3), b = evaluate(apart, 1);
    double worst = difference(&a, &b, n);
    size_t differ = 0, blind = 0, moved = 0;
    for (size_t k = 1; k < n; k++)
        for (size_t i = 0; i < a.n[k]; i++)
            differ += memcmp(&a.at[k][i], &same.at[k][i], sizeof(double)) != 0;
    for (size_t i = 0; i < a.n[2]; i++)
        if (a.at[2][i] == -INFINITY)
            for (int e = 0; e < c->k; e++, blind++)
                moved += a.at[1][i * (size_t)c->k + (size_t)e] != 0 || a.at[3][i * (size_t)c->k + (size_t)e] != 0;
    bool good = apart->outputs.len == n && worst < (c->dtype[1] == '3' ? 1e-4 : 1e-12) && !differ && !moved
        && (c->kind != HOLES || c->t < 4 || blind);
    if (!tap_ok(good, "%s, %s [%d, %d, %d by %d, %d] {%s}", kinds[c->kind], c->dtype, c->b, c->h, c->t, c->s, c->k,
            c->attrs))
        printf("# off by %g, %zu differ with threads, %zu of %zu blind ones are not 0\n", worst, differ, moved, blind);
    release(&a, n);
    release(&same, n);
    release(&b, n);
    cg_graph_free(one);
    cg_graph_free(apart);
}

/* ---- written out ---- */

static int count_op(const CgGraph *g, const char *op)
{
    int n = 0;
    for (CgRef r = 0; r < g->nodes.len; r++)
        n += !strcmp(cg_node(g, r)->op->name, op);
    return n;
}

static CgRef stretched(CgBuild *b, CgRef x, CgType t)
{
    CgType own = cg_ref_type(b, x);
    const CgDim *kept[4];
    int64_t axes[4];
    int n = 0;
    for (int i = 0; i < 4; i++) {
        axes[i] = own.dim[i] == t.dim[i] ? n : -1;
        if (axes[i] >= 0)
            kept[n++] = own.dim[i];
    }
    return cg_broadcast(b, n < 4 ? cg_reshape(b, x, n, kept) : x, 4, t.dim, axes);
}

static CgRef softmax(CgBuild *b, CgRef s, bool guarded)
{
    CgType t = cg_ref_type(b, s);
    CgAttr axis = cg_a_int("axis", 3), axes = cg_a_ints("axes", 1, (const int64_t[1]){ 3 });
    if (!guarded)
        return cg_build(b, "softmax", 1, &s, cg_attrs(1, &axis));
    CgRef most =
        cg_broadcast(b, cg_build(b, "max", 1, &s, cg_attrs(1, &axes)), 4, t.dim, (const int64_t[4]){ 0, 1, 2, -1 });
    CgRef blind = cg_b(b, "eq", most, cg_fill_like(b, most, -INFINITY)), zero = cg_fill_like(b, s, 0);
    CgRef seen = cg_where(b, blind, zero, s);
    return cg_where(b, blind, zero, cg_build(b, "softmax", 1, &seen, cg_attrs(1, &axis)));
}

/* Attention in simple ops, as a script says it: capped, causal, the mask as a condition or added. */
static CgGraph *written(const Case *c, bool guarded)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text_of(c), &e);
    if (!g)
        CG_BUG("%s", e.text);
    CgBuild b = cg_build_at(g);
    CgRef m = mask_of(&b, c, 4), s = cg_scale(&b, cg_matmul(&b, 0, 1, false, true), 0.37);
    CgType t = cg_ref_type(&b, s), at = t;
    at.dtype = CG_I32;
    CgRef none = cg_fill(&b, t, -INFINITY), full = stretched(&b, m, t);
    CgRef ahead = cg_add(&b, iota(&b, at, 2), cg_fill(&b, at, c->s - c->t));
    s = cg_scale(&b, cg_u(&b, "tanh", cg_scale(&b, s, 1 / 1.3)), 1.3);
    s = c->kind == SLOPES ? cg_add(&b, s, full) : cg_where(&b, cg_b(&b, "gt", full, none), s, none);
    s = cg_where(&b, cg_b(&b, "ge", ahead, iota(&b, at, 3)), s, none);
    cg_graph_output(g, "result", cg_matmul(&b, softmax(&b, s, guarded), 2, false, false));
    return g;
}

static void recognise(const Case *c, bool guarded)
{
    CgGraph *apart = written(c, guarded), *one = cg_pass_run_all(apart, "recognise,dce");
    Values a = evaluate(one, 1), b = evaluate(apart, 1);
    bool causal = false;
    for (CgRef r = 0; r < one->nodes.len; r++)
        causal |= !strcmp(cg_node(one, r)->op->name, "attention") && cg_node(one, r)->nin == 4
            && cg_attr_int(cg_node(one, r)->attrs, "causal", 0);
    tap_ok(causal && count_op(one, "softmax") == 0 && difference(&a, &b, 2) < 1e-12, "%s written out%s are recognised",
        kinds[c->kind], guarded ? ", 0 where nothing is seen," : "");
    release(&a, 2);
    release(&b, 2);
    cg_graph_free(one);
    cg_graph_free(apart);
}

/* Without heads, without a batch, scaled by what is no number: by all, by head, by key; by key it is none. */
static void by_hand(void)
{
    static const struct {
        const char *what, *text;
        bool found;
    } all[] = {
        { "no heads",
            "graph g(q: f64[2, 5, 3], k: f64[2, 5, 3], v: f64[2, 5, 3]) {\n"
            "  %3 = matmul %0 %1 {tb=1}\n"
            "  %4 = const {type=f64, value=0.37}\n"
            "  %5 = broadcast %4 {axes=(-1, -1, -1), dims=[2, 5, 5]}\n"
            "  %6 = mul %3 %5\n"
            "  %7 = iota {axis=1, type=i32[2, 5, 5]}\n"
            "  %8 = iota {axis=2, type=i32[2, 5, 5]}\n"
            "  %9 = ge %7 %8\n"
            "  %10 = const {type=f64, value=-inf}\n"
            "  %11 = broadcast %10 {axes=(-1, -1, -1), dims=[2, 5, 5]}\n"
            "  %12 = where %9 %6 %11\n"
            "  %13 = softmax %12 {axis=2}\n"
            "  %14 = matmul %13 %2\n"
            "  return result = %14\n}\n",
            true },
        { "no batch, keys and values that lie across",
            "graph g(q: f64[3, 5], k: f64[3, 7], v: f64[3, 7]) {\n"
            "  %3 = matmul %0 %1 {ta=1}\n"
            "  %4 = softmax %3 {axis=1}\n"
            "  %5 = matmul %4 %2 {tb=1}\n"
            "  return result = %5\n}\n",
            true },
        { "no heads, a scale that is computed",
            "graph g(q: f64[2, 5, 3], k: f64[2, 7, 3], v: f64[2, 7, 3], t: f64, u: f64[2, 7]) {\n"
            "  %5 = matmul %0 %1 {tb=1}\n"
            "  %6 = broadcast %3 {axes=(-1, -1, -1), dims=[2, 5, 7]}\n"
            "  %7 = div %5 %6\n"
            "  %8 = broadcast %4 {axes=(0, -1, 1), dims=[2, 5, 7]}\n"
            "  %9 = add %7 %8\n"
            "  %10 = softmax %9 {axis=2}\n"
            "  %11 = matmul %10 %2\n"
            "  return result = %11\n}\n",
            true },
        { "a temperature by head",
            "graph g(q: f64[2, 3, 5, 4], k: f64[2, 3, 7, 4], v: f64[2, 3, 7, 4], t: f64[3], u: f64) {\n"
            "  %5 = matmul %0 %1 {tb=1}\n"
            "  %6 = broadcast %3 {axes=(-1, 0, -1, -1), dims=[2, 3, 5, 7]}\n"
            "  %7 = mul %6 %5\n"
            "  %8 = broadcast %4 {axes=(-1, -1, -1, -1), dims=[2, 3, 5, 7]}\n"
            "  %9 = div %7 %8\n"
            "  %10 = softmax %9 {axis=3}\n"
            "  %11 = matmul %10 %2\n"
            "  return result = %11\n}\n",
            true },
        { "a temperature by key",
            "graph g(q: f64[2, 5, 3], k: f64[2, 7, 3], v: f64[2, 7, 3], t: f64[7]) {\n"
            "  %4 = matmul %0 %1 {tb=1}\n"
            "  %5 = broadcast %3 {axes=(-1, -1, 0), dims=[2, 5, 7]}\n"
            "  %6 = mul %4 %5\n"
            "  %7 = softmax %6 {axis=2}\n"
            "  %8 = matmul %7 %2\n"
            "  return result = %8\n}\n",
            false },
    };
    for (size_t i = 0; i < CG_LEN(all); i++) {
        CgErr e = { 0 };
        CgGraph *apart = cg_graph_parse(all[i].text, &e);
        if (!apart)
            CG_BUG("%s", e.text);
        CgGraph *one = cg_pass_run_all(apart, "recognise,dce");
        Values a = evaluate(one, 1), b = evaluate(apart, 1);
        tap_ok(count_op(one, "attention") == all[i].found && count_op(one, "softmax") == !all[i].found
                && difference(&a, &b, 1) < 1e-12,
            "%s: %s", all[i].what, all[i].found ? "attention" : "none");
        release(&a, 1);
        release(&b, 1);
        cg_graph_free(one);
        cg_graph_free(apart);
    }
}

int main(void)
{
    static const int sizes[][5] = { { 2, 2, 3, 37, 8 }, { 2, 3, 23, 29, 5 }, { 1, 2, 97, 131, 16 },
        { 1, 1, 300, 611, 8 }, { 2, 2, 40, 600, 4 } };
    static const char *const attrs[] = { "scale=0.37", "scale=-0.41, causal=1", "scale=0.37, cap=1.3, causal=1" };
    cg_registry_init();
    for (int d = 0; d < 2; d++)
        for (size_t i = 0; i < CG_LEN(sizes); i++)
            for (int kind = 0; kind < NKINDS; kind++)
                for (size_t k = d ? i % 3 : 0; k < (d ? i % 3 + 1 : CG_LEN(attrs)); k++)
                    try(&(Case){ d ? "f64" : "f32", sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], sizes[i][4],
                        kind, attrs[k] });
    for (int kind = 0; kind < NKINDS; kind++)
        for (int guarded = 0; guarded < 2; guarded++)
            recognise(&(Case){ "f64", 2, 3, 9, 21, 5, kind, NULL }, guarded);
    by_hand();
    return tap_done();
}
