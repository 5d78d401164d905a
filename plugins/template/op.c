/* myname.c - a starting point, to be replaced. The op here is squareplus (Barron 2021),
 * y = (x + sqrt(x^2 + b)) / 2, a smooth relu. It is said once, in ops that exist, and that is enough:
 * derivatives of every order, kernels for every type and the expanded picture follow from `expand`. */
#include <cg/build.h>
#include <cg/rules.h>

/* Refuse here what cannot work; the message reaches the user at the place of the call. */
static bool myname_shape(CgInfer *inf)
{
    double b = cg_attr_float(inf->attrs, "b", 4.0);
    if (!(b >= 0.0))
        return cg_infer_fail(inf, -1, -1, "b must not be negative, found %g", b);
    return cg_want_float(inf, 0) && cg_shape_same(inf);
}

static void myname_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    CgRef x = site->in[0];
    CgRef under = cg_add(b, cg_mul(b, x, x), cg_fill_like(b, x, cg_attr_float(site->attrs, "b", 4.0)));
    out[0] = cg_scale(b, cg_add(b, x, cg_sqrt(b, under)), 0.5);
}

/* Operand types, attributes and value ranges the checks draw from; shapes neither square nor of size 1. */
static const CgSample myname_samples[] = {
    { .in = "F[3,7]", .attrs = "b=2.385", .low = -3.1, .high = 2.9 },
    { .in = NULL },
};

static const CgOp op_myname = {
    CG_OP_HERE,
    .name = "myname",
    .sig = "(x: F[..s], b: float = 4) -> F[..s]",
    .doc = "A smooth relu: (x + sqrt(x^2 + b)) / 2.\n\nb must not be negative; b = 0 is relu.\n",
    .shape = myname_shape,
    .expand = myname_expand,
    .samples = myname_samples,
    .traits = CG_ELEMENTWISE,
};

CG_OPS(myname, &op_myname)
