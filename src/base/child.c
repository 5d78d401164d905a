/* child.c - other programs, run without a shell.
 * Takes the words of a command and its input; gives its output. The one file that starts programs. Both pipes are
 * served at once: a program may answer before it has read everything. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { IN, OUT, SAID, NPIPES };

typedef struct Pipes {
    int end[NPIPES][2];
} Pipes; /* [0] is read from, [1] written to */

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(Pipes *p)
{
    for (int i = 0; i < NPIPES; i++) {
        close_end(&p->end[i][0]);
        close_end(&p->end[i][1]);
    }
}

static bool open_all(Pipes *p)
{
    for (int i = 0; i < NPIPES; i++)
        p->end[i][0] = p->end[i][1] = -1;
    for (int i = 0; i < NPIPES; i++) {
        if (pipe(p->end[i]) != 0)
            return false;
        for (int k = 0; k < 2; k++)
            fcntl(p->end[i][k], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

/* 0 or an errno. */
static int start(const char *const *argv, const Pipes *p, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE); /* we ignore it, the program should not */
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&files, p->end[IN][0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, p->end[OUT][1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, p->end[SAID][1], STDERR_FILENO);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* Takes what there is to read; closes the pipe at its end. */
static void take(int *fd, CgStrbuf *to)
{
    char bytes[65536];
    ssize_t n = read(*fd, bytes, sizeof bytes);
    if (n > 0)
        cg_strbuf_write(to, bytes, (size_t)n);
    else if (n == 0 || errno != EINTR)
        close_end(fd);
}

static void give(int *fd, const char *input, size_t n, size_t *at)
{
    ssize_t done = write(*fd, input + *at, n - *at < 4096 ? n - *at : 4096); /* what poll promised to take */
    if (done > 0)
        *at += (size_t)done;
    else if (errno != EINTR)
        close_end(fd);
}

static void serve(Pipes *p, const char *input, size_t n, CgStrbuf *out, CgStrbuf *said)
{
    int *fds[NPIPES] = { &p->end[IN][1], &p->end[OUT][0], &p->end[SAID][0] };
    size_t at = 0;
    for (;;) {
        if (at == n)
            close_end(fds[IN]);
        struct pollfd wait[NPIPES];
        int open = 0;
        for (int i = 0; i < NPIPES; i++) {
            wait[i] = (struct pollfd){ .fd = *fds[i], .events = i == IN ? POLLOUT : POLLIN };
            open += *fds[i] >= 0;
        }
        if (!open)
            return;
        if (poll(wait, NPIPES, -1) < 0)
            continue; /* interrupted by a signal, which the caller handles */
        if (wait[IN].revents)
            give(fds[IN], input, n, &at);
        if (wait[OUT].revents)
            take(fds[OUT], out);
        if (wait[SAID].revents)
            take(fds[SAID], said);
    }
}

CgChild cg_child_run(const char *const *argv, const char *input, size_t n, CgStrbuf *out, CgStrbuf *said, int *code)
{
    Pipes p;
    pid_t pid;
    int status = 0;
    if (!open_all(&p)) {
        close_all(&p);
        return CG_CHILD_FAILED;
    }
    int error = start(argv, &p, &pid);
    close_end(&p.end[IN][0]);
    close_end(&p.end[OUT][1]);
    close_end(&p.end[SAID][1]);
    if (error) {
        close_all(&p);
        errno = error;
        return error == ENOENT || error == EACCES ? CG_CHILD_ABSENT : CG_CHILD_FAILED;
    }
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    sigaction(SIGPIPE, &ignore, &before);
    serve(&p, input, n, out, said);
    sigaction(SIGPIPE, &before, NULL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return CG_CHILD_RAN;
}

long cg_child_start(const char *const *argv)
{
    posix_spawn_file_actions_t files;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int error = posix_spawn(&pid, "/proc/self/exe", &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return error ? -1 : (long)pid;
}

int cg_child_wait(long child, bool (*stop)(void))
{
    int status = 0;
    for (bool told = false;;) {
        pid_t done = waitpid((pid_t)child, &status, WNOHANG);
        if (done == (pid_t)child || (done < 0 && errno != EINTR))
            break;
        if (stop && !told && stop()) {
            told = true;
            kill((pid_t)child, SIGTERM);
        }
        nanosleep(&(struct timespec){ .tv_nsec = stop ? 20000000 : 1000000 }, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cg_child_try(void (*fn)(void *arg), void *arg)
{
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        signal(SIGALRM, SIG_DFL);
        alarm(10);
        fn(arg);
        kill(getpid(), SIGKILL); /* no code of its own could be told from one that fn chose */
    }
    int code = pid < 0 ? -1 : cg_child_wait(pid, NULL);
    return code == 128 + SIGKILL ? 0 : code == 0 ? CG_CHILD_ENDED : code;
}
