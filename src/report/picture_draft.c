/* picture_draft.c - what is known of each node before a picture is made.
 * Takes a graph and a level of detail; gives which nodes are drawn, and what an operand shows.
 * Decides by what ops declare, never by which op it is. */
#include "report/picture_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "graph/use.h"

/* How many last parts two paths have in common; n and m are their lengths. */
static int common_end(const char *a, size_t n, const char *b, size_t m)
{
    int components = 0;
    while (n > 0 && m > 0) {
        size_t i = n, k = m;
        while (i > 0 && a[i - 1] != '.')
            i--;
        while (k > 0 && b[k - 1] != '.')
            k--;
        if (n - i != m - k || memcmp(a + i, b + k, n - i) != 0)
            break;
        components++;
        n = i ? i - 1 : 0;
        m = k ? k - 1 : 0;
    }
    return components;
}

/* A scope says where a part is applied, a path who owns it (a compressor applies blocks of its encoder), so ends are
 * compared, not beginnings. */
const char *cg_draft_path_below(const char *scope, const char *path)
{
    size_t n = strlen(scope);
    const char *rest = n ? NULL : path;
    int best = 0;
    for (size_t m = strlen(path); m-- > 0;) {
        int components = path[m] == '.' ? common_end(scope, n, path, m) : 0;
        if (components > best) {
            best = components;
            rest = path + m + 1;
        }
    }
    return rest;
}

bool cg_draft_frozen(const CgDraft *d, CgRef param)
{
    return d->o->frozen && d->o->frozen(d->o->context, cg_node_name(d->g, param));
}

static bool is_broadcast(const CgGraph *g, const CgNode *n)
{
    if (!n->op->view || n->nin != 1)
        return false;
    const CgType *from = cg_node_type(g, n->in[0]);
    return n->type.rank > from->rank && cg_type_count(n->type) != cg_type_count(*from);
}

/* A view that shows all of its operand's elements, and stops no derivative: the eye may pass through it.
 * A slice selects, so it stays. */
static bool is_transparent(const CgGraph *g, const CgNode *n)
{
    if (cg_node_is_result(n))
        return true;
    if (!n->op->view || n->nin != 1 || (n->op->traits & CG_NODIFF))
        return false;
    return is_broadcast(g, n) || cg_type_count(n->type) == cg_type_count(*cg_node_type(g, n->in[0]));
}

void cg_draft_choose(CgDraft *d)
{
    const CgGraph *g = d->g;
    bool all = d->o->detail == CG_DETAIL_GRAPH && !d->brief;
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

static bool says_nothing(const CgAttr *a)
{
    double none = strcmp(a->name, "scale") == 0 ? 1 : 0;
    return a->f <= none && a->f >= none;
}

/* Whether an attribute is worth a reader's time: not types and new dims, which are shown anyway, and in the picture
 * of a model not what is 0, a scale of 1, or the stream of random numbers, which is a digest of the box's own path. */
static bool attr_matters(const CgAttr *a, bool model)
{
    int64_t value = -1;
    switch (a->kind) {
    case CG_ATTR_TYPE:
    case CG_ATTR_GRAPH: return false;
    case CG_ATTR_INT: return !model || (a->i != 0 && strcmp(a->name, "stream") != 0) || strcmp(a->name, "axis") == 0;
    case CG_ATTR_DIMS:
        if (strcmp(a->name, "dims") == 0)
            return false;
        return !model || a->n != 1 || !cg_dim_is_int(a->dims[0], &value) || value != 0;
    case CG_ATTR_FLOAT: return !model || !says_nothing(a);
    case CG_ATTR_STR:
    case CG_ATTR_INTS: return true;
    }
    return true;
}

void cg_draft_note_add(CgStrbuf *note, const char *text)
{
    if (note->len)
        cg_strbuf_puts(note, ", ");
    cg_strbuf_puts(note, text);
}

void cg_draft_note(CgStrbuf *note, const CgAttrs *attrs, CgDetail detail)
{
    for (int i = 0; attrs && i < attrs->n; i++) {
        const CgAttr *a = &attrs->at[i];
        CgAttrs alone = { 1, a };
        CgStrbuf text = { 0 };
        if (!attr_matters(a, detail == CG_DETAIL_MODEL))
            continue;
        if (a->kind == CG_ATTR_FLOAT)
            cg_strbuf_printf(&text, "%s=%.4g", a->name, a->f);
        else
            cg_attrs_print(&alone, &text);
        cg_draft_note_add(note, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
}

const char *cg_draft_number(const CgDraft *d, int64_t n)
{
    char digits[32], text[48];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n), to = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = 0;
    return cg_arena_strdup(d->arena, text);
}
