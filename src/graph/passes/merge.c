/* merge.c - an op that gives another's result besides its own is asked for both.
 * Takes a graph; gives one in which a node whose op is `merge_into` another is that other's result, where a node of it
 * stands on the same operands and needs nothing that comes from the first. Must not change any value. */
#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "graph/use.h"

#define MAX_SEARCH 100000 /* nodes looked at to rule out a circle; past that both stay */

typedef struct Pass {
    const CgGraph *g;
    CgBuild b;
    CgRef *map;
    CgRef *whole; /* the node that also computes this one's result, or CG_NONE */
    uint32_t *seen, stamp;
} Pass;

/* Does r need x? Nodes merged so far count as where they were merged into. */
static bool needs(Pass *p, CgRef r, CgRef x)
{
    CG_VEC(CgRef) todo = { 0 };
    bool found = false;
    size_t looked = 0;
    p->stamp++;
    cg_vec_push(&todo, r);
    while (todo.len && !found) {
        CgRef top = todo.at[--todo.len];
        const CgNode *n = cg_node(p->g, top);
        if (top == x || ++looked > MAX_SEARCH)
            found = true;
        if (p->seen[top] == p->stamp)
            continue;
        p->seen[top] = p->stamp;
        if (p->whole[top] != CG_NONE)
            cg_vec_push(&todo, p->whole[top]);
        for (int i = 0; i < n->nin; i++)
            if (n->in[i] >= x || p->whole[n->in[i]] != CG_NONE)
                cg_vec_push(&todo, n->in[i]);
    }
    cg_vec_free(&todo);
    return found;
}

static bool is_within(const CgGraph *g, CgRef small, CgRef big)
{
    const CgNode *x = cg_node(g, small), *y = cg_node(g, big);
    return cg_op_named(x->op->merge_into) == y->op && x->attrs == y->attrs && x->clone == y->clone && x->bf16 == y->bf16
        && x->nin <= y->nin && !memcmp(x->in, y->in, sizeof *x->in * (size_t)x->nin);
}

/* Node r with all it needs; deepest first, without recursion: what a node is merged into may come after it. */
static void emit(Pass *p, CgRef r)
{
    CG_VEC(CgRef) todo = { 0 };
    cg_vec_push(&todo, r);
    while (todo.len) {
        CgRef top = todo.at[todo.len - 1], whole = p->whole[top];
        const CgNode *n = cg_node(p->g, top);
        size_t waiting = todo.len;
        if (p->map[top] != CG_NONE) {
            todo.len--;
            continue;
        }
        if (whole != CG_NONE && p->map[whole] == CG_NONE)
            cg_vec_push(&todo, whole);
        for (int i = 0; i < n->nin && whole == CG_NONE; i++)
            if (p->map[n->in[i]] == CG_NONE)
                cg_vec_push(&todo, n->in[i]);
        if (todo.len > waiting)
            continue;
        p->b.span = n->span;
        p->b.scope = n->scope;
        p->map[top] = whole == CG_NONE ? cg_pass_copy(&p->b, p->g, top, p->map)
                                       : cg_build_result(&p->b, p->map[whole], n->op->merge_result);
        todo.len--;
    }
    cg_vec_free(&todo);
}

CgGraph *cg_pass_merge(const CgGraph *g)
{
    Pass p = { .g = g };
    size_t n = g->nodes.len;
    p.map = cg_malloc(sizeof *p.map * (n + 1));
    p.whole = cg_malloc(sizeof *p.whole * (n + 1));
    p.seen = cg_calloc(n + 1, sizeof *p.seen);
    CgGraph *to = cg_pass_begin(g, p.map);
    bool *live = cg_graph_live(g, CG_NONE);
    p.b = cg_build_at(to);
    p.b.no_fold = true;
    for (CgRef r = 0; r < n; r++)
        p.whole[r] = CG_NONE;
    CG_VEC(CgRef) small = { 0 };
    for (CgRef r = 0; r < n; r++) {
        const CgNode *big = cg_node(g, r);
        if (live[r] && big->op->merge_into)
            cg_vec_push(&small, r);
        for (size_t i = 0; i < small.len && live[r] && big->nout > 1; i++)
            if (is_within(g, small.at[i], r) && p.whole[small.at[i]] == CG_NONE && !needs(&p, r, small.at[i]))
                p.whole[small.at[i]] = r;
    }
    cg_vec_free(&small);
    for (CgRef r = 0; r < n; r++)
        if (live[r] && p.map[r] == CG_NONE)
            emit(&p, r);
    free(live);
    free(p.whole);
    free(p.seen);
    return cg_pass_end(g, to, p.map);
}

CG_PASS(merge, .order = 60, .was = "unite", .summary = "takes results from ops that give them besides their own",
    .run = cg_pass_merge)
