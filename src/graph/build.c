/* build.c - the builder as derivative rules, expansions and plugins see it (cg/build.h).
 * Takes refs; gives refs of new or equal existing nodes. Trivial reshapes, casts and broadcasts give the operand back.
 * Must not see numbers of the run. */
#include <string.h>

#include "graph/graph.h"
#include "graph/registry.h"

CgType cg_ref_type(const CgBuild *b, CgRef r) { return *cg_node_type(b->graph, r); }

const CgOp *cg_ref_op(const CgBuild *b, CgRef r) { return cg_node(b->graph, r)->op; }

int cg_ref_nin(const CgBuild *b, CgRef r) { return cg_node(b->graph, r)->nin; }

CgRef cg_ref_in(const CgBuild *b, CgRef r, int i)
{
    const CgNode *n = cg_node(b->graph, r);
    if (i < 0 || i >= n->nin)
        CG_BUG("operand %d of %s", i, n->op->name);
    return n->in[i];
}

const CgAttrs *cg_ref_attrs(const CgBuild *b, CgRef r) { return cg_node(b->graph, r)->attrs; }

bool cg_ref_is(const CgBuild *b, CgRef r, const char *op) { return !strcmp(cg_node(b->graph, r)->op->name, op); }

bool cg_ref_shared(const CgBuild *b, CgRef r) { return b->uses && r < b->uses->of.len && b->uses->of.at[r] > 1; }

bool cg_ref_const(const CgBuild *b, CgRef r, double *value) { return cg_node_const(b->graph, r, value); }

CgRef cg_reshape(CgBuild *b, CgRef x, int rank, const CgDim *const *dim)
{
    CgType from = cg_ref_type(b, x), to = cg_type(from.dtype, rank, dim);
    if (cg_type_equal(&from, &to))
        return x;
    CgAttr a = cg_a_dims("dims", rank, dim);
    return cg_build(b, "reshape", 1, &x, cg_attrs(1, &a));
}

CgRef cg_transpose(CgBuild *b, CgRef x, const int64_t *perm)
{
    int rank = cg_node_type(b->graph, x)->rank, i = 0;
    while (i < rank && perm[i] == i)
        i++;
    if (i == rank)
        return x;
    CgAttr a = cg_a_ints("perm", rank, perm);
    return cg_build(b, "transpose", 1, &x, cg_attrs(1, &a));
}

CgRef cg_broadcast(CgBuild *b, CgRef x, int rank, const CgDim *const *dim, const int64_t *axes)
{
    CgType from = cg_ref_type(b, x), to = cg_type(from.dtype, rank, dim);
    int i = 0;
    while (i < rank && axes[i] == i)
        i++;
    if (i == rank && cg_type_equal(&from, &to))
        return x;
    CgAttr at[2] = { cg_a_dims("dims", rank, dim), cg_a_ints("axes", rank, axes) };
    return cg_build(b, "broadcast", 1, &x, cg_attrs(2, at));
}

CgRef cg_broadcast_scalar(CgBuild *b, CgRef x, CgType like)
{
    int64_t axes[CG_MAX_RANK];
    for (int i = 0; i < like.rank; i++)
        axes[i] = -1;
    return cg_broadcast(b, x, like.rank, like.dim, axes);
}

CgRef cg_fill(CgBuild *b, CgType type, double value)
{
    return cg_broadcast_scalar(b, cg_graph_const(b, type.dtype, value), type);
}

CgRef cg_fill_like(CgBuild *b, CgRef like, double value) { return cg_fill(b, cg_ref_type(b, like), value); }

CgRef cg_slice(CgBuild *b, CgRef x, int axis, const CgDim *from, const CgDim *to)
{
    int64_t zero;
    if (cg_dim_is_int(from, &zero) && zero == 0 && to == cg_node_type(b->graph, x)->dim[axis])
        return x;
    CgAttr at[3] = { cg_a_int("axis", axis), cg_a_dims("from", 1, &from), cg_a_dims("to", 1, &to) };
    return cg_build(b, "slice", 1, &x, cg_attrs(3, at));
}

CgRef cg_dynamic_slice(CgBuild *b, CgRef x, CgRef at, int axis, const CgDim *from, const CgDim *n)
{
    CgAttr a[3] = { cg_a_int("axis", axis), cg_a_dims("from", 1, &from), cg_a_dims("n", 1, &n) };
    return cg_build(b, "dynamic_slice", 2, (CgRef[]){ x, at }, cg_attrs(3, a));
}

CgRef cg_dynamic_update(CgBuild *b, CgRef into, CgRef x, CgRef at, int axis, const CgDim *from)
{
    CgAttr a[2] = { cg_a_int("axis", axis), cg_a_dims("from", 1, &from) };
    return cg_build(b, "dynamic_update", 3, (CgRef[]){ into, x, at }, cg_attrs(2, a));
}

CgRef cg_pad(CgBuild *b, CgRef x, int axis, const CgDim *before, const CgDim *after)
{
    int64_t left, right;
    if (cg_dim_is_int(before, &left) && cg_dim_is_int(after, &right) && left == 0 && right == 0)
        return x;
    CgAttr at[3] = { cg_a_int("axis", axis), cg_a_dims("before", 1, &before), cg_a_dims("after", 1, &after) };
    return cg_build(b, "pad", 1, &x, cg_attrs(3, at));
}

CgRef cg_cast(CgBuild *b, CgRef x, CgDtype to)
{
    if (cg_node_type(b->graph, x)->dtype == to)
        return x;
    CgAttr a = cg_a_str("to", cg_dtype_name(to));
    return cg_build(b, "cast", 1, &x, cg_attrs(1, &a));
}

CgRef cg_sum(CgBuild *b, CgRef x, int n, const int64_t *axes)
{
    if (n == 0)
        return x;
    CgAttr a = cg_a_ints("axes", n, axes);
    return cg_build(b, "sum", 1, &x, cg_attrs(1, &a));
}

CgRef cg_sum_keep(CgBuild *b, CgRef x, int axis)
{
    CgType t = cg_ref_type(b, x);
    int64_t over = axis < 0 ? axis + t.rank : axis, axes[CG_MAX_RANK];
    for (int i = 0, k = 0; i < t.rank; i++)
        axes[i] = i == over ? -1 : k++;
    return cg_broadcast(b, cg_sum(b, x, 1, &over), t.rank, t.dim, axes);
}

CgRef cg_sum_all(CgBuild *b, CgRef x)
{
    int64_t axes[CG_MAX_RANK];
    int rank = cg_node_type(b->graph, x)->rank;
    for (int i = 0; i < rank; i++)
        axes[i] = i;
    return cg_sum(b, x, rank, axes);
}

CgRef cg_matmul_of(CgBuild *b, const CgRef in[2], bool ta, bool tb)
{
    CgAttr at[2] = { cg_a_int("ta", ta), cg_a_int("tb", tb) };
    return cg_build(b, "matmul", 2, in, cg_attrs(2, at));
}
