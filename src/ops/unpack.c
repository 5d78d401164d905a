/* unpack.c - tensors that lie one after the other in one.
 * Takes a tensor of one axis and the types of its parts; gives the parts, which are views of it. A loop is given many
 * tensors from outside as one: its derivative by them is then one sum and not as many. */
#include <cg/rules.h>

static bool unpack_shape(CgInfer *inf)
{
    const CgAttr *parts = cg_attr_find(inf->attrs, "parts");
    const CgDim *all = cg_dim_int(0);
    if (!cg_want_rank(inf, 0, 1, 1))
        return false;
    if (!parts || parts->kind != CG_ATTR_GRAPH || cg_body_inputs(parts) < 1 || cg_body_inputs(parts) > CG_MAX_OUT)
        return cg_infer_fail(inf, -1, -1, "%s has from 1 to %d parts", inf->op->name, CG_MAX_OUT);
    inf->nout = cg_body_inputs(parts);
    for (int k = 0; k < inf->nout; k++) {
        inf->out[k] = cg_body_input_type(parts, k);
        if (inf->out[k].dtype != inf->in[0].dtype)
            return cg_infer_fail(inf, 0, -1, "%s: part %d is of another type", inf->op->name, k);
        all = cg_dim_add(all, cg_type_count(inf->out[k]));
    }
    return all == inf->in[0].dim[0]
        || cg_infer_fail(inf, 0, 0, "%s: the parts together have another length", inf->op->name);
}

static void unpack_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    const CgAttr *parts = cg_attr_find(site->attrs, "parts");
    const CgDim *from = cg_dim_int(0);
    for (int k = 0; k < site->nout; k++) {
        CgType t = cg_body_input_type(parts, k);
        const CgDim *to = cg_dim_add(from, cg_type_count(t));
        out[k] = cg_reshape(b, cg_slice(b, site->in[0], 0, from, to), t.rank, t.dim);
        from = to;
    }
}

static void unpack_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef in[CG_MAX_OUT];
    CgAttr axis = cg_a_int("axis", 0);
    for (int k = 0; k < site->nout; k++) {
        const CgDim *n = cg_type_count(cg_ref_type(b, site->out[k]));
        CgRef g = site->gout[k] != CG_NONE ? site->gout[k] : cg_fill_like(b, site->out[k], 0);
        in[k] = cg_reshape(b, g, 1, &n);
    }
    gin[0] = cg_build(b, "concat", site->nout, in, cg_attrs(1, &axis));
}

static const CgSample samples[] = {
    { "F[11]", "parts=graph p(a: F[3], b: F[2, 3], c: F[], d: F[1, 1]) { return a = %0 }", .low = -2, .high = 2 },
    { "i32[5]", "parts=graph p(a: i32[3], b: i32[2]) { return a = %0 }", .low = -9, .high = 9 },
    { .in = NULL },
};

static const CgOp op_unpack = {
    CG_OP_HERE,
    .name = "unpack",
    .sig = "(x: T[N], parts: subgraph) -> T[..r]",
    .doc = "Tensors that lie one after the other in x; the inputs of `parts` are their types.\n",
    .shape = unpack_shape,
    .vjp = unpack_vjp,
    .expand = unpack_expand,
    .traits = CG_MANY_RESULTS,
    .nout = CG_MAX_OUT,
    .samples = samples,
};

CG_OPS(unpack, &op_unpack)
