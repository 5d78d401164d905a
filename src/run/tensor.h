/* tensor.h - elements of tensors as numbers.
 * Takes a tensor of any dtype and strides; gives doubles. For what is shown and compared, not for computing. */
#ifndef CG_TENSOR_H
#define CG_TENSOR_H
#include <cg/kernel.h>

#include "base/strbuf.h"

double cg_tensor_number(const CgTensor *t, int64_t i); /* element i in row-major order */
int64_t cg_tensor_whole(const CgTensor *t, int64_t i); /* ... of integers and truth values, exact */
void cg_tensor_print(
    const CgTensor *t, int64_t i, CgStrbuf *out); /* ... for people: integers exact, of others 6 digits */
void cg_tensor_pack(const CgTensor *t, void *to); /* its elements one after the other, in row-major order */
void cg_tensor_pack_as(const CgTensor *t, CgDtype dtype, void *to); /* ... as elements of this dtype */
#endif
