/* commands.c - the commands there are, and what all of them say alike.
 * Takes a name, or what is wrong with a command line; gives the command, or a message and the exit code for it. Runs
 * none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "tool/tool.h"

#define X(command) extern const CgCommand cg_command_##command;
#include "entries/command.def"
#undef X
static const CgCommand *const commands[] = {
#define X(command) &cg_command_##command,
#include "entries/command.def"
#undef X
};

const CgCommand *cg_command_at(size_t i) { return i < CG_LEN(commands) ? commands[i] : NULL; }

/* C knows no dash in a name, so a command's entry has '_' for it. */
static bool is_called(const CgCommand *c, const char *name)
{
    size_t i = 0;
    while (c->name[i] && (c->name[i] == name[i] || (c->name[i] == '_' && name[i] == '-')))
        i++;
    return !c->name[i] && !name[i];
}

const CgCommand *cg_command_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(commands); i++) {
        if (is_called(commands[i], name))
            return commands[i];
    }
    return NULL;
}

const char *cg_command_near(const char *name)
{
    CgSuggest near;
    cg_suggest_init(&near, name);
    for (size_t i = 0; i < CG_LEN(commands); i++)
        cg_suggest_offer(&near, commands[i]->name);
    return cg_suggest_best(&near);
}

int cg_usage(const char *command, const char *format, ...)
{
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_plain_vprintf(&text, format, args);
    fprintf(stderr, "cg%s%s: %s", command ? " " : "", command ? command : "", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    if (command)
        fprintf(stderr, "\ntry 'cg help %s'\n", command);
    else
        fputs("\ntry 'cg help'\n", stderr);
    va_end(args);
    return CG_EXIT_USAGE;
}

int cg_complain(const char *command, const CgErr *e)
{
    fprintf(stderr, "cg %s: %s\n", command, e->text);
    if (e->hint[0])
        fprintf(stderr, "help: %s\n", e->hint);
    return e->kind == CG_ERR_INTERRUPTED ? CG_EXIT_INTERRUPTED : e->kind == CG_ERR_INPUT ? CG_EXIT_DIAG : CG_EXIT_IO;
}

bool cg_wants_colour(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}
