/* dot.c - a picture as GraphViz knows it.
 * Takes what picture.c chose to show; gives DOT text written by cgraph (attributes come out sorted by name,
 * boxes in the order of the picture) or a rendering of where layout.c puts it. Chooses colours, never contents. */
#include "report/dot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/dot_inside.h"
#include "report/layout.h"

#ifndef CG_HAVE_GRAPHVIZ

bool cg_dot_write(const CgPicture *p, const CgDrawing *d, CgStrbuf *out, CgErr *e)
{
    (void)p, (void)d, (void)out;
    return cg_dot_absent(e);
}

#else

/* More give pictures that nobody can print, and GraphViz takes minutes where they are all on one level. */
enum { MOST_BOXES = 1500 };

/* Colours by what they are for, on light and on dark ground. */
typedef enum Colour {
    GROUND,
    INK,
    FAINT,
    EDGE,
    LINE,
    FROZEN,
    ADDED,
    REMOVED,
    CHANGED,
    OP,
    INPUT,
    INPUT_LINE,
    PARAM,
    PARAM_LINE,
    OUTPUT,
    OUTPUT_LINE,
    INSTANCE,
    INSTANCE_LINE,
    FROZEN_FILL,
    FROZEN_LINE,
    FRAME,
    FRAME_ODD,
    FRAME_LINE,
    FRAME_FROZEN,
    FRAME_FROZEN_ODD,
    HEAT,
    HEAT_MOST = HEAT + 4,
    COLOURS
} Colour;

static const char *const colour_of[COLOURS][2] = {
    [GROUND] = { "#fffffe", "#16181c" },
    [INK] = { "#1f2328", "#e6e8eb" },
    [FAINT] = { "#5d656e", "#a2aab3" },
    [EDGE] = { "#737a82", "#929aa3" },
    [LINE] = { "#9aa1a9", "#6e767f" },
    [FROZEN] = { "#1d5fa8", "#8cbcf2" },
    [ADDED] = { "#1a7f37", "#57c275" },
    [REMOVED] = { "#c2362f", "#f28a84" },
    [CHANGED] = { "#9a6700", "#e0af4a" },
    [OP] = { "#ffffff", "#22262b" },
    [INPUT] = { "#e3f3e6", "#1d3524" },
    [INPUT_LINE] = { "#5f9e6e", "#5f9e6f" },
    [PARAM] = { "#fdf3d8", "#3a3018" },
    [PARAM_LINE] = { "#c9a44c", "#b08d3a" },
    [OUTPUT] = { "#f9e1e1", "#42201f" },
    [OUTPUT_LINE] = { "#b96a6a", "#b96a6b" },
    [INSTANCE] = { "#eceef1", "#2c3138" },
    [INSTANCE_LINE] = { "#737a83", "#8b929a" },
    [FROZEN_FILL] = { "#d9e9fb", "#1b3350" },
    [FROZEN_LINE] = { "#5b93cf", "#5b93ce" },
    [FRAME] = { "#f5f6f8", "#1c1f24" },
    [FRAME_ODD] = { "#fefefe", "#202429" },
    [FRAME_LINE] = { "#c4c9cf", "#4a5159" },
    [FRAME_FROZEN] = { "#e6f0fb", "#17263a" },
    [FRAME_FROZEN_ODD] = { "#f4f8fe", "#1a2b42" },
    /* each darker, or lighter, than the one before, in grey as well */
    [HEAT] = { "#fff7ea", "#2b261f" },
    [HEAT + 1] = { "#fee8c8", "#43331f" },
    [HEAT + 2] = { "#fdcc95", "#63451f" },
    [HEAT + 3] = { "#fbab66", "#87581f" },
    [HEAT_MOST] = { "#f58a4b", "#ac6c1f" },
};

/* Frozen is a double line, an instance a bold one, what is computed backwards a dashed one, what is not computed has
 * corners: so grey shows it, too. */
typedef struct Look {
    const char *shape, *style;
    Colour fill, line;
} Look;

static const Look look_of[] = {
    [CG_BOX_OP] = { "box", "filled,rounded", OP, LINE },
    [CG_BOX_INPUT] = { "box", "filled", INPUT, INPUT_LINE },
    [CG_BOX_PARAM] = { "box", "filled", PARAM, PARAM_LINE },
    [CG_BOX_CONST] = { "plaintext", "", OP, LINE },
    [CG_BOX_OUTPUT] = { "box", "filled", OUTPUT, OUTPUT_LINE },
    [CG_BOX_INSTANCE] = { "box", "filled,rounded,bold", INSTANCE, INSTANCE_LINE },
};
static const Colour change_line[] = {
    [CG_SAME] = LINE, [CG_ADDED] = ADDED, [CG_REMOVED] = REMOVED, [CG_CHANGED] = CHANGED
};
static const Colour tone_of[] = {
    [CG_TONE_INK] = INK, [CG_TONE_FAINT] = FAINT, [CG_TONE_FROZEN] = FROZEN, [CG_TONE_CHANGED] = CHANGED
};
static const Look look_weighted = { "box", "filled,rounded", PARAM, PARAM_LINE };
static const Look look_frozen = { "box", "filled,rounded", FROZEN_FILL, FROZEN_LINE };

typedef struct Drawer {
    const CgPicture *p;
    const CgDrawing *how;
    bool drawn; /* not written as text */
    Agraph_t *root;
    Agraph_t **frame;
    Agnode_t **node;
    Agedge_t **edge;
} Drawer;

static const char *colour(const Drawer *d, Colour c) { return colour_of[c][d->how->dark]; }

static void set_colour(const Drawer *d, void *object, const char *name, Colour c)
{
    cg_dot_set(object, name, colour(d, c));
}

/* Blanks at an end are no blanks for those who draw SVG. */
static void escape(CgStrbuf *out, const char *s)
{
    const char *first = s + strspn(s, " ");
    for (const char *at = s; *at; at++)
        switch (*at) {
        case '&': cg_strbuf_puts(out, "&amp;"); break;
        case '<': cg_strbuf_puts(out, "&lt;"); break;
        case '>': cg_strbuf_puts(out, "&gt;"); break;
        case '"': cg_strbuf_puts(out, "&quot;"); break;
        case ' ': cg_strbuf_puts(out, at < first || !at[1] ? "&#160;" : " "); break;
        default: cg_strbuf_putc(out, *at);
        }
}

/* GraphViz leaves no room for what hangs below a line. */
static void put_break(const Drawer *d, bool left, CgStrbuf *out)
{
    const char *end = left ? "<BR ALIGN=\"LEFT\"/>" : "<BR/>";
    cg_strbuf_puts(out, end);
    if (d->drawn)
        cg_strbuf_printf(out, "<FONT POINT-SIZE=\"2\"> </FONT>%s", end);
}

static void set_label(const Drawer *d, void *object, const CgLabel *l, int normal)
{
    CgStrbuf html = { 0 };
    bool font = false;
    for (size_t i = 0; i < l->parts.len; i++) {
        const CgLabelPart *part = &l->parts.at[i], *before = i ? part - 1 : NULL;
        bool other = !before || before->size != part->size || before->tone != part->tone;
        if (font && other)
            cg_strbuf_puts(&html, "</FONT>");
        if (part->fresh)
            put_break(d, object == d->root, &html);
        if (other) {
            font = part->size != normal || part->tone != CG_TONE_INK;
            if (font)
                cg_strbuf_printf(
                    &html, "<FONT POINT-SIZE=\"%d\" COLOR=\"%s\">", part->size, colour(d, tone_of[part->tone]));
        }
        cg_strbuf_puts(&html, part->bold ? "<B>" : "");
        escape(&html, part->text);
        cg_strbuf_puts(&html, part->bold ? "</B>" : "");
    }
    cg_strbuf_puts(&html, font ? "</FONT>" : "");
    if (object == d->root)
        cg_strbuf_puts(&html, "<BR ALIGN=\"LEFT\"/>");
    cg_dot_set_html(d->root, object, cg_strbuf_str(&html));
    cg_strbuf_deinit(&html);
}

static void draw_box(Drawer *d, size_t i)
{
    const CgBox *box = &d->p->boxes.at[i];
    const Look *look = &look_of[box->kind];
    if (box->kind == CG_BOX_OP && box->nrows > 0)
        look = &look_weighted;
    if (box->frozen)
        look = &look_frozen;
    Agnode_t *n = agnode(box->cluster < 0 ? d->root : d->frame[box->cluster], cg_dot_text(box->id), 1);
    CgLabel label = cg_label_box(d->p, box);
    set_label(d, n, &label, 11);
    cg_vec_free(&label.parts);
    int heat = (int)(5 * box->heat);
    Colour warm = (Colour)(HEAT + (heat > 4 ? 4 : heat));
    set_colour(d, n, "fillcolor", box->heat > 0 ? warm : look->fill);
    set_colour(d, n, "color", box->change ? change_line[box->change] : look->line);
    if (box->change)
        cg_dot_set(n, "penwidth", "2");
    if (box->frozen)
        cg_dot_set(n, "peripheries", "2");
    if (strcmp(look->shape, "box") != 0)
        cg_dot_set(n, "shape", look->shape);
    if (box->derived)
        cg_dot_set(n, "style", "filled,rounded,dashed");
    else if (strcmp(look->style, "filled,rounded") != 0)
        cg_dot_set(n, "style", look->style);
    if (box->kind == CG_BOX_PARAM)
        cg_dot_set(n, "margin", "0.06,0.03");
    d->node[i] = n;
}

static void draw_frame(Drawer *d, size_t i, int depth)
{
    const CgCluster *c = &d->p->clusters.at[i];
    const CgCluster *outer = c->parent < 0 ? NULL : &d->p->clusters.at[c->parent];
    CgStrbuf name = { 0 };
    cg_strbuf_printf(&name, "cluster_%s", c->id);
    Agraph_t *s = agsubg(c->parent < 0 ? d->root : d->frame[c->parent], cg_dot_text(cg_strbuf_str(&name)), 1);
    cg_strbuf_deinit(&name);
    CgLabel label = cg_label_frame(d->p, c);
    set_label(d, s, &label, 11);
    cg_vec_free(&label.parts);
    bool dashed = c->recompute && !(outer && outer->recompute);
    cg_dot_set(s, "style", dashed ? "filled,rounded,dashed" : "filled,rounded");
    set_colour(d, s, "color", c->change ? change_line[c->change] : c->frozen ? FROZEN_LINE : FRAME_LINE);
    set_colour(d, s, "fillcolor",
        c->frozen       ? (depth % 2 ? FRAME_FROZEN_ODD : FRAME_FROZEN)
            : depth % 2 ? FRAME_ODD
                        : FRAME);
    /* always written: read back, a cluster would take it from the one around it */
    cg_dot_set(s, "penwidth", c->times > 1 ? "2.5" : "1");
    d->frame[i] = s;
}

static void draw_arrow(Drawer *d, size_t i)
{
    const CgArrow *a = &d->p->arrows.at[i];
    Agedge_t *edge = agedge(d->root, d->node[a->from], d->node[a->to], NULL, 1);
    if (*a->label)
        cg_dot_set(edge, "label", a->label);
    if (a->derived || a->change == CG_REMOVED)
        cg_dot_set(edge, "style", "dashed");
    if (a->change)
        set_colour(d, edge, "color", change_line[a->change]);
    d->edge[i] = edge;
}

static void set_defaults(Drawer *d)
{
    const struct {
        int kind;
        const char *name, *value;
    } defaults[] = {
        { AGRAPH, "bgcolor", colour(d, GROUND) },
        { AGRAPH, "fontcolor", colour(d, INK) },
        { AGRAPH, "fontname", "Helvetica" },
        { AGRAPH, "fontsize", "11" },
        { AGRAPH, "labeljust", "l" },
        { AGRAPH, "nodesep", "0.3" },
        { AGRAPH, "rankdir", d->how->landscape ? "LR" : "TB" },
        { AGRAPH, "ranksep", "0.35" },
        { AGRAPH, "label", "" },
        { AGRAPH, "style", "" },
        { AGRAPH, "color", "" },
        { AGRAPH, "fillcolor", "" },
        { AGRAPH, "penwidth", "" },
        { AGNODE, "label", "\\N" },
        { AGNODE, "fillcolor", colour(d, OP) },
        { AGNODE, "color", colour(d, LINE) },
        { AGNODE, "fontcolor", colour(d, INK) },
        { AGNODE, "fontname", "Helvetica" },
        { AGNODE, "fontsize", "11" },
        { AGNODE, "height", "0.3" },
        { AGNODE, "margin", "0.1,0.05" },
        { AGNODE, "shape", "box" },
        { AGNODE, "style", "filled,rounded" },
        { AGEDGE, "arrowsize", "0.6" },
        { AGEDGE, "color", colour(d, EDGE) },
        { AGEDGE, "fontcolor", colour(d, FAINT) },
        { AGEDGE, "fontname", "Helvetica" },
        { AGEDGE, "fontsize", "8" },
        { AGEDGE, "label", "" },
        { AGEDGE, "style", "" },
    };
    for (size_t i = 0; i < CG_LEN(defaults); i++)
        agattr(d->root, defaults[i].kind, cg_dot_text(defaults[i].name), cg_dot_text(defaults[i].value));
}

static CgLabel title_of(const CgDrawing *how) { return cg_label_title(how->title, how->legend); }

static void draw(Drawer *d)
{
    int *depth = cg_calloc(d->p->clusters.len + 1, sizeof *depth);
    set_defaults(d);
    CgLabel title = title_of(d->how);
    if (title.parts.len) {
        set_label(d, d->root, &title, 11);
        agsafeset(d->root, cg_dot_text("labelloc"), cg_dot_text("t"), cg_dot_text("t"));
    }
    cg_vec_free(&title.parts);
    for (size_t i = 0; i < d->p->clusters.len; i++) {
        int parent = d->p->clusters.at[i].parent;
        depth[i] = parent < 0 ? 0 : depth[parent] + 1;
        draw_frame(d, i, depth[i]);
    }
    for (size_t i = 0; i < d->p->boxes.len; i++)
        draw_box(d, i);
    for (size_t i = 0; i < d->p->arrows.len; i++)
        draw_arrow(d, i);
    free(depth);
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

/* ---- where layout.c puts it ---- */

enum { EDGE_OF_PAGE = 6 };

static void put_point(CgStrbuf *out, const CgLayout *l, double x, double y)
{
    cg_strbuf_printf(out, "%.2f,%.2f", x + EDGE_OF_PAGE, l->h - y + EDGE_OF_PAGE);
}

static void put_centre(CgStrbuf *out, const CgLayout *l, CgPlaced p)
{
    out->len = 0;
    put_point(out, l, p.x + p.w / 2, p.y + p.h / 2);
}

static void place_arrow(const CgRoute *r, const CgLayout *l, Agedge_t *edge, CgStrbuf *text)
{
    text->len = 0;
    cg_strbuf_puts(text, "e,");
    put_point(text, l, r->tip.x, r->tip.y);
    for (int k = 0; k < r->n; k++) {
        cg_strbuf_putc(text, ' ');
        put_point(text, l, r->at[k].x, r->at[k].y);
    }
    cg_dot_set(edge, "pos", cg_strbuf_str(text));
    if (r->label.w <= 0)
        return;
    put_centre(text, l, r->label);
    cg_dot_set(edge, "lp", cg_strbuf_str(text));
}

static void place(Drawer *d, const CgLayout *l)
{
    CgStrbuf text = { 0 };
    CgLabel title = title_of(d->how);
    double high = title.parts.len ? title.h + 8 : 0, wide = l->w > title.w ? l->w : title.w;
    cg_strbuf_printf(&text, "0,0,%.2f,%.2f", wide + 2 * EDGE_OF_PAGE, l->h + high + 2 * EDGE_OF_PAGE);
    cg_dot_set(d->root, "bb", cg_strbuf_str(&text));
    if (title.parts.len) {
        text.len = 0;
        put_point(&text, l, title.w / 2, -4 - title.h / 2);
        cg_dot_set(d->root, "lp", cg_strbuf_str(&text));
    }
    cg_vec_free(&title.parts);
    agattr(d->root, AGNODE, cg_dot_text("fixedsize"), cg_dot_text("shape"));
    for (size_t i = 0; i < d->p->clusters.len; i++) {
        CgPlaced f = l->frame[i];
        text.len = 0;
        put_point(&text, l, f.x, f.y + f.h);
        cg_strbuf_putc(&text, ',');
        put_point(&text, l, f.x + f.w, f.y);
        cg_dot_set(d->frame[i], "bb", cg_strbuf_str(&text));
        put_centre(&text, l, l->title[i]);
        cg_dot_set(d->frame[i], "lp", cg_strbuf_str(&text));
    }
    for (size_t i = 0; i < d->p->boxes.len; i++) {
        put_centre(&text, l, l->box[i]);
        cg_dot_set(d->node[i], "pos", cg_strbuf_str(&text));
        text.len = 0;
        int ring = d->p->boxes.at[i].frozen ? 2 * CG_RING : 0;
        cg_strbuf_printf(&text, "%.4f", (l->box[i].w - ring) / 72);
        cg_dot_set(d->node[i], "width", cg_strbuf_str(&text));
        text.len = 0;
        cg_strbuf_printf(&text, "%.4f", (l->box[i].h - ring) / 72);
        cg_dot_set(d->node[i], "height", cg_strbuf_str(&text));
    }
    for (size_t i = 0; i < d->p->arrows.len; i++)
        place_arrow(&l->arrow[i], l, d->edge[i], &text);
    cg_strbuf_deinit(&text);
}

/* What it is, for who cannot see it; and other colours where the reader's ground is dark. */
static void put_svg(const Drawer *d, const char *svg, CgStrbuf *out)
{
    const char *open = strstr(svg, "<svg"), *in = open ? strchr(open, '>') : NULL;
    if (!in) {
        cg_strbuf_puts(out, svg);
        return;
    }
    cg_strbuf_write(out, svg, (size_t)(in + 1 - svg));
    cg_strbuf_puts(out, "\n<title>");
    escape(out, d->how->title ? d->how->title : d->how->name);
    cg_strbuf_printf(out, "</title>\n<desc>%zu boxes in %zu frames, %zu arrows:", d->p->boxes.len, d->p->clusters.len,
        d->p->arrows.len);
    for (size_t i = 0; i < d->p->boxes.len; i++) {
        cg_strbuf_puts(out, i ? ", " : " ");
        escape(out, d->p->boxes.at[i].id);
    }
    cg_strbuf_puts(out, "</desc>\n");
    if (!d->how->dark) {
        cg_strbuf_puts(out, "<style>@media(prefers-color-scheme:dark){");
        for (int i = 0; i < COLOURS; i++)
            cg_strbuf_printf(out, "[fill=\"%s\"]{fill:%s}[stroke=\"%s\"]{stroke:%s}", colour_of[i][0], colour_of[i][1],
                colour_of[i][0], colour_of[i][1]);
        cg_strbuf_puts(out, "}</style>");
    }
    cg_dot_put_lines(in + 1 + strspn(in + 1, "\n"), out);
}

static bool render(Drawer *d, CgStrbuf *out, CgErr *e)
{
    if (d->p->boxes.len > MOST_BOXES) {
        return cg_dot_too_large(d->p->boxes.len, e);
    }
    CgLayout *l = cg_layout_build(d->p, d->how->landscape, e);
    if (!l)
        return false;
    place(d, l);
    cg_layout_free(l);
    if (!cg_dot_lay_out(d->root, "nop2", e))
        return false;
    CgStrbuf data = { 0 };
    bool good = cg_dot_render(d->root, d->how->format, &data, e);
    if (good && strcmp(d->how->format, "svg") == 0)
        put_svg(d, cg_strbuf_str(&data), out);
    else
        cg_strbuf_write(out, data.at, data.len);
    cg_strbuf_deinit(&data);
    return good;
}

bool cg_dot_write(const CgPicture *p, const CgDrawing *how, CgStrbuf *out, CgErr *e)
{
    bool text = strcmp(how->format, "dot") == 0 || strcmp(how->format, "gv") == 0, ok = true;
    Agiodisc_t to_text = { NULL, put_text, put_flush };
    Agiddisc_t numbers = { id_open, id_map, id_alloc, id_free, id_print, id_close, id_register };
    Agdisc_t disc = { &AgMemDisc, &numbers, text ? &to_text : &AgIoDisc };
    Drawer d = { .p = p, .how = how, .drawn = !text };
    d.root = agopen(cg_dot_text(how->name ? how->name : "graph"), Agdirected, &disc);
    d.frame = cg_calloc(p->clusters.len + 1, sizeof(void *));
    d.node = cg_calloc(p->boxes.len + 1, sizeof(void *));
    d.edge = cg_calloc(p->arrows.len + 1, sizeof(void *));
    draw(&d);
    if (text)
        agwrite(d.root, out);
    else
        ok = render(&d, out, e);
    agclose(d.root);
    free(d.frame);
    free(d.node);
    free(d.edge);
    return ok;
}

#endif
