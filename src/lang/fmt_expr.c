/* fmt_expr.c - one expression on one line.
 * Takes a tree; gives text that reads back as the same tree, with the blanks of fmt.c and no parentheses but
 * those it needs. For messages and keys: it has no comments and never breaks a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/fmt.h"

/* How tightly an expression holds together, as in grammar/cg.y. */
static int level(const CgExpr *e)
{
    static const struct {
        const char *op;
        int level;
    } ops[] = {
        { "or", 3 },
        { "and", 4 },
        { "==", 6 },
        { "!=", 6 },
        { "<", 6 },
        { "<=", 6 },
        { ">", 6 },
        { ">=", 6 },
        { "+", 8 },
        { "-", 8 },
        { "*", 9 },
        { "/", 9 },
        { "//", 9 },
        { "%", 9 },
        { "@", 9 },
        { "^", 11 },
    };
    switch (e->kind) {
    case CG_EXPR_IF: return 0;
    case CG_EXPR_ARROW: return 1;
    case CG_EXPR_RANGE: return 7;
    case CG_EXPR_UNARY: return e->op[0] == 'n' ? 5 : 10;
    case CG_EXPR_RECOMPUTE: return 10;
    case CG_EXPR_BINARY:
        for (size_t i = 0; i < CG_LEN(ops); i++)
            if (strcmp(e->op, ops[i].op) == 0)
                return ops[i].level;
        CG_BUG("no level for the operator '%s'", e->op);
    default: return 12;
    }
}

static void format_at(const CgExpr *e, int least, bool square, CgStrbuf *out);

static void format_literal(const char *s, CgStrbuf *out)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\' || c == '{')
            cg_strbuf_printf(out, "\\%c", c);
        else if (c == '\n')
            cg_strbuf_puts(out, "\\n");
        else if (c == '\t')
            cg_strbuf_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            cg_strbuf_printf(out, "\\u{%x}", c);
        else
            cg_strbuf_putc(out, *s);
    }
}

static void format_string(const char *s, CgStrbuf *out)
{
    cg_strbuf_putc(out, '"');
    format_literal(s, out);
    cg_strbuf_putc(out, '"');
}

static void format_text(const CgExpr *e, CgStrbuf *out)
{
    cg_strbuf_putc(out, '"');
    for (int i = 0; i < e->args.n; i++) {
        const CgExpr *element = e->args.at[i].value;
        if (element->kind == CG_EXPR_STRING) {
            format_literal(element->s, out);
            continue;
        }
        cg_strbuf_putc(out, '{');
        format_at(element, 0, false, out);
        cg_strbuf_putc(out, '}');
    }
    cg_strbuf_putc(out, '"');
}

/* The shortest text that reads back as the same number. */
static void format_float(double v, CgStrbuf *out)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    cg_strbuf_puts(out, text);
    if (!strpbrk(text, ".e"))
        cg_strbuf_puts(out, ".0");
}

static void format_args(const CgArgs *args, const char *between, bool square, CgStrbuf *out)
{
    for (int i = 0; i < args->n; i++) {
        const CgArg *a = &args->at[i];
        if (i > 0)
            cg_strbuf_puts(out, ", ");
        if (a->key)
            format_text(a->key, out);
        else if (a->name && a->quoted)
            format_string(a->name, out);
        else if (a->name)
            cg_strbuf_puts(out, a->name);
        if (a->name || a->key)
            cg_strbuf_puts(out, between);
        format_at(a->value, 0, square, out);
    }
}

/* What the innermost of the loops gives. */
static const CgExpr *innermost(const CgExpr *e)
{
    while (e->a->kind == e->kind && e->a->i)
        e = e->a;
    return e;
}

static void format_loops(const CgExpr *e, CgStrbuf *out)
{
    const CgExpr *filter = e->kind == CG_EXPR_LIST_FOR ? e->c : e->d;
    cg_strbuf_printf(out, " for %s%s%s in ", e->s, e->s2 ? ", " : "", e->s2 ? e->s2 : "");
    format_at(e->b, 0, false, out);
    if (filter) {
        cg_strbuf_puts(out, " if ");
        format_at(filter, 0, false, out);
    }
    if (e->a->kind == e->kind && e->a->i)
        format_loops(e->a, out);
}

static void format_type(const CgTypeExpr *t, CgStrbuf *out)
{
    if (t->below) {
        cg_strbuf_puts(out, "index(");
        format_at(t->below, 0, true, out);
        cg_strbuf_putc(out, ')');
    } else {
        cg_strbuf_puts(out, t->name);
    }
    if (t->ndims >= 0)
        cg_strbuf_putc(out, '[');
    for (int i = 0; i < t->ndims; i++) {
        if (i > 0)
            cg_strbuf_puts(out, ", ");
        format_at(t->dims[i], 0, true, out);
    }
    if (t->ndims >= 0)
        cg_strbuf_putc(out, ']');
    if (t->nparams < 0)
        return;
    cg_strbuf_putc(out, '(');
    for (int i = 0; i < t->nparams; i++) {
        if (i > 0)
            cg_strbuf_puts(out, ", ");
        format_type(t->params[i], out);
    }
    cg_strbuf_puts(out, ") -> ");
    format_type(t->result, out);
}

static void format_binary(const CgExpr *e, bool square, CgStrbuf *out)
{
    int own = level(e);
    bool tight = e->op[0] == '^' || (e->op[0] == '*' && square), chains = own != 6 && own != 11;
    format_at(e->a, chains ? own : own + 1, square, out);
    cg_strbuf_printf(out, tight ? "%s" : " %s ", e->op);
    format_at(e->b, own == 11 ? 10 : own + 1, square, out);
}

/* A list or a record, written out or by a loop. */
static void format_collection(const CgExpr *e, CgStrbuf *out)
{
    switch (e->kind) {
    case CG_EXPR_LIST:
        cg_strbuf_putc(out, '[');
        format_args(&e->args, "", true, out);
        cg_strbuf_putc(out, ']');
        break;
    case CG_EXPR_RECORD:
        cg_strbuf_puts(out, e->args.n ? "{ " : "{");
        format_args(&e->args, ": ", false, out);
        cg_strbuf_puts(out, e->args.n ? " }" : "}");
        break;
    case CG_EXPR_LIST_FOR:
        cg_strbuf_putc(out, '[');
        format_at(innermost(e)->a, 0, true, out);
        format_loops(e, out);
        cg_strbuf_putc(out, ']');
        break;
    case CG_EXPR_RECORD_FOR:
        cg_strbuf_puts(out, "{ ");
        format_at(innermost(e)->c, 0, false, out);
        cg_strbuf_puts(out, ": ");
        format_at(innermost(e)->a, 0, false, out);
        format_loops(e, out);
        cg_strbuf_puts(out, " }");
        break;
    default: break;
    }
}

static void format_stage(const CgExpr *e, CgStrbuf *out)
{
    cg_strbuf_puts(out, e->kind == CG_EXPR_TRAIN ? "train " : "evaluate ");
    format_at(e->a, 0, false, out);
    if (e->b) {
        cg_strbuf_puts(out, " on ");
        format_at(e->b, 0, false, out);
    }
    if (e->s)
        cg_strbuf_printf(out, " as %s", e->s);
    cg_strbuf_puts(out, " { ");
    format_args(&e->args, " = ", false, out);
    cg_strbuf_puts(out, " }");
}

static void format_at(const CgExpr *e, int least, bool square, CgStrbuf *out)
{
    bool parens = level(e) < least;
    if (parens) {
        cg_strbuf_putc(out, '(');
        square = false;
    }
    switch (e->kind) {
    case CG_EXPR_ERROR: cg_strbuf_puts(out, "..."); break;
    case CG_EXPR_INT: cg_strbuf_printf(out, "%lld", (long long)e->i); break;
    case CG_EXPR_FLOAT: format_float(e->f, out); break;
    case CG_EXPR_STRING: format_string(e->s, out); break;
    case CG_EXPR_TEXT: format_text(e, out); break;
    case CG_EXPR_BOOL: cg_strbuf_puts(out, e->i ? "true" : "false"); break;
    case CG_EXPR_NAME: cg_strbuf_puts(out, e->s); break;
    case CG_EXPR_ROW: cg_strbuf_printf(out, "..%s", e->s); break;
    case CG_EXPR_LIST:
    case CG_EXPR_RECORD:
    case CG_EXPR_LIST_FOR:
    case CG_EXPR_RECORD_FOR: format_collection(e, out); break;
    case CG_EXPR_FIELD:
        format_at(e->a, 12, false, out);
        cg_strbuf_printf(out, ".%s", e->s);
        break;
    case CG_EXPR_INDEX:
        format_at(e->a, 12, false, out);
        cg_strbuf_putc(out, '[');
        format_args(&e->args, " = ", true, out);
        cg_strbuf_putc(out, ']');
        break;
    case CG_EXPR_CALL:
        format_at(e->a, 12, false, out);
        cg_strbuf_putc(out, '(');
        format_args(&e->args, " = ", false, out);
        cg_strbuf_putc(out, ')');
        break;
    case CG_EXPR_UNARY:
        cg_strbuf_puts(out, e->op[0] == 'n' ? "not " : "-");
        format_at(e->a, level(e), square, out);
        break;
    case CG_EXPR_BINARY: format_binary(e, square, out); break;
    case CG_EXPR_RANGE:
        if (e->a)
            format_at(e->a, 8, false, out);
        cg_strbuf_puts(out, "..");
        if (e->b)
            format_at(e->b, 8, false, out);
        break;
    case CG_EXPR_ARROW:
        format_at(e->a, 2, false, out);
        cg_strbuf_puts(out, " -> ");
        format_at(e->b, 2, false, out);
        break;
    case CG_EXPR_IF:
        cg_strbuf_puts(out, "if ");
        format_at(e->c, 0, false, out);
        cg_strbuf_puts(out, " then ");
        format_at(e->a, 0, false, out);
        cg_strbuf_puts(out, " else ");
        format_at(e->b, 0, false, out);
        break;
    case CG_EXPR_RECOMPUTE:
        cg_strbuf_puts(out, "recompute ");
        format_at(e->a, 10, square, out);
        break;
    case CG_EXPR_TRAIN:
    case CG_EXPR_EVALUATE: format_stage(e, out); break;
    case CG_EXPR_TYPE: format_type(e->type, out); break;
    }
    if (parens)
        cg_strbuf_putc(out, ')');
}

void cg_expr_format(const CgExpr *e, CgStrbuf *out) { format_at(e, 0, false, out); }
