/* step.c - does a text that grows place by place get the results of the whole text?
 * Takes nothing; prints TAP. The models are those of graphs/, at odd sizes; portions, batches and threads vary.
 * Accuses src/graph/passes/incremental.c and src/run/decode.c; where the whole graph after `places` differs from that
 * before, src/graph/passes/slice.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>

#include "experiment/graph_arg.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/incremental.h"
#include "graph/text.h"
#include "run/decode.h"

/* Sums of some hundred terms in another order: a few units of the last place of numbers about 1. */
#define BOUND 3e-6

static int count, failed;

static void ok(bool good, const char *name)
{
    count++;
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", count, name);
}

static uint32_t state = 2385;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* ---- a graph with memory for everything it takes ---- */

typedef struct Net {
    CgGraph *g;
    int text;
    int64_t rows, length, vocab;
    void *in[16];
    void *param[256];
} Net;

static void *drawn(CgTensor t, int64_t vocab)
{
    size_t n = (size_t)cg_tensor_count(&t);
    void *data = cg_calloc(n + 1, cg_dtype_size(t.dtype));
    for (size_t i = 0; i < n; i++) {
        double v = (double)draw() / 8388608.0 - 1;
        if (t.dtype == CG_F32)
            ((float *)data)[i] =
                (float)(t.rank == 1 ? 1 + 0.1 * v
                                    : 1.7 * v / sqrt((double)(t.dim[0] < t.dim[1] ? t.dim[0] : t.dim[1])));
        else
            ((int32_t *)data)[i] = (int32_t)(draw() % (uint32_t)vocab);
    }
    return data;
}

static Net net_of(CgGraph *g, const char *text, int64_t vocab)
{
    CgErr e = { 0 };
    Net n = { .g = g, .text = -1, .vocab = vocab };
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, &e);
    if (!plan || g->params.len > 256 || g->inputs.len > 16)
        CG_BUG("%s", e.text);
    for (size_t i = 0; i < g->inputs.len; i++) {
        n.in[i] = drawn(cg_plan_input(plan, (int)i), vocab);
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), text))
            n.text = (int)i;
    }
    for (size_t i = 0; i < g->params.len; i++)
        n.param[i] = drawn(cg_plan_param(plan, (int)i), vocab);
    if (n.text < 0)
        CG_BUG("no input '%s'", text);
    CgTensor t = cg_plan_input(plan, n.text);
    n.rows = t.dim[0];
    n.length = t.dim[1];
    cg_plan_free(plan);
    return n;
}

static void net_free(Net *n)
{
    for (int i = 0; i < 16; i++)
        free(n->in[i]);
    for (int i = 0; i < 256; i++)
        free(n->param[i]);
    cg_graph_free(n->g);
}

/* The logits of all places, (rows, length, vocab). */
static float *whole(const Net *n, CgPool *pool, const char *passes)
{
    CgErr e = { 0 };
    CgGraph *g = cg_pass_run_all(n->g, passes);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, &e);
    CgExec *x = plan ? cg_exec_new(plan, pool, &e) : NULL;
    if (!x)
        CG_BUG("%s", e.text);
    cg_plan_verify(plan);
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(x, (int)i, n->in[i]);
    for (size_t i = 0; i < g->params.len; i++)
        cg_exec_bind_param(x, (int)i, n->param[i]);
    CG_ASSERT(cg_exec_run(x), "indices are within their tables");
    CgTensor from = cg_exec_output(x, 0), to = from;
    int64_t step = 1;
    for (int a = to.rank - 1; a >= 0; a--) {
        to.stride[a] = step;
        step *= to.dim[a];
    }
    to.data = cg_calloc((size_t)step + 1, sizeof(float));
    cg_tensor_copy(&to, &from, (CgShard){ .count = 1 });
    cg_exec_free(x);
    cg_plan_free(plan);
    cg_graph_free(g);
    return to.data;
}

/* Largest difference of logits at one place, relative to the greatest of the row where that is above 1. */
static double difference(const Net *n, const float *all, int64_t place, CgTensor t)
{
    double worst = 0;
    for (int64_t r = 0; r < n->rows; r++) {
        double scale = 1;
        for (int64_t v = 0; v < n->vocab; v++)
            scale = fmax(scale, fabs((double)all[(r * n->length + place) * n->vocab + v]));
        for (int64_t v = 0; v < n->vocab; v++) {
            double a = (double)all[(r * n->length + place) * n->vocab + v];
            double b =
                (double)((const float *)t.data)[r * t.stride[0] + (t.dim[1] - 1) * t.stride[1] + v * t.stride[2]];
            double d = fabs(a - b) / scale;
            if (!(d <= worst))
                worst = d;
        }
    }
    return worst;
}

static int64_t likeliest(const float *row, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

/* ---- the text in portions ---- */

typedef struct Halves {
    CgGraph *prologue, *step;
    int64_t first;
    const char *out;
} Halves;

static bool halve(const Net *n, Halves *h)
{
    CgGraph *plain = cg_pass_run_all(n->g, "recognise,places,fold,dce");
    CgGraph *both = cg_incremental_build(plain, plain->inputs.at[n->text], 1);
    *h = (Halves){ .out = n->g->outputs.at[0].name };
    if (both) {
        cg_graph_verify(both);
        cg_incremental_split(both, true, &h->prologue, &h->step);
        cg_graph_verify(h->prologue);
        cg_graph_verify(h->step);
        for (size_t i = 0; i < both->outputs.len; i++)
            if (!strncmp(both->outputs.at[i].name, "first.", 6))
                cg_dim_is_int(cg_node_type(both, both->outputs.at[i].ref)->dim[1], &h->first);
    }
    cg_graph_free(both);
    cg_graph_free(plain);
    return h->step != NULL;
}

/* Feeds the text in portions; the greatest difference at the places where one ends. `bits` sums all that came out. */
static double fed(const Net *n, const Halves *h, CgPool *pool, const float *all, const int64_t *portion, uint64_t *bits,
    bool *same_ids)
{
    CgErr e = { 0 };
    double worst = 0;
    CgDecoder *d = cg_decoder_new(h->prologue, h->step, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, pool, &e);
    if (!d)
        CG_BUG("%s", e.text);
    cg_plan_verify(cg_decoder_plan(d));
    for (size_t i = 0; i < n->g->inputs.len; i++)
        if ((int)i != n->text)
            cg_decoder_bind_input(d, (int)i, n->in[i]);
    for (size_t i = 0; i < n->g->params.len; i++)
        cg_decoder_bind_param(d, (int)i, n->param[i]);
    for (int again = 0; again < 2; again++) { /* a second text must not see the first */
        int64_t at = 0, most = n->length - h->first;
        CG_ASSERT(cg_decoder_begin(d, &e), "indices are within their tables");
        for (int k = 0; at <= most; k++) {
            CgTensor t;
            if (cg_decoder_output(d, h->out, &t)) {
                double w = difference(n, all, at + h->first - 1, t);
                worst = w <= worst ? worst : w;
                for (int64_t r = 0; r < n->rows; r++) {
                    const float *row = (const float *)t.data + r * t.stride[0] + (t.dim[1] - 1) * t.stride[1];
                    const float *want = all + (r * n->length + at + h->first - 1) * n->vocab;
                    *same_ids &= likeliest(row, n->vocab) == likeliest(want, n->vocab);
                    for (int64_t v = 0; v < n->vocab; v++) {
                        uint32_t u;
                        memcpy(&u, &row[v], 4);
                        *bits = *bits * 6364136223846793005u + u;
                    }
                }
            } else if (at + h->first > 0) {
                worst = INFINITY;
            }
            if (at == most)
                break;
            int64_t take = portion[k < 3 ? k : 3];
            if (take > most - at)
                take = most - at;
            if (!cg_decoder_feed(d, (const int32_t *)n->in[n->text] + at, n->length, take, &e))
                CG_BUG("%s", e.text);
            at += take;
        }
    }
    cg_decoder_free(d);
    return worst;
}

static CgPool *pools[2];

static void try_net(Net n, const char *what, int64_t first)
{
    static const int64_t portions[][4] = { { 1, 1, 1, 1 }, { 7, 1, 1, 1 }, { 3, 5, 1, 2 }, { 100, 1, 1, 1 },
        { 0, 11, 1, 1 } };
    char name[160];
    Halves h;
    float *all = whole(&n, pools[0], NULL), *plain = whole(&n, pools[0], "fold");
    double worst = 0;
    for (int64_t i = 0; i < n.rows * n.length * n.vocab; i++)
        worst = fmax(worst, fabs((double)all[i] - (double)plain[i]) / (1 + fabs((double)plain[i])));
    if (worst > BOUND)
        printf("# %g\n", worst);
    snprintf(name, sizeof name, "%s: with all passes what it is without", what);
    ok(worst <= BOUND, name);
    bool made = halve(&n, &h);
    snprintf(name, sizeof name, "%s: a step is found, and %d places need no text", what, (int)first);
    ok(made && h.first == first, name);
    for (size_t p = 0; made && p < CG_LEN(portions); p++) {
        uint64_t bits[2] = { 0, 0 };
        bool same_ids = true;
        worst = 0;
        for (int t = 0; t < 2; t++) {
            double w = fed(&n, &h, pools[t], all, portions[p], &bits[t], &same_ids);
            worst = w <= worst ? worst : w;
        }
        snprintf(name, sizeof name, "%s: fed by %d, %d, .. %d: %.1e from the whole", what, (int)portions[p][0],
            (int)portions[p][1], (int)portions[p][3], worst);
        ok(worst <= BOUND, name);
        snprintf(name, sizeof name,
            "%s: fed by %d, %d, .. %d: the same likeliest tokens, the same bits at 1 and 2 threads", what,
            (int)portions[p][0], (int)portions[p][1], (int)portions[p][3]);
        ok(same_ids && bits[0] == bits[1], name);
    }
    free(all);
    free(plain);
    if (made) {
        cg_graph_free(h.prologue);
        cg_graph_free(h.step);
    }
    net_free(&n);
}

/* ---- the models of graphs/ ---- */

static const char script[] =
    "import graphs.transformer\nimport graphs.compressor\n"
    "lm = transformer(vocab = 61, dim = 24, layers = 2, heads = 3, hidden = 40)\n"
    "wide = transformer(vocab = 263, dim = 112, layers = 3, heads = 7, hidden = 136)\n"
    "reader = transformer(vocab = 61, dim = 36, layers = 2, heads = 3, hidden = 56)\n"
    "graph two(context: i32[B, L], text: i32[B, T], m: graph) -> f32[B, T, V] { return m(context, text) }\n"
    "both = two(m = compressor(memory = memory(encoder = reader, slots = 5, width = 24), decoder = lm))\n"
    "alone = two(m = without_slots(decoder = lm))\n";

typedef struct Size {
    const char *name;
    int64_t n;
} Size;

static void try_script(const char *what, const char *text, int64_t vocab, int64_t first, const Size *sizes)
{
    CgSessionOpts opts = { .quiet = true };
    CgSession *x = cg_experiment_new("step-test.cg", &opts);
    CgTarget target = { 0 };
    CgBinding bound[8];
    int n = 0;
    for (; sizes[n].name; n++)
        bound[n] = (CgBinding){ cg_intern(sizes[n].name), sizes[n].n };
    char name[96];
    snprintf(name, sizeof name, "%s, %lld rows of %lld", what, (long long)bound[0].value, (long long)bound[1].value);
    CgValue *v = cg_target_value(x, what, &target);
    if (v && cg_target_apply(x, v, (CgBindings){ bound, n }, &(CgKnownTypes){ 0 }, &target)) {
        CgGraph *copy = cg_pass_run_all(target.model->graph, "");
        try_net(net_of(copy, text, vocab), name, first);
    } else {
        for (size_t i = 0; i < cg_diags_count(x->diags); i++)
            printf("# a mistake in the script\n");
        ok(false, name);
    }
    cg_target_free(&target);
    cg_experiment_free(x);
}

/* ---- graphs as text: other causal ops, and what is not causal ---- */

static Net parsed(const char *text)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        CG_BUG("%s", e.text);
    return net_of(g, "text", 7);
}

/* The generic way: an op with a causal axis and no form of its own for new places; learned positions; a mask. */
static const char sums[] =
    "graph sums(text: i32[3, 17], table: param f32[7, 5], at: param f32[17, 5], w: param f32[5, 7]) {\n"
    "  %4 = take %1 %0\n  %5 = broadcast %2 {axes=(-1, 0, 1), dims=[3, 17, 5]}\n  %6 = add %4 %5\n"
    "  %7 = cumsum %6 {axis=1}\n  %8 = iota {axis=1, type=f32[3, 17, 5]}\n  %9 = const {type=f32, value=0.01}\n"
    "  %10 = broadcast %9 {axes=(-1, -1, -1), dims=[3, 17, 5]}\n  %11 = mul %8 %10\n  %12 = add %7 %11\n"
    "  %13 = tanh %12\n  %14 = matmul %13 %3\n  return logits = %14\n}\n";
static const char reversed[] =
    "graph reversed(text: i32[3, 17], table: param f32[7, 5], w: param f32[5, 7]) {\n"
    "  %3 = take %1 %0\n  %4 = cumsum %3 {axis=1, reverse=1}\n  %5 = matmul %4 %2\n  return logits = %5\n}\n";
static const char ahead[] = "graph ahead(text: i32[3, 17], table: param f32[7, 5], w: param f32[5, 7]) {\n"
                            "  %3 = slice %0 {axis=1, from=[1], to=[17]}\n  %4 = slice %0 {axis=1, from=[0], to=[1]}\n "
                            " %5 = concat %3 %4 {axis=1}\n"
                            "  %6 = take %1 %5\n  %7 = matmul %6 %2\n  return logits = %7\n}\n";

static void refused(const char *text, const char *what)
{
    Net n = parsed(text);
    Halves h;
    ok(!halve(&n, &h), what);
    net_free(&n);
}

int main(void)
{
    cg_registry_init();
    FILE *f = fopen("step-test.cg", "w");
    if (!f || fputs(script, f) < 0 || fclose(f) != 0)
        CG_BUG("no script");
    for (int i = 0; i < 2; i++)
        pools[i] = cg_pool_new(i + 1);
    try_script("lm", "ids", 61, 0, (Size[]){ { "B", 1 }, { "T", 23 }, { 0 } });
    try_script("lm", "ids", 61, 0, (Size[]){ { "B", 3 }, { "T", 37 }, { 0 } });
    try_script("wide", "ids", 263, 0, (Size[]){ { "B", 2 }, { "T", 67 }, { 0 } });
    try_script("both", "text", 61, 1, (Size[]){ { "B", 3 }, { "T", 23 }, { "L", 30 }, { 0 } });
    try_script("both", "text", 61, 1, (Size[]){ { "B", 1 }, { "T", 37 }, { "L", 20 }, { 0 } });
    try_script("alone", "text", 61, 1, (Size[]){ { "B", 2 }, { "T", 19 }, { "L", 20 }, { 0 } });
    try_net(parsed(sums), "running sums", 0);
    refused(reversed, "what depends on what comes later has no step");
    refused(ahead, "nor has what looks one place ahead");
    for (int i = 0; i < 2; i++)
        cg_pool_free(pools[i]);
    remove("step-test.cg");
    printf("1..%d\n", count);
    return failed ? 1 : 0;
}
