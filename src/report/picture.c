/* picture.c - choosing what is shown of a graph.
 * Takes a graph and a level of detail; gives boxes, arrows and clusters. Decides by what ops declare (views,
 * leaves, traits), never by which op it is, and never by addresses: equal graphs give equal pictures. */
#include "report/picture_inside.h"

#include <inttypes.h>
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

/* The first name in a text, and where it goes on behind that; NULL: there is none. */
static CgAtom next_name(const char **s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    while (**s && (!strchr(letters, **s) || (**s >= '0' && **s <= '9')))
        *s += strchr(letters, **s) ? strspn(*s, letters) : 1;
    size_t n = strspn(*s, letters);
    CgAtom name = n ? cg_intern_printf("%.*s", (int)n, *s) : NULL;
    *s += n;
    return name;
}

/* A name that stands for a size which is not known. */
static const uint64_t symbol = UINT64_MAX;

static void find_symbols(CgDraft *d, const CgDim *dim)
{
    CgStrbuf text = { 0 };
    cg_dim_print(dim, &text);
    const char *s = cg_strbuf_str(&text);
    for (CgAtom name; (name = next_name(&s));)
        cg_map_put(&d->sizes, cg_map_ptr(name), symbol);
    cg_strbuf_deinit(&text);
}

/* The sizes that go by one name in this graph are one, or the name says which; where the name is that of a size which
 * is not known, another is said by its number. */
static void find_sizes(CgDraft *d)
{
    CgMap seen = { 0 };
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        const CgType *t = cg_node_type(d->g, r);
        for (int k = 0; k < t->rank; k++) {
            CgAtom name = cg_axis_name(d->g, r, k);
            int64_t size;
            uint64_t known;
            if (!cg_dim_is_int(t->dim[k], &size) && !cg_map_get(&seen, cg_map_ptr(t->dim[k]), &known)) {
                cg_map_put(&seen, cg_map_ptr(t->dim[k]), 1);
                find_symbols(d, t->dim[k]);
            }
            if (!name || !cg_dim_is_int(t->dim[k], &size))
                continue;
            if (cg_map_get(&d->sizes, cg_map_ptr(name), &known) && known == symbol)
                continue;
            if (cg_map_get(&d->sizes, cg_map_ptr(name), &known) && known != (uint64_t)size + 1)
                size = -1;
            cg_map_put(&d->sizes, cg_map_ptr(name), (uint64_t)(size + 1));
        }
    }
    cg_map_deinit(&seen);
}

static void put_size(CgDraft *d, CgAtom name, const CgDim *dim, CgStrbuf *out)
{
    int64_t size;
    uint64_t one = 0;
    if (!name || !cg_dim_is_int(dim, &size) || (cg_map_get(&d->sizes, cg_map_ptr(name), &one) && one == symbol)) {
        cg_dim_print(dim, out);
        return;
    }
    cg_strbuf_puts(out, name);
    if (!one)
        cg_strbuf_printf(out, "=%" PRId64, size);
}

/* Names of sizes that arrows say without their number. */
static const char *legend(CgDraft *d)
{
    CgStrbuf out = { 0 };
    CgMap said = { 0 };
    for (size_t i = 0; i < d->p->arrows.len; i++) {
        const char *s = d->p->arrows.at[i].label;
        for (CgAtom name; (name = next_name(&s));) {
            uint64_t size = 0, old;
            if (!cg_map_get(&d->sizes, cg_map_ptr(name), &size) || !size || size == symbol
                || cg_map_get(&said, cg_map_ptr(name), &old))
                continue;
            cg_map_put(&said, cg_map_ptr(name), 1);
            cg_strbuf_printf(&out, "%s%s = %" PRIu64, out.len ? ", " : "", name, size - 1);
        }
    }
    cg_map_deinit(&said);
    return keep(d, &out);
}

/* A type with the names that the author gives to the axes of node r. */
static const char *named_type(CgDraft *d, CgRef r, const CgType *t)
{
    CgStrbuf b = { 0 };
    while (cg_node_type(d->g, r) != t && cg_node(d->g, r)->nin) /* what is broadcast has its type before */
        r = cg_node(d->g, r)->in[0];
    cg_strbuf_puts(&b, cg_dtype_name(t->dtype));
    for (int k = 0; k < t->rank; k++) {
        cg_strbuf_puts(&b, k ? ", " : "[");
        put_size(d, cg_axis_name(d->g, r, k), t->dim[k], &b);
    }
    cg_strbuf_puts(&b, t->rank ? "]" : "");
    return keep(d, &b);
}

/* A parameter where it is used: the last part of its name at home, the whole path elsewhere. */
static const char *param_name(CgDraft *d, CgRef param, int scope)
{
    const char *path = cg_node_name(d->g, param);
    const char *rest = cg_draft_path_below(d->scope.at[scope].path, path);
    return rest ? rest : path;
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

/* A loop says how many turns it has, before all else. */
static void call_loop(CgDraft *d, CgRef r)
{
    const CgNode *n = cg_node(d->g, r);
    CgDraftItem *it = &d->item[r];
    CgStrbuf turns = { 0 };
    cg_dim_print(cg_node_type(d->g, n->in[cg_attr_int(n->attrs, "states", 0)])->dim[0], &turns);
    it->title = cg_arena_printf(d->arena, "%s (x%s)", n->op->name, cg_strbuf_str(&turns));
    it->hidden = it->note, it->note = "";
    cg_strbuf_deinit(&turns);
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
                label = named_type(d, n->in[i], type);
            else if (n->nin > 1 && !(n->op->traits & CG_COMMUTES)) {
                snprintf(index, sizeof index, "%d", i);
                label = cg_arena_strdup(d->arena, index);
            }
            bool known = false;
            for (int k = 0; k < it->nlinks; k++)
                known = known || (it->links[k].from == from && strcmp(it->links[k].label, label) == 0);
            if (!known)
                it->links[it->nlinks++] = (CgDraftLink){ from, label, type };
        } else if (param != CG_NONE) {
            bool known = false;
            for (int k = 0; k < it->nrows; k++)
                known = known || it->rows[k] == param;
            if (!known) {
                it->rows[it->nrows++] = param;
                d->item[param].users += n->why == CG_NONE; /* its derivatives share nothing more */
            }
        } else if (scalar_value(d->g, n->in[i], &value)) {
            char text[32];
            snprintf(text, sizeof text, "%.4g", value);
            cg_draft_note_add(&note, text);
        }
    }
    it->scalars = cg_arena_strdup(d->arena, cg_strbuf_str(&note));
    if (!it->input && !it->param)
        cg_draft_note(&note, n->attrs, d->o->detail);
    it->note = keep(d, &note);
    if (model && (n->op->traits & CG_LOOP))
        call_loop(d, r);
}

/* "net.cg:12: x @ w", the expression in one line; NULL where it is not known. */
static const char *where_written(CgDraft *d, CgSpan span)
{
    enum { LONGEST = 120 };
    const CgSource *file = d->o->sources && span.file ? cg_sources_get(d->o->sources, span.file) : NULL;
    if (!file || span.end > file->len || span.start >= span.end)
        return NULL;
    CgStrbuf out = { 0 };
    int line = 1;
    for (uint32_t i = 0; i < span.start; i++)
        line += file->text[i] == '\n';
    const char *base = strrchr(file->name, '/');
    cg_strbuf_printf(&out, "%s:%d: ", base ? base + 1 : file->name, line);
    for (uint32_t i = span.start; i < span.end && i < span.start + LONGEST; i++)
        if (file->text[i] > ' ')
            cg_strbuf_putc(&out, file->text[i]);
        else if (file->text[i - 1] > ' ')
            cg_strbuf_putc(&out, ' ');
    cg_strbuf_puts(&out, span.end - span.start > LONGEST ? " .." : "");
    return keep(d, &out);
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
static void count_frozen(CgDraft *d)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgDraftItem *it = &d->item[r];
        for (int k = 0; it->drawn && k < it->nrows + it->param; k++) {
            bool frozen = cg_draft_frozen(d, k < it->nrows ? it->rows[k] : r);
            for (int s = d->item[r].instance; s >= 0; s = d->scope.at[s].up) {
                d->scope.at[s].frozen += frozen;
                d->scope.at[s].trained += !frozen;
            }
        }
    }
}

static void count_boxes(CgDraft *d)
{
    for (CgRef r = 0; r < d->g->nodes.len; r++)
        if (d->item[r].drawn && d->item[r].stands == r)
            for (int s = d->item[r].instance; s >= 0; s = d->scope.at[s].up)
                d->scope.at[s].boxes++;
}

static CgAtom scope_id(const CgDraftScope *pl)
{
    return !pl->turn ? pl->path : *pl->path ? cg_intern_printf("%s.turn", pl->path) : cg_intern("turn");
}

static const char *last_part(const char *path)
{
    const char *point = strrchr(path, '.');
    return point ? point + 1 : path;
}

/* What an instance is of: its graph, or the model that it applies all of, where its name does not say so; NULL else. */
static const char *made_of(const CgDraft *d, const CgDraftScope *pl)
{
    if (!pl->graph || pl->turn)
        return NULL;
    if (strcmp(pl->graph, pl->name) != 0)
        return pl->graph;
    bool other = pl->owner && *pl->owner && pl->owner != d->scope.at[pl->up].owner
        && strcmp(last_part(pl->owner), last_part(pl->path)) != 0;
    return other ? last_part(pl->owner) : NULL;
}

static void make_clusters(CgDraft *d, CgMap *used)
{
    for (size_t s = 0; s < d->scope.len; s++) {
        CgDraftScope *pl = &d->scope.at[s];
        int parent = d->scope.at[s].up;
        pl->cluster = parent < 0 ? -1 : d->scope.at[parent].cluster;
        /* an instance of one box needs no frame: the box carries its name */
        if (s == 0 || !d->o->clusters || pl->hidden >= 0 || pl->closed >= 0 || pl->shown < 2)
            continue;
        CgCluster c = { .id = unique(d, used, scope_id(pl)), .parent = pl->cluster, .times = pl->times };
        c.frozen = pl->frozen > 0 && pl->trained == 0;
        c.recompute = pl->recompute;
        c.where = where_written(d, pl->span);
        const char *of = made_of(d, pl);
        c.label = of ? cg_arena_printf(d->arena, "%s: %s", pl->name, of) : pl->name;
        pl->cluster = (int)d->p->clusters.len;
        cg_vec_push(&d->p->clusters, c);
    }
}

/* ---- boxes and arrows ---- */

/* The names of the frameless instances around a box, outermost first. */
static const char *heading(CgDraft *d, int scope)
{
    const char *text = NULL;
    for (int s = scope; s > 0; s = d->scope.at[s].up) {
        const CgDraftScope *pl = &d->scope.at[s];
        int parent = d->scope.at[s].up;
        if (d->o->clusters && pl->cluster != d->scope.at[parent].cluster)
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
        box->rows[k] = (CgBoxRow){ param_name(d, it->rows[k], scope), type, frozen, d->item[it->rows[k]].users > 1 };
        box->frozen = box->frozen && frozen;
    }
}

static int64_t elements(const CgType *t)
{
    int64_t total = 1, n;
    for (int i = 0; i < t->rank; i++)
        total *= cg_dim_is_int(t->dim[i], &n) ? n : 0;
    return total;
}

/* Whether what lies in instance `scope` is drawn in the box of `of`, or of a sibling that it stands for. */
static bool is_of_box(const CgDraft *d, int scope, int of)
{
    int group = d->scope.at[of].group;
    while (scope > 0 && scope != of && !(group && d->scope.at[scope].group == group))
        scope = d->scope.at[scope].up;
    return scope > 0;
}

/* "1,234 parameters", with how many of them others use, too: elements of all that the ops of an instance use, and of
 * the siblings that it stands for, each once. "" where there are none. */
static const char *parameters(CgDraft *d, int scope)
{
    int64_t total = 0, shared = 0;
    CgMap users = { 0 }; /* in here, by parameter */
    uint64_t n;
    for (int count = 1; count >= 0; count--)
        for (CgRef r = 0; r < d->g->nodes.len; r++) {
            const CgDraftItem *it = &d->item[r];
            if (!it->drawn || (it->nrows && !is_of_box(d, it->instance, scope)))
                continue;
            for (int k = 0; k < it->nrows; k++) {
                CgRef param = it->rows[k];
                bool known = cg_map_get(&users, param + 1, &n);
                if (count) {
                    bool merged = it->stands != r && d->scope.at[it->instance].hidden < 0;
                    bool counts = cg_node(d->g, r)->why == CG_NONE && !merged;
                    cg_map_put(&users, param + 1, (known ? n : 0) + counts);
                } else if (n != UINT64_MAX) {
                    int64_t size = elements(cg_node_type(d->g, param));
                    total += size;
                    shared += (uint64_t)d->item[param].users > n ? size : 0;
                    cg_map_put(&users, param + 1, UINT64_MAX);
                }
            }
        }
    cg_map_deinit(&users);
    if (!total)
        return "";
    const char *all = cg_arena_printf(d->arena, "%s parameters", cg_draft_number(d, total));
    if (shared == total)
        return cg_arena_printf(d->arena, "%s, shared", all);
    return shared ? cg_arena_printf(d->arena, "%s, %s of them shared", all, cg_draft_number(d, shared)) : all;
}

static void make_instance(CgDraft *d, int scope, CgMap *used)
{
    CgDraftScope *pl = &d->scope.at[scope];
    CgBox box = { .kind = CG_BOX_INSTANCE, .type = "", .title = pl->name, .cluster = pl->cluster };
    box.id = unique(d, used, scope_id(pl));
    const char *of = made_of(d, pl);
    box.note = of ? of : "";
    box.frozen = pl->frozen > 0 && pl->trained == 0;
    if (pl->times > 1)
        box.title = cg_arena_printf(d->arena, "%s (x%d)", pl->name, pl->times);
    const char *around = heading(d, pl->up);
    if (around)
        box.title = cg_arena_printf(d->arena, "%s.%s", around, box.title);
    if (!pl->backward)
        box.type = parameters(d, scope);
    pl->box = (int)d->p->boxes.len;
    cg_vec_push(&d->p->boxes, box);
}

/* "blocks.3.attn/matmul.1", the second of its kind there: what is no box of its own is counted, too, so that a name
 * does not depend on what is folded. */
static const char *op_id(CgDraft *d, CgRef r, CgMap *used)
{
    const char *path = d->scope.at[d->item[r].instance].path;
    uint64_t count = 0;
    CgAtom stem = cg_intern_printf("%s/%s", path, cg_node(d->g, r)->op->name);
    cg_map_get(used, cg_map_ptr(stem), &count);
    cg_map_put(used, cg_map_ptr(stem), count + 1);
    return cg_arena_printf(d->arena, "%s.%d", *path ? stem : stem + 1, (int)count);
}

static void make_box(CgDraft *d, CgRef r, CgMap *used)
{
    int closed = d->scope.at[d->item[r].instance].closed;
    if (closed >= 0) {
        if (d->scope.at[closed].box < 0)
            make_instance(d, closed, used);
        d->item[r].box = d->scope.at[closed].box;
        return;
    }
    const CgNode *n = cg_node(d->g, r);
    CgDraftItem *it = &d->item[r];
    int scope = it->instance;
    CgBox box = { .note = it->note, .type = "", .cluster = d->scope.at[scope].cluster };
    box.derived = n->why != CG_NONE;
    box.where = where_written(d, n->span);
    box.parts = it->parts, box.hidden = it->hidden;
    box.result = named_type(d, r, &n->type);
    box.measure = d->o->remark ? d->o->remark[r] : NULL;
    box.ordered = !(n->op->traits & CG_COMMUTES);
    const char *path = d->scope.at[scope].path;
    if (it->input || it->param) {
        box.kind = it->input ? CG_BOX_INPUT : CG_BOX_PARAM;
        box.title = it->input ? cg_node_name(d->g, r) : param_name(d, r, scope);
        box.frozen = it->param && cg_draft_frozen(d, r);
        box.id = cg_arena_printf(d->arena, "%s:%s", it->input ? "input" : "param", cg_node_name(d->g, r));
    } else {
        box.id = op_id(d, r, used);
        bool constant = n->nin == 0 && (n->op->traits & CG_LEAF);
        box.kind = constant ? CG_BOX_CONST : CG_BOX_OP;
        box.title = constant ? const_text(d, r) : it->title ? it->title : n->op->name;
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
static bool in_one_fold(const CgDraft *d, CgRef a, CgRef b)
{
    for (int s = d->item[a].instance; s > 0; s = d->scope.at[s].up)
        for (int t = d->item[b].instance; t > 0; t = d->scope.at[t].up)
            if (s != t && d->scope.at[s].group && d->scope.at[s].group == d->scope.at[t].group)
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
    cg_vec_push(&d->p->arrows, ((CgArrow){ .from = from, .to = to, .label = label, .derived = derived }));
}

/* A type is said once: not again where it leaves a box that it entered, nor on a second arrow from one box. */
static void drop_repeated_labels(CgDraft *d, CgMap *used)
{
    size_t n = d->p->arrows.len;
    CgArrow *arrows = d->p->arrows.at;
    bool *repeated = CG_NEWN(d->arena, bool, n + 1);
    for (size_t i = 0; i < n; i++)
        cg_map_put(used, cg_map_ptr(cg_intern_printf("into %d %s", arrows[i].to, arrows[i].label)), 1);
    for (size_t i = 0; i < n; i++) {
        uint64_t old;
        CgAtom from = cg_intern_printf("from %d %s", arrows[i].from, arrows[i].label);
        repeated[i] = cg_map_get(used, cg_map_ptr(from), &old)
            || cg_map_get(used, cg_map_ptr(cg_intern_printf("into %d %s", arrows[i].from, arrows[i].label)), &old);
        cg_map_put(used, cg_map_ptr(from), 1);
    }
    for (size_t i = 0; i < n; i++)
        if (repeated[i])
            arrows[i].label = "";
}

/* What an output shows. */
typedef struct OutputEnd {
    int box; /* -1: none, it is a parameter or a constant */
    CgRef param;
    const CgType *type;
    int cluster; /* where all is open a gradient lies beside the op it comes from; else outputs are outside of all */
} OutputEnd;

static bool all_is_open(const CgDraft *d)
{
    bool open = true;
    for (size_t s = 0; s < d->scope.len; s++)
        open = open && d->scope.at[s].closed < 0;
    return open;
}

static OutputEnd end_of(const CgDraft *d, const CgOutput *o, bool open)
{
    OutputEnd end = { .box = -1, .cluster = -1 };
    CgRef from = cg_draft_source(d, o->ref, &end.type, &end.param);
    if (from == CG_NONE)
        return end;
    end.box = d->item[cg_draft_stands(d, from)].box;
    if (open && d->scope.at[d->item[from].instance].backward)
        end.cluster = d->p->boxes.at[end.box].cluster;
    return end;
}

/* How long the beginning is, of whole parts of a path, that two names have in common: 5 for "grad.a" and "grad.b". */
static size_t common_stem(const char *a, const char *b, size_t most)
{
    size_t stem = 0;
    for (size_t i = 0; i < most && a[i] && a[i] == b[i]; i++)
        stem = a[i] == '.' ? i + 1 : stem;
    return stem;
}

/* Where instances are boxes, outputs of one box are one, too, if their names say what they are together. False where
 * output i is for itself; else later ones of them are known in `done`. */
static bool make_outputs_of(CgDraft *d, const OutputEnd *end, size_t i, bool *done)
{
    const CgGraph *g = d->g;
    int n = 1;
    const char *name = g->outputs.at[i].name;
    size_t stem = strlen(name);
    if (end[i].box < 0 || d->o->detail != CG_DETAIL_GRAPH || !d->brief)
        return false;
    for (size_t k = i + 1; k < g->outputs.len; k++) {
        size_t with = end[k].box == end[i].box ? common_stem(name, g->outputs.at[k].name, stem) : 0;
        if (with)
            n++, stem = with, done[k] = true;
    }
    if (n < 2)
        return false;
    CgBox box = { .kind = CG_BOX_OUTPUT, .note = "", .cluster = end[i].cluster };
    box.title = cg_arena_printf(d->arena, "%.*s*", (int)stem, name);
    box.type = cg_arena_printf(d->arena, "%s outputs", cg_draft_number(d, n));
    box.id = cg_arena_printf(d->arena, "output:%s", name);
    cg_vec_push(&d->p->boxes, box);
    return true;
}

static void make_output(CgDraft *d, const CgOutput *o, const OutputEnd *end)
{
    CgBox box = { .kind = CG_BOX_OUTPUT, .title = o->name, .note = "", .cluster = end->cluster };
    box.rows = CG_NEW(d->arena, CgBoxRow);
    box.type = type_text(d, end->type);
    box.id = cg_arena_printf(d->arena, "output:%s", o->name);
    if (end->box < 0 && end->param != CG_NONE) {
        box.nrows = 1;
        box.rows[0] = (CgBoxRow){ .name = cg_node_name(d->g, end->param), .type = "" };
        box.rows[0].frozen = cg_draft_frozen(d, end->param);
    }
    cg_vec_push(&d->p->boxes, box);
}

static void make_outputs(CgDraft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    OutputEnd *end = CG_NEWN(d->arena, OutputEnd, g->outputs.len + 1);
    bool *done = CG_NEWN(d->arena, bool, g->outputs.len + 1), open = all_is_open(d);
    for (size_t i = 0; i < g->outputs.len; i++)
        end[i] = end_of(d, &g->outputs.at[i], open);
    for (size_t i = 0; i < g->outputs.len; i++) {
        if (done[i])
            continue;
        if (!make_outputs_of(d, end, i, done))
            make_output(d, &g->outputs.at[i], &end[i]);
        if (end[i].box >= 0)
            make_arrow(d, used, end[i].box, (int)d->p->boxes.len - 1, "", false);
    }
}

/* Which argument of a scope of the graph the box is, or lies behind; their number where it is none. */
static int argument(const CgDraft *d, const CgScope *s, int box)
{
    const CgType *type;
    CgRef param;
    int k = 0;
    for (; k < s->nargs; k++) {
        CgRef from = cg_draft_source(d, s->args[k], &type, &param);
        if (from != CG_NONE && d->item[cg_draft_stands(d, from)].box == box)
            break;
    }
    return k;
}

/* Arrows into an instance that is one box come in the order of its arguments, those that are none behind them. */
static void order_arguments(CgDraft *d)
{
    CgPicture *p = d->p;
    for (size_t s = 1; s < d->g->scopes.len; s++) {
        const CgScope *scope = &d->g->scopes.at[s];
        int own = d->of_scope[s], box = d->scope.at[own].box;
        if (scope->nargs < 2 || own == d->of_scope[scope->parent] || d->scope.at[own].closed != own || box < 0)
            continue;
        p->boxes.at[box].ordered = true;
        for (size_t i = 1; i < p->arrows.len; i++)
            for (size_t k = i, to = i; p->arrows.at[to].to == box && k-- > 0;) {
                if (p->arrows.at[k].to != box)
                    continue;
                CgArrow *a = &p->arrows.at[k], *b = &p->arrows.at[to], swap = *a;
                if (argument(d, scope, a->from) <= argument(d, scope, b->from))
                    break;
                *a = *b, *b = swap;
                to = k;
            }
    }
}

static void make_arrows(CgDraft *d, CgMap *used)
{
    const CgGraph *g = d->g;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (!d->item[r].drawn)
            continue;
        const CgNode *n = cg_node(g, r);
        int away = d->scope.at[d->item[r].instance].hidden;
        for (int k = 0; k < d->item[r].nlinks; k++) {
            const CgDraftLink *l = &d->item[r].links[k];
            /* inside a folded-away sibling all is as inside the one that stands for it */
            int away_too = d->scope.at[d->item[l->from].instance].hidden;
            if (in_one_fold(d, l->from, r) || (away >= 0 && away_too == away))
                continue;
            int from = d->item[cg_draft_stands(d, l->from)].box, to = d->item[cg_draft_stands(d, r)].box;
            if (from == to)
                continue;
            /* which operand it is, is not said of what is inside of a box */
            bool number = d->o->detail == CG_DETAIL_GRAPH && d->p->boxes.at[to].kind == CG_BOX_INSTANCE;
            make_arrow(d, used, from, to, number ? "" : l->label, n->why != CG_NONE);
        }
    }
    order_arguments(d);
    make_outputs(d, used);
}

static void draft(CgDraft *d)
{
    const CgGraph *g = d->g;
    d->brief = d->o->depth != 0;
    d->scope.len = 0;
    d->groups = 0;
    d->item = CG_NEWN(d->arena, CgDraftItem, g->nodes.len + 1);
    cg_draft_choose(d);
    cg_draft_instances(d);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (d->item[r].drawn)
            link_node(d, r);
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgType *type;
        CgRef param, from = cg_draft_source(d, g->outputs.at[i].ref, &type, &param);
        if (from != CG_NONE)
            d->item[from].output = true;
    }
    cg_draft_gather(d);
    if (d->o->fold && (d->o->detail == CG_DETAIL_MODEL || d->brief)) {
        cg_draft_turns(d);
        cg_draft_fold(d);
        cg_draft_turns_end(d);
    }
    if (d->o->detail == CG_DETAIL_MODEL && d->o->fold)
        cg_draft_merge(d);
    count_boxes(d);
    count_frozen(d);
}

CgPicture *cg_picture_build(const CgGraph *g, const CgPictureOptions *options)
{
    CgPicture *p = cg_calloc(1, sizeof *p);
    p->arena = cg_arena_new();
    p->detail = options->detail;
    CgDraft *d = p->draft = CG_NEW(p->arena, CgDraft);
    *d = (CgDraft){ .g = g, .o = CG_NEW(p->arena, CgPictureOptions), .p = p, .arena = p->arena };
    *d->o = *options;
    if (options->detail == CG_DETAIL_MODEL)
        find_sizes(d);
    draft(d);
    for (size_t s = 1; s < d->scope.len; s++)
        if (d->scope.at[s].up == 0)
            p->root = p->root ? "" : d->scope.at[s].path;
    cg_picture_set_depth(p, options->depth);
    return p;
}

void cg_picture_set_depth(CgPicture *p, int depth)
{
    CgDraft *d = p->draft;
    CgMap used = { 0 };
    d->o->depth = depth;
    if (d->o->detail == CG_DETAIL_GRAPH && d->brief != (depth != 0))
        draft(d);
    p->boxes.len = p->arrows.len = p->clusters.len = 0;
    cg_draft_close(d);
    make_clusters(d, &used);
    for (CgRef r = 0; r < d->g->nodes.len; r++)
        if (d->item[r].drawn && d->item[r].stands == r)
            make_box(d, r, &used);
        else if (d->item[r].drawn && d->scope.at[d->item[r].instance].hidden < 0)
            op_id(d, r, &used);
    make_arrows(d, &used);
    if (d->o->detail == CG_DETAIL_MODEL)
        drop_repeated_labels(d, &used);
    if (d->o->overlay)
        cg_draft_measure(d);
    p->legend = legend(d);
    cg_map_deinit(&used);
}

void cg_picture_free(CgPicture *p)
{
    if (!p)
        return;
    cg_vec_free(&p->boxes);
    cg_vec_free(&p->arrows);
    cg_vec_free(&p->clusters);
    if (p->draft) {
        cg_map_deinit(&p->draft->sizes);
        cg_vec_free(&p->draft->scope);
    }
    cg_arena_free(p->arena);
    free(p);
}
