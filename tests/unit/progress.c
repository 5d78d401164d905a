/* progress.c - is progress told on stderr only, seldom in files and in one line on a terminal?
 * Takes a pseudo-terminal; prints TAP. Accuses src/base/progress.c. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"

static int count, failed;
static char seen[1 << 16];

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static void work(bool quiet, int64_t from, const char *how)
{
    CgProgress *p = cg_progress_new(
        &(CgProgressOpts){ .name = "train lm", .total = 400, .from = from, .per_step = 1000, .quiet = quiet });
    for (int64_t i = from + 1; i <= 400; i++) {
        cg_progress_value(p, "loss", 2.385 + 1.0 / (double)i);
        cg_progress_value(p, "norm", i == 400 ? NAN : 0.75);
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        cg_progress_step(p, i);
        if (i == 200)
            cg_progress_say(p, "valid %.3f", 2.5);
    }
    cg_progress_free(p, how);
}

/* Runs `work` with stderr going to `to` and gives what it wrote. */
static const char *heard(int to, int from, bool quiet, int64_t start, const char *how)
{
    int kept = dup(2);
    dup2(to, 2);
    work(quiet, start, how);
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    size_t n = 0;
    for (int empty = 0; empty < 3;) { /* a terminal hands over in pieces */
        ssize_t got = read(from, seen + n, sizeof seen - 1 - n);
        if (got > 0) {
            n += (size_t)got;
            continue;
        }
        empty++;
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    }
    seen[n] = 0;
    return seen;
}

static int times(const char *s, const char *word)
{
    int n = 0;
    for (; (s = strstr(s, word)); s++)
        n++;
    return n;
}

int main(void)
{
    int pipes[2];
    if (pipe(pipes) || fcntl(pipes[0], F_SETFL, O_NONBLOCK))
        return 99;
    const char *s = heard(pipes[1], pipes[0], false, 0, NULL);
    ok(times(s, "\r") == 0 && times(s, "\033") == 0, "no carriage return and no escape outside of a terminal");
    ok(times(s, "\n") >= 2 && times(s, "\n") <= 15, "few lines, however slow the machine");
    ok(strstr(s, "valid 2.500\n") != NULL, "messages have lines of their own");
    ok(strstr(s, "train lm  400/400  loss 2.3875  norm nan  in ") != NULL,
        "the last line has the last numbers and the time");
    s = heard(pipes[1], pipes[0], true, 0, NULL);
    ok(!*s, "quiet is quiet");
    s = heard(pipes[1], pipes[0], false, 390, "interrupted");
    ok(strstr(s, "interrupted after ") != NULL, "how it ended is said");

    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master >= 0 && !grantpt(master) && !unlockpt(master)) {
        int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
        ioctl(slave, TIOCSWINSZ, &(struct winsize){ .ws_col = 50, .ws_row = 20 });
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        s = heard(slave, master, false, 0, NULL);
        bool rewritten = times(s, "\r\033[2m") >= 3 && times(s, "\n") == 2;
        ok(rewritten, "on a terminal one line is rewritten");
        if (!rewritten)
            printf("# %d drawn, %d lines\n", times(s, "\r\033[2m"), times(s, "\n"));
        bool fits = true;
        for (const char *at = s; (at = strstr(at, "\033[2m")); at++)
            fits &= strcspn(at + 4, "\033") <= 49;
        ok(fits && strstr(s, "loss 2.") && !strstr(s, "left"), "and fits its width: the least telling pieces go first");
        setenv("NO_COLOR", "1", 1);
        s = heard(slave, master, false, 0, NULL);
        ok(times(s, "\033[2m") == 0 && times(s, "\r") >= 3, "NO_COLOR is respected");
        setenv("TERM", "dumb", 1);
        s = heard(slave, master, false, 0, NULL);
        ok(times(s, "\033") == 0, "so are terminals without escapes");
        close(slave);
    }
    static const struct {
        double seconds;
        const char *text;
    } durations[] = {
        { 0.4306, "431 ms" },
        { 12.34, "12.3 s" },
        { 59.97, "1 min 00 s" },
        { 252, "4 min 12 s" },
        { 11220, "3 h 07 min" },
        { 187200, "2 d 4 h" },
        { NAN, "?" },
    };
    char out[24];
    for (size_t i = 0; i < CG_LEN(durations); i++)
        ok(!strcmp(cg_duration(durations[i].seconds, out), durations[i].text), durations[i].text);
    printf("1..%d\n", count);
    return failed != 0;
}
