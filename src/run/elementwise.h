/* elementwise.h - the driver of ops that are written as CgVecFn.
 * Takes a call whose op has `vec`; gives its share of the result. Operands may have any strides; the result is
 * contiguous and may lie exactly over an operand. */
#ifndef CG_ELEMENTWISE_H
#define CG_ELEMENTWISE_H
#include <cg/kernel.h>

CgKernel cg_kernel_elementwise;
#endif
