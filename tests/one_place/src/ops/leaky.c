/* leaky.c - a relu that lets a share of what is negative through.
 * Takes a float tensor and a slope; gives one of the same type. */
#include <cg/elementwise.h>
#include <cg/rules.h>

static bool leaky_shape(CgInfer *inf) { return cg_want_float(inf, 0) && cg_shape_same(inf); }

static void leaky_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    out[0] = cg_b(b, "maximum", x, cg_scale(b, x, cg_attr_float(site->attrs, "slope", 0.25)));
}

static const CgSample leaky_samples[] = {
    { .in = "F[3,7]", .attrs = "slope=0.375", .low = 0.1, .high = 2.9 },
    { .in = NULL },
};

static const CgOp op_leaky = {
    CG_OP_HERE,
    .name = "leaky",
    .sig = "(x: F[..s], slope: float = 0.25) -> F[..s]",
    .doc = "max(x, slope * x).\n",
    .shape = leaky_shape,
    .expand = leaky_expand,
    .samples = leaky_samples,
    .traits = CG_ELEMENTWISE,
};

CG_OPS(leaky, &op_leaky)
