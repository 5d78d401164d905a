/* bf16.c - which results are kept in memory rounded to bf16.
 * Takes a graph and numbers for its symbols; says of a result of f32 whether all that read it, views looked through,
 * round it to bf16 before they do anything else (CgOp.rounds), and whether what makes it can write it so
 * (CgOp.rounded). Rounding it once where it is made changes no bit of anything else. Must not change the graph: types
 * are those of the language. */
#include <stdlib.h>
#include "run/plan/plan_inside.h"

#define UNKNOWN 0xffffffffu

struct CgRounded {
    const CgReaders *readers;
    CgBindings dims;
    CgArena *arena;
    CgMap attrs;
    uint32_t *rounds; /* by node: operands it rounds, once it has been asked; NULL when nothing is in bf16 */
};

CgRounded *cg_rounded_new(const CgReaders *readers, CgBindings dims, const bool *live)
{
    CgRounded *w = cg_calloc(1, sizeof *w);
    const CgGraph *g = readers->g;
    size_t n = g->nodes.len;
    bool any = false;
    *w = (CgRounded){ .readers = readers, .dims = dims, .arena = cg_arena_new() };
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
    const CgGraph *g = w->readers->g;
    const CgNode *n = cg_node(g, r);
    CgTensor in[CG_MAX_IN], out[CG_MAX_OUT];
    const CgDim *wrong = NULL;
    size_t bytes;
    if (!n->bf16 || !n->op->rounds || n->op->kernel[CG_F32] == NULL)
        return 0;
    CgCall call = {
        .op = n->op, .nin = n->nin, .nout = n->op->nout ? n->op->nout : 1, .in = in, .out = out, .bf16 = true
    };
    call.attrs = cg_plan_bind_attrs(w->dims, w->arena, &w->attrs, n->attrs, &wrong);
    for (int i = 0; i < call.nin && !wrong; i++)
        if (!cg_plan_bind_type(w->dims, cg_node_type(g, n->in[i]), &in[i], &bytes, &wrong))
            return 0;
    for (int k = 0; k < call.nout && !wrong; k++)
        if (!cg_plan_bind_type(w->dims, k == 0 ? &n->type : &n->more[k - 1], &out[k], &bytes, &wrong))
            return 0;
    return wrong ? 0 : n->op->rounds(&call); /* a size that is none is said when the node's turn comes */
}

static bool only_rounded(CgRounded *w, CgRef r, int k, bool *read)
{
    const CgReaders *l = w->readers;
    if (k == 0 && l->is_output[r])
        return false;
    for (uint32_t e = l->first[r]; e < l->first[r + 1]; e++) {
        CgRef u = l->users[e];
        const CgNode *n = cg_node(l->g, u);
        bool through;
        if (!cg_plan_looks(n, k, &through))
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
    const CgGraph *g = w->readers->g;
    const CgNode *n = cg_node(g, r);
    const CgType *type = k == 0 ? &n->type : &n->more[k - 1];
    if (!w->rounds || type->dtype != CG_F32)
        return false;
    CgDtype dtype = n->nin > 0 ? cg_node_type(g, n->in[0])->dtype : n->type.dtype;
    bool elementwise = !n->op->kernel[dtype] && n->op->vec[dtype], read = false;
    return (elementwise || n->op->rounded >> k & 1) && only_rounded(w, r, k, &read) && read;
}
