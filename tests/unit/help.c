/* help.c - nothing a script may say is without help (src/report/help.c).
 * Takes every function, op, type, code, module and declaration of the library, every field of train, and every word
 * that grammar/cg.ebnf has in quotes; each has an entry with a text, and rows of lists are one line each. */
#include "data/reader.h"
#include "data/synth.h"
#include "elab/signature.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "lang/embedded.h"
#include "report/help.h"
#include "stage/stage.h"
#include "tap.h"

#include <ctype.h>
#include <stdlib.h>

/* Whether there is an entry, and a text below its first line. */
static bool told(const char *name)
{
    CgStrbuf out = { 0 };
    CgSuggest near;
    cg_suggest_init(&near, name);
    bool found = cg_help(name, NULL, NULL, &out, &near) && strstr(cg_strbuf_str(&out), "\n\n");
    cg_strbuf_deinit(&out);
    return found;
}

static void each_of_registries(void)
{
    const CgFunction *f;
    const CgClass *cls;
    const CgBlockField *field;
    cg_registry_init();
    for (size_t i = 0; (f = cg_function_at(i)); i++)
        tap_ok(told(f->name), "function %s", f->name);
    for (size_t i = 0; i < cg_op_count(); i++)
        tap_ok(told(cg_op_at(i)->name), "op %s", cg_op_at(i)->name);
    for (size_t i = 0; (cls = cg_class_at(i)); i++)
        tap_ok(told(cls->name) && cls->doc && strchr(cls->doc, '.'), "type %s", cls->name);
    for (size_t i = 0; (field = cg_train_field(i)); i++)
        tap_ok(told(field->name), "field %s", field->name);
    for (size_t i = 0; (field = cg_evaluate_field(i)); i++)
        tap_ok(told(field->name), "field %s of evaluate", field->name);
    for (size_t i = 0; cg_pass_at(i); i++)
        tap_ok(told(cg_pass_at(i)->name), "pass %s", cg_pass_at(i)->name);
    for (size_t i = 0; cg_reader_at(i); i++)
        tap_ok(told(cg_reader_at(i)->name) && told(cg_reader_at(i)->endings[0]), "format %s", cg_reader_at(i)->name);
    for (int i = 0; i < cg_synth_count(); i++)
        tap_ok(told(cg_synth_kind(i)->name), "kind of text %s", cg_synth_kind(i)->name);
    for (int code = 0; code < CG_NCODES; code++)
        tap_ok(told(cg_code_name((CgCode)code)), "code %s", cg_code_name((CgCode)code));
}

static void each_of_library(void)
{
    for (const CgEmbedded *m = cg_embedded; m->module; m++) {
        CgSources *sources = cg_sources_new();
        CgDiags *diags = cg_diags_new(sources);
        CgUnit *unit = cg_unit_parse(sources, cg_sources_add(sources, m->module, m->text, strlen(m->text)), diags);
        tap_ok(told(m->module), "module %s", m->module);
        for (int i = 0; i < unit->top.n; i++)
            for (int k = 0; k < unit->top.at[i]->nnames; k++)
                if (unit->top.at[i]->kind != CG_STMT_IMPORT && unit->top.at[i]->kind != CG_STMT_TEST)
                    tap_ok(told(unit->top.at[i]->names[k]), "%s of %s", unit->top.at[i]->names[k], m->module);
        cg_unit_free(unit);
        cg_diags_free(diags);
        cg_sources_free(sources);
    }
}

/* Words of letters in double quotes, on the right of a rule. */
static void each_of_grammar(void)
{
    CgSources *sources = cg_sources_new();
    char path[4096];
    snprintf(path, sizeof path, "%s/grammar/cg.ebnf", getenv("srcdir") ? getenv("srcdir") : ".");
    uint32_t file;
    CgErr err = { 0 };
    if (!cg_sources_load(sources, path, &file, &err)) {
        tap_ok(false, "%s", err.text);
        cg_sources_free(sources);
        return;
    }
    int found = 0;
    const char *at = cg_sources_get(sources, file)->text;
    for (; (at = strchr(at, '"')); at++) {
        size_t n = 0;
        while (isalnum((unsigned char)at[1 + n]))
            n++;
        if (n == 0 || at[1 + n] != '"')
            continue;
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)n, at + 1);
        found++;
        tap_ok(told(word), "word %s", word);
        at += n + 1;
    }
    tap_ok(found > 25, "the grammar has words");
    cg_sources_free(sources);
}

static void lists_have_rows(void)
{
    for (size_t i = 0; cg_help_list(i); i++) {
        CgStrbuf out = { 0 };
        CgSuggest near;
        cg_suggest_init(&near, cg_help_list(i));
        tap_ok(cg_help(cg_help_list(i), NULL, NULL, &out, &near), "list %s", cg_help_list(i));
        const char *text = cg_strbuf_str(&out);
        bool rows = strlen(text) > 100;
        for (const char *line = text; *line; line = strchr(line, '\n') + 1)
            rows &= *line == '\n' || !strncmp(line, "  ", 2) || !strcmp(cg_help_list(i), "fields");
        tap_ok(rows, "list %s has a line a row", cg_help_list(i));
        cg_strbuf_deinit(&out);
    }
}

int main(void)
{
    each_of_registries();
    each_of_library();
    each_of_grammar();
    lists_have_rows();
    return tap_done();
}
