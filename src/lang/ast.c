/* ast.c - walks over expressions and statements.
 * Takes a tree; gives the first node that a condition holds for, and whether a name is bound. Knows no meaning of any
 * kind of node. */
#include "lang/ast.h"

#include "base/base.h"

const CgExpr *cg_expr_find(const CgExpr *x, bool (*is)(const CgExpr *x, void *arg), void *arg)
{
    if (!x || is(x, arg))
        return x;
    const CgExpr *parts[] = { x->a, x->b, x->c, x->d }, *found = NULL;
    for (size_t i = 0; i < CG_LEN(parts) && !found; i++)
        found = cg_expr_find(parts[i], is, arg);
    for (int i = 0; i < x->args.n && !found; i++)
        found = cg_expr_find(x->args.at[i].value, is, arg);
    return found;
}

bool cg_block_binds(const CgBlock *b, CgAtom name)
{
    bool any = false;
    for (int i = 0; i < b->n && !any; i++) {
        for (int k = 0; k < b->at[i]->nnames; k++)
            any |= b->at[i]->names[k] == name;
        any = any || cg_block_binds(&b->at[i]->body, name) || cg_block_binds(&b->at[i]->other, name);
    }
    return any;
}
