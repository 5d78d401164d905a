/* resolve.c - names to declarations, before anything is evaluated.
 * Takes the statements of a program in the order they would be carried out; gives a diagnostic for every name that
 * nothing binds. A name that some way through a body binds is bound. Must not evaluate or infer anything. */
#include "lang/resolve.h"

#include <string.h>

#include "lang/foreign.h"

typedef enum DeclKind {
    LOCAL,    /* bound by a statement, a loop or a comprehension */
    INPUT,    /* a parameter of the graph or function */
    SIZE,     /* a name in a type or pattern, or "..s" */
    REPORTED, /* an unknown name: one mistake, one message */
} DeclKind;

typedef struct Decl {
    CgAtom name;
    DeclKind kind;
    CgSpan span;   /* file 0: not known */
    bool hidden;   /* not seen by a vjp clause */
    size_t before; /* 1 + the declaration it covers, 0 if none */
} Decl;

typedef struct Resolver {
    const CgProgram *program;
    const CgOutside *outside;
    CgDiags *diags;
    CgMap *reported;
    CgNameUses *uses; /* or NULL */
    int module;
    const CgBlock *top; /* of the module */
    bool acts;          /* the module shows or saves something */
    bool file;          /* the name of a file is looked at */
    bool axis;          /* the argument `axis` of a call is */
    bool text;          /* the value of an option that is a text is */
    bool of_row;        /* an argument of examples(..) is */
    bool template;      /* a text in one is */
    CgAtom table;       /* what the call at hand is given first, where that is a table by name; or NULL */
    CG_VEC(Decl) decls;
    CgMap at;            /* name -> 1 + index of its innermost declaration */
    CgMap advised;       /* modules of the library that this one was told to import */
    CgMap known;         /* name -> 1 + whether the module or the language knows it */
    const CgExpr *block; /* the train or evaluate whose fields these are, or NULL */
    CgAtom unseen;       /* the model of the block, in a field that knows nothing of it */
    size_t said;         /* how many mistakes there were before this field */
    size_t body;         /* declarations from here on belong to the body at hand */
} Resolver;

enum { SUGGEST_UNTIL = 20 }; /* diagnostics past these are counted, not shown */

static void expr(Resolver *r, const CgExpr *x);
static void pattern(Resolver *r, const CgExpr *x);

/* ---- declarations ---- */

static const Decl *find(const Resolver *r, CgAtom name)
{
    uint64_t at = 0;
    cg_map_get(&r->at, cg_map_ptr(name), &at);
    while (at && r->decls.at[at - 1].hidden)
        at = r->decls.at[at - 1].before;
    return at ? &r->decls.at[at - 1] : NULL;
}

static void note(Resolver *r, CgAtom name, CgSpan use, CgSpan declared)
{
    if (r->uses && use.file && declared.file)
        cg_vec_push(r->uses, (CgNameUse){ .name = name, .use = use, .declared = declared });
}

static void declare(Resolver *r, CgAtom name, DeclKind kind, CgSpan span)
{
    uint64_t before = 0;
    if (!name)
        return;
    cg_map_get(&r->at, cg_map_ptr(name), &before);
    if (before > r->body && r->decls.at[before - 1].kind == kind && !r->decls.at[before - 1].hidden) {
        note(r, name, span, r->decls.at[before - 1].span); /* bound again */
        return;
    }
    note(r, name, span, span);
    cg_vec_push(&r->decls, (Decl){ .name = name, .kind = kind, .span = span, .before = (size_t)before });
    cg_map_put(&r->at, cg_map_ptr(name), r->decls.len);
}

static void leave(Resolver *r, size_t scope_start)
{
    while (r->decls.len > scope_start) {
        const Decl *d = &r->decls.at[--r->decls.len];
        cg_map_put(&r->at, cg_map_ptr(d->name), d->before);
    }
}

static CgAtom row_name(CgAtom s) { return cg_intern_printf("..%s", s); }

/* ---- unknown names ---- */

static bool is_outside(Resolver *r, CgAtom name)
{
    uint64_t known = 0;
    if (!cg_map_get(&r->known, cg_map_ptr(name), &known)) {
        known = 1 + r->outside->knows(r->outside->of, r->module, name);
        cg_map_put(&r->known, cg_map_ptr(name), known);
    }
    return known == 2;
}

/* Things that fit the place come first: something to call, or something that is a value. */
static const char *nearest(Resolver *r, CgAtom name, bool callable)
{
    for (int turn = 0; turn < 2; turn++) {
        CgSuggest s;
        cg_suggest_init(&s, name);
        for (size_t i = 0; i < r->decls.len; i++) {
            const Decl *d = &r->decls.at[i];
            if (!d->hidden && d->kind != REPORTED && *d->name != '.' && !(callable && turn == 0 && d->kind == SIZE))
                cg_suggest_offer(&s, d->name);
        }
        r->outside->offer(r->outside->of, r->module, callable == (turn == 0), &s);
        if (cg_suggest_best(&s))
            return cg_suggest_best(&s);
    }
    return NULL;
}

static CgDiag *report(Resolver *r, CgCode code, CgSpan span, const char *format, const char *a, const char *b)
{
    cg_map_put(r->reported, cg_resolve_key(span), 1);
    char text[600];
    if (b)
        snprintf(text, sizeof text, format, a, b);
    else
        snprintf(text, sizeof text, format, a);
    return cg_diag(r->diags, code, span, "%s", text);
}

/* Whether a name of the top of the module is bound to a table: one that is read, or made of another. */
static bool is_table(const Resolver *r, CgAtom name)
{
    const CgBlock *top = r->top;
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_BIND && k < top->at[i]->nexprs && k < top->at[i]->nnames; k++) {
            const CgExpr *x = top->at[i]->exprs[k];
            bool call = x->kind == CG_EXPR_CALL && x->a->kind == CG_EXPR_NAME;
            if (top->at[i]->names[k] == name)
                return call && (!strcmp(x->a->s, "read") || r->outside->has_columns(r->outside->of, x->a->s));
        }
    return false;
}

/* Whether a training has what it would call a field of that name. */
static bool is_field(const CgExpr *block, CgAtom name)
{
    bool found = false;
    for (int i = 0; block && block->kind == CG_EXPR_TRAIN && i < block->args.n; i++)
        found |= block->args.at[i].name == name;
    return found;
}

/* The name of an evaluation at the top of the module that has such a column; NULL: none has. */
static CgAtom table_with(const Resolver *r, CgAtom name)
{
    const CgBlock *top = r->top;
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_BIND && k < top->at[i]->nexprs && k < top->at[i]->nnames; k++) {
            const CgExpr *x = top->at[i]->exprs[k];
            for (int j = 0; x->kind == CG_EXPR_EVALUATE && j < x->args.n; j++)
                if (x->args.at[j].name == name)
                    return top->at[i]->names[k];
        }
    return NULL;
}

typedef struct BlockName {
    CgAtom name;
    CgExprKind kind;
} BlockName;

static bool names_model(const CgExpr *x, void *name)
{
    BlockName *of = name;
    bool found = (x->kind == CG_EXPR_TRAIN || x->kind == CG_EXPR_EVALUATE) && x->s == of->name;
    of->kind = found ? x->kind : of->kind;
    return found;
}

/* A name that a block of train or evaluate gives its model, and what the value of the block is bound to. */
static bool help_model(const Resolver *r, CgDiag *d, CgAtom name)
{
    const CgBlock *top = r->top;
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_BIND && k < top->at[i]->nexprs && k < top->at[i]->nnames; k++) {
            BlockName of = { name, CG_EXPR_NAME };
            if (!cg_expr_find(top->at[i]->exprs[k], names_model, &of))
                continue;
            if (of.kind == CG_EXPR_TRAIN && top->at[i]->exprs[k]->kind == CG_EXPR_TRAIN)
                cg_diag_help(
                    d, "'%s' is the model in its block; the trained model is '%s'", name, top->at[i]->names[k]);
            else
                cg_diag_help(d, "'%s' is the model in its block, which is not seen outside of it", name);
            return true;
        }
    return false;
}

/* ---- names of the library that a module does not import ---- */

typedef struct Exported {
    CgAtom name;
    CgSuggest near;
    const char *module[3], *near_module;
    int n;
} Exported;

static void look_for(void *of, const char *module, CgAtom name)
{
    Exported *x = of;
    const char *before = cg_suggest_best(&x->near);
    cg_suggest_offer(&x->near, name);
    if (cg_suggest_best(&x->near) != before)
        x->near_module = module;
    if (name == x->name && x->n < (int)CG_LEN(x->module))
        x->module[x->n++] = module;
}

static const CgImport *import_of(const Resolver *r, const char *module)
{
    const CgModule *m = &r->program->at[r->module];
    for (int i = 0; i < m->nimports; i++)
        if (!strcmp(m->imports[i].stmt->names[0], module))
            return &m->imports[i];
    return NULL;
}

/* The fix that adds an import: before the others, else before the first statement that is neither documented nor the
 * edition, else behind that. */
static void fix_import(const Resolver *r, CgDiag *d, const char *module)
{
    const CgStmt *before = NULL, *edition = NULL;
    for (int i = 0; i < r->top->n && !(before && before->kind == CG_STMT_IMPORT); i++) {
        const CgStmt *s = r->top->at[i];
        if (s->kind == CG_STMT_EDITION)
            edition = s;
        else if (s->kind == CG_STMT_IMPORT || (!before && !s->doc))
            before = s;
    }
    uint32_t at = before ? before->span.start : edition ? edition->span.end : 0;
    bool behind = !before && edition;
    cg_diag_fix(
        d, (CgSpan){ r->program->at[r->module].unit->file, at, at }, behind ? "\nimport %s" : "import %s\n", module);
}

/* Help and the fix that brings the name; the module may be there without it. */
static void help_import(const Resolver *r, CgDiag *d, const Exported *x, CgSpan span)
{
    const CgImport *import = import_of(r, x->module[0]);
    const CgStmt *s = import ? import->stmt : NULL;
    if (s && s->a) {
        cg_diag_help(d, "the module is called '%s' here: %s.%s", s->a->s, s->a->s, x->name);
        cg_diag_fix(d, span, "%s.%s", s->a->s, x->name);
        return;
    }
    if (s) {
        CgSpan end = s->name_spans[s->nnames - 1];
        cg_diag_help(d, "the import of '%s' takes some names only; add ', %s'", x->module[0], x->name);
        cg_diag_fix(d, (CgSpan){ end.file, end.end, end.end }, ", %s", x->name);
        return;
    }
    if (x->n == 1)
        cg_diag_help(d, "write 'import %s' at the top", x->module[0]);
    else
        cg_diag_help(d, "write 'import %s' at the top, or 'import %s', which has another '%s'", x->module[0],
            x->module[1], x->name);
    fix_import(r, d, x->module[0]);
}

/* A name that the library has: one message for each module that is not imported. */
static bool use_of_library(Resolver *r, CgAtom name, CgSpan span, Exported *x)
{
    uint64_t told;
    *x = (Exported){ .name = name };
    cg_suggest_init(&x->near, name);
    cg_embedded_names(look_for, x);
    if (!x->n)
        return false;
    CgAtom module = cg_intern(x->module[0]);
    bool again = !import_of(r, module) && cg_map_get(&r->advised, cg_map_ptr(module), &told);
    cg_map_put(&r->advised, cg_map_ptr(module), 1);
    if (again)
        cg_map_put(r->reported, cg_resolve_key(span), 1);
    else
        help_import(r, report(r, CG_E0301, span, "'%s' is not bound to anything", name, NULL), x, span);
    declare(r, name, REPORTED, (CgSpan){ 0 });
    return true;
}

/* What rows of a text have: a name of it that stands alone in a block lacks the batch in front. */
static bool is_batch_field(CgAtom name)
{
    static const char *const fields[] = { "tokens", "next", "mask", "document" };
    bool found = false;
    for (size_t i = 0; i < CG_LEN(fields); i++)
        found |= !strcmp(name, fields[i]);
    return found;
}

/* A value of a row in a template, or a field of the batch, as a name of the script. */
static bool is_of_row(Resolver *r, CgAtom name, CgSpan span, bool callable)
{
    if (!r->template && !(r->block && !callable && is_batch_field(name)))
        return false;
    CgDiag *d = report(r, CG_E0301, span, "'%s' is not bound to anything", name, NULL);
    if (r->template)
        cg_diag_help(d, "a value of each row is written $%s in a template; braces hold values of the script", name);
    else
        cg_diag_help(d, "what a step reads stands behind batch: batch.%s", name);
    declare(r, name, REPORTED, (CgSpan){ 0 });
    return true;
}

static void use(Resolver *r, CgAtom name, CgSpan span, bool callable)
{
    const Decl *known = find(r, name);
    if (known && name == r->unseen && known->span.start == r->block->s_span.start && !is_outside(r, name)) {
        if (cg_diags_count(r->diags) > r->said)
            return;
        CgDiag *d =
            report(r, CG_E0301, span, "'%s' is the model in training, of which an optimiser knows nothing", name, NULL);
        cg_diag_help(d, "the training gives it parameters and gradients: optimizer = adamw(rate = 1e-3)");
        return;
    }
    if (known) {
        if (known->kind == REPORTED)
            cg_map_put(r->reported, cg_resolve_key(span), 1);
        note(r, name, span, known->span);
        return;
    }
    CgAtom two[2];
    if (r->outside->clashes(r->outside->of, r->module, name, two)) {
        CgDiag *d = report(r, CG_E0204, span, "'%s' and '%s' both have the name that is used here", two[0], two[1]);
        cg_diag_help(d, "import one under a name of your choice: import %s as m, then m.%s", two[1], name);
        declare(r, name, REPORTED, (CgSpan){ 0 });
        return;
    }
    if (is_outside(r, name)) {
        CgSpan declaration = { 0 };
        if (r->uses && r->outside->declaration(r->outside->of, r->module, name, &declaration))
            note(r, name, span, declaration);
        return;
    }
    if (r->outside->member(r->outside->of, r->module, name, name, NULL)) {
        CgDiag *d = report(r, CG_E0301, span, "'%s' is a module, not a value", name, NULL);
        cg_diag_help(d, "its names are written behind a point, as in %s.name", name);
        return;
    }
    const CgForeign *row = NULL;
    Exported exported;
    bool shown = cg_diags_count(r->diags) < SUGGEST_UNTIL;
    if (is_of_row(r, name, span, callable) || (shown && use_of_library(r, name, span, &exported)))
        return;
    bool field = is_field(r->block, name);
    const char *best = shown && !field ? nearest(r, name, callable) : NULL;
    CgDiag *d = report(r, CG_E0301, span, "'%s' is not bound to anything", name, NULL);
    if (!r->block && !strcmp(name, "batch"))
        cg_diag_help(d, "a batch is there in the fields of train and evaluate");
    else if (r->block && r->block->s && !strcmp(name, "model"))
        cg_diag_help(d, "the model is called '%s' here", r->block->s);
    else if (shown && !(r->block && !r->block->s) && help_model(r, d, name))
        best = name;
    else if (!(callable && (row = cg_foreign(CG_FOREIGN_CALL, name))) && !(row = cg_foreign(CG_FOREIGN_NAME, name)))
        cg_diag_meant(d, &(CgSuggest){ .word = name, .best = best });
    if (row)
        cg_foreign_answer(d, row);
    else if (r->axis)
        cg_diag_help(d, "an axis has a name where a graph's own types name it; elsewhere it is a number: axis = 1");
    else if (r->text)
        cg_diag_help(d, "a text stands in double quotes: \"%s\"", name);
    else if (r->file)
        cg_diag_help(d, "the name of a file is a string: save .. as \"%s.csv\"", name);
    else if (r->block && !r->block->s && callable && !cg_suggest_best(&exported.near) && !best)
        cg_diag_help(d, "a model has a name in its block where 'as' gives it one: %s .. as %s { .. }",
            r->block->kind == CG_EXPR_TRAIN ? "train" : "evaluate", name);
    else if (field)
        cg_diag_help(d, "a block of train binds no names: write the value where it is used, or in a def or a graph");
    else if (shown && !best && r->table)
        cg_diag_help(d, "a column is written behind its table: %s.%s", r->table, name);
    else if (shown && !best && table_with(r, name))
        cg_diag_help(d, "it is a column of '%s': %s.%s", table_with(r, name), table_with(r, name), name);
    else if (shown && !best && callable && cg_suggest_best(&exported.near))
        cg_diag_help(d, "did you mean '%s' of the module %s?", cg_suggest_best(&exported.near), exported.near_module);
    declare(r, name, REPORTED, (CgSpan){ 0 });
}

/* torch.zeros, nn.Linear: a module of another language, and what stands behind it. False where it is none. */
static bool use_of_foreign(Resolver *r, const CgExpr *x)
{
    const CgExpr *module = x->a;
    const CgForeign *dotted =
        module->kind == CG_EXPR_NAME ? cg_foreign(CG_FOREIGN_CALL, cg_intern_printf("%s.%s", module->s, x->s)) : NULL;
    if (dotted && !find(r, module->s) && !is_outside(r, module->s)) { /* t.test(..), whose point means nothing */
        cg_foreign_answer(report(r, CG_E0301, x->span, "'%s' is not bound to anything", dotted->word, NULL), dotted);
        cg_map_put(r->reported, cg_resolve_key(module->span), 1);
        return true;
    }
    while (module->kind == CG_EXPR_FIELD)
        module = module->a;
    if (module->kind != CG_EXPR_NAME || !cg_foreign(CG_FOREIGN_MODULE, module->s) || find(r, module->s)
        || is_outside(r, module->s))
        return false;
    CgDiag *d = report(r, CG_E0301, module->span, "'%s' is not bound to anything", module->s, NULL);
    const CgForeign *row = NULL;
    for (int i = 0; i < 3 && !row; i++)
        row = cg_foreign((CgForeignWhere[]){ CG_FOREIGN_MEMBER, CG_FOREIGN_CALL, CG_FOREIGN_NAME }[i], x->s);
    if (row && row->help[0])
        cg_diag_help(d, "%s", row->help);
    else if (is_outside(r, x->s))
        cg_diag_help(d, "it has no module in front: %s", x->s);
    else if (cg_embedded_module_of(x->s))
        cg_diag_help(d, "it is %s, without a module in front, after 'import %s'", x->s, cg_embedded_module_of(x->s));
    else
        cg_diag_help(
            d, "there are no modules of that language; `cg help functions` and `cg help ops` list what there is");
    declare(r, module->s, REPORTED, (CgSpan){ 0 });
    return true;
}

/* A name after `op.` or the name of a family of functions, as in plot.line. */
static void use_member(Resolver *r, const CgExpr *x)
{
    const CgOutside *o = r->outside;
    bool op = !strcmp(x->a->s, "op");
    CgAtom whole = cg_intern_printf("%s.%s", x->a->s, x->s);
    if (op ? o->is_op(o->of, x->s) : o->is_function(o->of, whole))
        return;
    CgSuggest s;
    cg_suggest_init(&s, x->s);
    o->offer_members(o->of, x->a->s, &s);
    CgSpan at = x->op_span.file ? x->op_span : x->span;
    CgDiag *d = op ? report(r, CG_E0302, at, "there is no op '%s'", x->s, NULL)
                   : report(r, CG_E0302, at, "there is no function '%s'", whole, NULL);
    if (strcmp(x->a->s, "plot") != 0 || !cg_foreign_or_near(d, CG_FOREIGN_PLOT, &s))
        cg_diag_meant_or_all(d, &s, "there are");
}

/* tf.attention, where tf is the alias of a module. */
static bool use_of_module(Resolver *r, const CgExpr *x)
{
    CgSuggest s;
    cg_suggest_init(&s, x->s);
    if (x->a->kind != CG_EXPR_NAME || find(r, x->a->s))
        return false;
    int found = r->outside->member(r->outside->of, r->module, x->a->s, x->s, &s);
    if (found == 1) {
        CgDiag *d = report(
            r, CG_E0302, x->op_span.file ? x->op_span : x->span, "the module '%s' has no name '%s'", x->a->s, x->s);
        cg_diag_meant(d, &s);
    }
    CgSpan declaration = { 0 };
    if (found == 2 && r->uses && r->outside->member_declaration(r->outside->of, r->module, x->a->s, x->s, &declaration))
        note(r, x->s, x->op_span.file ? x->op_span : x->span, declaration);
    return found != 0;
}

/* plot, as in plot.line, where nothing else is called so. */
static bool is_family(Resolver *r, const CgExpr *x)
{
    return x->kind == CG_EXPR_NAME && !find(r, x->s) && r->outside->is_family(r->outside->of, r->module, x->s);
}

/* ---- sizes ---- */

/* The names of a pattern or of the type of an input: a name that is not known yet is bound here. */
static void pattern(Resolver *r, const CgExpr *x)
{
    if (!x)
        return;
    switch (x->kind) {
    case CG_EXPR_NAME:
        if (!find(r, x->s))
            declare(r, x->s, SIZE, x->span);
        else
            note(r, x->s, x->span, find(r, x->s)->span);
        return;
    case CG_EXPR_ROW:
        if (x->s)
            declare(r, row_name(x->s), SIZE, x->span);
        return;
    case CG_EXPR_BINARY:
        pattern(r, x->a);
        pattern(r, x->b);
        return;
    case CG_EXPR_LIST:
        for (int i = 0; i < x->args.n; i++)
            pattern(r, x->args.at[i].value);
        return;
    default: expr(r, x);
    }
}

static void input_type(Resolver *r, const CgTypeExpr *t)
{
    for (int i = 0; t && t->kind == CG_TYPE_TENSOR && i < t->ndims; i++)
        pattern(r, t->dims[i]);
    if (t && t->below)
        pattern(r, t->below);
}

/* A type whose sizes must be known: of a parameter. */
static void used_type(Resolver *r, const CgTypeExpr *t)
{
    for (int i = 0; t && t->kind == CG_TYPE_TENSOR && i < t->ndims; i++)
        if (t->dims[i]->kind != CG_EXPR_ROW) /* one that is not known has a message of its own */
            expr(r, t->dims[i]);
}

/* ---- expressions ---- */

/* x[..] -> [..] as last argument: half of the arguments are tensors, the others patterns. */
static void pattern_call(Resolver *r, const CgExpr *x)
{
    int tensors = x->args.n / 2;
    for (int i = 0; i < tensors; i++)
        expr(r, x->args.at[i].value);
    for (int i = tensors; i < x->args.n - 1; i++)
        pattern(r, x->args.at[i].value);
    const CgExpr *arrow = x->args.at[x->args.n - 1].value;
    pattern(r, arrow->a); /* what stands on the right alone has a message of its own */
}

/* What is called among columns: no column is. Another name may be a column, which nobody knows yet, or one from
 * outside. */
static bool among_columns(const CgExpr *x, void *resolver)
{
    Resolver *r = resolver;
    const Decl *known = x->kind == CG_EXPR_NAME ? find(r, x->s) : NULL;
    if (known)
        note(r, x->s, x->span, known->span);
    if (x->kind == CG_EXPR_CALL && x->a->kind == CG_EXPR_NAME)
        use(r, x->a->s, x->a->span, true);
    return false;
}

static void call(Resolver *r, const CgExpr *x)
{
    if (x->a->kind == CG_EXPR_NAME)
        use(r, x->a->s, x->a->span, true);
    else
        expr(r, x->a);
    if (x->args.n && x->args.at[x->args.n - 1].value->kind == CG_EXPR_ARROW) {
        pattern_call(r, x);
        return;
    }
    CgAtom name = NULL;
    if (x->a->kind == CG_EXPR_NAME && !find(r, x->a->s))
        name = x->a->s;
    else if (x->a->kind == CG_EXPR_FIELD && is_family(r, x->a->a))
        name = cg_intern_printf("%s.%s", x->a->a->s, x->a->s);
    bool columns = name && r->outside->has_columns(r->outside->of, name);
    bool method = x->a->kind == CG_EXPR_FIELD && !name && r->outside->has_columns(r->outside->of, x->a->s);
    CgAtom outer = r->table;
    bool axis = r->axis, of_row = r->of_row;
    r->of_row |= name && !strcmp(name, "examples");
    for (int i = 0; i < x->args.n; i++) { /* columns are known when there is a table */
        const CgExpr *value = x->args.at[i].value;
        r->axis = x->args.at[i].name && !strcmp(x->args.at[i].name, "axis");
        if ((columns && i > 0) || method)
            (void)cg_expr_find(value, among_columns, r);
        else
            expr(r, value);
        r->table = value->kind == CG_EXPR_NAME && !i && is_table(r, value->s) ? value->s : r->table;
    }
    r->table = outer;
    r->axis = axis;
    r->of_row = of_row;
}

/* The fields of train and the columns of evaluate see the batch, the model by its name and columns written before. */
static void block(Resolver *r, const CgExpr *x)
{
    expr(r, x->a);
    expr(r, x->b);
    size_t scope_start = r->decls.len;
    const CgExpr *outer = r->block;
    CgAtom unseen = r->unseen;
    r->block = x;
    bool outer_batch = find(r, cg_intern("batch")) || is_outside(r, cg_intern("batch"));
    declare(r, cg_intern("batch"), INPUT, (CgSpan){ 0 });
    declare(r, x->s, INPUT, x->s_span);
    for (int i = 0; i < x->args.n; i++) {
        const char *name = x->args.at[i].name ? x->args.at[i].name : "";
        bool sees = x->kind == CG_EXPR_EVALUATE || !strcmp(name, "loss") || !strcmp(name, "weight")
            || !strcmp(name, "metrics"); /* batch = batch is a name from outside */
        r->decls.at[scope_start].hidden = !sees && outer_batch;
        r->unseen = x->kind == CG_EXPR_TRAIN && !strcmp(name, "optimizer") ? x->s : NULL;
        r->said = cg_diags_count(r->diags);
        expr(r, x->args.at[i].value);
        if (x->kind == CG_EXPR_EVALUATE)
            declare(r, x->args.at[i].name, LOCAL, x->args.at[i].name_span);
    }
    r->block = outer;
    r->unseen = unseen;
    leave(r, scope_start);
}

static void comprehension(Resolver *r, const CgExpr *x)
{
    expr(r, x->b);
    size_t scope_start = r->decls.len;
    declare(r, x->s, LOCAL, x->s_span);
    declare(r, x->s2, LOCAL, x->s2_span);
    expr(r, x->kind == CG_EXPR_RECORD_FOR ? x->d : x->c);
    expr(r, x->a);
    if (x->kind == CG_EXPR_RECORD_FOR)
        expr(r, x->c);
    leave(r, scope_start);
}

static void expr(Resolver *r, const CgExpr *x)
{
    if (!x)
        return;
    switch (x->kind) {
    case CG_EXPR_NAME: use(r, x->s, x->span, false); return;
    case CG_EXPR_CALL: call(r, x); return;
    case CG_EXPR_TRAIN:
    case CG_EXPR_EVALUATE: block(r, x); return;
    case CG_EXPR_LIST_FOR:
    case CG_EXPR_RECORD_FOR: comprehension(r, x); return;
    case CG_EXPR_TYPE: used_type(r, x->type); return;
    case CG_EXPR_FIELD:
        if (use_of_module(r, x) || use_of_foreign(r, x))
            return;
        if (is_family(r, x->a) || (x->a->kind == CG_EXPR_NAME && !strcmp(x->a->s, "op")))
            use_member(r, x);
        else
            expr(r, x->a);
        return;
    case CG_EXPR_TEXT:
        r->template = r->of_row;
        for (int i = 0; i < x->args.n; i++)
            expr(r, x->args.at[i].value);
        r->template = false;
        return;
    case CG_EXPR_IF: /* in the order they are evaluated */
        expr(r, x->c);
        expr(r, x->a);
        expr(r, x->b);
        return;
    default: break;
    }
    expr(r, x->a);
    expr(r, x->b);
    expr(r, x->c);
    expr(r, x->d);
    for (int i = 0; i < x->args.n; i++) {
        expr(r, x->args.at[i].key);
        expr(r, x->args.at[i].value);
    }
}

/* ---- statements ---- */

static CgSpan name_span(const CgStmt *s, int i) { return s->name_spans ? s->name_spans[i] : (CgSpan){ 0 }; }

/* The name that was declared last stands there to be read. */
static void wanted(Resolver *r)
{
    if (r->uses && r->uses->len)
        r->uses->at[r->uses->len - 1].binds = true;
}

static void declare_bound(Resolver *r, const CgStmt *s, int i)
{
    declare(r, s->names[i], LOCAL, name_span(s, i));
    if (s->kind == CG_STMT_PARAM || (s->kind == CG_STMT_BIND && s->nexprs == s->nnames)) /* not of several results */
        wanted(r);
}

/* All that a block binds, in the blocks of a loop or a choice too. */
static void bound_in(Resolver *r, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        for (int k = 0; k < b->at[i]->nnames && b->at[i]->kind != CG_STMT_VJP; k++)
            declare_bound(r, b->at[i], k);
        bound_in(r, &b->at[i]->body);
        bound_in(r, &b->at[i]->other);
    }
}

static void statements(Resolver *r, const CgBlock *b);

static void statement(Resolver *r, const CgStmt *s)
{
    if (s->kind == CG_STMT_VJP)
        return; /* carried out after the body */
    if (s->type)
        used_type(r, s->type);
    expr(r, s->a);
    expr(r, s->b);
    for (int i = 0; i < s->nexprs; i++)
        expr(r, s->exprs[i]);
    for (int i = 0; i < s->nnames && s->kind != CG_STMT_TEST && s->kind != CG_STMT_EXPECT; i++)
        declare_bound(r, s, i);
    if (s->kind == CG_STMT_FOR)
        bound_in(r, &s->body); /* what one turn binds the next one sees */
    statements(r, &s->body);
    statements(r, &s->other);
}

static void statements(Resolver *r, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++)
        statement(r, b->at[i]);
}

/* A clause sees the inputs and the sizes of its graph, not what the body binds. */
static void clauses(Resolver *r, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        clauses(r, &s->other);
        if (s->kind != CG_STMT_VJP) {
            clauses(r, &s->body);
            continue;
        }
        size_t scope_start = r->decls.len, outer = r->body;
        for (size_t k = outer; k < scope_start; k++)
            r->decls.at[k].hidden |= r->decls.at[k].kind == LOCAL;
        r->body = scope_start;
        for (int k = 0; k < s->nparams; k++)
            declare(r, s->params[k].name, INPUT, s->params[k].span);
        statements(r, &s->body);
        leave(r, scope_start);
        r->body = outer;
    }
}

static void contracts(Resolver *r, const CgStmt *s)
{
    for (int i = 0; i < s->ncontracts; i++)
        expr(r, s->contracts[i]);
}

static void graph(Resolver *r, const CgStmt *s)
{
    bool tensors = false, updates = false; /* an optimiser's rate is read by who trains */
    for (int i = 0; i < s->nparams; i++)
        updates |= !strcmp(s->params[i].name, "p");
    for (int i = 0; i < s->nparams; i++) { /* static arguments come first, each sees those before it */
        if (s->params[i].type && s->params[i].type->kind == CG_TYPE_TENSOR) {
            tensors = true;
            continue;
        }
        expr(r, s->params[i].init);
        declare(r, s->params[i].name, INPUT, s->params[i].span);
        if (!updates)
            wanted(r);
    }
    for (int i = 0; i < s->nparams; i++)
        if (s->params[i].type && s->params[i].type->kind == CG_TYPE_TENSOR) {
            expr(r, s->params[i].init);
            input_type(r, s->params[i].type);
            declare(r, s->params[i].name, INPUT, s->params[i].span);
        }
    for (int i = 0; !tensors && i < s->nresults; i++) /* an initialiser: the parameter gives the sizes */
        input_type(r, s->results[i]);
    contracts(r, s);
    statements(r, &s->body);
    clauses(r, &s->body);
}

static void def(Resolver *r, const CgStmt *s)
{
    for (int i = 0; i < s->nparams; i++) {
        expr(r, s->params[i].init);
        declare(r, s->params[i].name, INPUT, s->params[i].span);
        wanted(r);
    }
    contracts(r, s);
    expr(r, s->a);
}

/* Whether a script does something; one that only binds names is there to be imported, and so are its options. */
static bool acts(const CgBlock *top)
{
    for (int i = 0; i < top->n; i++)
        if (top->at[i]->kind == CG_STMT_SHOW || top->at[i]->kind == CG_STMT_SAVE)
            return true;
    return false;
}

static void top(Resolver *r, const CgStmt *s)
{
    r->body = r->decls.len;
    for (int i = 0; i < s->nnames && s->kind != CG_STMT_IMPORT && s->kind != CG_STMT_TEST; i++)
        note(r, s->names[i], name_span(s, i), name_span(s, i));
    if (s->kind == CG_STMT_OPTION && r->acts && strcmp(s->names[0], "precision") != 0) /* the language reads it */
        wanted(r);
    if (s->kind == CG_STMT_GRAPH) {
        graph(r, s);
    } else if (s->kind == CG_STMT_DEF) {
        def(r, s);
    } else if (s->kind == CG_STMT_IMPORT) {
        return;
    } else if (s->kind == CG_STMT_TEST || s->kind == CG_STMT_CLAIM) {
        expr(r, s->a);
        statements(r, &s->body);
    } else {
        r->text = s->kind == CG_STMT_OPTION && s->type && s->type->name && s->type->name[0] == 's';
        expr(r, s->a);
        r->text = false;
        r->file = s->kind == CG_STMT_SAVE;
        expr(r, s->b);
        r->file = false;
        for (int i = 0; i < s->nexprs; i++)
            expr(r, s->exprs[i]);
    }
    leave(r, r->body);
}

void cg_resolve(const CgProgram *p, const CgOutside *outside, CgDiags *diags, CgMap *reported, CgNameUses *uses)
{
    Resolver r = { .program = p, .outside = outside, .diags = diags, .reported = reported, .uses = uses };
    for (int m = 0; m < p->n; m++) {
        r.module = m;
        r.top = &p->at[m].unit->top;
        r.acts = acts(r.top);
        cg_map_deinit(&r.known);
        cg_map_deinit(&r.advised);
        r.known = r.advised = (CgMap){ 0 };
        for (int i = 0; i < p->at[m].unit->top.n; i++)
            top(&r, p->at[m].unit->top.at[i]);
    }
    cg_vec_free(&r.decls);
    cg_map_deinit(&r.at);
    cg_map_deinit(&r.known);
    cg_map_deinit(&r.advised);
}

/* ---- what nothing needs ---- */

static bool needs(const CgNameUses *uses, uint32_t file, uint32_t module, CgAtom name)
{
    for (size_t i = 0; i < uses->len; i++)
        if (uses->at[i].use.file == file && uses->at[i].declared.file == module && (!name || uses->at[i].name == name))
            return true;
    return false;
}

/* Whose options can be set from outside: that may be what it is imported for. */
static bool has_options(const CgUnit *unit)
{
    for (int i = 0; i < unit->top.n; i++)
        if (unit->top.at[i]->kind == CG_STMT_OPTION)
            return true;
    return false;
}

static void unused_imports(const CgProgram *p, const CgModule *m, const CgNameUses *uses, CgDiags *diags)
{
    for (int i = 0; i < m->nimports; i++) {
        const CgStmt *s = m->imports[i].stmt;
        uint32_t module = p->at[m->imports[i].module].unit->file;
        for (int k = 1; s && k < s->nnames; k++)
            if (!needs(uses, m->unit->file, module, s->names[k]))
                cg_diag_warn(diags, CG_E0206, s->name_spans[k], "'%s' is imported and not used", s->names[k]);
        if (s && s->nnames == 1 && !needs(uses, m->unit->file, module, NULL)
            && !has_options(p->at[m->imports[i].module].unit))
            cg_diag_warn(diags, CG_E0206, s->name_spans ? s->name_spans[0] : s->span,
                "nothing of the module '%s' is used", s->names[0]);
    }
}

void cg_resolve_unused(const CgProgram *p, const CgNameUses *uses, CgDiags *diags)
{
    const CgModule *script = &p->at[p->n - 1];
    CgMap read = { 0 }; /* places of declarations that something reads */
    for (size_t i = 0; i < uses->len; i++)
        if (!uses->at[i].binds && cg_resolve_key(uses->at[i].use) != cg_resolve_key(uses->at[i].declared))
            cg_map_put(&read, cg_resolve_key(uses->at[i].declared), 1);
    for (size_t i = 0; i < uses->len; i++) {
        const CgNameUse *u = &uses->at[i];
        uint64_t found;
        if (u->binds && u->use.file == script->unit->file && u->name[0] != '_'
            && !cg_map_get(&read, cg_resolve_key(u->declared), &found)) {
            cg_diag_warn(diags, CG_E0206, u->use, "nothing reads '%s'", u->name);
            cg_map_put(&read, cg_resolve_key(u->declared), 1);
        }
    }
    cg_map_deinit(&read);
    unused_imports(p, script, uses, diags);
}
