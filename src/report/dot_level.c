/* dot_level.c - one level of a picture laid out by GraphViz.
 * Takes sizes and places; gives positions. Boxes are drawn empty here, so that no face or renderer has a say in it. */
#include "report/level.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/dot_inside.h"

#ifndef CG_HAVE_GRAPHVIZ

bool cg_level_place(CgLevel *l, CgArena *arena, CgErr *e)
{
    (void)l, (void)arena;
    return cg_dot_absent(e);
}

#else

enum { MOST_RANKS = 3000 };

/* The next of n places after `from`, -1 when there is none; equal ones in their order. */
static int next_place(const double *at, int n, int from)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        bool after = from < 0 || at[i] > at[from] || (at[i] >= at[from] && i > from);
        if (after && (best < 0 || at[i] < at[best]))
            best = i;
    }
    return best;
}

/* A row of empty cells, some of which are places: i0, i1, .. */
static void put_places(CgStrbuf *out, char side, const double *at, int n, int width)
{
    int x = 0;
    cg_strbuf_puts(out, "<TR><TD><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\"><TR>");
    for (int i = next_place(at, n, -1); i >= 0; i = next_place(at, n, i)) {
        int to = (int)lround(at[i]) - 1;
        to = to > width - 2 ? width - 2 : to;
        if (to > x)
            cg_strbuf_printf(out, "<TD FIXEDSIZE=\"TRUE\" WIDTH=\"%d\" HEIGHT=\"1\"></TD>", to - x);
        cg_strbuf_printf(out, "<TD PORT=\"%c%d\" FIXEDSIZE=\"TRUE\" WIDTH=\"2\" HEIGHT=\"1\"></TD>", side, i);
        x = (to > x ? to : x) + 2;
    }
    if (width > x)
        cg_strbuf_printf(out, "<TD FIXEDSIZE=\"TRUE\" WIDTH=\"%d\" HEIGHT=\"1\"></TD>", width - x);
    cg_strbuf_puts(out, "</TR></TABLE></TD></TR>");
}

static void node_add(Agraph_t *root, Agnode_t *n, const CgLevelNode *of)
{
    char number[32];
    int w = (int)ceil(of->w), h = (int)ceil(of->h);
    snprintf(number, sizeof number, "%.4f", w / 72.0);
    cg_dot_set(n, "width", number);
    snprintf(number, sizeof number, "%.4f", h / 72.0);
    cg_dot_set(n, "height", number);
    if (!of->nin && !of->nout)
        return;
    CgStrbuf table = { 0 };
    cg_strbuf_puts(&table, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\">");
    put_places(&table, 'i', of->in, of->nin, w);
    cg_strbuf_printf(&table, "<TR><TD FIXEDSIZE=\"TRUE\" WIDTH=\"%d\" HEIGHT=\"%d\"></TD></TR>", w, h > 3 ? h - 2 : 1);
    put_places(&table, 'o', of->out, of->nout, w);
    cg_strbuf_puts(&table, "</TABLE>");
    cg_dot_set_html(root, n, cg_strbuf_str(&table));
    cg_strbuf_deinit(&table);
}

static Agedge_t *edge_add(Agraph_t *root, Agnode_t **node, const CgLevelEdge *e, bool out, bool in, CgStrbuf *name)
{
    Agedge_t *edge = agedge(root, node[e->from], node[e->to], NULL, 1);
    if (!e->tip)
        cg_dot_set(edge, "dir", "none");
    name->len = 0;
    cg_strbuf_printf(name, "o%d:s", e->out);
    cg_dot_set(edge, "tailport", out ? cg_strbuf_str(name) : "s");
    name->len = 0;
    cg_strbuf_printf(name, "i%d:n", e->in);
    cg_dot_set(edge, "headport", in ? cg_strbuf_str(name) : "n");
    if (e->label_w > 0) {
        name->len = 0;
        cg_strbuf_printf(name,
            "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\"><TR><TD FIXEDSIZE=\"TRUE\" "
            "WIDTH=\"%d\" HEIGHT=\"%d\"></TD></TR></TABLE>",
            (int)ceil(e->label_w), (int)ceil(e->label_h));
        cg_dot_set_html(root, edge, cg_strbuf_str(name));
    }
    return edge;
}

static Agraph_t *graph_of(const CgLevel *l, Agnode_t **node, Agedge_t **edge)
{
    static const struct {
        int kind;
        const char *name, *value;
    } defaults[] = {
        { AGRAPH, "nodesep", "0.16" },
        { AGRAPH, "ranksep", "0.16" },
        { AGRAPH, "rank", "" },
        { AGRAPH, "nslimit", "2" }, /* what is not settled in so many turns for each node is good enough */
        { AGNODE, "shape", "plaintext" },
        { AGNODE, "label", "" },
        { AGNODE, "margin", "0" },
        { AGNODE, "width", "0" },
        { AGNODE, "height", "0" },
        { AGEDGE, "arrowsize", "0.6" },
        { AGEDGE, "dir", "forward" },
        { AGEDGE, "headport", "" },
        { AGEDGE, "tailport", "" },
        { AGEDGE, "label", "" },
    };
    Agraph_t *root = agopen(cg_dot_text("level"), Agdirected, NULL);
    CgStrbuf name = { 0 };
    for (size_t i = 0; i < CG_LEN(defaults); i++)
        agattr(root, defaults[i].kind, cg_dot_text(defaults[i].name), cg_dot_text(defaults[i].value));
    Agraph_t *first = agsubg(root, cg_dot_text("first"), 1), *last = agsubg(root, cg_dot_text("last"), 1);
    cg_dot_set(first, "rank", "source");
    cg_dot_set(last, "rank", "sink");
    for (size_t i = 0; i < l->nodes.len; i++) {
        const CgLevelNode *n = &l->nodes.at[i];
        Agraph_t *in = n->rank == CG_RANK_FIRST ? first : n->rank == CG_RANK_LAST ? last : root;
        name.len = 0;
        cg_strbuf_printf(&name, "%zu", i);
        node[i] = agnode(in, cg_dot_text(cg_strbuf_str(&name)), 1);
        node_add(root, node[i], n);
    }
    for (size_t i = 0; i < l->edges.len; i++) {
        const CgLevelEdge *e = &l->edges.at[i];
        bool out = e->out >= 0 && e->out < l->nodes.at[e->from].nout;
        bool in = e->in >= 0 && e->in < l->nodes.at[e->to].nin;
        edge[i] = edge_add(root, node, e, out, in, &name);
    }
    /* an arrow beside all others whose label tells how far GraphViz moved it from the node that kept room for it */
    CgLevelEdge beside = { .in = -1, .out = -1, .label_w = 2, .label_h = 2, .to = 1 };
    Agnode_t *ends[] = { agnode(root, cg_dot_text("from"), 1), agnode(root, cg_dot_text("to"), 1) };
    edge[l->edges.len] = edge_add(root, ends, &beside, false, false, &name);
    cg_strbuf_deinit(&name);
    return root;
}

/* In GraphViz's way: y grows upwards. */
typedef struct Bounds {
    double left, top, right, bottom;
    pointf moved; /* GraphViz moves all to its origin at the end, but not the nodes that it made itself */
} Bounds;

static void include(Bounds *b, double x, double y, double w, double h)
{
    b->left = fmin(b->left, x - w / 2), b->right = fmax(b->right, x + w / 2);
    b->bottom = fmin(b->bottom, y - h / 2), b->top = fmax(b->top, y + h / 2);
}

static CgPoint place(const Bounds *b, pointf p) { return (CgPoint){ p.x - b->left, b->top - p.y }; }

/* ---- arrows ---- */

enum { VIRTUAL_NODE = 1 };

static pointf centre(const Bounds *b, Agnode_t *n)
{
    pointf at = ND_coord(n);
    if (ND_node_type(n) == VIRTUAL_NODE)
        at.x += b->moved.x, at.y += b->moved.y;
    return at;
}

/* Of the nodes that keep room for an arrow in the ranks between its ends the one after `step`; NULL past the last. */
static Agnode_t *next_virtual(Agedge_t **step)
{
    Agnode_t *n = *step ? aghead(*step) : NULL;
    if (!n || ND_node_type(n) != VIRTUAL_NODE || !ND_out(n).size)
        return NULL;
    *step = ND_out(n).list[0];
    return n;
}

/* GraphViz draws an arrow over many ranks as one swing; here it goes straight through each rank, where room was kept
 * for it, and bends between two of them, where no box is. */
typedef struct Path {
    pointf *at;
    int n, most;
} Path;

static void path_to(Path *path, pointf a, pointf b, pointf to)
{
    if (path->n + 3 > path->most) {
        path->most = 2 * path->most + 8;
        path->at = cg_realloc(path->at, (size_t)path->most * sizeof *path->at);
    }
    path->at[path->n++] = a, path->at[path->n++] = b, path->at[path->n++] = to;
}

static void path_line(Path *path, pointf to)
{
    pointf from = path->at[path->n - 1];
    if (fabs(from.x - to.x) + fabs(from.y - to.y) > 0.01)
        path_to(path, (pointf){ (2 * from.x + to.x) / 3, (2 * from.y + to.y) / 3 },
            (pointf){ (from.x + 2 * to.x) / 3, (from.y + 2 * to.y) / 3 }, to);
}

static void path_bend(Path *path, pointf to)
{
    pointf from = path->at[path->n - 1];
    double middle = (from.y + to.y) / 2;
    if (fabs(from.x - to.x) < 0.01)
        path_line(path, to);
    else
        path_to(path, (pointf){ from.x, middle }, (pointf){ to.x, middle }, to);
}

static double rank_side(const Bounds *b, Agraph_t *root, int rank, int side)
{
    const rank_t *r = &GD_rank(root)[rank];
    return r->n ? centre(b, r->v[0]).y + (side > 0 ? r->pht2 : -r->pht1) : 0;
}

static Path path_of(const Bounds *b, Agraph_t *root, Agedge_t *edge, pointf from, pointf to)
{
    Path path = { 0 };
    int rank = ND_rank(agtail(edge));
    path_to(&path, from, from, from);
    path.n = 1;
    Agedge_t *step = ED_to_virt(edge);
    for (Agnode_t *n; (n = next_virtual(&step));) {
        path_line(&path, (pointf){ path.at[path.n - 1].x, rank_side(b, root, rank, -1) });
        rank = ND_rank(n);
        path_bend(&path, (pointf){ centre(b, n).x, rank_side(b, root, rank, 1) });
    }
    double last = rank_side(b, root, rank, -1), first = rank_side(b, root, ND_rank(aghead(edge)), 1);
    path_line(&path, (pointf){ path.at[path.n - 1].x, last });
    path_bend(&path, (pointf){ to.x, fmax(first, to.y) });
    path_line(&path, to);
    return path;
}

/* Where arrows go in a circle, some lead upwards; those GraphViz draws around what stands there. */
static bool goes_back(Agedge_t *edge) { return ND_rank(aghead(edge)) <= ND_rank(agtail(edge)); }

static Path path_copy(const pointf *at, int n)
{
    Path path = { .at = cg_calloc((size_t)n + 1, sizeof *at), .n = n, .most = n };
    memcpy(path.at, at, (size_t)n * sizeof *at);
    return path;
}

static void take_edge(CgLevelEdge *e, Agraph_t *root, Agedge_t *edge, CgArena *arena, const Bounds *b)
{
    const splines *s = ED_spl(edge);
    const bezier *curve = s && s->size ? &s->list[0] : NULL;
    if (!curve)
        return;
    Path path = goes_back(edge) ? path_copy(curve->list, (int)curve->size)
                                : path_of(b, root, edge, curve->list[0], curve->list[curve->size - 1]);
    e->n = path.n;
    e->at = CG_NEWN(arena, CgPoint, e->n + 1);
    for (int k = 0; k < e->n; k++)
        e->at[k] = place(b, path.at[k]);
    e->end = curve->eflag ? place(b, curve->ep) : e->at[e->n - 1];
    if (e->label_w > 0)
        e->label = place(b, ED_label(edge)->pos);
    free(path.at);
}

/* The room that an arrow needs in its ranks. */
static void include_edge(Bounds *b, Agedge_t *edge)
{
    const splines *s = ED_spl(edge);
    for (size_t k = 0; goes_back(edge) && s && s->size && k < (size_t)s->list[0].size; k++)
        include(b, s->list[0].list[k].x, s->list[0].list[k].y, 4, 4);
    Agedge_t *step = goes_back(edge) ? NULL : ED_to_virt(edge);
    for (Agnode_t *n; (n = next_virtual(&step));)
        include(b, centre(b, n).x, centre(b, n).y, 4, 0);
}

static void take(CgLevel *l, Agraph_t *root, Agnode_t *const *node, Agedge_t *const *edge, CgArena *arena)
{
    Bounds b = { INFINITY, -INFINITY, -INFINITY, INFINITY, { 0, 0 } };
    const textlabel_t *known = ED_label(edge[l->edges.len]);
    pointf kept = ND_coord(aghead(ED_to_virt(edge[l->edges.len])));
    b.moved = (pointf){ known->pos.x - known->dimen.x / 2 - kept.x, known->pos.y - kept.y };
    for (size_t k = 0; k < l->nodes.len; k++)
        include(&b, ND_coord(node[k]).x, ND_coord(node[k]).y, l->nodes.at[k].w, l->nodes.at[k].h);
    for (size_t k = 0; k < l->edges.len; k++) {
        include_edge(&b, edge[k]);
        if (l->edges.at[k].label_w > 0)
            include(
                &b, ED_label(edge[k])->pos.x, ED_label(edge[k])->pos.y, l->edges.at[k].label_w, l->edges.at[k].label_h);
    }
    for (size_t k = 0; k < l->nodes.len; k++) {
        CgPoint at = place(&b, ND_coord(node[k]));
        l->nodes.at[k].x = at.x, l->nodes.at[k].y = at.y;
    }
    for (size_t k = 0; k < l->edges.len; k++)
        take_edge(&l->edges.at[k], root, edge[k], arena, &b);
    l->w = l->nodes.len ? b.right - b.left : 0;
    l->h = l->nodes.len ? b.top - b.bottom : 0;
}

/* How many ranks all arrows lead across, were each node as far up as it can be. GraphViz keeps a place in each: its
 * time and memory grow with their square. */
static size_t ranks_crossed(const CgLevel *l, CgArena *arena)
{
    size_t n = l->nodes.len, crossed = 0, ready = 0;
    int *rank = CG_NEWN(arena, int, n + 1), *left = CG_NEWN(arena, int, n + 1), *order = CG_NEWN(arena, int, n + 1);
    size_t *first = CG_NEWN(arena, size_t, n + 2), *edge = CG_NEWN(arena, size_t, l->edges.len + 1);
    for (size_t i = 0; i < l->edges.len; i++)
        left[l->edges.at[i].to]++, first[l->edges.at[i].from + 2]++;
    for (size_t i = 1; i < n + 2; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < l->edges.len; i++)
        edge[first[l->edges.at[i].from + 1]++] = i;
    for (size_t i = 0; i < n; i++)
        if (!left[i])
            order[ready++] = (int)i;
    for (size_t k = 0; k < ready; k++)
        for (size_t i = first[order[k]]; i < first[order[k] + 1]; i++) {
            int to = l->edges.at[edge[i]].to, least = rank[order[k]] + 1;
            rank[to] = rank[to] > least ? rank[to] : least;
            if (!--left[to])
                order[ready++] = to;
        }
    for (size_t i = 0; i < l->edges.len; i++) {
        int ranks = rank[l->edges.at[i].to] - rank[l->edges.at[i].from];
        crossed += ranks > 0 ? (size_t)ranks : 0;
    }
    return crossed;
}

bool cg_level_place(CgLevel *l, CgArena *arena, CgErr *e)
{
    if (ranks_crossed(l, arena) > MOST_RANKS)
        return cg_dot_too_large(l->nodes.len, e);
    Agnode_t **node = cg_calloc(l->nodes.len + 1, sizeof(void *));
    Agedge_t **edge = cg_calloc(l->edges.len + 1, sizeof(void *));
    Agraph_t *root = graph_of(l, node, edge);
    bool good = cg_dot_lay_out(root, "dot", e);
    if (good)
        take(l, root, node, edge, arena);
    free(node);
    free(edge);
    return good; /* root stays: gvFreeLayout frees edges of large drawings twice; the program ends soon anyway */
}

#endif
