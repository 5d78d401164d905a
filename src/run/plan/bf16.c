/* bf16.c - which results are kept in memory rounded to bf16.
 * Takes a graph and numbers for its symbols; says of a result of f32 whether all that read it, views looked through,
 * round it to bf16 before they do anything else (CgOp.rounds), and whether what makes it can write it so
 * (CgOp.rounded). Rounding it once where it is made changes no bit of anything else. Must not change the graph: types
 * are those of the language. */
#include <stdlib.h>
#include "run/plan/inside.h"

#define UNKNOWN 0xffffffffu

struct CgRounded {
    const CgUsers *users;
    CgBindings dims;
    CgArena *arena;
    CgMap attrs;
    uint32_t *rounds; /* by node: operands it rounds, once it has been asked; NULL when nothing is in bf16 */
};

CgRounded *cg_rounded_new(const CgUsers *users, CgBindings dims, const bool *live)
{
    CgRounded *w = cg_calloc(1, sizeof *w);
    const CgGraph *g = users->g;
    size_t n = g->nodes.len;
    bool any = false;
    *w = (CgRounded){ .users = users, .dims = dims, .arena = cg_arena_new() };
    for (CgRef r = 0; r < n && !any; r++)
        any = live[r] && cg_node(g, r)->bf16;
    if (any) {
        w->rounds = cg_malloc((n + 1) * sizeof *w->rounds);
        for (CgRef r = 0; r < n; r++)
            w->rounds[r] = UNKNOWN;
    }
    return w;
}

void cg_rounded_free(CgRounded *w)
{
    if (!w)
        return;
    cg_map_deinit(&w->attrs);
    cg_arena_free(w->arena);
    free(w->rounds);
    free(w);
}

/* What node r says of its operands, row major: strides do not count. */
static uint32_t ask(CgRounded *w, CgRef r)
{
    const CgGraph *g = w->users->g;
    const CgNode *n = cg_node(g, r);
    CgTensor in[CG_MAX_IN], out[CG_MAX_OUT];
    const CgDim *wrong = NULL;
    size_t bytes;
    if (!n->bf16 || !n->op->rounds || !cg_op_code(n->op, CG_F32).kernel)
        return 0;
    CgCall call = { .op = n->op, .nin = n->nin, .nout = n->nout, .in = in, .out = out, .bf16 = true };
    call.attrs = cg_bind_attrs(w->dims, w->arena, &w->attrs, n->attrs, &wrong);
    for (int i = 0; i < call.nin && !wrong; i++)
        if (!cg_bind_tensor(w->dims, cg_node_type(g, n->in[i]), &in[i], &bytes, &wrong))
            return 0;
    for (int k = 0; k < call.nout && !wrong; k++)
        if (!cg_bind_tensor(w->dims, cg_node_out_type(n, k), &out[k], &bytes, &wrong))
            return 0;
    return wrong ? 0 : n->op->rounds(&call); /* a size that is none is said when the node's turn comes */
}

static bool only_rounded(CgRounded *w, CgRef r, int k, bool *read)
{
    const CgUsers *l = w->users;
    if (k == 0 && l->is_output[r])
        return false;
    for (uint32_t e = l->first[r]; e < l->first[r + 1]; e++) {
        CgRef u = l->of[e];
        const CgNode *n = cg_node(l->g, u);
        bool through;
        if (!cg_node_reads(n, k, &through))
            continue;
        if (through) {
            if (!only_rounded(w, u, 0, read))
                return false;
            continue;
        }
        if (w->rounds[u] == UNKNOWN)
            w->rounds[u] = ask(w, u);
        for (int i = 0; i < n->nin; i++)
            if (n->in[i] == r && !(i < 32 && w->rounds[u] >> i & 1))
                return false;
        *read = true;
    }
    return true;
}

bool cg_rounded_result(CgRounded *w, CgRef r, int k)
{
    const CgGraph *g = w->users->g;
    const CgNode *n = cg_node(g, r);
    const CgType *type = cg_node_out_type(n, k);
    if (!w->rounds || type->dtype != CG_F32)
        return false;
    bool read = false;
    return (cg_node_code(g, n).vec || cg_bits_have(n->op->rounded, k)) && only_rounded(w, r, k, &read) && read;
}
