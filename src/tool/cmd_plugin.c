/* cmd_plugin.c - cg plugin new NAME, cg plugin check FILE.so.
 * Takes a name, gives the folder of a plugin that builds and works; takes a plugin, gives whether all that it says of
 * itself is so. A plugin that is checked runs in a process of its own, which it may end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/io.h"
#include "tool/tool.h"

/* What belongs to cg and is in a file: where it is installed, in whatever folder that is now, or in a tree that was
 * built. NULL: nowhere. To be freed. */
static char *find_own(const char *installed, const char *constant, const char *built)
{
    char *self = cg_io_real("/proc/self/exe"), *found = NULL;
    if (self)
        *strrchr(self, '/') = 0;
    const char *places[][2] = { { self, installed }, { "", constant }, { self, built } };
    for (size_t i = 0; i < CG_LEN(places) && !found; i++) {
        CgStrbuf path = { 0 };
        if (!places[i][0])
            continue;
        cg_strbuf_printf(&path, "%s%s", places[i][0], places[i][1]);
        if (cg_io_exists(cg_strbuf_str(&path)))
            found = cg_strbuf_take(&path);
        cg_strbuf_deinit(&path);
    }
    free(self);
    return found;
}

/* ---- new ---- */

enum { MOST_NAME = 40 };
#define PLACEHOLDER "myname"

static void replace_name(const CgBytes *from, const char *name, CgStrbuf *to)
{
    for (const char *at = from->at, *end = from->at + from->len; at < end;) {
        bool here = !strncmp(at, PLACEHOLDER, strlen(PLACEHOLDER));
        if (here)
            cg_strbuf_puts(to, name);
        else
            cg_strbuf_putc(to, *at);
        at += here ? strlen(PLACEHOLDER) : 1;
    }
}

/* A plugin that is begun: from where, of which name, in which folder while it is not whole. */
typedef struct Begun {
    const char *template, *name, *folder;
} Begun;

/* One file of the template, with the plugin's name in it. */
static bool copy(const Begun *b, const char *file, const char *as, CgErr *e)
{
    CgStrbuf from = { 0 }, to = { 0 }, text = { 0 };
    CgBytes bytes;
    cg_strbuf_printf(&from, "%s/%s", b->template, file);
    cg_strbuf_printf(&to, "%s/%s", b->folder, as);
    bool good = cg_io_read(cg_strbuf_str(&from), &bytes, e);
    if (good) {
        replace_name(&bytes, b->name, &text);
        good = cg_io_write(cg_strbuf_str(&to), cg_strbuf_str(&text), text.len, e);
        cg_io_release(&bytes);
    }
    cg_strbuf_deinit(&from);
    cg_strbuf_deinit(&to);
    cg_strbuf_deinit(&text);
    return good;
}

static bool is_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return *s >= 'a' && *s <= 'z' && !s[n] && n <= MOST_NAME;
}

static bool copy_all(const Begun *b, const char *kind, CgErr *e)
{
    char source[64], script[64], as[64], data[64];
    snprintf(source, sizeof source, "%s.c", kind);
    snprintf(script, sizeof script, "%s.cg", kind);
    snprintf(as, sizeof as, "%s.c", b->name);
    snprintf(data, sizeof data, "try.%s", b->name);
    return cg_io_mkdirs(b->folder, e) && copy(b, "Makefile", "Makefile", e) && copy(b, source, as, e)
        && copy(b, script, "try.cg", e) && (strcmp(kind, "reader") != 0 || copy(b, "try." PLACEHOLDER, data, e));
}

/* Removes a folder that was not finished, by this process or one that died; none is fine. */
static void discard(const char *folder)
{
    CgErr e = { 0 };
    CgPaths files;
    if (!cg_io_is_dir(folder) || !cg_io_files(folder, &files, &e))
        return;
    cg_io_sweep(folder);
    bool good = true;
    for (size_t i = 0; i < files.len && good; i++)
        good = cg_io_remove(files.at[i], &e);
    cg_paths_free(&files);
    (void)!(good && cg_io_remove(folder, &e));
}

/* The folder appears whole or not at all. */
static bool copy_whole(const char *template, const char *name, const char *kind, CgErr *e)
{
    CgStrbuf folder = { 0 };
    cg_strbuf_printf(&folder, ".%s.unfinished", name);
    Begun b = { template, name, cg_strbuf_str(&folder) };
    discard(b.folder);
    bool good = copy_all(&b, kind, e) && cg_io_rename(b.folder, name, e);
    if (!good)
        discard(b.folder);
    cg_strbuf_deinit(&folder);
    return good;
}

static int begin_plugin(const char *name, const char *kind)
{
    CgErr e = { 0 };
    if (strcmp(kind, "op") != 0 && strcmp(kind, "function") != 0 && strcmp(kind, "reader") != 0)
        return cg_usage("plugin", "--kind is op, function or reader, not '%s'", kind);
    if (!is_name(name))
        return cg_usage(
            "plugin", "'%s' is no name: small letters, digits and _, a letter first, %d at most", name, MOST_NAME);
    char *template =
        find_own("/../share/cg/plugins/template", CG_PKGDATADIR "/plugins/template", "/../plugins/template");
    if (cg_io_exists(name))
        cg_err(&e, CG_ERR_IO, "'%s' is there already", name);
    else if (!template)
        cg_err(&e, CG_ERR_IO, "the template of plugins is not where cg is installed");
    else if (copy_whole(template, name, kind, &e))
        printf("%s/ is a plugin with %s. Build and try it:\n\n    cd %s\n    make && make check && cg run try.cg\n",
            name,
            !strcmp(kind, "op")             ? "an op"
                : !strcmp(kind, "function") ? "a metric and a statistic"
                                            : "a reader",
            name);
    free(template);
    return e.kind ? cg_complain("plugin", &e) : CG_EXIT_OK;
}

/* ---- check ---- */

/* What the lint says: claims that do not hold, with what showed it; the last claim it began. */
typedef struct Findings {
    bool whole; /* it came to its end */
    int hold, fail;
    char trying[160];
} Findings;

static void sort_out(const char *text, Findings *f)
{
    static const char trying[] = "# trying ";
    for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        int n = (int)(end - line);
        f->whole = f->whole || !strncmp(line, "1..", 3);
        f->hold += !strncmp(line, "ok ", 3);
        f->fail += !strncmp(line, "not ok ", 7);
        if (!strncmp(line, trying, strlen(trying)))
            snprintf(f->trying, sizeof f->trying, "%.*s", n - (int)strlen(trying), line + strlen(trying));
        else if (!strncmp(line, "not ok ", 7) || *line == '#')
            printf("%.*s\n", n, line);
    }
}

static int check_plugin(const char *path)
{
    CgErr e = { 0 };
    CgStrbuf out = { 0 }, said = { 0 };
    Findings f = { 0 };
    int code = 0;
    char *lint = find_own("/../libexec/cg/op_lint", CG_PKGLIBEXECDIR "/op_lint", "/tests/op_lint");
    if (!lint)
        cg_err(&e, CG_ERR_IO, "the checker of plugins, op_lint, is not where cg is installed");
    else if (!cg_io_exists(path))
        cg_err_errno(&e, "open", path);
    else if (cg_child_run((const char *const[]){ lint, "--tell", path, NULL }, NULL, 0, &out, &said, &code)
        != CG_CHILD_RAN)
        cg_err_errno(&e, "start", lint);
    sort_out(cg_strbuf_str(&out), &f);
    while (said.len && said.at[said.len - 1] == '\n')
        said.at[--said.len] = 0;
    if (!e.kind && code == 2 && !f.trying[0])
        cg_err(&e, CG_ERR_INPUT, "%.400s", cg_strbuf_str(&said));
    else if (!e.kind && code > 128)
        cg_err(&e, CG_ERR_INPUT, "'%s' ends the process: %s, while this was tried: %s", path, strsignal(code - 128),
            f.trying);
    else if (!e.kind && !f.whole)
        cg_err(&e, CG_ERR_INPUT, "'%s' ends the process with code %d, while this was tried: %s", path, code, f.trying);
    else if (!e.kind && f.fail)
        cg_err(&e, CG_ERR_INPUT, "'%s': %d of %d claims do not hold", path, f.fail, f.fail + f.hold);
    else if (!e.kind)
        printf("%s: %d claims hold\n", path, f.hold);
    free(lint);
    cg_strbuf_deinit(&out);
    cg_strbuf_deinit(&said);
    return e.kind ? cg_complain("plugin", &e) : CG_EXIT_OK;
}

static int command(int argc, char **argv)
{
    const char *kind = NULL;
    const CgOption options[] = {
        { .name = "kind",
            .arg = "KIND",
            .value = &kind,
            .help = "of a new one: op (unless given), function or reader" },
    };
    int code;
    if (!cg_options(&argc, argv,
            "new NAME [--kind=KIND] | check FILE.so\nbegins a plugin, or checks all that one says of itself", options,
            CG_LEN(options), &code))
        return code;
    if (argc == 3 && !strcmp(argv[1], "new"))
        return begin_plugin(argv[2], kind ? kind : "op");
    if (argc == 3 && !strcmp(argv[1], "check") && !kind)
        return check_plugin(argv[2]);
    return cg_usage("plugin", "'new NAME' or 'check FILE.so' is wanted");
}

CG_COMMAND(plugin, "begins a plugin, or checks one", command)
