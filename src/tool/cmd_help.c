/* cmd_help.c - cg help [COMMAND].
 * Takes the name of a command; gives its own --help, or the list of all commands.
 * Must not repeat what a command says of itself. */
#include <stdio.h>

#include "tool/tool.h"

static void list_commands(void)
{
    puts("usage: cg COMMAND [ARGUMENT ...]\n"
         "       cg --version\n");
    puts("A script says what to build; `cg run SCRIPT.cg` builds it. The commands:\n");
    for (size_t i = 0; cg_command_at(i); i++)
        printf("  %-10s %s\n", cg_command_at(i)->name, cg_command_at(i)->summary);
    puts("\n`cg help COMMAND` says more of one.");
}

int cg_cmd_help(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        list_commands();
        return CG_EXIT_OK;
    }
    const CgCommand *command = cg_command_find(argv[1]);
    if (!command) {
        const char *near = cg_command_near(argv[1]);
        return near ? cg_usage("help", "'%s' is not a command; did you mean '%s'?", argv[1], near)
                    : cg_usage("help", "'%s' is not a command", argv[1]);
    }
    char name[32], option[] = "--help", *args[] = { name, option, NULL };
    snprintf(name, sizeof name, "%s", command->name);
    return command->run(2, args);
}
