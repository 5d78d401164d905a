/* leaf.c - values that come from outside: inputs, parameters, constants, and the further results of a node.
 * Takes attributes only; gives types. Has no kernels: the planner knows where such values live. */
#include <cg/rules.h>

static bool leaf_shape(CgInfer *inf)
{
    const CgAttr *type = cg_attr_find(inf->attrs, "type"), *name = cg_attr_find(inf->attrs, "name");
    if (!type || type->kind != CG_ATTR_TYPE)
        return cg_infer_fail(inf, -1, -1, "%s needs a type", inf->op->name);
    if (!name || name->kind != CG_ATTR_STR)
        return cg_infer_fail(inf, -1, -1, "%s needs a name", inf->op->name);
    inf->out[0] = type->type;
    return true;
}

static bool const_shape(CgInfer *inf)
{
    const CgAttr *type = cg_attr_find(inf->attrs, "type"), *value = cg_attr_find(inf->attrs, "value");
    if (!type || type->kind != CG_ATTR_TYPE || type->type.rank != 0)
        return cg_infer_fail(inf, -1, -1, "const needs a type without axes");
    if (!value || (value->kind != CG_ATTR_FLOAT && value->kind != CG_ATTR_INT))
        return cg_infer_fail(inf, -1, -1, "const needs a value");
    inf->out[0] = type->type;
    return true;
}

/* The type of result k is known where the node is made (cg_build_result), not here. */
static bool result_shape(CgInfer *inf)
{
    inf->out[0] = inf->in[0];
    return true;
}

static const CgSample no_samples[] = { { .in = NULL } };

static const CgOp op_input = {
    CG_OP_HERE,
    .name = "input",
    .sig = "(name: str, type: type) -> T[..s]",
    .doc = "A tensor that each run is given: tokens, targets, a learning rate.\n",
    .shape = leaf_shape,
    .traits = CG_INPUT,
    .samples = no_samples,
};

static const CgOp op_hole = {
    CG_OP_HERE,
    .name = "hole",
    .sig = "(name: str, type: type) -> T[..s]",
    .doc = "What a turn of a loop is given, while the body of the loop is written down: then it is an input of that.\n",
    .shape = leaf_shape,
    .traits = CG_HOLE,
    .samples = no_samples,
};

static const CgOp op_param = {
    CG_OP_HERE,
    .name = "param",
    .sig = "(name: str, type: type) -> T[..s]",
    .doc = "A tensor that belongs to a model and is trained, or frozen, under its dotted path.\n",
    .shape = leaf_shape,
    .traits = CG_PARAM,
    .samples = no_samples,
};

static const CgDim *const_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)in;
    double v = cg_attr_float(inf->attrs, "value", -1);
    return v >= 0 && v < 0x1p48 ? cg_dim_int((int64_t)v + 1) : NULL;
}

static const CgOp op_const = {
    CG_OP_HERE,
    .name = "const",
    .sig = "(value: float, type: type) -> T",
    .doc = "One number known when the graph is made; `broadcast` gives it axes.\n",
    .below = const_below,
    .shape = const_shape,
    .traits = CG_CONST,
    .samples = no_samples,
};

static const CgOp op_result = {
    CG_OP_HERE,
    .name = "result",
    .was = "part",
    .sig = "(x: T[..s], k: int) -> T[..r]",
    .doc = "Result k of a node that has several; result 0 is the node itself.\n",
    .shape = result_shape,
    .traits = CG_RESULT,
    .samples = no_samples,
};

CG_OPS(leaf, &op_input, &op_hole, &op_param, &op_const, &op_result)
