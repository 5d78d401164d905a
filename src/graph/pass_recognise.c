/* pass_recognise.c - patterns of simple ops become the op that computes them in one sweep.
 * Takes a graph; asks every op's `match` about each node, operands first. Must not know any pattern itself. */
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

CgGraph *cg_pass_recognise(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    const CgOp **ops = cg_malloc(sizeof *ops * (cg_op_count() + 1));
    size_t n = 0;
    for (size_t i = 0; i < cg_op_count(); i++)
        if (cg_op_at(i)->match) ops[n++] = cg_op_at(i);
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;                       /* copied as it is; what a match builds is folded */
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (map[r] != CG_NONE) continue;
        map[r] = cg_pass_copy(&b, g, r, map);
        CgBuild at = cg_build_at(to);
        const CgNode *made = cg_node(to, map[r]);
        at.scope = made->scope;
        at.span = made->span;
        at.why = made->why;
        at.clone = made->clone;
        map[r] = recognise(&at, map[r], ops, n);
    }
    free(ops);
    return cg_pass_end(g, to, map);
}
