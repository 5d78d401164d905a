/* diag.c - do mistakes look as they must?
 * Takes nothing; prints TAP. Accuses src/base/diag.c, diag_text.c, source.c. */
#include <stdlib.h>

#include "base/diag.h"
#include "tap.h"

static CgSources *sources;

static uint32_t file(const char *name, const char *text) { return cg_sources_add(sources, name, text, strlen(text)); }

/* The span of the first `words` at or after `after` in a text. */
static CgSpan at(uint32_t f, const char *words)
{
    const CgSource *s = cg_sources_get(sources, f);
    const char *found = strstr(s->text, words);
    if (!found)
        return (CgSpan){ 0 };
    uint32_t start = (uint32_t)(found - s->text);
    return (CgSpan){ f, start, start + (uint32_t)strlen(words) };
}

static void looks(CgDiags *d, const char *expected, const char *name)
{
    CgStrbuf b = { 0 };
    cg_diags_text(d, &b, false);
    tap_is(cg_strbuf_str(&b), expected, name);
    cg_strbuf_deinit(&b);
    cg_diags_free(d);
}

static void test_the_whole(void)
{
    uint32_t model = file("graphs/transformer.cg",
        "## attention\n\ngraph a(x: f32[B, T, D]) -> f32[B, T, D] {\n"
        "    param wo: f32[512, 512] = normal(std = 0.02)\n\n\n\n\n"
        "    y = einsum(softmax(masked(s, mask), axis = S), v, how) @ wo\n}\n");
    uint32_t script = file("examples/compress.cg", "lm = transformer(vocab = tok.size, dim = 256, layers)\n");
    CgDiags *d = cg_diags_new(sources);
    CgDiag *x = cg_diag(d, CG_E0101, at(model, "@"), "matmul: inner dims differ: %d and %d", 256, 512);
    cg_diag_label(x, at(model, "einsum(softmax(masked(s, mask), axis = S), v, how)"), "f32[B, T, D] with D = 256");
    cg_diag_label(x, (CgSpan){ model, at(model, "@").start + 2, at(model, "@").start + 4 }, "f32[512, 512]");
    cg_diag_note(x, at(script, "256"), "D = 256 comes from here");
    cg_diag_note(x, at(model, "f32[512, 512]"), "512 comes from here");
    cg_diag_help(x, "did you mean f32[D, D]?");
    looks(d,
        "graphs/transformer.cg:9:60: error[E0101]: matmul: inner dims differ: 256 and 512\n"
        "    9 |     y = einsum(softmax(masked(s, mask), axis = S), v, how) @ wo\n"
        "      |         ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ ^ ~~ f32[512, 512]\n"
        "      |         f32[B, T, D] with D = 256\n"
        "note: D = 256 comes from here\n"
        "  examples/compress.cg:1:42 | lm = transformer(vocab = tok.size, dim = 256, layers)\n"
        "      |                                                                ^^^\n"
        "note: 512 comes from here\n"
        "    4 |     param wo: f32[512, 512] = normal(std = 0.02)\n"
        "      |               ^^^^^^^^^^^^^\n"
        "help: did you mean f32[D, D]?\n",
        "a shape error with both origins");
}

static void test_places(void)
{
    uint32_t f = file("w.cg", "na\303\257ve = \346\227\245\346\234\254 + x\n\ttab = y\nlong = a +\n    b + c\nlast");
    CgDiags *d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(f, "x"), "after wide letters");
    looks(d,
        "w.cg:1:14: error[E0101]: after wide letters\n"
        "    1 | na\303\257ve = \346\227\245\346\234\254 + x\n"
        "      |                ^\n",
        "columns count letters, carets count display columns");
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(f, "\346\227\245\346\234\254"), "wide");
    looks(d,
        "w.cg:1:9: error[E0101]: wide\n"
        "    1 | na\303\257ve = \346\227\245\346\234\254 + x\n"
        "      |         ^^^^\n",
        "a wide letter has two carets");
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(f, "y\n"), "after a tab");
    looks(d,
        "w.cg:2:8: error[E0101]: after a tab\n"
        "    2 |     tab = y\n"
        "      |           ^\n",
        "tabs are shown as spaces");
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(f, "a +\n    b"), "two lines");
    looks(d,
        "w.cg:3:8: error[E0101]: two lines\n"
        "    3 | long = a +\n"
        "      |        ^^^\n",
        "a span over two lines is marked to the end of the first");
    d = cg_diags_new(sources);
    uint32_t end = (uint32_t)cg_sources_get(sources, f)->len;
    cg_diag(d, CG_E0101, (CgSpan){ f, end, end }, "the end");
    looks(d,
        "w.cg:5:5: error[E0101]: the end\n"
        "    5 | last\n"
        "      |     ^\n",
        "the end of the text has a place");
    uint32_t empty = file("empty.cg", "");
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, (CgSpan){ empty, 0, 0 }, "nothing");
    looks(d, "empty.cg:1:1: error[E0101]: nothing\n    1 |\n      | ^\n", "an empty text has a place");
    uint32_t raw = file("raw.cg", "a \033[31m \377 \302\205 b\r\nc\r\n");
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(raw, "b"), "raw");
    looks(d,
        "raw.cg:1:13: error[E0101]: raw\n"
        "    1 | a ?[31m ? ? b\n"
        "      |             ^\n",
        "nothing reaches the terminal raw");
    char line[401];
    memset(line, 'n', 400);
    line[400] = 0;
    memcpy(line + 200, " = wrong + ", 11);
    uint32_t l = file("long.cg", line);
    d = cg_diags_new(sources);
    cg_diag(d, CG_E0101, at(l, "wrong"), "far to the right");
    CgStrbuf b = { 0 };
    cg_diags_text(d, &b, false);
    const char *text = strstr(cg_strbuf_str(&b), "| ... "), *caret = strstr(cg_strbuf_str(&b), "^^^^^");
    const char *word = strstr(cg_strbuf_str(&b), "wrong + "), *mark = text ? strchr(text, '\n') : NULL;
    tap_ok(text && caret && word && mark && strlen(text) < 230 && word - (text - 6) == caret - (mark + 1),
        "a long line is cut around the mistake");
    cg_strbuf_deinit(&b);
    cg_diags_free(d);
}

static void test_labels(void)
{
    uint32_t f = file("l.cg", "y = f(alpha, beta, gamma)\nz = delta\n");
    CgDiags *d = cg_diags_new(sources);
    CgDiag *x = cg_diag(d, CG_E0101, at(f, "f"), "three labels");
    cg_diag_label(x, at(f, "gamma"), "third");
    cg_diag_label(x, at(f, "alpha"), "first");
    cg_diag_label(x, at(f, "beta"), "second");
    cg_diag_label(x, at(f, "delta"), "on another line");
    looks(d,
        "l.cg:1:5: error[E0101]: three labels\n"
        "    1 | y = f(alpha, beta, gamma)\n"
        "      |     ^ ~~~~~  ~~~~  ~~~~~ third\n"
        "      |       first  second\n"
        "note: on another line\n"
        "    2 | z = delta\n"
        "      |     ^^^^^\n",
        "labels stand below their marks; one of another line is a note");
    d = cg_diags_new(sources);
    x = cg_diag(d, CG_E0101, at(f, "gamma"), "crowded");
    cg_diag_label(x, at(f, "alpha"), "a label that is long");
    cg_diag_label(x, at(f, "beta"), "another");
    looks(d,
        "l.cg:1:20: error[E0101]: crowded\n"
        "    1 | y = f(alpha, beta, gamma)\n"
        "      |       ~~~~~  ~~~~  ^^^^^\n"
        "      |       a label that is long\n"
        "      |              another\n",
        "texts that would touch go on rows of their own");
}

static void test_list(void)
{
    uint32_t f = file("many.cg", "a b c d e f g h i j k l m n o p q r s t u v w x y z\n");
    CgDiags *d = cg_diags_new(sources);
    for (uint32_t i = 26; i-- > 0;) {
        cg_diag(d, CG_E0101, (CgSpan){ f, 2 * i, 2 * i + 1 }, "number %u", i);
        cg_diag(d, CG_E0101, (CgSpan){ f, 2 * i, 2 * i + 1 }, "number %u", i);
    }
    tap_ok(cg_diags_count(d) == 52 && cg_diags_exit_code(d) == 1, "mistakes are counted");
    CgStrbuf b = { 0 };
    cg_diags_text(d, &b, false);
    const char *text = cg_strbuf_str(&b);
    tap_ok(strncmp(text, "many.cg:1:1: ", 13) == 0, "sorted by place");
    tap_ok(strstr(text, "number 19\n") && !strstr(text, "number 20\n"), "at most twenty");
    tap_ok(strstr(text, "\nand 6 more errors\n"), "and how many more, each once");
    cg_strbuf_deinit(&b);
    cg_diags_free(d);

    d = cg_diags_new(sources);
    tap_ok(cg_diags_exit_code(d) == 0, "no mistake, exit code 0");
    CgErr e = { 0 };
    cg_err(&e, CG_ERR_IO, "cannot open 'x'");
    cg_err_hint(&e, "did you mean 'y'?");
    cg_diag_err(d, (CgSpan){ 0 }, &e);
    tap_ok(cg_diags_exit_code(d) == 3, "a file that fails, exit code 3");
    e = (CgErr){ .kind = CG_ERR_INTERRUPTED, .text = "stopped" };
    cg_diag_err(d, at(f, "c"), &e);
    tap_ok(cg_diags_exit_code(d) == 130, "interrupted, exit code 130");
    looks(d,
        "many.cg:1:5: error[E0904]: stopped\n"
        "    1 | a b c d e f g h i j k l m n o p q r s t u v w x y z\n"
        "      |     ^\n"
        "cg: error[E0902]: cannot open 'x'\nhelp: did you mean 'y'?\n",
        "one without a place comes last");
}

int main(void)
{
    sources = cg_sources_new();
    test_the_whole();
    test_places();
    test_labels();
    test_list();
    tap_is(cg_code_name(CG_E0902), "E0902", "codes have names");
    cg_sources_free(sources);
    return tap_done();
}
