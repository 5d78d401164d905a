/* fuse.c - clusters of elementwise nodes become one node of op `fused`.
 * Takes a graph; gives one in which such a cluster is one sweep over memory: its operands are read once, its inner
 * values stay in the cache (src/ops/fused.c). A cluster has one shape, at most 16 operands and 4 results, or one result
 * that is only wanted summed over its last axes: then the sum joins it.
 * Invariant: the graph with each cluster drawn together has no cycle, so the clusters can be put in some order.
 * Must not change any value, nor hoist a node to before the place it was written for (recomputation counts on it). */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/use.h"

#define MAX_MEMBERS 32
#define MOST_IN     16 /* operands and results of one sweep, as ops/program.h has room for */
#define MOST_OUT    4
#define MAX_CONSTS  16
#define MAX_ARGS    4
#define SHORT_ROW   128  /* a tile ends with a row: tiles of rows below this would be too short */
#define MAX_SEARCH  4096 /* nodes looked at to rule out a cycle; past that the merge is refused */

typedef struct Cluster {
    int n;
    CgRef at[MAX_MEMBERS];
    bool sum;
} Cluster; /* members in order; the last sums the one before */

typedef struct Pass {
    const CgGraph *g;
    bool *live;
    CgUsers users;
    int *cluster; /* by node: index into clusters, -1 = none */
    CG_VEC(Cluster) clusters;
    CgRef *reach; /* by node r: the first node of any cluster that has nodes both before r and at or after r; else r */
    uint32_t *seen, stamp; /* by node: search marks */
} Pass;

/* ---- what may be in a program ---- */

static bool is_simple_attr(const CgAttr *a)
{
    if (a->kind == CG_ATTR_INT || a->kind == CG_ATTR_FLOAT)
        return true;
    if (a->kind != CG_ATTR_STR || isdigit((unsigned char)a->s[0]))
        return false;
    for (const char *s = a->s; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_')
            return false;
    return *a->s && strlen(a->s) < 32 && strcmp(a->s, "inf") && strcmp(a->s, "nan");
}

static bool is_candidate(const Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    const CgOp *op = n->op;
    double value;
    if (!p->live[r] || !(op->traits & CG_ELEMENTWISE) || (op->traits & CG_RANDOM) || op->prepare || op->finish
        || n->nout > 1)
        return false;
    if (n->nin < 1 || n->nin > MAX_ARGS || (n->attrs && n->attrs->n > 4) || strlen(op->name) > 40)
        return false;
    CgOpCode code = cg_node_code(p->g, n);
    if (!code.kernel && !code.vec)
        return false;
    for (int i = 0; n->attrs && i < n->attrs->n; i++)
        if (!is_simple_attr(&n->attrs->at[i]))
            return false;
    for (int i = 0; i < n->nin; i++)
        if (!cg_node_const(p->g, n->in[i], &value))
            return true;
    return false; /* all constant: for the folds */
}

static bool same_shape(const Pass *p, CgRef a, CgRef b)
{
    CgType x = *cg_node_type(p->g, a), y = *cg_node_type(p->g, b);
    x.dtype = y.dtype;
    return cg_type_equal(&x, &y);
}

/* ---- growing clusters ---- */

static bool has(const Cluster *c, CgRef r)
{
    for (int i = 0; i < c->n; i++)
        if (c->at[i] == r)
            return true;
    return false;
}

/* The members of both, in order; false when there are too many. */
static bool join(const Cluster *a, const Cluster *b, Cluster *out)
{
    int i = 0, j = 0;
    out->n = 0;
    out->sum = false;
    if (a->n + b->n > MAX_MEMBERS)
        return false;
    while (i < a->n || j < b->n)
        out->at[out->n++] = j == b->n || (i < a->n && a->at[i] < b->at[j]) ? a->at[i++] : b->at[j++];
    return true;
}

static bool is_needed_outside(const Pass *p, const Cluster *c, CgRef r)
{
    for (uint32_t i = p->users.first[r]; i < p->users.first[r + 1]; i++)
        if (!has(c, p->users.of[i]))
            return true;
    return p->users.is_output[r];
}

/* Operands from outside that are no constants; more than `max` are not counted. */
static int collect_operands(const Pass *p, const Cluster *c, CgRef *out, int max, int *nconst)
{
    int count = 0;
    double value;
    *nconst = 0;
    for (int m = 0; m < c->n; m++) {
        const CgNode *n = cg_node(p->g, c->at[m]);
        for (int i = 0; i < n->nin; i++) {
            int k = 0;
            if (has(c, n->in[i]))
                continue;
            if (cg_node_const(p->g, n->in[i], &value)) {
                ++*nconst;
                continue;
            }
            while (k < count && out[k] != n->in[i])
                k++;
            if (k < count)
                continue;
            if (count == max)
                return max + 1;
            out[count++] = n->in[i];
        }
    }
    return count;
}

/* The members of `c` become one cluster with this number. */
static void set_cluster(Pass *p, int id, const Cluster *c)
{
    p->clusters.at[id] = *c;
    for (int m = 0; m < c->n; m++)
        p->cluster[c->at[m]] = id;
    for (CgRef r = c->at[0] + 1; r <= c->at[c->n - 1]; r++)
        if (c->at[0] < p->reach[r])
            p->reach[r] = c->at[0];
}

/* The largest node at or before r such that no cluster has nodes on both sides of it. Nothing before it, clusters taken
 * as one node each, depends on anything at or after it. */
static CgRef border_before(const Pass *p, CgRef r)
{
    while (p->reach[r] < r)
        r = p->reach[r];
    return r;
}

/* True when `c` depends on itself through something outside: then its members cannot be one node. Searches from the
 * operands of `c` upwards, taking every cluster as one node. */
static bool would_cycle(Pass *p, const Cluster *c)
{
    CG_VEC(CgRef) todo = { 0 };
    CgRef border = border_before(p, c->at[0]);
    bool cycle = false;
    int looked = 0;
    p->stamp++;
    for (int m = 0; m < c->n; m++)
        p->seen[c->at[m]] = p->stamp;
    for (int m = 0; m < c->n; m++) {
        const CgNode *n = cg_node(p->g, c->at[m]);
        for (int i = 0; i < n->nin; i++)
            if (!has(c, n->in[i]))
                cg_vec_push(&todo, n->in[i]);
    }
    while (todo.len && !cycle) {
        CgRef r = todo.at[--todo.len];
        if (p->seen[r] == p->stamp || r < border)
            continue;
        Cluster one = { 1, { r }, false };
        const Cluster *unit = p->cluster[r] < 0 ? &one : &p->clusters.at[p->cluster[r]];
        for (int m = 0; m < unit->n; m++)
            p->seen[unit->at[m]] = p->stamp;
        for (int m = 0; m < unit->n && !cycle; m++) {
            const CgNode *n = cg_node(p->g, unit->at[m]);
            for (int i = 0; i < n->nin; i++) {
                cycle |= has(c, n->in[i]);
                cg_vec_push(&todo, n->in[i]);
            }
        }
        cycle |= ++looked > MAX_SEARCH;
    }
    cg_vec_free(&todo);
    return cycle;
}

static bool fits(Pass *p, const Cluster *c)
{
    CgRef operands[MOST_IN];
    int results = 0, nconst;
    if (collect_operands(p, c, operands, MOST_IN, &nconst) > MOST_IN || nconst > MAX_CONSTS)
        return false;
    for (int m = 0; m < c->n; m++)
        results += is_needed_outside(p, c, c->at[m]);
    return results <= MOST_OUT && !would_cycle(p, c);
}

static int by_ref_down(const void *a, const void *b)
{
    CgRef x = *(const CgRef *)a, y = *(const CgRef *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Merges node r with the clusters of its operands, the latest first, while rules allow it. Late nodes merge with late
 * ones only: in a cluster with a forward node they would all run early. */
static void grow(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    CgRef in[MOST_IN];
    Cluster mine = { 1, { r }, false }, both;
    int id = (int)p->clusters.len;
    p->cluster[r] = id;
    cg_vec_push(&p->clusters, mine);
    memcpy(in, n->in, sizeof *in * (size_t)n->nin);
    qsort(in, (size_t)n->nin, sizeof *in, by_ref_down);
    for (int i = 0; i < n->nin; i++) {
        int other = p->cluster[in[i]];
        if (other < 0 || other == id || !same_shape(p, in[i], r)
            || cg_node_is_late(cg_node(p->g, in[i])) != cg_node_is_late(n))
            continue;
        if (!join(&p->clusters.at[id], &p->clusters.at[other], &both) || !fits(p, &both))
            continue;
        p->clusters.at[other].n = 0;
        set_cluster(p, id, &both);
    }
}

/* Draws the cluster of r together with one that already reads all that this one reads, so that one sweep does for
 * both: the derivatives by the two factors of a gate. */
static void pair(Pass *p, CgRef r)
{
    CgRef operands[MOST_IN];
    int nconst, id = p->cluster[r], n = collect_operands(p, &p->clusters.at[id], operands, MOST_IN, &nconst);
    if (n > MOST_IN || n < 2 || p->clusters.at[id].at[p->clusters.at[id].n - 1] != r)
        return;
    for (uint32_t i = p->users.first[operands[0]]; i < p->users.first[operands[0] + 1]; i++) {
        CgRef theirs[MOST_IN], u = p->users.of[i];
        int other = p->cluster[u], m, shared = 0;
        Cluster both;
        if (u > r || other < 0 || other == id || !same_shape(p, u, r)
            || cg_node_is_late(cg_node(p->g, u)) != cg_node_is_late(cg_node(p->g, r)))
            continue;
        m = collect_operands(p, &p->clusters.at[other], theirs, MOST_IN, &nconst);
        for (int k = 0; k < n && m <= MOST_IN; k++)
            for (int j = 0; j < m; j++)
                shared += theirs[j] == operands[k];
        if (shared < (n < m ? n : m))
            continue;
        if (!join(&p->clusters.at[id], &p->clusters.at[other], &both) || !fits(p, &both))
            continue;
        p->clusters.at[other].n = 0;
        set_cluster(p, id, &both);
        return;
    }
}

/* How many last axes node r sums over; 0 when it does anything else. */
static int sums_over(const Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    if (!p->live[r] || !(n->op->traits & CG_ADDS_UP))
        return 0;
    const CgAttr *axes = cg_attr_find(n->attrs, "axes");
    int rank = cg_node_type(p->g, n->in[0])->rank, last = rank;
    bool summed[CG_MAX_RANK] = { false };
    for (int i = 0; axes && i < axes->n; i++)
        summed[axes->ints[i] < 0 ? axes->ints[i] + rank : axes->ints[i]] = true;
    while (last > 0 && summed[last - 1])
        last--;
    return axes && axes->n == rank - last ? axes->n : 0;
}

/* Merges a sum into the cluster of its operand, when that cluster has no other user and rows are not short. */
static void sum_up(Pass *p, CgRef r)
{
    const CgNode *n = cg_node(p->g, r);
    int over = sums_over(p, r), id = over ? p->cluster[n->in[0]] : -1;
    const CgType *t = over ? cg_node_type(p->g, n->in[0]) : NULL;
    int64_t row;
    if (id < 0 || (t->dtype != CG_F32 && t->dtype != CG_F64))
        return;
    if (over == 1 && cg_dim_is_int(t->dim[t->rank - 1], &row) && row < SHORT_ROW)
        return;
    Cluster *c = &p->clusters.at[id], with = *c;
    if (c->n == MAX_MEMBERS || c->sum || c->at[c->n - 1] != n->in[0]
        || cg_node_is_late(cg_node(p->g, n->in[0])) != cg_node_is_late(n))
        return;
    with.at[with.n++] = r;
    with.sum = true;
    for (int m = 0; m < c->n; m++)
        if (is_needed_outside(p, &with, c->at[m]))
            return;
    set_cluster(p, id, &with);
}

/* ---- the program ---- */

static void print_number(double f, CgStrbuf *out)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, f);
        if (isnan(f) || strtod(text, NULL) == f)
            break;
    }
    cg_strbuf_puts(out, text);
}

static void print_attrs(const CgAttrs *attrs, CgStrbuf *out)
{
    for (int i = 0; attrs && i < attrs->n; i++) {
        const CgAttr *a = &attrs->at[i];
        cg_strbuf_printf(out, "%s%s=", i ? "," : "{", a->name);
        if (a->kind == CG_ATTR_STR)
            cg_strbuf_puts(out, a->s);
        else if (a->kind == CG_ATTR_INT)
            cg_strbuf_printf(out, "%lld", (long long)a->i);
        else {
            size_t start = out->len;
            print_number(a->f, out);
            if (!strpbrk(out->at + start, ".en"))
                cg_strbuf_puts(out, ".0"); /* stays a float */
        }
    }
    if (attrs)
        cg_strbuf_putc(out, '}');
}

static void print_arg(const Pass *p, const Cluster *c, const CgRef *operands, int noperands, CgRef r, CgStrbuf *out)
{
    double value;
    for (int m = 0; m < c->n; m++)
        if (c->at[m] == r) {
            cg_strbuf_printf(out, " %d", noperands + m);
            return;
        }
    if (cg_node_const(p->g, r, &value)) {
        cg_strbuf_printf(out, " %s:", cg_dtype_name(cg_node_type(p->g, r)->dtype));
        print_number(value, out);
        return;
    }
    int k = 0;
    while (k < noperands && operands[k] != r)
        k++;
    cg_strbuf_printf(out, " %d", k);
}

/* Builds the cluster as one node and puts its results into map[]. */
static void emit_cluster(const Pass *p, const Cluster *c, CgBuild *b, CgRef *map)
{
    CgRef operands[MOST_IN], in[MOST_IN];
    int64_t results[MOST_OUT];
    int nconst, nresults = 0, clone = 0, n = collect_operands(p, c, operands, MOST_IN, &nconst);
    int members = c->sum ? c->n - 1 : c->n;
    CgStrbuf text = { 0 };
    for (int m = 0; m < members; m++) {
        const CgNode *node = cg_node(p->g, c->at[m]);
        cg_strbuf_printf(&text, "%s%s", m ? "; " : "", node->op->name);
        print_attrs(node->attrs, &text);
        for (int i = 0; i < node->nin; i++)
            print_arg(p, c, operands, n, node->in[i], &text);
        if (c->sum ? m + 1 == members : is_needed_outside(p, c, c->at[m]))
            results[nresults++] = n + m;
        if (node->clone > clone)
            clone = node->clone;
    }
    for (int i = 0; i < n; i++)
        in[i] = map[operands[i]];
    const CgNode *last = cg_node(p->g, c->at[c->n - 1]);
    CgAttr at[3] = { cg_a_str("program", cg_strbuf_str(&text)), cg_a_ints("results", nresults, results) };
    if (c->sum)
        at[2] = cg_a_int("over", sums_over(p, c->at[members]));
    CgBuild to = *b;
    to.scope = last->scope;
    to.span = last->span;
    to.clone = clone;
    to.why = last->why == CG_NONE ? CG_NONE : map[last->why];
    CgRef made = cg_build(&to, c->sum ? "fused_sum" : "fused", n, in, cg_attrs(c->sum ? 3 : 2, at));
    if (last->why != CG_NONE && to.why == CG_NONE)
        b->graph->nodes.at[made].why = made;
    if (c->sum)
        map[c->at[members]] = made;
    for (int k = 0; k < nresults && !c->sum; k++)
        map[c->at[results[k] - n]] = cg_build_result(&to, made, k);
    cg_strbuf_deinit(&text);
}

/* ---- putting the new graph in order ---- */

/* Emits node r, or its whole cluster, after all it needs; deepest first, without recursion. */
static void emit(Pass *p, CgRef r, CgBuild *b, CgRef *map)
{
    CG_VEC(CgRef) todo = { 0 };
    p->stamp++;
    cg_vec_push(&todo, r);
    while (todo.len) {
        CgRef top = todo.at[todo.len - 1];
        Cluster one = { 1, { top }, false };
        const Cluster *unit = p->cluster[top] < 0 ? &one : &p->clusters.at[p->cluster[top]];
        size_t waiting = todo.len;
        if (map[top] != CG_NONE) {
            todo.len--;
            continue;
        }
        for (int m = 0; m < unit->n; m++) {
            const CgNode *n = cg_node(p->g, unit->at[m]);
            for (int i = 0; i < n->nin; i++)
                if (map[n->in[i]] == CG_NONE && !has(unit, n->in[i]))
                    cg_vec_push(&todo, n->in[i]);
        }
        if (todo.len > waiting) {
            if (p->seen[unit->at[0]] == p->stamp)
                CG_BUG("fuse: node %u waits for itself", top);
            p->seen[unit->at[0]] = p->stamp;
            continue;
        }
        if (unit->n > 1)
            emit_cluster(p, unit, b, map);
        else
            map[top] = cg_pass_copy(b, p->g, top, map);
        todo.len--;
        if (map[top] == CG_NONE && todo.len)
            CG_BUG("fuse: node %u is asked for and no result", top);
    }
    cg_vec_free(&todo);
}

CgGraph *cg_pass_fuse(const CgGraph *g)
{
    size_t size = g->nodes.len + 1;
    Pass p = { .g = g, .live = cg_graph_live(g, CG_NONE) };
    CgRef *map = cg_malloc(sizeof *map * size);
    p.cluster = cg_malloc(sizeof *p.cluster * size);
    p.seen = cg_calloc(size, sizeof *p.seen);
    p.reach = cg_malloc(sizeof *p.reach * size);
    for (size_t i = 0; i < size; i++) {
        p.cluster[i] = -1;
        p.reach[i] = (CgRef)i;
    }
    cg_users_init(&p.users, g, p.live, (CgEdges){ 0 });
    for (CgRef r = 0; r < g->nodes.len && cg_op_find("fused"); r++)
        if (is_candidate(&p, r))
            grow(&p, r);
    for (CgRef r = 0; r < g->nodes.len && cg_op_find("fused"); r++)
        if (p.cluster[r] >= 0)
            pair(&p, r);

    for (CgRef r = 0; r < g->nodes.len && cg_op_find("fused_sum"); r++)
        sum_up(&p, r);

    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const Cluster *c = p.cluster[r] < 0 ? NULL : &p.clusters.at[p.cluster[r]];
        if (p.live[r] && map[r] == CG_NONE && (!c || c->at[c->n - 1] == r))
            emit(&p, r, &b, map);
    }
    free(p.live);
    free(p.cluster);
    free(p.seen);
    free(p.reach);
    cg_users_deinit(&p.users);
    cg_vec_free(&p.clusters);
    to = cg_pass_end(g, to, map);
    CgGraph *clean = cg_pass_dce(to); /* constants that are now in programs, and their broadcasts */
    cg_graph_free(to);
    return clean;
}

CG_PASS(fuse, .order = 80, .summary = "draws chains of elementwise nodes together into one sweep over memory",
    .run = cg_pass_fuse)
