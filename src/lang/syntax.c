/* syntax.c - what was wrong with the text, in the author's words.
 * Takes the token the grammar refused and what it would have taken; gives one diagnostic, with a hint from
 * grammar/hints.def and the bracket that was left open. Does not decide where parsing goes on (tokens.c). */
#include <stdio.h>
#include <string.h>
#include "lang/cg_parse.h"
#include "lang/foreign.h"
#include "lang/parsing.h"

/* What follows from a mistake before it on its line: all that the grammar refuses; of the scanner what it has just
 * said, or anything in text that the grammar passed over. */
static bool is_consequence(CgParsing *p, CgCode code, CgSpan span, const char *text)
{
    bool scanned = code >= CG_E0104 && code <= CG_E0107,
         parsed = code == CG_E0101 || code == CG_E0103 || code == CG_E0117;
    if (p->is_sig || (!scanned && !parsed))
        return false;
    uint32_t line = span.start;
    while (line > 0 && p->text[line - 1] != '\n')
        line--;
    bool told = p->line_told == line + 1, again = code != CG_E0107 && p->told == cg_intern(text);
    if (told && (parsed || p->told_by_grammar || again))
        return true;
    p->line_told = line + 1;
    p->told_by_grammar = parsed;
    p->told = cg_intern(text);
    return false;
}

CgDiag *cg_syntax_error(CgParsing *p, CgCode code, CgSpan span, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool silent = is_consequence(p, code, span, text);
    if (++p->nerrors >= CG_MAX_ERRORS)
        p->stopped = true;
    p->nvalues += code == CG_E0106 && !silent;
    if (!p->diags || silent)
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
 * out, and where a line ends what could go on with a finished type. */
static int list_expected(const CgParsing *p, const char *const *expects, bool line_ends, char *out, size_t size)
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
    bool type = !value && !word && expects[T_GRAPH] && expects[T_NAME] && expects['{'];
    if (type)
        names[n++] = "a type";
    for (int k = 0; k <= T_GE; k++) {
        if (!expects[k])
            continue;
        bool begins = k == T_NAME || k == T_INT || k == T_FLOAT || k == T_STRING || k == '(' || k == '[' || k == '{'
            || k == '-' || k == T_IF || k == T_TRAIN || k == T_EVALUATE || k == T_RECOMPUTE || k == T_TRUE
            || k == T_FALSE || k == T_NOT;
        if (k == T_WHERE || k == T_EDITION || k == T_CLAIM || k == T_OVER || k == T_TEXT || k == T_BAD)
            continue;
        bool operates = k == '+' || k == '-' || k == '*' || k == '/' || k == '%' || k == '@' || k == '^' || k == '.'
            || k == '(' || k == '[' || k == T_AND || k == T_OR || k == T_ARROW || k == T_DOTDOT || k == T_FLOOR
            || compares(k);
        bool of_sig = k == '|' && !p->is_sig, of_type = line_ends && !value && (k == '(' || k == '[');
        if (of_sig || of_type || (value && begins) || (goes_on && operates))
            continue;
        if (goes_on
            && (k == T_END || k == T_NAME || is_top_word(k) || k == T_PARAM || k == T_RETURN || k == T_EXPECT
                || k == T_VJP || k == T_TRAIN || k == T_EVALUATE || k == T_RECOMPUTE || k == T_DEF || k == T_STRING))
            continue;
        if (statement_over && (k == ',' || k == T_FOR || k == T_IF))
            continue;
        if ((word && (k == T_NAME || cg_token_is_keyword(k))) || (type && (k == T_NAME || k == T_GRAPH || k == '{')))
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

/* Whether the word stands before the token, on its line. */
static bool line_has(const CgParsing *p, const char *word)
{
    uint32_t end = p->last.span.start, start = end;
    size_t n = strlen(word);
    while (start > 0 && p->text[start - 1] != '\n')
        start--;
    for (; start + n <= end; start++)
        if (memcmp(p->text + start, word, n) == 0)
            return true;
    return false;
}

/* Whether the word stands between the brace that was found and the next one that closes. */
static bool block_has(const CgParsing *p, const char *word)
{
    const char *from = p->text + p->last.span.end, *to = strchr(from, '}'), *at = strstr(from, word);
    return at && to && at < to;
}

/* Whether the line that the bracket stands on begins with the word. */
static bool on_line_of(const CgParsing *p, const CgBracket *b, const char *word)
{
    uint32_t start = b->span.start;
    while (start > 0 && p->text[start - 1] != '\n')
        start--;
    return !strncmp(p->text + start, word, strlen(word));
}

/* Whether the bracket stands directly behind the word. */
static bool opened_by(const CgParsing *p, const CgBracket *b, const char *word)
{
    size_t n = strlen(word);
    return b->span.start >= n && memcmp(p->text + b->span.start - n, word, n) == 0;
}

/* The name before is where a statement begins, and no statement goes on so. */
static bool at_statement(const CgParsing *p, const char *const *expects)
{
    return p->before.kind == T_NAME && expects['='] && expects[','] && !expects['+'] && !p->is_expr
        && (p->before.first || p->third.kind == '{' || p->third.kind == '}' || p->third.kind == T_SYNC);
}

static bool goes_on(int kind)
{
    return compares(kind) || kind == T_AND || kind == T_OR || kind == T_ARROW || kind == T_DOTDOT || kind == T_FLOOR
        || kind == '+' || kind == '-' || kind == '*' || kind == '/' || kind == '%' || kind == '@' || kind == '^'
        || kind == '.' || kind == '=' || kind == ':' || kind == ',';
}

/* x = 3 +, and on the next line y = ..: y was taken for a value, and what is refused is its '='. */
static bool is_next_binding(const CgParsing *p, const char *const *expects)
{
    return p->last.kind == '=' && !p->last.first && p->before.kind == T_NAME && p->before.first && !expects['=']
        && p->third.kind != T_SYNC && p->third.kind != T_START_FILE && p->third.kind != T_START_EXPR;
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
    const char *third_word = third == T_NAME ? p->third.atom : "";
    int statement = p->last.first ? p->statement_before : p->statement; /* that the token does not go on with */
    bool in_def = statement == T_DEF, is_option = statement == T_OPTION;
    const char *after = p->text + p->last.span.end;
    const CgToken *end = is_next_binding(p, expects) ? &p->third : &p->before;
    bool percent = end->kind == '%' && end->span.start > 0 && strchr("0123456789", p->text[end->span.start - 1])
        && p->last.span.start != end->span.end + 1;
    bool found_glued = after[0] >= '0' && after[0] <= '9' && p->last.span.start == p->before.span.end;
    const char *found_word = found == T_NAME && p->last.atom ? p->last.atom : "";
    bool statement_word = at_statement(p, expects);
    bool lambda_before = before == T_NAME && !strcmp(p->before.atom, "lambda");
#define X(condition, help, example) \
    if (condition)                  \
        return (help);
#include "../../grammar/hints.def"
#undef X
    return NULL;
}

/* A word of the language where a name should stand, either now or just before. */
static bool complain_of_keyword(CgParsing *p, const char *const *expects)
{
    const CgToken *t = NULL;
    if (cg_token_is_keyword(p->last.kind) && expects[T_NAME] && !expects[T_PARAM] && !expects[T_INT] && !p->last.first
        && !expects['+'] && !(p->last.kind == T_AS && p->statement == T_IMPORT))
        t = &p->last;
    bool then_name =
        p->last.kind == '=' || p->last.kind == ',' || p->last.kind == ':' || p->last.kind == ')' || p->last.kind == '.';
    if (cg_token_is_keyword(p->before.kind) && p->before.atom && then_name && !p->before_is_field)
        t = &p->before;
    if (!t)
        return false;
    CgDiag *d = cg_syntax_error(p, CG_E0103, t->span, "'%s' is a word of the language and cannot be a name", t->atom);
    if (d)
        cg_diag_help(d, "choose another name, '%s_' for one", t->atom);
    return true;
}

/* ---- misspelt words of the language ---- */

typedef enum Follows { VALUE, A_NAME, A_STRING, ANYTHING } Follows;

static bool begins_value(int kind)
{
    return kind == T_NAME || kind == T_INT || kind == T_FLOAT || kind == T_BAD || kind == T_STRING || kind == T_TEXT
        || kind == T_TRUE || kind == T_FALSE || kind == '(' || kind == '[' || kind == '{' || kind == '-'
        || kind == T_NOT || kind == T_IF || kind == T_TRAIN || kind == T_EVALUATE || kind == T_RECOMPUTE;
}

/* Words that something stands before or after, and what follows them. */
static const struct {
    const char *word;
    Follows follows;
    bool top, body, prefix, infix; /* begins a statement there; stands before a value; stands behind one */
} words[] = {
    { "import", A_NAME, true, false, false, false },
    { "plugin", A_STRING, true, false, false, false },
    { "option", A_NAME, true, false, false, false },
    { "graph", A_NAME, true, false, false, false },
    { "def", A_NAME, true, false, false, false },
    { "show", VALUE, true, true, false, false },
    { "save", VALUE, true, false, false, false },
    { "test", A_STRING, true, false, false, false },
    { "param", A_NAME, false, true, false, false },
    { "return", VALUE, false, true, false, false },
    { "for", A_NAME, false, true, false, true },
    { "expect", VALUE, false, true, false, false },
    { "if", VALUE, false, true, true, true },
    { "not", VALUE, false, false, true, false },
    { "train", VALUE, false, false, true, false },
    { "evaluate", VALUE, false, false, true, false },
    { "recompute", VALUE, false, false, true, false },
    { "and", VALUE, false, false, false, true },
    { "or", VALUE, false, false, false, true },
    { "then", VALUE, false, false, false, true },
    { "else", ANYTHING, false, false, false, true },
    { "in", VALUE, false, false, false, true },
    { "on", VALUE, false, false, false, true },
    { "as", A_NAME, false, false, false, true },
};

static bool fits(Follows follows, int kind)
{
    return follows == ANYTHING || (follows == A_NAME && kind == T_NAME) || (follows == A_STRING && kind == T_STRING)
        || (follows == VALUE && begins_value(kind));
}

static bool complain_of_word(CgParsing *p, const CgToken *t, const CgSuggest *near, const char *what)
{
    if (!cg_suggest_best(near) || (strlen(t->atom) <= 3 && !cg_suggest_is_slip(near)))
        return false;
    CgDiag *d = cg_syntax_error(p, CG_E0117, t->span, what, t->atom);
    cg_diag_meant(d, near);
    return true;
}

/* A name that is nearly a word of the language, where that word would fit: grahp g(..), m = trian net, a adn b. */
static bool complain_of_misspelt(CgParsing *p, const char *const *expects)
{
    const CgToken *t = &p->last, *before = &p->before, *third = &p->third;
    CgSuggest near;
    bool statement = at_statement(p, expects), inside = p->open.len > 1;
    if (statement && cg_foreign(CG_FOREIGN_STATEMENT, before->atom))
        return false;
    if (statement) {
        cg_suggest_init(&near, before->atom);
        for (size_t i = 0; i < CG_LEN(words); i++)
            if ((inside ? words[i].body : words[i].top) && fits(words[i].follows, t->kind) && !t->first)
                cg_suggest_offer(&near, words[i].word);
        return complain_of_word(p, before, &near, "'%s' does not begin a statement");
    }
    const CgForeign *row = third->kind == T_NAME && before->kind == T_NAME && !before->first && !expects['+']
        ? cg_foreign(CG_FOREIGN_PREFIX, third->atom)
        : NULL; /* new Net( */
    if (row) {
        CgDiag *d = cg_syntax_error(p, CG_E0117, third->span, "'%s' is no word of the language", third->atom);
        if (d)
            cg_foreign_answer(d, row);
        return true;
    }
    if (t->kind == T_NAME) { /* 1 esle 2 */
        cg_suggest_init(&near, t->atom);
        for (size_t i = 0; i < CG_LEN(words); i++)
            for (int k = T_IMPORT; k <= T_VJP && words[i].infix; k++)
                if (expects[k] && strncmp(expects[k] + 1, words[i].word, strlen(words[i].word)) == 0
                    && strlen(expects[k]) == strlen(words[i].word) + 2)
                    cg_suggest_offer(&near, words[i].word);
        if (complain_of_word(p, t, &near, "'%s' is no word of the language"))
            return true;
    }
    bool again = third->kind == T_NAME && before->kind == T_NAME && !before->first; /* trian net ( */
    const CgToken *prefix = again ? third : before->kind == T_NAME && begins_value(t->kind) ? before : NULL;
    if (prefix && !t->first) {
        cg_suggest_init(&near, prefix->atom);
        for (size_t i = 0; i < CG_LEN(words); i++)
            if (words[i].prefix)
                cg_suggest_offer(&near, words[i].word);
        if (complain_of_word(p, prefix, &near, "'%s' is no word of the language"))
            return true;
    }
    if (before->kind != T_NAME || before->first || t->first || !begins_value(t->kind))
        return false;
    cg_suggest_init(&near, before->atom); /* x = a adn b */
    for (size_t i = 0; i < CG_LEN(words); i++)
        if (words[i].infix)
            cg_suggest_offer(&near, words[i].word);
    return complain_of_word(p, before, &near, "'%s' is no word of the language");
}

static const char *bracket_text(int kind) { return kind == '(' ? "(" : kind == '[' ? "[" : "{"; }

/* ---- what is missing where a line ends ---- */

/* The token behind which something is missing: it ends its line, and the next one cannot go on with it. NULL: what was
 * refused is wrong itself. */
static const CgToken *unfinished(const CgParsing *p, const char *const *expects, const CgBracket *inner)
{
    const CgToken *t = &p->last;
    if (p->is_sig || p->is_expr)
        return NULL;
    bool field = inner && inner->kind == '{' && !inner->block && p->before.column > inner->line_indent;
    if (is_next_binding(p, expects))
        return field ? NULL : &p->third;
    bool over = expects[T_END] || expects['}'], begins = t->kind == T_END || (t->first && !goes_on(t->kind));
    bool real = p->before.span.end > p->before.span.start;
    if (t->kind == T_RETURN && p->statement_before == T_DEF)
        return NULL;
    bool left_open = inner && inner->block && is_top_word(t->kind) && t->column <= inner->line_indent;
    return begins && real && (!over || left_open) ? &p->before : NULL;
}

/* f x, where x is the last name of its line: it was taken for the beginning of a statement. */
static bool is_alone(const CgParsing *p, const char *const *expects)
{
    int third = p->third.kind;
    bool ends = third == T_NAME || third == T_INT || third == T_FLOAT || third == T_STRING || third == ')'
        || third == ']' || third == '}';
    return (p->last.first || p->last.kind == T_END) && p->before.kind == T_NAME && !p->before.first && ends
        && expects['='] && expects[','] && !expects['+'];
}

static void complain_of_gap(CgParsing *p, const char *const *expects, const CgToken *behind, const CgBracket *inner)
{
    const CgToken *begin = behind == &p->third ? &p->before : &p->last;
    CgSpan at = { behind->span.file, behind->span.end, behind->span.end };
    bool open = inner && begin->column <= inner->line_indent && begin->kind != T_END;
    bool top = open && inner->block && is_top_word(begin->kind);
    bool next = is_next_binding(p, expects) && p->third.kind != '%'; /* hints are about the next line's token */
    const char *hint = next ? NULL : find_hint(p, expects);
    if (top || (open && !inner->block)) {
        static const char *const closer[] = { ['('] = ")", ['['] = "]", ['{'] = "}" };
        CgDiag *d = cg_syntax_error(p, CG_E0102, at, "'%s' is not closed", bracket_text(inner->kind));
        if (!d)
            return;
        cg_diag_note(d, inner->span, "it was opened here");
        if (top)
            cg_syntax_help(d, hint);
        else
            cg_diag_fix(d, at, "%s", closer[inner->kind]);
        return;
    }
    char expected[160];
    bool file = p->last.kind == T_END && behind == &p->before;
    const char *found = file ? "the end of the file" : "the end of the line";
    bool name = behind->kind == '.' || behind->kind == T_IMPORT || (behind->kind == T_AS && p->statement == T_IMPORT);
    if (behind == &p->third)
        snprintf(expected, sizeof expected, "%s", name ? "a name" : "an expression");
    else if (!list_expected(p, expects, true, expected, sizeof expected))
        snprintf(expected, sizeof expected, "more");
    CgDiag *d = cg_syntax_error(p, CG_E0101, at, "expected %s, found %s", expected, found);
    if (d && hint)
        cg_syntax_help(d, hint);
    if (d && inner && !inner->block)
        cg_diag_note(d, inner->span, "'%s' opened here is still open", bracket_text(inner->kind));
}

/* '}' closes nothing, return outside of a graph: because of a '}' before that stands too early. True: it was said. */
static bool complain_of_early(CgParsing *p, const CgBracket *inner)
{
    CgEarly *early = &p->early;
    const CgToken *t = &p->last;
    bool inside = t->kind == T_RETURN || t->kind == T_PARAM || t->kind == T_FOR || t->kind == T_IF || t->kind == T_VJP
        || t->kind == T_EXPECT;
    bool surplus = !inner && t->kind == '}';
    if (inner || !early->close.file || !(surplus || (t->first && inside)))
        return false;
    if (!early->told) {
        CgDiag *d = cg_syntax_error(p, CG_E0102, early->close, "'}' stands too early");
        if (d) {
            cg_diag_fix(d, early->close, "%s", "");
            cg_diag_note(d, early->open, "it closes this block");
            cg_diag_note(d, t->span, surplus ? "this '}' closes nothing then" : "this stands outside of it then");
        }
    }
    p->nerrors++;
    early->told = true;
    if (surplus)
        *early = (CgEarly){ 0 };
    return true;
}

/* train f(x as m { .. }, save f(x as "file": `as` belongs to what stands around the open bracket. */
static bool names_block(const CgParsing *p)
{
    const char *s = p->text + p->last.span.end;
    if (p->last.kind != T_AS)
        return false;
    s += strspn(s, " ");
    const char *behind = s + strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return *s == '"' || behind[strspn(behind, " ")] == '{';
}

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
    bool closer = t->kind == ')' || t->kind == ']' || t->kind == '}' || names_block(p);
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
    if (complain_of_early(p, inner))
        return;
    if (closer && !inner && t->kind != T_AS) {
        CgDiag *d = cg_syntax_error(p, CG_E0102, span, "'%c' closes nothing", t->kind);
        cg_syntax_help(d, "remove it, or look for a bracket closed too early above");
        return;
    }
    if (complain_of_keyword(p, expects))
        return;
    char found[64], expected[160];
    describe(p, t, found, sizeof found);
    CgDiag *d;
    if (complain_of_misspelt(p, expects))
        return;
    /* let x = 3, print(x), class A: the word before is the one that is wrong */
    const CgForeign *word = at_statement(p, expects) ? cg_foreign(CG_FOREIGN_STATEMENT, p->before.atom) : NULL;
    const CgToken *behind = word || is_alone(p, expects) ? NULL : unfinished(p, expects, inner);
    if (behind) {
        complain_of_gap(p, expects, behind, inner);
        return;
    }
    if (word || (at_statement(p, expects) && t->kind != T_EQ && t->kind != ':' && !t->first))
        d = cg_syntax_error(p, CG_E0117, p->before.span, "'%s' does not begin a statement", p->before.atom);
    else if (is_alone(p, expects))
        d = cg_syntax_error(
            p, CG_E0101, p->before.span, "nothing connects '%s' with what stands before it", p->before.atom);
    else if (list_expected(p, expects, false, expected, sizeof expected) > 0)
        d = cg_syntax_error(p, CG_E0101, span, "expected %s, found %s", expected, found);
    else
        d = cg_syntax_error(p, CG_E0101, span, "unexpected %s", found);
    const char *hint = word ? NULL : find_hint(p, expects);
    if (d && word)
        cg_foreign_answer(d, word);
    else if (hint)
        cg_syntax_help(d, hint);
}
