/* store_faults.c - does the store keep its word when every call to the system fails in turn, and when it is
 * killed?
 * Takes a folder of its own under TMPDIR, runs itself as a child; prints TAP. Accuses src/store/store.c
 * and src/base/io.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "again.h"
#include "data/draw.h"
#include "store/store.h"

#define FINISHED 7 /* exit code of a child that met no fault */

static int count, failed;
static char folder[256];

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    fflush(stdout);
    failed += !good;
}

/* The state at a step: a few KB that say which step they are of. */
static size_t state_at(uint64_t step, char out[8192])
{
    size_t n = 5000 + (size_t)(step % 97) * 31;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(step * 131 + i * 7 + i / 251);
    return n;
}

static bool is_state(const char *path, uint64_t step)
{
    char want[8192];
    CgBytes b = { 0 };
    CgErr e = { 0 };
    size_t n = state_at(step, want);
    bool same = cg_io_read(path, &b, &e) && b.len == n && !memcmp(b.at, want, n);
    cg_io_release(&b);
    return same;
}

static bool save(CgStore *s, CgDigest key, uint64_t step, CgErr *e)
{
    char text[8192], *path = cg_stage_begin(s, key, step, e);
    bool good = path && cg_io_write(path, text, state_at(step, text), e) && cg_stage_seal(s, key, step, e);
    free(path);
    return good;
}

/* What the child does: a value, three checkpoints, the end. Exit 1 with a mistake that says what failed, 2
 * without one. */
static int child(void)
{
    CgErr e = { 0 };
    CgDigest value = cg_digest("value", 5), stage = cg_digest("stage", 5);
    char text[8192];
    CgStore *s = cg_store_open(folder, &e);
    bool good = s != NULL;
    if (good)
        cg_store_listen(s, NULL, NULL);
    CgLock *l = good ? cg_store_lock(s, value, "testing", &e) : NULL;
    good = l && cg_store_put(s, value, text, state_at(11, text), &e);
    for (uint64_t step = 200; good && step < 203; step++)
        good = save(s, stage, step, &e);
    uint64_t step;
    char *found = good ? cg_stage_find(s, stage, UINT64_MAX, &step) : NULL;
    free(found);
    cg_io_unlock(l);
    cg_store_close(s);
    return good ? FINISHED : e.text[0] ? 1 : 2;
}

static int run(const char *task, int fault)
{
    pid_t pid = fork();
    if (pid == 0) {
        char debug[32];
        snprintf(debug, sizeof debug, "fault=eio:%d", fault);
        if (fault)
            setenv("CG_DEBUG", debug, 1);
        again(task, folder);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void faults(void)
{
    CgErr e = { 0 };
    CgDigest value = cg_digest("value", 5), stage = cg_digest("stage", 5);
    bool told = true, whole = true, kept = true;
    int n = 1, code = 0;
    for (; n < 1000 && code != FINISHED; n++) {
        CgStore *s = cg_store_open(folder, &e);
        cg_store_listen(s, NULL, NULL);
        free(cg_store_begin(s, value, &e)); /* it is absent from here on */
        cg_stage_end(s, stage);
        kept &= save(s, stage, 100, &e); /* what was safe before */
        cg_store_close(s);
        code = run("fault", n);
        told &= code == 1 || code == FINISHED;
        s = cg_store_open(folder, &e);
        cg_store_listen(s, NULL, NULL);
        CgBytes b = { 0 };
        char want[8192];
        if (cg_store_get(s, value, &b)) {
            whole &= b.len == state_at(11, want) && !memcmp(b.at, want, b.len);
            cg_io_release(&b);
        }
        uint64_t step = 0;
        char *path = cg_stage_find(s, stage, UINT64_MAX, &step);
        kept &= path && is_state(path, step);
        if (!path || !is_state(path, step))
            printf("# after fault %d: %s\n", n, path ? path : "nothing");
        free(path);
        cg_store_close(s);
    }
    printf("# %d calls\n", n - 1);
    ok(code == FINISHED && n > 40, "every call to the system was made to fail once");
    ok(told, "each failure was told");
    ok(whole, "a value is whole or absent");
    ok(kept, "a checkpoint that verifies is always there");
}

static int endless(void)
{
    CgErr e = { 0 };
    CgStore *s = cg_store_open(folder, &e);
    uint64_t step = 0;
    CgDigest key = cg_digest("killed", 6);
    cg_store_listen(s, NULL, NULL);
    char *path = cg_stage_find(s, key, UINT64_MAX, &step);
    free(path);
    for (;;) {
        if (!save(s, key, ++step, &e) || write(1, ".", 1) != 1)
            return 1;
    }
}

static void killing(void)
{
    CgErr e = { 0 };
    CgDraw d;
    CgDigest key = cg_digest("killed", 6);
    uint64_t before = 0;
    bool safe = true, forward = true;
    cg_draw_init(&d, 2385, 1, 0);
    CgStore *s = cg_store_open(folder, &e);
    cg_store_listen(s, NULL, NULL);
    safe = save(s, key, 1, &e);
    for (int i = 0; i < 40; i++) {
        int saved[2];
        if (pipe(saved))
            exit(99);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(saved[1], 1);
            again("endless", folder);
        }
        char dot;
        close(saved[1]);
        safe &= read(saved[0], &dot, 1) == 1; /* one is whole, others are under way */
        nanosleep(&(struct timespec){ .tv_nsec = (long)cg_draw_below(&d, 60000000) }, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(saved[0]);
        uint64_t step = 0;
        char *path = cg_stage_find(s, key, UINT64_MAX, &step);
        safe &= path && is_state(path, step);
        forward &= step >= before;
        before = step;
        free(path);
    }
    printf("# %llu checkpoints\n", (unsigned long long)before);
    ok(safe, "40 kills: the newest checkpoint that verifies is whole");
    ok(forward && before >= 40, "and work is never lost");
    cg_store_close(s);
    char objects[300];
    snprintf(objects, sizeof objects, "%s/progress", folder);
    s = cg_store_open(folder, &e);
    ok(cg_io_sweep(objects) == 0, "opening has removed what the dead left");
    cg_store_close(s);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        snprintf(folder, sizeof folder, "%s", argv[2]);
        return strcmp(argv[1], "fault") == 0 ? child() : endless();
    }
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cg-faults-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return 99;
    faults();
    killing();
    char remove[300];
    snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    if (system(remove))
        return 99;
    printf("1..%d\n", count);
    return failed != 0;
}
