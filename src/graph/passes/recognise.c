/* recognise.c - patterns of simple ops become the op that computes them in one sweep.
 * Takes a graph; asks every op's `match` about each node, operands first. What is recognised has the precision of the
 * products it takes the place of; a pattern whose products have two stays as it is. Must not know any pattern itself.
 * cg_pass_recognise_at does it before differentiation, when nothing else needs the inner values yet. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/use.h"

#define MAX_ROUNDS 8 /* a replacement may itself be recognised; two ops that undo each other must not loop */

/* ---- precision ---- */

/* By node: the precisions of products among it and all it needs, a set. */
typedef struct Below {
    CG_VEC(uint8_t) of;
} Below;
enum { NO_PRODUCT, F32 = 1, BF16 = 2, BOTH = 3 };

static uint8_t precision_of(const CgNode *n)
{
    return !(n->op->traits & CG_PRODUCTS) ? NO_PRODUCT : n->bf16 ? BF16 : F32;
}

static uint8_t precisions_below(Below *below, const CgGraph *g, CgRef r)
{
    while (below->of.len <= r) {
        const CgNode *n = cg_node(g, (CgRef)below->of.len);
        uint8_t all = precision_of(n);
        for (int i = 0; i < n->nin; i++)
            all |= below->of.at[n->in[i]];
        cg_vec_push(&below->of, all);
    }
    return below->of.at[r];
}

static void mark(CgMap *marked, CgRef r) { cg_map_put(marked, r, 1); }

static bool is_marked(const CgMap *marked, CgRef r)
{
    uint64_t found;
    return cg_map_get(marked, r, &found);
}

/* The precisions of the products that `found` replaces: those between r and the operands of `found`. Nodes numbered
 * from `size` on were built for the replacement. */
static uint8_t precisions_taken(Below *below, const CgGraph *g, CgRef r, CgRef found, CgRef size)
{
    CgMap known = { 0 };
    CG_VEC(CgRef) todo = { 0 };
    uint8_t taken = NO_PRODUCT;
    int k;
    cg_vec_push(&todo, found);
    while (todo.len) {
        const CgNode *n = cg_node(g, todo.at[--todo.len]);
        for (int i = 0; i < n->nin; i++) {
            if (n->in[i] >= size)
                cg_vec_push(&todo, n->in[i]);
            mark(&known, n->in[i]);
            mark(&known, cg_node_base(g, n->in[i], &k));
        }
    }
    cg_vec_push(&todo, r);
    while (todo.len && taken != BOTH) {
        const CgNode *n = cg_node(g, todo.at[--todo.len]);
        taken |= precision_of(n);
        for (int i = 0; i < n->nin; i++) {
            if (is_marked(&known, n->in[i]) || !precisions_below(below, g, n->in[i]))
                continue;
            mark(&known, n->in[i]);
            cg_vec_push(&todo, n->in[i]);
        }
    }
    cg_vec_free(&todo);
    cg_map_deinit(&known);
    return taken;
}

static CgRef match_once(CgBuild *b, const CgOp *op, CgRef r)
{
    CgRef found = op->match(b, r);
    return found == r ? CG_NONE : found;
}

static CgRef match(CgBuild *b, Below *below, const CgOp *op, CgRef r)
{
    static const CgPrecision as[] = { CG_AS_SCOPE, CG_IN_F32, CG_IN_BF16 };
    uint8_t all = precisions_below(below, b->graph, r);
    CgRef size = (CgRef)b->graph->nodes.len, found;
    b->precision = all == BOTH ? CG_AS_SCOPE : as[all];
    found = match_once(b, op, r);
    if (found == CG_NONE || all != BOTH)
        return found;
    uint8_t taken = precisions_taken(below, b->graph, r, found, size);
    if (taken == BOTH)
        return CG_NONE;
    b->precision = as[taken];
    return match_once(b, op, r);
}

/* ---- one node ---- */

static CgRef recognise(CgBuild *b, Below *below, CgRef r, const CgOp *const *ops, size_t n)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        CgRef found = CG_NONE;
        for (size_t i = 0; i < n && found == CG_NONE; i++) {
            found = match(b, below, ops[i], r);
            if (found != CG_NONE && !cg_type_equal(cg_node_type(b->graph, found), cg_node_type(b->graph, r)))
                CG_BUG("%s:%d: match of %s changes the type", ops[i]->file, ops[i]->line, ops[i]->name);
        }
        if (found == CG_NONE)
            break;
        r = found;
    }
    return r;
}

/* All ops that recognise something. */
static const CgOp **collect_ops(size_t *n)
{
    const CgOp **ops = cg_malloc(sizeof *ops * (cg_op_count() + 1));
    *n = 0;
    for (size_t i = 0; i < cg_op_count(); i++)
        if (cg_op_at(i)->match)
            ops[(*n)++] = cg_op_at(i);
    return ops;
}

/* A builder whose nodes have the scope, source position and derivative of node r. */
static CgBuild build_like(CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    CgBuild b = cg_build_at(g);
    b.scope = n->scope;
    b.span = n->span;
    b.why = n->why;
    b.clone = n->clone;
    return b;
}

/* Counts n uses of node r of the new graph: as many as the node has that it replaces. */
static void add_uses(CgUses *u, CgRef r, uint32_t n)
{
    while (u->of.len <= r)
        cg_vec_push(&u->of, 0);
    u->of.at[r] += n;
}

CgRef cg_pass_recognise_at(CgBuild *b, CgRef root)
{
    CgGraph *g = b->graph;
    size_t n;
    const CgOp **ops = collect_ops(&n);
    CgRef *map = cg_malloc(sizeof *map * ((size_t)root + 1)), in[CG_MAX_IN];
    bool *live = cg_graph_live(g, root);
    CgBuild copy = cg_build_at(g);
    copy.no_fold = true;
    CgUses known = { 0 };
    Below below = { 0 };
    uint32_t *uses = cg_graph_uses(g, root);
    size_t size = g->nodes.len;
    for (CgRef r = 0; r < size; r++)
        add_uses(&known, r, uses[r]);
    for (CgRef r = 0; r <= root; r++) {
        bool same = true;
        if (!live[r])
            continue;
        for (int i = 0; i < cg_node(g, r)->nin; i++) {
            in[i] = map[cg_node(g, r)->in[i]];
            same &= in[i] == cg_node(g, r)->in[i];
        }
        map[r] = same ? r : cg_graph_copy(&copy, g, r, in);
        if (!same)
            add_uses(&known, map[r], uses[r]);
        CgBuild at = build_like(g, map[r]);
        at.uses = &known;
        map[r] = recognise(&at, &below, map[r], ops, n);
    }
    root = map[root];
    cg_vec_free(&known.of);
    cg_vec_free(&below.of);
    free(uses);
    free(live);
    free(map);
    free(ops);
    return root;
}

CgGraph *cg_pass_recognise(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    bool *differentiated = cg_calloc(g->nodes.len + 1, sizeof *differentiated);
    size_t n;
    const CgOp **ops = collect_ops(&n);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true; /* copied as it is; what a match builds is folded */
    CgUses known = { 0 };
    Below below = { 0 };
    uint32_t *uses = cg_graph_uses(g, CG_NONE);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (cg_node(g, r)->why != CG_NONE)
            differentiated[cg_node(g, r)->why] = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (map[r] != CG_NONE)
            continue;
        map[r] = cg_pass_copy(&b, g, r, map);
        add_uses(&known, map[r], uses[r]);
        if (differentiated[r])
            continue; /* its derivative needs the inner values: they would be computed twice */
        CgBuild at = build_like(to, map[r]);
        at.uses = &known;
        map[r] = recognise(&at, &below, map[r], ops, n);
    }
    cg_vec_free(&below.of);
    free(ops);
    free(differentiated);
    free(uses);
    cg_vec_free(&known.of);
    return cg_pass_end(g, to, map);
}

CG_PASS(recognise, .order = 10, .summary = "replaces patterns of simple ops by the op that computes them in one sweep",
    .run = cg_pass_recognise)
