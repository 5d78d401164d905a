/* main.c - the program `cg`.
 * Takes a command line; gives the exit code of one command: 0 ok, 1 diagnostics, 2 usage, 3 input or output,
 * 70 our own fault, 130 interrupted. Must not do any of the work: a command does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "base/timing.h"
#include "graph/registry.h"
#include "run/gemm/blas.h"
#include "run/pool.h"
#include "tool/tool.h"

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
    if (code == CG_EXIT_OK && cg_stop_asked()) { /* while a file was put in its place, which nobody cuts short */
        fputs("cg: interrupted\n", stderr);
        return CG_EXIT_INTERRUPTED;
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return cg_command_find("help")->run(0, argv), CG_EXIT_USAGE;
    const char *isa = getenv("CG_ISA");
    if (isa && *isa && !cg_registry_isa_known(isa))
        return cg_usage(NULL, "CG_ISA=%s is no instruction set this program has: avx512, avx2, base or exact", isa);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return finish(print_version());
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return finish(cg_command_find("help")->run(1, argv));
    const CgCommand *command = cg_command_find(argv[1]);
    cg_stop_catch();
    if (command)
        return finish(command->run(argc - 1, argv + 1));
    if (argv[1][0] == '-')
        return cg_usage(NULL, "there is no option '%s'", argv[1]);
    const char *near = cg_command_near(argv[1]);
    return near ? cg_usage(NULL, "'%s' is not a command; did you mean '%s'?", argv[1], near)
                : cg_usage(NULL, "'%s' is not a command", argv[1]);
}
