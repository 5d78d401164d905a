/* picture_fold.c - equal siblings drawn as one.
 * Takes the draft of a picture; marks runs of blocks.0, blocks.1, ... that are alike in all but their numbers, the
 * first of which stands for all. Must not change what is shown inside of it. */
#include "report/picture_inside.h"

#include <string.h>

#include "graph/text.h"

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

/* Siblings under one parent with one stem, in order of their numbers, and the drawn nodes of each, derivatives as well:
 * what is alike forwards and backwards is folded in both. */
typedef struct Family {
    int *scope;
    Refs *nodes;
    int len;
    int *member; /* by node: which sibling it lies in, or -1 */
} Family;

/* Siblings first .. last, and whether one takes from those before it, or from those after it. */
typedef struct Run {
    int first, last;
    bool forward, backward;
} Run;

static bool scopes_alike(const CgDraft *d, int a, int top_a, int b, int top_b)
{
    for (; a > 0 && b > 0 && a != top_a && b != top_b; a = d->scope.at[a].up, b = d->scope.at[b].up)
        if (d->scope.at[a].name != d->scope.at[b].name || d->scope.at[a].graph != d->scope.at[b].graph)
            return false;
    return a == top_a && b == top_b;
}

/* A size that goes up by the same from each turn of a loop to the next: of which elements a view is. */
static bool goes_on(const CgAttr *a, const CgAttr *next, const CgAttr *b, int far)
{
    int64_t first, second, last;
    bool sizes = a->kind == CG_ATTR_DIMS && next->kind == CG_ATTR_DIMS && b->kind == CG_ATTR_DIMS && a->n == 1
        && next->n == 1 && b->n == 1;
    return sizes && cg_dim_is_int(a->dims[0], &first) && cg_dim_is_int(next->dims[0], &second)
        && cg_dim_is_int(b->dims[0], &last) && last - first == far * (second - first);
}

/* Names and streams of random numbers differ between siblings by their nature; b is `far` siblings further than a, and
 * `next`, where such sizes may go on, one. */
static bool attrs_alike(const CgAttrs *a, const CgAttrs *next, const CgAttrs *b, int far)
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
        if (next && next->n == a->n && goes_on(&a->at[i], &next->at[i], &b->at[i], far))
            continue;
        CgStrbuf s = { 0 }, t = { 0 };
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

static bool params_alike(const CgDraft *d, CgRef a, int top_a, CgRef b, int top_b)
{
    const char *x = cg_draft_path_below(d->scope.at[top_a].path, cg_node_name(d->g, a));
    const char *y = cg_draft_path_below(d->scope.at[top_b].path, cg_node_name(d->g, b));
    if (a == b)
        return true;
    return x && y && strcmp(x, y) == 0 && cg_draft_frozen(d, a) == cg_draft_frozen(d, b)
        && cg_type_equal(cg_node_type(d->g, a), cg_node_type(d->g, b));
}

/* The instance of sibling i in which node r of it lies: what it is, or what holds its derivatives. */
static int top_of(const CgDraft *d, const Family *f, int i, CgRef r)
{
    return d->scope.at[d->item[r].instance].backward ? d->scope.at[f->scope[i]].twin : f->scope[i];
}

/* Node p of two siblings in everything but where its operands come from. */
static bool nodes_alike(const CgDraft *d, const Family *f, size_t p, int first, int other)
{
    CgRef a = f->nodes[first].at[p], b = f->nodes[other].at[p];
    int top_a = top_of(d, f, first, a), top_b = top_of(d, f, other, b);
    const CgNode *x = cg_node(d->g, a), *y = cg_node(d->g, b);
    const CgDraftItem *i = &d->item[a], *j = &d->item[b];
    bool chosen = d->scope.at[top_a].turn && x->op->view && p < f->nodes[first + 1].len;
    const CgAttrs *next = chosen ? cg_node(d->g, f->nodes[first + 1].at[p])->attrs : NULL;
    if (x->op != y->op || !cg_type_equal(&x->type, &y->type) || !attrs_alike(x->attrs, next, y->attrs, other - first))
        return false;
    if ((x->why == CG_NONE) != (y->why == CG_NONE) || i->nlinks != j->nlinks || i->nrows != j->nrows)
        return false;
    if (i->input || j->input || i->param != j->param || (i->param && !params_alike(d, a, top_a, b, top_b)))
        return false;
    if (strcmp(i->scalars, j->scalars) != 0)
        return false;
    for (int k = 0; k < i->nrows; k++)
        if (!params_alike(d, i->rows[k], top_a, j->rows[k], top_b))
            return false;
    for (int k = 0; k < i->nlinks; k++)
        if (!cg_type_equal(i->links[k].type, j->links[k].type))
            return false;
    return scopes_alike(d, d->item[a].instance, top_a, d->item[b].instance, top_b);
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
static bool operands_alike(const CgDraft *d, const Family *f, Run *run, size_t p, int k)
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

/* Whether sibling m of a run is the one that what follows the chain takes r from. */
static bool is_end(const CgDraft *d, const Family *f, const Run *run, int m, CgRef r)
{
    if (d->scope.at[f->scope[run->first]].twin)
        return m == (d->scope.at[d->item[r].instance].backward ? run->first : run->last);
    return (m == run->last && (run->forward || !run->backward)) || (m == run->first && run->backward);
}

/* Whether what stands at one place of each sibling of a run is an output, a gradient: these are drawn as one. */
static bool all_are_outputs(const CgDraft *d, const Family *f, const Run *run, long at)
{
    for (int i = run->first; i <= run->last; i++) {
        const CgDraftItem *it = &d->item[f->nodes[i].at[at]];
        if (!it->output || !d->scope.at[it->instance].backward)
            return false;
    }
    return true;
}

/* Consumers outside the run must take from all siblings alike, or from an end of the chain: a tap in the middle
 * would be drawn as if it came from all. Where it is not so, the run is made shorter, and is to be looked at again. */
static bool alike_for_consumers(const CgDraft *d, const Family *f, Run *run)
{
    const CgGraph *g = d->g;
    int first = run->first, whole_run = run->last;
    for (size_t c = 0; c < g->nodes.len + g->outputs.len; c++) {
        bool output = c >= g->nodes.len;
        CgDraftLink whole = { 0 };
        if (output) {
            const CgType *type;
            CgRef param;
            whole.from = cg_draft_source(d, g->outputs.at[c - g->nodes.len].ref, &type, &param);
            if (whole.from == CG_NONE)
                continue;
        } else if (!d->item[c].drawn || (f->member[c] >= first && f->member[c] <= run->last))
            continue;
        const CgDraftLink *links = output ? &whole : d->item[c].links;
        int nlinks = output ? 1 : d->item[c].nlinks;
        for (int k = 0; k < nlinks; k++) {
            int m = f->member[links[k].from];
            if (m < first || m > run->last)
                continue;
            long at = position(&f->nodes[m], links[k].from);
            if (is_end(d, f, run, m, links[k].from) || (output && all_are_outputs(d, f, run, at)))
                continue;
            int takers = 0;
            for (int j = 0; j < nlinks; j++) {
                int i = f->member[links[j].from];
                takers += i >= first && i <= run->last && links[j].from == f->nodes[i].at[at];
            }
            if (takers >= run->last - first + 1)
                continue;
            run->last = m;
            if (!is_end(d, f, run, m, links[k].from))
                run->last--;
            if (run->last < first + takers - 1)
                run->last = first + takers - 1;
        }
    }
    return run->last == whole_run;
}

/* Whether siblings i and k are the same but for where they take from. */
static bool siblings_alike(const CgDraft *d, const Family *f, int i, int k)
{
    const CgDraftScope *one = &d->scope.at[f->scope[i]], *other = &d->scope.at[f->scope[k]];
    if (f->nodes[i].len != f->nodes[k].len || f->nodes[i].len == 0)
        return false;
    if (one->graph != other->graph || one->recompute != other->recompute)
        return false;
    for (size_t p = 0; p < f->nodes[i].len; p++)
        if (!nodes_alike(d, f, p, i, k))
            return false;
    return true;
}

/* Whether the siblings of a run, each like the first, can be drawn as one; consumers are checked when it is whole. */
static bool run_alike(const CgDraft *d, const Family *f, Run *run)
{
    const Refs *head = &f->nodes[run->first];
    run->forward = run->backward = false;
    for (size_t p = 0; p < head->len; p++)
        for (int k = 0; k < d->item[head->at[p]].nlinks; k++)
            if (!operands_alike(d, f, run, p, k))
                return false;
    return true;
}

/* Siblings first .. last, or what holds their derivatives. */
static void fold_scopes(CgDraft *d, const Family *f, int first, int last, bool backward)
{
    int top = f->scope[first];
    CgDraftScope *head = &d->scope.at[backward ? d->scope.at[top].twin : top];
    d->groups++;
    head->times = last - first + 1;
    head->name = cg_arena_printf(d->arena, "%s .. %s", head->name, d->scope.at[f->scope[last]].name);
    for (int i = first; i <= last; i++) {
        int s = backward ? d->scope.at[f->scope[i]].twin : f->scope[i];
        d->scope.at[s].group = d->groups;
        if (i > first)
            d->scope.at[s].hidden = s;
    }
}

static void fold_run(CgDraft *d, const Family *f, int first, int last)
{
    if (d->scope.at[f->scope[first]].twin)
        fold_scopes(d, f, first, last, true);
    fold_scopes(d, f, first, last, false);
    for (int i = first + 1; i <= last; i++)
        for (size_t p = 0; p < f->nodes[i].len; p++)
            d->item[f->nodes[i].at[p]].stands = f->nodes[first].at[p];
    for (size_t s = 1; s < d->scope.len; s++) {
        int parent = d->scope.at[s].up;
        if (d->scope.at[s].hidden < 0 && parent >= 0)
            d->scope.at[s].hidden = d->scope.at[parent].hidden;
    }
}

static void fold_family(CgDraft *d, const Family *f)
{
    for (int first = 0; first < f->len;) {
        int alike = first + 1;
        while (alike < f->len && siblings_alike(d, f, first, alike))
            alike++;
        Run run = { first, alike - 1, false, false };
        /* all of them, as a rule; else as many as there are from the first on */
        if (!run_alike(d, f, &run)) {
            int too_many = run.last;
            run.last = first;
            while (too_many - run.last > 1) {
                Run longer = { first, (run.last + too_many) / 2, false, false };
                if (run_alike(d, f, &longer))
                    run = longer;
                else
                    too_many = longer.last;
            }
        }
        while (run.last > first && !alike_for_consumers(d, f, &run))
            continue;
        if (run.last - first >= 1)
            fold_run(d, f, first, run.last);
        first = run.last + 1;
    }
}

static void gather_nodes(const CgDraft *d, Family *f)
{
    const CgGraph *g = d->g;
    CgMap sibling = { 0 }; /* scope -> its number + 1 */
    for (int i = 0; i < f->len; i++) {
        cg_map_put(&sibling, (uint64_t)f->scope[i], (uint64_t)i + 1);
        if (d->scope.at[f->scope[i]].twin)
            cg_map_put(&sibling, (uint64_t)d->scope.at[f->scope[i]].twin, (uint64_t)i + 1);
    }
    for (CgRef r = 0; r < g->nodes.len; r++) {
        uint64_t number = 0;
        f->member[r] = -1;
        for (int s = d->item[r].instance; s > 0 && !number; s = d->scope.at[s].up)
            cg_map_get(&sibling, (uint64_t)s, &number);
        if (!number || !d->item[r].drawn)
            continue;
        f->member[r] = (int)number - 1;
        cg_vec_push(&f->nodes[number - 1], r);
    }
    cg_map_deinit(&sibling);
}

/* Families of the children of `parent`: one stem and numbers from 0 up, as instances of a list are made. */
static void fold_children(CgDraft *d, int parent)
{
    const CgGraph *g = d->g;
    int n = (int)d->scope.len;
    Family f = { CG_NEWN(d->arena, int, n), CG_NEWN(d->arena, Refs, n), 0, NULL };
    f.member = CG_NEWN(d->arena, int, g->nodes.len + 1);
    for (int s = 1; s < n; s++) {
        size_t stem, other;
        long number, next;
        if (d->scope.at[s].up != parent || d->scope.at[s].hidden >= 0 || d->scope.at[s].group)
            continue;
        if (!numbered(d->scope.at[s].name, &stem, &number) || number != 0)
            continue;
        f.len = 0;
        for (int t = s; t < n; t++) {
            const CgDraftScope *sibling = &d->scope.at[t];
            if (d->scope.at[t].up != parent || !numbered(sibling->name, &other, &next) || next != f.len)
                continue;
            if (other == stem && strncmp(d->scope.at[s].name, sibling->name, stem) == 0)
                f.scope[f.len++] = t;
        }
        if (f.len < 2)
            continue;
        gather_nodes(d, &f);
        fold_family(d, &f);
        for (int i = 0; i < f.len; i++)
            cg_vec_free(&f.nodes[i]);
    }
}

void cg_draft_fold(CgDraft *d)
{
    for (int s = 0; s < (int)d->scope.len; s++)
        if (d->scope.at[s].hidden < 0)
            fold_children(d, s);
}
