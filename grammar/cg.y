/* cg.y - tokens to AST.
 * Takes the tokens of tokens.c; gives statements in CgParsing.top (or one signature). The actions call builders
 * and nothing else. Newlines do not count: an expression is never followed by a name, so the next statement's
 * name or keyword ends it. SYNC is made by tokens.c after a mistake, where a statement or field may begin again. */
%require "3.8"
%language "C"
%define api.pure full
%define api.prefix {cg_parse_}
%define api.token.prefix {T_}
%define api.location.type {CgSpan}
%define parse.error custom
%define parse.lac full
%param {CgParsing *p}
%expect 0

%code requires {
#include "lang/parsing.h"
}

%code {
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#define YYMALLOC cg_malloc
#define YYFREE free
#define YYMAXDEPTH 8000
#define YYLLOC_DEFAULT(out, rhs, n) \
    ((out) = (n) ? cg_span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n)) \
                 : (CgSpan){ p->file, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end })

static int  cg_parse_lex(CG_PARSE_STYPE *value, CgSpan *span, CgParsing *p);
static void cg_parse_error(CgSpan *span, CgParsing *p, const char *message);
static CgExpr *text(CgParsing *p, CgSpan span);
}

%union {
    CgAtom atom; int64_t i; double f;
    CgExpr *expr; CgTypeExpr *type; CgStmt *stmt; CgArg arg; CgParam param;
    CgItems items; CgFields fields; CgParams params; CgNames names; CgLoop *loop; CgBlock block;
}

%token END 0 "end of file"
%token START_FILE START_SIG START_EXPR SYNC
%token <atom> NAME "name" STRING "string"
%token TEXT "string with values"
%token BAD "ill-formed number"
%token <i> INT "integer"
%token <f> FLOAT "number"
%token <atom> IMPORT "'import'" PLUGIN "'plugin'" OPTION "'option'" GRAPH "'graph'" DEF "'def'" PARAM "'param'"
%token <atom> RETURN "'return'" FOR "'for'" IN "'in'" IF "'if'" THEN "'then'" ELSE "'else'" TRAIN "'train'"
%token <atom> EVALUATE "'evaluate'" ON "'on'" AS "'as'" SHOW "'show'" SAVE "'save'" TEST "'test'" EXPECT "'expect'"
%token <atom> RECOMPUTE "'recompute'" TRUE "'true'" FALSE "'false'" AND "'and'" OR "'or'" NOT "'not'" VJP "'vjp'"
%token WHERE "'where'" EDITION "'cg'" CLAIM "'claim'" OVER "'over'"
%token ARROW "'->'" DOTDOT "'..'" FLOOR "'//'" EQ "'=='" NE "'!='" LE "'<='" GE "'>='"

%type <atom>   choice word any_word path key_word compare_op
%type <expr>   expr arrow range or and not compare sum term unary power postfix atom list record item dim
%type <expr>   on_opt first_key part claimed
%type <type>   type one_type
%type <stmt>   top stmt bind if_stmt
%type <arg>    place arg field entry as_opt
%type <param>  param
%type <items>  loops contracts exprs items dims dim_list types type_list results stmts
%type <fields> places place_list args arg_list fields entries
%type <params> params param_list
%type <names>  names choices
%type <loop>   loop
%type <block>  body

%%

start: START_FILE edition tops
     | START_EXPR expr                                     { p->expr = $expr; }
     | START_SIG '(' params ')' ARROW type_list            { p->sig = cg_make_sig(p, @$, $params, $type_list); }
     | START_SIG '(' params ')' ARROW '(' type_list ')'    { p->sig = cg_make_sig(p, @$, $params, $type_list); }
     ;

/* ---- statements ---- */

edition: %empty
       | EDITION INT                        { CgStmt *s = cg_make_plain(p, CG_STMT_EDITION, @$);
                                              s->a = cg_make_expr(p, CG_EXPR_INT, @INT); s->a->i = $INT;
                                              cg_items_push(p, &p->top, s); }
       ;
tops: %empty | tops top                     { cg_items_push(p, &p->top, $top); } ;

top: IMPORT path                            { $$ = cg_make_import(p, @$, $path, @path, NULL, NULL); }
   | IMPORT path AS NAME                    { CgExpr *as = cg_make_name(p, CG_EXPR_NAME, @NAME, $NAME);
                                              $$ = cg_make_import(p, @$, $path, @path, as, NULL); }
   | IMPORT path ':' names                  { $$ = cg_make_import(p, @$, $path, @path, NULL, &$names); }
   | PLUGIN STRING                          { $$ = cg_make_plain(p, CG_STMT_PLUGIN, @$);
                                              $$->a = cg_make_name(p, CG_EXPR_STRING, @2, $2); }
   | OPTION NAME ':' type '=' expr          { $$ = cg_make_named(p, CG_STMT_OPTION, @$, $NAME, @NAME);
                                              $$->type = $type; $$->a = $expr; }
   | GRAPH NAME '(' params ')' results contracts body
                                            { $$ = cg_make_named(p, CG_STMT_GRAPH, @$, $NAME, @NAME);
                                              $$->params = $params.at; $$->nparams = $params.n;
                                              $$->results = (CgTypeExpr **)$results.at; $$->nresults = $results.n;
                                              $$->contracts = (CgExpr **)$contracts.at; $$->ncontracts = $contracts.n;
                                              $$->body = $body; }
   | DEF NAME '(' params ')' contracts '=' expr
                                            { $$ = cg_make_named(p, CG_STMT_DEF, @$, $NAME, @NAME);
                                              $$->params = $params.at; $$->nparams = $params.n; $$->a = $expr;
                                              $$->contracts = (CgExpr **)$contracts.at; $$->ncontracts = $contracts.n; }
   | SHOW exprs                             { $$ = cg_make_stmt(p, CG_STMT_SHOW, @$, (CgNames){ 0 }, $exprs); }
   | SAVE expr[value] AS expr[to]           { $$ = cg_make_plain(p, CG_STMT_SAVE, @$); $$->a = $value; $$->b = $to; }
   | TEST STRING body                       { $$ = cg_make_named(p, CG_STMT_TEST, @$, $STRING, @STRING);
                                              $$->body = $body; }
   | CLAIM claimed body                     { $$ = cg_make_plain(p, CG_STMT_CLAIM, @$); $$->a = $claimed;
                                              $$->body = $body; }
   | bind
   | error SYNC                             { $$ = cg_make_plain(p, CG_STMT_ERROR, @$); yyerrok; }
   ;

claimed: STRING                             { $$ = cg_make_name(p, CG_EXPR_STRING, @$, $1); }
   | TEXT                                   { $$ = text(p, @$); }
   ;
bind: names '=' exprs                       { $$ = cg_make_stmt(p, CG_STMT_BIND, @$, $names, $exprs); } ;

body: '{' stmts '}'                         { $$ = cg_make_block($stmts, @$); } ;
stmts: %empty                               { $$ = (CgItems){ 0 }; }
     | stmts[list] stmt                     { cg_items_push(p, &$list, $stmt); $$ = $list; }
     ;
stmt: bind
    | PARAM names ':' type '=' expr         { $$ = cg_make_stmt(p, CG_STMT_PARAM, @$, $names, (CgItems){ 0 });
                                              $$->type = $type; $$->a = $expr; }
    | FOR names IN expr body                { $$ = cg_make_stmt(p, CG_STMT_FOR, @$, $names, (CgItems){ 0 });
                                              $$->a = $expr; $$->body = $body; }
    | if_stmt
    | RETURN exprs                          { $$ = cg_make_stmt(p, CG_STMT_RETURN, @$, (CgNames){ 0 }, $exprs); }
    | VJP '(' params ')' body               { $$ = cg_make_plain(p, CG_STMT_VJP, @$);
                                              $$->params = $params.at; $$->nparams = $params.n; $$->body = $body; }
    | SHOW exprs                            { $$ = cg_make_stmt(p, CG_STMT_SHOW, @$, (CgNames){ 0 }, $exprs); }
    | EXPECT expr                           { $$ = cg_make_plain(p, CG_STMT_EXPECT, @$); $$->a = $expr; }
    | EXPECT expr OVER names                { $$ = cg_make_stmt(p, CG_STMT_EXPECT, @$, $names, (CgItems){ 0 });
                                              $$->a = $expr; }
    | error SYNC                            { $$ = cg_make_plain(p, CG_STMT_ERROR, @$); yyerrok; }
    ;
if_stmt: IF expr body                       { $$ = cg_make_if(p, @$, $expr, $body, (CgBlock){ 0 }); }
    | IF expr body[yes] ELSE body[no]       { $$ = cg_make_if(p, @$, $expr, $yes, $no); }
    | IF expr body[yes] ELSE if_stmt[no]    { CgItems one = { 0 };
                                              cg_items_push(p, &one, $no);
                                              $$ = cg_make_if(p, @$, $expr, $yes, cg_make_block(one, @no)); }
    ;

names: NAME                                        { $$ = (CgNames){ 0 }; cg_names_push(p, &$$, $NAME, @NAME); }
     | names[list] ',' NAME                        { cg_names_push(p, &$list, $NAME, @NAME); $$ = $list; }
     ;
exprs: expr                                        { $$ = (CgItems){ 0 }; cg_items_push(p, &$$, $expr); }
     | exprs[list] ',' expr                        { cg_items_push(p, &$list, $expr); $$ = $list; }
     ;
path: NAME
    | path[head] '.' any_word               { $$ = cg_intern(cg_arena_printf(p->arena, "%s.%s", $head, $any_word)); }
    ;

params: %empty                                     { $$ = (CgParams){ 0 }; }
      | param_list comma                           { $$ = $param_list; }
      ;
param_list: param                                  { $$ = (CgParams){ 0 }; cg_params_push(p, &$$, $param); }
      | param_list[list] ',' param                 { cg_params_push(p, &$list, $param); $$ = $list; }
      ;
param: NAME                                        { $$ = (CgParam){ $NAME, @NAME, NULL, NULL }; }
     | NAME ':' type                               { $$ = (CgParam){ $NAME, @NAME, $type, NULL }; }
     | NAME ':' type '=' expr                      { $$ = (CgParam){ $NAME, @NAME, $type, $expr }; }
     | NAME '=' expr                               { $$ = (CgParam){ $NAME, @NAME, NULL, $expr }; }
     ;
results: %empty                                    { $$ = (CgItems){ 0 }; }
       | ARROW type_list                           { $$ = $type_list; }
       ;
/* `where` is a word of the language here only (tokens.c). */
contracts: %empty                                  { $$ = (CgItems){ 0 }; }
       | WHERE exprs                               { $$ = $exprs; }
       ;
comma: %empty | ',' ;

/* ---- types ---- */

type: one_type
    | type[list] '|' one_type                      { $$ = cg_make_either_type(p, @$, $list, $one_type); }
    ;
one_type: NAME                                     { $$ = cg_make_type(p, @$, $NAME, NULL); }
    | NAME '[' dims ']'                            { $$ = cg_make_type(p, @$, $NAME, &$dims); }
    | NAME '(' dim ')'                             { $$ = cg_make_index_type(p, @$, $NAME, @NAME, $dim, NULL); }
    | NAME '(' dim ')' '[' dims ']'                { $$ = cg_make_index_type(p, @$, $NAME, @NAME, $dim, &$dims); }
    | GRAPH                                        { $$ = cg_make_graph_type(p, @$, $GRAPH, NULL, NULL); }
    | GRAPH '(' types ')' ARROW one_type[result]   { $$ = cg_make_graph_type(p, @$, $GRAPH, &$types, $result); }
    | '{' choices '}'                              { $$ = cg_make_choice_type(p, @$, $choices); }
    ;
choices: choice                                    { $$ = (CgNames){ 0 }; cg_names_push(p, &$$, $choice, @choice); }
    | choices[list] ',' choice                     { cg_names_push(p, &$list, $choice, @choice); $$ = $list; }
    ;
choice: any_word | STRING ;
types: %empty                                      { $$ = (CgItems){ 0 }; }
     | type_list comma                             { $$ = $type_list; }
     ;
type_list: type                                    { $$ = (CgItems){ 0 }; cg_items_push(p, &$$, $type); }
     | type_list[list] ',' type                    { cg_items_push(p, &$list, $type); $$ = $list; }
     ;
dims: %empty                                       { $$ = (CgItems){ 0 }; }
    | dim_list comma                               { $$ = $dim_list; }
    ;
dim_list: dim                                      { $$ = (CgItems){ 0 }; cg_items_push(p, &$$, $dim); }
    | dim_list[list] ',' dim                       { cg_items_push(p, &$list, $dim); $$ = $list; }
    ;
dim: item ;

/* ---- expressions, loosest first ---- */

expr: arrow
    | IF expr[c] THEN expr[yes] ELSE expr[no]      { $$ = cg_make_two(p, CG_EXPR_IF, @$, @1, $yes, $no);
                                                     $$->c = $c; $$ = cg_make_done(p, $$); }
    ;
arrow: or
     | or[a] ARROW or[b]                           { $$ = cg_make_done(p, cg_make_two(p, CG_EXPR_ARROW, @$, @2, $a, $b)); }
     ;
or: and
  | or[a] OR and[b]                                { $$ = cg_make_binary(p, @$, @2, "or", $a, $b); }
  ;
and: not
   | and[a] AND not[b]                             { $$ = cg_make_binary(p, @$, @2, "and", $a, $b); }
   ;
not: compare
   | NOT not[a]                                    { $$ = cg_make_unary(p, @$, @1, "not", $a); }
   ;
compare: range
   | range[a] compare_op range[b]                  { $$ = cg_make_binary(p, @$, @2, $2, $a, $b); }
   ;
compare_op: EQ { $$ = "=="; } | NE { $$ = "!="; }
          | '<' { $$ = "<"; } | LE { $$ = "<="; } | '>' { $$ = ">"; } | GE { $$ = ">="; }
          ;
range: sum
   | sum[a] DOTDOT sum[b]                          { $$ = cg_make_done(p, cg_make_two(p, CG_EXPR_RANGE, @$, @2, $a, $b)); }
   ;
sum: term
   | sum[a] '+' term[b]                            { $$ = cg_make_binary(p, @$, @2, "+", $a, $b); }
   | sum[a] '-' term[b]                            { $$ = cg_make_binary(p, @$, @2, "-", $a, $b); }
   ;
term: unary
   | term[a] '*' unary[b]                          { $$ = cg_make_binary(p, @$, @2, "*", $a, $b); }
   | term[a] '/' unary[b]                          { $$ = cg_make_binary(p, @$, @2, "/", $a, $b); }
   | term[a] FLOOR unary[b]                        { $$ = cg_make_binary(p, @$, @2, "//", $a, $b); }
   | term[a] '%' unary[b]                          { $$ = cg_make_binary(p, @$, @2, "%", $a, $b); }
   | term[a] '@' unary[b]                          { $$ = cg_make_binary(p, @$, @2, "@", $a, $b); }
   ;
unary: power
   | '-' unary[a]                                  { $$ = cg_make_unary(p, @$, @1, "-", $a); }
   | RECOMPUTE unary[a]                            { $$ = cg_make_done(p, cg_make_two(p, CG_EXPR_RECOMPUTE, @$, @1, $a, NULL)); }
   ;
power: postfix
   | postfix[a] '^' unary[b]                       { $$ = cg_make_binary(p, @$, @2, "^", $a, $b); }
   ;
postfix: atom
   | postfix[a] '(' args ')'                       { $$ = cg_make_call(p, CG_EXPR_CALL, @$, cg_span_join(@2, @4), $a, $args); }
   | postfix[a] '.' any_word                       { $$ = cg_make_two(p, CG_EXPR_FIELD, @$, @any_word, $a, NULL);
                                                     $$->s = $any_word; $$ = cg_make_done(p, $$); }
   | postfix[a] '[' places ']'                     { $$ = cg_make_call(p, CG_EXPR_INDEX, @$, cg_span_join(@2, @4), $a, $places); }
   ;
atom: NAME                                         { $$ = cg_make_name(p, CG_EXPR_NAME, @$, $1); }
   | STRING                                        { $$ = cg_make_name(p, CG_EXPR_STRING, @$, $1); }
   | TEXT                                          { $$ = text(p, @$); }
   | INT                                           { $$ = cg_make_expr(p, CG_EXPR_INT, @$); $$->i = $1; }
   | BAD                                           { $$ = cg_make_expr(p, CG_EXPR_ERROR, @$); }
   | FLOAT                                         { $$ = cg_make_expr(p, CG_EXPR_FLOAT, @$); $$->f = $1; }
   | TRUE                                          { $$ = cg_make_expr(p, CG_EXPR_BOOL, @$); $$->i = 1; }
   | FALSE                                         { $$ = cg_make_expr(p, CG_EXPR_BOOL, @$); }
   | '(' expr[a] ')'                               { $$ = $a; }
   | list
   | record
   | TRAIN expr[a] as_opt '{' fields '}'           { $$ = cg_make_call(p, CG_EXPR_TRAIN, @$, @1, $a, $fields);
                                                     $$->s = $as_opt.name; $$->s_span = $as_opt.name_span; }
   | EVALUATE expr[a] on_opt as_opt '{' fields '}' 
                                                   { $$ = cg_make_call(p, CG_EXPR_EVALUATE, @$, @1, $a, $fields);
                                                     $$->s = $as_opt.name; $$->s_span = $as_opt.name_span; $$->b = $on_opt; $$ = cg_make_done(p, $$); }
   ;
as_opt: %empty { $$ = (CgArg){ 0 }; } | AS NAME   { $$ = (CgArg){ .name = $NAME, .name_span = @NAME }; } ;
on_opt: %empty { $$ = NULL; } | ON expr            { $$ = $expr; } ;

places: %empty                                     { $$ = (CgFields){ 0 }; }
    | place_list comma                             { $$ = $place_list; }
    ;
place_list: place                                  { $$ = (CgFields){ 0 }; cg_fields_push(p, &$$, $place); }
    | place_list[list] ',' place                   { cg_fields_push(p, &$list, $place); $$ = $list; }
    ;
place: part                                        { $$ = (CgArg){ NULL, { 0, 0, 0 }, $part, false, NULL }; }
   | NAME '=' part                                 { $$ = (CgArg){ $NAME, @NAME, $part, false, NULL }; }
   ;
part: expr
   | sum[a] DOTDOT                                 { $$ = cg_make_done(p, cg_make_two(p, CG_EXPR_RANGE, @$, @2, $a, NULL)); }
   | DOTDOT sum[b]                                 { $$ = cg_make_done(p, cg_make_two(p, CG_EXPR_RANGE, @$, @1, NULL, $b)); }
   | DOTDOT                                        { $$ = cg_make_two(p, CG_EXPR_RANGE, @$, @1, NULL, NULL); }
   ;

args: %empty                                       { $$ = (CgFields){ 0 }; }
    | arg_list comma                               { $$ = $arg_list; }
    ;
arg_list: arg                                      { $$ = (CgFields){ 0 }; cg_fields_push(p, &$$, $arg); }
    | arg_list[list] ',' arg                       { cg_fields_push(p, &$list, $arg); $$ = $list; }
    ;
arg: expr                                          { $$ = (CgArg){ NULL, { 0, 0, 0 }, $expr, false, NULL }; }
   | word '=' expr                                 { $$ = (CgArg){ $word, @word, $expr, false, NULL }; }
   ;

fields: %empty                                     { $$ = (CgFields){ 0 }; }
    | fields[list] field comma                     { cg_fields_push(p, &$list, $field); $$ = $list; }
    | fields[list] error SYNC                      { $$ = $list; yyerrok; }
    ;
field: word '=' expr                               { $$ = (CgArg){ $word, @word, $expr, false, NULL }; } ;

list: '[' items ']'                                { $$ = cg_make_list(p, @$, $items); }
    | '[' expr loops ']'                           { $$ = cg_make_loop(p, CG_EXPR_LIST_FOR, @$, NULL, $expr, $loops); }
    ;
items: %empty                                      { $$ = (CgItems){ 0 }; }
    | dim_list comma                               { $$ = $dim_list; }
    ;
item: expr
    | DOTDOT NAME                                  { $$ = cg_make_name(p, CG_EXPR_ROW, @$, $NAME); }
    ;
loops: loop                                        { $$ = (CgItems){ 0 }; cg_items_push(p, &$$, $loop); }
    | loops[list] loop                             { cg_items_push(p, &$list, $loop); $$ = $list; }
    ;
loop: FOR names IN expr                            { $$ = cg_make_head(p, $names, $expr, NULL); }
    | FOR names IN expr[over] IF expr[filter]      { $$ = cg_make_head(p, $names, $over, $filter); }
    ;

record: '{' '}'                                    { $$ = cg_make_record(p, @$, NULL, NULL, (CgFields){ 0 }); }
    | '{' first_key ':' expr comma entries '}'     { $$ = cg_make_record(p, @$, $first_key, $expr, $entries); }
    | '{' first_key ':' expr loops '}'             { $$ = cg_make_loop(p, CG_EXPR_RECORD_FOR, @$, $first_key, $expr, $loops); }
    ;
first_key: expr
    | key_word                                     { $$ = cg_make_name(p, CG_EXPR_NAME, @$, $1); }
    ;
entries: %empty                                    { $$ = (CgFields){ 0 }; }
    | entries[list] entry comma                    { cg_fields_push(p, &$list, $entry); $$ = $list; }
    ;
entry: word ':' expr                               { $$ = (CgArg){ $word, @word, $expr, false, NULL }; }
    | STRING ':' expr                              { $$ = (CgArg){ $STRING, @STRING, $expr, true, NULL }; }
    | TEXT ':' expr                                { $$ = (CgArg){ NULL, @TEXT, $expr, true, text(p, @TEXT) }; }
    ;

/* Keywords that may name a field or an argument, and (after a dot) any of them. */
word: NAME | key_word ;
key_word: IMPORT | PLUGIN | OPTION | GRAPH | DEF | PARAM | RETURN | TRAIN | EVALUATE | SHOW | SAVE | TEST
        | EXPECT | RECOMPUTE | VJP ;
any_word: word | FOR | IN | IF | THEN | ELSE | ON | AS | TRUE | FALSE | AND | OR | NOT ;

%%

static int cg_parse_lex(CG_PARSE_STYPE *value, CgSpan *span, CgParsing *p)
{
    CgToken t;
    cg_tokens_next(p, &t);
    *span = t.span;
    if (t.kind == T_INT) value->i = t.i;
    else if (t.kind == T_FLOAT) value->f = t.f;
    else value->atom = t.atom;
    return t.kind;
}

/* Only called when the parser's stack is full. */
static void cg_parse_error(CgSpan *span, CgParsing *p, const char *message)
{
    (void)message;
    cg_syntax_exhausted(p, *span);
}

const char *cg_parse_token_name(int token)
{
    return token == T_SYNC ? "end of statement" : yysymbol_name(YYTRANSLATE(token));
}

static int yyreport_syntax_error(const yypcontext_t *at, CgParsing *p)
{
    const char *expects[T_GE + 1] = { NULL };
    yysymbol_kind_t symbols[YYNTOKENS];
    int n = yypcontext_expected_tokens(at, symbols, YYNTOKENS);
    for (int token = 0; token <= T_GE; token++)
        for (int i = 0; i < n; i++)
            if (token != T_SYNC && YYTRANSLATE(token) == symbols[i] && symbols[i] != YYSYMBOL_YYUNDEF)
                expects[token] = cg_parse_token_name(token);
    cg_syntax_unexpected(p, *yypcontext_location(at), expects);
    return 0;
}

int cg_parse_run(CgParsing *p)
{
    return cg_parse_parse(p);
}

/* A string with values in it is parsed by this parser: the one place where it calls itself. */
static CgExpr *value_in_text(CgParsing *p, uint32_t from, uint32_t to)
{
    CgParsing q = { .arena = p->arena,
        .diags = p->diags,
        .file = p->file,
        .text = p->text,
        .len = to,
        .pos = from,
        .edition = p->edition,
        .is_expr = true,
        .nerrors = p->nerrors,
        .nvalues = p->nvalues,
        .line_told = p->line_told,
        .told_by_grammar = p->told_by_grammar };
    cg_scan_open(&q);
    cg_parse_run(&q);
    cg_scan_close(&q);
    cg_vec_free(&q.open);
    cg_vec_free(&q.comments);
    p->nerrors = q.nerrors;
    p->nvalues = q.nvalues;
    p->line_told = q.line_told;
    return q.expr ? q.expr : cg_make_expr(p, CG_EXPR_ERROR, (CgSpan){ p->file, from, to });
}

static CgExpr *text(CgParsing *p, CgSpan span)
{
    CgExpr *e = cg_make_expr(p, CG_EXPR_TEXT, span);
    CgFields pieces = { 0 };
    uint32_t at = span.start + 1, end = span.end - 1;
    while (at < end) {
        uint32_t brace = at + (uint32_t)cg_scan_brace(p->text + at, end - at), close = brace + 1;
        if (brace > at) {
            CgExpr *piece =
                cg_make_name(p, CG_EXPR_STRING, (CgSpan){ p->file, at, brace }, cg_scan_literal(p, at, brace));
            cg_fields_push(p, &pieces, (CgArg){ .value = piece });
        }
        if (brace == end)
            break;
        while (close < end && p->text[close] != '}' && p->text[close] != '{')
            close++;
        if (close == end || p->text[close] == '{') {
            CgDiag *d = cg_syntax_error(
                p, CG_E0107, (CgSpan){ p->file, brace, brace + 1 }, "the value that begins here does not end with '}'");
            cg_syntax_help(
                d, "a value in a string has neither quotes nor braces in it: give it a name first; \\{ is a brace");
            break;
        }
        cg_fields_push(p, &pieces, (CgArg){ .value = value_in_text(p, brace + 1, close) });
        at = close + 1;
    }
    e->args = (CgArgs){ pieces.at, pieces.n };
    return cg_make_done(p, e);
}
