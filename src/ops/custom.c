/* custom.c - values whose derivative their author wrote.
 * Takes results y.. and the tensors x.. they were made of; gives the results. Their derivative is not that of what they
 * are made of: the attribute `rule` is a graph that makes it of x.. and the derivatives of the results. */
#include <cg/rules.h>

/* Operands: the results, then x..; the rule takes x.. and one derivative a result, gives one for each x of real
 * numbers, in order. */
static bool custom_shape(CgInfer *inf)
{
    int64_t results = cg_attr_int(inf->attrs, "results", 1);
    CgType in[2 * CG_MAX_IN], want[CG_MAX_IN];
    int nin = 0, nwant = 0;
    if (results < 1 || results > CG_MAX_OUT || results > inf->nin)
        return cg_infer_fail(
            inf, -1, -1, "%s takes from 1 to %d results and what they are made of", inf->op->name, CG_MAX_OUT);
    inf->nout = (int)results;
    for (int i = inf->nout; i < inf->nin; i++) {
        in[nin++] = inf->in[i];
        if (cg_dtype_is_float(inf->in[i].dtype))
            want[nwant++] = inf->in[i];
    }
    for (int k = 0; k < inf->nout; k++) {
        if (!cg_want_float(inf, k))
            return false;
        in[nin++] = inf->out[k] = inf->in[k];
    }
    return cg_infer_graph(inf, cg_attr_find(inf->attrs, "rule"), nin, in, nwant, want);
}

static void custom_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef in[2 * CG_MAX_IN], grads[CG_MAX_IN];
    int nin = 0, k = 0;
    for (int i = site->nout; i < site->nin; i++)
        in[nin++] = site->in[i];
    for (int o = 0; o < site->nout; o++)
        in[nin++] = site->gout[o] != CG_NONE ? site->gout[o] : cg_fill_like(b, site->in[o], 0);
    cg_build_graph(b, cg_attr_find(site->attrs, "rule"), nin, in, grads);
    for (int i = site->nout; i < site->nin; i++)
        if (cg_dtype_is_float(cg_ref_type(b, site->in[i]).dtype))
            gin[i] = grads[k++];
}

static void custom_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    (void)b;
    for (int k = 0; k < site->nout; k++)
        out[k] = site->in[k];
}

/* The lint asks derivatives of f64 alone: these say something else than the value, on purpose. */
static const CgSample samples[] = {
    { "f32[3,5] f32[3,5]", "rule=graph r(x: f32[3, 5], g: f32[3, 5]) { %2 = mul %0 %1 : f32[3, 5] return x = %2 }",
        .low = -2, .high = 2 },
    { "f32[3,5] f32[7] f32[7]", "results=2, rule=graph r(x: f32[7], g: f32[3, 5], h: f32[7]) { return x = %2 }",
        .low = -2, .high = 2 },
    { "f32[3] f32[5] f32[7] f32[7]",
        "results=3, rule=graph r(x: f32[7], f: f32[3], g: f32[5], h: f32[7]) { return x = %3 }", .low = -2, .high = 2 },
    { "f32[3] f32[5] f32[2] f32[7] f32[7]",
        "results=4, rule=graph r(x: f32[7], e: f32[3], f: f32[5], g: f32[2], h: f32[7]) { return x = %4 }", .low = -2,
        .high = 2 },
    { .in = NULL },
};

static const CgOp op_custom = {
    CG_OP_HERE,
    .name = "custom",
    .sig = "(xs: tensors, rule: subgraph, results: int = 1) -> F[..r]",
    .doc =
        "Results with the derivative that a vjp clause says.\n\nOperands are the results, then what they are made of; "
        "`rule` is the graph that the clause is.\n",
    .shape = custom_shape,
    .vjp = custom_vjp,
    .expand = custom_expand,
    .traits = CG_MANY_RESULTS,
    .nout = CG_MAX_OUT,
    .samples = samples,
};

CG_OPS(custom, &op_custom)
