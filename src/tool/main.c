/* main.c - the program `cg`.
 * Takes a command line; gives the exit code of one command: 0 ok, 1 diagnostics, 2 usage, 3 input or output,
 * 70 our own fault. Must not do any of the work: a command does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/timing.h"
#include "graph/registry.h"
#include "run/gemm/blas.h"
#include "run/pool.h"
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
    va_list args;
    va_start(args, format);
    fprintf(stderr, "cg%s%s: ", command ? " " : "", command ? command : "");
    vfprintf(stderr, format, args);
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
    return e->kind == CG_ERR_INTERRUPTED ? 130 : e->kind == CG_ERR_INPUT ? CG_EXIT_DIAG : CG_EXIT_IO;
}

bool cg_wants_colour(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static int print_version(void)
{
    CgPool *pool = cg_pool_new(0);
    cg_blas_init();
    printf("cg %s\n", PACKAGE_VERSION);
    printf("compiler  %s\n", CG_COMPILER);
    printf("kernels   %s\n", cg_registry_isa());
    printf("matrices  %s, %s, %s\n", cg_blas_name(), cg_blas_core(),
        cg_blas_is_serial() ? "serial" : "held to one thread");
    printf("threads   %d\n", cg_pool_threads(pool));
    cg_pool_free(pool);
    return CG_EXIT_OK;
}

/* What was printed must have arrived: a full disk is a failure even when the command was happy. */
static int finish(int code)
{
    CgStrbuf times = { 0 };
    cg_timing_print(&times);
    fputs(cg_strbuf_str(&times), stderr);
    cg_strbuf_deinit(&times);
    cg_options_free();
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (lost && code == CG_EXIT_OK) {
        perror("cg: cannot write to stdout");
        return CG_EXIT_IO;
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return cg_command_find("help")->run(0, argv), CG_EXIT_USAGE;
    const char *isa = getenv("CG_ISA");
    if (isa && *isa && !cg_registry_isa_known(isa))
        return cg_usage(NULL, "CG_ISA=%s is no instruction set this program has: avx512, avx2 or base", isa);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return finish(print_version());
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return finish(cg_command_find("help")->run(1, argv));
    const CgCommand *command = cg_command_find(argv[1]);
    if (command)
        return finish(command->run(argc - 1, argv + 1));
    if (argv[1][0] == '-')
        return cg_usage(NULL, "there is no option '%s'", argv[1]);
    const char *near = cg_command_near(argv[1]);
    return near ? cg_usage(NULL, "'%s' is not a command; did you mean '%s'?", argv[1], near)
                : cg_usage(NULL, "'%s' is not a command", argv[1]);
}
