/* picture.c - choosing what is shown of a graph.
 * Takes a graph and a level of detail; gives boxes, arrows and clusters. Decides by what ops declare (views,
 * leaves, traits), never by which op it is, and never by addresses: equal graphs give equal pictures. */
#include "report/picture_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "graph/text.h"
#include "graph/use.h"

/* ---- instances ---- */

/* A scope without a graph is a region (recomputation), no instance: what lies in it belongs to the instance around. */
static int instance_at(const CgGraph *g, int scope)
{
    while (scope > 0 && !(g->scopes.at[scope].graph && *g->scopes.at[scope].graph))
        scope = g->scopes.at[scope].parent;
    return scope;
}

int cg_draft_instance(const CgDraft *d, CgRef r) { return instance_at(d->g, cg_node(d->g, r)->scope); }

static void make_places(CgDraft *d)
{
    const CgGraph *g = d->g;
    for (int s = 0; s < (int)g->scopes.len; s++) {
        const CgScope *scope = &g->scopes.at[s];
        CgDraftPlace *pl = &d->place[s];
        *pl = (CgDraftPlace){ .up = s ? instance_at(g, scope->parent) : -1, .hidden = -1, .times = 1, .cluster = -1 };
        pl->name = scope->name;
        pl->path = cg_intern("");
        if (s && *d->place[pl->up].path)
            pl->path = cg_intern_printf("%s.%s", d->place[pl->up].path, scope->name);
        else if (s)
            pl->path = scope->name;
    }
}

/* ---- texts ---- */

static const char *keep(CgDraft *d, CgStrbuf *b)
{
    const char *s = cg_arena_strdup(d->arena, cg_strbuf_str(b));
    cg_strbuf_deinit(b);
    return s;
}

static const char *type_text(CgDraft *d, const CgType *t)
{
    CgStrbuf b = { 0 };
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

/* A scope says where a part is applied, a path who owns it (a compressor applies blocks of its encoder), so ends are
 * compared, not beginnings. */
const char *cg_draft_path_below(const char *scope, const char *path)
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
static const char *param_name(CgDraft *d, CgRef param, int scope)
{
    const char *path = cg_node_name(d->g, param);
    const char *rest = cg_draft_path_below(d->place[scope].path, path);
    return rest ? rest : path;
}

bool cg_draft_frozen(const CgDraft *d, CgRef param)
{
    return d->o->frozen && d->o->frozen(d->o->context, cg_node_name(d->g, param));
}

/* Whether an attribute is worth a reader's time: not types and new dims, which are shown anyway, and in the picture
 * of a model not what is 0. */
static bool attr_matters(const CgAttr *a, bool model)
{
    int64_t value = -1;
    switch (a->kind) {
    case CG_ATTR_TYPE:
    case CG_ATTR_GRAPH: return false;
    case CG_ATTR_INT: return !model || a->i != 0 || strcmp(a->name, "axis") == 0;
    case CG_ATTR_DIMS:
        if (strcmp(a->name, "dims") == 0)
            return false;
        return !model || a->n != 1 || !cg_dim_is_int(a->dims[0], &value) || value != 0;
    case CG_ATTR_FLOAT:
    case CG_ATTR_STR:
    case CG_ATTR_INTS: return true;
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
        CgStrbuf text = { 0 };
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
    if (cg_node_is_result(n))
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

static void choose(CgDraft *d)
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
        CgDraftItem *it = &d->item[r];
        it->constant = !it->input && !it->param && !(n->op->traits & CG_RANDOM);
        for (int i = 0; i < n->nin; i++)
            it->constant = it->constant && d->item[n->in[i]].constant;
        it->drawn = it->live && (all || (!it->constant && !it->param && !is_transparent(g, n)));
        it->stands = r;
        it->box = -1;
        it->note = "";
    }
}

CgRef cg_draft_source(const CgDraft *d, CgRef r, const CgType **type, CgRef *param)
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

static void link_node(CgDraft *d, CgRef r)
{
    const CgNode *n = cg_node(d->g, r);
    CgDraftItem *it = &d->item[r];
    bool model = d->o->detail == CG_DETAIL_MODEL;
    CgStrbuf note = { 0 };
    it->links = CG_NEWN(d->arena, CgDraftLink, n->nin + 1);
    it->rows = CG_NEWN(d->arena, CgRef, n->nin + 1);
    for (int i = 0; i < n->nin; i++) {
        const CgType *type;
        CgRef param, from = cg_draft_source(d, n->in[i], &type, &param);
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
                it->links[it->nlinks++] = (CgDraftLink){ from, label };
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

/* ---- clusters ---- */

/* An instance applied twice has two scopes of one path: the second is "path (2)". */
static const char *unique(CgDraft *d, CgMap *used, CgAtom id)
{
    uint64_t count = 0;
    cg_map_get(used, cg_map_ptr(id), &count);
    cg_map_put(used, cg_map_ptr(id), ++count);
    return count == 1 ? id : cg_arena_printf(d->arena, "%s (%d)", id, (int)count);
}

/* A scope is frozen when it uses parameters and all of them are. */
static void mark_frozen(CgDraft *d)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgDraftItem *it = &d->item[r];
        for (int k = 0; it->drawn && k < it->nrows + it->param; k++) {
            bool frozen = cg_draft_frozen(d, k < it->nrows ? it->rows[k] : r);
            for (int s = cg_draft_instance(d, r); s >= 0; s = d->place[s].up) {
                d->place[s].frozen += frozen;
                d->place[s].trained += !frozen;
            }
        }
    }
}

static CgRef drawn_for(const CgDraft *d, CgRef r)
{
    while (d->item[r].stands != r)
        r = d->item[r].stands;
    return r;
}

/* Inputs belong to no instance, wherever they were met first. */
static int home(const CgDraft *d, CgRef r) { return d->item[r].input ? 0 : cg_draft_instance(d, r); }

static void make_clusters(CgDraft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    mark_frozen(d);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d->item[r].drawn && d->item[r].stands == r)
            for (int s = home(d, r); s >= 0; s = d->place[s].up)
                d->place[s].boxes++;
    for (size_t s = 0; s < g->scopes.len; s++) {
        CgDraftPlace *pl = &d->place[s];
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
static const char *heading(CgDraft *d, int scope)
{
    const char *text = NULL;
    for (int s = scope; s > 0; s = d->place[s].up) {
        const CgDraftPlace *pl = &d->place[s];
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

static const char *const_text(CgDraft *d, CgRef r)
{
    double value;
    if (!scalar_value(d->g, r, &value))
        return cg_node(d->g, r)->op->name;
    return cg_arena_printf(d->arena, "%.4g", value);
}

static void box_rows(CgDraft *d, CgBox *box, const CgDraftItem *it, int scope)
{
    box->nrows = it->nrows;
    box->rows = CG_NEWN(d->arena, CgBoxRow, it->nrows + 1);
    box->frozen = it->nrows > 0;
    for (int k = 0; k < it->nrows; k++) {
        bool frozen = cg_draft_frozen(d, it->rows[k]);
        const char *type = type_text(d, cg_node_type(d->g, it->rows[k]));
        box->rows[k] = (CgBoxRow){ param_name(d, it->rows[k], scope), type, frozen };
        box->frozen = box->frozen && frozen;
    }
}

static void make_box(CgDraft *d, CgRef r, CgMap *used)
{
    const CgNode *n = cg_node(d->g, r);
    CgDraftItem *it = &d->item[r];
    int scope = home(d, r);
    CgBox box = { .note = it->note, .type = "", .cluster = d->place[scope].cluster };
    box.derived = n->why != CG_NONE;
    const char *path = d->place[scope].path;
    if (it->input || it->param) {
        box.kind = it->input ? CG_BOX_INPUT : CG_BOX_PARAM;
        box.title = it->input ? cg_node_name(d->g, r) : param_name(d, r, scope);
        box.frozen = it->param && cg_draft_frozen(d, r);
        box.id = cg_arena_printf(d->arena, "%s:%s", it->input ? "input" : "param", cg_node_name(d->g, r));
    } else {
        uint64_t count = 0;
        CgAtom stem = cg_intern_printf("%s/%s", path, n->op->name);
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
static bool within_fold(const CgDraft *d, CgRef a, CgRef b)
{
    for (int s = cg_draft_instance(d, a); s > 0; s = d->place[s].up)
        for (int t = cg_draft_instance(d, b); t > 0; t = d->place[t].up)
            if (s != t && d->place[s].group && d->place[s].group == d->place[t].group)
                return true;
    return false;
}

static void make_arrow(CgDraft *d, CgMap *used, int from, int to, const char *label, bool derived)
{
    uint64_t old = 0;
    CgAtom key = cg_intern_printf("%d %d %s", from, to, label);
    if (cg_map_get(used, cg_map_ptr(key), &old))
        return;
    cg_map_put(used, cg_map_ptr(key), 1);
    cg_vec_push(&d->p->arrows, (CgArrow){ from, to, label, derived });
}

static void make_arrows(CgDraft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (!d->item[r].drawn)
            continue;
        const CgNode *n = cg_node(g, r);
        int away = d->place[cg_draft_instance(d, r)].hidden;
        for (int k = 0; k < d->item[r].nlinks; k++) {
            const CgDraftLink *l = &d->item[r].links[k];
            /* inside a folded-away sibling all is as inside the one that stands for it */
            int away_too = d->place[cg_draft_instance(d, l->from)].hidden;
            if (within_fold(d, l->from, r) || (away >= 0 && away_too == away))
                continue;
            int from = d->item[drawn_for(d, l->from)].box, to = d->item[drawn_for(d, r)].box;
            make_arrow(d, used, from, to, l->label, n->why != CG_NONE);
        }
    }
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgOutput *o = &g->outputs.at[i];
        const CgType *type;
        CgRef param, from = cg_draft_source(d, o->ref, &type, &param);
        CgBox box = { .kind = CG_BOX_OUTPUT, .title = o->name, .note = "", .cluster = -1 };
        box.rows = CG_NEW(d->arena, CgBoxRow);
        box.type = type_text(d, type);
        box.id = cg_arena_printf(d->arena, "output:%s", o->name);
        if (from == CG_NONE && param != CG_NONE) {
            box.nrows = 1;
            box.rows[0] = (CgBoxRow){ cg_node_name(g, param), "", cg_draft_frozen(d, param) };
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
    CgDraft d = { g, options, p, p->arena, NULL, NULL, 0 };
    d.item = CG_NEWN(p->arena, CgDraftItem, g->nodes.len + 1);
    d.place = CG_NEWN(p->arena, CgDraftPlace, g->scopes.len + 1);
    make_places(&d);
    choose(&d);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d.item[r].drawn)
            link_node(&d, r);
    if (options->fold)
        cg_draft_fold(&d);
    CgMap used = { 0 };
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
