/* json.c - is a value of JSON whole, or the process ended in an orderly way, when memory runs out within it?
 * Takes nothing; prints TAP. Each allocation fails once, in a process of its own. Accuses src/base/json.c. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tap.h"

static const char text[] = "{\"t\": \"line 1 of a text that is longer than what jansson takes room for at first, "
                           "\\u00e9 and more of it, and more\", \"n\": [1, 2.385, {\"k\": \"v\"}]}";
static const char value[] = "line 1 of a text that is longer than what jansson takes room for at first, "
                            "\xc3\xa9 and more of it, and more";

enum { WHOLE, WRONG, REFUSED = 3 }; /* codes of the process: there was no memory */

/* What becomes of the text when the n-th allocation fails, or it and all that follow. */
static int load(int n, const char *stay)
{
    int status;
    char fault[40];
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        json_error_t why;
        snprintf(fault, sizeof fault, "fault=memory:%d%s", n, stay);
        setenv("CG_DEBUG", fault, 1);
        json_t *j = cg_json_load(text, sizeof text - 1, JSON_REJECT_DUPLICATES, &why);
        const char *t = json_string_value(json_object_get(j, "t"));
        _exit(t && !strcmp(t, value) && json_array_size(json_object_get(j, "n")) == 3 ? WHOLE : WRONG);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

static void all(const char *stay)
{
    int n = 1, refused = 0, wrong = 0;
    for (int whole = 0; whole < 3 && n < 1000; n++) {
        int what = load(n, stay);
        whole = what == WHOLE ? whole + 1 : 0;
        refused += what == REFUSED;
        wrong += what == WRONG;
        if (what == WRONG)
            printf("# allocation %d%s\n", n, stay);
    }
    tap_ok(!wrong, "a value is whole, or memory is what is missing");
    tap_ok(refused > 10 && n < 1000, "each allocation was tried");
}

int main(void)
{
    all("");
    all("+");
    return tap_done();
}
