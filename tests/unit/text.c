/* text.c - does damaged graph text ever do more harm than an error message?
 * Takes nothing; prints TAP. Writes a graph for each sample of each op, damages its text in many ways, reads it, and
 * where it still is a graph prints it and reads it again. Accuses src/graph/text.c, then the op's shape rule and fold.
 */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "tap.h"

static uint32_t state = 2385;

static uint32_t draw(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(state >> 4) * n) >> 28);
}

/* "F[3,7] i32[3]" as the header and operands of a graph with one node; F stands for f32. */
static void write_graph(const CgOp *op, const CgSample *sample, CgStrbuf *out)
{
    int n = 0;
    cg_strbuf_puts(out, "graph g(");
    for (const char *p = sample->in; *p;) {
        size_t len = strcspn(p, "]") + (strchr(p, ']') != NULL);
        if (p[0] != 'F' && strcspn(p, " ") < len && strcspn(p, " ") < strcspn(p, "["))
            len = strcspn(p, " ");
        cg_strbuf_printf(out, "%sx%d: ", n ? ", " : "", n);
        n++;
        if (*p == 'F')
            cg_strbuf_puts(out, "f32");
        cg_strbuf_write(out, p + (*p == 'F'), len - (*p == 'F'));
        p += len;
        p += strspn(p, " ");
    }
    cg_strbuf_printf(out, ") { %%%d = %s", n, op->name);
    for (int i = 0; i < n; i++)
        cg_strbuf_printf(out, " %%%d", i);
    if (sample->attrs) {
        cg_strbuf_puts(out, " {");
        for (const char *p = sample->attrs; *p; p++) {
            if ((p[0] == '=' || p[0] == ' ') && p[1] == 'F' && (p[2] == '[' || !p[2] || p[2] == ',')) {
                cg_strbuf_printf(out, "%cf32", *p);
                p++;
            } else {
                cg_strbuf_putc(out, *p);
            }
        }
        cg_strbuf_putc(out, '}');
    }
    cg_strbuf_printf(out, " return y = %%%d }", n);
}

static void damage(const char *text, CgStrbuf *out)
{
    static const char *const pieces[] = { "0", "7", "-1", "9", "99999999999999999999", "[", "]", "(", ")", "{", "}",
        ",", "=", "%", ":", "\"", "f64", "i32", "bool", "nan", "inf", "1e300", "K", "4*K", "-", "(0, 1)", "[B, 7]",
        "/2", "#", "\n", "result", "const" };
    size_t n = strlen(text), at = draw((uint32_t)n), len = 1 + draw(6);
    if (at + len > n)
        len = n - at;
    cg_strbuf_write(out, text, at);
    if (draw(3))
        cg_strbuf_puts(out, pieces[draw(CG_LEN(pieces))]);
    if (draw(4) == 0)
        cg_strbuf_write(out, text + at, len);
    else
        at += draw(3) ? len : 0;
    cg_strbuf_puts(out, text + at);
}

/* True when the text is refused with a sentence, or is a graph whose text reads back to itself. */
static bool survives(const char *text, int *read)
{
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    if (!g)
        return e.text[0] != 0;
    ++*read;
    CgStrbuf once = { 0 }, twice = { 0 };
    cg_graph_verify(g);
    cg_graph_print(g, NULL, &once);
    CgGraph *again = cg_graph_parse(cg_strbuf_str(&once), &e), *folded = cg_pass_run_all(g, NULL);
    if (again)
        cg_graph_print(again, NULL, &twice);
    bool same = again && !strcmp(cg_strbuf_str(&once), cg_strbuf_str(&twice));
    if (!same)
        printf("# %s\n# %s\n", cg_strbuf_str(&once), again ? cg_strbuf_str(&twice) : e.text);
    cg_graph_verify(folded);
    cg_graph_free(folded);
    cg_graph_free(again);
    cg_graph_free(g);
    cg_strbuf_deinit(&once);
    cg_strbuf_deinit(&twice);
    return same;
}

/* A reach that no number of 64 bits holds, and a program that ends within its attributes, before each thing wanted. */
static const char *const found_before[] = {
    "graph g(x0: f32[3,11]) { %1 = unfold %0 {axis=1, size=9223372036854775807, dilation=3} return y = %1 }",
    "graph g(x0: f32[3]) { %1 = fused %0 {program=\"exp{a=1\", results=(1)} return y = %1 }",
    "graph g(x0: f32[3]) { %1 = fused %0 {program=\"exp{a\", results=(1)} return y = %1 }",
    "graph g(x0: f32[3]) { %1 = fused %0 {program=\"add 0 f32\", results=(1)} return y = %1 }",
};

int main(void)
{
    int tries = 0, read = 0, whole = 0, samples = 0;
    bool good = true;
    cg_registry_init();
    for (size_t i = 0; i < cg_op_count(); i++)
        for (const CgSample *s = cg_op_at(i)->samples; s->in; s++) {
            CgStrbuf text = { 0 };
            write_graph(cg_op_at(i), s, &text);
            samples++;
            int one = 0;
            good &= survives(cg_strbuf_str(&text), &one);
            whole += one;
            if (!one)
                printf("# not read: %s\n", cg_strbuf_str(&text));
            for (int k = 0; k < 150; k++, tries++) {
                CgStrbuf broken = { 0 };
                damage(cg_strbuf_str(&text), &broken);
                fflush(stdout);
                bool fine = survives(cg_strbuf_str(&broken), &read);
                if (!fine)
                    printf("# %s\n", cg_strbuf_str(&broken));
                good &= fine;
                cg_strbuf_deinit(&broken);
            }
            cg_strbuf_deinit(&text);
        }
    for (size_t i = 0; i < CG_LEN(found_before); i++)
        good &= survives(found_before[i], &read);
    printf("# %d samples, %d damaged texts, %d of them graphs\n", samples, tries, read);
    tap_ok(good, "damaged text is refused or reads back");
    tap_ok(whole == samples && samples > 50, "the sample of every op is a graph");
    tap_ok(read > tries / 20 && read < tries / 2, "the damage is neither too small nor too large");
    return tap_done();
}
