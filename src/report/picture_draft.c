/* picture_draft.c - what is known of each node before a picture is made.
 * Takes a graph and a level of detail; gives which nodes are drawn, and what an operand shows.
 * Decides by what ops declare, never by which op it is. */
#include "report/picture_inside.h"

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

void cg_draft_choose(CgDraft *d)
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

/* "mean" of "mean(x, axis = 1)"; NULL where the expression is no call of a name. */
static const char *called(const CgDraft *d, CgSpan span)
{
    const CgSource *file = d->o->sources && span.file ? cg_sources_get(d->o->sources, span.file) : NULL;
    if (!file || span.end > file->len)
        return NULL;
    const char *text = file->text + span.start;
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");
    bool whole = n > 0 && span.start + n < span.end && text[n] == '(' && text[span.end - span.start - 1] == ')';
    return whole ? cg_arena_printf(d->arena, "%.*s", (int)n, text) : NULL;
}

static bool one_expression(const CgDraft *d, CgRef a, CgRef b)
{
    CgSpan x = cg_node(d->g, a)->span, y = cg_node(d->g, b)->span;
    return x.file && x.file == y.file && x.start == y.start && x.end == y.end
        && d->item[a].instance == d->item[b].instance && d->item[b].drawn && !d->item[b].input && !d->item[b].param;
}

static void merge_into(CgDraft *d, CgRef r, CgRef part, const char *title)
{
    CgDraftItem *to = &d->item[r], *it = &d->item[part];
    CgRef *rows = CG_NEWN(d->arena, CgRef, to->nrows + it->nrows + 1);
    memcpy(rows, to->rows, (size_t)to->nrows * sizeof *rows);
    memcpy(rows + to->nrows, it->rows, (size_t)it->nrows * sizeof *rows);
    to->rows = rows;
    to->nrows += it->nrows;
    to->title = title;
    if (*it->note)
        to->note = *to->note ? cg_arena_printf(d->arena, "%s, %s", it->note, to->note) : it->note;
    it->stands = r;
}

/* Whether the op of that name, made by the same expression, stands before `r`. */
static bool starts_as(const CgDraft *d, CgRef r, const char *name)
{
    for (int k = 0; k < d->item[r].nlinks; k++) {
        CgRef from = d->item[r].links[k].from;
        if (one_expression(d, r, from) && strcmp(cg_node(d->g, from)->op->name, name) == 0)
            return true;
    }
    return false;
}

void cg_draft_merge(CgDraft *d)
{
    const CgGraph *g = d->g;
    int *users = CG_NEWN(d->arena, int, g->nodes.len + 1);
    for (CgRef r = 0; r < g->nodes.len; r++)
        for (int k = 0; d->item[r].drawn && k < d->item[r].nlinks; k++)
            users[d->item[r].links[k].from]++;
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgType *type;
        CgRef param, from = cg_draft_source(d, g->outputs.at[i].ref, &type, &param);
        if (from != CG_NONE)
            users[from] += 2;
    }
    for (CgRef r = 0; r < g->nodes.len; r++)
        for (int k = 0; d->item[r].drawn && k < d->item[r].nlinks; k++) {
            CgRef from = d->item[r].links[k].from;
            bool part = users[from] == 1 && one_expression(d, r, from);
            const char *title = part ? called(d, cg_node(g, r)->span) : NULL;
            bool own = title && cg_node(g, r)->op != cg_node(g, from)->op;
            /* a loss is the mean of what the author wrote, cross_entropy(..) */
            if (own && strcmp(cg_node(g, from)->op->name, title) == 0)
                continue;
            if (own && starts_as(d, from, title))
                title = "mean";
            if (title)
                merge_into(d, r, from, title);
        }
}

CgRef cg_draft_stands(const CgDraft *d, CgRef r)
{
    while (d->item[r].stands != r)
        r = d->item[r].stands;
    return r;
}
