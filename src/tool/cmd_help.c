/* cmd_help.c - cg help [NAME [SCRIPT]].
 * Takes the name of anything a script may say, of a command, of a list or of a code; gives what is known of it
 * (report/help.h), or where to look. Must not repeat what these say of themselves. */
#include <stdio.h>
#include <string.h>

#include "library/plugin.h"
#include "report/help.h"
#include "tool/tool.h"

/* As it is typed: with dashes. */
static void print_command(const CgCommand *c)
{
    char name[32] = "";
    for (size_t i = 0; i + 1 < sizeof name && c->name[i]; i++)
        name[i] = c->name[i] == '_' ? '-' : c->name[i];
    printf("  %-14s %s\n", name, c->summary);
}

static void print_commands(void)
{
    for (size_t i = 0; cg_command_at(i); i++)
        print_command(cg_command_at(i));
}

static void print_overview(void)
{
    puts("usage: cg COMMAND [ARGUMENT ...]\n"
         "       cg --version\n");
    puts("A script says what to build; `cg run SCRIPT.cg` builds it. The commands:\n");
    print_commands();
    puts("\n`cg help NAME` says more of a command, a keyword, a field of train, a type, a function, an op, a graph or\n"
         "module of the library, or a code such as E0402; `cg help NAME SCRIPT.cg` knows the script's own names, too.");
    printf("Lists: cg help commands");
    for (size_t i = 0; cg_help_list(i); i++)
        printf(", %s", cg_help_list(i));
    puts(", a module such as std.nn, a family such as plot.");
}

/* The script's own names and those of its plugins; false after saying why it cannot be read. One with mistakes is
 * looked at as far as it parses. */
static bool help_with(const char *name, const char *path, CgStrbuf *out, CgSuggest *near, bool *found)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgProgram *program = path ? cg_program_load(sources, path, diags) : NULL;
    size_t mistakes = cg_diags_count(diags);
    if (program)
        cg_plugins_load(program, diags);
    bool read = !path || (program && cg_diags_count(diags) == mistakes);
    if (read)
        *found = cg_help(name, sources, program, out, near);
    else
        cg_diags_print(diags, stderr, cg_wants_colour());
    cg_program_free(program);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return read;
}

static int help_command(const CgCommand *command)
{
    char name[32], option[] = "--help", *args[] = { name, option, NULL };
    snprintf(name, sizeof name, "%s", command->name);
    return command->run(2, args);
}

static int command(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        print_overview();
        return CG_EXIT_OK;
    }
    if (argc > 3)
        return cg_usage("help", "one name, and a script if it is one of its own");
    const char *name = strncmp(argv[1], "op.", 3) ? argv[1] : argv[1] + 3; /* an op, as scripts tell it from a graph */
    const CgCommand *command = argc == 2 ? cg_command_find(name) : NULL;
    CgStrbuf out = { 0 };
    CgSuggest near;
    bool found = false;
    cg_suggest_init(&near, name);
    for (size_t i = 0; cg_command_at(i); i++)
        cg_suggest_offer(&near, cg_command_at(i)->name);
    cg_suggest_offer(&near, "commands");
    if (!strcmp(name, "commands"))
        print_commands();
    else if (!help_with(name, argc == 3 ? argv[2] : NULL, &out, &near, &found))
        return cg_strbuf_deinit(&out), CG_EXIT_IO;
    int exit = command ? help_command(command) : CG_EXIT_OK;
    if (command && found)
        puts("");
    fputs(cg_strbuf_str(&out), stdout);
    cg_strbuf_deinit(&out);
    if (found || command || !strcmp(name, "commands"))
        return exit;
    const char *best = cg_suggest_best(&near);
    return best ? cg_usage("help", "nothing is called '%s'; did you mean '%s'?", name, best)
                : cg_usage("help", "nothing is called '%s'", name);
}

CG_COMMAND(help, "says what anything is that a script or a message may name", command)
