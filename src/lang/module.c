/* module.c - imports to files.
 * Takes the path of a script; finds, reads and parses what it imports, each module once, dependencies first.
 * A module is known by its text, so two names of one file are one module. Looks at import statements and
 * nothing else. */
#include <stdlib.h>
#include <string.h>
#include "base/io.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/timing.h"
#include "base/vec.h"
#include "lang/embedded.h"
#include "lang/foreign.h"
#include "lang/module.h"

typedef CG_VEC(char *) Paths;

/* A module being loaded; those below it on the stack import it. */
typedef struct Pending {
    uint32_t file;
    CgAtom name;
    CgSpan import;
} Pending;

typedef struct Loader {
    CgSources *sources;
    CgDiags *diags;
    CG_VEC(CgModule) done;
    CG_VEC(Pending) stack;
    CG_VEC(CgAtom) embedded;        /* names of library texts already added ... */
    CG_VEC(uint32_t) embedded_file; /* ... and their files */
} Loader;

const char *cg_embedded_find(const char *module)
{
    for (const CgEmbedded *e = cg_embedded; e->module; e++)
        if (strcmp(e->module, module) == 0)
            return e->text;
    return NULL;
}

const char *cg_embedded_at(size_t i)
{
    return cg_embedded[i].module; /* nobody goes past the last, whose name is NULL */
}

/* The library is canonical text: a line that begins with a letter declares something. */
void cg_embedded_names(void (*each)(void *of, const char *module, CgAtom name), void *of)
{
    static const char *const words[] = { "graph ", "def ", "option ", "" };
    for (const CgEmbedded *e = cg_embedded; e->module; e++)
        for (const char *s = e->text; *s && strcmp(e->module, "std.prelude") != 0;
             s += strcspn(s, "\n"), s += *s != 0) {
            size_t k = 0;
            while (strncmp(s, words[k], strlen(words[k])) != 0)
                k++;
            const char *name = s + strlen(words[k]);
            size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
            if (n && (words[k][0] || !strncmp(name + n, " = ", 3)))
                each(of, e->module, cg_intern_n(name, n));
        }
}

typedef struct Sought {
    CgAtom name;
    const char *module;
} Sought;

static void seek(void *of, const char *module, CgAtom name)
{
    Sought *x = of;
    if (name == x->name && !x->module)
        x->module = module;
}

const char *cg_embedded_module_of(CgAtom name)
{
    Sought x = { name, NULL };
    cg_embedded_names(seek, &x);
    return x.module;
}

static char *folder_of(const char *path)
{
    char *folder = cg_strdup(path), *slash = strrchr(folder, '/');
    folder[slash ? slash - folder + 1 : 0] = 0;
    return folder;
}

/* The folders to look in, each "" or ending with '/'. */
static void folders(const char *importer, Paths *out)
{
    cg_vec_push(out, folder_of(importer));
    if (out->at[0][0] != 0)
        cg_vec_push(out, cg_strdup(""));
    const char *list = getenv("CG_PATH");
    while (list && *list) {
        size_t n = strcspn(list, ":");
        CgStrbuf b = { 0 };
        cg_strbuf_write(&b, list, n);
        if (n > 0 && list[n - 1] != '/')
            cg_strbuf_putc(&b, '/');
        if (n > 0)
            cg_vec_push(out, cg_strbuf_take(&b));
        cg_strbuf_deinit(&b);
        list += n + (list[n] == ':');
    }
#ifdef CG_PKGDATADIR
    cg_vec_push(out, cg_strdup(CG_PKGDATADIR "/"));
#endif
}

static bool is_installed(const char *folder)
{
#ifdef CG_PKGDATADIR
    return strcmp(folder, CG_PKGDATADIR "/") == 0;
#else
    (void)folder;
    return false;
#endif
}

static void free_paths(Paths *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->at[i]);
    cg_vec_free(p);
}

/* "a.b" in "x/" is "x/a/b.cg". */
static char *path_in(const char *folder, const char *module)
{
    CgStrbuf b = { 0 };
    cg_strbuf_puts(&b, folder);
    for (const char *s = module; *s; s++)
        cg_strbuf_putc(&b, *s == '.' ? '/' : *s);
    cg_strbuf_puts(&b, ".cg");
    return cg_strbuf_take(&b);
}

/* Offers the .cg files of one folder as module names; the names must outlive the suggestion, hence atoms. */
static void offer_files(CgSuggest *s, const char *folder, const char *pattern)
{
    CgStrbuf glob = { 0 };
    CgPaths found = { 0 };
    CgErr ignored = { 0 };
    cg_strbuf_printf(&glob, "%s%s", folder, pattern);
    if (cg_io_glob(glob.at, &found, &ignored)) {
        for (size_t i = 0; i < found.len; i++) {
            size_t skip = strlen(folder), n = strlen(found.at[i]);
            if (n < skip + 3 || strncmp(found.at[i], folder, skip) != 0)
                continue;
            CgStrbuf name = { 0 };
            for (size_t k = skip; k < n - 3; k++)
                cg_strbuf_putc(&name, found.at[i][k] == '/' ? '.' : found.at[i][k]);
            cg_suggest_offer(s, cg_intern(cg_strbuf_str(&name)));
            cg_strbuf_deinit(&name);
        }
        cg_paths_free(&found);
    }
    cg_strbuf_deinit(&glob);
}

static const char *last_word(const char *name) { return strrchr(name, '.') ? strrchr(name, '.') + 1 : name; }

/* std.transformer, std.gru: a module of the library of that last word, or one that has such a name. */
static bool help_elsewhere(CgDiag *d, const char *name)
{
    const char *word = last_word(name);
    for (const CgEmbedded *e = cg_embedded; e->module; e++)
        if (!strcmp(last_word(e->module), word)) {
            cg_diag_help(d, "the library has it as %s: import %s", e->module, e->module);
            cg_diag_fix_word(d, name, e->module);
            return true;
        }
    const char *module = cg_embedded_module_of(cg_intern(word));
    if (module)
        cg_diag_help(d, "'%s' is a name of the module %s: import %s: %s", word, module, module, word);
    return module != NULL;
}

static void report_missing(Loader *l, CgAtom name, CgSpan span, const Paths *where)
{
    CgDiag *d = cg_diag(l->diags, CG_E0201, span, "there is no module '%s'", name);
    CgStrbuf tried = { 0 };
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (const CgEmbedded *e = cg_embedded; e->module; e++)
        cg_suggest_offer(&s, e->module);
    for (size_t i = 0; i < where->len; i++) {
        offer_files(&s, where->at[i], "*.cg");
        offer_files(&s, where->at[i], "*/*.cg");
        char *path = path_in(where->at[i], name);
        cg_strbuf_printf(&tried, "%s%s", i ? ", " : "", path);
        free(path);
    }
    cg_diag_note(d, (CgSpan){ 0, 0, 0 }, "looked for %s and in the library inside cg", cg_strbuf_str(&tried));
    char *first = cg_strdup(name);
    first[strcspn(first, ".")] = 0;
    const CgForeign *row = cg_foreign(CG_FOREIGN_IMPORT, first);
    if (row)
        cg_diag_help(d, "%s", row->help);
    else if (!help_elsewhere(d, name))
        cg_diag_meant(d, &s);
    free(first);
    cg_strbuf_deinit(&tried);
}

/* A file of one's own where one of the library's would be looked for, had the library not gone first. */
static bool is_shadowed(Loader *l, CgAtom name, CgSpan span, const Paths *where)
{
    for (size_t i = 0; i < l->embedded.len; i++)
        if (l->embedded_file.at[i] == span.file)
            return false; /* what the library imports is its own affair */
    for (size_t i = 0; i < where->len; i++) {
        char *path = path_in(where->at[i], name);
        bool there = cg_io_exists(path) && !cg_io_is_dir(path) && !is_installed(where->at[i]);
        if (there) {
            CgDiag *d =
                cg_diag(l->diags, CG_E0203, span, "'%s' is the library's, and '%s' would not be read", name, path);
            cg_diag_help(d, "give the file another name, outside of a folder 'std'");
        }
        free(path);
        if (there)
            return true;
    }
    return false;
}

/* The file of a module, 0 after a reported mistake. */
static uint32_t find_module(Loader *l, CgAtom name, CgSpan span)
{
    uint32_t file = 0;
    Paths where = { 0 };
    bool library = strncmp(name, "std.", 4) == 0 && cg_embedded_find(name);
    folders(cg_sources_get(l->sources, span.file)->name, &where);
    if (library && is_shadowed(l, name, span, &where)) {
        free_paths(&where);
        return 0;
    }
    for (size_t i = 0; i < where.len && !file && !library; i++) {
        char *path = path_in(where.at[i], name);
        if (cg_sources_holds(l->sources, path) || (cg_io_exists(path) && !cg_io_is_dir(path))) {
            CgErr e = { 0 };
            if (!cg_sources_load(l->sources, path, &file, &e)) {
                cg_diag_err(l->diags, span, &e);
                free(path);
                free_paths(&where);
                return 0;
            }
        }
        free(path);
    }
    for (size_t i = 0; i < l->embedded.len && !file; i++)
        if (l->embedded.at[i] == name)
            file = l->embedded_file.at[i];
    const char *text = file ? NULL : cg_embedded_find(name);
    if (text) {
        char *shown = path_in("", name);
        file = cg_sources_add(l->sources, shown, text, strlen(text));
        free(shown);
        cg_vec_push(&l->embedded, name);
        cg_vec_push(&l->embedded_file, file);
    }
    if (!file)
        report_missing(l, name, span, &where);
    free_paths(&where);
    return file;
}

/* True when `file` is being loaded further up; says through which imports. */
static bool is_circle(Loader *l, uint32_t file, CgAtom name, CgSpan span)
{
    size_t i = l->stack.len;
    while (i > 0 && l->stack.at[i - 1].file != file)
        i--;
    if (i == 0)
        return false;
    if (i == l->stack.len) {
        cg_diag(l->diags, CG_E0202, span, "the module '%s' imports itself", name);
        return true;
    }
    CgDiag *d = cg_diag(l->diags, CG_E0202, span, "importing '%s' closes a circle", name);
    for (; i < l->stack.len; i++)
        cg_diag_note(d, l->stack.at[i].import, "it imports '%s' here", l->stack.at[i].name);
    cg_diag_help(d, "move what both need into a module of its own");
    return true;
}

static int find_done(const Loader *l, uint32_t file)
{
    for (size_t i = 0; i < l->done.len; i++)
        if (l->done.at[i].unit->file == file)
            return (int)i;
    return -1;
}

/* Loads a module and, before it, what it imports; gives its index. */
static int load(Loader *l, uint32_t file, CgAtom name, CgSpan import)
{
    CgModule m = { .name = name, .unit = cg_unit_parse(l->sources, file, l->diags) };
    cg_vec_push(&l->stack, (Pending){ file, name, import });
    m.imports = cg_calloc((size_t)m.unit->top.n + 1, sizeof *m.imports);
    for (int i = 0; i < m.unit->top.n; i++) {
        const CgStmt *s = m.unit->top.at[i];
        if (s->kind != CG_STMT_IMPORT)
            continue;
        uint32_t found = find_module(l, s->names[0], s->name_spans[0]);
        if (!found || is_circle(l, found, s->names[0], s->name_spans[0]))
            continue;
        int index = find_done(l, found);
        if (index < 0)
            index = load(l, found, s->names[0], s->name_spans[0]);
        m.imports[m.nimports++] = (CgImport){ index, s };
    }
    l->stack.len--;
    cg_vec_push(&l->done, m);
    return (int)l->done.len - 1;
}

CgAtom cg_import_word(const CgImport *import)
{
    if (import->stmt->a)
        return import->stmt->a->s;
    const char *path = import->stmt->names[0], *point = strrchr(path, '.');
    return cg_intern(point ? point + 1 : path);
}

bool cg_import_brings(const CgImport *import, CgAtom name)
{
    bool named = import->stmt->nnames == 1;
    for (int i = 1; i < import->stmt->nnames; i++)
        named |= import->stmt->names[i] == name;
    return named && !import->stmt->a;
}

void cg_program_free(CgProgram *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n; i++) {
        cg_unit_free(p->at[i].unit);
        free(p->at[i].imports);
    }
    free(p->at);
    free(p);
}

bool cg_program_dump(CgSources *sources, const CgProgram *p, const char *stage, FILE *to)
{
    const CgUnit *script = p->at[p->n - 1].unit;
    if (strcmp(stage, "tokens") == 0) {
        cg_unit_print_tokens(sources, script->file, to);
    } else if (strcmp(stage, "ast") == 0) {
        cg_unit_print(script, to);
    } else if (strcmp(stage, "modules") == 0) {
        for (int i = 0; i < p->n; i++) {
            const CgModule *m = &p->at[i];
            fprintf(to, "%s %s", m->name[0] ? m->name : "-", cg_sources_get(sources, m->unit->file)->name);
            for (int k = 0; k < m->nimports; k++)
                fprintf(to, "%s%s", k ? " " : " imports ", p->at[m->imports[k].module].name);
            fputc('\n', to);
        }
    } else {
        return false;
    }
    return true;
}

CgProgram *cg_program_load(CgSources *sources, const char *path, CgDiags *diags)
{
    Loader l = { .sources = sources, .diags = diags };
    CgErr e = { 0 };
    uint32_t file;
    if (!cg_sources_load(sources, path, &file, &e)) {
        cg_diag_err(diags, (CgSpan){ 0, 0, 0 }, &e);
        return NULL;
    }
    cg_timing_begin("parse");
    uint32_t prelude =
        find_module(&l, cg_intern("std.prelude"), (CgSpan){ file, 0, 0 }); /* its names are everybody's */
    if (prelude && prelude != file)
        load(&l, prelude, cg_intern("std.prelude"), (CgSpan){ 0, 0, 0 });
    load(&l, file, cg_intern(""), (CgSpan){ 0, 0, 0 });
    cg_timing_end();
    CgProgram *p = cg_calloc(1, sizeof *p);
    p->at = l.done.at;
    p->n = (int)l.done.len;
    cg_vec_free(&l.stack);
    cg_vec_free(&l.embedded);
    cg_vec_free(&l.embedded_file);
    return p;
}
