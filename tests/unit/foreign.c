/* foreign.c - is every word of another language answered? Takes nothing; each row of grammar/foreign.def is put where
 * it says, and its help or its word of cg looked for among the diagnostics; a name that is to stand instead must be
 * one. Prints TAP. Accuses grammar/foreign.def (a row that nothing reaches, since cg knows the word) and who asks for
 * rows. */
#include <stdio.h>
#include <string.h>

#include "base/diag_list.h"
#include "base/io.h"
#include "experiment/experiment.h"
#include "lang/foreign.h"
#include "tap.h"

#define IMPORTS "import std.nn\nimport std.conv\nimport graphs.transformer\n"
#define MODEL   "transformer(vocab = 256, dim = 8, layers = 1, heads = 2, hidden = 8)"

static const char *script(const CgForeign *row, CgStrbuf *out)
{
    static const char *const forms[] = {
        [CG_FOREIGN_NAME] = "x = %s\n",
        [CG_FOREIGN_CALL] = "x = %s(3)\n",
        [CG_FOREIGN_MODULE] = "x = %s.qzx(3)\n",
        [CG_FOREIGN_MEMBER] = "x = torch.%s(3)\n",
        [CG_FOREIGN_LIST] = "a = [1, 2]\nx = a.%s\n",
        [CG_FOREIGN_RECORD] = "a = { qzx: 1 }\nx = a.%s\n",
        [CG_FOREIGN_TEXT] = "a = \"qzx\"\nx = a.%s\n",
        [CG_FOREIGN_TENSOR] = "graph g(a: f32[N, D]) -> f32[N, D] {\n    return a.%s\n}\n",
        [CG_FOREIGN_MODEL] = IMPORTS "a = " MODEL "\nx = a.%s\n",
        [CG_FOREIGN_TABLE] = "x = claims().%s\n",
        [CG_FOREIGN_TOKENIZER] = "x = bytes().%s\n",
        [CG_FOREIGN_BATCH] = IMPORTS "a = train " MODEL
                                     " as m {\n    data = windows(synthetic(\"grammar\").train, bytes(), length = 4)\n"
                                     "    loss = batch.%s\n    optimizer = sgd()\n    steps = 1\n}\n",
        [CG_FOREIGN_IMPORT] = "import %s\nx = 3\n",
        [CG_FOREIGN_TRAIN] = IMPORTS "a = train " MODEL " as m {\n    %s = 3\n}\n",
        [CG_FOREIGN_TYPE] = "option a: %s = 1\n",
        [CG_FOREIGN_STATEMENT] = "%s 3\n",
        [CG_FOREIGN_PLOT] = "x = plot.%s(claims(), x = p)\n",
        [CG_FOREIGN_PREFIX] = "x = %s y(3)\n",
    };
    if (row->where == CG_FOREIGN_ARGUMENT)
        cg_strbuf_printf(out, "def f(%s) = 1\nx = f(%s = 3)\n", row->instead[0] ? row->instead : "qzx", row->word);
    else
        for (const char *at = forms[row->where]; *at; at++)
            if (!strncmp(at, "%s", 2))
                cg_strbuf_puts(out, row->word), at++;
            else
                cg_strbuf_putc(out, *at);
    return cg_strbuf_str(out);
}

/* All that is said of a script. */
static void check(const char *text, CgStrbuf *said)
{
    CgOpenText overlay = { .path = "t.cg", .text = text, .len = strlen(text) };
    CgSessionOpts opts = { .quiet = true, .texts = &overlay, .ntexts = 1 };
    CgSession *x = cg_experiment_new("t.cg", &opts);
    for (const CgDiag *d = x->diags->first; d; d = d->next) {
        cg_strbuf_printf(said, "%s: %s\n", cg_code_name(d->code), d->message);
        for (const CgDiagItem *p = d->items; p; p = p->next)
            cg_strbuf_printf(said, "    %s\n", p->text);
    }
    cg_experiment_free(x);
}

static void answered(const CgForeign *row)
{
    CgStrbuf text = { 0 }, said = { 0 }, meant = { 0 };
    cg_strbuf_printf(&meant, "did you mean '%s'?", row->instead);
    check(script(row, &text), &said);
    bool module = row->where == CG_FOREIGN_MODULE;
    const char *wanted = module ? "is not bound to anything" : row->help[0] ? row->help : cg_strbuf_str(&meant);
    bool good = strstr(cg_strbuf_str(&said), wanted) != NULL;
    tap_ok(good, "%s", row->word);
    if (!good)
        printf("# wanted %s\n# %s# %s\n", wanted, cg_strbuf_str(&text), cg_strbuf_str(&said));
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&said);
    cg_strbuf_deinit(&meant);
}

static void known(const CgForeign *row)
{
    CgStrbuf text = { 0 }, said = { 0 };
    cg_strbuf_printf(&text, IMPORTS "x = %s\n", row->instead);
    check(cg_strbuf_str(&text), &said);
    bool good = !strstr(cg_strbuf_str(&said), "E0301");
    if (!good)
        tap_ok(false, "%s, said of %s, is a name", row->instead, row->word);
    cg_strbuf_deinit(&text);
    cg_strbuf_deinit(&said);
}

int main(void)
{
    const CgForeign *row;
    CgErr err = { 0 };
    if (!cg_io_write("t.cg", "", 0, &err)) /* what is checked is in its place */
        return 1;
    for (size_t i = 0; (row = cg_foreign_at(i)); i++) {
        answered(row);
        if (row->instead[0] && (row->where == CG_FOREIGN_NAME || row->where == CG_FOREIGN_CALL))
            known(row);
    }
    return tap_done();
}
