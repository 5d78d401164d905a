/* pass_recognise.c - patterns of simple ops become the op that computes them in one sweep.
 * Takes a graph; asks every op's `match` about each node, operands first. Must not know any pattern itself.
 * cg_pass_recognise_at does it before differentiation, when nothing else needs the inner values yet. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/registry.h"

#define MAX_ROUNDS 8    /* a replacement may itself be recognised; two ops that undo each other must not loop */

static CgRef recognise(CgBuild *b, CgRef r, const CgOp *const *ops, size_t n)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        CgRef found = CG_NONE;
        for (size_t i = 0; i < n && found == CG_NONE; i++) {
            found = ops[i]->match(b, r);
            if (found == r) found = CG_NONE;
            if (found != CG_NONE && !cg_type_equal(cg_node_type(b->graph, found), cg_node_type(b->graph, r)))
                CG_BUG("%s:%d: match of %s changes the type", ops[i]->file, ops[i]->line, ops[i]->name);
        }
        if (found == CG_NONE) break;
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
        if (cg_op_at(i)->match) ops[(*n)++] = cg_op_at(i);
    return ops;
}

/* A builder whose nodes stand where node r stands. */
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

/* uses[r]: of node r by live nodes and by outputs; by root as by an output. */
static uint32_t *count_uses(const CgGraph *g, CgRef root)
{
    uint32_t *uses = cg_calloc(g->nodes.len + 1, sizeof *uses);
    for (size_t i = 0; i < g->outputs.len; i++) uses[g->outputs.at[i].ref]++;
    if (root != CG_NONE) uses[root]++;
    for (CgRef r = (CgRef)g->nodes.len; r-- > 0;)
        for (int i = 0; uses[r] && i < cg_node(g, r)->nin; i++) uses[cg_node(g, r)->in[i]]++;
    return uses;
}

/* Node r of the graph being made stands for one that is used so often. */
static void add_uses(CgUses *u, CgRef r, uint32_t n)
{
    while (u->of.len <= r) cg_vec_push(&u->of, 0);
    u->of.at[r] += n;
}

CgRef cg_pass_recognise_at(CgBuild *b, CgRef root)
{
    CgGraph *g = b->graph;
    size_t n;
    const CgOp **ops = collect_ops(&n);
    CgRef *map = cg_malloc(sizeof *map * ((size_t)root + 1)), in[CG_MAX_IN];
    bool *live = cg_calloc((size_t)root + 1, sizeof *live);
    CgBuild copy = cg_build_at(g);
    copy.no_fold = true;
    live[root] = true;
    for (CgRef r = root + 1; r-- > 0;)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++) live[cg_node(g, r)->in[i]] = true;
    CgUses known = { 0 };
    uint32_t *uses = count_uses(g, root);
    size_t size = g->nodes.len;
    for (CgRef r = 0; r < size; r++) add_uses(&known, r, uses[r]);
    for (CgRef r = 0; r <= root; r++) {
        bool same = true;
        if (!live[r]) continue;
        for (int i = 0; i < cg_node(g, r)->nin; i++) {
            in[i] = map[cg_node(g, r)->in[i]];
            same &= in[i] == cg_node(g, r)->in[i];
        }
        map[r] = same ? r : cg_graph_copy(&copy, g, r, in);
        if (!same) add_uses(&known, map[r], uses[r]);
        CgBuild at = build_like(g, map[r]);
        at.uses = &known;
        map[r] = recognise(&at, map[r], ops, n);
    }
    root = map[root];
    cg_vec_free(&known.of);
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
    b.no_fold = true;                       /* copied as it is; what a match builds is folded */
    CgUses known = { 0 };
    uint32_t *uses = count_uses(g, CG_NONE);
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (cg_node(g, r)->why != CG_NONE) differentiated[cg_node(g, r)->why] = true;
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (map[r] != CG_NONE) continue;
        map[r] = cg_pass_copy(&b, g, r, map);
        add_uses(&known, map[r], uses[r]);
        if (differentiated[r]) continue;    /* its derivative needs the inner values: they would be computed twice */
        CgBuild at = build_like(to, map[r]);
        at.uses = &known;
        map[r] = recognise(&at, map[r], ops, n);
    }
    free(ops);
    free(differentiated);
    free(uses);
    cg_vec_free(&known.of);
    return cg_pass_end(g, to, map);
}
