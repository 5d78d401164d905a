/* build.c - AST nodes for the grammar's actions.
 * Takes pieces already parsed; gives nodes in the unit's arena with their depth. Reports what the grammar
 * cannot say: types that do not exist, dims that are not dims, keys that are not names, nesting without end.
 */
#include <string.h>
#include "base/suggest.h"
#include "lang/foreign.h"
#include "lang/parsing.h"

/* Doubling in an arena wastes at most as much as it keeps. */
static void *grown(CgParsing *p, void *at, int n, int *cap, size_t size)
{
    if (n < *cap)
        return at;
    *cap = *cap ? 2 * *cap : 4;
    void *to = cg_arena_alloc(p->arena, (size_t)*cap * size);
    if (n > 0)
        memcpy(to, at, (size_t)n * size);
    return to;
}

void cg_items_push(CgParsing *p, CgItems *v, void *item)
{
    v->at = grown(p, v->at, v->n, &v->cap, sizeof *v->at);
    v->at[v->n++] = item;
}

void cg_fields_push(CgParsing *p, CgFields *v, CgArg field)
{
    v->at = grown(p, v->at, v->n, &v->cap, sizeof *v->at);
    v->at[v->n++] = field;
}

void cg_params_push(CgParsing *p, CgParams *v, CgParam param)
{
    v->at = grown(p, v->at, v->n, &v->cap, sizeof *v->at);
    v->at[v->n++] = param;
}

void cg_names_push(CgParsing *p, CgNames *v, CgAtom name, CgSpan span)
{
    int cap = v->cap;
    v->at = grown(p, v->at, v->n, &cap, sizeof *v->at);
    v->spans = grown(p, v->spans, v->n, &v->cap, sizeof *v->spans);
    v->at[v->n] = name;
    v->spans[v->n++] = span;
}

CgExpr *cg_make_expr(CgParsing *p, CgExprKind kind, CgSpan span)
{
    CgExpr *e = CG_NEW(p->arena, CgExpr);
    e->kind = kind;
    e->span = e->op_span = span;
    e->depth = 1;
    return e;
}

static int depth_of(const CgExpr *e) { return e ? e->depth : 0; }

static int deeper(int a, int b) { return a > b ? a : b; }

CgExpr *cg_make_done(CgParsing *p, CgExpr *e)
{
    int depth = deeper(deeper(depth_of(e->a), depth_of(e->b)), deeper(depth_of(e->c), depth_of(e->d)));
    for (int i = 0; i < e->args.n; i++)
        depth = deeper(depth, depth_of(e->args.at[i].value));
    if (depth < CG_MAX_DEPTH) {
        e->depth = (uint16_t)(depth + 1);
        return e;
    }
    if (!p->too_deep) {
        CgDiag *d =
            cg_syntax_error(p, CG_E0108, e->op_span, "this expression is more than %d levels deep", CG_MAX_DEPTH);
        cg_syntax_help(d, "give its parts names of their own");
        p->too_deep = true;
    }
    return cg_make_expr(p, CG_EXPR_ERROR, e->span);
}

CgExpr *cg_make_two(CgParsing *p, CgExprKind kind, CgSpan span, CgSpan op_span, CgExpr *a, CgExpr *b)
{
    CgExpr *e = cg_make_expr(p, kind, span);
    e->op_span = op_span;
    e->a = a;
    e->b = b;
    return e;
}

CgExpr *cg_make_call(CgParsing *p, CgExprKind kind, CgSpan span, CgSpan op_span, CgExpr *a, CgFields args)
{
    CgExpr *e = cg_make_two(p, kind, span, op_span, a, NULL);
    e->args = (CgArgs){ args.at, args.n };
    return cg_make_done(p, e);
}

CgExpr *cg_make_binary(CgParsing *p, CgSpan span, CgSpan op_span, const char *op, CgExpr *a, CgExpr *b)
{
    CgExpr *e = cg_make_two(p, CG_EXPR_BINARY, span, op_span, a, b);
    e->op = cg_intern(op);
    return cg_make_done(p, e);
}

CgExpr *cg_make_unary(CgParsing *p, CgSpan span, CgSpan op_span, const char *op, CgExpr *a)
{
    CgExpr *e = cg_make_two(p, CG_EXPR_UNARY, span, op_span, a, NULL);
    e->op = cg_intern(op);
    return cg_make_done(p, e);
}

CgExpr *cg_make_name(CgParsing *p, CgExprKind kind, CgSpan span, CgAtom s)
{
    CgExpr *e = cg_make_expr(p, kind, span);
    e->s = s;
    return e;
}

CgExpr *cg_make_list(CgParsing *p, CgSpan span, CgItems items)
{
    CgExpr *e = cg_make_expr(p, CG_EXPR_LIST, span);
    CgFields fields = { 0 };
    for (int i = 0; i < items.n; i++)
        cg_fields_push(p, &fields, (CgArg){ .value = items.at[i] });
    e->args = (CgArgs){ fields.at, fields.n };
    return cg_make_done(p, e);
}

CgExpr *cg_make_record(CgParsing *p, CgSpan span, CgExpr *key, CgExpr *value, CgFields rest)
{
    CgExpr *e = cg_make_expr(p, CG_EXPR_RECORD, span);
    CgFields fields = { 0 };
    if (key) {
        bool named = key->kind == CG_EXPR_NAME || key->kind == CG_EXPR_STRING, text = key->kind == CG_EXPR_TEXT;
        if (!named && !text && key->kind != CG_EXPR_ERROR) {
            CgDiag *d = cg_syntax_error(p, CG_E0114, key->span, "the key of a record is a name or a string");
            cg_syntax_help(d, "computed keys are written { key: value for name in values }");
        }
        cg_fields_push(p, &fields,
            (CgArg){ named ? key->s
                    : text ? NULL
                           : cg_intern(""),
                key->span, value, key->kind == CG_EXPR_STRING || text, text ? key : NULL });
    }
    for (int i = 0; i < rest.n; i++)
        cg_fields_push(p, &fields, rest.at[i]);
    e->args = (CgArgs){ fields.at, fields.n };
    return cg_make_done(p, e);
}

CgLoop *cg_make_head(CgParsing *p, CgNames names, CgExpr *over, CgExpr *filter)
{
    if (names.n > 2)
        cg_syntax_error(p, CG_E0101, names.spans[2], "a loop has one or two names");
    CgLoop *loop = CG_NEW(p->arena, CgLoop);
    *loop = (CgLoop){ .s = names.at[0], .s_span = names.spans[0], .over = over, .filter = filter };
    if (names.n > 1) {
        loop->s2 = names.at[1];
        loop->s2_span = names.spans[1];
    }
    return loop;
}

/* The last loop is the innermost one. */
CgExpr *cg_make_loop(CgParsing *p, CgExprKind kind, CgSpan span, CgExpr *key, CgExpr *value, CgItems loops)
{
    for (int i = loops.n; i-- > 0;) {
        const CgLoop *loop = loops.at[i];
        CgExpr *e = cg_make_expr(p, kind, span);
        e->a = value;
        e->b = loop->over;
        e->s = loop->s;
        e->s2 = loop->s2;
        e->s_span = loop->s_span;
        e->s2_span = loop->s2_span;
        e->i = i > 0;
        if (kind == CG_EXPR_LIST_FOR) {
            e->c = loop->filter;
        } else {
            e->c = i == loops.n - 1 ? key : NULL;
            e->d = loop->filter;
        }
        value = cg_make_done(p, e);
    }
    return value;
}

static bool is_dtype(const char *name)
{
    static const char *const dtypes[] = { "f32", "f64", "i32", "i64", "bool", "f16", "bf16", "i8" };
    for (size_t i = 0; i < CG_LEN(dtypes); i++)
        if (strcmp(dtypes[i], name) == 0)
            return true;
    return false;
}

static CgScalar scalar_of(const char *name)
{
    static const char *const words[] = { [CG_SCALAR_INT] = "int",
        [CG_SCALAR_FLOAT] = "float",
        [CG_SCALAR_BOOL] = "bool",
        [CG_SCALAR_STR] = "str",
        [CG_SCALAR_LIST] = "list",
        [CG_SCALAR_RECORD] = "record",
        [CG_SCALAR_ANY] = "any" };
    size_t i = 1;
    while (i < CG_LEN(words) && strcmp(words[i], name) != 0)
        i++;
    return i < CG_LEN(words) ? (CgScalar)i : CG_SCALAR_OTHER;
}

static void check_dim(CgParsing *p, const CgExpr *e, bool outermost)
{
    switch (e->kind) {
    case CG_EXPR_INT:
    case CG_EXPR_NAME:
    case CG_EXPR_ERROR: return;
    case CG_EXPR_ROW:
        if (outermost)
            return;
        break;
    case CG_EXPR_UNARY:
        if (strcmp(e->op, "-") == 0) {
            check_dim(p, e->a, false);
            return;
        }
        break;
    case CG_EXPR_BINARY:
        if (strchr("+-*/", e->op[0]) && !e->op[1]) {
            check_dim(p, e->a, false);
            check_dim(p, e->b, false);
            return;
        }
        break;
    default: break;
    }
    CgDiag *d = cg_syntax_error(p, CG_E0111, e->span, "this is not a dimension");
    cg_syntax_help(d, "a dimension is a number, a name, arithmetic on them with + - * /, or a row ..s");
}

static void unknown_type(CgParsing *p, CgSpan span, CgAtom name)
{
    static const char *const all[] = { "f32", "f64", "f16", "bf16", "i32", "i64", "i8", "bool", "int", "float", "str",
        "list", "record", "any", "graph" };
    uint32_t end = span.start; /* option n: and nothing behind it, so that the next line's name was taken for a type */
    while (end > 0 && strchr(" \t\r\n", p->text[end - 1]))
        end--;
    if (end > 0 && p->text[end - 1] == ':' && memchr(p->text + end, '\n', span.start - end)) {
        cg_syntax_error(p, CG_E0110, (CgSpan){ span.file, end, end }, "a type is missing behind ':'");
        return;
    }
    CgDiag *d = cg_syntax_error(p, CG_E0110, span, "there is no type '%s'", name);
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (size_t i = 0; i < CG_LEN(all); i++)
        cg_suggest_offer(&s, all[i]);
    if (!cg_foreign_or_near(d, CG_FOREIGN_TYPE, &s))
        cg_syntax_help(d,
            "the types are f32 f64 f16 bf16 i32 i64 i8 bool with dims in brackets, int float bool str list record, "
            "graph and any");
}

CgTypeExpr *cg_make_type(CgParsing *p, CgSpan span, CgAtom name, const CgItems *dims)
{
    CgTypeExpr *t = CG_NEW(p->arena, CgTypeExpr);
    t->span = span;
    t->name = name;
    t->ndims = dims ? dims->n : -1;
    t->dims = dims ? (CgExpr **)dims->at : NULL;
    t->nparams = -1;
    t->kind = CG_TYPE_TENSOR;
    for (int i = 0; i < t->ndims; i++)
        check_dim(p, t->dims[i], true);
    /* Signatures of ops and functions also have dtype variables (a capital letter) and kinds of values; kind[] is a
     * list. */
    bool variable = p->is_sig && name[0] >= 'A' && name[0] <= 'Z' && !name[1];
    if (variable || (is_dtype(name) && (dims || !scalar_of(name))))
        return t;
    t->scalar = scalar_of(name);
    t->kind = t->scalar == CG_SCALAR_ANY ? CG_TYPE_ANY : CG_TYPE_SCALAR;
    if (t->scalar) {
        if (dims && dims->n > 0) { /* int[]: a list of them */
            CgDiag *d = cg_syntax_error(p, CG_E0110, span, "'%s' has no dims", name);
            bool list = t->scalar == CG_SCALAR_LIST;
            cg_syntax_help(d,
                list ? "a list of one kind is int[], float[] or str[], of any kind list"
                     : "tensors are f32[...], i32[...], bool[...] or of another dtype");
        }
    } else if (!p->is_sig) {
        unknown_type(p, span, name);
    }
    return t;
}

/* index(V)[B, T]: integers from 0 up to, not including, V. */
CgTypeExpr *cg_make_index_type(
    CgParsing *p, CgSpan span, CgAtom word, CgSpan word_span, CgExpr *below, const CgItems *dims)
{
    if (strcmp(word, "index") != 0) {
        CgDiag *d = cg_syntax_error(p, CG_E0110, word_span, "the type '%s' takes nothing in parentheses", word);
        cg_syntax_help(d, "indices below V are index(V)[B, T], graphs are graph(f32[..s]) -> f32[..s]");
    }
    CgTypeExpr *t = cg_make_type(p, span, cg_intern("i32"), dims);
    check_dim(p, below, false);
    t->below = below;
    return t;
}

CgTypeExpr *cg_make_graph_type(CgParsing *p, CgSpan span, CgAtom name, const CgItems *params, CgTypeExpr *result)
{
    CgTypeExpr *t = CG_NEW(p->arena, CgTypeExpr);
    t->kind = CG_TYPE_GRAPH;
    t->span = span;
    t->name = name;
    t->ndims = -1;
    t->nparams = params ? params->n : -1;
    t->params = params ? (CgTypeExpr **)params->at : NULL;
    t->result = result;
    return t;
}

CgTypeExpr *cg_make_either_type(CgParsing *p, CgSpan span, CgTypeExpr *first, CgTypeExpr *other)
{
    CgItems of = { 0 };
    bool longer = first->kind == CG_TYPE_EITHER;
    for (int i = 0; i < (longer ? first->nparams : 1); i++)
        cg_items_push(p, &of, longer ? first->params[i] : first);
    cg_items_push(p, &of, other);
    CgTypeExpr *t = cg_make_graph_type(p, span, first->name, &of, NULL);
    t->kind = CG_TYPE_EITHER;
    return t;
}

CgTypeExpr *cg_make_choice_type(CgParsing *p, CgSpan span, CgNames choices)
{
    CgTypeExpr *t = cg_make_graph_type(p, span, cg_intern("str"), NULL, NULL);
    t->kind = CG_TYPE_CHOICE;
    t->choices = choices.at;
    t->nchoices = choices.n;
    return t;
}

CgStmt *cg_make_stmt(CgParsing *p, CgStmtKind kind, CgSpan span, CgNames names, CgItems exprs)
{
    CgStmt *s = CG_NEW(p->arena, CgStmt);
    s->kind = kind;
    s->span = s->name_span = span;
    s->names = names.at;
    s->name_spans = names.spans;
    s->nnames = names.n;
    if (names.n > 0)
        s->name_span = cg_span_join(names.spans[0], names.spans[names.n - 1]);
    s->exprs = (CgExpr **)exprs.at;
    s->nexprs = exprs.n;
    return s;
}

CgStmt *cg_make_plain(CgParsing *p, CgStmtKind kind, CgSpan span)
{
    return cg_make_stmt(p, kind, span, (CgNames){ 0 }, (CgItems){ 0 });
}

CgStmt *cg_make_named(CgParsing *p, CgStmtKind kind, CgSpan span, CgAtom name, CgSpan name_span)
{
    CgNames names = { 0 };
    cg_names_push(p, &names, name, name_span);
    return cg_make_stmt(p, kind, span, names, (CgItems){ 0 });
}

CgStmt *cg_make_import(CgParsing *p, CgSpan span, CgAtom path, CgSpan path_span, CgExpr *alias, const CgNames *names)
{
    CgNames all = { 0 };
    cg_names_push(p, &all, path, path_span);
    for (int i = 0; names && i < names->n; i++)
        cg_names_push(p, &all, names->at[i], names->spans[i]);
    CgStmt *s = cg_make_stmt(p, CG_STMT_IMPORT, span, all, (CgItems){ 0 });
    s->name_span = path_span;
    s->a = alias;
    return s;
}

CgStmt *cg_make_if(CgParsing *p, CgSpan span, CgExpr *condition, CgBlock yes, CgBlock no)
{
    CgStmt *s = cg_make_plain(p, CG_STMT_IF, span);
    s->a = condition;
    s->body = yes;
    s->other = no;
    return s;
}

CgStmt *cg_make_sig(CgParsing *p, CgSpan span, CgParams params, CgItems results)
{
    CgStmt *s = cg_make_named(p, CG_STMT_GRAPH, span, cg_intern(p->sig_name), span);
    s->params = params.at;
    s->nparams = params.n;
    s->results = (CgTypeExpr **)results.at;
    s->nresults = results.n;
    return s;
}

CgBlock cg_make_block(CgItems items, CgSpan span) { return (CgBlock){ (CgStmt **)items.at, items.n, span }; }
