/* copy.c - the copy the planner puts in where a view or a kernel needs its operand contiguous.
 * Takes a tensor with any strides; gives its elements row major. Not an op of the language: no script can
 * name it. */
#include "run/plan/inside.h"

const CgOp cg_op_copy = {
    .name = "copy",
    .sig = "(x: T[..s]) -> T[..s]",
    .doc = "Made by the planner: the same elements, row major.",
    .kernel = { cg_kernel_copy, cg_kernel_copy, cg_kernel_copy, cg_kernel_copy, cg_kernel_copy },
    .work = cg_work_copy,
    .traits = CG_STRIDED,
    CG_OP_HERE,
};
