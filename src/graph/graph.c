/* graph.c - the hash-consing constructor, leaves, outputs, copy, identity and the verifier.
 * Takes ops, operands, attributes; gives nodes. Equal nodes are one node; a node is never changed once made.
 * Must not know what an op does, but for the leaves (CG_LEAF): input, param, const, result. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"
#include "graph/text.h"
#include "graph/use.h"

#define MAX_FOLD_DEPTH 64

const CgType *cg_node_out_type(const CgNode *n, int k) { return k ? &n->more[k - 1] : &n->type; }

/* ---- the graph itself ---- */

CgGraph *cg_graph_new(const char *name)
{
    CgGraph *g = cg_calloc(1, sizeof *g);
    g->arena = cg_arena_new();
    g->name = cg_intern(name);
    cg_vec_push(&g->scopes, (CgScope){ .parent = -1, .name = cg_intern(""), .graph = cg_intern("") });
    return g;
}

void cg_graph_free(CgGraph *g)
{
    if (!g)
        return;
    cg_vec_free(&g->nodes);
    cg_vec_free(&g->scopes);
    cg_vec_free(&g->inputs);
    cg_vec_free(&g->params);
    cg_vec_free(&g->outputs);
    cg_vec_free(&g->next);
    cg_map_deinit(&g->axis_names);
    cg_map_deinit(&g->index);
    cg_arena_free(g->arena);
    free(g);
}

CgBuild cg_build_at(CgGraph *g) { return (CgBuild){ .graph = g, .why = CG_NONE }; }

bool cg_build_bf16(const CgBuild *b)
{
    return b->precision == CG_AS_SCOPE ? b->graph->scopes.at[b->scope].bf16 : b->precision == CG_IN_BF16;
}

CgPrecision cg_node_precision(const CgNode *n)
{
    return !(n->op->traits & CG_PRODUCTS) ? CG_AS_SCOPE : n->bf16 ? CG_IN_BF16 : CG_IN_F32;
}

int cg_scope_add(CgGraph *g, int parent, const char *name, const char *graph)
{
    CgScope s = { .parent = parent, .name = cg_intern(name), .graph = cg_intern(graph ? graph : "") };
    if (parent < 0 || (size_t)parent >= g->scopes.len)
        CG_BUG("scope '%s' has parent %d", name, parent);
    s.recompute = g->scopes.at[parent].recompute;
    s.bf16 = g->scopes.at[parent].bf16;
    cg_vec_push(&g->scopes, s);
    return (int)g->scopes.len - 1;
}

void cg_scope_set_args(CgGraph *g, int scope, const CgRef *args, int n)
{
    CgRef *own = CG_NEWN(g->arena, CgRef, n + 1);
    memcpy(own, args, sizeof *own * (size_t)n);
    g->scopes.at[scope].args = own;
    g->scopes.at[scope].nargs = n;
}

void cg_scope_path(const CgGraph *g, int scope, CgStrbuf *out)
{
    const CgScope *s = &g->scopes.at[scope];
    if (s->parent < 0)
        return;
    cg_scope_path(g, s->parent, out);
    if (s->parent > 0)
        cg_strbuf_putc(out, '.');
    cg_strbuf_puts(out, s->name);
}

void cg_graph_output(CgGraph *g, const char *name, CgRef ref)
{
    if (ref >= g->nodes.len)
        CG_BUG("output '%s' is no node", name);
    cg_vec_push(&g->outputs, (CgOutput){ cg_intern(name), ref });
}

CgAtom cg_node_name(const CgGraph *g, CgRef r)
{
    const CgAttr *a = cg_attr_find(cg_node(g, r)->attrs, "name");
    if (!a || a->kind != CG_ATTR_STR)
        CG_BUG("node %u (%s) has no name", r, cg_node(g, r)->op->name);
    return a->s;
}

bool cg_node_const(const CgGraph *g, CgRef r, double *value)
{
    while (cg_node(g, r)->op->traits & CG_REARRANGES) /* of equal elements: changes none of them */
        r = cg_node(g, r)->in[0];
    if (cg_node(g, r)->op->traits & CG_CONST)
        *value = cg_attr_float(cg_node(g, r)->attrs, "value", 0);
    return cg_node(g, r)->op->traits & CG_CONST;
}

const CgType *cg_node_type(const CgGraph *g, CgRef r) { return &cg_node(g, r)->type; }

/* ---- making a node ---- */

/* Everything that makes a node what it is. */
typedef struct Key {
    const CgOp *op;
    const CgAttrs *attrs;
    int nin;
    const CgRef *in;
    int clone;
    bool bf16;
} Key;

static Key key_of(const CgBuild *b, const CgOp *op, const CgAttrs *attrs, int nin, const CgRef *in)
{
    Key k = { op, attrs, nin, in, b->clone, false };
    k.bf16 = (op->traits & CG_PRODUCTS) && nin && cg_node_type(b->graph, in[0])->dtype == CG_F32 && cg_build_bf16(b);
    return k;
}

static uint64_t key_hash(const Key *k)
{
    uint64_t head[4] = { cg_map_ptr(k->op), cg_map_ptr(k->attrs), (uint64_t)k->nin, (uint64_t)k->clone << 1 | k->bf16 };
    uint64_t h = cg_hash64(head, sizeof head, 0);
    return k->nin ? cg_hash64(k->in, sizeof *k->in * (size_t)k->nin, h) : h;
}

static bool key_is(const Key *k, const CgNode *n)
{
    return n->op == k->op && n->attrs == k->attrs && n->nin == k->nin && n->clone == k->clone && n->bf16 == k->bf16
        && (k->nin == 0 || !memcmp(n->in, k->in, sizeof *k->in * (size_t)k->nin));
}

static CgRef find_node(const CgGraph *g, const Key *k, uint64_t hash)
{
    uint64_t found;
    CgRef r = cg_map_get(&g->index, hash, &found) ? (CgRef)found : CG_NONE;
    while (r != CG_NONE && !key_is(k, cg_node(g, r)))
        r = g->next.at[r];
    return r;
}

static CgRef append_node(CgBuild *b, const Key *k, uint64_t hash, int nout, const CgType *out)
{
    CgGraph *g = b->graph;
    CgNode n = { .op = k->op,
        .attrs = k->attrs,
        .type = out[0],
        .nin = k->nin,
        .nout = nout,
        .scope = b->scope,
        .span = b->span,
        .why = b->why,
        .clone = k->clone,
        .bf16 = k->bf16 };
    if (g->nodes.len >= CG_NONE - 1)
        CG_BUG("a graph of %zu nodes", g->nodes.len);
    CgRef r = (CgRef)g->nodes.len;
    if (k->nin)
        n.in = memcpy(CG_NEWN(g->arena, CgRef, k->nin), k->in, sizeof *k->in * (size_t)k->nin);
    if (nout > 1)
        n.more = memcpy(CG_NEWN(g->arena, CgType, nout - 1), out + 1, sizeof *out * (size_t)(nout - 1));
    uint64_t first;
    cg_vec_push(&g->next, cg_map_get(&g->index, hash, &first) ? (CgRef)first : CG_NONE);
    cg_map_put(&g->index, hash, r);
    cg_vec_push(&g->nodes, n);
    if (k->op->traits & CG_INPUT)
        cg_vec_push(&g->inputs, r);
    if (k->op->traits & CG_PARAM)
        cg_vec_push(&g->params, r);
    return r;
}

static CgRef find_or_append(CgBuild *b, const Key *k, int nout, const CgType *out)
{
    uint64_t hash = key_hash(k);
    CgRef r = find_node(b->graph, k, hash);
    return r == CG_NONE ? append_node(b, k, hash, nout, out) : r;
}

static const CgAttr *find_attr(const CgAttrs *attrs, CgAtom name)
{
    for (int i = 0; attrs && i < attrs->n; i++)
        if (attrs->at[i].name == name)
            return &attrs->at[i];
    return NULL;
}

/* `attrs` with the defaults of the signature filled in, and whole numbers where it says float: kernels and rules find
 * every attribute, and a call that spells out a default is the same node as one that does not. */
static const CgAttrs *complete_attrs(const CgSig *sig, const CgAttrs *attrs)
{
    int wrong = 0, n = attrs ? attrs->n : 0;
    for (int i = 0; i < sig->n; i++) {
        const CgSigParam *p = &sig->at[i];
        const CgAttr *a = find_attr(attrs, p->name);
        wrong += a ? p->is_float && a->kind == CG_ATTR_INT : p->has_init;
    }
    if (!wrong)
        return attrs;
    CgAttr *at = cg_malloc(sizeof *at * (size_t)(n + wrong));
    if (n)
        memcpy(at, attrs->at, sizeof *at * (size_t)n);
    for (int i = 0; i < sig->n; i++) {
        const CgSigParam *p = &sig->at[i];
        const CgAttr *a = find_attr(attrs, p->name);
        if (!a && p->has_init)
            at[n++] = p->init;
        else if (a && p->is_float && a->kind == CG_ATTR_INT)
            at[a - attrs->at] = cg_a_float(a->name, (double)a->i);
    }
    const CgAttrs *full = cg_attrs(n, at);
    free(at);
    return full;
}

/* A size that overflowed or did not divide is NULL and surfaces here. */
static bool check_dims(CgInfer *inf)
{
    for (int i = 0; inf->attrs && i < inf->attrs->n; i++) {
        const CgAttr *a = &inf->attrs->at[i];
        for (int j = 0; a->kind == CG_ATTR_DIMS && j < a->n; j++)
            if (!a->dims[j])
                return cg_infer_fail(inf, -1, -1, "%s: a size is not a whole number, or is beyond 2^48", a->name);
        for (int j = 0; a->kind == CG_ATTR_TYPE && j < a->type.rank; j++)
            if (!a->type.dim[j])
                return cg_infer_fail(inf, -1, -1, "%s: a size is not a whole number, or is beyond 2^48", a->name);
    }
    for (int k = 0; k < inf->nout; k++)
        for (int j = 0; j < inf->out[k].rank; j++) {
            int64_t size;
            if (!inf->out[k].dim[j])
                return cg_infer_fail(
                    inf, -1, -1, "axis %d of the result has a size that is not a whole number, or is beyond 2^48", j);
            if (cg_dim_is_int(inf->out[k].dim[j], &size) && size < 0)
                return cg_infer_fail(inf, -1, -1, "axis %d of the result would have size %lld", j, (long long)size);
        }
    return true;
}

/* Narrow elements are taken by what moves them whatever they are, and by cast. */
static bool takes_narrow(CgInfer *inf)
{
    const CgOp *op = inf->op;
    bool moves = op->view || op->kernel[CG_I8]
        || (op->traits & (CG_LEAF | CG_LOOP | CG_RESHAPES | CG_REPEATS | CG_TAKES_NARROW));
    for (int i = 0; i < inf->nin && !moves; i++)
        if (cg_dtype_is_narrow(inf->in[i].dtype))
            return cg_infer_fail(inf, i, -1, "it takes no %s, which is for storage: cast it to %s first",
                cg_dtype_name(inf->in[i].dtype), inf->in[i].dtype == CG_I8 ? "f32 or i32" : "f32");
    return true;
}

static bool infer(CgInfer *inf, const CgGraph *g, const CgSig *sig, const CgOp *op, int nin, const CgRef *in,
    const CgAttrs *attrs, CgType *types)
{
    int most = op->nout ? op->nout : 1, all = op->traits & CG_MANY_RESULTS ? 0 : most;
    memset(inf, 0, offsetof(CgInfer, out) + (size_t)all * sizeof inf->out[0]); /* not of all that there could be */
    inf->op = op;
    inf->nin = nin;
    inf->nout = most;
    inf->in = types;
    inf->attrs = attrs;
    inf->operand[0] = inf->operand[1] = inf->axis[0] = inf->axis[1] = -1;
    for (int i = 0; i < nin; i++) {
        if (in[i] >= g->nodes.len)
            CG_BUG("operand %d of %s is no node", i, op->name);
        types[i] = cg_node(g, in[i])->type;
    }
    if (!sig->any_number && (nin < sig->needed || nin > sig->ntensors))
        return cg_infer_fail(inf, -1, -1, "takes %d%s operand%s, %d given", sig->needed,
            sig->needed < sig->ntensors ? " or more" : "", sig->ntensors == 1 ? "" : "s", nin);
    if (!takes_narrow(inf) || !op->shape(inf))
        return false;
    if (inf->nout < 1 || inf->nout > CG_MAX_OUT || (inf->nout != most && !(op->traits & CG_MANY_RESULTS)))
        CG_BUG("%s:%d: the shape rule of %s says %d results", op->file, op->line, op->name, inf->nout);
    return check_dims(inf);
}

/* Asks op->fold for something simpler; CG_NONE keeps the node. */
static CgRef try_fold(CgBuild *b, const Key *k, int nout, const CgType *type)
{
    bool written = b->refused && k->op->view && k->op->traits & CG_IDEMPOTENT; /* what a script wrote stays apart */
    if (b->no_fold || written || !k->op->fold || nout > 1 || b->depth >= MAX_FOLD_DEPTH)
        return CG_NONE;
    CgSite site = { .nin = k->nin, .nout = 1, .in = k->in, .attrs = k->attrs };
    b->depth++;
    CgRef r = k->op->fold(b, &site);
    b->depth--;
    if (r != CG_NONE && !cg_type_equal(cg_node_type(b->graph, r), type))
        CG_BUG("%s:%d: fold of %s changes the type", k->op->file, k->op->line, k->op->name);
    return r;
}

/* The operands as they are kept: those of a commutative op by number, so that x + y and y + x are one node. */
static void sort_operands(const CgBuild *b, const CgOp *op, int nin, const CgRef *in, CgRef *sorted)
{
    if (nin)
        memcpy(sorted, in, sizeof *in * (size_t)nin);
    if ((op->traits & CG_COMMUTES) && nin >= 2 && !b->no_fold && sorted[1] < sorted[0]) {
        sorted[0] = in[1];
        sorted[1] = in[0];
    }
}

CgRef cg_build_checked(CgBuild *b, const CgOp *op, int nin, const CgRef *in, const CgAttrs *attrs, CgInfer *inf)
{
    CgGraph *g = b->graph;
    CgRef sorted[CG_MAX_IN];
    CgType types[CG_MAX_IN];
    const CgSig *sig = cg_op_sig(op);
    if (nin > CG_MAX_IN) {
        *inf = (CgInfer){ .op = op };
        cg_infer_fail(inf, -1, -1, "takes at most %d operands, %d given", CG_MAX_IN, nin);
        return CG_NONE;
    }
    sort_operands(b, op, nin, in, sorted);
    Key key = key_of(b, op, complete_attrs(sig, attrs), nin, sorted);
    CgRef same = find_node(g, &key, key_hash(&key));
    if (same != CG_NONE)
        return same;
    bool ok = infer(inf, g, sig, op, nin, in, key.attrs, types);
    inf->in = NULL; /* pointed into this frame */
    if (!ok)
        return CG_NONE;
    CgRef simpler = try_fold(b, &key, inf->nout, &inf->out[0]);
    return simpler != CG_NONE ? simpler : find_or_append(b, &key, inf->nout, inf->out);
}

CgRef cg_build(CgBuild *b, const char *name, int nin, const CgRef *in, const CgAttrs *attrs)
{
    CgInfer inf;
    const CgOp *op = cg_op_get(name);
    CgRef r = cg_build_checked(b, op, nin, in, attrs, &inf);
    if (r == CG_NONE && b->refused) {
        if (!b->refused->message[0]) {
            b->refused->op = op;
            memcpy(b->refused->message, inf.message, sizeof inf.message);
        }
        return cg_graph_const(b, CG_F32, 0);
    }
    if (r == CG_NONE) {
        CgStrbuf types = { 0 };
        for (int i = 0; i < nin; i++) {
            cg_strbuf_puts(&types, i ? ", " : "");
            cg_type_print(cg_node_type(b->graph, in[i]), &types);
        }
        cg_strbuf_puts(&types, ") {");
        cg_attrs_print(attrs, &types);
        CG_BUG("%s:%d: ill-typed node %s(%s}: %s", op->file, op->line, name, cg_strbuf_str(&types), inf.message);
    }
    return r;
}

CgRef cg_build_result(CgBuild *b, CgRef node, int k)
{
    const CgNode *n = cg_node(b->graph, node);
    if (k < 0 || k >= n->nout)
        CG_BUG("result %d of %s", k, n->op->name);
    if (k == 0)
        return node;
    CgAttr a = cg_a_int("k", k);
    CgType type = n->more[k - 1];
    Key key = key_of(b, cg_op_get("result"), cg_attrs(1, &a), 1, &node);
    return find_or_append(b, &key, 1, &type);
}

static CgRef leaf(CgBuild *b, const char *op, const char *name, CgType type)
{
    CgAttr at[2] = { cg_a_str("name", name), cg_a_type("type", type) };
    return cg_build(b, op, 0, NULL, cg_attrs(2, at));
}

CgRef cg_graph_input(CgBuild *b, const char *name, CgType type) { return leaf(b, "input", name, type); }

CgRef cg_graph_param(CgBuild *b, const char *path, CgType type) { return leaf(b, "param", path, type); }

CgRef cg_graph_const(CgBuild *b, CgDtype dtype, double value)
{
    CgAttr at[2] = { cg_a_float("value", value), cg_a_type("type", cg_type(dtype, 0, NULL)) };
    return cg_build(b, "const", 0, NULL, cg_attrs(2, at));
}

CgRef cg_build_like(CgBuild *b, const CgNode *n, const CgRef *in)
{
    return cg_node_is_result(n) ? cg_build_result(b, in[0], (int)cg_attr_int(n->attrs, "k", 0))
                                : cg_build(b, n->op->name, n->nin, in, n->attrs);
}

/* A node that was built before, on operands of b's graph. When these have the types they had, so has the result, and
 * nothing needs to be inferred: passes copy every node once. */
static CgRef build_again(CgBuild *b, const CgGraph *from, const CgNode *n, const CgRef *in)
{
    CgRef sorted[CG_MAX_IN];
    CgType types[CG_MAX_OUT];
    for (int i = 0; i < n->nin; i++)
        if (!cg_type_equal(cg_node_type(from, n->in[i]), cg_node_type(b->graph, in[i])))
            return cg_build(b, n->op->name, n->nin, in, n->attrs);
    sort_operands(b, n->op, n->nin, in, sorted);
    Key key = key_of(b, n->op, n->attrs, n->nin, sorted);
    CgRef same = find_node(b->graph, &key, key_hash(&key));
    if (same != CG_NONE)
        return same;
    for (int k = 0; k < n->nout; k++)
        types[k] = *cg_node_out_type(n, k);
    CgRef simpler = try_fold(b, &key, n->nout, &types[0]);
    return simpler != CG_NONE ? simpler : find_or_append(b, &key, n->nout, types);
}

CgRef cg_graph_copy(CgBuild *b, const CgGraph *from, CgRef r, const CgRef *in)
{
    const CgNode copied = *cg_node(from, r), *n = &copied; /* `from` may be b's own graph, whose nodes move */
    CgBuild at = *b;
    int scope = b->scope_map ? b->scope_map[n->scope] : n->scope;
    at.scope = (size_t)scope < b->graph->scopes.len ? scope : b->scope;
    at.span = n->span;
    at.clone = b->clone ? b->clone : n->clone;
    at.precision = cg_node_precision(n);
    at.why = n->why == CG_NONE || n->why == r ? CG_NONE : b->why_map ? b->why_map[n->why] : n->why;
    CgRef size = (CgRef)b->graph->nodes.len, made;
    made = cg_node_is_result(n) ? cg_build_like(&at, n, in) : build_again(&at, from, n, in);
    if (n->why != CG_NONE) /* the forward node is gone: the mark of a derivative stays */
        for (; size < b->graph->nodes.len; size++)
            if (b->graph->nodes.at[size].why == CG_NONE)
                b->graph->nodes.at[size].why = size;
    return made;
}

/* ---- checking ---- */

static void verify_node(const CgGraph *g, CgRef r)
{
    const CgNode *n = cg_node(g, r);
    CgType types[CG_MAX_IN];
    CgInfer inf;
    if (n->nin < 0 || n->nin > CG_MAX_IN)
        CG_BUG("node %u (%s) has %d operands", r, n->op->name, n->nin);
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] >= r)
            CG_BUG("node %u (%s) comes before its operand %u", r, n->op->name, n->in[i]);
    if (n->scope < 0 || (size_t)n->scope >= g->scopes.len)
        CG_BUG("node %u (%s) has scope %d", r, n->op->name, n->scope);
    if (n->why != CG_NONE && n->why > r)
        CG_BUG("node %u (%s) has the later forward node %u", r, n->op->name, n->why);
    if (cg_node_is_result(n)) {
        int64_t k = cg_attr_int(n->attrs, "k", -1);
        if (n->nin != 1 || k < 1 || k >= cg_node(g, n->in[0])->nout)
            CG_BUG("node %u is result %lld of nothing", r, (long long)k);
        if (!cg_type_equal(&n->type, cg_node_out_type(cg_node(g, n->in[0]), (int)k)))
            CG_BUG("node %u (result) has another type", r);
        return;
    }
    if (!infer(&inf, g, cg_op_sig(n->op), n->op, n->nin, n->in, n->attrs, types))
        CG_BUG("node %u (%s) is ill-typed: %s", r, n->op->name, inf.message);
    if (inf.nout != n->nout)
        CG_BUG("node %u (%s) has %d results, not %d", r, n->op->name, n->nout, inf.nout);
    for (int k = 0; k < n->nout; k++)
        if (!cg_type_equal(&inf.out[k], cg_node_out_type(n, k)))
            CG_BUG("node %u (%s): result %d has another type", r, n->op->name, k);
}

void cg_graph_verify(const CgGraph *g)
{
    for (CgRef r = 0; r < g->nodes.len; r++)
        verify_node(g, r);
    for (size_t i = 0; i < g->outputs.len; i++)
        if (g->outputs.at[i].ref >= g->nodes.len)
            CG_BUG("output '%s' is no node", g->outputs.at[i].name);
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!(cg_node(g, g->inputs.at[i])->op->traits & CG_INPUT))
            CG_BUG("input %zu is none", i);
    for (size_t i = 0; i < g->params.len; i++)
        if (!(cg_node(g, g->params.at[i])->op->traits & CG_PARAM))
            CG_BUG("param %zu is none", i);
}

/* ---- identity ---- */

static CgDigest node_digest(const CgNode *n, const CgDigest *done, CgStrbuf *text)
{
    text->len = 0;
    cg_strbuf_puts(text, n->op->name);
    cg_strbuf_puts(text, " {");
    cg_attrs_print(n->attrs, text);
    cg_strbuf_puts(text, n->bf16 ? "} in bf16 : " : "} : ");
    cg_type_print(&n->type, text);
    cg_strbuf_putc(text, 0);
    CgDigest origin = cg_op_origin(n->op);
    cg_strbuf_write(text, (const char *)&n->op->version, sizeof n->op->version);
    cg_strbuf_write(text, (const char *)&origin, sizeof origin);
    CgDigest in[CG_MAX_IN];
    for (int i = 0; i < n->nin; i++)
        in[i] = done[n->in[i]];
    if ((n->op->traits & CG_COMMUTES) && n->nin >= 2 && memcmp(&in[0], &in[1], sizeof in[0]) > 0) {
        CgDigest t = in[0];
        in[0] = in[1];
        in[1] = t;
    }
    cg_strbuf_write(text, (const char *)in, sizeof in[0] * (size_t)n->nin);
    return cg_digest(text->at, text->len);
}

CgDigest cg_graph_digest(const CgGraph *g)
{
    CgDigest *done = cg_malloc(sizeof *done * (g->nodes.len + 1));
    CgStrbuf text = { 0 };
    for (CgRef r = 0; r < g->nodes.len; r++)
        done[r] = node_digest(cg_node(g, r), done, &text);
    CgDigester *all = cg_digester_new();
    for (size_t i = 0; i < g->outputs.len; i++) {
        cg_digester_add(all, g->outputs.at[i].name, strlen(g->outputs.at[i].name) + 1);
        cg_digester_add(all, &done[g->outputs.at[i].ref], sizeof *done);
    }
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_digester_add(all, &done[g->inputs.at[i]], sizeof *done);
    for (size_t i = 0; i < g->params.len; i++)
        cg_digester_add(all, &done[g->params.at[i]], sizeof *done);
    cg_strbuf_deinit(&text);
    free(done);
    return cg_digester_free(all);
}

CgAtom cg_axis_name(const CgGraph *g, CgRef r, int axis)
{
    uint64_t name;
    return cg_map_get(&g->axis_names, (uint64_t)r * 16 + (uint64_t)axis, &name) ? (CgAtom)(uintptr_t)name : NULL;
}

void cg_axis_name_set(CgGraph *g, CgRef r, int axis, CgAtom name)
{
    if (name && !cg_axis_name(g, r, axis))
        cg_map_put(&g->axis_names, (uint64_t)r * 16 + (uint64_t)axis, cg_map_ptr(name));
}
