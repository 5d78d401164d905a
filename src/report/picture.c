/* picture.c - choosing what is shown of a graph.
 * Takes a graph and a level of detail; gives boxes, arrows and clusters. Decides by what ops declare (views,
 * leaves, traits), never by which op it is, and never by addresses: equal graphs give equal pictures. */
#include "report/picture_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "graph/text.h"

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

/* A parameter where it is used: the last part of its name at home, the whole path elsewhere. */
static const char *param_name(CgDraft *d, CgRef param, int scope)
{
    const char *path = cg_node_name(d->g, param);
    const char *rest = cg_draft_path_below(d->place[scope].path, path);
    return rest ? rest : path;
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
    cg_draft_begin(&d);
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
