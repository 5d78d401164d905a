/* module.c - are modules found where they should be, once, and in an order in which each stands after its
 * imports? Takes nothing, writes into a new folder under TMPDIR; prints TAP. Accuses src/lang/module.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "lang/module.h"
#include "tap.h"

static void put(const char *path, const char *text)
{
    CgErr e = { 0 };
    if (!cg_io_write(path, text, strlen(text), &e))
        tap_ok(false, "%s", e.text);
}

/* The modules of a script, and after them the messages. */
static char *load(const char *path, const char *stage)
{
    char *text;
    size_t size;
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgProgram *p = cg_program_load(sources, path, diags);
    FILE *to = open_memstream(&text, &size);
    if (p)
        tap_ok(cg_program_dump(sources, p, stage, to), "--dump=%s of %s", stage, path);
    cg_diags_print(diags, to, false);
    fclose(to);
    cg_program_free(p);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return text;
}

static void is(const char *path, const char *stage, const char *expected, const char *name)
{
    char *found = load(path, stage);
    const char *own =
        strncmp(found, "std.prelude ", 12) == 0 ? strchr(found, '\n') + 1 : found; /* every script has it */
    tap_is(own, expected, name);
    free(found);
}

static void holds(const char *path, const char *part, const char *name)
{
    char *found = load(path, "modules");
    if (!tap_ok(strstr(found, part) != NULL, "%s", name))
        printf("# %s", found);
    free(found);
}

int main(void)
{
    char folder[256];
    CgErr e = { 0 };
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cg-module-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || chdir(folder) != 0 || !cg_io_mkdirs("a/deep", &e) || !cg_io_mkdirs("elsewhere", &e)) {
        tap_ok(false, "a folder to work in");
        return tap_done();
    }
    put("main.cg", "import a.one\nimport a.two\nx = 3\n");
    put("a/one.cg", "import three\n");
    put("a/two.cg", "import three import a.one\n");
    put("a/three.cg", "y = 2.385");
    put("three.cg", "z = 7");
    put("elsewhere/far.cg", "f = 11");
    is("main.cg", "modules",
        "three a/three.cg\na.one a/one.cg imports three\na.two a/two.cg imports three a.one\n- main.cg "
        "imports a.one a.two\n",
        "beside the importing file first, each once, dependencies first");
    is("main.cg", "ast", "(import a.one)\n(import a.two)\n(bind x 3)\n", "the tree of the script");
    is("three.cg", "tokens", "1:1 name z\n1:3 '=' =\n1:5 integer 7\n", "the tokens of the script");

    put("far-import.cg", "import far");
    holds("far-import.cg", "error[E0201]: there is no module 'far'", "a module that is nowhere");
    setenv("CG_PATH", "nowhere::elsewhere", 1);
    is("far-import.cg", "modules", "far elsewhere/far.cg\n- far-import.cg imports far\n", "CG_PATH");
    put("near.cg", "import a.tow");
    holds("near.cg", "did you mean 'a.two'?", "a slip of the pen");
    put("self.cg", "import self");
    holds("self.cg", "the module 'self' imports itself", "a module that imports itself");
    put("p.cg", "import q"), put("q.cg", "import r"), put("r.cg", "import q");
    holds("p.cg", "importing 'q' closes a circle", "a circle that the script is not part of");
    holds("missing.cg", "E0902", "a script that is not there");
    put("broken.cg", "import three\nx = = 3\nimport a.one\n");
    holds("broken.cg", "- broken.cg imports three a.one\n", "imports after a mistake");
    tap_ok(cg_embedded_find("no.such.module") == NULL, "the library inside the program has no such module");
    return tap_done();
}
