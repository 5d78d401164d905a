/* cmd_greet.c - cg greet [NAME].
 * Takes a name; prints a greeting. */
#include <stdio.h>

#include "tool/tool.h"

static int command(int argc, char **argv)
{
    printf("hello, %s\n", argc > 1 ? argv[1] : "you");
    return CG_EXIT_OK;
}

CG_COMMAND(greet, "greets", command)
