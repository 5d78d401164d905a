/* bind.c - numbers for the symbols of types and attributes, and who reads a result.
 * Takes a graph and numbers for its symbols; gives tensors without memory, attributes with all dims known, and the
 * users of each node. Must not report: who asks knows the place. */
#include <stdlib.h>
#include <string.h>
#include "run/plan/plan_inside.h"

bool cg_plan_bind_type(CgBindings dims, const CgType *type, CgTensor *t, size_t *bytes, const CgDim **wrong)
{
    int64_t count = 1;
    size_t total = 0;
    bool over = false, empty = false;
    *t = (CgTensor){ .dtype = type->dtype, .rank = type->rank };
    for (int i = 0; i < type->rank; i++)
        if (!cg_dim_eval(type->dim[i], dims, &t->dim[i], NULL) || t->dim[i] < 0) {
            *wrong = type->dim[i];
            return false;
        }
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

const CgAttrs *cg_plan_bind_attrs(
    CgBindings dims, CgArena *arena, CgMap *bound, const CgAttrs *attrs, const CgDim **wrong)
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
            if (!cg_dim_eval(at[i].dims[j], dims, &at[i].ints[j], NULL) || at[i].ints[j] < 0) {
                *wrong = at[i].dims[j];
                return NULL;
            }
    *made = (CgAttrs){ attrs->n, at };
    cg_map_put(bound, cg_map_ptr(attrs), (uint64_t)(uintptr_t)made);
    return made;
}

void cg_plan_readers(CgReaders *l, const CgGraph *g, const bool *live)
{
    size_t n = g->nodes.len, edges = 0;
    *l = (CgReaders){ .g = g };
    l->first = cg_calloc(n + 2, sizeof *l->first);
    l->is_output = cg_calloc(n + 1, sizeof *l->is_output);
    for (CgRef r = 0; r < n; r++)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++, edges++)
            l->first[cg_node(g, r)->in[i] + 2]++;
    l->users = cg_malloc((edges + 1) * sizeof *l->users);
    for (size_t r = 1; r < n; r++)
        l->first[r + 1] += l->first[r];
    for (CgRef r = 0; r < n; r++)
        for (int i = 0; live[r] && i < cg_node(g, r)->nin; i++)
            l->users[l->first[cg_node(g, r)->in[i] + 1]++] = r;
    for (size_t i = 0; i < g->outputs.len; i++)
        l->is_output[g->outputs.at[i].ref] = true;
}

void cg_plan_readers_free(CgReaders *l)
{
    free(l->first);
    free(l->users);
    free(l->is_output);
}

bool cg_plan_looks(const CgNode *user, int k, bool *through)
{
    bool part = strcmp(user->op->name, "part") == 0;
    *through = part || user->op->view;
    return part ? cg_attr_int(user->attrs, "k", 0) == k : k == 0;
}
