/* picture.c - choosing what is shown of a graph.
 * Takes a graph and a level of detail; gives boxes, arrows and clusters. Decides by what ops declare (views,
 * leaves, traits), never by which op it is, and never by addresses: equal graphs give equal pictures. */
#include "report/picture.h"

#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "graph/text.h"

/* One operand as shown: the drawn node it comes from. */
typedef struct Link { CgRef from; const char *label; } Link;

typedef struct Item {
    bool        live, constant, drawn, input, param;
    Link       *links;
    int         nlinks;
    CgRef      *rows;       /* parameters shown inside */
    int         nrows;
    const char *note;
    CgRef       stands;     /* what is drawn for it: itself, or its twin in the first of folded siblings */
    int         box;        /* -1 = none of its own */
} Item;

typedef struct Place {
    CgAtom      path;
    int         up;         /* the instance it lies in, -1 at the root */
    int         group;      /* siblings folded into one share a number above 0 */
    int         hidden;     /* the outermost folded-away scope it lies in, or -1 */
    int         times;      /* in the first of folded siblings: how many it stands for; else 1 */
    const char *name;       /* as shown: "attn", "blocks.0 .. blocks.3" */
    int         boxes;      /* drawn below it */
    int         frozen, trained;    /* uses of parameters below it */
    int         cluster;    /* -1 = none, its boxes go to the parent's */
} Place;

typedef struct Draft {
    const CgGraph          *g;
    const CgPictureOptions *o;
    CgPicture              *p;
    CgArena                *arena;
    Item                   *item;   /* by node */
    Place                  *place;  /* by scope */
    int                     groups;
} Draft;

/* ---- instances ---- */

/* A scope without a graph is a region (recomputation), no instance: what lies in it belongs to the instance around. */
static int instance_at(const CgGraph *g, int scope)
{
    while (scope > 0 && !(g->scopes.at[scope].graph && *g->scopes.at[scope].graph))
        scope = g->scopes.at[scope].parent;
    return scope;
}

static int instance_of(const Draft *d, CgRef r)
{
    return instance_at(d->g, cg_node(d->g, r)->scope);
}

static void make_places(Draft *d)
{
    const CgGraph *g = d->g;
    for (int s = 0; s < (int)g->scopes.len; s++) {
        const CgScope *scope = &g->scopes.at[s];
        Place *pl = &d->place[s];
        *pl = (Place){ .up = s ? instance_at(g, scope->parent) : -1, .hidden = -1, .times = 1, .cluster = -1 };
        pl->name = scope->name;
        pl->path = cg_intern("");
        if (s && *d->place[pl->up].path)
            pl->path = cg_intern(cg_arena_printf(d->arena, "%s.%s", d->place[pl->up].path, scope->name));
        else if (s)
            pl->path = scope->name;
    }
}

/* ---- texts ---- */

static const char *keep(Draft *d, CgStrbuf *b)
{
    const char *s = cg_arena_strdup(d->arena, cg_strbuf_str(b));
    cg_strbuf_deinit(b);
    return s;
}

static const char *type_text(Draft *d, const CgType *t)
{
    CgStrbuf b = {0};
    cg_type_print(t, &b);
    return keep(d, &b);
}

/* How many last parts two paths have in common; n and m are their lengths. */
static int common_end(const char *a, size_t n, const char *b, size_t m)
{
    int parts = 0;
    while (n > 0 && m > 0) {
        size_t i = n, k = m;
        while (i > 0 && a[i - 1] != '.')
            i--;
        while (k > 0 && b[k - 1] != '.')
            k--;
        if (n - i != m - k || memcmp(a + i, b + k, n - i) != 0)
            break;
        parts++;
        n = i ? i - 1 : 0;
        m = k ? k - 1 : 0;
    }
    return parts;
}

/* The rest of a parameter's path below an instance, or NULL when it does not belong there. A scope says where a part is
 * applied, a path who owns it (a compressor applies blocks of its encoder), so ends are compared, not beginnings. */
static const char *path_below(const char *scope, const char *path)
{
    size_t n = strlen(scope);
    const char *rest = n ? NULL : path;
    int best = 0;
    for (size_t m = strlen(path); m-- > 0;) {
        int parts = path[m] == '.' ? common_end(scope, n, path, m) : 0;
        if (parts > best) {
            best = parts;
            rest = path + m + 1;
        }
    }
    return rest;
}

/* A parameter where it is used: the last part of its name at home, the whole path elsewhere. */
static const char *param_name(Draft *d, CgRef param, int scope)
{
    const char *path = cg_node_name(d->g, param);
    const char *rest = path_below(d->place[scope].path, path);
    return rest ? rest : path;
}

static bool is_frozen(const Draft *d, CgRef param)
{
    return d->o->frozen && d->o->frozen(d->o->context, cg_node_name(d->g, param));
}

/* Whether an attribute is worth a reader's time: not types and new dims, which are shown anyway, and in the picture
 * of a model not what is 0. */
static bool attr_matters(const CgAttr *a, bool model)
{
    int64_t value = -1;
    switch (a->kind) {
    case CG_ATTR_TYPE: return false;
    case CG_ATTR_INT:  return !model || a->i != 0 || strcmp(a->name, "axis") == 0;
    case CG_ATTR_DIMS:
        if (strcmp(a->name, "dims") == 0)
            return false;
        return !model || a->n != 1 || !cg_dim_is_int(a->dims[0], &value) || value != 0;
    case CG_ATTR_FLOAT: case CG_ATTR_STR: case CG_ATTR_INTS: return true;
    }
    return true;
}

static void note_add(CgStrbuf *note, const char *text)
{
    if (note->len)
        cg_strbuf_puts(note, ", ");
    cg_strbuf_puts(note, text);
}

static void note_attrs(CgStrbuf *note, const CgAttrs *attrs, CgDetail detail)
{
    for (int i = 0; attrs && i < attrs->n; i++) {
        const CgAttr *a = &attrs->at[i];
        CgAttrs alone = { 1, a };
        CgStrbuf text = {0};
        if (!attr_matters(a, detail == CG_DETAIL_MODEL))
            continue;
        if (a->kind == CG_ATTR_FLOAT)
            cg_strbuf_printf(&text, "%s=%.6g", a->name, a->f);
        else
            cg_attrs_print(&alone, &text);
        note_add(note, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
}

/* ---- which nodes are drawn ---- */

static bool is_part(const CgNode *n)
{
    return strcmp(n->op->name, "part") == 0;
}

/* The number of elements, NULL for a scalar. */
static const CgDim *elements(const CgType *t)
{
    const CgDim *n = NULL;
    for (int i = 0; i < t->rank; i++)
        n = n ? cg_dim_mul(n, t->dim[i]) : t->dim[i];
    return n;
}

static bool is_broadcast(const CgGraph *g, const CgNode *n)
{
    if (!n->op->view || n->nin != 1)
        return false;
    const CgType *from = cg_node_type(g, n->in[0]);
    return n->type.rank > from->rank && elements(&n->type) != elements(from);
}

/* A view that shows all of its operand's elements, and stops no derivative: the eye may pass through it.
 * A slice selects, so it stays. */
static bool is_transparent(const CgGraph *g, const CgNode *n)
{
    if (is_part(n))
        return true;
    if (!n->op->view || n->nin != 1 || (n->op->traits & CG_NODIFF))
        return false;
    return is_broadcast(g, n) || elements(&n->type) == elements(cg_node_type(g, n->in[0]));
}

/* The value of a scalar constant, through views of it. */
static bool scalar_value(const CgGraph *g, CgRef r, double *value)
{
    const CgNode *n = cg_node(g, r);
    while (n->op->view && n->nin == 1)
        n = cg_node(g, n->in[0]);
    const CgAttr *a = n->nin == 0 && (n->op->traits & CG_LEAF) ? cg_attr_find(n->attrs, "value") : NULL;
    if (!a)
        return false;
    *value = a->kind == CG_ATTR_FLOAT ? a->f : (double)a->i;
    return true;
}

static void choose(Draft *d)
{
    const CgGraph *g = d->g;
    bool all = d->o->detail == CG_DETAIL_GRAPH;
    for (size_t i = 0; i < g->inputs.len; i++)
        d->item[g->inputs.at[i]].input = true;
    for (size_t i = 0; i < g->params.len; i++)
        d->item[g->params.at[i]].param = true;
    for (size_t i = 0; i < g->outputs.len; i++)
        d->item[g->outputs.at[i].ref].live = true;
    for (size_t r = g->nodes.len; r-- > 0;)
        for (int i = 0; d->item[r].live && i < g->nodes.at[r].nin; i++)
            d->item[g->nodes.at[r].in[i]].live = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        Item *it = &d->item[r];
        it->constant = !it->input && !it->param && !(n->op->traits & CG_RANDOM);
        for (int i = 0; i < n->nin; i++)
            it->constant = it->constant && d->item[n->in[i]].constant;
        it->drawn = it->live && (all || (!it->constant && !it->param && !is_transparent(g, n)));
        it->stands = r;
        it->box = -1;
        it->note = "";
    }
}

/* The drawn node that operand r shows, CG_NONE when it is a parameter (left in *param) or a constant (both
 * CG_NONE). *type is what to write on the arrow: what the consumer sees, but before broadcasting. */
static CgRef see_through(const Draft *d, CgRef r, const CgType **type, CgRef *param)
{
    *param = CG_NONE;
    *type = cg_node_type(d->g, r);
    while (!d->item[r].drawn) {
        const CgNode *n = cg_node(d->g, r);
        if (d->item[r].param)
            *param = r;
        if (d->item[r].param || d->item[r].constant)
            return CG_NONE;
        if (is_broadcast(d->g, n))
            *type = cg_node_type(d->g, n->in[0]);
        r = n->in[0];
    }
    return r;
}

static void link_node(Draft *d, CgRef r)
{
    const CgNode *n = cg_node(d->g, r);
    Item *it = &d->item[r];
    bool model = d->o->detail == CG_DETAIL_MODEL;
    CgStrbuf note = {0};
    it->links = CG_NEWN(d->arena, Link, n->nin + 1);
    it->rows = CG_NEWN(d->arena, CgRef, n->nin + 1);
    for (int i = 0; i < n->nin; i++) {
        const CgType *type;
        CgRef param, from = see_through(d, n->in[i], &type, &param);
        double value;
        if (from != CG_NONE) {
            const char *label = "";
            char index[16];
            if (model)
                label = type_text(d, type);
            else if (n->nin > 1 && !(n->op->traits & CG_COMMUTES)) {
                snprintf(index, sizeof index, "%d", i);
                label = cg_arena_strdup(d->arena, index);
            }
            bool known = false;
            for (int k = 0; k < it->nlinks; k++)
                known = known || (it->links[k].from == from && strcmp(it->links[k].label, label) == 0);
            if (!known)
                it->links[it->nlinks++] = (Link){ from, label };
        } else if (param != CG_NONE) {
            bool known = false;
            for (int k = 0; k < it->nrows; k++)
                known = known || it->rows[k] == param;
            if (!known)
                it->rows[it->nrows++] = param;
        } else if (scalar_value(d->g, n->in[i], &value)) {
            char text[32];
            snprintf(text, sizeof text, "%.4g", value);
            note_add(&note, text);
        }
    }
    if (!it->input && !it->param)
        note_attrs(&note, n->attrs, d->o->detail);
    it->note = keep(d, &note);
}

/* ---- folding equal siblings ---- */

/* "blocks.12" is number 12 of "blocks."; false when the name does not end in a number. */
static bool numbered(const char *name, size_t *stem, long *number)
{
    size_t n = strlen(name), at = n;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    if (at == n || n - at > 6)
        return false;
    *stem = at;
    *number = 0;
    for (size_t i = at; i < n; i++)
        *number = *number * 10 + (name[i] - '0');
    return true;
}

typedef CG_VEC(CgRef) Refs;

/* Siblings under one parent with one stem, in order of their numbers, and the drawn nodes of each. */
typedef struct Family {
    int   *scope;
    Refs  *nodes;
    int    len;
    int   *member;      /* by node: which sibling it lies in, or -1 */
} Family;

/* Siblings first .. last, and whether one takes from those before it, or from those after it. */
typedef struct Run { int first, last; bool forward, backward; } Run;

static bool scopes_alike(const Draft *d, int a, int top_a, int b, int top_b)
{
    const CgGraph *g = d->g;
    for (; a > 0 && b > 0 && a != top_a && b != top_b; a = d->place[a].up, b = d->place[b].up)
        if (g->scopes.at[a].name != g->scopes.at[b].name || g->scopes.at[a].graph != g->scopes.at[b].graph)
            return false;
    return a == top_a && b == top_b;
}

/* Names and streams of random numbers differ between siblings by their nature. */
static bool attrs_alike(const CgAttrs *a, const CgAttrs *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->n != b->n)
        return false;
    for (int i = 0; i < a->n; i++) {
        CgAttrs x = { 1, &a->at[i] }, y = { 1, &b->at[i] };
        if (strcmp(a->at[i].name, b->at[i].name) != 0)
            return false;
        if (strcmp(a->at[i].name, "stream") == 0 || strcmp(a->at[i].name, "name") == 0)
            continue;
        CgStrbuf s = {0}, t = {0};
        cg_attrs_print(&x, &s);
        cg_attrs_print(&y, &t);
        bool same = strcmp(cg_strbuf_str(&s), cg_strbuf_str(&t)) == 0;
        cg_strbuf_deinit(&s);
        cg_strbuf_deinit(&t);
        if (!same)
            return false;
    }
    return true;
}

static bool params_alike(const Draft *d, CgRef a, int top_a, CgRef b, int top_b)
{
    const char *x = path_below(d->place[top_a].path, cg_node_name(d->g, a));
    const char *y = path_below(d->place[top_b].path, cg_node_name(d->g, b));
    if (a == b)
        return true;
    return x && y && strcmp(x, y) == 0 && is_frozen(d, a) == is_frozen(d, b)
        && cg_type_equal(cg_node_type(d->g, a), cg_node_type(d->g, b));
}

/* Everything about two nodes but where their operands come from. */
static bool nodes_alike(const Draft *d, CgRef a, int top_a, CgRef b, int top_b)
{
    const CgNode *x = cg_node(d->g, a), *y = cg_node(d->g, b);
    const Item *i = &d->item[a], *j = &d->item[b];
    if (x->op != y->op || !cg_type_equal(&x->type, &y->type) || !attrs_alike(x->attrs, y->attrs))
        return false;
    if ((x->why == CG_NONE) != (y->why == CG_NONE) || i->nlinks != j->nlinks || i->nrows != j->nrows)
        return false;
    if (i->input || j->input || i->param != j->param || (i->param && !params_alike(d, a, top_a, b, top_b)))
        return false;
    if (strcmp(i->note, j->note) != 0 && !(x->op->traits & CG_RANDOM))
        return false;
    for (int k = 0; k < i->nrows; k++)
        if (!params_alike(d, i->rows[k], top_a, j->rows[k], top_b))
            return false;
    for (int k = 0; k < i->nlinks; k++)
        if (strcmp(i->links[k].label, j->links[k].label) != 0)
            return false;
    return scopes_alike(d, instance_of(d, a), top_a, instance_of(d, b), top_b);
}

static long position(const Refs *nodes, CgRef r)
{
    size_t low = 0, high = nodes->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (nodes->at[middle] < r)
            low = middle + 1;
        else
            high = middle;
    }
    return low < nodes->len && nodes->at[low] == r ? (long)low : -1;
}

/* Operand k of node p of each sibling in the run: one node outside for all, or a node at one place of the
 * sibling `step` further on; where that sibling is out of the run, any node outside. */
static bool operands_alike(const Draft *d, const Family *f, Run *run, size_t p, int k)
{
    bool have_step = false, have_outside = false;
    int step = 0;
    long at = -1;
    CgRef outside = CG_NONE;
    for (int i = run->first; i <= run->last; i++) {
        CgRef from = d->item[f->nodes[i].at[p]].links[k].from;
        int m = f->member[from];
        if (m < run->first || m > run->last)
            continue;
        long where = position(&f->nodes[m], from);
        if (have_step && (step != m - i || at != where))
            return false;
        have_step = true, step = m - i, at = where;
    }
    for (int i = run->first; i <= run->last; i++) {
        CgRef from = d->item[f->nodes[i].at[p]].links[k].from;
        int m = f->member[from];
        if (m >= run->first && m <= run->last)
            continue;
        if (have_step && i + step >= run->first && i + step <= run->last)
            return false;
        if (!have_step && have_outside && outside != from)
            return false;
        have_outside = true, outside = from;
    }
    run->forward = run->forward || (have_step && step < 0);
    run->backward = run->backward || (have_step && step > 0);
    return true;
}

/* Consumers outside the run must take from all siblings alike, or from an end of the chain: a tap in the
 * middle would be drawn as if it came from all. */
static bool consumers_alike(const Draft *d, const Family *f, const Run *run)
{
    const CgGraph *g = d->g;
    int first = run->first, last = run->last;
    for (size_t c = 0; c < g->nodes.len + g->outputs.len; c++) {
        bool output = c >= g->nodes.len;
        Link whole = { 0, "" };
        if (output) {
            const CgType *type;
            CgRef param;
            whole.from = see_through(d, g->outputs.at[c - g->nodes.len].ref, &type, &param);
            if (whole.from == CG_NONE)
                continue;
        } else if (!d->item[c].drawn || (f->member[c] >= first && f->member[c] <= last))
            continue;
        const Link *links = output ? &whole : d->item[c].links;
        int nlinks = output ? 1 : d->item[c].nlinks;
        for (int k = 0; k < nlinks; k++) {
            int m = f->member[links[k].from];
            if (m < first || m > last)
                continue;
            if ((m == last && (run->forward || !run->backward)) || (m == first && run->backward))
                continue;
            long at = position(&f->nodes[m], links[k].from);
            int takers = 0;
            for (int i = first; i <= last; i++)
                for (int j = 0; j < nlinks; j++)
                    takers += links[j].from == f->nodes[i].at[at];
            if (takers < last - first + 1)
                return false;
        }
    }
    return true;
}

/* Whether the siblings of a run can be drawn as one; consumers are checked when it is complete. */
static bool run_alike(const Draft *d, const Family *f, Run *run)
{
    const Refs *head = &f->nodes[run->first];
    const CgScope *scope = &d->g->scopes.at[f->scope[run->first]];
    run->forward = run->backward = false;
    for (int i = run->first; i <= run->last; i++) {
        const CgScope *other = &d->g->scopes.at[f->scope[i]];
        if (f->nodes[i].len != head->len || head->len == 0 || other->graph != scope->graph)
            return false;
        if ((other->recompute != 0) != (scope->recompute != 0))
            return false;
        for (size_t p = 0; p < head->len; p++)
            if (!nodes_alike(d, head->at[p], f->scope[run->first], f->nodes[i].at[p], f->scope[i]))
                return false;
    }
    for (size_t p = 0; p < head->len; p++)
        for (int k = 0; k < d->item[head->at[p]].nlinks; k++)
            if (!operands_alike(d, f, run, p, k))
                return false;
    return true;
}

static void fold_run(Draft *d, const Family *f, int first, int last)
{
    const CgScope *scopes = d->g->scopes.at;
    Place *head = &d->place[f->scope[first]];
    int times = last - first + 1;
    d->groups++;
    head->times = times;
    head->name = scopes[f->scope[first]].name;
    head->name = cg_arena_printf(d->arena, "%s .. %s", head->name, scopes[f->scope[last]].name);
    for (int i = first; i <= last; i++) {
        d->place[f->scope[i]].group = d->groups;
        if (i == first)
            continue;
        d->place[f->scope[i]].hidden = f->scope[i];
        for (size_t p = 0; p < f->nodes[i].len; p++)
            d->item[f->nodes[i].at[p]].stands = f->nodes[first].at[p];
    }
    for (size_t s = 1; s < d->g->scopes.len; s++) {
        int parent = d->place[s].up;
        if (d->place[s].hidden < 0 && parent >= 0)
            d->place[s].hidden = d->place[parent].hidden;
    }
}

static void fold_family(Draft *d, const Family *f)
{
    for (int first = 0; first < f->len;) {
        Run run = { first, first, false, false }, longer = { first, first + 1, false, false };
        for (; longer.last < f->len && run_alike(d, f, &longer); longer.last++)
            run = longer;
        while (run.last - first >= 2 && !consumers_alike(d, f, &run))
            run.last--;
        if (run.last - first >= 2)
            fold_run(d, f, first, run.last);
        first = run.last + 1;
    }
}

static void gather_nodes(const Draft *d, Family *f, int parent)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        int s = instance_of(d, r);
        f->member[r] = -1;
        while (s > 0 && d->place[s].up != parent)
            s = d->place[s].up;
        if (s <= 0 || !d->item[r].drawn)
            continue;
        for (int i = 0; i < f->len; i++)
            if (f->scope[i] == s) {
                f->member[r] = i;
                cg_vec_push(&f->nodes[i], r);
            }
    }
}

/* Families of the children of `parent`: one stem and numbers from 0 up, as instances of a list are made. */
static void fold_children(Draft *d, int parent)
{
    const CgGraph *g = d->g;
    int n = (int)g->scopes.len;
    Family f = { CG_NEWN(d->arena, int, n), CG_NEWN(d->arena, Refs, n), 0, NULL };
    f.member = CG_NEWN(d->arena, int, g->nodes.len + 1);
    for (int s = 1; s < n; s++) {
        size_t stem, other;
        long number, next;
        if (d->place[s].up != parent || d->place[s].hidden >= 0 || d->place[s].group)
            continue;
        if (!numbered(g->scopes.at[s].name, &stem, &number) || number != 0)
            continue;
        f.len = 0;
        for (int t = s; t < n; t++) {
            const CgScope *sibling = &g->scopes.at[t];
            if (d->place[t].up != parent || !numbered(sibling->name, &other, &next) || next != f.len)
                continue;
            if (other == stem && strncmp(g->scopes.at[s].name, sibling->name, stem) == 0)
                f.scope[f.len++] = t;
        }
        if (f.len < 3)
            continue;
        gather_nodes(d, &f, parent);
        fold_family(d, &f);
        for (int i = 0; i < f.len; i++)
            cg_vec_free(&f.nodes[i]);
    }
}

static void fold(Draft *d)
{
    for (int s = 0; s < (int)d->g->scopes.len; s++)
        if (d->place[s].hidden < 0)
            fold_children(d, s);
}

/* ---- clusters ---- */

/* An instance applied twice has two scopes of one path: the second is "path (2)". */
static const char *unique(Draft *d, CgMap *used, CgAtom id)
{
    uint64_t count = 0;
    cg_map_get(used, cg_map_ptr(id), &count);
    cg_map_put(used, cg_map_ptr(id), ++count);
    return count == 1 ? id : cg_arena_printf(d->arena, "%s (%d)", id, (int)count);
}

/* A scope is frozen when it uses parameters and all of them are. */
static void mark_frozen(Draft *d)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const Item *it = &d->item[r];
        for (int k = 0; it->drawn && k < it->nrows + it->param; k++) {
            bool frozen = is_frozen(d, k < it->nrows ? it->rows[k] : r);
            for (int s = instance_of(d, r); s >= 0; s = d->place[s].up) {
                d->place[s].frozen += frozen;
                d->place[s].trained += !frozen;
            }
        }
    }
}

static CgRef drawn_for(const Draft *d, CgRef r)
{
    while (d->item[r].stands != r)
        r = d->item[r].stands;
    return r;
}

/* Inputs belong to no instance, wherever they were met first. */
static int home(const Draft *d, CgRef r)
{
    return d->item[r].input ? 0 : instance_of(d, r);
}

static void make_clusters(Draft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    mark_frozen(d);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d->item[r].drawn && d->item[r].stands == r)
            for (int s = home(d, r); s >= 0; s = d->place[s].up)
                d->place[s].boxes++;
    for (size_t s = 0; s < g->scopes.len; s++) {
        Place *pl = &d->place[s];
        int parent = d->place[s].up;
        pl->cluster = parent < 0 ? -1 : d->place[parent].cluster;
        /* an instance of one box needs no frame: the box carries its name */
        if (s == 0 || !d->o->clusters || pl->hidden >= 0 || pl->boxes < 2)
            continue;
        CgCluster c = { .id = unique(d, used, pl->path), .parent = pl->cluster, .times = pl->times };
        c.frozen = pl->frozen > 0 && pl->trained == 0;
        c.recompute = g->scopes.at[s].recompute != 0;
        CgAtom graph = g->scopes.at[s].graph;
        bool says_more = graph && *graph && strcmp(graph, pl->name) != 0;
        c.label = says_more ? cg_arena_printf(d->arena, "%s: %s", pl->name, graph) : pl->name;
        pl->cluster = (int)d->p->clusters.len;
        cg_vec_push(&d->p->clusters, c);
    }
}

/* ---- boxes and arrows ---- */

/* The names of the frameless instances around a box, outermost first. */
static const char *heading(Draft *d, int scope)
{
    const char *text = NULL;
    for (int s = scope; s > 0; s = d->place[s].up) {
        const Place *pl = &d->place[s];
        int parent = d->place[s].up;
        if (d->o->clusters && pl->cluster != d->place[parent].cluster)
            break;
        const char *name = pl->name;
        if (pl->times > 1)
            name = cg_arena_printf(d->arena, "%s (x%d)", name, pl->times);
        text = text ? cg_arena_printf(d->arena, "%s.%s", name, text) : name;
    }
    return text;
}

static const char *const_text(Draft *d, CgRef r)
{
    double value;
    if (!scalar_value(d->g, r, &value))
        return cg_node(d->g, r)->op->name;
    return cg_arena_printf(d->arena, "%.4g", value);
}

static void box_rows(Draft *d, CgBox *box, const Item *it, int scope)
{
    box->nrows = it->nrows;
    box->rows = CG_NEWN(d->arena, CgBoxRow, it->nrows + 1);
    box->frozen = it->nrows > 0;
    for (int k = 0; k < it->nrows; k++) {
        bool frozen = is_frozen(d, it->rows[k]);
        const char *type = type_text(d, cg_node_type(d->g, it->rows[k]));
        box->rows[k] = (CgBoxRow){ param_name(d, it->rows[k], scope), type, frozen };
        box->frozen = box->frozen && frozen;
    }
}

static void make_box(Draft *d, CgRef r, CgMap *used)
{
    const CgNode *n = cg_node(d->g, r);
    Item *it = &d->item[r];
    int scope = home(d, r);
    CgBox box = { .note = it->note, .type = "", .cluster = d->place[scope].cluster };
    box.derived = n->why != CG_NONE;
    const char *path = d->place[scope].path;
    if (it->input || it->param) {
        box.kind = it->input ? CG_BOX_INPUT : CG_BOX_PARAM;
        box.title = it->input ? cg_node_name(d->g, r) : param_name(d, r, scope);
        box.frozen = it->param && is_frozen(d, r);
        box.id = cg_arena_printf(d->arena, "%s:%s", it->input ? "input" : "param", cg_node_name(d->g, r));
    } else {
        uint64_t count = 0;
        CgAtom stem = cg_intern(cg_arena_printf(d->arena, "%s/%s", path, n->op->name));
        cg_map_get(used, cg_map_ptr(stem), &count);
        cg_map_put(used, cg_map_ptr(stem), count + 1);
        box.id = cg_arena_printf(d->arena, "%s.%d", *path ? stem : stem + 1, (int)count);
        bool constant = n->nin == 0 && (n->op->traits & CG_LEAF);
        box.kind = constant ? CG_BOX_CONST : CG_BOX_OP;
        box.title = constant ? const_text(d, r) : n->op->name;
        box.note = constant ? "" : it->note;
        box.heading = d->o->clusters || scope == 0 ? heading(d, scope) : path;
    }
    if (d->o->detail == CG_DETAIL_GRAPH || it->input)
        box.type = type_text(d, &n->type);
    if (!it->param)
        box_rows(d, &box, it, scope);
    it->box = (int)d->p->boxes.len;
    cg_vec_push(&d->p->boxes, box);
}

/* Between two siblings drawn as one. */
static bool within_fold(const Draft *d, CgRef a, CgRef b)
{
    for (int s = instance_of(d, a); s > 0; s = d->place[s].up)
        for (int t = instance_of(d, b); t > 0; t = d->place[t].up)
            if (s != t && d->place[s].group && d->place[s].group == d->place[t].group)
                return true;
    return false;
}

static void make_arrow(Draft *d, CgMap *used, int from, int to, const char *label, bool derived)
{
    uint64_t old = 0;
    CgAtom key = cg_intern(cg_arena_printf(d->arena, "%d %d %s", from, to, label));
    if (cg_map_get(used, cg_map_ptr(key), &old))
        return;
    cg_map_put(used, cg_map_ptr(key), 1);
    cg_vec_push(&d->p->arrows, (CgArrow){ from, to, label, derived });
}

static void make_arrows(Draft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (!d->item[r].drawn)
            continue;
        const CgNode *n = cg_node(g, r);
        int away = d->place[instance_of(d, r)].hidden;
        for (int k = 0; k < d->item[r].nlinks; k++) {
            const Link *l = &d->item[r].links[k];
            /* inside a folded-away sibling all is as inside the one that stands for it */
            int away_too = d->place[instance_of(d, l->from)].hidden;
            if (within_fold(d, l->from, r) || (away >= 0 && away_too == away))
                continue;
            int from = d->item[drawn_for(d, l->from)].box, to = d->item[drawn_for(d, r)].box;
            make_arrow(d, used, from, to, l->label, n->why != CG_NONE);
        }
    }
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgOutput *o = &g->outputs.at[i];
        const CgType *type;
        CgRef param, from = see_through(d, o->ref, &type, &param);
        CgBox box = { .kind = CG_BOX_OUTPUT, .title = o->name, .note = "", .cluster = -1 };
        box.rows = CG_NEW(d->arena, CgBoxRow);
        box.type = type_text(d, type);
        box.id = cg_arena_printf(d->arena, "output:%s", o->name);
        if (from == CG_NONE && param != CG_NONE) {
            box.nrows = 1;
            box.rows[0] = (CgBoxRow){ cg_node_name(g, param), "", is_frozen(d, param) };
        }
        cg_vec_push(&d->p->boxes, box);
        if (from != CG_NONE)
            make_arrow(d, used, d->item[drawn_for(d, from)].box, (int)d->p->boxes.len - 1, "", false);
    }
}

CgPicture *cg_picture_build(const CgGraph *g, const CgPictureOptions *options)
{
    CgPicture *p = cg_calloc(1, sizeof *p);
    p->arena = cg_arena_new();
    Draft d = { g, options, p, p->arena, NULL, NULL, 0 };
    d.item = CG_NEWN(p->arena, Item, g->nodes.len + 1);
    d.place = CG_NEWN(p->arena, Place, g->scopes.len + 1);
    make_places(&d);
    choose(&d);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d.item[r].drawn)
            link_node(&d, r);
    if (options->fold)
        fold(&d);
    CgMap used = {0};
    make_clusters(&d, &used);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d.item[r].drawn && d.item[r].stands == r)
            make_box(&d, r, &used);
    make_arrows(&d, &used);
    cg_map_deinit(&used);
    return p;
}

void cg_picture_free(CgPicture *p)
{
    if (!p)
        return;
    cg_vec_free(&p->boxes);
    cg_vec_free(&p->arrows);
    cg_vec_free(&p->clusters);
    cg_arena_free(p->arena);
    free(p);
}
