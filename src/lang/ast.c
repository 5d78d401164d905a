/* ast.c - walks over expressions.
 * Takes a tree; gives the first node that a condition holds for. Knows no meaning of any kind of node. */
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
