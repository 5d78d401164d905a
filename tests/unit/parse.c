/* parse.c - does text become the right tree, are mistakes said well and once, and do limits hold?
 * Takes nothing; prints TAP. Accuses grammar/ and src/lang (scanner, tokens, build, syntax, attach, print).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/fmt.h"
#include "lang/parse.h"
#include "tap.h"

/* Scripts name their cases by their first line. */
static void ok(bool good, const char *name) { tap_ok(good, "%.*s", (int)strcspn(name, "\n"), name); }

typedef struct Parsed {
    char *ast, *messages;
    size_t nmessages;
    int ntop;
} Parsed;

static Parsed parse_n(const char *text, size_t len)
{
    Parsed out = { 0 };
    size_t size;
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgUnit *u = cg_unit_parse(sources, cg_sources_add(sources, "t.cg", text, len), diags);
    FILE *to = open_memstream(&out.ast, &size);
    if (len < 100000)
        cg_unit_print(u, to);
    fclose(to);
    to = open_memstream(&out.messages, &size);
    cg_diags_print(diags, to, false);
    fclose(to);
    out.nmessages = cg_diags_count(diags);
    out.ntop = u->top.n;
    cg_unit_free(u);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return out;
}

static void free_parsed(Parsed *p)
{
    free(p->ast);
    free(p->messages);
}

static void tree(const char *text, const char *expected)
{
    Parsed p = parse_n(text, strlen(text));
    size_t n = strlen(p.ast);
    if (n > 0 && p.ast[n - 1] == '\n')
        p.ast[n - 1] = 0;
    bool good = p.nmessages == 0 && strcmp(p.ast, expected) == 0;
    ok(good, text);
    if (!good)
        printf("# got      %s\n# expected %s\n%s", p.ast, expected, p.messages);
    free_parsed(&p);
}

/* `n` mistakes, the text of which holds `said`. */
static void wrong(const char *text, size_t n, const char *said)
{
    Parsed p = parse_n(text, strlen(text));
    bool good = p.nmessages == n && strstr(p.messages, said);
    ok(good, said);
    if (!good)
        printf("# in: %s\n# got %zu, expected %zu:\n%s", text, p.nmessages, n, p.messages);
    free_parsed(&p);
}

static void expressions(void)
{
    tree("x = 1 + 2 * 3 ^ -y ^ 2", "(bind x (+ 1 (* 2 (^ 3 (- (^ y 2))))))");
    tree("x = a - b - c @ d / e", "(bind x (- (- a b) (/ (@ c d) e)))");
    tree("x = not a == b and c or d", "(bind x (or (and (not (== a b)) c) d))");
    tree("x = -a.b(c)[d]", "(bind x (- (index (call (. a b) c) d)))");
    tree("x = recompute b(y) + z", "(bind x (+ (recompute (call b y)) z))");
    tree("x = [i for i in 0..2*n if i % 3 != 1]", "(bind x (list-for (i) (.. 0 (* 2 n)) i if (!= (% i 3) 1)))");
    tree("cg 2 x = \"a{b + 1}\\{{c}\"", "(cg 2)\n(bind x (text \"a\" (+ b 1) \"{\" c))");
    tree("cg 2 x = { \"{a}\": 1, b: 2 }", "(cg 2)\n(bind x (record ((text a) 1) (:b 2)))");
    tree("x = [a for a in b for c in d if c]", "(bind x (list-for (a) b (and-for (c) d a if c)))");
    tree("x = { a: c for a in b for c, d in e }", "(bind x (record-for (a) b (and-for (c d) e a c)))");
    tree("x = [..s, heads*K] -> [..s, heads, K]", "(bind x (-> (list (row s) (* heads K)) (list (row s) heads K)))");
    tree("x = if a then b else if c then d else e", "(bind x (if a b (if c d e)))");
    tree("x = 1e-3 + 2_000 + 0.5 + 12.25e2", "(bind x (+ (+ (+ (float 0.001) 2000) (float 0.5)) (float 1225)))");
    tree("x = f(a, n = 3,) y = g()", "(bind x (call f a (:n 3)))\n(bind y (call g))");
    tree("x = f[i] y = f[B, ..s] z = f[]", "(bind x (index f i))\n(bind y (index f B (.. _ s)))\n(bind z (index f))");
    tree("x = f[.., 0..T-1] y = f[B = 1.., T = ..2] z = f[-1, ..]",
        "(bind x (index f (.. _ _) (.. 0 (- T 1))))\n(bind y (index f (:B (.. 1 _)) (:T (.. _ 2))))\n"
        "(bind z (index f (- 1) (.. _ _)))");
    tree("x = text.test.for.train", "(bind x (. (. (. text test) for) train))");
    tree("x = { a: 1, \"b c\": 2 test: 3, }", "(bind x (record (:a 1) (\"b c\" 2) (:test 3)))");
    tree("x = { train: a, test: b }", "(bind x (record (:train a) (:test b)))");
    tree("x = { k: v for k, v in r if v > 2.5 }", "(bind x (record-for (k v) r k v if (> v (float 2.5))))");
    tree("x = { f(k): 1 for k in r }", "(bind x (record-for (k) r (call f k) 1))");
    tree("x = {} y = []", "(bind x (record))\n(bind y (list))");
    tree("x = \"a\\n\\t\\\"\\\\\\u{e9}\\u{1f600}\"", "(bind x \"a\\n\\t\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\")");
    tree("a, b = f(1), g(2)\nc = a", "(bind (a b) (call f 1) (call g 2))\n(bind c a)");
    tree("m = train net(3) as n { loss = f(n), steps = 7\nbatch = 5 }",
        "(bind m (train (call net 3) as n (:loss (call f n)) (:steps 7) (:batch 5)))");
    tree("e = evaluate m on d as n { a = n(b) test = 2 }", "(bind e (evaluate m on d as n (:a (call n b)) (:test 2)))");
    tree("x = (train m { a = 1 }).loss", "(bind x (. (train m (:a 1)) loss))");
    tree("x = if a then b else { c: 1 }", "(bind x (if a b (record (:c 1))))");
    tree("x = true y = false", "(bind x true)\n(bind y false)");
}

static void statements(void)
{
    tree("import graphs.transformer plugin \"x.so\"", "(import graphs.transformer)\n(plugin \"x.so\")");
    tree("option n: int = 3 ## how many\n## width\n## of all\noption w: float = 0.5",
        "(option n doc \"how many\" int 3)\n(option w doc \"width\\nof all\" float (float 0.5))");
    tree("## not this\n\n## this\n\ngraph f() { }", "(graph f doc \"this\" ())");
    tree("# no\ndef f(x, y: int = 3, m = causal) = x", "(def f ((x _) (y int 3) (m _ causal)) x)");
    tree("graph g(x: f32[..s, D/2], a: graph(f32[..s]) -> f32[..s], m: graph, q: any) -> f32[..s], i32 { "
         "return x, 1 }",
        "(graph g ((x (f32 (row s) (/ D 2))) (a (graph-type ((f32 (row s))) (f32 (row s)))) (m graph) (q "
        "any)) -> (f32 (row s)) i32\n  (return x 1))");
    tree("graph g(x: f32[N]) { param a, b: f32[N] = zeros() for i, j in x { y = i } if a { z = 1 } else if b "
         "{ z = 2 } else { z = 3 } vjp(d) { return d } return y }",
        "(graph g ((x (f32 N)))\n  (param (a b) (f32 N) (call zeros))\n  (for (i j) x\n    (bind y i))\n  "
        "(if a\n    (bind z 1)\n    else\n    (if b\n      (bind z 2)\n"
        "      else\n      (bind z 3)))\n  (vjp ((d _))\n    (return d))\n  (return y))");
    tree("show a, b save f(c) as \"x\" test \"t\" { y = 3 expect y == 3 }",
        "(show a b)\n(save (call f c) \"x\")\n(test \"t\"\n  (bind y 3)\n  (expect (== y 3)))");
}

static void mistakes(void)
{
    wrong("x = 3 + * y z\ny = f(a b,\n      c = 2)\nz = 4 4\nw = 5", 3, "t.cg:2:9");
    wrong("graph f(x) {\n  y = (1\n  z = 2\n  w = ]\n}\nv = 1 1", 3, "t.cg:2:9: error[E0102]: '(' is not closed");
    wrong("graph f(x) {\n  y = 1\n\ngraph g(x) {\n  return x\n}", 1, "t.cg:2:8: error[E0102]: '{' is not closed");
    wrong("x = f(1, [2, 3)\ny = 2", 1, "'[' is not closed before ')'");
    wrong("x = (1", 1, "'(' is not closed before the end of the file");
    wrong("x = 1 }\ny = 2", 1, "'}' closes nothing");
    wrong("test = 3", 1, "'test' is a word of the language");
    wrong("graph g(in: f32[N]) { return x }", 1, "'in' is a word of the language");
    wrong("x = 'a'", 1, "write \"...\" instead");
    wrong("x = a // two words", 1, "comments begin with '#'");
    wrong("x = a ** 2; y = !a && b || c", 5, "powers are written x ^ 2");
    wrong("x = 9223372036854775808", 1, "does not fit in 64 bits");
    wrong("x = 1e999", 1, "too large for a float");
    wrong("x = 12abc y = 1__0 z = 3_", 3, "'1__0' is not a number");
    wrong("x = \"abc\ny = 2", 1, "does not end on its line");
    wrong("x = \"\\q \\u{d800} \\u{} \\u{110000}\"", 4, "unknown escape");
    wrong("x = \xff", 1, "byte 0xff is not UTF-8");
    wrong("x = 1 # \xc3(\ny = \"\x01\"", 2, "control character 0x01");
    wrong("x = \xc3\xa9 r\xc3\xa9sum\xc3\xa9 = 3", 2, "'r\xc3\xa9sum\xc3\xa9' is not a name");
    wrong("x = \xe2\x80\x9cweb\xe2\x80\x9d", 1, "straight double quotes");
    wrong("option n: flaot = 1 option s: string = 1 option d: int[3] = 1", 3, "did you mean 'str'?");
    wrong("graph g(x: f32[a.b, 1.5, x(2)]) { return x }", 3, "not a dimension");
    wrong("test \"t\" { param w: f32[3] = zeros() return 3 } claim \"c\" { show 1 }", 3,
        "a claim holds expectations only");
    wrong("x = f(a = 1, a = 2) y = { b: 1, b: 2 } def g(c, c) = 1 z = train m { d = 1 d = 2 }", 4,
        "the parameter 'c' is given twice");
    wrong("x = { 1 + 2: 3 }", 1, "the key of a record is a name or a string");
    wrong("x = [a for b, c, d in e]", 1, "a loop has one or two names");
    wrong("m = train net {\n  data = * 2\n  loss = 3\n  steps = 4 4\n}\nx = 3", 2, "t.cg:4:13");
}

static void hints(void)
{
    static const struct {
        const char *help, *example;
    } rows[] = {
#define X(condition, help, example) { help, example },
#include "../../grammar/hints.def"
#undef X
    };
    for (size_t i = 0; i < CG_LEN(rows); i++) {
        Parsed p = parse_n(rows[i].example, strlen(rows[i].example));
        bool good = p.nmessages > 0 && strstr(p.messages, rows[i].help);
        ok(good, rows[i].example);
        if (!good)
            printf("# expected %s\n%s", rows[i].help, p.messages);
        free_parsed(&p);
    }
}

static char *repeat(const char *head, const char *piece, size_t times, const char *tail)
{
    size_t h = strlen(head), n = strlen(piece), t = strlen(tail);
    char *s = cg_malloc(h + n * times + t + 1), *at = s + h;
    memcpy(s, head, h);
    for (size_t i = 0; i < times; i++, at += n)
        memcpy(at, piece, n);
    memcpy(at, tail, t + 1);
    return s;
}

static void limit(
    const char *name, const char *head, const char *piece, size_t times, const char *tail, const char *said)
{
    char *text = repeat(head, piece, times, tail);
    Parsed p = parse_n(text, strlen(text));
    bool good = said ? p.nmessages > 0 && strstr(p.messages, said) : p.nmessages == 0;
    ok(good, name);
    if (!good)
        printf("# %zu messages: %.300s\n", p.nmessages, p.messages);
    free_parsed(&p);
    free(text);
}

static void limits(void)
{
    limit("ten million brackets", "x = ", "(", 10u << 20, "", "too long");
    limit("three million brackets", "x = ", "(", 3u << 20, "", "brackets are open here");
    limit("199 brackets are fine", "x = ", "[", 199, "1 ]]]", "not closed");
    limit("many braces", "graph f() ", "{ if a ", 1000, "", "brackets are open here");
    limit("a long sum", "x = 1", " + 1", 100000, "", "levels deep");
    limit("a sum of 400", "x = 1", " + 1", 400, "", NULL);
    limit("many signs", "x = ", "-", 100000, "1", "deep");
    limit("many nots", "x = ", "not ", 100000, "1", "deep");
    limit("a long if", "x = ", "if a then b else ", 100000, "1", "deep");
    limit("else if without end", "graph f() { if a { }", " else if a { }", 100000, " }", "deep");
    limit("a long chain", "x = f", ".a", 100000, "", "levels deep");
    limit("calls of calls", "x = f", "()", 100000, "", "levels deep");
    limit("a long arrow type", "option x: ", "graph() -> ", 100000, "int = 1", "deep");
    limit("a long list is fine", "x = [", "1.5, ", 100000, "]", NULL);
    limit("many statements are fine", "", "abc = deg(7)\n", 100000, "", NULL);
    limit("a long string is fine", "x = \"", "abcdefg", 100000, "\"", NULL);
    limit("a long number", "x = ", "7", 100000, "", "64 bits");
    limit("errors without end", "", "x = *\n", 100000, "", "more");
    limit("bytes without end", "", "\x80", 100000, "", "UTF-8");
    Parsed p = parse_n("x = 1\0y = 2", 11);
    ok(p.nmessages == 1 && strstr(p.messages, "control character 0x00"), "NUL is a mistake");
    free_parsed(&p);
    p = parse_n("", 0);
    ok(p.nmessages == 0 && p.ntop == 0, "nothing is a script");
    free_parsed(&p);
}

/* The one-line form of an expression reads back as the same tree. */
static void one_line(const char *text, const char *expected)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgUnit *u = cg_unit_parse(sources, cg_sources_add(sources, "t.cg", text, strlen(text)), diags);
    CgStrbuf out = { 0 }, again = { 0 };
    cg_strbuf_puts(&again, "x = ");
    if (u->top.n == 1 && u->top.at[0]->nexprs == 1)
        cg_expr_format(u->top.at[0]->exprs[0], &out);
    cg_strbuf_puts(&again, cg_strbuf_str(&out));
    Parsed first = parse_n(text, strlen(text)), second = parse_n(again.at, again.len);
    ok(strcmp(cg_strbuf_str(&out), expected) == 0 && strcmp(first.ast, second.ast) == 0, expected);
    if (strcmp(cg_strbuf_str(&out), expected) != 0)
        printf("# got %s\n", cg_strbuf_str(&out));
    free_parsed(&first);
    free_parsed(&second);
    cg_strbuf_deinit(&out);
    cg_strbuf_deinit(&again);
    cg_unit_free(u);
    cg_diags_free(diags);
    cg_sources_free(sources);
}

static void lines(void)
{
    one_line("x = (a+b)*c-(d-e)", "(a + b) * c - (d - e)");
    one_line("x = -(a+b)^2 ^ -(c)", "-(a + b)^2^-c");
    one_line("x = (-a)^2", "(-a)^2");
    one_line("x = (a^b)^c", "(a^b)^c");
    one_line("x = not (a and b) or c==(d<e)", "not (a and b) or c == (d < e)");
    one_line("x = f(a, n=3)[i].k[B,..s]", "f(a, n = 3)[i].k[B, ..s]");
    one_line("x = [T, heads * K] -> [heads,T+1]", "[T, heads*K] -> [heads, T + 1]");
    one_line("x = {a:1,\"b c\":[2.50]}", "{ a: 1, \"b c\": [2.5] }");
    one_line("x = {k:v for k,v in r if v>1e-5}", "{ k: v for k, v in r if v > 1e-05 }");
    one_line("x = (if a then b else c)+(recompute d(e))", "(if a then b else c) + recompute d(e)");
    one_line("x = evaluate m on d as n {a=1 b=0..n}", "evaluate m on d as n { a = 1, b = 0..n }");
    one_line("x = f[[3]]", "f[[3]]");
    one_line("x = \"\\u{1}\\t\\\"\"", "\"\\u{1}\\t\\\"\"");
}

static void signatures(void)
{
    CgArena *arena = cg_arena_new();
    CgStmt *s = cg_sig_parse(arena, "softmax", "(x: F[..s], axis: axis = -1) -> F[..s]", NULL);
    ok(s && s->nparams == 2 && s->nresults == 1 && strcmp(s->names[0], "softmax") == 0, "a signature");
    ok(s && s->params[0].type->kind == CG_TYPE_TENSOR && s->params[0].type->ndims == 1
            && s->params[0].type->dims[0]->kind == CG_EXPR_ROW,
        "a dtype variable with a row");
    ok(s && s->params[1].type->kind == CG_TYPE_SCALAR && s->params[1].init->kind == CG_EXPR_UNARY,
        "an attribute with its default");
    s = cg_sig_parse(arena, "pair", "(x: T, dims: dim | dim[]) -> (F[B, D], F[D])", NULL);
    ok(s && s->nresults == 2 && s->params[0].type->ndims == -1, "two results");
    s = cg_sig_parse(arena, "cast", "(x: T[..s], to: dtype | str) -> U[..s]", NULL);
    ok(s && s->results[0]->kind == CG_TYPE_TENSOR && s->params[1].type->kind == CG_TYPE_EITHER
            && s->params[1].type->nparams == 2,
        "another dtype variable, and one of two kinds");
    s = cg_sig_parse(
        arena, "corpus", "(path: str | str[], split: { train, \"the rest\" } = \"train\") -> corpus", NULL);
    ok(s && s->params[0].type->params[1]->kind == CG_TYPE_SCALAR && s->params[0].type->params[1]->ndims == 0
            && s->params[1].type->kind == CG_TYPE_CHOICE && s->params[1].type->nchoices == 2,
        "a list of strings, and one of two strings");
    ok(!cg_sig_parse(arena, "bad", "(x: F[) -> F", NULL), "an ill-formed signature");
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    ok(!cg_sig_parse(arena, "bad", "(x F) -> F", diags) && cg_diags_count(diags) == 1,
        "an ill-formed signature is reported");
    cg_diags_free(diags);
    cg_sources_free(sources);
    cg_arena_free(arena);
}

int main(void)
{
    expressions();
    statements();
    mistakes();
    hints();
    limits();
    signatures();
    lines();
    return tap_done();
}
