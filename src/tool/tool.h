/* tool.h - the program `cg`: what its commands share.
 * Takes arguments; gives exit codes. A command is a file cmd_<name>.c with one function, which ends in its entry:
 * argv[0] is the command's own name, the result is the exit code of the program. */
#ifndef CG_TOOL_H
#define CG_TOOL_H
#include "base/err.h"

enum {
    CG_EXIT_OK = 0,
    CG_EXIT_DIAG = 1,
    CG_EXIT_USAGE = 2,
    CG_EXIT_IO = 3,
    CG_EXIT_BUG = 70,
    CG_EXIT_INTERRUPTED = 130
};

typedef int CgCommandFn(int argc, char **argv);
typedef struct CgCommand {
    const char *name, *summary;
    CgCommandFn *run;
} CgCommand;

/* The last line of a command's file. */
#define CG_COMMAND(command, summary, run)        \
    extern const CgCommand cg_command_##command; \
    const CgCommand cg_command_##command = { #command, summary, run };

const CgCommand *cg_command_find(const char *name); /* NULL if there is none */
const CgCommand *cg_command_at(size_t i);           /* NULL past the end; sorted by name */
const char *cg_command_near(const char *name);      /* "did you mean", NULL when nothing is near */

/* An option of a command: `--name`, or `--name=ARG` and `--name ARG`. Exactly one of flag, value, list is set. */
typedef struct CgStrings {
    const char **at;
    size_t len;
} CgStrings;
typedef struct CgOption {
    const char *name, *arg, *help; /* arg: what the argument is called in --help, NULL for a flag */
    bool *flag;
    const char **value; /* the last one given */
    CgStrings *list;    /* all of them, in order; the memory is not the command's */
    char letter;        /* 'o' for -oARG and -o ARG as well; 0 = none */
    bool once;          /* whoever gives it twice means both, and is told */
} CgOption;

/* Takes the options out of argv: afterwards argv[1 .. *argc - 1] are the other arguments. `synopsis` is what follows
 * the command's name in --help, then a new line and what it does. False when the program should end with *exit:
 * --help was printed, or an option was wrong. A flag named "help" in the table keeps --help for the command itself. */
bool cg_options(int *argc, char **argv, const char *synopsis, const CgOption *options, size_t n, int *exit);
void cg_options_free(void); /* what cg_options took, when the command is over */
void cg_options_help(const char *command, const char *synopsis, const CgOption *options, size_t n);
/* A whole number from `least` to `most`; *out stays as it is when text is NULL. False after saying what is wrong. */
bool cg_option_number(
    const char *command, const char *option, const char *text, int64_t least, int64_t most, int64_t *out);
/* "10GiB", "300MiB", "5000": bytes; likewise. */
bool cg_option_bytes(const char *command, const char *option, const char *text, uint64_t least, uint64_t *out);
/* --threads: from 1 to 256; 0, all this process may use, unless given. */
bool cg_option_threads(const char *command, const char *text, int *out);
/* "name=value": a malloc'd name, and the value in `text`. False when it has not this form. */
bool cg_assignment(const char *text, char **name, const char **value);

/* Prints "cg COMMAND: message" and how to learn more on stderr; always returns CG_EXIT_USAGE. */
int cg_usage(const char *command, const char *format, ...) CG_PRINTF(2, 3);
/* Prints an error that has no place in a script; gives its exit code. */
int cg_complain(const char *command, const CgErr *e);
/* Whether stderr is a terminal that wants colour (NO_COLOR and TERM=dumb say no). */
bool cg_wants_colour(void);
#endif
