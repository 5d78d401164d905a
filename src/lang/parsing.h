/* parsing.h - what scanner, token layer, grammar and error reports share while one text is parsed.
 * Takes nothing; gives the state and the builders the grammar's actions call. Private to src/lang and grammar/. */
#ifndef CG_PARSING_H
#define CG_PARSING_H
#include "base/vec.h"
#include "lang/ast.h"

#define CG_MAX_NESTING 200        /* open brackets */
#define CG_MAX_TEXT    (4u << 20) /* bytes of one script */
#define CG_MAX_ERRORS  50         /* a text with more is not a script: stop reading */

typedef struct CgToken {
    int kind;
    CgSpan span;
    CgAtom atom; /* names, keywords, strings */
    int64_t i;
    double f;
    bool first; /* first on its line */
    int column; /* bytes before it on its line, when it is first */
} CgToken;

/* An open bracket. A brace is a block when it follows the end of an expression or type, else a record. */
typedef struct CgBracket {
    int kind; /* '(' '[' '{' */
    CgSpan span;
    bool block;      /* statements, or the fields of train and evaluate */
    int headers;     /* train/evaluate seen at this level whose block has not begun */
    bool fields;     /* a block of fields */
    int thens;       /* `then` without its `else` yet */
    int indent;      /* column of the first line inside, -1 while nothing was seen */
    int line_indent; /* indent of the line the bracket stands on */
} CgBracket;

/* A '}' behind which the lines still stand as inside the block that it closed. */
typedef struct CgEarly {
    CgSpan close, open; /* file 0: there is none */
    bool next;          /* the line behind it has not been seen */
    bool told;          /* it was reported: what is wrong because of it is not */
} CgEarly;

typedef struct CgItems {
    void **at;
    int n, cap;
} CgItems; /* CgExpr*, CgTypeExpr* or CgStmt* */
typedef struct CgFields {
    CgArg *at;
    int n, cap;
} CgFields;
typedef struct CgParams {
    CgParam *at;
    int n, cap;
} CgParams;
typedef struct CgNames {
    CgAtom *at;
    CgSpan *spans;
    int n, cap;
} CgNames;
typedef struct CgLoop {
    CgAtom s, s2;
    CgSpan s_span, s2_span;
    CgExpr *over, *filter;
} CgLoop;

typedef struct CgParsing {
    CgArena *arena;
    CgDiags *diags; /* may be NULL for signatures: mistakes are only counted */
    uint32_t file;
    const char *text;
    size_t len;
    bool is_sig;
    CgExpr *expr; /* a value in a string, which is parsed alone */
    bool is_expr;
    const char *sig_name;
    CgUnit *unit;
    int edition;
    CgItems top; /* statements finished so far */
    CgStmt *sig;
    /* scanner */
    void *scanner;
    int scanned;         /* the token before */
    uint32_t pos;        /* bytes consumed */
    uint32_t line_start; /* offset of the current line */
    bool line_blank;     /* no token on this line yet */
    int line_indent;     /* column of the line's first token */
    CG_VEC(CgComment) comments;
    /* token layer */
    CG_VEC(CgBracket) open;
    CgToken last, before, third; /* the last three tokens given to the parser, latest first */
    CgToken held[2];             /* tokens read but not given yet */
    int nheld;
    int effect;           /* what the last token did to `open`: +1, -1, 0 */
    bool else_of_value;   /* the last `else` belongs to if-then-else */
    int statement;        /* first token of the statement, as far as tokens tell */
    int statement_before; /* and without the last token */
    bool header;          /* between the name of a graph or def and its body, where `where` is a word */
    bool compared;        /* a comparison stands before the last token in this expression */
    bool compares_now;    /* the last token is a comparison */
    bool before_is_field; /* the token before follows a dot */
    CgEarly early;        /* the first '}' that may stand too early */
    int to_close;         /* blocks that recovery closes on the author's behalf */
    bool started;
    bool recovering; /* a mistake was reported: skip to where a statement may begin, then give SYNC */
    bool stopped;    /* beyond a limit: nothing but the end comes */
    bool too_deep;
    uint32_t last_error; /* offset + 1 of the last token complained about */
    uint32_t line_told;  /* offset + 1 of the last line whose text was complained about, and what was said */
    bool told_by_grammar;
    CgAtom told;
    int nerrors;
    int nvalues; /* of them, in values alone */
} CgParsing;

/* scanner (grammar/cg.l) and grammar (grammar/cg.y) */
void cg_scan_open(CgParsing *p);
void cg_scan_close(CgParsing *p);
int cg_scan_next(CgParsing *p, CgToken *t);
size_t cg_scan_brace(const char *s, size_t n);
CgAtom cg_scan_literal(CgParsing *p, uint32_t from, uint32_t to); /* of a string, by offsets: escapes resolved */
int cg_parse_run(CgParsing *p);
const char *cg_parse_token_name(int token); /* "name", "'('" */

/* token layer (tokens.c) */
void cg_tokens_next(CgParsing *p, CgToken *t);

bool cg_token_is_keyword(int kind); /* (syntax.c) */

/* mistakes (syntax.c); the result may be NULL and every use of it must bear that */
CgDiag *cg_syntax_error(CgParsing *p, CgCode code, CgSpan span, const char *format, ...) CG_PRINTF(4, 5);
void cg_syntax_help(CgDiag *d, const char *help);
/* The grammar refused `p->last`; `expects`: by token, the names of those it would have taken, else NULL. */
void cg_syntax_unexpected(CgParsing *p, CgSpan span, const char *const *expects);
void cg_syntax_exhausted(CgParsing *p, CgSpan span);

/* builders (build.c) */
CgExpr *cg_make_expr(CgParsing *p, CgExprKind kind, CgSpan span);
CgExpr *cg_make_binary(CgParsing *p, CgSpan span, CgSpan op_span, const char *op, CgExpr *a, CgExpr *b);
/* IF, ARROW, RANGE, FIELD, RECOMPUTE before cg_make_done: an operator or word at op_span, and its parts. */
CgExpr *cg_make_two(CgParsing *p, CgExprKind kind, CgSpan span, CgSpan op_span, CgExpr *a, CgExpr *b);
/* CALL, INDEX, TRAIN, EVALUATE: something and its arguments or fields. */
CgExpr *cg_make_call(CgParsing *p, CgExprKind kind, CgSpan span, CgSpan op_span, CgExpr *a, CgFields args);
CgLoop *cg_make_head(CgParsing *p, CgNames names, CgExpr *over, CgExpr *filter);
CgExpr *cg_make_unary(CgParsing *p, CgSpan span, CgSpan op_span, const char *op, CgExpr *a);
CgExpr *cg_make_name(CgParsing *p, CgExprKind kind, CgSpan span, CgAtom s);
CgExpr *cg_make_list(CgParsing *p, CgSpan span, CgItems items);
CgExpr *cg_make_record(CgParsing *p, CgSpan span, CgExpr *key, CgExpr *value, CgFields rest);
CgExpr *cg_make_loop(CgParsing *p, CgExprKind kind, CgSpan span, CgExpr *key, CgExpr *value, CgItems loops);
/* Fixes the depth of a node whose children are set; past the limit the node becomes an ERROR. */
CgExpr *cg_make_done(CgParsing *p, CgExpr *e);
CgTypeExpr *cg_make_type(CgParsing *p, CgSpan span, CgAtom name, const CgItems *dims);
CgTypeExpr *cg_make_either_type(CgParsing *p, CgSpan span, CgTypeExpr *first, CgTypeExpr *other);
CgTypeExpr *cg_make_choice_type(CgParsing *p, CgSpan span, CgNames choices);
CgTypeExpr *cg_make_index_type(
    CgParsing *p, CgSpan span, CgAtom word, CgSpan word_span, CgExpr *below, const CgItems *dims);
CgTypeExpr *cg_make_graph_type(CgParsing *p, CgSpan span, CgAtom name, const CgItems *params, CgTypeExpr *result);
CgStmt *cg_make_stmt(CgParsing *p, CgStmtKind kind, CgSpan span, CgNames names, CgItems exprs);
CgStmt *cg_make_plain(CgParsing *p, CgStmtKind kind, CgSpan span);
CgStmt *cg_make_named(CgParsing *p, CgStmtKind kind, CgSpan span, CgAtom name, CgSpan name_span);
CgStmt *cg_make_import(CgParsing *p, CgSpan span, CgAtom path, CgSpan path_span, CgExpr *alias, const CgNames *names);
CgStmt *cg_make_if(CgParsing *p, CgSpan span, CgExpr *condition, CgBlock yes, CgBlock no);
CgStmt *cg_make_sig(CgParsing *p, CgSpan span, CgParams params, CgItems results);
CgBlock cg_make_block(CgItems items, CgSpan span);
void cg_items_push(CgParsing *p, CgItems *v, void *item);
void cg_fields_push(CgParsing *p, CgFields *v, CgArg field);
void cg_params_push(CgParsing *p, CgParams *v, CgParam param);
void cg_names_push(CgParsing *p, CgNames *v, CgAtom name, CgSpan span);

/* after the grammar (attach.c): doc comments to statements, and what the grammar lets through on purpose */
void cg_unit_attach(CgParsing *p);
void cg_unit_check(CgParsing *p);
#endif
