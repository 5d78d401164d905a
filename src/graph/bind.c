/* bind.c - numbers for the symbols of types and attributes.
 * Takes numbers for symbols; gives types, attributes and tensors without memory in which all sizes are known. Must not
 * report, nor know a graph. */
#include "graph/bind.h"

#include <string.h>

static bool size_of(CgBindings dims, const CgDim *dim, int64_t *size, const CgDim **wrong)
{
    if (cg_dim_eval(dim, dims, size, NULL) && *size >= 0)
        return true;
    *wrong = dim;
    return false;
}

bool cg_bind_type(CgBindings dims, CgType *t, const CgDim **wrong)
{
    int64_t size;
    for (int i = 0; i < t->rank; i++) {
        if (!size_of(dims, t->dim[i], &size, wrong))
            return false;
        t->dim[i] = cg_dim_int(size);
    }
    return true;
}

bool cg_bind_attr(CgBindings dims, CgAttr *a, const CgDim **wrong)
{
    int64_t size;
    for (int i = 0; a->kind == CG_ATTR_DIMS && i < a->n; i++) {
        if (!size_of(dims, a->dims[i], &size, wrong))
            return false;
        a->dims[i] = cg_dim_int(size);
    }
    return a->kind != CG_ATTR_TYPE || cg_bind_type(dims, &a->type, wrong);
}

bool cg_bind_tensor(CgBindings dims, const CgType *type, CgTensor *t, size_t *bytes, const CgDim **wrong)
{
    int64_t count = 1;
    size_t total = 0;
    bool over = false, empty = false;
    *t = (CgTensor){ .dtype = type->dtype, .rank = type->rank };
    for (int i = 0; i < type->rank; i++)
        if (!size_of(dims, type->dim[i], &t->dim[i], wrong))
            return false;
    for (int i = type->rank - 1; i >= 0; i--) {
        t->stride[i] = count;
        empty = empty || t->dim[i] == 0;
        over = over || __builtin_mul_overflow(count, t->dim[i] ? t->dim[i] : 1, &count);
    }
    over = over || __builtin_mul_overflow((size_t)count, cg_dtype_size(type->dtype), &total) || total > PTRDIFF_MAX / 4;
    *wrong = NULL;
    *bytes = empty ? 0 : total;
    return !over;
}

const CgAttrs *cg_bind_attrs(CgBindings dims, CgArena *arena, CgMap *bound, const CgAttrs *attrs, const CgDim **wrong)
{
    bool any = false;
    uint64_t known;
    for (int i = 0; attrs && i < attrs->n; i++)
        any = any || attrs->at[i].kind == CG_ATTR_DIMS;
    if (!any)
        return attrs;
    if (cg_map_get(bound, cg_map_ptr(attrs), &known))
        return (const CgAttrs *)(uintptr_t)known;
    CgAttrs *made = CG_NEW(arena, CgAttrs);
    CgAttr *at = CG_NEWN(arena, CgAttr, attrs->n);
    memcpy(at, attrs->at, (size_t)attrs->n * sizeof *at);
    for (int i = 0; i < attrs->n; i++)
        for (int j = 0; at[i].kind == CG_ATTR_DIMS && j < at[i].n; j++)
            if (!size_of(dims, at[i].dims[j], &at[i].ints[j], wrong))
                return NULL;
    *made = (CgAttrs){ attrs->n, at };
    cg_map_put(bound, cg_map_ptr(attrs), (uint64_t)(uintptr_t)made);
    return made;
}
