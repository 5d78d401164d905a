/* grad.c - reverse accumulation, graph to graph.
 * Takes a scalar node and the nodes to differentiate by; appends derivative nodes, each with the span, scope and
 * precision of the forward node it belongs to and that node in `why`. Must not know any op, nor see a
 * number. */
#include "graph/grad.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/timing.h"
#include "graph/pass.h"
#include "graph/use.h"

#define MAX_EXPANSIONS 32 /* expansions within expansions; more is an op that expands to itself */

/* One sweep. `adjoint` holds, by (node, result), the derivative of the seeds by that result as summed up so far. */
typedef struct Sweep {
    CgBuild *b;
    uint8_t *reached; /* a node that depends, differentiably, on one of wrt[] */
    CgMap adjoint;
    int depth;
    CgRef where;
    CgErr *e;
} Sweep;

static bool sweep(CgBuild *b, int nseed, const CgRef *seed, const CgRef *gseed, int nwrt, const CgRef *wrt,
    CgRef *grads, int depth, CgRef *where, CgErr *e);

static CgRef get_adjoint(const Sweep *s, CgRef r, int k)
{
    uint64_t found;
    return cg_map_get(&s->adjoint, (uint64_t)r * CG_MAX_OUT + (uint64_t)k, &found) ? (CgRef)found : CG_NONE;
}

/* Adds `d` to what is known of the derivative by `r`. */
static void accumulate(Sweep *s, CgRef r, CgRef d)
{
    int k;
    CgRef node = cg_node_result(s->b->graph, r, &k), so_far = get_adjoint(s, node, k);
    CgRef sum = so_far == CG_NONE ? d : cg_add(s->b, so_far, d);
    cg_map_put(&s->adjoint, (uint64_t)node * CG_MAX_OUT + (uint64_t)k, sum);
}

static bool has_derivative(const CgGraph *g, CgRef r) { return cg_dtype_has_derivative(cg_node_type(g, r)->dtype); }

static void mark_reached(Sweep *s, CgRef last, int nwrt, const CgRef *wrt)
{
    const CgGraph *g = s->b->graph;
    for (int i = 0; i < nwrt; i++)
        if (wrt[i] <= last)
            s->reached[wrt[i]] = 1;
    for (CgRef r = 0; r <= last; r++) {
        const CgNode *n = cg_node(g, r);
        bool stops = (n->op->traits & CG_NODIFF) && !cg_node_is_result(n);
        for (int i = 0; i < n->nin && !stops && !s->reached[r]; i++)
            s->reached[r] = s->reached[n->in[i]];
        if (n->nout == 1 && !cg_dtype_has_derivative(n->type.dtype))
            s->reached[r] = 0;
    }
}

/* ---- ops without a rule of their own: the derivative of what they expand to ---- */

/* Rebuilds node r of `from` and all it needs in b's graph; map[] already has the placeholders. */
static CgRef graft(CgBuild *b, const CgGraph *from, CgRef r, CgRef *map)
{
    const CgNode *n = cg_node(from, r);
    CgRef in[CG_MAX_IN];
    if (map[r] != CG_NONE)
        return map[r];
    for (int i = 0; i < n->nin; i++)
        in[i] = graft(b, from, n->in[i], map);
    b->precision = cg_node_precision(n);
    map[r] = cg_build_like(b, n, in);
    return map[r];
}

/* The expansion is differentiated in a graph of its own, by placeholders for the operands: there no rewrite can see
 * through an operand, and no node of the expansion can turn out to be a node of the caller. */
static bool vjp_by_expansion(Sweep *s, const CgOp *op, const CgSite *site, CgRef *gin)
{
    CgBuild *b = s->b;
    CgGraph *g = cg_graph_new("expansion");
    g->scopes.at[0].bf16 = cg_build_bf16(b);
    CgBuild at = cg_build_at(g);
    CgRef in[CG_MAX_IN], out[CG_MAX_OUT], seed[CG_MAX_OUT], gseed[CG_MAX_OUT], grads[CG_MAX_IN], where;
    char name[16];
    int nseed = 0;
    if (s->depth >= MAX_EXPANSIONS)
        CG_BUG("%s:%d: op %s expands to itself", op->file, op->line, op->name);
    for (int i = 0; i < site->nin; i++) {
        snprintf(name, sizeof name, "in%d", i);
        in[i] = cg_graph_input(&at, name, cg_ref_type(b, site->in[i]));
    }
    CgSite inner = { .nin = site->nin, .nout = site->nout, .in = in, .attrs = site->attrs };
    op->expand(&at, &inner, out);
    CgRef source[CG_MAX_OUT];
    for (int k = 0; k < site->nout; k++) {
        if (site->gout[k] == CG_NONE)
            continue;
        snprintf(name, sizeof name, "gout%d", k);
        seed[nseed] = out[k];
        gseed[nseed] = cg_graph_input(&at, name, cg_ref_type(b, site->gout[k]));
        source[nseed++] = site->gout[k];
    }
    bool ok = sweep(&at, nseed, seed, gseed, site->nin, in, grads, s->depth + 1, &where, s->e);
    if (ok) {
        CgRef *map = cg_malloc(sizeof *map * g->nodes.len);
        for (size_t i = 0; i < g->nodes.len; i++)
            map[i] = CG_NONE;
        for (int i = 0; i < site->nin; i++)
            map[in[i]] = site->in[i];
        for (int k = 0; k < nseed; k++)
            map[gseed[k]] = source[k];
        for (int i = 0; i < site->nin; i++)
            if (grads[i] != CG_NONE)
                gin[i] = graft(b, g, grads[i], map);
        free(map);
    }
    cg_graph_free(g);
    return ok;
}

/* ---- one node ---- */

static bool step(Sweep *s, CgRef r)
{
    CgBuild *b = s->b;
    const CgNode n = *cg_node(b->graph, r); /* by value: building moves the nodes */
    int nout = n.nout;
    CgRef out[CG_MAX_OUT], gout[CG_MAX_OUT], gin[CG_MAX_IN];
    bool used = false;
    for (int k = 0; k < nout; k++) {
        gout[k] = get_adjoint(s, r, k);
        used |= gout[k] != CG_NONE;
    }
    if (!used || !s->reached[r] || n.nin == 0 || cg_node_is_result(&n) || (n.op->traits & CG_NODIFF))
        return true;
    bool below = false;
    for (int i = 0; i < n.nin; i++)
        below |= s->reached[n.in[i]];
    if (!below)
        return true; /* r is in wrt[] itself */

    b->span = n.span;
    b->scope = n.scope;
    b->why = r;
    b->precision = cg_node_precision(&n);
    for (int k = 0; k < nout; k++)
        out[k] = cg_build_result(b, r, k);
    for (int i = 0; i < n.nin; i++)
        gin[i] = CG_NONE;
    CgSite site = { .nin = n.nin, .nout = nout, .in = n.in, .out = out, .gout = gout, .attrs = n.attrs };
    b->no_rule = NULL;
    if (n.op->vjp)
        n.op->vjp(b, &site, gin);
    if (b->no_rule) {
        s->where = r;
        return cg_err(s->e, CG_ERR_INPUT, "%s: %s", n.op->name, b->no_rule);
    }
    if (n.op->vjp) {
    } else if (!n.op->expand) {
        s->where = r;
        return cg_err(s->e, CG_ERR_INPUT, "op '%s' has no derivative", n.op->name);
    } else if (!vjp_by_expansion(s, n.op, &site, gin)) {
        s->where = r;
        return false;
    }
    for (int i = 0; i < n.nin; i++) {
        if (gin[i] == CG_NONE || !s->reached[n.in[i]] || !has_derivative(b->graph, n.in[i]))
            continue;
        CgType want = cg_ref_type(b, n.in[i]), got = cg_ref_type(b, gin[i]);
        want.dtype = cg_dtype_is_narrow(want.dtype) ? CG_F32 : want.dtype;
        if (!cg_type_equal(&want, &got))
            CG_BUG("%s:%d: the derivative of %s by operand %d has another type than the operand", n.op->file,
                n.op->line, n.op->name, i);
        accumulate(s, n.in[i], gin[i]);
    }
    return true;
}

/* grads[i]: derivative of sum over k of <gseed[k], seed[k]> by wrt[i]; CG_NONE where there is none. */
static bool sweep(CgBuild *b, int nseed, const CgRef *seed, const CgRef *gseed, int nwrt, const CgRef *wrt,
    CgRef *grads, int depth, CgRef *where, CgErr *e)
{
    Sweep s = { .b = b, .depth = depth, .where = CG_NONE, .e = e };
    const CgBuild saved = *b;
    CgRef last = 0;
    for (int k = 0; k < nseed; k++)
        if (seed[k] > last)
            last = seed[k];
    s.reached = cg_calloc((size_t)last + 1, 1);
    mark_reached(&s, last, nwrt, wrt);
    for (int k = 0; k < nseed; k++)
        accumulate(&s, seed[k], gseed[k]);
    bool ok = true;
    for (CgRef r = last + 1; ok && r-- > 0;)
        ok = step(&s, r);
    b->span = saved.span;
    b->scope = saved.scope;
    b->why = saved.why;
    b->precision = saved.precision;
    for (int i = 0; ok && i < nwrt; i++) {
        int k;
        CgRef node = cg_node_result(b->graph, wrt[i], &k);
        grads[i] = get_adjoint(&s, node, k);
    }
    *where = s.where;
    cg_map_deinit(&s.adjoint);
    free(s.reached);
    return ok;
}

void cg_build_refuse(CgBuild *b, const char *why) { b->no_rule = why; }

const char *cg_build_refused(const CgBuild *b) { return b->no_rule; }

void cg_build_grads(CgBuild *b, int nout, const CgRef *out, const CgRef *gout, int nwrt, const CgRef *wrt, CgRef *grads)
{
    CgRef seed[CG_MAX_IN], gseed[CG_MAX_IN], where;
    int n = 0;
    CgErr err = { 0 };
    for (int k = 0; k < nout; k++)
        if (gout[k] != CG_NONE) {
            seed[n] = out[k];
            gseed[n++] = gout[k];
        }
    for (int i = 0; i < nwrt; i++)
        grads[i] = CG_NONE;
    if (n && !sweep(b, n, seed, gseed, nwrt, wrt, grads, 0, &where, &err))
        cg_build_refuse(b, cg_intern(err.text));
}

bool cg_grad_build(CgBuild *b, CgRef loss, int n, const CgRef *wrt, CgRef *grads, CgRef *where, CgErr *e)
{
    CgType type = cg_ref_type(b, loss);
    *where = loss;
    if (type.rank || !cg_dtype_is_float(type.dtype)) {
        CgStrbuf text = { 0 };
        cg_type_print(&type, &text);
        cg_err(e, CG_ERR_INPUT, "only a scalar can be differentiated; this is %s", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (!has_derivative(b->graph, wrt[i])) {
            *where = wrt[i];
            return cg_err(e, CG_ERR_INPUT, "there is no derivative by %s values",
                cg_dtype_name(cg_node_type(b->graph, wrt[i])->dtype));
        }
    cg_timing_begin("differentiate");
    bool leaves = true;
    for (int i = 0; i < n; i++)
        leaves &= cg_node(b->graph, wrt[i])->nin == 0;
    if (leaves)
        loss = cg_pass_slice_at(b, cg_pass_recognise_at(b, loss));
    CgRefusal *refused = b->refused; /* an ill-typed node of a derivative rule is a bug of the op */
    b->refused = NULL;
    CgRef one, saved = b->why;
    b->why = loss;
    one = cg_fill(b, type, 1);
    bool ok = sweep(b, 1, &loss, &one, n, wrt, grads, 0, where, e);
    for (int i = 0; ok && i < n; i++)
        if (grads[i] == CG_NONE)
            grads[i] = cg_fill_like(b, wrt[i], 0);
    b->why = saved;
    b->refused = refused;
    cg_timing_end();
    return ok;
}

/* A node of y's type that is no other one's; of its elements nothing is wanted. */
static CgRef weights_of(CgBuild *b, CgRef y)
{
    CgRef zero = cg_fill_like(b, y, 0), u;
    CgAttr number = cg_a_int("number", (int64_t)b->graph->nodes.len);
    bool no_fold = b->no_fold;
    b->no_fold = true;
    u = cg_build(b, "identity", 1, &zero, cg_attrs(1, &number));
    b->no_fold = no_fold;
    return u;
}

/* The derivative by y's weights u of <d<u, y>/dwrt, along>: what is linear in u does not depend on it. */
bool cg_jvp_build(CgBuild *b, CgRef y, CgRef wrt, CgRef along, CgRef *out, CgRef *where, CgErr *e)
{
    CgRefusal *refused = b->refused;
    CgRef saved = b->why, by, u;
    b->refused = NULL;
    b->why = y;
    cg_timing_begin("differentiate");
    u = weights_of(b, y);
    *out = CG_NONE;
    bool ok = sweep(b, 1, &y, &u, 1, &wrt, &by, 0, where, e);
    if (ok && by != CG_NONE)
        ok = sweep(b, 1, &by, &along, 1, &u, out, 0, where, e);
    if (ok && *out == CG_NONE)
        *out = cg_fill_like(b, y, 0);
    cg_timing_end();
    b->why = saved;
    b->refused = refused;
    return ok;
}
