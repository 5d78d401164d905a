/* parse.c - any bytes: they must parse or be refused with a message, and what parses must survive `cg fmt`.
 * Takes bytes; aborts when the canonical text does not parse, has another tree, or is not its own canonical
 * text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/fmt.h"
#include "lang/parse.h"

typedef struct Result {
    char *tree, *text;
    size_t mistakes;
} Result;

static Result run(const char *text, size_t len)
{
    Result r = { 0 };
    size_t size;
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgUnit *u = cg_unit_parse(sources, cg_sources_add(sources, "fuzz.cg", text, len), diags);
    FILE *to = open_memstream(&r.tree, &size);
    cg_unit_print(u, to);
    fclose(to);
    r.mistakes = cg_diags_count(diags);
    if (r.mistakes > 0) {
        char *messages;
        to = open_memstream(&messages, &size);
        cg_diags_print(diags, to, false);
        fclose(to);
        free(messages);
    } else {
        CgStrbuf out = { 0 };
        cg_unit_format(u, sources, &out);
        r.text = strdup(cg_strbuf_str(&out));
        cg_strbuf_deinit(&out);
    }
    cg_unit_free(u);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return r;
}

static void release(Result *r)
{
    free(r->tree);
    free(r->text);
}

static void demand(bool good, const char *sentence, const Result *a, const Result *b)
{
    if (good)
        return;
    fprintf(stderr, "%s\n--- first\n%s\n--- then\n%s\n--- trees\n%s\n---\n%s\n", sentence, a->text,
        b->text ? b->text : "(mistakes)", a->tree, b->tree);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Result first = run((const char *)bytes, n);
    if (first.mistakes == 0) {
        Result again = run(first.text, strlen(first.text));
        demand(again.mistakes == 0, "the canonical text does not parse", &first, &again);
        demand(strcmp(first.tree, again.tree) == 0, "the canonical text has another tree", &first, &again);
        demand(strcmp(first.text, again.text) == 0, "the canonical text is not its own", &first, &again);
        release(&again);
    }
    release(&first);
    return 0;
}
