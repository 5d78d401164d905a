/* vmath_inner.c - the functions of vmath.h that ops use within and no op shows by itself, as a set of ops.
 * Takes and gives f32. Compiled once for each instruction set, like the ops; only tests/unit/vmath.c knows these. */
#include <cg/elementwise.h>
#include <cg/vmath.h>

static inline float normal_below(float x)
{
    float density;
    return cg_normal_f32(x, &density);
}
static inline float normal_density(float x)
{
    float density;
    cg_normal_f32(x, &density);
    return density;
}

CG_VEC1(exp_low_f32, float, float, cg_exp_low_f32(x))
CG_VEC1(exp2_low_f32, float, float, cg_exp2_low_f32(x))
CG_VEC1(sin_f32, float, float, cg_sin_f32(x))
CG_VEC1(cos_f32, float, float, cg_cos_f32(x))
CG_VEC1(normal_below_f32, float, float, normal_below(x))
CG_VEC1(normal_density_f32, float, float, normal_density(x))

static const CgOp op_exp_low = { CG_OP_HERE, .name = "cg_exp_low_f32", .vec = { [CG_F32] = exp_low_f32 } };
static const CgOp op_exp2_low = { CG_OP_HERE, .name = "cg_exp2_low_f32", .vec = { [CG_F32] = exp2_low_f32 } };
static const CgOp op_sin = { CG_OP_HERE, .name = "cg_sin_f32", .vec = { [CG_F32] = sin_f32 } };
static const CgOp op_cos = { CG_OP_HERE, .name = "cg_cos_f32", .vec = { [CG_F32] = cos_f32 } };
static const CgOp op_normal_below = { CG_OP_HERE, .name = "cg_normal_f32", .vec = { [CG_F32] = normal_below_f32 } };
static const CgOp op_normal_density = { CG_OP_HERE, .name = "density of cg_normal_f32",
    .vec = { [CG_F32] = normal_density_f32 } };

CG_OPS(inner, &op_exp_low, &op_exp2_low, &op_sin, &op_cos, &op_normal_below, &op_normal_density)
