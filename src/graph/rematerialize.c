/* rematerialize.c - what second copies of forward values take, and the graph with those that were chosen.
 * Costs are by the ops' own `work`. A copy is made where the derivative first needs it, with all that it needs itself
 * and that is not kept. */
#include "graph/rematerialize.h"

#include <stdlib.h>

#include <cg/kernel.h>

#include "graph/pass.h"
#include "graph/use.h"

#define NOMINAL 64
#define FLOPS   2e11 /* a second: only their ratio matters, and that to the half of it */
#define BYTES   4e10

struct CgRematPass {
    CgBuild b;
    CgRef *map, *again;
    bool *sweep; /* bound by memory, not by arithmetic */
    bool sweeps;
    int deepest, clone;
    CG_VEC(CgBinding) symbols;
    CgArena *arena; /* of bound attributes */
    CgMap bound;
};

/* ---- what things cost ---- */

static CgBindings sizes(const struct CgRematPass *p) { return (CgBindings){ p->symbols.at, (int)p->symbols.len }; }

/* Gives NOMINAL to each symbol of a size that has no number yet. */
static void know(struct CgRematPass *p, const CgDim *dim)
{
    int64_t value;
    CgAtom missing = NULL;
    while (!cg_dim_eval(dim, sizes(p), &value, &missing) && missing) {
        cg_vec_push(&p->symbols, ((CgBinding){ missing, NOMINAL }));
        missing = NULL;
    }
}

/* Bytes of a tensor of this type; negative where a size is invalid, which the planner reports. */
static double tensor_of(struct CgRematPass *p, const CgType *type, CgTensor *t)
{
    size_t bytes;
    const CgDim *wrong;
    for (int i = 0; i < type->rank; i++)
        know(p, type->dim[i]);
    return cg_bind_tensor(sizes(p), type, t, &bytes, &wrong) ? (double)bytes : -1;
}

static const CgAttrs *attrs_of(struct CgRematPass *p, const CgAttrs *attrs)
{
    const CgDim *wrong;
    for (int i = 0; attrs && i < attrs->n; i++)
        for (int j = 0; attrs->at[i].kind == CG_ATTR_DIMS && j < attrs->at[i].n; j++)
            know(p, attrs->at[i].dims[j]);
    return cg_bind_attrs(sizes(p), p->arena, &p->bound, attrs, &wrong);
}

static bool takes_no_memory(const CgNode *n) { return cg_node_is_leaf(n) || cg_node_is_view(n); }

static void count(CgRemat *m, CgRef r)
{
    struct CgRematPass *p = m->pass;
    const CgNode *n = cg_node(m->g, r);
    CgTensor in[CG_MAX_IN], out[CG_MAX_OUT];
    double read = 0, made = 0, bytes;
    for (int i = 0; i < n->nin; i++, read += bytes)
        if ((bytes = tensor_of(p, cg_node_type(m->g, n->in[i]), &in[i])) < 0)
            return;
    for (int k = 0; k < n->nout; k++, made += bytes)
        if ((bytes = tensor_of(p, cg_node_out_type(n, k), &out[k])) < 0)
            return;
    m->bytes[r] = made;
    const CgAttrs *attrs = attrs_of(p, n->attrs);
    if (takes_no_memory(n) || (n->attrs && !attrs))
        return;
    CgCall call = { .op = n->op, .nin = n->nin, .nout = n->nout, .in = in, .out = out, .attrs = attrs };
    CgWork work = { .flops = (double)cg_tensor_count(out), .bytes = read + made, .shards = 1 };
    if (n->op->work)
        n->op->work(&call, &work);
    /* Fused into a sweep that reads the operands anyway. */
    if (n->op->traits & CG_ELEMENTWISE)
        work.bytes = made;
    p->sweep[r] = work.flops / FLOPS <= work.bytes / BYTES;
    m->time[r] = p->sweep[r] ? work.bytes / BYTES : work.flops / FLOPS;
}

/* ---- what can be made again ---- */

static CgRef base_of(const CgGraph *g, CgRef r)
{
    int k;
    return cg_node_base(g, r, &k);
}

CgRef cg_remat_operand(const CgRemat *m, CgRef r, int i) { return base_of(m->g, cg_node(m->g, r)->in[i]); }

bool cg_remat_follows(const CgRemat *m, CgRef x) { return m->able[x] && (!m->kept[x] || m->chosen[x]); }

/* Random numbers would be drawn again, and what a loop takes is known only when it is planned. */
static bool is_able(const CgRemat *m, CgRef r, bool sweep)
{
    const CgNode *n = cg_node(m->g, r);
    return !cg_node_is_late(n) && !takes_no_memory(n) && !(n->op->traits & (CG_RANDOM | CG_LOOP))
        && (!m->pass->sweeps || (sweep && n->nout == 1));
}

/* Whether r can be made again, and the copies of copies that takes. */
static void look(CgRemat *m, CgRef r)
{
    int depth = 1;
    if (!is_able(m, r, m->pass->sweep[r]))
        return;
    for (int i = 0; i < cg_node(m->g, r)->nin; i++) {
        CgRef x = cg_remat_operand(m, r, i);
        if (cg_node(m->g, x)->op->traits & CG_LEAF || (m->kept[x] && !m->able[x]))
            continue;
        if (!m->able[x])
            return;
        if (m->depth[x] + 1 > depth)
            depth = m->depth[x] + 1;
    }
    m->able[r] = depth <= m->pass->deepest;
    m->depth[r] = (uint8_t)(depth < 255 ? depth : 255);
}

static void count_all(CgRemat *m)
{
    const CgGraph *g = m->g;
    bool *live = cg_graph_live(g, CG_NONE);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        if (!live[r])
            continue;
        count(m, r);
        m->total += m->time[r];
        for (int i = 0; i < n->nin && cg_node_is_late(n); i++) {
            CgRef x = cg_remat_operand(m, r, i);
            if (!cg_node_is_late(cg_node(g, x)) && !(cg_node(g, x)->op->traits & CG_LEAF))
                m->kept[x] = true;
        }
    }
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r])
            look(m, r);
    free(live);
}

/* ---- choosing ---- */

double cg_remat_price(const CgRemat *m, CgRef r)
{
    double time = m->time[r];
    for (int i = 0; i < cg_node(m->g, r)->nin; i++) {
        CgRef x = cg_remat_operand(m, r, i);
        if (m->able[x] && !m->kept[x] && !m->chosen[x])
            time += cg_remat_price(m, x);
    }
    return time;
}

void cg_remat_choose(CgRemat *m, CgRef r)
{
    m->chosen[r] = true;
    for (int i = 0; i < cg_node(m->g, r)->nin; i++) {
        CgRef x = cg_remat_operand(m, r, i);
        if (m->able[x] && !m->kept[x] && !m->chosen[x])
            cg_remat_choose(m, x);
    }
}

static int by_worth(const void *a, const void *b)
{
    const CgRematOffer *x = a, *y = b;
    double u = x->bytes * y->price, v = y->bytes * x->price;
    return u > v ? -1 : u < v ? 1 : x->node < y->node ? -1 : 1;
}

size_t cg_remat_offers(const CgRemat *m, double least, CgRematOffer **out)
{
    CG_VEC(CgRematOffer) offers = { 0 };
    for (CgRef r = 0; r < m->g->nodes.len; r++)
        if (m->kept[r] && m->able[r] && m->bytes[r] > least)
            cg_vec_push(&offers, ((CgRematOffer){ r, cg_remat_price(m, r), m->bytes[r] }));
    if (offers.len)
        qsort(offers.at, offers.len, sizeof *offers.at, by_worth);
    *out = offers.at;
    return offers.len;
}

/* ---- rewriting ---- */

/* The second copy of r, or of a view of it, made with all it needs on first use; chains are short. */
static CgRef again(CgRemat *m, CgRef r)
{
    struct CgRematPass *p = m->pass;
    const CgNode *n = cg_node(m->g, r);
    CgRef in[CG_MAX_IN];
    if (!m->chosen[base_of(m->g, r)])
        return p->map[r];
    if (p->again[r] != CG_NONE)
        return p->again[r];
    for (int i = 0; i < n->nin; i++)
        in[i] = again(m, n->in[i]);
    p->b.clone = p->clone;
    p->again[r] = cg_graph_copy(&p->b, m->g, r, in);
    p->b.clone = 0;
    return p->again[r];
}

static CgRef copy(CgRemat *m, CgRef r)
{
    struct CgRematPass *p = m->pass;
    const CgNode *n = cg_node(m->g, r);
    CgRef in[CG_MAX_IN];
    if (!cg_node_is_late(n))
        return cg_pass_copy(&p->b, m->g, r, p->map);
    for (int i = 0; i < n->nin; i++)
        in[i] = again(m, n->in[i]);
    p->b.why_map = p->map;
    return cg_graph_copy(&p->b, m->g, r, in);
}

/* A number for copies that no copy the author asked for has; what was made again before has it already, and an equal
 * copy is one node with that. */
static int clone_number(const CgGraph *g)
{
    int clone = 1;
    for (size_t i = 0; i < g->scopes.len; i++)
        if (g->scopes.at[i].recompute >= clone)
            clone = g->scopes.at[i].recompute + 1;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (cg_node(g, r)->clone > clone)
            clone = cg_node(g, r)->clone;
    return clone;
}

CgGraph *cg_remat_graph(CgRemat *m)
{
    struct CgRematPass *p = m->pass;
    const CgGraph *g = m->g;
    bool *live = cg_graph_live(g, CG_NONE);
    p->clone = clone_number(g);
    p->map = cg_malloc(sizeof *p->map * (g->nodes.len + 1));
    for (CgRef r = 0; r < g->nodes.len; r++)
        p->again[r] = CG_NONE;
    CgGraph *to = cg_pass_begin(g, p->map);
    p->b = cg_build_at(to);
    p->b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (live[r] && p->map[r] == CG_NONE)
            p->map[r] = copy(m, r);
    free(live);
    return cg_pass_end(g, to, p->map);
}

/* ---- beginning and end ---- */

CgRemat *cg_remat_new(const CgGraph *g, CgBindings dims, bool sweeps, int deepest)
{
    CgRemat *m = cg_calloc(1, sizeof *m);
    struct CgRematPass *p = m->pass = cg_calloc(1, sizeof *p);
    size_t n = g->nodes.len + 1;
    m->g = g;
    m->kept = cg_calloc(n, sizeof *m->kept);
    m->able = cg_calloc(n, sizeof *m->able);
    m->chosen = cg_calloc(n, sizeof *m->chosen);
    m->time = cg_calloc(n, sizeof *m->time);
    m->bytes = cg_calloc(n, sizeof *m->bytes);
    m->depth = cg_calloc(n, sizeof *m->depth);
    p->sweep = cg_calloc(n, sizeof *p->sweep);
    p->again = cg_calloc(n, sizeof *p->again);
    p->arena = cg_arena_new();
    p->sweeps = sweeps;
    p->deepest = deepest;
    for (int i = 0; i < dims.n; i++)
        cg_vec_push(&p->symbols, dims.at[i]);
    count_all(m);
    return m;
}

void cg_remat_free(CgRemat *m)
{
    struct CgRematPass *p = m->pass;
    free(m->kept);
    free(m->able);
    free(m->chosen);
    free(m->time);
    free(m->bytes);
    free(m->depth);
    free(p->sweep);
    free(p->again);
    cg_vec_free(&p->symbols);
    cg_map_deinit(&p->bound);
    cg_arena_free(p->arena);
    free(p);
    free(m);
}
