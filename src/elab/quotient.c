/* quotient.c - arithmetic on sizes that are not known, while a graph is checked where it is defined.
 * Takes two values and what is written between them; gives a size, or a number that is not known and remembers the
 * quotients in it. Where that is taken for a size, that they are whole is a condition of the graph. */
#include <string.h>

#include "elab/define_inside.h"

/* What a value is where all quotients in it are whole. */
static const CgDim *size_in(const CgValue *v) { return cg_is_unknown_number(v) ? v->dim : cg_value_as_dim(v); }

static const CgDim *quotient(CgElab *e, const CgDim *a, const CgDim *b)
{
    CgDefine *d = e->defining;
    for (size_t i = 0; i < d->quotients.len; i++)
        if (d->quotients.at[i].a == a && d->quotients.at[i].b == b)
            return d->quotients.at[i].symbol;
    const CgDim *symbol = cg_define_any_size(e);
    cg_vec_push(&d->quotients, (CgQuotient){ a, b, symbol });
    return symbol;
}

CgValue *cg_define_arithmetic(CgElab *e, CgAtom op, const CgValue *a, const CgValue *b, CgSpan span)
{
    if (!strchr("+-*/%^", *op))
        return cg_value_unknown(e, CG_UNKNOWN_BOOL, span);
    const CgDim *p = size_in(a), *q = size_in(b), *d = cg_dim_combine(*op, p, q);
    if (d && cg_value_as_dim(a) && cg_value_as_dim(b))
        return cg_value_dim(e, d, span);
    CgValue *v = cg_value_unknown(e, CG_UNKNOWN_NUMBER, span);
    v->dim = d || !p || !q || strcmp(op, "/") != 0 ? d : quotient(e, p, q);
    return v;
}

static bool is_positive(const CgDefine *d, const CgDim *x)
{
    return x != cg_dim_int(0) && cg_dim_at_most(cg_dim_int(0), x) && !cg_define_negative(d, x);
}

bool cg_define_divides(CgElab *e, const CgDim *a, const CgDim *b, CgSpan at)
{
    CgDefine *d = e->defining;
    if (!a || !b || e->ways || cg_define_is_any(a) || cg_define_is_any(b))
        return true;
    int of_worth = is_positive(d, a) && is_positive(d, b) ? WORTH_FRESH : WORTH_STATIC;
    return cg_define_equal(e, a, cg_dim_mul(b, cg_define_kept(d, cg_intern("n"), of_worth)), at);
}

void cg_define_whole(CgElab *e, const CgValue *v, CgSpan at)
{
    const CgDefine *d = e->defining;
    for (int i = 0; d && v->kind == CG_VALUE_LIST && i < v->n; i++)
        cg_define_whole(e, v->at[i], at);
    if (!d || !cg_is_unknown_number(v) || !v->dim)
        return;
    for (size_t i = 0; i < d->quotients.len && !d->again; i++) {
        const CgQuotient *q = &d->quotients.at[i];
        CgAtom symbol = NULL;
        if (cg_dim_is_symbol(q->symbol, &symbol) && cg_dim_mentions(v->dim, symbol)
            && !cg_define_divides(e, q->a, q->b, at)) {
            CgDiag *x = cg_elab_error(e, CG_E0309, at, "this size is a whole number for no sizes of the inputs");
            cg_define_explain(e, x, q->a, q->b);
        }
    }
}
