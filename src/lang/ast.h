/* ast.h - what was written.
 * Takes nothing; gives the node types the parser fills. An AST holds the text's form, not its meaning: no types are
 * inferred and no name is resolved here. All nodes live in the unit's arena. */
#ifndef CG_AST_H
#define CG_AST_H
#include "base/arena.h"
#include "base/diag.h"
#include "base/intern.h"

typedef struct CgExpr CgExpr;
typedef struct CgStmt CgStmt;
typedef struct CgTypeExpr CgTypeExpr;

/* One argument of a call, one field of a record or block, one element of a list. */
typedef struct CgArg {
    CgAtom name; /* NULL: positional */
    CgSpan name_span;
    CgExpr *value;
    bool quoted; /* the field name was written as a string */
    CgExpr *key; /* TEXT: a field name with values in it; then name is NULL */
} CgArg;

typedef struct CgArgs {
    CgArg *at;
    int n;
} CgArgs;

typedef enum CgExprKind {
    CG_EXPR_ERROR,      /* after a reported syntax error */
    CG_EXPR_INT,        /* i */
    CG_EXPR_FLOAT,      /* f (text kept in span) */
    CG_EXPR_STRING,     /* s, escapes resolved */
    CG_EXPR_TEXT,       /* args: "{a}-b" in pieces, strings and values */
    CG_EXPR_BOOL,       /* i: true, false */
    CG_EXPR_NAME,       /* s */
    CG_EXPR_LIST,       /* args: [a, b, c] */
    CG_EXPR_RECORD,     /* args: { a: 1, "b": 2 } */
    CG_EXPR_LIST_FOR,   /* a for s[, s2] in b [if c]          [e for x in xs]; i: a loop within the one before it, */
                        /* whose elements are the outer one's: [e for x in xs for y in ys] */
    CG_EXPR_RECORD_FOR, /* { key: a for s, s2 in b }: c is the key expression (a name is the loop variable), d the
                           filter */
    CG_EXPR_FIELD,      /* a . s */
    CG_EXPR_INDEX,      /* a [ args ]: indices, and RANGES of which either end may be NULL; named by axis */
    CG_EXPR_CALL,       /* a ( args ) */
    CG_EXPR_UNARY,      /* op a: "-" "not" */
    CG_EXPR_BINARY,     /* a op b: + - * / // % ^ @ == != < <= > >= and or */
    CG_EXPR_RANGE,      /* a .. b: integers from a up to, not including, b */
    CG_EXPR_ARROW,      /* a -> b: einstein patterns, lists on both sides */
    CG_EXPR_ROW,        /* ..s inside a list or type: a row variable */
    CG_EXPR_IF,         /* if a then b else c */
    CG_EXPR_RECOMPUTE,  /* recompute a */
    CG_EXPR_TRAIN,      /* train a [as s] { args } */
    CG_EXPR_EVALUATE,   /* evaluate a [on b] [as s] { args } */
    CG_EXPR_TYPE,       /* type: a type where a value is expected, e.g. cast(x, f32) */
} CgExprKind;

struct CgExpr {
    CgExprKind kind;
    CgSpan span;    /* of the whole expression */
    CgSpan op_span; /* operator, callee's parenthesis, field name: where the caret goes */
    CgAtom s, s2;
    CgSpan s_span, s2_span; /* where they are names that the expression binds */
    CgAtom op;              /* UNARY, BINARY */
    int64_t i;
    double f;
    CgExpr *a, *b, *c, *d;
    CgArgs args;
    CgTypeExpr *type;
    uint16_t depth; /* 1 + the deepest child; never above CG_MAX_DEPTH, so walkers may recurse */
};

#define CG_MAX_DEPTH 500
#define CG_EDITION   2 /* of the language: the latest */

typedef enum CgTypeKind {
    CG_TYPE_TENSOR,
    CG_TYPE_SCALAR /* int float bool str */,
    CG_TYPE_GRAPH,
    CG_TYPE_ANY,
    CG_TYPE_CHOICE, /* one of some strings: { tiny, small } */
    CG_TYPE_EITHER  /* in signatures: one of some types */
} CgTypeKind;

/* SCALAR: which of those that the language has; other words are kinds of values in signatures. */
typedef enum CgScalar {
    CG_SCALAR_OTHER,
    CG_SCALAR_INT,
    CG_SCALAR_FLOAT,
    CG_SCALAR_BOOL,
    CG_SCALAR_STR,
    CG_SCALAR_LIST,
    CG_SCALAR_RECORD,
    CG_SCALAR_ANY,
} CgScalar;

struct CgTypeExpr {
    CgTypeKind kind;
    CgScalar scalar;
    CgSpan span;
    CgExpr *below;       /* index(V)[..], an i32: its elements are below V; else NULL */
    CgAtom name;         /* f32 i32 .. int float bool str graph; in op signatures also F I T (dtype variables) */
    CgExpr **dims;       /* TENSOR: int, name, arithmetic, or ROW */
    int ndims;           /* -1: no brackets were written (a tensor of rank 0) */
    CgTypeExpr **params; /* GRAPH: graph(t, t) -> t; nparams -1 when only `graph` was written. EITHER: the types */
    int nparams;
    CgAtom *choices; /* CHOICE: the strings */
    int nchoices;
    CgTypeExpr *result;
};

/* A parameter of a graph, def or op signature. */
typedef struct CgParam {
    CgAtom name;
    CgSpan span;
    CgTypeExpr *type; /* NULL: any value */
    CgExpr *init;     /* default or NULL */
} CgParam;

typedef enum CgStmtKind {
    CG_STMT_ERROR,
    CG_STMT_EDITION, /* cg a: the first statement */
    CG_STMT_IMPORT,  /* path "graphs.transformer" in names[0]; the names asked for after it; a: NAME, the alias */
    CG_STMT_PLUGIN,  /* a: string */
    CG_STMT_OPTION,  /* option name: type = a */
    CG_STMT_BIND,    /* names = exprs */
    CG_STMT_GRAPH,   /* graph name(params) -> results where contracts { body } ; results and contracts may be empty */
    CG_STMT_DEF,     /* def name(params) where contracts = a */
    CG_STMT_SHOW,    /* show exprs */
    CG_STMT_SAVE,    /* save a as b */
    CG_STMT_TEST,    /* test "name" { body } */
    CG_STMT_CLAIM,   /* claim a { body }; a: STRING, or a string with values */
    CG_STMT_EXPECT,  /* expect a over names */
    /* inside graphs */
    CG_STMT_PARAM,  /* param names: type = a */
    CG_STMT_FOR,    /* for name[, name2] in a { body } */
    CG_STMT_IF,     /* if a { body } else { other } */
    CG_STMT_RETURN, /* return exprs */
    CG_STMT_VJP,    /* vjp(params) { body }: a custom derivative; params name the result's derivative(s) */
} CgStmtKind;

typedef struct CgBlock {
    CgStmt **at;
    int n;
    CgSpan span;
} CgBlock;

struct CgStmt {
    CgStmtKind kind;
    CgSpan span, name_span;
    CgAtom doc; /* text of the ## comments before it (or after it on the same line), or NULL */
    CgAtom *names;
    CgSpan *name_spans;
    int nnames;
    CgExpr **exprs;
    int nexprs;
    CgExpr *a, *b;
    CgTypeExpr *type;
    CgParam *params;
    int nparams;
    CgTypeExpr **results;
    int nresults;
    CgExpr **contracts; /* what must hold of the arguments */
    int ncontracts;
    CgBlock body, other;
};

typedef struct CgComment {
    CgSpan span;
    bool own_line;
} CgComment;

/* One parsed file. */
typedef struct CgUnit {
    CgArena *arena;
    uint32_t file;
    int edition; /* of the language: 1, or what `cg 2` says */
    CgBlock top;
    CgComment *comments;
    int ncomments; /* all, in order, for fmt */
    int nvalues;   /* mistakes in values alone, such as a number that does not fit: the tree is whole, they are ERROR */
} CgUnit;

/* Whether a body, or one within it, binds a name. */
bool cg_block_binds(const CgBlock *b, CgAtom name);
/* The first node of an expression, outer ones before inner ones, for which `is` says so; NULL: there is none. */
const CgExpr *cg_expr_find(const CgExpr *x, bool (*is)(const CgExpr *x, void *arg), void *arg);
#endif
