/* picture.c - what a picture shows of a graph, and its canonical text.
 * Takes nothing; prints TAP. Accuses src/report/picture.c, and src/report/dot.c where it says "text" or "drawing". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"
#include "report/dot.h"

#ifdef __SANITIZE_ADDRESS__
/* GraphViz 2.42 leaks a little with each label it lays out, and so do the fonts. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgvc\nleak:libfontconfig\nleak:libglib\nleak:libpango\nleak:libcairo\n";
}
#endif

static int count, failed;

static void ok(bool good, const char *name)
{
    count++;
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", count, name);
}

typedef struct Model {
    CgGraph *g;
    CgBuild b;
} Model;

static CgType type_of(const char *text)
{
    CgType t;
    if (!cg_type_parse(text, &t))
        CG_BUG("'%s' is no type", text);
    return t;
}

static CgRef param(Model *m, const char *name, const char *type)
{
    CgStrbuf path = { 0 };
    cg_scope_path(m->g, m->b.scope, &path);
    cg_strbuf_printf(&path, "%s%s", path.len ? "." : "", name);
    CgRef r = cg_graph_param(&m->b, cg_strbuf_str(&path), type_of(type));
    cg_strbuf_deinit(&path);
    return r;
}

static int enter(Model *m, const char *name, const char *graph)
{
    int before = m->b.scope;
    m->b.scope = cg_scope_add(m->g, before, name, graph);
    return before;
}

/* x + tanh((x * gain) up) down, the product in an instance of its own. */
static CgRef block(Model *m, int number, CgRef x, const char *hidden)
{
    char name[32], up[32], down[32];
    snprintf(name, sizeof name, "blocks.%d", number);
    snprintf(up, sizeof up, "f32[48, %s]", hidden);
    snprintf(down, sizeof down, "f32[%s, 48]", hidden);
    int outside = enter(m, name, "block");
    int inside = enter(m, "norm", "scale");
    CgType t = cg_ref_type(&m->b, x);
    int64_t axes[3] = { -1, -1, 0 };
    CgRef h = cg_mul(&m->b, x, cg_broadcast(&m->b, param(m, "gain", "f32[48]"), 3, t.dim, axes));
    m->b.scope = inside;
    inside = enter(m, "ffn", "mlp");
    h = cg_u(&m->b, "tanh", cg_matmul(&m->b, h, param(m, "up", up), false, false));
    h = cg_matmul(&m->b, cg_scale(&m->b, h, 0.5), param(m, "down", down), false, false);
    m->b.scope = inside;
    x = cg_add(&m->b, x, h);
    m->b.scope = outside;
    return x;
}

typedef struct Shape {
    int layers;
    const char *last_hidden;
    bool tap;
} Shape;

static Model model(Shape s)
{
    Model m = { cg_graph_new("lm"), { 0 } };
    CgRef in[2], tapped = CG_NONE;
    int64_t axes[3] = { 0, 1, 2 };
    m.b = cg_build_at(m.g);
    in[1] = cg_graph_input(&m.b, "tokens", type_of("i32[B, T]"));
    int outside = enter(&m, "embed", "embedding");
    CgRef table = in[0] = param(&m, "table", "f32[61, 48]");
    CgRef x = cg_build(&m.b, "take", 2, in, NULL);
    m.b.scope = outside;
    for (int i = 0; i < s.layers; i++) {
        x = block(&m, i, x, i == s.layers - 1 ? s.last_hidden : "192");
        tapped = i == 1 ? x : tapped;
    }
    CgRef logits = cg_matmul(&m.b, x, table, false, true);
    cg_graph_output(m.g, "loss", cg_sum(&m.b, logits, 3, axes));
    if (s.tap)
        cg_graph_output(m.g, "tap", tapped);
    return m;
}

static bool starts(void *with, const char *path) { return strncmp(path, with, strlen(with)) == 0; }

static char frozen_second[] = "blocks.1.", frozen_blocks[] = "blocks.";

static CgPictureOptions options(bool fold, char *frozen)
{
    return (CgPictureOptions){
        .detail = CG_DETAIL_MODEL, .clusters = true, .fold = fold, .frozen = frozen ? starts : NULL, .context = frozen
    };
}

static const CgBox *box_named(const CgPicture *p, const char *id)
{
    for (size_t i = 0; i < p->boxes.len; i++)
        if (strcmp(p->boxes.at[i].id, id) == 0)
            return &p->boxes.at[i];
    return NULL;
}

static const CgCluster *cluster_named(const CgPicture *p, const char *id)
{
    for (size_t i = 0; i < p->clusters.len; i++)
        if (strcmp(p->clusters.at[i].id, id) == 0)
            return &p->clusters.at[i];
    return NULL;
}

/* How many blocks the cluster of block `number` stands for; 0 when it is not there. */
static int times(Shape s, char *frozen, int number)
{
    Model m = model(s);
    CgPictureOptions o = options(true, frozen);
    CgPicture *p = cg_picture_build(m.g, &o);
    char id[32];
    snprintf(id, sizeof id, "blocks.%d", number);
    const CgCluster *c = cluster_named(p, id);
    int n = c ? c->times : 0;
    cg_picture_free(p);
    cg_graph_free(m.g);
    return n;
}

static void test_detail(void)
{
    Model m = model((Shape){ 4, "192", false });
    CgPictureOptions o = options(false, NULL);
    CgPicture *p = cg_picture_build(m.g, &o);
    const CgBox *up = box_named(p, "blocks.3.ffn/matmul.0"), *head = box_named(p, "matmul.0");
    ok(up && up->nrows == 1 && strcmp(up->rows[0].name, "up") == 0 && strcmp(up->rows[0].type, "f32[48, 192]") == 0,
        "a parameter is shown in the op that uses it");
    ok(head && head->nrows == 1 && strcmp(head->rows[0].name, "embed.table") == 0, "by its whole path away from home");
    const CgBox *scale = box_named(p, "blocks.3.ffn/mul.0");
    ok(scale && strcmp(scale->note, "0.5") == 0 && scale->nrows == 0, "a scalar constant is a note");
    const CgBox *norm = box_named(p, "blocks.3.norm/mul.0");
    ok(norm && norm->heading && strcmp(norm->heading, "norm") == 0 && norm->nrows == 1
            && !cluster_named(p, "blocks.3.norm"),
        "an instance of one op has a heading in the place of a frame");
    const CgCluster *ffn = cluster_named(p, "blocks.3.ffn");
    ok(ffn && strcmp(ffn->label, "ffn: mlp") == 0, "other instances have frames");
    /* take, 4 x (mul, matmul, tanh, mul, matmul, add), matmul, sum, tokens, loss */
    ok(p->boxes.len == 1 + 4 * 6 + 2 + 1 + 1, "views, constants and parameters have no boxes");
    size_t labelled = 0;
    for (size_t i = 0; i < p->arrows.len; i++)
        labelled += strcmp(p->arrows.at[i].label, "f32[B, T, 192]") == 0;
    ok(labelled == 4, "arrows say types, each where it is new");
    cg_picture_free(p);
    o.detail = CG_DETAIL_GRAPH;
    p = cg_picture_build(m.g, &o);
    ok(p->boxes.len == m.g->nodes.len + 1, "at the level of the graph each node has a box");
    cg_picture_free(p);
    cg_graph_free(m.g);
}

static void test_fold(void)
{
    Model m = model((Shape){ 4, "192", false });
    CgPictureOptions o = options(true, NULL);
    CgPicture *p = cg_picture_build(m.g, &o);
    ok(p->boxes.len == 1 + 6 + 2 + 1 + 1, "four equal blocks are drawn once");
    const CgCluster *c = cluster_named(p, "blocks.0");
    ok(c && c->times == 4 && strcmp(c->label, "blocks.0 .. blocks.3: block") == 0, "the frame says for which");
    size_t to_head = 0, from_add = 0;
    for (size_t i = 0; i < p->arrows.len; i++) {
        const CgArrow *a = &p->arrows.at[i];
        to_head += strcmp(p->boxes.at[a->to].id, "matmul.0") == 0;
        from_add += strcmp(p->boxes.at[a->from].id, "blocks.0/add.0") == 0;
    }
    ok(to_head == 1 && from_add == 1, "what follows the last block follows the folded one");
    cg_picture_free(p);
    cg_graph_free(m.g);
    ok(times((Shape){ 2, "192", false }, NULL, 0) == 2, "two equal blocks are drawn once");
    Shape odd = { 5, "97", false };
    ok(times(odd, NULL, 0) == 4 && times(odd, NULL, 4) == 1, "a block of another width stands apart");
    Shape tapped = { 5, "192", true };
    ok(times(tapped, NULL, 0) == 2 && times(tapped, NULL, 2) == 3, "a tap in the middle is not hidden");
    Shape five = { 5, "192", false };
    ok(times(five, frozen_second, 0) == 1 && times(five, frozen_second, 1) == 1 && times(five, frozen_second, 2) == 3,
        "a frozen block among others is seen");
}

static void test_frozen(void)
{
    Model m = model((Shape){ 4, "192", false });
    CgPictureOptions o = options(true, frozen_blocks);
    CgPicture *p = cg_picture_build(m.g, &o);
    const CgBox *up = box_named(p, "blocks.0.ffn/matmul.0"), *head = box_named(p, "matmul.0");
    ok(up && up->frozen && up->rows[0].frozen && head && !head->frozen, "frozen parameters and boxes are marked");
    const CgCluster *c = cluster_named(p, "blocks.0");
    ok(c && c->frozen && c->times == 4, "and frames all of whose parameters are");
    cg_picture_free(p);
    cg_graph_free(m.g);
}

static char *drawn(Shape s, const char *format, const char *title, CgErr *e)
{
    Model m = model(s);
    CgPictureOptions o = options(true, frozen_blocks);
    CgPicture *p = cg_picture_build(m.g, &o);
    CgStrbuf out = { 0 };
    CgDrawing how = { .name = m.g->name, .title = title, .format = format };
    bool good = cg_dot_write(p, &how, &out, e);
    cg_picture_free(p);
    cg_graph_free(m.g);
    if (!good)
        cg_strbuf_deinit(&out);
    return good ? cg_strbuf_take(&out) : NULL;
}

static void test_text(void)
{
    CgErr e = { 0 };
    char *once = drawn((Shape){ 4, "192", false }, "dot", "a < b & \"c\"", &e);
    char *again = drawn((Shape){ 4, "192", false }, "dot", "a < b & \"c\"", &e);
    ok(once && again && strcmp(once, again) == 0, "text: equal graphs, equal text");
    ok(once && strstr(once, "a &lt; b &amp; &quot;c&quot;"), "text: what a user wrote is escaped");
    ok(once && strstr(once, "subgraph \"cluster_blocks.0.ffn\"") && strstr(once, "(x4)") && !strstr(once, "blocks.2"),
        "text: frames within frames");
    ok(once && strstr(once, " frozen<"), "text: frozen is a word, not only a colour");
    free(once);
    free(again);
    char *svg = drawn((Shape){ 4, "192", false }, "svg", NULL, &e);
    ok(svg && strstr(svg, "<svg") && strstr(svg, "blocks.3"), "drawing: svg");
    free(svg);
    ok(!drawn((Shape){ 4, "192", false }, "sgv", NULL, &e) && strstr(e.text, "'sgv'") && strstr(e.hint, "svg"),
        "drawing: an unknown format is refused, with those there are");
}

int main(void)
{
    cg_registry_init();
    test_detail();
    test_fold();
    test_frozen();
#ifdef CG_HAVE_GRAPHVIZ
    bool drawn = true;
#else
    bool drawn = false;
#endif
    if (drawn)
        test_text();
    printf("1..%d\n", count);
    return failed != 0;
}
