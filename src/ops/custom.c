/* custom.c - values whose derivative their author wrote.
 * Takes results y.. and the tensors x.. they were made of; gives the results. Their derivative is not that of what they
 * are made of: the attribute `rule` is the text of a graph that makes it of x.. and the derivatives of the results. */
#include <cg/rules.h>

/* Operands: the op's nout results, then x..; the rule takes x.. and one derivative a result, gives one for each x of
 * real numbers, in order. */
static bool custom_shape(CgInfer *inf)
{
    const char *rule = cg_attr_str(inf->attrs, "rule", NULL);
    int nout = inf->op->nout ? inf->op->nout : 1, n = inf->nin - nout, nin = 0, nwant = 0;
    CgType in[2 * CG_MAX_IN], want[CG_MAX_IN];
    if (n < 0)
        return cg_infer_fail(inf, -1, -1, "%s takes %d results and what they are made of", inf->op->name, nout);
    if (!rule)
        return cg_infer_fail(inf, -1, -1, "%s needs a rule", inf->op->name);
    for (int i = 0; i < n; i++) {
        in[nin++] = inf->in[nout + i];
        if (cg_dtype_is_float(inf->in[nout + i].dtype))
            want[nwant++] = inf->in[nout + i];
    }
    for (int k = 0; k < nout; k++) {
        if (!cg_want_float(inf, k))
            return false;
        in[nin++] = inf->out[k] = inf->in[k];
    }
    return cg_infer_text(inf, rule, nin, in, nwant, want);
}

static void custom_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef in[2 * CG_MAX_IN], grads[CG_MAX_IN];
    int nin = 0, k = 0;
    for (int i = site->nout; i < site->nin; i++)
        in[nin++] = site->in[i];
    for (int o = 0; o < site->nout; o++)
        in[nin++] = site->gout[o] != CG_NONE ? site->gout[o] : cg_fill_like(b, site->in[o], 0);
    cg_build_text(b, cg_attr_str(site->attrs, "rule", ""), nin, in, grads);
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
static const CgSample one_sample[] = {
    { "f32[3,5] f32[3,5]",
        "rule=\"graph r(x: f32[3, 5], g: f32[3, 5]) {\\n %2 = mul %0 %1 : f32[3, 5]\\n return x = %2\\n}\"", .low = -2,
        .high = 2 },
    { .in = NULL },
};
static const CgSample two_samples[] = {
    { "f32[3,5] f32[7] f32[7]", "rule=\"graph r(x: f32[7], g: f32[3, 5], h: f32[7]) {\\n return x = %2\\n}\"",
        .low = -2, .high = 2 },
    { .in = NULL },
};
static const CgSample three_samples[] = {
    { "f32[3] f32[5] f32[7] f32[7]",
        "rule=\"graph r(x: f32[7], f: f32[3], g: f32[5], h: f32[7]) {\\n return x = %3\\n}\"", .low = -2, .high = 2 },
    { .in = NULL },
};
static const CgSample four_samples[] = {
    { "f32[3] f32[5] f32[2] f32[7] f32[7]",
        "rule=\"graph r(x: f32[7], e: f32[3], f: f32[5], g: f32[2], h: f32[7]) {\\n return x = %4\\n}\"", .low = -2,
        .high = 2 },
    { .in = NULL },
};

#define CUSTOM(n, suffix, results)                                                                                 \
    static const CgOp op_custom##n = { CG_OP_HERE, .name = "custom" suffix,                                        \
        .sig = "(xs: tensors, rule: str) -> " results, .nout = n,                                                  \
        .doc = "Results with the derivative that a vjp clause says. Operands are the results, then what they are " \
               "made of.\n",                                                                                       \
        .shape = custom_shape, .vjp = custom_vjp, .expand = custom_expand,
CUSTOM(1, "", "F[..r]").samples = one_sample,
}
;
CUSTOM(2, "2", "F[..q], F[..r]").samples = two_samples,
}
;
CUSTOM(3, "3", "F[..p], F[..q], F[..r]").samples = three_samples,
}
;
CUSTOM(4, "4", "F[..o], F[..p], F[..q], F[..r]").samples = four_samples,
}
;

CG_OPS(custom, &op_custom1, &op_custom2, &op_custom3, &op_custom4)
