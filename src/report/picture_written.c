/* picture_written.c - what the author wrote as one thing is one box.
 * Takes the draft of a picture of a model; nodes that were written as one expression over the operands of one of them,
 * a product with what is added to it, a mean, a norm of plain arithmetic, stand for its outermost. So does what is
 * another op spelled out in products of products, as attention is. Knows no op by name. */
#include "report/picture_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/use.h"

enum { MOST = 32, SHORT = 30 };

/* Nodes that become one box; [0] is the one they stand for. */
typedef struct Group {
    CgRef at[MOST];
    int n;
} Group;

typedef struct Users {
    size_t *first; /* by node; of[first[r]] .. of[first[r + 1] - 1] are drawn nodes that take from it */
    CgRef *of;
    bool *is_output;
} Users;

static bool has(const Group *group, CgRef r)
{
    for (int i = 0; i < group->n; i++)
        if (group->at[i] == r)
            return true;
    return false;
}

/* ---- who takes what ---- */

static Users users_of(const CgDraft *d)
{
    const CgGraph *g = d->g;
    size_t n = g->nodes.len;
    Users u = { CG_NEWN(d->arena, size_t, n + 2), NULL, CG_NEWN(d->arena, bool, n + 1) };
    for (CgRef r = 0; r < n; r++)
        for (int k = 0; d->item[r].drawn && k < d->item[r].nlinks; k++)
            u.first[d->item[r].links[k].from + 2]++;
    for (size_t r = 1; r < n + 2; r++)
        u.first[r] += u.first[r - 1];
    u.of = CG_NEWN(d->arena, CgRef, u.first[n + 1] + 1);
    for (CgRef r = 0; r < n; r++)
        for (int k = 0; d->item[r].drawn && k < d->item[r].nlinks; k++)
            u.of[u.first[d->item[r].links[k].from + 1]++] = r;
    for (size_t i = 0; i < g->outputs.len; i++) {
        const CgType *type;
        CgRef param, from = cg_draft_source(d, g->outputs.at[i].ref, &type, &param);
        if (from != CG_NONE)
            u.is_output[from] = true;
    }
    return u;
}

/* Nobody but the group takes from r. */
static bool is_inner(const Users *u, const Group *group, CgRef r)
{
    for (size_t i = u->first[r]; i < u->first[r + 1]; i++)
        if (!has(group, u->of[i]))
            return false;
    return !u->is_output[r];
}

/* ---- one expression ---- */

static bool is_plain(const CgDraft *d, CgRef r)
{
    const CgNode *n = cg_node(d->g, r);
    const CgDraftItem *it = &d->item[r];
    return it->drawn && it->stands == r && !it->input && !it->param && n->nout == 1;
}

/* Arithmetic, a reduction, a choice of elements: what a reader takes in at one glance, with what it is done to. */
static bool is_light(const CgDraft *d, CgRef r)
{
    const CgNode *n = cg_node(d->g, r);
    const CgDraftItem *it = &d->item[r];
    return is_plain(d, r) && n->nin > 0 && !(n->op->traits & (CG_PRODUCTS | CG_RANDOM | CG_LOOP | CG_LEAF))
        && (it->nrows == 0 || (n->op->traits & CG_ELEMENTWISE));
}

static bool lies_within(CgSpan inner, CgSpan outer)
{
    return outer.file && inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end
        && inner.start < inner.end;
}

/* A node of a group that takes all that the group takes from elsewhere. */
static bool takes_all(const CgDraft *d, const Group *group)
{
    for (int i = 0; i < group->n; i++) {
        bool all = true;
        for (int m = 0; m < group->n && all; m++)
            for (int k = 0; k < d->item[group->at[m]].nlinks && all; k++) {
                CgRef from = d->item[group->at[m]].links[k].from;
                const CgDraftItem *it = &d->item[group->at[i]];
                bool found = has(group, from);
                for (int j = 0; j < it->nlinks && !found; j++)
                    found = it->links[j].from == from;
                all = found;
            }
        if (all)
            return true;
    }
    return false;
}

/* Root with what was written inside of its expression and is used nowhere else: light ops, and one other at the end. */
static Group expression_at(const CgDraft *d, const Users *u, CgRef root)
{
    Group group = { { root }, 1 };
    bool grown = true;
    CgRef heavy = CG_NONE;
    while (grown) {
        grown = false;
        for (int m = 0; m < group.n; m++)
            for (int k = 0; group.at[m] != heavy && k < d->item[group.at[m]].nlinks && group.n < MOST; k++) {
                CgRef from = d->item[group.at[m]].links[k].from;
                bool light = is_light(d, from);
                if (has(&group, from) || !is_plain(d, from) || (!light && heavy != CG_NONE)
                    || !is_inner(u, &group, from) || d->item[from].instance != d->item[root].instance
                    || !lies_within(cg_node(d->g, from)->span, cg_node(d->g, root)->span))
                    continue;
                heavy = light ? heavy : from;
                group.at[group.n++] = from;
                grown = true;
            }
    }
    if (!takes_all(d, &group))
        group.n = 1;
    return group;
}

/* ---- an op spelled out ---- */

/* A copy of the graph in which ops may be built, and its nodes by those of the graph and back. */
typedef struct Copy {
    CgGraph *g;
    CgRef *to, *back;
} Copy;

static Copy copy_of(const CgGraph *g)
{
    Copy c = { .to = cg_malloc(sizeof *c.to * (g->nodes.len + 1)) };
    c.g = cg_pass_begin(g, c.to);
    CgBuild b = cg_build_at(c.g);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (c.to[r] == CG_NONE)
            c.to[r] = cg_pass_copy(&b, g, r, c.to);
    c.back = cg_malloc(sizeof *c.back * (c.g->nodes.len + 1));
    for (CgRef r = 0; r < c.g->nodes.len; r++)
        c.back[r] = CG_NONE;
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        c.back[c.to[r]] = r;
    return c;
}

/* The nodes of the graph that `found`, built behind the first n nodes of the copy, takes; gives the node of `op` among
 * what was built, NULL where there is none. */
static const CgNode *operands_of(const Copy *c, CgRef found, size_t n, const CgOp *op, Group *out)
{
    const CgNode *is = NULL;
    CgRef todo[MOST];
    int left = 1;
    todo[0] = found;
    while (left) {
        const CgNode *node = cg_node(c->g, todo[--left]);
        is = node->op == op ? node : is;
        for (int i = 0; i < node->nin; i++)
            if (node->in[i] < n && out->n < MOST)
                out->at[out->n++] = c->back[node->in[i]];
            else if (node->in[i] >= n && left < MOST)
                todo[left++] = node->in[i];
    }
    return is;
}

/* All drawn nodes between the operands and root; none where others take from one of them, or it lies in an instance
 * that is not root's or below. */
static Group between(const CgDraft *d, const Users *u, CgRef root, const Group *operands, int *products)
{
    Group group = { { root }, 1 }, ends = { .n = 0 };
    for (int i = 0; i < operands->n; i++) {
        const CgType *type;
        CgRef param, from = cg_draft_source(d, operands->at[i], &type, &param);
        if (from != CG_NONE && !has(&ends, from))
            ends.at[ends.n++] = from;
    }
    *products = 0;
    for (int m = 0; m < group.n; m++) {
        CgRef r = group.at[m];
        *products += (cg_node(d->g, r)->op->traits & CG_PRODUCTS) != 0;
        int up = d->item[r].instance;
        while (up > d->item[root].instance)
            up = d->scope.at[up].up;
        if (!is_plain(d, r) || up != d->item[root].instance || (m && !is_inner(u, &group, r)))
            return (Group){ .n = 0 };
        for (int k = 0; k < d->item[r].nlinks; k++) {
            CgRef from = d->item[r].links[k].from;
            if (has(&ends, from) || has(&group, from))
                continue;
            if (group.n == MOST)
                return (Group){ .n = 0 };
            group.at[group.n++] = from;
        }
    }
    return group;
}

/* What root and what stands before it spell out: an op in the place of two products, or root's own, said in a shorter
 * way, as causal attention is said without a mask; NULL where there is none. */
static const CgNode *spelled_at(const CgDraft *d, const Users *u, Copy *c, CgRef root, Group *group)
{
    const CgNode *n = cg_node(d->g, root);
    size_t before = c->g->nodes.len;
    CgBuild b = cg_build_at(c->g);
    b.scope = n->scope;
    b.span = n->span;
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        CgRef found = op->match ? op->match(&b, c->to[root]) : CG_NONE;
        if (found == CG_NONE || found == c->to[root])
            continue;
        Group operands = { .n = 0 };
        int products;
        const CgNode *is = operands_of(c, found, before, op, &operands);
        *group = (Group){ { root }, 1 };
        if (is && op == n->op)
            return is;
        *group = between(d, u, root, &operands, &products);
        if (is && group->n > 2 && products > 1)
            return is;
    }
    return NULL;
}

/* ---- what it is called ---- */

typedef struct Text {
    const char *at;
    size_t n;
} Text;

static Text text_of(const CgDraft *d, CgSpan span)
{
    const CgSource *file = d->o->sources && span.file ? cg_sources_get(d->o->sources, span.file) : NULL;
    bool known = file && span.end <= file->len && span.start < span.end;
    return known ? (Text){ file->text + span.start, span.end - span.start } : (Text){ NULL, 0 };
}

/* "mean" of "mean(x, axis = 1)"; NULL where the expression is no call of a name. */
static const char *called(const CgDraft *d, CgSpan span)
{
    Text t = text_of(d, span);
    size_t n = t.n ? strspn(t.at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.") : 0;
    int deep = 0;
    for (size_t i = n; i + 1 < t.n; i++) {
        deep += (t.at[i] == '(') - (t.at[i] == ')');
        if (deep == 0)
            return NULL; /* f(x) * g(y) */
    }
    bool whole = n > 0 && n < t.n && t.at[n] == '(' && t.at[t.n - 1] == ')';
    return whole ? cg_arena_printf(d->arena, "%.*s", (int)n, t.at) : NULL;
}

/* What is between two brackets: the least that is too much, else the longest; false where there is nothing. */
static bool find_too_much(const char *s, size_t too_many, size_t *from, size_t *to)
{
    size_t open[MOST], best = 0;
    int deep = 0;
    for (size_t i = 0; s[i]; i++) {
        if (strchr("([", s[i]) && deep < MOST)
            open[deep++] = i + 1;
        if (!strchr(")]", s[i]) || deep == 0)
            continue;
        size_t start = open[--deep], n = i - start;
        bool enough = n >= too_many + 2, better = best < too_many + 2 ? n > best : enough && n < best;
        if (n > 2 && better)
            best = n, *from = start, *to = i;
    }
    return best > 0;
}

/* What the author wrote, without what does not fit: "einsum(..) / sqrt(K)"; NULL when it is too long even so. */
static const char *shortened(const CgDraft *d, CgSpan span)
{
    Text t = text_of(d, span);
    CgStrbuf out = { 0 };
    size_t from, to;
    bool comment = false, blank = false;
    for (size_t i = 0; i < t.n; i++) {
        comment = t.at[i] == '#' || (comment && t.at[i] != '\n');
        if (comment || t.at[i] <= ' ') {
            blank = true;
            continue;
        }
        if (blank && out.len && !strchr(")]", t.at[i]) && !strchr("([", out.at[out.len - 1]))
            cg_strbuf_putc(&out, ' ');
        cg_strbuf_putc(&out, t.at[i]);
        blank = false;
    }
    while (out.len > SHORT && find_too_much(cg_strbuf_str(&out), out.len - SHORT, &from, &to)) {
        CgStrbuf less = { 0 };
        cg_strbuf_printf(&less, "%.*s..%s", (int)from, cg_strbuf_str(&out), cg_strbuf_str(&out) + to);
        cg_strbuf_deinit(&out);
        out = less;
    }
    const char *text = out.len && out.len <= SHORT ? cg_arena_strdup(d->arena, cg_strbuf_str(&out)) : NULL;
    cg_strbuf_deinit(&out);
    return text;
}

/* Whether all of a group was made by one and the same expression. */
static bool one_expression(const CgDraft *d, const Group *group)
{
    CgSpan span = cg_node(d->g, group->at[0])->span;
    for (int i = 1; i < group->n; i++)
        if (!lies_within(span, cg_node(d->g, group->at[i])->span))
            return false;
    return true;
}

/* Whether what the group takes was made by its own expression: then nobody wrote the group itself. */
static bool is_implied(const CgDraft *d, const Group *group)
{
    CgSpan span = cg_node(d->g, group->at[0])->span;
    for (int i = 0; i < group->n; i++)
        for (int k = 0; k < d->item[group->at[i]].nlinks; k++) {
            CgRef from = d->item[group->at[i]].links[k].from;
            if (!has(group, from) && lies_within(span, cg_node(d->g, from)->span))
                return true;
        }
    return false;
}

/* A function's name where one call made all; a loss is the mean of what was written; else what was written. NULL where
 * that says nothing. */
static const char *title_of(const CgDraft *d, const Group *group)
{
    const CgGraph *g = d->g;
    CgSpan span = cg_node(g, group->at[0])->span;
    if (is_implied(d, group))
        return NULL;
    const char *name = one_expression(d, group) ? called(d, span) : NULL;
    if (!name)
        return shortened(d, span);
    if (strcmp(cg_node(g, group->at[0])->op->name, name) == 0)
        return name; /* max over two axes is a max of a max */
    for (int i = 1; i < group->n; i++)
        if (strcmp(cg_node(g, group->at[i])->op->name, name) == 0)
            return cg_arena_printf(d->arena, "mean of %s", name);
    return name;
}

/* ---- one box ---- */

static const char *joined(const CgDraft *d, const char *before, const char *more)
{
    return !*before ? more : !*more ? before : cg_arena_printf(d->arena, "%s, %s", before, more);
}

static const char *attributes(const CgDraft *d, const CgNode *n)
{
    CgStrbuf note = { 0 };
    cg_draft_note(&note, n->attrs, d->o->detail);
    const char *text = cg_arena_strdup(d->arena, cg_strbuf_str(&note));
    cg_strbuf_deinit(&note);
    return text;
}

static void merge(CgDraft *d, const Group *group)
{
    CgDraftItem *to = &d->item[group->at[0]];
    int nrows = 0;
    for (int i = 0; i < group->n; i++)
        nrows += d->item[group->at[i]].nrows;
    CgRef *rows = CG_NEWN(d->arena, CgRef, nrows + 1);
    nrows = 0;
    for (int i = group->n; i-- > 0;) {
        CgDraftItem *it = &d->item[group->at[i]];
        for (int k = 0; k < it->nrows; k++) {
            bool known = false;
            for (int j = 0; j < nrows; j++)
                known = known || rows[j] == it->rows[k];
            if (known)
                d->item[it->rows[k]].users--;
            else
                rows[nrows++] = it->rows[k];
        }
        it->stands = group->at[0];
        to->parts = joined(d, to->parts ? to->parts : "", cg_node(d->g, group->at[i])->op->name);
    }
    to->rows = rows;
    to->nrows = nrows;
}

static void merge_expression(CgDraft *d, const Group *group)
{
    CgDraftItem *to = &d->item[group->at[0]];
    const char *title = title_of(d, group), *note = "";
    bool call = one_expression(d, group);
    for (int i = group->n; i-- > 0;) /* numbers of a call are those that it is made of */
        note = joined(d, note, call && title ? attributes(d, cg_node(d->g, group->at[i])) : d->item[group->at[i]].note);
    merge(d, group);
    to->title = title ? title : to->parts;
    to->note = call || !title ? note : "";
    to->hidden = call || !title ? NULL : note;
}

static void merge_spelled(CgDraft *d, const Group *group, const CgNode *as)
{
    CgDraftItem *to = &d->item[group->at[0]];
    if (group->n > 1)
        merge(d, group);
    to->title = as->op->name;
    to->note = attributes(d, as);
}

/* A choice of elements is told by how it was written, and so is arithmetic with a number: "x / sqrt(K)". */
static void call_choice(CgDraft *d, CgRef r)
{
    CgDraftItem *it = &d->item[r];
    bool told = cg_node(d->g, r)->op->view || (*it->scalars && (cg_node(d->g, r)->op->traits & CG_ELEMENTWISE));
    it->title = told ? shortened(d, cg_node(d->g, r)->span) : NULL;
    if (it->title)
        it->hidden = it->note, it->note = "";
}

void cg_draft_merge(CgDraft *d)
{
    const CgGraph *g = d->g;
    Users u = users_of(d);
    Copy copy = copy_of(g);
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;) {
        Group group = { .n = 0 };
        bool products = d->item[r].drawn && d->item[r].stands == r && (cg_node(g, r)->op->traits & CG_PRODUCTS);
        const CgNode *is = products ? spelled_at(d, &u, &copy, r, &group) : NULL;
        if (is) {
            merge_spelled(d, &group, is);
        } else if (is_light(d, r)) {
            group = expression_at(d, &u, r);
            if (group.n > 1)
                merge_expression(d, &group);
            else
                call_choice(d, r);
        }
    }
    cg_graph_free(copy.g);
    free(copy.to);
    free(copy.back);
}

CgRef cg_draft_stands(const CgDraft *d, CgRef r)
{
    while (d->item[r].stands != r)
        r = d->item[r].stands;
    return r;
}
