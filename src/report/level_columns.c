/* level_columns.c - a level that is broken into columns.
 * Takes columns that are laid out already, and places where arrows come in and leave; gives the columns beside each
 * other. What leaves a column for a later one runs below it, up beside it, and above to where it comes in: never
 * through a column. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/level.h"

enum { TRACK = 6, LEAD = 8, TIP = 6, CORNER = 4, MOST_POINTS = 8 };

/* What comes from one place: arrows that share their way as far as they can. */
typedef struct Net {
    int from, out, column; /* column: the number of the one it leaves; -1: it comes in from outside */
    CgPoint start;
    int targets;       /* columns it leads to */
    int lane;          /* of its column; -1: it leads to no later one */
    double track, low; /* where it runs above and below */
    double up;         /* and beside */
} Net;

typedef struct Columns {
    CgLevel *l;
    CgArena *arena;
    const int *column; /* by node */
    int n;
    int *lanes; /* by column */
    CG_VEC(Net) nets;
    int *net; /* by edge */
} Columns;

static double port_x(const CgLevelNode *node, const double *at, int number)
{
    return node->x - node->w / 2 + (number >= 0 ? at[number] : node->w / 2);
}

static void find_nets(Columns *c)
{
    const CgLevel *l = c->l;
    for (size_t i = 0; i < l->edges.len; i++) {
        const CgLevelEdge *e = &l->edges.at[i];
        size_t k = 0;
        while (k < c->nets.len && (c->nets.at[k].from != e->from || c->nets.at[k].out != e->out))
            k++;
        if (k == c->nets.len)
            cg_vec_push(&c->nets, ((Net){ .from = e->from, .out = e->out, .column = c->column[e->from], .lane = -1 }));
        c->nets.at[k].targets += c->column[e->to] >= 0;
        c->net[i] = (int)k;
    }
}

/* Further to the right is nearer to the way up; ties by number. */
static bool is_before(const Columns *c, const Net *a, const Net *b)
{
    const CgLevelNode *node = &c->l->nodes.at[a->from];
    double x = port_x(node, node->out, a->out), y = port_x(node, node->out, b->out);
    return x > y || (x >= y && a->out < b->out);
}

static void find_lanes(Columns *c)
{
    for (size_t i = 0; i < c->nets.len; i++) {
        Net *net = &c->nets.at[i];
        if (net->column < 0 || !net->targets)
            continue;
        c->lanes[net->column]++;
        net->lane = 0;
        for (size_t k = 0; k < c->nets.len; k++) {
            const Net *other = &c->nets.at[k];
            net->lane += other->column == net->column && other->targets && is_before(c, other, net);
        }
    }
}

/* Above the columns: what comes in from outside first, then what comes from each column, the inner lane first. */
static double place_tracks(Columns *c)
{
    double y = TRACK;
    for (int column = -1; column < c->n; column++)
        for (int lane = -1; lane < (column < 0 ? 0 : c->lanes[column]); lane++)
            for (size_t i = 0; i < c->nets.len; i++) {
                Net *net = &c->nets.at[i];
                bool needs = column < 0 ? net->targets > 1 : net->lane >= 0;
                if (net->column != column || net->lane != lane || !needs)
                    continue;
                net->track = y;
                y += TRACK;
            }
    double text = 0; /* labels stand between there and the columns */
    for (size_t i = 0; i < c->l->edges.len; i++)
        text = fmax(text, c->l->edges.at[i].label_h);
    return (y > TRACK ? y - TRACK : 0) + LEAD + TIP + text;
}

/* What leaves a column starts below it. */
static void place_starts(Columns *c, const CgLevelNode *node, int column, double below, double right)
{
    for (size_t k = 0; k < c->nets.len; k++) {
        Net *net = &c->nets.at[k];
        if (net->column != column)
            continue;
        net->start = (CgPoint){ port_x(node, node->out, net->out), below };
        net->low = below + TRACK * (net->lane + 1);
        net->up = right + LEAD + TRACK * net->lane;
    }
}

static void place_columns(Columns *c, double top)
{
    double x = 0, bottom = 0;
    for (int column = 0; column < c->n; column++)
        for (size_t i = 0; i < c->l->nodes.len; i++) {
            CgLevelNode *node = &c->l->nodes.at[i];
            if (c->column[i] != column)
                continue;
            node->x = x + node->w / 2, node->y = top + node->h / 2;
            double right = x + node->w, below = top + node->h;
            place_starts(c, node, column, below, right);
            bottom = fmax(bottom, below + TRACK * (c->lanes[column] + 1));
            x = right + (column + 1 < c->n ? 2 * LEAD + TRACK * c->lanes[column] : 0);
        }
    c->l->w = x, c->l->h = bottom;
}

/* Where arrows come in and leave stands above and below where they lead to and come from. */
static void place_ends(Columns *c)
{
    for (size_t i = c->l->edges.len; i-- > 0;) {
        const CgLevelEdge *e = &c->l->edges.at[i];
        CgLevelNode *from = &c->l->nodes.at[e->from], *to = &c->l->nodes.at[e->to];
        Net *net = &c->nets.at[c->net[i]];
        if (c->column[e->to] < 0)
            to->x = net->start.x, to->y = c->l->h;
        if (net->column >= 0)
            continue;
        double x = port_x(to, to->in, e->in); /* the first of them */
        if (net->start.x <= 0 || x < net->start.x)
            net->start.x = x, from->x = x, from->y = 0;
    }
}

/* Along straight lines with round corners. */
static void take_path(Columns *c, CgLevelEdge *e, const CgPoint *at, int n)
{
    e->at = CG_NEWN(c->arena, CgPoint, 6 * n + 1);
    e->at[0] = at[0];
    e->n = 1;
    for (int i = 1; i < n; i++) {
        CgPoint from = e->at[e->n - 1], corner = at[i], to = corner, next = corner;
        double length = fabs(corner.x - at[i - 1].x) + fabs(corner.y - at[i - 1].y);
        if (length < 0.01)
            continue;
        if (i + 1 < n) {
            double after = fabs(at[i + 1].x - corner.x) + fabs(at[i + 1].y - corner.y);
            double r = fmin(CORNER, fmin(length, after) / 2);
            to.x -= r * (corner.x - at[i - 1].x) / length, to.y -= r * (corner.y - at[i - 1].y) / length;
            if (after >= 0.01)
                next.x += r * (at[i + 1].x - corner.x) / after, next.y += r * (at[i + 1].y - corner.y) / after;
        }
        e->at[e->n++] = (CgPoint){ (2 * from.x + to.x) / 3, (2 * from.y + to.y) / 3 };
        e->at[e->n++] = (CgPoint){ (from.x + 2 * to.x) / 3, (from.y + 2 * to.y) / 3 };
        e->at[e->n++] = to;
        if (fabs(next.x - to.x) + fabs(next.y - to.y) < 0.01)
            continue;
        e->at[e->n++] = corner, e->at[e->n++] = corner, e->at[e->n++] = next;
    }
    e->end = at[n - 1];
}

static void route(Columns *c, size_t edge)
{
    CgLevelEdge *e = &c->l->edges.at[edge];
    const CgLevelNode *to = &c->l->nodes.at[e->to];
    const Net *net = &c->nets.at[c->net[edge]];
    CgPoint at[MOST_POINTS];
    int n = 0;
    at[n++] = net->start;
    if (c->column[e->to] < 0) {
        at[n++] = (CgPoint){ net->start.x, c->l->h };
        take_path(c, e, at, n);
        return;
    }
    double x = port_x(to, to->in, e->in), y = to->y - to->h / 2;
    if (net->lane >= 0) {
        at[n++] = (CgPoint){ net->start.x, net->low };
        at[n++] = (CgPoint){ net->up, net->low };
        at[n++] = (CgPoint){ net->up, net->track };
    } else if (fabs(x - net->start.x) > 0.01) {
        at[n++] = (CgPoint){ net->start.x, net->track };
    }
    if (fabs(x - at[n - 1].x) > 0.01)
        at[n++] = (CgPoint){ x, net->track };
    at[n++] = (CgPoint){ x, e->tip ? y - TIP : y };
    take_path(c, e, at, n);
    e->end.y = y;
    e->label = (CgPoint){ x + e->label_w / 2, y - TIP - e->label_h / 2 };
    c->l->w = fmax(c->l->w, x + e->label_w);
}

void cg_level_columns(CgLevel *l, const int *column, int n, CgArena *arena)
{
    Columns c = { .l = l, .arena = arena, .column = column, .n = n };
    c.net = CG_NEWN(arena, int, l->edges.len + 1);
    c.lanes = CG_NEWN(arena, int, n + 1);
    find_nets(&c);
    find_lanes(&c);
    place_columns(&c, place_tracks(&c));
    place_ends(&c);
    for (size_t i = 0; i < l->edges.len; i++)
        route(&c, i);
    cg_vec_free(&c.nets);
}
