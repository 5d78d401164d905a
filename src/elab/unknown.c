/* unknown.c - what is known of sizes and values while a graph is checked where it is defined.
 * Takes equations of sizes as they are met; gives what follows: nothing wrong, a condition that the check goes on with,
 * or that they can never be equal. Must not evaluate anything. */
#include <string.h>

#include "elab/define_inside.h"

enum { MOST_STEPS = 200000 };

/* Symbols that nothing is known of begin with a mark that no script can write. */
static bool is_quiet(CgAtom symbol) { return *symbol == '?'; }

static const CgSymbol *symbol_of(const CgDefine *d, CgAtom name)
{
    for (size_t i = 0; i < d->symbols.len; i++)
        if (d->symbols.at[i].name == name)
            return &d->symbols.at[i];
    return NULL;
}

static int worth(const void *of, CgAtom symbol)
{
    const CgSymbol *s = is_quiet(symbol) ? NULL : symbol_of(of, symbol);
    return s ? s->worth : WORTH_NOTHING;
}

const CgDim *cg_define_symbol(CgDefine *d, CgAtom name, int of_worth, CgSpan span)
{
    if (!symbol_of(d, name))
        cg_vec_push(&d->symbols, (CgSymbol){ .name = name, .worth = of_worth, .span = span });
    for (size_t i = 0; i < d->conditions.len; i++)
        if (d->conditions.at[i].symbol == name)
            return d->conditions.at[i].value;
    return cg_dim_symbol(name);
}

const CgDim *cg_define_any_size(CgElab *e) { return cg_dim_symbol(cg_intern_printf("?%d", ++e->defining->sizes)); }

bool cg_define_is_any(const CgDim *d) { return cg_dim_any_symbol(d, is_quiet); }

const CgDim *cg_define_kept(CgDefine *d, CgAtom name, int of_worth)
{
    CgAtom own = name; /* another graph's K is not this one's */
    for (bool taken = true; taken;) {
        taken = symbol_of(d, own) != NULL;
        for (size_t i = 0; !taken && i < d->conditions.len; i++)
            taken = cg_dim_mentions(d->conditions.at[i].value, own);
        if (taken)
            own = cg_intern_printf("%s'", own);
    }
    cg_vec_push(&d->symbols, (CgSymbol){ .name = own, .worth = of_worth, .kept = true });
    return cg_dim_symbol(own);
}

const CgDim *cg_define_size(CgElab *e, CgAtom name) { return cg_define_kept(e->defining, name, WORTH_FRESH); }

bool cg_define_silent(const CgElab *e) { return e->defining && (e->defining->again || e->defining->spent); }

bool cg_define_equal(CgElab *e, const CgDim *a, const CgDim *b, CgSpan at)
{
    CgDefine *d = e->defining;
    if (!d)
        return false;
    d->alike[0] = NULL;
    CgAtom symbol = NULL;
    const CgDim *value = NULL;
    if (cg_define_silent(e) || !a || !b)
        return true;
    switch (cg_dim_equation(a, b, worth, d, &symbol, &value)) {
    case CG_EQUATION_NEVER: return false;
    case CG_EQUATION_SOLVED: break;
    default: return true;
    }
    CgAtom other;
    if (cg_dim_is_symbol(value, &other) && worth(d, symbol) == WORTH_SIZE && worth(d, other) == WORTH_SIZE) {
        d->alike[0] = symbol;
        d->alike[1] = other;
        return false;
    }
    for (size_t i = 0; i < d->conditions.len; i++)
        d->conditions.at[i].value = cg_dim_subst(d->conditions.at[i].value, symbol, value);
    cg_vec_push(&d->conditions, (CgCondition){ .symbol = symbol, .value = value, .span = at, .maybe = e->ways > 0 });
    d->again = true;
    return true;
}

bool cg_define_negative(const CgDefine *d, const CgDim *x)
{
    bool may = d && cg_define_is_any(x);
    for (size_t i = 0; d && i < d->symbols.len && !may; i++)
        may = d->symbols.at[i].worth == WORTH_STATIC && cg_dim_mentions(x, d->symbols.at[i].name);
    return may;
}

bool cg_define_less(const CgElab *e, const CgDim *a, const CgDim *b)
{
    const CgDim *left = cg_dim_sub(b, a);
    return left && !cg_define_negative(e->defining, left) && cg_dim_at_most(cg_dim_int(1), left);
}

void cg_define_from(CgElab *e, const CgDim *size, CgSpan from)
{
    CgDefine *d = e->defining;
    CgCondition *last = d && d->again && d->conditions.len ? &d->conditions.at[d->conditions.len - 1] : NULL;
    if (last && last->value == size && !last->from.file)
        last->from = from;
}

/* The size that a side of an equation behind `where` is; NULL for anything else. */
static const CgDim *stated_size(CgDefine *d, const CgExpr *x)
{
    if (x->kind == CG_EXPR_INT)
        return cg_dim_int(x->i);
    if (x->kind == CG_EXPR_BINARY)
        return cg_dim_combine(*x->op, stated_size(d, x->a), stated_size(d, x->b));
    if (x->kind != CG_EXPR_NAME)
        return NULL;
    for (int i = 0; i < d->graph->nparams; i++)
        if (d->graph->params[i].name == x->s)
            return cg_define_symbol(d, x->s, WORTH_STATIC, x->span);
    return cg_define_symbol(d, x->s, WORTH_SIZE, x->span);
}

void cg_define_state(CgDefine *d, const CgExpr *x)
{
    CgAtom symbol;
    const CgDim *value, *a, *b;
    if (x->kind == CG_EXPR_BINARY && !strcmp(x->op, "and")) {
        cg_define_state(d, x->a);
        cg_define_state(d, x->b);
    }
    if (x->kind != CG_EXPR_BINARY || strcmp(x->op, "==") != 0 || !(a = stated_size(d, x->a))
        || !(b = stated_size(d, x->b)) || cg_dim_equation(a, b, worth, d, &symbol, &value) != CG_EQUATION_SOLVED)
        return;
    for (size_t i = 0; i < d->conditions.len; i++)
        d->conditions.at[i].value = cg_dim_subst(d->conditions.at[i].value, symbol, value);
    cg_vec_push(&d->conditions, (CgCondition){ .symbol = symbol, .value = value, .span = x->span, .stated = true });
}

/* Found on all ways, of sizes that are known by name. */
void cg_define_keep(CgElab *e, const CgDefine *d)
{
    CgConditions *kept = CG_NEW(e->arena, CgConditions);
    *kept = (CgConditions){ 0, CG_NEWN(e->arena, CgCondition, d->conditions.len + 1) };
    for (size_t i = 0; i < d->conditions.len; i++) {
        const CgCondition *c = &d->conditions.at[i];
        const CgSymbol *s = symbol_of(d, c->symbol);
        if (!c->stated && !c->maybe && s && !s->kept && !cg_define_is_any(c->value))
            kept->at[kept->n++] = *c;
    }
    cg_map_put(&e->conditions, cg_map_ptr(d->graph), cg_map_ptr(kept));
}

const CgConditions *cg_define_conditions(const CgElab *e, const CgStmt *graph)
{
    uint64_t kept;
    return cg_map_get(&e->conditions, cg_map_ptr(graph), &kept) ? (const CgConditions *)(uintptr_t)kept : NULL;
}

bool cg_define_types(CgElab *e, const CgType *a, const CgType *b, CgSpan at)
{
    if (!e->defining || cg_type_equal(a, b))
        return false;
    bool silent = a->dtype == b->dtype && a->rank == b->rank;
    for (int i = 0; silent && i < a->rank; i++)
        silent = a->dim[i] == b->dim[i] || e->ways || cg_define_equal(e, a->dim[i], b->dim[i], at);
    return silent || e->ways;
}

/* The input whose type has both sizes as axes, or NULL. */
static CgAtom input_with(const CgStmt *graph, CgAtom a, CgAtom b)
{
    for (int i = 0; i < graph->nparams; i++) {
        const CgTypeExpr *t = graph->params[i].type;
        bool has_a = false, has_b = false;
        for (int k = 0; t && cg_param_is_tensor(&graph->params[i]) && k < t->ndims; k++) {
            has_a |= t->dims[k]->kind == CG_EXPR_NAME && t->dims[k]->s == a;
            has_b |= t->dims[k]->kind == CG_EXPR_NAME && t->dims[k]->s == b;
        }
        if (has_a && has_b)
            return graph->params[i].name;
    }
    return NULL;
}

void cg_define_explain(CgElab *e, CgDiag *x, const CgDim *a, const CgDim *b)
{
    const CgDefine *d = e->defining;
    if (!d)
        return;
    CgAtom input = d->alike[0] ? input_with(d->graph, d->alike[0], d->alike[1]) : NULL;
    if (input)
        cg_diag_help(x, "'%s' and '%s' are two axes of '%s': an axis stands here in the place of another", d->alike[0],
            d->alike[1], input);
    else if (d->alike[0])
        cg_diag_help(x, "these are two sizes of the inputs: write one name if they are always equal, or where %s == %s",
            d->alike[0], d->alike[1]);
    for (size_t i = 0, shown = 0; i < d->conditions.len && shown < 3; i++) {
        const CgCondition *c = &d->conditions.at[i];
        if (c->value != a && c->value != b && d->conditions.len > 3)
            continue;
        CgStrbuf text = { 0 };
        cg_dim_print(c->value, &text);
        cg_diag_note(x, c->span, "'%s' is %s because of this", c->symbol, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        shown++;
    }
}

const char *cg_define_name(const CgElab *e) { return e->defining->graph->names[0]; }

bool cg_define_has(const CgStmt *graph, CgAtom name)
{
    bool any = cg_block_binds(&graph->body, name);
    for (int i = 0; i < graph->nparams; i++)
        any |= graph->params[i].name == name;
    return any;
}

static void offer(const CgBlock *b, CgSuggest *s)
{
    for (int i = 0; i < b->n; i++) {
        for (int k = 0; k < b->at[i]->nnames; k++)
            cg_suggest_offer(s, b->at[i]->names[k]);
        offer(&b->at[i]->body, s);
        offer(&b->at[i]->other, s);
    }
}

void cg_define_offer(const CgStmt *graph, CgSuggest *s)
{
    for (int i = 0; i < graph->nparams; i++)
        cg_suggest_offer(s, graph->params[i].name);
    offer(&graph->body, s);
}

bool cg_define_step(CgElab *e)
{
    CgDefine *d = e->defining;
    if (d && ++d->steps > MOST_STEPS)
        d->spent = true;
    return !cg_define_silent(e);
}

CgDiags *cg_define_diags(CgElab *e)
{
    CgDefine *d = e->defining;
    if (!cg_define_silent(e))
        return e->diags;
    if (!d->scratch)
        d->scratch = cg_diags_new(e->sources);
    return d->scratch;
}

bool cg_define_inside(const CgElab *e, const CgStmt *s)
{
    for (const CgFrame *f = e->defining ? e->frame : NULL; f; f = f->caller)
        if (f->running == s)
            return true;
    return false;
}

bool cg_define_vague(const CgElab *e, const CgValue *v)
{
    bool vague = e->defining && (cg_is_poison(v) || v->open || v->kind == CG_VALUE_DIM);
    bool several = v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    for (int i = 0; e->defining && several && !vague && i < v->n; i++)
        vague = cg_define_vague(e, v->at[i]);
    return vague;
}

CgRef cg_define_tensor(CgElab *e, CgType t)
{
    CgBuild *b = &e->model->build;
    size_t n = b->graph->nodes.len;
    if (t.rank && b->graph == e->model->graph)
        return cg_graph_input(b, cg_intern_printf("?.%zu", n), t);
    return cg_fill(b, t, cg_dtype_is_float(t.dtype) ? (double)n + 0.5 : t.dtype == CG_BOOL ? 1 : (double)n + 2);
}
