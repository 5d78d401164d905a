/* fmt.c - a script in its canonical text.
 * Takes a unit parsed without mistakes; gives its own tokens and comments laid out anew: 4 spaces a level,
 * lines of at most 100 columns broken at arguments and items, at most one blank line. Adds and removes
 * nothing but white space and the commas of lists, so that the text means what it meant. */
#include "lang/fmt.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "lang/cg_parse.h"
#include "lang/parsing.h"

enum { WIDTH = 100, STEP = 4 };

/* What the AST knows of a place and tokens do not. */
enum {
    ITEM = 1 /* a statement, field or entry begins */,
    BLOCK = 2 /* '{' of statements */,
    FIELDS_END = 4,
    UNARY = 8
};

typedef struct Tok {
    int kind;
    uint32_t start, end;
    bool comment, own_line;
    int breaks;              /* line breaks before it in the source */
    int mate;                /* brackets: index of the partner */
    bool square;             /* the innermost bracket around it is '[' */
    bool flat;               /* opening brackets: may stand on one line if there is room */
    bool statements, fields; /* opening braces: what they hold */
    int items;               /* opening braces: statements, fields or entries directly inside */
    uint8_t marks;
} Tok;

typedef struct DocLine {
    size_t line_start, at;
} DocLine; /* a line ending in '##': where both begin in `out` */

typedef struct Fmt {
    const char *text;
    uint8_t *marks; /* by offset */
    CG_VEC(Tok) toks;
    CgStrbuf *out;
    size_t line_start; /* of the current line, in `out` */
    int column, line_indent;
    bool empty; /* nothing but indentation on the current line */
    int last;   /* token printed last on this line, -1 */
    CG_VEC(DocLine) docs;
} Fmt;

/* ---- marks from the AST ---- */

static void mark_expr(Fmt *f, const CgExpr *e)
{
    if (!e)
        return;
    mark_expr(f, e->a);
    mark_expr(f, e->b);
    mark_expr(f, e->c);
    mark_expr(f, e->d);
    bool items = e->kind == CG_EXPR_RECORD || e->kind == CG_EXPR_TRAIN || e->kind == CG_EXPR_EVALUATE;
    for (int i = 0; i < e->args.n; i++) {
        if (items)
            f->marks[e->args.at[i].name_span.start] |= ITEM;
        mark_expr(f, e->args.at[i].key);
        mark_expr(f, e->args.at[i].value);
    }
    if (e->kind == CG_EXPR_TRAIN || e->kind == CG_EXPR_EVALUATE)
        f->marks[e->span.end - 1] |= FIELDS_END;
    if (e->kind == CG_EXPR_UNARY && e->op[0] == '-')
        f->marks[e->op_span.start] |= UNARY;
}

static void mark_type(Fmt *f, const CgTypeExpr *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->ndims; i++)
        mark_expr(f, t->dims[i]);
    for (int i = 0; i < t->nparams; i++)
        mark_type(f, t->params[i]);
    mark_expr(f, t->below);
    mark_type(f, t->result);
}

static void mark_block(Fmt *f, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        f->marks[s->span.start] |= ITEM;
        for (int k = 0; k < s->nparams; k++) {
            mark_type(f, s->params[k].type);
            mark_expr(f, s->params[k].init);
        }
        for (int k = 0; k < s->nresults; k++)
            mark_type(f, s->results[k]);
        for (int k = 0; k < s->nexprs; k++)
            mark_expr(f, s->exprs[k]);
        for (int k = 0; k < s->ncontracts; k++)
            mark_expr(f, s->contracts[k]);
        mark_type(f, s->type);
        mark_expr(f, s->a);
        mark_expr(f, s->b);
        bool has_body = s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_TEST || s->kind == CG_STMT_CLAIM
            || s->kind == CG_STMT_FOR || s->kind == CG_STMT_IF || s->kind == CG_STMT_VJP;
        if (has_body)
            f->marks[s->body.span.start] |= BLOCK;
        mark_block(f, &s->body);
        if (!s->other.span.file)
            continue;
        /* `else if` is a block of one statement without braces: that statement is part of this item */
        bool braces = f->text[s->other.span.start] == '{';
        if (braces)
            f->marks[s->other.span.start] |= BLOCK;
        mark_block(f, &s->other);
        if (!braces)
            f->marks[s->other.span.start] &= (uint8_t)~ITEM;
    }
}

/* ---- tokens ---- */

static bool is_opener(int kind) { return kind == '(' || kind == '[' || kind == '{'; }

static bool is_closer(int kind) { return kind == ')' || kind == ']' || kind == '}'; }

static void read_tokens(Fmt *f, uint32_t file, const char *text, size_t len)
{
    CgArena *arena = cg_arena_new();
    CgParsing p = { .arena = arena, .file = file, .text = text, .len = len, .edition = CG_EDITION };
    size_t comments = 0;
    uint32_t end = 0;
    cg_scan_open(&p);
    for (bool more = true; more;) {
        CgToken t;
        more = cg_scan_next(&p, &t) != T_END;
        for (; comments <= p.comments.len; comments++) {
            bool is_comment = comments < p.comments.len;
            if (!is_comment && !more)
                break;
            CgSpan s = is_comment ? p.comments.at[comments].span : t.span;
            Tok tok = { .kind = is_comment ? 0 : t.kind,
                .start = s.start,
                .end = s.end,
                .comment = is_comment,
                .mate = -1,
                .marks = f->marks[s.start] };
            tok.own_line = is_comment && p.comments.at[comments].own_line;
            for (uint32_t i = end; i < s.start; i++)
                tok.breaks += text[i] == '\n';
            end = s.end;
            cg_vec_push(&f->toks, tok);
            if (!is_comment)
                break;
        }
    }
    cg_scan_close(&p);
    cg_vec_free(&p.open);
    cg_vec_free(&p.comments);
    cg_arena_free(arena);
}

/* Partners, what a brace holds, and which brackets can never stand on one line. */
static void pair_brackets(Fmt *f)
{
    CG_VEC(int) open = { 0 };
    for (size_t i = 0; i < f->toks.len; i++) {
        Tok *t = &f->toks.at[i], *outer = open.len ? &f->toks.at[open.at[open.len - 1]] : NULL;
        t->square = outer && outer->kind == '[';
        if (outer && (t->marks & ITEM))
            outer->items++;
        if (t->comment) {
            if (outer)
                outer->flat = false;
        } else if (is_opener(t->kind)) {
            t->statements = t->kind == '{' && (t->marks & BLOCK);
            /* a list or record the author spread over lines stays spread */
            t->flat = t->kind == '(' || i + 1 >= f->toks.len || f->toks.at[i + 1].breaks == 0
                || is_closer(f->toks.at[i + 1].kind);
            cg_vec_push(&open, (int)i);
        } else if (is_closer(t->kind) && outer) {
            int at = open.at[--open.len];
            outer->mate = (int)i;
            t->mate = at;
            t->square = open.len > 0 && f->toks.at[open.at[open.len - 1]].kind == '[';
            outer->fields = (t->marks & FIELDS_END) != 0;
            if ((outer->statements || outer->fields) && (outer->items > 1 || (outer->items == 1 && t->breaks > 0)))
                outer->flat = false;
            if (!outer->flat && open.len > 0)
                f->toks.at[open.at[open.len - 1]].flat = false;
        }
    }
    cg_vec_free(&open);
}

/* ---- one line ---- */

/* The token before i, comments left out; -1 at the beginning. */
static int before(const Fmt *f, int i)
{
    while (--i >= 0 && f->toks.at[i].comment) {}
    return i;
}

/* Whether token i is a name by its place: a word after a dot. */
static bool is_field_name(const Fmt *f, int i)
{
    int k = before(f, i);
    return k >= 0 && f->toks.at[k].kind == '.';
}

static bool ends_value(const Fmt *f, int i)
{
    int k = f->toks.at[i].kind;
    return k == T_NAME || k == T_INT || k == T_FLOAT || k == T_STRING || k == T_TEXT || k == T_TRUE || k == T_FALSE
        || is_closer(k) || k == T_GRAPH || k == T_VJP || is_field_name(f, i);
}

/* Whether a blank stands between two neighbours on a line. */
static bool spaced(const Fmt *f, int i, int j)
{
    const Tok *a = &f->toks.at[i], *b = &f->toks.at[j];
    if (a->kind == '(' || a->kind == '[' || b->kind == ')' || b->kind == ']')
        return false;
    if (a->kind == '{' && b->kind == '}')
        return a->statements || a->fields;
    if (b->kind == ',' || b->kind == ':' || a->kind == '.' || b->kind == '.')
        return false;
    if (a->kind == T_DOTDOT)
        return false;
    if (b->kind == T_DOTDOT)
        return !ends_value(f, i);
    if (a->marks & UNARY)
        return false;
    if (a->kind == '^' || b->kind == '^')
        return false;
    if ((a->kind == '*' && a->square) || (b->kind == '*' && b->square))
        return false;
    if (b->kind == '(' || b->kind == '[')
        return !ends_value(f, i);
    return true;
}

static int columns(const Fmt *f, const Tok *t)
{
    int n = 0;
    for (uint32_t i = t->start; i < t->end; i++)
        n += ((unsigned char)f->text[i] & 0xc0) != 0x80;
    return n;
}

/* Commas of brackets are ours; those elsewhere (names, results, values of a statement) are the author's. */
static bool is_last_comma(const Fmt *f, int i)
{
    return f->toks.at[i].kind == ',' && is_closer(f->toks.at[i + 1].kind);
}

/* An entry of a record may follow another without a comma. */
static bool lacks_comma(const Fmt *f, int opener, int i)
{
    const Tok *o = &f->toks.at[opener];
    return o->kind == '{' && !o->statements && !o->fields && (f->toks.at[i].marks & ITEM) && i > opener + 1
        && f->toks.at[i - 1].kind != ',';
}

/* Width of bracket o up to its partner on one line, or more than `room`. */
static int flat_width(const Fmt *f, int o, int room)
{
    int n = 0, last = -1, c = f->toks.at[o].mate;
    CG_VEC(int) open = { 0 };
    for (int i = o; i <= c && n <= room; i++) {
        if (i > o && is_last_comma(f, i))
            continue;
        if (open.len > 0 && lacks_comma(f, open.at[open.len - 1], i))
            n++;
        if (last >= 0 && spaced(f, last, i))
            n++;
        n += columns(f, &f->toks.at[i]);
        if (is_opener(f->toks.at[i].kind))
            cg_vec_push(&open, i);
        if (is_closer(f->toks.at[i].kind))
            open.len--;
        last = i;
    }
    cg_vec_free(&open);
    return n;
}

static void put(Fmt *f, const char *s, size_t n, int width)
{
    cg_strbuf_write(f->out, s, n);
    f->column += width;
    f->empty = false;
}

static void put_token(Fmt *f, int i)
{
    const Tok *t = &f->toks.at[i];
    if (!f->empty && f->last >= 0 && spaced(f, f->last, i))
        put(f, " ", 1, 1);
    put(f, f->text + t->start, t->end - t->start, columns(f, t));
    f->last = i;
}

static void put_flat(Fmt *f, int o)
{
    CG_VEC(int) open = { 0 };
    for (int i = o; i <= f->toks.at[o].mate; i++) {
        if (i > o && is_last_comma(f, i))
            continue;
        if (open.len > 0 && lacks_comma(f, open.at[open.len - 1], i))
            put(f, ",", 1, 1);
        put_token(f, i);
        if (is_opener(f->toks.at[i].kind))
            cg_vec_push(&open, i);
        if (is_closer(f->toks.at[i].kind))
            open.len--;
    }
    cg_vec_free(&open);
}

static void new_line(Fmt *f, int indent, bool blank)
{
    if (f->out->len > 0)
        cg_strbuf_puts(f->out, blank ? "\n\n" : "\n");
    f->line_start = f->out->len;
    for (int i = 0; i < indent; i++)
        cg_strbuf_putc(f->out, ' ');
    f->column = f->line_indent = indent;
    f->empty = true;
    f->last = -1;
}

static void put_trailing_comment(Fmt *f, const Tok *t)
{
    if (t->end - t->start >= 2 && f->text[t->start + 1] == '#')
        cg_vec_push(&f->docs, (DocLine){ f->line_start, f->out->len });
    put(f, "  ", 2, 2);
    put(f, f->text + t->start, t->end - t->start, columns(f, t));
}

/* ---- statements and what is broken over lines ---- */

typedef enum Style {
    PLAIN,
    LOOP /* [e for x in xs] */,
    COMMAS /* one item a line */,
    FILL /* as many as fit */
} Style;

static void put_items(Fmt *f, int from, int to, int indent, Style style);

/* A loop inside brackets: [e for x in xs]. */
static bool has_loop(const Fmt *f, int o)
{
    for (int i = o + 1; i < f->toks.at[o].mate; i++) {
        if (f->toks.at[i].kind == T_FOR && !is_field_name(f, i))
            return true;
        if (is_opener(f->toks.at[i].kind))
            i = f->toks.at[i].mate;
    }
    return false;
}

/* A list of names and numbers: one a line would be a long thin column. */
static bool is_simple_list(const Fmt *f, int o)
{
    int run = 0;
    if (f->toks.at[o].kind != '[')
        return false;
    for (int i = o + 1; i < f->toks.at[o].mate; i++) {
        const Tok *t = &f->toks.at[i];
        run = t->kind == ',' ? 0 : run + 1;
        if (t->comment || is_opener(t->kind) || run > 2)
            return false;
    }
    return true;
}

static void put_broken(Fmt *f, int o)
{
    const Tok *t = &f->toks.at[o];
    int indent = f->line_indent, c = t->mate;
    bool block = t->statements || t->fields, loop = !block && has_loop(f, o);
    bool group =
        t->kind == '(' && (before(f, o) < 0 || !ends_value(f, before(f, o))); /* (a + b) holds one value and no comma */
    put_token(f, o);
    put_items(f, o + 1, c, indent + STEP, loop ? LOOP : block || group ? PLAIN : is_simple_list(f, o) ? FILL : COMMAS);
    new_line(f, indent, false);
    put_token(f, c);
}

/* What stands after bracket o up to the next place where a line may break. */
static int tail_width(const Fmt *f, int o, int to, int after)
{
    int n = 0;
    for (int i = f->toks.at[o].mate + 1; i < to; i++) {
        if (f->toks.at[i].comment || n > WIDTH)
            return n;
        n += spaced(f, i - 1, i) + columns(f, &f->toks.at[i]);
        bool breaks = f->toks.at[i].kind == '('
            || f->toks.at[i].kind == '{'; /* a type or an index does so only as a last resort */
        if (breaks && f->toks.at[i].mate > i + 1)
            return n;
    }
    return n + after;
}

/* How loosely an operator between two values holds them, as in grammar/cg.y; 0: it is none. */
static int looseness(const Fmt *f, int i)
{
    int k = f->toks.at[i].kind;
    if (f->toks.at[i].marks & UNARY || f->toks.at[i].comment || is_field_name(f, i))
        return 0;
    return k == T_OR                                   ? 4
        : k == T_AND                                   ? 3
        : k == '+' || k == '-'                         ? 2
        : k == '*' || k == '/' || k == '%' || k == '@' ? 1
                                                       : 0;
}

/* Where a sequence that is wider than a line breaks: before its loosest operators outside of brackets, where what
 * stands between two of them fits a line; 0 where it does not break so. */
static int loosest(const Fmt *f, int from, int to, int after)
{
    int loose = 0, width = f->column;
    for (int i = from; i < to; i++) {
        const Tok *t = &f->toks.at[i];
        bool bracket = is_opener(t->kind) && !t->comment;
        if (t->comment || (bracket && (!t->flat || t->statements || t->fields)))
            return 0;
        loose = looseness(f, i) > loose ? looseness(f, i) : loose;
        width += (i > from && spaced(f, i - 1, i)) + (bracket ? flat_width(f, i, WIDTH) : columns(f, t));
        i = bracket ? t->mate : i;
    }
    if (width + after <= WIDTH)
        return 0;
    int piece = f->column - f->line_indent;
    for (int i = from; loose && i < to; i++) {
        const Tok *t = &f->toks.at[i];
        bool bracket = is_opener(t->kind);
        if (looseness(f, i) == loose)
            piece = STEP;
        piece += 1 + (bracket ? flat_width(f, i, WIDTH) : columns(f, t));
        if (f->line_indent + piece > WIDTH)
            return 0;
        i = bracket ? t->mate : i;
    }
    return loose;
}

static int next_break(const Fmt *f, int from, int to, int breaks)
{
    while (from < to && !(breaks && looseness(f, from) == breaks))
        from = is_opener(f->toks.at[from].kind) && !f->toks.at[from].comment ? f->toks.at[from].mate + 1 : from + 1;
    return from < to ? from : to;
}

/* Tokens of one statement or item; `after` columns follow on its last line. */
static void put_sequence(Fmt *f, int from, int to, int after)
{
    int indent = f->line_indent, breaks = loosest(f, from, to, after);
    for (int i = from; i < to; i++) {
        const Tok *t = &f->toks.at[i];
        if (breaks && looseness(f, i) == breaks && !f->empty) {
            new_line(f, indent + STEP, false);
            f->line_indent = indent;
        }
        if (t->comment) {
            if (t->own_line && !f->empty)
                new_line(f, indent + STEP, false);
            if (t->own_line)
                put(f, f->text + t->start, t->end - t->start, 0);
            else
                put_trailing_comment(f, t);
            new_line(f, indent + STEP, false);
        } else if (is_opener(t->kind)) {
            int end = next_break(f, t->mate + 1, to, breaks);
            int room = WIDTH - f->column - (f->last >= 0 && spaced(f, f->last, i))
                - tail_width(f, i, end, end == to ? after : 0);
            if (t->flat && flat_width(f, i, room) <= room)
                put_flat(f, i);
            else if (t->mate == i + 1)
                put_flat(f, i);
            else
                put_broken(f, i);
            i = t->mate;
        } else {
            put_token(f, i);
        }
    }
}

/* The end of the item that begins at `from`. */
static int item_end(const Fmt *f, int from, int to, bool loop)
{
    bool in_loop = loop && f->toks.at[from].kind == T_FOR;
    for (int i = from; i < to; i++) {
        const Tok *t = &f->toks.at[i];
        if (i > from && (t->marks & ITEM))
            return i;
        if (i > from && loop && t->kind == T_FOR && !is_field_name(f, i))
            return i;
        if (t->kind == ',' && !in_loop)
            return i;
        if (is_opener(t->kind))
            i = t->mate;
    }
    return to;
}

/* The end of a statement: commas belong to it. */
static int statement_end(const Fmt *f, int from, int to)
{
    for (int i = from; i < to; i++) {
        if (i > from && (f->toks.at[i].marks & ITEM))
            return i;
        if (is_opener(f->toks.at[i].kind))
            i = f->toks.at[i].mate;
    }
    return to;
}

static void put_items(Fmt *f, int from, int to, int indent, Style style)
{
    bool commas = style == COMMAS || style == FILL;
    bool first = true, commented = false; /* commented: the line ends in a comment already */
    bool statements = from == 0 || f->toks.at[from - 1].statements;
    for (int i = from; i < to;) {
        const Tok *t = &f->toks.at[i];
        if (t->comment && !t->own_line && !commented) {
            put_trailing_comment(f, t);
            commented = true;
            i++;
        } else if (t->kind == ',' && !t->comment) {
            i++;
        } else if (t->comment) {
            new_line(f, indent, !first && t->breaks > 1);
            put(f, f->text + t->start, t->end - t->start, 0);
            first = false;
            commented = true;
            i++;
        } else {
            int end = statements ? statement_end(f, i, to) : item_end(f, i, to, style == LOOP);
            while (end > i && f->toks.at[end - 1].comment)
                end--;
            int width = 0;
            for (int k = i; style == FILL && k < end; k++)
                width += columns(f, &f->toks.at[k]) + 1;
            if (style == FILL && !first && f->column + 1 + width <= WIDTH)
                put(f, " ", 1, 1), f->last = -1;
            else
                new_line(f, indent, style != FILL && !first && t->breaks > 1);
            put_sequence(f, i, end, commas);
            if (commas)
                put(f, ",", 1, 1);
            first = commented = false;
            i = end;
        }
    }
}

/* Pads the '##' of neighbouring lines to one column. */
static void align_docs(Fmt *f, CgStrbuf *to)
{
    size_t copied = 0;
    const char *text = cg_strbuf_str(f->out);
    for (size_t i = 0; i < f->docs.len;) {
        size_t n = i, widest = 0;
        do {
            size_t width = 0;
            for (size_t k = f->docs.at[n].line_start; k < f->docs.at[n].at; k++)
                width += ((unsigned char)text[k] & 0xc0) != 0x80;
            if (width > widest)
                widest = width;
            n++;
        } while (n < f->docs.len && strchr(text + f->docs.at[n - 1].at, '\n') + 1 == text + f->docs.at[n].line_start);
        for (; i < n; i++) {
            size_t width = 0;
            for (size_t k = f->docs.at[i].line_start; k < f->docs.at[i].at; k++)
                width += ((unsigned char)text[k] & 0xc0) != 0x80;
            cg_strbuf_write(to, text + copied, f->docs.at[i].at - copied);
            for (; width < widest; width++)
                cg_strbuf_putc(to, ' ');
            copied = f->docs.at[i].at;
        }
    }
    cg_strbuf_write(to, text + copied, f->out->len - copied);
}

void cg_unit_format(const CgUnit *u, const CgSources *sources, CgStrbuf *out)
{
    const CgSource *source = cg_sources_get(sources, u->file);
    CgStrbuf text = { 0 };
    Fmt f = { .text = source->text, .out = &text, .empty = true, .last = -1 };
    f.marks = cg_calloc(source->len + 1, 1);
    mark_block(&f, &u->top);
    read_tokens(&f, u->file, source->text, source->len);
    pair_brackets(&f);
    put_items(&f, 0, (int)f.toks.len, 0, PLAIN);
    if (text.len > 0)
        cg_strbuf_putc(&text, '\n');
    align_docs(&f, out);
    cg_strbuf_deinit(&text);
    cg_vec_free(&f.toks);
    cg_vec_free(&f.docs);
    free(f.marks);
}
