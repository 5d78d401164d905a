/* dot.c - a picture as GraphViz knows it.
 * Takes what picture.c chose to show; gives DOT text written by cgraph (attributes come out sorted by name,
 * boxes in the order of the picture) or a rendering by gvc. Chooses colours and letters, never contents. */
#include "report/dot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/picture.h"

#ifndef CG_HAVE_GRAPHVIZ

bool cg_dot_write(const CgPicture *p, const char *name, const char *title, const char *format, CgStrbuf *out, CgErr *e)
{
    (void)p, (void)name, (void)title, (void)format, (void)out;
    cg_err_hint(e, "install libgraphviz-dev and configure again");
    return cg_err(e, CG_ERR_INPUT, "no pictures: this cg was built without GraphViz");
}

#else

    #include <graphviz/cgraph.h>
    #include <graphviz/gvc.h>

    #define INK   "#1f2328"
    #define FAINT "#6a737d"
    #define BLUE  "#1d5fa8"
    #define LINE  "#9aa1a9"

/* GraphViz takes minutes to lay out more, and then gives pictures that nobody can print. */
enum { MOST_BOXES = 1500 };

typedef struct Look {
    const char *shape, *style, *fill, *line;
} Look;

static const Look look_of[] = {
    [CG_BOX_OP] = { "box", "filled,rounded", "#ffffff", LINE },
    [CG_BOX_INPUT] = { "box", "filled,rounded", "#e3f3e6", "#5f9e6e" },
    [CG_BOX_PARAM] = { "box", "filled", "#fdf3d8", "#c9a44c" },
    [CG_BOX_CONST] = { "plaintext", "", "#ffffff", LINE },
    [CG_BOX_OUTPUT] = { "box", "filled,rounded", "#f9e1e1", "#b96a6a" },
    [CG_BOX_INSTANCE] = { "box", "filled,rounded,bold", "#eceef1", "#737a82" },
};
/* Of CgChange: a sign before the name, so that grey shows it, too, and a colour. */
static const struct {
    const char *sign, *line;
} change_of[] = { [CG_SAME] = { "", LINE },
    [CG_ADDED] = { "+ ", "#1a7f37" },
    [CG_REMOVED] = { "- ", "#c2362f" },
    [CG_CHANGED] = { "~ ", "#9a6700" } };
static const Look look_weighted = { "box", "filled,rounded", "#fdf3d8", "#c9a44c" };
static const Look look_frozen = { "box", "filled,rounded", "#d9e9fb", "#5b93cf" };

/* GraphViz 2.42 takes char * where it means const char *; none of the functions used here writes to them. */
static char *as_text(const char *s)
{
    union {
        const char *in;
        char *out;
    } u = { s };
    return u.out;
}

static void set(void *object, const char *name, const char *value)
{
    agsafeset(object, as_text(name), as_text(value), as_text(""));
}

/* A label in GraphViz's subset of HTML; the text is already escaped. */
static void set_html(Agraph_t *root, void *object, const char *html)
{
    char *label = agstrdup_html(root, as_text(html));
    agsafeset(object, as_text("label"), label, as_text(""));
    agstrfree(root, label);
}

static void escape(CgStrbuf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': cg_strbuf_puts(out, "&amp;"); break;
        case '<': cg_strbuf_puts(out, "&lt;"); break;
        case '>': cg_strbuf_puts(out, "&gt;"); break;
        case '"': cg_strbuf_puts(out, "&quot;"); break;
        default: cg_strbuf_putc(out, *s);
        }
}

static void small(CgStrbuf *out, const char *colour, const char *name, const char *text)
{
    cg_strbuf_printf(out, "<BR/><FONT POINT-SIZE=\"9\" COLOR=\"%s\">", colour);
    if (*name) {
        cg_strbuf_puts(out, "<B>");
        escape(out, name);
        cg_strbuf_puts(out, "</B> ");
    }
    escape(out, text);
    cg_strbuf_puts(out, "</FONT>");
}

static void bold(CgStrbuf *out, const char *text)
{
    if (!*text)
        return;
    cg_strbuf_puts(out, "<B>");
    escape(out, text);
    cg_strbuf_puts(out, "</B>");
}

static void box_label(CgStrbuf *out, const CgBox *box, bool in_frozen)
{
    bold(out, change_of[box->change].sign);
    if (box->kind == CG_BOX_CONST) {
        escape(out, box->title);
    } else if (box->heading) {
        bold(out, box->heading);
        cg_strbuf_puts(out, "<BR/>");
        escape(out, box->title);
    } else {
        bold(out, box->title);
    }
    if (*box->note)
        small(out, FAINT, "", box->note);
    for (int i = 0; i < box->nrows; i++) {
        const CgBoxRow *row = &box->rows[i];
        small(out, row->frozen ? BLUE : INK, row->name, row->type);
    }
    if (*box->type)
        small(out, FAINT, "", box->type);
    if (box->frozen && !in_frozen)
        small(out, BLUE, "", "frozen");
    if (box->was)
        small(out, change_of[CG_CHANGED].line, "was", box->was);
}

/* What a frame says, the boxes and frames in it do not say again. */
static void draw_box(Agraph_t *root, Agraph_t *in, const CgBox *box, bool in_frozen)
{
    const Look *look = &look_of[box->kind];
    CgStrbuf label = { 0 };
    if (box->kind == CG_BOX_OP && box->nrows > 0)
        look = &look_weighted;
    if (box->frozen)
        look = &look_frozen;
    Agnode_t *n = agnode(in, as_text(box->id), 1);
    box_label(&label, box, in_frozen);
    set_html(root, n, cg_strbuf_str(&label));
    cg_strbuf_deinit(&label);
    set(n, "fillcolor", look->fill);
    set(n, "color", box->change ? change_of[box->change].line : look->line);
    if (box->change)
        set(n, "penwidth", "2");
    if (strcmp(look->shape, "box") != 0)
        set(n, "shape", look->shape);
    if (box->derived)
        set(n, "style", "filled,rounded,dashed");
    else if (strcmp(look->style, "filled,rounded") != 0)
        set(n, "style", look->style);
    if (box->kind == CG_BOX_PARAM)
        set(n, "margin", "0.06,0.03");
}

static Agraph_t *draw_cluster(Agraph_t *root, Agraph_t *in, const CgCluster *c, const CgCluster *outer, int depth)
{
    CgStrbuf text = { 0 };
    bool frozen = c->frozen && !(outer && outer->frozen);
    bool recompute = c->recompute && !(outer && outer->recompute);
    cg_strbuf_printf(&text, "cluster_%s", c->id);
    Agraph_t *s = agsubg(in, as_text(cg_strbuf_str(&text)), 1);
    cg_strbuf_deinit(&text);
    bold(&text, change_of[c->change].sign);
    bold(&text, c->label);
    if (c->times > 1)
        cg_strbuf_printf(&text, " <B>(x%d)</B>", c->times);
    if (frozen)
        cg_strbuf_printf(&text, "  <FONT COLOR=\"%s\">frozen</FONT>", BLUE);
    if (recompute)
        cg_strbuf_printf(&text, "  <FONT COLOR=\"%s\">recomputed</FONT>", FAINT);
    if (c->was) {
        cg_strbuf_printf(&text, "  <FONT COLOR=\"%s\">was ", change_of[CG_CHANGED].line);
        escape(&text, c->was);
        cg_strbuf_puts(&text, "</FONT>");
    }
    set_html(root, s, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    set(s, "style", recompute ? "filled,rounded,dashed" : "filled,rounded");
    set(s, "color", c->change ? change_of[c->change].line : c->frozen ? "#5b93cf" : "#c4c9cf");
    set(s, "fillcolor", c->frozen ? (depth % 2 ? "#f4f8fe" : "#e6f0fb") : depth % 2 ? "#ffffff" : "#f5f6f8");
    /* always written: read back, a cluster would take it from the one around it */
    set(s, "penwidth", c->times > 1 ? "2.5" : "1");
    return s;
}

static void set_defaults(Agraph_t *root, const char *title)
{
    static const struct {
        int kind;
        const char *name, *value;
    } defaults[] = {
        { AGRAPH, "bgcolor", "white" },
        { AGRAPH, "fontname", "Helvetica" },
        { AGRAPH, "fontsize", "11" },
        { AGRAPH, "labeljust", "l" },
        { AGRAPH, "nodesep", "0.3" },
        { AGRAPH, "rankdir", "TB" },
        { AGRAPH, "ranksep", "0.35" },
        { AGRAPH, "label", "" },
        { AGRAPH, "style", "" },
        { AGRAPH, "color", "" },
        { AGRAPH, "fillcolor", "" },
        { AGRAPH, "penwidth", "" },
        { AGNODE, "label", "\\N" },
        { AGNODE, "fillcolor", "#ffffff" },
        { AGNODE, "color", LINE },
        { AGNODE, "fontcolor", INK },
        { AGNODE, "fontname", "Helvetica" },
        { AGNODE, "fontsize", "11" },
        { AGNODE, "height", "0.3" },
        { AGNODE, "margin", "0.1,0.05" },
        { AGNODE, "shape", "box" },
        { AGNODE, "style", "filled,rounded" },
        { AGEDGE, "arrowsize", "0.6" },
        { AGEDGE, "color", "#737a82" },
        { AGEDGE, "fontcolor", FAINT },
        { AGEDGE, "fontname", "Helvetica" },
        { AGEDGE, "fontsize", "8" },
        { AGEDGE, "label", "" },
        { AGEDGE, "style", "" },
    };
    for (size_t i = 0; i < CG_LEN(defaults); i++)
        agattr(root, defaults[i].kind, as_text(defaults[i].name), as_text(defaults[i].value));
    if (title && *title) {
        CgStrbuf text = { 0 };
        cg_strbuf_puts(&text, "<FONT POINT-SIZE=\"14\">");
        bold(&text, title);
        cg_strbuf_puts(&text, "</FONT>");
        set_html(root, root, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        agsafeset(root, as_text("labelloc"), as_text("t"), as_text("t"));
    }
}

static void draw(Agraph_t *root, const CgPicture *p, const char *title)
{
    Agraph_t **in = cg_calloc(p->clusters.len + 1, sizeof *in);
    int *depth = cg_calloc(p->clusters.len + 1, sizeof *depth);
    Agnode_t **node = cg_calloc(p->boxes.len + 1, sizeof *node);
    set_defaults(root, title);
    for (size_t i = 0; i < p->clusters.len; i++) {
        int parent = p->clusters.at[i].parent;
        depth[i] = parent < 0 ? 0 : depth[parent] + 1;
        const CgCluster *outer = parent < 0 ? NULL : &p->clusters.at[parent];
        in[i] = draw_cluster(root, parent < 0 ? root : in[parent], &p->clusters.at[i], outer, depth[i]);
    }
    for (size_t i = 0; i < p->boxes.len; i++) {
        const CgBox *box = &p->boxes.at[i];
        bool in_frozen = box->cluster >= 0 && p->clusters.at[box->cluster].frozen;
        draw_box(root, box->cluster < 0 ? root : in[box->cluster], box, in_frozen);
        node[i] = agnode(root, as_text(box->id), 0);
    }
    for (size_t i = 0; i < p->arrows.len; i++) {
        const CgArrow *a = &p->arrows.at[i];
        Agedge_t *edge = agedge(root, node[a->from], node[a->to], NULL, 1);
        if (*a->label)
            set(edge, "label", a->label);
        if (a->derived || a->change == CG_REMOVED)
            set(edge, "style", "dashed");
        if (a->change)
            set(edge, "color", change_of[a->change].line);
    }
    free(in);
    free(depth);
    free(node);
}

/* GraphViz names things by the address of a string and writes frames in the order of these names, so that equal graphs
 * would give different texts. Ours are numbers in the order of making; it keeps the strings itself when we map none. */
static void *id_open(Agraph_t *g, Agdisc_t *disc)
{
    (void)g;
    (void)disc;
    return cg_calloc(1, sizeof(IDTYPE));
}

static long id_map(void *state, int kind, char *name, IDTYPE *id, int create)
{
    IDTYPE *last = state;
    (void)kind;
    if (name)
        return 0;
    if (create)
        *id = ++*last;
    return create != 0;
}

static long id_alloc(void *state, int kind, IDTYPE id)
{
    (void)state;
    (void)kind;
    (void)id;
    return 0;
}

static void id_free(void *state, int kind, IDTYPE id) { (void)id_alloc(state, kind, id); }

static char *id_print(void *state, int kind, IDTYPE id)
{
    (void)id_alloc(state, kind, id);
    return NULL;
}

static void id_close(void *state) { free(state); }

static void id_register(void *state, int kind, void *object)
{
    (void)state;
    (void)kind;
    (void)object;
}

static int put_text(void *to, const char *text)
{
    cg_strbuf_puts(to, text);
    return 0;
}

static int put_flush(void *to)
{
    (void)to;
    return 0;
}

/* GraphViz reports through a callback; its last words become ours. */
static char complaint[160];

static int hear(char *text)
{
    size_t n = strlen(complaint);
    for (; *text && n + 1 < sizeof complaint; text++)
        if (*text != '\n')
            complaint[n++] = *text;
    complaint[n] = 0;
    return 0;
}

/* One for the process: the text plugin of GraphViz 2.42 remembers fonts that go when a context is freed. */
static GVC_t *layouter(void)
{
    static GVC_t *gvc;
    if (!gvc)
        gvc = gvContext();
    return gvc;
}

static bool render(Agraph_t *root, const char *format, CgStrbuf *out, CgErr *e)
{
    GVC_t *gvc = layouter();
    char *data = NULL;
    unsigned int len = 0;
    bool ok = gvc && gvLayout(gvc, root, "dot") == 0;
    if (ok) {
        ok = gvRenderData(gvc, root, format, &data, &len) == 0 && data;
        if (ok)
            cg_strbuf_write(out, data, len);
        if (data)
            gvFreeRenderData(data);
        /* no gvFreeLayout: it frees edges of large drawings twice; the program ends soon anyway */
    }
    if (ok)
        return true;
    const char *why = strncmp(complaint, "Error: ", 7) == 0 ? complaint + 7 : complaint;
    cg_err_hint(e, "formats: dot, svg, png, pdf");
    return cg_err(e, CG_ERR_INPUT, "cannot draw as '%s'%s%s", format, *why ? ": " : "", why);
}

bool cg_dot_write(const CgPicture *p, const char *name, const char *title, const char *format, CgStrbuf *out, CgErr *e)
{
    bool text = strcmp(format, "dot") == 0 || strcmp(format, "gv") == 0;
    Agiodisc_t to_text = { NULL, put_text, put_flush };
    Agiddisc_t numbers = { id_open, id_map, id_alloc, id_free, id_print, id_close, id_register };
    Agdisc_t disc = { &AgMemDisc, &numbers, text ? &to_text : &AgIoDisc };
    bool ok = true;
    complaint[0] = 0;
    agusererrf before = agseterrf(hear);
    Agraph_t *root = agopen(as_text(name ? name : "graph"), Agdirected, &disc);
    draw(root, p, title);
    if (text)
        agwrite(root, out);
    else if (p->boxes.len > MOST_BOXES) {
        cg_err_hint(
            e, "--depth=N draws instances as boxes, --open=PATH all of one; -T dot writes the text all the same");
        ok = cg_err(e, CG_ERR_INPUT, "%zu boxes are too many to lay out", p->boxes.len);
    } else
        ok = render(root, format, out, e);
    agclose(root);
    agseterrf(before);
    return ok;
}

#endif
