/* order.c - in which order nodes run.
 * Takes a graph and the bytes of every result; gives orders that respect operands and differ in peak memory.
 * Must not look at values or offsets: the planner tries the orders and keeps the one with the smallest slab.
 */
#include <stdlib.h>
#include <string.h>
#include "run/plan/inside.h"

typedef struct Walk {
    const CgGraph *g;
    const size_t *bytes;
    bool *live, *done;
    CgRef *base;     /* node whose memory a value sits in; CG_NONE: leaves */
    uint32_t *waits; /* operands that have not run */
    uint32_t *uses;  /* by base: distinct users that have not run, plus one if it is an output */
    CgUsers users;
    CgRef *stack; /* ready nodes that give back at least what they take */
    size_t depth;
    CgRef *order;
    size_t n;
} Walk;

/* Distinct bases among a node's operands. */
static int bases_of(const Walk *w, CgRef r, CgRef *out)
{
    const CgNode *n = cg_node(w->g, r);
    int count = 0;
    for (int i = 0; i < n->nin; i++) {
        CgRef b = w->base[n->in[i]];
        bool seen = b == CG_NONE;
        for (int j = 0; j < count && !seen; j++)
            seen = out[j] == b;
        if (!seen)
            out[count++] = b;
    }
    return count;
}

/* True when running r now leaves no more memory in use than before. */
static bool shrinks(const Walk *w, CgRef r)
{
    CgRef at[CG_MAX_IN];
    int n = bases_of(w, r, at);
    size_t freed = 0;
    for (int i = 0; i < n; i++)
        if (w->uses[at[i]] == 1)
            freed += w->bytes[at[i]];
    return freed >= w->bytes[r];
}

static void consider(Walk *w, CgRef r)
{
    if (w->live[r] && !w->done[r] && w->waits[r] == 0 && (cg_node_is_view(cg_node(w->g, r)) || shrinks(w, r)))
        w->stack[w->depth++] = r;
}

static void run(Walk *w, CgRef r, bool greedy)
{
    if (w->done[r])
        return;
    w->done[r] = true;
    w->order[w->n++] = r;
    CgRef at[CG_MAX_IN];
    int nbase = cg_node_is_view(cg_node(w->g, r)) ? 0 : bases_of(w, r, at);
    for (int i = 0; i < nbase; i++)
        w->uses[at[i]]--;
    for (uint32_t u = w->users.first[r]; u < w->users.first[r + 1]; u++)
        w->waits[w->users.of[u]]--;
    if (!greedy)
        return;
    for (uint32_t u = w->users.first[r]; u < w->users.first[r + 1]; u++)
        consider(w, w->users.of[u]);
    /* A value with one user left may have made that user worth running now. Users reached only through a view
     * are found when the view runs, which is at once. */
    for (int i = 0; i < nbase; i++)
        if (w->uses[at[i]] == 1)
            for (uint32_t u = w->users.first[at[i]]; u < w->users.first[at[i] + 1]; u++)
                consider(w, w->users.of[u]);
}

/* Nodes that read nothing but leaves (a cast weight, a mask) are put off until something needs them. The keys
 * give an order that is still topological: no key is larger than that of a user. */
static void base_order(const Walk *w, bool lazy, CgRef *sorted)
{
    size_t n = w->g->nodes.len;
    CgRef *key = cg_malloc(n * sizeof *key);
    bool *early = cg_calloc(n, sizeof *early);
    for (CgRef r = 0; r < n; r++) {
        const CgNode *node = cg_node(w->g, r);
        early[r] = lazy;
        for (int i = 0; i < node->nin; i++)
            early[r] = early[r] && early[node->in[i]];
        key[r] = early[r] ? CG_NONE : r;
    }
    for (CgRef r = (CgRef)n; r-- > 0;)
        for (int i = 0; w->live[r] && i < cg_node(w->g, r)->nin; i++) {
            CgRef in = cg_node(w->g, r)->in[i];
            if (early[in] && key[r] < key[in])
                key[in] = key[r];
        }
    for (CgRef r = 0; r < n; r++)
        if (key[r] == CG_NONE)
            key[r] = r; /* an output that reads only leaves */
    /* Counting sort by key, stable by index. */
    uint32_t *start = cg_calloc(n + 1, sizeof *start);
    for (CgRef r = 0; r < n; r++)
        start[key[r] + 1]++;
    for (size_t i = 0; i < n; i++)
        start[i + 1] += start[i];
    for (CgRef r = 0; r < n; r++)
        sorted[start[key[r]]++] = r;
    free(start);
    free(early);
    free(key);
}

/* Readers of a leaf should run before the node that writes its new value over it. Those made later than that node may
 * need its result, and are left alone: the planner then keeps the old value. */
typedef struct Pairs {
    CG_VEC(CgRef) reader, writer;
} Pairs;

static Pairs pairs_of(const CgGraph *g, const bool *live, const CgRef *renewed)
{
    Pairs p = { 0 };
    CgRef *writer = cg_malloc((g->nodes.len + 1) * sizeof *writer),
          *leaf = cg_malloc((g->nodes.len + 1) * sizeof *leaf);
    bool any = false;
    for (CgRef r = 0; r < g->nodes.len; r++)
        writer[r] = CG_NONE;
    for (size_t o = 0; renewed && o < g->outputs.len; o++) {
        CgRef w = g->outputs.at[o].ref;
        while (cg_node_is_view(cg_node(g, w)))
            w = cg_node(g, w)->in[0];
        if (renewed[o] != CG_NONE)
            writer[renewed[o]] = w;
        any = any || renewed[o] != CG_NONE;
    }
    for (CgRef r = 0; any && r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        leaf[r] = cg_node_is_leaf(n) ? r : cg_node_is_view(n) ? leaf[n->in[0]] : CG_NONE;
        for (int i = 0; live[r] && leaf[r] == CG_NONE && i < n->nin; i++) {
            CgRef l = leaf[n->in[i]], w = l == CG_NONE ? CG_NONE : writer[l];
            if (w == CG_NONE || r >= w)
                continue;
            cg_vec_push(&p.reader, r);
            cg_vec_push(&p.writer, w);
        }
    }
    free(writer);
    free(leaf);
    return p;
}

/* How many operands each node waits for, whose memory holds its result, and how many readers that still has. */
static void begin(Walk *w, const CgRef *renewed)
{
    const CgGraph *g = w->g;
    size_t n = g->nodes.len;
    w->live = cg_graph_live(g, CG_NONE);
    w->done = cg_calloc(n + 1, sizeof *w->done);
    w->base = cg_malloc((n + 1) * sizeof *w->base);
    w->waits = cg_calloc(n + 1, sizeof *w->waits);
    w->uses = cg_calloc(n + 1, sizeof *w->uses);
    Pairs pairs = pairs_of(g, w->live, renewed);
    cg_users_init(&w->users, g, w->live, (CgEdges){ pairs.reader.len, pairs.writer.at, pairs.reader.at });
    for (size_t i = 0; i < pairs.reader.len; i++)
        w->waits[pairs.writer.at[i]]++;
    cg_vec_free(&pairs.reader);
    cg_vec_free(&pairs.writer);
    for (CgRef r = 0; r < n; r++) {
        const CgNode *node = cg_node(g, r);
        CgRef at[CG_MAX_IN];
        w->base[r] = cg_node_is_leaf(node) ? CG_NONE : cg_node_is_view(node) ? w->base[node->in[0]] : r;
        if (!w->live[r])
            continue;
        w->waits[r] += (uint32_t)node->nin;
        int nbase = cg_node_is_view(node) ? 0 : bases_of(w, r, at);
        for (int i = 0; i < nbase; i++)
            w->uses[at[i]]++;
    }
    for (size_t i = 0; i < g->outputs.len; i++)
        if (w->base[g->outputs.at[i].ref] != CG_NONE)
            w->uses[w->base[g->outputs.at[i].ref]]++;
    /* Each run or use count that drops to one pushes users: twice the edges bounds the stack. */
    w->stack = cg_malloc((2 * (size_t)w->users.first[n] + n + 1) * sizeof *w->stack);
}

static void end(Walk *w)
{
    free(w->live);
    free(w->done);
    free(w->base);
    free(w->waits);
    free(w->uses);
    free(w->stack);
    cg_users_deinit(&w->users);
}

size_t cg_plan_order(const CgGraph *g, const size_t *bytes, const CgRef *renewed, int schedule, CgRef *order)
{
    size_t n = g->nodes.len;
    Walk w = { .g = g, .bytes = bytes, .order = order };
    CgRef *sorted = cg_malloc((n + 1) * sizeof *sorted);
    bool greedy = schedule == 2;
    begin(&w, renewed);
    base_order(&w, schedule > 0, sorted);
    for (size_t i = 0; i < n; i++) {
        if (w.live[sorted[i]])
            run(&w, sorted[i], greedy);
        while (w.depth > 0)
            run(&w, w.stack[--w.depth], greedy);
    }
    free(sorted);
    end(&w);
    return w.n;
}
