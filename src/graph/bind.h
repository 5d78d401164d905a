/* bind.h - numbers for the symbols of types and attributes.
 * Takes types and attributes, and numbers for their symbols; gives them with numbers alone, and tensors without memory.
 * Reports nothing: who asks knows the place. */
#ifndef CG_GRAPH_BIND_H
#define CG_GRAPH_BIND_H
#include <cg/kernel.h>
#include "base/arena.h"
#include "base/map.h"
#include "graph/dim.h"

/* All dims as numbers; false, with the dim that has no size or one below zero in *wrong. */
CG_NODISCARD bool cg_bind_type(CgBindings dims, CgType *t, const CgDim **wrong);
CG_NODISCARD bool cg_bind_attr(CgBindings dims, CgAttr *a, const CgDim **wrong);
/* The row major tensor of a type, and its bytes; false likewise, or with NULL in *wrong when it has more bytes than
 * memory has addresses. */
CG_NODISCARD bool cg_bind_tensor(CgBindings dims, const CgType *type, CgTensor *t, size_t *bytes, const CgDim **wrong);
/* The same attributes with the values of DIMS in `ints`, made in the arena and remembered in `bound`; NULL and *wrong
 * likewise. */
const CgAttrs *cg_bind_attrs(CgBindings dims, CgArena *arena, CgMap *bound, const CgAttrs *attrs, const CgDim **wrong);
#endif
