/* syntax.c - what was wrong with the text, in the author's words.
 * Takes the token the grammar refused and what it would have taken; gives one diagnostic, with a hint from
 * grammar/hints.def and the bracket that was left open. Does not decide where parsing goes on (tokens.c). */
#include <stdio.h>
#include <string.h>
#include "lang/cg_parse.h"
#include "lang/parsing.h"

CgDiag *cg_syntax_error(CgParsing *p, CgCode code, CgSpan span, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (++p->nerrors >= CG_MAX_ERRORS)
        p->stopped = true;
    if (!p->diags)
        return NULL;
    if (p->is_sig)
        return cg_diag(p->diags, code, (CgSpan){ 0, 0, 0 }, "signature of '%s': %s", p->sig_name, text);
    return cg_diag(p->diags, code, span, "%s", text);
}

void cg_syntax_help(CgDiag *d, const char *help)
{
    if (d)
        cg_diag_help(d, "%s", help);
}

void cg_syntax_exhausted(CgParsing *p, CgSpan span)
{
    if (!p->too_deep) {
        CgDiag *d = cg_syntax_error(p, CG_E0108, span, "the text is nested too deeply here");
        cg_syntax_help(d, "give the inner parts names of their own");
    }
    p->too_deep = p->stopped = true;
}

bool cg_token_is_keyword(int kind) { return kind >= T_IMPORT && kind <= T_VJP; }

static bool is_top_word(int kind)
{
    return kind == T_IMPORT || kind == T_PLUGIN || kind == T_OPTION || kind == T_GRAPH || kind == T_DEF
        || kind == T_SHOW || kind == T_SAVE || kind == T_TEST;
}

static bool compares(int kind)
{
    return kind == T_EQ || kind == T_NE || kind == T_LE || kind == T_GE || kind == '<' || kind == '>';
}

/* The text of a token as a message quotes it. */
static void describe(const CgParsing *p, const CgToken *t, char *out, size_t size)
{
    size_t n = t->span.end - t->span.start;
    if (t->kind == T_END && p->is_expr)
        snprintf(out, size, "'}'");
    else if (t->kind == T_END)
        snprintf(out, size, "the end of the %s", p->is_sig ? "signature" : "file");
    else if (t->kind == T_STRING || t->kind == T_TEXT)
        snprintf(out, size, "a string");
    else
        snprintf(out, size, "'%.*s%s'", (int)(n > 40 ? 40 : n), p->text + t->span.start, n > 40 ? "..." : "");
}

/* "an expression" for all that begins one; operators that could go on with a finished expression are left
 * out. */
static int list_expected(const CgParsing *p, const char *const *expects, char *out, size_t size)
{
    const char *names[8];
    char buffers[8][24];
    int n = 0;
    bool value = expects[T_INT] && expects['('], goes_on = expects['+'] || (expects['.'] && expects['(']);
    bool word = expects[T_IMPORT] && expects[T_VJP];
    /* After a whole statement nearly all goes: what is wrong is the token itself, or a block left open. */
    bool statement_over = goes_on && (expects[T_RETURN] || expects[T_SHOW]);
    if (statement_over && !is_top_word(p->last.kind))
        return 0;
    if (value)
        names[n++] = "an expression";
    else if (word && expects[T_NAME])
        names[n++] = "a name";
    for (int k = 0; k <= T_GE; k++) {
        if (!expects[k])
            continue;
        bool begins = k == T_NAME || k == T_INT || k == T_FLOAT || k == T_STRING || k == '(' || k == '[' || k == '{'
            || k == '-' || k == T_IF || k == T_TRAIN || k == T_EVALUATE || k == T_RECOMPUTE || k == T_TRUE
            || k == T_FALSE || k == T_NOT;
        if (k == T_WHERE || k == T_EDITION || k == T_TEXT)
            continue;
        bool operates = k == '+' || k == '-' || k == '*' || k == '/' || k == '%' || k == '@' || k == '^' || k == '.'
            || k == '(' || k == '[' || k == T_AND || k == T_OR || k == T_ARROW || k == T_DOTDOT || k == T_FLOOR
            || compares(k);
        bool of_sig = k == '|' && !p->is_sig;
        if (of_sig || (value && begins) || (goes_on && operates))
            continue;
        if (goes_on
            && (k == T_END || k == T_NAME || is_top_word(k) || k == T_PARAM || k == T_RETURN || k == T_EXPECT
                || k == T_VJP || k == T_TRAIN || k == T_EVALUATE || k == T_RECOMPUTE || k == T_DEF || k == T_STRING))
            continue;
        if (statement_over && (k == ',' || k == T_FOR || k == T_IF))
            continue;
        if (word && (k == T_NAME || cg_token_is_keyword(k)))
            continue;
        if (n == 8)
            return 0;
        const char *name = expects[k];
        if (k == T_NAME)
            name = "a name";
        else if (k == T_STRING)
            name = "a string";
        else if (k == T_INT)
            name = "an integer";
        else if (k == T_FLOAT)
            name = "a number";
        else if (k == T_END)
            name = "the end of the file";
        snprintf(buffers[n], sizeof buffers[n], "%s", name);
        names[n] = buffers[n];
        n++;
    }
    if (n > 4)
        return 0;
    size_t len = 0;
    out[0] = 0;
    for (int i = 0; i < n && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", names[i]);
    return n;
}

static const char *find_hint(const CgParsing *p, const char *const *expects)
{
    const CgBracket *top = &p->open.at[p->open.len - 1];
    if (p->effect > 0)
        top--;
    if (p->effect < 0)
        top++;
    int found = p->last.kind, before = p->before.kind, opener = top->kind;
    bool in_fields = top->fields, in_block = top->block && opener == '{' && !in_fields, first = p->last.first;
    bool before_first = p->before.first;
    bool before_ends = before == T_NAME || before == T_INT || before == T_FLOAT || before == T_STRING || before == ')'
        || before == ']' || before == '}' || before == T_START_FILE || before == T_SYNC;
    bool compares_before = p->compared;
    int third = p->third.kind;
    bool third_ends = third == T_NAME || third == T_INT || third == T_FLOAT || third == T_STRING || third == ')'
        || third == ']' || third == '}';
    const char *word = before == T_NAME ? p->before.atom : "", *third_word = third == T_NAME ? p->third.atom : "";
    bool in_def = p->statement == T_DEF, is_option = p->statement == T_OPTION;
    const char *found_word = found == T_NAME && p->last.atom ? p->last.atom : "";
#define is_word(w) ((found == T_NAME || cg_token_is_keyword(found) || found == T_STRING) && strcmp(word, w) == 0)
#define X(condition, help, example) \
    if (condition)                  \
        return (help);
#include "../../grammar/hints.def"
#undef X
#undef is_word
    return NULL;
}

/* A word of the language where a name should stand, either now or just before. */
static bool complain_of_keyword(CgParsing *p, const char *const *expects)
{
    const CgToken *t = NULL;
    if (cg_token_is_keyword(p->last.kind) && expects[T_NAME] && !expects[T_PARAM] && !expects[T_INT] && !p->last.first
        && !(p->last.kind == T_AS && p->statement == T_IMPORT))
        t = &p->last;
    bool then_name =
        p->last.kind == '=' || p->last.kind == ',' || p->last.kind == ':' || p->last.kind == ')' || p->last.kind == '.';
    if (cg_token_is_keyword(p->before.kind) && then_name && !p->before_is_field)
        t = &p->before;
    if (!t)
        return false;
    CgDiag *d = cg_syntax_error(p, CG_E0103, t->span, "'%s' is a word of the language and cannot be a name", t->atom);
    if (d)
        cg_diag_help(d, "choose another name, '%s_' for one", t->atom);
    return true;
}

static const char *bracket_text(int kind) { return kind == '(' ? "(" : kind == '[' ? "[" : "{"; }

void cg_syntax_unexpected(CgParsing *p, CgSpan span, const char *const *expects)
{
    const CgToken *t = &p->last;
    p->recovering = true;
    if (p->stopped || p->last_error == span.start + 1)
        return;
    p->last_error = span.start + 1;
    size_t open = p->open.len;
    if (p->effect > 0)
        open--;
    if (p->effect < 0)
        open++;
    const CgBracket *inner = open > 1 ? &p->open.at[open - 1] : NULL;
    bool closer = t->kind == ')' || t->kind == ']' || t->kind == '}';
    /* A bracket without its partner: the opening one is the place to look at. */
    if (inner && (t->kind == T_END || (closer && p->effect == 0))) {
        char found[64];
        describe(p, t, found, sizeof found);
        bool end = t->kind == T_END; /* says nothing about where the partner is missing */
        CgDiag *d = cg_syntax_error(
            p, CG_E0102, end ? inner->span : span, "'%s' is not closed before %s", bracket_text(inner->kind), found);
        if (d && !end)
            cg_diag_note(d, inner->span, "it was opened here");
        return;
    }
    if (closer && !inner) {
        CgDiag *d = cg_syntax_error(p, CG_E0102, span, "'%c' closes nothing", t->kind);
        cg_syntax_help(d, "remove it, or look for a bracket closed too early above");
        return;
    }
    if (complain_of_keyword(p, expects))
        return;
    char found[64], expected[160];
    describe(p, t, found, sizeof found);
    CgDiag *d;
    /* let x = 3, print(x), class A: the word before is the one that is wrong */
    bool no_statement = p->before.kind == T_NAME && p->before.first && expects['='] && expects[','] && !expects['+']
        && t->kind != T_EQ && t->kind != ':' && p->statement == T_NAME;
    if (no_statement)
        d = cg_syntax_error(p, CG_E0101, p->before.span, "'%s' does not begin a statement", p->before.atom);
    else if (list_expected(p, expects, expected, sizeof expected) > 0)
        d = cg_syntax_error(p, CG_E0101, span, "expected %s, found %s", expected, found);
    else
        d = cg_syntax_error(p, CG_E0101, span, "unexpected %s", found);
    const char *hint = find_hint(p, expects);
    if (hint)
        cg_syntax_help(d, hint);
    if (d && inner && inner->kind != '{' && t->first)
        cg_diag_note(d, inner->span, "'%s' opened here is still open", bracket_text(inner->kind));
    if (d && inner && inner->kind == '{' && t->first && is_top_word(t->kind) && t->column <= inner->line_indent)
        cg_diag_note(d, inner->span, "'{' opened here is still open");
}
