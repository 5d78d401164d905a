/* layout.c - where everything of a picture stands.
 * Takes a picture; lays out each frame as a level of its own, the innermost first, and puts them together. Works along
 * a main direction, downwards; a landscape has its sides exchanged before and after. */
#include "report/layout.h"

#include <math.h>
#include <string.h>

#include "base/intern.h"

enum { MARGIN = 8, BELOW = 3, STRIP = 17, SIDE = 7, ABOVE = 3, LEAST = 20 };
enum { PLUS = 12 }; /* before the title of a folded frame: the sign that it can be opened */

/* What is drawn in one frame; [0] is all, [c + 1] is cluster c; then come the columns of the frame that is split. */
typedef struct Frame {
    int up, item; /* the frame it lies in, and its node there */
    bool split;   /* its items are columns */
    CgFolded own;
    CG_VEC(int) in, out; /* items where arrows pass */
    double *in_at, *out_at;
    double w, h;      /* with its margins */
    double left, top; /* of the level within the frame */
    double x, y;      /* of the frame in the picture */
    CgLabel label;
    CgPlaced title;
} Frame;

/* One step of an arrow's way. */
typedef struct Leg {
    int frame, edge;
} Leg;
typedef CG_VEC(Leg) Legs;

/* A frame whose boxes and frames stand in columns. What stands alone in one is that column itself. */
typedef struct Split {
    int frame, n;     /* n < 2: none is split */
    int *box, *inner; /* columns of boxes and of frames that lie in it */
    int *count;       /* by column, how many there are */
} Split;

typedef struct Work {
    const CgPicture *p;
    CgLayout *l;
    Split split;
    Frame *frame;
    int nframes;
    int *item_of;  /* by box */
    int *arriving; /* by box: edges into it */
    Legs *legs;    /* by arrow */
    CgMap known;
    bool folded; /* frames are boxes in the ones around them */
    bool landscape;
} Work;

/* The frame that column `column` of the split one is. */
static int column_frame(const Work *w, int column)
{
    return w->split.count[column] > 1 ? (int)w->p->clusters.len + 1 + column : w->split.frame;
}

/* The frame or column that a box stands in. */
static int frame_of(const Work *w, int box)
{
    int f = w->p->boxes.at[box].cluster + 1;
    return w->split.n > 1 && f == w->split.frame ? column_frame(w, w->split.box[box]) : f;
}

static int item_add(Frame *f, CgLevelKind kind, int what, double w, double h, CgLevelRank rank)
{
    cg_vec_push(&f->own.items, (CgLevelItem){ kind, what });
    cg_vec_push(&f->own.level.nodes, (CgLevelNode){ .w = w, .h = h, .rank = rank });
    return (int)f->own.items.len - 1;
}

/* Frames stand in the order in which their first boxes do. */
static void place_in_parent(Work *w, int f)
{
    Frame *frame = &w->frame[f];
    if (f == 0 || frame->item >= 0)
        return;
    place_in_parent(w, frame->up);
    frame->item = item_add(&w->frame[frame->up], CG_ITEM_FRAME, f - 1, 0, 0, CG_RANK_ANY);
}

static void add_boxes(Work *w)
{
    for (size_t i = 0; i < w->p->boxes.len; i++) {
        const CgBox *box = &w->p->boxes.at[i];
        CgLabel label = cg_label_box(w->p, box);
        double wide = label.w + 2 * SIDE, high = label.h + 2 * ABOVE;
        cg_vec_free(&label.parts);
        high = high < LEAST ? LEAST : high;
        wide = wide < LEAST ? LEAST : wide;
        if (box->frozen)
            wide += 2 * CG_RING, high += 2 * CG_RING;
        place_in_parent(w, frame_of(w, (int)i));
        w->item_of[i] = item_add(&w->frame[frame_of(w, (int)i)], CG_ITEM_BOX, (int)i, w->landscape ? high : wide,
            w->landscape ? wide : high, CG_RANK_ANY);
    }
}

/* ---- the ways of arrows ---- */

/* What leaves or enters a frame does so once, however many boxes it goes to. */
static int port(Work *w, int f, bool in, int source)
{
    Frame *frame = &w->frame[f];
    CgAtom key = cg_intern_printf("%s %d %d", in ? "in" : "out", f, source);
    uint64_t at;
    if (cg_map_get(&w->known, cg_map_ptr(key), &at))
        return (int)at;
    int item = item_add(frame, in ? CG_ITEM_IN : CG_ITEM_OUT, 0, 1, 1, in ? CG_RANK_FIRST : CG_RANK_LAST), number;
    if (in) {
        number = (int)frame->in.len;
        cg_vec_push(&frame->in, item);
    } else {
        number = (int)frame->out.len;
        cg_vec_push(&frame->out, item);
    }
    frame->own.items.at[item].what = number;
    cg_map_put(&w->known, cg_map_ptr(key), (uint64_t)number);
    return number;
}

static void leg_add(Work *w, size_t arrow, int f, CgLevelEdge edge)
{
    CgAtom key = cg_intern_printf("leg %d %d %d %d %d", f, edge.from, edge.out, edge.to, edge.in);
    uint64_t at;
    if (!cg_map_get(&w->known, cg_map_ptr(key), &at)) {
        at = w->frame[f].own.level.edges.len;
        cg_vec_push(&w->frame[f].own.level.edges, edge);
        cg_map_put(&w->known, cg_map_ptr(key), at);
        if (edge.tip)
            w->frame[f].own.level.edges.at[at].in = w->arriving[w->p->arrows.at[arrow].to]++;
    }
    CgLevelEdge *known = &w->frame[f].own.level.edges.at[at];
    if (known->label_w <= 0)
        known->label_w = edge.label_w, known->label_h = edge.label_h, known->text = edge.text;
    cg_vec_push(&w->legs[arrow], (Leg){ f, (int)at });
}

static bool holds(const Work *w, int frame, int f)
{
    while (f >= 0 && f != frame)
        f = w->frame[f].up;
    return f == frame;
}

static void route(Work *w, size_t i)
{
    const CgArrow *a = &w->p->arrows.at[i];
    int f = frame_of(w, a->from), last = frame_of(w, a->to), out = -1, from = w->item_of[a->from];
    /* which operand it is says nothing of what enters a folded frame */
    bool operand = w->folded && w->p->detail == CG_DETAIL_GRAPH && f != last;
    CgLabel label = operand ? (CgLabel){ 0 } : cg_label_arrow(a);
    double wide = label.w > 0 ? label.w + 8 : 0, high = label.w > 0 ? label.h : 0;
    cg_vec_free(&label.parts);
    for (; !holds(w, f, last); f = w->frame[f].up) {
        int number = port(w, f, false, a->from);
        leg_add(w, i, f, (CgLevelEdge){ .from = from, .out = out, .to = w->frame[f].out.at[number], .in = -1 });
        from = w->frame[f].item, out = number;
    }
    bool named = false; /* once, where both ends are seen */
    while (f != last) {
        int next = last;
        while (w->frame[next].up != f)
            next = w->frame[next].up;
        int number = port(w, next, true, a->from);
        CgLevelEdge e = { .from = from, .out = out, .to = w->frame[next].item, .in = number };
        if (!named)
            e.label_w = w->landscape ? high : wide, e.label_h = w->landscape ? wide : high,
            e.text = operand ? NULL : a->label;
        leg_add(w, i, f, e);
        named = true;
        from = w->frame[next].in.at[number], out = -1, f = next;
    }
    CgLevelEdge e = { .from = from, .out = out, .to = w->item_of[a->to], .in = -1, .tip = true };
    if (!named)
        e.label_w = w->landscape ? high : wide, e.label_h = w->landscape ? wide : high,
        e.text = operand ? NULL : a->label;
    leg_add(w, i, f, e);
}

/* Operands enter an op from left to right, unless their order is all the same. */
static void order_operands(Work *w)
{
    for (int f = 0; f < w->nframes; f++) {
        CgLevel *level = &w->frame[f].own.level;
        for (size_t i = 0; i < level->edges.len; i++) {
            CgLevelEdge *e = &level->edges.at[i];
            int box = e->tip ? w->frame[f].own.items.at[e->to].what : -1;
            if (box < 0)
                continue;
            int n = w->p->boxes.at[box].ordered ? w->arriving[box] : 0;
            if (n < 2) {
                e->in = -1;
                continue;
            }
            CgLevelNode *node = &level->nodes.at[e->to];
            double *at = CG_NEWN(w->l->arena, double, n);
            for (int k = 0; k < n; k++)
                at[k] = ceil(node->w) * (k + 1) / (n + 1);
            node->in = at, node->nin = n;
        }
    }
}

/* ---- frames ---- */

/* The title stands beside the places where arrows come in. */
static void place_title(const Work *w, Frame *f)
{
    double wide = f->label.w + 2, x = MARGIN, last = 0;
    if (w->landscape) { /* they come in from the left, it stands above */
        f->h = fmax(f->h, wide + 2 * MARGIN);
        f->title = (CgPlaced){ MARGIN - 3, 3, wide, f->label.h };
        return;
    }
    for (size_t i = 0; i < f->in.len; i++) {
        double next = f->w;
        for (size_t k = 0; k < f->in.len; k++)
            if (f->in_at[k] > last && f->in_at[k] < next)
                next = f->in_at[k];
        if (next >= f->w || x + wide + 6 <= next)
            break;
        x = next + 6;
        last = next;
    }
    f->w = fmax(f->w, x + wide + MARGIN);
    f->title = (CgPlaced){ x == MARGIN ? MARGIN - 3 : x, 3, wide, f->label.h };
}

static double *places(Work *w, Frame *f, const int *item, size_t n)
{
    double *at = CG_NEWN(w->l->arena, double, n + 1);
    for (size_t i = 0; i < n; i++)
        at[i] = f->left + f->own.level.nodes.at[item[i]].x;
    return at;
}

/* Columns and the picture as a whole have no frame drawn around them. */
static bool is_drawn(const Work *w, int number) { return number > 0 && number <= (int)w->p->clusters.len; }

static void place_columns(const Work *w, Frame *f)
{
    int *column = CG_NEWN(w->l->arena, int, f->own.items.len + 1);
    for (size_t i = 0; i < f->own.items.len; i++) {
        const CgLevelItem *item = &f->own.items.at[i];
        bool drawn = item->kind == CG_ITEM_FRAME && is_drawn(w, item->what + 1);
        column[i] = item->kind == CG_ITEM_BOX ? w->split.box[item->what]
            : drawn                           ? w->split.inner[item->what + 1]
            : item->kind == CG_ITEM_FRAME     ? item->what - (int)w->p->clusters.len
                                              : -1;
    }
    cg_level_columns(&f->own.level, column, w->split.n, w->l->arena);
}

static bool is_beside(const CgLevelEdge *known, const CgLevelEdge *e)
{
    bool said = e->label_w <= 0 || (known->label_w > 0 && strcmp(known->text, e->text) == 0);
    return known->from == e->from && known->to == e->to && said;
}

/* Where frames are folded, what leads from one place to another does so once, however many arrows it is when they are
 * open. */
static bool place_folded(Work *w, Frame *f, CgErr *e)
{
    CgLevel *all = &f->own.level, once = *all;
    int *like = CG_NEWN(w->l->arena, int, all->edges.len + 1);
    once.edges.at = NULL, once.edges.len = once.edges.cap = 0;
    for (size_t i = 0; i < all->edges.len; i++) {
        const CgLevelEdge *edge = &all->edges.at[i];
        size_t k = 0;
        while (k < once.edges.len && (edge->tip || !is_beside(&once.edges.at[k], edge)))
            k++;
        like[i] = (int)k;
        if (k == once.edges.len)
            cg_vec_push(&once.edges, *edge);
    }
    bool good = cg_level_place(&once, w->l->arena, e);
    for (size_t i = 0; i < all->edges.len; i++) {
        CgLevelEdge *edge = &all->edges.at[i], placed = once.edges.at[like[i]];
        placed.out = edge->out, placed.in = edge->in;
        *edge = placed;
    }
    all->w = once.w, all->h = once.h;
    cg_vec_free(&once.edges);
    return good;
}

/* All that lies in it first. */
static bool close_frame(Work *w, int number, CgErr *e)
{
    Frame *f = &w->frame[number];
    bool drawn = is_drawn(w, number);
    for (size_t i = 0; i < f->own.items.len; i++)
        if (f->own.items.at[i].kind == CG_ITEM_FRAME && !close_frame(w, f->own.items.at[i].what + 1, e))
            return false;
    if (f->split)
        place_columns(w, f);
    else if (w->folded ? !place_folded(w, f, e) : !cg_level_place(&f->own.level, w->l->arena, e))
        return false;
    f->left = !drawn ? 0 : w->landscape ? STRIP : MARGIN;
    f->top = !drawn ? 0 : !w->landscape ? STRIP : f->in.len ? BELOW : MARGIN;
    f->w = f->own.level.w + f->left + (drawn ? MARGIN : 0);
    f->h = f->own.level.h + f->top + (!drawn ? 0 : f->out.len ? BELOW : MARGIN);
    f->in_at = places(w, f, f->in.at, f->in.len);
    f->out_at = places(w, f, f->out.at, f->out.len);
    if (number == 0)
        return true;
    if (drawn) {
        f->label = cg_label_frame(w->p, &w->p->clusters.at[number - 1]);
        cg_vec_free(&f->label.parts);
        place_title(w, f);
    }
    CgLevelNode *node = &w->frame[f->up].own.level.nodes.at[f->item];
    if (w->folded) {
        double ring = w->p->clusters.at[number - 1].frozen ? 2 * CG_RING : 0;
        node->w = PLUS + f->label.w + 2 * SIDE + ring, node->h = LEAST + 2;
        return true;
    }
    node->w = f->w = ceil(f->w), node->h = f->h = ceil(f->h);
    node->in = f->in_at, node->nin = (int)f->in.len;
    node->out = f->out_at, node->nout = (int)f->out.len;
    return true;
}

/* ---- together ---- */

static CgPoint in_picture(const Frame *f, CgPoint p) { return (CgPoint){ f->x + f->left + p.x, f->y + f->top + p.y }; }

static CgPlaced around(const Frame *f, double x, double y, double w, double h)
{
    CgPoint at = in_picture(f, (CgPoint){ x, y });
    return (CgPlaced){ at.x - w / 2, at.y - h / 2, w, h };
}

static void compose(Work *w, int number)
{
    const Frame *f = &w->frame[number];
    for (size_t k = 0; k < f->own.items.len; k++) {
        const CgLevelNode *n = &f->own.level.nodes.at[k];
        CgPlaced at = around(f, n->x, n->y, n->w, n->h);
        int what = f->own.items.at[k].what;
        if (f->own.items.at[k].kind == CG_ITEM_BOX)
            w->l->box[what] = at;
        if (f->own.items.at[k].kind != CG_ITEM_FRAME)
            continue;
        Frame *inner = &w->frame[what + 1];
        inner->x = at.x, inner->y = at.y;
        if (is_drawn(w, what + 1)) {
            w->l->frame[what] = at;
            w->l->title[what] = inner->title;
            w->l->title[what].x += w->landscape ? at.y : at.x;
            w->l->title[what].y += w->landscape ? at.x : at.y;
        }
        compose(w, what + 1);
    }
}

/* A straight line as a curve, from the last of n points to p. */
static int line_to(CgPoint *at, int n, CgPoint p)
{
    CgPoint from = at[n - 1];
    if (fabs(from.x - p.x) + fabs(from.y - p.y) < 0.01)
        return n;
    at[n] = (CgPoint){ (2 * from.x + p.x) / 3, (2 * from.y + p.y) / 3 };
    at[n + 1] = (CgPoint){ (from.x + 2 * p.x) / 3, (from.y + 2 * p.y) / 3 };
    at[n + 2] = p;
    return n + 3;
}

static void join(Work *w, size_t arrow)
{
    const Legs *legs = &w->legs[arrow];
    CgRoute *r = &w->l->arrow[arrow];
    int most = 0;
    for (size_t i = 0; i < legs->len; i++)
        most += w->frame[legs->at[i].frame].own.level.edges.at[legs->at[i].edge].n + 3;
    r->at = CG_NEWN(w->l->arena, CgPoint, most + 1);
    for (size_t i = 0; i < legs->len; i++) {
        const Frame *f = &w->frame[legs->at[i].frame];
        const CgLevelEdge *e = &f->own.level.edges.at[legs->at[i].edge];
        if (!e->n)
            continue;
        if (r->n)
            r->n = line_to(r->at, r->n, in_picture(f, e->at[0]));
        for (int k = r->n ? 1 : 0; k < e->n; k++)
            r->at[r->n++] = in_picture(f, e->at[k]);
        r->tip = in_picture(f, e->end);
        if (e->label_w > 0 && *w->p->arrows.at[arrow].label)
            r->label = around(f, e->label.x, e->label.y, e->label_w, e->label_h);
    }
}

static CgPoint turned(CgPoint p) { return (CgPoint){ p.y, p.x }; }
static CgPlaced turned_box(CgPlaced p) { return (CgPlaced){ p.y, p.x, p.h, p.w }; }

static void turn(Work *w)
{
    CgLayout *l = w->l;
    double wide = l->w;
    l->w = l->h, l->h = wide;
    for (size_t i = 0; i < w->p->boxes.len; i++)
        l->box[i] = turned_box(l->box[i]);
    for (size_t i = 0; i < w->p->clusters.len; i++)
        l->frame[i] = turned_box(l->frame[i]);
    for (size_t i = 0; i < w->p->arrows.len; i++) {
        CgRoute *r = &l->arrow[i];
        for (int k = 0; k < r->n; k++)
            r->at[k] = turned(r->at[k]);
        r->tip = turned(r->tip);
        r->label = turned_box(r->label);
    }
}

static void frame_free(Frame *f, bool own)
{
    cg_vec_free(&f->in);
    cg_vec_free(&f->out);
    if (own) {
        cg_vec_free(&f->own.items);
        cg_vec_free(&f->own.level.nodes);
        cg_vec_free(&f->own.level.edges);
    }
}

static void work_free(Work *w)
{
    for (int i = 0; i < w->nframes; i++)
        frame_free(&w->frame[i], !w->folded);
    for (size_t i = 0; i < w->p->arrows.len; i++)
        cg_vec_free(&w->legs[i]);
    cg_map_deinit(&w->known);
}

/* Lays out each frame; in l's arena. */
static bool place_frames(Work *w, CgErr *e)
{
    const CgPicture *p = w->p;
    CgArena *arena = w->l->arena;
    int drawn = (int)p->clusters.len + 1, columns = w->split.n > 1 ? w->split.n : 0;
    w->nframes = drawn + columns;
    w->frame = CG_NEWN(arena, Frame, w->nframes);
    w->item_of = CG_NEWN(arena, int, p->boxes.len + 1);
    w->arriving = CG_NEWN(arena, int, p->boxes.len + 1);
    w->legs = CG_NEWN(arena, Legs, p->arrows.len + 1);
    for (int i = 0; i < w->nframes; i++) {
        w->frame[i].item = -1;
        w->frame[i].up = i >= drawn ? w->split.frame : i ? p->clusters.at[i - 1].parent + 1 : -1;
        if (columns && i > 0 && i < drawn && w->frame[i].up == w->split.frame)
            w->frame[i].up = column_frame(w, w->split.inner[i]);
    }
    if (columns)
        w->frame[w->split.frame].split = true;
    add_boxes(w);
    for (size_t i = 0; i < p->arrows.len; i++)
        route(w, i);
    order_operands(w);
    return close_frame(w, 0, e);
}

/* NULL after a mistake; else w is still to be freed, before the layout is. */
static CgLayout *build(const CgPicture *p, Work *w, CgErr *e)
{
    CgLayout *l = cg_calloc(1, sizeof *l);
    CgArena *arena = l->arena = cg_arena_new();
    w->p = p, w->l = l;
    bool good = place_frames(w, e);
    l->box = CG_NEWN(arena, CgPlaced, p->boxes.len + 1);
    l->frame = CG_NEWN(arena, CgPlaced, w->nframes);
    l->title = CG_NEWN(arena, CgPlaced, w->nframes);
    l->arrow = CG_NEWN(arena, CgRoute, p->arrows.len + 1);
    if (good) {
        compose(w, 0);
        l->w = w->frame[0].own.level.w, l->h = w->frame[0].own.level.h;
        for (size_t i = 0; i < p->arrows.len; i++)
            join(w, i);
        if (w->landscape)
            turn(w);
        return l;
    }
    work_free(w); /* what it points to lies in l */
    cg_layout_free(l);
    return NULL;
}

/* ---- on a page ---- */

/* A4 with a margin of 10 mm, in points; the title takes some of it. */
enum { PAGE_SHORT = 539, PAGE_LONG = 786, TITLE = 36, MOST_COLUMNS = 4, MOST_BOXES = 120, MOST_ARROWS = 160 };

/* How much a layout must be made smaller to fit, at most 1. */
static double fit(const CgLayout *l, bool landscape)
{
    double wide = landscape ? PAGE_LONG : PAGE_SHORT, high = landscape ? PAGE_SHORT : PAGE_LONG;
    return fmin(1, fmin(wide / l->w, (high - TITLE) / l->h));
}

static bool leads_back(const Frame *f)
{
    for (size_t i = 0; i < f->own.level.edges.len; i++) {
        const CgLevelEdge *e = &f->own.level.edges.at[i];
        if (f->own.level.nodes.at[e->to].y <= f->own.level.nodes.at[e->from].y)
            return true;
    }
    return false;
}

/* The innermost frame that makes a picture as long as it is. */
static int longest_frame(const Work *w)
{
    int f = 0;
    for (bool found = true; found;) {
        const Frame *frame = &w->frame[f];
        found = false;
        for (size_t i = 0; i < frame->own.items.len && !found; i++)
            if (frame->own.items.at[i].kind == CG_ITEM_FRAME
                && frame->own.level.nodes.at[i].h > 0.6 * frame->own.level.h) {
                f = frame->own.items.at[i].what + 1;
                found = true;
            }
    }
    return f;
}

/* The longest frame in n columns of about one length, each of what stands together; false where it cannot be. */
static bool split(const Work *w, int n, CgArena *arena, Split *out)
{
    const Frame *f = &w->frame[out->frame = longest_frame(w)];
    int *count = out->count = CG_NEWN(arena, int, n + 1);
    out->n = n;
    out->box = CG_NEWN(arena, int, w->p->boxes.len + 1);
    out->inner = CG_NEWN(arena, int, w->nframes);
    for (size_t i = 0; i < f->own.items.len; i++) {
        const CgLevelNode *node = &f->own.level.nodes.at[i];
        const CgLevelItem *item = &f->own.items.at[i];
        if (item->kind != CG_ITEM_BOX && item->kind != CG_ITEM_FRAME)
            continue;
        int column = (int)(n * node->y / f->own.level.h);
        column = column >= n ? n - 1 : column;
        count[column]++;
        *(item->kind == CG_ITEM_BOX ? &out->box[item->what] : &out->inner[item->what + 1]) = column;
    }
    for (int k = 0; k < n; k++)
        if (!count[k])
            return false;
    return !leads_back(f);
}

/* More than that is not legible on a page, and takes seconds to lay out in each way there is. */
static bool may_fit(const CgPicture *p) { return p->boxes.len <= MOST_BOXES && p->arrows.len <= MOST_ARROWS; }

/* The best of what fits a page: as it is where it does so, else in columns, if that makes it larger by a tenth. */
static CgLayout *on_page(const CgPicture *p, bool landscape, bool across, CgErr *e)
{
    Work plain = { .landscape = across };
    CgArena *arena = cg_arena_new();
    CgLayout *whole = build(p, &plain, e), *best = whole;
    for (int n = 2; best && n <= MOST_COLUMNS && may_fit(p); n++) {
        Work columns = { .landscape = across };
        if (fit(best, landscape) >= 1 || !split(&plain, n, arena, &columns.split))
            continue;
        CgLayout *other = build(p, &columns, e), *worse = other;
        if (other)
            work_free(&columns);
        if (other && fit(other, landscape) > 1.1 * fit(best, landscape))
            worse = best, best = other;
        if (worse != whole)
            cg_layout_free(worse);
    }
    if (whole)
        work_free(&plain);
    if (best != whole)
        cg_layout_free(whole);
    cg_arena_free(arena);
    return best;
}

/* A page that lies is read to the right first, one that stands downwards. */
CgLayout *cg_layout_build(const CgPicture *p, bool landscape, CgErr *e)
{
    CgLayout *first = on_page(p, landscape, landscape, e);
    bool large = !may_fit(p) || !first || fit(first, landscape) >= 1;
    CgLayout *other = large ? NULL : on_page(p, landscape, !landscape, e);
    bool better = other && fit(other, landscape) > 1.1 * fit(first, landscape);
    cg_layout_free(better ? first : other);
    return better ? other : first;
}

static bool is_legible(const CgPicture *p, bool landscape)
{
    static const double legible = 6.0 / CG_LABEL_SMALLEST;
    CgErr e = { 0 };
    CgLayout *l = may_fit(p) ? cg_layout_build(p, landscape, &e) : NULL;
    bool fits = l && fit(l, landscape) >= legible;
    cg_layout_free(l);
    return fits;
}

int cg_layout_depth(CgPicture *p, bool landscape)
{
    int depth = 0;
    bool all = false, fits = true;
    while (!all && fits) {
        cg_picture_set_depth(p, ++depth);
        fits = is_legible(p, landscape);
        all = true;
        for (size_t i = 0; i < p->boxes.len; i++)
            all = all && p->boxes.at[i].kind != CG_BOX_INSTANCE;
    }
    int deepest = fits ? depth : depth > 1 ? depth - 1 : CG_DEPTH_FORWARD;
    cg_picture_set_depth(p, depth = fits ? 0 : deepest); /* of a graph, all is more than what instances hold */
    if (fits && !is_legible(p, landscape))
        cg_picture_set_depth(p, depth = deepest);
    if (depth == CG_DEPTH_FORWARD && !is_legible(p, landscape))
        cg_picture_set_depth(p, depth = CG_DEPTH_MODELS);
    return depth;
}

void cg_layout_free(CgLayout *l)
{
    if (!l)
        return;
    cg_arena_free(l->arena);
    free(l);
}

CgFoldedLayout *cg_layout_folded(const CgPicture *p, CgErr *e)
{
    CgLayout l = { .arena = cg_arena_new() };
    Work w = { .p = p, .l = &l, .folded = true };
    bool good = place_frames(&w, e);
    CgFoldedLayout *out = cg_calloc(1, sizeof *out);
    *out = (CgFoldedLayout){ l.arena, CG_NEWN(l.arena, CgFolded, w.nframes), w.nframes };
    for (int i = 0; i < w.nframes; i++)
        out->at[i] = w.frame[i].own;
    work_free(&w);
    if (good)
        return out;
    cg_layout_folded_free(out);
    return NULL;
}

void cg_layout_folded_free(CgFoldedLayout *l)
{
    for (int i = 0; l && i < l->n; i++) {
        cg_vec_free(&l->at[i].items);
        cg_vec_free(&l->at[i].level.nodes);
        cg_vec_free(&l->at[i].level.edges);
    }
    if (l)
        cg_arena_free(l->arena);
    free(l);
}
