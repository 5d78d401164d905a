/* tokens.c - between scanner and grammar: brackets, and where to go on after a mistake.
 * Takes raw tokens; gives them to the grammar, keeps the open brackets, and while recovering skips to a place
 * where a statement or field may begin and gives SYNC there. Reports brackets only; what is expected is the
 * grammar's business. */
#include <string.h>
#include "lang/parsing.h"
#include "lang/cg_parse.h"

static bool closes(int open, int kind)
{
    return (open == '(' && kind == ')') || (open == '[' && kind == ']') || (open == '{' && kind == '}');
}

static bool is_opener(int kind) { return kind == '(' || kind == '[' || kind == '{'; }

static bool is_closer(int kind) { return kind == ')' || kind == ']' || kind == '}'; }

/* Statements that stand only at top level: one of them on a line of its own means that blocks were left open.
 */
static bool is_top_word(int kind)
{
    return kind == T_IMPORT || kind == T_PLUGIN || kind == T_OPTION || kind == T_GRAPH || kind == T_DEF
        || kind == T_SHOW || kind == T_SAVE || kind == T_TEST;
}

/* Whether a brace after the last token begins a block rather than a record. */
static bool ends_expression(const CgParsing *p)
{
    int kind = p->last.kind;
    if (p->before.kind == '.')
        return true;
    if (kind == T_ELSE)
        return !p->else_of_value;
    return kind == T_NAME || kind == T_INT || kind == T_FLOAT || kind == T_BAD || kind == T_STRING || kind == T_TEXT
        || kind == T_TRUE || kind == T_FALSE || is_closer(kind) || kind == T_GRAPH;
}

static void open_bracket(CgParsing *p, const CgToken *t)
{
    CgBracket b = { .kind = t->kind, .span = t->span, .indent = -1, .line_indent = t->column };
    if (t->kind == '{' && ends_expression(p)) {
        b.block = true;
        CgBracket *outer = &p->open.at[p->open.len - 1];
        if (outer->headers > 0) {
            outer->headers--;
            b.fields = true;
        }
    }
    if (p->open.len > CG_MAX_NESTING) {
        if (!p->too_deep) {
            CgDiag *d = cg_syntax_error(p, CG_E0108, t->span, "more than %d brackets are open here", CG_MAX_NESTING);
            cg_syntax_help(d, "give the inner parts names of their own");
        }
        p->too_deep = p->stopped = true;
        return;
    }
    cg_vec_push(&p->open, b);
    p->effect = 1;
}

static bool is_comparison(int kind)
{
    return kind == T_EQ || kind == T_NE || kind == T_LE || kind == T_GE || kind == '<' || kind == '>';
}

/* Whether a comparison seen earlier can still be the left side of what comes: used for a hint only. */
static bool continues_comparison(int kind)
{
    return kind == T_NAME || kind == T_INT || kind == T_FLOAT || kind == '.' || kind == '+' || kind == '-'
        || kind == '*' || kind == '/' || is_comparison(kind);
}

/* Whether a block was closed too early is seen by the indent of the next line. */
static void watch_early(CgParsing *p, const CgToken *t)
{
    const CgBracket *top = &p->open.at[p->open.len - 1];
    CgEarly *early = &p->early;
    if (is_closer(t->kind) || early->told || !early->close.file)
        return;
    if (t->first ? t->column <= top->indent : early->next)
        *early = (CgEarly){ 0 };
    early->next = false;
}

/* Level 0 of `open` is the text itself and is never closed. */
static void note_token(CgParsing *p, const CgToken *t)
{
    CgBracket *top = &p->open.at[p->open.len - 1];
    p->effect = 0;
    watch_early(p, t);
    p->compared = p->compares_now || (p->compared && continues_comparison(t->kind));
    p->compares_now = is_comparison(t->kind);
    p->before_is_field = p->before.kind == '.';
    p->statement_before = p->statement;
    if (t->first && (t->kind == T_NAME || cg_token_is_keyword(t->kind)))
        p->statement = t->kind;
    if (t->first && top->indent < 0 && !is_closer(t->kind))
        top->indent = t->column;
    if (t->kind == T_TRAIN || t->kind == T_EVALUATE) {
        if (p->last.kind != '.')
            top->headers++;
    } else if (t->kind == T_THEN) {
        top->thens++;
    } else if (t->kind == T_ELSE) {
        p->else_of_value = top->thens > 0;
        if (top->thens > 0)
            top->thens--;
    } else if (is_opener(t->kind)) {
        open_bracket(p, t);
    } else if (is_closer(t->kind) && p->open.len > 1 && closes(top->kind, t->kind)) {
        if (top->block && (!p->early.close.file || p->early.next))
            p->early = (CgEarly){ .close = t->span, .open = top->span, .next = true };
        p->open.len--;
        p->effect = -1;
    }
}

static void read_token(CgParsing *p, CgToken *t)
{
    if (p->nheld > 0) {
        *t = p->held[0];
        p->held[0] = p->held[1];
        p->nheld--;
    } else {
        cg_scan_next(p, t);
    }
}

static void hold(CgParsing *p, CgToken t)
{
    p->held[1] = p->held[0];
    p->held[0] = t;
    p->nheld++;
}

/* The innermost block: statements or fields, where `error SYNC` is a rule. */
static size_t innermost_block(const CgParsing *p)
{
    size_t i = p->open.len - 1;
    while (i > 0 && !p->open.at[i].block)
        i--;
    return i;
}

/* x = 3 + or x = f(3, and on the next line y = ..: the line is a statement of its own. */
static bool unfinished_above(const CgParsing *p)
{
    const CgBracket *top = &p->open.at[p->open.len - 1];
    return p->last.kind == '=' && p->before.kind == T_NAME && p->before.first && !p->nheld && p->effect == 0
        && p->third.kind != T_SYNC && (top->block || p->before.column <= top->line_indent);
}

/* Skips from the token the grammar refused to one that may begin a statement or close the block, and holds
 * it. Brackets inside the broken statement are balanced when they can be; a line that stands no deeper than
 * the block's own lines ends the statement whatever is open. */
static void skip_to_sync(CgParsing *p)
{
    if (p->effect > 0)
        p->open.len--;
    if (p->effect < 0)
        p->open.len++;
    if (unfinished_above(p)) {
        p->open.len = innermost_block(p) + 1;
        p->open.at[p->open.len - 1].headers = 0;
        hold(p, p->last);
        hold(p, p->before);
        return;
    }
    CgToken t = p->last;
    bool again = p->before.kind == T_SYNC; /* recovery stopped here before and it did not help: pass over it */
    size_t block = innermost_block(p), depth = 0, open_inside = p->open.len - 1 - block;
    p->open.len = block + 1;
    p->open.at[block].headers = 0;
    int indent = p->open.at[block].indent;
    for (;; read_token(p, &t), again = false) {
        if (t.kind == T_END)
            break;
        if (t.first && !again) {
            if (is_top_word(t.kind) && t.column <= p->open.at[0].indent) {
                for (size_t i = block; i > 0; i--)
                    p->to_close++;
                break;
            }
            if (t.kind == '}' && block > 0 && t.column <= p->open.at[block].line_indent)
                break;
            if (!is_closer(t.kind) && !is_opener(t.kind)
                && (t.column <= indent || (indent < 0 && depth == 0 && open_inside == 0)))
                break;
        }
        if (is_opener(t.kind)) {
            if (depth < CG_MAX_NESTING)
                depth++;
        } else if (is_closer(t.kind)) {
            if (depth > 0)
                depth--;
            else if (open_inside > 0)
                open_inside--;
            else if (t.kind == '}' && block > 0)
                break;
            else if (t.kind == '}')
                p->early = (CgEarly){ 0 };
        }
    }
    hold(p, t);
}

static CgToken made(const CgParsing *p, int kind)
{
    uint32_t at = p->nheld > 0 ? p->held[0].span.start : p->pos;
    return (CgToken){ .kind = kind, .span = { p->file, at, at } };
}

static int next_kind(CgParsing *p)
{
    CgToken next;
    read_token(p, &next);
    hold(p, next);
    return next.kind;
}

/* `claim` with a text at top level; `over` with a name behind a value. No name is written so. */
static void find_claim(CgParsing *p, CgToken *t)
{
    if (p->open.len == 1 && !strcmp(t->atom, "claim") && p->last.kind != '.') {
        int next = next_kind(p);
        if (next == T_STRING || next == T_TEXT)
            t->kind = T_CLAIM;
    } else if (p->open.len > 1 && !strcmp(t->atom, "over") && ends_expression(p) && next_kind(p) == T_NAME) {
        t->kind = T_OVER;
    }
}

/* The words that mean something in their place only: `where` behind the results of a graph or the parameters of a def,
 * `cg` with a number as the first statement, `claim` and `over`. Everywhere else they are names. */
static void find_word(CgParsing *p, CgToken *t)
{
    if (t->kind == T_NAME && p->open.len == 1 && (p->last.kind == T_GRAPH || p->last.kind == T_DEF))
        p->header = true;
    else if (p->open.len == 1 && (t->kind == '=' || t->kind == '{' || (t->first && is_top_word(t->kind))))
        p->header = false;
    if (t->kind != T_NAME || p->is_sig)
        return;
    bool ends = p->last.kind == ')' || p->last.kind == ']' || p->last.kind == T_NAME || p->last.kind == T_GRAPH;
    if (p->header && ends && p->open.len == 1 && strcmp(t->atom, "where") == 0)
        t->kind = T_WHERE;
    find_claim(p, t);
    if (p->last.kind != T_START_FILE || strcmp(t->atom, "cg") != 0)
        return;
    if (next_kind(p) != T_INT)
        return;
    CgToken next = p->held[0];
    t->kind = T_EDITION;
    p->edition = next.i >= 1 && next.i <= CG_EDITION ? (int)next.i : CG_EDITION;
}

static void give(CgParsing *p, const CgToken *t)
{
    p->third = p->before;
    p->before = p->last;
    p->last = *t;
}

void cg_tokens_next(CgParsing *p, CgToken *t)
{
    if (!p->started) {
        p->started = true;
        cg_vec_push(&p->open, (CgBracket){ .block = true, .indent = 0 });
        *t = (CgToken){ .kind = p->is_sig ? T_START_SIG
                : p->is_expr              ? T_START_EXPR
                                          : T_START_FILE,
            .span = { p->file, 0, 0 } };
        p->last = *t;
        return;
    }
    if (p->recovering && !p->stopped) {
        p->recovering = false;
        skip_to_sync(p);
        *t = made(p, T_SYNC);
        give(p, t);
        return;
    }
    if (p->stopped) {
        *t = (CgToken){ .kind = T_END, .span = { p->file, p->pos, p->pos } };
    } else if (p->to_close > 0) {
        p->to_close--;
        *t = made(p, '}');
        if (p->open.len > 1)
            p->open.len--;
    } else {
        read_token(p, t);
        find_word(p, t);
        note_token(p, t);
        if (p->stopped)
            t->kind = T_END;
    }
    give(p, t);
}
