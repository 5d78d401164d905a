/* attach.c - what is known only when the whole text was parsed.
 * Takes a unit and its comments; gives each statement its doc text, and reports what the grammar lets through
 * on purpose so that the message can be a plain one: statements out of place, names written twice. */
#include <string.h>
#include "base/map.h"
#include "base/strbuf.h"
#include "lang/parsing.h"

static bool is_doc(const CgParsing *p, const CgComment *c)
{
    return c->span.end - c->span.start >= 2 && p->text[c->span.start + 1] == '#';
}

/* Line breaks between two offsets, or -1 when something else stands there. */
static int breaks_between(const CgParsing *p, uint32_t from, uint32_t to)
{
    int n = 0;
    for (uint32_t i = from; i < to; i++) {
        if (p->text[i] == '\n')
            n++;
        else if (p->text[i] != ' ' && p->text[i] != '\t' && p->text[i] != '\r')
            return -1;
    }
    return n;
}

static void add_doc(const CgParsing *p, CgStrbuf *to, const CgComment *c)
{
    const char *s = p->text + c->span.start + 2;
    size_t n = c->span.end - c->span.start - 2;
    if (n > 0 && *s == ' ')
        s++, n--;
    if (to->len > 0)
        cg_strbuf_putc(to, '\n');
    cg_strbuf_write(to, s, n);
}

/* First comment that starts at or after `at`. */
static size_t first_comment(const CgParsing *p, uint32_t at)
{
    size_t low = 0, high = p->comments.len;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (p->comments.at[mid].span.start < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* `after` is where the statement before ended, `before` where the next begins. */
static void attach(CgParsing *p, CgStmt *s)
{
    CgStrbuf doc = { 0 };
    size_t end = first_comment(p, s->span.start), begin = end;
    uint32_t next = s->span.start;
    while (begin > 0) {
        const CgComment *c = &p->comments.at[begin - 1];
        int breaks = breaks_between(p, c->span.end, next);
        /* a blank line may stand before the declaration, not inside the doc text */
        if (!c->own_line || !is_doc(p, c) || breaks < 1 || (begin < end && breaks > 1))
            break;
        next = c->span.start;
        begin--;
    }
    for (size_t i = begin; i < end; i++)
        add_doc(p, &doc, &p->comments.at[i]);
    size_t after = first_comment(p, s->span.end);
    if (after < p->comments.len && is_doc(p, &p->comments.at[after]) && !p->comments.at[after].own_line
        && breaks_between(p, s->span.end, p->comments.at[after].span.start) == 0)
        add_doc(p, &doc, &p->comments.at[after]);
    if (doc.len > 0)
        s->doc = cg_intern_n(doc.at, doc.len);
    cg_strbuf_deinit(&doc);
}

static void attach_block(CgParsing *p, const CgBlock *b)
{
    bool is_else_if =
        b->n > 0 && p->text[b->span.start] != '{' && b != &p->unit->top; /* goes on with the statement before */
    for (int i = 0; i < b->n; i++) {
        if (!is_else_if)
            attach(p, b->at[i]);
        attach_block(p, &b->at[i]->body);
        attach_block(p, &b->at[i]->other);
    }
}

void cg_unit_attach(CgParsing *p) { attach_block(p, &p->unit->top); }

/* ---- checks ---- */

static void said_twice(CgParsing *p, CgMap *seen, CgAtom name, CgSpan span, const char *what)
{
    uint64_t before;
    if (!name)
        return;
    if (!cg_map_get(seen, cg_map_ptr(name), &before)) {
        cg_map_put(seen, cg_map_ptr(name), (uint64_t)span.start << 32 | span.end);
        return;
    }
    CgDiag *d = cg_syntax_error(p, CG_E0113, span, "the %s '%s' is given twice", what, name);
    if (d)
        cg_diag_note(d, (CgSpan){ p->file, (uint32_t)(before >> 32), (uint32_t)before }, "it is given here first");
}

static void check_expr(CgParsing *p, const CgExpr *e)
{
    if (!e)
        return;
    check_expr(p, e->a);
    check_expr(p, e->b);
    check_expr(p, e->c);
    check_expr(p, e->d);
    if (e->kind == CG_EXPR_ARROW && p->nerrors == 0 && (e->a->kind != CG_EXPR_LIST || e->b->kind != CG_EXPR_LIST)
        && e->a->kind != CG_EXPR_ERROR && e->b->kind != CG_EXPR_ERROR)
        cg_syntax_help(cg_syntax_error(p, CG_E0101, e->op_span, "a pattern has a list on both sides of '->'"),
            e->b->kind == CG_EXPR_NAME && e->a->kind != CG_EXPR_LIST && e->op_span.start == e->a->span.end
                ? "a field is written r.name; a pattern is [B, T] -> [T, B]"
                : "a pattern is [B, T] -> [T, B]; a function is written def f(x) = x + 1");
    const char *what = e->kind == CG_EXPR_CALL ? "argument" : e->kind == CG_EXPR_INDEX ? "axis" : "field";
    CgMap seen = { 0 };
    for (int i = 0; i < e->args.n; i++) {
        if (e->args.n > 1)
            said_twice(p, &seen, e->args.at[i].name, e->args.at[i].name_span, what);
        check_expr(p, e->args.at[i].key);
        check_expr(p, e->args.at[i].value);
    }
    cg_map_deinit(&seen);
}

static void check_params(CgParsing *p, const CgParam *at, int n)
{
    CgMap seen = { 0 };
    for (int i = 0; i < n; i++) {
        said_twice(p, &seen, at[i].name, at[i].span, "parameter");
        check_expr(p, at[i].init);
    }
    cg_map_deinit(&seen);
}

static void misplaced(CgParsing *p, const CgStmt *s, const char *what, const char *where)
{
    cg_syntax_error(p, CG_E0112, s->span, "%s stands outside %s", what, where);
}

static void check_edition(CgParsing *p, const CgStmt *s)
{
    if (s->a->i < 1 || s->a->i > CG_EDITION)
        cg_syntax_help(
            cg_syntax_error(p, CG_E0115, s->a->span, "there is no edition %lld of the language", (long long)s->a->i),
            "the editions are 1, of scripts without this line, and 2");
}

/* A claim expects, and nothing else; what is said of clusters of rows is said there. */
static void check_claim(CgParsing *p, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++)
        if (b->at[i]->kind != CG_STMT_EXPECT && b->at[i]->kind != CG_STMT_ERROR)
            cg_syntax_help(cg_syntax_error(p, CG_E0112, b->at[i]->span, "a claim holds expectations only"),
                "bind values at top level; a claim says expect mean(a.f1) > mean(b.f1) over seed");
}

static void check_block(CgParsing *p, const CgBlock *b, bool in_graph, bool in_test, bool in_claim, bool in_vjp)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        if (s->kind == CG_STMT_PARAM && (!in_graph || in_vjp))
            misplaced(p, s, "this 'param'", "a graph");
        if (s->kind == CG_STMT_VJP && (!in_graph || in_vjp))
            misplaced(p, s, "this 'vjp'", "a graph");
        if (s->kind == CG_STMT_RETURN && !in_graph)
            misplaced(p, s, "this 'return'", "a graph");
        if (s->kind == CG_STMT_CLAIM)
            check_claim(p, &s->body);
        if (s->kind == CG_STMT_EXPECT && s->nnames && !in_claim)
            cg_syntax_help(cg_syntax_error(p, CG_E0112, s->name_spans[0], "'over' belongs in a claim"),
                "a claim tests a difference, claim \"text\" { expect a > b over seed }; a test compares values as they "
                "are");
        if (s->kind == CG_STMT_FOR && s->nnames > 2)
            cg_syntax_error(p, CG_E0101, s->name_spans[2], "a loop has one or two names");
        if (s->kind == CG_STMT_EDITION)
            check_edition(p, s);
        for (int k = 0; k < s->ncontracts; k++)
            check_expr(p, s->contracts[k]);
        check_params(p, s->params, s->nparams);
        check_expr(p, s->a);
        check_expr(p, s->b);
        for (int k = 0; k < s->nexprs; k++)
            check_expr(p, s->exprs[k]);
        check_block(p, &s->body, in_graph || s->kind == CG_STMT_GRAPH, in_test || s->kind == CG_STMT_TEST,
            in_claim || s->kind == CG_STMT_CLAIM, in_vjp || s->kind == CG_STMT_VJP);
        check_block(p, &s->other, in_graph, in_test, in_claim, in_vjp);
    }
}

void cg_unit_check(CgParsing *p) { check_block(p, &p->unit->top, false, false, false, false); }
