/* print.c - AST as S-expressions.
 * Takes a unit; gives text in which every difference between two trees shows and no place in the file does,
 * so that a formatted script can be compared with what it was. */
#include <inttypes.h>
#include <stdio.h>
#include "lang/parse.h"

static void print_expr(const CgExpr *e, FILE *to);

static void print_string(const char *s, FILE *to)
{
    fputc('"', to);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(to, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", to);
        else if (*s == '\t')
            fputs("\\t", to);
        else if ((unsigned char)*s < 0x20)
            fprintf(to, "\\u{%x}", (unsigned char)*s);
        else
            fputc(*s, to);
    }
    fputc('"', to);
}

static void print_type(const CgTypeExpr *t, FILE *to)
{
    if (!t) {
        fputs("_", to);
        return;
    }
    if (t->kind == CG_TYPE_GRAPH && t->nparams >= 0) {
        fputs("(graph-type (", to);
        for (int i = 0; i < t->nparams; i++) {
            if (i > 0)
                fputc(' ', to);
            print_type(t->params[i], to);
        }
        fputs(") ", to);
        print_type(t->result, to);
        fputc(')', to);
        return;
    }
    if (t->ndims < 0 && !t->below) {
        fputs(t->name, to);
        return;
    }
    fprintf(to, "(%s", t->below ? "index " : t->name);
    if (t->below)
        print_expr(t->below, to);
    for (int i = 0; i < t->ndims; i++) {
        fputc(' ', to);
        print_expr(t->dims[i], to);
    }
    fputc(')', to);
}

static void print_args(const CgArgs *args, FILE *to)
{
    for (int i = 0; i < args->n; i++) {
        const CgArg *a = &args->at[i];
        fputc(' ', to);
        if (!a->name && !a->key) {
            print_expr(a->value, to);
            continue;
        }
        fputc('(', to);
        if (a->key)
            print_expr(a->key, to);
        else if (a->quoted)
            print_string(a->name, to);
        else
            fprintf(to, ":%s", a->name);
        fputc(' ', to);
        print_expr(a->value, to);
        fputc(')', to);
    }
}

static void print_children(const char *head, const CgExpr *a, const CgExpr *b, const CgExpr *c, FILE *to)
{
    fprintf(to, "(%s", head);
    const CgExpr *children[] = { a, b, c };
    for (int i = 0; i < 3; i++)
        if (children[i]) {
            fputc(' ', to);
            print_expr(children[i], to);
        }
    fputc(')', to);
}

static void print_loop(const char *head, const CgExpr *key, const CgExpr *e, const CgExpr *filter, FILE *to)
{
    fprintf(to, "(%s (%s%s%s) ", head, e->s, e->s2 ? " " : "", e->s2 ? e->s2 : "");
    print_expr(e->b, to);
    fputc(' ', to);
    if (key) {
        print_expr(key, to);
        fputc(' ', to);
    }
    print_expr(e->a, to);
    if (filter) {
        fputs(" if ", to);
        print_expr(filter, to);
    }
    fputc(')', to);
}

static void print_expr(const CgExpr *e, FILE *to)
{
    if (!e) {
        fputs("_", to);
        return;
    }
    switch (e->kind) {
    case CG_EXPR_ERROR: fputs("(error)", to); break;
    case CG_EXPR_INT: fprintf(to, "%" PRId64, e->i); break;
    case CG_EXPR_FLOAT: fprintf(to, "(float %.17g)", e->f); break;
    case CG_EXPR_STRING: print_string(e->s, to); break;
    case CG_EXPR_TEXT:
        fputs("(text", to);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_BOOL: fputs(e->i ? "true" : "false", to); break;
    case CG_EXPR_NAME: fputs(e->s, to); break;
    case CG_EXPR_ROW: fprintf(to, "(row %s)", e->s); break;
    case CG_EXPR_LIST:
        fputs("(list", to);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_RECORD:
        fputs("(record", to);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_LIST_FOR: print_loop(e->i ? "and-for" : "list-for", NULL, e, e->c, to); break;
    case CG_EXPR_RECORD_FOR: print_loop(e->i ? "and-for" : "record-for", e->c, e, e->d, to); break;
    case CG_EXPR_FIELD:
        fputs("(. ", to);
        print_expr(e->a, to);
        fprintf(to, " %s)", e->s);
        break;
    case CG_EXPR_INDEX:
        fputs("(index ", to);
        print_expr(e->a, to);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_CALL:
        fputs("(call ", to);
        print_expr(e->a, to);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_UNARY: print_children(e->op, e->a, NULL, NULL, to); break;
    case CG_EXPR_BINARY: print_children(e->op, e->a, e->b, NULL, to); break;
    case CG_EXPR_RANGE:
        fputs("(.. ", to);
        print_expr(e->a, to);
        fputc(' ', to);
        print_expr(e->b, to);
        fputc(')', to);
        break;
    case CG_EXPR_ARROW: print_children("->", e->a, e->b, NULL, to); break;
    case CG_EXPR_IF: print_children("if", e->c, e->a, e->b, to); break;
    case CG_EXPR_RECOMPUTE: print_children("recompute", e->a, NULL, NULL, to); break;
    case CG_EXPR_TRAIN:
    case CG_EXPR_EVALUATE:
        fputs(e->kind == CG_EXPR_TRAIN ? "(train " : "(evaluate ", to);
        print_expr(e->a, to);
        if (e->b) {
            fputs(" on ", to);
            print_expr(e->b, to);
        }
        if (e->s)
            fprintf(to, " as %s", e->s);
        print_args(&e->args, to);
        fputc(')', to);
        break;
    case CG_EXPR_TYPE: print_type(e->type, to); break;
    }
}

static void print_params(const CgStmt *s, FILE *to)
{
    fputs(" (", to);
    for (int i = 0; i < s->nparams; i++) {
        if (i > 0)
            fputc(' ', to);
        fprintf(to, "(%s ", s->params[i].name);
        print_type(s->params[i].type, to);
        if (s->params[i].init) {
            fputc(' ', to);
            print_expr(s->params[i].init, to);
        }
        fputc(')', to);
    }
    fputc(')', to);
}

static void print_block(const CgBlock *b, int depth, FILE *to);

static void print_stmt(const CgStmt *s, int depth, FILE *to)
{
    static const char *const words[] = {
        [CG_STMT_ERROR] = "error",
        [CG_STMT_EDITION] = "cg",
        [CG_STMT_IMPORT] = "import",
        [CG_STMT_PLUGIN] = "plugin",
        [CG_STMT_OPTION] = "option",
        [CG_STMT_BIND] = "bind",
        [CG_STMT_GRAPH] = "graph",
        [CG_STMT_DEF] = "def",
        [CG_STMT_SHOW] = "show",
        [CG_STMT_SAVE] = "save",
        [CG_STMT_TEST] = "test",
        [CG_STMT_CLAIM] = "claim",
        [CG_STMT_EXPECT] = "expect",
        [CG_STMT_PARAM] = "param",
        [CG_STMT_FOR] = "for",
        [CG_STMT_IF] = "if",
        [CG_STMT_RETURN] = "return",
        [CG_STMT_VJP] = "vjp",
    };
    fprintf(to, "%*s(%s", depth * 2, "", words[s->kind]);
    if (s->kind == CG_STMT_TEST) {
        fputc(' ', to);
        print_string(s->names[0], to);
    } else if (s->nnames == 1) {
        fprintf(to, " %s", s->names[0]);
    } else if (s->nnames > 1) {
        for (int i = 0; i < s->nnames; i++)
            fprintf(to, "%s%s", i ? " " : " (", s->names[i]);
        fputc(')', to);
    }
    if (s->doc) {
        fputs(" doc ", to);
        print_string(s->doc, to);
    }
    if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF || s->kind == CG_STMT_VJP)
        print_params(s, to);
    for (int i = 0; i < s->nresults; i++) {
        fputs(i ? " " : " -> ", to);
        print_type(s->results[i], to);
    }
    for (int i = 0; i < s->ncontracts; i++) {
        fputs(i ? " " : " where ", to);
        print_expr(s->contracts[i], to);
    }
    if (s->type) {
        fputc(' ', to);
        print_type(s->type, to);
    }
    for (int i = 0; i < s->nexprs; i++) {
        fputc(' ', to);
        print_expr(s->exprs[i], to);
    }
    if (s->a) {
        fputc(' ', to);
        print_expr(s->a, to);
    }
    if (s->b) {
        fputc(' ', to);
        print_expr(s->b, to);
    }
    print_block(&s->body, depth + 1, to);
    if (s->other.n > 0) {
        fprintf(to, "\n%*selse", depth * 2 + 2, "");
        print_block(&s->other, depth + 1, to);
    }
    fputc(')', to);
}

static void print_block(const CgBlock *b, int depth, FILE *to)
{
    for (int i = 0; i < b->n; i++) {
        fputc('\n', to);
        print_stmt(b->at[i], depth, to);
    }
}

void cg_unit_print(const CgUnit *u, FILE *to)
{
    for (int i = 0; i < u->top.n; i++) {
        print_stmt(u->top.at[i], 0, to);
        fputc('\n', to);
    }
}
