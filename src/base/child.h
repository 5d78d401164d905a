/* child.h - other programs, run without a shell.
 * Takes the words of a command and its input; gives its output. No argument and no name of a file is ever read by a
 * shell. */
#ifndef CG_CHILD_H
#define CG_CHILD_H
#include "base/strbuf.h"

typedef enum CgChild {
    CG_CHILD_RAN,
    CG_CHILD_ABSENT /* there is no such program */,
    CG_CHILD_FAILED /* errno says why */
} CgChild;

/* Looks for argv[0] in PATH, feeds it `input` and waits for its end. What it writes to stdout and stderr is appended to
 * *out and *said; *code is its exit code, 128 + N when signal N ended it. */
CgChild cg_child_run(const char *const *argv, const char *input, size_t n, CgStrbuf *out, CgStrbuf *said, int *code);
/* Starts this program again in the background, with the arguments argv[1..], no input, and its output discarded. The
 * process id; -1: it cannot be started. */
long cg_child_start(const char *const *argv);
/* Its exit code, 128 + N when signal N ended it; once `stop` (may be NULL) gives true, it is sent SIGTERM. */
int cg_child_wait(long child, bool (*stop)(void));
enum { CG_CHILD_ENDED = 256 };
/* Calls fn in a forked copy of this process, with its output discarded and ten seconds at most: 0 when fn returned,
 * 128 + N when signal N ended the copy, else its exit code, or CG_CHILD_ENDED where fn ended it with 0; -1: fork
 * failed. Only while there is one thread. */
int cg_child_try(void (*fn)(void *arg), void *arg);
#endif
