/* softcap.c - one op outside the library: y = cap tanh(x / cap), which bounds x to (-cap, cap) smoothly.
 * Takes a float tensor of any shape and the attribute cap > 0; gives a tensor of the same type.
 * Includes only installed headers, as every file of src/ops does: what a built-in op can do, this one can.
 *
 * Gemma Team, "Gemma 2: Improving Open Language Models at a Practical Size", 2024, section 2:
 * cap 50 on attention scores, 30 on the logits of the last layer. */
#include <cg/elementwise.h>
#include <cg/rules.h>
#include <cg/vmath.h>

/* The result has the operand's type; a cap that is not positive would turn the bound inside out. */
static bool softcap_shape(CgInfer *inf)
{
    double cap = cg_attr_float(inf->attrs, "cap", 0.0);
    if (!(cap > 0.0) || isinf(cap))
        return cg_infer_fail(inf, -1, -1, "cap must be a positive number, found %g", cap);
    return cg_want_float(inf, 0) && cg_shape_same(inf);
}

/* What it means, in ops there are: the loops below are tested against it. */
static void softcap_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    double cap = cg_attr_float(site->attrs, "cap", 0.0);
    out[0] = cg_scale(b, cg_u(b, "tanh", cg_scale(b, site->in[0], 1.0 / cap)), cap);
}

/* y = c tanh(x/c), so dy/dx = 1 - tanh(x/c)^2 = 1 - (y/c)^2: from the result, with no second tanh. */
static void softcap_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    double cap = cg_attr_float(site->attrs, "cap", 0.0);
    CgRef t = cg_scale(b, site->out[0], 1.0 / cap);
    CgRef slope = cg_sub(b, cg_fill_like(b, t, 1.0), cg_mul(b, t, t));
    gin[0] = cg_mul(b, site->gout[0], slope);
}

static void softcap_f32(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    const float *x = in[0]; /* (n) */
    float *y = out;         /* (n), may be x itself */
    float cap = (float)cg_attr_float(attrs, "cap", 0.0);
    CG_SIMD
    for (size_t i = 0; i < n; i++)
        y[i] = cap * cg_tanh_f32(x[i] / cap);
}

static void softcap_f64(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    const double *x = in[0]; /* (n) */
    double *y = out;         /* (n), may be x itself */
    double cap = cg_attr_float(attrs, "cap", 0.0);
    CG_SIMD
    for (size_t i = 0; i < n; i++)
        y[i] = cap * cg_tanh_f64(x[i] / cap);
}

static const CgSample softcap_samples[] = {
    { .in = "F[3,7]", .attrs = "cap=2.385", .low = -7.1, .high = 7.1 },
    { .in = "F[2,5,3]", .attrs = "cap=31.5", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_softcap = {
    CG_OP_HERE,
    .name = "softcap",
    .sig = "(x: F[..s], cap: float) -> F[..s]",
    .doc = "Bounds every element to (-cap, cap): cap * tanh(x / cap), the identity near zero.\n"
           "\n"
           "cap must be positive. Gemma 2 uses 50 on attention scores and 30 on output logits.\n",
    .shape = softcap_shape,
    .expand = softcap_expand,
    .vjp = softcap_vjp,
    .vec = CG_FLOAT_KERNELS(softcap),
    .traits = CG_ELEMENTWISE,
    .inplace = 1,
    .samples = softcap_samples,
};

CG_OPS(softcap, &op_softcap)
