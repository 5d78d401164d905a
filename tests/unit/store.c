/* store.c - are values kept, damage noticed, checkpoints safe, and two processes at once?
 * Takes a folder of its own under TMPDIR; prints TAP. Accuses src/experiment/store*.c and the locks of
 * src/base/io.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/stop.h"
#include "store/store.h"

static int count, failed;
static char folder[256];
static CgStrbuf said;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    fflush(stdout);
    failed += !good;
}

static void hear(void *arg, const char *sentence)
{
    (void)arg;
    cg_strbuf_printf(&said, "%s\n", sentence);
}

static CgStore *store(void)
{
    CgErr e = { 0 };
    CgStore *s = cg_store_open(folder, &e);
    if (!s)
        exit(99);
    cg_store_listen(s, hear, NULL);
    return s;
}

static void poke(const char *path, long at, int byte)
{
    FILE *f = fopen(path, "r+b");
    if (!f || fseek(f, at, SEEK_SET) || fputc(byte, f) == EOF || fclose(f))
        exit(99);
}

static bool holds(CgStore *s, CgDigest key, const char *text)
{
    CgBytes b = { 0 };
    if (!cg_store_get(s, key, &b))
        return text == NULL;
    bool same = text && b.len == strlen(text) && !memcmp(b.at, text, b.len);
    cg_io_release(&b);
    return same;
}

static void values(void)
{
    CgErr e = { 0 };
    CgStore *s = store();
    CgDigest key = cg_digest("key", 3), other = cg_digest("other", 5), empty = cg_digest("empty", 5);
    ok(holds(s, key, NULL) && !cg_store_has(s, key) && !said.len, "what was never put is absent, silently");
    ok(cg_store_put(s, key, "seventeen bytes!!", 17, &e) && cg_store_has(s, key) && holds(s, key, "seventeen bytes!!"),
        "what was put is there");
    ok(cg_store_put(s, empty, "", 0, &e) && holds(s, empty, ""), "nothing can be kept too");
    cg_store_close(s);
    s = store();
    ok(cg_store_has(s, key) && holds(s, other, NULL), "also in another process");
    char *path = cg_store_path(s, key);
    cg_store_close(s);
    poke(path, 3, 'X');
    s = store();
    ok(!cg_store_has(s, key) && strstr(cg_strbuf_str(&said), "do not agree"),
        "one changed byte is noticed and reported");
    said.len = 0;
    ok(cg_store_put(s, key, "seventeen bytes!!", 17, &e) && holds(s, key, "seventeen bytes!!"),
        "and can be made again");
    if (truncate(path, 5))
        exit(99);
    ok(holds(s, key, NULL) && said.len, "a file cut short is noticed");
    said.len = 0;
    char *begun = cg_store_begin(s, other, &e);
    ok(begun && cg_io_write(begun, "abcdefg", 7, &e) && !cg_store_has(s, other)
            && strstr(cg_strbuf_str(&said), "never finished"),
        "what was not sealed is absent");
    ok(cg_store_seal(s, other, &e) && holds(s, other, "abcdefg"), "what was sealed is there");
    char *again = cg_store_begin(s, other, &e);
    said.len = 0;
    ok(again && !cg_store_has(s, other), "what is begun again is absent until sealed again");
    ok(cg_store_seal(s, other, &e) && holds(s, other, "abcdefg"), "and is there once it is sealed");
    said.len = 0;
    free(path);
    free(begun);
    free(again);
    cg_store_close(s);
}

static bool checkpoint(CgStore *s, CgDigest key, uint64_t step)
{
    CgErr e = { 0 };
    char text[64], *path = cg_stage_begin(s, key, step, &e);
    int n = snprintf(text, sizeof text, "state at %llu", (unsigned long long)step);
    bool good = path && cg_io_write(path, text, (size_t)n, &e) && cg_stage_seal(s, key, step, &e);
    free(path);
    return good;
}

static int files_in(const char *sub)
{
    char path[300];
    CgErr e = { 0 };
    CgPaths paths = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, sub);
    int n = cg_io_glob(path, &paths, &e) ? (int)paths.len : 0;
    cg_paths_free(&paths);
    return n;
}

static void stages(void)
{
    CgStore *s = store();
    CgDigest key = cg_digest("stage", 5), other = cg_digest("stagf", 5);
    uint64_t step = 0;
    ok(!cg_stage_find(s, key, UINT64_MAX, &step), "no checkpoint at first");
    bool made = checkpoint(s, other, 3);
    for (uint64_t i = 0; i < 50; i += 7)
        made &= checkpoint(s, key, i);
    ok(made && files_in("progress") == 6, "the newest two of a key are kept, other keys are let be");
    char *path = cg_stage_find(s, key, UINT64_MAX, &step);
    ok(path && step == 49, "the newest is found");
    poke(path, 0, 'X');
    free(path);
    path = cg_stage_find(s, key, UINT64_MAX, &step);
    ok(path && step == 42 && strstr(cg_strbuf_str(&said), "passed over"),
        "a damaged one is passed over for the one before it, and said so");
    said.len = 0;
    free(path);
    CgErr e = { 0 };
    path = cg_stage_begin(s, key, 49, &e); /* killed between writing and sealing */
    ok(path && cg_io_write(path, "half", 4, &e), "begun anew");
    free(path);
    path = cg_stage_find(s, key, UINT64_MAX, &step);
    ok(path && step == 42, "an unsealed one does not count");
    free(path);
    said.len = 0;
    ok(checkpoint(s, key, 49) && checkpoint(s, key, 56) && files_in("progress") == 6, "going on cleans up");
    cg_stage_end(s, key);
    ok(!cg_stage_find(s, key, UINT64_MAX, &step) && files_in("progress") == 2, "nothing is left of what is finished");
    cg_store_close(s);
}

static void ask_to_stop(void *arg, const char *sentence)
{
    hear(arg, sentence);
    raise(SIGTERM);
}

/* Who waits lets the one that holds the lock go on. */
static void release(void *arg, const char *sentence)
{
    hear(NULL, sentence);
    if (write(*(const int *)arg, "x", 1) != 1)
        exit(99);
}

/* The second process waits for the first. */
static void waiting(CgStore *s, CgDigest key)
{
    CgErr e = { 0 };
    int ready[2], go[2];
    char x;
    if (pipe(ready) || pipe(go))
        exit(99);
    pid_t child = fork();
    if (child == 0) { /* holds the lock until told, makes the value, lets go */
        CgStore *mine = store();
        CgLock *l = cg_store_lock(mine, key, "making it", &e);
        if (!l || write(ready[1], "x", 1) != 1 || read(go[0], &x, 1) != 1)
            _exit(1);
        bool put = cg_store_put(mine, key, "made once", 9, &e);
        cg_io_unlock(l);
        cg_store_close(mine);
        _exit(put ? 0 : 1);
    }
    if (read(ready[0], &x, 1) != 1)
        exit(99);
    int status;
    pid_t impatient = fork();
    if (impatient == 0) {
        CgStore *mine = store();
        cg_stop_catch();
        cg_store_listen(mine, ask_to_stop, NULL);
        _exit(!cg_store_lock(mine, key, "making it", &e) && e.kind == CG_ERR_INTERRUPTED ? 0 : 1);
    }
    waitpid(impatient, &status, 0);
    ok(status == 0, "a signal ends waiting");
    cg_store_listen(s, release, &go[1]);
    said.len = 0;
    e = (CgErr){ 0 };
    CgLock *l = cg_store_lock(s, key, "making it", &e);
    ok(l && strstr(cg_strbuf_str(&said), "waiting for another process that is making it"),
        "the second waits and says so");
    cg_store_listen(s, hear, NULL);
    ok(holds(s, key, "made once"), "and then finds the value");
    said.len = 0;
    cg_io_unlock(l);
    ok(files_in("locks") == 0, "no lock file stays");
    waitpid(child, &status, 0);
    ok(status == 0, "the first was not disturbed");
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
}

/* A process that is killed with the lock in its hands. */
static void dying(CgStore *s, CgDigest key)
{
    CgErr e = { 0 };
    int ready[2], status;
    char x;
    if (pipe(ready))
        exit(99);
    pid_t child = fork();
    if (child == 0) { /* dies with the lock in its hands */
        CgStore *mine = store();
        CgErr mistake = { 0 };
        if (!cg_store_lock(mine, key, "dying", &mistake) || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    if (read(ready[0], &x, 1) != 1)
        exit(99);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CgLock *l = cg_store_lock(s, key, "making it", &e);
    ok(l != NULL, "a process that dies lets go");
    cg_io_unlock(l);
    close(ready[0]);
    close(ready[1]);
}

/* A counter that only the lock protects. */
static void racing(CgStore *s)
{
    CgErr e = { 0 };
    int status;
    enum { RACERS = 4, ROUNDS = 25 };
    CgDigest counter = cg_digest("counter", 7);
    ok(cg_store_put(s, counter, "0", 1, &e), "a counter");
    pid_t racer[RACERS];
    for (int i = 0; i < RACERS; i++) {
        if ((racer[i] = fork()) != 0)
            continue;
        CgStore *mine = store();
        for (int k = 0; k < ROUNDS; k++) {
            CgErr mistake = { 0 };
            CgLock *own = cg_store_lock(mine, counter, "counting", &mistake);
            CgBytes b = { 0 };
            char text[16];
            if (!own || !cg_store_get(mine, counter, &b))
                _exit(1);
            int n = snprintf(text, sizeof text, "%ld", strtol(b.at, NULL, 10) + 1);
            cg_io_release(&b);
            if (!cg_store_put(mine, counter, text, (size_t)n, &mistake))
                _exit(1);
            cg_io_unlock(own);
        }
        _exit(0);
    }
    bool clean = true;
    for (int i = 0; i < RACERS; i++) {
        waitpid(racer[i], &status, 0);
        clean &= status == 0;
    }
    ok(clean && holds(s, counter, "100"), "four processes that count under the lock lose nothing");
}

static void locks(void)
{
    CgStore *s = store();
    CgDigest key = cg_digest("lock", 4);
    waiting(s, key);
    dying(s, key);
    racing(s);
    cg_store_close(s);
}

static void sweeping(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/objects/.left.0123456789abcdef-3.tmp", folder);
    FILE *f = fopen(path, "w");
    if (!f || fclose(f))
        exit(99);
    char ours[300];
    snprintf(ours, sizeof ours, "%s/objects/.busy.0123456789abcdee-3.tmp", folder);
    f = fopen(ours, "w");
    if (!f || flock(fileno(f), LOCK_EX) != 0) /* as the one who writes it does, whatever its number */
        exit(99);
    CgStore *s = store();
    ok(!cg_io_exists(path) && cg_io_exists(ours), "leftovers of the dead are removed, those of the living are not");
    fclose(f);
    cg_store_close(s);
    s = store();
    ok(!cg_io_exists(ours), "and are when these have died");
    cg_store_close(s);
}

static void runs(void)
{
    CgErr e = { 0 };
    CgStore *s = store();
    CgDigest d = cg_digest("script", 6);
    CgRun *a = cg_run_open(s, "first.cg", "--set x=1", d);
    for (int i = 0; i < 2003; i++)
        cg_run_metric(a, d, "lm", i, "loss", 1.0 / (i + 1));
    cg_run_metric(a, d, "lm", 7, "norm", 2.385);
    cg_run_metric(a, d, "lm", 7, "norm", 2.5); /* the same step again, after a resume */
    cg_run_artifact(a, "figure", "x.svg", d);
    cg_run_close(a, "ok");
    pid_t child = fork();
    if (child == 0) {
        CgStore *mine = store();
        cg_run_open(mine, "second.cg", NULL, d);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CgRun *c = cg_run_open(s, "third.cg", NULL, d);
    CgTable *t = cg_store_runs(s, &e);
    int64_t id = t ? t->column[0].at[0].whole : -1;
    CgTable *m = cg_store_metrics(s, id, &e), *f = cg_store_artifacts(s, id, &e);
    ok(t && t->rows == 3 && !strcmp(t->column[1].at[0].text, "first.cg") && !strcmp(t->column[4].at[0].text, "ok")
            && !strcmp(t->column[4].at[1].text, "killed") && !strcmp(t->column[4].at[2].text, "running"),
        "runs are listed with what became of them");
    ok(m && m->rows == 2004 && m->column[2].at[2002].whole == 2002 && m->column[4].at[2003].number == 2.5,
        "metrics come back, the last word counts");
    ok(f && f->rows == 1 && !strcmp(f->column[1].at[0].text, "x.svg"), "so do artifacts");
    cg_run_close(c, "interrupted");
    cg_table_free(t);
    cg_table_free(m);
    cg_table_free(f);

    enum { WRITERS = 4 };
    pid_t writer[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        if ((writer[i] = fork()) != 0)
            continue;
        CgStore *mine = store();
        said.len = 0;
        for (int k = 0; k < 20; k++) {
            CgRun *r = cg_run_open(mine, "race.cg", NULL, d);
            for (int j = 0; j < 30; j++)
                cg_run_metric(r, d, "lm", j, "loss", j);
            cg_run_close(r, "ok");
        }
        _exit(said.len ? 1 : 0);
    }
    bool clean = true;
    for (int i = 0; i < WRITERS; i++) {
        int status;
        waitpid(writer[i], &status, 0);
        clean &= status == 0;
    }
    t = cg_store_runs(s, &e);
    ok(clean && t && t->rows == 83, "four processes write runs at once");
    cg_table_free(t);
    cg_store_close(s);

    char path[300];
    snprintf(path, sizeof path, "%s/index.db", folder);
    char wal[310];
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(wal);
    CgErr ignore = { 0 };
    if (!cg_io_write(path, "this is no database, but it is long enough to look like a file of some sort", 74, &ignore))
        exit(99);
    s = store();
    said.len = 0;
    CgRun *r = cg_run_open(s, "x.cg", NULL, d);
    cg_run_metric(r, d, "lm", 1, "loss", 2);
    cg_run_artifact(r, "a", "b", d);
    ok(strstr(cg_strbuf_str(&said), "cannot be used")
            && !strstr(strstr(cg_strbuf_str(&said), "cannot be used") + 5, "cannot be used"),
        "a broken index is said once and stops nothing");
    cg_run_close(r, "ok");
    ok(!cg_store_runs(s, &e) && strstr(e.text, "index.db"), "but it cannot be listed");
    cg_store_close(s);
    said.len = 0;
}

/* Seals a checkpoint whose bytes a test has changed: --seal FOLDER KEY STEP. */
static int seal(char **argv)
{
    CgErr e = { 0 };
    CgDigest key;
    CgStore *s = cg_store_open(argv[2], &e);
    bool good = s && cg_digest_parse(argv[3], &key) && cg_stage_seal(s, key, strtoull(argv[4], NULL, 10), &e);
    if (s)
        cg_store_close(s);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--seal"))
        return seal(argv);
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cg-store-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return 99;
    values();
    stages();
    locks();
    sweeping();
    runs();
    CgErr e = { 0 };
    ok(!cg_store_open("/dev/null/store", &e) && strstr(e.hint, "CG_STORE"),
        "a place that cannot be used is refused with a way out");
    char remove[300];
    snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    if (system(remove))
        return 99;
    cg_strbuf_deinit(&said);
    printf("1..%d\n", count);
    return failed != 0;
}
